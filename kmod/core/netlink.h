/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the netlink family: who may talk, and how events leave.
 *
 * Owns: registration, authorisation of every request, and the form of events.
 *
 * Must not own: what requests do (netlink_gate.c, _volume.c, _grant.c,
 * _listing.c, _request.c, _keeper.c).
 */
#ifndef _TRUSTGATE_NETLINK_H
#define _TRUSTGATE_NETLINK_H

#include <linux/types.h>
#include <net/genetlink.h>

#include "genl.h"

struct trustgate_event;

/**
 * trustgate_netlink_init() - open for requests
 *
 * Return: 0 or -errno.
 */
int trustgate_netlink_init(void);

/**
 * trustgate_netlink_exit() - no request is under way or will begin
 */
void trustgate_netlink_exit(void);

/**
 * trustgate_netlink_watched() - would an event have any watcher?
 *
 * Context: any but NMI.
 * Return: whether somebody has joined the group.
 */
bool trustgate_netlink_watched(void);

/**
 * trustgate_netlink_publish() - send an event to the watchers
 * @event: event
 *
 * A watcher whose socket is full misses it and is told so by ENOBUFS.
 *
 * Context: process, may sleep.
 */
void trustgate_netlink_publish(const struct trustgate_event *event);

/**
 * trustgate_netlink_tell() - send an event to the agent
 * @portid: the agent's port
 * @event: event
 * @gfp: how to get memory
 *
 * Context: process; does not sleep if @gfp does not.
 * Return: 0; -EAGAIN the socket is full; -ENOMEM; -ECONNREFUSED it is closed.
 */
int trustgate_netlink_tell(u32 portid, const struct trustgate_event *event,
			   gfp_t gfp);

/**
 * struct trustgate_reply - an answer being written
 * @skb: message
 * @header: of genetlink
 */
struct trustgate_reply {
	struct sk_buff *skb;
	void *header;
};

/**
 * trustgate_reply_begin() - begin an answer
 * @reply: result
 * @info: request
 * @size: room for attributes in bytes
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int trustgate_reply_begin(struct trustgate_reply *reply,
			  const struct genl_info *info, size_t size);

/**
 * trustgate_reply_end() - send an answer, or give it up
 * @reply: begun; freed
 * @info: request
 * @err: 0 to send it
 *
 * Return: @err, or the error of sending.
 */
int trustgate_reply_end(struct trustgate_reply *reply, struct genl_info *info,
			int err);

/**
 * trustgate_attr_missing() - refuse a request for what it lacks
 * @info: request
 * @nest: attribute that lacks it, NULL for the message
 * @type: number of the missing attribute
 * @name: its name
 *
 * Return: -EINVAL.
 */
int trustgate_attr_missing(const struct genl_info *info,
			   const struct nlattr *nest, u32 type,
			   const char *name);

/**
 * trustgate_attr_once() - refuse attributes given twice
 * @head: first attribute
 * @length: of all attributes in bytes
 * @multi: number of the one attribute that may be repeated, or 0
 * @extack: gets the attribute at fault
 *
 * Return: 0 or -EINVAL.
 */
int trustgate_attr_once(const struct nlattr *head, int length, int multi,
			struct netlink_ext_ack *extack);

#endif /* _TRUSTGATE_NETLINK_H */
