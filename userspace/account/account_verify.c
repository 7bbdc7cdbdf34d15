// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the account what was written?
 *
 * Owns: walking the chain, comparing checkpoints, an expected head, and the
 * kernel's numbers; saying where something is wrong.
 *
 * Must not own: reading rows (account_read.c), showing findings.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "account.h"

struct walk {
	struct account_reader *reader;
	struct account_check *check;
	const uint8_t *public;
	uint64_t next;				/* the seq that must come */
	uint8_t hash[ACCOUNT_HASH_SIZE];	/* of the entry before */
	bool broken;				/* it does not follow from that entry */
	uint8_t boot_id[ACCOUNT_ID_SIZE];
	uint64_t kernel_seq;			/* the last of this boot */
	bool kernel;
	bool expected;				/* the expected head was come by */
};

__attribute__((format(printf, 4, 5)))
static int found(struct walk *walk, uint64_t seq, const char *kind, const char *format, ...)
{
	char what[ACCOUNT_ERROR_SIZE];
	va_list args;

	walk->check->findings++;
	if (!walk->check->on_finding)
		return 0;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return walk->check->on_finding(seq, kind, what, walk->check->data);
}

static int check_number(struct walk *walk, const struct account_entry *entry)
{
	if (entry->seq == walk->next)
		return 0;
	walk->broken = true;
	if (entry->seq < walk->next)
		return found(walk, entry->seq, "inserted", "there is an entry before the first one");
	if (entry->seq == walk->next + 1)
		return found(walk, walk->next, "missing", "entry %" PRIu64 " is missing", walk->next);
	return found(walk, walk->next, "missing", "entries %" PRIu64 " to %" PRIu64 " are missing",
		     walk->next, entry->seq - 1);
}

static int check_genesis(struct walk *walk, const struct account_entry *entry)
{
	char body[ACCOUNT_GENESIS_SIZE];

	account_genesis_body(account_reader_store(walk->reader), account_reader_public(walk->reader),
			     body);
	if (strcmp(entry->kind, "genesis"))
		return found(walk, entry->seq, "foreign", "the first entry is no genesis");
	if (strcmp(entry->body, body))
		return found(walk, entry->seq, "foreign",
			     "the genesis names another account or key than the file does");
	return 0;
}

static int check_hash(struct walk *walk, const struct account_entry *entry)
{
	uint8_t hash[ACCOUNT_HASH_SIZE];
	int r = account_entry_hash(account_reader_store(walk->reader), entry, hash);

	if (r < 0)
		return r;
	if (memcmp(hash, entry->hash, ACCOUNT_HASH_SIZE)) {
		walk->broken = true;
		return found(walk, entry->seq, "changed", "the entry is not what its hash was made of");
	}
	if (memcmp(walk->hash, entry->previous, ACCOUNT_HASH_SIZE)) {
		walk->broken = true;
		/* After a gap that is no finding of its own. */
		if (entry->seq == walk->next)
			return found(walk, entry->seq, "unchained",
				     "the entry does not follow the one before it");
	}
	return 0;
}

static int check_form(struct walk *walk, const struct account_entry *entry)
{
	if (account_kind_check(entry->kind) == 0 &&
	    account_body_check(entry->body, entry->body_size) == 0)
		return 0;
	walk->broken = true;
	return found(walk, entry->seq, "malformed", "the entry has a form that is never written");
}

static int check_kernel(struct walk *walk, const struct account_entry *entry)
{
	bool same = walk->kernel && !memcmp(walk->boot_id, entry->boot_id, ACCOUNT_ID_SIZE);
	uint64_t last = walk->kernel_seq;

	if (!strcmp(entry->kind, ACCOUNT_KIND_LOADED))
		walk->kernel = false;
	if (!entry->kernel)
		return 0;
	walk->kernel = true;
	walk->kernel_seq = entry->kernel_seq;
	memcpy(walk->boot_id, entry->boot_id, ACCOUNT_ID_SIZE);
	walk->check->missed += entry->kernel_missed;
	if (!same || entry->kernel_seq == last + 1 + entry->kernel_missed)
		return 0;
	if (entry->kernel_seq <= last)
		return found(walk, entry->seq, "kernel-order",
			     "the kernel's event %" PRIu64 " comes after its event %" PRIu64,
			     entry->kernel_seq, last);
	return found(walk, entry->seq, "kernel-gap",
		     "between the kernel's events %" PRIu64 " and %" PRIu64 " are %" PRIu64
		     ", of which the entry accounts for %" PRIu64, last, entry->kernel_seq,
		     entry->kernel_seq - last - 1, entry->kernel_missed);
}

static int check_expected(struct walk *walk, const struct account_entry *entry)
{
	const struct account_head *expect = walk->check->expect;

	if (!expect || entry->seq != expect->seq)
		return 0;
	walk->expected = true;
	if (memcmp(expect->hash, entry->hash, ACCOUNT_HASH_SIZE))
		return found(walk, entry->seq, "unexpected",
			     "the entry is not the one of the expected head");
	return 0;
}

static int check_entry(struct walk *walk, const struct account_entry *entry)
{
	struct account_check *check = walk->check;
	uint64_t findings = check->findings;
	int r;

	walk->broken = false;
	r = check_number(walk, entry);
	if (r == 0 && entry->seq == 1)
		r = check_genesis(walk, entry);
	if (r == 0)
		r = check_form(walk, entry);
	if (r == 0)
		r = check_hash(walk, entry);
	if (r == 0)
		r = check_kernel(walk, entry);
	if (r == 0)
		r = check_expected(walk, entry);
	if (r)
		return r;
	check->entries++;
	check->last = entry->seq;
	walk->next = entry->seq + 1;
	memcpy(walk->hash, entry->hash, ACCOUNT_HASH_SIZE);
	if (check->findings == findings && check->on_entry)
		return check->on_entry(entry, check->data);
	return 0;
}

static int check_head(struct walk *walk, const struct account_head *head,
		      const struct account_entry *entry)
{
	if (!account_head_good(walk->public, head))
		return found(walk, head->seq, "bad-signature",
			     "the checkpoint's signature is not by the key");
	if (!entry)
		return 0;
	if (memcmp(head->hash, entry->hash, ACCOUNT_HASH_SIZE))
		return found(walk, head->seq, "unsigned",
			     "the entry is not the one that was signed");
	walk->check->heads++;
	walk->check->signed_seq = head->seq;
	return 0;
}

static int check_heads(struct walk *walk, const struct account_batch *batch)
{
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < batch->heads_count; i++) {
		const struct account_head *head = &batch->heads[i];

		while (at < batch->count && batch->entries[at].seq < head->seq)
			at++;
		if (at < batch->count && batch->entries[at].seq == head->seq) {
			r = check_head(walk, head, &batch->entries[at]);
			continue;
		}
		r = check_head(walk, head, NULL);
		if (r == 0 && batch->count)
			r = found(walk, head->seq, "missing", "an entry that was signed is missing");
		else if (r == 0)
			r = found(walk, head->seq, "truncated", "the account ends at entry %" PRIu64
				  ", before this one, which was signed", walk->check->last);
	}
	return r;
}

static int check_begin(struct walk *walk)
{
	struct account_check *check = walk->check;
	int r = 0;

	if (memcmp(walk->public, account_reader_public(walk->reader), ACCOUNT_KEY_SIZE))
		r = found(walk, 0, "foreign", "the file names another key than the pinned one");
	if (r || !check->expect)
		return r;
	if (memcmp(check->expect->store, account_reader_store(walk->reader), ACCOUNT_ID_SIZE))
		r = found(walk, 0, "foreign", "the expected head belongs to another account");
	if (r == 0 && !account_head_good(walk->public, check->expect))
		r = found(walk, check->expect->seq, "bad-signature",
			  "the expected head's signature is not by the key");
	return r;
}

static int check_end(struct walk *walk)
{
	struct account_check *check = walk->check;
	int r = 0;

	if (!check->entries)
		r = found(walk, 1, "truncated", "the account has no entries");
	else if (!check->heads)
		r = found(walk, check->last, "unsigned", "no good checkpoint signs any entry");
	if (r == 0 && check->expect && !walk->expected)
		r = found(walk, check->expect->seq, "truncated",
			  "the entry of the expected head is not there; the account ends at entry %"
			  PRIu64, check->last);
	return r;
}

int account_verify(struct account_reader *reader, struct account_check *check,
		   char error[ACCOUNT_ERROR_SIZE])
{
	struct walk walk = {
		.reader = reader,
		.check = check,
		.public = check->public ?: account_reader_public(reader),
		.next = 1,
	};
	struct account_batch batch;
	int r;

	error[0] = 0;
	check->entries = check->last = check->heads = check->signed_seq = 0;
	check->missed = check->findings = 0;
	r = check_begin(&walk);
	if (r)
		return r;
	do {
		int unread = account_reader_next(reader, &batch, error);

		/* What was read before a row that cannot be is judged first. */
		for (size_t i = 0; r == 0 && i < batch.count; i++)
			r = check_entry(&walk, &batch.entries[i]);
		if (r == 0 && unread == -EBADMSG)
			return found(&walk, walk.next, "unreadable", "%s", error);
		if (r == 0)
			r = unread;
		if (r == 0)
			r = check_heads(&walk, &batch);
		if (r == -EIO && !error[0])
			snprintf(error, ACCOUNT_ERROR_SIZE, "libcrypto does not hash");
		if (r)
			return r;
	} while (batch.count || batch.more_heads);
	return check_end(&walk);
}
