// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - opens that wait for people, as requests on the docket.
 *
 * Owns: the translation of one into the other, both ways.
 *
 * Must not own: decisions (requests.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "journal.h"
#include "requests.h"

static char *copy(const char *text, int *error)
{
	char *copied = text ? strdup(text) : NULL;

	if (text && !copied)
		*error = -ENOMEM;
	return copied;
}

int requests_raise_open(struct agent *agent, struct asked *asked, uint64_t start_ticks,
			const char *exe, const char *unit, struct refusal *refusal)
{
	struct approval_need need = approval_need(agent->config, asked->volume);
	int r = 0;
	struct docket_request request = {
		.kernel_id = asked->id, .kind = DOCKET_OPEN, .volume = copy(asked->volume, &r),
		.path = copy(asked->path, &r), .access = asked->access, .pid = asked->pid,
		.start_ticks = start_ticks, .uid = asked->uid, .loginuid = asked->loginuid,
		.comm = copy(asked->comm, &r), .exe = copy(exe, &r), .unit = copy(unit, &r),
		.rule = copy(asked->rule, &r), .requester = asked->uid,
		.requester_login = asked->loginuid, .max_duration_ns = asked->max_duration_ns,
		.need_trustees = need.trustees, .need_tenants = need.tenants,
		.raised_boottime_ns = asked->raised_boottime_ns,
		.deadline_boottime_ns = asked->deadline_boottime_ns,
	};

	if (r < 0)
		refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	else
		r = docket_raise(agent, &request, refusal);
	if (r == 0 && request.state != DOCKET_PENDING && request.state != DOCKET_APPROVED)
		r = refuse(refusal, EACCES, NULL, "request %llu is %s already",
			   (unsigned long long)request.id, docket_state_name(request.state));
	asked->number = request.id;
	docket_free(&request);
	return r;
}

void requests_open_closed(struct agent *agent, const struct asked *asked, const char *cause)
{
	struct docket_request request;
	struct refusal refusal = { 0 };
	int r;

	r = docket_get(agent, asked->number, &request, &refusal);
	if (r < 0)
		return;
	if (request.state == DOCKET_PENDING ||
	    (request.state == DOCKET_APPROVED && !request.grant_id))
		r = docket_decide(agent, &request, NULL, DOCKET_EXPIRED, DOCKET_NOBODY, cause,
				  &refusal);
	docket_free(&request);
}

struct asked *requests_asked(struct agent *agent, const struct docket_request *request)
{
	struct asked *asked = request->kind == DOCKET_OPEN && request->kernel_id ?
			      asked_find(agent, request->kernel_id) : NULL;

	return asked && asked->number == request->id ? asked : NULL;
}
