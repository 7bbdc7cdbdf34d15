/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - accesses that were allowed a moment ago.
 *
 * A program reads a file that it has opened again and again. Each time the
 * same grants answer the same question, so each CPU remembers some answers,
 * with all that they depended on.
 *
 * Owns: what an answer depends on, and whether that is still so.
 *
 * Must not own: the decision. What is not remembered, or remembered for other
 * circumstances in the least respect, is decided anew.
 */
#ifndef _TRUSTGATE_RECENT_H
#define _TRUSTGATE_RECENT_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>

#include "decision.h"
#include "subvolume.h"

/* Of each CPU. */
#define TRUSTGATE_RECENT_SLOTS	64

/**
 * struct trustgate_recent - one allowed access
 * @file: open file; compared, never followed, as all pointers here but @volume
 * @inode: its inode
 * @dentry: its name
 * @pid: process that was allowed
 * @exec_id: its self_exec_id
 * @parent: its parent, if that is the one who holds the grants; else NULL
 * @parent_pid: process of @parent
 * @parent_exec_id: self_exec_id of @parent
 * @ino: number of the inode, as memory is reused
 * @subvolume: of the inode, TRUSTGATE_NO_SUBVOLUME if there are none
 * @generation: of the inode
 * @access: allowed access; 0 marks an entry that holds nothing
 * @grants: trustgate_grant_changes before the decision. While it is the same,
 *	the grants are live and @volume cannot be freed under the RCU read lock
 * @renames: rename_lock's count before the decision
 * @by_name: the name mattered, so that a rename may have changed the answer
 * @by_more: @by_name, or @parent is not NULL, or there are subvolumes
 * @until_jiffies: well before the first expiry
 * @volume: where the access is counted
 */
struct trustgate_recent {
	const struct file *file;
	const struct inode *inode;
	u64 ino;
	const struct dentry *dentry;
	const struct pid *pid;
	u64 exec_id;
	u64 grants;
	unsigned long until_jiffies;
	const struct trustgate_volume *volume;
	u64 subvolume;
	u32 generation;
	u32 access;
	bool by_more;
	bool by_name;
	unsigned int renames;
	const struct task_struct *parent;
	const struct pid *parent_pid;
	u64 parent_exec_id;
} ____cacheline_aligned;

/* One for each CPU, used with preemption disabled. */
struct trustgate_recent_table {
	struct trustgate_recent slots[TRUSTGATE_RECENT_SLOTS];
};

extern struct trustgate_recent_table __percpu *trustgate_recent_tables;

/**
 * struct trustgate_circumstances - what was so before a decision
 * @grants: trustgate_grant_changes
 * @renames: rename_lock's count; odd while a rename is under way
 */
struct trustgate_circumstances {
	u64 grants;
	unsigned int renames;
};

/**
 * trustgate_recent_init() - allocate the tables
 *
 * Context: process, may sleep.
 * Return: 0 or -errno with nothing left behind.
 */
int trustgate_recent_init(void);

/**
 * trustgate_recent_exit() - free the tables
 *
 * Context: process, may sleep; no hook can run any more.
 */
void trustgate_recent_exit(void);

/**
 * trustgate_recent_keep() - remember an allowed access
 * @before: taken by trustgate_recent_look() before the decision
 * @file: open file
 * @access: what was allowed
 * @volume: where the file is
 * @basis: what the decision was founded on
 *
 * Context: RCU read side, any but NMI or interrupts.
 */
void trustgate_recent_keep(const struct trustgate_circumstances *before,
			   const struct file *file, u32 access,
			   const struct trustgate_volume *volume,
			   const struct trustgate_basis *basis);

/**
 * trustgate_recent_look() - look round before a decision
 *
 * Context: RCU read side.
 * Return: what must not have changed when the answer is used again.
 */
static __always_inline struct trustgate_circumstances
trustgate_recent_look(void)
{
	struct trustgate_circumstances now = {
		.grants = READ_ONCE(trustgate_grant_changes),
		.renames = raw_read_seqcount(&rename_lock.seqcount),
	};

	/* Before all that the decision reads. */
	smp_rmb();
	return now;
}

/*
 * Are the names, and the parent whose grants were weighed, as they were, and is
 * it not the same number in another subvolume?
 */
static __always_inline bool
trustgate_recent_more(const struct trustgate_recent *recent,
		      const struct inode *inode)
{
	const struct task_struct *parent;

	if (recent->subvolume != TRUSTGATE_NO_SUBVOLUME &&
	    recent->subvolume != trustgate_subvolume_of_inode(inode))
		return false;
	if (recent->by_name &&
	    recent->renames != raw_read_seqcount(&rename_lock.seqcount))
		return false;
	if (!recent->parent)
		return true;
	parent = rcu_dereference(current->real_parent);
	return parent == recent->parent &&
	       task_tgid((struct task_struct *)parent) == recent->parent_pid &&
	       READ_ONCE(parent->self_exec_id) == recent->parent_exec_id;
}

/* Where a file is remembered, if it is. */
static __always_inline struct trustgate_recent *
trustgate_recent_slot(const struct file *file)
{
	unsigned int slot = (unsigned long)file / sizeof(*file) %
			    TRUSTGATE_RECENT_SLOTS;

	return &this_cpu_ptr(trustgate_recent_tables)->slots[slot];
}

/**
 * trustgate_recent_allows() - was this allowed a moment ago, by what still holds?
 * @file: open file
 * @access: non-empty mask of enum trustgate_access
 *
 * Counts the access if so. In line, as it is what reading costs.
 *
 * Context: RCU read side, any but NMI or interrupts.
 * Return: true if trustgate_decide() would allow; false says nothing.
 */
static __always_inline bool trustgate_recent_allows(const struct file *file,
						    u32 access)
{
	const struct inode *inode = file_inode(file);
	struct trustgate_recent *recent;
	bool same;

	preempt_disable();
	recent = trustgate_recent_slot(file);
	/* One register for all that follows. */
	OPTIMIZER_HIDE_VAR(recent);
	same = recent->file == file && recent->inode == inode &&
	       recent->ino == inode->i_ino &&
	       recent->generation == inode->i_generation &&
	       recent->dentry == file->f_path.dentry &&
	       recent->pid == task_tgid(current) &&
	       recent->exec_id == current->self_exec_id &&
	       !(access & ~recent->access) &&
	       recent->grants == READ_ONCE(trustgate_grant_changes) &&
	       time_before(jiffies, recent->until_jiffies) &&
	       (!recent->by_more || trustgate_recent_more(recent, inode));
	if (same)
		__this_cpu_inc(recent->volume->counters->cause[TRUSTGATE_CAUSE_GRANTED]);
	preempt_enable();
	return same;
}

#endif /* _TRUSTGATE_RECENT_H */
