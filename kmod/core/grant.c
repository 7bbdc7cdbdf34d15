// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the table of grants; see grant.h.
 *
 * Two hash tables are what hooks look at: grants by {subject, object} and
 * subjects by pid, so that a check costs the same whether one grant is live or
 * a million. The rest is for the process context under trustgate_mutex: a tree
 * by number for dumps and revocation, and a queue by expiry. Both are linked
 * through the grants, so that a grant costs the same whichever others live.
 */

#include <kunit/visibility.h>
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/moduleparam.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/timerqueue.h>

#include "ending.h"
#include "event.h"
#include "grant.h"
#include "supervision.h"
#include "sweep.h"
#include "trace.h"

/* More than this the hash tables cannot count. */
#define GRANTS_LIMIT	S32_MAX

/*
 * Beyond the objects themselves a grant costs at most four buckets of each of
 * the two hash tables: they double when they are three quarters full, and the
 * old table stays until the new one is filled.
 */
#define OVERHEAD_BYTES	(2 * 4 * sizeof(void *))

static unsigned long max_grants = 1UL << 20;
module_param(max_grants, ulong, 0444);
MODULE_PARM_DESC(max_grants, "Most live grants, up to 2147483647 (default 1048576); see grants-bytes-max for what they take");

static struct kmem_cache *grant_cache;
static struct kmem_cache *subject_cache;
static struct rb_root by_id = RB_ROOT;
static struct timerqueue_head expiries;
static u64 last_id;
static u64 nr_grants;
/* Prepared and published; what max_grants limits. */
static u64 nr_reserved;
static u64 nr_subjects;
static u32 generation = 1;
u64 trustgate_grant_changes __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_changes);

/*
 * Volume and generation are in it although inode numbers tell files apart
 * mostly: the root directories of volumes share one number, and so do all files
 * that a filesystem made one after the other in the same inode. Keys that no
 * seed can separate make the table rehash all of its entries, in vain, for each
 * that is inserted beyond the sixteenth.
 */
static __always_inline u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct trustgate_key *key = data;
	u64 mix = (unsigned long)key->pid ^ (unsigned long)key->volume ^
		  key->subvolume ^ seed;

	mix = mix * GOLDEN_RATIO_64 + key->ino + ((u64)key->generation << 32);
	return hash_64(mix, 32);
}

static __always_inline int key_differs(struct rhashtable_compare_arg *arg,
				       const void *obj)
{
	const struct trustgate_grant *grant = obj;
	const struct trustgate_key *key = arg->key;

	return grant->key.ino != key->ino || grant->key.pid != key->pid ||
	       grant->key.subvolume != key->subvolume ||
	       grant->key.generation != key->generation ||
	       grant->key.kind != key->kind ||
	       grant->key.volume != key->volume;
}

static __always_inline u32 pid_hash(const void *data, u32 len, u32 seed)
{
	const struct pid * const *pid = data;

	return hash_64((unsigned long)*pid ^ seed, 32);
}

static __always_inline int pid_differs(struct rhashtable_compare_arg *arg,
				       const void *obj)
{
	const struct trustgate_subject *subject = obj;
	const struct pid * const *pid = arg->key;

	return subject->pid != *pid;
}

static const struct rhashtable_params grant_params = {
	.head_offset = offsetof(struct trustgate_grant, node),
	.key_offset = offsetof(struct trustgate_grant, key),
	.key_len = sizeof(struct trustgate_key),
	.hashfn = key_hash,
	.obj_cmpfn = key_differs,
	.automatic_shrinking = true,
};

static const struct rhashtable_params subject_params = {
	.head_offset = offsetof(struct trustgate_subject, node),
	.key_offset = offsetof(struct trustgate_subject, pid),
	.key_len = sizeof(struct pid *),
	.hashfn = pid_hash,
	.obj_cmpfn = pid_differs,
	.automatic_shrinking = true,
};

static struct rhltable grants;
static struct rhashtable subjects;

struct rhlist_head *trustgate_grants_of(const struct trustgate_key *key)
{
	return rhltable_lookup(&grants, key, grant_params);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grants_of);

struct trustgate_subject *trustgate_subject_find(const struct pid *pid)
{
	return rhashtable_lookup(&subjects, &pid, subject_params);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_subject_find);

static struct trustgate_presence *
presence_of(const struct trustgate_subject *subject,
	    const struct trustgate_volume *volume)
{
	struct trustgate_presence *presence;

	list_for_each_entry_rcu(presence, &subject->presences, of_subject,
				lockdep_is_held(&trustgate_mutex)) {
		if (presence->volume == volume)
			return presence;
	}
	return NULL;
}

const struct trustgate_presence *
trustgate_presence_find(const struct pid *pid,
			const struct trustgate_volume *volume)
{
	const struct trustgate_subject *subject = trustgate_subject_find(pid);

	return subject ? presence_of(subject, volume) : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_presence_find);

u32 trustgate_grant_generation(void)
{
	return READ_ONCE(generation);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_generation);

void trustgate_grant_changed(void)
{
	lockdep_assert_held(&trustgate_mutex);
	/* Pairs with trustgate_recent_look(): who sees it sees the change. */
	smp_store_release(&trustgate_grant_changes,
			  trustgate_grant_changes + 1);
}

static void generation_bump(void)
{
	u32 next = generation + 1;

	WRITE_ONCE(generation, next ? next : 1);
	trustgate_grant_changed();
}

static void subject_free(struct rcu_head *rcu)
{
	struct trustgate_subject *subject =
		container_of(rcu, struct trustgate_subject, rcu);

	put_pid(subject->pid);
	kmem_cache_free(subject_cache, subject);
}

/*
 * All is set when a grant is prepared. With a constructor the allocator does not
 * zero what it hands out, as it does on hosts that have it do so always.
 */
static void construct(void *object)
{
}

static void grant_free(struct trustgate_grant *grant)
{
	kfree(grant->ticket);
	kmem_cache_free(grant_cache, grant);
}

static void grant_free_rcu(struct rcu_head *rcu)
{
	grant_free(container_of(rcu, struct trustgate_grant, rcu));
}

/* Growing the table may need a moment for its worker to catch up. */
static int subject_insert(struct trustgate_subject *subject)
{
	int err;

	do {
		err = rhashtable_insert_fast(&subjects, &subject->node,
					     subject_params);
		if (err == -EBUSY)
			cond_resched();
	} while (err == -EBUSY);
	return err;
}

/* A new subject holds nothing; subject_put() lets it go again. */
static struct trustgate_subject *subject_get(struct pid *pid)
{
	struct trustgate_subject *subject;
	int err;

	rcu_read_lock();
	subject = trustgate_subject_find(pid);
	rcu_read_unlock();
	/* Only subject_put() frees, under the mutex that the caller holds. */
	if (subject)
		goto out;

	subject = kmem_cache_zalloc(subject_cache, GFP_KERNEL);
	if (!subject)
		return ERR_PTR(-ENOMEM);
	subject->pid = get_pid(pid);
	INIT_LIST_HEAD(&subject->presences);
	INIT_LIST_HEAD(&subject->grants);
	err = subject_insert(subject);
	if (err) {
		put_pid(subject->pid);
		kmem_cache_free(subject_cache, subject);
		return ERR_PTR(err);
	}
	nr_subjects++;
out:
	subject->nr_grants++;
	return subject;
}

static void subject_put(struct trustgate_subject *subject)
{
	if (--subject->nr_grants)
		return;
	rhashtable_remove_fast(&subjects, &subject->node, subject_params);
	nr_subjects--;
	call_rcu(&subject->rcu, subject_free);
}

/* Likewise, and as subject_put(). */
static struct trustgate_presence *
presence_get(struct trustgate_subject *subject,
	     const struct trustgate_volume *volume)
{
	struct trustgate_presence *presence = presence_of(subject, volume);

	if (!presence) {
		presence = kzalloc(sizeof(*presence), GFP_KERNEL);
		if (!presence)
			return NULL;
		presence->volume = volume;
		INIT_LIST_HEAD(&presence->grants);
		list_add_tail_rcu(&presence->of_subject, &subject->presences);
	}
	presence->nr_grants++;
	return presence;
}

static void presence_put(struct trustgate_presence *presence)
{
	if (--presence->nr_grants)
		return;
	list_del_rcu(&presence->of_subject);
	kfree_rcu(presence, rcu);
}

struct trustgate_grant *
trustgate_grant_prepare(const struct trustgate_terms *terms)
{
	struct trustgate_grant *grant;
	int err = -ENOMEM;

	lockdep_assert_held(&trustgate_mutex);
	if (nr_reserved >= max_grants)
		return ERR_PTR(-ENOSPC);

	grant = kmem_cache_alloc(grant_cache, GFP_KERNEL);
	if (!grant)
		return ERR_PTR(-ENOMEM);
	grant->ticket = NULL;
	if (terms->ticket) {
		grant->ticket = kstrdup(terms->ticket, GFP_KERNEL);
		if (!grant->ticket)
			goto err_grant;
	}
	grant->subject = subject_get(terms->pid);
	if (IS_ERR(grant->subject)) {
		err = PTR_ERR(grant->subject);
		goto err_grant;
	}
	grant->presence = presence_get(grant->subject, terms->volume);
	if (!grant->presence)
		goto err_subject;

	grant->id = ++last_id;
	nr_reserved++;
	grant->key.pid = grant->subject->pid;
	grant->key.volume = terms->volume;
	grant->key.ino = terms->ino;
	grant->key.subvolume = terms->subvolume;
	grant->key.generation = terms->generation;
	grant->key.kind = terms->kind;
	grant->volume = terms->volume;
	grant->exec_id = terms->exec_id;
	grant->tainted_exec_id = TRUSTGATE_NO_EXEC_ID;
	grant->start_ns = terms->start_ns;
	grant->not_before_ns = terms->not_before_ns;
	timerqueue_init(&grant->expiry);
	grant->expiry.expires = terms->expires_ns;
	timerqueue_init(&grant->supervision);
	grant->supervision.expires = terms->supervised_until_ns;
	grant->live_until_ns = terms->expires_ns;
	if (terms->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED)
		grant->live_until_ns = min(terms->expires_ns,
					   terms->supervised_until_ns);
	grant->access = terms->access;
	grant->flags = terms->flags;
	grant->max_uses = terms->max_uses;
	grant->reason = terms->reason;
	grant->on_end = terms->on_end;
	atomic_set(&grant->uses, 0);
	grant->in_force = false;
	grant->end = TRUSTGATE_END_NONE;
	grant->ended_ns = 0;
	grant->holder = NULL;
	grant->created_boottime_ns = 0;
	grant->tag = terms->tag;
	grant->since_ns = terms->since_ns;
	INIT_LIST_HEAD(&grant->of_subject);
	INIT_LIST_HEAD(&grant->of_suspended);
	return grant;

err_subject:
	subject_put(grant->subject);
err_grant:
	grant_free(grant);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_prepare);

void trustgate_grant_discard(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	presence_put(grant->presence);
	subject_put(grant->subject);
	nr_reserved--;
	grant_free(grant);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_discard);

struct trustgate_grant *trustgate_grant_lowest(const struct rb_root *tree,
					       u64 id)
{
	struct trustgate_grant *grant, *best = NULL;
	struct rb_node *node = tree->rb_node;

	lockdep_assert_held(&trustgate_mutex);
	while (node) {
		grant = rb_entry(node, struct trustgate_grant, by_id);
		if (grant->id >= id) {
			best = grant;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_lowest);

static bool has_lower_id(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct trustgate_grant, by_id)->id <
	       rb_entry(b, struct trustgate_grant, by_id)->id;
}

void trustgate_grant_put_in(struct rb_root *tree,
			    struct trustgate_grant *grant)
{
	struct rb_node *last = rb_last(tree);

	lockdep_assert_held(&trustgate_mutex);
	if (!last || has_lower_id(&grant->by_id, last)) {
		rb_add(&grant->by_id, tree, has_lower_id);
		return;
	}
	/* As mostly, for numbers only rise: then nothing is to be compared. */
	rb_link_node(&grant->by_id, last, &last->rb_right);
	rb_insert_color(&grant->by_id, tree);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_put_in);

/* Most are given for equally long, and so are the last to expire. */
static void queue_expiry(struct trustgate_grant *grant)
{
	struct rb_root_cached *root = &expiries.rb_root;
	struct rb_node *last = rb_last(&root->rb_root);

	lockdep_assert_held(&trustgate_mutex);
	if (!last || grant->expiry.expires <
		     rb_entry(last, struct timerqueue_node, node)->expires) {
		timerqueue_add(&expiries, &grant->expiry);
		return;
	}
	rb_link_node(&grant->expiry.node, last, &last->rb_right);
	rb_insert_color_cached(&grant->expiry.node, root, false);
}

static void count_on_hot_path(struct trustgate_grant *grant, int step)
{
	struct trustgate_subject *subject = grant->subject;

	if (grant->key.kind == TRUSTGATE_OBJECT_KIND_SUBTREE)
		WRITE_ONCE(subject->nr_subtrees, subject->nr_subtrees + step);
	if (grant->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS) {
		WRITE_ONCE(subject->nr_descendants,
			   subject->nr_descendants + step);
		WRITE_ONCE(grant->volume->nr_descendants,
			   grant->volume->nr_descendants + step);
	}
}

int trustgate_grant_insert(struct trustgate_grant *grant, u64 now_ns)
{
	int err;

	lockdep_assert_held(&trustgate_mutex);
	grant->created_boottime_ns = now_ns;
	if (!grant->since_ns)
		grant->since_ns = grant->created_boottime_ns;

	/* Before the grant can be found, so that no check overlooks it. */
	count_on_hot_path(grant, 1);
	/* Growing the table may need a moment for its worker to catch up. */
	do {
		err = rhltable_insert(&grants, &grant->node, grant_params);
		if (err == -EBUSY)
			cond_resched();
	} while (err == -EBUSY);
	if (err) {
		count_on_hot_path(grant, -1);
		return err;
	}

	WRITE_ONCE(grant->subject->on_end,
		   max_t(u32, grant->subject->on_end, grant->on_end));
	/* A subject that was looked over for another exec id is due again. */
	if (grant->exec_id < grant->subject->seen_exec_id)
		grant->subject->due = true;
	trustgate_grant_put_in(&by_id, grant);
	list_add_tail(&grant->of_subject, &grant->subject->grants);
	if (grant->not_before_ns > grant->created_boottime_ns)
		list_add_tail_rcu(&grant->of_presence, &grant->presence->grants);
	else
		list_add_rcu(&grant->of_presence, &grant->presence->grants);
	queue_expiry(grant);
	grant->volume->nr_grants++;
	nr_grants++;
	generation_bump();
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_insert);

void trustgate_grant_enforce(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	WRITE_ONCE(grant->in_force, true);
	trustgate_supervision_begin(grant);
	trustgate_ending_expect(grant);
	/* The others have been seen to, or are about to be. */
	if (grant == trustgate_grant_first_to_expire())
		trustgate_sweep_at(grant->expiry.expires);
	trace_trustgate_grant_added(grant, TRUSTGATE_END_NONE);
	trustgate_event_grant(TRUSTGATE_EVENT_TYPE_GRANT_ADDED, grant,
			      TRUSTGATE_END_NONE);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_enforce);

void trustgate_grant_end(struct trustgate_grant *grant, u32 end)
{
	lockdep_assert_held(&trustgate_mutex);

	WRITE_ONCE(grant->in_force, false);
	rhltable_remove(&grants, &grant->node, grant_params);
	count_on_hot_path(grant, -1);
	rb_erase(&grant->by_id, &by_id);
	list_del(&grant->of_subject);
	list_del_rcu(&grant->of_presence);
	timerqueue_del(&expiries, &grant->expiry);
	trustgate_supervision_end(grant);
	grant->volume->nr_grants--;
	nr_grants--;
	generation_bump();
	if (end != TRUSTGATE_END_NONE) {
		trace_trustgate_grant_ended(grant, end);
		trustgate_event_grant(TRUSTGATE_EVENT_TYPE_GRANT_ENDED, grant,
				      end);
	}
	trustgate_ending_keep(grant, end);
	presence_put(grant->presence);
	subject_put(grant->subject);
	if (!grant->holder)
		trustgate_grant_forget(grant);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_end);

void trustgate_grant_forget(struct trustgate_grant *grant)
{
	lockdep_assert_held(&trustgate_mutex);
	nr_reserved--;
	put_pid(grant->holder);
	call_rcu(&grant->rcu, grant_free_rcu);
}

u64 trustgate_grant_end_volume(const struct trustgate_volume *volume, u32 end)
{
	struct trustgate_grant *grant;
	u64 id = 0, ended = 0;

	lockdep_assert_held(&trustgate_mutex);
	while ((grant = trustgate_grant_next(id))) {
		id = grant->id + 1;
		cond_resched();
		if (volume && !volume->nr_grants)
			break;
		if (volume && grant->volume != volume)
			continue;
		trustgate_grant_end(grant, end);
		ended++;
	}
	return ended;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_end_volume);

u64 trustgate_grant_end_subject(const struct pid *pid, u32 end)
{
	struct trustgate_grant *grant, *next;
	struct trustgate_subject *subject;
	unsigned int left;
	u64 ended = 0;

	lockdep_assert_held(&trustgate_mutex);
	rcu_read_lock();
	subject = trustgate_subject_find(pid);
	rcu_read_unlock();
	if (!subject)
		return 0;
	/* The last grant takes the subject, and the list's head, with it. */
	left = subject->nr_grants;
	list_for_each_entry_safe(grant, next, &subject->grants, of_subject) {
		trustgate_grant_end(grant, end);
		ended++;
		if (ended == left)
			break;
		cond_resched();
	}
	return ended;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_end_subject);

struct trustgate_grant *trustgate_grant_by_id(u64 id)
{
	struct trustgate_grant *grant = trustgate_grant_next(id);

	return grant && grant->id == id ? grant : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_by_id);

struct trustgate_grant *trustgate_grant_next(u64 id)
{
	return trustgate_grant_lowest(&by_id, id);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_next);

struct trustgate_grant *trustgate_grant_first_to_expire(void)
{
	struct timerqueue_node *node;

	lockdep_assert_held(&trustgate_mutex);
	node = timerqueue_getnext(&expiries);
	return node ? container_of(node, struct trustgate_grant, expiry) : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_first_to_expire);

void trustgate_subject_each(bool (*due)(const struct trustgate_subject *subject),
			    void (*visit)(struct trustgate_subject *subject))
{
	struct trustgate_subject *subject;
	struct rhashtable_iter iter;

	rhashtable_walk_enter(&subjects, &iter);
	do {
		unsigned int pass = 0;

		mutex_lock(&trustgate_mutex);
		rhashtable_walk_start(&iter);
		while (pass++ < 1024 && (subject = rhashtable_walk_next(&iter))) {
			/* Resized: some may be seen twice. */
			if (IS_ERR(subject) || !due(subject))
				continue;
			/* The mutex, not RCU, is what keeps it. */
			rhashtable_walk_stop(&iter);
			visit(subject);
			rhashtable_walk_start(&iter);
		}
		rhashtable_walk_stop(&iter);
		mutex_unlock(&trustgate_mutex);
		cond_resched();
	} while (subject);
	rhashtable_walk_exit(&iter);
}

void trustgate_grant_totals(struct trustgate_totals *totals)
{
	lockdep_assert_held(&trustgate_mutex);
	totals->grants = nr_grants;
	totals->grants_max = max_grants;
	totals->subjects = nr_subjects;
	totals->bytes_max = (u64)max_grants *
		(kmem_cache_size(grant_cache) + kmem_cache_size(subject_cache) +
		 kmalloc_size_roundup(sizeof(struct trustgate_presence)) +
		 kmalloc_size_roundup(TRUSTGATE_TICKET_MAX + 1) +
		 OVERHEAD_BYTES);
}
EXPORT_SYMBOL_IF_KUNIT(trustgate_grant_totals);

int trustgate_grant_init(void)
{
	int err = -ENOMEM;

	if (max_grants > GRANTS_LIMIT) {
		pr_err("trustgate: max_grants=%lu is more than %d\n",
		       max_grants, GRANTS_LIMIT);
		return -EINVAL;
	}
	timerqueue_init_head(&expiries);
	grant_cache = kmem_cache_create("trustgate_grant",
					sizeof(struct trustgate_grant),
					__alignof__(struct trustgate_grant), 0,
					construct);
	if (!grant_cache)
		return -ENOMEM;
	subject_cache = KMEM_CACHE(trustgate_subject, 0);
	if (!subject_cache)
		goto err_grant_cache;
	err = rhashtable_init(&subjects, &subject_params);
	if (err)
		goto err_subject_cache;
	err = rhltable_init(&grants, &grant_params);
	if (err)
		goto err_subjects;
	return 0;

err_subjects:
	rhashtable_destroy(&subjects);
err_subject_cache:
	kmem_cache_destroy(subject_cache);
err_grant_cache:
	kmem_cache_destroy(grant_cache);
	return err;
}

void trustgate_grant_exit(void)
{
	/* Every grant and subject ended before is freed by then. */
	rcu_barrier();
	rhltable_destroy(&grants);
	rhashtable_destroy(&subjects);
	kmem_cache_destroy(subject_cache);
	kmem_cache_destroy(grant_cache);
}
