// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - opens that wait, as journal records.
 *
 * Owns: the wording and the fields of each record, the limit for storms.
 *
 * Must not own: delivery (journal.c), the decision.
 */
#include <stdio.h>

#include "agent.h"
#include "journal.h"

/* One process can ask thousands of times a second. */
#define RECORDS_MAX		1000
#define RECORDS_INTERVAL_NS	(10 * NSEC_PER_SEC)

static uint64_t interval_end_ns;
static unsigned int written;
static uint64_t left_out;

/* What was left out is told when the next one is written. */
static bool may_write(void)
{
	uint64_t now_ns = now_boottime_ns();
	struct record record;

	if (now_ns >= interval_end_ns) {
		interval_end_ns = now_ns + RECORDS_INTERVAL_NS;
		written = 0;
		if (left_out) {
			record_begin(&record, LOG_WARNING, MESSAGE_ID_SUPPRESSED,
				     "%llu more requests were answered without a record of each",
				     (unsigned long long)left_out);
			record_number(&record, "TRUSTGATE_SUPPRESSED_REQUESTS", left_out);
			record_send(&record);
			left_out = 0;
		}
	}
	if (written < RECORDS_MAX) {
		written++;
		return true;
	}
	left_out++;
	return false;
}

static void add_fields(struct record *record, const struct asked *asked)
{
	char names[128];

	trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, asked->access, ",", names, sizeof(names));
	record_number(record, "TRUSTGATE_KERNEL_REQUEST", asked->id);
	if (asked->number)
		record_number(record, "TRUSTGATE_REQUEST", asked->number);
	record_text(record, "TRUSTGATE_VOLUME", asked->volume);
	if (asked->path)
		record_text(record, "TRUSTGATE_PATH", asked->path);
	record_text(record, "TRUSTGATE_ACCESS", names);
	record_number(record, "TRUSTGATE_PID", asked->pid);
	record_number(record, "OBJECT_PID", asked->pid);
	record_number(record, "TRUSTGATE_UID", asked->uid);
	record_number(record, "TRUSTGATE_LOGINUID", asked->loginuid);
	record_text(record, "TRUSTGATE_COMM", asked->comm);
	if (asked->rule)
		record_text(record, "TRUSTGATE_RULE", asked->rule);
}

/* "read of "db/a" on volume "acme" by cat (pid 812, uid 0)" */
static const char *what(const struct asked *asked, char text[512])
{
	char names[128];

	trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, asked->access, ",", names, sizeof(names));
	snprintf(text, 512, "%s of \"%.256s\" on volume \"%s\" by %s (pid %d, uid %u)", names,
		 asked->path ?: "?", asked->volume, asked->comm, (int)asked->pid,
		 (unsigned int)asked->uid);
	return text;
}

void asked_report_granted(const struct asked *asked, const struct trustgate_grant *grant)
{
	char time[TRUSTGATE_DURATION_SIZE], text[512];
	struct record record;

	if (!may_write())
		return;
	trustgate_duration_format((grant->expires_boottime_ns - grant->created_boottime_ns +
				   NSEC_PER_SEC / 2) / NSEC_PER_SEC * NSEC_PER_SEC, time);
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_GRANT_ADDED,
		     "granted %s for %s, %s, by rule \"%s\"", what(asked, text), time,
		     trustgate_reason_name(grant->reason) ?: "unknown reason",
		     asked->rule ?: "?");
	add_fields(&record, asked);
	record_number(&record, "TRUSTGATE_GRANT", grant->id);
	record_text(&record, "TRUSTGATE_REASON",
		    trustgate_reason_name(grant->reason) ?: "unknown");
	record_number(&record, "TRUSTGATE_EXPIRES_BOOTTIME_NSEC", grant->expires_boottime_ns);
	record_send(&record);
}

void asked_report_denied(const struct asked *asked, const char *why)
{
	struct record record;
	char text[512];

	if (!may_write())
		return;
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_REQUEST, "not granted: %s: %s",
		     what(asked, text), why);
	add_fields(&record, asked);
	record_send(&record);
}

void asked_report_pending(const struct asked *asked)
{
	struct record record;
	char text[512];

	if (!may_write())
		return;
	record_begin(&record, LOG_NOTICE, MESSAGE_ID_REQUEST,
		     "%s waits for approval by rule \"%s\": trustgate approve %llu",
		     what(asked, text), asked->rule, (unsigned long long)asked->number);
	add_fields(&record, asked);
	record_number(&record, "TRUSTGATE_DEADLINE_BOOTTIME_NSEC", asked->deadline_boottime_ns);
	record_send(&record);
}
