/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the file or subtree that a grant is for.
 *
 * Owns: the way from a path inside a volume to a held inode, and the question
 * whether one lies beneath another, answered by inodes and not by names.
 *
 * Must not own: opening anything for reading. O_PATH is all the agent ever has
 * of a tenant's files: it does not go through the gate, so the agent cannot
 * wait for itself.
 */
#ifndef _TRUSTEED_OBJECT_H
#define _TRUSTEED_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "refusal.h"

enum object_wish {
	OBJECT_AS_IT_IS,	/* a directory with all beneath it, else the file */
	OBJECT_SUBTREE,		/* must be a directory */
	OBJECT_ONE_INODE,	/* a directory only as such, without its entries */
};

/**
 * struct object - what a path inside a volume stands for
 * @fd: O_PATH descriptor
 * @parent_fd: O_PATH descriptor of the directory it was found in; that of the
 *	object itself for a directory
 * @kind: enum trustgate_object_kind
 * @directory: it is one
 * @path: normalised path
 */
struct object {
	int fd;
	int parent_fd;
	uint32_t kind;
	bool directory;
	char *path;
};

/**
 * object_resolve() - find an object
 * @root_fd: O_PATH descriptor of the volume's root
 * @path: relative to it; checked by config_path_check()
 * @wish: what kind it shall be
 * @ret_object: to be released with object_close()
 * @refusal: filled on failure
 *
 * Neither a symbolic link nor a mount point may be on the way.
 *
 * Return: 0, -EINVAL for a path that cannot be one, -ENOENT, -ENOTDIR, -ELOOP
 * for a symbolic link, -EXDEV for a mount point, or an error of openat2(2).
 */
int object_resolve(int root_fd, const char *path, enum object_wish wish,
		   struct object *ret_object, struct refusal *refusal);

void object_close(struct object *object);

/**
 * object_beneath() - whether an object is a path's or lies beneath it
 * @root_fd: O_PATH descriptor of the volume's root
 * @object: resolved from @root_fd
 * @path: of the rule, relative to the volume's root
 *
 * Walks from the object's directory up to the volume's root and compares
 * inodes, so neither spelling nor a link can lead out of @path.
 *
 * Return: 1, 0 (also if @path does not exist), or -errno.
 */
int object_beneath(int root_fd, const struct object *object, const char *path);

#endif
