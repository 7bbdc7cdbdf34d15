/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the engine's side of the proof that hooks run.
 *
 * Owns: the one superblock that is denied to everybody, and the note of which
 * hooks asked about it.
 *
 * Must not own: the operations that make hooks run (lsm/canary.c).
 */
#ifndef _TRUSTGATE_CORE_CANARY_H
#define _TRUSTGATE_CORE_CANARY_H

#include "arm.h"
#include "../hooks.h"

struct task_struct;

/**
 * trustgate_canary_sb() - the canary, for the filter
 *
 * Context: trustgate_mutex held.
 * Return: superblock or NULL.
 */
const struct super_block *trustgate_canary_sb(void);

/**
 * trustgate_canary_noted() - note a hook if it asks about the canary
 * @sb: what the hook asks about; not followed
 * @hook: which hook
 *
 * Context: any.
 * Return: true if @sb is the canary, whose every access is denied.
 */
bool trustgate_canary_noted(const struct super_block *sb,
			    enum trustgate_hook hook);

/**
 * trustgate_canary_on() - note a hook if it asks about the canary's device
 * @dev: number of a block device; the canary has one that no block device has
 * @hook: which hook
 *
 * Context: any.
 * Return: true if @dev is the canary's, whose opening is denied.
 */
bool trustgate_canary_on(dev_t dev, enum trustgate_hook hook);

/**
 * trustgate_canary_is() - note a hook if it asks about the thread that proves
 * @task: what the hook asks about; not followed
 * @hook: which hook
 *
 * Context: any.
 * Return: true if @task is that thread, to which everything is denied.
 */
bool trustgate_canary_is(const struct task_struct *task,
			 enum trustgate_hook hook);

#endif /* _TRUSTGATE_CORE_CANARY_H */
