// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the programs that sit in the hooks.
 *
 * Owns: one BPF program for each hook of the list, which hands the hook's
 * arguments to the engine's kfunc and the engine's verdict to the kernel. It is
 * compiled once for each part of the list, which TRUSTGATE_PART names.
 *
 * Must not own: policy, state, maps. Root can read and replace what a map
 * holds; a program without one has nothing to tamper with.
 *
 * Every open and every read on the host runs one of these, so an instruction
 * here costs more than anywhere else in the tree.
 */
#include "../hooks.h"
#include "types.bpf.h"

typedef unsigned short umode_t;
typedef unsigned int dev_t;
typedef unsigned long size_t;
typedef unsigned int gfp_t;
typedef __u64 u64;
typedef _Bool bool;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define EACCES		13
#define MAX_ERRNO	4095

/*
 * The kernel's own types, as far as the programs look into them. A type that
 * is only passed through still needs one field: libbpf does not match a
 * forward declaration with the kernel's definition.
 */
struct file {
	unsigned int f_flags;
} __attribute__((preserve_access_index));

struct dentry {
	unsigned int d_flags;
} __attribute__((preserve_access_index));

struct inode {
	umode_t i_mode;
} __attribute__((preserve_access_index));

struct super_block {
	unsigned long s_flags;
} __attribute__((preserve_access_index));

struct iattr {
	unsigned int ia_valid;
} __attribute__((preserve_access_index));

struct io_uring_cmd {
	__u32 cmd_op;
} __attribute__((preserve_access_index));

struct path {
	struct dentry *dentry;
} __attribute__((preserve_access_index));

struct task_struct {
	unsigned int flags;
} __attribute__((preserve_access_index));

struct vm_area_struct {
	unsigned long vm_start;
} __attribute__((preserve_access_index));

struct cred;
struct file_kattr;
struct linux_binprm;
struct mnt_idmap;
struct posix_acl;

/*
 * The verifier wants proof, in 64 bits, that only 0 or an errno leaves the
 * program. What is neither must not be taken for an allow.
 *
 * Spelt out in assembly because the compiler would spend four instructions
 * instead of three on an allow, and compare the low 32 bits.
 */
static __always_inline long verdict(int answer)
{
	long code;

	asm goto("if %[answer] != 0 goto %l[denied]"
		 : : [answer] "w"(answer) : : denied);
	asm volatile("%[code] = 0" : [code] "=r"(code));
	return code;

denied:
	code = answer;
	barrier_var(code);
	if (code < -MAX_ERRNO || code > 0)
		code = -EACCES;
	return code;
}

#define KFUNC_CHECK(name, set, hook_proto, proto, args)			\
	extern int bpf_trustgate_##name(proto) __ksym;
#define KFUNC_NOTE(name, set, hook_proto, proto, args)			\
	extern void bpf_trustgate_##name(proto) __ksym;

#define KFUNC_DEVICE(name, set)						\
	extern int bpf_trustgate_##name(__u32 kind, __u32 major,	\
					__u32 minor) __ksym;

TRUSTGATE_PART(KFUNC_CHECK, KFUNC_NOTE, KFUNC_DEVICE)

/*
 * An anonymous mapping has no file. Newer kernels let a program call the kfunc
 * only after it has looked; 6.12 believes that there always is a file and takes
 * the look out, so that the kfunc gets the NULL and has to look itself.
 */
#define bpf_trustgate_mmap_file(file, prot, flags) \
	((file) ? bpf_trustgate_mmap_file(file, prot, flags) : 0)

/*
 * A task that is being freed cannot be passed on as a pointer, because it could
 * not be used; and only the difference of two pointers is a number.
 */
#define FROM_CURRENT(task)						\
	((unsigned long)(task) - (unsigned long)bpf_get_current_task_btf())

#define HOOK_CHECK(name, set, hook_proto, proto, args)			\
	SEC(TRUSTGATE_IF_SLEEPS(name, "lsm.s/", "lsm/") #name)		\
	long BPF_PROG(name, hook_proto, int earlier)			\
	{								\
		if (!earlier)						\
			earlier = bpf_trustgate_##name(args);		\
		return verdict(earlier);				\
	}

#define HOOK_NOTE(name, set, hook_proto, proto, args)			\
	SEC("lsm/" #name)						\
	void BPF_PROG(name, hook_proto)					\
	{								\
		bpf_trustgate_##name(args);				\
	}

/* As <linux/bpf.h> has it, which cannot be included with the types above. */
struct bpf_cgroup_dev_ctx {
	__u32 access_type;
	__u32 major;
	__u32 minor;
};

/* Here 1 allows and 0 denies. */
#define HOOK_DEVICE(name, set)						\
	SEC("cgroup/dev")						\
	int name(struct bpf_cgroup_dev_ctx *context)			\
	{								\
		return !bpf_trustgate_##name(context->access_type,	\
					     context->major,		\
					     context->minor);		\
	}

TRUSTGATE_PART(HOOK_CHECK, HOOK_NOTE, HOOK_DEVICE)

char _license[] SEC("license") = "GPL";
