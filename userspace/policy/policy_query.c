// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - looking things up in a loaded policy, see policy.h.
 *
 * Owns: lookups, words, advice on a rule, release of the memory.
 *
 * Must not own: reading the file, decisions.
 */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

static void free_texts(struct policy_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
}

static void free_users(struct config_user *users, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(users[i].name);
	free(users);
}

static void free_rule(struct policy_rule *rule)
{
	free(rule->name);
	free_texts(&rule->exe);
	free(rule->digests);
	free_users(rule->users, rule->users_count);
	free_users(rule->login_users, rule->login_users_count);
	free_texts(&rule->units);
	free_texts(&rule->cgroups);
	free_texts(&rule->paths);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->volumes_count; i++) {
		struct policy_volume *volume = &policy->volumes[i];

		for (size_t j = 0; j < volume->rules_count; j++)
			free_rule(&volume->rules[j]);
		free(volume->rules);
		free(volume->name);
	}
	free(policy->volumes);
	free(policy);
}

const struct policy_volume *policy_find_volume(const struct policy *policy,
					       const char *name)
{
	for (size_t i = 0; i < policy->volumes_count; i++)
		if (!strcmp(policy->volumes[i].name, name))
			return &policy->volumes[i];
	return NULL;
}

const char *policy_condition_name(enum policy_condition condition)
{
	static const char *const names[] = {
		[POLICY_EXE] = "exe",
		[POLICY_DIGEST] = "digest",
		[POLICY_USERS] = "users",
		[POLICY_LOGIN_USERS] = "login-users",
		[POLICY_UNITS] = "units",
		[POLICY_CGROUPS] = "cgroups",
		[POLICY_ACCESS] = "access",
		[POLICY_PATHS] = "paths",
	};

	return names[condition];
}

const char *policy_outcome_name(enum policy_outcome outcome)
{
	static const char *const names[] = {
		[POLICY_DENY] = "deny", [POLICY_ASK] = "ask", [POLICY_ALLOW] = "allow",
	};

	return names[outcome];
}

const char *policy_rule_warning(const struct policy_rule *rule)
{
	const uint32_t proof = 1U << POLICY_DIGEST | 1U << POLICY_UNITS;
	const uint32_t object = 1U << POLICY_ACCESS | 1U << POLICY_PATHS;

	if (rule->outcome == POLICY_DENY)
		return NULL;
	if (!(rule->given & ~object))
		return "is for every process, those of root included; say by exe and digest, or by units, which ones are meant";
	if ((rule->given & 1U << POLICY_EXE) && !(rule->given & proof))
		return "knows the program by its path alone, where root can put another one in a mount namespace of his own; add digest or units";
	return NULL;
}
