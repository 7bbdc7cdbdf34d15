// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate watch - show events as they happen.
 *
 * Owns: a line for each event, headings between those of one grant and of another,
 * and the notice that some were lost.
 *
 * Must not own: the order or completeness of events; their numbers show it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "format.h"
#include "table.h"
#include "trustgate.h"

static const char *volume;
static uint64_t grant;
static uint32_t types;
static bool by_grant;
/* What is supervised: one of them, or nothing. */
static const char *supervised_volume;
static uint64_t supervised_grant;

static int take_types(const char *value)
{
	const char *word = value;

	for (;;) {
		size_t length = strcspn(word, ",");
		char name[32] = "";
		uint32_t type;

		if (length < sizeof(name))
			memcpy(name, word, length);
		if (trustgate_value(TRUSTGATE_NAMES_EVENT_TYPE, name, &type))
			return usage_error("--type: there is no type of event \"%.*s\"",
					   (int)length, word);
		types |= UINT32_C(1) << type;
		if (!word[length])
			return 0;
		word += length + 1;
	}
}

/* What is a number is a grant. */
static int take_supervise(const char *value)
{
	size_t length = strlen(value);

	if (length && strspn(value, "0123456789") == length)
		return parse_number("--supervise", value, 1, INT64_MAX, &supervised_grant);
	supervised_volume = value;
	return length ? 0 : usage_error("--supervise: a grant's number or a volume's name is missing");
}

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_SUPERVISE:
		return take_supervise(value);
	case OPTION_GRANT:
		return parse_number("--grant", value, 1, INT64_MAX, &grant);
	case OPTION_VOLUME:
		volume = value;
		return 0;
	case OPTION_TYPE:
		return take_types(value);
	case OPTION_BY_GRANT:
		by_grant = true;
		return 0;
	}
	return usage_error("unexpected option");
}

/* A type that this version does not know is shown in any case. */
static bool wanted(sd_json_variant *event)
{
	const char *type = field_string(event, "type");
	const char *name = field_string(event, "volume");
	uint32_t number;
	uint64_t id;

	if (volume && (!name || strcmp(name, volume)))
		return false;
	if (grant && (!field_number(event, "grantId", &id) || id != grant))
		return false;
	return !types || !type || trustgate_value(TRUSTGATE_NAMES_EVENT_TYPE, type, &number) ||
	       (types & UINT32_C(1) << number);
}

/* ---- a line ---- */

static enum colour type_colour(const char *type)
{
	if (!strcmp(type, "denied") || !strcmp(type, "gate-broken") || !strcmp(type, "agent-lost") ||
	    !strcmp(type, "killed") || !strcmp(type, "grant-suspended") ||
	    !strcmp(type, "observed") || !strcmp(type, "observation-begun"))
		return COLOUR_BAD;
	if (!strcmp(type, "grant-added") || !strcmp(type, "grant-resumed") || !strcmp(type, "allowed"))
		return COLOUR_GOOD;
	return COLOUR_NONE;
}

static void put_text(const char *label, const char *text)
{
	char *safe = text && *text ? escape_text(text) : NULL;

	if (!safe)
		return;
	/* A blank in a value must not look like the next value. */
	printf(strchr(safe, ' ') || strchr(safe, '"') ? " %s=\"%s\"" : " %s=%s", label, safe);
	free(safe);
}

static void put_number(sd_json_variant *event, const char *label, const char *field)
{
	uint64_t number;

	if (field_number(event, field, &number))
		printf(" %s=%llu", label, (unsigned long long)number);
}

/* The kernel's number for "nobody has logged in" says nothing to a reader. */
static void put_loginuid(sd_json_variant *event)
{
	uint64_t uid;

	if (field_number(event, "loginuid", &uid) && uid != UINT32_MAX)
		put_number(event, "loginuid", "loginuid");
}

static void put_path(sd_json_variant *event)
{
	const char *path = field_string(event, "path");
	char *text;

	if (!path || asprintf(&text, "%s%s", field_true(event, "pathCut") ? "..." : "", path) < 0)
		return;
	put_text("path", text);
	free(text);
}

static void put_line(const struct cli *cli, sd_json_variant *event)
{
	enum time_mode mode = cli->time == TIME_DEFAULT ? TIME_ABSOLUTE : cli->time;
	const char *type = field_string(event, "type") ?: "?";
	char *access = field_joined(event, "access", ",");
	char *safe_type = escape_text(type);
	char buffer[FORMAT_TIME_SIZE];
	uint64_t time_ns = 0;

	field_number(event, "timeBoottimeNSec", &time_ns);
	printf("%s%s %s%s%s", by_grant ? "  " : "", format_time_now(time_ns, mode, buffer),
	       colour_begin(type_colour(type)), safe_type ?: "?", colour_end(type_colour(type)));
	if (field_true(event, "breakGlass"))
		printf(" %sBREAK-GLASS%s", colour_begin(COLOUR_BAD), colour_end(COLOUR_BAD));
	put_text("volume", field_string(event, "volume"));
	put_path(event);
	put_text("access", access);
	put_text("cause", field_string(event, "cause"));
	put_text("end", field_string(event, "end"));
	if (!by_grant)
		put_number(event, "grant", "grantId");
	put_text("comm", field_string(event, "comm"));
	put_number(event, "pid", "pid");
	put_number(event, "target", "targetPid");
	put_number(event, "mappings", "mappings");
	put_number(event, "uid", "uid");
	put_loginuid(event);
	put_text("hook", field_string(event, "hook"));
	put_number(event, "seq", "seq");
	putchar('\n');
	free(access);
	free(safe_type);
}

/* ---- verb ---- */

/**
 * struct watch - what was shown so far
 * @last_seq: number of the last event, 0 for none
 * @headed: there was a heading
 * @last_grant: which grant it was about, 0 for none
 */
struct watch {
	const struct cli *cli;
	uint64_t last_seq;
	bool headed;
	uint64_t last_grant;
};

/* Once for all that follows until it is another's turn. */
static void put_heading(struct watch *watch, sd_json_variant *event)
{
	uint64_t id = 0;
	char *name;

	field_number(event, "grantId", &id);
	if (watch->headed && id == watch->last_grant)
		return;
	watch->headed = true;
	watch->last_grant = id;
	if (!id) {
		puts("no grant");
		return;
	}
	name = escape_text(field_string(event, "volume") ?: "?");
	printf("grant %llu on volume %s\n", (unsigned long long)id, name ?: "?");
	free(name);
}

static int take_event(sd_json_variant *reply, void *userdata)
{
	sd_json_variant *event = sd_json_variant_by_key(reply, "event");
	struct watch *watch = userdata;
	uint64_t seq, others = 0;
	int r = 0;

	/* The first answer may only say that watching has begun. */
	if (!event || sd_json_variant_is_null(event))
		return 0;
	if (field_number(event, "seq", &seq)) {
		field_number(event, "others", &others);
		if (watch->last_seq && seq > watch->last_seq + others + 1)
			complain("%llu events were lost before number %llu.",
				 (unsigned long long)(seq - watch->last_seq - others - 1),
				 (unsigned long long)seq);
		watch->last_seq = seq;
	}
	if (!wanted(event))
		return 0;
	if (watch->cli->json) {
		r = print_json(watch->cli, event);
	} else {
		if (by_grant)
			put_heading(watch, event);
		put_line(watch->cli, event);
	}
	/* The reader is gone or its disk is full: nobody is watching. */
	if (!r && (fflush(stdout) || ferror(stdout))) {
		complain("cannot write the output: %m");
		r = EXIT_REFUSED;
	}
	return r;
}

static int build_parameters(sd_json_variant **ret)
{
	int r = sd_json_buildo(ret,
		SD_JSON_BUILD_PAIR_CONDITION(supervised_grant, "superviseGrant",
					     SD_JSON_BUILD_UNSIGNED(supervised_grant)),
		SD_JSON_BUILD_PAIR_CONDITION(supervised_volume != NULL, "superviseVolume",
					     SD_JSON_BUILD_STRING(supervised_volume)));

	if (r < 0)
		complain("cannot make the request: %s. The volume's name must be UTF-8.",
			 strerror(-r));
	return r < 0 ? EXIT_REFUSED : 0;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	struct cli lines = *cli;
	struct watch watch = { .cli = &lines };
	int r;

	(void)argc;
	(void)argv;
	/* One event, one line, unless the user says otherwise. */
	if (lines.json == JSON_AUTO)
		lines.json = JSON_SHORT;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (by_grant && lines.json)
		return usage_error("watch: --by-grant is for people; with --json each event has its grantId");
	if (supervised_grant && supervised_volume)
		return usage_error("--supervise takes either a grant or a volume");
	/* Who supervises sees all of that, and asks for more with the options. */
	if (!volume && !grant) {
		volume = supervised_volume;
		grant = supervised_grant;
	}
	r = build_parameters(&parameters);
	return r ?: agent_stream(cli, "Watch", parameters, true, take_event, &watch);
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "only events of this volume" },
	{ OPTION_GRANT, 0, "grant", "ID", "only events of this grant" },
	{ OPTION_BY_GRANT, 0, "by-grant", NULL, "with a heading wherever another grant begins" },
	{ OPTION_SUPERVISE, 0, "supervise", "ID|VOLUME", "supervise this grant, or all on this volume, until interrupted" },
	{ OPTION_TYPE, 0, "type", "TYPES", "only these types, separated by commas" },
	{ 0 }
};

const struct verb verb_watch = {
	.name = "watch",
	.arguments = "",
	.summary = "show events as they happen, until interrupted",
	.details =
		"Types: denied, allowed, grant-added, grant-ended, volume-added, volume-changed,\n"
		"volume-removed, agent-bound, agent-lost, gate-broken, gate-repaired, unmapped,\n"
		"killed, grant-cleared, request-raised, request-closed, grant-suspended,\n"
		"grant-resumed, observed, observation-begun, observation-ended.\n"
		"A grant with --supervised allows only while somebody other than its holder, a\n"
		"trustee or one of the tenant's people, supervises it. It is suspended when he\n"
		"stops, or reads nothing for 10 seconds. The tenant's see their volume's events.\n"
		"With --json each line is an event. Lost events are reported on standard error.",
	.options = options,
	.shared = SHARED_JSON | SHARED_TIME,
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
