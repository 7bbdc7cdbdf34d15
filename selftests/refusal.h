/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refusal - requests that differ from a correct one, and what must come back.
 *
 * Owns: building such a request, and comparing the answer, and the gate before
 * and after, with what they should be.
 *
 * Must not own: the requests (tables in the tests).
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "stage.h"

#define MINUTE_NS	(60 * RAW_SECOND_NS)

/* The tables leave out what is 0 or NULL. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/**
 * enum form - how an attribute is given
 * @SAME: as it should be
 * @LEAVE: left out
 * @U8: with the value in this size
 * @U32: likewise
 * @U64: likewise
 * @SOON: a time, the value from now on
 * @TEXT: with the text and its NUL
 * @BYTES: that many bytes without a NUL
 * @LONG: that many letters and a NUL
 * @TWICE: as it should be, and again
 */
enum form { SAME, LEAVE, U8, U32, U64, SOON, TEXT, BYTES, LONG, TWICE };

/**
 * struct change - one attribute, as the request is to have it
 */
struct change {
	uint16_t type;
	enum form form;
	uint64_t value;
	const char *text;
};

#define REFUSAL_CHANGES	2

/**
 * struct refusal - a request and its refusal
 * @what: for the reader
 * @changes: to a correct request
 * @error: -errno
 * @text: part of the message
 * @bad: attribute at fault, REFUSAL_NONE if none is to be named
 * @miss: missing attribute, 0 if none is
 */
struct refusal {
	const char *what;
	struct change changes[REFUSAL_CHANGES];
	int error;
	const char *text;
	int bad;
	int miss;
};

#define REFUSAL_NONE	(-1)

/* Messages of the kernel's own check of types and ranges. */
#define REFUSAL_POLICY	"Attribute failed policy validation"
#define REFUSAL_LENGTH	"invalid attribute length"
#define REFUSAL_RANGE	"integer out of range"
#define REFUSAL_BITS	"reserved bit set"
#define REFUSAL_UNKNOWN	"Unknown attribute type"
#define REFUSAL_UNUSED	"Unsupported attribute"
#define REFUSAL_TWICE	"attribute given twice"

/**
 * refusal_put() - add the attributes of a correct request, changed
 * @message: begun
 * @base: attributes of a correct request
 * @count: their number
 * @changes: REFUSAL_CHANGES of them
 */
void refusal_put(struct raw_message *message, const struct change *base,
		 unsigned int count, const struct change *changes);

/**
 * refusal_wrong() - send the stage's message; is it refused as it should be?
 * @stage: agent
 * @refusal: what should come back
 *
 * Neither may the number of grants, subjects, volumes and events change.
 *
 * Return: how much was wrong, after saying what.
 */
int refusal_wrong(struct stage *stage, const struct refusal *refusal);

#endif /* REFUSAL_H */
