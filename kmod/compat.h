/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - differences between kernels.
 *
 * Owns: every test of the kernel's version, for both modules. What differs is
 * wrapped here under one name; the rest of the tree uses the name.
 *
 * Must not own: behaviour.
 */
#ifndef _TRUSTGATE_COMPAT_H
#define _TRUSTGATE_COMPAT_H

#include <linux/btf.h>
#include <linux/btf.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "Trustgate needs Linux 6.12 or later: older kernels give modules no BTF to call into"
#endif

/* The namespace became a string literal. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define TRUSTGATE_IMPORT_NS(ns) MODULE_IMPORT_NS(#ns)
#else
#define TRUSTGATE_IMPORT_NS(ns) MODULE_IMPORT_NS(ns)
#endif

/*
 * libbpf's skel_internal.h fills a zeroed array with strncpy(), which left the
 * kernel during 7.x.
 */
#define strncpy(to, from, size) strscpy_pad(to, from, size)

/* Newer kernels take only trusted arguments, without a flag for it. */
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

/**
 * trustgate_polls() - is this the thread that polls an io_uring?
 * @thread: thread
 *
 * Of io_uring's own threads only such a one has a task context, from before it
 * runs until the workers that it hands on to have ended.
 *
 * Context: any in which @thread is valid.
 * Return: whether it is.
 */
static inline bool trustgate_polls(const struct task_struct *thread)
{
#ifdef CONFIG_IO_URING
	return thread->flags & PF_IO_WORKER && READ_ONCE(thread->io_uring);
#else
	return false;
#endif
}

/**
 * trustgate_unpin() - let current be moved to another CPU
 *
 * For who was called by a BPF program, which is pinned to its CPU for the sake of
 * what it keeps there, and is known to keep nothing.
 *
 * Context: process.
 * Return: whether it was pinned; then trustgate_pin() has to come.
 */
static inline bool trustgate_unpin(void)
{
#ifdef CONFIG_SMP
	if (!current->migration_disabled)
		return false;
	migrate_enable();
	return true;
#else
	return false;
#endif
}

/**
 * trustgate_pin() - pin current to its CPU again
 *
 * Context: process, after trustgate_unpin() has returned true.
 */
static inline void trustgate_pin(void)
{
	migrate_disable();
}

/**
 * trustgate_mmap_write_trylock() - mmap_write_lock() without waiting
 * @mm: memory; a reference is held
 *
 * The kernel has none.
 *
 * Context: process.
 * Return: whether it is locked; then mmap_write_unlock() unlocks it.
 */
static inline bool trustgate_mmap_write_trylock(struct mm_struct *mm)
{
	if (!down_write_trylock(&mm->mmap_lock))
		return false;
	mm_lock_seqcount_begin(mm);
	return true;
}

/**
 * trustgate_zap() - take all pages out of a mapping
 * @vma: mapping of a file
 *
 * Context: process, may sleep, mmap_lock held.
 */
static inline void trustgate_zap(struct vm_area_struct *vma)
{
#ifdef TRUSTGATE_HAVE_ZAP_VMA_RANGE
	zap_vma_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
#else
	zap_page_range_single(vma, vma->vm_start, vma->vm_end - vma->vm_start,
			      NULL);
#endif
}

/**
 * trustgate_lookup() - find a name in a directory
 * @dir: directory, locked by the caller
 * @name: one component
 *
 * Context: process, may sleep.
 * Return: a dentry, positive or negative, the caller's reference; or ERR_PTR.
 */
static inline struct dentry *trustgate_lookup(struct dentry *dir,
					      const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	struct qstr qstr = QSTR_INIT(name, strlen(name));

	return lookup_noperm(&qstr, dir);
#else
	return lookup_one_len(name, dir, strlen(name));
#endif
}

/**
 * trustgate_lookup_unlocked() - find a name in a directory
 * @dir: directory, not locked by the caller
 * @name: one component
 *
 * Context: process, may sleep.
 * Return: a dentry, positive or negative, the caller's reference; or ERR_PTR.
 */
static inline struct dentry *trustgate_lookup_unlocked(struct dentry *dir,
						       const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	struct qstr qstr = QSTR_INIT(name, strlen(name));

	return lookup_noperm_unlocked(&qstr, dir);
#else
	return lookup_one_len_unlocked(name, dir, strlen(name));
#endif
}

/*
 * Operations on names, as mkdir(2) and its like do them once they know the
 * parent. The caller has locked the parent and looked the names up, and keeps
 * lock and references whatever happens; a rename stays within one directory.
 * For mounts without idmapping. All return 0 or -errno.
 *
 * Since 6.19 each can wait for the holder of a directory delegation, which
 * NULL declines. vfs_link(), vfs_unlink() and notify_change() took a NULL for
 * the file's own delegation before and need no wrapper.
 */

static inline int trustgate_vfs_create(struct dentry *dir,
				       struct dentry *dentry, umode_t mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return vfs_create(&nop_mnt_idmap, dentry, mode, NULL);
#else
	return vfs_create(&nop_mnt_idmap, d_inode(dir), dentry, mode, true);
#endif
}

static inline int trustgate_vfs_mkdir(struct dentry *dir,
				      struct dentry *dentry, umode_t mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	struct dentry *made;

	/* Takes a reference and the lock when it fails. */
	dget(dentry);
	made = vfs_mkdir(&nop_mnt_idmap, d_inode(dir), dentry, mode, NULL);
	if (IS_ERR(made)) {
		inode_lock_nested(d_inode(dir), I_MUTEX_PARENT);
		return PTR_ERR(made);
	}
	dput(made);
	return 0;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	struct dentry *made;

	/* Takes a reference when it fails. */
	dget(dentry);
	made = vfs_mkdir(&nop_mnt_idmap, d_inode(dir), dentry, mode);
	if (IS_ERR(made))
		return PTR_ERR(made);
	dput(made);
	return 0;
#else
	return vfs_mkdir(&nop_mnt_idmap, d_inode(dir), dentry, mode);
#endif
}

static inline int trustgate_vfs_mknod(struct dentry *dir,
				      struct dentry *dentry, umode_t mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return vfs_mknod(&nop_mnt_idmap, d_inode(dir), dentry, mode, 0, NULL);
#else
	return vfs_mknod(&nop_mnt_idmap, d_inode(dir), dentry, mode, 0);
#endif
}

static inline int trustgate_vfs_symlink(struct dentry *dir,
					struct dentry *dentry,
					const char *target)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return vfs_symlink(&nop_mnt_idmap, d_inode(dir), dentry, target, NULL);
#else
	return vfs_symlink(&nop_mnt_idmap, d_inode(dir), dentry, target);
#endif
}

static inline int trustgate_vfs_rmdir(struct dentry *dir, struct dentry *dentry)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return vfs_rmdir(&nop_mnt_idmap, d_inode(dir), dentry, NULL);
#else
	return vfs_rmdir(&nop_mnt_idmap, d_inode(dir), dentry);
#endif
}

static inline int trustgate_vfs_rename(struct dentry *dir, struct dentry *from,
				       struct dentry *to)
{
	struct renamedata rename = {
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
		.mnt_idmap = &nop_mnt_idmap,
#else
		.old_mnt_idmap = &nop_mnt_idmap,
		.new_mnt_idmap = &nop_mnt_idmap,
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
		.old_parent = dir,
		.new_parent = dir,
#else
		.old_dir = d_inode(dir),
		.new_dir = d_inode(dir),
#endif
		.old_dentry = from,
		.new_dentry = to,
	};

	return vfs_rename(&rename);
}

#endif /* _TRUSTGATE_COMPAT_H */
