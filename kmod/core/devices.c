// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the block devices that a filesystem itself is on; see devices.h.
 *
 * A filesystem opens all of its devices exclusively, in its superblock's name,
 * so they are found by who holds them, whatever the filesystem calls them.
 */

#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "devices.h"

struct search {
	const struct super_block *sb;
	struct trustgate_devices *found;
	struct block_device *near;
};

static const struct class *block_class_of(const struct block_device *bdev)
{
	/* The symbol is not for modules. */
	return disk_to_dev(bdev->bd_disk)->class;
}

static int add(struct search *search, const struct block_device *bdev)
{
	struct trustgate_devices *found = search->found;

	if (trustgate_devices_have(found, bdev->bd_dev))
		return 0;
	if (found->count == TRUSTGATE_LOWER_DEVICES_MAX)
		return -E2BIG;
	found->count++;
	found->dev[found->count - 1] = bdev->bd_dev;
	return 0;
}

static bool overlap(struct block_device *a, struct block_device *b)
{
	return a->bd_disk == b->bd_disk &&
	       get_start_sect(a) < get_start_sect(b) + bdev_nr_sectors(b) &&
	       get_start_sect(b) < get_start_sect(a) + bdev_nr_sectors(a);
}

static int add_if_near(struct device *device, void *data)
{
	struct block_device *bdev = dev_to_bdev(device);
	struct search *search = data;

	return overlap(bdev, search->near) ? add(search, bdev) : 0;
}

/* A device, and others with the same sectors, one of which is the whole disk. */
static int add_with_near(struct search *search, struct block_device *bdev)
{
	int err;

	search->near = bdev;
	err = add(search, bdev) ?: add(search, bdev_whole(bdev));
	return err ?: class_for_each_device(block_class_of(bdev), NULL, search,
					    add_if_near);
}

static int add_if_held(struct device *device, void *data)
{
	struct block_device *bdev = dev_to_bdev(device);
	struct search *search = data;

	/* Compared only; those held by this one stay so, as it is active. */
	if (READ_ONCE(bdev->bd_holder) != search->sb)
		return 0;
	return add_with_near(search, bdev);
}

int trustgate_devices_find(const struct super_block *sb,
			   struct trustgate_devices **devices,
			   struct netlink_ext_ack *extack)
{
	struct search search = { .sb = sb };
	int err;

	*devices = NULL;
	if (!sb->s_bdev)
		return 0;
	search.found = kzalloc(struct_size(search.found, dev,
					   TRUSTGATE_LOWER_DEVICES_MAX),
			       GFP_KERNEL);
	if (!search.found)
		return -ENOMEM;
	err = add_with_near(&search, sb->s_bdev);
	err = err ?: class_for_each_device(block_class_of(sb->s_bdev), NULL,
					   &search, add_if_held);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack,
				   "it is on more than %d block devices; remove partitions that overlap",
				   TRUSTGATE_LOWER_DEVICES_MAX);
		kfree(search.found);
		return err;
	}
	*devices = search.found;
	return 0;
}
