/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmark - the ruler: how many instructions one operation takes.
 *
 * Owns: the clock, the sampling and what is made of the samples. It works in a
 * guest whose clock counts instructions (QEMU's -icount) and that has one CPU.
 *
 * Must not own: what is measured (operation.h), in which setup (main.c).
 */
#ifndef _RULER_H
#define _RULER_H

#include <stdint.h>

struct operation;

/**
 * enum ruler_scope - what counts
 * @RULER_OWN: what the process executes itself
 * @RULER_ALL: also what others execute before the process goes on: workers
 *	that hand out an event, the audit daemon's thread
 */
enum ruler_scope {
	RULER_OWN,
	RULER_ALL,
};

/**
 * struct ruler_reading - instructions per operation
 * @min: fewest of all samples; this is the figure
 * @median: of all samples
 * @at_min: how many samples of 100 took exactly @min
 */
struct ruler_reading {
	uint64_t min;
	uint64_t median;
	unsigned int at_min;
};

/**
 * ruler_check() - see that the clock counts instructions
 *
 * Ends the program if it does not.
 */
void ruler_check(void);

/**
 * ruler_measure() - measure an operation in the current directory
 * @operation: what; each sample must end as it says, or the program ends
 * @scope: what counts
 *
 * Return: the reading.
 */
struct ruler_reading ruler_measure(const struct operation *operation,
				   enum ruler_scope scope);

/**
 * ruler_rest() - let the guest be idle
 * @ms: for how long; takes no time on the host
 */
void ruler_rest(unsigned int ms);

#endif /* _RULER_H */
