// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate journal export - the account as JSON Lines.
 *
 * Owns: which entries are written, and how.
 *
 * Must not own: checking (userspace/account/account_verify.c).
 *
 * The chain is checked from its beginning, whichever entries are wanted, and the
 * first break ends the output: what a machine takes in was verified before.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "format.h"
#include "journal.h"
#include "moment.h"

static const char *file = ACCOUNT_FILE;
static const char *kind;
static uint64_t from;
static uint64_t since_ns;

static const struct cli_option options[] = {
	{ OPTION_ACCOUNT_FILE, 0, "file", "FILE", "the account or a copy (" ACCOUNT_FILE ")" },
	{ OPTION_SINCE, 0, "since", "TIME", "only entries since then: 2h ago, or 2026-11-24T03:00:00Z" },
	{ OPTION_FROM, 0, "from", "SEQ", "only entries from this number on" },
	{ OPTION_KIND, 0, "kind", "KIND", "only entries of this kind" },
	{ 0 }
};

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_ACCOUNT_FILE:
		file = value;
		return 0;
	case OPTION_SINCE:
		return parse_moment("--since", value, false, &since_ns);
	case OPTION_FROM:
		return parse_number("--from", value, 1, ACCOUNT_COUNT_MAX, &from);
	default:
		if (account_kind_check(value) < 0)
			return usage_error("--kind is letters a-z, digits and dashes, not \"%s\"", value);
		kind = value;
		return 0;
	}
}

struct export {
	struct journal_progress progress;
	const char *store;
	bool write_failed;
};

/* Kind and body were checked to have nothing in them that must be escaped. */
static void print_entry(const struct export *export, const struct account_entry *entry)
{
	char boot[2 * ACCOUNT_ID_SIZE + 1], hash[2 * ACCOUNT_HASH_SIZE + 1];
	char previous[2 * ACCOUNT_HASH_SIZE + 1], moment[32] = "";
	time_t seconds = entry->realtime_ns / 1000000000;
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%S", &tm);
	printf("{\"store\":\"%s\",\"seq\":%" PRIu64 ",\"time\":\"%s.%09" PRIu64 "Z\","
	       "\"realtimeNSec\":\"%" PRIu64 "\",\"boottimeNSec\":\"%" PRIu64 "\","
	       "\"bootId\":\"%s\",\"kind\":\"%s\",",
	       export->store, entry->seq, moment, entry->realtime_ns % 1000000000,
	       entry->realtime_ns, entry->boottime_ns,
	       account_hex(entry->boot_id, sizeof(entry->boot_id), boot), entry->kind);
	if (entry->kernel)
		printf("\"kernelSeq\":%" PRIu64 ",\"kernelMissed\":%" PRIu64 ",", entry->kernel_seq,
		       entry->kernel_missed);
	printf("\"body\":%s,\"previous\":\"%s\",\"hash\":\"%s\"}\n", entry->body,
	       account_hex(entry->previous, sizeof(entry->previous), previous),
	       account_hex(entry->hash, sizeof(entry->hash), hash));
}

static int on_entry(const struct account_entry *entry, void *data)
{
	struct export *export = data;

	journal_progress_show(&export->progress, entry->seq);
	if (entry->seq < from || entry->realtime_ns < since_ns ||
	    (kind && strcmp(kind, entry->kind)))
		return 0;
	print_entry(export, entry);
	if (!ferror(stdout))
		return 0;
	export->write_failed = true;
	return -errno ?: -EIO;
}

static int on_finding(uint64_t seq, const char *word, const char *what, void *data)
{
	struct export *export = data;

	journal_progress_end(&export->progress);
	fflush(stdout);
	complain("the account is not intact, the output ends here: entry %" PRIu64 ": %s: %s", seq,
		 word, what);
	return EXIT_REFUSED;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	struct account_reader *reader = journal_open(file);
	char store[2 * ACCOUNT_ID_SIZE + 1], error[ACCOUNT_ERROR_SIZE];
	struct export export = { .store = store };
	struct account_check check = {
		.on_entry = on_entry, .on_finding = on_finding, .data = &export,
	};
	int r;

	(void)cli;
	(void)argc;
	(void)argv;
	if (!reader)
		return EXIT_REFUSED;
	/* A reader that went away got less than it asked for: say so. */
	signal(SIGPIPE, SIG_IGN);
	account_hex(account_reader_store(reader), ACCOUNT_ID_SIZE, store);
	journal_progress_begin(&export.progress, reader);
	r = account_verify(reader, &check, error);
	journal_progress_end(&export.progress);
	account_reader_close(reader);
	/* A write that failed is complained about by main(), with its reason. */
	if (export.write_failed)
		errno = -r;
	else if (r < 0)
		complain("%s", error[0] ? error : "out of memory");
	return r ? EXIT_REFUSED : EXIT_DONE;
}

const struct verb verb_journal_export = {
	.name = "journal export",
	.arguments = "",
	.summary = "write the account as JSON Lines",
	.details = "Checks the account as it goes, from its first entry; at the first break it ends\n"
		   "with a complaint and exit code 1. The agent does not write to the account yet.",
	.options = options,
	.take = take,
	.run = run,
};
