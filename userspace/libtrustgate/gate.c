// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The gate and its agent.
 *
 * Owns: the requests gate-get, agent-bind and agent-unbind.
 *
 * Must not own: where the secret comes from or is kept.
 */
#include <errno.h>
#include <stdlib.h>

#include <netlink/attr.h>

#include "conn.h"

static int gate_reply(const void *attrs, size_t length, void *userdata)
{
	/* A second answer would leak the first. */
	trustgate_gate_clear(userdata);
	return trustgate_decode_gate(attrs, length, userdata);
}

int trustgate_gate_get(struct trustgate_conn *conn, struct trustgate_gate *ret_gate)
{
	struct trustgate_gate gate = { 0 };
	struct request request = {
		.what = "read the state of the gate",
		.set = &trustgate_attr_gate,
		.reply = gate_reply,
		.userdata = &gate,
	};
	int r;

	r = trustgate_begin(conn);
	if (!r)
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_GATE_GET, 0, 0);
	if (!r)
		r = trustgate_request_run(conn, &request, 0);
	if (!r && !request.replies)
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
	if (r)
		trustgate_gate_clear(&gate);
	else
		*ret_gate = gate;
	return r;
}

void trustgate_gate_clear(struct trustgate_gate *gate)
{
	free(gate->hooks);
	gate->hooks = NULL;
	gate->hooks_count = 0;
	gate->observations_count = 0;
}

static int agent_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_agent(attrs, length, userdata);
}

int trustgate_agent_bind(struct trustgate_conn *conn,
			 const uint8_t secret[TRUSTGATE_SECRET_LEN],
			 uint64_t *ret_event_seq)
{
	uint64_t event_seq = 0;
	struct request request = {
		.what = "become the agent",
		.set = &trustgate_attr_agent,
		.reply = agent_reply,
		.userdata = &event_seq,
	};
	int r;

	r = trustgate_begin(conn);
	if (!r)
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_AGENT_BIND, 0,
					  nla_total_size(TRUSTGATE_SECRET_LEN));
	if (r)
		return r;
	r = nla_put(request.msg, TRUSTGATE_A_AGENT_SECRET, TRUSTGATE_SECRET_LEN, secret);
	r = trustgate_request_run(conn, &request, r);
	if (!r && ret_event_seq)
		*ret_event_seq = event_seq;
	return r;
}

int trustgate_agent_unbind(struct trustgate_conn *conn)
{
	struct request request = {
		.what = "stop being the agent",
		.set = &trustgate_attr_agent,
	};
	int r;

	r = trustgate_begin(conn);
	if (!r)
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_AGENT_UNBIND, 0, 0);
	if (!r)
		r = trustgate_request_run(conn, &request, 0);
	return r;
}

int trustgate_agent_is_self(struct trustgate_conn *conn)
{
	struct trustgate_gate gate;
	int r;

	r = trustgate_gate_get(conn, &gate);
	if (r)
		return r;
	r = (gate.present & (UINT64_C(1) << TRUSTGATE_A_GATE_AGENT_PORTID)) &&
	    gate.agent_port_id == trustgate_port_id(conn);
	trustgate_gate_clear(&gate);
	return r;
}
