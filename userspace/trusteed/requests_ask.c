// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - requests of persons, ahead of any open.
 *
 * Owns: what such a request has to say, and how many there may be.
 *
 * Must not own: its approval (requests.c), the grant (requests_grant.c).
 *
 * Anybody may ask, so nothing here looks at the volume: whether there is such a
 * file shows when it is approved, to who approves it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "authorise.h"
#include "requests.h"

/* People read them: more at once are no requests. */
#define WAITING_MAX		1024
#define WAITING_PER_USER_MAX	16
#define TEXT_MAX		1024
#define RETENTION_DAYS_MAX	36500

static int check_text(const char *name, const char *text, struct refusal *refusal)
{
	if (text && strlen(text) > TEXT_MAX)
		return refuse(refusal, EINVAL, name, "has at most %d bytes", TEXT_MAX);
	return 0;
}

static int check_order(const struct docket_request *request, struct refusal *refusal)
{
	static const char *const known[] = { "notify", "delayed", "prohibited" };
	bool is_order = request->reason == TRUSTGATE_REASON_LEGAL_ORDER;

	if (!is_order && request->legal_reference)
		return refuse(refusal, EINVAL, "legalReference", "goes with the reason legal-order");
	if (!is_order && request->notify)
		return refuse(refusal, EINVAL, "notify", "goes with the reason legal-order");
	if (!is_order)
		return 0;
	if (!request->legal_reference || !request->legal_reference[0])
		return refuse(refusal, EINVAL, "legalReference",
			      "the reason legal-order needs the reference of the order");
	for (size_t i = 0; request->notify && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(request->notify, known[i]))
			return 0;
	return refuse(refusal, EINVAL, "notify",
		      "the reason legal-order needs to say whether the tenant may be told: notify, delayed or prohibited");
}

int requests_check_texts(const struct docket_request *request, struct refusal *refusal)
{
	int r = authorise_reason(request->reason, request->ticket, refusal);

	if (r == 0)
		r = check_order(request, refusal);
	if (r == 0)
		r = check_text("comment", request->comment, refusal);
	if (r == 0)
		r = check_text("location", request->location, refusal);
	if (r == 0)
		r = check_text("legalReference", request->legal_reference, refusal);
	if (r == 0 && request->retention_days > RETENTION_DAYS_MAX)
		r = refuse(refusal, ERANGE, "retentionDays", "is more than %d", RETENTION_DAYS_MAX);
	return r;
}

static int check_crowd(struct agent *agent, const struct docket_request *request,
		       struct refusal *refusal)
{
	const struct docket_filter filter = {
		.boot = docket_boot(agent), .states = UINT32_C(1) << DOCKET_PENDING,
		.kinds = UINT32_C(1) << DOCKET_PERSON,
	};
	struct docket_request *waiting;
	size_t count, own = 0;
	int r;

	r = docket_list(agent, &filter, &waiting, &count, refusal);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		own += waiting[i].requester == request->requester;
	docket_free_requests(waiting, count);
	if (own >= WAITING_PER_USER_MAX || count >= WAITING_MAX)
		return refuse(refusal, EBUSY, NULL,
			      "there are too many requests that wait already: %zu, %zu of them yours",
			      count, own);
	return 0;
}

int requests_ask(struct agent *agent, struct docket_request *request, struct refusal *refusal)
{
	const struct config_volume *volume = config_find_volume(agent->config, request->volume);
	struct approval_need need = approval_need(agent->config, request->volume);
	int r;

	/* A name that is in no file is nobody's to approve. */
	if (!volume)
		return refuse_no_volume(refusal, request->volume);
	if (!request->access)
		return refuse(refusal, EINVAL, "access", "no access is asked for");
	if (volume->max_duration_ns && request->max_duration_ns > volume->max_duration_ns)
		return refuse(refusal, ERANGE, "durationNSec",
			      "is longer than a grant on volume \"%s\" may be", volume->name);
	r = requests_check_texts(request, refusal);
	if (r == 0)
		r = check_crowd(agent, request, refusal);
	if (r < 0)
		return r;
	request->kind = DOCKET_PERSON;
	request->need_trustees = need.trustees;
	request->need_tenants = need.tenants;
	request->raised_boottime_ns = now_boottime_ns();
	request->deadline_boottime_ns = request->raised_boottime_ns + volume->pending_ns;
	r = docket_raise(agent, request, 1, refusal);
	if (r < 0)
		return r;
	requests_due(agent, request->deadline_boottime_ns);
	requests_report_asked(agent, request);
	return 0;
}
