// SPDX-License-Identifier: GPL-2.0-only
/*
 * veil - a program of somebody else that stands before a hook, for metadata_test.
 *
 * Owns: hiding from the gate's proof that security_inode_getattr() is called,
 * and from nobody else.
 */
#include "../kmod/lsm/types.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_struct {
	unsigned int flags;
} __attribute__((preserve_access_index));

#define PF_KTHREAD	0x00200000

/* Anything but 0 takes the place of the hooks and their verdict. */
SEC("fmod_ret/security_inode_getattr")
int BPF_PROG(veil)
{
	const struct task_struct *task = (void *)bpf_get_current_task_btf();

	return task->flags & PF_KTHREAD ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
