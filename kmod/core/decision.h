/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the decision: (volume, subject, object, access, now) -> verdict.
 *
 * Owns: whether the grants in the table allow an access, and why not.
 *
 * Must not own: any state. It neither allocates nor sleeps, and writes nothing
 * but the use count of a grant whose uses are limited.
 */
#ifndef _TRUSTGATE_DECISION_H
#define _TRUSTGATE_DECISION_H

#include "grant.h"

struct dentry;
struct task_struct;

/**
 * struct trustgate_question - may this be done?
 * @volume: where; valid for the RCU read side section
 * @dentry: the name by which the object is reached, for subtrees; NULL if it
 *	cannot be known, then only a grant on the file itself counts
 * @ino: object
 * @generation: object
 * @access: non-empty mask of enum trustgate_access, all of which is needed
 * @takes_use: whether an allow is counted against limited grants
 * @whole: whether the object stands for all that lies below it, too, so that
 *	only a grant on a subtree counts
 * @task: subject; its thread group decides
 * @now_ns: CLOCK_BOOTTIME
 */
struct trustgate_question {
	const struct trustgate_volume *volume;
	struct dentry *dentry;
	u64 ino;
	u32 generation;
	u32 access;
	bool takes_use;
	bool whole;
	const struct task_struct *task;
	u64 now_ns;
};

/**
 * struct trustgate_answer - the verdict
 * @cause: enum trustgate_cause; TRUSTGATE_CAUSE_GRANTED is the only allow
 * @grant_id: grant by which it is allowed, or whose shortcoming is @cause; 0
 *	if there is none
 * @tag: of that grant
 */
struct trustgate_answer {
	u32 cause;
	u64 grant_id;
	u64 tag;
};

/**
 * trustgate_decide() - answer a question
 * @question: question
 * @answer: result
 *
 * Grants add up: one for READ and one for WRITE allow reading and writing.
 *
 * Context: RCU read side, any other context; takes no lock.
 */
void trustgate_decide(const struct trustgate_question *question,
		      struct trustgate_answer *answer);

/**
 * trustgate_judge() - does one grant that covers subject and object count?
 * @grant: grant
 * @exec_id: self_exec_id of the process that asks
 * @now_ns: CLOCK_BOOTTIME
 *
 * Context: any.
 * Return: TRUSTGATE_CAUSE_GRANTED, or why not.
 */
u32 trustgate_judge(const struct trustgate_grant *grant, u64 exec_id,
		    u64 now_ns);

#endif /* _TRUSTGATE_DECISION_H */
