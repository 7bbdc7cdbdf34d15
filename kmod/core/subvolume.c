// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - subvolumes; see subvolume.h.
 */

#include <linux/dcache.h>
#include <linux/exportfs.h>
#include <linux/fs.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "subvolume.h"

/*
 * What a file handle of btrfs begins with. Clients of file servers keep such
 * handles over years and kernels, so that this cannot change under its number.
 */
struct handle {
	u64 inode;
	u64 subvolume;
	u32 generation;
} __packed;

bool trustgate_subvolume_possible(const struct super_block *sb)
{
	return !strcmp(sb->s_type->name, "btrfs");
}

u64 trustgate_subvolume_of_inode(const struct inode *inode)
{
	const struct export_operations *export = inode->i_sb->s_export_op;
	struct handle handle = {};
	int words = sizeof(handle) / sizeof(u32);

	if (!export || !export->encode_fh)
		return TRUSTGATE_NO_SUBVOLUME;
	/* It copies three fields; without a parent it takes no lock. */
	if (export->encode_fh((struct inode *)inode, (u32 *)&handle, &words,
			      NULL) != FILEID_BTRFS_WITHOUT_PARENT ||
	    handle.inode != inode->i_ino)
		return TRUSTGATE_NO_SUBVOLUME;
	return handle.subvolume;
}

/*
 * A directory that a walk under RCU comes by may be on its way out, and its
 * subvolume, unlike the inode, is not kept for such walks. As long as a dentry
 * has an inode, it holds a reference, and it lets go of it under d_lock.
 */
u64 trustgate_subvolume_at(const struct inode *inode, struct dentry *dentry)
{
	u64 subvolume = TRUSTGATE_NO_SUBVOLUME;

	spin_lock(&dentry->d_lock);
	if (d_inode(dentry) == inode)
		subvolume = trustgate_subvolume_of_inode(inode);
	spin_unlock(&dentry->d_lock);
	return subvolume;
}
