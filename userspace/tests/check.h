/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks for the unit tests.
 *
 * Owns: counting and reporting of checks in the form of TAP.
 *
 * Must not own: anything that is tested.
 */
#ifndef _TRUSTGATE_CHECK_H
#define _TRUSTGATE_CHECK_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned int check_count;
static unsigned int check_failed;

__attribute__((format(printf, 4, 5)))
static inline bool check_report(bool good, const char *file, int line, const char *format, ...)
{
	va_list args;

	check_count++;
	check_failed += !good;
	printf("%sok %u - ", good ? "" : "not ", check_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (!good)
		printf(" (%s:%d)", file, line);
	putchar('\n');
	return good;
}

#define CHECK(condition) \
	check_report((condition), __FILE__, __LINE__, "%s", #condition)

#define CHECK_EQUAL(actual, expected) ({ \
	uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected); \
	check_report(actual_ == expected_, __FILE__, __LINE__, \
		     "%s is %" PRId64 ", expected %" PRId64, #actual, (int64_t)actual_, \
		     (int64_t)expected_); \
})

#define CHECK_TEXT(actual, expected) ({ \
	const char *actual_ = (actual), *expected_ = (expected); \
	check_report(actual_ && !strcmp(actual_, expected_), __FILE__, __LINE__, \
		     "%s is \"%s\", expected \"%s\"", #actual, actual_ ? actual_ : "(null)", expected_); \
})

#define CHECK_HOLDS(actual, part) ({ \
	const char *actual_ = (actual), *part_ = (part); \
	check_report(actual_ && strstr(actual_, part_), __FILE__, __LINE__, \
		     "%s is \"%s\", expected to hold \"%s\"", #actual, actual_ ? actual_ : "(null)", part_); \
})

/* A test that checked nothing did not pass. */
static inline int check_end(void)
{
	printf("1..%u\n", check_count);
	return check_failed || !check_count;
}

#endif /* _TRUSTGATE_CHECK_H */
