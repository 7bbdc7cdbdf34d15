// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the proof of the hooks by which a volume hides its metadata; see
 * canary_metadata.h.
 *
 * To prove a new hook of this set: a function look_<hook>(). Without one this
 * does not build.
 */

#include <linux/fs.h>
#include <linux/delayed_call.h>
#include <linux/file.h>
#include <linux/fileattr.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/xattr.h>

#include "../compat.h"
#include "arm.h"
#include "canary_metadata.h"

typedef int (*look)(const struct path *path, bool *called);

static int look_inode_permission(const struct path *path, bool *called)
{
	return inode_permission(&nop_mnt_idmap, d_inode(path->mnt->mnt_root),
				MAY_EXEC);
}

static int look_inode_follow_link(const struct path *path, bool *called)
{
	struct file *file = file_open_root_mnt(path->mnt, TRUSTGATE_CANARY_LINK,
					       O_RDONLY, 0);

	if (IS_ERR(file))
		return PTR_ERR(file);
	__fput_sync(file);
	return 0;
}

static int look_inode_readlink(const struct path *path, bool *called)
{
	DEFINE_DELAYED_CALL(done);
	struct dentry *dentry;
	const char *target;

	dentry = trustgate_lookup_unlocked(path->mnt->mnt_root,
					   TRUSTGATE_CANARY_LINK);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	target = vfs_get_link(dentry, &done);
	do_delayed_call(&done);
	dput(dentry);
	return PTR_ERR_OR_ZERO(target);
}

static int look_inode_getattr(const struct path *path, bool *called)
{
	struct kstat stat;

	return vfs_getattr(path, &stat, STATX_BASIC_STATS, 0);
}

static int look_inode_listxattr(const struct path *path, bool *called)
{
	return vfs_listxattr(path->dentry, NULL, 0);
}

/* A kernel without ACLs never asks: then the kernel's call is made for it. */
static int look_inode_get_acl(const struct path *path, bool *called)
{
	int (*call)(struct mnt_idmap *idmap, struct dentry *dentry,
		    const char *name) =
		trustgate_arm_target(TRUSTGATE_HOOK_inode_get_acl);

	*called = true;
	return call(&nop_mnt_idmap, path->dentry, XATTR_NAME_POSIX_ACL_ACCESS);
}

#ifdef TRUSTGATE_HAVE_INODE_FILE_GETATTR
static int look_inode_file_getattr(const struct path *path, bool *called)
{
	struct file_kattr attr = {};

	return vfs_fileattr_get(path->dentry, &attr);
}
#endif

static int look_sb_statfs(const struct path *path, bool *called)
{
	struct kstatfs stat;

	return vfs_statfs(path, &stat);
}

#define LOOK_VOLUME(name)
#define LOOK_METADATA(name)	[TRUSTGATE_HOOK_##name] = look_##name,
#define LOOK(name, set, ...)	LOOK_##set(name)

static const look looks[TRUSTGATE_HOOK_COUNT] = {
	TRUSTGATE_HOOKS(LOOK, LOOK, LOOK)
};

int trustgate_prove_metadata(enum trustgate_hook hook, const struct file *file,
			     bool *called)
{
	return looks[hook](&file->f_path, called);
}
