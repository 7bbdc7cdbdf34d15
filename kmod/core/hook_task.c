// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks on processes: who looks into them, and how they begin.
 *
 * Owns: which of these concern memory that may hold a volume's bytes.
 *
 * Must not own: which processes have such memory (taint.c).
 *
 * The end of such memory by an exec is in hook_lifetime.c, with what else ends
 * then.
 */

#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <uapi/linux/sched.h>

#include "canary.h"
#include "check.h"
#include "kfuncs.h"
#include "taint.h"

/*
 * What gives no bytes is let through: /proc/PID/stat, for which the kernel
 * wants to know whether to show a few addresses, and system calls that ask about
 * a process without opening anything of it, such as kcmp(2) and setns(2).
 * What is opened below /proc/PID is not told apart here: the links in fd and
 * map_files lead to memory that the process has to itself or shares with its
 * children, and maps, which gives none, comes with the same mode.
 */
static bool gives_bytes(unsigned int mode)
{
	if (mode & PTRACE_MODE_ATTACH)
		return true;
	return mode & PTRACE_MODE_FSCREDS && !(mode & PTRACE_MODE_NOAUDIT);
}

/* As ptrace(2) says it. */
static int look(enum trustgate_hook hook, const struct task_struct *task,
		bool attach, bool keeps)
{
	return trustgate_check_memory(hook, task, attach, keeps) ? -EPERM : 0;
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_trustgate_ptrace_access_check(struct task_struct *child,
						  unsigned int mode)
{
	if (!gives_bytes(mode))
		return 0;
	if (trustgate_canary_is(child, TRUSTGATE_HOOK_ptrace_access_check))
		return -EACCES;
	return look(TRUSTGATE_HOOK_ptrace_access_check, child,
		    mode & PTRACE_MODE_ATTACH, mode & PTRACE_MODE_FSCREDS);
}

/* It is current who asks to be traced. */
__bpf_kfunc int bpf_trustgate_ptrace_traceme(struct task_struct *parent)
{
	if (trustgate_canary_is(parent, TRUSTGATE_HOOK_ptrace_traceme))
		return -EACCES;
	return look(TRUSTGATE_HOOK_ptrace_traceme, current, true, false);
}

__bpf_kfunc int bpf_trustgate_task_alloc(struct task_struct *task,
					 u64 clone_flags)
{
	if (clone_flags & CLONE_THREAD)
		return 0;
	if (trustgate_canary_is(task, TRUSTGATE_HOOK_task_alloc))
		return -EACCES;
	return trustgate_check_inherit(TRUSTGATE_HOOK_task_alloc, task);
}

/*
 * The verifier does not trust the pointer, so that a program can pass it as a
 * number only; see hooks.bpf.c.
 */
__bpf_kfunc void bpf_trustgate_task_free(unsigned long from_current)
{
	const struct task_struct *task =
		(void *)((unsigned long)current + from_current);

	if (!trustgate_canary_is(task, TRUSTGATE_HOOK_task_free))
		trustgate_taint_forget(task);
}

/*
 * A dump of memory begins with credentials to open its file by, be it a pipe or
 * a socket, and is given up if there are none. Nothing else wants new ones in a
 * task that a signal is killing.
 *
 * An exec begins with credentials, too. A thread that is not the first becomes
 * so in the course of it, for a moment with the old memory.
 */
__bpf_kfunc int bpf_trustgate_cred_prepare(void)
{
	if (unlikely(current->flags & PF_SIGNALED))
		return trustgate_check_dump(TRUSTGATE_HOOK_cred_prepare);
	if (unlikely(current->group_leader != current))
		return trustgate_check_inherit(TRUSTGATE_HOOK_cred_prepare,
					       current);
	if (unlikely(current->flags & PF_KTHREAD) &&
	    trustgate_canary_is(current, TRUSTGATE_HOOK_cred_prepare))
		return -EACCES;
	return 0;
}

__bpf_kfunc_end_defs();
