// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - what is measured, see metrics.h.
 *
 * Owns: one family after the other.
 *
 * Must not own: the meaning of the agent's fields.
 *
 * A counter is there from the beginning with 0, for each label that it can get:
 * else the first event would be invisible to a rate.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "exposition.h"
#include "format.h"
#include "metrics.h"
#include "trustgate.h"

/* One number of a reply. */
struct family {
	const char *field;
	const char *name;
	enum family_type type;
	const char *help;
};

static uint64_t number(sd_json_variant *object, const char *field)
{
	uint64_t value = 0;

	field_number(object, field, &value);
	return value;
}

static void put_one(struct exposition *exposition, const char *name, enum family_type type,
		    const char *help, uint64_t value)
{
	exposition_family(exposition, name, type, help);
	exposition_number(exposition, LABELS(), value);
}

static void put_families(struct exposition *exposition, sd_json_variant *object,
			 const struct family *families)
{
	for (; families->field; families++)
		put_one(exposition, families->name, families->type, families->help,
			number(object, families->field));
}

/* How long ago something happened; 0 if it did not. */
static void put_age(struct exposition *exposition, const char *name, const char *help,
		    uint64_t boottime_ns)
{
	uint64_t now_ns = boottime_now_ns();

	exposition_family(exposition, name, FAMILY_GAUGE, help);
	exposition_seconds(exposition, LABELS(), boottime_ns && now_ns > boottime_ns ?
			   now_ns - boottime_ns : 0);
}

/* The same as a time of the world's clock, which is what monitors compare with. */
static void put_timestamp(struct exposition *exposition, const char *name, const char *help,
			  uint64_t boottime_ns)
{
	uint64_t now_ns = boottime_now_ns();
	struct timespec world = { 0 };
	uint64_t ago_ns = now_ns > boottime_ns ? now_ns - boottime_ns : 0;
	uint64_t world_ns;

	clock_gettime(CLOCK_REALTIME, &world);
	world_ns = (uint64_t)world.tv_sec * 1000000000 + world.tv_nsec;
	exposition_family(exposition, name, FAMILY_GAUGE, help);
	exposition_seconds(exposition, LABELS(), world_ns > ago_ns ? world_ns - ago_ns : 0);
}

/* ---- the gate ---- */

static const struct family gate_families[] = {
	{ "volumes", "volumes", FAMILY_GAUGE, "Volumes under protection." },
	{ "volumesMax", "volumes_limit", FAMILY_GAUGE, "How many volumes there can be." },
	{ "grants", "grants", FAMILY_GAUGE, "Live grants." },
	{ "grantsMax", "grants_limit", FAMILY_GAUGE, "How many grants there can be." },
	{ "grantsBytesMax", "grants_limit_bytes", FAMILY_GAUGE,
	  "Upper bound of the kernel memory for so many grants." },
	{ "ending", "grants_ended_mapped", FAMILY_GAUGE,
	  "Grants that have expired or ended otherwise, and whose mappings are still there or looked for." },
	{ "subjects", "grant_holders", FAMILY_GAUGE, "Processes that hold grants." },
	{ "unmapped", "mappings_ended_total", FAMILY_COUNTER, "Mappings ended by force." },
	{ "killed", "processes_killed_total", FAMILY_COUNTER,
	  "Processes killed because of mappings." },
	{ "requests", "requests_open", FAMILY_GAUGE,
	  "Opens that wait for an answer, of the policy or of a trustee." },
	{ "requestsMax", "requests_limit", FAMILY_GAUGE, "How many opens can wait." },
	{ "eventSeq", "events_total", FAMILY_COUNTER, "Events that the kernel has numbered." },
	{ "eventsDropped", "events_dropped_total", FAMILY_COUNTER,
	  "Events that no receiver got, as the kernel's queue was full." },
	{ "eventsAgentMissed", "events_agent_missed_total", FAMILY_COUNTER,
	  "Events that the agent did not take in time." },
	{ "auditSuppressed", "audit_suppressed_total", FAMILY_COUNTER,
	  "Denials without an audit record, by its rate limit." },
	{ "proofs", "proofs_total", FAMILY_COUNTER, "Successful proofs that all hooks run." },
	{ 0 }
};

static void put_gate(struct exposition *exposition, sd_json_variant *status)
{
	static const char *const states[] = { "idle", "armed", "broken", "degraded" };
	const char *state = field_string(status, "state") ?: "";

	put_one(exposition, "agent_bound", FAMILY_GAUGE,
		"Whether an agent is bound to the gate; without one nothing is granted.",
		number(status, "agentPid") != 0);
	exposition_family(exposition, "gate_state", FAMILY_GAUGE,
			  "State of the gate, 1 for the one that it is in.");
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		exposition_number(exposition, LABELS({ "state", states[i] }),
				  !strcmp(state, states[i]));
	put_one(exposition, "hooks", FAMILY_GAUGE, "Kernel hooks that are attached.",
		sd_json_variant_elements(sd_json_variant_by_key(status, "hooks")));
	if (number(status, "proofs"))
		put_timestamp(exposition, "last_proof_timestamp_seconds",
			      "When the last successful proof ended, as Unix time.",
			      number(status, "proofBoottimeNSec"));
	put_families(exposition, status, gate_families);
	put_age(exposition, "oldest_request_wait_seconds",
		"How long the oldest open has waited that waits now; 0 if none does.",
		number(status, "oldestRequestBoottimeNSec"));
}

/* ---- volumes ---- */

/* Where each loop over the volumes is one family. */
#define EACH_VOLUME(volumes, volume) \
	for (size_t i_ = 0; i_ < sd_json_variant_elements(volumes) && \
	     ((volume) = sd_json_variant_by_index(volumes, i_)); i_++)

static const char *name_of(sd_json_variant *volume)
{
	return field_string(volume, "name") ?: "";
}

/* How many checks ended with a cause, by the field that counts them. */
static uint64_t counted_as(sd_json_variant *volume, const char *cause, const char *field)
{
	sd_json_variant *counters = sd_json_variant_by_key(volume, "counters");

	for (size_t i = 0; i < sd_json_variant_elements(counters); i++) {
		sd_json_variant *counter = sd_json_variant_by_index(counters, i);
		const char *name = field_string(counter, "cause");

		if (name && !strcmp(name, cause))
			return number(counter, field);
	}
	return 0;
}

static uint64_t counted(sd_json_variant *volume, const char *cause)
{
	return counted_as(volume, cause, "count");
}

/* Of each cause for which an access is denied, or would have been. */
static void put_causes(struct exposition *exposition, sd_json_variant *volumes, const char *field)
{
	const char *granted = trustgate_cause_name(TRUSTGATE_CAUSE_GRANTED);
	const char *asked = trustgate_cause_name(TRUSTGATE_CAUSE_ASKED);
	sd_json_variant *volume;
	const char *cause;

	EACH_VOLUME(volumes, volume)
		for (size_t i = 0; (cause = trustgate_name_at(TRUSTGATE_NAMES_CAUSE, i)); i++)
			if (strcmp(cause, granted) && strcmp(cause, asked))
				exposition_number(exposition,
						  LABELS({ "volume", name_of(volume) },
							 { "cause", cause }),
						  counted_as(volume, cause, field));
}

static void put_counts(struct exposition *exposition, sd_json_variant *volumes)
{
	const char *granted = trustgate_cause_name(TRUSTGATE_CAUSE_GRANTED);
	const char *asked = trustgate_cause_name(TRUSTGATE_CAUSE_ASKED);
	sd_json_variant *volume;

	exposition_family(exposition, "allowed_total", FAMILY_COUNTER,
			  "Checks that ended with access, since the volume is protected.");
	EACH_VOLUME(volumes, volume)
		exposition_number(exposition, LABELS({ "volume", name_of(volume) }),
				  counted(volume, granted));
	exposition_family(exposition, "denied_total", FAMILY_COUNTER,
			  "Checks that ended with a denial, by its cause, since the volume is protected.");
	put_causes(exposition, volumes, "count");
	exposition_family(exposition, "observed_total", FAMILY_COUNTER,
			  "Checks that were not denied, as the volume was observed, by the cause they would have been denied for.");
	put_causes(exposition, volumes, "observed");
	exposition_family(exposition, "asked_total", FAMILY_COUNTER,
			  "Opens that were made to wait for an answer, since the volume is protected.");
	EACH_VOLUME(volumes, volume)
		exposition_number(exposition, LABELS({ "volume", name_of(volume) }),
				  counted(volume, asked));
}

static void put_volumes(struct exposition *exposition, sd_json_variant *volumes,
			sd_json_variant *unprotected)
{
	sd_json_variant *volume;

	exposition_family(exposition, "volume_info", FAMILY_GAUGE,
			  "What a protected volume is, always 1.");
	EACH_VOLUME(volumes, volume)
		exposition_number(exposition,
				  LABELS({ "volume", name_of(volume) },
					 { "fstype", field_string(volume, "fstype") ?: "" },
					 { "device", field_string(volume, "device") ?: "" },
					 { "metadata", field_string(volume, "metadata") ?: "" },
					 { "on_agent_loss", field_string(volume, "onAgentLoss") ?: "" }),
				  1);
	exposition_family(exposition, "volume_protected", FAMILY_GAUGE,
			  "Whether a volume is protected; 0 for one that is configured and is not.");
	EACH_VOLUME(volumes, volume)
		exposition_number(exposition, LABELS({ "volume", name_of(volume) }), 1);
	for (size_t i = 0; i < sd_json_variant_elements(unprotected); i++) {
		sd_json_variant *name = sd_json_variant_by_index(unprotected, i);

		if (sd_json_variant_is_string(name))
			exposition_number(exposition,
					  LABELS({ "volume", sd_json_variant_string(name) }), 0);
	}
	exposition_family(exposition, "volume_observed", FAMILY_GAUGE,
			  "Whether nothing is denied on a volume now, as it is observed.");
	EACH_VOLUME(volumes, volume)
		exposition_number(exposition, LABELS({ "volume", name_of(volume) }),
				  number(volume, "observedUntilBoottimeNSec") != 0);
	exposition_family(exposition, "volume_grants", FAMILY_GAUGE, "Live grants on a volume.");
	EACH_VOLUME(volumes, volume)
		exposition_number(exposition, LABELS({ "volume", name_of(volume) }),
				  number(volume, "grants"));
	put_counts(exposition, volumes);
}

static const struct family kept_families[] = {
	{ "processes", "volume_open_processes", FAMILY_GAUGE,
	  "Processes that have files of a volume open or mapped, by a grant or without." },
	{ "files", "volume_open_files", FAMILY_GAUGE, "Files of a volume that processes have open." },
	{ "filesDenied", "volume_expired_open_files", FAMILY_GAUGE,
	  "Those of them that are of no use any more, as no live grant covers them; each use is denied." },
	{ "mappings", "volume_mappings", FAMILY_GAUGE,
	  "Mappings of a volume's files that processes have." },
	{ "mappingsDenied", "volume_expired_mappings", FAMILY_GAUGE,
	  "Those of them that no live grant covers any more; what they show is seen without a check." },
	{ 0 }
};

/* Only root is told by the kernel. */
static void put_kept(struct exposition *exposition, sd_json_variant *kept)
{
	sd_json_variant *volume;

	for (const struct family *family = kept_families; family->field; family++) {
		exposition_family(exposition, family->name, family->type, family->help);
		EACH_VOLUME(kept, volume)
			exposition_number(exposition,
					  LABELS({ "volume", field_string(volume, "volume") ?: "" }),
					  number(volume, family->field));
	}
}

/* Also of volumes that are protected no longer. */
static void put_observations(struct exposition *exposition, sd_json_variant *observations)
{
	exposition_family(exposition, "observations_total", FAMILY_COUNTER,
			  "How often a volume was observed, in which nothing was denied on it, since the module was loaded.");
	for (size_t i = 0; i < sd_json_variant_elements(observations); i++) {
		sd_json_variant *observation = sd_json_variant_by_index(observations, i);

		exposition_number(exposition,
				  LABELS({ "volume", field_string(observation, "volume") ?: "" }),
				  number(observation, "times"));
	}
}

/* ---- the agent ---- */

static const struct family agent_families[] = {
	{ "waitingForTrustee", "requests_waiting_for_trustee", FAMILY_GAUGE,
	  "Opens that wait for a trustee." },
	{ "refusals", "agent_refusals_total", FAMILY_COUNTER,
	  "Calls of the agent that were not permitted or not done." },
	{ "failingServices", "services_failing", FAMILY_GAUGE,
	  "Standing grants that could not be given to services which run." },
	{ "accountWaiting", "account_entries_waiting", FAMILY_GAUGE,
	  "Entries of the account that are not on disk yet." },
	{ "accountWritten", "account_entries_total", FAMILY_COUNTER,
	  "Entries written to the account." },
	{ "accountLost", "account_entries_lost_total", FAMILY_COUNTER,
	  "Entries for which there was no room while none could be written." },
	{ "accountFailures", "account_failures_total", FAMILY_COUNTER,
	  "Attempts to write the account that have failed." },
	{ 0 }
};

static uint64_t *read_numbers(sd_json_variant *array, size_t count)
{
	uint64_t *numbers;

	if (sd_json_variant_elements(array) != count)
		return NULL;
	numbers = calloc(count, sizeof(*numbers));
	for (size_t i = 0; numbers && i < count; i++)
		numbers[i] = sd_json_variant_unsigned(sd_json_variant_by_index(array, i));
	return numbers;
}

static void put_waited(struct exposition *exposition, sd_json_variant *agent)
{
	sd_json_variant *all = sd_json_variant_by_key(agent, "waited");
	sd_json_variant *array = sd_json_variant_by_key(agent, "boundsNSec");
	size_t bounds = sd_json_variant_elements(array);
	uint64_t *bounds_ns = read_numbers(array, bounds);

	exposition_family(exposition, "ask_duration_seconds", FAMILY_HISTOGRAM,
			  "How long opens waited for their answer, by how that ended.");
	for (size_t i = 0; bounds_ns && i < sd_json_variant_elements(all); i++) {
		sd_json_variant *waited = sd_json_variant_by_index(all, i);
		uint64_t *up_to = read_numbers(sd_json_variant_by_key(waited, "upTo"), bounds);

		if (up_to)
			exposition_histogram(exposition,
				LABELS({ "end", field_string(waited, "end") ?: "" }),
				&(struct histogram){
					.bounds_ns = bounds_ns, .up_to = up_to, .bounds = bounds,
					.count = number(waited, "count"),
					.sum_ns = number(waited, "sumNSec"),
				});
		free(up_to);
	}
	free(bounds_ns);
}

static void put_events(struct exposition *exposition, sd_json_variant *agent)
{
	sd_json_variant *events = sd_json_variant_by_key(agent, "events");
	const char *broken = trustgate_event_type_name(TRUSTGATE_EVENT_TYPE_GATE_BROKEN);
	uint64_t broken_proofs = 0;

	exposition_family(exposition, "agent_events_total", FAMILY_COUNTER,
			  "Events that have reached the agent, by their type.");
	for (size_t i = 0; i < sd_json_variant_elements(events); i++) {
		sd_json_variant *event = sd_json_variant_by_index(events, i);
		const char *type = field_string(event, "type") ?: "";

		exposition_number(exposition, LABELS({ "type", type }), number(event, "count"));
		if (!strcmp(type, broken))
			broken_proofs = number(event, "count");
	}
	put_one(exposition, "proofs_broken_total", FAMILY_COUNTER,
		"Proofs that have failed: a hook did not run.", broken_proofs);
}

static void put_agent(struct exposition *exposition, sd_json_variant *agent,
		      sd_json_variant *status)
{
	exposition_family(exposition, "agent_info", FAMILY_GAUGE,
			  "Version of the agent, always 1.");
	exposition_number(exposition,
			  LABELS({ "version", field_string(status, "version") ?: "" }), 1);
	put_timestamp(exposition, "agent_start_time_seconds",
		      "When the agent began to count, as Unix time.",
		      number(agent, "startedBoottimeNSec"));
	put_one(exposition, "agent_watchers", FAMILY_GAUGE, "Connections that watch events.",
		number(status, "watchers"));
	put_families(exposition, agent, agent_families);
	put_one(exposition, "account_writable", FAMILY_GAUGE,
		"Whether accesses can be recorded in the account.",
		!field_string(status, "accountProblem"));
	put_age(exposition, "account_lag_seconds",
		"Age of the oldest entry that is not on disk yet; 0 if there is none.",
		number(agent, "accountOldestBoottimeNSec"));
	put_events(exposition, agent);
	put_waited(exposition, agent);
}

void metrics_write(const struct measured *measured, FILE *stream)
{
	struct exposition exposition = { .stream = stream };

	put_one(&exposition, "gate_up", FAMILY_GAUGE,
		"Whether the gate could be asked, by the agent or directly.",
		measured->status != NULL);
	put_one(&exposition, "agent_up", FAMILY_GAUGE, "Whether the agent has answered.",
		measured->agent != NULL);
	if (measured->status) {
		put_gate(&exposition, measured->status);
		put_volumes(&exposition, measured->volumes,
			    sd_json_variant_by_key(measured->agent, "unprotected"));
		put_observations(&exposition,
				 sd_json_variant_by_key(measured->status, "observations"));
		if (measured->kept)
			put_kept(&exposition, measured->kept);
	}
	if (measured->agent)
		put_agent(&exposition, measured->agent, measured->status);
}
