/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - on which terms a grant can be given.
 *
 * Owns: the limits that every grant keeps to, whichever way it is asked for, and
 * the words in which it is refused.
 *
 * Must not own: how the terms are read (netlink_grant.c, channel.c), who is a
 * valid subject or object (identity.h).
 */
#ifndef _TRUSTGATE_TERMS_H
#define _TRUSTGATE_TERMS_H

#include <linux/types.h>

struct netlink_ext_ack;
struct nlattr;
struct trustgate_terms;

/**
 * trustgate_terms_take_volume() - find the volume of a grant
 * @terms: result
 * @id: number
 * @attr: at fault, if it is
 * @extack: gets the cause of a refusal
 *
 * Context: trustgate_mutex held.
 * Return: 0; -ENOENT no such volume; -ESHUTDOWN the host is going down.
 */
int trustgate_terms_take_volume(struct trustgate_terms *terms, u32 id,
				const struct nlattr *attr,
				struct netlink_ext_ack *extack);

/**
 * trustgate_terms_check() - may a grant be given on these terms?
 * @terms: all of them but subject and object
 * @now_ns: CLOCK_BOOTTIME
 * @attrs: by TRUSTGATE_A_GRANT_..., what a refusal points at; NULL for what was
 *	not given. Only their addresses matter.
 * @extack: gets the cause of a refusal
 *
 * Context: process, trustgate_mutex held.
 * Return: 0, -EINVAL or -ERANGE.
 */
int trustgate_terms_check(const struct trustgate_terms *terms, u64 now_ns,
			  struct nlattr * const *attrs,
			  struct netlink_ext_ack *extack);

/**
 * trustgate_terms_supervised() - may a grant be supervised until then?
 * @until_ns: CLOCK_BOOTTIME, 0 for suspended
 * @attr: at fault, if it is
 * @extack: gets the cause of a refusal
 *
 * Context: any.
 * Return: 0, -EINVAL or -ERANGE.
 */
int trustgate_terms_supervised(u64 until_ns, const struct nlattr *attr,
			       struct netlink_ext_ack *extack);

/**
 * trustgate_terms_no_room() - say that the table of grants is full
 * @attr: the grant that has found no room
 * @extack: gets the cause
 *
 * Context: any.
 */
void trustgate_terms_no_room(const struct nlattr *attr,
			     struct netlink_ext_ack *extack);

#endif /* _TRUSTGATE_TERMS_H */
