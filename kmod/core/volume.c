// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - protected volumes; see volume.h.
 */

#include <kunit/visibility.h>
#include <linux/bitops.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/fs_struct.h>
#include <linux/kdev_t.h>
#include <linux/moduleparam.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "canary.h"
#include "devices.h"
#include "subvolume.h"
#include "volume.h"

static unsigned int max_volumes = 64;
module_param(max_volumes, uint, 0444);
MODULE_PARM_DESC(max_volumes, "Most volumes protected at a time (default 64)");

/*
 * Filesystems that keep their data on this host's block devices or memory,
 * and on which inode number and generation, and on btrfs the subvolume, name
 * one file for good.
 */
static const char * const supported[] = { "ext4", "xfs", "btrfs", "tmpfs" };

/* Outermost lock of the module; see volume.h. */
DEFINE_MUTEX(trustgate_mutex);
EXPORT_SYMBOL_IF_KUNIT(trustgate_mutex);

u64 trustgate_volume_filter __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_filter);
u64 trustgate_volume_majors __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_majors);
struct hlist_head trustgate_volume_table[TRUSTGATE_VOLUME_CLASSES] __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_table);

static unsigned int count;
static u32 last_id;
static u32 generation = 1;

struct trustgate_volume *trustgate_volume_next(u32 id)
{
	struct trustgate_volume *volume, *best = NULL;
	u64 classes = trustgate_volume_filter;
	unsigned int i;

	lockdep_assert_held(&trustgate_mutex);
	/* Most have no member, and an answer to an open comes through here. */
	for (; classes; classes &= classes - 1) {
		i = __ffs64(classes);
		hlist_for_each_entry(volume, &trustgate_volume_table[i], by_sb) {
			if (volume->id >= id &&
			    (!best || volume->id < best->id))
				best = volume;
		}
	}
	return best;
}

const struct trustgate_volume *trustgate_volume_of_type(const char *fstype)
{
	const struct trustgate_volume *volume;

	trustgate_volume_each(volume) {
		if (!strcmp(volume->fstype, fstype))
			return volume;
	}
	return NULL;
}

const struct trustgate_volume *trustgate_volume_numbered(u32 id)
{
	u64 classes = READ_ONCE(trustgate_volume_filter);
	const struct trustgate_volume *volume;
	unsigned int i;

	for (; classes; classes &= classes - 1) {
		i = __ffs64(classes);
		hlist_for_each_entry_rcu(volume, &trustgate_volume_table[i],
					 by_sb) {
			if (volume->id == id)
				return volume;
		}
	}
	return NULL;
}

const struct trustgate_volume *trustgate_volume_on(dev_t dev)
{
	const struct trustgate_volume *volume;

	if (!dev)
		return NULL;
	trustgate_volume_each(volume) {
		if (trustgate_devices_have(volume->own, dev) ||
		    trustgate_devices_have(rcu_dereference(volume->lower), dev))
			return volume;
	}
	return NULL;
}

const struct trustgate_volume *trustgate_volume_itself_on(dev_t dev)
{
	const struct trustgate_volume *volume;

	trustgate_volume_each(volume) {
		if (trustgate_devices_have(volume->own ?:
					   rcu_dereference(volume->lower), dev))
			return volume;
	}
	return NULL;
}

const struct trustgate_volume *trustgate_volume_behind(dev_t dev)
{
	const struct trustgate_volume *volume;

	trustgate_volume_each(volume) {
		if (trustgate_devices_have(rcu_dereference(volume->nodes), dev))
			return volume;
	}
	return NULL;
}

struct trustgate_volume *trustgate_volume_by_id(u32 id)
{
	struct trustgate_volume *volume = trustgate_volume_next(id);

	return volume && volume->id == id ? volume : NULL;
}

struct trustgate_volume *trustgate_volume_by_name(const char *name)
{
	struct trustgate_volume *volume;
	u32 id = 0;

	while ((volume = trustgate_volume_next(id))) {
		if (!strcmp(volume->name, name))
			return volume;
		id = volume->id + 1;
	}
	return NULL;
}

u32 trustgate_volume_generation(void)
{
	return READ_ONCE(generation);
}

static void generation_bump(void)
{
	u32 next = generation + 1;

	WRITE_ONCE(generation, next ? next : 1);
}

unsigned int trustgate_volume_count(void)
{
	return READ_ONCE(count);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_count);

bool trustgate_volume_any_hidden(void)
{
	const struct trustgate_volume *volume;
	unsigned int i;

	lockdep_assert_held(&trustgate_mutex);
	for (i = 0; i < TRUSTGATE_VOLUME_CLASSES; i++) {
		hlist_for_each_entry(volume, &trustgate_volume_table[i], by_sb) {
			if (volume->settings.metadata ==
			    TRUSTGATE_METADATA_HIDDEN)
				return true;
		}
	}
	return false;
}

unsigned int trustgate_volume_max(void)
{
	return max_volumes;
}

void trustgate_volume_filter_rebuild(const struct super_block *extra)
{
	struct trustgate_volume *volume;
	u64 filter = 0;
	unsigned int i;

	/* Held, but not by the carrier's thread when it ends the canary. */
	WARN_ON_ONCE(!mutex_is_locked(&trustgate_mutex));
	for (i = 0; i < TRUSTGATE_VOLUME_CLASSES; i++) {
		hlist_for_each_entry(volume, &trustgate_volume_table[i], by_sb)
			filter |= BIT_ULL(trustgate_volume_class(volume->sb));
	}
	/* Who has one open is asked about the device; see volume_itself_on(). */
	if (filter)
		filter |= BIT_ULL(trustgate_volume_class(blockdev_superblock));
	if (extra)
		filter |= BIT_ULL(trustgate_volume_class(extra));
	WRITE_ONCE(trustgate_volume_filter, filter);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_filter_rebuild);

static u64 majors_of(const struct trustgate_devices *devices)
{
	u64 majors = 0;
	unsigned int i;

	for (i = 0; devices && i < devices->count; i++)
		majors |= BIT_ULL(MAJOR(devices->dev[i]) & 63);
	return majors;
}

static void majors_rebuild(void)
{
	struct trustgate_volume *volume;
	u64 majors = 0;
	unsigned int i;

	for (i = 0; i < TRUSTGATE_VOLUME_CLASSES; i++) {
		hlist_for_each_entry(volume, &trustgate_volume_table[i], by_sb)
			majors |= majors_of(volume->own) |
				  majors_of(trustgate_volume_lower(volume)) |
				  majors_of(trustgate_volume_nodes(volume));
	}
	WRITE_ONCE(trustgate_volume_majors, majors);
}

static bool is_supported(const struct super_block *sb)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(supported); i++) {
		if (!strcmp(sb->s_type->name, supported[i]))
			return true;
	}
	return false;
}

static bool is_root_of(struct task_struct *task, const struct super_block *sb)
{
	struct path root = {};
	bool same;

	task_lock(task);
	if (task->fs)
		get_fs_root(task->fs, &root);
	task_unlock(task);
	same = root.mnt && root.mnt->mnt_sb == sb;
	path_put(&root);
	return same;
}

/* The agent may have been started in a root of its own. */
static bool is_root_filesystem(const struct super_block *sb)
{
	struct task_struct *init;
	bool same = is_root_of(current, sb);

	rcu_read_lock();
	init = pid_task(find_pid_ns(1, &init_pid_ns), PIDTYPE_TGID);
	if (init)
		get_task_struct(init);
	rcu_read_unlock();
	if (init) {
		same |= is_root_of(init, sb);
		put_task_struct(init);
	}
	return same;
}

static int may_protect(const struct path *path, const char *name,
		       struct netlink_ext_ack *extack)
{
	const struct super_block *sb = path->dentry->d_sb;
	struct trustgate_volume *volume;

	if (!is_supported(sb)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "%s is not supported; protect ext4, xfs, btrfs or tmpfs",
				   sb->s_type->name);
		return -EOPNOTSUPP;
	}
	if (trustgate_subvolume_possible(sb)) {
		if (path->dentry != sb->s_root) {
			NL_SET_ERR_MSG(extack,
				       "not the root of the btrfs; mount all of it with the option subvolid=5 and name that mount point");
			return -EINVAL;
		}
		if (trustgate_subvolume_of_inode(d_inode(path->dentry)) ==
		    TRUSTGATE_NO_SUBVOLUME) {
			NL_SET_ERR_MSG(extack,
				       "this kernel's btrfs does not tell which subvolume a file is in; use a supported kernel");
			return -EOPNOTSUPP;
		}
	}
	if (path->dentry != sb->s_root) {
		NL_SET_ERR_MSG(extack,
			       "not the root of a mounted filesystem; mount the volume first and name its mount point");
		return -EINVAL;
	}
	if (is_root_filesystem(sb)) {
		NL_SET_ERR_MSG(extack,
			       "this is the host's root filesystem; put the tenant's data on a filesystem of its own");
		return -EBUSY;
	}
	volume = trustgate_volume_find(sb);
	if (volume) {
		NL_SET_ERR_MSG_FMT(extack, "it is volume '%.50s' already",
				   volume->name);
		return -EEXIST;
	}
	if (trustgate_volume_by_name(name)) {
		NL_SET_ERR_MSG(extack, "another volume has this name");
		return -EEXIST;
	}
	if (count >= max_volumes) {
		NL_SET_ERR_MSG_FMT(extack,
				   "table of volumes is full (%u); raise the module parameter max_volumes",
				   max_volumes);
		return -ENOSPC;
	}
	if (last_id == U32_MAX) {
		NL_SET_ERR_MSG(extack, "volume numbers are used up; reload the module");
		return -ENOSPC;
	}
	return 0;
}

struct trustgate_volume *
trustgate_volume_create(const struct path *path, const char *name,
			const struct trustgate_settings *settings,
			struct netlink_ext_ack *extack)
{
	struct super_block *sb = path->dentry->d_sb;
	struct trustgate_volume *volume;
	int err;

	lockdep_assert_held(&trustgate_mutex);

	err = may_protect(path, name, extack);
	if (err)
		return ERR_PTR(err);

	volume = kzalloc(sizeof(*volume), GFP_KERNEL);
	if (!volume)
		return ERR_PTR(-ENOMEM);
	volume->counters = alloc_percpu(struct trustgate_counters);
	if (!volume->counters) {
		kfree(volume);
		return ERR_PTR(-ENOMEM);
	}

	/* The caller's path keeps sb alive, but maybe not active. */
	if (!atomic_inc_not_zero(&sb->s_active)) {
		NL_SET_ERR_MSG(extack, "filesystem is being unmounted");
		trustgate_volume_discard(volume);
		return ERR_PTR(-ESTALE);
	}
	volume->pinned = true;
	volume->sb = sb;
	strscpy(volume->name, name, sizeof(volume->name));
	strscpy(volume->fstype, sb->s_type->name, sizeof(volume->fstype));
	snprintf(volume->device, sizeof(volume->device), "%u:%u",
		 MAJOR(sb->s_dev), MINOR(sb->s_dev));
	memcpy(volume->uuid, &sb->s_uuid, sizeof(volume->uuid));
	volume->has_subvolumes = trustgate_subvolume_possible(sb);
	volume->settings = *settings;
	volume->id = ++last_id;
	volume->added_boottime_ns = ktime_get_boottime_ns();
	err = trustgate_devices_find(sb, &volume->own, extack);
	if (err) {
		trustgate_volume_discard(volume);
		return ERR_PTR(err);
	}
	return volume;
}

void trustgate_volume_discard(struct trustgate_volume *volume)
{
	if (volume->pinned)
		deactivate_super(volume->sb);
	/* No hook can see it any more. */
	kfree(rcu_dereference_protected(volume->lower, true));
	kfree(rcu_dereference_protected(volume->nodes, true));
	kfree(volume->own);
	free_percpu(volume->counters);
	kfree(volume);
}

const struct trustgate_devices *
trustgate_volume_lower(const struct trustgate_volume *volume)
{
	return rcu_dereference_protected(volume->lower,
					 lockdep_is_held(&trustgate_mutex));
}

void trustgate_volume_set_lower(struct trustgate_volume *volume,
				struct trustgate_devices *devices)
{
	devices = rcu_replace_pointer(volume->lower, devices,
				      lockdep_is_held(&trustgate_mutex));
	majors_rebuild();
	if (devices)
		kfree_rcu(devices, rcu);
}

const struct trustgate_devices *
trustgate_volume_nodes(const struct trustgate_volume *volume)
{
	return rcu_dereference_protected(volume->nodes,
					 lockdep_is_held(&trustgate_mutex));
}

void trustgate_volume_set_nodes(struct trustgate_volume *volume,
				struct trustgate_devices *nodes)
{
	nodes = rcu_replace_pointer(volume->nodes, nodes,
				    lockdep_is_held(&trustgate_mutex));
	majors_rebuild();
	if (nodes)
		kfree_rcu(nodes, rcu);
}

void trustgate_volume_protect(struct trustgate_volume *volume)
{
	unsigned int class;

	lockdep_assert_held(&trustgate_mutex);

	class = trustgate_volume_class(volume->sb);
	hlist_add_head_rcu(&volume->by_sb, &trustgate_volume_table[class]);
	WRITE_ONCE(count, count + 1);
	generation_bump();
	/* Who sees the filter's bit must find the volume behind it. */
	smp_wmb();
	trustgate_volume_filter_rebuild(trustgate_canary_sb());
	majors_rebuild();
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_protect);

void trustgate_volume_remove(struct trustgate_volume *volume)
{
	lockdep_assert_held(&trustgate_mutex);
	WARN_ON_ONCE(volume->nr_grants);

	hlist_del_rcu(&volume->by_sb);
	WRITE_ONCE(count, count - 1);
	generation_bump();
	trustgate_volume_filter_rebuild(trustgate_canary_sb());
	majors_rebuild();
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_volume_remove);

void trustgate_volume_unpin_all(void)
{
	struct trustgate_volume *volume;
	u32 id = 0;

	for (;;) {
		struct super_block *sb = NULL;

		scoped_guard(mutex, &trustgate_mutex) {
			volume = trustgate_volume_next(id);
			if (!volume)
				return;
			id = volume->id + 1;
			if (volume->pinned)
				sb = volume->sb;
			WRITE_ONCE(volume->pinned, false);
		}
		/* Ends an unmount, whose sb_delete hook must find no lock. */
		if (sb)
			deactivate_super(sb);
	}
}
