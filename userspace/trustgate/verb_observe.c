// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate observe - have accesses to a volume recorded and not denied, for a time.
 *
 * Owns: the options that say for how long and why, also those of "volume add".
 *
 * Must not own: who may, and what it means (the agent, the kernel).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "format.h"
#include "observe.h"
#include "table.h"
#include "trustgate.h"

static struct {
	uint64_t duration_ns;
	const char *reason;
	const char *ticket;
	const char *comment;
	bool end;
} act;

int observe_take(int id, const char *value)
{
	uint32_t reason;

	switch (id) {
	case OPTION_FOR:
		return parse_duration("--for", value, &act.duration_ns);
	case OPTION_OBSERVE:
		return parse_duration("--observe", value, &act.duration_ns);
	case OPTION_REASON:
		if (trustgate_value(TRUSTGATE_NAMES_REASON, value, &reason) ||
		    reason == TRUSTGATE_REASON_UNSPECIFIED)
			return usage_error("--reason: there is no reason \"%s\"", value);
		act.reason = value;
		return 0;
	case OPTION_TICKET:
		if (strlen(value) > TRUSTGATE_TICKET_MAX)
			return usage_error("--ticket is longer than %d bytes", TRUSTGATE_TICKET_MAX);
		act.ticket = value;
		return 0;
	case OPTION_COMMENT:
		act.comment = value;
		return 0;
	case OPTION_END:
		act.end = true;
		return 0;
	}
	return usage_error("unexpected option");
}

bool observe_given(void)
{
	return act.duration_ns || act.reason || act.ticket || act.comment;
}

int observe_check(const char *option)
{
	char time[TRUSTGATE_DURATION_SIZE];

	if (!act.duration_ns)
		return usage_error("%s is missing, such as 2h", option);
	if (act.duration_ns > TRUSTGATE_OBSERVE_MAX_NS)
		return usage_error("%s: a volume is observed for at most %s; say it again later",
				   option,
				   trustgate_duration_format(TRUSTGATE_OBSERVE_MAX_NS, time));
	if (!act.reason)
		return usage_error("--reason is missing, such as maintenance");
	return 0;
}

int observe_add(sd_json_variant **parameters, const char *duration)
{
	int r = sd_json_variant_set_field_unsigned(parameters, duration, act.duration_ns);

	if (r >= 0)
		r = sd_json_variant_set_field_string(parameters, "reason", act.reason);
	if (r >= 0 && act.ticket)
		r = sd_json_variant_set_field_string(parameters, "ticket", act.ticket);
	if (r >= 0 && act.comment)
		r = sd_json_variant_set_field_string(parameters, "comment", act.comment);
	return r;
}

static int show(const struct cli *cli, sd_json_variant *reply)
{
	sd_json_variant *volume = sd_json_variant_by_key(reply, "volume");
	char buffer[FORMAT_TIME_SIZE];
	uint64_t until_ns = 0;
	char *name;

	if (!volume) {
		complain("the agent's answer makes no sense: it holds no volume.");
		return EXIT_REFUSED;
	}
	if (cli->json)
		return print_json(cli, volume);
	name = escape_text(field_string(volume, "name") ?: "?");
	if (field_number(volume, "observedUntilBoottimeNSec", &until_ns))
		printf("volume %s is observed until %s: accesses are recorded and %sNOT DENIED%s\n",
		       name ?: "?", format_time_now(until_ns, cli->time, buffer),
		       colour_begin(COLOUR_BAD), colour_end(COLOUR_BAD));
	else
		printf("volume %s is observed no longer: accesses without a grant are denied\n",
		       name ?: "?");
	free(name);
	return 0;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	(void)argc;
	if (act.end && observe_given())
		return usage_error("observe: --end goes with no other option");
	r = act.end ? 0 : observe_check("--for");
	if (r)
		return r;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("volume", argv[0])) < 0 ||
	    (!act.end && observe_add(&parameters, "durationNSec") < 0)) {
		sd_json_variant_unref(parameters);
		complain("cannot make the request: name, ticket and comment must be UTF-8.");
		return EXIT_REFUSED;
	}
	r = agent_call(cli, act.end ? "Unobserve" : "Observe", parameters, &reply);
	if (!r)
		r = show(cli, reply);
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_FOR, 0, "for", "DURATION", "for how long from now, at most 7d; it ends by itself" },
	{ OPTION_REASON, 'r', "reason", "REASON", "why: maintenance, incident, customer-ticket and so on" },
	{ OPTION_TICKET, 't', "ticket", "TEXT", "number of the ticket" },
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "why, in words, for the record" },
	{ OPTION_END, 0, "end", NULL, "have accesses denied again" },
	{ 0 }
};

const struct verb verb_observe = {
	.name = "observe",
	.arguments = "VOLUME",
	.summary = "record what would be denied on a volume, and do not deny it, for a time",
	.details = "For a volume that is in use and new to the gate. What is observed is an event with\n"
		   "the cause of the denial that it would have been. Only trustees may begin it; it is\n"
		   "in the account before it begins, and status tells of it until the module is unloaded.",
	.options = options,
	.shared = SHARED_JSON | SHARED_TIME,
	.min = 1,
	.max = 1,
	.take = observe_take,
	.run = run,
};
