// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_io - rows: reading and writing open files.
 *
 * Owns: read(2) and write(2) in all their forms, sizes, allocation, copies.
 *
 * Must not own: mappings (posix_map.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "posix.h"

/* The compiler shall not know. */
static void *volatile nowhere = (void *)1;
static volatile int too_many = 5000;

static void reading(int unused)
{
	char text[32], other[4];
	struct iovec vectors[2] = { { other, sizeof(other) }, { text, 3 } };
	int fd, blind;

	make("f");
	fd = note_fd("open", open("f", O_RDONLY));
	blind = note_fd("open to write", open("f", O_WRONLY));
	note_text("read", text, read(fd, text, 4));
	note_text("rest", text, read(fd, text, sizeof(text)));
	note("end", read(fd, text, 1));
	note_text("pread", text, pread(fd, text, 3, 5));
	note("pread before", pread(fd, text, 3, -1));
	note("pread behind", pread(fd, text, 3, 100));
	note("preadv", preadv(fd, vectors, 2, 1));
	note("readv, nothing", readv(fd, vectors, 0));
	note("readv, too many", readv(fd, vectors, too_many));
	note("preadv2, wait", preadv2(fd, vectors, 1, 0, RWF_DSYNC));
	note("preadv2, flag", preadv2(fd, vectors, 1, 0, 1 << 20));
	note("none of it", read(fd, text, 0));
	note("no memory", pread(fd, nowhere, 3, 0));
	note("no memory for none", pread(fd, nowhere, 0, 0));
	note("write to what reads", write(fd, "x", 1));
	note("read from what writes", read(blind, text, 1));
	note("none from what writes", read(blind, text, 0));
	note("readahead", readahead(fd, 0, 10));
	note("readahead of what writes", readahead(blind, 0, 10));
	note("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	note("fadvise, odd", posix_fadvise(fd, 0, 0, 77));
	note("seek", lseek(fd, 3, SEEK_SET));
	note("seek on", lseek(fd, 3, SEEK_CUR));
	note("seek back", lseek(fd, -1, SEEK_END));
	note("seek before", lseek(fd, -11, SEEK_END));
	note("seek odd", lseek(fd, 0, 99));
	close(fd);
	note("closed", read(fd, text, 1));
}

static void writes(int unused)
{
	struct iovec vectors[2] = { { "abc", 3 }, { "defg", 4 } };
	int fd, append;

	make("f");
	fd = note_fd("open", open("f", O_RDWR));
	append = note_fd("append", open("f", O_WRONLY | O_APPEND));
	note("write", write(fd, "AB", 2));
	see("f");
	note("append", write(append, "CD", 2));
	note("pwrite appends, too", pwrite(append, "EF", 2, 0));
	note("where", lseek(append, 0, SEEK_CUR));
	note("pwritev", pwritev(fd, vectors, 2, 1));
	see("f");
	note("pwritev2, append", pwritev2(fd, vectors, 1, -1, RWF_APPEND));
	note("pwritev2, sync", pwritev2(fd, vectors, 1, 0, RWF_SYNC));
	note("pwritev2, flag", pwritev2(fd, vectors, 1, 0, 1 << 20));
	note("pwrite before", pwrite(fd, "x", 1, -1));
	note("no memory", pwrite(fd, nowhere, 3, 0));
	note("far behind", pwrite(fd, "x", 1, INT64_MAX));
	note("fsync", fsync(fd));
	note("fdatasync", fdatasync(fd));
	note("syncfs", syncfs(fd));
	note("sync range", sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	note("sync range, odd", sync_file_range(fd, 0, 0, 64));
	see("f");
	note("setfl", fcntl(fd, F_SETFL, O_APPEND));
	note("write", write(fd, "GH", 2));
	see("f");
}

static void sizes(int unused)
{
	static const long lengths[] = { 0, 5, 10000, -1, INT64_MAX };
	unsigned int i;
	char what[32];
	int fd, reads;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("mkfifo", mkfifo("p", 0644));
	fd = note_fd("open", open("f", O_RDWR));
	reads = note_fd("open to read", open("f", O_RDONLY));
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		snprintf(what, sizeof(what), "ftruncate %ld", lengths[i]);
		note(what, ftruncate(fd, lengths[i]));
		note("by name", truncate("f", lengths[i]));
		see("f");
		make("f");
	}
	note("of what reads", ftruncate(reads, 5));
	note("directory", truncate("d", 0));
	note("fifo", truncate("p", 0));
	note("nothing", truncate("none", 0));
	note("another's", truncate("../theirs/f", 10));
	note("another's secret", truncate("../theirs/secret", 10));
	note("closed", chmod("f", 0));
	note("closed by name", truncate("f", 3));
	note("closed by descriptor", ftruncate(fd, 3));
	note("opened", chmod("f", 0644));
	see("f");
	note("set-id", chmod("f", 06755));
	note("write", pwrite(fd, "x", 1, 0));
	see("f");
	note("set-id", chmod("f", 06755));
	note("ftruncate", ftruncate(fd, 2));
	see("f");
}

static int beyond_limit(void)
{
	const struct rlimit limit = { 100, 100 };
	int fd = open("f", O_RDWR);

	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 99;
	signal(SIGXFSZ, SIG_IGN);
	note("up to it", pwrite(fd, "0123456789", 10, 95));
	note("beyond it", pwrite(fd, "x", 1, 100));
	note("ftruncate", ftruncate(fd, 101));
	note("fallocate", fallocate(fd, 0, 0, 101));
	signal(SIGXFSZ, SIG_DFL);
	write(fd, "x", pwrite(fd, "x", 1, 100));
	return 0;
}

static void limits(int unused)
{
	int fd;

	make("f");
	in_child("limit", beyond_limit);
	see("f");
	fd = note_fd("open", open("f", O_RDWR));
	note("too large", fallocate(fd, 0, 0, 1L << 50));
	note("larger than the disk", fallocate(fd, 0, 0, 8L << 30));
	note("ftruncate", ftruncate(fd, 10));
	see("f");
}

static void allocation(int unused)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE, 0x80, 0x8000,
	};
	static const long ranges[][2] = {
		{ 0, 4096 }, { 4096, 8192 }, { 100, 100 }, { 32768, 4096 },
		{ -1, 1 },
	};
	static char block[16384];
	unsigned int i, j;
	struct stat info;
	char what[48];
	int fd, reads, dir;

	memset(block, 'b', sizeof(block));
	make("f");
	note("mkdir", mkdir("d", 0755));
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		for (j = 0; j < sizeof(ranges) / sizeof(*ranges); j++) {
			fd = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);
			note("write", write(fd, block, sizeof(block)));
			snprintf(what, sizeof(what), "mode %x range %u",
				 modes[i], j);
			note(what, fallocate(fd, modes[i], ranges[j][0],
					     ranges[j][1]));
			note("size", fstat(fd, &info) ?: info.st_size);
			note("hole", lseek(fd, 0, SEEK_HOLE));
			note("data", lseek(fd, 0, SEEK_DATA));
			note("data behind", lseek(fd, 1 << 20, SEEK_DATA));
			close(fd);
		}
	}
	fd = note_fd("open", open("f", O_RDWR));
	reads = note_fd("open to read", open("f", O_RDONLY));
	dir = note_fd("open directory", open("d", O_RDONLY));
	note("none", fallocate(fd, 0, 0, 0));
	note("endless", fallocate(fd, 0, 0, INT64_MAX));
	note("of what reads", fallocate(reads, 0, 0, 100));
	note("of a directory", fallocate(dir, 0, 0, 100));
	fd = note_fd("sparse", open("h", O_RDWR | O_CREAT, 0600));
	note("ftruncate", ftruncate(fd, 1 << 20));
	note("write", pwrite(fd, block, 4096, 1 << 19));
	note("fsync", fsync(fd));
	note("data", lseek(fd, 0, SEEK_DATA));
	note("hole", lseek(fd, 1 << 19, SEEK_HOLE));
	note("no data", lseek(fd, (1 << 20) - 1, SEEK_DATA));
	note("blocks", fstat(fd, &info) ?: info.st_blocks);
}

static void copies(int unused)
{
	int from, to, reads, pipes[2], dir, append;
	loff_t in, out;
	off_t offset;
	char text[16];

	make("f");
	make("g");
	note("mkdir", mkdir("d", 0755));
	from = note_fd("from", open("f", O_RDWR));
	to = note_fd("to", open("g", O_RDWR));
	reads = note_fd("reads", open("g", O_RDONLY));
	append = note_fd("appends", open("g", O_WRONLY | O_APPEND));
	dir = note_fd("directory", open("d", O_RDONLY));
	note("pipe", pipe(pipes));

	offset = 2;
	note("sendfile", sendfile(to, from, &offset, 5));
	see("g");
	note("to what reads", sendfile(reads, from, NULL, 5));
	note("to what appends", sendfile(append, from, NULL, 5));
	note("to itself", sendfile(from, from, NULL, 5));
	note("from a directory", sendfile(to, dir, NULL, 5));
	note("to a pipe", sendfile(pipes[1], from, NULL, 5));
	note_text("read", text, read(pipes[0], text, sizeof(text)));

	in = 1;
	out = 20;
	note("copy", copy_file_range(from, &in, to, &out, 4, 0));
	see("g");
	note("overlapping", copy_file_range(from, &in, from, &in, 4, 0));
	note("to what reads", copy_file_range(from, NULL, reads, NULL, 4, 0));
	note("to what appends", copy_file_range(from, NULL, append, NULL, 4,
						0));
	note("of a directory", copy_file_range(dir, NULL, to, NULL, 4, 0));
	note("flags", copy_file_range(from, NULL, to, NULL, 4, 1));
	note("behind", copy_file_range(from, &out, to, NULL, 4, 0));

	in = 0;
	note("splice in", splice(from, &in, pipes[1], NULL, 6, 0));
	out = 2;
	note("splice out", splice(pipes[0], NULL, to, &out, 6, 0));
	note("splice files", splice(from, NULL, to, NULL, 6, 0));
	note("splice to what appends", splice(pipes[0], NULL, append, NULL, 6,
					      SPLICE_F_NONBLOCK));
	note("splice from empty", splice(pipes[0], NULL, to, NULL, 6,
					 SPLICE_F_NONBLOCK));
	see("g");
	see("f");
}

static void clones(int unused)
{
	static char block[8192];
	struct file_clone_range range = { .src_length = 4096 };
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} same = {
		.range = { .src_length = 4096, .dest_count = 1 },
	};
	int from, to, reads;

	memset(block, 'c', sizeof(block));
	from = note_fd("from", open("f", O_RDWR | O_CREAT, 0600));
	to = note_fd("to", open("g", O_RDWR | O_CREAT, 0600));
	reads = note_fd("reads", open("g", O_RDONLY));
	note("write", write(from, block, sizeof(block)));
	note("clone", ioctl(to, FICLONE, from));
	see("g");
	range.src_fd = from;
	note("range", ioctl(to, FICLONERANGE, &range));
	range.src_length = 100;
	note("odd range", ioctl(to, FICLONERANGE, &range));
	note("to what reads", ioctl(reads, FICLONE, from));
	note("of nothing", ioctl(to, FICLONE, -1));
	note("write", pwrite(to, block, sizeof(block), 0));
	same.info.dest_fd = to;
	note("dedupe", ioctl(from, FIDEDUPERANGE, &same));
	note("status", same.info.status);
	note("change", pwrite(to, "other", 5, 0));
	note("dedupe", ioctl(from, FIDEDUPERANGE, &same));
	note("status", same.info.status);
	see("f");
}

static void direct(int unused)
{
	void *block;
	int fd;

	if (posix_memalign(&block, 4096, 8192))
		return;
	memset(block, 'd', 8192);
	fd = note_fd("open", open("f", O_RDWR | O_CREAT | O_DIRECT, 0600));
	note("write", pwrite(fd, block, 8192, 0));
	note("odd length", pwrite(fd, block, 100, 0));
	note("odd place", pwrite(fd, block, 4096, 1));
	note("read", pread(fd, block, 8192, 0));
	note("odd memory", pread(fd, (char *)block + 1, 4096, 0));
	note("behind", pread(fd, block, 4096, 8192));
	note("append", fcntl(fd, F_SETFL, O_APPEND));
	note("write", pwrite(fd, block, 4096, 0));
	see("f");
	free(block);
}

static void asynchronous(int unused)
{
	struct iocb request = {}, *requests = &request;
	aio_context_t context = 0;
	struct io_event event = {};
	char text[16] = "";
	int fd;

	make("f");
	fd = note_fd("open", open("f", O_RDWR));
	note("setup", syscall(SYS_io_setup, 1, &context));
	request.aio_fildes = fd;
	request.aio_lio_opcode = IOCB_CMD_PREAD;
	request.aio_buf = (unsigned long)text;
	request.aio_nbytes = sizeof(text);
	note("read", syscall(SYS_io_submit, context, 1, &requests));
	note("events", syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	note_text("text", text, event.res);
	request.aio_lio_opcode = IOCB_CMD_PWRITE;
	request.aio_nbytes = 3;
	request.aio_offset = 4;
	note("write", syscall(SYS_io_submit, context, 1, &requests));
	note("events", syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	note("written", event.res);
	note("destroy", syscall(SYS_io_destroy, context));
	see("f");
}

/* Negative results are error numbers. */
static int ring_do(struct io_uring *ring, const char *what)
{
	struct io_uring_cqe *done;
	int result;

	io_uring_submit(ring);
	if (io_uring_wait_cqe(ring, &done))
		return -EIO;
	result = done->res;
	io_uring_cqe_seen(ring, done);
	if (result < 0)
		errno = -result;
	note(what, result < 0 ? -1 : 0);
	return result;
}

static void ring(int unused)
{
	struct io_uring ring;
	struct statx info;
	char text[16];
	int err, fd;

	make("f");
	err = io_uring_queue_init(4, &ring, 0);
	errno = -err;
	if (note("setup", err ? -1 : 0) < 0)
		return;
	io_uring_prep_openat(io_uring_get_sqe(&ring), AT_FDCWD, "f", O_RDWR, 0);
	fd = ring_do(&ring, "openat");
	io_uring_prep_read(io_uring_get_sqe(&ring), fd, text, sizeof(text), 0);
	note_text("text", text, ring_do(&ring, "read"));
	io_uring_prep_write(io_uring_get_sqe(&ring), fd, "ring", 4, 8);
	ring_do(&ring, "write");
	io_uring_prep_fsync(io_uring_get_sqe(&ring), fd, 0);
	ring_do(&ring, "fsync");
	io_uring_prep_fallocate(io_uring_get_sqe(&ring), fd, 0, 0, 5000);
	ring_do(&ring, "fallocate");
	io_uring_prep_statx(io_uring_get_sqe(&ring), AT_FDCWD, "f", 0,
			    STATX_SIZE, &info);
	ring_do(&ring, "statx");
	note("size", info.stx_size);
	io_uring_prep_mkdirat(io_uring_get_sqe(&ring), AT_FDCWD, "d", 0755);
	ring_do(&ring, "mkdirat");
	io_uring_prep_linkat(io_uring_get_sqe(&ring), AT_FDCWD, "f", AT_FDCWD,
			     "d/g", 0);
	ring_do(&ring, "linkat");
	io_uring_prep_renameat(io_uring_get_sqe(&ring), AT_FDCWD, "f", AT_FDCWD,
			       "d/h", 0);
	ring_do(&ring, "renameat");
	io_uring_prep_unlinkat(io_uring_get_sqe(&ring), AT_FDCWD, "d/g", 0);
	ring_do(&ring, "unlinkat");
	io_uring_prep_unlinkat(io_uring_get_sqe(&ring), AT_FDCWD, "d",
			       AT_REMOVEDIR);
	ring_do(&ring, "rmdir, full");
	io_uring_prep_openat(io_uring_get_sqe(&ring), AT_FDCWD,
			     "../theirs/secret", O_RDONLY, 0);
	ring_do(&ring, "another's");
	see("d/h");
	io_uring_queue_exit(&ring);
}

static const struct posix_row rows[] = {
	{ "read", reading, 0, 0 },
	{ "write", writes, 0, 0 },
	{ "truncate", sizes, 0, 0 },
	{ "limits of size", limits, 0, 0 },
	{ "fallocate and holes", allocation, 0, POSIX_ROOT },
	{ "sendfile, copy_file_range, splice", copies, 0, 0 },
	{ "clones", clones, 0, 0 },
	{ "O_DIRECT", direct, 0, 0 },
	{ "AIO", asynchronous, 0, 0 },
	{ "io_uring", ring, 0, 0 },
};

const struct posix_group posix_io = POSIX_GROUP(rows);
