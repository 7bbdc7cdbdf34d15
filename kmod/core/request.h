/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - requests: opens that wait until the agent has answered.
 *
 * Owns: the table of requests and its limits, who waits for each, how each is
 * closed, and for how long an answer stands.
 *
 * Must not own: whether the agent is asked, and how a thread waits (ask.c); when
 * something is due (request_due.c); what the agent says (channel.c,
 * netlink_request.c, netlink_grant.c).
 */
#ifndef _TRUSTGATE_REQUEST_H
#define _TRUSTGATE_REQUEST_H

#include <linux/list.h>
#include <linux/rbtree_types.h>
#include <linux/rcuwait.h>
#include <linux/refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/sched.h>
#include <linux/timerqueue_types.h>
#include <linux/wait.h>
#include <uapi/linux/trustgate.h>

struct trustgate_grant;
struct trustgate_question;

/* Paths up to here, most of them, take no memory of their own. */
#define TRUSTGATE_BRIEF_PATH	128

/**
 * struct trustgate_request_key - who wants what
 * @pid: subject's thread-group pid; a reference of the request's
 * @exec_id: its self_exec_id
 * @ino: object
 * @subvolume: object
 * @generation: object
 * @access: mask of enum trustgate_access, all of which is needed
 * @volume_id: where; the volume may be gone
 */
struct trustgate_request_key {
	struct pid *pid;
	u64 exec_id;
	u64 ino;
	u64 subvolume;
	u32 generation;
	u32 access;
	u32 volume_id;
};

/**
 * struct trustgate_request - one subject wants one access to one object
 * @node: in the table of requests, by @key
 * @key: constant
 * @id: number, never used twice while the module is loaded; constant once the
 *	request is open
 * @refs: the table's reference, and one for each thread that waits
 * @by_id: in the tree of open requests; the table's lock
 * @due: in the queue of what is to be done next, if that is neither to find it
 *	late nor to forget it; .expires is CLOCK_BOOTTIME; the table's lock
 * @in_order: in the list of fresh requests, or in that of late ones, both in the
 *	order of their numbers, or in that of closed ones in the order of their
 *	ends; the table's lock
 * @end: enum trustgate_request_end; written under the table's lock, read with
 *	READ_ONCE
 * @waiting: threads that wait; as long as the request is open; likewise
 * @late: there was no answer soon; set once, likewise
 * @raiser: where the thread waits first that has raised it
 * @answered: where all others wait
 * @raised_ns: CLOCK_BOOTTIME; constant
 * @deadline_ns: when it is closed for want of an answer, CLOCK_BOOTTIME;
 *	constant
 * @start_ns: start_boottime of the subject; constant
 * @cause: enum trustgate_cause, why no grant allows it; constant
 * @tid: the thread that asked first, in the initial pid namespace; constant
 * @user: real user of the thread that asked first; constant
 * @uid: the same in the initial user namespace; constant
 * @loginuid: of the thread that asked first, likewise; constant
 * @comm: of that thread; constant
 * @path: relative to the volume's root, NULL if it is not known; constant
 * @path_length: of @path; constant
 * @long_path: buffer with @path, if it is not in @brief_path; owned; constant
 * @brief_path: likewise, of most; constant
 * @rcu: the hash table may be looked through until a grace period after the
 *	request was taken out
 */
struct trustgate_request {
	struct rhash_head node;
	struct trustgate_request_key key;
	u64 id;
	refcount_t refs;
	struct rb_node by_id;
	struct timerqueue_node due;
	struct list_head in_order;
	u32 end;
	u32 waiting;
	bool late;
	struct rcuwait raiser;
	wait_queue_head_t answered;
	u64 raised_ns;
	u64 deadline_ns;
	u64 start_ns;
	u32 cause;
	s32 tid;
	kuid_t user;
	u32 uid;
	u32 loginuid;
	char comm[TASK_COMM_LEN] __aligned(sizeof(u64));
	const char *path;
	u32 path_length;
	char *long_path;
	char brief_path[TRUSTGATE_BRIEF_PATH + 1];
	struct rcu_head rcu;
};

/**
 * trustgate_request_init() - create the table
 *
 * Return: 0 or -errno with nothing left behind.
 */
int trustgate_request_init(void);

/**
 * trustgate_request_exit() - forget all requests
 *
 * Context: process, may sleep; nobody raises, waits or answers any more.
 */
void trustgate_request_exit(void);

/**
 * trustgate_request_join() - wait for the answer to a question, with others
 * @question: about current
 * @cause: why no grant allows it; replaced where NULL is returned
 * @raised: result: whether it was raised for the caller, whose thread is to wait
 *	as its raiser
 *
 * The request that is open for this question is joined, or one is raised, which
 * the agent is told of. There is none if an answer was given a moment ago.
 *
 * Context: RCU read side, process; does not sleep.
 * Return: the request, a reference, in which the caller counts as waiting until
 * trustgate_request_leave(); or NULL with *@cause set to the denial:
 * TRUSTGATE_CAUSE_REFUSED or _UNANSWERED by an answer that stands; _CROWDED, no
 * room; or as it was if nobody is there to be asked, or a grant was the answer
 * and does not suffice.
 */
struct trustgate_request *
trustgate_request_join(const struct trustgate_question *question, u32 *cause,
		       bool *raised);

/**
 * trustgate_request_leave() - wait no longer
 * @request: joined; no longer the caller's to touch
 *
 * A request for which nobody waits is withdrawn a second later: a thread that
 * was disturbed by a signal is back by then.
 *
 * Context: process; does not sleep.
 */
void trustgate_request_leave(struct trustgate_request *request);

/**
 * trustgate_request_closed() - is there an answer?
 * @request: referenced
 *
 * Context: any.
 * Return: whether the request is closed, in whatever way.
 */
static inline bool
trustgate_request_closed(const struct trustgate_request *request)
{
	return READ_ONCE(request->end) != TRUSTGATE_REQUEST_END_OPEN;
}

/**
 * trustgate_request_late() - is it a long wait?
 * @request: referenced
 *
 * Context: any.
 * Return: whether a moment after it was raised there was no answer; then who
 * waits is not to do so inside the hook.
 */
static inline bool
trustgate_request_late(const struct trustgate_request *request)
{
	return READ_ONCE(request->late);
}

/**
 * trustgate_request_answer() - close a request
 * @request: referenced
 * @end: enum trustgate_request_end, not open
 * @grant: the grant that is the answer, or NULL
 *
 * All threads that wait go on. For five seconds the same question gets the same
 * answer, if it is granted, refused or unanswered; that it was granted no longer
 * than @grant lasts, but a second.
 *
 * Context: process; does not sleep.
 * Return: false if it is closed already.
 */
bool trustgate_request_answer(struct trustgate_request *request, u32 end,
			      const struct trustgate_grant *grant);

/**
 * trustgate_request_answer_by_id() - the same, of one that is known by its number
 * @id: number
 * @end: enum trustgate_request_end, not open
 * @grant: the grant that is the answer, or NULL
 *
 * Context: process; does not sleep.
 * Return: false if no request with this number is open.
 */
bool trustgate_request_answer_by_id(u64 id, u32 end,
				    const struct trustgate_grant *grant);

/**
 * trustgate_request_close_all() - close requests without an answer
 * @volume_id: those on this volume, or 0 for all
 * @end: TRUSTGATE_REQUEST_END_AGENT_LOST or _VOLUME_CHANGED
 *
 * What made it impossible to ask is so already: no request is raised meanwhile
 * that this would overlook.
 *
 * Context: process, may sleep.
 */
void trustgate_request_close_all(u32 volume_id, u32 end);

/**
 * trustgate_request_newest() - the number of the request raised last
 *
 * Context: any.
 * Return: its number, whether it is open or not; 0 before the first.
 */
u64 trustgate_request_newest(void);

/**
 * trustgate_request_take() - walk the open requests as they come
 * @taken: those up to this number were; raised to that of the one taken, or of
 *	the newest if there is none
 *
 * Each is taken once by who keeps @taken, whichever of its threads asks.
 *
 * Context: process; does not sleep.
 * Return: the open request with the lowest number above *@taken, with a
 * reference for trustgate_request_put(); or NULL.
 */
struct trustgate_request *trustgate_request_take(u64 *taken);

/**
 * trustgate_request_untaken() - where to begin to take requests
 *
 * Context: process; does not sleep.
 * Return: for trustgate_request_take(), so that all that are open are taken.
 */
u64 trustgate_request_untaken(void);

/**
 * trustgate_request_next() - walk the open requests by rising number
 * @id: begin with this number
 *
 * Context: process; does not sleep.
 * Return: the open request with the lowest number not below @id, with a
 * reference for trustgate_request_put(); or NULL.
 */
struct trustgate_request *trustgate_request_next(u64 id);

/**
 * trustgate_request_get() - find an open request
 * @id: number
 *
 * Context: process; does not sleep.
 * Return: the request with a reference for trustgate_request_put(); or NULL.
 */
struct trustgate_request *trustgate_request_get(u64 id);

/**
 * trustgate_request_put() - let go of a request
 * @request: referenced
 *
 * Context: any but interrupts.
 */
void trustgate_request_put(struct trustgate_request *request);

/**
 * trustgate_request_generation() - changes whenever the set of open ones does
 *
 * Context: any.
 * Return: never 0, as netlink dumps take 0 for "unknown".
 */
u32 trustgate_request_generation(void);

/**
 * struct trustgate_request_totals - how full the table is
 * @open: requests that are to be answered
 * @max: limit of these and those whose answer stands
 * @oldest_ns: when the oldest open one was raised, CLOCK_BOOTTIME; 0 for none
 */
struct trustgate_request_totals {
	u32 open;
	u32 max;
	u64 oldest_ns;
};

/**
 * trustgate_request_totals() - how full the table is
 * @totals: result
 *
 * Context: process; does not sleep.
 */
void trustgate_request_totals(struct trustgate_request_totals *totals);

#endif /* _TRUSTGATE_REQUEST_H */
