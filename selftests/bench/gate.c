// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - bringing the gate into the state to be measured; see gate.h.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <trustgate.h>
#include <unistd.h>

#include "gate.h"
#include "operation.h"

#define EVERYTHING							\
	(TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE |		\
	 TRUSTGATE_ACCESS_EXEC | TRUSTGATE_ACCESS_NAMES |		\
	 TRUSTGATE_ACCESS_META)

#define HOUR_NS		(3600ULL * 1000000000)

/* Together just below the default limit of 1 << 20 grants. */
#define CROWD_FILES	OPERATION_FILES
#define CROWD_SUBJECTS	255

static const uint8_t secret[TRUSTGATE_SECRET_LEN] = "benchmark";

static struct trustgate_conn *agent;
static uint32_t volume_id;
static int crowd_files[CROWD_FILES];

static _Noreturn void refuse(const char *what)
{
	errx(1, "%s: %s", what, trustgate_error_text(agent));
}

static uint64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void gate_load(void)
{
	int status = system("modprobe trustgate");

	if (status)
		errx(1, "modprobe trustgate ended with %d", status);
}

void gate_protect(const char *path)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_MAX_DURATION,
		.max_duration_ns = 100 * HOUR_NS,
	};

	if (trustgate_new(&agent) || trustgate_connect(agent))
		refuse("connect");
	trustgate_set_timeout(agent, 600000);
	if (trustgate_agent_bind(agent, secret, NULL))
		refuse("bind");
	if (trustgate_volume_add(agent, "bench", path, -1, &settings,
				 &volume_id))
		refuse("protect the volume");
}

void gate_unprotect(void)
{
	if (trustgate_volume_del(agent, volume_id))
		refuse("remove the volume");
	trustgate_free(agent);
	agent = NULL;
}

void gate_record(bool allowed)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_RECORD,
		.record = allowed ? TRUSTGATE_RECORD_ALLOWED : 0,
	};

	if (trustgate_volume_set(agent, volume_id, &settings))
		refuse("change the volume");
}

void gate_drain(void)
{
	struct trustgate_event event;
	int more;

	do {
		more = trustgate_event_next(agent, &event);
		/* The crowd's grants are more events than a socket holds. */
		if (more < 0 && more != -ENOBUFS)
			refuse("take events");
	} while (more);
}

static struct trustgate_grant_request request_for(pid_t pid)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;

	request.volume_id = volume_id;
	request.pid = pid;
	request.access = EVERYTHING;
	request.expires_boottime_ns = boottime_ns() + 50 * HOUR_NS;
	request.reason = TRUSTGATE_REASON_AUTOMATION;
	return request;
}

static void add(const struct trustgate_grant_request *request)
{
	struct trustgate_grant_added added;

	if (trustgate_grant_add(agent, request, 1, &added))
		refuse("grant");
}

static void set_ask(uint64_t ask_ns)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_ASK,
		.ask_ns = ask_ns,
	};

	if (trustgate_volume_set(agent, volume_id, &settings))
		refuse("change the volume");
}

static pid_t answerer;

/* Does no more than it must, as the listener that fanotify is measured with. */
static _Noreturn void answer_all(void)
{
	static struct trustgate_request asked;
	struct trustgate_answer answer = {
		.verdict = TRUSTGATE_VERDICT_GRANT,
		.reason = TRUSTGATE_REASON_AUTOMATION,
		.expires_boottime_ns = boottime_ns() + 50 * HOUR_NS,
	};
	int taken;

	taken = trustgate_channel_exchange(agent, NULL, true, &asked, NULL);
	while (taken > 0) {
		answer.request = asked.id;
		taken = trustgate_channel_exchange(agent, &answer, true,
						   &asked, NULL);
	}
	refuse("answer");
}

/*
 * In a process of its own, as that listener, with one thread and few files. It
 * becomes the agent by showing the secret.
 */
void gate_answer(void)
{
	int ready[2];
	char done = 0;

	set_ask(HOUR_NS);
	fflush(stdout);
	if (pipe(ready))
		err(1, "pipe");
	answerer = fork();
	if (answerer < 0)
		err(1, "fork");
	if (!answerer) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL))
			err(1, "prctl");
		if (trustgate_agent_bind(agent, secret, NULL))
			refuse("become the agent");
		if (trustgate_channel_open(agent))
			refuse("open the channel");
		if (write(ready[1], &done, 1) != 1)
			err(1, "tell that the agent is ready");
		close(ready[0]);
		close(ready[1]);
		answer_all();
	}
	close(ready[1]);
	if (read(ready[0], &done, 1) != 1)
		errx(1, "the agent that answers has failed");
	close(ready[0]);
}

void gate_answer_no_more(void)
{
	kill(answerer, SIGKILL);
	if (waitpid(answerer, NULL, 0) != answerer)
		err(1, "waitpid");
	if (trustgate_agent_bind(agent, secret, NULL))
		refuse("become the agent again");
	set_ask(0);
}

void gate_grant_file(pid_t pid, const char *path, uint32_t max_uses)
{
	struct trustgate_grant_request request = request_for(pid);

	request.object_kind = TRUSTGATE_OBJECT_KIND_FILE;
	request.path = path;
	request.max_uses = max_uses;
	add(&request);
}

void gate_grant_subtree(pid_t pid, const char *path, bool descendants)
{
	struct trustgate_grant_request request = request_for(pid);

	request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	request.path = path;
	if (descendants)
		request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	add(&request);
}

void gate_revoke(pid_t pid)
{
	if (trustgate_revoke_pid(agent, pid, NULL))
		refuse("revoke");
}

void gate_prepare_crowd(const char *directory)
{
	/* The others are programs and links, two for each hook. */
	const rlim_t files = CROWD_FILES + 256;
	const struct rlimit limit = { files, files };
	char path[256];
	int i, fd;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "setrlimit");
	for (i = 0; i < CROWD_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d", directory, i);
		fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			err(1, "create %s", path);
		close(fd);
		crowd_files[i] = open(path, O_PATH | O_CLOEXEC);
		if (crowd_files[i] < 0)
			err(1, "open %s", path);
	}
}

static pid_t start_subject(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

uint64_t gate_add_crowd(void)
{
	static struct trustgate_grant_request requests[CROWD_FILES];
	static struct trustgate_grant_added added[CROWD_FILES];
	struct trustgate_gate gate;
	uint64_t grants;
	int subject, i;
	size_t given;
	pid_t pid;

	for (subject = 0; subject < CROWD_SUBJECTS; subject++) {
		pid = start_subject();
		for (i = 0; i < CROWD_FILES; i++) {
			requests[i] = request_for(pid);
			requests[i].object_kind = TRUSTGATE_OBJECT_KIND_FILE;
			requests[i].fd = crowd_files[i];
			requests[i].ticket = "SR-4711";
		}
		if (trustgate_grant_add_split(agent, requests, CROWD_FILES,
					      added, &given))
			refuse("grant to the crowd");
		gate_drain();
	}

	if (trustgate_gate_get(agent, &gate))
		refuse("read the gate");
	grants = gate.grants;
	trustgate_gate_clear(&gate);
	return grants;
}
