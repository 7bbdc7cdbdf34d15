/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - the agent over Varlink.
 *
 * Owns: the socket, calls and replies, and the translation of the interface's
 * errors into words and exit codes.
 *
 * Must not own: what is asked or how the answer is shown.
 */
#ifndef _TRUSTGATE_AGENT_H
#define _TRUSTGATE_AGENT_H

#include <systemd/sd-varlink.h>

#include "cli.h"

#define AGENT_INTERFACE "io.trustgate.Agent"
#define AGENT_SOCKET "/run/trusteed/" AGENT_INTERFACE

/**
 * agent_connect() - connect to the agent
 * @cli: options
 * @ret: the connection, to be released with sd_varlink_unref()
 *
 * Return: 0 or an exit code, having complained.
 */
int agent_connect(const struct cli *cli, sd_varlink **ret);

/**
 * agent_call() - connect, call a method once, disconnect
 * @cli: options
 * @method: name within the interface
 * @parameters: its parameters; the reference is consumed
 * @ret_reply: the reply, to be released with sd_json_variant_unref()
 *
 * Return: 0 or an exit code, having complained.
 */
int agent_call(const struct cli *cli, const char *method, sd_json_variant *parameters,
	       sd_json_variant **ret_reply);

/**
 * agent_try() - the same, when a refusal is no reason to complain
 * @cli: options
 * @method: name within the interface
 * @parameters: its parameters; the reference is consumed
 * @ret_reply: the reply, or the parameters of the error
 * @ret_error_id: name of the error, to be freed; NULL if there was none
 *
 * Return: 0 or an exit code, having complained that the agent is not there.
 */
int agent_try(const struct cli *cli, const char *method, sd_json_variant *parameters,
	      sd_json_variant **ret_reply, char **ret_error_id);

/* Gets one of several replies; returns 0 to go on, else an exit code. */
typedef int (*agent_reply_fn)(sd_json_variant *reply, void *userdata);

/**
 * agent_stream() - connect, call a method with many replies, disconnect
 * @cli: options
 * @method: name within the interface
 * @parameters: its parameters; the reference is consumed
 * @endless: replies may be far apart, and an end is a loss of the agent
 * @reply: called for each
 * @userdata: handed to @reply
 *
 * Return: 0 or an exit code, having complained.
 */
int agent_stream(const struct cli *cli, const char *method, sd_json_variant *parameters,
		 bool endless, agent_reply_fn reply, void *userdata);

/**
 * agent_complain() - say what an error of the interface means
 * @error_id: its name
 * @parameters: its parameters; may be NULL
 *
 * Return: an exit code.
 */
int agent_complain(const char *error_id, sd_json_variant *parameters);

/* ---- reading a reply; a missing or misfit field is as if it were null ---- */

/* The string, or NULL. */
const char *field_string(sd_json_variant *object, const char *name);
/* Whether it is there; the number. */
bool field_number(sd_json_variant *object, const char *name, uint64_t *ret);
bool field_true(sd_json_variant *object, const char *name);

/* Strings of an array joined by commas; to be freed. NULL if there is none. */
char *field_joined(sd_json_variant *object, const char *name, const char *separator);

/**
 * print_json() - write a reply to standard output
 * @cli: options, with json other than JSON_OFF
 * @value: what to write
 *
 * Return: 0 or an exit code, having complained.
 */
int print_json(const struct cli *cli, sd_json_variant *value);

#endif /* _TRUSTGATE_AGENT_H */
