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

#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "grant.h"
#include "holders.h"

struct dentry;
struct trustgate_opening;

/**
 * struct trustgate_question - may this be done?
 * @volume: where; valid for the RCU read side section
 * @dentry: the name by which the object is reached, for subtrees; NULL if it
 *	cannot be known, then only a grant on the file itself counts
 * @ino: object
 * @subvolume: object
 * @generation: object
 * @access: non-empty mask of enum trustgate_access, all of which is needed;
 *	empty with @presence
 * @takes_use: whether an allow is counted against limited grants
 * @whole: whether the object stands for all that lies below it, too, so that
 *	only a grant on a subtree counts
 * @presence: any grant of the subject on the volume will do, whatever its
 *	object and access
 * @opening: the open that this is, if it can wait; else NULL
 * @task: subject; its thread group decides
 * @now_ns: CLOCK_BOOTTIME
 */
struct trustgate_question {
	const struct trustgate_volume *volume;
	struct dentry *dentry;
	u64 ino;
	u64 subvolume;
	u32 generation;
	u32 access;
	bool takes_use;
	bool whole;
	bool presence;
	struct trustgate_opening *opening;
	const struct task_struct *task;
	u64 now_ns;
};

/**
 * struct trustgate_basis - what an allow is founded on, beside the grants
 * @until_ns: CLOCK_BOOTTIME of the first expiry, or end of supervision
 * @by_name: names of directories mattered
 * @generations: whose grants were weighed: 0 only the process's own, 1 its
 *	parent's, too, and so on
 * @parent: if that is 1, the parent; compared, never followed
 * @parent_pid: its process; compared, never followed
 * @parent_exec_id: its self_exec_id
 */
struct trustgate_basis {
	u64 until_ns;
	bool by_name;
	unsigned int generations;
	const struct task_struct *parent;
	const struct pid *parent_pid;
	u64 parent_exec_id;
};

/**
 * struct trustgate_answer - the verdict
 * @cause: enum trustgate_cause; TRUSTGATE_CAUSE_GRANTED is the only allow
 * @grant_id: grant by which it is allowed, or whose shortcoming is @cause; 0
 *	if there is none
 * @tag: of that grant
 * @basis: of an allow
 * @on_end: of an allow, the strictest of what becomes of mappings when one of
 *	its grants ends, enum trustgate_on_end
 * @holders: who holds those of them whose end ends mappings
 * @own: that grant, if the process holds it itself, now and not by its next
 *	exec; valid for the RCU read side section
 * @target: process that it was to be done to, for its memory; or NULL
 */
struct trustgate_answer {
	u32 cause;
	u64 grant_id;
	u64 tag;
	struct trustgate_basis basis;
	u32 on_end;
	struct trustgate_holders holders;
	struct trustgate_grant *own;
	const struct task_struct *target;
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
static __always_inline u32 trustgate_judge(const struct trustgate_grant *grant,
					   u64 exec_id, u64 now_ns)
{
	if (!(grant->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC) &&
	    grant->exec_id != exec_id)
		return grant->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC &&
		       exec_id < grant->exec_id ? TRUSTGATE_CAUSE_NOT_YET :
						  TRUSTGATE_CAUSE_EXEC_CHANGED;
	if (now_ns < grant->not_before_ns)
		return TRUSTGATE_CAUSE_NOT_YET;
	if (now_ns >= (u64)grant->expiry.expires)
		return TRUSTGATE_CAUSE_EXPIRED;
	if (now_ns >= READ_ONCE(grant->live_until_ns))
		return TRUSTGATE_CAUSE_UNSUPERVISED;
	return TRUSTGATE_CAUSE_GRANTED;
}

/**
 * trustgate_granted_at_once() - is this the plainest of all allowed accesses?
 * @volume: where
 * @inode: object, not standing for what lies below it
 * @subvolume: of it
 * @access: non-empty mask of enum trustgate_access
 * @takes_use: whether an allow is counted against limited grants
 * @task: subject
 * @now_ns: CLOCK_BOOTTIME
 *
 * Looks for one grant to the process itself, unlimited in uses, on the very
 * file, for all of @access, that has allowed it access before: this tells that
 * its memory is guarded, that it has executed nothing since, and that the grant
 * has begun. Not for io_uring's threads, see polled(). In line, and with nothing
 * to be put together for it, because it is what an allowed access costs at the
 * least.
 *
 * Context: RCU read side, any other context; takes no lock.
 * Return: a grant by which trustgate_decide() would allow; NULL says nothing.
 */
static __always_inline const struct trustgate_grant *
trustgate_granted_at_once(const struct trustgate_volume *volume,
			  const struct inode *inode, u64 subvolume,
			  u32 access, bool takes_use,
			  const struct task_struct *task, u64 now_ns)
{
	const struct trustgate_key key = {
		.pid = task_tgid((struct task_struct *)task),
		.volume = volume,
		.ino = inode->i_ino,
		.subvolume = subvolume,
		.generation = inode->i_generation,
		.kind = TRUSTGATE_OBJECT_KIND_FILE,
	};
	const struct trustgate_grant *grant;
	struct rhlist_head *pos;

	if (unlikely(task->flags & (PF_KTHREAD | PF_IO_WORKER) || task->ptrace))
		return NULL;
	rhl_for_each_entry_rcu(grant, pos, trustgate_grants_of(&key), node) {
		if (!(access & ~grant->access) &&
		    !(grant->max_uses && takes_use) &&
		    READ_ONCE(grant->in_force) &&
		    READ_ONCE(grant->tainted_exec_id) == task->self_exec_id &&
		    now_ns < READ_ONCE(grant->live_until_ns))
			return grant;
	}
	return NULL;
}

#endif /* _TRUSTGATE_DECISION_H */
