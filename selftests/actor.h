/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * actor - a process that does, on demand, what a test wants done by another.
 *
 * Owns: the process, and getting the result out of it.
 *
 * Must not own: what it does.
 */
#ifndef _ACTOR_H
#define _ACTOR_H

#include <sys/types.h>

/**
 * struct actor - a process at the test's disposal
 * @pid: process
 * @fd: to it
 */
struct actor {
	pid_t pid;
	int fd;
};

/* What an actor can do; see attempt.h. Returns 0 or an errno value. */
typedef int (*actor_part)(const char *text, long number);

/**
 * actor_start() - fork a process that waits for its parts
 * @actor: filled
 *
 * It dies with the thread that forked it.
 *
 * Return: 0 or -errno.
 */
int actor_start(struct actor *actor);

/**
 * actor_start_flags() - the same by clone(2)
 * @actor: filled
 * @flags: CLONE_*, such as CLONE_PARENT
 *
 * Return: 0 or -errno.
 */
int actor_start_flags(struct actor *actor, unsigned long flags);

/**
 * actor_do() - have it do something
 * @actor: started
 * @part: what
 * @text: handed to @part, copied
 * @number: handed to @part
 *
 * Return: what @part returned; -EPIPE if it died of it.
 */
int actor_do(const struct actor *actor, actor_part part, const char *text,
	     long number);

/**
 * actor_begin() - have it do something meanwhile; see actor_end()
 * @actor: started
 * @part: what
 * @text: handed to @part, copied
 * @number: handed to @part
 */
void actor_begin(const struct actor *actor, actor_part part, const char *text,
		 long number);

/**
 * actor_end() - wait for what actor_begin() began
 * @actor: started
 *
 * Return: as actor_do().
 */
int actor_end(const struct actor *actor);

/**
 * actor_stop() - end the process and wait for it, if it is a child
 * @actor: started
 */
void actor_stop(struct actor *actor);

/**
 * actor_once() - have a new process do one thing
 * @part: what
 * @text: handed to @part
 * @number: handed to @part
 *
 * Return: what @part returned, or -errno.
 */
int actor_once(actor_part part, const char *text, long number);

#endif /* _ACTOR_H */
