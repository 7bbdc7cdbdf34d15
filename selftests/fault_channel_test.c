// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault_channel_test - memory runs out in every place of the channel.
 *
 * Owns: that it is opened or not, that an answer is given or not, and that the
 * open that waits can be answered again if not.
 *
 * Must not own: netlink's requests (fault_request_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "asking.h"
#include "attempt.h"
#include "fault.h"

#define LONG_NS		(600 * GATE_SECOND_NS)

FIXTURE(channel) {
	struct gate gate;
	struct volume volume;
	struct trustgate_request *request;
};

FIXTURE_SETUP(channel)
{
	if (!fault_possible())
		SKIP(return, "this kernel does not inject faults");
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "tmpfs",
				   LONG_NS));
	self->request = calloc(1, sizeof(*self->request));
	ASSERT_NE(NULL, self->request);
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
}

FIXTURE_TEARDOWN_PARENT(channel)
{
	fault_off();
	gate_clean();
}

static uint64_t grants_of(struct gate *gate)
{
	struct trustgate_gate state = {};
	uint64_t grants;

	if (trustgate_gate_get(gate->conn, &state))
		return UINT64_MAX;
	grants = state.grants;
	trustgate_gate_clear(&state);
	return grants;
}

static int exchange_part(void *context)
{
	struct trustgate_exchange *raw = context;
	int fd = raw->attribute;

	return asking_exchange(fd, raw);
}

TEST_F_TIMEOUT(channel, answering, 240)
{
	int fd = trustgate_channel_fd(self->gate.conn);
	struct trustgate_exchange raw;
	struct fault fault = {};
	struct actor actor;
	int result;

	while (fault_next(&fault)) {
		/* Another process each time, for an answer stands for a while. */
		ASSERT_EQ(0, actor_start(&actor));
		actor_begin(&actor, attempt_open, "db/a", O_RDONLY);
		ASSERT_EQ(1, trustgate_channel_exchange(self->gate.conn, NULL,
							true, self->request,
							NULL));
		raw = (struct trustgate_exchange) {
			.flags = TRUSTGATE_EXCHANGE_TAKE,
			.verdict = TRUSTGATE_VERDICT_GRANT,
			.request = self->request->id,
			.reason = TRUSTGATE_REASON_INCIDENT,
			.expires_boottime_ns = gate_now_ns() +
					       60 * GATE_SECOND_NS,
			.ticket = (uintptr_t)"T-1",
			.attribute = (uint32_t)fd,
		};
		result = fault_do(&fault, exchange_part, &raw);
		EXPECT_TRUE(!result || result == -ENOMEM)
			TH_LOG("allocation %u: %d", fault.nth, result);
		EXPECT_EQ(result ? 0 : 1, grants_of(&self->gate));
		EXPECT_EQ(result ? 1 : 0, asking_open(&self->gate));
		if (result) {
			ASSERT_NE(0, asking_grant(&self->gate,
						  self->request->id));
		}
		EXPECT_EQ(0, actor_end(&actor));
		ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
		actor_stop(&actor);
	}
	EXPECT_TRUE(fault_was_all(&fault, "an answer"));
}

static int open_part(void *conn)
{
	return trustgate_channel_open(conn);
}

TEST_F_TIMEOUT(channel, opening, 240)
{
	struct fault fault = {};
	int result;

	while (fault_next(&fault)) {
		result = fault_do(&fault, open_part, self->gate.conn);
		EXPECT_TRUE(!result || result == -ENOMEM ||
			    result == -ENFILE || result == -ENOBUFS ||
			    result == -ETIMEDOUT)
			TH_LOG("allocation %u: %d", fault.nth, result);
		if (!result)
			EXPECT_EQ(0, trustgate_channel_exchange(self->gate.conn,
								NULL, false,
								self->request,
								NULL));
	}
	EXPECT_TRUE(fault_was_all(&fault, "channel-open"));
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
}

/* Who asks is denied, or asks; nobody waits for what the agent was not told of. */
static int asking_part(void *unused)
{
	return -attempt_open("db/a", O_RDONLY);
}

static int part_ask(const char *text, long nth)
{
	struct fault fault = { .nth = (unsigned int)nth };
	int result = fault_do(&fault, asking_part, NULL);

	return fault.injected ? -result : 1000 - result;
}

TEST_F_TIMEOUT(channel, asking, 240)
{
	struct trustgate_answer refusal = {
		.verdict = TRUSTGATE_VERDICT_REFUSE,
	};
	struct pollfd ready = {
		.fd = trustgate_channel_fd(self->gate.conn), .events = POLLIN,
	};
	struct actor actor;
	int result = 0;
	long nth;

	for (nth = 1; result < 1000; nth++) {
		ASSERT_GT(200, nth);
		ASSERT_EQ(0, actor_start(&actor));
		actor_begin(&actor, part_ask, "", nth);
		/* Asked, or denied for want of memory. */
		while (poll(&ready, 1, 500) == 1 &&
		       trustgate_channel_exchange(self->gate.conn, NULL, false,
						  self->request, NULL) == 1) {
			refusal.request = self->request->id;
			trustgate_channel_exchange(self->gate.conn, &refusal,
						   false, NULL, NULL);
		}
		result = actor_end(&actor);
		EXPECT_TRUE(result % 1000 == EACCES || result % 1000 == ENOMEM ||
			    result % 1000 == ENFILE)
			TH_LOG("allocation %ld: %d", nth, result);
		actor_stop(&actor);
		EXPECT_EQ(0, asking_open(&self->gate));
	}
	TH_LOG("%ld allocations", nth - 1);
}

TEST_HARNESS_MAIN
