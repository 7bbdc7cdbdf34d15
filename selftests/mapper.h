/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mapper - a process that has a file mapped, and its child.
 *
 * Owns: making a mapping, and trying what is left of it; each is a part of an
 * actor, which has one mapping and one child at most.
 *
 * Must not own: whether it should be left.
 */
#ifndef MAPPER_H
#define MAPPER_H

/* How mapper_map() maps a file. */
#define MAPPER_SHARED_RW	0
#define MAPPER_PRIVATE_READ	1
#define MAPPER_PRIVATE_COPY	2

/*
 * Of mapper_fork()'s child: -1 once it lives, 1 once it was refused. The test
 * provides it, in memory that all of its processes share.
 */
extern volatile int *mapper_refused;

/* Maps the file @path in the way @how, and uses it. */
int mapper_map(const char *path, long how);

int mapper_unmap(const char *unused, long unused_too);

/* Reads it, or writes to it; EFAULT if that was a SIGSEGV. */
int mapper_touch(const char *unused, long write);

/* Tries all ways back to what was ended; 0 if there is none. */
int mapper_reopen(const char *unused, long unused_too);

/* As who follows by soft means which pages it writes. */
int mapper_register(const char *unused, long unused_too);

/* Makes a child that looks at the mapping until it is refused. */
int mapper_fork(const char *path, long maps_itself);

int mapper_child_lives(const char *unused, long unused_too);
int mapper_reap(const char *unused, long unused_too);

#endif
