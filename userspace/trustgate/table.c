// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - tables.
 *
 * Owns: columns, their selection, alignment and colour, by libsmartcols.
 *
 * Must not own: what a row is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <libsmartcols/libsmartcols.h>

#include "format.h"
#include "table.h"

#define SELECTION_MAX 64

/* Columns to show, in their order. */
struct selection {
	const struct column *columns[SELECTION_MAX];
	size_t count;
};

static const struct column *find_column(const struct column *columns, const char *name,
					size_t length)
{
	for (; columns->name; columns++)
		if (strlen(columns->name) == length && !strncasecmp(columns->name, name, length))
			return columns;
	return NULL;
}

static void select_defaults(const struct column *columns, struct selection *selection)
{
	for (; columns->name; columns++)
		if (columns->shown)
			selection->columns[selection->count++] = columns;
}

static int unknown_column(const struct column *columns, const char *name, size_t length)
{
	char known[512] = "";
	size_t used = 0;

	for (const struct column *column = columns; column->name; column++)
		used += snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
				 column->name);
	if (!length)
		return usage_error("--output has an empty column name; there are %s", known);
	return usage_error("there is no column \"%.*s\"; there are %s", (int)length, name, known);
}

static int make_selection(const struct cli *cli, const struct column *columns,
			  struct selection *selection)
{
	const char *word = cli->output;

	selection->count = 0;
	if (!word || *word == '+')
		select_defaults(columns, selection);
	if (!word)
		return 0;
	word += *word == '+';
	for (;;) {
		size_t length = strcspn(word, ",");
		const struct column *column = find_column(columns, word, length);

		if (!column)
			return unknown_column(columns, word, length);
		if (selection->count == SELECTION_MAX)
			return usage_error("--output names more than %d columns", SELECTION_MAX);
		selection->columns[selection->count++] = column;
		if (!word[length])
			return 0;
		word += length + 1;
	}
}

int table_check(const struct cli *cli, const struct column *columns)
{
	struct selection selection;

	return make_selection(cli, columns, &selection);
}

/* ---- colours ---- */

static const char *chosen = "auto";

int colours_choose(const char *when)
{
	if (strcmp(when, "auto") && strcmp(when, "always") && strcmp(when, "never"))
		return -EINVAL;
	chosen = when;
	return 0;
}

bool colours_wanted(void)
{
	const char *none = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (strcmp(chosen, "auto"))
		return !strcmp(chosen, "always");
	return isatty(STDOUT_FILENO) && (!none || !*none) && term && strcmp(term, "dumb");
}

static const char *const colour_names[] = {
	[COLOUR_NONE] = NULL,
	[COLOUR_GOOD] = "green",
	[COLOUR_WARNING] = "yellow",
	[COLOUR_BAD] = "red",
};

const char *colour_begin(enum colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_WARNING] = "\033[33m",
		[COLOUR_BAD] = "\033[31m",
	};

	return colours_wanted() ? sequences[colour] : "";
}

const char *colour_end(enum colour colour)
{
	return colour != COLOUR_NONE && colours_wanted() ? "\033[0m" : "";
}

/* ---- printing ---- */

static int fill_cell(const struct cli *cli, struct libscols_line *line, size_t index,
		     const struct column *column, sd_json_variant *row)
{
	char *text = column->text(cli, row);
	char *safe;
	int r;

	if (!text)
		return 0;
	safe = escape_text(text);
	free(text);
	if (!safe)
		return -ENOMEM;
	r = scols_line_refer_data(line, index, safe);
	if (r) {
		free(safe);
		return r;
	}
	if (column->colour && column->colour(row) != COLOUR_NONE)
		r = scols_cell_set_color(scols_line_get_cell(line, index),
					 colour_names[column->colour(row)]);
	return r;
}

static int fill(const struct cli *cli, struct libscols_table *table,
		const struct selection *selection, sd_json_variant **rows, size_t count)
{
	int r = 0;

	for (size_t i = 0; !r && i < selection->count; i++)
		if (!scols_table_new_column(table, selection->columns[i]->name, 0,
					    selection->columns[i]->right ? SCOLS_FL_RIGHT : 0))
			r = -ENOMEM;
	for (size_t row = 0; !r && row < count; row++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (!line)
			r = -ENOMEM;
		for (size_t i = 0; !r && i < selection->count; i++)
			r = fill_cell(cli, line, i, selection->columns[i], rows[row]);
	}
	return r;
}

int table_print(const struct cli *cli, const struct column *columns,
		sd_json_variant **rows, size_t count)
{
	struct selection selection;
	struct libscols_table *table;
	int r;

	r = make_selection(cli, columns, &selection);
	if (r)
		return r;
	table = scols_new_table();
	if (!table) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	scols_table_enable_noheadings(table, cli->noheadings);
	scols_table_enable_colors(table, colours_wanted());
	/* Cells are escaped already; twice would be wrong. */
	scols_table_enable_noencoding(table, 1);
	/* Cut to the width of the terminal, ids would be useless. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	/* A heading with nothing below it looks as if something had failed. */
	if (!count && !cli->noheadings && cli->empty && isatty(STDOUT_FILENO)) {
		scols_unref_table(table);
		printf("%s\n", cli->empty);
		return 0;
	}
	r = fill(cli, table, &selection, rows, count);
	if (!r && (count || !cli->noheadings))
		r = scols_print_table(table);
	scols_unref_table(table);
	if (r) {
		complain("cannot write the table: %s", strerror(-r));
		return EXIT_REFUSED;
	}
	return 0;
}

void table_help(const struct column *columns)
{
	printf("\nColumns (* shown by default, which may change):\n");
	for (; columns->name; columns++)
		printf("  %c %-14s %s\n", columns->shown ? '*' : ' ', columns->name, columns->help);
}
