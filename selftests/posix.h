/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * posix - rows of filesystem operations, and how they say what came of them.
 *
 * Owns: what a row is, and the record that it writes: lines of what was done
 * and its outcome, in which two runs on like filesystems must not differ. So
 * no inode numbers, times, sizes of directories, or order of names.
 *
 * Must not own: the rows (posix_*.c, by subject), running and comparing them
 * (posix_test.c), the gate.
 *
 * Each row is run in an empty directory of its own, which is removed after it.
 * Beside it are, in "..": what belongs to root (see posix_scene()).
 */
#ifndef POSIX_H
#define POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where a row is run; without any, everywhere. */
#define POSIX_ROOT	0x1	/* only as root */
#define POSIX_DISK	0x2	/* not on tmpfs */

#define POSIX_RECORD	16384

/**
 * struct posix_row - operations that belong together
 * @name: unique
 * @go: does them, and notes what came of them
 * @argument: handed to @go
 * @where: mask of POSIX_*
 */
struct posix_row {
	const char *name;
	void (*go)(int argument);
	int argument;
	unsigned int where;
};

/**
 * struct posix_group - the rows on a subject
 * @rows: them
 * @count: how many
 */
struct posix_group {
	const struct posix_row *rows;
	size_t count;
};

#define POSIX_GROUP(list)						\
	{ .rows = (list), .count = sizeof(list) / sizeof(*(list)) }

extern const struct posix_group posix_open, posix_program, posix_name;
extern const struct posix_group posix_rename, posix_io, posix_map, posix_attr;
extern const struct posix_group posix_command, posix_lock, posix_mount;

/**
 * struct posix_record - what a row had to say
 * @length: of @text
 * @text: lines "what=outcome"
 */
struct posix_record {
	unsigned int length;
	char text[POSIX_RECORD];
};

/* The record of the row that runs; memory that forked processes share. */
extern struct posix_record *posix_now;

/**
 * note() - record the result of a system call
 * @what: was called, unique in its row
 * @value: as it returned it; if that is negative, errno is recorded
 *
 * Return: @value.
 */
long note(const char *what, long value);

/**
 * note_fd() - record whether there is a descriptor, but not its number
 * @what: was called
 * @fd: what it returned
 *
 * Return: @fd.
 */
int note_fd(const char *what, int fd);

/**
 * note_text() - record bytes
 * @what: they are
 * @bytes: them
 * @length: negative for an error in errno
 */
void note_text(const char *what, const void *bytes, long length);

/**
 * see() - record what there is under a name: type, mode, links, owner,
 * size and first bytes of a file, whether times are those of make()
 * @path: name
 */
void see(const char *path);

/**
 * make() - make a file with the contents "0123456789" and times long ago
 * @path: name
 */
void make(const char *path);

/**
 * in_child() - have a forked process do something and record how it ended
 * @what: it does
 * @go: done in the process; returns its exit status
 */
void in_child(const char *what, int (*go)(void));

/**
 * empty() - remove all that is in the current directory
 */
void empty(void);

/**
 * posix_scene() - make what rows find in "..", as root
 *
 * Directory "theirs" (0755) with a file "f" (0644), a file "secret" (0600), an
 * empty directory "d" and a sticky directory "sticky" (01777) with a file "f".
 */
void posix_scene(void);

#endif /* POSIX_H */
