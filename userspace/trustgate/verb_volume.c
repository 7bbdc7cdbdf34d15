// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate volume add, del, set, list - the protected volumes.
 *
 * Owns: their options and table.
 *
 * Must not own: which filesystems can be protected; the agent says so.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "observe.h"
#include "table.h"
#include "trustgate.h"

static struct {
	uint64_t max_duration_ns;
	const char *on_agent_loss;
	const char *metadata;
	const char *least_on_end;
	uint64_t ask_ns;
	bool ask_given;
	sd_json_variant *record;
	bool record_given;
} settings;

static int take_record(const char *value)
{
	const char *word = value;
	int r = 0;

	settings.record_given = true;
	settings.record = sd_json_variant_unref(settings.record);
	if (!strcmp(value, "none"))
		return 0;
	for (;;) {
		size_t length = strcspn(word, ",");
		char name[32] = "";
		uint32_t bit;

		if (length < sizeof(name))
			memcpy(name, word, length);
		if (trustgate_value(TRUSTGATE_NAMES_RECORD, name, &bit))
			return usage_error("--record: \"%.*s\" cannot be recorded; say allowed or none",
					   (int)length, word);
		r = sd_json_variant_append_arrayb(&settings.record, SD_JSON_BUILD_STRING(name));
		if (r < 0) {
			complain("out of memory");
			return EXIT_REFUSED;
		}
		if (!word[length])
			return 0;
		word += length + 1;
	}
}

static int take(int id, const char *value)
{
	uint32_t known;

	switch (id) {
	case OPTION_MAX_DURATION:
		return parse_duration("--max-duration", value, &settings.max_duration_ns);
	case OPTION_ON_AGENT_LOSS:
		if (trustgate_value(TRUSTGATE_NAMES_ON_AGENT_LOSS, value, &known))
			return usage_error("--on-agent-loss is hold or revoke, not \"%s\"", value);
		settings.on_agent_loss = value;
		return 0;
	case OPTION_RECORD:
		return take_record(value);
	case OPTION_METADATA:
		if (trustgate_value(TRUSTGATE_NAMES_METADATA, value, &known))
			return usage_error("--metadata is open or hidden, not \"%s\"", value);
		settings.metadata = value;
		return 0;
	case OPTION_LEAST_ON_END:
		if (trustgate_value(TRUSTGATE_NAMES_ON_END, value, &known))
			return usage_error("--least-on-end: \"%s\" is none of deny-io, unmap and kill", value);
		settings.least_on_end = value;
		return 0;
	case OPTION_ASK:
		settings.ask_given = true;
		if (!strcmp(value, "off")) {
			settings.ask_ns = 0;
			return 0;
		}
		return parse_duration("--ask", value, &settings.ask_ns);
	}
	return observe_take(id, value);
}

#define SETTING_OPTIONS \
	{ OPTION_MAX_DURATION, 0, "max-duration", "DURATION", "longest time from a grant's begin to its expiry" }, \
	{ OPTION_ON_AGENT_LOSS, 0, "on-agent-loss", "WHAT", "what happens to grants when the agent is lost: hold or revoke" }, \
	{ OPTION_RECORD, 0, "record", "WHAT", "record beyond denials: allowed (default) or none" }, \
	{ OPTION_METADATA, 0, "metadata", "WHAT", "names and attributes: open (default), or hidden from who holds no grant" }, \
	{ OPTION_LEAST_ON_END, 0, "least-on-end", "KIND", "least that becomes of mappings when a grant ends: deny-io (default), unmap or kill" }, \
	{ OPTION_ASK, 0, "ask", "DURATION", "how long an open that no grant allows waits for an answer; off (default)" },

static const struct cli_option options[] = {
	SETTING_OPTIONS
	{ 0 }
};

static const struct cli_option add_options[] = {
	SETTING_OPTIONS
	{ OPTION_OBSERVE, 0, "observe", "DURATION", "record accesses and do not deny them at first; needs --reason, see observe" },
	{ OPTION_REASON, 'r', "reason", "REASON", "why it is observed" },
	{ OPTION_TICKET, 't', "ticket", "TEXT", "number of the ticket" },
	{ OPTION_COMMENT, 'c', "comment", "TEXT", "why it is observed, in words" },
	{ 0 }
};

/* ---- table ---- */

static char *text_id(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_number(row, "id");
}

static char *text_name(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "name");
}

static char *text_path(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "path");
}

static char *text_fstype(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "fstype");
}

static char *text_device(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "device");
}

static char *text_uuid(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "uuid");
}

static char *text_max_duration(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_duration(row, "maxDurationNSec");
}

static char *text_on_agent_loss(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "onAgentLoss");
}

static char *text_record(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_names(row, "record");
}

static char *text_metadata(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "metadata");
}

static char *text_least_on_end(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_string(row, "leastOnEnd");
}

static char *text_ask(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_duration(row, "askNSec");
}

static char *text_grants(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_number(row, "grants");
}

static char *text_allowed(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_counter(row, true);
}

static char *text_denied(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_counter(row, false);
}

static char *text_counters(const struct cli *cli, sd_json_variant *row)
{
	sd_json_variant *counters = sd_json_variant_by_key(row, "counters");
	char *text = NULL;
	size_t size = 0;
	FILE *stream;

	(void)cli;
	if (!sd_json_variant_is_array(counters))
		return NULL;
	stream = open_memstream(&text, &size);
	if (!stream)
		return NULL;
	for (size_t i = 0; i < sd_json_variant_elements(counters); i++) {
		sd_json_variant *counter = sd_json_variant_by_index(counters, i);
		uint64_t count = 0;

		field_number(counter, "count", &count);
		fprintf(stream, "%s%s=%llu", i ? "," : "", field_string(counter, "cause") ?: "?",
			(unsigned long long)count);
	}
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

static char *text_passed(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_observed(row);
}

static char *text_observed(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return cell_left(row, "observedUntilBoottimeNSec");
}

static char *text_added(const struct cli *cli, sd_json_variant *row)
{
	return cell_time(cli, row, "addedBoottimeNSec");
}

static const struct column columns[] = {
	{ .name = "NAME", .help = "name", .shown = true, .text = text_name },
	{ .name = "ID", .help = "number in the kernel", .right = true, .text = text_id },
	{ .name = "PATH", .help = "where it is mounted", .shown = true, .text = text_path },
	{ .name = "FSTYPE", .help = "type of the filesystem", .shown = true, .text = text_fstype },
	{ .name = "DEVICE", .help = "device number", .shown = true, .text = text_device },
	{ .name = "UUID", .help = "UUID of the filesystem", .text = text_uuid },
	{ .name = "MAX", .help = "longest grant", .right = true, .shown = true, .text = text_max_duration },
	{ .name = "ON-LOSS", .help = "what happens to grants when the agent is lost", .shown = true, .text = text_on_agent_loss },
	{ .name = "RECORD", .help = "what is recorded beyond denials", .text = text_record },
	{ .name = "METADATA", .help = "who may look at names and attributes", .text = text_metadata },
	{ .name = "LEAST-ON-END", .help = "least that becomes of mappings when a grant ends", .text = text_least_on_end },
	{ .name = "ASK", .help = "how long an open waits for an answer", .right = true, .text = text_ask },
	{ .name = "GRANTS", .help = "live grants", .right = true, .shown = true, .text = text_grants },
	{ .name = "ALLOWED", .help = "checks that a grant covered", .right = true, .shown = true, .text = text_allowed },
	{ .name = "DENIED", .help = "checks that were denied", .right = true, .shown = true, .text = text_denied },
	{ .name = "COUNTERS", .help = "checks by cause", .text = text_counters },
	{ .name = "ADDED", .help = "protected since", .text = text_added },
	{ .name = "OBSERVED", .help = "for how long nothing is denied yet, as it is observed", .right = true, .text = text_observed },
	{ .name = "PASSED", .help = "checks that were not denied, as it was observed", .right = true, .text = text_passed },
	{ 0 }
};

/* ---- verbs ---- */

static int no_memory(void)
{
	complain("out of memory");
	return EXIT_REFUSED;
}

/* Settings go into the parameters only if they were given. */
static int add_settings(sd_json_variant **parameters)
{
	int r = 0;

	if (settings.max_duration_ns)
		r = sd_json_variant_set_field_unsigned(parameters, "maxDurationNSec",
						       settings.max_duration_ns);
	if (r >= 0 && settings.on_agent_loss)
		r = sd_json_variant_set_field_string(parameters, "onAgentLoss",
						     settings.on_agent_loss);
	if (r >= 0 && settings.metadata)
		r = sd_json_variant_set_field_string(parameters, "metadata", settings.metadata);
	if (r >= 0 && settings.least_on_end)
		r = sd_json_variant_set_field_string(parameters, "leastOnEnd",
						     settings.least_on_end);
	if (r >= 0 && settings.ask_given)
		r = sd_json_variant_set_field_unsigned(parameters, "askNSec", settings.ask_ns);
	if (r >= 0 && settings.record_given && settings.record)
		r = sd_json_variant_set_field(parameters, "record", settings.record);
	if (r >= 0 && settings.record_given && !settings.record)
		r = sd_json_variant_set_fieldb(parameters, "record", SD_JSON_BUILD_EMPTY_ARRAY);
	return r;
}

static int show_volume(const struct cli *cli, sd_json_variant *reply, const char *what)
{
	sd_json_variant *volume = sd_json_variant_by_key(reply, "volume");
	char *name, *max, *loss, *record, *metadata, *on_end;

	if (!volume) {
		complain("the agent's answer makes no sense: it holds no volume.");
		return EXIT_REFUSED;
	}
	if (cli->json)
		return print_json(cli, volume);
	name = escape_text(field_string(volume, "name") ?: "?");
	max = cell_duration(volume, "maxDurationNSec");
	loss = cell_string(volume, "onAgentLoss");
	record = cell_names(volume, "record");
	metadata = cell_string(volume, "metadata");
	on_end = cell_string(volume, "leastOnEnd");
	printf("volume %s %s: grants of at most %s, on agent loss %s, record %s, metadata %s, on end at least %s\n",
	       name ?: "?", what, max ?: "?", loss ?: "?", record && *record ? record : "none",
	       metadata ?: "?", on_end ?: "?");
	free(name);
	free(max);
	free(loss);
	free(record);
	free(metadata);
	free(on_end);
	return 0;
}

static int change(const struct cli *cli, const char *method, sd_json_variant *parameters,
		  const char *what)
{
	sd_json_variant *reply = NULL;
	int r;

	if (add_settings(&parameters) < 0) {
		sd_json_variant_unref(parameters);
		return no_memory();
	}
	r = agent_call(cli, method, parameters, &reply);
	if (!r)
		r = show_volume(cli, reply, what);
	sd_json_variant_unref(reply);
	return r;
}

static int check_name(const char *name)
{
	if (!*name || strlen(name) > TRUSTGATE_NAME_MAX)
		return usage_error("a volume's name has 1 to %d bytes", TRUSTGATE_NAME_MAX);
	return 0;
}

static int run_add(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	char *path;
	int r;

	(void)argc;
	r = check_name(argv[0]);
	if (!r && observe_given())
		r = observe_check("--observe");
	if (r)
		return r;
	/* The agent's working directory is not ours. */
	path = realpath(argv[1], NULL);
	if (!path) {
		complain("cannot find \"%s\": %m", argv[1]);
		return EXIT_REFUSED;
	}
	r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", argv[0]),
			   SD_JSON_BUILD_PAIR_STRING("path", path));
	free(path);
	if (r >= 0 && observe_given())
		r = observe_add(&parameters, "observeNSec");
	if (r < 0) {
		sd_json_variant_unref(parameters);
		complain("cannot make the request: %s. Name and path must be UTF-8.", strerror(-r));
		return EXIT_REFUSED;
	}
	return change(cli, "AddVolume", parameters,
		      observe_given() ? "is protected now, and observed: nothing is denied yet" :
		      "is protected now");
}

static int name_parameter(const char *name, sd_json_variant **ret)
{
	int r = check_name(name);

	if (r)
		return r;
	r = sd_json_buildo(ret, SD_JSON_BUILD_PAIR_STRING("name", name));
	if (r < 0) {
		complain("cannot make the request: %s. The name must be UTF-8.", strerror(-r));
		return EXIT_REFUSED;
	}
	return 0;
}

static int run_set(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	int r;

	(void)argc;
	if (!settings.max_duration_ns && !settings.on_agent_loss && !settings.record_given &&
	    !settings.metadata && !settings.least_on_end && !settings.ask_given)
		return usage_error("volume set: nothing to change; give --max-duration, --on-agent-loss, --record, --metadata, --least-on-end or --ask");
	r = name_parameter(argv[0], &parameters);
	return r ? r : change(cli, "SetVolume", parameters, "is changed");
}

static int run_del(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	uint64_t ended = 0;
	char *name;
	int r;

	(void)argc;
	r = name_parameter(argv[0], &parameters);
	if (!r)
		r = agent_call(cli, "RemoveVolume", parameters, &reply);
	if (!r && cli->json) {
		r = print_json(cli, reply);
	} else if (!r) {
		name = escape_text(argv[0]);
		field_number(reply, "ended", &ended);
		printf("volume %s is no longer protected, %llu %s ended\n", name ?: "?",
		       (unsigned long long)ended, ended == 1 ? "grant" : "grants");
		free(name);
	}
	sd_json_variant_unref(reply);
	return r;
}

static int run_list(const struct cli *cli, int argc, char *argv[])
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	sd_json_variant **rows = NULL;
	sd_json_variant *volumes;
	size_t count;
	int r;

	r = table_check(cli, columns);
	if (!r && argc)
		r = name_parameter(argv[0], &parameters);
	if (!r)
		r = agent_call(cli, "ListVolumes", parameters, &reply);
	if (r)
		return r;
	volumes = sd_json_variant_by_key(reply, "volumes");
	if (!sd_json_variant_is_array(volumes)) {
		complain("the agent's answer makes no sense: it holds no volumes.");
		r = EXIT_REFUSED;
	} else if (cli->json) {
		r = print_json(cli, volumes);
	} else {
		count = sd_json_variant_elements(volumes);
		rows = calloc(count + 1, sizeof(*rows));
		if (!rows)
			r = no_memory();
		for (size_t i = 0; rows && i < count; i++)
			rows[i] = sd_json_variant_by_index(volumes, i);
		if (!r)
			r = table_print(cli, columns, rows, count);
	}
	free(rows);
	sd_json_variant_unref(reply);
	return r;
}

const struct verb verb_volume_add = {
	.name = "volume add",
	.arguments = "NAME PATH",
	.summary = "protect the filesystem that is mounted at PATH",
	.options = add_options,
	.shared = SHARED_JSON,
	.min = 2,
	.max = 2,
	.take = take,
	.run = run_add,
};

const struct verb verb_volume_set = {
	.name = "volume set",
	.arguments = "NAME",
	.summary = "change settings of a volume; grants already given keep their terms",
	.options = options,
	.shared = SHARED_JSON,
	.min = 1,
	.max = 1,
	.take = take,
	.run = run_set,
};

const struct verb verb_volume_del = {
	.name = "volume del",
	.arguments = "NAME",
	.summary = "end all grants of a volume and stop protecting it",
	.shared = SHARED_JSON,
	.min = 1,
	.max = 1,
	.run = run_del,
};

const struct verb verb_volume_list = {
	.name = "volume list",
	.arguments = "[NAME]",
	.summary = "list protected volumes",
	.shared = SHARED_JSON | SHARED_TABLE | SHARED_TIME,
	.columns = columns,
	.empty = "No volume is protected; see \"trustgate volume add --help\".",
	.min = 0,
	.max = 1,
	.run = run_list,
};
