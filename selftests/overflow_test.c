// SPDX-License-Identifier: GPL-2.0-only
/*
 * overflow_test - events that are lost are counted, and nobody else's loss.
 *
 * Owns: the queue too short for a storm, an agent that is away or does not
 * read, a watcher that does not read. The module is loaded anew with a short
 * queue, and at the end as it was.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "kselftest_harness.h"

#include "audience.h"
#include "module.h"
#include "stage.h"

#define QUEUE		"16"
#define STORMERS	3

FIXTURE(overflow) {
	struct stage stage;
	struct raw_socket watcher;
};

static bool queue_is_short(void)
{
	char most[16] = "";
	FILE *file = fopen("/sys/module/trustgate_core/parameters/max_events",
			   "re");

	if (file) {
		if (!fgets(most, sizeof(most), file))
			most[0] = '\0';
		fclose(file);
	}
	return !strcmp(most, QUEUE "\n");
}

/* Loading takes its time: once for all tests that want the same. */
static int load_with(bool short_queue)
{
	if (queue_is_short() == short_queue)
		return 0;
	return module_reload(short_queue ? "max_events=" QUEUE : "");
}

FIXTURE_SETUP(overflow)
{
	struct gate gate;

	GATE_OPEN(&gate);
	gate_close(&gate);
	ASSERT_EQ(0, load_with(true));
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, audience_join(&self->watcher, AUDIENCE_ROOM));
	audience_forget(&self->watcher);
	audience_forget(&self->stage.agent);
}

FIXTURE_TEARDOWN_PARENT(overflow)
{
	gate_clean();
}

static pid_t first_process;

static void leave_as_it_was(void)
{
	if (getpid() == first_process && load_with(false))
		fprintf(stderr, "# the module keeps its short queue\n");
}

__attribute__((constructor))
static void be_tidy(void)
{
	first_process = getpid();
	atexit(leave_as_it_was);
}

/* Denials from several processes at a time. */
static void storm(unsigned int each)
{
	for (unsigned int i = 0; i < STORMERS; i++) {
		if (fork())
			continue;
		for (unsigned int j = 0; j < each; j++)
			open("db/a", O_RDONLY);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
}

/* What a receiver got: how many, and how many numbers were left out. */
struct tally {
	uint64_t first;
	uint64_t last;
	uint64_t received;
	uint64_t left_out;
	uint64_t dropped;
	unsigned int disordered;
	unsigned int wrong_dropped;
};

static void add(struct tally *tally, const struct raw_event *event,
		uint64_t missed_too)
{
	if (tally->received) {
		if (event->seq <= tally->last)
			tally->disordered++;
		tally->left_out += event->seq - tally->last - 1;
	} else {
		tally->first = event->seq;
	}
	tally->last = event->seq;
	tally->received++;
	tally->dropped = event->dropped;
	/* The gaps seen so far are those that the event itself tells of. */
	if (missed_too == 0 && event->dropped > tally->left_out)
		tally->wrong_dropped++;
}

/*
 * All that is there for a receiver, and one denial after it, so that a gap at
 * the end shows. @quiet_ms is how long nothing comes when that was all.
 */
static int add_all(struct tally *tally, struct raw_socket *socket,
		   int quiet_ms, uint64_t missed_too)
{
	struct raw_event event;
	int err;

	while (!raw_event_next(socket, &event, quiet_ms))
		add(tally, &event, missed_too);
	if (open("db/a", O_RDONLY) >= 0)
		return -EINVAL;
	err = raw_event_next(socket, &event, AUDIENCE_MS);
	if (!err)
		add(tally, &event, missed_too);
	return err;
}

TEST_F_TIMEOUT(overflow, drops_are_gaps, 200)
{
	struct raw_gate before, after;
	struct tally tally = {};
	struct raw_event event;
	unsigned int tries = 0;

	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	EXPECT_EQ(16, before.events_max);
	/* One that is received, so that the first gap shows. */
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_EQ(0, raw_event_next(&self->watcher, &event, AUDIENCE_MS));
	add(&tally, &event, 0);
	do {
		storm(2000);
		ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	} while (after.events_dropped == before.events_dropped &&
		 tries++ < 10);
	ASSERT_LT(before.events_dropped, after.events_dropped);
	ASSERT_EQ(0, add_all(&tally, &self->watcher, 1000, 0));

	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(0, tally.disordered);
	EXPECT_EQ(after.events_dropped - before.events_dropped,
		  tally.left_out);
	EXPECT_EQ(after.events_dropped, tally.dropped);
	EXPECT_EQ(after.event_seq, tally.last);
	EXPECT_EQ(0, tally.wrong_dropped);
	TH_LOG("%lu events, %lu dropped", (unsigned long)after.event_seq,
	       (unsigned long)after.events_dropped);
}

/* The agent's gaps are what was dropped and what it missed. */
TEST_F_TIMEOUT(overflow, agent_that_does_not_read, 200)
{
	struct raw_gate before, after;
	struct tally tally = {};
	struct raw_event event;

	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	add(&tally, &event, 1);
	ASSERT_EQ(0, raw_gate(&self->watcher, &before));
	storm(3000);
	/* Another socket, so that the agent's stays unread. */
	ASSERT_EQ(0, raw_gate(&self->watcher, &after));
	EXPECT_LT(before.events_agent_missed, after.events_agent_missed);

	/* It has missed some, and gets all that is left, in order. */
	ASSERT_EQ(0, add_all(&tally, &self->stage.agent, 2000, 1));
	EXPECT_EQ(0, tally.disordered);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(after.event_seq, tally.last);
	EXPECT_EQ(after.events_dropped - before.events_dropped +
		  after.events_agent_missed - before.events_agent_missed,
		  tally.left_out);

	/* And its requests are still answered. */
	EXPECT_EQ(0, raw_count_grants(&self->stage.agent));
}

TEST_F_TIMEOUT(overflow, agent_away_and_back, 60)
{
	struct raw_gate before, after;
	struct raw_event event;
	struct tally tally = {};
	struct raw_socket next;

	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	add(&tally, &event, 1);
	ASSERT_EQ(0, raw_gate(&self->watcher, &before));
	raw_close(&self->stage.agent);

	/* Slowly, so that the queue drops none of them. */
	for (unsigned int i = 0; i < 100; i++) {
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
		ASSERT_EQ(0, raw_event_find(&self->watcher, &event,
					    TRUSTGATE_EVENT_TYPE_DENIED,
					    AUDIENCE_MS));
	}
	ASSERT_EQ(0, raw_open(&next));
	ASSERT_EQ(0, raw_bind(&next, (const char *)gate_secret));
	while (!raw_event_next(&next, &event, 1000))
		add(&tally, &event, 1);
	/* The rest of a queue of 16, with its own binding as the last. */
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_BOUND, event.type);
	EXPECT_LE(10, tally.received);
	EXPECT_GE(20, tally.received);
	ASSERT_EQ(0, raw_gate(&next, &after));
	EXPECT_EQ(before.events_dropped, after.events_dropped);
	EXPECT_EQ(after.events_agent_missed - before.events_agent_missed,
		  tally.left_out);
	EXPECT_LE(80, tally.left_out);
	EXPECT_EQ(0, tally.disordered);
	raw_close(&next);
}

FIXTURE(backlog) {
	struct stage stage;
};

FIXTURE_SETUP(backlog)
{
	ASSERT_EQ(0, load_with(false));
	STAGE_OPEN(&self->stage);
	audience_forget(&self->stage.agent);
}

FIXTURE_TEARDOWN_PARENT(backlog)
{
	gate_clean();
}

/* As long as the queue holds them, an agent that comes back misses none. */
TEST_F(backlog, is_kept_for_the_next_agent)
{
	struct raw_socket next, other;
	struct raw_gate before, after;
	struct raw_event event;

	ASSERT_EQ(0, raw_open(&other));
	ASSERT_EQ(0, raw_gate(&other, &before));
	raw_close(&self->stage.agent);
	for (unsigned int i = 0; i < 200; i++)
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_EQ(0, raw_open(&next));
	ASSERT_EQ(0, raw_bind(&next, (const char *)gate_secret));

	ASSERT_EQ(0, raw_event_next(&next, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_LOST, event.type);
	EXPECT_EQ(before.event_seq + 1, event.seq);
	for (unsigned int i = 0; i < 200; i++) {
		ASSERT_EQ(0, raw_event_next(&next, &event, AUDIENCE_MS));
		ASSERT_EQ(TRUSTGATE_EVENT_TYPE_DENIED, event.type);
		ASSERT_EQ(before.event_seq + 2 + i, event.seq);
	}
	ASSERT_EQ(0, raw_event_next(&next, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_BOUND, event.type);
	ASSERT_EQ(0, raw_gate(&next, &after));
	EXPECT_EQ(before.events_agent_missed, after.events_agent_missed);
	raw_close(&next);
	raw_close(&other);
}

/* Who does not read loses events, and is told so; the agent loses none. */
TEST_F_TIMEOUT(backlog, slow_watcher_harms_only_itself, 60)
{
	struct raw_socket slow;
	struct raw_gate before, after;
	struct raw_event event;
	bool told = false;
	uint64_t seq;
	int err;

	ASSERT_EQ(0, audience_join(&slow, 4096));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	seq = before.event_seq;
	for (unsigned int i = 0; i < 1000; i++) {
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
		ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event,
					    AUDIENCE_MS));
		ASSERT_EQ(++seq, event.seq);
	}
	do {
		err = raw_event_next(&slow, &event, 500);
		told |= err == -ENOBUFS;
	} while (err != -ETIMEDOUT);
	EXPECT_TRUE(told);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(before.events_dropped, after.events_dropped);
	EXPECT_EQ(before.events_agent_missed, after.events_agent_missed);
	raw_close(&slow);
}

TEST_HARNESS_MAIN
