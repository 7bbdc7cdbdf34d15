// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account, tampered with, crashed and filled up.
 *
 * Owns: checks of userspace/account/.
 *
 * Must not own: its encoding (account_form_test.c) and a second implementation of
 * that, nor the verbs that read it (account_test.py).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "account.h"
#include "check.h"

#define ROUNDS 25
/* So many pages are written for a batch that SIGKILL comes between two of them. */
#define CRASH_BATCH 48
#define CRASH_BODY "{\"n\":%" PRIu64 ",\"pad\":\"%01500d\"}"
#define CRASH_BODY_SIZE 1600

static char made[] = "/tmp/trustgate-account-XXXXXX";
static char *directory = made;
static char error[ACCOUNT_ERROR_SIZE];

static const char *in(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", directory, name);
	return path;
}

static struct account *open_account(const char *name, const struct account_options *options)
{
	struct account *account = NULL;
	int r = account_open(in(name), in("key"), options, &account, error);

	if (r < 0)
		printf("# %s: %d %s\n", name, r, error);
	return account;
}

static int append(struct account *account, const char *kind, uint64_t kernel_seq, uint64_t missed,
		  uint64_t number)
{
	char body[64];
	struct account_entry entry = {
		.kind = kind, .kernel = kernel_seq > 0, .kernel_seq = kernel_seq,
		.kernel_missed = missed, .body = body,
	};

	entry.body_size = snprintf(body, sizeof(body), "{\"n\":%" PRIu64 "}", number);
	return account_append(account, &entry, 1);
}

/* ---- verifying ---- */

struct result {
	int r;
	uint64_t findings;
	uint64_t seq;		/* of the first */
	char kind[32];		/* of the first */
	char all[512];
	struct account_check check;
};

static int on_finding(uint64_t seq, const char *kind, const char *what, void *data)
{
	struct result *result = data;
	size_t used = strlen(result->all);

	if (!result->findings++) {
		result->seq = seq;
		snprintf(result->kind, sizeof(result->kind), "%s", kind);
	}
	snprintf(result->all + used, sizeof(result->all) - used, "%s@%" PRIu64 " ", kind, seq);
	printf("# entry %" PRIu64 ": %s: %s\n", seq, kind, what);
	return 0;
}

static struct result verify(const char *name, const uint8_t *public,
			    const struct account_head *expect)
{
	struct result result = {
		.check = { .public = public, .expect = expect, .on_finding = on_finding },
	};
	struct account_reader *reader = NULL;

	result.check.data = &result;
	result.r = account_reader_open(in(name), &reader, error);
	if (result.r == 0)
		result.r = account_verify(reader, &result.check, error);
	if (result.r < 0)
		printf("# %s: %s\n", name, error);
	account_reader_close(reader);
	return result;
}

static void check_clean(const char *name)
{
	struct result result = verify(name, NULL, NULL);

	CHECK_EQUAL(result.r, 0);
	CHECK_EQUAL(result.findings, 0);
}

static bool copy(const char *from, const char *to)
{
	char command[2 * PATH_MAX + 16];

	snprintf(command, sizeof(command), "cp '%s' '%s'", in(from), in(to));
	return system(command) == 0;
}

static bool sql(const char *name, const char *text)
{
	sqlite3 *db = NULL;
	char *message = NULL;
	bool good;

	good = sqlite3_open_v2(in(name), &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	       sqlite3_exec(db, text, NULL, NULL, &message) == SQLITE_OK;
	if (!good)
		printf("# %s: %s\n", text, message ?: "cannot open");
	sqlite3_free(message);
	sqlite3_close(db);
	return good;
}

static void read_head(const char *name, struct account_head *head)
{
	struct account_reader *reader = NULL;

	CHECK_EQUAL(account_reader_open(in(name), &reader, error), 0);
	CHECK_EQUAL(account_reader_head(reader, head, error), 0);
	account_reader_close(reader);
}

/* 41 entries, the kernel's events 100..., signed at 1, 11, 21, 31, 41. */
/* So long that it takes a while to read. */
static void make_long(size_t count)
{
	struct account *account = open_account("long", NULL);

	CHECK(account);
	for (size_t i = 0; account && i < count; i += 256) {
		struct account_entry batch[256];

		for (size_t k = 0; k < 256; k++)
			batch[k] = (struct account_entry){
				.kind = "note", .body = "{\"n\":1}", .body_size = 7,
			};
		if (account_append(account, batch, 256))
			CHECK(!"append");
	}
	CHECK_EQUAL(account_close(account, error), 0);
}

static void make_sample(void)
{
	static const uint8_t boot_id[ACCOUNT_ID_SIZE] = { 1 };
	const struct account_options options = { .checkpoint_entries = 10, .boot_id = boot_id };
	struct account *account = open_account("sample", &options);

	CHECK(account);
	for (uint64_t i = 0; account && i < 40; i++)
		if (append(account, i % 2 ? "denied" : "allowed", 100 + i + (i >= 20 ? 5 : 0),
			   i == 20 ? 5 : 0, i))
			CHECK(!"append");
	CHECK_EQUAL(account_last(account), 41);
	CHECK_EQUAL(account_close(account, error), 0);
}

#define DROP_TRIGGERS "DROP TRIGGER entry_update; DROP TRIGGER entry_delete;" \
	"DROP TRIGGER checkpoint_update; DROP TRIGGER checkpoint_delete;"

static void test_tampering(void)
{
	static const struct {
		const char *what;
		const char *sql;
		const char *kind;
		uint64_t seq;
	} cases[] = {
		{ "body", "UPDATE entry SET body = '{\"n\":99}' WHERE seq = 15", "changed", 15 },
		{ "form", "UPDATE entry SET body = '{\"n\": 9}' WHERE seq = 15", "malformed", 15 },
		{ "kind", "UPDATE entry SET kind = 'allowed' WHERE seq = 15", "changed", 15 },
		{ "boot", "UPDATE entry SET boot = zeroblob(16) WHERE seq = 15", "changed", 15 },
		{ "realtime", "UPDATE entry SET realtime = realtime + 1 WHERE seq = 15", "changed", 15 },
		{ "boottime", "UPDATE entry SET boottime = boottime + 1 WHERE seq = 15", "changed", 15 },
		{ "kernel number", "UPDATE entry SET kernel_seq = 1 WHERE seq = 15", "changed", 15 },
		{ "missed", "UPDATE entry SET kernel_missed = 0 WHERE seq = 22", "changed", 22 },
		{ "no event", "UPDATE entry SET kernel_seq = NULL, kernel_missed = NULL WHERE seq = 15",
		  "changed", 15 },
		{ "previous", "UPDATE entry SET previous = zeroblob(32) WHERE seq = 15", "changed", 15 },
		{ "hash", "UPDATE entry SET hash = zeroblob(32) WHERE seq = 15", "changed", 15 },
		{ "last", "UPDATE entry SET body = '{}' WHERE seq = 41", "changed", 41 },
		{ "genesis", "UPDATE entry SET body = '{}' WHERE seq = 1", "foreign", 1 },
		{ "removed", "DELETE FROM entry WHERE seq = 15", "missing", 15 },
		{ "removed several", "DELETE FROM entry WHERE seq BETWEEN 12 AND 19", "missing", 12 },
		{ "removed first", "DELETE FROM entry WHERE seq = 1", "missing", 1 },
		{ "removed and renumbered", "DELETE FROM entry WHERE seq = 15;"
		  "UPDATE entry SET seq = -seq WHERE seq > 15; UPDATE entry SET seq = -seq - 1 WHERE seq < 0",
		  "changed", 15 },
		{ "swapped", "UPDATE entry SET seq = 1000 WHERE seq = 15; UPDATE entry SET seq = 15 WHERE seq = 16;"
		  "UPDATE entry SET seq = 16 WHERE seq = 1000", "changed", 15 },
		{ "inserted", "INSERT INTO entry SELECT 42, boot, realtime, boottime, kind, kernel_seq + 1, 0, body, hash, hash FROM entry WHERE seq = 41",
		  "changed", 42 },
		{ "inserted before", "INSERT INTO entry SELECT 0, boot, realtime, boottime, kind, kernel_seq, 0, body, previous, hash FROM entry WHERE seq = 2",
		  "inserted", 0 },
		{ "truncated", "DELETE FROM entry WHERE seq > 37", "truncated", 41 },
		{ "empty", "DELETE FROM entry", "truncated", 1 },
		{ "signature", "UPDATE checkpoint SET signature = zeroblob(64) WHERE seq = 21",
		  "bad-signature", 21 },
		{ "time of signature", "UPDATE checkpoint SET realtime = realtime + 1 WHERE seq = 21",
		  "bad-signature", 21 },
		{ "signed hash", "UPDATE checkpoint SET hash = zeroblob(32) WHERE seq = 21",
		  "bad-signature", 21 },
		{ "moved signature", "UPDATE checkpoint SET seq = 20 WHERE seq = 21", "bad-signature", 20 },
		{ "no signatures", "DELETE FROM checkpoint", "unsigned", 41 },
		{ "other store", "UPDATE account SET store = zeroblob(16)", "foreign", 1 },
		{ "other key", "UPDATE account SET key = zeroblob(32)", "foreign", 1 },
		{ "type", "DROP TABLE checkpoint; CREATE TABLE checkpoint (seq, hash, realtime, signature);"
		  "INSERT INTO checkpoint VALUES (1, 'x', 'y', 5)", "unreadable", 42 },
		{ "huge", "UPDATE entry SET body = '{\"n\":\"' || hex(zeroblob(40000)) || '\"}' WHERE seq = 15",
		  "malformed", 15 },
		{ "huger", "UPDATE entry SET body = hex(zeroblob(4000000)) WHERE seq = 15", "unreadable", 15 },
	};

	check_clean("sample");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024];
		struct result result;

		printf("# %s\n", cases[i].what);
		snprintf(text, sizeof(text), "%s%s;", DROP_TRIGGERS, cases[i].sql);
		CHECK(copy("sample", "copy"));
		CHECK(sql("copy", text));
		result = verify("copy", NULL, NULL);
		CHECK_EQUAL(result.r, 0);
		CHECK_TEXT(result.kind, cases[i].kind);
		CHECK_EQUAL(result.seq, cases[i].seq);
	}
	/* The triggers stop who means no harm. */
	CHECK(copy("sample", "copy"));
	CHECK(!sql("copy", "UPDATE entry SET kind = 'x'"));
	CHECK(!sql("copy", "DELETE FROM checkpoint"));
	check_clean("copy");
}

/* What the chain cannot show by itself: an end that is cut off cleanly. */
static void test_expected(void)
{
	struct account_key *key = NULL;
	struct account_head head, other;
	struct account *account;
	struct result result;

	read_head("sample", &head);
	CHECK_EQUAL(head.seq, 41);
	result = verify("sample", NULL, &head);
	CHECK_EQUAL(result.findings, 0);
	CHECK_EQUAL(result.check.missed, 5);
	CHECK_EQUAL(result.check.heads, 5);
	CHECK_EQUAL(result.check.signed_seq, 41);

	CHECK(copy("sample", "copy"));
	CHECK(sql("copy", DROP_TRIGGERS "DELETE FROM entry WHERE seq > 31; DELETE FROM checkpoint WHERE seq > 31;"));
	check_clean("copy");
	result = verify("copy", NULL, &head);
	CHECK_TEXT(result.all, "truncated@41 ");

	/* An older account put back, with which the agent has gone on. */
	account = open_account("copy", NULL);
	CHECK_EQUAL(account_last(account), 31);
	for (uint64_t i = 0; i < 12; i++)
		append(account, "denied", 131 + i, 0, i);
	CHECK_EQUAL(account_close(account, error), 0);
	result = verify("copy", NULL, NULL);
	CHECK_EQUAL(result.check.last, 43);
	result = verify("copy", NULL, &head);
	CHECK_TEXT(result.all, "unexpected@41 ");

	/* The same key, another history: made anew by who has the key. */
	account = open_account("rewritten", NULL);
	for (uint64_t i = 0; account && i < 40; i++)
		append(account, "denied", 0, 0, i);
	account_close(account, error);
	result = verify("rewritten", NULL, &head);
	CHECK_HOLDS(result.all, "foreign@0 ");
	CHECK_HOLDS(result.all, "unexpected@41 ");

	other = head;
	other.hash[0] ^= 1;
	result = verify("sample", NULL, &other);
	CHECK_TEXT(result.all, "bad-signature@41 unexpected@41 ");

	/* Another key than the pinned one. */
	CHECK_EQUAL(account_key_load(in("other-key"), true, &key, error), 0);
	result = verify("sample", account_key_public(key), NULL);
	CHECK_HOLDS(result.all, "foreign@0 bad-signature@1 ");
	CHECK_EQUAL(result.check.heads, 0);
	account_key_free(key);
}

static void test_kernel(void)
{
	static const uint8_t boots[2][ACCOUNT_ID_SIZE] = { { 1 }, { 2 } };
	struct account_options options = { .boot_id = boots[0] };
	struct account *account = open_account("kernel", &options);
	struct result result;

	CHECK(account);
	append(account, "denied", 5, 0, 0);
	append(account, "note", 0, 0, 0);
	append(account, "denied", 6, 0, 0);
	append(account, "denied", 10, 3, 0);
	account_close(account, error);
	options.boot_id = boots[1];
	account = open_account("kernel", &options);
	append(account, "denied", 1, 0, 0);
	append(account, "denied", 2, 0, 0);
	account_close(account, error);
	check_clean("kernel");

	account = open_account("kernel", &options);
	append(account, "denied", 5, 0, 0);
	append(account, "denied", 5, 0, 0);
	append(account, "denied", 8, 1, 0);
	account_close(account, error);
	result = verify("kernel", NULL, NULL);
	CHECK_TEXT(result.all, "kernel-gap@8 kernel-order@9 kernel-gap@10 ");
}

/* ---- files that are none, or not ours ---- */

static void test_files(void)
{
	struct account *account = NULL, *second = NULL;
	struct account_reader *reader = NULL;
	struct stat info;
	struct result result;

	CHECK_EQUAL(account_reader_open(in("absent"), &reader, error), -ENOENT);
	CHECK(copy("sample", "copy"));
	CHECK(sql("copy", "PRAGMA user_version = 2"));
	CHECK_EQUAL(account_reader_open(in("copy"), &reader, error), -EPROTONOSUPPORT);
	CHECK_HOLDS(error, "format 2");
	CHECK_EQUAL(account_open(in("copy"), in("key"), NULL, &account, error), -EPROTONOSUPPORT);
	CHECK(copy("sample", "copy"));
	CHECK(sql("copy", "PRAGMA application_id = 1"));
	CHECK_EQUAL(account_reader_open(in("copy"), &reader, error), -EBADMSG);
	CHECK(copy("key", "copy"));
	CHECK_EQUAL(account_reader_open(in("copy"), &reader, error), -EBADMSG);

	/* Cut off: found, wherever it is. */
	CHECK_EQUAL(stat(in("sample"), &info), 0);
	for (off_t size = 0; size < info.st_size; size += 4096) {
		CHECK(copy("sample", "copy"));
		CHECK_EQUAL(truncate(in("copy"), size), 0);
		result = verify("copy", NULL, NULL);
		CHECK(result.r < 0 || result.findings);
	}

	/* One writer; its readers are not in its way. */
	account = open_account("sample", NULL);
	CHECK(account);
	CHECK_EQUAL(account_open(in("sample"), in("key"), NULL, &second, error), -EBUSY);
	CHECK_HOLDS(error, "another process");
	check_clean("sample");
	CHECK_EQUAL(append(account, "note", 0, 0, 1), 0);
	check_clean("sample");
	CHECK_EQUAL(append(account, "Note", 0, 0, 1), -EINVAL);
	CHECK_EQUAL(append(account, "note", 0, 0, 1), 0);
	CHECK_EQUAL(account_close(account, error), 0);
	check_clean("sample");

	/* A writer goes on only from the end that it signed. */
	CHECK(copy("sample", "copy"));
	CHECK(sql("copy", DROP_TRIGGERS "DELETE FROM entry WHERE seq > 40"));
	CHECK_EQUAL(account_open(in("copy"), in("key"), NULL, &account, error), -EBADMSG);
	CHECK(copy("sample", "copy"));
	CHECK_EQUAL(account_open(in("copy"), in("other-key"), NULL, &account, error), -EKEYREJECTED);
	CHECK_EQUAL(account_open(in("copy"), in("no-key"), NULL, &account, error), -ENOKEY);
	CHECK_EQUAL(access(in("no-key"), F_OK), -1);
}

static void test_key(void)
{
	struct account_key *key = NULL;
	uint8_t public[ACCOUNT_KEY_SIZE];
	struct stat info;
	char *pem;
	FILE *out;

	CHECK_EQUAL(stat(in("key"), &info), 0);
	CHECK_EQUAL(info.st_mode & 07777, 0600);
	CHECK_EQUAL(account_key_load(in("key"), false, &key, error), 0);
	pem = account_public_pem(account_key_public(key));
	out = fopen(in("public"), "we");
	CHECK(pem && out && fputs(pem, out) >= 0 && !fclose(out));
	free(pem);
	CHECK_EQUAL(account_public_load(in("public"), public, error), 0);
	CHECK(!memcmp(public, account_key_public(key), sizeof(public)));
	CHECK_EQUAL(account_public_load(in("key"), public, error), -EBADMSG);
	account_key_free(key);
	key = NULL;
	CHECK_EQUAL(account_key_load(in("public"), false, &key, error), -EPERM);
	CHECK_EQUAL(chmod(in("public"), 0600), 0);
	CHECK_EQUAL(account_key_load(in("public"), false, &key, error), -EBADMSG);
	CHECK_EQUAL(chmod(in("key"), 0640), 0);
	CHECK_EQUAL(account_key_load(in("key"), false, &key, error), -EPERM);
	CHECK_EQUAL(chmod(in("key"), 0600), 0);
	CHECK_EQUAL(symlink(in("key"), in("link")), 0);
	CHECK_EQUAL(account_key_load(in("link"), true, &key, error), -ELOOP);
	CHECK_EQUAL(account_key_load(in("absent"), false, &key, error), -ENOENT);
}

/* ---- faults ---- */

static void test_full(void)
{
	struct account_options options = { .max_bytes = 128 * 1024, .checkpoint_entries = 1000 };
	struct account *account = open_account("full", &options);
	struct account_entry batch[8];
	uint64_t last = 0;
	int r = 0;

	CHECK(account);
	for (size_t i = 0; i < 8; i++)
		batch[i] = (struct account_entry){ .kind = "note", .body = "{\"n\":1}", .body_size = 7 };
	for (int i = 0; r == 0 && i < 1000; i++) {
		last = account_last(account);
		for (size_t k = 0; k < 8; k++)
			batch[k].realtime_ns = batch[k].boottime_ns = 0;
		r = account_append(account, batch, 8);
	}
	CHECK_EQUAL(r, -ENOSPC);
	CHECK_HOLDS(account_error(account), "make room");
	CHECK_EQUAL(account_last(account), last);
	CHECK(account_append(account, batch, 8) == -ENOSPC);
	account_close(account, error);
	check_clean("full");
	CHECK_EQUAL(verify("full", NULL, NULL).check.last, last);

	/* With room it goes on. */
	options.max_bytes = 0;
	account = open_account("full", &options);
	CHECK_EQUAL(account_last(account), last);
	CHECK_EQUAL(account_append(account, batch, 8), 0);
	CHECK_EQUAL(account_close(account, error), 0);
	check_clean("full");
}

static void test_io_error(void)
{
	struct account *account = open_account("limited", NULL);
	struct rlimit old, small;
	uint64_t last = 0;
	int r = 0;

	CHECK(account);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100 * 1024;
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; r == 0 && i < 2000; i++) {
		last = account_last(account);
		r = append(account, "note", 0, 0, i);
	}
	CHECK_EQUAL(r, -EFBIG);
	CHECK_EQUAL(append(account, "note", 0, 0, 1), -EFBIG);
	CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &old), 0);
	/* The very same object can be tried again. */
	CHECK_EQUAL(append(account, "note", 0, 0, 1), 0);
	CHECK_EQUAL(account_last(account), last + 1);
	CHECK_EQUAL(account_close(account, error), 0);
	check_clean("limited");
}

/* Appends for ever, and tells each entry that was acknowledged. */
static void crash_child(int out)
{
	const struct account_options options = { .checkpoint_entries = 5 };
	struct account *account = NULL;
	static struct account_entry batch[CRASH_BATCH];
	static char body[CRASH_BATCH][CRASH_BODY_SIZE];

	if (account_open(in("crash"), in("key"), &options, &account, error) < 0)
		_exit(1);
	for (;;) {
		uint64_t last = account_last(account);

		for (size_t i = 0; i < CRASH_BATCH; i++) {
			batch[i] = (struct account_entry){ .kind = "note", .body = body[i] };
			batch[i].body_size = snprintf(body[i], sizeof(body[i]), CRASH_BODY,
						      last + 1 + i, 0);
		}
		if (account_append(account, batch, CRASH_BATCH) < 0)
			_exit(2);
		last = account_last(account);
		if (write(out, &last, sizeof(last)) != sizeof(last))
			_exit(3);
	}
}

static int on_crash_entry(const struct account_entry *entry, void *data)
{
	char body[CRASH_BODY_SIZE];

	snprintf(body, sizeof(body), CRASH_BODY, entry->seq, 0);
	*(uint64_t *)data += entry->seq > 1 && strcmp(body, entry->body);
	return 0;
}

static void test_crash(void)
{
	uint64_t acknowledged = 0, wrong = 0;
	unsigned int worked = 0;

	srand(4711);
	for (int round = 0; round < ROUNDS; round++) {
		struct account_reader *reader = NULL;
		struct account_check check = { .on_entry = on_crash_entry, .data = &wrong };
		struct account *account;
		uint64_t before = acknowledged, last;
		int pipes[2], status;
		pid_t child;

		if (pipe2(pipes, O_CLOEXEC) < 0 || (child = fork()) < 0)
			exit(1);
		if (!child) {
			close(pipes[0]);
			crash_child(pipes[1]);
		}
		close(pipes[1]);
		/* On a slow machine the others may all be too short for one. */
		if (!round && read(pipes[0], &last, sizeof(last)) == sizeof(last))
			acknowledged = last;
		usleep(rand() % 60000);
		kill(child, SIGKILL);
		while (read(pipes[0], &last, sizeof(last)) == sizeof(last))
			acknowledged = last;
		close(pipes[0]);
		waitpid(child, &status, 0);
		if (!WIFSIGNALED(status))
			CHECK_EQUAL(WEXITSTATUS(status), 0);
		worked += acknowledged > before;

		account = open_account("crash", NULL);
		if (!account || account_last(account) < acknowledged ||
		    (account_last(account) - 1) % CRASH_BATCH)
			CHECK(!"an acknowledged entry is lost, or half a batch is there");
		account_close(account, error);
		if (account_reader_open(in("crash"), &reader, error) < 0 ||
		    account_verify(reader, &check, error) < 0 || check.findings ||
		    check.last < acknowledged)
			CHECK(!"verify finds something after a crash");
		account_reader_close(reader);
	}
	CHECK_EQUAL(wrong, 0);
	printf("# %u rounds of %d had entries, %" PRIu64 " in all\n", worked, ROUNDS, acknowledged);
	CHECK(acknowledged > 0);
}

/*
 * With a directory's name as its argument it only makes the sample there, and with a
 * number also an account of so many entries.
 */
int main(int argc, char *argv[])
{
	char command[64];

	if (argc > 1) {
		directory = argv[1];
		make_sample();
		if (argc > 2)
			make_long(strtoul(argv[2], NULL, 10));
		return check_end();
	}
	if (!mkdtemp(directory))
		return 1;
	make_sample();
	test_tampering();
	test_expected();
	test_kernel();
	test_key();
	test_files();
	test_full();
	test_io_error();
	test_crash();
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	CHECK_EQUAL(system(command), 0);
	return check_end();
}
