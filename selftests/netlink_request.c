// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink_request - correct requests on a raw socket; see netlink_raw.h.
 *
 * Owns: what a test needs done that is not its subject.
 *
 * Must not own: judgement of answers.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netlink_raw.h"

/* Large, and short-lived. */
struct exchange {
	struct raw_message message;
	struct raw_answer answer;
};

static int finish(struct raw_socket *socket, struct exchange *exchange)
{
	int err = raw_ask(socket, &exchange->message, &exchange->answer);

	return err ? err : exchange->answer.error;
}

int raw_bind(struct raw_socket *socket, const char *secret32)
{
	struct exchange *exchange = malloc(sizeof(*exchange));
	int err;

	if (!exchange)
		return -ENOMEM;
	raw_begin(&exchange->message, socket, TRUSTGATE_CMD_AGENT_BIND);
	raw_put(&exchange->message, TRUSTGATE_A_AGENT_SECRET, secret32,
		TRUSTGATE_SECRET_LEN);
	err = finish(socket, exchange);
	free(exchange);
	return err;
}

int raw_gate(struct raw_socket *socket, struct raw_gate *gate)
{
#define FIND(name)	raw_find(reply, length, TRUSTGATE_A_GATE_##name)
	struct exchange *exchange = malloc(sizeof(*exchange));
	const unsigned char *reply, *at;
	size_t length;
	int err;

	if (!exchange)
		return -ENOMEM;
	memset(gate, 0, sizeof(*gate));
	raw_begin(&exchange->message, socket, TRUSTGATE_CMD_GATE_GET);
	err = finish(socket, exchange);
	if (err)
		goto out;
	reply = exchange->answer.reply;
	length = exchange->answer.length;
	for (uint16_t type = 1; type <= TRUSTGATE_A_GATE_MAX; type++) {
		if (raw_find(reply, length, type))
			gate->has |= 1U << type;
	}
	gate->abi_version = raw_u32(FIND(ABI_VERSION));
	gate->state = raw_u32(FIND(STATE));
	gate->agent_portid = raw_u32(FIND(AGENT_PORTID));
	gate->agent_pid = (int32_t)raw_u32(FIND(AGENT_PID));
	gate->volumes = raw_u32(FIND(VOLUMES));
	gate->volumes_max = raw_u32(FIND(VOLUMES_MAX));
	gate->grants = raw_u64(FIND(GRANTS));
	gate->grants_max = raw_u64(FIND(GRANTS_MAX));
	gate->grants_bytes_max = raw_u64(FIND(GRANTS_BYTES_MAX));
	gate->subjects = raw_u64(FIND(SUBJECTS));
	gate->event_seq = raw_u64(FIND(EVENT_SEQ));
	gate->events_dropped = raw_u64(FIND(EVENTS_DROPPED));
	gate->events_agent_missed = raw_u64(FIND(EVENTS_AGENT_MISSED));
	gate->events_max = raw_u32(FIND(EVENTS_MAX));
	gate->audit_suppressed = raw_u64(FIND(AUDIT_SUPPRESSED));
	gate->proofs = raw_u64(FIND(PROOFS));
	gate->proof_boottime_ns = raw_u64(FIND(PROOF_BOOTTIME_NS));
	at = reply;
	while ((at = (const unsigned char *)raw_find(at, length -
						     (size_t)(at - reply),
						     TRUSTGATE_A_GATE_HOOK))) {
		gate->hooks++;
		at += NLA_ALIGN(((const struct nlattr *)at)->nla_len);
		if (at >= reply + length)
			break;
	}
out:
	free(exchange);
	return err;
#undef FIND
}

int raw_volume_add(struct raw_socket *socket, const char *name,
		   const char *path, uint32_t on_agent_loss, uint32_t record)
{
	struct exchange *exchange = malloc(sizeof(*exchange));
	int result;

	if (!exchange)
		return -ENOMEM;
	raw_begin(&exchange->message, socket, TRUSTGATE_CMD_VOLUME_ADD);
	raw_put_string(&exchange->message, TRUSTGATE_A_VOLUME_NAME, name);
	raw_put_string(&exchange->message, TRUSTGATE_A_VOLUME_PATH, path);
	raw_put_u32(&exchange->message, TRUSTGATE_A_VOLUME_ON_AGENT_LOSS,
		    on_agent_loss);
	raw_put_u32(&exchange->message, TRUSTGATE_A_VOLUME_RECORD, record);
	result = finish(socket, exchange);
	if (!result)
		result = (int)raw_u32(raw_find(exchange->answer.reply,
					       exchange->answer.length,
					       TRUSTGATE_A_VOLUME_ID));
	free(exchange);
	return result;
}

int raw_volume_del(struct raw_socket *socket, uint32_t id)
{
	struct exchange *exchange = malloc(sizeof(*exchange));
	int err;

	if (!exchange)
		return -ENOMEM;
	raw_begin(&exchange->message, socket, TRUSTGATE_CMD_VOLUME_DEL);
	raw_put_u32(&exchange->message, TRUSTGATE_A_VOLUME_ID, id);
	err = finish(socket, exchange);
	free(exchange);
	return err;
}

void raw_put_wish(struct raw_message *message, const struct raw_wish *wish)
{
	uint64_t for_ns = wish->for_ns ? wish->for_ns : 60 * RAW_SECOND_NS;
	size_t nest = raw_nest(message, TRUSTGATE_A_BATCH_GRANT);

	raw_put_u32(message, TRUSTGATE_A_GRANT_VOLUME_ID, wish->volume);
	raw_put_u32(message, TRUSTGATE_A_GRANT_PID, (uint32_t)wish->pid);
	if (wish->flags)
		raw_put_u32(message, TRUSTGATE_A_GRANT_FLAGS, wish->flags);
	raw_put_u32(message, TRUSTGATE_A_GRANT_OBJECT_KIND, wish->kind);
	raw_put_string(message, TRUSTGATE_A_GRANT_PATH,
		       wish->path ? wish->path : ".");
	raw_put_u32(message, TRUSTGATE_A_GRANT_ACCESS, wish->access);
	raw_put_u64(message, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS,
		    raw_now_ns() + for_ns);
	if (wish->max_uses)
		raw_put_u32(message, TRUSTGATE_A_GRANT_MAX_USES,
			    wish->max_uses);
	raw_put_u32(message, TRUSTGATE_A_GRANT_REASON,
		    wish->reason ? wish->reason : TRUSTGATE_REASON_INCIDENT);
	if (wish->ticket)
		raw_put_string(message, TRUSTGATE_A_GRANT_TICKET,
			       wish->ticket);
	if (wish->tag)
		raw_put_u64(message, TRUSTGATE_A_GRANT_TAG, wish->tag);
	raw_nest_end(message, nest);
}

uint64_t raw_grant(struct raw_socket *socket, const struct raw_wish *wish)
{
	struct exchange *exchange = malloc(sizeof(*exchange));
	const struct nlattr *added;
	uint64_t id = 0;
	int err;

	if (!exchange)
		return 0;
	raw_begin(&exchange->message, socket, TRUSTGATE_CMD_GRANT_ADD);
	raw_put_wish(&exchange->message, wish);
	err = finish(socket, exchange);
	if (!err) {
		added = raw_find(exchange->answer.reply,
				 exchange->answer.length,
				 TRUSTGATE_A_BATCH_ADDED);
		if (added)
			id = raw_u64(raw_find(added + 1,
					      added->nla_len - NLA_HDRLEN,
					      TRUSTGATE_A_GRANT_ID));
	}
	free(exchange);
	errno = -err;
	return id;
}

int raw_revoke(struct raw_socket *socket, uint64_t id)
{
	struct exchange *exchange = malloc(sizeof(*exchange));
	int err;

	if (!exchange)
		return -ENOMEM;
	raw_begin(&exchange->message, socket, TRUSTGATE_CMD_GRANT_DEL);
	if (id)
		raw_put_u64(&exchange->message, TRUSTGATE_A_REVOCATION_ID, id);
	else
		raw_put_flag(&exchange->message, TRUSTGATE_A_REVOCATION_ALL);
	err = finish(socket, exchange);
	free(exchange);
	return err;
}

static void count_one(const void *attrs, size_t length, void *context)
{
	(*(long *)context)++;
}

long raw_count_grants(struct raw_socket *socket)
{
	struct raw_message *message = malloc(sizeof(*message));
	long count = 0;
	int err;

	if (!message)
		return -ENOMEM;
	raw_begin(message, socket, TRUSTGATE_CMD_GRANT_GET);
	err = raw_dump(socket, message, count_one, &count, NULL, NULL);
	free(message);
	return err ? err : count;
}
