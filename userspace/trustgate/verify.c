// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - findings, and reading what the kernel shows; see verify.h.
 *
 * Owns: paths below a root, the list of findings.
 *
 * Must not own: a check.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

/* As far as a grant reaches down, and no further if /proc changes meanwhile. */
#define ANCESTORS_MAX 64

void verify_say(struct verify *verify, const char *check, enum verify_state state,
		const char *advice, const char *format, ...)
{
	static const char *const states[] = {
		[VERIFY_CLOSED] = "closed", [VERIFY_OPEN] = "open", [VERIFY_UNKNOWN] = "unknown",
	};
	bool shown = advice && state != VERIFY_CLOSED;
	char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	verify->open += state == VERIFY_OPEN;
	if (sd_json_variant_append_arraybo(&verify->findings,
			SD_JSON_BUILD_PAIR_STRING("check", check),
			SD_JSON_BUILD_PAIR_STRING("state", states[state]),
			SD_JSON_BUILD_PAIR_STRING("why", why),
			SD_JSON_BUILD_PAIR_CONDITION(shown, "advice",
						     SD_JSON_BUILD_STRING(shown ? advice : ""))) < 0)
		verify->failed = true;
}

static char *read_whole(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file, *out;
	char part[4096];
	size_t got;

	file = fopen(path, "re");
	if (!file)
		return NULL;
	out = open_memstream(&text, &size);
	while (out && (got = fread(part, 1, sizeof(part), file)))
		fwrite(part, 1, got, out);
	if (out)
		fclose(out);
	fclose(file);
	return text;
}

char *verify_read(const struct verify *verify, const char *format, ...)
{
	char path[4096];
	va_list args;
	int used = snprintf(path, sizeof(path), "%s", verify->root);

	va_start(args, format);
	vsnprintf(path + used, sizeof(path) - used, format, args);
	va_end(args);
	return read_whole(path);
}

long verify_number(const struct verify *verify, const char *path)
{
	char *text = verify_read(verify, "%s", path);
	char *end;
	long number;

	if (!text)
		return -1;
	number = strtol(text, &end, 10);
	if (end == text)
		number = -1;
	free(text);
	return number;
}

bool verify_exists(const struct verify *verify, const char *path)
{
	char whole[4096];

	snprintf(whole, sizeof(whole), "%s%s", verify->root, path);
	return !access(whole, F_OK);
}

int verify_lockdown(const struct verify *verify)
{
	char *text = verify_read(verify, "/sys/kernel/security/lockdown");
	int level = 0;

	if (text && strstr(text, "[integrity]"))
		level = 1;
	else if (text && strstr(text, "[confidentiality]"))
		level = 2;
	free(text);
	return level;
}

static bool is_among(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static pid_t parent_of(const struct verify *verify, pid_t pid)
{
	char *status = verify_read(verify, "/proc/%d/status", pid);
	const char *line = status ? strstr(status, "\nPPid:") : NULL;
	pid_t parent = 0;

	if (line)
		sscanf(line, "\nPPid: %d", &parent);
	free(status);
	return parent;
}

bool verify_is_holder(const struct verify *verify, pid_t pid)
{
	if (is_among(verify->holders, verify->holders_count, pid))
		return true;
	for (unsigned int depth = 0; verify->families_count && pid > 1 && depth < ANCESTORS_MAX;
	     depth++) {
		pid = parent_of(verify, pid);
		if (is_among(verify->families, verify->families_count, pid))
			return true;
	}
	return false;
}

void verify_release(struct verify *verify)
{
	verify->findings = sd_json_variant_unref(verify->findings);
	free(verify->path);
	verify->path = NULL;
}
