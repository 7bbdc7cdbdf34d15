// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the method by which a service asks for its standing grants.
 *
 * Owns: the two steps of the call: asking systemd who the caller is, and the
 * reply once it has answered.
 *
 * Must not own: the standing grants (services.c).
 *
 * A service that opens its files as soon as it runs may be quicker than
 * systemd's signal that it does. One that calls Service first is not: when the
 * reply is there, the grants are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "varlink.h"
#include "varlink_fields.h"

struct service_call {
	sd_varlink *link;
	struct subject subject;
	uid_t uid;
	char *unit;
};

static void free_call(struct service_call *call)
{
	sd_varlink_unref(call->link);
	subject_close(&call->subject);
	free(call->unit);
	free(call);
}

static bool is_configured(const struct agent *agent, const char *unit)
{
	for (size_t i = 0; i < agent->config->services_count; i++)
		if (!strcmp(agent->config->services[i].unit, unit))
			return true;
	return false;
}

static int not_permitted(const struct agent *agent, const struct service_call *call,
			 struct refusal *refusal, const char *what, const char *cure)
{
	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(agent->config, call->uid, refusal->who, sizeof(refusal->who));
	snprintf(refusal->message, sizeof(refusal->message), "%s", what);
	snprintf(refusal->cure, sizeof(refusal->cure), "%s", cure);
	return -EPERM;
}

static int check(const struct agent *agent, const struct service_call *call, int r,
		 const char *unit, enum unit_role role, struct refusal *refusal)
{
	if (r < 0)
		return refuse(refusal, -r, NULL,
			      "systemd does not tell which unit process %d belongs to: %s",
			      (int)call->subject.pid, strerror(-r));
	if (call->unit && strcmp(call->unit, unit))
		return not_permitted(agent, call, refusal,
				     "take the standing grants of a unit he does not belong to",
				     "call from the unit itself");
	if (!is_configured(agent, unit))
		return not_permitted(agent, call, refusal,
				     "have standing grants: his unit is not configured for any",
				     "a trustee can add it to services in the agent's configuration");
	if (role == UNIT_MEMBER)
		return not_permitted(agent, call, refusal,
				     "have standing grants: he is neither the main nor the control process of his unit",
				     "call from the main process, before it executes the service");
	return 0;
}

static int reply(struct agent *agent, struct service_call *call,
		 const struct trustgate_grant *grants, size_t count)
{
	struct volume_names names = { 0 };
	sd_json_variant *list = NULL;
	struct refusal ignored;
	int r;

	(void)varlink_volume_names(agent, &names, &ignored);
	r = varlink_grants(agent, grants, count, &names, &list);
	if (r >= 0)
		r = sd_varlink_replybo(call->link, SD_JSON_BUILD_PAIR_VARIANT("grants", list));
	sd_json_variant_unref(list);
	free(names.volumes);
	return r;
}

static void on_unit(struct agent *agent, int r, const char *unit, enum unit_role role,
		    void *userdata)
{
	struct trustgate_grant *grants = NULL;
	struct service_call *call = userdata;
	struct refusal refusal = { 0 };
	size_t count = 0;

	r = check(agent, call, r, unit, role, &refusal);
	if (r == 0)
		r = services_give(agent, unit, role, &call->subject, &grants, &count,
				  &refusal);
	if (r < 0)
		(void)varlink_refuse(agent, call->link, "Service", &refusal);
	else
		(void)reply(agent, call, grants, count);
	free(grants);
	gate_poke(agent);
	free_call(call);
}

struct service_parameters {
	const char *unit;
};

int method_service(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct service_parameters
		SERVICE_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	struct service_call *call;
	struct service_parameters given = { 0 };
	struct peer peer;
	int r;

	(void)flags;
	r = sd_varlink_dispatch(link, parameters, fields, &given);
	if (r != 0)
		return r;
	call = calloc(1, sizeof(*call));
	if (!call)
		return -ENOMEM;
	call->subject.pidfd = -1;
	r = varlink_peer(link, &peer, &refusal);
	if (r == 0)
		r = subject_open(peer.pid, peer.pidfd, &call->subject, &refusal);
	if (r == 0) {
		call->link = sd_varlink_ref(link);
		call->uid = peer.uid;
		call->unit = given.unit ? strdup(given.unit) : NULL;
		r = units_ask(agent, peer.pid, peer.pidfd, on_unit, call);
		if (r < 0)
			refuse(&refusal, -r, NULL, "systemd cannot be asked: %s",
			       strerror(-r));
	}
	if (r < 0) {
		free_call(call);
		return varlink_refuse(agent, link, "Service", &refusal);
	}
	return 0;
}
