// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: grants that allow only while somebody supervises them.
 *
 * While a test holds trustgate_mutex no sweep can end its grants. So nothing
 * asserts in between; it expects.
 */

#include <kunit/test.h>

#include "decision.h"
#include "kunit_world.h"
#include "supervision.h"

#define CAUSE(name)	TRUSTGATE_CAUSE_##name

/* Long enough for any test to be over, and less than what the grant has. */
#define SOON_NS		(20 * NSEC_PER_SEC)

static void judge(struct kunit *test)
{
	static const struct {
		const char *what;
		u64 asking_exec, not_before, live_until, now;
		u32 cause;
	} cases[] = {
		{ "suspended", 5, 0, 0, 0, CAUSE(UNSUPERVISED) },
		{ "suspended later", 5, 0, 0, 99, CAUSE(UNSUPERVISED) },
		{ "supervised", 5, 0, 60, 59, CAUSE(GRANTED) },
		{ "no longer", 5, 0, 60, 60, CAUSE(UNSUPERVISED) },
		{ "to the end", 5, 0, 100, 99, CAUSE(GRANTED) },
		{ "and expired", 5, 0, 100, 100, CAUSE(EXPIRED) },
		{ "suspended and expired", 5, 0, 0, 100, CAUSE(EXPIRED) },
		{ "suspended and executed", 6, 0, 0, 50, CAUSE(EXEC_CHANGED) },
		{ "suspended and early", 5, 60, 0, 50, CAUSE(NOT_YET) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct trustgate_grant grant = {
			.flags = TRUSTGATE_GRANT_FLAGS_SUPERVISED,
			.exec_id = 5,
			.not_before_ns = cases[i].not_before,
			.expiry.expires = 100,
			.live_until_ns = cases[i].live_until,
		};

		KUNIT_EXPECT_EQ_MSG(test, cases[i].cause,
				    trustgate_judge(&grant,
						    cases[i].asking_exec,
						    cases[i].now),
				    "%s", cases[i].what);
	}
}

static struct trustgate_grant *give(struct kunit *test, u64 until_ns)
{
	struct trustgate_terms terms = world_terms(test->priv);

	terms.flags = TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	terms.supervised_until_ns = until_ns;
	return world_give(test, &terms);
}

static struct trustgate_answer ask(struct kunit *test, u64 now_ns)
{
	struct trustgate_question question = world_question(test->priv);

	question.now_ns = now_ns;
	return world_ask(&question);
}

static bool at_once(struct kunit *test, u64 now_ns)
{
	struct world *world = test->priv;
	bool allows;

	rcu_read_lock();
	allows = trustgate_granted_at_once(&world->volume, world->inodes[FILE],
					   0, TRUSTGATE_ACCESS_READ, true,
					   world->tasks[CHILD], now_ns);
	rcu_read_unlock();
	return allows;
}

static void comes_and_goes(struct kunit *test)
{
	struct world *world = test->priv;
	u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_answer answer;
	struct trustgate_grant *grant;
	u64 before;

	mutex_lock(&trustgate_mutex);
	grant = give(test, 0);
	if (!grant)
		goto out;
	/* As the first access would have left it. */
	grant->tainted_exec_id = world->tasks[CHILD]->self_exec_id;
	KUNIT_EXPECT_EQ(test, ask(test, now_ns).cause, CAUSE(UNSUPERVISED));
	KUNIT_EXPECT_FALSE(test, at_once(test, now_ns));
	before = trustgate_grant_changes;
	KUNIT_EXPECT_FALSE(test, trustgate_supervision_set(grant,
							   now_ns + SOON_NS));
	/* Who may do more need not forget what he might. */
	KUNIT_EXPECT_EQ(test, before, trustgate_grant_changes);
	answer = ask(test, now_ns);
	KUNIT_EXPECT_EQ(test, answer.cause, CAUSE(GRANTED));
	KUNIT_EXPECT_TRUE(test, at_once(test, now_ns));
	/* Nothing is remembered for longer than it is supervised. */
	KUNIT_EXPECT_EQ(test, answer.basis.until_ns, now_ns + SOON_NS);
	KUNIT_EXPECT_EQ(test, ask(test, now_ns + SOON_NS).cause,
			CAUSE(UNSUPERVISED));
	KUNIT_EXPECT_FALSE(test, at_once(test, now_ns + SOON_NS));
	/* Less time than before is a change, be there some left. */
	KUNIT_EXPECT_TRUE(test, trustgate_supervision_set(grant, now_ns +
							  SOON_NS / 2));
	KUNIT_EXPECT_NE(test, before, trustgate_grant_changes);
	before = trustgate_grant_changes;
	KUNIT_EXPECT_TRUE(test, trustgate_supervision_set(grant, 0));
	KUNIT_EXPECT_NE(test, before, trustgate_grant_changes);
	KUNIT_EXPECT_EQ(test, ask(test, now_ns).cause, CAUSE(UNSUPERVISED));
	KUNIT_EXPECT_FALSE(test, at_once(test, now_ns));
	/* Supervised or not, it ends. */
	trustgate_supervision_set(grant, now_ns + SOON_NS);
	trustgate_grant_end(grant, TRUSTGATE_END_REVOKED);
	KUNIT_EXPECT_EQ(test, ask(test, now_ns).cause, CAUSE(NO_GRANT));
out:
	mutex_unlock(&trustgate_mutex);
}

/* However long it is supervised, it is not live for longer than it lasts. */
static void never_beyond_the_expiry(struct kunit *test)
{
	u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_grant *grants[2];
	unsigned int i;
	u64 expires;

	mutex_lock(&trustgate_mutex);
	grants[0] = give(test, S64_MAX);
	grants[1] = give(test, 0);
	if (!grants[0] || !grants[1])
		goto out;
	trustgate_supervision_set(grants[1], S64_MAX);
	for (i = 0; i < ARRAY_SIZE(grants); i++) {
		expires = grants[i]->expiry.expires;
		KUNIT_EXPECT_EQ(test, grants[i]->live_until_ns, expires);
		KUNIT_EXPECT_EQ(test, ask(test, now_ns).cause, CAUSE(GRANTED));
		/* The other one may last a moment longer. */
		KUNIT_EXPECT_EQ(test, CAUSE(EXPIRED),
				trustgate_judge(grants[i], grants[i]->exec_id,
						expires));
	}
out:
	mutex_unlock(&trustgate_mutex);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(judge),
	KUNIT_CASE(comes_and_goes),
	KUNIT_CASE(never_beyond_the_expiry),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_supervision",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
