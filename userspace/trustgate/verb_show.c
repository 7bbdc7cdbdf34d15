// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate show - all about one request.
 *
 * Owns: how it is laid out.
 *
 * Must not own: answering it (verb_answer.c).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "table.h"

/* A line, unless there is nothing to say; @text is freed. */
static void line(const char *name, char *text)
{
	char *safe = text ? escape_text(text) : NULL;

	if (safe && *safe)
		printf("%-10s %s\n", name, safe);
	free(safe);
	free(text);
}

/* "1000, logged in as 1001" */
static char *user(sd_json_variant *row, const char *field, const char *login_field)
{
	uint64_t uid, login;
	char *text;
	int r;

	if (!field_number(row, field, &uid))
		return NULL;
	if (login_field && field_number(row, login_field, &login) && login != uid)
		r = asprintf(&text, "%" PRIu64 ", logged in as %" PRIu64, uid, login);
	else
		r = asprintf(&text, "%" PRIu64, uid);
	return r < 0 ? NULL : text;
}

/* "1 of 2 trustees, 0 of 1 tenants" */
static char *approvals(sd_json_variant *request)
{
	uint64_t trustees = 0, tenants = 0, need_trustees = 0, need_tenants = 0;
	char *text;

	(void)field_number(request, "trustees", &trustees);
	(void)field_number(request, "tenants", &tenants);
	(void)field_number(request, "needTrustees", &need_trustees);
	(void)field_number(request, "needTenants", &need_tenants);
	return asprintf(&text, "trustees %" PRIu64 " of %" PRIu64 ", tenants %" PRIu64 " of %" PRIu64,
			trustees, need_trustees, tenants, need_tenants) < 0 ? NULL : text;
}

static void show_request(const struct cli *cli, sd_json_variant *request)
{
	line("Request", cell_number(request, "id"));
	line("Kind", cell_string(request, "kind"));
	line("State", cell_string(request, "state"));
	line("Cause", cell_string(request, "cause"));
	line("Volume", cell_string(request, "volume"));
	line("Path", cell_string(request, "path"));
	line("Beneath", strdup(field_true(request, "subtree") ? "all of it" : "nothing"));
	line("Access", cell_names(request, "access"));
	line("Flags", cell_flags(request));
	line("Process", cell_number(request, "pid"));
	line("Command", cell_string(request, "comm"));
	line("Program", cell_string(request, "exe"));
	line("Unit", cell_string(request, "unit"));
	line("User", user(request, "uid", "loginuid"));
	line("Requester", user(request, "requesterUid", NULL));
	line("Rule", cell_string(request, "rule"));
	line("Reason", cell_string(request, "reason"));
	line("Ticket", cell_string(request, "ticket"));
	line("Comment", cell_string(request, "comment"));
	line("Location", cell_string(request, "location"));
	line("Retention", cell_number(request, "retentionDays"));
	line("Order", cell_string(request, "legalReference"));
	line("Notify", cell_string(request, "notify"));
	line("Longest", cell_duration(request, "maxDurationNSec"));
	line("Raised", cell_realtime(cli, request, "raisedRealtimeNSec"));
	line("Deadline", cell_time(cli, request, "deadlineBoottimeNSec"));
	line("Approvals", approvals(request));
	line("Approved", cell_names(request, "approvedAccess"));
	line("Begin", cell_time(cli, request, "beginBoottimeNSec"));
	line("For", cell_duration(request, "durationNSec"));
	line("Grant", cell_number(request, "grantId"));
	line("Extends", cell_number(request, "parent"));
}

static void show_approval(const struct cli *cli, sd_json_variant *approval)
{
	char *when = cell_realtime(cli, approval, "realtimeNSec");
	char *who = user(approval, "uid", "loginuid");
	char *comment = escape_text(field_string(approval, "comment") ?: "");
	bool approves = field_true(approval, "approves");
	char *access = approves ? cell_names(approval, "access") : NULL;
	char *duration = approves ? cell_duration(approval, "durationNSec") : NULL;

	printf("  %s  %s as %s by %s%s%s%s%s%s%s\n", when ?: "?", approves ? "approved" : "denied",
	       field_string(approval, "role") ?: "?", who ?: "?",
	       access ? ": " : "", access ?: "", duration ? " for " : "", duration ?: "",
	       comment && *comment ? "; " : "", comment ?: "");
	free(when);
	free(who);
	free(comment);
	free(access);
	free(duration);
}

static void show_transition(const struct cli *cli, sd_json_variant *transition)
{
	char *when = cell_realtime(cli, transition, "realtimeNSec");
	char *who = user(transition, "uid", NULL);
	char *cause = escape_text(field_string(transition, "cause") ?: "");

	printf("  %s  %s%s%s%s%s\n", when ?: "?", field_string(transition, "state") ?: "?",
	       who ? " by " : "", who ?: "", cause && *cause ? ": " : "", cause ?: "");
	free(when);
	free(who);
	free(cause);
}

static void show_list(const struct cli *cli, const char *heading, sd_json_variant *list,
		      void (*show)(const struct cli *cli, sd_json_variant *item))
{
	if (!sd_json_variant_elements(list))
		return;
	printf("\n%s\n", heading);
	for (size_t i = 0; i < sd_json_variant_elements(list); i++)
		show(cli, sd_json_variant_by_index(list, i));
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	struct cli absolute = *cli;
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	sd_json_variant *request;
	uint64_t id;
	int r;

	(void)argc;
	if (absolute.time == TIME_DEFAULT)
		absolute.time = TIME_ABSOLUTE;
	r = parse_number("ID", argv[0], 1, INT64_MAX, &id);
	if (r)
		return r;
	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_UNSIGNED("id", id)) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	r = agent_call(cli, "ShowRequest", parameters, &reply);
	if (r)
		return r;
	request = sd_json_variant_by_key(reply, "request");
	if (!request) {
		complain("the agent's answer makes no sense: it holds no request.");
		r = EXIT_REFUSED;
	} else if (cli->json) {
		r = print_json(cli, reply);
	} else {
		show_request(&absolute, request);
		show_list(&absolute, "Decisions", sd_json_variant_by_key(reply, "approvals"),
			  show_approval);
		show_list(&absolute, "States", sd_json_variant_by_key(reply, "transitions"),
			  show_transition);
	}
	sd_json_variant_unref(reply);
	return r;
}

const struct verb verb_show = {
	.name = "show",
	.arguments = "ID",
	.summary = "show all about a request",
	.shared = SHARED_JSON | SHARED_TIME,
	.min = 1,
	.max = 1,
	.run = run,
};
