// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - from a hook to a verdict; see check.h.
 */

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "canary.h"
#include "check.h"
#include "decision.h"
#include "event.h"
#include "trace.h"

#define HOOK_NAME(name, ...) [TRUSTGATE_HOOK_##name] = #name,

static const char * const hook_names[TRUSTGATE_HOOK_COUNT] = {
	TRUSTGATE_HOOKS(HOOK_NAME, HOOK_NAME)
};

const char *trustgate_hook_name(enum trustgate_hook hook)
{
	return hook_names[hook];
}

/* Count, trace and record an answer; RCU read side. */
static int enforce(enum trustgate_hook hook,
		   const struct trustgate_question *question,
		   const struct trustgate_answer *answer)
{
	const struct trustgate_volume *volume = question->volume;
	bool allowed = answer->cause == TRUSTGATE_CAUSE_GRANTED;

	this_cpu_inc(volume->counters->cause[answer->cause]);
	trace_trustgate_verdict(hook_names[hook], question, answer);
	if (!allowed || (question->takes_use &&
			 READ_ONCE(volume->settings.record) &
			 TRUSTGATE_RECORD_ALLOWED))
		trustgate_event_verdict(question, answer, hook_names[hook]);
	return allowed ? 0 : -EACCES;
}

static int check(enum trustgate_hook hook, const struct inode *inode,
		 struct dentry *dentry, u32 access, bool takes_use, bool whole)
{
	struct trustgate_question question;
	struct trustgate_answer answer;
	int err = 0;

	rcu_read_lock();
	question.volume = trustgate_volume_find(inode->i_sb);
	if (question.volume) {
		question.dentry = dentry;
		question.ino = inode->i_ino;
		question.generation = inode->i_generation;
		question.access = access;
		question.takes_use = takes_use;
		question.whole = whole;
		question.task = current;
		question.now_ns = ktime_get_boottime_ns();
		trustgate_decide(&question, &answer);
		err = enforce(hook, &question, &answer);
	} else if (trustgate_canary_noted(inode->i_sb, hook)) {
		err = -EACCES;
	}
	rcu_read_unlock();
	return err;
}

int trustgate_check_file(enum trustgate_hook hook, const struct file *file,
			 u32 access, bool takes_use)
{
	const struct inode *inode = file_inode(file);
	struct dentry *dentry = file->f_path.dentry;

	if (!access)
		return 0;
	/* A stacked filesystem may show another name than that of the inode. */
	if (d_inode(dentry) != inode)
		dentry = NULL;
	return check(hook, inode, dentry, access, takes_use, false);
}

int trustgate_check_dentry(enum trustgate_hook hook, struct dentry *dentry,
			   u32 access, bool takes_use)
{
	return check(hook, d_inode(dentry), dentry, access, takes_use, false);
}

int trustgate_check_transfer(enum trustgate_hook hook, struct dentry *dentry)
{
	return check(hook, d_inode(dentry), dentry,
		     TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE, true,
		     d_is_dir(dentry));
}

int trustgate_check_parent(enum trustgate_hook hook, struct dentry *dentry)
{
	const struct inode *inode;
	struct dentry *parent;
	int err;

	rcu_read_lock();
	/*
	 * link(2) does not lock the old name's directory, so the name may be
	 * moved away from it and it be removed meanwhile. Then there is another.
	 */
	do {
		parent = READ_ONCE(dentry->d_parent);
		inode = d_inode_rcu(parent);
	} while (unlikely(!inode));
	err = check(hook, inode, parent, TRUSTGATE_ACCESS_NAMES, true, false);
	rcu_read_unlock();
	return err;
}
