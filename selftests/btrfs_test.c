// SPDX-License-Identifier: GPL-2.0-only
/*
 * btrfs_test - volumes on btrfs.
 *
 * Owns: what only btrfs has: subvolumes and snapshots, in which inode numbers
 * repeat; commands that reach files past their descriptors; several devices.
 *
 * Must not own: what holds for every filesystem (the other tests).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "actor.h"
#include "attempt.h"
#include "btrfs.h"
#include "gate.h"

/* Small enough to be stored among the metadata. */
#define SECRET		"a tenant's secret"

#define ELSEWHERE	DISK_MOUNTS "/elsewhere"
#define SECOND		"/var/tmp/trustgate-selftest.second"
#define SECOND_BYTES	(256L << 20)

FIXTURE(btrfs) {
	struct gate gate;
	struct volume volume;
	char second[32];
};

/*
 *	one/		subvolume
 *	one/f		SECRET
 *	snap/		its snapshot, read-only; f is the same by number and
 *			generation
 *	two/		another subvolume
 *	two/f		in all likelihood, too
 *	db/nested/	subvolume
 *	db/nested/x	file
 */
FIXTURE_SETUP(btrfs)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 1, "btrfs"));
	ASSERT_EQ(0, btrfs_create(".", "one"));
	ASSERT_EQ(0, btrfs_create(".", "two"));
	ASSERT_EQ(0, btrfs_create("db", "nested"));
	ASSERT_EQ(0, disk_file("one/f", SECRET, 0644));
	ASSERT_EQ(0, disk_file("two/f", "other", 0644));
	ASSERT_EQ(0, disk_file("db/nested/x", "nested", 0644));
	ASSERT_EQ(0, btrfs_snapshot("one", ".", "snap", BTRFS_SUBVOL_RDONLY));
}

/* A second device, looped over a file. */

static int find_second(char device[32])
{
	char path[64], file[128];
	unsigned int i;
	FILE *backing;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path),
			 "/sys/block/loop%u/loop/backing_file", i);
		backing = fopen(path, "re");
		if (!backing)
			continue;
		if (!fgets(file, sizeof(file), backing))
			file[0] = '\0';
		fclose(backing);
		snprintf(device, 32, "/dev/loop%u", i);
		if (!strncmp(file, SECOND, strlen(SECOND)))
			return 0;
	}
	return -ENOENT;
}

static int attach_second(char device[32])
{
	const char *const attach[] = { "losetup", "-f", SECOND, NULL };
	int fd, err = disk_load_loop();

	if (err)
		return err;
	fd = open(SECOND, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, SECOND_BYTES))
		return -errno;
	close(fd);
	return disk_command(attach) ?: find_second(device);
}

static void detach_second(void)
{
	char device[32];
	const char *const detach[] = { "losetup", "-d", device, NULL };

	if (!find_second(device))
		disk_command(detach);
	unlink(SECOND);
}

FIXTURE_TEARDOWN_PARENT(btrfs)
{
	gate_clean();
	detach_second();
}

#define PROTECT()							\
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume))

static bool same_number(const char *a, const char *b)
{
	struct stat x, y;
	long m, n;

	return !stat(a, &x) && !stat(b, &y) && x.st_ino == y.st_ino &&
	       !btrfs_command(a, FS_IOC_GETVERSION, &m) &&
	       !btrfs_command(b, FS_IOC_GETVERSION, &n) && (int)m == (int)n;
}

/* A grant is for one file, not for all that have its number. */
TEST_F(btrfs, same_number_elsewhere)
{
	int fd, other;

	ASSERT_TRUE(same_number("one/f", "snap/f"));
	ASSERT_TRUE(same_number("one", "snap"));
	fd = open("one/f", O_RDWR | O_CLOEXEC);
	other = open("snap/f", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, other);
	PROTECT();
	EXPECT_EQ(EACCES, attempt_read("one/f", 0));
	EXPECT_EQ(EACCES, attempt_read("snap/f", 0));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));

	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "one/f", GATE_READ));
	EXPECT_EQ(0, attempt_read("one/f", 0));
	EXPECT_EQ(EACCES, attempt_read("snap/f", 0));
	EXPECT_EQ(EACCES, attempt_read("two/f", 0));
	/* Also by what is remembered of reading the one. */
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, other));
	EXPECT_EQ(EACCES, attempt_write_fd("x", fd));

	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "two", GATE_READ));
	EXPECT_EQ(0, attempt_read("two/f", 0));
	EXPECT_EQ(EACCES, attempt_read("snap/f", 0));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	close(fd);
	close(other);
}

/* The roots of all subvolumes have one number. */
TEST_F(btrfs, subtree_of_one_subvolume)
{
	PROTECT();
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "snap", GATE_READ));
	EXPECT_EQ(0, attempt_read("snap/f", 0));
	EXPECT_EQ(0, attempt_list("snap", 0));
	EXPECT_EQ(EACCES, attempt_read("one/f", 0));
	EXPECT_EQ(EACCES, attempt_list("one", 0));
	EXPECT_EQ(EACCES, attempt_list(".", 0));
	EXPECT_EQ(EACCES, attempt_read("two/f", 0));
}

/* What a subvolume is mounted on is a directory as others. */
TEST_F(btrfs, subtree_with_a_subvolume_in_it)
{
	PROTECT();
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "db", GATE_READ | GATE_WRITE));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	EXPECT_EQ(0, attempt_read("db/nested/x", 0));
	EXPECT_EQ(EACCES, attempt_read("one/f", 0));
	EXPECT_EQ(EACCES, btrfs_create("db", "more"));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "db", GATE_NAMES | GATE_META));
	EXPECT_EQ(0, btrfs_create("db", "more"));
	EXPECT_EQ(0, disk_file("db/more/new", "new", 0644));
	EXPECT_EQ(0, attempt_read("db/more/new", 0));
}

static int remove_nested(const char *dir, long unused)
{
	return btrfs_destroy(dir, "nested");
}

/* It takes all that is in it, so a grant on its directory alone is too little. */
TEST_F(btrfs, removing_a_subvolume)
{
	PROTECT();
	EXPECT_EQ(EACCES, btrfs_destroy("db", "nested"));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db", GATE_READ | GATE_NAMES));
	EXPECT_EQ(EACCES, btrfs_destroy("db", "nested"));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "db", GATE_NAMES));
	EXPECT_EQ(EACCES, actor_once(remove_nested, "db", 0));
	EXPECT_EQ(0, btrfs_destroy("db", "nested"));
}

/* What people type, by programs that are executed. */
static int by_program(const char *verb, const char *what, const char *where)
{
	const char *const argv[] = { "btrfs", "subvolume", verb, what, where,
				     NULL };

	return disk_command(argv);
}

static int remove_all(const char *path)
{
	const char *const argv[] = { "rm", "-r", path, NULL };

	return disk_command(argv);
}

static bool give_program(struct gate *gate, const struct volume *volume,
			 const char *path, uint32_t kind, uint32_t access)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);

	request.object_kind = kind;
	request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS |
			TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	return gate_grant(gate, &request);
}

#define FILE_KIND	TRUSTGATE_OBJECT_KIND_FILE
#define SUBTREE_KIND	TRUSTGATE_OBJECT_KIND_SUBTREE

/*
 * Before btrfs(8) deletes a subvolume it asks for its number, by a command that
 * would tell the name of any file, so it is refused that whatever is granted.
 * rm(1) does as well: an empty subvolume is removed as a directory is.
 */
TEST_F(btrfs, program)
{
	struct gate *gate = &self->gate;
	struct volume *volume = &self->volume;

	ASSERT_EQ(0, by_program("create", "db/before", NULL));
	ASSERT_EQ(0, by_program("delete", "db/before", NULL));
	PROTECT();
	EXPECT_NE(0, by_program("create", "db/after", NULL));
	EXPECT_NE(0, remove_all("db/nested"));
	/* All but the one access; that access, but not below; elsewhere. */
	ASSERT_TRUE(give_program(gate, volume, "db", SUBTREE_KIND,
				 GATE_ALL & ~GATE_NAMES));
	EXPECT_NE(0, by_program("create", "db/after", NULL));
	EXPECT_NE(0, remove_all("db/nested"));
	ASSERT_TRUE(give_program(gate, volume, "db", FILE_KIND, GATE_ALL));
	ASSERT_TRUE(give_program(gate, volume, "one", SUBTREE_KIND, GATE_ALL));
	EXPECT_NE(0, remove_all("db/nested"));
	EXPECT_EQ(0, access("db/nested/x", F_OK));
	ASSERT_TRUE(give_program(gate, volume, "db", SUBTREE_KIND,
				 GATE_READ | GATE_NAMES));
	EXPECT_EQ(0, by_program("create", "db/after", NULL));
	EXPECT_NE(0, by_program("delete", "db/nested", NULL));
	EXPECT_NE(0, by_program("snapshot", "one", "db/copy"));
	EXPECT_EQ(0, remove_all("db/nested"));
	EXPECT_NE(0, access("db/nested", F_OK));
	ASSERT_EQ(0, gate_revoke_all(gate, volume));
	EXPECT_NE(0, remove_all("db/after"));
	EXPECT_EQ(0, access("db/after", F_OK));
}

static int open_by_handle(int mount, struct file_handle *handle)
{
	int fd = open_by_handle_at(mount, handle, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

union handle {
	struct file_handle header;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

TEST_F(btrfs, other_ways_to_the_file)
{
	union handle one = { .header.handle_bytes = MAX_HANDLE_SZ };
	union handle snap = { .header.handle_bytes = MAX_HANDLE_SZ };
	int mount_fd, id;
	uint32_t added;

	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, "one/f", &one.header, &id, 0));
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, "snap/f", &snap.header, &id,
				       0));
	mount_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, mount_fd);
	ASSERT_EQ(0, mkdir(ELSEWHERE, 0700));
	ASSERT_EQ(0, mount(self->volume.disk.device, ELSEWHERE, "btrfs", 0,
			   "subvol=one"));
	/* It would be all of the filesystem, and not what is seen there. */
	EXPECT_EQ(-EINVAL, trustgate_volume_add(self->gate.conn,
						"selftest-other", ELSEWHERE, -1,
						NULL, &added));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_read(ELSEWHERE "/f", 0));
	EXPECT_EQ(EACCES, open_by_handle(mount_fd, &one.header));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "one/f", GATE_READ));
	EXPECT_EQ(0, attempt_read(ELSEWHERE "/f", 0));
	EXPECT_EQ(0, open_by_handle(mount_fd, &one.header));
	EXPECT_EQ(EACCES, open_by_handle(mount_fd, &snap.header));
	close(mount_fd);
	EXPECT_EQ(0, umount(ELSEWHERE));
}

/* Commands that are about other files than their descriptor's. */

/* Looks for the bytes of a file by way of any other of the filesystem. */
static int search_trees(const char *by)
{
	int fd = open(by, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? errno : btrfs_search(fd, true, SECRET);

	close(fd);
	return err;
}

static int send_snapshot(void)
{
	int fd = open("snap", O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? errno : btrfs_send(fd, SECRET);

	close(fd);
	return err;
}

TEST_F(btrfs, reading_past_the_files)
{
	ASSERT_EQ(0, syncfs(open(".", O_RDONLY | O_CLOEXEC)));
	EXPECT_EQ(0, search_trees("one"));
	EXPECT_EQ(0, send_snapshot());
	PROTECT();
	/* No grant is for it, as it is the bytes of everything. */
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	EXPECT_EQ(0, attempt_read("one/f", 0));
	EXPECT_EQ(EACCES, search_trees("one"));
	EXPECT_EQ(EACCES, send_snapshot());
	EXPECT_EQ(EACCES, btrfs_snapshot("one", ".", "copy", 0));
	EXPECT_EQ(EACCES, btrfs_snapshot("one", "db", "copy",
					BTRFS_SUBVOL_RDONLY));
}

#define COMMAND(name) { #name, BTRFS_IOC_##name }

static const struct {
	const char *name;
	unsigned long cmd;
} closed[] = {
	COMMAND(SNAP_CREATE), COMMAND(SNAP_CREATE_V2),
	COMMAND(SNAP_DESTROY_V2), COMMAND(SUBVOL_SETFLAGS),
	COMMAND(DEFAULT_SUBVOL), COMMAND(SEND), COMMAND(SET_RECEIVED_SUBVOL),
	COMMAND(TREE_SEARCH), COMMAND(TREE_SEARCH_V2), COMMAND(INO_LOOKUP),
	COMMAND(INO_LOOKUP_USER), COMMAND(INO_PATHS), COMMAND(LOGICAL_INO),
	COMMAND(LOGICAL_INO_V2), COMMAND(ENCODED_READ), COMMAND(ENCODED_WRITE),
	COMMAND(GET_SUBVOL_INFO), COMMAND(GET_SUBVOL_ROOTREF),
	COMMAND(DEFRAG), COMMAND(DEFRAG_RANGE), COMMAND(BALANCE),
	COMMAND(BALANCE_V2), COMMAND(BALANCE_CTL), COMMAND(SCRUB),
	COMMAND(RESIZE), COMMAND(ADD_DEV), COMMAND(RM_DEV), COMMAND(RM_DEV_V2),
	COMMAND(DEV_REPLACE), COMMAND(DEV_INFO), COMMAND(FS_INFO),
	COMMAND(QUOTA_CTL), COMMAND(SET_FEATURES), COMMAND(SET_FSLABEL),
	{ "FITRIM", FITRIM },
};

TEST_F(btrfs, commands)
{
	static char nothing[65536];
	struct trustgate_event event;
	unsigned int i;

	PROTECT();
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	for (i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		EXPECT_EQ(EACCES, btrfs_command("one/f", closed[i].cmd, nothing))
			TH_LOG("%s", closed[i].name);
		EXPECT_EQ(EACCES, btrfs_command("one", closed[i].cmd, nothing))
			TH_LOG("%s", closed[i].name);
	}
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_FORBIDDEN, event.cause);
	EXPECT_STREQ("file_ioctl", event.hook);
}

/* All devices of a filesystem have its bytes; the kernel has to be told. */

static int with_root(int (*command)(int fd, const char *device),
		     const char *device)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 ? errno : command(fd, device);

	close(fd);
	return err;
}

TEST_F(btrfs, several_devices)
{
	const char *first = self->volume.disk.device;
	dev_t devices[2];
	struct stat info;

	ASSERT_EQ(0, attach_second(self->second));
	ASSERT_EQ(0, with_root(btrfs_add_device, self->second));
	ASSERT_EQ(0, stat(first, &info));
	devices[0] = info.st_rdev;
	ASSERT_EQ(0, stat(self->second, &info));
	devices[1] = info.st_rdev;
	PROTECT();
	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn,
						self->volume.id, devices, 2));
	EXPECT_EQ(EPERM, attempt_open(first, O_RDONLY));
	EXPECT_EQ(EPERM, attempt_open(self->second, O_RDONLY));
	/* Each mount opens the device anew. */
	ASSERT_EQ(0, mkdir(ELSEWHERE, 0700));
	EXPECT_EQ(-1, mount(first, ELSEWHERE, "btrfs", 0, "subvol=two"));
	EXPECT_EQ(EPERM, errno);
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	EXPECT_EQ(EPERM, attempt_open(self->second, O_RDONLY));
	EXPECT_EQ(EACCES, with_root(btrfs_add_device, self->second));
	EXPECT_EQ(EACCES, with_root(btrfs_replace, self->second));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, attempt_open(first, O_RDONLY));
	EXPECT_EQ(0, attempt_open(self->second, O_RDONLY));
}

TEST_HARNESS_MAIN
