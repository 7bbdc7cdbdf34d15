// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate stop, start - end everything on a volume or on the host, until a trustee
 * starts it again.
 *
 * Owns: what is said of grants whose mappings have not ended.
 *
 * Must not own: how it is ended (the agent); when it is over (remains.c); who has
 * files all the same (survivors.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "format.h"
#include "remains.h"
#include "survivors.h"

/* Mappings of most programs have ended by then, or never do. */
#define TIMEOUT_NS	UINT64_C(30000000000)

static struct {
	bool all;
	uint64_t timeout_ns;
} target;

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_ALL:
		target.all = true;
		return 0;
	case OPTION_TIMEOUT:
		return parse_duration("--timeout", value, &target.timeout_ns);
	}
	return usage_error("unexpected option");
}

static int build(const char *verb, int argc, char *argv[], sd_json_variant **ret)
{
	if (!argc == !target.all)
		return usage_error("%s: say either a VOLUME or --all", verb);
	if (sd_json_buildo(ret,
			   SD_JSON_BUILD_PAIR_CONDITION(argc > 0, "volume",
							SD_JSON_BUILD_STRING(argc ? argv[0] : "")),
			   SD_JSON_BUILD_PAIR_CONDITION(target.all, "all",
							SD_JSON_BUILD_BOOLEAN(true))) < 0) {
		complain("cannot make the request: the volume's name must be UTF-8.");
		return EXIT_REFUSED;
	}
	return 0;
}

/* A line for each grant whose mappings have not ended. */
static void show_left(sd_json_variant *left)
{
	for (size_t i = 0; i < sd_json_variant_elements(left); i++) {
		sd_json_variant *grant = sd_json_variant_by_index(left, i);
		char *volume = escape_text(field_string(grant, "volume") ?: "?");
		char *comm = escape_text(field_string(grant, "comm") ?: "exited");
		uint64_t id = 0, pid = 0, mapped = 0;

		field_number(grant, "id", &id);
		field_number(grant, "pid", &pid);
		field_number(grant, "mapped", &mapped);
		printf("left: grant %llu of pid %llu (%s): %llu %s mappings on volume %s\n",
		       (unsigned long long)id, (unsigned long long)pid, comm ?: "?",
		       (unsigned long long)mapped, mapped == 1 ? "process has" : "processes have",
		       volume ?: "?");
		free(volume);
		free(comm);
	}
}

/* What is configured can be stopped before it is mounted; then nothing is left of it. */
static int look_for_volume(const struct cli *cli, const char *volume, bool *ret_there)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	char *error_id = NULL;
	int r;

	*ret_there = true;
	if (!volume)
		return 0;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", volume)) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	r = agent_try(cli, "ListVolumes", parameters, &reply, &error_id);
	*ret_there = !error_id || strcmp(error_id, AGENT_INTERFACE ".NoSuchVolume");
	if (!r && error_id && *ret_there)
		r = agent_complain(error_id, reply);
	sd_json_variant_unref(reply);
	free(error_id);
	return r;
}

/* Everything from here on happens after the end, which no failure undoes. */
static int wait_for_rest(const struct cli *cli, const struct wanted *wanted,
			 sd_json_variant **reply)
{
	sd_json_variant *left = NULL;
	bool there;
	int r;

	r = look_for_volume(cli, wanted->volume, &there);
	if (!r && !there && sd_json_variant_new_array(&left, NULL, 0) < 0)
		r = EXIT_REFUSED;
	else if (!r && there)
		r = remains_wait(cli, wanted, target.timeout_ns ?: TIMEOUT_NS, &left);
	if (r)
		complain("everything is stopped; whether mappings are left is not known.");
	else if (sd_json_variant_set_field(reply, "left", left) < 0)
		complain("out of memory");
	if (!r && sd_json_variant_elements(left)) {
		if (!cli->json)
			show_left(left);
		complain("the time is up, and not all mappings have ended; kill these processes, or wait with \"trustgate grants -o +MAPPED\".");
	}
	r = r || sd_json_variant_elements(left) ? EXIT_LEFT : 0;
	sd_json_variant_unref(left);
	return r;
}

static int add_survivors(sd_json_variant *found, sd_json_variant **reply)
{
	sd_json_variant *keepers = sd_json_variant_by_key(found, "keepers");
	sd_json_variant *none = NULL;
	uint64_t more = 0;
	int r = 0;

	field_number(found, "more", &more);
	if (!keepers)
		r = sd_json_variant_new_array(&none, NULL, 0);
	if (r >= 0)
		r = sd_json_variant_set_field(reply, "survivors", keepers ?: none);
	if (r >= 0)
		r = sd_json_variant_set_field_unsigned(reply, "survivorsMore", more);
	sd_json_variant_unref(none);
	return r;
}

static int run_stop(const struct cli *cli, int argc, char *argv[])
{
	const struct wanted wanted = { .volume = argc ? argv[0] : NULL, .all = target.all };
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	sd_json_variant *survivors = NULL;
	uint64_t ended = 0, refused = 0;
	int r, waited, known;

	r = build("stop", argc, argv, &parameters);
	if (!r)
		r = agent_call(cli, "Stop", parameters, &reply);
	if (r)
		return r;
	if (!cli->json) {
		field_number(reply, "ended", &ended);
		field_number(reply, "refused", &refused);
		printf("stopped: %llu %s ended, %llu %s refused\n", (unsigned long long)ended,
		       ended == 1 ? "grant" : "grants", (unsigned long long)refused,
		       refused == 1 ? "request" : "requests");
		fflush(stdout);
	}
	waited = wait_for_rest(cli, &wanted, &reply);
	known = survivors_find(cli, wanted.volume, &survivors);
	if (known)
		complain("everything is stopped; who still has files open or mapped is not known.");
	else if (add_survivors(survivors, &reply) < 0)
		complain("out of memory");
	if (cli->json)
		r = print_json(cli, reply);
	else if (!waited)
		printf("no mapping is left that had to end\n");
	if (!cli->json && !known)
		r = survivors_show(cli, survivors);
	sd_json_variant_unref(survivors);
	sd_json_variant_unref(reply);
	return r ?: waited ?: known ? EXIT_LEFT : 0;
}

static int run_start(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	r = build("start", argc, argv, &parameters);
	if (!r)
		r = agent_call(cli, "Start", parameters, &reply);
	if (!r && cli->json)
		r = print_json(cli, reply);
	else if (!r)
		printf("started: grants can be given again\n");
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option stop_options[] = {
	{ OPTION_ALL, 0, "all", NULL, "on every volume of the host, also those that come later" },
	{ OPTION_TIMEOUT, 0, "timeout", "DURATION", "wait no longer than this for mappings to end; 30s by default" },
	{ 0 }
};

const struct verb verb_stop = {
	.name = "stop",
	.arguments = "[VOLUME]",
	.summary = "end everything on a volume, and give nothing until it is started",
	.details = "All grants end, standing ones too; opens that wait are denied. It stays so over\n"
		   "restarts, until a trustee starts it. Mappings of grants with --on-end unmap or kill\n"
		   "follow: what is left of them when the time is up is listed.",
	.options = stop_options,
	.shared = SHARED_JSON,
	.min = 0,
	.max = 1,
	.take = take,
	.run = run_stop,
};

static const struct cli_option start_options[] = {
	{ OPTION_ALL, 0, "all", NULL, "every volume that was stopped" },
	{ 0 }
};

const struct verb verb_start = {
	.name = "start",
	.arguments = "[VOLUME]",
	.summary = "have grants given again on a volume that was stopped",
	.options = start_options,
	.shared = SHARED_JSON,
	.min = 0,
	.max = 1,
	.take = take,
	.run = run_start,
};
