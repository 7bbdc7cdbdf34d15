// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the proof of hooks that run in system calls only; see
 * canary_calls.h.
 */

#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/io_uring/cmd.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/quota.h>
#include <linux/xattr.h>
#include <uapi/linux/mount.h>

#include "../compat.h"
#include "arm.h"
#include "canary_calls.h"

/* As file_of() in hook_file.c has it. */
static_assert(offsetof(struct io_uring_cmd, file) == 0);

#define XATTR	"user.trustgate"
#define ACL	XATTR_NAME_POSIX_ACL_ACCESS

#define CALL(name, ...)							\
	(((call_##name)trustgate_arm_target(TRUSTGATE_HOOK_##name))(__VA_ARGS__))

#define CALL_CHECK(name, set, hook_proto, ...)				\
	typedef int (*call_##name)(hook_proto);
#define NO_CALL(...)

TRUSTGATE_HOOKS(CALL_CHECK, NO_CALL, NO_CALL)

typedef void (*call_task_free)(struct task_struct *task);

static int call_for_mapping(enum trustgate_hook hook, struct file *file)
{
	struct vm_area_struct vma = { .vm_file = file };

	switch (hook) {
	case TRUSTGATE_HOOK_file_mprotect:
		return CALL(file_mprotect, &vma, PROT_READ, PROT_READ);
#ifdef TRUSTGATE_HAVE_MMAP_BACKING_FILE
	case TRUSTGATE_HOOK_mmap_backing_file:
		return CALL(mmap_backing_file, &vma, file, file);
#endif
	default:
		return 0;
	}
}

int trustgate_prove_call(enum trustgate_hook hook, struct file *file)
{
	struct super_block *sb = file_inode(file)->i_sb;
	struct dentry *dentry = file->f_path.dentry;
	struct io_uring_cmd command = { .file = file, .cmd_op = FICLONE };
	const struct path *path = &file->f_path;

	switch (hook) {
	case TRUSTGATE_HOOK_file_ioctl:
		return CALL(file_ioctl, file, FICLONE, 0);
	case TRUSTGATE_HOOK_file_ioctl_compat:
		return CALL(file_ioctl_compat, file, FICLONE, 0);
	case TRUSTGATE_HOOK_uring_cmd:
		return CALL(uring_cmd, &command);
	case TRUSTGATE_HOOK_file_truncate:
		return CALL(file_truncate, file);
	case TRUSTGATE_HOOK_file_receive:
		return CALL(file_receive, file);
	case TRUSTGATE_HOOK_inode_getxattr:
		return CALL(inode_getxattr, dentry, XATTR);
	case TRUSTGATE_HOOK_inode_setxattr:
		return CALL(inode_setxattr, &nop_mnt_idmap, dentry, XATTR, "",
			    0, 0);
	case TRUSTGATE_HOOK_inode_removexattr:
		return CALL(inode_removexattr, &nop_mnt_idmap, dentry, XATTR);
	case TRUSTGATE_HOOK_inode_set_acl:
		return CALL(inode_set_acl, &nop_mnt_idmap, dentry, ACL, NULL);
	case TRUSTGATE_HOOK_inode_remove_acl:
		return CALL(inode_remove_acl, &nop_mnt_idmap, dentry, ACL);
#ifdef TRUSTGATE_HAVE_INODE_FILE_SETATTR
	case TRUSTGATE_HOOK_inode_file_setattr:
		return CALL(inode_file_setattr, dentry, NULL);
#endif
	case TRUSTGATE_HOOK_sb_mount:
		return CALL(sb_mount, NULL, path, NULL, MS_BIND, NULL);
	case TRUSTGATE_HOOK_move_mount:
		return CALL(move_mount, path, path);
	case TRUSTGATE_HOOK_sb_pivotroot:
		return CALL(sb_pivotroot, path, path);
	case TRUSTGATE_HOOK_sb_remount:
		return CALL(sb_remount, sb, NULL);
	case TRUSTGATE_HOOK_quotactl:
		return CALL(quotactl, Q_QUOTAOFF, 0, 0, sb);
	case TRUSTGATE_HOOK_path_notify:
		return CALL(path_notify, path, 0, FSNOTIFY_OBJ_TYPE_INODE);
	/* What is denied to this thread is denied about it. */
	case TRUSTGATE_HOOK_ptrace_access_check:
		return CALL(ptrace_access_check, current,
			    PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS);
	case TRUSTGATE_HOOK_ptrace_traceme:
		return CALL(ptrace_traceme, current);
	case TRUSTGATE_HOOK_task_alloc:
		return CALL(task_alloc, current, 0);
	/* There is nothing to deny in it. */
	case TRUSTGATE_HOOK_task_free:
		CALL(task_free, current);
		return -EACCES;
	default:
		return call_for_mapping(hook, file);
	}
}
