// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate grant - give a process access to a file or subtree.
 *
 * Owns: the verb's options and what it says about the grant.
 *
 * Must not own: whether it is given.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "wish.h"

static struct wish wish;
static uint64_t pid;

static int take(int id, const char *value)
{
	if (id == OPTION_PID)
		return parse_number("--pid", value, 1, INT_MAX, &pid);
	return wish_take(&wish, id, value);
}

static int show(const struct cli *cli, sd_json_variant *grant)
{
	char *id, *path, *access, *comm, *expires, *volume;
	id = cell_number(grant, "id");
	volume = escape_text(field_string(grant, "volume") ?: "?");
	path = escape_text(field_string(grant, "path") ?: wish.path);
	access = cell_names(grant, "access");
	comm = escape_text(field_string(grant, "comm") ?: "?");
	expires = cell_time(cli, grant, "expiresBoottimeNSec");
	printf("grant %s: %s on %s:%s for pid %llu (%s), expires %s; \"trustgate revoke %s\" ends it\n",
	       id ?: "?", access ?: "?", volume ?: "?", path ?: "?", (unsigned long long)pid,
	       comm ?: "?", expires ?: "?", id ?: "?");
	free(id);
	free(volume);
	free(path);
	free(access);
	free(comm);
	free(expires);
	return 0;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	sd_json_variant *grant;
	int r;

	(void)argc;
	(void)argv;
	r = wish_check(&wish);
	if (!r && !pid)
		r = usage_error("--pid is missing; for a program to be started see \"trustgate exec\"");
	if (!r)
		r = wish_parameters(cli, &wish, pid, &parameters);
	if (!r)
		r = agent_call(cli, "Grant", parameters, &reply);
	if (r)
		return r;
	grant = sd_json_variant_by_key(reply, "grant");
	if (!grant) {
		complain("the agent's answer makes no sense: it holds no grant.");
		r = EXIT_REFUSED;
	} else {
		r = cli->json ? print_json(cli, grant) : show(cli, grant);
	}
	sd_json_variant_unref(reply);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_PID, 'p', "pid", "PID", "process that gets the grant (needed)" },
	WISH_OPTIONS,
	{ OPTION_NEXT_EXEC, 0, "next-exec", NULL, "the grant begins with the next exec and ends with the one after it" },
	{ 0 }
};

const struct verb verb_grant = {
	.name = "grant",
	.arguments = "",
	.summary = "give a process access to a file or subtree for a time",
	.details = WISH_DETAILS,
	.options = options,
	.shared = SHARED_JSON | SHARED_TIME,
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
