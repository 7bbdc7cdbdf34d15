// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - the command line.
 *
 * Owns: the table of verbs, the way from argv to a verb, the help.
 *
 * Must not own: what a verb does (verb_*.c), or the socket (agent.c).
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cli.h"
#include "format.h"
#include "table.h"
#include "trustgate.h"

static const struct verb *const verbs[] = {
	&verb_status,
	&verb_volume_add,
	&verb_volume_set,
	&verb_volume_del,
	&verb_volume_list,
	&verb_grant,
	&verb_revoke,
	&verb_stop,
	&verb_start,
	&verb_observe,
	&verb_grants,
	&verb_requests,
	&verb_show,
	&verb_approve,
	&verb_deny,
	&verb_extend,
	&verb_acknowledge,
	&verb_history,
	&verb_watch,
	&verb_metrics,
	&verb_top,
	&verb_exec,
	&verb_verify,
	&verb_policy_check,
	&verb_policy_test,
	&verb_journal_verify,
	&verb_journal_export,
	&verb_journal_head,
	&verb_journal_key,
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))
#define OPTIONS_MAX 32

static const struct cli_option shared_always[] = {
	{ OPTION_HELP, 'h', "help", NULL, "show this help" },
	{ OPTION_AGENT, 0, "agent", "SOCKET", "socket of the agent (" AGENT_SOCKET ")" },
	{ OPTION_COLOR, 0, "color", "[WHEN]", "colours: auto, never, or always, which it is without a value" },
	{ OPTION_NO_COLOR, 0, "no-color", NULL, "the same as --color=never" },
	{ 0 }
};

static const struct cli_option shared_json[] = {
	{ OPTION_JSON, 0, "json", "[MODE]", "JSON: pretty, short, off; without a value pretty on a terminal" },
	{ OPTION_JSON_SHORTHAND, 'j', NULL, NULL, "same as --json" },
	{ 0 }
};

static const struct cli_option shared_table[] = {
	{ OPTION_OUTPUT, 'o', "output", "COLUMNS", "columns to show, separated by commas; +COLUMNS adds to the default" },
	{ OPTION_NOHEADINGS, 'n', "noheadings", NULL, "leave out the heading" },
	{ 0 }
};

static const struct cli_option shared_time[] = {
	{ OPTION_TIME, 0, "time", "MODE", "show times as relative, absolute, both or boottime" },
	{ 0 }
};

/* The verb that is running, for complaints. */
static const struct verb *current;

/* ---- complaints ---- */

/* Where complaints go while a screen would be spoilt by them. */
static struct {
	char *buffer;
	size_t size;
} kept;

void complain_into(char *buffer, size_t size)
{
	kept.buffer = buffer;
	kept.size = size;
}

static void vcomplain(const char *format, va_list args)
{
	char text[2048];

	vsnprintf(text, sizeof(text), format, args);
	char *safe = escape_text(text);
	if (kept.buffer)
		snprintf(kept.buffer, kept.size, "%s", safe ?: "out of memory");
	else
		fprintf(stderr, "trustgate: %s\n", safe ?: "out of memory");
	free(safe);
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vcomplain(format, args);
	va_end(args);
}

int usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vcomplain(format, args);
	va_end(args);
	fprintf(stderr, "trustgate: see \"trustgate %s%s--help\"\n",
		current ? current->name : "", current ? " " : "");
	return EXIT_USAGE;
}

int parse_number(const char *what, const char *text, uint64_t min, uint64_t max,
		 uint64_t *ret)
{
	uint64_t number = 0;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return usage_error("%s needs a whole number, not \"%s\"", what, text);
	for (; *text; text++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
			number = UINT64_MAX;
	if (number < min || number > max)
		return usage_error("%s must be between %llu and %llu", what,
				   (unsigned long long)min, (unsigned long long)max);
	*ret = number;
	return 0;
}

int parse_duration(const char *what, const char *text, uint64_t *ret_ns)
{
	char error[256];

	if (trustgate_duration_parse(text, ret_ns, error, sizeof(error)))
		return usage_error("%s: %s", what, error);
	if (!*ret_ns || *ret_ns > INT64_MAX)
		return usage_error("%s: the duration must be longer than 0s and shorter than 106751d",
				   what);
	return 0;
}

/* ---- help ---- */

static void help_options(const struct cli_option *options)
{
	for (; options && (options->name || options->letter); options++) {
		char form[48];
		int n = 0;

		if (options->letter)
			n += snprintf(form + n, sizeof(form) - n, "-%c%s", options->letter,
				      options->name ? ", " : "");
		else
			n += snprintf(form + n, sizeof(form) - n, "    ");
		if (options->name)
			n += snprintf(form + n, sizeof(form) - n, "--%s", options->name);
		if (options->value && options->value[0] == '[')
			n += snprintf(form + n, sizeof(form) - n, "[=%s", options->value + 1);
		else if (options->value)
			n += snprintf(form + n, sizeof(form) - n, " %s", options->value);
		printf("  %-28s %s\n", form, options->help);
	}
}

static int help_verb(const struct verb *verb)
{
	printf("Usage: trustgate %s [OPTION...]%s%s\n\n%s\n\n", verb->name,
	       *verb->arguments ? " " : "", verb->arguments, verb->summary);
	if (verb->details)
		printf("%s\n\n", verb->details);
	printf("Options:\n");
	help_options(verb->options);
	if (verb->shared & SHARED_TIME)
		help_options(shared_time);
	if (verb->shared & SHARED_TABLE)
		help_options(shared_table);
	if (verb->shared & SHARED_JSON)
		help_options(shared_json);
	help_options(shared_always);
	if (verb->columns)
		table_help(verb->columns);
	return EXIT_DONE;
}

static int help(void)
{
	printf("Usage: trustgate VERB [OPTION...] [ARGUMENT...]\n\n"
	       "Ask the Trustgate agent, which alone may give access to protected volumes.\n\n"
	       "Verbs:\n");
	for (size_t i = 0; i < VERBS; i++)
		printf("  %-15s %s\n", verbs[i]->name, verbs[i]->summary);
	printf("\n  -h, --help     show this help\n"
	       "      --version  show the version\n\n"
	       "Each verb has --help. See trustgate(8).\n");
	return EXIT_DONE;
}

/* ---- options ---- */

struct option_list {
	struct option longs[OPTIONS_MAX + 1];
	char shorts[2 * OPTIONS_MAX + 4];
	const struct cli_option *all[OPTIONS_MAX];
	size_t count;
	size_t longs_count;
};

static void list_add(struct option_list *list, const struct cli_option *options)
{
	for (; options && (options->name || options->letter); options++) {
		size_t length = strlen(list->shorts);
		int argument = !options->value ? no_argument :
			       options->value[0] == '[' ? optional_argument : required_argument;

		if (list->count == OPTIONS_MAX)
			abort();
		list->all[list->count++] = options;
		if (options->name)
			list->longs[list->longs_count++] = (struct option){
				.name = options->name, .has_arg = argument, .val = 256 + options->id,
			};
		if (options->letter)
			snprintf(list->shorts + length, sizeof(list->shorts) - length, "%c%s",
				 options->letter, argument == required_argument ? ":" : "");
	}
}

static const struct cli_option *list_find(const struct option_list *list, int c)
{
	for (size_t i = 0; i < list->count; i++)
		if (c == 256 + list->all[i]->id || (c < 256 && c == list->all[i]->letter))
			return list->all[i];
	return NULL;
}

static int take_json(struct cli *cli, const char *value)
{
	if (!value)
		cli->json = JSON_AUTO;
	else if (!strcmp(value, "pretty"))
		cli->json = JSON_PRETTY;
	else if (!strcmp(value, "short"))
		cli->json = JSON_SHORT;
	else if (!strcmp(value, "off"))
		cli->json = JSON_OFF;
	else
		return usage_error("--json is pretty, short or off, not \"%s\"", value);
	return 0;
}

static int take_time(struct cli *cli, const char *value)
{
	if (!strcmp(value, "relative"))
		cli->time = TIME_RELATIVE;
	else if (!strcmp(value, "absolute"))
		cli->time = TIME_ABSOLUTE;
	else if (!strcmp(value, "both"))
		cli->time = TIME_BOTH;
	else if (!strcmp(value, "boottime"))
		cli->time = TIME_BOOTTIME;
	else
		return usage_error("--time is relative, absolute, both or boottime, not \"%s\"", value);
	return 0;
}

static int take_option(const struct verb *verb, struct cli *cli, int id, const char *value)
{
	switch (id) {
	case OPTION_AGENT:
		cli->agent = value;
		return 0;
	case OPTION_COLOR:
		return colours_choose(value ?: "always") ?
		       usage_error("--color is auto, always or never, not \"%s\"", value) : 0;
	case OPTION_NO_COLOR:
		return colours_choose("never");
	case OPTION_JSON:
	case OPTION_JSON_SHORTHAND:
		return take_json(cli, value);
	case OPTION_OUTPUT:
		cli->output = value;
		return 0;
	case OPTION_NOHEADINGS:
		cli->noheadings = true;
		return 0;
	case OPTION_TIME:
		return take_time(cli, value);
	default:
		return verb->take(id, value);
	}
}

/* What getopt_long() complained about, in words that name the cure. */
static int bad_option(const struct option_list *list, int c, int index, char *argv[])
{
	const struct cli_option *option;
	const char *word = argv[index];

	if (c == ':') {
		option = list_find(list, optopt);
		if (option && option->name)
			return usage_error("--%s needs a value: --%s %s", option->name,
					   option->name, option->value);
		return usage_error("-%c needs a value", optopt);
	}
	if (optopt > 256)
		return usage_error("\"%s\": this option takes no value", word);
	if (optopt)
		return usage_error("there is no option -%c", optopt);
	return usage_error("there is no option %.*s, or it is cut too short", (int)strcspn(word, "="), word);
}

static int run_verb(const struct verb *verb, int argc, char *argv[])
{
	struct cli cli = { .agent = AGENT_SOCKET, .empty = verb->empty };
	struct option_list list = { 0 };
	int arguments;

	current = verb;
	snprintf(list.shorts, sizeof(list.shorts), "%s:", verb->program ? "+" : "");
	list_add(&list, verb->options);
	if (verb->shared & SHARED_TIME)
		list_add(&list, shared_time);
	if (verb->shared & SHARED_TABLE)
		list_add(&list, shared_table);
	if (verb->shared & SHARED_JSON)
		list_add(&list, shared_json);
	list_add(&list, shared_always);

	optind = 1;
	for (;;) {
		const struct cli_option *option;
		int index = optind;
		int c, r;

		c = getopt_long(argc, argv, list.shorts, list.longs, NULL);
		if (c < 0)
			break;
		option = c == '?' || c == ':' ? NULL : list_find(&list, c);
		if (!option)
			return bad_option(&list, c, index, argv);
		if (option->id == OPTION_HELP)
			return help_verb(verb);
		r = take_option(verb, &cli, option->id, optarg);
		if (r)
			return r;
	}

	arguments = argc - optind;
	if (arguments < verb->min)
		return usage_error("%s: missing argument, expected %s", verb->name, verb->arguments);
	if (verb->max >= 0 && arguments > verb->max)
		return usage_error("%s: unexpected argument \"%s\"", verb->name,
				   argv[optind + verb->max]);
	return verb->run(&cli, arguments, argv + optind);
}

/* ---- verbs ---- */

/* How many words of argv a verb's name takes, 0 if it is another verb. */
static int match_verb(const struct verb *verb, int argc, char *argv[])
{
	const char *space = strchr(verb->name, ' ');

	if (!space)
		return !strcmp(argv[1], verb->name) ? 1 : 0;
	if (argc < 3 || strncmp(argv[1], verb->name, space - verb->name) ||
	    argv[1][space - verb->name])
		return 0;
	return !strcmp(argv[2], space + 1) ? 2 : 0;
}

/* A first word that begins verbs of two words, alone or with a wrong second. */
static int incomplete_verb(int argc, char *argv[])
{
	size_t length = strlen(argv[1]);
	char second[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < VERBS; i++)
		if (!strncmp(verbs[i]->name, argv[1], length) && verbs[i]->name[length] == ' ')
			used += snprintf(second + used, sizeof(second) - used, "%s%s",
					 used ? ", " : "", verbs[i]->name + length + 1);
	if (!used)
		return usage_error("there is no verb \"%s\"", argv[1]);
	if (argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
		for (size_t i = 0; i < VERBS; i++)
			if (!strncmp(verbs[i]->name, argv[1], length) &&
			    verbs[i]->name[length] == ' ')
				printf("trustgate %-14s %s\n", verbs[i]->name, verbs[i]->summary);
		return EXIT_DONE;
	}
	if (argc < 3)
		return usage_error("%s needs a second word: %s", argv[1], second);
	return usage_error("there is no verb \"%s %s\", only %s with %s", argv[1], argv[2],
			   argv[1], second);
}

int main(int argc, char *argv[])
{
	int r;

	setlocale(LC_ALL, "");

	if (argc < 2)
		return usage_error("no verb is given");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		r = help();
	else if (!strcmp(argv[1], "--version"))
		r = printf("trustgate %s\n", TRUSTGATE_VERSION) < 0;
	else if (argv[1][0] == '-')
		return usage_error("options come after the verb: \"%s\"", argv[1]);
	else {
		r = -1;
		for (size_t i = 0; r < 0 && i < VERBS; i++) {
			int words = match_verb(verbs[i], argc, argv);

			if (words)
				r = run_verb(verbs[i], argc - words, argv + words);
		}
		if (r < 0)
			return incomplete_verb(argc, argv);
	}

	/* A full disk behind standard output is a failure, too. */
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write the output: %s", strerror(errno));
		return r ? r : EXIT_REFUSED;
	}
	return r;
}
