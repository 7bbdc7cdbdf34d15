// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - the kernel's own word, see kernel.h.
 *
 * Owns: the agent's names for what the kernel tells.
 *
 * Must not own: what is done with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "kernel.h"
#include "trustgate.h"

/* ---- the agent's words ---- */

static int observations_json(const struct trustgate_gate *gate, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < gate->observations_count; i++) {
		const struct trustgate_observation *observation = &gate->observations[i];

		r = sd_json_variant_append_arraybo(ret,
			SD_JSON_BUILD_PAIR_STRING("volume", observation->volume_name),
			SD_JSON_BUILD_PAIR_BOOLEAN("live", observation->live),
			SD_JSON_BUILD_PAIR_UNSIGNED("sinceBoottimeNSec",
						    observation->since_boottime_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("untilBoottimeNSec",
						    observation->until_boottime_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("times", observation->times));
	}
	return r;
}

static int status_json(const struct trustgate_gate *gate, sd_json_variant **ret)
{
	bool bound = gate->present & (UINT64_C(1) << TRUSTGATE_A_GATE_AGENT_PID);
	sd_json_variant *hooks = NULL;
	sd_json_variant *observations = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < gate->hooks_count; i++)
		r = sd_json_variant_append_arrayb(&hooks, SD_JSON_BUILD_STRING(gate->hooks[i]));
	if (r >= 0 && !hooks)
		r = sd_json_variant_new_array(&hooks, NULL, 0);
	if (r >= 0)
		r = observations_json(gate, &observations);
	if (r >= 0)
		r = sd_json_buildo(ret,
			SD_JSON_BUILD_PAIR_STRING("source", "kernel"),
			SD_JSON_BUILD_PAIR_VARIANT("observations", observations),
			SD_JSON_BUILD_PAIR_UNSIGNED("abiVersion", gate->abi_version),
			SD_JSON_BUILD_PAIR_STRING("state",
				trustgate_name(TRUSTGATE_NAMES_GATE_STATE, gate->state) ?: "unknown"),
			SD_JSON_BUILD_PAIR_CONDITION(bound, "agentPid",
						     SD_JSON_BUILD_INTEGER(gate->agent_pid)),
			SD_JSON_BUILD_PAIR_UNSIGNED("volumes", gate->volumes),
			SD_JSON_BUILD_PAIR_UNSIGNED("volumesMax", gate->volumes_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("grants", gate->grants),
			SD_JSON_BUILD_PAIR_UNSIGNED("grantsMax", gate->grants_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("grantsBytesMax", gate->grants_bytes_max),
			SD_JSON_BUILD_PAIR_UNSIGNED("subjects", gate->subjects),
			SD_JSON_BUILD_PAIR_UNSIGNED("nowBoottimeNSec", gate->now_boottime_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("eventSeq", gate->event_seq),
			SD_JSON_BUILD_PAIR_UNSIGNED("eventsDropped", gate->events_dropped),
			SD_JSON_BUILD_PAIR_UNSIGNED("eventsAgentMissed", gate->events_agent_missed),
			SD_JSON_BUILD_PAIR_UNSIGNED("auditSuppressed", gate->audit_suppressed),
			SD_JSON_BUILD_PAIR_UNSIGNED("ending", gate->ending),
			SD_JSON_BUILD_PAIR_UNSIGNED("unmapped", gate->unmapped),
			SD_JSON_BUILD_PAIR_UNSIGNED("killed", gate->killed),
			SD_JSON_BUILD_PAIR_UNSIGNED("proofs", gate->proofs),
			SD_JSON_BUILD_PAIR_UNSIGNED("proofBoottimeNSec", gate->proof_boottime_ns),
			SD_JSON_BUILD_PAIR_UNSIGNED("requests", gate->requests),
			SD_JSON_BUILD_PAIR_UNSIGNED("requestsMax", gate->requests_max),
			SD_JSON_BUILD_PAIR_CONDITION(gate->oldest_request_boottime_ns != 0,
				"oldestRequestBoottimeNSec",
				SD_JSON_BUILD_UNSIGNED(gate->oldest_request_boottime_ns)),
			SD_JSON_BUILD_PAIR_VARIANT("hooks", hooks));
	sd_json_variant_unref(hooks);
	sd_json_variant_unref(observations);
	return r;
}

static int counters_json(const struct trustgate_volume *volume, sd_json_variant **ret)
{
	int r = sd_json_variant_new_array(ret, NULL, 0);

	for (size_t i = 0; r >= 0 && i < volume->counters_count; i++)
		r = sd_json_variant_append_arraybo(ret,
			SD_JSON_BUILD_PAIR_STRING("cause",
				trustgate_cause_name(volume->counters[i].cause) ?: "unknown"),
			SD_JSON_BUILD_PAIR_UNSIGNED("count", volume->counters[i].count),
			SD_JSON_BUILD_PAIR_CONDITION(volume->counters[i].observed != 0, "observed",
				SD_JSON_BUILD_UNSIGNED(volume->counters[i].observed)));
	return r;
}

static int append_volume(sd_json_variant **array, const struct trustgate_volume *volume)
{
	sd_json_variant *counters = NULL;
	int r;

	r = counters_json(volume, &counters);
	if (r >= 0)
		r = sd_json_variant_append_arraybo(array,
			SD_JSON_BUILD_PAIR_UNSIGNED("id", volume->id),
			SD_JSON_BUILD_PAIR_STRING("name", volume->name),
			SD_JSON_BUILD_PAIR_STRING("fstype", volume->fstype),
			SD_JSON_BUILD_PAIR_STRING("device", volume->device),
			SD_JSON_BUILD_PAIR_UNSIGNED("maxDurationNSec", volume->max_duration_ns),
			SD_JSON_BUILD_PAIR_STRING("onAgentLoss",
				trustgate_name(TRUSTGATE_NAMES_ON_AGENT_LOSS,
					       volume->on_agent_loss) ?: "unknown"),
			SD_JSON_BUILD_PAIR_STRING("metadata",
				trustgate_name(TRUSTGATE_NAMES_METADATA,
					       volume->metadata) ?: "unknown"),
			SD_JSON_BUILD_PAIR_CONDITION(volume->ask_ns != 0, "askNSec",
						     SD_JSON_BUILD_UNSIGNED(volume->ask_ns)),
			SD_JSON_BUILD_PAIR_UNSIGNED("grants", volume->grants),
			SD_JSON_BUILD_PAIR_UNSIGNED("addedBoottimeNSec",
						    volume->added_boottime_ns),
			SD_JSON_BUILD_PAIR_CONDITION(volume->observed_until_boottime_ns != 0,
				"observedUntilBoottimeNSec",
				SD_JSON_BUILD_UNSIGNED(volume->observed_until_boottime_ns)),
			SD_JSON_BUILD_PAIR_CONDITION(volume->observed_until_boottime_ns != 0,
				"observedSinceBoottimeNSec",
				SD_JSON_BUILD_UNSIGNED(volume->observed_since_boottime_ns)),
			SD_JSON_BUILD_PAIR_VARIANT("counters", counters));
	sd_json_variant_unref(counters);
	return r;
}

/* ---- asking ---- */

typedef int (*kernel_read_fn)(struct trustgate_conn *conn, sd_json_variant **ret);

static int read_status(struct trustgate_conn *conn, sd_json_variant **ret)
{
	struct trustgate_gate gate = { 0 };
	int r;

	r = trustgate_gate_get(conn, &gate);
	if (!r && status_json(&gate, ret) < 0)
		r = -ENOMEM;
	trustgate_gate_clear(&gate);
	return r;
}

static int read_volumes(struct trustgate_conn *conn, sd_json_variant **ret)
{
	struct trustgate_volume *volumes = NULL;
	size_t count = 0;
	int r;

	r = trustgate_volume_list(conn, &volumes, &count, NULL);
	if (!r && sd_json_variant_new_array(ret, NULL, 0) < 0)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < count; i++)
		if (append_volume(ret, &volumes[i]) < 0)
			r = -ENOMEM;
	free(volumes);
	return r;
}

static int ask(kernel_read_fn fn, sd_json_variant **ret)
{
	struct trustgate_conn *conn = NULL;
	int r;

	r = trustgate_new(&conn);
	if (!r)
		r = trustgate_connect(conn);
	if (!r)
		r = fn(conn, ret);
	if (r == -ENOMEM)
		complain("out of memory");
	else if (r)
		complain("asking the kernel instead failed, too: %s.",
			 conn ? trustgate_error_text(conn) : strerror(-r));
	trustgate_free(conn);
	return r ? EXIT_UNREACHABLE : 0;
}

/* ---- what processes have ---- */

struct kept {
	uint64_t processes;
	uint64_t files;
	uint64_t mappings;
	uint64_t files_denied;
	uint64_t mappings_denied;
};

static int add_keeper(const struct trustgate_keeper *keeper, void *userdata)
{
	struct kept *kept = userdata;

	kept->processes++;
	kept->files += keeper->files;
	kept->mappings += keeper->mappings;
	kept->files_denied += keeper->files_denied;
	kept->mappings_denied += keeper->mappings_denied;
	return 0;
}

static int append_kept(sd_json_variant **array, const char *volume, const struct kept *kept)
{
	return sd_json_variant_append_arraybo(array,
		SD_JSON_BUILD_PAIR_STRING("volume", volume),
		SD_JSON_BUILD_PAIR_UNSIGNED("processes", kept->processes),
		SD_JSON_BUILD_PAIR_UNSIGNED("files", kept->files),
		SD_JSON_BUILD_PAIR_UNSIGNED("mappings", kept->mappings),
		SD_JSON_BUILD_PAIR_UNSIGNED("filesDenied", kept->files_denied),
		SD_JSON_BUILD_PAIR_UNSIGNED("mappingsDenied", kept->mappings_denied));
}

static int read_kept(struct trustgate_conn *conn, sd_json_variant **ret)
{
	struct trustgate_volume *volumes = NULL;
	size_t count = 0;
	int r;

	r = trustgate_volume_list(conn, &volumes, &count, NULL);
	if (!r && sd_json_variant_new_array(ret, NULL, 0) < 0)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < count; i++) {
		struct kept kept = { 0 };

		r = trustgate_keeper_each(conn, volumes[i].id, add_keeper, &kept);
		/* It is gone meanwhile. */
		if (r == -ENOENT)
			r = 0;
		else if (!r && append_kept(ret, volumes[i].name, &kept) < 0)
			r = -ENOMEM;
	}
	free(volumes);
	return r;
}

int kernel_kept(sd_json_variant **ret)
{
	struct trustgate_conn *conn = NULL;
	int r;

	r = trustgate_new(&conn);
	if (!r)
		r = trustgate_connect(conn);
	if (!r)
		r = read_kept(conn, ret);
	trustgate_free(conn);
	if (r)
		*ret = sd_json_variant_unref(*ret);
	return r ? EXIT_UNREACHABLE : 0;
}

int kernel_status(sd_json_variant **ret)
{
	return ask(read_status, ret);
}

int kernel_volumes(sd_json_variant **ret)
{
	return ask(read_volumes, ret);
}
