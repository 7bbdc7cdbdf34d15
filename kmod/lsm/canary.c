// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the proof that hooks run; see canary.h.
 *
 * To prove a new hook: a function prove_<hook>() that makes it run on the
 * canary, or, with the reason, an exemption. Without one this does not build.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>

#include "../compat.h"
#include "../core/arm.h"
#include "../hooks.h"
#include "anchor.h"
#include "arm.h"
#include "canary.h"
#include "worker.h"

#define OLD_FILE	"file"
#define OLD_DIR		"dir"
#define NEW_NAME	"new"

/**
 * struct canary - the private filesystem
 * @mnt: its only mount, not in any namespace
 * @file: OLD_FILE, open for reading and writing since before the denial
 * @mm: address space for mmap_file, or NULL
 */
struct canary {
	struct vfsmount *mnt;
	struct file *file;
	struct mm_struct *mm;
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
	return file_open_root_mnt(canary->mnt, OLD_FILE, flags, 0600);
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
	return with_name(canary, NEW_NAME, do_create);
}

static int do_mkdir(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_mkdir(dir, dentry, 0700);
}

static int prove_inode_mkdir(struct canary *canary)
{
	return with_name(canary, NEW_NAME, do_mkdir);
}

static int do_mknod(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_mknod(dir, dentry, S_IFIFO | 0600);
}

static int prove_inode_mknod(struct canary *canary)
{
	return with_name(canary, NEW_NAME, do_mknod);
}

static int do_symlink(struct dentry *dir, struct dentry *dentry)
{
	return trustgate_vfs_symlink(dir, dentry, OLD_FILE);
}

static int prove_inode_symlink(struct canary *canary)
{
	return with_name(canary, NEW_NAME, do_symlink);
}

static int do_unlink(struct dentry *dir, struct dentry *dentry)
{
	return vfs_unlink(&nop_mnt_idmap, d_inode(dir), dentry, NULL);
}

static int prove_inode_unlink(struct canary *canary)
{
	return with_name(canary, OLD_FILE, do_unlink);
}

static int prove_inode_rmdir(struct canary *canary)
{
	return with_name(canary, OLD_DIR, trustgate_vfs_rmdir);
}

static int with_old_file(struct dentry *dir, struct dentry *dentry,
			 int (*operation)(struct dentry *dir, struct dentry *old,
					  struct dentry *dentry))
{
	struct dentry *old = trustgate_lookup(dir, OLD_FILE);
	int err;

	if (IS_ERR(old))
		return PTR_ERR(old);
	err = operation(dir, old, dentry);
	dput(old);
	return err;
}

static int link_old(struct dentry *dir, struct dentry *old,
		    struct dentry *dentry)
{
	return vfs_link(old, &nop_mnt_idmap, d_inode(dir), dentry, NULL);
}

static int do_link(struct dentry *dir, struct dentry *dentry)
{
	return with_old_file(dir, dentry, link_old);
}

static int prove_inode_link(struct canary *canary)
{
	return with_name(canary, NEW_NAME, do_link);
}

static int do_rename(struct dentry *dir, struct dentry *dentry)
{
	return with_old_file(dir, dentry, trustgate_vfs_rename);
}

static int prove_inode_rename(struct canary *canary)
{
	return with_name(canary, NEW_NAME, do_rename);
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

struct proof {
	const char *hook;
	int (*prove)(struct canary *canary);
};

#define PROOF(name, ...) \
	[TRUSTGATE_HOOK_##name] = { .hook = #name, .prove = prove_##name },

static const struct proof proofs[] = {
	TRUSTGATE_HOOKS(PROOF, PROOF)
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

	err = with_name(canary, OLD_DIR, do_mkdir);
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

static int prove_hook(struct canary *canary, enum trustgate_hook hook)
{
	const struct proof *proof = &proofs[hook];
	u64 before = trustgate_canary_seen();
	int result = proof->prove(canary);
	bool ran = trustgate_canary_seen() & ~before & BIT_ULL(hook);

	if (ran && result == -EACCES)
		return 0;
	if (ran) {
		pr_err("hook %s ran and denied, but the operation gave %d: another BPF program overrides the gate, see `bpftool prog` for types lsm and tracing\n",
		       proof->hook, result);
		return -EPERM;
	}
	if (result < 0) {
		pr_err("hook %s was not asked: another security module or the filesystem refused the canary first: %pe\n",
		       proof->hook, ERR_PTR(result));
		return -EPERM;
	}
	pr_err("hook %s did not run\n", proof->hook);
	return -EOPNOTSUPP;
}

static int prove(void *argument)
{
	u64 attached = trustgate_arm_attached();
	struct canary *canary = argument;
	unsigned int missing = 0;
	unsigned int run = 0;
	int result = 0;
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
		err = prove_hook(canary, i);
		if (!err)
			run++;
		else
			missing += err == -EOPNOTSUPP;
		result = result ?: err;
	}

	if (unmount_canary(canary) & BIT_ULL(TRUSTGATE_HOOK_sb_delete)) {
		run++;
	} else if (attached & BIT_ULL(TRUSTGATE_HOOK_sb_delete)) {
		pr_err("hook sb_delete did not run\n");
		missing++;
		result = result ?: -EOPNOTSUPP;
	}

	if (missing && !run)
		pr_err("no hook runs: BPF is not among this kernel's active security modules; add `bpf` to the lsm= boot parameter (see `cat /sys/kernel/security/lsm` for what is active now) and reboot\n");
	return result;
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
