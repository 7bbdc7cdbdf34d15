/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gate without a kernel, see fake_gate.c: its state, and what its two files
 * share.
 */
#ifndef _TRUSTEED_FAKE_GATE_H
#define _TRUSTEED_FAKE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trustgate.h>

#define VOLUMES	8
#define GRANTS	4096
#define REQUESTS	64

struct state {
	char agent[32];
	uint32_t agent_port;
	pid_t agent_pid;
	uint8_t secret[TRUSTGATE_SECRET_LEN];
	uint32_t ports;
	uint32_t last_volume;
	uint64_t last_grant;
	uint64_t last_request;
	uint64_t seq;
	struct {
		uint64_t id;
		uint32_t end;
	} answered;
	struct trustgate_volume volumes[VOLUMES];
	struct trustgate_observation observations[VOLUMES];
	struct trustgate_grant grants[GRANTS];
	struct trustgate_request requests[REQUESTS];
};

struct trustgate_conn {
	struct state *state;
	int fd;
	uint32_t port;
	char name[32];
	char error[256];
	char attribute[64];
	bool has_message;
	bool unsure;
	int channel;
	uint64_t taken;
};

/* Note a failure with the kernel's words; returns -@error. */
__attribute__((format(printf, 4, 5)))
int fake_fail(struct trustgate_conn *conn, int error, const char *attribute,
	      const char *format, ...);

/*
 * What a request with its name gets for an answer. The test puts a file beside
 * that of the state, and a request that was done finds it once: "lose-NAME" is
 * an answer that never came, "kill-NAME" the death of the agent meanwhile.
 */
int fake_answer(struct trustgate_conn *conn, const char *name);

/* A test without memory has nothing to say. */
void *fake_take(size_t count, size_t size);

uint64_t fake_now_ns(void);

/* By @id, or if that is 0 by @name. */
struct trustgate_volume *fake_volume(struct state *state, uint32_t id, const char *name);

/* An event about a request has happened: it is raised, or closed. */
void fake_request_event(struct state *state, struct trustgate_event *event);

/* The request that a grant answers, which closes it. Returns 0 or -ENOENT. */
int fake_take_request(struct trustgate_conn *conn, uint64_t id, struct trustgate_request *ret);

/*
 * Somebody has revoked the grant whose number is the event's path; without one, the
 * grants of the event's process have expired, and it tells of the last.
 */
void fake_grant_event(struct state *state, struct trustgate_event *event);

/* When a process has begun, 0 if there is none of this number. */
uint64_t fake_start_ticks(pid_t pid);

/* The channel is readable. */
void fake_wake_channel(struct trustgate_conn *conn);

void fake_end_grant(struct state *state, struct trustgate_grant *grant);

#endif /* _TRUSTEED_FAKE_GATE_H */
