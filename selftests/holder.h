/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holder - a process that a grant gives bytes to, and ways to look into it.
 *
 * Owns: the two, and the filesystem with the bytes.
 *
 * Must not own: when a look should succeed.
 */
#ifndef HOLDER_H
#define HOLDER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "actor.h"
#include "gate.h"

#define HOLDER_FILE	"db/bytes"
#define HOLDER_BYTES	"the tenant's"
/* On the volume; waits. */
#define HOLDER_PROGRAM	"db/sleep"

/* After this an attempt to attach is forgotten. */
#define HOLDER_SETTLED_NS (5 * GATE_SECOND_NS / 4)

#define HOLDER_SHARED_SIZE 8192

/**
 * struct holder_shared - memory that a process shares with its children only
 * @bytes: what the holder has read
 * @pid: answer of a part: process or thread that it has made
 * @result: answer of a thread
 */
struct holder_shared {
	char bytes[4096];
	atomic_int pid;
	atomic_int result;
};

/* Where the holder has its bytes; everything is forked from one process. */
extern char holder_memory[64];
extern struct holder_shared *holder_shared;

/**
 * struct holders - who is looked at
 * @volume: tmpfs, protected, with HOLDER_FILE and HOLDER_PROGRAM
 * @holder: to have a grant
 * @stranger: to have none
 */
struct holders {
	struct volume volume;
	struct actor holder;
	struct actor stranger;
};

/**
 * holder_open() - make the volume and start both
 * @gate: open
 * @holders: filled
 *
 * Return: 0 or -errno.
 */
int holder_open(struct gate *gate, struct holders *holders);

#define HOLDER_GRANT(access)						\
	gate_grant_file(&self->gate, &self->at.volume, self->at.holder.pid, \
			HOLDER_FILE, access)
#define HOLDER_TAKE()							\
	actor_do(&self->at.holder, holder_take, HOLDER_FILE, 0)
#define HOLDER_DENIALS()						\
	volume_count(&self->gate, &self->at.volume, TRUSTGATE_CAUSE_MEMORY)
#define HOLDER_TRACED()							\
	volume_count(&self->gate, &self->at.volume, TRUSTGATE_CAUSE_TRACED)

/*
 * Parts of an actor. Take the bytes; make a child by clone(2) with these
 * flags, or one that executes a program, and kill it; execute a program; ask to
 * be traced; start a thread.
 */
int holder_take(const char *path, long unused);
int holder_clone(const char *unused, long flags);
int holder_spawn(const char *path, long unused);
int holder_exec(const char *path, long unused);
int holder_reap(const char *unused, long pid);
int holder_traceme(const char *unused, long unused_too);
int holder_thread(const char *unused, long unused_too);

/* Ways to look. Each returns 0 if it was let, or errno. */
int look_readv(pid_t pid);
int look_writev(pid_t pid);
int look_attach(pid_t pid);
int look_seize(pid_t pid);
int look_getfd(pid_t pid);
int look_mem(pid_t pid);
int look_environ(pid_t pid);
int look_maps(pid_t pid);
int look_pagemap(pid_t pid);
int look_map_files(pid_t pid);
int look_fd(pid_t pid);
int look_exe(pid_t pid);
int look_stat(pid_t pid);
int look_kcmp(pid_t pid);

/* Opens a file of a process's /proc; returns the descriptor, or -1. */
int look_open(pid_t pid, const char *what, int flags);

#endif /* HOLDER_H */
