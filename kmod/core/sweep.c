// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - clearing away what has ended by itself; see sweep.h.
 */

#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "event.h"
#include "gate.h"
#include "grant.h"
#include "supervision.h"
#include "sweep.h"

/* How often exited subjects are looked for while any grant is live. */
#define PATROL_JIFFIES	HZ

/* How many expired grants are ended before others get the mutex. */
#define BATCH	1024

static void expiry_work(struct work_struct *work);
static void patrol_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(expiry, expiry_work);
static DECLARE_DELAYED_WORK(patrol, patrol_work);
static struct workqueue_struct *workqueue;

void trustgate_sweep_now(void)
{
	mod_delayed_work(workqueue, &patrol, 0);
}

/*
 * The timer counts while the host is awake and CLOCK_BOOTTIME does not stop in
 * suspend, so this may come late but never early by more than a jiffy, which
 * expiry_work() makes up for.
 */
void trustgate_sweep_at(u64 expires_ns)
{
	u64 now_ns = ktime_get_boottime_ns();
	unsigned long delay = 0;

	lockdep_assert_held(&trustgate_mutex);
	if (expires_ns > now_ns)
		delay = min_t(u64, nsecs_to_jiffies64(expires_ns - now_ns) + 1,
			      60 * HZ);
	mod_delayed_work(workqueue, &expiry, delay);
	queue_delayed_work(workqueue, &patrol, PATROL_JIFFIES);
}

static void expiry_work(struct work_struct *work)
{
	u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_grant *grant;
	unsigned int ended = 0;

	mutex_lock(&trustgate_mutex);
	while ((grant = trustgate_grant_first_to_expire())) {
		if ((u64)grant->expiry.expires > now_ns || ended++ >= BATCH) {
			trustgate_sweep_at(grant->expiry.expires);
			break;
		}
		trustgate_grant_end(grant, TRUSTGATE_END_EXPIRED);
	}
	mutex_unlock(&trustgate_mutex);
}

static bool is_due(const struct trustgate_subject *subject)
{
	const struct task_struct *task = pid_task(subject->pid, PIDTYPE_TGID);

	return !task || subject->due ||
	       READ_ONCE(task->self_exec_id) != subject->seen_exec_id;
}

/* Only when it has exited or executed a program, for it may hold very many. */
static void visit(struct trustgate_subject *subject)
{
	unsigned int left = subject->nr_grants;
	struct trustgate_grant *grant, *next;
	const struct task_struct *task;
	u64 exec_id = 0;
	u32 end;

	rcu_read_lock();
	task = pid_task(subject->pid, PIDTYPE_TGID);
	end = task ? TRUSTGATE_END_SUBJECT_EXEC : TRUSTGATE_END_SUBJECT_EXIT;
	if (task)
		exec_id = READ_ONCE(task->self_exec_id);
	rcu_read_unlock();

	subject->due = false;
	subject->seen_exec_id = exec_id;
	list_for_each_entry_safe(grant, next, &subject->grants, of_subject) {
		cond_resched();
		if (end == TRUSTGATE_END_SUBJECT_EXEC &&
		    (grant->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC ||
		     grant->exec_id >= exec_id))
			continue;
		trustgate_grant_end(grant, end);
		/* The last grant takes the subject with it. */
		if (!--left)
			break;
	}
}

static void patrol_work(struct work_struct *work)
{
	bool again;

	trustgate_subject_each(is_due, visit);
	trustgate_supervision_patrol();
	mutex_lock(&trustgate_mutex);
	trustgate_gate_bury();
	again = trustgate_grant_first_to_expire();
	mutex_unlock(&trustgate_mutex);
	if (again)
		queue_delayed_work(workqueue, &patrol, PATROL_JIFFIES);
}

int trustgate_sweep_init(void)
{
	workqueue = alloc_workqueue("trustgate_sweep", WQ_UNBOUND, 0);
	return workqueue ? 0 : -ENOMEM;
}

void trustgate_sweep_exit(void)
{
	cancel_delayed_work_sync(&expiry);
	cancel_delayed_work_sync(&patrol);
	destroy_workqueue(workqueue);
}
