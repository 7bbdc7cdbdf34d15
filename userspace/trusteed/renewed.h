/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - grants by rules with "renew: true".
 *
 * Owns: the list of them, when the next one of each is given, and that they end
 * when the policy no longer allows them.
 *
 * Must not own: the first grant of each, which answers an open (asked.c), the
 * rules (../policy).
 *
 * Like a service's standing grant, such a grant is a chain of short ones, each of
 * which renews the last at half its time. The kernel takes that only for the same
 * run of the same program: so the chain ends with an exec, and what is found out
 * about the process can be no other program's. The chain is found again by its tag
 * and the ledger when the agent restarts.
 */
#ifndef _TRUSTEED_RENEWED_H
#define _TRUSTEED_RENEWED_H

#include <stdint.h>

#include <trustgate.h>

#include "asked.h"
#include "object.h"
#include "refusal.h"

struct agent;
struct policy_facts;
struct policy_verdict;

/**
 * renewed_start() - find what a former run has given, and go on with it
 * @agent: bound, with its volumes and the policy
 *
 * Return: 0 or -errno, after a note in the journal.
 */
int renewed_start(struct agent *agent);

/* The grants stay: the next run goes on with them. */
void renewed_stop(struct agent *agent);

/**
 * renewed_end() - end all of them, without holding it against their processes
 * @volume: on this volume, or NULL for all
 *
 * Return: how many grants.
 */
uint64_t renewed_end(struct agent *agent, const char *volume);

/* Grants were revoked, and events of that may have been lost. */
void renewed_revoked(struct agent *agent);

/* The policy is another one: what it does not allow is revoked now. */
void renewed_reconfigure(struct agent *agent);

/* A grant has ended; other events are none of ours. */
void renewed_event(struct agent *agent, const struct trustgate_event *event);

/**
 * renewed_prepare() - what an open gets by a rule that renews
 * @asked: the open
 * @start_ticks: start of its process
 * @verdict: by which it is allowed
 * @facts: on which that rests
 * @answer: filled in for the file that was asked about; becomes one for all that
 *	the rule is for, where no earlier rule says otherwise
 * @object: for @answer; to be released with object_close()
 * @refusal: filled on failure
 *
 * Return: 0; -EACCES if somebody has revoked that from this process; or another
 * -errno if the object cannot be found.
 */
int renewed_prepare(struct agent *agent, const struct asked *asked, uint64_t start_ticks,
		    const struct policy_verdict *verdict, const struct policy_facts *facts,
		    struct answer *answer, struct object *object, struct refusal *refusal);

/* It was given: @grant, on @path, to be renewed from now on. */
void renewed_add(struct agent *agent, const struct asked *asked, const char *path,
		 const struct trustgate_grant *grant);

#endif
