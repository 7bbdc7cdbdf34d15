// SPDX-License-Identifier: GPL-2.0-only
/*
 * refusal - see refusal.h.
 */

#include <stdio.h>
#include <string.h>

#include "refusal.h"

static void put_change(struct raw_message *message, const struct change *change)
{
	static char bytes[8192];

	memset(bytes, 'x', sizeof(bytes));
	switch (change->form) {
	case U8:
		raw_put(message, change->type, &change->value, 1);
		break;
	case U32:
		raw_put_u32(message, change->type, (uint32_t)change->value);
		break;
	case U64:
		raw_put_u64(message, change->type, change->value);
		break;
	case SOON:
		raw_put_u64(message, change->type, raw_now_ns() + change->value);
		break;
	case TEXT:
		raw_put_string(message, change->type, change->text);
		break;
	case LONG:
		bytes[change->value] = '\0';
		raw_put(message, change->type, bytes, change->value + 1);
		break;
	case BYTES:
		raw_put(message, change->type, bytes, change->value);
		break;
	case SAME:
	case LEAVE:
	case TWICE:
		break;
	}
}

static const struct change *change_of(const struct change *changes,
				      uint16_t type)
{
	for (unsigned int i = 0; i < REFUSAL_CHANGES; i++) {
		if (changes[i].type == type)
			return &changes[i];
	}
	return NULL;
}

/* The attributes of a correct request, each as the changes want it. */
void refusal_put(struct raw_message *message, const struct change *base,
		 unsigned int count, const struct change *changes)
{
	const struct change *change;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		change = change_of(changes, base[i].type);
		if (!change || change->form == TWICE)
			put_change(message, &base[i]);
		if (change && change->form == TWICE)
			put_change(message, &base[i]);
		else if (change)
			put_change(message, change);
	}
	for (i = 0; i < REFUSAL_CHANGES; i++) {
		for (j = 0; j < count && changes[i].type; j++) {
			if (base[j].type == changes[i].type)
				break;
		}
		if (changes[i].type && j == count)
			put_change(message, &changes[i]);
	}
}


static int differs(const char *what, const char *which, long long expected,
		   long long seen)
{
	if (expected == seen)
		return 0;
	fprintf(stderr, "# %s: %s is %lld, not %lld\n", what, which, seen,
		expected);
	return 1;
}

int refusal_wrong(struct stage *stage, const struct refusal *refusal)
{
	struct raw_answer *answer = stage->answer;
	const char *what = refusal->what;
	struct raw_gate before, after;
	int wrong = 0;

	if (raw_gate(&stage->agent, &before) ||
	    raw_ask(&stage->agent, stage->message, answer) ||
	    raw_gate(&stage->agent, &after)) {
		fprintf(stderr, "# %s: no answer\n", what);
		return 1;
	}
	wrong += differs(what, "error", refusal->error, answer->error);
	wrong += differs(what, "attribute at fault", refusal->bad, answer->bad);
	wrong += differs(what, "missing attribute",
			 refusal->miss ? refusal->miss : -1, answer->miss);
	if (!strstr(answer->text, refusal->text) || !answer->text[0]) {
		fprintf(stderr, "# %s: message is '%s', not '%s'\n", what,
			answer->text, refusal->text);
		wrong++;
	}
	wrong += differs(what, "volumes", before.volumes, after.volumes);
	wrong += differs(what, "grants", (long long)before.grants,
			 (long long)after.grants);
	wrong += differs(what, "subjects", (long long)before.subjects,
			 (long long)after.subjects);
	wrong += differs(what, "events", (long long)before.event_seq,
			 (long long)after.event_seq);
	return wrong;
}
