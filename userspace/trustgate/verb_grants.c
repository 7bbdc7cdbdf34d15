// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate grants - list live grants, and those whose mappings are to end yet.
 *
 * Owns: the table of grants.
 *
 * Must not own: when a grant lives.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "table.h"

static struct {
	const char *volume;
	uint64_t pid;
} filter;

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_VOLUME:
		filter.volume = value;
		return 0;
	case OPTION_PID:
		return parse_number("--pid", value, 1, INT_MAX, &filter.pid);
	}
	return usage_error("unexpected option");
}

/* ---- table ---- */

#define TEXT(name, kind, field) \
	static char *text_##name(const struct cli *cli, sd_json_variant *row) \
	{ \
		(void)cli; \
		return cell_##kind(row, field); \
	}

#define TEXT_TIME(name, field) \
	static char *text_##name(const struct cli *cli, sd_json_variant *row) \
	{ \
		return cell_time(cli, row, field); \
	}

TEXT(id, number, "id")
TEXT(volume, string, "volume")
TEXT(kind, string, "objectKind")
TEXT(ino, number, "ino")
TEXT(generation, number, "inodeGeneration")
TEXT(access, names, "access")
TEXT(pid, number, "pid")
TEXT(comm, string, "comm")
TEXT(reason, string, "reason")
TEXT(ticket, string, "ticket")
TEXT(by, number, "requesterUid")
TEXT(state, string, "state")
TEXT(on_end, string, "onEnd")
TEXT(end, string, "end")
TEXT(mapped, number, "mapped")
TEXT_TIME(expires, "expiresBoottimeNSec")
TEXT_TIME(begins, "notBeforeBoottimeNSec")
TEXT_TIME(created, "createdBoottimeNSec")

static char *text_path(const struct cli *cli, sd_json_variant *row)
{
	const char *path = field_string(row, "path");
	const char *kind = field_string(row, "objectKind");
	size_t length = path ? strlen(path) : 0;
	char *text;

	(void)cli;
	if (!path)
		return NULL;
	/* A subtree is to be told from a file at a glance. */
	if (asprintf(&text, "%s%s", path, kind && !strcmp(kind, "subtree") && length &&
		     path[length - 1] != '/' && strcmp(path, ".") ? "/" : "") < 0)
		return NULL;
	return text;
}

/* What is left of one that has ended: mappings, or the search for them. */
static char *text_left(const struct cli *cli, sd_json_variant *row)
{
	uint64_t mapped = 0;

	(void)cli;
	if (!field_string(row, "end"))
		return cell_left(row, "expiresBoottimeNSec");
	field_number(row, "mapped", &mapped);
	return strdup(mapped ? "still mapped" : "ended");
}

static char *text_uses(const struct cli *cli, sd_json_variant *row)
{
	uint64_t uses = 0, max = 0;
	char *text;

	(void)cli;
	field_number(row, "uses", &uses);
	field_number(row, "maxUses", &max);
	if (max ? asprintf(&text, "%llu/%llu", (unsigned long long)uses, (unsigned long long)max) < 0 :
		  asprintf(&text, "%llu", (unsigned long long)uses) < 0)
		return NULL;
	return text;
}

static char *text_flags(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_flags(row);
}

static enum colour colour_state(sd_json_variant *row)
{
	const char *state = field_string(row, "state");

	return state && !strcmp(state, "active") ? COLOUR_GOOD : COLOUR_WARNING;
}

static const struct column columns[] = {
	{ .name = "ID", .help = "number of the grant", .right = true, .shown = true, .text = text_id },
	{ .name = "VOLUME", .help = "volume", .shown = true, .text = text_volume },
	{ .name = "PATH", .help = "path when it was given; a subtree ends in /", .shown = true, .text = text_path },
	{ .name = "KIND", .help = "file or subtree", .text = text_kind },
	{ .name = "INO", .help = "inode number", .right = true, .text = text_ino },
	{ .name = "GENERATION", .help = "inode generation", .right = true, .text = text_generation },
	{ .name = "ACCESS", .help = "what it allows", .shown = true, .text = text_access },
	{ .name = "PID", .help = "process that holds it", .right = true, .shown = true, .text = text_pid },
	{ .name = "COMM", .help = "command name of that process", .shown = true, .text = text_comm },
	{ .name = "FLAGS", .help = "break-glass, descendants, keep-exec, next-exec, supervised", .text = text_flags },
	{ .name = "LEFT", .help = "time left; still mapped, if it has ended and a process has mappings yet", .right = true, .shown = true, .text = text_left },
	{ .name = "EXPIRES", .help = "end, shown as --time says", .text = text_expires },
	{ .name = "BEGINS", .help = "begin, if it is later than its creation", .text = text_begins },
	{ .name = "CREATED", .help = "when it was given", .text = text_created },
	{ .name = "USES", .help = "uses so far, of how many", .right = true, .shown = true, .text = text_uses },
	{ .name = "REASON", .help = "why it was given", .shown = true, .text = text_reason },
	{ .name = "TICKET", .help = "ticket", .shown = true, .text = text_ticket },
	{ .name = "BY", .help = "user id of who asked for it", .right = true, .text = text_by },
	{ .name = "ONEND", .help = "what becomes of mappings when it ends", .text = text_on_end },
	{ .name = "END", .help = "how it ended", .text = text_end },
	{ .name = "MAPPED", .help = "processes that have mappings which have to end", .right = true, .text = text_mapped },
	{ .name = "STATE", .help = "state by the agent's account", .text = text_state, .colour = colour_state },
	{ 0 }
};

/* ---- verb ---- */

/* Rows collected from a stream of replies, each with some grants. */
struct rows {
	sd_json_variant **rows;
	size_t count;
	size_t room;
};

static int collect(sd_json_variant *reply, void *userdata)
{
	sd_json_variant *grants = sd_json_variant_by_key(reply, "grants");
	struct rows *rows = userdata;

	if (!sd_json_variant_is_array(grants)) {
		complain("the agent's answer makes no sense: it holds no grants.");
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < sd_json_variant_elements(grants); i++) {
		if (rows->count == rows->room) {
			size_t room = rows->room ? rows->room * 2 : 64;
			void *more = reallocarray(rows->rows, room, sizeof(*rows->rows));

			if (!more) {
				complain("out of memory");
				return EXIT_REFUSED;
			}
			rows->rows = more;
			rows->room = room;
		}
		rows->rows[rows->count++] =
			sd_json_variant_ref(sd_json_variant_by_index(grants, i));
	}
	return 0;
}

static int show(const struct cli *cli, const struct rows *rows)
{
	sd_json_variant *array = NULL;
	int r;

	if (!cli->json)
		return table_print(cli, columns, rows->rows, rows->count);
	r = sd_json_variant_new_array(&array, rows->rows, rows->count);
	if (r < 0) {
		complain("cannot write the output: %s", strerror(-r));
		return EXIT_REFUSED;
	}
	r = print_json(cli, array);
	sd_json_variant_unref(array);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	struct rows rows = { 0 };
	int r;

	(void)argc;
	(void)argv;
	r = table_check(cli, columns);
	if (r)
		return r;
	r = sd_json_buildo(&parameters,
			   SD_JSON_BUILD_PAIR_CONDITION(filter.volume != NULL, "volume",
							SD_JSON_BUILD_STRING(filter.volume)),
			   SD_JSON_BUILD_PAIR_CONDITION(filter.pid != 0, "pid",
							SD_JSON_BUILD_UNSIGNED(filter.pid)));
	if (r < 0) {
		complain("cannot make the request: the volume's name must be UTF-8.");
		return EXIT_REFUSED;
	}
	r = agent_stream(cli, "ListGrants", parameters, false, collect, &rows);
	if (!r)
		r = show(cli, &rows);
	for (size_t i = 0; i < rows.count; i++)
		sd_json_variant_unref(rows.rows[i]);
	free(rows.rows);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "only grants on this volume" },
	{ OPTION_PID, 'p', "pid", "PID", "only grants of this process" },
	{ 0 }
};

const struct verb verb_grants = {
	.name = "grants",
	.arguments = "",
	.summary = "list live grants, and those that have ended and are still mapped",
	.options = options,
	.shared = SHARED_JSON | SHARED_TABLE | SHARED_TIME,
	.columns = columns,
	.empty = "Nothing is granted.",
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
