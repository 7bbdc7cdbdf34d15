// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate requests, history - list requests: those that wait for people, or all.
 *
 * Owns: the table of requests, reading them in parts.
 *
 * Must not own: one of them (verb_show.c), answering them (verb_answer.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "moment.h"
#include "table.h"

#define PAGE	500

static struct {
	const char *volume;
	const char *state;
	uint64_t since_ns;
	uint64_t max;
} filter;

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_VOLUME:
		filter.volume = value;
		return 0;
	case OPTION_STATE:
		filter.state = value;
		return 0;
	case OPTION_SINCE:
		return parse_moment("--since", value, false, &filter.since_ns);
	case OPTION_MAX:
		return parse_number("--max", value, 1, INT32_MAX, &filter.max);
	}
	return usage_error("unexpected option");
}

/* ---- columns ---- */

#define TEXT(name, kind, field) \
	static char *text_##name(const struct cli *cli, sd_json_variant *row) \
	{ \
		(void)cli; \
		return cell_##kind(row, field); \
	}

TEXT(id, number, "id")
TEXT(state, string, "state")
TEXT(kind, string, "kind")
TEXT(volume, string, "volume")
TEXT(path, string, "path")
TEXT(access, names, "access")
TEXT(pid, number, "pid")
TEXT(comm, string, "comm")
TEXT(exe, string, "exe")
TEXT(unit, string, "unit")
TEXT(uid, number, "uid")
TEXT(login, number, "loginuid")
TEXT(rule, string, "rule")
TEXT(reason, string, "reason")
TEXT(ticket, string, "ticket")
TEXT(location, string, "location")
TEXT(cause, string, "cause")
TEXT(max, duration, "maxDurationNSec")
TEXT(grant, number, "grantId")
TEXT(parent, number, "parent")

static bool is_pending(sd_json_variant *row)
{
	const char *state = field_string(row, "state");

	return state && !strcmp(state, "pending");
}

static char *text_left(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return is_pending(row) ? cell_left(row, "deadlineBoottimeNSec") : NULL;
}

static char *text_age(const struct cli *cli, sd_json_variant *row)
{
	char buffer[FORMAT_TIME_SIZE];
	uint64_t raised_ns, now_ns = realtime_now_ns();

	(void)cli;
	if (!field_number(row, "raisedRealtimeNSec", &raised_ns))
		return NULL;
	return strdup(format_left(now_ns > raised_ns ? now_ns - raised_ns : 0, buffer));
}

static char *text_raised(const struct cli *cli, sd_json_variant *row)
{
	return cell_realtime(cli, row, "raisedRealtimeNSec");
}

static char *text_changed(const struct cli *cli, sd_json_variant *row)
{
	return cell_realtime(cli, row, "changedRealtimeNSec");
}

/* "1/2", or by roles "trustee 1/1, tenant 0/1" */
static char *text_approvals(const struct cli *cli, sd_json_variant *row)
{
	uint64_t trustees = 0, tenants = 0, need_trustees = 0, need_tenants = 0;
	char *text;
	int r;

	(void)cli;
	(void)field_number(row, "trustees", &trustees);
	(void)field_number(row, "tenants", &tenants);
	(void)field_number(row, "needTrustees", &need_trustees);
	(void)field_number(row, "needTenants", &need_tenants);
	if (need_trustees && need_tenants)
		r = asprintf(&text, "trustee %llu/%llu, tenant %llu/%llu",
			     (unsigned long long)trustees, (unsigned long long)need_trustees,
			     (unsigned long long)tenants, (unsigned long long)need_tenants);
	else
		r = asprintf(&text, "%s%llu/%llu", need_tenants ? "tenant " : "",
			     (unsigned long long)(need_tenants ? tenants : trustees),
			     (unsigned long long)(need_tenants ?: need_trustees));
	return r < 0 ? NULL : text;
}

static enum colour colour_state(sd_json_variant *row)
{
	const char *state = field_string(row, "state") ?: "";

	if (!strcmp(state, "failed-to-close"))
		return COLOUR_BAD;
	if (!strcmp(state, "pending"))
		return COLOUR_WARNING;
	return !strcmp(state, "approved") ? COLOUR_GOOD : COLOUR_NONE;
}

/* Both verbs have the same, and show others by default. */
static char *text_flags(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_flags(row);
}

#define COLUMNS(waiting) { \
	{ .name = "ID", .help = "number of the request", .right = true, .shown = true, .text = text_id }, \
	{ .name = "STATE", .help = "how far it is", .shown = true, .text = text_state, .colour = colour_state }, \
	{ .name = "AGE", .help = "since when there is it", .right = true, .shown = waiting, .text = text_age }, \
	{ .name = "LEFT", .help = "time until it is denied", .right = true, .shown = waiting, .text = text_left }, \
	{ .name = "RAISED", .help = "when it was raised", .shown = !(waiting), .text = text_raised }, \
	{ .name = "CHANGED", .help = "when its state changed", .text = text_changed }, \
	{ .name = "VOLUME", .help = "volume", .shown = true, .text = text_volume }, \
	{ .name = "PATH", .help = "what is to be opened", .shown = true, .text = text_path }, \
	{ .name = "ACCESS", .help = "what for", .shown = true, .text = text_access }, \
	{ .name = "FLAGS", .help = "descendants, keep-exec, next-exec, supervised", .shown = waiting, .text = text_flags }, \
	{ .name = "PID", .help = "process that is to have it", .right = true, .text = text_pid }, \
	{ .name = "COMM", .help = "its command name", .shown = true, .text = text_comm }, \
	{ .name = "EXE", .help = "its program", .text = text_exe }, \
	{ .name = "UNIT", .help = "its systemd unit", .text = text_unit }, \
	{ .name = "UID", .help = "its user", .right = true, .shown = true, .text = text_uid }, \
	{ .name = "LOGIN", .help = "who had logged in", .right = true, .shown = waiting, .text = text_login }, \
	{ .name = "REASON", .help = "why, as far as somebody has said so", .shown = true, .text = text_reason }, \
	{ .name = "TICKET", .help = "ticket", .text = text_ticket }, \
	{ .name = "LOCATION", .help = "from where", .text = text_location }, \
	{ .name = "APPROVALS", .help = "how many there are of those that it needs", .shown = true, .text = text_approvals }, \
	{ .name = "RULE", .help = "rule of the policy that asks", .text = text_rule }, \
	{ .name = "MAX", .help = "longest time that can be approved", .right = true, .text = text_max }, \
	{ .name = "KIND", .help = "open, person or extension", .text = text_kind }, \
	{ .name = "GRANT", .help = "grant that was given", .right = true, .text = text_grant }, \
	{ .name = "PARENT", .help = "request that it extends", .right = true, .text = text_parent }, \
	{ .name = "CAUSE", .help = "why it is in that state", .shown = !(waiting), .text = text_cause }, \
	{ 0 } \
}

static const struct column columns[] = COLUMNS(true);
static const struct column history_columns[] = COLUMNS(false);

/* ---- asking ---- */

static int no_sense(void)
{
	complain("the agent's answer makes no sense: it holds no requests.");
	return EXIT_REFUSED;
}

static int show(const struct cli *cli, const struct column *shown, sd_json_variant *requests)
{
	sd_json_variant **rows;
	size_t count;
	int r;

	if (cli->json)
		return print_json(cli, requests);
	count = sd_json_variant_elements(requests);
	rows = calloc(count + 1, sizeof(*rows));
	if (!rows) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < count; i++)
		rows[i] = sd_json_variant_by_index(requests, i);
	r = table_print(cli, shown, rows, count);
	free(rows);
	return r;
}

/* "pending,approved" as a list. */
static int add_states(sd_json_variant **parameters)
{
	char *copy = filter.state ? strdup(filter.state) : NULL, *rest = copy, *word;
	sd_json_variant *states = NULL;
	int r = 0;

	while (r >= 0 && copy && (word = strsep(&rest, ",")))
		r = sd_json_variant_append_arrayb(&states, SD_JSON_BUILD_STRING(word));
	if (r >= 0 && states)
		r = sd_json_variant_set_field(parameters, "states", states);
	sd_json_variant_unref(states);
	free(copy);
	return r;
}

/* @last: the number of the last one that is known already, 0 if none is */
static int build(bool history, uint64_t last, uint64_t max, sd_json_variant **ret)
{
	int r = 0;

	if (filter.volume)
		r = sd_json_variant_set_field_string(ret, "volume", filter.volume);
	if (r >= 0 && history)
		r = sd_json_variant_set_field_boolean(ret, "history", true);
	if (r >= 0)
		r = add_states(ret);
	if (r >= 0 && filter.since_ns)
		r = sd_json_variant_set_field_unsigned(ret, "sinceRealtimeNSec", filter.since_ns);
	if (r >= 0 && last)
		r = sd_json_variant_set_field_unsigned(ret, history ? "before" : "after", last);
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(ret, "max", max);
	if (r >= 0)
		return 0;
	complain("cannot make the request: out of memory, or the volume's name is not UTF-8.");
	return EXIT_REFUSED;
}

static int ask(const struct cli *cli, bool history, uint64_t last, uint64_t max,
	       sd_json_variant **ret_requests)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	sd_json_variant *requests;
	int r;

	r = build(history, last, max, &parameters);
	if (r) {
		sd_json_variant_unref(parameters);
		return r;
	}
	r = agent_call(cli, "ListRequests", parameters, &reply);
	if (r)
		return r;
	requests = sd_json_variant_by_key(reply, "requests");
	if (sd_json_variant_is_array(requests))
		*ret_requests = sd_json_variant_ref(requests);
	else
		r = no_sense();
	sd_json_variant_unref(reply);
	return r;
}

/* All of them, however many there are, a part at a time. */
static int read_all(const struct cli *cli, bool history, sd_json_variant **all)
{
	uint64_t last = 0, left = filter.max ?: UINT64_MAX;
	int r = sd_json_variant_new_array(all, NULL, 0) < 0 ? EXIT_REFUSED : 0;

	while (!r && left) {
		uint64_t page = left < PAGE ? left : PAGE;
		sd_json_variant *part = NULL;
		size_t count;

		r = ask(cli, history, last, page, &part);
		count = r ? 0 : sd_json_variant_elements(part);
		for (size_t i = 0; !r && i < count; i++) {
			sd_json_variant *request = sd_json_variant_by_index(part, i);

			uint64_t former = last;

			if (!field_number(request, "id", &last) ||
			    (former && (history ? last >= former : last <= former)) ||
			    sd_json_variant_append_array(all, request) < 0)
				r = no_sense();
		}
		sd_json_variant_unref(part);
		left -= count < left ? count : left;
		if (count < page)
			break;
	}
	return r;
}

static int list(const struct cli *cli, bool history, const struct column *shown)
{
	sd_json_variant *requests = NULL;
	int r;

	r = table_check(cli, shown);
	if (!r)
		r = read_all(cli, history, &requests);
	if (!r)
		r = show(cli, shown, requests);
	sd_json_variant_unref(requests);
	return r;
}

static int run_requests(const struct cli *cli, int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	return list(cli, false, columns);
}

static int run_history(const struct cli *cli, int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	return list(cli, true, history_columns);
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "only requests on this volume" },
	{ 0 }
};

const struct verb verb_requests = {
	.name = "requests",
	.arguments = "",
	.summary = "list requests that wait for approval",
	.options = options,
	.shared = SHARED_JSON | SHARED_TABLE | SHARED_TIME,
	.columns = columns,
	.empty = "No open waits for a trustee.",
	.min = 0,
	.max = 0,
	.take = take,
	.run = run_requests,
};

static const struct cli_option history_options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "only requests on this volume" },
	{ OPTION_STATE, 0, "state", "STATE", "only in these states, separated by commas" },
	{ OPTION_SINCE, 0, "since", "TIME", "only those that have changed since: 2h ago, or 2026-11-24T03:00:00Z" },
	{ OPTION_MAX, 0, "max", "NUMBER", "only so many, the newest" },
	{ 0 }
};

const struct verb verb_history = {
	.name = "history",
	.arguments = "",
	.summary = "list requests, also those that are decided",
	.options = history_options,
	.shared = SHARED_JSON | SHARED_TABLE | SHARED_TIME,
	.columns = history_columns,
	.min = 0,
	.max = 0,
	.take = take,
	.run = run_history,
};
