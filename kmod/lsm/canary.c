// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the proof that hooks run; see canary.h.
 *
 * To prove a new hook: a function prove_<hook>() that makes it run on the
 * canary, a call of it in canary_calls.c, or, with the reason, an exemption.
 * Without one this does not build.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/device_cgroup.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>

#include "../compat.h"
#include "../core/arm.h"
#include "../hooks.h"
#include "anchor.h"
#include "arm.h"
#include "canary.h"
#include "canary_calls.h"
#include "canary_metadata.h"
#include "worker.h"

/*
 * What is there before the denial. Each operation that would change the canary
 * has a name of its own, so that one which is not denied does not get in the
 * way of the next proof.
 */
#define OPEN_FILE	"open"
#define UNLINK_FILE	"unlink"
#define RENAME_FILE	"rename"
#define RMDIR_DIR	"rmdir"

/**
 * struct canary - the private filesystem
 * @mnt: its only mount, not in any namespace
 * @file: OPEN_FILE, open for reading and writing since before the denial
 * @mm: address space for mmap_file, or NULL
 * @hook: the hook under proof
 * @called: it was not reached by an operation
 */
struct canary {
	struct vfsmount *mnt;
	struct file *file;
	struct mm_struct *mm;
	enum trustgate_hook hook;
	bool called;
};

/*
 * A tmpfs in all but the end: the engine compares the address of the canary's
 * superblock, so it has to forget the address before the address can be used
 * again. Not registered, so nobody else can mount it.
 */
static struct file_system_type canary_type;
static void (*tmpfs_kill_sb)(struct super_block *sb);
static u64 seen_at_end;

static void kill_canary(struct super_block *sb)
{
	tmpfs_kill_sb(sb);
	seen_at_end = trustgate_canary_seen();
	trustgate_canary_set(NULL);
}

/* Run one operation on a name in the root directory of the canary. */
static int with_name(struct canary *canary, const char *name,
		     int (*operation)(struct dentry *dir, struct dentry *dentry))
{
	struct dentry *dir = canary->mnt->mnt_root;
	struct dentry *dentry;
	int err;

	inode_lock_nested(d_inode(dir), I_MUTEX_PARENT);
	dentry = trustgate_lookup(dir, name);
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err) {
		err = operation(dir, dentry);
		dput(dentry);
	}
	inode_unlock(d_inode(dir));
	return err;
}

static struct file *open_file(struct canary *canary, int flags)
{
	return file_open_root_mnt(canary->mnt, OPEN_FILE, flags, 0600);
}

static int prove_file_open(struct canary *canary)
{
	struct file *file = open_file(canary, O_RDONLY);

	if (IS_ERR(file))
		return PTR_ERR(file);
	__fput_sync(file);
	return 0;
}

static int prove_file_permission(struct canary *canary)
{
	loff_t pos = 0;
	char byte;

	return kernel_read(canary->file, &byte, 1, &pos);
}

static int prove_mmap_file(struct canary *canary)
{
	unsigned long address;

	kthread_use_mm(canary->mm);
	address = vm_mmap(canary->file, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE,
			  0);
	if (!IS_ERR_VALUE(address))
		vm_munmap(address, PAGE_SIZE);
	kthread_unuse_mm(canary->mm);
	return IS_ERR_VALUE(address) ? (int)address : 0;
}

static int do_create(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_create(dir, dentry, 0600);
}

static int prove_inode_create(struct canary *canary)
{
	return with_name(canary, "new-create", do_create);
}

static int do_mkdir(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_mkdir(dir, dentry, 0700);
}

static int prove_inode_mkdir(struct canary *canary)
{
	return with_name(canary, "new-mkdir", do_mkdir);
}

static int do_mknod(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_mknod(dir, dentry, S_IFIFO | 0600);
}

static int prove_inode_mknod(struct canary *canary)
{
	return with_name(canary, "new-mknod", do_mknod);
}

static int do_symlink(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_symlink(dir, dentry, OPEN_FILE);
}

static int prove_inode_symlink(struct canary *canary)
{
	return with_name(canary, "new-symlink", do_symlink);
}

static int do_unlink(struct dentry *dir, struct dentry *dentry)
{
	return vfs_unlink(&nop_mnt_idmap, d_inode(dir), dentry, NULL);
}

static int prove_inode_unlink(struct canary *canary)
{
	return with_name(canary, UNLINK_FILE, do_unlink);
}

static int prove_inode_rmdir(struct canary *canary)
{
	return with_name(canary, RMDIR_DIR, trustgate_vfs_rmdir);
}

/* With a second name in the same directory. */
static int with_other(struct dentry *dir, const char *name,
		      struct dentry *dentry,
		      int (*operation)(struct dentry *dir, struct dentry *other,
				       struct dentry *dentry))
{
	struct dentry *other = trustgate_lookup(dir, name);
	int err;

	if (IS_ERR(other))
		return PTR_ERR(other);
	err = operation(dir, other, dentry);
	dput(other);
	return err;
}

static int link_other(struct dentry *dir, struct dentry *other,
		      struct dentry *dentry)
{
	return vfs_link(other, &nop_mnt_idmap, d_inode(dir), dentry, NULL);
}

static int do_link(struct dentry *dir, struct dentry *dentry)
{
	return with_other(dir, OPEN_FILE, dentry, link_other);
}

static int prove_inode_link(struct canary *canary)
{
	return with_name(canary, "new-link", do_link);
}

static int do_rename(struct dentry *dir, struct dentry *dentry)
{
	return with_other(dir, RENAME_FILE, dentry, trustgate_vfs_rename);
}

static int prove_inode_rename(struct canary *canary)
{
	return with_name(canary, "new-rename", do_rename);
}

static int prove_inode_setattr(struct canary *canary)
{
	struct dentry *dentry = canary->file->f_path.dentry;
	struct iattr attr = {
		.ia_valid = ATTR_MODE,
		.ia_mode = S_IFREG | 0400,
	};
	int err;

	inode_lock(d_inode(dentry));
	err = notify_change(&nop_mnt_idmap, dentry, &attr, NULL);
	inode_unlock(d_inode(dentry));
	return err;
}

/* Those that no operation of a kernel thread reaches. */
static int prove_call(struct canary *canary)
{
	canary->called = true;
	return trustgate_prove_call(canary->hook, canary->file);
}

#define prove_file_mprotect	prove_call
#define prove_mmap_backing_file	prove_call
#define prove_file_ioctl	prove_call
#define prove_file_ioctl_compat	prove_call
#define prove_uring_cmd	prove_call
#define prove_file_truncate	prove_call
#define prove_file_receive	prove_call
#define prove_inode_getxattr	prove_call
#define prove_inode_setxattr	prove_call
#define prove_inode_removexattr	prove_call
#define prove_inode_set_acl	prove_call
#define prove_inode_remove_acl	prove_call
#define prove_inode_file_setattr	prove_call
#define prove_sb_mount	prove_call
#define prove_move_mount	prove_call
#define prove_sb_pivotroot	prove_call
#define prove_sb_remount	prove_call
#define prove_quotactl	prove_call
#define prove_path_notify	prove_call
#define prove_ptrace_access_check	prove_call
#define prove_ptrace_traceme	prove_call
#define prove_task_alloc	prove_call
#define prove_task_free	prove_call

static int prove_cred_prepare(struct canary *canary)
{
	struct cred *cred = prepare_creds();

	if (cred) {
		abort_creds(cred);
		return 0;
	}
	/* None are given for a denial, nor where there is no memory for them. */
	return trustgate_canary_seen() &
	       BIT_ULL(TRUSTGATE_HOOK_cred_prepare) ? -EACCES : -ENOMEM;
}

/* As bdev_permission() and every open of a node ask. */
static int prove_block_device(struct canary *canary)
{
	dev_t dev = canary->mnt->mnt_sb->s_dev;
	int err;

	/* It does not take BPF to be a security module. */
	canary->called = true;
	err = devcgroup_check_permission(DEVCG_DEV_BLOCK, MAJOR(dev),
					 MINOR(dev), DEVCG_ACC_READ);
	return err == -EPERM ? -EACCES : err;
}

/*
 * Proved by the end of the canary, which no verdict can stop; see
 * unmount_canary().
 */
#define prove_sb_delete NULL

/*
 * Exempt: it only tidies up early. That a grant ends at exec is decided by
 * comparing exec ids at each check, with or without this hook; and running it
 * would take a process that execs.
 */
#define prove_bprm_committed_creds NULL

static int prove_metadata(struct canary *canary)
{
	return trustgate_prove_metadata(canary->hook, canary->file,
					&canary->called);
}

struct proof {
	const char *hook;
	int (*prove)(struct canary *canary);
};

#define PROVE_VOLUME(name)	prove_##name
#define PROVE_METADATA(name)	prove_metadata

#define PROOF(name, set, ...)						\
	[TRUSTGATE_HOOK_##name] = {					\
		.hook = #name,						\
		.prove = PROVE_##set(name),				\
	},

static const struct proof proofs[] = {
	TRUSTGATE_HOOKS(PROOF, PROOF, PROOF)
};

static int mount_canary(struct canary *canary)
{
	struct file_system_type *tmpfs;
	int err;

	tmpfs = get_fs_type("tmpfs");
	if (!tmpfs) {
		pr_err("cannot prove the hooks: this kernel has no tmpfs\n");
		return -ENODEV;
	}
	tmpfs_kill_sb = tmpfs->kill_sb;
	canary_type.name = tmpfs->name;
	canary_type.fs_flags = tmpfs->fs_flags;
	canary_type.init_fs_context = tmpfs->init_fs_context;
	canary_type.parameters = tmpfs->parameters;
	canary_type.kill_sb = kill_canary;
	canary_type.owner = THIS_MODULE;
	module_put(tmpfs->owner);

	canary->mnt = kern_mount(&canary_type);
	if (IS_ERR(canary->mnt)) {
		err = PTR_ERR(canary->mnt);
		goto fail;
	}

	err = with_name(canary, RMDIR_DIR, do_mkdir) ?:
	      with_name(canary, UNLINK_FILE, do_create) ?:
	      with_name(canary, RENAME_FILE, do_create) ?:
	      with_name(canary, TRUSTGATE_CANARY_LINK, do_symlink);
	if (err)
		goto unmount;
	canary->file = open_file(canary, O_CREAT | O_EXCL | O_RDWR);
	if (IS_ERR(canary->file)) {
		err = PTR_ERR(canary->file);
		goto unmount;
	}
	return 0;

unmount:
	kern_unmount(canary->mnt);
fail:
	/* What tmpfs calls it when there is no memory for an inode. */
	if (err == -ENOSPC)
		err = -ENOMEM;
	pr_err("cannot prove the hooks: no private tmpfs: %pe\n", ERR_PTR(err));
	return err;
}

/* Returns which hooks had run when the filesystem was gone. */
static u64 unmount_canary(struct canary *canary)
{
	__fput_sync(canary->file);
	kern_unmount(canary->mnt);
	return seen_at_end;
}

/* How the proof of a hook ended. */
enum outcome {
	LEFT_OUT,
	PROVED,
	PROVED_BY_CALL,
	DID_NOT_RUN,
	NOT_ASKED,
	OVERRIDDEN,
};

static enum outcome prove_hook(struct canary *canary, enum trustgate_hook hook,
			       int *result)
{
	u64 before = trustgate_canary_seen();
	bool ran;

	canary->hook = hook;
	canary->called = false;
	/* A walk to the file passes hooks that have their own proof. */
	trustgate_canary_focus(BIT_ULL(hook));
	*result = proofs[hook].prove(canary);
	trustgate_canary_focus(U64_MAX);
	ran = trustgate_canary_seen() & ~before & BIT_ULL(hook);

	if (ran && *result == -EACCES)
		return canary->called ? PROVED_BY_CALL : PROVED;
	if (ran)
		return OVERRIDDEN;
	return *result < 0 ? NOT_ASKED : DID_NOT_RUN;
}

/* Alone among all, a link to a cgroup can be detached by whoever gets at it. */
static int mend_device(enum trustgate_hook hook)
{
	int err = trustgate_arm_again(hook);

	pr_err("the program on block devices did not run: its BPF link was detached by somebody with CAP_SYS_ADMIN, as by `bpftool link detach`; devices below volumes were open since the last proof (attached again: %pe)\n",
	       ERR_PTR(err));
	return -EPERM;
}

static int report_hook(enum trustgate_hook hook, enum outcome outcome,
		       int result)
{
	const char *name = proofs[hook].hook;

	switch (outcome) {
	case LEFT_OUT:
	case PROVED:
	case PROVED_BY_CALL:
		return 0;
	case DID_NOT_RUN:
		if (hook == TRUSTGATE_HOOK_block_device)
			return mend_device(hook);
		pr_err("hook %s did not run, though others did: another BPF program (fmod_ret) stands before it, see `bpftool prog` for type tracing\n",
		       name);
		return -EOPNOTSUPP;
	case NOT_ASKED:
		/* Says nothing about the hook; the next proof may. */
		if (result == -ENOMEM)
			return -ENOMEM;
		pr_err("hook %s was not asked: another security module or the filesystem refused the canary first: %pe\n",
		       name, ERR_PTR(result));
		return -EPERM;
	case OVERRIDDEN:
		pr_err("hook %s ran and denied, but the operation gave %d: another BPF program overrides the gate, see `bpftool prog` for types lsm and tracing\n",
		       name, result);
		return -EPERM;
	}
	return -EINVAL;
}

static int report(const enum outcome outcomes[], const int results[])
{
	unsigned int silent = 0;
	unsigned int others = 0;
	int first = 0;
	int err;
	int i;

	for (i = 0; i < ARRAY_SIZE(proofs); i++) {
		silent += outcomes[i] == DID_NOT_RUN;
		others += outcomes[i] != DID_NOT_RUN &&
			  outcomes[i] != PROVED_BY_CALL &&
			  outcomes[i] != LEFT_OUT;
	}
	if (silent && !others) {
		pr_err("none of %u hooks runs where the kernel has them: BPF is not an active security module here; add `bpf` to the list in the boot parameter lsm= and reboot (the active ones: `cat /sys/kernel/security/lsm`)\n",
		       silent);
		return -EOPNOTSUPP;
	}
	for (i = 0; i < ARRAY_SIZE(proofs); i++) {
		err = report_hook(i, outcomes[i], results[i]);
		if (!first || first == -ENOMEM)
			first = err ?: first;
	}
	return first;
}

static int prove(void *argument)
{
	enum outcome outcomes[TRUSTGATE_HOOK_COUNT] = {};
	int results[TRUSTGATE_HOOK_COUNT] = {};
	u64 attached = trustgate_arm_attached();
	struct canary *canary = argument;
	u64 seen;
	int err;
	int i;

	err = mount_canary(canary);
	if (err)
		return err;
	trustgate_canary_set(canary->mnt->mnt_sb);

	for (i = 0; i < ARRAY_SIZE(proofs); i++) {
		if (!proofs[i].prove || !(attached & BIT_ULL(i)))
			continue;
		if (i == TRUSTGATE_HOOK_mmap_file && !canary->mm)
			continue;
		outcomes[i] = prove_hook(canary, i, &results[i]);
	}

	/* Attached again in vain by an earlier proof; see mend_device(). */
	i = TRUSTGATE_HOOK_block_device;
	if (attached && !(attached & BIT_ULL(i)))
		outcomes[i] = DID_NOT_RUN;

	seen = unmount_canary(canary);
	i = TRUSTGATE_HOOK_sb_delete;
	if (attached & BIT_ULL(i))
		outcomes[i] = seen & BIT_ULL(i) ? PROVED : DID_NOT_RUN;

	return report(outcomes, results);
}

int trustgate_canary_prove(void)
{
	struct canary canary = {};
	int err;

	if (!trustgate_anchor_holds()) {
		pr_err("ftrace is not at work, so no BPF program runs; reboot\n");
		return -EOPNOTSUPP;
	}
	if (!(current->flags & PF_KTHREAD))
		canary.mm = get_task_mm(current);
	err = trustgate_worker_run(prove, &canary);
	if (canary.mm)
		mmput(canary.mm);
	return err;
}
