// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the server of the interface io.trustgate.Agent.
 *
 * Owns: the listening socket, the steps that all methods have in
 * common, Status and Watch.
 *
 * Must not own: who may do what (authorise.c), the other methods.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_interface.h"
#include "varlink_json.h"

/* Anybody may connect, so what one user can take is limited. */
#define CONNECTIONS_MAX			8192
#define CONNECTIONS_PER_USER_MAX	64

int varlink_authorise(struct agent *agent, sd_varlink *link, enum ask ask,
		      struct peer *ret_peer, struct refusal *refusal)
{
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = authorise(agent->config, peer.uid, ask, refusal);
	if (r == 0 && ret_peer)
		*ret_peer = peer;
	return r;
}

int varlink_refuse(struct agent *agent, sd_varlink *link, const char *method,
		   const struct refusal *refusal)
{
	sd_json_variant *body = NULL;
	struct peer peer = { .uid = (uid_t)-1 };
	struct refusal ignored;

	(void)varlink_peer(link, &peer, &ignored);
	metrics_refusal(agent);
	report_refusal(agent, method, peer.uid, peer.pid, refusal);
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_STRING("method", method),
			     SD_JSON_BUILD_PAIR_UNSIGNED("uid", peer.uid),
			     SD_JSON_BUILD_PAIR_UNSIGNED("pid", peer.pid),
			     SD_JSON_BUILD_PAIR_UNSIGNED("error", refusal->error));
	/* Unless it quotes bytes that are no text. */
	(void)sd_json_variant_set_field_string(&body, "cause", refusal->message);
	accounting_note(agent, "refused", body);
	gate_poke(agent);
	return refusal_reply(refusal, link);
}

int varlink_answer(struct agent *agent, const struct method *method, sd_varlink *link,
		   sd_json_variant *parameters, void *given)
{
	struct refusal refusal = { 0 };
	sd_json_variant *reply = NULL;
	int r;

	r = sd_varlink_dispatch(link, parameters, method->fields, given);
	if (r != 0)
		return r;
	if (!method->checks_itself)
		r = varlink_authorise(agent, link, method->ask, NULL, &refusal);
	if (r == 0)
		r = method->run(agent, link, given, &reply, &refusal);
	if (r < 0 && refusal.kind == REFUSAL_NONE)
		refuse(&refusal, -r, NULL, "the reply cannot be made: %s", strerror(-r));
	if (r < 0)
		r = varlink_refuse(agent, link, method->name, &refusal);
	else
		r = sd_varlink_reply(link, reply);
	sd_json_variant_unref(reply);
	gate_poke(agent);
	return r;
}

int varlink_dispatch_given(const char *name, sd_json_variant *variant,
			   sd_json_dispatch_flags_t flags, void *userdata)
{
	(void)name;
	(void)flags;
	*(sd_json_variant **)userdata = sd_json_variant_is_null(variant) ? NULL : variant;
	return 0;
}

int varlink_ended(uint64_t ended, sd_json_variant **ret_reply)
{
	return sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_UNSIGNED("ended", ended));
}

int varlink_read_names(char **words, enum trustgate_names set, const char *parameter,
		       uint32_t *ret_mask, struct refusal *refusal)
{
	uint32_t mask = 0, bit;

	for (; words && *words; words++) {
		if (trustgate_value(set, *words, &bit) < 0)
			return refuse(refusal, EINVAL, parameter, "\"%.64s\" is not known",
				      *words);
		mask |= bit;
	}
	*ret_mask = mask;
	return 0;
}

void varlink_free_words(char **words)
{
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
}

int varlink_volume_names(struct agent *agent, struct volume_names *names,
			 struct refusal *refusal)
{
	int r = trustgate_volume_list(agent->gate, &names->volumes, &names->count, NULL);

	return r < 0 ? gate_refused(agent, r, refusal) : 0;
}

const char *varlink_volume_name(const struct volume_names *names, uint32_t id)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->volumes[i].id == id)
			return names->volumes[i].name;
	return "";
}

int varlink_grants(struct agent *agent, const struct trustgate_grant *grants, size_t count,
		   const struct volume_names *names, sd_json_variant **ret)
{
	sd_json_variant *list = NULL;
	int r;

	r = sd_json_variant_new_array(&list, NULL, 0);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		sd_json_variant *grant = NULL;

		r = varlink_json_grant(&grants[i],
				       varlink_volume_name(names, grants[i].volume_id),
				       ledger_path(agent, grants[i].id), &grant);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, grant);
		sd_json_variant_unref(grant);
	}
	if (r < 0)
		list = sd_json_variant_unref(list);
	*ret = list;
	return r;
}

/* ---- Status ---- */

static const char *state_name(const struct agent *agent, const struct trustgate_gate *gate)
{
	if (gate->state != TRUSTGATE_GATE_STATE_BROKEN &&
	    (volumes_unprotected(agent) || services_failing(agent)))
		return "degraded";
	return trustgate_name(TRUSTGATE_NAMES_GATE_STATE, gate->state) ?: "unknown";
}

static int run_status(struct agent *agent, sd_varlink *link, void *given,
		      sd_json_variant **ret_reply, struct refusal *refusal)
{
	struct trustgate_gate gate = { 0 };
	uint64_t break_glass;
	struct refusal ignored;
	int r;

	(void)link;
	(void)given;
	r = trustgate_gate_get(agent->gate, &gate);
	if (r < 0)
		return gate_refused(agent, r, refusal);
	/* If that cannot be read, the problem that keeps it from being is told. */
	(void)docket_unacknowledged(agent, &break_glass, &ignored);
	r = varlink_json_status(agent, &gate, state_name(agent, &gate), break_glass, ret_reply);
	trustgate_gate_clear(&gate);
	return r;
}

static int method_status(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = { { 0 } };
	static const struct method method = { "Status", fields, ASK_READ, .run = run_status };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, NULL);
}

/* ---- Watch ---- */

struct watch_parameters {
	uint64_t grant;
	const char *volume;
};

/* Who watches may read; who supervises may do so where he does. */
static int add_watcher(struct agent *agent, sd_varlink *link,
		       const struct watch_parameters *given, struct refusal *refusal)
{
	const bool supervises = given->grant || given->volume;
	struct peer peer;
	int r;

	r = supervises ? varlink_peer(link, &peer, refusal) :
			 varlink_authorise(agent, link, ASK_READ, &peer, refusal);
	if (r < 0)
		return r;
	r = watch_add(agent, link);
	if (r == -EBUSY)
		return refuse(refusal, EBUSY, NULL, "there are too many watchers already");
	if (r < 0)
		return refuse(refusal, -r, NULL, "the agent has no memory left");
	if (!supervises)
		return 0;
	r = supervision_add(agent, link, &peer, given->grant, given->volume, refusal);
	if (r < 0)
		watch_remove(agent, link);
	return r;
}

static int method_watch(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct watch_parameters
		WATCH_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	struct watch_parameters given = { 0 };
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	int r;

	r = sd_varlink_dispatch(link, parameters, fields, &given);
	if (r != 0)
		return r;
	if (!(flags & SD_VARLINK_METHOD_MORE))
		return sd_varlink_error(link, SD_VARLINK_ERROR_EXPECTED_MORE, NULL);
	r = add_watcher(agent, link, &given, &refusal);
	return r < 0 ? varlink_refuse(agent, link, "Watch", &refusal) : 0;
}

/* ---- the server ---- */

static void on_disconnect(sd_varlink_server *server, sd_varlink *link, void *userdata)
{
	struct agent *agent = userdata;

	(void)server;
	supervision_remove(agent, link);
	watch_remove(agent, link);
	listing_remove(agent, link);
}

/*
 * The socket is kept over a restart, so that a client who comes meanwhile waits
 * instead of failing.
 */
static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	/* Everybody may ask: the answer depends on who he is. */
	else if (chmod(path, 0666) < 0 || listen(fd, SOMAXCONN) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* A kept socket is good for as long as its name in the filesystem is its own. */
static bool still_named(int fd, const char *path)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	int listening = 0;
	socklen_t size = sizeof(listening);
	struct stat st;

	return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
	       address.sun_family == AF_UNIX && !strcmp(address.sun_path, path) &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
	       listening && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int get_socket(struct agent *agent, int stored_fd)
{
	const char *path = agent->options.socket_path;
	int fd;

	if (stored_fd >= 0 && still_named(stored_fd, path))
		return stored_fd;
	if (stored_fd >= 0) {
		close(stored_fd);
		store_forget(STORE_VARLINK);
	}
	fd = listen_at(path);
	if (fd < 0)
		journal_note(LOG_CRIT, "cannot listen on %s: %s", path, strerror(-fd));
	else
		store_keep(STORE_VARLINK, fd);
	return fd;
}

static int set_up_server(struct agent *agent)
{
	int r;

	r = sd_varlink_server_new(&agent->varlink, SD_VARLINK_SERVER_ACCOUNT_UID |
						   SD_VARLINK_SERVER_INHERIT_USERDATA);
	if (r < 0)
		return r;
	sd_varlink_server_set_userdata(agent->varlink, agent);
	(void)sd_varlink_server_set_description(agent->varlink, "trusteed");
	r = sd_varlink_server_set_info(agent->varlink, "Trustgate", "trusteed",
				       TRUSTGATE_VERSION, "man:trusteed(8)");
	if (r >= 0)
		r = sd_varlink_server_set_connections_max(agent->varlink, CONNECTIONS_MAX);
	if (r >= 0)
		r = sd_varlink_server_set_connections_per_uid_max(agent->varlink,
								  CONNECTIONS_PER_USER_MAX);
	if (r >= 0)
		r = sd_varlink_server_add_interface(agent->varlink,
						    &vl_interface_io_trustgate_Agent);
	if (r >= 0)
		r = sd_varlink_server_bind_method_many(agent->varlink,
			"io.trustgate.Agent.Status", method_status,
			"io.trustgate.Agent.Metrics", method_metrics,
			"io.trustgate.Agent.ListVolumes", method_list_volumes,
			"io.trustgate.Agent.AddVolume", method_add_volume,
			"io.trustgate.Agent.SetVolume", method_set_volume,
			"io.trustgate.Agent.RemoveVolume", method_remove_volume,
			"io.trustgate.Agent.Grant", method_grant,
			"io.trustgate.Agent.Ask", method_ask,
			"io.trustgate.Agent.Acknowledge", method_acknowledge,
			"io.trustgate.Agent.ListRequests", method_list_requests,
			"io.trustgate.Agent.Approve", method_approve,
			"io.trustgate.Agent.Deny", method_deny,
			"io.trustgate.Agent.ShowRequest", method_show_request,
			"io.trustgate.Agent.RevokeRequest", method_revoke_request,
			"io.trustgate.Agent.ExtendRequest", method_extend_request,
			"io.trustgate.Agent.Service", method_service,
			"io.trustgate.Agent.Revoke", method_revoke,
			"io.trustgate.Agent.Stop", method_stop,
			"io.trustgate.Agent.Start", method_start,
			"io.trustgate.Agent.Observe", method_observe,
			"io.trustgate.Agent.Unobserve", method_unobserve,
			"io.trustgate.Agent.ListGrants", method_list_grants,
			"io.trustgate.Agent.ListKeepers", method_list_keepers,
			"io.trustgate.Agent.Watch", method_watch);
	if (r >= 0)
		r = sd_varlink_server_bind_disconnect(agent->varlink, on_disconnect);
	return r;
}

int varlink_start(struct agent *agent, int stored_fd)
{
	int fd, copy, r;

	fd = get_socket(agent, stored_fd);
	if (fd < 0)
		return fd;
	r = set_up_server(agent);
	if (r < 0)
		return r;
	/* On success the server owns the descriptor. */
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close(fd);
	if (copy < 0)
		return -errno;
	r = sd_varlink_server_listen_fd(agent->varlink, copy);
	if (r < 0) {
		close(copy);
		return r;
	}
	r = sd_varlink_server_attach_event(agent->varlink, agent->event,
					   SD_EVENT_PRIORITY_NORMAL);
	return r < 0 ? r : 0;
}

void varlink_stop(struct agent *agent)
{
	agent->varlink = sd_varlink_server_unref(agent->varlink);
}
