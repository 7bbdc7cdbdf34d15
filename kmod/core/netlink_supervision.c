// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the request that says until when grants are supervised.
 *
 * Owns: its parsing and its answer.
 *
 * Must not own: which ends of supervision are accepted (terms.c), what a
 * suspension does (supervision.c).
 */

#include <linux/cleanup.h>
#include <linux/rcupdate.h>

#include "agent.h"
#include "grant.h"
#include "netlink.h"
#include "supervision.h"
#include "terms.h"

/* All of them are as they should be, before any is changed. */
static int check_ids(const struct genl_info *info)
{
	const struct trustgate_grant *grant;
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_SUPERVISION_ID, info->nlhdr,
				 GENL_HDRLEN, rem) {
		if (++count > TRUSTGATE_BATCH_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "too many ids in one request");
			return -E2BIG;
		}
		grant = trustgate_grant_by_id(nla_get_u64(attr));
		if (grant &&
		    !(grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED)) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "the grant has not the flag supervised");
			return -EINVAL;
		}
	}
	if (!count)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_SUPERVISION_ID, "id");
	return 0;
}

/* Returns whether one of them allows for less long than before. */
static bool set_all(const struct genl_info *info, u64 until_ns, u64 *changed)
{
	struct trustgate_grant *grant;
	const struct nlattr *attr;
	bool less = false;
	int rem;

	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_SUPERVISION_ID, info->nlhdr,
				 GENL_HDRLEN, rem) {
		grant = trustgate_grant_by_id(nla_get_u64(attr));
		if (!grant)
			continue;
		less |= trustgate_supervision_set(grant, until_ns);
		(*changed)++;
	}
	return less;
}

int trustgate_nl_grant_supervise_doit(struct sk_buff *skb,
				      struct genl_info *info)
{
	const struct nlattr *until =
		info->attrs[TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS];
	struct trustgate_reply reply;
	u64 until_ns, changed = 0;
	bool less = false;
	int err;

	if (!until)
		return trustgate_attr_missing(info, NULL,
				TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS,
				"until-boottime-ns");
	until_ns = nla_get_u64(until);
	err = trustgate_terms_supervised(until_ns, until, info->extack) ?:
	      trustgate_reply_begin(&reply, info, NLA_HDRLEN + 12);
	if (err)
		return err;
	scoped_guard(mutex, &trustgate_mutex) {
		/* Who was authorised may have been unbound since. */
		err = trustgate_agent_sent(skb) ? check_ids(info) : -EPERM;
		if (!err)
			less = set_all(info, until_ns, &changed);
	}
	/* A check that began before may still be about to allow. */
	if (less)
		synchronize_rcu();
	if (!err)
		err = nla_put_u64_64bit(reply.skb, TRUSTGATE_A_SUPERVISION_CHANGED,
					changed, TRUSTGATE_A_SUPERVISION_PAD);
	return trustgate_reply_end(&reply, info, err);
}
