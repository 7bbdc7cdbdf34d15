// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_kernel - rows: files in the hands of the kernel.
 *
 * Owns: what the kernel can be told to open, read or run itself, by a name or by
 * a descriptor: block devices over files, filesystems in files, programs.
 *
 * Must not own: I/O that a process does (matrix_io.c).
 *
 * Where the kernel takes a name, it opens the file on behalf of who told it, and
 * only then. What it does with the file later passes no hook, so a grant is as
 * good as handing out the bytes: see the documentation.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/raid/md_u.h>
#include <stdio.h>
#include <string.h>
#include <sys/acct.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attempt.h"
#include "matrix.h"

#define R	GATE_READ
#define W	GATE_WRITE
#define X	GATE_EXEC

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 ? errno : 0;

	if (!err && write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

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

/* A bitmap of a RAID that has nothing else yet. */

#define ARRAY	DISK_MOUNTS "/array"

static int prepare_array(void)
{
	int err = scene_load("md-mod") ?: scene_files();

	/* A bitmap's file must be open for writing once. */
	close(scene.other);
	scene.other = -1;
	if (err || (mknod(ARRAY, S_IFBLK | 0600, makedev(MD_MAJOR, 77)) &&
		    errno != EEXIST))
		return err ?: errno;
	scene.extra[0] = open(ARRAY, O_RDWR | O_CLOEXEC);
	return scene_result(scene.extra[0]);
}

static void undo_array(void)
{
	unlink(ARRAY);
}

static int bitmap_in_file(void)
{
	int err = scene_result(ioctl(scene.extra[0], SET_BITMAP_FILE,
				     scene.fd));

	if (!err)
		ioctl(scene.extra[0], STOP_ARRAY, NULL);
	/* Kernels of late take one for an array only that is running. */
	return err == EINVAL ? ENOSYS : err;
}

#define SWAP_PAGES	16

/* As mkswap(8) makes it; btrfs must not put it elsewhere when it is written. */
static int prepare_swap(void)
{
	static char bytes[SWAP_PAGES * 4096];
	const uint32_t header[] = { 1, SWAP_PAGES - 1 };
	int flags = FS_NOCOW_FL, err = 0, fd;

	memcpy(bytes + 1024, header, sizeof(header));
	memcpy(bytes + 4086, "SWAPSPACE2", 10);
	fd = open("db/swap", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && !strcmp(scene.disk->fstype, "btrfs") &&
	    ioctl(fd, FS_IOC_SETFLAGS, &flags))
		err = errno;
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

/* A program of long ago, and one to be booted; what is read is neither. */

static int use_library(void)
{
#ifdef __x86_64__
	char *path = scene_compat();

	/* Of those for 64 bits none could be used so. */
	if (!path)
		return ENOSYS;
	snprintf(path, 4096, "db/true");
	return attempt_compat(86, (long)path, 0, NULL);
#else
	return ENOSYS;
#endif
}

static int load_kernel(void)
{
#ifdef SYS_kexec_file_load
	return scene_result(syscall(SYS_kexec_file_load, scene.fd, -1, 1UL, "",
				    4UL));
#else
	return ENOSYS;
#endif
}

/* A filesystem in a file, which needs no loop device. */

static int prepare_erofs(void)
{
	return scene_load("erofs");
}

static int mount_file(void)
{
	return scene_result(mount("db/a", SCENE_PLACE, "erofs", MS_RDONLY,
				  NULL));
}

/* A namespace of NVMe, over a file or a device. */

#define CONFIG		DISK_MOUNTS "/config"
#define SUBSYSTEM	CONFIG "/nvmet/subsystems/selftest"
#define NAMESPACE	SUBSYSTEM "/namespaces/1"

static int prepare_nvmet(void)
{
	int err = scene_load("nvmet");

	if (err)
		return err;
	if ((mkdir(CONFIG, 0700) && errno != EEXIST) ||
	    mount("configfs", CONFIG, "configfs", 0, NULL) ||
	    mkdir(SUBSYSTEM, 0700) || mkdir(NAMESPACE, 0700))
		return errno;
	return 0;
}

static void undo_nvmet(void)
{
	write_text(NAMESPACE "/enable", "0");
	rmdir(NAMESPACE);
	rmdir(SUBSYSTEM);
	umount2(CONFIG, MNT_DETACH);
	rmdir(CONFIG);
}

static int serve(const char *path)
{
	return write_text(NAMESPACE "/device_path", path) ?:
	       write_text(NAMESPACE "/enable", "1");
}

static int serve_file(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/db/a", scene.disk->path);
	return serve(path);
}

/* Nothing keeps it from a device that is in use. */
static int serve_device(void)
{
	return serve(scene.disk->device);
}

/* What runs programs of a kind of its own, which this text is of. */

#define KINDS		DISK_MOUNTS "/kinds"
#define OF_KIND		DISK_MOUNTS "/of-a-kind"

static int prepare_kinds(void)
{
	int err = scene_load("binfmt_misc");

	if (err)
		return err;
	if ((mkdir(KINDS, 0700) && errno != EEXIST) ||
	    mount("binfmt_misc", KINDS, "binfmt_misc", 0, NULL))
		return errno;
	return -disk_file(OF_KIND, "SELFTEST", 0755);
}

/* @flags: F to open the interpreter at once. */
static int add_kind(const char *flags)
{
	char line[160];

	snprintf(line, sizeof(line), ":selftest:M::SELFTEST::%s/db/true:%s",
		 scene.disk->path, flags);
	return write_text(KINDS "/register", line);
}

static int prepare_kind(void)
{
	return prepare_kinds() ?: add_kind("");
}

static void undo_kinds(void)
{
	write_text(KINDS "/selftest", "-1");
	unlink(OF_KIND);
	umount2(KINDS, MNT_DETACH);
	rmdir(KINDS);
}

static int run_of_kind(void)
{
	execl(OF_KIND, "of-a-kind", NULL);
	return errno;
}

static int keep_interpreter(void)
{
	return add_kind("F");
}

static const struct matrix_route routes[] = {
	{ .name = "loop device over a file", .hook = "file_ioctl", .also = "kernel_io_test",
	  .prepare = prepare_loop, .go = loop_over },
	{ .name = "swapon of a file", .hook = "file_open", .also = "kernel_io_test",
	  .prepare = prepare_swap, .on = MATRIX_DEVICE,
	  .go = swap_on, .needs = { MATRIX_FILE("db/swap", R | W) } },
	{ .name = "acct into a file", .hook = "file_open", .also = "",
	  .on = MATRIX_DEVICE,
	  .go = account, .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "bitmap of a RAID in a file", .hook = "file_ioctl", .also = "kernel_io_test",
	  .prepare = prepare_array, .undo = undo_array, .go = bitmap_in_file,
	  .on = MATRIX_EXT4 },
	{ .name = "nvmet over a file", .hook = "file_open", .also = "",
	  .prepare = prepare_nvmet, .undo = undo_nvmet, .go = serve_file,
	  .on = MATRIX_EXT4, .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "nvmet over the device below", .hook = "block_device", .also = "",
	  .prepare = prepare_nvmet, .undo = undo_nvmet, .go = serve_device,
	  .on = MATRIX_EXT4, .denied = EPERM },
	/* What it finds is no such filesystem. */
	{ .name = "erofs in a file", .hook = "file_open", .also = "",
	  .prepare = prepare_erofs, .go = mount_file, .on = MATRIX_EXT4,
	  .done = EINVAL, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "kexec_file_load", .hook = "file_permission", .also = "",
	  .prepare = scene_reader, .go = load_kernel, .on = MATRIX_EXT4,
	  .done = ENOEXEC, .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "uselib", .hook = "file_open", .also = "",
	  .go = use_library, .on = MATRIX_EXT4, .done = ENOEXEC,
	  .needs = { MATRIX_FILE("db/true", R) } },
	{ .name = "interpreter of binfmt_misc", .hook = "file_open", .also = "",
	  .prepare = prepare_kind, .undo = undo_kinds, .go = run_of_kind,
	  .on = MATRIX_EXT4, .needs = { MATRIX_FILE("db/true", X) } },
	{ .name = "interpreter of binfmt_misc, kept open", .hook = "file_open", .also = "",
	  .prepare = prepare_kinds, .undo = undo_kinds, .go = keep_interpreter,
	  .on = MATRIX_EXT4, .needs = { MATRIX_FILE("db/true", X) } },
};

const struct matrix_group matrix_kernel =
	MATRIX_GROUP("Files in the hands of the kernel", routes);
