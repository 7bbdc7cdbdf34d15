// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - volumes that are observed; see observing.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "authorise.h"
#include "journal.h"
#include "observing.h"

#define COMMENT_MAX	1024

static int check(struct agent *agent, const struct observing *observing, struct refusal *refusal)
{
	char time[TRUSTGATE_DURATION_SIZE];
	int r;

	if (!observing->duration_ns || observing->duration_ns > TRUSTGATE_OBSERVE_MAX_NS)
		return refuse(refusal, ERANGE, "durationNSec", "a volume is observed for at most %s",
			      trustgate_duration_format(TRUSTGATE_OBSERVE_MAX_NS, time));
	if (observing->comment && strlen(observing->comment) > COMMENT_MAX)
		return refuse(refusal, EINVAL, "comment", "has at most %d bytes", COMMENT_MAX);
	if (observing->reason == TRUSTGATE_REASON_UNSPECIFIED)
		return refuse(refusal, EINVAL, "reason", "to observe a volume needs a reason");
	r = authorise_reason_alone(observing->reason, observing->ticket, refusal);
	return r < 0 ? r : stopped_check(agent, observing->volume, refusal);
}

/* Noted with all of it, or not at all; whether it gets to the disk comes next. */
static int note_intent(struct agent *agent, const struct observing *observing, uint64_t until_ns,
		       struct refusal *refusal)
{
	const uint64_t lost = accounting_numbers(agent).lost;
	sd_json_variant *body = NULL;
	int r;

	r = sd_json_buildo(&body,
		SD_JSON_BUILD_PAIR_STRING("volume", observing->volume),
		SD_JSON_BUILD_PAIR_UNSIGNED("durationNSec", observing->duration_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("untilBoottimeNSec", until_ns),
		SD_JSON_BUILD_PAIR_STRING("reason",
					  trustgate_reason_name(observing->reason) ?: "unknown"),
		SD_JSON_BUILD_PAIR_CONDITION(observing->ticket != NULL, "ticket",
					     SD_JSON_BUILD_STRING(observing->ticket)),
		SD_JSON_BUILD_PAIR_CONDITION(observing->comment != NULL, "comment",
					     SD_JSON_BUILD_STRING(observing->comment)),
		SD_JSON_BUILD_PAIR_UNSIGNED("uid", observing->uid),
		SD_JSON_BUILD_PAIR_UNSIGNED("loginuid", observing->loginuid),
		SD_JSON_BUILD_PAIR_UNSIGNED("pid", observing->pid));
	if (r >= 0)
		accounting_note(agent, "observing", body);
	return r < 0 || accounting_numbers(agent).lost != lost ?
	       refuse(refusal, ENOMEM, NULL, "the agent has no memory left to record it") : 0;
}

static void alert(struct agent *agent, const struct observing *observing)
{
	char time[TRUSTGATE_DURATION_SIZE], who[96];
	struct record record;

	authorise_name(agent->config, observing->uid, who, sizeof(who));
	record_begin(&record, LOG_ALERT, MESSAGE_ID_OBSERVED,
		     "%s has volume \"%s\" observed for %s, in which accesses are recorded and NOT denied: %s%s%s%s%.256s",
		     who, observing->volume,
		     trustgate_duration_format(observing->duration_ns, time),
		     trustgate_reason_name(observing->reason) ?: "unknown reason",
		     observing->ticket ? " " : "", observing->ticket ?: "",
		     observing->comment ? ", " : "", observing->comment ?: "");
	record_text(&record, "TRUSTGATE_VOLUME", observing->volume);
	record_text(&record, "TRUSTGATE_REASON",
		    trustgate_reason_name(observing->reason) ?: "unknown");
	if (observing->ticket)
		record_text(&record, "TRUSTGATE_TICKET", observing->ticket);
	if (observing->comment)
		record_text(&record, "TRUSTGATE_COMMENT", observing->comment);
	record_number(&record, "TRUSTGATE_REQUESTER_UID", observing->uid);
	record_number(&record, "TRUSTGATE_REQUESTER_PID", observing->pid);
	record_send(&record);
}

int observing_intend(struct agent *agent, const struct observing *observing,
		     uint64_t *ret_until_ns, struct refusal *refusal)
{
	int r;

	r = check(agent, observing, refusal);
	if (r < 0)
		return r;
	*ret_until_ns = now_boottime_ns() + observing->duration_ns;
	r = note_intent(agent, observing, *ret_until_ns, refusal);
	if (r == 0)
		r = accounting_insist(agent, observing->volume, refusal);
	if (r == 0)
		alert(agent, observing);
	return r;
}

static int set_until(struct agent *agent, const char *name, uint64_t until_ns,
		     struct refusal *refusal)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_OBSERVED,
		.observed_until_boottime_ns = until_ns,
	};

	return volumes_set(agent, name, &settings, refusal);
}

int observing_begin(struct agent *agent, const struct observing *observing,
		    struct refusal *refusal)
{
	struct trustgate_volume volume;
	uint64_t until_ns = 0;
	int r;

	/* Before anything is said of it, that there is one. */
	r = volumes_get(agent, observing->volume, &volume, refusal);
	if (r == 0)
		r = observing_intend(agent, observing, &until_ns, refusal);
	return r < 0 ? r : set_until(agent, observing->volume, until_ns, refusal);
}

int observing_end(struct agent *agent, const struct trustgate_volume *volume,
		  const char *why, struct refusal *refusal)
{
	sd_json_variant *body = NULL;
	int r;

	if (!volume->observed_until_boottime_ns)
		return 0;
	r = set_until(agent, volume->name, 0, refusal);
	if (r < 0)
		return r;
	journal_note(LOG_WARNING, "volume \"%s\" is observed no longer: %s", volume->name, why);
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_STRING("volume", volume->name),
			     SD_JSON_BUILD_PAIR_STRING("cause", why));
	accounting_note(agent, "observed-no-longer", body);
	return 1;
}
