/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmark - what the gate is compared with.
 *
 * Owns: the bare programs (the floor), a Landlock domain, a fanotify listener
 * that allows every open.
 *
 * Must not own: the measuring. Each function ends the program if it fails.
 */
#ifndef _RIVAL_H
#define _RIVAL_H

/**
 * rival_bare_attach() - put a program that returns 0 into each hook of the gate
 */
void rival_bare_attach(void);

/**
 * rival_bare_detach() - and take them out again
 */
void rival_bare_detach(void);

/**
 * rival_landlock_enter() - restrict this process for the rest of its life
 * @path: directory below which it may still read and write
 */
void rival_landlock_enter(const char *path);

/**
 * rival_fanotify_start() - have each open on a filesystem asked for
 * @path: any path on it
 */
void rival_fanotify_start(const char *path);

/**
 * rival_fanotify_stop() - end the listener
 */
void rival_fanotify_stop(void);

#endif /* _RIVAL_H */
