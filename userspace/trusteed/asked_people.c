// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - opens on their way to people and back, see asked.h.
 *
 * Owns: what is to be put on the docket, and what is closed there; both for many
 * at a time, as thousands may come and go at once, and others wait for the agent.
 *
 * Must not own: the docket's rows (docket.c), decisions (requests.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"
#include "journal.h"
#include "requests.h"

/* So many share one transaction; then Varlink, signals and others get their turn. */
#define AT_ONCE		64

/**
 * struct people - opens on their way
 * @asked: those that are to be put on the docket; @count of them
 * @requests: what is put there, at the same places
 * @count: how many
 * @closed: those that are to be closed there, in the order in which they came
 * @closed_end: where the next one goes
 * @closing: closes some of them
 */
struct people {
	struct asked *asked[AT_ONCE];
	struct docket_request requests[AT_ONCE];
	size_t count;
	struct asked *closed;
	struct asked **closed_end;
	sd_event_source *closing;
};

/* ---- onto the docket ---- */

bool asked_is_coming(const struct agent *agent, uint64_t id)
{
	const struct people *people = agent->people;

	for (size_t i = 0; i < people->count; i++)
		if (people->asked[i]->id == id)
			return true;
	return false;
}

/* What was decided before the agent was restarted is decided. */
static void wait_for_people(struct agent *agent, struct asked *asked,
			    const struct docket_request *request)
{
	struct refusal ignored;
	char why[96];

	if (request->state != DOCKET_PENDING && request->state != DOCKET_APPROVED) {
		snprintf(why, sizeof(why), "request %llu is %s already",
			 (unsigned long long)request->id, docket_state_name(request->state));
		asked_deny(agent, asked, why);
		asked_free(asked);
		return;
	}
	asked->number = request->id;
	if (asked_keep(agent, asked, asked_on_deadline) < 0) {
		(void)asked_refuse(agent, asked->id, &ignored);
		asked_close(agent, asked, "the agent has no memory left");
		return;
	}
	asked_report_pending(asked);
}

void asked_put_on_docket(struct agent *agent)
{
	struct people *people = agent->people;
	struct refusal refusal = { 0 };
	size_t count = people->count;
	int r;

	if (!count)
		return;
	people->count = 0;
	r = docket_raise(agent, people->requests, count, &refusal);
	for (size_t i = 0; i < count; i++) {
		if (r == 0) {
			wait_for_people(agent, people->asked[i], &people->requests[i]);
		} else {
			/* What cannot be put on record is denied. */
			asked_deny(agent, people->asked[i], refusal.message);
			asked_free(people->asked[i]);
		}
		docket_free(&people->requests[i]);
	}
}

bool asked_ask_people(struct agent *agent, struct asked *asked, uint64_t start_ticks,
		      const char *exe, const char *unit)
{
	struct people *people = agent->people;

	if (requests_make_open(agent, asked, start_ticks, exe, unit,
			       &people->requests[people->count]) < 0) {
		asked_deny(agent, asked, "the agent has no memory left");
		return false;
	}
	people->asked[people->count++] = asked;
	if (people->count == AT_ONCE)
		asked_put_on_docket(agent);
	return true;
}

/* ---- and off it ---- */

void asked_close(struct agent *agent, struct asked *asked, const char *why)
{
	struct people *people = agent->people;

	asked->why = why;
	asked->next = NULL;
	*people->closed_end = asked;
	people->closed_end = &asked->next;
	(void)sd_event_source_set_enabled(people->closing, SD_EVENT_ON);
}

static int on_closing(sd_event_source *source, void *userdata)
{
	struct agent *agent = userdata;
	struct people *people = agent->people;
	struct asked *closed[AT_ONCE] = { NULL };
	size_t count = 0;

	while (people->closed && count < AT_ONCE) {
		struct asked *asked = people->closed;

		people->closed = asked->next;
		asked_report_denied(asked, asked->why);
		closed[count++] = asked;
	}
	requests_opens_closed(agent, closed, count);
	while (count)
		asked_free(closed[--count]);
	if (!people->closed) {
		people->closed_end = &people->closed;
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	}
	gate_poke(agent);
	return 0;
}

/* ---- start and end ---- */

int asked_start_people(struct agent *agent)
{
	struct people *people = calloc(1, sizeof(*people));
	int r;

	if (!people)
		return -ENOMEM;
	agent->people = people;
	people->closed_end = &people->closed;
	r = sd_event_add_defer(agent->event, &people->closing, on_closing, agent);
	return r < 0 ? r : sd_event_source_set_enabled(people->closing, SD_EVENT_OFF);
}

/* What is left is found closed after the next start. */
void asked_stop_people(struct agent *agent)
{
	struct people *people = agent->people;

	if (!people)
		return;
	while (people->count) {
		people->count--;
		docket_free(&people->requests[people->count]);
		asked_free(people->asked[people->count]);
	}
	while (people->closed) {
		struct asked *asked = people->closed;

		people->closed = asked->next;
		asked_free(asked);
	}
	sd_event_source_disable_unref(people->closing);
	free(people);
	agent->people = NULL;
}
