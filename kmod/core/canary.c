// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the engine's side of the proof that hooks run; see canary.h.
 */

#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "canary.h"
#include "volume.h"

static_assert(TRUSTGATE_HOOK_COUNT <= 64);

/* Written under trustgate_mutex; compared, never followed. */
static struct super_block *canary;
static dev_t canary_dev;
static const struct task_struct *canary_task;
static u64 focus;
static atomic64_t seen;

const struct super_block *trustgate_canary_sb(void)
{
	return canary;
}

static bool note(enum trustgate_hook hook)
{
	if (!(READ_ONCE(focus) & BIT_ULL(hook)))
		return false;
	atomic64_or(BIT_ULL(hook), &seen);
	return true;
}

bool trustgate_canary_noted(const struct super_block *sb,
			    enum trustgate_hook hook)
{
	return READ_ONCE(canary) == sb && note(hook);
}

bool trustgate_canary_on(dev_t dev, enum trustgate_hook hook)
{
	return dev && READ_ONCE(canary_dev) == dev && note(hook);
}

bool trustgate_canary_is(const struct task_struct *task,
			 enum trustgate_hook hook)
{
	return READ_ONCE(canary_task) == task && note(hook);
}

void trustgate_canary_set(struct super_block *sb)
{
	/* Held by the engine, on whose behalf the carrier's thread proves. */
	WARN_ON_ONCE(!mutex_is_locked(&trustgate_mutex));

	if (sb)
		atomic64_set(&seen, 0);
	WRITE_ONCE(focus, U64_MAX);
	WRITE_ONCE(canary, sb);
	WRITE_ONCE(canary_dev, sb ? sb->s_dev : 0);
	WRITE_ONCE(canary_task, sb ? current : NULL);
	trustgate_volume_filter_rebuild(sb);
	if (!sb)
		synchronize_rcu();
}
EXPORT_SYMBOL_GPL(trustgate_canary_set);

void trustgate_canary_focus(u64 hooks)
{
	WRITE_ONCE(focus, hooks);
}
EXPORT_SYMBOL_GPL(trustgate_canary_focus);

u64 trustgate_canary_seen(void)
{
	return atomic64_read(&seen);
}
EXPORT_SYMBOL_GPL(trustgate_canary_seen);
