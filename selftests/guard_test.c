// SPDX-License-Identifier: GPL-2.0-only
/*
 * guard_test - when the memory of a process is guarded from others.
 *
 * Owns: what begins and what ends it, whom it passes to, and that there is no
 * access when it cannot be.
 *
 * Must not own: the ways to look (memory_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "holder.h"

#define MOST	"/sys/module/trustgate_core/parameters/max_tainted"

static int set_most(const char *number)
{
	int fd = open(MOST, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, number, strlen(number)) < 0)
		err = errno;
	close(fd);
	return err;
}

FIXTURE(guard) {
	struct gate gate;
	struct holders at;
};

FIXTURE_SETUP(guard)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, holder_open(&self->gate, &self->at));
}

FIXTURE_TEARDOWN_PARENT(guard)
{
	set_most("65536");
	gate_clean();
}

TEST_F(guard, begins_with_bytes)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ | GATE_META | GATE_NAMES));
	EXPECT_EQ(0, look_readv(self->at.holder.pid));
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	EXPECT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EPERM, look_readv(self->at.holder.pid));
	/* It is the bytes that count, not the grant. */
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->at.volume));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ(EPERM, look_readv(self->at.holder.pid));
	EXPECT_EQ(0, look_readv(self->at.stranger.pid));
}

TEST_F(guard, outlives_expiry)
{
	struct trustgate_grant_request request =
		gate_request(&self->at.volume, HOLDER_FILE, GATE_READ);

	request.pid = self->at.holder.pid;
	request.expires_boottime_ns = gate_now_ns() + GATE_SECOND_NS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	ASSERT_EQ(0, HOLDER_TAKE());
	gate_sleep_until(request.expires_boottime_ns);
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ(EPERM, look_readv(self->at.holder.pid));
}

/* The fixture's own small volume keeps the hooks attached. */
TEST_F(guard, outlives_its_volume)
{
	struct trustgate_event event;

	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->at.volume));
	gate_forget_events(&self->gate);
	EXPECT_EQ(EPERM, look_readv(self->at.holder.pid));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_MEMORY, event.cause);
	EXPECT_EQ(0, event.volume_id);
	EXPECT_EQ(self->at.holder.pid, event.target_pid);
}

TEST_F(guard, passes_to_children)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	ASSERT_EQ(0, actor_do(&self->at.holder, holder_clone, NULL, 0));
	EXPECT_EQ(EPERM, look_readv(holder_shared->pid));
	EXPECT_EQ(EACCES, look_mem(holder_shared->pid));
	EXPECT_EQ(0, actor_do(&self->at.holder, holder_reap, NULL, holder_shared->pid));
}

TEST_F(guard, covers_who_shares_it)
{
	ASSERT_EQ(0, actor_do(&self->at.holder, holder_clone, NULL, CLONE_VM));
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EPERM, look_readv(holder_shared->pid));
	EXPECT_EQ(0, actor_do(&self->at.holder, holder_reap, NULL, holder_shared->pid));
}

TEST_F(guard, sees_the_tracer_of_who_shares_it)
{
	ASSERT_EQ(0, actor_do(&self->at.holder, holder_clone, NULL, CLONE_VM));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, holder_shared->pid, NULL, NULL));
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, holder_shared->pid, NULL, NULL));
	ASSERT_EQ(holder_shared->pid,
		  waitpid(holder_shared->pid, NULL, __WALL));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, holder_shared->pid, NULL, NULL));
	EXPECT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(0, actor_do(&self->at.holder, holder_reap, NULL, holder_shared->pid));
}

TEST_F(guard, ends_with_exec)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	ASSERT_EQ(0, actor_do(&self->at.holder, holder_spawn, "/bin/sleep", 0));
	EXPECT_EQ(0, look_seize(holder_shared->pid));
	EXPECT_EQ(0, look_environ(holder_shared->pid));
	EXPECT_EQ(EPERM, look_seize(self->at.holder.pid));
	EXPECT_EQ(0, actor_do(&self->at.holder, holder_reap, NULL, holder_shared->pid));
}

/* An exec from another thread makes that the first one. */
static void *exec_in_thread(void *path)
{
	execl(path, "sleep", "1000", NULL);
	return NULL;
}

static int part_exec_in_thread(const char *path, long unused)
{
	pthread_t thread;

	(void)unused;
	if (pthread_create(&thread, NULL, exec_in_thread, (void *)path))
		return errno;
	pthread_join(thread, NULL);
	return ENOEXEC;
}

TEST_F(guard, ends_with_exec_of_a_thread)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(-EPIPE, actor_do(&self->at.holder, part_exec_in_thread,
				   "/bin/sleep", 0));
	EXPECT_EQ(0, look_seize(self->at.holder.pid));
	EXPECT_EQ(0, look_environ(self->at.holder.pid));
	actor_stop(&self->at.holder);
}

/* The program itself is the tenant's. */
TEST_F(guard, begins_with_a_program)
{
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->at.volume,
				     self->at.holder.pid, HOLDER_PROGRAM, GATE_EXEC));
	EXPECT_EQ(-EPIPE, actor_do(&self->at.holder, holder_exec, HOLDER_PROGRAM, 0));
	EXPECT_EQ(EPERM, look_seize(self->at.holder.pid));
	EXPECT_EQ(EACCES, look_mem(self->at.holder.pid));
	actor_stop(&self->at.holder);
}

TEST_F(guard, no_program_under_a_tracer)
{
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->at.holder.pid, NULL, NULL));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->at.volume,
				     self->at.holder.pid, HOLDER_PROGRAM, GATE_EXEC));
	EXPECT_EQ(EACCES, actor_do(&self->at.holder, holder_exec, HOLDER_PROGRAM, 0));
	EXPECT_EQ(1, HOLDER_TRACED());
}

TEST_F(guard, denies_when_full)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, set_most("0"));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ(1, volume_count(&self->gate, &self->at.volume,
				  TRUSTGATE_CAUSE_SUSPENDED));
	EXPECT_EQ(EPERM, look_readv(self->at.stranger.pid));
	ASSERT_EQ(0, set_most("65536"));
	ASSERT_EQ(0, HOLDER_TAKE());
	ASSERT_EQ(0, set_most("0"));
	/* What is marked already needs no more room; a copy of it does. */
	EXPECT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EPERM, look_readv(self->at.holder.pid));
	EXPECT_EQ(EACCES, actor_do(&self->at.holder, holder_clone, NULL, 0));
	EXPECT_EQ(2, volume_count(&self->gate, &self->at.volume,
				  TRUSTGATE_CAUSE_SUSPENDED));
	EXPECT_EQ(0, actor_do(&self->at.stranger, holder_clone, NULL, 0));
	EXPECT_EQ(0, actor_do(&self->at.stranger, holder_reap, NULL, holder_shared->pid));
}

TEST_HARNESS_MAIN
