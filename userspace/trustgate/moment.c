// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - moments as people write them, see moment.h.
 *
 * Owns: the forms of a moment.
 *
 * Must not own: how moments are shown (format.c).
 */
#include <string.h>
#include <time.h>

#include "cli.h"
#include "moment.h"

#define NSEC_PER_SEC	UINT64_C(1000000000)

uint64_t realtime_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

int parse_moment(const char *what, const char *text, bool future, uint64_t *ret_realtime_ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d" };
	uint64_t distance_ns, now_ns = realtime_now_ns();

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm moment = { 0 };
		const char *end = strptime(text, forms[i], &moment);
		time_t seconds;

		if (!end || *end)
			continue;
		seconds = timegm(&moment);
		if (seconds < 0 || (uint64_t)seconds > MOMENT_MAX_NS / NSEC_PER_SEC)
			return usage_error("%s: the time is out of range", what);
		*ret_realtime_ns = (uint64_t)seconds * NSEC_PER_SEC;
		return 0;
	}
	if (strchr(text, '-'))
		return usage_error("%s is a duration as 2h, or a time of UTC as 2026-11-24T03:00:00Z or 2026-11-24",
				   what);
	if (parse_duration(what, text, &distance_ns))
		return EXIT_USAGE;
	if (!future)
		*ret_realtime_ns = now_ns - (distance_ns < now_ns ? distance_ns : now_ns);
	else if (__builtin_add_overflow(now_ns, distance_ns, ret_realtime_ns))
		return usage_error("%s: the time is out of range", what);
	return 0;
}
