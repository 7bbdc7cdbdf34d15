// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the interface's types as JSON, see varlink_json.h.
 *
 * Owns: how each kind of field is written.
 *
 * Must not own: which fields there are (varlink_fields.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "varlink_fields.h"
#include "varlink_json.h"

/* Paths and command names may be any bytes; JSON is UTF-8. */
static char *as_utf8(const char *text)
{
	size_t length = strlen(text), used = 0;
	char *out = malloc(length * 4 + 1);

	if (!out)
		return NULL;
	while (*text) {
		const unsigned char *at = (const unsigned char *)text;
		size_t more = at[0] < 0x80 ? 0 : at[0] >= 0xc2 && at[0] < 0xe0 ? 1 :
			      at[0] >= 0xe0 && at[0] < 0xf0 ? 2 :
			      at[0] >= 0xf0 && at[0] < 0xf5 ? 3 : SIZE_MAX;
		size_t i;

		for (i = 1; more != SIZE_MAX && i <= more; i++)
			if ((at[i] & 0xc0) != 0x80)
				more = SIZE_MAX;
		/* Overlong forms, surrogates, beyond the last code point. */
		if ((more == 2 && ((at[0] == 0xe0 && at[1] < 0xa0) ||
				   (at[0] == 0xed && at[1] > 0x9f))) ||
		    (more == 3 && ((at[0] == 0xf0 && at[1] < 0x90) ||
				   (at[0] == 0xf4 && at[1] > 0x8f))))
			more = SIZE_MAX;
		if (more == SIZE_MAX) {
			used += snprintf(out + used, 5, "\\x%02x", at[0]);
			text++;
		} else {
			memcpy(out + used, text, more + 1);
			used += more + 1;
			text += more + 1;
		}
	}
	out[used] = '\0';
	return out;
}

/* ---- an object being put together ---- */

#define FIELDS_MAX	64

/**
 * struct json - names and values so far
 * @items: names and values in turn, referenced
 * @count: of @items
 * @error: the first failure; what is put in later is dropped
 */
struct json {
	sd_json_variant *items[2 * FIELDS_MAX];
	size_t count;
	int error;
};

/* Takes the reference of @value, which is the outcome of a call that gave @r. */
static void put(struct json *object, const char *name, int r, sd_json_variant *value)
{
	sd_json_variant *key = NULL;

	if (r >= 0 && object->count == 2 * FIELDS_MAX)
		r = -E2BIG;
	if (r >= 0)
		r = sd_json_variant_new_string(&key, name);
	if (r < 0 || object->error) {
		if (!object->error)
			object->error = r;
		sd_json_variant_unref(key);
		sd_json_variant_unref(value);
		return;
	}
	object->items[object->count++] = key;
	object->items[object->count++] = value;
}

static int finish(struct json *object, sd_json_variant **ret)
{
	int r = object->error;

	if (!r)
		r = sd_json_variant_new_object(ret, object->items, object->count);
	while (object->count)
		sd_json_variant_unref(object->items[--object->count]);
	return r < 0 ? r : 0;
}

/* ---- kinds of fields, the HOW of varlink_fields.h ---- */

static void put_unsigned(struct json *object, const char *name, uint64_t number)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_unsigned(&value, number);

	put(object, name, r, value);
}

static void put_unsigned_if(struct json *object, const char *name, bool there,
			    uint64_t number)
{
	if (there)
		put_unsigned(object, name, number);
}

static void put_signed(struct json *object, const char *name, int64_t number)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_integer(&value, number);

	put(object, name, r, value);
}

static void put_signed_if(struct json *object, const char *name, bool there,
			  int64_t number)
{
	if (there)
		put_signed(object, name, number);
}

static void put_flag(struct json *object, const char *name, bool flag)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_boolean(&value, flag);

	put(object, name, r, value);
}

static void put_flag_if(struct json *object, const char *name, bool there, bool flag)
{
	if (there)
		put_flag(object, name, flag);
}

/* Any bytes; NULL for a field that is not there. */
static void put_text(struct json *object, const char *name, const char *text)
{
	sd_json_variant *value = NULL;
	char *clean;
	int r;

	if (!text)
		return;
	clean = as_utf8(text);
	r = clean ? sd_json_variant_new_string(&value, clean) : -ENOMEM;
	free(clean);
	put(object, name, r, value);
}

/* The specification's name of a value. */
static void put_name(struct json *object, const char *name, enum trustgate_names set,
		     uint32_t value)
{
	put_text(object, name, trustgate_name(set, value) ?: "unknown");
}

static void put_name_if(struct json *object, const char *name, bool there,
			enum trustgate_names set, uint32_t value)
{
	if (there)
		put_name(object, name, set, value);
}

/* The names of a mask's bits. */
static void put_names(struct json *object, const char *name, enum trustgate_names set,
		      uint32_t mask)
{
	sd_json_variant *value = NULL;
	char *names[33];
	size_t count = 0;
	int r;

	for (int bit = 0; bit < 32; bit++) {
		const char *known = (mask >> bit) & 1 ?
				    trustgate_name(set, UINT32_C(1) << bit) : NULL;

		if (known)
			names[count++] = (char *)known;
	}
	names[count] = NULL;
	r = sd_json_variant_new_array_strv(&value, names);
	put(object, name, r, value);
}

static void put_names_if(struct json *object, const char *name, bool there,
			 enum trustgate_names set, uint32_t mask)
{
	if (there)
		put_names(object, name, set, mask);
}

static void put_uuid(struct json *object, const char *name, bool there,
		     const uint8_t uuid[16])
{
	sd_json_variant *value = NULL;
	sd_id128_t id;
	int r;

	if (!there)
		return;
	memcpy(id.bytes, uuid, sizeof(id.bytes));
	r = sd_json_variant_new_uuid(&value, id);
	put(object, name, r, value);
}

static void put_hooks(struct json *object, const char *name,
		      const struct trustgate_gate *gate)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (size_t i = 0; r >= 0 && i < gate->hooks_count; i++)
		r = sd_json_variant_append_arrayb(&value,
						  SD_JSON_BUILD_STRING(gate->hooks[i]));
	put(object, name, r, value);
}

static void put_stopped(struct json *object, const char *name, const struct agent *agent)
{
	sd_json_variant *value = NULL;
	int r = stopped_json(agent, &value);

	put(object, name, r, value);
}

static void put_numbers(struct json *object, const char *name, const uint64_t *numbers,
			size_t count)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (size_t i = 0; r >= 0 && i < count; i++)
		r = sd_json_variant_append_arrayb(&value, SD_JSON_BUILD_UNSIGNED(numbers[i]));
	put(object, name, r, value);
}

static void put_unprotected(struct json *object, const char *name, const struct agent *agent)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (size_t i = 0; r >= 0 && i < agent->wanted_count; i++)
		if (volumes_is_unprotected(&agent->wanted[i]))
			r = sd_json_variant_append_arrayb(&value,
				SD_JSON_BUILD_STRING(agent->wanted[i].name));
	put(object, name, r, value);
}

#define PUT(name, type, flags, comment, how, ...) put_##how(&object, #name, __VA_ARGS__);

static int counter_json(const struct trustgate_counter *counter, sd_json_variant **ret)
{
	struct json object = { 0 };

	COUNTER_FIELDS(PUT)
	return finish(&object, ret);
}

static void put_counters(struct json *object, const char *name,
			 const struct trustgate_volume *volume)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (size_t i = 0; r >= 0 && i < volume->counters_count; i++) {
		sd_json_variant *counter = NULL;

		r = counter_json(&volume->counters[i], &counter);
		if (r >= 0)
			r = sd_json_variant_append_array(&value, counter);
		sd_json_variant_unref(counter);
	}
	put(object, name, r, value);
}

static int event_count_json(const char *type, uint64_t count, sd_json_variant **ret)
{
	struct json object = { 0 };

	EVENT_COUNT_FIELDS(PUT)
	return finish(&object, ret);
}

static int waited_json(const char *end, const struct metrics_latency *waited,
		       sd_json_variant **ret)
{
	struct json object = { 0 };

	WAITED_FIELDS(PUT)
	return finish(&object, ret);
}

/* All that have a name, also those that there were none of. */
static void put_event_counts(struct json *object, const char *name,
			     const struct metrics_numbers *numbers)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (uint32_t i = 0; r >= 0 && i < METRICS_EVENT_TYPES; i++) {
		const char *type = trustgate_event_type_name(i);
		sd_json_variant *count = NULL;

		if (!type)
			continue;
		r = event_count_json(type, numbers->events[i], &count);
		if (r >= 0)
			r = sd_json_variant_append_array(&value, count);
		sd_json_variant_unref(count);
	}
	put(object, name, r, value);
}

static void put_waited(struct json *object, const char *name,
		       const struct metrics_numbers *numbers)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (uint32_t i = 0; r >= 0 && i < METRICS_ENDS; i++) {
		const char *end = trustgate_request_end_name(i);
		sd_json_variant *waited = NULL;

		if (!end || i == TRUSTGATE_REQUEST_END_OPEN)
			continue;
		r = waited_json(end, &numbers->waited[i], &waited);
		if (r >= 0)
			r = sd_json_variant_append_array(&value, waited);
		sd_json_variant_unref(waited);
	}
	put(object, name, r, value);
}

static int observation_json(const struct trustgate_observation *observation,
			    sd_json_variant **ret)
{
	struct json object = { 0 };

	OBSERVATION_FIELDS(PUT)
	return finish(&object, ret);
}

static void put_observations(struct json *object, const char *name,
			     const struct trustgate_gate *gate)
{
	sd_json_variant *value = NULL;
	int r = sd_json_variant_new_array(&value, NULL, 0);

	for (size_t i = 0; r >= 0 && i < gate->observations_count; i++) {
		sd_json_variant *observation = NULL;

		r = observation_json(&gate->observations[i], &observation);
		if (r >= 0)
			r = sd_json_variant_append_array(&value, observation);
		sd_json_variant_unref(observation);
	}
	put(object, name, r, value);
}

/* ---- the types ---- */

int varlink_json_status(const struct agent *agent, const struct trustgate_gate *gate,
			const char *state, uint64_t break_glass, sd_json_variant **ret)
{
	struct json object = { 0 };

	STATUS_FIELDS(PUT, PUT)
	return finish(&object, ret);
}

int varlink_json_metrics(const struct agent_metrics *metrics, sd_json_variant **ret)
{
	struct json object = { 0 };

	METRICS_FIELDS(PUT, PUT)
	return finish(&object, ret);
}

int varlink_json_volume(const struct trustgate_volume *volume, const char *path,
			sd_json_variant **ret)
{
	struct json object = { 0 };

	VOLUME_FIELDS(PUT, PUT)
	return finish(&object, ret);
}

static const char *grant_state(const struct trustgate_grant *grant)
{
	uint64_t now = now_boottime_ns();

	if (grant->end != TRUSTGATE_END_NONE)
		return "ended";
	if (now >= grant->expires_boottime_ns)
		return "expired";
	if (grant->max_uses && grant->uses >= grant->max_uses)
		return "used-up";
	if (now < grant->not_before_boottime_ns)
		return "not-yet";
	if (grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED &&
	    now >= grant->supervised_until_boottime_ns)
		return "suspended";
	return "active";
}

int varlink_json_grant(const struct trustgate_grant *grant, const char *volume,
		       const char *path, sd_json_variant **ret)
{
	struct json object = { 0 };
	char comm[17];

	subject_comm(grant->pid, comm);
	GRANT_FIELDS(PUT)
	return finish(&object, ret);
}

int varlink_json_request(const struct docket_request *request, struct approval_need need,
			 struct approval_need have, bool live, sd_json_variant **ret)
{
	struct json object = { 0 };

	REQUEST_FIELDS(PUT)
	return finish(&object, ret);
}

int varlink_json_approval(const struct docket_approval *approval, sd_json_variant **ret)
{
	struct json object = { 0 };

	APPROVAL_FIELDS(PUT)
	return finish(&object, ret);
}

int varlink_json_transition(const struct docket_transition *transition, sd_json_variant **ret)
{
	struct json object = { 0 };

	TRANSITION_FIELDS(PUT)
	return finish(&object, ret);
}

int varlink_json_keeper(const struct trustgate_keeper *keeper, const char *volume,
			const struct policy_facts *facts, sd_json_variant **ret)
{
	struct json object = { 0 };

	KEEPER_FIELDS(PUT)
	return finish(&object, ret);
}

int varlink_json_event(const struct trustgate_event *event, sd_json_variant **ret)
{
	struct json object = { 0 };

#define HAS(attribute) trustgate_event_has(event, TRUSTGATE_A_EVENT_##attribute)
	EVENT_FIELDS(PUT)
#undef HAS
	return finish(&object, ret);
}
