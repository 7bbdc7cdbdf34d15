// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - grants that allow only while somebody supervises them; see
 * supervision.h.
 */

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/timekeeping.h>
#include <linux/timerqueue.h>

#include "ending.h"
#include "event.h"
#include "grant.h"
#include "supervision.h"

/* How many grants are told of before others get the mutex. */
#define BATCH	1024

/*
 * Those that are supervised, or were when last told of; trustgate_mutex. All
 * zero, it is empty.
 */
static struct timerqueue_head supervised;

static bool is_told_live(struct trustgate_grant *grant)
{
	return timerqueue_node_queued(&grant->supervision);
}

/* Hooks allow before this. Returns whether that is less than before. */
static bool live_until(struct trustgate_grant *grant, u64 until_ns)
{
	bool less;

	until_ns = min_t(u64, until_ns, grant->expiry.expires);
	less = until_ns < grant->live_until_ns;
	WRITE_ONCE(grant->live_until_ns, until_ns);
	/* What is remembered may be so for longer. */
	if (less)
		trustgate_grant_changed();
	return less;
}

static void suspend(struct trustgate_grant *grant)
{
	timerqueue_del(&supervised, &grant->supervision);
	live_until(grant, 0);
	trustgate_ending_hurry(grant);
	trustgate_event_grant(TRUSTGATE_EVENT_TYPE_GRANT_SUSPENDED, grant,
			      TRUSTGATE_END_NONE);
}

static struct trustgate_grant *first_to_suspend(void)
{
	struct timerqueue_node *node = timerqueue_getnext(&supervised);

	return node ? container_of(node, struct trustgate_grant, supervision) :
		      NULL;
}

void trustgate_supervision_begin(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	if (grant->live_until_ns &&
	    grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED)
		timerqueue_add(&supervised, &grant->supervision);
}

void trustgate_supervision_end(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	if (is_told_live(grant))
		timerqueue_del(&supervised, &grant->supervision);
	trustgate_ending_spare(grant);
}

bool trustgate_supervision_set(struct trustgate_grant *grant, u64 until_ns)
{
	const u64 now_ns = ktime_get_boottime_ns();

	lockdep_assert_held(&trustgate_mutex);
	/* One that the clock has suspended is told of before it resumes. */
	if (is_told_live(grant) &&
	    (!until_ns || (u64)grant->supervision.expires <= now_ns))
		suspend(grant);
	if (!until_ns)
		return true;
	if (is_told_live(grant)) {
		timerqueue_del(&supervised, &grant->supervision);
	} else {
		trustgate_ending_spare(grant);
		trustgate_event_grant(TRUSTGATE_EVENT_TYPE_GRANT_RESUMED,
				      grant, TRUSTGATE_END_NONE);
	}
	grant->supervision.expires = until_ns;
	timerqueue_add(&supervised, &grant->supervision);
	return live_until(grant, until_ns);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_supervision_set);

u64 trustgate_supervision_lost(void)
{
	struct trustgate_grant *grant;
	u64 count = 0;

	lockdep_assert_held(&trustgate_mutex);
	while ((grant = first_to_suspend())) {
		suspend(grant);
		count++;
		cond_resched();
	}
	return count;
}

void trustgate_supervision_patrol(void)
{
	const u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_grant *grant;
	unsigned int looked_at = 0;

	mutex_lock(&trustgate_mutex);
	while ((grant = first_to_suspend()) &&
	       (u64)grant->supervision.expires <= now_ns) {
		/* One that has expired ends, which is told. */
		if ((u64)grant->expiry.expires <= now_ns)
			timerqueue_del(&supervised, &grant->supervision);
		else
			suspend(grant);
		if (++looked_at % BATCH)
			continue;
		mutex_unlock(&trustgate_mutex);
		cond_resched();
		mutex_lock(&trustgate_mutex);
	}
	mutex_unlock(&trustgate_mutex);
}
