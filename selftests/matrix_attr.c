// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_attr - rows: attributes and watches.
 *
 * Owns: changing attributes and reading extended ones.
 *
 * Must not own: ioctls (matrix_command.c), looking at what stat(2) and the like
 * tell (matrix_left.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

#define META	GATE_META

static int change_mode(void)
{
	return scene_result(chmod("db/a", 0640));
}

static int change_mode_fd(void)
{
	return scene_result(fchmod(scene.fd, 0640));
}

static int change_owner(void)
{
	return scene_result(chown("db/a", 1, -1));
}

static int change_times(void)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };

	return scene_result(utimensat(AT_FDCWD, "db/a", times, 0));
}

static int touch(void)
{
	return scene_result(utimensat(AT_FDCWD, "db/a", NULL, 0));
}

static int change_size(void)
{
	return scene_result(truncate("db/a", 5));
}

static int get_xattr(void)
{
	char value[16];

	return scene_result(getxattr("db/a", SCENE_XATTR, value,
				     sizeof(value)));
}

static int get_xattr_fd(void)
{
	char value[16];

	return scene_result(fgetxattr(scene.fd, SCENE_XATTR, value,
				      sizeof(value)));
}

static int set_xattr(void)
{
	return scene_result(setxattr("db/a", SCENE_XATTR, "new", 3, 0));
}

static int remove_xattr(void)
{
	return scene_result(removexattr("db/a", SCENE_XATTR));
}

static int set_acl(void)
{
	return attempt_set_acl("db/a");
}

static int remove_acl(void)
{
	return scene_result(removexattr("db/a", SCENE_ACL));
}

/* A system call of newer kernels for what is an ioctl on others. */
static int set_file_attributes(void)
{
	return attempt_set_attributes("db/a");
}

static int watch(void)
{
	return scene_result(inotify_add_watch(inotify_init1(IN_CLOEXEC),
					      "db/a", IN_ACCESS));
}

static int watch_by_fanotify(unsigned int flags)
{
	return scene_result(fanotify_mark(fanotify_init(FAN_CLOEXEC, O_RDONLY),
					  FAN_MARK_ADD | flags, FAN_OPEN,
					  AT_FDCWD, "db/a"));
}

static int watch_file(void)
{
	return watch_by_fanotify(0);
}

static int watch_mount(void)
{
	return watch_by_fanotify(FAN_MARK_MOUNT);
}

static int watch_filesystem(void)
{
	return watch_by_fanotify(FAN_MARK_FILESYSTEM);
}

static int watch_by_dnotify(void)
{
	int err = scene_result(fcntl(scene.fd, F_NOTIFY, DN_CREATE));

	/* What a kernel without it says. */
	return err == EINVAL ? ENOSYS : err;
}

static const struct matrix_route attributes[] = {
	{ .name = "chmod", .hook = "inode_setattr", .also = "attr_test",
	  .go = change_mode, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "fchmod", .hook = "inode_setattr", .also = "attr_test",
	  .prepare = scene_files, .go = change_mode_fd,
	  .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "chown", .hook = "inode_setattr", .also = "attr_test",
	  .go = change_owner, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "utimensat", .hook = "inode_setattr", .also = "attr_test",
	  .go = change_times, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "utimensat, now", .hook = "inode_setattr", .also = "attr_test",
	  .go = touch, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "truncate", .hook = "inode_setattr", .also = "attr_test",
	  .go = change_size, .needs = { MATRIX_FILE("db/a", GATE_WRITE) } },
	{ .name = "getxattr", .hook = "inode_getxattr", .also = "route_test",
	  .go = get_xattr, .needs = { MATRIX_FILE("db/a", GATE_READ) } },
	{ .name = "fgetxattr", .hook = "inode_getxattr", .also = "route_test",
	  .prepare = scene_files, .go = get_xattr_fd,
	  .needs = { MATRIX_FILE("db/a", GATE_READ) } },
	{ .name = "setxattr", .hook = "inode_setxattr", .also = "route_test",
	  .go = set_xattr, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "removexattr", .hook = "inode_removexattr", .also = "route_test",
	  .go = remove_xattr, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "set an ACL", .hook = "inode_set_acl", .also = "route_test",
	  .go = set_acl, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "remove an ACL", .hook = "inode_remove_acl", .also = "route_test",
	  .go = remove_acl, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "file_setattr", .hook = "inode_file_setattr", .also = "route_test",
	  .go = set_file_attributes, .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "inotify watch", .hook = "path_notify", .also = "route_test",
	  .go = watch, .needs = { MATRIX_FILE("db/a", GATE_READ) } },
	{ .name = "fanotify mark on a file", .hook = "path_notify", .also = "route_test",
	  .go = watch_file, .needs = { MATRIX_FILE("db/a", GATE_READ) } },
	{ .name = "fanotify mark on a mount", .hook = "path_notify", .also = "route_test",
	  .go = watch_mount, .needs = { MATRIX_TREE(".", GATE_READ) } },
	{ .name = "fanotify mark on the filesystem", .hook = "path_notify", .also = "route_test",
	  .go = watch_filesystem, .needs = { MATRIX_TREE(".", GATE_READ) } },
	{ .name = "dnotify", .hook = "path_notify", .also = "",
	  .prepare = scene_directory, .go = watch_by_dnotify, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db", GATE_READ) } },
};

const struct matrix_group matrix_attributes =
	MATRIX_GROUP("Attributes and watches", attributes);
