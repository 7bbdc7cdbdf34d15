// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the file or subtree that a grant is for, see object.h.
 *
 * Owns: openat2(2) on tenants' volumes.
 *
 * Must not own: any open without O_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <trustgate.h>

#include "config.h"
#include "object.h"

/* Deeper than any path of 4095 bytes. */
#define DEPTH_MAX	2048

static int open_beneath(int directory, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	int fd;

	/* EAGAIN: a rename elsewhere disturbed the walk. */
	for (int i = 0; i < 16; i++) {
		fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
		if (fd >= 0)
			return fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

/* One step up without leaving the filesystem. -EXDEV at its root. */
static int open_parent(int directory)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_DIRECTORY,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = syscall(SYS_openat2, directory, "..", &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static int refuse_open(struct refusal *refusal, const char *path, int error)
{
	switch (error) {
	case ENOENT:
		return refuse(refusal, error, "path", "\"%.256s\" does not exist on the volume",
			      path);
	case ENOTDIR:
		return refuse(refusal, error, "path",
			      "\"%.256s\" leads through something that is not a directory", path);
	case ELOOP:
		return refuse(refusal, error, "path",
			      "\"%.256s\" leads through a symbolic link; name what it points to",
			      path);
	case EXDEV:
		return refuse(refusal, error, "path",
			      "\"%.256s\" leads out of the volume", path);
	default:
		return refuse(refusal, error, "path", "\"%.256s\" cannot be reached: %s",
			      path, strerror(error));
	}
}

/* The directory that holds the last component of a normalised path. */
static int open_holder(int root_fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *holder;
	int fd;

	if (!slash)
		return open_beneath(root_fd, ".", O_DIRECTORY);
	holder = strndup(path, slash - path);
	if (!holder)
		return -ENOMEM;
	fd = open_beneath(root_fd, holder, O_DIRECTORY);
	free(holder);
	return fd;
}

static int fill_kind(struct object *object, bool directory_demanded,
		     enum object_wish wish, struct refusal *refusal)
{
	struct stat st;

	if (fstat(object->fd, &st) < 0)
		return refuse(refusal, errno, "path", "\"%.256s\" cannot be examined: %s",
			      object->path, strerror(errno));
	object->directory = S_ISDIR(st.st_mode);
	if (S_ISLNK(st.st_mode))
		return refuse_open(refusal, object->path, ELOOP);
	if (!object->directory && (directory_demanded || wish == OBJECT_SUBTREE))
		return refuse(refusal, ENOTDIR, "path", "\"%.256s\" is not a directory",
			      object->path);
	object->kind = object->directory && wish != OBJECT_ONE_INODE ?
		       TRUSTGATE_OBJECT_KIND_SUBTREE : TRUSTGATE_OBJECT_KIND_FILE;
	return 0;
}

int object_resolve(int root_fd, const char *path, enum object_wish wish,
		   struct object *ret_object, struct refusal *refusal)
{
	struct object object = { .fd = -1, .parent_fd = -1 };
	bool directory_demanded;
	const char *wrong, *last;
	int r;

	wrong = config_path_check(path, &object.path, &directory_demanded);
	if (wrong)
		return refuse(refusal, EINVAL, "path", "\"%.256s\" %s", path, wrong);

	r = object.parent_fd = open_holder(root_fd, object.path);
	if (r >= 0) {
		last = strrchr(object.path, '/');
		r = object.fd = open_beneath(object.parent_fd,
					     last ? last + 1 : object.path,
					     O_NOFOLLOW);
	}
	r = r < 0 ? refuse_open(refusal, object.path, -r) :
		    fill_kind(&object, directory_demanded, wish, refusal);
	if (r < 0) {
		object_close(&object);
		return r;
	}
	if (object.directory) {
		close(object.parent_fd);
		object.parent_fd = fcntl(object.fd, F_DUPFD_CLOEXEC, 3);
		if (object.parent_fd < 0) {
			r = refuse(refusal, errno, NULL, "out of file descriptors");
			object_close(&object);
			return r;
		}
	}
	*ret_object = object;
	return 0;
}

void object_close(struct object *object)
{
	if (object->fd >= 0)
		close(object->fd);
	if (object->parent_fd >= 0)
		close(object->parent_fd);
	free(object->path);
	*object = (struct object){ .fd = -1, .parent_fd = -1 };
}

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* From @fd, which is consumed, up to the root: does @wanted occur? */
static int climb(int fd, const struct stat *wanted, const struct stat *root)
{
	struct stat here;
	int parent, r = -ELOOP;

	for (int depth = 0; depth < DEPTH_MAX; depth++) {
		if (fstat(fd, &here) < 0) {
			r = -errno;
			break;
		}
		if (same_inode(&here, wanted)) {
			r = 1;
			break;
		}
		if (same_inode(&here, root)) {
			r = 0;
			break;
		}
		parent = open_parent(fd);
		if (parent < 0) {
			r = parent;
			break;
		}
		close(fd);
		fd = parent;
	}
	close(fd);
	return r;
}

int object_beneath(int root_fd, const struct object *object, const char *path)
{
	struct stat wanted, root, itself;
	int fd, r;

	if (fstat(root_fd, &root) < 0 || fstat(object->fd, &itself) < 0)
		return -errno;
	fd = open_beneath(root_fd, path, O_NOFOLLOW);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP ? 0 : fd;
	/* Held until the end, so that its inode number cannot be used again. */
	r = fstat(fd, &wanted) < 0 ? -errno : 0;
	if (r == 0 && same_inode(&itself, &wanted)) {
		r = 1;
	} else if (r == 0) {
		int start = fcntl(object->parent_fd, F_DUPFD_CLOEXEC, 3);

		r = start < 0 ? -errno : climb(start, &wanted, &root);
	}
	close(fd);
	return r;
}
