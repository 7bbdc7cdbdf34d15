/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - subvolumes, in each of which inode numbers begin anew.
 *
 * Owns: to which subvolume of a btrfs an inode belongs. Number and generation
 * alone are those of several files there: of a file and its snapshots, and of
 * what was made in new subvolumes at the same time.
 *
 * Must not own: what follows from it.
 */
#ifndef _TRUSTGATE_SUBVOLUME_H
#define _TRUSTGATE_SUBVOLUME_H

#include <linux/compiler.h>
#include <linux/fs.h>

#include "volume.h"

/* Of no inode: the trees that btrfs is made of count from 1. */
#define TRUSTGATE_NO_SUBVOLUME	0

/**
 * trustgate_subvolume_possible() - are there subvolumes on a filesystem?
 * @sb: superblock
 *
 * Context: any.
 * Return: whether inode number and generation are not enough there.
 */
bool trustgate_subvolume_possible(const struct super_block *sb);

/**
 * trustgate_subvolume_of_inode() - to which subvolume an inode belongs
 * @inode: on a filesystem with subvolumes; the caller holds a reference, or
 *	somebody whom the caller keeps from going
 *
 * Context: any but NMI; takes no lock.
 * Return: number of the subvolume, which the filesystem does not use again as
 * long as it is active; or TRUSTGATE_NO_SUBVOLUME if it does not tell, which
 * no grant is for.
 */
u64 trustgate_subvolume_of_inode(const struct inode *inode);

/**
 * trustgate_subvolume_at() - to which subvolume an inode with a name belongs
 * @inode: on a filesystem with subvolumes; compared, followed only while it is
 *	the inode of @dentry
 * @dentry: its name; under RCU alone, or referenced
 *
 * Context: process, without @dentry's d_lock.
 * Return: as trustgate_subvolume_of_inode(); TRUSTGATE_NO_SUBVOLUME also if
 * the name is not that of @inode any more.
 */
u64 trustgate_subvolume_at(const struct inode *inode, struct dentry *dentry);

/**
 * trustgate_subvolume() - what a question or a grant has to say of it
 * @volume: where
 * @inode: on it
 * @dentry: its name, or NULL if the caller keeps @inode
 *
 * Context: as trustgate_subvolume_at().
 * Return: TRUSTGATE_NO_SUBVOLUME on other filesystems.
 */
static __always_inline u64
trustgate_subvolume(const struct trustgate_volume *volume,
		    const struct inode *inode, struct dentry *dentry)
{
	if (likely(!volume->has_subvolumes))
		return TRUSTGATE_NO_SUBVOLUME;
	return dentry ? trustgate_subvolume_at(inode, dentry) :
			trustgate_subvolume_of_inode(inode);
}

#endif /* _TRUSTGATE_SUBVOLUME_H */
