// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: the decision.
 *
 * Grants are given in the real tables to processes that exist only here; see
 * kunit_world.h. While a test holds trustgate_mutex no sweep can end them. So
 * nothing asserts in between; it expects.
 */

#include <kunit/test.h>
#include <linux/ptrace.h>

#include "decision.h"
#include "kunit_world.h"

#define R	TRUSTGATE_ACCESS_READ
#define W	TRUSTGATE_ACCESS_WRITE
#define X	TRUSTGATE_ACCESS_EXEC
#define N	TRUSTGATE_ACCESS_NAMES
#define M	TRUSTGATE_ACCESS_META
#define DESC	TRUSTGATE_GRANT_FLAGS_DESCENDANTS
#define KEEP	TRUSTGATE_GRANT_FLAGS_KEEP_EXEC
#define NEXT	TRUSTGATE_GRANT_FLAGS_NEXT_EXEC
#define CAUSE(name)	TRUSTGATE_CAUSE_##name

/* Long enough for any test to be over. */
#define SOON_NS		(100 * NSEC_PER_SEC)

static void judge(struct kunit *test)
{
	static const struct {
		const char *what;
		u32 flags;
		u64 granted_exec, asking_exec;
		u64 not_before, expires, now;
		u32 cause;
	} cases[] = {
		{ "plain", 0, 5, 5, 0, 100, 50, CAUSE(GRANTED) },
		{ "first moment", 0, 5, 5, 50, 100, 50, CAUSE(GRANTED) },
		{ "last moment", 0, 5, 5, 0, 100, 99, CAUSE(GRANTED) },
		{ "expires now", 0, 5, 5, 0, 100, 100, CAUSE(EXPIRED) },
		{ "expired", 0, 5, 5, 0, 100, 101, CAUSE(EXPIRED) },
		{ "long expired", 0, 5, 5, 0, 1, U64_MAX, CAUSE(EXPIRED) },
		{ "a moment early", 0, 5, 5, 51, 100, 50, CAUSE(NOT_YET) },
		{ "far too early", 0, 5, 5, S64_MAX - 1, S64_MAX, 0,
		  CAUSE(NOT_YET) },
		{ "last of all moments", 0, 5, 5, 0, S64_MAX, S64_MAX - 1,
		  CAUSE(GRANTED) },
		{ "executed", 0, 5, 6, 0, 100, 50, CAUSE(EXEC_CHANGED) },
		{ "executed, counter is older", 0, 6, 5, 0, 100, 50,
		  CAUSE(EXEC_CHANGED) },
		{ "executed, high half", 0, 5, 5 + (1ULL << 32), 0, 100, 50,
		  CAUSE(EXEC_CHANGED) },
		{ "executed and kept", KEEP, 5, 6, 0, 100, 50, CAUSE(GRANTED) },
		{ "kept and expired", KEEP, 5, 6, 0, 100, 100, CAUSE(EXPIRED) },
		{ "descendants do not keep", DESC, 5, 6, 0, 100, 50,
		  CAUSE(EXEC_CHANGED) },
		{ "executed and expired", 0, 5, 6, 0, 100, 100,
		  CAUSE(EXEC_CHANGED) },
		{ "before the exec it is for", NEXT, 6, 5, 0, 100, 50,
		  CAUSE(NOT_YET) },
		{ "after the exec it is for", NEXT, 6, 6, 0, 100, 50,
		  CAUSE(GRANTED) },
		{ "after one exec more", NEXT, 6, 7, 0, 100, 50,
		  CAUSE(EXEC_CHANGED) },
		{ "after the exec it is for, expired", NEXT, 6, 6, 0, 100, 100,
		  CAUSE(EXPIRED) },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct trustgate_grant grant = {
			.flags = cases[i].flags,
			.exec_id = cases[i].granted_exec,
			.not_before_ns = cases[i].not_before,
			.expiry.expires = cases[i].expires,
			.live_until_ns = cases[i].expires,
		};

		KUNIT_EXPECT_EQ_MSG(test, cases[i].cause,
				    trustgate_judge(&grant, cases[i].asking_exec,
						    cases[i].now),
				    "%s", cases[i].what);
	}
}

/* How a grant differs from one for CHILD on FILE, as it stands now. */
struct given {
	u32 access;	/* 0: there is no such grant */
	u8 process;
	u8 file;
	u8 kind;
	u8 flags;
	bool expired;
	bool later;
	bool executed;
	bool not_executed;
	bool another_volume;
	bool old_generation;
	bool not_in_force;
	bool since_later;
	bool suspended;
};

#define SUBTREE	TRUSTGATE_OBJECT_KIND_SUBTREE
#define GIVEN_MAX 3

struct decided {
	const char *what;
	struct given given[GIVEN_MAX];
	u32 access;
	u8 process;
	u8 file;
	bool no_dentry;
	bool whole;
	u8 executed;	/* mask of processes that have executed something since */
	u32 cause;
	int by;		/* which of @given decided, from 1; 0 for none */
};

static const struct decided table[] = {
	{ "no grant", {}, R, CHILD, FILE, .cause = CAUSE(NO_GRANT) },
	{ "the file itself", { { R, .file = FILE } }, R, CHILD, FILE,
	  .cause = CAUSE(GRANTED), .by = 1 },
	{ "the file beside it", { { R, .file = FILE } }, R, CHILD, OTHER,
	  .cause = CAUSE(NO_GRANT) },
	{ "another process", { { R, .file = FILE } }, R, STRANGER, FILE,
	  .cause = CAUSE(NO_GRANT) },
	{ "another volume", { { R, .file = FILE, .another_volume = true } }, R,
	  CHILD, FILE, .cause = CAUSE(NO_GRANT) },
	{ "a file that had its number before",
	  { { R, .file = FILE, .old_generation = true } }, R, CHILD, FILE,
	  .cause = CAUSE(NO_GRANT) },
	{ "not in force yet", { { R, .file = FILE, .not_in_force = true } }, R,
	  CHILD, FILE, .cause = CAUSE(NO_GRANT) },

	{ "other access", { { R, .file = FILE } }, W, CHILD, FILE,
	  .cause = CAUSE(WRONG_ACCESS), .by = 1 },
	{ "half of it", { { R, .file = FILE } }, R | W, CHILD, FILE,
	  .cause = CAUSE(WRONG_ACCESS), .by = 1 },
	{ "more than is needed", { { R | W | X, .file = FILE } }, X, CHILD, FILE,
	  .cause = CAUSE(GRANTED), .by = 1 },
	{ "each bit is its own", { { R | W | X | N, .file = FILE } }, M, CHILD,
	  FILE, .cause = CAUSE(WRONG_ACCESS), .by = 1 },
	{ "grants add up", { { R, .file = FILE }, { W, .file = FILE } }, R | W,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = -1 },
	{ "file and subtree add up",
	  { { R, .file = FILE }, { W, .file = DIR, .kind = SUBTREE } }, R | W,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = 2 },

	{ "expired", { { R, .file = FILE, .expired = true } }, R, CHILD, FILE,
	  .cause = CAUSE(EXPIRED), .by = 1 },
	{ "not yet", { { R, .file = FILE, .later = true } }, R, CHILD, FILE,
	  .cause = CAUSE(NOT_YET), .by = 1 },
	{ "executed", { { R, .file = FILE, .executed = true } }, R, CHILD, FILE,
	  .cause = CAUSE(EXEC_CHANGED), .by = 1 },
	{ "executed and kept",
	  { { R, .file = FILE, .flags = KEEP, .executed = true } }, R, CHILD,
	  FILE, .cause = CAUSE(GRANTED), .by = 1 },
	{ "before the exec it is for",
	  { { R | X, .file = FILE, .flags = NEXT, .not_executed = true } }, R,
	  CHILD, FILE, .cause = CAUSE(NOT_YET), .by = 1 },
	{ "the program that is about to be executed",
	  { { R | X, .file = FILE, .flags = NEXT, .not_executed = true } }, X,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = 1 },
	{ "the program of the exec after the one it is for",
	  { { R | X, .file = FILE, .flags = NEXT, .executed = true } }, X,
	  CHILD, FILE, .cause = CAUSE(EXEC_CHANGED), .by = 1 },
	{ "the most telling cause",
	  { { W, .file = FILE }, { R, .file = FILE, .expired = true },
	    { R, .file = FILE, .later = true } }, R, CHILD, FILE,
	  .cause = CAUSE(EXPIRED), .by = 2 },
	{ "one that is live among dead ones",
	  { { R, .file = FILE, .expired = true }, { R, .file = FILE },
	    { R, .file = FILE, .later = true } }, R, CHILD, FILE,
	  .cause = CAUSE(GRANTED), .by = 2 },

	{ "subtree from the parent directory",
	  { { R, .file = SUB, .kind = SUBTREE } }, R, CHILD, FILE,
	  .cause = CAUSE(GRANTED), .by = 1 },
	{ "subtree from the root", { { R, .file = ROOT, .kind = SUBTREE } }, R,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = 1 },
	{ "subtree includes its directory",
	  { { R, .file = DIR, .kind = SUBTREE } }, R, CHILD, DIR,
	  .cause = CAUSE(GRANTED), .by = 1 },
	{ "subtree does not reach upwards",
	  { { R, .file = SUB, .kind = SUBTREE } }, R, CHILD, DIR,
	  .cause = CAUSE(NO_GRANT) },
	{ "directory alone is no subtree", { { R, .file = DIR } }, R, CHILD,
	  FILE, .cause = CAUSE(NO_GRANT) },
	{ "subtree and no name to go by",
	  { { R, .file = ROOT, .kind = SUBTREE } }, R, CHILD, FILE,
	  .no_dentry = true, .cause = CAUSE(UNREACHABLE) },
	{ "file and no name to go by", { { R, .file = FILE } }, R, CHILD, FILE,
	  .no_dentry = true, .cause = CAUSE(GRANTED), .by = 1 },
	{ "no subtree and no name to go by", {}, R, CHILD, FILE,
	  .no_dentry = true, .cause = CAUSE(NO_GRANT) },
	{ "the whole of a directory by itself", { { R, .file = DIR } }, R,
	  CHILD, DIR, .whole = true, .cause = CAUSE(NO_GRANT) },
	{ "the whole of a directory by its subtree",
	  { { R, .file = DIR, .kind = SUBTREE } }, R, CHILD, DIR, .whole = true,
	  .cause = CAUSE(GRANTED), .by = 1 },

	{ "parent's grant", { { R, .process = PARENT, .file = FILE } }, R,
	  CHILD, FILE, .cause = CAUSE(NO_GRANT) },
	{ "parent's grant for descendants",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC } }, R, CHILD,
	  FILE, .cause = CAUSE(GRANTED), .by = 1 },
	{ "grandparent's grant for descendants",
	  { { R, .process = GRANDPARENT, .file = FILE, .flags = DESC } }, R,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = 1 },
	{ "parent has executed something since",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC } }, R, CHILD,
	  FILE, .executed = BIT(PARENT), .cause = CAUSE(EXEC_CHANGED), .by = 1 },
	{ "parent has executed something since, and keeps",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC | KEEP } }, R,
	  CHILD, FILE, .executed = BIT(PARENT), .cause = CAUSE(GRANTED), .by = 1 },
	{ "who is between has executed something since",
	  { { R, .process = GRANDPARENT, .file = FILE, .flags = DESC } }, R,
	  CHILD, FILE, .executed = BIT(PARENT), .cause = CAUSE(GRANTED), .by = 1 },
	{ "forked from a parent that has yet to execute",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC | NEXT,
	      .not_executed = true } }, R, CHILD, FILE, .executed = BIT(CHILD),
	  .cause = CAUSE(EXEC_CHANGED), .by = 1 },
	{ "forked before it was given",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC,
	      .since_later = true } }, R, CHILD, FILE,
	  .cause = CAUSE(NO_GRANT) },
	{ "the holder itself, forked before",
	  { { R, .file = FILE, .flags = DESC, .since_later = true } }, R, CHILD,
	  FILE, .cause = CAUSE(GRANTED), .by = 1 },
	{ "child's grant is not the parent's",
	  { { R, .file = FILE, .flags = DESC } }, R, PARENT, FILE,
	  .cause = CAUSE(NO_GRANT) },
	{ "init's grant for descendants",
	  { { R, .process = INIT, .file = FILE, .flags = DESC } }, R, CHILD,
	  FILE, .cause = CAUSE(NO_GRANT) },
	{ "parent's subtree for descendants",
	  { { R, .process = PARENT, .file = DIR, .kind = SUBTREE,
	      .flags = DESC } }, R, CHILD, FILE, .cause = CAUSE(GRANTED),
	  .by = 1 },
	{ "own and inherited add up",
	  { { R, .file = FILE },
	    { W, .process = PARENT, .file = FILE, .flags = DESC } }, R | W,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = 2 },
	{ "suspended", { { R, .file = FILE, .suspended = true } }, R, CHILD,
	  FILE, .cause = CAUSE(UNSUPERVISED), .by = 1 },
	{ "suspended beside one that is not",
	  { { R, .file = FILE, .suspended = true }, { R, .file = FILE } }, R,
	  CHILD, FILE, .cause = CAUSE(GRANTED), .by = 2 },
	{ "suspended tells more than expired",
	  { { R, .file = FILE, .expired = true },
	    { R, .file = FILE, .suspended = true } }, R, CHILD, FILE,
	  .cause = CAUSE(UNSUPERVISED), .by = 2 },
	{ "half of it suspended",
	  { { R, .file = FILE }, { W, .file = FILE, .suspended = true } },
	  R | W, CHILD, FILE, .cause = CAUSE(UNSUPERVISED), .by = 2 },
	{ "inherited and suspended",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC,
	      .suspended = true } }, R, CHILD, FILE,
	  .cause = CAUSE(UNSUPERVISED), .by = 1 },
	{ "inherited and expired",
	  { { R, .process = PARENT, .file = FILE, .flags = DESC,
	      .expired = true } }, R, CHILD, FILE, .cause = CAUSE(EXPIRED),
	  .by = 1 },
};

static struct trustgate_grant *give(struct kunit *test,
				    const struct given *given)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	u64 now_ns = ktime_get_boottime_ns();

	terms.pid = world->pids[given->process];
	terms.ino = world->inodes[given->file]->i_ino;
	terms.kind = given->kind;
	terms.access = given->access;
	terms.flags = given->flags;
	/* Since before any process was forked. */
	terms.since_ns = given->since_later ? now_ns : 1;
	if (given->suspended)
		terms.flags |= TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	if (given->expired)
		terms.expires_ns = now_ns - 1;
	if (given->later)
		terms.not_before_ns = now_ns + SOON_NS;
	if (given->later)
		terms.expires_ns = now_ns + 2 * SOON_NS;
	if (given->executed)
		terms.exec_id--;
	if (given->not_executed)
		terms.exec_id++;
	if (given->another_volume)
		terms.volume = &world->another;
	if (given->old_generation)
		terms.generation--;
	return given->not_in_force ? world_insert(test, &terms) :
				     world_give(test, &terms);
}

static struct trustgate_question ask_about(struct world *world,
					   unsigned int process,
					   unsigned int file, u32 access)
{
	struct trustgate_question question = world_question(world);

	question.dentry = world->dentries[file];
	question.ino = world->inodes[file]->i_ino;
	question.access = access;
	question.task = world->tasks[process];
	return question;
}

static void decide_one(struct kunit *test, const struct decided *decided)
{
	struct trustgate_grant *grants[GIVEN_MAX] = {};
	struct world *world = test->priv;
	struct trustgate_question question;
	struct trustgate_answer answer;
	bool at_once = false;
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	for (i = 0; i < GIVEN_MAX; i++) {
		if (decided->given[i].access)
			grants[i] = give(test, &decided->given[i]);
	}
	question = ask_about(world, decided->process, decided->file,
			     decided->access);
	question.whole = decided->whole;
	if (decided->no_dentry)
		question.dentry = NULL;
	for (i = 0; i < PROCESSES; i++)
		world->tasks[i]->self_exec_id += decided->executed >> i & 1;
	answer = world_ask(&question);
	/* As the first access would have left it. */
	if (answer.own)
		answer.own->tainted_exec_id = question.task->self_exec_id;
	if (!decided->whole) {
		rcu_read_lock();
		at_once = trustgate_granted_at_once(question.volume,
						    world->inodes[decided->file],
						    question.subvolume,
						    question.access, true,
						    question.task,
						    question.now_ns);
		rcu_read_unlock();
	}
	for (i = 0; i < PROCESSES; i++)
		world->tasks[i]->self_exec_id -= decided->executed >> i & 1;
	KUNIT_EXPECT_EQ_MSG(test, decided->cause, answer.cause, "%s",
			    decided->what);
	/* The short cut allows nothing that the decision does not. */
	if (at_once)
		KUNIT_EXPECT_EQ_MSG(test, answer.cause, CAUSE(GRANTED), "%s",
				    decided->what);
	if (!decided->by)
		KUNIT_EXPECT_EQ_MSG(test, answer.grant_id, 0, "%s",
				    decided->what);
	else if (decided->by > 0 && grants[decided->by - 1])
		KUNIT_EXPECT_EQ_MSG(test, answer.grant_id,
				    grants[decided->by - 1]->id, "%s",
				    decided->what);
	trustgate_grant_end_volume(&world->volume, TRUSTGATE_END_NONE);
	trustgate_grant_end_volume(&world->another, TRUSTGATE_END_NONE);
	mutex_unlock(&trustgate_mutex);
}

static void decide_by_table(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		decide_one(test, &table[i]);
}

static void kernel_threads_hold_nothing(struct kunit *test)
{
	const struct given read_file = { R, .file = FILE };
	struct world *world = test->priv;
	struct trustgate_question question;

	world->tasks[CHILD]->flags |= PF_KTHREAD;
	mutex_lock(&trustgate_mutex);
	give(test, &read_file);
	question = ask_about(world, CHILD, FILE, R);
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(KERNEL_THREAD));
	mutex_unlock(&trustgate_mutex);
}

/* Of a chain too long to look through only the near end counts. */
static void ancestors_are_looked_for_only_so_far(struct kunit *test)
{
	const struct given far = { R, .process = STRANGER, .file = FILE,
				   .flags = DESC };
	struct world *world = test->priv;
	struct trustgate_question question;
	struct task_struct *between;

	/* A loop of two stands for a chain of any length without the holder. */
	between = world->tasks[GRANDPARENT];
	RCU_INIT_POINTER(between->real_parent, world->tasks[PARENT]);
	mutex_lock(&trustgate_mutex);
	give(test, &far);
	question = ask_about(world, CHILD, FILE, R);
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(NO_GRANT));
	mutex_unlock(&trustgate_mutex);

	/* It is the chain's length that was at fault. */
	RCU_INIT_POINTER(between->real_parent, world->tasks[STRANGER]);
	mutex_lock(&trustgate_mutex);
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(GRANTED));
	mutex_unlock(&trustgate_mutex);
}

static struct trustgate_grant *give_limited(struct kunit *test, u32 access,
					    u32 max_uses)
{
	const struct given given = { access, .file = FILE };
	struct trustgate_grant *grant = give(test, &given);

	if (grant)
		grant->max_uses = max_uses;
	return grant;
}

static void uses_are_counted_and_end(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_question question;
	struct trustgate_answer answer;
	struct trustgate_grant *grant;

	mutex_lock(&trustgate_mutex);
	grant = give_limited(test, R, 2);
	if (!grant)
		goto out;
	question = ask_about(world, CHILD, FILE, R);
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(GRANTED));
	KUNIT_EXPECT_EQ(test, atomic_read(&grant->uses), 1);
	/* What takes no use is allowed and not counted. */
	question.takes_use = false;
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(GRANTED));
	KUNIT_EXPECT_EQ(test, atomic_read(&grant->uses), 1);
	question.takes_use = true;
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(GRANTED));
	answer = world_ask(&question);
	KUNIT_EXPECT_EQ(test, answer.cause, CAUSE(USED_UP));
	KUNIT_EXPECT_EQ(test, answer.grant_id, grant->id);
	KUNIT_EXPECT_EQ(test, atomic_read(&grant->uses), 2);
	/* Nor is a denial for another reason. */
	question.access = W;
	world_ask(&question);
	KUNIT_EXPECT_EQ(test, atomic_read(&grant->uses), 2);
out:
	mutex_unlock(&trustgate_mutex);
}

/* The short cut knows no uses, so it takes none and leaves them to others. */
static void short_cut_is_for_the_plainest(struct kunit *test)
{
	const struct given plain = { R, .file = FILE };
	struct world *world = test->priv;
	struct trustgate_grant *limited, *grant;
	u64 exec_id = world->tasks[CHILD]->self_exec_id;
	u64 now_ns = ktime_get_boottime_ns();

	mutex_lock(&trustgate_mutex);
	limited = give_limited(test, R, 1);
	if (limited)
		limited->tainted_exec_id = exec_id;
	rcu_read_lock();
	KUNIT_EXPECT_FALSE(test,
			   trustgate_granted_at_once(&world->volume,
						     world->inodes[FILE], 0, R,
						     true, world->tasks[CHILD],
						     now_ns));
	/* Reads and writes on an open file are no uses. */
	KUNIT_EXPECT_TRUE(test,
			  trustgate_granted_at_once(&world->volume,
						    world->inodes[FILE], 0, R,
						    false, world->tasks[CHILD],
						    now_ns));
	rcu_read_unlock();
	if (limited)
		KUNIT_EXPECT_EQ(test, atomic_read(&limited->uses), 0);
	grant = give(test, &plain);
	rcu_read_lock();
	/* Its holder's memory is not marked yet. */
	KUNIT_EXPECT_FALSE(test,
			   trustgate_granted_at_once(&world->volume,
						     world->inodes[FILE], 0, R,
						     true, world->tasks[CHILD],
						     now_ns));
	if (grant)
		grant->tainted_exec_id = exec_id;
	KUNIT_EXPECT_TRUE(test,
			  trustgate_granted_at_once(&world->volume,
						    world->inodes[FILE], 0, R,
						    true, world->tasks[CHILD],
						    now_ns));
	world->tasks[CHILD]->ptrace = PT_PTRACED;
	KUNIT_EXPECT_FALSE(test,
			   trustgate_granted_at_once(&world->volume,
						     world->inodes[FILE], 0, R,
						     true, world->tasks[CHILD],
						     now_ns));
	world->tasks[CHILD]->ptrace = 0;
	world->tasks[CHILD]->flags |= PF_IO_WORKER;
	KUNIT_EXPECT_FALSE(test,
			   trustgate_granted_at_once(&world->volume,
						     world->inodes[FILE], 0, R,
						     true, world->tasks[CHILD],
						     now_ns));
	world->tasks[CHILD]->flags &= ~PF_IO_WORKER;
	world->tasks[CHILD]->flags |= PF_KTHREAD;
	KUNIT_EXPECT_FALSE(test,
			   trustgate_granted_at_once(&world->volume,
						     world->inodes[FILE], 0, R,
						     true, world->tasks[CHILD],
						     now_ns));
	rcu_read_unlock();
	mutex_unlock(&trustgate_mutex);
}

static void unlimited_goes_first(struct kunit *test)
{
	const struct given unlimited = { R, .file = FILE };
	struct world *world = test->priv;
	struct trustgate_question question;
	struct trustgate_grant *limited;
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	limited = give_limited(test, R, 1);
	give(test, &unlimited);
	question = ask_about(world, CHILD, FILE, R);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(GRANTED));
	if (limited)
		KUNIT_EXPECT_EQ(test, atomic_read(&limited->uses), 0);
	mutex_unlock(&trustgate_mutex);
}

/* A denial takes no use of the grants that would have covered a part. */
static void uses_are_given_back(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_question question;
	struct trustgate_grant *read, *write;

	mutex_lock(&trustgate_mutex);
	read = give_limited(test, R, 1);
	write = give_limited(test, W, 1);
	if (!read || !write)
		goto out;
	question = ask_about(world, CHILD, FILE, R | W | X);
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(WRONG_ACCESS));
	KUNIT_EXPECT_EQ(test, atomic_read(&read->uses), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&write->uses), 0);

	question.access = R | W;
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(GRANTED));
	KUNIT_EXPECT_EQ(test, atomic_read(&read->uses), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&write->uses), 1);
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(USED_UP));
out:
	mutex_unlock(&trustgate_mutex);
}

/* However many are used up, one that is not is found. */
static void used_up_ones_are_passed_over(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_question question;
	struct trustgate_answer answer;
	struct trustgate_grant *grant = NULL;
	unsigned int i;

	mutex_lock(&trustgate_mutex);
	for (i = 0; i < 20; i++) {
		grant = give_limited(test, R, 1);
		if (grant && i != 10)
			atomic_set(&grant->uses, 1);
	}
	question = ask_about(world, CHILD, FILE, R);
	answer = world_ask(&question);
	KUNIT_EXPECT_EQ(test, answer.cause, CAUSE(GRANTED));
	KUNIT_EXPECT_EQ(test, world_ask(&question).cause, CAUSE(USED_UP));
	mutex_unlock(&trustgate_mutex);
}

static void answer_carries_the_tag(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_terms terms = world_terms(world);
	struct trustgate_question question;
	struct trustgate_answer answer;
	struct trustgate_grant *grant;

	terms.tag = 0x1122334455667788;
	mutex_lock(&trustgate_mutex);
	grant = world_give(test, &terms);
	if (grant) {
		question = ask_about(world, CHILD, FILE, R);
		answer = world_ask(&question);
		KUNIT_EXPECT_EQ(test, answer.tag, terms.tag);
		KUNIT_EXPECT_EQ(test, answer.grant_id, grant->id);
	}
	mutex_unlock(&trustgate_mutex);
}

/* Only the grants that allow count, the others do not. */
static void strictest_end_counts(struct kunit *test)
{
	struct world *world = test->priv;
	struct trustgate_question question;
	struct trustgate_grant *read, *write;

	mutex_lock(&trustgate_mutex);
	read = give_limited(test, R, 100);
	write = give_limited(test, W, 100);
	if (!read || !write)
		goto out;
	/* Not by the terms: what is kept after its end outlives the test. */
	read->on_end = TRUSTGATE_ON_END_UNMAP;
	write->on_end = TRUSTGATE_ON_END_KILL;
	question = ask_about(world, CHILD, FILE, R);
	KUNIT_EXPECT_EQ(test, world_ask(&question).on_end,
			(u32)TRUSTGATE_ON_END_UNMAP);
	question.access = R | W;
	KUNIT_EXPECT_EQ(test, world_ask(&question).on_end,
			(u32)TRUSTGATE_ON_END_KILL);
	question.access = R | W | X;
	KUNIT_EXPECT_EQ(test, world_ask(&question).on_end,
			(u32)TRUSTGATE_ON_END_DENY_IO);
	read->on_end = TRUSTGATE_ON_END_DENY_IO;
	write->on_end = TRUSTGATE_ON_END_DENY_IO;
out:
	mutex_unlock(&trustgate_mutex);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(judge),
	KUNIT_CASE(decide_by_table),
	KUNIT_CASE(kernel_threads_hold_nothing),
	KUNIT_CASE(ancestors_are_looked_for_only_so_far),
	KUNIT_CASE(uses_are_counted_and_end),
	KUNIT_CASE(short_cut_is_for_the_plainest),
	KUNIT_CASE(unlimited_goes_first),
	KUNIT_CASE(uses_are_given_back),
	KUNIT_CASE(used_up_ones_are_passed_over),
	KUNIT_CASE(answer_carries_the_tag),
	KUNIT_CASE(strictest_end_counts),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_decision",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
