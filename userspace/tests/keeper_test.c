// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has files open or mapped, over a scripted kernel.
 *
 * Owns: checks of libtrustgate's keeper.c.
 *
 * Must not own: what the kernel finds.
 */
#include <errno.h>
#include <string.h>

#include <linux/genetlink.h>

#include <netlink/attr.h>

#include "check.h"
#include "kernel_fake.h"
#include "trustgate.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

static void fake_keeper(pid_t pid, const char *path)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u32(attrs, TRUSTGATE_A_KEEPER_VOLUME_ID, 3);
	if (pid >= 0)
		nla_put_s32(attrs, TRUSTGATE_A_KEEPER_PID, pid);
	nla_put_u64(attrs, TRUSTGATE_A_KEEPER_START_TICKS, 77);
	nla_put_string(attrs, TRUSTGATE_A_KEEPER_COMM, "postgres");
	nla_put_u32(attrs, TRUSTGATE_A_KEEPER_FILES, 5);
	nla_put_u32(attrs, TRUSTGATE_A_KEEPER_MAPPINGS, 2);
	nla_put_u32(attrs, TRUSTGATE_A_KEEPER_FILES_DENIED, 4);
	nla_put_u32(attrs, TRUSTGATE_A_KEEPER_MAPPINGS_DENIED, 1);
	nla_put_flag(attrs, TRUSTGATE_A_KEEPER_PROGRAM);
	if (path)
		nla_put_string(attrs, TRUSTGATE_A_KEEPER_PATH, path);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_KEEPER_GET, NLM_F_MULTI, FAKE_SEQ_OF_REQUEST,
		     attrs);
}

struct seen {
	unsigned int count;
	struct trustgate_keeper last;
	pid_t stop_at;
	struct trustgate_conn *conn;
};

static int see(const struct trustgate_keeper *keeper, void *userdata)
{
	struct seen *seen = userdata;

	seen->count++;
	seen->last = *keeper;
	CHECK_EQUAL(trustgate_keeper_each(seen->conn, 3, see, seen), -EBUSY);
	return keeper->pid == seen->stop_at ? -ECANCELED : 0;
}

static void test_each(void)
{
	struct trustgate_conn *conn = fake_connect();
	struct seen seen = { .conn = conn, .stop_at = -1 };

	fake_keeper(812, "db/a");
	fake_keeper(0, NULL);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_keeper_each(conn, 3, see, &seen), 0);
	CHECK_EQUAL(fake_sent_cmd(), TRUSTGATE_CMD_KEEPER_GET);
	CHECK_EQUAL(nla_get_u32(fake_sent_attr(TRUSTGATE_A_KEEPER_VOLUME_ID)), 3);
	CHECK_EQUAL(seen.count, 2);
	CHECK_EQUAL(seen.last.pid, 0);
	CHECK(!(seen.last.present & UINT64_C(1) << TRUSTGATE_A_KEEPER_PATH));

	fake_after_request();
	fake_keeper(812, "db/a");
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_keeper_each(conn, 3, see, &seen), 0);
	CHECK_EQUAL(seen.last.volume_id, 3);
	CHECK_EQUAL(seen.last.pid, 812);
	CHECK_EQUAL(seen.last.start_ticks, 77);
	CHECK_TEXT(seen.last.comm, "postgres");
	CHECK_EQUAL(seen.last.files, 5);
	CHECK_EQUAL(seen.last.mappings, 2);
	CHECK_EQUAL(seen.last.files_denied, 4);
	CHECK_EQUAL(seen.last.mappings_denied, 1);
	CHECK(seen.last.program);
	CHECK(!seen.last.unknown);
	CHECK_TEXT(seen.last.path, "db/a");

	/* The visitor has seen enough; one has no number; there is no such volume. */
	seen = (struct seen){ .conn = conn, .stop_at = 812 };
	fake_after_request();
	fake_keeper(812, "db/a");
	fake_keeper(813, "db/a");
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_keeper_each(conn, 3, see, &seen), -ECANCELED);
	CHECK_EQUAL(seen.count, 1);
	fake_after_request();
	fake_keeper(-1, NULL);
	fake_done(0, 0);
	CHECK_EQUAL(trustgate_keeper_each(conn, 3, see, &seen), -EPROTO);
	fake_after_request();
	fake_error(-ENOENT, fake_ack("no volume has this id", HEAD, 0, 0));
	CHECK_EQUAL(trustgate_keeper_each(conn, 3, see, &seen), -ENOENT);
	CHECK_TEXT(trustgate_error_attribute(conn), "volume-id");
	trustgate_free(conn);
}

int main(void)
{
	test_each();
	fake_reset();
	return check_end();
}
