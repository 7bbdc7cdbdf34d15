// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses, durations and names as text.
 *
 * Owns: checks of libtrustgate's text.c and names.c.
 *
 * Must not own: the comparison of names with the specification (names_test.py).
 */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "trustgate.h"

#define R TRUSTGATE_ACCESS_READ
#define W TRUSTGATE_ACCESS_WRITE
#define X TRUSTGATE_ACCESS_EXEC
#define N TRUSTGATE_ACCESS_NAMES
#define M TRUSTGATE_ACCESS_META

static void test_access(void)
{
	static const struct {
		const char *text;
		int result;
		uint32_t exact;
		uint32_t on_directory;
	} cases[] = {
		{ "r", 0, R, R },
		{ "rw", 0, R | W, R | W | N },
		{ "wr", 0, R | W, R | W | N },
		{ "rwxnm", 0, R | W | X | N | M, R | W | X | N | M },
		{ "read,write", 0, R | W, R | W },
		{ "read,w", 0, R | W, R | W | N },
		{ "r,names", 0, R | N, R | N },
		{ "meta", 0, M, M },
		{ "m", 0, M, M },
		{ "exec,read,write,names,meta", 0, R | W | X | N | M, R | W | X | N | M },
		{ "rr", 0, R, R },
		{ "", -EINVAL, 0, 0 },
		{ ",", -EINVAL, 0, 0 },
		{ "r,", -EINVAL, 0, 0 },
		{ ",r", -EINVAL, 0, 0 },
		{ "r,,w", -EINVAL, 0, 0 },
		{ "R", -EINVAL, 0, 0 },
		{ "reads", -EINVAL, 0, 0 },
		{ "read write", -EINVAL, 0, 0 },
		{ "rwz", -EINVAL, 0, 0 },
		{ "write,readreadreadreadreadread", -EINVAL, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trustgate_access_spec spec = { 0 };
		char error[256] = "";

		printf("# access \"%s\"\n", cases[i].text);
		CHECK_EQUAL(trustgate_access_parse(cases[i].text, &spec, error, sizeof(error)),
			    cases[i].result);
		CHECK_EQUAL(spec.exact, cases[i].exact);
		CHECK_EQUAL(spec.on_directory, cases[i].on_directory);
		CHECK(!cases[i].result == !error[0]);
	}
}

static void test_access_errors(void)
{
	struct trustgate_access_spec spec;
	char error[256];
	char small[8];

	trustgate_access_parse("rq", &spec, error, sizeof(error));
	CHECK_HOLDS(error, "\"rq\"");
	CHECK_HOLDS(error, "read, write, exec, names, meta");
	trustgate_access_parse("\033[31m,r", &spec, error, sizeof(error));
	CHECK_HOLDS(error, "\"?[31m\"");
	CHECK_EQUAL(trustgate_access_parse("q", &spec, small, sizeof(small)), -EINVAL);
	CHECK_EQUAL(strlen(small), sizeof(small) - 1);
	CHECK_EQUAL(trustgate_access_parse("q", &spec, NULL, 0), -EINVAL);
}

static void test_letters(void)
{
	char buffer[6];

	CHECK_TEXT(trustgate_access_letters(0, buffer), "-----");
	CHECK_TEXT(trustgate_access_letters(R | W, buffer), "rw---");
	CHECK_TEXT(trustgate_access_letters(R | W | X | N | M, buffer), "rwxnm");
	CHECK_TEXT(trustgate_access_letters(~0u, buffer), "rwxnm");
}

#define SEC UINT64_C(1000000000)

static void test_duration(void)
{
	static const struct {
		const char *text;
		int result;
		uint64_t ns;
		const char *error;
	} cases[] = {
		{ "15m", 0, 900 * SEC, NULL },
		{ "1h30m", 0, 5400 * SEC, NULL },
		{ "20s", 0, 20 * SEC, NULL },
		{ "1d2h3m4s5ms6us7ns", 0, 93784 * SEC + 5006007, NULL },
		{ "500ms", 0, SEC / 2, NULL },
		{ "0s", 0, 0, NULL },
		{ "007s", 0, 7 * SEC, NULL },
		{ "90m", 0, 5400 * SEC, NULL },
		{ "18446744073709551615ns", 0, UINT64_MAX, NULL },
		{ "213503d23h34m33s709ms551us615ns", 0, UINT64_MAX, NULL },
		{ "", -EINVAL, 0, "empty" },
		{ "15", -EINVAL, 0, "without a unit" },
		{ "1h30", -EINVAL, 0, "without a unit" },
		{ "m", -EINVAL, 0, "no whole number" },
		{ "-5m", -EINVAL, 0, "no whole number" },
		{ "+5m", -EINVAL, 0, "no whole number" },
		{ "1.5h", -EINVAL, 0, "without a unit" },
		{ " 5m", -EINVAL, 0, "no whole number" },
		{ "5m ", -EINVAL, 0, "no whole number" },
		{ "5 m", -EINVAL, 0, "without a unit" },
		{ "5min", -EINVAL, 0, "\"min\" is not a unit" },
		{ "5M", -EINVAL, 0, "\"M\" is not a unit" },
		{ "5m1h", -EINVAL, 0, "out of order" },
		{ "5m5m", -EINVAL, 0, "out of order" },
		{ "18446744073709551616ns", -ERANGE, 0, "too long" },
		{ "99999999999999999999999999d", -ERANGE, 0, "too long" },
		{ "213504d", -ERANGE, 0, "too long" },
		{ "213503d24h", -ERANGE, 0, "too long" },
		{ "5\033m", -EINVAL, 0, "without a unit" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char error[256] = "";
		uint64_t ns = 0;

		printf("# duration \"%zu\"\n", i);
		CHECK_EQUAL(trustgate_duration_parse(cases[i].text, &ns, error, sizeof(error)),
			    cases[i].result);
		CHECK_EQUAL(ns, cases[i].ns);
		if (cases[i].error)
			CHECK_HOLDS(error, cases[i].error);
		else
			CHECK_TEXT(error, "");
		CHECK(!strchr(error, '\033'));
	}
}

/* What was written can be read again, whatever the number. */
static void test_duration_round_trip(void)
{
	unsigned int wrong = 0;
	char buffer[TRUSTGATE_DURATION_SIZE];

	srandom(4711);
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t ns = ((uint64_t)random() << 33 ^ (uint64_t)random()) >> (random() % 64);
		uint64_t again = ~ns;

		trustgate_duration_format(ns, buffer);
		wrong += trustgate_duration_parse(buffer, &again, NULL, 0) || again != ns;
	}
	CHECK_EQUAL(wrong, 0);
	CHECK_TEXT(trustgate_duration_format(0, buffer), "0s");
	CHECK_TEXT(trustgate_duration_format(UINT64_MAX, buffer),
		   "213503d23h34m33s709ms551us615ns");
	CHECK_TEXT(trustgate_duration_format(5400 * SEC, buffer), "1h30m");
}

static void test_names(void)
{
	uint32_t value;
	char buffer[32];

	CHECK_TEXT(trustgate_name(TRUSTGATE_NAMES_CAUSE, TRUSTGATE_CAUSE_NO_GRANT), "no-grant");
	CHECK_TEXT(trustgate_cause_name(0), "granted");
	CHECK(!trustgate_name(TRUSTGATE_NAMES_CAUSE,
			      TRUSTGATE_CAUSE_UNRECORDED + 1));
	CHECK(!trustgate_name(TRUSTGATE_NAMES_CAUSE, UINT32_MAX));
	CHECK(!trustgate_name(_TRUSTGATE_NAMES_MAX, 0));
	CHECK(!trustgate_name((enum trustgate_names)-1, 0));
	CHECK_TEXT(trustgate_name(TRUSTGATE_NAMES_ACCESS, W), "write");
	CHECK(!trustgate_name(TRUSTGATE_NAMES_ACCESS, R | W));
	CHECK(!trustgate_name(TRUSTGATE_NAMES_ACCESS, 0));
	CHECK(!trustgate_name(TRUSTGATE_NAMES_ACCESS, 0x80000000));
	CHECK_EQUAL(trustgate_value(TRUSTGATE_NAMES_ACCESS, "names", &value), 0);
	CHECK_EQUAL(value, N);
	CHECK_EQUAL(trustgate_value(TRUSTGATE_NAMES_ACCESS, "name", &value), -EINVAL);
	CHECK_EQUAL(trustgate_value(TRUSTGATE_NAMES_ACCESS, NULL, &value), -EINVAL);
	CHECK_EQUAL(trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, R | N, ",", buffer,
					  sizeof(buffer)), 10);
	CHECK_TEXT(buffer, "read,names");
	CHECK_EQUAL(trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, R | 0x100, " ", buffer,
					  sizeof(buffer)), 10);
	CHECK_TEXT(buffer, "read 0x100");
	CHECK_EQUAL(trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, R | N, ",", buffer, 3), 10);
	CHECK_TEXT(buffer, "re");
	CHECK_EQUAL(trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, R | N, ",", NULL, 0), 10);
	CHECK_EQUAL(trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, 0, ",", buffer, sizeof(buffer)), 0);
	CHECK_TEXT(buffer, "");
	CHECK_EQUAL(trustgate_mask_format(TRUSTGATE_NAMES_CAUSE, 1, ",", buffer, sizeof(buffer)),
		    -EINVAL);
	CHECK(!trustgate_name_at(TRUSTGATE_NAMES_REASON, 9));
	CHECK_TEXT(trustgate_name_at(TRUSTGATE_NAMES_REASON, 8), "customer-self");
}

int main(void)
{
	test_access();
	test_access_errors();
	test_letters();
	test_duration();
	test_duration_round_trip();
	test_names();
	return check_end();
}
