// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_test - every route to a volume, under every condition.
 *
 * Owns: trying the rows of matrix.h on each filesystem with no gate; with the
 * gate and no grant; with the right grant; and with each wrong one: another
 * process's, on another path, for other access, expired, revoked. Each time by
 * a process of its own that has had nothing to do with the gate, with the files
 * made anew. One result for each route on each filesystem.
 *
 * Must not own: the rows; what there is to say about one route alone, which is
 * in the tests that the rows name.
 *
 * Lines that begin with "#matrix" are the results as JSON, for make matrix.
 */

#include "kselftest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "matrix.h"

static const struct matrix_group *const groups[] = {
	&matrix_opens, &matrix_kernel, &matrix_fuse, &matrix_passing,
	&matrix_processes, &matrix_io, &matrix_rings, &matrix_memory,
	&matrix_names, &matrix_attributes, &matrix_ioctls, &matrix_btrfs,
	&matrix_mounts, &matrix_devices, &matrix_open_rows,
};

#define GROUPS	(sizeof(groups) / sizeof(*groups))

static const struct filesystem {
	const char *name;
	unsigned int bit;
} filesystems[] = {
	{ "ext4", MATRIX_EXT4 },
	{ "xfs", MATRIX_XFS },
	{ "tmpfs", MATRIX_TMPFS },
	{ "btrfs", MATRIX_BTRFS },
};

#define FILESYSTEMS	(sizeof(filesystems) / sizeof(*filesystems))

enum condition {
	NO_GATE,
	NO_GRANT,
	RIGHT_GRANT,
	OTHER_PROCESS,
	OTHER_PATH,
	OTHER_ACCESS,
	EXPIRED,
	REVOKED,
	CONDITIONS
};

static const char *const condition_names[CONDITIONS] = {
	"no gate", "no grant", "right grant", "other process", "other path",
	"other access", "expired", "revoked",
};

/* The only row to be tried, if one is named on the command line. */
static const char *only;

/* What a trial returns when it could not be made. */
#define UNTRIED		(-1)

/* Enough for a grant to be given, on a slow machine, and soon over. */
#define SHORT_NS	UINT64_C(12000000)
#define SHORT_MAX_NS	(2 * GATE_SECOND_NS)

/* Rights of the same grant are left out one at a time; no list is longer. */
#define ALL_RIGHTS	UINT32_MAX

/**
 * struct bench - what all trials on a filesystem share
 * @gate: the agent, which may do anything on the volume
 * @volume: the filesystem
 * @bystander: a process that is given what others should not profit from
 * @short_ns: how long a grant lasts that is to expire
 * @touched: something may have changed since the scene was made
 */
struct bench {
	struct gate gate;
	struct volume volume;
	struct actor bystander;
	uint64_t short_ns;
	bool touched;
};

static struct bench bench;

/* Results of one row on one filesystem, by condition: errno, or UNTRIED. */
struct outcome {
	int result[CONDITIONS];
	bool absent;
	char why[256];
};

__attribute__((format(printf, 2, 3)))
static void complain(struct outcome *outcome, const char *format, ...)
{
	va_list list;

	if (outcome->why[0])
		return;
	va_start(list, format);
	vsnprintf(outcome->why, sizeof(outcome->why), format, list);
	va_end(list);
}

/* One access of the row's needs that is left out, or ALL_RIGHTS. */
static int give(const struct matrix_route *route, pid_t pid, uint32_t without,
		uint64_t expires_ns, uint64_t *ids)
{
	struct trustgate_grant_request requests[MATRIX_NEEDS];
	struct trustgate_grant_added added[MATRIX_NEEDS];
	uint32_t access, number = 0;
	unsigned int i, bit, count = 0;
	int err;

	for (i = 0; i < MATRIX_NEEDS && route->needs[i].path; i++) {
		access = route->needs[i].access;
		for (bit = 1; bit <= access; bit <<= 1) {
			if (!(route->needs[i].access & bit))
				continue;
			/* All other accesses instead of the one. */
			if (number++ == without)
				access = (access | (GATE_ALL & ~bit)) & ~bit;
		}
		if (!access)
			continue;
		requests[count] = gate_request(&bench.volume,
					       route->needs[i].path, access);
		requests[count].object_kind = route->needs[i].kind;
		requests[count].pid = pid;
		if (expires_ns)
			requests[count].expires_boottime_ns = expires_ns;
		count++;
	}
	/* Nothing is a right to it, so all rights must be none. */
	if (!number) {
		requests[0] = gate_request(&bench.volume, ".", GATE_ALL);
		requests[0].object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
		requests[0].pid = pid;
		if (expires_ns)
			requests[0].expires_boottime_ns = expires_ns;
		count = 1;
	}
	err = trustgate_grant_add(bench.gate.conn, requests, count, added);
	if (err)
		return -err;
	for (i = 0; ids && i < count; i++)
		ids[i] = added[i].id;
	return 0;
}

static int give_expired(const struct matrix_route *route, pid_t pid)
{
	uint64_t expires_ns;
	int err;

	do {
		expires_ns = gate_now_ns() + bench.short_ns;
		err = give(route, pid, ALL_RIGHTS, expires_ns, NULL);
		/* A machine that needs longer than that to give one. */
		if (err)
			bench.short_ns *= 2;
	} while (err && bench.short_ns < SHORT_MAX_NS);
	gate_sleep_until(expires_ns);
	return err;
}

static int give_revoked(const struct matrix_route *route, pid_t pid)
{
	uint64_t ids[MATRIX_NEEDS] = {};
	unsigned int count = 0;
	int err = give(route, pid, ALL_RIGHTS, 0, ids);

	while (count < MATRIX_NEEDS && ids[count])
		count++;
	return err ?: -trustgate_revoke_ids(bench.gate.conn, ids, count, NULL);
}

/* Everything but what the row is about. */
static int give_elsewhere(pid_t pid)
{
	/* Of the same number, where numbers repeat. */
	if (!strcmp(bench.volume.disk.fstype, "btrfs") &&
	    (!gate_grant_file(&bench.gate, &bench.volume, pid, "kept/snap/f",
			      GATE_ALL) ||
	     !gate_grant_tree(&bench.gate, &bench.volume, pid, "kept/snap",
			      GATE_ALL)))
		return EINVAL;
	return gate_grant_file(&bench.gate, &bench.volume, pid, "db/sub/c",
			       GATE_ALL) &&
	       gate_grant_tree(&bench.gate, &bench.volume, pid, "elsewhere",
			       GATE_ALL) ? 0 : EINVAL;
}

static int set_conditions(enum condition condition,
			  const struct matrix_route *route, pid_t pid,
			  uint32_t without)
{
	switch (condition) {
	case RIGHT_GRANT:
		return give(route, pid, ALL_RIGHTS, 0, NULL);
	case OTHER_PROCESS:
		return give(route, bench.bystander.pid, ALL_RIGHTS, 0, NULL);
	case OTHER_PATH:
		return give_elsewhere(pid);
	case OTHER_ACCESS:
		return give(route, pid, without, 0, NULL);
	case EXPIRED:
		return give_expired(route, pid);
	case REVOKED:
		return give_revoked(route, pid);
	default:
		return 0;
	}
}

/* Waits for a byte, tries the route, and exits with what came of it. */
__attribute__((noreturn))
static void play(const struct matrix_route *route, int fd)
{
	char byte;

	if (read(fd, &byte, 1) != 1)
		_exit(0);
	_exit(route->go());
}

static int finish(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return UNTRIED;
	return WEXITSTATUS(status);
}

/*
 * Try a route once. @ret_pid is who did. Returns errno, or UNTRIED after saying
 * in @outcome what went wrong.
 */
static int attempt(const struct matrix_route *route, enum condition condition,
		   uint32_t without, struct outcome *outcome, pid_t *ret_pid)
{
	int pipes[2], err, result = UNTRIED;
	pid_t pid;

	err = bench.touched ? scene_make() : 0;
	bench.touched = true;
	if (!err && route->prepare)
		err = route->prepare();
	/* What the kernel has no module for. */
	if (err == ENOSYS && condition == NO_GATE) {
		result = err;
		goto out;
	}
	if (err) {
		complain(outcome, "%s: could not be set up: %s",
			 condition_names[condition], strerror(err));
		goto out;
	}
	if (pipe2(pipes, O_CLOEXEC))
		goto out;
	pid = fork();
	if (!pid) {
		close(pipes[1]);
		play(route, pipes[0]);
	}
	err = set_conditions(condition, route, pid, without);
	if (err)
		complain(outcome, "%s: no grant could be given: %s",
			 condition_names[condition], strerror(err));
	else if (write(pipes[1], "", 1) != 1)
		err = errno;
	close(pipes[0]);
	close(pipes[1]);
	result = finish(pid);
	if (err)
		result = UNTRIED;
	*ret_pid = pid;
out:
	if (route->undo)
		route->undo();
	scene_over();
	return result;
}

/* How many accesses a row needs, each on its object. */
static uint32_t count_rights(const struct matrix_route *route)
{
	uint32_t count = 0;
	unsigned int i;

	for (i = 0; i < MATRIX_NEEDS && route->needs[i].path; i++)
		count += __builtin_popcount(route->needs[i].access);
	return count;
}

static const char *result_text(int result)
{
	return result == UNTRIED ? "-" : result ? strerrorname_np(result) :
						  "done";
}

static void try_condition(const struct matrix_route *route,
			  enum condition condition, uint32_t without,
			  struct outcome *outcome, pid_t *ret_pid)
{
	const int denied = route->denied ? route->denied : EACCES;
	const bool lets = route->open || condition == NO_GATE ||
			  (condition == RIGHT_GRANT && route->needs[0].path);
	const int expected = lets ? route->done : denied;
	int result;

	result = attempt(route, condition, without, outcome, ret_pid);
	/* Kernels differ, and a gate has nothing to close then. */
	if (condition == NO_GATE && result == ENOSYS && expected != ENOSYS)
		outcome->absent = true;
	else if (result != expected)
		complain(outcome, "%s: %s, not %s", condition_names[condition],
			 result_text(result), result_text(expected));
	/* A denial has changed nothing, but for what led up to it. */
	if (result == denied && !without)
		bench.touched = false;
	/* Of several trials that were denied, none must differ. */
	if (!without || outcome->result[condition] == expected)
		outcome->result[condition] = result;
}

/* The denial must have come from where the row says. */
static void check_hook(const struct matrix_route *route, pid_t pid,
		       struct outcome *outcome)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(10) * GATE_SECOND_NS;
	struct pollfd poll_fd = {
		.fd = trustgate_fd(bench.gate.conn), .events = POLLIN,
	};
	struct trustgate_event event;
	int got;

	while (gate_now_ns() < until_ns) {
		got = trustgate_event_next(bench.gate.conn, &event);
		if (!got)
			poll(&poll_fd, 1, 200);
		if (got != 1 || event.type != TRUSTGATE_EVENT_TYPE_DENIED ||
		    event.pid != (route->by_maker ? getpid() : pid))
			continue;
		if (strcmp(event.hook, route->hook))
			complain(outcome, "denied by %s, not %s", event.hook,
				 route->hook);
		return;
	}
	complain(outcome, "no event told of the denial");
}

static void try_with_gate(const struct matrix_route *route,
			  struct outcome *outcome)
{
	const uint32_t rights = count_rights(route);
	uint32_t without;
	pid_t pid;

	try_condition(route, NO_GRANT, 0, outcome, &pid);
	if (route->open)
		return;
	if (!outcome->why[0])
		check_hook(route, pid, outcome);
	try_condition(route, RIGHT_GRANT, 0, outcome, &pid);
	/* Where no grant helps, there is no wrong one. */
	if (!rights)
		return;
	try_condition(route, OTHER_PROCESS, 0, outcome, &pid);
	try_condition(route, OTHER_PATH, 0, outcome, &pid);
	for (without = 0; without < rights; without++)
		try_condition(route, OTHER_ACCESS, without, outcome, &pid);
	try_condition(route, EXPIRED, 0, outcome, &pid);
	try_condition(route, REVOKED, 0, outcome, &pid);
}

static void print_json(const struct matrix_group *group,
		       const struct matrix_route *route, const char *filesystem,
		       const struct outcome *outcome)
{
	unsigned int i;

	printf("#matrix {\"subject\": \"%s\", \"route\": \"%s\", \"hook\": \"%s\", \"test\": \"matrix_test\", \"also\": \"%s\", \"filesystem\": \"%s\"",
	       group->title, route->name, route->hook, route->also, filesystem);
	if (route->open)
		printf(", \"open\": \"%s\", \"closed by\": \"%s\"", route->open,
		       route->closed_by);
	printf(", \"absent\": %s, \"as expected\": %s, \"results\": {",
	       outcome->absent ? "true" : "false",
	       outcome->why[0] ? "false" : "true");
	for (i = 0; i < CONDITIONS; i++)
		printf("%s\"%s\": \"%s\"", i ? ", " : "", condition_names[i],
		       outcome->absent ? "-" : result_text(outcome->result[i]));
	printf("}}\n");
	fflush(stdout);
}

typedef void (*row_function)(const struct matrix_group *group,
			     const struct matrix_route *route,
			     const char *filesystem, struct outcome *outcome);

/* Calls @each for every row of a filesystem, with room for its outcome. */
static unsigned int go_through(const struct filesystem *filesystem,
			       struct outcome *outcomes, row_function each)
{
	const struct matrix_route *route;
	unsigned int g, count = 0;
	size_t i;

	for (g = 0; g < GROUPS; g++) {
		for (i = 0; i < groups[g]->count; i++) {
			route = &groups[g]->routes[i];
			if (route->on && !(route->on & filesystem->bit))
				continue;
			if (only && strcmp(only, route->name))
				continue;
			if (each)
				each(groups[g], route, filesystem->name,
				     &outcomes[count]);
			count++;
		}
	}
	return count;
}

static void try_without(const struct matrix_group *group,
			const struct matrix_route *route,
			const char *filesystem, struct outcome *outcome)
{
	unsigned int i;
	pid_t pid;

	memset(outcome, 0, sizeof(*outcome));
	for (i = 0; i < CONDITIONS; i++)
		outcome->result[i] = UNTRIED;
	try_condition(route, NO_GATE, 0, outcome, &pid);
}

static void try_with(const struct matrix_group *group,
		     const struct matrix_route *route, const char *filesystem,
		     struct outcome *outcome)
{
	if (!outcome->absent)
		try_with_gate(route, outcome);
	print_json(group, route, filesystem, outcome);
	if (outcome->why[0])
		ksft_test_result_fail("%s: %s: %s\n", filesystem, route->name,
				      outcome->why);
	else
		ksft_test_result_pass("%s: %s%s\n", filesystem, route->name,
				      outcome->absent ?
				      " (this kernel has no such thing)" : "");
}

/*
 * The agent tells the kernel of devices further below, and of those of a btrfs,
 * which it does not know, with partitions on them. Returns 0 or an errno value.
 */
static int tell_devices(void)
{
	struct stat device, part, below;
	unsigned int count = 0;
	dev_t lower[3];

	if (!strcmp(bench.volume.disk.fstype, "btrfs")) {
		if (stat(bench.volume.disk.device, &device) ||
		    stat(scene.part, &part))
			return errno;
		lower[count++] = device.st_rdev;
		lower[count++] = part.st_rdev;
	} else if (scene.below >= 0) {
		if (fstat(scene.below, &below))
			return errno;
		lower[count++] = below.st_rdev;
	}
	if (!count)
		return 0;
	return -trustgate_volume_set_lower(bench.gate.conn, bench.volume.id,
					   lower, count);
}

/* Returns 0 or an errno value. */
static int protect(void)
{
	/* Only denials are of interest, and there are enough of these. */
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_RECORD,
	};
	int err = -volume_protect_with(&bench.gate, &bench.volume, &settings) ?:
		  tell_devices();

	if (err)
		return err;
	if (!gate_grant_tree(&bench.gate, &bench.volume, getpid(), ".",
			     GATE_ALL))
		return EINVAL;
	return -actor_start(&bench.bystander);
}

static int try_filesystem(const struct filesystem *filesystem)
{
	struct outcome *outcomes;
	int err;

	outcomes = calloc(go_through(filesystem, NULL, NULL),
			  sizeof(*outcomes));
	if (!outcomes)
		return ENOMEM;
	/* Of who is looked at before there is a gate, none may know. */
	err = -gate_open_idle(&bench.gate);
	if (err == ECANCELED)
		ksft_exit_skip("%s\n", bench.gate.why);
	if (!err)
		err = -volume_make(&bench.volume, 0, filesystem->name);
	if (!err)
		err = scene_first(&bench.volume.disk);
	if (err)
		goto out;
	bench.touched = true;
	go_through(filesystem, outcomes, try_without);
	err = protect();
	if (err)
		goto out;
	go_through(filesystem, outcomes, try_with);
	actor_stop(&bench.bystander);
	scene_last();
	gate_go_idle(&bench.gate);
	scene_after();
out:
	gate_close(&bench.gate);
	free(outcomes);
	return err;
}

int main(int argc, char *argv[])
{
	unsigned int i, count = FILESYSTEMS, rows = 0;
	int err;

	only = argc > 1 ? argv[1] : NULL;
	ksft_print_header();
	/* A kernel that checks all memory takes many times as long. */
	if (gate_patience(1) > 1)
		count = 1;
	for (i = 0; i < count; i++)
		rows += go_through(&filesystems[i], NULL, NULL);
	ksft_set_plan(rows);
	bench.short_ns = SHORT_NS;
	for (i = 0; i < count; i++) {
		err = try_filesystem(&filesystems[i]);
		if (err)
			ksft_exit_fail_msg("%s: %s\n", filesystems[i].name,
					   strerror(err));
	}
	ksft_finished();
}
