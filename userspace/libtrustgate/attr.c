// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Attributes of the family by name.
 *
 * Owns: the tables of attribute names, compared with the specification by a
 * test, and the way from an offset in a message to a path of names.
 *
 * Must not own: the meaning of an attribute.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <netlink/attr.h>

#include <linux/trustgate.h>

#include "attr.h"

static const char *const gate_names[] = {
	[TRUSTGATE_A_GATE_ABI_VERSION] = "abi-version",
	[TRUSTGATE_A_GATE_STATE] = "state",
	[TRUSTGATE_A_GATE_AGENT_PORTID] = "agent-portid",
	[TRUSTGATE_A_GATE_AGENT_PID] = "agent-pid",
	[TRUSTGATE_A_GATE_VOLUMES] = "volumes",
	[TRUSTGATE_A_GATE_VOLUMES_MAX] = "volumes-max",
	[TRUSTGATE_A_GATE_GRANTS] = "grants",
	[TRUSTGATE_A_GATE_GRANTS_MAX] = "grants-max",
	[TRUSTGATE_A_GATE_GRANTS_BYTES_MAX] = "grants-bytes-max",
	[TRUSTGATE_A_GATE_SUBJECTS] = "subjects",
	[TRUSTGATE_A_GATE_NOW_BOOTTIME_NS] = "now-boottime-ns",
	[TRUSTGATE_A_GATE_EVENT_SEQ] = "event-seq",
	[TRUSTGATE_A_GATE_EVENTS_DROPPED] = "events-dropped",
	[TRUSTGATE_A_GATE_EVENTS_AGENT_MISSED] = "events-agent-missed",
	[TRUSTGATE_A_GATE_EVENTS_MAX] = "events-max",
	[TRUSTGATE_A_GATE_AUDIT_SUPPRESSED] = "audit-suppressed",
	[TRUSTGATE_A_GATE_PROOFS] = "proofs",
	[TRUSTGATE_A_GATE_PROOF_BOOTTIME_NS] = "proof-boottime-ns",
	[TRUSTGATE_A_GATE_HOOK] = "hook",
	[TRUSTGATE_A_GATE_PAD] = "pad",
	[TRUSTGATE_A_GATE_ENDING] = "ending",
	[TRUSTGATE_A_GATE_UNMAPPED] = "unmapped",
	[TRUSTGATE_A_GATE_KILLED] = "killed",
	[TRUSTGATE_A_GATE_REQUESTS] = "requests",
	[TRUSTGATE_A_GATE_REQUESTS_MAX] = "requests-max",
	[TRUSTGATE_A_GATE_OLDEST_REQUEST_BOOTTIME_NS] = "oldest-request-boottime-ns",
	[TRUSTGATE_A_GATE_OBSERVATION] = "observation",
};

static const char *const observation_names[] = {
	[TRUSTGATE_A_OBSERVATION_VOLUME_NAME] = "volume-name",
	[TRUSTGATE_A_OBSERVATION_SINCE_BOOTTIME_NS] = "since-boottime-ns",
	[TRUSTGATE_A_OBSERVATION_UNTIL_BOOTTIME_NS] = "until-boottime-ns",
	[TRUSTGATE_A_OBSERVATION_TIMES] = "times",
	[TRUSTGATE_A_OBSERVATION_LIVE] = "live",
	[TRUSTGATE_A_OBSERVATION_PAD] = "pad",
};

static const char *const agent_names[] = {
	[TRUSTGATE_A_AGENT_SECRET] = "secret",
	[TRUSTGATE_A_AGENT_EVENT_SEQ] = "event-seq",
	[TRUSTGATE_A_AGENT_PAD] = "pad",
};

static const char *const counter_names[] = {
	[TRUSTGATE_A_COUNTER_CAUSE] = "cause",
	[TRUSTGATE_A_COUNTER_COUNT] = "count",
	[TRUSTGATE_A_COUNTER_PAD] = "pad",
	[TRUSTGATE_A_COUNTER_OBSERVED] = "observed",
};

static const char *const volume_names[] = {
	[TRUSTGATE_A_VOLUME_ID] = "id",
	[TRUSTGATE_A_VOLUME_NAME] = "name",
	[TRUSTGATE_A_VOLUME_PATH] = "path",
	[TRUSTGATE_A_VOLUME_FD] = "fd",
	[TRUSTGATE_A_VOLUME_FSTYPE] = "fstype",
	[TRUSTGATE_A_VOLUME_UUID] = "uuid",
	[TRUSTGATE_A_VOLUME_DEVICE] = "device",
	[TRUSTGATE_A_VOLUME_MAX_DURATION_NS] = "max-duration-ns",
	[TRUSTGATE_A_VOLUME_ON_AGENT_LOSS] = "on-agent-loss",
	[TRUSTGATE_A_VOLUME_RECORD] = "record",
	[TRUSTGATE_A_VOLUME_GRANTS] = "grants",
	[TRUSTGATE_A_VOLUME_ADDED_BOOTTIME_NS] = "added-boottime-ns",
	[TRUSTGATE_A_VOLUME_COUNTER] = "counter",
	[TRUSTGATE_A_VOLUME_LOWER_DEVICES] = "lower-devices",
	[TRUSTGATE_A_VOLUME_PAD] = "pad",
	[TRUSTGATE_A_VOLUME_METADATA] = "metadata",
	[TRUSTGATE_A_VOLUME_LEAST_ON_END] = "least-on-end",
	[TRUSTGATE_A_VOLUME_ASK_NS] = "ask-ns",
	[TRUSTGATE_A_VOLUME_OWN_DEVICES] = "own-devices",
	[TRUSTGATE_A_VOLUME_LOWER_NODES] = "lower-nodes",
	[TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS] = "observed-until-boottime-ns",
	[TRUSTGATE_A_VOLUME_OBSERVED_SINCE_BOOTTIME_NS] = "observed-since-boottime-ns",
	[TRUSTGATE_A_VOLUME_AUDIT] = "audit",
};

static const char *const grant_names[] = {
	[TRUSTGATE_A_GRANT_ID] = "id",
	[TRUSTGATE_A_GRANT_VOLUME_ID] = "volume-id",
	[TRUSTGATE_A_GRANT_PID] = "pid",
	[TRUSTGATE_A_GRANT_START_TICKS] = "start-ticks",
	[TRUSTGATE_A_GRANT_EXEC_ID] = "exec-id",
	[TRUSTGATE_A_GRANT_FLAGS] = "flags",
	[TRUSTGATE_A_GRANT_OBJECT_KIND] = "object-kind",
	[TRUSTGATE_A_GRANT_FD] = "fd",
	[TRUSTGATE_A_GRANT_PATH] = "path",
	[TRUSTGATE_A_GRANT_INO] = "ino",
	[TRUSTGATE_A_GRANT_INODE_GENERATION] = "inode-generation",
	[TRUSTGATE_A_GRANT_ACCESS] = "access",
	[TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS] = "not-before-boottime-ns",
	[TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS] = "expires-boottime-ns",
	[TRUSTGATE_A_GRANT_MAX_USES] = "max-uses",
	[TRUSTGATE_A_GRANT_USES] = "uses",
	[TRUSTGATE_A_GRANT_REASON] = "reason",
	[TRUSTGATE_A_GRANT_TICKET] = "ticket",
	[TRUSTGATE_A_GRANT_TAG] = "tag",
	[TRUSTGATE_A_GRANT_CREATED_BOOTTIME_NS] = "created-boottime-ns",
	[TRUSTGATE_A_GRANT_RENEWS] = "renews",
	[TRUSTGATE_A_GRANT_SINCE_BOOTTIME_NS] = "since-boottime-ns",
	[TRUSTGATE_A_GRANT_PAD] = "pad",
	[TRUSTGATE_A_GRANT_ON_END] = "on-end",
	[TRUSTGATE_A_GRANT_ENDING] = "ending",
	[TRUSTGATE_A_GRANT_END] = "end",
	[TRUSTGATE_A_GRANT_ENDED_BOOTTIME_NS] = "ended-boottime-ns",
	[TRUSTGATE_A_GRANT_MAPPED] = "mapped",
	[TRUSTGATE_A_GRANT_REQUEST] = "request",
	[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS] = "supervised-until-boottime-ns",
};

static const char *const batch_names[] = {
	[TRUSTGATE_A_BATCH_GRANT] = "grant",
	[TRUSTGATE_A_BATCH_ADDED] = "added",
};

static const char *const revocation_names[] = {
	[TRUSTGATE_A_REVOCATION_ID] = "id",
	[TRUSTGATE_A_REVOCATION_VOLUME_ID] = "volume-id",
	[TRUSTGATE_A_REVOCATION_PID] = "pid",
	[TRUSTGATE_A_REVOCATION_ALL] = "all",
	[TRUSTGATE_A_REVOCATION_ENDED] = "ended",
	[TRUSTGATE_A_REVOCATION_PAD] = "pad",
};

static const char *const event_names[] = {
	[TRUSTGATE_A_EVENT_SEQ] = "seq",
	[TRUSTGATE_A_EVENT_TYPE] = "type",
	[TRUSTGATE_A_EVENT_TIME_BOOTTIME_NS] = "time-boottime-ns",
	[TRUSTGATE_A_EVENT_DROPPED] = "dropped",
	[TRUSTGATE_A_EVENT_VOLUME_ID] = "volume-id",
	[TRUSTGATE_A_EVENT_VOLUME_NAME] = "volume-name",
	[TRUSTGATE_A_EVENT_GRANT_ID] = "grant-id",
	[TRUSTGATE_A_EVENT_TAG] = "tag",
	[TRUSTGATE_A_EVENT_HOOK] = "hook",
	[TRUSTGATE_A_EVENT_ACCESS] = "access",
	[TRUSTGATE_A_EVENT_CAUSE] = "cause",
	[TRUSTGATE_A_EVENT_END] = "end",
	[TRUSTGATE_A_EVENT_PID] = "pid",
	[TRUSTGATE_A_EVENT_TID] = "tid",
	[TRUSTGATE_A_EVENT_UID] = "uid",
	[TRUSTGATE_A_EVENT_LOGINUID] = "loginuid",
	[TRUSTGATE_A_EVENT_COMM] = "comm",
	[TRUSTGATE_A_EVENT_INO] = "ino",
	[TRUSTGATE_A_EVENT_INODE_GENERATION] = "inode-generation",
	[TRUSTGATE_A_EVENT_PATH] = "path",
	[TRUSTGATE_A_EVENT_PATH_CUT] = "path-cut",
	[TRUSTGATE_A_EVENT_EXPIRES_BOOTTIME_NS] = "expires-boottime-ns",
	[TRUSTGATE_A_EVENT_PAD] = "pad",
	[TRUSTGATE_A_EVENT_TARGET_PID] = "target-pid",
	[TRUSTGATE_A_EVENT_MAPPINGS] = "mappings",
	[TRUSTGATE_A_EVENT_REQUEST_ID] = "request-id",
	[TRUSTGATE_A_EVENT_REQUEST_END] = "request-end",
};

static const char *const request_names[] = {
	[TRUSTGATE_A_REQUEST_ID] = "id",
	[TRUSTGATE_A_REQUEST_VOLUME_ID] = "volume-id",
	[TRUSTGATE_A_REQUEST_PID] = "pid",
	[TRUSTGATE_A_REQUEST_TID] = "tid",
	[TRUSTGATE_A_REQUEST_START_TICKS] = "start-ticks",
	[TRUSTGATE_A_REQUEST_EXEC_ID] = "exec-id",
	[TRUSTGATE_A_REQUEST_UID] = "uid",
	[TRUSTGATE_A_REQUEST_LOGINUID] = "loginuid",
	[TRUSTGATE_A_REQUEST_COMM] = "comm",
	[TRUSTGATE_A_REQUEST_ACCESS] = "access",
	[TRUSTGATE_A_REQUEST_CAUSE] = "cause",
	[TRUSTGATE_A_REQUEST_INO] = "ino",
	[TRUSTGATE_A_REQUEST_INODE_GENERATION] = "inode-generation",
	[TRUSTGATE_A_REQUEST_PATH] = "path",
	[TRUSTGATE_A_REQUEST_RAISED_BOOTTIME_NS] = "raised-boottime-ns",
	[TRUSTGATE_A_REQUEST_DEADLINE_BOOTTIME_NS] = "deadline-boottime-ns",
	[TRUSTGATE_A_REQUEST_WAITING] = "waiting",
	[TRUSTGATE_A_REQUEST_PAD] = "pad",
};

static const char *const refusal_names[] = {
	[TRUSTGATE_A_REFUSAL_ID] = "id",
	[TRUSTGATE_A_REFUSAL_REFUSED] = "refused",
	[TRUSTGATE_A_REFUSAL_PAD] = "pad",
};

static const char *const supervision_names[] = {
	[TRUSTGATE_A_SUPERVISION_ID] = "id",
	[TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS] = "until-boottime-ns",
	[TRUSTGATE_A_SUPERVISION_CHANGED] = "changed",
	[TRUSTGATE_A_SUPERVISION_PAD] = "pad",
};

static const char *const channel_names[] = {
	[TRUSTGATE_A_CHANNEL_FD] = "fd",
};

static const char *const keeper_names[] = {
	[TRUSTGATE_A_KEEPER_VOLUME_ID] = "volume-id",
	[TRUSTGATE_A_KEEPER_PID] = "pid",
	[TRUSTGATE_A_KEEPER_START_TICKS] = "start-ticks",
	[TRUSTGATE_A_KEEPER_UID] = "uid",
	[TRUSTGATE_A_KEEPER_COMM] = "comm",
	[TRUSTGATE_A_KEEPER_FILES] = "files",
	[TRUSTGATE_A_KEEPER_MAPPINGS] = "mappings",
	[TRUSTGATE_A_KEEPER_PROGRAM] = "program",
	[TRUSTGATE_A_KEEPER_UNKNOWN] = "unknown",
	[TRUSTGATE_A_KEEPER_PATH] = "path",
	[TRUSTGATE_A_KEEPER_PATH_CUT] = "path-cut",
	[TRUSTGATE_A_KEEPER_PAD] = "pad",
	[TRUSTGATE_A_KEEPER_FILES_DENIED] = "files-denied",
	[TRUSTGATE_A_KEEPER_MAPPINGS_DENIED] = "mappings-denied",
};

#define SET(name_, upper, ...)							\
	const struct attr_set trustgate_attr_##name_ = {			\
		.set = #name_, .names = name_##_names,				\
		.max = sizeof(name_##_names) / sizeof(name_##_names[0]) - 1,	\
		__VA_ARGS__							\
	}

static const bool gate_multi[TRUSTGATE_A_GATE_MAX + 1] = {
	[TRUSTGATE_A_GATE_HOOK] = true,
	[TRUSTGATE_A_GATE_OBSERVATION] = true,
};

static const bool volume_multi[TRUSTGATE_A_VOLUME_MAX + 1] = {
	[TRUSTGATE_A_VOLUME_COUNTER] = true,
};

static const bool batch_multi[TRUSTGATE_A_BATCH_MAX + 1] = {
	[TRUSTGATE_A_BATCH_GRANT] = true,
	[TRUSTGATE_A_BATCH_ADDED] = true,
};

static const bool revocation_multi[TRUSTGATE_A_REVOCATION_MAX + 1] = {
	[TRUSTGATE_A_REVOCATION_ID] = true,
};

static const bool refusal_multi[TRUSTGATE_A_REFUSAL_MAX + 1] = {
	[TRUSTGATE_A_REFUSAL_ID] = true,
};

static const bool supervision_multi[TRUSTGATE_A_SUPERVISION_MAX + 1] = {
	[TRUSTGATE_A_SUPERVISION_ID] = true,
};

static const struct attr_set *const gate_nested[TRUSTGATE_A_GATE_MAX + 1] = {
	[TRUSTGATE_A_GATE_OBSERVATION] = &trustgate_attr_observation,
};

static const struct attr_set *const volume_nested[TRUSTGATE_A_VOLUME_MAX + 1] = {
	[TRUSTGATE_A_VOLUME_COUNTER] = &trustgate_attr_counter,
};

static const struct attr_set *const batch_nested[TRUSTGATE_A_BATCH_MAX + 1] = {
	[TRUSTGATE_A_BATCH_GRANT] = &trustgate_attr_grant,
	[TRUSTGATE_A_BATCH_ADDED] = &trustgate_attr_grant,
};

SET(gate, GATE, .multi = gate_multi, .nested = gate_nested);
SET(observation, OBSERVATION);
SET(agent, AGENT);
SET(counter, COUNTER);
SET(volume, VOLUME, .multi = volume_multi, .nested = volume_nested);
SET(grant, GRANT);
SET(batch, BATCH, .multi = batch_multi, .nested = batch_nested);
SET(revocation, REVOCATION, .multi = revocation_multi);
SET(event, EVENT);
SET(request, REQUEST);
SET(refusal, REFUSAL, .multi = refusal_multi);
SET(supervision, SUPERVISION, .multi = supervision_multi);
SET(channel, CHANNEL);
SET(keeper, KEEPER);

const char *trustgate_attr_name(const struct attr_set *set, unsigned int type)
{
	return type <= set->max ? set->names[type] : NULL;
}

static size_t index_among_same(const void *attrs, size_t length,
			       const struct nlattr *attr)
{
	const struct nlattr *at = attrs;
	int rest = length;
	size_t index = 0;

	for (; nla_ok(at, rest) && at != attr; at = nla_next(at, &rest))
		index += nla_type(at) == nla_type(attr);
	return index;
}

/* The attribute whose header or payload holds @offset. */
static const struct nlattr *attr_around(const void *attrs, size_t length, size_t offset)
{
	const struct nlattr *attr = attrs;
	int rest = length;

	for (; nla_ok(attr, rest); attr = nla_next(attr, &rest)) {
		size_t begin = (const char *)attr - (const char *)attrs;

		if (offset >= begin && offset < begin + attr->nla_len)
			return attr;
	}
	return NULL;
}

int trustgate_attr_path(const struct attr_set *set, const void *attrs, size_t length,
			size_t offset, size_t base, unsigned int missing_type,
			char *buffer, size_t size, ssize_t *ret_index)
{
	const struct attr_set *inner = NULL;
	bool top = true;
	size_t used = 0;

	*ret_index = -1;
	if (!size)
		return -ENOENT;
	buffer[0] = '\0';

	for (;;) {
		const struct nlattr *attr = attr_around(attrs, length, offset);
		size_t begin;
		int type;

		if (!attr || used >= size)
			return -ENOENT;
		type = nla_type(attr);
		if (trustgate_attr_name(set, type))
			used += snprintf(buffer + used, size - used, "%s%s",
					 top ? "" : ".", set->names[type]);
		else
			used += snprintf(buffer + used, size - used, "%sattribute %d",
					 top ? "" : ".", type);
		if (type <= (int)set->max && set->multi && set->multi[type] && used < size) {
			size_t index = index_among_same(attrs, length, attr);

			if (top) {
				index += base;
				*ret_index = index;
			}
			used += snprintf(buffer + used, size - used, "[%zu]", index);
		}
		inner = type <= (int)set->max && set->nested ? set->nested[type] : NULL;

		begin = (const char *)attr - (const char *)attrs;
		if (offset == begin)
			break;
		/* Inside: go down if it is a nest, else this is as near as it gets. */
		if (!inner || offset < begin + NLA_HDRLEN)
			break;
		offset -= begin + NLA_HDRLEN;
		attrs = nla_data(attr);
		length = nla_len(attr);
		set = inner;
		top = false;
	}

	if (missing_type && used < size) {
		if (inner && trustgate_attr_name(inner, missing_type))
			snprintf(buffer + used, size - used, ".%s", inner->names[missing_type]);
		else
			snprintf(buffer + used, size - used, ".attribute %u", missing_type);
	}
	return 0;
}
