// SPDX-License-Identifier: GPL-2.0-only
/*
 * channel_end_test - who may use the agent's channel, and how it ends.
 *
 * Owns: that, and how waiting for a request ends.
 *
 * Must not own: what is told and said by it (channel_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "asking.h"
#include "attempt.h"

#define LONG_NS		(600 * GATE_SECOND_NS)

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

/* Waiting. */

struct waiter {
	struct trustgate_exchange raw;
	int fd;
	int result;
	pthread_t thread;
};

static void *wait_for_one(void *data)
{
	struct waiter *waiter = data;

	waiter->raw.flags = TRUSTGATE_EXCHANGE_TAKE | TRUSTGATE_EXCHANGE_WAIT;
	waiter->result = asking_exchange(waiter->fd, &waiter->raw);
	return NULL;
}

static int start_waiting(struct waiter *waiter, int fd)
{
	*waiter = (struct waiter) { .fd = fd };
	return pthread_create(&waiter->thread, NULL, wait_for_one, waiter);
}

static void ignore(int number)
{
}

TEST_F(channel, waiting_ends)
{
	const struct sigaction action = { .sa_handler = ignore };
	const struct timespec moment = { .tv_nsec = 200000000 };
	struct waiter waiter;
	int tries = 0;

	/* By a request. */
	ASSERT_EQ(0, start_waiting(&waiter, FD));
	nanosleep(&moment, NULL);
	BEGIN(attempt_open, "db/a", O_RDONLY);
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(0, waiter.result);
	EXPECT_NE(0, waiter.raw.question.request);
	EXPECT_EQ(0, asking_refuse(&self->gate, waiter.raw.question.request));
	EXPECT_EQ(EACCES, END());

	/* By a signal, without SA_RESTART. */
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, start_waiting(&waiter, FD));
	do {
		nanosleep(&moment, NULL);
		pthread_kill(waiter.thread, SIGUSR1);
		nanosleep(&moment, NULL);
	} while (pthread_tryjoin_np(waiter.thread, NULL) && ++tries < 20);
	EXPECT_EQ(-EINTR, waiter.result);

	/* By the end of the channel: another is opened. */
	ASSERT_EQ(0, start_waiting(&waiter, dup(FD)));
	nanosleep(&moment, NULL);
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(-ENOTCONN, waiter.result);
	EXPECT_EQ(POLLHUP, asking_poll(waiter.fd));
	EXPECT_EQ(0, asking_poll(FD));

	/* By the loss of the agent. */
	ASSERT_EQ(0, start_waiting(&waiter, FD));
	nanosleep(&moment, NULL);
	ASSERT_EQ(0, trustgate_agent_unbind(self->gate.conn));
	pthread_join(waiter.thread, NULL);
	EXPECT_EQ(-ENOTCONN, waiter.result);
}

/*
 * One who asks just when a channel is opened may not have seen it. Whoever waits for
 * requests is woken even so; here on a channel that has ended, for then there is none
 * to be seen, and by the edge, as that is what a wake-up makes.
 */
TEST_F(channel, woken_by_one_who_saw_none)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = dup(FD);
	uint64_t id;

	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	trustgate_channel_close(self->gate.conn);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	/* That it has ended. */
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 0));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 1000 * gate_patience(5)));
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
	close(epoll);
	close(fd);
}

/* The end of the channel. */

TEST_F(channel, ends_with_the_agent)
{
	struct trustgate_answer answer;
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	ASSERT_EQ(0, trustgate_agent_unbind(self->gate.conn));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, COUNT(NO_GRANT));
	EXPECT_EQ(POLLHUP, asking_poll(FD));
	answer = asking_answer(self->request->id);
	EXPECT_EQ(-ENOTCONN, EXCHANGE(&answer, false));

	/* The same process may be the agent again; the channel is not open again. */
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	EXPECT_EQ(POLLHUP, asking_poll(FD));
	EXPECT_EQ(-ENOTCONN, EXCHANGE(NULL, false));
	gate_forget_events(&self->gate);
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	/* What waits already is taken by the next. */
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
	EXPECT_EQ(POLLIN, asking_poll(FD));
	ASSERT_EQ(1, EXCHANGE(NULL, false));
	EXPECT_EQ(id, self->request->id);
	answer = asking_answer(id);
	EXPECT_EQ(0, EXCHANGE(&answer, false));
	EXPECT_EQ(0, END());
}

/* Bound again by the same process, the agent is the same. */
TEST_F(channel, outlasts_being_bound_again)
{
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	EXPECT_EQ(0, asking_poll(FD));
	EXPECT_EQ(0, EXCHANGE(NULL, false));
}

/* Then requests are told by netlink as before, at once. */
TEST_F(channel, closed)
{
	struct trustgate_answer answer;
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	ASSERT_EQ(1, EXCHANGE(NULL, true));
	trustgate_channel_close(self->gate.conn);
	EXPECT_EQ(-ENOTCONN, FD);
	answer = asking_answer(self->request->id);
	EXPECT_EQ(-ENOTCONN, EXCHANGE(&answer, false));
	ASSERT_NE(0, asking_grant(&self->gate, self->request->id));
	EXPECT_EQ(0, END());
	gate_forget_events(&self->gate);
	BEGIN(attempt_open, "db/b", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
}

/* Who may use it. */

static int *shared_fd;
static struct trustgate_conn *shared_conn;

static int part_exchange(const char *text, long fd)
{
	struct trustgate_exchange raw = { .flags = TRUSTGATE_EXCHANGE_TAKE };

	return -asking_exchange((int)fd, &raw);
}

static int part_poll(const char *text, long fd)
{
	return asking_poll((int)fd);
}

static int part_open_channel(const char *text, long unused)
{
	return -trustgate_channel_open(shared_conn);
}

static int part_bind(const char *text, long unused)
{
	return -trustgate_agent_bind(shared_conn, gate_secret, NULL);
}

TEST_F(channel, not_for_children)
{
	struct actor child;
	int fd = dup(FD);

	BEGIN(attempt_open, "db/a", O_RDONLY);
	EVENTUALLY(asking_poll(FD) == POLLIN);
	shared_conn = self->gate.conn;
	ASSERT_EQ(0, actor_start(&child));
	EXPECT_EQ(EPERM, actor_do(&child, part_exchange, "", fd));
	EXPECT_EQ(POLLERR, actor_do(&child, part_poll, "", fd));
	/* Nor may it open one, with the agent's socket. */
	EXPECT_EQ(EPERM, actor_do(&child, part_open_channel, "", 0));
	ASSERT_EQ(1, EXCHANGE(NULL, false));
	EXPECT_EQ(0, asking_refuse(&self->gate, self->request->id));
	EXPECT_EQ(EACCES, END());

	/* Once it is the agent, this one is not. */
	EXPECT_EQ(0, actor_do(&child, part_bind, "", 0));
	EXPECT_EQ(ENOTCONN, actor_do(&child, part_exchange, "", fd));
	EXPECT_EQ(-ENOTCONN, EXCHANGE(NULL, false));
	EXPECT_EQ(POLLHUP, asking_poll(FD));
	EXPECT_EQ(0, actor_do(&child, part_open_channel, "", 0));
	EXPECT_EQ(-EPERM, trustgate_channel_open(self->gate.conn));
	EXPECT_STREQ("only the process that bound the socket can open a channel; bind it in this one",
		     trustgate_error_message(self->gate.conn));
	actor_stop(&child);
	/* For gate_clean(). */
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	ASSERT_EQ(0, trustgate_channel_open(self->gate.conn));
}

/* A descriptor as text, for the program that this is after exec. */
TEST_F(channel, not_for_what_is_executed)
{
	char command[128];
	pid_t pid = fork();
	int status;

	if (!pid) {
		/* What is the shell's own is not that of this program. */
		snprintf(command, sizeof(command),
			 "test ! -e /proc/self/fd/%d", FD);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(9);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

union rights {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static int send_fd(int socket, int fd)
{
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union rights rights = { .header = {
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	} };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &rights,
		.msg_controllen = sizeof(rights),
	};

	memcpy(CMSG_DATA(&rights.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	union rights rights;
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &rights,
		.msg_controllen = sizeof(rights),
	};
	int fd;

	if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int part_exchange_received(const char *text, long socket)
{
	struct trustgate_exchange raw = { .flags = TRUSTGATE_EXCHANGE_TAKE };
	int fd = receive_fd((int)socket);

	if (fd < 0)
		return EBADF;
	return -asking_exchange(fd, &raw);
}

static int part_become_user(const char *text, long uid)
{
	return setresuid(uid, uid, uid) ? errno : 0;
}

TEST_F(channel, not_for_whom_it_is_sent_to)
{
	struct actor stranger;
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(0, actor_start(&stranger));
	/* Root, then nobody. */
	ASSERT_EQ(0, send_fd(sockets[0], FD));
	EXPECT_EQ(EPERM, actor_do(&stranger, part_exchange_received, "",
				  sockets[1]));
	ASSERT_EQ(0, actor_do(&stranger, part_become_user, "", 1000));
	ASSERT_EQ(0, send_fd(sockets[0], FD));
	EXPECT_EQ(EPERM, actor_do(&stranger, part_exchange_received, "",
				  sockets[1]));
	/* Sent to itself, it is as good as before. */
	ASSERT_EQ(0, send_fd(sockets[0], FD));
	EXPECT_EQ(0, part_exchange_received("", sockets[1]));
	actor_stop(&stranger);
}

static void *exchange_without_capability(void *result)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	*(int *)result = syscall(SYS_capset, &header, data) ? errno :
			 part_exchange("", *shared_fd);
	return NULL;
}

/* As each message of the agent's is looked at, so is each call. */
TEST_F(channel, not_without_the_capability)
{
	pthread_t thread;
	int result = 0, fd = FD;

	shared_fd = &fd;
	ASSERT_EQ(0, pthread_create(&thread, NULL, exchange_without_capability,
				    &result));
	pthread_join(thread, NULL);
	EXPECT_EQ(EPERM, result);
	EXPECT_EQ(0, EXCHANGE(NULL, false));
}

TEST_HARNESS_MAIN
