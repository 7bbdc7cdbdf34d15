// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks on names.
 *
 * Owns: which access each of them stands for.
 *
 * Must not own: the decision; anything about open files or attributes.
 *
 * All hooks here run with the directories locked, so they must neither sleep
 * nor look up paths.
 */

#include <linux/dcache.h>
#include <linux/fs.h>

#include "check.h"
#include "kfuncs.h"

static bool possible(const struct dentry *dentry)
{
	return trustgate_volume_possible(dentry->d_sb);
}

/*
 * Bytes that get a name in another directory become reachable by that
 * directory's grants. So whoever moves or links them must be entitled to read
 * and write them where they are.
 */
static int check_transfer(enum trustgate_hook hook, struct dentry *from,
			  struct dentry *to)
{
	/* One change within one directory is one use. */
	if (READ_ONCE(from->d_parent) == READ_ONCE(to->d_parent))
		return trustgate_check_parent(hook, to);

	return trustgate_check_transfer(hook, from) ?:
	       trustgate_check_parent(hook, from) ?:
	       trustgate_check_parent(hook, to);
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_trustgate_inode_create(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return trustgate_check_parent(TRUSTGATE_HOOK_inode_create, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_mkdir(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return trustgate_check_parent(TRUSTGATE_HOOK_inode_mkdir, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_mknod(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return trustgate_check_parent(TRUSTGATE_HOOK_inode_mknod, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_symlink(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return trustgate_check_parent(TRUSTGATE_HOOK_inode_symlink, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_link(struct dentry *old_dentry,
					 struct dentry *new_dentry)
{
	if (likely(!possible(old_dentry)))
		return 0;
	return check_transfer(TRUSTGATE_HOOK_inode_link, old_dentry,
			      new_dentry);
}

__bpf_kfunc int bpf_trustgate_inode_unlink(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return trustgate_check_parent(TRUSTGATE_HOOK_inode_unlink, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_rmdir(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return trustgate_check_parent(TRUSTGATE_HOOK_inode_rmdir, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_rename(struct dentry *old_dentry,
					   struct dentry *new_dentry)
{
	if (likely(!possible(old_dentry)))
		return 0;
	return check_transfer(TRUSTGATE_HOOK_inode_rename, old_dentry,
			      new_dentry);
}

__bpf_kfunc_end_defs();
