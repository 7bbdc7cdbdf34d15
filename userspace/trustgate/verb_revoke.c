// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate revoke - end grants at once.
 *
 * Owns: the four ways to name grants, of which exactly one is used; what is said
 * of those whose mappings have not ended.
 *
 * Must not own: when that is so (remains.c).
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "remains.h"

static struct {
	const char *volume;
	uint64_t pid;
	uint64_t request;
	const char *comment;
	bool all;
	bool wait;
	uint64_t timeout_ns;
} target;

static int take(int id, const char *value)
{
	switch (id) {
	case OPTION_VOLUME:
		target.volume = value;
		return 0;
	case OPTION_PID:
		return parse_number("--pid", value, 1, INT_MAX, &target.pid);
	case OPTION_REQUEST:
		return parse_number("--request", value, 1, INT64_MAX, &target.request);
	case OPTION_COMMENT:
		target.comment = value;
		return 0;
	case OPTION_ALL:
		target.all = true;
		return 0;
	case OPTION_WAIT:
		target.wait = true;
		return 0;
	case OPTION_TIMEOUT:
		return parse_duration("--timeout", value, &target.timeout_ns);
	}
	return usage_error("unexpected option");
}

static int no_memory(void)
{
	complain("out of memory");
	return EXIT_REFUSED;
}

static int parse_ids(int argc, char *argv[], struct wanted *wanted)
{
	int r = 0;

	for (int i = 0; !r && i < argc; i++) {
		uint64_t id;

		r = parse_number("ID", argv[i], 1, UINT64_MAX, &id);
		if (!r)
			r = wanted_add(wanted, id);
	}
	return r;
}

static bool has_id(sd_json_variant *grants, uint64_t id)
{
	for (size_t i = 0; i < sd_json_variant_elements(grants); i++) {
		uint64_t one = 0;

		field_number(sd_json_variant_by_index(grants, i), "id", &one);
		if (one == id)
			return true;
	}
	return false;
}

/* @ended: grants that have ended already and are only to be waited for. */
static int build(const struct wanted *wanted, bool by_ids, sd_json_variant *ended,
		 sd_json_variant **ret)
{
	sd_json_variant *ids = NULL;
	int r = 0;

	for (size_t i = 0; by_ids && !r && i < wanted->count; i++)
		if (!has_id(ended, wanted->ids[i]) &&
		    sd_json_variant_append_arrayb(&ids, SD_JSON_BUILD_UNSIGNED(wanted->ids[i])) < 0)
			r = no_memory();
	if (!r && (!by_ids || ids) &&
	    sd_json_buildo(ret,
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

/* Ends them; *ret_reply is what the agent answers. */
static int end(const struct cli *cli, struct wanted *wanted, sd_json_variant **ret_reply)
{
	const bool by_ids = wanted->count;
	sd_json_variant *parameters = NULL;
	sd_json_variant *ended = NULL;
	int r = 0;

	if (target.wait && by_ids)
		r = remains_find(cli, wanted, &ended);
	else if (target.wait && target.pid)
		r = wanted_add_process(cli, wanted);
	if (!r)
		r = build(wanted, by_ids, ended, &parameters);
	sd_json_variant_unref(ended);
	if (!r && parameters)
		return agent_call(cli, "Revoke", parameters, ret_reply);
	if (!r && sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_UNSIGNED("ended", 0)) < 0)
		r = no_memory();
	return r;
}

static void complain_left(sd_json_variant *left)
{
	size_t count = sd_json_variant_elements(left);
	uint64_t id = 0;

	field_number(sd_json_variant_by_index(left, 0), "id", &id);
	complain("the time is up, and %zu %s ended of which mappings may be left: %llu%s. See \"trustgate grants -o +MAPPED\".",
		 count, count == 1 ? "grant has" : "grants have", (unsigned long long)id,
		 count == 1 ? "" : " and others");
}

/* Everything from here on happens after the end, which no failure undoes. */
static int wait_for_rest(const struct cli *cli, const struct wanted *wanted,
			 sd_json_variant **reply)
{
	sd_json_variant *left = NULL;
	int r;

	r = remains_wait(cli, wanted, target.timeout_ns ?: UINT64_MAX, &left);
	if (r)
		complain("the grants have ended; whether mappings are left is not known.");
	else if (sd_json_variant_elements(left))
		complain_left(left);
	if (left && sd_json_variant_set_field(reply, "left", left) < 0)
		r = no_memory();
	r = r || sd_json_variant_elements(left) ? EXIT_LEFT : 0;
	sd_json_variant_unref(left);
	return r;
}

/* The grant of a request, whose end is told with it. */
static int end_request(const struct cli *cli)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	if (target.wait)
		return usage_error("revoke: --wait goes with grants; trustgate show tells whether the request failed to close");
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_UNSIGNED("id", target.request),
			   SD_JSON_BUILD_PAIR_CONDITION(target.comment != NULL, "comment",
							SD_JSON_BUILD_STRING(target.comment))) < 0) {
		complain("cannot make the request: the comment must be UTF-8.");
		return EXIT_REFUSED;
	}
	r = agent_call(cli, "RevokeRequest", parameters, &reply);
	if (!r && cli->json)
		r = print_json(cli, reply);
	else if (!r)
		printf("request %llu is revoked\n", (unsigned long long)target.request);
	sd_json_variant_unref(reply);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	int ways = (argc > 0) + !!target.volume + !!target.pid + target.all + !!target.request;
	struct wanted wanted = {
		.volume = target.volume, .pid = target.pid, .all = target.all,
	};
	sd_json_variant *reply = NULL;
	uint64_t ended = 0;
	int r, waited = 0;

	if (!ways)
		return usage_error("revoke: say which grants: IDs, --volume, --pid, --request or --all");
	if (ways > 1)
		return usage_error("revoke: IDs, --volume, --pid, --request and --all exclude each other");
	if (target.comment && !target.request)
		return usage_error("revoke: --comment goes with --request");
	if (target.timeout_ns && !target.wait)
		return usage_error("revoke: --timeout goes with --wait");
	if (target.request)
		return end_request(cli);
	r = parse_ids(argc, argv, &wanted);
	if (!r)
		r = end(cli, &wanted, &reply);
	if (!r && !cli->json) {
		field_number(reply, "ended", &ended);
		printf("%llu %s ended\n", (unsigned long long)ended, ended == 1 ? "grant" : "grants");
		fflush(stdout);
	}
	if (!r && target.wait)
		waited = wait_for_rest(cli, &wanted, &reply);
	if (!r && cli->json)
		r = print_json(cli, reply);
	else if (!r && target.wait && !waited)
		printf("no mapping is left\n");
	sd_json_variant_unref(reply);
	free(wanted.ids);
	return r ?: waited;
}

static const struct cli_option options[] = {
	{ OPTION_VOLUME, 'V', "volume", "NAME", "every grant on this volume" },
	{ OPTION_PID, 'p', "pid", "PID", "every grant of this process" },
	{ OPTION_REQUEST, 0, "request", "ID", "the grant of this request" },
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "with --request: why, in words" },
	{ OPTION_ALL, 0, "all", NULL, "every grant" },
	{ OPTION_WAIT, 'w', "wait", NULL, "wait until the mappings that are to end with them have ended" },
	{ OPTION_TIMEOUT, 0, "timeout", "DURATION", "wait no longer than this" },
	{ 0 }
};

const struct verb verb_revoke = {
	.name = "revoke",
	.arguments = "[ID...]",
	.summary = "end grants at once",
	.details = "When it is done, nothing more succeeds by those grants, also on files already open.\n"
		   "Mappings of grants with --on-end unmap or kill follow; --wait waits for that.",
	.options = options,
	.shared = SHARED_JSON,
	.min = 0,
	.max = -1,
	.take = take,
	.run = run,
};
