// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: the table of grants.
 *
 * While a test holds trustgate_mutex no sweep can end its grants, whose
 * subjects are no living processes. So nothing asserts in between; it expects.
 */

#include <kunit/test.h>
#include <linux/rhashtable.h>

#include "kunit_world.h"

static unsigned int count_of(const struct trustgate_key *key)
{
	struct trustgate_grant *grant;
	struct rhlist_head *pos;
	unsigned int count = 0;

	rcu_read_lock();
	rhl_for_each_entry_rcu(grant, pos, trustgate_grants_of(key), node)
		count++;
	rcu_read_unlock();
	return count;
}

static struct trustgate_key key_of(const struct trustgate_terms *terms)
{
	return (struct trustgate_key){
		.pid = terms->pid,
		.volume = terms->volume,
		.ino = terms->ino,
		.generation = terms->generation,
		.kind = terms->kind,
	};
}

static bool is_subject(const struct pid *pid)
{
	bool is;

	rcu_read_lock();
	is = trustgate_subject_find(pid);
	rcu_read_unlock();
	return is;
}

static void ids_rise_and_are_not_reused(struct kunit *test)
{
	struct trustgate_terms terms = world_terms(test->priv);
	struct trustgate_grant *grant;
	u64 first = 0, second = 0;

	mutex_lock(&trustgate_mutex);
	grant = world_give(test, &terms);
	if (grant) {
		first = grant->id;
		KUNIT_EXPECT_PTR_EQ(test, trustgate_grant_by_id(first), grant);
		trustgate_grant_end(grant, TRUSTGATE_END_REVOKED);
		KUNIT_EXPECT_PTR_EQ(test, trustgate_grant_by_id(first), NULL);
	}
	grant = world_give(test, &terms);
	if (grant)
		second = grant->id;
	mutex_unlock(&trustgate_mutex);
	KUNIT_EXPECT_LT(test, first, second);
}

static void walk_goes_by_id(struct kunit *test)
{
	struct trustgate_terms terms = world_terms(test->priv);
	struct trustgate_grant *grants[5] = {}, *at;
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	for (i = 0; i < ARRAY_SIZE(grants); i++) {
		/* Expiring in another order than they are given in. */
		terms.expires_ns -= NSEC_PER_SEC;
		grants[i] = world_give(test, &terms);
	}
	if (!grants[4])
		goto out;
	KUNIT_EXPECT_PTR_EQ(test, trustgate_grant_first_to_expire(), grants[4]);
	trustgate_grant_end(grants[2], TRUSTGATE_END_REVOKED);
	at = trustgate_grant_next(grants[0]->id);
	KUNIT_EXPECT_PTR_EQ(test, at, grants[0]);
	at = trustgate_grant_next(at->id + 1);
	KUNIT_EXPECT_PTR_EQ(test, at, grants[1]);
	at = trustgate_grant_next(at->id + 1);
	KUNIT_EXPECT_PTR_EQ(test, at, grants[3]);
	at = trustgate_grant_next(grants[4]->id + 1);
	KUNIT_EXPECT_PTR_EQ(test, at, NULL);
	trustgate_grant_end(grants[4], TRUSTGATE_END_REVOKED);
	KUNIT_EXPECT_PTR_EQ(test, trustgate_grant_first_to_expire(), grants[3]);
out:
	mutex_unlock(&trustgate_mutex);
}

/* Those that have ended are kept in a tree in whatever order they end. */
static void tree_is_in_order(struct kunit *test)
{
	static const unsigned int order[] = { 1, 3, 0, 2 };
	struct trustgate_terms terms = world_terms(test->priv);
	struct trustgate_grant *grants[ARRAY_SIZE(order)], *at;
	struct rb_root tree = RB_ROOT;
	unsigned int i, made;
	u64 id = 0;

	mutex_lock(&trustgate_mutex);
	for (made = 0; made < ARRAY_SIZE(grants); made++) {
		grants[made] = trustgate_grant_prepare(&terms);
		KUNIT_EXPECT_FALSE(test, IS_ERR(grants[made]));
		if (IS_ERR(grants[made]))
			goto out;
	}
	for (i = 0; i < ARRAY_SIZE(order); i++)
		trustgate_grant_put_in(&tree, grants[order[i]]);
	for (i = 0; i < ARRAY_SIZE(grants); i++) {
		at = trustgate_grant_lowest(&tree, id);
		KUNIT_EXPECT_PTR_EQ(test, at, grants[i]);
		id = grants[i]->id + 1;
	}
	KUNIT_EXPECT_PTR_EQ(test, trustgate_grant_lowest(&tree, id), NULL);
out:
	while (made--)
		trustgate_grant_discard(grants[made]);
	mutex_unlock(&trustgate_mutex);
}

static void generation_tells_of_every_change(struct kunit *test)
{
	struct trustgate_terms terms = world_terms(test->priv);
	struct trustgate_grant *grant;
	u32 before, given, ended;

	mutex_lock(&trustgate_mutex);
	before = trustgate_grant_generation();
	grant = world_give(test, &terms);
	given = trustgate_grant_generation();
	if (grant)
		trustgate_grant_end(grant, TRUSTGATE_END_REVOKED);
	ended = trustgate_grant_generation();
	mutex_unlock(&trustgate_mutex);
	KUNIT_EXPECT_NE(test, before, given);
	KUNIT_EXPECT_NE(test, given, ended);
	KUNIT_EXPECT_NE(test, ended, 0);
}

static void discarded_leaves_nothing(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	struct trustgate_key key = key_of(&terms);
	struct trustgate_totals before, between, after;
	struct trustgate_grant *grant;

	terms.ticket = "T-1";
	mutex_lock(&trustgate_mutex);
	trustgate_grant_totals(&before);
	grant = trustgate_grant_prepare(&terms);
	trustgate_grant_totals(&between);
	KUNIT_EXPECT_EQ(test, count_of(&key), 0);
	if (!IS_ERR(grant)) {
		/* The text is the grant's own. */
		KUNIT_EXPECT_PTR_NE(test, (const char *)grant->ticket,
				    terms.ticket);
		KUNIT_EXPECT_STREQ(test, grant->ticket, terms.ticket);
		KUNIT_EXPECT_PTR_EQ(test, trustgate_grant_by_id(grant->id),
				    NULL);
		trustgate_grant_discard(grant);
	}
	trustgate_grant_totals(&after);
	mutex_unlock(&trustgate_mutex);
	KUNIT_EXPECT_FALSE(test, IS_ERR(grant));
	KUNIT_EXPECT_EQ(test, between.grants, before.grants);
	KUNIT_EXPECT_EQ(test, between.subjects, before.subjects + 1);
	KUNIT_EXPECT_EQ(test, after.grants, before.grants);
	KUNIT_EXPECT_EQ(test, after.subjects, before.subjects);
	KUNIT_EXPECT_FALSE(test, is_subject(world->pids[CHILD]));
}

static void not_in_force_before_it_is(struct kunit *test)
{
	struct trustgate_terms terms = world_terms(test->priv);
	struct trustgate_grant *grant;

	mutex_lock(&trustgate_mutex);
	grant = trustgate_grant_prepare(&terms);
	if (!IS_ERR(grant) &&
	    !trustgate_grant_insert(grant, ktime_get_boottime_ns())) {
		KUNIT_EXPECT_FALSE(test, grant->in_force);
		trustgate_grant_enforce(grant);
		KUNIT_EXPECT_TRUE(test, grant->in_force);
	} else {
		KUNIT_FAIL(test, "a grant could not be given");
	}
	mutex_unlock(&trustgate_mutex);
}

static void subject_lives_as_long_as_its_grants(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	struct trustgate_grant *a, *b;
	struct trustgate_totals totals;
	u64 before;

	mutex_lock(&trustgate_mutex);
	trustgate_grant_totals(&totals);
	before = totals.subjects;
	a = world_give(test, &terms);
	b = world_give(test, &terms);
	trustgate_grant_totals(&totals);
	KUNIT_EXPECT_EQ(test, totals.subjects, before + 1);
	if (a)
		trustgate_grant_end(a, TRUSTGATE_END_REVOKED);
	KUNIT_EXPECT_TRUE(test, is_subject(world->pids[CHILD]));
	if (b)
		trustgate_grant_end(b, TRUSTGATE_END_REVOKED);
	KUNIT_EXPECT_FALSE(test, is_subject(world->pids[CHILD]));
	trustgate_grant_totals(&totals);
	KUNIT_EXPECT_EQ(test, totals.subjects, before);
	mutex_unlock(&trustgate_mutex);
}

/* Each part of the key tells grants apart; the same key holds several. */
static void key_tells_apart(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world), other;
	struct trustgate_key key = key_of(&terms), k;

	mutex_lock(&trustgate_mutex);
	world_give(test, &terms);
	world_give(test, &terms);
	other = terms;
	other.pid = world->pids[PARENT];
	world_give(test, &other);
	k = key_of(&other);
	KUNIT_EXPECT_EQ(test, count_of(&k), 1);
	other = terms;
	other.volume = &world->another;
	world_give(test, &other);
	k = key_of(&other);
	KUNIT_EXPECT_EQ(test, count_of(&k), 1);
	other = terms;
	other.ino++;
	world_give(test, &other);
	k = key_of(&other);
	KUNIT_EXPECT_EQ(test, count_of(&k), 1);
	other = terms;
	other.generation++;
	world_give(test, &other);
	k = key_of(&other);
	KUNIT_EXPECT_EQ(test, count_of(&k), 1);
	other = terms;
	other.kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	world_give(test, &other);
	k = key_of(&other);
	KUNIT_EXPECT_EQ(test, count_of(&k), 1);
	KUNIT_EXPECT_EQ(test, count_of(&key), 2);
	mutex_unlock(&trustgate_mutex);
}

static void ends_by_volume_and_subject(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	for (i = 0; i < 12; i++) {
		terms.volume = i % 2 ? &world->another : &world->volume;
		terms.pid = world->pids[i % 3];
		terms.flags = i % 4;
		terms.kind = i % 5 ? TRUSTGATE_OBJECT_KIND_FILE :
				     TRUSTGATE_OBJECT_KIND_SUBTREE;
		world_give(test, &terms);
	}
	KUNIT_EXPECT_EQ(test, world->volume.nr_grants, 6);
	KUNIT_EXPECT_EQ(test, world->another.nr_grants, 6);
	KUNIT_EXPECT_EQ(test, trustgate_grant_end_subject(world->pids[0],
							  TRUSTGATE_END_REVOKED),
			4);
	KUNIT_EXPECT_FALSE(test, is_subject(world->pids[0]));
	KUNIT_EXPECT_EQ(test, trustgate_grant_end_subject(world->pids[0],
							  TRUSTGATE_END_REVOKED),
			0);
	KUNIT_EXPECT_EQ(test, world->volume.nr_grants, 4);
	KUNIT_EXPECT_EQ(test, trustgate_grant_end_volume(&world->volume,
							 TRUSTGATE_END_REVOKED),
			4);
	KUNIT_EXPECT_EQ(test, world->volume.nr_grants, 0);
	KUNIT_EXPECT_EQ(test, world->volume.nr_descendants, 0);
	KUNIT_EXPECT_EQ(test, world->another.nr_grants, 4);
	KUNIT_EXPECT_EQ(test, trustgate_grant_end_volume(&world->another,
							 TRUSTGATE_END_REVOKED),
			4);
	KUNIT_EXPECT_EQ(test, world->another.nr_descendants, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_FALSE(test, is_subject(world->pids[i]));
	mutex_unlock(&trustgate_mutex);
}

/* The tables grow and shrink under this, and lose nothing. */
static void many(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	struct trustgate_totals before, after;
	const unsigned int number = 1000;
	struct trustgate_key key;
	unsigned int i, found = 0;

	mutex_lock(&trustgate_mutex);
	trustgate_grant_totals(&before);
	for (i = 0; i < number; i++) {
		terms.ino = 1000 + i;
		world_give(test, &terms);
	}
	key = key_of(&terms);
	for (i = 0; i < number; i++) {
		key.ino = 1000 + i;
		found += count_of(&key) == 1;
	}
	KUNIT_EXPECT_EQ(test, found, number);
	trustgate_grant_totals(&after);
	KUNIT_EXPECT_EQ(test, after.grants, before.grants + number);
	KUNIT_EXPECT_EQ(test, trustgate_grant_end_volume(&world->volume,
							 TRUSTGATE_END_NONE),
			number);
	trustgate_grant_totals(&after);
	KUNIT_EXPECT_EQ(test, after.grants, before.grants);
	KUNIT_EXPECT_EQ(test, after.subjects, before.subjects);
	mutex_unlock(&trustgate_mutex);
}

static void memory_has_a_bound(struct kunit *test)
{
	struct trustgate_totals totals;

	mutex_lock(&trustgate_mutex);
	trustgate_grant_totals(&totals);
	mutex_unlock(&trustgate_mutex);
	KUNIT_EXPECT_GT(test, totals.grants_max, 0);
	/* No grant is smaller than its structure, with its subject's. */
	KUNIT_EXPECT_GE(test, totals.bytes_max, totals.grants_max *
			(sizeof(struct trustgate_grant) +
			 sizeof(struct trustgate_subject)));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ids_rise_and_are_not_reused),
	KUNIT_CASE(walk_goes_by_id),
	KUNIT_CASE(tree_is_in_order),
	KUNIT_CASE(generation_tells_of_every_change),
	KUNIT_CASE(discarded_leaves_nothing),
	KUNIT_CASE(not_in_force_before_it_is),
	KUNIT_CASE(subject_lives_as_long_as_its_grants),
	KUNIT_CASE(key_tells_apart),
	KUNIT_CASE(ends_by_volume_and_subject),
	KUNIT_CASE(many),
	KUNIT_CASE(memory_has_a_bound),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_grant",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
