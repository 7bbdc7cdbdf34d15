// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - a process's entry in /proc, see process_entry.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/openat2.h>

#include "process_entry.h"

static int open_below(int directory, const char *name, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV,
	};
	long fd = syscall(SYS_openat2, directory, name, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	/* Never zero, which would be a descriptor. */
	return errno > 0 ? -errno : -EIO;
}

/* In another PID namespace the number is somebody else's, and we have no number. */
static bool is_of_our_processes(int all)
{
	char ours[16], self[16];
	ssize_t length = readlinkat(all, "self", self, sizeof(self) - 1);

	if (length < 0)
		return false;
	self[length] = '\0';
	snprintf(ours, sizeof(ours), "%d", (int)getpid());
	return !strcmp(self, ours);
}

int process_entry_open(pid_t pid)
{
	struct statfs of;
	char name[16];
	int all, fd;

	snprintf(name, sizeof(name), "%d", (int)pid);
	all = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (all < 0)
		return -errno;
	if (fstatfs(all, &of))
		fd = -errno;
	else if (of.f_type != PROC_SUPER_MAGIC || !is_of_our_processes(all))
		fd = -EXDEV;
	else
		fd = open_below(all, name, O_PATH | O_DIRECTORY);
	close(all);
	return fd == -ENOENT ? -ESRCH : fd;
}

int process_entry_file(int entry, const char *name, int flags)
{
	int fd = open_below(entry, name, flags), status;

	if (fd != -ENOENT)
		return fd;
	/* Nothing is in the directory of a process that is gone, and this always. */
	status = open_below(entry, "status", O_PATH);
	if (status < 0)
		return status == -ENOENT ? -ESRCH : status;
	close(status);
	return -ENOENT;
}

FILE *process_entry_text(int entry, const char *name)
{
	int fd = process_entry_file(entry, name, O_RDONLY);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (fd < 0)
		errno = -fd;
	else if (!file)
		close(fd);
	return file;
}
