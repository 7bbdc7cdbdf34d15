/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the interface's types as JSON.
 *
 * Each returns 0 or -errno; the variant belongs to the caller. Times are
 * absolute nanoseconds of CLOCK_BOOTTIME, names are the specification's.
 */
#ifndef _TRUSTEED_VARLINK_JSON_H
#define _TRUSTEED_VARLINK_JSON_H

#include <systemd/sd-json.h>

#include <trustgate.h>

#include "accounting.h"
#include "authorise_approval.h"
#include "docket.h"
#include "metrics.h"
#include "policy.h"

/*
 * @state: in a word; @break_glass: how often the glass was broken and nobody has
 * acknowledged that.
 */
int varlink_json_status(const struct agent *agent, const struct trustgate_gate *gate,
			const char *state, uint64_t break_glass, sd_json_variant **ret);

/**
 * struct agent_metrics - what Metrics tells
 * @agent: of which the volumes and services are told
 * @numbers: what it has counted
 * @account: how far the account is behind
 * @waiting_for_trustee: opens that wait for one
 */
struct agent_metrics {
	const struct agent *agent;
	const struct metrics_numbers *numbers;
	struct accounting_numbers account;
	size_t waiting_for_trustee;
};

int varlink_json_metrics(const struct agent_metrics *metrics, sd_json_variant **ret);

/* @path: where it is mounted, or NULL. */
int varlink_json_volume(const struct trustgate_volume *volume, const char *path,
			sd_json_variant **ret);

/* @volume: its name; @path: by which it was given, or NULL. */
int varlink_json_grant(const struct trustgate_grant *grant, const char *volume,
		       const char *path, sd_json_variant **ret);

/*
 * @need: approvals that it needs; @have: that it has; @live: of this boot, to
 * which its times on the boot's clock refer.
 */
int varlink_json_request(const struct docket_request *request, struct approval_need need,
			 struct approval_need have, bool live, sd_json_variant **ret);
int varlink_json_approval(const struct docket_approval *approval, sd_json_variant **ret);
int varlink_json_transition(const struct docket_transition *transition, sd_json_variant **ret);

/* @volume: its name; @facts: what is known of the process. */
int varlink_json_keeper(const struct trustgate_keeper *keeper, const char *volume,
			const struct policy_facts *facts, sd_json_variant **ret);

int varlink_json_event(const struct trustgate_event *event, sd_json_variant **ret);

#endif
