// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hooks on mounts, and on watches on what happens below one.
 *
 * Owns: which access each of them stands for.
 *
 * Must not own: the decision.
 *
 * A mount or unmount changes no byte of a volume, and the gate goes by the
 * filesystem, wherever it is mounted. But what is mounted over a directory of a
 * volume takes its place: who writes there believes that the volume has it.
 */

#include <kunit/visibility.h>
#include <linux/dcache.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <uapi/linux/mount.h>

#include "check.h"
#include "kfuncs.h"

#define PROPAGATION	(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/*
 * As taking the name away and putting another file in its place. Over a whole
 * mount it does no more than an unmount, which is nobody's loss, and services
 * hide mounts from themselves that way.
 */
static noinline int check_covering(enum trustgate_hook hook,
				   const struct path *path)
{
	struct dentry *dentry = path->dentry;

	if (dentry == path->mnt->mnt_root)
		return 0;
	if (!d_is_dir(dentry))
		return trustgate_check_parent(hook, dentry);
	return trustgate_check_dentry(hook, dentry, TRUSTGATE_ACCESS_NAMES,
				      true);
}

/*
 * Options apply to all of the volume. The kernel makes it read-only when it
 * goes down, after a pin was dropped, or in an emergency by a thread of its own.
 */
static noinline int check_remount(const struct super_block *sb)
{
	const struct trustgate_volume *volume = trustgate_volume_find(sb);

	if (volume && (!READ_ONCE(volume->pinned) ||
		       current->flags & PF_KTHREAD))
		return 0;
	return trustgate_check_whole(TRUSTGATE_HOOK_sb_remount, sb->s_root,
				     TRUSTGATE_ACCESS_META);
}

/* A watch tells names, and who is doing what. */
static noinline int check_notify(const struct path *path, unsigned int obj_type)
{
	if (obj_type == FSNOTIFY_OBJ_TYPE_INODE)
		return trustgate_check_dentry(TRUSTGATE_HOOK_path_notify,
					      path->dentry,
					      TRUSTGATE_ACCESS_READ, true);
	return trustgate_check_whole(TRUSTGATE_HOOK_path_notify,
				     path->dentry->d_sb->s_root,
				     TRUSTGATE_ACCESS_READ);
}

__bpf_kfunc_start_defs();

/*
 * MS_REMOUNT with MS_BIND is about one mount, without it about the filesystem,
 * see sb_remount; MS_BIND comes before any change of propagation.
 */
__bpf_kfunc int bpf_trustgate_sb_mount(const struct path *path,
				       unsigned long flags)
{
	if (likely(!trustgate_volume_possible(path->dentry->d_sb)))
		return 0;
	if (flags & MS_REMOUNT || (!(flags & MS_BIND) && flags & PROPAGATION))
		return 0;
	return check_covering(TRUSTGATE_HOOK_sb_mount, path);
}

__bpf_kfunc int bpf_trustgate_move_mount(const struct path *to_path)
{
	if (likely(!trustgate_volume_possible(to_path->dentry->d_sb)))
		return 0;
	return check_covering(TRUSTGATE_HOOK_move_mount, to_path);
}

/* @old_path: where the old root is mounted, in the new one. */
__bpf_kfunc int bpf_trustgate_sb_pivotroot(const struct path *old_path)
{
	if (likely(!trustgate_volume_possible(old_path->dentry->d_sb)))
		return 0;
	return check_covering(TRUSTGATE_HOOK_sb_pivotroot, old_path);
}

__bpf_kfunc int bpf_trustgate_sb_remount(struct super_block *sb)
{
	if (likely(!trustgate_volume_possible(sb)))
		return 0;
	return check_remount(sb);
}
EXPORT_SYMBOL_IF_KUNIT(bpf_trustgate_sb_remount);

__bpf_kfunc int bpf_trustgate_path_notify(const struct path *path,
					  unsigned int obj_type)
{
	if (likely(!trustgate_volume_possible(path->dentry->d_sb)))
		return 0;
	return check_notify(path, obj_type);
}

__bpf_kfunc_end_defs();
