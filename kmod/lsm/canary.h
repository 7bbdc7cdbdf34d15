/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the proof that hooks run.
 *
 * Owns: a private filesystem, on which every hook is made to run and to deny.
 *
 * Must not own: attaching (arm.c), the engine's part of the proof
 * (core/canary.c).
 */
#ifndef _TRUSTGATE_LSM_CANARY_H
#define _TRUSTGATE_LSM_CANARY_H

/**
 * trustgate_canary_prove() - see that each attached hook runs and is obeyed
 *
 * An attached program is no proof: without `bpf` in the `lsm=` boot parameter
 * the kernel takes programs and links and never calls them, and another
 * program can replace the verdict of ours.
 *
 * mmap_file is proved in the caller's address space, where a mapping would
 * show if the denial failed; without one (a kernel thread) it is left out.
 *
 * Context: process, may sleep; one caller at a time; the worker runs.
 * Return: 0; -EOPNOTSUPP or -EPERM after saying with pr_err() which hook did
 * not run or was not obeyed, and the cure; -errno if the proof could not be
 * made.
 */
int trustgate_canary_prove(void);

#endif /* _TRUSTGATE_LSM_CANARY_H */
