// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_open - rows: opening files, and getting hold of open ones.
 *
 * Owns: each way to a descriptor.
 *
 * Must not own: what is done with one (matrix_io.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/acct.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

#define R	GATE_READ
#define W	GATE_WRITE

static int open_read(void)
{
	return attempt_open("db/a", O_RDONLY);
}

static int open_write(void)
{
	return attempt_open("db/a", O_WRONLY);
}

static int open_both(void)
{
	return attempt_open("db/a", O_RDWR);
}

static int open_truncate(void)
{
	return attempt_open("db/a", O_RDONLY | O_TRUNC);
}

static int open_ioctl_only(void)
{
	return attempt_open("db/a", O_ACCMODE);
}

static int open_create(void)
{
	return attempt_open("db/new", O_WRONLY | O_CREAT | O_EXCL);
}

static int open_unnamed(void)
{
	return attempt_open("db", O_TMPFILE | O_RDWR);
}

static int open_directory(void)
{
	return attempt_list("db", 0);
}

static int open_root(void)
{
	return attempt_list(".", 0);
}

static int open_openat2(void)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH,
	};

	return scene_result(syscall(SYS_openat2, AT_FDCWD, "db/a", &how,
				    sizeof(how)));
}

static int open_symlink(void)
{
	return attempt_open("db/link", O_RDONLY);
}

static int open_path_again(void)
{
	char name[64];
	int fd = open("db/a", O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return attempt_open(name, O_RDONLY);
}

static union {
	struct file_handle handle;
	unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} by;

static int prepare_handle(void)
{
	int mount_id;

	by.handle.handle_bytes = MAX_HANDLE_SZ;
	/* Only names the mount. */
	scene.extra[0] = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scene_result(scene.extra[0]) ?:
	       scene_result(name_to_handle_at(AT_FDCWD, "db/a", &by.handle,
					      &mount_id, 0));
}

static int open_handle(void)
{
	return scene_result(open_by_handle_at(scene.extra[0], &by.handle,
					      O_RDONLY | O_CLOEXEC));
}

/* A second way to the same filesystem. */

static int prepare_bind(void)
{
	return scene_result(mount(scene.disk->path, SCENE_PLACE, NULL, MS_BIND,
				  NULL));
}

static void undo_mount(void)
{
	umount2(SCENE_PLACE, MNT_DETACH);
}

static int open_bind(void)
{
	return attempt_read(SCENE_PLACE "/db/a", 0);
}

static int prepare_overlay(void)
{
	static const char *const modprobe[] = { "modprobe", "-q", "overlay",
						NULL };
	static bool tried;
	char options[256];

	if (!tried)
		disk_command(modprobe);
	tried = true;
	if (mount("tmpfs", SCENE_PLACE, "tmpfs", 0, NULL))
		return errno;
	if (mkdir(SCENE_PLACE "/upper", 0700) ||
	    mkdir(SCENE_PLACE "/work", 0700) ||
	    mkdir(SCENE_PLACE "/merged", 0700))
		return errno;
	snprintf(options, sizeof(options),
		 "lowerdir=%s/db,upperdir=" SCENE_PLACE "/upper,workdir="
		 SCENE_PLACE "/work", scene.disk->path);
	return scene_result(mount("overlay", SCENE_PLACE "/merged", "overlay",
				  0, options));
}

static void undo_overlay(void)
{
	umount2(SCENE_PLACE "/merged", MNT_DETACH);
	undo_mount();
}

static int open_overlay(void)
{
	return attempt_read(SCENE_PLACE "/merged/a", 0);
}

static int overlay_copy_up(void)
{
	return attempt_open(SCENE_PLACE "/merged/a", O_WRONLY);
}

static int prepare_overlay_file(void)
{
	int err = prepare_overlay();

	if (err)
		return err;
	scene.extra[0] = open(SCENE_PLACE "/merged/a", O_RDONLY | O_CLOEXEC);
	return scene_result(scene.extra[0]);
}

static int map_overlay(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, scene.extra[0], 0) ==
	       MAP_FAILED ? errno : 0;
}

/* What another process hands over. */

static int receive(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	if (recvmsg(scene.extra[1], &message, MSG_CMSG_CLOEXEC) < 0)
		return errno;
	/* The message comes without what may not be received. */
	return message.msg_flags & MSG_CTRUNC ? EACCES : 0;
}

static int prepare_message(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int err = scene_files();

	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, scene.extra))
		return errno;
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &scene.fd, sizeof(scene.fd));
	return scene_result(sendmsg(scene.extra[0], &message, 0));
}

/* The descriptor in an event is opened as the event is read. */
static int prepare_event(void)
{
	scene.extra[0] = fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
	return scene_result(scene.extra[0]) ?:
	       scene_result(fanotify_mark(scene.extra[0], FAN_MARK_ADD,
					  FAN_OPEN, AT_FDCWD, "db/a")) ?:
	       attempt_open("db/a", O_RDONLY);
}

static int read_event(void)
{
	struct fanotify_event_metadata event;

	if (read(scene.extra[0], &event, sizeof(event)) < 0)
		return errno;
	return event.fd < 0 ? EACCES : 0;
}

/* Files given to the kernel. */

static int prepare_loop(void)
{
	return -disk_load_loop() ?: scene_files();
}

static int loop_over(void)
{
	int device, err = scene_attach(&device, scene.fd);

	close(device);
	return err;
}

#define SWAP_PAGES	16

/* As mkswap(8) makes it. */
static int prepare_swap(void)
{
	static char bytes[SWAP_PAGES * 4096];
	const uint32_t header[] = { 1, SWAP_PAGES - 1 };
	int err = 0, fd;

	memcpy(bytes + 1024, header, sizeof(header));
	memcpy(bytes + 4086, "SWAPSPACE2", 10);
	fd = open("db/swap", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes) ||
	    fsync(fd))
		err = errno ? errno : EIO;
	close(fd);
	return err;
}

static int swap_on(void)
{
	int err = scene_result(swapon("db/swap", 0));

	if (!err)
		swapoff("db/swap");
	return err;
}

static int account(void)
{
	int err = scene_result(acct("db/a"));

	if (!err)
		acct(NULL);
	return err;
}

static const struct matrix_route opens[] = {
	{ .name = "open for reading", .hook = "file_open", .also = "open_test",
	  .go = open_read, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open for writing", .hook = "file_open", .also = "open_test",
	  .go = open_write, .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "open for both", .hook = "file_open", .also = "open_test",
	  .go = open_both, .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "open, O_TRUNC", .hook = "file_open", .also = "open_test",
	  .go = open_truncate, .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "open, access mode 3", .hook = "file_open", .also = "open_test",
	  .go = open_ioctl_only, .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "open, O_CREAT", .hook = "inode_create", .also = "open_test",
	  .go = open_create, .needs = { MATRIX_FILE("db", GATE_NAMES),
					MATRIX_TREE("db", W) } },
	{ .name = "open, O_TMPFILE", .hook = "file_open", .also = "open_test",
	  .go = open_unnamed, .needs = { MATRIX_TREE("db", R | W) } },
	{ .name = "open a directory", .hook = "file_open", .also = "open_test",
	  .go = open_directory, .needs = { MATRIX_FILE("db", R) } },
	{ .name = "open the root directory", .hook = "file_open", .also = "open_test",
	  .go = open_root, .needs = { MATRIX_FILE(".", R) } },
	{ .name = "openat2", .hook = "file_open", .also = "",
	  .go = open_openat2, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open by a symbolic link", .hook = "file_open", .also = "open_test",
	  .go = open_symlink, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "O_PATH, opened again", .hook = "file_open", .also = "open_test",
	  .go = open_path_again, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open_by_handle_at", .hook = "file_open", .also = "open_test",
	  .prepare = prepare_handle,
	  .go = open_handle, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open by a bind mount", .hook = "file_open", .also = "open_test",
	  .prepare = prepare_bind, .undo = undo_mount,
	  .go = open_bind, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open by an overlay", .hook = "file_open", .also = "",
	  .prepare = prepare_overlay, .undo = undo_overlay,
	  .go = open_overlay, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "copy-up of an overlay", .hook = "file_open", .also = "",
	  .prepare = prepare_overlay, .undo = undo_overlay,
	  .go = overlay_copy_up, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "mmap by an overlay", .hook = "mmap_backing_file", .also = "",
	  .prepare = prepare_overlay_file, .undo = undo_overlay,
	  .go = map_overlay, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "loop device over a file", .hook = "file_ioctl", .also = "kernel_io_test",
	  .prepare = prepare_loop, .go = loop_over },
	{ .name = "swapon of a file", .hook = "file_open", .also = "kernel_io_test",
	  .prepare = prepare_swap, .on = MATRIX_DEVICE,
	  .go = swap_on, .needs = { MATRIX_FILE("db/swap", R | W) } },
	{ .name = "acct into a file", .hook = "file_open", .also = "",
	  .on = MATRIX_DEVICE,
	  .go = account, .needs = { MATRIX_FILE("db/a", W) } },
};

const struct matrix_group matrix_opens = MATRIX_GROUP("Opens", opens);

static const struct matrix_route passing[] = {
	{ .name = "SCM_RIGHTS", .hook = "file_receive", .also = "route_test",
	  .prepare = prepare_message,
	  .go = receive, .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "descriptor of a fanotify event", .hook = "file_open", .also = "",
	  .prepare = prepare_event,
	  .go = read_event, .needs = { MATRIX_FILE("db/a", R) } },
};

const struct matrix_group matrix_passing =
	MATRIX_GROUP("Descriptors of others", passing);
