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

static u32 cause(const struct world *world)
{
	const struct trustgate_question question = world_question(world);

	return world_ask(&question).cause;
}

static void polling_threads_act_for_nobody(struct kunit *test)
{
	struct world *world = test->priv;
	struct task_struct *task = world->tasks[CHILD];
	struct trustgate_terms terms = world_terms(world);

	if (!IS_ENABLED(CONFIG_IO_URING)) {
		kunit_skip(test, "this kernel has no io_uring");
		return;
	}
	mutex_lock(&trustgate_mutex);
	if (!world_give(test, &terms))
		goto unlock;
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
