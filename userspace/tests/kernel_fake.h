/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel made of a script.
 *
 * Owns: the other side of a netlink socket: sendto(), recvmsg(), poll() and
 * setsockopt() of the code under test end up here (ld --wrap). The test queues
 * datagrams; the answer to the next request carries its sequence number.
 *
 * Must not own: what is checked.
 */
#ifndef _TRUSTGATE_KERNEL_FAKE_H
#define _TRUSTGATE_KERNEL_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netlink/msg.h>

#include "trustgate.h"

#define FAKE_FAMILY_ID 33

/* What a message takes instead of a sequence number. */
#define FAKE_SEQ_OF_REQUEST 0

/* Forget everything queued and recorded. */
void fake_reset(void);

/* Queue a message of the family; @attrs may be NULL and is freed. */
void fake_message(uint16_t type, uint8_t cmd, uint16_t flags, uint32_t seq,
		  struct nl_msg *attrs);

/* Queue an acknowledgement or error; @tlvs may be NULL and is freed. */
void fake_error(int error, struct nl_msg *tlvs);

/* Queue the end of a dump. */
void fake_done(int error, uint16_t flags);

/* Queue bytes as they are; the number in them is left alone. */
void fake_bytes(const void *bytes, size_t length);

/* The datagram queued last comes from another process, is cut, or an errno. */
void fake_from_process(uint32_t port);
void fake_cut(void);
void fake_errno(int error);

/* What is queued from here on is there only after the next request. */
void fake_after_request(void);

/* Queue the controller's answer. */
void fake_family(uint16_t id);

/* The requests that were sent, in order; NULL behind the last. */
const struct nlmsghdr *fake_request(size_t index);
size_t fake_requests(void);

/* Datagrams nobody has taken. */
size_t fake_left(void);

/* Attributes for a message. */
struct nl_msg *fake_attrs(void);

/* ---- kernel_fake_session.c ---- */

/* A connection; what is queued from here on waits for its first request. */
struct trustgate_conn *fake_connect(void);

/* The attribute, and the command, of the request sent last. */
const struct nlattr *fake_sent_attr(int type);
uint8_t fake_sent_cmd(void);

/* Queue an answer that holds one number, with its acknowledgement. */
void fake_reply_number(uint8_t cmd, int type, uint64_t number);

/* Queue an event, or a grant of a dump. */
void fake_event(uint64_t seq);
void fake_grant(uint64_t id, uint16_t flags);

/* Additions to an error; what is 0 or NULL is left out. */
struct nl_msg *fake_ack(const char *message, uint32_t offset, uint32_t missing,
			uint32_t nest);

/* A request with every field set, and an array of it. */
extern const struct trustgate_grant_request fake_grant_model;
void fake_grant_requests(struct trustgate_grant_request *requests, size_t count);

#endif /* _TRUSTGATE_KERNEL_FAKE_H */
