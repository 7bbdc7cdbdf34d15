// SPDX-License-Identifier: GPL-2.0-only
/*
 * strict_test - volumes on which an access that cannot be recorded is denied.
 *
 * Owns: what becomes of accesses while nobody takes events, and of the events of those
 * that were allowed. The module is loaded anew with a short queue, and at the end as it
 * was.
 *
 * Must not own: what the agent cannot write (recorded_test.sh).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>

#include "attempt.h"
#include "gate.h"
#include "module.h"

#define QUEUE	16

/* More than the queue holds. */
#define TIMES	(3 * QUEUE)

FIXTURE(strict) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(strict) {
	uint32_t audit;
};

FIXTURE_VARIANT_ADD(strict, normal) {
	.audit = TRUSTGATE_AUDIT_NORMAL,
};

FIXTURE_VARIANT_ADD(strict, strict) {
	.audit = TRUSTGATE_AUDIT_STRICT,
};

FIXTURE_SETUP(strict)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_RECORD |
			  TRUSTGATE_VOLUME_FIELD_AUDIT,
		.record = TRUSTGATE_RECORD_ALLOWED,
		.audit = variant->audit,
	};

	GATE_OPEN(&self->gate);
	gate_close(&self->gate);
	ASSERT_EQ(0, module_reload("max_events=16"));
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, volume_protect_with(&self->gate, &self->volume,
					 &settings));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(strict)
{
	gate_clean();
	module_reload("");
}

static int come_back(struct gate *gate)
{
	/* gate_open() would begin by unprotecting everything. */
	return trustgate_new(&gate->conn) ?: trustgate_connect(gate->conn) ?:
	       trustgate_agent_bind(gate->conn, gate_secret, NULL);
}

/* How many accesses to db/a the agent is told of that were allowed since. */
static unsigned int count_told(struct gate *gate, uint64_t since_ns)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(2) * GATE_SECOND_NS;
	struct trustgate_event event;
	unsigned int count = 0;

	while (gate_now_ns() < until_ns) {
		if (trustgate_event_next(gate->conn, &event) != 1)
			usleep(10000);
		else if (event.type == TRUSTGATE_EVENT_TYPE_ALLOWED &&
			 event.time_boottime_ns >= since_ns)
			count++;
	}
	return count;
}

TEST_F(strict, agent_away)
{
	const bool strict = variant->audit == TRUSTGATE_AUDIT_STRICT;
	const uint64_t since_ns = gate_now_ns();
	struct trustgate_volume volume;
	unsigned int allowed = 0, told, i;

	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &volume));
	EXPECT_EQ(variant->audit, volume.audit);
	gate_close(&self->gate);
	for (i = 0; i < TIMES; i++) {
		allowed += !attempt_open("db/a", O_RDONLY);
		/* Nor does what others are denied push anything out. */
		EXPECT_EQ(EACCES, attempt_open("db/b", O_RDONLY));
	}
	ASSERT_EQ(0, come_back(&self->gate));
	told = count_told(&self->gate, since_ns);
	if (!strict) {
		EXPECT_EQ(TIMES, allowed);
		EXPECT_LT(0, told);
		EXPECT_LT(told, allowed);
		return;
	}
	EXPECT_LT(0, allowed);
	EXPECT_GT(QUEUE, allowed);
	EXPECT_EQ(allowed, told);
	EXPECT_EQ(TIMES - allowed, volume_count(&self->gate, &self->volume,
						TRUSTGATE_CAUSE_UNRECORDED));
	/* With the events taken it goes on. */
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
}

/* What need not be recorded is not held up: reading what is open. */
TEST_F(strict, open_file)
{
	unsigned int i;
	int fd;

	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	gate_close(&self->gate);
	for (i = 0; i < TIMES; i++) {
		attempt_open("db/a", O_RDONLY);
		EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	}
	EXPECT_EQ(0, come_back(&self->gate));
}

TEST_HARNESS_MAIN
