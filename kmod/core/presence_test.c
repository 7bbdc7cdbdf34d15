// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: presence, which any live grant on a volume gives.
 *
 * As decision_test.c: grants in the real tables, for processes that exist only
 * here, under trustgate_mutex, so that nothing asserts in between.
 */

#include <kunit/test.h>

#include "decision.h"
#include "kunit_world.h"

#define R	TRUSTGATE_ACCESS_READ
#define X	TRUSTGATE_ACCESS_EXEC
#define DESC	TRUSTGATE_GRANT_FLAGS_DESCENDANTS
#define KEEP	TRUSTGATE_GRANT_FLAGS_KEEP_EXEC
#define NEXT	TRUSTGATE_GRANT_FLAGS_NEXT_EXEC
#define CAUSE(name)	TRUSTGATE_CAUSE_##name

/* Long enough for any test to be over. */
#define SOON_NS		(100 * NSEC_PER_SEC)

static const struct present {
	const char *what;
	u32 access;	/* 0: there is no grant */
	u8 holder;
	u8 flags;
	u8 exec_id;	/* 0: as the holder's, which is 5 */
	bool later;
	bool expired;
	bool another_volume;
	bool since_later;
	u8 asking;
	u32 cause;
} table[] = {
	{ "nothing", .cause = CAUSE(NO_GRANT) },
	{ "any access", X, .cause = CAUSE(GRANTED) },
	{ "another process", R, .asking = STRANGER, .cause = CAUSE(NO_GRANT) },
	{ "another volume", R, .another_volume = true,
	  .cause = CAUSE(NO_GRANT) },
	{ "later", R, .later = true, .cause = CAUSE(NOT_YET) },
	{ "expired", R, .expired = true, .cause = CAUSE(EXPIRED) },
	{ "executed", R, .exec_id = 4, .cause = CAUSE(EXEC_CHANGED) },
	{ "executed and kept", R, .flags = KEEP, .exec_id = 4,
	  .cause = CAUSE(GRANTED) },
	{ "before the exec it is for", R, .flags = NEXT, .exec_id = 6,
	  .cause = CAUSE(NOT_YET) },
	{ "on the way to the program", R | X, .flags = NEXT, .exec_id = 6,
	  .cause = CAUSE(GRANTED) },
	{ "one exec too early", R | X, .flags = NEXT, .exec_id = 7,
	  .cause = CAUSE(NOT_YET) },
	{ "after the exec it is for", R, .flags = NEXT, .exec_id = 5,
	  .cause = CAUSE(GRANTED) },
	{ "a parent's own", R, .holder = PARENT, .cause = CAUSE(NO_GRANT) },
	{ "a parent's for descendants", R, .holder = PARENT, .flags = DESC,
	  .cause = CAUSE(GRANTED) },
	{ "forked before it", R, .holder = PARENT, .flags = DESC,
	  .since_later = true, .cause = CAUSE(NO_GRANT) },
	{ "a child's for descendants", R, .flags = DESC, .asking = PARENT,
	  .cause = CAUSE(NO_GRANT) },
};

static struct trustgate_grant *give(struct kunit *test,
				    const struct present *present)
{
	const struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	const u64 now_ns = ktime_get_boottime_ns();

	terms.pid = world->pids[present->holder];
	terms.start_ns = world->tasks[present->holder]->start_boottime;
	terms.access = present->access;
	terms.flags = present->flags;
	if (present->exec_id)
		terms.exec_id = present->exec_id;
	if (present->another_volume)
		terms.volume = (struct trustgate_volume *)&world->another;
	if (present->later) {
		terms.not_before_ns = now_ns + SOON_NS;
		terms.expires_ns = now_ns + 2 * SOON_NS;
	}
	if (present->expired)
		terms.expires_ns = now_ns;
	/* The world's processes are as old as now, and older. */
	terms.since_ns = present->since_later ? now_ns + SOON_NS : 1;
	return world_give(test, &terms);
}

static u32 ask(const struct world *world, unsigned int process)
{
	struct trustgate_question question = world_question(world);

	question.presence = true;
	question.task = world->tasks[process];
	return world_ask(&question).cause;
}

static void present_by_table(struct kunit *test)
{
	const struct world *world = test->priv;
	const struct present *present;
	struct trustgate_grant *grant;
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		present = &table[i];
		grant = present->access ? give(test, present) : NULL;
		KUNIT_EXPECT_EQ_MSG(test, !!present->access, !!grant, "%s",
				    present->what);
		KUNIT_EXPECT_EQ_MSG(test, present->cause,
				    ask(world, present->asking), "%s",
				    present->what);
		if (grant)
			trustgate_grant_end(grant, TRUSTGATE_END_NONE);
		KUNIT_EXPECT_EQ_MSG(test, CAUSE(NO_GRANT),
				    ask(world, present->asking),
				    "%s, afterwards", present->what);
	}
	mutex_unlock(&trustgate_mutex);
}

/* Whichever of several ends first, and whether or not it was live. */
static void ends_with_the_last(struct kunit *test)
{
	static const struct present live = { .access = R };
	static const struct present later = { .access = R, .later = true };
	static const struct present elsewhere = {
		.access = R, .another_volume = true,
	};
	const struct world *world = test->priv;
	struct trustgate_grant *grants[4];
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	grants[0] = give(test, &live);
	grants[1] = give(test, &later);
	grants[2] = give(test, &live);
	grants[3] = give(test, &elsewhere);
	for (i = 0; i < ARRAY_SIZE(grants); i++)
		KUNIT_EXPECT_NOT_NULL(test, grants[i]);
	KUNIT_EXPECT_EQ(test, ask(world, CHILD), CAUSE(GRANTED));
	if (grants[2])
		trustgate_grant_end(grants[2], TRUSTGATE_END_NONE);
	KUNIT_EXPECT_EQ(test, ask(world, CHILD), CAUSE(GRANTED));
	if (grants[0])
		trustgate_grant_end(grants[0], TRUSTGATE_END_NONE);
	KUNIT_EXPECT_EQ(test, ask(world, CHILD), CAUSE(NOT_YET));
	if (grants[1])
		trustgate_grant_end(grants[1], TRUSTGATE_END_NONE);
	KUNIT_EXPECT_EQ(test, ask(world, CHILD), CAUSE(NO_GRANT));
	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, trustgate_presence_find(world->pids[CHILD],
							&world->volume));
	KUNIT_EXPECT_NOT_NULL(test,
			      trustgate_presence_find(world->pids[CHILD],
						      &world->another));
	rcu_read_unlock();
	mutex_unlock(&trustgate_mutex);
}

static struct kunit_case presence_cases[] = {
	KUNIT_CASE(present_by_table),
	KUNIT_CASE(ends_with_the_last),
	{}
};

static struct kunit_suite presence_suite = {
	.name = "trustgate_presence",
	.init = world_init,
	.exit = world_exit,
	.test_cases = presence_cases,
};

kunit_test_suites(&presence_suite);
