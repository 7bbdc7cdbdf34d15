/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - tables.
 *
 * Owns: columns, their selection, alignment and colour, by libsmartcols.
 *
 * Must not own: what a row is.
 */
#ifndef _TRUSTGATE_TABLE_H
#define _TRUSTGATE_TABLE_H

#include <systemd/sd-json.h>

#include "cli.h"

enum colour {
	COLOUR_NONE,
	COLOUR_GOOD,
	COLOUR_WARNING,
	COLOUR_BAD,
};

/**
 * struct column - one column
 * @name: in capitals
 * @help: one line
 * @right: numbers go to the right
 * @shown: by default
 * @text: makes the cell: text to be freed, NULL for an empty one. Strings from
 *	elsewhere need no escaping here.
 * @colour: of the cell; may be NULL
 */
struct column {
	const char *name;
	const char *help;
	bool right;
	bool shown;
	char *(*text)(const struct cli *cli, sd_json_variant *row);
	enum colour (*colour)(sd_json_variant *row);
};

/**
 * table_check() - whether --output names columns that exist
 * @cli: options
 * @columns: of the table
 *
 * To be called before the agent is asked.
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int table_check(const struct cli *cli, const struct column *columns);

/**
 * table_print() - write a table to standard output
 * @cli: options, checked by table_check()
 * @columns: of the table
 * @rows: objects
 * @count: how many
 *
 * Return: 0 or an exit code, having complained.
 */
int table_print(const struct cli *cli, const struct column *columns,
		sd_json_variant **rows, size_t count);

/* List the columns on standard output. */
void table_help(const struct column *columns);

/**
 * colours_choose() - say when there are colours
 * @when: "auto", "always" or "never"
 *
 * Return: 0 or -EINVAL.
 */
int colours_choose(const char *when);

/*
 * Whether standard output wants colours: as chosen, or else on a terminal if
 * NO_COLOR is not set.
 */
bool colours_wanted(void);

/* Escape sequence that begins a colour, "" if no colours are wanted. */
const char *colour_begin(enum colour colour);
const char *colour_end(enum colour colour);

#endif /* _TRUSTGATE_TABLE_H */
