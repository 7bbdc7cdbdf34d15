// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfunc_thief - programs of somebody else, for module_test.
 *
 * Owns: one that calls a kfunc of the gate, which must not load, and one that
 * differs in nothing else, which must.
 */
#include "../kmod/lsm/types.bpf.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct file {
	unsigned int f_flags;
} __attribute__((preserve_access_index));

#ifdef THIEF
extern int bpf_trustgate_file_open(struct file *file) __ksym;
#endif

SEC("lsm/file_open")
long BPF_PROG(thief, struct file *file, int earlier)
{
#ifdef THIEF
	/* Uses up grants, and learns what they allow. */
	bpf_trustgate_file_open(file);
#endif
	return 0;
}

char _license[] SEC("license") = "GPL";
