// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - a kernel thread of the carrier's own to work in; see worker.h.
 */

#include <linux/errno.h>
#include <linux/workqueue.h>

#include "worker.h"

struct errand {
	struct work_struct work;
	int (*function)(void *argument);
	void *argument;
	int result;
};

static struct workqueue_struct *worker;

static void run_errand(struct work_struct *work)
{
	struct errand *errand = container_of(work, struct errand, work);

	errand->result = errand->function(errand->argument);
}

int trustgate_worker_run(int (*function)(void *argument), void *argument)
{
	struct errand errand = {
		.function = function,
		.argument = argument,
	};

	INIT_WORK_ONSTACK(&errand.work, run_errand);
	queue_work(worker, &errand.work);
	flush_work(&errand.work);
	destroy_work_on_stack(&errand.work);
	return errand.result;
}

int trustgate_worker_start(void)
{
	worker = alloc_ordered_workqueue("trustgate", 0);
	return worker ? 0 : -ENOMEM;
}

void trustgate_worker_stop(void)
{
	destroy_workqueue(worker);
}
