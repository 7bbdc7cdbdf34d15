// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Grants that somebody supervises.
 *
 * Owns: the request grant-supervise.
 *
 * Must not own: who supervises, and for how long ahead that is said.
 */
#include <errno.h>

#include <netlink/attr.h>

#include "conn.h"

static int changed_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_total(attrs, length, TRUSTGATE_A_SUPERVISION_CHANGED,
				      userdata);
}

int trustgate_grant_supervise(struct trustgate_conn *conn, const uint64_t *ids,
			      size_t count, uint64_t until_boottime_ns,
			      uint64_t *ret_changed)
{
	uint64_t changed = 0;
	struct request request = {
		.what = until_boottime_ns ? "have grants supervised" : "suspend grants",
		.set = &trustgate_attr_supervision,
		.reply = changed_reply,
		.userdata = &changed,
	};
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!count)
		return trustgate_fail(conn, -EINVAL, "cannot %s: none is named", request.what);
	if (count > TRUSTGATE_BATCH_MAX)
		return trustgate_fail(conn, -E2BIG, "cannot %s, %zu in one message: at most %d fit",
				      request.what, count, TRUSTGATE_BATCH_MAX);
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_GRANT_SUPERVISE, 0,
				  (count + 1) * nla_total_size(sizeof(*ids)));
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++)
		r = nla_put_u64(request.msg, TRUSTGATE_A_SUPERVISION_ID, ids[i]);
	if (!r)
		r = nla_put_u64(request.msg, TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS,
				until_boottime_ns);
	r = trustgate_request_run(conn, &request, r);
	if (!r && ret_changed)
		*ret_changed = changed;
	return r;
}
