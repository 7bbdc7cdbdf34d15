// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - grants whose mappings are to end with them; see ending.h.
 *
 * A mapping that was allowed before the end may be made a moment after it, and
 * a fork may copy one that is about to be ended. So a grant is kept until a
 * pass that began some time after its end has found nothing, and processes that
 * were given access are looked at from time to time as long as they live.
 */

#include <linux/cleanup.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "decision.h"
#include "ending.h"
#include "event.h"
#include "grant.h"
#include "holders.h"
#include "mapping.h"

/* How long after its end must a pass begin that clears a grant. */
#define SETTLE_NS	NSEC_PER_SEC

/* Between the passes that look for what is left of grants. */
#define PASS_JIFFIES	(HZ / 4)

/* Between those that look whether anything came late. */
#define PATROL_JIFFIES	(10 * HZ)

/* However many grants end, passes leave others some time. */
#define REST_JIFFIES	(HZ / 20)

/* How many grants are cleared before others get the mutex. */
#define BATCH		1024

static void pass_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(pass, pass_work);
static struct workqueue_struct *workqueue;

/* All under trustgate_mutex. */
static struct rb_root endings = RB_ROOT;
static u64 nr_endings;
static LIST_HEAD(suspended);
static u64 nr_suspended;
static u64 nr_expected;
static u64 unmapped;
static u64 killed;
static bool is_soon;	/* a pass comes after a rest; not to be put off */

/* The work's own. */
static u32 pass_number;
static bool was_idle;

struct trustgate_grant *trustgate_ending_next(u64 id)
{
	return trustgate_grant_lowest(&endings, id);
}

void trustgate_ending_totals(struct trustgate_ending_totals *totals)
{
	lockdep_assert_held(&trustgate_mutex);
	totals->grants = nr_endings;
	totals->unmapped = unmapped;
	totals->killed = killed;
}

void trustgate_ending_expect(const struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	if (!grant->on_end)
		return;
	nr_expected++;
	queue_delayed_work(workqueue, &pass, PATROL_JIFFIES);
}

/* However fast grants end, the pass for the first of them comes. */
static void pass_soon(void)
{
	if (!is_soon)
		mod_delayed_work(workqueue, &pass, REST_JIFFIES);
	is_soon = true;
}

void trustgate_ending_hurry(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	if (!grant->on_end)
		return;
	list_add_tail(&grant->of_suspended, &suspended);
	nr_suspended++;
	pass_soon();
}

void trustgate_ending_spare(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	if (list_empty(&grant->of_suspended))
		return;
	list_del_init(&grant->of_suspended);
	nr_suspended--;
}

void trustgate_ending_keep(struct trustgate_grant *grant, u32 end)
{
	lockdep_assert_held(&trustgate_mutex);
	/* Without a cause, it was never in force. */
	if (!grant->on_end || end == TRUSTGATE_END_NONE)
		return;
	nr_expected--;
	if (end == TRUSTGATE_END_VOLUME_REMOVED)
		return;
	grant->end = end;
	grant->ended_ns = ktime_get_boottime_ns();
	grant->holder = get_pid((struct pid *)grant->key.pid);
	trustgate_grant_put_in(&endings, grant);
	nr_endings++;
	pass_soon();
}

static void let_go(struct trustgate_grant *grant)
{
	rb_erase(&grant->by_id, &endings);
	nr_endings--;
	trustgate_event_grant(TRUSTGATE_EVENT_TYPE_GRANT_CLEARED, grant,
			      grant->end);
	trustgate_grant_forget(grant);
}

void trustgate_ending_drop(const struct trustgate_volume *volume)
{
	struct trustgate_grant *grant;
	u64 id = 0;

	while ((grant = trustgate_ending_next(id))) {
		id = grant->id + 1;
		cond_resched();
		if (grant->volume == volume)
			let_go(grant);
	}
}

/* Does it give all that the one that has ended gave, to all whom it gave it? */
static bool stands_in(const struct trustgate_grant *grant,
		      const struct trustgate_grant *ended, u64 now_ns)
{
	if (ended->access & ~grant->access || grant->on_end < ended->on_end)
		return false;
	if (ended->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS &&
	    (!(grant->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS) ||
	     grant->since_ns > ended->since_ns))
		return false;
	if (ended->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC &&
	    !(grant->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC))
		return false;
	return READ_ONCE(grant->in_force) &&
	       trustgate_judge(grant, ended->exec_id, now_ns) ==
	       TRUSTGATE_CAUSE_GRANTED;
}

static bool has_stand_in(const struct trustgate_grant *ended)
{
	const u64 now_ns = ktime_get_boottime_ns();
	const struct trustgate_grant *grant;
	struct rhlist_head *pos;

	lockdep_assert_held(&trustgate_mutex);
	guard(rcu)();
	rhl_for_each_entry_rcu(grant, pos, trustgate_grants_of(&ended->key),
			       node) {
		if (stands_in(grant, ended, now_ns))
			return true;
	}
	return false;
}

/* Are its mappings to end, and has one of the holders given access by it? */
static bool concerns(const struct trustgate_grant *grant,
		     const struct trustgate_holders *holders)
{
	return trustgate_holders_have(holders, grant->start_ns) &&
	       !has_stand_in(grant);
}

static bool any_ended_concerns(const struct trustgate_holders *holders)
{
	struct trustgate_grant *grant;
	unsigned int looked_at = 0;
	bool found = false;
	u64 id = 0;

	mutex_lock(&trustgate_mutex);
	while (!found && (grant = trustgate_ending_next(id))) {
		id = grant->id + 1;
		found = concerns(grant, holders);
		if (++looked_at % BATCH)
			continue;
		mutex_unlock(&trustgate_mutex);
		cond_resched();
		mutex_lock(&trustgate_mutex);
	}
	mutex_unlock(&trustgate_mutex);
	return found;
}

/*
 * Who has been looked at goes to the end, as does who comes meanwhile, so that
 * those who have not been are always in front.
 */
static bool any_suspended_concerns(const struct trustgate_holders *holders)
{
	struct trustgate_grant *grant;
	unsigned int looked_at = 0;
	bool found = false;
	u64 left;

	mutex_lock(&trustgate_mutex);
	for (left = nr_suspended; left && !list_empty(&suspended); left--) {
		grant = list_first_entry(&suspended, struct trustgate_grant,
					 of_suspended);
		list_move_tail(&grant->of_suspended, &suspended);
		found = concerns(grant, holders);
		if (found)
			break;
		if (++looked_at % BATCH)
			continue;
		mutex_unlock(&trustgate_mutex);
		cond_resched();
		mutex_lock(&trustgate_mutex);
	}
	mutex_unlock(&trustgate_mutex);
	return found;
}

/* One that the clock has ended or suspended has a pass begin when that is seen. */
bool trustgate_ending_concerns(const struct trustgate_holders *holders)
{
	return any_ended_concerns(holders) || any_suspended_concerns(holders);
}

/* What the pass has found becomes what is known of the volumes. */
static void conclude(const struct trustgate_mapping_tally *tally)
{
	struct trustgate_volume *volume;
	u32 id = 0;

	lockdep_assert_held(&trustgate_mutex);
	while ((volume = trustgate_volume_next(id))) {
		id = volume->id + 1;
		volume->nr_mapped = volume->nr_found + tally->unknown;
		volume->nr_found = 0;
		volume->found_in = NULL;
	}
	unmapped += tally->unmapped;
	killed += tally->killed;
}

static void clear(u64 began_ns)
{
	struct trustgate_grant *grant;
	unsigned int looked_at = 0;
	u64 id = 0;

	mutex_lock(&trustgate_mutex);
	while ((grant = trustgate_ending_next(id))) {
		id = grant->id + 1;
		if (!grant->volume->nr_mapped &&
		    grant->ended_ns + SETTLE_NS <= began_ns)
			let_go(grant);
		if (++looked_at % BATCH)
			continue;
		mutex_unlock(&trustgate_mutex);
		cond_resched();
		mutex_lock(&trustgate_mutex);
	}
	mutex_unlock(&trustgate_mutex);
}

static void pass_work(struct work_struct *work)
{
	struct trustgate_mapping_tally tally = {};
	unsigned long delay = PATROL_JIFFIES;
	bool idle, again;
	u64 began_ns;

	mutex_lock(&trustgate_mutex);
	is_soon = false;
	began_ns = ktime_get_boottime_ns();
	mutex_unlock(&trustgate_mutex);
	if (!++pass_number)
		pass_number++;
	trustgate_mapping_pass(pass_number, &tally);
	mutex_lock(&trustgate_mutex);
	conclude(&tally);
	mutex_unlock(&trustgate_mutex);
	clear(began_ns);

	mutex_lock(&trustgate_mutex);
	idle = !nr_endings && !tally.left;
	/* Once more at leisure, for who was on the way to its first access. */
	again = !idle || nr_expected || tally.marked || !was_idle;
	mutex_unlock(&trustgate_mutex);
	was_idle = idle;
	if (!idle)
		delay = PASS_JIFFIES;
	if (again)
		queue_delayed_work(workqueue, &pass, delay);
}

int trustgate_ending_init(void)
{
	workqueue = alloc_workqueue("trustgate_ending", WQ_UNBOUND, 0);
	return workqueue ? 0 : -ENOMEM;
}

void trustgate_ending_exit(void)
{
	cancel_delayed_work_sync(&pass);
	destroy_workqueue(workqueue);
}
