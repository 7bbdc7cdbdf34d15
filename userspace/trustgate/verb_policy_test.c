// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate policy test - which rule would decide about a request, and why.
 *
 * Owns: the options that describe a request, showing what came of each rule.
 *
 * Must not own: the decision (../policy/), the facts of a live process
 * (../policy/policy_facts.c).
 */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "policy.h"
#include "policy_facts.h"
#include "table.h"
#include "trustgate.h"

/* The request as the options say it. What they do not say is unknown. */
static struct {
	const char *file;
	char *path;
	uint64_t pid;
	bool access_given;
	struct trustgate_access_spec access;
	struct policy_facts facts;
} wanted = { .file = POLICY_PATH };

/* ---- options ---- */

static int take_user(const char *option, const char *value, bool may_be_none,
		     struct policy_user_fact *fact)
{
	const struct passwd *entry;
	uint64_t number;
	int r;

	if (may_be_none && !strcmp(value, "none")) {
		fact->known = POLICY_NONE;
		return 0;
	}
	if (*value && !value[strspn(value, "0123456789")]) {
		r = parse_number(option, value, 0, UINT_MAX - 1, &number);
		if (r)
			return r;
	} else {
		entry = getpwnam(value);
		if (!entry)
			return usage_error("%s: there is no user \"%s\"", option, value);
		number = entry->pw_uid;
	}
	*fact = (struct policy_user_fact){ POLICY_KNOWN, (uid_t)number };
	return 0;
}

static int take_digest(const char *value)
{
	struct policy_digest digest;
	const char *wrong = policy_digest_parse(value, &digest);
	struct policy_digest_fact *fact;

	if (wrong)
		return usage_error("--digest: \"%s\" %s", value, wrong);
	fact = digest.fsverity ? &wanted.facts.fsverity : &wanted.facts.sha256;
	fact->known = POLICY_KNOWN;
	memcpy(fact->bytes, digest.bytes, sizeof(fact->bytes));
	return 0;
}

static int take_absolute(const char *option, const char *value, struct policy_text_fact *fact)
{
	if (value[0] != '/' || (value[1] && !policy_path_plain(value + 1)))
		return usage_error("%s needs an absolute path without \"..\", not \"%s\"", option,
				   value);
	*fact = (struct policy_text_fact){ POLICY_KNOWN, value };
	return 0;
}

static int take_path(const char *value)
{
	bool directory;
	char *path;
	const char *wrong = config_path_check(value, &path, &directory);

	if (wrong)
		return usage_error("--path: \"%s\" %s", value, wrong);
	free(wanted.path);
	wanted.path = path;
	wanted.facts.path = (struct policy_text_fact){ POLICY_KNOWN, path };
	wanted.facts.subtree |= directory;
	return 0;
}

static int take(int id, const char *value)
{
	char error[256];

	switch (id) {
	case OPTION_POLICY_FILE:
		wanted.file = value;
		return 0;
	case OPTION_VOLUME:
		wanted.facts.volume = value;
		return 0;
	case OPTION_PID:
		return parse_number("--pid", value, 1, INT_MAX, &wanted.pid);
	case OPTION_EXE:
		return take_absolute("--exe", value, &wanted.facts.exe);
	case OPTION_DIGEST:
		return take_digest(value);
	case OPTION_USER:
		return take_user("--user", value, false, &wanted.facts.user);
	case OPTION_LOGIN_USER:
		return take_user("--login-user", value, true, &wanted.facts.login_user);
	case OPTION_UNIT:
		wanted.facts.unit = strcmp(value, "none") ?
			(struct policy_text_fact){ POLICY_KNOWN, value } :
			(struct policy_text_fact){ POLICY_NONE, NULL };
		return 0;
	case OPTION_CGROUP:
		return take_absolute("--cgroup", value, &wanted.facts.cgroup);
	case OPTION_ACCESS:
		if (trustgate_access_parse(value, &wanted.access, error, sizeof(error)))
			return usage_error("--access: %s", error);
		wanted.access_given = true;
		return 0;
	case OPTION_PATH:
		return take_path(value);
	case OPTION_SUBTREE:
		wanted.facts.subtree = true;
		return 0;
	}
	return usage_error("unexpected option");
}

/* What the options say counts more than what the process is like. */
static int read_process(void)
{
	struct policy_facts *facts = &wanted.facts;
	static struct policy_facts found; /* its texts are never freed */
	int r = policy_facts_read((pid_t)wanted.pid, POLICY_DIGESTS_ALL, &found);

	if (r == -ESRCH)
		complain("there is no process %d", (int)wanted.pid);
	else if (r < 0)
		complain("process %d cannot be examined: %s", (int)wanted.pid, strerror(-r));
	if (r < 0)
		return EXIT_REFUSED;
	if (!facts->exe.known)
		facts->exe = found.exe;
	if (!facts->sha256.known)
		facts->sha256 = found.sha256;
	if (!facts->fsverity.known)
		facts->fsverity = found.fsverity;
	if (!facts->user.known)
		facts->user = found.user;
	if (!facts->login_user.known)
		facts->login_user = found.login_user;
	if (!facts->unit.known)
		facts->unit = found.unit;
	if (!facts->cgroup.known)
		facts->cgroup = found.cgroup;
	return 0;
}

/* ---- as JSON, of which the table is made ---- */

/* Memory is all that can be lacking; one look at the end is enough. */
static bool failed;

static void must(int r)
{
	failed |= r < 0;
}

/* A string from elsewhere; JSON has no others than those of UTF-8. */
static void set_text(sd_json_variant **object, const char *field, const char *text)
{
	int r = sd_json_variant_set_field_string(object, field, text);
	char *safe;

	if (r >= 0)
		return;
	safe = escape_text(text);
	must(safe ? sd_json_variant_set_field_string(object, field, safe) : -ENOMEM);
	free(safe);
}

static void set_null(sd_json_variant **object, const char *field)
{
	must(sd_json_variant_set_fieldb(object, field, SD_JSON_BUILD_NULL));
}

static void set_text_fact(sd_json_variant **object, const char *field,
			  const struct policy_text_fact *fact)
{
	if (fact->known == POLICY_KNOWN)
		set_text(object, field, fact->text);
	else if (fact->known == POLICY_NONE)
		set_null(object, field);
}

static void set_user_fact(sd_json_variant **object, const char *field,
			  const struct policy_user_fact *fact)
{
	if (fact->known == POLICY_KNOWN)
		must(sd_json_variant_set_field_unsigned(object, field, fact->uid));
	else if (fact->known == POLICY_NONE)
		set_null(object, field);
}

static void set_digest_fact(sd_json_variant **object, const char *field,
			    const struct policy_digest_fact *fact)
{
	char text[2 * POLICY_DIGEST_SIZE + 1];

	for (size_t i = 0; i < sizeof(fact->bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", fact->bytes[i]);
	if (fact->known == POLICY_KNOWN)
		set_text(object, field, text);
	else if (fact->known == POLICY_NONE)
		set_null(object, field);
}

static sd_json_variant *build_facts(const struct policy_facts *facts)
{
	sd_json_variant *object = NULL, *access = NULL;

	for (size_t i = 0; trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i); i++)
		if (facts->access & UINT32_C(1) << i)
			must(sd_json_variant_append_arrayb(&access,
				SD_JSON_BUILD_STRING(trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i))));
	set_text(&object, "volume", facts->volume);
	set_text_fact(&object, "path", &facts->path);
	must(sd_json_variant_set_field_boolean(&object, "subtree", facts->subtree));
	must(sd_json_variant_set_field(&object, "access", access));
	set_text_fact(&object, "exe", &facts->exe);
	set_digest_fact(&object, "sha256", &facts->sha256);
	set_digest_fact(&object, "fsverity", &facts->fsverity);
	set_user_fact(&object, "user", &facts->user);
	set_user_fact(&object, "loginUser", &facts->login_user);
	set_text_fact(&object, "unit", &facts->unit);
	set_text_fact(&object, "cgroup", &facts->cgroup);
	sd_json_variant_unref(access);
	return object;
}

/* Conditions of a mask, joined by commas. */
static const char *conditions(uint32_t mask, char text[128])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < POLICY_CONDITIONS; i++)
		if (mask & 1U << i)
			used += (size_t)snprintf(text + used, 128 - used, "%s%s",
						 used ? ", " : "", policy_condition_name(i));
	return text;
}

static void set_conditions(sd_json_variant **object, const char *field, uint32_t mask)
{
	sd_json_variant *array = NULL;

	must(sd_json_variant_new_array(&array, NULL, 0));
	for (unsigned int i = 0; i < POLICY_CONDITIONS; i++)
		if (mask & 1U << i)
			must(sd_json_variant_append_arrayb(&array,
				SD_JSON_BUILD_STRING(policy_condition_name(i))));
	must(sd_json_variant_set_field(object, field, array));
	sd_json_variant_unref(array);
}

/* One way to say why a rule decides or does not. */
static void explain(const struct policy_tried *tried, char *text, size_t size)
{
	char failing[128], unknown[128];

	conditions(tried->failed, failing);
	conditions(tried->unknown, unknown);
	if (tried->matched && tried->unknown)
		snprintf(text, size, "denies on doubt, not known: %s", unknown);
	else if (tried->matched)
		snprintf(text, size, "%s", tried->rule->given ? "all conditions hold" :
							       "has no conditions");
	else if (tried->failed && tried->unknown)
		snprintf(text, size, "does not hold: %s; not known: %s", failing, unknown);
	else
		snprintf(text, size, "%s: %s", tried->failed ? "does not hold" : "not known",
			 tried->failed ? failing : unknown);
}

static sd_json_variant *build_tried(const struct policy_tried *tried, size_t count)
{
	sd_json_variant *array = NULL;

	must(sd_json_variant_new_array(&array, NULL, 0));
	for (size_t i = 0; i < count; i++) {
		sd_json_variant *row = NULL;
		char why[320];

		explain(&tried[i], why, sizeof(why));
		set_text(&row, "rule", tried[i].rule->name);
		must(sd_json_variant_set_field_unsigned(&row, "line", tried[i].rule->line));
		set_text(&row, "outcome", policy_outcome_name(tried[i].rule->outcome));
		must(sd_json_variant_set_field_boolean(&row, "matched", tried[i].matched));
		set_conditions(&row, "failed", tried[i].failed);
		set_conditions(&row, "unknown", tried[i].unknown);
		set_text(&row, "why", why);
		must(sd_json_variant_append_array(&array, row));
		sd_json_variant_unref(row);
	}
	return array;
}

static sd_json_variant *build_verdict(const struct policy_verdict *verdict,
				      const struct policy_tried *tried)
{
	const struct policy_rule *rule = verdict->rule;
	sd_json_variant *object = NULL, *part;

	set_text(&object, "outcome", policy_outcome_name(verdict->outcome));
	if (rule) {
		set_text(&object, "rule", rule->name);
		must(sd_json_variant_set_field_unsigned(&object, "line", rule->line));
		must(sd_json_variant_set_field_boolean(&object, "onDoubt",
						       tried[verdict->tried - 1].unknown));
	}
	if (rule && rule->outcome != POLICY_DENY)
		must(sd_json_variant_set_field_unsigned(&object, "durationNSec",
							rule->duration_ns));
	if (rule && rule->outcome == POLICY_ASK)
		must(sd_json_variant_set_field_unsigned(&object, "deadlineNSec",
							rule->deadline_ns));
	if (rule && rule->outcome == POLICY_ALLOW) {
		must(sd_json_variant_set_field_boolean(&object, "renew", rule->renew));
		must(sd_json_variant_set_field_boolean(&object, "descendants", rule->descendants));
		set_text(&object, "reason", trustgate_name(TRUSTGATE_NAMES_REASON, rule->reason));
	}
	part = build_tried(tried, verdict->tried);
	must(sd_json_variant_set_field(&object, "tried", part));
	sd_json_variant_unref(part);
	part = build_facts(&wanted.facts);
	must(sd_json_variant_set_field(&object, "facts", part));
	sd_json_variant_unref(part);
	return object;
}

/* ---- as text ---- */

#define TEXT(name, kind, field) \
	static char *text_##name(const struct cli *cli, sd_json_variant *row) \
	{ \
		(void)cli; \
		return cell_##kind(row, field); \
	}

TEXT(rule, string, "rule")
TEXT(line, number, "line")
TEXT(outcome, string, "outcome")
TEXT(why, string, "why")

static char *text_match(const struct cli *cli, sd_json_variant *row)
{
	(void)cli;
	return strdup(field_true(row, "matched") ? "yes" : "no");
}

static const struct column columns[] = {
	{ .name = "RULE", .help = "rules that were tried, in their order", .shown = true, .text = text_rule },
	{ .name = "LINE", .help = "of the file", .right = true, .shown = true, .text = text_line },
	{ .name = "OUTCOME", .help = "what it would say", .shown = true, .text = text_outcome },
	{ .name = "MATCH", .help = "whether it is for the request", .shown = true, .text = text_match },
	{ .name = "WHY", .help = "what holds, does not hold, or is not known", .shown = true, .text = text_why },
	{ 0 }
};

static void print_verdict(const struct policy_verdict *verdict, const struct policy_tried *tried)
{
	static const enum colour colours[] = {
		[POLICY_DENY] = COLOUR_BAD, [POLICY_ASK] = COLOUR_WARNING, [POLICY_ALLOW] = COLOUR_GOOD,
	};
	enum colour colour = colours[verdict->outcome];
	char duration[TRUSTGATE_DURATION_SIZE], deadline[TRUSTGATE_DURATION_SIZE];
	const struct policy_rule *rule = verdict->rule;
	char *volume = escape_text(wanted.facts.volume);

	printf("%s%s%s", colour_begin(colour), policy_outcome_name(verdict->outcome),
	       colour_end(colour));
	if (!verdict->volume)
		printf(": the policy has no rules for volume \"%s\"\n", volume ?: "");
	else if (!rule)
		printf(": no rule is for it\n");
	else if (rule->outcome == POLICY_ALLOW)
		printf(" by rule \"%s\": for %s%s%s, reason %s\n", rule->name,
		       trustgate_duration_format(rule->duration_ns, duration),
		       rule->renew ? ", renewed while it holds" : "",
		       rule->descendants ? ", with descendants" : "",
		       trustgate_name(TRUSTGATE_NAMES_REASON, rule->reason));
	else if (rule->outcome == POLICY_ASK)
		printf(" by rule \"%s\": at most for %s, to be approved within %s\n", rule->name,
		       trustgate_duration_format(rule->duration_ns, duration),
		       trustgate_duration_format(rule->deadline_ns, deadline));
	else
		printf(" by rule \"%s\"%s\n", rule->name,
		       tried[verdict->tried - 1].unknown ? ", on doubt" : "");
	free(volume);
}

/* What was found out about a process, or what it was said to be. */
static void print_facts(sd_json_variant *facts)
{
	static const char *const fields[] = {
		"exe", "sha256", "fsverity", "user", "loginUser", "unit", "cgroup",
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		sd_json_variant *fact = sd_json_variant_by_key(facts, fields[i]);
		char *text = NULL, *safe;

		if (sd_json_variant_is_string(fact))
			text = cell_string(facts, fields[i]);
		else if (fact && !sd_json_variant_is_null(fact))
			text = cell_number(facts, fields[i]);
		safe = text ? escape_text(text) : NULL;
		printf("%10s  %s\n", fields[i], safe ?: fact ? "none" : "not known");
		free(safe);
		free(text);
	}
	putchar('\n');
}

static int show(const struct cli *cli, const struct policy_verdict *verdict,
		const struct policy_tried *tried)
{
	sd_json_variant *object = build_verdict(verdict, tried);
	sd_json_variant **rows = calloc(verdict->tried + 1, sizeof(*rows));
	sd_json_variant *list = sd_json_variant_by_key(object, "tried");
	int r = 0;

	if (!rows || failed) {
		complain("out of memory");
		r = EXIT_REFUSED;
	} else if (cli->json) {
		r = print_json(cli, object);
	} else {
		for (size_t i = 0; i < verdict->tried; i++)
			rows[i] = sd_json_variant_by_index(list, i);
		if (wanted.pid)
			print_facts(sd_json_variant_by_key(object, "facts"));
		if (verdict->tried)
			r = table_print(cli, columns, rows, verdict->tried);
		if (!r)
			print_verdict(verdict, tried);
	}
	free(rows);
	sd_json_variant_unref(object);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	const struct policy_volume *volume;
	struct policy_verdict verdict;
	struct policy_tried *tried;
	char error[CONFIG_ERROR_SIZE];
	struct policy *policy;
	int r;

	(void)argc;
	(void)argv;
	if (!wanted.facts.volume)
		return usage_error("--volume is missing: a name that the policy has");
	if (wanted.facts.path.known != POLICY_KNOWN)
		return usage_error("--path is missing: a path inside the volume, . for all of it");
	if (!wanted.access_given)
		return usage_error("--access is missing, such as r or read,write");
	wanted.facts.access = wanted.facts.subtree ? wanted.access.on_directory :
						     wanted.access.exact;
	r = table_check(cli, columns);
	if (r)
		return r;
	if (policy_load(wanted.file, &policy, error) < 0) {
		complain("%s", error);
		return EXIT_REFUSED;
	}
	r = wanted.pid ? read_process() : 0;
	volume = policy_find_volume(policy, wanted.facts.volume);
	tried = calloc(volume ? volume->rules_count : 1, sizeof(*tried));
	if (!r && !tried) {
		complain("out of memory");
		r = EXIT_REFUSED;
	}
	if (!r) {
		policy_decide(policy, &wanted.facts, &verdict, tried);
		r = show(cli, &verdict, tried);
	}
	free(tried);
	policy_free(policy);
	return r;
}

static const struct cli_option options[] = {
	{ OPTION_POLICY_FILE, 'f', "file", "FILE", "policy (" POLICY_PATH ")" },
	{ OPTION_VOLUME, 'V', "volume", "NAME", "volume (needed)" },
	{ OPTION_PATH, 'P', "path", "PATH", "path inside the volume, . for all of it (needed)" },
	{ OPTION_ACCESS, 'a', "access", "ACCESS", "words read,write,exec,names,meta or letters rwxnm (needed)" },
	{ OPTION_SUBTREE, 0, "subtree", NULL, "all beneath the path is wanted, too" },
	{ OPTION_PID, 'p', "pid", "PID", "take what follows from this process, where not given" },
	{ OPTION_EXE, 0, "exe", "PROGRAM", "path of the program" },
	{ OPTION_DIGEST, 0, "digest", "DIGEST", "sha256:HEX or fsverity-sha256:HEX; may be given for both" },
	{ OPTION_USER, 0, "user", "USER", "real user, by name or number" },
	{ OPTION_LOGIN_USER, 0, "login-user", "USER", "who has logged in, or none" },
	{ OPTION_UNIT, 0, "unit", "UNIT", "systemd unit, or none" },
	{ OPTION_CGROUP, 0, "cgroup", "CGROUP", "control group" },
	{ 0 }
};

const struct verb verb_policy_test = {
	.name = "policy test",
	.arguments = "",
	.summary = "show which rule of a policy would decide, and why",
	.details = "What is not given is not known: rules that allow or ask do not match then, and\n"
		   "rules that deny do. Exits with 0 whatever the outcome is.",
	.options = options,
	.shared = SHARED_TABLE | SHARED_JSON,
	.columns = columns,
	.min = 0,
	.max = 0,
	.take = take,
	.run = run,
};
