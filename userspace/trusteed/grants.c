// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - giving and ending grants.
 *
 * Owns: the translation of an authorised wish into the kernel's request, and
 * the bookkeeping that goes with it.
 *
 * Must not own: whether the wish is allowed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "journal.h"

static int fill_request(struct agent *agent, const struct grant_wish *wish, uint64_t now,
			struct trustgate_grant_request *request,
			struct refusal *refusal)
{
	uint64_t begin;

	if (stopped_check(agent, wish->volume->name, refusal) < 0)
		return -EACCES;
	if (!wish->access)
		return refuse(refusal, EINVAL, "access", "no access is asked for");
	if (!wish->duration_ns)
		return refuse(refusal, EINVAL, "durationNSec", "the duration is zero");
	if (__builtin_add_overflow(now, wish->delay_ns, &begin) ||
	    __builtin_add_overflow(begin, wish->duration_ns,
				   &request->expires_boottime_ns))
		return refuse(refusal, ERANGE, "durationNSec",
			      "the duration leads beyond the end of time");

	request->volume_id = wish->volume->id;
	request->pid = wish->subject->pid;
	request->start_ticks = wish->subject->start_ticks;
	request->flags = wish->flags;
	request->object_kind = wish->object->kind;
	request->fd = wish->object->fd;
	request->access = wish->access;
	request->not_before_boottime_ns = wish->delay_ns ? begin : 0;
	request->max_uses = wish->max_uses;
	request->reason = wish->reason;
	request->ticket = wish->ticket;
	request->tag = wish->tag;
	request->renews = wish->renews;
	request->on_end = wish->on_end > wish->volume->least_on_end ?
			  wish->on_end : wish->volume->least_on_end;
	supervision_prepare(agent, wish->volume->name, wish->subject->pid, request);
	return 0;
}

/* What the kernel would answer to grant-get right now. */
static void fill_grant(const struct trustgate_grant_request *request,
		       const struct trustgate_grant_added *added, uint64_t now,
		       struct trustgate_grant *grant)
{
	memset(grant, 0, sizeof(*grant));
	grant->id = added->id;
	grant->volume_id = request->volume_id;
	grant->pid = added->pid;
	grant->start_ticks = added->start_ticks;
	grant->exec_id = added->exec_id;
	grant->flags = request->flags;
	grant->object_kind = added->object_kind;
	grant->ino = added->ino;
	grant->inode_generation = added->inode_generation;
	grant->access = request->access;
	grant->not_before_boottime_ns = request->not_before_boottime_ns;
	grant->expires_boottime_ns = request->expires_boottime_ns;
	grant->max_uses = request->max_uses;
	grant->reason = request->reason;
	grant->on_end = request->on_end;
	if (request->ticket)
		strncpy(grant->ticket, request->ticket, sizeof(grant->ticket) - 1);
	grant->tag = request->tag;
	grant->created_boottime_ns = now;
	grant->supervised_until_boottime_ns = request->supervised_until_boottime_ns;
}

/* Between pending_begin() and its end: nothing that was given gets lost. */
static int send_request(struct agent *agent, const struct grant_wish *wishes,
			const struct trustgate_grant_request *requests, size_t count,
			struct trustgate_grant_added *added, struct refusal *refusal)
{
	int r = trustgate_grant_add(agent->gate, requests, count, added);

	if (r < 0) {
		bool unsure = trustgate_error_unsure(agent->gate);

		gate_refused(agent, r, refusal);
		if (unsure)
			pending_unsure(agent);
		else
			pending_end(agent);
		return r;
	}
	for (size_t i = 0; i < count; i++) {
		ledger_add(agent, added[i].id, wishes[i].object->path);
		supervision_given(agent, &requests[i], &added[i]);
	}
	pending_end(agent);
	return 0;
}

/* On record before anything is given; what came of it, the kernel tells. */
static int record_intent(struct agent *agent, const struct grant_wish *wishes,
			 const struct trustgate_grant_request *requests, size_t count,
			 uint64_t now, struct refusal *refusal)
{
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		const struct trustgate_grant_added added = {
			.pid = requests[i].pid, .start_ticks = requests[i].start_ticks,
			.object_kind = requests[i].object_kind,
		};
		struct trustgate_grant grant;

		fill_grant(&requests[i], &added, now, &grant);
		accounting_granting(agent, wishes[i].volume->name, wishes[i].object->path, &grant);
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		r = accounting_demand(agent, wishes[i].volume->name, refusal);
	return r;
}

int grants_give(struct agent *agent, const struct grant_wish *wishes, size_t count,
		struct trustgate_grant *ret_grants, struct refusal *refusal)
{
	struct trustgate_grant_request *requests;
	struct trustgate_grant_added *added;
	uint64_t now = now_boottime_ns();
	int r = 0;

	requests = calloc(count, sizeof(*requests));
	added = calloc(count, sizeof(*added));
	if (!requests || !added) {
		r = refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
		goto out;
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		r = fill_request(agent, &wishes[i], now, &requests[i], refusal);
	if (r == 0)
		r = record_intent(agent, wishes, requests, count, now, refusal);
	if (r == 0)
		r = pending_begin(agent, refusal);
	if (r == 0)
		r = send_request(agent, wishes, requests, count, added, refusal);
	for (size_t i = 0; r == 0 && i < count; i++)
		fill_grant(&requests[i], &added[i], now, &ret_grants[i]);
	gate_poke(agent);
out:
	free(requests);
	free(added);
	return r;
}

/*
 * Ids in one message are all or nothing, so one that is gone already would keep
 * the others alive: find out which one it is. If the answer to that message was
 * lost, those that are @gone may be so by it.
 */
static int revoke_each(struct agent *agent, const uint64_t *ids, size_t count, bool gone,
		       uint64_t *ret_ended, struct refusal *refusal)
{
	uint64_t ended;
	int r, result = 0;

	for (size_t i = 0; i < count; i++) {
		r = trustgate_revoke_ids(agent->gate, &ids[i], 1, &ended);
		if (r == 0) {
			*ret_ended += ended;
		} else if (r == -ENOENT && gone) {
			(*ret_ended)++;
		} else if (r == -ENOENT) {
			refusal->kind = REFUSAL_NO_SUCH_GRANT;
			refusal->error = ENOENT;
			refusal->id = ids[i];
			result = r;
		} else {
			return gate_refused(agent, r, refusal);
		}
	}
	return result;
}

int grants_revoke_ids(struct agent *agent, const uint64_t *ids, size_t count,
		      uint64_t *ret_ended, struct refusal *refusal)
{
	uint64_t ended = 0;
	int r = 0;

	*ret_ended = 0;
	for (size_t at = 0; at < count; at += TRUSTGATE_BATCH_MAX) {
		size_t some = count - at < TRUSTGATE_BATCH_MAX ?
			      count - at : TRUSTGATE_BATCH_MAX;
		int one = trustgate_revoke_ids(agent->gate, ids + at, some, &ended);

		if (one == 0)
			*ret_ended += ended;
		else if (one == -ENOENT || trustgate_error_unsure(agent->gate))
			one = revoke_each(agent, ids + at, some, one != -ENOENT, ret_ended,
					  refusal);
		else
			return gate_refused(agent, one, refusal);
		if (one < 0 && one != -ENOENT)
			return one;
		if (one < 0)
			r = one;
	}
	gate_poke(agent);
	return r;
}

static int revoke_where(struct agent *agent, uint32_t volume_id, pid_t pid,
			uint64_t *ret_ended)
{
	if (volume_id)
		return trustgate_revoke_volume(agent->gate, volume_id, ret_ended);
	if (pid)
		return trustgate_revoke_pid(agent->gate, pid, ret_ended);
	return trustgate_revoke_all(agent->gate, ret_ended);
}

int grants_revoke_where(struct agent *agent, uint32_t volume_id, pid_t pid,
			uint64_t *ret_ended, struct refusal *refusal)
{
	int r = revoke_where(agent, volume_id, pid, ret_ended);

	if (r < 0 && trustgate_error_unsure(agent->gate)) {
		r = revoke_where(agent, volume_id, pid, ret_ended);
		if (r == 0)
			journal_note(LOG_WARNING,
				     "an answer of the kernel was lost: more grants than the following %llu were revoked",
				     (unsigned long long)*ret_ended);
	}
	gate_poke(agent);
	return r < 0 ? gate_refused(agent, r, refusal) : 0;
}
