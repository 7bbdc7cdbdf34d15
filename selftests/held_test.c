// SPDX-License-Identifier: GPL-2.0-only
/*
 * held_test - devices that a filesystem holds beside the one it is mounted from.
 *
 * Owns: an external journal, an external log, a realtime device, and partitions
 * that share sectors with a volume's device: that they have its bytes, and are
 * closed with it.
 *
 * Must not own: the volume's device and its disk (device_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "attempt.h"
#include "gate.h"
#include "module.h"

#define PLACE	DISK_MOUNTS "/held"
#define IMAGE	"/var/tmp/trustgate-selftest-held"
#define SECRET	"selftest: the tenant's own bytes"

enum { DATA, LOG, MORE, DISKS };

FIXTURE(held) {
	struct gate gate;
	char disks[DISKS][32];
	uint32_t id;
};

static int name_loop(unsigned int which, char device[32])
{
	char command[128];
	FILE *pipe;
	int got;

	snprintf(command, sizeof(command), "losetup -n -O NAME -j " IMAGE "%u",
		 which);
	pipe = popen(command, "re");
	if (!pipe)
		return -errno;
	got = fscanf(pipe, "%31s", device);
	return pclose(pipe) || got != 1 ? -ENODEV : 0;
}

static void clean(void)
{
	unsigned int i;
	char device[32];

	umount2(PLACE, MNT_DETACH);
	for (i = 0; i < DISKS; i++) {
		if (!name_loop(i, device))
			module_run("losetup -d %s; rm -f " IMAGE "%u", device,
				   i);
	}
	rmdir(PLACE);
}

FIXTURE_SETUP(held)
{
	unsigned int i;

	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, disk_load_loop());
	for (i = 0; i < DISKS; i++) {
		ASSERT_EQ(0, module_run("truncate -s 320M " IMAGE "%u && losetup -fP " IMAGE "%u",
					i, i));
		ASSERT_EQ(0, name_loop(i, self->disks[i]));
	}
	ASSERT_EQ(0, module_run("mkdir -p " PLACE));
}

FIXTURE_TEARDOWN_PARENT(held)
{
	gate_clean();
	clean();
}

/* A table of two partitions, which may share sectors; types as in fdisk(8). */
static int partition(const char *disk, uint32_t start1, uint32_t count1,
		     uint32_t start2, uint32_t count2)
{
	const uint32_t fields[] = { start1, count1, start2, count2 };
	unsigned char sector[512] = {};
	unsigned int i;
	int fd, err = 0;

	for (i = 0; i < 2; i++) {
		sector[446 + 16 * i + 4] = 0x83;
		memcpy(sector + 446 + 16 * i + 8, &fields[2 * i], 8);
	}
	sector[510] = 0x55;
	sector[511] = 0xaa;
	fd = open(disk, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, sector, sizeof(sector)) != sizeof(sector) ||
	    fsync(fd) || ioctl(fd, BLKRRPART))
		err = errno;
	close(fd);
	return err;
}

static void part(const char *disk, unsigned int number, char node[40])
{
	snprintf(node, 40, "%sp%u", disk, number);
}

static int write_secret(void)
{
	char text[8192];
	size_t at;

	/* Whole blocks, so that no compression or tail hides it. */
	for (at = 0; at + sizeof(SECRET) < sizeof(text); at += sizeof(SECRET) - 1)
		memcpy(text + at, SECRET, sizeof(SECRET));
	if (disk_file(PLACE "/secret", text, 0600))
		return EIO;
	sync();
	return 0;
}

/* 1 if whoever reads the device finds it, 0 if not, or -errno. */
static int has_secret(const char *device)
{
	static char chunk[(1 << 20) + sizeof(SECRET)];
	ssize_t got;
	int found = 0, fd;

	fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (!found && (got = read(fd, chunk, 1 << 20)) > 0)
		found = !!memmem(chunk, got, SECRET, sizeof(SECRET) - 1);
	close(fd);
	return found;
}

static bool is_own(struct gate *gate, uint32_t id, const char *device)
{
	struct trustgate_volume volume;
	struct stat info;
	size_t i;

	if (stat(device, &info) ||
	    trustgate_volume_get(gate->conn, id, NULL, &volume))
		return false;
	for (i = 0; i < volume.own_count; i++) {
		if (volume.own[i] == info.st_rdev)
			return true;
	}
	return false;
}

#define PROTECT()							\
	ASSERT_EQ(0, trustgate_volume_add(self->gate.conn, "selftest-held", \
					  PLACE, -1, NULL, &self->id))
#define UNPROTECT()							\
	ASSERT_EQ(0, trustgate_volume_del(self->gate.conn, self->id))
#define EXPECT_CLOSED(device)						\
	do {								\
		EXPECT_EQ(EPERM, attempt_open(device, O_RDONLY))	\
			TH_LOG("%s", device);				\
		EXPECT_EQ(EPERM, attempt_open(device, O_RDWR))		\
			TH_LOG("%s", device);				\
		EXPECT_TRUE(is_own(&self->gate, self->id, device))	\
			TH_LOG("%s is not listed", device);		\
	} while (0)
#define EXPECT_READABLE(device)						\
	EXPECT_EQ(0, attempt_open(device, O_RDONLY)) TH_LOG("%s", device)

/* With data=journal, all that is written to files is written to it first. */
TEST_F(held, journal)
{
	char journal[40], other[40];
	struct trustgate_event event;

	ASSERT_EQ(0, partition(self->disks[LOG], 2048, 131072, 264192, 2048));
	part(self->disks[LOG], 1, journal);
	part(self->disks[LOG], 2, other);
	ASSERT_EQ(0, module_run("mke2fs -q -F -b 4096 -O journal_dev %s",
				journal));
	ASSERT_EQ(0, module_run("mkfs.ext4 -q -F -b 4096 -J device=%s %s",
				journal, self->disks[DATA]));
	ASSERT_EQ(0, mount(self->disks[DATA], PLACE, "ext4", 0,
			   "data=journal"));
	ASSERT_EQ(0, write_secret());
	ASSERT_EQ(1, has_secret(journal));
	PROTECT();
	EXPECT_CLOSED(journal);
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("block_device", event.hook);
	EXPECT_EQ(TRUSTGATE_CAUSE_FORBIDDEN, event.cause);
	EXPECT_EQ(self->id, event.volume_id);
	/* The disk that it is a part of has it, too; another part has not. */
	EXPECT_CLOSED(self->disks[LOG]);
	EXPECT_CLOSED(self->disks[DATA]);
	EXPECT_READABLE(other);
	EXPECT_FALSE(is_own(&self->gate, self->id, other));
	EXPECT_READABLE(self->disks[MORE]);
	/* A mount that is gone does not open it. */
	ASSERT_EQ(0, umount(PLACE));
	EXPECT_CLOSED(journal);
	ASSERT_EQ(0, mount(self->disks[DATA], PLACE, "ext4", 0,
			   "data=journal"));
	EXPECT_CLOSED(journal);
	UNPROTECT();
	EXPECT_READABLE(journal);
	EXPECT_READABLE(self->disks[LOG]);
}

/* A kernel that tells may have been built without. */
static bool has_realtime(void)
{
	return access("/proc/config.gz", R_OK) ||
	       !module_run("zcat /proc/config.gz | grep -q ^CONFIG_XFS_RT=y");
}

/* Files of an XFS can be on a device of their own. */
TEST_F(held, log_and_realtime)
{
	char realtime[64] = "", options[128];
	bool separate = has_realtime();

	if (separate)
		snprintf(realtime, sizeof(realtime), "-r rtdev=%s,size=64m",
			 self->disks[MORE]);
	ASSERT_EQ(0, module_run("mkfs.xfs -q -f -K --unsupported -m reflink=0,rmapbt=0 -d rtinherit=%d,size=96m,agcount=1 -l logdev=%s,size=16m %s %s",
				separate, self->disks[LOG], realtime,
				self->disks[DATA]));
	snprintf(options, sizeof(options), "logdev=%s%s%s", self->disks[LOG],
		 separate ? ",rtdev=" : "", separate ? self->disks[MORE] : "");
	ASSERT_EQ(0, mount(self->disks[DATA], PLACE, "xfs", 0, options));
	ASSERT_EQ(0, write_secret());
	ASSERT_EQ(1, has_secret(self->disks[separate ? MORE : DATA]));
	PROTECT();
	EXPECT_CLOSED(self->disks[DATA]);
	EXPECT_CLOSED(self->disks[LOG]);
	if (separate)
		EXPECT_CLOSED(self->disks[MORE]);
	UNPROTECT();
	EXPECT_READABLE(self->disks[LOG]);
	EXPECT_READABLE(self->disks[MORE]);
}

/* Tables of partitions are believed, whatever is in them. */
TEST_F(held, overlap)
{
	char first[40], second[40];

	ASSERT_EQ(0, partition(self->disks[DATA], 2048, 264192, 2050, 264188));
	part(self->disks[DATA], 1, first);
	part(self->disks[DATA], 2, second);
	ASSERT_EQ(0, module_run("mkfs.ext4 -q -F %s", first));
	ASSERT_EQ(0, mount(first, PLACE, "ext4", 0, NULL));
	ASSERT_EQ(0, write_secret());
	ASSERT_EQ(1, has_secret(second));
	PROTECT();
	EXPECT_CLOSED(first);
	EXPECT_CLOSED(second);
	EXPECT_CLOSED(self->disks[DATA]);
	UNPROTECT();
	EXPECT_READABLE(second);
}

/* Nor need a disk's filesystem heed its partitions. */
TEST_F(held, parts_of_a_disk)
{
	char first[40], second[40];

	ASSERT_EQ(0, partition(self->disks[DATA], 2048, 264192, 300000, 2048));
	part(self->disks[DATA], 1, first);
	part(self->disks[DATA], 2, second);
	ASSERT_EQ(0, module_run("mkfs.ext4 -q -F %s", self->disks[DATA]));
	ASSERT_EQ(0, mount(self->disks[DATA], PLACE, "ext4", 0, NULL));
	ASSERT_EQ(0, write_secret());
	ASSERT_EQ(1, has_secret(first));
	PROTECT();
	EXPECT_CLOSED(self->disks[DATA]);
	EXPECT_CLOSED(first);
	EXPECT_CLOSED(second);
	UNPROTECT();
	EXPECT_READABLE(first);
}

/* Who has opened the disk before must not make another way to it for others. */
TEST_F(held, partition_added_later)
{
	struct blkpg_partition part = {
		.pno = 1, .start = 1 << 20, .length = 16 << 20,
	};
	struct blkpg_ioctl_arg argument = {
		.op = BLKPG_ADD_PARTITION, .datalen = sizeof(part), .data = &part,
	};
	int fd;

	ASSERT_EQ(0, module_run("mkfs.ext4 -q -F %s", self->disks[DATA]));
	fd = open(self->disks[DATA], O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, mount(self->disks[DATA], PLACE, "ext4", 0, NULL));
	PROTECT();
	EXPECT_EQ(-1, ioctl(fd, BLKPG, &argument));
	EXPECT_EQ(EACCES, errno);
	UNPROTECT();
	EXPECT_EQ(0, ioctl(fd, BLKPG, &argument));
	argument.op = BLKPG_DEL_PARTITION;
	EXPECT_EQ(0, ioctl(fd, BLKPG, &argument));
	close(fd);
}

TEST_HARNESS_MAIN
