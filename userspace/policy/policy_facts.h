/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - what a policy wants to know of a live process.
 *
 * Owns: what is read of /proc/PID and the program's file.
 *
 * Must not own: what the facts decide.
 */
#ifndef _TRUSTGATE_POLICY_FACTS_H
#define _TRUSTGATE_POLICY_FACTS_H

#include "policy.h"

/* The largest program whose digest is computed where nobody is to wait. */
#define POLICY_FACTS_BYTES_MAX	(64 << 20)

/**
 * enum policy_digests - what may be done for the program's digests
 * @POLICY_DIGESTS_NONE: nothing; they are unknown
 * @POLICY_DIGESTS_SOON: read the program if it is on a block device and not too
 *	large; else they are unknown
 * @POLICY_DIGESTS_ALL: read it, however long it takes
 */
enum policy_digests {
	POLICY_DIGESTS_NONE,
	POLICY_DIGESTS_SOON,
	POLICY_DIGESTS_ALL,
};

/**
 * policy_facts_read() - find out what can be found out
 * @pid: process or thread
 * @digests: what may be done for its digests
 * @facts: gets its program, digests, users, unit and control group; what cannot
 *	be found out, or not by this user, is unknown. To be released with
 *	policy_facts_clear().
 *
 * Nothing is read that was mounted over what is a process's own in /proc (see
 * process_entry.h). What root could have made up in a mount namespace of his own, the program's path, is
 * taken as the kernel shows it here. The unit is that of the control group, where
 * root can put any process.
 *
 * Return: 0, -ESRCH if there is no such process, or another -errno.
 */
int policy_facts_read(pid_t pid, enum policy_digests digests, struct policy_facts *facts);

/**
 * policy_facts_clear() - release the texts that were found out
 * @facts: as policy_facts_read() left them; they are unknown afterwards
 */
void policy_facts_clear(struct policy_facts *facts);

#endif /* _TRUSTGATE_POLICY_FACTS_H */
