/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - protected volumes.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_VOLUMES_H
#define _TRUSTGATE_VOLUMES_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

#define TRUSTGATE_COUNTERS_MAX		32

/**
 * struct trustgate_counter - how often a check ended with a cause
 * @cause: enum trustgate_cause
 * @count: checks since the volume was added
 * @observed: checks that ended so and denied nothing, as the volume was observed;
 *	not in @count
 */
struct trustgate_counter {
	uint32_t cause;
	uint64_t count;
	uint64_t observed;
};

/**
 * struct trustgate_volume - one protected volume
 * @present: bits 1 << TRUSTGATE_A_VOLUME_... of what the kernel sent
 * @id: identity in the kernel
 * @name: unique
 * @fstype: type of the filesystem
 * @uuid: see @present; UUID of the filesystem
 * @device: "major:minor"
 * @max_duration_ns: longest time from a grant's begin to its expiry
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 * @audit: enum trustgate_audit
 * @metadata: enum trustgate_metadata
 * @least_on_end: enum trustgate_on_end, below which no new grant is
 * @ask_ns: how long an open that no grant allows waits for an answer; 0 if it is
 *	denied at once
 * @grants: live grants
 * @added_boottime_ns: since when
 * @observed_until_boottime_ns: until then accesses that would be denied are
 *	recorded, and done; 0 if the volume is not observed
 * @observed_since_boottime_ns: when that was begun
 * @counters: one for each cause that has occurred
 * @counters_count: how many
 * @lower: devices further below, none of which can be opened: numbers as in
 *	st_rdev
 * @lower_count: how many
 * @own: devices that the filesystem itself is on, likewise, with the whole disks
 *	that these are partitions of, and partitions that share sectors with them
 * @nodes: character devices that pass commands to its disks, none of which can be
 *	opened; likewise
 * @nodes_count: how many
 * @own_count: how many; 0 if it has none or, as btrfs, calls none its own
 */
struct trustgate_volume {
	uint64_t present;
	uint32_t id;
	char name[TRUSTGATE_NAME_MAX + 1];
	char fstype[32];
	uint8_t uuid[16];
	char device[32];
	uint64_t max_duration_ns;
	uint32_t on_agent_loss;
	uint32_t record;
	uint32_t audit;
	uint32_t metadata;
	uint32_t least_on_end;
	uint64_t ask_ns;
	uint64_t grants;
	uint64_t added_boottime_ns;
	uint64_t observed_until_boottime_ns;
	uint64_t observed_since_boottime_ns;
	struct trustgate_counter counters[TRUSTGATE_COUNTERS_MAX];
	size_t counters_count;
	dev_t lower[TRUSTGATE_LOWER_DEVICES_MAX];
	size_t lower_count;
	dev_t own[TRUSTGATE_LOWER_DEVICES_MAX];
	size_t own_count;
	dev_t nodes[TRUSTGATE_LOWER_DEVICES_MAX];
	size_t nodes_count;
};

/**
 * enum trustgate_volume_field - which settings a request carries
 * @TRUSTGATE_VOLUME_FIELD_MAX_DURATION: max_duration_ns
 * @TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS: on_agent_loss
 * @TRUSTGATE_VOLUME_FIELD_RECORD: record
 * @TRUSTGATE_VOLUME_FIELD_METADATA: metadata
 * @TRUSTGATE_VOLUME_FIELD_LEAST_ON_END: least_on_end
 * @TRUSTGATE_VOLUME_FIELD_ASK: ask_ns
 * @TRUSTGATE_VOLUME_FIELD_OBSERVED: observed_until_boottime_ns
 * @TRUSTGATE_VOLUME_FIELD_AUDIT: audit
 */
enum trustgate_volume_field {
	TRUSTGATE_VOLUME_FIELD_MAX_DURATION = 1,
	TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS = 2,
	TRUSTGATE_VOLUME_FIELD_RECORD = 4,
	TRUSTGATE_VOLUME_FIELD_METADATA = 8,
	TRUSTGATE_VOLUME_FIELD_LEAST_ON_END = 16,
	TRUSTGATE_VOLUME_FIELD_ASK = 32,
	TRUSTGATE_VOLUME_FIELD_OBSERVED = 64,
	TRUSTGATE_VOLUME_FIELD_AUDIT = 128,
};

/**
 * struct trustgate_volume_settings - what can be set on a volume
 * @fields: mask of enum trustgate_volume_field; the others are left as they
 *	are, or to the kernel's default for a new volume
 * @max_duration_ns: see struct trustgate_volume
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 * @audit: enum trustgate_audit
 * @metadata: enum trustgate_metadata
 * @least_on_end: enum trustgate_on_end
 * @ask_ns: at most TRUSTGATE_ASK_MAX_NS, see struct trustgate_volume
 * @observed_until_boottime_ns: at most TRUSTGATE_OBSERVE_MAX_NS from now; 0 ends it
 */
struct trustgate_volume_settings {
	uint32_t fields;
	uint64_t max_duration_ns;
	uint32_t on_agent_loss;
	uint32_t record;
	uint32_t audit;
	uint32_t metadata;
	uint32_t least_on_end;
	uint64_t ask_ns;
	uint64_t observed_until_boottime_ns;
};

/**
 * trustgate_volume_add() - protect a filesystem
 * @conn: connected and the agent
 * @name: unique name of at most TRUSTGATE_NAME_MAX bytes
 * @path: where it is mounted, or NULL if @fd is given
 * @fd: its root as an open file (O_PATH will do), or -1 if @path is given
 * @settings: NULL for the kernel's defaults
 * @ret_id: identity of the new volume; may be NULL
 *
 * Return: 0, -EEXIST if the name is taken or the filesystem is protected
 * already, -EOPNOTSUPP if its type is not supported, -EBUSY for the host's root
 * filesystem, -EINVAL if it is not the root of a filesystem, -EBADF, -ENOSPC if
 * there are too many volumes, or an error of resolving @path.
 */
int trustgate_volume_add(struct trustgate_conn *conn, const char *name,
			 const char *path, int fd,
			 const struct trustgate_volume_settings *settings,
			 uint32_t *ret_id);

/**
 * trustgate_volume_set() - change settings
 * @conn: connected and the agent
 * @id: volume
 * @settings: at least one field
 *
 * Grants already given keep their expiry. If a volume is to be observed no more,
 * nothing passes any more when this returns.
 *
 * Return: 0, -ENOENT, -ERANGE or -EINVAL for a time, -ENOSPC if too many volumes
 * have been observed.
 */
int trustgate_volume_set(struct trustgate_conn *conn, uint32_t id,
			 const struct trustgate_volume_settings *settings);

/**
 * trustgate_volume_set_lower() - say which devices lie further below
 * @conn: connected and the agent
 * @id: volume
 * @devices: their numbers as in st_rdev: majors below 4096, minors below
 *	1048576; may be NULL if there are none
 * @count: how many, at most TRUSTGATE_LOWER_DEVICES_MAX
 *
 * None of them can be opened from then on, until the next call leaves it out.
 * What the filesystem itself holds, and the whole disks of that, are closed
 * without being named.
 *
 * Return: 0, -ENOENT or -EINVAL.
 */
int trustgate_volume_set_lower(struct trustgate_conn *conn, uint32_t id,
			       const dev_t *devices, size_t count);

/**
 * trustgate_volume_set_nodes() - say what passes commands to the disks below
 * @conn: connected and the agent
 * @id: volume
 * @nodes: numbers of character devices, as for trustgate_volume_set_lower()
 * @count: how many, at most TRUSTGATE_LOWER_DEVICES_MAX
 *
 * None of them can be opened from then on, until the next call leaves it out.
 *
 * Return: 0, -ENOENT or -EINVAL.
 */
int trustgate_volume_set_nodes(struct trustgate_conn *conn, uint32_t id,
			       const dev_t *nodes, size_t count);

/**
 * trustgate_volume_del() - end all grants of a volume and stop protecting it
 * @conn: connected and the agent
 * @id: volume
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_volume_del(struct trustgate_conn *conn, uint32_t id);

/**
 * trustgate_volume_get() - read one volume
 * @conn: connected
 * @id: identity, or 0 if @name is given
 * @name: name, or NULL if @id is given
 * @ret_volume: filled on success
 *
 * Return: 0 or -ENOENT.
 */
int trustgate_volume_get(struct trustgate_conn *conn, uint32_t id,
			 const char *name, struct trustgate_volume *ret_volume);

/**
 * trustgate_volume_list() - read all volumes
 * @conn: connected
 * @ret_volumes: array to be freed with free(3); NULL if there are none
 * @ret_count: its length
 * @ret_dump: how the dump went; may be NULL
 *
 * A dump during which volumes changed is read again, up to five times in all.
 *
 * Return: 0 or the errors of every function.
 */
int trustgate_volume_list(struct trustgate_conn *conn,
			  struct trustgate_volume **ret_volumes,
			  size_t *ret_count, struct trustgate_dump *ret_dump);

#endif /* _TRUSTGATE_VOLUMES_H */
