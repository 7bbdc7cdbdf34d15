// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what the agent counts, see metrics.h.
 *
 * Owns: the numbers, and since when each open request waits.
 *
 * Must not own: the requests (asked.c). What is not known to have been raised is
 * not measured.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent.h"
#include "metrics.h"

/*
 * As many requests as the kernel has open unless told otherwise. They are
 * numbered in their order: a number has its place until another, so many
 * requests later, takes it, which is then the one that is measured.
 */
#define PLACES	16384

#define BOUND(bound) UINT64_C(bound),
const uint64_t metrics_bounds_ns[METRICS_BOUNDS] = { METRICS_BOUNDS_NS(BOUND) };

/**
 * struct metrics - the numbers and what they are made of
 * @numbers: see metrics.h
 * @raised: since when requests wait, by their number modulo PLACES
 */
struct metrics {
	struct metrics_numbers numbers;
	struct raised {
		uint64_t id;
		uint64_t boottime_ns;
	} raised[PLACES];
};

int metrics_start(struct agent *agent)
{
	agent->metrics = calloc(1, sizeof(*agent->metrics));
	if (!agent->metrics)
		return -ENOMEM;
	agent->metrics->numbers.started_boottime_ns = now_boottime_ns();
	return 0;
}

void metrics_stop(struct agent *agent)
{
	free(agent->metrics);
	agent->metrics = NULL;
}

void metrics_raised(struct agent *agent, uint64_t id, uint64_t raised_boottime_ns)
{
	agent->metrics->raised[id % PLACES] = (struct raised){ id, raised_boottime_ns };
}

static void closed(struct metrics *metrics, const struct trustgate_event *event)
{
	struct raised *raised = &metrics->raised[event->request_id % PLACES];
	struct metrics_latency *waited;
	uint64_t waited_ns;

	if (raised->id != event->request_id || event->request_end >= METRICS_ENDS)
		return;
	waited = &metrics->numbers.waited[event->request_end];
	waited_ns = event->time_boottime_ns > raised->boottime_ns ?
		    event->time_boottime_ns - raised->boottime_ns : 0;
	raised->id = 0;
	waited->count++;
	waited->sum_ns += waited_ns;
	for (size_t i = METRICS_BOUNDS; i > 0 && waited_ns <= metrics_bounds_ns[i - 1]; i--)
		waited->up_to[i - 1]++;
}

void metrics_event(struct agent *agent, const struct trustgate_event *event)
{
	struct metrics *metrics = agent->metrics;

	if (event->type < METRICS_EVENT_TYPES)
		metrics->numbers.events[event->type]++;
	if (event->type == TRUSTGATE_EVENT_TYPE_REQUEST_RAISED)
		metrics_raised(agent, event->request_id, event->time_boottime_ns);
	else if (event->type == TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED)
		closed(metrics, event);
}

void metrics_refusal(struct agent *agent)
{
	agent->metrics->numbers.refusals++;
}

const struct metrics_numbers *metrics_numbers(const struct agent *agent)
{
	return &agent->metrics->numbers;
}
