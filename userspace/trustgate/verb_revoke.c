// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate revoke - end grants at once.
 *
 * Owns: the four ways to name grants, of which exactly one is used.
 *
 * Must not own: anything else.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"

static struct {
	const char *volume;
	uint64_t pid;
	bool all;
} target;

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_VOLUME:
		target.volume = value;
		return 0;
	case OPTION_PID:
		return parse_number("--pid", value, 1, INT_MAX, &target.pid);
	case OPTION_ALL:
		target.all = true;
		return 0;
	}
	return usage_error("unexpected option");
}

static int build(int argc, char *argv[], sd_json_variant **ret)
{
	sd_json_variant *ids = NULL;
	int r = 0;

	for (int i = 0; i < argc; i++) {
		uint64_t id;

		r = parse_number("ID", argv[i], 1, UINT64_MAX, &id);
		if (!r && sd_json_variant_append_arrayb(&ids, SD_JSON_BUILD_UNSIGNED(id)) < 0) {
			complain("out of memory");
			r = EXIT_REFUSED;
		}
		if (r)
			break;
	}
	if (!r && sd_json_buildo(ret,
				 SD_JSON_BUILD_PAIR_CONDITION(ids != NULL, "ids",
							      SD_JSON_BUILD_VARIANT(ids)),
				 SD_JSON_BUILD_PAIR_CONDITION(target.volume != NULL, "volume",
							      SD_JSON_BUILD_STRING(target.volume)),
				 SD_JSON_BUILD_PAIR_CONDITION(target.pid != 0, "pid",
							      SD_JSON_BUILD_UNSIGNED(target.pid)),
				 SD_JSON_BUILD_PAIR_CONDITION(target.all, "all",
							      SD_JSON_BUILD_BOOLEAN(true))) < 0) {
		complain("cannot make the request: the volume's name must be UTF-8.");
		r = EXIT_REFUSED;
	}
	sd_json_variant_unref(ids);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	int ways = (argc > 0) + !!target.volume + !!target.pid + target.all;
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	uint64_t ended = 0;
	int r;

	if (!ways)
		return usage_error("revoke: say which grants: IDs, --volume, --pid or --all");
	if (ways > 1)
		return usage_error("revoke: IDs, --volume, --pid and --all exclude each other");
	r = build(argc, argv, &parameters);
	if (!r)
		r = agent_call(cli, "Revoke", parameters, &reply);
	if (!r && cli->json) {
		r = print_json(cli, reply);
	} else if (!r) {
		field_number(reply, "ended", &ended);
		printf("%llu %s ended\n", (unsigned long long)ended, ended == 1 ? "grant" : "grants");
	}
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "every grant on this volume" },
	{ OPTION_PID, 'p', "pid", "PID", "every grant of this process" },
	{ OPTION_ALL, 0, "all", NULL, "every grant" },
	{ 0 }
};

const struct verb verb_revoke = {
	.name = "revoke",
	.arguments = "[ID...]",
	.summary = "end grants at once",
	.details = "When it is done, nothing more succeeds by those grants, also on files already open.",
	.options = options,
	.shared = SHARED_JSON,
	.min = 0,
	.max = -1,
	.take = take,
	.run = run,
};
