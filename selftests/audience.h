/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * audience - those who are told of events: watchers, and the agent as one.
 *
 * Owns: becoming a watcher, and passing over what was told before a test's own
 * part begins.
 *
 * Must not own: what is told (event_test.c), or what is lost (overflow_test.c).
 */
#ifndef AUDIENCE_H
#define AUDIENCE_H

#include "netlink_raw.h"

/* Room for all that a test does not read at once. */
#define AUDIENCE_ROOM	(64 << 20)

/* How long to wait for an event that has to come. */
#define AUDIENCE_MS	15000

/**
 * audience_join() - open a socket that is told of events
 * @watcher: filled
 * @bytes: room for what it has not read
 *
 * Return: 0 or -errno.
 */
int audience_join(struct raw_socket *watcher, int bytes);

/**
 * audience_forget() - take events until no more come for a moment
 * @socket: the agent's or a watcher's
 */
void audience_forget(struct raw_socket *socket);

#endif /* AUDIENCE_H */
