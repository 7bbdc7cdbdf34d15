// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods that show requests.
 *
 * Owns: who may see which, and the replies.
 *
 * Must not own: decisions (varlink_decide.c), the database (docket.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

#define LIST_MAX	1000

int varlink_request(struct agent *agent, const struct docket_request *request,
		    sd_json_variant **ret, struct refusal *refusal)
{
	struct docket_approval *approvals;
	struct approval_need have;
	size_t count;
	int r;

	r = docket_approvals(agent, request->id, &approvals, &count, refusal);
	if (r < 0)
		return r;
	have = approval_count(agent->config, request, approvals, count);
	docket_free_approvals(approvals, count);
	return varlink_json_request(request, approval_need_of(agent->config, request), have,
				    !strcmp(request->boot, docket_boot(agent)), ret);
}

int varlink_find_request(struct agent *agent, uint64_t id, const struct peer *peer,
			 struct docket_request *ret_request, struct refusal *refusal)
{
	struct refusal ignored;
	int r = docket_get(agent, id, ret_request, refusal);

	if (r == 0 && peer->uid != ret_request->requester &&
	    authorise_read_requests(agent->config, ret_request->volume, peer->uid, &ignored) < 0) {
		docket_free(ret_request);
		r = refuse(refusal, ENOENT, "id", "there is no request %llu",
			   (unsigned long long)id);
	}
	if (r < 0 && authorise_read_requests(agent->config, NULL, peer->uid, &ignored) < 0) {
		*refusal = ignored;
		r = -EPERM;
	}
	return r;
}

/* ---- ListRequests ---- */

struct list_parameters {
	const char *volume;
	int history;
	char **states;
	int64_t since_ns;
	uint64_t before;
	uint64_t after;
	uint32_t max;
};

static int read_filter(const struct list_parameters *given, struct docket_filter *filter,
		       struct refusal *refusal)
{
	bool history = given->history > 0;

	if (given->since_ns < 0)
		return refuse(refusal, EINVAL, "sinceRealtimeNSec", "is negative");
	*filter = (struct docket_filter){
		.volume = given->volume, .since_realtime_ns = given->since_ns,
		.before_id = given->before, .after_id = given->after, .newest_first = history,
		.max = given->max,
	};
	for (char **name = given->states; name && *name; name++) {
		enum docket_state state = docket_state_by_name(*name);

		if (!state)
			return refuse(refusal, EINVAL, "states", "\"%.64s\" is not a state",
				      *name);
		filter->states |= UINT32_C(1) << state;
	}
	/* What waits: for people, or for its begin. */
	if (!history && !filter->states) {
		filter->states = UINT32_C(1) << DOCKET_PENDING | UINT32_C(1) << DOCKET_APPROVED;
		filter->ungranted = true;
	}
	/* Others wait meanwhile, and a reply has to fit into a message. */
	if (!filter->max || filter->max > LIST_MAX)
		filter->max = LIST_MAX;
	return 0;
}

/* A tenant sees what is his. To be freed; NULL with *@ret_error 0 for all. */
static const char **readable(const struct config *config, uid_t uid, int *ret_error)
{
	const char **volumes;
	size_t count = 0;

	*ret_error = 0;
	if (uid == 0 || config_is_trustee(config, uid))
		return NULL;
	volumes = calloc(config->volumes_count + 1, sizeof(*volumes));
	if (!volumes)
		*ret_error = -ENOMEM;
	for (size_t i = 0; volumes && i < config->volumes_count; i++)
		if (config_is_tenant(config, config->volumes[i].name, uid))
			volumes[count++] = config->volumes[i].name;
	return volumes;
}

static int list(struct agent *agent, const struct docket_request *requests, size_t count,
		sd_json_variant **ret, struct refusal *refusal)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < count; i++) {
		sd_json_variant *request = NULL;

		r = varlink_request(agent, &requests[i], &request, refusal);
		if (r >= 0)
			r = sd_json_variant_append_array(ret, request);
		sd_json_variant_unref(request);
	}
	return r;
}

static int reply_list(struct agent *agent, const struct docket_filter *filter,
		      sd_json_variant **ret_reply, struct refusal *refusal)
{
	struct docket_request *requests;
	sd_json_variant *array = NULL;
	size_t count;
	int r;

	r = docket_list(agent, filter, &requests, &count, refusal);
	if (r < 0)
		return r;
	r = list(agent, requests, count, &array, refusal);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("requests", array));
	sd_json_variant_unref(array);
	docket_free_requests(requests, count);
	return r < 0 ? r : 0;
}

static int run_list(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct list_parameters *given = userdata;
	const char **volumes = NULL;
	struct docket_filter filter;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = authorise_read_requests(agent->config, given->volume, peer.uid, refusal);
	if (r == 0)
		r = read_filter(given, &filter, refusal);
	if (r == 0)
		volumes = readable(agent->config, peer.uid, &r);
	if (r < 0)
		return r;
	filter.volumes = volumes;
	r = reply_list(agent, &filter, ret_reply, refusal);
	free(volumes);
	return r;
}

int method_list_requests(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct list_parameters
		LIST_REQUESTS_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"ListRequests", fields, .checks_itself = true, .run = run_list,
	};
	struct list_parameters given = { .history = -1 };
	int r;

	(void)flags;
	r = varlink_answer(userdata, &method, link, parameters, &given);
	varlink_free_words(given.states);
	return r;
}

/* ---- ShowRequest ---- */

struct show_parameters {
	uint64_t id;
};

static int add_approvals(struct agent *agent, uint64_t id, sd_json_variant **ret,
			 struct refusal *refusal)
{
	struct docket_approval *approvals;
	size_t count;
	int r;

	r = docket_approvals(agent, id, &approvals, &count, refusal);
	if (r < 0)
		return r;
	r = sd_json_variant_new_array(ret, NULL, 0);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		sd_json_variant *approval = NULL;

		r = varlink_json_approval(&approvals[i], &approval);
		if (r >= 0)
			r = sd_json_variant_append_array(ret, approval);
		sd_json_variant_unref(approval);
	}
	docket_free_approvals(approvals, count);
	return r;
}

static int add_transitions(struct agent *agent, uint64_t id, sd_json_variant **ret,
			   struct refusal *refusal)
{
	struct docket_transition *transitions;
	size_t count;
	int r;

	r = docket_transitions(agent, id, &transitions, &count, refusal);
	if (r < 0)
		return r;
	r = sd_json_variant_new_array(ret, NULL, 0);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		sd_json_variant *transition = NULL;

		r = varlink_json_transition(&transitions[i], &transition);
		if (r >= 0)
			r = sd_json_variant_append_array(ret, transition);
		sd_json_variant_unref(transition);
	}
	docket_free_transitions(transitions, count);
	return r;
}

static int show(struct agent *agent, const struct docket_request *request,
		sd_json_variant **ret_reply, struct refusal *refusal)
{
	sd_json_variant *shown = NULL, *approvals = NULL, *transitions = NULL;
	int r;

	r = varlink_request(agent, request, &shown, refusal);
	if (r >= 0)
		r = add_approvals(agent, request->id, &approvals, refusal);
	if (r >= 0)
		r = add_transitions(agent, request->id, &transitions, refusal);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("request", shown),
				   SD_JSON_BUILD_PAIR_VARIANT("approvals", approvals),
				   SD_JSON_BUILD_PAIR_VARIANT("transitions", transitions));
	sd_json_variant_unref(shown);
	sd_json_variant_unref(approvals);
	sd_json_variant_unref(transitions);
	return r;
}

static int run_show(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct show_parameters *given = userdata;
	struct docket_request request;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = varlink_find_request(agent, given->id, &peer, &request, refusal);
	if (r < 0)
		return r;
	r = show(agent, &request, ret_reply, refusal);
	docket_free(&request);
	return r < 0 ? r : 0;
}

int method_show_request(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct show_parameters
		SHOW_REQUEST_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"ShowRequest", fields, .checks_itself = true, .run = run_show,
	};
	struct show_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
