// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods that give and end grants.
 *
 * Owns: the order in which a request is read, checked and carried out.
 *
 * Must not own: the rules (authorise.c), the making of a grant (grants.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process_entry.h"
#include "renewed.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

/* ---- Grant ---- */

struct grant_parameters {
	const char *volume;
	const char *path;
	pid_t pid;
	char **access;
	int64_t duration_ns;
	int64_t delay_ns;
	uint32_t max_uses;
	int subtree;
	int descendants;
	int keep_exec;
	int next_exec;
	int supervised;
	const char *on_end;
	const char *reason;
	const char *ticket;
};

/**
 * struct grant_request - a Grant call on its way
 * @peer: who asks
 * @uses_rule: only a rule in self-grants can allow it
 * @wish: what it becomes
 * @volume: for @wish
 * @subject: for @wish
 * @object: for @wish
 * @root_fd: root of the volume, while the call lasts
 */
struct grant_request {
	struct peer peer;
	bool uses_rule;
	struct grant_wish wish;
	struct trustgate_volume volume;
	struct subject subject;
	struct object object;
	int root_fd;
};

static int check_values(const struct grant_parameters *given, struct grant_wish *wish,
			struct refusal *refusal)
{
	int r;

	if (given->duration_ns <= 0)
		return refuse(refusal, EINVAL, "durationNSec", "is not a positive duration");
	if (given->delay_ns < 0)
		return refuse(refusal, EINVAL, "delayNSec", "is negative");
	r = varlink_read_names(given->access, TRUSTGATE_NAMES_ACCESS, "access",
			       &wish->access, refusal);
	if (r == 0 && !wish->access)
		r = refuse(refusal, EINVAL, "access", "no access is asked for");
	if (r == 0 && given->on_end &&
	    trustgate_value(TRUSTGATE_NAMES_ON_END, given->on_end, &wish->on_end) < 0)
		r = refuse(refusal, EINVAL, "onEnd",
			   "\"%.64s\" is none of deny-io, unmap and kill", given->on_end);
	if (r == 0 && trustgate_value(TRUSTGATE_NAMES_REASON, given->reason,
				      &wish->reason) < 0)
		r = refuse(refusal, EINVAL, "reason", "\"%.64s\" is not a known reason",
			   given->reason);
	if (r == 0)
		r = authorise_reason_alone(wish->reason, given->ticket, refusal);
	if (r < 0)
		return r;
	wish->duration_ns = given->duration_ns;
	wish->delay_ns = given->delay_ns;
	wish->max_uses = given->max_uses;
	wish->ticket = given->ticket && given->ticket[0] ? given->ticket : NULL;
	if (given->descendants > 0)
		wish->flags |= TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	if (given->keep_exec > 0)
		wish->flags |= TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	if (given->next_exec > 0)
		wish->flags |= TRUSTGATE_GRANT_FLAGS_NEXT_EXEC;
	if (given->supervised > 0)
		wish->flags |= TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	return 0;
}

/*
 * The number of another process means what the asker means only if both count
 * alike: "NSpid:" of /proc/PID/status has one number for each pid namespace.
 */
static bool counts_alike(pid_t pid)
{
	int entry = process_entry_open(pid);
	bool alike = false;
	char line[256];
	FILE *stream;

	if (entry < 0)
		return false;
	stream = process_entry_text(entry, "status");
	close(entry);
	if (!stream)
		return false;
	while (fgets(line, sizeof(line), stream)) {
		int first, second;

		if (strncmp(line, "NSpid:", strlen("NSpid:")))
			continue;
		alike = sscanf(line, "NSpid: %d %d", &first, &second) == 1;
		break;
	}
	fclose(stream);
	return alike;
}

/* Who gets it, and whether the asker may decide that. */
static int find_subject(struct agent *agent, const struct grant_parameters *given,
			struct grant_request *request, struct refusal *refusal)
{
	const struct peer *peer = &request->peer;
	bool itself = !given->pid || given->pid == peer->pid;

	request->uses_rule = !config_is_trustee(agent->config, peer->uid);
	if (!itself) {
		int r = authorise(agent->config, peer->uid, ASK_GRANT, refusal);

		if (r < 0)
			return r;
		if (!counts_alike(peer->pid))
			return refuse(refusal, EXDEV, "pid",
				      "the caller is in another pid namespace, so %d may be another process to him",
				      (int)given->pid);
		return subject_open(given->pid, -1, &request->subject, refusal);
	}
	return subject_open(peer->pid, peer->pidfd, &request->subject, refusal);
}

static int is_beneath(const char *path, void *userdata)
{
	const struct grant_request *request = userdata;

	return object_beneath(request->root_fd, &request->object, path);
}

static int check_rules(struct agent *agent, struct grant_request *request,
		       struct refusal *refusal)
{
	struct self_grant wish = {
		.uid = request->peer.uid,
		.volume = request->volume.name,
		.access = request->wish.access,
		.duration_ns = request->wish.duration_ns,
		.delay_ns = request->wish.delay_ns,
		.reason = request->wish.reason,
		.beneath = is_beneath,
		.userdata = request,
	};

	return authorise_self_grant(agent->config, &wish, refusal);
}

/* Somebody whom no rule names learns nothing about volumes and their files. */
static int check_may_ask(struct agent *agent, const struct grant_parameters *given,
			 struct grant_request *request, struct refusal *refusal)
{
	if (!request->uses_rule ||
	    config_may_self_grant(agent->config, given->volume, request->peer.uid))
		return 0;
	return authorise_self_grant(agent->config, &(struct self_grant){
		.uid = request->peer.uid, .volume = given->volume }, refusal);
}

static int is_outside(const char *path, void *userdata)
{
	(void)path;
	(void)userdata;
	return 0;
}

/* The same whether it is there or not. */
static int refuse_outside(struct agent *agent, const struct grant_request *request,
			  struct refusal *refusal)
{
	refusal->attribute[0] = '\0';
	return authorise_self_grant(agent->config, &(struct self_grant){
		.uid = request->peer.uid, .volume = request->volume.name,
		.delay_ns = request->wish.delay_ns, .beneath = is_outside }, refusal);
}

static int find_object(struct agent *agent, const struct grant_parameters *given,
		       struct grant_request *request, struct refusal *refusal)
{
	enum object_wish kind = given->subtree < 0 ? OBJECT_AS_IT_IS :
				given->subtree ? OBJECT_SUBTREE : OBJECT_ONE_INODE;
	int r;

	r = volumes_get(agent, given->volume, &request->volume, refusal);
	if (r < 0)
		return r;
	r = volumes_open_root(agent, &request->volume, &request->root_fd, refusal);
	if (r < 0)
		return r;
	r = object_resolve(request->root_fd, given->path, kind, &request->object, refusal);
	if (r < 0 && request->uses_rule &&
	    !config_may_know(agent->config, given->volume, request->peer.uid, given->path))
		return refuse_outside(agent, request, refusal);
	return r;
}

/* Who says nothing gets the least that the volume allows. */
static int check_on_end(const struct grant_parameters *given,
			const struct grant_request *request, struct refusal *refusal)
{
	if (!given->on_end || request->wish.on_end >= request->volume.least_on_end)
		return 0;
	return refuse(refusal, ERANGE, "onEnd", "%s is less than volume \"%s\" demands: %s",
		      given->on_end, request->volume.name,
		      trustgate_name(TRUSTGATE_NAMES_ON_END, request->volume.least_on_end) ?:
		      "unknown");
}

static int carry_out(struct agent *agent, const struct grant_parameters *given,
		     struct grant_request *request, struct trustgate_grant *grant,
		     struct refusal *refusal)
{
	int r;

	r = check_values(given, &request->wish, refusal);
	if (r == 0)
		r = find_subject(agent, given, request, refusal);
	if (r == 0)
		r = check_may_ask(agent, given, request, refusal);
	if (r == 0)
		r = find_object(agent, given, request, refusal);
	if (r == 0 && request->uses_rule)
		r = check_rules(agent, request, refusal);
	if (r == 0)
		r = check_on_end(given, request, refusal);
	if (r < 0)
		return r;
	request->wish.volume = &request->volume;
	request->wish.subject = &request->subject;
	request->wish.object = &request->object;
	request->wish.tag = TAG_USER | request->peer.uid;
	r = grants_give(agent, &request->wish, 1, grant, refusal);
	if (r < 0)
		return r;
	/* The kernel's own record, if it is there still. */
	(void)trustgate_grant_get(agent->gate, grant->id, grant);
	report_grant(agent, request->volume.name, request->object.path, grant,
		     request->peer.uid, request->subject.comm);
	return 0;
}

static int reply_grant(const struct grant_request *request,
		       const struct trustgate_grant *grant, sd_json_variant **ret_reply)
{
	sd_json_variant *json = NULL;
	int r;

	r = varlink_json_grant(grant, request->volume.name, request->object.path, &json);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("grant", json));
	sd_json_variant_unref(json);
	return r < 0 ? r : 0;
}

static int run_grant(struct agent *agent, sd_varlink *link, void *given,
		     sd_json_variant **ret_reply, struct refusal *refusal)
{
	struct grant_request request = {
		.root_fd = -1,
		.subject.pidfd = -1,
		.object.fd = -1,
		.object.parent_fd = -1,
	};
	struct trustgate_grant grant;
	struct refusal ignored;
	uint64_t ended;
	int r;

	r = varlink_peer(link, &request.peer, refusal);
	if (r == 0)
		r = carry_out(agent, given, &request, &grant, refusal);
	if (r == 0) {
		r = reply_grant(&request, &grant, ret_reply);
		/* Who is told of a failure must not have been given something. */
		if (r < 0)
			(void)grants_revoke_ids(agent, &grant.id, 1, &ended, &ignored);
	}
	subject_close(&request.subject);
	object_close(&request.object);
	if (request.root_fd >= 0)
		close(request.root_fd);
	return r;
}

int method_grant(sd_varlink *link, sd_json_variant *parameters,
		 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct grant_parameters
		GRANT_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"Grant", fields, .checks_itself = true, .run = run_grant,
	};
	struct grant_parameters given = { .subtree = -1 };
	int r;

	(void)flags;
	r = varlink_answer(userdata, &method, link, parameters, &given);
	varlink_free_words(given.access);
	return r;
}

/* ---- Revoke ---- */

struct revoke_parameters {
	sd_json_variant *ids;
	const char *volume;
	pid_t pid;
	int all;
};

static int revoke_ids(struct agent *agent, sd_json_variant *list, uint64_t *ret_ended,
		      struct refusal *refusal)
{
	size_t count = sd_json_variant_elements(list);
	uint64_t *ids;
	int r;

	if (!count)
		return refuse(refusal, EINVAL, "ids", "is an empty list");
	ids = calloc(count, sizeof(*ids));
	if (!ids)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	for (size_t i = 0; i < count; i++) {
		int64_t id = sd_json_variant_integer(sd_json_variant_by_index(list, i));

		if (id <= 0) {
			free(ids);
			return refuse(refusal, EINVAL, "ids", "%lld is not the number of a grant",
				      (long long)id);
		}
		ids[i] = id;
	}
	r = grants_revoke_ids(agent, ids, count, ret_ended, refusal);
	free(ids);
	return r;
}

static int revoke_what(struct agent *agent, const struct revoke_parameters *given,
		       uint64_t *ret_ended, struct refusal *refusal)
{
	struct trustgate_volume volume = { 0 };
	int r;

	if (!!given->ids + !!given->volume + !!given->pid + (given->all > 0) != 1)
		return refuse(refusal, EINVAL, NULL,
			      "exactly one of ids, volume, pid and all is needed");
	if (given->ids)
		return revoke_ids(agent, given->ids, ret_ended, refusal);
	if (given->volume) {
		r = volumes_get(agent, given->volume, &volume, refusal);
		if (r < 0)
			return r;
	}
	return grants_revoke_where(agent, volume.id, given->pid, ret_ended, refusal);
}

static void note_revoke(struct agent *agent, const struct peer *peer, uint64_t ended)
{
	sd_json_variant *body = NULL;

	report_revoke(agent, peer->uid, peer->pid, ended);
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_UNSIGNED("uid", peer->uid),
			     SD_JSON_BUILD_PAIR_UNSIGNED("pid", peer->pid),
			     SD_JSON_BUILD_PAIR_UNSIGNED("ended", ended));
	accounting_note(agent, "revoked", body);
}

static int run_revoke(struct agent *agent, sd_varlink *link, void *given,
		      sd_json_variant **ret_reply, struct refusal *refusal)
{
	uint64_t ended = 0;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r < 0)
		return r;
	r = revoke_what(agent, given, &ended, refusal);
	/* Of several one may have been gone, and the others are ended. */
	if (r == 0 || ended)
		note_revoke(agent, &peer, ended);
	services_revoked(agent);
	renewed_revoked(agent);
	return r < 0 ? r : varlink_ended(ended, ret_reply);
}

int method_revoke(sd_varlink *link, sd_json_variant *parameters,
		  sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct revoke_parameters
		REVOKE_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "Revoke", fields, ASK_REVOKE, .run = run_revoke };
	struct revoke_parameters given = { .all = -1 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
