// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account as its only writer has it.
 *
 * Owns: making the file, the lock against a second writer, transactions, when a
 * checkpoint is due.
 *
 * Must not own: the encoding (account_chain.c), the key's file (account_sign.c).
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
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "account.h"
#include "account_schema.h"

#define CHECKPOINT_ENTRIES 256
#define CHECKPOINT_NS UINT64_C(60000000000)
/* How long a reader in the middle of a batch is waited for. */
#define WAIT_MS 2000
#define PAGE_SIZE 4096

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

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int sql_failed(struct account *account, const char *what)
{
	int r = account_sql_errno(account->db);
	const char *cure = r == -ENOSPC ? "; make room, nothing was recorded" :
			   r == -EBUSY ? "; a reader keeps it locked, try again" : "";

	return account_fail(account->error, r, "cannot %s the account: %s%s%s%s", what,
			    sqlite3_errmsg(account->db), r == -EBADMSG || r == -ENOSPC ? "" : ": ",
			    r == -EBADMSG || r == -ENOSPC ? "" : strerror(-r), cure);
}

static int run(struct account *account, const char *sql, const char *what)
{
	if (sqlite3_exec(account->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sql_failed(account, what);
	return 0;
}

/* ---- rows ---- */

static int insert_entry(struct account *account, const struct account_entry *entry)
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
		r = sql_failed(account, "write");
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

static int insert_head(struct account *account, uint64_t seq, const uint8_t *hash)
{
	struct account_head head = { .seq = seq, .realtime_ns = clock_ns(CLOCK_REALTIME) };
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
		r = sql_failed(account, "write");
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

static int prepare(struct account *account)
{
	if (sqlite3_prepare_v2(account->db,
			       "INSERT INTO entry (" ACCOUNT_ENTRY_COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?)",
			       -1, &account->insert_entry, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(account->db,
			       "INSERT INTO checkpoint (seq, hash, realtime, signature) VALUES (?,?,?,?)",
			       -1, &account->insert_head, NULL) != SQLITE_OK)
		return sql_failed(account, "use");
	return 0;
}

/* ---- transactions ---- */

/* Nothing half written stays; what we believe of the file is read again. */
static int give_up(struct account *account, int r)
{
	char kept[ACCOUNT_ERROR_SIZE];

	memcpy(kept, account->error, sizeof(kept));
	if (!sqlite3_get_autocommit(account->db))
		sqlite3_exec(account->db, "ROLLBACK", NULL, NULL, NULL);
	memcpy(account->error, kept, sizeof(kept));
	account->stale = true;
	return r;
}

static int read_number(struct account *account, const char *sql, int64_t *ret)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(account->db, sql, -1, &s, NULL) != SQLITE_OK ||
	    sqlite3_step(s) != SQLITE_ROW)
		r = sql_failed(account, "read");
	else
		*ret = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return r;
}

/* The hash as it was written: the reader of the whole chain checks it. */
static int read_hash(struct account *account, uint64_t seq)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(account->db, "SELECT hash FROM entry WHERE seq = ?", -1, &s,
			       NULL) != SQLITE_OK) {
		r = sql_failed(account, "read");
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

static int read_state(struct account *account)
{
	int64_t seq = 0, head = 0;
	int r;

	r = read_number(account, "SELECT max(seq) FROM entry", &seq);
	if (r == 0)
		r = read_number(account, "SELECT max(seq) FROM checkpoint", &head);
	if (r < 0)
		return r;
	if (seq < 1 || head < 1 || head > seq)
		return account_fail(account->error, -EBADMSG,
				    "the account ends at entry %" PRId64 " although entry %" PRId64
				    " was signed: see \"trustgate journal verify\"", seq, head);
	r = read_hash(account, seq);
	if (r < 0)
		return r;
	account->seq = seq;
	account->signed_seq = head;
	account->stale = false;
	return 0;
}

static int begin(struct account *account)
{
	int r = account->stale ? read_state(account) : 0;

	return r < 0 ? r : run(account, "BEGIN IMMEDIATE", "write");
}

static int complete(struct account *account, struct account_entry *entry, uint64_t seq,
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
		entry->realtime_ns = clock_ns(CLOCK_REALTIME);
	if (!entry->boottime_ns)
		entry->boottime_ns = clock_ns(CLOCK_BOOTTIME);
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
	uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
	const uint8_t *previous;
	bool sign;
	int r;

	if (!count)
		return 0;
	r = begin(account);
	if (r < 0)
		return give_up(account, r);
	previous = account->hash;
	for (size_t i = 0; i < count; i++) {
		r = complete(account, &entries[i], account->seq + 1 + i, previous);
		if (r == 0)
			r = insert_entry(account, &entries[i]);
		if (r < 0)
			return give_up(account, r);
		previous = entries[i].hash;
	}
	sign = account->seq + count - account->signed_seq >= account->options.checkpoint_entries ||
	       now_ns - account->signed_boottime_ns >= account->options.checkpoint_ns;
	if (sign)
		r = insert_head(account, account->seq + count, previous);
	if (r == 0)
		r = run(account, "COMMIT", "write");
	if (r < 0)
		return give_up(account, r);
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
		return give_up(account, r);
	/* What was stale may turn out to be signed. */
	if (account->signed_seq != account->seq)
		r = insert_head(account, account->seq, account->hash);
	if (r == 0)
		r = run(account, "COMMIT", "sign");
	if (r < 0)
		return give_up(account, r);
	account->signed_seq = account->seq;
	account->signed_boottime_ns = clock_ns(CLOCK_BOOTTIME);
	return 0;
}

uint64_t account_last(const struct account *account)
{
	return account->seq;
}

const char *account_error(const struct account *account)
{
	return account->error;
}

/* ---- opening ---- */

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

static int set_up(struct account *account)
{
	char sql[128];
	int r;

	sqlite3_extended_result_codes(account->db, 1);
	sqlite3_busy_timeout(account->db, WAIT_MS);
	sqlite3_db_config(account->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(account->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	r = run(account, "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = EXTRA;"
			 "PRAGMA cell_size_check = ON;", "open");
	if (r == 0 && account->options.max_bytes) {
		snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %" PRIu64,
			 account->options.max_bytes / PAGE_SIZE ?: 1);
		r = run(account, sql, "limit");
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
		r = sql_failed(account, "make");
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
	r = run(account, "BEGIN IMMEDIATE", "make");
	if (r == 0)
		r = run(account, sql, "make");
	if (r == 0)
		r = run(account, schema, "make");
	if (r == 0)
		r = insert_identity(account);
	if (r == 0)
		r = prepare(account);
	if (r == 0)
		r = complete(account, &genesis, 1, zeros);
	if (r == 0)
		r = insert_entry(account, &genesis);
	if (r == 0)
		r = insert_head(account, 1, genesis.hash);
	if (r == 0)
		r = run(account, "COMMIT", "make");
	return r < 0 ? give_up(account, r) : 0;
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
		r = read_hash(account, head.seq);
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
		return account->db ? sql_failed(account, "open") :
		       account_fail(account->error, -ENOMEM, "out of memory");
	r = set_up(account);
	/* Reading rolls back what a crash has left, the making of it included. */
	if (r == 0)
		r = read_number(account, "PRAGMA page_count", &pages);
	if (r < 0)
		return r;
	if (!pages) {
		r = make_account(account);
	} else {
		r = check_end(account, path);
		if (r == 0)
			r = prepare(account);
	}
	return r < 0 ? r : read_state(account);
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
	account->signed_boottime_ns = clock_ns(CLOCK_BOOTTIME);
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
