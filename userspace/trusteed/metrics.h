/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - what the agent counts.
 *
 * Owns: numbers since the agent's start that the kernel does not keep: events by
 * their type, how long opens have waited for their answer, what was refused to
 * callers.
 *
 * Must not own: anything that a decision depends on; what the kernel counts
 * itself; the form in which it is told (varlink_metrics.c).
 */
#ifndef _TRUSTEED_METRICS_H
#define _TRUSTEED_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include <trustgate.h>

struct agent;

/* Event types and ends of requests that this version knows, with room for more. */
#define METRICS_EVENT_TYPES	32
#define METRICS_ENDS		16

/*
 * Upper bounds of what an open waits: a policy answers in less than a
 * millisecond, a trustee within minutes, and the kernel waits an hour at most.
 */
#define METRICS_BOUNDS_NS(B) \
	B(500000) B(1000000) B(2500000) B(5000000) B(10000000) B(50000000) B(250000000) \
	B(1000000000) B(5000000000) B(15000000000) B(30000000000) B(60000000000) \
	B(120000000000) B(300000000000) B(600000000000) B(1800000000000) B(3600000000000)
#define METRICS_ONE_BOUND(bound) + 1
#define METRICS_BOUNDS	(0 METRICS_BOUNDS_NS(METRICS_ONE_BOUND))

extern const uint64_t metrics_bounds_ns[METRICS_BOUNDS];

/**
 * struct metrics_latency - how long opens waited that ended in one way
 * @count: how many
 * @sum_ns: all their waiting together
 * @up_to: how many waited no longer than the bound of the same index
 */
struct metrics_latency {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t up_to[METRICS_BOUNDS];
};

/**
 * struct metrics_numbers - the numbers
 * @started_boottime_ns: since when it is counted
 * @events: by enum trustgate_event_type
 * @waited: by enum trustgate_request_end
 * @refusals: calls that were not permitted, or not done
 */
struct metrics_numbers {
	uint64_t started_boottime_ns;
	uint64_t events[METRICS_EVENT_TYPES];
	struct metrics_latency waited[METRICS_ENDS];
	uint64_t refusals;
};

/* Returns 0 or -ENOMEM. */
int metrics_start(struct agent *agent);
void metrics_stop(struct agent *agent);

/* An event of the kernel. */
void metrics_event(struct agent *agent, const struct trustgate_event *event);

/**
 * metrics_raised() - an open waits, as the agent has found out
 * @id: request
 * @raised_boottime_ns: since when
 *
 * For requests whose event the agent has not seen; once more does no harm.
 */
void metrics_raised(struct agent *agent, uint64_t id, uint64_t raised_boottime_ns);

/* A call was refused. */
void metrics_refusal(struct agent *agent);

/* Valid until metrics_stop(). */
const struct metrics_numbers *metrics_numbers(const struct agent *agent);

#endif
