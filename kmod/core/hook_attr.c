// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks on attributes: mode, owner, times, size, flags, extended
 * attributes, access control lists.
 *
 * Owns: which access each of them stands for.
 *
 * Must not own: the decision; anything about names or open files.
 */

#include <linux/fs.h>
#include <linux/string.h>
#include <linux/xattr.h>

#include "check.h"
#include "kfuncs.h"

static bool possible(const struct dentry *dentry)
{
	return trustgate_volume_possible(dentry->d_sb);
}

static noinline int check_setattr(struct dentry *dentry, unsigned int ia_valid)
{
	const unsigned int meta = ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_ATIME |
				  ATTR_MTIME | ATTR_ATIME_SET | ATTR_MTIME_SET |
				  ATTR_TOUCH;
	u32 access = TRUSTGATE_ACCESS_META;
	bool takes_use = true;

	/*
	 * A new size brings its times with it, and a write drops set-id bits by
	 * force: both are part of writing.
	 */
	if (ia_valid & (ATTR_SIZE | ATTR_FORCE))
		access = TRUSTGATE_ACCESS_WRITE;
	else if (!(ia_valid & meta))
		access |= TRUSTGATE_ACCESS_WRITE;
	/* Part of an open, or of writing to an open file, is no use of its own. */
	if (ia_valid & (ATTR_OPEN | ATTR_FILE) ||
	    (ia_valid & (ATTR_SIZE | ATTR_FORCE)) == ATTR_FORCE)
		takes_use = false;
	return trustgate_check_dentry(TRUSTGATE_HOOK_inode_setattr, dentry,
				      access, takes_use);
}

/*
 * What the kernel and stacked filesystems keep there for themselves is no more
 * a tenant's data than a file's mode.
 */
static bool is_data(const char *name)
{
	static const char * const others[] = {
		XATTR_SECURITY_PREFIX, "trusted.overlay.", "user.overlay.",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		if (str_has_prefix(name, others[i]))
			return false;
	}
	return true;
}

static noinline int check_getxattr(struct dentry *dentry, const char *name)
{
	if (!is_data(name))
		return trustgate_check_presence(TRUSTGATE_HOOK_inode_getxattr,
						d_inode(dentry), dentry, false);
	return trustgate_check_dentry(TRUSTGATE_HOOK_inode_getxattr, dentry,
				      TRUSTGATE_ACCESS_READ, false);
}

static noinline int check_meta(enum trustgate_hook hook, struct dentry *dentry)
{
	return trustgate_check_dentry(hook, dentry, TRUSTGATE_ACCESS_META, true);
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_trustgate_inode_setattr(struct dentry *dentry,
					    unsigned int ia_valid)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_setattr(dentry, ia_valid);
}

/* @name: a string of the kernel; the verifier knows no other way to pass it. */
__bpf_kfunc int bpf_trustgate_inode_getxattr(struct dentry *dentry,
					     unsigned long name)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_getxattr(dentry, (const char *)name);
}

__bpf_kfunc int bpf_trustgate_inode_setxattr(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_meta(TRUSTGATE_HOOK_inode_setxattr, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_removexattr(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_meta(TRUSTGATE_HOOK_inode_removexattr, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_set_acl(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_meta(TRUSTGATE_HOOK_inode_set_acl, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_remove_acl(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_meta(TRUSTGATE_HOOK_inode_remove_acl, dentry);
}

#ifdef TRUSTGATE_HAVE_INODE_FILE_SETATTR
__bpf_kfunc int bpf_trustgate_inode_file_setattr(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_meta(TRUSTGATE_HOOK_inode_file_setattr, dentry);
}
#endif

__bpf_kfunc_end_defs();
