/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - system calls that are done again.
 *
 * An open waits for its answer not in the hook, which holds the RCU read lock,
 * but where the thread is about to return to its program with -ERESTARTNOINTR:
 * nothing is locked there, and what comes next is the same system call again.
 *
 * Owns: whether the system call that current is in can be done again, and
 * whether it will be.
 *
 * Must not own: whether the open should wait.
 */
#ifndef _TRUSTGATE_RESTART_H
#define _TRUSTGATE_RESTART_H

#include <linux/types.h>

struct file;

/**
 * trustgate_restart_possible() - can the system call be done again?
 *
 * Context: process, in a hook.
 * Return: whether current is inside a system call that opens a file on behalf
 * of its program, and so fails with what the hook returns.
 */
bool trustgate_restart_possible(void);

/**
 * trustgate_restart_repeats() - does the same open come of doing it again?
 * @file: being opened
 *
 * Not if the file was created by this open and, existing now, would not be
 * opened by the next.
 *
 * Context: any.
 * Return: whether it does.
 */
bool trustgate_restart_repeats(const struct file *file);

/**
 * trustgate_restart_due() - will the system call be done again?
 *
 * What has opened the file may have made do with the error.
 *
 * Context: process, in a task work.
 * Return: false if it certainly will not.
 */
bool trustgate_restart_due(void);

#endif /* _TRUSTGATE_RESTART_H */
