// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - which rule of a policy is for a request, see policy.h.
 *
 * Owns: the comparison of conditions with facts, and what doubt means.
 *
 * Must not own: where facts come from. No I/O here, no memory of its own.
 */
#include <fnmatch.h>
#include <string.h>

#include <trustgate.h>

#include "config_value.h"
#include "policy.h"

#define ACCESS_ALL (TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE | \
		    TRUSTGATE_ACCESS_EXEC | TRUSTGATE_ACCESS_NAMES | \
		    TRUSTGATE_ACCESS_META)

/* What a condition says of a request. The larger one wins among its values. */
enum answer {
	NO,
	UNKNOWN,
	YES,
};

static enum answer better(enum answer one, enum answer other)
{
	return one > other ? one : other;
}

/*
 * A backslash is an ordinary character: systemd has it in names of units. A text
 * that fnmatch(3) cannot make sense of, such as one that is not of the locale's
 * encoding, is in doubt.
 */
static enum answer match_globs(const struct policy_texts *globs, const char *text)
{
	enum answer answer = NO;

	for (size_t i = 0; i < globs->count; i++) {
		if (!strcmp(globs->items[i], text))
			return YES;
		switch (fnmatch(globs->items[i], text, FNM_PATHNAME | FNM_NOESCAPE)) {
		case 0:
			return YES;
		case FNM_NOMATCH:
			break;
		default:
			answer = UNKNOWN;
		}
	}
	return answer;
}

static enum answer match_exe(const struct policy_rule *rule, const struct policy_facts *facts)
{
	if (facts->exe.known == POLICY_NONE)
		return NO;
	/* A * would take ".." for a name. */
	if (facts->exe.known == POLICY_UNKNOWN || facts->exe.text[0] != '/' ||
	    !policy_path_plain(facts->exe.text + 1))
		return UNKNOWN;
	return match_globs(&rule->exe, facts->exe.text);
}

static enum answer match_digest(const struct policy_rule *rule, const struct policy_facts *facts)
{
	enum answer answer = NO;

	for (size_t i = 0; i < rule->digests_count; i++) {
		const struct policy_digest *digest = &rule->digests[i];
		const struct policy_digest_fact *fact =
			digest->fsverity ? &facts->fsverity : &facts->sha256;

		if (fact->known == POLICY_UNKNOWN)
			answer = better(answer, UNKNOWN);
		else if (fact->known == POLICY_KNOWN &&
			 !memcmp(fact->bytes, digest->bytes, sizeof(fact->bytes)))
			answer = YES;
	}
	return answer;
}

static enum answer match_user(const struct config_user *users, size_t count,
			      const struct policy_user_fact *fact)
{
	uid_t uid = fact->known == POLICY_NONE ? CONFIG_NO_USER : fact->uid;

	if (fact->known == POLICY_UNKNOWN)
		return UNKNOWN;
	for (size_t i = 0; i < count; i++)
		if (users[i].uid == uid)
			return YES;
	return NO;
}

static enum answer match_unit(const struct policy_rule *rule, const struct policy_facts *facts)
{
	switch (facts->unit.known) {
	case POLICY_NONE:
		return NO;
	case POLICY_KNOWN:
		return match_globs(&rule->units, facts->unit.text);
	default:
		return UNKNOWN;
	}
}

/* Whether a path is another one or lies beneath it, by component. */
static bool beneath(const char *path, const char *top)
{
	size_t length = strlen(top);

	return !strncmp(path, top, length) && (!path[length] || path[length] == '/');
}

static enum answer match_cgroup(const struct policy_rule *rule, const struct policy_facts *facts)
{
	const char *cgroup = facts->cgroup.text;

	if (facts->cgroup.known == POLICY_NONE)
		return NO;
	/* /proc writes ".." for what lies outside of the reader's namespace. */
	if (facts->cgroup.known == POLICY_UNKNOWN || cgroup[0] != '/' ||
	    (cgroup[1] && !policy_path_plain(cgroup + 1)))
		return UNKNOWN;
	for (size_t i = 0; i < rule->cgroups.count; i++)
		if (!strcmp(rule->cgroups.items[i], "/") ||
		    beneath(cgroup, rule->cgroups.items[i]))
			return YES;
	return NO;
}

/*
 * To allow, or to ask, a rule must be for all that is wanted. To deny, it is
 * enough that it is for a part of that: who may not write does not get to write
 * by wanting to read as well.
 */
static enum answer match_access(const struct policy_rule *rule, const struct policy_facts *facts)
{
	if (!facts->access || facts->access & ~ACCESS_ALL)
		return UNKNOWN;
	if (rule->outcome == POLICY_DENY)
		return facts->access & rule->access ? YES : NO;
	return facts->access & ~rule->access ? NO : YES;
}

/* For the same reason a rule that denies is for a subtree that holds its path. */
static enum answer match_path(const struct policy_rule *rule, const struct policy_facts *facts)
{
	const char *path = facts->path.text;
	bool whole;

	if (facts->path.known != POLICY_KNOWN)
		return UNKNOWN;
	whole = !strcmp(path, ".");
	if (!whole && !policy_path_plain(path))
		return UNKNOWN;
	for (size_t i = 0; i < rule->paths.count; i++) {
		const char *top = rule->paths.items[i];

		if (!strcmp(top, ".") || beneath(path, top))
			return YES;
		if (rule->outcome == POLICY_DENY && facts->subtree &&
		    (whole || beneath(top, path)))
			return YES;
	}
	return NO;
}

static enum answer match_condition(enum policy_condition condition,
				   const struct policy_rule *rule,
				   const struct policy_facts *facts)
{
	switch (condition) {
	case POLICY_EXE:
		return match_exe(rule, facts);
	case POLICY_DIGEST:
		return match_digest(rule, facts);
	case POLICY_USERS:
		return match_user(rule->users, rule->users_count, &facts->user);
	case POLICY_LOGIN_USERS:
		return match_user(rule->login_users, rule->login_users_count,
				  &facts->login_user);
	case POLICY_UNITS:
		return match_unit(rule, facts);
	case POLICY_CGROUPS:
		return match_cgroup(rule, facts);
	case POLICY_ACCESS:
		return match_access(rule, facts);
	case POLICY_PATHS:
		return match_path(rule, facts);
	default:
		return UNKNOWN;
	}
}

static struct policy_tried try_rule(const struct policy_rule *rule,
				    const struct policy_facts *facts)
{
	struct policy_tried tried = { .rule = rule };

	for (unsigned int i = 0; i < POLICY_CONDITIONS; i++) {
		enum answer answer;

		if (!(rule->given & 1U << i))
			continue;
		answer = match_condition(i, rule, facts);
		if (answer == NO)
			tried.failed |= 1U << i;
		else if (answer == UNKNOWN)
			tried.unknown |= 1U << i;
	}
	/* Doubt denies, whichever way the rule points. */
	tried.matched = !tried.failed &&
			(!tried.unknown || rule->outcome == POLICY_DENY);
	return tried;
}

void policy_decide(const struct policy *policy, const struct policy_facts *facts,
		   struct policy_verdict *ret_verdict, struct policy_tried *tried)
{
	struct policy_verdict verdict = { .outcome = POLICY_DENY };

	verdict.volume = policy_find_volume(policy, facts->volume);
	for (size_t i = 0; verdict.volume && !verdict.rule &&
	     i < verdict.volume->rules_count; i++) {
		struct policy_tried one = try_rule(&verdict.volume->rules[i], facts);

		if (tried)
			tried[i] = one;
		verdict.tried = i + 1;
		if (one.matched) {
			verdict.rule = one.rule;
			verdict.outcome = one.rule->outcome;
		}
	}
	*ret_verdict = verdict;
}

/* Of a rule that asks or denies: may it be for anything beneath @path? */
static bool concerns(const struct policy_rule *rule, const struct policy_facts *facts,
		     const char *path, uint32_t access)
{
	const uint32_t object = 1U << POLICY_ACCESS | 1U << POLICY_PATHS;
	bool there = !(rule->given & 1U << POLICY_PATHS);

	if (try_rule(rule, facts).failed & ~object)
		return false;
	if (rule->given & 1U << POLICY_ACCESS && !(rule->access & access))
		return false;
	for (size_t i = 0; !there && i < rule->paths.count; i++) {
		const char *top = rule->paths.items[i];

		there = !strcmp(top, ".") || !strcmp(path, ".") || beneath(path, top) ||
			beneath(top, path);
	}
	return there;
}

bool policy_standing(const struct policy_verdict *verdict, const struct policy_facts *facts,
		     const char **ret_path, uint32_t *ret_access)
{
	const struct policy_rule *rule = verdict->rule;
	const char *path = rule->given & 1U << POLICY_PATHS ? NULL : ".";
	uint32_t access = rule->given & 1U << POLICY_ACCESS ? rule->access : ACCESS_ALL;

	for (size_t i = 0; !path && i < rule->paths.count; i++)
		if (!strcmp(rule->paths.items[i], ".") ||
		    beneath(facts->path.text, rule->paths.items[i]))
			path = rule->paths.items[i];
	for (size_t i = 0; path && &verdict->volume->rules[i] != rule; i++)
		if (verdict->volume->rules[i].outcome != POLICY_ALLOW &&
		    concerns(&verdict->volume->rules[i], facts, path, access))
			path = NULL;
	if (!path)
		return false;
	*ret_path = path;
	*ret_access = access;
	return true;
}
