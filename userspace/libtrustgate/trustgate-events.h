/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - what happens at the gate.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_EVENTS_H
#define _TRUSTGATE_EVENTS_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

#define TRUSTGATE_COMM_SIZE		17

/**
 * struct trustgate_event - something happened
 * @present: bits 1 << TRUSTGATE_A_EVENT_... of what the kernel sent; test with
 *	trustgate_event_has()
 * @seq: number of the event; a gap means that events were lost
 * @type: enum trustgate_event_type
 * @time_boottime_ns: when
 * @dropped: events dropped so far
 * @volume_id: volume
 * @volume_name: its name
 * @grant_id: grant
 * @tag: the agent's reference of the grant
 * @hook: kernel hook that saw the access
 * @access: mask of enum trustgate_access
 * @cause: enum trustgate_cause
 * @end: enum trustgate_end
 * @pid: subject, in the initial pid namespace
 * @tid: thread, in the initial pid namespace
 * @uid: user of the subject
 * @loginuid: login user of the subject
 * @comm: command name; any bytes
 * @ino: object
 * @inode_generation: object
 * @path: object relative to the volume's root; any bytes
 * @path_cut: @path lost its beginning
 * @expires_boottime_ns: of the grant, or deadline of the request
 * @target_pid: process whose memory was concerned, in the initial pid namespace
 * @mappings: how many were ended by force, or led to the kill
 * @request_id: request that was raised or closed
 * @request_end: enum trustgate_request_end
 */
struct trustgate_event {
	uint64_t present;
	uint64_t seq;
	uint32_t type;
	uint64_t time_boottime_ns;
	uint64_t dropped;
	uint32_t volume_id;
	char volume_name[TRUSTGATE_NAME_MAX + 1];
	uint64_t grant_id;
	uint64_t tag;
	char hook[TRUSTGATE_HOOK_NAME_SIZE];
	uint32_t access;
	uint32_t cause;
	uint32_t end;
	pid_t pid;
	pid_t tid;
	uid_t uid;
	uid_t loginuid;
	char comm[TRUSTGATE_COMM_SIZE];
	uint64_t ino;
	uint32_t inode_generation;
	char path[TRUSTGATE_EVENT_PATH_MAX + 1];
	bool path_cut;
	uint64_t expires_boottime_ns;
	pid_t target_pid;
	uint32_t mappings;
	uint64_t request_id;
	uint32_t request_end;
};

/**
 * trustgate_event_has() - whether the kernel sent an attribute
 * @event: as filled by trustgate_event_next()
 * @attribute: TRUSTGATE_A_EVENT_...
 *
 * Return: true if it did.
 */
static inline bool trustgate_event_has(const struct trustgate_event *event,
				       unsigned int attribute)
{
	return event->present & (UINT64_C(1) << attribute);
}

/**
 * trustgate_watch() - receive events without being the agent
 * @conn: connected
 *
 * Return: 0 or -EPERM.
 */
int trustgate_watch(struct trustgate_conn *conn);

/**
 * trustgate_unwatch() - stop receiving events
 * @conn: connected
 *
 * Return: 0 or an error of setsockopt(2).
 */
int trustgate_unwatch(struct trustgate_conn *conn);

/**
 * trustgate_event_next() - take one event, without waiting
 * @conn: connected
 * @ret_event: filled if 1 is returned
 *
 * Events that arrive while a request waits for its answer are kept and
 * delivered here later, although the socket is not readable then: call this
 * until it returns 0 after the socket was readable and after each round of
 * requests (or ask trustgate_events_pending()). 65536 events are kept.
 *
 * Return: 1 if there was one, 0 if not, -ENOBUFS if events were lost before
 * this point because the socket or the memory was full (later ones follow; the
 * gap in seq says how many), or the errors of every function.
 */
int trustgate_event_next(struct trustgate_conn *conn, struct trustgate_event *ret_event);

/**
 * trustgate_events_pending() - events kept from requests
 * @conn: connected
 *
 * Return: how many trustgate_event_next() can deliver without the socket.
 */
size_t trustgate_events_pending(const struct trustgate_conn *conn);

#endif /* _TRUSTGATE_EVENTS_H */
