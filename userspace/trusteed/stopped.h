/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - volumes on which nothing is given, because somebody has stopped it.
 *
 * Owns: which these are, on disk, too: a restart of the agent or the host does not
 * undo it.
 *
 * Must not own: ending what there is (varlink_stop.c).
 */
#ifndef _TRUSTEED_STOPPED_H
#define _TRUSTEED_STOPPED_H

#include <stdbool.h>

#include <systemd/sd-json.h>

#include "refusal.h"

struct agent;

/**
 * stopped_start() - read from the state directory what is stopped
 *
 * Return: 0 or -errno, after a note in the journal; then nothing may be given.
 */
int stopped_start(struct agent *agent);
void stopped_stop(struct agent *agent);

bool stopped_has(const struct agent *agent, const char *volume);

/* Whether something may be given on a volume: 0 or -EACCES with @refusal filled. */
int stopped_check(const struct agent *agent, const char *volume, struct refusal *refusal);

/**
 * stopped_add() - give nothing on a volume any more
 * @volume: its name, or NULL for the host
 * @refusal: filled on failure
 *
 * Return: 0 or -errno: it is stopped nevertheless, but until a restart only.
 */
int stopped_add(struct agent *agent, const char *volume, struct refusal *refusal);

/**
 * stopped_remove() - give on a volume again
 * @volume: its name, or NULL for the host and every volume
 * @refusal: filled on failure
 *
 * Return: 0; -EINVAL if @volume is not stopped by itself; -errno with nothing changed
 * in what is given.
 */
int stopped_remove(struct agent *agent, const char *volume, struct refusal *refusal);

/* A list of names, "*" for the host. */
int stopped_json(const struct agent *agent, sd_json_variant **ret);

#endif
