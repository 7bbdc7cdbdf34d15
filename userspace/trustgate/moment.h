/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - moments as people write them.
 */
#ifndef _TRUSTGATE_MOMENT_H
#define _TRUSTGATE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers beyond that are not kept exactly by every reader of JSON. */
#define MOMENT_MAX_NS	(UINT64_C(9000000) * 1000000000000)

/* CLOCK_REALTIME now. */
uint64_t realtime_now_ns(void);

/**
 * parse_moment() - read a moment
 * @what: the option, for the complaint: "--since"
 * @text: a moment of UTC, 2026-11-24T03:00:00Z or 2026-11-24, or a duration,
 *	which is so long ago, or so long from now on
 * @future: which of these
 * @ret_realtime_ns: CLOCK_REALTIME
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int parse_moment(const char *what, const char *text, bool future, uint64_t *ret_realtime_ns);

#endif /* _TRUSTGATE_MOMENT_H */
