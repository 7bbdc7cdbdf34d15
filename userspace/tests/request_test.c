// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connections, requests, answers, refusals and events over a scripted kernel.
 *
 * Owns: checks of libtrustgate's conn.c, request.c, error.c, gate.c and event.c.
 *
 * Must not own: decoding of damaged attributes (decode_test.c), grants and
 * volumes (grant_test.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>

#include <netlink/attr.h>

#include "check.h"
#include "kernel_fake.h"
#include "trustgate.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)
#define GRANTS 5

/* ---- connecting ---- */

static void test_unconnected(void)
{
	struct trustgate_conn *conn;
	struct trustgate_event event;
	struct trustgate_gate gate;

	CHECK_EQUAL(trustgate_new(&conn), 0);
	CHECK_EQUAL(trustgate_fd(conn), -ENOTCONN);
	CHECK_EQUAL(trustgate_port_id(conn), 0);
	CHECK_EQUAL(trustgate_gate_get(conn, &gate), -ENOTCONN);
	CHECK_EQUAL(trustgate_event_next(conn, &event), -ENOTCONN);
	CHECK_EQUAL(trustgate_watch(conn), -ENOTCONN);
	CHECK_HOLDS(trustgate_error_text(conn), "no connection");
	trustgate_free(conn);
	trustgate_free(NULL);
}

static void test_no_module(void)
{
	struct trustgate_conn *conn;

	fake_reset();
	fake_after_request();
	fake_error(-ENOENT, NULL);
	CHECK_EQUAL(trustgate_new(&conn), 0);
	CHECK_EQUAL(trustgate_connect(conn), -EPROTONOSUPPORT);
	CHECK_HOLDS(trustgate_error_text(conn), "modprobe trustgate");
	CHECK_EQUAL(trustgate_fd(conn), -ENOTCONN);
	trustgate_free(conn);
}

static void test_adopt(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct trustgate_conn *conn;
	struct trustgate_event event;
	socklen_t length = sizeof(address);
	int fd, flags;

	fake_reset();
	CHECK_EQUAL(trustgate_new(&conn), 0);
	CHECK_EQUAL(trustgate_adopt(conn, -1), -EBADF);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK_EQUAL(trustgate_adopt(conn, fd), -ENOTSOCK);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_EQUAL(trustgate_adopt(conn, fd), -EPROTOTYPE);
	close(fd);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	CHECK_EQUAL(trustgate_adopt(conn, fd), -EPROTOTYPE);
	CHECK_HOLDS(trustgate_error_text(conn), "not generic netlink");
	close(fd);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	CHECK_EQUAL(trustgate_adopt(conn, fd), -EADDRNOTAVAIL);
	CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	bind(fd, (struct sockaddr *)&address, sizeof(address));
	getsockname(fd, (struct sockaddr *)&address, &length);

	/* The module is gone: the socket stays with its owner. */
	fake_after_request();
	fake_error(-ENOENT, NULL);
	CHECK_EQUAL(trustgate_adopt(conn, fd), -EPROTONOSUPPORT);
	CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);

	/* An event and the rest of a dump wait in it. */
	fake_reset();
	fake_event(7);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_GET, NLM_F_MULTI, 12345, NULL);
	fake_family(FAKE_FAMILY_ID);
	CHECK_EQUAL(trustgate_adopt(conn, fd), 0);
	CHECK_EQUAL(trustgate_port_id(conn), address.nl_pid);
	CHECK_EQUAL(trustgate_adopt(conn, fd), -EISCONN);
	CHECK_EQUAL(trustgate_connect(conn), -EISCONN);
	CHECK_EQUAL(fcntl(fd, F_GETFD), -1);
	flags = fcntl(trustgate_fd(conn), F_GETFL);
	CHECK(flags & O_NONBLOCK);
	CHECK_EQUAL(fcntl(trustgate_fd(conn), F_GETFD), FD_CLOEXEC);
	CHECK_EQUAL(trustgate_events_pending(conn), 1);
	CHECK_EQUAL(trustgate_event_next(conn, &event), 1);
	CHECK_EQUAL(event.seq, 7);
	trustgate_free(conn);
}

/* ---- one request ---- */

static void test_bind(void)
{
	static const uint8_t secret[TRUSTGATE_SECRET_LEN] = { 1, 2, 3 };
	struct trustgate_conn *conn = fake_connect();
	uint64_t seq = 0;

	fake_reply_number(TRUSTGATE_CMD_AGENT_BIND, TRUSTGATE_A_AGENT_EVENT_SEQ, 41);
	CHECK_EQUAL(trustgate_agent_bind(conn, secret, &seq), 0);
	CHECK_EQUAL(seq, 41);
	CHECK_EQUAL(fake_sent_cmd(), TRUSTGATE_CMD_AGENT_BIND);
	CHECK_EQUAL(nla_len(fake_sent_attr(TRUSTGATE_A_AGENT_SECRET)), TRUSTGATE_SECRET_LEN);
	CHECK(!memcmp(nla_data(fake_sent_attr(TRUSTGATE_A_AGENT_SECRET)), secret, sizeof(secret)));
	CHECK_TEXT(trustgate_error_text(conn), "");
	CHECK_EQUAL(fake_request(0)->nlmsg_type, FAKE_FAMILY_ID);
	CHECK_EQUAL(fake_request(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	CHECK_EQUAL(fake_request(0)->nlmsg_pid, trustgate_port_id(conn));
	trustgate_free(conn);
}

static void test_agent_is_self(void)
{
	struct trustgate_conn *conn = fake_connect();
	struct nl_msg *attrs;

	for (int bound = 0; bound < 3; bound++) {
		attrs = fake_attrs();
		nla_put_u32(attrs, TRUSTGATE_A_GATE_ABI_VERSION, 1);
		if (bound)
			nla_put_u32(attrs, TRUSTGATE_A_GATE_AGENT_PORTID,
				    trustgate_port_id(conn) + (bound == 1));
		fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GATE_GET, 0, FAKE_SEQ_OF_REQUEST, attrs);
		fake_error(0, NULL);
		fake_after_request();
		CHECK_EQUAL(trustgate_agent_is_self(conn), bound == 2);
	}
	trustgate_free(conn);
}

static void test_events_meanwhile(void)
{
	struct trustgate_conn *conn = fake_connect();
	struct trustgate_event event = { 0 };
	uint64_t ended = 0;

	fake_event(1);
	fake_event(2);
	fake_reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 5);
	fake_event(3);
	CHECK_EQUAL(trustgate_revoke_all(conn, &ended), 0);
	CHECK_EQUAL(ended, 5);
	CHECK_EQUAL(trustgate_events_pending(conn), 2);
	for (uint64_t seq = 1; seq <= 3; seq++) {
		CHECK_EQUAL(trustgate_event_next(conn, &event), 1);
		CHECK_EQUAL(event.seq, seq);
	}
	CHECK_EQUAL(trustgate_event_next(conn, &event), 0);
	trustgate_free(conn);
}

static void test_events_lost(void)
{
	struct trustgate_conn *conn = fake_connect();
	struct trustgate_event event = { 0 };
	struct nl_msg *attrs = fake_attrs();

	fake_reset();
	fake_event(1);
	fake_errno(ENOBUFS);
	fake_event(9);
	CHECK_EQUAL(trustgate_event_next(conn, &event), 1);
	CHECK_EQUAL(event.seq, 1);
	CHECK_EQUAL(trustgate_event_next(conn, &event), -ENOBUFS);
	CHECK_HOLDS(trustgate_error_text(conn), "events were lost");
	CHECK_EQUAL(trustgate_event_next(conn, &event), 1);
	CHECK_EQUAL(event.seq, 9);

	/* One that cannot be understood is lost, too, and said to be. */
	nla_put_u32(attrs, TRUSTGATE_A_EVENT_SEQ, 10);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_EVENT, 0, 1, attrs);
	CHECK_EQUAL(trustgate_event_next(conn, &event), -ENOBUFS);
	CHECK_EQUAL(trustgate_event_next(conn, &event), 0);
	trustgate_free(conn);
}

/* ---- answers that are none ---- */

static void test_foreign_answers(void)
{
	struct trustgate_conn *conn = fake_connect();
	uint64_t ended = 0;

	/* Late answer to a former request, forged answers, then the real one. */
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_DEL, 0, 12345, NULL);
	fake_error(-EPERM, NULL);
	fake_from_process(4711);
	fake_error(0, NULL);
	fake_from_process(1);
	fake_bytes("", 0);
	fake_bytes("\1\2\3\4\5\6\7", 7);
	fake_reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 2);
	CHECK_EQUAL(trustgate_revoke_volume(conn, 1, &ended), 0);
	CHECK_EQUAL(ended, 2);
	trustgate_free(conn);
}

static void test_senseless_answers(void)
{
	static const struct nlmsghdr lies[] = {
		{ .nlmsg_len = 1000, .nlmsg_type = NLMSG_ERROR },
		{ .nlmsg_len = 3, .nlmsg_type = NLMSG_ERROR },
		{ .nlmsg_len = 0, .nlmsg_type = FAKE_FAMILY_ID },
	};
	struct trustgate_conn *conn;

	/* An acknowledgement too short for one. */
	conn = fake_connect();
	fake_message(NLMSG_ERROR, 0, 0, FAKE_SEQ_OF_REQUEST, NULL);
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EPROTO);
	trustgate_free(conn);

	/* A positive error number. */
	conn = fake_connect();
	fake_error(5, NULL);
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EPROTO);
	trustgate_free(conn);

	/* Attributes of the wrong size. */
	conn = fake_connect();
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_DEL, 0, FAKE_SEQ_OF_REQUEST,
		     ({ struct nl_msg *attrs = fake_attrs();
			nla_put_u32(attrs, TRUSTGATE_A_REVOCATION_ENDED, 1); attrs; }));
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_revoke_all(conn, NULL), -EPROTO);
	CHECK_HOLDS(trustgate_error_text(conn), "makes no sense");
	CHECK_EQUAL(fake_left(), 0);
	trustgate_free(conn);

	/* No answer but an acknowledgement. */
	conn = fake_connect();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_agent_is_self(conn), -EPROTO);
	trustgate_free(conn);

	/* Of another family. */
	conn = fake_connect();
	fake_message(FAKE_FAMILY_ID + 1, TRUSTGATE_CMD_GATE_GET, 0, FAKE_SEQ_OF_REQUEST, NULL);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_agent_is_self(conn), -EPROTO);
	trustgate_free(conn);

	/* Longer than anything the kernel sends. */
	conn = fake_connect();
	fake_error(0, NULL);
	fake_cut();
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EPROTO);
	trustgate_free(conn);

	/* Lengths that lie, then silence. */
	conn = fake_connect();
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		fake_bytes(&lies[i], sizeof(lies[i]));
	CHECK_EQUAL(trustgate_agent_unbind(conn), -ETIMEDOUT);
	CHECK_HOLDS(trustgate_error_text(conn), "no answer within 1 ms");
	trustgate_free(conn);
}

/* Whether a request that failed may have been done all the same. */
static void test_unsure(void)
{
	struct trustgate_grant_request request = fake_grant_model;
	struct trustgate_grant_added added;
	struct trustgate_conn *conn;

	/* Refused, or not sent at all: no. */
	conn = fake_connect();
	fake_error(-EACCES, NULL);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EACCES);
	CHECK(!trustgate_error_unsure(conn));
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 0, &added), -EINVAL);
	CHECK(!trustgate_error_unsure(conn));
	trustgate_free(conn);

	/* Silence, and forgotten by the next call. */
	conn = fake_connect();
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -ETIMEDOUT);
	CHECK(trustgate_error_unsure(conn));
	fake_after_request();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_revoke_all(conn, NULL), 0);
	CHECK(!trustgate_error_unsure(conn));
	trustgate_free(conn);

	/* The socket was full: there is nothing to wait for. */
	conn = fake_connect();
	trustgate_set_timeout(conn, 600000);
	fake_event(1);
	fake_errno(ENOBUFS);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -ENOBUFS);
	CHECK_HOLDS(trustgate_error_text(conn), "cannot give the grant: the answer was lost");
	CHECK(trustgate_error_unsure(conn));
	CHECK_EQUAL(trustgate_events_pending(conn), 1);
	trustgate_free(conn);

	/* It was full, and what the kernel says is that it could not answer. */
	conn = fake_connect();
	fake_errno(ENOBUFS);
	fake_error(-EAGAIN, NULL);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EAGAIN);
	CHECK(trustgate_error_unsure(conn));
	trustgate_free(conn);

	/* It was full, but the answer got through. */
	conn = fake_connect();
	fake_errno(ENOBUFS);
	fake_reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 2);
	CHECK_EQUAL(trustgate_revoke_all(conn, NULL), 0);
	trustgate_free(conn);

	/* Acknowledged, but what was given is not told. */
	conn = fake_connect();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EPROTO);
	CHECK(trustgate_error_unsure(conn));
	trustgate_free(conn);

	conn = fake_connect();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_volume_add(conn, "acme", "/", -1, NULL, NULL), -EPROTO);
	CHECK(trustgate_error_unsure(conn));
	trustgate_free(conn);

	/* An answer without sense. */
	conn = fake_connect();
	fake_error(5, NULL);
	CHECK_EQUAL(trustgate_volume_del(conn, 1), -EPROTO);
	CHECK(trustgate_error_unsure(conn));
	trustgate_free(conn);
}

/* ---- refusals ---- */

/* Where the attribute @inner of grant @index lies in a request like ours. */
static uint32_t offset_in_batch(size_t index, int inner)
{
	struct trustgate_grant_request requests[GRANTS];
	struct trustgate_grant_added added[GRANTS];
	struct trustgate_conn *conn = fake_connect();
	const struct nlmsghdr *nlh;
	const struct nlattr *attr, *found;
	uint32_t offset;
	int rest;

	fake_grant_requests(requests, GRANTS);
	fake_error(-EINVAL, NULL);
	trustgate_grant_add(conn, requests, GRANTS, added);
	nlh = fake_request(0);
	attr = (const struct nlattr *)((const char *)nlh + HEAD);
	rest = nlh->nlmsg_len - HEAD;
	while (index--)
		attr = nla_next(attr, &rest);
	found = inner ? nla_find(nla_data(attr), nla_len(attr), inner) : attr;
	offset = (const char *)found - (const char *)nlh;
	trustgate_free(conn);
	return offset;
}

static void check_refusal(int error, struct nl_msg *ack, const char *text, const char *attribute,
			  ssize_t index)
{
	struct trustgate_grant_request requests[GRANTS];
	struct trustgate_grant_added added[GRANTS];
	struct trustgate_conn *conn = fake_connect();

	fake_grant_requests(requests, GRANTS);
	fake_error(error, ack);
	CHECK_EQUAL(trustgate_grant_add(conn, requests, GRANTS, added), error);
	CHECK_HOLDS(trustgate_error_text(conn), text);
	if (attribute)
		CHECK_TEXT(trustgate_error_attribute(conn), attribute);
	else
		CHECK(!trustgate_error_attribute(conn));
	CHECK_EQUAL(trustgate_error_index(conn), index);
	trustgate_free(conn);
}

static void test_refusals(void)
{
	uint32_t expires = offset_in_batch(3, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS);
	uint32_t nest = offset_in_batch(2, 0);

	check_refusal(-ERANGE, fake_ack("longer than the volume allows", expires, 0, 0),
		      "cannot give the grants: longer than the volume allows (attribute grant[3].expires-boottime-ns): Numerical result out of range",
		      "grant[3].expires-boottime-ns", 3);
	/* In the middle of a value: still that attribute. */
	check_refusal(-ERANGE, fake_ack("x", expires + 5, 0, 0), "grant[3].expires-boottime-ns",
		      "grant[3].expires-boottime-ns", 3);
	check_refusal(-EINVAL, fake_ack("x", nest, 0, 0), "(attribute grant[2])", "grant[2]", 2);
	check_refusal(-EINVAL, fake_ack("needed", 0, TRUSTGATE_A_GRANT_REASON, nest),
		      "needed (missing attribute grant[2].reason)", "grant[2].reason", 2);
	check_refusal(-EINVAL, fake_ack("needed", 0, TRUSTGATE_A_BATCH_GRANT, 0),
		      "(missing attribute grant)", "grant", -1);
	check_refusal(-EINVAL, fake_ack("needed", 0, 99, nest), "grant[2].attribute 99",
		      "grant[2].attribute 99", 2);
	/* Offsets that lead nowhere. */
	check_refusal(-EINVAL, fake_ack("x", 4, 0, 0), "cannot give the grants: x: Invalid", NULL, -1);
	check_refusal(-EINVAL, fake_ack("x", 1000000, 0, 0), "cannot give the grants: x: Invalid", NULL, -1);
	check_refusal(-EINVAL, fake_ack("x", UINT32_MAX, 0, 0), "cannot give the grants: x: Invalid", NULL, -1);
	check_refusal(-EINVAL, fake_ack("x", 0, 1, UINT32_MAX), "cannot give the grants: x: Invalid", NULL, -1);
	/* Control characters do not get through. */
	check_refusal(-EINVAL, fake_ack("a\nb\033c", 0, 0, 0), "a b c", NULL, -1);
	/* Without words. */
	check_refusal(-EPERM, NULL, "CAP_MAC_ADMIN", NULL, -1);
	check_refusal(-ENOMEM, NULL, "cannot give the grants: Cannot allocate memory", NULL, -1);
}

static void test_refusal_echoed(void)
{
	struct trustgate_conn *conn = fake_connect();
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char echo[16];
		struct nlattr attr;
		char text[8];
	} answer = {
		.nlh = { .nlmsg_type = NLMSG_ERROR, .nlmsg_flags = NLM_F_ACK_TLVS },
		.err = { .error = -EBUSY, .msg.nlmsg_len = NLMSG_HDRLEN + 16 },
		.attr = { .nla_len = NLA_HDRLEN + 5, .nla_type = NLMSGERR_ATTR_MSG },
		.text = "busy",
	};

	/* A kernel that does not cap the echo of the request. */
	answer.nlh.nlmsg_len = sizeof(answer);
	fake_bytes(&answer, sizeof(answer));
	/* Its number is not ours: ignored. */
	CHECK_EQUAL(trustgate_agent_unbind(conn), -ETIMEDOUT);
	answer.nlh.nlmsg_seq = fake_request(0)->nlmsg_seq + 1;
	fake_after_request();
	fake_bytes(&answer, sizeof(answer));
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EBUSY);
	CHECK_TEXT(trustgate_error_message(conn), "busy");
	/* The echo is longer than the message. */
	answer.nlh.nlmsg_seq++;
	answer.err.msg.nlmsg_len = 0xffffffff;
	fake_after_request();
	fake_bytes(&answer, sizeof(answer));
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EBUSY);
	CHECK(!trustgate_error_message(conn));
	trustgate_free(conn);
}

static void test_reloaded(void)
{
	struct trustgate_conn *conn = fake_connect();

	/* Gone and back under another number. */
	fake_error(-ENOENT, NULL);
	fake_family(FAKE_FAMILY_ID + 1);
	CHECK_EQUAL(trustgate_volume_del(conn, 1), -ESTALE);
	CHECK_HOLDS(trustgate_error_text(conn), "loaded anew");
	fake_after_request();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_volume_del(conn, 1), 0);
	CHECK_EQUAL(fake_request(2)->nlmsg_type, FAKE_FAMILY_ID + 1);
	/* Gone for good. */
	fake_after_request();
	fake_error(-ENOENT, NULL);
	fake_after_request();
	fake_error(-ENOENT, NULL);
	CHECK_EQUAL(trustgate_volume_del(conn, 1), -EPROTONOSUPPORT);
	/* There, but the volume is not. */
	fake_after_request();
	fake_error(-ENOENT, fake_ack("no such volume", 0, 0, 0));
	CHECK_EQUAL(trustgate_volume_del(conn, 1), -ENOENT);
	CHECK_EQUAL(fake_left(), 0);
	trustgate_free(conn);
}

int main(void)
{
	test_unconnected();
	test_no_module();
	test_adopt();
	test_bind();
	test_agent_is_self();
	test_events_meanwhile();
	test_events_lost();
	test_foreign_answers();
	test_senseless_answers();
	test_unsure();
	test_refusals();
	test_refusal_echoed();
	test_reloaded();
	fake_reset();
	return check_end();
}
