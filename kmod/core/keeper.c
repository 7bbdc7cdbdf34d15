// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - processes that have files of a volume open or mapped; see keeper.h.
 *
 * /proc tells the same only to who may look into the process, which the gate
 * denies; by device numbers, which btrfs has several of; by mounts, which may be
 * in another namespace; and not before it has the lock of the process's memory.
 */

#include <linux/cleanup.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "check.h"
#include "decision.h"
#include "keeper.h"
#include "mapping.h"
#include "observe.h"
#include "subvolume.h"
#include "volume.h"

/*
 * How many files are passed before others may run, and as how many one counts that
 * is on the volume, for which grants are looked for.
 */
#define FILES_BATCH	1024
#define ONE_OF_OURS	128

/* How often it is tried to lock a process's memory. */
#define LOCK_TRIES	20

/**
 * struct look - a look at one process
 * @process: its first thread
 * @sb: the volume's
 * @now_ns: CLOCK_BOOTTIME
 * @keeper: what was found
 * @left: how many files are looked at without a rest; one of the volume counts for
 *	more
 */
struct look {
	const struct task_struct *process;
	const struct super_block *sb;
	u64 now_ns;
	struct trustgate_keeper *keeper;
	int left;
};

static bool is_on(const struct look *look, const struct file *file)
{
	return file && file_inode(file)->i_sb == look->sb;
}

static void take_path(struct trustgate_keeper *keeper, const struct file *file)
{
	struct dentry *dentry = trustgate_name_of(file);
	const size_t size = sizeof(keeper->path);
	char *path;

	if (*keeper->path || !dentry)
		return;
	path = dentry_path_raw(dentry, keeper->path, size);
	if (IS_ERR(path)) {
		/* It has written the end of the path, but no beginning. */
		keeper->path[size - 1] = '\0';
		keeper->path_cut = true;
		return;
	}
	memmove(keeper->path, path, strlen(path) + 1);
}

/* Would this be denied, if it were done now? */
static bool is_denied(const struct look *look, const struct file *file,
		      u32 access)
{
	const struct inode *inode = file_inode(file);
	const struct trustgate_volume *volume;
	struct trustgate_answer answer;

	guard(rcu)();
	volume = trustgate_volume_find(look->sb);
	if (!volume || trustgate_observed(volume, look->now_ns))
		return false;
	trustgate_decide(&(struct trustgate_question) {
		.volume = volume,
		.dentry = trustgate_name_of(file),
		.ino = inode->i_ino,
		.subvolume = trustgate_subvolume(volume, inode, NULL),
		.generation = inode->i_generation,
		.access = access,
		.task = look->process,
		.now_ns = look->now_ns,
	}, &answer);
	return answer.cause != TRUSTGATE_CAUSE_GRANTED;
}

/* ---- open files ---- */

/* What was opened for reading and writing is of use as long as one of them is. */
static bool is_useless(const struct look *look, const struct file *file)
{
	return file->f_mode & (FMODE_READ | FMODE_WRITE) &&
	       (!(file->f_mode & FMODE_READ) ||
		is_denied(look, file, TRUSTGATE_ACCESS_READ)) &&
	       (!(file->f_mode & FMODE_WRITE) ||
		is_denied(look, file, TRUSTGATE_ACCESS_WRITE));
}

static int look_at_file(const void *data, struct file *file, unsigned int fd)
{
	struct look *look = (void *)data;

	if (is_on(look, file)) {
		look->keeper->files++;
		look->keeper->files_denied += is_useless(look, file);
		take_path(look->keeper, file);
		look->left -= ONE_OF_OURS;
	}
	return --look->left > 0 ? 0 : fd + 1;
}

/* What changes while others may run is seen once, twice or not at all. */
static void look_at_files(struct task_struct *thread, struct look *look)
{
	int next = 0;

	do {
		look->left = FILES_BATCH;
		task_lock(thread);
		next = thread->files ? iterate_fd(thread->files, next,
						  look_at_file, look) : 0;
		task_unlock(thread);
		cond_resched();
	} while (next);
}

/*
 * The thread with the lowest number above @after that has other files than
 * those of @seen, which are only compared. Mostly there is none.
 */
static struct task_struct *next_thread_with(struct task_struct *process,
					    pid_t after,
					    const struct files_struct *seen)
{
	struct task_struct *thread, *found = NULL;
	const struct files_struct *files;

	rcu_read_lock();
	for_each_thread(process, thread) {
		files = READ_ONCE(thread->files);
		if (files && files != seen && thread->pid > after &&
		    (!found || thread->pid < found->pid))
			found = thread;
	}
	if (found)
		get_task_struct(found);
	rcu_read_unlock();
	return found;
}

static void look_at_threads(struct task_struct *process, struct look *look)
{
	const struct files_struct *seen = NULL;
	struct task_struct *thread;
	pid_t after = 0;

	while (!fatal_signal_pending(current) &&
	       (thread = next_thread_with(process, after, seen))) {
		after = thread->pid;
		seen = READ_ONCE(thread->files);
		look_at_files(thread, look);
		put_task_struct(thread);
	}
}

/* ---- mappings ---- */

/*
 * Not waited for: who holds the lock may be waiting for a device that hangs, or
 * for the agent, which may be the one who asks.
 */
static bool lock_memory(struct mm_struct *mm)
{
	unsigned int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (mmap_read_trylock(mm))
			return true;
		usleep_range(100, 500);
	}
	return false;
}

static void look_at_mappings(struct mm_struct *mm, struct look *look)
{
	struct vma_iterator iterator;
	struct vm_area_struct *vma;

	vma_iter_init(&iterator, mm, 0);
	for_each_vma(iterator, vma) {
		cond_resched();
		if (!is_on(look, vma->vm_file) || trustgate_mapping_shut(vma))
			continue;
		look->keeper->mappings++;
		look->keeper->mappings_denied +=
			is_denied(look, vma->vm_file,
				  trustgate_mapping_access(vma));
		look->keeper->program |= trustgate_mapping_image(vma);
		take_path(look->keeper, vma->vm_file);
	}
}

static void look_at_memory(struct task_struct *process, struct look *look)
{
	struct mm_struct *mm = trustgate_mapping_memory(process);

	if (!mm)
		return;
	look->keeper->unknown = !lock_memory(mm);
	if (!look->keeper->unknown) {
		look_at_mappings(mm, look);
		mmap_read_unlock(mm);
	}
	/* The last user's end may take long. */
	mmput_async(mm);
}

/* ---- processes ---- */

bool trustgate_keeper_look(struct task_struct *process,
			   const struct super_block *sb,
			   struct trustgate_keeper *keeper)
{
	struct look look = {
		.process = process,
		.sb = sb,
		.now_ns = ktime_get_boottime_ns(),
		.keeper = keeper,
	};

	*keeper = (struct trustgate_keeper) {
		.start_ns = process->start_boottime,
		.uid = from_kuid(&init_user_ns, task_uid(process)),
	};
	get_task_comm(keeper->comm, process);
	look_at_memory(process, &look);
	look_at_threads(process, &look);
	return keeper->files || keeper->mappings || keeper->unknown;
}

/* Keeps the lowest ones, in order. */
static unsigned int put_in(pid_t *numbers, unsigned int count,
			   unsigned int max, pid_t number)
{
	unsigned int at = count;

	while (at && numbers[at - 1] > number)
		at--;
	if (at == max)
		return count;
	if (count < max)
		count++;
	memmove(numbers + at + 1, numbers + at,
		(count - 1 - at) * sizeof(*numbers));
	numbers[at] = number;
	return count;
}

unsigned int trustgate_keeper_numbers(pid_t after, pid_t *numbers,
				      unsigned int max)
{
	const struct task_struct *process;
	unsigned int count = 0;

	rcu_read_lock();
	for_each_process(process) {
		/* They have no files of their own. */
		if (!(process->flags & PF_KTHREAD) && process->tgid > after)
			count = put_in(numbers, count, max, process->tgid);
	}
	rcu_read_unlock();
	return count;
}
