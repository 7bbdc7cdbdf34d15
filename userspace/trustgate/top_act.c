// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - questions to the user, and what follows from the answers.
 *
 * Owns: the questions in their order, the line that is typed, the calls.
 *
 * Must not own: who may do what; the agent says so.
 *
 * What is asked about is remembered by its number: the list may move meanwhile.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "top.h"
#include "trustgate.h"

#define TYPED_MAX	128

/* Takes what was typed; returns whether it was an answer. */
typedef bool (*answer_fn)(struct top *top, const char *typed);

/**
 * struct top_question - what is asked at the moment
 * @text: the question
 * @hint: line above it, or NULL
 * @answer: takes the answer
 * @typed: characters so far
 * @count: how many
 * @id: request or grant
 * @subject: what it is, in words
 * @given: whether the request has a reason already
 * @reason: the first answer about an approval
 * @ticket: the second
 * @duration_ns: the third; 0 for what the rule allows
 * @max_ns: what the rule allows, 0 if it is not known
 */
struct top_question {
	char text[TOP_MESSAGE_SIZE];
	const char *hint;
	answer_fn answer;
	wchar_t typed[TYPED_MAX + 1];
	size_t count;
	uint64_t id;
	char subject[TOP_MESSAGE_SIZE];
	bool given;
	const char *reason;
	char ticket[TRUSTGATE_TICKET_MAX + 1];
	uint64_t duration_ns;
	uint64_t max_ns;
};

void top_say(struct top *top, bool bad, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(top->message, sizeof(top->message), format, args);
	va_end(args);
	top->message_bad = bad;
	top->drawn = false;
}

/* ---- a question ---- */

__attribute__((format(printf, 4, 5)))
static void ask(struct top *top, answer_fn answer, const char *hint, const char *format, ...)
{
	struct top_question *question = top->question;
	va_list args;

	va_start(args, format);
	vsnprintf(question->text, sizeof(question->text), format, args);
	va_end(args);
	question->answer = answer;
	question->hint = hint;
	question->count = 0;
	question->typed[0] = L'\0';
	top->drawn = false;
}

void top_act_cancel(struct top *top)
{
	free(top->question);
	top->question = NULL;
	top->drawn = false;
}

static bool begin(struct top *top)
{
	top_act_cancel(top);
	top->question = calloc(1, sizeof(*top->question));
	if (!top->question)
		top_say(top, true, "out of memory");
	else
		top->message[0] = '\0';
	return top->question != NULL;
}

static void nothing_changed(struct top *top)
{
	top_act_cancel(top);
	top_say(top, false, "nothing was changed");
}

static char *typed_text(const struct top_question *question)
{
	size_t size = (question->count + 1) * MB_CUR_MAX;
	char *text = malloc(size);

	if (text && wcstombs(text, question->typed, size) == (size_t)-1)
		text[0] = '\0';
	return text;
}

char *top_act_line(const struct top *top)
{
	char *typed, *line = NULL;

	if (!top->question)
		return NULL;
	typed = typed_text(top->question);
	if (asprintf(&line, "%s%s_", top->question->text, typed ?: "") < 0)
		line = NULL;
	free(typed);
	return line;
}

const char *top_act_hint(const struct top *top)
{
	/* A complaint about the last answer is of more use. */
	return top->message[0] ? NULL : top->question->hint;
}

static void take_line(struct top *top)
{
	char *typed = typed_text(top->question);

	top->message[0] = '\0';
	if (typed)
		(void)top->question->answer(top, typed);
	free(typed);
	top->drawn = false;
}

void top_act_key(struct top *top, uint32_t key)
{
	struct top_question *question = top->question;

	top->drawn = false;
	switch (key) {
	case TOP_KEY_ESCAPE:
		nothing_changed(top);
		return;
	case TOP_KEY_ENTER:
		take_line(top);
		return;
	case TOP_KEY_BACKSPACE:
		if (question->count)
			question->typed[--question->count] = L'\0';
		return;
	case TOP_KEY_CLEAR:
		question->count = 0;
		question->typed[0] = L'\0';
		return;
	}
	if (key >= TOP_KEY_UP || question->count == TYPED_MAX || wcwidth((wchar_t)key) < 0)
		return;
	question->typed[question->count++] = (wchar_t)key;
	question->typed[question->count] = L'\0';
}

/* Asked once more if it is neither yes nor no. */
static int yes_or_no(struct top *top, const char *typed)
{
	if (!strcasecmp(typed, "y") || !strcasecmp(typed, "yes"))
		return 1;
	if (!strcasecmp(typed, "n") || !strcasecmp(typed, "no") || !*typed) {
		nothing_changed(top);
		return 0;
	}
	top_say(top, true, "answer y or n");
	top->question->count = 0;
	top->question->typed[0] = L'\0';
	return -1;
}

static void call(struct top *top, const char *method, sd_json_variant *parameters,
		 top_done_fn done)
{
	int r = top_call(top, method, parameters, done);

	top_act_cancel(top);
	if (r == -EBUSY)
		top_say(top, true, "the agent has not answered yet to what was asked for before");
	else if (r < 0)
		top_say(top, true, "the agent cannot be asked: %s", strerror(-r));
	else
		top_say(top, false, "asked the agent");
}

static void no_memory(struct top *top)
{
	top_act_cancel(top);
	top_say(top, true, "out of memory, or the text is not UTF-8");
}

/* "read on acme:db/x by cat (pid 17)" */
static void describe(struct top_question *question, sd_json_variant *row, bool request)
{
	char *access = field_joined(row, "access", ",");
	char *volume = escape_text(field_string(row, "volume") ?: "?");
	char *path = escape_text(field_string(row, "path") ?: "?");
	char *comm = escape_text(field_string(row, "comm") ?: "?");
	char *flags = request ? cell_flags(row) : NULL;
	uint64_t pid = 0;

	field_number(row, "pid", &pid);
	field_number(row, "id", &question->id);
	snprintf(question->subject, sizeof(question->subject), "%.64s on %.64s:%.200s by %.64s (pid %llu)%s%s",
		 access ?: "?", volume ?: "?", path ?: "?", comm ?: "?", (unsigned long long)pid,
		 flags ? " " : "", flags ?: "");
	free(flags);
	free(access);
	free(volume);
	free(path);
	free(comm);
}

/* Who asked, or has approved before, gave one, which holds for all. */
static bool has_reason(sd_json_variant *row)
{
	return field_string(row, "reason");
}

static bool begin_about(struct top *top, enum top_section section, const char *what)
{
	sd_json_variant *row = top_model_selected(top);

	if (!row || top->section != section) {
		top_say(top, false, "select %s first, with the arrow keys or Tab", what);
		return false;
	}
	if (!begin(top))
		return false;
	describe(top->question, row, section == TOP_REQUESTS);
	field_number(row, "maxDurationNSec", &top->question->max_ns);
	top->question->given = has_reason(row);
	return true;
}

/* ---- approve ---- */

static void approved(struct top *top, const char *error_id, sd_json_variant *reply)
{
	sd_json_variant *request = sd_json_variant_by_key(reply, "request");
	char *left = cell_left(sd_json_variant_by_key(reply, "grant"), "expiresBoottimeNSec");
	const char *state = field_string(request, "state");

	if (!error_id && state && !strcmp(state, "pending"))
		top_say(top, false, "your approval is on record; others have to approve, too");
	else if (!error_id)
		top_say(top, false, "approved%s%s", left ? " for " : "", left ?: "");
	free(left);
}

static bool confirm_approval(struct top *top, const char *typed)
{
	struct top_question *question = top->question;
	sd_json_variant *parameters = NULL;

	if (yes_or_no(top, typed) != 1)
		return false;
	if (sd_json_buildo(&parameters,
			   SD_JSON_BUILD_PAIR_UNSIGNED("id", question->id),
			   SD_JSON_BUILD_PAIR_CONDITION(!question->given, "reason",
							SD_JSON_BUILD_STRING(question->reason)),
			   SD_JSON_BUILD_PAIR_CONDITION(question->ticket[0] != '\0', "ticket",
							SD_JSON_BUILD_STRING(question->ticket)),
			   SD_JSON_BUILD_PAIR_CONDITION(question->duration_ns != 0, "durationNSec",
							SD_JSON_BUILD_UNSIGNED(question->duration_ns))) < 0)
		no_memory(top);
	else
		call(top, "Approve", parameters, approved);
	return true;
}

static bool take_duration(struct top *top, const char *typed)
{
	struct top_question *question = top->question;
	uint64_t duration_ns = 0;
	char error[256], buffer[TRUSTGATE_DURATION_SIZE];

	if (*typed && trustgate_duration_parse(typed, &duration_ns, error, sizeof(error))) {
		top_say(top, true, "%s", error);
		return false;
	}
	if (*typed && (!duration_ns || (question->max_ns && duration_ns > question->max_ns))) {
		top_say(top, true, "the rule allows more than 0s and at most %s",
			trustgate_duration_format(question->max_ns, buffer));
		return false;
	}
	question->duration_ns = duration_ns;
	ask(top, confirm_approval, NULL, "approve %llu for %s: %s? [y/N] ",
	    (unsigned long long)question->id,
	    trustgate_duration_format(duration_ns ?: question->max_ns, buffer), question->subject);
	return true;
}

static void ask_duration(struct top *top)
{
	char buffer[TRUSTGATE_DURATION_SIZE];

	ask(top, take_duration, "Such as 20s, 15m, 1h30m. Escape leaves it.",
	    "for how long? (empty: %s, which the rule allows) ",
	    trustgate_duration_format(top->question->max_ns, buffer));
}

static bool take_ticket(struct top *top, const char *typed)
{
	struct top_question *question = top->question;

	if (strlen(typed) > TRUSTGATE_TICKET_MAX) {
		top_say(top, true, "a ticket has at most %d bytes", TRUSTGATE_TICKET_MAX);
		return false;
	}
	snprintf(question->ticket, sizeof(question->ticket), "%s", typed);
	ask_duration(top);
	return true;
}

/* A number out of the hint, a name, or its begin if only one has it. */
static const char *find_reason(const char *typed)
{
	const char *name, *found = NULL;
	size_t number = strspn(typed, "0123456789") == strlen(typed) ? strtoul(typed, NULL, 10) : 0;

	for (size_t i = 1; *typed && (name = trustgate_name_at(TRUSTGATE_NAMES_REASON, i)); i++) {
		if (i == number || !strcmp(name, typed))
			return name;
		if (!number && !strncmp(name, typed, strlen(typed))) {
			if (found)
				return NULL;
			found = name;
		}
	}
	return found;
}

static bool take_reason(struct top *top, const char *typed)
{
	const char *reason = find_reason(typed);

	if (!reason) {
		top_say(top, true, "a number from 1 on, a reason, or its begin: %s",
			top->question->hint);
		return false;
	}
	top->question->reason = reason;
	ask(top, take_ticket, "Needed with customer-ticket. Escape leaves it.",
	    "%s: which ticket? (empty: none) ", reason);
	return true;
}

void top_act_approve(struct top *top)
{
	/* Short enough for 80 columns; a test compares it with the library. */
	static char hint[TOP_MESSAGE_SIZE];
	const char *name;
	size_t used = 0;

	if (!begin_about(top, TOP_REQUESTS, "a request"))
		return;
	if (top->question->given) {
		ask_duration(top);
		return;
	}
	for (size_t i = 1; (name = trustgate_name_at(TRUSTGATE_NAMES_REASON, i)) &&
	     used < sizeof(hint); i++)
		used += snprintf(hint + used, sizeof(hint) - used, "%s%zu %s", used ? " " : "", i, name);
	ask(top, take_reason, hint, "approve %llu: why? ", (unsigned long long)top->question->id);
}

/* ---- deny, revoke ---- */

static void denied(struct top *top, const char *error_id, sd_json_variant *reply)
{
	(void)reply;
	if (!error_id)
		top_say(top, false, "denied");
}

static void revoked(struct top *top, const char *error_id, sd_json_variant *reply)
{
	uint64_t ended = 0;

	if (error_id)
		return;
	field_number(reply, "ended", &ended);
	top_say(top, false, "%llu %s ended", (unsigned long long)ended,
		ended == 1 ? "grant" : "grants");
}

static bool confirm_denial(struct top *top, const char *typed)
{
	sd_json_variant *parameters = NULL;

	if (yes_or_no(top, typed) != 1)
		return false;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_UNSIGNED("id", top->question->id)) < 0)
		no_memory(top);
	else
		call(top, "Deny", parameters, denied);
	return true;
}

void top_act_deny(struct top *top)
{
	if (begin_about(top, TOP_REQUESTS, "a request"))
		ask(top, confirm_denial, "Escape leaves it.", "deny %llu: %s? [y/N] ",
		    (unsigned long long)top->question->id, top->question->subject);
}

static bool confirm_revocation(struct top *top, const char *typed)
{
	sd_json_variant *parameters = NULL;

	if (yes_or_no(top, typed) != 1)
		return false;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR("ids",
			   SD_JSON_BUILD_ARRAY(SD_JSON_BUILD_UNSIGNED(top->question->id)))) < 0)
		no_memory(top);
	else
		call(top, "Revoke", parameters, revoked);
	return true;
}

void top_act_revoke(struct top *top)
{
	if (begin_about(top, TOP_GRANTS, "a grant"))
		ask(top, confirm_revocation, "Nothing more succeeds by it, also on open files. Escape leaves it.",
		    "revoke %llu: %s? [y/N] ", (unsigned long long)top->question->id,
		    top->question->subject);
}

/* ---- filter ---- */

static bool is_volume(const struct top *top, const char *name)
{
	sd_json_variant *missing = sd_json_variant_by_key(top->counted, "unprotected");

	for (size_t i = 0; i < sd_json_variant_elements(top->volumes); i++)
		if (!strcmp(field_string(sd_json_variant_by_index(top->volumes, i), "name") ?: "",
			    name))
			return true;
	for (size_t i = 0; i < sd_json_variant_elements(missing); i++)
		if (!strcmp(sd_json_variant_string(sd_json_variant_by_index(missing, i)), name))
			return true;
	return false;
}

static bool take_filter(struct top *top, const char *typed)
{
	if (*typed && !is_volume(top, typed)) {
		top_say(top, true, "there is no volume \"%s\"", typed);
		return false;
	}
	snprintf(top->filter, sizeof(top->filter), "%s", typed);
	top_act_cancel(top);
	top_model_arrange(top);
	return true;
}

void top_act_filter(struct top *top)
{
	if (begin(top))
		ask(top, take_filter, "Escape leaves it as it is.", "only which volume? (empty: all) ");
}
