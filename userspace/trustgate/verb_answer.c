// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate approve, deny - answer an open that waits for a trustee.
 *
 * Owns: their options.
 *
 * Must not own: who may, and how much; the agent says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "trustgate.h"

static struct {
	struct trustgate_access_spec access;
	bool access_given;
	uint64_t duration_ns;
	bool descendants;
	bool supervised;
	const char *reason;
	const char *ticket;
} answer;

static int take(int id, const char *value)
{
	char error[256];
	uint32_t known;

	switch (id) {
	case OPTION_ACCESS:
		if (trustgate_access_parse(value, &answer.access, error, sizeof(error)))
			return usage_error("--access: %s", error);
		answer.access_given = true;
		return 0;
	case OPTION_FOR:
		return parse_duration("--for", value, &answer.duration_ns);
	case OPTION_DESCENDANTS:
		answer.descendants = true;
		return 0;
	case OPTION_SUPERVISED:
		answer.supervised = true;
		return 0;
	case OPTION_REASON:
		if (trustgate_value(TRUSTGATE_NAMES_REASON, value, &known) || !known)
			return usage_error("--reason: \"%s\" is not a reason; see trustgate grant --help",
					   value);
		answer.reason = value;
		return 0;
	case OPTION_TICKET:
		answer.ticket = value;
		return 0;
	}
	return usage_error("unexpected option");
}

static int refuse_to_make(void)
{
	complain("cannot make the request: out of memory, or the ticket is not UTF-8.");
	return EXIT_REFUSED;
}

static int build_approval(uint64_t id, sd_json_variant **ret)
{
	sd_json_variant *access = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && answer.access_given &&
			   trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i); i++)
		if (answer.access.exact & UINT32_C(1) << i)
			r = sd_json_variant_append_arrayb(&access,
				SD_JSON_BUILD_STRING(trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i)));
	if (r >= 0)
		r = sd_json_buildo(ret,
				   SD_JSON_BUILD_PAIR_UNSIGNED("id", id),
				   SD_JSON_BUILD_PAIR_STRING("reason", answer.reason),
				   SD_JSON_BUILD_PAIR_CONDITION(access != NULL, "access",
								SD_JSON_BUILD_VARIANT(access)),
				   SD_JSON_BUILD_PAIR_CONDITION(answer.duration_ns != 0, "durationNSec",
								SD_JSON_BUILD_UNSIGNED(answer.duration_ns)),
				   SD_JSON_BUILD_PAIR_CONDITION(answer.descendants, "descendants",
								SD_JSON_BUILD_BOOLEAN(true)),
				   SD_JSON_BUILD_PAIR_CONDITION(answer.supervised, "supervised",
								SD_JSON_BUILD_BOOLEAN(true)),
				   SD_JSON_BUILD_PAIR_CONDITION(answer.ticket != NULL, "ticket",
								SD_JSON_BUILD_STRING(answer.ticket)));
	sd_json_variant_unref(access);
	return r < 0 ? refuse_to_make() : 0;
}

static int show_grant(const struct cli *cli, uint64_t id, sd_json_variant *reply)
{
	sd_json_variant *grant = sd_json_variant_by_key(reply, "grant");
	char *access, *path, *left;

	if (!grant) {
		complain("the agent's answer makes no sense: it holds no grant.");
		return EXIT_REFUSED;
	}
	if (cli->json)
		return print_json(cli, grant);
	access = cell_names(grant, "access");
	path = escape_text(field_string(grant, "path") ?: "?");
	left = cell_left(grant, "expiresBoottimeNSec");
	printf("request %llu is approved: %s on %s for %s\n", (unsigned long long)id,
	       access ?: "?", path ?: "?", left ?: "?");
	free(access);
	free(path);
	free(left);
	return 0;
}

static int run_approve(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	uint64_t id;
	int r;

	(void)argc;
	r = parse_number("ID", argv[0], 1, UINT64_MAX, &id);
	if (!r && !answer.reason)
		r = usage_error("approve: --reason is missing: why it is allowed");
	if (!r)
		r = build_approval(id, &parameters);
	if (!r)
		r = agent_call(cli, "Approve", parameters, &reply);
	if (!r)
		r = show_grant(cli, id, reply);
	sd_json_variant_unref(reply);
	return r;
}

static int run_deny(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	uint64_t id;
	int r;

	(void)argc;
	r = parse_number("ID", argv[0], 1, UINT64_MAX, &id);
	if (!r && sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_UNSIGNED("id", id)) < 0)
		r = refuse_to_make();
	if (!r)
		r = agent_call(cli, "Deny", parameters, &reply);
	if (!r && cli->json)
		r = print_json(cli, reply);
	else if (!r)
		printf("request %llu is denied\n", (unsigned long long)id);
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_REASON, 'r', "reason", "REASON", "why it is allowed (needed)" },
	{ OPTION_TICKET, 't', "ticket", "TEXT", "ticket, needed with customer-ticket" },
	{ OPTION_FOR, 0, "for", "DURATION", "how long; at most what the rule allows, which it is without this" },
	{ OPTION_ACCESS, 'a', "access", "ACCESS", "less than what is asked for" },
	{ OPTION_DESCENDANTS, 0, "descendants", NULL, "cover processes forked from it, too" },
	{ OPTION_SUPERVISED, 0, "supervised", NULL, "allow only while a trustee supervises it, see watch" },
	{ 0 }
};

const struct verb verb_approve = {
	.name = "approve",
	.arguments = "ID",
	.summary = "allow what a process waits for",
	.options = options,
	.shared = SHARED_JSON,
	.min = 1,
	.max = 1,
	.take = take,
	.run = run_approve,
};

const struct verb verb_deny = {
	.name = "deny",
	.arguments = "ID",
	.summary = "deny what a process waits for",
	.shared = SHARED_JSON,
	.min = 1,
	.max = 1,
	.run = run_deny,
};
