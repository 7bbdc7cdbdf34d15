// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - what is known.
 *
 * Owns: the last replies, what was opened last by each grant, the filter, the
 * order, the selection.
 *
 * Must not own: asking (top_poll.c), how it looks (top_frame.c).
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "format.h"
#include "top.h"
#include "trustgate.h"

/* ---- what was opened last ---- */

/* A grant has its place by its number; a newer one in the same place wins. */
#define OPENS 4096

struct top_opens {
	struct opened {
		uint64_t grant;
		uint64_t boottime_ns;
		char *what;
	} opened[OPENS];
};

void top_model_event(struct top *top, sd_json_variant *event)
{
	const char *type = field_string(event, "type");
	struct opened *opened;
	uint64_t grant;
	char *what;

	if (!type || strcmp(type, trustgate_event_type_name(TRUSTGATE_EVENT_TYPE_ALLOWED)) ||
	    !field_number(event, "grantId", &grant))
		return;
	if (asprintf(&what, "%s: %s", field_string(event, "comm") ?: "?",
		     field_string(event, "path") ?: "?") < 0)
		return;
	opened = &top->opens->opened[grant % OPENS];
	free(opened->what);
	opened->what = what;
	opened->grant = grant;
	field_number(event, "timeBoottimeNSec", &opened->boottime_ns);
}

const char *top_model_opened(const struct top *top, uint64_t id, uint64_t *ret_boottime_ns)
{
	const struct opened *opened = &top->opens->opened[id % OPENS];

	if (opened->grant != id || !opened->what)
		return NULL;
	*ret_boottime_ns = opened->boottime_ns;
	return opened->what;
}

/* ---- begin and end ---- */

static void forget_rows(struct top_rows *shown)
{
	for (size_t i = 0; i < shown->count; i++)
		sd_json_variant_unref(shown->rows[i]);
	free(shown->rows);
	shown->rows = NULL;
	shown->count = 0;
}

int top_model_start(struct top *top)
{
	top->opens = calloc(1, sizeof(*top->opens));
	return top->opens ? top_rates_start(top) : -ENOMEM;
}

void top_model_stop(struct top *top)
{
	for (size_t i = 0; top->opens && i < OPENS; i++)
		free(top->opens->opened[i].what);
	free(top->opens);
	top->opens = NULL;
	top_rates_stop(top);
	for (size_t i = 0; i < _TOP_SECTIONS; i++)
		forget_rows(&top->shown[i]);
	free(top->shown_volumes);
	sd_json_variant_unref(top->status);
	sd_json_variant_unref(top->volumes);
	sd_json_variant_unref(top->requests);
	sd_json_variant_unref(top->grants);
	sd_json_variant_unref(top->counted);
}

void top_model_take(struct top *top, enum top_query query, sd_json_variant *reply)
{
	sd_json_variant **at = query == TOP_QUERY_STATUS ? &top->status :
			       query == TOP_QUERY_VOLUMES ? &top->volumes :
			       query == TOP_QUERY_REQUESTS ? &top->requests :
			       query == TOP_QUERY_GRANTS ? &top->grants : &top->counted;

	sd_json_variant_unref(*at);
	*at = reply;
	if (query == TOP_QUERY_VOLUMES)
		top_rates_take(top, reply, boottime_now_ns());
	top_model_arrange(top);
}

/* ---- who ---- */

/* Names of users, which a name service may be slow to tell. */
static const char *user_name(uint64_t uid)
{
	static struct {
		uint64_t uid;
		char name[33];
	} known[64];
	size_t place = uid % (sizeof(known) / sizeof(known[0]));

	if (!known[place].name[0] || known[place].uid != uid) {
		const struct passwd *user = getpwuid((uid_t)uid);

		known[place].uid = uid;
		if (user)
			snprintf(known[place].name, sizeof(known[place].name), "%.32s", user->pw_name);
		else
			snprintf(known[place].name, sizeof(known[place].name), "%llu",
				 (unsigned long long)uid);
	}
	return known[place].name;
}

char *top_model_who(sd_json_variant *row)
{
	const char *comm = field_string(row, "comm") ?: "?";
	uint64_t uid = 0;
	char *who;

	if (!field_number(row, "loginuid", &uid) && !field_number(row, "uid", &uid) &&
	    !field_number(row, "requesterUid", &uid))
		return strdup(comm);
	return asprintf(&who, "%s (%s)", comm, user_name(uid)) < 0 ? NULL : who;
}

/* ---- order ---- */

const char *top_model_sort_name(enum top_sort sort)
{
	static const char *const names[] = {
		[TOP_SORT_LEFT] = "time left",
		[TOP_SORT_ID] = "number",
		[TOP_SORT_OBJECT] = "object",
		[TOP_SORT_WHO] = "program",
	};

	return names[sort];
}

static uint64_t number(sd_json_variant *row, const char *field)
{
	uint64_t value = 0;

	field_number(row, field, &value);
	return value;
}

static uint64_t end_of(sd_json_variant *row)
{
	uint64_t end;

	return field_number(row, "deadlineBoottimeNSec", &end) ||
	       field_number(row, "expiresBoottimeNSec", &end) ? end : 0;
}

static int compare_text(sd_json_variant *a, sd_json_variant *b, const char *field)
{
	return strcmp(field_string(a, field) ?: "", field_string(b, field) ?: "");
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_rows(const void *left, const void *right, void *userdata)
{
	sd_json_variant *a = *(sd_json_variant *const *)left, *b = *(sd_json_variant *const *)right;
	enum top_sort sort = *(const enum top_sort *)userdata;
	int r = 0;

	if (sort == TOP_SORT_LEFT)
		r = compare_numbers(end_of(a), end_of(b));
	if (sort == TOP_SORT_OBJECT)
		r = compare_text(a, b, "volume") ?: compare_text(a, b, "path");
	if (sort == TOP_SORT_WHO)
		r = compare_text(a, b, "comm");
	return r ?: compare_numbers(number(a, "id"), number(b, "id"));
}

static bool passes(const struct top *top, sd_json_variant *row, const char *field)
{
	return !top->filter[0] || !strcmp(field_string(row, field) ?: "", top->filter);
}

static void arrange_rows(struct top *top, enum top_section section, sd_json_variant *array)
{
	size_t count = sd_json_variant_elements(array);
	struct top_rows *shown = &top->shown[section];

	forget_rows(shown);
	shown->rows = calloc(count + 1, sizeof(*shown->rows));
	for (size_t i = 0; shown->rows && i < count; i++) {
		sd_json_variant *row = sd_json_variant_by_index(array, i);

		if (passes(top, row, "volume"))
			shown->rows[shown->count++] = sd_json_variant_ref(row);
	}
	if (shown->rows)
		qsort_r(shown->rows, shown->count, sizeof(*shown->rows), compare_rows, &top->sort);
}

static size_t waiting_on(const struct top *top, const char *volume)
{
	size_t waiting = 0;

	for (size_t i = 0; i < sd_json_variant_elements(top->requests); i++)
		waiting += !strcmp(field_string(sd_json_variant_by_index(top->requests, i),
						"volume") ?: "", volume);
	return waiting;
}

static void add_volume(struct top *top, const char *name, sd_json_variant *row)
{
	struct top_volume *volume = &top->shown_volumes[top->shown_volumes_count];

	if (top->filter[0] && strcmp(name, top->filter))
		return;
	top->shown_volumes_count++;
	volume->name = name;
	volume->row = row;
	volume->waiting = waiting_on(top, name);
	volume->rate = top_rates_of(top, name);
	top_rates_add(&top->rate, &volume->rate);
}

static void arrange_volumes(struct top *top)
{
	sd_json_variant *missing = sd_json_variant_by_key(top->counted, "unprotected");
	size_t count = sd_json_variant_elements(top->volumes);
	size_t missing_count = sd_json_variant_elements(missing);

	free(top->shown_volumes);
	memset(&top->rate, 0, sizeof(top->rate));
	top->shown_volumes_count = 0;
	top->shown_volumes = calloc(count + missing_count + 1, sizeof(*top->shown_volumes));
	if (!top->shown_volumes)
		return;
	/* What is wrong comes first. */
	for (size_t i = 0; i < missing_count; i++)
		add_volume(top, sd_json_variant_string(sd_json_variant_by_index(missing, i)), NULL);
	for (size_t i = 0; i < count; i++) {
		sd_json_variant *row = sd_json_variant_by_index(top->volumes, i);

		add_volume(top, field_string(row, "name") ?: "", row);
	}
}

/* ---- selection ---- */

static size_t selected_index(const struct top *top)
{
	const struct top_rows *shown = &top->shown[top->section];

	for (size_t i = 0; i < shown->count; i++)
		if (number(shown->rows[i], "id") == top->selected)
			return i;
	return SIZE_MAX;
}

static void select_index(struct top *top, enum top_section section, size_t index)
{
	const struct top_rows *shown = &top->shown[section];

	top->section = section;
	top->selected = index < shown->count ? number(shown->rows[index], "id") : 0;
}

void top_model_arrange(struct top *top)
{
	size_t before = selected_index(top);

	arrange_volumes(top);
	arrange_rows(top, TOP_REQUESTS, top->requests);
	arrange_rows(top, TOP_GRANTS, top->grants);
	top->drawn = false;
	/* Before both lists are there, neither is chosen. */
	if (selected_index(top) != SIZE_MAX || !top->requests || !top->grants)
		return;
	/* It has gone: what has come into its place, but never under the user's keys. */
	if (top->shown[top->section].count)
		select_index(top, top->section, before != SIZE_MAX &&
			     before < top->shown[top->section].count ? before : 0);
	else if (top->shown[!top->section].count)
		select_index(top, !top->section, 0);
	else
		top->selected = 0;
}

sd_json_variant *top_model_selected(const struct top *top)
{
	size_t index = selected_index(top);

	return index == SIZE_MAX ? NULL : top->shown[top->section].rows[index];
}

void top_model_move(struct top *top, long rows)
{
	size_t index = selected_index(top);
	size_t count = top->shown[top->section].count;
	long to;

	if (index == SIZE_MAX || !count)
		return;
	/* Over the edge of one list is the other. */
	if (rows == 1 && index + 1 == count && top->section == TOP_REQUESTS &&
	    top->shown[TOP_GRANTS].count)
		return select_index(top, TOP_GRANTS, 0);
	if (rows == -1 && !index && top->section == TOP_GRANTS && top->shown[TOP_REQUESTS].count)
		return select_index(top, TOP_REQUESTS, top->shown[TOP_REQUESTS].count - 1);
	to = (long)index + rows;
	if (to < 0)
		to = 0;
	if (to >= (long)count)
		to = (long)count - 1;
	select_index(top, top->section, (size_t)to);
}

void top_model_other_section(struct top *top)
{
	if (top->shown[!top->section].count)
		select_index(top, !top->section, 0);
}

/* ---- JSON ---- */

static int rate_json(const struct top_rate *rate, sd_json_variant **ret)
{
	sd_json_variant *causes = NULL;
	int r;

	r = sd_json_variant_new_object(&causes, NULL, 0);
	for (uint32_t cause = 0; r >= 0 && cause < TOP_CAUSES; cause++) {
		const char *name = trustgate_cause_name(cause);
		sd_json_variant *value = NULL;

		if (!name || cause == TRUSTGATE_CAUSE_GRANTED || cause == TRUSTGATE_CAUSE_ASKED ||
		    rate->causes[cause] <= 0)
			continue;
		r = sd_json_variant_new_real(&value, rate->causes[cause]);
		if (r >= 0)
			r = sd_json_variant_set_field(&causes, name, value);
		sd_json_variant_unref(value);
	}
	if (r >= 0)
		r = sd_json_buildo(ret,
				   SD_JSON_BUILD_PAIR_REAL("allowed", rate->allowed),
				   SD_JSON_BUILD_PAIR_REAL("asked", rate->asked),
				   SD_JSON_BUILD_PAIR_REAL("denied", rate->denied),
				   SD_JSON_BUILD_PAIR_VARIANT("deniedByCause", causes));
	sd_json_variant_unref(causes);
	return r;
}

static int volumes_json(const struct top *top, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < top->shown_volumes_count; i++) {
		const struct top_volume *volume = &top->shown_volumes[i];
		sd_json_variant *rate = NULL;

		r = rate_json(&volume->rate, &rate);
		if (r >= 0)
			r = sd_json_variant_append_arraybo(ret,
				SD_JSON_BUILD_PAIR_STRING("name", volume->name),
				SD_JSON_BUILD_PAIR_BOOLEAN("protected", volume->row != NULL),
				SD_JSON_BUILD_PAIR_UNSIGNED("waiting", volume->waiting),
				SD_JSON_BUILD_PAIR_VARIANT("perSecond", rate),
				SD_JSON_BUILD_PAIR_CONDITION(volume->row != NULL, "volume",
							     SD_JSON_BUILD_VARIANT(volume->row)));
		sd_json_variant_unref(rate);
	}
	return r;
}

int top_model_json(const struct top *top, sd_json_variant **ret)
{
	sd_json_variant *requests = NULL, *grants = NULL, *volumes = NULL, *rate = NULL;
	const struct top_rows *shown = top->shown;
	int r;

	r = sd_json_variant_new_array(&requests, shown[TOP_REQUESTS].rows,
				      shown[TOP_REQUESTS].count);
	if (r >= 0)
		r = sd_json_variant_new_array(&grants, shown[TOP_GRANTS].rows,
					      shown[TOP_GRANTS].count);
	if (r >= 0)
		r = volumes_json(top, &volumes);
	if (r >= 0)
		r = rate_json(&top->rate, &rate);
	if (r >= 0)
		r = sd_json_buildo(ret,
				   SD_JSON_BUILD_PAIR_VARIANT("status", top->status),
				   SD_JSON_BUILD_PAIR_VARIANT("perSecond", rate),
				   SD_JSON_BUILD_PAIR_VARIANT("volumes", volumes),
				   SD_JSON_BUILD_PAIR_VARIANT("requests", requests),
				   SD_JSON_BUILD_PAIR_VARIANT("grants", grants));
	sd_json_variant_unref(requests);
	sd_json_variant_unref(grants);
	sd_json_variant_unref(volumes);
	sd_json_variant_unref(rate);
	return r;
}
