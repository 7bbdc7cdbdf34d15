/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - what remains of grants that have ended.
 *
 * Owns: which of them the agent lists still, and waiting until none is.
 *
 * Must not own: ending grants (verb_revoke.c).
 */
#ifndef _TRUSTGATE_REMAINS_H
#define _TRUSTGATE_REMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent.h"

/**
 * struct wanted - whose remains; a grant is one of them if anything here fits
 * @ids: these grants; to be freed
 * @count: how many
 * @volume: every grant on this volume, or NULL
 * @pid: every grant of this process, or 0
 * @all: every grant
 */
struct wanted {
	uint64_t *ids;
	size_t count;
	const char *volume;
	uint64_t pid;
	bool all;
};

/**
 * wanted_add() - want one more grant
 * @wanted: changed
 * @id: its number
 *
 * Return: 0 or an exit code, having complained.
 */
int wanted_add(struct wanted *wanted, uint64_t id);

/**
 * wanted_add_process() - want the grants of its process by their numbers, too
 * @cli: options
 * @wanted: with a pid; changed
 *
 * A process that has exited has no number by which its grants could be found.
 *
 * Return: 0 or an exit code, having complained.
 */
int wanted_add_process(const struct cli *cli, struct wanted *wanted);

/**
 * remains_find() - which of them have ended and are listed still
 * @cli: options
 * @wanted: which
 * @ret: array of grants, perhaps empty, to be released
 *
 * Return: 0 or an exit code, having complained.
 */
int remains_find(const struct cli *cli, const struct wanted *wanted, sd_json_variant **ret);

/**
 * remains_wait() - wait until none of them is
 * @cli: options
 * @wanted: which
 * @timeout_ns: how long, UINT64_MAX for any time
 * @ret: what was left when the time was up
 *
 * Return: 0 or an exit code, having complained; with the time being up 0.
 */
int remains_wait(const struct cli *cli, const struct wanted *wanted, uint64_t timeout_ns,
		 sd_json_variant **ret);

#endif /* _TRUSTGATE_REMAINS_H */
