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
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/quota.h>
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

static int get_file_attributes(void)
{
	struct {
		uint64_t flags;
		uint32_t extent_size, extents, project, cow_extent_size;
	} now;

	/* file_getattr(2), which is newer than <sys/syscall.h>. */
	return scene_result(syscall(468, AT_FDCWD, "db/a", &now, sizeof(now),
				    0));
}

static void to_look_at(struct io_uring_sqe *sqe)
{
	static struct statx info;

	/* As liburing does, whose header and <linux/fs.h> are not friends. */
	sqe->opcode = IORING_OP_STATX;
	sqe->fd = AT_FDCWD;
	sqe->addr = (uintptr_t)"db/a";
	sqe->len = STATX_BASIC_STATS;
	sqe->off = (uintptr_t)&info;
}

static int look_at_by_ring(void)
{
	return scene_ring(to_look_at);
}

static int look_at_mount(void)
{
	struct mnt_id_req request = {
		.size = MNT_ID_REQ_SIZE_VER0, .param = STATMOUNT_SB_BASIC,
	};
	char room[4096];
	struct statx info;

	if (statx(AT_FDCWD, "db", 0, STATX_MNT_ID_UNIQUE, &info))
		return errno;
	request.mnt_id = info.stx_mnt_id;
	return scene_result(syscall(SYS_statmount, &request, room,
				    sizeof(room), 0));
}

/* None is kept, which is told after the check. */
static int look_at_quota(void)
{
	struct if_dqblk block;

	return scene_result(syscall(SYS_quotactl, QCMD(Q_GETQUOTA, USRQUOTA),
				    scene.disk->device, 0, &block));
}

/* Which pages of a file the kernel has in memory. */

static int read_ahead(void)
{
	return scene_result(readahead(scene.fd, 0, SCENE_BYTES));
}

static int look_at_cache(void)
{
	uint64_t range[2] = { 0, SCENE_BYTES }, counts[8];

	return scene_result(syscall(SYS_cachestat, scene.fd, range, counts,
				    0));
}

static int synchronise_file(void)
{
	return scene_result(fsync(scene.fd));
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

static int look_at_pages(void)
{
	unsigned char pages[SCENE_BYTES / 4096];

	return scene_result(mincore(scene.map, SCENE_BYTES, pages));
}

/* Samples have what lies on the stack of whoever is sampled. */
static int sample(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK, .sample_period = 100000,
		.sample_type = PERF_SAMPLE_STACK_USER,
		.sample_stack_user = 1024,
	};

	return scene_result(syscall(SYS_perf_event_open, &attr, scene.pid, -1,
				    -1, PERF_FLAG_FD_CLOEXEC));
}

/* Are two descriptors one file? Nothing of it is opened. */
static int compare(void)
{
	return scene_result(syscall(SYS_kcmp, getpid(), scene.pid, KCMP_FILE,
				    scene.fd, scene.fd));
}

/* A loop device asks for its file as the kernel. */
static int read_loop(void)
{
	static char page[4096] __attribute__((aligned(4096)));

	if (pread(scene.loop, page, sizeof(page), 0) <= 0)
		return errno ? errno : ENODATA;
	return page[0] == 'a' ? 0 : EBADMSG;
}

static int read_below(void)
{
	char byte;

	if (scene.below < 0)
		return ENOSYS;
	return scene_result(pread(scene.below, &byte, 1, 0));
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

/* What is cloned stays within the filesystem, and so on the volume. */

static int prepare_memory(void)
{
	int err = scene_files();

	scene.extra[0] = memfd_create("plain", MFD_CLOEXEC);
	return err ?: scene_result(scene.extra[0]);
}

static int clone_elsewhere(void)
{
	return scene_result(ioctl(scene.extra[0], FICLONE, scene.fd));
}

static int change_mount(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV };
	int tree = open_tree(AT_FDCWD, "db", OPEN_TREE_CLONE |
			     OPEN_TREE_CLOEXEC);

	return scene_result(tree) ?:
	       scene_result(mount_setattr(tree, "", AT_EMPTY_PATH, &attr,
					  sizeof(attr)));
}

static int synchronise(void)
{
	return scene_result(syncfs(scene.fd));
}

#define HIDE	"names, sizes, owners and times are not hidden by default"
#define ENCRYPT	"metadata: hidden; encrypted names (fscrypt)"
#define LAYOUT	"tells where there is data, none of it"
#define PLACE	"moves no byte; every access there is checked as here"

/*
 * Neither kernel here has it. Where one does, this fails until somebody writes
 * down how to try it.
 */
static int prepare_binder(void)
{
	if (mount("binder", SCENE_PLACE, "binder", 0, NULL))
		return ENOSYS;
	umount2(SCENE_PLACE, MNT_DETACH);
	return EOPNOTSUPP;
}

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
	{ .name = "io_uring, statx", .hook = "", .also = "metadata_test",
	  .go = look_at_by_ring, .on = MATRIX_EXT4,
	  .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "file_getattr", .hook = "", .also = "metadata_test",
	  .go = get_file_attributes, .on = MATRIX_EXT4,
	  .open = HIDE, .closed_by = ENCRYPT },
	{ .name = "statmount", .hook = "", .also = "metadata_test",
	  .go = look_at_mount, .on = MATRIX_EXT4,
	  .open = "the type of the filesystem is not hidden by default",
	  .closed_by = "metadata: hidden" },
	{ .name = "quota of a user", .hook = "", .also = "metadata_test",
	  .go = look_at_quota, .on = MATRIX_EXT4, .done = ESRCH,
	  .open = "tells no more than all owners and sizes do",
	  .closed_by = "metadata: hidden" },
	{ .name = "readahead", .hook = "", .also = "io_test",
	  .prepare = scene_files, .go = read_ahead, .on = MATRIX_EXT4,
	  .open = "no hook; the bytes go into the cache only",
	  .closed_by = "needs a descriptor that was open before" },
	{ .name = "cachestat", .hook = "", .also = "",
	  .prepare = scene_files, .go = look_at_cache, .on = MATRIX_EXT4,
	  .open = "no hook; tells how much of it is in the cache",
	  .closed_by = "needs a descriptor that was open before" },
	{ .name = "mincore", .hook = "", .also = "",
	  .prepare = prepare_pages, .go = look_at_pages, .on = MATRIX_EXT4,
	  .open = "no hook; tells what of it is in the cache",
	  .closed_by = "on-end: unmap or kill" },
	{ .name = "page that is mapped", .hook = "", .also = "onend_test",
	  .prepare = prepare_pages, .go = read_page,
	  .open = "no hook sees a page fault",
	  .closed_by = "on-end: unmap or kill, by the grant or demanded by the volume" },
	{ .name = "perf samples of a holder", .hook = "", .also = "",
	  .prepare = scene_holder, .go = sample, .on = MATRIX_EXT4,
	  .open = "no hook tells whose stack is sampled",
	  .closed_by = "lockdown=confidentiality; holders that keep no secrets on the stack" },
	{ .name = "kcmp with a holder", .hook = "", .also = "",
	  .prepare = scene_holder, .go = compare, .on = MATRIX_EXT4,
	  .open = "tells whether two descriptors are one opened file, no byte",
	  .closed_by = "needs a descriptor that was open before" },
	{ .name = "page in a pipe", .hook = "", .also = "",
	  .prepare = prepare_pipe, .go = read_pipe,
	  .open = "no hook; the bytes have left the file",
	  .closed_by = "on-end: kill, if nobody else has the pipe" },
	{ .name = "descriptor by binder of Android", .hook = "", .also = "",
	  .prepare = prepare_binder, .go = synchronise, .on = MATRIX_EXT4,
	  .open = "its hook tells credentials of the receiver, not which process it is",
	  .closed_by = "each use of the descriptor is checked (file_permission, mmap_file)" },
	{ .name = "loop device set up before", .hook = "", .also = "kernel_io_test",
	  .go = read_loop,
	  .open = "no hook sees I/O of a loop device",
	  .closed_by = "protect a volume before anything else uses its files" },
	{ .name = "device further below, opened before", .hook = "", .also = "opened_device_test",
	  .go = read_below, .on = MATRIX_EXT4 | MATRIX_XFS,
	  .open = "those who look after it have it open, and its loss would be the volume's",
	  .closed_by = "dm-crypt with a key of the trustee; end who else has it open" },
	{ .name = "bind mount elsewhere", .hook = "", .also = "mount_test",
	  .go = bind_elsewhere, .open = PLACE,
	  .closed_by = "nothing; the gate goes by the filesystem" },
	{ .name = "FICLONE to another filesystem", .hook = "", .also = "",
	  .prepare = prepare_memory, .go = clone_elsewhere,
	  .on = MATRIX_REFLINK, .done = EXDEV,
	  .open = "leads nowhere; blocks are shared within a filesystem only",
	  .closed_by = "the kernel, with a gate or without" },
	{ .name = "mount_setattr of a copy", .hook = "", .also = "",
	  .go = change_mount, .on = MATRIX_EXT4, .open = PLACE,
	  .closed_by = "nothing; the gate goes by the filesystem" },
	{ .name = "fsync", .hook = "", .also = "io_test",
	  .prepare = scene_files,
	  .go = synchronise_file, .on = MATRIX_EXT4, .open = PLACE,
	  .closed_by = "needs a descriptor that was open before" },
	{ .name = "syncfs", .hook = "", .also = "io_test",
	  .prepare = scene_files,
	  .go = synchronise, .open = PLACE,
	  .closed_by = "needs a descriptor that was open before" },
};

const struct matrix_group matrix_open_rows = MATRIX_GROUP("Open", routes);
