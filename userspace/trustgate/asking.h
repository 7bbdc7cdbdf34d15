/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - a grant that people have to approve first.
 *
 * Owns: the fields that such a request has beyond a wish, and waiting for it.
 *
 * Must not own: the wish (wish.c), what is done with the grant.
 */
#ifndef _TRUSTGATE_ASKING_H
#define _TRUSTGATE_ASKING_H

#include "cli.h"
#include "wish.h"

/**
 * struct asking - what is said beyond a wish, or of an approval
 * @comment: why, in words, or NULL
 * @location: from where, or NULL
 * @retention_days: 0 if not stated
 * @legal_reference: of a legal order, or NULL
 * @notify: of a legal order: may the tenant be told, or NULL
 * @break_glass: do not wait
 */
struct asking {
	const char *comment;
	const char *location;
	uint64_t retention_days;
	const char *legal_reference;
	const char *notify;
	bool break_glass;
};

/* @with: "with ...: ", or nothing */
#define ASKING_OPTIONS(with) \
	{ OPTION_LOCATION, 0, "location", "TEXT", with "from where the access is, such as a country" }, \
	{ OPTION_RETENTION, 0, "retention", "DAYS", with "how long what is made of the access is kept" }, \
	{ OPTION_LEGAL_REFERENCE, 0, "legal-reference", "TEXT", with "of the order, needed with legal-order" }, \
	{ OPTION_NOTIFY, 0, "notify", "HOW", with "may the tenant be told of the order: notify, delayed, prohibited" }

/* Whether it is one of its options; if it is, *ret is 0 or EXIT_USAGE. */
bool asking_take(struct asking *asking, int id, const char *value, int *ret);

/* Whether anything was given. */
bool asking_begun(const struct asking *asking);

/* Puts it into a call's parameters. Returns 0 or -errno. */
int asking_add(const struct asking *asking, sd_json_variant **parameters);

/**
 * asking_wait() - ask, and wait until it is approved and begins
 * @cli: options
 * @parameters: of the wish; the reference is consumed
 * @asking: the rest
 *
 * Says on standard error what it waits for.
 *
 * Return: 0 when the grant is there, or an exit code, having complained.
 */
int asking_wait(const struct cli *cli, sd_json_variant *parameters, const struct asking *asking);

#endif /* _TRUSTGATE_ASKING_H */
