// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mounts without mounting: a directory that holds a file ".mounted" counts as
 * the root of a filesystem of its own, with its inode number as the device's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

int mounts_find(const char *device, char **ret_path)
{
	(void)device;
	*ret_path = NULL;
	return -ENOENT;
}

int mounts_open_root(const char *path, int *ret_fd, char device[32], struct refusal *refusal)
{
	struct stat st;
	int fd;

	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(refusal, errno, "path", "\"%.256s\" does not exist", path);
	if (faccessat(fd, ".mounted", F_OK, 0) < 0 || fstat(fd, &st) < 0) {
		close(fd);
		return refuse(refusal, ENXIO, "path", "nothing is mounted at \"%.256s\"", path);
	}
	snprintf(device, 32, "0:%llu", (unsigned long long)st.st_ino);
	*ret_fd = fd;
	return 0;
}

int mounts_check_vital(const struct agent *agent, const char *device, const char *path,
		       struct refusal *refusal)
{
	(void)agent;
	(void)device;
	if (strstr(path, "vital"))
		return refuse(refusal, EINVAL, "path", "vital");
	return 0;
}
