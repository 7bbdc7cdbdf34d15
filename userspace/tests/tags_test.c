// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit test: whose a grant is, by its tag, whatever the bits of the key, user or
 * request that are in it, too.
 */
#include "check.h"
#include "tags.h"

static const uint64_t keys[] = {
	0, 1, UINT64_MAX, UINT64_MAX >> 1, TAG_USER, TAG_RULE, TAG_BREAK_GLASS, TAG_SERVICE,
	TAG_USER | TAG_BREAK_GLASS, TAG_USER | TAG_REQUEST_MASK, UINT64_C(0x5555555555555555),
	UINT64_C(0xaaaaaaaaaaaaaaaa),
};

static void services(void)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		uint64_t tag = tag_of_service(keys[i]);

		CHECK(tag_is_service(tag));
		CHECK(!tag_is_user(tag));
		CHECK(!tag_is_break_glass(tag));
		CHECK(!tag_is_renewal(tag));
		CHECK(!tag_is_of_request(tag, 0));
		CHECK(!(tag & (TAG_USER | TAG_RULE | TAG_BREAK_GLASS)));
	}
	CHECK(tag_of_service(1) != tag_of_service(2));
	CHECK(tag_of_service(UINT64_C(1) << 59) != tag_of_service(0));
}

static void renewals(void)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		uint64_t tag = tag_of_renewal(keys[i]);

		CHECK(tag_is_renewal(tag) == (tag != TAG_RULE));
		CHECK(!tag_is_service(tag));
		CHECK(!tag_is_user(tag));
		CHECK(!tag_is_break_glass(tag));
		CHECK(!tag_is_of_request(tag, 0));
	}
	/* One without a key is given by a rule, and is not renewed. */
	CHECK(!tag_is_renewal(TAG_RULE));
}

static void people(void)
{
	const uint64_t ids[] = { 1, 2, UINT64_C(1) << (TAG_REQUEST_BITS - 1), UINT64_C(0x0fffffff) };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		uint64_t tag = TAG_USER | TAG_OF_REQUEST(ids[i]) | UINT32_MAX;

		CHECK(tag_is_user(tag));
		CHECK(!tag_is_service(tag));
		CHECK(!tag_is_renewal(tag));
		CHECK(!tag_is_break_glass(tag));
		CHECK(tag_is_break_glass(tag | TAG_BREAK_GLASS));
		CHECK((uint32_t)tag == UINT32_MAX);
		for (size_t j = 0; j < sizeof(ids) / sizeof(ids[0]); j++)
			CHECK(tag_is_of_request(tag, ids[j]) == (i == j));
	}
	/* Of no request, whoever asked. */
	CHECK(!tag_is_of_request(TAG_USER | UINT32_MAX, 1));
	CHECK(!tag_is_of_request(TAG_OF_REQUEST(1), 1));
}

int main(void)
{
	services();
	renewals();
	people();
	return check_end();
}
