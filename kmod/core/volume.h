/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - protected volumes.
 *
 * Owns: which superblocks are protected, their settings and counters, and the
 * pin that keeps each superblock from going away.
 *
 * Must not own: grants, verdicts, messages.
 */
#ifndef _TRUSTGATE_VOLUME_H
#define _TRUSTGATE_VOLUME_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/workqueue.h>
#include <uapi/linux/trustgate.h>

#define TRUSTGATE_CAUSE_COUNT	(TRUSTGATE_CAUSE_UNRECORDED + 1)

struct netlink_ext_ack;
struct path;

/*
 * Serialises every change of volumes, subjects, grants and the agent. Hooks
 * never take it. Nests outside every other lock of the module; taken inside
 * the genetlink callback lock.
 */
extern struct mutex trustgate_mutex;

/**
 * struct trustgate_counters - how often each cause decided, one per CPU
 * @cause: indexed by enum trustgate_cause
 * @observed: likewise, where nothing was denied as the volume was observed
 */
struct trustgate_counters {
	u64 cause[TRUSTGATE_CAUSE_COUNT];
	u64 observed[TRUSTGATE_CAUSE_COUNT];
};

/**
 * struct trustgate_settings - what the agent may choose for a volume
 * @max_duration_ns: longest time from a grant's begin to its expiry
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 * @audit: enum trustgate_audit
 * @metadata: enum trustgate_metadata
 * @least_on_end: enum trustgate_on_end, below which no new grant is
 * @ask_ns: how long an open that no grant allows waits for the agent's answer; 0
 *	if it is denied at once
 * @observed_until_ns: until when what would be denied is recorded, and done,
 *	CLOCK_BOOTTIME; 0 if it is not; see observe.h
 */
struct trustgate_settings {
	u64 max_duration_ns;
	u32 on_agent_loss;
	u32 record;
	u32 audit;
	u32 metadata;
	u32 least_on_end;
	u64 ask_ns;
	u64 observed_until_ns;
};

/**
 * struct trustgate_devices - devices by which a volume's bytes can be had
 * @rcu: hooks may look at a list until a grace period after it was replaced
 * @count: how many
 * @dev: their numbers
 */
struct trustgate_devices {
	struct rcu_head rcu;
	unsigned int count;
	dev_t dev[] __counted_by(count);
};

/**
 * struct trustgate_volume - one superblock under protection
 * @sb: its identity; compared, never followed without the pin
 * @by_sb: in the table of volumes; RCU, changed under trustgate_mutex
 * @id: number, never used twice while the module is loaded; constant
 * @name: unique among volumes; constant
 * @fstype: name of the filesystem's type; constant
 * @device: "major:minor"; constant
 * @own: block devices that the filesystem itself is on, NULL for none that it
 *	calls its own; see devices.h; constant, owned
 * @uuid: of the filesystem, all zero if it has none; constant
 * @added_boottime_ns: constant
 * @has_subvolumes: see subvolume.h; constant
 * @pinned: an active reference on @sb is held; written under trustgate_mutex,
 *	read by hooks with READ_ONCE
 * @gone: @sb was destroyed without the pin (set by the sb_delete hook, which
 *	may run in any process; read under trustgate_mutex)
 * @settings: written under trustgate_mutex, read by hooks with READ_ONCE
 * @observed_since_ns: when that was begun, CLOCK_BOOTTIME; likewise
 * @lower: devices further below, NULL for none; RCU, replaced under
 *	trustgate_mutex, owned
 * @nodes: character devices that pass commands to its disks; likewise
 * @nr_grants: under trustgate_mutex
 * @nr_descendants: grants that cover descendants; written under
 *	trustgate_mutex, read by hooks with READ_ONCE
 * @nr_mapped: processes that were last found to have mappings here that have to
 *	end; trustgate_mutex
 * @nr_found: those of the pass under way, and @found_in the last of them; that
 *	pass only
 * @found_in: see @nr_found
 * @counters: per CPU; allocated and freed with the volume
 * @farewell: lets go of @sb and frees the volume, a grace period after hooks
 *	could find it last
 * @farewell_round: see round in gate.c; written before @farewell is queued
 */
struct trustgate_volume {
	struct super_block *sb;
	struct hlist_node by_sb;
	u32 id;
	char name[TRUSTGATE_NAME_MAX + 1];
	char fstype[16];
	char device[24];
	struct trustgate_devices *own;
	u8 uuid[16];
	u64 added_boottime_ns;
	bool has_subvolumes;
	bool pinned;
	bool gone;
	struct trustgate_settings settings;
	u64 observed_since_ns;
	struct trustgate_devices __rcu *lower;
	struct trustgate_devices __rcu *nodes;
	u64 nr_grants;
	unsigned int nr_descendants;
	unsigned int nr_mapped;
	unsigned int nr_found;
	const struct task_struct *found_in;
	struct trustgate_counters __percpu *counters;
	struct rcu_work farewell;
	u32 farewell_round;
};

#define TRUSTGATE_VOLUME_CLASSES 64

/*
 * One bit for each of 64 classes of superblock addresses, set while the class
 * has a protected member (or the canary), or that of block devices, and there is
 * a volume, which may be on one. Written under trustgate_mutex, read
 * by every hook on every file of the host: this is what an unprotected file
 * costs.
 */
extern u64 trustgate_volume_filter;

/**
 * trustgate_volume_class() - the filter's bit for a superblock
 * @sb: superblock, not followed
 *
 * Superblocks are objects of the 2 KiB slab, so the bits from 11 on tell them
 * apart already; any hash on top costs three instructions on every open of the
 * host.
 *
 * Return: 0 to 63.
 */
static __always_inline unsigned int
trustgate_volume_class(const struct super_block *sb)
{
	return ((unsigned long)sb >> 11) & (TRUSTGATE_VOLUME_CLASSES - 1);
}

/**
 * trustgate_volume_possible() - may this superblock be protected?
 * @sb: superblock, not followed
 *
 * Context: any.
 * Return: false if it is certainly not protected.
 */
static __always_inline bool
trustgate_volume_possible(const struct super_block *sb)
{
	return READ_ONCE(trustgate_volume_filter) >>
		trustgate_volume_class(sb) & 1;
}

/*
 * One bit for each of 64 classes of major numbers, set while it has a device that
 * a volume is on, or one that leads to such a device. Written under
 * trustgate_mutex, read by hooks on open devices.
 */
extern u64 trustgate_volume_majors;

/**
 * trustgate_volume_near() - may this device be a volume's, or lead to one?
 * @dev: number of a device
 *
 * Context: any.
 * Return: false if it certainly does not.
 */
static inline bool trustgate_volume_near(dev_t dev)
{
	return READ_ONCE(trustgate_volume_majors) >> (MAJOR(dev) & 63) & 1;
}

/* The volumes by class. RCU, changed under trustgate_mutex. */
extern struct hlist_head trustgate_volume_table[TRUSTGATE_VOLUME_CLASSES];

/**
 * trustgate_volume_each() - go through all volumes
 * @volume: cursor, a pointer to const struct trustgate_volume
 *
 * Context: RCU read side.
 */
#define trustgate_volume_each(volume)					\
	for (unsigned int class = 0; class < TRUSTGATE_VOLUME_CLASSES;	\
	     class++)							\
		hlist_for_each_entry_rcu(volume,			\
					 &trustgate_volume_table[class], by_sb)

/**
 * trustgate_volume_find() - the volume of a superblock
 * @sb: superblock, not followed
 *
 * Context: RCU read side; the result is valid within it. Under
 * trustgate_mutex it is valid until the mutex is released.
 * Return: the volume or NULL.
 */
static inline struct trustgate_volume *
trustgate_volume_find(const struct super_block *sb)
{
	struct trustgate_volume *volume;

	hlist_for_each_entry_rcu(volume,
				 &trustgate_volume_table[trustgate_volume_class(sb)],
				 by_sb, lockdep_is_held(&trustgate_mutex)) {
		if (volume->sb == sb)
			return volume;
	}
	return NULL;
}

/**
 * trustgate_volume_of_type() - a volume with a type of filesystem
 * @fstype: name of the type
 *
 * Context: RCU read side; the result is valid within it.
 * Return: one of the volumes, or NULL.
 */
const struct trustgate_volume *trustgate_volume_of_type(const char *fstype);

/**
 * trustgate_volume_numbered() - the volume with a number, for hooks
 * @id: number
 *
 * Context: RCU read side; the result is valid within it.
 * Return: the volume or NULL.
 */
const struct trustgate_volume *trustgate_volume_numbered(u32 id);

/**
 * trustgate_volume_on() - the volume that lies on a block device
 * @dev: number of one of its own devices, or of one further below
 *
 * Context: RCU read side; the result is valid within it.
 * Return: one of the volumes, or NULL.
 */
const struct trustgate_volume *trustgate_volume_on(dev_t dev);

/**
 * trustgate_volume_itself_on() - the volume whose filesystem is on a block device
 * @dev: number of a device that the filesystem itself has open, or of one with
 *	the same sectors; where the filesystem calls none its own, of one that the
 *	agent has named
 *
 * Those further below have others open for good reasons, such as who looks after
 * the paths to a disk.
 *
 * Context: RCU read side; the result is valid within it.
 * Return: one of the volumes, or NULL.
 */
const struct trustgate_volume *trustgate_volume_itself_on(dev_t dev);

/**
 * trustgate_volume_behind() - the volume that a character device leads to
 * @dev: number of a device that passes commands on to a disk
 *
 * Context: RCU read side; the result is valid within it.
 * Return: one of the volumes, or NULL.
 */
const struct trustgate_volume *trustgate_volume_behind(dev_t dev);

/**
 * trustgate_volume_by_id() - the volume with a number
 * @id: number
 *
 * Context: trustgate_mutex held.
 * Return: the volume or NULL.
 */
struct trustgate_volume *trustgate_volume_by_id(u32 id);

/**
 * trustgate_volume_by_name() - the volume with a name
 * @name: name
 *
 * Context: trustgate_mutex held.
 * Return: the volume or NULL.
 */
struct trustgate_volume *trustgate_volume_by_name(const char *name);

/**
 * trustgate_volume_next() - walk the volumes by rising number
 * @id: begin with this number
 *
 * Context: trustgate_mutex held.
 * Return: the volume with the lowest number not below @id, or NULL.
 */
struct trustgate_volume *trustgate_volume_next(u32 id);

/**
 * trustgate_volume_create() - prepare a volume, not yet protected
 * @path: root of the filesystem, as mounted
 * @name: name, at most TRUSTGATE_NAME_MAX bytes
 * @settings: validated by the caller
 * @extack: gets the cause of a refusal
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: the volume, owned by the caller until trustgate_volume_protect() or
 * trustgate_volume_discard(); or ERR_PTR: -EINVAL not the root of a mounted
 * filesystem, -EOPNOTSUPP filesystem not supported, -EEXIST name taken or
 * filesystem protected, -EBUSY root filesystem, -ENOSPC table full, -ESTALE
 * being unmounted, -E2BIG on too many devices, -ENOMEM.
 */
struct trustgate_volume *
trustgate_volume_create(const struct path *path, const char *name,
			const struct trustgate_settings *settings,
			struct netlink_ext_ack *extack);

/**
 * trustgate_volume_discard() - undo trustgate_volume_create()
 * @volume: never protected, or removed and no longer seen by any hook
 *
 * Drops the pin, which may finish an unmount: that writes back what is dirty
 * and takes as long as the device does.
 *
 * Context: process, may sleep; without trustgate_mutex unless the caller knows
 * of another active reference.
 */
void trustgate_volume_discard(struct trustgate_volume *volume);

/**
 * trustgate_volume_protect() - from here on its files are gated
 * @volume: created
 *
 * Context: trustgate_mutex held.
 */
void trustgate_volume_protect(struct trustgate_volume *volume);

/**
 * trustgate_volume_remove() - stop protecting
 * @volume: protected, without grants
 *
 * Hooks that run already may still see it: a grace period later the caller hands
 * it to trustgate_volume_discard().
 *
 * Context: trustgate_mutex held.
 */
void trustgate_volume_remove(struct trustgate_volume *volume);

/**
 * trustgate_volume_lower() - what lies further below a volume
 * @volume: volume
 *
 * Context: trustgate_mutex held; valid until it is released.
 * Return: the list, or NULL for none.
 */
const struct trustgate_devices *
trustgate_volume_lower(const struct trustgate_volume *volume);

/**
 * trustgate_volume_set_lower() - say what lies further below a volume
 * @volume: volume
 * @devices: made by kmalloc() and friends, owned by the volume from here on;
 *	NULL for none
 *
 * Context: trustgate_mutex held.
 */
void trustgate_volume_set_lower(struct trustgate_volume *volume,
				struct trustgate_devices *devices);

/**
 * trustgate_volume_nodes() - which character devices pass commands to its disks
 * @volume: volume
 *
 * Context: trustgate_mutex held; valid until it is released.
 * Return: the list, or NULL for none.
 */
const struct trustgate_devices *
trustgate_volume_nodes(const struct trustgate_volume *volume);

/**
 * trustgate_volume_set_nodes() - say which pass commands to its disks
 * @volume: volume
 * @nodes: as for trustgate_volume_set_lower()
 *
 * Context: trustgate_mutex held.
 */
void trustgate_volume_set_nodes(struct trustgate_volume *volume,
				struct trustgate_devices *nodes);

/**
 * trustgate_volume_unpin_all() - let filesystems go for a reboot
 *
 * They stay protected until they are gone.
 *
 * Context: process, may sleep, trustgate_mutex not held.
 */
void trustgate_volume_unpin_all(void);

/**
 * trustgate_volume_count() - how many volumes are protected
 *
 * Context: trustgate_mutex held, or a snapshot.
 * Return: number.
 */
unsigned int trustgate_volume_count(void);

/**
 * trustgate_volume_any_hidden() - does a volume hide its metadata?
 *
 * Context: trustgate_mutex held.
 * Return: whether at least one does.
 */
bool trustgate_volume_any_hidden(void);

/**
 * trustgate_volume_generation() - changes whenever the set of volumes does
 *
 * Context: any; stable under trustgate_mutex.
 * Return: never 0, as netlink dumps take 0 for "unknown".
 */
u32 trustgate_volume_generation(void);

/**
 * trustgate_volume_max() - the most volumes that may be protected
 *
 * Return: number.
 */
unsigned int trustgate_volume_max(void);

/**
 * trustgate_volume_filter_rebuild() - recompute the filter
 * @extra: one more superblock to let through to the full check, or NULL
 *
 * Context: trustgate_mutex held.
 */
void trustgate_volume_filter_rebuild(const struct super_block *extra);

#endif /* _TRUSTGATE_VOLUME_H */
