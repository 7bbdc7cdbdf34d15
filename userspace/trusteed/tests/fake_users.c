// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose a process is, as the test says.
 *
 * A file "user-PID" beside the state of the gate holds the numbers of its user
 * and of who had logged in; what is missing there cannot be read. Without it, it is as /proc says; only that the login
 * user is nobody, whoever runs the test.
 */
#include <stdio.h>
#include <stdlib.h>

#include "policy_facts.h"

/* The linker's name for the one that is wrapped. */
int __real_policy_facts_read(pid_t pid, enum policy_digests digests, struct policy_facts *facts);
int __wrap_policy_facts_read(pid_t pid, enum policy_digests digests, struct policy_facts *facts);

int __wrap_policy_facts_read(pid_t pid, enum policy_digests digests, struct policy_facts *facts)
{
	int r = __real_policy_facts_read(pid, digests, facts);
	unsigned int uid, loginuid;
	char path[512];
	FILE *file;
	int known;

	facts->login_user.known = POLICY_NONE;
	snprintf(path, sizeof(path), "%s.user-%d", getenv("TRUSTGATE_FAKE"), (int)pid);
	file = fopen(path, "re");
	if (!file)
		return r;
	known = fscanf(file, "%u %u", &uid, &loginuid);
	facts->user.known = facts->login_user.known = POLICY_UNKNOWN;
	if (known >= 1)
		facts->user = (struct policy_user_fact){ POLICY_KNOWN, uid };
	if (known == 2)
		facts->login_user = (struct policy_user_fact){ POLICY_KNOWN, loginuid };
	fclose(file);
	return r;
}
