/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - SQLite under the docket, for docket*.c alone.
 *
 * Owns: statements with their values, and the translation of a failure into the
 * docket's problem and a refusal.
 */
#ifndef _TRUSTEED_DOCKET_SQL_H
#define _TRUSTEED_DOCKET_SQL_H

#include <sqlite3.h>

#include "docket.h"

/* The longest value list of a statement. */
#define DOCKET_VALUES_MAX	64

/**
 * struct docket_value - a value of a statement
 * @text: or NULL
 * @number: if @is_number
 */
struct docket_value {
	bool is_number;
	uint64_t number;
	const char *text;
};

#define DOCKET_N(value) { .is_number = true, .number = (value) }
#define DOCKET_T(value) { .text = (value) }

/* Have the database open. Returns 0 or -errno with @refusal filled. */
int docket_ready(struct agent *agent, struct refusal *refusal);

/* SQLite has failed: note why. Returns -errno with @refusal filled. */
int docket_failed(struct agent *agent, struct refusal *refusal);

/* A statement ready to be stepped; to be finalized. Returns 0 or -errno. */
int docket_prepare(struct agent *agent, const char *sql, const struct docket_value *values,
		   size_t count, sqlite3_stmt **ret, struct refusal *refusal);

/* A statement without rows, whose text stays where it is. Returns 0 or -errno. */
int docket_run(struct agent *agent, const char *sql, const struct docket_value *values,
	       size_t count, struct refusal *refusal);

/* A transaction; @durable: on disk when it ends. */
int docket_begin(struct agent *agent, bool durable, struct refusal *refusal);
/* Ends it, as a whole if @r is 0, else not at all. Returns @r or -errno. */
int docket_end(struct agent *agent, int r, struct refusal *refusal);

sqlite3 *docket_db(struct agent *agent);

#endif
