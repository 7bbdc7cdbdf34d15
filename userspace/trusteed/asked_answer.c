// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - answers to opens that wait, see asked.h.
 *
 * Owns: how the two are sent, and that no grant is given unknown to the agent.
 *
 * Must not own: which of them is sent.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

static int fill(uint64_t id, uint32_t volume_id, const struct answer *answer, uint64_t now_ns,
		struct trustgate_grant_request *request, struct refusal *refusal)
{
	if (__builtin_add_overflow(now_ns, answer->duration_ns, &request->expires_boottime_ns))
		return refuse(refusal, ERANGE, "durationNSec",
			      "the duration leads beyond the end of time");
	/* The process is the request's, and so is the file, whatever it is called by now. */
	request->request = id;
	request->volume_id = volume_id;
	if (answer->object) {
		request->object_kind = answer->object->kind;
		request->fd = answer->object->fd;
	}
	request->access = answer->access;
	request->flags = answer->flags;
	request->reason = answer->reason;
	request->ticket = answer->ticket;
	request->tag = answer->tag;
	return 0;
}

/* What is to be given, for the account, and what was, if it is over already. */
static struct trustgate_grant intended(const struct asked *asked, const struct answer *answer,
				       const struct trustgate_grant_request *request)
{
	struct trustgate_grant grant = {
		.volume_id = asked->volume_id, .pid = asked->pid, .flags = request->flags,
		.access = answer->access, .reason = answer->reason, .tag = answer->tag,
		.expires_boottime_ns = request->expires_boottime_ns,
		.created_boottime_ns = now_boottime_ns(),
		.supervised_until_boottime_ns = request->supervised_until_boottime_ns,
	};

	snprintf(grant.ticket, sizeof(grant.ticket), "%s", answer->ticket ?: "");
	return grant;
}

/* The file that was asked for by the channel, any other object by a message. */
static int give(struct agent *agent, const struct asked *asked, const struct answer *answer,
		const struct trustgate_grant_request *request,
		struct trustgate_grant_added *ret_added)
{
	const struct trustgate_answer said = {
		.request = request->request, .verdict = TRUSTGATE_VERDICT_GRANT,
		.access = request->access, .flags = request->flags,
		.reason = request->reason, .ticket = request->ticket, .tag = request->tag,
		.expires_boottime_ns = request->expires_boottime_ns,
		.supervised_until_boottime_ns = request->supervised_until_boottime_ns,
	};

	if (answer->object || !channel_is_open(agent))
		return trustgate_grant_add(agent->gate, request, 1, ret_added);
	ret_added->pid = asked->pid;
	return trustgate_channel_exchange(agent->gate, &said, false, NULL, &ret_added->id);
}

void asked_intend(struct agent *agent, const struct asked *asked, const struct answer *answer,
		  uint64_t now_ns)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;
	struct refusal ignored = { 0 };
	struct trustgate_grant grant;

	if (fill(asked->id, asked->volume_id, answer, now_ns, &request, &ignored) < 0)
		return;
	supervision_prepare(agent, asked->volume, asked->pid, &request);
	grant = intended(asked, answer, &request);
	accounting_granting(agent, asked->volume,
			    answer->object ? answer->object->path : asked->path, &grant);
}

int asked_give(struct agent *agent, const struct asked *asked, const struct answer *answer,
	       uint64_t now_ns, struct trustgate_grant *ret_grant, struct refusal *refusal)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;
	struct trustgate_grant_added added;
	struct trustgate_grant grant;
	const char *path;
	int r;

	r = stopped_check(agent, asked->volume, refusal);
	if (r == 0)
		r = fill(asked->id, asked->volume_id, answer, now_ns, &request, refusal);
	if (r < 0)
		return r;
	supervision_prepare(agent, asked->volume, asked->pid, &request);
	grant = intended(asked, answer, &request);
	path = answer->object ? answer->object->path : asked->path;
	/* Whatever else was intended meanwhile is written with it. */
	r = accounting_demand(agent, asked->volume, refusal);
	if (r == 0)
		r = pending_begin(agent, refusal);
	if (r < 0)
		return r;
	r = give(agent, asked, answer, &request, &added);
	if (r < 0) {
		bool unsure = trustgate_error_unsure(agent->gate);

		gate_refused(agent, r, refusal);
		if (unsure)
			pending_unsure(agent);
		else
			pending_end(agent);
		return r;
	}
	ledger_add(agent, added.id, path ?: "?");
	supervision_given(agent, &request, &added);
	pending_end(agent);
	/* If it is over already, this is what it was. */
	if (trustgate_grant_get(agent->gate, added.id, ret_grant) < 0) {
		grant.id = added.id;
		*ret_grant = grant;
	}
	gate_poke(agent);
	return 0;
}

int asked_grant(struct agent *agent, const struct asked *asked, const struct answer *answer,
		struct trustgate_grant *ret_grant, struct refusal *refusal)
{
	const uint64_t now_ns = now_boottime_ns();

	asked_intend(agent, asked, answer, now_ns);
	return asked_give(agent, asked, answer, now_ns, ret_grant, refusal);
}

int asked_refuse(struct agent *agent, uint64_t id, struct refusal *refusal)
{
	const struct trustgate_answer said = {
		.request = id, .verdict = TRUSTGATE_VERDICT_REFUSE,
	};
	uint64_t refused = 0;
	int r;

	if (channel_is_open(agent)) {
		r = trustgate_channel_exchange(agent->gate, &said, false, NULL, NULL);
		return r < 0 && r != -ENOENT ? gate_refused(agent, r, refusal) : r;
	}
	r = trustgate_request_refuse(agent->gate, &id, 1, &refused);
	/* Once more does no harm. */
	if (r < 0 && trustgate_error_unsure(agent->gate)) {
		r = trustgate_request_refuse(agent->gate, &id, 1, &refused);
		refused = 1;
	}
	if (r < 0)
		return gate_refused(agent, r, refusal);
	return refused ? 0 : -ENOENT;
}
