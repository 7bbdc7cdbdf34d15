// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - more time for the grant of a request.
 *
 * Owns: the new request that is made of the old one.
 *
 * Must not own: its approval (requests.c), the grant (requests_grant.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "requests.h"

/* The file may say more by the time it is approved; this is the first look. */
static int check(struct agent *agent, const struct docket_request *request, int64_t duration_ns,
		 struct refusal *refusal)
{
	uint64_t now_ns = now_boottime_ns(), all_ns;
	char time[TRUSTGATE_DURATION_SIZE];
	struct trustgate_volume volume;
	struct trustgate_grant grant;
	int r;

	if (duration_ns <= 0)
		return refuse(refusal, EINVAL, "durationNSec", "is not a positive duration");
	if (request->state != DOCKET_APPROVED ||
	    requests_grant_get(agent, request, &grant) < 0 ||
	    grant.end != TRUSTGATE_END_NONE || grant.expires_boottime_ns <= now_ns)
		return refuse(refusal, ENOENT, "id",
			      "request %llu has no live grant that could be extended: it is %s",
			      (unsigned long long)request->id,
			      docket_state_name(request->state));
	r = volumes_get(agent, request->volume, &volume, refusal);
	if (r < 0)
		return r;
	if (__builtin_add_overflow(grant.expires_boottime_ns - now_ns, (uint64_t)duration_ns,
				   &all_ns) || all_ns > volume.max_duration_ns)
		return refuse(refusal, ERANGE, "durationNSec",
			      "with what is left of the grant, it is longer than a grant on volume \"%s\" may be, which is %s",
			      volume.name, trustgate_duration_format(volume.max_duration_ns, time));
	return 0;
}

/* One at a time: the second would continue what the first has continued. */
static int check_only(struct agent *agent, const struct docket_request *request,
		      struct refusal *refusal)
{
	const struct docket_filter filter = {
		.boot = docket_boot(agent), .states = UINT32_C(1) << DOCKET_PENDING,
		.kinds = UINT32_C(1) << DOCKET_EXTENSION, .volume = request->volume,
	};
	struct docket_request *others;
	size_t count;
	int r;

	r = docket_list(agent, &filter, &others, &count, refusal);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < count; i++)
		if (others[i].parent == request->id)
			r = refuse(refusal, EEXIST, "id",
				   "request %llu asks for that already",
				   (unsigned long long)others[i].id);
	docket_free_requests(others, count);
	return r;
}

static uint64_t deadline(const struct agent *agent, const char *volume)
{
	const struct config_volume *configured = config_find_volume(agent->config, volume);

	return now_boottime_ns() + (configured ? configured->pending_ns :
				    VOLUME_PENDING_DEFAULT_NS);
}

int requests_extend(struct agent *agent, struct docket_request *request, int64_t duration_ns,
		    const char *comment, uid_t uid, uid_t loginuid, struct refusal *refusal)
{
	struct approval_need need = approval_need(agent->config, request->volume);
	char *words = comment ? strdup(comment) : NULL;
	int r;

	r = check(agent, request, duration_ns, refusal);
	if (r == 0)
		r = check_only(agent, request, refusal);
	if (r == 0 && comment && !words)
		r = refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	if (r < 0) {
		free(words);
		return r;
	}
	/* All about the process and the file stays; the rest begins anew. */
	request->parent = request->id;
	request->id = 0;
	request->kernel_id = 0;
	request->kind = DOCKET_EXTENSION;
	request->access = request->grant_access;
	request->requester = uid;
	request->requester_login = loginuid;
	free(request->comment);
	request->comment = words;
	free(request->cause);
	request->cause = NULL;
	request->max_duration_ns = request->duration_ns = duration_ns;
	request->need_trustees = need.trustees;
	request->need_tenants = need.tenants;
	request->raised_boottime_ns = now_boottime_ns();
	request->deadline_boottime_ns = deadline(agent, request->volume);
	request->begin_boottime_ns = 0;
	request->grant_access = 0;
	request->grant_id = 0;
	request->grant_end = TRUSTGATE_END_NONE;
	r = docket_raise(agent, request, 1, refusal);
	if (r == 0)
		requests_due(agent, request->deadline_boottime_ns);
	return r;
}
