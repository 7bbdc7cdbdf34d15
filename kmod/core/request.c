// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - requests; see request.h.
 *
 * A request is in the table from its raising until its answer no longer stands:
 * by key, for those who ask, and by the time at which something is to be done
 * about it, for keep_work(). By number, for the agent, it is while it is open.
 */

#define pr_fmt(fmt) "trustgate: " fmt

#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/timerqueue.h>
#include <linux/workqueue.h>

#include "agent.h"
#include "channel.h"
#include "decision.h"
#include "event.h"
#include "grant.h"
#include "request.h"
#include "request_make.h"
#include "volume.h"

#define REQUESTS_MIN	16
#define REQUESTS_LIMIT	1048576

/*
 * For how long the same question gets the same answer. That it was granted, no
 * longer than the grant lasts: what it allowed is then a question again. But for
 * that time, so that grants which are over at once do not keep an open asking.
 */
#define STANDS_NS	(5ULL * NSEC_PER_SEC)
#define GRANTED_NS	(1ULL * NSEC_PER_SEC)

/* How long a request stays open without anybody who waits. */
#define LINGERS_NS	(1ULL * NSEC_PER_SEC)

/* How many requests are closed or forgotten before others get the lock. */
#define BATCH		64

/*
 * What one user who is not root may have open: this part of the table, so that
 * he does not keep others from asking. Users are told apart by a hash, so two
 * of them may have to share.
 */
#define USER_PART	8
#define USER_BITS	8

static unsigned int max_requests = 16384;
module_param(max_requests, uint, 0444);
MODULE_PARM_DESC(max_requests, "Most opens that can wait for an answer at a time, from 16 to 1048576 (default 16384)");

/* As that of grants, see there. */
static __always_inline u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct trustgate_request_key *key = data;
	u64 mix = (unsigned long)key->pid ^ key->exec_id ^ key->subvolume ^
		  seed ^ ((u64)key->volume_id << 40 | (u64)key->access << 56);

	mix = mix * GOLDEN_RATIO_64 + key->ino + ((u64)key->generation << 32);
	return hash_64(mix, 32);
}

static __always_inline int key_differs(struct rhashtable_compare_arg *arg,
				       const void *obj)
{
	const struct trustgate_request *request = obj;
	const struct trustgate_request_key *key = arg->key;

	return request->key.ino != key->ino || request->key.pid != key->pid ||
	       request->key.exec_id != key->exec_id ||
	       request->key.access != key->access ||
	       request->key.subvolume != key->subvolume ||
	       request->key.generation != key->generation ||
	       request->key.volume_id != key->volume_id;
}

static const struct rhashtable_params params = {
	.head_offset = offsetof(struct trustgate_request, node),
	.key_offset = offsetof(struct trustgate_request, key),
	.key_len = sizeof(struct trustgate_request_key),
	.hashfn = key_hash,
	.obj_cmpfn = key_differs,
	.automatic_shrinking = true,
};

/*
 * Protects all that follows. Taken by hooks in process context; nests inside
 * trustgate_mutex, and outside the locks of events, wait queues and works.
 */
static DEFINE_SPINLOCK(lock);
static struct rhashtable requests;
static struct rb_root by_id = RB_ROOT;
static struct timerqueue_head dues;
static LIST_HEAD(open);
static LIST_HEAD(closed);
static u64 last_id;
static unsigned int nr_requests;	/* open, and closed whose answer stands */
static unsigned int nr_open;
static unsigned int nr_of_user[1 << USER_BITS];
static u32 user_seed __ro_after_init;
static u32 generation = 1;

/* When keep_work() comes, CLOCK_BOOTTIME. */
static u64 kept_at = U64_MAX;

static void keep_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(keeper, keep_work);
static struct workqueue_struct *workqueue;

u32 trustgate_request_generation(void)
{
	return READ_ONCE(generation);
}

static void generation_bump(void)
{
	lockdep_assert_held(&lock);
	WRITE_ONCE(generation, generation + 1 ?: 1);
}

/* NULL for root, who can do worse than ask. */
static unsigned int *count_of(const struct trustgate_request *request)
{
	lockdep_assert_held(&lock);
	if (uid_eq(request->user, GLOBAL_ROOT_UID))
		return NULL;
	return &nr_of_user[hash_32(__kuid_val(request->user) ^ user_seed,
				   USER_BITS)];
}

/*
 * As with expiries of grants, the timer stops while the host sleeps and
 * CLOCK_BOOTTIME does not, so that it may be late after that. Too early does no
 * harm: it is set anew then.
 */
static void keep_at(u64 due_ns)
{
	unsigned long delay = 0;
	u64 now_ns;

	lockdep_assert_held(&lock);
	if (due_ns >= kept_at)
		return;
	kept_at = due_ns;
	now_ns = ktime_get_boottime_ns();
	if (due_ns > now_ns)
		delay = min_t(u64, nsecs_to_jiffies64(due_ns - now_ns) + 1,
			      60 * HZ);
	mod_delayed_work(workqueue, &keeper, delay);
}

static void not_due(struct trustgate_request *request)
{
	if (!RB_EMPTY_NODE(&request->due.node))
		timerqueue_del(&dues, &request->due);
}

static void set_due(struct trustgate_request *request, u64 due_ns)
{
	lockdep_assert_held(&lock);
	not_due(request);
	request->due.expires = due_ns;
	timerqueue_add(&dues, &request->due);
	keep_at(due_ns);
}

/* Take a closed one out of the table, whose reference goes. */
static void forget(struct trustgate_request *request)
{
	lockdep_assert_held(&lock);
	rhashtable_remove_fast(&requests, &request->node, params);
	not_due(request);
	list_del(&request->in_order);
	nr_requests--;
	trustgate_request_put(request);
}

static bool stands(u32 end)
{
	return end == TRUSTGATE_REQUEST_END_GRANTED ||
	       end == TRUSTGATE_REQUEST_END_REFUSED ||
	       end == TRUSTGATE_REQUEST_END_UNANSWERED;
}

static u64 stands_ns(const struct trustgate_grant *grant, u64 now_ns)
{
	u64 expires_ns = grant ? (u64)grant->expiry.expires : U64_MAX;

	if (expires_ns < now_ns + GRANTED_NS)
		return GRANTED_NS;
	return min(expires_ns - now_ns, STANDS_NS);
}

/* The caller has no reference: the request may be gone afterwards. */
static void close_request(struct trustgate_request *request, u32 end,
			  const struct trustgate_grant *grant)
{
	u64 now_ns = ktime_get_boottime_ns();
	unsigned int *count;

	lockdep_assert_held(&lock);
	count = count_of(request);
	if (count)
		(*count)--;
	rb_erase(&request->by_id, &by_id);
	list_move_tail(&request->in_order, &closed);
	nr_open--;
	generation_bump();
	WRITE_ONCE(request->end, end);
	trustgate_event_request(TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED, request,
				grant ? grant->id : 0, now_ns, false);
	wake_up_all(&request->answered);
	if (!stands(end)) {
		forget(request);
		return;
	}
	/*
	 * Most answers stand equally long, so that the list is in order. One that
	 * stands for less is forgotten with those before it, and is none until
	 * then, see find().
	 */
	not_due(request);
	request->due.expires = now_ns + stands_ns(grant, now_ns);
	keep_at(request->due.expires);
}

/* What is due first, be it an open one or one whose answer stands. */
static struct trustgate_request *first_due(void)
{
	struct trustgate_request *oldest, *next;
	struct timerqueue_node *node;

	lockdep_assert_held(&lock);
	oldest = list_first_entry_or_null(&closed, struct trustgate_request,
					  in_order);
	node = timerqueue_getnext(&dues);
	if (!node)
		return oldest;
	next = container_of(node, struct trustgate_request, due);
	return oldest && oldest->due.expires < next->due.expires ? oldest : next;
}

static void keep_work(struct work_struct *work)
{
	u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_request *request;
	unsigned int done = 0;

	spin_lock(&lock);
	kept_at = U64_MAX;
	while ((request = first_due()) &&
	       (u64)request->due.expires <= now_ns && done++ < BATCH) {
		if (trustgate_request_closed(request))
			forget(request);
		else
			close_request(request, now_ns < request->deadline_ns ?
				      TRUSTGATE_REQUEST_END_WITHDRAWN :
				      TRUSTGATE_REQUEST_END_UNANSWERED, NULL);
	}
	if (request)
		keep_at(request->due.expires);
	spin_unlock(&lock);
}

/* An answer that stands no longer is none, be keep_work() late. */
static struct trustgate_request *find(const struct trustgate_request_key *key,
				      u64 now_ns)
{
	struct trustgate_request *request;

	lockdep_assert_held(&lock);
	request = rhashtable_lookup_fast(&requests, key, params);
	if (!request || !trustgate_request_closed(request) ||
	    (u64)request->due.expires > now_ns)
		return request;
	forget(request);
	return NULL;
}

static bool has_lower_id(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct trustgate_request, by_id)->id <
	       rb_entry(b, struct trustgate_request, by_id)->id;
}

/* An answer that stands gives way to a question, the one longest given first. */
static bool make_room(const struct trustgate_request *request)
{
	const unsigned int *count;

	lockdep_assert_held(&lock);
	count = count_of(request);
	if (count && *count >= max(max_requests / USER_PART, 1U))
		return false;
	if (nr_requests < max_requests)
		return true;
	if (list_empty(&closed))
		return false;
	forget(list_first_entry(&closed, struct trustgate_request, in_order));
	return true;
}

/* Until when it may be answered; 0 if nobody may be asked any more. */
static u64 deadline_of(const struct trustgate_question *question)
{
	u64 ask_ns = READ_ONCE(question->volume->settings.ask_ns);

	/* Who changes either closes all requests after that; see there. */
	lockdep_assert_held(&lock);
	return ask_ns && trustgate_agent_portid() ? question->now_ns + ask_ns :
						    0;
}

/*
 * Put it into the table; false with *cause set if it cannot be. With @hand_over
 * the caller tells the agent next.
 */
static bool raise(struct trustgate_request *request,
		  const struct trustgate_question *question, bool hand_over,
		  u32 *cause)
{
	unsigned int *count;

	lockdep_assert_held(&lock);
	request->deadline_ns = deadline_of(question);
	if (!request->deadline_ns)
		return false;
	if (!make_room(request) ||
	    rhashtable_insert_fast(&requests, &request->node, params)) {
		*cause = TRUSTGATE_CAUSE_CROWDED;
		return false;
	}
	request->id = last_id + 1;
	WRITE_ONCE(last_id, request->id);
	rb_add(&request->by_id, &by_id, has_lower_id);
	list_add_tail(&request->in_order, &open);
	count = count_of(request);
	if (count)
		(*count)++;
	nr_open++;
	nr_requests++;
	generation_bump();
	trustgate_event_request(TRUSTGATE_EVENT_TYPE_REQUEST_RAISED, request, 0,
				request->raised_ns, hand_over);
	return true;
}

/* One more waits; NULL with *cause set if an answer stands. */
static struct trustgate_request *enter(struct trustgate_request *request,
				       u32 *cause)
{
	lockdep_assert_held(&lock);
	switch (request->end) {
	case TRUSTGATE_REQUEST_END_OPEN:
		refcount_inc(&request->refs);
		WRITE_ONCE(request->waiting, request->waiting + 1);
		if (request->due.expires != request->deadline_ns)
			set_due(request, request->deadline_ns);
		return request;
	case TRUSTGATE_REQUEST_END_REFUSED:
		*cause = TRUSTGATE_CAUSE_REFUSED;
		return NULL;
	case TRUSTGATE_REQUEST_END_UNANSWERED:
		*cause = TRUSTGATE_CAUSE_UNANSWERED;
		return NULL;
	default:
		return NULL;
	}
}

struct trustgate_request *
trustgate_request_join(const struct trustgate_question *question, u32 *cause)
{
	const struct trustgate_request_key key = {
		.pid = task_tgid(current),
		.exec_id = current->self_exec_id,
		.ino = question->ino,
		.subvolume = question->subvolume,
		.generation = question->generation,
		.access = question->access,
		.volume_id = question->volume->id,
	};
	/* By its channel the agent learns of it sooner than by the event. */
	const bool by_channel = trustgate_channel_is_open();
	struct trustgate_request *request, *fresh = NULL, *joined = NULL;
	bool raised = false;

	spin_lock(&lock);
	request = find(&key, question->now_ns);
	if (!request) {
		spin_unlock(&lock);
		fresh = trustgate_request_make(&key, question, *cause);
		if (!fresh) {
			*cause = TRUSTGATE_CAUSE_CROWDED;
			return NULL;
		}
		spin_lock(&lock);
		request = find(&key, question->now_ns);
	}
	if (!request && raise(fresh, question, !by_channel, cause)) {
		request = fresh;
		fresh = NULL;
		raised = true;
	}
	if (request)
		joined = enter(request, cause);
	spin_unlock(&lock);
	/* In any case: a channel may have been opened since it was looked for. */
	if (raised)
		trustgate_channel_wake();
	if (raised && !by_channel)
		trustgate_event_hand_over();
	if (fresh)
		trustgate_request_put(fresh);
	return joined;
}

void trustgate_request_leave(struct trustgate_request *request)
{
	spin_lock(&lock);
	WRITE_ONCE(request->waiting, request->waiting - 1);
	if (!request->waiting && !trustgate_request_closed(request))
		set_due(request, min(request->deadline_ns,
				     ktime_get_boottime_ns() + LINGERS_NS));
	spin_unlock(&lock);
	trustgate_request_put(request);
}

/* The open one with the lowest number not below this. */
static struct trustgate_request *lowest(u64 id)
{
	struct trustgate_request *request, *best = NULL;
	struct rb_node *node = by_id.rb_node;

	lockdep_assert_held(&lock);
	while (node) {
		request = rb_entry(node, struct trustgate_request, by_id);
		if (request->id >= id) {
			best = request;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

static struct trustgate_request *numbered(u64 id)
{
	struct trustgate_request *request = lowest(id);

	return request && request->id == id ? request : NULL;
}

bool trustgate_request_answer(u64 id, u32 end,
			      const struct trustgate_grant *grant)
{
	struct trustgate_request *request;

	spin_lock(&lock);
	request = numbered(id);
	if (request)
		close_request(request, end, grant);
	spin_unlock(&lock);
	return request;
}

void trustgate_request_close_all(u32 volume_id, u32 end)
{
	struct trustgate_request *request, *next;
	unsigned int done;
	u64 from = 0;

	might_sleep();
	do {
		done = 0;
		spin_lock(&lock);
		for (request = lowest(from); request && done < BATCH;
		     request = next, done++) {
			from = request->id + 1;
			next = list_is_last(&request->in_order, &open) ? NULL :
			       list_next_entry(request, in_order);
			if (!volume_id || request->key.volume_id == volume_id)
				close_request(request, end, NULL);
		}
		spin_unlock(&lock);
		cond_resched();
	} while (done == BATCH);
}

u64 trustgate_request_newest(void)
{
	return READ_ONCE(last_id);
}

struct trustgate_request *trustgate_request_take(u64 *taken)
{
	struct trustgate_request *request;

	spin_lock(&lock);
	request = lowest(*taken + 1);
	if (request)
		refcount_inc(&request->refs);
	WRITE_ONCE(*taken, request ? request->id : last_id);
	spin_unlock(&lock);
	return request;
}

u64 trustgate_request_untaken(void)
{
	const struct trustgate_request *request;
	u64 taken;

	spin_lock(&lock);
	request = lowest(0);
	taken = request ? request->id - 1 : last_id;
	spin_unlock(&lock);
	return taken;
}

struct trustgate_request *trustgate_request_next(u64 id)
{
	struct trustgate_request *request;

	spin_lock(&lock);
	request = lowest(id);
	if (request)
		refcount_inc(&request->refs);
	spin_unlock(&lock);
	return request;
}

struct trustgate_request *trustgate_request_get(u64 id)
{
	struct trustgate_request *request;

	spin_lock(&lock);
	request = numbered(id);
	if (request)
		refcount_inc(&request->refs);
	spin_unlock(&lock);
	return request;
}

void trustgate_request_totals(struct trustgate_request_totals *totals)
{
	const struct trustgate_request *oldest;

	spin_lock(&lock);
	oldest = list_first_entry_or_null(&open, struct trustgate_request,
					  in_order);
	totals->open = nr_open;
	totals->max = max_requests;
	totals->oldest_ns = oldest ? oldest->raised_ns : 0;
	spin_unlock(&lock);
}

int trustgate_request_init(void)
{
	int err;

	if (max_requests < REQUESTS_MIN || max_requests > REQUESTS_LIMIT) {
		pr_err("max_requests=%u is not from %u to %u\n", max_requests,
		       REQUESTS_MIN, REQUESTS_LIMIT);
		return -EINVAL;
	}
	user_seed = get_random_u32();
	timerqueue_init_head(&dues);
	err = trustgate_request_make_init();
	if (err)
		return err;
	err = rhashtable_init(&requests, &params);
	if (err)
		goto err_make;
	workqueue = alloc_workqueue("trustgate_request", WQ_UNBOUND, 0);
	if (!workqueue) {
		err = -ENOMEM;
		goto err_requests;
	}
	return 0;

err_requests:
	rhashtable_destroy(&requests);
err_make:
	trustgate_request_make_exit();
	return err;
}

void trustgate_request_exit(void)
{
	struct trustgate_request *request, *next;

	disable_delayed_work_sync(&keeper);
	spin_lock(&lock);
	/* With the last volume the last of them was closed. */
	WARN_ON_ONCE(!list_empty(&open));
	list_for_each_entry_safe(request, next, &closed, in_order)
		forget(request);
	spin_unlock(&lock);
	destroy_workqueue(workqueue);
	rhashtable_destroy(&requests);
	trustgate_request_make_exit();
}
