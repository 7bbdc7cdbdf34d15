// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks that tell of an end: of a program, of a filesystem.
 *
 * Owns: passing the news on.
 *
 * Must not own: what ends with it (sweep.c, taint.c). Nothing here decides: an
 * exec shows in the exec id that every check compares, and a superblock's address
 * stays denied until it is taken out of the table.
 */

#include <linux/fs.h>
#include <linux/sched.h>

#include "canary.h"
#include "grant.h"
#include "kfuncs.h"
#include "sweep.h"
#include "taint.h"

__bpf_kfunc_start_defs();

__bpf_kfunc void bpf_trustgate_bprm_committed_creds(void)
{
	bool holds;

	/* It has other memory now, and is the first of its threads. */
	trustgate_taint_forget(current);
	rcu_read_lock();
	holds = trustgate_subject_find(task_tgid(current));
	rcu_read_unlock();
	if (holds)
		trustgate_sweep_now();
}

__bpf_kfunc void bpf_trustgate_sb_delete(struct super_block *sb)
{
	struct trustgate_volume *volume;

	if (likely(!trustgate_volume_possible(sb)))
		return;
	rcu_read_lock();
	volume = trustgate_volume_find(sb);
	if (volume) {
		WRITE_ONCE(volume->gone, true);
		trustgate_sweep_now();
	} else {
		trustgate_canary_noted(sb, TRUSTGATE_HOOK_sb_delete);
	}
	rcu_read_unlock();
}

__bpf_kfunc_end_defs();
