/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - the short way between opens that wait and the agent.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 *
 * With a channel one system call answers an open that waits and takes the next,
 * without a message. It gives what was asked for, a file to a process; for a
 * grant on another object see struct trustgate_grant_request.
 */
#ifndef _TRUSTGATE_CHANNEL_H
#define _TRUSTGATE_CHANNEL_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

/**
 * trustgate_channel_open() - open the channel
 * @conn: connected and the agent, bound by this process
 *
 * A channel that was open before is closed. What waits already is taken first.
 * It ends when this connection is the agent no more, and when another process
 * binds it.
 *
 * Return: 0 or -EPERM.
 */
int trustgate_channel_open(struct trustgate_conn *conn);

/**
 * trustgate_channel_fd() - descriptor for poll(2)
 * @conn: any
 *
 * Readable while there is a request to be taken, hung up when the channel has
 * ended. It belongs to the connection. Of no use to another process.
 *
 * Return: the descriptor or -ENOTCONN.
 */
int trustgate_channel_fd(const struct trustgate_conn *conn);

/**
 * trustgate_channel_close() - close the channel
 * @conn: any
 *
 * trustgate_free() does so, too. Requests that were taken stay open and can be
 * answered by trustgate_grant_add() and trustgate_request_refuse().
 */
void trustgate_channel_close(struct trustgate_conn *conn);

/**
 * struct trustgate_answer - what is said to an open that waits
 * @request: its number
 * @verdict: enum trustgate_verdict, grant or refuse; the rest is of a grant
 * @access: mask of enum trustgate_access; 0 for what was asked for
 * @flags: mask of enum trustgate_grant_flags
 * @reason: enum trustgate_reason, unspecified is refused
 * @on_end: enum trustgate_on_end: what becomes of mappings when it ends; 0 for
 *	the least that the volume allows
 * @max_uses: 0 for any number
 * @not_before_boottime_ns: begin, 0 for at once
 * @expires_boottime_ns: end
 * @supervised_until_boottime_ns: with TRUSTGATE_GRANT_FLAGS_SUPERVISED, until
 *	when it is supervised, see trustgate_grant_supervise(); 0 if nobody does
 * @ticket: at most TRUSTGATE_TICKET_MAX bytes, or NULL
 * @tag: the caller's own reference, returned in dumps and events
 */
struct trustgate_answer {
	uint64_t request;
	uint32_t verdict;
	uint32_t access;
	uint32_t flags;
	uint32_t reason;
	uint32_t on_end;
	uint32_t max_uses;
	uint64_t not_before_boottime_ns;
	uint64_t expires_boottime_ns;
	uint64_t supervised_until_boottime_ns;
	const char *ticket;
	uint64_t tag;
};

/**
 * trustgate_channel_exchange() - answer a request, take the next
 * @conn: with an open channel
 * @answer: NULL for none
 * @wait: if no request is there, wait for one; a signal ends that
 * @ret_request: filled if 1 is returned; NULL to take none, then @wait is false
 * @ret_grant: the grant that was given, 0 if none was; may be NULL
 *
 * Each request is taken once in the life of a channel. An answer that is refused
 * leaves its request open, and none is taken. While waiting with an answer
 * given, a signal is no failure: 0 is returned.
 *
 * Return: 1 if a request was taken, 0 if there is none; -EINTR; -ENOENT the
 * request that is answered is not open; -ENOTCONN no channel is open, or it has
 * ended; and what trustgate_grant_add() returns for an answer, with
 * trustgate_error_attribute() as there.
 */
int trustgate_channel_exchange(struct trustgate_conn *conn,
			       const struct trustgate_answer *answer, bool wait,
			       struct trustgate_request *ret_request,
			       uint64_t *ret_grant);

#endif /* _TRUSTGATE_CHANNEL_H */
