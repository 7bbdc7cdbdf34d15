// SPDX-License-Identifier: GPL-2.0-only
/*
 * suspend_test - the host sleeps, and time goes on.
 *
 * Owns: that what is limited in time is over when the host wakes up, at once and
 * before any timer, that the rest is as it was, and that waiting and answering
 * go on.
 *
 * Must not own: what the limits mean while the host is awake (grant_test.c,
 * ask_test.c).
 *
 * Memory keeps its content (S3), and the clock of the machine wakes it up. Only on
 * the bed: nobody wants that of his own host.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "asking.h"
#include "attempt.h"

#define ALARM		"/sys/class/rtc/rtc0/wakealarm"

/* The host sleeps so long; what is to end meanwhile lasts so long. */
#define ASLEEP		"15"
#define BRIEF_NS	(8 * GATE_SECOND_NS)
#define LONG_NS		(3600 * GATE_SECOND_NS)

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static bool can_sleep(void)
{
	char modes[64] = "";
	FILE *file = fopen("/sys/power/mem_sleep", "re");

	if (file) {
		if (!fgets(modes, sizeof(modes), file))
			modes[0] = '\0';
		fclose(file);
	}
	return getenv("BED_KERNEL") && strstr(modes, "deep") &&
	       !access(ALARM, W_OK);
}

/* How long all clocks but that of grants have stood still until now. */
static uint64_t slept_ns(void)
{
	struct timespec awake;
	uint64_t now_ns = gate_now_ns();

	clock_gettime(CLOCK_MONOTONIC, &awake);
	return now_ns - ((uint64_t)awake.tv_sec * GATE_SECOND_NS +
			 (uint64_t)awake.tv_nsec);
}

/* Returns when the host is awake again. */
static int sleep_deeply(void)
{
	int err = write_text("/sys/power/mem_sleep", "deep");

	err = err ?: write_text(ALARM, "0");
	err = err ?: write_text(ALARM, "+" ASLEEP);
	return err ?: write_text("/sys/power/state", "mem");
}

FIXTURE(suspend) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

FIXTURE_SETUP(suspend)
{
	if (!can_sleep())
		SKIP(return, "the machine cannot sleep, or is not the bed's");
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "ext4",
				   BRIEF_NS));
	ASSERT_EQ(0, actor_start(&self->actor));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(suspend)
{
	gate_clean();
}

static uint64_t grant_for(struct gate *gate, const struct volume *volume,
			  const char *path, uint64_t ns)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      GATE_READ);

	request.expires_boottime_ns = gate_now_ns() + ns;
	return gate_grant(gate, &request);
}

TEST_F_TIMEOUT(suspend, time_goes_on, 120)
{
	uint64_t brief, lasting, id, slept_before;
	uint64_t began_ns, ended_ns;
	struct trustgate_grant before, after;
	struct trustgate_event event;
	int brief_fd, lasting_fd;
	char byte;

	brief = grant_for(&self->gate, &self->volume, "db/a", BRIEF_NS);
	lasting = grant_for(&self->gate, &self->volume, "db/b", LONG_NS);
	ASSERT_NE(0, brief);
	ASSERT_NE(0, lasting);
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, lasting, &before));
	brief_fd = open("db/a", O_RDONLY | O_CLOEXEC);
	lasting_fd = open("db/b", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, brief_fd);
	ASSERT_LE(0, lasting_fd);
	began_ns = gate_now_ns();
	actor_begin(&self->actor, attempt_open, "db/sub/c", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);

	slept_before = slept_ns();
	ASSERT_EQ(0, sleep_deeply());
	/* By then no timer has run: they stood still, too. */
	EXPECT_EQ(-1, pread(brief_fd, &byte, 1, 0));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(1, pread(lasting_fd, &byte, 1, 0));
	ASSERT_LE(slept_before + BRIEF_NS, slept_ns());
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(0, attempt_open("db/b", O_RDONLY));

	/* What it has left is less by the time asleep, as it should be. */
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, lasting, &after));
	EXPECT_EQ(before.expires_boottime_ns, after.expires_boottime_ns);
	EXPECT_GT(LONG_NS - BRIEF_NS,
		  after.expires_boottime_ns - gate_now_ns());

	/* Timers are late by the time asleep, at most. */
	EXPECT_EQ(EACCES, actor_end(&self->actor));
	EXPECT_EQ(TRUSTGATE_REQUEST_END_UNANSWERED,
		  asking_closed(&self->gate, id));
	ended_ns = gate_now_ns();
	EVENTUALLY(trustgate_grant_get(self->gate.conn, brief, &after) ==
		   -ENOENT);
	TH_LOG("slept %lu ms, the wait ended %lu ms after it had begun",
	       (unsigned long)((slept_ns() - slept_before) / 1000000),
	       (unsigned long)((ended_ns - began_ns) / 1000000));

	/* Still the agent, which is asked and answers. */
	gate_forget_events(&self->gate);
	actor_begin(&self->actor, attempt_open, "other/x", O_RDONLY);
	id = asking_raised(&self->gate, &event);
	ASSERT_NE(0, id);
	EXPECT_STREQ("/other/x", event.path);
	EXPECT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, actor_end(&self->actor));
	close(brief_fd);
	close(lasting_fd);
}

TEST_HARNESS_MAIN
