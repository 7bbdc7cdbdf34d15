/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - grants that have ended and whose mappings are to end with them.
 *
 * Owns: these grants, until nothing is mapped by them any more; when mappings
 * are looked for.
 *
 * Must not own: what is done about a mapping (mapping.c); whether an access is
 * allowed, which does not depend on any of this.
 */
#ifndef _TRUSTGATE_ENDING_H
#define _TRUSTGATE_ENDING_H

#include <linux/types.h>

struct trustgate_grant;
struct trustgate_holders;
struct trustgate_volume;

/**
 * struct trustgate_ending_totals - what was done so far
 * @grants: that have ended and whose mappings are still looked for
 * @unmapped: mappings ended by force
 * @killed: processes killed
 */
struct trustgate_ending_totals {
	u64 grants;
	u64 unmapped;
	u64 killed;
};

/**
 * trustgate_ending_init() - get ready to look for mappings
 *
 * Return: 0 or -errno.
 */
int trustgate_ending_init(void);

/**
 * trustgate_ending_exit() - look no more
 *
 * Context: process, may sleep; no volume is protected any more.
 */
void trustgate_ending_exit(void);

/**
 * trustgate_ending_expect() - a grant comes into force
 * @grant: inserted
 *
 * Context: trustgate_mutex held.
 */
void trustgate_ending_expect(const struct trustgate_grant *grant);

/**
 * trustgate_ending_keep() - a grant has ended
 * @grant: out of the tables, its subject still there
 * @end: why
 *
 * Keeps it, which shows in its holder, if mappings are to end with it. With a
 * volume's protection no mapping ends: everybody may make it anew.
 *
 * Context: trustgate_mutex held.
 */
void trustgate_ending_keep(struct trustgate_grant *grant, u32 end);

/**
 * trustgate_ending_hurry() - a grant is suspended
 * @grant: in the tables, not suspended before
 *
 * Mappings that no other covers end with it as they would at its end.
 *
 * Context: trustgate_mutex held.
 */
void trustgate_ending_hurry(struct trustgate_grant *grant);

/**
 * trustgate_ending_spare() - a grant is suspended no longer
 * @grant: resumed, or about to leave the tables; suspended or not
 *
 * Context: trustgate_mutex held.
 */
void trustgate_ending_spare(struct trustgate_grant *grant);

/**
 * trustgate_ending_drop() - let go of the kept grants of a volume
 * @volume: volume, which is about to be removed
 *
 * Context: process, may sleep, trustgate_mutex held.
 */
void trustgate_ending_drop(const struct trustgate_volume *volume);

/**
 * trustgate_ending_next() - walk the kept grants by rising number
 * @id: begin with this number
 *
 * Context: trustgate_mutex held.
 * Return: the grant with the lowest number not below @id, or NULL.
 */
struct trustgate_grant *trustgate_ending_next(u64 id);

/**
 * trustgate_ending_concerns() - may a process have mappings that are to end?
 * @holders: by whose grants it was let in
 *
 * By a grant that has ended and is kept, or that was suspended.
 *
 * Not by one that a live grant of the same holder stands in for, as when it was
 * renewed.
 *
 * Context: process, may sleep, trustgate_mutex not held.
 * Return: whether it may.
 */
bool trustgate_ending_concerns(const struct trustgate_holders *holders);

/**
 * trustgate_ending_totals() - what was done so far
 * @totals: result
 *
 * Context: trustgate_mutex held.
 */
void trustgate_ending_totals(struct trustgate_ending_totals *totals);

#endif /* _TRUSTGATE_ENDING_H */
