/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - what keeps the tracing machinery switched on.
 *
 * Owns: the permanent user of ftrace.
 *
 * Must not own: hooks.
 */
#ifndef _TRUSTGATE_LSM_ANCHOR_H
#define _TRUSTGATE_LSM_ANCHOR_H

/**
 * trustgate_anchor_place() - from here on ftrace cannot be switched off
 *
 * BPF programs hang on ftrace, and on Linux 6.12 `sysctl
 * kernel.ftrace_enabled=0` silently takes all of them out of the kernel. It is
 * refused with EBUSY while a permanent user of ftrace is there.
 *
 * Context: process, may sleep.
 * Return: 0, or -errno after saying with pr_err() what is wrong and the cure:
 * -EBUSY ftrace is switched off, -ENODEV ftrace is dead.
 */
int trustgate_anchor_place(void);

/**
 * trustgate_anchor_holds() - is ftrace really at work?
 *
 * Calls a traced function and sees that the trace fires.
 *
 * Context: process.
 * Return: true if so.
 */
bool trustgate_anchor_holds(void);

/**
 * trustgate_anchor_remove() - let ftrace be switched off again
 *
 * Context: process, may sleep.
 */
void trustgate_anchor_remove(void);

#endif /* _TRUSTGATE_LSM_ANCHOR_H */
