// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Grants.
 *
 * Owns: the requests grant-add, -del and -get.
 *
 * Must not own: who gets a grant.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/attr.h>

#include "conn.h"

/* ---- giving ---- */

/* Size of one grant in a message: its strings and room for all numbers. */
static size_t request_size(const struct trustgate_grant_request *request)
{
	size_t size = nla_total_size(0) + 9 * nla_total_size(4) + 7 * nla_total_size(8);

	if (request->path)
		size += nla_total_size(strlen(request->path) + 1);
	if (request->ticket)
		size += nla_total_size(strlen(request->ticket) + 1);
	return size;
}

/* Attributes that say what their absence says, too, are left out. */
static int put_optional(struct nl_msg *msg, const struct trustgate_grant_request *request)
{
	int r = 0;

	if (request->start_ticks)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_START_TICKS, request->start_ticks);
	if (!r && request->flags)
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_FLAGS, request->flags);
	if (!r && request->not_before_boottime_ns)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS,
				request->not_before_boottime_ns);
	if (!r && request->max_uses)
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_MAX_USES, request->max_uses);
	if (!r && request->ticket)
		r = nla_put_string(msg, TRUSTGATE_A_GRANT_TICKET, request->ticket);
	if (!r && request->tag)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_TAG, request->tag);
	if (!r && request->renews)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_RENEWS, request->renews);
	if (!r && request->on_end)
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_ON_END, request->on_end);
	if (!r && request->request)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_REQUEST, request->request);
	if (!r && request->supervised_until_boottime_ns)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS,
				request->supervised_until_boottime_ns);
	return r;
}

/* Whose access to what; an answer need not repeat the question. */
static int put_what(struct nl_msg *msg, const struct trustgate_grant_request *request)
{
	const bool answers = request->request;
	int r = 0;

	if (!answers || request->volume_id)
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_VOLUME_ID, request->volume_id);
	if (!r && (!answers || request->pid))
		r = nla_put_s32(msg, TRUSTGATE_A_GRANT_PID, request->pid);
	if (!r)
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_OBJECT_KIND, request->object_kind);
	if (!r && request->path)
		r = nla_put_string(msg, TRUSTGATE_A_GRANT_PATH, request->path);
	if (!r && request->fd >= 0)
		r = nla_put_s32(msg, TRUSTGATE_A_GRANT_FD, request->fd);
	if (!r && (!answers || request->access))
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_ACCESS, request->access);
	return r;
}

static int put_grant(struct nl_msg *msg, const struct trustgate_grant_request *request)
{
	struct nlattr *nest;
	int r;

	nest = nla_nest_start(msg, TRUSTGATE_A_BATCH_GRANT | NLA_F_NESTED);
	if (!nest)
		return -NLE_NOMEM;
	r = put_what(msg, request);
	if (!r)
		r = nla_put_u64(msg, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS,
				request->expires_boottime_ns);
	if (!r)
		r = nla_put_u32(msg, TRUSTGATE_A_GRANT_REASON, request->reason);
	if (!r)
		r = put_optional(msg, request);
	if (r)
		return r;
	nla_nest_end(msg, nest);
	return 0;
}

struct added_array {
	struct trustgate_grant_added *added;
	size_t count;
};

static int added_reply(const void *attrs, size_t length, void *userdata)
{
	const struct added_array *array = userdata;

	return trustgate_decode_added(attrs, length, array->count, array->added);
}

/* One message; the arguments have been checked. */
static int add_message(struct trustgate_conn *conn,
		       const struct trustgate_grant_request *requests, size_t count,
		       struct trustgate_grant_added *ret_added)
{
	struct added_array array = { .added = ret_added, .count = count };
	struct request request = {
		.what = count == 1 ? "give the grant" : "give the grants",
		.set = &trustgate_attr_batch,
		.reply = added_reply,
		.userdata = &array,
	};
	size_t size = 0;
	int r;

	for (size_t i = 0; i < count; i++)
		size += request_size(&requests[i]);
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_GRANT_ADD, 0, size);
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++)
		r = put_grant(request.msg, &requests[i]);
	r = trustgate_request_run(conn, &request, r);
	if (!r && request.replies != 1) {
		r = trustgate_fail(conn, -EPROTO, "cannot %s: %u answers came instead of one",
				   request.what, request.replies);
		conn->error.unsure = true;
	}
	return r;
}

static int check_requests(struct trustgate_conn *conn,
			  const struct trustgate_grant_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const bool named = requests[i].fd >= 0 || requests[i].path;

		if ((named || requests[i].request) &&
		    (requests[i].fd < 0 || !requests[i].path) &&
		    (!requests[i].path || strlen(requests[i].path) <= TRUSTGATE_PATH_MAX))
			continue;
		conn->error.index = i;
		if (requests[i].path && requests[i].fd < 0)
			return trustgate_fail(conn, -ENAMETOOLONG,
					      "cannot give the grant with index %zu: its path is longer than %d bytes",
					      i, TRUSTGATE_PATH_MAX);
		return trustgate_fail(conn, -EINVAL,
				      "cannot give the grant with index %zu: either a path or a descriptor is needed",
				      i);
	}
	return 0;
}

int trustgate_grant_add(struct trustgate_conn *conn,
			const struct trustgate_grant_request *requests,
			size_t count, struct trustgate_grant_added *ret_added)
{
	int r;

	r = trustgate_begin(conn);
	if (!r && !count)
		r = trustgate_fail(conn, -EINVAL, "cannot give grants: there are none");
	if (!r && count > TRUSTGATE_BATCH_MAX)
		r = trustgate_fail(conn, -E2BIG, "cannot give %zu grants in one message: at most %d fit",
				   count, TRUSTGATE_BATCH_MAX);
	if (!r)
		r = check_requests(conn, requests, count);
	if (!r)
		r = add_message(conn, requests, count, ret_added);
	return r;
}

/* How many of @requests go into the next message: half of what is sendable by
 * default, as the kernel copies it into one piece of memory.
 */
static size_t message_share(const struct trustgate_grant_request *requests, size_t count)
{
	size_t size = 0;
	size_t share = 0;

	while (share < count && share < TRUSTGATE_BATCH_MAX) {
		size += request_size(&requests[share]);
		if (share && size > 96 * 1024)
			break;
		share++;
	}
	return share;
}

int trustgate_grant_add_split(struct trustgate_conn *conn,
			      const struct trustgate_grant_request *requests,
			      size_t count,
			      struct trustgate_grant_added *ret_added,
			      size_t *ret_count)
{
	size_t done = 0;
	int r;

	*ret_count = 0;
	r = trustgate_begin(conn);
	if (!r)
		r = check_requests(conn, requests, count);
	while (!r && done < count) {
		size_t share = message_share(requests + done, count - done);

		conn->error_base = done;
		r = add_message(conn, requests + done, share, ret_added + done);
		conn->error_base = 0;
		if (!r)
			done += share;
	}
	*ret_count = done;
	return r;
}

/* ---- reading ---- */

static int grant_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_grant(attrs, length, userdata);
}

int trustgate_grant_get(struct trustgate_conn *conn, uint64_t id,
			struct trustgate_grant *ret_grant)
{
	struct trustgate_grant grant = { 0 };
	struct request request = {
		.what = "read the grant",
		.set = &trustgate_attr_grant,
		.reply = grant_reply,
		.userdata = &grant,
	};
	int r;

	r = trustgate_begin(conn);
	if (!r)
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_GRANT_GET, 0,
					  nla_total_size(sizeof(id)));
	if (r)
		return r;
	r = nla_put_u64(request.msg, TRUSTGATE_A_GRANT_ID, id);
	r = trustgate_request_run(conn, &request, r);
	if (!r && !grant.id)
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
	if (!r)
		*ret_grant = grant;
	return r;
}

struct visit {
	struct trustgate_conn *conn;
	const struct trustgate_grant_visitor *visitor;
	void *userdata;
	int result;
};

static int visit_reply(const void *attrs, size_t length, void *userdata)
{
	struct visit *visit = userdata;
	struct trustgate_grant grant;
	int r;

	r = trustgate_decode_grant(attrs, length, &grant);
	if (r)
		return r;
	visit->conn->in_dump = true;
	visit->result = visit->visitor->grant(&grant, visit->userdata);
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

int trustgate_grant_dump_new(struct trustgate_conn *conn, struct request *request,
			     const struct trustgate_grant_filter *filter)
{
	int r;

	r = trustgate_request_new(conn, request, TRUSTGATE_CMD_GRANT_GET, NLM_F_DUMP,
				  2 * nla_total_size(sizeof(uint32_t)) + nla_total_size(0));
	if (r)
		return r;
	/* There is room for all, so none can fail. */
	if (filter && filter->volume_id)
		nla_put_u32(request->msg, TRUSTGATE_A_GRANT_VOLUME_ID, filter->volume_id);
	if (filter && filter->pid)
		nla_put_s32(request->msg, TRUSTGATE_A_GRANT_PID, filter->pid);
	if (filter && filter->ending)
		nla_put_flag(request->msg, TRUSTGATE_A_GRANT_ENDING);
	return 0;
}

static int visit_once(struct trustgate_conn *conn, struct visit *visit,
		      const struct trustgate_grant_filter *filter, bool *ret_interrupted)
{
	struct request request = {
		.what = "read the grants",
		.set = &trustgate_attr_grant,
		.reply = visit_reply,
		.userdata = visit,
	};
	int r;

	r = visit_begin(visit);
	if (r)
		return r;
	r = trustgate_grant_dump_new(conn, &request, filter);
	if (r)
		return r;
	r = trustgate_request_run(conn, &request, 0);
	*ret_interrupted = request.interrupted;
	return r;
}

int trustgate_grant_each(struct trustgate_conn *conn,
			 const struct trustgate_grant_filter *filter,
			 const struct trustgate_grant_visitor *visitor,
			 void *userdata, struct trustgate_dump *ret_dump)
{
	struct visit visit = { .conn = conn, .visitor = visitor, .userdata = userdata };
	struct trustgate_dump dump = { 0 };
	int r;

	r = trustgate_begin(conn);
	while (!r && !dump.consistent && dump.attempts < DUMP_ATTEMPTS) {
		bool interrupted = false;

		r = visit_once(conn, &visit, filter, &interrupted);
		dump.attempts++;
		dump.consistent = !interrupted;
	}
	if (r > 0)
		r = visit.result;
	if (!r && ret_dump)
		*ret_dump = dump;
	return r;
}

struct grant_array {
	struct trustgate_grant *grants;
	size_t count;
	size_t room;
};

static int array_begin(void *userdata)
{
	struct grant_array *array = userdata;

	array->count = 0;
	return 0;
}

static int array_grant(const struct trustgate_grant *grant, void *userdata)
{
	struct grant_array *array = userdata;

	if (array->count == array->room) {
		size_t room = array->room ? array->room * 2 : 64;
		void *grants = reallocarray(array->grants, room, sizeof(*array->grants));

		if (!grants)
			return -ENOMEM;
		array->grants = grants;
		array->room = room;
	}
	array->grants[array->count++] = *grant;
	return 0;
}

int trustgate_grant_list(struct trustgate_conn *conn,
			 const struct trustgate_grant_filter *filter,
			 struct trustgate_grant **ret_grants, size_t *ret_count,
			 struct trustgate_dump *ret_dump)
{
	static const struct trustgate_grant_visitor visitor = {
		.begin = array_begin,
		.grant = array_grant,
	};
	struct grant_array array = { 0 };
	int r;

	r = trustgate_grant_each(conn, filter, &visitor, &array, ret_dump);
	if (r == -ENOMEM && !conn->error.text[0])
		trustgate_fail(conn, r, "cannot read the grants");
	if (r || !array.count) {
		free(array.grants);
		array = (struct grant_array){ 0 };
	}
	if (r)
		return r;
	*ret_grants = array.grants;
	*ret_count = array.count;
	return 0;
}

/* ---- revoking ---- */

static int ended_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_total(attrs, length, TRUSTGATE_A_REVOCATION_ENDED, userdata);
}

static int revoke_new(struct trustgate_conn *conn, struct request *request, size_t size)
{
	int r = trustgate_begin(conn);

	return r ? r : trustgate_request_new(conn, request, TRUSTGATE_CMD_GRANT_DEL, 0, size);
}

static int revoke_run(struct trustgate_conn *conn, struct request *request, int put,
		      uint64_t *ret_ended)
{
	int r = trustgate_request_run(conn, request, put);

	/* Acknowledged is what counts; the number is an extra. */
	if (!r && ret_ended)
		*ret_ended = *(uint64_t *)request->userdata;
	return r;
}

#define REVOCATION(ended_) {			\
	.what = "revoke grants",		\
	.set = &trustgate_attr_revocation,	\
	.reply = ended_reply,			\
	.userdata = (ended_),			\
}

int trustgate_revoke_ids(struct trustgate_conn *conn, const uint64_t *ids,
			 size_t count, uint64_t *ret_ended)
{
	uint64_t ended = 0;
	struct request request = REVOCATION(&ended);
	int r;

	trustgate_error_clear(conn);
	if (!count)
		return trustgate_fail(conn, -EINVAL, "cannot revoke grants: none is named");
	if (count > TRUSTGATE_BATCH_MAX)
		return trustgate_fail(conn, -E2BIG, "cannot revoke %zu grants in one message: at most %d fit",
				      count, TRUSTGATE_BATCH_MAX);
	r = revoke_new(conn, &request, count * nla_total_size(sizeof(*ids)));
	if (r)
		return r;
	for (size_t i = 0; !r && i < count; i++)
		r = nla_put_u64(request.msg, TRUSTGATE_A_REVOCATION_ID, ids[i]);
	return revoke_run(conn, &request, r, ret_ended);
}

int trustgate_revoke_volume(struct trustgate_conn *conn, uint32_t volume_id,
			    uint64_t *ret_ended)
{
	uint64_t ended = 0;
	struct request request = REVOCATION(&ended);
	int r;

	r = revoke_new(conn, &request, nla_total_size(sizeof(volume_id)));
	if (r)
		return r;
	r = nla_put_u32(request.msg, TRUSTGATE_A_REVOCATION_VOLUME_ID, volume_id);
	return revoke_run(conn, &request, r, ret_ended);
}

int trustgate_revoke_pid(struct trustgate_conn *conn, pid_t pid, uint64_t *ret_ended)
{
	uint64_t ended = 0;
	struct request request = REVOCATION(&ended);
	int r;

	r = revoke_new(conn, &request, nla_total_size(sizeof(pid)));
	if (r)
		return r;
	r = nla_put_s32(request.msg, TRUSTGATE_A_REVOCATION_PID, pid);
	return revoke_run(conn, &request, r, ret_ended);
}

int trustgate_revoke_all(struct trustgate_conn *conn, uint64_t *ret_ended)
{
	uint64_t ended = 0;
	struct request request = REVOCATION(&ended);
	int r;

	r = revoke_new(conn, &request, nla_total_size(0));
	if (r)
		return r;
	r = nla_put_flag(request.msg, TRUSTGATE_A_REVOCATION_ALL);
	return revoke_run(conn, &request, r, ret_ended);
}
