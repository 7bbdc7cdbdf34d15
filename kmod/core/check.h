/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - from a hook to a verdict.
 *
 * Owns: turning what a hook was given into a question, having it decided, and
 * counting, recording and enforcing the answer.
 *
 * Must not own: which access a hook stands for (hook_*.c); the decision.
 */
#ifndef _TRUSTGATE_CHECK_H
#define _TRUSTGATE_CHECK_H

#include <linux/dcache.h>
#include <linux/fs.h>

#include "../hooks.h"
#include "volume.h"

struct task_struct;

/**
 * trustgate_check_file() - may current do this to an open file?
 * @hook: hook that asks
 * @file: file; f_path tells the name, f_inode the object
 * @access: mask of enum trustgate_access; 0 is allowed
 *
 * An allow is counted against limited grants, and recorded.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_file(enum trustgate_hook hook, const struct file *file,
			 u32 access);

/**
 * trustgate_check_open() - may current open a file?
 * @file: being opened; f_path tells the name, f_inode the object
 * @access: non-empty mask of enum trustgate_access
 *
 * As trustgate_check_file(), but what is denied may be put to the agent, whose
 * answer is waited for a moment.
 *
 * Context: process, no lock held by the gate, may sleep.
 * Return: 0; -EACCES after counting and recording the denial; or
 * -ERESTARTNOINTR if the open has to wait for longer, see ask.h.
 */
int trustgate_check_open(const struct file *file, u32 access);

/**
 * trustgate_check_again() - may current go on doing this to an open file?
 * @hook: hook that asks
 * @file: file; f_path tells the name, f_inode the object
 * @access: mask of enum trustgate_access; 0 is allowed
 *
 * The use was counted and recorded when the file was opened. Repeated, it
 * costs little; see recent.h.
 *
 * Context: RCU read side, any but NMI and interrupts.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_again(enum trustgate_hook hook, const struct file *file,
			  u32 access);

/**
 * trustgate_check_dentry() - may current do this to a named object?
 * @hook: hook that asks
 * @dentry: name, positive
 * @access: non-empty mask of enum trustgate_access
 * @takes_use: count an allow against limited grants, and record it
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_dentry(enum trustgate_hook hook, struct dentry *dentry,
			   u32 access, bool takes_use);

/**
 * trustgate_check_transfer() - may current bring this into another directory?
 * @hook: hook that asks
 * @dentry: name, positive
 *
 * Asks for READ and WRITE; for a directory on all that lies below it. Always
 * counted and recorded as a use.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_transfer(enum trustgate_hook hook, struct dentry *dentry);

/**
 * trustgate_check_whole() - may current do this to a directory and all below?
 * @hook: hook that asks
 * @dentry: name of a directory, positive
 * @access: non-empty mask of enum trustgate_access
 *
 * Only a grant for a subtree answers for all that lies below. Always counted
 * and recorded as a use.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_whole(enum trustgate_hook hook, struct dentry *dentry,
			  u32 access);

/**
 * trustgate_check_presence() - may current look at what is on a volume?
 * @hook: hook that asks
 * @inode: what is looked at; locked or not
 * @dentry: its name for the record, or NULL if it cannot be known
 * @again: the kernel will ask again, where it may sleep, if it is told -ECHILD
 *
 * Anybody may, unless the volume hides its metadata. Then it takes any live
 * grant of the process on the volume, or to be the agent, who has to find what
 * it gives grants for. A look takes no use and is no event unless it is denied.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0; -EACCES after counting and recording the denial; -ECHILD with
 * nothing counted or recorded.
 */
int trustgate_check_presence(enum trustgate_hook hook,
			     const struct inode *inode, struct dentry *dentry,
			     bool again);

/**
 * trustgate_check_device() - may current open a block device?
 * @hook: hook that asks
 * @dev: its number
 * @access: mask of enum trustgate_access, for the record
 *
 * No grant is for the device below a volume: it has every file's bytes.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_device(enum trustgate_hook hook, dev_t dev, u32 access);

/**
 * trustgate_check_opened() - may current go on with a device that it has open?
 * @hook: hook that asks
 * @file: opened node of a block or character device
 * @access: mask of enum trustgate_access, for the record; 0 for a command
 *
 * Who opened it when nothing was protected may not, if it is a block device that
 * a volume's filesystem itself is on, or a character device that leads there.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_opened(enum trustgate_hook hook, const struct file *file,
			   u32 access);

/**
 * trustgate_check_node() - may current open a character device?
 * @hook: hook that asks
 * @dev: its number
 * @access: mask of enum trustgate_access, for the record
 *
 * As trustgate_check_device(), of those that pass commands on to a disk.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_node(enum trustgate_hook hook, dev_t dev, u32 access);

/**
 * trustgate_forbid() - nobody may do this to a file on a protected volume
 * @hook: hook that asks
 * @file: file
 *
 * Context: RCU read side, any but NMI.
 * Return: 0 if the file is on none, or -EACCES after counting and recording.
 */
int trustgate_forbid(enum trustgate_hook hook, const struct file *file);

/**
 * trustgate_forbid_by() - nobody may do this while a volume is protected
 * @hook: hook that asks
 * @volume: volume, or NULL if there is none that forbids it
 *
 * Context: RCU read side, any but NMI.
 * Return: 0 without @volume, else -EACCES after counting and recording.
 */
int trustgate_forbid_by(enum trustgate_hook hook,
			const struct trustgate_volume *volume);

/**
 * trustgate_check_handover() - may current hand a file over to a device?
 * @hook: hook that asks
 *
 * Which file is not known: it is one of current's descriptors, and by the time
 * the device takes it the number may stand for another. So nobody may who has
 * a file of a volume open or could open one. That can be told: any other way
 * to get at a descriptor is checked.
 *
 * Context: RCU read side, may take current's file_lock.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_handover(enum trustgate_hook hook);

/**
 * trustgate_check_image() - may current be made of this program?
 * @hook: hook that asks
 * @file: program or interpreter, which was allowed to be executed
 *
 * The new memory is guarded from here on, as it holds the program.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0 if it is on no volume or nobody can read the memory, or -EACCES
 * after counting and recording the denial.
 */
int trustgate_check_image(enum trustgate_hook hook, const struct file *file);

/**
 * trustgate_check_memory() - may current look into this process?
 * @hook: hook that asks
 * @task: any thread of it
 * @attach: to read or write its memory, not only what /proc tells about it
 * @keeps: what is opened now can be read later, without another check
 *
 * Of a process's refusals with @attach false only the first is counted and
 * recorded: those who look at all processes do it all the time. The agent may
 * look so at everybody.
 *
 * Context: RCU read side, any but NMI; the task may be locked.
 * Return: 0 or -EACCES.
 */
int trustgate_check_memory(enum trustgate_hook hook,
			   const struct task_struct *task, bool attach,
			   bool keeps);

/**
 * trustgate_check_dump() - may current's memory be dumped?
 * @hook: hook that asks
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_dump(enum trustgate_hook hook);

/**
 * trustgate_check_inherit() - may a task have current's memory, or a copy?
 * @hook: hook that asks
 * @task: being made, or current itself before it executes a program
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording that there is no room to
 * note that its memory has to be guarded.
 */
int trustgate_check_inherit(enum trustgate_hook hook,
			    const struct task_struct *task);

/**
 * trustgate_check_parent() - may current change a name in its directory?
 * @hook: hook that asks
 * @dentry: name, positive or negative; referenced by the caller
 *
 * Asks for NAMES on the directory. Always counted and recorded as a use.
 *
 * Context: RCU read side, any but NMI.
 * Return: 0, or -EACCES after counting and recording the denial.
 */
int trustgate_check_parent(enum trustgate_hook hook, struct dentry *dentry);

/**
 * trustgate_name_of() - the name by which a file's place is found
 * @file: file
 *
 * A stacked filesystem may show another name than that of the inode.
 *
 * Return: its dentry, borrowed; NULL if it is not that of the inode.
 */
static inline struct dentry *trustgate_name_of(const struct file *file)
{
	struct dentry *dentry = file->f_path.dentry;

	return d_inode(dentry) == file_inode(file) ? dentry : NULL;
}

/**
 * trustgate_hook_name() - name of a hook
 * @hook: hook
 *
 * Return: static string, as in the list of hooks.
 */
const char *trustgate_hook_name(enum trustgate_hook hook);

#endif /* _TRUSTGATE_CHECK_H */
