/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the attributes of a message to structures.
 *
 * Owns: every look into what the kernel sent. Each function takes any bytes,
 * however damaged, and either fills the whole structure or returns -EBADMSG.
 * An attribute that is not known is skipped, so that a newer kernel can be
 * understood. Nothing blocks; no connection is needed.
 *
 * Must not own: sockets, requests, or what an answer leads to.
 */
#ifndef _TRUSTGATE_DECODE_H
#define _TRUSTGATE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "trustgate.h"

/**
 * struct family_info - what the controller says about the family
 * @id: message type
 * @version: of the family
 * @events_group: multicast group of the events, 0 if there is none
 */
struct family_info {
	uint16_t id;
	uint32_t version;
	uint32_t events_group;
};

int trustgate_decode_family(const void *attrs, size_t length, struct family_info *ret);

/* The hooks are allocated: trustgate_gate_clear(), on failure nothing is. May
 * return -ENOMEM.
 */
int trustgate_decode_gate(const void *attrs, size_t length, struct trustgate_gate *ret);
int trustgate_decode_channel(const void *attrs, size_t length, int *ret_fd);
int trustgate_decode_agent(const void *attrs, size_t length, uint64_t *ret_event_seq);
int trustgate_decode_volume(const void *attrs, size_t length, struct trustgate_volume *ret);
int trustgate_decode_grant(const void *attrs, size_t length, struct trustgate_grant *ret);

/* -EBADMSG also if there are not exactly @count grants. */
int trustgate_decode_added(const void *attrs, size_t length, size_t count,
			   struct trustgate_grant_added *ret);
/* The one number that says what was done; -EBADMSG also if it is missing. */
int trustgate_decode_total(const void *attrs, size_t length, unsigned int attribute,
			   uint64_t *ret_total);
int trustgate_decode_request(const void *attrs, size_t length, struct trustgate_request *ret);
int trustgate_decode_keeper(const void *attrs, size_t length, struct trustgate_keeper *ret);
int trustgate_decode_event(const void *attrs, size_t length, struct trustgate_event *ret);

/**
 * struct ext_ack - the additions to an error
 * @message: the kernel's words, not terminated; NULL if there are none
 * @message_length: of @message
 * @offset: of the attribute at fault from the beginning of the request, 0 if
 *	none is named
 * @missing_type: attribute type that is missing, 0 if none is
 * @missing_nest: offset of the nest in which it is missing, 0 for the top level
 */
struct ext_ack {
	const char *message;
	size_t message_length;
	uint32_t offset;
	uint32_t missing_type;
	uint32_t missing_nest;
};

int trustgate_decode_ext_ack(const void *attrs, size_t length, struct ext_ack *ret);

#endif /* _TRUSTGATE_DECODE_H */
