// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens that wait, at a gate without a kernel.
 *
 * Owns: raising, listing, answering and closing them as libtrustgate would.
 *
 * Must not own: anything else of the gate (fake_gate.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fake_gate.h"

/* Field 22 of /proc/PID/stat; 0 if there is no such process. */
uint64_t fake_start_ticks(pid_t pid)
{
	unsigned long long ticks = 0;
	char path[32], line[1024];
	const char *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	rest = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			    &ticks) != 1)
		return 0;
	return ticks;
}

static struct trustgate_request *find(struct state *state, uint64_t id)
{
	for (int i = 0; i < REQUESTS; i++)
		if (state->requests[i].id == id && id)
			return &state->requests[i];
	return NULL;
}

static void raise_request(struct state *state, struct trustgate_event *event)
{
	struct trustgate_volume *volume = fake_volume(state, 0, event->volume_name);
	struct trustgate_request *request = NULL;

	for (int i = 0; i < REQUESTS && !request; i++)
		if (!state->requests[i].id)
			request = &state->requests[i];
	if (!request || !volume)
		return;
	memset(request, 0, sizeof(*request));
	request->id = event->request_id = ++state->last_request;
	request->volume_id = volume->id;
	request->pid = request->tid = event->pid;
	/* A pid that means another process by now. */
	request->start_ticks = fake_start_ticks(event->pid) + !!strstr(event->path, "reused");
	request->uid = 4711;
	/* He who has logged in is the one who runs the test. */
	request->loginuid = strstr(event->path, "mine") ? getuid() : (uid_t)-1;
	strcpy(request->comm, "cat");
	request->access = TRUSTGATE_ACCESS_READ;
	snprintf(request->path, sizeof(request->path), "%s", event->path);
	request->present = ~UINT64_C(0);
	request->raised_boottime_ns = fake_now_ns();
	request->deadline_boottime_ns = fake_now_ns() + volume->ask_ns;
}

void fake_request_event(struct state *state, struct trustgate_event *event)
{
	if (event->type == TRUSTGATE_EVENT_TYPE_REQUEST_RAISED) {
		raise_request(state, event);
		return;
	}
	for (int i = 0; i < REQUESTS; i++) {
		struct trustgate_request *request = &state->requests[i];

		if (!request->id || request->pid != event->pid ||
		    strcmp(request->path, event->path))
			continue;
		event->request_id = request->id;
		event->request_end = TRUSTGATE_REQUEST_END_WITHDRAWN;
		request->id = 0;
		return;
	}
	/* It is one that was answered. */
	event->request_id = state->answered.id;
	event->request_end = state->answered.end;
}

static void answered(struct state *state, struct trustgate_request *request, uint32_t end)
{
	state->answered.id = request->id;
	state->answered.end = end;
	request->id = 0;
}

int fake_take_request(struct trustgate_conn *conn, uint64_t id, struct trustgate_request *ret)
{
	struct trustgate_request *request = find(conn->state, id);

	if (!request)
		return fake_fail(conn, ENOENT, "grant[0].request", "no open request has this id");
	*ret = *request;
	answered(conn->state, request, TRUSTGATE_REQUEST_END_GRANTED);
	return 0;
}

int trustgate_request_get(struct trustgate_conn *conn, uint64_t id,
			  struct trustgate_request *ret_request)
{
	struct trustgate_request *request = find(conn->state, id);

	if (!request)
		return fake_fail(conn, ENOENT, "id", "no open request has this id");
	*ret_request = *request;
	return 0;
}

int trustgate_request_each(struct trustgate_conn *conn, uint32_t volume_id,
			   const struct trustgate_request_visitor *visitor, void *userdata,
			   struct trustgate_dump *ret_dump)
{
	int r = visitor->begin ? visitor->begin(userdata) : 0;

	(void)ret_dump;
	for (int i = 0; r == 0 && i < REQUESTS; i++) {
		const struct trustgate_request *request = &conn->state->requests[i];

		if (request->id && (!volume_id || request->volume_id == volume_id))
			r = visitor->request(request, userdata);
	}
	return r;
}

int trustgate_request_refuse(struct trustgate_conn *conn, const uint64_t *ids, size_t count,
			     uint64_t *ret_refused)
{
	uint64_t refused = 0;

	for (size_t i = 0; i < count; i++) {
		struct trustgate_request *request = find(conn->state, ids[i]);

		refused += !!request;
		if (request)
			answered(conn->state, request, TRUSTGATE_REQUEST_END_REFUSED);
	}
	*ret_refused = refused;
	return fake_answer(conn, "request-refuse");
}

/* ---- the channel ---- */

void fake_wake_channel(struct trustgate_conn *conn)
{
	if (conn->channel >= 0 && eventfd_write(conn->channel, 1) < 0)
		abort();
}

int trustgate_channel_open(struct trustgate_conn *conn)
{
	if (trustgate_agent_is_self(conn) != 1)
		return fake_fail(conn, EPERM, NULL, "not the agent");
	trustgate_channel_close(conn);
	conn->channel = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	conn->taken = 0;
	return conn->channel < 0 ? fake_fail(conn, errno, NULL, "no channel") : 0;
}

int trustgate_channel_fd(const struct trustgate_conn *conn)
{
	return conn->channel >= 0 ? conn->channel : -ENOTCONN;
}

void trustgate_channel_close(struct trustgate_conn *conn)
{
	if (conn->channel >= 0)
		close(conn->channel);
	conn->channel = -1;
}

static int answer_by_channel(struct trustgate_conn *conn, const struct trustgate_answer *answer,
			     uint64_t *ret_grant)
{
	struct trustgate_grant_request request = {
		.request = answer->request, .fd = -1, .access = answer->access,
		.flags = answer->flags, .reason = answer->reason, .ticket = answer->ticket,
		.tag = answer->tag, .expires_boottime_ns = answer->expires_boottime_ns,
		.supervised_until_boottime_ns = answer->supervised_until_boottime_ns,
	};
	struct trustgate_request *asked = find(conn->state, answer->request);
	struct trustgate_grant_added added;
	int r;

	if (!asked)
		return fake_fail(conn, ENOENT, "request", "no open request has this id");
	if (answer->verdict == TRUSTGATE_VERDICT_REFUSE) {
		answered(conn->state, asked, TRUSTGATE_REQUEST_END_REFUSED);
		return fake_answer(conn, "request-refuse");
	}
	request.volume_id = asked->volume_id;
	r = trustgate_grant_add(conn, &request, 1, &added);
	if (r == 0)
		*ret_grant = added.id;
	return r;
}

int trustgate_channel_exchange(struct trustgate_conn *conn, const struct trustgate_answer *answer,
			       bool wait, struct trustgate_request *ret_request,
			       uint64_t *ret_grant)
{
	const struct trustgate_request *next = NULL;
	eventfd_t ignored;
	int r = 0;

	if (conn->channel < 0 || wait)
		return fake_fail(conn, ENOTCONN, NULL, "there is no channel");
	if (answer)
		r = answer_by_channel(conn, answer, ret_grant);
	if (r < 0 || !ret_request)
		return r;
	/* Told to, it has nothing to be taken for now. */
	if (getenv("TRUSTGATE_FAKE_UNTAKEN")) {
		(void)eventfd_read(conn->channel, &ignored);
		return 0;
	}
	for (int i = 0; i < REQUESTS; i++) {
		const struct trustgate_request *request = &conn->state->requests[i];

		if (request->id > conn->taken && (!next || request->id < next->id))
			next = request;
	}
	if (!next) {
		(void)eventfd_read(conn->channel, &ignored);
		return 0;
	}
	conn->taken = next->id;
	*ret_request = *next;
	return 1;
}
