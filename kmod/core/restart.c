// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - system calls that are done again; see restart.h.
 */

#include <linux/compat.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "restart.h"

/*
 * Those that open what their arguments name, on the caller's behalf, and return
 * the error of doing so.
 */
static bool opens(int nr)
{
	switch (nr) {
#ifdef __NR_open
	case __NR_open:
#endif
#ifdef __NR_creat
	case __NR_creat:
#endif
	case __NR_openat:
	case __NR_openat2:
	case __NR_open_by_handle_at:
	case __NR_execve:
	case __NR_execveat:
		return true;
	default:
		return false;
	}
}

/* The same in a program of 32 bits, where the numbers are known. */
static bool opens_compat(int nr)
{
#ifdef __NR_ia32_open
	switch (nr) {
	case __NR_ia32_open:
	case __NR_ia32_creat:
	case __NR_ia32_openat:
	case __NR_ia32_openat2:
	case __NR_ia32_open_by_handle_at:
	case __NR_ia32_execve:
	case __NR_ia32_execveat:
		return true;
	}
#endif
	return false;
}

bool trustgate_restart_possible(void)
{
	struct pt_regs *regs = task_pt_regs(current);
	int nr = syscall_get_nr(current, regs);

	if (in_compat_syscall() ? !opens_compat(nr) : !opens(nr))
		return false;
	/*
	 * After the system call, when works of the task are run, its number is
	 * still there, but not what marks that there is no result yet.
	 */
	if (IS_ENABLED(CONFIG_X86))
		return syscall_get_return_value(current, regs) == -ENOSYS;
	/* Elsewhere there is no such mark. These works are io_uring's. */
	return !current->io_uring;
}

/* Would who has created the file be let in a second time? */
static bool lets_creator_in(const struct file *file)
{
	const umode_t mode = file_inode(file)->i_mode;

	return (!(file->f_mode & FMODE_READ) || mode & 0400) &&
	       (!(file->f_mode & FMODE_WRITE) || mode & 0200);
}

bool trustgate_restart_repeats(const struct file *file)
{
	/* Has no name to be found by again. */
	if (file->f_flags & __O_TMPFILE)
		return false;
	if ((file->f_flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return false;
	/* A stacked filesystem does not hand on how it was opened itself. */
	if (file->f_mode & FMODE_BACKING && file->f_mode & FMODE_WRITE)
		return false;
	return !(file->f_mode & FMODE_CREATED) || lets_creator_in(file);
}

bool trustgate_restart_due(void)
{
	/* Elsewhere the registers are set back already. */
	return !IS_ENABLED(CONFIG_X86) ||
	       syscall_get_error(current, task_pt_regs(current)) ==
	       -ERESTARTNOINTR;
}
