// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask_soon_test - answers that come while the open still waits in its hook, and
 * answers that come later; how soon it is asked again.
 *
 * Owns: that the first go on with the file that was found, that the others look
 * for it anew, what the agent is told meanwhile, and how long a grant keeps the
 * same question from being asked.
 *
 * Must not own: what the answers are (ask_answer_test.c), what waits at all
 * (ask_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "asking.h"
#include "attempt.h"
#include "disk.h"

/* For the second question, if there is one; nobody answers it. */
#define SHORT_NS	(4 * GATE_SECOND_NS)

/* Far longer than a hook waits. */
#define LATE_NS		(GATE_SECOND_NS / 2)

/* On a slow host the answer may come too late once. */
#define TRIES		10

FIXTURE(soon) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

FIXTURE_SETUP(soon)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "tmpfs",
				   SHORT_NS));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	ASSERT_EQ(0, actor_start(&self->actor));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(soon)
{
	gate_clean();
}

/*
 * A file is asked for, another takes its name, and the first is granted. What
 * comes of the open: 0, the file that was asked for; EACCES, it has looked again
 * and met the other.
 */
static int open_while_replaced(struct gate *gate, const struct actor *actor,
			       uint64_t after_ns)
{
	static unsigned int files;
	const struct timespec late = { .tv_nsec = (long)after_ns };
	char name[32], other[32];
	uint64_t id;

	snprintf(name, sizeof(name), "asked-%u", files);
	snprintf(other, sizeof(other), "other-%u", files++);
	if (disk_file(name, "asked", 0644) || disk_file(other, "other", 0644))
		return -1;
	gate_forget_events(gate);
	actor_begin(actor, attempt_open, name, O_RDONLY);
	id = asking_raised(gate, NULL);
	if (after_ns)
		nanosleep(&late, NULL);
	if (!id || rename(other, name) || !asking_grant(gate, id))
		return -1;
	return actor_end(actor);
}

TEST_F(soon, answered_at_once)
{
	unsigned int tries = 0;
	int result;

	do {
		result = open_while_replaced(&self->gate, &self->actor, 0);
	} while (result == EACCES && ++tries < TRIES);
	EXPECT_EQ(0, result);
	EXPECT_EQ(tries, volume_count(&self->gate, &self->volume,
				      TRUSTGATE_CAUSE_UNANSWERED));
}

/* The grant is for a file, and does not go with its name. */
TEST_F(soon, answered_late)
{
	EXPECT_EQ(EACCES, open_while_replaced(&self->gate,
					      &self->actor, LATE_NS));
	EXPECT_EQ(2, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_ASKED));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_UNANSWERED));
}

/* Whoever waits in the hook waits no longer than those who wait outside. */
TEST_F(soon, refused_at_once)
{
	uint64_t id;

	ASSERT_EQ(0, disk_file("refused", "", 0644));
	gate_forget_events(&self->gate);
	actor_begin(&self->actor, attempt_open, "refused", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, actor_end(&self->actor));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_ASKED));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_REFUSED));
}

/* The next event of whatever kind, of what happened since gate_forget_events(). */
static int next_event(struct gate *gate, struct trustgate_event *event)
{
	struct pollfd ready = { .fd = trustgate_fd(gate->conn), .events = POLLIN };
	const int limit_ms = (int)gate_patience(10) * 1000;
	int more;

	do {
		more = trustgate_event_next(gate->conn, event);
		if (!more && poll(&ready, 1, limit_ms) <= 0)
			return -ETIMEDOUT;
		if (more < 0)
			return more;
	} while (!more ||
		 event->time_boottime_ns < gate->events_from_boottime_ns);
	return 0;
}

/*
 * What the asking thread sends itself and what a worker sends come in one order,
 * each of it once.
 */
TEST_F(soon, told_in_order)
{
	struct trustgate_event event;
	uint64_t last = 0, raised = 0, added = 0, closed = 0;
	unsigned int i;
	char name[32];

	for (i = 0; i < TRIES; i++) {
		snprintf(name, sizeof(name), "order-%u", i);
		ASSERT_EQ(0, disk_file(name, "", 0644));
	}
	gate_forget_events(&self->gate);
	for (i = 0; i < TRIES; i++) {
		snprintf(name, sizeof(name), "order-%u", i);
		actor_begin(&self->actor, attempt_open, name, O_RDONLY);
		do {
			ASSERT_EQ(0, next_event(&self->gate, &event));
			if (last)
				EXPECT_EQ(last + 1, event.seq);
			last = event.seq;
			added += event.type == TRUSTGATE_EVENT_TYPE_GRANT_ADDED;
			closed += event.type ==
				  TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED;
		} while (event.type != TRUSTGATE_EVENT_TYPE_REQUEST_RAISED);
		raised++;
		ASSERT_NE(0, asking_grant(&self->gate, event.request_id));
		EXPECT_EQ(0, actor_end(&self->actor));
	}
	while (added < raised || closed < raised) {
		ASSERT_EQ(0, next_event(&self->gate, &event));
		EXPECT_EQ(last + 1, event.seq);
		last = event.seq;
		added += event.type == TRUSTGATE_EVENT_TYPE_GRANT_ADDED;
		closed += event.type == TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED;
	}
	EXPECT_EQ(TRIES, raised);
	EXPECT_EQ(TRIES, added);
	EXPECT_EQ(TRIES, closed);
}

/* What expires sooner than an answer stands for is asked for again at once. */
TEST_F(soon, asked_again_after_the_grant)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;
	uint64_t id;

	ASSERT_EQ(0, disk_file("brief", "", 0644));
	gate_forget_events(&self->gate);
	actor_begin(&self->actor, attempt_open, "brief", O_RDONLY);
	request.request = asking_raised(&self->gate, NULL);
	request.expires_boottime_ns = gate_now_ns() + 3 * GATE_SECOND_NS;
	request.reason = TRUSTGATE_REASON_INCIDENT;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(0, actor_end(&self->actor));
	gate_sleep_until(request.expires_boottime_ns);
	actor_begin(&self->actor, attempt_open, "brief", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	EXPECT_NE(0, id);
	EXPECT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, actor_end(&self->actor));
}

/* One that is over before the open comes back does not keep it asking. */
TEST_F(soon, not_asked_again_and_again)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;

	ASSERT_EQ(0, disk_file("over", "", 0644));
	gate_forget_events(&self->gate);
	actor_begin(&self->actor, attempt_open, "over", O_RDONLY);
	request.request = asking_raised(&self->gate, NULL);
	request.expires_boottime_ns = gate_now_ns() + GATE_SECOND_NS / 10;
	request.reason = TRUSTGATE_REASON_INCIDENT;
	kill(self->actor.pid, SIGSTOP);
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	gate_sleep_until(request.expires_boottime_ns);
	kill(self->actor.pid, SIGCONT);
	EXPECT_EQ(EACCES, actor_end(&self->actor));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_ASKED));
}

TEST_HARNESS_MAIN
