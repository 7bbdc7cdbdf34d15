// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_command - rows: ioctls and watches.
 *
 * Owns: commands to files and directories, flags of inodes and what these do,
 * inotify, fanotify and dnotify.
 *
 * Must not own: clones of files, which are copies (posix_io.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#include "posix.h"

static union {
	int number;
	struct fiemap extents;
	struct fsxattr attributes;
	struct termios terminal;
	char bytes[4096];
} argument;

static void commands(int opened)
{
	static const struct {
		const char *name;
		unsigned long command;
	} known[] = {
		{ "FIOCLEX", FIOCLEX }, { "FIONCLEX", FIONCLEX },
		{ "FIONREAD", FIONREAD }, { "FIGETBSZ", FIGETBSZ },
		{ "FIOQSIZE", FIOQSIZE }, { "FIONBIO", FIONBIO },
		{ "FIOASYNC", FIOASYNC }, { "FIBMAP", FIBMAP },
		{ "TCGETS", TCGETS }, { "TIOCGWINSZ", TIOCGWINSZ },
		{ "BLKGETSIZE64", BLKGETSIZE64 }, { "BLKRRPART", BLKRRPART },
		{ "GETFLAGS", FS_IOC_GETFLAGS },
		{ "FSGETXATTR", FS_IOC_FSGETXATTR },
		{ "GETVERSION", FS_IOC_GETVERSION },
		{ "GETFSLABEL", FS_IOC_GETFSLABEL },
		{ "FIEMAP", FS_IOC_FIEMAP },
		{ "MEASURE_VERITY", FS_IOC_MEASURE_VERITY },
		{ "READ_VERITY_METADATA", FS_IOC_READ_VERITY_METADATA },
		{ "unknown", 0x7472 },
		{ "FITRIM", FITRIM },
		{ "GETFSMAP", 0xc0c0583bUL },
		{ "GET_ENCRYPTION_POLICY", 0x400c6615UL },
		{ "GET_ENCRYPTION_PWSALT", 0x40106614UL },
		{ "XFS_IOC_FSGEOMETRY", 0x8070587eUL },
		{ "XFS_IOC_DIOINFO", 0x800c581eUL },
		{ "EXT4_IOC_GETSTATE", 0x40046629UL },
		{ "SETVERSION", FS_IOC_SETVERSION },
	};
	unsigned int i;
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("mkfifo", mkfifo("p", 0600));
	fd = note_fd("open", opened == O_DIRECTORY ?
			     open("d", O_RDONLY | O_DIRECTORY) :
			     opened == O_NONBLOCK ? open("p", O_RDWR) :
			     open("f", opened));
	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		memset(&argument, 0, sizeof(argument));
		note(known[i].name, ioctl(fd, known[i].command, &argument));
		if (known[i].command == FS_IOC_GETFLAGS ||
		    known[i].command == FIGETBSZ ||
		    known[i].command == FIONREAD)
			note("value", argument.number);
	}
	note("isatty", isatty(fd));
}

/* Leaves alone what the filesystem has set for itself. */
static int set_flags(const char *path, int flags)
{
	const int ours = FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL |
			 FS_NOATIME_FL;
	int fd = open(path, O_RDONLY | O_NONBLOCK), was, result;

	result = ioctl(fd, FS_IOC_GETFLAGS, &was);
	flags |= was & ~ours;
	result = result ?: ioctl(fd, FS_IOC_SETFLAGS, &flags);
	close(fd);
	return result;
}

/* Set and not set: each with what it keeps from being done. */
static void inode_flags(int flag)
{
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 6 } };
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	make("d/g");
	fd = note_fd("open first", open("f", O_RDWR));
	note("set", set_flags("f", flag));
	note("set d", set_flags("d", flag));
	note("write", pwrite(fd, "x", 1, 0));
	note_fd("to read", open("f", O_RDONLY));
	note_fd("to write", open("f", O_WRONLY));
	note_fd("to append", open("f", O_WRONLY | O_APPEND));
	note_fd("to truncate", open("f", O_WRONLY | O_APPEND | O_TRUNC));
	note("truncate", truncate("f", 2));
	note("ftruncate", ftruncate(fd, 12));
	note("fallocate", fallocate(fd, 0, 0, 100));
	note("chmod", chmod("f", 0600));
	note("chown", chown("f", -1, -1));
	note("times", utimensat(AT_FDCWD, "f", times, 0));
	note("now", utimensat(AT_FDCWD, "f", NULL, 0));
	note("setxattr", fsetxattr(fd, "user.a", "x", 1, 0));
	note("link", link("f", "g"));
	note("rename", rename("f", "h"));
	note("back", rename("h", "f"));
	note("unlink", unlink("f"));
	note("create in it", mknod("d/new", S_IFREG | 0600, 0));
	note("unlink in it", unlink("d/g"));
	note("rmdir", rmdir("d"));
	note("clear", set_flags("f", 0));
	note("clear d", set_flags("d", 0));
	see("f");
}

static void extended_flags(int unused)
{
	struct fsxattr attributes = {};
	int fd;

	make("f");
	fd = note_fd("open", open("f", O_RDONLY));
	note("get", ioctl(fd, FS_IOC_FSGETXATTR, &attributes));
	note("flags", attributes.fsx_xflags);
	attributes.fsx_xflags |= FS_XFLAG_NOATIME;
	note("set", ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
	note("get", ioctl(fd, FS_IOC_FSGETXATTR, &attributes));
	note("flags", attributes.fsx_xflags);
	attributes.fsx_xflags = 1U << 30;
	note("odd", ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
	attributes.fsx_xflags = 0;
	attributes.fsx_projid = 7;
	note("project", ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
	note("another's", set_flags("../theirs/f", FS_NOATIME_FL));
	note("nothing", set_flags("../theirs/f", 0));
}

static void by_path(int unused)
{
	struct {
		uint64_t xflags;
		uint32_t extent_size, extents, project, cow_extent_size;
	} attributes = {};

	make("f");
	note("get", syscall(468, AT_FDCWD, "f", &attributes,
			    sizeof(attributes), 0));
	note("flags", attributes.xflags);
	attributes.xflags |= FS_XFLAG_NOATIME;
	note("set", syscall(469, AT_FDCWD, "f", &attributes,
			    sizeof(attributes), 0));
	note("another's", syscall(469, AT_FDCWD, "../theirs/f", &attributes,
				  sizeof(attributes), 0));
	attributes.xflags = 0;
	note("back", syscall(469, AT_FDCWD, "../theirs/f", &attributes,
			     sizeof(attributes), 0));
}

static void extents(int unused)
{
	static char block[65536];
	int fd;

	fd = note_fd("open", open("f", O_RDWR | O_CREAT, 0600));
	note("write", write(fd, block, sizeof(block)));
	note("fsync", fsync(fd));
	memset(&argument, 0, sizeof(argument));
	argument.extents.fm_length = ~0ULL;
	argument.extents.fm_extent_count = 8;
	note("FIEMAP", ioctl(fd, FS_IOC_FIEMAP, &argument));
	note("extents", argument.extents.fm_mapped_extents ? 1 : 0);
	argument.extents.fm_flags = 1 << 20;
	note("odd", ioctl(fd, FS_IOC_FIEMAP, &argument));
	argument.number = 0;
	note("FIBMAP", ioctl(fd, FIBMAP, &argument.number));
	note("block", argument.number ? 1 : 0);
}

static void read_watch(int watch)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buffer;
	struct inotify_event *event;
	struct pollfd ready = { .fd = watch, .events = POLLIN };
	ssize_t length, at;

	while (poll(&ready, 1, 0) == 1) {
		length = read(watch, &buffer, sizeof(buffer));
		for (at = 0; at < length; at += sizeof(*event) + event->len) {
			event = (void *)(buffer.bytes + at);
			note_text("name", event->name,
				  event->len ? (long)strlen(event->name) : 0);
			note("event", event->mask);
		}
	}
}

static void watches(int unused)
{
	int watch, fd;
	char byte;

	make("f");
	note("mkdir", mkdir("d", 0755));
	watch = note_fd("inotify", inotify_init1(IN_CLOEXEC));
	note("d", inotify_add_watch(watch, "d", IN_ALL_EVENTS));
	note("f", inotify_add_watch(watch, "f", IN_ALL_EVENTS));
	note("only directories", inotify_add_watch(watch, "f", IN_OPEN |
						   IN_ONLYDIR));
	note("nothing", inotify_add_watch(watch, "none", IN_OPEN));
	note("no event", inotify_add_watch(watch, "f", 0));
	note("secret", inotify_add_watch(watch, "../theirs/secret", IN_OPEN));
	fd = note_fd("open", open("f", O_RDWR));
	note("read", read(fd, &byte, 1));
	note("write", write(fd, "x", 1));
	close(fd);
	make("d/new");
	note("chmod", chmod("d/new", 0600));
	note("rename", rename("d/new", "d/other"));
	note("link", link("f", "d/link"));
	note("unlink", unlink("d/other") | unlink("d/link"));
	note("mkdir", mkdir("d/e", 0755));
	note("rmdir", rmdir("d/e") | rmdir("d"));
	note("unlink", unlink("f"));
	read_watch(watch);
}

static void marks(int unused)
{
	static const unsigned int kinds[] = {
		FAN_CLASS_NOTIF, FAN_CLASS_CONTENT,
		FAN_CLASS_NOTIF | FAN_REPORT_FID,
	};
	static const unsigned int types[] = {
		0, FAN_MARK_MOUNT, FAN_MARK_FILESYSTEM, FAN_MARK_ONLYDIR,
	};
	static const uint64_t masks[] = {
		FAN_OPEN, FAN_CREATE, FAN_OPEN_PERM, FAN_ALL_EVENTS, 0,
	};
	unsigned int k, t, m;
	char what[48];
	int watch;

	make("f");
	for (k = 0; k < 3; k++) {
		watch = note_fd("fanotify", fanotify_init(FAN_CLOEXEC |
							  kinds[k], O_RDONLY));
		for (t = 0; t < 4; t++) {
			for (m = 0; m < 5; m++) {
				snprintf(what, sizeof(what), "%u %u %u", k, t,
					 m);
				note(what, fanotify_mark(watch, FAN_MARK_ADD |
							 types[t], masks[m],
							 AT_FDCWD, "f"));
				fanotify_mark(watch, FAN_MARK_REMOVE |
					      types[t], masks[m], AT_FDCWD,
					      "f");
			}
		}
		close(watch);
	}
}

static void told(int unused)
{
	struct fanotify_event_metadata event;
	int watch, fd;
	char byte;

	make("f");
	watch = note_fd("fanotify", fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK,
						  O_RDONLY));
	note("mark", fanotify_mark(watch, FAN_MARK_ADD, FAN_ACCESS | FAN_OPEN,
				   AT_FDCWD, "f"));
	fd = open("f", O_RDONLY);
	note("read", read(fd, &byte, 1));
	close(fd);
	while (read(watch, &event, sizeof(event)) > 0) {
		note("event", event.mask);
		note_fd("its file", event.fd);
		note_text("contents", &byte, pread(event.fd, &byte, 1, 1));
		close(event.fd);
	}
}

static volatile int signals;

static void count_signal(int unused)
{
	signals++;
}

static void directory_signals(int unused)
{
	int fd;

	note("mkdir", mkdir("d", 0755));
	make("f");
	fd = note_fd("open", open("d", O_RDONLY));
	signals = 0;
	signal(SIGIO, count_signal);
	note("notify", fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT));
	make("d/f");
	note("signals", signals > 0);
	note("of a file", fcntl(open("f", O_RDONLY), F_NOTIFY, DN_CREATE));
	close(fd);
	signal(SIGIO, SIG_DFL);
}

static const struct posix_row rows[] = {
	{ "ioctls on what reads", commands, O_RDONLY, 0 },
	{ "ioctls on what writes", commands, O_RDWR, 0 },
	{ "ioctls on what does neither", commands, O_ACCMODE, 0 },
	{ "ioctls on a directory", commands, O_DIRECTORY, 0 },
	{ "ioctls on a fifo", commands, O_NONBLOCK, 0 },
	{ "no flags", inode_flags, 0, 0 },
	{ "immutable", inode_flags, FS_IMMUTABLE_FL, 0 },
	{ "append only", inode_flags, FS_APPEND_FL, 0 },
	{ "no dump, no atime", inode_flags, FS_NODUMP_FL | FS_NOATIME_FL, 0 },
	{ "odd flags", inode_flags, 0x40000000, 0 },
	{ "FS_IOC_FSSETXATTR", extended_flags, 0, 0 },
	{ "file_setattr", by_path, 0, 0 },
	{ "extents", extents, 0, POSIX_DISK },
	{ "inotify", watches, 0, 0 },
	{ "fanotify marks", marks, 0, 0 },
	{ "fanotify events", told, 0, POSIX_ROOT },
	{ "dnotify", directory_signals, 0, 0 },
};

const struct posix_group posix_command = POSIX_GROUP(rows);
