// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - values as people read them.
 *
 * Owns: text for times, durations, sizes and strings from elsewhere.
 *
 * Must not own: where the values come from or go to.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format.h"
#include "trustgate.h"

#define NSEC_PER_SEC UINT64_C(1000000000)

/*
 * The character at @text, its length in bytes; 0 if the bytes are no UTF-8
 * (overlong forms, surrogates and what is beyond Unicode included).
 */
static size_t utf8_character(const unsigned char *text, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t character;
	size_t length;

	if (text[0] < 0x80) {
		*ret = text[0];
		return 1;
	}
	if ((text[0] & 0xe0) == 0xc0) {
		length = 2;
		character = text[0] & 0x1f;
	} else if ((text[0] & 0xf0) == 0xe0) {
		length = 3;
		character = text[0] & 0x0f;
	} else if ((text[0] & 0xf8) == 0xf0) {
		length = 4;
		character = text[0] & 0x07;
	} else {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < smallest[length] || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret = character;
	return length;
}

/* Characters that a terminal acts on, or that make text look like another. */
static bool is_deceptive(uint32_t character)
{
	return (character >= 0x80 && character < 0xa0) || character == 0xad ||
	       character == 0x61c || (character >= 0x200b && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2060 && character <= 0x2069) || character == 0xfeff;
}

char *escape_text(const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	size_t length = strlen(text);
	char *escaped = malloc(length * 4 + 1);
	char *to = escaped;

	if (!escaped)
		return NULL;
	while (*from) {
		uint32_t character = 0;
		size_t bytes = utf8_character(from, &character);

		if (!bytes || (bytes == 1 && (character < 0x20 || character == 0x7f))) {
			to += sprintf(to, "\\x%02x", *from);
			from++;
		} else if (character == '\\') {
			to += sprintf(to, "\\\\");
			from++;
		} else if (is_deceptive(character)) {
			to += sprintf(to, "\\u%04x", character);
			from += bytes;
		} else {
			memcpy(to, from, bytes);
			to += bytes;
			from += bytes;
		}
	}
	*to = '\0';
	return escaped;
}

char *format_left(uint64_t duration_ns, char buffer[FORMAT_TIME_SIZE])
{
	char whole[TRUSTGATE_DURATION_SIZE];
	size_t length = 0;

	/* Below a second the digits flicker, above they hide the point. */
	if (duration_ns >= NSEC_PER_SEC)
		duration_ns -= duration_ns % NSEC_PER_SEC;
	else if (duration_ns >= 1000000)
		duration_ns -= duration_ns % 1000000;
	trustgate_duration_format(duration_ns, whole);
	for (int unit = 0; unit < 2 && whole[length]; unit++) {
		length += strspn(whole + length, "0123456789");
		length += strcspn(whole + length, "0123456789");
	}
	snprintf(buffer, FORMAT_TIME_SIZE, "%.*s", (int)length, whole);
	return buffer;
}

/* The time of the day is enough on the same day. */
static void format_clock(uint64_t realtime_ns, uint64_t now_realtime_ns,
			 char buffer[FORMAT_TIME_SIZE])
{
	time_t seconds = realtime_ns / NSEC_PER_SEC, now = now_realtime_ns / NSEC_PER_SEC;
	struct tm tm = { 0 }, today = { 0 };
	bool same = localtime_r(&seconds, &tm) && localtime_r(&now, &today) &&
		    tm.tm_year == today.tm_year && tm.tm_yday == today.tm_yday;

	if (!strftime(buffer, FORMAT_TIME_SIZE, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm))
		buffer[0] = '\0';
}

static void format_absolute(uint64_t realtime_ns, char buffer[FORMAT_TIME_SIZE])
{
	time_t seconds = realtime_ns / NSEC_PER_SEC;
	struct tm tm;

	if (!localtime_r(&seconds, &tm) ||
	    !strftime(buffer, FORMAT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buffer, FORMAT_TIME_SIZE, "@%llu", (unsigned long long)seconds);
}

char *format_time(uint64_t boottime_ns, uint64_t now_boottime_ns, uint64_t now_realtime_ns,
		  enum time_mode mode, char buffer[FORMAT_TIME_SIZE])
{
	char left[FORMAT_TIME_SIZE];
	char clock[FORMAT_TIME_SIZE];
	bool past = boottime_ns <= now_boottime_ns;
	uint64_t distance = past ? now_boottime_ns - boottime_ns : boottime_ns - now_boottime_ns;
	uint64_t realtime_ns;

	if (past)
		realtime_ns = distance > now_realtime_ns ? 0 : now_realtime_ns - distance;
	else if (__builtin_add_overflow(now_realtime_ns, distance, &realtime_ns))
		realtime_ns = UINT64_MAX;
	switch (mode) {
	case TIME_BOOTTIME:
		snprintf(buffer, FORMAT_TIME_SIZE, "%llu.%03llu",
			 (unsigned long long)(boottime_ns / NSEC_PER_SEC),
			 (unsigned long long)(boottime_ns % NSEC_PER_SEC / 1000000));
		break;
	case TIME_ABSOLUTE:
		format_absolute(realtime_ns, buffer);
		break;
	case TIME_DEFAULT:
	case TIME_BOTH:
		format_left(distance, left);
		format_clock(realtime_ns, now_realtime_ns, clock);
		if (!distance)
			snprintf(buffer, FORMAT_TIME_SIZE, "now (%.20s)", clock);
		else
			snprintf(buffer, FORMAT_TIME_SIZE, past ? "%.20s ago (%.20s)" :
				 "in %.20s (%.20s)", left, clock);
		break;
	case TIME_RELATIVE:
		format_left(distance, left);
		if (!distance)
			snprintf(buffer, FORMAT_TIME_SIZE, "now");
		else
			snprintf(buffer, FORMAT_TIME_SIZE, past ? "%.40s ago" : "in %.40s", left);
		break;
	}
	return buffer;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

uint64_t boottime_now_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

char *format_time_now(uint64_t boottime_ns, enum time_mode mode,
		      char buffer[FORMAT_TIME_SIZE])
{
	return format_time(boottime_ns, boottime_now_ns(), clock_ns(CLOCK_REALTIME), mode, buffer);
}

char *format_bytes(uint64_t bytes, char buffer[FORMAT_TIME_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double amount = bytes;
	size_t unit = 0;

	for (; amount >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1; unit++)
		amount /= 1024;
	snprintf(buffer, FORMAT_TIME_SIZE, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
	return buffer;
}
