// SPDX-License-Identifier: GPL-2.0-only
/*
 * attr_test - changes of attributes and of size.
 *
 * Owns: which access each of them needs: without it, with all others, it is
 * denied; with it alone it is done.
 *
 * Must not own: names (name_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

static int result(int value)
{
	return value < 0 ? errno : 0;
}

static int change_mode(int fd)
{
	return result(chmod("db/a", 0640));
}

static int change_mode_fd(int fd)
{
	return result(fchmod(fd, 0640));
}

static int change_mode_path_fd(int fd)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return result(chmod(link, 0640));
}

static int change_owner(int fd)
{
	return result(chown("db/a", 1, -1));
}

static int change_group_fd(int fd)
{
	return result(fchown(fd, -1, 1));
}

static int change_times(int fd)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };

	return result(utimensat(AT_FDCWD, "db/a", times, 0));
}

static int change_mtime(int fd)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW },
	};

	return result(utimensat(AT_FDCWD, "db/a", times, 0));
}

static int touch(int fd)
{
	return result(utimes("db/a", NULL));
}

static int touch_fd(int fd)
{
	return result(futimens(fd, NULL));
}

static int change_size(int fd)
{
	return result(truncate("db/a", 5));
}

static int change_size_fd(int fd)
{
	return result(ftruncate(fd, 5));
}

static int extend(int fd)
{
	return result(truncate("db/a", 50000));
}

FIXTURE(attribute) {
	struct gate gate;
	struct volume volume;
	int fd;
};

FIXTURE_VARIANT(attribute) {
	int (*change)(int fd);
	uint32_t needs;
	const char *hook;
};

#define ATTRIBUTE(operation, access, by)				\
	FIXTURE_VARIANT_ADD(attribute, operation) {			\
		.change = operation, .needs = access, .hook = by,	\
	}

ATTRIBUTE(change_mode, GATE_META, "inode_setattr");
ATTRIBUTE(change_mode_fd, GATE_META, "inode_setattr");
ATTRIBUTE(change_mode_path_fd, GATE_META, "inode_setattr");
ATTRIBUTE(change_owner, GATE_META, "inode_setattr");
ATTRIBUTE(change_group_fd, GATE_META, "inode_setattr");
ATTRIBUTE(change_times, GATE_META, "inode_setattr");
ATTRIBUTE(change_mtime, GATE_META, "inode_setattr");
ATTRIBUTE(touch, GATE_META, "inode_setattr");
ATTRIBUTE(touch_fd, GATE_META, "inode_setattr");
ATTRIBUTE(change_size, GATE_WRITE, "inode_setattr");
ATTRIBUTE(change_size_fd, GATE_WRITE, "file_truncate");
ATTRIBUTE(extend, GATE_WRITE, "inode_setattr");

FIXTURE_SETUP(attribute)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	self->fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(attribute)
{
	gate_clean();
}

TEST_F(attribute, needs)
{
	struct stat before, after;
	struct trustgate_event event;
	uint64_t id;

	ASSERT_EQ(0, stat("db/a", &before));
	gate_forget_events(&self->gate);
	EXPECT_EQ(EACCES, variant->change(self->fd));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ(variant->hook, event.hook);
	EXPECT_EQ(variant->needs, event.access);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);

	id = gate_grant_file(&self->gate, &self->volume, getpid(), "db/a",
			     GATE_ALL & ~variant->needs);
	ASSERT_NE(0, id);
	EXPECT_EQ(EACCES, variant->change(self->fd));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_WRONG_ACCESS));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, stat("db/a", &after));
	EXPECT_EQ(before.st_mode, after.st_mode);
	EXPECT_EQ(before.st_size, after.st_size);
	EXPECT_EQ(before.st_uid, after.st_uid);
	EXPECT_EQ(before.st_gid, after.st_gid);
	EXPECT_EQ(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);

	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", variant->needs));
	EXPECT_EQ(0, variant->change(self->fd));
}

/* What attributes change by the way. */

FIXTURE(side_effect) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(side_effect)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
}

FIXTURE_TEARDOWN_PARENT(side_effect)
{
	gate_clean();
}

static int write_as_nobody(const char *path, long unused)
{
	int fd, err;

	if (setgid(65534) || setuid(65534))
		return EPERM;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	err = attempt_write_fd("x", fd);
	close(fd);
	return err;
}

/* A write takes the set-id bits away, which is part of the write. */
TEST_F(side_effect, write_drops_set_id)
{
	struct actor actor;
	struct stat info;

	ASSERT_EQ(0, chmod(DISK_MOUNTS, 0755));
	ASSERT_EQ(0, chmod(self->volume.disk.path, 0755));
	ASSERT_EQ(0, chmod("db/a", 06777));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(EACCES, actor_once(write_as_nobody, "db/a", 0));
	ASSERT_EQ(0, stat("db/a", &info));
	EXPECT_EQ(S_ISUID | S_ISGID, info.st_mode & (S_ISUID | S_ISGID));

	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, actor.pid,
				     "db/a", GATE_WRITE));
	EXPECT_EQ(0, actor_do(&actor, write_as_nobody, "db/a", 0));
	ASSERT_EQ(0, stat("db/a", &info));
	EXPECT_EQ(0, info.st_mode & (S_ISUID | S_ISGID));
	actor_stop(&actor);
}

/* Reading sets the time of access without anybody being asked. */
TEST_F(side_effect, read_sets_atime)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };
	struct stat info;

	ASSERT_EQ(0, utimensat(AT_FDCWD, "db/a", times, 0));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(EACCES, attempt_read("db/a", 0));
	ASSERT_EQ(0, stat("db/a", &info));
	EXPECT_EQ(1, info.st_atim.tv_sec);
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	ASSERT_EQ(0, stat("db/a", &info));
	EXPECT_NE(1, info.st_atim.tv_sec);
}

/* A link's own owner and times: it has no grant of its own, a subtree has. */
TEST_F(side_effect, symlink_attributes)
{
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 2 } };

	ASSERT_EQ(0, symlink("a", "db/link"));
	ASSERT_EQ(0, lchown("db/link", 1, 1));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, result(lchown("db/link", 2, 2)));
	EXPECT_EQ(EACCES, result(utimensat(AT_FDCWD, "db/link", times,
					   AT_SYMLINK_NOFOLLOW)));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_ALL));
	EXPECT_EQ(EACCES, result(lchown("db/link", 2, 2)));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), "db",
				     GATE_META));
	EXPECT_EQ(0, result(lchown("db/link", 2, 2)));
	EXPECT_EQ(0, result(utimensat(AT_FDCWD, "db/link", times,
				      AT_SYMLINK_NOFOLLOW)));
}

TEST_F(side_effect, directory_attributes)
{
	ASSERT_EQ(0, chmod("db", 0755));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, result(chmod("db", 0700)));
	EXPECT_EQ(EACCES, result(chmod(".", 0700)));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), "db",
				     GATE_META));
	EXPECT_EQ(0, result(chmod("db", 0700)));
	EXPECT_EQ(EACCES, result(chmod("db/a", 0600)));
	EXPECT_EQ(EACCES, result(chmod(".", 0700)));
}

TEST_HARNESS_MAIN
