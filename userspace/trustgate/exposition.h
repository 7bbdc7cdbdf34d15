/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - numbers in the text format of Prometheus.
 *
 * Owns: the form of a family and of a sample, and the escaping.
 *
 * Must not own: which numbers there are (metrics.c).
 *
 * A family is begun once, and its samples follow at once.
 */
#ifndef _TRUSTGATE_EXPOSITION_H
#define _TRUSTGATE_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

#define EXPOSITION_PREFIX	"trustgate_"

enum family_type {
	FAMILY_COUNTER,
	FAMILY_GAUGE,
	FAMILY_HISTOGRAM,
};

/**
 * struct exposition - where to and what
 * @stream: receives the text
 * @name: of the family that was begun, without the prefix
 */
struct exposition {
	FILE *stream;
	const char *name;
};

/**
 * struct label - a label of a sample
 * @name: letters and underscores; NULL ends the labels
 * @value: any text
 */
struct label {
	const char *name;
	const char *value;
};

#define LABELS(...)	((const struct label[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } })

/**
 * exposition_family() - begin a family
 * @name: without the prefix; must outlive the family; of a counter with _total
 * @help: one sentence
 */
void exposition_family(struct exposition *exposition, const char *name,
		       enum family_type type, const char *help);

/* A sample of the family; the second is in seconds, from nanoseconds. */
void exposition_number(struct exposition *exposition, const struct label *labels,
		       uint64_t number);
void exposition_seconds(struct exposition *exposition, const struct label *labels,
			uint64_t duration_ns);

/**
 * struct histogram - a histogram of durations
 * @bounds_ns: upper bounds, rising
 * @up_to: how many were not above the bound
 * @bounds: how many bounds
 * @count: of all
 * @sum_ns: of all
 */
struct histogram {
	const uint64_t *bounds_ns;
	const uint64_t *up_to;
	size_t bounds;
	uint64_t count;
	uint64_t sum_ns;
};

void exposition_histogram(struct exposition *exposition, const struct label *label,
			  const struct histogram *histogram);

#endif /* _TRUSTGATE_EXPOSITION_H */
