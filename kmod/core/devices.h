/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the block devices that a filesystem itself is on.
 *
 * Owns: finding them: the device that it was mounted from, others that it holds
 * (an external journal or log, a realtime device), the whole disks that these
 * are partitions of, and partitions that share sectors with them.
 *
 * Must not own: what lies further below, which the agent finds in sysfs.
 */
#ifndef _TRUSTGATE_DEVICES_H
#define _TRUSTGATE_DEVICES_H

#include <linux/types.h>

#include "volume.h"

struct netlink_ext_ack;
struct super_block;

/**
 * trustgate_devices_have() - is a device in a list?
 * @devices: list, or NULL for an empty one
 * @dev: number
 *
 * Context: any in which @devices is valid.
 *
 * Return: whether it is.
 */
static inline bool
trustgate_devices_have(const struct trustgate_devices *devices, dev_t dev)
{
	unsigned int i;

	for (i = 0; devices && i < devices->count; i++) {
		if (devices->dev[i] == dev)
			return true;
	}
	return false;
}

/**
 * trustgate_devices_find() - find the devices of a filesystem
 * @sb: kept active by the caller, so that it goes on holding what it holds
 * @devices: set to the list, to be freed by kfree(); NULL for none that it calls
 *	its own, as in memory, or on btrfs
 * @extack: gets the cause of a refusal
 *
 * As long as one of a disk's devices is held, its partitions do not change, except
 * that ones are added which share no sector with another partition; and none are
 * to a disk whose devices are closed, see check_elsewhere() in hook_file.c.
 *
 * Context: process, may sleep.
 * Return: 0; -E2BIG if there are more than TRUSTGATE_LOWER_DEVICES_MAX; -ENOMEM.
 */
int trustgate_devices_find(const struct super_block *sb,
			   struct trustgate_devices **devices,
			   struct netlink_ext_ack *extack);

#endif /* _TRUSTGATE_DEVICES_H */
