// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_name - rows: making, linking and removing names of all kinds.
 *
 * Owns: directories, links, nodes, sockets.
 *
 * Must not own: renames (posix_rename.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "posix.h"

static void directories(int unused)
{
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0750));
	note("again", mkdir("d", 0755));
	note("over a file", mkdir("f", 0755));
	note("below a file", mkdir("f/x", 0755));
	note("below nothing", mkdir("none/x", 0755));
	note("no name", mkdir("", 0755));
	note("slash", mkdir("e/", 0755));
	note(".", mkdir(".", 0755));
	note("..", mkdir("d/..", 0755));
	note("sticky", mkdir("sticky", 01777));
	note("set-gid", mkdir("set", 0755) | chmod("set", 02775));
	note("below", mkdir("set/x", 0755));
	note("of another's", mkdir("../theirs/new", 0755));
	note("remove it", rmdir("../theirs/new"));
	see("d");
	see("e");
	see("sticky");
	see("set");
	see("set/x");
	make("d/f");
	note("rmdir, full", rmdir("d"));
	note("rmdir, file", rmdir("f"));
	note("rmdir, nothing", rmdir("none"));
	note("rmdir .", rmdir("e/."));
	note("rmdir ..", rmdir("d/.."));
	note("rmdir, slash", rmdir("e/"));
	note("rmdir, root of all", rmdir("/"));
	note("rmdir, another's", rmdir("../theirs/d"));
	note("put it back", mkdir("../theirs/d", 0755));
	fd = note_fd("open", open("d", O_RDONLY));
	note("unlinkat", unlinkat(fd, "f", 0));
	note("unlinkat, directory", unlinkat(AT_FDCWD, "d", 0));
	note("unlinkat, file", unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
	note("unlinkat, flag", unlinkat(AT_FDCWD, "f", 0x4000));
	note("unlinkat, rmdir", unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	note("mkdirat, gone", mkdirat(fd, "x", 0755));
	see(".");
}

static void unlinks(int unused)
{
	make("f");
	note("symlink", symlink("f", "to-f") | symlink("none", "to-none"));
	note("mkdir", mkdir("d", 0755));
	note("directory", unlink("d"));
	note("nothing", unlink("none"));
	note("slash", unlink("f/"));
	note("below a file", unlink("f/x"));
	note("no name", unlink(""));
	note("no memory", unlink((char *)1));
	note("symlink", unlink("to-f"));
	note("dangling", unlink("to-none"));
	see("f");
	note("file", unlink("f"));
	see("f");
	note("another's", unlink("../theirs/f"));
	if (access("../theirs/f", F_OK))
		make("../theirs/f");
	note("another's in a sticky directory", unlink("../theirs/sticky/f"));
	if (access("../theirs/sticky/f", F_OK))
		make("../theirs/sticky/f");
	make("../theirs/sticky/own");
	note("own in a sticky directory", unlink("../theirs/sticky/own"));
	note("closed", mkdir("closed", 0755));
	make("closed/f");
	note("chmod", chmod("closed", 0555));
	note("unlink", unlink("closed/f"));
	note_fd("creat", creat("closed/g", 0644));
	note("chmod", chmod("closed", 0000));
	note("unlink", unlink("closed/g"));
	note("chmod", chmod("closed", 0755));
}

static void links(int unused)
{
	int fd, dir;

	make("f");
	note("symlink", symlink("f", "to-f"));
	note("mkdir", mkdir("d", 0755));
	note("link", link("f", "g"));
	note("into a directory", link("f", "d/h"));
	note("back", link("d/h", "i"));
	see("f");
	see("d/h");
	note("over itself", link("f", "g"));
	note("over a directory", link("f", "d"));
	note("of a directory", link("d", "e"));
	note("of nothing", link("none", "e"));
	note("below a file", link("f", "g/x"));
	note("below nothing", link("f", "none/x"));
	note("of a symlink", link("to-f", "copy"));
	see("copy");
	note("through a symlink", linkat(AT_FDCWD, "to-f", AT_FDCWD, "through",
					 AT_SYMLINK_FOLLOW));
	see("through");
	note("flags", linkat(AT_FDCWD, "f", AT_FDCWD, "x", 0x4000));
	note("slash", link("f", "x/"));
	note("elsewhere", link("f", "/dev/shm/posix-test"));
	note("from elsewhere", link("/etc/passwd", "passwd"));
	note("another's", link("../theirs/f", "theirs"));
	note("another's secret", link("../theirs/secret", "secret"));
	fd = note_fd("open", open("f", O_RDWR));
	dir = note_fd("open d", open("d", O_PATH));
	note("by descriptor", linkat(fd, "", dir, "by-fd", AT_EMPTY_PATH));
	see("d/by-fd");
	note("unlink", unlink("f") | unlink("g") | unlink("i"));
	see("d/h");
}

static void symlinks(int unused)
{
	char name[PATH_MAX + 1], text[PATH_MAX];

	make("f");
	note("symlink", symlink("f", "to-f"));
	see("to-f");
	note("again", symlink("f", "to-f"));
	note("to no name", symlink("", "e"));
	note("no name", symlink("f", ""));
	note("below a file", symlink("f", "f/x"));
	note("slash", symlink("f", "x/"));
	memset(name, 'n', sizeof(name));
	name[PATH_MAX] = '\0';
	note("too long", symlink(name, "long"));
	name[PATH_MAX - 1] = '\0';
	note("long", symlink(name, "long"));
	note("readlink", readlink("long", text, sizeof(text)));
	note_text("short", text, readlink("to-f", text, 1));
	note_text("all", text, readlink("to-f", text, sizeof(text)));
	note("no room", readlink("to-f", text, 0));
	note("of a file", readlink("f", text, sizeof(text)));
	note("of nothing", readlink("none", text, sizeof(text)));
	note_fd("long one", open("long", O_RDONLY));
	note("lchown", lchown("to-f", -1, -1));
	note("chmod of it", fchmodat(AT_FDCWD, "to-f", 0600,
				     AT_SYMLINK_NOFOLLOW));
	note("times", utimensat(AT_FDCWD, "to-f", NULL, AT_SYMLINK_NOFOLLOW));
	note("another's", symlink("x", "../theirs/new"));
	note("remove it", unlink("../theirs/new"));
}

static void nodes(int unused)
{
	static const struct {
		const char *name;
		mode_t mode;
		unsigned int major, minor;
	} kinds[] = {
		{ "plain", S_IFREG | 0644, 0, 0 },
		{ "none", 0600, 0, 0 },
		{ "fifo", S_IFIFO | 0640, 0, 0 },
		{ "socket", S_IFSOCK | 0600, 0, 0 },
		{ "null", S_IFCHR | 0666, 1, 3 },
		{ "block", S_IFBLK | 0600, 7, 200 },
		{ "no-driver", S_IFCHR | 0666, 511, 77 },
		{ "directory", S_IFDIR | 0755, 0, 0 },
		{ "link", S_IFLNK | 0777, 0, 0 },
		{ "odd", S_IFMT, 0, 0 },
	};
	unsigned int i;
	char text[4];
	dev_t device;
	int fd;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		device = makedev(kinds[i].major, kinds[i].minor);
		note("mknod", mknod(kinds[i].name, kinds[i].mode, device));
		note("again", mknod(kinds[i].name, kinds[i].mode, device));
		see(kinds[i].name);
	}
	fd = note_fd("open null", open("null", O_RDWR));
	note("write", write(fd, "x", 1));
	note("read", read(fd, text, 1));
	note_fd("open block", open("block", O_RDONLY));
	note_fd("open without driver", open("no-driver", O_RDONLY));
	note_fd("open socket", open("socket", O_RDWR));
	note("mkfifo", mkfifo("p", 0600));
	note("mkfifo again", mkfifo("p", 0600));
	note_fd("fifo, nobody reads", open("p", O_WRONLY | O_NONBLOCK));
	fd = note_fd("fifo", open("p", O_RDWR));
	note("write", write(fd, "abc", 3));
	note_text("read", text, read(fd, text, sizeof(text)));
	note("seek", lseek(fd, 0, SEEK_SET));
	see("p");
}

static int named(const char *path, int kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	note(path, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static void reach(const char *what, const char *path, int kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	note(what, connect(fd, (struct sockaddr *)&address, sizeof(address)));
	note("send", send(fd, "hello", 5, MSG_NOSIGNAL));
	close(fd);
}

static void sockets(int unused)
{
	char text[16];
	int fd, end;

	make("f");
	note("mkdir", mkdir("d", 0755));
	fd = named("stream", SOCK_STREAM);
	note("listen", listen(fd, 5));
	reach("connect", "stream", SOCK_STREAM);
	end = note_fd("accept", accept(fd, NULL, NULL));
	note_text("read", text, read(end, text, sizeof(text)));
	reach("of the other kind", "stream", SOCK_DGRAM);
	named("stream", SOCK_STREAM);
	named("f", SOCK_STREAM);
	named("none/x", SOCK_STREAM);
	named("../theirs/x", SOCK_DGRAM);
	note("remove it", unlink("../theirs/x"));
	reach("a file", "f", SOCK_STREAM);
	reach("nothing", "none", SOCK_STREAM);
	fd = named("d/datagram", SOCK_DGRAM);
	reach("datagram", "d/datagram", SOCK_DGRAM);
	note_text("read", text, read(fd, text, sizeof(text)));
	see("d/datagram");
	note("closed", chmod("d/datagram", 0));
	reach("closed", "d/datagram", SOCK_DGRAM);
	note("rename", rename("d/datagram", "moved"));
	note("opened", chmod("moved", 0777));
	reach("moved", "moved", SOCK_DGRAM);
	note("unlink", unlink("moved"));
	reach("unlinked", "moved", SOCK_DGRAM);
}

static const struct posix_row rows[] = {
	{ "mkdir and rmdir", directories, 0, 0 },
	{ "unlink", unlinks, 0, 0 },
	{ "link", links, 0, 0 },
	{ "symlink and readlink", symlinks, 0, 0 },
	{ "mknod and mkfifo", nodes, 0, 0 },
	{ "sockets", sockets, 0, 0 },
};

const struct posix_group posix_name = POSIX_GROUP(rows);
