// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Names of the values of the ABI.
 *
 * Owns: the one table of names; a test compares it with the specification.
 *
 * Must not own: anything that looks at a message.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "trustgate.h"

#define BIT_OF(flag) __builtin_ctz(flag)

static const char *const gate_state[] = {
	[TRUSTGATE_GATE_STATE_IDLE] = "idle",
	[TRUSTGATE_GATE_STATE_ARMED] = "armed",
	[TRUSTGATE_GATE_STATE_BROKEN] = "broken",
};

static const char *const access_bits[] = {
	[BIT_OF(TRUSTGATE_ACCESS_READ)] = "read",
	[BIT_OF(TRUSTGATE_ACCESS_WRITE)] = "write",
	[BIT_OF(TRUSTGATE_ACCESS_EXEC)] = "exec",
	[BIT_OF(TRUSTGATE_ACCESS_NAMES)] = "names",
	[BIT_OF(TRUSTGATE_ACCESS_META)] = "meta",
};

static const char *const cause[] = {
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

static const char *const reason[] = {
	[TRUSTGATE_REASON_UNSPECIFIED] = "unspecified",
	[TRUSTGATE_REASON_CUSTOMER_TICKET] = "customer-ticket",
	[TRUSTGATE_REASON_MAINTENANCE] = "maintenance",
	[TRUSTGATE_REASON_INCIDENT] = "incident",
	[TRUSTGATE_REASON_SECURITY_REVIEW] = "security-review",
	[TRUSTGATE_REASON_LEGAL_ORDER] = "legal-order",
	[TRUSTGATE_REASON_EMERGENCY] = "emergency",
	[TRUSTGATE_REASON_AUTOMATION] = "automation",
	[TRUSTGATE_REASON_CUSTOMER_SELF] = "customer-self",
};

static const char *const end[] = {
	[TRUSTGATE_END_NONE] = "none",
	[TRUSTGATE_END_EXPIRED] = "expired",
	[TRUSTGATE_END_REVOKED] = "revoked",
	[TRUSTGATE_END_SUBJECT_EXEC] = "subject-exec",
	[TRUSTGATE_END_SUBJECT_EXIT] = "subject-exit",
	[TRUSTGATE_END_AGENT_LOST] = "agent-lost",
	[TRUSTGATE_END_VOLUME_REMOVED] = "volume-removed",
};

static const char *const on_agent_loss[] = {
	[TRUSTGATE_ON_AGENT_LOSS_HOLD] = "hold",
	[TRUSTGATE_ON_AGENT_LOSS_REVOKE] = "revoke",
};

static const char *const record_bits[] = {
	[BIT_OF(TRUSTGATE_RECORD_ALLOWED)] = "allowed",
};

static const char *const audit[] = {
	[TRUSTGATE_AUDIT_NORMAL] = "normal",
	[TRUSTGATE_AUDIT_STRICT] = "strict",
};

static const char *const metadata[] = {
	[TRUSTGATE_METADATA_OPEN] = "open",
	[TRUSTGATE_METADATA_HIDDEN] = "hidden",
};

static const char *const on_end[] = {
	[TRUSTGATE_ON_END_DENY_IO] = "deny-io",
	[TRUSTGATE_ON_END_UNMAP] = "unmap",
	[TRUSTGATE_ON_END_KILL] = "kill",
};

static const char *const grant_flag_bits[] = {
	[BIT_OF(TRUSTGATE_GRANT_FLAGS_DESCENDANTS)] = "descendants",
	[BIT_OF(TRUSTGATE_GRANT_FLAGS_KEEP_EXEC)] = "keep-exec",
	[BIT_OF(TRUSTGATE_GRANT_FLAGS_NEXT_EXEC)] = "next-exec",
	[BIT_OF(TRUSTGATE_GRANT_FLAGS_SUPERVISED)] = "supervised",
};

static const char *const object_kind[] = {
	[TRUSTGATE_OBJECT_KIND_FILE] = "file",
	[TRUSTGATE_OBJECT_KIND_SUBTREE] = "subtree",
};

static const char *const event_type[] = {
	[TRUSTGATE_EVENT_TYPE_DENIED] = "denied",
	[TRUSTGATE_EVENT_TYPE_ALLOWED] = "allowed",
	[TRUSTGATE_EVENT_TYPE_GRANT_ADDED] = "grant-added",
	[TRUSTGATE_EVENT_TYPE_GRANT_ENDED] = "grant-ended",
	[TRUSTGATE_EVENT_TYPE_VOLUME_ADDED] = "volume-added",
	[TRUSTGATE_EVENT_TYPE_VOLUME_CHANGED] = "volume-changed",
	[TRUSTGATE_EVENT_TYPE_VOLUME_REMOVED] = "volume-removed",
	[TRUSTGATE_EVENT_TYPE_AGENT_BOUND] = "agent-bound",
	[TRUSTGATE_EVENT_TYPE_AGENT_LOST] = "agent-lost",
	[TRUSTGATE_EVENT_TYPE_GATE_BROKEN] = "gate-broken",
	[TRUSTGATE_EVENT_TYPE_GATE_REPAIRED] = "gate-repaired",
	[TRUSTGATE_EVENT_TYPE_UNMAPPED] = "unmapped",
	[TRUSTGATE_EVENT_TYPE_KILLED] = "killed",
	[TRUSTGATE_EVENT_TYPE_GRANT_CLEARED] = "grant-cleared",
	[TRUSTGATE_EVENT_TYPE_REQUEST_RAISED] = "request-raised",
	[TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED] = "request-closed",
	[TRUSTGATE_EVENT_TYPE_GRANT_SUSPENDED] = "grant-suspended",
	[TRUSTGATE_EVENT_TYPE_GRANT_RESUMED] = "grant-resumed",
	[TRUSTGATE_EVENT_TYPE_OBSERVED] = "observed",
	[TRUSTGATE_EVENT_TYPE_OBSERVATION_BEGUN] = "observation-begun",
	[TRUSTGATE_EVENT_TYPE_OBSERVATION_ENDED] = "observation-ended",
};

static const char *const request_end[] = {
	[TRUSTGATE_REQUEST_END_OPEN] = "open",
	[TRUSTGATE_REQUEST_END_GRANTED] = "granted",
	[TRUSTGATE_REQUEST_END_REFUSED] = "refused",
	[TRUSTGATE_REQUEST_END_UNANSWERED] = "unanswered",
	[TRUSTGATE_REQUEST_END_WITHDRAWN] = "withdrawn",
	[TRUSTGATE_REQUEST_END_AGENT_LOST] = "agent-lost",
	[TRUSTGATE_REQUEST_END_VOLUME_CHANGED] = "volume-changed",
};

#define SET(table, is_flags) \
	{ .names = (table), .count = sizeof(table) / sizeof((table)[0]), .flags = (is_flags) }

static const struct {
	const char *const *names;
	size_t count;
	bool flags;
} sets[_TRUSTGATE_NAMES_MAX] = {
	[TRUSTGATE_NAMES_GATE_STATE] = SET(gate_state, false),
	[TRUSTGATE_NAMES_ACCESS] = SET(access_bits, true),
	[TRUSTGATE_NAMES_CAUSE] = SET(cause, false),
	[TRUSTGATE_NAMES_REASON] = SET(reason, false),
	[TRUSTGATE_NAMES_END] = SET(end, false),
	[TRUSTGATE_NAMES_ON_AGENT_LOSS] = SET(on_agent_loss, false),
	[TRUSTGATE_NAMES_RECORD] = SET(record_bits, true),
	[TRUSTGATE_NAMES_GRANT_FLAGS] = SET(grant_flag_bits, true),
	[TRUSTGATE_NAMES_OBJECT_KIND] = SET(object_kind, false),
	[TRUSTGATE_NAMES_EVENT_TYPE] = SET(event_type, false),
	[TRUSTGATE_NAMES_METADATA] = SET(metadata, false),
	[TRUSTGATE_NAMES_AUDIT] = SET(audit, false),
	[TRUSTGATE_NAMES_ON_END] = SET(on_end, false),
	[TRUSTGATE_NAMES_REQUEST_END] = SET(request_end, false),
};

const char *trustgate_name_at(enum trustgate_names set, size_t index)
{
	if ((unsigned int)set >= _TRUSTGATE_NAMES_MAX || index >= sets[set].count)
		return NULL;
	return sets[set].names[index];
}

const char *trustgate_name(enum trustgate_names set, uint32_t value)
{
	if ((unsigned int)set >= _TRUSTGATE_NAMES_MAX)
		return NULL;
	if (!sets[set].flags)
		return trustgate_name_at(set, value);
	if (!value || (value & (value - 1)))
		return NULL;
	return trustgate_name_at(set, __builtin_ctz(value));
}

int trustgate_value(enum trustgate_names set, const char *name, uint32_t *ret_value)
{
	const char *candidate;

	if (!name)
		return -EINVAL;
	for (size_t i = 0; (candidate = trustgate_name_at(set, i)); i++) {
		if (strcmp(candidate, name))
			continue;
		*ret_value = sets[set].flags ? UINT32_C(1) << i : (uint32_t)i;
		return 0;
	}
	return -EINVAL;
}

int trustgate_mask_format(enum trustgate_names set, uint32_t mask,
			  const char *separator, char *buffer, size_t size)
{
	size_t length = 0;

	if ((unsigned int)set >= _TRUSTGATE_NAMES_MAX || !sets[set].flags)
		return -EINVAL;
	if (size)
		buffer[0] = '\0';

	for (uint32_t rest = mask; rest; rest &= rest - 1) {
		uint32_t bit = rest & -rest;
		const char *name = trustgate_name(set, bit);
		char number[16];

		if (!name) {
			snprintf(number, sizeof(number), "0x%x", bit);
			name = number;
		}
		length += snprintf(size > length ? buffer + length : NULL,
				   size > length ? size - length : 0, "%s%s",
				   length ? separator : "", name);
	}
	return length;
}
