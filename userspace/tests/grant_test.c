// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants, dumps and volumes over a scripted kernel.
 *
 * Owns: checks of libtrustgate's grant.c, grant_cursor.c and volume.c.
 *
 * Must not own: what all requests have in common (request_test.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include <linux/genetlink.h>

#include <netlink/attr.h>

#include "check.h"
#include "kernel_fake.h"
#include "trustgate.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

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
	struct trustgate_conn *conn = fake_connect();
	struct trustgate_grant_request request = fake_grant_model;
	struct trustgate_grant_added added = { 0 };
	const struct nlattr *grant;

	reply_added(0, 1);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), 0);
	CHECK_EQUAL(added.id, 1);
	grant = fake_sent_attr(TRUSTGATE_A_BATCH_GRANT);
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
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_RENEWS), 11);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_ON_END), TRUSTGATE_ON_END_KILL);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_FD), UINT64_MAX);
	CHECK_TEXT(nla_data(nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_PATH)), "db/x");
	CHECK_TEXT(nla_data(nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_TICKET)), "SR-4711");

	/* By descriptor, and nothing that need not be said. */
	request = (struct trustgate_grant_request)TRUSTGATE_GRANT_REQUEST_INIT;
	request.volume_id = 1;
	request.fd = 0;
	reply_added(0, 1);
	CHECK_EQUAL(trustgate_grant_add(conn, &request, 1, &added), 0);
	grant = fake_sent_attr(TRUSTGATE_A_BATCH_GRANT);
	CHECK_EQUAL(inner_u64(grant, TRUSTGATE_A_GRANT_FD), 0);
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_PATH));
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_TAG));
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_RENEWS));
	CHECK(!nla_find(nla_data(grant), nla_len(grant), TRUSTGATE_A_GRANT_ON_END));
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
	struct trustgate_conn *conn = fake_connect();
	struct trustgate_grant_request requests[60];
	struct trustgate_grant_added added[60];
	static char path[70000];
	size_t done = 0;

	memset(path, 'a', sizeof(path) - 1);
	fake_grant_requests(requests, 60);
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
	struct trustgate_conn *conn = fake_connect();
	size_t done = 99;

	fake_grant_requests(requests, count);
	reply_added(0, TRUSTGATE_BATCH_MAX);
	reply_added(TRUSTGATE_BATCH_MAX, TRUSTGATE_BATCH_MAX);
	reply_added(2 * TRUSTGATE_BATCH_MAX, 7);
	CHECK_EQUAL(trustgate_grant_add_split(conn, requests, count, added, &done), 0);
	CHECK_EQUAL(done, count);
	CHECK_EQUAL(added[count - 1].id, count);
	CHECK_EQUAL(added[TRUSTGATE_BATCH_MAX].id, TRUSTGATE_BATCH_MAX + 1);

	/* The second message is refused: the first stays, and is reported. */
	reply_added(0, TRUSTGATE_BATCH_MAX);
	fake_error(-ESRCH, fake_ack("no such process", HEAD, 0, 0));
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
	struct trustgate_conn *conn = fake_connect();
	struct visitor_log visits = { .conn = conn };
	struct trustgate_dump dump = { 0 };
	struct trustgate_grant *grants = NULL;
	size_t count = 0;

	/* Interrupted once, noticed in an entry; then whole. */
	fake_grant(1, 0);
	fake_grant(2, NLM_F_DUMP_INTR);
	fake_done(0, 0);
	fake_after_request();
	fake_grant(1, 0);
	fake_event(5);
	fake_grant(3, 0);
	fake_grant(4, 0);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_list(conn, &filter, &grants, &count, &dump), 0);
	CHECK_EQUAL(count, 3);
	CHECK_EQUAL(grants[1].id, 3);
	CHECK_EQUAL(dump.attempts, 2);
	CHECK(dump.consistent);
	CHECK_EQUAL(trustgate_events_pending(conn), 1);
	CHECK_EQUAL(fake_request(0)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_GRANT_VOLUME_ID)), 3);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_GRANT_PID)), 77);
	free(grants);

	/* Interrupted for ever, noticed at the end: bounded and reported. */
	for (int i = 0; i < 5; i++) {
		fake_after_request();
		fake_grant(1, 0);
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
		fake_grant(id, 0);
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
	fake_grant(1, 0);
	fake_done(-ENOENT, 0);
	fake_family(FAKE_FAMILY_ID);
	CHECK_EQUAL(trustgate_grant_list(conn, NULL, &grants, &count, NULL), -ENOENT);
	trustgate_free(conn);
}

static void test_cursor(void)
{
	struct trustgate_grant_filter filter = { .volume_id = 3 };
	struct trustgate_conn *conn = fake_connect();
	struct trustgate_grant_cursor *cursor = NULL;
	struct trustgate_grant grants[2] = { 0 };
	struct trustgate_gate gate;
	size_t count = 9;
	size_t left;

	for (uint64_t id = 1; id <= 3; id++)
		fake_grant(id, 0);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, &filter, &cursor), 0);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_GRANT_VOLUME_ID)), 3);
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
	fake_grant(1, NLM_F_DUMP_INTR);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_grant_cursor_open(conn, NULL, &cursor), 0);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), 1);
	CHECK_EQUAL(trustgate_grant_cursor_next(cursor, grants, 2, &count), -EINTR);
	trustgate_grant_cursor_close(cursor);
	fake_after_request();
	for (uint64_t id = 1; id <= 3; id++)
		fake_grant(id, 0);
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
	fake_grant(0, 0);
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
		.fields = TRUSTGATE_VOLUME_FIELD_RECORD | TRUSTGATE_VOLUME_FIELD_LEAST_ON_END,
		.max_duration_ns = 5, .record = 0, .least_on_end = TRUSTGATE_ON_END_UNMAP,
	};
	dev_t devices[TRUSTGATE_LOWER_DEVICES_MAX + 1] = { 256, makedev(4096, 0) };
	struct trustgate_conn *conn = fake_connect();
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
	CHECK_TEXT(nla_data(fake_sent_attr(TRUSTGATE_A_VOLUME_PATH)), "/srv/acme");
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_VOLUME_RECORD)), 0);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_VOLUME_LEAST_ON_END)),
		    TRUSTGATE_ON_END_UNMAP);
	CHECK(!fake_sent_attr(TRUSTGATE_A_VOLUME_MAX_DURATION_NS));
	CHECK(!fake_sent_attr(TRUSTGATE_A_VOLUME_FD));
	CHECK(!fake_sent_attr(TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS));
	/* All settings at once. */
	settings.fields = TRUSTGATE_VOLUME_FIELD_MAX_DURATION | TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS |
			  TRUSTGATE_VOLUME_FIELD_RECORD | TRUSTGATE_VOLUME_FIELD_METADATA |
			  TRUSTGATE_VOLUME_FIELD_LEAST_ON_END | TRUSTGATE_VOLUME_FIELD_ASK |
			  TRUSTGATE_VOLUME_FIELD_OBSERVED | TRUSTGATE_VOLUME_FIELD_AUDIT;
	settings.observed_until_boottime_ns = 77;
	settings.audit = TRUSTGATE_AUDIT_STRICT;
	fake_after_request();
	fake_error(0, NULL);
	CHECK_EQUAL(trustgate_volume_set(conn, 8, &settings), 0);
	CHECK_EQUAL(nla_get_u64(fake_sent_attr(TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS)), 77);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_VOLUME_AUDIT)), TRUSTGATE_AUDIT_STRICT);
	CHECK_EQUAL(trustgate_volume_add(conn, "acme", NULL, -1, NULL, &id), -EINVAL);
	CHECK_EQUAL(trustgate_volume_add(conn, "acme", "/x", 1, NULL, &id), -EINVAL);
	CHECK_EQUAL(trustgate_volume_add(conn, NULL, "/x", -1, NULL, &id), -EINVAL);
	CHECK_EQUAL(trustgate_volume_get(conn, 1, "acme", &volume), -EINVAL);
	CHECK_EQUAL(trustgate_volume_get(conn, 0, NULL, &volume), -EINVAL);
	settings.fields = 0;
	CHECK_EQUAL(trustgate_volume_set(conn, 8, &settings), -EINVAL);
	CHECK_EQUAL(trustgate_volume_set_lower(conn, 8, devices, TRUSTGATE_LOWER_DEVICES_MAX + 1),
		    -EINVAL);
	CHECK_EQUAL(trustgate_volume_set_lower(conn, 8, devices, 2), -EINVAL);
	CHECK_EQUAL(trustgate_volume_set_nodes(conn, 8, devices, TRUSTGATE_LOWER_DEVICES_MAX + 1),
		    -EINVAL);
	CHECK_EQUAL(trustgate_volume_set_nodes(conn, 8, devices, 2), -EINVAL);
	CHECK_EQUAL(fake_requests(), 2);

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
	struct trustgate_conn *conn = fake_connect();
	uint64_t ids[TRUSTGATE_BATCH_MAX + 1];
	uint64_t ended = 0;

	for (size_t i = 0; i <= TRUSTGATE_BATCH_MAX; i++)
		ids[i] = i + 1;
	fake_reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, TRUSTGATE_BATCH_MAX);
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, TRUSTGATE_BATCH_MAX, &ended), 0);
	CHECK_EQUAL(ended, TRUSTGATE_BATCH_MAX);
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, TRUSTGATE_BATCH_MAX + 1, &ended), -E2BIG);
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, 0, &ended), -EINVAL);
	fake_after_request();
	fake_error(-ENOENT, fake_ack("no such grant", HEAD, 0, 0));
	CHECK_EQUAL(trustgate_revoke_ids(conn, ids, 2, NULL), -ENOENT);
	CHECK_TEXT(trustgate_error_attribute(conn), "id[0]");
	fake_after_request();
	fake_reply_number(TRUSTGATE_CMD_GRANT_DEL, TRUSTGATE_A_REVOCATION_ENDED, 0);
	CHECK_EQUAL(trustgate_revoke_pid(conn, 77, NULL), 0);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_REVOCATION_PID)), 77);
	trustgate_free(conn);
}

static void test_supervise(void)
{
	struct trustgate_conn *conn = fake_connect();
	uint64_t ids[TRUSTGATE_BATCH_MAX + 1];
	uint64_t changed = 0;

	for (size_t i = 0; i <= TRUSTGATE_BATCH_MAX; i++)
		ids[i] = i + 1;
	fake_reply_number(TRUSTGATE_CMD_GRANT_SUPERVISE, TRUSTGATE_A_SUPERVISION_CHANGED, 3);
	CHECK_EQUAL(trustgate_grant_supervise(conn, ids, TRUSTGATE_BATCH_MAX, 900, &changed), 0);
	CHECK_EQUAL(fake_sent_cmd(), TRUSTGATE_CMD_GRANT_SUPERVISE);
	CHECK_EQUAL(nla_get_u64(fake_sent_attr(TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS)), 900);
	CHECK_EQUAL(nla_get_u64(fake_sent_attr(TRUSTGATE_A_SUPERVISION_ID)), 1);
	CHECK_EQUAL(changed, 3);
	CHECK_EQUAL(trustgate_grant_supervise(conn, ids, TRUSTGATE_BATCH_MAX + 1, 900, NULL), -E2BIG);
	CHECK_EQUAL(trustgate_grant_supervise(conn, ids, 0, 900, NULL), -EINVAL);
	CHECK_EQUAL(fake_requests(), 1);
	/* To suspend is said, too, and not left out. */
	fake_after_request();
	fake_reply_number(TRUSTGATE_CMD_GRANT_SUPERVISE, TRUSTGATE_A_SUPERVISION_CHANGED, 1);
	CHECK_EQUAL(trustgate_grant_supervise(conn, ids, 1, 0, NULL), 0);
	CHECK_EQUAL(nla_get_u64(fake_sent_attr(TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS)), 0);
	fake_after_request();
	fake_error(-EINVAL, fake_ack("the grant has not the flag supervised", HEAD, 0, 0));
	CHECK_EQUAL(trustgate_grant_supervise(conn, ids, 2, 900, NULL), -EINVAL);
	CHECK_TEXT(trustgate_error_attribute(conn), "id[0]");
	trustgate_free(conn);
}

int main(void)
{
	test_grant_encoding();
	test_grant_paths();
	test_grant_split();
	test_dump();
	test_cursor();
	test_volumes();
	test_revoke();
	test_supervise();
	fake_reset();
	return check_end();
}
