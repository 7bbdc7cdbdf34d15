// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate approve, deny, extend - decide about a request.
 *
 * Owns: their options, one after the other for several requests, and what is said of
 * the outcome.
 *
 * Must not own: who may, and how much; the agent says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "asking.h"
#include "cell.h"
#include "format.h"
#include "moment.h"
#include "trustgate.h"

static struct {
	struct trustgate_access_spec access;
	bool access_given;
	uint64_t duration_ns;
	uint64_t begin_realtime_ns;
	bool descendants;
	bool supervised;
	const char *reason;
	const char *ticket;
	struct asking asking;
} answer;

static int take(int id, const char *value)
{
	char error[256];
	uint32_t known;
	int r;

	if (asking_take(&answer.asking, id, value, &r))
		return r;
	switch (id) {
	case OPTION_ACCESS:
		if (trustgate_access_parse(value, &answer.access, error, sizeof(error)))
			return usage_error("--access: %s", error);
		answer.access_given = true;
		return 0;
	case OPTION_FOR:
		return parse_duration("--for", value, &answer.duration_ns);
	case OPTION_AT:
		return parse_moment("--at", value, true, &answer.begin_realtime_ns);
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

static int refuse_to_make(sd_json_variant *parameters)
{
	sd_json_variant_unref(parameters);
	complain("cannot make the request: out of memory, or a text is not UTF-8.");
	return EXIT_REFUSED;
}

/* What all of them have. */
static int build(uint64_t id, sd_json_variant **ret)
{
	int r = sd_json_variant_set_field_unsigned(ret, "id", id);

	if (r >= 0)
		r = asking_add(&answer.asking, ret);
	if (r >= 0 && answer.duration_ns)
		r = sd_json_variant_set_field_unsigned(ret, "durationNSec", answer.duration_ns);
	return r;
}

static int build_approval(uint64_t id, uint64_t delay_ns, sd_json_variant **ret)
{
	sd_json_variant *access = NULL;
	int r = build(id, ret);

	for (size_t i = 0; r >= 0 && answer.access_given &&
			   trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i); i++)
		if (answer.access.exact & UINT32_C(1) << i)
			r = sd_json_variant_append_arrayb(&access,
				SD_JSON_BUILD_STRING(trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i)));
	if (r >= 0 && access)
		r = sd_json_variant_set_field(ret, "access", access);
	sd_json_variant_unref(access);
	if (r >= 0 && delay_ns)
		r = sd_json_variant_set_field_unsigned(ret, "delayNSec", delay_ns);
	if (r >= 0 && answer.descendants)
		r = sd_json_variant_set_field_boolean(ret, "descendants", true);
	if (r >= 0 && answer.supervised)
		r = sd_json_variant_set_field_boolean(ret, "supervised", true);
	if (r >= 0 && answer.reason)
		r = sd_json_variant_set_field_string(ret, "reason", answer.reason);
	if (r >= 0 && answer.ticket)
		r = sd_json_variant_set_field_string(ret, "ticket", answer.ticket);
	return r;
}

/* ---- what came of it ---- */

static int no_sense(void)
{
	complain("the agent's answer makes no sense: it holds no request.");
	return EXIT_REFUSED;
}

static void show_missing(uint64_t id, sd_json_variant *request)
{
	uint64_t trustees = 0, tenants = 0, need_trustees = 0, need_tenants = 0;
	unsigned long long missing_trustees, missing_tenants;

	(void)field_number(request, "trustees", &trustees);
	(void)field_number(request, "tenants", &tenants);
	(void)field_number(request, "needTrustees", &need_trustees);
	(void)field_number(request, "needTenants", &need_tenants);
	missing_trustees = need_trustees > trustees ? need_trustees - trustees : 0;
	missing_tenants = need_tenants > tenants ? need_tenants - tenants : 0;
	printf("your approval of request %llu is on record; ", (unsigned long long)id);
	if (missing_trustees)
		printf("%llu more of a trustee", missing_trustees);
	if (missing_tenants)
		printf("%s%llu more of a tenant", missing_trustees ? " and " : "", missing_tenants);
	printf(" needed\n");
}

static int show_approval(const struct cli *cli, uint64_t id, sd_json_variant *reply)
{
	sd_json_variant *request = sd_json_variant_by_key(reply, "request");
	sd_json_variant *grant = sd_json_variant_by_key(reply, "grant");
	const char *state = field_string(request, "state");
	char *access, *path, *left;

	if (!request || !state)
		return no_sense();
	if (cli->json)
		return print_json(cli, reply);
	if (!strcmp(state, "pending")) {
		show_missing(id, request);
		return 0;
	}
	if (!grant) {
		left = cell_left(request, "beginBoottimeNSec");
		printf("request %llu is approved and begins in %s\n", (unsigned long long)id,
		       left ?: "?");
		free(left);
		return 0;
	}
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

/* One after the other; one that is refused does not keep the others from it. */
static int for_each(const struct cli *cli, int argc, char *argv[],
		    int (*run)(const struct cli *cli, uint64_t id))
{
	int worst = 0;

	for (int i = 0; i < argc; i++) {
		uint64_t id;
		int r = parse_number("ID", argv[i], 1, INT64_MAX, &id);

		if (r)
			return r;
	}
	for (int i = 0; i < argc; i++) {
		uint64_t id = 0;
		int r = parse_number("ID", argv[i], 1, INT64_MAX, &id) ?: run(cli, id);

		/* Without the agent there is nothing more to be tried. */
		if (r == EXIT_UNREACHABLE)
			return r;
		worst = worst ?: r;
	}
	return worst;
}

static int approve(const struct cli *cli, uint64_t id)
{
	uint64_t delay_ns = 0, now_ns = realtime_now_ns();
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	if (answer.begin_realtime_ns && answer.begin_realtime_ns <= now_ns)
		return usage_error("--at: that time has passed; leave it out to begin now");
	if (answer.begin_realtime_ns)
		delay_ns = answer.begin_realtime_ns - now_ns;
	if (build_approval(id, delay_ns, &parameters) < 0)
		return refuse_to_make(parameters);
	r = agent_call(cli, "Approve", parameters, &reply);
	if (!r)
		r = show_approval(cli, id, reply);
	sd_json_variant_unref(reply);
	return r;
}

static int run_approve(const struct cli *cli, int argc, char *argv[])
{
	return for_each(cli, argc, argv, approve);
}

/* A number, a comment, and nothing but a word to say. */
static int decide(const struct cli *cli, uint64_t id, const char *method, const char *done)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	if (build(id, &parameters) < 0)
		return refuse_to_make(parameters);
	r = agent_call(cli, method, parameters, &reply);
	if (!r && cli->json)
		r = print_json(cli, reply);
	else if (!r)
		printf("request %llu is %s\n", (unsigned long long)id, done);
	sd_json_variant_unref(reply);
	return r;
}

static int deny(const struct cli *cli, uint64_t id)
{
	return decide(cli, id, "Deny", "denied");
}

static int run_deny(const struct cli *cli, int argc, char *argv[])
{
	return for_each(cli, argc, argv, deny);
}

static int acknowledge(const struct cli *cli, uint64_t id)
{
	return decide(cli, id, "Acknowledge", "acknowledged");
}

static int run_acknowledge(const struct cli *cli, int argc, char *argv[])
{
	return for_each(cli, argc, argv, acknowledge);
}

static int run_extend(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	uint64_t id, number;
	int r;

	(void)argc;
	r = parse_number("ID", argv[0], 1, INT64_MAX, &id);
	if (!r && !answer.duration_ns)
		r = usage_error("extend: --for is missing: how much longer");
	if (r)
		return r;
	if (build(id, &parameters) < 0)
		return refuse_to_make(parameters);
	r = agent_call(cli, "ExtendRequest", parameters, &reply);
	if (!r && !field_number(sd_json_variant_by_key(reply, "request"), "id", &number))
		r = no_sense();
	if (!r && cli->json)
		r = print_json(cli, reply);
	else if (!r)
		printf("request %llu asks for that and waits for approval\n",
		       (unsigned long long)number);
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_REASON, 'r', "reason", "REASON", "why it is allowed (needed, unless somebody has given one)" },
	{ OPTION_TICKET, 't', "ticket", "TEXT", "ticket, needed with customer-ticket" },
	{ OPTION_FOR, 0, "for", "DURATION", "how long; at most what is asked for or the rule allows, which it is without this" },
	{ OPTION_AT, 0, "at", "TIME", "begin at that time of UTC, 2026-11-24T03:00:00Z, or so long from now, 5m" },
	{ OPTION_ACCESS, 'a', "access", "ACCESS", "less than what is asked for" },
	{ OPTION_DESCENDANTS, 0, "descendants", NULL, "cover processes forked from it, too" },
	{ OPTION_SUPERVISED, 0, "supervised", NULL, "allow only while a trustee supervises it, see watch" },
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "why, in words" },
	ASKING_OPTIONS(""),
	{ 0 }
};

const struct verb verb_approve = {
	.name = "approve",
	.arguments = "ID...",
	.summary = "approve requests",
	.details = "Where several people have to approve, each does so; what all of them allow is\n"
		   "granted. Nobody can approve what he has asked for himself, or twice.",
	.options = options,
	.shared = SHARED_JSON,
	.min = 1,
	.max = -1,
	.take = take,
	.run = run_approve,
};

static const struct cli_option deny_options[] = {
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "why, in words" },
	{ 0 }
};

const struct verb verb_deny = {
	.name = "deny",
	.arguments = "ID...",
	.summary = "deny requests, whatever others say",
	.options = deny_options,
	.shared = SHARED_JSON,
	.min = 1,
	.max = -1,
	.take = take,
	.run = run_deny,
};

static const struct cli_option extend_options[] = {
	{ OPTION_FOR, 0, "for", "DURATION", "how much longer (needed)" },
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "why, in words" },
	{ 0 }
};

const struct verb verb_extend = {
	.name = "extend",
	.arguments = "ID",
	.summary = "ask for more time for a request's grant",
	.details = "That is a request of its own, which needs the same approvals.",
	.options = extend_options,
	.shared = SHARED_JSON,
	.min = 1,
	.max = 1,
	.take = take,
	.run = run_extend,
};

const struct verb verb_acknowledge = {
	.name = "acknowledge",
	.arguments = "ID...",
	.summary = "acknowledge that somebody broke the glass",
	.options = deny_options,
	.shared = SHARED_JSON,
	.min = 1,
	.max = -1,
	.take = take,
	.run = run_acknowledge,
};
