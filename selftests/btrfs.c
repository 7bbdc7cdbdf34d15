// SPDX-License-Identifier: GPL-2.0-only
/*
 * btrfs - what only btrfs can be told to do; see btrfs.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "btrfs.h"

static int command_at(int fd, unsigned long cmd, void *argument)
{
	return ioctl(fd, cmd, argument) < 0 ? errno : 0;
}

int btrfs_command(const char *path, unsigned long cmd, void *argument)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = command_at(fd, cmd, argument);
	close(fd);
	return err;
}

/* A command to a directory about a name in it, or about a device. */
static int name_at(int fd, unsigned long cmd, const char *name)
{
	struct btrfs_ioctl_vol_args arguments = {};

	snprintf(arguments.name, sizeof(arguments.name), "%s", name);
	return command_at(fd, cmd, &arguments);
}

static int in_directory(const char *dir, int (*each)(int fd, const char *name),
			const char *name)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = each(fd, name);
	close(fd);
	return err;
}

int btrfs_create_at(int fd, const char *name)
{
	return name_at(fd, BTRFS_IOC_SUBVOL_CREATE, name);
}

int btrfs_create(const char *dir, const char *name)
{
	return in_directory(dir, btrfs_create_at, name);
}

int btrfs_destroy_at(int fd, const char *name)
{
	return name_at(fd, BTRFS_IOC_SNAP_DESTROY, name);
}

int btrfs_destroy(const char *dir, const char *name)
{
	return in_directory(dir, btrfs_destroy_at, name);
}

static int snapshot(int fd, int dir, const char *name, uint64_t flags)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {
		.fd = fd, .flags = flags,
	};

	snprintf(arguments.name, sizeof(arguments.name), "%s", name);
	return command_at(dir, BTRFS_IOC_SNAP_CREATE_V2, &arguments);
}

int btrfs_snapshot_at(int fd, int dir, const char *name)
{
	return snapshot(fd, dir, name, 0);
}

int btrfs_snapshot(const char *of, const char *dir, const char *name,
		   uint64_t flags)
{
	int fd = open(of, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int into = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || into < 0 ? errno : snapshot(fd, into, name, flags);

	close(fd);
	close(into);
	return err;
}

#define SEARCH_BYTES	65536

static const struct btrfs_ioctl_search_key all_data = {
	.min_type = BTRFS_EXTENT_DATA_KEY,
	.max_objectid = UINT64_MAX,
	.max_offset = UINT64_MAX,
	.max_transid = UINT64_MAX,
	.max_type = BTRFS_EXTENT_DATA_KEY,
	.nr_items = 4096,
};

int btrfs_search(int fd, int newer, const char *secret)
{
	static union {
		struct btrfs_ioctl_search_args old;
		struct btrfs_ioctl_search_args_v2 now;
		char room[sizeof(struct btrfs_ioctl_search_args_v2) +
			  SEARCH_BYTES];
	} search;
	int err;

	memset(&search, 0, sizeof(search));
	if (newer) {
		search.now.key = all_data;
		search.now.buf_size = SEARCH_BYTES;
		err = command_at(fd, BTRFS_IOC_TREE_SEARCH_V2, &search);
	} else {
		search.old.key = all_data;
		err = command_at(fd, BTRFS_IOC_TREE_SEARCH, &search);
	}
	if (err)
		return err;
	return memmem(&search, sizeof(search), secret, strlen(secret)) ?
	       0 : ENOENT;
}

int btrfs_send(int fd, const char *secret)
{
	struct btrfs_ioctl_send_args arguments = {};
	char stream[65536];
	int pipes[2], err;
	ssize_t got;

	if (pipe2(pipes, O_CLOEXEC))
		return errno;
	arguments.send_fd = pipes[1];
	err = command_at(fd, BTRFS_IOC_SEND, &arguments);
	close(pipes[1]);
	got = read(pipes[0], stream, sizeof(stream));
	close(pipes[0]);
	if (err)
		return err;
	return got > 0 && memmem(stream, got, secret, strlen(secret)) ?
	       0 : ENOENT;
}

int btrfs_add_device(int fd, const char *device)
{
	return name_at(fd, BTRFS_IOC_ADD_DEV, device);
}

int btrfs_replace(int fd, const char *device)
{
	struct btrfs_ioctl_dev_replace_args arguments = {
		.cmd = BTRFS_IOCTL_DEV_REPLACE_CMD_START,
		.start.srcdevid = 1,
	};

	snprintf((char *)arguments.start.tgtdev_name,
		 sizeof(arguments.start.tgtdev_name), "%s", device);
	return command_at(fd, BTRFS_IOC_DEV_REPLACE, &arguments);
}
