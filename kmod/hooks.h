/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the list of hooks.
 *
 * Owns: which LSM hooks, and what else, the gate uses, what it takes from each,
 * and when each is attached. The BPF programs (lsm/hooks.bpf.c), the kfunc prototypes and
 * kfunc set (core/kfuncs.c), the hook numbers and the table of attachments
 * (lsm/arm.c) are all produced from this list.
 *
 * Must not own: what a hook decides (core/hook_*.c).
 *
 * To add a hook: one line here, and one kfunc body in core/hook_*.c. The proof
 * that it runs (lsm/canary.c) will not build until it knows the new hook.
 */
#ifndef _TRUSTGATE_HOOKS_H
#define _TRUSTGATE_HOOKS_H

#define TRUSTGATE_PROTO(...) __VA_ARGS__
#define TRUSTGATE_ARGS(...) __VA_ARGS__

/*
 * TRUSTGATE_IF_SLEEPS(name, yes, no): one of the two. Whose program may sleep is
 * called without the RCU read lock: an open waits there for its answer.
 */
#define TRUSTGATE_SLEEPS_file_open	~,
#define TRUSTGATE_THIRD(a, b, c, ...)	c
#define TRUSTGATE_CHOOSE(...)		TRUSTGATE_THIRD(__VA_ARGS__)
#define TRUSTGATE_IF_SLEEPS(name, yes, no)				\
	TRUSTGATE_CHOOSE(TRUSTGATE_SLEEPS_##name, yes, no, ~)

/* Which kernels have: the build looks into their list of hooks. */
#ifdef TRUSTGATE_HAVE_INODE_FILE_SETATTR
#define TRUSTGATE_HOOKS_FILE_ATTR(CHECK)				\
	CHECK(inode_file_setattr, VOLUME,				\
	      TRUSTGATE_PROTO(struct dentry *dentry,			\
			      struct file_kattr *fa),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))
#else
#define TRUSTGATE_HOOKS_FILE_ATTR(...)
#endif

#ifdef TRUSTGATE_HAVE_INODE_FILE_GETATTR
#define TRUSTGATE_HOOKS_FILE_GETATTR(CHECK)				\
	CHECK(inode_file_getattr, METADATA,				\
	      TRUSTGATE_PROTO(struct dentry *dentry,			\
			      struct file_kattr *fa),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))
#else
#define TRUSTGATE_HOOKS_FILE_GETATTR(...)
#endif

#ifdef TRUSTGATE_HAVE_MMAP_BACKING_FILE
#define TRUSTGATE_HOOKS_BACKING(CHECK)					\
	CHECK(mmap_backing_file, VOLUME,				\
	      TRUSTGATE_PROTO(struct vm_area_struct *vma,		\
			      struct file *backing_file,		\
			      struct file *user_file),			\
	      TRUSTGATE_PROTO(struct vm_area_struct *vma,		\
			      struct file *backing_file),		\
	      TRUSTGATE_ARGS(vma, backing_file))
#else
#define TRUSTGATE_HOOKS_BACKING(...)
#endif

/*
 * CHECK(name, set, arguments of the hook, arguments of the kfunc's prototype,
 *       arguments handed to the kfunc)
 *	for a hook that returns a verdict: int bpf_trustgate_<name>(...)
 * NOTE(same)
 *	for a hook that returns nothing: void bpf_trustgate_<name>(...)
 * DEVICE(name, set)
 *	for opening devices, which is no LSM hook but asked of a program on the
 *	root cgroup: int bpf_trustgate_<name>(kind and access, major, minor)
 *
 * The set says when the hook is attached:
 *	VOLUME	while at least one volume is protected
 *	METADATA while at least one volume hides its metadata: these run on
 *		every step of every path walk of the host
 *
 * The list is in parts because libbpf loads at most 32 programs with a light
 * skeleton: with more, the loader fails in the verifier (EACCES). Each part
 * becomes a skeleton of its own.
 */

/* Files, their names and attributes. */
#define TRUSTGATE_HOOKS_FILES(CHECK, NOTE, DEVICE)			\
	CHECK(file_open, VOLUME,					\
	      TRUSTGATE_PROTO(struct file *file),			\
	      TRUSTGATE_PROTO(struct file *file),			\
	      TRUSTGATE_ARGS(file))					\
	CHECK(file_permission, VOLUME,					\
	      TRUSTGATE_PROTO(struct file *file, int mask),		\
	      TRUSTGATE_PROTO(struct file *file, int mask),		\
	      TRUSTGATE_ARGS(file, mask))				\
	CHECK(mmap_file, VOLUME,					\
	      TRUSTGATE_PROTO(struct file *file, unsigned long reqprot,	\
			      unsigned long prot, unsigned long flags),	\
	      TRUSTGATE_PROTO(struct file *file, unsigned long prot,	\
			      unsigned long flags),			\
	      TRUSTGATE_ARGS(file, prot, flags))			\
	CHECK(file_mprotect, VOLUME,					\
	      TRUSTGATE_PROTO(struct vm_area_struct *vma,		\
			      unsigned long reqprot,			\
			      unsigned long prot),			\
	      TRUSTGATE_PROTO(struct vm_area_struct *vma,		\
			      unsigned long prot),			\
	      TRUSTGATE_ARGS(vma, prot))				\
	TRUSTGATE_HOOKS_BACKING(CHECK)					\
	CHECK(file_ioctl, VOLUME,					\
	      TRUSTGATE_PROTO(struct file *file, unsigned int cmd,	\
			      unsigned long arg),			\
	      TRUSTGATE_PROTO(struct file *file, unsigned int cmd),	\
	      TRUSTGATE_ARGS(file, cmd))				\
	CHECK(file_ioctl_compat, VOLUME,				\
	      TRUSTGATE_PROTO(struct file *file, unsigned int cmd,	\
			      unsigned long arg),			\
	      TRUSTGATE_PROTO(struct file *file, unsigned int cmd),	\
	      TRUSTGATE_ARGS(file, cmd))				\
	CHECK(uring_cmd, VOLUME,					\
	      TRUSTGATE_PROTO(struct io_uring_cmd *ioucmd),		\
	      TRUSTGATE_PROTO(struct io_uring_cmd *ioucmd,		\
			      unsigned int cmd_op),			\
	      TRUSTGATE_ARGS(ioucmd, ioucmd->cmd_op))			\
	CHECK(file_truncate, VOLUME,					\
	      TRUSTGATE_PROTO(struct file *file),			\
	      TRUSTGATE_PROTO(struct file *file),			\
	      TRUSTGATE_ARGS(file))					\
	CHECK(file_receive, VOLUME,					\
	      TRUSTGATE_PROTO(struct file *file),			\
	      TRUSTGATE_PROTO(struct file *file),			\
	      TRUSTGATE_ARGS(file))					\
	CHECK(inode_create, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *dir, struct dentry *dentry,	\
			      umode_t mode),				\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_mkdir, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *dir, struct dentry *dentry,	\
			      umode_t mode),				\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_mknod, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *dir, struct dentry *dentry,	\
			      umode_t mode, dev_t dev),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_symlink, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *dir, struct dentry *dentry,	\
			      const char *old_name),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_link, VOLUME,					\
	      TRUSTGATE_PROTO(struct dentry *old_dentry,		\
			      struct inode *dir,			\
			      struct dentry *new_dentry),		\
	      TRUSTGATE_PROTO(struct dentry *old_dentry,		\
			      struct dentry *new_dentry),		\
	      TRUSTGATE_ARGS(old_dentry, new_dentry))			\
	CHECK(inode_unlink, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *dir, struct dentry *dentry),	\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_rmdir, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *dir, struct dentry *dentry),	\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_rename, VOLUME,					\
	      TRUSTGATE_PROTO(struct inode *old_dir,			\
			      struct dentry *old_dentry,		\
			      struct inode *new_dir,			\
			      struct dentry *new_dentry),		\
	      TRUSTGATE_PROTO(struct dentry *old_dentry,		\
			      struct dentry *new_dentry),		\
	      TRUSTGATE_ARGS(old_dentry, new_dentry))			\
	CHECK(inode_setattr, VOLUME,					\
	      TRUSTGATE_PROTO(struct mnt_idmap *idmap,			\
			      struct dentry *dentry,			\
			      struct iattr *attr),			\
	      TRUSTGATE_PROTO(struct dentry *dentry,			\
			      unsigned int ia_valid),			\
	      TRUSTGATE_ARGS(dentry, attr->ia_valid))			\
	CHECK(inode_getxattr, VOLUME,					\
	      TRUSTGATE_PROTO(struct dentry *dentry,			\
			      const char *name),			\
	      TRUSTGATE_PROTO(struct dentry *dentry,			\
			      unsigned long name),			\
	      TRUSTGATE_ARGS(dentry, (unsigned long)name))		\
	CHECK(inode_setxattr, VOLUME,					\
	      TRUSTGATE_PROTO(struct mnt_idmap *idmap,			\
			      struct dentry *dentry, const char *name,	\
			      const void *value, size_t size,		\
			      int flags),				\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_removexattr, VOLUME,				\
	      TRUSTGATE_PROTO(struct mnt_idmap *idmap,			\
			      struct dentry *dentry,			\
			      const char *name),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_set_acl, VOLUME,					\
	      TRUSTGATE_PROTO(struct mnt_idmap *idmap,			\
			      struct dentry *dentry,			\
			      const char *acl_name,			\
			      struct posix_acl *kacl),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_remove_acl, VOLUME,					\
	      TRUSTGATE_PROTO(struct mnt_idmap *idmap,			\
			      struct dentry *dentry,			\
			      const char *acl_name),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	TRUSTGATE_HOOKS_FILE_ATTR(CHECK)

/* What is around them: mounts, devices, processes. */
#define TRUSTGATE_HOOKS_HOST(CHECK, NOTE, DEVICE)			\
	CHECK(sb_mount, VOLUME,						\
	      TRUSTGATE_PROTO(const char *dev_name,			\
			      const struct path *path,			\
			      const char *type, unsigned long flags,	\
			      void *data),				\
	      TRUSTGATE_PROTO(const struct path *path,			\
			      unsigned long flags),			\
	      TRUSTGATE_ARGS(path, flags))				\
	CHECK(move_mount, VOLUME,					\
	      TRUSTGATE_PROTO(const struct path *from_path,		\
			      const struct path *to_path),		\
	      TRUSTGATE_PROTO(const struct path *to_path),		\
	      TRUSTGATE_ARGS(to_path))					\
	CHECK(sb_pivotroot, VOLUME,					\
	      TRUSTGATE_PROTO(const struct path *old_path,		\
			      const struct path *new_path),		\
	      TRUSTGATE_PROTO(const struct path *old_path),		\
	      TRUSTGATE_ARGS(old_path))					\
	CHECK(sb_remount, VOLUME,					\
	      TRUSTGATE_PROTO(struct super_block *sb, void *mnt_opts),	\
	      TRUSTGATE_PROTO(struct super_block *sb),			\
	      TRUSTGATE_ARGS(sb))					\
	CHECK(quotactl, VOLUME,						\
	      TRUSTGATE_PROTO(int cmds, int type, int id,		\
			      const struct super_block *sb),		\
	      TRUSTGATE_PROTO(int cmds, const struct super_block *sb),	\
	      TRUSTGATE_ARGS(cmds, sb))					\
	CHECK(path_notify, VOLUME,					\
	      TRUSTGATE_PROTO(const struct path *path, u64 mask,	\
			      unsigned int obj_type),			\
	      TRUSTGATE_PROTO(const struct path *path,			\
			      unsigned int obj_type),			\
	      TRUSTGATE_ARGS(path, obj_type))				\
	CHECK(ptrace_access_check, VOLUME,				\
	      TRUSTGATE_PROTO(struct task_struct *child,		\
			      unsigned int mode),			\
	      TRUSTGATE_PROTO(struct task_struct *child,		\
			      unsigned int mode),			\
	      TRUSTGATE_ARGS(child, mode))				\
	CHECK(ptrace_traceme, VOLUME,					\
	      TRUSTGATE_PROTO(struct task_struct *parent),		\
	      TRUSTGATE_PROTO(struct task_struct *parent),		\
	      TRUSTGATE_ARGS(parent))					\
	CHECK(task_alloc, VOLUME,					\
	      TRUSTGATE_PROTO(struct task_struct *task,			\
			      u64 clone_flags),				\
	      TRUSTGATE_PROTO(struct task_struct *task,			\
			      u64 clone_flags),				\
	      TRUSTGATE_ARGS(task, clone_flags))			\
	CHECK(cred_prepare, VOLUME,					\
	      TRUSTGATE_PROTO(struct cred *new, const struct cred *old,	\
			      gfp_t gfp),				\
	      TRUSTGATE_PROTO(void),					\
	      TRUSTGATE_ARGS())						\
	DEVICE(block_device, VOLUME)					\
	NOTE(bprm_committed_creds, VOLUME,				\
	     TRUSTGATE_PROTO(const struct linux_binprm *bprm),		\
	     TRUSTGATE_PROTO(void),					\
	     TRUSTGATE_ARGS())						\
	NOTE(task_free, VOLUME,						\
	     TRUSTGATE_PROTO(struct task_struct *task),			\
	     TRUSTGATE_PROTO(unsigned long from_current),		\
	     TRUSTGATE_ARGS(FROM_CURRENT(task)))			\
	NOTE(sb_delete, VOLUME,						\
	     TRUSTGATE_PROTO(struct super_block *sb),			\
	     TRUSTGATE_PROTO(struct super_block *sb),			\
	     TRUSTGATE_ARGS(sb))

/* Looking at names and attributes. */
#define TRUSTGATE_HOOKS_LOOKS(CHECK, NOTE, DEVICE)			\
	CHECK(inode_permission, METADATA,				\
	      TRUSTGATE_PROTO(struct inode *inode, int mask),		\
	      TRUSTGATE_PROTO(struct inode *inode, int mask),		\
	      TRUSTGATE_ARGS(inode, mask))				\
	CHECK(inode_follow_link, METADATA,				\
	      TRUSTGATE_PROTO(struct dentry *dentry,			\
			      struct inode *inode, bool rcu),		\
	      TRUSTGATE_PROTO(struct inode *inode, bool rcu),		\
	      TRUSTGATE_ARGS(inode, rcu))				\
	CHECK(inode_readlink, METADATA,					\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_getattr, METADATA,					\
	      TRUSTGATE_PROTO(const struct path *path),			\
	      TRUSTGATE_PROTO(const struct path *path),			\
	      TRUSTGATE_ARGS(path))					\
	CHECK(inode_listxattr, METADATA,				\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	CHECK(inode_get_acl, METADATA,					\
	      TRUSTGATE_PROTO(struct mnt_idmap *idmap,			\
			      struct dentry *dentry,			\
			      const char *acl_name),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))					\
	TRUSTGATE_HOOKS_FILE_GETATTR(CHECK)				\
	CHECK(sb_statfs, METADATA,					\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_PROTO(struct dentry *dentry),			\
	      TRUSTGATE_ARGS(dentry))

#define TRUSTGATE_HOOKS(CHECK, NOTE, DEVICE)				\
	TRUSTGATE_HOOKS_FILES(CHECK, NOTE, DEVICE)			\
	TRUSTGATE_HOOKS_HOST(CHECK, NOTE, DEVICE)			\
	TRUSTGATE_HOOKS_LOOKS(CHECK, NOTE, DEVICE)

#define TRUSTGATE_HOOK_NUMBER(name, ...) TRUSTGATE_HOOK_##name,

/* Number of each hook, in the order of the list. */
enum trustgate_hook {
	TRUSTGATE_HOOKS(TRUSTGATE_HOOK_NUMBER, TRUSTGATE_HOOK_NUMBER,
			TRUSTGATE_HOOK_NUMBER)
	TRUSTGATE_HOOK_COUNT
};

/* Sets of hooks that are attached together, one bit each. */
#define TRUSTGATE_SET_VOLUME	0x1U
#define TRUSTGATE_SET_METADATA	0x2U
#define TRUSTGATE_SETS_ALL	(TRUSTGATE_SET_VOLUME | TRUSTGATE_SET_METADATA)

#endif /* _TRUSTGATE_HOOKS_H */
