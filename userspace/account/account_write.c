// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the account's only writer appends.
 *
 * Owns: rows, transactions, when a checkpoint is due.
 *
 * Must not own: making and opening the file (account_open.c), the encoding
 * (account_chain.c).
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "account.h"
#include "account_schema.h"
#include "account_writer.h"


uint64_t account_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int account_sql_failed(struct account *account, const char *what)
{
	int r = account_sql_errno(account->db);
	const char *cure = r == -ENOSPC ? "; make room, nothing was recorded" :
			   r == -EBUSY ? "; a reader keeps it locked, try again" : "";

	return account_fail(account->error, r, "cannot %s the account: %s%s%s%s", what,
			    sqlite3_errmsg(account->db), r == -EBADMSG || r == -ENOSPC ? "" : ": ",
			    r == -EBADMSG || r == -ENOSPC ? "" : strerror(-r), cure);
}

int account_run(struct account *account, const char *sql, const char *what)
{
	if (sqlite3_exec(account->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return account_sql_failed(account, what);
	return 0;
}

/* ---- rows ---- */

int account_insert_entry(struct account *account, const struct account_entry *entry)
{
	sqlite3_stmt *s = account->insert_entry;
	int r = 0;

	sqlite3_bind_int64(s, 1, entry->seq);
	sqlite3_bind_blob(s, 2, entry->boot_id, ACCOUNT_ID_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, entry->realtime_ns);
	sqlite3_bind_int64(s, 4, entry->boottime_ns);
	sqlite3_bind_text(s, 5, entry->kind, -1, SQLITE_STATIC);
	if (entry->kernel) {
		sqlite3_bind_int64(s, 6, entry->kernel_seq);
		sqlite3_bind_int64(s, 7, entry->kernel_missed);
	}
	sqlite3_bind_text(s, 8, entry->body, entry->body_size, SQLITE_STATIC);
	sqlite3_bind_blob(s, 9, entry->previous, ACCOUNT_HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_blob(s, 10, entry->hash, ACCOUNT_HASH_SIZE, SQLITE_STATIC);
	if (sqlite3_step(s) != SQLITE_DONE)
		r = account_sql_failed(account, "write");
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

int account_insert_head(struct account *account, uint64_t seq, const uint8_t *hash)
{
	struct account_head head = { .seq = seq, .realtime_ns = account_clock_ns(CLOCK_REALTIME) };
	sqlite3_stmt *s = account->insert_head;
	int r;

	memcpy(head.store, account->store, ACCOUNT_ID_SIZE);
	memcpy(head.hash, hash, ACCOUNT_HASH_SIZE);
	r = account_key_sign(account->key, &head);
	if (r < 0)
		return account_fail(account->error, r, "libcrypto does not sign");
	sqlite3_bind_int64(s, 1, head.seq);
	sqlite3_bind_blob(s, 2, head.hash, ACCOUNT_HASH_SIZE, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, head.realtime_ns);
	sqlite3_bind_blob(s, 4, head.signature, ACCOUNT_SIGNATURE_SIZE, SQLITE_STATIC);
	if (sqlite3_step(s) != SQLITE_DONE)
		r = account_sql_failed(account, "write");
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

int account_prepare(struct account *account)
{
	if (sqlite3_prepare_v2(account->db,
			       "INSERT INTO entry (" ACCOUNT_ENTRY_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)",
			       -1, &account->insert_entry, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(account->db,
			       "INSERT INTO checkpoint (seq, hash, realtime, signature) VALUES (?,?,?,?)",
			       -1, &account->insert_head, NULL) != SQLITE_OK)
		return account_sql_failed(account, "use");
	return 0;
}

/* ---- transactions ---- */

/* Nothing half written stays; what we believe of the file is read again. */
int account_give_up(struct account *account, int r)
{
	char kept[ACCOUNT_ERROR_SIZE];

	memcpy(kept, account->error, sizeof(kept));
	if (!sqlite3_get_autocommit(account->db))
		sqlite3_exec(account->db, "ROLLBACK", NULL, NULL, NULL);
	memcpy(account->error, kept, sizeof(kept));
	account->stale = true;
	return r;
}

int account_read_number(struct account *account, const char *sql, int64_t *ret)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(account->db, sql, -1, &s, NULL) != SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW)
		r = account_sql_failed(account, "read");
	else
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return r;
}

/* The hash as it was written: the reader of the whole chain checks it. */
int account_read_hash(struct account *account, uint64_t seq)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(account->db, "SELECT hash FROM entry WHERE seq = ?", -1, &s,
			       NULL) != SQLITE_OK) {
		r = account_sql_failed(account, "read");
	} else {
		sqlite3_bind_int64(s, 1, seq);
		if (sqlite3_step(s) != SQLITE_ROW ||
		    sqlite3_column_bytes(s, 0) != ACCOUNT_HASH_SIZE)
			r = account_fail(account->error, -EBADMSG,
					 "the account is damaged at entry %" PRIu64
					 ": see \"trustgate journal verify\"", seq);
		else
			memcpy(account->hash, sqlite3_column_blob(s, 0), ACCOUNT_HASH_SIZE);
	}
	sqlite3_finalize(s);
	return r;
}

int account_read_state(struct account *account)
{
	int64_t seq = 0, head = 0;
	int r;

	r = account_read_number(account, "SELECT max(seq) FROM entry", &seq);
	if (r == 0)
		r = account_read_number(account, "SELECT max(seq) FROM checkpoint", &head);
	if (r < 0)
		return r;
	if (seq < 1 || head < 1 || head > seq)
		return account_fail(account->error, -EBADMSG,
				    "the account ends at entry %" PRId64 " although entry %" PRId64
				    " was signed: see \"trustgate journal verify\"", seq, head);
	r = account_read_hash(account, seq);
	if (r < 0)
		return r;
	account->seq = seq;
	account->signed_seq = head;
	account->stale = false;
	return 0;
}

static int begin(struct account *account)
{
	int r = account->stale ? account_read_state(account) : 0;

	return r < 0 ? r : account_run(account, "BEGIN IMMEDIATE", "write");
}

int account_complete(struct account *account, struct account_entry *entry, uint64_t seq,
		    const uint8_t *previous)
{
	int r;

	if (!entry->kind || account_kind_check(entry->kind) < 0)
		return account_fail(account->error, -EINVAL,
				    "an entry's kind is letters a-z, digits and dashes");
	r = account_body_check(entry->body, entry->body_size);
	if (r < 0)
		return account_fail(account->error, r, "an entry's body is %s",
				    r == -E2BIG ? "too long" : "no canonical JSON object");
	if (!entry->realtime_ns)
		entry->realtime_ns = account_clock_ns(CLOCK_REALTIME);
	if (!entry->boottime_ns)
		entry->boottime_ns = account_clock_ns(CLOCK_BOOTTIME);
	if (entry->realtime_ns > ACCOUNT_TIME_MAX || entry->boottime_ns > ACCOUNT_TIME_MAX ||
	    entry->kernel_seq > ACCOUNT_COUNT_MAX || entry->kernel_missed > ACCOUNT_COUNT_MAX)
		return account_fail(account->error, -EINVAL, "an entry's number is out of range");
	entry->seq = seq;
	memcpy(entry->boot_id, account->boot_id, ACCOUNT_ID_SIZE);
	memcpy(entry->previous, previous, ACCOUNT_HASH_SIZE);
	if (account_entry_hash(account->store, entry, entry->hash) < 0)
		return account_fail(account->error, -EIO, "libcrypto does not hash");
	return 0;
}

int account_append(struct account *account, struct account_entry *entries, size_t count)
{
	uint64_t now_ns = account_clock_ns(CLOCK_BOOTTIME);
	const uint8_t *previous;
	bool sign;
	int r;

	if (!count)
		return 0;
	r = begin(account);
	if (r < 0)
		return account_give_up(account, r);
	previous = account->hash;
	for (size_t i = 0; i < count; i++) {
		r = account_complete(account, &entries[i], account->seq + 1 + i, previous);
		if (r == 0)
			r = account_insert_entry(account, &entries[i]);
		if (r < 0)
			return account_give_up(account, r);
		previous = entries[i].hash;
	}
	sign = account->seq + count - account->signed_seq >= account->options.checkpoint_entries ||
	       now_ns - account->signed_boottime_ns >= account->options.checkpoint_ns;
	if (sign)
		r = account_insert_head(account, account->seq + count, previous);
	if (r == 0)
		r = account_run(account, "COMMIT", "write");
	if (r < 0)
		return account_give_up(account, r);
	account->seq += count;
	memcpy(account->hash, previous, ACCOUNT_HASH_SIZE);
	if (sign) {
		account->signed_seq = account->seq;
		account->signed_boottime_ns = now_ns;
	}
	return 0;
}

int account_checkpoint(struct account *account)
{
	int r;

	if (!account->stale && account->signed_seq == account->seq)
		return 0;
	r = begin(account);
	if (r < 0)
		return account_give_up(account, r);
	/* What was stale may turn out to be signed. */
	if (account->signed_seq != account->seq)
		r = account_insert_head(account, account->seq, account->hash);
	if (r == 0)
		r = account_run(account, "COMMIT", "sign");
	if (r < 0)
		return account_give_up(account, r);
	account->signed_seq = account->seq;
	account->signed_boottime_ns = account_clock_ns(CLOCK_BOOTTIME);
	return 0;
}

/* From the end on: what is behind the last event of the kernel is little. */
int account_last_kernel(struct account *account, uint64_t *ret_seq)
{
	sqlite3_stmt *s = NULL;
	int found = 0, result;

	result = sqlite3_prepare_v2(account->db,
				    "SELECT boot, kind, kernel_seq FROM entry ORDER BY seq DESC",
				    -1, &s, NULL);
	while (result == SQLITE_OK && !found) {
		const char *kind;

		result = sqlite3_step(s);
		if (result != SQLITE_ROW)
			break;
		result = SQLITE_OK;
		kind = (const char *)sqlite3_column_text(s, 1);
		if (sqlite3_column_bytes(s, 0) != ACCOUNT_ID_SIZE ||
		    memcmp(sqlite3_column_blob(s, 0), account->boot_id, ACCOUNT_ID_SIZE) ||
		    (kind && !strcmp(kind, ACCOUNT_KIND_LOADED)))
			break;
		found = sqlite3_column_type(s, 2) == SQLITE_INTEGER;
		if (found)
			*ret_seq = (uint64_t)sqlite3_column_int64(s, 2);
	}
	if (result != SQLITE_OK && result != SQLITE_DONE)
		found = account_sql_failed(account, "read");
	sqlite3_finalize(s);
	return found;
}

uint64_t account_last(const struct account *account)
{
	return account->seq;
}

const char *account_error(const struct account *account)
{
	return account->error;
}
