/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the table of grants.
 *
 * Owns: grants and the subjects that hold them: their memory, their number,
 * how they are found, and how they end.
 *
 * Must not own: whether a grant suffices (decision.c), when it is time to end
 * one (sweep.c), how one is asked for (netlink_grant.c).
 */
#ifndef _TRUSTGATE_GRANT_H
#define _TRUSTGATE_GRANT_H

#include <linux/list.h>
#include <linux/pid.h>
#include <linux/rbtree_types.h>
#include <linux/rhashtable-types.h>
#include <linux/timerqueue_types.h>
#include <uapi/linux/trustgate.h>

#include "volume.h"

/* Of no process: self_exec_id counts up from 0. */
#define TRUSTGATE_NO_EXEC_ID	U64_MAX

/**
 * struct trustgate_presence - what a process holds on one volume
 * @of_subject: in the subject's list; RCU, changed under trustgate_mutex
 * @volume: compared, never followed
 * @grants: its grants there, those that begin later at the end, so that a live
 *	one is found at once; RCU, changed under trustgate_mutex
 * @nr_grants: their number, and that of those prepared; trustgate_mutex
 * @rcu: hooks may look at it until a grace period after its removal
 */
struct trustgate_presence {
	struct list_head of_subject;
	const struct trustgate_volume *volume;
	struct list_head grants;
	unsigned int nr_grants;
	struct rcu_head rcu;
};

/**
 * struct trustgate_subject - a process that holds grants
 * @node: in the table of subjects, by @pid
 * @pid: thread group's pid; referenced, so it is never reused meanwhile
 * @presences: volumes where it holds grants; RCU, changed under
 *	trustgate_mutex
 * @grants: all its grants; trustgate_mutex
 * @nr_grants: their number; trustgate_mutex
 * @nr_subtrees: how many cover a subtree; written under trustgate_mutex, read
 *	by hooks with READ_ONCE
 * @nr_descendants: how many cover descendants; likewise
 * @on_end: the strictest of what becomes of mappings when one of them ends,
 *	enum trustgate_on_end; never lowered; likewise
 * @due: there may be grants that ended by themselves; trustgate_mutex
 * @seen_exec_id: self_exec_id for which they were last looked for;
 *	trustgate_mutex
 * @rcu: hooks may look at a subject until a grace period after its removal
 */
struct trustgate_subject {
	struct rhash_head node;
	struct pid *pid;
	struct list_head presences;
	struct list_head grants;
	unsigned int nr_grants;
	unsigned int nr_subtrees;
	unsigned int nr_descendants;
	u32 on_end;
	bool due;
	u64 seen_exec_id;
	struct rcu_head rcu;
};

/**
 * struct trustgate_key - subject and object of a grant
 * @pid: compared, never followed; referenced by the subject
 * @volume: compared, never followed
 * @ino: inode number on the volume
 * @subvolume: of the inode, where inode numbers are not the volume's
 * @generation: of the inode, which tells a reused number
 * @kind: enum trustgate_object_kind
 */
struct trustgate_key {
	const struct pid *pid;
	const struct trustgate_volume *volume;
	u64 ino;
	u64 subvolume;
	u32 generation;
	u32 kind;
};

/**
 * struct trustgate_grant - a time-limited capability
 * @node: in the table of grants, by @key; several grants may share a key
 * @key: subject and object; constant
 * @exec_id: self_exec_id of the subject for which it is: when granted, or the
 *	next one; constant
 * @not_before_ns: begin, CLOCK_BOOTTIME; constant
 * @expiry: in the queue of expiries, .expires is CLOCK_BOOTTIME and constant;
 *	the linkage is under trustgate_mutex
 * @live_until_ns: from when on hooks allow by it no more, CLOCK_BOOTTIME: its
 *	expiry; of a supervised one the end of its supervision, if that is
 *	sooner, and 0 while it is suspended. Written under trustgate_mutex, read
 *	with READ_ONCE
 * @supervision: in the queue of supervised grants, .expires is CLOCK_BOOTTIME;
 *	queued if, as far as was told, it is supervised; trustgate_mutex
 * @access: mask of enum trustgate_access; constant
 * @flags: mask of enum trustgate_grant_flags; constant
 * @max_uses: 0 for any number; constant
 * @uses: uses so far, never above @max_uses; any context
 * @tainted_exec_id: self_exec_id for which the subject was allowed access by it
 *	and its memory marked, see taint.h; TRUSTGATE_NO_EXEC_ID if for none.
 *	Written by hooks, read with READ_ONCE
 * @in_force: set when the whole batch is in the tables, cleared before the
 *	grant leaves them; hooks allow by no other. Written under
 *	trustgate_mutex, read with READ_ONCE
 * @reason: enum trustgate_reason; constant
 * @on_end: enum trustgate_on_end; constant
 * @end: how it ended, enum trustgate_end; trustgate_mutex
 * @ended_ns: when it did, CLOCK_BOOTTIME; trustgate_mutex
 * @holder: reference on the subject's pid in place of that of @subject, once it
 *	has ended and its mappings are looked for, else NULL; trustgate_mutex
 * @created_boottime_ns: constant
 * @since_ns: descendants forked before this, CLOCK_BOOTTIME, are not covered;
 *	when created, or that of the grant it renews; constant
 * @start_ns: start_boottime of the subject; constant
 * @id: number, never used twice while the module is loaded; constant
 * @tag: the agent's reference; constant
 * @ticket: text or NULL; owned; constant
 * @by_id: in the tree of grants, by @id, or in that of those that have ended and
 *	whose mappings are looked for (ending.c); trustgate_mutex
 * @volume: as in @key, for use under trustgate_mutex; a volume is not removed
 *	before its grants
 * @subject: as long as the grant is in the tables; trustgate_mutex
 * @of_subject: in the subject's list; trustgate_mutex
 * @presence: of its subject on its volume; as long as the grant is in the tables
 * @of_presence: in the list of @presence; RCU, changed under trustgate_mutex
 * @of_suspended: in the list of suspended ones whose mappings are to end, or in
 *	none (ending.c); trustgate_mutex
 * @rcu: hooks may look at a grant until a grace period after its removal
 */
struct trustgate_grant {
	struct rhlist_head node;
	struct trustgate_key key;
	u64 exec_id;
	u64 not_before_ns;
	struct timerqueue_node expiry;
	u64 live_until_ns;
	struct timerqueue_node supervision;
	u32 access;
	u32 flags;
	u32 max_uses;
	atomic_t uses;
	u64 tainted_exec_id;
	bool in_force;
	u8 reason;
	u8 on_end;
	u8 end;
	u64 ended_ns;
	struct pid *holder;
	u64 created_boottime_ns;
	u64 since_ns;
	u64 start_ns;
	u64 id;
	u64 tag;
	char *ticket;
	struct rb_node by_id;
	struct trustgate_volume *volume;
	struct trustgate_subject *subject;
	struct list_head of_subject;
	struct trustgate_presence *presence;
	struct list_head of_presence;
	struct list_head of_suspended;
	struct rcu_head rcu;
};

/**
 * struct trustgate_terms - what a grant is asked to be
 * @volume: where the object lies
 * @pid: subject's thread-group pid, borrowed
 * @exec_id: self_exec_id of the subject, or the next one
 * @start_ns: start_boottime of the subject
 * @ino: object
 * @subvolume: object
 * @generation: object
 * @kind: enum trustgate_object_kind
 * @access: non-empty mask
 * @flags: mask
 * @max_uses: 0 for any number
 * @reason: enum trustgate_reason, not unspecified
 * @on_end: enum trustgate_on_end
 * @not_before_ns: CLOCK_BOOTTIME, 0 for at once
 * @expires_ns: CLOCK_BOOTTIME
 * @tag: the agent's reference
 * @since_ns: since when descendants are covered, 0 for from now on
 * @supervised_until_ns: CLOCK_BOOTTIME, of a supervised grant; 0 for suspended
 * @ticket: text or NULL, borrowed
 */
struct trustgate_terms {
	struct trustgate_volume *volume;
	struct pid *pid;
	u64 exec_id;
	u64 start_ns;
	u64 ino;
	u64 subvolume;
	u32 generation;
	u32 kind;
	u32 access;
	u32 flags;
	u32 max_uses;
	u32 reason;
	u32 on_end;
	u64 not_before_ns;
	u64 expires_ns;
	u64 tag;
	u64 since_ns;
	u64 supervised_until_ns;
	const char *ticket;
};

/**
 * trustgate_grant_init() - create the tables
 *
 * Return: 0 or -errno with nothing left behind.
 */
int trustgate_grant_init(void);

/**
 * trustgate_grant_exit() - destroy the tables, which must be empty
 *
 * Context: process, may sleep; no hook can run any more.
 */
void trustgate_grant_exit(void);

/**
 * trustgate_grant_prepare() - make a grant that nobody sees yet
 * @terms: what it is to be; validated by the caller
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: the grant, owned by the caller until trustgate_grant_insert() or
 * trustgate_grant_discard(); ERR_PTR: -ENOSPC table full, -ENOMEM.
 */
struct trustgate_grant *
trustgate_grant_prepare(const struct trustgate_terms *terms);

/**
 * trustgate_grant_discard() - undo trustgate_grant_prepare()
 * @grant: prepared, not inserted
 *
 * Context: process, may sleep, trustgate_mutex held.
 */
void trustgate_grant_discard(struct trustgate_grant *grant);

/**
 * trustgate_grant_insert() - put a grant into the tables, not in force yet
 * @grant: prepared; owned by the table afterwards unless it fails
 * @now_ns: CLOCK_BOOTTIME, not earlier than trustgate_mutex was taken
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: 0 or -errno with the grant still only prepared.
 */
int trustgate_grant_insert(struct trustgate_grant *grant, u64 now_ns);

/**
 * trustgate_grant_enforce() - from here on hooks decide by it
 * @grant: inserted
 *
 * Sends the event grant-added.
 *
 * Context: process, trustgate_mutex held.
 */
void trustgate_grant_enforce(struct trustgate_grant *grant);

/**
 * trustgate_grant_end() - take a grant out of the tables
 * @grant: inserted; no longer the caller's to touch afterwards
 * @end: why, enum trustgate_end; TRUSTGATE_END_NONE ends it without an event
 *
 * A check that began before may still allow by it: who has to acknowledge the
 * end calls synchronize_rcu() first. If mappings have to end with it, ending.c
 * keeps it until they have.
 *
 * Context: process, trustgate_mutex held.
 */
void trustgate_grant_end(struct trustgate_grant *grant, u32 end);

/**
 * trustgate_grant_forget() - free a grant that has ended
 * @grant: in no table any more; freed a grace period later
 *
 * Context: trustgate_mutex held.
 */
void trustgate_grant_forget(struct trustgate_grant *grant);

/**
 * trustgate_grant_lowest() - find a grant in a tree
 * @tree: grants linked by their by_id
 * @id: begin with this number
 *
 * Context: trustgate_mutex held.
 * Return: the grant with the lowest number not below @id, or NULL.
 */
struct trustgate_grant *trustgate_grant_lowest(const struct rb_root *tree,
					       u64 id);

/**
 * trustgate_grant_put_in() - put a grant into a tree
 * @tree: grants linked by their by_id
 * @grant: in no tree
 *
 * Context: trustgate_mutex held.
 */
void trustgate_grant_put_in(struct rb_root *tree,
			    struct trustgate_grant *grant);

/**
 * trustgate_grant_end_volume() - end every grant of a volume
 * @volume: volume, or NULL for all
 * @end: why
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: how many.
 */
u64 trustgate_grant_end_volume(const struct trustgate_volume *volume, u32 end);

/**
 * trustgate_grant_end_subject() - end every grant of a subject
 * @pid: its thread-group pid
 * @end: why
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: how many.
 */
u64 trustgate_grant_end_subject(const struct pid *pid, u32 end);

/**
 * trustgate_grant_by_id() - a grant
 * @id: number
 *
 * Context: trustgate_mutex held.
 * Return: the grant or NULL.
 */
struct trustgate_grant *trustgate_grant_by_id(u64 id);

/**
 * trustgate_grant_next() - walk the grants by rising number
 * @id: begin with this number
 *
 * Context: trustgate_mutex held.
 * Return: the grant with the lowest number not below @id, or NULL.
 */
struct trustgate_grant *trustgate_grant_next(u64 id);

/**
 * trustgate_grant_first_to_expire() - the grant that expires next
 *
 * Context: trustgate_mutex held.
 * Return: the grant or NULL.
 */
struct trustgate_grant *trustgate_grant_first_to_expire(void);

/**
 * trustgate_grant_generation() - changes whenever the set of grants does
 *
 * Context: any; stable under trustgate_mutex.
 * Return: never 0, as netlink dumps take 0 for "unknown".
 */
u32 trustgate_grant_generation(void);

/*
 * As trustgate_grant_generation(), but never the same twice. Written under
 * trustgate_mutex, read by hooks.
 */
extern u64 trustgate_grant_changes;

/**
 * trustgate_grant_changed() - have nothing remembered that grants allowed
 *
 * Context: trustgate_mutex held.
 */
void trustgate_grant_changed(void);

/**
 * struct trustgate_totals - how full the tables are
 * @grants: grants in the tables
 * @grants_max: their limit
 * @bytes_max: upper bound of the memory that @grants_max grants take
 * @subjects: processes that hold grants
 */
struct trustgate_totals {
	u64 grants;
	u64 grants_max;
	u64 bytes_max;
	u64 subjects;
};

/**
 * trustgate_grant_totals() - how full the tables are
 * @totals: result
 *
 * Context: trustgate_mutex held.
 */
void trustgate_grant_totals(struct trustgate_totals *totals);

/**
 * trustgate_subject_find() - the subject of a pid
 * @pid: thread-group pid, not followed
 *
 * Context: RCU read side; the result is valid within it.
 * Return: the subject or NULL.
 */
struct trustgate_subject *trustgate_subject_find(const struct pid *pid);

/**
 * trustgate_presence_find() - what a process holds on a volume
 * @pid: thread-group pid, not followed
 * @volume: volume, not followed
 *
 * Context: RCU read side; the result is valid within it.
 * Return: the presence or NULL.
 */
const struct trustgate_presence *
trustgate_presence_find(const struct pid *pid,
			const struct trustgate_volume *volume);

/**
 * trustgate_subject_each() - visit subjects, a bounded number at a time
 * @due: which; called under trustgate_mutex, RCU read side
 * @visit: called under trustgate_mutex; may sleep, may end the subject's grants
 *
 * Context: process, may sleep, trustgate_mutex not held.
 */
void trustgate_subject_each(bool (*due)(const struct trustgate_subject *subject),
			    void (*visit)(struct trustgate_subject *subject));

/**
 * trustgate_grants_of() - the grants with a key
 * @key: subject and object
 *
 * Context: RCU read side; the result is valid within it.
 * Return: head for rhl_for_each_entry_rcu(), or NULL.
 */
struct rhlist_head *trustgate_grants_of(const struct trustgate_key *key);

#endif /* _TRUSTGATE_GRANT_H */
