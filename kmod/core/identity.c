// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - naming the two ends of a grant; see identity.h.
 */

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/namei.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <net/netlink.h>

#include "../compat.h"
#include "identity.h"
#include "request.h"
#include "subvolume.h"

/* As the 22nd field of /proc/PID/stat, for a reader in no time namespace. */
static u64 start_ticks(u64 start_ns)
{
	return div_u64(start_ns, NSEC_PER_SEC / USER_HZ);
}

static int check_task(const struct trustgate_terms *terms,
		      const struct task_struct *task,
		      const struct nlattr *attr, const struct nlattr *ticks,
		      struct netlink_ext_ack *extack)
{
	if (!task) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "no such process, or it is a thread and not a process");
		return -ESRCH;
	}
	if (task->flags & PF_KTHREAD) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a kernel thread cannot hold grants");
		return -EINVAL;
	}
	/* Its first thread may have exited and the process go on. */
	if (!atomic_read(&task->signal->live)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "the process is exiting");
		return -ESRCH;
	}
	if (ticks && nla_get_u64(ticks) != start_ticks(task->start_boottime)) {
		NL_SET_ERR_MSG_ATTR(extack, ticks,
				    "the process started at another time: the pid was reused");
		return -ESRCH;
	}
	/* Whatever loses its parent becomes the child of an init. */
	if (terms->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS &&
	    is_child_reaper(terms->pid)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the descendants of an init process include strangers; name the service's own process");
		return -EINVAL;
	}
	return 0;
}

/* Of the process behind terms->pid. */
static int take_subject(struct trustgate_terms *terms,
			const struct nlattr *attr, const struct nlattr *ticks,
			const u64 *exec_id, struct netlink_ext_ack *extack)
{
	const struct task_struct *task;
	int err;

	rcu_read_lock();
	task = terms->pid ? pid_task(terms->pid, PIDTYPE_TGID) : NULL;
	err = check_task(terms, task, attr, ticks, extack);
	if (!err && exec_id && READ_ONCE(task->self_exec_id) != *exec_id) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the process has executed another program since it asked");
		err = -ESRCH;
	}
	if (!err) {
		terms->exec_id = READ_ONCE(task->self_exec_id);
		if (terms->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC)
			terms->exec_id++;
		terms->start_ns = task->start_boottime;
	}
	rcu_read_unlock();
	return err;
}

int trustgate_subject_resolve(struct trustgate_terms *terms,
			      const struct nlattr *attr,
			      const struct nlattr *ticks,
			      struct netlink_ext_ack *extack)
{
	terms->pid = find_get_pid(nla_get_s32(attr));
	return take_subject(terms, attr, ticks, NULL, extack);
}

int trustgate_subject_asked(struct trustgate_terms *terms,
			    const struct trustgate_request *request,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack)
{
	terms->pid = request->key.pid;
	return take_subject(terms, attr, NULL, &request->key.exec_id, extack);
}

static int take_inode(struct trustgate_terms *terms,
		      const struct dentry *dentry, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	const struct inode *inode = d_inode(dentry);

	if (dentry->d_sb != terms->volume->sb) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not on this volume");
		return -EXDEV;
	}
	if (!inode) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no such file on the volume");
		return -ENOENT;
	}
	if (d_is_symlink(dentry)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a symbolic link; name the file itself");
		return -ELOOP;
	}
	if (terms->kind == TRUSTGATE_OBJECT_KIND_SUBTREE &&
	    !S_ISDIR(inode->i_mode)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a subtree begins with a directory");
		return -ENOTDIR;
	}
	terms->ino = inode->i_ino;
	terms->generation = inode->i_generation;
	/* The caller's reference on the name keeps the inode. */
	terms->subvolume = trustgate_subvolume(terms->volume, inode, NULL);
	if (terms->volume->has_subvolumes &&
	    terms->subvolume == TRUSTGATE_NO_SUBVOLUME) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the filesystem does not tell which subvolume it is in");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int resolve_fd(struct trustgate_terms *terms, const struct nlattr *attr,
		      struct netlink_ext_ack *extack)
{
	struct file *file = fget_raw(nla_get_s32(attr));
	int err;

	if (!file) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "not an open file");
		return -EBADF;
	}
	err = take_inode(terms, file->f_path.dentry, attr, extack);
	fput(file);
	return err;
}

/* One step down; takes over the reference to dir, returns one to the child. */
static struct dentry *step(struct dentry *dir, const char *name,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	struct dentry *child;

	if (!strcmp(name, "..")) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "'..' is refused in a path");
		child = ERR_PTR(-EINVAL);
	} else if (d_is_symlink(dir)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the path leads through a symbolic link");
		child = ERR_PTR(-ELOOP);
	} else if (d_is_negative(dir)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "no such directory on the volume");
		child = ERR_PTR(-ENOENT);
	} else if (!d_is_dir(dir)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the path leads through a file");
		child = ERR_PTR(-ENOTDIR);
	} else {
		child = trustgate_lookup_unlocked(dir, name);
		if (IS_ERR(child))
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "the path cannot be looked up");
	}
	dput(dir);
	return child;
}

/*
 * A path on the volume is a walk from its root, whatever is mounted where: the
 * caller's mounts, chroot and symbolic links cannot lead it elsewhere.
 */
static int resolve_path(struct trustgate_terms *terms,
			const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	char *copy, *rest, *name;
	struct dentry *dentry;
	int err;

	copy = kstrdup(nla_data(attr), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	if (!*copy) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an empty path; the volume's root is '.'");
		kfree(copy);
		return -EINVAL;
	}
	rest = copy;
	dentry = dget(terms->volume->sb->s_root);
	while (!IS_ERR(dentry) && (name = strsep(&rest, "/"))) {
		if (*name && strcmp(name, "."))
			dentry = step(dentry, name, attr, extack);
	}
	kfree(copy);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = take_inode(terms, dentry, attr, extack);
	dput(dentry);
	return err;
}

int trustgate_object_resolve(struct trustgate_terms *terms,
			     const struct nlattr *fd, const struct nlattr *path,
			     struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&trustgate_mutex);
	return fd ? resolve_fd(terms, fd, extack) :
		    resolve_path(terms, path, extack);
}
