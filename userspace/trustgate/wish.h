/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - the grant that grant and exec ask for.
 *
 * Owns: the options that describe a grant, and the request made of them.
 *
 * Must not own: who gets it, or what the agent says.
 */
#ifndef _TRUSTGATE_WISH_H
#define _TRUSTGATE_WISH_H

#include <systemd/sd-json.h>

#include "cli.h"
#include "trustgate.h"

/**
 * struct wish - what was asked for so far
 * @volume: name of the volume
 * @path: relative to the volume's root
 * @access_given: @access was parsed
 * @access: as it was written
 * @duration_ns: 0 while not given
 * @delay_ns: 0 for at once
 * @max_uses: 0 for any number
 * @subtree: --subtree
 * @file: --file
 * @descendants: --descendants
 * @keep_exec: --keep-exec
 * @next_exec: --next-exec
 * @supervised: --supervised
 * @on_end: name of what becomes of mappings, or NULL
 * @reason: name of the reason
 * @ticket: text or NULL
 */
struct wish {
	const char *volume;
	const char *path;
	bool access_given;
	struct trustgate_access_spec access;
	uint64_t duration_ns;
	uint64_t delay_ns;
	uint64_t max_uses;
	bool subtree;
	bool file;
	bool descendants;
	bool keep_exec;
	bool next_exec;
	bool supervised;
	const char *on_end;
	const char *reason;
	const char *ticket;
};

/* The options of a wish, to begin a verb's list of options with. */
#define WISH_OPTIONS \
	{ OPTION_VOLUME, 'V', "volume", "NAME", "volume (needed)" }, \
	{ OPTION_PATH, 'P', "path", "PATH", "file or directory, relative to the volume's root; DIR/ and . mean all beneath (needed)" }, \
	{ OPTION_ACCESS, 'a', "access", "ACCESS", "words read,write,exec,names,meta or letters rwxnm (needed)" }, \
	{ OPTION_FOR, 0, "for", "DURATION", "for how long, such as 20s, 15m, 1h30m (needed)" }, \
	{ OPTION_REASON, 'r', "reason", "REASON", "why, see below (needed)" }, \
	{ OPTION_TICKET, 't', "ticket", "TEXT", "ticket, at most 64 bytes" }, \
	{ OPTION_AFTER, 0, "after", "DURATION", "begin so much later" }, \
	{ OPTION_USES, 0, "uses", "NUMBER", "allow so many opens, execs and changes of names or metadata" }, \
	{ OPTION_SUBTREE, 0, "subtree", NULL, "PATH is a directory, with all beneath it" }, \
	{ OPTION_FILE, 0, "file", NULL, "PATH is one file, or a directory without what is in it" }, \
	{ OPTION_DESCENDANTS, 0, "descendants", NULL, "also for processes forked later by the subject" }, \
	{ OPTION_KEEP_EXEC, 0, "keep-exec", NULL, "the grant survives exec; otherwise exec ends it" }, \
	{ OPTION_SUPERVISED, 0, "supervised", NULL, "the grant allows only while a trustee supervises it, see watch" }, \
	{ OPTION_ON_END, 0, "on-end", "KIND", "what becomes of mappings when it ends: deny-io, unmap or kill" }

/* What the help says below the options; a test compares it with the library. */
#define WISH_DETAILS \
	"Reasons: customer-ticket, maintenance, incident, security-review, legal-order,\n" \
	"emergency, automation, customer-self.\n" \
	"In the letters, w on a directory includes names (create, remove, rename), as it\n" \
	"does in file modes; the word write does not."

/**
 * wish_take() - take an option
 * @wish: to be filled
 * @id: enum option_id
 * @value: of the option
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int wish_take(struct wish *wish, int id, const char *value);

/**
 * wish_check() - whether everything needed was given and fits together
 * @wish: filled
 *
 * Return: 0 or EXIT_USAGE, having complained.
 */
int wish_check(const struct wish *wish);

/**
 * wish_parameters() - the parameters of the method Grant
 * @cli: options; the agent is asked where the volume lies if the meaning of
 *	the letter w depends on it
 * @wish: checked
 * @pid: subject, 0 for the caller
 * @ret: the parameters
 *
 * Return: 0 or an exit code, having complained.
 */
int wish_parameters(const struct cli *cli, const struct wish *wish, pid_t pid,
		    sd_json_variant **ret);

#endif /* _TRUSTGATE_WISH_H */
