/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The account as its only writer has it: what account_open.c and account_write.c
 * share, and nobody else.
 *
 * Functions return 0 or a negative errno, with the reason in @account->error.
 */
#ifndef _ACCOUNT_WRITER_H
#define _ACCOUNT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "account.h"

struct account {
	sqlite3 *db;
	sqlite3_stmt *insert_entry;
	sqlite3_stmt *insert_head;
	struct account_key *key;
	int lock_fd;
	struct account_options options;
	uint8_t store[ACCOUNT_ID_SIZE];
	uint8_t boot_id[ACCOUNT_ID_SIZE];
	uint64_t seq;				/* of the last entry on disk */
	uint8_t hash[ACCOUNT_HASH_SIZE];
	uint64_t signed_seq;
	uint64_t signed_boottime_ns;
	bool stale;				/* read these four anew */
	char error[ACCOUNT_ERROR_SIZE];
};

uint64_t account_clock_ns(clockid_t clock);

/* Fills in the error with what SQLite says, and its errno. @what: a verb. */
int account_sql_failed(struct account *account, const char *what);

/* Statements without a result. */
int account_run(struct account *account, const char *sql, const char *what);
int account_prepare(struct account *account);
int account_insert_entry(struct account *account, const struct account_entry *entry);
int account_insert_head(struct account *account, uint64_t seq, const uint8_t *hash);

/* Ends a transaction after failure @r, which is returned. */
int account_give_up(struct account *account, int r);
int account_read_number(struct account *account, const char *sql, int64_t *ret);

/* The hash of an entry as it was written, into @account->hash. */
int account_read_hash(struct account *account, uint64_t seq);

/* Where the account ends. */
int account_read_state(struct account *account);

/* Checks @entry and fills in what the writer decides: times, boot, hash. */
int account_complete(struct account *account, struct account_entry *entry, uint64_t seq,
		    const uint8_t *previous);

#endif
