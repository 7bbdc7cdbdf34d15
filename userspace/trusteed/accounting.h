/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - what the agent writes to the account.
 *
 * Owns: which entry is written when, what waits to be written, and what becomes
 * of volumes that demand a record while none can be written.
 *
 * Must not own: the account's file (../account), what happened.
 *
 * Entries about what has happened are collected for a moment and written
 * together. An entry about a grant is on disk before the kernel is asked for it.
 */
#ifndef _TRUSTEED_ACCOUNTING_H
#define _TRUSTEED_ACCOUNTING_H

#include <stdint.h>

#include <systemd/sd-json.h>

#include <trustgate.h>

#include "refusal.h"

struct agent;

/**
 * accounting_start() - open the account in the state directory
 * @agent: with its event loop
 *
 * If that is not possible it is complained about and tried again; meanwhile
 * volumes with "audit: strict" get no grants.
 *
 * Return: 0, -ENOMEM, or an error of the event loop.
 */
int accounting_start(struct agent *agent);

/* Writes what waits, and signs it. */
void accounting_stop(struct agent *agent);

/* An event of the kernel. */
void accounting_event(struct agent *agent, const struct trustgate_event *event);

/**
 * accounting_note() - something that the agent has done or refused
 * @kind: letters and dashes
 * @body: an object, or NULL for an empty one; the reference is consumed
 */
void accounting_note(struct agent *agent, const char *kind, sd_json_variant *body);

/**
 * accounting_granting() - a grant is about to be asked for
 * @volume: name of its volume
 * @path: its object, or NULL
 * @grant: as it is to be; its id is not known yet
 */
void accounting_granting(struct agent *agent, const char *volume, const char *path,
			 const struct trustgate_grant *grant);

/**
 * accounting_demand() - have all that waits on disk now
 * @volume: name of the volume that is about to be given access to
 * @refusal: filled on failure
 *
 * Return: 0; also if it failed, unless @volume is strict, then a negative errno.
 */
int accounting_demand(struct agent *agent, const char *volume, struct refusal *refusal);

/**
 * accounting_insist() - the same for what is not done without a record anywhere
 * @volume: name of the volume that it is about
 * @refusal: filled on failure
 *
 * Return: 0 or a negative errno.
 */
int accounting_insist(struct agent *agent, const char *volume, struct refusal *refusal);

/**
 * struct accounting_numbers - how far the account is behind
 * @waiting: entries that are not on disk yet
 * @oldest_boottime_ns: when the oldest of them happened, 0 if there is none
 * @written: entries written since the agent's start
 * @lost: entries for which there was no room
 * @failures: attempts to write that have failed
 */
struct accounting_numbers {
	uint64_t waiting;
	uint64_t oldest_boottime_ns;
	uint64_t written;
	uint64_t lost;
	uint64_t failures;
};

struct accounting_numbers accounting_numbers(const struct agent *agent);

/* Why nothing can be recorded at the moment; NULL if it can. */
const char *accounting_problem(const struct agent *agent);

#endif
