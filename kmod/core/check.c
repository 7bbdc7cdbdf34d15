// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - from a hook to a verdict; see check.h.
 */

#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "agent.h"
#include "ask.h"
#include "canary.h"
#include "check.h"
#include "decision.h"
#include "event.h"
#include "observe.h"
#include "recent.h"
#include "subvolume.h"
#include "taint.h"
#include "trace.h"

#define HOOK_NAME(name, ...) [TRUSTGATE_HOOK_##name] = #name,

static const char * const hook_names[TRUSTGATE_HOOK_COUNT] = {
	TRUSTGATE_HOOKS(HOOK_NAME, HOOK_NAME, HOOK_NAME)
};

const char *trustgate_hook_name(enum trustgate_hook hook)
{
	return hook_names[hook];
}

/* Count, trace and record an answer. What is asked is recorded as a request. */
static int enforce(enum trustgate_hook hook,
		   const struct trustgate_question *question,
		   const struct trustgate_answer *answer)
{
	static const struct trustgate_answer unrecorded = {
		.cause = TRUSTGATE_CAUSE_UNRECORDED,
	};
	const struct trustgate_volume *volume = question->volume;
	bool allowed = answer->cause == TRUSTGATE_CAUSE_GRANTED;
	bool records = !allowed ||
		       (question->takes_use &&
			READ_ONCE(volume->settings.record) &
			TRUSTGATE_RECORD_ALLOWED);

	if (allowed && records &&
	    unlikely(READ_ONCE(volume->settings.audit) ==
		     TRUSTGATE_AUDIT_STRICT)) {
		records = !trustgate_event_insist(question, answer,
						  hook_names[hook]);
		if (records) {
			answer = &unrecorded;
			allowed = false;
		}
	}
	if (volume)
		this_cpu_inc(volume->counters->cause[answer->cause]);
	trace_trustgate_verdict(hook_names[hook], question, answer);
	if (answer->cause == TRUSTGATE_CAUSE_ASKED)
		return -ERESTARTNOINTR;
	if (records)
		trustgate_event_verdict(question, answer, hook_names[hook]);
	return allowed ? 0 : -EACCES;
}

/* What would outlast the observation, and be in the way of who is allowed in. */
static bool outlasts(enum trustgate_hook hook)
{
	return hook == TRUSTGATE_HOOK_sb_mount ||
	       hook == TRUSTGATE_HOOK_move_mount ||
	       hook == TRUSTGATE_HOOK_sb_pivotroot;
}

/*
 * As enforce(), of what a grant could allow: on a volume that is observed it is
 * done without one.
 */
static int conclude(enum trustgate_hook hook,
		    const struct trustgate_question *question,
		    const struct trustgate_answer *answer)
{
	if (answer->cause == TRUSTGATE_CAUSE_GRANTED ||
	    likely(!trustgate_observed(question->volume, question->now_ns)) ||
	    outlasts(hook))
		return enforce(hook, question, answer);
	trace_trustgate_verdict(hook_names[hook], question, answer);
	trustgate_observe_access(question, answer, hook_names[hook]);
	return 0;
}

/*
 * May the bytes get into the process's memory? From here on it is guarded. What
 * is only executed gets into the memory that the exec makes, see
 * trustgate_check_image(); but who traces the process sees that, too.
 */
static void guard_memory(const struct trustgate_question *question,
			 struct trustgate_answer *answer)
{
	if (question->access & TRUSTGATE_TAINTING)
		answer->cause = trustgate_taint_current(question->volume->id,
							answer->on_end,
							&answer->holders, false,
							question->now_ns);
	else if (question->access & TRUSTGATE_ACCESS_EXEC && current->ptrace)
		answer->cause = TRUSTGATE_CAUSE_TRACED;
	else
		return;
	if (answer->cause == TRUSTGATE_CAUSE_GRANTED && answer->own)
		WRITE_ONCE(answer->own->tainted_exec_id,
			   current->self_exec_id);
}

/* Would guard_memory() let nobody in? */
static bool hindered(const struct trustgate_question *question)
{
	if (question->access & TRUSTGATE_TAINTING)
		return trustgate_taint_hindrance(question->now_ns) !=
		       TRUSTGATE_CAUSE_GRANTED;
	return question->access & TRUSTGATE_ACCESS_EXEC && current->ptrace;
}

/* No use is taken of a grant for what its holder's memory forbids. */
static noinline int check_thoroughly(enum trustgate_hook hook,
				     struct trustgate_question *question,
				     struct trustgate_basis *basis)
{
	const bool takes_use = question->takes_use;
	const bool in_vain = hindered(question);
	struct trustgate_answer answer __uninitialized;

	if (in_vain)
		question->takes_use = false;
	trustgate_decide(question, &answer);
	question->takes_use = takes_use;
	/* Grants that are used up were not left out for it, though it be gone by now. */
	if (answer.cause == TRUSTGATE_CAUSE_GRANTED && in_vain)
		answer.cause = TRUSTGATE_CAUSE_TRACED;
	else if (answer.cause == TRUSTGATE_CAUSE_GRANTED)
		guard_memory(question, &answer);
	else if (question->opening && !in_vain &&
		 !trustgate_observed(question->volume, question->now_ns))
		answer.cause = trustgate_ask(question, answer.cause);
	if (basis && answer.cause == TRUSTGATE_CAUSE_GRANTED)
		*basis = answer.basis;
	return conclude(hook, question, &answer);
}

/* Is there nothing to do about an allowed access but to count it? */
static __always_inline bool untold(const struct trustgate_volume *volume,
				   bool takes_use)
{
	return !(takes_use && READ_ONCE(volume->settings.record)) &&
	       !trace_trustgate_verdict_enabled();
}

/*
 * Every access to a volume that is not remembered comes through here; see also
 * decision.h. @basis, if not NULL, is set where a volume's grants allow. The time
 * is looked at here where @now_ns is 0.
 */
static __always_inline int check(enum trustgate_hook hook,
				 const struct inode *inode,
				 struct dentry *dentry, u32 access,
				 bool takes_use, bool whole,
				 struct trustgate_opening *opening,
				 struct trustgate_basis *basis, u64 now_ns)
{
	const struct trustgate_volume *volume;
	const struct trustgate_grant *grant;
	u64 subvolume;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	volume = trustgate_volume_find(inode->i_sb);
	if (unlikely(!volume))
		return trustgate_canary_noted(inode->i_sb, hook) ? -EACCES : 0;

	if (!now_ns)
		now_ns = ktime_get_boottime_ns();
	subvolume = trustgate_subvolume(volume, inode, dentry);
	/* An open has been through opens_at_once() before. */
	if (!(opening && !volume->has_subvolumes) && !whole &&
	    untold(volume, takes_use)) {
		grant = trustgate_granted_at_once(volume, inode, subvolume,
						  access, takes_use, current,
						  now_ns);
		if (grant) {
			this_cpu_inc(volume->counters->cause[TRUSTGATE_CAUSE_GRANTED]);
			if (basis)
				basis->until_ns =
					READ_ONCE(grant->live_until_ns);
			return 0;
		}
	}
	return check_thoroughly(hook, &(struct trustgate_question) {
		.volume = volume,
		.dentry = dentry,
		.ino = inode->i_ino,
		.subvolume = subvolume,
		.generation = inode->i_generation,
		.access = access,
		.takes_use = takes_use,
		.whole = whole,
		.opening = opening,
		.task = current,
		.now_ns = now_ns,
	}, basis);
}

static noinline int check_anew(enum trustgate_hook hook,
			       const struct file *file, u32 access)
{
	const struct trustgate_circumstances before = trustgate_recent_look();
	const struct inode *inode = file_inode(file);
	const struct trustgate_volume *volume;
	struct trustgate_basis basis = {};
	int err;

	err = check(hook, inode, trustgate_name_of(file), access, false, false,
		    NULL, &basis, 0);
	volume = trustgate_volume_find(inode->i_sb);
	/* Not set for what is on no volume, which may be one by now. */
	if (!err && basis.until_ns && volume)
		trustgate_recent_keep(&before, file, access, volume, &basis);
	return err;
}

int trustgate_check_file(enum trustgate_hook hook, const struct file *file,
			 u32 access)
{
	if (!access)
		return 0;
	return check(hook, file_inode(file), trustgate_name_of(file), access,
		     true, false, NULL, NULL, 0);
}

/* The program in this hook may sleep, and so is not in RCU itself. */
static noinline int check_opening(const struct file *file, u32 access,
				  struct trustgate_opening *opening, u64 now_ns)
{
	guard(rcu)();
	return check(TRUSTGATE_HOOK_file_open, file_inode(file),
		     trustgate_name_of(file), access, true, false, opening,
		     NULL, now_ns);
}

/* Answered soon, the open goes on from here, and is not begun anew. */
static noinline int wait_opening(const struct file *file, u32 access, u64 now_ns)
{
	struct trustgate_opening opening = { .file = file };
	int err;

	err = check_opening(file, access, &opening, now_ns);
	if (opening.request && trustgate_ask_wait(&opening))
		err = check_opening(file, access, &opening, 0);
	if (!opening.request)
		return err;
	if (trustgate_ask_later(&opening))
		return -ERESTARTNOINTR;
	return check_opening(file, access, NULL, 0);
}

/*
 * As in check(), where there are no subvolumes; false says nothing. @now_ns is set
 * if the time was looked at.
 */
static __always_inline bool opens_at_once(const struct file *file, u32 access,
					  u64 *now_ns)
{
	const struct inode *inode = file_inode(file);
	const struct trustgate_volume *volume;

	volume = trustgate_volume_find(inode->i_sb);
	if (!volume || volume->has_subvolumes || !untold(volume, true))
		return false;
	*now_ns = ktime_get_boottime_ns();
	if (!trustgate_granted_at_once(volume, inode, TRUSTGATE_NO_SUBVOLUME,
				       access, true, current, *now_ns))
		return false;
	this_cpu_inc(volume->counters->cause[TRUSTGATE_CAUSE_GRANTED]);
	return true;
}

int trustgate_check_open(const struct file *file, u32 access)
{
	u64 now_ns = 0;
	bool allowed;

	rcu_read_lock();
	allowed = opens_at_once(file, access, &now_ns);
	rcu_read_unlock();
	return allowed ? 0 : wait_opening(file, access, now_ns);
}

int trustgate_check_again(enum trustgate_hook hook, const struct file *file,
			  u32 access)
{
	if (!access)
		return 0;
	/*
	 * What is remembered was allowed when nobody could read the memory, and
	 * to a thread that acts for the process alone.
	 */
	if (!current->ptrace && !(current->flags & PF_IO_WORKER) &&
	    !trace_trustgate_verdict_enabled() &&
	    trustgate_recent_allows(file, access))
		return 0;
	return check_anew(hook, file, access);
}

/*
 * Nobody may, whatever is granted. @file is what it is wanted of, or NULL where
 * it is the whole volume.
 */
static int forbid(enum trustgate_hook hook,
		  const struct trustgate_volume *volume,
		  const struct file *file, u32 access)
{
	const struct trustgate_answer answer = {
		.cause = TRUSTGATE_CAUSE_FORBIDDEN,
	};
	struct trustgate_question question = {
		.volume = volume,
		.access = access,
		.takes_use = true,
		.task = current,
		.now_ns = ktime_get_boottime_ns(),
	};

	if (file) {
		question.dentry = trustgate_name_of(file);
		question.ino = file_inode(file)->i_ino;
		question.generation = file_inode(file)->i_generation;
	}
	return enforce(hook, &question, &answer);
}

int trustgate_forbid(enum trustgate_hook hook, const struct file *file)
{
	const struct super_block *sb = file_inode(file)->i_sb;
	const struct trustgate_volume *volume;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	volume = trustgate_volume_find(sb);
	if (!volume)
		return trustgate_canary_noted(sb, hook) ? -EACCES : 0;
	return forbid(hook, volume, file, 0);
}

int trustgate_forbid_by(enum trustgate_hook hook,
			const struct trustgate_volume *volume)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	return volume ? forbid(hook, volume, NULL, 0) : 0;
}

/* Has current any grant there? */
static bool may_access(const struct trustgate_volume *volume, u64 now_ns)
{
	const struct trustgate_question question = {
		.volume = volume,
		.presence = true,
		.task = current,
		.now_ns = now_ns,
	};
	struct trustgate_answer answer;

	trustgate_decide(&question, &answer);
	return answer.cause == TRUSTGATE_CAUSE_GRANTED;
}

/*
 * Could current have a file of an observed volume by the time the device looks?
 * Only who shares its descriptors could put one there meanwhile.
 */
static bool may_be_handed(const struct trustgate_volume *volume, u64 now_ns)
{
	const struct files_struct *files = current->files;

	return trustgate_observed(volume, now_ns) && files &&
	       atomic_read(&files->count) > 1;
}

/* For iterate_fd(). @found: where to put the volume that the file is on. */
static int find_volume_of(const void *found, struct file *file, unsigned int fd)
{
	const struct trustgate_volume **volume = *(void * const *)found;

	*volume = trustgate_volume_find(file_inode(file)->i_sb);
	return *volume ? 1 : 0;
}

int trustgate_check_handover(enum trustgate_hook hook)
{
	const struct trustgate_volume *volume = NULL;
	const struct trustgate_volume **found = &volume;
	u64 now_ns = ktime_get_boottime_ns();

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	trustgate_volume_each(volume) {
		if (may_access(volume, now_ns) ||
		    may_be_handed(volume, now_ns))
			return forbid(hook, volume, NULL, 0);
	}
	volume = NULL;
	iterate_fd(current->files, 0, find_volume_of, &found);
	return trustgate_forbid_by(hook, volume);
}

int trustgate_check_device(enum trustgate_hook hook, dev_t dev, u32 access)
{
	const struct trustgate_volume *volume;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	volume = trustgate_volume_on(dev);
	if (!volume)
		return trustgate_canary_on(dev, hook) ? -EACCES : 0;
	return forbid(hook, volume, NULL, access);
}

int trustgate_check_node(enum trustgate_hook hook, dev_t dev, u32 access)
{
	const struct trustgate_volume *volume;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	volume = trustgate_volume_behind(dev);
	return volume ? forbid(hook, volume, NULL, access) : 0;
}

int trustgate_check_opened(enum trustgate_hook hook, const struct file *file,
			   u32 access)
{
	const struct inode *inode = file_inode(file);
	const struct trustgate_volume *volume;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	if (likely(!trustgate_volume_near(inode->i_rdev)))
		return 0;
	volume = S_ISBLK(inode->i_mode) ?
		 trustgate_volume_itself_on(inode->i_rdev) :
		 trustgate_volume_behind(inode->i_rdev);
	return volume ? forbid(hook, volume, NULL, access) : 0;
}

int trustgate_check_dentry(enum trustgate_hook hook, struct dentry *dentry,
			   u32 access, bool takes_use)
{
	return check(hook, d_inode(dentry), dentry, access, takes_use, false,
		     NULL, NULL, 0);
}

int trustgate_check_presence(enum trustgate_hook hook,
			     const struct inode *inode, struct dentry *dentry,
			     bool again)
{
	struct trustgate_question question;
	struct trustgate_answer answer;
	const struct trustgate_volume *volume;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	volume = trustgate_volume_find(inode->i_sb);
	if (unlikely(!volume))
		return trustgate_canary_noted(inode->i_sb, hook) ? -EACCES : 0;
	if (READ_ONCE(volume->settings.metadata) != TRUSTGATE_METADATA_HIDDEN)
		return 0;

	question = (struct trustgate_question) {
		.volume = volume,
		.dentry = dentry,
		.ino = inode->i_ino,
		.generation = inode->i_generation,
		.presence = true,
		.task = current,
		.now_ns = ktime_get_boottime_ns(),
	};
	trustgate_decide(&question, &answer);
	if (answer.cause != TRUSTGATE_CAUSE_GRANTED) {
		if (trustgate_agent_is(current))
			return 0;
		if (again)
			return -ECHILD;
	}
	return conclude(hook, &question, &answer);
}

int trustgate_check_transfer(enum trustgate_hook hook, struct dentry *dentry)
{
	return check(hook, d_inode(dentry), dentry,
		     TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE, true,
		     d_is_dir(dentry), NULL, NULL, 0);
}

int trustgate_check_image(enum trustgate_hook hook, const struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct trustgate_question question;
	const struct trustgate_volume *volume;
	struct trustgate_answer answer;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	volume = trustgate_volume_find(inode->i_sb);
	if (!volume)
		return 0;
	question = (struct trustgate_question) {
		.volume = volume,
		.dentry = trustgate_name_of(file),
		.ino = inode->i_ino,
		.subvolume = trustgate_subvolume(volume, inode, NULL),
		.generation = inode->i_generation,
		.access = TRUSTGATE_ACCESS_EXEC,
		.task = current,
		.now_ns = ktime_get_boottime_ns(),
	};
	/* Only to learn whether a grant that lives on covers the program. */
	trustgate_decide(&question, &answer);
	/* What everybody may read is not guarded. */
	if (answer.cause != TRUSTGATE_CAUSE_GRANTED &&
	    trustgate_observed(volume, question.now_ns))
		return 0;
	answer.cause = trustgate_taint_current(volume->id, answer.on_end,
					       &answer.holders, true,
					       question.now_ns);
	if (answer.cause == TRUSTGATE_CAUSE_GRANTED)
		return 0;
	return conclude(hook, &question, &answer);
}

/* Refuse current what it wants of a process; the volume may be gone. */
static int refuse(enum trustgate_hook hook, u32 cause, u32 volume_id,
		  const struct task_struct *target, u64 now_ns)
{
	return enforce(hook, &(struct trustgate_question) {
		.volume = trustgate_volume_numbered(volume_id),
		.access = TRUSTGATE_ACCESS_READ,
		.task = current,
		.now_ns = now_ns,
	}, &(struct trustgate_answer) {
		.cause = cause,
		.target = target,
	});
}

int trustgate_check_memory(enum trustgate_hook hook,
			   const struct task_struct *task, bool attach,
			   bool keeps)
{
	u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_looked looked;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	/* It has to learn of who asks for more which program he executes. */
	if (!attach && trustgate_agent_is(current))
		return 0;
	looked = trustgate_taint_look(task, attach, keeps, now_ns);
	if (looked.cause == TRUSTGATE_CAUSE_GRANTED)
		return 0;
	if (looked.again)
		return -EACCES;
	return refuse(hook, looked.cause, looked.volume_id, task, now_ns);
}

int trustgate_check_dump(enum trustgate_hook hook)
{
	u32 volume_id = trustgate_taint_of(current);

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	if (!volume_id)
		return 0;
	return refuse(hook, TRUSTGATE_CAUSE_MEMORY, volume_id, current,
		      ktime_get_boottime_ns());
}

int trustgate_check_inherit(enum trustgate_hook hook,
			    const struct task_struct *task)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "hook outside of RCU read side");
	if (trustgate_taint_inherit(task))
		return 0;
	return refuse(hook, TRUSTGATE_CAUSE_SUSPENDED,
		      trustgate_taint_of(current), NULL,
		      ktime_get_boottime_ns());
}

int trustgate_check_whole(enum trustgate_hook hook, struct dentry *dentry,
			  u32 access)
{
	return check(hook, d_inode(dentry), dentry, access, true, true, NULL,
		     NULL, 0);
}

int trustgate_check_parent(enum trustgate_hook hook, struct dentry *dentry)
{
	const struct inode *inode;
	struct dentry *parent;

	/*
	 * link(2) does not lock the old name's directory, so the name may be
	 * moved away from it and it be removed meanwhile. Then there is another.
	 */
	do {
		parent = READ_ONCE(dentry->d_parent);
		inode = d_inode_rcu(parent);
	} while (unlikely(!inode));
	return check(hook, inode, parent, TRUSTGATE_ACCESS_NAMES, true, false,
		     NULL, NULL, 0);
}
