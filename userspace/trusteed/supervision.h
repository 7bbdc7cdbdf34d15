/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - grants that allow only while somebody supervises them.
 *
 * Owns: who supervises what at the moment, and telling the kernel, for a short
 * time ahead, again and again.
 *
 * Must not own: what a supervisor is shown (watch.c).
 *
 * A grant is suspended at once when its last supervisor disconnects. If this
 * agent hangs or dies, the kernel suspends it SUPERVISION_LEASE_NS later. A
 * supervisor who for so long has not read what there was to read does not count
 * until he has.
 */
#ifndef _TRUSTEED_SUPERVISION_H
#define _TRUSTEED_SUPERVISION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-varlink.h>

#include <trustgate.h>

#include "refusal.h"

struct agent;
struct peer;

#define SUPERVISION_LEASE_NS	(UINT64_C(10) * 1000000000)

/**
 * supervision_start() - take stock of the kernel's grants; nobody supervises yet
 * @agent: bound, with its event loop
 *
 * Return: 0 or -errno, after a note in the journal.
 */
int supervision_start(struct agent *agent);
void supervision_stop(struct agent *agent);

/* After a reload, and when events were lost. */
void supervision_resync(struct agent *agent);

/* To be called before the event is sent to anybody. */
void supervision_event(struct agent *agent, const struct trustgate_event *event);

/**
 * supervision_prepare() - fill in what concerns supervision
 * @volume: where it is to be given
 * @pid: subject
 * @request: otherwise complete. It gets the flag if a person gives it and the
 *	configuration demands that; and, with the flag, until when it is supervised
 */
void supervision_prepare(struct agent *agent, const char *volume, pid_t pid,
			 struct trustgate_grant_request *request);

/* It was given. */
void supervision_given(struct agent *agent, const struct trustgate_grant_request *request,
		       const struct trustgate_grant_added *added);

/**
 * supervision_add() - a watcher supervises
 * @link: his connection
 * @peer: who he is; authorised here, by the volume
 * @grant_id: this grant, or 0
 * @volume: all on this volume, or NULL
 * @refusal: filled on failure
 *
 * One of the tenant's people is shown that volume's events only.
 *
 * Return: 0, -ENOENT, -EINVAL, -EPERM or -ENOMEM.
 */
int supervision_add(struct agent *agent, sd_varlink *link, const struct peer *peer,
		    uint64_t grant_id, const char *volume, struct refusal *refusal);
void supervision_remove(struct agent *agent, const sd_varlink *link);

/* How many connections supervise something. */
size_t supervision_count(const struct agent *agent);

#endif
