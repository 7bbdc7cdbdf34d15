// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - requests about the gate and the agent.
 *
 * Owns: their parsing and their answers.
 *
 * Must not own: the gate's or the agent's state.
 */

#include <linux/cleanup.h>
#include <linux/timekeeping.h>

#include "agent.h"
#include "audit.h"
#include "check.h"
#include "ending.h"
#include "event.h"
#include "gate.h"
#include "grant.h"
#include "netlink.h"
#include "observe.h"
#include "request.h"

/* A name, three numbers and a flag. */
#define OBSERVATION_SIZE (2 * NLA_HDRLEN + TRUSTGATE_NAME_MAX + 1 +	\
			  3 * (NLA_HDRLEN + 12) + NLA_HDRLEN)

/*
 * 24 numbers, each hook's name of at most 32 bytes, and what is remembered of
 * observations.
 */
#define GATE_SIZE	(24 * (NLA_HDRLEN + 12) +			\
			 TRUSTGATE_HOOK_COUNT * (NLA_HDRLEN + 32) +	\
			 TRUSTGATE_OBSERVATIONS_MAX * OBSERVATION_SIZE)

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, TRUSTGATE_A_GATE_PAD);
}

static int put_gate(struct sk_buff *skb)
{
	struct trustgate_gate_report report;
	int err;

	trustgate_gate_report(&report);
	err = nla_put_u32(skb, TRUSTGATE_A_GATE_ABI_VERSION,
			  TRUSTGATE_ABI_VERSION) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GATE_STATE, report.state) ?:
	      put_u64(skb, TRUSTGATE_A_GATE_NOW_BOOTTIME_NS,
		      ktime_get_boottime_ns()) ?:
	      put_u64(skb, TRUSTGATE_A_GATE_PROOFS, report.proofs) ?:
	      put_u64(skb, TRUSTGATE_A_GATE_PROOF_BOOTTIME_NS,
		      report.proof_boottime_ns);
	if (!err && trustgate_agent_portid())
		err = nla_put_u32(skb, TRUSTGATE_A_GATE_AGENT_PORTID,
				  trustgate_agent_portid()) ?:
		      nla_put_s32(skb, TRUSTGATE_A_GATE_AGENT_PID,
				  trustgate_agent_pid());
	for (int i = 0; !err && i < TRUSTGATE_HOOK_COUNT; i++) {
		if (report.attached >> i & 1)
			err = nla_put_string(skb, TRUSTGATE_A_GATE_HOOK,
					     trustgate_hook_name(i));
	}
	return err;
}

static int put_totals(struct sk_buff *skb)
{
	struct trustgate_event_totals events;
	struct trustgate_ending_totals endings;
	struct trustgate_request_totals requests;
	struct trustgate_totals totals;

	trustgate_grant_totals(&totals);
	trustgate_event_totals(&events);
	trustgate_ending_totals(&endings);
	trustgate_request_totals(&requests);
	return nla_put_u32(skb, TRUSTGATE_A_GATE_VOLUMES,
			   trustgate_volume_count()) ?:
	       nla_put_u32(skb, TRUSTGATE_A_GATE_VOLUMES_MAX,
			   trustgate_volume_max()) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_GRANTS, totals.grants) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_GRANTS_MAX, totals.grants_max) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_GRANTS_BYTES_MAX,
		       totals.bytes_max) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_SUBJECTS, totals.subjects) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_EVENT_SEQ, events.seq) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_EVENTS_DROPPED, events.dropped) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_EVENTS_AGENT_MISSED,
		       events.agent_missed) ?:
	       nla_put_u32(skb, TRUSTGATE_A_GATE_EVENTS_MAX, events.length) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_AUDIT_SUPPRESSED,
		       trustgate_audit_suppressed()) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_ENDING, endings.grants) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_UNMAPPED, endings.unmapped) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_KILLED, endings.killed) ?:
	       nla_put_u32(skb, TRUSTGATE_A_GATE_REQUESTS, requests.open) ?:
	       nla_put_u32(skb, TRUSTGATE_A_GATE_REQUESTS_MAX, requests.max) ?:
	       put_u64(skb, TRUSTGATE_A_GATE_OLDEST_REQUEST_BOOTTIME_NS,
		       requests.oldest_ns);
}

static int put_observation(struct sk_buff *skb,
			   const struct trustgate_observation *observation)
{
	struct nlattr *nest = nla_nest_start(skb, TRUSTGATE_A_GATE_OBSERVATION);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_string(skb, TRUSTGATE_A_OBSERVATION_VOLUME_NAME,
			     observation->volume_name) ?:
	      nla_put_u64_64bit(skb, TRUSTGATE_A_OBSERVATION_SINCE_BOOTTIME_NS,
				observation->since_ns,
				TRUSTGATE_A_OBSERVATION_PAD) ?:
	      nla_put_u64_64bit(skb, TRUSTGATE_A_OBSERVATION_UNTIL_BOOTTIME_NS,
				observation->until_ns,
				TRUSTGATE_A_OBSERVATION_PAD) ?:
	      nla_put_u32(skb, TRUSTGATE_A_OBSERVATION_TIMES,
			  observation->times);
	if (!err && ktime_get_boottime_ns() < observation->until_ns)
		err = nla_put_flag(skb, TRUSTGATE_A_OBSERVATION_LIVE);
	if (err)
		return err;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_observations(struct sk_buff *skb)
{
	const struct trustgate_observation *observation;
	int err = 0;

	for (int i = 0; !err && (observation = trustgate_observation(i)); i++) {
		if (observation->times)
			err = put_observation(skb, observation);
	}
	return err;
}

int trustgate_nl_gate_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct trustgate_reply reply;
	int err;

	err = trustgate_reply_begin(&reply, info, GATE_SIZE);
	if (err)
		return err;
	scoped_guard(mutex, &trustgate_mutex)
		err = put_gate(reply.skb) ?: put_totals(reply.skb) ?:
		      put_observations(reply.skb);
	return trustgate_reply_end(&reply, info, err);
}

int trustgate_nl_agent_bind_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *secret = info->attrs[TRUSTGATE_A_AGENT_SECRET];
	struct trustgate_event_totals events;
	struct trustgate_reply reply;
	int err;

	if (!secret)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_AGENT_SECRET,
					      "secret");
	err = trustgate_reply_begin(&reply, info, NLA_HDRLEN + 12);
	if (err)
		return err;
	trustgate_event_totals(&events);
	err = nla_put_u64_64bit(reply.skb, TRUSTGATE_A_AGENT_EVENT_SEQ,
				events.seq, TRUSTGATE_A_AGENT_PAD);
	if (!err) {
		guard(mutex)(&trustgate_mutex);
		err = trustgate_agent_bind(skb, nla_data(secret),
					   info->extack);
		if (err)
			NL_SET_BAD_ATTR(info->extack, secret);
	}
	err = trustgate_reply_end(&reply, info, err);
	if (!err)
		trustgate_event_gate(TRUSTGATE_EVENT_TYPE_AGENT_BOUND);
	return err;
}

int trustgate_nl_agent_unbind_doit(struct sk_buff *skb, struct genl_info *info)
{
	guard(mutex)(&trustgate_mutex);
	/* It may have been unbound since the request was authorised. */
	if (trustgate_agent_sent(skb))
		trustgate_agent_unbind();
	return 0;
}
