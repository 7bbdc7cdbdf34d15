/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault - make the kernel's allocations fail, one after the other.
 *
 * Owns: the knobs of fault injection in procfs and debugfs.
 *
 * Must not own: what should come of it.
 *
 * Everything that can fail in an operation, so that it fails once:
 *
 *	struct fault fault = {};
 *
 *	while (fault_next(&fault)) {
 *		result = fault_do(&fault, operation, context);
 *		...
 *	}
 *	EXPECT_TRUE(fault_was_all(&fault, "the operation"));
 *
 * The kernel counts the allocations of a thread, slab objects and pages, and
 * lets one of them fail. The last round is the one in which there was none
 * left to fail.
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

/**
 * struct fault - a walk through all allocations of an operation
 * @of_workers: what counts are not the allocations of the calling thread but
 *	those that the kernel's worker threads make for modules
 * @coarse: 0 to leave out none; else the steps get longer, by one part in so
 *	many. For operations of very many allocations
 * @nth: which one fails in this round, from 1
 * @injected: whether there was such an allocation
 * @idle: how many rounds in a row nobody allocated in, which is tried again: a
 *	new worker came in between
 */
struct fault {
	bool of_workers;
	unsigned int coarse;
	unsigned int nth;
	bool injected;
	unsigned int idle;
};

/**
 * fault_possible() - can this kernel inject faults?
 *
 * Also sets it up: everything that allocates may fail, what may wait included.
 * And this process gets memory beforehand, to have none fail of its own.
 *
 * Return: whether it can.
 */
bool fault_possible(void);

/**
 * fault_only_modules() - let only those allocations fail that a module asks for
 * @only: or all
 *
 * A module's are those made below one of its functions.
 *
 * Return: 0 or -errno.
 */
int fault_only_modules(bool only);

/**
 * fault_next() - go on to the next allocation
 * @fault: zeroed but for @of_workers and @coarse before the first round
 *
 * Return: whether there is another round.
 */
bool fault_next(struct fault *fault);

/**
 * fault_do() - do something while one allocation fails
 * @fault: in a round
 * @part: what to do
 * @context: for @part
 *
 * Return: of @part.
 */
int fault_do(struct fault *fault, int (*part)(void *context), void *context);

/**
 * fault_was_all() - did the walk begin, and come to its end?
 * @fault: after the last round
 * @what: of what, for telling how many allocations there were
 *
 * Return: whether it did.
 */
bool fault_was_all(const struct fault *fault, const char *what);

/**
 * fault_is_lack() - is this what is said where memory is lacking?
 * @err: -errno
 *
 * Return: whether it is.
 */
bool fault_is_lack(int err);

/**
 * fault_always() - let all allocations fail that a module asks for, on any
 * thread, until fault_off()
 *
 * Return: 0 or -errno.
 */
int fault_always(void);

/**
 * fault_off() - let no more fail
 */
void fault_off(void);

#endif /* FAULT_H */
