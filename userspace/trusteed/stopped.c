// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - volumes on which nothing is given; see stopped.h.
 *
 * Each is an empty file in the state directory, "stopped.NAME", and the host is
 * "stopped". A file is there or is not, whenever power fails.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "stopped.h"

#define FILE_ALL	"stopped"
#define FILE_PREFIX	"stopped."

/**
 * struct stopped - what is stopped
 * @all: the host
 * @names: these volumes, known or not
 * @count: how many
 */
struct stopped {
	bool all;
	char (*names)[TRUSTGATE_NAME_MAX + 1];
	size_t count;
};

static size_t find(const struct stopped *stopped, const char *volume)
{
	size_t i = 0;

	while (i < stopped->count && strcmp(stopped->names[i], volume))
		i++;
	return i;
}

bool stopped_has(const struct agent *agent, const char *volume)
{
	const struct stopped *stopped = agent->stopped;

	return stopped->all || find(stopped, volume) < stopped->count;
}

int stopped_check(const struct agent *agent, const char *volume, struct refusal *refusal)
{
	if (!stopped_has(agent, volume))
		return 0;
	return refuse(refusal, EACCES, "volume",
		      "volume \"%s\" is stopped: nothing is given on it until a trustee says \"trustgate start %s\"",
		      volume, agent->stopped->all ? "--all" : volume);
}

static int remember(struct stopped *stopped, const char *volume)
{
	char (*names)[TRUSTGATE_NAME_MAX + 1];

	if (!volume) {
		stopped->all = true;
		return 0;
	}
	if (find(stopped, volume) < stopped->count)
		return 0;
	names = reallocarray(stopped->names, stopped->count + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	stopped->names = names;
	snprintf(names[stopped->count++], sizeof(*names), "%s", volume);
	return 0;
}

/* ---- on disk ---- */

static int open_directory(const struct agent *agent)
{
	int fd = open(agent->options.state_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void file_name(const char *volume, char name[sizeof(FILE_PREFIX) + TRUSTGATE_NAME_MAX])
{
	snprintf(name, sizeof(FILE_PREFIX) + TRUSTGATE_NAME_MAX, "%s%s",
		 volume ? FILE_PREFIX : FILE_ALL, volume ?: "");
}

static int make_file(int directory, const char *volume)
{
	char name[sizeof(FILE_PREFIX) + TRUSTGATE_NAME_MAX];
	int fd;

	file_name(volume, name);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return fsync(directory) < 0 ? -errno : 0;
}

static int remove_file(int directory, const char *volume)
{
	char name[sizeof(FILE_PREFIX) + TRUSTGATE_NAME_MAX];

	file_name(volume, name);
	if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(directory) < 0 ? -errno : 0;
}

static int read_directory(struct stopped *stopped, int fd)
{
	const struct dirent *entry;
	DIR *directory = fdopendir(fd);
	int r = 0;

	if (!directory) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(directory))) {
		const char *name = entry->d_name;

		if (!strcmp(name, FILE_ALL))
			r = remember(stopped, NULL);
		else if (!strncmp(name, FILE_PREFIX, strlen(FILE_PREFIX)) &&
			 !config_volume_name_check(name + strlen(FILE_PREFIX)))
			r = remember(stopped, name + strlen(FILE_PREFIX));
	}
	if (r == 0)
		r = -errno;
	closedir(directory);
	return r;
}

int stopped_start(struct agent *agent)
{
	int fd, r;

	agent->stopped = calloc(1, sizeof(*agent->stopped));
	if (!agent->stopped)
		return -ENOMEM;
	fd = open_directory(agent);
	r = fd < 0 ? fd : read_directory(agent->stopped, fd);
	if (r < 0)
		journal_note(LOG_CRIT, "cannot read in %s which volumes are stopped: %s",
			     agent->options.state_directory, strerror(-r));
	if (agent->stopped->all)
		journal_note(LOG_WARNING, "all volumes are stopped; start them with \"trustgate start --all\"");
	for (size_t i = 0; i < agent->stopped->count; i++)
		journal_note(LOG_WARNING, "volume \"%s\" is stopped; start it with \"trustgate start %s\"",
			     agent->stopped->names[i], agent->stopped->names[i]);
	return r;
}

void stopped_stop(struct agent *agent)
{
	if (agent->stopped)
		free(agent->stopped->names);
	free(agent->stopped);
	agent->stopped = NULL;
}

/* ---- changes ---- */

int stopped_add(struct agent *agent, const char *volume, struct refusal *refusal)
{
	int fd, r;

	r = remember(agent->stopped, volume);
	/* More than was asked for is better than less. */
	if (r < 0)
		agent->stopped->all = true;
	fd = open_directory(agent);
	r = fd < 0 ? fd : make_file(fd, volume);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		return refuse(refusal, -r, NULL,
			      "all grants have ended and nothing is given, but only until the agent is restarted: %s: %s",
			      agent->options.state_directory, strerror(-r));
	return 0;
}

int stopped_remove(struct agent *agent, const char *volume, struct refusal *refusal)
{
	struct stopped *stopped = agent->stopped;
	size_t at = volume ? find(stopped, volume) : 0;
	int fd, r = 0;

	if (volume && stopped->all)
		return refuse(refusal, EINVAL, "volume",
			      "all volumes are stopped; start them with \"trustgate start --all\"");
	if (volume && at == stopped->count)
		return refuse(refusal, EINVAL, "volume", "volume \"%s\" is not stopped", volume);
	fd = open_directory(agent);
	if (fd < 0)
		r = fd;
	else if (volume)
		r = remove_file(fd, volume);
	for (size_t i = 0; fd >= 0 && !volume && r == 0 && i < stopped->count; i++)
		r = remove_file(fd, stopped->names[i]);
	if (fd >= 0 && !volume && r == 0)
		r = remove_file(fd, NULL);
	if (fd >= 0)
		close(fd);
	if (r < 0)
		return refuse(refusal, -r, NULL, "cannot forget in %s that it is stopped: %s",
			      agent->options.state_directory, strerror(-r));
	if (volume) {
		stopped->count--;
		memmove(stopped->names[at], stopped->names[stopped->count], sizeof(*stopped->names));
	} else {
		stopped->all = false;
		stopped->count = 0;
	}
	return 0;
}

int stopped_json(const struct agent *agent, sd_json_variant **ret)
{
	const struct stopped *stopped = agent->stopped;
	sd_json_variant *list = NULL;
	int r = sd_json_variant_new_array(&list, NULL, 0);

	if (r >= 0 && stopped->all)
		r = sd_json_variant_append_arrayb(&list, SD_JSON_BUILD_STRING("*"));
	for (size_t i = 0; r >= 0 && i < stopped->count; i++)
		r = sd_json_variant_append_arrayb(&list, SD_JSON_BUILD_STRING(stopped->names[i]));
	if (r < 0)
		list = sd_json_variant_unref(list);
	*ret = list;
	return r;
}
