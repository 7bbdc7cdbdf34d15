// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_fuse - row: a FUSE filesystem that has the kernel read another file.
 *
 * Owns: the least server that does so: one file, whose bytes are those of db/a.
 *
 * Must not own: other stacked filesystems (matrix_open.c).
 *
 * The server has db/a open since before the gate, and hands it to the kernel,
 * which asks nobody. For each open of the one file it opens the other, on behalf
 * of who opens.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

#define FILE_NODE	2

static void answer(int fuse, uint64_t unique, int err, void *body,
		   size_t length)
{
	struct fuse_out_header header = {
		.len = sizeof(header) + (err ? 0 : length),
		.error = -err, .unique = unique,
	};
	struct iovec parts[] = {
		{ &header, sizeof(header) }, { body, length },
	};

	if (writev(fuse, parts, err || !length ? 1 : 2) < 0)
		_exit(1);
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr) {
		.ino = node, .nlink = 1, .blksize = 4096,
		.size = node == FILE_NODE ? SCENE_BYTES : 0,
		.mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
	};
}

static void answer_init(int fuse, uint64_t unique,
			const struct fuse_init_in *asked)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = asked->minor < FUSE_KERNEL_MINOR_VERSION ?
			 asked->minor : FUSE_KERNEL_MINOR_VERSION,
		.max_write = 4096,
		.flags = FUSE_INIT_EXT,
		.flags2 = FUSE_PASSTHROUGH >> 32,
		.max_stack_depth = 1,
	};

	answer(fuse, unique, 0, &init, sizeof(init));
}

static void answer_open(int fuse, uint64_t unique)
{
	struct fuse_backing_map map = { .fd = scene.fd };
	struct fuse_open_out opened = { .open_flags = FOPEN_PASSTHROUGH };
	int id = ioctl(fuse, FUSE_DEV_IOC_BACKING_OPEN, &map);

	opened.backing_id = id;
	answer(fuse, unique, id < 0 ? EOPNOTSUPP : 0, &opened, sizeof(opened));
}

static void serve(int fuse)
{
	static union {
		struct fuse_in_header header;
		char room[FUSE_MIN_READ_BUFFER + 4096];
	} request;
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE, .attr = attributes(FILE_NODE),
	};
	struct fuse_attr_out looked;
	const struct fuse_in_header *header = &request.header;

	while (read(fuse, &request, sizeof(request)) > 0) {
		switch (header->opcode) {
		case FUSE_INIT:
			answer_init(fuse, header->unique, (void *)(header + 1));
			break;
		case FUSE_LOOKUP:
			answer(fuse, header->unique, 0, &entry, sizeof(entry));
			break;
		case FUSE_GETATTR:
			memset(&looked, 0, sizeof(looked));
			looked.attr = attributes(header->nodeid);
			answer(fuse, header->unique, 0, &looked,
			       sizeof(looked));
			break;
		case FUSE_OPEN:
			answer_open(fuse, header->unique);
			break;
		case FUSE_RELEASE:
			answer(fuse, header->unique, 0, NULL, 0);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
			break;
		default:
			answer(fuse, header->unique, ENOSYS, NULL, 0);
		}
	}
}

static int prepare_server(void)
{
	char options[64];
	int err = scene_files();

	if (err)
		return err;
	scene.extra[0] = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (scene.extra[0] < 0)
		return ENOSYS;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", scene.extra[0]);
	if (mount("selftest", SCENE_PLACE, "fuse", MS_NOSUID | MS_NODEV,
		  options))
		return errno;
	scene.pid = fork();
	if (!scene.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(scene.extra[0]);
		_exit(0);
	}
	return scene_result(scene.pid);
}

static void undo_server(void)
{
	umount2(SCENE_PLACE, MNT_DETACH);
}

static int read_served(void)
{
	return attempt_read(SCENE_PLACE "/f", 0);
}

static const struct matrix_route routes[] = {
	{ .name = "FUSE that passes through", .hook = "file_open", .also = "",
	  .prepare = prepare_server, .undo = undo_server, .go = read_served,
	  .on = MATRIX_EXT4, .denied = EIO,
	  .needs = { MATRIX_FILE("db/a", GATE_READ) } },
};

const struct matrix_group matrix_fuse =
	MATRIX_GROUP("Filesystems in processes", routes);
