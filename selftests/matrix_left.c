// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_left - rows: routes that are open.
 *
 * Owns: a probe that shows each of them to be open, why it is, and what else
 * closes it. When one is closed its test fails, and the row belongs elsewhere.
 *
 * Must not own: routes that are closed.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "matrix.h"

/* What names and attributes tell. */

static int look_up(void)
{
	return scene_result(access("db/a", F_OK));
}

static int look_at(void)
{
	struct stat info;

	return scene_result(stat("db/a", &info));
}

static int look_at_link(void)
{
	char target[16];

	return scene_result(readlink("db/link", target, sizeof(target)));
}

static int look_at_space(void)
{
	struct statvfs space;

	return scene_result(statvfs("db", &space));
}

static int list_xattr(void)
{
	char names[256];

	return scene_result(listxattr("db/a", names, sizeof(names)));
}

static int get_acl(void)
{
	char list[256];

	return scene_result(getxattr("db/a", SCENE_ACL, list, sizeof(list)));
}

static int get_flags(void)
{
	int flags;

	return scene_result(ioctl(scene.fd, FS_IOC_GETFLAGS, &flags));
}

static int get_handle(void)
{
	union {
		struct file_handle handle;
		char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} found = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount_id;

	return scene_result(name_to_handle_at(AT_FDCWD, "db/a", &found.handle,
					      &mount_id, 0));
}

static int find_data(void)
{
	return scene_result(lseek(scene.fd, 0, SEEK_DATA));
}

/* Bytes that have left the filesystem. */

static int prepare_pages(void)
{
	void *memory;

	if (scene_files())
		return errno;
	memory = mmap(NULL, SCENE_BYTES, PROT_READ, MAP_SHARED, scene.fd, 0);
	if (memory == MAP_FAILED)
		return errno;
	scene.map = memory;
	return 0;
}

static int read_page(void)
{
	return *(const volatile char *)scene.map == 'a' ? 0 : EBADMSG;
}

static int prepare_pipe(void)
{
	off_t offset = 0;

	return scene_files() ?: scene_result(pipe2(scene.extra, O_CLOEXEC)) ?:
	       scene_result(splice(scene.fd, &offset, scene.extra[1], NULL, 1,
				   0));
}

static int read_pipe(void)
{
	char byte = 0;

	if (read(scene.extra[0], &byte, 1) != 1)
		return errno;
	return byte == 'a' ? 0 : EBADMSG;
}

/* A loop device asks for its file as the kernel. */
static int read_loop(void)
{
	static char page[4096] __attribute__((aligned(4096)));

	if (pread(scene.loop, page, sizeof(page), 0) <= 0)
		return errno ? errno : ENODATA;
	return page[0] == 'a' ? 0 : EBADMSG;
}

static int read_device(void)
{
	char byte;

	return scene_result(pread(scene.raw, &byte, 1, 0));
}

/* What changes no byte, and where the filesystem is seen. */

static int bind_elsewhere(void)
{
	int err = scene_result(mount(scene.disk->path, SCENE_PLACE, NULL,
				     MS_BIND, NULL));

	if (!err)
		umount2(SCENE_PLACE, MNT_DETACH);
	return err;
}

static int synchronise(void)
{
	return scene_result(syncfs(scene.fd));
}

#define HIDE	"names, sizes, owners and times are not hidden by default"
#define ENCRYPT	"metadata: hidden; encrypted names (fscrypt)"
#define LAYOUT	"tells where there is data, none of it"
#define PLACE	"moves no byte; every access there is checked as here"

static const struct matrix_route routes[] = {
	{ .name = "look up a name", .hook = "", .also = "metadata_test",
	  .go = look_up, .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "stat", .hook = "", .also = "metadata_test",
	  .go = look_at, .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "readlink", .hook = "", .also = "metadata_test",
	  .go = look_at_link, .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "statfs", .hook = "", .also = "metadata_test",
	  .go = look_at_space,
	  .open = "the size of the filesystem is not hidden by default",
	  .closed_by = "metadata: hidden" },
	{ .name = "listxattr", .hook = "", .also = "metadata_test",
	  .go = list_xattr, .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "get an ACL", .hook = "", .also = "metadata_test",
	  .go = get_acl, .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "FS_IOC_GETFLAGS", .hook = "", .also = "route_test",
	  .prepare = scene_files,
	  .go = get_flags, .open = "tells flags of the file, none of its bytes",
	  .closed_by = "needs a descriptor that was open before" },
	{ .name = "name_to_handle_at", .hook = "", .also = "open_test",
	  .go = get_handle, .open = "no hook; tells the inode number",
	  .closed_by = "metadata: hidden; opening by the handle is checked" },
	{ .name = "lseek, SEEK_DATA", .hook = "", .also = "io_test",
	  .prepare = scene_files,
	  .go = find_data, .open = LAYOUT,
	  .closed_by = "needs a descriptor that was open before" },
	{ .name = "page that is mapped", .hook = "", .also = "mmap_test",
	  .prepare = prepare_pages, .go = read_page,
	  .open = "no hook sees a page fault",
	  .closed_by = "end the process when its grant ends" },
	{ .name = "page in a pipe", .hook = "", .also = "",
	  .prepare = prepare_pipe, .go = read_pipe,
	  .open = "no hook; the bytes have left the file",
	  .closed_by = "end the process when its grant ends" },
	{ .name = "loop device set up before", .hook = "", .also = "kernel_io_test",
	  .go = read_loop,
	  .open = "no hook sees I/O of a loop device",
	  .closed_by = "protect a volume before anything else uses its files" },
	{ .name = "device below, opened before", .hook = "", .also = "device_test",
	  .go = read_device, .on = MATRIX_DEVICE,
	  .open = "no hook sees I/O on a device that is open",
	  .closed_by = "dm-crypt with a key of the trustee; end who has it open" },
	{ .name = "bind mount elsewhere", .hook = "", .also = "mount_test",
	  .go = bind_elsewhere, .open = PLACE,
	  .closed_by = "nothing; the gate goes by the filesystem" },
	{ .name = "syncfs", .hook = "", .also = "io_test",
	  .prepare = scene_files,
	  .go = synchronise, .open = PLACE,
	  .closed_by = "needs a descriptor that was open before" },
};

const struct matrix_group matrix_open_rows = MATRIX_GROUP("Open", routes);
