/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - the command line.
 *
 * Owns: verbs, their options, exit codes, and how a complaint looks.
 *
 * Must not own: what a verb does (verb_*.c).
 */
#ifndef _TRUSTGATE_CLI_H
#define _TRUSTGATE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * enum exit_code - what the caller's shell sees; part of trustgate(8)
 * @EXIT_DONE: done
 * @EXIT_REFUSED: refused or failed, nothing was changed
 * @EXIT_USAGE: the command line makes no sense
 * @EXIT_UNREACHABLE: the agent cannot be reached
 * @EXIT_LEFT: revoke --wait, stop: the grants have ended, and mappings are left, or it
 *	is not known that none are
 * @EXIT_CANNOT_RUN: exec: the program was found but cannot be run
 * @EXIT_NOT_FOUND: exec: the program was not found
 */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
	EXIT_LEFT = 4,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

enum json_mode {
	JSON_OFF,
	JSON_AUTO,	/* pretty on a terminal */
	JSON_PRETTY,
	JSON_SHORT,
};

enum time_mode {
	TIME_DEFAULT,	/* of the verb */
	TIME_RELATIVE,
	TIME_BOTH,	/* relative and, in parentheses, absolute */
	TIME_ABSOLUTE,
	TIME_BOOTTIME,
};

/* Every option of every verb; the same number means the same thing. */
enum option_id {
	OPTION_NONE,
	OPTION_HELP,
	OPTION_AGENT,
	OPTION_COLOR,
	OPTION_NO_COLOR,
	OPTION_JSON,
	OPTION_JSON_SHORTHAND,
	OPTION_OUTPUT,
	OPTION_NOHEADINGS,
	OPTION_TIME,
	OPTION_VOLUME,
	OPTION_PATH,
	OPTION_PID,
	OPTION_ACCESS,
	OPTION_FOR,
	OPTION_AFTER,
	OPTION_USES,
	OPTION_SUBTREE,
	OPTION_FILE,
	OPTION_DESCENDANTS,
	OPTION_KEEP_EXEC,
	OPTION_NEXT_EXEC,
	OPTION_ON_END,
	OPTION_SUPERVISED,
	OPTION_SUPERVISE,
	OPTION_BY_GRANT,
	OPTION_GRANT,
	OPTION_REASON,
	OPTION_TICKET,
	OPTION_SERVICE,
	OPTION_ALL,
	OPTION_MAX_DURATION,
	OPTION_ON_AGENT_LOSS,
	OPTION_METADATA,
	OPTION_LEAST_ON_END,
	OPTION_ASK,
	OPTION_RECORD,
	OPTION_TYPE,
	OPTION_WAIT,
	OPTION_TIMEOUT,
	OPTION_POLICY_FILE,
	OPTION_EXE,
	OPTION_DIGEST,
	OPTION_USER,
	OPTION_LOGIN_USER,
	OPTION_UNIT,
	OPTION_CGROUP,
	OPTION_ACCOUNT_FILE,
	OPTION_KEY,
	OPTION_EXPECT,
	OPTION_SINCE,
	OPTION_FROM,
	OPTION_KIND,
	OPTION_STATE,
	OPTION_MAX,
	OPTION_AT,
	OPTION_COMMENT,
	OPTION_REQUEST,
	OPTION_LOCATION,
	OPTION_RETENTION,
	OPTION_LEGAL_REFERENCE,
	OPTION_NOTIFY,
	OPTION_ASK_PEOPLE,
	OPTION_BREAK_GLASS,
	OPTION_TEXTFILE,
	OPTION_INTERVAL,
	OPTION_ONCE,
	OPTION_OBSERVE,
	OPTION_END,
};

/**
 * struct cli_option - one option
 * @id: enum option_id
 * @letter: short form, 0 for none
 * @name: long form without dashes
 * @value: name of its value in the help; NULL if it has none; in brackets if
 *	it may be left out
 * @help: one line
 */
struct cli_option {
	int id;
	char letter;
	const char *name;
	const char *value;
	const char *help;
};

/**
 * struct cli - the options that several verbs share
 * @agent: path of the agent's socket
 * @json: form of the output
 * @output: columns, NULL for the verb's default
 * @noheadings: leave out the heading
 * @time: how times are shown
 * @empty: sentence for a person who gets an empty list, may be NULL
 */
struct cli {
	const char *agent;
	enum json_mode json;
	const char *output;
	bool noheadings;
	enum time_mode time;
	const char *empty;
};

/* Which of the shared options a verb has, besides --help and --agent. */
enum shared_options {
	SHARED_JSON = 1,
	SHARED_TABLE = 2,
	SHARED_TIME = 4,
};

struct column;

/**
 * struct verb - one verb
 * @name: one or two words
 * @arguments: for the help, what comes after the options; "" for nothing
 * @summary: one line
 * @details: paragraphs for the help, may be NULL
 * @options: own options, ended by one without a name; may be NULL
 * @shared: enum shared_options
 * @columns: of its table, ended by one without a name; may be NULL
 * @empty: what is said on a terminal if its list is empty; may be NULL
 * @min: fewest arguments
 * @max: most arguments, -1 for any number
 * @program: the first argument ends the options, as it is a command line
 * @take: called for each of its own options; returns an exit code, having
 *	complained
 * @run: does it; gets the arguments; returns an exit code, having complained
 */
struct verb {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;
	const struct cli_option *options;
	unsigned int shared;
	const struct column *columns;
	const char *empty;
	int min;
	int max;
	bool program;
	int (*take)(int id, const char *value);
	int (*run)(const struct cli *cli, int argc, char *argv[]);
};

extern const struct verb verb_status;
extern const struct verb verb_volume_add;
extern const struct verb verb_volume_set;
extern const struct verb verb_volume_del;
extern const struct verb verb_volume_list;
extern const struct verb verb_grant;
extern const struct verb verb_revoke;
extern const struct verb verb_stop;
extern const struct verb verb_start;
extern const struct verb verb_observe;
extern const struct verb verb_grants;
extern const struct verb verb_requests;
extern const struct verb verb_show;
extern const struct verb verb_approve;
extern const struct verb verb_deny;
extern const struct verb verb_extend;
extern const struct verb verb_acknowledge;
extern const struct verb verb_history;
extern const struct verb verb_watch;
extern const struct verb verb_metrics;
extern const struct verb verb_top;
extern const struct verb verb_exec;
extern const struct verb verb_verify;
extern const struct verb verb_policy_check;
extern const struct verb verb_policy_test;
extern const struct verb verb_journal_verify;
extern const struct verb verb_journal_export;
extern const struct verb verb_journal_head;
extern const struct verb verb_journal_key;

/**
 * complain() - say on standard error what is wrong and what to do about it
 * @format: a sentence without a line end; control characters are escaped
 */
__attribute__((format(printf, 1, 2)))
void complain(const char *format, ...);

/**
 * complain_into() - keep complaints instead of writing them
 * @buffer: receives the last one; NULL to write them again
 * @size: of @buffer
 */
void complain_into(char *buffer, size_t size);

/**
 * usage_error() - complain and point to the help
 * @format: as for complain()
 *
 * Return: EXIT_USAGE.
 */
__attribute__((format(printf, 1, 2)))
int usage_error(const char *format, ...);

/**
 * parse_number() - read an unsigned decimal number
 * @what: what it is, for the complaint: "--pid"
 * @text: the text
 * @min: smallest that makes sense
 * @max: largest that makes sense
 * @ret: the number
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int parse_number(const char *what, const char *text, uint64_t min, uint64_t max,
		 uint64_t *ret);

/**
 * parse_duration() - read a duration that must not be zero
 * @what: what it is, for the complaint: "--for"
 * @text: the text
 * @ret_ns: nanoseconds
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int parse_duration(const char *what, const char *text, uint64_t *ret_ns);

#endif /* _TRUSTGATE_CLI_H */
