// SPDX-License-Identifier: GPL-2.0-only
/*
 * holder - a process that a grant gives bytes to, and ways to look into it; see
 * holder.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"

char holder_memory[64];
struct holder_shared *holder_shared;

int holder_open(struct gate *gate, struct holders *holders)
{
	const char *const argv[] = { "cp", "/bin/sleep", HOLDER_PROGRAM, NULL };
	int err;

	holder_shared = mmap(NULL, HOLDER_SHARED_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (holder_shared == MAP_FAILED)
		return -errno;
	err = volume_make(&holders->volume, 0, "tmpfs") ?:
	      disk_file(HOLDER_FILE, HOLDER_BYTES, 0600) ?:
	      disk_command(argv) ?:
	      volume_protect(gate, &holders->volume) ?:
	      actor_start(&holders->holder);
	return err ?: actor_start(&holders->stranger);
}

int holder_take(const char *path, long unused)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	(void)unused;
	if (fd < 0)
		return errno;
	if (read(fd, holder_memory, sizeof(holder_memory) - 1) < 0)
		err = errno;
	close(fd);
	memcpy(holder_shared->bytes, holder_memory, sizeof(holder_memory));
	return err;
}

/* Nothing of libc, whose memory may be somebody else's, too. */
static int live(void *unused)
{
	while (syscall(SYS_pause) < 0)
		;
	return unused ? 1 : 0;
}

/* A child that only lives, made with these flags of clone(2). */
int holder_clone(const char *unused, long flags)
{
	static char stack[16384];
	pid_t pid = clone(live, stack + sizeof(stack), flags | SIGCHLD, NULL);

	(void)unused;
	if (pid < 0)
		return errno;
	holder_shared->pid = pid;
	return 0;
}

/* A child that executes a program, which is up when this returns. */
int holder_spawn(const char *path, long unused)
{
	int fds[2];
	char byte;
	pid_t pid;

	(void)unused;
	if (pipe2(fds, O_CLOEXEC))
		return errno;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, "sleep", "1000", NULL);
		holder_shared->result = errno;
		if (write(fds[1], "", 1) < 0)
			_exit(2);
		_exit(1);
	}
	close(fds[1]);
	holder_shared->result = 0;
	holder_shared->pid = pid;
	/* Its end closes at the exec. */
	if (read(fds[0], &byte, 1) < 0)
		return errno;
	close(fds[0]);
	return holder_shared->result;
}

int holder_exec(const char *path, long unused)
{
	(void)unused;
	execl(path, "sleep", "1000", NULL);
	return errno;
}

int holder_reap(const char *unused, long pid)
{
	(void)unused;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	return 0;
}

int holder_traceme(const char *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0;
}

static void *idle(void *unused)
{
	holder_shared->pid = gettid();
	for (;;)
		pause();
	return unused;
}

int holder_thread(const char *unused, long unused_too)
{
	pthread_t thread;
	int err;

	(void)unused;
	(void)unused_too;
	holder_shared->pid = 0;
	err = pthread_create(&thread, NULL, idle, NULL);
	while (!err && !holder_shared->pid)
		usleep(1000);
	return err;
}

int look_readv(pid_t pid)
{
	char copy[sizeof(holder_memory)] = "";
	struct iovec here = { copy, sizeof(copy) };
	struct iovec there = { holder_memory, sizeof(holder_memory) };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 ? errno : 0;
}

int look_writev(pid_t pid)
{
	char byte = 0;
	struct iovec here = { &byte, 1 };
	struct iovec there = { holder_memory + sizeof(holder_memory) - 1, 1 };

	return process_vm_writev(pid, &here, 1, &there, 1, 0) < 0 ? errno : 0;
}

int look_attach(pid_t pid)
{
	int err = 0;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		return errno;
	waitpid(pid, NULL, __WALL);
	errno = 0;
	if (ptrace(PTRACE_PEEKDATA, pid, holder_memory, NULL) == -1)
		err = errno;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return err;
}

int look_seize(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return errno;
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return 0;
}

int look_getfd(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int fd, err;

	if (pidfd < 0)
		return errno;
	fd = syscall(SYS_pidfd_getfd, pidfd, 2, 0);
	err = fd < 0 ? errno : 0;
	close(pidfd);
	if (fd >= 0)
		close(fd);
	return err;
}

int look_open(pid_t pid, const char *what, int flags)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return open(path, flags | O_CLOEXEC);
}

/* Opens and reads a little. */
static int read_proc(pid_t pid, const char *what, off_t offset)
{
	char byte;
	int fd = look_open(pid, what, O_RDONLY);
	int err;

	if (fd < 0)
		return errno;
	err = pread(fd, &byte, 1, offset) < 0 ? errno : 0;
	close(fd);
	return err;
}

int look_mem(pid_t pid)
{
	return read_proc(pid, "mem", (off_t)(uintptr_t)holder_memory);
}

int look_environ(pid_t pid)
{
	return read_proc(pid, "environ", 0);
}

int look_maps(pid_t pid)
{
	return read_proc(pid, "maps", 0);
}

int look_pagemap(pid_t pid)
{
	int fd = look_open(pid, "pagemap", O_RDONLY);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int look_map_files(pid_t pid)
{
	char what[64];

	snprintf(what, sizeof(what), "map_files/%lx-%lx",
		 (unsigned long)holder_shared,
		 (unsigned long)holder_shared + HOLDER_SHARED_SIZE);
	return read_proc(pid, what, 0);
}

/* Standard error, which is a pipe or the console: not for its bytes. */
int look_fd(pid_t pid)
{
	int fd = look_open(pid, "fd/2", O_PATH);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int look_exe(pid_t pid)
{
	char link[64], target[256];

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	return readlink(link, target, sizeof(target)) < 0 ? errno : 0;
}

/* What ps and top live on. */
int look_stat(pid_t pid)
{
	return read_proc(pid, "stat", 0) ?: read_proc(pid, "status", 0) ?:
	       read_proc(pid, "statm", 0) ?: read_proc(pid, "cmdline", 0) ?:
	       read_proc(pid, "comm", 0) ?: read_proc(pid, "cgroup", 0);
}

int look_kcmp(pid_t pid)
{
	return syscall(SYS_kcmp, pid, getpid(), KCMP_FILE, 2, 2) < 0 ? errno :
								      0;
}
