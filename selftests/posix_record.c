// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_record - what rows write their records with; see posix.h.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix.h"

/* Times that make() gives; nothing else is as old. */
#define OLD_ACCESS	1000
#define OLD_CHANGE	2000

struct posix_record *posix_now;

__attribute__((format(printf, 1, 2)))
static void record(const char *format, ...)
{
	unsigned int room = sizeof(posix_now->text) - posix_now->length;
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(posix_now->text + posix_now->length, room, format,
			   list);
	va_end(list);
	/* A record that is full is cut at the same place in each run. */
	if (length >= 0 && (unsigned int)length < room)
		posix_now->length += length;
	else
		posix_now->text[posix_now->length] = '\0';
}

long note(const char *what, long value)
{
	int err = errno;

	if (value < 0)
		record("%s=%s\n", what, strerrorname_np(err) ?: "?");
	else
		record("%s=%ld\n", what, value);
	errno = err;
	return value;
}

int note_fd(const char *what, int fd)
{
	note(what, fd < 0 ? -1 : 0);
	return fd;
}

void note_text(const char *what, const void *bytes, long length)
{
	const unsigned char *byte = bytes;
	long i;

	if (length < 0) {
		note(what, length);
		return;
	}
	record("%s=%ld \"", what, length);
	for (i = 0; i < length && i < 64; i++)
		record(byte[i] < ' ' || byte[i] > '~' ? "\\%02x" : "%c",
		       byte[i]);
	record("\"\n");
}

static void see_contents(const char *path)
{
	char bytes[32];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);

	/* Only who owns a file may leave its time alone. */
	if (fd < 0 && errno == EPERM)
		fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	note_text(path, bytes, fd < 0 ? -1 : read(fd, bytes, sizeof(bytes)));
	if (fd >= 0)
		close(fd);
}

void see(const char *path)
{
	struct stat info;

	if (lstat(path, &info)) {
		note(path, -1);
		return;
	}
	record("%s=mode %o links %u owner %u:%u%s%s", path, info.st_mode,
	       (unsigned int)info.st_nlink, info.st_uid, info.st_gid,
	       info.st_atime == OLD_ACCESS ? " old atime" : "",
	       info.st_mtime == OLD_CHANGE ? " old mtime" : "");
	if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
		record(" device %lx", (unsigned long)info.st_rdev);
	if (!S_ISDIR(info.st_mode))
		record(" size %ld", (long)info.st_size);
	record("\n");
	if (S_ISREG(info.st_mode))
		see_contents(path);
}

void make(const char *path)
{
	const struct timespec times[2] = {
		{ .tv_sec = OLD_ACCESS }, { .tv_sec = OLD_CHANGE },
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, "0123456789", 10) != 10 ||
	    futimens(fd, times))
		note(path, -1);
	if (fd >= 0)
		close(fd);
}

void in_child(const char *what, int (*go)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(go());
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		note(what, -1);
		return;
	}
	if (WIFEXITED(status))
		record("%s=exit %d\n", what, WEXITSTATUS(status));
	else
		record("%s=signal %d%s\n", what, WTERMSIG(status),
		       WCOREDUMP(status) ? ", dumped" : "");
}

static void remove_in(int at)
{
	struct dirent *entry;
	DIR *dir = fdopendir(at);
	int fd;

	while (dir && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (!unlinkat(at, entry->d_name, 0))
			continue;
		fd = openat(at, entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			remove_in(fd);
		unlinkat(at, entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
	else
		close(at);
}

void empty(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		remove_in(fd);
}

void posix_scene(void)
{
	mode_t mask = umask(0);

	note("mkdir", mkdir("theirs", 0755) | mkdir("theirs/d", 0755) |
	     mkdir("theirs/sticky", 01777));
	make("theirs/f");
	make("theirs/secret");
	make("theirs/sticky/f");
	note("chmod", chmod("theirs/secret", 0600));
	umask(mask);
}
