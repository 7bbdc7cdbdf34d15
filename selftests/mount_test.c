// SPDX-License-Identifier: GPL-2.0-only
/*
 * mount_test - mounting over what lies on a volume, and changing its options
 * and disk quota.
 *
 * Owns: mount(2) and its relatives with a protected filesystem at their end,
 * and quotactl(2).
 *
 * Must not own: which filesystems can be protected (volume_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "attempt.h"
#include "gate.h"

#define ELSEWHERE	DISK_MOUNTS "/elsewhere"

FIXTURE(mounts) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(mounts)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, mkdir(ELSEWHERE, 0700));
}

FIXTURE_TEARDOWN_PARENT(mounts)
{
	gate_clean();
}

static int result(long value)
{
	return value < 0 ? errno : 0;
}

static int cover(const char *path)
{
	int err = result(mount("tmpfs", path, "tmpfs", 0, NULL));

	if (!err)
		umount2(path, MNT_DETACH);
	return err;
}

static int cover_file(const char *path)
{
	int err = result(mount("/etc/hostname", path, NULL, MS_BIND, NULL));

	if (!err)
		umount2(path, MNT_DETACH);
	return err;
}

/* By the newer system calls. */
static int cover_newly(const char *path)
{
	int tree, err;

	tree = open_tree(AT_FDCWD, "/etc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return errno;
	err = result(move_mount(tree, "", AT_FDCWD, path,
				MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
	if (!err)
		umount2(path, MNT_DETACH);
	return err;
}

static int move_over(const char *path)
{
	int err;

	if (mount("tmpfs", ELSEWHERE, "tmpfs", 0, NULL))
		return errno;
	err = result(mount(ELSEWHERE, path, NULL, MS_MOVE, NULL));
	umount2(err ? ELSEWHERE : path, MNT_DETACH);
	return err;
}

/* A program that writes to db/ is not to write to somebody else's directory. */
TEST_F(mounts, over)
{
	struct trustgate_event event;

	EXPECT_EQ(0, cover("db"));
	EXPECT_EQ(0, cover_file("db/a"));
	EXPECT_EQ(0, cover_newly("db"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, cover("db"));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("sb_mount", event.hook);
	EXPECT_EQ(GATE_NAMES, event.access);
	EXPECT_STREQ("/db", event.path);
	EXPECT_EQ(EACCES, cover_file("db/a"));
	/* This does no more than an unmount would. */
	EXPECT_EQ(0, cover(self->volume.disk.path));
	gate_forget_events(&self->gate);
	EXPECT_EQ(EACCES, cover_newly("db"));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("move_mount", event.hook);

	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), "db",
				     GATE_ALL & ~GATE_NAMES));
	EXPECT_EQ(EACCES, cover("db"));
	EXPECT_EQ(EACCES, cover_newly("db"));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), "db",
				     GATE_NAMES));
	EXPECT_EQ(0, cover("db"));
	EXPECT_EQ(0, cover_file("db/a"));
	EXPECT_EQ(0, cover_newly("db"));
	EXPECT_EQ(EACCES, cover("other"));
}

TEST_F(mounts, moved_over)
{
	/* What is mounted on something shared cannot be moved. */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	EXPECT_EQ(0, move_over("db"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, move_over("db"));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), "db",
				     GATE_NAMES));
	EXPECT_EQ(0, move_over("db"));
}

/* What changes no file's place: a second mount, its options, propagation. */
TEST_F(mounts, elsewhere)
{
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(0, mount(self->volume.disk.path, ELSEWHERE, NULL, MS_BIND,
			   NULL));
	EXPECT_EQ(0, mount(NULL, ELSEWHERE, NULL,
			   MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_EQ(0, mount(NULL, ELSEWHERE, NULL, MS_PRIVATE, NULL));
	EXPECT_EQ(EACCES, attempt_read(ELSEWHERE "/db/a", 0));
	EXPECT_EQ(0, umount2(ELSEWHERE, 0));
}

/* In a process of its own, whose root the volume becomes. */
static int pivot_over(const char *root, const char *old)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return errno;
	if (!child) {
		if (unshare(CLONE_NEWNS) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			_exit(errno);
		_exit(result(syscall(SYS_pivot_root, root, old)));
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return ECHILD;
	return WEXITSTATUS(status);
}

/* The old root in the place of a directory. */
TEST_F(mounts, pivoted_over)
{
	const char *const root = self->volume.disk.path;
	struct trustgate_grant_request request;
	struct trustgate_event event;

	EXPECT_EQ(0, pivot_over(root, "db"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, pivot_over(root, "db"));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("sb_pivotroot", event.hook);
	EXPECT_EQ(GATE_NAMES, event.access);
	EXPECT_STREQ("/db", event.path);
	/* Over the new root itself nothing is hidden, as containers do it. */
	EXPECT_EQ(0, pivot_over(root, root));

	request = gate_request(&self->volume, "db", GATE_NAMES);
	request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(0, pivot_over(root, "db"));
}

/* Options of the filesystem are for all of it. */
TEST_F(mounts, remount)
{
	const char *const path = self->volume.disk.path;
	struct trustgate_event event;

	EXPECT_EQ(0, mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(0, mount(NULL, path, NULL, MS_REMOUNT, NULL));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, result(mount(NULL, path, NULL,
				       MS_REMOUNT | MS_RDONLY, NULL)));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("sb_remount", event.hook);
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	EXPECT_EQ(EACCES, result(mount(NULL, path, NULL,
				       MS_REMOUNT | MS_RDONLY, NULL)));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_META));
	EXPECT_EQ(0, mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(0, mount(NULL, path, NULL, MS_REMOUNT, NULL));
}

/* A limit for a user, as the tools set it, and what he has. */
static int quota(const char *device, int command)
{
	struct fs_disk_quota limit = {
		.d_version = FS_DQUOT_VERSION, .d_flags = FS_USER_QUOTA,
		.d_id = 12345, .d_fieldmask = FS_DQ_BHARD, .d_blk_hardlimit = 8,
	};

	return result(syscall(SYS_quotactl, QCMD(command, USRQUOTA), device,
			      limit.d_id, &limit));
}

TEST_F(mounts, quota)
{
	struct trustgate_event event;
	struct volume volume;
	int device;

	ASSERT_EQ(0, volume_make(&volume, 1, "xfs"));
	ASSERT_EQ(0, chdir("/"));
	/* A loop device goes away with its last user. */
	device = open(volume.disk.device, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, umount2(volume.disk.path, 0));
	ASSERT_EQ(0, mount(volume.disk.device, volume.disk.path, "xfs", 0,
			   "uquota"));
	close(device);
	ASSERT_EQ(0, quota(volume.disk.device, Q_XSETQLIM));
	ASSERT_EQ(0, quota(volume.disk.device, Q_XGETQUOTA));

	ASSERT_EQ(0, volume_protect(&self->gate, &volume));
	EXPECT_EQ(EACCES, quota(volume.disk.device, Q_XSETQLIM));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("quotactl", event.hook);
	EXPECT_EQ(GATE_META, event.access);
	EXPECT_EQ(0, quota(volume.disk.device, Q_XGETQUOTA));
	EXPECT_EQ(0, quota(NULL, Q_SYNC));

	ASSERT_NE(0, gate_grant_tree(&self->gate, &volume, getpid(), ".",
				     GATE_ALL & ~GATE_META));
	EXPECT_EQ(EACCES, quota(volume.disk.device, Q_XSETQLIM));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &volume, getpid(), ".",
				     GATE_META));
	EXPECT_EQ(0, quota(volume.disk.device, Q_XSETQLIM));
}

TEST_HARNESS_MAIN
