// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: threads that poll an io_uring.
 *
 * Owns: that no grant is for what such a thread does, as it acts for whoever has
 * the ring.
 *
 * Must not own: which accesses a grant covers (decision_test.c).
 */

#include <kunit/test.h>

#include "decision.h"
#include "kunit_world.h"

static u32 cause(struct world *world)
{
	const struct trustgate_question question = {
		.volume = &world->volume,
		.dentry = world->dentries[FILE],
		.ino = world->inodes[FILE]->i_ino,
		.generation = WORLD_GENERATION,
		.access = TRUSTGATE_ACCESS_READ,
		.takes_use = true,
		.task = world->tasks[CHILD],
		.now_ns = ktime_get_boottime_ns(),
	};
	struct trustgate_answer answer;

	rcu_read_lock();
	trustgate_decide(&question, &answer);
	rcu_read_unlock();
	return answer.cause;
}

static void polling_threads_act_for_nobody(struct kunit *test)
{
	struct world *world = test->priv;
	struct task_struct *task = world->tasks[CHILD];
	struct trustgate_terms terms = world_terms(world);
	struct trustgate_grant *grant;

	if (!IS_ENABLED(CONFIG_IO_URING)) {
		kunit_skip(test, "this kernel has no io_uring");
		return;
	}
	grant = trustgate_grant_prepare(&terms);
	KUNIT_ASSERT_FALSE(test, IS_ERR(grant));
	mutex_lock(&trustgate_mutex);
	if (trustgate_grant_insert(grant)) {
		KUNIT_FAIL(test, "a grant could not be inserted");
		trustgate_grant_discard(grant);
		goto unlock;
	}
	trustgate_grant_enforce(grant);
	/* A worker acts for who has submitted. */
	task->flags |= PF_IO_WORKER;
	KUNIT_EXPECT_EQ(test, cause(world), TRUSTGATE_CAUSE_GRANTED);
#ifdef CONFIG_IO_URING
	task->io_uring = (void *)task;
#endif
	KUNIT_EXPECT_EQ(test, cause(world), TRUSTGATE_CAUSE_POLLED);
unlock:
	mutex_unlock(&trustgate_mutex);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(polling_threads_act_for_nobody),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_polled",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
