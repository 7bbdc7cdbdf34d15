// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_command - rows: ioctls.
 *
 * Owns: commands that every filesystem has, or ext4 or xfs alone.
 *
 * Must not own: those of btrfs (matrix_btrfs.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/ext4.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsmap.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

#define META	GATE_META

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

/* It could not be used before it is thawed. */
static int freeze(void)
{
	int err = scene_result(ioctl(scene.fd, FIFREEZE, 0));

	if (!err)
		ioctl(scene.fd, FITHAW, 0);
	return err;
}

static int map_space(void)
{
	struct {
		struct fsmap_head head;
		struct fsmap one[4];
	} map = {
		.head.fmh_count = 4,
		.head.fmh_keys[1] = {
			.fmr_device = UINT32_MAX,
			.fmr_flags = UINT32_MAX,
			.fmr_physical = UINT64_MAX,
			.fmr_owner = UINT64_MAX,
			.fmr_offset = UINT64_MAX,
		},
	};

	return scene_result(ioctl(scene.fd, FS_IOC_GETFSMAP, &map));
}

/* None of these is a key, which is told after the check. */
static int add_key(void)
{
	struct fscrypt_add_key_arg key = {};

	return scene_result(ioctl(scene.fd, FS_IOC_ADD_ENCRYPTION_KEY, &key));
}

static int set_policy(void)
{
	struct fscrypt_policy_v1 policy = { .version = 99 };

	return scene_result(ioctl(scene.fd, FS_IOC_SET_ENCRYPTION_POLICY,
				  &policy));
}

/* To one that it cannot shrink to. */
static int resize(void)
{
	uint64_t blocks = 1;

	return scene_result(ioctl(scene.fd, EXT4_IOC_RESIZE_FS, &blocks));
}

static int prepare_synced(void)
{
	return scene_files() ?: scene_result(fsync(scene.fd));
}

/* The file's blocks against those of the boot loader, which has none. */
static int swap_boot(void)
{
	return scene_result(ioctl(scene.fd, EXT4_IOC_SWAP_BOOT, 0));
}

/* In a way that there is none of. */
static int shut_down(void)
{
	uint32_t way = 99;

	return scene_result(ioctl(scene.fd, EXT4_IOC_SHUTDOWN, &way));
}

/* Handles of XFS, by which files are reached without their names; no header. */

struct xfs_request {
	uint32_t fd;
	const void *path;
	uint32_t open_flags;
	const void *in;
	uint32_t in_length;
	void *out;
	uint32_t *out_length;
};

static char xfs_handle[64];
static uint32_t xfs_handle_length;

#define XFS_FD_TO_HANDLE	_IOWR('X', 106, struct xfs_request)
#define XFS_OPEN_BY_HANDLE	_IOWR('X', 107, struct xfs_request)
#define XFS_READLINK_BY_HANDLE	_IOWR('X', 108, struct xfs_request)

/* With a gate nobody is told one, so it is the first trial's. */
static int find_handle(int fd)
{
	struct xfs_request request = {
		.fd = (uint32_t)fd, .out = xfs_handle,
		.out_length = &xfs_handle_length,
	};

	ioctl(fd, XFS_FD_TO_HANDLE, &request);
	return 0;
}

/* They are used on a directory. */
static int prepare_xfs_handle(void)
{
	scene.extra[0] = open("db", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scene_result(scene.extra[0]) ?: scene_files() ?:
	       find_handle(scene.fd);
}

static int xfs_open(void)
{
	struct xfs_request request = {
		.open_flags = O_RDONLY, .in = xfs_handle,
		.in_length = xfs_handle_length,
	};

	return scene_result(ioctl(scene.extra[0], XFS_OPEN_BY_HANDLE,
				  &request));
}

/* Of a link the handle cannot be had by name, but it is said to be no link. */
static int xfs_read_link(void)
{
	char target[16];
	uint32_t length = sizeof(target);
	struct xfs_request request = {
		.in = xfs_handle, .in_length = xfs_handle_length,
		.out = target, .out_length = &length,
	};

	return scene_result(ioctl(scene.extra[0], XFS_READLINK_BY_HANDLE,
				  &request));
}

static int xfs_bulkstat(void)
{
	struct {
		uint64_t first;
		uint32_t flags, wanted, found, group;
		uint64_t reserved[5];
		char room[4096];
	} request = { .wanted = 8 };

	return scene_result(ioctl(scene.fd, _IOR('X', 127, char[64]),
				  &request));
}

/* As XFS_IOC_EXCHANGE_RANGE, which files without the feature do not have. */
static int xfs_exchange(void)
{
	struct {
		int32_t fd;
		uint32_t pad;
		uint64_t from, to, length, flags;
	} request = { .fd = scene.other, .length = 4096 };

	return scene_result(ioctl(scene.fd, _IOW('X', 129, request),
				  &request));
}

#ifdef __x86_64__
static int compat_set_flags(void)
{
	int *flags = scene_compat();

	if (!flags)
		return ENOSYS;
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
	{ .name = "FIFREEZE", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = freeze, .on = MATRIX_DEVICE },
	{ .name = "FS_IOC_GETFSMAP", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = map_space,
	  .on = MATRIX_EXT4 | MATRIX_XFS },
	{ .name = "FS_IOC_ADD_ENCRYPTION_KEY", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = add_key, .on = MATRIX_EXT4,
	  .done = EOPNOTSUPP },
	{ .name = "FS_IOC_SET_ENCRYPTION_POLICY", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = set_policy, .on = MATRIX_EXT4,
	  .done = EOPNOTSUPP },
	{ .name = "EXT4_IOC_RESIZE_FS", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = resize, .on = MATRIX_EXT4,
	  .done = EINVAL },
	{ .name = "EXT4_IOC_SWAP_BOOT", .hook = "file_ioctl", .also = "",
	  .prepare = prepare_synced, .go = swap_boot, .on = MATRIX_EXT4 },
	{ .name = "EXT4_IOC_SHUTDOWN", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = shut_down, .on = MATRIX_EXT4,
	  .done = EINVAL },
	{ .name = "XFS_IOC_OPEN_BY_HANDLE", .hook = "file_ioctl", .also = "",
	  .prepare = prepare_xfs_handle, .go = xfs_open, .on = MATRIX_XFS },
	{ .name = "XFS_IOC_READLINK_BY_HANDLE", .hook = "file_ioctl", .also = "",
	  .prepare = prepare_xfs_handle, .go = xfs_read_link,
	  .on = MATRIX_XFS, .done = EINVAL },
	{ .name = "XFS_IOC_BULKSTAT", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = xfs_bulkstat, .on = MATRIX_XFS },
	{ .name = "XFS_IOC_EXCHANGE_RANGE", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = xfs_exchange, .on = MATRIX_XFS,
	  .done = EOPNOTSUPP },
	{ .name = "ioctl that nobody knows", .hook = "file_ioctl", .also = "route_test",
	  .prepare = scene_files, .go = unknown_command, .done = ENOTTY },
};

const struct matrix_group matrix_ioctls = MATRIX_GROUP("Commands", ioctls);
