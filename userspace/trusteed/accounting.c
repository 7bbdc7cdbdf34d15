// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what the agent writes to the account, see accounting.h.
 *
 * Owns: the entries that wait, their form, trying again.
 *
 * Must not own: the way to the disk (../account).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "accounting.h"
#include "agent.h"
#include "journal.h"
#include "observing.h"
#include "renewed.h"
#include "varlink_json.h"

/* How long entries are collected, so that many share a commit. */
#define COLLECT_USEC		(100 * UINT64_C(1000))
#define RETRY_USEC		(2 * USEC_PER_SEC)
/*
 * A reader has the account for a batch, which is a few milliseconds. Whoever has
 * it for longer is not waited for here, as everybody else would wait, too: the
 * timer tries again, and after a while it counts as a failure.
 */
#define READER_WAIT_MS		50
#define READER_RETRY_USEC	(500 * UINT64_C(1000))
#define READER_PATIENCE_NS	(2 * NSEC_PER_SEC)
/* So many do not wait to be collected, so that none has to be dropped. */
#define COLLECT_MAX		(ACCOUNTING_ITEMS_MAX / 4)
/* In one commit, during which nothing else is done. */
#define APPEND_MAX		256
/* What is kept while nothing can be written; the unit tests keep less. */
#ifndef ACCOUNTING_ITEMS_MAX
#define ACCOUNTING_ITEMS_MAX	16384
#endif

static const char nothing[] = "{}";
static const char senseless[] = "{\"error\":\"cannot be represented\"}";

/**
 * struct item - an entry that waits
 * @kind: of the entry
 * @kernel_seq: the kernel's number of the event, 0 if it is none
 * @boottime_ns: when it happened
 * @body: canonical; to be freed
 */
struct item {
	char kind[ACCOUNT_KIND_MAX + 1];
	uint64_t kernel_seq;
	uint64_t boottime_ns;
	char *body;
};

/**
 * struct place - how far the kernel's numbers have come
 * @kernel_seq: the last event of this boot
 * @has_kernel_seq: there is one, of the module as it is loaded now
 */
struct place {
	uint64_t kernel_seq;
	bool has_kernel_seq;
};

/**
 * struct accounting - the account as the agent has it
 * @account: NULL while it could not be opened
 * @timer: when to write, or to try again
 * @stopping: ends what is live on strict volumes, soon
 * @items: what waits, in its order
 * @count: how many
 * @room: of @items
 * @place: of what is on disk
 * @locked_since_ns: a reader has it since then, on CLOCK_BOOTTIME; 0 if none has
 * @lost: entries for which there was no room, and which are not yet told
 * @lost_in_all: all of them
 * @written: entries on disk since the start
 * @failures: attempts that have failed
 * @problem: why nothing can be written; "" if it can
 * @complained: about that
 */
struct accounting {
	struct account *account;
	sd_event_source *timer;
	sd_event_source *stopping;
	struct item *items;
	size_t count;
	size_t room;
	struct place place;
	uint64_t locked_since_ns;
	uint64_t lost;
	uint64_t lost_in_all;
	uint64_t written;
	uint64_t failures;
	char problem[ACCOUNT_ERROR_SIZE];
	bool complained;
};

const char *accounting_problem(const struct agent *agent)
{
	const struct accounting *accounting = agent->accounting;

	return accounting && accounting->problem[0] ? accounting->problem : NULL;
}

struct accounting_numbers accounting_numbers(const struct agent *agent)
{
	const struct accounting *accounting = agent->accounting;

	return (struct accounting_numbers){
		.waiting = accounting->count,
		.oldest_boottime_ns = accounting->count ? accounting->items[0].boottime_ns : 0,
		.written = accounting->written,
		.lost = accounting->lost_in_all,
		.failures = accounting->failures,
	};
}

static void set_timer(struct accounting *accounting, uint64_t usec)
{
	int enabled;

	if (sd_event_source_get_enabled(accounting->timer, &enabled) >= 0 &&
	    enabled == SD_EVENT_OFF &&
	    sd_event_source_set_time_relative(accounting->timer, usec) >= 0)
		(void)sd_event_source_set_enabled(accounting->timer, SD_EVENT_ONESHOT);
}

/* ---- the form of a body ---- */

/* Numbers that not every reader keeps exactly become texts. */
static int exact(sd_json_variant *value, sd_json_variant **ret)
{
	char text[32];

	if (sd_json_variant_is_unsigned(value) &&
	    sd_json_variant_unsigned(value) > ACCOUNT_COUNT_MAX) {
		snprintf(text, sizeof(text), "%" PRIu64, sd_json_variant_unsigned(value));
		return sd_json_variant_new_string(ret, text);
	}
	*ret = sd_json_variant_ref(value);
	return 0;
}

/* Told by the entry itself. */
static bool is_told(const char *key)
{
	return !strcmp(key, "seq") || !strcmp(key, "type") || !strcmp(key, "dropped") ||
	       !strcmp(key, "timeBoottimeNSec");
}

static char *canonical(sd_json_variant *object)
{
	sd_json_variant *result = NULL;
	char *text = NULL;
	int r = 0;

	for (size_t i = 0; r >= 0 && i + 1 < sd_json_variant_elements(object); i += 2) {
		const char *key = sd_json_variant_string(sd_json_variant_by_index(object, i));
		sd_json_variant *value = NULL;

		if (is_told(key))
			continue;
		r = exact(sd_json_variant_by_index(object, i + 1), &value);
		if (r >= 0)
			r = sd_json_variant_set_field(&result, key, value);
		sd_json_variant_unref(value);
	}
	if (r >= 0 && !result)
		r = sd_json_variant_new_object(&result, NULL, 0);
	if (r >= 0)
		r = sd_json_variant_sort(&result);
	if (r >= 0)
		r = sd_json_variant_format(result, 0, &text);
	sd_json_variant_unref(result);
	if (r >= 0 && text && account_body_check(text, strlen(text)) < 0) {
		free(text);
		text = NULL;
	}
	return r < 0 ? NULL : text;
}

/* ---- what waits ---- */

/* Of the kernel's events the gap in their numbers tells it, too. */
static void lose(struct accounting *accounting)
{
	accounting->lost++;
	accounting->lost_in_all++;
}

static void add(struct accounting *accounting, const char *kind, uint64_t kernel_seq,
		uint64_t boottime_ns, sd_json_variant *body)
{
	struct item *item;

	if (accounting->count == accounting->room) {
		size_t room = accounting->room ? 2 * accounting->room : 64;
		struct item *items = room > ACCOUNTING_ITEMS_MAX ? NULL :
				     reallocarray(accounting->items, room, sizeof(*items));

		if (!items) {
			lose(accounting);
			return;
		}
		accounting->items = items;
		accounting->room = room;
	}
	item = &accounting->items[accounting->count++];
	snprintf(item->kind, sizeof(item->kind), "%s", kind);
	item->kernel_seq = kernel_seq;
	item->boottime_ns = boottime_ns;
	item->body = canonical(body);
	if (!item->body)
		item->body = strdup(senseless);
	if (!item->body) {
		accounting->count--;
		lose(accounting);
	}
}

static void drop(struct accounting *accounting, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(accounting->items[i].body);
	accounting->count -= count;
	memmove(accounting->items, accounting->items + count,
		accounting->count * sizeof(*accounting->items));
}

/* An event of the kernel as an entry, and before it that numbers begin anew. */
static size_t make_kernel_entry(const struct item *item, struct place *place,
				struct account_entry *entries)
{
	size_t count = 0;

	if (place->has_kernel_seq && item->kernel_seq <= place->kernel_seq) {
		entries[count++] = (struct account_entry){
			.kind = ACCOUNT_KIND_LOADED, .boottime_ns = item->boottime_ns,
			.body = nothing, .body_size = strlen(nothing),
		};
		place->has_kernel_seq = false;
	}
	entries[count] = (struct account_entry){
		.kind = item->kind, .boottime_ns = item->boottime_ns,
		.body = item->body, .body_size = strlen(item->body),
		.kernel = true, .kernel_seq = item->kernel_seq,
		.kernel_missed = place->has_kernel_seq ?
				 item->kernel_seq - place->kernel_seq - 1 : 0,
	};
	place->kernel_seq = item->kernel_seq;
	place->has_kernel_seq = true;
	return count + 1;
}

/* The next of them, as entries. */
static size_t make_entries(const struct accounting *accounting, struct account_entry *entries,
			   struct place *place, size_t *ret_items)
{
	size_t items = 0, count = 0;

	while (items < accounting->count && count + 2 <= APPEND_MAX) {
		const struct item *item = &accounting->items[items++];

		if (item->kernel_seq) {
			count += make_kernel_entry(item, place, &entries[count]);
			continue;
		}
		entries[count++] = (struct account_entry){
			.kind = item->kind, .boottime_ns = item->boottime_ns,
			.body = item->body, .body_size = strlen(item->body),
		};
	}
	*ret_items = items;
	return count;
}

/* ---- the file ---- */

static int open_account(struct agent *agent)
{
	static const struct account_options options = { .wait_ms = READER_WAIT_MS };
	struct accounting *accounting = agent->accounting;
	char file[4096], key[4096], error[ACCOUNT_ERROR_SIZE];
	int r;

	if ((size_t)snprintf(file, sizeof(file), "%s/account.db",
			     agent->options.state_directory) >= sizeof(file) ||
	    (size_t)snprintf(key, sizeof(key), "%s/account.key",
			     agent->options.state_directory) >= sizeof(key))
		return -ENAMETOOLONG;
	r = account_open(file, key, &options, &accounting->account, error);
	if (r < 0) {
		accounting->account = NULL;
		snprintf(accounting->problem, sizeof(accounting->problem), "%s", error);
		return r;
	}
	r = account_last_kernel(accounting->account, &accounting->place.kernel_seq);
	if (r < 0) {
		snprintf(accounting->problem, sizeof(accounting->problem), "%s",
			 account_error(accounting->account));
		(void)account_close(accounting->account, NULL);
		accounting->account = NULL;
		return r;
	}
	accounting->place.has_kernel_seq = r > 0;
	return 0;
}

/*
 * What no record can be made of must not be accessed; a reload may add to it. The
 * standing grants come first, so that their end is the agent's own act and not
 * held against their processes.
 */
static void stop_strict(struct agent *agent)
{
	const struct config *config = agent->config;

	for (size_t i = 0; i < config->volumes_count; i++) {
		struct trustgate_volume volume;
		struct refusal refusal = { 0 };
		uint64_t ended = 0, standing;

		if (!config->volumes[i].audit_strict ||
		    trustgate_volume_get(agent->gate, 0, config->volumes[i].name, &volume) < 0)
			continue;
		if (observing_end(agent, &volume, "accesses cannot be recorded", &refusal) < 0)
			journal_note(LOG_CRIT, "strict volume \"%s\" is observed for longer: %s",
				     volume.name, refusal.message);
		standing = services_end(agent, volume.name) + renewed_end(agent, volume.name);
		if (grants_revoke_where(agent, volume.id, 0, &ended, &refusal) < 0)
			journal_note(LOG_CRIT, "grants on strict volume \"%s\" cannot be ended: %s",
				     volume.name, refusal.message);
		if (ended + standing)
			journal_note(LOG_CRIT,
				     "%llu grants on strict volume \"%s\" are ended, as accesses cannot be recorded",
				     (unsigned long long)(ended + standing), volume.name);
	}
}

/* Not at once: who writes now may be about to renew a standing grant. */
static int on_stopping(sd_event_source *source, void *userdata)
{
	(void)source;
	stop_strict(userdata);
	gate_poke(userdata);
	return 0;
}

/* Whether a reader has it, and not yet for so long that it is a failure. */
static bool is_locked(struct accounting *accounting, int r)
{
	uint64_t now_ns = now_boottime_ns();

	if (r != -EBUSY || !accounting->account || accounting->problem[0])
		return false;
	if (!accounting->locked_since_ns)
		accounting->locked_since_ns = now_ns;
	return now_ns - accounting->locked_since_ns < READER_PATIENCE_NS;
}

static int failed(struct agent *agent, int r)
{
	struct accounting *accounting = agent->accounting;

	if (is_locked(accounting, r)) {
		set_timer(accounting, READER_RETRY_USEC);
		return r;
	}
	accounting->failures++;
	if (accounting->account)
		snprintf(accounting->problem, sizeof(accounting->problem), "%s",
			 account_error(accounting->account));
	if (!accounting->problem[0])
		snprintf(accounting->problem, sizeof(accounting->problem), "%s", strerror(-r));
	if (!accounting->complained)
		journal_note(LOG_CRIT, "nothing is recorded in the account: %s; trying again",
			     accounting->problem);
	accounting->complained = true;
	(void)sd_event_source_set_enabled(accounting->stopping, SD_EVENT_ONESHOT);
	set_timer(accounting, RETRY_USEC);
	return r;
}

static void recovered(struct agent *agent)
{
	struct accounting *accounting = agent->accounting;
	const bool failed = accounting->problem[0];
	sd_json_variant *body = NULL;

	if (failed)
		journal_note(LOG_NOTICE, "the account is written again, %llu entries were lost",
			     (unsigned long long)accounting->lost);
	accounting->problem[0] = '\0';
	accounting->locked_since_ns = 0;
	accounting->complained = false;
	if (failed)
		services_retry(agent);
	if (!accounting->lost)
		return;
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_UNSIGNED("lost", accounting->lost));
	accounting->lost = 0;
	accounting_note(agent, "entries-lost", body);
}

static int write_items(struct agent *agent)
{
	static struct account_entry entries[APPEND_MAX];
	struct accounting *accounting = agent->accounting;
	int r = 0;

	if (!accounting->account)
		r = open_account(agent);
	while (r == 0 && accounting->count) {
		struct place place = accounting->place;
		size_t items, count = make_entries(accounting, entries, &place, &items);

		r = account_append(accounting->account, entries, count);
		if (r < 0)
			break;
		drop(accounting, items);
		accounting->written += count;
		accounting->place = place;
	}
	if (r < 0)
		return failed(agent, r);
	recovered(agent);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	(void)write_items(userdata);
	gate_poke(userdata);
	return 0;
}

/* ---- entries ---- */

/* While it fails the timer tries, and not everybody who wants something. */
static int write_now(struct agent *agent)
{
	const struct accounting *accounting = agent->accounting;

	if (accounting->problem[0])
		return -EIO;
	return accounting->locked_since_ns ? -EBUSY : write_items(agent);
}

static void collect(struct agent *agent)
{
	set_timer(agent->accounting, COLLECT_USEC);
	if (agent->accounting->count >= COLLECT_MAX)
		(void)write_now(agent);
}

void accounting_note(struct agent *agent, const char *kind, sd_json_variant *body)
{
	if (agent->accounting) {
		add(agent->accounting, kind, 0, now_boottime_ns(), body);
		collect(agent);
	}
	sd_json_variant_unref(body);
}

void accounting_event(struct agent *agent, const struct trustgate_event *event)
{
	struct accounting *accounting = agent->accounting;
	sd_json_variant *body = NULL;

	if (!accounting)
		return;
	if (varlink_json_event(event, &body) < 0)
		body = NULL;
	add(accounting, trustgate_event_type_name(event->type) ?: "unknown", event->seq,
	    event->time_boottime_ns, body);
	sd_json_variant_unref(body);
	collect(agent);
}

void accounting_granting(struct agent *agent, const char *volume, const char *path,
			 const struct trustgate_grant *grant)
{
	sd_json_variant *body = NULL;

	if (varlink_json_grant(grant, volume, path, &body) < 0)
		body = NULL;
	accounting_note(agent, "granting", body);
}

int accounting_insist(struct agent *agent, const char *volume, struct refusal *refusal)
{
	const struct accounting *accounting = agent->accounting;

	if (write_now(agent) == 0)
		return 0;
	return refuse(refusal, EIO, "volume",
		      "that volume \"%s\" is observed has to be on record, and the account cannot be written: %s",
		      volume, accounting->problem[0] ? accounting->problem :
		      account_error(accounting->account));
}

int accounting_demand(struct agent *agent, const char *volume, struct refusal *refusal)
{
	const struct config_volume *config = config_find_volume(agent->config, volume);
	struct accounting *accounting = agent->accounting;

	if (!accounting || write_now(agent) == 0 || !config || !config->audit_strict)
		return 0;
	return refuse(refusal, EIO, "volume",
		      "volume \"%s\" demands that each access is recorded, and the account cannot be written: %s",
		      volume, accounting->problem[0] ? accounting->problem :
		      account_error(accounting->account));
}

/* ---- start and end ---- */

int accounting_start(struct agent *agent)
{
	struct accounting *accounting = calloc(1, sizeof(*accounting));
	sd_json_variant *body = NULL;
	int r;

	if (!accounting)
		return -ENOMEM;
	r = sd_event_add_time_relative(agent->event, &accounting->timer, CLOCK_MONOTONIC, 0, 0,
				       on_timer, agent);
	if (r >= 0)
		r = sd_event_source_set_enabled(accounting->timer, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_defer(agent->event, &accounting->stopping, on_stopping, agent);
	if (r >= 0)
		r = sd_event_source_set_enabled(accounting->stopping, SD_EVENT_OFF);
	agent->accounting = accounting;
	if (r < 0)
		return r;
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_STRING("version", TRUSTGATE_VERSION));
	accounting_note(agent, "agent-started", body);
	return 0;
}

void accounting_stop(struct agent *agent)
{
	struct accounting *accounting = agent->accounting;
	char error[ACCOUNT_ERROR_SIZE];

	if (!accounting)
		return;
	accounting_note(agent, "agent-stopping", NULL);
	/* The last chance, and nobody else waits. */
	if (accounting->account)
		account_set_wait(accounting->account, 0);
	if (write_items(agent) == 0 && accounting->count)
		(void)write_items(agent);
	if (accounting->problem[0] && agent->gate)
		stop_strict(agent);
	if (accounting->account && account_close(accounting->account, error) < 0)
		journal_note(LOG_ERR, "the account's end is not signed: %s", error);
	drop(accounting, accounting->count);
	free(accounting->items);
	sd_event_source_disable_unref(accounting->timer);
	sd_event_source_disable_unref(accounting->stopping);
	free(accounting);
	agent->accounting = NULL;
}
