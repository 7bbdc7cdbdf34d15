// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_test - I/O on descriptors that are still open when the grant has ended.
 *
 * Owns: each way to move bytes by a descriptor: allowed under the grant, denied
 * after its expiry and after its revocation.
 *
 * Must not own: memory mappings (mmap_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "attempt.h"
#include "gate.h"

/*
 * What an operation works on: the descriptor whose grant ends, one on a file of
 * the volume whose grant stays, one on another filesystem, a pipe.
 */
struct place {
	int fd;
	int granted;
	int plain;
	int pipe[2];
	struct io_uring ring;
};

static int result(ssize_t got)
{
	return got < 0 ? errno : 0;
}

static int io_read(struct place *place)
{
	char byte;

	return result(read(place->fd, &byte, 1));
}

static int io_pread(struct place *place)
{
	char byte;

	return result(pread(place->fd, &byte, 1, 0));
}

static int io_preadv2(struct place *place)
{
	char byte;
	struct iovec vector = { .iov_base = &byte, .iov_len = 1 };

	return result(preadv2(place->fd, &vector, 1, 0, 0));
}

static int io_write(struct place *place)
{
	return result(write(place->fd, "x", 1));
}

static int io_pwrite(struct place *place)
{
	return result(pwrite(place->fd, "x", 1, 0));
}

static int io_pwritev2_append(struct place *place)
{
	struct iovec vector = { .iov_base = "x", .iov_len = 1 };

	return result(pwritev2(place->fd, &vector, 1, -1, RWF_APPEND));
}

static int io_sendfile_from(struct place *place)
{
	off_t offset = 0;

	return result(sendfile(place->plain, place->fd, &offset, 1));
}

static int io_sendfile_to(struct place *place)
{
	off_t offset = 0;

	return result(sendfile(place->fd, place->plain, &offset, 1));
}

static int io_splice_from(struct place *place)
{
	off_t offset = 0;
	char byte;
	int err;

	err = result(splice(place->fd, &offset, place->pipe[1], NULL, 1, 0));
	if (!err && read(place->pipe[0], &byte, 1) != 1)
		err = EIO;
	return err;
}

static int io_splice_to(struct place *place)
{
	off_t offset = 0;
	char byte;
	int err;

	if (write(place->pipe[1], "x", 1) != 1)
		return EIO;
	err = result(splice(place->pipe[0], NULL, place->fd, &offset, 1, 0));
	if (err && read(place->pipe[0], &byte, 1) != 1)
		err = EIO;
	return err;
}

static int io_copy_from(struct place *place)
{
	off_t from = 0, to = 0;

	return result(copy_file_range(place->fd, &from, place->granted, &to, 1,
				      0));
}

static int io_copy_to(struct place *place)
{
	off_t from = 0, to = 0;

	return result(copy_file_range(place->granted, &from, place->fd, &to, 1,
				      0));
}

static int io_clone_from(struct place *place)
{
	return result(ioctl(place->granted, FICLONE, place->fd));
}

static int io_clone_to(struct place *place)
{
	return result(ioctl(place->fd, FICLONE, place->granted));
}

static int io_getdents(struct place *place)
{
	char buffer[1024];

	lseek(place->fd, 0, SEEK_SET);
	return result(syscall(SYS_getdents64, place->fd, buffer,
			      sizeof(buffer)));
}

static int io_fallocate(struct place *place)
{
	return result(fallocate(place->fd, 0, 0, 8192));
}

static int io_punch_hole(struct place *place)
{
	return result(fallocate(place->fd, FALLOC_FL_PUNCH_HOLE |
				FALLOC_FL_KEEP_SIZE, 0, 4096));
}

static int io_ftruncate(struct place *place)
{
	return result(ftruncate(place->fd, 5));
}

static int io_aio_read(struct place *place)
{
	return attempt_aio(place->fd, IOCB_CMD_PREAD);
}

static int io_aio_write(struct place *place)
{
	return attempt_aio(place->fd, IOCB_CMD_PWRITE);
}

static int uring_wait(struct place *place)
{
	struct io_uring_cqe *cqe;
	int err;

	err = io_uring_submit(&place->ring);
	if (err < 0)
		return -err;
	err = io_uring_wait_cqe(&place->ring, &cqe);
	if (err)
		return -err;
	err = cqe->res < 0 ? -cqe->res : 0;
	io_uring_cqe_seen(&place->ring, cqe);
	return err;
}

static int uring_io(struct place *place, bool is_write, unsigned int flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&place->ring);
	const int fd = flags & IOSQE_FIXED_FILE ? 0 : place->fd;
	char byte = 'x';

	if (!sqe)
		return EBUSY;
	if (is_write)
		io_uring_prep_write(sqe, fd, &byte, 1, 0);
	else
		io_uring_prep_read(sqe, fd, &byte, 1, 0);
	io_uring_sqe_set_flags(sqe, flags);
	return uring_wait(place);
}

static int io_uring_read(struct place *place)
{
	return uring_io(place, false, 0);
}

static int io_uring_write(struct place *place)
{
	return uring_io(place, true, 0);
}

static int io_uring_read_fixed_file(struct place *place)
{
	return uring_io(place, false, IOSQE_FIXED_FILE);
}

static int io_uring_write_fixed_file(struct place *place)
{
	return uring_io(place, true, IOSQE_FIXED_FILE);
}

/* Punted to a worker thread at once. */
static int io_uring_read_worker(struct place *place)
{
	return uring_io(place, false, IOSQE_ASYNC);
}

static int io_uring_splice_from(struct place *place)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&place->ring);
	char byte;
	int err;

	if (!sqe)
		return EBUSY;
	io_uring_prep_splice(sqe, place->fd, 0, place->pipe[1], -1, 1, 0);
	err = uring_wait(place);
	if (!err && read(place->pipe[0], &byte, 1) != 1)
		err = EIO;
	return err;
}

/* Each operation, on each end of a grant. */

FIXTURE(io) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(io) {
	const char *fstype;
	const char *path;
	int flags;
	int (*io)(struct place *place);
};

#define IO_ON(name, type, file, open_flags)				\
	FIXTURE_VARIANT_ADD(io, name) {					\
		.fstype = type, .path = file, .flags = open_flags,	\
		.io = io_##name,					\
	}
#define IO(name)	IO_ON(name, "ext4", "db/a", O_RDWR)

IO(read);
IO(pread);
IO(preadv2);
IO(write);
IO(pwrite);
IO(pwritev2_append);
IO(sendfile_from);
IO(sendfile_to);
IO(splice_from);
IO(splice_to);
IO(copy_from);
IO(copy_to);
IO_ON(clone_from, "xfs", "db/a", O_RDWR);
IO_ON(clone_to, "xfs", "db/a", O_RDWR);
IO_ON(getdents, "ext4", "db", O_RDONLY | O_DIRECTORY);
IO(fallocate);
IO(punch_hole);
IO(ftruncate);
IO(aio_read);
IO(aio_write);
IO(uring_read);
IO(uring_write);
IO(uring_read_fixed_file);
IO(uring_write_fixed_file);
IO(uring_read_worker);
IO(uring_splice_from);

FIXTURE_SETUP(io)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, variant->fstype));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(io)
{
	gate_clean();
}

#define RW	(GATE_READ | GATE_WRITE)

/* Open everything under grants that outlive the test. */
static int prepare(struct gate *gate, const struct volume *volume,
		   const char *path, int flags, struct place *place)
{
	if (!gate_grant_file(gate, volume, getpid(), "db/b", RW))
		return EINVAL;
	place->fd = open(path, flags | O_CLOEXEC);
	place->granted = open("db/b", O_RDWR | O_CLOEXEC);
	place->plain = open(DISK_MOUNTS "/plain", O_RDWR | O_CREAT | O_CLOEXEC,
			    0600);
	if (place->fd < 0 || place->granted < 0 || place->plain < 0 ||
	    pipe2(place->pipe, O_CLOEXEC) ||
	    write(place->plain, "plain\n", 6) != 6)
		return errno;
	unlink(DISK_MOUNTS "/plain");
	return -io_uring_queue_init(4, &place->ring, 0) ?:
	       -io_uring_register_files(&place->ring, &place->fd, 1);
}

TEST_F(io, after_the_grant)
{
	struct trustgate_grant_request request = gate_request(&self->volume,
							      variant->path, RW);
	struct place place;
	uint64_t id;

	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, prepare(&self->gate, &self->volume, variant->path,
			     variant->flags, &place));
	ASSERT_EQ(0, variant->io(&place));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EXPECT_EQ(EACCES, variant->io(&place));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_NO_GRANT));

	/* Again, with the same descriptor under a new grant, until it expires. */
	request.expires_boottime_ns = gate_now_ns() + 3 * GATE_SECOND_NS / 2;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, variant->io(&place));
	gate_sleep_until(request.expires_boottime_ns);
	EXPECT_EQ(EACCES, variant->io(&place));
	EXPECT_EQ(EACCES, variant->io(&place));

	/* The neighbour's grant was not touched. */
	EXPECT_EQ(0, attempt_read_fd(NULL, place.granted));
}

/* What a descriptor whose grant is another one can do. */

FIXTURE(descriptor) {
	struct gate gate;
	struct volume volume;
	int fd;
};

FIXTURE_SETUP(descriptor)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	self->fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(descriptor)
{
	gate_clean();
}

/* What moves no bytes needs no grant; the documentation says so. */
TEST_F(descriptor, positions)
{
	ASSERT_EQ(EACCES, attempt_read_fd(NULL, self->fd));
	EXPECT_EQ(3, lseek(self->fd, 3, SEEK_SET));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, close(self->fd));
}

/* A grant for one direction does not let a descriptor for both do the other. */
TEST_F(descriptor, directions)
{
	uint64_t id;

	id = gate_grant_file(&self->gate, &self->volume, getpid(), "db/a",
			     GATE_READ);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, attempt_read_fd(NULL, self->fd));
	EXPECT_EQ(EACCES, attempt_write_fd("x", self->fd));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	id = gate_grant_file(&self->gate, &self->volume, getpid(), "db/a",
			     GATE_WRITE);
	ASSERT_NE(0, id);
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, self->fd));
	EXPECT_EQ(0, attempt_write_fd("x", self->fd));
	EXPECT_EQ(2, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_WRONG_ACCESS));
}

TEST_HARNESS_MAIN
