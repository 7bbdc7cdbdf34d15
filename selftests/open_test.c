// SPDX-License-Identifier: GPL-2.0-only
/*
 * open_test - which opens the gate lets through.
 *
 * Owns: every way of opening a file or getting hold of an open one.
 *
 * Must not own: I/O on descriptors whose grant ends later (io_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

#define A_CONTENT	"contents of a\n"

/* Flags against grants, on each filesystem that can be protected. */

FIXTURE(mode) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(mode) {
	const char *fstype;
	int flags;
	uint32_t granted;
	uint32_t asked;
	uint32_t cause;
	const char *hook;
};

#define MODE(name, type, open_flags, grant, ask, why, by)		\
	FIXTURE_VARIANT_ADD(mode, name) {				\
		.fstype = type, .flags = open_flags, .granted = grant,	\
		.asked = ask, .cause = TRUSTGATE_CAUSE_##why, .hook = by, \
	}

#define OPEN	"file_open"
#define RW	(GATE_READ | GATE_WRITE)

MODE(nothing_r, "ext4", O_RDONLY, 0, GATE_READ, NO_GRANT, OPEN);
MODE(nothing_w, "ext4", O_WRONLY, 0, GATE_WRITE, NO_GRANT, OPEN);
MODE(nothing_rw, "ext4", O_RDWR, 0, RW, NO_GRANT, OPEN);
MODE(nothing_trunc, "ext4", O_WRONLY | O_TRUNC, 0, GATE_WRITE, NO_GRANT, OPEN);
MODE(nothing_xfs, "xfs", O_RDONLY, 0, GATE_READ, NO_GRANT, OPEN);
MODE(nothing_tmpfs, "tmpfs", O_RDONLY, 0, GATE_READ, NO_GRANT, OPEN);
MODE(read_r, "ext4", O_RDONLY, GATE_READ, 0, GRANTED, NULL);
MODE(read_w, "ext4", O_WRONLY, GATE_READ, GATE_WRITE, WRONG_ACCESS, OPEN);
MODE(read_rw, "ext4", O_RDWR, GATE_READ, RW, WRONG_ACCESS, OPEN);
MODE(read_append, "ext4", O_WRONLY | O_APPEND, GATE_READ, GATE_WRITE,
     WRONG_ACCESS, OPEN);
/* Linux truncates on this, too. */
MODE(read_r_trunc, "ext4", O_RDONLY | O_TRUNC, GATE_READ, RW, WRONG_ACCESS,
     OPEN);
MODE(read_creat, "ext4", O_RDONLY | O_CREAT, GATE_READ, 0, GRANTED, NULL);
/* Mode 3 gives a descriptor for ioctl(2) only. */
MODE(read_ioctl, "ext4", O_ACCMODE, GATE_READ, RW, WRONG_ACCESS, OPEN);
MODE(read_r_xfs, "xfs", O_RDONLY, GATE_READ, 0, GRANTED, NULL);
MODE(read_w_xfs, "xfs", O_WRONLY, GATE_READ, GATE_WRITE, WRONG_ACCESS, OPEN);
MODE(read_r_tmpfs, "tmpfs", O_RDONLY, GATE_READ, 0, GRANTED, NULL);
MODE(read_w_tmpfs, "tmpfs", O_WRONLY, GATE_READ, GATE_WRITE, WRONG_ACCESS,
     OPEN);
MODE(write_w, "ext4", O_WRONLY, GATE_WRITE, 0, GRANTED, NULL);
MODE(write_r, "ext4", O_RDONLY, GATE_WRITE, GATE_READ, WRONG_ACCESS, OPEN);
MODE(write_rw, "ext4", O_RDWR, GATE_WRITE, RW, WRONG_ACCESS, OPEN);
MODE(write_trunc, "ext4", O_WRONLY | O_TRUNC, GATE_WRITE, 0, GRANTED, NULL);
MODE(write_append, "ext4", O_WRONLY | O_APPEND, GATE_WRITE, 0, GRANTED, NULL);
MODE(rw_rw, "ext4", O_RDWR, RW, 0, GRANTED, NULL);
MODE(rw_ioctl, "ext4", O_ACCMODE, RW, 0, GRANTED, NULL);
MODE(exec_r, "ext4", O_RDONLY, GATE_EXEC, GATE_READ, WRONG_ACCESS, OPEN);
MODE(names_r, "ext4", O_RDONLY, GATE_NAMES, GATE_READ, WRONG_ACCESS, OPEN);
MODE(meta_w, "ext4", O_WRONLY, GATE_META, GATE_WRITE, WRONG_ACCESS, OPEN);
/* Neither bytes nor anything else; see the test path_only. */
MODE(nothing_path, "ext4", O_PATH, 0, 0, GRANTED, NULL);

FIXTURE_SETUP(mode)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, variant->fstype));
}

FIXTURE_TEARDOWN_PARENT(mode)
{
	gate_clean();
}

TEST_F(mode, open)
{
	const int expected = variant->asked ? EACCES : 0;
	struct trustgate_event event;
	uint64_t all;

	/* By its own mode the file is everybody's. */
	ASSERT_EQ(0, attempt_open("db/a", variant->flags));
	ASSERT_EQ(0, disk_file("db/a", A_CONTENT, 0644));

	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	if (variant->granted)
		ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume,
					     getpid(), "db/a",
					     variant->granted));
	gate_forget_events(&self->gate);
	EXPECT_EQ(expected, attempt_open("db/a", variant->flags));
	EXPECT_EQ(EACCES, attempt_open("db/b", O_RDONLY));

	if (expected) {
		EXPECT_EQ(1 + (variant->cause == TRUSTGATE_CAUSE_NO_GRANT),
			  volume_count(&self->gate, &self->volume,
				       variant->cause));
		ASSERT_EQ(0, gate_wait_event(&self->gate,
					     TRUSTGATE_EVENT_TYPE_DENIED,
					     &event));
		EXPECT_STREQ(variant->hook, event.hook);
		EXPECT_STREQ("/db/a", event.path);
		EXPECT_EQ(variant->asked, event.access);
		EXPECT_EQ(variant->cause, event.cause);
		EXPECT_EQ(getpid(), event.pid);
	}

	/* Nothing but the grant was missing, and nothing has been changed. */
	all = gate_grant_file(&self->gate, &self->volume, getpid(), "db/a",
			      GATE_ALL);
	ASSERT_NE(0, all);
	if (expected || !(variant->flags & O_TRUNC))
		EXPECT_EQ(0, attempt_content("db/a", A_CONTENT));
	EXPECT_EQ(0, attempt_open("db/a", variant->flags));
}

/* Other ways to an open file. */

FIXTURE(open) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(open)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
}

FIXTURE_TEARDOWN_PARENT(open)
{
	gate_clean();
}

/* Short forms for the tests below. */
#define PROTECT()							\
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume))
#define GRANT(path, access)						\
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), \
				     path, access))
#define GRANT_TREE(path, access)					\
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), \
				     path, access))

TEST_F(open, path_only)
{
	char reopen[64];
	int fd;

	PROTECT();
	fd = open("db/a", O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBADF, attempt_read_fd(NULL, fd));
	snprintf(reopen, sizeof(reopen), "/proc/self/fd/%d", fd);
	EXPECT_EQ(EACCES, attempt_open(reopen, O_RDONLY));
	EXPECT_EQ(EACCES, attempt_open(reopen, O_WRONLY | O_TRUNC));
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_content(reopen, A_CONTENT));
	EXPECT_EQ(EACCES, attempt_open(reopen, O_WRONLY));
}

TEST_F(open, unnamed_file)
{
	char name[64];
	int fd;

	ASSERT_EQ(0, attempt_open("db", O_TMPFILE | O_RDWR));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_open("db", O_TMPFILE | O_RDWR));
	/* The new file lies in the directory, it is not the directory. */
	GRANT("db", GATE_ALL);
	EXPECT_EQ(EACCES, attempt_open("db", O_TMPFILE | O_RDWR));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	GRANT_TREE("db", RW);
	fd = open("db", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, attempt_write_fd("new", fd));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));

	/* To give it a name is a matter of NAMES. */
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	EXPECT_EQ(-1, linkat(AT_FDCWD, name, AT_FDCWD, "db/named",
			     AT_SYMLINK_FOLLOW));
	EXPECT_EQ(EACCES, errno);
	GRANT("db", GATE_NAMES);
	EXPECT_EQ(0, linkat(AT_FDCWD, name, AT_FDCWD, "db/named",
			    AT_SYMLINK_FOLLOW));
	EXPECT_EQ(0, attempt_content("db/named", "new"));
}

TEST_F(open, directory)
{
	ASSERT_EQ(0, attempt_list("db", 0));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_list("db", 0));
	EXPECT_EQ(EACCES, attempt_list(".", 0));
	GRANT("db", GATE_READ);
	EXPECT_EQ(0, attempt_list("db", 0));
	EXPECT_EQ(EACCES, attempt_list("db/sub", 0));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	GRANT_TREE("db", GATE_READ);
	EXPECT_EQ(0, attempt_list("db/sub", 0));
	EXPECT_EQ(0, attempt_read("db/sub/c", 0));
	EXPECT_EQ(EACCES, attempt_list(".", 0));
	EXPECT_EQ(EACCES, attempt_read("other/x", 0));
	GRANT_TREE(".", GATE_READ);
	EXPECT_EQ(0, attempt_list(".", 0));
	EXPECT_EQ(0, attempt_read("other/x", 0));
}

struct handle {
	struct file_handle handle;
	unsigned char bytes[MAX_HANDLE_SZ];
};

static int attempt_handle(int mount_fd, struct handle *handle)
{
	int fd;

	fd = open_by_handle_at(mount_fd, &handle->handle, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

TEST_F(open, by_handle)
{
	struct handle handle = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, root;

	/* Only names the mount; nothing is done with it. */
	root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, root);
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, "db/a", &handle.handle,
				       &mount_id, 0));
	ASSERT_EQ(0, attempt_handle(root, &handle));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_handle(root, &handle));
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_handle(root, &handle));
}

/*
 * A file that is found by its handle and whose directory is not cached has no
 * place in the tree: only a grant on the file itself can count.
 */
TEST_F(open, by_handle_disconnected)
{
	struct handle handle = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, root, caches;

	root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, root);
	ASSERT_EQ(0, name_to_handle_at(AT_FDCWD, "db/sub/c", &handle.handle,
				       &mount_id, 0));
	PROTECT();
	GRANT_TREE("db", GATE_READ);
	ASSERT_EQ(0, attempt_handle(root, &handle));
	sync();
	caches = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, caches);
	ASSERT_EQ(2, write(caches, "2\n", 2));
	EXPECT_EQ(EACCES, attempt_handle(root, &handle));
	GRANT("db/sub/c", GATE_READ);
	EXPECT_EQ(0, attempt_handle(root, &handle));
}

/* Receive a descriptor over the socket given by number, and read from it. */
static int receive_and_read(const char *unused, long socket)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd, err;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0)
		return errno;
	/* The message comes without what may not be received. */
	if (message.msg_flags & MSG_CTRUNC)
		return EACCES;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	err = attempt_read_fd(NULL, fd);
	close(fd);
	return err;
}

static int send_descriptor(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct iovec vector = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) < 0 ? errno : 0;
}

TEST_F(open, passed_descriptor)
{
	struct actor neighbour;
	int sockets[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	ASSERT_EQ(0, actor_start(&neighbour));
	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_descriptor(sockets[0], fd));
	ASSERT_EQ(0, actor_do(&neighbour, receive_and_read, NULL, sockets[1]));

	PROTECT();
	GRANT("db/a", GATE_READ);
	ASSERT_EQ(0, attempt_read_fd(NULL, fd));
	ASSERT_EQ(0, send_descriptor(sockets[0], fd));
	EXPECT_EQ(EACCES,
		  actor_do(&neighbour, receive_and_read, NULL, sockets[1]));
	/* With a grant of its own it may. */
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, neighbour.pid,
				     "db/a", GATE_READ));
	ASSERT_EQ(0, send_descriptor(sockets[0], fd));
	EXPECT_EQ(0, actor_do(&neighbour, receive_and_read, NULL, sockets[1]));
	actor_stop(&neighbour);
}

TEST_F(open, inherited_descriptor)
{
	struct actor child;
	int fd;

	PROTECT();
	GRANT("db/a", GATE_READ);
	fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, actor_start(&child));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, actor_do(&child, attempt_read_fd, NULL, fd));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, child.pid,
				     "db/a", GATE_READ));
	EXPECT_EQ(0, actor_do(&child, attempt_read_fd, NULL, fd));
	actor_stop(&child);
}

TEST_F(open, opened_before)
{
	int fd, dir;

	fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	dir = open("db", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, attempt_read_fd(NULL, fd));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, attempt_write_fd("x", fd));
	EXPECT_EQ(-1, openat(dir, "a", O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(EACCES, errno);
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, attempt_write_fd("x", fd));
}

TEST_F(open, descriptor_of_another)
{
	struct actor neighbour;
	char link[64];
	int fd;

	PROTECT();
	fd = open("db/a", O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, actor_start(&neighbour));
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", getpid(), fd);
	EXPECT_EQ(EACCES, actor_do(&neighbour, attempt_read, link, 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, neighbour.pid,
				     "db/a", GATE_READ));
	EXPECT_EQ(0, actor_do(&neighbour, attempt_read, link, 0));
	/* Who has read is not looked into, whatever was granted to the other. */
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_read(link, 0));
	EXPECT_EQ(EACCES, actor_do(&neighbour, attempt_read, link, 0));
	actor_stop(&neighbour);
}

TEST_F(open, bind_mount)
{
	const char *const elsewhere = DISK_MOUNTS "/elsewhere";

	ASSERT_EQ(0, mkdir(elsewhere, 0700));
	ASSERT_EQ(0, mount("db", elsewhere, NULL, MS_BIND, NULL));
	ASSERT_EQ(0, attempt_read(DISK_MOUNTS "/elsewhere/a", 0));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/elsewhere/a", 0));
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_read(DISK_MOUNTS "/elsewhere/a", 0));
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/elsewhere/sub/c", 0));
	GRANT_TREE("db/sub", GATE_READ);
	EXPECT_EQ(0, attempt_read(DISK_MOUNTS "/elsewhere/sub/c", 0));
}

TEST_F(open, symbolic_link)
{
	const char *const link = DISK_MOUNTS "/link";

	ASSERT_EQ(0, symlink(self->volume.disk.path, link));
	ASSERT_EQ(0, attempt_read(DISK_MOUNTS "/link/db/a", 0));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_read(DISK_MOUNTS "/link/db/a", 0));
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_read(DISK_MOUNTS "/link/db/a", 0));
	ASSERT_EQ(0, unlink(link));
}

TEST_F(open, fifo)
{
	ASSERT_EQ(0, mkfifo("db/fifo", 0600));
	ASSERT_EQ(0, attempt_open("db/fifo", O_RDWR));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_open("db/fifo", O_RDWR));
	GRANT("db/fifo", RW);
	EXPECT_EQ(0, attempt_open("db/fifo", O_RDWR));
}

TEST_F(open, create)
{
	struct stat info;

	ASSERT_EQ(0, attempt_open("db/free", O_WRONLY | O_CREAT));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_open("db/new", O_WRONLY | O_CREAT));
	EXPECT_EQ(-1, stat("db/new", &info));
	EXPECT_EQ(ENOENT, errno);
	/* All but NAMES is not enough either. */
	GRANT_TREE("db", GATE_ALL & ~GATE_NAMES);
	EXPECT_EQ(EACCES, attempt_open("db/new", O_WRONLY | O_CREAT));
	EXPECT_EQ(EACCES, attempt_open("db/new",
				       O_WRONLY | O_CREAT | O_EXCL | O_TRUNC));
	EXPECT_EQ(-1, stat("db/new", &info));
	EXPECT_EQ(ENOENT, errno);
	GRANT("db", GATE_NAMES);
	EXPECT_EQ(0, attempt_open("db/new", O_WRONLY | O_CREAT | O_EXCL));
	EXPECT_EQ(0, stat("db/new", &info));
}

/* The gate only subtracts: a grant does not replace permission. */
static int open_as_nobody(const char *path, long flags)
{
	if (setgid(65534) || setuid(65534))
		return EPERM;
	return attempt_open(path, flags);
}

TEST_F(open, grant_is_no_permission)
{
	struct actor child;

	ASSERT_EQ(0, chmod(DISK_MOUNTS, 0755));
	ASSERT_EQ(0, chmod(self->volume.disk.path, 0755));
	ASSERT_EQ(0, chmod("db/b", 0600));
	PROTECT();
	ASSERT_EQ(0, actor_start(&child));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, child.pid,
				     ".", GATE_ALL));
	EXPECT_EQ(0, actor_do(&child, attempt_open, "db/b", O_RDONLY));
	EXPECT_EQ(0, actor_do(&child, open_as_nobody, "db/a", O_RDONLY));
	EXPECT_EQ(EACCES, actor_do(&child, attempt_open, "db/b", O_RDONLY));
	EXPECT_EQ(EACCES, actor_do(&child, attempt_open, "db/a", O_WRONLY));
	/* None of these were the gate's denials. */
	EXPECT_EQ(0, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_NO_GRANT));
	actor_stop(&child);
}

TEST_F(open, other_filesystems)
{
	const char *const file = DISK_MOUNTS "/plain";

	PROTECT();
	ASSERT_EQ(EACCES, attempt_read("db/a", 0));
	EXPECT_EQ(0, attempt_open(file, O_RDWR | O_CREAT | O_EXCL));
	EXPECT_EQ(0, attempt_read(file, 0));
	EXPECT_EQ(0, truncate(file, 100));
	EXPECT_EQ(0, chmod(file, 0640));
	EXPECT_EQ(0, rename(file, DISK_MOUNTS "/renamed"));
	EXPECT_EQ(0, unlink(DISK_MOUNTS "/renamed"));
	EXPECT_EQ(0, attempt_list(DISK_MOUNTS, 0));
	EXPECT_EQ(0, attempt_read("/proc/self/status", 0));
	EXPECT_EQ(0, attempt_read("/etc/passwd", 0));
	EXPECT_EQ(0, system("/bin/true"));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_NO_GRANT));
}

TEST_HARNESS_MAIN
