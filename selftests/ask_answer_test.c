// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask_answer_test - what the agent can learn and say of opens that wait.
 *
 * Owns: listing requests, each right and wrong answer, and the limits of the
 * table; for those the module is loaded anew, and at the end as it was.
 *
 * Must not own: which opens wait (ask_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "asking.h"
#include "attempt.h"
#include "module.h"
#include "netlink_raw.h"

#define LONG_NS		(600 * GATE_SECOND_NS)

/* Many that ask: so many processes, with a thread for each file. */
#define CROWD		24
#define FILES		32

#define SMALL		"16"

FIXTURE(answer) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

FIXTURE_SETUP(answer)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "tmpfs",
				   LONG_NS));
	ASSERT_EQ(0, actor_start(&self->actor));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(answer)
{
	gate_clean();
}

#define BEGIN(part, text, number) actor_begin(&self->actor, part, text, number)
#define END() actor_end(&self->actor)

/* The start of a process as /proc tells it. */
static uint64_t start_ticks_of(pid_t pid)
{
	char path[32], line[1024] = "";
	unsigned long long ticks = 0;
	const char *rest;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	rest = strrchr(line, ')');
	for (int i = 0; rest && i < 20; i++)
		rest = strchr(rest + 1, ' ');
	if (rest)
		ticks = strtoull(rest, NULL, 10);
	return ticks;
}

TEST_F(answer, what_is_told_of_a_request)
{
	struct trustgate_request *request = calloc(1, sizeof(*request));
	struct trustgate_event event;
	struct stat info;
	uint64_t id;

	ASSERT_NE(NULL, request);
	ASSERT_EQ(0, stat("db/a", &info));
	BEGIN(attempt_open, "db/a", O_RDWR);
	id = asking_raised(&self->gate, &event);
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
	ASSERT_EQ(0, trustgate_request_get(self->gate.conn, id, request));
	/* Each attribute but the padding. */
	EXPECT_EQ(((2ULL << TRUSTGATE_A_REQUEST_MAX) - 2) &
		  ~(1ULL << TRUSTGATE_A_REQUEST_PAD), request->present);
	EXPECT_EQ(id, request->id);
	EXPECT_EQ(self->volume.id, request->volume_id);
	EXPECT_EQ(self->actor.pid, request->pid);
	EXPECT_EQ(self->actor.pid, request->tid);
	EXPECT_EQ(start_ticks_of(self->actor.pid), request->start_ticks);
	EXPECT_EQ(0, request->uid);
	EXPECT_STREQ(event.comm, request->comm);
	EXPECT_EQ(GATE_READ | GATE_WRITE, request->access);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, request->cause);
	EXPECT_EQ(info.st_ino, request->ino);
	EXPECT_STREQ("/db/a", request->path);
	EXPECT_EQ(event.expires_boottime_ns, request->deadline_boottime_ns);
	EXPECT_EQ(LONG_NS, request->deadline_boottime_ns -
			   request->raised_boottime_ns);

	EXPECT_EQ(-ENOENT, trustgate_request_get(self->gate.conn, id + 1,
						 request));
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(-ENOENT, trustgate_request_get(self->gate.conn, id, request));
	free(request);
}

static void keep_path(const void *attrs, size_t length, void *context)
{
	const struct nlattr *path = raw_find(attrs, length,
					     TRUSTGATE_A_REQUEST_PATH);

	if (path)
		snprintf(context, TRUSTGATE_PATH_MAX + 1, "%s",
			 (const char *)(path + 1));
}

/* By a socket of which the kernel does not know yet how much it takes. */
static int dump_path(char *path)
{
	static struct raw_message message;
	struct raw_socket known, fresh;
	int err = raw_open(&known);

	if (err)
		return err;
	fresh = known;
	fresh.fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	raw_begin(&message, &fresh, TRUSTGATE_CMD_REQUEST_GET);
	err = raw_dump(&fresh, &message, keep_path, path, NULL, NULL);
	close(fresh.fd);
	raw_close(&known);
	return err;
}

/* Goes down and makes a file there, whose path is this long. */
static int go_down(char *path, size_t length)
{
	char name[251];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	path[0] = '\0';
	while (strlen(path) + sizeof(name) + 2 < length) {
		if (mkdir(name, 0755) || chdir(name))
			return -errno;
		strcat(strcat(path, "/"), name);
	}
	name[length - strlen(path) - 1] = '\0';
	strcat(strcat(path, "/"), name);
	return disk_file(name, "deep", 0644);
}

/*
 * An event has the end of a long path, a request has all of it, and a dump ends
 * at none.
 */
TEST_F(answer, long_path)
{
	struct trustgate_request *request = calloc(1, sizeof(*request));
	static char dumped[TRUSTGATE_PATH_MAX + 1];
	static char path[TRUSTGATE_PATH_MAX + 1];
	struct trustgate_event event;
	uint64_t id, grant;
	const char *name;

	ASSERT_NE(NULL, request);
	grant = gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				GATE_ALL);
	ASSERT_EQ(0, go_down(path, TRUSTGATE_PATH_MAX));
	ASSERT_EQ(TRUSTGATE_PATH_MAX, strlen(path));
	ASSERT_EQ(0, gate_revoke(&self->gate, grant));
	name = strrchr(path, '/') + 1;

	actor_stop(&self->actor);
	ASSERT_EQ(0, actor_start(&self->actor));
	BEGIN(attempt_open, name, O_RDONLY);
	id = asking_raised(&self->gate, &event);
	EXPECT_TRUE(event.path_cut);
	EXPECT_EQ(TRUSTGATE_EVENT_PATH_MAX, strlen(event.path));
	ASSERT_EQ(0, trustgate_request_get(self->gate.conn, id, request));
	EXPECT_STREQ(path, request->path);
	EXPECT_EQ(0, dump_path(dumped));
	EXPECT_STREQ(path, dumped);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	free(request);
}

struct listed {
	uint64_t last;
	unsigned int count;
	unsigned int disordered;
};

static int list_begin(void *userdata)
{
	*(struct listed *)userdata = (struct listed) {};
	return 0;
}

static int list_one(const struct trustgate_request *request, void *userdata)
{
	struct listed *listed = userdata;

	listed->disordered += request->id <= listed->last;
	listed->last = request->id;
	listed->count++;
	return 0;
}

static unsigned int list(struct gate *gate, uint32_t volume_id)
{
	static const struct trustgate_request_visitor visitor = {
		.begin = list_begin, .request = list_one,
	};
	struct listed listed = {};

	if (trustgate_request_each(gate->conn, volume_id, &visitor, &listed,
				   NULL) || listed.disordered)
		return ~0U;
	return listed.count;
}

static struct trustgate_grant_request answer_to(uint64_t id)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;

	request.request = id;
	request.expires_boottime_ns = gate_now_ns() + 60 * GATE_SECOND_NS;
	request.reason = TRUSTGATE_REASON_INCIDENT;
	return request;
}

/* Refused is the answer, not the request. */
TEST_F(answer, wrong_answers_leave_it_open)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
#define WRONG(error, attribute, ...)					\
	do {								\
		request = answer_to(id);				\
		__VA_ARGS__						\
		EXPECT_EQ(error, trustgate_grant_add(self->gate.conn,	\
						     &request, 1, &added)); \
		EXPECT_STREQ(attribute,					\
			     trustgate_error_attribute(self->gate.conn)); \
		EXPECT_EQ(1, asking_waiting(&self->gate, id));		\
	} while (0)
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
	WRONG(-ENOENT, "grant[0].request", request.request = id + 1;);
	WRONG(-EINVAL, "grant[0].reason", request.reason = 0;);
	WRONG(-EINVAL, "grant[0].expires-boottime-ns",
	      request.expires_boottime_ns = 1;);
	WRONG(-EINVAL, "grant[0].path",
	      request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;);
	WRONG(-ENOENT, "grant[0].volume-id", request.volume_id = 99999;);
	WRONG(-ESRCH, "grant[0].pid", request.pid = 4000000;);
	WRONG(-ENOENT, "grant[0].path", request.path = "db/none";);
#undef WRONG
	EXPECT_EQ(1, asking_open(&self->gate));
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
	/* Too late. */
	request = answer_to(id);
	EXPECT_EQ(-ENOENT, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
}

TEST_F(answer, wider_than_asked)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;
	struct stat info;
	uint64_t id;

	ASSERT_EQ(0, stat("db", &info));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	request = answer_to(id);
	request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	request.path = "db";
	request.access = GATE_READ | GATE_WRITE;
	ASSERT_EQ(0, trustgate_grant_add(self->gate.conn, &request, 1, &added));
	EXPECT_EQ(self->actor.pid, added.pid);
	EXPECT_EQ(info.st_ino, added.ino);
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, actor_do(&self->actor, attempt_open, "db/b", O_RDWR));
}

/* A grant that does not help is an answer all the same: no endless question. */
TEST_F(answer, narrower_than_asked)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDWR);
	id = asking_raised(&self->gate, NULL);
	request = answer_to(id);
	request.access = GATE_READ;
	ASSERT_EQ(0, trustgate_grant_add(self->gate.conn, &request, 1, &added));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_WRONG_ACCESS));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_ASKED));
	EXPECT_EQ(0, actor_do(&self->actor, attempt_open, "db/a", O_RDONLY));
}

/* Given without a word about the request, it does not end the wait. */
TEST_F(answer, grant_that_answers_nothing)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume,
				     self->actor.pid, "db/a", GATE_READ));
	sleep(1);
	EXPECT_EQ(1, asking_waiting(&self->gate, id));
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	/* What counts is whether it is allowed. */
	EXPECT_EQ(0, END());
}

TEST_F(answer, batch)
{
	struct trustgate_grant_request requests[3];
	struct trustgate_grant_added added[3];
	struct actor others[2];
	uint64_t ids[3], refused;

	ASSERT_EQ(0, actor_start(&others[0]));
	ASSERT_EQ(0, actor_start(&others[1]));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	ids[0] = asking_raised(&self->gate, NULL);
	actor_begin(&others[0], attempt_open, "db/a", O_RDONLY);
	ids[1] = asking_raised(&self->gate, NULL);
	actor_begin(&others[1], attempt_open, "db/b", O_RDONLY);
	ids[2] = asking_raised(&self->gate, NULL);
	EXPECT_EQ(3, list(&self->gate, 0));
	EXPECT_EQ(3, list(&self->gate, self->volume.id));
	EXPECT_EQ(0, list(&self->gate, self->volume.id + 1));

	/* All or none. */
	for (int i = 0; i < 3; i++)
		requests[i] = answer_to(ids[i]);
	requests[2].reason = TRUSTGATE_REASON_UNSPECIFIED;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(self->gate.conn, requests, 3,
					       added));
	EXPECT_EQ(3, list(&self->gate, 0));
	EXPECT_EQ(0, trustgate_grant_add(self->gate.conn, requests, 2, added));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, actor_end(&others[0]));
	EXPECT_EQ(1, list(&self->gate, 0));

	/* Those that are not open are passed over. */
	EXPECT_EQ(0, trustgate_request_refuse(self->gate.conn, ids, 3,
					      &refused));
	EXPECT_EQ(1, refused);
	EXPECT_EQ(EACCES, actor_end(&others[1]));
	EXPECT_EQ(-EINVAL, trustgate_request_refuse(self->gate.conn, ids, 0,
						    &refused));
}

static void *open_in_thread(void *path)
{
	return (void *)(long)attempt_open(path, O_RDONLY);
}

/* One thread asks, then another executes something. */
static int part_ask_and_exec(const char *path, long unused)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, open_in_thread, (void *)path))
		return EAGAIN;
	sleep(1);
	execl("/bin/sleep", "sleep", "1000", NULL);
	return errno;
}

/* A program is not given what another has asked for. */
TEST_F(answer, other_program)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;
	uint64_t id;

	BEGIN(part_ask_and_exec, "db/a", 0);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	/* The other end of its socket closes with the exec. */
	EXPECT_EQ(-EPIPE, END());
	request = answer_to(id);
	EXPECT_NE(0, trustgate_grant_add(self->gate.conn, &request, 1, &added));
	EXPECT_EQ(TRUSTGATE_REQUEST_END_WITHDRAWN,
		  asking_closed(&self->gate, id));
	kill(self->actor.pid, SIGKILL);
}

/* Crowds. */

static void *open_one(void *name)
{
	return (void *)(long)attempt_open(name, O_RDONLY);
}

/* Opens files, each in a thread; returns how many it could not. */
static int part_open_files(const char *directory, long count)
{
	static char names[FILES][64];
	pthread_t threads[FILES];
	int i, denied = 0;
	void *result;

	for (i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "%s/%d", directory, i);
		if (pthread_create(&threads[i], NULL, open_one, names[i]))
			return -EAGAIN;
	}
	for (i = 0; i < count; i++) {
		pthread_join(threads[i], &result);
		denied += result == (void *)EACCES;
	}
	return denied;
}

static int make_files(struct gate *gate, struct volume *volume)
{
	uint64_t id = gate_grant_tree(gate, volume, getpid(), ".", GATE_ALL);
	char name[16];
	int i, err = id ? 0 : -EACCES;

	for (i = 0; i < FILES && !err; i++) {
		snprintf(name, sizeof(name), "db/%d", i);
		err = disk_file(name, "x", 0644);
	}
	return err ?: gate_revoke(gate, id);
}

/* Gives grants to all that are open, as many as there shall be in all. */
struct crowd {
	struct trustgate_grant_request requests[TRUSTGATE_BATCH_MAX];
	struct trustgate_grant_added added[TRUSTGATE_BATCH_MAX];
	size_t count;
};

static int crowd_one(const struct trustgate_request *request, void *userdata)
{
	struct crowd *crowd = userdata;

	crowd->requests[crowd->count++] = answer_to(request->id);
	return crowd->count == TRUSTGATE_BATCH_MAX;
}

static int crowd_begin(void *userdata)
{
	((struct crowd *)userdata)->count = 0;
	return 0;
}

TEST_F_TIMEOUT(answer, crowd, 240)
{
	static const struct trustgate_request_visitor visitor = {
		.begin = crowd_begin, .request = crowd_one,
	};
	static struct crowd crowd;
	struct actor actors[CROWD];
	unsigned int granted = 0;
	int i;

	ASSERT_EQ(0, make_files(&self->gate, &self->volume));
	for (i = 0; i < CROWD; i++) {
		ASSERT_EQ(0, actor_start(&actors[i]));
		actor_begin(&actors[i], part_open_files, "db", FILES);
	}
	EVENTUALLY(asking_open(&self->gate) == CROWD * FILES);
	EXPECT_EQ(CROWD * FILES, list(&self->gate, self->volume.id));
	while (granted < CROWD * FILES) {
		ASSERT_LE(0, trustgate_request_each(self->gate.conn, 0,
						    &visitor, &crowd, NULL));
		ASSERT_NE(0, crowd.count);
		ASSERT_EQ(0, trustgate_grant_add(self->gate.conn,
						 crowd.requests, crowd.count,
						 crowd.added));
		granted += crowd.count;
	}
	for (i = 0; i < CROWD; i++)
		EXPECT_EQ(0, actor_end(&actors[i]));
	EXPECT_EQ(CROWD * FILES, granted);
	EXPECT_EQ(0, asking_open(&self->gate));
	EXPECT_EQ(CROWD * FILES, volume_count(&self->gate, &self->volume,
					      TRUSTGATE_CAUSE_ASKED));
}

/* With room for few. */

static bool table_is_small(void)
{
	char most[16] = "";
	FILE *file = fopen("/sys/module/trustgate_core/parameters/max_requests",
			   "re");

	if (file) {
		if (!fgets(most, sizeof(most), file))
			most[0] = '\0';
		fclose(file);
	}
	return !strcmp(most, SMALL "\n");
}

static pid_t first_process;

static void leave_as_it_was(void)
{
	if (getpid() == first_process && table_is_small() && module_reload(""))
		fprintf(stderr, "# the module keeps its small table\n");
}

__attribute__((constructor))
static void be_tidy(void)
{
	first_process = getpid();
	atexit(leave_as_it_was);
}

FIXTURE(full) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(full)
{
	struct gate gate;

	GATE_OPEN(&gate);
	gate_close(&gate);
	ASSERT_EQ(0, module_reload("max_requests=" SMALL));
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "tmpfs",
				   LONG_NS));
	ASSERT_EQ(0, make_files(&self->gate, &self->volume));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(full)
{
	gate_clean();
}

static int part_become_user(const char *text, long uid)
{
	return setresuid(uid, uid, uid) ? errno : 0;
}

#define COUNT(cause) volume_count(&self->gate, &self->volume,		\
				  TRUSTGATE_CAUSE_##cause)

static int refuse_one(const struct trustgate_request *request, void *userdata)
{
	struct crowd *crowd = userdata;

	crowd->requests[crowd->count++].request = request->id;
	return 0;
}

/* Refuses all that are open; returns how many. */
static uint64_t refuse_open(struct gate *gate)
{
	static const struct trustgate_request_visitor visitor = {
		.begin = crowd_begin, .request = refuse_one,
	};
	static struct crowd crowd;
	uint64_t ids[TRUSTGATE_BATCH_MAX], refused = 0;

	if (trustgate_request_each(gate->conn, 0, &visitor, &crowd, NULL) ||
	    !crowd.count)
		return 0;
	for (size_t i = 0; i < crowd.count; i++)
		ids[i] = crowd.requests[i].request;
	trustgate_request_refuse(gate->conn, ids, crowd.count, &refused);
	return refused;
}

TEST_F_TIMEOUT(full, denies_and_makes_room, 120)
{
	struct actor first, second, user;

	ASSERT_EQ(0, actor_start(&first));
	ASSERT_EQ(0, actor_start(&second));
	ASSERT_EQ(0, actor_start(&user));
	/* One who is not root gets an eighth of it, which is two. */
	ASSERT_EQ(0, actor_do(&user, part_become_user, "", 1000));
	actor_begin(&user, part_open_files, "db", 5);
	EVENTUALLY(COUNT(CROWDED) == 3);
	EXPECT_EQ(2, asking_open(&self->gate));
	/* Others have the rest. */
	actor_begin(&first, part_open_files, "db", 20);
	EVENTUALLY(COUNT(CROWDED) == 9);
	EXPECT_EQ(16, asking_open(&self->gate));
	EXPECT_EQ(16, COUNT(ASKED));

	EXPECT_EQ(16, refuse_open(&self->gate));
	EXPECT_EQ(5, actor_end(&user));
	EXPECT_EQ(20, actor_end(&first));
	/* Answers that stand do not keep others from asking. */
	actor_begin(&second, part_open_files, "db", 16);
	EVENTUALLY(asking_open(&self->gate) == 16);
	EXPECT_EQ(9, COUNT(CROWDED));
	EXPECT_EQ(16, refuse_open(&self->gate));
	EXPECT_EQ(16, actor_end(&second));
}

TEST_HARNESS_MAIN
