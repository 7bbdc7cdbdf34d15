// SPDX-License-Identifier: GPL-2.0-only
/*
 * attempt - operations on files, tried to see what comes of them; see
 * attempt.h.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attempt.h"

static int result(long value)
{
	return value < 0 ? errno : 0;
}

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

int attempt_copy(const char *from, const char *to)
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

int attempt_aio(int fd, int opcode)
{
	aio_context_t context = 0;
	char byte = 'x';
	struct iocb request = {
		.aio_lio_opcode = opcode,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)&byte,
		.aio_nbytes = 1,
	};
	struct iocb *requests[] = { &request };
	struct io_event event;
	int err;

	if (syscall(SYS_io_setup, 1, &context))
		return errno;
	err = result(syscall(SYS_io_submit, context, 1, requests));
	if (!err) {
		if (syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
			err = errno;
		else
			err = event.res < 0 ? -event.res : 0;
	}
	syscall(SYS_io_destroy, context);
	return err;
}

int attempt_reserve(int fd, off_t length)
{
	struct {
		int16_t type, whence;
		int64_t start, length;
		int32_t system;
		uint32_t pid;
		int32_t pad[4];
	} space = { .length = length };

	return result(ioctl(fd, _IOW('X', 42, space), &space));
}

int attempt_move_extents(int fd, int other)
{
	struct {
		uint32_t reserved, donor;
		uint64_t from, to, length, moved;
	} move = { .donor = other, .length = 1 };

	return result(ioctl(fd, _IOWR('f', 15, move), &move));
}

int attempt_set_acl(const char *path)
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

	return result(setxattr(path, "system.posix_acl_access", &list,
			       sizeof(list), 0));
}

#ifndef __NR_file_setattr
#define __NR_file_setattr	469
#endif

int attempt_set_attributes(const char *path)
{
	struct {
		uint64_t xflags;
		uint32_t extent_size, extents, project, cow_extent_size;
	} attributes = { .xflags = FS_XFLAG_NOATIME };

	return result(syscall(__NR_file_setattr, AT_FDCWD, path, &attributes,
			      sizeof(attributes), 0));
}

#ifdef __x86_64__
int attempt_compat(long number, long first, long second, void *third)
{
	long value;

	asm volatile("int $0x80" : "=a"(value)
		     : "a"(number), "b"(first), "c"(second), "d"(third)
		     : "memory", "r8", "r9", "r10", "r11");
	return value < 0 ? -value : 0;
}
#endif
