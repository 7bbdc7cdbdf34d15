// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - accesses that were allowed a moment ago; see recent.h.
 */

#include <linux/dcache.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>

#include "recent.h"

/*
 * Jiffies stand still between two ticks, and for as long as no tick is
 * handled. An answer is good until this long before a grant expires; then a
 * clock that does not stand still decides.
 */
#define MARGIN_NS	NSEC_PER_SEC

struct trustgate_recent_table __percpu *trustgate_recent_tables;

/* Written under trustgate_mutex. */
static bool suspended;

void trustgate_recent_keep(const struct trustgate_circumstances *before,
			   const struct file *file, u32 access,
			   const struct trustgate_volume *volume,
			   const struct trustgate_basis *basis)
{
	const struct inode *inode = file_inode(file);
	const u64 now_ns = ktime_get_boottime_ns();
	unsigned long until_jiffies;
	u64 subvolume;

	/* Whoever is further above may change without a trace that is cheap. */
	if (basis->generations > 1 || basis->until_ns <= now_ns + MARGIN_NS ||
	    before->renames & 1 || READ_ONCE(suspended))
		return;
	until_jiffies = jiffies +
		nsecs_to_jiffies64(basis->until_ns - now_ns - MARGIN_NS);

	subvolume = trustgate_subvolume(volume, inode, NULL);

	preempt_disable();
	*trustgate_recent_slot(file) = (struct trustgate_recent) {
		.file = file,
		.inode = inode,
		.ino = inode->i_ino,
		.dentry = file->f_path.dentry,
		.pid = task_tgid(current),
		.exec_id = current->self_exec_id,
		.grants = before->grants,
		.until_jiffies = until_jiffies,
		.volume = volume,
		.subvolume = subvolume,
		.generation = inode->i_generation,
		.access = access,
		.by_more = basis->by_name || basis->generations ||
			   volume->has_subvolumes,
		.by_name = basis->by_name,
		.renames = before->renames,
		.parent = basis->parent,
		.parent_pid = basis->parent_pid,
		.parent_exec_id = basis->parent_exec_id,
	};
	preempt_enable();
}

/* Jiffies do not count the time in suspend, in which grants expire. */
static int suspending(struct notifier_block *nb, unsigned long event,
		      void *data)
{
	bool begins = event == PM_SUSPEND_PREPARE ||
		      event == PM_HIBERNATION_PREPARE;

	mutex_lock(&trustgate_mutex);
	WRITE_ONCE(suspended, begins);
	/* What is just being kept has looked round before this. */
	trustgate_grant_changed();
	mutex_unlock(&trustgate_mutex);
	return NOTIFY_DONE;
}

static struct notifier_block suspend_notifier = {
	.notifier_call = suspending,
};

int trustgate_recent_init(void)
{
	int err;

	trustgate_recent_tables = alloc_percpu(struct trustgate_recent_table);
	if (!trustgate_recent_tables)
		return -ENOMEM;
	err = register_pm_notifier(&suspend_notifier);
	if (err)
		free_percpu(trustgate_recent_tables);
	return err;
}

void trustgate_recent_exit(void)
{
	unregister_pm_notifier(&suspend_notifier);
	free_percpu(trustgate_recent_tables);
}
