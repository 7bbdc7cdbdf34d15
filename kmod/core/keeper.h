/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - processes that have files of a volume open or mapped.
 *
 * Owns: what a process has, at a glance.
 *
 * Must not own: whether it should (decision.c), or what is done about it
 * (mapping.c).
 *
 * What is told has been so for a moment; nothing keeps it so.
 */
#ifndef _TRUSTGATE_KEEPER_H
#define _TRUSTGATE_KEEPER_H

#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/trustgate.h>

struct super_block;

/**
 * struct trustgate_keeper - what a process has of a volume
 * @start_ns: start_boottime of the process
 * @uid: its real user
 * @files: open files, by all of its threads; a table that some of them share may
 *	be counted more than once if others have their own
 * @mappings: that show a file, or its private copy; not those that were ended
 * @files_denied: those of @files that would be denied every use now
 * @mappings_denied: those of @mappings that could not be made now
 * @program: it executes, or has loaded, a program that is on the volume
 * @unknown: its memory could not be looked at
 * @path_cut: @path lost its beginning
 * @comm: its command name
 * @path: of one that is mapped, else of one that is open, relative to the
 *	volume's root
 */
struct trustgate_keeper {
	u64 start_ns;
	uid_t uid;
	u32 files;
	u32 mappings;
	u32 files_denied;
	u32 mappings_denied;
	bool program;
	bool unknown;
	bool path_cut;
	char comm[TASK_COMM_LEN];
	char path[TRUSTGATE_EVENT_PATH_MAX + 1];
};

/**
 * trustgate_keeper_numbers() - numbers of processes that may have something
 * @after: only of those above this one
 * @numbers: result, rising, as in the initial pid namespace
 * @max: at most so many
 *
 * Context: process.
 * Return: how many; 0 if there is none above.
 */
unsigned int trustgate_keeper_numbers(pid_t after, pid_t *numbers,
				      unsigned int max);

/**
 * trustgate_keeper_look() - what has a process of a volume?
 * @process: its first thread
 * @sb: the volume's superblock; compared, not followed
 * @keeper: result
 *
 * Waits for nobody: if the process's memory stays locked, that is told.
 *
 * Context: process, may sleep.
 * Return: whether it has, or may have, anything.
 */
bool trustgate_keeper_look(struct task_struct *process,
			   const struct super_block *sb,
			   struct trustgate_keeper *keeper);

#endif /* _TRUSTGATE_KEEPER_H */
