// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_io - rows: moving bytes by a descriptor that is open already.
 *
 * Owns: system calls. The descriptor is inherited from a process that might
 * open it.
 *
 * Must not own: rings (matrix_ring.c), mappings (matrix_map.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

#define R	GATE_READ
#define W	GATE_WRITE

static int io_read(void)
{
	char byte;

	return scene_result(read(scene.fd, &byte, 1));
}

static int io_pread(void)
{
	char byte;

	return scene_result(pread(scene.fd, &byte, 1, 0));
}

static int io_preadv2(void)
{
	char byte;
	struct iovec vector = { &byte, 1 };

	return scene_result(preadv2(scene.fd, &vector, 1, 0, 0));
}

static int io_duplicate(void)
{
	int fd = dup(scene.fd);
	char byte;

	return scene_result(fd) ?: scene_result(pread(fd, &byte, 1, 0));
}

static int io_write(void)
{
	return scene_result(write(scene.fd, "x", 1));
}

static int io_pwrite(void)
{
	return scene_result(pwrite(scene.fd, "x", 1, 0));
}

static int io_append(void)
{
	struct iovec vector = { "x", 1 };

	return scene_result(pwritev2(scene.fd, &vector, 1, -1, RWF_APPEND));
}

/* The other side of what needs two: a file in memory, a pipe. */

static int prepare_plain(void)
{
	int err = scene_files();

	if (err)
		return err;
	scene.extra[0] = memfd_create("plain", MFD_CLOEXEC);
	return scene_result(scene.extra[0]) ?:
	       scene_result(write(scene.extra[0], "plain\n", 6));
}

static int prepare_pipe(void)
{
	return scene_files() ?: scene_result(pipe2(scene.extra, O_CLOEXEC)) ?:
	       scene_result(write(scene.extra[1], "x", 1));
}

static int io_sendfile_from(void)
{
	off_t offset = 0;

	return scene_result(sendfile(scene.extra[0], scene.fd, &offset, 1));
}

static int io_sendfile_to(void)
{
	off_t offset = 0;

	return scene_result(sendfile(scene.fd, scene.extra[0], &offset, 1));
}

static int io_splice_from(void)
{
	off_t offset = 0;

	return scene_result(splice(scene.fd, &offset, scene.extra[1], NULL, 1,
				   0));
}

static int io_splice_to(void)
{
	off_t offset = 0;

	return scene_result(splice(scene.extra[0], NULL, scene.fd, &offset, 1,
				   0));
}

static int io_copy(void)
{
	off_t from = 0, to = 0;

	return scene_result(copy_file_range(scene.fd, &from, scene.other, &to,
					    1, 0));
}

static int io_clone(void)
{
	return scene_result(ioctl(scene.other, FICLONE, scene.fd));
}

static int io_dedupe(void)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} same = {
		.range = { .src_length = SCENE_BYTES, .dest_count = 1 },
		.info = { .dest_fd = scene.other },
	};

	if (ioctl(scene.fd, FIDEDUPERANGE, &same))
		return errno;
	return same.info.status < 0 ? -same.info.status : 0;
}

static int io_getdents(void)
{
	char buffer[1024];

	lseek(scene.fd, 0, SEEK_SET);
	return scene_result(syscall(SYS_getdents64, scene.fd, buffer,
				    sizeof(buffer)));
}

static int io_fallocate(void)
{
	return scene_result(fallocate(scene.fd, 0, 0, 2 * SCENE_BYTES));
}

static int io_punch_hole(void)
{
	return scene_result(fallocate(scene.fd, FALLOC_FL_PUNCH_HOLE |
				      FALLOC_FL_KEEP_SIZE, 0, 4096));
}

static int io_ftruncate(void)
{
	return scene_result(ftruncate(scene.fd, 5));
}

static int io_aio_read(void)
{
	return attempt_aio(scene.fd, IOCB_CMD_PREAD);
}

static int io_aio_write(void)
{
	return attempt_aio(scene.fd, IOCB_CMD_PWRITE);
}

/* The kernel reads the file itself, on behalf of who asks. */
static int io_load_module(void)
{
	return scene_result(syscall(SYS_finit_module, scene.fd, "", 0));
}

static const struct matrix_route io[] = {
	{ .name = "read", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "pread", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_pread,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "preadv2", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_preadv2,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "pread of a duplicate", .hook = "file_permission", .also = "",
	  .prepare = scene_files, .go = io_duplicate,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "write", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_write,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "pwrite", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_pwrite,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "pwritev2, RWF_APPEND", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_append,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "sendfile from", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_plain, .go = io_sendfile_from,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "sendfile to", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_plain, .go = io_sendfile_to,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "splice from", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_pipe, .go = io_splice_from,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "splice to", .hook = "file_permission", .also = "io_test",
	  .prepare = prepare_pipe, .go = io_splice_to,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "copy_file_range", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_copy,
	  .needs = { MATRIX_FILE("db/a", R), MATRIX_FILE("db/b", W) } },
	{ .name = "FICLONE", .hook = "file_ioctl", .also = "io_test",
	  .prepare = scene_files, .go = io_clone, .on = MATRIX_REFLINK,
	  .needs = { MATRIX_FILE("db/a", R), MATRIX_FILE("db/b", W) } },
	{ .name = "FIDEDUPERANGE", .hook = "file_ioctl", .also = "",
	  .prepare = scene_files, .go = io_dedupe, .on = MATRIX_REFLINK,
	  .needs = { MATRIX_FILE("db/a", R), MATRIX_FILE("db/b", W) } },
	{ .name = "getdents", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_directory, .go = io_getdents,
	  .needs = { MATRIX_FILE("db", R) } },
	{ .name = "fallocate", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_fallocate,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "fallocate, punch a hole", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_punch_hole,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "ftruncate", .hook = "file_truncate", .also = "io_test",
	  .prepare = scene_files, .go = io_ftruncate,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "io_submit, read", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_aio_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "io_submit, write", .hook = "file_permission", .also = "io_test",
	  .prepare = scene_files, .go = io_aio_write,
	  .needs = { MATRIX_FILE("db/a", W) } },
	/* What it reads is no module. */
	{ .name = "finit_module", .hook = "file_permission", .also = "",
	  .prepare = scene_reader, .go = io_load_module, .done = ENOEXEC,
	  .needs = { MATRIX_FILE("db/a", R) } },
};

const struct matrix_group matrix_io =
	MATRIX_GROUP("Reading and writing by an open descriptor", io);
