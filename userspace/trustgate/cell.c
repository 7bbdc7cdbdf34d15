// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - cells of tables from fields of replies.
 *
 * Owns: text for one field of a reply.
 *
 * Must not own: which field goes into which column.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "moment.h"
#include "trustgate.h"

char *cell_string(sd_json_variant *row, const char *field)
{
	const char *text = field_string(row, field);

	return text ? strdup(text) : NULL;
}

char *cell_number(sd_json_variant *row, const char *field)
{
	uint64_t number;
	char *text;

	if (!field_number(row, field, &number))
		return NULL;
	return asprintf(&text, "%llu", (unsigned long long)number) < 0 ? NULL : text;
}

char *cell_time(const struct cli *cli, sd_json_variant *row, const char *field)
{
	char buffer[FORMAT_TIME_SIZE];
	uint64_t time_ns;

	if (!field_number(row, field, &time_ns) || !time_ns)
		return NULL;
	return strdup(format_time_now(time_ns, cli->time, buffer));
}

char *cell_realtime(const struct cli *cli, sd_json_variant *row, const char *field)
{
	uint64_t time_ns, now_ns = realtime_now_ns();
	char buffer[FORMAT_TIME_SIZE];

	if (!field_number(row, field, &time_ns) || !time_ns)
		return NULL;
	/* A time of another boot is none of this one's clock. */
	return strdup(format_time(time_ns, now_ns, now_ns, cli->time == TIME_BOOTTIME ?
				  TIME_ABSOLUTE : cli->time, buffer));
}

char *cell_duration(sd_json_variant *row, const char *field)
{
	char buffer[TRUSTGATE_DURATION_SIZE];
	uint64_t duration_ns;

	if (!field_number(row, field, &duration_ns))
		return NULL;
	return strdup(trustgate_duration_format(duration_ns, buffer));
}

char *cell_left(sd_json_variant *row, const char *field)
{
	char buffer[FORMAT_TIME_SIZE];
	uint64_t time_ns, now_ns = boottime_now_ns();

	if (!field_number(row, field, &time_ns))
		return NULL;
	return strdup(format_left(time_ns > now_ns ? time_ns - now_ns : 0, buffer));
}

char *cell_names(sd_json_variant *row, const char *field)
{
	return field_joined(row, field, ",");
}

char *cell_counter(sd_json_variant *row, bool granted)
{
	sd_json_variant *counters = sd_json_variant_by_key(row, "counters");
	const char *asked = trustgate_cause_name(TRUSTGATE_CAUSE_ASKED);
	uint64_t sum = 0;
	char *text;

	if (!sd_json_variant_is_array(counters))
		return NULL;
	for (size_t i = 0; i < sd_json_variant_elements(counters); i++) {
		sd_json_variant *counter = sd_json_variant_by_index(counters, i);
		const char *cause = field_string(counter, "cause");
		uint64_t count;

		/* What is asked is neither yet: it is checked again after the answer. */
		if (cause && strcmp(cause, asked) && field_number(counter, "count", &count) &&
		    granted == !strcmp(cause, trustgate_cause_name(TRUSTGATE_CAUSE_GRANTED)) &&
		    __builtin_add_overflow(sum, count, &sum))
			sum = UINT64_MAX;
	}
	return asprintf(&text, "%llu", (unsigned long long)sum) < 0 ? NULL : text;
}

char *cell_observed(sd_json_variant *row)
{
	sd_json_variant *counters = sd_json_variant_by_key(row, "counters");
	uint64_t sum = 0, count;
	char *text;

	if (!sd_json_variant_is_array(counters))
		return NULL;
	for (size_t i = 0; i < sd_json_variant_elements(counters); i++)
		if (field_number(sd_json_variant_by_index(counters, i), "observed", &count) &&
		    __builtin_add_overflow(sum, count, &sum))
			sum = UINT64_MAX;
	return asprintf(&text, "%llu", (unsigned long long)sum) < 0 ? NULL : text;
}

char *cell_flags(sd_json_variant *row)
{
	static const struct {
		const char *field;
		const char *name;
	} flags[] = {
		{ "descendants", "descendants" },
		{ "breakGlass", "break-glass" },
		{ "keepExec", "keep-exec" },
		{ "nextExec", "next-exec" },
		{ "supervised", "supervised" },
	};
	char text[64] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (field_true(row, flags[i].field))
			used += snprintf(text + used, sizeof(text) - used, "%s%s",
					 used ? "," : "", flags[i].name);
	return used ? strdup(text) : NULL;
}
