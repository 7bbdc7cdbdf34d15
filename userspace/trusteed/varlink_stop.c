// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the methods that stop volumes and start them again.
 *
 * Owns: the order in which everything on a volume, or on the host, is ended.
 *
 * Must not own: what is stopped (stopped.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "observing.h"
#include "renewed.h"
#include "requests.h"
#include "varlink.h"
#include "varlink_fields.h"

struct stop_parameters {
	const char *volume;
	int all;
};

/* A volume that is configured can be stopped before it is mounted. */
static int check_what(struct agent *agent, const struct stop_parameters *given,
		      uint32_t *ret_volume_id, struct refusal *refusal)
{
	struct trustgate_volume volume;
	int r;

	*ret_volume_id = 0;
	if (!given->volume == (given->all <= 0))
		return refuse(refusal, EINVAL, "volume", "exactly one of volume and all is needed");
	if (!given->volume)
		return 0;
	r = volumes_get(agent, given->volume, &volume, refusal);
	if (r == 0)
		*ret_volume_id = volume.id;
	else if (refusal->kind == REFUSAL_NO_SUCH_VOLUME &&
		 config_find_volume(agent->config, given->volume)) {
		*refusal = (struct refusal){ 0 };
		r = 0;
	}
	return r;
}

/* Who stops everything does not mean everything but what nobody has granted. */
static int observe_nothing(struct agent *agent, const char *volume, struct refusal *refusal)
{
	struct trustgate_volume *volumes = NULL;
	size_t count = 0;
	int r;

	r = trustgate_volume_list(agent->gate, &volumes, &count, NULL);
	if (r < 0)
		return gate_refused(agent, r, refusal);
	for (size_t i = 0; i < count; i++) {
		int ended = 0;

		if (!volume || !strcmp(volume, volumes[i].name))
			ended = observing_end(agent, &volumes[i], "everything was stopped",
					      refusal);
		if (ended < 0)
			r = ended;
	}
	free(volumes);
	return r;
}

static void note(struct agent *agent, const struct peer *peer, const char *volume,
		 const char *kind, uint64_t ended, uint64_t refused)
{
	sd_json_variant *body = NULL;
	char who[96];

	authorise_name(agent->config, peer->uid, who, sizeof(who));
	journal_note(LOG_WARNING, "%s%s%s %s by %s (pid %d): %llu grants ended, %llu requests refused",
		     volume ? "volume \"" : "all volumes", volume ?: "", volume ? "\"" : "", kind,
		     who, (int)peer->pid, (unsigned long long)ended, (unsigned long long)refused);
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_UNSIGNED("uid", peer->uid),
			     SD_JSON_BUILD_PAIR_UNSIGNED("pid", peer->pid),
			     SD_JSON_BUILD_PAIR_CONDITION(volume != NULL, "volume",
							  SD_JSON_BUILD_STRING(volume)),
			     SD_JSON_BUILD_PAIR_UNSIGNED("ended", ended),
			     SD_JSON_BUILD_PAIR_UNSIGNED("refused", refused));
	accounting_note(agent, kind, body);
}

static int run_stop(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct stop_parameters *given = userdata;
	uint64_t ended = 0, standing = 0, refused = 0;
	uint32_t volume_id = 0;
	struct refusal observed = { 0 };
	struct peer peer;
	int kept, denied, r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0)
		r = check_what(agent, given, &volume_id, refusal);
	if (r < 0)
		return r;
	/* First nothing new is given, whatever becomes of the rest. */
	kept = stopped_add(agent, given->volume, refusal);
	denied = observe_nothing(agent, given->volume, &observed);
	refused = asked_refuse_all(agent, given->volume, "everything was stopped") +
		  requests_reject_all(agent, given->volume, peer.uid, "everything was stopped");
	standing = services_end(agent, given->volume) + renewed_end(agent, given->volume);
	if (!given->volume || volume_id) {
		struct refusal failure = { 0 };

		r = grants_revoke_where(agent, volume_id, 0, &ended, &failure);
		if (r < 0)
			*refusal = failure;
	}
	ended += standing;
	note(agent, &peer, given->volume, "stopped", ended, refused);
	if (r == 0 && denied < 0) {
		*refusal = observed;
		r = denied;
	}
	if (r < 0 || kept < 0)
		return r < 0 ? r : kept;
	return sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_UNSIGNED("ended", ended),
			      SD_JSON_BUILD_PAIR_UNSIGNED("refused", refused));
}

int method_stop(sd_varlink *link, sd_json_variant *parameters,
		sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct stop_parameters
		STOP_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "Stop", fields, ASK_REVOKE, .run = run_stop };
	struct stop_parameters given = { .all = -1 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}

static int run_start(struct agent *agent, sd_varlink *link, void *userdata,
		     sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct stop_parameters *given = userdata;
	struct peer peer;
	int r;

	r = varlink_peer(link, &peer, refusal);
	if (r == 0 && !given->volume == (given->all <= 0))
		r = refuse(refusal, EINVAL, "volume", "exactly one of volume and all is needed");
	if (r == 0)
		r = stopped_remove(agent, given->volume, refusal);
	if (r < 0)
		return r;
	note(agent, &peer, given->volume, "started", 0, 0);
	services_retry(agent);
	return sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_CONDITION(false, "none",
								      SD_JSON_BUILD_NULL));
}

int method_start(sd_varlink *link, sd_json_variant *parameters,
		 sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct stop_parameters
		STOP_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "Start", fields, ASK_VOLUMES, .run = run_start };
	struct stop_parameters given = { .all = -1 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
