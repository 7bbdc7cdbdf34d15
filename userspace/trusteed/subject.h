/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the process that a grant is for.
 *
 * Owns: the proof that a pid means the same process all along.
 *
 * Must not own: whether it deserves a grant.
 */
#ifndef _TRUSTEED_SUBJECT_H
#define _TRUSTEED_SUBJECT_H

#include <stdint.h>
#include <sys/types.h>

#include "refusal.h"

/**
 * struct subject - a process, held
 * @pid: its id here
 * @pidfd: keeps that id from meaning another process unnoticed
 * @start_ticks: field 22 of /proc/PID/stat
 * @parent: its parent's id when it was looked at
 * @comm: its name; any bytes
 */
struct subject {
	pid_t pid;
	int pidfd;
	uint64_t start_ticks;
	pid_t parent;
	char comm[17];
};

/**
 * subject_open() - take hold of a process
 * @pid: process, in the agent's pid namespace
 * @pidfd: descriptor of the very process that is meant, which is duplicated, or
 *	-1 if only the number is known
 * @ret_subject: to be released with subject_close()
 * @refusal: filled on failure
 *
 * The start time is read between two looks at the pidfd, so it is that of the
 * process the pidfd stands for; the kernel compares it again when it grants. A
 * pid that was reused meanwhile cannot get the grant.
 *
 * Return: 0, -ESRCH if there is no such living process, -EINVAL for what is
 * not a process of its own (a thread, a kernel thread), -EIO if /proc makes no
 * sense.
 */
int subject_open(pid_t pid, int pidfd, struct subject *ret_subject,
		 struct refusal *refusal);

void subject_close(struct subject *subject);

/* 1 while the process has not exited, 0 after, or -errno. */
int subject_alive(const struct subject *subject);

/* Name of a process for display; "" if it has none any more. */
void subject_comm(pid_t pid, char comm[17]);

/* Parent of a process, 0 if it is gone. */
pid_t subject_parent(pid_t pid);

#endif
