// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate journal verify, head, key - is the account what was written?
 *
 * Owns: findings as text and JSON, the head and the key to pin.
 *
 * Must not own: checking (userspace/account/account_verify.c).
 *
 * The file is read itself: who checks the account need not trust the agent.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "format.h"
#include "journal.h"
#include "table.h"
#include "trustgate.h"

/* Exit code when nothing can be said; 0 is intact, 1 something found. */
#define CANNOT_TELL 2
/* More than anybody reads; the rest is counted. */
#define FINDINGS_MAX 1000
#define PROGRESS_NS UINT64_C(200000000)

static const char *file = ACCOUNT_FILE;
static const char *key_file;
static const char *expect_text;

static const struct cli_option verify_options[] = {
	{ OPTION_ACCOUNT_FILE, 0, "file", "FILE", "the account or a copy (" ACCOUNT_FILE ")" },
	{ OPTION_KEY, 0, "key", "FILE", "public key that must have signed it, in PEM" },
	{ OPTION_EXPECT, 0, "expect", "LINE", "what \"journal head\" printed once: it must still be there" },
	{ 0 }
};

static const struct cli_option file_options[] = {
	{ OPTION_ACCOUNT_FILE, 0, "file", "FILE", "the account or a copy (" ACCOUNT_FILE ")" },
	{ 0 }
};

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_ACCOUNT_FILE:
		file = value;
		return 0;
	case OPTION_KEY:
		key_file = value;
		return 0;
	default:
		expect_text = value;
		return 0;
	}
}

/* ---- shared with export ---- */

struct account_reader *journal_open(const char *path)
{
	struct account_reader *reader = NULL;
	char error[ACCOUNT_ERROR_SIZE];

	if (account_reader_open(path, &reader, error) < 0) {
		complain("%s", error);
		return NULL;
	}
	return reader;
}

void journal_progress_begin(struct journal_progress *progress, struct account_reader *reader)
{
	*progress = (struct journal_progress){
		.wanted = isatty(STDERR_FILENO), .shown_ns = boottime_now_ns(),
	};
	if (progress->wanted)
		progress->size = account_reader_size(reader);
}

void journal_progress_show(struct journal_progress *progress, uint64_t seq)
{
	uint64_t now_ns;

	/* The clock is not read for each of millions. */
	if (!progress->wanted || seq % 64)
		return;
	now_ns = boottime_now_ns();
	if (now_ns - progress->shown_ns < PROGRESS_NS)
		return;
	progress->shown_ns = now_ns;
	progress->visible = true;
	fprintf(stderr, "\r\033[K%" PRIu64 " of %" PRIu64 " entries", seq, progress->size);
}

void journal_progress_end(struct journal_progress *progress)
{
	if (progress->visible)
		fputs("\r\033[K", stderr);
	progress->visible = false;
}

/* ---- verify ---- */

struct findings {
	struct journal_progress progress;
	bool json;
	sd_json_variant *list;
	uint64_t count;
};

static int on_entry(const struct account_entry *entry, void *data)
{
	struct findings *findings = data;

	journal_progress_show(&findings->progress, entry->seq);
	return 0;
}

static int on_finding(uint64_t seq, const char *kind, const char *what, void *data)
{
	struct findings *findings = data;

	if (findings->count++ >= FINDINGS_MAX)
		return 0;
	if (findings->json)
		return sd_json_variant_append_arraybo(&findings->list,
						      SD_JSON_BUILD_PAIR_UNSIGNED("seq", seq),
						      SD_JSON_BUILD_PAIR_STRING("kind", kind),
						      SD_JSON_BUILD_PAIR_STRING("what", what));
	journal_progress_end(&findings->progress);
	char *safe = escape_text(what);
	if (!safe)
		return -ENOMEM;
	printf("%sentry %" PRIu64 ": %s: %s%s\n", colour_begin(COLOUR_BAD), seq, kind, safe,
	       colour_end(COLOUR_BAD));
	free(safe);
	return 0;
}

static int show_json(const struct cli *cli, const struct account_check *check,
		     struct account_reader *reader, struct findings *findings)
{
	char store[2 * ACCOUNT_ID_SIZE + 1], key[2 * ACCOUNT_KEY_SIZE + 1];
	sd_json_variant *value = NULL;
	int r;

	account_hex(account_reader_store(reader), ACCOUNT_ID_SIZE, store);
	account_hex(account_reader_public(reader), ACCOUNT_KEY_SIZE, key);
	if (!findings->list && sd_json_variant_new_array(&findings->list, NULL, 0) < 0) {
		complain("out of memory");
		return CANNOT_TELL;
	}
	r = sd_json_buildo(&value,
			   SD_JSON_BUILD_PAIR_BOOLEAN("intact", !check->findings),
			   SD_JSON_BUILD_PAIR_STRING("store", store),
			   SD_JSON_BUILD_PAIR_STRING("key", key),
			   SD_JSON_BUILD_PAIR_BOOLEAN("keyPinned", check->public != NULL),
			   SD_JSON_BUILD_PAIR_UNSIGNED("entries", check->entries),
			   SD_JSON_BUILD_PAIR_UNSIGNED("last", check->last),
			   SD_JSON_BUILD_PAIR_UNSIGNED("checkpoints", check->heads),
			   SD_JSON_BUILD_PAIR_UNSIGNED("signed", check->signed_seq),
			   SD_JSON_BUILD_PAIR_UNSIGNED("kernelMissed", check->missed),
			   SD_JSON_BUILD_PAIR_UNSIGNED("findingsCount", check->findings),
			   SD_JSON_BUILD_PAIR_VARIANT("findings", findings->list));
	if (r < 0) {
		complain("out of memory");
		return CANNOT_TELL;
	}
	r = print_json(cli, value) ? CANNOT_TELL : 0;
	sd_json_variant_unref(value);
	return r;
}

static void show_text(const struct account_check *check, struct account_reader *reader)
{
	char store[2 * ACCOUNT_ID_SIZE + 1], key[2 * ACCOUNT_KEY_SIZE + 1];
	enum colour colour = check->findings ? COLOUR_BAD : COLOUR_GOOD;

	account_hex(account_reader_store(reader), ACCOUNT_ID_SIZE, store);
	account_hex(check->public ?: account_reader_public(reader), ACCOUNT_KEY_SIZE, key);
	if (check->findings > FINDINGS_MAX)
		printf("and %" PRIu64 " findings more\n", check->findings - FINDINGS_MAX);
	printf("Account %s: %" PRIu64 " entries, %s%s%s\n", store, check->entries,
	       colour_begin(colour), check->findings ? "NOT INTACT" : "intact",
	       colour_end(colour));
	printf("Signed up to entry %" PRIu64 ", by %" PRIu64 " checkpoints of key %s\n",
	       check->signed_seq, check->heads, key);
	if (check->missed)
		printf("The kernel reported %" PRIu64 " events as lost\n", check->missed);
	if (!check->public)
		printf("The key is the file's own: whoever can write the file can choose it. Pin it with --key\n");
	if (!check->expect)
		printf("Without --expect, an end that was cut off together with its checkpoints is not found\n");
}

static int verify(const struct cli *cli, struct account_reader *reader,
		  struct account_check *check)
{
	struct findings findings = { .json = cli->json != JSON_OFF };
	char error[ACCOUNT_ERROR_SIZE];
	int r;

	check->on_entry = on_entry;
	check->on_finding = on_finding;
	check->data = &findings;
	journal_progress_begin(&findings.progress, reader);
	r = account_verify(reader, check, error);
	journal_progress_end(&findings.progress);
	if (r < 0) {
		complain("%s", error[0] ? error : "out of memory");
		r = CANNOT_TELL;
	} else {
		r = 0;
		if (findings.json)
			r = show_json(cli, check, reader, &findings);
		else
			show_text(check, reader);
		if (!r)
			r = check->findings ? 1 : 0;
	}
	sd_json_variant_unref(findings.list);
	return r;
}

static int run_verify(const struct cli *cli, int argc, char *argv[])
{
	struct account_check check = { 0 };
	struct account_reader *reader;
	struct account_head expect;
	uint8_t public[ACCOUNT_KEY_SIZE];
	char error[ACCOUNT_ERROR_SIZE];
	int r;

	(void)argc;
	(void)argv;
	if (expect_text) {
		if (account_head_parse(expect_text, &expect) < 0)
			return usage_error("--expect needs the line that \"trustgate journal head\" printed");
		check.expect = &expect;
	}
	if (key_file) {
		if (account_public_load(key_file, public, error) < 0) {
			complain("%s", error);
			return CANNOT_TELL;
		}
		check.public = public;
	}
	reader = journal_open(file);
	if (!reader)
		return CANNOT_TELL;
	r = verify(cli, reader, &check);
	account_reader_close(reader);
	return r;
}

/* ---- head, key ---- */

static int run_head(const struct cli *cli, int argc, char *argv[])
{
	struct account_reader *reader = journal_open(file);
	char error[ACCOUNT_ERROR_SIZE], line[ACCOUNT_HEAD_SIZE];
	struct account_head head;
	int r = EXIT_REFUSED;

	(void)cli;
	(void)argc;
	(void)argv;
	if (!reader)
		return EXIT_REFUSED;
	if (account_reader_head(reader, &head, error) < 0) {
		complain("%s", error);
	} else if (!account_head_good(account_reader_public(reader), &head)) {
		complain("the last checkpoint's signature is bad: see \"trustgate journal verify\"");
	} else {
		account_head_format(&head, line);
		puts(line);
		r = EXIT_DONE;
	}
	account_reader_close(reader);
	return r;
}

static int run_key(const struct cli *cli, int argc, char *argv[])
{
	struct account_reader *reader = journal_open(file);
	char *pem;

	(void)cli;
	(void)argc;
	(void)argv;
	if (!reader)
		return EXIT_REFUSED;
	pem = account_public_pem(account_reader_public(reader));
	account_reader_close(reader);
	if (!pem) {
		complain("the account's key is no Ed25519 key: see \"trustgate journal verify\"");
		return EXIT_REFUSED;
	}
	fputs(pem, stdout);
	free(pem);
	return EXIT_DONE;
}

const struct verb verb_journal_verify = {
	.name = "journal verify",
	.arguments = "",
	.summary = "find what was changed, removed or is missing in the account",
	.details = "Only reads. Exits with 0 if the account is intact, 1 if something was found, 2 if\n"
		   "it cannot tell. The agent does not write to the account yet.",
	.options = verify_options,
	.shared = SHARED_JSON,
	.take = take,
	.run = run_verify,
};

const struct verb verb_journal_head = {
	.name = "journal head",
	.arguments = "",
	.summary = "print the account's last checkpoint, to be kept elsewhere",
	.details = "\"trustgate journal verify --expect LINE\" then finds whether all up to it is still\n"
		   "there as it was.",
	.options = file_options,
	.take = take,
	.run = run_head,
};

const struct verb verb_journal_key = {
	.name = "journal key",
	.arguments = "",
	.summary = "print the account's public key, to be kept elsewhere",
	.details = "\"trustgate journal verify --key FILE\" then believes no other key.",
	.options = file_options,
	.take = take,
	.run = run_key,
};
