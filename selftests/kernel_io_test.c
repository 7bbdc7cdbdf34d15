// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_io_test - files of a volume in the hands of the kernel itself.
 *
 * Owns: what the kernel can be told to read or run on somebody's behalf: loop
 * devices, swap, helper programs. Which of these cannot be set up, and which
 * go on when they were set up before.
 *
 * Must not own: processes' own I/O (io_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/swap.h>

#include "attempt.h"
#include "gate.h"
#include "module.h"

#define IMAGE		"db/image"
#define IMAGE_BYTES	(1 << 20)

#define MODPROBE	"/proc/sys/kernel/modprobe"
#define SAVED		"/run/trustgate-selftest-modprobe"
#define HELPER		DISK_MOUNTS "/0/db/helper"
#define RAN		DISK_MOUNTS "/ran"

FIXTURE(loop) {
	struct gate gate;
	struct volume volume;
	int device;
	int fd;
};

FIXTURE_VARIANT(loop) {
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(loop, buffered) {};
FIXTURE_VARIANT_ADD(loop, direct) { .flags = LO_FLAGS_DIRECT_IO };

static int make_image(void)
{
	char *bytes = calloc(1, IMAGE_BYTES);
	int fd;

	if (!bytes)
		return -ENOMEM;
	memset(bytes, 'i', IMAGE_BYTES);
	fd = open(IMAGE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, IMAGE_BYTES) != IMAGE_BYTES ||
	    fsync(fd))
		return -errno;
	free(bytes);
	return close(fd);
}

static int attach(int device, int fd, uint32_t flags)
{
	struct loop_config config = {
		.fd = (uint32_t)fd,
		.info.lo_flags = flags | LO_FLAGS_AUTOCLEAR,
	};

	return ioctl(device, LOOP_CONFIGURE, &config) ? -errno : 0;
}

/* Past the cache, so that the loop device has to ask for it. */
static int read_loop(int device)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ssize_t got = pread(device, page, 4096, 0);
	int err = got == 4096 ? (page[0] == 'i' ? 0 : EBADMSG) :
				got < 0 ? errno : ENODATA;

	munmap(page, 4096);
	return err;
}

FIXTURE_SETUP(loop)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, make_image());
	self->device = disk_free_loop();
	ASSERT_LE(0, self->device);
	self->fd = open(IMAGE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN_PARENT(loop)
{
	gate_clean();
}

/* How often the kernel was kept from a file as one of its own threads. */
#define DENIED()							\
	volume_count(&self->gate, &self->volume,			\
		     TRUSTGATE_CAUSE_KERNEL_THREAD)

static int attach_by(int device, int fd, unsigned long command)
{
	return ioctl(device, command, fd) ? errno : 0;
}

/*
 * Whichever descriptor is meant, and whatever is granted: who has a file of the
 * volume, or could have one by the time the device takes it, gives it none.
 */
TEST_F(loop, is_not_set_up)
{
	int other = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	uint64_t forbidden = 0;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, ftruncate(other, IMAGE_BYTES));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	/* With a descriptor of before, and no grant. */
	EXPECT_EQ(EACCES, -attach(self->device, self->fd, variant->flags));
	EXPECT_EQ(EACCES, -attach(self->device, other, variant->flags));
	EXPECT_EQ(EACCES, attach_by(self->device, self->fd, LOOP_SET_FD));
	EXPECT_EQ(EACCES, attach_by(self->device, self->fd, LOOP_CHANGE_FD));
	EXPECT_EQ(EACCES, attach_by(self->device, self->fd, SET_BITMAP_FILE));
	forbidden += 5;
	/* With neither it is nobody's business. */
	close(self->fd);
	EXPECT_EQ(ENXIO, attach_by(self->device, other, LOOP_CHANGE_FD));
	/* With a grant alone, of which another thread may make use in time. */
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     IMAGE, GATE_READ | GATE_WRITE));
	EXPECT_EQ(EACCES, -attach(self->device, other, variant->flags));
	self->fd = open(IMAGE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(EACCES, -attach(self->device, self->fd, variant->flags));
	forbidden += 2;
	EXPECT_EQ(forbidden, volume_count(&self->gate, &self->volume,
					  TRUSTGATE_CAUSE_FORBIDDEN));
	/* And what tells or ends, as before. */
	EXPECT_EQ(ENXIO, attach_by(self->device, 0, LOOP_CLR_FD));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	close(self->fd);
	EXPECT_EQ(0, attach(self->device, other, variant->flags));
}

/*
 * The I/O of a loop device passes no hook, so that it goes on whoever had the
 * file open: the documentation lists it among what the gate does not stop. A
 * process is denied on that very descriptor.
 */
TEST_F(loop, goes_on_when_it_was_set_up_before)
{
	ASSERT_EQ(0, attach(self->device, self->fd, variant->flags));
	ASSERT_EQ(0, read_loop(self->device));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(0, read_loop(self->device));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, self->fd));
	EXPECT_EQ(0, DENIED());
}

FIXTURE(helper) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(helper)
{
	/* The gate may need the host's own before. */
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, module_run("cat " MODPROBE " >" SAVED));
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
}

FIXTURE_TEARDOWN_PARENT(helper)
{
	module_run("cat " SAVED " >" MODPROBE "; rm -f " SAVED);
	gate_clean();
}

TEST_F(helper, swap_is_not_switched_on)
{
	ASSERT_EQ(0, module_run("dd if=/dev/zero of=db/swap bs=1M count=4 && chmod 600 db/swap && mkswap db/swap"));
	ASSERT_EQ(0, swapon("db/swap", 0));
	ASSERT_EQ(0, swapoff("db/swap"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(-1, swapon("db/swap", 0));
	EXPECT_EQ(EACCES, errno);
}

/* Have the kernel run what it takes for modprobe; did it run? */
static bool runs_modprobe(void)
{
	int fd = socket(AF_X25, SOCK_SEQPACKET, 0);
	bool ran = !access(RAN, F_OK);

	if (fd >= 0)
		close(fd);
	unlink(RAN);
	return ran;
}

/* What the kernel starts is a process, and nobody's whom a grant was given. */
TEST_F(helper, program_is_not_run)
{
	struct trustgate_event event;
	char script[64];

	snprintf(script, sizeof(script), "#!/bin/sh\n: >" RAN "\n");
	ASSERT_EQ(0, disk_file("db/helper", script, 0755));
	ASSERT_EQ(0, module_run("echo " HELPER " >" MODPROBE));
	ASSERT_TRUE(runs_modprobe());
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_FALSE(runs_modprobe());
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("file_open", event.hook);
	EXPECT_EQ(GATE_EXEC, event.access);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	EXPECT_STREQ("/db/helper", event.path);
	EXPECT_NE(getpid(), event.pid);
}

TEST_HARNESS_MAIN
