// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the living descendants of a service's main process.
 *
 * Owns: the reading of control groups and of parents.
 *
 * Must not own: any trust in a control group. Root can move a process into any
 * group, so being a member is not enough: the chain of parents decides.
 *
 * A grant covers the processes that were forked after it was given. When it is
 * renewed, those forked before need one of their own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "process_entry.h"

/* A service with more is not renewed completely, and that is said. */
#define MEMBERS_MAX	65536
#define GROUP_DEPTH_MAX	16

struct member {
	pid_t pid;
	pid_t parent;
	bool descends;
};

struct members {
	struct member *list;
	size_t count;
	size_t room;
};

static int add_member(struct members *members, pid_t pid)
{
	if (members->count == MEMBERS_MAX)
		return -E2BIG;
	if (members->count == members->room) {
		size_t room = members->room ? 2 * members->room : 64;
		struct member *grown = realloc(members->list, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		members->list = grown;
		members->room = room;
	}
	members->list[members->count++] = (struct member){ .pid = pid };
	return 0;
}

static int read_group(int directory, struct members *members, int depth)
{
	struct dirent *entry;
	FILE *stream;
	DIR *stream_of_groups;
	int fd, pid, r = 0;

	fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	stream = fd < 0 ? NULL : fdopen(fd, "re");
	if (!stream) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		/* A threaded group has no list of its own. */
		if (r != -EOPNOTSUPP && r != -ENOENT)
			return r;
		r = 0;
	} else {
		while (r == 0 && fscanf(stream, "%d", &pid) == 1)
			if (pid > 0)
				r = add_member(members, pid);
		fclose(stream);
	}
	if (r < 0 || depth == GROUP_DEPTH_MAX)
		return r;

	fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream_of_groups = fd < 0 ? NULL : fdopendir(fd);
	if (!stream_of_groups) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(stream_of_groups))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(directory, entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;	/* gone meanwhile, with its processes */
		r = read_group(fd, members, depth + 1);
		close(fd);
	}
	closedir(stream_of_groups);
	return r;
}

static int open_group(pid_t pid)
{
	int entry = process_entry_open(pid), fd = -ENOENT;
	char line[4200], *end;
	FILE *stream;

	if (entry < 0)
		return entry;
	stream = process_entry_text(entry, "cgroup");
	if (!stream)
		fd = -errno;
	close(entry);
	if (!stream)
		return fd;
	while (fgets(line, sizeof(line), stream)) {
		char group[sizeof(line) + sizeof("/sys/fs/cgroup")];

		if (strncmp(line, "0::/", 4))
			continue;
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		snprintf(group, sizeof(group), "/sys/fs/cgroup%s", line + strlen("0::"));
		fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		break;
	}
	fclose(stream);
	return fd;
}

static int by_pid(const void *a, const void *b)
{
	pid_t first = ((const struct member *)a)->pid;
	pid_t second = ((const struct member *)b)->pid;

	return (first > second) - (first < second);
}

static struct member *find_member(struct members *members, pid_t pid)
{
	struct member key = { .pid = pid };

	return bsearch(&key, members->list, members->count, sizeof(key), by_pid);
}

/* Parents are read once; a member without a living entry keeps parent 0. */
static size_t mark_descendants(struct members *members, pid_t main_pid)
{
	size_t marked = 0;

	for (size_t i = 0; i < members->count; i++)
		members->list[i].parent = subject_parent(members->list[i].pid);
	qsort(members->list, members->count, sizeof(*members->list), by_pid);

	for (size_t i = 0; i < members->count; i++) {
		struct member *member = &members->list[i], *at = member;

		/* Pids are reused, so a chain read bit by bit could be a ring. */
		for (size_t step = 0; at && step < members->count; step++) {
			if (at->parent == main_pid) {
				member->descends = member->pid != main_pid;
				break;
			}
			at = find_member(members, at->parent);
		}
		marked += member->descends;
	}
	return marked;
}

int descendants_find(const struct subject *subject, pid_t **ret_pids, size_t *ret_count)
{
	struct members members = { 0 };
	pid_t *pids;
	size_t count;
	int group, r;

	*ret_pids = NULL;
	*ret_count = 0;
	group = open_group(subject->pid);
	if (group < 0)
		return group;
	r = read_group(group, &members, 0);
	close(group);
	if (r == 0 && members.count) {
		count = mark_descendants(&members, subject->pid);
		pids = calloc(count + 1, sizeof(*pids));
		if (!pids) {
			r = -ENOMEM;
		} else {
			*ret_pids = pids;
			for (size_t i = 0; i < members.count; i++)
				if (members.list[i].descends)
					pids[(*ret_count)++] = members.list[i].pid;
		}
	}
	free(members.list);
	return r;
}
