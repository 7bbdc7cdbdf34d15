/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmark - the operations that are measured.
 *
 * Owns: what each of them does, by bare system calls, on the file "f" of the
 * current directory and on names beside it.
 *
 * Must not own: how they are measured.
 */
#ifndef _OPERATION_H
#define _OPERATION_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* How many files there are for operation_open_next. */
#define OPERATION_FILES	4096

/**
 * struct operation - something to measure
 * @name: as in the results
 * @prepare: once before all samples, or NULL
 * @run: the operation; returns what the system call returned
 * @after: undo it, outside of what is measured, or NULL
 * @finish: once after all samples, or NULL
 * @denied: it must end with -EACCES; otherwise it must succeed
 */
struct operation {
	const char *name;
	void (*prepare)(void);
	long (*run)(void);
	void (*after)(long result);
	void (*finish)(void);
	bool denied;
};

extern const struct operation operation_open_close;
extern const struct operation operation_open;
extern const struct operation operation_open_denied;
/* In a directory with files "0" and up: each time another. */
extern const struct operation operation_open_next;
extern const struct operation operation_pread;
extern const struct operation operation_pwrite;
extern const struct operation operation_mmap;

/* All that is measured where no volume is, ended by a NULL. */
extern const struct operation *const operations_everywhere[];

#endif /* _OPERATION_H */
