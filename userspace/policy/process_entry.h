/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - a process's entry in /proc, as the kernel made it.
 *
 * Owns: that what is read there is the kernel's word. Root can mount what he
 * likes over /proc, over a process's directory in it, or over a file in that;
 * nothing is read across such a mount.
 *
 * Must not own: what the files say.
 *
 * All functions may be called by any thread.
 */
#ifndef _TRUSTGATE_PROCESS_ENTRY_H
#define _TRUSTGATE_PROCESS_ENTRY_H

#include <stdio.h>
#include <sys/types.h>

/**
 * process_entry_open() - the directory of a process, or of a thread
 * @pid: its number in the caller's PID namespace
 *
 * What is opened below it is this process's or nothing, also once its number is
 * another one's.
 *
 * Return: a descriptor (O_PATH), to be closed by the caller; -ESRCH if there is no
 * such process; -EXDEV if something is mounted over it, or /proc is not that of
 * the caller's PID namespace; or another -errno.
 */
int process_entry_open(pid_t pid);

/**
 * process_entry_file() - open what is in such a directory
 * @entry: as process_entry_open() returned it
 * @name: of a file in it
 * @flags: of open(2); O_CLOEXEC is added. A link is opened itself, with O_PATH and
 *	O_NOFOLLOW: it leads out of /proc.
 *
 * Return: a descriptor, to be closed by the caller; -ESRCH if the process is gone;
 * -ENOENT if no process has such a file; -EXDEV if something is mounted over it; or
 * another -errno.
 */
int process_entry_file(int entry, const char *name, int flags);

/**
 * process_entry_text() - the same to be read as text
 * @entry: as process_entry_open() returned it
 * @name: of a file in it
 *
 * Return: a stream, to be closed by the caller; NULL with errno set, as
 * process_entry_file() returns it.
 */
FILE *process_entry_text(int entry, const char *name);

#endif /* _TRUSTGATE_PROCESS_ENTRY_H */
