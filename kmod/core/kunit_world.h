/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - processes, files and volumes that exist only in unit tests.
 *
 * Owns: making them, as far as the engine looks at them; what is asked about
 * them, and is given; taking everything that refers to them out of the engine's
 * tables again.
 *
 * Must not own: what is tested. The grants are real ones, in the real tables.
 */
#ifndef _TRUSTGATE_KUNIT_WORLD_H
#define _TRUSTGATE_KUNIT_WORLD_H

#include <kunit/test.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "decision.h"
#include "grant.h"

/* From the process that asks up to the init that adopts. */
enum { CHILD, PARENT, GRANDPARENT, INIT, STRANGER, PROCESSES };

/* root/dir/sub/file, and a file beside it. */
enum { ROOT, DIR, SUB, FILE, OTHER, FILES };

/**
 * struct world - all of it
 * @volume: never in the table of volumes
 * @another: likewise
 * @pids: of the processes; numbers 1001 and up, but 1 for INIT
 * @tasks: the processes
 * @signals: their thread groups
 * @dentries: names
 * @inodes: with numbers 11 and up, generation 7
 */
struct world {
	struct trustgate_volume volume;
	struct trustgate_volume another;
	struct pid *pids[PROCESSES];
	struct task_struct *tasks[PROCESSES];
	struct signal_struct *signals[PROCESSES];
	struct dentry *dentries[FILES];
	struct inode *inodes[FILES];
};

#define WORLD_GENERATION 7

static inline int world_make_process(struct kunit *test, struct world *world,
				     unsigned int i)
{
	struct pid *pid = kunit_kzalloc(test, sizeof(*pid) +
					sizeof(pid->numbers[0]), GFP_KERNEL);
	struct task_struct *task = kunit_kzalloc(test, sizeof(*task),
						 GFP_KERNEL);
	struct signal_struct *signal = kunit_kzalloc(test, sizeof(*signal),
						     GFP_KERNEL);

	if (!pid || !task || !signal)
		return -ENOMEM;
	/* Our own reference keeps it from being freed as a real one would. */
	refcount_set(&pid->count, 1);
	pid->numbers[0].nr = i == INIT ? 1 : 1001 + i;
	pid->numbers[0].ns = &init_pid_ns;
	signal->pids[PIDTYPE_TGID] = pid;
	INIT_LIST_HEAD(&signal->thread_head);
	list_add_tail(&task->thread_node, &signal->thread_head);
	task->signal = signal;
	task->thread_pid = pid;
	task->group_leader = task;
	task->self_exec_id = 5;
	world->pids[i] = pid;
	world->tasks[i] = task;
	world->signals[i] = signal;
	return 0;
}

static inline int world_make_file(struct kunit *test, struct world *world,
				  unsigned int i)
{
	world->dentries[i] = kunit_kzalloc(test, sizeof(struct dentry),
					   GFP_KERNEL);
	world->inodes[i] = kunit_kzalloc(test, sizeof(struct inode),
					 GFP_KERNEL);
	if (!world->dentries[i] || !world->inodes[i])
		return -ENOMEM;
	world->inodes[i]->i_ino = 11 + i;
	world->inodes[i]->i_generation = WORLD_GENERATION;
	world->dentries[i]->d_inode = world->inodes[i];
	return 0;
}

/* As the init of a suite; test->priv is the world afterwards. */
static inline int world_init(struct kunit *test)
{
	struct world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	u64 now_ns = ktime_get_boottime_ns();
	unsigned int i;
	int err = 0;

	if (!world)
		return -ENOMEM;
	world->volume.id = 4000000001U;
	world->another.id = 4000000002U;
	for (i = 0; i < PROCESSES && !err; i++)
		err = world_make_process(test, world, i);
	for (i = 0; i < FILES && !err; i++)
		err = world_make_file(test, world, i);
	if (err)
		return err;
	for (i = 0; i < PROCESSES; i++) {
		unsigned int parent = i < INIT ? i + 1 : INIT;

		RCU_INIT_POINTER(world->tasks[i]->real_parent,
				 world->tasks[parent]);
		/* The nearer to init, the older. */
		world->tasks[i]->start_boottime = now_ns - i * NSEC_PER_SEC;
	}
	world->dentries[ROOT]->d_parent = world->dentries[ROOT];
	world->dentries[DIR]->d_parent = world->dentries[ROOT];
	world->dentries[SUB]->d_parent = world->dentries[DIR];
	world->dentries[FILE]->d_parent = world->dentries[SUB];
	world->dentries[OTHER]->d_parent = world->dentries[SUB];
	test->priv = world;
	return 0;
}

/*
 * As the exit of a suite. Grants refer to volumes and pids that are about to be
 * freed: the tables are cleared, and who was looking is waited for.
 */
static inline void world_exit(struct kunit *test)
{
	struct world *world = test->priv;

	if (!world)
		return;
	mutex_lock(&trustgate_mutex);
	trustgate_grant_end_volume(&world->volume, TRUSTGATE_END_NONE);
	trustgate_grant_end_volume(&world->another, TRUSTGATE_END_NONE);
	mutex_unlock(&trustgate_mutex);
	rcu_barrier();
}

/* A grant for CHILD on FILE: READ, for a minute; to be changed at will. */
static inline struct trustgate_terms world_terms(const struct world *world)
{
	return (struct trustgate_terms){
		.volume = (struct trustgate_volume *)&world->volume,
		.pid = world->pids[CHILD],
		.exec_id = 5,
		.start_ns = world->tasks[CHILD]->start_boottime,
		.ino = world->inodes[FILE]->i_ino,
		.generation = WORLD_GENERATION,
		.kind = TRUSTGATE_OBJECT_KIND_FILE,
		.access = TRUSTGATE_ACCESS_READ,
		.reason = TRUSTGATE_REASON_INCIDENT,
		.expires_ns = ktime_get_boottime_ns() + 60 * NSEC_PER_SEC,
	};
}

/* Has CHILD READ access to FILE now? To be changed at will. */
static inline struct trustgate_question
world_question(const struct world *world)
{
	return (struct trustgate_question){
		.volume = &world->volume,
		.dentry = world->dentries[FILE],
		.ino = world->inodes[FILE]->i_ino,
		.generation = WORLD_GENERATION,
		.access = TRUSTGATE_ACCESS_READ,
		.takes_use = true,
		.task = world->tasks[CHILD],
		.now_ns = ktime_get_boottime_ns(),
	};
}

static inline struct trustgate_answer
world_ask(const struct trustgate_question *question)
{
	struct trustgate_answer answer;

	rcu_read_lock();
	trustgate_decide(question, &answer);
	rcu_read_unlock();
	return answer;
}

/* Not in force yet; NULL, and the test has failed, if it cannot be. */
static inline struct trustgate_grant *
world_insert(struct kunit *test, const struct trustgate_terms *terms)
{
	struct trustgate_grant *grant = trustgate_grant_prepare(terms);

	KUNIT_EXPECT_FALSE(test, IS_ERR(grant));
	if (IS_ERR(grant))
		return NULL;
	if (trustgate_grant_insert(grant, ktime_get_boottime_ns())) {
		KUNIT_FAIL(test, "a grant could not be inserted");
		trustgate_grant_discard(grant);
		return NULL;
	}
	return grant;
}

/* Likewise, and in force. */
static inline struct trustgate_grant *
world_give(struct kunit *test, const struct trustgate_terms *terms)
{
	struct trustgate_grant *grant = world_insert(test, terms);

	if (grant)
		trustgate_grant_enforce(grant);
	return grant;
}

#endif /* _TRUSTGATE_KUNIT_WORLD_H */
