// SPDX-License-Identifier: GPL-2.0-only
/*
 * opened_device_test - the device below a volume, opened before there was one.
 *
 * Owns: that such a descriptor is of no use any more, and others are.
 *
 * Must not own: opening devices (device_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "actor.h"
#include "gate.h"

#define NODE	DISK_MOUNTS "/node"

/* The number of /dev/urandom, which stands in for one that leads to a disk. */
#define CHARACTER	makedev(1, 9)

FIXTURE(opened) {
	struct gate gate;
	struct volume volume;
	const char *path;
	dev_t dev;
};

FIXTURE_SETUP(opened)
{
	struct stat info;

	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	self->path = self->volume.disk.device;
	ASSERT_EQ(0, stat(self->path, &info));
	self->dev = info.st_rdev;
}

FIXTURE_TEARDOWN_PARENT(opened)
{
	unlink(NODE);
	gate_clean();
}

#define PROTECT()							\
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume))

/* What can be done with a descriptor. None of it changes a byte. */

static char page[4096];

static int do_read(int fd)
{
	return pread(fd, page, sizeof(page), 0) < 0 ? errno : 0;
}

static int do_write(int fd)
{
	return pwrite(fd, page, 0, 0) < 0 ? errno : 0;
}

static int do_send(int fd)
{
	int to = memfd_create("to", MFD_CLOEXEC);
	off_t from = 0;
	int err = sendfile(to, fd, &from, 1) < 0 ? errno : 0;

	close(to);
	return err;
}

static int do_map(int fd)
{
	void *map = mmap(NULL, sizeof(page), PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, sizeof(page));
	return 0;
}

static int do_command(int fd)
{
	uint64_t bytes;

	return ioctl(fd, BLKGETSIZE64, &bytes) ? errno : 0;
}

/* Beyond the end of every disk. */
static int do_discard(int fd)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int err = -io_uring_queue_init(1, &ring, 0);

	if (err)
		return err;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, 0);
	sqe->cmd_op = BLOCK_URING_CMD_DISCARD;
	sqe->addr = 1ULL << 60;
	sqe->addr3 = sizeof(page);
	err = io_uring_submit_and_wait(&ring, 1);
	err = err < 0 ? -err : -io_uring_peek_cqe(&ring, &cqe);
	if (!err && cqe->res < 0)
		err = -cqe->res;
	io_uring_queue_exit(&ring);
	/* All that is wrong with it. */
	return err == EINVAL ? 0 : err;
}

static const struct {
	const char *name;
	int (*go)(int fd);
	const char *hook;
} uses[] = {
	{ "read", do_read, "file_permission" },
	{ "write", do_write, "file_permission" },
	{ "sendfile", do_send, "file_permission" },
	{ "mmap", do_map, "mmap_file" },
	{ "ioctl", do_command, "file_ioctl" },
	{ "io_uring command", do_discard, "uring_cmd" },
};

#define EXPECT_USES(err, fd)						\
	do {								\
		const size_t count_ = sizeof(uses) / sizeof(*uses);	\
									\
		for (size_t i_ = 0; i_ < count_; i_++) {		\
			EXPECT_EQ(err, uses[i_].go(fd))			\
				TH_LOG("%s", uses[i_].name);		\
		}							\
	} while (0)

static int read_inherited(const char *unused, long fd)
{
	return do_read((int)fd);
}

/* Who has it open when it is protected has no more than who comes later. */
TEST_F(opened, block_device)
{
	int own, by_node, others, duplicate;
	struct trustgate_event event;
	struct volume other;

	ASSERT_EQ(0, volume_make(&other, 1, "xfs"));
	ASSERT_EQ(0, mknod(NODE, S_IFBLK | 0600, self->dev));
	own = open(self->path, O_RDWR | O_CLOEXEC);
	by_node = open(NODE, O_RDWR | O_CLOEXEC);
	others = open(other.disk.device, O_RDWR | O_CLOEXEC);
	ASSERT_EQ(0, unlink(NODE));
	ASSERT_LE(0, own);
	ASSERT_LE(0, by_node);
	ASSERT_LE(0, others);
	duplicate = dup(own);
	EXPECT_USES(0, own);

	PROTECT();
	for (unsigned int i = 0; i < sizeof(uses) / sizeof(*uses); i++) {
		gate_forget_events(&self->gate);
		EXPECT_EQ(EACCES, uses[i].go(own))
			TH_LOG("%s", uses[i].name);
		ASSERT_EQ(0, gate_wait_event(&self->gate,
					     TRUSTGATE_EVENT_TYPE_DENIED,
					     &event));
		EXPECT_STREQ(uses[i].hook, event.hook);
		EXPECT_EQ(TRUSTGATE_CAUSE_FORBIDDEN, event.cause);
		EXPECT_EQ(self->volume.id, event.volume_id);
	}
	EXPECT_USES(EACCES, by_node);
	EXPECT_USES(EACCES, duplicate);
	EXPECT_USES(0, others);
	/* It is the bytes of all files, so no grant is for it. */
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	EXPECT_USES(EACCES, own);
	EXPECT_EQ(EACCES, actor_once(read_inherited, "", own));

	ASSERT_EQ(0, volume_protect(&self->gate, &other));
	EXPECT_USES(EACCES, others);
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_USES(0, own);
	EXPECT_USES(EACCES, others);
}

/* Those below others have open for good reasons, and it is not by them. */
TEST_F(opened, device_further_below)
{
	int others;
	struct volume other;
	struct stat info;

	ASSERT_EQ(0, volume_make(&other, 1, "xfs"));
	ASSERT_EQ(0, stat(other.disk.device, &info));
	others = open(other.disk.device, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, others);
	PROTECT();
	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn,
						self->volume.id, &info.st_rdev,
						1));
	EXPECT_USES(0, others);
}

/* A btrfs calls no device its own, so it is those that the agent names. */
TEST_F(opened, device_of_a_btrfs)
{
	struct volume volume;
	struct stat info;
	int own;

	ASSERT_EQ(0, volume_make(&volume, 1, "btrfs"));
	ASSERT_EQ(0, stat(volume.disk.device, &info));
	own = open(volume.disk.device, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, own);
	ASSERT_EQ(0, volume_protect(&self->gate, &volume));
	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn, volume.id,
						&info.st_rdev, 1));
	EXPECT_USES(EACCES, own);
	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn, volume.id,
						NULL, 0));
	EXPECT_USES(0, own);
}

TEST_F(opened, character_device)
{
	const dev_t number = CHARACTER;
	int fd, bits;

	ASSERT_EQ(0, mknod(NODE, S_IFCHR | 0600, number));
	fd = open(NODE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	PROTECT();
	EXPECT_EQ(0, ioctl(fd, RNDGETENTCNT, &bits));
	ASSERT_EQ(0, trustgate_volume_set_nodes(self->gate.conn,
						self->volume.id, &number, 1));
	EXPECT_EQ(-1, ioctl(fd, RNDGETENTCNT, &bits));
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, trustgate_volume_set_nodes(self->gate.conn,
						self->volume.id, NULL, 0));
	EXPECT_EQ(0, ioctl(fd, RNDGETENTCNT, &bits));
}

TEST_HARNESS_MAIN
