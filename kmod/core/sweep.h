/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - clearing away what has ended by itself.
 *
 * Owns: when to look for expired and used-up grants, subjects that exited or
 * executed another program, and filesystems that are gone.
 *
 * Must not own: enforcement. Each check compares times and exec ids itself and
 * is right however late a sweep comes; a sweep frees memory and sends events.
 */
#ifndef _TRUSTGATE_SWEEP_H
#define _TRUSTGATE_SWEEP_H

#include <linux/types.h>

/**
 * trustgate_sweep_init() - get ready to sweep
 *
 * Return: 0 or -errno.
 */
int trustgate_sweep_init(void);

/**
 * trustgate_sweep_exit() - sweep no more
 *
 * Context: process, may sleep; nothing asks for a sweep any more.
 */
void trustgate_sweep_exit(void);

/**
 * trustgate_sweep_now() - sweep soon
 *
 * Context: any.
 */
void trustgate_sweep_now(void);

/**
 * trustgate_sweep_at() - sweep at the latest when this time has come
 * @expires_ns: CLOCK_BOOTTIME, the earliest expiry of any grant
 *
 * Context: trustgate_mutex held.
 */
void trustgate_sweep_at(u64 expires_ns);

#endif /* _TRUSTGATE_SWEEP_H */
