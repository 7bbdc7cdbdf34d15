// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The channel.
 *
 * Owns: its descriptor, and the structure of its one system call.
 *
 * Must not own: what the answer should be.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/trustgate_channel.h>

#include "conn.h"

void trustgate_channel_close(struct trustgate_conn *conn)
{
	if (conn->channel >= 0)
		close(conn->channel);
	conn->channel = -1;
}

static int channel_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_channel(attrs, length, userdata);
}

int trustgate_channel_open(struct trustgate_conn *conn)
{
	int fd = -1;
	struct request request = {
		.what = "open the channel",
		.set = &trustgate_attr_channel,
		.reply = channel_reply,
		.userdata = &fd,
	};
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	trustgate_channel_close(conn);
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_CHANNEL_OPEN, 0, 0);
	if (!r)
		r = trustgate_request_run(conn, &request, 0);
	if (!r && fd < 0)
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
	if (!r)
		conn->channel = fd;
	else if (fd >= 0)
		close(fd);
	return r;
}

int trustgate_channel_fd(const struct trustgate_conn *conn)
{
	return conn->channel >= 0 ? conn->channel : -ENOTCONN;
}

static void say(struct trustgate_exchange *exchange, const struct trustgate_answer *answer)
{
	exchange->verdict = answer->verdict;
	exchange->request = answer->request;
	if (answer->verdict != TRUSTGATE_VERDICT_GRANT)
		return;
	exchange->expires_boottime_ns = answer->expires_boottime_ns;
	exchange->not_before_boottime_ns = answer->not_before_boottime_ns;
	if (answer->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED ||
	    answer->supervised_until_boottime_ns) {
		exchange->flags |= TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL;
		exchange->supervised_until_boottime_ns = answer->supervised_until_boottime_ns;
	}
	exchange->tag = answer->tag;
	exchange->ticket = (uintptr_t)answer->ticket;
	exchange->access = answer->access;
	exchange->grant_flags = answer->flags;
	exchange->reason = answer->reason;
	if (answer->on_end) {
		exchange->flags |= TRUSTGATE_EXCHANGE_ON_END;
		exchange->on_end = answer->on_end;
	}
	exchange->max_uses = answer->max_uses;
}

/* What is told of every request. */
#define BIT_OF(name)	(UINT64_C(1) << TRUSTGATE_A_REQUEST_##name)
#define ALWAYS								\
	(BIT_OF(ID) | BIT_OF(VOLUME_ID) | BIT_OF(PID) | BIT_OF(TID) |	\
	 BIT_OF(START_TICKS) | BIT_OF(EXEC_ID) | BIT_OF(UID) |		\
	 BIT_OF(LOGINUID) | BIT_OF(COMM) | BIT_OF(ACCESS) |		\
	 BIT_OF(CAUSE) | BIT_OF(INO) | BIT_OF(INODE_GENERATION) |	\
	 BIT_OF(RAISED_BOOTTIME_NS) | BIT_OF(DEADLINE_BOOTTIME_NS) |	\
	 BIT_OF(WAITING))

/* The path is in its place already. */
static void hear(const struct trustgate_exchange_question *question,
		 struct trustgate_request *request)
{
	request->present = ALWAYS;
	request->id = question->request;
	request->volume_id = question->volume_id;
	request->pid = question->pid;
	request->tid = question->tid;
	request->start_ticks = question->start_ticks;
	request->exec_id = question->exec_id;
	request->uid = question->uid;
	request->loginuid = question->loginuid;
	memcpy(request->comm, question->comm, sizeof(question->comm));
	request->comm[sizeof(question->comm)] = '\0';
	request->access = question->access;
	request->cause = question->cause;
	request->ino = question->ino;
	request->inode_generation = question->inode_generation;
	request->raised_boottime_ns = question->raised_boottime_ns;
	request->deadline_boottime_ns = question->deadline_boottime_ns;
	request->waiting = question->waiting;
	if (question->path_length && question->path_length < sizeof(request->path))
		request->present |= BIT_OF(PATH);
	else
		request->path[0] = '\0';
}

/* The kernel's words are in conn->error.message already. */
static int refused(struct trustgate_conn *conn, int err, uint32_t attribute)
{
	const char *name = trustgate_attr_name(&trustgate_attr_grant, attribute);
	const char *message = conn->error.message;

	if (err == -ENOTCONN)
		return trustgate_fail(conn, err, "the channel has ended");
	if (name)
		strcpy(conn->error.attribute, name);
	return trustgate_fail(conn, err, "cannot answer the request%s%s%s%s%s",
			      *message ? ": " : "", message, name ? " (attribute " : "",
			      name ?: "", name ? ")" : "");
}

int trustgate_channel_exchange(struct trustgate_conn *conn,
			       const struct trustgate_answer *answer, bool wait,
			       struct trustgate_request *ret_request,
			       uint64_t *ret_grant)
{
	struct trustgate_exchange exchange;

	trustgate_error_clear(conn);
	if (conn->channel < 0)
		return trustgate_fail(conn, -ENOTCONN, "there is no channel to the gate");
	if (wait && !ret_request)
		return trustgate_fail(conn, -EINVAL, "cannot wait for a request without room for it");
	memset(&exchange, 0, offsetof(struct trustgate_exchange, question));
	if (answer)
		say(&exchange, answer);
	if (wait)
		exchange.flags |= TRUSTGATE_EXCHANGE_WAIT;
	if (ret_request) {
		exchange.flags |= TRUSTGATE_EXCHANGE_TAKE;
		exchange.path = (uintptr_t)ret_request->path;
		exchange.path_size = sizeof(ret_request->path);
	}
	exchange.message = (uintptr_t)conn->error.message;
	exchange.message_size = sizeof(conn->error.message);
	if (ioctl(conn->channel, TRUSTGATE_IOC_EXCHANGE, &exchange)) {
		int err = -errno;

		if (answer)
			return refused(conn, err, exchange.attribute);
		return trustgate_fail(conn, err, err == -ENOTCONN ? "the channel has ended" :
						  "cannot take a request");
	}
	if (ret_grant)
		*ret_grant = exchange.question.grant;
	if (!exchange.question.request)
		return 0;
	hear(&exchange.question, ret_request);
	return 1;
}
