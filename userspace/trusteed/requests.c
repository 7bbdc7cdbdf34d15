// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what follows from people's decisions, see requests.h.
 *
 * Owns: approving, denying and ending a request, in the order that loses
 * nothing: on record first, then done.
 *
 * Must not own: who may, what is too much (varlink_decide.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "authorise.h"
#include "journal.h"
#include "requests.h"

int requests_find(struct agent *agent, uint64_t id, struct docket_request *ret_request,
		  struct refusal *refusal)
{
	int r = docket_get(agent, id, ret_request, refusal);

	if (r < 0 || ret_request->state == DOCKET_PENDING)
		return r;
	r = refuse(refusal, ENOENT, "id", "request %llu does not wait for approval: it is %s",
		   (unsigned long long)id, docket_state_name(ret_request->state));
	docket_free(ret_request);
	return r;
}

static void report(struct agent *agent, const struct docket_request *request,
		   const struct docket_approval *approval, struct approval_need have)
{
	struct approval_need need = approval_need_of(agent->config, request);
	struct record record;
	char who[96];

	authorise_name(agent->config, approval->uid, who, sizeof(who));
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_REQUEST,
		     "request %llu on volume \"%s\" is approved by %s as a %s: trustees %u of %u, tenants %u of %u",
		     (unsigned long long)request->id, request->volume, who,
		     docket_role_name(approval->role), (unsigned int)have.trustees,
		     (unsigned int)need.trustees, (unsigned int)have.tenants,
		     (unsigned int)need.tenants);
	record_number(&record, "TRUSTGATE_REQUEST", request->id);
	record_text(&record, "TRUSTGATE_VOLUME", request->volume);
	record_number(&record, "TRUSTGATE_UID", approval->uid);
	if (approval->comment)
		record_text(&record, "TRUSTGATE_COMMENT", approval->comment);
	record_send(&record);
}

void requests_report_asked(const struct agent *agent, const struct docket_request *request)
{
	struct record record;
	char who[96];

	authorise_name(agent->config, request->requester, who, sizeof(who));
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_REQUEST,
		     "%s asks for access to \"%.256s\" on volume \"%s\", %s, and waits for approval: trustgate approve %llu",
		     who, request->path ?: "?", request->volume,
		     trustgate_reason_name(request->reason) ?: "unknown reason",
		     (unsigned long long)request->id);
	record_number(&record, "TRUSTGATE_REQUEST", request->id);
	record_text(&record, "TRUSTGATE_VOLUME", request->volume);
	record_number(&record, "TRUSTGATE_UID", request->requester);
	record_number(&record, "TRUSTGATE_PID", request->pid);
	record_send(&record);
}

/* What all of them agree about, put into the request. Returns whether it is enough. */
static int agree(struct agent *agent, struct docket_request *request,
		 const struct docket_approval *approval, struct approval_need *ret_have,
		 struct refusal *refusal)
{
	struct docket_approval *approvals = NULL, *more, least;
	size_t count = 0;
	int r;

	r = docket_approvals(agent, request->id, &approvals, &count, refusal);
	if (r < 0)
		return r;
	more = reallocarray(approvals, count + 1, sizeof(*approvals));
	if (!more) {
		docket_free_approvals(approvals, count);
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	}
	approvals = more;
	approvals[count] = *approval;
	least = approval_least(approvals, count + 1);
	*ret_have = approval_count(agent->config, request, approvals, count + 1);
	docket_free_approvals(approvals, count);
	if (!least.access)
		return refuse(refusal, EINVAL, "access",
			      "nothing would be left of what others have approved");
	request->grant_access = least.access;
	request->duration_ns = least.duration_ns;
	request->begin_boottime_ns = least.begin_boottime_ns;
	if (request->kind == DOCKET_OPEN)
		request->flags = least.flags;
	else
		request->flags |= least.flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	return approval_enough(approval_need_of(agent->config, request), *ret_have);
}

int requests_approve(struct agent *agent, struct docket_request *request,
		     const struct docket_approval *approval, struct trustgate_grant *ret_grant,
		     bool *ret_given, struct refusal *refusal)
{
	struct approval_need have;
	int r;

	*ret_given = false;
	r = agree(agent, request, approval, &have, refusal);
	if (r < 0)
		return r;
	r = docket_decide(agent, request, approval, r ? DOCKET_APPROVED : 0, approval->uid,
			  approval->comment, refusal);
	if (r < 0)
		return r;
	report(agent, request, approval, have);
	if (request->state != DOCKET_APPROVED)
		return 0;
	if (request->begin_boottime_ns > now_boottime_ns()) {
		requests_due(agent, request->begin_boottime_ns);
		/* An open waits until then; others are told by the kernel's clock. */
		if (request->kind == DOCKET_OPEN)
			return 0;
	}
	r = requests_give(agent, request, ret_grant, refusal);
	*ret_given = r == 0;
	return r;
}

/* The open that waits for it, if there is one. */
static void close_open(struct agent *agent, const struct docket_request *request, uid_t uid,
		       const char *done)
{
	struct asked *asked = requests_asked(agent, request);
	struct refusal refusal = { 0 };
	char who[96], why[160];
	int r;

	if (!asked)
		return;
	r = asked_refuse(agent, asked->id, &refusal);
	if (r < 0 && r != -ENOENT)
		journal_note(LOG_ERR, "request %llu cannot be refused and runs into its time limit: %s",
			     (unsigned long long)request->id, refusal.message);
	authorise_name(agent->config, uid, who, sizeof(who));
	snprintf(why, sizeof(why), "%s by %s", done, who);
	asked_report_denied(asked, why);
	asked_drop(agent, asked);
}

int requests_deny(struct agent *agent, struct docket_request *request,
		  const struct docket_approval *denial, struct refusal *refusal)
{
	int r = docket_decide(agent, request, denial, DOCKET_REJECTED, denial->uid,
			      denial->comment, refusal);

	/* What only takes away is done in any case. */
	close_open(agent, request, denial->uid, "denied");
	if (r < 0)
		return r;
	if (request->kind != DOCKET_OPEN)
		journal_note(LOG_NOTICE, "request %llu on volume \"%s\" is denied by uid %u",
			     (unsigned long long)request->id, request->volume,
			     (unsigned int)denial->uid);
	return 0;
}

uint64_t requests_reject_all(struct agent *agent, const char *volume, uid_t uid,
			     const char *why)
{
	const struct docket_filter filter = {
		.volume = volume, .boot = docket_boot(agent),
		.states = UINT32_C(1) << DOCKET_PENDING | UINT32_C(1) << DOCKET_APPROVED,
		.kinds = UINT32_C(1) << DOCKET_PERSON | UINT32_C(1) << DOCKET_EXTENSION,
	};
	struct docket_request *requests = NULL;
	struct refusal refusal = { 0 };
	uint64_t rejected = 0;
	size_t count = 0;
	int r;

	r = docket_list(agent, &filter, &requests, &count, &refusal);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (requests[i].grant_id)
			continue;
		r = docket_decide(agent, &requests[i], NULL, DOCKET_REJECTED, uid, why, &refusal);
		rejected += r == 0;
	}
	docket_free_requests(requests, count);
	/* Nothing is given meanwhile, and nothing can be approved that is not written. */
	if (r < 0)
		journal_note(LOG_ERR, "not all requests are rejected: %s", refusal.message);
	return rejected;
}

/* What it continued, and what that did; a crash may have left some unmarked. */
static int revoke_continued(struct agent *agent, const struct docket_request *request,
			    uint64_t *ended, struct refusal *refusal)
{
	uint64_t id = request->kind == DOCKET_EXTENSION ? request->parent : 0;
	int r = 0;

	while (id && r == 0) {
		struct docket_request former;
		uint64_t more = 0;

		r = docket_get(agent, id, &former, refusal);
		if (r < 0)
			return r;
		id = former.kind == DOCKET_EXTENSION ? former.parent : 0;
		r = requests_grant_revoke(agent, &former, &more, refusal);
		docket_free(&former);
		*ended += more;
	}
	return r;
}

int requests_revoke(struct agent *agent, struct docket_request *request, uid_t uid,
		    const char *comment, uint64_t *ret_ended, struct refusal *refusal)
{
	struct refusal ignored = { 0 };
	int r = 0;

	*ret_ended = 0;
	if (request->state != DOCKET_APPROVED)
		return refuse(refusal, ENOENT, "id", "request %llu has no grant to end: it is %s%s%s",
			      (unsigned long long)request->id, docket_state_name(request->state),
			      request->state == DOCKET_EXTENDED ? " " : "",
			      request->state == DOCKET_EXTENDED ? request->cause ?: "" : "");
	if (request->grant_id)
		r = requests_grant_revoke(agent, request, ret_ended, refusal);
	else
		close_open(agent, request, uid, "called off");
	if (r == 0)
		r = revoke_continued(agent, request, ret_ended, refusal);
	if (r < 0)
		return r;
	if (*ret_ended)
		report_revoke(agent, uid, 0, *ret_ended);
	request->grant_end = TRUSTGATE_END_REVOKED;
	r = docket_decide(agent, request, NULL, DOCKET_REVOKED, uid, comment, &ignored);
	/* What is approved on record would be given when it can be written again. */
	if (r < 0 && !request->grant_id) {
		*refusal = ignored;
		return r;
	}
	if (r == 0)
		return 0;
	journal_note(LOG_ERR, "that request %llu is revoked is not on record: %s",
		     (unsigned long long)request->id, ignored.message);
	return refuse(refusal, -r, NULL,
		      "the grant of request %llu has ended, but that it is revoked is not on record: %s",
		      (unsigned long long)request->id, ignored.message);
}
