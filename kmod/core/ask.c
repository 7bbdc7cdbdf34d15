// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - asking the agent; see ask.h.
 */

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/rcuwait.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "../compat.h"
#include "agent.h"
#include "ask.h"
#include "decision.h"
#include "request.h"
#include "restart.h"

/* A thread that will wait on its way back, or does; freed by itself. */
struct waiter {
	struct callback_head work;
	struct trustgate_request *request;
};

static atomic_t nr_waiters = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(all_gone);

static void leave(struct trustgate_request *request)
{
	trustgate_request_leave(request);
	/* Nobody waits for that but who unloads the module. */
	if (atomic_dec_and_test(&nr_waiters) && wq_has_sleeper(&all_gone))
		wake_up(&all_gone);
}

/*
 * Runs where signals are handled, which has the system call done again, and not
 * before: so what wakes the thread, a signal to be delivered included, needs no
 * care here.
 */
static void wait_for_answer(struct callback_head *work)
{
	struct waiter *waiter = container_of(work, struct waiter, work);
	struct trustgate_request *request = waiter->request;

	if (!(current->flags & PF_EXITING) && trustgate_restart_due())
		wait_event_interruptible(request->answered,
					 trustgate_request_closed(request));
	kfree(waiter);
	leave(request);
}

static bool stay(const struct trustgate_request *request)
{
	return !trustgate_request_closed(request) &&
	       !trustgate_request_late(request);
}

/* Who is woken by the answer need not get in line again to see that it is there. */
static void wait_in_line(struct trustgate_request *request)
{
	DEFINE_WAIT(wait);

	do {
		prepare_to_wait(&request->answered, &wait, TASK_INTERRUPTIBLE);
		if (stay(request) && !signal_pending(current))
			schedule();
	} while (stay(request) && !signal_pending(current));
	finish_wait(&request->answered, &wait);
}

/*
 * Our program keeps nothing on its CPU. To sleep pinned to it would cost the
 * scheduler more than all the rest of the question, and keep who has been
 * answered waiting for a CPU that has become busy meanwhile.
 */
bool trustgate_ask_wait(struct trustgate_opening *opening)
{
	struct trustgate_request *request = opening->request;
	const bool pinned = trustgate_unpin();

	/* Mostly nobody else waits for the same. */
	if (opening->first)
		rcuwait_wait_event(&request->raiser, !stay(request),
				   TASK_INTERRUPTIBLE);
	else
		wait_in_line(request);
	if (pinned)
		trustgate_pin();
	if (!trustgate_request_closed(request))
		return false;
	opening->request = NULL;
	leave(request);
	return true;
}

bool trustgate_ask_later(struct trustgate_opening *opening)
{
	struct trustgate_request *request = opening->request;
	struct waiter *waiter;

	opening->request = NULL;
	waiter = kmalloc(sizeof(*waiter), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (waiter) {
		waiter->request = request;
		init_task_work(&waiter->work, wait_for_answer);
		if (!task_work_add(current, &waiter->work, TWA_SIGNAL))
			return true;
	}
	kfree(waiter);
	leave(request);
	return false;
}

/* Could a grant make it allowed? */
static bool curable(u32 cause)
{
	switch (cause) {
	case TRUSTGATE_CAUSE_NO_GRANT:
	case TRUSTGATE_CAUSE_WRONG_ACCESS:
	case TRUSTGATE_CAUSE_EXPIRED:
	case TRUSTGATE_CAUSE_USED_UP:
	case TRUSTGATE_CAUSE_EXEC_CHANGED:
	case TRUSTGATE_CAUSE_UNREACHABLE:
		return true;
	default:
		return false;
	}
}

/* May current be kept waiting? */
static bool may_wait(void)
{
	return !(current->flags & (PF_KTHREAD | PF_USER_WORKER | PF_EXITING)) &&
	       !is_global_init(current) && !trustgate_agent_is(current) &&
	       trustgate_restart_possible();
}

u32 trustgate_ask(const struct trustgate_question *question, u32 cause)
{
	struct trustgate_request *request;

	if (!READ_ONCE(question->volume->settings.ask_ns) ||
	    !trustgate_agent_portid() || !curable(cause) ||
	    !may_wait() ||
	    !trustgate_restart_repeats(question->opening->file))
		return cause;

	request = trustgate_request_join(question, &cause,
					 &question->opening->first);
	if (!request)
		return cause;
	atomic_inc(&nr_waiters);
	question->opening->request = request;
	return TRUSTGATE_CAUSE_ASKED;
}

void trustgate_ask_exit(void)
{
	wait_event(all_gone, !atomic_read(&nr_waiters));
	/* The last of them may not have left our code yet. */
	synchronize_rcu_tasks();
}
