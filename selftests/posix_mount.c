// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_mount - rows: mounts in, of and over the filesystem.
 *
 * Owns: what is mounted by a row, in a mount namespace of a process of its own;
 * read-only filesystems.
 *
 * Must not own: mount points of the test.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "posix.h"

static int own_namespace(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		note("namespace", -1);
		return 99;
	}
	return 0;
}

static int cover(void)
{
	if (own_namespace())
		return 99;
	note("bind", mount("d", "e", NULL, MS_BIND, NULL));
	see("e/f");
	make("e/g");
	note("rename across", rename("e/g", "g"));
	note("link across", link("e/g", "g"));
	note("rmdir a mount", rmdir("e"));
	note("rename a mount", rename("e", "x"));
	note("umount", umount("e"));
	see("d/g");
	note("tmpfs", mount("tmpfs", "e", "tmpfs", 0, NULL));
	make("e/only-here");
	note("again", mount("tmpfs", "e", "tmpfs", 0, NULL));
	note("umount", umount("e"));
	see("e/only-here");
	note("umount", umount("e"));
	see("e/only-here");
	note("file", mount("d/f", "f", NULL, MS_BIND, NULL));
	note("unlink it", unlink("f"));
	note("umount", umount("f"));
	note("over nothing", mount("d", "none", NULL, MS_BIND, NULL));
	note("file over directory", mount("f", "e", NULL, MS_BIND, NULL));
	note("umount of none", umount("e"));
	return 0;
}

static void covering(int unused)
{
	note("mkdir", mkdir("d", 0755) | mkdir("e", 0755));
	make("d/f");
	make("f");
	in_child("mounts", cover);
	see("d/g");
	see("e");
}

static void change_all(void)
{
	note_fd("to read", open("f", O_RDONLY));
	note_fd("to write", open("f", O_WRONLY));
	note_fd("create", open("new", O_CREAT | O_WRONLY, 0600));
	note_fd("unnamed", open(".", O_TMPFILE | O_RDWR, 0600));
	note_fd("device", open("null", O_RDWR));
	note("truncate", truncate("f", 1));
	note("mkdir", mkdir("x", 0755));
	note("rmdir", rmdir("d"));
	note("mknod", mknod("x", S_IFREG, 0));
	note("symlink", symlink("f", "x"));
	note("link", link("f", "x"));
	note("rename", rename("f", "f"));
	note("unlink", unlink("f"));
	note("chmod", chmod("f", 0600));
	note("times", utimensat(AT_FDCWD, "f", NULL, 0));
	note("setxattr", setxattr("f", "user.a", "x", 1, 0));
	note("access", access("f", W_OK));
	note("execute", access("f", X_OK));
}

static unsigned long options;

static int restricted(void)
{
	if (own_namespace())
		return 99;
	if (note("bind", mount("d", "d", NULL, MS_BIND, NULL)) ||
	    note("remount", mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND |
				  options, NULL)) || chdir("d"))
		return 98;
	change_all();
	return chdir("..");
}

static void restrict_mount(int which)
{
	note("mkdir", mkdir("d", 0755) | mkdir("d/d", 0755));
	make("d/f");
	note("mknod", mknod("d/null", S_IFCHR | 0666, 0x103));
	note("chmod", chmod("d/f", 0755));
	options = which;
	in_child("restricted", restricted);
}

/* The whole filesystem, not one mount of it. */
static void read_only(int unused)
{
	char path[4096];
	struct stat up;

	make("f");
	note("chmod", chmod("f", 0755));
	note("mkdir", mkdir("d", 0755));
	note("mknod", mknod("null", S_IFCHR | 0666, 0x103));
	/* The mount point is two directories up. */
	if (stat("../..", &up) || !getcwd(path, sizeof(path)))
		return;
	note("up", chdir("../.."));
	if (!getcwd(path + 2048, 2048))
		return;
	note("back", chdir(path));
	note("remount", mount(NULL, path + 2048, NULL, MS_REMOUNT | MS_RDONLY,
			      NULL));
	change_all();
	note("remount", mount(NULL, path + 2048, NULL, MS_REMOUNT, NULL));
	change_all();
}

static void new_calls(int unused)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree;

	note("mkdir", mkdir("d", 0755));
	make("d/f");
	tree = note_fd("clone", syscall(SYS_open_tree, AT_FDCWD, "d",
					OPEN_TREE_CLONE));
	note("set", syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH,
			    &attributes, sizeof(attributes)));
	note_fd("write", openat(tree, "f", O_WRONLY));
	note_fd("read", openat(tree, "f", O_RDONLY));
	note("plain", close(syscall(SYS_open_tree, AT_FDCWD, "d/f", 0)));
	note("of nothing", syscall(SYS_open_tree, AT_FDCWD, "none", 0));
	note("pivot", syscall(SYS_pivot_root, "d", "d"));
	note("swap on a file", syscall(SYS_swapon, "d/f", 0));
	note("quota", syscall(SYS_quotactl, 0x80000700, "d", 0, NULL));
}

static const struct posix_row rows[] = {
	{ "mounts over its files", covering, 0, 0 },
	{ "read-only mount", restrict_mount, MS_RDONLY, POSIX_ROOT },
	{ "nodev, noexec, nosuid", restrict_mount,
	  MS_NODEV | MS_NOEXEC | MS_NOSUID, POSIX_ROOT },
	{ "open_tree and the like", new_calls, 0, 0 },
	{ "read-only filesystem", read_only, 0, POSIX_ROOT },
};

const struct posix_group posix_mount = POSIX_GROUP(rows);
