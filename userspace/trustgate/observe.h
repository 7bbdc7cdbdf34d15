/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - what somebody says who has a volume observed.
 *
 * Owns: the options for how long and why, which "observe" and "volume add" share.
 *
 * Must not own: what is done about them.
 */
#ifndef _TRUSTGATE_OBSERVE_H
#define _TRUSTGATE_OBSERVE_H

#include <stdbool.h>

#include <systemd/sd-json.h>

#include "cli.h"

/* One of the options; returns an exit code, having complained. */
int observe_take(int id, const char *value);

/* Whether any of them was given. */
bool observe_given(void);

/**
 * observe_check() - whether those that are needed were given
 * @option: name of the one that says for how long
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int observe_check(const char *option);

/**
 * observe_add() - put them into a request
 * @parameters: of the request
 * @duration: name of the parameter that says for how long
 *
 * Return: 0 or a negative errno.
 */
int observe_add(sd_json_variant **parameters, const char *duration);

#endif /* _TRUSTGATE_OBSERVE_H */
