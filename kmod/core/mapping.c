// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - mappings that no live grant covers any more; see mapping.h.
 *
 * A mapping is ended where it is: its pages are taken out of the page table and
 * it loses every right to have them back. It is not removed with vm_munmap().
 * What was found could be another mapping by the time that function has taken
 * the lock; and the hole would be filled by the next mapping that any thread
 * makes, which the program would then take for the one that it knows.
 */

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/timekeeping.h>
#include <linux/userfaultfd_k.h>

#include "../compat.h"
#include "check.h"
#include "decision.h"
#include "ending.h"
#include "event.h"
#include "mapping.h"
#include "subvolume.h"
#include "taint.h"

/* How many processes are looked up at once. */
#define MARKED_MAX	64

/* How often in a pass it is tried to lock a process's memory. */
#define LOCK_TRIES	20

/*
 * After how many passes in which that failed is the process killed, if there was
 * something to look for.
 */
#define BUSY_PASSES	20

/**
 * struct scan - a look at one process's mappings
 * @process: whose memory it is
 * @mm: its memory, locked
 * @now_ns: CLOCK_BOOTTIME
 * @shut: end what is found
 * @count: found
 * @impossible: something found cannot be ended in place
 * @volume_id: where the first of them lies
 */
struct scan {
	const struct trustgate_marked *process;
	struct mm_struct *mm;
	u64 now_ns;
	bool shut;
	unsigned int count;
	bool impossible;
	u32 volume_id;
};

/* No process can make such a mapping itself. */
bool trustgate_mapping_shut(const struct vm_area_struct *vma)
{
	return !(vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC | VM_MAYREAD |
				  VM_MAYEXEC));
}

bool trustgate_mapping_image(const struct vm_area_struct *vma)
{
	return vma->vm_file->f_flags & __FMODE_EXEC;
}

/* As the hooks on mmap() and mprotect() ask for it. */
u32 trustgate_mapping_access(const struct vm_area_struct *vma)
{
	u32 access = TRUSTGATE_ACCESS_READ;

	if (trustgate_mapping_image(vma))
		return TRUSTGATE_ACCESS_EXEC;
	if (vma->vm_flags & VM_EXEC)
		access |= TRUSTGATE_ACCESS_EXEC;
	if (vma->vm_flags & VM_WRITE && vma->vm_flags & VM_SHARED)
		access |= TRUSTGATE_ACCESS_WRITE;
	return access;
}

static bool is_covered(const struct scan *scan,
		       const struct trustgate_volume *volume,
		       const struct vm_area_struct *vma,
		       const struct task_struct *process)
{
	const struct inode *inode = file_inode(vma->vm_file);
	struct trustgate_answer answer;

	trustgate_decide(&(struct trustgate_question) {
		.volume = volume,
		.dentry = trustgate_name_of(vma->vm_file),
		.ino = inode->i_ino,
		.subvolume = trustgate_subvolume(volume, inode, NULL),
		.generation = inode->i_generation,
		.access = trustgate_mapping_access(vma),
		.task = process,
		.now_ns = scan->now_ns,
	}, &answer);
	return answer.cause == TRUSTGATE_CAUSE_GRANTED;
}

/* Whoever shares the memory, as after vfork(), keeps it for all of them. */
static bool is_covered_for_any(const struct scan *scan,
			       const struct trustgate_volume *volume,
			       const struct vm_area_struct *vma)
{
	const struct task_struct *process;

	if (is_covered(scan, volume, vma, scan->process->task))
		return true;
	for_each_process(process) {
		if (process != scan->process->task &&
		    trustgate_taint_shares(process, scan->mm) &&
		    is_covered(scan, volume, vma, process))
			return true;
	}
	return false;
}

/* Volume that a mapping must not show any more, or NULL. RCU read side. */
static struct trustgate_volume *overdue(const struct scan *scan,
					const struct vm_area_struct *vma)
{
	struct trustgate_volume *volume;
	const struct inode *inode;

	if (!vma->vm_file || trustgate_mapping_shut(vma))
		return NULL;
	inode = file_inode(vma->vm_file);
	/* What is behind a node is not the volume's. */
	if (!trustgate_volume_possible(inode->i_sb) || !S_ISREG(inode->i_mode))
		return NULL;
	if (trustgate_mapping_image(vma) && !scan->process->image)
		return NULL;
	volume = trustgate_volume_find(inode->i_sb);
	if (!volume || is_covered_for_any(scan, volume, vma))
		return NULL;
	return volume;
}

/*
 * Who looks at the memory by force needs VM_MAYREAD, or VM_MAYWRITE if it is
 * private. A shared one keeps VM_MAYWRITE: the file counts those that have it,
 * and what mprotect() makes of it is asked for by a hook.
 */
static void shut(struct vm_area_struct *vma)
{
	const unsigned long pages = vma_pages(vma);
	const unsigned long had = vma->vm_flags;
	unsigned long lost = VM_READ | VM_WRITE | VM_EXEC | VM_MAYREAD |
			     VM_MAYEXEC;

	mmap_assert_write_locked(vma->vm_mm);
	if (!(had & VM_SHARED))
		lost |= VM_MAYWRITE;
	vm_flags_clear(vma, lost);
	WRITE_ONCE(vma->vm_page_prot, vm_get_page_prot(vma->vm_flags));
	trustgate_zap(vma);

	/* As mprotect() does, since munmap() goes by the flags that are left. */
	if ((had & (VM_WRITE | VM_EXEC)) == VM_EXEC)
		vma->vm_mm->exec_vm -= pages;
	else if ((had & (VM_WRITE | VM_SHARED)) == VM_WRITE)
		vma->vm_mm->data_vm -= pages;
}

static void scan_memory(struct scan *scan)
{
	struct trustgate_volume *volume;
	struct vma_iterator iterator;
	struct vm_area_struct *vma;

	vma_iter_init(&iterator, scan->mm, 0);
	scan->count = 0;
	for_each_vma(iterator, vma) {
		rcu_read_lock();
		volume = overdue(scan, vma);
		if (volume && !scan->count)
			scan->volume_id = volume->id;
		if (volume && !scan->shut &&
		    volume->found_in != scan->process->task) {
			volume->found_in = scan->process->task;
			volume->nr_found++;
		}
		rcu_read_unlock();
		cond_resched();
		if (!volume)
			continue;
		scan->count++;
		/* Its monitor could go on to put pages in. */
		if (userfaultfd_armed(vma))
			scan->impossible = true;
		else if (scan->shut)
			shut(vma);
	}
}

/*
 * Not waited for: who holds the lock may be waiting for a device that hangs,
 * and others are to be looked at meanwhile.
 */
static bool lock_memory(struct mm_struct *mm, bool write)
{
	unsigned int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (write ? trustgate_mmap_write_trylock(mm) :
			    mmap_read_trylock(mm))
			return true;
		usleep_range(100, 500);
	}
	return false;
}

/* Tries to end what was found. False if the memory could not be locked. */
static bool unmap(struct scan *scan, struct trustgate_mapping_tally *tally)
{
	unsigned int found;

	if (!lock_memory(scan->mm, true))
		return false;
	scan->shut = true;
	scan_memory(scan);
	found = scan->count;
	if (!scan->impossible)
		scan->count = 0;
	mmap_write_unlock(scan->mm);
	if (!found || scan->impossible)
		return true;
	tally->unmapped += found;
	trustgate_event_mappings(TRUSTGATE_EVENT_TYPE_UNMAPPED,
				 scan->volume_id, scan->process->task, found);
	return true;
}

/* All who have the memory, for each of them could go on with it. */
static void kill_users(const struct scan *scan,
		       struct trustgate_mapping_tally *tally)
{
	struct task_struct *process;

	rcu_read_lock();
	for_each_process(process) {
		/* Once is enough, and told once. */
		if (!trustgate_taint_shares(process, scan->mm) ||
		    process->signal->flags & SIGNAL_GROUP_EXIT)
			continue;
		kill_pid(task_tgid(process), SIGKILL, 1);
		tally->killed++;
		trustgate_event_mappings(TRUSTGATE_EVENT_TYPE_KILLED,
					 scan->volume_id, process,
					 scan->count);
	}
	rcu_read_unlock();
}

/* Another pass could not do what had to be done. */
static void wait_or_kill(struct scan *scan,
			 struct trustgate_mapping_tally *tally)
{
	if (trustgate_taint_busy(scan->process->task, true) >= BUSY_PASSES)
		kill_users(scan, tally);
}

/*
 * The memory cannot be locked. A fault that hangs is no reason to kill who has
 * all that it was given. What is overdue there for another reason than the end
 * of a grant is found when the lock is free.
 */
static bool give_up(struct scan *scan, struct trustgate_mapping_tally *tally)
{
	if (!trustgate_ending_concerns(&scan->process->holders)) {
		trustgate_taint_busy(scan->process->task, false);
		return false;
	}
	tally->unknown++;
	wait_or_kill(scan, tally);
	return true;
}

/* Returns whether there may be more to do. */
static bool attend(struct scan *scan, struct trustgate_mapping_tally *tally)
{
	const struct task_struct *task = scan->process->task;

	if (!lock_memory(scan->mm, false))
		return give_up(scan, tally);
	scan_memory(scan);
	mmap_read_unlock(scan->mm);
	if (!scan->count) {
		trustgate_taint_busy(task, false);
		return false;
	}
	if (scan->process->on_end == TRUSTGATE_ON_END_UNMAP &&
	    !scan->impossible) {
		if (!unmap(scan, tally)) {
			wait_or_kill(scan, tally);
			return true;
		}
		trustgate_taint_busy(task, false);
	}
	if (scan->count)
		kill_users(scan, tally);
	return true;
}

/* The first thread may have exited before the others. */
struct mm_struct *trustgate_mapping_memory(const struct task_struct *process)
{
	struct mm_struct *mm = NULL;
	struct task_struct *thread;

	rcu_read_lock();
	for_each_thread(process, thread) {
		mm = get_task_mm(thread);
		if (mm)
			break;
	}
	rcu_read_unlock();
	return mm;
}

void trustgate_mapping_pass(u32 pass, struct trustgate_mapping_tally *tally)
{
	/* One caller at a time, and too much for a stack. */
	static struct trustgate_marked marked[MARKED_MAX];
	unsigned int count, i;

	while ((count = trustgate_taint_marked(marked, MARKED_MAX, pass))) {
		for (i = 0; i < count; i++) {
			struct scan scan = {
				.process = &marked[i],
				.mm = trustgate_mapping_memory(marked[i].task),
				.now_ns = ktime_get_boottime_ns(),
			};

			tally->marked++;
			if (scan.mm) {
				tally->left += attend(&scan, tally);
				/* The last user's end may take long. */
				mmput_async(scan.mm);
			}
			put_task_struct(marked[i].task);
			cond_resched();
		}
	}
}
