/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - giving, reading and ending grants.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_GRANTS_H
#define _TRUSTGATE_GRANTS_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

/**
 * struct trustgate_grant_request - a grant to be given
 * @volume_id: volume of the object
 * @pid: subject, a thread-group id in the pid namespace of the caller
 * @start_ticks: start time of the subject as in field 22 of /proc/PID/stat,
 *	which then must match; 0 to leave it unchecked
 * @flags: mask of enum trustgate_grant_flags
 * @object_kind: enum trustgate_object_kind
 * @fd: the object as an open file (O_PATH will do), or -1 if @path is given
 * @path: the object relative to the volume's root ("." is the root), or NULL
 *	if @fd is given; symbolic links and ".." are refused
 * @access: mask of enum trustgate_access
 * @not_before_boottime_ns: begin, 0 for at once
 * @expires_boottime_ns: end
 * @max_uses: 0 for any number
 * @reason: enum trustgate_reason, unspecified is refused
 * @ticket: at most TRUSTGATE_TICKET_MAX bytes, or NULL
 * @tag: the caller's own reference, returned in dumps and events
 * @renews: a live grant for the same subject, which has executed no other program
 *	since, or both are for that, too: descendants that it covers by its age,
 *	this one covers as well; 0 for none
 * @on_end: enum trustgate_on_end: what becomes of mappings when it ends; 0 for
 *	the least that the volume allows
 * @request: the open that waits for this grant, see trustgate_request_each(); 0
 *	for none. Then what is 0 of @volume_id, @pid and @access, and the object,
 *	if @path is NULL and @fd -1, are taken from the request.
 * @supervised_until_boottime_ns: with TRUSTGATE_GRANT_FLAGS_SUPERVISED, until
 *	when it is supervised, see trustgate_grant_supervise(); 0 if nobody does
 *
 * Start from TRUSTGATE_GRANT_REQUEST_INIT, so that @fd is not standard input.
 */
struct trustgate_grant_request {
	uint32_t volume_id;
	pid_t pid;
	uint64_t start_ticks;
	uint32_t flags;
	uint32_t object_kind;
	int fd;
	const char *path;
	uint32_t access;
	uint64_t not_before_boottime_ns;
	uint64_t expires_boottime_ns;
	uint32_t max_uses;
	uint32_t reason;
	const char *ticket;
	uint64_t tag;
	uint64_t renews;
	uint32_t on_end;
	uint64_t request;
	uint64_t supervised_until_boottime_ns;
};

#define TRUSTGATE_GRANT_REQUEST_INIT { .fd = -1 }

/**
 * struct trustgate_grant_added - what the kernel made of a request
 * @id: identity of the grant
 * @pid: subject
 * @start_ticks: its start time
 * @exec_id: count of its execs by which the grant holds
 * @object_kind: enum trustgate_object_kind
 * @ino: the object's inode number
 * @inode_generation: and generation
 */
struct trustgate_grant_added {
	uint64_t id;
	pid_t pid;
	uint64_t start_ticks;
	uint64_t exec_id;
	uint32_t object_kind;
	uint64_t ino;
	uint32_t inode_generation;
};

/**
 * struct trustgate_grant - a live grant, or one that has ended and whose mappings
 * are still looked for
 * @present: bits 1 << TRUSTGATE_A_GRANT_... of what the kernel sent
 * @id: identity
 * @volume_id: volume of the object
 * @pid: subject in the pid namespace of the caller, 0 if it has none there
 * @start_ticks: start time of the subject
 * @exec_id: its count of execs when the grant was given, one more for next-exec
 * @flags: mask of enum trustgate_grant_flags
 * @object_kind: enum trustgate_object_kind
 * @ino: the object's inode number
 * @inode_generation: and generation
 * @access: mask of enum trustgate_access
 * @not_before_boottime_ns: begin
 * @expires_boottime_ns: end
 * @max_uses: 0 for any number
 * @uses: so far
 * @reason: enum trustgate_reason
 * @ticket: "" if there is none
 * @tag: the agent's own reference
 * @created_boottime_ns: when it was given
 * @since_boottime_ns: descendants forked before this are not covered
 * @on_end: enum trustgate_on_end
 * @end: enum trustgate_end; TRUSTGATE_END_NONE of a live one
 * @ended_boottime_ns: when it ended, 0 of a live one
 * @mapped: of one that has ended, how many processes were last found to have
 *	mappings on the volume that have to end
 * @supervised_until_boottime_ns: of one with TRUSTGATE_GRANT_FLAGS_SUPERVISED,
 *	until when it is supervised; if that is over, or 0, it is suspended
 */
struct trustgate_grant {
	uint64_t present;
	uint64_t id;
	uint32_t volume_id;
	pid_t pid;
	uint64_t start_ticks;
	uint64_t exec_id;
	uint32_t flags;
	uint32_t object_kind;
	uint64_t ino;
	uint32_t inode_generation;
	uint32_t access;
	uint64_t not_before_boottime_ns;
	uint64_t expires_boottime_ns;
	uint32_t max_uses;
	uint32_t uses;
	uint32_t reason;
	char ticket[TRUSTGATE_TICKET_MAX + 1];
	uint64_t tag;
	uint64_t created_boottime_ns;
	uint64_t since_boottime_ns;
	uint32_t on_end;
	uint32_t end;
	uint64_t ended_boottime_ns;
	uint32_t mapped;
	uint64_t supervised_until_boottime_ns;
};

/**
 * trustgate_grant_add() - give grants, all of them or none
 * @conn: connected and the agent
 * @requests: what to give
 * @count: 1 to TRUSTGATE_BATCH_MAX
 * @ret_added: array of @count entries in the order of @requests
 *
 * One message. After a failure trustgate_error_index() says which request was
 * at fault, where the kernel named one.
 *
 * Return: 0, -E2BIG if @count is beyond TRUSTGATE_BATCH_MAX, -EMSGSIZE if the
 * paths make the message too long for one datagram, -ENAMETOOLONG for a path,
 * -ESRCH if a subject does not live or its start time differs, -ENOENT if the
 * volume or the file does not exist, or the request is not open, -ESHUTDOWN if the volume is going away,
 * -EBADF, -ENOTDIR, -ELOOP, -EXDEV for the object, -EINVAL for an expiry in the
 * past, -ERANGE for one beyond the volume's maximum, -ENOSPC if there are too
 * many grants.
 */
int trustgate_grant_add(struct trustgate_conn *conn,
			const struct trustgate_grant_request *requests,
			size_t count, struct trustgate_grant_added *ret_added);

/**
 * trustgate_grant_add_split() - give any number of grants, in several messages
 * @conn: connected and the agent
 * @requests: what to give
 * @count: any, 0 is allowed
 * @ret_added: array of @count entries in the order of @requests
 * @ret_count: how many grants at the beginning of the array were given, set on
 *	failure, too
 *
 * Each message is all or nothing, the whole is not: after a failure the first
 * @ret_count grants are live, and it is the caller's to keep or revoke them.
 *
 * Return: 0 or as trustgate_grant_add().
 */
int trustgate_grant_add_split(struct trustgate_conn *conn,
			      const struct trustgate_grant_request *requests,
			      size_t count,
			      struct trustgate_grant_added *ret_added,
			      size_t *ret_count);

/**
 * trustgate_grant_get() - read one grant
 * @conn: connected
 * @id: grant
 * @ret_grant: filled on success
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_grant_get(struct trustgate_conn *conn, uint64_t id,
			struct trustgate_grant *ret_grant);

/**
 * struct trustgate_grant_filter - which grants to read
 * @volume_id: those of a volume, 0 for any
 * @pid: those of a subject, 0 for any
 * @ending: those that have ended and whose mappings are still looked for, too
 */
struct trustgate_grant_filter {
	uint32_t volume_id;
	pid_t pid;
	bool ending;
};

/**
 * struct trustgate_grant_visitor - receives the grants of a dump
 * @begin: called before the first grant of each attempt; whatever a former
 *	attempt delivered is to be forgotten. May be NULL.
 * @grant: called for each grant in the order of ids
 *
 * A return value other than 0 ends the dump and becomes its result. Neither
 * may use the connection, they get -EBUSY.
 */
struct trustgate_grant_visitor {
	int (*begin)(void *userdata);
	int (*grant)(const struct trustgate_grant *grant, void *userdata);
};

/**
 * trustgate_grant_each() - visit grants without holding all of them in memory
 * @conn: connected
 * @filter: NULL for all
 * @visitor: receives them
 * @userdata: handed to @visitor
 * @ret_dump: how the dump went; may be NULL
 *
 * A dump during which grants changed is read again, up to five times in all.
 *
 * Return: 0, what @visitor returned, or -ENOENT if the volume does not exist.
 */
int trustgate_grant_each(struct trustgate_conn *conn,
			 const struct trustgate_grant_filter *filter,
			 const struct trustgate_grant_visitor *visitor,
			 void *userdata, struct trustgate_dump *ret_dump);

/**
 * trustgate_grant_list() - read grants into an array
 * @conn: connected
 * @filter: NULL for all
 * @ret_grants: array to be freed with free(3); NULL if there are none
 * @ret_count: its length
 * @ret_dump: how the dump went; may be NULL
 *
 * Return: as trustgate_grant_each().
 */
int trustgate_grant_list(struct trustgate_conn *conn,
			 const struct trustgate_grant_filter *filter,
			 struct trustgate_grant **ret_grants, size_t *ret_count,
			 struct trustgate_dump *ret_dump);

/**
 * struct trustgate_grant_cursor - a dump that goes on at the caller's pace
 *
 * Opaque. While it is open the connection refuses everything else with -EBUSY:
 * give it a connection of its own.
 */
struct trustgate_grant_cursor;

/**
 * trustgate_grant_cursor_open() - begin to read grants piece by piece
 * @conn: connected; has to outlive the cursor
 * @filter: NULL for all
 * @ret_cursor: to be released with trustgate_grant_cursor_close()
 *
 * The kernel waits while nothing is read, without holding anything.
 *
 * Return: 0 or the errors of every function.
 */
int trustgate_grant_cursor_open(struct trustgate_conn *conn,
				const struct trustgate_grant_filter *filter,
				struct trustgate_grant_cursor **ret_cursor);

/**
 * trustgate_grant_cursor_next() - read the next grants
 * @cursor: open
 * @grants: array of @max entries
 * @max: at least 1
 * @ret_count: how many were stored; only with 1 more than 0
 *
 * Receives no more messages from the kernel than it takes to store something.
 *
 * Return: 1 if grants were stored, 0 at the end, -EINTR at the end if grants
 * came or went meanwhile (each that existed from begin to end was delivered
 * exactly once), -ENOENT if the volume does not exist, or the errors of every
 * function.
 */
int trustgate_grant_cursor_next(struct trustgate_grant_cursor *cursor,
				struct trustgate_grant *grants, size_t max,
				size_t *ret_count);

/**
 * trustgate_grant_cursor_close() - stop reading, at any time
 * @cursor: may be NULL
 *
 * If it was not read to its end, the next request on the connection first
 * reads the rest away.
 */
void trustgate_grant_cursor_close(struct trustgate_grant_cursor *cursor);

/**
 * trustgate_revoke_ids() - end grants by identity
 * @conn: connected and the agent
 * @ids: which
 * @count: 1 to TRUSTGATE_BATCH_MAX
 * @ret_ended: how many were ended; may be NULL
 *
 * Once a revoke function returns 0, no check decides by those grants any more.
 *
 * Return: 0, -E2BIG, or -ENOENT if one does not exist.
 */
int trustgate_revoke_ids(struct trustgate_conn *conn, const uint64_t *ids,
			 size_t count, uint64_t *ret_ended);

/**
 * trustgate_revoke_volume() - end every grant on a volume
 * @conn: connected and the agent
 * @volume_id: which
 * @ret_ended: how many were ended; may be NULL
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_revoke_volume(struct trustgate_conn *conn, uint32_t volume_id,
			    uint64_t *ret_ended);

/**
 * trustgate_revoke_pid() - end every grant of a subject
 * @conn: connected and the agent
 * @pid: thread-group id in the pid namespace of the caller
 * @ret_ended: how many were ended; may be NULL
 *
 * Return: 0 or -ESRCH.
 */
int trustgate_revoke_pid(struct trustgate_conn *conn, pid_t pid,
			 uint64_t *ret_ended);

/**
 * trustgate_revoke_all() - end every grant
 * @conn: connected and the agent
 * @ret_ended: how many were ended; may be NULL
 *
 * Return: 0.
 */
int trustgate_revoke_all(struct trustgate_conn *conn, uint64_t *ret_ended);

/**
 * trustgate_grant_supervise() - say until when grants are supervised
 * @conn: connected and the agent
 * @ids: grants with TRUSTGATE_GRANT_FLAGS_SUPERVISED; those that have ended are
 *	passed over
 * @count: 1 to TRUSTGATE_BATCH_MAX
 * @until_boottime_ns: at most TRUSTGATE_SUPERVISION_MAX_NS from now; 0 suspends
 *	them
 * @ret_changed: how many are live; may be NULL
 *
 * Once it returns 0, no check decides by grants that it has suspended. All are
 * suspended when the connection is closed.
 *
 * Return: 0, -E2BIG, -EINVAL if a grant has not that flag, or for a time in the
 * past, or -ERANGE for one too far ahead.
 */
int trustgate_grant_supervise(struct trustgate_conn *conn, const uint64_t *ids,
			      size_t count, uint64_t until_boottime_ns,
			      uint64_t *ret_changed);

#endif /* _TRUSTGATE_GRANTS_H */
