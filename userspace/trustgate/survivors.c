// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - who still has files of volumes open or mapped; see survivors.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "survivors.h"
#include "table.h"

int survivors_find(const struct cli *cli, const char *volume, sd_json_variant **ret)
{
	sd_json_variant *parameters = NULL;
	char *error_id = NULL;
	int r;

	if (sd_json_buildo(&parameters,
			   SD_JSON_BUILD_PAIR_CONDITION(volume != NULL, "volume",
							SD_JSON_BUILD_STRING(volume))) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	r = agent_try(cli, "ListKeepers", parameters, ret, &error_id);
	if (!r && error_id) {
		/* It is configured and not mounted: nobody has anything of it. */
		if (strcmp(error_id, AGENT_INTERFACE ".NoSuchVolume"))
			r = agent_complain(error_id, *ret);
		*ret = sd_json_variant_unref(*ret);
	}
	free(error_id);
	return r;
}

/* ---- the table ---- */

static uint64_t number(sd_json_variant *row, const char *field)
{
	uint64_t value = 0;

	field_number(row, field, &value);
	return value;
}

static char *text_volume(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "volume");
}

static char *text_pid(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_number(row, "pid");
}

static char *text_program(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, field_string(row, "exe") ? "exe" : "comm");
}

static char *text_unit(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "unit");
}

static char *text_has(const struct cli *cli, sd_json_variant *row)
{
	unsigned long long files = number(row, "files"), mappings = number(row, "mappings");
	char mapped[64] = "", open[32] = "", *text;

	(void)cli;
	if (field_true(row, "unknown"))
		snprintf(mapped, sizeof(mapped), "perhaps mapped");
	else if (mappings)
		snprintf(mapped, sizeof(mapped), "%llu mapped%s", mappings,
			 field_true(row, "program") ? " (program)" : "");
	if (files)
		snprintf(open, sizeof(open), "%llu open", files);
	return asprintf(&text, "%s%s%s", mapped, *mapped && *open ? ", " : "", open) < 0 ?
	       NULL : text;
}

static char *text_file(const struct cli *cli, sd_json_variant *row)
{
	const char *path = field_string(row, "path");
	char *text = NULL;

	(void)cli;
	if (path && asprintf(&text, "%s%s", field_true(row, "pathCut") ? "..." : "", path) < 0)
		return NULL;
	return text;
}

static enum colour colour_of(sd_json_variant *row)
{
	return number(row, "mappings") || field_true(row, "unknown") ? COLOUR_BAD : COLOUR_NONE;
}

static const struct column columns[] = {
	{ "VOLUME", "name of the volume", false, true, text_volume, NULL },
	{ "PID", "process", true, true, text_pid, NULL },
	{ "PROGRAM", "what it executes", false, true, text_program, NULL },
	{ "UNIT", "its systemd unit", false, true, text_unit, NULL },
	{ "HAS", "what it has of the volume", false, true, text_has, colour_of },
	{ "FILE", "one of the files", false, true, text_file, NULL },
	{ 0 }
};

int survivors_show(const struct cli *cli, sd_json_variant *found)
{
	sd_json_variant *keepers = sd_json_variant_by_key(found, "keepers");
	size_t count = sd_json_variant_elements(keepers);
	unsigned long long more = number(found, "more");
	bool mapped = false;
	sd_json_variant **rows;
	int r;

	if (!count) {
		printf("no process has files open or mapped\n");
		return 0;
	}
	rows = calloc(count, sizeof(*rows));
	if (!rows) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < count; i++) {
		rows[i] = sd_json_variant_by_index(keepers, i);
		mapped |= colour_of(rows[i]) != COLOUR_NONE;
	}
	printf("still there:\n");
	r = table_print(cli, columns, rows, count);
	free(rows);
	if (!r && more)
		printf("and %llu more\n", more);
	if (!r && mapped)
		printf("What is mapped is seen without any check, until these processes end (kill PID, systemctl stop UNIT).\n");
	if (!r)
		printf("What is open is denied at each use.\n");
	return r;
}
