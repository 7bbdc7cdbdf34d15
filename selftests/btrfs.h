/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * btrfs - what only btrfs can be told to do.
 *
 * Owns: its commands, as programs give them. Each returns 0 or an errno value.
 *
 * Must not own: what should come of them.
 */
#ifndef _BTRFS_H
#define _BTRFS_H

#include <stdint.h>

/**
 * btrfs_command() - open a file or directory and give it a command
 * @path: file or directory
 * @cmd: of ioctl(2)
 * @argument: of @cmd
 */
int btrfs_command(const char *path, unsigned long cmd, void *argument);

/**
 * btrfs_create() - make a subvolume
 * @dir: directory
 * @name: of the subvolume in it
 */
int btrfs_create(const char *dir, const char *name);

/**
 * btrfs_create_at() - make a subvolume in a directory that is open
 * @fd: directory
 * @name: of the subvolume in it
 */
int btrfs_create_at(int fd, const char *name);

/**
 * btrfs_destroy() - remove a subvolume with all that is in it
 * @dir: directory
 * @name: of the subvolume in it
 */
int btrfs_destroy(const char *dir, const char *name);

/**
 * btrfs_destroy_at() - remove a subvolume of a directory that is open
 * @fd: directory
 * @name: of the subvolume in it
 */
int btrfs_destroy_at(int fd, const char *name);

/**
 * btrfs_snapshot() - make a snapshot
 * @of: subvolume
 * @dir: directory
 * @name: of the snapshot in it
 * @flags: BTRFS_SUBVOL_RDONLY, or 0
 */
int btrfs_snapshot(const char *of, const char *dir, const char *name,
		   uint64_t flags);

/**
 * btrfs_snapshot_at() - make a snapshot, of what is open where it is open
 * @fd: subvolume
 * @dir: directory
 * @name: of the snapshot in it
 */
int btrfs_snapshot_at(int fd, int dir, const char *name);

/**
 * btrfs_search() - look for bytes in the tree of a subvolume
 * @fd: any file of it
 * @newer: by BTRFS_IOC_TREE_SEARCH_V2, which has room for more
 * @secret: what a small file of the subvolume contains
 *
 * Return: ENOENT if they are not found.
 */
int btrfs_search(int fd, int newer, const char *secret);

/**
 * btrfs_send() - look for bytes in what is sent of a read-only subvolume
 * @fd: subvolume
 * @secret: what a file of it contains
 *
 * Return: ENOENT if they are not found.
 */
int btrfs_send(int fd, const char *secret);

/**
 * btrfs_add_device() - have a filesystem use one device more
 * @fd: any directory of it
 * @device: node
 */
int btrfs_add_device(int fd, const char *device);

/**
 * btrfs_replace() - have a filesystem begin to move to another device
 * @fd: any directory of it
 * @device: node; may be one that it uses already
 */
int btrfs_replace(int fd, const char *device);

#endif /* _BTRFS_H */
