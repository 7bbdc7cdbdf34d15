// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_open - rows: opening files and directories in every way.
 *
 * Owns: open(2) and its relatives, O_PATH, O_TMPFILE, file handles, reading
 * directories.
 *
 * Must not own: what is done with an open file (posix_io.c).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "posix.h"

static void make_targets(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "s" };
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("symlink", symlink("f", "to-f") | symlink("d", "to-d") |
	     symlink("gone", "to-none") | symlink("loop", "loop"));
	note("mkfifo", mkfifo("p", 0644));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	note("bind", bind(fd, (struct sockaddr *)&address, sizeof(address)));
	close(fd);
}

/* All combinations of what decides about the name, in one access mode. */
static void open_all(int mode)
{
	static const int flags[] = {
		O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_PATH,
	};
	static const char *const targets[] = {
		"f", "d", "none", "to-f", "to-d", "to-none", "loop", "p", "s",
		"f/x", "none/x",
	};
	const unsigned int bits = sizeof(flags) / sizeof(*flags);
	unsigned int t, mask, bit;
	struct stat info;
	char what[32];
	int fd, use;

	make_targets();
	for (t = 0; t < sizeof(targets) / sizeof(*targets); t++) {
		for (mask = 0; mask < 1U << bits; mask++) {
			use = mode | O_NONBLOCK | O_CLOEXEC;
			for (bit = 0; bit < bits; bit++)
				use |= mask & 1U << bit ? flags[bit] : 0;
			snprintf(what, sizeof(what), "%s %x", targets[t], mask);
			fd = note_fd(what, open(targets[t], use, 0640));
			if (fd < 0)
				continue;
			close(fd);
			if (use & O_TRUNC && !stat("f", &info) &&
			    !info.st_size) {
				note("truncated", 0);
				make("f");
			}
			if (use & O_CREAT &&
			    !(unlink("none") & unlink("gone")))
				note("created", 0);
		}
	}
}

static void open_flags(int unused)
{
	static const struct {
		const char *name;
		int flag;
	} flags[] = {
		{ "append", O_APPEND }, { "async", O_ASYNC },
		{ "dsync", O_DSYNC }, { "sync", O_SYNC },
		{ "direct", O_DIRECT }, { "largefile", 0100000 },
		{ "noatime", O_NOATIME }, { "noctty", O_NOCTTY },
		{ "nonblock", O_NONBLOCK }, { "unknown", 0x20000000 },
		{ "tmpfile", O_TMPFILE },
	};
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const char *const targets[] = { "f", "d", "../theirs/f" };
	unsigned int f, m, t;
	char what[64];
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	for (t = 0; t < 3; t++) {
		for (f = 0; f < sizeof(flags) / sizeof(*flags); f++) {
			for (m = 0; m < 3; m++) {
				snprintf(what, sizeof(what), "%s %s %d",
					 targets[t], flags[f].name, modes[m]);
				fd = note_fd(what, open(targets[t], modes[m] |
							flags[f].flag, 0600));
				if (fd < 0)
					continue;
				strcat(what, " getfl");
				note(what, fcntl(fd, F_GETFL));
				close(fd);
			}
		}
	}
}

static void create_modes(int unused)
{
	static const mode_t modes[] = { 0, 0400, 0644, 0777, 01777, 06755 };
	static const mode_t masks[] = { 0, 022, 0777 };
	unsigned int i, j;
	char name[32];
	int fd;

	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		for (j = 0; j < 3; j++) {
			umask(masks[j]);
			snprintf(name, sizeof(name), "f%o-%o", modes[i],
				 masks[j]);
			fd = note_fd("creat", creat(name, modes[i]));
			/* The mode does not bind who made it. */
			note("write", write(fd, "x", 1));
			close(fd);
			see(name);
		}
	}
	umask(022);
	note_fd("creat below a file", creat("f0-0/x", 0600));
	note_fd("creat of another's", creat("../theirs/new", 0600));
	note("unlink", unlink("../theirs/new"));
	note_fd("truncate another's", open("../theirs/f", O_WRONLY | O_TRUNC));
	note_fd("another's secret", open("../theirs/secret", O_RDONLY));
}

static void open_at(int unused)
{
	char text[16];
	int dir, file, path, fd;

	make("f");
	note("mkdir", mkdir("d", 0755) | mkdir("d/e", 0755));
	make("d/g");
	dir = note_fd("open d", open("d", O_RDONLY | O_DIRECTORY));
	file = note_fd("open f", open("f", O_RDWR));
	path = note_fd("path of d", open("d", O_PATH));
	fd = note_fd("openat g", openat(dir, "g", O_RDONLY));
	note_text("read g", text, read(fd, text, sizeof(text)));
	close(fd);
	note_fd("openat by a path", openat(path, "g", O_RDWR));
	note_fd("openat of ..", openat(dir, "../f", O_RDONLY));
	note_fd("openat of a file", openat(file, "g", O_RDONLY));
	note_fd("openat of nothing", openat(-1, "g", O_RDONLY));
	note_fd("openat creates", openat(dir, "h", O_CREAT | O_WRONLY, 0600));
	see("d/h");
	note("fchdir", fchdir(path));
	see("g");
	note("fchdir to a file", fchdir(file));
	note("chdir to a file", chdir("g"));
	note("chdir to nothing", chdir("none"));
	note("chdir up", chdir(".."));
	note_fd("no name", open("", O_RDONLY));
	note_fd("no memory", open((char *)1, O_RDONLY));
	note_fd("/.", open("f/.", O_RDONLY));
	note_fd("slash", open("f/", O_RDONLY));
	note_fd("slash, new", open("new/", O_CREAT | O_WRONLY, 0600));
	note_fd("directory, to write", open("d", O_WRONLY));
	note_fd("directory and slash", open("d/", O_RDONLY));
	note_fd("up and down", open("d/e/../../f", O_RDONLY));
}

static void open_resolve(int unused)
{
	static const uint64_t resolve[] = {
		0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS,
		RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV, 1ULL << 40,
	};
	static const char *const names[] = {
		"f", "../theirs/f", "/f", "to-f", "to-up", "/proc/self/fd/0",
		"/etc/passwd",
	};
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };
	unsigned int i, j;
	char what[64];

	make("f");
	note("symlink", symlink("f", "to-f") | symlink("../theirs/f", "to-up"));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (j = 0; j < sizeof(resolve) / sizeof(*resolve); j++) {
			how.resolve = resolve[j];
			snprintf(what, sizeof(what), "%s %u", names[i], j);
			note_fd(what, syscall(SYS_openat2, AT_FDCWD, names[i],
					      &how, sizeof(how)));
		}
	}
	how.resolve = 0;
	how.mode = 0600;
	note_fd("mode without creat", syscall(SYS_openat2, AT_FDCWD, "f", &how,
					      sizeof(how)));
	note_fd("short", syscall(SYS_openat2, AT_FDCWD, "f", &how, 8));
}

static void long_names(int unused)
{
	char name[PATH_MAX + 2], path[32];
	int i;

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	note_fd("256", open(name, O_CREAT | O_WRONLY, 0600));
	note("mkdir 256", mkdir(name, 0700));
	note("stat 256", access(name, F_OK));
	name[255] = '\0';
	note_fd("255", open(name, O_CREAT | O_WRONLY, 0600));
	note("unlink 255", unlink(name));
	note("mkdir 255", mkdir(name, 0700));
	note("rmdir 255", rmdir(name));
	memset(name, '/', sizeof(name));
	name[0] = '.';
	name[PATH_MAX] = '\0';
	note_fd("longest path and one", open(name, O_RDONLY));
	name[PATH_MAX - 1] = '\0';
	note_fd("longest path", open(name, O_RDONLY));
	make("0");
	for (i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(path, sizeof(path), "%d", i + 1);
		if (symlink(name, path))
			note(path, -1);
	}
	note_fd("40 links", open("40", O_RDONLY));
	note_fd("41 links", open("41", O_RDONLY));
}

static void path_only(int unused)
{
	char name[64], byte;
	struct stat info;
	int fd, link;

	make("f");
	note("symlink", symlink("f", "to-f"));
	fd = note_fd("open", open("f", O_PATH));
	link = note_fd("open link", open("to-f", O_PATH | O_NOFOLLOW));
	note("read", read(fd, &byte, 1));
	note("write", write(fd, "x", 1));
	note("lseek", lseek(fd, 0, SEEK_SET));
	note("fstat", fstat(fd, &info) ?: info.st_size);
	note("fstat link", fstat(link, &info) ?: (long)(info.st_mode & S_IFMT));
	note("fchmod", fchmod(fd, 0600));
	note("fchown", fchown(fd, -1, -1));
	note("ftruncate", ftruncate(fd, 1));
	note("futimens", futimens(fd, NULL));
	note("readlinkat", readlinkat(link, "", name, sizeof(name)));
	note("linkat", linkat(fd, "", AT_FDCWD, "by-path", AT_EMPTY_PATH));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	note_fd("again to read", open(name, O_RDONLY));
	note_fd("again to write", open(name, O_RDWR));
	note("chmod of it", chmod(name, 0640));
	note("dup", dup(fd) < 0 ? -1 : 0);
	see("f");
}

static void unnamed(int unused)
{
	static const int flags[] = {
		O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_EXCL,
		O_RDWR | O_CREAT, O_RDWR | O_APPEND,
	};
	char what[32], name[64], text[16];
	unsigned int i;
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		snprintf(what, sizeof(what), "flags %u", i);
		fd = note_fd(what, open("d", O_TMPFILE | flags[i], 0640));
		if (fd < 0)
			continue;
		note("write", write(fd, "bytes", 5));
		note_text("pread", text, pread(fd, text, sizeof(text), 0));
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		note_fd("again", open(name, O_RDONLY));
		note("link", linkat(AT_FDCWD, name, AT_FDCWD, "linked",
				    AT_SYMLINK_FOLLOW));
		note("link once more", linkat(AT_FDCWD, name, AT_FDCWD, "twice",
					      AT_SYMLINK_FOLLOW));
		see("linked");
		note("unlink", unlink("linked") & unlink("twice"));
		close(fd);
	}
	note_fd("in a file", open("f", O_TMPFILE | O_RDWR, 0600));
	note_fd("in nothing", open("none", O_TMPFILE | O_RDWR, 0600));
	note_fd("of another's", open("../theirs", O_TMPFILE | O_RDWR, 0600));
}

static void unlinked(int unused)
{
	char name[64], text[16];
	struct stat info;
	int fd, dir;

	make("f");
	note("mkdir", mkdir("d", 0755));
	fd = note_fd("open", open("f", O_RDWR));
	dir = note_fd("open d", open("d", O_RDONLY));
	note("unlink", unlink("f"));
	note("rmdir", rmdir("d"));
	note("write", pwrite(fd, "X", 1, 0));
	note_text("read", text, pread(fd, text, sizeof(text), 0));
	note("links", fstat(fd, &info) ?: (long)info.st_nlink);
	note("ftruncate", ftruncate(fd, 3));
	note("fchmod", fchmod(fd, 0600));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	note_fd("again", open(name, O_RDWR));
	note("link again", linkat(AT_FDCWD, name, AT_FDCWD, "back",
				  AT_SYMLINK_FOLLOW));
	note_fd("create in what is gone", openat(dir, "x", O_CREAT | O_RDWR,
						 0600));
	note("fchdir to it", fchdir(dir));
	note("mkdir in it", mkdir("x", 0755));
	note("where", syscall(SYS_getcwd, name, sizeof(name)) > 0 ? 0 : -1);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(const char *what, DIR *dir)
{
	char *names[64];
	struct dirent *entry;
	int count = 0, i;

	while (dir && count < 64 && (entry = readdir(dir))) {
		if (asprintf(&names[count], "%s type %u", entry->d_name,
			     entry->d_type) < 0)
			return;
		count++;
	}
	qsort(names, count, sizeof(*names), by_name);
	note(what, count);
	for (i = 0; i < count; i++) {
		note_text(what, names[i], strlen(names[i]));
		free(names[i]);
	}
}

static void directories(int unused)
{
	char bytes[1024], name[16];
	int i, fd, file;
	DIR *dir;

	make_targets();
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "d/%d", i);
		make(name);
	}
	dir = opendir("d");
	note("opendir", dir ? 0 : -1);
	list("names", dir);
	rewinddir(dir);
	note("unlink", unlink("d/3"));
	list("again", dir);
	closedir(dir);
	dir = opendir(".");
	list("here", dir);
	closedir(dir);
	fd = note_fd("open", open("d", O_RDONLY));
	file = note_fd("open f", open("f", O_RDONLY));
	note("getdents of a file", syscall(SYS_getdents64, file, bytes,
					   sizeof(bytes)));
	note("getdents, no room", syscall(SYS_getdents64, fd, bytes, 4));
	note("read of a directory", read(fd, bytes, sizeof(bytes)));
	note("pread of it", pread(fd, bytes, sizeof(bytes), 0));
	note("write to it", write(fd, bytes, 1));
	note("seek in it", lseek(fd, 0, SEEK_SET));
	note("ftruncate it", ftruncate(fd, 0));
	note("fsync it", fsync(fd));
	note("opendir of a file", opendir("f") ? 0 : -1);
	note("opendir of nothing", opendir("none") ? 0 : -1);
	note("closed to others", chmod("d", 0));
	note("opendir without mode", opendir("d") ? 0 : -1);
	note_fd("open below", open("d/1", O_RDONLY));
	note("opened again", chmod("d", 0755));
}

static union {
	struct file_handle handle;
	unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} by;

static void handles(int unused)
{
	int mount, here, fd;
	char text[16];

	make("f");
	note("mkdir", mkdir("d", 0755));
	here = note_fd("open .", open(".", O_RDONLY));
	by.handle.handle_bytes = 0;
	note("no room", name_to_handle_at(AT_FDCWD, "f", &by.handle, &mount, 0));
	by.handle.handle_bytes = MAX_HANDLE_SZ;
	note("name", name_to_handle_at(AT_FDCWD, "f", &by.handle, &mount, 0));
	fd = note_fd("open", open_by_handle_at(here, &by.handle, O_RDWR));
	note_text("read", text, fd < 0 ? -1 : read(fd, text, sizeof(text)));
	close(fd);
	note_fd("path", open_by_handle_at(here, &by.handle, O_PATH));
	by.handle.f_handle[0] ^= 0xff;
	note_fd("damaged", open_by_handle_at(here, &by.handle, O_RDONLY));
	by.handle.handle_bytes = MAX_HANDLE_SZ;
	note("name d", name_to_handle_at(AT_FDCWD, "d", &by.handle, &mount, 0));
	note_fd("open d", open_by_handle_at(here, &by.handle, O_RDONLY));
	note_fd("d to write", open_by_handle_at(here, &by.handle, O_WRONLY));
	note("rmdir", rmdir("d"));
	by.handle.handle_bytes = MAX_HANDLE_SZ;
	note("name f", name_to_handle_at(AT_FDCWD, "f", &by.handle, &mount, 0));
	note("unlink", unlink("f"));
	note_fd("stale", open_by_handle_at(here, &by.handle, O_RDONLY));
	note("nothing", name_to_handle_at(AT_FDCWD, "none", &by.handle, &mount,
					  0));
}

/* What is found by its handle alone has no name until it is looked up. */
static void handle_uncached(int unused)
{
	int mount, here, drop;

	note("mkdir", mkdir("d", 0755));
	make("d/f");
	here = note_fd("open .", open(".", O_RDONLY));
	by.handle.handle_bytes = MAX_HANDLE_SZ;
	note("name", name_to_handle_at(AT_FDCWD, "d/f", &by.handle, &mount, 0));
	sync();
	drop = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	note("drop", write(drop, "2", 1));
	close(drop);
	note_fd("open", open_by_handle_at(here, &by.handle, O_RDONLY));
	see("d/f");
	note_fd("open when named", open_by_handle_at(here, &by.handle,
						     O_RDONLY));
}

static const struct posix_row rows[] = {
	{ "open to read, all flags", open_all, O_RDONLY, 0 },
	{ "open to write, all flags", open_all, O_WRONLY, 0 },
	{ "open for both, all flags", open_all, O_RDWR, 0 },
	{ "open for ioctls, all flags", open_all, O_ACCMODE, 0 },
	{ "open, one flag", open_flags, 0, 0 },
	{ "creat and umask", create_modes, 0, 0 },
	{ "openat", open_at, 0, 0 },
	{ "openat2", open_resolve, 0, 0 },
	{ "long names and many links", long_names, 0, 0 },
	{ "O_PATH", path_only, 0, 0 },
	{ "O_TMPFILE", unnamed, 0, 0 },
	{ "unlinked files", unlinked, 0, 0 },
	{ "directories", directories, 0, 0 },
	{ "file handles", handles, 0, 0 },
	{ "file handle of what is not cached", handle_uncached, 0,
	  POSIX_ROOT | POSIX_DISK },
};

const struct posix_group posix_open = POSIX_GROUP(rows);
