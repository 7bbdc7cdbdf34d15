// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods about opens that wait for a trustee.
 *
 * Owns: who may approve what, and the checks of an approval.
 *
 * Must not own: the list (asked.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

static struct asked *find(struct agent *agent, uint64_t id, struct refusal *refusal)
{
	struct asked *asked = asked_find(agent, id);

	if (!asked)
		refuse(refusal, ENOENT, "id",
		       "request %llu does not wait for a trustee; it was decided, timed out, or withdrawn",
		       (unsigned long long)id);
	return asked;
}

/* ---- ListRequests ---- */

struct list_parameters {
	const char *volume;
};

static int run_list(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct list_parameters *given = userdata;
	sd_json_variant *list = NULL;
	int r;

	(void)link;
	(void)refusal;
	r = sd_json_variant_new_array(&list, NULL, 0);
	for (struct asked *asked = agent->asked; r >= 0 && asked; asked = asked->next) {
		sd_json_variant *request = NULL;

		if (given->volume && strcmp(given->volume, asked->volume))
			continue;
		r = varlink_json_request(asked, &request);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, request);
		sd_json_variant_unref(request);
	}
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("requests", list));
	sd_json_variant_unref(list);
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
	static const struct method method = { "ListRequests", fields, ASK_READ, .run = run_list };
	struct list_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- Approve ---- */

struct approve_parameters {
	uint64_t id;
	sd_json_variant *access;
	int64_t duration_ns;
	int descendants;
	int supervised;
	const char *reason;
	const char *ticket;
};

/* Nobody decides about himself, whoever he has become since he logged in. */
static int check_other(const struct agent *agent, const struct peer *peer,
		       const struct asked *asked, struct refusal *refusal)
{
	if (peer->uid != asked->uid && peer->uid != asked->loginuid)
		return 0;
	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(agent->config, peer->uid, refusal->who, sizeof(refusal->who));
	snprintf(refusal->message, sizeof(refusal->message),
		 "approve what he has asked for himself");
	snprintf(refusal->cure, sizeof(refusal->cure), "ask another trustee");
	return -EPERM;
}

static int read_access(sd_json_variant *list, uint32_t *ret_access, struct refusal *refusal)
{
	char **words = NULL;
	int r;

	if (sd_json_variant_strv(list, &words) < 0)
		return refuse(refusal, EINVAL, "access", "is not a list of words");
	r = varlink_read_names(words, TRUSTGATE_NAMES_ACCESS, "access", ret_access, refusal);
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
	return r;
}

/* The rule says how far an approver may go, and he may always give less. */
static int check_values(const struct approve_parameters *given, const struct asked *asked,
			struct answer *answer, struct refusal *refusal)
{
	char time[TRUSTGATE_DURATION_SIZE];
	int r = 0;

	answer->access = asked->access;
	if (given->access)
		r = read_access(given->access, &answer->access, refusal);
	if (r < 0)
		return r;
	if (!answer->access || answer->access & ~asked->access)
		return refuse(refusal, EINVAL, "access", answer->access ?
			      "is more than what is asked for" : "no access is given");
	if (given->duration_ns < 0 || (uint64_t)given->duration_ns > asked->max_duration_ns)
		return refuse(refusal, ERANGE, "durationNSec",
			      "is not a duration of at most %s, which is what rule \"%.64s\" allows",
			      trustgate_duration_format(asked->max_duration_ns, time),
			      asked->rule);
	answer->duration_ns = given->duration_ns ? (uint64_t)given->duration_ns :
						   asked->max_duration_ns;
	if (trustgate_value(TRUSTGATE_NAMES_REASON, given->reason, &answer->reason) < 0)
		return refuse(refusal, EINVAL, "reason", "\"%.64s\" is not a known reason",
			      given->reason);
	if (given->descendants > 0)
		answer->flags |= TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	if (given->supervised > 0)
		answer->flags |= TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	answer->ticket = given->ticket && given->ticket[0] ? given->ticket : NULL;
	return authorise_reason(answer->reason, given->ticket, refusal);
}

static int approve(struct agent *agent, const struct peer *peer,
		   const struct approve_parameters *given, struct asked *asked,
		   sd_json_variant **ret_reply, struct refusal *refusal)
{
	struct answer answer = { .tag = TAG_USER | peer->uid };
	const char *path = asked->path ?: "?";
	sd_json_variant *json = NULL;
	struct trustgate_grant grant;
	int r;

	r = check_other(agent, peer, asked, refusal);
	if (r == 0)
		r = check_values(given, asked, &answer, refusal);
	if (r == 0)
		r = asked_grant(agent, asked, &answer, &grant, refusal);
	if (r < 0)
		return r;
	report_grant(agent, asked->volume, path, &grant, peer->uid, asked->comm);
	r = varlink_json_grant(&grant, asked->volume, path, &json);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("grant", json));
	sd_json_variant_unref(json);
	asked_drop(agent, asked);
	return r < 0 ? r : 0;
}

static int run_approve(struct agent *agent, sd_varlink *link, void *userdata,
		       sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct approve_parameters *given = userdata;
	struct asked *asked;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r < 0)
		return r;
	asked = find(agent, given->id, refusal);
	return asked ? approve(agent, &peer, given, asked, ret_reply, refusal) : -ENOENT;
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
	static const struct method method = { "Approve", fields, ASK_APPROVE, .run = run_approve };
	struct approve_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- Deny ---- */

struct deny_parameters {
	uint64_t id;
};

static int run_deny(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct deny_parameters *given = userdata;
	char who[96], why[128];
	struct asked *asked;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r < 0)
		return r;
	asked = find(agent, given->id, refusal);
	if (!asked)
		return -ENOENT;
	r = asked_refuse(agent, asked->id, refusal);
	if (r < 0 && r != -ENOENT)
		return r;
	authorise_name(agent->config, peer.uid, who, sizeof(who));
	snprintf(why, sizeof(why), "denied by %s", who);
	asked_report_denied(asked, why);
	asked_drop(agent, asked);
	return sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_CONDITION(false, "none",
								     SD_JSON_BUILD_NULL));
}

int method_deny(sd_varlink *link, sd_json_variant *parameters,
		sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct deny_parameters
		DENY_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "Deny", fields, ASK_REVOKE, .run = run_deny };
	struct deny_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
