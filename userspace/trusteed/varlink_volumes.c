// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods about volumes.
 *
 * Owns: their parameters and replies.
 *
 * Must not own: what happens to a volume (volumes.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observing.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

static int volume_json(struct agent *agent, const struct trustgate_volume *volume,
		       sd_json_variant **ret)
{
	char *path = volumes_path(agent, volume);
	int r = varlink_json_volume(volume, path, ret);

	free(path);
	return r;
}

struct name_parameter {
	const char *name;
};

static int read_volumes(struct agent *agent, const char *name,
			struct trustgate_volume **ret_volumes, size_t *ret_count,
			struct refusal *refusal)
{
	int r;

	if (!name) {
		r = trustgate_volume_list(agent->gate, ret_volumes, ret_count, NULL);
		return r < 0 ? gate_refused(agent, r, refusal) : 0;
	}
	*ret_volumes = calloc(1, sizeof(**ret_volumes));
	*ret_count = 1;
	if (!*ret_volumes)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	return volumes_get(agent, name, *ret_volumes, refusal);
}

static int run_list(struct agent *agent, sd_varlink *link, void *given,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct name_parameter *parameter = given;
	struct trustgate_volume *volumes = NULL;
	sd_json_variant *list = NULL;
	size_t count = 0;
	int r;

	(void)link;
	r = read_volumes(agent, parameter->name, &volumes, &count, refusal);
	if (r == 0)
		r = sd_json_variant_new_array(&list, NULL, 0);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		sd_json_variant *volume = NULL;

		r = volume_json(agent, &volumes[i], &volume);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, volume);
		sd_json_variant_unref(volume);
	}
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("volumes", list));
	sd_json_variant_unref(list);
	free(volumes);
	return r;
}

int method_list_volumes(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct name_parameter
		VOLUME_NAME_PARAMETERS(PARAMETER, NULLABLE)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "ListVolumes", fields, ASK_READ, .run = run_list };
	struct name_parameter given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- add and set ---- */

struct settings_parameters {
	const char *name;
	const char *path;
	const char *on_agent_loss;
	sd_json_variant *max_duration;
	sd_json_variant *record;
	const char *metadata;
	const char *least_on_end;
	sd_json_variant *ask;
	struct observe_parameters act;
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
	if (parameters->metadata) {
		if (trustgate_value(TRUSTGATE_NAMES_METADATA, parameters->metadata,
				    &settings->metadata) < 0)
			return refuse(refusal, EINVAL, "metadata",
				      "\"%.64s\" is neither open nor hidden",
				      parameters->metadata);
		settings->fields |= TRUSTGATE_VOLUME_FIELD_METADATA;
	}
	if (parameters->least_on_end) {
		if (trustgate_value(TRUSTGATE_NAMES_ON_END, parameters->least_on_end,
				    &settings->least_on_end) < 0)
			return refuse(refusal, EINVAL, "leastOnEnd",
				      "\"%.64s\" is none of deny-io, unmap and kill",
				      parameters->least_on_end);
		settings->fields |= TRUSTGATE_VOLUME_FIELD_LEAST_ON_END;
	}
	if (parameters->ask) {
		int64_t ask = sd_json_variant_integer(parameters->ask);

		if (ask < 0 || ask > TRUSTGATE_ASK_MAX_NS)
			return refuse(refusal, ERANGE, "askNSec",
				      "is not a duration of at most 1h");
		settings->fields |= TRUSTGATE_VOLUME_FIELD_ASK;
		settings->ask_ns = ask;
	}
	return parameters->record ? read_record(parameters->record, settings, refusal) : 0;
}

int varlink_reply_volume(struct agent *agent, const char *name, sd_json_variant **ret_reply,
			 struct refusal *refusal)
{
	struct trustgate_volume volume;
	sd_json_variant *json = NULL;
	int r;

	r = volumes_get(agent, name, &volume, refusal);
	if (r < 0)
		return r;
	r = volume_json(agent, &volume, &json);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("volume", json));
	sd_json_variant_unref(json);
	return r;
}

/* A volume that is in use is to be observed from its first moment on. */
static int read_observing(struct agent *agent, sd_varlink *link,
			  const struct settings_parameters *given,
			  struct trustgate_volume_settings *settings, struct refusal *refusal)
{
	const struct observe_parameters *act = &given->act;
	struct observing observing;
	const char *wrong;
	int r;

	if (!act->duration_ns && (act->reason || act->ticket || act->comment))
		return refuse(refusal, EINVAL, "observeNSec",
			      "reason, ticket and comment go with it");
	if (!act->duration_ns)
		return 0;
	r = varlink_read_observing(agent, link, act, given->name, &observing, refusal);
	if (r == -EINVAL && !strcmp(refusal->attribute, "durationNSec"))
		snprintf(refusal->attribute, sizeof(refusal->attribute), "observeNSec");
	wrong = r == 0 ? config_volume_name_check(given->name) : NULL;
	if (wrong)
		r = refuse(refusal, EINVAL, "name", "\"%.80s\" %s", given->name, wrong);
	if (r == 0)
		r = observing_intend(agent, &observing, &settings->observed_until_boottime_ns,
				     refusal);
	if (r == 0)
		settings->fields |= TRUSTGATE_VOLUME_FIELD_OBSERVED;
	return r;
}

static int run_add(struct agent *agent, sd_varlink *link, void *userdata,
		   sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct settings_parameters *given = userdata;
	struct trustgate_volume_settings settings = { 0 };
	int r;

	r = read_settings(given, &settings, refusal);
	if (r == 0)
		r = read_observing(agent, link, given, &settings, refusal);
	if (r == 0)
		r = volumes_add(agent, given->name, given->path, &settings, refusal);
	return r < 0 ? r : varlink_reply_volume(agent, given->name, ret_reply, refusal);
}

int method_add_volume(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct settings_parameters
		ADD_VOLUME_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "AddVolume", fields, ASK_VOLUMES, .run = run_add };
	struct settings_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

static int run_set(struct agent *agent, sd_varlink *link, void *userdata,
		   sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct settings_parameters *given = userdata;
	struct trustgate_volume_settings settings = { 0 };
	int r;

	(void)link;
	r = read_settings(given, &settings, refusal);
	if (r == 0)
		r = volumes_set(agent, given->name, &settings, refusal);
	return r < 0 ? r : varlink_reply_volume(agent, given->name, ret_reply, refusal);
}

int method_set_volume(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct settings_parameters
		SET_VOLUME_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "SetVolume", fields, ASK_VOLUMES, .run = run_set };
	struct settings_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

/* ---- remove ---- */

static int run_remove(struct agent *agent, sd_varlink *link, void *given,
		      sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct name_parameter *parameter = given;
	uint64_t ended = 0;
	int r;

	(void)link;
	r = volumes_remove(agent, parameter->name, &ended, refusal);
	return r < 0 ? r : varlink_ended(ended, ret_reply);
}

int method_remove_volume(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct name_parameter
		VOLUME_NAME_PARAMETERS(PARAMETER, MANDATORY)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"RemoveVolume", fields, ASK_VOLUMES, .run = run_remove,
	};
	struct name_parameter given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
