/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - opens that wait for the agent's answer.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 *
 * An event TRUSTGATE_EVENT_TYPE_REQUEST_RAISED tells of each. The answer is a
 * grant whose request is set, see struct trustgate_grant_request, or
 * trustgate_request_refuse().
 */
#ifndef _TRUSTGATE_REQUESTS_H
#define _TRUSTGATE_REQUESTS_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

/**
 * struct trustgate_request - one subject wants one access to one object
 * @present: bits 1 << TRUSTGATE_A_REQUEST_... of what the kernel sent
 * @id: identity
 * @volume_id: volume of the object
 * @pid: subject in the pid namespace of the caller, 0 if it has none there
 * @tid: the thread that asked first, in the initial pid namespace
 * @start_ticks: start time of the subject as in field 22 of /proc/PID/stat
 * @exec_id: its count of execs when it asked
 * @uid: user of the thread that asked first
 * @loginuid: its login user
 * @comm: its command name; any bytes
 * @access: mask of enum trustgate_access
 * @cause: enum trustgate_cause, why no grant allows it
 * @ino: the object's inode number
 * @inode_generation: and generation
 * @path: see @present; the object relative to the volume's root; any bytes
 * @raised_boottime_ns: since when
 * @deadline_boottime_ns: when the open is denied
 * @waiting: threads that wait for the answer
 */
struct trustgate_request {
	uint64_t present;
	uint64_t id;
	uint32_t volume_id;
	pid_t pid;
	pid_t tid;
	uint64_t start_ticks;
	uint64_t exec_id;
	uid_t uid;
	uid_t loginuid;
	char comm[TRUSTGATE_COMM_SIZE];
	uint32_t access;
	uint32_t cause;
	uint64_t ino;
	uint32_t inode_generation;
	char path[TRUSTGATE_PATH_MAX + 1];
	uint64_t raised_boottime_ns;
	uint64_t deadline_boottime_ns;
	uint32_t waiting;
};

/**
 * trustgate_request_get() - read one open request
 * @conn: connected
 * @id: request
 * @ret_request: filled on success
 *
 * Return: 0, or -ENOENT if it is not open: never was, or is closed.
 */
int trustgate_request_get(struct trustgate_conn *conn, uint64_t id,
			  struct trustgate_request *ret_request);

/**
 * struct trustgate_request_visitor - receives the requests of a dump
 * @begin: called before the first request of each attempt; whatever a former
 *	attempt delivered is to be forgotten. May be NULL.
 * @request: called for each open request in the order of ids
 *
 * A return value other than 0 ends the dump and becomes its result. Neither
 * may use the connection, they get -EBUSY.
 */
struct trustgate_request_visitor {
	int (*begin)(void *userdata);
	int (*request)(const struct trustgate_request *request, void *userdata);
};

/**
 * trustgate_request_each() - visit the open requests
 * @conn: connected
 * @volume_id: those on a volume, 0 for any
 * @visitor: receives them
 * @userdata: handed to @visitor
 * @ret_dump: how the dump went; may be NULL
 *
 * A dump during which requests came or went is read again, up to five times in
 * all.
 *
 * Return: 0 or what @visitor returned.
 */
int trustgate_request_each(struct trustgate_conn *conn, uint32_t volume_id,
			   const struct trustgate_request_visitor *visitor,
			   void *userdata, struct trustgate_dump *ret_dump);

/**
 * trustgate_request_refuse() - have opens denied
 * @conn: connected and the agent
 * @ids: requests; those that are not open are passed over
 * @count: 1 to TRUSTGATE_BATCH_MAX
 * @ret_refused: how many were open; may be NULL
 *
 * Return: 0 or -E2BIG.
 */
int trustgate_request_refuse(struct trustgate_conn *conn, const uint64_t *ids,
			     size_t count, uint64_t *ret_refused);

#endif /* _TRUSTGATE_REQUESTS_H */
