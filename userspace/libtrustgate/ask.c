// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Opens that wait for the agent's answer.
 *
 * Owns: the messages request-get and request-refuse.
 *
 * Must not own: what the answer should be; a grant that is the answer (grant.c).
 */
#include <errno.h>

#include <netlink/attr.h>

#include "conn.h"

static int request_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_request(attrs, length, userdata);
}

int trustgate_request_get(struct trustgate_conn *conn, uint64_t id,
			  struct trustgate_request *ret_request)
{
	struct trustgate_request found = { 0 };
	struct request request = {
		.what = "read the request",
		.set = &trustgate_attr_request,
		.reply = request_reply,
		.userdata = &found,
	};
	int r;

	r = trustgate_begin(conn);
	if (!r)
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_REQUEST_GET, 0,
					  nla_total_size(sizeof(id)));
	if (r)
		return r;
	r = nla_put_u64(request.msg, TRUSTGATE_A_REQUEST_ID, id);
	r = trustgate_request_run(conn, &request, r);
	if (!r && !found.id)
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
	if (!r)
		*ret_request = found;
	return r;
}

/* ---- all of them ---- */

struct visit {
	struct trustgate_conn *conn;
	const struct trustgate_request_visitor *visitor;
	void *userdata;
	int result;
};

static int visit_reply(const void *attrs, size_t length, void *userdata)
{
	struct visit *visit = userdata;
	struct trustgate_request request;
	int r;

	r = trustgate_decode_request(attrs, length, &request);
	if (r)
		return r;
	visit->conn->in_dump = true;
	visit->result = visit->visitor->request(&request, visit->userdata);
	visit->conn->in_dump = false;
	/* Any value stops; the visitor's own is taken from visit->result. */
	return visit->result ? 1 : 0;
}

static int visit_begin(struct visit *visit)
{
	if (!visit->visitor->begin)
		return 0;
	visit->conn->in_dump = true;
	visit->result = visit->visitor->begin(visit->userdata);
	visit->conn->in_dump = false;
	return visit->result ? 1 : 0;
}

static int visit_once(struct trustgate_conn *conn, struct visit *visit, uint32_t volume_id,
		      bool *ret_interrupted)
{
	struct request request = {
		.what = "read the requests",
		.set = &trustgate_attr_request,
		.reply = visit_reply,
		.userdata = visit,
	};
	int r;

	r = visit_begin(visit);
	if (r)
		return r;
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_REQUEST_GET, NLM_F_DUMP,
				  nla_total_size(sizeof(volume_id)));
	if (r)
		return r;
	if (volume_id)
		r = nla_put_u32(request.msg, TRUSTGATE_A_REQUEST_VOLUME_ID, volume_id);
	r = trustgate_request_run(conn, &request, r);
	*ret_interrupted = request.interrupted;
	return r;
}

int trustgate_request_each(struct trustgate_conn *conn, uint32_t volume_id,
			   const struct trustgate_request_visitor *visitor,
			   void *userdata, struct trustgate_dump *ret_dump)
{
	struct visit visit = { .conn = conn, .visitor = visitor, .userdata = userdata };
	struct trustgate_dump dump = { 0 };
	int r;

	r = trustgate_begin(conn);
	while (!r && !dump.consistent && dump.attempts < DUMP_ATTEMPTS) {
		bool interrupted = false;

		r = visit_once(conn, &visit, volume_id, &interrupted);
		dump.attempts++;
		dump.consistent = !interrupted;
	}
	if (r > 0)
		r = visit.result;
	if (!r && ret_dump)
		*ret_dump = dump;
	return r;
}

/* ---- refusing ---- */

static int refused_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_total(attrs, length, TRUSTGATE_A_REFUSAL_REFUSED, userdata);
}

int trustgate_request_refuse(struct trustgate_conn *conn, const uint64_t *ids,
			     size_t count, uint64_t *ret_refused)
{
	uint64_t refused = 0;
	struct request request = {
		.what = "refuse requests",
		.set = &trustgate_attr_refusal,
		.reply = refused_reply,
		.userdata = &refused,
	};
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!count)
		return trustgate_fail(conn, -EINVAL, "cannot refuse requests: none is named");
	if (count > TRUSTGATE_BATCH_MAX)
		return trustgate_fail(conn, -E2BIG, "cannot refuse %zu requests in one message: at most %d fit",
				      count, TRUSTGATE_BATCH_MAX);
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_REQUEST_REFUSE, 0,
				  count * nla_total_size(sizeof(*ids)));
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++)
		r = nla_put_u64(request.msg, TRUSTGATE_A_REFUSAL_ID, ids[i]);
	r = trustgate_request_run(conn, &request, r);
	if (!r && ret_refused)
		*ret_refused = refused;
	return r;
}
