// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - requests follow what the kernel and the clock do.
 *
 * Owns: the states that nobody decides about, and that docket and kernel agree
 * again after a crash or lost events.
 *
 * Must not own: decisions (requests.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "journal.h"
#include "requests.h"

/* The kernel looks for mappings at once; what it does not end by then stays. */
#define CLOSING_NS	(5 * NSEC_PER_SEC)

#define BIT(state) (UINT32_C(1) << (state))

static void move(struct agent *agent, struct docket_request *request, enum docket_state state,
		 const char *cause)
{
	struct refusal refusal = { 0 };

	if (docket_decide(agent, request, NULL, state, DOCKET_NOBODY, cause, &refusal) < 0)
		journal_note(LOG_ERR, "that request %llu is %s is not on record: %s",
			     (unsigned long long)request->id, docket_state_name(state),
			     refusal.message);
}

/* ---- the end of a grant ---- */

/* By how it ended, now that nothing of it is left. */
static void conclude(struct agent *agent, struct docket_request *request)
{
	bool revoked = request->grant_end == TRUSTGATE_END_REVOKED ||
		       request->grant_end == TRUSTGATE_END_AGENT_LOST;

	request->ended_boottime_ns = 0;
	/* What was extended or revoked by somebody stays that. */
	if (request->state == DOCKET_APPROVED || request->state == DOCKET_FAILED_TO_CLOSE)
		move(agent, request, revoked ? DOCKET_REVOKED : DOCKET_COMPLETED,
		     trustgate_end_name(request->grant_end));
	else
		move(agent, request, 0, NULL);
}

static void ended(struct agent *agent, struct docket_request *request, uint32_t end,
		  uint64_t when_ns)
{
	struct trustgate_grant grant;

	request->grant_end = end;
	/* It is kept for as long as its mappings are looked for. */
	if (requests_grant_get(agent, request, &grant) < 0) {
		conclude(agent, request);
		return;
	}
	request->ended_boottime_ns = when_ns;
	move(agent, request, 0, NULL);
	requests_due(agent, when_ns + CLOSING_NS);
}

void requests_event(struct agent *agent, const struct trustgate_event *event)
{
	const struct docket_filter filter = {
		.boot = docket_boot(agent), .grant_id = event->grant_id,
	};
	struct docket_request *requests;
	struct refusal ignored;
	size_t count;

	if ((event->type != TRUSTGATE_EVENT_TYPE_GRANT_ENDED &&
	     event->type != TRUSTGATE_EVENT_TYPE_GRANT_CLEARED) ||
	    !tag_is_user(event->tag) || !(event->tag & TAG_REQUEST_MASK) || !event->grant_id ||
	    docket_list(agent, &filter, &requests, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!tag_is_of_request(event->tag, requests[i].id))
			continue;
		if (event->type == TRUSTGATE_EVENT_TYPE_GRANT_ENDED)
			ended(agent, &requests[i], event->end, event->time_boottime_ns);
		else if (requests[i].ended_boottime_ns)
			conclude(agent, &requests[i]);
	}
	docket_free_requests(requests, count);
}

/* ---- the clock ---- */

static bool process_lives(const struct docket_request *request)
{
	struct refusal ignored;
	struct subject subject;
	bool lives;
	int r;

	r = subject_open(request->pid, -1, &subject, &ignored);
	if (r < 0)
		return r != -ESRCH;
	lives = subject.start_ticks == request->start_ticks;
	subject_close(&subject);
	return lives;
}

static void check_pending(struct agent *agent, struct docket_request *request, uint64_t now_ns)
{
	/* Opens have a clock of their own, in asked.c and in the kernel. */
	if (request->kind == DOCKET_OPEN)
		return;
	if (request->deadline_boottime_ns <= now_ns)
		move(agent, request, DOCKET_EXPIRED, "nobody has decided in time");
	else if (!process_lives(request))
		move(agent, request, DOCKET_EXPIRED, "the process has ended");
	else
		requests_due(agent, request->deadline_boottime_ns);
}

static void check_approved(struct agent *agent, struct docket_request *request, uint64_t now_ns)
{
	struct trustgate_grant grant;
	struct refusal refusal = { 0 };

	if (request->grant_id)
		return;
	if (request->begin_boottime_ns > now_ns)
		requests_due(agent, request->begin_boottime_ns);
	else if (requests_give(agent, request, &grant, &refusal) < 0)
		journal_note(LOG_ERR, "request %llu was approved and cannot be granted: %s",
			     (unsigned long long)request->id, refusal.message);
}

static void check_closing(struct agent *agent, struct docket_request *request, uint64_t now_ns)
{
	struct trustgate_grant grant;

	if (requests_grant_get(agent, request, &grant) == -ENOENT)
		conclude(agent, request);
	else if (request->state == DOCKET_FAILED_TO_CLOSE)
		return;
	else if (request->ended_boottime_ns + CLOSING_NS > now_ns)
		requests_due(agent, request->ended_boottime_ns + CLOSING_NS);
	else
		move(agent, request, DOCKET_FAILED_TO_CLOSE,
		     "its grant has ended and is still mapped");
}

static void check_each(struct agent *agent, const struct docket_filter *filter,
		       void (*check)(struct agent *agent, struct docket_request *request,
				     uint64_t now_ns))
{
	struct docket_request *requests;
	struct refusal ignored;
	size_t count;

	if (docket_list(agent, filter, &requests, &count, &ignored) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		check(agent, &requests[i], now_boottime_ns());
	docket_free_requests(requests, count);
}

/* ---- after a crash, or lost events ---- */

/* Given, and the agent ended before it had noted that. */
static uint64_t find_given(struct agent *agent, const struct docket_request *request)
{
	struct trustgate_grant *grants = NULL;
	uint64_t id = 0;
	size_t count = 0;

	if (trustgate_grant_list(agent->gate, NULL, &grants, &count, NULL) < 0)
		return 0;
	for (size_t i = 0; i < count && !id; i++)
		if (grants[i].end == TRUSTGATE_END_NONE &&
		    tag_is_of_request(grants[i].tag, request->id))
			id = grants[i].id;
	free(grants);
	return id;
}

/* An open that the kernel has, whether or not it has been taken. */
static bool is_open(const struct docket_request *request, const struct asked_opens *opens)
{
	const struct asked_open *open = asked_opens_find(opens, request->kernel_id);

	return open && open->raised_boottime_ns == request->raised_boottime_ns;
}

static void reconcile_approved(struct agent *agent, struct docket_request *request, bool gone)
{
	struct trustgate_grant grant;
	int r;

	if (!request->grant_id) {
		request->grant_id = find_given(agent, request);
		if (request->grant_id)
			move(agent, request, 0, NULL);
		else if (request->kind == DOCKET_BREAK_GLASS || gone)
			move(agent, request, DOCKET_EXPIRED,
			     "the agent ended before the grant was given");
		return;
	}
	r = requests_grant_get(agent, request, &grant);
	if (r == -ENOENT) {
		request->ended_boottime_ns = 0;
		move(agent, request, DOCKET_COMPLETED, "ended while the agent did not see it");
	} else if (r == 0 && grant.end != TRUSTGATE_END_NONE && !request->ended_boottime_ns) {
		ended(agent, request, grant.end, grant.ended_boottime_ns);
	}
}

/* False if it is to be expired, and nothing else: that is done for many at a time. */
static bool reconcile(struct agent *agent, struct docket_request *request,
		      const struct asked_opens *opens)
{
	bool gone = request->kind == DOCKET_OPEN && !is_open(request, opens);

	if (strcmp(request->boot, docket_boot(agent))) {
		request->ended_boottime_ns = 0;
		move(agent, request, request->state == DOCKET_PENDING || !request->grant_id ?
		     DOCKET_EXPIRED : DOCKET_COMPLETED, "the host was restarted");
	} else if (request->state != DOCKET_PENDING) {
		reconcile_approved(agent, request, gone);
	} else if (request->kind == DOCKET_BREAK_GLASS) {
		move(agent, request, DOCKET_EXPIRED, "the agent ended before the grant was given");
	} else {
		return !gone;
	}
	return true;
}

static const struct docket_filter unfinished = {
	.states = BIT(DOCKET_PENDING) | BIT(DOCKET_APPROVED) | BIT(DOCKET_FAILED_TO_CLOSE),
};

void requests_check(struct agent *agent)
{
	const char *boot = docket_boot(agent);

	(void)docket_retry(agent);
	/* Which checks the rest, too. */
	if (docket_missed(agent)) {
		asked_resync(agent);
		return;
	}
	check_each(agent, &(struct docket_filter){
		.boot = boot, .states = BIT(DOCKET_PENDING),
		.kinds = BIT(DOCKET_PERSON) | BIT(DOCKET_EXTENSION) }, check_pending);
	check_each(agent, &(struct docket_filter){
		.boot = boot, .states = BIT(DOCKET_APPROVED), .ungranted = true }, check_approved);
	check_each(agent, &(struct docket_filter){ .boot = boot, .closing = true },
		   check_closing);
}

static void expire_gone(struct agent *agent, struct docket_request *requests, size_t count)
{
	const char **causes = calloc(count, sizeof(*causes));
	struct refusal refusal = { 0 };

	for (size_t i = 0; causes && i < count; i++)
		causes[i] = "it was closed while the agent did not see it";
	if (!causes || docket_expire(agent, requests, causes, count, &refusal) < 0)
		journal_note(LOG_ERR, "that %zu requests are expired is not on record: %s", count,
			     refusal.message);
	free(causes);
}

void requests_reconcile(struct agent *agent, const struct asked_opens *opens)
{
	struct docket_request *requests;
	struct refusal ignored;
	size_t count, gone = 0;

	if (docket_list(agent, &unfinished, &requests, &count, &ignored) == 0) {
		for (size_t i = 0; i < count; i++) {
			struct docket_request request;

			if (reconcile(agent, &requests[i], opens))
				continue;
			request = requests[i];
			requests[i] = requests[gone];
			requests[gone++] = request;
		}
		if (gone)
			expire_gone(agent, requests, gone);
		docket_free_requests(requests, count);
	}
	requests_check(agent);
}

/* ---- the timer ---- */

void requests_due(struct agent *agent, uint64_t when_ns)
{
	uint64_t set_usec, when_usec = when_ns / NSEC_PER_USEC + 1;
	int enabled = SD_EVENT_OFF;

	if (sd_event_source_get_enabled(agent->requests_timer, &enabled) >= 0 &&
	    enabled != SD_EVENT_OFF &&
	    sd_event_source_get_time(agent->requests_timer, &set_usec) >= 0 &&
	    set_usec <= when_usec)
		return;
	if (sd_event_source_set_time(agent->requests_timer, when_usec) >= 0)
		(void)sd_event_source_set_enabled(agent->requests_timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	requests_check(userdata);
	gate_poke(userdata);
	return 0;
}

int requests_start(struct agent *agent)
{
	int r;

	r = sd_event_add_time(agent->event, &agent->requests_timer, CLOCK_BOOTTIME, 0, 0,
			      on_timer, agent);
	if (r >= 0)
		r = sd_event_source_set_enabled(agent->requests_timer, SD_EVENT_OFF);
	return r < 0 ? r : docket_start(agent);
}

void requests_stop(struct agent *agent)
{
	agent->requests_timer = sd_event_source_disable_unref(agent->requests_timer);
	docket_stop(agent);
}
