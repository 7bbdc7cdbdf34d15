/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate journal - what its verbs share.
 *
 * Owns: opening the account, progress on a terminal.
 *
 * Must not own: the account itself (userspace/account/).
 */
#ifndef _TRUSTGATE_JOURNAL_H
#define _TRUSTGATE_JOURNAL_H

#include "account.h"

/**
 * struct journal_progress - how far a walk is, on standard error
 * @size: entries there are
 * @shown_ns: when it was last shown, CLOCK_BOOTTIME
 * @wanted: standard error is a terminal
 * @visible: a line is on the terminal
 */
struct journal_progress {
	uint64_t size;
	uint64_t shown_ns;
	bool wanted;
	bool visible;
};

/**
 * journal_open() - open the account to read, or complain
 * @file: its file
 *
 * Return: a reader; NULL having complained.
 */
struct account_reader *journal_open(const char *file);

/* Begin, show five times a second, and take the line away. */
void journal_progress_begin(struct journal_progress *progress, struct account_reader *reader);
void journal_progress_show(struct journal_progress *progress, uint64_t seq);
void journal_progress_end(struct journal_progress *progress);

#endif /* _TRUSTGATE_JOURNAL_H */
