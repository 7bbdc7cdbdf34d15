// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the process that a grant is for, see subject.h.
 *
 * Owns: pidfds, the reading of /proc/PID/stat.
 *
 * Must not own: whether it deserves a grant.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process_entry.h"
#include "subject.h"

/* PF_KTHREAD of the kernel's sched.h, in field 9 of /proc/PID/stat. */
#define FLAG_KERNEL_THREAD	0x00200000UL

static int read_stat(pid_t pid, struct subject *subject, unsigned long *ret_flags)
{
	int entry = process_entry_open(pid), fd;
	char text[1024], *name, *end;
	unsigned long long start;
	ssize_t length;
	size_t name_length;

	if (entry < 0)
		return entry;
	fd = process_entry_file(entry, "stat", O_RDONLY);
	close(entry);
	if (fd < 0)
		return fd;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return -ESRCH;
	text[length] = '\0';

	/* The name may contain anything, a closing bracket, too: the last counts. */
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end < name)
		return -EIO;
	name_length = end - name - 1;
	if (name_length >= sizeof(subject->comm))
		name_length = sizeof(subject->comm) - 1;
	memcpy(subject->comm, name + 1, name_length);
	subject->comm[name_length] = '\0';

	/* 3 state 4 ppid 5 6 7 8 9 flags 10..21 22 starttime */
	if (sscanf(end + 1,
		   " %*c %d %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &subject->parent, ret_flags, &start) != 3)
		return -EIO;
	subject->start_ticks = start;
	return 0;
}

static int open_pidfd(pid_t pid, int pidfd)
{
	int fd;

	if (pidfd >= 0)
		fd = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
	else
		fd = syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

int subject_alive(const struct subject *subject)
{
	struct pollfd exited = { .fd = subject->pidfd, .events = POLLIN };
	int r;

	do
		r = poll(&exited, 1, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0;
}

int subject_open(pid_t pid, int pidfd, struct subject *ret_subject,
		 struct refusal *refusal)
{
	struct subject subject = { .pid = pid };
	unsigned long flags = 0;
	int r;

	if (pid <= 0)
		return refuse(refusal, EINVAL, "pid", "%d is not a process id", (int)pid);

	subject.pidfd = open_pidfd(pid, pidfd);
	if (subject.pidfd == -ESRCH)
		return refuse(refusal, ESRCH, "pid", "there is no process %d", (int)pid);
	/* EINVAL to 6.8, ENOENT later */
	if (subject.pidfd == -EINVAL || subject.pidfd == -ENOENT)
		return refuse(refusal, EINVAL, "pid",
			      "%d is a thread; name the process it belongs to", (int)pid);
	if (subject.pidfd < 0)
		return refuse(refusal, -subject.pidfd, "pid",
			      "process %d cannot be held: %s", (int)pid,
			      strerror(-subject.pidfd));

	r = read_stat(pid, &subject, &flags);
	if (r == 0 && subject_alive(&subject) != 1)
		r = -ESRCH;
	if (r == -ESRCH)
		refuse(refusal, ESRCH, "pid", "process %d has exited", (int)pid);
	else if (r == -EXDEV)
		refuse(refusal, EXDEV, "pid",
		       "what /proc tells of process %d is not the kernel's word: something is mounted there (findmnt --submounts /proc)",
		       (int)pid);
	else if (r < 0)
		refuse(refusal, -r, "pid", "process %d cannot be examined: %s",
		       (int)pid, strerror(-r));
	else if (flags & FLAG_KERNEL_THREAD)
		r = refuse(refusal, EINVAL, "pid",
			   "%d is a kernel thread, which cannot hold a grant", (int)pid);
	if (r < 0) {
		close(subject.pidfd);
		return r;
	}
	*ret_subject = subject;
	return 0;
}

void subject_close(struct subject *subject)
{
	if (subject->pidfd >= 0)
		close(subject->pidfd);
	subject->pidfd = -1;
}

void subject_comm(pid_t pid, char comm[17])
{
	struct subject subject = { 0 };
	unsigned long flags;

	comm[0] = '\0';
	if (pid > 0 && read_stat(pid, &subject, &flags) == 0)
		memcpy(comm, subject.comm, sizeof(subject.comm));
}

pid_t subject_parent(pid_t pid)
{
	struct subject subject = { 0 };
	unsigned long flags;

	return read_stat(pid, &subject, &flags) == 0 ? subject.parent : 0;
}
