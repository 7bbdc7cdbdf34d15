/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of a connection.
 *
 * Owns: the fields of struct trustgate_conn and the steps between the files
 * that work on it: conn.c opens and closes, request.c sends and receives,
 * error.c says what went wrong, event.c keeps events.
 *
 * Must not own: anything that a user of the library sees.
 */
#ifndef _TRUSTGATE_CONN_H
#define _TRUSTGATE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include <netlink/msg.h>
#include <netlink/socket.h>

#include "attr.h"
#include "decode.h"
#include "trustgate.h"

/* Beyond the largest answer: 512 grants of a batch are 47 KiB, dumps 32 KiB. */
#define RECEIVE_SIZE		(128 * 1024)
#define EVENTS_KEPT_MAX		65536
#define DUMP_ATTEMPTS		5

/**
 * struct error_state - the last failure
 * @text: a sentence, "" after success
 * @message: the kernel's words, "" for none
 * @attribute: path of the attribute at fault, "" for none
 * @index: in the caller's array, -1 for none
 * @unsure: the request was sent and the kernel did not say that it failed
 */
struct error_state {
	char text[1024];
	char message[512];
	char attribute[128];
	ssize_t index;
	bool unsure;
};

struct kept_event;

/**
 * struct trustgate_conn - a connection to the gate
 * @sock: owns the descriptor; NULL while not connected
 * @family: message type of the family, groups, version
 * @seq: number of the newest request; starts anywhere, so that answers to a
 *	former owner of an adopted socket are not taken for ours
 * @timeout_ms: how long to wait for an answer
 * @in_dump: a visitor runs or a cursor is open, requests are refused
 * @error: the last failure
 * @error_base: index of the first request of the message in the caller's array
 * @first: oldest kept event
 * @last: newest kept event
 * @kept: how many
 * @events_lost: to be reported behind the events kept so far
 * @buffer: of RECEIVE_SIZE bytes, aligned for messages
 * @channel: descriptor, -1 for none
 */
struct trustgate_conn {
	struct nl_sock *sock;
	struct family_info family;
	uint32_t seq;
	unsigned int timeout_ms;
	bool in_dump;
	struct error_state error;
	size_t error_base;
	struct kept_event *first;
	struct kept_event *last;
	size_t kept;
	bool events_lost;
	void *buffer;
	int channel;
};

/* ---- error.c ---- */

void trustgate_error_clear(struct trustgate_conn *conn);

/**
 * trustgate_fail() - note a failure
 * @conn: connection
 * @err: negative errno value; its description ends the sentence
 * @format: what could not be done and why, without the description of @err
 *
 * Return: @err.
 */
__attribute__((format(printf, 3, 4)))
int trustgate_fail(struct trustgate_conn *conn, int err, const char *format, ...);

/**
 * trustgate_fail_kernel() - note that the kernel refused a request
 * @conn: connection
 * @err: negative errno value
 * @what: what was asked for, as an infinitive: "add the volume"
 * @request: the refused message
 * @set: names of the attributes of @request
 * @ack: additions to the error
 *
 * Return: @err.
 */
int trustgate_fail_kernel(struct trustgate_conn *conn, int err, const char *what,
			  const struct nlmsghdr *request, const struct attr_set *set,
			  const struct ext_ack *ack);

/* ---- request.c ---- */

typedef int (*reply_fn)(const void *attrs, size_t length, void *userdata);

/**
 * struct request - one request and what becomes of its answer
 * @what: for errors, as an infinitive: "add the volume"
 * @msg: the message, owned by the request
 * @set: names of its attributes
 * @reply: called with the attributes of each answer; may be NULL
 * @userdata: handed to @reply
 * @replies: how many there were
 * @sent: the kernel has it
 * @overrun: something was lost since, maybe the answer
 * @interrupted: the dump was changed under way
 * @done: the end of the answer was seen
 * @senseless: a part of the answer made no sense
 * @result: what @reply returned first, if not 0; no more replies are handed to
 *	it then
 * @error: what the kernel ended the answer with
 * @ack: additions to @error; points into the receive buffer
 */
struct request {
	const char *what;
	struct nl_msg *msg;
	const struct attr_set *set;
	reply_fn reply;
	void *userdata;
	unsigned int replies;
	bool sent;
	bool overrun;
	bool interrupted;
	bool done;
	bool senseless;
	int result;
	int error;
	struct ext_ack ack;
};

/**
 * trustgate_begin() - first step of every function that uses the socket
 * @conn: connection
 *
 * Forgets the last failure.
 *
 * Return: 0, -ENOTCONN or -EBUSY, noted.
 */
int trustgate_begin(struct trustgate_conn *conn);

/**
 * trustgate_request_new() - begin a request
 * @conn: connection
 * @request: with what, set, reply and userdata filled in
 * @cmd: TRUSTGATE_CMD_...
 * @flags: NLM_F_DUMP or 0
 * @size: room for the attributes
 *
 * Return: 0 or -ENOMEM, noted.
 */
int trustgate_request_new(struct trustgate_conn *conn, struct request *request,
			  uint8_t cmd, uint16_t flags, size_t size);

/**
 * trustgate_request_run() - send, wait for the end of the answer, free
 * @conn: connection
 * @request: @put is added to it; its message is freed in any case
 * @put: result of adding the attributes, a libnl error fails the request
 *
 * Return: 0 or a negative errno value, noted. What the reply function returned
 * comes back unchanged, without a note if it is positive.
 */
int trustgate_request_run(struct trustgate_conn *conn, struct request *request, int put);

/**
 * trustgate_request_send() - send, without waiting for the answer
 * @conn: connection
 * @request: with its message
 *
 * Return: 0 or a negative errno value, noted.
 */
int trustgate_request_send(struct trustgate_conn *conn, struct request *request);

/**
 * trustgate_request_step() - wait for one part of the answer
 * @conn: connection
 * @request: sent
 *
 * The answer is over once request->done is set or this failed.
 *
 * Return: 0, a negative errno value, noted, or what the reply function
 * returned, when the answer is over.
 */
int trustgate_request_step(struct trustgate_conn *conn, struct request *request);

/**
 * trustgate_resolve() - ask the controller for the family
 * @conn: connected
 *
 * Return: 0 or -EPROTONOSUPPORT, noted.
 */
int trustgate_resolve(struct trustgate_conn *conn);

/**
 * trustgate_drain() - take what is in the socket without waiting
 * @conn: connected
 * @all: else no more than what brings an event
 *
 * Events are kept, anything else is a late answer and dropped.
 *
 * Return: 0 or a negative errno value, not noted.
 */
int trustgate_drain(struct trustgate_conn *conn, bool all);

/* ---- grant.c ---- */

/* Begin a dump of grants; as trustgate_request_new(), with the filter added. */
int trustgate_grant_dump_new(struct trustgate_conn *conn, struct request *request,
			     const struct trustgate_grant_filter *filter);

/* ---- event.c ---- */

/**
 * trustgate_event_keep() - keep an event that arrived
 * @conn: connection
 * @attrs: its attributes
 * @length: of @attrs
 *
 * One that cannot be understood or kept counts as lost.
 */
void trustgate_event_keep(struct trustgate_conn *conn, const void *attrs, size_t length);

void trustgate_events_forget(struct trustgate_conn *conn);

#endif /* _TRUSTGATE_CONN_H */
