// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_mount - rows: mounts over a volume's files, and the device below it.
 *
 * Owns: what goes by mount points, by device numbers and by devices that were
 * open before.
 *
 * Must not own: opens by way of another mount (matrix_open.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/blkdev.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

static int cover(const char *what, const char *type, unsigned long flags,
		 const char *path)
{
	int err = scene_result(mount(what, path, type, flags, NULL));

	if (!err)
		umount2(path, MNT_DETACH);
	return err;
}

static int cover_directory(void)
{
	return cover("tmpfs", "tmpfs", 0, "db");
}

static int cover_file(void)
{
	return cover("/etc/hostname", NULL, MS_BIND, "db/a");
}

/* By the newer system calls. */
static int cover_newly(void)
{
	int tree, err;

	tree = open_tree(AT_FDCWD, "/etc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return errno;
	err = scene_result(move_mount(tree, "", AT_FDCWD, "db",
				      MOVE_MOUNT_F_EMPTY_PATH));
	if (!err)
		umount2("db", MNT_DETACH);
	return err;
}

static int remount(void)
{
	const char *const path = scene.disk->path;

	return scene_result(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY,
				  NULL)) ?:
	       scene_result(mount(NULL, path, NULL, MS_REMOUNT, NULL));
}

/* Removed files that earlier watches still hold are in the way for a while. */
static int prepare_remount(void)
{
	unsigned int tries;
	int err;

	for (tries = 0; tries < 500; tries++) {
		err = remount();
		if (err != EBUSY)
			break;
		usleep(10 * 1000);
	}
	return err;
}

static int pivot_over(void)
{
	return scene_result(unshare(CLONE_NEWNS)) ?:
	       scene_result(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE,
				  NULL)) ?:
	       scene_result(syscall(SYS_pivot_root, scene.disk->path, "db"));
}

/* No quota is kept on the volume, which is told after the check. */
static int set_quota(void)
{
	struct fs_disk_quota limit = {
		.d_version = FS_DQUOT_VERSION, .d_flags = FS_USER_QUOTA,
		.d_fieldmask = FS_DQ_BHARD, .d_blk_hardlimit = 8,
	};

	return scene_result(syscall(SYS_quotactl, QCMD(Q_XSETQLIM, USRQUOTA),
				    scene.disk->device, 12345, &limit));
}

static int set_quota_fd(void)
{
	struct fs_disk_quota limit = {
		.d_version = FS_DQUOT_VERSION, .d_flags = FS_USER_QUOTA,
		.d_fieldmask = FS_DQ_BHARD, .d_blk_hardlimit = 8,
	};

	return scene_result(syscall(SYS_quotactl_fd, scene.fd,
				    QCMD(Q_XSETQLIM, USRQUOTA), 12345,
				    &limit));
}

/* It was not mounted for that, which is told after the check. */
static int switch_quota_on(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/db/a", scene.disk->path);
	return scene_result(syscall(SYS_quotactl, QCMD(Q_QUOTAON, USRQUOTA),
				    scene.disk->device, QFMT_VFS_V1, path));
}

/* By the newer system calls; to the options that it has. */
static int reconfigure(void)
{
	int fd = fspick(AT_FDCWD, scene.disk->path, FSPICK_CLOEXEC);

	return scene_result(fd) ?:
	       scene_result(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL,
				     0));
}

static const struct matrix_route mounts[] = {
	{ .name = "mount over a directory", .hook = "sb_mount", .also = "mount_test",
	  .go = cover_directory, .needs = { MATRIX_FILE("db", GATE_NAMES) } },
	{ .name = "bind mount over a file", .hook = "sb_mount", .also = "mount_test",
	  .go = cover_file, .needs = { MATRIX_FILE("db", GATE_NAMES) } },
	{ .name = "move_mount over a directory", .hook = "move_mount", .also = "mount_test",
	  .go = cover_newly, .needs = { MATRIX_FILE("db", GATE_NAMES) } },
	{ .name = "pivot_root over a directory", .hook = "sb_pivotroot", .also = "mount_test",
	  .go = pivot_over, .needs = { MATRIX_FILE("db", GATE_NAMES) } },
	{ .name = "quota limits", .hook = "quotactl", .also = "mount_test",
	  .go = set_quota, .on = MATRIX_EXT4 | MATRIX_XFS, .done = ESRCH,
	  .needs = { MATRIX_TREE(".", GATE_META) } },
	{ .name = "quota limits, by a descriptor", .hook = "quotactl", .also = "",
	  .prepare = scene_files, .go = set_quota_fd, .on = MATRIX_EXT4,
	  .done = ESRCH, .needs = { MATRIX_TREE(".", GATE_META) } },
	{ .name = "quotaon", .hook = "quotactl", .also = "mount_test",
	  .go = switch_quota_on, .on = MATRIX_EXT4, .done = EINVAL,
	  .needs = { MATRIX_TREE(".", GATE_META) } },
	{ .name = "remount by fsconfig", .hook = "sb_remount", .also = "",
	  .go = reconfigure, .on = MATRIX_EXT4,
	  .needs = { MATRIX_TREE(".", GATE_META) } },
	{ .name = "remount", .hook = "sb_remount", .also = "mount_test",
	  .prepare = prepare_remount, .go = remount, .needs = { MATRIX_TREE(".", GATE_META) } },
};

const struct matrix_group matrix_mounts = MATRIX_GROUP("Mounts", mounts);

/* The device has all files, so no grant is for it. */

#define NODE	DISK_MOUNTS "/node"

static int read_device(void)
{
	return attempt_open(scene.disk->device, O_RDONLY);
}

static int write_device(void)
{
	return attempt_open(scene.disk->device, O_WRONLY);
}

static int prepare_node(void)
{
	struct stat info;

	return scene_result(stat(scene.disk->device, &info)) ?:
	       scene_result(mknod(NODE, S_IFBLK | 0600, info.st_rdev));
}

static void undo_node(void)
{
	unlink(NODE);
}

static int read_node(void)
{
	return attempt_open(NODE, O_RDONLY);
}

static int read_part(void)
{
	return attempt_open(scene.part, O_RDONLY);
}

/* Opened when nothing was protected yet. */

static int read_opened(void)
{
	char byte;

	return scene_result(pread(scene.raw, &byte, 1, 0));
}

static int map_opened(void)
{
	void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, scene.raw, 0);

	return page == MAP_FAILED ? errno : scene_result(munmap(page, 1));
}

static int command_opened(void)
{
	uint64_t bytes;

	return scene_result(ioctl(scene.raw, BLKGETSIZE64, &bytes));
}

/* It would take what is open for writing. */
static void to_discard(struct io_uring_sqe *sqe)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, scene.raw, NULL, 0, 0);
	sqe->cmd_op = BLOCK_URING_CMD_DISCARD;
}

static int ring_opened(void)
{
	return scene_ring(to_discard);
}

/* The kernel opens it, too, for who could not. */
static int mount_again(void)
{
	int err = scene_result(mount(scene.disk->device, SCENE_PLACE,
				     scene.disk->fstype, 0, NULL));

	if (err)
		return err;
	err = attempt_read(SCENE_PLACE "/db/a", 0);
	umount2(SCENE_PLACE, MNT_DETACH);
	return err;
}

static const struct matrix_route devices[] = {
	{ .name = "device below, for reading", .hook = "block_device", .also = "device_test",
	  .go = read_device, .on = MATRIX_DEVICE, .denied = EPERM },
	{ .name = "device below, for writing", .hook = "block_device", .also = "device_test",
	  .go = write_device, .on = MATRIX_DEVICE, .denied = EPERM },
	{ .name = "device below, by another node", .hook = "block_device", .also = "device_test",
	  .prepare = prepare_node, .undo = undo_node,
	  .go = read_node, .on = MATRIX_DEVICE, .denied = EPERM },
	{ .name = "partition on the same sectors", .hook = "block_device", .also = "held_test",
	  .go = read_part, .on = MATRIX_DEVICE, .denied = EPERM },
	{ .name = "device below, opened before, read", .hook = "file_permission", .also = "opened_device_test",
	  .go = read_opened, .on = MATRIX_DEVICE },
	{ .name = "device below, opened before, mapped", .hook = "mmap_file", .also = "opened_device_test",
	  .go = map_opened, .on = MATRIX_DEVICE },
	{ .name = "device below, opened before, ioctl", .hook = "file_ioctl", .also = "opened_device_test",
	  .go = command_opened, .on = MATRIX_DEVICE },
	{ .name = "device below, opened before, io_uring command", .hook = "uring_cmd", .also = "opened_device_test",
	  .go = ring_opened, .on = MATRIX_DEVICE, .done = EBADF },
	{ .name = "mount of the same device", .hook = "file_open", .also = "device_test",
	  .go = mount_again, .on = MATRIX_EXT4 | MATRIX_XFS,
	  .needs = { MATRIX_FILE("db/a", GATE_READ) } },
};

const struct matrix_group matrix_devices =
	MATRIX_GROUP("The device below", devices);
