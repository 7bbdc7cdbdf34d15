// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - names of enum values; see names.h.
 */

#include <kunit/visibility.h>
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <uapi/linux/trustgate.h>

#include "names.h"

static const char * const causes[] = {
	[TRUSTGATE_CAUSE_GRANTED] = "granted",
	[TRUSTGATE_CAUSE_NO_GRANT] = "no-grant",
	[TRUSTGATE_CAUSE_WRONG_ACCESS] = "wrong-access",
	[TRUSTGATE_CAUSE_NOT_YET] = "not-yet",
	[TRUSTGATE_CAUSE_EXPIRED] = "expired",
	[TRUSTGATE_CAUSE_USED_UP] = "used-up",
	[TRUSTGATE_CAUSE_EXEC_CHANGED] = "exec-changed",
	[TRUSTGATE_CAUSE_KERNEL_THREAD] = "kernel-thread",
	[TRUSTGATE_CAUSE_UNREACHABLE] = "unreachable",
	[TRUSTGATE_CAUSE_SUSPENDED] = "suspended",
	[TRUSTGATE_CAUSE_FORBIDDEN] = "forbidden",
	[TRUSTGATE_CAUSE_TRACED] = "traced",
	[TRUSTGATE_CAUSE_MEMORY] = "memory",
	[TRUSTGATE_CAUSE_ASKED] = "asked",
	[TRUSTGATE_CAUSE_REFUSED] = "refused",
	[TRUSTGATE_CAUSE_UNANSWERED] = "unanswered",
	[TRUSTGATE_CAUSE_CROWDED] = "crowded",
	[TRUSTGATE_CAUSE_POLLED] = "polled",
	[TRUSTGATE_CAUSE_UNSUPERVISED] = "unsupervised",
	[TRUSTGATE_CAUSE_UNRECORDED] = "unrecorded",
};

static_assert(ARRAY_SIZE(causes) == TRUSTGATE_CAUSE_UNRECORDED + 1);

static const char * const accesses[] = {
	"read", "write", "exec", "names", "meta",
};

static_assert(1 << (ARRAY_SIZE(accesses) - 1) == TRUSTGATE_ACCESS_META);

const char *trustgate_cause_name(u32 cause)
{
	return cause < ARRAY_SIZE(causes) ? causes[cause] : "unknown";
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_cause_name);

struct trustgate_access_text trustgate_access_names(u32 access)
{
	struct trustgate_access_text names = { "none" };
	size_t length = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		if (!(access >> i & 1))
			continue;
		length += scnprintf(names.text + length,
				    sizeof(names.text) - length, "%s%s",
				    length ? "," : "", accesses[i]);
	}
	return names;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_access_names);
