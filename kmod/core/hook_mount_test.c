// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: whose change of a filesystem's options is let pass.
 *
 * Owns: the exemptions of the hook. They are for a host that goes down and for
 * the kernel's own threads, neither of which a program can play.
 *
 * Must not own: what everybody else needs for it (selftests/mount_test.c).
 */

#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "kfuncs.h"
#include "kunit_world.h"
#include "volume.h"

/* Ask the hook; unit tests run in a thread of the kernel. */
static int remount(struct super_block *sb, bool by_kernel)
{
	int result;

	rcu_read_lock();
	if (!by_kernel)
		current->flags &= ~PF_KTHREAD;
	result = bpf_trustgate_sb_remount(sb);
	current->flags |= PF_KTHREAD;
	rcu_read_unlock();
	return result;
}

static void remount_exemptions(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_volume *volume = &world->volume;
	struct super_block *sb;

	sb = kunit_kzalloc(test, sizeof(*sb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sb);
	KUNIT_ASSERT_TRUE(test, current->flags & PF_KTHREAD);
	volume->counters = alloc_percpu(struct trustgate_counters);
	KUNIT_ASSERT_NOT_NULL(test, volume->counters);
	sb->s_root = world->dentries[ROOT];
	world->inodes[ROOT]->i_sb = sb;
	volume->sb = sb;

	mutex_lock(&trustgate_mutex);
	KUNIT_EXPECT_EQ(test, 0, remount(sb, false));
	trustgate_volume_protect(volume);

	/* An emergency remount by SysRq, for one, comes from a worker. */
	volume->pinned = true;
	KUNIT_EXPECT_EQ(test, -EACCES, remount(sb, false));
	KUNIT_EXPECT_EQ(test, 0, remount(sb, true));

	/* The pin is dropped for a reboot, and nothing else. */
	volume->pinned = false;
	KUNIT_EXPECT_EQ(test, 0, remount(sb, false));
	KUNIT_EXPECT_EQ(test, 0, remount(sb, true));

	trustgate_volume_remove(volume);
	KUNIT_EXPECT_EQ(test, 0, remount(sb, false));
	mutex_unlock(&trustgate_mutex);
	synchronize_rcu();
	free_percpu(volume->counters);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(remount_exemptions),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_mount",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
