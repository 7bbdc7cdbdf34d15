// SPDX-License-Identifier: GPL-2.0-only
/*
 * gate - the fixture of the tests; see gate.h.
 */

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gate.h"

#define NAME_PREFIX	"selftest-"
#define KEEP_NAME	NAME_PREFIX "keep"
#define KEEP_PATH	DISK_MOUNTS "/keep"

const uint8_t gate_secret[TRUSTGATE_SECRET_LEN] = "the secret of the selftests";

static int complain(const struct gate *gate, const char *what, int err)
{
	fprintf(stderr, "# gate: %s: %s (%s)\n", what,
		trustgate_error_text(gate->conn), strerror(-err));
	return err;
}

__attribute__((format(printf, 2, 3)))
static int cannot(struct gate *gate, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(gate->why, sizeof(gate->why), format, list);
	va_end(list);
	return -ECANCELED;
}

unsigned int gate_patience(unsigned int seconds)
{
	const char *factor = getenv("TRUSTGATE_PATIENCE");
	int times = factor ? atoi(factor) : 1;

	return times > 1 ? seconds * (unsigned int)times : seconds;
}

uint64_t gate_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * GATE_SECOND_NS + now.tv_nsec;
}

void gate_sleep_until(uint64_t boottime_ns)
{
	const struct timespec until = {
		.tv_sec = boottime_ns / GATE_SECOND_NS,
		.tv_nsec = boottime_ns % GATE_SECOND_NS,
	};

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL))
		;
}

static int connect_gate(struct gate *gate)
{
	static const char *const modprobe[] = { "modprobe", "trustgate", NULL };
	int err;

	/* The family alone is the core's; without hooks it protects nothing. */
	if (access("/sys/module/trustgate", F_OK) && disk_command(modprobe))
		return cannot(gate, "the module trustgate cannot be loaded");
	err = trustgate_connect(gate->conn);
	if (err == -EPROTONOSUPPORT)
		return cannot(gate, "the module trustgate is not loaded");
	return err ? complain(gate, "connect", err) : 0;
}

/* Is the bound agent a test, which may be about to exit? */
static bool agent_is_test(pid_t pid)
{
	char link[64], theirs[4096], ours[4096];
	ssize_t length, own;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	length = readlink(link, theirs, sizeof(theirs));
	own = readlink("/proc/self/exe", ours, sizeof(ours));
	/* An exiting process has no program any more. */
	return length < 0 || (length == own && !memcmp(theirs, ours, own));
}

static int bind_gate(struct gate *gate)
{
	struct trustgate_gate state = {};
	unsigned int tries;
	pid_t pid = 0;
	int err;

	for (tries = 0;; tries++) {
		err = trustgate_agent_bind(gate->conn, gate_secret, NULL);
		if (err != -EBUSY || tries / 50 >= gate_patience(5))
			break;
		err = trustgate_gate_get(gate->conn, &state);
		if (err)
			return complain(gate, "gate-get", err);
		pid = state.agent_pid;
		trustgate_gate_clear(&state);
		if (pid && !agent_is_test(pid))
			return cannot(gate, "process %d is the agent of this host; stop it (systemctl stop trusteed) to run the tests",
				      pid);
		usleep(20 * 1000);
	}
	if (err == -EACCES)
		return cannot(gate, "volumes of another agent are protected on this host");
	if (err == -EPERM)
		return cannot(gate, "this needs CAP_MAC_ADMIN");
	return err ? complain(gate, "agent-bind", err) : 0;
}

/* Release the volumes of tests that are over. */
static int release_volumes(struct gate *gate, const char *keep)
{
	struct trustgate_volume *volumes = NULL;
	size_t count = 0, i;
	int err;

	err = trustgate_volume_list(gate->conn, &volumes, &count, NULL);
	for (i = 0; i < count && !err; i++) {
		if (strncmp(volumes[i].name, NAME_PREFIX,
			    strlen(NAME_PREFIX)) ||
		    (keep && !strcmp(volumes[i].name, keep)))
			continue;
		err = trustgate_volume_del(gate->conn, volumes[i].id);
	}
	free(volumes);
	return err ? complain(gate, "cleaning up", err) : 0;
}

/* Keep the hooks attached from test to test; see gate_go_idle(). */
static int keep_armed(struct gate *gate)
{
	struct disk disk = { .fstype = "tmpfs", .path = KEEP_PATH };
	struct trustgate_volume volume;
	int err;

	err = trustgate_volume_get(gate->conn, 0, KEEP_NAME, &volume);
	if (err != -ENOENT)
		return err ? complain(gate, "volume-get", err) : 0;
	disk_clean();
	if (mkdir(DISK_MOUNTS, 0700) || mkdir(KEEP_PATH, 0700)) {
		err = -errno;
		perror("# gate: mkdir " KEEP_PATH);
		return err;
	}
	err = disk_mount(&disk);
	if (err)
		return err;
	err = trustgate_volume_add(gate->conn, KEEP_NAME, KEEP_PATH, -1, NULL,
				   NULL);
	return err ? complain(gate, "volume-add", err) : 0;
}

int gate_go_idle(struct gate *gate)
{
	int err = release_volumes(gate, NULL);

	if (!err)
		disk_clean();
	return err;
}

static int become_agent(struct gate *gate)
{
	int err;

	memset(gate, 0, sizeof(*gate));
	if (geteuid())
		return cannot(gate, "the tests must be run as root");
	err = trustgate_new(&gate->conn);
	if (err)
		return err;
	trustgate_set_timeout(gate->conn, gate_patience(60) * 1000);
	err = connect_gate(gate);
	if (!err)
		err = bind_gate(gate);
	if (err)
		gate_close(gate);
	return err;
}

/* Of this process, if it is the agent. */
static struct trustgate_conn *bound;

static int tidy(struct gate *gate)
{
	int err = release_volumes(gate, KEEP_NAME);

	if (err)
		return err;
	disk_tidy(KEEP_PATH);
	return keep_armed(gate);
}

static int open_with(struct gate *gate, int (*prepare)(struct gate *gate))
{
	int err = become_agent(gate);

	if (err)
		return err;
	bound = gate->conn;
	err = prepare(gate);
	if (err)
		gate_close(gate);
	else
		gate_forget_events(gate);
	return err;
}

int gate_open(struct gate *gate)
{
	return open_with(gate, tidy);
}

int gate_open_idle(struct gate *gate)
{
	return open_with(gate, gate_go_idle);
}

void gate_close(struct gate *gate)
{
	if (gate->conn == bound)
		bound = NULL;
	trustgate_free(gate->conn);
	gate->conn = NULL;
}

void gate_clean(void)
{
	struct gate gate;

	/*
	 * The harness tears down in the test itself when that has given up.
	 * Another process may have the socket open as well.
	 */
	if (bound)
		trustgate_agent_unbind(bound);
	/* Opening cleans up what the last test left. */
	if (!gate_open(&gate))
		gate_close(&gate);
}

static pid_t first_process;

/*
 * Attaching the hooks and letting them go again takes longer than most tests.
 * Where another test follows, which is what run says by TRUSTGATE_KEEP, it
 * finds them attached.
 */
static void clean_at_exit(void)
{
	struct gate gate;

	if (getpid() != first_process || access(DISK_MOUNTS, F_OK))
		return;
	if (getenv("TRUSTGATE_KEEP")) {
		gate_clean();
		return;
	}
	if (become_agent(&gate))
		return;
	gate_go_idle(&gate);
	gate_close(&gate);
}

/*
 * Take what earlier programs were not told: it is no test's of this one. The
 * newest event is at least that there is an agent.
 */
static void take_old_events(struct gate *gate)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(5) * GATE_SECOND_NS;
	struct pollfd poll_fd = {
		.fd = trustgate_fd(gate->conn),
		.events = POLLIN,
	};
	struct trustgate_gate state = {};
	struct trustgate_event event = {};
	uint64_t newest;

	if (trustgate_gate_get(gate->conn, &state))
		return;
	newest = state.event_seq;
	trustgate_gate_clear(&state);
	while (event.seq < newest && gate_now_ns() < until_ns) {
		if (trustgate_event_next(gate->conn, &event) != 1)
			poll(&poll_fd, 1, 200);
	}
}

/*
 * The harness kills a test that takes too long together with the parent that
 * would have cleaned up; what remains is the process it was started as. And
 * loading the module and attaching the hooks for the first time may take longer
 * than the harness gives a test, so both are done before there is any.
 */
__attribute__((constructor))
static void frame_tests(void)
{
	struct gate gate;

	first_process = getpid();
	atexit(clean_at_exit);
	if (gate_open(&gate))
		return;
	take_old_events(&gate);
	gate_close(&gate);
}

static int populate(void)
{
	static const char *const directories[] = { "db", "db/sub", "other" };
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		if (mkdir(directories[i], 0755)) {
			err = -errno;
			perror("# gate: mkdir");
			return err;
		}
	}
	return disk_file("db/a", "contents of a\n", 0644) ?:
	       disk_file("db/b", "contents of b\n", 0644) ?:
	       disk_file("db/sub/c", "contents of c\n", 0644) ?:
	       disk_file("other/x", "contents of x\n", 0644);
}

int volume_make(struct volume *volume, unsigned int slot, const char *fstype)
{
	int err;

	memset(volume, 0, sizeof(*volume));
	snprintf(volume->name, sizeof(volume->name), NAME_PREFIX "%u", slot);
	err = disk_make(&volume->disk, slot, fstype);
	if (err)
		return err;
	if (chdir(volume->disk.path))
		return -errno;
	return populate();
}

int volume_protect_with(struct gate *gate, struct volume *volume,
			const struct trustgate_volume_settings *settings)
{
	int err;

	err = trustgate_volume_add(gate->conn, volume->name, volume->disk.path,
				   -1, settings, &volume->id);
	return err ? complain(gate, "volume-add", err) : 0;
}

int volume_protect(struct gate *gate, struct volume *volume)
{
	return volume_protect_with(gate, volume, NULL);
}

int volume_unprotect(struct gate *gate, struct volume *volume)
{
	int err = trustgate_volume_del(gate->conn, volume->id);

	if (err)
		return complain(gate, "volume-del", err);
	volume->id = 0;
	return 0;
}

uint64_t volume_count(struct gate *gate, const struct volume *volume,
		      uint32_t cause)
{
	struct trustgate_volume now;
	size_t i;
	int err;

	err = trustgate_volume_get(gate->conn, volume->id, NULL, &now);
	if (err) {
		complain(gate, "volume-get", err);
		return 0;
	}
	for (i = 0; i < now.counters_count; i++) {
		if (now.counters[i].cause == cause)
			return now.counters[i].count;
	}
	return 0;
}

struct trustgate_grant_request gate_request(const struct volume *volume,
					    const char *path, uint32_t access)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;

	request.volume_id = volume->id;
	request.pid = getpid();
	request.object_kind = TRUSTGATE_OBJECT_KIND_FILE;
	request.path = path;
	request.access = access;
	request.expires_boottime_ns = gate_now_ns() + 3600 * GATE_SECOND_NS;
	request.reason = TRUSTGATE_REASON_INCIDENT;
	return request;
}

uint64_t gate_grant(struct gate *gate,
		    const struct trustgate_grant_request *request)
{
	struct trustgate_grant_added added;
	int err;

	err = trustgate_grant_add(gate->conn, request, 1, &added);
	if (err) {
		complain(gate, "grant-add", err);
		return 0;
	}
	return added.id;
}

uint64_t gate_grant_file(struct gate *gate, const struct volume *volume,
			 pid_t pid, const char *path, uint32_t access)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);

	request.pid = pid;
	return gate_grant(gate, &request);
}

uint64_t gate_grant_tree(struct gate *gate, const struct volume *volume,
			 pid_t pid, const char *path, uint32_t access)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);

	request.pid = pid;
	request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	return gate_grant(gate, &request);
}

int gate_revoke(struct gate *gate, uint64_t id)
{
	int err = trustgate_revoke_ids(gate->conn, &id, 1, NULL);

	return err ? complain(gate, "grant-del", err) : 0;
}

int gate_revoke_all(struct gate *gate, const struct volume *volume)
{
	int err = trustgate_revoke_volume(gate->conn, volume->id, NULL);

	return err ? complain(gate, "grant-del", err) : 0;
}

void gate_forget_events(struct gate *gate)
{
	gate->events_from_boottime_ns = gate_now_ns();
}

int gate_wait_event(struct gate *gate, uint32_t type,
		    struct trustgate_event *event)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(10) * GATE_SECOND_NS;
	struct pollfd poll_fd = {
		.fd = trustgate_fd(gate->conn),
		.events = POLLIN,
	};
	int got;

	while (gate_now_ns() < until_ns) {
		got = trustgate_event_next(gate->conn, event);
		if (got == 1 && event->type == type &&
		    event->time_boottime_ns >= gate->events_from_boottime_ns)
			return 0;
		if (!got)
			poll(&poll_fd, 1, 200);
	}
	fprintf(stderr, "# gate: no event %s came\n",
		trustgate_event_type_name(type));
	return -ETIMEDOUT;
}
