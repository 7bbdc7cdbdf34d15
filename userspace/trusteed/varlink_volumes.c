// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods about volumes.
 *
 * Owns: their parameters and replies.
 *
 * Must not own: what happens to a volume (volumes.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "varlink.h"
#include "varlink_json.h"

static int append_volume(struct agent *agent, const struct trustgate_volume *volume,
			 sd_json_variant **list)
{
	char *path = volumes_path(agent, volume);
	sd_json_variant *json = NULL;
	int r;

	r = varlink_json_volume(volume, path, &json);
	if (r >= 0)
		r = sd_json_variant_append_array(list, json);
	sd_json_variant_unref(json);
	free(path);
	return r;
}

struct name_parameter {
	const char *name;
};

int method_list_volumes(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{ "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		  offsetof(struct name_parameter, name), SD_JSON_NULLABLE },
		{ 0 }
	};
	struct name_parameter parameter = { 0 };
	struct trustgate_volume *volumes = NULL;
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	sd_json_variant *list = NULL;
	size_t count = 0;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &parameter);
	if (r != 0)
		return r;
	r = varlink_authorise(agent, link, ASK_READ, NULL, &refusal);
	if (r == 0 && parameter.name) {
		volumes = calloc(1, sizeof(*volumes));
		count = 1;
		r = volumes ? volumes_get(agent, parameter.name, volumes, &refusal) :
			      refuse(&refusal, ENOMEM, NULL, "the agent has no memory left");
	} else if (r == 0) {
		r = trustgate_volume_list(agent->gate, &volumes, &count, NULL);
		if (r < 0)
			gate_refused(agent, r, &refusal);
	}
	if (r < 0) {
		free(volumes);
		return varlink_refuse(agent, link, "ListVolumes", &refusal);
	}

	r = sd_json_build(&list, SD_JSON_BUILD_EMPTY_ARRAY);
	for (size_t i = 0; r >= 0 && i < count; i++)
		r = append_volume(agent, &volumes[i], &list);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("volumes", list));
	sd_json_variant_unref(list);
	free(volumes);
	gate_poke(agent);
	return r;
}

/* ---- add and set ---- */

struct settings_parameters {
	const char *name;
	const char *path;
	const char *on_agent_loss;
	sd_json_variant *max_duration;
	sd_json_variant *record;
};

static int read_record(sd_json_variant *list, struct trustgate_volume_settings *settings,
		       struct refusal *refusal)
{
	char **words = NULL;
	int r;

	r = sd_json_variant_strv(list, &words);
	if (r < 0)
		return refuse(refusal, EINVAL, "record", "is not a list of words");
	r = varlink_read_names(words, TRUSTGATE_NAMES_RECORD, "record", &settings->record,
			       refusal);
	for (char **word = words; word && *word; word++)
		free(*word);
	free(words);
	if (r == 0)
		settings->fields |= TRUSTGATE_VOLUME_FIELD_RECORD;
	return r;
}

static int read_settings(const struct settings_parameters *parameters,
			 struct trustgate_volume_settings *settings,
			 struct refusal *refusal)
{
	if (parameters->max_duration) {
		int64_t duration = sd_json_variant_integer(parameters->max_duration);

		if (duration <= 0)
			return refuse(refusal, EINVAL, "maxDurationNSec",
				      "is not a positive duration");
		settings->fields |= TRUSTGATE_VOLUME_FIELD_MAX_DURATION;
		settings->max_duration_ns = duration;
	}
	if (parameters->on_agent_loss) {
		if (trustgate_value(TRUSTGATE_NAMES_ON_AGENT_LOSS,
				    parameters->on_agent_loss, &settings->on_agent_loss) < 0)
			return refuse(refusal, EINVAL, "onAgentLoss",
				      "\"%.64s\" is neither hold nor revoke",
				      parameters->on_agent_loss);
		settings->fields |= TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS;
	}
	return parameters->record ? read_record(parameters->record, settings, refusal) : 0;
}

static int reply_volume(struct agent *agent, sd_varlink *link, const char *method,
			const char *name)
{
	struct trustgate_volume volume;
	struct refusal refusal = { 0 };
	sd_json_variant *json = NULL;
	char *path;
	int r;

	r = volumes_get(agent, name, &volume, &refusal);
	if (r < 0)
		return varlink_refuse(agent, link, method, &refusal);
	path = volumes_path(agent, &volume);
	r = varlink_json_volume(&volume, path, &json);
	if (r >= 0)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("volume", json));
	sd_json_variant_unref(json);
	free(path);
	gate_poke(agent);
	return r;
}

#define SETTINGS_FIELDS \
	{ "maxDurationNSec", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_variant_noref, \
	  offsetof(struct settings_parameters, max_duration), SD_JSON_NULLABLE }, \
	{ "onAgentLoss", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string, \
	  offsetof(struct settings_parameters, on_agent_loss), SD_JSON_NULLABLE }, \
	{ "record", SD_JSON_VARIANT_ARRAY, sd_json_dispatch_variant_noref, \
	  offsetof(struct settings_parameters, record), SD_JSON_NULLABLE }

/* A parameter given as null is one that was not given. */
static void drop_nulls(struct settings_parameters *parameters)
{
	if (parameters->max_duration && sd_json_variant_is_null(parameters->max_duration))
		parameters->max_duration = NULL;
	if (parameters->record && sd_json_variant_is_null(parameters->record))
		parameters->record = NULL;
}

int method_add_volume(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{ "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		  offsetof(struct settings_parameters, name), SD_JSON_MANDATORY },
		{ "path", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		  offsetof(struct settings_parameters, path), SD_JSON_MANDATORY },
		SETTINGS_FIELDS,
		{ 0 }
	};
	struct settings_parameters given = { 0 };
	struct trustgate_volume_settings settings = { 0 };
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &given);
	if (r != 0)
		return r;
	drop_nulls(&given);
	r = varlink_authorise(agent, link, ASK_VOLUMES, NULL, &refusal);
	if (r == 0)
		r = read_settings(&given, &settings, &refusal);
	if (r == 0)
		r = volumes_add(agent, given.name, given.path, &settings, &refusal);
	if (r < 0)
		return varlink_refuse(agent, link, "AddVolume", &refusal);
	return reply_volume(agent, link, "AddVolume", given.name);
}

int method_set_volume(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{ "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		  offsetof(struct settings_parameters, name), SD_JSON_MANDATORY },
		SETTINGS_FIELDS,
		{ 0 }
	};
	struct settings_parameters given = { 0 };
	struct trustgate_volume_settings settings = { 0 };
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &given);
	if (r != 0)
		return r;
	drop_nulls(&given);
	r = varlink_authorise(agent, link, ASK_VOLUMES, NULL, &refusal);
	if (r == 0)
		r = read_settings(&given, &settings, &refusal);
	if (r == 0)
		r = volumes_set(agent, given.name, &settings, &refusal);
	if (r < 0)
		return varlink_refuse(agent, link, "SetVolume", &refusal);
	return reply_volume(agent, link, "SetVolume", given.name);
}

int method_remove_volume(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{ "name", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		  offsetof(struct name_parameter, name), SD_JSON_MANDATORY },
		{ 0 }
	};
	struct name_parameter parameter = { 0 };
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	uint64_t ended = 0;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &parameter);
	if (r != 0)
		return r;
	r = varlink_authorise(agent, link, ASK_VOLUMES, NULL, &refusal);
	if (r == 0)
		r = volumes_remove(agent, parameter.name, &ended, &refusal);
	if (r < 0)
		return varlink_refuse(agent, link, "RemoveVolume", &refusal);
	gate_poke(agent);
	return sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_UNSIGNED("ended", ended));
}
