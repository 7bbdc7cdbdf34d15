// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - where the memory of processes is written to.
 *
 * Owns: swap, hibernation, core dumps.
 *
 * Must not own: who can read memory as it is (verify_process.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* Whether what is swapped out there cannot be read there. */
static bool is_protected_swap(const struct verify *verify, const char *path)
{
	const char *name = strrchr(path, '/');
	bool good = false;
	char *uuid;

	name = name ? name + 1 : path;
	if (!strncmp(name, "zram", 4))
		return true;
	uuid = verify_read(verify, "/sys/block/%s/dm/uuid", name);
	good = uuid && !strncmp(uuid, "CRYPT-", 6);
	free(uuid);
	return good;
}

/* Whether there is swap that can be read, after saying so. */
static bool check_swap(struct verify *verify)
{
	char *text = verify_read(verify, "/proc/swaps");
	unsigned int plain = 0, count = 0;
	char first[256] = "";
	char *line, *rest = text;

	if (!text) {
		verify_say(verify, "swap", VERIFY_CLOSED, NULL, "this kernel has no swap");
		return false;
	}
	strsep(&rest, "\n");
	while ((line = strsep(&rest, "\n"))) {
		char path[256];

		if (sscanf(line, "%255s", path) != 1)
			continue;
		count++;
		if (is_protected_swap(verify, path))
			continue;
		if (!plain++)
			snprintf(first, sizeof(first), "%s", path);
	}
	free(text);
	if (plain)
		verify_say(verify, "swap", VERIFY_OPEN, "swapoff it, or put it on dm-crypt with a random key",
			   "memory of processes with grants can be found on %s", first);
	else
		verify_say(verify, "swap", VERIFY_CLOSED, NULL, "%s",
			   count ? "all swap is encrypted or in memory" : "there is none");
	return plain;
}

static void check_hibernation(struct verify *verify, bool readable_swap)
{
	char *state = verify_read(verify, "/sys/power/state");
	char *disk = verify_read(verify, "/sys/power/disk");

	if (!state || !strstr(state, "disk") || (disk && strstr(disk, "[disabled]")) ||
	    verify_lockdown(verify))
		verify_say(verify, "hibernation", VERIFY_CLOSED, NULL, "it is not possible");
	else if (!readable_swap)
		verify_say(verify, "hibernation", VERIFY_CLOSED, NULL,
			   "there is no place for all memory that could be read there");
	else
		verify_say(verify, "hibernation", VERIFY_OPEN, "boot with nohibernate",
			   "root can have all memory written to swap");
	free(state);
	free(disk);
}

static bool may_dump(const struct verify *verify, pid_t pid)
{
	char *limits = verify_read(verify, "/proc/%d/limits", pid);
	const char *line = limits ? strstr(limits, "Max core file size") : NULL;
	char soft[32] = "";
	bool may;

	may = line && sscanf(line, "Max core file size %31s", soft) == 1 && strcmp(soft, "0");
	free(limits);
	return may;
}

static void check_cores(struct verify *verify)
{
	char *pattern = verify_read(verify, "/proc/sys/kernel/core_pattern");
	pid_t dumping = 0;

	for (size_t i = 0; i < verify->holders_count; i++)
		if (may_dump(verify, verify->holders[i]))
			dumping = verify->holders[i];
	if (pattern)
		pattern[strcspn(pattern, "\n")] = '\0';
	if (!pattern)
		verify_say(verify, "core dumps", VERIFY_CLOSED, NULL, "this kernel makes none");
	else if (!strcmp(pattern, "|/bin/false"))
		verify_say(verify, "core dumps", VERIFY_CLOSED, NULL, "none is kept");
	else if (*pattern == '|')
		verify_say(verify, "core dumps", VERIFY_OPEN, "set kernel.core_pattern=|/bin/false",
			   "a process with a grant that crashes gives its memory to %s", pattern + 1);
	else if (dumping)
		verify_say(verify, "core dumps", VERIFY_OPEN, "run programs with a core limit of 0 (LimitCORE=0)",
			   "process %d has a grant and may dump its memory into a file", dumping);
	else
		verify_say(verify, "core dumps", VERIFY_CLOSED, NULL,
			   "no process with a grant may dump into a file");
	free(pattern);
}

void verify_memory(struct verify *verify)
{
	check_hibernation(verify, check_swap(verify));
	check_cores(verify);
}
