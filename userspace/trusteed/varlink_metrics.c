// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the method that tells what the agent has counted.
 *
 * Owns: collecting the numbers of the agent's parts.
 *
 * Must not own: counting (metrics.c, accounting.c); what Status and ListVolumes
 * tell already.
 */
#include "varlink.h"
#include "varlink_json.h"

static int run_metrics(struct agent *agent, sd_varlink *link, void *given,
		       sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct agent_metrics metrics = {
		.agent = agent,
		.numbers = metrics_numbers(agent),
		.account = accounting_numbers(agent),
		.waiting_for_trustee = asked_count(agent),
	};

	(void)link;
	(void)given;
	(void)refusal;
	return varlink_json_metrics(&metrics, ret_reply);
}

int method_metrics(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = { { 0 } };
	static const struct method method = { "Metrics", fields, ASK_READ, .run = run_metrics };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, NULL);
}
