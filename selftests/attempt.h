/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * attempt - operations on files, tried to see what comes of them.
 *
 * Owns: doing one of them, leaving no descriptor behind, and telling errno.
 * Each returns 0 or an errno value, and can be an actor's part.
 *
 * Must not own: what should come of them.
 */
#ifndef _ATTEMPT_H
#define _ATTEMPT_H

#include <stddef.h>
#include <sys/types.h>

/**
 * attempt_open() - open a file and close it
 * @path: file
 * @flags: of open(2); a file that is created gets mode 0600
 */
int attempt_open(const char *path, long flags);

/**
 * attempt_read() - open a file and read all of it
 * @path: file
 * @unused: nothing
 */
int attempt_read(const char *path, long unused);

/**
 * attempt_read_fd() - read from the beginning of an open file
 * @unused: nothing
 * @fd: file
 */
int attempt_read_fd(const char *unused, long fd);

/**
 * attempt_write_fd() - write to the beginning of an open file
 * @text: what to write
 * @fd: file
 */
int attempt_write_fd(const char *text, long fd);

/**
 * attempt_list() - open a directory and read its names
 * @path: directory
 * @unused: nothing
 */
int attempt_list(const char *path, long unused);

/**
 * attempt_content() - does a file hold what it should?
 * @path: file
 * @content: expected
 *
 * Return: 0; errno; or EBADMSG if it holds something else.
 */
int attempt_content(const char *path, const char *content);

/**
 * attempt_copy() - copy a file and make the copy executable
 * @from: file
 * @to: the copy
 */
int attempt_copy(const char *from, const char *to);

/**
 * attempt_aio() - read or write a file's first byte by io_submit(2)
 * @fd: file
 * @opcode: IOCB_CMD_PREAD or IOCB_CMD_PWRITE
 */
int attempt_aio(int fd, int opcode);

/**
 * attempt_reserve() - let a file have blocks by XFS_IOC_RESVSP
 * @fd: file
 * @length: up to which byte
 */
int attempt_reserve(int fd, off_t length);

/**
 * attempt_move_extents() - let two files change their first block by
 * EXT4_IOC_MOVE_EXT
 * @fd: file
 * @other: another; nothing but the gate looks at whether it may be written
 */
int attempt_move_extents(int fd, int other);

/**
 * attempt_set_acl() - let user 1000 read and write a file
 * @path: file
 */
int attempt_set_acl(const char *path);

/**
 * attempt_set_attributes() - mark a file by file_setattr(2)
 * @path: file
 *
 * Return: 0 or errno, ENOSYS on a kernel that has it as an ioctl only.
 */
int attempt_set_attributes(const char *path);

#ifdef __x86_64__
/**
 * attempt_compat() - a system call as a program of 32 bits does it
 * @number: of the system call
 * @first: argument
 * @second: argument
 * @third: argument, below 4 GiB
 */
int attempt_compat(long number, long first, long second, void *third);
#endif

#endif /* _ATTEMPT_H */
