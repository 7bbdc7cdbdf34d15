// SPDX-License-Identifier: GPL-2.0-only
/*
 * node_test - device nodes and FIFOs that lie on a volume.
 *
 * Owns: what a descriptor of one can do that is not reading or writing.
 *
 * Must not own: the device below a volume (device_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "gate.h"

static int result(long value)
{
	return value < 0 ? errno : 0;
}

/*
 * Behind a device node or a FIFO are no bytes of the volume, so its ioctls are
 * not looked at one by one; they take what the descriptor was opened for.
 */

FIXTURE(node) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(node) {
	mode_t mode;
	unsigned int minor;	/* of those that are memory */
	int flags;
	unsigned long command;
	uint32_t needs;
};

/* /dev/urandom by another name; on a file, this would be forbidden. */
FIXTURE_VARIANT_ADD(node, device) {
	.mode = S_IFCHR | 0600, .minor = 9, .flags = O_RDONLY,
	.command = RNDGETENTCNT, .needs = GATE_READ,
};

FIXTURE_VARIANT_ADD(node, device_for_writing) {
	.mode = S_IFCHR | 0600, .minor = 9, .flags = O_WRONLY,
	.command = RNDGETENTCNT, .needs = GATE_WRITE,
};

FIXTURE_VARIANT_ADD(node, fifo) {
	.mode = S_IFIFO | 0600, .flags = O_RDWR,
	.command = FIONREAD, .needs = GATE_READ | GATE_WRITE,
};

FIXTURE_SETUP(node)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, mknod("db/node", variant->mode,
			   makedev(1, variant->minor)));
}

FIXTURE_TEARDOWN_PARENT(node)
{
	gate_clean();
}

TEST_F(node, takes_what_it_was_opened_for)
{
	const uint32_t lowest = variant->needs & -variant->needs;
	const int fd = open("db/node", variant->flags | O_CLOEXEC);
	struct trustgate_event event;
	int value;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, variant->command, &value));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, result(ioctl(fd, variant->command, &value)));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("file_ioctl", event.hook);
	EXPECT_EQ(variant->needs, event.access);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/node", GATE_ALL & ~lowest));
	EXPECT_EQ(EACCES, result(ioctl(fd, variant->command, &value)));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/node", lowest));
	EXPECT_EQ(0, result(ioctl(fd, variant->command, &value)));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, result(ioctl(fd, variant->command, &value)));
	close(fd);
}

TEST_HARNESS_MAIN
