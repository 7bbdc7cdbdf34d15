// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account as a reader sees it.
 *
 * Owns: opening the file without ever writing, rows into entries and heads.
 *
 * Must not own: whether they are true (account_verify.c).
 *
 * The file may be an attacker's: its schema is not trusted, the length of a row
 * is limited, and a value of a wrong type or size is an error that names the row.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "account.h"
#include "account_schema.h"

#define BATCH 256
/* How long a writer in the middle of a commit is waited for. */
#define WAIT_MS 10000

struct account_reader {
	sqlite3 *db;
	sqlite3_stmt *entries;
	sqlite3_stmt *heads;
	uint8_t store[ACCOUNT_ID_SIZE];
	uint8_t public[ACCOUNT_KEY_SIZE];
	bool begun;
	int64_t last;		/* rows up to here were read */
	int64_t last_head;
	struct account_entry entry[BATCH];
	struct account_head head[BATCH];
};

static const char *what_failed(sqlite3 *db)
{
	switch (sqlite3_extended_errcode(db)) {
	case SQLITE_READONLY_ROLLBACK:
	case SQLITE_CANTOPEN_DIRTYWAL:
		return "a crash has left a transaction half done, and whoever writes the account must roll it back first";
	default:
		return sqlite3_errmsg(db);
	}
}

static int sql_errno(sqlite3 *db)
{
	if (sqlite3_extended_errcode(db) == SQLITE_READONLY_ROLLBACK)
		return -EUCLEAN;
	return account_sql_errno(db);
}

static int failed(struct account_reader *reader, char *error)
{
	int r = sql_errno(reader->db);

	return account_fail(error, r, "cannot read the account behind entry %" PRId64 ": %s",
			    reader->last, what_failed(reader->db));
}

/* ---- opening ---- */

static int read_number(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *statement = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		r = sql_errno(db);
	else
		*ret = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return r;
}

static bool take_blob(sqlite3_stmt *statement, int column, void *to, int size)
{
	const void *bytes;

	if (sqlite3_column_type(statement, column) != SQLITE_BLOB ||
	    sqlite3_column_bytes(statement, column) != size)
		return false;
	bytes = sqlite3_column_blob(statement, column);
	if (!bytes)
		return false;
	memcpy(to, bytes, size);
	return true;
}

static int read_identity(struct account_reader *reader)
{
	sqlite3_stmt *statement = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(reader->db, "SELECT store, key FROM account WHERE one = 1", -1,
			       &statement, NULL) != SQLITE_OK)
		r = sql_errno(reader->db);
	else if (sqlite3_step(statement) != SQLITE_ROW ||
		 !take_blob(statement, 0, reader->store, ACCOUNT_ID_SIZE) ||
		 !take_blob(statement, 1, reader->public, ACCOUNT_KEY_SIZE))
		r = -EBADMSG;
	sqlite3_finalize(statement);
	return r;
}

static int prepare(struct account_reader *reader)
{
	if (sqlite3_prepare_v2(reader->db,
			       "SELECT " ACCOUNT_ENTRY_COLUMNS " FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?",
			       -1, &reader->entries, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(reader->db,
			       "SELECT seq, hash, realtime, signature FROM checkpoint WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
			       -1, &reader->heads, NULL) != SQLITE_OK)
		return sql_errno(reader->db);
	return 0;
}

static int open_checked(struct account_reader *reader, const char *path, char *error)
{
	int64_t application = 0, format = 0;
	int r;

	sqlite3_extended_result_codes(reader->db, 1);
	sqlite3_busy_timeout(reader->db, WAIT_MS);
	sqlite3_limit(reader->db, SQLITE_LIMIT_LENGTH, 2 * ACCOUNT_BODY_MAX);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(reader->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_exec(reader->db, "PRAGMA cell_size_check = ON; PRAGMA query_only = ON;",
		     NULL, NULL, NULL);

	r = read_number(reader->db, "PRAGMA application_id", &application);
	if (r == 0)
		r = read_number(reader->db, "PRAGMA user_version", &format);
	if (r < 0)
		return account_fail(error, r, "cannot read %s: %s", path, what_failed(reader->db));
	if (application != ACCOUNT_APPLICATION)
		return account_fail(error, -EBADMSG, "%s is no account of Trustgate", path);
	if (format != ACCOUNT_FORMAT)
		return account_fail(error, -EPROTONOSUPPORT,
				    "%s has format %" PRId64 ", and only format %d is known here: use the Trustgate that wrote it, or a later one",
				    path, format, ACCOUNT_FORMAT);
	r = read_identity(reader);
	if (r == 0)
		r = prepare(reader);
	if (r < 0)
		return account_fail(error, r, "%s is damaged: its tables are not those of an account",
				    path);
	return 0;
}

int account_reader_open(const char *path, struct account_reader **ret,
			char error[ACCOUNT_ERROR_SIZE])
{
	struct account_reader *reader;
	struct stat info;
	int r;

	/* What is no file would be waited for, and SQLite tells no reasons. */
	if (stat(path, &info) < 0)
		return account_fail(error, -errno, "cannot open %s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return account_fail(error, -EBADMSG, "%s is no file", path);
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return account_fail(error, -ENOMEM, "out of memory");
	reader->last = INT64_MIN;
	reader->last_head = INT64_MIN;
	if (sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		r = account_fail(error, reader->db ? sql_errno(reader->db) : -ENOMEM,
				 "cannot open %s: %s", path,
				 reader->db ? sqlite3_errmsg(reader->db) : "out of memory");
	else
		r = open_checked(reader, path, error);
	if (r < 0) {
		account_reader_close(reader);
		return r;
	}
	*ret = reader;
	return 0;
}

static void free_entries(struct account_reader *reader)
{
	for (size_t i = 0; i < BATCH; i++) {
		free((char *)reader->entry[i].kind);
		free((char *)reader->entry[i].body);
		reader->entry[i] = (struct account_entry){ 0 };
	}
}

void account_reader_close(struct account_reader *reader)
{
	if (!reader)
		return;
	sqlite3_finalize(reader->entries);
	sqlite3_finalize(reader->heads);
	sqlite3_close(reader->db);
	free_entries(reader);
	free(reader);
}

const uint8_t *account_reader_store(const struct account_reader *reader)
{
	return reader->store;
}

const uint8_t *account_reader_public(const struct account_reader *reader)
{
	return reader->public;
}

/* ---- rows ---- */

static bool take_number(sqlite3_stmt *statement, int column, uint64_t max, uint64_t *to)
{
	int64_t number = sqlite3_column_int64(statement, column);

	if (sqlite3_column_type(statement, column) != SQLITE_INTEGER || number < 0 ||
	    (uint64_t)number > max)
		return false;
	*to = number;
	return true;
}

/* A text with a zero byte in it is longer than it looks. */
static int take_text(sqlite3_stmt *statement, int column, const char **to, size_t *size)
{
	const unsigned char *text;
	char *copy;

	if (sqlite3_column_type(statement, column) != SQLITE_TEXT)
		return -EBADMSG;
	text = sqlite3_column_text(statement, column);
	*size = sqlite3_column_bytes(statement, column);
	if (!text)
		return -ENOMEM;
	if (memchr(text, 0, *size))
		return -EBADMSG;
	copy = malloc(*size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, *size);
	copy[*size] = 0;
	*to = copy;
	return 0;
}

static int take_entry(sqlite3_stmt *statement, struct account_entry *entry)
{
	size_t kind_size;
	int r;

	if (!take_number(statement, 0, ACCOUNT_COUNT_MAX, &entry->seq) ||
	    !take_blob(statement, 1, entry->boot_id, ACCOUNT_ID_SIZE) ||
	    !take_number(statement, 2, ACCOUNT_TIME_MAX, &entry->realtime_ns) ||
	    !take_number(statement, 3, ACCOUNT_TIME_MAX, &entry->boottime_ns) ||
	    !take_blob(statement, 8, entry->previous, ACCOUNT_HASH_SIZE) ||
	    !take_blob(statement, 9, entry->hash, ACCOUNT_HASH_SIZE))
		return -EBADMSG;
	entry->kernel = sqlite3_column_type(statement, 5) != SQLITE_NULL;
	if (entry->kernel &&
	    (!take_number(statement, 5, ACCOUNT_COUNT_MAX, &entry->kernel_seq) ||
	     !take_number(statement, 6, ACCOUNT_COUNT_MAX, &entry->kernel_missed)))
		return -EBADMSG;
	if (!entry->kernel && sqlite3_column_type(statement, 6) != SQLITE_NULL)
		return -EBADMSG;
	r = take_text(statement, 4, &entry->kind, &kind_size);
	if (r == 0)
		r = take_text(statement, 7, &entry->body, &entry->body_size);
	return r;
}

static int read_entries(struct account_reader *reader, size_t *count, char *error)
{
	sqlite3_stmt *statement = reader->entries;
	int step, r = 0;

	sqlite3_bind_int64(statement, 1, reader->begun ? reader->last + 1 : INT64_MIN);
	sqlite3_bind_int(statement, 2, BATCH);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(statement, 0);

		/* A damaged tree may give rows in any order, and for ever. */
		r = *count == BATCH || (reader->begun && seq <= reader->last) ? -EBADMSG :
		    take_entry(statement, &reader->entry[*count]);
		if (r < 0) {
			account_fail(error, r, "entry %" PRId64 " cannot be one: %s", seq,
				     r == -ENOMEM ? "out of memory" :
				     "a value has a type or size that is never written");
			break;
		}
		reader->begun = true;
		reader->last = seq;
		(*count)++;
	}
	if (r == 0 && step != SQLITE_DONE)
		r = failed(reader, error);
	sqlite3_reset(statement);
	return r;
}

static int read_heads(struct account_reader *reader, int64_t up_to, size_t *count, char *error)
{
	sqlite3_stmt *statement = reader->heads;
	int step, r = 0;

	sqlite3_bind_int64(statement, 1, reader->last_head);
	sqlite3_bind_int64(statement, 2, up_to);
	sqlite3_bind_int(statement, 3, BATCH);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct account_head *head = &reader->head[*count];
		int64_t seq = sqlite3_column_int64(statement, 0);

		if (*count == BATCH || seq < reader->last_head ||
		    !take_number(statement, 0, ACCOUNT_COUNT_MAX, &head->seq) ||
		    !take_blob(statement, 1, head->hash, ACCOUNT_HASH_SIZE) ||
		    !take_number(statement, 2, ACCOUNT_TIME_MAX, &head->realtime_ns) ||
		    !take_blob(statement, 3, head->signature, ACCOUNT_SIGNATURE_SIZE)) {
			r = account_fail(error, -EBADMSG,
					 "checkpoint %" PRId64 " cannot be one: a value has a type or size that is never written",
					 seq);
			break;
		}
		memcpy(head->store, reader->store, ACCOUNT_ID_SIZE);
		reader->last_head = seq + 1;
		(*count)++;
	}
	if (r == 0 && step != SQLITE_DONE)
		r = failed(reader, error);
	sqlite3_reset(statement);
	return r;
}

int account_reader_next(struct account_reader *reader, struct account_batch *batch,
			char error[ACCOUNT_ERROR_SIZE])
{
	int r;

	*batch = (struct account_batch){ .entries = reader->entry, .heads = reader->head };
	free_entries(reader);
	/* One transaction: a checkpoint is there if and only if its entry is. */
	if (sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return failed(reader, error);
	r = read_entries(reader, &batch->count, error);
	if (r == 0)
		r = read_heads(reader, batch->count ? reader->last : INT64_MAX,
			       &batch->heads_count, error);
	batch->more_heads = r == 0 && !batch->count && batch->heads_count == BATCH;
	sqlite3_exec(reader->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

uint64_t account_reader_size(struct account_reader *reader)
{
	int64_t size = 0;

	return read_number(reader->db, "SELECT max(seq) FROM entry", &size) < 0 || size < 0 ? 0 : size;
}

int account_reader_head(struct account_reader *reader, struct account_head *head,
			char error[ACCOUNT_ERROR_SIZE])
{
	int64_t seq = 0;
	size_t count = 0;
	int r;

	r = read_number(reader->db, "SELECT max(seq) FROM checkpoint", &seq);
	if (r < 0)
		return failed(reader, error);
	reader->last_head = seq;
	r = read_heads(reader, seq, &count, error);
	reader->last_head = INT64_MIN;
	if (r < 0)
		return r;
	if (!count)
		return account_fail(error, -ENODATA, "the account holds no checkpoint");
	*head = reader->head[0];
	return 0;
}
