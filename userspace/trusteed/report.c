// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what happened, as journal records.
 *
 * Owns: the wording and the fields of each record, the limit for storms.
 *
 * Must not own: delivery (journal.c), any reaction to an event.
 *
 * Denials, allowed accesses and refused requests, of which one process can make
 * thousands a second, are recorded up to a number per volume and interval; the
 * rest is counted and told in one record. The kernel's event numbers and
 * counters remain complete.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "authorise.h"
#include "journal.h"

#define STORM_INTERVAL_USEC	(10 * USEC_PER_SEC)
#define REFUSALS_MAX		100
/*
 * What somebody did with a grant is what the record is for, so it takes a lot
 * until it is only counted; and who is denied cannot crowd it out.
 */
#define DENIED_MAX		100
#define ALLOWED_MAX		10000
#define OBSERVED_MAX		1000

/* What became of an access; one that was observed would have been denied. */
enum access_kind {
	ACCESS_DENIED,
	ACCESS_ALLOWED,
	ACCESS_OBSERVED,
	ACCESS_KINDS,
};

static const struct {
	const char *word;
	int priority;
	const char *id;
	unsigned int max;
} access_kinds[ACCESS_KINDS] = {
	[ACCESS_DENIED] = { "denied", LOG_WARNING, MESSAGE_ID_DENIED, DENIED_MAX },
	[ACCESS_ALLOWED] = { "allowed", LOG_INFO, MESSAGE_ID_ALLOWED, ALLOWED_MAX },
	[ACCESS_OBSERVED] = { "observed", LOG_WARNING, MESSAGE_ID_OBSERVED, OBSERVED_MAX },
};

static enum access_kind access_kind(const struct trustgate_event *event)
{
	return event->type == TRUSTGATE_EVENT_TYPE_DENIED ? ACCESS_DENIED :
	       event->type == TRUSTGATE_EVENT_TYPE_OBSERVED ? ACCESS_OBSERVED : ACCESS_ALLOWED;
}

/**
 * struct storm - one volume's accesses in the current interval
 * @volume_id: which
 * @volume: its name
 * @records: accesses written
 * @left_out: accesses not written
 * @last: the last one that was not written
 */
struct storm {
	uint32_t volume_id;
	char volume[TRUSTGATE_NAME_MAX + 1];
	unsigned int records[ACCESS_KINDS];
	uint64_t left_out[ACCESS_KINDS];
	struct trustgate_event last;
};

/**
 * struct report - what the interval has seen so far
 * @storms: one for each volume
 * @count: how many
 * @refusals: records of refused requests; anybody can make some
 * @refusals_suppressed: refused requests that were not recorded
 * @interval: its end
 */
struct report {
	struct storm *storms;
	size_t count;
	unsigned int refusals;
	uint64_t refusals_suppressed;
	sd_event_source *interval;
};

static struct storm *find_storm(struct report *report, const struct trustgate_event *event)
{
	struct storm *grown;

	for (size_t i = 0; i < report->count; i++)
		if (report->storms[i].volume_id == event->volume_id)
			return &report->storms[i];
	grown = realloc(report->storms, (report->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	report->storms = grown;
	grown += report->count++;
	memset(grown, 0, sizeof(*grown));
	grown->volume_id = event->volume_id;
	memcpy(grown->volume, event->volume_name, sizeof(grown->volume));
	return grown;
}

static void add_access(struct record *record, const char *field, uint32_t access)
{
	char names[128];

	trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, access, ",", names, sizeof(names));
	record_text(record, field, names);
}

static void add_event_fields(struct record *record, const struct trustgate_event *event)
{
#define HAS(attribute) trustgate_event_has(event, TRUSTGATE_A_EVENT_##attribute)
	record_text(record, "TRUSTGATE_EVENT", trustgate_event_type_name(event->type) ?: "unknown");
	record_number(record, "TRUSTGATE_SEQ", event->seq);
	record_number(record, "TRUSTGATE_TIME_BOOTTIME_NSEC", event->time_boottime_ns);
	if (HAS(VOLUME_NAME))
		record_text(record, "TRUSTGATE_VOLUME", event->volume_name);
	if (HAS(GRANT_ID))
		record_number(record, "TRUSTGATE_GRANT", event->grant_id);
	if (HAS(TAG) && tag_is_user(event->tag))
		record_number(record, "TRUSTGATE_REQUESTER_UID", event->tag & UINT32_MAX);
	if (HAS(HOOK))
		record_text(record, "TRUSTGATE_HOOK", event->hook);
	if (HAS(ACCESS))
		add_access(record, "TRUSTGATE_ACCESS", event->access);
	if (HAS(CAUSE))
		record_text(record, "TRUSTGATE_CAUSE", trustgate_cause_name(event->cause) ?: "unknown");
	if (HAS(END))
		record_text(record, "TRUSTGATE_END", trustgate_end_name(event->end) ?: "unknown");
	if (HAS(PID)) {
		record_number(record, "TRUSTGATE_PID", event->pid);
		record_number(record, "OBJECT_PID", event->pid);
	}
	if (HAS(TID))
		record_number(record, "TRUSTGATE_TID", event->tid);
	if (HAS(UID))
		record_number(record, "TRUSTGATE_UID", event->uid);
	if (HAS(LOGINUID))
		record_number(record, "TRUSTGATE_LOGINUID", event->loginuid);
	if (HAS(COMM))
		record_text(record, "TRUSTGATE_COMM", event->comm);
	if (HAS(INO))
		record_number(record, "TRUSTGATE_INO", event->ino);
	if (HAS(PATH))
		record_text(record, "TRUSTGATE_PATH", event->path);
	if (HAS(EXPIRES_BOOTTIME_NS))
		record_number(record, "TRUSTGATE_EXPIRES_BOOTTIME_NSEC",
			      event->expires_boottime_ns);
	if (HAS(TARGET_PID))
		record_number(record, "TRUSTGATE_TARGET_PID", event->target_pid);
	if (HAS(MAPPINGS))
		record_number(record, "TRUSTGATE_MAPPINGS", event->mappings);
#undef HAS
}

static void write_access(const struct trustgate_event *event)
{
	enum access_kind kind = access_kind(event);
	bool caused = kind != ACCESS_ALLOWED;
	struct record record;
	char names[128];

	trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, event->access, ",", names, sizeof(names));
	record_begin(&record, access_kinds[kind].priority, access_kinds[kind].id,
		     "%s %s to %s (pid %d, uid %u) on \"%s%s\" of volume \"%s\"%s%s",
		     kind == ACCESS_OBSERVED ? "observed, not denied:" : access_kinds[kind].word,
		     names, event->comm, (int)event->pid,
		     (unsigned int)event->uid, event->path_cut ? "..." : "",
		     event->path, event->volume_name, caused ? ": " : "",
		     caused ? trustgate_cause_name(event->cause) ?: "unknown cause" : "");
	add_event_fields(&record, event);
	record_send(&record);
}

static void write_suppressed(struct storm *storm)
{
	const uint64_t denied = storm->left_out[ACCESS_DENIED];
	const uint64_t allowed = storm->left_out[ACCESS_ALLOWED];
	const uint64_t observed = storm->left_out[ACCESS_OBSERVED];
	struct record record;
	char more[48] = "";

	if (!denied && !allowed && !observed)
		return;
	if (observed)
		snprintf(more, sizeof(more), ", %" PRIu64 " more observed ones,", observed);
	record_begin(&record, denied || observed ? LOG_WARNING : LOG_INFO, MESSAGE_ID_SUPPRESSED,
		     "%llu more denials and %llu more allowed accesses%s on volume \"%s\" within %llu s, the last by %s (pid %d, uid %u)",
		     (unsigned long long)denied, (unsigned long long)allowed, more,
		     storm->volume, (unsigned long long)(STORM_INTERVAL_USEC / USEC_PER_SEC),
		     storm->last.comm, (int)storm->last.pid, (unsigned int)storm->last.uid);
	record_number(&record, "TRUSTGATE_SUPPRESSED_DENIED", denied);
	record_number(&record, "TRUSTGATE_SUPPRESSED_ALLOWED", allowed);
	if (observed)
		record_number(&record, "TRUSTGATE_SUPPRESSED_OBSERVED", observed);
	add_event_fields(&record, &storm->last);
	record_send(&record);
}

static void write_suppressed_refusals(struct report *report)
{
	struct record record;

	if (!report->refusals_suppressed)
		return;
	record_begin(&record, LOG_WARNING, MESSAGE_ID_SUPPRESSED,
		     "%llu more requests refused within %llu s",
		     (unsigned long long)report->refusals_suppressed,
		     (unsigned long long)(STORM_INTERVAL_USEC / USEC_PER_SEC));
	record_number(&record, "TRUSTGATE_SUPPRESSED_REFUSED", report->refusals_suppressed);
	record_send(&record);
}

static int on_interval(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct report *report = userdata;
	bool quiet = !report->refusals;

	(void)usec;
	for (size_t i = 0; i < report->count; i++) {
		struct storm *storm = &report->storms[i];

		for (size_t kind = 0; kind < ACCESS_KINDS; kind++)
			quiet = quiet && !storm->records[kind];
		write_suppressed(storm);
		memset(storm->records, 0, sizeof(storm->records));
		memset(storm->left_out, 0, sizeof(storm->left_out));
	}
	write_suppressed_refusals(report);
	report->refusals = 0;
	report->refusals_suppressed = 0;
	if (quiet) {
		/* Also forgets volumes that are gone. */
		report->count = 0;
		return 0;
	}
	if (sd_event_source_set_time_relative(source, STORM_INTERVAL_USEC) < 0)
		return 0;
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void start_interval(struct report *report)
{
	int enabled;

	if (sd_event_source_get_enabled(report->interval, &enabled) >= 0 &&
	    enabled == SD_EVENT_OFF &&
	    sd_event_source_set_time_relative(report->interval, STORM_INTERVAL_USEC) >= 0)
		(void)sd_event_source_set_enabled(report->interval, SD_EVENT_ONESHOT);
}

static void report_access(struct report *report, const struct trustgate_event *event)
{
	struct storm *storm = find_storm(report, event);
	enum access_kind kind = access_kind(event);

	/* No memory to count: better one record too many than a denial unseen. */
	if (!storm) {
		write_access(event);
		return;
	}
	start_interval(report);
	if (storm->records[kind] < access_kinds[kind].max) {
		storm->records[kind]++;
		write_access(event);
	} else {
		storm->left_out[kind]++;
		storm->last = *event;
	}
}

/*
 * Only the agent grants, and it has recorded that with who and why. Of a
 * standing grant, whose parts come and go all the time, only an end that
 * somebody brought about is worth a record.
 */
static void report_grant_event(const struct trustgate_event *event)
{
	struct record record;

	if (event->type == TRUSTGATE_EVENT_TYPE_GRANT_ADDED)
		return;
	if (tag_is_service(event->tag) && (event->end == TRUSTGATE_END_EXPIRED ||
					   event->end == TRUSTGATE_END_SUBJECT_EXIT))
		return;
	if (event->pid)
		record_begin(&record, LOG_INFO, MESSAGE_ID_GRANT_ENDED,
			     "grant %llu of pid %d on volume \"%s\" ended: %s",
			     (unsigned long long)event->grant_id, (int)event->pid,
			     event->volume_name,
			     trustgate_end_name(event->end) ?: "unknown reason");
	else
		record_begin(&record, LOG_INFO, MESSAGE_ID_GRANT_ENDED,
			     "grant %llu on volume \"%s\" ended: %s",
			     (unsigned long long)event->grant_id, event->volume_name,
			     trustgate_end_name(event->end) ?: "unknown reason");
	add_event_fields(&record, event);
	record_send(&record);
}

/* Somebody supervises a grant, or nobody does any more. */
static void report_supervision(const struct trustgate_event *event)
{
	bool resumed = event->type == TRUSTGATE_EVENT_TYPE_GRANT_RESUMED;
	struct record record;

	record_begin(&record, LOG_NOTICE, MESSAGE_ID_SUPERVISION,
		     resumed ? "grant %llu of %s (pid %d) on volume \"%s\" is supervised" :
		     "grant %llu of %s (pid %d) on volume \"%s\" is suspended: nobody supervises it",
		     (unsigned long long)event->grant_id, event->comm, (int)event->pid,
		     event->volume_name);
	add_event_fields(&record, event);
	record_send(&record);
}

/* What was done to a process because of a grant that has ended. */
static void report_mappings(const struct trustgate_event *event)
{
	bool killed = event->type == TRUSTGATE_EVENT_TYPE_KILLED;
	struct record record;

	if (!event->mappings)
		record_begin(&record, LOG_WARNING, MESSAGE_ID_MAPPINGS,
			     "%s (pid %d) was killed: whether a grant covers its mappings cannot be seen",
			     event->comm, (int)event->pid);
	else
		record_begin(&record, killed ? LOG_WARNING : LOG_NOTICE,
			     MESSAGE_ID_MAPPINGS,
			     killed ? "%s (pid %d) was killed: it had %u mappings on volume \"%s\" that no grant covered any more" :
			     "%s (pid %d) lost %u mappings on volume \"%s\" that no grant covered any more",
			     event->comm, (int)event->pid, (unsigned int)event->mappings,
			     event->volume_name);
	add_event_fields(&record, event);
	record_send(&record);
}

static void report_other(const struct trustgate_event *event)
{
	int priority = LOG_INFO;
	const char *id = MESSAGE_ID_VOLUME;
	struct record record;

	switch (event->type) {
	case TRUSTGATE_EVENT_TYPE_AGENT_BOUND:
		id = MESSAGE_ID_AGENT;
		break;
	case TRUSTGATE_EVENT_TYPE_AGENT_LOST:
		id = MESSAGE_ID_AGENT;
		priority = LOG_CRIT;
		break;
	case TRUSTGATE_EVENT_TYPE_GATE_BROKEN:
		id = MESSAGE_ID_GATE;
		priority = LOG_ALERT;
		break;
	case TRUSTGATE_EVENT_TYPE_GATE_REPAIRED:
		id = MESSAGE_ID_GATE;
		priority = LOG_NOTICE;
		break;
	/* Whose it was, and why, is recorded by who has begun it (observing.c). */
	case TRUSTGATE_EVENT_TYPE_OBSERVATION_BEGUN:
	case TRUSTGATE_EVENT_TYPE_OBSERVATION_ENDED:
		id = MESSAGE_ID_OBSERVED;
		priority = LOG_WARNING;
		break;
	default:
		break;
	}
	if (event->volume_name[0])
		record_begin(&record, priority, id, "gate: %s \"%s\"",
			     trustgate_event_type_name(event->type) ?: "unknown event",
			     event->volume_name);
	else
		record_begin(&record, priority, id, "gate: %s",
			     trustgate_event_type_name(event->type) ?: "unknown event");
	add_event_fields(&record, event);
	record_send(&record);
}

void report_event(struct agent *agent, const struct trustgate_event *event)
{
	switch (event->type) {
	case TRUSTGATE_EVENT_TYPE_DENIED:
	case TRUSTGATE_EVENT_TYPE_ALLOWED:
	case TRUSTGATE_EVENT_TYPE_OBSERVED:
		report_access(agent->report, event);
		break;
	case TRUSTGATE_EVENT_TYPE_GRANT_ADDED:
	case TRUSTGATE_EVENT_TYPE_GRANT_ENDED:
		report_grant_event(event);
		break;
	case TRUSTGATE_EVENT_TYPE_UNMAPPED:
	case TRUSTGATE_EVENT_TYPE_KILLED:
		report_mappings(event);
		break;
	case TRUSTGATE_EVENT_TYPE_GRANT_SUSPENDED:
	case TRUSTGATE_EVENT_TYPE_GRANT_RESUMED:
		report_supervision(event);
		break;
	case TRUSTGATE_EVENT_TYPE_GRANT_CLEARED:
	/* See asked_report.c. */
	case TRUSTGATE_EVENT_TYPE_REQUEST_RAISED:
	case TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED:
		break;
	default:
		report_other(event);
		break;
	}
}

/* ---- what the agent itself did ---- */

/* The nearest whole seconds: the text is for people, the fields are exact. */
static uint64_t whole_seconds(const struct trustgate_grant *grant)
{
	uint64_t begin = grant->not_before_boottime_ns ?: grant->created_boottime_ns;

	return (grant->expires_boottime_ns - begin + NSEC_PER_SEC / 2) / NSEC_PER_SEC *
	       NSEC_PER_SEC;
}

static void add_grant_fields(struct record *record, const char *volume, const char *path,
			     const struct trustgate_grant *grant, const char *comm)
{
	char flags[128];

	record_text(record, "TRUSTGATE_VOLUME", volume);
	record_number(record, "TRUSTGATE_GRANT", grant->id);
	record_text(record, "TRUSTGATE_PATH", path);
	add_access(record, "TRUSTGATE_ACCESS", grant->access);
	record_text(record, "TRUSTGATE_REASON",
		    trustgate_reason_name(grant->reason) ?: "unknown");
	if (grant->ticket[0])
		record_text(record, "TRUSTGATE_TICKET", grant->ticket);
	record_number(record, "TRUSTGATE_PID", grant->pid);
	record_number(record, "OBJECT_PID", grant->pid);
	record_text(record, "TRUSTGATE_COMM", comm);
	if (grant->flags) {
		trustgate_mask_format(TRUSTGATE_NAMES_GRANT_FLAGS, grant->flags, ",", flags,
				      sizeof(flags));
		record_text(record, "TRUSTGATE_FLAGS", flags);
	}
	if (grant->on_end)
		record_text(record, "TRUSTGATE_ON_END",
			    trustgate_name(TRUSTGATE_NAMES_ON_END, grant->on_end) ?: "unknown");
	if (grant->max_uses)
		record_number(record, "TRUSTGATE_MAX_USES", grant->max_uses);
	if (grant->not_before_boottime_ns)
		record_number(record, "TRUSTGATE_NOT_BEFORE_BOOTTIME_NSEC",
			      grant->not_before_boottime_ns);
	record_number(record, "TRUSTGATE_EXPIRES_BOOTTIME_NSEC", grant->expires_boottime_ns);
}

void report_grant(const struct agent *agent, const char *volume, const char *path,
		  const struct trustgate_grant *grant, uid_t asker, const char *comm)
{
	char names[128], time[TRUSTGATE_DURATION_SIZE], who[96], flags[128];
	struct record record;

	authorise_name(agent->config, asker, who, sizeof(who));
	trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, grant->access, ",", names, sizeof(names));
	trustgate_mask_format(TRUSTGATE_NAMES_GRANT_FLAGS, grant->flags, ", ", flags,
			      sizeof(flags));
	trustgate_duration_format(whole_seconds(grant), time);
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_ADDED,
		     "granted %s on \"%s\"%s of volume \"%s\" to %s (pid %d%s%s) for %s, %s%s%s, asked by %s",
		     names, path,
		     grant->object_kind == TRUSTGATE_OBJECT_KIND_SUBTREE ? " and below" : "",
		     volume, comm, (int)grant->pid, grant->flags ? ", " : "", flags, time,
		     trustgate_reason_name(grant->reason) ?: "unknown reason",
		     grant->ticket[0] ? " " : "", grant->ticket, who);
	add_grant_fields(&record, volume, path, grant, comm);
	record_number(&record, "TRUSTGATE_REQUESTER_UID", asker);
	record_send(&record);
}

void report_standing(const struct config_service *service,
		     const struct trustgate_grant *grant, const char *comm)
{
	char names[128], time[TRUSTGATE_DURATION_SIZE];
	struct record record;

	trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, grant->access, ",", names, sizeof(names));
	trustgate_duration_format(whole_seconds(grant), time);
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_ADDED,
		     "%s (pid %d) has its standing grant of %s on \"%s\" of volume \"%s\", %s at a time",
		     service->unit, (int)grant->pid, names, service->path, service->volume,
		     time);
	add_grant_fields(&record, service->volume, service->path, grant, comm);
	record_text(&record, "TRUSTGATE_UNIT", service->unit);
	record_send(&record);
}

void report_refusal(const struct agent *agent, const char *method, uid_t asker,
		    pid_t pid, const struct refusal *refusal)
{
	struct record record;
	char who[96];

	start_interval(agent->report);
	if (agent->report->refusals == REFUSALS_MAX) {
		agent->report->refusals_suppressed++;
		return;
	}
	agent->report->refusals++;
	authorise_name(agent->config, asker, who, sizeof(who));
	switch (refusal->kind) {
	case REFUSAL_NOT_PERMITTED:
		record_begin(&record, LOG_WARNING, MESSAGE_ID_GRANT_REFUSED,
			     "%s of %s (pid %d) not permitted: may not %s", method, who,
			     (int)pid, refusal->message);
		break;
	case REFUSAL_NO_SUCH_VOLUME:
		record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_REFUSED,
			     "%s of %s (pid %d) refused: no volume \"%.64s\"", method, who,
			     (int)pid, refusal->message);
		break;
	case REFUSAL_NO_SUCH_GRANT:
		record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_REFUSED,
			     "%s of %s (pid %d) refused: no grant %llu", method, who,
			     (int)pid, (unsigned long long)refusal->id);
		break;
	default:
		record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_REFUSED,
			     "%s of %s (pid %d) refused: %s", method, who, (int)pid,
			     refusal->message);
		break;
	}
	record_text(&record, "TRUSTGATE_METHOD", method);
	record_number(&record, "TRUSTGATE_REQUESTER_UID", asker);
	record_number(&record, "TRUSTGATE_REQUESTER_PID", pid);
	record_number(&record, "ERRNO", refusal->error);
	record_send(&record);
}

void report_revoke(const struct agent *agent, uid_t asker, pid_t pid, uint64_t ended)
{
	struct record record;
	char who[96];

	authorise_name(agent->config, asker, who, sizeof(who));
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_ENDED,
		     "%llu grants revoked, asked by %s (pid %d)",
		     (unsigned long long)ended, who, (int)pid);
	record_number(&record, "TRUSTGATE_ENDED", ended);
	record_number(&record, "TRUSTGATE_REQUESTER_UID", asker);
	record_number(&record, "TRUSTGATE_REQUESTER_PID", pid);
	record_send(&record);
}

void report_unprotected(const struct wanted_volume *volume)
{
	struct record record;

	record_begin(&record, LOG_CRIT, MESSAGE_ID_VOLUME_UNPROTECTED,
		     "volume \"%s\" is NOT protected: %s; trying again",
		     volume->name, volume->problem);
	record_text(&record, "TRUSTGATE_VOLUME", volume->name);
	record_send(&record);
}

int report_start(struct agent *agent)
{
	int r;

	agent->report = calloc(1, sizeof(*agent->report));
	if (!agent->report)
		return -ENOMEM;
	r = sd_event_add_time_relative(agent->event, &agent->report->interval,
				       CLOCK_BOOTTIME, STORM_INTERVAL_USEC, 0,
				       on_interval, agent->report);
	if (r >= 0)
		r = sd_event_source_set_enabled(agent->report->interval, SD_EVENT_OFF);
	return r < 0 ? r : 0;
}

void report_stop(struct agent *agent)
{
	if (!agent->report)
		return;
	/* A storm's count must not be lost with the agent. */
	for (size_t i = 0; i < agent->report->count; i++)
		write_suppressed(&agent->report->storms[i]);
	write_suppressed_refusals(agent->report);
	sd_event_source_disable_unref(agent->report->interval);
	free(agent->report->storms);
	free(agent->report);
	agent->report = NULL;
}
