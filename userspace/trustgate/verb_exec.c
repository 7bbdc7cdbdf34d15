// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate exec - run a program under a grant to itself.
 *
 * Owns: asking for the grant in the process that becomes the program.
 *
 * Must not own: the program's fate; this process is gone by then.
 *
 * The grant begins with the exec that follows and ends with the one after it:
 * it is the program's and nobody else's. Only a script, whose commands are
 * programs of their own, needs --keep-exec and --descendants.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "asking.h"
#include "wish.h"

static struct wish wish;
static struct asking asking;
static bool ask;
static bool service;
static const char *unit;

static int take(int id, const char *value)
{
	int r;

	if (id == OPTION_SERVICE) {
		service = true;
		unit = value;
		return 0;
	}
	if (id == OPTION_ASK_PEOPLE) {
		ask = true;
		return 0;
	}
	if (id == OPTION_BREAK_GLASS) {
		asking.break_glass = true;
		return 0;
	}
	if (asking_take(&asking, id, value, &r))
		return r;
	return wish_take(&wish, id, value);
}

static bool wish_begun(void)
{
	return wish.volume || wish.path || wish.access_given || wish.duration_ns ||
	       wish.delay_ns || wish.max_uses || wish.subtree || wish.file ||
	       wish.descendants || wish.keep_exec || wish.supervised ||
	       wish.on_end || wish.reason || wish.ticket;
}

static int ask_service(const struct cli *cli)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	if (wish_begun() || ask || asking.break_glass || asking_begun(&asking))
		return usage_error("exec --service takes its grants from trusteed.yaml(5): leave the other options out");
	if (unit && sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("unit", unit)) < 0) {
		complain("cannot make the request: the unit's name must be UTF-8.");
		return EXIT_REFUSED;
	}
	r = agent_call(cli, "Service", parameters, &reply);
	if (!r && !sd_json_variant_elements(sd_json_variant_by_key(reply, "grants"))) {
		complain("the agent gave this service no grant; see \"services\" in trusteed.yaml(5).");
		r = EXIT_REFUSED;
	}
	sd_json_variant_unref(reply);
	return r;
}

static int ask_self(const struct cli *cli)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	wish.next_exec = !wish.keep_exec;
	if (ask && asking.break_glass)
		return usage_error("--ask and --break-glass exclude each other");
	ask = ask || asking.break_glass;
	r = wish_check(&wish);
	if (!r && !ask && asking_begun(&asking))
		r = usage_error("--comment, --location, --retention, --legal-reference and --notify go with --ask or --break-glass");
	if (!r && ask && (wish.delay_ns || wish.max_uses || wish.on_end))
		r = usage_error("--after, --uses and --on-end do not go with --ask: who approves says when it begins");
	if (!r)
		r = wish_parameters(cli, &wish, 0, &parameters);
	if (!r && ask)
		return asking_wait(cli, parameters, &asking);
	if (!r)
		r = agent_call(cli, "Grant", parameters, &reply);
	sd_json_variant_unref(reply);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	int r;

	(void)argc;
	r = service ? ask_service(cli) : ask_self(cli);
	if (r)
		return r;
	fflush(NULL);
	execvp(argv[0], argv);
	r = errno;
	complain("cannot run \"%s\": %s", argv[0], strerror(r));
	return r == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static const struct cli_option options[] = {
	WISH_OPTIONS,
	{ OPTION_ASK_PEOPLE, 0, "ask", NULL, "ask people for it, and wait until they approve" },
	{ OPTION_BREAK_GLASS, 0, "break-glass", NULL, "take it at once, in an emergency; everybody is told" },
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "with --ask and --break-glass: why, in words" },
	ASKING_OPTIONS("with --ask: "),
	{ OPTION_SERVICE, 0, "service", "[UNIT]", "ask for the standing grants of this systemd service instead" },
	{ 0 }
};

const struct verb verb_exec = {
	.name = "exec",
	.arguments = "[--] PROGRAM [ARGUMENT...]",
	.summary = "run a program under a grant to itself",
	.details = WISH_DETAILS "\n"
		"The grant begins as PROGRAM starts and ends if it executes another program. A\n"
		"script executes one for each command: give --descendants --keep-exec with it.\n"
		"With --ask, trustees and tenants approve it first, as trusteed.yaml(5) says; what\n"
		"it waits for is shown on standard error, and an interrupt takes the request back.\n"
		"With --service, for ExecStart= of a unit, no other option is needed.\n"
		"Exit code 126: PROGRAM cannot be run, 127: not found.",
	.options = options,
	.min = 1,
	.max = -1,
	.program = true,
	.take = take,
	.run = run,
};
