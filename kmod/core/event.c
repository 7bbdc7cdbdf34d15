// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - events; see event.h.
 *
 * One ring, two readers: the publisher (watchers and audit) and the agent.
 * The agent's place stays where it is while no agent is bound or its socket is
 * full, so a restart misses nothing that the ring still holds.
 */

#include <linux/audit.h>
#include <linux/bottom_half.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/moduleparam.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "agent.h"
#include "audit.h"
#include "decision.h"
#include "event.h"
#include "../hooks.h"
#include "check.h"
#include "netlink.h"
#include "request.h"
#include "volume.h"

/* How long the agent's full socket is left alone before the next try. */
#define AGENT_RETRY_JIFFIES	max(HZ / 100, 1)

/* What is in line before a request is sent with it, if it is no more than this. */
#define HAND_OVER_MOST		8

/*
 * How long a new agent is left alone. A simple client, such as the kernel's own
 * YNL tool, has its answer and the ack by then, and does not stumble over an
 * event between the two.
 */
#define AGENT_SETTLE_JIFFIES	(HZ / 4)

static unsigned int max_events = 8192;
module_param(max_events, uint, 0444);
MODULE_PARM_DESC(max_events, "Length of the event queue, a power of two from 16 to 1048576 (default 8192)");

/*
 * Protects the ring and the next eight. Taken by hooks in any context, so it is
 * innermost and raw; held for one copy of an event.
 */
static DEFINE_RAW_SPINLOCK(ring_lock);
static struct trustgate_event *ring;
static u64 head;	/* next free place */
static u64 published;	/* next place to publish */
static u64 told;	/* next place to tell the agent */
static u64 insisted;	/* behind the last place that gives way to none */
static u64 last_seq;
static u64 dropped;
static u64 agent_missed;
static struct trustgate_event no_place;	/* stands for a place that there is not */

/* No event is sent to the agent before; written under trustgate_mutex. */
static unsigned long tell_from = INITIAL_JIFFIES;

/* Bit 0: somebody is telling the agent. One at a time, or the order is lost. */
static unsigned long telling;

static void publish_work(struct work_struct *work);
static void tell_work(struct work_struct *work);
static DECLARE_WORK(publisher, publish_work);
static DECLARE_DELAYED_WORK(teller, tell_work);
static struct workqueue_struct *workqueue;

/* All but the path. */
#define FACTS_SIZE	offsetof(struct trustgate_event, path)

static void copy_event(struct trustgate_event *to,
		       const struct trustgate_event *from)
{
	memcpy(to, from, FACTS_SIZE);
	memcpy(to->path, from->path, strlen(from->path) + 1);
}

static void blank_event(struct trustgate_event *event, u32 type, u64 now_ns)
{
	memset(event, 0, offsetof(struct trustgate_event, volume_name));
	event->volume_name[0] = '\0';
	event->comm[0] = '\0';
	event->path[0] = '\0';
	event->type = type;
	event->time_boottime_ns = now_ns;
}

static struct trustgate_event *place(u64 position)
{
	return &ring[position & (max_events - 1)];
}

/*
 * Nobody waits for what the agent does about it: it is told with what else comes
 * until the next tick. A teller that waits already will see to this as well: if it
 * has begun, and taken ring_lock before the caller did, it is seen to be waiting no
 * more.
 */
static void have_told(void)
{
	if (!delayed_work_pending(&teller) && trustgate_agent_portid())
		queue_delayed_work(workqueue, &teller, 1);
}

/*
 * Of a verdict the publisher makes an audit record; all else, while nobody
 * watches, concerns the agent alone.
 */
static bool for_agent_alone(const struct trustgate_event *event)
{
	return event->type != TRUSTGATE_EVENT_TYPE_DENIED &&
	       event->type != TRUSTGATE_EVENT_TYPE_ALLOWED &&
	       event->type != TRUSTGATE_EVENT_TYPE_OBSERVED &&
	       !trustgate_netlink_watched();
}

/* Nothing that the agent has not taken yet gives way to one more. */
static bool has_room(void)
{
	lockdep_assert_held(&ring_lock);
	return head - published < max_events && head - told < max_events;
}

/*
 * Sequence number and place are given together, so the ring is in order. What is
 * known of an event without taking locks is written to its place at once.
 */
static struct trustgate_event *next_event(u32 type, u64 now_ns)
{
	struct trustgate_event *event = &no_place;

	lockdep_assert_held(&ring_lock);
	last_seq++;
	if (head - published >= max_events) {
		dropped++;
	} else if (head - told >= max_events && (s64)(insisted - told) > 0) {
		/* Those before it are there to stay. */
		dropped++;
	} else {
		if (head - told >= max_events) {
			told++;
			agent_missed++;
		}
		event = place(head);
	}
	blank_event(event, type, now_ns);
	event->seq = last_seq;
	event->dropped = dropped;
	return event;
}

static struct trustgate_event *begin_event(u32 type, u64 now_ns,
					   unsigned long *flags)
	__acquires(&ring_lock)
{
	raw_spin_lock_irqsave(&ring_lock, *flags);
	return next_event(type, now_ns);
}

/*
 * What is for the agent alone is as good as published. With @hand_over the caller
 * sees to it that the agent is told.
 */
static void end_event(const struct trustgate_event *event, bool hand_over,
		      unsigned long flags)
	__releases(&ring_lock)
{
	const bool has_place = event != &no_place;
	bool as_published = false;

	if (has_place) {
		/* Asked here, so that who begins to watch misses none that is not counted. */
		as_published = published == head && for_agent_alone(event);
		head++;
		if (as_published)
			published++;
	}
	raw_spin_unlock_irqrestore(&ring_lock, flags);

	/* What is in the way may wait for an agent that has only just come. */
	if (!has_place)
		have_told();
	else if (!as_published)
		queue_work(workqueue, &publisher);
	else if (!hand_over)
		have_told();
}

/* What takes locks to be put together comes here when it is. */
static bool push_if(struct trustgate_event *event, bool insist)
{
	struct trustgate_event *to;
	unsigned long flags;

	raw_spin_lock_irqsave(&ring_lock, flags);
	if (insist && !has_room()) {
		raw_spin_unlock_irqrestore(&ring_lock, flags);
		return false;
	}
	to = next_event(event->type, event->time_boottime_ns);
	if (insist)
		insisted = head + 1;
	event->seq = to->seq;
	event->dropped = to->dropped;
	copy_event(to, event);
	end_event(to, false, flags);
	return true;
}

static void push(struct trustgate_event *event)
{
	push_if(event, false);
}

/* Copies the event at *position and steps on; false if there is none. */
static bool peek(const u64 *position, struct trustgate_event *event)
{
	unsigned long flags;
	bool any;

	raw_spin_lock_irqsave(&ring_lock, flags);
	any = *position != head;
	if (any)
		copy_event(event, place(*position));
	raw_spin_unlock_irqrestore(&ring_lock, flags);
	return any;
}

/*
 * Steps on unless the ring has overtaken the reader meanwhile. That happens to
 * the agent only, and what was on its way to it then was counted as missed.
 */
static void step(u64 *position, const struct trustgate_event *event)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ring_lock, flags);
	if (*position != head && place(*position)->seq == event->seq)
		(*position)++;
	else
		agent_missed--;
	raw_spin_unlock_irqrestore(&ring_lock, flags);
}

static void publish_work(struct work_struct *work)
{
	struct trustgate_event event;

	while (peek(&published, &event)) {
		if (event.type == TRUSTGATE_EVENT_TYPE_DENIED ||
		    event.type == TRUSTGATE_EVENT_TYPE_OBSERVED)
			trustgate_audit_denial(&event);
		trustgate_netlink_publish(&event);
		step(&published, &event);
		cond_resched();
	}
	trustgate_event_kick();
}

static bool any_untold(void)
{
	unsigned long flags;
	bool any;

	raw_spin_lock_irqsave(&ring_lock, flags);
	any = told != head;
	raw_spin_unlock_irqrestore(&ring_lock, flags);
	return any;
}

/*
 * The agent is told of what is next in line. Returns 1; 0 if nothing is;
 * -EAGAIN to try it again later; or -ENOTCONN if what is next is for the next
 * agent.
 */
static int tell_next(gfp_t gfp)
{
	struct trustgate_event event;
	u32 portid;
	int err;

	if (!peek(&told, &event))
		return 0;
	portid = trustgate_agent_portid();
	if (!portid)
		return -ENOTCONN;
	err = trustgate_agent_crowded() ? -EAGAIN :
	      trustgate_netlink_tell(portid, &event, gfp);
	if (err == -EAGAIN || err == -ENOBUFS || err == -ENOMEM)
		return -EAGAIN;
	if (err)
		return -ENOTCONN;
	step(&told, &event);
	return 1;
}

/* At most so many, unless another is at it already, who will look again. */
static void tell(unsigned int most, gfp_t gfp)
{
	int last = 1;

	if (test_and_set_bit_lock(0, &telling))
		return;
	while (most-- && (last = tell_next(gfp)) > 0) {
		if (gfpflags_allow_blocking(gfp))
			cond_resched();
	}
	clear_bit_unlock(0, &telling);
	/* Who has found us at it had put an event in line before. */
	smp_mb__after_atomic();
	if (last == -EAGAIN)
		queue_delayed_work(workqueue, &teller, AGENT_RETRY_JIFFIES);
	else if (any_untold())
		have_told();
}

static void tell_work(struct work_struct *work)
{
	unsigned long from = READ_ONCE(tell_from);

	if (time_before(jiffies, from))
		queue_delayed_work(workqueue, &teller, from - jiffies);
	else
		tell(UINT_MAX, GFP_KERNEL);
}

void trustgate_event_hand_over(void)
{
	if (time_before(jiffies, READ_ONCE(tell_from))) {
		have_told();
		return;
	}
	/* Whoever asks is not to be preempted while others rely on it to tell. */
	local_bh_disable();
	tell(HAND_OVER_MOST, GFP_ATOMIC | __GFP_NOWARN);
	local_bh_enable();
}

void trustgate_event_settle(void)
{
	WRITE_ONCE(tell_from, jiffies + AGENT_SETTLE_JIFFIES);
}

void trustgate_event_kick(void)
{
	if (trustgate_agent_portid())
		mod_delayed_work(workqueue, &teller, 0);
}

static void fill_process(struct trustgate_event *event,
			 const struct task_struct *task)
{
	event->pid = task_tgid_nr((struct task_struct *)task);
	event->tid = task_pid_nr((struct task_struct *)task);
	/* As in the initial user namespace, which maps each to itself. */
	event->uid = __kuid_val(task_uid(task));
	event->loginuid = __kuid_val(audit_get_loginuid((struct task_struct *)task));
	/* It may be changed meanwhile; what is read is of the same size. */
	memcpy(event->comm, task->comm, sizeof(event->comm));
	event->comm[sizeof(event->comm) - 1] = '\0';
}

static void fill_volume(struct trustgate_event *event,
			const struct trustgate_volume *volume)
{
	event->volume_id = volume->id;
	memcpy(event->volume_name, volume->name, sizeof(event->volume_name));
}

static void fill_path(struct trustgate_event *event, struct dentry *dentry)
{
	char *path;

	if (!dentry)
		return;
	path = dentry_path_raw(dentry, event->path, sizeof(event->path));
	if (IS_ERR(path)) {
		/* It was written from its end and fills the buffer. */
		event->path[sizeof(event->path) - 1] = '\0';
		event->path_cut = true;
		return;
	}
	memmove(event->path, path, strlen(path) + 1);
}

/* The same of a path that is known as text; NULL for none. */
static void fill_text(struct trustgate_event *event, const char *path,
		      size_t length)
{
	const size_t most = sizeof(event->path) - 1;

	if (!path)
		return;
	if (length > most) {
		path += length - most;
		length = most;
		event->path_cut = true;
	}
	memcpy(event->path, path, length + 1);
}

static bool push_access(u32 type, const struct trustgate_question *question,
			const struct trustgate_answer *answer, const char *hook,
			bool insist)
{
	struct trustgate_event event;

	blank_event(&event, type, question->now_ns);
	event.hook = hook;
	event.grant_id = answer->grant_id;
	event.tag = answer->tag;
	event.cause = answer->cause;
	event.access = question->access;
	event.ino = question->ino;
	event.generation = question->generation;
	if (question->volume)
		fill_volume(&event, question->volume);
	fill_process(&event, question->task);
	if (answer->target)
		event.target_pid = task_tgid_nr((void *)answer->target);
	fill_path(&event, question->dentry);
	return push_if(&event, insist);
}

void trustgate_event_verdict(const struct trustgate_question *question,
			     const struct trustgate_answer *answer,
			     const char *hook)
{
	push_access(answer->cause == TRUSTGATE_CAUSE_GRANTED ?
		    TRUSTGATE_EVENT_TYPE_ALLOWED : TRUSTGATE_EVENT_TYPE_DENIED,
		    question, answer, hook, false);
}

bool trustgate_event_insist(const struct trustgate_question *question,
			    const struct trustgate_answer *answer,
			    const char *hook)
{
	return push_access(TRUSTGATE_EVENT_TYPE_ALLOWED, question, answer, hook,
			   true);
}

void trustgate_event_observed(const struct trustgate_question *question,
			      const struct trustgate_answer *answer,
			      const char *hook)
{
	push_access(TRUSTGATE_EVENT_TYPE_OBSERVED, question, answer, hook,
		    false);
}

void trustgate_event_grant(u32 type, const struct trustgate_grant *grant,
			   u32 end)
{
	const u64 now_ns = type == TRUSTGATE_EVENT_TYPE_GRANT_ADDED ?
			   grant->created_boottime_ns : ktime_get_boottime_ns();
	const struct task_struct *task;
	struct trustgate_event *event;
	unsigned long flags;

	event = begin_event(type, now_ns, &flags);
	event->grant_id = grant->id;
	event->tag = grant->tag;
	event->access = grant->access;
	event->end = end;
	event->ino = grant->key.ino;
	event->generation = grant->key.generation;
	event->expires_boottime_ns = grant->expiry.expires;
	fill_volume(event, grant->volume);
	rcu_read_lock();
	task = pid_task((struct pid *)grant->key.pid, PIDTYPE_TGID);
	if (task)
		fill_process(event, task);
	rcu_read_unlock();
	end_event(event, false, flags);
}

/* What was noted when it was raised, for the process may be gone. */
void trustgate_event_request(u32 type, const struct trustgate_request *request,
			     const struct trustgate_volume *volume, u64 grant_id,
			     u64 now_ns, bool hand_over)
{
	struct trustgate_event *event;
	unsigned long flags;

	event = begin_event(type, now_ns, &flags);
	event->request_id = request->id;
	event->request_end = request->end;
	event->grant_id = grant_id;
	event->access = request->key.access;
	event->ino = request->key.ino;
	event->generation = request->key.generation;
	event->expires_boottime_ns = request->deadline_ns;
	event->pid = pid_nr(request->key.pid);
	event->tid = request->tid;
	event->uid = request->uid;
	event->loginuid = request->loginuid;
	event->volume_id = request->key.volume_id;
	if (type == TRUSTGATE_EVENT_TYPE_REQUEST_RAISED) {
		event->hook = trustgate_hook_name(TRUSTGATE_HOOK_file_open);
		event->cause = request->cause;
	}
	memcpy(event->comm, request->comm, sizeof(event->comm));
	fill_text(event, request->path, request->path_length);
	rcu_read_lock();
	if (!volume)
		volume = trustgate_volume_numbered(request->key.volume_id);
	if (volume)
		fill_volume(event, volume);
	rcu_read_unlock();
	end_event(event, hand_over, flags);
}

void trustgate_event_mappings(u32 type, u32 volume_id,
			      const struct task_struct *task, u32 mappings)
{
	struct trustgate_event event;
	const struct trustgate_volume *volume;

	blank_event(&event, type, ktime_get_boottime_ns());
	event.mappings = mappings;
	rcu_read_lock();
	volume = trustgate_volume_numbered(volume_id);
	if (volume)
		fill_volume(&event, volume);
	fill_process(&event, task);
	rcu_read_unlock();
	push(&event);
}

void trustgate_event_volume(u32 type, const struct trustgate_volume *volume)
{
	struct trustgate_event event;

	blank_event(&event, type, ktime_get_boottime_ns());
	fill_volume(&event, volume);
	push(&event);
}

void trustgate_event_observation(u32 type,
				 const struct trustgate_volume *volume,
				 u64 until_ns, u32 end)
{
	struct trustgate_event event;

	blank_event(&event, type, ktime_get_boottime_ns());
	event.expires_boottime_ns = until_ns;
	event.end = end;
	fill_volume(&event, volume);
	push(&event);
}

void trustgate_event_gate(u32 type)
{
	struct trustgate_event event;

	blank_event(&event, type, ktime_get_boottime_ns());
	push(&event);
}

void trustgate_event_totals(struct trustgate_event_totals *totals)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ring_lock, flags);
	totals->seq = last_seq;
	totals->dropped = dropped;
	totals->agent_missed = agent_missed;
	totals->length = max_events;
	raw_spin_unlock_irqrestore(&ring_lock, flags);
}

int trustgate_event_init(void)
{
	if (!is_power_of_2(max_events) || max_events < 16 ||
	    max_events > 1U << 20) {
		pr_err("trustgate: max_events=%u is not a power of two from 16 to 1048576\n",
		       max_events);
		return -EINVAL;
	}
	ring = vcalloc(max_events, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	/* Two works that each run at most once at a time, side by side. */
	workqueue = alloc_workqueue("trustgate_event", WQ_UNBOUND, 0);
	if (!workqueue) {
		vfree(ring);
		return -ENOMEM;
	}
	return 0;
}

void trustgate_event_stop(void)
{
	disable_work_sync(&publisher);
	disable_delayed_work_sync(&teller);
}

void trustgate_event_exit(void)
{
	destroy_workqueue(workqueue);
	vfree(ring);
}
