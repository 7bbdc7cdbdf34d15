/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - a kernel thread of the carrier's own to work in.
 *
 * Owns: moving work off the caller's thread.
 *
 * Must not own: the work.
 */
#ifndef _TRUSTGATE_LSM_WORKER_H
#define _TRUSTGATE_LSM_WORKER_H

/**
 * trustgate_worker_start() - make the worker
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int trustgate_worker_start(void);

/**
 * trustgate_worker_stop() - end the worker
 *
 * Context: process, may sleep; nothing is running on it.
 */
void trustgate_worker_stop(void);

/**
 * trustgate_worker_run() - run a function on the worker and wait for it
 * @function: what to run
 * @argument: its argument
 *
 * The function sees neither the caller's credentials, namespaces, root and
 * limits nor its file descriptors: bpf(2) hands out descriptors, and one that
 * shows up in a user's process, for however short a time, can be kept by it.
 *
 * Context: process, may sleep.
 * Return: what the function returned.
 */
int trustgate_worker_run(int (*function)(void *argument), void *argument);

#endif /* _TRUSTGATE_LSM_WORKER_H */
