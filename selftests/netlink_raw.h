/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink_raw - a netlink client that can say anything, right or wrong.
 *
 * Owns: putting a message together byte by byte, and taking apart what comes
 * back, extended ack included.
 *
 * Must not own: what a correct request is. It shares no code with
 * libtrustgate, so that the two check each other.
 *
 * Functions return 0 or -errno unless they say otherwise. They print nothing.
 */
#ifndef NETLINK_RAW_H
#define NETLINK_RAW_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/trustgate.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_MESSAGE_MAX	(1 << 18)
#define RAW_SECOND_NS	1000000000ULL

/**
 * struct raw_socket - an open socket of family NETLINK_GENERIC
 * @fd: the socket; may be used directly
 * @port: its address
 * @seq: sequence number of the newest request
 * @family: number of the family trustgate, 0 if it is not there
 * @group: its group "events"
 * @plain: send by write(2), without naming the kernel as the receiver
 * @gives_up: when the kernel says that it could not send something, do not wait
 *	on for an answer but return -ENOBUFS: it may be what was not sent
 */
struct raw_socket {
	int fd;
	uint32_t port;
	uint32_t seq;
	uint16_t family;
	uint32_t group;
	bool plain;
	bool gives_up;
};

/**
 * struct raw_message - a message under construction
 * @bytes: begins with a struct nlmsghdr, whose nlmsg_len is kept right
 */
struct raw_message {
	_Alignas(struct nlmsghdr) unsigned char bytes[RAW_MESSAGE_MAX];
};

/**
 * struct raw_answer - what came back for one request
 * @error: 0 or -errno, from the ack
 * @text: message of the extended ack, "" if there was none
 * @bad: number of the attribute at fault, -1 if none was named
 * @bad_offset: where in the request that attribute is, 0 if none was named
 * @miss: number of the missing attribute, -1 if none was named
 * @in_nest: number of the attribute that @miss is missing in, -1 if none
 * @policy_type: NL_ATTR_TYPE_* that the attribute at fault should have been,
 *	0 if the ack did not say
 * @command: of the reply, 0 if there was only an ack
 * @length: of @reply in bytes
 * @reply: attributes
 */
struct raw_answer {
	int error;
	char text[256];
	int bad;
	uint32_t bad_offset;
	int miss;
	int in_nest;
	uint32_t policy_type;
	uint8_t command;
	size_t length;
	_Alignas(struct nlattr) unsigned char reply[RAW_MESSAGE_MAX];
};

/**
 * struct raw_event - an event, taken apart
 * @has: one bit for each TRUSTGATE_A_EVENT_* that was in the message
 */
struct raw_event {
	uint32_t has;
	uint64_t seq;
	uint32_t type;
	uint64_t time_boottime_ns;
	uint64_t dropped;
	uint32_t volume_id;
	char volume_name[TRUSTGATE_NAME_MAX + 1];
	uint64_t grant_id;
	uint64_t tag;
	char hook[32];
	uint32_t access;
	uint32_t cause;
	uint32_t end;
	int32_t pid;
	int32_t tid;
	uint32_t uid;
	uint32_t loginuid;
	char comm[16];
	uint64_t ino;
	uint32_t generation;
	char path[TRUSTGATE_EVENT_PATH_MAX + 1];
	uint64_t expires_boottime_ns;
};

/**
 * struct raw_grant - a grant of a reply, taken apart
 */
struct raw_grant {
	uint64_t id;
	uint32_t volume_id;
	int32_t pid;
	uint64_t start_ticks;
	uint64_t exec_id;
	uint32_t flags;
	uint32_t object_kind;
	uint64_t ino;
	uint32_t generation;
	uint32_t access;
	uint64_t not_before_boottime_ns;
	uint64_t expires_boottime_ns;
	uint32_t max_uses;
	uint32_t uses;
	uint32_t reason;
	char ticket[TRUSTGATE_TICKET_MAX + 1];
	uint64_t tag;
	uint64_t created_boottime_ns;
};

/**
 * struct raw_gate - the answer to gate-get, taken apart
 * @has: one bit for each TRUSTGATE_A_GATE_* that was in the message
 * @hooks: how many hooks are attached
 */
struct raw_gate {
	uint32_t has;
	uint32_t abi_version;
	uint32_t state;
	uint32_t agent_portid;
	int32_t agent_pid;
	uint32_t volumes;
	uint32_t volumes_max;
	uint64_t grants;
	uint64_t grants_max;
	uint64_t grants_bytes_max;
	uint64_t subjects;
	uint64_t event_seq;
	uint64_t events_dropped;
	uint64_t events_agent_missed;
	uint32_t events_max;
	uint64_t audit_suppressed;
	uint64_t proofs;
	uint64_t proof_boottime_ns;
	unsigned int hooks;
};

/* Opens a socket and finds the family: -ENOENT if it is not registered. */
int raw_open(struct raw_socket *socket);
void raw_close(struct raw_socket *socket);

/* Build. What is put must fit into RAW_MESSAGE_MAX, else the test aborts. */
void raw_begin(struct raw_message *message, const struct raw_socket *socket,
	       uint8_t command);
void raw_put(struct raw_message *message, uint16_t type, const void *data,
	     size_t length);
void raw_put_u32(struct raw_message *message, uint16_t type, uint32_t value);
void raw_put_u64(struct raw_message *message, uint16_t type, uint64_t value);
void raw_put_string(struct raw_message *message, uint16_t type,
		    const char *text);
void raw_put_flag(struct raw_message *message, uint16_t type);
/* Returns what raw_nest_end() wants. */
size_t raw_nest(struct raw_message *message, uint16_t type);
void raw_nest_end(struct raw_message *message, size_t nest);

/* Requests an ack, sends, and waits for it: -errno only if that fails. */
int raw_ask(struct raw_socket *socket, struct raw_message *message,
	    struct raw_answer *answer);
/* The same for whom the answer's error is all that matters. */
int raw_do(struct raw_socket *socket, struct raw_message *message);

/**
 * raw_dump() - ask for all of something
 * @socket: socket
 * @message: request; gets NLM_F_DUMP
 * @each: called with the attributes of each message; may be NULL
 * @context: for @each
 * @interrupted: set if the kernel said that something changed meanwhile; may
 *	be NULL
 * @answer: error and extended ack; may be NULL
 *
 * Return: 0, -errno of the kernel, or of the socket.
 */
int raw_dump(struct raw_socket *socket, struct raw_message *message,
	     void (*each)(const void *attrs, size_t length, void *context),
	     void *context, bool *interrupted, struct raw_answer *answer);

/**
 * raw_event_next() - the next event on this socket
 * @socket: the agent's or a watcher's
 * @event: result
 * @timeout_ms: how long to wait for one
 *
 * Return: 0; -ETIMEDOUT; -ENOBUFS if some were lost; -errno of the socket.
 */
int raw_event_next(struct raw_socket *socket, struct raw_event *event,
		   int timeout_ms);
/* Waits for an event of one type, leaving out others. */
int raw_event_find(struct raw_socket *socket, struct raw_event *event,
		   uint32_t type, int timeout_ms);

/* Look for an attribute; NULL if there is none. */
const struct nlattr *raw_find(const void *attrs, size_t length, uint16_t type);
uint32_t raw_u32(const struct nlattr *attr);
uint64_t raw_u64(const struct nlattr *attr);
void raw_grant_parse(const void *attrs, size_t length, struct raw_grant *grant);

/* Correct requests, for what is not the subject of a test (netlink_request.c). */
int raw_bind(struct raw_socket *socket, const char *secret32);
int raw_gate(struct raw_socket *socket, struct raw_gate *gate);
/* The volume's number, or -errno. */
int raw_volume_add(struct raw_socket *socket, const char *name,
		   const char *path, uint32_t on_agent_loss, uint32_t record);
int raw_volume_del(struct raw_socket *socket, uint32_t id);
uint64_t raw_now_ns(void);

/**
 * struct raw_wish - a grant as it is asked for
 *
 * What is 0 is left out, but volume, pid, kind, access and reason; no path
 * means ".".
 * @for_ns: from now to the expiry, 0 for a minute
 */
struct raw_wish {
	uint32_t volume;
	int32_t pid;
	uint32_t kind;
	const char *path;
	uint32_t access;
	uint32_t flags;
	uint32_t max_uses;
	uint32_t reason;
	const char *ticket;
	uint64_t tag;
	uint64_t for_ns;
};

/* Adds a grant to a message begun for grant-add. */
void raw_put_wish(struct raw_message *message, const struct raw_wish *wish);
/* The grant's number; 0 with errno set if it was refused. */
uint64_t raw_grant(struct raw_socket *socket, const struct raw_wish *wish);
/* Revokes one grant, or all if id is 0. */
int raw_revoke(struct raw_socket *socket, uint64_t id);
/* How many grants are live according to a dump; -errno. */
long raw_count_grants(struct raw_socket *socket);

#endif /* NETLINK_RAW_H */
