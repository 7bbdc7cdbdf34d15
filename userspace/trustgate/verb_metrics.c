// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate metrics - numbers for a monitor.
 *
 * Owns: asking the agent, or without it the kernel itself; writing a file at once.
 *
 * Must not own: which numbers there are (metrics.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "kernel.h"
#include "metrics.h"

static const char *textfile;

static int take(int id, const char *value)
{
	if (id != OPTION_TEXTFILE)
		return usage_error("unexpected option");
	textfile = value;
	return 0;
}

/* ---- finding out ---- */

static int ask_agent(const struct cli *cli, struct measured *measured)
{
	sd_json_variant *reply = NULL;
	int r;

	r = agent_call(cli, "Status", NULL, &measured->status);
	if (!r)
		r = agent_call(cli, "ListVolumes", NULL, &reply);
	if (!r)
		measured->volumes = sd_json_variant_ref(sd_json_variant_by_key(reply, "volumes"));
	sd_json_variant_unref(reply);
	return r ?: agent_call(cli, "Metrics", NULL, &measured->agent);
}

static void forget(struct measured *measured)
{
	measured->status = sd_json_variant_unref(measured->status);
	measured->volumes = sd_json_variant_unref(measured->volumes);
	measured->agent = sd_json_variant_unref(measured->agent);
	measured->kept = sd_json_variant_unref(measured->kept);
}

/* What a monitor is to notice must not be missing: that nobody answers is told. */
static void ask_kernel(struct measured *measured)
{
	forget(measured);
	if (kernel_status(&measured->status) || kernel_volumes(&measured->volumes))
		forget(measured);
}

/* ---- telling ---- */

static int complain_file(const char *what)
{
	complain("cannot write %s: %s: %s.", textfile, what, strerror(errno));
	return EXIT_REFUSED;
}

/* Whoever reads the file sees the old numbers or the new ones, and all of them. */
static int write_textfile(const struct measured *measured)
{
	char *temporary = NULL;
	FILE *stream;
	int fd, r = 0;

	if (asprintf(&temporary, "%s.XXXXXX", textfile) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (!stream) {
		r = complain_file("beside it");
		if (fd >= 0)
			close(fd);
	} else {
		metrics_write(measured, stream);
		if (fflush(stream) || ferror(stream) || fchmod(fd, 0644) || fsync(fd))
			r = complain_file("beside it");
		fclose(stream);
		if (!r && rename(temporary, textfile))
			r = complain_file("putting it in place");
	}
	if (r && fd >= 0)
		unlink(temporary);
	free(temporary);
	return r;
}

static int write_json(const struct cli *cli, const struct measured *measured)
{
	sd_json_variant *object = NULL;
	int r;

	r = sd_json_buildo(&object,
		SD_JSON_BUILD_PAIR_CONDITION(measured->status != NULL, "status",
					     SD_JSON_BUILD_VARIANT(measured->status)),
		SD_JSON_BUILD_PAIR_CONDITION(measured->volumes != NULL, "volumes",
					     SD_JSON_BUILD_VARIANT(measured->volumes)),
		SD_JSON_BUILD_PAIR_CONDITION(measured->kept != NULL, "kept",
					     SD_JSON_BUILD_VARIANT(measured->kept)),
		SD_JSON_BUILD_PAIR_CONDITION(measured->agent != NULL, "agent",
					     SD_JSON_BUILD_VARIANT(measured->agent)));
	if (r < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	r = print_json(cli, object);
	sd_json_variant_unref(object);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	struct measured measured = { 0 };
	int r, written = 0;

	(void)argc;
	(void)argv;
	if (textfile && cli->json)
		return usage_error("metrics: --textfile and --json exclude each other");
	r = ask_agent(cli, &measured);
	if (r == EXIT_UNREACHABLE)
		ask_kernel(&measured);
	if (measured.status)
		(void)kernel_kept(&measured.kept);
	if (!r || r == EXIT_UNREACHABLE) {
		if (cli->json)
			written = write_json(cli, &measured);
		else if (textfile)
			written = write_textfile(&measured);
		else
			metrics_write(&measured, stdout);
	}
	forget(&measured);
	return written ?: r;
}

static const struct cli_option options[] = {
	{ OPTION_TEXTFILE, 0, "textfile", "FILE", "replace FILE by the numbers, for node_exporter's textfile collector" },
	{ 0 }
};

const struct verb verb_metrics = {
	.name = "metrics",
	.arguments = "",
	.summary = "print numbers for Prometheus",
	.details =
		"If the agent cannot be reached, root gets what the kernel counts, with exit code 3\n"
		"and trustgate_agent_up 0; if the kernel cannot either, trustgate_gate_up is 0.",
	.options = options,
	.shared = SHARED_JSON,
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
