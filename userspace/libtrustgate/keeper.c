// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Processes that have files of a volume open or mapped.
 *
 * Owns: the request keeper-get.
 *
 * Must not own: whether they should have them.
 */
#include <errno.h>

#include <netlink/attr.h>

#include "conn.h"

struct visit {
	struct trustgate_conn *conn;
	trustgate_keeper_visitor_t visitor;
	void *userdata;
	int result;
};

static int visit_reply(const void *attrs, size_t length, void *userdata)
{
	struct trustgate_keeper keeper;
	struct visit *visit = userdata;
	int r;

	r = trustgate_decode_keeper(attrs, length, &keeper);
	if (r)
		return r;
	visit->conn->in_dump = true;
	visit->result = visit->visitor(&keeper, visit->userdata);
	visit->conn->in_dump = false;
	/* Any value stops; the visitor's own is taken from visit->result. */
	return visit->result ? 1 : 0;
}

int trustgate_keeper_each(struct trustgate_conn *conn, uint32_t volume_id,
			  trustgate_keeper_visitor_t visitor, void *userdata)
{
	struct visit visit = { .conn = conn, .visitor = visitor, .userdata = userdata };
	struct request request = {
		.what = "read who has files open or mapped",
		.set = &trustgate_attr_keeper,
		.reply = visit_reply,
		.userdata = &visit,
	};
	int r;

	r = trustgate_begin(conn);
	if (!r)
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_KEEPER_GET, NLM_F_DUMP,
					  nla_total_size(sizeof(volume_id)));
	if (r)
		return r;
	r = nla_put_u32(request.msg, TRUSTGATE_A_KEEPER_VOLUME_ID, volume_id);
	r = trustgate_request_run(conn, &request, r);
	return r > 0 ? visit.result : r;
}
