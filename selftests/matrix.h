/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * matrix - the table of routes to a volume's bytes, names and attributes.
 *
 * Owns: what a row of the table is, and what all rows have at hand.
 *
 * Must not own: the rows (matrix_*.c, by subject), or trying them under each
 * condition (matrix_test.c).
 *
 * Documentation/security/trustgate-matrix.rst is made from these rows and from
 * what matrix_test says about them: after a change of a row, run make matrix.
 * For its sake .name, .hook and .also stand in one line of the source each, and
 * no text of a row contains a quote.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate.h"

struct io_uring_sqe;

/* Filesystems; a row without any is for all. */
#define MATRIX_EXT4	0x1
#define MATRIX_XFS	0x2
#define MATRIX_TMPFS	0x4
#define MATRIX_BTRFS	0x8
#define MATRIX_DEVICE	(MATRIX_EXT4 | MATRIX_XFS | MATRIX_BTRFS)
#define MATRIX_REFLINK	(MATRIX_XFS | MATRIX_BTRFS)

#define MATRIX_NEEDS	6

/**
 * struct matrix_need - one right that a route needs
 * @path: object, relative to the volume's root; NULL ends a list
 * @access: mask of GATE_*
 * @kind: enum trustgate_object_kind
 */
struct matrix_need {
	const char *path;
	uint32_t access;
	uint32_t kind;
};

#define MATRIX_FILE(path, access)					\
	{ path, access, TRUSTGATE_OBJECT_KIND_FILE }
#define MATRIX_TREE(path, access)					\
	{ path, access, TRUSTGATE_OBJECT_KIND_SUBTREE }

/**
 * struct matrix_route - a row
 * @name: of the route, unique
 * @hook: what closes it, as events name it; "" for an open one
 * @also: test with finer cases on the same subject, or ""
 * @needs: rights that open it; none for a route that no grant opens
 * @prepare: done beforehand by a process that may do anything on the volume;
 *	what it opens, the route's process inherits; may be NULL. 0 or errno;
 *	ENOSYS if this kernel has no such thing
 * @go: tries the route, in a process of its own. 0 or errno
 * @undo: takes away what @prepare made outside of the scene; may be NULL
 * @by_maker: it is the process that did @prepare to which the gate denies it
 * @on: mask of filesystems, 0 for all
 * @done: what @go returns where the gate does not interfere
 * @denied: what it returns where it does, 0 for EACCES
 * @open: why it is open today; NULL for a row that is closed
 * @closed_by: what else closes it
 */
struct matrix_route {
	const char *name;
	const char *hook;
	const char *also;
	struct matrix_need needs[MATRIX_NEEDS];
	int (*prepare)(void);
	int (*go)(void);
	void (*undo)(void);
	bool by_maker;
	unsigned int on;
	int done;
	int denied;
	const char *open;
	const char *closed_by;
};

/**
 * struct matrix_group - rows on one subject
 * @title: of the subject
 * @routes: rows
 * @count: of @routes
 */
struct matrix_group {
	const char *title;
	const struct matrix_route *routes;
	size_t count;
};

#define MATRIX_GROUP(subject, rows)					\
	{								\
		.title = subject, .routes = rows,			\
		.count = sizeof(rows) / sizeof(*(rows)),		\
	}

extern const struct matrix_group matrix_opens;
extern const struct matrix_group matrix_kernel;
extern const struct matrix_group matrix_fuse;
extern const struct matrix_group matrix_passing;
extern const struct matrix_group matrix_processes;
extern const struct matrix_group matrix_io;
extern const struct matrix_group matrix_rings;
extern const struct matrix_group matrix_memory;
extern const struct matrix_group matrix_names;
extern const struct matrix_group matrix_attributes;
extern const struct matrix_group matrix_ioctls;
extern const struct matrix_group matrix_mounts;
extern const struct matrix_group matrix_devices;
extern const struct matrix_group matrix_btrfs;
extern const struct matrix_group matrix_open_rows;

/*
 * The scene, made anew for each trial in the volume's root, which is the
 * current directory:
 *
 *	db/a, db/b	files of SCENE_BYTES, with SCENE_XATTR and an ACL
 *	db/link		symbolic link to a
 *	db/true		program
 *	db/empty/	empty directory
 *	db/sub/c	file
 *	other/x		file
 *	elsewhere/y	file, that no route is about
 *
 * On btrfs there are also, made once:
 *
 *	kept/one/	subvolume
 *	kept/one/f	SCENE_SECRET
 *	kept/snap/	its snapshot, read-only: all in it has the same numbers,
 *			and no route is about it
 */
#define SCENE_BYTES	8192
#define SCENE_XATTR	"user.selftest"
#define SCENE_ACL	"system.posix_acl_access"
/* Few enough to be kept among the metadata. */
#define SCENE_SECRET	"a tenant's secret"

/* Where a route may make what is not on the volume. */
#define SCENE_PLACE	DISK_MOUNTS "/elsewhere"

/**
 * struct matrix_scene - what a trial has at hand
 * @disk: the volume's filesystem
 * @part: a partition of the device, in the midst of the filesystem
 * @raw: the device, opened for reading before there was a gate, or -1
 * @below: likewise the second disk, which stands in for a device further below
 * @loop: a loop device over a file, set up before there was a gate; to be read
 *	past the cache
 * @fd: db/a, open for reading and writing, if the row's prepare is
 *	scene_files() or calls it
 * @other: db/b, likewise
 * @extra: for a row's own use; closed after the trial, as the others are
 * @map: SCENE_BYTES of db/a, mapped; unmapped after the trial
 * @pid: process that a row has started; killed after the trial
 */
struct matrix_scene {
	const struct disk *disk;
	char part[80];
	int raw;
	int below;
	int loop;
	int fd;
	int other;
	int extra[2];
	char *map;
	int pid;
};

extern struct matrix_scene scene;

/**
 * scene_first() - make what all trials on a filesystem share
 * @disk: mounted and current directory; not protected yet
 *
 * Return: 0 or errno.
 */
int scene_first(const struct disk *disk);

/**
 * scene_last() - let go of what scene_first() has made on the filesystem
 */
void scene_last(void);

/**
 * scene_after() - the same for its disk, once the volume is released
 */
void scene_after(void);

/**
 * scene_make() - put everything in its place
 *
 * Return: 0 or errno.
 */
int scene_make(void);

/**
 * scene_over() - close, unmap and end what the trial has left
 */
void scene_over(void);

/**
 * scene_files() - open @fd and @other; a row's prepare
 *
 * Return: 0 or errno.
 */
int scene_files(void);

/**
 * scene_reader() - open @fd for reading alone; a row's prepare
 *
 * Return: 0 or errno.
 */
int scene_reader(void);

/**
 * scene_directory() - have @fd be db, open for reading; a row's prepare
 *
 * Return: 0 or errno.
 */
int scene_directory(void);

/**
 * scene_load() - have a module, which nothing else may load here
 * @module: its name, kept
 *
 * Return: 0, or ENOSYS if this kernel has none of that name.
 */
int scene_load(const char *module);

/**
 * scene_compat() - room that a program of 32 bits could use
 *
 * Return: 4096 bytes, or NULL where the kernel runs no such programs.
 */
void *scene_compat(void);

/**
 * scene_ring() - have a new ring do one thing
 * @prepare: says what
 *
 * Return: 0 or errno; ENOSYS if the kernel has no such operation.
 */
int scene_ring(void (*prepare)(struct io_uring_sqe *sqe));

/**
 * scene_holder() - start a process that has @fd open, too; a row's prepare
 *
 * Return: 0 or errno.
 */
int scene_holder(void);

/**
 * scene_attach() - set up a loop device, which ends when it is closed
 * @device: result, a descriptor, or -1
 * @fd: the file
 *
 * Return: 0 or errno.
 */
int scene_attach(int *device, int fd);

/**
 * scene_result() - of a system call
 * @value: what it returned
 *
 * Return: 0 or errno.
 */
int scene_result(long value);

#endif /* MATRIX_H */
