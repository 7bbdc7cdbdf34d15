// SPDX-License-Identifier: GPL-2.0-only
/*
 * batch_test - many grants in a request, many grants in a dump.
 *
 * Owns: that a batch is given whole or not at all, and that a dump neither
 * repeats a grant nor loses one that lives through it, whatever else changes.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

#include "kselftest_harness.h"

#include "stage.h"

/* Grants that stay while others come and go; several messages of a dump. */
#define STANDING	1500
#define DUMPS		25

FIXTURE(batch) {
	struct stage stage;
};

FIXTURE_SETUP(batch)
{
	STAGE_OPEN(&self->stage);
}

FIXTURE_TEARDOWN_PARENT(batch)
{
	gate_clean();
}

/* Begins a request with @count grants, their tags rising from @tag. */
static void put_batch(struct raw_message *message, const struct stage *stage,
		      unsigned int count, uint64_t tag)
{
	struct raw_wish wish = stage_wish(stage, "db/a", TRUSTGATE_ACCESS_READ);

	raw_begin(message, &stage->agent, TRUSTGATE_CMD_GRANT_ADD);
	while (count--) {
		wish.tag = tag++;
		raw_put_wish(message, &wish);
	}
}

/* How many grants an answer to grant-add names; their ids, if wanted. */
static unsigned int added_ids(const struct raw_answer *answer, uint64_t *ids)
{
	const unsigned char *end = answer->reply + answer->length;
	const unsigned char *at = answer->reply;
	const struct nlattr *added;
	unsigned int count = 0;

	while (at < end &&
	       (added = raw_find(at, (size_t)(end - at),
				 TRUSTGATE_A_BATCH_ADDED))) {
		if (ids)
			ids[count] = raw_u64(raw_find(added + 1,
						      added->nla_len -
						      NLA_HDRLEN,
						      TRUSTGATE_A_GRANT_ID));
		count++;
		at = (const unsigned char *)added + NLA_ALIGN(added->nla_len);
	}
	return count;
}

TEST_F(batch, largest_is_given_in_order)
{
	static uint64_t ids[TRUSTGATE_BATCH_MAX];
	struct raw_message *message = self->stage.message;
	struct raw_answer *answer = self->stage.answer;
	struct raw_grant grant;

	put_batch(message, &self->stage, TRUSTGATE_BATCH_MAX, 1);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
	ASSERT_EQ(0, answer->error);
	ASSERT_EQ(TRUSTGATE_BATCH_MAX, added_ids(answer, ids));
	for (unsigned int i = 0; i < TRUSTGATE_BATCH_MAX; i += 73) {
		raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
		raw_put_u64(message, TRUSTGATE_A_GRANT_ID, ids[i]);
		ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
		raw_grant_parse(answer->reply, answer->length, &grant);
		EXPECT_EQ(i + 1, grant.tag);
	}
	EXPECT_EQ(TRUSTGATE_BATCH_MAX, raw_count_grants(&self->stage.agent));
}

TEST_F(batch, too_large_gives_none)
{
	struct raw_answer *answer = self->stage.answer;
	struct raw_gate before, after;

	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	put_batch(self->stage.message, &self->stage, TRUSTGATE_BATCH_MAX + 1,
		  1);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-E2BIG, answer->error);
	EXPECT_STREQ("too many grants in one request", answer->text);
	EXPECT_EQ(TRUSTGATE_A_BATCH_GRANT, answer->bad);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(before.grants, after.grants);
	EXPECT_EQ(before.subjects, after.subjects);
	EXPECT_EQ(before.event_seq, after.event_seq);
}

/* The bad one is in the first, the middle and the last place. */
TEST_F(batch, one_bad_grant_gives_none)
{
	const unsigned int places[] = { 0, 50, 99 };
	struct raw_message *message = self->stage.message;
	struct raw_answer *answer = self->stage.answer;
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	struct raw_gate before, after;
	size_t from = 0, to = 0;

	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
		raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_ADD);
		for (unsigned int j = 0; j < 100; j++) {
			struct nlmsghdr *header = (void *)message->bytes;

			wish.path = j == places[i] ? "db/none" : "db/a";
			if (j == places[i])
				from = header->nlmsg_len;
			raw_put_wish(message, &wish);
			if (j == places[i])
				to = header->nlmsg_len;
		}
		ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
		EXPECT_EQ(-ENOENT, answer->error);
		EXPECT_EQ(TRUSTGATE_A_GRANT_PATH, answer->bad);
		/* It is that grant's path and no other's. */
		EXPECT_LT(from, answer->bad_offset);
		EXPECT_GT(to, answer->bad_offset);
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
	}
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(before.grants, after.grants);
	EXPECT_EQ(before.subjects, after.subjects);
}

/* What is missing is named with the grant that it is missing in. */
TEST_F(batch, missing_attribute_names_its_grant)
{
	struct raw_message *message = self->stage.message;
	struct raw_answer *answer = self->stage.answer;
	size_t nest;

	put_batch(message, &self->stage, 3, 1);
	nest = raw_nest(message, TRUSTGATE_A_BATCH_GRANT);
	raw_put_u32(message, TRUSTGATE_A_GRANT_VOLUME_ID,
		    self->stage.volume.id);
	raw_nest_end(message, nest);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
	EXPECT_EQ(-EINVAL, answer->error);
	EXPECT_EQ(TRUSTGATE_A_GRANT_ACCESS, answer->miss);
	EXPECT_EQ(TRUSTGATE_A_BATCH_GRANT, answer->in_nest);
	EXPECT_EQ(0, raw_count_grants(&self->stage.agent));
}

TEST_F(batch, revocation_is_whole_too)
{
	static uint64_t ids[TRUSTGATE_BATCH_MAX];
	struct raw_message *message = self->stage.message;
	struct raw_answer *answer = self->stage.answer;
	unsigned int i;

	put_batch(message, &self->stage, TRUSTGATE_BATCH_MAX, 1);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
	ASSERT_EQ(TRUSTGATE_BATCH_MAX, added_ids(answer, ids));

	/* The last of them is not live. */
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_DEL);
	for (i = 0; i < 100; i++)
		raw_put_u64(message, TRUSTGATE_A_REVOCATION_ID, ids[i]);
	raw_put_u64(message, TRUSTGATE_A_REVOCATION_ID, ids[0] + 100000);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
	EXPECT_EQ(-ENOENT, answer->error);
	EXPECT_EQ(TRUSTGATE_A_REVOCATION_ID, answer->bad);
	EXPECT_EQ(TRUSTGATE_BATCH_MAX, raw_count_grants(&self->stage.agent));

	/* One more than may be. */
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_DEL);
	for (i = 0; i <= TRUSTGATE_BATCH_MAX; i++)
		raw_put_u64(message, TRUSTGATE_A_REVOCATION_ID, ids[0]);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
	EXPECT_EQ(-E2BIG, answer->error);
	EXPECT_EQ(TRUSTGATE_BATCH_MAX, raw_count_grants(&self->stage.agent));

	/* All of them, the first twice. */
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_DEL);
	raw_put_u64(message, TRUSTGATE_A_REVOCATION_ID, ids[0]);
	for (i = 0; i < TRUSTGATE_BATCH_MAX - 1; i++)
		raw_put_u64(message, TRUSTGATE_A_REVOCATION_ID, ids[i]);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, message, answer));
	EXPECT_EQ(0, answer->error);
	EXPECT_EQ(TRUSTGATE_BATCH_MAX - 1,
		  raw_u64(raw_find(answer->reply, answer->length,
				   TRUSTGATE_A_REVOCATION_ENDED)));
	EXPECT_EQ(1, raw_count_grants(&self->stage.agent));
}

/* A dump as it is received. */
struct seen {
	uint64_t last_id;
	unsigned int standing;
	unsigned int others;
	unsigned int out_of_order;
	unsigned int wrong_volume;
	uint32_t volume;
	bool filtered_pid_wrong;
	int32_t pid;
};

/* Standing grants have tags, others have none. */
static void see_grant(const void *attrs, size_t length, void *context)
{
	struct seen *seen = context;
	struct raw_grant grant;

	raw_grant_parse(attrs, length, &grant);
	if (grant.id <= seen->last_id)
		seen->out_of_order++;
	seen->last_id = grant.id;
	if (grant.tag)
		seen->standing++;
	else
		seen->others++;
	if (seen->volume && grant.volume_id != seen->volume)
		seen->wrong_volume++;
	if (seen->pid && grant.pid != seen->pid)
		seen->filtered_pid_wrong = true;
}

struct churn {
	struct stage *stage;
	struct raw_message *message;
	atomic_bool stop;
	atomic_uint rounds;
	int err;
};

/* Grants and revokes as fast as it goes, on the agent's socket. */
static void *churn(void *argument)
{
	struct churn *churn = argument;
	struct raw_wish wish = stage_wish(churn->stage, "db/b",
					  TRUSTGATE_ACCESS_READ);
	uint64_t id;

	while (!churn->stop && !churn->err) {
		id = raw_grant(&churn->stage->agent, &wish);
		churn->err = id ? raw_revoke(&churn->stage->agent, id) : errno;
		churn->rounds++;
	}
	return NULL;
}

static int add_standing(struct stage *stage)
{
	unsigned int count, given;

	for (given = 0; given < STANDING; given += count) {
		count = STANDING - given > TRUSTGATE_BATCH_MAX ?
			TRUSTGATE_BATCH_MAX : STANDING - given;
		put_batch(stage->message, stage, count, given + 1);
		if (raw_do(&stage->agent, stage->message))
			return -1;
	}
	return 0;
}

TEST_F_TIMEOUT(batch, dump_survives_change, 120)
{
	struct churn change = { .stage = &self->stage };
	unsigned int interrupted = 0;
	struct raw_socket reader;
	pthread_t thread;

	ASSERT_EQ(0, add_standing(&self->stage));
	ASSERT_EQ(0, raw_open(&reader));
	ASSERT_EQ(0, pthread_create(&thread, NULL, churn, &change));
	while (!change.rounds && !change.err)
		usleep(1000);

	for (unsigned int i = 0; i < DUMPS; i++) {
		struct seen seen = {};
		bool intr = false;

		raw_begin(self->stage.message, &reader,
			  TRUSTGATE_CMD_GRANT_GET);
		ASSERT_EQ(0, raw_dump(&reader, self->stage.message, see_grant,
				      &seen, &intr, NULL));
		EXPECT_EQ(0, seen.out_of_order);
		EXPECT_EQ(STANDING, seen.standing);
		interrupted += intr;
	}
	change.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, change.err);
	TH_LOG("%u of %u dumps were interrupted by %u changes", interrupted,
	       DUMPS, change.rounds * 2);
	EXPECT_LT(0, interrupted);

	/* In peace it is complete and says so. */
	for (unsigned int i = 0; i < 3; i++) {
		struct seen seen = {};
		bool intr = false;

		raw_begin(self->stage.message, &reader,
			  TRUSTGATE_CMD_GRANT_GET);
		ASSERT_EQ(0, raw_dump(&reader, self->stage.message, see_grant,
				      &seen, &intr, NULL));
		EXPECT_FALSE(intr);
		EXPECT_EQ(STANDING, seen.standing);
		EXPECT_EQ(0, seen.others);
	}
	raw_close(&reader);
}

/* Ends of other grants under way do not make a dump skip any. */
TEST_F(batch, dump_that_is_read_slowly)
{
	struct raw_gate gate;
	struct seen seen = {};
	struct raw_socket reader;
	bool interrupted = false;

	ASSERT_EQ(0, add_standing(&self->stage));
	ASSERT_EQ(0, raw_open(&reader));
	/* A small buffer, so that the kernel has to come back for more. */
	ASSERT_EQ(0, setsockopt(reader.fd, SOL_SOCKET, SO_RCVBUF,
				&(int){ 4096 }, sizeof(int)));
	raw_begin(self->stage.message, &reader, TRUSTGATE_CMD_GRANT_GET);
	ASSERT_EQ(0, raw_dump(&reader, self->stage.message, see_grant, &seen,
			      &interrupted, NULL));
	EXPECT_EQ(STANDING, seen.standing);
	EXPECT_EQ(0, seen.out_of_order);
	EXPECT_FALSE(interrupted);
	ASSERT_EQ(0, raw_gate(&reader, &gate));
	EXPECT_EQ(STANDING, gate.grants);
	raw_close(&reader);
}

TEST_F(batch, dump_of_a_part)
{
	struct raw_message *message = self->stage.message;
	struct raw_answer *answer = self->stage.answer;
	struct seen by_volume = { .volume = self->stage.volume.id };
	struct raw_wish wish = stage_wish(&self->stage, ".",
					  TRUSTGATE_ACCESS_READ);
	struct seen by_pid = { .pid = getppid() };
	struct volume second;

	ASSERT_EQ(0, stage_volume(&self->stage, &second, 1,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	for (unsigned int i = 0; i < 20; i++) {
		wish.volume = i % 2 ? second.id : self->stage.volume.id;
		wish.pid = i % 4 < 2 ? getpid() : getppid();
		wish.tag = i + 1;
		ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	}
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
	raw_put_u32(message, TRUSTGATE_A_GRANT_VOLUME_ID,
		    self->stage.volume.id);
	ASSERT_EQ(0, raw_dump(&self->stage.agent, message, see_grant,
			      &by_volume, NULL, NULL));
	EXPECT_EQ(10, by_volume.standing);
	EXPECT_EQ(0, by_volume.wrong_volume);

	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
	raw_put_u32(message, TRUSTGATE_A_GRANT_PID, (uint32_t)getppid());
	ASSERT_EQ(0, raw_dump(&self->stage.agent, message, see_grant, &by_pid,
			      NULL, NULL));
	EXPECT_EQ(10, by_pid.standing);
	EXPECT_FALSE(by_pid.filtered_pid_wrong);

	/* Nobody holds what a dead process held. */
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
	raw_put_u32(message, TRUSTGATE_A_GRANT_PID, INT32_MAX);
	by_pid.standing = 0;
	ASSERT_EQ(0, raw_dump(&self->stage.agent, message, see_grant, &by_pid,
			      NULL, NULL));
	EXPECT_EQ(0, by_pid.standing);

	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
	raw_put_u32(message, TRUSTGATE_A_GRANT_VOLUME_ID, 0);
	EXPECT_EQ(-ERANGE, raw_dump(&self->stage.agent, message, NULL, NULL,
				    NULL, answer));
	EXPECT_EQ(TRUSTGATE_A_GRANT_VOLUME_ID, answer->bad);
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
	raw_put_u64(message, TRUSTGATE_A_GRANT_ID, 1);
	EXPECT_EQ(-EINVAL, raw_dump(&self->stage.agent, message, NULL, NULL,
				    NULL, answer));
	EXPECT_EQ(TRUSTGATE_A_GRANT_ID, answer->bad);
	raw_begin(message, &self->stage.agent, TRUSTGATE_CMD_GRANT_GET);
	raw_put_u32(message, TRUSTGATE_A_GRANT_VOLUME_ID, 1);
	raw_put_u32(message, TRUSTGATE_A_GRANT_VOLUME_ID, 1);
	EXPECT_EQ(-EINVAL, raw_dump(&self->stage.agent, message, NULL, NULL,
				    NULL, answer));
	EXPECT_STREQ("attribute given twice", answer->text);
}

TEST_HARNESS_MAIN
