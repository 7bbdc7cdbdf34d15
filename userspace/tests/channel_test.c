// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channel, over a scripted kernel.
 *
 * Owns: checks of libtrustgate's channel.c: what the structure holds, and what is
 * made of it.
 *
 * Must not own: what the kernel does with it (selftests/channel_test.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/trustgate_channel.h>

#include "check.h"
#include "kernel_fake.h"
#include "trustgate.h"

/* What the call found, and what it is to give back. */
static struct {
	int fd;
	unsigned int calls;
	struct trustgate_exchange sent;
	char ticket[TRUSTGATE_TICKET_MAX + 1];
	int error;
	uint32_t attribute;
	const char *message;
	struct trustgate_exchange_question question;
	const char *path;
} kernel;

int __wrap_ioctl(int fd, unsigned long command, ...);

int __wrap_ioctl(int fd, unsigned long command, ...)
{
	struct trustgate_exchange *exchange;
	va_list arguments;

	va_start(arguments, command);
	exchange = va_arg(arguments, struct trustgate_exchange *);
	va_end(arguments);
	CHECK_EQUAL(command, TRUSTGATE_IOC_EXCHANGE);
	kernel.fd = fd;
	kernel.calls++;
	memcpy(&kernel.sent, exchange, offsetof(struct trustgate_exchange, question));
	if (exchange->ticket)
		strcpy(kernel.ticket, (const char *)(uintptr_t)exchange->ticket);
	if (kernel.error) {
		if (kernel.message)
			strcpy((char *)(uintptr_t)exchange->message, kernel.message);
		exchange->attribute = kernel.attribute;
		errno = kernel.error;
		return -1;
	}
	if (kernel.path)
		strcpy((char *)(uintptr_t)exchange->path, kernel.path);
	exchange->question = kernel.question;
	return 0;
}

static struct trustgate_conn *open_channel(void)
{
	struct trustgate_conn *conn = fake_connect();
	struct nl_msg *attrs = fake_attrs();

	memset(&kernel, 0, sizeof(kernel));
	nla_put_s32(attrs, TRUSTGATE_A_CHANNEL_FD, open("/dev/null", O_RDONLY | O_CLOEXEC));
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_CHANNEL_OPEN, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_channel_open(conn), 0);
	CHECK_EQUAL(fake_sent_cmd(), TRUSTGATE_CMD_CHANNEL_OPEN);
	return conn;
}

static void test_open(void)
{
	static struct trustgate_request request;
	struct trustgate_conn *conn = fake_connect();
	int fd;

	CHECK_EQUAL(trustgate_channel_fd(conn), -ENOTCONN);
	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, false, &request, NULL), -ENOTCONN);
	fake_error(-EPERM, fake_ack("only the bound agent may do this; ask it", 0, 0, 0));
	CHECK_EQUAL(trustgate_channel_open(conn), -EPERM);
	CHECK_EQUAL(trustgate_channel_fd(conn), -ENOTCONN);
	trustgate_free(conn);

	/* An answer without a descriptor makes no sense. */
	conn = fake_connect();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_channel_open(conn), -EPROTO);
	trustgate_free(conn);

	conn = open_channel();
	fd = trustgate_channel_fd(conn);
	CHECK(fd >= 0);
	trustgate_channel_close(conn);
	CHECK_EQUAL(trustgate_channel_fd(conn), -ENOTCONN);
	CHECK_EQUAL(fcntl(fd, F_GETFD), -1);
	trustgate_free(conn);

	conn = open_channel();
	fd = trustgate_channel_fd(conn);
	trustgate_free(conn);
	CHECK_EQUAL(fcntl(fd, F_GETFD), -1);
}

static void test_take(void)
{
	static struct trustgate_request request;
	struct trustgate_conn *conn = open_channel();
	uint64_t grant = 1;

	request.id = 4711;
	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, false, &request, &grant), 0);
	CHECK_EQUAL(kernel.fd, trustgate_channel_fd(conn));
	CHECK_EQUAL(kernel.sent.flags, TRUSTGATE_EXCHANGE_TAKE);
	CHECK_EQUAL(kernel.sent.verdict, TRUSTGATE_VERDICT_NONE);
	CHECK_EQUAL(kernel.sent.request, 0);
	CHECK_EQUAL(kernel.sent.path_size, TRUSTGATE_PATH_MAX + 1);
	CHECK_EQUAL(request.id, 4711);
	CHECK_EQUAL(grant, 0);

	kernel.question = (struct trustgate_exchange_question){
		.request = 7, .ino = 8, .start_ticks = 9, .exec_id = 10,
		.raised_boottime_ns = 11, .deadline_boottime_ns = 12, .volume_id = 13,
		.inode_generation = 14, .access = 15, .cause = 16, .pid = 17, .tid = 18,
		.uid = 19, .loginuid = 20, .waiting = 21, .path_length = 5,
		.comm = "0123456789abcdef",
	};
	kernel.path = "/db/a";
	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, true, &request, NULL), 1);
	CHECK_EQUAL(kernel.sent.flags, TRUSTGATE_EXCHANGE_TAKE | TRUSTGATE_EXCHANGE_WAIT);
	CHECK_EQUAL(request.present, ((UINT64_C(2) << TRUSTGATE_A_REQUEST_MAX) - 2) &
				     ~(UINT64_C(1) << TRUSTGATE_A_REQUEST_PAD));
	CHECK_EQUAL(request.id, 7);
	CHECK_EQUAL(request.ino, 8);
	CHECK_EQUAL(request.start_ticks, 9);
	CHECK_EQUAL(request.exec_id, 10);
	CHECK_EQUAL(request.raised_boottime_ns, 11);
	CHECK_EQUAL(request.deadline_boottime_ns, 12);
	CHECK_EQUAL(request.volume_id, 13);
	CHECK_EQUAL(request.inode_generation, 14);
	CHECK_EQUAL(request.access, 15);
	CHECK_EQUAL(request.cause, 16);
	CHECK_EQUAL(request.pid, 17);
	CHECK_EQUAL(request.tid, 18);
	CHECK_EQUAL(request.uid, 19);
	CHECK_EQUAL(request.loginuid, 20);
	CHECK_EQUAL(request.waiting, 21);
	CHECK_TEXT(request.path, "/db/a");
	/* One that fills the room for it has an end all the same. */
	CHECK_TEXT(request.comm, "0123456789abcdef");

	/* No path. */
	kernel.question.path_length = 0;
	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, false, &request, NULL), 1);
	CHECK(!(request.present & UINT64_C(1) << TRUSTGATE_A_REQUEST_PATH));
	CHECK_TEXT(request.path, "");
	trustgate_free(conn);
}

static void test_answer(void)
{
	const struct trustgate_answer refusal = {
		.request = 7, .verdict = TRUSTGATE_VERDICT_REFUSE,
		/* Of a grant. */
		.access = 1, .expires_boottime_ns = 2, .ticket = "T-1",
	};
	struct trustgate_answer answer = {
		.request = 7, .verdict = TRUSTGATE_VERDICT_GRANT, .access = 1, .flags = 1,
		.reason = 2, .max_uses = 3, .not_before_boottime_ns = 4,
		.expires_boottime_ns = 5, .ticket = "T-1", .tag = 6,
	};
	struct trustgate_conn *conn = open_channel();
	uint64_t grant = 0;

	kernel.question.grant = 99;
	CHECK_EQUAL(trustgate_channel_exchange(conn, &answer, false, NULL, &grant), 0);
	CHECK_EQUAL(grant, 99);
	CHECK_EQUAL(kernel.sent.flags, 0);
	CHECK_EQUAL(kernel.sent.verdict, TRUSTGATE_VERDICT_GRANT);
	CHECK_EQUAL(kernel.sent.request, 7);
	CHECK_EQUAL(kernel.sent.access, 1);
	CHECK_EQUAL(kernel.sent.grant_flags, 1);
	CHECK_EQUAL(kernel.sent.reason, 2);
	CHECK_EQUAL(kernel.sent.max_uses, 3);
	CHECK_EQUAL(kernel.sent.not_before_boottime_ns, 4);
	CHECK_EQUAL(kernel.sent.expires_boottime_ns, 5);
	CHECK_EQUAL(kernel.sent.tag, 6);
	CHECK_TEXT(kernel.ticket, "T-1");
	CHECK_EQUAL(kernel.sent.path, 0);
	CHECK_EQUAL(kernel.sent.path_size, 0);

	/* What can be given or not. */
	answer.on_end = TRUSTGATE_ON_END_KILL;
	answer.flags = TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	CHECK_EQUAL(trustgate_channel_exchange(conn, &answer, false, NULL, NULL), 0);
	CHECK_EQUAL(kernel.sent.flags, TRUSTGATE_EXCHANGE_ON_END |
				       TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL);
	CHECK_EQUAL(kernel.sent.on_end, TRUSTGATE_ON_END_KILL);
	CHECK_EQUAL(kernel.sent.supervised_until_boottime_ns, 0);

	CHECK_EQUAL(trustgate_channel_exchange(conn, &refusal, false, NULL, NULL), 0);
	CHECK_EQUAL(kernel.sent.verdict, TRUSTGATE_VERDICT_REFUSE);
	CHECK_EQUAL(kernel.sent.request, 7);
	CHECK_EQUAL(kernel.sent.access, 0);
	CHECK_EQUAL(kernel.sent.expires_boottime_ns, 0);
	CHECK_EQUAL(kernel.sent.ticket, 0);

	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, true, NULL, NULL), -EINVAL);
	CHECK_EQUAL(kernel.calls, 3);
	trustgate_free(conn);
}

static void test_errors(void)
{
	const struct trustgate_answer answer = {
		.request = 7, .verdict = TRUSTGATE_VERDICT_GRANT,
	};
	static struct trustgate_request request;
	struct trustgate_conn *conn = open_channel();

	kernel.error = ERANGE;
	kernel.attribute = TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS;
	kernel.message = "longer than the volume's maximum of 5 s";
	CHECK_EQUAL(trustgate_channel_exchange(conn, &answer, false, &request, NULL), -ERANGE);
	CHECK_TEXT(trustgate_error_attribute(conn), "expires-boottime-ns");
	CHECK_TEXT(trustgate_error_message(conn), "longer than the volume's maximum of 5 s");
	CHECK_TEXT(trustgate_error_text(conn),
		   "cannot answer the request: longer than the volume's maximum of 5 s (attribute expires-boottime-ns): Numerical result out of range");
	CHECK(!trustgate_error_unsure(conn));

	kernel.message = NULL;
	kernel.attribute = 4711;
	kernel.error = ENOMEM;
	CHECK_EQUAL(trustgate_channel_exchange(conn, &answer, false, &request, NULL), -ENOMEM);
	CHECK(!trustgate_error_attribute(conn));
	CHECK(!trustgate_error_message(conn));

	kernel.error = ENOTCONN;
	CHECK_EQUAL(trustgate_channel_exchange(conn, &answer, false, &request, NULL), -ENOTCONN);
	CHECK_HOLDS(trustgate_error_text(conn), "the channel has ended");
	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, false, &request, NULL), -ENOTCONN);
	CHECK_HOLDS(trustgate_error_text(conn), "the channel has ended");
	kernel.error = EINTR;
	CHECK_EQUAL(trustgate_channel_exchange(conn, NULL, true, &request, NULL), -EINTR);
	CHECK_HOLDS(trustgate_error_text(conn), "cannot take a request");
	trustgate_free(conn);
}

int main(void)
{
	test_open();
	test_take();
	test_answer();
	test_errors();
	return check_end();
}
