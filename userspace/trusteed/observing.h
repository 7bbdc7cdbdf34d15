/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - volumes that are observed: the kernel records what it would deny, and
 * lets it pass.
 *
 * Owns: that this is on record, with who and why, before it takes effect, and the
 * end of it.
 *
 * Must not own: who may (authorise.c); how long at most, and that it ends by itself,
 * which the kernel sees to.
 *
 * It is never begun by the configuration: that would begin it anew at each boot,
 * and a boot is root's to have.
 */
#ifndef _TRUSTEED_OBSERVING_H
#define _TRUSTEED_OBSERVING_H

#include <stdint.h>
#include <sys/types.h>

#include "refusal.h"

struct agent;
struct trustgate_volume;

/**
 * struct observing - somebody has a volume observed
 * @volume: its name
 * @duration_ns: for how long
 * @reason: enum trustgate_reason
 * @ticket: text or NULL
 * @comment: why, in words, or NULL
 * @uid: who
 * @loginuid: who had logged in as him, 4294967295 for nobody
 * @pid: his process
 */
struct observing {
	const char *volume;
	uint64_t duration_ns;
	uint32_t reason;
	const char *ticket;
	const char *comment;
	uid_t uid;
	uid_t loginuid;
	pid_t pid;
};

/**
 * observing_intend() - have on record that a volume is about to be observed
 * @observing: by whom, for how long, and why
 * @ret_until_ns: until when, on CLOCK_BOOTTIME
 * @refusal: filled on failure
 *
 * Whoever calls this asks the kernel next.
 *
 * Return: 0 or -errno; also if it cannot be recorded, on whatever volume.
 */
int observing_intend(struct agent *agent, const struct observing *observing,
		     uint64_t *ret_until_ns, struct refusal *refusal);

/**
 * observing_begin() - have a protected volume observed, or for another time
 *
 * Return: 0 or -errno with @refusal filled.
 */
int observing_begin(struct agent *agent, const struct observing *observing,
		    struct refusal *refusal);

/**
 * observing_end() - have accesses to a volume denied again
 * @volume: as the kernel has it
 * @why: words for the record
 * @refusal: filled on failure
 *
 * Return: 1, 0 if it was not observed, or -errno.
 */
int observing_end(struct agent *agent, const struct trustgate_volume *volume,
		  const char *why, struct refusal *refusal);

#endif
