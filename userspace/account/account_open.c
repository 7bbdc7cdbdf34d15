// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account as its only writer opens and closes it.
 *
 * Owns: making the file, the lock against a second writer, whether an account is
 * one to go on with.
 *
 * Must not own: what is written to it (account_write.c), the key's file
 * (account_sign.c).
 *
 * A rollback journal, truncated and synced at each commit, rather than a
 * write-ahead log: between two transactions the account is one file, which can be
 * copied and read from a read-only place, and readers need no shared memory that
 * they would have to write. With synchronous=EXTRA a commit returns only when
 * the entries and the end of the journal are on disk, so neither SIGKILL nor a
 * power cut takes back what was acknowledged.
 *
 * The lock against a second writer is flock() on a file beside it. SQLite's own
 * lock would have to be exclusive for good, and keep readers out; and no lock may
 * be taken on the database by another descriptor, as closing that would drop
 * SQLite's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "account_schema.h"
#include "account_writer.h"

#define CHECKPOINT_ENTRIES 256
#define CHECKPOINT_NS UINT64_C(60000000000)
/* How long a reader in the middle of a batch is waited for. */
#define WAIT_MS 2000
#define PAGE_SIZE 4096

static const char schema[] =
	"CREATE TABLE account (one INTEGER PRIMARY KEY CHECK (one = 1),"
	" store BLOB NOT NULL, key BLOB NOT NULL) STRICT;"
	"CREATE TABLE entry (seq INTEGER PRIMARY KEY, boot BLOB NOT NULL,"
	" realtime INTEGER NOT NULL, boottime INTEGER NOT NULL, kind TEXT NOT NULL,"
	" kernel_seq INTEGER, kernel_missed INTEGER, body TEXT NOT NULL,"
	" previous BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE checkpoint (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL,"
	" realtime INTEGER NOT NULL, signature BLOB NOT NULL) STRICT;"
	/* Against our own mistakes; who can write the file can drop them. */
	"CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN"
	" SELECT RAISE(ABORT, 'the account is append-only'); END;"
	"CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN"
	" SELECT RAISE(ABORT, 'the account is append-only'); END;"
	"CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN"
	" SELECT RAISE(ABORT, 'the account is append-only'); END;"
	"CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN"
	" SELECT RAISE(ABORT, 'the account is append-only'); END;";

static int take_lock(struct account *account, const char *path)
{
	char name[PATH_MAX];

	if ((size_t)snprintf(name, sizeof(name), "%s.lock", path) >= sizeof(name))
		return account_fail(account->error, -ENAMETOOLONG, "the name is too long: %s", path);
	account->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (account->lock_fd < 0)
		return account_fail(account->error, -errno, "cannot open %s.lock: %s", path,
				    strerror(errno));
	if (flock(account->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return account_fail(account->error, errno == EWOULDBLOCK ? -EBUSY : -errno,
				    "%s is open for writing in another process", path);
	return 0;
}

/* Is there an account, or is one to be made? A file that is empty is none yet. */
static int find_file(struct account *account, const char *path, bool *make)
{
	struct stat info;
	int fd;

	if (lstat(path, &info) == 0) {
		if (!S_ISREG(info.st_mode) || info.st_uid != geteuid() ||
		    (info.st_mode & (S_IWGRP | S_IWOTH)))
			return account_fail(account->error, -EPERM,
					    "%s must be a file of user %u that nobody else may write",
					    path, (unsigned int)geteuid());
		*make = !info.st_size;
		return 0;
	}
	if (errno != ENOENT)
		return account_fail(account->error, -errno, "cannot open %s: %s", path,
				    strerror(errno));
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return account_fail(account->error, -errno, "cannot make %s: %s", path,
				    strerror(errno));
	close(fd);
	*make = true;
	return 0;
}

static int read_boot_id(struct account *account)
{
	char text[64] = "";
	uint8_t *to = account->boot_id;
	unsigned int digits = 0;
	FILE *file;

	if (account->options.boot_id) {
		memcpy(to, account->options.boot_id, ACCOUNT_ID_SIZE);
		return 0;
	}
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = 0;
		fclose(file);
	}
	for (const char *c = text; *c && digits < 2 * ACCOUNT_ID_SIZE; c++) {
		int digit = *c >= '0' && *c <= '9' ? *c - '0' :
			    *c >= 'a' && *c <= 'f' ? *c - 'a' + 10 : -1;

		if (digit < 0)
			continue;
		to[digits / 2] = to[digits / 2] << 4 | digit;
		digits++;
	}
	if (digits != 2 * ACCOUNT_ID_SIZE)
		return account_fail(account->error, -ENOENT, "the kernel does not tell the boot's id");
	return 0;
}

void account_set_wait(struct account *account, unsigned int wait_ms)
{
	sqlite3_busy_timeout(account->db, wait_ms ? (int)wait_ms : WAIT_MS);
}

static int set_up(struct account *account)
{
	char sql[128];
	int r;

	sqlite3_extended_result_codes(account->db, 1);
	account_set_wait(account, account->options.wait_ms);
	sqlite3_db_config(account->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(account->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = account_run(account, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = EXTRA;"
			 "PRAGMA cell_size_check = ON;", "open");
	if (r == 0 && account->options.max_bytes) {
		snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %" PRIu64,
			 account->options.max_bytes / PAGE_SIZE ?: 1);
		r = account_run(account, sql, "limit");
	}
	return r;
}

static int insert_identity(struct account *account)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(account->db, "INSERT INTO account (one, store, key) VALUES (1,?,?)",
			       -1, &s, NULL) == SQLITE_OK) {
		sqlite3_bind_blob(s, 1, account->store, ACCOUNT_ID_SIZE, SQLITE_STATIC);
		sqlite3_bind_blob(s, 2, account_key_public(account->key), ACCOUNT_KEY_SIZE,
				  SQLITE_STATIC);
	}
	if (!s || sqlite3_step(s) != SQLITE_DONE)
		r = account_sql_failed(account, "make");
	sqlite3_finalize(s);
	return r;
}

/* One transaction: an account without its genesis is never seen. */
static int make_account(struct account *account)
{
	static const uint8_t zeros[ACCOUNT_HASH_SIZE];
	struct account_entry genesis = { .kind = "genesis" };
	char body[ACCOUNT_GENESIS_SIZE], sql[128];
	int r;

	if (getrandom(account->store, ACCOUNT_ID_SIZE, 0) != ACCOUNT_ID_SIZE)
		return account_fail(account->error, -EIO, "no random numbers");
	account_genesis_body(account->store, account_key_public(account->key), body);
	genesis.body = body;
	genesis.body_size = strlen(body);
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 ACCOUNT_APPLICATION, ACCOUNT_FORMAT);
	r = account_run(account, "BEGIN IMMEDIATE", "make");
	if (r == 0)
		r = account_run(account, sql, "make");
	if (r == 0)
		r = account_run(account, schema, "make");
	if (r == 0)
		r = insert_identity(account);
	if (r == 0)
		r = account_prepare(account);
	if (r == 0)
		r = account_complete(account, &genesis, 1, zeros);
	if (r == 0)
		r = account_insert_entry(account, &genesis);
	if (r == 0)
		r = account_insert_head(account, 1, genesis.hash);
	if (r == 0)
		r = account_run(account, "COMMIT", "make");
	return r < 0 ? account_give_up(account, r) : 0;
}

/* Whoever goes on with an account must know that its end is the one it signed. */
static int check_end(struct account *account, const char *path)
{
	struct account_reader *reader = NULL;
	const uint8_t *public = account_key_public(account->key);
	struct account_head head;
	int r;

	r = account_reader_open(path, &reader, account->error);
	if (r < 0)
		return r;
	memcpy(account->store, account_reader_store(reader), ACCOUNT_ID_SIZE);
	r = account_reader_head(reader, &head, account->error);
	if (r == 0 && memcmp(account_reader_public(reader), public, ACCOUNT_KEY_SIZE))
		r = account_fail(account->error, -EKEYREJECTED,
				 "%s was begun with another key: put that back, or move the account away to begin a new one",
				 path);
	else if (r == 0 && !account_head_good(public, &head))
		r = account_fail(account->error, -EBADMSG,
				 "%s is damaged: the signature of entry %" PRIu64
				 " is bad, see \"trustgate journal verify\"", path, head.seq);
	if (r == 0)
		r = account_read_hash(account, head.seq);
	if (r == 0 && memcmp(account->hash, head.hash, ACCOUNT_HASH_SIZE))
		r = account_fail(account->error, -EBADMSG,
				 "%s is damaged: entry %" PRIu64
				 " is not what was signed, see \"trustgate journal verify\"",
				 path, head.seq);
	account_reader_close(reader);
	return r;
}

static int open_file(struct account *account, const char *path, const char *key_path)
{
	bool make = false;
	int64_t pages = 0;
	int r;

	r = take_lock(account, path);
	if (r == 0)
		r = find_file(account, path, &make);
	if (r == 0)
		r = read_boot_id(account);
	if (r < 0)
		return r;
	r = account_key_load(key_path, make, &account->key, account->error);
	if (r < 0)
		return r == -ENOENT ? -ENOKEY : r;
	if (sqlite3_open_v2(path, &account->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			    SQLITE_OPEN_NOFOLLOW, NULL) != SQLITE_OK)
		return account->db ? account_sql_failed(account, "open") :
		       account_fail(account->error, -ENOMEM, "out of memory");
	r = set_up(account);
	/* Reading rolls back what a crash has left, the making of it included. */
	if (r == 0)
		r = account_read_number(account, "PRAGMA page_count", &pages);
	if (r < 0)
		return r;
	if (!pages) {
		r = make_account(account);
	} else {
		r = check_end(account, path);
		if (r == 0)
			r = account_prepare(account);
	}
	return r < 0 ? r : account_read_state(account);
}

static void account_free(struct account *account)
{
	sqlite3_finalize(account->insert_entry);
	sqlite3_finalize(account->insert_head);
	sqlite3_close(account->db);
	account_key_free(account->key);
	if (account->lock_fd >= 0)
		close(account->lock_fd);
	free(account);
}

int account_open(const char *path, const char *key_path, const struct account_options *options,
		 struct account **ret, char error[ACCOUNT_ERROR_SIZE])
{
	struct account *account = calloc(1, sizeof(*account));
	int r;

	if (!account)
		return account_fail(error, -ENOMEM, "out of memory");
	account->lock_fd = -1;
	if (options)
		account->options = *options;
	account->options.checkpoint_entries = account->options.checkpoint_entries ?: CHECKPOINT_ENTRIES;
	account->options.checkpoint_ns = account->options.checkpoint_ns ?: CHECKPOINT_NS;
	account->signed_boottime_ns = account_clock_ns(CLOCK_BOOTTIME);
	r = open_file(account, path, key_path);
	if (r < 0) {
		memcpy(error, account->error, ACCOUNT_ERROR_SIZE);
		account_free(account);
		return r;
	}
	*ret = account;
	return 0;
}

int account_close(struct account *account, char error[ACCOUNT_ERROR_SIZE])
{
	int r;

	if (!account)
		return 0;
	r = account_checkpoint(account);
	if (r < 0 && error)
		memcpy(error, account->error, ACCOUNT_ERROR_SIZE);
	account_free(account);
	return r;
}
