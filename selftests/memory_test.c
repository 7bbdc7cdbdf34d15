// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory_test - whether the memory of a process that a grant gave bytes to can
 * be read by others.
 *
 * Owns: each way into another process's memory, before and after it has the
 * bytes, and who may.
 *
 * Must not own: when the guard begins and ends (guard_test.c); core dumps
 * (dump_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "holder.h"

FIXTURE(memory) {
	struct gate gate;
	struct holders at;
};

FIXTURE_SETUP(memory)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, holder_open(&self->gate, &self->at));
}

FIXTURE_TEARDOWN_PARENT(memory)
{
	gate_clean();
}

/* ---- every way, before and after ---- */

/*
 * @plain: newer kernels let CAP_PERFMON do this whatever a hook says, so it is
 * done without
 * @told_once: of these, the first look at a process is recorded
 */
static const struct way {
	const char *name;
	int (*look)(pid_t pid);
	int refused;
	bool plain;
	bool told_once;
} ways[] = {
	{ "process_vm_readv", look_readv, EPERM, false, false },
	{ "process_vm_writev", look_writev, EPERM, false, false },
	{ "PTRACE_ATTACH", look_attach, EPERM, false, false },
	{ "PTRACE_SEIZE", look_seize, EPERM, false, false },
	{ "pidfd_getfd", look_getfd, EPERM, false, false },
	{ "/proc/PID/mem", look_mem, EACCES, false, false },
	{ "/proc/PID/environ", look_environ, EACCES, true, true },
	{ "/proc/PID/maps", look_maps, EACCES, true, true },
	{ "/proc/PID/pagemap", look_pagemap, EACCES, true, true },
	{ "/proc/PID/map_files", look_map_files, EACCES, false, true },
	{ "/proc/PID/fd", look_fd, EACCES, false, true },
	{ "/proc/PID/exe", look_exe, EACCES, false, true },
	{ "/proc/PID/stat", look_stat, 0, false, false },
	{ "kcmp", look_kcmp, 0, false, false },
};

static int part_way(const char *way, long pid)
{
	return ways[atoi(way)].look(pid);
}

/* Keeps CAP_SYS_PTRACE. */
static int part_drop(const char *unused, long unused_too)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	(void)unused;
	(void)unused_too;
	if (syscall(SYS_capget, &header, data))
		return errno;
	data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &=
		~CAP_TO_MASK(CAP_SYS_ADMIN);
	data[CAP_TO_INDEX(CAP_PERFMON)].effective &= ~CAP_TO_MASK(CAP_PERFMON);
	return syscall(SYS_capset, &header, data) ? errno : 0;
}

TEST_F(memory, each_way)
{
	struct actor root, plain;
	const struct actor *by;
	bool told = false;
	char number[8];
	unsigned int i;

	ASSERT_EQ(0, actor_start(&root));
	ASSERT_EQ(0, actor_start(&plain));
	ASSERT_EQ(0, actor_do(&plain, part_drop, NULL, 0));
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct way *way = &ways[i];
		struct trustgate_event event;
		uint64_t before = HOLDER_DENIALS();

		TH_LOG("%s", way->name);
		by = way->plain ? &plain : &root;
		snprintf(number, sizeof(number), "%u", i);
		EXPECT_EQ(0, actor_do(by, part_way, number,
				      self->at.stranger.pid));
		gate_forget_events(&self->gate);
		EXPECT_EQ(way->refused, actor_do(by, part_way, number,
						 self->at.holder.pid));
		if (!way->refused || (way->told_once && told)) {
			EXPECT_EQ(before, HOLDER_DENIALS());
			continue;
		}
		told |= way->told_once;
		EXPECT_EQ(before + 1, HOLDER_DENIALS());
		ASSERT_EQ(0, gate_wait_event(&self->gate,
					     TRUSTGATE_EVENT_TYPE_DENIED,
					     &event));
		EXPECT_EQ(TRUSTGATE_CAUSE_MEMORY, event.cause);
		EXPECT_EQ(by->pid, event.pid);
		EXPECT_EQ(self->at.holder.pid, event.target_pid);
		EXPECT_EQ(self->at.volume.id, event.volume_id);
		EXPECT_STREQ("ptrace_access_check", event.hook);
	}
	/* It can still read for itself. */
	EXPECT_EQ(0, HOLDER_TAKE());
	actor_stop(&plain);
	actor_stop(&root);
}

/* ---- what was opened or attached before ---- */

TEST_F(memory, opened_before)
{
	int fd = look_open(self->at.holder.pid, "mem", O_RDONLY);
	char bytes[sizeof(HOLDER_BYTES)] = "";

	ASSERT_LE(0, fd);
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ(1, HOLDER_TRACED());
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ((ssize_t)sizeof(bytes),
		  pread(fd, bytes, sizeof(bytes), (off_t)(uintptr_t)holder_memory));
	EXPECT_STRNE(HOLDER_BYTES, bytes);
	close(fd);
}

/* A long read may be under way, a tracer on its way. */
TEST_F(memory, read_just_before)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, look_readv(self->at.holder.pid));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	EXPECT_EQ(0, HOLDER_TAKE());
}

TEST_F(memory, refused_without_a_use)
{
	struct trustgate_grant_request request =
		gate_request(&self->at.volume, HOLDER_FILE, GATE_READ);

	request.pid = self->at.holder.pid;
	request.max_uses = 1;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	ASSERT_EQ(0, look_readv(self->at.holder.pid));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	EXPECT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EACCES, HOLDER_TAKE());
}

static int tracer_goes(pid_t tid)
{
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) ||
	    waitpid(tid, NULL, __WALL) != tid ||
	    ptrace(PTRACE_DETACH, tid, NULL, NULL))
		return errno;
	return 0;
}

TEST_F(memory, traced_before)
{
	struct trustgate_event event;

	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, self->at.holder.pid, NULL, NULL));
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	gate_forget_events(&self->gate);
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_TRACED, event.cause);
	EXPECT_EQ(self->at.holder.pid, event.pid);
	ASSERT_EQ(0, tracer_goes(self->at.holder.pid));
	EXPECT_EQ(0, HOLDER_TAKE());
}

TEST_F(memory, other_thread_traced_before)
{
	ASSERT_EQ(0, actor_do(&self->at.holder, holder_thread, NULL, 0));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, holder_shared->pid, NULL, NULL));
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ(EACCES, HOLDER_TAKE());
	EXPECT_EQ(2, HOLDER_TRACED());
	ASSERT_EQ(0, tracer_goes(holder_shared->pid));
	EXPECT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EPERM, look_seize(holder_shared->pid));
}

TEST_F(memory, asks_to_be_traced_before)
{
	ASSERT_EQ(0, actor_do(&self->at.holder, holder_traceme, NULL, 0));
	gate_sleep_until(gate_now_ns() + HOLDER_SETTLED_NS);
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	EXPECT_EQ(EACCES, HOLDER_TAKE());
}

TEST_F(memory, asks_to_be_traced_after)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EPERM, actor_do(&self->at.holder, holder_traceme, NULL, 0));
	EXPECT_EQ(1, HOLDER_DENIALS());
}

/* ---- who may ---- */

static int part_itself(const char *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	return look_readv(getpid()) ?: look_mem(getpid()) ?:
	       look_environ(getpid()) ?: look_maps(getpid()) ?:
	       look_map_files(getpid());
}

static void *look_in_thread(void *unused)
{
	(void)unused;
	holder_shared->result = part_itself(NULL, 0);
	return NULL;
}

static int part_thread_looks(const char *unused, long unused_too)
{
	pthread_t thread;

	(void)unused;
	(void)unused_too;
	holder_shared->result = -1;
	if (pthread_create(&thread, NULL, look_in_thread, NULL))
		return errno;
	pthread_join(thread, NULL);
	return holder_shared->result;
}

TEST_F(memory, itself_may)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(0, actor_do(&self->at.holder, part_itself, NULL, 0));
	EXPECT_EQ(0, actor_do(&self->at.holder, part_thread_looks, NULL, 0));
	EXPECT_EQ(0, HOLDER_DENIALS());
}

static int part_look(const char *unused, long pid)
{
	(void)unused;
	return look_readv(pid);
}

/* A grant to who looks changes nothing. */
TEST_F(memory, another_holder_may_not)
{
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	ASSERT_EQ(0, HOLDER_TAKE());
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->at.volume,
				     self->at.stranger.pid, HOLDER_FILE,
				     GATE_READ));
	EXPECT_EQ(0, actor_do(&self->at.stranger, holder_take, HOLDER_FILE, 0));
	EXPECT_EQ(EPERM, actor_do(&self->at.stranger, part_look, NULL,
				  self->at.holder.pid));
}

TEST_HARNESS_MAIN
