// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Grants piece by piece.
 *
 * Owns: a dump that stands still between two calls. What one datagram holds is
 * kept until it was asked for; the next one is received only then.
 *
 * Must not own: a dump that is read again when it was interrupted (grant.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"

/**
 * struct trustgate_grant_cursor - a dump under way
 * @conn: connection, marked with in_dump
 * @request: of the dump
 * @grants: of the datagram received last
 * @count: how many
 * @room: of @grants
 * @next: first that was not asked for yet
 * @failed: the error that ended it, 0 while there is none
 */
struct trustgate_grant_cursor {
	struct trustgate_conn *conn;
	struct request request;
	struct trustgate_grant *grants;
	size_t count;
	size_t room;
	size_t next;
	int failed;
};

static int keep_grant(const void *attrs, size_t length, void *userdata)
{
	struct trustgate_grant_cursor *cursor = userdata;
	int r;

	if (cursor->count == cursor->room) {
		size_t room = cursor->room ? cursor->room * 2 : 64;
		void *grants = reallocarray(cursor->grants, room, sizeof(*cursor->grants));

		if (!grants)
			return -ENOMEM;
		cursor->grants = grants;
		cursor->room = room;
	}
	r = trustgate_decode_grant(attrs, length, &cursor->grants[cursor->count]);
	if (!r)
		cursor->count++;
	return r;
}

int trustgate_grant_cursor_open(struct trustgate_conn *conn,
				const struct trustgate_grant_filter *filter,
				struct trustgate_grant_cursor **ret_cursor)
{
	struct trustgate_grant_cursor *cursor;
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	cursor = calloc(1, sizeof(*cursor));
	if (!cursor)
		return trustgate_fail(conn, -ENOMEM, "cannot read the grants");
	cursor->conn = conn;
	cursor->request = (struct request){
		.what = "read the grants",
		.set = &trustgate_attr_grant,
		.reply = keep_grant,
		.userdata = cursor,
	};
	r = trustgate_grant_dump_new(conn, &cursor->request, filter);
	if (!r)
		r = trustgate_request_send(conn, &cursor->request);
	if (r) {
		trustgate_grant_cursor_close(cursor);
		return r;
	}
	conn->in_dump = true;
	*ret_cursor = cursor;
	return 0;
}

int trustgate_grant_cursor_next(struct trustgate_grant_cursor *cursor,
				struct trustgate_grant *grants, size_t max,
				size_t *ret_count)
{
	struct trustgate_conn *conn = cursor->conn;
	size_t count;

	*ret_count = 0;
	trustgate_error_clear(conn);
	if (!max)
		return trustgate_fail(conn, -EINVAL, "cannot read the grants: there is no room for any");

	/* A part without a grant that makes sense is not the end yet. */
	while (cursor->next == cursor->count && !cursor->request.done && !cursor->failed) {
		cursor->next = cursor->count = 0;
		cursor->failed = trustgate_request_step(conn, &cursor->request);
	}
	/* The datagram with the end may hold the last grants, too. */
	if (cursor->next < cursor->count) {
		count = cursor->count - cursor->next;
		if (count > max)
			count = max;
		memcpy(grants, cursor->grants + cursor->next, count * sizeof(*grants));
		cursor->next += count;
		*ret_count = count;
		return 1;
	}
	if (cursor->failed)
		return conn->error.text[0] ? cursor->failed :
		       trustgate_fail(conn, cursor->failed, "cannot read the grants");
	if (cursor->request.interrupted)
		return trustgate_fail(conn, -EINTR, "grants came or went while they were read");
	return 0;
}

void trustgate_grant_cursor_close(struct trustgate_grant_cursor *cursor)
{
	if (!cursor)
		return;
	cursor->conn->in_dump = false;
	nlmsg_free(cursor->request.msg);
	free(cursor->grants);
	free(cursor);
}
