/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - opens that wait for an answer.
 *
 * Owns: the table of those that wait for a trustee; asking the policy about each
 * as it is raised, answering what that decides, and passing on what a trustee
 * does.
 *
 * Must not own: the rules (../policy), who may approve (varlink_requests.c).
 *
 * Nothing here waits, as a process waits for us, and systemd, journald or a
 * client may wait for that one.
 */
#ifndef _TRUSTEED_ASKED_H
#define _TRUSTEED_ASKED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <trustgate.h>

#include "refusal.h"

struct agent;
struct object;
struct policy_facts;

/**
 * struct asked - an open that waits for a trustee
 * @next: where it is one of several: of the table, of those that are closed
 * @agent: whose table it is in
 * @due: hears of its deadline while it is in the table; owned
 * @why: it is closed, for the records; a constant
 * @id: request in the kernel
 * @number: of the request that people decide about
 * @volume_id: where
 * @volume: its name
 * @path: object, as config_path_check() makes it; NULL if it is not known
 * @access: mask of enum trustgate_access
 * @pid: process
 * @uid: user of the thread that asked first
 * @loginuid: who had logged in, -1 for nobody
 * @comm: name of that thread; any bytes
 * @rule: name of the rule that wants a trustee
 * @max_duration_ns: longest time that it allows
 * @raised_boottime_ns: since when it waits
 * @deadline_boottime_ns: when it is denied: by the kernel, or before that by the
 *	rule
 */
struct asked {
	struct asked *next;
	struct agent *agent;
	sd_event_source *due;
	const char *why;
	uint64_t id;
	uint64_t number;
	uint32_t volume_id;
	char volume[TRUSTGATE_NAME_MAX + 1];
	char *path;
	uint32_t access;
	pid_t pid;
	uid_t uid;
	uid_t loginuid;
	char comm[TRUSTGATE_COMM_SIZE];
	char *rule;
	uint64_t max_duration_ns;
	uint64_t raised_boottime_ns;
	uint64_t deadline_boottime_ns;
};

/**
 * struct answer - what is granted
 * @access: mask of enum trustgate_access, not empty
 * @duration_ns: from now on
 * @flags: mask of enum trustgate_grant_flags
 * @reason: enum trustgate_reason
 * @ticket: text or NULL
 * @tag: TAG_...
 * @object: on what; NULL for the file that was asked about
 */
struct answer {
	uint32_t access;
	uint64_t duration_ns;
	uint32_t flags;
	uint32_t reason;
	const char *ticket;
	uint64_t tag;
	const struct object *object;
};

/**
 * struct asked_open - an open request of the kernel
 * @id: its number
 * @raised_boottime_ns: since when it is open
 */
struct asked_open {
	uint64_t id;
	uint64_t raised_boottime_ns;
};

/**
 * struct asked_opens - all that are open, by their numbers
 * @opens: @count of them
 * @count: how many
 * @room: for how many
 */
struct asked_opens {
	struct asked_open *opens;
	size_t count;
	size_t room;
};

/* ---- asked.c ---- */

/**
 * asked_start() - read the policy and answer what waits already
 * @agent: bound, with its volumes
 *
 * A policy that cannot be read denies everything, and is complained about.
 *
 * Return: 0 or -errno, after a note in the journal.
 */
int asked_start(struct agent *agent);
void asked_stop(struct agent *agent);

/* Read the policy again; if it cannot be read the old one stays in force. */
void asked_reconfigure(struct agent *agent);

/**
 * asked_take() - an open waits that was not taken before
 * @request: as the channel tells of it
 *
 * To be followed by asked_carry_out().
 */
void asked_take(struct agent *agent, const struct trustgate_request *request);

/* A request was raised or closed; other events are none of ours. */
void asked_event(struct agent *agent, const struct trustgate_event *event);

/* No more events for now: carry out what was decided about them. */
void asked_carry_out(struct agent *agent);

/*
 * Events were lost, or there were none yet: see what is open, and have the docket
 * compared with that. What is not known comes by the channel, if there is one.
 */
void asked_resync(struct agent *agent);

/* NULL if it was not open. */
const struct asked_open *asked_opens_find(const struct asked_opens *opens, uint64_t id);

/* The open that waits with this number, though it may not have been taken; or NULL. */
struct asked *asked_fetch(struct agent *agent, uint64_t id);

/* Have it denied, and say why; it is still the caller's. */
void asked_deny(struct agent *agent, const struct asked *asked, const char *why);

/* For asked_keep(): nobody has decided about it in time. */
int asked_on_deadline(sd_event_source *source, uint64_t usec, void *userdata);

/* Why nothing is decided after -EXDEV. */
#define ASKED_NOT_THE_KERNELS_WORD \
	"what /proc tells of the process is not the kernel's word: something is mounted there"

/**
 * asked_facts() - what is known of a process by now
 * @pid: process
 * @start_ticks: its start; another process with its number is none of ours
 * @volume: name, which becomes the facts'
 * @ret_facts: filled; to be released with policy_facts_clear() in any case
 *
 * Return: 0, -ESRCH if the process is not there any more, -EXDEV if something is
 * mounted there, or another -errno.
 */
int asked_facts(struct agent *agent, pid_t pid, uint64_t start_ticks, const char *volume,
		struct policy_facts *ret_facts);

/**
 * asked_refuse_all() - deny all that waits for a trustee
 * @volume: on this volume, or NULL for all
 * @why: for the records; a constant
 *
 * They are when it returns; the docket is told of it by and by.
 *
 * Return: how many.
 */
uint64_t asked_refuse_all(struct agent *agent, const char *volume, const char *why);

/* ---- asked_table.c: those that wait for a trustee ---- */

/* The one with this number in the kernel, or NULL. */
struct asked *asked_find(const struct agent *agent, uint64_t id);

size_t asked_count(const struct agent *agent);

/**
 * asked_keep() - put it into the table
 * @asked: the table's if it succeeds; its number in the kernel is in it no more than
 *	once
 * @on_due: called at its deadline with @asked
 *
 * Return: 0 or -errno.
 */
int asked_keep(struct agent *agent, struct asked *asked, sd_event_time_handler_t on_due);

/* Out of the table, into which it goes again or is freed. */
void asked_remove(struct agent *agent, struct asked *asked);

typedef bool (*asked_which_fn)(const struct asked *asked, const void *userdata);

/* The same for all of these, which follow each other by their next, oldest first. */
struct asked *asked_remove_where(struct agent *agent, asked_which_fn which,
				 const void *userdata);

/* Remove it and free it. */
void asked_drop(struct agent *agent, struct asked *asked);
void asked_drop_all(struct agent *agent);
void asked_free(struct asked *asked);

/* ---- asked_people.c: onto the docket and off it ---- */

int asked_start_people(struct agent *agent);
void asked_stop_people(struct agent *agent);

/**
 * asked_ask_people() - an open is to wait for people
 * @asked: the open
 * @start_ticks: start of its process
 * @exe: its program, or NULL
 * @unit: its unit, or NULL
 *
 * It waits for them when asked_put_on_docket() has put it there, with all that came
 * by then. If that fails it is denied.
 *
 * Return: whether it was taken over.
 */
bool asked_ask_people(struct agent *agent, struct asked *asked, uint64_t start_ticks,
		      const char *exe, const char *unit);
void asked_put_on_docket(struct agent *agent);

/* Whether it is one of those that are to be put there. */
bool asked_is_coming(const struct agent *agent, uint64_t id);

/**
 * asked_close() - an open waits for people no longer
 * @asked: out of the table; taken over
 * @why: for the records; a constant
 *
 * The docket is told of it when others have had their turn.
 */
void asked_close(struct agent *agent, struct asked *asked, const char *why);

/* ---- asked_answer.c ---- */

/**
 * asked_grant() - answer an open by a grant
 * @asked: the open
 * @answer: what is granted
 * @ret_grant: filled on success
 * @refusal: filled on failure
 *
 * Return: 0; -ENOENT if the request is not open any more; or another -errno.
 */
int asked_grant(struct agent *agent, const struct asked *asked,
		const struct answer *answer, struct trustgate_grant *ret_grant,
		struct refusal *refusal);

/**
 * asked_intend() - have the account told what is about to be granted
 * @asked: the open
 * @answer: what is to be granted
 * @now_ns: CLOCK_BOOTTIME, from which on
 *
 * It is on disk when asked_give() gives it, with all that was intended by then.
 */
void asked_intend(struct agent *agent, const struct asked *asked, const struct answer *answer,
		  uint64_t now_ns);

/* The second half of asked_grant(), whose first is asked_intend(). */
int asked_give(struct agent *agent, const struct asked *asked, const struct answer *answer,
	       uint64_t now_ns, struct trustgate_grant *ret_grant, struct refusal *refusal);

/* Have an open denied. Returns 0, -ENOENT if it is not open any more, or -errno. */
int asked_refuse(struct agent *agent, uint64_t id, struct refusal *refusal);

/* ---- asked_report.c: the records ---- */

void asked_report_granted(const struct asked *asked, const struct trustgate_grant *grant);
/* @why: "rule ..." or what else denies. */
void asked_report_denied(const struct asked *asked, const char *why);
void asked_report_pending(const struct asked *asked);

#endif
