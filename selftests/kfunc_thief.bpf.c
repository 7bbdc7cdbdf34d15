// SPDX-License-Identifier: GPL-2.0-only
/*
 * kfunc_thief - programs of somebody else, for module_test.
 *
 * Owns: one that calls a kfunc of the gate, which must not load, and one that
 * differs in nothing else, which must.
 */

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

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
