// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume_test - which filesystems can be protected, and how long they are.
 *
 * Owns: bringing filesystems under protection, several at a time, and what
 * protection does to the mount and its device.
 *
 * Must not own: grants.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "attempt.h"
#include "gate.h"

FIXTURE(volume) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(volume)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
}

FIXTURE_TEARDOWN_PARENT(volume)
{
	gate_clean();
}

static int add(struct gate *gate, const char *name, const char *path)
{
	return trustgate_volume_add(gate->conn, name, path, -1, NULL, NULL);
}

/* What cannot be protected. */

TEST_F(volume, not_twice)
{
	const char *const again = DISK_MOUNTS "/again";

	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(-EEXIST, add(&self->gate, self->volume.name,
			       self->volume.disk.path));
	EXPECT_EQ(-EEXIST, add(&self->gate, "selftest-other",
			       self->volume.disk.path));
	/* Nor by way of another mount of it. */
	ASSERT_EQ(0, mkdir(again, 0700));
	ASSERT_EQ(0, mount(self->volume.disk.device, again, "ext4", 0, NULL));
	EXPECT_EQ(-EEXIST, add(&self->gate, "selftest-other", again));
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/again/db/a", 0));
}

TEST_F(volume, name_is_unique)
{
	struct volume other;

	ASSERT_EQ(0, volume_make(&other, 1, "tmpfs"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(-EEXIST, add(&self->gate, self->volume.name,
			       other.disk.path));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, add(&self->gate, self->volume.name, other.disk.path));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
}

TEST_F(volume, unsupported_filesystems)
{
	EXPECT_EQ(-EOPNOTSUPP, add(&self->gate, "selftest-other", "/proc"));
	EXPECT_EQ(-EOPNOTSUPP, add(&self->gate, "selftest-other", "/sys"));
	EXPECT_EQ(-EOPNOTSUPP, add(&self->gate, "selftest-other", "/dev/pts"));
	EXPECT_EQ(0, attempt_read("/proc/self/status", 0));
}

TEST_F(volume, root_filesystem)
{
	const int err = add(&self->gate, "selftest-other", "/");

	/* On a host with another root filesystem that says no. */
	EXPECT_TRUE(err == -EBUSY || err == -EOPNOTSUPP)
		TH_LOG("%d: %s", err, trustgate_error_text(self->gate.conn));
	EXPECT_EQ(0, attempt_read("/etc/passwd", 0));
}

TEST_F(volume, only_whole_filesystems)
{
	const char *const part = DISK_MOUNTS "/part";
	char path[128];

	snprintf(path, sizeof(path), "%s/db", self->volume.disk.path);
	EXPECT_EQ(-EINVAL, add(&self->gate, "selftest-other", path));
	snprintf(path, sizeof(path), "%s/db/a", self->volume.disk.path);
	EXPECT_EQ(-EINVAL, add(&self->gate, "selftest-other", path));
	ASSERT_EQ(0, mkdir(part, 0700));
	ASSERT_EQ(0, mount("db", part, NULL, MS_BIND, NULL));
	EXPECT_EQ(-EINVAL, add(&self->gate, "selftest-other", part));
	EXPECT_EQ(-ENOENT, add(&self->gate, "selftest-other",
			       DISK_MOUNTS "/nothing"));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	/* A bind mount of the whole is the whole. */
	ASSERT_EQ(0, umount(part));
	ASSERT_EQ(0, mount(self->volume.disk.path, part, NULL, MS_BIND, NULL));
	EXPECT_EQ(0, add(&self->gate, "selftest-other", part));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
}

/* The path of what is not mounted any more is one of the filesystem below. */
TEST_F(volume, unmounted)
{
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, disk_unmount(&self->volume.disk));
	EXPECT_GT(0, add(&self->gate, "selftest-other",
			 self->volume.disk.path));
	EXPECT_EQ(0, attempt_list(self->volume.disk.path, 0));
	EXPECT_EQ(0, disk_wait_released(&self->volume.disk));
}

TEST_F(volume, by_descriptor)
{
	int fd;

	fd = open(self->volume.disk.path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, trustgate_volume_add(self->gate.conn,
					       "selftest-other", NULL, 999,
					       NULL, NULL));
	EXPECT_EQ(0, trustgate_volume_add(self->gate.conn, "selftest-other",
					  NULL, fd, NULL, NULL));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
}

TEST_F_TIMEOUT(volume, table_full, 120)
{
	const uint32_t slots = 90;
	struct trustgate_volume first;
	struct trustgate_gate state;
	char name[32], path[64];
	uint32_t left, i;

	ASSERT_EQ(0, trustgate_gate_get(self->gate.conn, &state));
	left = state.volumes_max - state.volumes;
	trustgate_gate_clear(&state);
	if (left > slots)
		SKIP(return, "max_volumes is set too high to fill the table");
	for (i = 0; i < left; i++) {
		snprintf(name, sizeof(name), "selftest-many-%u", i);
		snprintf(path, sizeof(path), DISK_MOUNTS "/many-%u", i);
		ASSERT_EQ(0, mkdir(path, 0700));
		ASSERT_EQ(0, mount("tmpfs", path, "tmpfs", 0, "size=64k"));
		ASSERT_EQ(0, add(&self->gate, name, path));
		EXPECT_EQ(EACCES, attempt_list(path, 0));
	}
	EXPECT_EQ(-ENOSPC, add(&self->gate, self->volume.name,
			       self->volume.disk.path));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	/* One less, and it has room. */
	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, 0,
					  "selftest-many-0", &first));
	ASSERT_EQ(0, trustgate_volume_del(self->gate.conn, first.id));
	EXPECT_EQ(0, add(&self->gate, self->volume.name,
			 self->volume.disk.path));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
}

/* What protection does. */

TEST_F(volume, release_opens)
{
	uint32_t first;
	int fd;

	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	first = self->volume.id;
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EACCES, attempt_read("db/b", 0));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(0, attempt_open("db/b", O_RDWR));

	/* Again it is another volume, without the grants of the former. */
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_NE(first, self->volume.id);
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
}

static int format(const struct volume *volume)
{
	const char *const argv[] = { "mkfs.ext4", "-q", "-F", "-F",
		volume->disk.device, NULL };

	return disk_command(argv);
}

/*
 * An unmount takes the mount away, not the filesystem: its device stays
 * claimed, so that nobody gets at the bytes behind the gate's back.
 */
TEST_F(volume, unmount_keeps_claim)
{
	int device;

	/*
	 * A loop device loses its file with its last user, which is us therefore;
	 * later it cannot be opened any more.
	 */
	device = open(self->volume.disk.device, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, device);
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(EACCES, attempt_read("db/a", 0));
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, umount(self->volume.disk.path));
	EXPECT_EQ(1, disk_claimed(&self->volume.disk));
	EXPECT_NE(0, format(&self->volume));

	/* Mounted again it is the same filesystem, and protected. */
	ASSERT_EQ(0, disk_mount(&self->volume.disk));
	ASSERT_EQ(0, chdir(self->volume.disk.path));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	EXPECT_EQ(0, attempt_content("db/a", "contents of a\n"));
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, umount(self->volume.disk.path));
	EXPECT_EQ(1, disk_claimed(&self->volume.disk));

	/* The end of protection ends the filesystem, too. */
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	ASSERT_EQ(0, disk_wait_released(&self->volume.disk));
	EXPECT_EQ(0, format(&self->volume));
	close(device);
}

TEST_F(volume, released_while_mounted)
{
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(1, disk_claimed(&self->volume.disk));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, umount(self->volume.disk.path));
	EXPECT_EQ(0, disk_wait_released(&self->volume.disk));
}

#define SLOW_MOUNT	DISK_MOUNTS "/slow"

/* A filesystem on a file of another one, with something still to be written. */
static int make_slow(struct gate *gate, const char *image, uint32_t *id)
{
	/* The kernel's zeroing by way of a loop device does not mind a freeze. */
	const char *const mkfs[] = { "mkfs.ext4", "-q", "-F", "-E",
		"nodiscard,lazy_itable_init=0,lazy_journal_init=0", image,
		"16M", NULL };
	const char *const loop[] = { "mount", "-o", "loop", image, SLOW_MOUNT,
		NULL };

	if (mkdir(SLOW_MOUNT, 0700) && errno != EEXIST)
		return -errno;
	if (disk_load_loop() || disk_command(mkfs) || disk_command(loop))
		return -EIO;
	return disk_file(SLOW_MOUNT "/file", "still to be written\n", 0600) ?:
	       trustgate_volume_add(gate->conn, "selftest-slow", SLOW_MOUNT, -1,
				    NULL, id);
}

/* Another client's request, which is to be answered soon. */
static int ask_state(void)
{
	struct trustgate_gate state;
	struct trustgate_conn *conn;
	int err;

	err = trustgate_new(&conn);
	if (err)
		return err;
	trustgate_set_timeout(conn, 5000);
	err = trustgate_connect(conn) ?: trustgate_gate_get(conn, &state);
	if (!err)
		trustgate_gate_clear(&state);
	trustgate_free(conn);
	return err;
}

/*
 * A device that does not answer keeps its own unmount waiting, nobody else.
 * Twice, for the next one is waited for like the first.
 */
TEST_F_TIMEOUT(volume, slow_unmount, 120)
{
	/* The first may still be in use when the second is made. */
	static const char *const images[] = { "image-1", "image-2" };
	struct volume below;
	unsigned int i;
	int status, fd;
	uint32_t id;
	pid_t pid;

	ASSERT_EQ(0, volume_make(&below, 1, "ext4"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_slow(&self->gate, images[i], &id));
		ASSERT_EQ(0, umount(SLOW_MOUNT));
		fd = open(below.disk.path, O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ioctl(fd, FIFREEZE, 0));

		/* No assertion before the thaw: it could not be cleaned up. */
		pid = fork();
		if (!pid)
			_exit(trustgate_volume_del(self->gate.conn, id) ? 1 : 0);
		EXPECT_LT(0, pid);
		usleep(2000 * 1000);
		EXPECT_EQ(0, waitpid(pid, &status, WNOHANG));
		EXPECT_EQ(0, ask_state());
		/* At last the answer comes all the same. */
		EXPECT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ(0, volume_protect(&self->gate, &self->volume));
		EXPECT_EQ(0, volume_unprotect(&self->gate, &self->volume));
		EXPECT_EQ(0, ioctl(fd, FITHAW, 0));
		close(fd);
	}
}

/* Mounted over each other: the gate goes by the filesystem, not by the path. */
TEST_F(volume, overlay)
{
	const char *const merged = DISK_MOUNTS "/merged";
	char options[256];

	ASSERT_EQ(0, mkdir(merged, 0700));
	snprintf(options, sizeof(options), "lowerdir=%s/db:%s/other",
		 self->volume.disk.path, self->volume.disk.path);
	if (mount("overlay", merged, "overlay", 0, options))
		SKIP(return, "no overlay filesystem: %s", strerror(errno));
	ASSERT_EQ(0, attempt_read(DISK_MOUNTS "/merged/a", 0));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/merged/a", 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	EXPECT_EQ(0, attempt_content(DISK_MOUNTS "/merged/a",
				     "contents of a\n"));
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/merged/b", 0));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "db", GATE_READ));
	EXPECT_EQ(0, attempt_read(DISK_MOUNTS "/merged/b", 0));
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/merged/x", 0));
}

/* Several at a time. */

static int attempt_at(const struct volume *volume, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", volume->disk.path, file);
	return attempt_read(path, 0);
}

TEST_F(volume, several)
{
	static const char *const types[] = { "ext4", "xfs", "tmpfs" };
	struct volume volumes[3];
	unsigned int i, j;

	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, disk_unmount(&self->volume.disk));
	ASSERT_EQ(0, disk_wait_released(&self->volume.disk));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, volume_make(&volumes[i], i, types[i]));
		EXPECT_EQ(0, attempt_at(&volumes[i], "db/a"));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, volume_protect(&self->gate, &volumes[i]));
		for (j = 0; j < 3; j++)
			EXPECT_EQ(j <= i ? EACCES : 0,
				  attempt_at(&volumes[j], "db/a"));
	}

	/* Equal names, maybe equal inode numbers: each grant is for its own. */
	for (i = 0; i < 3; i++) {
		ASSERT_NE(0, gate_grant_tree(&self->gate, &volumes[i],
					     getpid(), ".", GATE_READ));
		for (j = 0; j < 3; j++)
			EXPECT_EQ(j == i ? 0 : EACCES,
				  attempt_at(&volumes[j], "db/a"));
		ASSERT_EQ(0, gate_revoke_all(&self->gate, &volumes[i]));
	}
	ASSERT_EQ(0, volume_unprotect(&self->gate, &volumes[1]));
	for (j = 0; j < 3; j++)
		EXPECT_EQ(j == 1 ? 0 : EACCES, attempt_at(&volumes[j], "db/a"));
	/* Each counts for itself. */
	EXPECT_LT(0, volume_count(&self->gate, &volumes[0],
				  TRUSTGATE_CAUSE_NO_GRANT));
	EXPECT_LT(0, volume_count(&self->gate, &volumes[2],
				  TRUSTGATE_CAUSE_NO_GRANT));
}

TEST_HARNESS_MAIN
