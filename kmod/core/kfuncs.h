/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - what BPF programs may call.
 *
 * Owns: the prototypes of the kfuncs, one for each hook of the list, and their
 * registration. All are called on the RCU read side, where every program is
 * that does not sleep, but for those that TRUSTGATE_IF_SLEEPS() picks out.
 *
 * Must not own: their bodies (hook_*.c).
 */
#ifndef _TRUSTGATE_KFUNCS_H
#define _TRUSTGATE_KFUNCS_H

#include <linux/btf.h>
#include <linux/fs.h>

#include "../hooks.h"

struct io_uring_cmd;

#define TRUSTGATE_KFUNC_CHECK(name, set, hook, proto, args)		\
	int bpf_trustgate_##name(proto);
#define TRUSTGATE_KFUNC_NOTE(name, set, hook, proto, args)		\
	void bpf_trustgate_##name(proto);

#define TRUSTGATE_KFUNC_DEVICE(name, set)				\
	int bpf_trustgate_##name(u32 kind, u32 major, u32 minor);

TRUSTGATE_HOOKS(TRUSTGATE_KFUNC_CHECK, TRUSTGATE_KFUNC_NOTE,
		TRUSTGATE_KFUNC_DEVICE)

/**
 * trustgate_kfuncs_register() - offer the kfuncs to LSM and device programs
 *
 * They stay until the module is gone; there is no way to withdraw them.
 *
 * Context: process, once.
 * Return: 0 or -errno.
 */
int trustgate_kfuncs_register(void);

#endif /* _TRUSTGATE_KFUNCS_H */
