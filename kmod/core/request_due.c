// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - what is due for a request, and when; see request_due.h.
 *
 * A request that is answered at once, as most are, is never in the queue by time:
 * until it is late, and again when its answer stands, the order in which it came
 * is that in which it is due.
 */

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/timerqueue.h>
#include <linux/workqueue.h>

#include "request_due.h"

/*
 * For how long an open waits inside the hook. Most answers of an agent that
 * needs nobody are there by then.
 */
#define SOON_NS		(50ULL * NSEC_PER_MSEC)

/* How long a request stays open without anybody who waits. */
#define LINGERS_NS	(1ULL * NSEC_PER_SEC)

/* How many requests are seen to before others get the lock. */
#define BATCH		64

/* All that follows is under this lock. */
DEFINE_SPINLOCK(trustgate_request_lock);

static struct timerqueue_head dues;
/* Who is open is in one of these two; those that are late have lower numbers. */
static LIST_HEAD(late);
static LIST_HEAD(fresh);
/* Whose answer stands, in the order of the answers. */
static LIST_HEAD(answered);

/* When see_to_all() comes, CLOCK_BOOTTIME. */
static u64 comes_at = U64_MAX;

static void see_to_all(struct work_struct *work);
static DECLARE_DELAYED_WORK(keeper, see_to_all);
static struct workqueue_struct *workqueue;

/*
 * As with expiries of grants, the timer stops while the host sleeps and
 * CLOCK_BOOTTIME does not, so that it may be late after that. Too early does no
 * harm: it is set anew then.
 */
static void come_at(u64 due_ns)
{
	unsigned long delay = 0;
	u64 now_ns;

	if (due_ns >= comes_at)
		return;
	comes_at = due_ns;
	now_ns = ktime_get_boottime_ns();
	if (due_ns > now_ns)
		delay = min_t(u64, nsecs_to_jiffies64(due_ns - now_ns) + 1,
			      60 * HZ);
	mod_delayed_work(workqueue, &keeper, delay);
}

static void not_due(struct trustgate_request *request)
{
	if (!RB_EMPTY_NODE(&request->due.node))
		timerqueue_del(&dues, &request->due);
}

static void set_due(struct trustgate_request *request, u64 due_ns)
{
	not_due(request);
	request->due.expires = due_ns;
	timerqueue_add(&dues, &request->due);
	come_at(due_ns);
}

static u64 fresh_until_ns(const struct trustgate_request *request)
{
	return request->raised_ns + SOON_NS;
}

void trustgate_due_raised(struct trustgate_request *request)
{
	lockdep_assert_held(&trustgate_request_lock);
	list_add_tail(&request->in_order, &fresh);
	come_at(fresh_until_ns(request));
}

void trustgate_due_awaited(struct trustgate_request *request)
{
	lockdep_assert_held(&trustgate_request_lock);
	if (request->late || request->deadline_ns < fresh_until_ns(request))
		set_due(request, request->deadline_ns);
	else
		not_due(request);
}

void trustgate_due_left(struct trustgate_request *request)
{
	lockdep_assert_held(&trustgate_request_lock);
	set_due(request, min(request->deadline_ns,
			     ktime_get_boottime_ns() + LINGERS_NS));
}

void trustgate_due_answered(struct trustgate_request *request, u64 until_ns)
{
	lockdep_assert_held(&trustgate_request_lock);
	not_due(request);
	request->due.expires = until_ns;
	list_move_tail(&request->in_order, &answered);
	come_at(until_ns);
}

void trustgate_due_nothing(struct trustgate_request *request)
{
	lockdep_assert_held(&trustgate_request_lock);
	not_due(request);
	list_del(&request->in_order);
}

struct trustgate_request *trustgate_due_oldest_answer(void)
{
	lockdep_assert_held(&trustgate_request_lock);
	return list_first_entry_or_null(&answered, struct trustgate_request,
					in_order);
}

/* What is due first, and when. */
static struct trustgate_request *first_due(u64 *due_ns)
{
	struct trustgate_request *request, *first = NULL;
	struct timerqueue_node *node;

	*due_ns = U64_MAX;
	node = timerqueue_getnext(&dues);
	if (node) {
		first = container_of(node, struct trustgate_request, due);
		*due_ns = node->expires;
	}
	request = list_first_entry_or_null(&fresh, struct trustgate_request,
					   in_order);
	if (request && fresh_until_ns(request) < *due_ns) {
		first = request;
		*due_ns = fresh_until_ns(request);
	}
	request = trustgate_due_oldest_answer();
	if (request && (u64)request->due.expires < *due_ns) {
		first = request;
		*due_ns = request->due.expires;
	}
	return first;
}

static void turn_late(struct trustgate_request *request)
{
	WRITE_ONCE(request->late, true);
	list_move_tail(&request->in_order, &late);
	if (!request->waiting)
		return;
	trustgate_due_awaited(request);
	trustgate_request_wake(request);
}

static void see_to(struct trustgate_request *request, u64 now_ns)
{
	if (trustgate_request_closed(request))
		trustgate_request_forget(request);
	else if (now_ns >= request->deadline_ns)
		trustgate_request_close(request,
					TRUSTGATE_REQUEST_END_UNANSWERED);
	else if (!request->late)
		turn_late(request);
	else
		trustgate_request_close(request,
					TRUSTGATE_REQUEST_END_WITHDRAWN);
}

static void see_to_all(struct work_struct *work)
{
	u64 due_ns, now_ns = ktime_get_boottime_ns();
	struct trustgate_request *request;
	unsigned int done = 0;

	spin_lock(&trustgate_request_lock);
	comes_at = U64_MAX;
	while ((request = first_due(&due_ns)) && due_ns <= now_ns &&
	       done++ < BATCH)
		see_to(request, now_ns);
	if (request)
		come_at(due_ns);
	spin_unlock(&trustgate_request_lock);
}

int trustgate_due_init(void)
{
	timerqueue_init_head(&dues);
	workqueue = alloc_workqueue("trustgate_request",
				    WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return workqueue ? 0 : -ENOMEM;
}

void trustgate_due_stop(void)
{
	disable_delayed_work_sync(&keeper);
}

void trustgate_due_exit(void)
{
	WARN_ON_ONCE(!list_empty(&late) || !list_empty(&fresh) ||
		     !list_empty(&answered));
	destroy_workqueue(workqueue);
}
