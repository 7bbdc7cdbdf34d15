// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - processes that have, or can get at, bytes of the volume.
 *
 * Owns: tracers of processes that hold grants; descriptors and mappings that
 * others have.
 *
 * Must not own: where memory is written to (verify_memory.c).
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

static void check_tracers(struct verify *verify)
{
	unsigned int found = 0;

	for (size_t i = 0; i < verify->holders_count; i++) {
		char *status = verify_read(verify, "/proc/%d/status", verify->holders[i]);
		const char *line = status ? strstr(status, "\nTracerPid:") : NULL;
		int tracer = 0;

		if (line)
			sscanf(line, "\nTracerPid: %d", &tracer);
		free(status);
		if (!tracer)
			continue;
		found++;
		verify_say(verify, "tracers", VERIFY_OPEN, "revoke the grant, end the tracer",
			   "process %d, which holds a grant, is traced by process %d",
			   verify->holders[i], tracer);
	}
	if (!found)
		verify_say(verify, "tracers", VERIFY_CLOSED, NULL,
			   "none of %zu processes with grants is traced", verify->holders_count);
}

static void check_tracing(struct verify *verify)
{
	if (verify->ptrace_hooked)
		verify_say(verify, "ptrace", VERIFY_CLOSED, NULL,
			   "the gate keeps others from the memory of processes with grants");
	else if (verify_number(verify, "/proc/sys/kernel/yama/ptrace_scope") == 3)
		verify_say(verify, "ptrace", VERIFY_CLOSED, NULL, "nobody may trace anybody");
	else
		verify_say(verify, "ptrace", VERIFY_OPEN, "set kernel.yama.ptrace_scope=3",
			   "root may read the memory of processes with grants");
}

/* Whether the process has a page of the volume mapped. */
static bool has_mapping(const struct verify *verify, const char *pid)
{
	unsigned int major, minor, of_major, of_minor;
	char *maps = verify_read(verify, "/proc/%s/maps", pid);
	char *line, *rest = maps;
	bool found = false;

	if (sscanf(verify->device, "%u:%u", &of_major, &of_minor) != 2)
		rest = NULL;
	while (!found && (line = strsep(&rest, "\n")))
		found = sscanf(line, "%*s %*s %*s %x:%x", &major, &minor) == 2 &&
			major == of_major && minor == of_minor;
	free(maps);
	return found;
}

/* How many descriptors it has on mounts of the volume. */
static unsigned int count_descriptors(const struct verify *verify, const char *pid)
{
	char path[512];
	struct dirent *entry;
	unsigned int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc/%s/fdinfo", verify->root, pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char *info, *line;
		int id = -1;

		if (entry->d_name[0] == '.')
			continue;
		info = verify_read(verify, "/proc/%s/fdinfo/%s", pid, entry->d_name);
		line = info ? strstr(info, "mnt_id:") : NULL;
		if (line)
			sscanf(line, "mnt_id: %d", &id);
		free(info);
		for (size_t i = 0; id >= 0 && i < verify->mounts_count; i++)
			count += verify->mounts[i] == id;
	}
	if (dir)
		closedir(dir);
	return count;
}

static void check_held(struct verify *verify)
{
	unsigned int descriptors = 0, mapped = 0;
	struct dirent *entry;
	char path[512];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc", verify->root);
	dir = opendir(path);
	if (!dir) {
		verify_say(verify, "mappings", VERIFY_UNKNOWN, "mount proc", "/proc cannot be read");
		return;
	}
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    verify_is_holder(verify, atoi(entry->d_name)))
			continue;
		descriptors += count_descriptors(verify, entry->d_name);
		if (!has_mapping(verify, entry->d_name))
			continue;
		mapped++;
		verify_say(verify, "mappings", VERIFY_OPEN, "end the process",
			   "process %s has files of the volume mapped and holds no grant of its own",
			   entry->d_name);
	}
	closedir(dir);
	if (!mapped)
		verify_say(verify, "mappings", VERIFY_CLOSED, NULL,
			   "no process without a grant has files of the volume mapped");
	verify_say(verify, "descriptors", VERIFY_CLOSED, NULL,
		   "%u are held by processes without grants of their own; each use is denied",
		   descriptors);
}

void verify_processes(struct verify *verify)
{
	check_tracers(verify);
	check_tracing(verify);
	check_held(verify);
}
