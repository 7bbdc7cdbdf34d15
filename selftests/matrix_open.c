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
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* By number, of a file whose name is not known: nothing has looked it up. */
static int open_forgotten_handle(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "2", 1) != 1)
		return errno ? errno : EIO;
	close(fd);
	return open_handle();
}

static int open_own_again(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", scene.fd);
	return attempt_open(name, O_RDONLY);
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

static int make_upper(const char *path)
{
	int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (at < 0 || (mkdirat(at, "upper", 0700) && errno != EEXIST) ||
	    (mkdirat(at, "work", 0700) && errno != EEXIST))
		err = errno;
	close(at);
	return err;
}

/* @upper: directory for what is changed; gets upper/ and work/ */
static int mount_overlay(const char *upper)
{
	char options[256];

	/* It may be built in, or not be found for another reason. */
	scene_load("overlay");
	if (mount("tmpfs", SCENE_PLACE, "tmpfs", 0, NULL) ||
	    mkdir(SCENE_PLACE "/merged", 0700))
		return errno;
	snprintf(options, sizeof(options),
		 "lowerdir=%s/db,upperdir=%s/upper,workdir=%s/work",
		 scene.disk->path, upper, upper);
	return make_upper(upper) ?:
	       scene_result(mount("overlay", SCENE_PLACE "/merged", "overlay",
				  0, options));
}

static int prepare_overlay(void)
{
	return mount_overlay(SCENE_PLACE);
}

/* All on the volume, so that a copy can share its blocks with the original. */
static int prepare_overlay_within(void)
{
	char upper[96];

	snprintf(upper, sizeof(upper), "%s/elsewhere", scene.disk->path);
	return mount_overlay(upper);
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
	{ .name = "open_by_handle_at, of what is not cached", .hook = "file_open", .also = "open_test",
	  .prepare = prepare_handle, .on = MATRIX_DEVICE,
	  .go = open_forgotten_handle, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "own descriptor, opened again", .hook = "file_open", .also = "open_test",
	  .prepare = scene_files,
	  .go = open_own_again, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open by a bind mount", .hook = "file_open", .also = "open_test",
	  .prepare = prepare_bind, .undo = undo_mount,
	  .go = open_bind, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "open by an overlay", .hook = "file_open", .also = "",
	  .prepare = prepare_overlay, .undo = undo_overlay,
	  .go = open_overlay, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "copy-up of an overlay", .hook = "file_open", .also = "",
	  .prepare = prepare_overlay, .undo = undo_overlay,
	  .go = overlay_copy_up, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "copy-up of an overlay, within the volume", .hook = "inode_setxattr", .also = "",
	  .prepare = prepare_overlay_within, .undo = undo_overlay,
	  .on = MATRIX_REFLINK, .go = overlay_copy_up,
	  .needs = { MATRIX_FILE("db/a", R),
		     MATRIX_TREE("elsewhere", R | W | GATE_NAMES | GATE_META) } },
	{ .name = "mmap by an overlay", .hook = "mmap_backing_file", .also = "",
	  .prepare = prepare_overlay_file, .undo = undo_overlay,
	  .go = map_overlay, .needs = { MATRIX_FILE("db/a", R) } },
};

const struct matrix_group matrix_opens = MATRIX_GROUP("Opens", opens);

/* A supervisor may put a descriptor in the place of a system call's result. */

static int supervise(int listener)
{
	struct seccomp_notif notice = {};
	struct seccomp_notif_addfd given = {
		.srcfd = (uint32_t)scene.fd, .flags = SECCOMP_ADDFD_FLAG_SEND,
	};
	struct seccomp_notif_resp answer = {};

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notice))
		return 1;
	given.id = notice.id;
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given) >= 0)
		return 0;
	answer.id = notice.id;
	answer.error = -errno;
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) ? 1 : 0;
}

static int receive_result(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, filter };
	int listener;

	listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			   SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (listener < 0)
		return errno;
	if (!fork())
		_exit(supervise(listener));
	return scene_result(syscall(SYS_getpgid, 0));
}

/* The descriptor stays; who has it is another program. */

static int prepare_line(void)
{
	return scene_files() ?: scene_result(pwrite(scene.fd, "\n", 1, 0));
}

static int read_by_another(void)
{
	char command[64];

	if (dup2(scene.fd, 9) < 0)
		return errno;
	snprintf(command, sizeof(command), "read -r line <&9 || exit %d",
		 EACCES);
	execl("/bin/sh", "sh", "-c", command, NULL);
	return errno;
}

static const struct matrix_route passing[] = {
	{ .name = "SCM_RIGHTS", .hook = "file_receive", .also = "route_test",
	  .prepare = prepare_message,
	  .go = receive, .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "descriptor of a fanotify event", .hook = "file_open", .also = "",
	  .prepare = prepare_event,
	  .go = read_event, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "descriptor from a seccomp supervisor", .hook = "file_receive", .also = "",
	  .prepare = scene_files,
	  .go = receive_result, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "descriptor kept by a program that is executed", .hook = "file_permission", .also = "exec_test",
	  .prepare = prepare_line, .go = read_by_another },
};

const struct matrix_group matrix_passing =
	MATRIX_GROUP("Descriptors of others", passing);
