// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - block devices with the volume's bytes.
 *
 * Owns: following sysfs from the volume's devices: to the disks that they are
 * parts of, to the devices below and those set up over them, to loop devices over
 * its files; and whether each can be opened.
 *
 * Must not own: mounts (verify_mount.c).
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "verify.h"

/* No stack of devices is deeper; a ring would be. */
#define DEPTH_MAX 16

/* Name of a device by its number, "" if there is none. */
static void name_of(const struct verify *verify, const char *device, char name[64])
{
	char *uevent = verify_read(verify, "/sys/dev/block/%s/uevent", device);
	const char *at = uevent ? strstr(uevent, "DEVNAME=") : NULL;

	name[0] = '\0';
	if (at)
		sscanf(at, "DEVNAME=%63s", name);
	free(uevent);
}

static void check_open_or(struct verify *verify, const char *path, const char *what,
			  const char *advice)
{
	int r = verify->try_open(path);

	if (r == -EPERM || r == -EACCES)
		verify_say(verify, "device", VERIFY_CLOSED, NULL, "%s (%s) cannot be opened", path, what);
	else if (!r)
		verify_say(verify, "device", VERIFY_OPEN, advice,
			   "%s (%s) can be opened and has the volume's bytes", path, what);
	else
		verify_say(verify, "device", VERIFY_UNKNOWN, "make its node, or look who else has one",
			   "%s (%s): %s", path, what, strerror(-r));
}

static void check_open(struct verify *verify, const char *path, const char *what)
{
	check_open_or(verify, path, what, "use dm-crypt with a key that only the trustee holds");
}

/* "major:minor" of a directory of sysfs. */
static bool number_in(const struct verify *verify, const char *directory, char device[32])
{
	char *text = verify_read(verify, "%s/dev", directory);
	bool good = text && sscanf(text, "%31s", device) == 1;

	free(text);
	return good;
}

static void check_device(struct verify *verify, const char *device, const char *what,
			 unsigned int depth);

/* Each device that a directory of sysfs has a link to. How many these are. */
static unsigned int check_links(struct verify *verify, const char *directory, const char *what,
				unsigned int depth)
{
	char path[512], entry_path[1024], number[32];
	unsigned int count = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s%s", verify->root, directory);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(entry_path, sizeof(entry_path), "%s/%s", directory, entry->d_name);
		if (!number_in(verify, entry_path, number))
			continue;
		check_device(verify, number, what, depth);
		count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

/* What is listed in a directory of a device: slaves, holders. */
static void check_list(struct verify *verify, const char *device, const char *list,
		       const char *what, unsigned int depth)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/dev/block/%s/%s", device, list);
	check_links(verify, path, what, depth + 1);
}

static void check_node(struct verify *verify, const char *node)
{
	check_open_or(verify, node, "passes commands to the disk",
		      "see that the agent runs, with \"lower-devices: closed\", see trusteed.yaml(5); or use dm-crypt with a key that only the trustee holds");
}

static void check_if_there(struct verify *verify, const char *node)
{
	if (verify_exists(verify, node))
		check_node(verify, node);
}

/* A disk that may be reached by several controllers has its own and theirs. */
static void check_controllers(struct verify *verify, const char *device)
{
	char path[512], node[32];
	struct dirent *entry;
	unsigned int number;
	int length;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/dev/block/%s/device", verify->root, device);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		length = 0;
		if (sscanf(entry->d_name, "nvme%u%n", &number, &length) != 1 || !length ||
		    entry->d_name[length])
			continue;
		snprintf(node, sizeof(node), "/dev/nvme%u", number);
		check_if_there(verify, node);
	}
	if (dir)
		closedir(dir);
}

/* Character devices that pass commands on to the disk. */
static void check_commands(struct verify *verify, const char *device, const char *name)
{
	static const char *const lists[] = { "scsi_generic", "bsg" };
	unsigned int controller, space;
	char node_of_nvme[64];
	int length = 0;

	if (sscanf(name, "nvme%un%u%n", &controller, &space, &length) == 2 && !name[length]) {
		snprintf(node_of_nvme, sizeof(node_of_nvme), "/dev/ng%un%u", controller, space);
		check_if_there(verify, node_of_nvme);
		snprintf(node_of_nvme, sizeof(node_of_nvme), "/sys/dev/block/%s/device/dev", device);
		if (verify_exists(verify, node_of_nvme)) {
			snprintf(node_of_nvme, sizeof(node_of_nvme), "/dev/nvme%u", controller);
			check_if_there(verify, node_of_nvme);
		}
		check_controllers(verify, device);
	}

	for (size_t i = 0; i < 2; i++) {
		char path[512], node[300];
		struct dirent *entry;
		DIR *dir;

		snprintf(path, sizeof(path), "%s/sys/dev/block/%s/device/%s", verify->root, device,
			 lists[i]);
		dir = opendir(path);
		while (dir && (entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(node, sizeof(node), "/dev/%s%s", i ? "bsg/" : "", entry->d_name);
			check_node(verify, node);
		}
		if (dir)
			closedir(dir);
	}
}

/* Below dm-crypt there is nothing to be read. */
static bool is_encrypted(const struct verify *verify, const char *device)
{
	char *uuid = verify_read(verify, "/sys/dev/block/%s/dm/uuid", device);
	bool encrypted = uuid && !strncmp(uuid, "CRYPT-", 6);

	free(uuid);
	return encrypted;
}

static void check_below(struct verify *verify, const char *device, const char *name,
			unsigned int depth)
{
	char *file = verify_read(verify, "/sys/dev/block/%s/loop/backing_file", device);
	char path[512], number[32];

	if (file) {
		file[strcspn(file, "\n")] = '\0';
		check_open(verify, file, "file of a loop device");
		free(file);
	}
	if (is_encrypted(verify, device)) {
		verify_say(verify, "device", VERIFY_CLOSED, NULL,
			   "what lies below %s is encrypted; see who has its key", name);
		return;
	}
	snprintf(path, sizeof(path), "/sys/dev/block/%s/partition", device);
	if (verify_exists(verify, path)) {
		snprintf(path, sizeof(path), "/sys/dev/block/%s/..", device);
		if (number_in(verify, path, number))
			check_device(verify, number, "whole disk", depth + 1);
	}
	check_list(verify, device, "slaves", "below it", depth);
	check_commands(verify, device, name);
}

static bool was_seen(struct verify *verify, const char *device)
{
	unsigned int high, low;

	if (sscanf(device, "%u:%u", &high, &low) != 2)
		return false;
	for (size_t i = 0; i < verify->seen_count; i++)
		if (verify->seen[i] == makedev(high, low))
			return true;
	if (verify->seen_count < VERIFY_DEVICES_MAX)
		verify->seen[verify->seen_count++] = makedev(high, low);
	return false;
}

static void check_device(struct verify *verify, const char *device, const char *what,
			 unsigned int depth)
{
	char name[64], path[80];

	if (depth > DEPTH_MAX || was_seen(verify, device))
		return;
	name_of(verify, device, name);
	if (!*name) {
		verify_say(verify, "device", VERIFY_UNKNOWN, "mount sysfs",
			   "device %s (%s) is not to be found in sysfs", device, what);
		return;
	}
	snprintf(path, sizeof(path), "/dev/%s", name);
	check_open(verify, path, what);
	check_below(verify, device, name, depth);
}

/* What the filesystem itself is on beside the device that it was mounted from. */
static void check_others(struct verify *verify)
{
	for (size_t i = 0; i < verify->own_count; i++) {
		char number[32];

		snprintf(number, sizeof(number), "%u:%u", major(verify->own[i]),
			 minor(verify->own[i]));
		check_device(verify, number, "journal, log, other data, or on the same sectors", 0);
		check_list(verify, number, "holders", "set up over it", 0);
	}
}

/* Loop devices and swap that have a file of the volume open as the kernel. */
static void check_kernel_users(struct verify *verify)
{
	size_t length = verify->path ? strlen(verify->path) : 0;
	char path[512];
	struct dirent *entry;
	unsigned int found = 0;
	DIR *dir;

	if (!length)
		return;
	snprintf(path, sizeof(path), "%s/sys/block", verify->root);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char *file;

		if (strncmp(entry->d_name, "loop", 4))
			continue;
		file = verify_read(verify, "/sys/block/%s/loop/backing_file", entry->d_name);
		if (file && !strncmp(file, verify->path, length) && file[length] == '/') {
			file[strcspn(file, "\n")] = '\0';
			found++;
			verify_say(verify, "loop", VERIFY_OPEN, "losetup -d it",
				   "/dev/%s gives out what is in %s, unchecked", entry->d_name, file);
		}
		free(file);
	}
	if (dir)
		closedir(dir);
	if (!found)
		verify_say(verify, "loop", VERIFY_CLOSED, NULL, "no loop device over a file of the volume");
}

void verify_devices(struct verify *verify)
{
	if (*verify->members) {
		if (!check_links(verify, verify->members, "device of the volume", 0))
			verify_say(verify, "device", VERIFY_UNKNOWN, "mount sysfs",
				   "%s lists no device", verify->members);
	/* Filesystems without a device have numbers, too. */
	} else if (!strncmp(verify->device, "0:", 2)) {
		verify_say(verify, "device", VERIFY_CLOSED, NULL, "there is none below this filesystem");
	} else {
		check_device(verify, verify->device, "device of the volume", 0);
		check_list(verify, verify->device, "holders", "set up over it", 0);
		check_others(verify);
	}
	check_kernel_users(verify);
}
