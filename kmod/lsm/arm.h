/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - loading the programs and hanging them into the hooks.
 *
 * Owns: the loaded programs and their links, which nobody else can detach.
 *
 * Must not own: what the programs do (hooks.bpf.c), the proof that they run
 * (canary.c).
 */
#ifndef _TRUSTGATE_LSM_ARM_H
#define _TRUSTGATE_LSM_ARM_H

#include <linux/types.h>

#include "../hooks.h"

/**
 * trustgate_arm_load() - have the kernel verify and take in the programs
 *
 * None is attached yet.
 *
 * Context: process, may sleep; the worker runs.
 * Return: 0, or -errno after saying with pr_err() what is missing.
 */
int trustgate_arm_load(void);

/**
 * trustgate_arm_unload() - let go of the programs
 *
 * All must be detached. They are freed, or about to be, when it returns.
 *
 * Context: process, may sleep.
 */
void trustgate_arm_unload(void);

/**
 * trustgate_arm_attach() - attach every hook of some sets
 * @sets: TRUSTGATE_SET_*
 *
 * Context: process, may sleep; one caller at a time.
 * Return: 0, or -errno after saying with pr_err() which hook failed, with the
 * same hooks attached as before.
 */
int trustgate_arm_attach(unsigned int sets);

/**
 * trustgate_arm_detach() - detach every hook of some sets
 * @sets: TRUSTGATE_SET_*
 *
 * When it returns, no new call of a detached hook begins, and those that had
 * begun have ended.
 *
 * A link can be borrowed by whoever may list BPF links. A hook whose link is
 * borrowed for longer than a second stays attached, is named by pr_warn(), and
 * still shows in trustgate_arm_attached(): it asks the engine for nothing.
 *
 * Context: process, may sleep; one caller at a time.
 */
void trustgate_arm_detach(unsigned int sets);

/**
 * trustgate_arm_again() - attach a hook anew that somebody has detached
 * @hook: hook
 *
 * Only on the worker.
 *
 * Return: 0 or -errno.
 */
int trustgate_arm_again(enum trustgate_hook hook);

/**
 * trustgate_arm_target() - the function that a program is attached to
 * @hook: attached, an LSM hook
 *
 * Only on the worker, where hooks are attached and detached.
 *
 * Return: bpf_lsm_<hook>, with the hook's own prototype.
 */
void *trustgate_arm_target(enum trustgate_hook hook);

/**
 * trustgate_arm_attached() - which hooks are attached
 *
 * Context: any.
 * Return: mask, bit numbers are enum trustgate_hook.
 */
u64 trustgate_arm_attached(void);

#endif /* _TRUSTGATE_LSM_ARM_H */
