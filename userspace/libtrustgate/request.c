// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Requests and their answers.
 *
 * Owns: every send and receive. While an answer is awaited, events that arrive
 * on the same socket are kept; everything that is neither the awaited answer
 * nor an event, or that does not come from the kernel, is dropped.
 *
 * Must not own: what a request says or an answer means.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/genetlink.h>

#include <netlink/genl/genl.h>

#include "conn.h"

int trustgate_begin(struct trustgate_conn *conn)
{
	trustgate_error_clear(conn);
	if (!conn->sock)
		return trustgate_fail(conn, -ENOTCONN, "there is no connection to the gate");
	if (conn->in_dump)
		return trustgate_fail(conn, -EBUSY, "a dump is being read on this connection");
	return 0;
}

static int request_new(struct trustgate_conn *conn, struct request *request,
		       uint16_t type, uint8_t cmd, uint8_t version, uint16_t flags,
		       size_t size)
{
	request->msg = nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN + size);
	if (!request->msg ||
	    !genlmsg_put(request->msg, trustgate_port_id(conn), ++conn->seq, type, 0,
			 NLM_F_REQUEST | NLM_F_ACK | flags, cmd, version)) {
		nlmsg_free(request->msg);
		request->msg = NULL;
		return trustgate_fail(conn, -ENOMEM, "cannot %s", request->what);
	}
	return 0;
}

int trustgate_request_new(struct trustgate_conn *conn, struct request *request,
			  uint8_t cmd, uint16_t flags, size_t size)
{
	return request_new(conn, request, conn->family.id, cmd,
			   TRUSTGATE_FAMILY_VERSION, flags, size);
}

/* ---- receiving ---- */

static bool is_event(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);

	/*
	 * The family's number is no condition: it may have changed since the
	 * event was sent. No other family sends to this socket unasked.
	 */
	return nlh->nlmsg_type >= NLMSG_MIN_TYPE && nlh->nlmsg_type != GENL_ID_CTRL &&
	       nlh->nlmsg_len >= NLMSG_HDRLEN + GENL_HDRLEN &&
	       genl->cmd == TRUSTGATE_CMD_EVENT;
}

/*
 * Take one datagram. Returns its length, 0 if it is to be ignored, -EAGAIN if
 * there is none.
 * @request, which may be NULL, is the one whose answer is awaited.
 */
static ssize_t receive(struct trustgate_conn *conn, struct request *request)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec iov = { .iov_base = conn->buffer, .iov_len = RECEIVE_SIZE };
	struct msghdr header = {
		.msg_name = &sender, .msg_namelen = sizeof(sender),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t length;

	length = recvmsg(nl_socket_get_fd(conn->sock), &header, MSG_DONTWAIT);
	if (length < 0 && errno == ENOBUFS) {
		conn->events_lost = true;
		if (request)
			request->overrun = true;
		return 0;
	}
	if (length < 0)
		return errno == EINTR ? 0 : -errno;
	/* Any process may send to a netlink port; only the kernel is believed. */
	if (header.msg_namelen != sizeof(sender) || sender.nl_family != AF_NETLINK ||
	    sender.nl_pid)
		return 0;
	if (header.msg_flags & MSG_TRUNC)
		return -EPROTO;
	return length;
}

static void keep_event(struct trustgate_conn *conn, const struct nlmsghdr *nlh)
{
	trustgate_event_keep(conn, (const char *)NLMSG_DATA(nlh) + GENL_HDRLEN,
			     nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN);
}

static void keep_events(struct trustgate_conn *conn, size_t length)
{
	const struct nlmsghdr *nlh = conn->buffer;

	for (unsigned int rest = length; NLMSG_OK(nlh, rest); nlh = NLMSG_NEXT(nlh, rest))
		if (is_event(nlh))
			keep_event(conn, nlh);
}

int trustgate_drain(struct trustgate_conn *conn, bool all)
{
	/* Bounded, as events may come faster than they are taken. */
	for (size_t i = 0; i < EVENTS_KEPT_MAX; i++) {
		ssize_t length;

		if (!all && (conn->first || conn->events_lost))
			return 0;
		length = receive(conn, NULL);
		if (length == -EAGAIN)
			return 0;
		if (length < 0 && length != -EPROTO)
			return length;
		if (length > 0)
			keep_events(conn, length);
	}
	return 0;
}

/* ---- answers ---- */

/* The end of an answer: an error or acknowledgement, or the end of a dump. */
static int take_end(const struct nlmsghdr *nlh, struct request *request)
{
	const char *payload = NLMSG_DATA(nlh);
	size_t length = nlh->nlmsg_len - NLMSG_HDRLEN;
	size_t fixed = sizeof(int);
	int error;

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *err = NLMSG_DATA(nlh);

		fixed = sizeof(*err);
		if (length < fixed)
			return -EPROTO;
		/* The payload of the request is echoed unless it was capped. */
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > NLMSG_HDRLEN)
			fixed += NLMSG_ALIGN(err->msg.nlmsg_len - NLMSG_HDRLEN);
	}
	if (length < sizeof(int))
		return nlh->nlmsg_type == NLMSG_DONE && !length ? 0 : -EPROTO;
	memcpy(&error, payload, sizeof(error));
	if (error > 0 || error < -4095)
		return -EPROTO;
	request->error = error;
	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && length > fixed &&
	    trustgate_decode_ext_ack(payload + fixed, length - fixed, &request->ack))
		return -EPROTO;
	return 0;
}

static int take_message(struct trustgate_conn *conn, struct request *request,
			const struct nlmsghdr *nlh)
{
	const struct nlmsghdr *sent = nlmsg_hdr(request->msg);

	if (is_event(nlh)) {
		keep_event(conn, nlh);
		return 0;
	}
	if (nlh->nlmsg_seq != sent->nlmsg_seq || request->done)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		request->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		request->done = true;
		return take_end(nlh, request);
	}
	if (nlh->nlmsg_type != sent->nlmsg_type || nlh->nlmsg_len < NLMSG_HDRLEN + GENL_HDRLEN)
		return nlh->nlmsg_type < NLMSG_MIN_TYPE ? 0 : -EPROTO;

	request->replies++;
	if (request->reply && !request->result)
		request->result = request->reply((const char *)NLMSG_DATA(nlh) + GENL_HDRLEN,
						 nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
						 request->userdata);
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_readable(struct trustgate_conn *conn, uint64_t deadline_ms)
{
	struct pollfd pollfd = { .fd = nl_socket_get_fd(conn->sock), .events = POLLIN };
	uint64_t now = now_ms();
	int r;

	if (now >= deadline_ms)
		return -ETIMEDOUT;
	r = poll(&pollfd, 1, deadline_ms - now > 60000 ? 60000 : (int)(deadline_ms - now));
	return r < 0 && errno != EINTR ? -errno : 0;
}

static bool is_dump(const struct request *request)
{
	return (nlmsg_hdr(request->msg)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
}

/* Take one datagram that belongs to the answer, waiting for it. */
static int step(struct trustgate_conn *conn, struct request *request)
{
	uint64_t deadline_ms = now_ms() + conn->timeout_ms;
	unsigned int former = request->replies;
	int r = 0;

	while (!r && !request->done && request->replies == former) {
		const struct nlmsghdr *nlh = conn->buffer;
		ssize_t length = receive(conn, request);

		/* Sending waits until the kernel has answered, but for a dump. */
		if (length == -EAGAIN && request->overrun && !is_dump(request))
			return -ENOBUFS;
		if (length == -EAGAIN) {
			r = wait_readable(conn, deadline_ms);
			continue;
		}
		if (length < 0)
			return length;
		for (unsigned int rest = length; NLMSG_OK(nlh, rest);
		     nlh = NLMSG_NEXT(nlh, rest)) {
			int one = take_message(conn, request, nlh);

			if (one && !request->senseless)
				request->senseless = true;
		}
	}
	return r;
}

static int send_request(struct trustgate_conn *conn, struct request *request)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct nlmsghdr *nlh = nlmsg_hdr(request->msg);
	ssize_t sent;

	do {
		sent = sendto(nl_socket_get_fd(conn->sock), nlh, nlh->nlmsg_len, 0,
			      (struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	if (errno == EMSGSIZE)
		return trustgate_fail(conn, -EMSGSIZE,
				      "cannot %s: a message of %u bytes does not fit the socket's send buffer, give fewer or shorter entries at once",
				      request->what, nlh->nlmsg_len);
	return trustgate_fail(conn, -errno, "cannot %s", request->what);
}

static int senseless(struct trustgate_conn *conn, const struct request *request)
{
	return trustgate_fail(conn, -EPROTO, "cannot %s: the kernel's answer makes no sense",
			      request->what);
}

int trustgate_request_send(struct trustgate_conn *conn, struct request *request)
{
	int r;

	/* A full socket would lose the answer. */
	r = trustgate_drain(conn, true);
	if (r)
		return trustgate_fail(conn, r, "cannot %s", request->what);
	r = send_request(conn, request);
	request->sent = !r;
	return r;
}

int trustgate_request_step(struct trustgate_conn *conn, struct request *request)
{
	int r = step(conn, request);

	if (r == -ETIMEDOUT)
		return trustgate_fail(conn, r, "cannot %s: no answer within %u ms",
				      request->what, conn->timeout_ms);
	if (r == -ENOBUFS)
		return trustgate_fail(conn, r, "cannot %s: the answer was lost", request->what);
	if (r == -EPROTO)
		return senseless(conn, request);
	if (r)
		return trustgate_fail(conn, r, "cannot %s", request->what);
	/* A dump is read to its end all the same, so that the next can begin. */
	if (!request->done)
		return 0;
	if (request->senseless)
		return senseless(conn, request);
	if (request->error)
		return trustgate_fail_kernel(conn, request->error, request->what,
					     nlmsg_hdr(request->msg), request->set,
					     &request->ack);
	if (request->result == -EBADMSG)
		return senseless(conn, request);
	if (request->result < 0)
		return trustgate_fail(conn, request->result, "cannot %s", request->what);
	return request->result;
}

static int exchange(struct trustgate_conn *conn, struct request *request)
{
	int r;

	r = trustgate_request_send(conn, request);
	while (!r && !request->done)
		r = trustgate_request_step(conn, request);
	return r;
}

/* ---- the family ---- */

static int family_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_family(attrs, length, userdata);
}

int trustgate_resolve(struct trustgate_conn *conn)
{
	struct family_info family = { 0 };
	struct request request = {
		.what = "find the family " TRUSTGATE_FAMILY_NAME,
		.reply = family_reply,
		.userdata = &family,
	};
	int r;

	r = request_new(conn, &request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0,
			nla_total_size(sizeof(TRUSTGATE_FAMILY_NAME)));
	if (r)
		return r;
	nla_put_string(request.msg, CTRL_ATTR_FAMILY_NAME, TRUSTGATE_FAMILY_NAME);
	r = exchange(conn, &request);
	nlmsg_free(request.msg);
	if (r == -ENOENT)
		return trustgate_fail(conn, -EPROTONOSUPPORT,
				      "the kernel has no Trustgate gate: the module is not loaded (modprobe trustgate)");
	if (!r && !family.id)
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
	if (!r)
		conn->family = family;
	return r;
}

/* The family was gone: find out whether it came back under another number. */
static int resolve_again(struct trustgate_conn *conn, const char *what)
{
	uint16_t former = conn->family.id;
	int r = trustgate_resolve(conn);

	if (r)
		return r;
	if (conn->family.id != former)
		return trustgate_fail(conn, -ESTALE, "cannot %s: the kernel module was loaded anew", what);
	return 0;
}

int trustgate_request_run(struct trustgate_conn *conn, struct request *request, int put)
{
	int r;

	if (put < 0) {
		/* The size was computed, so this is an attribute beyond 64 KiB. */
		r = trustgate_fail(conn, -EMSGSIZE, "cannot %s", request->what);
	} else {
		r = exchange(conn, request);
		/* After an overrun a refusal may be about the answer that was lost. */
		conn->error.unsure = r < 0 && request->sent &&
				     (!request->done || !request->error || request->overrun);
		if (r == -ENOENT && !conn->error.message[0]) {
			struct error_state kept = conn->error;
			int again = resolve_again(conn, request->what);

			if (again)
				r = again;
			else
				conn->error = kept;
		}
	}
	nlmsg_free(request->msg);
	request->msg = NULL;
	return r;
}
