// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: names of enum values, and the filter of volumes.
 */

#include <kunit/test.h>

#include "../compat.h"
#include "names.h"
#include "volume.h"

static void each_cause_has_its_name(struct kunit *test)
{
	static const char * const names[] = {
		"granted", "no-grant", "wrong-access", "not-yet", "expired",
		"used-up", "exec-changed", "kernel-thread", "unreachable",
		"suspended", "forbidden", "traced", "memory", "asked",
		"refused", "unanswered", "crowded", "polled",
		"unsupervised", "unrecorded",
	};
	u32 cause;

	KUNIT_ASSERT_EQ(test, TRUSTGATE_CAUSE_COUNT, ARRAY_SIZE(names));
	for (cause = 0; cause < TRUSTGATE_CAUSE_COUNT; cause++)
		KUNIT_EXPECT_STREQ(test, trustgate_cause_name(cause),
				   names[cause]);
	KUNIT_EXPECT_STREQ(test, trustgate_cause_name(TRUSTGATE_CAUSE_COUNT),
			   "unknown");
	KUNIT_EXPECT_STREQ(test, trustgate_cause_name(U32_MAX), "unknown");
}

static void access_is_a_list(struct kunit *test)
{
	static const struct {
		u32 access;
		const char *text;
	} cases[] = {
		{ 0, "none" },
		{ TRUSTGATE_ACCESS_READ, "read" },
		{ TRUSTGATE_ACCESS_META, "meta" },
		{ TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_EXEC, "read,exec" },
		{ 0x1f, "read,write,exec,names,meta" },
		/* Unknown bits have no name. */
		{ 0x20, "none" },
		{ 0xffffffff, "read,write,exec,names,meta" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_STREQ(test,
				   trustgate_access_names(cases[i].access).text,
				   cases[i].text);
}

static struct kunit_case names_cases[] = {
	KUNIT_CASE(each_cause_has_its_name),
	KUNIT_CASE(access_is_a_list),
	{}
};

static struct kunit_suite names_suite = {
	.name = "trustgate_names",
	.test_cases = names_cases,
};

/* Addresses as slab objects of 2 KiB have them; compared, never followed. */
static const struct super_block *address(unsigned int n)
{
	return (const struct super_block *)(0xffff888000000000UL + n * 2048UL);
}

static void class_is_one_of_64(struct kunit *test)
{
	u64 seen = 0;
	unsigned int i;

	for (i = 0; i < 4096; i++) {
		KUNIT_ASSERT_LT(test, trustgate_volume_class(address(i)), 64);
		seen |= BIT_ULL(trustgate_volume_class(address(i)));
	}
	/* Neighbours do not share a class, so that all are used. */
	KUNIT_EXPECT_EQ(test, seen, U64_MAX);
	KUNIT_EXPECT_NE(test, trustgate_volume_class(address(0)),
			trustgate_volume_class(address(1)));
}

static void filter_lets_only_one_class_through(struct kunit *test)
{
	unsigned int i, possible = 0;

	mutex_lock(&trustgate_mutex);
	if (trustgate_volume_count()) {
		mutex_unlock(&trustgate_mutex);
		kunit_skip(test, "volumes are protected");
	}
	KUNIT_EXPECT_EQ(test, trustgate_volume_filter, 0);
	for (i = 0; i < 64; i++)
		possible += trustgate_volume_possible(address(i));
	KUNIT_EXPECT_EQ(test, possible, 0);

	trustgate_volume_filter_rebuild(address(5));
	for (i = 0; i < 64; i++) {
		bool same = trustgate_volume_class(address(i)) ==
			    trustgate_volume_class(address(5));

		KUNIT_EXPECT_EQ(test, trustgate_volume_possible(address(i)),
				same);
	}
	KUNIT_EXPECT_PTR_EQ(test, trustgate_volume_find(address(5)), NULL);
	trustgate_volume_filter_rebuild(NULL);
	KUNIT_EXPECT_EQ(test, trustgate_volume_filter, 0);
	mutex_unlock(&trustgate_mutex);
}

static void filter_follows_the_volumes(struct kunit *test)
{
	struct super_block *sb = (struct super_block *)address(5);
	struct trustgate_volume *volume;

	volume = kunit_kzalloc(test, sizeof(*volume), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, volume);
	volume->sb = sb;
	mutex_lock(&trustgate_mutex);
	if (trustgate_volume_count()) {
		mutex_unlock(&trustgate_mutex);
		kunit_skip(test, "volumes are protected");
	}
	trustgate_volume_protect(volume);
	KUNIT_EXPECT_TRUE(test, trustgate_volume_possible(sb));
	KUNIT_EXPECT_PTR_EQ(test, trustgate_volume_find(sb), volume);
	KUNIT_EXPECT_TRUE(test, trustgate_volume_possible(blockdev_superblock));
	KUNIT_EXPECT_EQ(test, trustgate_volume_possible(address(6)),
			trustgate_volume_class(address(6)) ==
			trustgate_volume_class(blockdev_superblock));
	trustgate_volume_remove(volume);
	KUNIT_EXPECT_EQ(test, trustgate_volume_filter, 0);
	KUNIT_EXPECT_PTR_EQ(test, trustgate_volume_find(sb), NULL);
	mutex_unlock(&trustgate_mutex);
	synchronize_rcu();
}

static struct kunit_case filter_cases[] = {
	KUNIT_CASE(class_is_one_of_64),
	KUNIT_CASE(filter_lets_only_one_class_through),
	KUNIT_CASE(filter_follows_the_volumes),
	{}
};

static struct kunit_suite filter_suite = {
	.name = "trustgate_filter",
	.test_cases = filter_cases,
};

kunit_test_suites(&names_suite, &filter_suite);

MODULE_DESCRIPTION("Trustgate: unit tests of the engine");
MODULE_LICENSE("GPL");
TRUSTGATE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
