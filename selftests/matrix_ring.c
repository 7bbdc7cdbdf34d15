// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_ring - rows: io_uring.
 *
 * Owns: opens and I/O by a ring of the process's own, and by one that it
 * inherits with the files that are registered with it.
 *
 * Must not own: the same by system calls (matrix_open.c, matrix_io.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>

#include "matrix.h"

#define R	GATE_READ
#define W	GATE_WRITE

/* Inherited by the process that tries a route. */
static struct io_uring rings[2];
static unsigned int rings_count;

static int prepare_rings(void)
{
	int err = scene_files();

	rings_count = 0;
	while (!err && rings_count < 2) {
		err = -io_uring_queue_init(4, &rings[rings_count], 0);
		if (!err)
			err = -io_uring_register_files(&rings[rings_count++],
						       &scene.fd, 1);
	}
	return err;
}

static void undo_rings(void)
{
	while (rings_count > 0)
		io_uring_queue_exit(&rings[--rings_count]);
}

static int wait_for(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int err = io_uring_submit_and_wait(ring, 1);

	if (err < 0)
		return -err;
	err = io_uring_peek_cqe(ring, &cqe);
	if (err)
		return -err;
	err = cqe->res < 0 ? -cqe->res : 0;
	io_uring_cqe_seen(ring, cqe);
	return err;
}

static int transfer(struct io_uring *ring, bool is_write, unsigned int flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	const int fd = flags & IOSQE_FIXED_FILE ? 0 : scene.fd;
	char byte = 'x';

	if (!sqe)
		return EBUSY;
	if (is_write)
		io_uring_prep_write(sqe, fd, &byte, 1, 0);
	else
		io_uring_prep_read(sqe, fd, &byte, 1, 0);
	io_uring_sqe_set_flags(sqe, flags);
	return wait_for(ring);
}

static void to_open(struct io_uring_sqe *sqe)
{
	io_uring_prep_openat(sqe, AT_FDCWD, "db/a", O_RDONLY | O_CLOEXEC, 0);
}

static int own_open(void)
{
	return scene_ring(to_open);
}

static int own_read(void)
{
	struct io_uring ring;

	return -io_uring_queue_init(4, &ring, 0) ?: transfer(&ring, false, 0);
}

/* By a thread that the kernel starts for the process. */
static int thread_read(void)
{
	struct io_uring ring;

	return -io_uring_queue_init(4, &ring, IORING_SETUP_SQPOLL) ?:
	       transfer(&ring, false, 0);
}

static int worker_read(void)
{
	return transfer(&rings[0], false, IOSQE_ASYNC);
}

static int inherited_read(void)
{
	return transfer(&rings[0], false, 0);
}

static int inherited_write(void)
{
	return transfer(&rings[0], true, 0);
}

static int fixed_read(void)
{
	return transfer(&rings[0], false, IOSQE_FIXED_FILE);
}

static int fixed_write(void)
{
	return transfer(&rings[0], true, IOSQE_FIXED_FILE);
}

/* From ring to ring, where nothing is asked as it is received. */
static int sent_read(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&rings[1]);
	int err;

	io_uring_prep_msg_ring_fd(sqe, rings[0].ring_fd, 0, 0, 0,
				  IORING_MSG_RING_CQE_SKIP);
	err = wait_for(&rings[1]);
	return err ? ENOTSUP : transfer(&rings[0], false, IOSQE_FIXED_FILE);
}

static int install(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&rings[0]);

	io_uring_prep_fixed_fd_install(sqe, 0, 0);
	return wait_for(&rings[0]);
}

static int spliced(void)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&rings[0]);
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC))
		return errno;
	io_uring_prep_splice(sqe, scene.fd, 0, pipes[1], -1, 1, 0);
	return wait_for(&rings[0]);
}

/* Whoever submits to it, a thread of the process that made it acts. */
static int prepare_polled(void)
{
	int err = scene_files();

	rings_count = 0;
	if (!err)
		err = -io_uring_queue_init(4, &rings[0], IORING_SETUP_SQPOLL);
	if (!err)
		rings_count = 1;
	return err;
}

/* What has a name, and what is done to a file as a whole. */

static void to_truncate(struct io_uring_sqe *sqe)
{
	io_uring_prep_ftruncate(sqe, scene.fd, 5);
}

static int own_truncate(void)
{
	return scene_ring(to_truncate);
}

static void to_allocate(struct io_uring_sqe *sqe)
{
	io_uring_prep_fallocate(sqe, scene.fd, 0, 0, 2 * SCENE_BYTES);
}

static int own_allocate(void)
{
	return scene_ring(to_allocate);
}

static char value[16];

static void to_get_xattr(struct io_uring_sqe *sqe)
{
	io_uring_prep_fgetxattr(sqe, scene.fd, SCENE_XATTR, value,
				sizeof(value));
}

static int own_get_xattr(void)
{
	return scene_ring(to_get_xattr);
}

static void to_unlink(struct io_uring_sqe *sqe)
{
	io_uring_prep_unlinkat(sqe, AT_FDCWD, "db/a", 0);
}

static int own_unlink(void)
{
	return scene_ring(to_unlink);
}

static void to_rename(struct io_uring_sqe *sqe)
{
	io_uring_prep_renameat(sqe, AT_FDCWD, "db/a", AT_FDCWD, "db/new", 0);
}

static int own_rename(void)
{
	return scene_ring(to_rename);
}

static const struct matrix_route routes[] = {
	{ .name = "io_uring, open", .hook = "file_open", .also = "subject_test",
	  .go = own_open, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "io_uring, read", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = own_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "io_uring, read by a polling thread", .hook = "file_permission", .also = "sqpoll_test",
	  .prepare = scene_files, .go = thread_read },
	{ .name = "ring of a holder, polled by its thread", .hook = "file_permission", .also = "sqpoll_test",
	  .prepare = prepare_polled, .undo = undo_rings, .go = inherited_read,
	  .by_maker = true },
	{ .name = "the same, handed on to a worker", .hook = "file_permission", .also = "sqpoll_test",
	  .prepare = prepare_polled, .undo = undo_rings, .go = worker_read,
	  .by_maker = true },
	{ .name = "io_uring, read by a worker", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_rings, .undo = undo_rings, .go = worker_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "inherited ring, read", .hook = "file_permission", .also = "",
	  .prepare = prepare_rings, .undo = undo_rings, .go = inherited_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "inherited ring, write", .hook = "file_permission", .also = "",
	  .prepare = prepare_rings, .undo = undo_rings, .go = inherited_write,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "fixed file, read", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_rings, .undo = undo_rings, .go = fixed_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "fixed file, write", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_rings, .undo = undo_rings, .go = fixed_write,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "fixed file sent to another ring", .hook = "file_permission", .also = "",
	  .prepare = prepare_rings, .undo = undo_rings, .go = sent_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "fixed file made a descriptor", .hook = "file_receive", .also = "",
	  .prepare = prepare_rings, .undo = undo_rings, .go = install,
	  .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "io_uring, splice from", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_rings, .undo = undo_rings, .go = spliced,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "io_uring, ftruncate", .hook = "file_truncate", .also = "",
	  .prepare = scene_files, .go = own_truncate, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "io_uring, fallocate", .hook = "file_permission", .also = "",
	  .prepare = scene_files, .go = own_allocate, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "io_uring, fgetxattr", .hook = "inode_getxattr", .also = "",
	  .prepare = scene_files, .go = own_get_xattr, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "io_uring, unlink", .hook = "inode_unlink", .also = "",
	  .go = own_unlink, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db", GATE_NAMES) } },
	{ .name = "io_uring, rename", .hook = "inode_rename", .also = "",
	  .go = own_rename, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db", GATE_NAMES) } },
};

const struct matrix_group matrix_rings = MATRIX_GROUP("io_uring", routes);
