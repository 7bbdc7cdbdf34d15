// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate status - is the gate shut, is the agent there, how full is it.
 *
 * Owns: the overview, from the agent, or without it from the kernel itself.
 *
 * Must not own: how the kernel is asked (kernel.c).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "kernel.h"
#include "table.h"
#include "trustgate.h"

static uint64_t number(sd_json_variant *status, const char *name)
{
	uint64_t value = 0;

	field_number(status, name, &value);
	return value;
}

static void line(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void line(const char *label, const char *format, ...)
{
	va_list args;

	printf("%10s: ", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static enum colour state_colour(const char *state)
{
	if (!strcmp(state, trustgate_name(TRUSTGATE_NAMES_GATE_STATE, TRUSTGATE_GATE_STATE_ARMED)))
		return COLOUR_GOOD;
	if (!strcmp(state, trustgate_name(TRUSTGATE_NAMES_GATE_STATE, TRUSTGATE_GATE_STATE_IDLE)))
		return COLOUR_WARNING;
	return COLOUR_BAD;
}

static void show_state(const struct cli *cli, sd_json_variant *status)
{
	const char *raw = field_string(status, "state") ?: "unknown";
	enum colour colour = state_colour(raw);
	uint64_t proofs = number(status, "proofs");
	char *state = escape_text(raw);
	char buffer[FORMAT_TIME_SIZE];

	if (proofs)
		line("State", "%s%s%s, last proof %s, %llu in all", colour_begin(colour),
		     state ?: "?", colour_end(colour),
		     format_time_now(number(status, "proofBoottimeNSec"), cli->time, buffer),
		     (unsigned long long)proofs);
	else
		line("State", "%s%s%s", colour_begin(colour), state ?: "?", colour_end(colour));
	free(state);
}

static void show_agent(sd_json_variant *status, bool from_kernel)
{
	char *version = escape_text(field_string(status, "version") ?: "");
	uint64_t pid;

	if (!field_number(status, "agentPid", &pid) || !pid)
		line("Agent", "%snone is bound, nothing can be granted%s",
		     colour_begin(COLOUR_BAD), colour_end(COLOUR_BAD));
	else if (from_kernel)
		line("Agent", "pid %llu is bound, but cannot be reached", (unsigned long long)pid);
	else
		line("Agent", "trusteed %s, pid %llu, %llu watching", version ?: "",
		     (unsigned long long)pid, (unsigned long long)number(status, "watchers"));
	free(version);
}

static void show_requests(sd_json_variant *status)
{
	uint64_t oldest_ns = number(status, "oldestRequestBoottimeNSec");
	uint64_t now_ns = boottime_now_ns();
	char buffer[FORMAT_TIME_SIZE];

	if (oldest_ns)
		line("Requests", "%llu of at most %llu, the oldest waits for %s; see \"trustgate requests\"",
		     (unsigned long long)number(status, "requests"),
		     (unsigned long long)number(status, "requestsMax"),
		     format_left(now_ns > oldest_ns ? now_ns - oldest_ns : 0, buffer));
	else
		line("Requests", "%llu of at most %llu",
		     (unsigned long long)number(status, "requests"),
		     (unsigned long long)number(status, "requestsMax"));
}

/* What is no longer observed may have been read by anybody while it was. */
static void show_observations(const struct cli *cli, sd_json_variant *status)
{
	sd_json_variant *list = sd_json_variant_by_key(status, "observations");

	for (size_t i = 0; i < sd_json_variant_elements(list); i++) {
		sd_json_variant *observation = sd_json_variant_by_index(list, i);
		bool live = field_true(observation, "live");
		enum colour colour = live ? COLOUR_BAD : COLOUR_WARNING;
		char *name = escape_text(field_string(observation, "volume") ?: "?");
		char since[FORMAT_TIME_SIZE], until[FORMAT_TIME_SIZE];
		uint64_t times = number(observation, "times");

		format_time_now(number(observation, "sinceBoottimeNSec"), cli->time, since);
		format_time_now(number(observation, "untilBoottimeNSec"), cli->time, until);
		line("Observed", "%s%s %s%s since %s, until %s%s", colour_begin(colour), name ?: "?",
		     live ? "is recorded and NOT DENIED" : "was not denied", colour_end(colour),
		     since, until, times > 1 ? ", with breaks" : "");
		free(name);
	}
}

static int show(const struct cli *cli, sd_json_variant *status, bool from_kernel)
{
	uint64_t dropped = number(status, "eventsDropped");
	uint64_t missed = number(status, "eventsAgentMissed");
	enum colour loss = dropped || missed ? COLOUR_WARNING : COLOUR_NONE;
	char *hooks = field_joined(status, "hooks", " ");
	char *safe = hooks ? escape_text(hooks) : NULL;
	char buffer[FORMAT_TIME_SIZE];

	show_state(cli, status);
	show_agent(status, from_kernel);
	if (sd_json_variant_elements(sd_json_variant_by_key(status, "stopped"))) {
		char *stopped = field_joined(status, "stopped", " ");
		char *names = stopped ? escape_text(stopped) : NULL;

		line("Stopped", "%s%s%s, see trustgate start", colour_begin(COLOUR_WARNING),
		     names && strcmp(names, "*") ? names : "all volumes", colour_end(COLOUR_WARNING));
		free(names);
		free(stopped);
	}
	show_observations(cli, status);
	line("Volumes", "%llu of at most %llu", (unsigned long long)number(status, "volumes"),
	     (unsigned long long)number(status, "volumesMax"));
	line("Grants", "%llu of at most %llu, held by %llu %s",
	     (unsigned long long)number(status, "grants"),
	     (unsigned long long)number(status, "grantsMax"),
	     (unsigned long long)number(status, "subjects"),
	     number(status, "subjects") == 1 ? "process" : "processes");
	line("Memory", "at most %s of the kernel's for grants",
	     format_bytes(number(status, "grantsBytesMax"), buffer));
	show_requests(status);
	line("Events", "%llu, %s%llu dropped, %llu missed by the agent%s",
	     (unsigned long long)number(status, "eventSeq"), colour_begin(loss),
	     (unsigned long long)dropped, (unsigned long long)missed, colour_end(loss));
	line("Audit", "%llu denials left out by the rate limit",
	     (unsigned long long)number(status, "auditSuppressed"));
	if (field_string(status, "accountProblem")) {
		char *problem = escape_text(field_string(status, "accountProblem"));

		line("Account", "%snothing is recorded: %s%s", colour_begin(COLOUR_BAD),
		     problem ?: "?", colour_end(COLOUR_BAD));
		free(problem);
	}
	if (number(status, "breakGlass"))
		line("Break-glass", "%s%llu not acknowledged%s: trustgate history --state approved,completed,revoked -o +KIND",
		     colour_begin(COLOUR_BAD), (unsigned long long)number(status, "breakGlass"),
		     colour_end(COLOUR_BAD));
	if (field_string(status, "requestsProblem")) {
		char *problem = escape_text(field_string(status, "requestsProblem"));

		line("Approvals", "%sdenied, as requests cannot be kept: %s%s", colour_begin(COLOUR_BAD),
		     problem ?: "?", colour_end(COLOUR_BAD));
		free(problem);
	}
	line("Mappings", "%llu ended by force, %llu processes killed, %llu ended grants still looked for",
	     (unsigned long long)number(status, "unmapped"),
	     (unsigned long long)number(status, "killed"),
	     (unsigned long long)number(status, "ending"));
	line("Hooks", "%s", safe && *safe ? safe : "none attached");
	line("ABI", "%llu", (unsigned long long)number(status, "abiVersion"));
	free(safe);
	free(hooks);
	return 0;
}

/* The agent is out of reach, which stays the exit code whatever is shown. */
static int ask_kernel(const struct cli *cli)
{
	sd_json_variant *status = NULL;

	if (!kernel_status(&status)) {
		complain("what follows is from the kernel itself.");
		if (cli->json)
			print_json(cli, status);
		else
			show(cli, status, true);
	}
	sd_json_variant_unref(status);
	return EXIT_UNREACHABLE;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *status = NULL;
	int r;

	(void)argc;
	(void)argv;
	r = agent_call(cli, "Status", NULL, &status);
	if (r == EXIT_UNREACHABLE)
		return ask_kernel(cli);
	if (r)
		return r;
	r = cli->json ? print_json(cli, status) : show(cli, status, false);
	sd_json_variant_unref(status);
	return r;
}

const struct verb verb_status = {
	.name = "status",
	.arguments = "",
	.summary = "show the state of the gate and of the agent",
	.details = "If the agent cannot be reached, root is shown what the kernel says, with exit code 3.",
	.shared = SHARED_JSON | SHARED_TIME,
	.min = 0,
	.max = 0,
	.run = run,
};
