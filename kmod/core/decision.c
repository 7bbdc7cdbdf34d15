// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the decision; see decision.h.
 */

#include <kunit/visibility.h>
#include <linux/dcache.h>
#include <linux/export.h>
#include <linux/pid.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>

#include "../compat.h"
#include "decision.h"
#include "subvolume.h"

/*
 * How many parents are asked for a grant that covers descendants. A service's
 * process trees are a few levels deep; a limit keeps a check bounded.
 */
#define ANCESTORS_MAX	32

/* At most one limited grant for each bit of access can be needed. */
#define LIMITED_MAX	5
static_assert(TRUSTGATE_ACCESS_META == 1 << (LIMITED_MAX - 1));

/* In the place of access that is missing: any grant at all. */
#define PRESENCE	BIT(31)

/**
 * struct search - a decision under way
 * @question: what is asked
 * @exec_id: self_exec_id of the process that asks, and of the ancestor whose
 *	grants are weighed; TRUSTGATE_NO_EXEC_ID if they differ
 * @missing: access that no grant has covered yet, or PRESENCE
 * @limited_access: access that @limited cover
 * @nr_limited: how many limited grants cover something, to be used if needed
 * @limited: these; each covers something that the others before it do not
 * @by: grant that allows, the last of several
 * @basis: what an allow will be founded on
 * @on_end: the strictest of the grants that allow
 * @holders: of those whose end ends mappings
 * @best: cause to report if it is a denial
 * @blamed: grant behind @best
 */
struct search {
	const struct trustgate_question *question;
	u64 exec_id;
	u32 missing;
	u32 limited_access;
	unsigned int nr_limited;
	struct trustgate_grant *limited[LIMITED_MAX];
	struct trustgate_grant *by;
	struct trustgate_basis basis;
	u32 on_end;
	struct trustgate_holders holders;
	u32 best;
	struct trustgate_grant *blamed;
};

/* From the least to the most telling cause of a denial. */
static const u8 telling[TRUSTGATE_CAUSE_COUNT] = {
	[TRUSTGATE_CAUSE_NO_GRANT] = 0,
	[TRUSTGATE_CAUSE_UNREACHABLE] = 1,
	[TRUSTGATE_CAUSE_WRONG_ACCESS] = 2,
	[TRUSTGATE_CAUSE_EXEC_CHANGED] = 3,
	[TRUSTGATE_CAUSE_NOT_YET] = 4,
	[TRUSTGATE_CAUSE_EXPIRED] = 5,
	[TRUSTGATE_CAUSE_USED_UP] = 6,
	[TRUSTGATE_CAUSE_UNSUPERVISED] = 7,
};

static void note_denial(struct search *search, u32 cause,
			struct trustgate_grant *grant)
{
	if (search->best != TRUSTGATE_CAUSE_NO_GRANT &&
	    telling[cause] <= telling[search->best])
		return;
	search->best = cause;
	search->blamed = grant;
}

/*
 * Keep a limited grant for settle(), for unlimited ones go first. One that is
 * used up already must not keep one that is not from being found.
 */
static void weigh_limited(struct search *search, struct trustgate_grant *grant)
{
	if (atomic_read(&grant->uses) >= grant->max_uses) {
		note_denial(search, TRUSTGATE_CAUSE_USED_UP, grant);
		return;
	}
	if (!(grant->access & search->missing & ~search->limited_access))
		return;
	search->limited_access |= grant->access;
	search->limited[search->nr_limited++] = grant;
}

/*
 * An exec opens its program before it is done and begins a grant for the next
 * exec. What is open for execution only gives the subject no other access. To
 * open it, the exec has to get there.
 */
static u64 exec_id_for(const struct search *search,
		       const struct trustgate_grant *grant)
{
	const struct trustgate_question *question = search->question;
	const u32 access = question->presence ?
			   grant->access & TRUSTGATE_ACCESS_EXEC :
			   question->access;

	return access == TRUSTGATE_ACCESS_EXEC &&
	       grant->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC &&
	       grant->exec_id == search->exec_id + 1 ? grant->exec_id :
						       search->exec_id;
}

/* One of those that allow. */
static void take(struct search *search, struct trustgate_grant *grant)
{
	search->missing &= search->question->presence ? 0 : ~grant->access;
	search->by = grant;
	if (!grant->on_end)
		return;
	search->on_end = max_t(u32, search->on_end, grant->on_end);
	trustgate_holders_add(&search->holders, grant->start_ns);
}

/* Let one grant that covers subject and object have its say. */
static void weigh(struct search *search, struct trustgate_grant *grant)
{
	const struct trustgate_question *question = search->question;
	u32 cause;

	if (!READ_ONCE(grant->in_force))
		return;
	if (!question->presence && !(grant->access & search->missing)) {
		note_denial(search, TRUSTGATE_CAUSE_WRONG_ACCESS, grant);
		return;
	}
	cause = trustgate_judge(grant, exec_id_for(search, grant),
				question->now_ns);
	if (cause != TRUSTGATE_CAUSE_GRANTED) {
		note_denial(search, cause, grant);
		return;
	}
	if (grant->max_uses && question->takes_use) {
		weigh_limited(search, grant);
		return;
	}
	take(search, grant);
	search->basis.until_ns = min_t(u64, search->basis.until_ns,
				       READ_ONCE(grant->live_until_ns));
	if (search->missing)
		note_denial(search, TRUSTGATE_CAUSE_WRONG_ACCESS, grant);
}

/* Does a grant of an ancestor cover what it forked at that time? */
static bool covers_child(const struct trustgate_grant *grant,
			 u64 child_start_ns)
{
	return grant->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS &&
	       child_start_ns >= grant->since_ns;
}

/* Weigh all grants of one subject, or of one ancestor, on one inode. */
static void weigh_key(struct search *search, const struct trustgate_key *key,
		      u64 child_start_ns)
{
	struct trustgate_grant *grant;
	struct rhlist_head *pos;

	rhl_for_each_entry_rcu(grant, pos, trustgate_grants_of(key), node) {
		if (child_start_ns && !covers_child(grant, child_start_ns))
			continue;
		weigh(search, grant);
		if (!search->missing)
			return;
	}
}

/* Weigh all grants of one subject, or of one ancestor, on the volume. */
static void weigh_presence(struct search *search, const struct pid *pid,
			   u64 child_start_ns)
{
	const struct trustgate_presence *presence;
	struct trustgate_grant *grant;

	presence = trustgate_presence_find(pid, search->question->volume);
	if (!presence)
		return;
	list_for_each_entry_rcu(grant, &presence->grants, of_presence) {
		if (child_start_ns && !covers_child(grant, child_start_ns))
			continue;
		weigh(search, grant);
		if (!search->missing)
			return;
	}
}

/*
 * Weigh the subtree grants on the object and the directories above it. The
 * walk is right only if no rename moved them meanwhile; then all is weighed
 * anew from what was known before.
 */
static void weigh_subtrees(struct search *search, struct trustgate_key *key,
			   u64 child_start_ns)
{
	const struct search before = *search;
	struct dentry *dentry, *parent;
	const struct inode *inode;
	unsigned int seq;

	key->kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	do {
		seq = read_seqbegin(&rename_lock);
		*search = before;
		for (dentry = search->question->dentry;; dentry = parent) {
			inode = d_inode_rcu(dentry);
			if (inode) {
				key->ino = inode->i_ino;
				key->subvolume =
					trustgate_subvolume(key->volume, inode,
							    dentry);
				key->generation = inode->i_generation;
				weigh_key(search, key, child_start_ns);
				if (!search->missing)
					break;
			}
			parent = READ_ONCE(dentry->d_parent);
			if (parent == dentry)
				break;
		}
	} while (read_seqretry(&rename_lock, seq));
}

/*
 * Weigh what one process holds. @child_start_ns is 0 if it is the asking
 * process itself, else the start of its child that the asking process is or
 * descends from: a grant covers only what was forked after it was given.
 */
static void weigh_process(struct search *search, const struct pid *pid,
			  u64 child_start_ns)
{
	const struct trustgate_question *question = search->question;
	struct trustgate_key key = {
		.pid = pid,
		.volume = question->volume,
		.ino = question->ino,
		.subvolume = question->subvolume,
		.generation = question->generation,
		.kind = TRUSTGATE_OBJECT_KIND_FILE,
	};
	const struct trustgate_subject *subject;

	if (question->presence) {
		weigh_presence(search, pid, child_start_ns);
		return;
	}
	if (!question->whole)
		weigh_key(search, &key, child_start_ns);
	if (!search->missing)
		return;
	subject = trustgate_subject_find(pid);
	if (!subject || !READ_ONCE(subject->nr_subtrees))
		return;
	if (!question->dentry) {
		note_denial(search, TRUSTGATE_CAUSE_UNREACHABLE, NULL);
		return;
	}
	weigh_subtrees(search, &key, child_start_ns);
	search->basis.by_name = true;
}

/*
 * Weigh what the parents hold for their descendants. A parent that exits
 * hands its children to another process, so the chain ends there; a task that
 * is just leaving shows no pid, which ends it, too. It also ends at the init of
 * a pid namespace, even if that is itself a descendant: whoever enters the
 * namespace can leave a child there, which becomes the child of this init.
 */
static void weigh_ancestors(struct search *search)
{
	const struct task_struct *task = search->question->task;
	const u64 exec_id = search->exec_id;
	const struct trustgate_subject *subject;
	u64 child_start_ns, holds_exec_id;
	const struct pid *pid;
	unsigned int depth;

	/* Of one that is gone, whom another looks at, nobody keeps the parent. */
	if (!pid_alive(task))
		return;
	for (depth = 0; depth < ANCESTORS_MAX; depth++) {
		child_start_ns = task->group_leader->start_boottime;
		task = rcu_dereference(task->real_parent);
		pid = task_tgid((struct task_struct *)task);
		if (!pid || is_child_reaper((struct pid *)pid))
			return;
		subject = trustgate_subject_find(pid);
		if (subject && READ_ONCE(subject->nr_descendants)) {
			/* Its own exec ends what its children had by it, too. */
			holds_exec_id = READ_ONCE(task->self_exec_id);
			search->exec_id = holds_exec_id == exec_id ?
				exec_id : TRUSTGATE_NO_EXEC_ID;
			search->basis.generations = depth + 1;
			search->basis.parent = task;
			search->basis.parent_pid = pid;
			search->basis.parent_exec_id = holds_exec_id;
			weigh_process(search, pid, child_start_ns);
			if (!search->missing)
				return;
		}
	}
}

/* Use limited grants for what is missing; take back uses if that fails. */
static void settle(struct search *search)
{
	struct trustgate_grant *grant;
	unsigned int i, taken = 0;

	for (i = 0; i < search->nr_limited && search->missing; i++) {
		grant = search->limited[i];
		if (!(grant->access & search->missing))
			continue;
		if (!atomic_add_unless(&grant->uses, 1, grant->max_uses)) {
			note_denial(search, TRUSTGATE_CAUSE_USED_UP, grant);
			continue;
		}
		take(search, grant);
		search->limited[taken++] = grant;
		if (search->missing)
			note_denial(search, TRUSTGATE_CAUSE_WRONG_ACCESS,
				    grant);
	}
	if (search->missing) {
		while (taken--)
			atomic_dec(&search->limited[taken]->uses);
	}
}

/* Would it allow the same again, as long as its holder executes nothing? */
static bool is_own(const struct trustgate_grant *grant,
		   const struct task_struct *task)
{
	return grant->key.pid == task_tgid((struct task_struct *)task) &&
	       (grant->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC ||
		grant->exec_id == task->self_exec_id);
}

/*
 * Does the task act for whoever has one of the process's rings? The thread that
 * polls a ring submits what is found there, also by a child that inherited it,
 * and nothing tells whose it was. It hands on to workers, which look like those
 * of other threads, but are only there as long as it is.
 */
static bool polled(const struct task_struct *task)
{
	const struct task_struct *thread;

	if (likely(!(task->flags & PF_IO_WORKER)))
		return false;
	for_each_thread(task, thread) {
		if (trustgate_polls(thread))
			return true;
	}
	return false;
}

void trustgate_decide(const struct trustgate_question *question,
		      struct trustgate_answer *answer)
{
	struct search search = {
		.question = question,
		.exec_id = question->task->self_exec_id,
		.missing = question->presence ? PRESENCE : question->access,
		.basis.until_ns = U64_MAX,
		.best = TRUSTGATE_CAUSE_NO_GRANT,
	};

	answer->grant_id = 0;
	answer->tag = 0;
	answer->own = NULL;
	answer->on_end = TRUSTGATE_ON_END_DENY_IO;
	answer->holders = (struct trustgate_holders) {};
	answer->target = NULL;
	if (question->task->flags & PF_KTHREAD) {
		answer->cause = TRUSTGATE_CAUSE_KERNEL_THREAD;
		return;
	}
	if (polled(question->task)) {
		answer->cause = TRUSTGATE_CAUSE_POLLED;
		return;
	}

	weigh_process(&search, task_tgid((struct task_struct *)question->task),
		      0);
	if (search.missing && READ_ONCE(question->volume->nr_descendants))
		weigh_ancestors(&search);
	if (search.missing && search.nr_limited)
		settle(&search);

	answer->cause = TRUSTGATE_CAUSE_GRANTED;
	if (search.missing) {
		answer->cause = search.best;
		search.by = search.blamed;
	} else {
		answer->basis = search.basis;
		answer->on_end = search.on_end;
		if (search.on_end)
			answer->holders = search.holders;
	}
	if (search.by) {
		answer->grant_id = search.by->id;
		answer->tag = search.by->tag;
		if (!search.missing && is_own(search.by, question->task))
			answer->own = search.by;
	}
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_decide);
