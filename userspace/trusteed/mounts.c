// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - where filesystems are mounted.
 *
 * Owns: the reading of /proc/self/mountinfo, the check that a path is the root
 * of a whole filesystem.
 *
 * Must not own: volumes. It keeps no descriptor: one would make the mount busy
 * for its owner's umount.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "process_entry.h"

/* Blanks and backslashes are written as \ooo in mountinfo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' &&
		    at[2] >= '0' && at[2] <= '7' && at[3] >= '0' && at[3] <= '7') {
			*to = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 |
				     (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

struct mount {
	unsigned long long id;
	char *device;
	char *root;
	char *path;
};

/* "36 35 98:0 /root /path options ..." cut up in place */
static bool parse_line(char *line, struct mount *mount)
{
	char *save, *field[5];

	for (int i = 0; i < 5; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	mount->id = strtoull(field[0], NULL, 10);
	mount->device = field[2];
	mount->root = field[3];
	mount->path = field[4];
	unescape(mount->root);
	unescape(mount->path);
	return true;
}

/* Calls @match for each mount until it returns true. 0, -ENOENT or -errno. */
static int search(bool (*match)(const struct mount *mount, void *userdata),
		  void *userdata)
{
	int entry = process_entry_open(getpid());
	struct mount mount;
	char *line = NULL;
	size_t size = 0;
	int r = -ENOENT;
	FILE *stream;

	if (entry < 0)
		return entry;
	stream = process_entry_text(entry, "mountinfo");
	if (!stream)
		r = -errno;
	close(entry);
	if (!stream)
		return r;
	while (r == -ENOENT && getline(&line, &size, stream) > 0)
		if (parse_line(line, &mount) && match(&mount, userdata))
			r = 0;
	if (r == -ENOENT && ferror(stream))
		r = -EIO;
	free(line);
	fclose(stream);
	return r;
}

struct by_device {
	const char *device;
	char *path;
};

static bool match_device(const struct mount *mount, void *userdata)
{
	struct by_device *search_for = userdata;
	struct statx stx;

	if (strcmp(mount->device, search_for->device) || strcmp(mount->root, "/"))
		return false;
	/* Another filesystem may have been mounted on top of it. */
	if (statx(AT_FDCWD, mount->path, 0, STATX_MNT_ID, &stx) < 0 ||
	    stx.stx_mnt_id != mount->id)
		return false;
	search_for->path = strdup(mount->path);
	return search_for->path;
}

int mounts_find(const char *device, char **ret_path)
{
	struct by_device wanted = { .device = device };
	int r = search(match_device, &wanted);

	*ret_path = wanted.path;
	return r;
}

struct by_id {
	unsigned long long id;
	char root[256];
	char device[32];
};

static bool match_id(const struct mount *mount, void *userdata)
{
	struct by_id *wanted = userdata;

	if (mount->id != wanted->id)
		return false;
	snprintf(wanted->root, sizeof(wanted->root), "%s", mount->root);
	snprintf(wanted->device, sizeof(wanted->device), "%s", mount->device);
	return true;
}

static int check_root(const char *path, const struct statx *stx,
		      char device[32], struct refusal *refusal)
{
	struct by_id wanted = { .id = stx->stx_mnt_id };
	int r;

	if (!(stx->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
	    !(stx->stx_mask & STATX_MNT_ID))
		return refuse(refusal, EOPNOTSUPP, "path",
			      "the kernel does not tell whether \"%.256s\" is a mount point",
			      path);
	if (!(stx->stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return refuse(refusal, ENXIO, "path",
			      "nothing is mounted at \"%.256s\"", path);
	r = search(match_id, &wanted);
	if (r < 0)
		return refuse(refusal, -r, "path",
			      "the mount at \"%.256s\" cannot be found in /proc/self/mountinfo: %s",
			      path, strerror(-r));
	if (strcmp(wanted.root, "/"))
		return refuse(refusal, EINVAL, "path",
			      "at \"%.200s\" only \"%.200s\" of its filesystem is mounted; name a mount of the whole",
			      path, wanted.root);
	/* What stat(2) tells is a subvolume's, on btrfs. */
	memcpy(device, wanted.device, sizeof(wanted.device));
	return 0;
}

int mounts_open_root(const char *path, int *ret_fd, char device[32],
		     struct refusal *refusal)
{
	struct statx stx;
	int fd, r;

	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		if (r == -ENOENT)
			return refuse(refusal, ENOENT, "path", "\"%.256s\" does not exist",
				      path);
		return refuse(refusal, -r, "path", "\"%.256s\" cannot be reached: %s",
			      path, strerror(-r));
	}
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &stx) < 0)
		r = refuse(refusal, errno, "path", "\"%.256s\" cannot be examined: %s",
			   path, strerror(errno));
	else
		r = check_root(path, &stx, device, refusal);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* Number of the filesystem that a path is on, as mountinfo has it. */
static int device_of(const char *path, char device[32])
{
	struct by_id wanted;
	struct statx stx;
	int r;

	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &stx) < 0)
		return -errno;
	wanted.id = stx.stx_mnt_id;
	r = search(match_id, &wanted);
	/* In a root of its own not all mounts are to be seen. */
	if (r < 0)
		snprintf(device, 32, "%u:%u", stx.stx_dev_major, stx.stx_dev_minor);
	else
		memcpy(device, wanted.device, sizeof(wanted.device));
	return 0;
}

int mounts_check_vital(const struct agent *agent, const char *device,
		       const char *path, struct refusal *refusal)
{
	/* Protecting one of these would lock out the machine, the agent included. */
	const char *vital[] = {
		"/", "/usr", "/etc", "/var", "/run", "/dev", "/tmp", "/var/log/journal",
		"/run/log/journal", agent->options.config_path,
		agent->options.state_directory, agent->options.runtime_directory,
	};
	char its[32];

	for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++) {
		if (device_of(vital[i], its) < 0)
			continue;
		if (!strcmp(its, device))
			return refuse(refusal, EINVAL, "path",
				      "the filesystem at \"%.256s\" also holds %.128s, which the agent or the system needs",
				      path, vital[i]);
	}
	return 0;
}
