// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - asking the agent.
 *
 * Owns: a connection for each question that is asked again and again, one for
 * the events and one for what the user wants done; trying again when the agent
 * has gone.
 *
 * Must not own: what the replies mean.
 *
 * Nothing here waits for the agent: keys work while it hangs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-varlink.h>

#include "agent.h"
#include "format.h"
#include "top.h"

#define PATIENCE_USEC	(5 * UINT64_C(1000000))
/* After an event the next look comes soon, but not for each of thousands. */
#define SOON_USEC	UINT64_C(200000)

static const struct {
	const char *method;
	const char *field;	/* the array of the reply, or NULL for all of it */
	bool more;
} queries[_TOP_QUERIES] = {
	[TOP_QUERY_STATUS] = { "Status", NULL, false },
	[TOP_QUERY_VOLUMES] = { "ListVolumes", "volumes", false },
	[TOP_QUERY_REQUESTS] = { "ListRequests", "requests", false },
	[TOP_QUERY_GRANTS] = { "ListGrants", "grants", true },
	[TOP_QUERY_COUNTED] = { "Metrics", NULL, false },
};

/**
 * struct asking - one of the connections
 * @top: whose
 * @query: what is asked on it
 * @link: NULL before the first time
 * @rows: of the replies so far
 * @busy: no answer yet
 */
struct asking {
	struct top *top;
	enum top_query query;
	sd_varlink *link;
	sd_json_variant *rows;
	bool busy;
};

struct top_poll {
	struct asking askings[_TOP_QUERIES];
	sd_varlink *watch;
	sd_varlink *action;
	top_done_fn done;
	sd_event_source *timer;
};

/* ---- replies ---- */

static int append(struct asking *asking, sd_json_variant *array)
{
	int r = asking->rows ? 0 : sd_json_variant_new_array(&asking->rows, NULL, 0);

	for (size_t i = 0; r >= 0 && i < sd_json_variant_elements(array); i++)
		r = sd_json_variant_append_array(&asking->rows,
						 sd_json_variant_by_index(array, i));
	return r;
}

/* Returns 1 when it was the last part. */
static int take_part(struct asking *asking, sd_json_variant *parameters,
		     sd_varlink_reply_flags_t flags)
{
	const char *field = queries[asking->query].field;
	int r = 0;

	if (!field)
		asking->rows = sd_json_variant_ref(parameters);
	else
		r = append(asking, sd_json_variant_by_key(parameters, field));
	if (r < 0)
		return r;
	return !(flags & SD_VARLINK_REPLY_CONTINUES);
}

static void complain_about(struct top *top, const char *error_id, sd_json_variant *parameters)
{
	char text[TOP_MESSAGE_SIZE];

	complain_into(text, sizeof(text));
	agent_complain(error_id, parameters);
	complain_into(NULL, 0);
	top_say(top, true, "%s", text);
}

static int on_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
		    sd_varlink_reply_flags_t flags, void *userdata)
{
	struct asking *asking = userdata;
	struct top *top = asking->top;
	sd_json_variant *rows;
	int r;

	(void)link;
	if (error_id) {
		asking->busy = false;
		asking->rows = sd_json_variant_unref(asking->rows);
		/* An agent of an older version does not count. */
		if (asking->query == TOP_QUERY_COUNTED)
			return 0;
		top->reachable = false;
		complain_about(top, error_id, parameters);
		return 0;
	}
	r = take_part(asking, parameters, flags);
	if (r == 0)
		return 0;
	asking->busy = false;
	rows = asking->rows;
	asking->rows = NULL;
	if (r < 0) {
		sd_json_variant_unref(rows);
		top_say(top, true, "out of memory");
		return 0;
	}
	if (!top->reachable) {
		top->reachable = true;
		top->message[0] = '\0';
	}
	top_model_take(top, asking->query, rows);
	return 0;
}

/* ---- connections ---- */

static int connect_to(struct top *top, sd_varlink **link, sd_varlink_reply_t reply,
		      void *userdata, uint64_t patience_usec)
{
	int r;

	*link = sd_varlink_close_unref(*link);
	r = sd_varlink_connect_address(link, top->cli->agent);
	if (r < 0)
		return r;
	sd_varlink_set_userdata(*link, userdata);
	r = sd_varlink_bind_reply(*link, reply);
	if (r >= 0)
		r = sd_varlink_set_relative_timeout(*link, patience_usec);
	if (r >= 0)
		r = sd_varlink_attach_event(*link, top->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		*link = sd_varlink_close_unref(*link);
	return r;
}

static int call(sd_varlink *link, const char *method, bool more, sd_json_variant *parameters)
{
	char name[128];

	if (!link)
		return -ENOTCONN;
	snprintf(name, sizeof(name), AGENT_INTERFACE ".%s", method);
	return more ? sd_varlink_observe(link, name, parameters) :
		      sd_varlink_invoke(link, name, parameters);
}

/* A connection that has ended since is told by the attempt to use it. */
static int ask(struct asking *asking)
{
	const char *method = queries[asking->query].method;
	bool more = queries[asking->query].more;
	int r;

	if (asking->busy)
		return 0;
	r = call(asking->link, method, more, NULL);
	if (r < 0) {
		r = connect_to(asking->top, &asking->link, on_reply, asking, PATIENCE_USEC);
		if (r >= 0)
			r = call(asking->link, method, more, NULL);
	}
	asking->busy = r >= 0;
	return r < 0 ? r : 0;
}

/* ---- events ---- */

static void look_soon(struct top_poll *poll, uint64_t usec)
{
	uint64_t next = 0, now = 0;

	if (!poll->timer)
		return;
	(void)sd_event_source_get_time(poll->timer, &next);
	(void)sd_event_now(sd_event_source_get_event(poll->timer), CLOCK_MONOTONIC, &now);
	if (next > now + usec)
		(void)sd_event_source_set_time(poll->timer, now + usec);
}

void top_poll_now(struct top *top)
{
	look_soon(top->poll, 0);
}

static bool is_change(const char *type)
{
	return type && strcmp(type, "allowed") && strcmp(type, "denied");
}

static int on_event(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
		    sd_varlink_reply_flags_t flags, void *userdata)
{
	struct top *top = userdata;
	sd_json_variant *event = sd_json_variant_by_key(parameters, "event");

	(void)link;
	(void)flags;
	if (error_id) {
		top->watching = false;
		return 0;
	}
	top->watching = true;
	if (!sd_json_variant_is_object(event))
		return 0;
	top_model_event(top, event);
	if (is_change(field_string(event, "type")))
		look_soon(top->poll, SOON_USEC);
	return 0;
}

static void watch(struct top *top)
{
	struct top_poll *poll = top->poll;

	if (!top->watching)
		top->watching = connect_to(top, &poll->watch, on_event, top, UINT64_MAX) >= 0 &&
				call(poll->watch, "Watch", true, NULL) >= 0;
}

/* ---- actions ---- */

static int on_done(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
		   sd_varlink_reply_flags_t flags, void *userdata)
{
	struct top *top = userdata;
	top_done_fn done = top->poll->done;

	(void)link;
	(void)flags;
	top->poll->done = NULL;
	if (error_id)
		complain_about(top, error_id, parameters);
	if (done)
		done(top, error_id, parameters);
	top_poll_now(top);
	return 0;
}

int top_call(struct top *top, const char *method, sd_json_variant *parameters,
	     top_done_fn done)
{
	struct top_poll *poll = top->poll;
	int r = poll->done ? -EBUSY : 0;

	if (r == 0)
		r = connect_to(top, &poll->action, on_done, top, PATIENCE_USEC);
	if (r >= 0)
		r = call(poll->action, method, false, parameters);
	if (r >= 0)
		poll->done = done;
	sd_json_variant_unref(parameters);
	return r < 0 ? r : 0;
}

/* ---- again and again ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct top *top = userdata;
	uint64_t now = usec;
	int r = 0;

	(void)sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now);
	for (size_t i = 0; r >= 0 && i < _TOP_QUERIES; i++)
		r = ask(&top->poll->askings[i]);
	if (r < 0) {
		top->reachable = false;
		top_say(top, true, "trying again: the agent cannot be reached: %s (%s)",
			strerror(-r), top->cli->agent);
	} else {
		watch(top);
	}
	/* Times go on while nothing changes. */
	top->drawn = false;
	r = sd_event_source_set_time(source, now + top->interval_ns / 1000);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int top_poll_start(struct top *top)
{
	int r;

	top->poll = calloc(1, sizeof(*top->poll));
	if (!top->poll)
		return -ENOMEM;
	for (size_t i = 0; i < _TOP_QUERIES; i++) {
		top->poll->askings[i].top = top;
		top->poll->askings[i].query = (enum top_query)i;
	}
	r = sd_event_add_time(top->event, &top->poll->timer, CLOCK_MONOTONIC, 0, 1000, on_timer,
			      top);
	return r < 0 ? r : 0;
}

void top_poll_stop(struct top *top)
{
	struct top_poll *poll = top->poll;

	if (!poll)
		return;
	for (size_t i = 0; i < _TOP_QUERIES; i++) {
		sd_varlink_close_unref(poll->askings[i].link);
		sd_json_variant_unref(poll->askings[i].rows);
	}
	sd_varlink_close_unref(poll->watch);
	sd_varlink_close_unref(poll->action);
	sd_event_source_disable_unref(poll->timer);
	free(poll);
	top->poll = NULL;
}

/* ---- once ---- */

static int collect(sd_json_variant *reply, void *userdata)
{
	struct asking *asking = userdata;

	if (take_part(asking, reply, SD_VARLINK_REPLY_CONTINUES) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	return 0;
}

int top_poll_once(struct top *top)
{
	for (size_t i = 0; i < _TOP_QUERIES; i++) {
		struct asking asking = { .top = top, .query = (enum top_query)i };
		sd_json_variant *reply = NULL;
		int r;

		if (queries[i].more) {
			r = agent_stream(top->cli, queries[i].method, NULL, false, collect,
					 &asking);
		} else {
			r = agent_call(top->cli, queries[i].method, NULL, &reply);
			if (!r)
				r = collect(reply, &asking);
			sd_json_variant_unref(reply);
		}
		if (r) {
			sd_json_variant_unref(asking.rows);
			return r;
		}
		top_model_take(top, asking.query, asking.rows);
	}
	top->reachable = true;
	return 0;
}
