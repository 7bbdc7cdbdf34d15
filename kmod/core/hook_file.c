// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks on open files: open, read and write, map, receive.
 *
 * Owns: which access each of them stands for.
 *
 * Must not own: the decision; anything about names; what an ioctl is (ioctl.c).
 */

#include <kunit/visibility.h>
#include <linux/blkpg.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "check.h"
#include "ioctl.h"
#include "kfuncs.h"

/*
 * Where the bytes are that a file reads and writes: of a block device, wherever
 * its node is, the filesystem that all block devices are in.
 */
static __always_inline const struct super_block *home_of(const struct file *file)
{
	return file->f_mapping->host->i_sb;
}

/*
 * The file that an io_uring command is for: io_uring has it first in every
 * command. The header that says so is not for what has kfuncs: with its types the
 * kernel's own are not recognised in the module's BTF, see Kbuild.
 */
static struct file *file_of(const struct io_uring_cmd *ioucmd)
{
	return *(struct file * const *)ioucmd;
}

static u32 open_access(const struct file *file)
{
	u32 access = 0;

	/* Only exec and its interpreters open with this flag. */
	if (file->f_flags & __FMODE_EXEC)
		access |= TRUSTGATE_ACCESS_EXEC;
	else if (file->f_mode & FMODE_READ)
		access |= TRUSTGATE_ACCESS_READ;
	/* O_RDONLY | O_TRUNC takes the bytes away without FMODE_WRITE. */
	if (file->f_mode & FMODE_WRITE || file->f_flags & O_TRUNC)
		access |= TRUSTGATE_ACCESS_WRITE;
	/* ioctl-only opens (access mode 3) can reach the bytes, too. */
	return access ?: TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE;
}

/* Is this the kernel reading or mapping the program it is executing? */
static bool is_exec(const struct file *file)
{
	return file->f_flags & __FMODE_EXEC && current->in_execve;
}

/*
 * A block device below a volume is refused by the program on the root cgroup
 * first, but that can be detached and overruled.
 */
static noinline int check_open_node(const struct file *file)
{
	const struct inode *inode = file_inode(file);
	int err = 0;

	/* None of these is asked about. */
	scoped_guard(rcu) {
		if (S_ISBLK(inode->i_mode))
			err = trustgate_check_device(TRUSTGATE_HOOK_file_open,
						     inode->i_rdev,
						     open_access(file));
		else if (S_ISCHR(inode->i_mode))
			err = trustgate_check_node(TRUSTGATE_HOOK_file_open,
						   inode->i_rdev,
						   open_access(file));
	}
	return err ?: trustgate_check_open(file, open_access(file));
}

static noinline int check_open(const struct file *file)
{
	if (unlikely(file_inode(file)->i_rdev))
		return check_open_node(file);
	return trustgate_check_open(file, open_access(file));
}

/* A node may be on a volume as well. */
static int check_opened(enum trustgate_hook hook, const struct file *file,
			u32 access)
{
	int err = trustgate_check_opened(hook, file, access);

	if (err || likely(!trustgate_volume_possible(file_inode(file)->i_sb)))
		return err;
	return trustgate_check_again(hook, file, access);
}

static noinline int check_permission(const struct file *file, int mask)
{
	u32 access = 0;

	if (mask & (MAY_READ | MAY_EXEC))
		access |= is_exec(file) ? TRUSTGATE_ACCESS_EXEC :
					  TRUSTGATE_ACCESS_READ;
	if (mask & (MAY_WRITE | MAY_APPEND))
		access |= TRUSTGATE_ACCESS_WRITE;
	/* A mask that is none of these is unheard of: ask for all it may be. */
	if (unlikely(!access))
		access = TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE;
	if (unlikely(S_ISBLK(file_inode(file)->i_mode)))
		return check_opened(TRUSTGATE_HOOK_file_permission, file,
				    access);
	return trustgate_check_again(TRUSTGATE_HOOK_file_permission, file,
				     access);
}

static noinline int check_mmap(const struct file *file, unsigned long prot,
			       unsigned long flags)
{
	u32 access = TRUSTGATE_ACCESS_READ;

	/*
	 * The open was allowed as EXEC; the image's segments are mapped under
	 * its new identity, whose grants may just have ended.
	 */
	if (is_exec(file))
		return trustgate_check_image(TRUSTGATE_HOOK_mmap_file, file);

	if (prot & PROT_EXEC)
		access |= TRUSTGATE_ACCESS_EXEC;
	/* mprotect() can add PROT_WRITE later. */
	if ((flags & MAP_TYPE) != MAP_PRIVATE && file->f_mode & FMODE_WRITE)
		access |= TRUSTGATE_ACCESS_WRITE;
	if (unlikely(S_ISBLK(file_inode(file)->i_mode)))
		return check_opened(TRUSTGATE_HOOK_mmap_file, file, access);
	return trustgate_check_again(TRUSTGATE_HOOK_mmap_file, file, access);
}

/* What mprotect() makes of a mapping, as mmap() would have to ask for it. */
static noinline int check_mprotect(const struct vm_area_struct *vma,
				   unsigned long prot)
{
	u32 access = TRUSTGATE_ACCESS_READ;

	/* Gives nothing. */
	if (!(prot & (PROT_READ | PROT_WRITE | PROT_EXEC)))
		return 0;
	/*
	 * What exec has mapped belongs to the program, whatever grants it holds:
	 * its loader protects the segments when they are filled. No other open
	 * has this flag.
	 */
	if (vma->vm_file->f_flags & __FMODE_EXEC)
		return 0;
	if (prot & PROT_EXEC)
		access |= TRUSTGATE_ACCESS_EXEC;
	if (prot & PROT_WRITE && vma->vm_flags & VM_SHARED)
		access |= TRUSTGATE_ACCESS_WRITE;
	return trustgate_check_again(TRUSTGATE_HOOK_file_mprotect,
				     vma->vm_file, access);
}

#ifdef TRUSTGATE_HAVE_MMAP_BACKING_FILE
/* The file below, which a stacked filesystem maps in place of its own. */
static noinline int check_backing(const struct vm_area_struct *vma,
				  const struct file *file)
{
	u32 access = TRUSTGATE_ACCESS_READ;

	if (is_exec(file))
		return trustgate_check_image(TRUSTGATE_HOOK_mmap_backing_file,
					     file);
	if (vma->vm_flags & VM_EXEC)
		access |= TRUSTGATE_ACCESS_EXEC;
	if (vma->vm_flags & VM_SHARED && file->f_mode & FMODE_WRITE)
		access |= TRUSTGATE_ACCESS_WRITE;
	return trustgate_check_again(TRUSTGATE_HOOK_mmap_backing_file, file,
				     access);
}
#endif

static u32 mode_access(const struct file *file)
{
	u32 access = 0;

	if (file->f_mode & FMODE_READ)
		access |= TRUSTGATE_ACCESS_READ;
	if (file->f_mode & FMODE_WRITE)
		access |= TRUSTGATE_ACCESS_WRITE;
	return access;
}

/* Names in a directory that is open. */
static int check_names(enum trustgate_hook hook, const struct file *file,
		       const struct trustgate_ioctl *means)
{
	struct dentry *dentry = trustgate_name_of(file);

	if (!means->whole)
		return trustgate_check_file(hook, file, means->access);
	return dentry ? trustgate_check_whole(hook, dentry, means->access) :
			trustgate_forbid(hook, file);
}

static noinline int check_ioctl(enum trustgate_hook hook,
				const struct file *file, unsigned int cmd)
{
	const umode_t mode = file_inode(file)->i_mode;
	struct trustgate_ioctl means;
	bool takes_use;

	/* What is behind a node is not the volume's. */
	if (!S_ISREG(mode) && !S_ISDIR(mode))
		return trustgate_check_again(hook, file, mode_access(file));
	means = trustgate_ioctl(cmd);
	if (means.forbidden)
		return trustgate_forbid(hook, file);
	if (means.access & TRUSTGATE_ACCESS_NAMES)
		return check_names(hook, file, &means);
	takes_use = means.access & TRUSTGATE_ACCESS_META;
#ifdef TRUSTGATE_HAVE_INODE_FILE_SETATTR
	/* It comes by inode_file_setattr, too. */
	takes_use = false;
#endif
	return takes_use ? trustgate_check_file(hook, file, means.access) :
			   trustgate_check_again(hook, file, means.access);
}

/*
 * Commands that are about other files than the one they are called on.
 * XFS_IOC_SWAPEXT is on any file of an XFS about two of another.
 */
static noinline int check_elsewhere(enum trustgate_hook hook,
				    const struct file *file, unsigned int cmd)
{
	const struct inode *inode = file_inode(file);
	int err;

	if (trustgate_ioctl_is_swapext(cmd) &&
	    !strcmp(inode->i_sb->s_type->name, "xfs"))
		return trustgate_forbid_by(hook, trustgate_volume_of_type("xfs"));
	if (!inode->i_rdev)
		return 0;
	err = trustgate_check_opened(hook, file, 0);
	if (err)
		return err;
	/* A new partition would be another way to what is closed. */
	if (cmd == BLKPG && S_ISBLK(inode->i_mode))
		return trustgate_check_device(hook, inode->i_rdev, 0);
	if (trustgate_ioctl_hands_over(cmd) && S_ISBLK(inode->i_mode))
		return trustgate_check_handover(hook);
	return 0;
}

/* What may be protected need not be: it is elsewhere, too. */
static __always_inline int check_command(enum trustgate_hook hook,
					 const struct file *file,
					 unsigned int cmd)
{
	int err = 0;

	if (unlikely(trustgate_volume_possible(file_inode(file)->i_sb)))
		err = check_ioctl(hook, file, cmd);
	return err ?: check_elsewhere(hook, file, cmd);
}

static noinline int check_receive(const struct file *file)
{
	return trustgate_check_again(TRUSTGATE_HOOK_file_receive, file,
				     mode_access(file));
}

__bpf_kfunc_start_defs();

__bpf_kfunc int bpf_trustgate_file_open(struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (likely(!trustgate_volume_possible(inode->i_sb) && !inode->i_rdev))
		return 0;
	return check_open(file);
}

__bpf_kfunc int bpf_trustgate_file_permission(struct file *file, int mask)
{
	if (likely(!trustgate_volume_possible(home_of(file))))
		return 0;
	return check_permission(file, mask);
}

__bpf_kfunc int bpf_trustgate_mmap_file(struct file *file, unsigned long prot,
					unsigned long flags)
{
	/* Anonymous memory; the verifier of 6.12 takes this for impossible. */
	if (!file)
		return 0;
	if (likely(!trustgate_volume_possible(home_of(file))))
		return 0;
	return check_mmap(file, prot, flags);
}

__bpf_kfunc int bpf_trustgate_file_mprotect(struct vm_area_struct *vma,
					    unsigned long prot)
{
	if (!vma->vm_file ||
	    likely(!trustgate_volume_possible(file_inode(vma->vm_file)->i_sb)))
		return 0;
	return check_mprotect(vma, prot);
}

#ifdef TRUSTGATE_HAVE_MMAP_BACKING_FILE
__bpf_kfunc int bpf_trustgate_mmap_backing_file(struct vm_area_struct *vma,
						struct file *backing_file)
{
	if (likely(!trustgate_volume_possible(file_inode(backing_file)->i_sb)))
		return 0;
	return check_backing(vma, backing_file);
}
#endif

__bpf_kfunc int bpf_trustgate_file_ioctl(struct file *file, unsigned int cmd)
{
	return check_command(TRUSTGATE_HOOK_file_ioctl, file, cmd);
}
EXPORT_SYMBOL_IF_KUNIT(bpf_trustgate_file_ioctl);

__bpf_kfunc int bpf_trustgate_file_ioctl_compat(struct file *file,
						unsigned int cmd)
{
	return check_command(TRUSTGATE_HOOK_file_ioctl_compat, file, cmd);
}

/* Numbered as ioctls are, by those filesystems that have any. */
__bpf_kfunc int bpf_trustgate_uring_cmd(struct io_uring_cmd *ioucmd,
					unsigned int cmd_op)
{
	return check_command(TRUSTGATE_HOOK_uring_cmd, file_of(ioucmd), cmd_op);
}

__bpf_kfunc int bpf_trustgate_file_truncate(struct file *file)
{
	if (likely(!trustgate_volume_possible(file_inode(file)->i_sb)))
		return 0;
	return trustgate_check_again(TRUSTGATE_HOOK_file_truncate, file,
				     TRUSTGATE_ACCESS_WRITE);
}

__bpf_kfunc int bpf_trustgate_file_receive(struct file *file)
{
	if (likely(!trustgate_volume_possible(file_inode(file)->i_sb)))
		return 0;
	return check_receive(file);
}

__bpf_kfunc_end_defs();
