// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From the attributes of a message to structures.
 *
 * Owns: every look into what the kernel sent, by tables of attribute, type and
 * place in the structure.
 *
 * Must not own: sockets, requests, or what an answer leads to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <netlink/attr.h>

#include "decode.h"

enum kind {
	KIND_SKIP,
	KIND_U32,
	KIND_U64,
	KIND_STRING,
	KIND_STRING_TAIL,	/* keeps the end of what is too long */
	KIND_BYTES,
	KIND_FLAG,
	KIND_MULTI,		/* handed to the caller, may repeat */
};

/**
 * struct field - where an attribute goes
 * @kind: its type
 * @offset: in the structure
 * @size: of the member
 */
struct field {
	enum kind kind;
	size_t offset;
	size_t size;
};

#define FIELD(kind_, type, member) \
	{ .kind = KIND_##kind_, .offset = offsetof(struct type, member), \
	  .size = sizeof(((struct type *)NULL)->member) }

typedef int (*multi_fn)(int type, const struct nlattr *attr, void *userdata);

static int store_string(const struct nlattr *attr, const struct field *field, char *place)
{
	size_t length = strnlen(nla_data(attr), nla_len(attr));
	const char *text = nla_data(attr);

	if (length >= field->size) {
		if (field->kind != KIND_STRING_TAIL)
			return -EBADMSG;
		text += length - (field->size - 1);
		length = field->size - 1;
	}
	memcpy(place, text, length);
	memset(place + length, 0, field->size - length);
	return 0;
}

static int store(const struct nlattr *attr, const struct field *field, void *out)
{
	char *place = (char *)out + field->offset;

	switch (field->kind) {
	case KIND_U32:
	case KIND_U64:
	case KIND_BYTES:
		if ((size_t)nla_len(attr) != field->size)
			return -EBADMSG;
		memcpy(place, nla_data(attr), field->size);
		return 0;
	case KIND_STRING:
	case KIND_STRING_TAIL:
		return store_string(attr, field, place);
	case KIND_FLAG:
		if (nla_len(attr))
			return -EBADMSG;
		*(bool *)place = true;
		return 0;
	case KIND_SKIP:
	case KIND_MULTI:
		break;
	}
	return 0;
}

/*
 * Go through @attrs once. @out is zeroed by the caller. An attribute that may
 * not repeat but does makes the message senseless, and so does a remainder
 * that is no attribute.
 */
static int decode(const struct field *fields, unsigned int max, const void *attrs,
		  size_t length, void *out, uint64_t *ret_present, multi_fn multi,
		  void *userdata)
{
	const struct nlattr *attr = attrs;
	uint64_t present = 0;
	int rest = length;

	if (length > INT32_MAX)
		return -EBADMSG;

	for (; nla_ok(attr, rest); attr = nla_next(attr, &rest)) {
		unsigned int type = nla_type(attr);
		int r;

		if (type > max || fields[type].kind == KIND_SKIP)
			continue;
		if (fields[type].kind == KIND_MULTI) {
			r = multi ? multi(type, attr, userdata) : 0;
		} else {
			if (present & (UINT64_C(1) << type))
				return -EBADMSG;
			r = store(attr, &fields[type], out);
		}
		if (r)
			return r;
		present |= UINT64_C(1) << type;
	}
	if (rest > 0)
		return -EBADMSG;
	if (ret_present)
		*ret_present = present;
	return 0;
}

static bool has(uint64_t present, unsigned int attribute)
{
	return present & (UINT64_C(1) << attribute);
}

/* ---- controller ---- */

struct group_info {
	char name[GENL_NAMSIZ];
	uint32_t id;
};

static const struct field group_fields[] = {
	[CTRL_ATTR_MCAST_GRP_NAME] = FIELD(STRING, group_info, name),
	[CTRL_ATTR_MCAST_GRP_ID] = FIELD(U32, group_info, id),
};

static const struct field family_fields[] = {
	[CTRL_ATTR_FAMILY_ID] = FIELD(BYTES, family_info, id),
	[CTRL_ATTR_VERSION] = FIELD(U32, family_info, version),
	[CTRL_ATTR_MCAST_GROUPS] = { .kind = KIND_MULTI },
};

static int family_groups(int type, const struct nlattr *attr, void *userdata)
{
	struct family_info *info = userdata;
	const struct nlattr *entry;
	int rest;

	(void)type;
	nla_for_each_nested(entry, attr, rest) {
		struct group_info group = { 0 };
		int r = decode(group_fields, CTRL_ATTR_MCAST_GRP_ID, nla_data(entry),
			       nla_len(entry), &group, NULL, NULL, NULL);

		if (r)
			return r;
		if (!strcmp(group.name, TRUSTGATE_MCGRP_EVENTS))
			info->events_group = group.id;
	}
	return rest > 0 ? -EBADMSG : 0;
}

int trustgate_decode_family(const void *attrs, size_t length, struct family_info *ret)
{
	struct family_info info = { 0 };
	uint64_t present;
	int r;

	r = decode(family_fields, CTRL_ATTR_MCAST_GROUPS, attrs, length, &info, &present,
		   family_groups, &info);
	if (r)
		return r;
	if (!has(present, CTRL_ATTR_FAMILY_ID) || info.id < NLMSG_MIN_TYPE)
		return -EBADMSG;
	*ret = info;
	return 0;
}

/* ---- gate and agent ---- */

static const struct field gate_fields[TRUSTGATE_A_GATE_MAX + 1] = {
	[TRUSTGATE_A_GATE_ABI_VERSION] = FIELD(U32, trustgate_gate, abi_version),
	[TRUSTGATE_A_GATE_STATE] = FIELD(U32, trustgate_gate, state),
	[TRUSTGATE_A_GATE_AGENT_PORTID] = FIELD(U32, trustgate_gate, agent_port_id),
	[TRUSTGATE_A_GATE_AGENT_PID] = FIELD(U32, trustgate_gate, agent_pid),
	[TRUSTGATE_A_GATE_VOLUMES] = FIELD(U32, trustgate_gate, volumes),
	[TRUSTGATE_A_GATE_VOLUMES_MAX] = FIELD(U32, trustgate_gate, volumes_max),
	[TRUSTGATE_A_GATE_GRANTS] = FIELD(U64, trustgate_gate, grants),
	[TRUSTGATE_A_GATE_GRANTS_MAX] = FIELD(U64, trustgate_gate, grants_max),
	[TRUSTGATE_A_GATE_GRANTS_BYTES_MAX] = FIELD(U64, trustgate_gate, grants_bytes_max),
	[TRUSTGATE_A_GATE_SUBJECTS] = FIELD(U64, trustgate_gate, subjects),
	[TRUSTGATE_A_GATE_NOW_BOOTTIME_NS] = FIELD(U64, trustgate_gate, now_boottime_ns),
	[TRUSTGATE_A_GATE_EVENT_SEQ] = FIELD(U64, trustgate_gate, event_seq),
	[TRUSTGATE_A_GATE_EVENTS_DROPPED] = FIELD(U64, trustgate_gate, events_dropped),
	[TRUSTGATE_A_GATE_EVENTS_AGENT_MISSED] = FIELD(U64, trustgate_gate, events_agent_missed),
	[TRUSTGATE_A_GATE_EVENTS_MAX] = FIELD(U32, trustgate_gate, events_max),
	[TRUSTGATE_A_GATE_AUDIT_SUPPRESSED] = FIELD(U64, trustgate_gate, audit_suppressed),
	[TRUSTGATE_A_GATE_PROOFS] = FIELD(U64, trustgate_gate, proofs),
	[TRUSTGATE_A_GATE_PROOF_BOOTTIME_NS] = FIELD(U64, trustgate_gate, proof_boottime_ns),
	[TRUSTGATE_A_GATE_HOOK] = { .kind = KIND_MULTI },
	[TRUSTGATE_A_GATE_ENDING] = FIELD(U64, trustgate_gate, ending),
	[TRUSTGATE_A_GATE_UNMAPPED] = FIELD(U64, trustgate_gate, unmapped),
	[TRUSTGATE_A_GATE_KILLED] = FIELD(U64, trustgate_gate, killed),
	[TRUSTGATE_A_GATE_REQUESTS] = FIELD(U32, trustgate_gate, requests),
	[TRUSTGATE_A_GATE_REQUESTS_MAX] = FIELD(U32, trustgate_gate, requests_max),
	[TRUSTGATE_A_GATE_OLDEST_REQUEST_BOOTTIME_NS] =
		FIELD(U64, trustgate_gate, oldest_request_boottime_ns),
	[TRUSTGATE_A_GATE_OBSERVATION] = { .kind = KIND_MULTI },
};

static const struct field observation_fields[TRUSTGATE_A_OBSERVATION_MAX + 1] = {
	[TRUSTGATE_A_OBSERVATION_VOLUME_NAME] = FIELD(STRING, trustgate_observation, volume_name),
	[TRUSTGATE_A_OBSERVATION_SINCE_BOOTTIME_NS] =
		FIELD(U64, trustgate_observation, since_boottime_ns),
	[TRUSTGATE_A_OBSERVATION_UNTIL_BOOTTIME_NS] =
		FIELD(U64, trustgate_observation, until_boottime_ns),
	[TRUSTGATE_A_OBSERVATION_TIMES] = FIELD(U32, trustgate_observation, times),
	[TRUSTGATE_A_OBSERVATION_LIVE] = FIELD(FLAG, trustgate_observation, live),
};

static int gate_observation(const struct nlattr *attr, struct trustgate_gate *gate)
{
	struct trustgate_observation observation = { 0 };
	int r;

	if (gate->observations_count == TRUSTGATE_OBSERVATIONS_MAX)
		return -EBADMSG;
	r = decode(observation_fields, TRUSTGATE_A_OBSERVATION_MAX, nla_data(attr), nla_len(attr),
		   &observation, NULL, NULL, NULL);
	if (r)
		return r;
	if (!observation.volume_name[0])
		return -EBADMSG;
	gate->observations[gate->observations_count++] = observation;
	return 0;
}

static int gate_list(int type, const struct nlattr *attr, void *userdata)
{
	static const struct field field = { .kind = KIND_STRING, .size = TRUSTGATE_HOOK_NAME_SIZE };
	struct trustgate_gate *gate = userdata;
	void *hooks;
	int r;

	if (type == TRUSTGATE_A_GATE_OBSERVATION)
		return gate_observation(attr, gate);
	hooks = reallocarray(gate->hooks, gate->hooks_count + 1, sizeof(*gate->hooks));
	if (!hooks)
		return -ENOMEM;
	gate->hooks = hooks;
	r = store_string(attr, &field, gate->hooks[gate->hooks_count]);
	if (!r)
		gate->hooks_count++;
	return r;
}

int trustgate_decode_gate(const void *attrs, size_t length, struct trustgate_gate *ret)
{
	struct trustgate_gate gate = { 0 };
	int r;

	r = decode(gate_fields, TRUSTGATE_A_GATE_MAX, attrs, length, &gate, &gate.present,
		   gate_list, &gate);
	if (!r && !has(gate.present, TRUSTGATE_A_GATE_ABI_VERSION))
		r = -EBADMSG;
	if (r) {
		trustgate_gate_clear(&gate);
		return r;
	}
	*ret = gate;
	return 0;
}

struct agent_info {
	uint64_t event_seq;
};

static const struct field agent_fields[TRUSTGATE_A_AGENT_MAX + 1] = {
	[TRUSTGATE_A_AGENT_EVENT_SEQ] = FIELD(U64, agent_info, event_seq),
};

int trustgate_decode_agent(const void *attrs, size_t length, uint64_t *ret_event_seq)
{
	struct agent_info info = { 0 };
	uint64_t present;
	int r;

	r = decode(agent_fields, TRUSTGATE_A_AGENT_MAX, attrs, length, &info, &present, NULL, NULL);
	if (!r && !has(present, TRUSTGATE_A_AGENT_EVENT_SEQ))
		r = -EBADMSG;
	if (!r)
		*ret_event_seq = info.event_seq;
	return r;
}

static const struct field channel_fields[TRUSTGATE_A_CHANNEL_MAX + 1] = {
	[TRUSTGATE_A_CHANNEL_FD] = { .kind = KIND_U32, .size = sizeof(int) },
};

int trustgate_decode_channel(const void *attrs, size_t length, int *ret_fd)
{
	uint64_t present;
	int fd = -1;
	int r;

	r = decode(channel_fields, TRUSTGATE_A_CHANNEL_MAX, attrs, length, &fd, &present, NULL, NULL);
	if (!r && fd < 0)
		r = -EBADMSG;
	if (!r)
		*ret_fd = fd;
	return r;
}

/* ---- volume ---- */

static const struct field counter_fields[TRUSTGATE_A_COUNTER_MAX + 1] = {
	[TRUSTGATE_A_COUNTER_CAUSE] = FIELD(U32, trustgate_counter, cause),
	[TRUSTGATE_A_COUNTER_COUNT] = FIELD(U64, trustgate_counter, count),
	[TRUSTGATE_A_COUNTER_OBSERVED] = FIELD(U64, trustgate_counter, observed),
};

static const struct field volume_fields[TRUSTGATE_A_VOLUME_MAX + 1] = {
	[TRUSTGATE_A_VOLUME_ID] = FIELD(U32, trustgate_volume, id),
	[TRUSTGATE_A_VOLUME_NAME] = FIELD(STRING, trustgate_volume, name),
	[TRUSTGATE_A_VOLUME_FSTYPE] = FIELD(STRING, trustgate_volume, fstype),
	[TRUSTGATE_A_VOLUME_UUID] = FIELD(BYTES, trustgate_volume, uuid),
	[TRUSTGATE_A_VOLUME_DEVICE] = FIELD(STRING, trustgate_volume, device),
	[TRUSTGATE_A_VOLUME_MAX_DURATION_NS] = FIELD(U64, trustgate_volume, max_duration_ns),
	[TRUSTGATE_A_VOLUME_ON_AGENT_LOSS] = FIELD(U32, trustgate_volume, on_agent_loss),
	[TRUSTGATE_A_VOLUME_RECORD] = FIELD(U32, trustgate_volume, record),
	[TRUSTGATE_A_VOLUME_GRANTS] = FIELD(U64, trustgate_volume, grants),
	[TRUSTGATE_A_VOLUME_ADDED_BOOTTIME_NS] = FIELD(U64, trustgate_volume, added_boottime_ns),
	[TRUSTGATE_A_VOLUME_COUNTER] = { .kind = KIND_MULTI },
	[TRUSTGATE_A_VOLUME_METADATA] = FIELD(U32, trustgate_volume, metadata),
	[TRUSTGATE_A_VOLUME_LEAST_ON_END] = FIELD(U32, trustgate_volume, least_on_end),
	[TRUSTGATE_A_VOLUME_AUDIT] = FIELD(U32, trustgate_volume, audit),
	[TRUSTGATE_A_VOLUME_LOWER_DEVICES] = { .kind = KIND_MULTI },
	[TRUSTGATE_A_VOLUME_ASK_NS] = FIELD(U64, trustgate_volume, ask_ns),
	[TRUSTGATE_A_VOLUME_OWN_DEVICES] = { .kind = KIND_MULTI },
	[TRUSTGATE_A_VOLUME_LOWER_NODES] = { .kind = KIND_MULTI },
	[TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS] =
		FIELD(U64, trustgate_volume, observed_until_boottime_ns),
	[TRUSTGATE_A_VOLUME_OBSERVED_SINCE_BOOTTIME_NS] =
		FIELD(U64, trustgate_volume, observed_since_boottime_ns),
};

static int volume_devices(const struct nlattr *attr, dev_t devices[TRUSTGATE_LOWER_DEVICES_MAX],
			  size_t *ret_count)
{
	size_t count = (size_t)nla_len(attr) / sizeof(uint32_t);
	uint32_t numbers[TRUSTGATE_LOWER_DEVICES_MAX];

	if (*ret_count || count > TRUSTGATE_LOWER_DEVICES_MAX ||
	    (size_t)nla_len(attr) % sizeof(uint32_t))
		return -EBADMSG;
	memcpy(numbers, nla_data(attr), (size_t)nla_len(attr));
	for (size_t i = 0; i < count; i++)
		devices[i] = numbers[i];
	*ret_count = count;
	return 0;
}

static int volume_list(int type, const struct nlattr *attr, void *userdata)
{
	struct trustgate_volume *volume = userdata;
	struct trustgate_counter counter = { 0 };
	uint64_t present;
	int r;

	if (type == TRUSTGATE_A_VOLUME_LOWER_DEVICES)
		return volume_devices(attr, volume->lower, &volume->lower_count);
	if (type == TRUSTGATE_A_VOLUME_OWN_DEVICES)
		return volume_devices(attr, volume->own, &volume->own_count);
	if (type == TRUSTGATE_A_VOLUME_LOWER_NODES)
		return volume_devices(attr, volume->nodes, &volume->nodes_count);
	r = decode(counter_fields, TRUSTGATE_A_COUNTER_MAX, nla_data(attr), nla_len(attr),
		   &counter, &present, NULL, NULL);
	if (r)
		return r;
	if (!has(present, TRUSTGATE_A_COUNTER_CAUSE) || !has(present, TRUSTGATE_A_COUNTER_COUNT))
		return -EBADMSG;
	if (volume->counters_count == TRUSTGATE_COUNTERS_MAX)
		return -EBADMSG;
	volume->counters[volume->counters_count++] = counter;
	return 0;
}

int trustgate_decode_volume(const void *attrs, size_t length, struct trustgate_volume *ret)
{
	struct trustgate_volume volume = { 0 };
	int r;

	r = decode(volume_fields, TRUSTGATE_A_VOLUME_MAX, attrs, length, &volume,
		   &volume.present, volume_list, &volume);
	if (r)
		return r;
	if (!volume.id || !volume.name[0])
		return -EBADMSG;
	*ret = volume;
	return 0;
}

/* ---- grants ---- */

static const struct field grant_fields[TRUSTGATE_A_GRANT_MAX + 1] = {
	[TRUSTGATE_A_GRANT_ID] = FIELD(U64, trustgate_grant, id),
	[TRUSTGATE_A_GRANT_VOLUME_ID] = FIELD(U32, trustgate_grant, volume_id),
	[TRUSTGATE_A_GRANT_PID] = FIELD(U32, trustgate_grant, pid),
	[TRUSTGATE_A_GRANT_START_TICKS] = FIELD(U64, trustgate_grant, start_ticks),
	[TRUSTGATE_A_GRANT_EXEC_ID] = FIELD(U64, trustgate_grant, exec_id),
	[TRUSTGATE_A_GRANT_FLAGS] = FIELD(U32, trustgate_grant, flags),
	[TRUSTGATE_A_GRANT_OBJECT_KIND] = FIELD(U32, trustgate_grant, object_kind),
	[TRUSTGATE_A_GRANT_INO] = FIELD(U64, trustgate_grant, ino),
	[TRUSTGATE_A_GRANT_INODE_GENERATION] = FIELD(U32, trustgate_grant, inode_generation),
	[TRUSTGATE_A_GRANT_ACCESS] = FIELD(U32, trustgate_grant, access),
	[TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS] = FIELD(U64, trustgate_grant, not_before_boottime_ns),
	[TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS] = FIELD(U64, trustgate_grant, expires_boottime_ns),
	[TRUSTGATE_A_GRANT_MAX_USES] = FIELD(U32, trustgate_grant, max_uses),
	[TRUSTGATE_A_GRANT_USES] = FIELD(U32, trustgate_grant, uses),
	[TRUSTGATE_A_GRANT_REASON] = FIELD(U32, trustgate_grant, reason),
	[TRUSTGATE_A_GRANT_TICKET] = FIELD(STRING, trustgate_grant, ticket),
	[TRUSTGATE_A_GRANT_TAG] = FIELD(U64, trustgate_grant, tag),
	[TRUSTGATE_A_GRANT_CREATED_BOOTTIME_NS] = FIELD(U64, trustgate_grant, created_boottime_ns),
	[TRUSTGATE_A_GRANT_SINCE_BOOTTIME_NS] = FIELD(U64, trustgate_grant, since_boottime_ns),
	[TRUSTGATE_A_GRANT_ON_END] = FIELD(U32, trustgate_grant, on_end),
	[TRUSTGATE_A_GRANT_END] = FIELD(U32, trustgate_grant, end),
	[TRUSTGATE_A_GRANT_ENDED_BOOTTIME_NS] = FIELD(U64, trustgate_grant, ended_boottime_ns),
	[TRUSTGATE_A_GRANT_MAPPED] = FIELD(U32, trustgate_grant, mapped),
	[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS] =
		FIELD(U64, trustgate_grant, supervised_until_boottime_ns),
};

int trustgate_decode_grant(const void *attrs, size_t length, struct trustgate_grant *ret)
{
	struct trustgate_grant grant = { 0 };
	int r;

	r = decode(grant_fields, TRUSTGATE_A_GRANT_MAX, attrs, length, &grant,
		   &grant.present, NULL, NULL);
	if (r)
		return r;
	if (!grant.id)
		return -EBADMSG;
	*ret = grant;
	return 0;
}

static const struct field added_fields[TRUSTGATE_A_GRANT_MAX + 1] = {
	[TRUSTGATE_A_GRANT_ID] = FIELD(U64, trustgate_grant_added, id),
	[TRUSTGATE_A_GRANT_PID] = FIELD(U32, trustgate_grant_added, pid),
	[TRUSTGATE_A_GRANT_START_TICKS] = FIELD(U64, trustgate_grant_added, start_ticks),
	[TRUSTGATE_A_GRANT_EXEC_ID] = FIELD(U64, trustgate_grant_added, exec_id),
	[TRUSTGATE_A_GRANT_OBJECT_KIND] = FIELD(U32, trustgate_grant_added, object_kind),
	[TRUSTGATE_A_GRANT_INO] = FIELD(U64, trustgate_grant_added, ino),
	[TRUSTGATE_A_GRANT_INODE_GENERATION] = FIELD(U32, trustgate_grant_added, inode_generation),
};

struct added_list {
	struct trustgate_grant_added *added;
	size_t count;
	size_t used;
};

static const struct field batch_fields[TRUSTGATE_A_BATCH_MAX + 1] = {
	[TRUSTGATE_A_BATCH_ADDED] = { .kind = KIND_MULTI },
};

static int batch_added(int type, const struct nlattr *attr, void *userdata)
{
	struct trustgate_grant_added added = { 0 };
	struct added_list *list = userdata;
	int r;

	(void)type;
	if (list->used == list->count)
		return -EBADMSG;
	r = decode(added_fields, TRUSTGATE_A_GRANT_MAX, nla_data(attr), nla_len(attr),
		   &added, NULL, NULL, NULL);
	if (r)
		return r;
	if (!added.id)
		return -EBADMSG;
	list->added[list->used++] = added;
	return 0;
}

int trustgate_decode_added(const void *attrs, size_t length, size_t count,
			   struct trustgate_grant_added *ret)
{
	struct added_list list = { .added = ret, .count = count };
	int r;

	r = decode(batch_fields, TRUSTGATE_A_BATCH_MAX, attrs, length, NULL, NULL,
		   batch_added, &list);
	if (r)
		return r;
	return list.used == count ? 0 : -EBADMSG;
}

/* ---- what was done, as one number ---- */

/* Higher than the attribute of any such number. */
#define TOTAL_MAX	7

struct total_info {
	uint64_t total;
};

int trustgate_decode_total(const void *attrs, size_t length, unsigned int attribute,
			   uint64_t *ret_total)
{
	struct field fields[TOTAL_MAX + 1] = { 0 };
	struct total_info info = { 0 };
	uint64_t present;
	int r;

	if (attribute > TOTAL_MAX)
		return -EINVAL;
	fields[attribute] = (struct field)FIELD(U64, total_info, total);
	r = decode(fields, TOTAL_MAX, attrs, length, &info, &present, NULL, NULL);
	if (!r && !has(present, attribute))
		r = -EBADMSG;
	if (!r)
		*ret_total = info.total;
	return r;
}

/* ---- requests ---- */

static const struct field request_fields[TRUSTGATE_A_REQUEST_MAX + 1] = {
	[TRUSTGATE_A_REQUEST_ID] = FIELD(U64, trustgate_request, id),
	[TRUSTGATE_A_REQUEST_VOLUME_ID] = FIELD(U32, trustgate_request, volume_id),
	[TRUSTGATE_A_REQUEST_PID] = FIELD(U32, trustgate_request, pid),
	[TRUSTGATE_A_REQUEST_TID] = FIELD(U32, trustgate_request, tid),
	[TRUSTGATE_A_REQUEST_START_TICKS] = FIELD(U64, trustgate_request, start_ticks),
	[TRUSTGATE_A_REQUEST_EXEC_ID] = FIELD(U64, trustgate_request, exec_id),
	[TRUSTGATE_A_REQUEST_UID] = FIELD(U32, trustgate_request, uid),
	[TRUSTGATE_A_REQUEST_LOGINUID] = FIELD(U32, trustgate_request, loginuid),
	[TRUSTGATE_A_REQUEST_COMM] = FIELD(STRING, trustgate_request, comm),
	[TRUSTGATE_A_REQUEST_ACCESS] = FIELD(U32, trustgate_request, access),
	[TRUSTGATE_A_REQUEST_CAUSE] = FIELD(U32, trustgate_request, cause),
	[TRUSTGATE_A_REQUEST_INO] = FIELD(U64, trustgate_request, ino),
	[TRUSTGATE_A_REQUEST_INODE_GENERATION] = FIELD(U32, trustgate_request, inode_generation),
	[TRUSTGATE_A_REQUEST_PATH] = FIELD(STRING, trustgate_request, path),
	[TRUSTGATE_A_REQUEST_RAISED_BOOTTIME_NS] = FIELD(U64, trustgate_request, raised_boottime_ns),
	[TRUSTGATE_A_REQUEST_DEADLINE_BOOTTIME_NS] = FIELD(U64, trustgate_request, deadline_boottime_ns),
	[TRUSTGATE_A_REQUEST_WAITING] = FIELD(U32, trustgate_request, waiting),
};

int trustgate_decode_request(const void *attrs, size_t length, struct trustgate_request *ret)
{
	struct trustgate_request request = { 0 };
	int r = decode(request_fields, TRUSTGATE_A_REQUEST_MAX, attrs, length, &request,
		       &request.present, NULL, NULL);

	if (r)
		return r;
	if (!request.id)
		return -EBADMSG;
	*ret = request;
	return 0;
}

/* ---- who has files open or mapped ---- */

static const struct field keeper_fields[TRUSTGATE_A_KEEPER_MAX + 1] = {
	[TRUSTGATE_A_KEEPER_VOLUME_ID] = FIELD(U32, trustgate_keeper, volume_id),
	[TRUSTGATE_A_KEEPER_PID] = FIELD(U32, trustgate_keeper, pid),
	[TRUSTGATE_A_KEEPER_START_TICKS] = FIELD(U64, trustgate_keeper, start_ticks),
	[TRUSTGATE_A_KEEPER_UID] = FIELD(U32, trustgate_keeper, uid),
	[TRUSTGATE_A_KEEPER_COMM] = FIELD(STRING, trustgate_keeper, comm),
	[TRUSTGATE_A_KEEPER_FILES] = FIELD(U32, trustgate_keeper, files),
	[TRUSTGATE_A_KEEPER_MAPPINGS] = FIELD(U32, trustgate_keeper, mappings),
	[TRUSTGATE_A_KEEPER_PROGRAM] = FIELD(FLAG, trustgate_keeper, program),
	[TRUSTGATE_A_KEEPER_UNKNOWN] = FIELD(FLAG, trustgate_keeper, unknown),
	[TRUSTGATE_A_KEEPER_PATH] = FIELD(STRING_TAIL, trustgate_keeper, path),
	[TRUSTGATE_A_KEEPER_PATH_CUT] = FIELD(FLAG, trustgate_keeper, path_cut),
	[TRUSTGATE_A_KEEPER_FILES_DENIED] = FIELD(U32, trustgate_keeper, files_denied),
	[TRUSTGATE_A_KEEPER_MAPPINGS_DENIED] = FIELD(U32, trustgate_keeper, mappings_denied),
};

int trustgate_decode_keeper(const void *attrs, size_t length, struct trustgate_keeper *ret)
{
	struct trustgate_keeper keeper = { 0 };
	int r = decode(keeper_fields, TRUSTGATE_A_KEEPER_MAX, attrs, length, &keeper,
		       &keeper.present, NULL, NULL);

	if (r)
		return r;
	if (!has(keeper.present, TRUSTGATE_A_KEEPER_PID))
		return -EBADMSG;
	*ret = keeper;
	return 0;
}

/* ---- events ---- */

static const struct field event_fields[TRUSTGATE_A_EVENT_MAX + 1] = {
	[TRUSTGATE_A_EVENT_SEQ] = FIELD(U64, trustgate_event, seq),
	[TRUSTGATE_A_EVENT_TYPE] = FIELD(U32, trustgate_event, type),
	[TRUSTGATE_A_EVENT_TIME_BOOTTIME_NS] = FIELD(U64, trustgate_event, time_boottime_ns),
	[TRUSTGATE_A_EVENT_DROPPED] = FIELD(U64, trustgate_event, dropped),
	[TRUSTGATE_A_EVENT_VOLUME_ID] = FIELD(U32, trustgate_event, volume_id),
	[TRUSTGATE_A_EVENT_VOLUME_NAME] = FIELD(STRING, trustgate_event, volume_name),
	[TRUSTGATE_A_EVENT_GRANT_ID] = FIELD(U64, trustgate_event, grant_id),
	[TRUSTGATE_A_EVENT_TAG] = FIELD(U64, trustgate_event, tag),
	[TRUSTGATE_A_EVENT_HOOK] = FIELD(STRING, trustgate_event, hook),
	[TRUSTGATE_A_EVENT_ACCESS] = FIELD(U32, trustgate_event, access),
	[TRUSTGATE_A_EVENT_CAUSE] = FIELD(U32, trustgate_event, cause),
	[TRUSTGATE_A_EVENT_END] = FIELD(U32, trustgate_event, end),
	[TRUSTGATE_A_EVENT_PID] = FIELD(U32, trustgate_event, pid),
	[TRUSTGATE_A_EVENT_TID] = FIELD(U32, trustgate_event, tid),
	[TRUSTGATE_A_EVENT_UID] = FIELD(U32, trustgate_event, uid),
	[TRUSTGATE_A_EVENT_LOGINUID] = FIELD(U32, trustgate_event, loginuid),
	[TRUSTGATE_A_EVENT_COMM] = FIELD(STRING, trustgate_event, comm),
	[TRUSTGATE_A_EVENT_INO] = FIELD(U64, trustgate_event, ino),
	[TRUSTGATE_A_EVENT_INODE_GENERATION] = FIELD(U32, trustgate_event, inode_generation),
	[TRUSTGATE_A_EVENT_PATH] = FIELD(STRING_TAIL, trustgate_event, path),
	[TRUSTGATE_A_EVENT_PATH_CUT] = FIELD(FLAG, trustgate_event, path_cut),
	[TRUSTGATE_A_EVENT_EXPIRES_BOOTTIME_NS] = FIELD(U64, trustgate_event, expires_boottime_ns),
	[TRUSTGATE_A_EVENT_TARGET_PID] = FIELD(U32, trustgate_event, target_pid),
	[TRUSTGATE_A_EVENT_MAPPINGS] = FIELD(U32, trustgate_event, mappings),
	[TRUSTGATE_A_EVENT_REQUEST_ID] = FIELD(U64, trustgate_event, request_id),
	[TRUSTGATE_A_EVENT_REQUEST_END] = FIELD(U32, trustgate_event, request_end),
};

int trustgate_decode_event(const void *attrs, size_t length, struct trustgate_event *ret)
{
	struct trustgate_event event = { 0 };
	const struct nlattr *path;
	int r;

	r = decode(event_fields, TRUSTGATE_A_EVENT_MAX, attrs, length, &event,
		   &event.present, NULL, NULL);
	if (r)
		return r;
	if (!trustgate_event_has(&event, TRUSTGATE_A_EVENT_SEQ) ||
	    !trustgate_event_has(&event, TRUSTGATE_A_EVENT_TYPE))
		return -EBADMSG;
	path = nla_find(attrs, length, TRUSTGATE_A_EVENT_PATH);
	if (path && strnlen(nla_data(path), nla_len(path)) >= sizeof(event.path))
		event.path_cut = true;
	*ret = event;
	return 0;
}

/* ---- errors ---- */

struct ext_ack_fields {
	uint32_t offset;
	uint32_t missing_type;
	uint32_t missing_nest;
};

static const struct field ext_ack_fields[] = {
	[NLMSGERR_ATTR_MSG] = { .kind = KIND_MULTI },
	[NLMSGERR_ATTR_OFFS] = FIELD(U32, ext_ack_fields, offset),
	[NLMSGERR_ATTR_MISS_TYPE] = FIELD(U32, ext_ack_fields, missing_type),
	[NLMSGERR_ATTR_MISS_NEST] = FIELD(U32, ext_ack_fields, missing_nest),
};

static int ext_ack_message(int type, const struct nlattr *attr, void *userdata)
{
	struct ext_ack *ack = userdata;

	(void)type;
	ack->message = nla_data(attr);
	ack->message_length = strnlen(ack->message, nla_len(attr));
	return 0;
}

int trustgate_decode_ext_ack(const void *attrs, size_t length, struct ext_ack *ret)
{
	struct ext_ack_fields fields = { 0 };
	struct ext_ack ack = { 0 };
	int r;

	r = decode(ext_ack_fields, NLMSGERR_ATTR_MISS_NEST, attrs, length, &fields, NULL,
		   ext_ack_message, &ack);
	if (r)
		return r;
	ack.offset = fields.offset;
	ack.missing_type = fields.missing_type;
	ack.missing_nest = fields.missing_nest;
	*ret = ack;
	return 0;
}
