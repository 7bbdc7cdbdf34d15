// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_scene - the files that each trial of a route finds; see matrix.h.
 *
 * Owns: making them, and clearing away what a trial has left.
 *
 * Must not own: the gate. All here is done by a process that may do anything
 * on the volume.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "matrix.h"

struct matrix_scene scene = {
	.raw = -1, .fd = -1, .other = -1, .extra = { -1, -1 },
};

int scene_result(long value)
{
	return value < 0 ? errno : 0;
}

int scene_set_acl(const char *path)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} list = {
		.header.a_version = POSIX_ACL_XATTR_VERSION,
		.entries = {
			{ ACL_USER_OBJ, ACL_READ | ACL_WRITE, ACL_UNDEFINED_ID },
			{ ACL_USER, ACL_READ | ACL_WRITE, 1000 },
			{ ACL_GROUP_OBJ, ACL_READ, ACL_UNDEFINED_ID },
			{ ACL_MASK, ACL_READ | ACL_WRITE, ACL_UNDEFINED_ID },
			{ ACL_OTHER, ACL_READ, ACL_UNDEFINED_ID },
		},
	};

	return scene_result(setxattr(path, SCENE_ACL, &list, sizeof(list), 0));
}

static int copy_program(const char *from, const char *to)
{
	struct stat info;
	int in, out, err = 0;

	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (in < 0 || out < 0 || fstat(in, &info) ||
	    sendfile(out, in, NULL, info.st_size) != info.st_size)
		err = errno ? errno : EIO;
	close(in);
	close(out);
	return err;
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

int scene_first(const struct disk *disk)
{
	scene.disk = disk;
	if (mkdir(SCENE_PLACE, 0700) && errno != EEXIST)
		return errno;
	if (disk->device[0]) {
		scene.raw = open(disk->device, O_RDONLY | O_CLOEXEC);
		if (scene.raw < 0)
			return errno;
	}
	return scene_result(mkdir("kept", 0755)) ?:
	       copy_program("/bin/true", "kept/true");
}

void scene_last(void)
{
	put(&scene.raw);
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
	       scene_set_acl("db/a");
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
