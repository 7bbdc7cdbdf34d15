// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests, answers, dumps and events over a scripted kernel.
 *
 * Owns: checks of libtrustgate's conn.c, request.c, error.c, gate.c, volume.c,
 * grant.c, grant_cursor.c and event.c.
 *
 * Must not own: decoding of damaged attributes (decode_test.c).
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

static struct trustgate_conn *connect_fake(void)
{
	struct trustgate_conn *conn = NULL;

	fake_reset();
	fake_family(FAKE_FAMILY_ID);
	if (trustgate_new(&conn) || trustgate_connect(conn))
		abort();
	trustgate_set_timeout(conn, 1);
	fake_reset();
	fake_after_request();
	return conn;
}

/* The attribute of the request sent last. */
static const struct nlattr *sent_attr(int type)
{
	const struct nlmsghdr *nlh = fake_request(fake_requests() - 1);

	return nla_find((const struct nlattr *)((const char *)nlh + HEAD), nlh->nlmsg_len - HEAD,
			type);
}

static uint8_t sent_cmd(void)
{
	const struct nlmsghdr *nlh = fake_request(fake_requests() - 1);

	return ((const struct genlmsghdr *)NLMSG_DATA(nlh))->cmd;
}

static void reply_number(uint8_t cmd, int type, uint64_t number)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, type, number);
	fake_message(FAKE_FAMILY_ID, cmd, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
}

static void queue_event(uint64_t seq)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, TRUSTGATE_A_EVENT_SEQ, seq);
	nla_put_u32(attrs, TRUSTGATE_A_EVENT_TYPE, TRUSTGATE_EVENT_TYPE_DENIED);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_EVENT, 0, 99, attrs);
}

static void queue_grant(uint64_t id, uint16_t flags)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, TRUSTGATE_A_GRANT_ID, id);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_GET, NLM_F_MULTI | flags,
		     FAKE_SEQ_OF_REQUEST, attrs);
}

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
	queue_event(7);
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
	struct trustgate_conn *conn = connect_fake();
	uint64_t seq = 0;

	reply_number(TRUSTGATE_CMD_AGENT_BIND, TRUSTGATE_A_AGENT_EVENT_SEQ, 41);
	CHECK_EQUAL(trustgate_agent_bind(conn, secret, &seq), 0);
	CHECK_EQUAL(seq, 41);
	CHECK_EQUAL(sent_cmd(), TRUSTGATE_CMD_AGENT_BIND);
	CHECK_EQUAL(nla_len(sent_attr(TRUSTGATE_A_AGENT_SECRET)), TRUSTGATE_SECRET_LEN);
	CHECK(!memcmp(nla_data(sent_attr(TRUSTGATE_A_AGENT_SECRET)), secret, sizeof(secret)));
	CHECK_TEXT(trustgate_error_text(conn), "");
	CHECK_EQUAL(fake_request(0)->nlmsg_type, FAKE_FAMILY_ID);
	CHECK_EQUAL(fake_request(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	CHECK_EQUAL(fake_request(0)->nlmsg_pid, trustgate_port_id(conn));
	trustgate_free(conn);
}

static void test_agent_is_self(void)
{
	struct trustgate_conn *conn = connect_fake();
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
	struct trustgate_conn *conn = connect_fake();
	struct trustgate_event event = { 0 };
	uint64_t ended = 0;

	queue_event(1);
	queue_event(2);
	reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 5);
	queue_event(3);
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
	struct trustgate_conn *conn = connect_fake();
	struct trustgate_event event = { 0 };
	struct nl_msg *attrs = fake_attrs();

	fake_reset();
	queue_event(1);
	fake_errno(ENOBUFS);
	queue_event(9);
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
	struct trustgate_conn *conn = connect_fake();
	uint64_t ended = 0;

	/* Late answer to a former request, forged answers, then the real one. */
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_DEL, 0, 12345, NULL);
	fake_error(-EPERM, NULL);
	fake_from_process(4711);
	fake_error(0, NULL);
	fake_from_process(1);
	fake_bytes("", 0);
	fake_bytes("\1\2\3\4\5\6\7", 7);
	reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 2);
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
	conn = connect_fake();
	fake_message(NLMSG_ERROR, 0, 0, FAKE_SEQ_OF_REQUEST, NULL);
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EPROTO);
	trustgate_free(conn);

	/* A positive error number. */
	conn = connect_fake();
	fake_error(5, NULL);
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EPROTO);
	trustgate_free(conn);

	/* Attributes of the wrong size. */
	conn = connect_fake();
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_DEL, 0, FAKE_SEQ_OF_REQUEST,
		     ({ struct nl_msg *attrs = fake_attrs();
			nla_put_u32(attrs, TRUSTGATE_A_REVOCATION_ENDED, 1); attrs; }));
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_revoke_all(conn, NULL), -EPROTO);
	CHECK_HOLDS(trustgate_error_text(conn), "makes no sense");
	CHECK_EQUAL(fake_left(), 0);
	trustgate_free(conn);

	/* No answer but an acknowledgement. */
	conn = connect_fake();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_agent_is_self(conn), -EPROTO);
	trustgate_free(conn);

	/* Of another family. */
	conn = connect_fake();
	fake_message(FAKE_FAMILY_ID + 1, TRUSTGATE_CMD_GATE_GET, 0, FAKE_SEQ_OF_REQUEST, NULL);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_agent_is_self(conn), -EPROTO);
	trustgate_free(conn);

	/* Longer than anything the kernel sends. */
	conn = connect_fake();
	fake_error(0, NULL);
	fake_cut();
	CHECK_EQUAL(trustgate_agent_unbind(conn), -EPROTO);
	trustgate_free(conn);

	/* Lengths that lie, then silence. */
	conn = connect_fake();
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		fake_bytes(&lies[i], sizeof(lies[i]));
	CHECK_EQUAL(trustgate_agent_unbind(conn), -ETIMEDOUT);
	CHECK_HOLDS(trustgate_error_text(conn), "no answer within 1 ms");
	trustgate_free(conn);
}

/* ---- refusals ---- */

static struct nl_msg *make_ack(const char *message, uint32_t offset, uint32_t missing,
			       uint32_t nest)
{
	struct nl_msg *tlvs = fake_attrs();

	if (message)
		nla_put_string(tlvs, NLMSGERR_ATTR_MSG, message);
	if (offset)
		nla_put_u32(tlvs, NLMSGERR_ATTR_OFFS, offset);
	if (missing)
		nla_put_u32(tlvs, NLMSGERR_ATTR_MISS_TYPE, missing);
	if (nest)
		nla_put_u32(tlvs, NLMSGERR_ATTR_MISS_NEST, nest);
	return tlvs;
}

#define GRANTS 5

static const struct trustgate_grant_request model = {
	.volume_id = 1, .pid = 1234, .start_ticks = 77, .flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC,
	.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE, .fd = -1, .path = "db/x",
	.access = TRUSTGATE_ACCESS_READ, .not_before_boottime_ns = 5,
	.expires_boottime_ns = 900, .max_uses = 3, .reason = TRUSTGATE_REASON_INCIDENT,
	.ticket = "SR-4711", .tag = 9,
};

static void fill(struct trustgate_grant_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		requests[i] = model;
}

/* Where the attribute @inner of grant @index lies in a request like ours. */
static uint32_t offset_in_batch(size_t index, int inner)
{
	struct trustgate_grant_request requests[GRANTS];
	struct trustgate_grant_added added[GRANTS];
	struct trustgate_conn *conn = connect_fake();
	const struct nlmsghdr *nlh;
	const struct nlattr *attr, *found;
	uint32_t offset;
	int rest;

	fill(requests, GRANTS);
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
	struct trustgate_conn *conn = connect_fake();

	fill(requests, GRANTS);
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

	check_refusal(-ERANGE, make_ack("longer than the volume allows", expires, 0, 0),
		      "cannot give the grants: longer than the volume allows (attribute grant[3].expires-boottime-ns): Numerical result out of range",
		      "grant[3].expires-boottime-ns", 3);
	/* In the middle of a value: still that attribute. */
	check_refusal(-ERANGE, make_ack("x", expires + 5, 0, 0), "grant[3].expires-boottime-ns",
		      "grant[3].expires-boottime-ns", 3);
	check_refusal(-EINVAL, make_ack("x", nest, 0, 0), "(attribute grant[2])", "grant[2]", 2);
	check_refusal(-EINVAL, make_ack("needed", 0, TRUSTGATE_A_GRANT_REASON, nest),
		      "needed (missing attribute grant[2].reason)", "grant[2].reason", 2);
	check_refusal(-EINVAL, make_ack("needed", 0, TRUSTGATE_A_BATCH_GRANT, 0),
		      "(missing attribute grant)", "grant", -1);
	check_refusal(-EINVAL, make_ack("needed", 0, 99, nest), "grant[2].attribute 99",
		      "grant[2].attribute 99", 2);
	/* Offsets that lead nowhere. */
	check_refusal(-EINVAL, make_ack("x", 4, 0, 0), "cannot give the grants: x: Invalid", NULL, -1);
	check_refusal(-EINVAL, make_ack("x", 1000000, 0, 0), "cannot give the grants: x: Invalid", NULL, -1);
	check_refusal(-EINVAL, make_ack("x", UINT32_MAX, 0, 0), "cannot give the grants: x: Invalid", NULL, -1);
	check_refusal(-EINVAL, make_ack("x", 0, 1, UINT32_MAX), "cannot give the grants: x: Invalid", NULL, -1);
	/* Control characters do not get through. */
	check_refusal(-EINVAL, make_ack("a\nb\033c", 0, 0, 0), "a b c", NULL, -1);
	/* Without words. */
	check_refusal(-EPERM, NULL, "CAP_MAC_ADMIN", NULL, -1);
	check_refusal(-ENOMEM, NULL, "cannot give the grants: Cannot allocate memory", NULL, -1);
}

static void test_refusal_echoed(void)
{
	struct trustgate_conn *conn = connect_fake();
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
	struct trustgate_conn *conn = connect_fake();

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
	fake_error(-ENOENT, make_ack("no such volume", 0, 0, 0));
	CHECK_EQUAL(trustgate_volume_del(conn, 1), -ENOENT);
	CHECK_EQUAL(fake_left(), 0);
	trustgate_free(conn);
}

/* ---- grants ---- */

static void reply_added(size_t first, size_t count)
{
	struct nl_msg *attrs = fake_attrs();

	for (size_t i = 0; i < count; i++) {
		struct nlattr *nest = nla_nest_start(attrs, TRUSTGATE_A_BATCH_ADDED);

		nla_put_u64(attrs, TRUSTGATE_A_GRANT_ID, 1 + first + i);
		nla_nest_end(attrs, nest);
	}
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_ADD, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
	fake_after_request();
}

static uint64_t inner_u64(const struct nlattr *nest, int type)
{
	const struct nlattr *attr = nla_find(nla_data(nest), nla_len(nest), type);

	if (!attr)
		return UINT64_MAX;
	return nla_len(attr) == 8 ? nla_get_u64(attr) : nla_get_u32(attr);
}

static void test_grant_encoding(void)
{
	struct trustgate_conn *conn = connect_fake();
	struct trustgate_grant_request request = model;
	struct trustgate_grant_added added = { 0 };
	const struct nlattr *grant;

	reply_added(0, 1);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), 0);
	CHECK_EQUAL(added.id, 1);
	grant = sent_attr(TRUSTGATE_A_BATCH_GRANT);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_VOLUME_ID), 1);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_PID), 1234);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_START_TICKS), 77);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_FLAGS), TRUSTGATE_GRANT_FLAGS_KEEP_EXEC);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_OBJECT_KIND), TRUSTGATE_OBJECT_KIND_SUBTREE);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_ACCESS), TRUSTGATE_ACCESS_READ);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS), 5);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS), 900);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_MAX_USES), 3);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_REASON), TRUSTGATE_REASON_INCIDENT);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_TAG), 9);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_FD), UINT64_MAX);
	CHECK_TEXT(nla_data(nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_PATH)), "db/x");
	CHECK_TEXT(nla_data(nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_TICKET)), "SR-4711");

	/* By descriptor, and nothing that need not be said. */
	request = (struct trustgate_grant_request)TRUSTGATE_GRANT_REQUEST_INIT;
	request.volume_id = 1;
	request.fd = 0;
	reply_added(0, 1);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), 0);
	grant = sent_attr(TRUSTGATE_A_BATCH_GRANT);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_FD), 0);
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_PATH));
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_TAG));
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_MAX_USES));
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_TICKET));

	/* Neither, both, too many, none. */
	request.fd = -1;
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EINVAL);
	CHECK_EQUAL(trustgate_error_index(conn), 0);
	request.fd = 0;
	request.path = "x";
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EINVAL);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, TRUSTGATE_BATCH_MAX + 1, &added), -E2BIG);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 0, &added), -EINVAL);
	CHECK_EQUAL(fake_requests(), 2);
	trustgate_free(conn);
}

static void test_grant_paths(void)
{
	struct trustgate_conn *conn = connect_fake();
	struct trustgate_grant_request requests[60];
	struct trustgate_grant_added added[60];
	static char path[70000];
	size_t done = 0;

	memset(path, 'a', sizeof(path) - 1);
	fill(requests, 60);
	requests[2].path = path;
	CHECK_EQUAL(trustgate_grant_add(conn, requests, 3, added), -ENAMETOOLONG);
	CHECK_EQUAL(trustgate_error_index(conn), 2);
	CHECK_EQUAL(fake_requests(), 0);

	/* Long paths make messages smaller than the batch allows. */
	path[TRUSTGATE_PATH_MAX] = '\0';
	for (size_t i = 0; i < 60; i++)
		requests[i].path = path;
	reply_added(0, 23);
	reply_added(23, 23);
	reply_added(46, 14);
	CHECK_EQUAL(trustgate_grant_add_split(conn, requests, 60, added, &done), 0);
	CHECK_EQUAL(done, 60);
	CHECK_EQUAL(added[59].id, 60);
	CHECK_EQUAL(fake_requests(), 3);
	trustgate_free(conn);
}

static void test_grant_split(void)
{
	size_t count = 2 * TRUSTGATE_BATCH_MAX + 7;
	struct trustgate_grant_request *requests = calloc(count, sizeof(*requests));
	struct trustgate_grant_added *added = calloc(count, sizeof(*added));
	struct trustgate_conn *conn = connect_fake();
	size_t done = 99;

	fill(requests, count);
	reply_added(0, TRUSTGATE_BATCH_MAX);
	reply_added(TRUSTGATE_BATCH_MAX, TRUSTGATE_BATCH_MAX);
	reply_added(2 * TRUSTGATE_BATCH_MAX, 7);
	CHECK_EQUAL(trustgate_grant_add_split(conn, requests, count, added, &done), 0);
	CHECK_EQUAL(done, count);
	CHECK_EQUAL(added[count - 1].id, count);
	CHECK_EQUAL(added[TRUSTGATE_BATCH_MAX].id, TRUSTGATE_BATCH_MAX + 1);

	/* The second message is refused: the first stays, and is reported. */
	reply_added(0, TRUSTGATE_BATCH_MAX);
	fake_error(-ESRCH, make_ack("no such process", HEAD, 0, 0));
	CHECK_EQUAL(trustgate_grant_add_split(conn, requests, count, added, &done), -ESRCH);
	CHECK_EQUAL(done, TRUSTGATE_BATCH_MAX);
	CHECK_EQUAL(trustgate_error_index(conn), TRUSTGATE_BATCH_MAX);
	CHECK_TEXT(trustgate_error_attribute(conn), "grant[512]");

	CHECK_EQUAL(trustgate_grant_add_split(conn, requests, 0, added, &done), 0);
	CHECK_EQUAL(done, 0);

	/* Fewer results than grants. */
	fake_after_request();
	reply_added(0, 2);
	CHECK_EQUAL(trustgate_grant_add(conn, requests, 3, added), -EPROTO);
	trustgate_free(conn);
	free(requests);
	free(added);
}

/* ---- dumps ---- */

struct visitor_log {
	struct trustgate_conn *conn;
	unsigned int begins;
	unsigned int grants;
	int busy;
	uint64_t stop_at;
};

static int log_begin(void *userdata)
{
	struct visitor_log *visits = userdata;

	visits->begins++;
	visits->grants = 0;
	return 0;
}

static int log_grant(const struct trustgate_grant *grant, void *userdata)
{
	struct visitor_log *visits = userdata;

	visits->grants++;
	visits->busy = trustgate_revoke_all(visits->conn, NULL);
	return grant->id == visits->stop_at ? -ECANCELED : 0;
}

static const struct trustgate_grant_visitor log_visitor = {
	.begin = log_begin,
	.grant = log_grant,
};

static void test_dump(void)
{
	struct trustgate_grant_filter filter = { .volume_id = 3, .pid = 77 };
	struct trustgate_conn *conn = connect_fake();
	struct visitor_log visits = { .conn = conn };
	struct trustgate_dump dump = { 0 };
	struct trustgate_grant *grants = NULL;
	size_t count = 0;

	/* Interrupted once, noticed in an entry; then whole. */
	queue_grant(1, 0);
	queue_grant(2, NLM_F_DUMP_INTR);
	fake_done(0, 0);
	fake_after_request();
	queue_grant(1, 0);
	queue_event(5);
	queue_grant(3, 0);
	queue_grant(4, 0);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_list(conn, &filter, &grants, &count, &dump), 0);
	CHECK_EQUAL(count, 3);
	CHECK_EQUAL(grants[1].id, 3);
	CHECK_EQUAL(dump.attempts, 2);
	CHECK(dump.consistent);
	CHECK_EQUAL(trustgate_events_pending(conn), 1);
	CHECK_EQUAL(fake_request(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP);
	CHECK_EQUAL(nla_get_u32(sent_attr(TRUSTGATE_A_GRANT_VOLUME_ID)), 3);
	CHECK_EQUAL(nla_get_u32(sent_attr(TRUSTGATE_A_GRANT_PID)), 77);
	free(grants);

	/* Interrupted for ever, noticed at the end: bounded and reported. */
	for (int i = 0; i < 5; i++) {
		fake_after_request();
		queue_grant(1, 0);
		fake_done(0, NLM_F_DUMP_INTR);
	}
	CHECK_EQUAL(trustgate_grant_each(conn, NULL, &log_visitor, &visits, &dump), 0);
	CHECK_EQUAL(dump.attempts, 5);
	CHECK(!dump.consistent);
	CHECK_EQUAL(visits.begins, 5);
	CHECK_EQUAL(visits.grants, 1);
	CHECK_EQUAL(visits.busy, -EBUSY);

	/* A visitor that stops: its result, and the rest is read away. */
	visits.stop_at = 2;
	fake_after_request();
	for (uint64_t id = 1; id < 6; id++)
		queue_grant(id, 0);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_each(conn, NULL, &log_visitor, &visits, NULL), -ECANCELED);
	CHECK_EQUAL(visits.grants, 2);
	CHECK_EQUAL(fake_left(), 0);

	/* An empty dump; one that ends with an error. */
	fake_after_request();
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_list(conn, NULL, &grants, &count, NULL), 0);
	CHECK(!grants);
	CHECK_EQUAL(count, 0);
	fake_after_request();
	queue_grant(1, 0);
	fake_done(-ENOENT, 0);
	fake_family(FAKE_FAMILY_ID);
	CHECK_EQUAL(trustgate_grant_list(conn, NULL, &grants, &count, NULL), -ENOENT);
	trustgate_free(conn);
}

static void test_cursor(void)
{
	struct trustgate_grant_filter filter = { .volume_id = 3 };
	struct trustgate_conn *conn = connect_fake();
	struct trustgate_grant_cursor *cursor = NULL;
	struct trustgate_grant grants[2] = { 0 };
	struct trustgate_gate gate;
	size_t count = 9;
	size_t left;

	for (uint64_t id = 1; id <= 3; id++)
		queue_grant(id, 0);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, &filter, &cursor), 0);
	CHECK_EQUAL(nla_get_u32(sent_attr(TRUSTGATE_A_GRANT_VOLUME_ID)), 3);
	CHECK_EQUAL(trustgate_gate_get(conn, &gate), -EBUSY);
	left = fake_left();
	for (uint64_t id = 1; id <= 3; id++) {
		CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), 1);
		CHECK_EQUAL(count, 1);
		CHECK_EQUAL(grants[0].id, id);
		/* No more was taken from the kernel than was asked for. */
		CHECK_EQUAL(fake_left(), left - id);
	}
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), 0);
	CHECK_EQUAL(count, 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 0, &count), -EINVAL);
	trustgate_grant_cursor_close(cursor);
	trustgate_grant_cursor_close(NULL);

	/* Disturbed, and closed before its end: the rest is read away. */
	fake_after_request();
	queue_grant(1, NLM_F_DUMP_INTR);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, NULL, &cursor), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), 1);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), -EINTR);
	trustgate_grant_cursor_close(cursor);
	fake_after_request();
	for (uint64_t id = 1; id <= 3; id++)
		queue_grant(id, 0);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, NULL, &cursor), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), 1);
	trustgate_grant_cursor_close(cursor);
	fake_after_request();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_agent_unbind(conn), 0);
	CHECK_EQUAL(fake_left(), 0);

	/* Refused, silent, senseless. */
	fake_after_request();
	fake_error(-EPERM, NULL);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, NULL, &cursor), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), -EPERM);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), -EPERM);
	trustgate_grant_cursor_close(cursor);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, NULL, &cursor), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), -ETIMEDOUT);
	trustgate_grant_cursor_close(cursor);
	fake_after_request();
	fake_after_request();
	queue_grant(0, 0);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, NULL, &cursor), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), -EPROTO);
	trustgate_grant_cursor_close(cursor);
	trustgate_free(conn);
}

/* ---- volumes ---- */

static void test_volumes(void)
{
	struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_RECORD, .max_duration_ns = 5, .record = 0,
	};
	struct trustgate_conn *conn = connect_fake();
	struct trustgate_volume *volumes = NULL;
	struct trustgate_volume volume;
	struct nl_msg *attrs = fake_attrs();
	size_t count = 0;
	uint32_t id = 0;

	nla_put_u32(attrs, TRUSTGATE_A_VOLUME_ID, 8);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_VOLUME_ADD, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_volume_add(conn, "acme", "/srv/acme", -1, &settings, &id), 0);
	CHECK_EQUAL(id, 8);
	CHECK_TEXT(nla_data(sent_attr(TRUSTGATE_A_VOLUME_PATH)), "/srv/acme");
	CHECK_EQUAL(nla_get_u32(sent_attr(TRUSTGATE_A_VOLUME_RECORD)), 0);
	CHECK(!sent_attr(TRUSTGATE_A_VOLUME_MAX_DURATION_NS));
	CHECK(!sent_attr(TRUSTGATE_A_VOLUME_FD));
	CHECK_EQUAL(trustgate_volume_add(conn, "acme", NULL, -1, NULL, &id), -EINVAL);
	CHECK_EQUAL(trustgate_volume_add(conn, "acme", "/x", 1, NULL, &id), -EINVAL);
	CHECK_EQUAL(trustgate_volume_add(conn, NULL, "/x", -1, NULL, &id), -EINVAL);
	CHECK_EQUAL(trustgate_volume_get(conn, 1, "acme", &volume), -EINVAL);
	CHECK_EQUAL(trustgate_volume_get(conn, 0, NULL, &volume), -EINVAL);
	settings.fields = 0;
	CHECK_EQUAL(trustgate_volume_set(conn, 8, &settings), -EINVAL);
	CHECK_EQUAL(fake_requests(), 1);

	fake_after_request();
	for (uint32_t i = 1; i < 4; i++) {
		attrs = fake_attrs();
		nla_put_u32(attrs, TRUSTGATE_A_VOLUME_ID, i);
		nla_put_string(attrs, TRUSTGATE_A_VOLUME_NAME, "v");
		fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_VOLUME_GET, NLM_F_MULTI,
			     FAKE_SEQ_OF_REQUEST, attrs);
	}
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_volume_list(conn, &volumes, &count, NULL), 0);
	CHECK_EQUAL(count, 3);
	CHECK_EQUAL(volumes[2].id, 3);
	free(volumes);
	trustgate_free(conn);
}

static void test_revoke(void)
{
	struct trustgate_conn *conn = connect_fake();
	uint64_t ids[TRUSTGATE_BATCH_MAX + 1];
	uint64_t ended = 0;

	for (size_t i = 0; i <= TRUSTGATE_BATCH_MAX; i++)
		ids[i] = i + 1;
	reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, TRUSTGATE_BATCH_MAX);
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, TRUSTGATE_BATCH_MAX, &ended), 0);
	CHECK_EQUAL(ended, TRUSTGATE_BATCH_MAX);
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, TRUSTGATE_BATCH_MAX + 1, &ended), -E2BIG);
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, 0, &ended), -EINVAL);
	fake_after_request();
	fake_error(-ENOENT, make_ack("no such grant", HEAD, 0, 0));
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, 2, NULL), -ENOENT);
	CHECK_TEXT(trustgate_error_attribute(conn), "id[0]");
	fake_after_request();
	reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 0);
	CHECK_EQUAL(trustgate_revoke_pid(conn, 77, NULL), 0);
	CHECK_EQUAL(nla_get_u32(sent_attr(TRUSTGATE_A_REVOCATION_PID)), 77);
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
	test_refusals();
	test_refusal_echoed();
	test_reloaded();
	test_grant_encoding();
	test_grant_paths();
	test_grant_split();
	test_dump();
	test_cursor();
	test_volumes();
	test_revoke();
	fake_reset();
	return check_end();
}
