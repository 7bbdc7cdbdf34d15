/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - what is due for a request, and when.
 *
 * Owns: in which order requests are late, time out, are withdrawn for want of
 * anybody who waits, and are forgotten; and the worker that sees to it.
 *
 * Must not own: the table of requests, and what closing one and forgetting it
 * means there (request.c).
 */
#ifndef _TRUSTGATE_REQUEST_DUE_H
#define _TRUSTGATE_REQUEST_DUE_H

#include <linux/spinlock_types.h>
#include <linux/types.h>

#include "request.h"

/*
 * The lock of the table of requests. Taken by hooks in process context; nests
 * inside trustgate_mutex, and outside the locks of events, wait queues and works.
 */
extern spinlock_t trustgate_request_lock;

/**
 * trustgate_due_init() - get ready
 *
 * Return: 0 or -ENOMEM.
 */
int trustgate_due_init(void);

/**
 * trustgate_due_stop() - let no worker come any more
 *
 * Context: process, may sleep; trustgate_request_lock not held.
 */
void trustgate_due_stop(void);

/**
 * trustgate_due_exit() - end
 *
 * Context: process, may sleep; after trustgate_due_stop(), without any request.
 */
void trustgate_due_exit(void);

/**
 * trustgate_due_raised() - a request is open from here on
 * @request: with its number, which is higher than all others
 *
 * Context: trustgate_request_lock held.
 */
void trustgate_due_raised(struct trustgate_request *request);

/**
 * trustgate_due_awaited() - somebody waits for an open request
 * @request: open
 *
 * Context: trustgate_request_lock held.
 */
void trustgate_due_awaited(struct trustgate_request *request);

/**
 * trustgate_due_left() - nobody waits for an open request any more
 * @request: open
 *
 * A second later it is withdrawn.
 *
 * Context: trustgate_request_lock held.
 */
void trustgate_due_left(struct trustgate_request *request);

/**
 * trustgate_due_answered() - a request is closed, and its answer stands for a time
 * @request: closed
 * @until_ns: for so long, CLOCK_BOOTTIME
 *
 * Most answers stand equally long. One that stands for less than those before it
 * is forgotten with them.
 *
 * Context: trustgate_request_lock held.
 */
void trustgate_due_answered(struct trustgate_request *request, u64 until_ns);

/**
 * trustgate_due_nothing() - there is nothing to be done any more about a request
 * @request: raised
 *
 * Context: trustgate_request_lock held.
 */
void trustgate_due_nothing(struct trustgate_request *request);

/**
 * trustgate_due_oldest_answer() - the answer that was given longest ago
 *
 * Context: trustgate_request_lock held.
 * Return: the closed request, borrowed; NULL if no answer stands.
 */
struct trustgate_request *trustgate_due_oldest_answer(void);

/**
 * trustgate_request_close() - close a request whose time has come
 * @request: open; may be gone afterwards
 * @end: enum trustgate_request_end, not open
 *
 * Defined by the table, and called by the worker.
 *
 * Context: process, trustgate_request_lock held.
 */
void trustgate_request_close(struct trustgate_request *request, u32 end);

/**
 * trustgate_request_forget() - forget an answer whose time is over
 * @request: closed; may be gone afterwards
 *
 * Likewise. Calls trustgate_due_nothing().
 *
 * Context: process, trustgate_request_lock held.
 */
void trustgate_request_forget(struct trustgate_request *request);

/**
 * trustgate_request_wake() - have all threads that wait look at their request
 * @request: referenced
 *
 * Likewise.
 *
 * Context: any but NMI.
 */
void trustgate_request_wake(struct trustgate_request *request);

#endif /* _TRUSTGATE_REQUEST_DUE_H */
