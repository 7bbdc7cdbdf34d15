// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints every name and number that the library was built with, for
 * names_test.py to compare with the specification.
 *
 * Owns: the form of the lines.
 *
 * Must not own: what is right.
 */
#include <stdbool.h>
#include <stdio.h>

#include "attr.h"
#include "trustgate.h"

static void dump_names(const char *title, enum trustgate_names set)
{
	const char *name;

	for (size_t i = 0; (name = trustgate_name_at(set, i)); i++) {
		uint32_t value;

		if (trustgate_value(set, name, &value))
			printf("broken %s\n", name);
		printf("value %s %s %u\n", title, name, value);
	}
}

static void dump_attributes(const struct attr_set *set)
{
	for (unsigned int type = 1; type <= set->max; type++)
		printf("attribute %s %s %u %s %s\n", set->set,
		       trustgate_attr_name(set, type) ?: "missing", type,
		       set->multi && set->multi[type] ? "multi" : "single",
		       set->nested && set->nested[type] ? set->nested[type]->set : "-");
}

int main(void)
{
	dump_names("gate-state", TRUSTGATE_NAMES_GATE_STATE);
	dump_names("access", TRUSTGATE_NAMES_ACCESS);
	dump_names("cause", TRUSTGATE_NAMES_CAUSE);
	dump_names("reason", TRUSTGATE_NAMES_REASON);
	dump_names("end", TRUSTGATE_NAMES_END);
	dump_names("on-agent-loss", TRUSTGATE_NAMES_ON_AGENT_LOSS);
	dump_names("record", TRUSTGATE_NAMES_RECORD);
	dump_names("grant-flags", TRUSTGATE_NAMES_GRANT_FLAGS);
	dump_names("object-kind", TRUSTGATE_NAMES_OBJECT_KIND);
	dump_names("event-type", TRUSTGATE_NAMES_EVENT_TYPE);
	dump_names("metadata", TRUSTGATE_NAMES_METADATA);
	dump_names("audit", TRUSTGATE_NAMES_AUDIT);
	dump_names("on-end", TRUSTGATE_NAMES_ON_END);
	dump_names("request-end", TRUSTGATE_NAMES_REQUEST_END);
	dump_attributes(&trustgate_attr_gate);
	dump_attributes(&trustgate_attr_observation);
	dump_attributes(&trustgate_attr_agent);
	dump_attributes(&trustgate_attr_counter);
	dump_attributes(&trustgate_attr_volume);
	dump_attributes(&trustgate_attr_grant);
	dump_attributes(&trustgate_attr_batch);
	dump_attributes(&trustgate_attr_revocation);
	dump_attributes(&trustgate_attr_event);
	dump_attributes(&trustgate_attr_request);
	dump_attributes(&trustgate_attr_refusal);
	dump_attributes(&trustgate_attr_supervision);
	dump_attributes(&trustgate_attr_channel);
	dump_attributes(&trustgate_attr_keeper);
	return 0;
}
