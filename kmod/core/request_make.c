// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - a request on its own; see request_make.h.
 */

#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timerqueue.h>

#include "decision.h"
#include "request_make.h"

/* In the hook, where memory is not waited for and its user pays. */
#define GFP_ASK		(GFP_ATOMIC | __GFP_ACCOUNT | __GFP_NOWARN)

static struct kmem_cache *cache;

/*
 * All is set when a request is made. With a constructor the allocator does not
 * zero what it hands out, as it does on hosts that have it do so always.
 */
static void construct(void *object)
{
}

static void free_late(struct rcu_head *rcu)
{
	kmem_cache_free(cache, container_of(rcu, struct trustgate_request, rcu));
}

static void free_request(struct trustgate_request *request)
{
	put_pid(request->key.pid);
	kfree(request->long_path);
	call_rcu(&request->rcu, free_late);
}

void trustgate_request_put(struct trustgate_request *request)
{
	if (refcount_dec_and_test(&request->refs))
		free_request(request);
}

/* From root to object, and not only the end of it as in an event. */
static void set_path(struct trustgate_request *request, struct dentry *dentry)
{
	const size_t room = TRUSTGATE_PATH_MAX + 1;
	char *path;

	request->path = NULL;
	request->path_length = 0;
	request->long_path = NULL;
	if (!dentry)
		return;
	path = dentry_path_raw(dentry, request->brief_path,
			       sizeof(request->brief_path));
	if (!IS_ERR(path)) {
		request->path = path;
		request->path_length = request->brief_path +
				       TRUSTGATE_BRIEF_PATH - path;
		return;
	}
	request->long_path = kmalloc(room, GFP_ASK);
	if (!request->long_path)
		return;
	path = dentry_path_raw(dentry, request->long_path, room);
	if (IS_ERR(path))
		return;
	request->path = path;
	request->path_length = request->long_path + room - 1 - path;
}

struct trustgate_request *
trustgate_request_make(const struct trustgate_request_key *key,
		       const struct trustgate_question *question, u32 cause)
{
	struct trustgate_request *request = kmem_cache_alloc(cache, GFP_ASK);

	if (!request)
		return NULL;
	request->key = *key;
	get_pid(key->pid);
	refcount_set(&request->refs, 1);
	timerqueue_init(&request->due);
	request->due.expires = 0;
	request->end = TRUSTGATE_REQUEST_END_OPEN;
	request->waiting = 0;
	request->late = false;
	rcuwait_init(&request->raiser);
	init_waitqueue_head(&request->answered);
	request->raised_ns = question->now_ns;
	request->start_ns = current->group_leader->start_boottime;
	request->cause = cause;
	request->tid = task_pid_nr(current);
	/* Not that of whom a stacked filesystem acts for. */
	request->user = task_uid(current);
	/* As in the initial user namespace, which maps each to itself. */
	request->uid = __kuid_val(request->user);
	request->loginuid = __kuid_val(audit_get_loginuid(current));
	/* It may be changed meanwhile; what is read is of the same size. */
	memcpy(request->comm, current->comm, sizeof(request->comm));
	request->comm[sizeof(request->comm) - 1] = '\0';
	set_path(request, question->dentry);
	return request;
}

int trustgate_request_make_init(void)
{
	cache = kmem_cache_create("trustgate_request",
				  sizeof(struct trustgate_request),
				  __alignof__(struct trustgate_request), 0,
				  construct);
	return cache ? 0 : -ENOMEM;
}

void trustgate_request_make_exit(void)
{
	/* Every request that was let go is freed by then. */
	rcu_barrier();
	kmem_cache_destroy(cache);
}
