// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - break-glass: a grant that somebody takes first and answers for later.
 *
 * Owns: who may, that it is on record and told to everybody before it is given,
 * and that it is not forgotten until a trustee has acknowledged it.
 *
 * Must not own: the grant (requests_grant.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "authorise.h"
#include "journal.h"
#include "requests.h"

static int not_permitted(struct agent *agent, const struct docket_request *request,
			 struct refusal *refusal)
{
	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(agent->config, request->requester, refusal->who, sizeof(refusal->who));
	snprintf(refusal->message, sizeof(refusal->message), "break the glass of volume \"%.64s\"",
		 request->volume);
	snprintf(refusal->cure, sizeof(refusal->cure),
		 "ask for it with --ask, or a trustee for a rule in break-glass");
	return -EPERM;
}

static int check(struct agent *agent, const struct docket_request *request,
		 struct refusal *refusal)
{
	const struct config_volume *volume = config_find_volume(agent->config, request->volume);
	char time[TRUSTGATE_DURATION_SIZE];

	/* The same whether there is such a volume or not. */
	if (!volume || !config_users_have(volume->glass_users, volume->glass_users_count,
					  request->requester))
		return not_permitted(agent, request, refusal);
	if (request->reason != TRUSTGATE_REASON_EMERGENCY)
		return refuse(refusal, EINVAL, "reason", "only an emergency breaks the glass");
	if (!request->comment)
		return refuse(refusal, EINVAL, "comment",
			      "who breaks the glass has to say what has happened");
	if (request->max_duration_ns > volume->glass_ns)
		return refuse(refusal, ERANGE, "durationNSec", "is longer than %s, for which the glass of volume \"%s\" can be broken",
			      trustgate_duration_format(volume->glass_ns, time), volume->name);
	return 0;
}

static void alert(struct agent *agent, const struct docket_request *request)
{
	char time[TRUSTGATE_DURATION_SIZE], who[96];
	struct record record;

	authorise_name(agent->config, request->requester, who, sizeof(who));
	record_begin(&record, LOG_ALERT, MESSAGE_ID_BREAK_GLASS,
		     "BREAK-GLASS: %s takes access to \"%.256s\" on volume \"%s\" for %s: %.256s; trustgate acknowledge %llu",
		     who, request->path ?: "?", request->volume,
		     trustgate_duration_format(request->max_duration_ns, time), request->comment,
		     (unsigned long long)request->id);
	record_number(&record, "TRUSTGATE_REQUEST", request->id);
	record_text(&record, "TRUSTGATE_VOLUME", request->volume);
	record_text(&record, "TRUSTGATE_COMMENT", request->comment);
	record_number(&record, "TRUSTGATE_UID", request->requester);
	record_number(&record, "TRUSTGATE_LOGINUID", request->requester_login);
	record_number(&record, "TRUSTGATE_PID", request->pid);
	record_send(&record);
}

int requests_break_glass(struct agent *agent, struct docket_request *request,
			 struct trustgate_grant *ret_grant, struct refusal *refusal)
{
	int r;

	r = check(agent, request, refusal);
	if (r == 0)
		r = requests_check_texts(request, refusal);
	if (r < 0)
		return r;
	request->kind = DOCKET_BREAK_GLASS;
	request->grant_access = request->access;
	request->raised_boottime_ns = request->deadline_boottime_ns = now_boottime_ns();
	/* On record first; what cannot be recorded is not given. */
	r = docket_raise(agent, request, 1, refusal);
	if (r == 0)
		r = docket_decide(agent, request, NULL, DOCKET_APPROVED, request->requester,
				  "break-glass", refusal);
	if (r < 0)
		return r;
	alert(agent, request);
	return requests_give(agent, request, ret_grant, refusal);
}

int requests_acknowledge(struct agent *agent, struct docket_request *request,
			 const struct docket_approval *acknowledgement, struct refusal *refusal)
{
	struct docket_approval *approvals;
	struct approval_need have;
	struct record record;
	char who[96];
	size_t count;
	int r;

	if (request->kind != DOCKET_BREAK_GLASS)
		return refuse(refusal, EINVAL, "id", "request %llu did not break the glass",
			      (unsigned long long)request->id);
	r = docket_approvals(agent, request->id, &approvals, &count, refusal);
	if (r < 0)
		return r;
	have = approval_count(agent->config, request, approvals, count);
	docket_free_approvals(approvals, count);
	if (have.trustees)
		return refuse(refusal, EALREADY, "id", "request %llu is acknowledged already",
			      (unsigned long long)request->id);
	r = docket_decide(agent, request, acknowledgement, 0, acknowledgement->uid,
			  acknowledgement->comment, refusal);
	if (r < 0)
		return r;
	authorise_name(agent->config, acknowledgement->uid, who, sizeof(who));
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_BREAK_GLASS,
		     "the broken glass of request %llu on volume \"%s\" is acknowledged by %s",
		     (unsigned long long)request->id, request->volume, who);
	record_number(&record, "TRUSTGATE_REQUEST", request->id);
	record_number(&record, "TRUSTGATE_UID", acknowledgement->uid);
	record_send(&record);
	return 0;
}
