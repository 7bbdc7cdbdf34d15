// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the method by which a process asks for a grant that people approve.
 *
 * Owns: its parameters.
 *
 * Must not own: what is good enough (requests_ask.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

struct ask_parameters {
	const char *volume;
	const char *path;
	char **access;
	int64_t duration_ns;
	int subtree;
	int descendants;
	int keep_exec;
	int next_exec;
	int supervised;
	const char *reason;
	const char *ticket;
	const char *comment;
	const char *location;
	uint32_t retention_days;
	const char *legal_reference;
	const char *notify;
	int break_glass;
};

static char *copy(const char *text, int *error)
{
	char *copied = text && text[0] ? strdup(text) : NULL;

	if (text && text[0] && !copied)
		*error = -ENOMEM;
	return copied;
}

static int read_values(const struct ask_parameters *given, struct docket_request *request,
		       struct refusal *refusal)
{
	uint32_t access, reason;
	const char *wrong;
	int r;

	r = varlink_read_names(given->access, TRUSTGATE_NAMES_ACCESS, "access", &access, refusal);
	if (r < 0)
		return r;
	request->access = access;
	if (given->duration_ns <= 0)
		return refuse(refusal, EINVAL, "durationNSec", "is not a positive duration");
	request->max_duration_ns = request->duration_ns = given->duration_ns;
	if (trustgate_value(TRUSTGATE_NAMES_REASON, given->reason, &reason) < 0)
		return refuse(refusal, EINVAL, "reason", "\"%.64s\" is not a known reason",
			      given->reason);
	request->reason = reason;
	wrong = config_path_check(given->path, &request->path, NULL);
	if (wrong)
		return refuse(refusal, EINVAL, "path", "\"%.128s\" %s", given->path, wrong);
	request->subtree = given->subtree < 0 ? DOCKET_AS_IT_IS :
			   given->subtree ? DOCKET_SUBTREE : DOCKET_ONE_INODE;
	if (given->keep_exec > 0 && given->next_exec > 0)
		return refuse(refusal, EINVAL, "nextExec", "excludes keepExec");
	if (given->descendants > 0)
		request->flags |= TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	if (given->keep_exec > 0)
		request->flags |= TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	if (given->next_exec > 0)
		request->flags |= TRUSTGATE_GRANT_FLAGS_NEXT_EXEC;
	if (given->supervised > 0)
		request->flags |= TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	request->retention_days = given->retention_days;
	return 0;
}

static int read_texts(const struct ask_parameters *given, struct docket_request *request,
		      struct refusal *refusal)
{
	int r = 0;

	request->volume = copy(given->volume, &r);
	request->ticket = copy(given->ticket, &r);
	request->comment = copy(given->comment, &r);
	request->location = copy(given->location, &r);
	request->legal_reference = copy(given->legal_reference, &r);
	request->notify = copy(given->notify, &r);
	if (r == 0 && !request->volume)
		return refuse(refusal, EINVAL, "volume", "is empty");
	return r < 0 ? refuse(refusal, ENOMEM, NULL, "the agent has no memory left") : 0;
}

/* The process at the other end, by the kernel's word, is the one that gets it. */
static int read_subject(const struct peer *peer, struct docket_request *request,
			struct refusal *refusal)
{
	struct subject subject;
	int r;

	r = subject_open(peer->pid, peer->pidfd, &subject, refusal);
	if (r < 0)
		return r;
	request->pid = subject.pid;
	request->start_ticks = subject.start_ticks;
	request->comm = strdup(subject.comm);
	subject_close(&subject);
	request->uid = request->requester = peer->uid;
	request->loginuid = request->requester_login = peer->loginuid;
	return request->comm ? 0 : refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
}

static int run_ask(struct agent *agent, sd_varlink *link, void *userdata,
		   sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct ask_parameters *given = userdata;
	struct docket_request request = { 0 };
	sd_json_variant *json = NULL, *grant_json = NULL;
	bool break_glass = given->break_glass > 0;
	struct trustgate_grant grant;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = read_texts(given, &request, refusal);
	if (r == 0)
		r = read_values(given, &request, refusal);
	if (r == 0)
		r = read_subject(&peer, &request, refusal);
	if (r == 0)
		r = break_glass ? requests_break_glass(agent, &request, &grant, refusal) :
				  requests_ask(agent, &request, refusal);
	if (r == 0)
		r = varlink_request(agent, &request, &json, refusal);
	if (r >= 0 && break_glass)
		r = varlink_json_grant(&grant, request.volume, request.path, &grant_json);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("request", json),
				   SD_JSON_BUILD_PAIR_CONDITION(grant_json != NULL, "grant",
								SD_JSON_BUILD_VARIANT(grant_json)));
	sd_json_variant_unref(json);
	sd_json_variant_unref(grant_json);
	docket_free(&request);
	return r < 0 ? r : 0;
}

int method_ask(sd_varlink *link, sd_json_variant *parameters,
	       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct ask_parameters
		ASK_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "Ask", fields, .checks_itself = true, .run = run_ask };
	struct ask_parameters given = { .subtree = -1 };
	int r;

	(void)flags;
	r = varlink_answer(userdata, &method, link, parameters, &given);
	varlink_free_words(given.access);
	return r;
}
