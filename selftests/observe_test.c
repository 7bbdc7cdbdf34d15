// SPDX-License-Identifier: GPL-2.0-only
/*
 * observe_test - volumes on which what would be denied is recorded, and done.
 *
 * Owns: what passes and what does not, that it is on record, that it ends by
 * itself, and that it is not forgotten.
 *
 * Must not own: who may begin it, which is the agent's to know.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "actor.h"
#include "asking.h"
#include "attempt.h"
#include "gate.h"
#include "holder.h"

#define FOR_LONG	(600 * GATE_SECOND_NS)
#define UNTIL		"observed-until-boottime-ns"

/* Of what a stopped agent's subject has done. */
struct outlived {
	unsigned int allowed;
	unsigned int late;
	unsigned int denied;
};

static struct outlived *outlived;

FIXTURE(observe) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(observe)
{
	outlived = mmap(NULL, sizeof(*outlived), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, outlived);
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(observe)
{
	gate_clean();
}

static int observe_until(struct trustgate_conn *conn,
			 const struct volume *volume, uint64_t until_ns)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_OBSERVED,
		.observed_until_boottime_ns = until_ns,
	};

	return trustgate_volume_set(conn, volume->id, &settings);
}

#define OBSERVE(for_ns)	ASSERT_EQ(0, observe_until(self->gate.conn,	\
						   &self->volume,	\
						   gate_now_ns() + (for_ns)))
#define OBSERVE_NO_MORE() ASSERT_EQ(0, observe_until(self->gate.conn,	\
						     &self->volume, 0))
#define COUNT(cause)	volume_count(&self->gate, &self->volume,	\
				     TRUSTGATE_CAUSE_##cause)
#define WAIT(type, event)						\
	gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_##type, event)

/* How many checks that ended so have denied nothing. */
static uint64_t passed(struct gate *gate, const struct volume *volume,
		       uint32_t cause)
{
	struct trustgate_volume now;

	if (trustgate_volume_get(gate->conn, volume->id, NULL, &now))
		return UINT64_MAX;
	for (size_t i = 0; i < now.counters_count; i++) {
		if (now.counters[i].cause == cause)
			return now.counters[i].observed;
	}
	return 0;
}

#define PASSED(cause)	passed(&self->gate, &self->volume,		\
			       TRUSTGATE_CAUSE_##cause)

/* What the kernel remembers of a volume. Returns 0 or -ENOENT. */
static int recall(struct gate *gate, const struct volume *volume,
		  struct trustgate_observation *observation)
{
	struct trustgate_gate state;
	int err = -ENOENT;

	if (trustgate_gate_get(gate->conn, &state))
		return -EIO;
	for (size_t i = 0; i < state.observations_count; i++) {
		if (strcmp(state.observations[i].volume_name, volume->name))
			continue;
		*observation = state.observations[i];
		err = 0;
	}
	trustgate_gate_clear(&state);
	return err;
}

static uint64_t newest_event(struct gate *gate)
{
	struct trustgate_gate state;

	if (trustgate_gate_get(gate->conn, &state))
		return 0;
	trustgate_gate_clear(&state);
	return state.event_seq;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) ? errno : 0;
}

TEST_F(observe, records_and_lets_pass)
{
	struct trustgate_event event;
	struct trustgate_volume volume;
	uint64_t until;
	void *page;
	int fd;

	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, WAIT(DENIED, &event));
	EXPECT_EQ(1, COUNT(NO_GRANT));
	EXPECT_EQ(0, PASSED(NO_GRANT));

	until = gate_now_ns() + FOR_LONG;
	ASSERT_EQ(0, observe_until(self->gate.conn, &self->volume, until));
	ASSERT_EQ(0, WAIT(OBSERVATION_BEGUN, &event));
	EXPECT_EQ(self->volume.id, event.volume_id);
	EXPECT_EQ(until, event.expires_boottime_ns);

	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, WAIT(OBSERVED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	EXPECT_EQ(GATE_READ, event.access);
	EXPECT_EQ(getpid(), event.pid);
	EXPECT_STREQ("file_open", event.hook);
	EXPECT_STREQ("/db/a", event.path);
	EXPECT_FALSE(trustgate_event_has(&event, TRUSTGATE_A_EVENT_GRANT_ID));

	EXPECT_EQ(0, attempt_read("db/a", 0));
	EXPECT_EQ(0, attempt_list("db", 0));
	EXPECT_EQ(0, attempt_open("db/new", O_WRONLY | O_CREAT));
	EXPECT_EQ(0, make_directory("db/directory"));
	EXPECT_EQ(0, rename("db/new", "db/directory/new"));
	EXPECT_EQ(0, unlink("db/directory/new"));
	EXPECT_EQ(0, rmdir("db/directory"));
	EXPECT_EQ(0, chmod("db/a", 0640));
	fd = open("db/b", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(0, attempt_write_fd("b", fd));
	EXPECT_EQ(0, ftruncate(fd, 10));
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	EXPECT_NE(MAP_FAILED, page);
	munmap(page, 4096);
	close(fd);

	/* Nothing of this is taken for allowed, or for denied. */
	EXPECT_EQ(0, COUNT(GRANTED));
	EXPECT_EQ(1, COUNT(NO_GRANT));
	EXPECT_LE(12, PASSED(NO_GRANT));
	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &volume));
	EXPECT_EQ(until, volume.observed_until_boottime_ns);
	EXPECT_LT(0, volume.observed_since_boottime_ns);
	EXPECT_GT(gate_now_ns(), volume.observed_since_boottime_ns);
}

/* The cause is the one that a denial would have. */
TEST_F(observe, tells_the_cause)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct trustgate_event event;
	uint64_t id;

	request.max_uses = 1;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	OBSERVE(FOR_LONG);
	EXPECT_EQ(0, attempt_open("db/a", O_WRONLY));
	ASSERT_EQ(0, WAIT(OBSERVED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_WRONG_ACCESS, event.cause);
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(1, COUNT(GRANTED));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, WAIT(OBSERVED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_USED_UP, event.cause);
	EXPECT_EQ(1, COUNT(GRANTED));
	EXPECT_EQ(1, PASSED(USED_UP));
	/* What a grant allows needs no observation, then or later. */
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/b", GATE_READ));
	EXPECT_EQ(0, attempt_open("db/b", O_RDONLY));
	EXPECT_EQ(2, COUNT(GRANTED));
	OBSERVE_NO_MORE();
	EXPECT_EQ(0, attempt_open("db/b", O_RDONLY));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
}

/* To the moment, while the agent can do nothing about it. */
static int outlive(const char *path, long until)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t before;

	if (fd < 0)
		return errno;
	kill(getppid(), SIGSTOP);
	do {
		before = gate_now_ns();
		if (attempt_read_fd(NULL, fd)) {
			outlived->denied++;
			/* A denial is work for those who are to tell of it. */
			usleep(2000);
		} else {
			outlived->allowed++;
			outlived->late += before >= (uint64_t)until;
		}
		before = gate_now_ns();
		if (attempt_open(path, O_RDONLY)) {
			outlived->denied++;
		} else {
			outlived->allowed++;
			outlived->late += before >= (uint64_t)until;
		}
	} while (before < (uint64_t)until + GATE_SECOND_NS / 4);
	kill(getppid(), SIGCONT);
	return 0;
}

TEST_F(observe, ends_by_the_clock)
{
	struct trustgate_observation observation;
	const uint64_t until = gate_now_ns() + 2 * GATE_SECOND_NS;
	struct trustgate_volume volume;
	struct trustgate_event event;
	struct actor actor;

	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_EQ(0, observe_until(self->gate.conn, &self->volume, until));
	actor_begin(&actor, outlive, "db/a", until);
	EXPECT_EQ(0, actor_end(&actor));
	EXPECT_LT(0, outlived->allowed);
	EXPECT_LT(1, outlived->denied);
	EXPECT_EQ(0, outlived->late);
	EXPECT_EQ(outlived->denied, COUNT(NO_GRANT));

	/* It shows, and it was told. */
	ASSERT_EQ(0, WAIT(OBSERVATION_ENDED, &event));
	EXPECT_EQ(TRUSTGATE_END_EXPIRED, event.end);
	EXPECT_EQ(self->volume.id, event.volume_id);
	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &volume));
	EXPECT_EQ(0, volume.observed_until_boottime_ns);
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &observation));
	EXPECT_FALSE(observation.live);
	EXPECT_EQ(until, observation.until_boottime_ns);
	EXPECT_LT(observation.since_boottime_ns, until);
	actor_stop(&actor);
}

/* The next that the volume's observation has begun or ended; 0 if neither comes. */
static uint32_t next_change(struct gate *gate, struct trustgate_event *event)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(10) * GATE_SECOND_NS;

	while (gate_now_ns() < until_ns) {
		if (trustgate_event_next(gate->conn, event) != 1)
			usleep(10000);
		else if (event->type == TRUSTGATE_EVENT_TYPE_OBSERVATION_BEGUN ||
			 event->type == TRUSTGATE_EVENT_TYPE_OBSERVATION_ENDED)
			return event->type;
	}
	return 0;
}

/* Whoever is first when the time is over, that it had ended is on record. */
TEST_F(observe, each_end_is_told)
{
	struct trustgate_observation observation = {};
	struct trustgate_event event;
	unsigned int i, before;
	uint64_t until;

	/* Another test may have had a volume of this name. */
	recall(&self->gate, &self->volume, &observation);
	before = observation.times;
	for (i = 0; i < 5; i++) {
		until = gate_now_ns() + GATE_SECOND_NS / 2;
		ASSERT_EQ(0, observe_until(self->gate.conn, &self->volume,
					   until));
		while (gate_now_ns() < until)
			;
		/* Now, before the kernel has looked at the clock. */
		OBSERVE(FOR_LONG);
		EXPECT_EQ(TRUSTGATE_EVENT_TYPE_OBSERVATION_BEGUN,
			  next_change(&self->gate, &event));
		ASSERT_EQ(TRUSTGATE_EVENT_TYPE_OBSERVATION_ENDED,
			  next_change(&self->gate, &event));
		EXPECT_EQ(TRUSTGATE_END_EXPIRED, event.end);
		EXPECT_EQ(TRUSTGATE_EVENT_TYPE_OBSERVATION_BEGUN,
			  next_change(&self->gate, &event));
		OBSERVE_NO_MORE();
		EXPECT_EQ(TRUSTGATE_EVENT_TYPE_OBSERVATION_ENDED,
			  next_change(&self->gate, &event));
	}
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &observation));
	EXPECT_EQ(before + 10, observation.times);
}

/* When the end is acknowledged, what was opened is of no use any more. */
TEST_F(observe, ends_when_told)
{
	struct trustgate_event event;
	int fd;

	OBSERVE(FOR_LONG);
	fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	OBSERVE_NO_MORE();
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, attempt_write_fd("a", fd));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, WAIT(OBSERVATION_ENDED, &event));
	EXPECT_EQ(TRUSTGATE_END_REVOKED, event.end);
	/* Again, and for less than was said first. */
	OBSERVE(FOR_LONG);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	OBSERVE(GATE_SECOND_NS / 4);
	gate_sleep_until(gate_now_ns() + GATE_SECOND_NS / 4);
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	close(fd);
}

/* Neither the end, nor the volume's release, has it forgotten. */
TEST_F(observe, is_remembered)
{
	struct trustgate_observation first, second;
	struct trustgate_event event;
	uint32_t times = 0;

	if (!recall(&self->gate, &self->volume, &first))
		times = first.times;
	OBSERVE(FOR_LONG);
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &first));
	EXPECT_TRUE(first.live);
	EXPECT_LT(gate_now_ns(), first.until_boottime_ns);
	EXPECT_EQ(times + 1, first.times);
	/* For longer is not anew. */
	OBSERVE(2 * FOR_LONG);
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &second));
	EXPECT_LT(first.until_boottime_ns, second.until_boottime_ns);
	EXPECT_EQ(times + 1, second.times);

	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	ASSERT_EQ(0, WAIT(OBSERVATION_ENDED, &event));
	EXPECT_EQ(TRUSTGATE_END_VOLUME_REMOVED, event.end);
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &second));
	EXPECT_FALSE(second.live);
	EXPECT_GE(gate_now_ns(), second.until_boottime_ns);

	/* Protected anew it is not observed. */
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	OBSERVE(FOR_LONG);
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &second));
	EXPECT_TRUE(second.live);
	EXPECT_EQ(times + 2, second.times);
	EXPECT_EQ(first.since_boottime_ns, second.since_boottime_ns);
}

static int look_at(const char *path, long unused)
{
	struct stat status;

	return stat(path, &status) ? errno : 0;
}

/* Protected and observed in one: nothing is denied in between. */
TEST_F(observe, from_the_beginning)
{
	struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_OBSERVED |
			  TRUSTGATE_VOLUME_FIELD_METADATA,
		.metadata = TRUSTGATE_METADATA_HIDDEN,
	};
	struct trustgate_event event;
	struct actor actor;

	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	settings.observed_until_boottime_ns = gate_now_ns() + FOR_LONG;
	ASSERT_EQ(0, volume_protect_with(&self->gate, &self->volume,
					 &settings));
	EXPECT_EQ(0, actor_do(&actor, look_at, "db/a", 0));
	ASSERT_EQ(0, WAIT(OBSERVED, &event));
	EXPECT_FALSE(trustgate_event_has(&event, TRUSTGATE_A_EVENT_ACCESS));
	EXPECT_EQ(0, actor_do(&actor, attempt_open, "db/a", O_RDONLY));
	EXPECT_EQ(0, COUNT(NO_GRANT));
	OBSERVE_NO_MORE();
	EXPECT_EQ(EACCES, actor_do(&actor, look_at, "db/a", 0));
	actor_stop(&actor);
}

/* Who reads and reads is recorded once, and counted each time. */
TEST_F(observe, repeated)
{
	uint64_t before, counted;
	struct actor actor;
	unsigned int i;
	cpu_set_t one;
	int fd, both;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	OBSERVE(FOR_LONG);
	fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, fd);
	before = newest_event(&self->gate);
	counted = PASSED(NO_GRANT);
	for (i = 0; i < 50; i++)
		ASSERT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(before + 1, newest_event(&self->gate));
	EXPECT_LE(counted + 50, PASSED(NO_GRANT));
	/* Another process is another matter, as is opening it anew. */
	ASSERT_EQ(0, actor_start(&actor));
	EXPECT_EQ(0, actor_do(&actor, attempt_read_fd, NULL, fd));
	EXPECT_EQ(0, actor_do(&actor, attempt_read_fd, NULL, fd));
	EXPECT_EQ(before + 2, newest_event(&self->gate));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(before + 5, newest_event(&self->gate));
	/* Writing is not reading, which is recorded. */
	both = open("db/a", O_RDWR);
	ASSERT_LE(0, both);
	EXPECT_EQ(0, attempt_read_fd(NULL, both));
	before = newest_event(&self->gate);
	EXPECT_EQ(0, attempt_write_fd("x", both));
	EXPECT_EQ(0, attempt_write_fd("y", both));
	EXPECT_EQ(before + 1, newest_event(&self->gate));
	close(both);
	/* And so is the next observation. */
	OBSERVE_NO_MORE();
	OBSERVE(FOR_LONG);
	before = newest_event(&self->gate);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(before + 1, newest_event(&self->gate));
	actor_stop(&actor);
	close(fd);
}

/* An open that waits goes on, and no other waits. */
TEST_F(observe, asks_nobody)
{
	struct trustgate_event event;
	struct actor actor;
	uint64_t id;

	ASSERT_EQ(0, asking_for(&self->gate, &self->volume, FOR_LONG));
	ASSERT_EQ(0, actor_start(&actor));
	actor_begin(&actor, attempt_read, "db/a", 0);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	OBSERVE(FOR_LONG);
	EXPECT_EQ(TRUSTGATE_REQUEST_END_VOLUME_CHANGED,
		  asking_closed(&self->gate, id));
	EXPECT_EQ(0, actor_end(&actor));
	EXPECT_EQ(0, actor_do(&actor, attempt_read, "db/b", 0));
	ASSERT_EQ(0, WAIT(OBSERVED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	EXPECT_EQ(1, COUNT(ASKED));
	EXPECT_EQ(0, asking_open(&self->gate));
	/* They ask again when it is over. */
	OBSERVE_NO_MORE();
	actor_begin(&actor, attempt_read, "db/b", 0);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, actor_end(&actor));
	actor_stop(&actor);
}

static int set_on_loss(struct gate *gate, const struct volume *volume,
		       uint32_t on_agent_loss)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS,
		.on_agent_loss = on_agent_loss,
	};

	return trustgate_volume_set(gate->conn, volume->id, &settings);
}

/* As a grant it goes on without the agent, or ends, as the volume is set. */
TEST_F(observe, agent_lost)
{
	struct trustgate_observation observation;

	OBSERVE(FOR_LONG);
	gate_close(&self->gate);
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, trustgate_new(&self->gate.conn));
	ASSERT_EQ(0, trustgate_connect(self->gate.conn));
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	ASSERT_EQ(0, set_on_loss(&self->gate, &self->volume,
				 TRUSTGATE_ON_AGENT_LOSS_REVOKE));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	gate_close(&self->gate);
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, trustgate_new(&self->gate.conn));
	ASSERT_EQ(0, trustgate_connect(self->gate.conn));
	ASSERT_EQ(0, recall(&self->gate, &self->volume, &observation));
	EXPECT_FALSE(observation.live);
}

/* What is refused changes nothing, and names what is wrong. */
TEST_F(observe, refusals)
{
	struct trustgate_conn *conn = self->gate.conn;
	struct trustgate_conn *other;
	const uint64_t now = gate_now_ns();

	EXPECT_EQ(-ERANGE, observe_until(conn, &self->volume, now +
					 TRUSTGATE_OBSERVE_MAX_NS +
					 600 * GATE_SECOND_NS));
	EXPECT_STREQ(UNTIL, trustgate_error_attribute(conn));
	EXPECT_NE(NULL, strstr(trustgate_error_message(conn), "7 days"));
	EXPECT_EQ(-ERANGE, observe_until(conn, &self->volume, UINT64_MAX));
	EXPECT_STREQ(UNTIL, trustgate_error_attribute(conn));
	EXPECT_EQ(-EINVAL, observe_until(conn, &self->volume, now - 1));
	EXPECT_STREQ(UNTIL, trustgate_error_attribute(conn));

	/* Root, but not the agent. */
	ASSERT_EQ(0, trustgate_new(&other));
	ASSERT_EQ(0, trustgate_connect(other));
	EXPECT_EQ(-EPERM, observe_until(other, &self->volume, now + FOR_LONG));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(0, PASSED(NO_GRANT));

	/* Nor does anybody else end it. */
	OBSERVE(TRUSTGATE_OBSERVE_MAX_NS);
	EXPECT_EQ(-EPERM, observe_until(other, &self->volume, 0));
	EXPECT_EQ(-ERANGE, observe_until(conn, &self->volume, UINT64_MAX));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	trustgate_free(other);
	OBSERVE_NO_MORE();
	OBSERVE_NO_MORE();
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
}

static void *stay(void *unused)
{
	pause();
	return NULL;
}

/* A loop device over a file that is on no volume. */
static int loop_over_elsewhere(const char *unused, long threads)
{
	struct loop_config config = {};
	pthread_t thread;
	int loop, err = 0;

	if (threads && pthread_create(&thread, NULL, stay, NULL))
		return EAGAIN;
	loop = disk_free_loop();
	config.fd = memfd_create("elsewhere", MFD_CLOEXEC);
	if (loop < 0 || (int)config.fd < 0 || ftruncate(config.fd, 65536))
		return EBADF;
	if (ioctl(loop, LOOP_CONFIGURE, &config))
		err = errno;
	else
		ioctl(loop, LOOP_CLR_FD, 0);
	close(config.fd);
	close(loop);
	return err;
}

static int loop_over(const char *path, long unused)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : loop_over_elsewhere(NULL, 0);
}

/* What would outlast it, or is for nobody whatever is granted. */
TEST_F(observe, is_not_for_everything)
{
	struct trustgate_event event;
	int fd;

	OBSERVE(FOR_LONG);
	EXPECT_EQ(EPERM, attempt_open(self->volume.disk.device, O_RDONLY));
	ASSERT_EQ(0, WAIT(DENIED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_FORBIDDEN, event.cause);
	EXPECT_EQ(-1, mount("/tmp", "db/sub", NULL, MS_BIND, NULL));
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, WAIT(DENIED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	EXPECT_STREQ("sb_mount", event.hook);
	fd = open(".", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, ioctl(fd, FIFREEZE, 0));
	EXPECT_EQ(EACCES, errno);
	close(fd);
	EXPECT_EQ(0, PASSED(FORBIDDEN));

	/* A loop device would go on reading the file that it was handed. */
	ASSERT_EQ(0, disk_load_loop());
	EXPECT_EQ(EACCES, actor_once(loop_over, "db/a", 0));
	EXPECT_EQ(EACCES, actor_once(loop_over_elsewhere, NULL, 1));
	/* Who cannot be handed one meanwhile is left alone. */
	EXPECT_EQ(0, actor_once(loop_over_elsewhere, NULL, 0));
	OBSERVE_NO_MORE();
	EXPECT_EQ(0, actor_once(loop_over_elsewhere, NULL, 1));
}

FIXTURE(memory) {
	struct gate gate;
	struct holders at;
};

FIXTURE_SETUP(memory)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, holder_open(&self->gate, &self->at));
}

FIXTURE_TEARDOWN_PARENT(memory)
{
	gate_clean();
}

/*
 * Whose access only passes is not guarded from others, who may have the same;
 * whoever has a grant is, then as ever.
 */
TEST_F(memory, guarded)
{
	struct trustgate_observation observation;

	ASSERT_EQ(0, observe_until(self->gate.conn, &self->at.volume,
				   gate_now_ns() + FOR_LONG));
	ASSERT_EQ(0, recall(&self->gate, &self->at.volume, &observation));
	EXPECT_EQ(0, actor_do(&self->at.stranger, holder_take, HOLDER_FILE, 0));
	EXPECT_EQ(0, actor_do(&self->at.stranger, holder_spawn, HOLDER_PROGRAM,
			      0));
	EXPECT_EQ(0, look_seize(holder_shared->pid));
	EXPECT_EQ(0, actor_do(&self->at.stranger, holder_reap, NULL,
			      holder_shared->pid));
	EXPECT_EQ(0, look_mem(self->at.stranger.pid));
	ASSERT_NE(0, HOLDER_GRANT(GATE_READ));
	EXPECT_EQ(0, HOLDER_TAKE());
	EXPECT_EQ(EACCES, look_mem(self->at.holder.pid));
	EXPECT_EQ(1, HOLDER_DENIALS());

	/* Somebody may have the memory open: it gets nothing more by a grant. */
	ASSERT_EQ(0, observe_until(self->gate.conn, &self->at.volume, 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->at.volume,
				     self->at.stranger.pid, HOLDER_FILE,
				     GATE_READ));
	EXPECT_EQ(EACCES, actor_do(&self->at.stranger, holder_take, HOLDER_FILE,
				   0));
	EXPECT_EQ(1, HOLDER_TRACED());
	EXPECT_EQ(EACCES, look_mem(self->at.holder.pid));
}

TEST_HARNESS_MAIN
