// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - the ruler; see ruler.h.
 */
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "operation.h"
#include "ruler.h"

#define NOPS 64

/* Samples in a row, so few that the queue of events does not overflow. */
#define ROW 32
#define ROWS 12

/* Samples each of which begins and ends with the workers idle. */
#define SINGLES 48

#define REST_MS 20

static __attribute__((always_inline)) inline uint64_t now(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

void ruler_rest(unsigned int ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	while (nanosleep(&left, &left))
		;
}

void ruler_check(void)
{
	uint64_t begin, none, nops;
	int try;

	/* A timer may come between once. */
	for (try = 0; try < 5; try++) {
		begin = now();
		none = now() - begin;
		begin = now();
		asm volatile(".rept %c0\n\tnop\n\t.endr" : : "i"(NOPS));
		nops = now() - begin;
		if (nops - none == NOPS)
			return;
	}
	errx(1, "%u instructions took %lld ticks: the clock does not count instructions; run this by `make bench`",
	     NOPS, (long long)(nops - none));
}

static void set_policy(int policy)
{
	struct sched_param param = { .sched_priority = policy == SCHED_FIFO };

	if (sched_setscheduler(0, policy, &param))
		err(1, "sched_setscheduler");
}

static uint64_t sample(const struct operation *operation)
{
	uint64_t begin, took;
	long result;

	begin = now();
	result = operation->run();
	took = now() - begin;
	if (operation->denied ? result != -EACCES : result < 0)
		errx(1, "%s: ended with %ld (%s)", operation->name, result,
		     result < 0 ? strerror((int)-result) : "allowed");
	if (operation->after)
		operation->after(result);
	return took;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

static struct ruler_reading read_samples(const struct operation *operation,
					 enum ruler_scope scope)
{
	static uint64_t samples[ROW * ROWS > SINGLES ? ROW * ROWS : SINGLES];
	struct ruler_reading reading;
	unsigned int i, same, count;

	/*
	 * First in line, so that no worker comes between; or last in line, so
	 * that whoever is woken runs before the operation is over.
	 */
	count = scope == RULER_OWN ? ROW * ROWS : SINGLES;
	set_policy(scope == RULER_OWN ? SCHED_FIFO : SCHED_IDLE);
	for (i = 0; i < count; i++) {
		if (scope == RULER_ALL || i % ROW == 0)
			ruler_rest(REST_MS);
		samples[i] = sample(operation);
	}
	set_policy(SCHED_OTHER);

	qsort(samples, count, sizeof(samples[0]), compare);
	for (same = 0; same < count && samples[same] == samples[0]; same++)
		;
	reading.min = samples[0];
	reading.median = samples[count / 2];
	reading.at_min = 100 * same / count;
	return reading;
}

static long run_nothing(void)
{
	return 0;
}

struct ruler_reading ruler_measure(const struct operation *operation,
				   enum ruler_scope scope)
{
	static const struct operation nothing = {
		.name = "nothing",
		.run = run_nothing,
	};
	struct ruler_reading reading;
	uint64_t empty;

	empty = read_samples(&nothing, RULER_OWN).min;
	if (operation->prepare)
		operation->prepare();
	reading = read_samples(operation, scope);
	if (operation->finish)
		operation->finish();
	reading.min -= empty;
	reading.median -= empty;
	return reading;
}
