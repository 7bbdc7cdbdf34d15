// SPDX-License-Identifier: GPL-2.0-only
/*
 * device_test - the block device below a volume.
 *
 * Owns: opening it, by every node and by the kernel itself.
 *
 * Must not own: what is left to who had it open (opened_device_test.c); that the
 * filesystem keeps it claimed (volume_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

#define NODE	DISK_MOUNTS "/node"

/* A device that is made of the disk, and its size in sectors. */
#define MAPPED		"selftest-mapped"
#define MAPPED_SECTORS	"262144"

FIXTURE(device) {
	struct gate gate;
	struct volume volume;
	const char *path;
	dev_t dev;
};

FIXTURE_SETUP(device)
{
	struct stat info;

	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	self->path = self->volume.disk.device;
	ASSERT_EQ(0, stat(self->path, &info));
	self->dev = info.st_rdev;
}

/* The kernel's own node of MAPPED, which needs no device manager. */
static int find_mapped(char node[32])
{
	char path[64], name[64];
	unsigned int i;
	FILE *file;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/sys/block/dm-%u/dm/name", i);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		fclose(file);
		snprintf(node, 32, "/dev/dm-%u", i);
		if (!strcmp(name, MAPPED "\n"))
			return 0;
	}
	return -ENOENT;
}

static int unmap(void)
{
	const char *const dmsetup[] = { "dmsetup", "remove", "--noudevrules",
		"--noudevsync", MAPPED, NULL };

	return disk_command(dmsetup);
}

FIXTURE_TEARDOWN_PARENT(device)
{
	char node[32];

	gate_clean();
	/* Else nobody could use the disk any more. */
	if (!find_mapped(node))
		unmap();
}

#define PROTECT()							\
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume))

TEST_F(device, opens)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR,
				     O_RDONLY | O_DIRECT, O_ACCMODE };
	struct trustgate_event event;
	unsigned int i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		EXPECT_EQ(0, attempt_open(self->path, flags[i]))
			TH_LOG("%s %#o", self->path, flags[i]);
	PROTECT();
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("block_device", event.hook);
	EXPECT_EQ(TRUSTGATE_CAUSE_FORBIDDEN, event.cause);
	EXPECT_EQ(GATE_READ, event.access);
	EXPECT_EQ(self->volume.id, event.volume_id);
	EXPECT_EQ(getpid(), event.pid);
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		EXPECT_EQ(EPERM, attempt_open(self->path, flags[i]))
			TH_LOG("%s %#o", self->path, flags[i]);

	/* It is the bytes of all files, so no grant is for it. */
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(EPERM, actor_once(attempt_open, self->path, O_RDONLY));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
}

/* Nodes are names; the number is what counts. */
TEST_F(device, other_nodes)
{
	char link[64];
	int fd;

	ASSERT_EQ(0, mknod(NODE, S_IFBLK | 0600, self->dev));
	ASSERT_EQ(0, attempt_open(NODE, O_RDONLY));
	PROTECT();
	EXPECT_EQ(EPERM, attempt_open(NODE, O_RDONLY));
	/* Who makes a node now has nothing by it. */
	ASSERT_EQ(0, unlink(NODE));
	EXPECT_EQ(0, mknod(NODE, S_IFBLK | 0600, self->dev));
	EXPECT_EQ(EPERM, attempt_open(NODE, O_RDONLY));
	fd = open(NODE, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	EXPECT_EQ(EPERM, attempt_open(link, O_RDONLY));
	close(fd);
	ASSERT_EQ(0, unlink(NODE));
}

/* Nor are other disks touched. */
TEST_F(device, others)
{
	struct volume other;

	ASSERT_EQ(0, volume_make(&other, 1, "xfs"));
	PROTECT();
	EXPECT_EQ(0, attempt_open(other.disk.device, O_RDONLY));
	EXPECT_EQ(0, attempt_open("/dev/null", O_RDWR));
	ASSERT_EQ(0, volume_protect(&self->gate, &other));
	EXPECT_EQ(EPERM, attempt_open(other.disk.device, O_RDONLY));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(EPERM, attempt_open(other.disk.device, O_RDONLY));
}

/* The kernel opens devices, too, without a node and without a hook. */

static int loop_over(const char *device)
{
	const int loop = disk_free_loop();
	struct loop_config config = {};
	int err = 0;

	if (loop < 0)
		return -loop;
	config.fd = open(device, O_RDONLY | O_CLOEXEC);
	if ((int)config.fd < 0)
		err = errno;
	else if (ioctl(loop, LOOP_CONFIGURE, &config))
		err = errno;
	else
		ioctl(loop, LOOP_CLR_FD, 0);
	close(config.fd);
	close(loop);
	return err;
}

static int swap_on(const char *device)
{
	const char *const mkswap[] = { "mkswap", "-f", device, NULL };

	return disk_command(mkswap);
}

TEST_F(device, by_kernel)
{
	const char *const elsewhere = DISK_MOUNTS "/elsewhere";

	ASSERT_EQ(0, disk_load_loop());
	ASSERT_EQ(0, mkdir(elsewhere, 0700));
	EXPECT_EQ(0, loop_over(self->path));
	PROTECT();
	EXPECT_EQ(EPERM, loop_over(self->path));
	EXPECT_NE(0, swap_on(self->path));
	EXPECT_NE(0, swapon(self->path, 0));
	/* As another filesystem, or the same one, which is the volume. */
	EXPECT_NE(0, mount(self->path, elsewhere, "xfs", 0, NULL));
	EXPECT_EQ(0, mount(self->path, elsewhere, "ext4", 0, NULL));
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/elsewhere/db/a", 0));
	EXPECT_EQ(0, umount(elsewhere));
}

/* The disk that a volume is a partition of has its bytes; other parts do not. */
TEST_F(device, whole_disk)
{
	struct blkpg_partition part = { .pno = 1, .start = 1 << 20,
					.length = 200 << 20 };
	struct blkpg_ioctl_arg argument = { .op = BLKPG_ADD_PARTITION,
					    .datalen = sizeof(part),
					    .data = &part };
	struct blkpg_partition second = { .pno = 2, .start = 300 << 20,
					  .length = 1 << 20 };
	const char *const place = DISK_MOUNTS "/part";
	char first[72], other[72];
	uint32_t id;
	int fd;

	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, disk_unmount(&self->volume.disk));
	ASSERT_EQ(0, disk_wait_released(&self->volume.disk));
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, BLKPG, &argument));
	argument.data = &second;
	ASSERT_EQ(0, ioctl(fd, BLKPG, &argument));
	close(fd);
	snprintf(first, sizeof(first), "%s%s1", self->path,
		 strstr(self->path, "loop") ? "p" : "");
	snprintf(other, sizeof(other), "%s%s2", self->path,
		 strstr(self->path, "loop") ? "p" : "");
	{
		const char *const mkfs[] = { "mkfs.ext4", "-q", "-F", first,
			NULL };

		ASSERT_EQ(0, disk_command(mkfs));
	}
	ASSERT_EQ(0, mkdir(place, 0700));
	ASSERT_EQ(0, mount(first, place, "ext4", 0, NULL));
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
	ASSERT_EQ(0, trustgate_volume_add(self->gate.conn, "selftest-part",
					  place, -1, NULL, &id));
	EXPECT_EQ(EPERM, attempt_open(first, O_RDONLY));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(0, attempt_open(other, O_RDONLY));
	ASSERT_EQ(0, trustgate_volume_del(self->gate.conn, id));
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(0, umount(place));
	fd = open(self->path, O_RDWR | O_CLOEXEC);
	argument.op = BLKPG_DEL_PARTITION;
	EXPECT_EQ(0, ioctl(fd, BLKPG, &argument));
	argument.data = &part;
	EXPECT_EQ(0, ioctl(fd, BLKPG, &argument));
	close(fd);
}

/* Devices further below are those that the agent names. */

/* The same bytes under another name. */
static int map(const char *name, const char *device)
{
	char table[128];
	const char *const modprobe[] = { "modprobe", "dm_mod", NULL };
	/* Where no device manager makes the node, it does it itself. */
	const char *const dmsetup[] = { "dmsetup", "create", name,
		"--noudevrules", "--noudevsync", "--table", table, NULL };

	snprintf(table, sizeof(table), "0 " MAPPED_SECTORS " linear %s 0",
		 device);
	return disk_command(modprobe) ?: disk_command(dmsetup);
}

static int lower_count(struct gate *gate, uint32_t id)
{
	struct trustgate_volume volume;
	int err;

	err = trustgate_volume_get(gate->conn, id, NULL, &volume);
	return err ?: (int)volume.lower_count;
}

TEST_F(device, lower)
{
	char node[32];
	const char *const mkfs[] = { "mkfs.ext4", "-q", "-F", node, NULL };
	dev_t many[TRUSTGATE_LOWER_DEVICES_MAX + 1];
	const char *const place = DISK_MOUNTS "/mapped";
	uint32_t id;

	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, disk_unmount(&self->volume.disk));
	ASSERT_EQ(0, disk_wait_released(&self->volume.disk));
	ASSERT_EQ(0, map(MAPPED, self->path));
	ASSERT_EQ(0, find_mapped(node));
	ASSERT_EQ(0, disk_command(mkfs));
	ASSERT_EQ(0, mkdir(place, 0700));
	ASSERT_EQ(0, mount(node, place, "ext4", 0, NULL));
	ASSERT_EQ(0, trustgate_volume_add(self->gate.conn, "selftest-mapped",
					  place, -1, NULL, &id));
	EXPECT_EQ(EPERM, attempt_open(node, O_RDONLY));
	/* The kernel does not know what the volume's device is made of. */
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(0, lower_count(&self->gate, id));

	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn, id,
						&self->dev, 1));
	EXPECT_EQ(1, lower_count(&self->gate, id));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(EPERM, attempt_open(node, O_RDONLY));
	EXPECT_NE(0, map("selftest-again", self->path));
	EXPECT_EQ(EPERM, loop_over(self->path));

	/* What cannot be set changes nothing. */
	memset(many, 0, sizeof(many));
	EXPECT_EQ(-EINVAL, trustgate_volume_set_lower(self->gate.conn, id, many,
						      TRUSTGATE_LOWER_DEVICES_MAX + 1));
	EXPECT_EQ(-ENOENT, trustgate_volume_set_lower(self->gate.conn, id + 1,
						      many, 1));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(0, trustgate_volume_set_lower(self->gate.conn, id, many,
						TRUSTGATE_LOWER_DEVICES_MAX));
	EXPECT_EQ(TRUSTGATE_LOWER_DEVICES_MAX, lower_count(&self->gate, id));
	/* Replaced, and none. */
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn, id, NULL, 0));
	EXPECT_EQ(0, lower_count(&self->gate, id));

	ASSERT_EQ(0, trustgate_volume_set_lower(self->gate.conn, id,
						&self->dev, 1));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	ASSERT_EQ(0, trustgate_volume_del(self->gate.conn, id));
	EXPECT_EQ(0, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(0, umount(place));
	EXPECT_EQ(0, unmap());
}

/* Of character devices, only those that the agent names; see nodes_test. */
TEST_F(device, nodes)
{
	const dev_t zero = makedev(1, 5), full = makedev(1, 7);
	dev_t many[TRUSTGATE_LOWER_DEVICES_MAX + 1] = {};
	struct trustgate_event event;

	PROTECT();
	EXPECT_EQ(0, attempt_open("/dev/zero", O_RDONLY));
	ASSERT_EQ(0, trustgate_volume_set_nodes(self->gate.conn,
						self->volume.id, &zero, 1));
	EXPECT_EQ(EACCES, attempt_open("/dev/zero", O_RDONLY));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("file_open", event.hook);
	EXPECT_EQ(TRUSTGATE_CAUSE_FORBIDDEN, event.cause);
	EXPECT_EQ(self->volume.id, event.volume_id);
	EXPECT_EQ(EACCES, attempt_open("/dev/zero", O_RDWR));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	EXPECT_EQ(EACCES, attempt_open("/dev/zero", O_RDONLY));
	EXPECT_EQ(0, attempt_open("/dev/full", O_RDONLY));
	/* A block device of the same number is another one. */
	ASSERT_EQ(0, trustgate_volume_set_nodes(self->gate.conn,
						self->volume.id, &self->dev,
						1));
	EXPECT_EQ(0, attempt_open("/dev/zero", O_RDONLY));
	EXPECT_EQ(-EINVAL, trustgate_volume_set_nodes(self->gate.conn,
						      self->volume.id, many,
						      TRUSTGATE_LOWER_DEVICES_MAX + 1));
	EXPECT_EQ(-ENOENT, trustgate_volume_set_nodes(self->gate.conn,
						      self->volume.id + 1,
						      many, 1));
	ASSERT_EQ(0, trustgate_volume_set_nodes(self->gate.conn,
						self->volume.id, &full, 1));
	EXPECT_EQ(EACCES, attempt_open("/dev/full", O_RDONLY));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, attempt_open("/dev/full", O_RDONLY));
}

/* What is attached to a cgroup can be detached, and comes back. */

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A descriptor of the gate's link to the root cgroup, or -1. */
static int device_link(void)
{
	struct bpf_link_info link;
	struct bpf_prog_info prog;
	union bpf_attr attr;
	uint32_t id = 0;
	int fd, prog_fd;

	for (;;) {
		attr = (union bpf_attr){ .start_id = id };
		if (bpf(BPF_LINK_GET_NEXT_ID, &attr))
			return -1;
		id = attr.next_id;
		attr = (union bpf_attr){ .link_id = id };
		fd = bpf(BPF_LINK_GET_FD_BY_ID, &attr);
		if (fd < 0)
			continue;
		memset(&link, 0, sizeof(link));
		memset(&prog, 0, sizeof(prog));
		attr = (union bpf_attr){ .info = { fd, sizeof(link),
						   (uintptr_t)&link } };
		bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
		attr = (union bpf_attr){ .prog_id = link.prog_id };
		prog_fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		attr = (union bpf_attr){ .info = { prog_fd, sizeof(prog),
						   (uintptr_t)&prog } };
		bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
		close(prog_fd);
		if (link.type == BPF_LINK_TYPE_CGROUP &&
		    link.cgroup.attach_type == BPF_CGROUP_DEVICE &&
		    !strcmp(prog.name, "block_device"))
			return fd;
		close(fd);
	}
}

static int wait_long(struct gate *gate, uint32_t type)
{
	struct trustgate_event event;
	unsigned int tries;

	for (tries = 0; tries < 4; tries++) {
		if (!gate_wait_event(gate, type, &event))
			return 0;
	}
	return ETIMEDOUT;
}

TEST_F_TIMEOUT(device, detached_and_back, 120)
{
	union bpf_attr attr;
	int fd;

	PROTECT();
	ASSERT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	fd = device_link();
	ASSERT_LE(0, fd);
	attr = (union bpf_attr){ .link_detach = { fd } };
	ASSERT_EQ(0, bpf(BPF_LINK_DETACH, &attr));
	close(fd);
	/* This is what the next proof finds; an LSM hook stands behind it. */
	EXPECT_EQ(EACCES, attempt_open(self->path, O_RDONLY));
	EXPECT_EQ(EACCES, attempt_open(self->path, O_RDWR));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	ASSERT_EQ(0, wait_long(&self->gate, TRUSTGATE_EVENT_TYPE_GATE_BROKEN));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
	ASSERT_EQ(0, wait_long(&self->gate,
			       TRUSTGATE_EVENT_TYPE_GATE_REPAIRED));
	EXPECT_EQ(EPERM, attempt_open(self->path, O_RDONLY));
}

/* The options of the host's hierarchy are not the gate's. */

#define HIERARCHY	DISK_MOUNTS "/cgroup"

static int hierarchy_options(char options[256])
{
	char line[1024];
	FILE *mounts;
	int err = ENOENT;

	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return errno;
	while (fgets(line, sizeof(line), mounts)) {
		if (!strstr(line, " " HIERARCHY " ") ||
		    sscanf(strstr(line, " - "), " - %*s %*s %255s",
			   options) != 1)
			continue;
		err = 0;
	}
	fclose(mounts);
	return err;
}

TEST_F(device, hierarchy_keeps_its_options)
{
	char before[256], during[256], after[256];

	/* The first volume is what attaches the program. */
	ASSERT_EQ(0, gate_go_idle(&self->gate));
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, mkdir(HIERARCHY, 0700));
	ASSERT_EQ(0, mount("cgroup2", HIERARCHY, "cgroup2", 0,
			   "nsdelegate,memory_recursiveprot"));
	ASSERT_EQ(0, hierarchy_options(before));
	ASSERT_NE(NULL, strstr(before, "nsdelegate"));
	PROTECT();
	ASSERT_EQ(0, hierarchy_options(during));
	EXPECT_STREQ(before, during);
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	ASSERT_EQ(0, hierarchy_options(after));
	EXPECT_STREQ(before, after);
}

TEST_HARNESS_MAIN
