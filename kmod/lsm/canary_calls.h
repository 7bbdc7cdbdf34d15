/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the proof of hooks that run in system calls only, which a kernel
 * thread makes none of.
 *
 * Owns: the arguments with which the kernel's call is made for it.
 *
 * Must not own: the canary; what the result of a call means (canary.c).
 */
#ifndef _TRUSTGATE_CANARY_CALLS_H
#define _TRUSTGATE_CANARY_CALLS_H

#include "../hooks.h"

struct file;

/**
 * trustgate_prove_call() - call a hook from where BPF comes in
 * @hook: one that this is for; another one is not called
 * @file: open on the canary for reading and writing
 *
 * security_<hook>() calls the same function. That lsm= has it do so is proved
 * by those hooks that an operation on the canary reaches.
 *
 * Context: the worker, may sleep.
 * Return: what the hook gave, 0 or -errno.
 */
int trustgate_prove_call(enum trustgate_hook hook, struct file *file);

#endif /* _TRUSTGATE_CANARY_CALLS_H */
