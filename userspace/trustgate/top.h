/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate top - what its parts share.
 *
 *	top_poll.c	asks the agent, again and again, and follows its events
 *	top_model.c	what is known, in the order in which it is shown
 *	top_rates.c	how much of it happens in a second
 *	top_frame.c	the same as lines of text
 *	top_screen.c	lines and keys on a terminal
 *	top_act.c	questions to the user, and what is done with his answers
 *	verb_top.c	the options, one frame, the loop
 */
#ifndef _TRUSTGATE_TOP_H
#define _TRUSTGATE_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>
#include <systemd/sd-json.h>

#include "cli.h"

#define TOP_MESSAGE_SIZE	512
#define TOP_NAME_SIZE		256
#define TOP_CAUSES		32

/**
 * struct top_rate - what happened in a second, on average
 * @allowed: checks that ended with access
 * @asked: opens that were made to wait
 * @denied: checks that ended with a denial
 * @causes: the same by enum trustgate_cause
 */
struct top_rate {
	double allowed;
	double asked;
	double denied;
	double causes[TOP_CAUSES];
};

/**
 * struct top_volume - a volume, or one that ought to be
 * @name: of the volume
 * @row: as the agent shows it; NULL if it is not protected
 * @waiting: requests on it
 * @rate: what happens there
 */
struct top_volume {
	const char *name;
	sd_json_variant *row;
	size_t waiting;
	struct top_rate rate;
};

enum top_sort {
	TOP_SORT_LEFT,
	TOP_SORT_ID,
	TOP_SORT_OBJECT,
	TOP_SORT_WHO,
	_TOP_SORT_MAX
};

enum top_section {
	TOP_REQUESTS,
	TOP_GRANTS,
	_TOP_SECTIONS
};

/**
 * struct top_rows - requests or grants that are shown
 * @rows: objects, referenced
 * @count: how many
 * @first: the first one that there was room for
 */
struct top_rows {
	sd_json_variant **rows;
	size_t count;
	size_t first;
};

struct top_rates;
struct top_opens;
struct top_poll;
struct top_question;

/**
 * struct top - all of it
 * @cli: options
 * @event: the loop; NULL for one frame
 * @interval_ns: between two looks
 * @status: reply of Status, NULL before the first
 * @volumes: array of ListVolumes
 * @requests: array of ListRequests
 * @grants: array of ListGrants
 * @counted: reply of Metrics, NULL if the agent has none
 * @reachable: the agent has answered last time
 * @watching: events are followed
 * @shown_volumes: what is shown of the volumes, and how many
 * @shown: what is shown of requests and grants
 * @rate: of all volumes that are shown
 * @rates, @opens: see top_rates.c and top_model.c
 * @poll: see top_poll.c
 * @filter: name of the only volume to show, "" for all
 * @sort: the order
 * @section: where the selection is
 * @selected: number of the selected request or grant, 0 for none
 * @help: the help is shown
 * @question: what the user is asked, NULL if nothing; see top_act.c
 * @message: last line but one; "" for nothing
 * @message_bad: it is about a failure
 * @drawn: something has changed since the last frame if this is false
 */
struct top {
	const struct cli *cli;
	sd_event *event;
	uint64_t interval_ns;

	sd_json_variant *status;
	sd_json_variant *volumes;
	sd_json_variant *requests;
	sd_json_variant *grants;
	sd_json_variant *counted;
	bool reachable;
	bool watching;

	struct top_volume *shown_volumes;
	size_t shown_volumes_count;
	struct top_rows shown[_TOP_SECTIONS];
	struct top_rate rate;
	struct top_rates *rates;
	struct top_opens *opens;
	struct top_poll *poll;

	char filter[TOP_NAME_SIZE];
	enum top_sort sort;
	enum top_section section;
	uint64_t selected;
	bool help;
	struct top_question *question;
	char message[TOP_MESSAGE_SIZE];
	bool message_bad;
	bool drawn;
};

/* Show a sentence until something else is to be said. */
__attribute__((format(printf, 3, 4)))
void top_say(struct top *top, bool bad, const char *format, ...);

/* ---- top_poll.c ---- */

/* Replies that the model consists of. */
enum top_query {
	TOP_QUERY_STATUS,
	TOP_QUERY_VOLUMES,
	TOP_QUERY_REQUESTS,
	TOP_QUERY_GRANTS,
	TOP_QUERY_COUNTED,
	_TOP_QUERIES
};

/**
 * top_poll_once() - ask for everything and wait for it
 *
 * Return: 0 or an exit code, having complained.
 */
int top_poll_once(struct top *top);

/* Go on asking from the loop. Returns 0 or -errno. */
int top_poll_start(struct top *top);
void top_poll_stop(struct top *top);

/* Something was changed: look at once. */
void top_poll_now(struct top *top);

/* Called when an action is done; @error_id is NULL if it was. */
typedef void (*top_done_fn)(struct top *top, const char *error_id, sd_json_variant *reply);

/**
 * top_call() - have the agent do something
 * @method: name within the interface
 * @parameters: the reference is consumed
 * @done: called from the loop
 *
 * One at a time. Return: 0 or -errno.
 */
int top_call(struct top *top, const char *method, sd_json_variant *parameters,
	     top_done_fn done);

/* ---- top_model.c ---- */

/* Returns 0 or -ENOMEM. */
int top_model_start(struct top *top);
void top_model_stop(struct top *top);

/* Take a reply over; the reference is consumed. */
void top_model_take(struct top *top, enum top_query query, sd_json_variant *reply);

/* An event: who opened what by which grant. */
void top_model_event(struct top *top, sd_json_variant *event);

/* Filter and sort anew; the selection stays where it was, if that is there yet. */
void top_model_arrange(struct top *top);

/* The selected row, or NULL. */
sd_json_variant *top_model_selected(const struct top *top);

/* Move the selection within its section, or into the other one. */
void top_model_move(struct top *top, long rows);
void top_model_other_section(struct top *top);

/**
 * top_model_opened() - what was opened last by a grant
 * @id: the grant
 * @ret_boottime_ns: when
 *
 * Return: "psql: base/1/1259", or NULL if nothing is known.
 */
const char *top_model_opened(const struct top *top, uint64_t id, uint64_t *ret_boottime_ns);

/* "cat (alice)": the program, and who had logged in, or else its user. To be freed. */
char *top_model_who(sd_json_variant *row);

const char *top_model_sort_name(enum top_sort sort);

/* The whole as JSON. Returns 0 or -errno. */
int top_model_json(const struct top *top, sd_json_variant **ret);

/* ---- top_rates.c ---- */

int top_rates_start(struct top *top);
void top_rates_stop(struct top *top);
/* The volumes' counters were read at this time. */
void top_rates_take(struct top *top, sd_json_variant *volumes, uint64_t now_ns);
/* What happens on a volume; all 0 before it was read twice. */
struct top_rate top_rates_of(const struct top *top, const char *volume);
void top_rates_add(struct top_rate *sum, const struct top_rate *rate);

/* ---- top_frame.c ---- */

enum top_style {
	TOP_STYLE_NORMAL,
	TOP_STYLE_HEADER,
	TOP_STYLE_TITLE,
	TOP_STYLE_SELECTED,
	TOP_STYLE_GOOD,
	TOP_STYLE_WARNING,
	TOP_STYLE_BAD,
	TOP_STYLE_KEYS,
};

/**
 * struct top_line - a line of a frame
 * @text: not wider than the frame
 * @style: how it looks, where the terminal can show it
 */
struct top_line {
	char *text;
	enum top_style style;
};

/**
 * struct top_frame - what is on the screen
 * @lines: from above
 * @count: how many
 * @room: of @lines
 * @width: columns
 * @failed: there was no memory for a line
 */
struct top_frame {
	struct top_line *lines;
	size_t count;
	size_t room;
	int width;
	bool failed;
};

/**
 * top_frame_make() - draw
 * @frame: all zero; to be released
 * @width: columns
 * @height: lines, 0 for as many as it takes; then without a selection and keys
 *
 * Return: 0 or -ENOMEM.
 */
int top_frame_make(struct top *top, struct top_frame *frame, int width, int height);
void top_frame_release(struct top_frame *frame);

/* ---- top_screen.c ---- */

/* Keys beyond characters. */
enum top_key {
	TOP_KEY_UP = 0x110000,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_TAB,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_BACKSPACE,
	TOP_KEY_CLEAR,
	TOP_KEY_REDRAW,
	TOP_KEY_OTHER,
};

/**
 * top_screen_open() - take the terminal
 *
 * It is given back by top_screen_close(), and whatever kills this process, except
 * SIGKILL.
 *
 * Return: 0 or an exit code, having complained.
 */
int top_screen_open(void);
void top_screen_close(void);
/* The terminal has another size. */
void top_screen_resize(void);
/* Let the terminal go, stop as the user has asked for, and take it again. */
void top_screen_suspend(void);
void top_screen_redraw(void);
/* Returns 0 or -ENOMEM. */
int top_screen_show(struct top *top);
/* A key that was pressed, or 0. */
uint32_t top_screen_key(void);

/* ---- top_act.c ---- */

/* Each begins to ask; what is to be done is selected. */
void top_act_approve(struct top *top);
void top_act_deny(struct top *top);
void top_act_revoke(struct top *top);
void top_act_filter(struct top *top);

/* A key while a question is open. */
void top_act_key(struct top *top, uint32_t key);
void top_act_cancel(struct top *top);

/* The question and what was typed, as one line; to be freed. */
char *top_act_line(const struct top *top);
/* What helps with the question, or NULL. */
const char *top_act_hint(const struct top *top);

#endif /* _TRUSTGATE_TOP_H */
