/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - processes whose memory may hold a volume's bytes.
 *
 * Owns: which processes these are, from the first access that a grant allowed
 * them to the end of that memory, and of every other process, who may still be
 * able to read its memory.
 *
 * Must not own: which hooks ask (hook_task.c); counting and recording a denial
 * (check.c).
 *
 * A process is a thread group here, known by its first thread.
 */
#ifndef _TRUSTGATE_TAINT_H
#define _TRUSTGATE_TAINT_H

#include <linux/types.h>
#include <uapi/linux/trustgate.h>

#include "holders.h"

struct mm_struct;
struct task_struct;

/* What brings a volume's bytes into memory, or has them there already. */
#define TRUSTGATE_TAINTING	(TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE)

/**
 * struct trustgate_looked - what became of a look into a process
 * @cause: TRUSTGATE_CAUSE_GRANTED, _MEMORY, or _SUSPENDED if there is no room
 *	to note the look
 * @volume_id: whose bytes the memory may hold, for _MEMORY
 * @again: the process was looked at in this lesser way before, and refused
 */
struct trustgate_looked {
	u32 cause;
	u32 volume_id;
	bool again;
};

/**
 * trustgate_taint_hindrance() - what forbids to let bytes into current's memory?
 * @now_ns: CLOCK_BOOTTIME
 *
 * Context: RCU read side, any but NMI.
 * Return: TRUSTGATE_CAUSE_GRANTED for nothing, or _TRACED.
 */
u32 trustgate_taint_hindrance(u64 now_ns);

/**
 * trustgate_taint_current() - current's memory is about to hold bytes
 * @volume_id: of this volume
 * @on_end: what becomes of its mappings that no grant covers any more, enum
 *	trustgate_on_end; the strictest is kept
 * @holders: by whose grants, if mappings end with them; all are kept
 * @image: this is so for the program that it executes, too
 * @now_ns: CLOCK_BOOTTIME
 *
 * Also marks what shares the memory without being of the thread group.
 *
 * Context: RCU read side, any but NMI.
 * Return: TRUSTGATE_CAUSE_GRANTED when marked; _TRACED if others may read the
 * memory; _SUSPENDED if there is no room to note it.
 */
u32 trustgate_taint_current(u32 volume_id, u32 on_end,
			    const struct trustgate_holders *holders, bool image,
			    u64 now_ns);

/**
 * trustgate_taint_look() - somebody wants to look into a process
 * @task: any thread of it
 * @attach: to read or write its memory, not only what /proc tells about it
 * @keeps: what is opened now can be read later, without another check
 * @now_ns: CLOCK_BOOTTIME
 *
 * An @attach that is let through is noted, see trustgate_taint_hindrance().
 *
 * Context: RCU read side, any but NMI.
 * Return: what became of it.
 */
struct trustgate_looked trustgate_taint_look(const struct task_struct *task,
					     bool attach, bool keeps,
					     u64 now_ns);

/**
 * trustgate_taint_of() - whose bytes may a process's memory hold?
 * @task: any thread of it
 *
 * Context: RCU read side, any but NMI.
 * Return: number of the volume, 0 for none.
 */
u32 trustgate_taint_of(const struct task_struct *task);

/**
 * trustgate_taint_inherit() - a task will have current's memory, or a copy
 * @task: being made, or current itself, which may leave its first thread by
 *	executing a program
 *
 * Context: RCU read side, any but NMI.
 * Return: false if there is no room to note it.
 */
bool trustgate_taint_inherit(const struct task_struct *task);

/**
 * trustgate_taint_shares() - does a process have this memory?
 * @process: any thread of it
 * @mm: memory, not followed
 *
 * Context: RCU read side.
 * Return: whether one of its threads has.
 */
bool trustgate_taint_shares(const struct task_struct *process,
			    const struct mm_struct *mm);

/**
 * struct trustgate_marked - a process whose mappings may have to end
 * @task: its first thread; a reference
 * @on_end: how, enum trustgate_on_end
 * @holders: with whose grants
 * @image: its program's, too
 */
struct trustgate_marked {
	struct task_struct *task;
	u32 on_end;
	struct trustgate_holders holders;
	bool image;
};

/**
 * trustgate_taint_marked() - processes whose mappings may have to end
 * @marked: result, references are the caller's
 * @max: at most so many
 * @pass: each process is told once for each number
 *
 * Context: process; one caller at a time.
 * Return: how many; 0 when all have been told.
 */
unsigned int trustgate_taint_marked(struct trustgate_marked *marked,
				    unsigned int max, u32 pass);

/**
 * trustgate_taint_busy() - count in how many passes a process was left alone
 * @task: its first thread
 * @busy: it was again; false begins anew
 *
 * Context: process.
 * Return: how many in a row.
 */
unsigned int trustgate_taint_busy(const struct task_struct *task, bool busy);

/**
 * trustgate_taint_forget() - this memory, or this task, is no more
 * @task: not followed
 *
 * Context: any but NMI.
 */
void trustgate_taint_forget(const struct task_struct *task);

/**
 * trustgate_taint_forget_all() - nobody tells of the end of tasks any more
 *
 * Context: process; no hook can run any more.
 */
void trustgate_taint_forget_all(void);

#endif /* _TRUSTGATE_TAINT_H */
