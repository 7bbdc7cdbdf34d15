/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - the kernel's Trustgate access gate from C.
 *
 * Owns: the public interface of the library. The numbers (enums, limits) come
 * from the kernel's <linux/trustgate.h>.
 *
 * Must not own: policy, or anything about how the messages look on the wire.
 *
 * Errors. Functions that return int return 0 (or a count) on success and a
 * negative errno value on failure. After a failure trustgate_error_text() is a
 * whole sentence that carries the kernel's own words and the attribute at
 * fault; nothing has been changed unless the function or
 * trustgate_error_unsure() says otherwise.
 * Every function on a connection may return
 *
 *	-ENOTCONN	trustgate_connect() or trustgate_adopt() has not succeeded
 *	-ENOMEM		no memory
 *	-ETIMEDOUT	no answer in time
 *	-ENOBUFS	the answer did not fit into the full socket
 *	-EPROTO		the answer makes no sense
 *	-EPROTONOSUPPORT the kernel has no such family: the module is not loaded
 *	-ESTALE		the module was reloaded since; connected again, but
 *			watching and being the agent are lost
 *	-EPERM		no CAP_MAC_ADMIN in the initial user namespace, or the
 *			request belongs to the agent and this socket is not it
 *	-EBUSY		called from inside a visitor of trustgate_grant_each(), or
 *			while a cursor is open on the connection
 *	-EINVAL		an argument makes no sense
 *
 * and what the kernel refuses with; the further ones are listed per function.
 *
 * Threads. A connection belongs to one thread at a time: no function on the
 * same connection may run twice at once. Different connections do not share
 * anything. Functions without a connection may be called from any thread.
 *
 * Memory. What a function stores through a pointer named ret_... belongs to
 * the caller. Strings inside requests are only read during the call.
 *
 * Times are nanoseconds of CLOCK_BOOTTIME, durations are nanoseconds.
 */
#ifndef _TRUSTGATE_H
#define _TRUSTGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/trustgate.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRUSTGATE_COUNTERS_MAX		32
#define TRUSTGATE_HOOK_NAME_SIZE	48
#define TRUSTGATE_COMM_SIZE		17

/**
 * struct trustgate_conn - a connection to the gate
 *
 * A generic netlink socket with what is needed to use it. Opaque.
 */
struct trustgate_conn;

/* ---- connection (conn.c) ---- */

/**
 * trustgate_new() - make a connection object that is not connected yet
 * @ret_conn: the object, to be freed with trustgate_free()
 *
 * Return: 0 or -ENOMEM.
 */
int trustgate_new(struct trustgate_conn **ret_conn);

/**
 * trustgate_free() - close the socket and free the connection
 * @conn: may be NULL
 *
 * If the socket is the agent and no duplicate of its descriptor is open
 * elsewhere (as in the service manager's descriptor store), the kernel treats
 * it as the loss of the agent.
 */
void trustgate_free(struct trustgate_conn *conn);

/**
 * trustgate_connect() - open a socket of its own
 * @conn: not connected
 *
 * Return: 0, -EISCONN, -EPROTONOSUPPORT while the module is not loaded, or an
 * error of socket(2) and bind(2).
 */
int trustgate_connect(struct trustgate_conn *conn);

/**
 * trustgate_adopt() - go on with a socket that was opened earlier
 * @conn: not connected
 * @fd: a bound generic netlink socket, such as trustgate_fd() of a former
 *	connection, kept by the service manager over a restart
 *
 * The port id is taken from the socket. On success @fd belongs to @conn (and
 * trustgate_fd() is a duplicate of it under another number); on failure it
 * stays with the caller. Answers to requests of the former owner
 * that are still in the socket are ignored, events in it are kept.
 *
 * Return: 0, -EISCONN, -EBADF, -ENOTSOCK, -EPROTOTYPE if it is not a generic
 * netlink socket, -EADDRNOTAVAIL if it is not bound, -EPROTONOSUPPORT.
 */
int trustgate_adopt(struct trustgate_conn *conn, int fd);

/**
 * trustgate_fd() - the socket, for poll(2) and for keeping it over a restart
 * @conn: connected
 *
 * Readable means that trustgate_event_next() should be called. The descriptor
 * stays with @conn.
 *
 * Return: the descriptor or -ENOTCONN.
 */
int trustgate_fd(const struct trustgate_conn *conn);

/**
 * trustgate_port_id() - the netlink port of the socket
 * @conn: any
 *
 * Equal to struct trustgate_gate.agent_port_id if this socket is the agent.
 *
 * Return: the port, 0 while not connected.
 */
uint32_t trustgate_port_id(const struct trustgate_conn *conn);

/**
 * trustgate_set_timeout() - how long a request waits for its answer
 * @conn: any
 * @timeout_ms: milliseconds; the default is 10000
 */
void trustgate_set_timeout(struct trustgate_conn *conn, unsigned int timeout_ms);

/**
 * trustgate_error_text() - the last failure on this connection as a sentence
 * @conn: any
 *
 * Return: text without a line end, "" if the last call succeeded. Valid until
 * the next call on @conn.
 */
const char *trustgate_error_text(const struct trustgate_conn *conn);

/**
 * trustgate_error_message() - the kernel's own words about the last failure
 * @conn: any
 *
 * Return: text, or NULL if the kernel said nothing.
 */
const char *trustgate_error_message(const struct trustgate_conn *conn);

/**
 * trustgate_error_attribute() - the attribute at fault in the last failure
 * @conn: any
 *
 * Return: its path by the names of the specification, such as
 * "grant[3].expires-boottime-ns", or NULL if the kernel named none.
 */
const char *trustgate_error_attribute(const struct trustgate_conn *conn);

/**
 * trustgate_error_index() - which grant of a batch was at fault
 * @conn: any
 *
 * Return: the index in the array that was given, or -1 if it is not known.
 */
ssize_t trustgate_error_index(const struct trustgate_conn *conn);

/**
 * trustgate_error_unsure() - whether the failed request may have been done
 * @conn: any
 *
 * Its answer was lost, late or made no sense, so the kernel's state has to be
 * read to know. The kernel is done with the request in any case: what it has
 * not done by now it will not do.
 *
 * Return: true if the last call failed so, false if it succeeded, was refused
 * by the kernel, or was not sent at all.
 */
bool trustgate_error_unsure(const struct trustgate_conn *conn);

/* ---- gate and agent (gate.c) ---- */

/**
 * struct trustgate_gate - state of the gate
 * @present: bits 1 << TRUSTGATE_A_GATE_... of what the kernel sent
 * @abi_version: TRUSTGATE_ABI_VERSION of the kernel
 * @state: enum trustgate_gate_state
 * @agent_port_id: see @present; valid while an agent is bound
 * @agent_pid: see @present; the process that bound it
 * @volumes: volumes under protection
 * @volumes_max: how many there can be
 * @grants: live grants
 * @grants_max: how many there can be
 * @grants_bytes_max: kernel memory that @grants_max grants take at most
 * @subjects: processes that hold grants
 * @now_boottime_ns: the kernel's clock at the time of the answer
 * @event_seq: newest event's number, 0 before the first
 * @events_dropped: events that no receiver got
 * @events_agent_missed: events that the agent did not take in time
 * @events_max: length of the kernel's queue of events
 * @audit_suppressed: denials without an audit record, by the rate limit
 * @proofs: successful proofs that all attached hooks run
 * @proof_boottime_ns: when the last one ended
 * @hooks: names of the attached hooks
 * @hooks_count: how many
 */
struct trustgate_gate {
	uint64_t present;
	uint32_t abi_version;
	uint32_t state;
	uint32_t agent_port_id;
	pid_t agent_pid;
	uint32_t volumes;
	uint32_t volumes_max;
	uint64_t grants;
	uint64_t grants_max;
	uint64_t grants_bytes_max;
	uint64_t subjects;
	uint64_t now_boottime_ns;
	uint64_t event_seq;
	uint64_t events_dropped;
	uint64_t events_agent_missed;
	uint32_t events_max;
	uint64_t audit_suppressed;
	uint64_t proofs;
	uint64_t proof_boottime_ns;
	char (*hooks)[TRUSTGATE_HOOK_NAME_SIZE];
	size_t hooks_count;
};

/**
 * trustgate_gate_get() - read the state of the gate
 * @conn: connected
 * @ret_gate: filled on success; release with trustgate_gate_clear()
 *
 * Return: 0 or the errors of every function.
 */
int trustgate_gate_get(struct trustgate_conn *conn, struct trustgate_gate *ret_gate);

/**
 * trustgate_gate_clear() - release what trustgate_gate_get() allocated
 * @gate: the structure itself stays with the caller; all zero is allowed
 */
void trustgate_gate_clear(struct trustgate_gate *gate);

/**
 * trustgate_agent_bind() - make this socket the agent
 * @conn: connected
 * @secret: shown again by whoever takes over protected volumes later
 * @ret_event_seq: newest event's number at that time; may be NULL
 *
 * From here on events arrive on this socket, see trustgate_event_next().
 *
 * Return: 0, also if this socket is the agent already, -EBUSY if another one
 * is, -EACCES if volumes are protected and @secret is not theirs.
 */
int trustgate_agent_bind(struct trustgate_conn *conn,
			 const uint8_t secret[TRUSTGATE_SECRET_LEN],
			 uint64_t *ret_event_seq);

/**
 * trustgate_agent_unbind() - give up being the agent
 * @conn: connected and the agent
 *
 * Same effect on the volumes as closing the socket.
 *
 * Return: 0 or -EPERM if this socket is not the agent.
 */
int trustgate_agent_unbind(struct trustgate_conn *conn);

/**
 * trustgate_agent_is_self() - whether this socket is the agent
 * @conn: connected
 *
 * Return: 1, 0, or a negative errno value.
 */
int trustgate_agent_is_self(struct trustgate_conn *conn);

/* ---- volumes (volume.c) ---- */

/**
 * struct trustgate_counter - how often a check ended with a cause
 * @cause: enum trustgate_cause
 * @count: checks since the volume was added
 */
struct trustgate_counter {
	uint32_t cause;
	uint64_t count;
};

/**
 * struct trustgate_volume - one protected volume
 * @present: bits 1 << TRUSTGATE_A_VOLUME_... of what the kernel sent
 * @id: identity in the kernel
 * @name: unique
 * @fstype: type of the filesystem
 * @uuid: see @present; UUID of the filesystem
 * @device: "major:minor"
 * @max_duration_ns: longest time from a grant's begin to its expiry
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 * @grants: live grants
 * @added_boottime_ns: since when
 * @counters: one for each cause that has occurred
 * @counters_count: how many
 */
struct trustgate_volume {
	uint64_t present;
	uint32_t id;
	char name[TRUSTGATE_NAME_MAX + 1];
	char fstype[32];
	uint8_t uuid[16];
	char device[32];
	uint64_t max_duration_ns;
	uint32_t on_agent_loss;
	uint32_t record;
	uint64_t grants;
	uint64_t added_boottime_ns;
	struct trustgate_counter counters[TRUSTGATE_COUNTERS_MAX];
	size_t counters_count;
};

/**
 * enum trustgate_volume_field - which settings a request carries
 * @TRUSTGATE_VOLUME_FIELD_MAX_DURATION: max_duration_ns
 * @TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS: on_agent_loss
 * @TRUSTGATE_VOLUME_FIELD_RECORD: record
 */
enum trustgate_volume_field {
	TRUSTGATE_VOLUME_FIELD_MAX_DURATION = 1,
	TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS = 2,
	TRUSTGATE_VOLUME_FIELD_RECORD = 4,
};

/**
 * struct trustgate_volume_settings - what can be set on a volume
 * @fields: mask of enum trustgate_volume_field; the others are left as they
 *	are, or to the kernel's default for a new volume
 * @max_duration_ns: see struct trustgate_volume
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 */
struct trustgate_volume_settings {
	uint32_t fields;
	uint64_t max_duration_ns;
	uint32_t on_agent_loss;
	uint32_t record;
};

/**
 * trustgate_volume_add() - protect a filesystem
 * @conn: connected and the agent
 * @name: unique name of at most TRUSTGATE_NAME_MAX bytes
 * @path: where it is mounted, or NULL if @fd is given
 * @fd: its root as an open file (O_PATH will do), or -1 if @path is given
 * @settings: NULL for the kernel's defaults
 * @ret_id: identity of the new volume; may be NULL
 *
 * Return: 0, -EEXIST if the name is taken or the filesystem is protected
 * already, -EOPNOTSUPP if its type is not supported, -EBUSY for the host's root
 * filesystem, -EINVAL if it is not the root of a filesystem, -EBADF, -ENOSPC if
 * there are too many volumes, or an error of resolving @path.
 */
int trustgate_volume_add(struct trustgate_conn *conn, const char *name,
			 const char *path, int fd,
			 const struct trustgate_volume_settings *settings,
			 uint32_t *ret_id);

/**
 * trustgate_volume_set() - change settings
 * @conn: connected and the agent
 * @id: volume
 * @settings: at least one field
 *
 * Grants already given keep their expiry.
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_volume_set(struct trustgate_conn *conn, uint32_t id,
			 const struct trustgate_volume_settings *settings);

/**
 * trustgate_volume_del() - end all grants of a volume and stop protecting it
 * @conn: connected and the agent
 * @id: volume
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_volume_del(struct trustgate_conn *conn, uint32_t id);

/**
 * trustgate_volume_get() - read one volume
 * @conn: connected
 * @id: identity, or 0 if @name is given
 * @name: name, or NULL if @id is given
 * @ret_volume: filled on success
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_volume_get(struct trustgate_conn *conn, uint32_t id,
			 const char *name, struct trustgate_volume *ret_volume);

/**
 * struct trustgate_dump - how a dump went
 * @attempts: how often it was read, at least 1
 * @consistent: false if the set changed during each attempt. What was
 *	delivered then has each entry that existed from the begin to the end of
 *	the last attempt exactly once, and may or may not have those that came
 *	or went meanwhile.
 */
struct trustgate_dump {
	unsigned int attempts;
	bool consistent;
};

/**
 * trustgate_volume_list() - read all volumes
 * @conn: connected
 * @ret_volumes: array to be freed with free(3); NULL if there are none
 * @ret_count: its length
 * @ret_dump: how the dump went; may be NULL
 *
 * A dump during which volumes changed is read again, up to five times in all.
 *
 * Return: 0 or the errors of every function.
 */
int trustgate_volume_list(struct trustgate_conn *conn,
			  struct trustgate_volume **ret_volumes,
			  size_t *ret_count, struct trustgate_dump *ret_dump);

/* ---- grants (grant.c) ---- */

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
 * @renews: a live grant for descendants of the same subject: the descendants
 *	that it covers by its age, this one covers, too; 0 for none
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
};

#define TRUSTGATE_GRANT_REQUEST_INIT { .fd = -1 }

/**
 * struct trustgate_grant_added - what the kernel made of a request
 * @id: identity of the grant
 * @pid: subject
 * @start_ticks: its start time
 * @exec_id: its count of execs
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
 * struct trustgate_grant - a live grant
 * @present: bits 1 << TRUSTGATE_A_GRANT_... of what the kernel sent
 * @id: identity
 * @volume_id: volume of the object
 * @pid: subject in the pid namespace of the caller, 0 if it has none there
 * @start_ticks: start time of the subject
 * @exec_id: its count of execs when the grant was given
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
 * volume or the file does not exist, -ESHUTDOWN if the volume is going away,
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
 */
struct trustgate_grant_filter {
	uint32_t volume_id;
	pid_t pid;
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

/* ---- events (event.c) ---- */

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
 * @expires_boottime_ns: of the grant
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

/* ---- names (names.c) ---- */

/**
 * enum trustgate_names - the sets of names, one for each enum of the ABI
 */
enum trustgate_names {
	TRUSTGATE_NAMES_GATE_STATE,
	TRUSTGATE_NAMES_ACCESS,
	TRUSTGATE_NAMES_CAUSE,
	TRUSTGATE_NAMES_REASON,
	TRUSTGATE_NAMES_END,
	TRUSTGATE_NAMES_ON_AGENT_LOSS,
	TRUSTGATE_NAMES_RECORD,
	TRUSTGATE_NAMES_GRANT_FLAGS,
	TRUSTGATE_NAMES_OBJECT_KIND,
	TRUSTGATE_NAMES_EVENT_TYPE,
	_TRUSTGATE_NAMES_MAX
};

/**
 * trustgate_name() - the specification's name of a value
 * @set: which enum
 * @value: a value, for flags a single bit
 *
 * Return: a constant string such as "no-grant", NULL if the value is not known.
 */
const char *trustgate_name(enum trustgate_names set, uint32_t value);

/**
 * trustgate_value() - the value of a name
 * @set: which enum
 * @name: exactly as in the specification
 * @ret_value: the value, for flags the bit
 *
 * Return: 0 or -EINVAL if there is no such name.
 */
int trustgate_value(enum trustgate_names set, const char *name, uint32_t *ret_value);

/**
 * trustgate_name_at() - go through the names of a set
 * @set: which enum
 * @index: 0 and up
 *
 * Return: the name, NULL behind the last.
 */
const char *trustgate_name_at(enum trustgate_names set, size_t index);

/**
 * trustgate_mask_format() - the names of the bits of a mask
 * @set: a set of flags
 * @mask: bits; one without a name is written as a hexadecimal number
 * @separator: between names
 * @buffer: receives the text, always terminated; may be NULL if @size is 0
 * @size: of @buffer
 *
 * Return: length of the whole text as by snprintf(3), or -EINVAL.
 */
int trustgate_mask_format(enum trustgate_names set, uint32_t mask,
			  const char *separator, char *buffer, size_t size);

static inline const char *trustgate_cause_name(uint32_t cause)
{
	return trustgate_name(TRUSTGATE_NAMES_CAUSE, cause);
}

static inline const char *trustgate_reason_name(uint32_t reason)
{
	return trustgate_name(TRUSTGATE_NAMES_REASON, reason);
}

static inline const char *trustgate_end_name(uint32_t end)
{
	return trustgate_name(TRUSTGATE_NAMES_END, end);
}

static inline const char *trustgate_event_type_name(uint32_t type)
{
	return trustgate_name(TRUSTGATE_NAMES_EVENT_TYPE, type);
}

/* ---- text (text.c) ---- */

/**
 * struct trustgate_access_spec - an access as it was written
 * @exact: what the text says, word by word
 * @on_directory: the same for a directory or subtree: there the letter w
 *	includes NAMES, as w on a directory does in file modes. The word "write"
 *	does not.
 *
 * Masks of enum trustgate_access.
 */
struct trustgate_access_spec {
	uint32_t exact;
	uint32_t on_directory;
};

/**
 * trustgate_access_parse() - read an access from text
 * @text: words read, write, exec, names, meta, and groups of the letters
 *	r w x n m, separated by commas: "rw", "read,write", "r,names"
 * @ret_spec: filled on success
 * @error: receives what is wrong; may be NULL if @error_size is 0
 * @error_size: of @error
 *
 * Return: 0 or -EINVAL.
 */
int trustgate_access_parse(const char *text, struct trustgate_access_spec *ret_spec,
			   char *error, size_t error_size);

/**
 * trustgate_access_letters() - the short form of an access
 * @access: mask of enum trustgate_access
 * @buffer: receives five letters out of "rwxnm", "-" where a bit is not set
 *
 * Return: @buffer.
 */
char *trustgate_access_letters(uint32_t access, char buffer[6]);

/**
 * trustgate_duration_parse() - read a duration from text
 * @text: numbers with units d, h, m, s, ms, us, ns, each at most once and the
 *	larger before the smaller: "15m", "1h30m", "20s"
 * @ret_duration_ns: nanoseconds, possibly 0
 * @error: receives what is wrong; may be NULL if @error_size is 0
 * @error_size: of @error
 *
 * Return: 0, -EINVAL, or -ERANGE if it is beyond 2^64 nanoseconds.
 */
int trustgate_duration_parse(const char *text, uint64_t *ret_duration_ns,
			     char *error, size_t error_size);

#define TRUSTGATE_DURATION_SIZE 48

/**
 * trustgate_duration_format() - write a duration so that it can be read again
 * @duration_ns: any
 * @buffer: receives text such as "1h30m"; "0s" for 0
 *
 * Return: @buffer.
 */
char *trustgate_duration_format(uint64_t duration_ns,
				char buffer[TRUSTGATE_DURATION_SIZE]);

/**
 * trustgate_version() - version of the library at run time
 *
 * Return: a constant string such as "0.2.0".
 */
const char *trustgate_version(void);

#ifdef __cplusplus
}
#endif

#endif /* _TRUSTGATE_H */
