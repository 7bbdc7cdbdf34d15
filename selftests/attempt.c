// SPDX-License-Identifier: GPL-2.0-only
/*
 * attempt - operations on files, tried to see what comes of them; see
 * attempt.h.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"

int attempt_open(const char *path, long flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int attempt_read(const char *path, long unused)
{
	char buffer[4096];
	ssize_t got;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	do {
		got = read(fd, buffer, sizeof(buffer));
	} while (got > 0);
	err = got < 0 ? errno : 0;
	close(fd);
	return err;
}

int attempt_read_fd(const char *unused, long fd)
{
	char byte;

	return pread(fd, &byte, 1, 0) < 0 ? errno : 0;
}

int attempt_write_fd(const char *text, long fd)
{
	return pwrite(fd, text, strlen(text), 0) < 0 ? errno : 0;
}

int attempt_list(const char *path, long unused)
{
	DIR *dir = opendir(path);
	int err;

	if (!dir)
		return errno;
	errno = 0;
	while (readdir(dir))
		;
	err = errno;
	closedir(dir);
	return err;
}

int attempt_content(const char *path, const char *content)
{
	const size_t length = strlen(content);
	char buffer[4096];
	ssize_t got;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	got = read(fd, buffer, sizeof(buffer));
	err = got < 0 ? errno : 0;
	close(fd);
	if (!err && ((size_t)got != length || memcmp(buffer, content, length)))
		err = EBADMSG;
	return err;
}
