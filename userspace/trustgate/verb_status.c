// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate status - is the gate shut, is the agent there, how full is it.
 *
 * Owns: the overview, from the agent, or without it from the kernel itself.
 *
 * Must not own: any other use of netlink: the agent alone may change things.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
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
	line("Volumes", "%llu of at most %llu", (unsigned long long)number(status, "volumes"),
	     (unsigned long long)number(status, "volumesMax"));
	line("Grants", "%llu of at most %llu, held by %llu %s",
	     (unsigned long long)number(status, "grants"),
	     (unsigned long long)number(status, "grantsMax"),
	     (unsigned long long)number(status, "subjects"),
	     number(status, "subjects") == 1 ? "process" : "processes");
	line("Memory", "at most %s of the kernel's for grants",
	     format_bytes(number(status, "grantsBytesMax"), buffer));
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

		line("Requests", "%sdenied, as they cannot be kept: %s%s", colour_begin(COLOUR_BAD),
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

/* The kernel's answer in the agent's words, without what only the agent knows. */
static int kernel_status(const struct trustgate_gate *gate, sd_json_variant **ret)
{
	bool bound = gate->present & (UINT64_C(1) << TRUSTGATE_A_GATE_AGENT_PID);
	sd_json_variant *hooks = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < gate->hooks_count; i++)
		r = sd_json_variant_append_arrayb(&hooks, SD_JSON_BUILD_STRING(gate->hooks[i]));
	if (r >= 0 && !hooks)
		r = sd_json_variant_new_array(&hooks, NULL, 0);
	if (r >= 0)
		r = sd_json_buildo(ret,
			SD_JSON_BUILD_PAIR_STRING("source", "kernel"),
			SD_JSON_BUILD_PAIR_UNSIGNED("abiVersion", gate->abi_version),
			SD_JSON_BUILD_PAIR_STRING("state",
				trustgate_name(TRUSTGATE_NAMES_GATE_STATE, gate->state) ?: "unknown"),
			SD_JSON_BUILD_PAIR_CONDITION(bound, "agentPid",
						     SD_JSON_BUILD_INTEGER(gate->agent_pid)),
			SD_JSON_BUILD_PAIR_UNSIGNED("volumes", gate->volumes),
			SD_JSON_BUILD_PAIR_UNSIGNED("volumesMax", gate->volumes_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("grants", gate->grants),
			SD_JSON_BUILD_PAIR_UNSIGNED("grantsMax", gate->grants_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("grantsBytesMax", gate->grants_bytes_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("subjects", gate->subjects),
			SD_JSON_BUILD_PAIR_UNSIGNED("nowBoottimeNSec", gate->now_boottime_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("eventSeq", gate->event_seq),
			SD_JSON_BUILD_PAIR_UNSIGNED("eventsDropped", gate->events_dropped),
			SD_JSON_BUILD_PAIR_UNSIGNED("eventsAgentMissed", gate->events_agent_missed),
			SD_JSON_BUILD_PAIR_UNSIGNED("auditSuppressed", gate->audit_suppressed),
			SD_JSON_BUILD_PAIR_UNSIGNED("ending", gate->ending),
			SD_JSON_BUILD_PAIR_UNSIGNED("unmapped", gate->unmapped),
			SD_JSON_BUILD_PAIR_UNSIGNED("killed", gate->killed),
			SD_JSON_BUILD_PAIR_UNSIGNED("proofs", gate->proofs),
			SD_JSON_BUILD_PAIR_UNSIGNED("proofBoottimeNSec", gate->proof_boottime_ns),
			SD_JSON_BUILD_PAIR_VARIANT("hooks", hooks));
	sd_json_variant_unref(hooks);
	return r;
}

/* The agent is out of reach, which stays the exit code whatever is shown. */
static int ask_kernel(const struct cli *cli)
{
	struct trustgate_conn *conn = NULL;
	struct trustgate_gate gate = { 0 };
	sd_json_variant *status = NULL;
	int r;

	r = trustgate_new(&conn);
	if (!r)
		r = trustgate_connect(conn);
	if (!r)
		r = trustgate_gate_get(conn, &gate);
	if (r) {
		complain("asking the kernel instead failed, too: %s.",
			 conn ? trustgate_error_text(conn) : strerror(-r));
	} else if (kernel_status(&gate, &status) < 0) {
		complain("out of memory");
	} else {
		complain("what follows is from the kernel itself.");
		if (cli->json)
			print_json(cli, status);
		else
			show(cli, status, true);
	}
	sd_json_variant_unref(status);
	trustgate_gate_clear(&gate);
	trustgate_free(conn);
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
