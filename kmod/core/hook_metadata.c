// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks on looking: walking through names, following links, reading
 * attributes, on volumes that hide them.
 *
 * Owns: what of a hidden volume everybody may see all the same, and where the
 * kernel can be asked to come again.
 *
 * Must not own: the decision; hooks on changing anything.
 *
 * All these are attached only while a volume hides its metadata. The walk of
 * every path on the host passes the first two, mostly without references on
 * what it passes and where nothing may sleep.
 */

#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/path.h>

#include "check.h"
#include "kfuncs.h"

static bool possible(const struct dentry *dentry)
{
	return trustgate_volume_possible(dentry->d_sb);
}

/*
 * The root directory stands where the volume is mounted, and whoever looks
 * around there meets it: ls, df, systemd. That it exists, and its attributes,
 * tell as much as a directory without a mount would.
 */
static struct dentry *root_if(const struct inode *inode)
{
	struct dentry *root = READ_ONCE(inode->i_sb->s_root);

	return root && d_inode_rcu(root) == inode ? root : NULL;
}

/*
 * The name of anything but the root is not known here. Mostly none is needed:
 * who comes from outside is stopped at the root.
 */
static noinline int check_permission(const struct inode *inode, int mask)
{
	const int some = MAY_READ | MAY_WRITE | MAY_EXEC | MAY_APPEND;
	struct dentry *root = root_if(inode);

	if (root && !(mask & some))
		return 0;
	return trustgate_check_presence(TRUSTGATE_HOOK_inode_permission, inode,
					root, mask & MAY_NOT_BLOCK);
}

static noinline int check_link(const struct inode *inode, bool rcu)
{
	return trustgate_check_presence(TRUSTGATE_HOOK_inode_follow_link, inode,
					NULL, rcu);
}

static noinline int check_look(enum trustgate_hook hook, struct dentry *dentry)
{
	return trustgate_check_presence(hook, d_inode(dentry), dentry, false);
}

static noinline int check_getattr(struct dentry *dentry)
{
	if (root_if(d_inode(dentry)))
		return 0;
	return check_look(TRUSTGATE_HOOK_inode_getattr, dentry);
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_trustgate_inode_permission(struct inode *inode, int mask)
{
	if (likely(!trustgate_volume_possible(inode->i_sb)))
		return 0;
	return check_permission(inode, mask);
}

__bpf_kfunc int bpf_trustgate_inode_follow_link(struct inode *inode, bool rcu)
{
	if (likely(!trustgate_volume_possible(inode->i_sb)))
		return 0;
	return check_link(inode, rcu);
}

__bpf_kfunc int bpf_trustgate_inode_readlink(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_look(TRUSTGATE_HOOK_inode_readlink, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_getattr(const struct path *path)
{
	if (likely(!possible(path->dentry)))
		return 0;
	return check_getattr(path->dentry);
}

__bpf_kfunc int bpf_trustgate_inode_listxattr(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_look(TRUSTGATE_HOOK_inode_listxattr, dentry);
}

__bpf_kfunc int bpf_trustgate_inode_get_acl(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_look(TRUSTGATE_HOOK_inode_get_acl, dentry);
}

#ifdef TRUSTGATE_HAVE_INODE_FILE_GETATTR
__bpf_kfunc int bpf_trustgate_inode_file_getattr(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_look(TRUSTGATE_HOOK_inode_file_getattr, dentry);
}
#endif

__bpf_kfunc int bpf_trustgate_sb_statfs(struct dentry *dentry)
{
	if (likely(!possible(dentry)))
		return 0;
	return check_look(TRUSTGATE_HOOK_sb_statfs, dentry);
}

__bpf_kfunc_end_defs();
