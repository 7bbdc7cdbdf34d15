// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose a process is, as the test says.
 *
 * A file "user-PID" beside the state of the gate holds the numbers of its user
 * and of who had logged in. Without it, it is as /proc says; only that the login
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

	facts->login_user.known = POLICY_NONE;
	snprintf(path, sizeof(path), "%s.user-%d", getenv("TRUSTGATE_FAKE"), (int)pid);
	file = fopen(path, "re");
	if (!file)
		return r;
	if (fscanf(file, "%u %u", &uid, &loginuid) == 2) {
		facts->user = (struct policy_user_fact){ POLICY_KNOWN, uid };
		facts->login_user = (struct policy_user_fact){ POLICY_KNOWN, loginuid };
	} else {
		facts->user.known = POLICY_UNKNOWN;
	}
	fclose(file);
	return r;
}
