// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods that have a volume observed, and no longer.
 *
 * Owns: their parameters and replies; what AddVolume has of them.
 *
 * Must not own: what is done about it (observing.c).
 */
#include <errno.h>
#include <stdio.h>

#include "observing.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

int varlink_read_observing(struct agent *agent, sd_varlink *link,
			   const struct observe_parameters *given, const char *volume,
			   struct observing *observing, struct refusal *refusal)
{
	struct peer peer;
	int r;

	/* Whatever else he may: this is another thing. */
	r = varlink_authorise(agent, link, ASK_OBSERVE, &peer, refusal);
	if (r < 0)
		return r;
	if (given->duration_ns <= 0)
		return refuse(refusal, EINVAL, "durationNSec", "is not a positive duration");
	*observing = (struct observing){
		.volume = volume, .duration_ns = given->duration_ns,
		.ticket = given->ticket && given->ticket[0] ? given->ticket : NULL,
		.comment = given->comment && given->comment[0] ? given->comment : NULL,
		.uid = peer.uid, .loginuid = peer.loginuid, .pid = peer.pid,
	};
	if (!given->reason)
		return refuse(refusal, EINVAL, "reason", "to observe a volume needs a reason");
	if (trustgate_value(TRUSTGATE_NAMES_REASON, given->reason, &observing->reason) < 0)
		return refuse(refusal, EINVAL, "reason", "\"%.64s\" is not a known reason",
			      given->reason);
	return 0;
}

struct named_observe_parameters {
	const char *volume;
	struct observe_parameters act;
};

static int run_observe(struct agent *agent, sd_varlink *link, void *userdata,
		       sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct named_observe_parameters *given = userdata;
	struct observing observing;
	int r;

	r = varlink_read_observing(agent, link, &given->act, given->volume, &observing, refusal);
	if (r == 0)
		r = observing_begin(agent, &observing, refusal);
	return r < 0 ? r : varlink_reply_volume(agent, given->volume, ret_reply, refusal);
}

int method_observe(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct named_observe_parameters
		OBSERVE_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "Observe", fields, ASK_OBSERVE, .run = run_observe };
	struct named_observe_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

static int run_unobserve(struct agent *agent, sd_varlink *link, void *userdata,
			 sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct named_observe_parameters *given = userdata;
	struct trustgate_volume volume;
	char who[96], why[128];
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = volumes_get(agent, given->volume, &volume, refusal);
	if (r < 0)
		return r;
	authorise_name(agent->config, peer.uid, who, sizeof(who));
	snprintf(why, sizeof(why), "ended by %s (pid %d)", who, (int)peer.pid);
	r = observing_end(agent, &volume, why, refusal);
	if (r == 0)
		return refuse(refusal, EINVAL, "volume", "volume \"%s\" is not observed",
			      volume.name);
	return r < 0 ? r : varlink_reply_volume(agent, given->volume, ret_reply, refusal);
}

int method_unobserve(sd_varlink *link, sd_json_variant *parameters,
		     sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct named_observe_parameters
		UNOBSERVE_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = {
		"Unobserve", fields, ASK_REVOKE, .run = run_unobserve,
	};
	struct named_observe_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
