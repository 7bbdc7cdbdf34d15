// SPDX-License-Identifier: GPL-2.0-only
/*
 * agent_test - what the loss of the agent does, and who may come after it.
 *
 * Owns: hold and revoke, death at any moment, and taking over. Here the agent
 * is a process of its own, so that it can die, and the test is its subject.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "stage.h"

#define KILLS		40
#define WAIT_MS		15000

static const char other_secret[TRUSTGATE_SECRET_LEN] = "not the secret";

/* What the agent does next; the test says so by a byte, it answers by one. */
enum order {
	CLOSE = 'c',
	EXIT = 'e',
	UNBIND = 'u',
	STORM = 's',
	PASS = 'p',
};

/**
 * struct agent - an agent in a process of its own
 * @pid: process
 * @fd: for orders
 * @port: of its socket
 */
struct agent {
	pid_t pid;
	int fd;
	uint32_t port;
};

FIXTURE(agent) {
	struct stage stage;	/* its socket is closed again */
	struct volume hold;
	struct volume revoke;
	struct agent agent;
};

static int send_fd(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	char byte = 0;
	struct iovec vec = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(to, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int from)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	char byte;
	struct iovec vec = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vec,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(from, &message, 0) != 1)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Requests without an end, several kinds of them. */
static void storm(struct raw_socket *socket, struct raw_wish wish)
{
	static struct raw_message message;
	unsigned int i;

	for (;;) {
		raw_begin(&message, socket, TRUSTGATE_CMD_GRANT_ADD);
		for (i = 0; i < 40; i++)
			raw_put_wish(&message, &wish);
		raw_do(socket, &message);
		raw_revoke(socket, 0);
		raw_count_grants(socket);
	}
}

static void be_agent(struct raw_socket *socket, int fd, struct raw_wish wish)
{
	char order;

	while (read(fd, &order, 1) == 1) {
		switch (order) {
		case CLOSE:
			close(socket->fd);
			break;
		case UNBIND: {
			static struct raw_message message;

			raw_begin(&message, socket, TRUSTGATE_CMD_AGENT_UNBIND);
			raw_do(socket, &message);
			break;
		}
		case EXIT:
			_exit(0);
		case STORM:
			if (write(fd, &order, 1) != 1)
				_exit(1);
			storm(socket, wish);
			break;
		case PASS:
			send_fd(fd, socket->fd);
			continue;
		}
		if (write(fd, &order, 1) != 1)
			break;
	}
	_exit(0);
}

/* Binds in a process of its own; it can be given orders afterwards. */
static int start_agent(struct agent *agent, const struct raw_wish *wish)
{
	struct raw_socket socket;
	int ends[2], err, tries;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	/* What the harness gave us is shared with the child. */
	pid = fork();
	if (!pid) {
		close(ends[0]);
		err = raw_open(&socket);
		for (tries = 0; !err && tries < 100; tries++) {
			err = raw_bind(&socket, (const char *)gate_secret);
			if (err != -EBUSY)
				break;
			usleep(10000);
		}
		if (write(ends[1], &err, sizeof(err)) != sizeof(err) || err ||
		    write(ends[1], &socket.port, 4) != 4)
			_exit(1);
		be_agent(&socket, ends[1], *wish);
	}
	close(ends[1]);
	agent->pid = pid;
	agent->fd = ends[0];
	if (read(ends[0], &err, sizeof(err)) != sizeof(err))
		return -EPIPE;
	if (!err && read(ends[0], &agent->port, 4) != 4)
		return -EPIPE;
	return err;
}

static int order(const struct agent *agent, enum order what)
{
	char byte = (char)what;

	if (write(agent->fd, &byte, 1) != 1)
		return -errno;
	return read(agent->fd, &byte, 1) == 1 ? 0 : -EPIPE;
}

static void kill_agent(const struct agent *agent)
{
	kill(agent->pid, SIGKILL);
	waitpid(agent->pid, NULL, 0);
}

/* The same grant, on either volume. */
static struct raw_wish wish_on(const struct volume *volume, uint64_t for_ns)
{
	return (struct raw_wish){
		.volume = volume->id,
		.pid = getpid(),
		.path = "db/a",
		.access = TRUSTGATE_ACCESS_READ,
		.for_ns = for_ns,
	};
}

static int try_open(const struct volume *volume)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/db/a", volume->disk.path);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void unbind(struct stage *stage)
{
	raw_begin(stage->message, &stage->agent, TRUSTGATE_CMD_AGENT_UNBIND);
	raw_do(&stage->agent, stage->message);
	raw_close(&stage->agent);
}

/*
 * Two volumes protected, a grant for the test on each, both for long; and the
 * agent handed over to a process of its own, which nobody else is bound beside.
 */
FIXTURE_SETUP(agent)
{
	struct raw_wish wish;

	STAGE_BARE(&self->stage, false);
	ASSERT_EQ(0, stage_volume(&self->stage, &self->hold, 0,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	ASSERT_EQ(0, stage_volume(&self->stage, &self->revoke, 1,
				  TRUSTGATE_ON_AGENT_LOSS_REVOKE, 0));
	unbind(&self->stage);
	wish = wish_on(&self->hold, 0);
	ASSERT_EQ(0, start_agent(&self->agent, &wish));
}

FIXTURE_TEARDOWN_PARENT(agent)
{
	gate_clean();
}

FIXTURE_VARIANT(agent) {
	enum order end;	/* 0 for SIGKILL */
};

FIXTURE_VARIANT_ADD(agent, killed) { .end = 0 };
FIXTURE_VARIANT_ADD(agent, closed) { .end = CLOSE };
FIXTURE_VARIANT_ADD(agent, exited) { .end = EXIT };
FIXTURE_VARIANT_ADD(agent, unbound) { .end = UNBIND };

static void lose(struct agent *agent, enum order end)
{
	if (!end) {
		kill_agent(agent);
	} else if (end == EXIT) {
		order(agent, EXIT);
		waitpid(agent->pid, NULL, 0);
	} else {
		order(agent, end);
	}
}

/* Has the agent's process give the grants of a test; by its own socket. */
static int borrow(const struct agent *agent, struct raw_socket *socket)
{
	char byte = PASS;
	int err = raw_open(socket);

	if (err)
		return err;
	if (write(agent->fd, &byte, 1) != 1)
		return -errno;
	close(socket->fd);
	socket->fd = receive_fd(agent->fd);
	socket->port = agent->port;
	return socket->fd < 0 ? socket->fd : 0;
}

static int give_both(FIXTURE_DATA(agent) *self, uint64_t hold_for_ns)
{
	struct raw_wish on_hold = wish_on(&self->hold, hold_for_ns);
	struct raw_wish on_revoke = wish_on(&self->revoke, 0);
	struct raw_socket agents;
	int err;

	err = borrow(&self->agent, &agents);
	if (err)
		return err;
	if (!raw_grant(&agents, &on_hold) || !raw_grant(&agents, &on_revoke))
		err = -errno;
	raw_close(&agents);
	return err;
}

TEST_F(agent, hold_and_revoke)
{
	struct raw_answer *answer = self->stage.answer;
	uint64_t until_ns = raw_now_ns() + 5 * RAW_SECOND_NS;
	struct raw_socket other;
	struct raw_gate gate;
	struct raw_wish wish;
	char path[128], byte;
	int fd;

	ASSERT_EQ(0, give_both(self, 5 * RAW_SECOND_NS));
	EXPECT_EQ(0, try_open(&self->hold));
	EXPECT_EQ(0, try_open(&self->revoke));
	snprintf(path, sizeof(path), "%s/db/a", self->revoke.disk.path);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, read(fd, &byte, 1));

	lose(&self->agent, variant->end);
	/* At once, and for what is open already, too. */
	EXPECT_EQ(EACCES, try_open(&self->revoke));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(0, try_open(&self->hold));

	ASSERT_EQ(0, raw_open(&other));
	ASSERT_EQ(0, raw_gate(&other, &gate));
	EXPECT_EQ(0, gate.has & (1U << TRUSTGATE_A_GATE_AGENT_PORTID));
	EXPECT_EQ(TRUSTGATE_GATE_STATE_ARMED, gate.state);
	EXPECT_EQ(1, gate.grants);

	/* Nothing new is granted. */
	wish = wish_on(&self->hold, 0);
	raw_begin(self->stage.message, &other, TRUSTGATE_CMD_GRANT_ADD);
	raw_put_wish(self->stage.message, &wish);
	ASSERT_EQ(0, raw_ask(&other, self->stage.message, answer));
	EXPECT_EQ(-EPERM, answer->error);
	EXPECT_STREQ("no agent is bound; start trusteed", answer->text);

	/* What is held runs to its expiry and no longer. */
	while (raw_now_ns() < until_ns + RAW_SECOND_NS)
		usleep(100 * 1000);
	EXPECT_EQ(EACCES, try_open(&self->hold));
	raw_close(&other);
}

FIXTURE(takeover) {
	struct stage stage;
	struct volume hold;
	struct agent agent;
};

FIXTURE_SETUP(takeover)
{
	struct raw_wish wish;

	STAGE_BARE(&self->stage, false);
	ASSERT_EQ(0, stage_volume(&self->stage, &self->hold, 0,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	unbind(&self->stage);
	wish = wish_on(&self->hold, 0);
	ASSERT_EQ(0, start_agent(&self->agent, &wish));
}

FIXTURE_TEARDOWN_PARENT(takeover)
{
	gate_clean();
}

static void count_mine(const void *attrs, size_t length, void *context)
{
	struct raw_grant grant;

	raw_grant_parse(attrs, length, &grant);
	if (grant.pid == getpid())
		(*(unsigned int *)context)++;
}

TEST_F(takeover, live_grants_survive_a_restart)
{
	struct raw_wish wish = wish_on(&self->hold, 0);
	struct raw_socket borrowed, next;
	unsigned int mine = 0;
	uint64_t id;

	ASSERT_EQ(0, borrow(&self->agent, &borrowed));
	id = raw_grant(&borrowed, &wish);
	ASSERT_NE(0, id);
	raw_close(&borrowed);
	kill_agent(&self->agent);

	ASSERT_EQ(0, raw_open(&next));
	EXPECT_EQ(-EACCES, raw_bind(&next, other_secret));
	EXPECT_EQ(0, try_open(&self->hold));
	ASSERT_EQ(0, raw_bind(&next, (const char *)gate_secret));
	EXPECT_EQ(0, try_open(&self->hold));
	raw_begin(self->stage.message, &next, TRUSTGATE_CMD_GRANT_GET);
	ASSERT_EQ(0, raw_dump(&next, self->stage.message, count_mine, &mine,
			      NULL, NULL));
	EXPECT_EQ(1, mine);
	ASSERT_EQ(0, raw_revoke(&next, id));
	EXPECT_EQ(EACCES, try_open(&self->hold));
	raw_close(&next);
}

TEST_F(takeover, not_while_the_agent_lives)
{
	struct raw_socket next;

	ASSERT_EQ(0, raw_open(&next));
	EXPECT_EQ(-EBUSY, raw_bind(&next, (const char *)gate_secret));
	EXPECT_EQ(-EBUSY, raw_bind(&next, other_secret));
	raw_close(&next);
	EXPECT_EQ(0, order(&self->agent, UNBIND));
}

/* A socket that got the dead agent's number is not the agent. */
TEST_F(takeover, not_by_its_number)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_pid = self->agent.port,
	};
	struct raw_wish wish = wish_on(&self->hold, 0);
	struct raw_socket thief;

	ASSERT_EQ(0, raw_open(&thief));
	kill_agent(&self->agent);
	close(thief.fd);
	thief.fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	ASSERT_EQ(0, bind(thief.fd, (struct sockaddr *)&address,
			  sizeof(address)));
	thief.port = address.nl_pid;
	EXPECT_EQ(0, raw_grant(&thief, &wish));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(EACCES, try_open(&self->hold));
	raw_close(&thief);
}

/* As systemd's store of descriptors does across a restart of the agent. */
TEST_F(takeover, passed_descriptor_stays_bound)
{
	struct raw_wish wish = wish_on(&self->hold, 0);
	struct raw_socket kept, other;
	struct raw_gate gate;

	ASSERT_EQ(0, borrow(&self->agent, &kept));
	kill_agent(&self->agent);

	ASSERT_EQ(0, raw_open(&other));
	ASSERT_EQ(0, raw_gate(&other, &gate));
	EXPECT_EQ(self->agent.port, gate.agent_portid);
	EXPECT_EQ(-EBUSY, raw_bind(&other, (const char *)gate_secret));
	ASSERT_NE(0, raw_grant(&kept, &wish));
	EXPECT_EQ(0, try_open(&self->hold));

	raw_close(&kept);
	ASSERT_EQ(0, raw_gate(&other, &gate));
	EXPECT_EQ(0, gate.has & (1U << TRUSTGATE_A_GATE_AGENT_PORTID));
	EXPECT_EQ(0, raw_bind(&other, (const char *)gate_secret));
	raw_close(&other);
}

/*
 * The agent dies in the middle of whatever it was doing. Whoever comes next
 * finds a gate whose numbers agree, and the volume is closed.
 */
TEST_F_TIMEOUT(takeover, killed_at_any_moment, 200)
{
	struct raw_wish wish = wish_on(&self->hold, 0);
	struct raw_socket next;
	struct raw_gate gate;

	/* The storm is for another subject, so the test stays without. */
	wish.pid = getppid();
	kill_agent(&self->agent);
	srand(4711);
	for (unsigned int i = 0; i < KILLS; i++) {
		struct agent agent;

		ASSERT_EQ(0, start_agent(&agent, &wish));
		ASSERT_EQ(0, order(&agent, STORM));
		usleep((useconds_t)(rand() % 60000));
		kill_agent(&agent);
		close(agent.fd);
		EXPECT_EQ(EACCES, try_open(&self->hold));

		ASSERT_EQ(0, raw_open(&next));
		ASSERT_EQ(0, raw_gate(&next, &gate));
		EXPECT_EQ(gate.grants, raw_count_grants(&next));
		/* All of a batch or none of it. */
		EXPECT_EQ(0, gate.grants % 40);
		EXPECT_EQ(!!gate.grants, gate.subjects);
		raw_close(&next);
	}
	ASSERT_EQ(0, raw_open(&next));
	ASSERT_EQ(0, raw_bind(&next, (const char *)gate_secret));
	ASSERT_EQ(0, raw_revoke(&next, 0));
	ASSERT_EQ(0, raw_gate(&next, &gate));
	EXPECT_EQ(0, gate.grants);
	EXPECT_EQ(0, gate.subjects);
	raw_close(&next);
}

/* Its volume is revoked while it hands out grants by the hundred. */
TEST_F_TIMEOUT(takeover, killed_with_opens_under_way, 200)
{
	struct raw_wish wish = wish_on(&self->hold, 0);
	pid_t openers[2];

	kill_agent(&self->agent);
	for (unsigned int i = 0; i < ARRAY_SIZE(openers); i++) {
		openers[i] = fork();
		if (!openers[i]) {
			for (;;)
				try_open(&self->hold);
		}
	}
	wish.pid = openers[0];
	for (unsigned int i = 0; i < KILLS / 2; i++) {
		struct agent agent;

		ASSERT_EQ(0, start_agent(&agent, &wish));
		ASSERT_EQ(0, order(&agent, STORM));
		usleep((useconds_t)(rand() % 60000));
		kill_agent(&agent);
		close(agent.fd);
	}
	EXPECT_EQ(EACCES, try_open(&self->hold));
	for (unsigned int i = 0; i < ARRAY_SIZE(openers); i++) {
		kill(openers[i], SIGKILL);
		waitpid(openers[i], NULL, 0);
	}
}

TEST_HARNESS_MAIN
