/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - values as people read them.
 *
 * Owns: text for times, durations, sizes and strings from elsewhere.
 *
 * Must not own: where the values come from or go to.
 */
#ifndef _TRUSTGATE_FORMAT_H
#define _TRUSTGATE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "cli.h"

#define FORMAT_TIME_SIZE 48

/**
 * escape_text() - make a string from elsewhere safe for a terminal
 * @text: any bytes
 *
 * Control characters, bytes that are no UTF-8, and characters that change the
 * direction of writing become \xNN or \uNNNN, a backslash is doubled.
 *
 * Return: text to be freed, NULL without memory.
 */
char *escape_text(const char *text);

/**
 * format_left() - a duration in its two most significant units
 * @duration_ns: any
 * @buffer: receives "14m32s", "350ms" or "0s"
 *
 * Return: @buffer.
 */
char *format_left(uint64_t duration_ns, char buffer[FORMAT_TIME_SIZE]);

/**
 * format_time() - a point in time
 * @boottime_ns: CLOCK_BOOTTIME
 * @now_boottime_ns: now, by the same clock
 * @now_realtime_ns: now, by CLOCK_REALTIME
 * @mode: "in 14m32s" or "3m5s ago"; "2026-11-23 05:40:12" in local time; both,
 *	"in 14m32s (05:40:12)", with the date if it is another day's, which is the
 *	default; or "1234.567"
 * @buffer: receives the text
 *
 * Return: @buffer.
 */
char *format_time(uint64_t boottime_ns, uint64_t now_boottime_ns, uint64_t now_realtime_ns,
		  enum time_mode mode, char buffer[FORMAT_TIME_SIZE]);

/**
 * format_time_now() - the same, compared with the clocks
 * @boottime_ns: CLOCK_BOOTTIME
 * @mode: see format_time()
 * @buffer: receives the text
 *
 * Return: @buffer.
 */
char *format_time_now(uint64_t boottime_ns, enum time_mode mode,
		      char buffer[FORMAT_TIME_SIZE]);

/**
 * format_bytes() - an amount of memory
 * @bytes: any
 * @buffer: receives "512.0 MiB"
 *
 * Return: @buffer.
 */
char *format_bytes(uint64_t bytes, char buffer[FORMAT_TIME_SIZE]);

/* CLOCK_BOOTTIME now. */
uint64_t boottime_now_ns(void);

#endif /* _TRUSTGATE_FORMAT_H */
