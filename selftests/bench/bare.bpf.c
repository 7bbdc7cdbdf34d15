// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - what any program in a hook costs before it has done anything.
 *
 * Owns: for each hook of the gate's list that every volume needs, a program that
 * returns 0. This is the floor of the gate's way in, against which the gate is
 * measured.
 */
#include "../../kmod/hooks.h"
#include "../../kmod/lsm/types.bpf.h"
typedef unsigned short umode_t;
typedef unsigned int dev_t;

#include <bpf/bpf_helpers.h>

#define BARE_VOLUME(name)		\
	SEC("lsm/" #name)		\
	int name(void *context)		\
	{				\
		return 0;		\
	}

#define BARE_METADATA(name)
#define BARE(name, set, ...)	BARE_##set(name)
#define NONE(...)

TRUSTGATE_HOOKS(BARE, BARE, NONE)

char _license[] SEC("license") = "GPL";
