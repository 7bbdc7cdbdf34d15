// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate policy check - whether a policy is one.
 *
 * Owns: telling what is wrong with the file, and what is unwise.
 *
 * Must not own: what a policy may say (../policy/).
 */
#include <stdio.h>

#include "cli.h"
#include "policy.h"

static int run(const struct cli *cli, int argc, char *argv[])
{
	const char *file = argc ? argv[0] : POLICY_PATH;
	char error[CONFIG_ERROR_SIZE];
	struct policy *policy;
	size_t rules = 0;

	(void)cli;
	if (policy_load(file, &policy, error) < 0) {
		complain("%s", error);
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < policy->volumes_count; i++) {
		const struct policy_volume *volume = &policy->volumes[i];

		rules += volume->rules_count;
		for (size_t j = 0; j < volume->rules_count; j++) {
			const struct policy_rule *rule = &volume->rules[j];
			const char *warning = policy_rule_warning(rule);

			if (warning)
				complain("%s:%zu: warning: rule \"%s\" of volume \"%s\" %s", file,
					 rule->line, rule->name, volume->name, warning);
		}
	}
	printf("%s: %zu volumes, %zu rules\n", file, policy->volumes_count, rules);
	policy_free(policy);
	return EXIT_DONE;
}

const struct verb verb_policy_check = {
	.name = "policy check",
	.arguments = "[FILE]",
	.summary = "check a policy and tell what is wrong with it",
	.details = "FILE is " POLICY_PATH " unless given. Exits with 0 if it is good, with\n"
		   "or without warnings, and with 1 if it is not.",
	.min = 0,
	.max = 1,
	.run = run,
};
