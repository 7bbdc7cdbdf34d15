// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times, sizes and strings as people read them.
 *
 * Owns: checks of the command line's format.c.
 *
 * Must not own: the command line as a whole (cli_test.py).
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"
#include "format.h"

#define SEC UINT64_C(1000000000)

#define CHECK_ESCAPED(text, expected) ({ \
	char *escaped_ = escape_text(text); \
	CHECK_TEXT(escaped_, expected); \
	free(escaped_); \
})

static void test_escape(void)
{
	CHECK_ESCAPED("", "");
	CHECK_ESCAPED("db/main.sqlite", "db/main.sqlite");
	CHECK_ESCAPED("a b", "a b");
	CHECK_ESCAPED("M\303\274ller \342\202\254 \360\237\220\247",
		      "M\303\274ller \342\202\254 \360\237\220\247");
	CHECK_ESCAPED("\033[31mred\a", "\\x1b[31mred\\x07");
	CHECK_ESCAPED("two\nlines\r\t\177", "two\\x0alines\\x0d\\x09\\x7f");
	CHECK_ESCAPED("back\\x0aslash", "back\\\\x0aslash");
	/* C1 controls, as UTF-8 and as a byte. */
	CHECK_ESCAPED("\302\233", "\\u009b");
	CHECK_ESCAPED("\233", "\\x9b");
	/* Direction and zero width. */
	CHECK_ESCAPED("a\342\200\256b", "a\\u202eb");
	CHECK_ESCAPED("a\342\201\247b", "a\\u2067b");
	CHECK_ESCAPED("a\342\200\213b", "a\\u200bb");
	CHECK_ESCAPED("\357\273\277", "\\ufeff");
	/* Not UTF-8: alone, cut short, overlong, surrogate, too large. */
	CHECK_ESCAPED("\377\376", "\\xff\\xfe");
	CHECK_ESCAPED("\342\202", "\\xe2\\x82");
	CHECK_ESCAPED("\303", "\\xc3");
	CHECK_ESCAPED("\300\257", "\\xc0\\xaf");
	CHECK_ESCAPED("\340\200\257", "\\xe0\\x80\\xaf");
	CHECK_ESCAPED("\355\240\200", "\\xed\\xa0\\x80");
	CHECK_ESCAPED("\364\220\200\200", "\\xf4\\x90\\x80\\x80");
}

static void test_left(void)
{
	char buffer[FORMAT_TIME_SIZE];

	CHECK_TEXT(format_left(0, buffer), "0s");
	CHECK_TEXT(format_left(1, buffer), "1ns");
	CHECK_TEXT(format_left(350 * SEC / 1000 + 17, buffer), "350ms");
	CHECK_TEXT(format_left(872 * SEC + 5, buffer), "14m32s");
	CHECK_TEXT(format_left(3600 * SEC, buffer), "1h");
	CHECK_TEXT(format_left(93784 * SEC, buffer), "1d2h");
	CHECK_TEXT(format_left(UINT64_MAX, buffer), "213503d23h");
}

static void test_time(void)
{
	char buffer[FORMAT_TIME_SIZE];
	/* 2026-11-23 05:00:00 UTC, an hour after boot. */
	uint64_t realtime = UINT64_C(1795410000) * SEC;
	uint64_t boottime = 3600 * SEC;

	setenv("TZ", "UTC", 1);
	tzset();
	CHECK_TEXT(format_time(boottime + 872 * SEC, boottime, realtime, TIME_RELATIVE, buffer),
		   "in 14m32s");
	CHECK_TEXT(format_time(boottime - 185 * SEC, boottime, realtime, TIME_RELATIVE, buffer),
		   "3m5s ago");
	CHECK_TEXT(format_time(boottime, boottime, realtime, TIME_RELATIVE, buffer), "now");
	CHECK_TEXT(format_time(boottime, boottime, realtime, TIME_ABSOLUTE, buffer),
		   "2026-11-23 05:00:00");
	CHECK_TEXT(format_time(boottime + 60 * SEC, boottime, realtime, TIME_ABSOLUTE, buffer),
		   "2026-11-23 05:01:00");
	CHECK_TEXT(format_time(boottime - 60 * SEC, boottime, realtime, TIME_ABSOLUTE, buffer),
		   "2026-11-23 04:59:00");
	CHECK_TEXT(format_time(boottime + SEC / 2, boottime, realtime, TIME_BOOTTIME, buffer),
		   "3600.500");
	CHECK_TEXT(format_time(boottime + 872 * SEC, boottime, realtime, TIME_BOTH, buffer),
		   "in 14m32s (05:14:32)");
	CHECK_TEXT(format_time(boottime - 185 * SEC, boottime, realtime, TIME_DEFAULT, buffer),
		   "3m5s ago (04:56:55)");
	CHECK_TEXT(format_time(boottime, boottime, realtime, TIME_BOTH, buffer), "now (05:00:00)");
	CHECK_TEXT(format_time(boottime + 86400 * SEC, boottime, realtime, TIME_BOTH, buffer),
		   "in 1d (2026-11-24 05:00:00)");
	/* Beyond every end. */
	CHECK_TEXT(format_time(UINT64_MAX, 0, realtime, TIME_ABSOLUTE, buffer),
		   "2554-07-21 23:34:33");
	CHECK_TEXT(format_time(0, UINT64_MAX, realtime, TIME_ABSOLUTE, buffer),
		   "1970-01-01 00:00:00");
	CHECK_TEXT(format_time(UINT64_MAX, 0, 0, TIME_RELATIVE, buffer), "in 213503d23h");
	CHECK_TEXT(format_time(UINT64_MAX, 0, realtime, TIME_BOTH, buffer),
		   "in 213503d23h (2554-07-21 23:34:33)");
	CHECK_TEXT(format_time(UINT64_MAX, 0, 0, TIME_BOOTTIME, buffer), "18446744073.709");
	CHECK(boottime_now_ns() > 0);
}

static void test_bytes(void)
{
	char buffer[FORMAT_TIME_SIZE];

	CHECK_TEXT(format_bytes(0, buffer), "0 B");
	CHECK_TEXT(format_bytes(1023, buffer), "1023 B");
	CHECK_TEXT(format_bytes(1024, buffer), "1.0 KiB");
	CHECK_TEXT(format_bytes(512 * 1024 * 1024, buffer), "512.0 MiB");
	CHECK_TEXT(format_bytes(UINT64_MAX, buffer), "16.0 EiB");
}

int main(void)
{
	test_escape();
	test_left();
	test_time();
	test_bytes();
	return check_end();
}
