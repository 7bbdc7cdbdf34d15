/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - who still has files of volumes open or mapped.
 *
 * Owns: asking for them, and their table.
 *
 * Must not own: when they are asked for (verb_stop.c).
 */
#ifndef _TRUSTGATE_SURVIVORS_H
#define _TRUSTGATE_SURVIVORS_H

#include "agent.h"

/**
 * survivors_find() - who still has files open or mapped
 * @cli: options
 * @volume: of this volume, which may be one that is not mounted; NULL for all
 * @ret: {"keepers": [...], "more": number}, to be released
 *
 * Return: 0 or an exit code, having complained.
 */
int survivors_find(const struct cli *cli, const char *volume, sd_json_variant **ret);

/**
 * survivors_show() - write their table, or that there is none
 * @cli: options
 * @found: of survivors_find()
 *
 * Return: 0 or an exit code, having complained.
 */
int survivors_show(const struct cli *cli, sd_json_variant *found);

#endif /* _TRUSTGATE_SURVIVORS_H */
