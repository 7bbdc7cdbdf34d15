// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens that wait for an answer, over a scripted kernel.
 *
 * Owns: checks of libtrustgate's ask.c, and of grants that are answers.
 *
 * Must not own: grants that are not (grant_test.c).
 */
#include <errno.h>
#include <string.h>

#include <linux/genetlink.h>

#include <netlink/attr.h>

#include "check.h"
#include "kernel_fake.h"
#include "trustgate.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

static void fake_asked(uint64_t id, const char *path, uint16_t flags)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, TRUSTGATE_A_REQUEST_ID, id);
	nla_put_u32(attrs, TRUSTGATE_A_REQUEST_VOLUME_ID, 3);
	nla_put_s32(attrs, TRUSTGATE_A_REQUEST_PID, 812);
	nla_put_u32(attrs, TRUSTGATE_A_REQUEST_ACCESS, TRUSTGATE_ACCESS_READ);
	nla_put_u64(attrs, TRUSTGATE_A_REQUEST_DEADLINE_BOOTTIME_NS, 900);
	if (path)
		nla_put_string(attrs, TRUSTGATE_A_REQUEST_PATH, path);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_REQUEST_GET, flags, FAKE_SEQ_OF_REQUEST, attrs);
}

static void test_get(void)
{
	struct trustgate_conn *conn = fake_connect();
	static char path[TRUSTGATE_PATH_MAX + 2];
	static struct trustgate_request request;

	fake_asked(7, "/db/a", 0);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), 0);
	CHECK_EQUAL(fake_sent_cmd(), TRUSTGATE_CMD_REQUEST_GET);
	CHECK_EQUAL(nla_get_u64(fake_sent_attr(TRUSTGATE_A_REQUEST_ID)), 7);
	CHECK_EQUAL(request.id, 7);
	CHECK_EQUAL(request.pid, 812);
	CHECK_EQUAL(request.deadline_boottime_ns, 900);
	CHECK_TEXT(request.path, "/db/a");
	CHECK(request.present & UINT64_C(1) << TRUSTGATE_A_REQUEST_PATH);

	/* The longest path; one that is longer cannot be; none. */
	memset(path, 'p', TRUSTGATE_PATH_MAX);
	fake_after_request();
	fake_asked(7, path, 0);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), 0);
	CHECK_TEXT(request.path, path);
	path[TRUSTGATE_PATH_MAX] = 'p';
	fake_after_request();
	fake_asked(7, path, 0);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), -EPROTO);
	fake_after_request();
	fake_asked(7, NULL, 0);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), 0);
	CHECK(!(request.present & UINT64_C(1) << TRUSTGATE_A_REQUEST_PATH));

	/* Without its number it is none; refused; no answer at all. */
	fake_after_request();
	fake_asked(0, NULL, 0);
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), -EPROTO);
	fake_after_request();
	fake_error(-ENOENT, fake_ack("no open request has this id", HEAD, 0, 0));
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), -ENOENT);
	CHECK_TEXT(trustgate_error_attribute(conn), "id");
	fake_after_request();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_request_get(conn, 7, &request), -EPROTO);
	trustgate_free(conn);
}

/**
 * struct seen - what a visitor has seen
 * @begins: attempts
 * @sum: of the ids since the last of them
 * @stop_at: id at which it stops
 * @conn: connection that it tries to use
 */
struct seen {
	unsigned int begins;
	uint64_t sum;
	uint64_t stop_at;
	struct trustgate_conn *conn;
};

static int see_begin(void *userdata)
{
	struct seen *seen = userdata;

	seen->begins++;
	seen->sum = 0;
	return 0;
}

static int see_request(const struct trustgate_request *request, void *userdata)
{
	struct seen *seen = userdata;
	uint64_t id = request->id;

	seen->sum += id;
	CHECK_EQUAL(trustgate_request_refuse(seen->conn, &id, 1, NULL), -EBUSY);
	return id == seen->stop_at ? -ECANCELED : 0;
}

static void test_each(void)
{
	static const struct trustgate_request_visitor visitor = {
		.begin = see_begin, .request = see_request,
	};
	struct seen seen = { .conn = fake_connect() };
	struct trustgate_dump dump;

	/* Something changed meanwhile, so it is read again. */
	fake_asked(1, "/a", NLM_F_MULTI);
	fake_asked(2, "/b", NLM_F_MULTI | NLM_F_DUMP_INTR);
	fake_done(0, 0);
	fake_after_request();
	fake_asked(2, "/b", NLM_F_MULTI);
	fake_asked(5, "/c", NLM_F_MULTI);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_request_each(seen.conn, 3, &visitor, &seen, &dump), 0);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_REQUEST_VOLUME_ID)), 3);
	CHECK_EQUAL(seen.begins, 2);
	CHECK_EQUAL(seen.sum, 7);
	CHECK_EQUAL(dump.attempts, 2);
	CHECK(dump.consistent);

	/* Stopped by the visitor; senseless. */
	seen.stop_at = 1;
	fake_after_request();
	fake_asked(1, "/a", NLM_F_MULTI);
	fake_asked(2, "/b", NLM_F_MULTI);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_request_each(seen.conn, 0, &visitor, &seen, NULL), -ECANCELED);
	CHECK(!fake_sent_attr(TRUSTGATE_A_REQUEST_VOLUME_ID));
	CHECK_EQUAL(seen.sum, 1);
	fake_after_request();
	fake_asked(0, "/a", NLM_F_MULTI);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_request_each(seen.conn, 0, &visitor, &seen, NULL), -EPROTO);
	trustgate_free(seen.conn);
}

static void test_refuse(void)
{
	struct trustgate_conn *conn = fake_connect();
	uint64_t ids[TRUSTGATE_BATCH_MAX + 1];
	uint64_t refused = 0;

	for (size_t i = 0; i <= TRUSTGATE_BATCH_MAX; i++)
		ids[i] = i + 1;
	fake_reply_number(TRUSTGATE_CMD_REQUEST_REFUSE, TRUSTGATE_A_REFUSAL_REFUSED, 9);
	CHECK_EQUAL(trustgate_request_refuse(conn, ids, TRUSTGATE_BATCH_MAX, &refused), 0);
	CHECK_EQUAL(fake_sent_cmd(), TRUSTGATE_CMD_REQUEST_REFUSE);
	CHECK_EQUAL(refused, 9);
	CHECK_EQUAL(trustgate_request_refuse(conn, ids, TRUSTGATE_BATCH_MAX + 1, NULL), -E2BIG);
	CHECK_EQUAL(trustgate_request_refuse(conn, ids, 0, NULL), -EINVAL);
	CHECK_EQUAL(fake_requests(), 1);
	fake_after_request();
	fake_error(-EPERM, fake_ack("only the bound agent may do this; ask it", 0, 0, 0));
	CHECK_EQUAL(trustgate_request_refuse(conn, ids, 1, NULL), -EPERM);
	trustgate_free(conn);
}

/* The attribute of the one grant in the message sent last. */
static const struct nlattr *sent_grant_attr(int type)
{
	const struct nlattr *nest = fake_sent_attr(TRUSTGATE_A_BATCH_GRANT);

	return nla_find(nla_data(nest), nla_len(nest), type);
}

static void fake_added(void)
{
	struct nl_msg *attrs = fake_attrs();
	struct nlattr *nest = nla_nest_start(attrs, TRUSTGATE_A_BATCH_ADDED);

	nla_put_u64(attrs, TRUSTGATE_A_GRANT_ID, 1);
	nla_nest_end(attrs, nest);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_ADD, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
}

/* An answer leaves out what it takes from the question. */
static void test_answer(void)
{
	struct trustgate_grant_request request = TRUSTGATE_GRANT_REQUEST_INIT;
	struct trustgate_conn *conn = fake_connect();
	struct trustgate_grant_added added;

	request.reason = TRUSTGATE_REASON_INCIDENT;
	request.expires_boottime_ns = 900;
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EINVAL);
	request.request = 7;
	fake_added();
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), 0);
	CHECK_EQUAL(nla_get_u64(sent_grant_attr(TRUSTGATE_A_GRANT_REQUEST)), 7);
	CHECK(!sent_grant_attr(TRUSTGATE_A_GRANT_VOLUME_ID));
	CHECK(!sent_grant_attr(TRUSTGATE_A_GRANT_PID));
	CHECK(!sent_grant_attr(TRUSTGATE_A_GRANT_ACCESS));
	CHECK(!sent_grant_attr(TRUSTGATE_A_GRANT_PATH));
	CHECK(!sent_grant_attr(TRUSTGATE_A_GRANT_FD));

	/* And states what it does not. */
	request.volume_id = 3;
	request.pid = 811;
	request.access = TRUSTGATE_ACCESS_WRITE;
	request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	request.path = "db";
	fake_after_request();
	fake_added();
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), 0);
	CHECK_EQUAL(nla_get_u32(sent_grant_attr(TRUSTGATE_A_GRANT_PID)), 811);
	CHECK_EQUAL(nla_get_u32(sent_grant_attr(TRUSTGATE_A_GRANT_ACCESS)), TRUSTGATE_ACCESS_WRITE);
	CHECK_TEXT(nla_data(sent_grant_attr(TRUSTGATE_A_GRANT_PATH)), "db");
	request.fd = 0;
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), -EINVAL);
	CHECK_EQUAL(fake_requests(), 2);
	trustgate_free(conn);
}

int main(void)
{
	test_get();
	test_each();
	test_refuse();
	test_answer();
	fake_reset();
	return check_end();
}
