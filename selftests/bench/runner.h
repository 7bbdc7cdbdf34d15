/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmark - the process whose operations are measured.
 *
 * Owns: a process that does nothing but measure what it is told, so that its
 * address space and descriptors are the same for every reading, whatever is
 * set up around it. It is also the subject of the grants.
 *
 * Must not own: what is measured, in which setup. Each function ends the
 * program if it fails.
 */
#ifndef _RUNNER_H
#define _RUNNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "ruler.h"

/**
 * struct runner - a process that measures
 * @pid: of the process
 * @orders: write end of its orders
 * @readings: read end of its readings
 */
struct runner {
	pid_t pid;
	int orders;
	int readings;
};

/**
 * runner_start() - start one
 * @runner: filled
 * @enter: what it calls first, or NULL
 */
void runner_start(struct runner *runner, void (*enter)(void));

/**
 * runner_stop() - end it
 * @runner: as started
 */
void runner_stop(struct runner *runner);

/**
 * runner_measure() - have it measure
 * @runner: who
 * @directory: where
 * @operation: what, one of operation.h
 * @scope: what counts
 * @by_child: have it fork, and the child measure
 *
 * Return: the reading.
 */
struct ruler_reading runner_measure(struct runner *runner,
				    const char *directory,
				    const struct operation *operation,
				    enum ruler_scope scope, bool by_child);

#endif /* _RUNNER_H */
