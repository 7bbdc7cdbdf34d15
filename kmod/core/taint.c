// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - processes whose memory may hold a volume's bytes; see taint.h.
 *
 * A note is keyed by the address of a task, which fork knows before the new
 * process has anything else. The task is compared and never followed: the hook
 * on its end takes the note away before the address can be used again.
 */

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/mm_types.h>
#include <linux/moduleparam.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "grant.h"
#include "taint.h"

static unsigned int max_tainted = 65536;
module_param(max_tainted, uint, 0644);
MODULE_PARM_DESC(max_tainted, "Most processes whose memory is guarded, or was looked at (default 65536)");

/*
 * How long after it was allowed to attach may a tracer still be on its way, or
 * a long read of memory be under way.
 */
#define ARRIVAL_NS	NSEC_PER_SEC

#define BUCKET_BITS	10

/* For memory that holds bytes of a volume yet to be known. */
#define NO_VOLUME_ID	U32_MAX

/**
 * struct note - what is known of a process
 * @node: in its bucket; RCU, changed under notes_lock
 * @task: its first thread; compared, never followed; constant
 * @volume_id: whose bytes its memory may hold, 0 for none; written under
 *	notes_lock
 * @admitted: and nobody could read it when they came; written under notes_lock
 * @kept: somebody may have its memory open; notes_lock
 * @told: a look at what /proc tells of it was recorded; notes_lock
 * @on_end: what becomes of its mappings that no grant covers any more, enum
 *	trustgate_on_end; only rises; written under notes_lock
 * @holders: by whose grants it was let in, or its memory is a copy of who was,
 *	if mappings end with them; likewise
 * @image: this is so for its program's, too; written under notes_lock
 * @busy: in how many passes in a row it was left alone; notes_lock
 * @pass: the last one that it was told to; that pass only
 * @attach_ns: when somebody was last allowed to attach; notes_lock
 * @rcu: lookups may see it until a grace period after its removal
 */
struct note {
	struct hlist_node node;
	const struct task_struct *task;
	u32 volume_id;
	bool admitted;
	bool kept;
	bool told;
	bool image;
	u8 on_end;
	u8 busy;
	u32 pass;
	struct trustgate_holders holders;
	u64 attach_ns;
	struct rcu_head rcu;
};

/* Innermost, as the hooks that take it run under locks of the kernel's own. */
static DEFINE_RAW_SPINLOCK(notes_lock);
static struct hlist_head buckets[1 << BUCKET_BITS];
static atomic_t nr_notes = ATOMIC_INIT(0);

static struct hlist_head *bucket_of(const struct task_struct *task)
{
	return &buckets[hash_ptr(task, BUCKET_BITS)];
}

static struct note *find(const struct task_struct *task)
{
	struct note *note;

	hlist_for_each_entry_rcu(note, bucket_of(task), node,
				 lockdep_is_held(&notes_lock)) {
		if (note->task == task)
			return note;
	}
	return NULL;
}

/* Memory for a note must not be asked for under the lock. */
static struct note *prepare(const struct task_struct *task)
{
	struct note *note;

	if (atomic_inc_return(&nr_notes) > READ_ONCE(max_tainted))
		goto fail;
	note = kzalloc(sizeof(*note), GFP_ATOMIC | __GFP_NOWARN);
	if (!note)
		goto fail;
	note->task = task;
	return note;

fail:
	atomic_dec(&nr_notes);
	return NULL;
}

static void discard(struct note *note)
{
	kfree(note);
	atomic_dec(&nr_notes);
}

/*
 * Takes the lock. Returns the task's note, made if there was none; NULL, with
 * the lock taken all the same, if it could not be made.
 */
static struct note *lock_note(const struct task_struct *task,
			      unsigned long *flags)
	__acquires(&notes_lock)
{
	struct note *fresh = find(task) ? NULL : prepare(task);
	struct note *note;

	raw_spin_lock_irqsave(&notes_lock, *flags);
	note = find(task);
	if (!note && fresh) {
		note = fresh;
		hlist_add_head_rcu(&note->node, bucket_of(task));
	} else if (fresh) {
		discard(fresh);
	}
	return note;
}

static void unlock_notes(unsigned long flags)
	__releases(&notes_lock)
{
	raw_spin_unlock_irqrestore(&notes_lock, flags);
}

/* May somebody who was let in earlier read the memory still? */
static bool looked_at(const struct note *note, u64 now_ns)
{
	return READ_ONCE(note->kept) ||
	       (note->attach_ns &&
		now_ns - READ_ONCE(note->attach_ns) < ARRIVAL_NS);
}

static bool traced(const struct task_struct *task)
{
	const struct task_struct *thread;

	for_each_thread(task, thread) {
		if (READ_ONCE(thread->ptrace))
			return true;
	}
	return false;
}

static void raise(struct note *note, u32 on_end,
		  const struct trustgate_holders *holders, bool image)
{
	trustgate_holders_add_all(&note->holders, holders);
	WRITE_ONCE(note->on_end, max_t(u8, note->on_end, on_end));
	WRITE_ONCE(note->image, note->image || (image && on_end));
}

/*
 * Marked before it is asked who traces: whoever comes to attach afterwards is
 * refused, and whoever was allowed to before has left a note. The mark stays
 * when somebody traces, which guards a little more than need be.
 */
static u32 taint(const struct task_struct *task, u32 volume_id, u32 on_end,
		 const struct trustgate_holders *holders, bool image,
		 u64 now_ns)
{
	const struct task_struct *leader = READ_ONCE(task->group_leader);
	unsigned long flags;
	struct note *note;
	u32 cause;

	note = lock_note(leader, &flags);
	if (!note)
		cause = TRUSTGATE_CAUSE_SUSPENDED;
	else if (!note->volume_id && looked_at(note, now_ns))
		cause = TRUSTGATE_CAUSE_TRACED;
	else
		cause = TRUSTGATE_CAUSE_GRANTED;
	if (cause == TRUSTGATE_CAUSE_GRANTED) {
		WRITE_ONCE(note->volume_id, volume_id);
		raise(note, on_end, holders, image);
	}
	unlock_notes(flags);
	if (cause == TRUSTGATE_CAUSE_GRANTED && traced(task))
		cause = TRUSTGATE_CAUSE_TRACED;
	return cause;
}

/* Until the next exec, which takes the note away, it is not asked again. */
static void admit(const struct task_struct *task)
{
	unsigned long flags;
	struct note *note;

	raw_spin_lock_irqsave(&notes_lock, flags);
	note = find(task);
	if (note)
		WRITE_ONCE(note->admitted, true);
	unlock_notes(flags);
}

bool trustgate_taint_shares(const struct task_struct *process,
			    const struct mm_struct *mm)
{
	const struct task_struct *thread;

	for_each_thread(process, thread) {
		if (!(thread->flags & PF_KTHREAD) && READ_ONCE(thread->mm) == mm)
			return true;
	}
	return false;
}

/* As vfork() and clone(CLONE_VM) leave it. A busy /proc looks like it, too. */
static bool may_share_memory(void)
{
	return current->mm && atomic_read(&current->mm->mm_users) >
			      get_nr_threads(current);
}

u32 trustgate_taint_hindrance(u64 now_ns)
{
	const struct note *note;

	if (current->ptrace)
		return TRUSTGATE_CAUSE_TRACED;
	note = find(current->group_leader);
	if (note && !READ_ONCE(note->volume_id) && looked_at(note, now_ns))
		return TRUSTGATE_CAUSE_TRACED;
	return TRUSTGATE_CAUSE_GRANTED;
}

/*
 * Nothing is asked again, unless its mappings are to end in a stricter way, or
 * with somebody else's grants.
 */
static bool admits(const struct note *note, u32 on_end,
		   const struct trustgate_holders *holders, bool image)
{
	if (!note || !READ_ONCE(note->admitted))
		return false;
	return !on_end || (READ_ONCE(note->on_end) >= on_end &&
			   trustgate_holders_have_all(&note->holders,
						      holders) &&
			   (!image || READ_ONCE(note->image)));
}

u32 trustgate_taint_current(u32 volume_id, u32 on_end,
			    const struct trustgate_holders *holders, bool image,
			    u64 now_ns)
{
	const struct note *note = find(current->group_leader);
	struct task_struct *process;
	u32 cause;

	if (current->ptrace)
		return TRUSTGATE_CAUSE_TRACED;
	if (admits(note, on_end, holders, image))
		return TRUSTGATE_CAUSE_GRANTED;
	if (may_share_memory()) {
		for_each_process(process) {
			if (same_thread_group(process, current) ||
			    !trustgate_taint_shares(process, current->mm))
				continue;
			cause = taint(process, volume_id, on_end, holders,
				      image, now_ns);
			if (cause != TRUSTGATE_CAUSE_GRANTED)
				return cause;
		}
	}
	cause = taint(current, volume_id, on_end, holders, image, now_ns);
	if (cause == TRUSTGATE_CAUSE_GRANTED)
		admit(current->group_leader);
	return cause;
}

struct trustgate_looked trustgate_taint_look(const struct task_struct *task,
					     bool attach, bool keeps,
					     u64 now_ns)
{
	const struct task_struct *leader = READ_ONCE(task->group_leader);
	struct trustgate_looked looked = {
		.cause = TRUSTGATE_CAUSE_GRANTED,
	};
	unsigned long flags;
	struct note *note;

	if (!attach && !find(leader))
		return looked;
	note = lock_note(leader, &flags);
	if (!note) {
		looked.cause = TRUSTGATE_CAUSE_SUSPENDED;
	} else if (note->volume_id) {
		looked.cause = TRUSTGATE_CAUSE_MEMORY;
		looked.volume_id = note->volume_id;
		looked.again = !attach && note->told;
		note->told |= !attach;
	} else if (attach) {
		WRITE_ONCE(note->kept, note->kept || keeps);
		WRITE_ONCE(note->attach_ns, now_ns);
	}
	unlock_notes(flags);
	return looked;
}

u32 trustgate_taint_of(const struct task_struct *task)
{
	const struct note *note = find(READ_ONCE(task->group_leader));

	return note ? READ_ONCE(note->volume_id) : 0;
}

/*
 * A fork takes the parent's memory a little later than it asks here. If the
 * parent has more threads, one of them may be about to have its first access.
 */
static const struct trustgate_subject *may_be_tainted_soon(void)
{
	return get_nr_threads(current) > 1 ?
	       trustgate_subject_find(task_tgid(current)) : NULL;
}

bool trustgate_taint_inherit(const struct task_struct *task)
{
	const struct trustgate_subject *soon = may_be_tainted_soon();
	const struct note *parents = find(READ_ONCE(current->group_leader));
	u32 volume_id = parents ? READ_ONCE(parents->volume_id) : 0;
	u32 on_end = soon ? READ_ONCE(soon->on_end) : TRUSTGATE_ON_END_DENY_IO;
	bool image = parents && READ_ONCE(parents->image);
	struct trustgate_holders holders = {};
	unsigned long flags;
	struct note *note;

	if (!volume_id && soon)
		volume_id = NO_VOLUME_ID;
	if (!volume_id)
		return true;
	if (parents) {
		on_end = max_t(u32, on_end, READ_ONCE(parents->on_end));
		trustgate_holders_add_all(&holders, &parents->holders);
	}
	if (soon)
		trustgate_holders_add(&holders,
				      current->group_leader->start_boottime);
	note = lock_note(task, &flags);
	if (note) {
		WRITE_ONCE(note->volume_id, volume_id);
		raise(note, on_end, &holders, image);
	}
	unlock_notes(flags);
	return note;
}

unsigned int trustgate_taint_marked(struct trustgate_marked *marked,
				    unsigned int max, u32 pass)
{
	struct task_struct *process;
	unsigned int count = 0;
	struct note *note;

	rcu_read_lock();
	for_each_process(process) {
		note = find(process);
		if (!note || !READ_ONCE(note->on_end) || note->pass == pass)
			continue;
		note->pass = pass;
		marked[count] = (struct trustgate_marked) {
			.task = get_task_struct(process),
			.on_end = READ_ONCE(note->on_end),
			.image = READ_ONCE(note->image),
		};
		trustgate_holders_add_all(&marked[count++].holders,
					  &note->holders);
		if (count == max)
			break;
	}
	rcu_read_unlock();
	return count;
}

unsigned int trustgate_taint_busy(const struct task_struct *task, bool busy)
{
	unsigned int times = 0;
	unsigned long flags;
	struct note *note;

	raw_spin_lock_irqsave(&notes_lock, flags);
	note = find(task);
	if (note) {
		note->busy = busy ? min(note->busy + 1, U8_MAX) : 0;
		times = note->busy;
	}
	unlock_notes(flags);
	return times;
}

/* Takes a note away, under the lock; frees it without, which allocates. */
static bool take_away(struct hlist_head *bucket, const struct task_struct *task)
{
	unsigned long flags;
	struct note *note;

	raw_spin_lock_irqsave(&notes_lock, flags);
	hlist_for_each_entry(note, bucket, node) {
		if (!task || note->task == task) {
			hlist_del_rcu(&note->node);
			atomic_dec(&nr_notes);
			break;
		}
	}
	unlock_notes(flags);
	if (note)
		kfree_rcu(note, rcu);
	return note;
}

void trustgate_taint_forget(const struct task_struct *task)
{
	struct hlist_head *bucket = bucket_of(task);

	/* Most tasks of a host have none. */
	if (!hlist_empty(bucket))
		take_away(bucket, task);
}

void trustgate_taint_forget_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(buckets); i++) {
		while (take_away(&buckets[i], NULL))
			;
	}
}
