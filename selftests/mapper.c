// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapper - a process that has a file mapped; see mapper.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mapper.h"

/* Each actor's own: what it has mapped. */
static volatile char *mapped;
static int mapped_fd;
static pid_t child;
static sigjmp_buf out;

volatile int *mapper_refused;

static void caught(int number)
{
	siglongjmp(out, number);
}

/* Returns 0, or EFAULT if the access was a SIGSEGV. */
static int touch(bool write)
{
	struct sigaction action = { .sa_handler = caught };
	int result = 0;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (sigsetjmp(out, 1))
		result = EFAULT;
	else if (write)
		mapped[0] = 'c';
	else if (mapped[0] != 'c')
		result = EIO;
	return result;
}

int mapper_map(const char *path, long how)
{
	const bool shared = how == MAPPER_SHARED_RW;
	void *memory;

	mapped_fd = open(path, (shared ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (mapped_fd < 0)
		return errno;
	memory = mmap(NULL, 4096, how == MAPPER_PRIVATE_READ ? PROT_READ :
		      PROT_READ | PROT_WRITE,
		      shared ? MAP_SHARED : MAP_PRIVATE, mapped_fd, 0);
	if (memory == MAP_FAILED)
		return errno;
	mapped = memory;
	return touch(how != MAPPER_PRIVATE_READ);
}

int mapper_unmap(const char *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	return munmap((void *)mapped, 4096) ? errno : 0;
}

int mapper_touch(const char *unused, long write)
{
	(void)unused;
	return touch(write);
}

int mapper_reopen(const char *unused, long unused_too)
{
	char byte;
	int fd, err;

	(void)unused;
	(void)unused_too;
	if (!mprotect((void *)mapped, 4096, PROT_READ))
		return 1001;
	if (!mprotect((void *)mapped, 4096, PROT_READ | PROT_WRITE))
		return 1002;
	if (!madvise((void *)mapped, 4096, MADV_POPULATE_READ))
		return 1003;
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 1004;
	err = pread(fd, &byte, 1, (off_t)(uintptr_t)mapped) == 1 ? 1005 :
	      pwrite(fd, "x", 1, (off_t)(uintptr_t)mapped) == 1 ? 1006 : 0;
	close(fd);
	return err;
}

int mapper_fork(const char *path, long maps_itself)
{
	child = fork();
	if (child < 0)
		return errno;
	if (child)
		return 0;
	if (maps_itself && mapper_map(path, MAPPER_SHARED_RW))
		_exit(1);
	*mapper_refused = -1;
	while (!touch(false))
		usleep(10000);
	*mapper_refused = 1;
	for (;;)
		pause();
}

int mapper_child_lives(const char *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	return waitpid(child, NULL, WNOHANG) ? ECHILD : 0;
}

int mapper_reap(const char *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

int mapper_register(const char *unused, long unused_too)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_ASYNC,
	};
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)mapped, .len = 4096 },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	(void)unused;
	(void)unused_too;
	return fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	       ioctl(fd, UFFDIO_REGISTER, &range) ? errno : 0;
}
