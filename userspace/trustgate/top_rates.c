// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - how much happens in a second.
 *
 * Owns: the volumes' counters as they were last time and the time before.
 *
 * Must not own: where they come from.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "top.h"
#include "trustgate.h"

/* One look at the counters. */
struct look {
	uint64_t time_ns;
	struct counted {
		char name[TOP_NAME_SIZE];
		uint64_t causes[TOP_CAUSES];
	} *volumes;
	size_t count;
};

struct top_rates {
	struct look before;
	struct look now;
};

static void forget(struct look *look)
{
	free(look->volumes);
	memset(look, 0, sizeof(*look));
}

int top_rates_start(struct top *top)
{
	top->rates = calloc(1, sizeof(*top->rates));
	return top->rates ? 0 : -ENOMEM;
}

void top_rates_stop(struct top *top)
{
	if (!top->rates)
		return;
	forget(&top->rates->before);
	forget(&top->rates->now);
	free(top->rates);
	top->rates = NULL;
}

static void read_counters(sd_json_variant *volume, uint64_t causes[TOP_CAUSES])
{
	sd_json_variant *counters = sd_json_variant_by_key(volume, "counters");

	for (size_t i = 0; i < sd_json_variant_elements(counters); i++) {
		sd_json_variant *counter = sd_json_variant_by_index(counters, i);
		const char *name = field_string(counter, "cause");
		uint32_t cause;

		if (name && !trustgate_value(TRUSTGATE_NAMES_CAUSE, name, &cause) &&
		    cause < TOP_CAUSES)
			field_number(counter, "count", &causes[cause]);
	}
}

/* Without memory nothing is known, and all rates are 0. */
static void read_volumes(struct look *look, sd_json_variant *volumes)
{
	size_t count = sd_json_variant_elements(volumes);

	look->volumes = calloc(count + 1, sizeof(*look->volumes));
	look->count = look->volumes ? count : 0;
	for (size_t i = 0; i < look->count; i++) {
		sd_json_variant *volume = sd_json_variant_by_index(volumes, i);

		snprintf(look->volumes[i].name, sizeof(look->volumes[i].name), "%s",
			 field_string(volume, "name") ?: "");
		read_counters(volume, look->volumes[i].causes);
	}
}

void top_rates_take(struct top *top, sd_json_variant *volumes, uint64_t now_ns)
{
	struct top_rates *rates = top->rates;

	forget(&rates->before);
	rates->before = rates->now;
	rates->now = (struct look){ .time_ns = now_ns };
	read_volumes(&rates->now, volumes);
}

static const struct counted *find(const struct look *look, const char *name)
{
	for (size_t i = 0; i < look->count; i++)
		if (!strcmp(look->volumes[i].name, name))
			return &look->volumes[i];
	return NULL;
}

struct top_rate top_rates_of(const struct top *top, const char *volume)
{
	const struct counted *before = find(&top->rates->before, volume);
	const struct counted *now = find(&top->rates->now, volume);
	double seconds = (double)(top->rates->now.time_ns - top->rates->before.time_ns) / 1e9;
	struct top_rate rate = { 0 };

	if (!before || !now || seconds <= 0)
		return rate;
	for (uint32_t cause = 0; cause < TOP_CAUSES; cause++) {
		double each = now->causes[cause] > before->causes[cause] ?
			      (double)(now->causes[cause] - before->causes[cause]) / seconds : 0;

		rate.causes[cause] = each;
		if (cause == TRUSTGATE_CAUSE_GRANTED)
			rate.allowed += each;
		else if (cause == TRUSTGATE_CAUSE_ASKED)
			rate.asked += each;
		else
			rate.denied += each;
	}
	return rate;
}

void top_rates_add(struct top_rate *sum, const struct top_rate *rate)
{
	sum->allowed += rate->allowed;
	sum->asked += rate->asked;
	sum->denied += rate->denied;
	for (size_t i = 0; i < TOP_CAUSES; i++)
		sum->causes[i] += rate->causes[i];
}
