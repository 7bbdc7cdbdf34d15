// SPDX-License-Identifier: GPL-2.0-only
/*
 * asking - opens that are put to the agent; see asking.h.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "asking.h"

static struct trustgate_volume_settings settings_for(uint64_t ask_ns)
{
	return (struct trustgate_volume_settings) {
		.fields = TRUSTGATE_VOLUME_FIELD_ASK,
		.ask_ns = ask_ns,
	};
}

int asking_volume(struct gate *gate, struct volume *volume, const char *fstype,
		  uint64_t ask_ns)
{
	const struct trustgate_volume_settings settings = settings_for(ask_ns);
	int err = volume_make(volume, 0, fstype);

	return err ?: volume_protect_with(gate, volume, &settings);
}

int asking_for(struct gate *gate, const struct volume *volume, uint64_t ask_ns)
{
	const struct trustgate_volume_settings settings = settings_for(ask_ns);

	return trustgate_volume_set(gate->conn, volume->id, &settings);
}

uint64_t asking_raised(struct gate *gate, struct trustgate_event *event)
{
	struct trustgate_event own;

	if (!event)
		event = &own;
	if (gate_wait_event(gate, TRUSTGATE_EVENT_TYPE_REQUEST_RAISED, event))
		return 0;
	return event->request_id;
}

uint32_t asking_closed(struct gate *gate, uint64_t id)
{
	struct trustgate_event event;

	while (!gate_wait_event(gate, TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED,
				&event)) {
		if (event.request_id == id)
			return event.request_end;
	}
	return TRUSTGATE_REQUEST_END_OPEN;
}

uint64_t asking_grant(struct gate *gate, uint64_t id)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;

	request.request = id;
	request.expires_boottime_ns = gate_now_ns() + 3600 * GATE_SECOND_NS;
	request.reason = TRUSTGATE_REASON_INCIDENT;
	return gate_grant(gate, &request);
}

int asking_refuse(struct gate *gate, uint64_t id)
{
	uint64_t refused = 0;
	int err = trustgate_request_refuse(gate->conn, &id, 1, &refused);

	return err ?: refused ? 0 : -ENOENT;
}

struct trustgate_answer asking_answer(uint64_t id)
{
	return (struct trustgate_answer) {
		.request = id,
		.verdict = TRUSTGATE_VERDICT_GRANT,
		.reason = TRUSTGATE_REASON_INCIDENT,
		.expires_boottime_ns = gate_now_ns() + 60 * GATE_SECOND_NS,
	};
}

struct trustgate_answer asking_refusal(uint64_t id)
{
	return (struct trustgate_answer) {
		.request = id,
		.verdict = TRUSTGATE_VERDICT_REFUSE,
	};
}

int asking_exchange(int fd, struct trustgate_exchange *raw)
{
	return ioctl(fd, TRUSTGATE_IOC_EXCHANGE, raw) ? -errno : 0;
}

int asking_poll(int fd)
{
	struct pollfd state = { .fd = fd, .events = POLLIN };

	return poll(&state, 1, 0) < 0 ? -1 : state.revents;
}

int asking_waiting(struct gate *gate, uint64_t id)
{
	static struct trustgate_request request;

	if (trustgate_request_get(gate->conn, id, &request))
		return -1;
	return (int)request.waiting;
}

unsigned int asking_open(struct gate *gate)
{
	struct trustgate_gate state = {};
	unsigned int open;

	if (trustgate_gate_get(gate->conn, &state)) {
		fprintf(stderr, "# asking: %s\n",
			trustgate_error_text(gate->conn));
		return ~0U;
	}
	open = state.requests;
	trustgate_gate_clear(&state);
	return open;
}
