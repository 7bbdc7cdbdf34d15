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

#endif /* _ATTEMPT_H */
