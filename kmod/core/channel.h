/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the channel: the short way between an open that waits and the agent.
 *
 * Owns: the descriptor that it is, who may use it, and the form in which
 * requests are told and answered by it.
 *
 * Must not own: the table of requests (request.h), which grants may be given
 * (terms.h, identity.h).
 */
#ifndef _TRUSTGATE_CHANNEL_H
#define _TRUSTGATE_CHANNEL_H

#include <linux/types.h>

struct file;

/**
 * trustgate_channel_make() - make a channel for the agent
 *
 * There is one at a time: the one before ends.
 *
 * Context: process, may sleep, trustgate_mutex held; current is the agent.
 * Return: the file, the caller's reference; or ERR_PTR.
 */
struct file *trustgate_channel_make(void);

/**
 * trustgate_channel_end() - end the channel, if there is one
 *
 * Its descriptor stays, and is of no use any more.
 *
 * Context: process, trustgate_mutex held.
 */
void trustgate_channel_end(void);

/**
 * trustgate_channel_is_open() - does the agent take requests by a channel?
 *
 * Context: any.
 * Return: whether it does.
 */
bool trustgate_channel_is_open(void);

/**
 * trustgate_channel_wake() - tell the agent that there is a request
 *
 * Context: any but NMI; does not sleep.
 */
void trustgate_channel_wake(void);

#endif /* _TRUSTGATE_CHANNEL_H */
