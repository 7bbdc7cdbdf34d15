// SPDX-License-Identifier: GPL-2.0-only
/*
 * The form of the account's entries and heads.
 *
 * Owns: checks of userspace/account/ that need no file: what is hashed and signed, byte
 * for byte, and which bodies are canonical.
 *
 * Must not own: files (account_test.c).
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "account.h"
#include "check.h"

/* ---- vectors: a change here is another format ---- */

static void test_vectors(void)
{
	struct account_entry entry = {
		.seq = 7, .realtime_ns = 1700000000123456789, .boottime_ns = 42, .kind = "denied",
		.body = "{\"path\":\"db/shop\",\"pid\":4711}", .body_size = 29,
	};
	struct account_head head = { .seq = 7, .realtime_ns = 1700000000123456789 }, again;
	uint8_t hash[ACCOUNT_HASH_SIZE], message[ACCOUNT_HEAD_MESSAGE_SIZE];
	char text[2 * ACCOUNT_HEAD_MESSAGE_SIZE + 1], line[ACCOUNT_HEAD_SIZE];
	uint8_t store[ACCOUNT_ID_SIZE];

	for (int i = 0; i < ACCOUNT_ID_SIZE; i++) {
		store[i] = i;
		entry.boot_id[i] = 0xf0 + i;
	}
	memset(entry.previous, 0xaa, sizeof(entry.previous));
	CHECK_EQUAL(strlen(entry.body), entry.body_size);
	CHECK_EQUAL(account_entry_hash(store, &entry, hash), 0);
	CHECK_TEXT(account_hex(hash, sizeof(hash), text), "38d4e05135c0ad236150143af0df71ba5d27461a61ed912567448537b1a85043");
	entry.kernel = true;
	entry.kernel_seq = 99;
	entry.kernel_missed = 3;
	CHECK_EQUAL(account_entry_hash(store, &entry, hash), 0);
	CHECK_TEXT(account_hex(hash, sizeof(hash), text), "a2d665912ca08c11a37b17bb7c26b7141818cad76a3bebcf08beee6117e952ed");

	memcpy(head.store, store, sizeof(store));
	memcpy(head.hash, hash, sizeof(hash));
	memset(head.signature, 0x55, sizeof(head.signature));
	CHECK_TEXT(account_hex(message, account_head_message(&head, message), text),
		   "0000001e747275737467617465206163636f756e7420636865636b706f696e74203100000010"
		   "000102030405060708090a0b0c0d0e0f00000008000000000000000700000020a2d665912ca0"
		   "8c11a37b17bb7c26b7141818cad76a3bebcf08beee6117e952ed0000000817979cfe3d85cd15");
	account_head_format(&head, line);
	CHECK_EQUAL(account_head_parse(line, &again), 0);
	CHECK(!memcmp(&head, &again, sizeof(head)));
	strcat(line, "\n");
	CHECK_EQUAL(account_head_parse(line, &again), 0);
	strcat(line, "0");
	CHECK_EQUAL(account_head_parse(line, &again), -EINVAL);
	for (size_t i = 0; i < strlen(line) - 2; i++) {
		char cut[ACCOUNT_HEAD_SIZE];

		snprintf(cut, sizeof(cut), "%.*s", (int)i, line);
		if (account_head_parse(cut, &again) == 0)
			CHECK(!"a head that is cut off is none");
	}
}

static void test_body(void)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "{}", 0 },
		{ "{\"a\":1,\"b\":[true,false,null,-1,0,\"x\"],\"c\":{}}", 0 },
		{ "{\"a\":9007199254740991}", 0 },
		{ "{\"a\":\"\\n\\u0000\\u001f\\\"\\\\\xc3\xa4\xf0\x9f\x98\x80\"}", 0 },
		{ "{\"\\u0001\":1,\"\\t\":2,\" \":3}", 0 },
		{ "{\"\\t\":1,\"\\u0001\":2}", -EINVAL },
		{ "{\"a\":9007199254740992}", -EINVAL },
		{ "{\"a\":99999999999999999999999}", -EINVAL },
		{ "{\"a\":01}", -EINVAL },
		{ "{\"a\":-0}", -EINVAL },
		{ "{\"a\":1.5}", -EINVAL },
		{ "{\"a\":1e5}", -EINVAL },
		{ "{\"b\":1,\"a\":2}", -EINVAL },
		{ "{\"a\":1,\"a\":2}", -EINVAL },
		{ "{\"a\": 1}", -EINVAL },
		{ "{\"a\":1,}", -EINVAL },
		{ "{\"a\":\"\\u000a\"}", -EINVAL },
		{ "{\"a\":\"\\u001F\"}", -EINVAL },
		{ "{\"a\":\"\\u0041\"}", -EINVAL },
		{ "{\"a\":\"\\/\"}", -EINVAL },
		{ "{\"a\":\"\n\"}", -EINVAL },
		{ "{\"a\":\"\xc0\x80\"}", -EINVAL },
		{ "{\"a\":\"\xed\xa0\x80\"}", -EINVAL },
		{ "{\"a\":\"\xc3\"}", -EINVAL },
		{ "{\"a\":\"", -EINVAL },
		{ "{\"a\":\"\\", -EINVAL },
		{ "{\"a\":\"\\u00", -EINVAL },
		{ "{\"a\"", -EINVAL },
		{ "{", -EINVAL },
		{ "", -EINVAL },
		{ "[]", -EINVAL },
		{ "{}\n", -EINVAL },
		{ "{\"a\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}", -EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		printf("# body %zu\n", i);
		CHECK_EQUAL(account_body_check(cases[i].text, strlen(cases[i].text)),
			    cases[i].result);
	}
	CHECK_EQUAL(account_body_check("{}", ACCOUNT_BODY_MAX + 1), -E2BIG);
	CHECK_EQUAL(account_kind_check("grant-added"), 0);
	CHECK_EQUAL(account_kind_check("Grant"), -EINVAL);
	CHECK_EQUAL(account_kind_check(""), -EINVAL);
}

int main(void)
{
	test_vectors();
	test_body();
	return check_end();
}
