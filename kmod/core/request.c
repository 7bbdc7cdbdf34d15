// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - requests; see request.h.
 *
 * A request is in the table from its raising until its answer no longer stands:
 * by key, for those who ask. By number, for the agent, it is while it is open.
 */

#define pr_fmt(fmt) "trustgate: " fmt

#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/random.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/rcuwait.h>
#include <linux/rhashtable.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "agent.h"
#include "channel.h"
#include "decision.h"
#include "event.h"
#include "grant.h"
#include "request.h"
#include "request_due.h"
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

/* How many requests are closed before others get the lock. */
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

/* All that follows is changed under trustgate_request_lock. */
static struct rhashtable requests;
static struct rb_root by_id = RB_ROOT;
static u64 last_id;
static unsigned int nr_requests;	/* open, and closed whose answer stands */
static unsigned int nr_open;
static unsigned int nr_of_user[1 << USER_BITS];
static u32 user_seed __ro_after_init;
static u32 generation = 1;

u32 trustgate_request_generation(void)
{
	return READ_ONCE(generation);
}

static void generation_bump(void)
{
	lockdep_assert_held(&trustgate_request_lock);
	WRITE_ONCE(generation, generation + 1 ?: 1);
}

/* NULL for root, who can do worse than ask. */
static unsigned int *count_of(const struct trustgate_request *request)
{
	lockdep_assert_held(&trustgate_request_lock);
	if (uid_eq(request->user, GLOBAL_ROOT_UID))
		return NULL;
	return &nr_of_user[hash_32(__kuid_val(request->user) ^ user_seed,
				   USER_BITS)];
}

/* The table's reference goes. */
void trustgate_request_forget(struct trustgate_request *request)
{
	lockdep_assert_held(&trustgate_request_lock);
	rhashtable_remove_fast(&requests, &request->node, params);
	trustgate_due_nothing(request);
	nr_requests--;
	trustgate_request_put(request);
}

void trustgate_request_wake(struct trustgate_request *request)
{
	rcuwait_wake_up(&request->raiser);
	if (wq_has_sleeper(&request->answered))
		wake_up_all(&request->answered);
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

/* As trustgate_request_close(), by a grant or NULL. */
static void close_by(struct trustgate_request *request, u32 end,
		     const struct trustgate_grant *grant)
{
	/* It was given just now. */
	u64 now_ns = grant ? grant->created_boottime_ns :
			     ktime_get_boottime_ns();
	unsigned int *count;

	lockdep_assert_held(&trustgate_request_lock);
	count = count_of(request);
	if (count)
		(*count)--;
	rb_erase(&request->by_id, &by_id);
	nr_open--;
	generation_bump();
	WRITE_ONCE(request->end, end);
	trustgate_event_request(TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED, request,
				NULL, grant ? grant->id : 0, now_ns, false);
	trustgate_request_wake(request);
	if (stands(end))
		trustgate_due_answered(request,
				       now_ns + stands_ns(grant, now_ns));
	else
		trustgate_request_forget(request);
}

void trustgate_request_close(struct trustgate_request *request, u32 end)
{
	close_by(request, end, NULL);
}

/* An answer that stands no longer is none, whenever it is forgotten. */
static bool forget_if_over(struct trustgate_request *request, u64 now_ns)
{
	lockdep_assert_held(&trustgate_request_lock);
	if (!trustgate_request_closed(request) ||
	    (u64)request->due.expires > now_ns)
		return false;
	trustgate_request_forget(request);
	return true;
}

static struct trustgate_request *find(const struct trustgate_request_key *key,
				      u64 now_ns)
{
	struct trustgate_request *request;

	lockdep_assert_held(&trustgate_request_lock);
	request = rhashtable_lookup(&requests, key, params);
	return request && !forget_if_over(request, now_ns) ? request : NULL;
}

/* The same, of @fresh's key; if there is none, @fresh is put into the table. */
static struct trustgate_request *
find_or_insert(struct trustgate_request *fresh, u64 now_ns)
{
	struct trustgate_request *request;

	lockdep_assert_held(&trustgate_request_lock);
	do {
		request = rhashtable_lookup_get_insert_fast(&requests,
							    &fresh->node,
							    params);
	} while (!IS_ERR_OR_NULL(request) && forget_if_over(request, now_ns));
	return request ?: fresh;
}

static bool has_lower_id(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct trustgate_request, by_id)->id <
	       rb_entry(b, struct trustgate_request, by_id)->id;
}

/* An answer that stands gives way to a question, the one longest given first. */
static bool make_room(const struct trustgate_request *request)
{
	struct trustgate_request *oldest;
	const unsigned int *count;

	lockdep_assert_held(&trustgate_request_lock);
	count = count_of(request);
	if (count && *count >= max(max_requests / USER_PART, 1U))
		return false;
	if (nr_requests < max_requests)
		return true;
	oldest = trustgate_due_oldest_answer();
	if (oldest)
		trustgate_request_forget(oldest);
	return oldest;
}

/* Until when it may be answered; 0 if nobody may be asked any more. */
static u64 deadline_of(const struct trustgate_question *question)
{
	u64 ask_ns = READ_ONCE(question->volume->settings.ask_ns);

	/* Who changes either closes all requests after that; see there. */
	lockdep_assert_held(&trustgate_request_lock);
	return ask_ns && trustgate_agent_portid() ? question->now_ns + ask_ns :
						    0;
}

/*
 * Open what was put into the table; false, with *cause set and out of the table
 * again, if it cannot be. With @hand_over the caller tells the agent next.
 */
static bool raise(struct trustgate_request *request,
		  const struct trustgate_question *question, bool hand_over,
		  u32 *cause)
{
	unsigned int *count;

	lockdep_assert_held(&trustgate_request_lock);
	request->deadline_ns = deadline_of(question);
	if (!request->deadline_ns || !make_room(request)) {
		rhashtable_remove_fast(&requests, &request->node, params);
		if (request->deadline_ns)
			*cause = TRUSTGATE_CAUSE_CROWDED;
		return false;
	}
	request->id = last_id + 1;
	WRITE_ONCE(last_id, request->id);
	rb_add(&request->by_id, &by_id, has_lower_id);
	trustgate_due_raised(request);
	count = count_of(request);
	if (count)
		(*count)++;
	nr_open++;
	nr_requests++;
	generation_bump();
	trustgate_event_request(TRUSTGATE_EVENT_TYPE_REQUEST_RAISED, request,
				question->volume, 0, request->raised_ns,
				hand_over);
	return true;
}

/* One more waits; NULL with *cause set if an answer stands. */
static struct trustgate_request *enter(struct trustgate_request *request,
				       u32 *cause)
{
	lockdep_assert_held(&trustgate_request_lock);
	switch (request->end) {
	case TRUSTGATE_REQUEST_END_OPEN:
		refcount_inc(&request->refs);
		WRITE_ONCE(request->waiting, request->waiting + 1);
		trustgate_due_awaited(request);
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

/* Tell the agent of @fresh, or join the one that was raised meanwhile. */
static struct trustgate_request *
raise_or_join(struct trustgate_request *fresh,
	      const struct trustgate_question *question, u32 *cause,
	      bool *raised)
{
	/* By its channel the agent learns of it sooner than by the event. */
	const bool by_channel = trustgate_channel_is_open();
	struct trustgate_request *request, *joined = NULL;

	spin_lock(&trustgate_request_lock);
	request = find_or_insert(fresh, question->now_ns);
	if (request == fresh)
		*raised = raise(fresh, question, !by_channel, cause);
	if (IS_ERR(request))
		*cause = TRUSTGATE_CAUSE_CROWDED;
	else if (*raised || request != fresh)
		joined = enter(request, cause);
	spin_unlock(&trustgate_request_lock);
	if (!*raised) {
		trustgate_request_put(fresh);
		return joined;
	}
	/* In any case: a channel may have been opened since it was looked for. */
	trustgate_channel_wake();
	if (!by_channel)
		trustgate_event_hand_over();
	return joined;
}

struct trustgate_request *
trustgate_request_join(const struct trustgate_question *question, u32 *cause,
		       bool *raised)
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
	struct trustgate_request *request, *joined = NULL;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "asked outside of RCU read side");
	*raised = false;
	/* Who asks what was asked before needs no memory for it. */
	if (rhashtable_lookup(&requests, &key, params)) {
		spin_lock(&trustgate_request_lock);
		request = find(&key, question->now_ns);
		if (request)
			joined = enter(request, cause);
		spin_unlock(&trustgate_request_lock);
		if (request)
			return joined;
	}
	request = trustgate_request_make(&key, question, *cause);
	if (request)
		return raise_or_join(request, question, cause, raised);
	*cause = TRUSTGATE_CAUSE_CROWDED;
	return NULL;
}

void trustgate_request_leave(struct trustgate_request *request)
{
	/* Of a closed one nobody looks at how many wait. */
	if (!trustgate_request_closed(request)) {
		spin_lock(&trustgate_request_lock);
		WRITE_ONCE(request->waiting, request->waiting - 1);
		if (!request->waiting && !trustgate_request_closed(request))
			trustgate_due_left(request);
		spin_unlock(&trustgate_request_lock);
	}
	trustgate_request_put(request);
}

/* The open one with the lowest number not below this. */
static struct trustgate_request *lowest(u64 id)
{
	struct trustgate_request *request, *best = NULL;
	struct rb_node *node = by_id.rb_node;

	lockdep_assert_held(&trustgate_request_lock);
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

bool trustgate_request_answer(struct trustgate_request *request, u32 end,
			      const struct trustgate_grant *grant)
{
	bool open;

	spin_lock(&trustgate_request_lock);
	open = !trustgate_request_closed(request);
	if (open)
		close_by(request, end, grant);
	spin_unlock(&trustgate_request_lock);
	return open;
}

bool trustgate_request_answer_by_id(u64 id, u32 end,
				    const struct trustgate_grant *grant)
{
	struct trustgate_request *request = trustgate_request_get(id);
	bool open;

	if (!request)
		return false;
	open = trustgate_request_answer(request, end, grant);
	trustgate_request_put(request);
	return open;
}

void trustgate_request_close_all(u32 volume_id, u32 end)
{
	struct trustgate_request *request;
	unsigned int done;
	u64 from = 0;

	might_sleep();
	do {
		done = 0;
		spin_lock(&trustgate_request_lock);
		while (done < BATCH && (request = lowest(from))) {
			done++;
			from = request->id + 1;
			if (!volume_id || request->key.volume_id == volume_id)
				close_by(request, end, NULL);
		}
		spin_unlock(&trustgate_request_lock);
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

	spin_lock(&trustgate_request_lock);
	request = lowest(*taken + 1);
	if (request)
		refcount_inc(&request->refs);
	WRITE_ONCE(*taken, request ? request->id : last_id);
	spin_unlock(&trustgate_request_lock);
	return request;
}

u64 trustgate_request_untaken(void)
{
	const struct trustgate_request *request;
	u64 taken;

	spin_lock(&trustgate_request_lock);
	request = lowest(0);
	taken = request ? request->id - 1 : last_id;
	spin_unlock(&trustgate_request_lock);
	return taken;
}

struct trustgate_request *trustgate_request_next(u64 id)
{
	struct trustgate_request *request;

	spin_lock(&trustgate_request_lock);
	request = lowest(id);
	if (request)
		refcount_inc(&request->refs);
	spin_unlock(&trustgate_request_lock);
	return request;
}

struct trustgate_request *trustgate_request_get(u64 id)
{
	struct trustgate_request *request;

	spin_lock(&trustgate_request_lock);
	request = numbered(id);
	if (request)
		refcount_inc(&request->refs);
	spin_unlock(&trustgate_request_lock);
	return request;
}

void trustgate_request_totals(struct trustgate_request_totals *totals)
{
	const struct trustgate_request *oldest;

	spin_lock(&trustgate_request_lock);
	oldest = lowest(0);
	totals->open = nr_open;
	totals->max = max_requests;
	totals->oldest_ns = oldest ? oldest->raised_ns : 0;
	spin_unlock(&trustgate_request_lock);
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
	err = trustgate_request_make_init();
	if (err)
		return err;
	err = rhashtable_init(&requests, &params);
	if (err)
		goto err_make;
	err = trustgate_due_init();
	if (err)
		goto err_requests;
	return 0;

err_requests:
	rhashtable_destroy(&requests);
err_make:
	trustgate_request_make_exit();
	return err;
}

void trustgate_request_exit(void)
{
	struct trustgate_request *request;

	trustgate_due_stop();
	/* With the last volume the last open one was closed. */
	spin_lock(&trustgate_request_lock);
	while ((request = trustgate_due_oldest_answer()))
		trustgate_request_forget(request);
	spin_unlock(&trustgate_request_lock);
	trustgate_due_exit();
	rhashtable_destroy(&requests);
	trustgate_request_make_exit();
}
