// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods by which people decide about requests.
 *
 * Owns: the checks of what somebody approves.
 *
 * Must not own: who may (authorise_approval.c), what follows (requests.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

#define COMMENT_MAX	1024

static struct approver approver_of(const struct peer *peer)
{
	return (struct approver){ .uid = peer->uid, .loginuid = peer->loginuid };
}

static int check_comment(const char *comment, struct refusal *refusal)
{
	if (comment && strlen(comment) > COMMENT_MAX)
		return refuse(refusal, EINVAL, "comment", "a comment has at most %d bytes",
			      COMMENT_MAX);
	return 0;
}

static int check_pending(const struct docket_request *request, struct refusal *refusal)
{
	if (request->state == DOCKET_PENDING)
		return 0;
	return refuse(refusal, ENOENT, "id", "request %llu does not wait for approval: it is %s",
		      (unsigned long long)request->id, docket_state_name(request->state));
}

static int reply_request(struct agent *agent, const struct docket_request *request,
			 sd_json_variant **ret, struct refusal *refusal)
{
	sd_json_variant *json = NULL;
	int r = varlink_request(agent, request, &json, refusal);

	if (r >= 0)
		r = sd_json_variant_set_field(ret, "request", json);
	sd_json_variant_unref(json);
	return r < 0 ? r : 0;
}

/* ---- Approve ---- */

struct approve_parameters {
	uint64_t id;
	sd_json_variant *access;
	int64_t duration_ns;
	int64_t delay_ns;
	int descendants;
	int supervised;
	const char *reason;
	const char *ticket;
	const char *location;
	uint32_t retention_days;
	const char *legal_reference;
	const char *notify;
	const char *comment;
};

static int read_access(sd_json_variant *list, uint32_t *ret_access, struct refusal *refusal)
{
	char **words = NULL;
	int r;

	if (sd_json_variant_strv(list, &words) < 0)
		return refuse(refusal, EINVAL, "access", "is not a list of words");
	r = varlink_read_names(words, TRUSTGATE_NAMES_ACCESS, "access", ret_access, refusal);
	varlink_free_words(words);
	return r;
}

static int check_access(const struct approve_parameters *given,
			const struct docket_request *request, struct docket_approval *approval,
			struct refusal *refusal)
{
	int r;

	approval->access = request->access;
	if (!given->access)
		return 0;
	r = read_access(given->access, &approval->access, refusal);
	if (r < 0)
		return r;
	if (!approval->access || approval->access & ~request->access)
		return refuse(refusal, EINVAL, "access", approval->access ?
			      "is more than what is asked for" : "no access is given");
	return 0;
}

static int check_times(const struct approve_parameters *given,
		       const struct docket_request *request, struct docket_approval *approval,
		       struct refusal *refusal)
{
	uint64_t most_ns = request->max_duration_ns;
	char time[TRUSTGATE_DURATION_SIZE];

	/* More than who asked wants is never given. */
	if (given->duration_ns < 0 || (uint64_t)given->duration_ns > most_ns)
		return refuse(refusal, ERANGE, "durationNSec",
			      "is not a duration of at most %s, which is what %s",
			      trustgate_duration_format(most_ns, time),
			      request->kind == DOCKET_OPEN ? "the rule allows" : "is asked for");
	approval->duration_ns = given->duration_ns ? (uint64_t)given->duration_ns : most_ns;
	if (given->delay_ns < 0)
		return refuse(refusal, EINVAL, "delayNSec", "is negative");
	if (!given->delay_ns)
		return 0;
	if (request->kind == DOCKET_EXTENSION)
		return refuse(refusal, EINVAL, "delayNSec", "an extension has no begin of its own");
	if (__builtin_add_overflow(now_boottime_ns(), (uint64_t)given->delay_ns,
				   &approval->begin_boottime_ns))
		return refuse(refusal, ERANGE, "delayNSec", "is beyond the end of time");
	if (request->kind == DOCKET_OPEN &&
	    approval->begin_boottime_ns >= request->deadline_boottime_ns)
		return refuse(refusal, ERANGE, "delayNSec",
			      "the open of request %llu does not wait that long",
			      (unsigned long long)request->id);
	return 0;
}

/* What the request has already stays: the first who says it says it for all. */
static int take_text(char **text, const char *given, const char *parameter, uint64_t id,
		     struct refusal *refusal)
{
	if (!given || !given[0])
		return 0;
	if (*text && strcmp(*text, given))
		return refuse(refusal, EINVAL, parameter, "request %llu has \"%.128s\" already",
			      (unsigned long long)id, *text);
	if (!*text)
		*text = strdup(given);
	return *text ? 0 : refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
}

static int check_reason(const struct approve_parameters *given, struct docket_request *request,
			struct refusal *refusal)
{
	uint32_t reason = request->reason;
	int r;

	if (given->reason &&
	    trustgate_value(TRUSTGATE_NAMES_REASON, given->reason, &reason) < 0)
		return refuse(refusal, EINVAL, "reason", "\"%.64s\" is not a known reason",
			      given->reason);
	if (request->reason && reason != request->reason)
		return refuse(refusal, EINVAL, "reason", "request %llu has the reason %s already",
			      (unsigned long long)request->id,
			      trustgate_reason_name(request->reason) ?: "unknown");
	if (given->retention_days && request->retention_days &&
	    given->retention_days != request->retention_days)
		return refuse(refusal, EINVAL, "retentionDays", "request %llu has %llu already",
			      (unsigned long long)request->id,
			      (unsigned long long)request->retention_days);
	request->reason = reason;
	if (given->retention_days)
		request->retention_days = given->retention_days;
	r = take_text(&request->ticket, given->ticket, "ticket", request->id, refusal);
	if (r == 0)
		r = take_text(&request->location, given->location, "location", request->id, refusal);
	if (r == 0)
		r = take_text(&request->legal_reference, given->legal_reference, "legalReference",
			      request->id, refusal);
	if (r == 0)
		r = take_text(&request->notify, given->notify, "notify", request->id, refusal);
	return r < 0 ? r : requests_check_texts(request, refusal);
}

static int authorise_peer(struct agent *agent, const struct peer *peer,
			  const struct docket_request *request, uint32_t *ret_role,
			  struct refusal *refusal)
{
	const struct approver who = approver_of(peer);
	struct docket_approval *approvals;
	size_t count;
	int r;

	r = docket_approvals(agent, request->id, &approvals, &count, refusal);
	if (r < 0)
		return r;
	r = authorise_approve(agent->config, request, approvals, count, &who, ret_role, refusal);
	docket_free_approvals(approvals, count);
	return r;
}

static int check_approval(struct agent *agent, const struct peer *peer,
			  const struct approve_parameters *given, struct docket_request *request,
			  struct docket_approval *approval, struct refusal *refusal)
{
	struct refusal ignored;
	int r = 0;

	/* Who may see it is told what has become of it. */
	if (authorise_read_requests(agent->config, request->volume, peer->uid, &ignored) == 0)
		r = check_pending(request, refusal);
	if (r == 0)
		r = authorise_peer(agent, peer, request, &approval->role, refusal);
	if (r == 0)
		r = check_access(given, request, approval, refusal);
	if (r == 0)
		r = check_times(given, request, approval, refusal);
	if (r == 0)
		r = check_reason(given, request, refusal);
	if (r == 0)
		r = check_comment(given->comment, refusal);
	if (given->descendants > 0)
		approval->flags |= TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	if (given->supervised > 0)
		approval->flags |= TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	return r;
}

static int approve(struct agent *agent, const struct peer *peer,
		   const struct approve_parameters *given, struct docket_request *request,
		   sd_json_variant **ret_reply, struct refusal *refusal)
{
	struct docket_approval approval = {
		.uid = peer->uid, .loginuid = peer->loginuid, .approves = true,
		.comment = (char *)given->comment,
	};
	sd_json_variant *json = NULL;
	struct trustgate_grant grant;
	bool is_given = false;
	int r;

	r = check_approval(agent, peer, given, request, &approval, refusal);
	if (r == 0)
		r = requests_approve(agent, request, &approval, &grant, &is_given, refusal);
	if (r == 0)
		r = reply_request(agent, request, ret_reply, refusal);
	if (r == 0 && is_given) {
		r = varlink_json_grant(&grant, request->volume, request->path ?: "?", &json);
		if (r >= 0)
			r = sd_json_variant_set_field(ret_reply, "grant", json);
		sd_json_variant_unref(json);
	}
	return r < 0 ? r : 0;
}

static int run_approve(struct agent *agent, sd_varlink *link, void *userdata,
		       sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct approve_parameters *given = userdata;
	struct docket_request request;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = varlink_find_request(agent, given->id, &peer, &request, refusal);
	if (r < 0)
		return r;
	r = approve(agent, &peer, given, &request, ret_reply, refusal);
	docket_free(&request);
	return r;
}

int method_approve(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct approve_parameters
		APPROVE_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"Approve", fields, .checks_itself = true, .run = run_approve,
	};
	struct approve_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- Deny, RevokeRequest ---- */

struct decide_parameters {
	uint64_t id;
	const char *comment;
};

static const sd_json_dispatch_field decide_fields[] = {
#define PARAMETERS struct decide_parameters
	DECIDE_PARAMETERS(PARAMETER)
#undef PARAMETERS
	{ 0 }
};

/* To be freed if 0 is returned. */
static int find_to_take(struct agent *agent, sd_varlink *link,
			const struct decide_parameters *given, struct peer *peer,
			uint32_t *ret_role, struct docket_request *request,
			struct refusal *refusal)
{
	struct approver who;
	int r;

	r = varlink_peer(link, peer, refusal);
	if (r == 0)
		r = check_comment(given->comment, refusal);
	if (r == 0)
		r = varlink_find_request(agent, given->id, peer, request, refusal);
	if (r < 0)
		return r;
	who = approver_of(peer);
	r = authorise_deny(agent->config, request, &who, ret_role, refusal);
	if (r < 0)
		docket_free(request);
	return r;
}

static int run_deny(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct decide_parameters *given = userdata;
	struct docket_approval denial = { .comment = (char *)given->comment };
	struct docket_request request;
	struct peer peer;
	int r;

	r = find_to_take(agent, link, given, &peer, &denial.role, &request, refusal);
	if (r < 0)
		return r;
	denial.uid = peer.uid;
	denial.loginuid = peer.loginuid;
	r = check_pending(&request, refusal);
	if (r == 0)
		r = requests_deny(agent, &request, &denial, refusal);
	if (r == 0)
		r = reply_request(agent, &request, ret_reply, refusal);
	docket_free(&request);
	return r;
}

int method_deny(sd_varlink *link, sd_json_variant *parameters,
		sd_varlink_method_flags_t flags, void *userdata)
{
	static const struct method method = {
		"Deny", decide_fields, .checks_itself = true, .run = run_deny,
	};
	struct decide_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

static int run_revoke(struct agent *agent, sd_varlink *link, void *userdata,
		      sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct decide_parameters *given = userdata;
	struct docket_request request;
	uint64_t ended = 0;
	struct peer peer;
	uint32_t role;
	int r;

	r = find_to_take(agent, link, given, &peer, &role, &request, refusal);
	if (r < 0)
		return r;
	r = requests_revoke(agent, &request, peer.uid, given->comment, &ended, refusal);
	if (r == 0)
		r = reply_request(agent, &request, ret_reply, refusal);
	if (r == 0)
		r = sd_json_variant_set_field_unsigned(ret_reply, "ended", ended);
	docket_free(&request);
	return r < 0 ? r : 0;
}

int method_revoke_request(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	static const struct method method = {
		"RevokeRequest", decide_fields, .checks_itself = true, .run = run_revoke,
	};
	struct decide_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- Acknowledge ---- */

static int run_acknowledge(struct agent *agent, sd_varlink *link, void *userdata,
			   sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct decide_parameters *given = userdata;
	struct docket_approval acknowledgement = {
		.approves = true, .role = DOCKET_TRUSTEE, .comment = (char *)given->comment,
	};
	struct docket_request request;
	struct approver who;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = check_comment(given->comment, refusal);
	if (r == 0)
		r = varlink_find_request(agent, given->id, &peer, &request, refusal);
	if (r < 0)
		return r;
	who = approver_of(&peer);
	r = authorise_acknowledge(agent->config, &request, &who, refusal);
	acknowledgement.uid = peer.uid;
	acknowledgement.loginuid = peer.loginuid;
	if (r == 0)
		r = requests_acknowledge(agent, &request, &acknowledgement, refusal);
	if (r == 0)
		r = reply_request(agent, &request, ret_reply, refusal);
	docket_free(&request);
	return r;
}

int method_acknowledge(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	static const struct method method = {
		"Acknowledge", decide_fields, .checks_itself = true, .run = run_acknowledge,
	};
	struct decide_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- ExtendRequest ---- */

struct extend_parameters {
	uint64_t id;
	int64_t duration_ns;
	const char *comment;
};

static int run_extend(struct agent *agent, sd_varlink *link, void *userdata,
		      sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct extend_parameters *given = userdata;
	struct docket_request request;
	const struct decide_parameters which = { given->id, given->comment };
	struct peer peer;
	uint32_t role;
	int r;

	r = find_to_take(agent, link, &which, &peer, &role, &request, refusal);
	if (r < 0)
		return r;
	r = requests_extend(agent, &request, given->duration_ns, given->comment, peer.uid,
			    peer.loginuid, refusal);
	if (r == 0)
		r = reply_request(agent, &request, ret_reply, refusal);
	docket_free(&request);
	return r;
}

int method_extend_request(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct extend_parameters
		EXTEND_REQUEST_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"ExtendRequest", fields, .checks_itself = true, .run = run_extend,
	};
	struct extend_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
