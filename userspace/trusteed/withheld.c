// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - standing grants that somebody revoked.
 *
 * Owns: a file in the runtime directory that says which main process does not
 * get its standing grant again, so that a restart of the agent does not undo
 * what a person did.
 *
 * Must not own: the standing grants.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "standing.h"

#define FILE_NAME	"withheld"

static int open_file(const struct agent *agent, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/" FILE_NAME, agent->options.runtime_directory);
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	return fd < 0 ? -errno : fd;
}

/* Lines "KEY PID START": a pid that is used again has another start. */
static int format_line(char *line, size_t size, uint64_t key, const struct subject *subject)
{
	return snprintf(line, size, "%016llx %d %llu\n", (unsigned long long)key,
			(int)subject->pid, (unsigned long long)subject->start_ticks);
}

void withheld_add(const struct agent *agent, uint64_t key, const struct subject *subject)
{
	char line[80];
	int length = format_line(line, sizeof(line), key, subject);
	int fd = open_file(agent, O_WRONLY | O_CREAT | O_APPEND);
	int r = fd < 0 ? fd : 0;

	if (fd >= 0) {
		if (write(fd, line, length) != length)
			r = -EIO;
		close(fd);
	}
	if (r < 0)
		journal_note(LOG_WARNING,
			     "a restart of the agent will forget that a standing grant of pid %d was revoked: %s",
			     (int)subject->pid, strerror(-r));
}

bool withheld_has(const struct agent *agent, uint64_t key, const struct subject *subject)
{
	char wanted[80], line[80];
	bool found = false;
	FILE *stream;
	int fd;

	fd = open_file(agent, O_RDONLY);
	stream = fd < 0 ? NULL : fdopen(fd, "re");
	if (!stream) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	format_line(wanted, sizeof(wanted), key, subject);
	while (!found && fgets(line, sizeof(line), stream))
		found = !strcmp(line, wanted);
	fclose(stream);
	return found;
}
