// SPDX-License-Identifier: GPL-2.0-only
/*
 * route_test - operations on files that are neither I/O nor names.
 *
 * Owns: ioctls, extended attributes, access control lists, protection of
 * mappings, descriptors received, watches: each does without the gate what it
 * does; with it nothing; with the access that it needs what it did before; with
 * every other access nothing.
 *
 * Must not own: opens, I/O and mmap (open_test.c, io_test.c, mmap_test.c);
 * mode, owner, times and size (attr_test.c); mounts (mount_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/xattr.h>

#include "attempt.h"
#include "gate.h"

/* What the tests have before there is a gate. */
static struct {
	int fd;		/* db/a, open for reading and writing */
	int other;	/* db/b, likewise */
	void *private;	/* db/a, mapped for reading */
	void *shared;	/* db/a, mapped for reading and writing */
	int flags;	/* of db/a */
} had;

static int result(long value)
{
	return value < 0 ? errno : 0;
}

/* Commands that answer. */

static int get_flags(void)
{
	int flags;

	return result(ioctl(had.fd, FS_IOC_GETFLAGS, &flags));
}

static int get_fsxattr(void)
{
	struct fsxattr attributes;

	return result(ioctl(had.fd, FS_IOC_FSGETXATTR, &attributes));
}

static int get_block_size(void)
{
	int size;

	return result(ioctl(had.fd, FIGETBSZ, &size));
}

/* Files are no terminals, and programs ask. */
static int is_terminal(void)
{
	return isatty(had.fd) ? 0 : errno;
}

static int map_extents(void)
{
	struct fiemap map = { .fm_length = ~0ULL };

	return result(ioctl(had.fd, FS_IOC_FIEMAP, &map));
}

static int set_flags(void)
{
	int flags = had.flags | FS_NOATIME_FL;

	return result(ioctl(had.fd, FS_IOC_SETFLAGS, &flags));
}

static int set_fsxattr(void)
{
	struct fsxattr attributes;

	if (ioctl(had.fd, FS_IOC_FSGETXATTR, &attributes))
		return errno;
	return result(ioctl(had.fd, FS_IOC_FSSETXATTR, &attributes));
}

static int clone(void)
{
	return result(ioctl(had.fd, FICLONE, had.other));
}

static int reserve(void)
{
	return attempt_reserve(had.fd, 4096);
}

static int move_extents(void)
{
	return attempt_move_extents(had.fd, had.other);
}

static int trim(void)
{
	struct fstrim_range range = { .len = ~0ULL };

	return result(ioctl(had.fd, FITRIM, &range));
}

static int unknown_command(void)
{
	return result(ioctl(had.fd, 0x7472757374, 0));
}

#ifdef __x86_64__
static int compat_ioctl(unsigned int command, int *argument)
{
	return attempt_compat(54, had.fd, command, argument);
}

static int *low_memory(void)
{
	int *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int compat_set_flags(void)
{
	int *flags = low_memory();

	if (!flags)
		return ENOMEM;
	*flags = had.flags | FS_NOATIME_FL;
	return compat_ioctl(FS_IOC32_SETFLAGS, flags);
}

static int compat_unknown(void)
{
	return compat_ioctl(0x74727573, NULL);
}
#endif

/* Mappings that there are already. */

static int protect_readable(void)
{
	return result(mprotect(had.private, 4096, PROT_READ));
}

static int protect_executable(void)
{
	return result(mprotect(had.private, 4096, PROT_READ | PROT_EXEC));
}

static int protect_shared(void)
{
	return result(mprotect(had.shared, 4096, PROT_READ | PROT_WRITE));
}

/* What is written to a private mapping never gets to the file. */
static int protect_private(void)
{
	return result(mprotect(had.private, 4096, PROT_READ | PROT_WRITE));
}

static int protect_nothing(void)
{
	return result(mprotect(had.private, 4096, PROT_NONE));
}

/* Attributes. */

#define XATTR	"user.selftest"

static int get_xattr(void)
{
	char value[16];

	return result(getxattr("db/a", XATTR, value, sizeof(value)));
}

static int get_xattr_fd(void)
{
	char value[16];

	return result(fgetxattr(had.fd, XATTR, value, sizeof(value)));
}

static int list_xattr(void)
{
	char names[256];

	return result(listxattr("db/a", names, sizeof(names)));
}

static int set_xattr(void)
{
	return result(setxattr("db/a", XATTR, "new", 3, 0));
}

static int set_xattr_fd(void)
{
	return result(fsetxattr(had.fd, XATTR, "new", 3, 0));
}

static int remove_xattr(void)
{
	return result(removexattr("db/a", XATTR));
}

#define ACL	"system.posix_acl_access"

static int set_acl(void)
{
	return attempt_set_acl("db/a");
}

static int remove_acl(void)
{
	return result(removexattr("db/a", ACL));
}

/* A system call of newer kernels for what is an ioctl on others. */
static int set_file_attributes(void)
{
	return attempt_set_attributes("db/a");
}

/* Descriptors and watches. */

static int receive(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int sockets[2], err;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets))
		return errno;
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	err = result(sendmsg(sockets[0], &message, 0));
	message.msg_controllen = sizeof(control);
	if (!err)
		err = result(recvmsg(sockets[1], &message, MSG_CMSG_CLOEXEC));
	/* The message comes without what may not be received. */
	if (!err && message.msg_flags & MSG_CTRUNC)
		err = EACCES;
	close(sockets[0]);
	close(sockets[1]);
	if (!err) {
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
		close(fd);
	}
	return err;
}

static int receive_descriptor(void)
{
	return receive(had.fd);
}

static int watch(void)
{
	int fd = inotify_init1(IN_CLOEXEC);
	int err = result(inotify_add_watch(fd, "db/a", IN_ACCESS));

	close(fd);
	return err;
}

static int watch_by_fanotify(unsigned int flags, const char *path)
{
	int fd = fanotify_init(FAN_CLOEXEC, O_RDONLY);
	int err = result(fanotify_mark(fd, FAN_MARK_ADD | flags, FAN_OPEN,
				       AT_FDCWD, path));

	close(fd);
	return err;
}

static int watch_file(void)
{
	return watch_by_fanotify(0, "db/a");
}

FIXTURE(route) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(route) {
	int (*go)(void);
	uint32_t needs;
	bool forbidden;
	const char *hook;
};

/* Needs an access; is forbidden; is free. */
#define ROUTE(operation, access, by)					\
	FIXTURE_VARIANT_ADD(route, operation) {				\
		.go = operation, .needs = access, .hook = by,		\
	}
#define CLOSED(operation, by)						\
	FIXTURE_VARIANT_ADD(route, operation) {				\
		.go = operation, .forbidden = true, .hook = by,		\
	}
#define FREE(operation) ROUTE(operation, 0, NULL)

FREE(get_flags);
FREE(get_fsxattr);
FREE(get_block_size);
FREE(is_terminal);
ROUTE(map_extents, GATE_READ, "file_ioctl");
ROUTE(set_flags, GATE_META, "file_ioctl");
ROUTE(set_fsxattr, GATE_META, "file_ioctl");
ROUTE(clone, GATE_WRITE, "file_ioctl");
ROUTE(reserve, GATE_WRITE, "file_ioctl");
CLOSED(move_extents, "file_ioctl");
CLOSED(trim, "file_ioctl");
CLOSED(unknown_command, "file_ioctl");
#ifdef __x86_64__
ROUTE(compat_set_flags, GATE_META, "file_ioctl_compat");
CLOSED(compat_unknown, "file_ioctl_compat");
#endif
ROUTE(protect_readable, GATE_READ, "file_mprotect");
ROUTE(protect_executable, GATE_READ | GATE_EXEC, "file_mprotect");
ROUTE(protect_shared, GATE_READ | GATE_WRITE, "file_mprotect");
ROUTE(protect_private, GATE_READ, "file_mprotect");
FREE(protect_nothing);
ROUTE(get_xattr, GATE_READ, "inode_getxattr");
ROUTE(get_xattr_fd, GATE_READ, "inode_getxattr");
FREE(list_xattr);
ROUTE(set_xattr, GATE_META, "inode_setxattr");
ROUTE(set_xattr_fd, GATE_META, "inode_setxattr");
ROUTE(remove_xattr, GATE_META, "inode_removexattr");
ROUTE(set_acl, GATE_META, "inode_set_acl");
ROUTE(remove_acl, GATE_META, "inode_remove_acl");
ROUTE(set_file_attributes, GATE_META, "inode_file_setattr");
ROUTE(receive_descriptor, GATE_READ | GATE_WRITE, "file_receive");
ROUTE(watch, GATE_READ, "path_notify");
ROUTE(watch_file, GATE_READ, "path_notify");

static int prepare(void)
{
	had.fd = open("db/a", O_RDWR | O_CLOEXEC);
	had.other = open("db/b", O_RDWR | O_CLOEXEC);
	had.private = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, had.fd, 0);
	had.shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, had.fd,
			  0);
	if (had.fd < 0 || had.other < 0 || had.private == MAP_FAILED ||
	    had.shared == MAP_FAILED ||
	    ioctl(had.fd, FS_IOC_GETFLAGS, &had.flags))
		return errno;
	return result(setxattr("db/a", XATTR, "old", 3, 0)) ?: set_acl();
}

/* Back to what was before the operation. */
static int restore(void)
{
	return result(ioctl(had.fd, FS_IOC_SETFLAGS, &had.flags)) ?:
	       result(setxattr("db/a", XATTR, "old", 3, 0)) ?: set_acl();
}

FIXTURE_SETUP(route)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, prepare());
}

FIXTURE_TEARDOWN_PARENT(route)
{
	gate_clean();
}

TEST_F(route, needs)
{
	const int before = variant->go();
	const bool closed = variant->needs || variant->forbidden;
	struct trustgate_event event;
	uint64_t id;

	ASSERT_NE(EACCES, before);
	/* Kernels differ, and a gate has nothing to close then. */
	if (before == ENOSYS)
		return;
	ASSERT_EQ(0, restore());
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));

	gate_forget_events(&self->gate);
	EXPECT_EQ(closed ? EACCES : before, variant->go());
	if (closed) {
		ASSERT_EQ(0, gate_wait_event(&self->gate,
					     TRUSTGATE_EVENT_TYPE_DENIED,
					     &event));
		EXPECT_STREQ(variant->hook, event.hook);
		EXPECT_EQ(variant->needs, event.access);
		EXPECT_EQ(variant->forbidden ? TRUSTGATE_CAUSE_FORBIDDEN :
					       TRUSTGATE_CAUSE_NO_GRANT,
			  event.cause);
		EXPECT_STREQ("/db/a", event.path);
	}

	/* All but one of what it needs, and all but all of it. */
	if (variant->needs) {
		const uint32_t lowest = variant->needs & -variant->needs;

		id = gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_ALL & ~lowest);
		ASSERT_NE(0, id);
		EXPECT_EQ(EACCES, variant->go());
		ASSERT_EQ(0, gate_revoke(&self->gate, id));
	}
	id = gate_grant_file(&self->gate, &self->volume, getpid(), "db/b",
			     GATE_ALL);
	ASSERT_NE(0, id);
	EXPECT_EQ(closed ? EACCES : before, variant->go());
	if (variant->forbidden) {
		ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume,
					     getpid(), ".", GATE_ALL));
		EXPECT_EQ(EACCES, variant->go());
	} else if (closed) {
		id = gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", variant->needs);
		ASSERT_NE(0, id);
		EXPECT_EQ(before, variant->go());
		ASSERT_EQ(0, gate_revoke(&self->gate, id));
		EXPECT_EQ(EACCES, variant->go());
	}
}

/* On one filesystem, about files of another. */

FIXTURE(exchange) {
	struct gate gate;
	struct volume here;
	struct volume there;
};

FIXTURE_SETUP(exchange)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->there, 0, "xfs"));
	ASSERT_EQ(0, volume_make(&self->here, 1, "xfs"));
}

FIXTURE_TEARDOWN_PARENT(exchange)
{
	gate_clean();
}

TEST_F(exchange, by_another)
{
	/* struct xfs_swapext; no descriptor in it is one. */
	struct {
		int64_t version, target, temporary, offset, length;
		char pad[16], stat[192];
	} swap = { .version = 1, .target = -1, .temporary = -1 };
	const int fd = open("db/a", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_NE(EACCES, result(ioctl(fd, _IOWR('X', 109, swap), &swap)));
	EXPECT_EQ(0, volume_protect(&self->gate, &self->there));
	EXPECT_EQ(EACCES, result(ioctl(fd, _IOWR('X', 109, swap), &swap)));
	EXPECT_EQ(1, volume_count(&self->gate, &self->there,
				  TRUSTGATE_CAUSE_FORBIDDEN));
	EXPECT_EQ(0, attempt_read("db/a", 0));
	close(fd);
}

/* Whole mounts and filesystems take a grant for all that lies on them. */

FIXTURE(watched) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(watched)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, watch_by_fanotify(FAN_MARK_MOUNT, "db/a"));
	ASSERT_EQ(0, watch_by_fanotify(FAN_MARK_FILESYSTEM, "db/a"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(watched)
{
	gate_clean();
}

TEST_F(watched, whole)
{
	EXPECT_EQ(EACCES, watch_by_fanotify(FAN_MARK_MOUNT, "db/a"));
	EXPECT_EQ(EACCES, watch_by_fanotify(FAN_MARK_FILESYSTEM, "db/a"));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), "db",
				     GATE_ALL));
	EXPECT_EQ(0, watch_by_fanotify(0, "db/a"));
	EXPECT_EQ(EACCES, watch_by_fanotify(FAN_MARK_MOUNT, "db/a"));
	EXPECT_EQ(EACCES, watch_by_fanotify(FAN_MARK_FILESYSTEM, "db/a"));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_READ));
	EXPECT_EQ(0, watch_by_fanotify(FAN_MARK_MOUNT, "db/a"));
	EXPECT_EQ(0, watch_by_fanotify(FAN_MARK_FILESYSTEM, "db/a"));
}

/* A descriptor that gives no access may be passed on. */
TEST_F(watched, receives_path)
{
	int fd = open("db/a", O_PATH | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, receive(fd));
	close(fd);
}

TEST_HARNESS_MAIN
