// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: subtree grants while directories are renamed.
 *
 * Owns: that a decision on the way up is not misled by a rename on the way.
 *
 * Must not own: what a subtree grant covers (decision_test.c).
 */

#include <kunit/test.h>
#include <linux/dcache.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/seqlock.h>

#include "decision.h"
#include "kunit_world.h"

/* Have the file below the directory directly, or with another in between. */
static void rename_to(struct world *world, bool between)
{
	struct dentry *const *dentries = world->dentries;

	write_seqlock(&rename_lock);
	WRITE_ONCE(dentries[FILE]->d_parent, dentries[between ? SUB : DIR]);
	WRITE_ONCE(dentries[SUB]->d_parent, dentries[between ? DIR : ROOT]);
	write_sequnlock(&rename_lock);
}

static int rename_again_and_again(void *data)
{
	unsigned long renames;

	for (renames = 0; !kthread_should_stop(); renames++) {
		rename_to(data, renames & 1);
		cond_resched();
	}
	rename_to(data, true);
	return renames > 1 ? 0 : -EAGAIN;
}

static bool is_granted(const struct world *world)
{
	const struct trustgate_question question = world_question(world);

	return world_ask(&question).cause == TRUSTGATE_CAUSE_GRANTED;
}

/*
 * From the file to what lies between, and from there past the directory, which
 * is above the file all the time: so it is only to who does not look again.
 */
static void renames_hide_no_ancestor(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	unsigned long until, denied = 0;
	struct task_struct *renamer;

	terms.kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	terms.ino = world->inodes[DIR]->i_ino;
	mutex_lock(&trustgate_mutex);
	world_give(test, &terms);
	renamer = kthread_run(rename_again_and_again, world, "tg-renamer");
	KUNIT_EXPECT_FALSE(test, IS_ERR(renamer));
	for (until = jiffies + 2 * HZ; time_before(jiffies, until);) {
		denied += !is_granted(world);
		cond_resched();
	}
	KUNIT_EXPECT_EQ(test, 0, denied);
	if (!IS_ERR(renamer))
		KUNIT_EXPECT_EQ(test, 0, kthread_stop(renamer));
	mutex_unlock(&trustgate_mutex);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(renames_hide_no_ancestor),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_subtree",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
