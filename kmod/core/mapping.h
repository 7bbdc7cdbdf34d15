/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - mappings that no live grant covers any more.
 *
 * Owns: finding them in the processes that were given access, and ending them.
 *
 * Must not own: when to look (ending.c); which processes these are (taint.c);
 * whether a grant covers a mapping (decision.c).
 */
#ifndef _TRUSTGATE_MAPPING_H
#define _TRUSTGATE_MAPPING_H

#include <linux/types.h>

/**
 * struct trustgate_mapping_tally - what a pass has found and done
 * @marked: processes that were given access by a grant whose end ends mappings
 * @left: those of them that still have such mappings, or may have by a grant that
 *	has ended, and could not be looked at
 * @unknown: those of @left that could not be looked at
 * @unmapped: mappings ended by force
 * @killed: processes killed
 */
struct trustgate_mapping_tally {
	unsigned int marked;
	unsigned int left;
	unsigned int unknown;
	u64 unmapped;
	u64 killed;
};

/**
 * trustgate_mapping_pass() - look at all these processes, and act
 * @pass: number of the pass, never 0 and not that of the one before
 * @tally: result; of each volume nr_found is raised
 *
 * Context: process, may sleep, trustgate_mutex not held; one caller at a time.
 */
void trustgate_mapping_pass(u32 pass, struct trustgate_mapping_tally *tally);

#endif /* _TRUSTGATE_MAPPING_H */
