// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault_request_test - memory runs out in every place of a request.
 *
 * Owns: that it ends with an error that says so, or as if nothing had happened;
 * that nothing is half done, and that all works afterwards. What leaks shows in
 * the scan for leaks, what is done wrong in the kernel's log.
 *
 * Must not own: volume-add and volume-del (fault_volume_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>

#include "actor.h"
#include "attempt.h"
#include "fault_ask.h"
#include "stage.h"

FIXTURE(request) {
	struct stage stage;
	struct raw_socket other;
	struct raw_gate before;
};

FIXTURE_SETUP(request)
{
	if (!fault_possible())
		SKIP(return, "this kernel does not inject faults");
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, raw_open(&self->other));
	ASSERT_EQ(0, raw_gate(&self->other, &self->before));
}

FIXTURE_TEARDOWN_PARENT(request)
{
	fault_off();
	stage_clean();
}

/* Requests that only ask: an answer, or lack of memory, and no change. */
TEST_F_TIMEOUT(request, requests_that_read, 120)
{
	static const struct {
		const char *name;
		uint8_t command;
		bool dump;
	} requests[] = {
		{ "gate-get", TRUSTGATE_CMD_GATE_GET, false },
		{ "volume-get", TRUSTGATE_CMD_VOLUME_GET, false },
		{ "volume-get of all", TRUSTGATE_CMD_VOLUME_GET, true },
		{ "grant-get", TRUSTGATE_CMD_GRANT_GET, false },
		{ "grant-get of all", TRUSTGATE_CMD_GRANT_GET, true },
	};
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	struct raw_socket reader;
	struct fault_ask request = { &self->stage, &reader, false };
	uint64_t id = 0;
	int result;

	wish.for_ns = 3600 * RAW_SECOND_NS;
	/* More than one message holds. */
	for (unsigned int i = 0; i < 40; i++) {
		id = raw_grant(&self->stage.agent, &wish);
		ASSERT_NE(0, id);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(requests); i++) {
		struct fault fault = {};

		request.dump = requests[i].dump;
		while (fault_next(&fault)) {
			/* A dump that broke off would be gone on with. */
			ASSERT_EQ(0, raw_open(&reader));
			raw_begin(self->stage.message, &reader,
				  requests[i].command);
			if (requests[i].command == TRUSTGATE_CMD_VOLUME_GET &&
			    !request.dump)
				raw_put_u32(self->stage.message,
					    TRUSTGATE_A_VOLUME_ID,
					    self->stage.volume.id);
			if (requests[i].command == TRUSTGATE_CMD_GRANT_GET &&
			    !request.dump)
				raw_put_u64(self->stage.message,
					    TRUSTGATE_A_GRANT_ID, id);
			result = fault_do(&fault, fault_ask, &request);
			EXPECT_TRUE(!result || fault_is_lack(result))
				TH_LOG("%s, allocation %u: %d",
				       requests[i].name, fault.nth, result);
			raw_close(&reader);
		}
		EXPECT_TRUE(fault_was_all(&fault, requests[i].name));
	}
	EXPECT_EQ(40, raw_count_grants(&self->other));
	ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
	EXPECT_EQ(0, stage_works(&self->stage));
}

/* Who was told that he is the agent is it; who was refused is not. */
TEST_F_TIMEOUT(request, binding, 120)
{
	struct raw_message *bind = self->stage.message;
	struct fault_ask request = { &self->stage, &self->stage.agent, false };
	struct fault fault = {};
	struct raw_gate gate;
	int result;

	while (fault_next(&fault)) {
		raw_begin(bind, &self->stage.agent, TRUSTGATE_CMD_AGENT_UNBIND);
		ASSERT_EQ(0, raw_do(&self->stage.agent, bind));
		raw_begin(bind, &self->stage.agent, TRUSTGATE_CMD_AGENT_BIND);
		raw_put(bind, TRUSTGATE_A_AGENT_SECRET, gate_secret,
			TRUSTGATE_SECRET_LEN);
		result = fault_do(&fault, fault_ask, &request);
		EXPECT_TRUE(!result || fault_is_lack(result))
			TH_LOG("allocation %u: %d", fault.nth, result);
		ASSERT_EQ(0, raw_gate(&self->other, &gate));
		if (!result)
			EXPECT_EQ(self->stage.agent.port, gate.agent_portid);
		if (fault_refused(&request, result))
			EXPECT_EQ(0, gate.agent_portid);
		if (!gate.agent_portid)
			ASSERT_EQ(0, raw_bind(&self->stage.agent,
					      (const char *)gate_secret));
	}
	EXPECT_TRUE(fault_was_all(&fault, "agent-bind"));
	EXPECT_EQ(0, stage_works(&self->stage));
}

static void count_ticket(const void *attrs, size_t length, void *count)
{
	struct raw_grant grant;

	raw_grant_parse(attrs, length, &grant);
	*(unsigned int *)count += !strcmp(grant.ticket, "T-1");
}

/* Of a batch all grants or none, whole ones, and none that was refused. */
TEST_F_TIMEOUT(request, giving_grants, 240)
{
	struct fault_ask request = { &self->stage, &self->stage.agent, false };
	struct raw_wish wishes[3];
	struct fault fault = {};
	unsigned int tickets;
	struct actor actor;
	struct raw_gate gate;
	int result;

	ASSERT_EQ(0, actor_start(&actor));
	wishes[0] = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
	wishes[0].ticket = "T-1";
	wishes[1] = wishes[0];
	wishes[1].pid = actor.pid;
	wishes[1].path = "db/sub/c";
	wishes[2] = wishes[0];
	wishes[2].path = "db";
	wishes[2].kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	while (fault_next(&fault)) {
		/* Anew, so that they do not expire meanwhile. */
		raw_begin(self->stage.message, &self->stage.agent,
			  TRUSTGATE_CMD_GRANT_ADD);
		for (unsigned int i = 0; i < ARRAY_SIZE(wishes); i++)
			raw_put_wish(self->stage.message, &wishes[i]);
		result = fault_do(&fault, fault_ask, &request);
		EXPECT_TRUE(!result || fault_is_lack(result))
			TH_LOG("allocation %u: %d '%s'", fault.nth, result,
			       self->stage.answer->text);
		ASSERT_EQ(0, raw_gate(&self->other, &gate));
		EXPECT_TRUE(gate.grants == 0 || gate.grants == 3)
			TH_LOG("allocation %u: %lu grants", fault.nth,
			       (unsigned long)gate.grants);
		if (fault_refused(&request, result))
			EXPECT_EQ(0, gate.grants);
		if (!result)
			EXPECT_EQ(3, gate.grants);
		EXPECT_EQ(gate.grants ? 2 : 0, gate.subjects);
		tickets = 0;
		raw_begin(self->stage.message, &self->other,
			  TRUSTGATE_CMD_GRANT_GET);
		ASSERT_EQ(0, raw_dump(&self->other, self->stage.message,
				      count_ticket, &tickets, NULL, NULL));
		EXPECT_EQ(gate.grants, tickets);
		EXPECT_EQ(gate.grants ? 0 : EACCES,
			  attempt_open("db/sub/c", O_RDONLY));
		ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
	}
	EXPECT_TRUE(fault_was_all(&fault, "grant-add"));
	actor_stop(&actor);
	EXPECT_EQ(0, stage_works(&self->stage));
}

/* What was revoked has ended; what was refused goes on. */
TEST_F_TIMEOUT(request, revoking, 240)
{
	static const uint16_t selectors[] = {
		TRUSTGATE_A_REVOCATION_ID,
		TRUSTGATE_A_REVOCATION_VOLUME_ID,
		TRUSTGATE_A_REVOCATION_PID,
		TRUSTGATE_A_REVOCATION_ALL,
	};
	struct fault_ask request = { &self->stage, &self->stage.agent, false };
	struct raw_message *message = self->stage.message;
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	struct raw_gate gate;
	uint64_t id;
	int result;

	for (unsigned int i = 0; i < ARRAY_SIZE(selectors); i++) {
		struct fault fault = {};

		while (fault_next(&fault)) {
			id = raw_grant(&self->stage.agent, &wish);
			ASSERT_NE(0, id);
			raw_begin(message, &self->stage.agent,
				  TRUSTGATE_CMD_GRANT_DEL);
			if (selectors[i] == TRUSTGATE_A_REVOCATION_ID)
				raw_put_u64(message, selectors[i], id);
			else if (selectors[i] == TRUSTGATE_A_REVOCATION_ALL)
				raw_put_flag(message, selectors[i]);
			else
				raw_put_u32(message, selectors[i],
					    selectors[i] == TRUSTGATE_A_REVOCATION_PID ?
					    (uint32_t)getpid() :
					    self->stage.volume.id);
			result = fault_do(&fault, fault_ask, &request);
			EXPECT_TRUE(!result || fault_is_lack(result))
				TH_LOG("selector %u, allocation %u: %d", i,
				       fault.nth, result);
			ASSERT_EQ(0, raw_gate(&self->other, &gate));
			if (!result)
				EXPECT_EQ(0, gate.grants);
			if (fault_refused(&request, result))
				EXPECT_EQ(1, gate.grants);
			EXPECT_EQ(gate.grants ? 0 : EACCES,
				  attempt_open("db/a", O_RDONLY));
			ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
		}
		EXPECT_TRUE(fault_was_all(&fault, "grant-del"));
	}
	EXPECT_EQ(0, stage_works(&self->stage));
}

/* Settings: nothing to be half done. */
TEST_F_TIMEOUT(request, changing_a_volume, 120)
{
	struct fault_ask request = { &self->stage, &self->stage.agent, false };
	struct fault fault = {};
	int result;

	while (fault_next(&fault)) {
		raw_begin(self->stage.message, &self->stage.agent,
			  TRUSTGATE_CMD_VOLUME_SET);
		raw_put_u32(self->stage.message, TRUSTGATE_A_VOLUME_ID,
			    self->stage.volume.id);
		raw_put_u32(self->stage.message, TRUSTGATE_A_VOLUME_RECORD,
			    TRUSTGATE_RECORD_ALLOWED);
		result = fault_do(&fault, fault_ask, &request);
		EXPECT_TRUE(!result || fault_is_lack(result))
			TH_LOG("allocation %u: %d", fault.nth, result);
	}
	EXPECT_TRUE(fault_was_all(&fault, "volume-set"));
	EXPECT_EQ(0, stage_works(&self->stage));
}

TEST_HARNESS_MAIN
