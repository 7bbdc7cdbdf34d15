// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_process - rows: what another process has, in memory and open.
 *
 * Owns: each way to it. The other process has had access, so that no grant
 * opens any of these.
 *
 * Must not own: what is handed over by the other process (matrix_open.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

static int open_of_process(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d/fd/%d", scene.pid, scene.fd);
	return attempt_open(name, O_RDONLY);
}

static int prepare_mapped(void)
{
	int err = scene_files();

	if (err)
		return err;
	scene.map = mmap(NULL, SCENE_BYTES, PROT_READ, MAP_SHARED, scene.fd, 0);
	if (scene.map == MAP_FAILED) {
		scene.map = NULL;
		return errno;
	}
	return scene_holder();
}

static int open_of_mapping(void)
{
	char name[96];

	snprintf(name, sizeof(name), "/proc/%d/map_files/%lx-%lx", scene.pid,
		 (long)scene.map, (long)scene.map + SCENE_BYTES);
	return attempt_open(name, O_RDONLY);
}

static int get_of_process(void)
{
	int process = syscall(SYS_pidfd_open, scene.pid, 0);

	if (process < 0)
		return errno;
	return scene_result(syscall(SYS_pidfd_getfd, process, scene.fd, 0));
}

/* The memory of the process that made the scene. */

static char secret[16];

static int prepare_secret(void)
{
	int err = scene_files();

	return err ?: scene_result(pread(scene.fd, secret, sizeof(secret), 0));
}

static int read_memory(void)
{
	char copy[sizeof(secret)] = "";
	struct iovec local = { copy, sizeof(copy) };
	struct iovec remote = { secret, sizeof(secret) };

	if (process_vm_readv(getppid(), &local, 1, &remote, 1, 0) < 0)
		return errno;
	return copy[0] == 'a' ? 0 : EBADMSG;
}

static int open_memory(void)
{
	char name[32], copy[sizeof(secret)] = "";
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/mem", getppid());
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, copy, sizeof(copy), (uintptr_t)secret) < 0)
		return errno;
	return copy[0] == 'a' ? 0 : EBADMSG;
}

static int attach(void)
{
	const pid_t pid = getppid();

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return errno;
	/* Ends with this process. */
	return 0;
}

static const struct matrix_route processes[] = {
	{ .name = "open another's descriptor in /proc", .hook = "ptrace_access_check", .also = "memory_test",
	  .prepare = scene_holder, .go = open_of_process },
	{ .name = "open another's mapping in /proc", .hook = "ptrace_access_check", .also = "memory_test",
	  .prepare = prepare_mapped, .go = open_of_mapping },
	{ .name = "pidfd_getfd", .hook = "ptrace_access_check", .also = "memory_test",
	  .prepare = scene_holder, .go = get_of_process, .denied = EPERM },
	{ .name = "process_vm_readv", .hook = "ptrace_access_check", .also = "memory_test",
	  .prepare = prepare_secret, .go = read_memory, .denied = EPERM },
	{ .name = "/proc/PID/mem", .hook = "ptrace_access_check", .also = "memory_test",
	  .prepare = prepare_secret, .go = open_memory },
	{ .name = "ptrace", .hook = "ptrace_access_check", .also = "guard_test",
	  .prepare = prepare_secret, .go = attach, .denied = EPERM },
};

const struct matrix_group matrix_processes =
	MATRIX_GROUP("What another process has", processes);
