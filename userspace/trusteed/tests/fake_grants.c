// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grants of a gate without a kernel.
 *
 * Owns: giving, listing and revoking them as libtrustgate would.
 *
 * Must not own: anything else of the gate (fake_gate.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake_gate.h"

static bool can_renew(const struct state *state, const struct trustgate_grant_request *request)
{
	for (int i = 0; i < GRANTS; i++)
		if (state->grants[i].id == request->renews)
			return state->grants[i].pid == request->pid &&
			       state->grants[i].volume_id == request->volume_id;
	return false;
}

static int add_one(struct trustgate_conn *conn, const struct trustgate_grant_request *request,
		   struct trustgate_grant_added *added)
{
	struct state *state = conn->state;
	struct trustgate_volume *volume = fake_volume(state, request->volume_id, NULL);
	struct trustgate_request asked = { 0 };
	struct trustgate_grant *grant = NULL;
	struct stat st = { 0 };

	if (!volume)
		return fake_fail(conn, ENOENT, "grant[0].volume-id", "no such volume");
	if (request->request && (request->pid || request->path))
		return fake_fail(conn, EINVAL, "grant[0].request", "the agent is to leave out what is asked");
	/* An answer may be for more than the file. */
	if ((!request->request || request->fd >= 0) &&
	    (request->fd < 0 || request->path || fstat(request->fd, &st) < 0))
		return fake_fail(conn, EBADF, "grant[0].fd", "the agent is to give a descriptor");
	if (!request->request && !request->start_ticks)
		return fake_fail(conn, EINVAL, "grant[0].start-ticks", "the agent is to give a start");
	if (request->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC &&
	    request->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC)
		return fake_fail(conn, EINVAL, "grant[0].flags", "not both");
	if (request->expires_boottime_ns - fake_now_ns() > volume->max_duration_ns)
		return fake_fail(conn, ERANGE, "grant[0].expires-boottime-ns",
				 "longer than this volume's max-duration-ns");
	if (request->renews && !can_renew(state, request))
		return fake_fail(conn, ENOENT, "grant[0].renews", "no live grant has this id");
	if (request->request && fake_take_request(conn, request->request, &asked) < 0)
		return -ENOENT;
	for (int i = 0; i < GRANTS && !grant; i++)
		if (!state->grants[i].id)
			grant = &state->grants[i];
	if (!grant)
		return fake_fail(conn, ENOSPC, NULL, "too many grants");
	*grant = (struct trustgate_grant){
		.id = ++state->last_grant,
		.volume_id = request->volume_id,
		.pid = request->request ? asked.pid : request->pid,
		.start_ticks = request->request ? asked.start_ticks : request->start_ticks,
		.flags = request->flags,
		.object_kind = request->object_kind,
		.ino = request->fd < 0 ? asked.ino : st.st_ino,
		.access = request->access,
		.not_before_boottime_ns = request->not_before_boottime_ns,
		.expires_boottime_ns = request->expires_boottime_ns,
		.max_uses = request->max_uses,
		.on_end = request->on_end,
		.reason = request->reason,
		.tag = request->tag,
		.created_boottime_ns = fake_now_ns(),
		.supervised_until_boottime_ns = request->supervised_until_boottime_ns,
	};
	snprintf(grant->ticket, sizeof(grant->ticket), "%s", request->ticket ?: "");
	volume->grants++;
	*added = (struct trustgate_grant_added){
		.id = grant->id, .pid = grant->pid, .start_ticks = grant->start_ticks,
		.object_kind = grant->object_kind, .ino = grant->ino,
	};
	return 0;
}

int trustgate_grant_add(struct trustgate_conn *conn,
			const struct trustgate_grant_request *requests, size_t count,
			struct trustgate_grant_added *ret_added)
{
	int r = 0;

	if (trustgate_agent_is_self(conn) != 1)
		return fake_fail(conn, EPERM, NULL, "not the agent");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_one(conn, &requests[i], &ret_added[i]);
	return r < 0 ? r : fake_answer(conn, "grant-add");
}

int trustgate_grant_get(struct trustgate_conn *conn, uint64_t id, struct trustgate_grant *ret)
{
	for (int i = 0; i < GRANTS; i++)
		if (conn->state->grants[i].id == id) {
			*ret = conn->state->grants[i];
			return 0;
		}
	return fake_fail(conn, ENOENT, "id", "no such grant");
}

int trustgate_grant_each(struct trustgate_conn *conn, const struct trustgate_grant_filter *filter,
			 const struct trustgate_grant_visitor *visitor, void *userdata,
			 struct trustgate_dump *ret_dump)
{
	int r = visitor->begin ? visitor->begin(userdata) : 0;

	(void)ret_dump;
	if (r == 0)
		r = fake_answer(conn, "grant-get");
	for (int i = 0; r == 0 && i < GRANTS; i++) {
		const struct trustgate_grant *grant = &conn->state->grants[i];

		if (!grant->id || (filter && filter->volume_id &&
				   grant->volume_id != filter->volume_id) ||
		    (filter && filter->pid && grant->pid != filter->pid))
			continue;
		r = visitor->grant(grant, userdata);
	}
	return r;
}

struct collected {
	struct trustgate_grant *grants;
	size_t count;
};

static int collect(const struct trustgate_grant *grant, void *userdata)
{
	struct collected *collected = userdata;

	collected->grants[collected->count++] = *grant;
	return 0;
}

int trustgate_grant_list(struct trustgate_conn *conn, const struct trustgate_grant_filter *filter,
			 struct trustgate_grant **ret_grants, size_t *ret_count,
			 struct trustgate_dump *ret_dump)
{
	static const struct trustgate_grant_visitor visitor = { .grant = collect };
	struct collected collected = { .grants = fake_take(GRANTS, sizeof(struct trustgate_grant)) };

	trustgate_grant_each(conn, filter, &visitor, &collected, ret_dump);
	*ret_grants = collected.grants;
	*ret_count = collected.count;
	return 0;
}

/* As the kernel does, the ids are all looked at before any is changed. */
int trustgate_grant_supervise(struct trustgate_conn *conn, const uint64_t *ids, size_t count,
			      uint64_t until_boottime_ns, uint64_t *ret_changed)
{
	uint64_t changed = 0;

	if (trustgate_agent_is_self(conn) != 1)
		return fake_fail(conn, EPERM, NULL, "not the agent");
	if (until_boottime_ns > fake_now_ns() + TRUSTGATE_SUPERVISION_MAX_NS)
		return fake_fail(conn, ERANGE, "until-boottime-ns", "too long");
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count; i++)
			for (int j = 0; j < GRANTS; j++) {
				struct trustgate_grant *grant = &conn->state->grants[j];

				if (!ids[i] || grant->id != ids[i])
					continue;
				if (!(grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED))
					return fake_fail(conn, EINVAL, "id", "has not the flag");
				if (!pass)
					continue;
				grant->supervised_until_boottime_ns = until_boottime_ns;
				changed++;
			}
	if (ret_changed)
		*ret_changed = changed;
	return fake_answer(conn, "grant-supervise");
}

struct trustgate_grant_cursor {
	struct trustgate_conn *conn;
	struct trustgate_grant_filter filter;
	int at;
};

int trustgate_grant_cursor_open(struct trustgate_conn *conn,
				const struct trustgate_grant_filter *filter,
				struct trustgate_grant_cursor **ret_cursor)
{
	*ret_cursor = fake_take(1, sizeof(**ret_cursor));
	(*ret_cursor)->conn = conn;
	(*ret_cursor)->filter = *filter;
	return 0;
}

int trustgate_grant_cursor_next(struct trustgate_grant_cursor *cursor,
				struct trustgate_grant *grants, size_t max, size_t *ret_count)
{
	const struct trustgate_grant_filter *filter = &cursor->filter;

	*ret_count = 0;
	for (; cursor->at < GRANTS && *ret_count < max; cursor->at++) {
		const struct trustgate_grant *grant = &cursor->conn->state->grants[cursor->at];

		if (grant->id && (!filter->volume_id || grant->volume_id == filter->volume_id) &&
		    (!filter->pid || grant->pid == filter->pid))
			grants[(*ret_count)++] = *grant;
	}
	return *ret_count > 0;
}

void trustgate_grant_cursor_close(struct trustgate_grant_cursor *cursor)
{
	free(cursor);
}

void fake_grant_event(struct state *state, struct trustgate_event *event)
{
	uint64_t revoked = strtoull(event->path, NULL, 10);

	for (int i = 0; i < GRANTS; i++) {
		struct trustgate_grant *grant = &state->grants[i];

		if (!grant->id || (revoked ? grant->id != revoked : grant->pid != event->pid))
			continue;
		event->grant_id = grant->id;
		event->tag = grant->tag;
		event->end = revoked ? TRUSTGATE_END_REVOKED : TRUSTGATE_END_EXPIRED;
		/* It has ended, and what was mapped under it is there until it is cleared. */
		if (event->type == TRUSTGATE_EVENT_TYPE_GRANT_ENDED && strstr(event->path, "mapped")) {
			grant->end = event->end;
			grant->ended_boottime_ns = event->time_boottime_ns;
		} else {
			fake_end_grant(state, grant);
		}
	}
}

static int revoke_where(struct trustgate_conn *conn, uint32_t volume_id, pid_t pid,
			uint64_t *ret_ended)
{
	uint64_t ended = 0;

	for (int i = 0; i < GRANTS; i++) {
		struct trustgate_grant *grant = &conn->state->grants[i];

		if (!grant->id || (volume_id && grant->volume_id != volume_id) ||
		    (pid && grant->pid != pid))
			continue;
		fake_end_grant(conn->state, grant);
		ended++;
	}
	if (ret_ended)
		*ret_ended = ended;
	return fake_answer(conn, "grant-del");
}

int trustgate_revoke_ids(struct trustgate_conn *conn, const uint64_t *ids, size_t count,
			 uint64_t *ret_ended)
{
	struct trustgate_grant grant;

	for (size_t i = 0; i < count; i++)
		if (trustgate_grant_get(conn, ids[i], &grant) < 0)
			return fake_fail(conn, ENOENT, "id", "no such grant");
	for (size_t i = 0; i < count; i++)
		for (int j = 0; j < GRANTS; j++)
			if (conn->state->grants[j].id == ids[i])
				fake_end_grant(conn->state, &conn->state->grants[j]);
	*ret_ended = count;
	return fake_answer(conn, "grant-del");
}

int trustgate_revoke_volume(struct trustgate_conn *conn, uint32_t volume_id, uint64_t *ret_ended)
{
	return revoke_where(conn, volume_id, 0, ret_ended);
}

int trustgate_revoke_pid(struct trustgate_conn *conn, pid_t pid, uint64_t *ret_ended)
{
	return revoke_where(conn, 0, pid, ret_ended);
}

int trustgate_revoke_all(struct trustgate_conn *conn, uint64_t *ret_ended)
{
	return revoke_where(conn, 0, 0, ret_ended);
}
