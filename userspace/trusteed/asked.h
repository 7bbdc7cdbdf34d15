/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - opens that wait for an answer.
 *
 * Owns: the list of those that wait for a trustee; asking the policy about each
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
 * @next: with the next higher number
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

/* A request was raised or closed; other events are none of ours. */
/**
 * asked_take() - an open waits that was not taken before
 * @request: as the channel tells of it
 *
 * To be followed by asked_carry_out().
 */
void asked_take(struct agent *agent, const struct trustgate_request *request);

void asked_event(struct agent *agent, const struct trustgate_event *event);

/* No more events for now: carry out what was decided about them. */
void asked_carry_out(struct agent *agent);

/* Events were lost: see what is open. */
void asked_resync(struct agent *agent);

/* The open that waits with this number, or NULL. */
struct asked *asked_find(struct agent *agent, uint64_t id);

/* Forget it; it is freed. */
void asked_drop(struct agent *agent, struct asked *asked);

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
 * @why: for the journal
 *
 * Return: how many.
 */
uint64_t asked_refuse_all(struct agent *agent, const char *volume, const char *why);

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
