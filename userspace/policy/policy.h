/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - what /etc/trustgate/policy.yaml says, and what it decides.
 *
 * Owns: the policy as data, checked in itself; the facts that a decision rests
 * on; the decision.
 *
 * Must not own: where facts come from, or what is done with a decision.
 *
 * A loaded policy is never changed, so any number of threads may read it; a
 * reload replaces it as a whole.
 */
#ifndef _TRUSTGATE_POLICY_H
#define _TRUSTGATE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"

#define POLICY_PATH	"/etc/trustgate/policy.yaml"

/* Bytes of a SHA-256. */
#define POLICY_DIGEST_SIZE 32

/**
 * enum policy_condition - what a rule can ask about
 * @POLICY_EXE: path of the program
 * @POLICY_DIGEST: digest of the program's file
 * @POLICY_USERS: real user
 * @POLICY_LOGIN_USERS: who has logged in
 * @POLICY_UNITS: systemd unit
 * @POLICY_CGROUPS: control group
 * @POLICY_ACCESS: kinds of access
 * @POLICY_PATHS: path inside the volume
 * @POLICY_CONDITIONS: how many there are
 */
enum policy_condition {
	POLICY_EXE,
	POLICY_DIGEST,
	POLICY_USERS,
	POLICY_LOGIN_USERS,
	POLICY_UNITS,
	POLICY_CGROUPS,
	POLICY_ACCESS,
	POLICY_PATHS,
	POLICY_CONDITIONS,
};

/* Deny is zero: what nobody has set denies. */
enum policy_outcome {
	POLICY_DENY,
	POLICY_ASK,
	POLICY_ALLOW,
};

/**
 * struct policy_texts - texts of a condition, any of which will do
 * @items: each to be freed with the policy
 * @count: how many
 */
struct policy_texts {
	char **items;
	size_t count;
};

/**
 * struct policy_digest - a digest of a program's file
 * @fsverity: it is the fs-verity digest; else that of the bytes
 * @bytes: SHA-256
 */
struct policy_digest {
	bool fsverity;
	uint8_t bytes[POLICY_DIGEST_SIZE];
};

/**
 * struct policy_rule - one rule
 * @name: unique in its volume; goes on record
 * @line: of the file, counted from 1
 * @given: bits 1 << enum policy_condition; the fields of others mean nothing
 * @exe: absolute paths and globs
 * @digests: of the program
 * @digests_count: how many
 * @users: real users
 * @users_count: how many
 * @login_users: CONFIG_NO_USER for who has not logged in
 * @login_users_count: how many
 * @units: names and globs
 * @cgroups: absolute paths without a slash at the end; "/" is all
 * @access: mask of enum trustgate_access
 * @paths: relative to the volume's root, normalised; "." is the whole volume
 * @outcome: what becomes of requests that the rule is for
 * @duration_ns: allow: length of a grant; ask: the longest an approver may give
 * @deadline_ns: ask: how long a request may be pending
 * @renew: allow: a new grant follows while the rule holds
 * @descendants: allow: the grant covers processes forked later
 * @reason: allow: enum trustgate_reason
 */
struct policy_rule {
	char *name;
	size_t line;
	uint32_t given;
	struct policy_texts exe;
	struct policy_digest *digests;
	size_t digests_count;
	struct config_user *users;
	size_t users_count;
	struct config_user *login_users;
	size_t login_users_count;
	struct policy_texts units;
	struct policy_texts cgroups;
	uint32_t access;
	struct policy_texts paths;
	enum policy_outcome outcome;
	uint64_t duration_ns;
	uint64_t deadline_ns;
	bool renew;
	bool descendants;
	uint32_t reason;
};

/**
 * struct policy_volume - the rules of a volume
 * @name: unique; whether there is such a volume is for others to know
 * @rules: in the order of the file
 * @rules_count: how many, at least one
 */
struct policy_volume {
	char *name;
	struct policy_rule *rules;
	size_t rules_count;
};

struct policy {
	struct policy_volume *volumes;
	size_t volumes_count;
};

/**
 * enum policy_known - how much is known of a fact
 * @POLICY_UNKNOWN: it could not be found out
 * @POLICY_NONE: there is nothing: no login, no unit, no fs-verity digest
 * @POLICY_KNOWN: it is as the fact says
 */
enum policy_known {
	POLICY_UNKNOWN,
	POLICY_NONE,
	POLICY_KNOWN,
};

/* A text; belongs to whoever made the facts. Any bytes. */
struct policy_text_fact {
	enum policy_known known;
	const char *text;
};

struct policy_user_fact {
	enum policy_known known;
	uid_t uid;
};

struct policy_digest_fact {
	enum policy_known known;
	uint8_t bytes[POLICY_DIGEST_SIZE];
};

/**
 * struct policy_facts - a request, as far as it is known
 * @volume: name of the volume
 * @access: mask of enum trustgate_access; what is none counts as unknown
 * @path: relative to the volume's root, as config_path_check() makes it
 * @subtree: the request is for all beneath @path, too
 * @exe: absolute path of the program
 * @sha256: of the program's bytes
 * @fsverity: SHA-256 fs-verity digest of the program
 * @user: real user
 * @login_user: who has logged in
 * @unit: primary name of the systemd unit
 * @cgroup: absolute path
 *
 * Zeroed, it says that nothing is known.
 */
struct policy_facts {
	const char *volume;
	uint32_t access;
	struct policy_text_fact path;
	bool subtree;
	struct policy_text_fact exe;
	struct policy_digest_fact sha256;
	struct policy_digest_fact fsverity;
	struct policy_user_fact user;
	struct policy_user_fact login_user;
	struct policy_text_fact unit;
	struct policy_text_fact cgroup;
};

/**
 * struct policy_tried - what came of one rule
 * @rule: the rule
 * @matched: it decides
 * @failed: bits 1 << enum policy_condition of those that do not hold
 * @unknown: of those that rest on what is not known
 *
 * A deny rule with bits in @unknown has matched on doubt.
 */
struct policy_tried {
	const struct policy_rule *rule;
	bool matched;
	uint32_t failed;
	uint32_t unknown;
};

/**
 * struct policy_verdict - the decision
 * @outcome: what becomes of the request
 * @volume: rules of the volume; NULL if the policy has none for it
 * @rule: that decided; NULL if none matched, and then @outcome is POLICY_DENY
 * @tried: how many rules were tried; the last one decided if there is @rule
 */
struct policy_verdict {
	enum policy_outcome outcome;
	const struct policy_volume *volume;
	const struct policy_rule *rule;
	size_t tried;
};

/* policy_load.c */

/**
 * policy_load() - read and check a policy
 * @path: file
 * @ret_policy: to be freed with policy_free()
 * @error: on failure one line "FILE:LINE: KEY: what is wrong and the cure"
 *
 * May block on the list of users.
 *
 * Return: 0, -ENOMEM, -EINVAL for what the file says, or the error of reading
 * it; -EPERM if others than its owner may write it.
 */
int policy_load(const char *path, struct policy **ret_policy,
		char error[CONFIG_ERROR_SIZE]);

/* policy_query.c */

void policy_free(struct policy *policy);

const struct policy_volume *policy_find_volume(const struct policy *policy,
					       const char *name);

/* Words of the file: "exe", "login-users"; "allow", "ask", "deny". */
const char *policy_condition_name(enum policy_condition condition);
const char *policy_outcome_name(enum policy_outcome outcome);

/**
 * policy_rule_warning() - what is unwise about a rule
 * @rule: rule
 *
 * Return: NULL, or a sentence without its end.
 */
const char *policy_rule_warning(const struct policy_rule *rule);

/* policy_text.c */

/* Each returns NULL, or what is wrong with the text as a condition of a rule. */
const char *policy_exe_check(const char *text);
const char *policy_unit_check(const char *text);
const char *policy_cgroup_check(const char *text);

/**
 * policy_digest_parse() - read a digest
 * @text: "sha256:" or "fsverity-sha256:" and 64 hexadecimal digits
 * @ret_digest: filled on success
 *
 * Return: NULL, or what is wrong with it.
 */
const char *policy_digest_parse(const char *text, struct policy_digest *ret_digest);

/**
 * policy_path_plain() - whether a path has nothing but names in it
 * @path: behind the leading slash, if it has one
 *
 * Return: false if it is empty or a component is empty, "." or "..".
 */
bool policy_path_plain(const char *path);

/* policy_match.c */

/**
 * policy_decide() - which rule is for a request, and what it says
 * @policy: policy
 * @facts: the request
 * @ret_verdict: the decision
 * @tried: what came of each rule, as many as @ret_verdict->tried says: room for
 *	as many as the volume has rules; may be NULL
 *
 * The first rule that matches decides; if none does the outcome is to deny. All
 * conditions of a rule must hold. One that rests on a fact that is not known
 * does not hold for a rule that allows or asks, and does for a rule that denies.
 *
 * Context: any thread. Does no I/O, takes no lock, allocates nothing.
 */
void policy_decide(const struct policy *policy, const struct policy_facts *facts,
		   struct policy_verdict *ret_verdict, struct policy_tried *tried);

/**
 * policy_standing() - whether all that a rule is for can be allowed at once
 * @verdict: by which @facts are allowed
 * @facts: a request
 * @ret_path: if so, that path of the rule beneath which @facts' path lies; as long
 *	as the policy
 * @ret_access: if so, all that the rule allows there
 *
 * Not if a rule before it, that asks or denies, is for part of that and may be for
 * this process.
 *
 * Return: true if so.
 */
bool policy_standing(const struct policy_verdict *verdict, const struct policy_facts *facts,
		     const char **ret_path, uint32_t *ret_access);

#endif
