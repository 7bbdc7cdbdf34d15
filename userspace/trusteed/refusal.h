/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - why a request was not done.
 *
 * Owns: the one form in which every part of the agent says no, from which the
 * Varlink errors and the journal's text are made.
 *
 * Must not own: the decision.
 */
#ifndef _TRUSTEED_REFUSAL_H
#define _TRUSTEED_REFUSAL_H

#include <stdint.h>

#include <systemd/sd-varlink.h>

enum refusal_kind {
	REFUSAL_NONE,
	REFUSAL_NOT_PERMITTED,	/* who, message (what he may not), cure */
	REFUSAL_NO_SUCH_VOLUME,	/* name in message */
	REFUSAL_NO_SUCH_GRANT,	/* id */
	REFUSAL_REFUSED,	/* error, message, attribute */
};

/**
 * struct refusal - why not
 * @kind: REFUSAL_NONE while nothing was refused
 * @error: a positive errno value
 * @id: grant that does not exist
 * @who: who asked
 * @message: a whole sentence without a full stop
 * @cure: what would help
 * @attribute: the parameter or kernel attribute at fault, or ""
 */
struct refusal {
	enum refusal_kind kind;
	int error;
	uint64_t id;
	char who[96];
	char message[512];
	char cure[256];
	char attribute[96];
};

/* Fill in REFUSAL_REFUSED. @attribute may be NULL. Always returns -error. */
int refuse(struct refusal *refusal, int error, const char *attribute,
	   const char *format, ...) __attribute__((format(printf, 4, 5)));

int refuse_no_volume(struct refusal *refusal, const char *name);

/* The refusal as a Varlink error reply; returns what sd_varlink_error() does. */
int refusal_reply(const struct refusal *refusal, sd_varlink *link);

#endif
