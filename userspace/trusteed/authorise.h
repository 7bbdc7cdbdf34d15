/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - who may ask for what.
 *
 * Owns: the rules, as functions of the configuration and the request alone.
 *
 * Must not own: state, system calls, the carrying out. That keeps the rules
 * readable as a table and testable without a machine.
 */
#ifndef _TRUSTEED_AUTHORISE_H
#define _TRUSTEED_AUTHORISE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"
#include "refusal.h"

/**
 * enum ask - what somebody wants
 * @ASK_READ: state, volumes, grants and events
 * @ASK_REVOKE: end grants; it only ever takes away
 * @ASK_VOLUMES: protect, change and release volumes
 * @ASK_GRANT: give a grant to any process
 * @ASK_OBSERVE: have accesses to a volume recorded and not denied
 */
enum ask {
	ASK_READ,
	ASK_REVOKE,
	ASK_VOLUMES,
	ASK_GRANT,
	ASK_OBSERVE,
};

/**
 * authorise() - whether a user may ask for something
 * @config: current configuration
 * @uid: who asks
 * @ask: what for
 * @refusal: filled if not
 *
 * Return: 0 or -EPERM.
 */
int authorise(const struct config *config, uid_t uid, enum ask ask,
	      struct refusal *refusal);

/**
 * authorise_supervise() - whether a user may have grants allow by watching
 * @config: current configuration
 * @volume: where; "" if there is no such volume
 * @uid: who asks
 * @refusal: filled if not
 *
 * Whether they are his own is not looked at here.
 *
 * Return: 0 or -EPERM.
 */
int authorise_supervise(const struct config *config, const char *volume, uid_t uid,
			struct refusal *refusal);

/**
 * struct self_grant - a grant that a process wants for itself
 * @uid: who asks
 * @volume: for which volume
 * @access: mask of enum trustgate_access
 * @duration_ns: for how long
 * @delay_ns: from when
 * @reason: enum trustgate_reason
 * @beneath: whether the object asked for is @path of the rule or lies beneath
 *	it: 1, 0 or -errno
 * @userdata: for @beneath
 */
struct self_grant {
	uid_t uid;
	const char *volume;
	uint32_t access;
	uint64_t duration_ns;
	uint64_t delay_ns;
	uint32_t reason;
	int (*beneath)(const char *path, void *userdata);
	void *userdata;
};

/**
 * authorise_self_grant() - whether a rule of the volume allows a self-grant
 * @config: current configuration
 * @wish: what is asked for
 * @refusal: filled if not, by the rule that came closest
 *
 * Return: 0 or -EPERM.
 */
int authorise_self_grant(const struct config *config,
			 const struct self_grant *wish, struct refusal *refusal);

/**
 * authorise_reason() - whether a reason is good enough, whoever gives it
 * @reason: enum trustgate_reason
 * @ticket: text or NULL
 * @refusal: filled if not
 *
 * Return: 0 or -EINVAL.
 */
int authorise_reason(uint32_t reason, const char *ticket, struct refusal *refusal);

/**
 * authorise_reason_alone() - the same where nothing but a ticket can go with it
 * @reason: enum trustgate_reason
 * @ticket: text or NULL
 * @refusal: filled if not
 *
 * Return: 0 or -EINVAL.
 */
int authorise_reason_alone(uint32_t reason, const char *ticket, struct refusal *refusal);

/* "uid 1000 (dba)" */
void authorise_name(const struct config *config, uid_t uid, char *text, size_t size);

#endif
