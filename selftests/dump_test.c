// SPDX-License-Identifier: GPL-2.0-only
/*
 * dump_test - whether a process that a grant gave bytes to dumps core.
 *
 * Owns: core dumps to a file and to a program.
 *
 * Must not own: other ways into a process's memory (memory_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "attempt.h"
#include "gate.h"

#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"
#define PIPE_LIMIT	"/proc/sys/kernel/core_pipe_limit"
#define CORE		DISK_MOUNTS "/core"
#define PROGRAM		DISK_MOUNTS "/dump"

static char old_pattern[256];
static char old_limit[16];

static int set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return errno;
	length = read(fd, text, size - 1);
	text[length < 0 ? 0 : length] = '\0';
	close(fd);
	return length < 0 ? errno : 0;
}

FIXTURE(dump) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(dump) {
	const char *pattern;
};

FIXTURE_VARIANT_ADD(dump, file) {
	.pattern = CORE,
};

FIXTURE_VARIANT_ADD(dump, program) {
	.pattern = "|" PROGRAM,
};

FIXTURE_SETUP(dump)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "tmpfs"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(0, disk_file(PROGRAM, "#!/bin/sh\nexec cat > " CORE "\n",
			       0700));
	unlink(CORE);
	/* The crashing process waits for the program to end. */
	ASSERT_EQ(0, set(PIPE_LIMIT, "4"));
	ASSERT_EQ(0, set(CORE_PATTERN, variant->pattern));
}

FIXTURE_TEARDOWN_PARENT(dump)
{
	set(CORE_PATTERN, old_pattern);
	set(PIPE_LIMIT, old_limit);
	unlink(CORE);
	unlink(PROGRAM);
	gate_clean();
}

static void limit_cores(rlim_t limit)
{
	const struct rlimit rlimit = { limit, limit };

	setrlimit(RLIMIT_CORE, &rlimit);
}

/* Waits for a byte before it reads the file, if it is to, and crashes. */
static pid_t fork_crashing(int fd, const char *path)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	limit_cores(RLIM_INFINITY);
	if (read(fd, &byte, 1) != 1 || (path && attempt_read(path, 0)))
		_exit(1);
	abort();
}

static off_t dumped(void)
{
	struct stat info;

	return stat(CORE, &info) ? 0 : info.st_size;
}

TEST_F(dump, of_a_stranger)
{
	int fds[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork_crashing(fds[0], NULL);
	ASSERT_EQ(1, write(fds[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGABRT, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	EXPECT_TRUE(WCOREDUMP(status));
	EXPECT_LT(4096, dumped());
	EXPECT_EQ(0, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_MEMORY));
}

TEST_F(dump, of_a_holder)
{
	struct trustgate_event event;
	int fds[2], status;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork_crashing(fds[0], "db/a");
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, pid, "db/a",
				     GATE_READ));
	gate_forget_events(&self->gate);
	ASSERT_EQ(1, write(fds[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGABRT, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	EXPECT_FALSE(WCOREDUMP(status));
	EXPECT_EQ(0, dumped());
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_MEMORY));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_MEMORY, event.cause);
	EXPECT_EQ(pid, event.pid);
	EXPECT_EQ(pid, event.target_pid);
	EXPECT_STREQ("cred_prepare", event.hook);
}

static void __attribute__((constructor)) remember(void)
{
	get(CORE_PATTERN, old_pattern, sizeof(old_pattern));
	get(PIPE_LIMIT, old_limit, sizeof(old_limit));
}

TEST_HARNESS_MAIN
