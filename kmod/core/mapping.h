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

struct mm_struct;
struct task_struct;
struct vm_area_struct;

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

/**
 * trustgate_mapping_shut() - is this what remains of a mapping that was ended?
 * @vma: mapping, its memory locked
 *
 * Return: whether it is, so that nobody can see anything by it.
 */
bool trustgate_mapping_shut(const struct vm_area_struct *vma);

/**
 * trustgate_mapping_image() - is it a part of a program, as exec mapped it?
 * @vma: mapping of a file, its memory locked
 *
 * Return: whether it is.
 */
bool trustgate_mapping_image(const struct vm_area_struct *vma);

/**
 * trustgate_mapping_access() - what has to be allowed for a mapping
 * @vma: mapping of a file, its memory locked
 *
 * Return: mask of enum trustgate_access.
 */
u32 trustgate_mapping_access(const struct vm_area_struct *vma);

/**
 * trustgate_mapping_memory() - the memory of a process
 * @process: its first thread
 *
 * Context: process.
 * Return: a reference, to be dropped with mmput() or mmput_async(); NULL if it has
 * none, or none any more.
 */
struct mm_struct *trustgate_mapping_memory(const struct task_struct *process);

#endif /* _TRUSTGATE_MAPPING_H */
