// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate requests - list opens that wait for a trustee.
 *
 * Owns: the table of requests.
 *
 * Must not own: answering them (verb_answer.c).
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"
#include "cell.h"
#include "table.h"

static const char *volume;

static int take(int id, const char *value)
{
	if (id != OPTION_VOLUME)
		return usage_error("unexpected option");
	volume = value;
	return 0;
}

#define TEXT(name, kind, field) \
	static char *text_##name(const struct cli *cli, sd_json_variant *row) \
	{ \
		(void)cli; \
		return cell_##kind(row, field); \
	}

TEXT(id, number, "id")
TEXT(volume, string, "volume")
TEXT(path, string, "path")
TEXT(access, names, "access")
TEXT(pid, number, "pid")
TEXT(comm, string, "comm")
TEXT(uid, number, "uid")
TEXT(login, number, "loginuid")
TEXT(rule, string, "rule")
TEXT(max, duration, "maxDurationNSec")
TEXT(left, left, "deadlineBoottimeNSec")

static char *text_raised(const struct cli *cli, sd_json_variant *row)
{
	return cell_time(cli, row, "raisedBoottimeNSec");
}

static const struct column columns[] = {
	{ .name = "ID", .help = "number of the request", .right = true, .shown = true, .text = text_id },
	{ .name = "VOLUME", .help = "volume", .shown = true, .text = text_volume },
	{ .name = "PATH", .help = "what is to be opened", .shown = true, .text = text_path },
	{ .name = "ACCESS", .help = "what for", .shown = true, .text = text_access },
	{ .name = "PID", .help = "process that waits", .right = true, .shown = true, .text = text_pid },
	{ .name = "COMM", .help = "its command name", .shown = true, .text = text_comm },
	{ .name = "UID", .help = "its user", .right = true, .shown = true, .text = text_uid },
	{ .name = "LOGIN", .help = "who had logged in", .right = true, .shown = true, .text = text_login },
	{ .name = "RULE", .help = "rule that wants a trustee to decide", .shown = true, .text = text_rule },
	{ .name = "MAX", .help = "longest time that it allows", .right = true, .shown = true, .text = text_max },
	{ .name = "LEFT", .help = "time until it is denied", .right = true, .shown = true, .text = text_left },
	{ .name = "RAISED", .help = "since when it waits", .text = text_raised },
	{ 0 }
};

static int show(const struct cli *cli, sd_json_variant *reply)
{
	sd_json_variant *requests = sd_json_variant_by_key(reply, "requests");
	sd_json_variant **rows;
	size_t count;
	int r;

	if (!sd_json_variant_is_array(requests)) {
		complain("the agent's answer makes no sense: it holds no requests.");
		return EXIT_REFUSED;
	}
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
	r = table_print(cli, columns, rows, count);
	free(rows);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	(void)argc;
	(void)argv;
	r = table_check(cli, columns);
	if (r)
		return r;
	if (sd_json_buildo(&parameters,
			   SD_JSON_BUILD_PAIR_CONDITION(volume != NULL, "volume",
							SD_JSON_BUILD_STRING(volume))) < 0) {
		complain("cannot make the request: the volume's name must be UTF-8.");
		return EXIT_REFUSED;
	}
	r = agent_call(cli, "ListRequests", parameters, &reply);
	if (!r)
		r = show(cli, reply);
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "only requests on this volume" },
	{ 0 }
};

const struct verb verb_requests = {
	.name = "requests",
	.arguments = "",
	.summary = "list opens that wait for a trustee",
	.options = options,
	.shared = SHARED_JSON | SHARED_TABLE | SHARED_TIME,
	.columns = columns,
	.empty = "No open waits for a trustee.",
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
