// SPDX-License-Identifier: GPL-2.0-only
/*
 * channel_test - opens that wait for the agent, which takes and answers them by
 * its channel.
 *
 * Owns: what is told and can be said by the channel.
 *
 * Must not own: who may use it, and how it ends (channel_end_test.c); which opens
 * wait (ask_test.c), what else the agent may say (ask_answer_test.c), lack of memory
 * (fault_channel_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "asking.h"
#include "attempt.h"

#define LONG_NS		(600 * GATE_SECOND_NS)

#define BROKEN		20000

FIXTURE(channel) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
	struct trustgate_request *request;
};

FIXTURE_SETUP(channel)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "tmpfs",
				   LONG_NS));
	ASSERT_EQ(0, actor_start(&self->actor));
	self->request = calloc(2, sizeof(*self->request));
	ASSERT_NE(NULL, self->request);
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(channel)
{
	gate_clean();
}

#define BEGIN(part, text, number) actor_begin(&self->actor, part, text, number)
#define END() actor_end(&self->actor)
#define COUNT(cause) volume_count(&self->gate, &self->volume,		\
				  TRUSTGATE_CAUSE_##cause)
#define EXCHANGE(answer, wait)						\
	trustgate_channel_exchange(self->gate.conn, answer, wait,	\
				   self->request, NULL)
#define FD trustgate_channel_fd(self->gate.conn)

/* As by netlink, and the agent is told of it all the same. */
TEST_F(channel, granted)
{
	struct trustgate_request *other = self->request + 1;
	struct trustgate_answer answer;
	struct trustgate_event event;
	struct trustgate_grant grant;
	uint64_t id, grant_id = 0;

	EXPECT_EQ(0, asking_poll(FD));
	BEGIN(attempt_open, "db/a", O_RDWR);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	id = self->request->id;
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
	ASSERT_EQ(0, trustgate_request_get(self->gate.conn, id, other));
	self->request->waiting = other->waiting;
	EXPECT_EQ(other->present, self->request->present);
	EXPECT_STREQ(other->path, self->request->path);
	EXPECT_STREQ("/db/a", self->request->path);
	EXPECT_STREQ(other->comm, self->request->comm);
#define SAME(field) EXPECT_EQ(other->field, self->request->field)
	SAME(volume_id);
	SAME(pid);
	SAME(tid);
	SAME(start_ticks);
	SAME(exec_id);
	SAME(uid);
	SAME(loginuid);
	SAME(access);
	SAME(cause);
	SAME(ino);
	SAME(inode_generation);
	SAME(raised_boottime_ns);
	SAME(deadline_boottime_ns);
#undef SAME
	EXPECT_EQ(id, asking_raised(&self->gate, NULL));

	answer = asking_answer(id);
	answer.ticket = "T-1";
	answer.tag = 7;
	answer.max_uses = 3;
	answer.on_end = TRUSTGATE_ON_END_UNMAP;
	answer.flags = TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	answer.supervised_until_boottime_ns = gate_now_ns() +
					      30 * GATE_SECOND_NS;
	ASSERT_EQ(0, trustgate_channel_exchange(self->gate.conn, &answer, false,
						self->request, &grant_id));
	EXPECT_NE(0, grant_id);
	EXPECT_EQ(0, END());
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, grant_id, &grant));
	EXPECT_EQ(self->actor.pid, grant.pid);
	EXPECT_EQ(other->ino, grant.ino);
	EXPECT_EQ(other->access, grant.access);
	EXPECT_EQ(TRUSTGATE_OBJECT_KIND_FILE, grant.object_kind);
	EXPECT_STREQ("T-1", grant.ticket);
	EXPECT_EQ(7, grant.tag);
	EXPECT_EQ(3, grant.max_uses);
	EXPECT_EQ(1, grant.uses);
	EXPECT_EQ(TRUSTGATE_ON_END_UNMAP, grant.on_end);
	EXPECT_EQ(answer.flags, grant.flags);
	EXPECT_EQ(answer.expires_boottime_ns, grant.expires_boottime_ns);
	EXPECT_EQ(answer.supervised_until_boottime_ns,
		  grant.supervised_until_boottime_ns);

	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED,
				     &event));
	EXPECT_EQ(id, event.request_id);
	EXPECT_EQ(TRUSTGATE_REQUEST_END_GRANTED, event.request_end);
	EXPECT_EQ(grant_id, event.grant_id);
	EXPECT_EQ(1, COUNT(ASKED));
	EXPECT_EQ(1, COUNT(GRANTED));
	EXPECT_EQ(0, asking_open(&self->gate));
}

TEST_F(channel, refused)
{
	struct trustgate_answer answer;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	answer = asking_refusal(self->request->id);
	/* Without taking another. */
	EXPECT_EQ(0, trustgate_channel_exchange(self->gate.conn, &answer, false,
						NULL, NULL));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, COUNT(REFUSED));
	EXPECT_EQ(-ENOENT, EXCHANGE(&answer, false));
	EXPECT_STREQ("request", trustgate_error_attribute(self->gate.conn));
}

/* One call answers one and takes the next. */
TEST_F(channel, one_after_the_other)
{
	struct trustgate_answer answer;
	struct actor other;
	uint64_t first;

	ASSERT_EQ(0, actor_start(&other));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	first = self->request->id;
	actor_begin(&other, attempt_open, "db/b", O_RDONLY);
	EVENTUALLY(asking_poll(FD) == POLLIN);
	answer = asking_answer(first);
	ASSERT_EQ(1, EXCHANGE(&answer, false));
	EXPECT_EQ(0, END());
	EXPECT_EQ(other.pid, self->request->pid);
	EXPECT_STREQ("/db/b", self->request->path);
	EXPECT_EQ(0, asking_poll(FD));
	/* It was taken; nobody is told of it again. */
	EXPECT_EQ(0, EXCHANGE(NULL, false));
	answer = asking_refusal(self->request->id);
	EXPECT_EQ(0, EXCHANGE(&answer, false));
	EXPECT_EQ(EACCES, actor_end(&other));
}

/* What is closed meanwhile is passed over, and what was taken can be answered. */
TEST_F(channel, beside_netlink)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, EXCHANGE(NULL, false));
	EXPECT_EQ(0, asking_poll(FD));

	BEGIN(attempt_open, "db/b", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	ASSERT_NE(0, asking_grant(&self->gate, self->request->id));
	EXPECT_EQ(0, END());
}

TEST_F(channel, unanswered)
{
	struct trustgate_answer answer;

	ASSERT_EQ(0, asking_for(&self->gate, &self->volume,
				2 * GATE_SECOND_NS));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, COUNT(UNANSWERED));
	answer = asking_answer(self->request->id);
	EXPECT_EQ(-ENOENT, EXCHANGE(&answer, false));
}

/* Refused is the answer, not the request, and nothing is taken. */
TEST_F(channel, wrong_answers_leave_it_open)
{
	char long_ticket[TRUSTGATE_TICKET_MAX + 2];
	struct trustgate_answer answer;
	uint64_t id;

	memset(long_ticket, 't', sizeof(long_ticket) - 1);
	long_ticket[sizeof(long_ticket) - 1] = '\0';
	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	id = self->request->id;
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
#define WRONG(error, attribute, ...)					\
	do {								\
		answer = asking_answer(id);					\
		__VA_ARGS__						\
		EXPECT_EQ(error, EXCHANGE(&answer, false));		\
		EXPECT_STREQ(attribute,					\
			     trustgate_error_attribute(self->gate.conn)); \
		EXPECT_NE(NULL,						\
			  trustgate_error_message(self->gate.conn));	\
		EXPECT_EQ(1, asking_waiting(&self->gate, id));		\
	} while (0)
	WRONG(-ENOENT, "request", answer.request = id + 1;);
	WRONG(-EINVAL, "reason", answer.reason = 0;);
	WRONG(-ERANGE, "reason", answer.reason = 99;);
	WRONG(-EINVAL, "access", answer.access = 1 << 9;);
	WRONG(-EINVAL, "flags", answer.flags = 1 << 9;);
	WRONG(-EINVAL, "flags",
	      answer.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC |
			     TRUSTGATE_GRANT_FLAGS_NEXT_EXEC;);
	WRONG(-ERANGE, "on-end", answer.on_end = 3;);
	WRONG(-EINVAL, "expires-boottime-ns", answer.expires_boottime_ns = 0;);
	WRONG(-EINVAL, "expires-boottime-ns", answer.expires_boottime_ns = 1;);
	WRONG(-ERANGE, "expires-boottime-ns",
	      answer.expires_boottime_ns = UINT64_MAX;);
	WRONG(-EINVAL, "not-before-boottime-ns",
	      answer.not_before_boottime_ns = answer.expires_boottime_ns;);
	WRONG(-ERANGE, "max-uses", answer.max_uses = UINT32_MAX;);
	WRONG(-ERANGE, "ticket", answer.ticket = long_ticket;);
	WRONG(-EINVAL, "supervised-until-boottime-ns",
	      answer.supervised_until_boottime_ns = gate_now_ns() +
						    GATE_SECOND_NS;);
	WRONG(-EINVAL, "supervised-until-boottime-ns",
	      answer.flags = TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	      answer.supervised_until_boottime_ns = 1;);
#undef WRONG
	answer = asking_answer(id);
	answer.ticket = (const char *)1;
	EXPECT_EQ(-EFAULT, EXCHANGE(&answer, false));
	EXPECT_EQ(1, asking_open(&self->gate));
	answer = asking_refusal(id);
	EXPECT_EQ(0, EXCHANGE(&answer, false));
	EXPECT_EQ(EACCES, END());
}

/* Of the subject as it was when it asked. */
TEST_F(channel, subject_is_gone)
{
	struct trustgate_answer answer;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	ASSERT_EQ(0, kill(self->actor.pid, SIGKILL));
	ASSERT_EQ(self->actor.pid, waitpid(self->actor.pid, NULL, 0));
	answer = asking_answer(self->request->id);
	EXPECT_EQ(-ESRCH, EXCHANGE(&answer, false));
	EXPECT_STREQ("request", trustgate_error_attribute(self->gate.conn));
	answer = asking_refusal(self->request->id);
	EXPECT_EQ(0, EXCHANGE(&answer, false));
}

/* The structure by itself. */

TEST_F(channel, paths)
{
	struct trustgate_exchange raw = {
		.flags = TRUSTGATE_EXCHANGE_TAKE | TRUSTGATE_EXCHANGE_WAIT,
	};
	char path[6] = "?????";
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(0, asking_exchange(FD, &raw));
	id = raw.question.request;
	EXPECT_NE(0, id);
	EXPECT_EQ(5, raw.question.path_length);
	/* Too short by the NUL: nothing is written. */
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	raw.path = (uintptr_t)path;
	raw.path_size = 5;
	ASSERT_EQ(0, asking_exchange(FD, &raw));
	EXPECT_EQ(id, raw.question.request);
	EXPECT_EQ(5, raw.question.path_length);
	EXPECT_STREQ("?????", path);
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	raw.path_size = 6;
	ASSERT_EQ(0, asking_exchange(FD, &raw));
	EXPECT_STREQ("/db/a", path);
	/* What cannot be told stays open, and can be read. */
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	raw.path = 1;
	EXPECT_EQ(-EFAULT, asking_exchange(FD, &raw));
	EXPECT_EQ(0, trustgate_request_get(self->gate.conn, id,
					   self->request));
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
}

TEST_F(channel, nonsense)
{
	const struct trustgate_exchange take = {
		.flags = TRUSTGATE_EXCHANGE_TAKE,
	};
	const struct trustgate_exchange refuse = {
		.verdict = TRUSTGATE_VERDICT_REFUSE, .request = 1,
	};
	struct trustgate_exchange raw;
	char byte;

#define WRONG(from, ...)						\
	do {								\
		raw = from;						\
		__VA_ARGS__						\
		EXPECT_EQ(-EINVAL, asking_exchange(FD, &raw));			\
	} while (0)
	raw = take;
	EXPECT_EQ(0, asking_exchange(FD, &raw));
	WRONG(take, raw.flags = 0;);
	WRONG(take, raw.flags = TRUSTGATE_EXCHANGE_WAIT;);
	WRONG(take, raw.flags |= 1 << 4;);
	WRONG(take, raw.flags |= 1U << 31;);
	WRONG(take, raw.flags |= TRUSTGATE_EXCHANGE_ON_END;);
	WRONG(take, raw.request = 1;);
	WRONG(take, raw.verdict = 3;);
	WRONG(take, raw.verdict = TRUSTGATE_VERDICT_GRANT;);
	raw = refuse;
	EXPECT_EQ(-ENOENT, asking_exchange(FD, &raw));
	WRONG(refuse, raw.expires_boottime_ns = 1;);
	WRONG(refuse, raw.not_before_boottime_ns = 1;);
	WRONG(refuse, raw.supervised_until_boottime_ns = 1;);
	WRONG(refuse, raw.tag = 1;);
	WRONG(refuse, raw.ticket = (uintptr_t)"";);
	WRONG(refuse, raw.access = 1;);
	WRONG(refuse, raw.grant_flags = 1;);
	WRONG(refuse, raw.reason = 1;);
	WRONG(refuse, raw.on_end = 1;);
	WRONG(refuse, raw.max_uses = 1;);
	WRONG(refuse, raw.verdict = TRUSTGATE_VERDICT_GRANT; raw.on_end = 1;);
#undef WRONG
	EXPECT_EQ(-EFAULT, asking_exchange(FD, NULL));
	/* Another size is another command. */
	EXPECT_EQ(-1, ioctl(FD, _IOWR(0xD6, 1, char[208]), &raw));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(FD, _IOWR(0xD6, 2, struct trustgate_exchange),
			    &raw));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, read(FD, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(FD, "", 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(FD_CLOEXEC, fcntl(FD, F_GETFD));
}

/* xorshift64*, as in fuzz_test.c. */
static uint64_t chance_state = 20261130;

static uint32_t chance(uint32_t below)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return (uint32_t)((chance_state * 2685821657736338717ULL) >> 32) % below;
}

/* Correct but for some bytes. */
static void break_it(struct trustgate_exchange *raw, uint64_t id, char *room,
		     size_t size)
{
	unsigned char *bytes = (unsigned char *)raw;
	uint32_t i;

	*raw = (struct trustgate_exchange) {
		.flags = chance(2),
		.verdict = chance(3),
		.request = id,
		.ticket = (uintptr_t)"T-1",
		.reason = TRUSTGATE_REASON_INCIDENT,
		.expires_boottime_ns = gate_now_ns() + GATE_SECOND_NS / 100,
		.path = (uintptr_t)room,
		.path_size = (uint32_t)size,
		.message = (uintptr_t)room,
		.message_size = (uint32_t)size,
	};
	for (i = chance(5); i; i--)
		bytes[chance(offsetof(struct trustgate_exchange, question))] =
			(unsigned char)chance(256);
	/* There is nobody who would end the wait, and the room is all there is. */
	raw->flags &= ~(uint32_t)TRUSTGATE_EXCHANGE_WAIT;
	if (raw->path == (uintptr_t)room && raw->path_size > size)
		raw->path_size = (uint32_t)size;
	if (raw->message == (uintptr_t)room && raw->message_size > size)
		raw->message_size = (uint32_t)size;
}

/* The numbers agree, the volume stays closed, and nobody else is let in. */
TEST_F_TIMEOUT(channel, broken_by_chance, 120)
{
	static char room[4096 + TRUSTGATE_PATH_MAX + 1];
	struct trustgate_exchange raw;
	unsigned int i, granted = 0, accepted = 0;
	uint64_t id = 0;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	for (i = 0; i < BROKEN; i++) {
		break_it(&raw, id, room, sizeof(room));
		if (asking_exchange(FD, &raw))
			continue;
		accepted++;
		granted += !!raw.question.grant;
		if (!raw.verdict)
			continue;
		/* Answered: the same again. */
		END();
		sleep(raw.question.grant ? 0 : 6);
		BEGIN(attempt_open, granted % 2 ? "db/b" : "db/a", O_RDONLY);
		id = asking_raised(&self->gate, NULL);
		if (!id || accepted > 40)
			break;
	}
	TH_LOG("%u broken, %u accepted, %u granted", i, accepted, granted);
	if (id)
		asking_refuse(&self->gate, id);
	END();
	EXPECT_NE(0, accepted);
	EXPECT_EQ(0, asking_open(&self->gate));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
}

TEST_HARNESS_MAIN
