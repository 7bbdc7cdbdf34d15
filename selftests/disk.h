/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * disk - filesystems that the tests may do anything to.
 *
 * Owns: where they come from ($TRUSTGATE_DISK and $TRUSTGATE_DISK2, or loop
 * devices of their own), making them, mounting them, and leaving nothing
 * behind, also of a test that died.
 *
 * Must not own: the gate.
 */
#ifndef _DISK_H
#define _DISK_H

#include <stdbool.h>
#include <sys/types.h>

/* Everything that tests mount is below this directory. */
#define DISK_MOUNTS	"/run/trustgate-selftest"

/**
 * struct disk - a filesystem of the tests' own
 * @slot: which disk: 0 and 1 are real ones where the environment names any
 * @fstype: name of its type
 * @device: block device it lies on, "" for tmpfs
 * @path: mount point
 */
struct disk {
	unsigned int slot;
	char fstype[16];
	char device[64];
	char path[64];
};

/**
 * disk_make() - make and mount an empty filesystem, or empty one
 * @disk: filled on success
 * @slot: 0 and up; slots in use at a time must differ
 * @fstype: "ext4", "xfs", "btrfs", or a type without a device such as "tmpfs"
 *
 * Return: 0 or -errno after saying what failed on standard error.
 */
int disk_make(struct disk *disk, unsigned int slot, const char *fstype);

/**
 * disk_load_loop() - have the kernel's loop devices ready
 *
 * Return: 0 or -ENODEV.
 */
int disk_load_loop(void);

/**
 * disk_mount() - mount what disk_make() made and disk_unmount() took away
 * @disk: made, not mounted
 *
 * Return: 0 or -errno.
 */
int disk_mount(struct disk *disk);

/**
 * disk_unmount() - take the mount away, whether it is in use or not
 * @disk: mounted
 *
 * Return: 0 or -errno.
 */
int disk_unmount(const struct disk *disk);

/**
 * disk_free_loop() - open a loop device that nobody uses
 *
 * Its number is free when this looks; who else looks may take it.
 *
 * Return: a descriptor, O_RDWR and O_DIRECT, or -errno.
 */
int disk_free_loop(void);

/**
 * disk_claimed() - does the kernel hold the device exclusively?
 * @disk: on a device
 *
 * Return: 1, 0, or -errno.
 */
int disk_claimed(const struct disk *disk);

/**
 * disk_wait_released() - wait until nothing holds the device any more
 * @disk: unmounted
 *
 * Return: 0 or -EBUSY after some seconds.
 */
int disk_wait_released(const struct disk *disk);

/**
 * disk_clean() - unmount and remove whatever tests have left
 */
void disk_clean(void);

/**
 * disk_tidy() - unmount what tests have left, between two of them
 * @keep: a mount point to leave alone
 *
 * An ext4 in slot 0 stays mounted, if it is as disk_make() left it but for its
 * files: making one for each test would take most of the tests' time.
 */
void disk_tidy(const char *keep);

/**
 * disk_file() - write a file anew
 * @path: file; its directory exists
 * @text: contents
 * @mode: permissions
 *
 * Return: 0 or -errno.
 */
int disk_file(const char *path, const char *text, mode_t mode);

/**
 * disk_command() - run a program, in silence unless it fails
 * @argv: program and arguments, ended by NULL
 *
 * Return: its exit status, or -errno.
 */
int disk_command(const char *const argv[]);

#endif /* _DISK_H */
