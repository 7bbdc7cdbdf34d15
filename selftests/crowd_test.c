// SPDX-License-Identifier: GPL-2.0-only
/*
 * crowd_test - ten thousand opens wait at once.
 *
 * Owns: that each of them gets its own answer and none is lost, that one more is
 * denied, and that all are when the agent is gone.
 *
 * Must not own: what the answers are (ask_answer_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "asking.h"
#include "attempt.h"
#include "module.h"

/* Processes, and files that each opens by threads of its own. */
#define SUBJECTS	25
#define FILES		400
#define CROWD		(SUBJECTS * FILES)
#define MOST		"10000"
#define EXTRA		16

#define STACK		32768
#define LONG_NS		(600 * GATE_SECOND_NS)

FIXTURE(crowd) {
	struct gate gate;
	struct volume volume;
	struct actor actors[SUBJECTS];
	struct actor extra;
	char directory[128];
};

static int make_files(struct gate *gate, struct volume *volume)
{
	uint64_t id = gate_grant_tree(gate, volume, getpid(), ".", GATE_ALL);
	int err = id ? 0 : -EACCES;
	char name[16];

	for (int i = 0; i < FILES && !err; i++) {
		snprintf(name, sizeof(name), "db/%d", i);
		err = disk_file(name, "x", 0644);
	}
	return err ?: gate_revoke(gate, id);
}

FIXTURE_SETUP(crowd)
{
	GATE_OPEN(&self->gate);
	gate_close(&self->gate);
	ASSERT_EQ(0, module_reload("max_requests=" MOST));
	module_log_mark();
	/* Before there is a socket that they would keep open. */
	ASSERT_EQ(0, actor_start(&self->extra));
	for (int i = 0; i < SUBJECTS; i++)
		ASSERT_EQ(0, actor_start(&self->actors[i]));
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "tmpfs",
				   LONG_NS));
	ASSERT_EQ(0, make_files(&self->gate, &self->volume));
	gate_forget_events(&self->gate);
	snprintf(self->directory, sizeof(self->directory), "%s/db",
		 self->volume.disk.path);
}

FIXTURE_TEARDOWN_PARENT(crowd)
{
	gate_clean();
	if (module_reload(""))
		fprintf(stderr, "# the module keeps its table\n");
}

/* Those that are to be granted; the others are to be refused. */
static bool is_granted(int file)
{
	return file % 2;
}

struct opener {
	pthread_t thread;
	char name[160];
	long flags;
	int result;
};

static void *open_one(void *userdata)
{
	struct opener *opener = userdata;

	opener->result = attempt_open(opener->name, opener->flags);
	return NULL;
}

/* Opens that many files at once; -errno, or the openers have their results. */
static int open_files(struct opener *openers, const char *directory, int count,
		      long flags)
{
	pthread_attr_t attr;
	int err = 0, begun;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	for (begun = 0; begun < count && !err; begun += !err) {
		struct opener *opener = &openers[begun];

		snprintf(opener->name, sizeof(opener->name), "%s/%d", directory,
			 begun);
		opener->flags = flags;
		err = pthread_create(&opener->thread, &attr, open_one, opener);
	}
	for (int i = 0; i < begun; i++)
		pthread_join(openers[i].thread, NULL);
	return -err;
}

/* Returns how many of all files did not end as they should, or -errno. */
static int part_read_all(const char *directory, long unused)
{
	static struct opener openers[FILES];
	int wrong = 0, err;

	err = open_files(openers, directory, FILES, O_RDONLY);
	for (int i = 0; i < FILES && !err; i++)
		wrong += openers[i].result != (is_granted(i) ? 0 : EACCES);
	return err ?: wrong;
}

/* Returns how many files were denied, or -errno. */
static int part_write_some(const char *directory, long count)
{
	static struct opener openers[FILES];
	int denied = 0, err;

	err = open_files(openers, directory, (int)count, O_WRONLY);
	for (int i = 0; i < count && !err; i++)
		denied += openers[i].result == EACCES;
	return err ?: denied;
}

/* What the agent has been told and the socket holds. */
static void take_events(struct gate *gate)
{
	struct trustgate_event event;
	int more;

	do {
		more = trustgate_event_next(gate->conn, &event);
	} while (more > 0 || more == -ENOBUFS);
}

static unsigned int seconds_since(uint64_t since_ns)
{
	return (unsigned int)((gate_now_ns() - since_ns) / GATE_SECOND_NS);
}

/* Do as many wait, in a time that begins now? */
static bool gathers(struct gate *gate, unsigned int number)
{
	const uint64_t began_ns = gate_now_ns();

	while (asking_open(gate) != number) {
		take_events(gate);
		if (seconds_since(began_ns) > gate_patience(90)) {
			fprintf(stderr, "# %u wait\n", asking_open(gate));
			return false;
		}
		usleep(100000);
	}
	return true;
}

/* Of all that wait: who is to be granted, and who is not. */
struct answers {
	uint64_t granted[CROWD];
	uint64_t refused[CROWD];
	size_t nr_granted;
	size_t nr_refused;
};

static int begin_answers(void *userdata)
{
	struct answers *answers = userdata;

	answers->nr_granted = 0;
	answers->nr_refused = 0;
	return 0;
}

static int take_request(const struct trustgate_request *request,
			void *userdata)
{
	struct answers *answers = userdata;

	if (answers->nr_granted + answers->nr_refused == CROWD)
		return -EOVERFLOW;
	if (is_granted(atoi(strrchr(request->path, '/') + 1)))
		answers->granted[answers->nr_granted++] = request->id;
	else
		answers->refused[answers->nr_refused++] = request->id;
	return 0;
}

static size_t next_batch(size_t done, size_t all)
{
	return all - done < TRUSTGATE_BATCH_MAX ? all - done :
						  TRUSTGATE_BATCH_MAX;
}

static int grant_all(struct gate *gate, const struct answers *answers)
{
	static struct trustgate_grant_request requests[TRUSTGATE_BATCH_MAX];
	static struct trustgate_grant_added added[TRUSTGATE_BATCH_MAX];
	size_t done, count;
	int err = 0;

	for (done = 0; done < answers->nr_granted && !err; done += count) {
		count = next_batch(done, answers->nr_granted);
		for (size_t i = 0; i < count; i++) {
			requests[i] = (struct trustgate_grant_request)
				TRUSTGATE_GRANT_REQUEST_INIT;
			requests[i].request = answers->granted[done + i];
			requests[i].expires_boottime_ns = gate_now_ns() +
							  LONG_NS;
			requests[i].reason = TRUSTGATE_REASON_INCIDENT;
		}
		err = trustgate_grant_add(gate->conn, requests, count, added);
		take_events(gate);
	}
	return err;
}

static uint64_t refuse_all(struct gate *gate, const struct answers *answers)
{
	uint64_t all = 0, refused;
	size_t done, count;

	for (done = 0; done < answers->nr_refused; done += count) {
		count = next_batch(done, answers->nr_refused);
		refused = 0;
		trustgate_request_refuse(gate->conn, answers->refused + done,
					 count, &refused);
		all += refused;
		take_events(gate);
	}
	return all;
}

/* How many have done their part? */
static int nr_done(const struct actor *actors)
{
	struct pollfd ready[SUBJECTS];

	for (int i = 0; i < SUBJECTS; i++)
		ready[i] = (struct pollfd){ actors[i].fd, POLLIN, 0 };
	return poll(ready, SUBJECTS, 0);
}

/*
 * Until all have ended. Who comes back for his answer when it stands no longer,
 * as there is much to do, asks once more.
 */
static int answer_all(struct gate *gate, const struct actor *actors)
{
	static const struct trustgate_request_visitor visitor = {
		.begin = begin_answers, .request = take_request,
	};
	static struct answers answers;
	const uint64_t began_ns = gate_now_ns();
	int err = 0;

	while (nr_done(actors) < SUBJECTS && !err) {
		err = trustgate_request_each(gate->conn, 0, &visitor, &answers,
					     NULL);
		err = err ?: grant_all(gate, &answers);
		if (!err && refuse_all(gate, &answers) != answers.nr_refused)
			err = -ENOENT;
		if (seconds_since(began_ns) > gate_patience(90))
			err = -ETIMEDOUT;
		usleep(100000);
	}
	return err;
}

#define COUNT(cause) volume_count(&self->gate, &self->volume,		\
				  TRUSTGATE_CAUSE_##cause)

TEST_F_TIMEOUT(crowd, ten_thousand, 230)
{
	uint64_t began_ns = gate_now_ns(), asked;

	for (int i = 0; i < SUBJECTS; i++)
		actor_begin(&self->actors[i], part_read_all, self->directory,
			    0);
	ASSERT_TRUE(gathers(&self->gate, CROWD));
	TH_LOG("%u wait after %u s", CROWD, seconds_since(began_ns));

	/* The table is full, which others do not have to wait for. */
	EXPECT_EQ(EXTRA, actor_do(&self->extra, part_write_some,
				  self->directory, EXTRA));
	EXPECT_EQ(EXTRA, COUNT(CROWDED));
	EXPECT_EQ(CROWD, asking_open(&self->gate));

	began_ns = gate_now_ns();
	ASSERT_EQ(0, answer_all(&self->gate, self->actors));
	for (int i = 0; i < SUBJECTS; i++)
		EXPECT_EQ(0, actor_end(&self->actors[i]));
	TH_LOG("answered after %u s", seconds_since(began_ns));
	EXPECT_EQ(0, asking_open(&self->gate));
	asked = COUNT(ASKED);
	EXPECT_LE(CROWD, asked);
	EXPECT_EQ(CROWD / 2, COUNT(REFUSED));

	/* They ask for something else, and nobody answers any more. */
	began_ns = gate_now_ns();
	for (int i = 0; i < SUBJECTS; i++)
		actor_begin(&self->actors[i], part_write_some, self->directory,
			    FILES);
	ASSERT_TRUE(gathers(&self->gate, CROWD));
	TH_LOG("%u wait once more after %u s", CROWD, seconds_since(began_ns));
	EXPECT_EQ(asked + CROWD, COUNT(ASKED));
	EXPECT_EQ(EXTRA, COUNT(CROWDED));
	began_ns = gate_now_ns();
	gate_close(&self->gate);
	for (int i = 0; i < SUBJECTS; i++)
		EXPECT_EQ(FILES, actor_end(&self->actors[i]));
	TH_LOG("denied %u s after the agent was gone", seconds_since(began_ns));
	EXPECT_GT(gate_patience(30), seconds_since(began_ns));

	ASSERT_EQ(0, gate_open(&self->gate));
	EXPECT_EQ(0, asking_open(&self->gate));
	EXPECT_FALSE(module_logged("soft lockup"));
	EXPECT_FALSE(module_logged("self-detected stall"));
	EXPECT_FALSE(module_logged("detected stalls"));
	EXPECT_FALSE(module_logged("blocked for more than"));
}

TEST_HARNESS_MAIN
