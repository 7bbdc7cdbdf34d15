// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_scene - the files that each trial of a route finds; see matrix.h.
 *
 * Owns: making them, and clearing away what a trial has left.
 *
 * Must not own: the gate. All here is done by a process that may do anything
 * on the volume.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <liburing.h>
#include <linux/btrfs.h>
#include <linux/loop.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attempt.h"
#include "btrfs.h"
#include "matrix.h"

struct matrix_scene scene = {
	.raw = -1, .below = -1, .loop = -1, .fd = -1, .other = -1, .extra = { -1, -1 },
};

int scene_result(long value)
{
	return value < 0 ? errno : 0;
}

static void remove_tree(int at, const char *name)
{
	struct dirent *entry;
	DIR *dir;
	int fd;

	if (!unlinkat(at, name, 0) || errno == ENOENT)
		return;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree(fd, entry->d_name);
	}
	if (dir)
		closedir(dir);
	unlinkat(at, name, AT_REMOVEDIR);
}

static int make_file(const char *path, char letter)
{
	char bytes[SCENE_BYTES];
	int fd, err = 0;

	memset(bytes, letter, sizeof(bytes));
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes))
		err = errno ? errno : EIO;
	close(fd);
	return err;
}

static void put(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int scene_attach(int *device, int fd)
{
	struct loop_config config = {
		.fd = (uint32_t)fd,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};

	*device = disk_free_loop();
	if (*device < 0)
		return -*device;
	return scene_result(ioctl(*device, LOOP_CONFIGURE, &config));
}

/* A loop device that is there before the gate. */
static int attach_first(void)
{
	int fd, err;

	err = -disk_load_loop() ?: make_file("kept/image", 'a');
	if (err)
		return err;
	/* Or the filesystem could not be made read-only. */
	fd = open("kept/image", O_RDONLY | O_CLOEXEC);
	err = scene_result(fd) ?: scene_attach(&scene.loop, fd);
	close(fd);
	return err;
}

/* A partition in the midst of the filesystem, which takes no notice of it. */
static int part_ioctl(int operation)
{
	struct blkpg_partition part = {
		.pno = 1, .start = 1 << 20, .length = 16 << 20,
	};
	struct blkpg_ioctl_arg argument = {
		.op = operation, .datalen = sizeof(part), .data = &part,
	};

	return scene_result(ioctl(scene.raw, BLKPG, &argument));
}

static int add_part(const char *device)
{
	const char *second = getenv("TRUSTGATE_DISK2");
	const size_t length = strlen(device);

	scene.raw = open(device, O_RDONLY | O_CLOEXEC);
	if (scene.raw < 0)
		return errno;
	if (second && *second)
		scene.below = open(second, O_RDONLY | O_CLOEXEC);
	snprintf(scene.part, sizeof(scene.part), "%s%s1", device,
		 isdigit(device[length - 1]) ? "p" : "");
	return part_ioctl(BLKPG_ADD_PARTITION);
}

static int make_subvolumes(void)
{
	return btrfs_create("kept", "one") ?:
	       -disk_file("kept/one/f", SCENE_SECRET, 0644) ?:
	       btrfs_snapshot("kept/one", "kept", "snap", BTRFS_SUBVOL_RDONLY);
}

int scene_first(const struct disk *disk)
{
	int err;

	scene.disk = disk;
	if (mkdir(SCENE_PLACE, 0700) && errno != EEXIST)
		return errno;
	if (disk->device[0]) {
		err = add_part(disk->device);
		if (err)
			return err;
	}
	err = scene_result(mkdir("kept", 0755)) ?:
	      attempt_copy("/bin/true", "kept/true") ?: attach_first();
	if (!err && !strcmp(disk->fstype, "btrfs"))
		err = make_subvolumes();
	return err;
}

void scene_last(void)
{
	put(&scene.loop);
}

/* While the disk is closed, its partitions stay as they are. */
void scene_after(void)
{
	if (scene.raw >= 0)
		part_ioctl(BLKPG_DEL_PARTITION);
	put(&scene.raw);
	put(&scene.below);
}

int scene_make(void)
{
	static const char *const trees[] = { "db", "other", "elsewhere" };
	static const char *const directories[] = {
		"db", "db/sub", "db/empty", "other", "elsewhere",
	};
	unsigned int i;

	for (i = 0; i < sizeof(trees) / sizeof(*trees); i++)
		remove_tree(AT_FDCWD, trees[i]);
	for (i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		if (mkdir(directories[i], 0755))
			return errno;
	}
	return make_file("db/a", 'a') ?:
	       make_file("db/b", 'b') ?:
	       make_file("db/sub/c", 'c') ?:
	       make_file("other/x", 'x') ?:
	       make_file("elsewhere/y", 'y') ?:
	       scene_result(symlink("a", "db/link")) ?:
	       scene_result(link("kept/true", "db/true")) ?:
	       scene_result(setxattr("db/a", SCENE_XATTR, "old", 3, 0)) ?:
	       attempt_set_acl("db/a");
}

void scene_over(void)
{
	put(&scene.fd);
	put(&scene.other);
	put(&scene.extra[0]);
	put(&scene.extra[1]);
	if (scene.map)
		munmap(scene.map, SCENE_BYTES);
	scene.map = NULL;
	if (scene.pid > 0) {
		kill(scene.pid, SIGKILL);
		waitpid(scene.pid, NULL, 0);
	}
	scene.pid = 0;
}

int scene_files(void)
{
	scene.fd = open("db/a", O_RDWR | O_CLOEXEC);
	scene.other = open("db/b", O_RDWR | O_CLOEXEC);
	return scene.fd < 0 || scene.other < 0 ? errno : 0;
}

int scene_reader(void)
{
	scene.fd = open("db/a", O_RDONLY | O_CLOEXEC);
	return scene_result(scene.fd);
}

int scene_directory(void)
{
	scene.fd = open("db", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scene_result(scene.fd);
}

int scene_load(const char *module)
{
	const char *const argv[] = { "modprobe", "-q", module, NULL };
	static const char *last = "";

	if (!strcmp(last, module))
		return 0;
	if (disk_command(argv))
		return ENOSYS;
	last = module;
	return 0;
}

#ifdef __x86_64__
static void give_up(int unused)
{
	_exit(1);
}

/* A kernel that runs no such programs ends who tries. */
static bool has_compat(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, give_up);
		attempt_compat(20, 0, 0, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !status;
}

void *scene_compat(void)
{
	void *room;

	if (!has_compat())
		return NULL;
	room = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return room == MAP_FAILED ? NULL : room;
}
#endif

int scene_ring(void (*prepare)(struct io_uring_sqe *sqe))
{
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int err = -io_uring_queue_init(2, &ring, 0);

	if (err)
		return err;
	prepare(io_uring_get_sqe(&ring));
	err = io_uring_submit_and_wait(&ring, 1);
	err = err < 0 ? -err : -io_uring_peek_cqe(&ring, &cqe);
	if (!err && cqe->res < 0)
		err = -cqe->res;
	io_uring_queue_exit(&ring);
	return err == EINVAL || err == EOPNOTSUPP ? ENOSYS : err;
}

int scene_holder(void)
{
	int err = scene.fd < 0 ? scene_files() : 0;

	if (err)
		return err;
	scene.pid = fork();
	if (!scene.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return scene_result(scene.pid);
}
