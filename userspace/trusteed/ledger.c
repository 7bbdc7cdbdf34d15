// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what is known about a grant beyond what the kernel keeps: the path
 * by which it was given.
 *
 * Owns: a bounded table from grant to path, and a file in the runtime directory
 * from which a restarted agent fills it. The file is as short-lived as grants
 * are: both are gone after a reboot.
 *
 * Must not own: anything a decision depends on. The kernel decides by inodes;
 * the paths here are for people. So a full table or an unwritable file costs a
 * column in a listing and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"

#define ENTRIES_MAX	65536
#define SLOTS		(2 * ENTRIES_MAX)
#define FILE_NAME	"grants"
#define NEW_NAME	"grants.new"

struct entry {
	uint64_t id;	/* 0: the slot is free */
	char *path;
};

/*
 * Open addressing with linear probing; @slots is twice the most entries, so
 * probes stay short. @appended counts lines of the file.
 */
struct ledger {
	int directory;
	int fd;
	size_t count;
	size_t appended;
	struct entry *slots;
};

static size_t slot_of(uint64_t id)
{
	return (id * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (SLOTS - 1);
}

static struct entry *find(struct ledger *ledger, uint64_t id)
{
	size_t i = slot_of(id);

	while (ledger->slots[i].id && ledger->slots[i].id != id)
		i = (i + 1) & (SLOTS - 1);
	return &ledger->slots[i];
}

static bool insert(struct ledger *ledger, uint64_t id, const char *path)
{
	struct entry *entry;
	char *copy;

	if (!id || ledger->count >= ENTRIES_MAX)
		return false;
	entry = find(ledger, id);
	copy = strdup(path);
	if (!copy)
		return false;
	if (!entry->id)
		ledger->count++;
	free(entry->path);
	entry->id = id;
	entry->path = copy;
	return true;
}

/* Closes the gap, so that probes for others do not end at it. */
static void delete(struct ledger *ledger, struct entry *entry)
{
	size_t gap = entry - ledger->slots, i = gap;

	free(entry->path);
	for (;;) {
		size_t home;

		i = (i + 1) & (SLOTS - 1);
		if (!ledger->slots[i].id)
			break;
		home = slot_of(ledger->slots[i].id);
		if (((i - home) & (SLOTS - 1)) >= ((i - gap) & (SLOTS - 1))) {
			ledger->slots[gap] = ledger->slots[i];
			gap = i;
		}
	}
	ledger->slots[gap] = (struct entry){ 0 };
	ledger->count--;
}

/* ---- the file: lines "ID PATH", with NUL as the line end ---- */

static bool append(int fd, uint64_t id, const char *path)
{
	char line[TRUSTGATE_PATH_MAX + 32];
	int length;

	length = snprintf(line, sizeof(line), "%llu %s", (unsigned long long)id, path);
	if (length < 0 || (size_t)length >= sizeof(line))
		return false;
	/* With its NUL; one write, so that a kill leaves whole lines. */
	return write(fd, line, length + 1) == length + 1;
}

static void rewrite(struct ledger *ledger)
{
	size_t lines = 0;
	bool ok = true;
	int fd;

	fd = openat(ledger->directory, NEW_NAME,
		    O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	for (size_t i = 0; ok && i < SLOTS; i++) {
		if (!ledger->slots[i].id)
			continue;
		ok = append(fd, ledger->slots[i].id, ledger->slots[i].path);
		lines++;
	}
	if (!ok || renameat(ledger->directory, NEW_NAME, ledger->directory, FILE_NAME) < 0) {
		close(fd);
		return;
	}
	if (ledger->fd >= 0)
		close(ledger->fd);
	ledger->fd = fd;
	ledger->appended = lines;
}

static void read_file(struct ledger *ledger)
{
	FILE *stream;
	char *line = NULL, *path;
	size_t size = 0;
	int fd;

	fd = openat(ledger->directory, FILE_NAME,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	stream = fd < 0 ? NULL : fdopen(fd, "re");
	if (!stream) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (getdelim(&line, &size, '\0', stream) > 0) {
		uint64_t id = strtoull(line, &path, 10);

		if (*path == ' ' && path[1])
			insert(ledger, id, path + 1);
	}
	free(line);
	fclose(stream);
}

/* ---- what is still true ---- */

struct survey {
	struct ledger *old;
	struct ledger *now;
};

static int keep_grant(const struct trustgate_grant *grant, void *userdata)
{
	struct survey *survey = userdata;
	struct entry *entry = find(survey->old, grant->id);

	if (entry->id)
		insert(survey->now, grant->id, entry->path);
	return 0;
}

static void free_slots(struct ledger *ledger)
{
	for (size_t i = 0; ledger->slots && i < SLOTS; i++)
		free(ledger->slots[i].path);
	free(ledger->slots);
	ledger->slots = NULL;
	ledger->count = 0;
}

/* Ids begin anew when the module is loaded anew: only a live grant counts. */
static int drop_ended(struct agent *agent, struct ledger *ledger)
{
	static const struct trustgate_grant_visitor visitor = { .grant = keep_grant };
	struct ledger now = { 0 };
	struct survey survey = { .old = ledger, .now = &now };
	int r;

	if (!ledger->count)
		return 0;
	now.slots = calloc(SLOTS, sizeof(*now.slots));
	if (!now.slots)
		return -ENOMEM;
	r = trustgate_grant_each(agent->gate, NULL, &visitor, &survey, NULL);
	free_slots(ledger);
	if (r < 0) {
		free_slots(&now);
		now.slots = calloc(SLOTS, sizeof(*now.slots));
		if (!now.slots)
			return -ENOMEM;
	}
	ledger->slots = now.slots;
	ledger->count = now.count;
	return 0;
}

int ledger_open(struct agent *agent)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	int r;

	if (!ledger)
		return -ENOMEM;
	agent->ledger = ledger;
	ledger->fd = -1;
	ledger->directory = open(agent->options.runtime_directory,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ledger->directory < 0)
		journal_note(LOG_WARNING, "paths of grants will not outlive the agent: %s: %s",
			     agent->options.runtime_directory, strerror(errno));
	ledger->slots = calloc(SLOTS, sizeof(*ledger->slots));
	if (!ledger->slots)
		return -ENOMEM;
	if (ledger->directory < 0)
		return 0;
	read_file(ledger);
	r = drop_ended(agent, ledger);
	if (r == 0)
		rewrite(ledger);
	return r;
}

void ledger_close(struct agent *agent)
{
	struct ledger *ledger = agent->ledger;

	if (!ledger)
		return;
	if (ledger->fd >= 0)
		close(ledger->fd);
	if (ledger->directory >= 0)
		close(ledger->directory);
	free_slots(ledger);
	free(ledger);
	agent->ledger = NULL;
}

void ledger_add(struct agent *agent, uint64_t id, const char *path)
{
	struct ledger *ledger = agent->ledger;

	if (!insert(ledger, id, path) || ledger->fd < 0)
		return;
	if (append(ledger->fd, id, path)) {
		ledger->appended++;
		return;
	}
	/* Half a line would spoil the next one. */
	close(ledger->fd);
	ledger->fd = -1;
	rewrite(ledger);
}

void ledger_drop(struct agent *agent, uint64_t id)
{
	struct ledger *ledger = agent->ledger;
	struct entry *entry = find(ledger, id);

	if (!id || !entry->id)
		return;
	delete(ledger, entry);
	if (ledger->directory >= 0 && ledger->appended > 1024 &&
	    ledger->appended > 4 * ledger->count)
		rewrite(ledger);
}

const char *ledger_path(struct agent *agent, uint64_t id)
{
	return find(agent->ledger, id)->path;
}
