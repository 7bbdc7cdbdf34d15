// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - character devices that pass commands on to disks; see nodes.h.
 *
 * A SCSI device is the parent of its disk and of its nodes. Of NVMe the parent of a
 * disk is the controller, or, if there may be several, the subsystem, which has
 * links to them; the generic node of a disk has its numbers.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-device.h>

#include "nodes.h"

const char *const nodes_subsystems[] = { "scsi_generic", "bsg", "nvme", "nvme-generic", NULL };

static bool is_of(sd_device *device, const char *subsystem)
{
	const char *is;

	return sd_device_get_subsystem(device, &is) >= 0 && !strcmp(is, subsystem);
}

static int add(struct nodes *nodes, sd_device *device)
{
	dev_t number;
	int r = sd_device_get_devnum(device, &number);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->devices[i] == number)
			return 0;
	if (nodes->count == TRUSTGATE_LOWER_DEVICES_MAX)
		return -E2BIG;
	nodes->devices[nodes->count++] = number;
	return 0;
}

/* Is @node, "ngXnY", that of @disk, "nvmeXnY"? */
static bool is_generic_of(sd_device *node, sd_device *disk)
{
	const char *a, *b;

	return is_of(node, "nvme-generic") && sd_device_get_sysname(node, &a) >= 0 &&
	       sd_device_get_sysname(disk, &b) >= 0 && !strncmp(a, "ng", 2) &&
	       !strncmp(b, "nvme", 4) && !strcmp(a + 2, b + 4);
}

static int add_children(struct nodes *nodes, sd_device *parent, sd_device *disk)
{
	const char *suffix;
	sd_device *child;
	int r = 0;

	for (child = sd_device_get_child_first(parent, &suffix); child && r >= 0;
	     child = sd_device_get_child_next(parent, &suffix))
		if (is_of(child, "scsi_generic") || is_of(child, "bsg") ||
		    is_generic_of(child, disk))
			r = add(nodes, child);
	return r;
}

/* The controllers by which a subsystem of NVMe is reached. */
static int add_controllers(struct nodes *nodes, sd_device *subsystem)
{
	struct dirent *entry;
	const char *path;
	DIR *directory;
	int r;

	r = sd_device_get_syspath(subsystem, &path);
	if (r < 0)
		return r;
	directory = opendir(path);
	if (!directory)
		return -errno;
	while (r >= 0 && (errno = 0, entry = readdir(directory))) {
		sd_device *device = NULL;
		char *link;

		if (entry->d_type != DT_LNK)
			continue;
		if (asprintf(&link, "%s/%s", path, entry->d_name) < 0) {
			r = -ENOMEM;
			break;
		}
		/* Other links lead to what is no device. */
		if (sd_device_new_from_syspath(&device, link) >= 0 && is_of(device, "nvme"))
			r = add(nodes, device);
		sd_device_unref(device);
		free(link);
	}
	if (r >= 0 && errno)
		r = -errno;
	closedir(directory);
	return r;
}

static int add_of_disk(struct nodes *nodes, dev_t number)
{
	sd_device *disk = NULL, *parent;
	const char *type;
	int r;

	r = sd_device_new_from_devnum(&disk, 'b', number);
	/* Gone meanwhile: its removal is another event. */
	if (r == -ENODEV)
		return 0;
	if (r >= 0 && sd_device_get_devtype(disk, &type) >= 0 && !strcmp(type, "disk") &&
	    sd_device_get_parent(disk, &parent) >= 0) {
		r = add_children(nodes, parent, disk);
		if (r >= 0 && is_of(parent, "nvme"))
			r = add(nodes, parent);
		if (r >= 0 && is_of(parent, "nvme-subsystem"))
			r = add_controllers(nodes, parent);
	}
	sd_device_unref(disk);
	return r;
}

static int compare(const void *a, const void *b)
{
	const dev_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int nodes_find(const struct trustgate_volume *volume, const dev_t *lower, size_t count,
	       struct nodes *nodes)
{
	int r = 0;

	nodes->count = 0;
	for (size_t i = 0; i < volume->own_count && r >= 0; i++)
		r = add_of_disk(nodes, volume->own[i]);
	for (size_t i = 0; i < count && r >= 0; i++)
		r = add_of_disk(nodes, lower[i]);
	qsort(nodes->devices, nodes->count, sizeof(*nodes->devices), compare);
	return r;
}
