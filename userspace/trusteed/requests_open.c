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

int requests_make_open(const struct agent *agent, const struct asked *asked, uint64_t start_ticks,
		       const char *exe, const char *unit, struct docket_request *ret_request)
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
		docket_free(&request);
	else
		*ret_request = request;
	return r;
}

static bool is_undone(const struct docket_request *request)
{
	return request->state == DOCKET_PENDING ||
	       (request->state == DOCKET_APPROVED && !request->grant_id);
}

void requests_opens_closed(struct agent *agent, struct asked *const *asked, size_t count)
{
	struct docket_request *requests = calloc(count, sizeof(*requests));
	const char **causes = calloc(count, sizeof(*causes));
	struct refusal ignored = { 0 };
	size_t undone = 0;

	/* What is not put on record now is after the next comparison with the kernel. */
	for (size_t i = 0; requests && causes && i < count; i++) {
		if (docket_get(agent, asked[i]->number, &requests[undone], &ignored) < 0)
			continue;
		if (is_undone(&requests[undone]))
			causes[undone++] = asked[i]->why;
		else
			docket_free(&requests[undone]);
	}
	if (undone)
		(void)docket_expire(agent, requests, causes, undone, &ignored);
	docket_free_requests(requests, undone);
	free(causes);
}

void requests_untaken_closed(struct agent *agent, uint64_t kernel_id, const char *cause)
{
	const struct docket_filter filter = {
		.boot = docket_boot(agent), .kernel_id = kernel_id, .ungranted = true,
		.states = UINT32_C(1) << DOCKET_PENDING | UINT32_C(1) << DOCKET_APPROVED,
		.newest_first = true, .max = 1,
	};
	struct docket_request *requests;
	struct refusal ignored;
	size_t count;

	if (docket_list(agent, &filter, &requests, &count, &ignored) < 0)
		return;
	if (count)
		(void)docket_expire(agent, requests, &cause, count, &ignored);
	docket_free_requests(requests, count);
}

struct asked *requests_asked(struct agent *agent, const struct docket_request *request)
{
	struct asked *asked = NULL;

	if (request->kind == DOCKET_OPEN && request->kernel_id && !request->grant_id &&
	    !strcmp(request->boot, docket_boot(agent)))
		asked = asked_fetch(agent, request->kernel_id);
	return asked && asked->number == request->id ? asked : NULL;
}
