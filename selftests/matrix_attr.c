// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_attr - rows: attributes, ioctls, watches.
 *
 * Owns: changing attributes and reading extended ones, and every ioctl.
 *
 * Must not own: looking at what stat(2) and the like tell (matrix_left.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
};

const struct matrix_group matrix_attributes =
	MATRIX_GROUP("Attributes and watches", attributes);

/* Commands. */

static int map_extents(void)
{
	struct fiemap map = { .fm_length = ~0ULL };

	return scene_result(ioctl(scene.fd, FS_IOC_FIEMAP, &map));
}

static int set_flags(void)
{
	int flags;

	return scene_result(ioctl(scene.fd, FS_IOC_GETFLAGS, &flags)) ?:
	       scene_result(ioctl(scene.fd, FS_IOC_SETFLAGS, &flags));
}

static int set_fsxattr(void)
{
	struct fsxattr now;

	return scene_result(ioctl(scene.fd, FS_IOC_FSGETXATTR, &now)) ?:
	       scene_result(ioctl(scene.fd, FS_IOC_FSSETXATTR, &now));
}

static int reserve(void)
{
	return attempt_reserve(scene.fd, 4 * SCENE_BYTES);
}

static int move_extents(void)
{
	return attempt_move_extents(scene.fd, scene.other);
}

static int prepare_blocks(void)
{
	return scene_files() ?: scene_result(fsync(scene.fd)) ?:
	       scene_result(fsync(scene.other));
}

/* As XFS_IOC_SWAPEXT but for its size, so that none of its files matters. */
static int swap_extents(void)
{
	struct {
		int64_t version, target, temporary, offset, length;
		char pad[16], stat[192];
	} swap = { .version = 1, .target = -1, .temporary = -1 };

	return scene_result(ioctl(scene.fd, _IOWR('X', 109, swap), &swap));
}

static int trim(void)
{
	struct fstrim_range range = { .len = 1 };

	return scene_result(ioctl(scene.fd, FITRIM, &range));
}

static int unknown_command(void)
{
	return scene_result(ioctl(scene.fd, 0x7472757374, 0));
}

#ifdef __x86_64__
static void give_up(int unused)
{
	_exit(1);
}

/* A kernel that runs no such programs ends who tries. */
static bool has_compat(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, give_up);
		attempt_compat(20, 0, 0, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !status;
}

static int compat_set_flags(void)
{
	int *flags;

	if (!has_compat())
		return ENOSYS;
	flags = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (flags == MAP_FAILED)
		return errno;
	return attempt_compat(54, scene.fd, FS_IOC32_GETFLAGS, flags) ?:
	       attempt_compat(54, scene.fd, FS_IOC32_SETFLAGS, flags);
}
#else
static int compat_set_flags(void)
{
	return ENOSYS;
}
#endif

static const struct matrix_route ioctls[] = {
	{ .name = "FS_IOC_FIEMAP", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = map_extents, .on = MATRIX_DEVICE,
	  .needs = { MATRIX_FILE("db/a", GATE_READ) } },
	{ .name = "FS_IOC_SETFLAGS", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = set_flags,
	  .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "FS_IOC32_SETFLAGS of 32 bits", .hook = "file_ioctl_compat", .also = "route_test",
	  .prepare = scene_files, .go = compat_set_flags,
	  .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "FS_IOC_FSSETXATTR", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = set_fsxattr,
	  .needs = { MATRIX_FILE("db/a", META) } },
	{ .name = "FS_IOC_RESVSP", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = reserve, .on = MATRIX_DEVICE,
	  .needs = { MATRIX_FILE("db/a", GATE_WRITE) } },
	{ .name = "EXT4_IOC_MOVE_EXT", .hook = "file_ioctl", .also = "route_test",
	  .prepare = prepare_blocks, .go = move_extents, .on = MATRIX_EXT4 },
	{ .name = "XFS_IOC_SWAPEXT", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = swap_extents, .on = MATRIX_XFS,
	  .done = ENOTTY },
	{ .name = "FITRIM", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = trim, .on = MATRIX_DEVICE,
	  .done = EINVAL },
	{ .name = "ioctl that nobody knows", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = unknown_command, .done = ENOTTY },
};

const struct matrix_group matrix_ioctls = MATRIX_GROUP("Commands", ioctls);
