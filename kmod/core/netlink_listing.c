// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - requests that tell of grants.
 *
 * Owns: what is told of a grant, which grants a dump is about, and that it tells
 * of each that lives through it exactly once.
 *
 * Must not own: the table of grants; those that are kept after their end
 * (ending.c).
 */

#include <linux/cleanup.h>
#include <linux/math64.h>
#include <linux/pid.h>

#include "ending.h"
#include "grant.h"
#include "netlink.h"

/* 12 numbers of 64 bits, 12 of 32, and the ticket. */
#define GRANT_SIZE	(12 * (NLA_HDRLEN + 12) + 12 * (NLA_HDRLEN + 4) +	\
			 NLA_HDRLEN + TRUSTGATE_TICKET_MAX + 4)

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, TRUSTGATE_A_GRANT_PAD);
}

static int put_end(struct sk_buff *skb, const struct trustgate_grant *grant)
{
	return nla_put_u32(skb, TRUSTGATE_A_GRANT_END, grant->end) ?:
	       put_u64(skb, TRUSTGATE_A_GRANT_ENDED_BOOTTIME_NS,
		       grant->ended_ns) ?:
	       nla_put_u32(skb, TRUSTGATE_A_GRANT_MAPPED,
			   grant->volume->nr_mapped);
}

static int put_grant(struct sk_buff *skb, const struct trustgate_grant *grant)
{
	int err;

	err = put_u64(skb, TRUSTGATE_A_GRANT_ID, grant->id) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_VOLUME_ID,
			  grant->volume->id) ?:
	      nla_put_s32(skb, TRUSTGATE_A_GRANT_PID,
			  pid_vnr((struct pid *)grant->key.pid)) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_START_TICKS,
		      div_u64(grant->start_ns, NSEC_PER_SEC / USER_HZ)) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_EXEC_ID, grant->exec_id) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_FLAGS, grant->flags) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_OBJECT_KIND,
			  grant->key.kind) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_INO, grant->key.ino) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_INODE_GENERATION,
			  grant->key.generation) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_ACCESS, grant->access) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS,
		      grant->not_before_ns) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS,
		      grant->expiry.expires) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_MAX_USES, grant->max_uses) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_USES,
			  atomic_read(&grant->uses)) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_REASON, grant->reason) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_TAG, grant->tag) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_CREATED_BOOTTIME_NS,
		      grant->created_boottime_ns) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_SINCE_BOOTTIME_NS,
		      grant->since_ns) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_ON_END, grant->on_end);
	if (!err && grant->holder)
		err = put_end(skb, grant);
	if (!err && grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED)
		err = put_u64(skb, TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS,
			      grant->live_until_ns);
	if (!err && grant->ticket)
		err = nla_put_string(skb, TRUSTGATE_A_GRANT_TICKET,
				     grant->ticket);
	return err;
}

int trustgate_nl_grant_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *id = info->attrs[TRUSTGATE_A_GRANT_ID];
	struct trustgate_grant *grant;
	struct trustgate_reply reply;
	int err;

	if (!id)
		return trustgate_attr_missing(info, NULL, TRUSTGATE_A_GRANT_ID,
					      "id");
	err = trustgate_reply_begin(&reply, info, GRANT_SIZE);
	if (err)
		return err;
	scoped_guard(mutex, &trustgate_mutex) {
		grant = trustgate_grant_by_id(nla_get_u64(id));
		if (grant) {
			err = put_grant(reply.skb, grant);
		} else {
			NL_SET_ERR_MSG_ATTR(info->extack, id,
					    "no live grant has this id");
			err = -ENOENT;
		}
	}
	return trustgate_reply_end(&reply, info, err);
}

/* How many grants a dump looks at before others get the mutex. */
#define DUMP_BATCH	1024

/* Which grants a dump is about; looked up anew for each part of it. */
struct filter {
	u32 volume_id;
	bool by_pid;
	bool ending;
	struct pid *pid;
};

static bool passes(const struct filter *filter,
		   const struct trustgate_grant *grant)
{
	if (filter->volume_id && grant->volume->id != filter->volume_id)
		return false;
	return !filter->by_pid || grant->key.pid == filter->pid;
}

static struct filter filter_of(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_dumpit_info(cb)->info.attrs;
	struct filter filter = {
		.ending = attrs[TRUSTGATE_A_GRANT_ENDING],
	};

	if (attrs[TRUSTGATE_A_GRANT_VOLUME_ID])
		filter.volume_id = nla_get_u32(attrs[TRUSTGATE_A_GRANT_VOLUME_ID]);
	if (attrs[TRUSTGATE_A_GRANT_PID]) {
		filter.by_pid = true;
		filter.pid = find_get_pid(nla_get_s32(attrs[TRUSTGATE_A_GRANT_PID]));
	}
	return filter;
}

static struct trustgate_grant *next_of(const struct filter *filter, u64 id)
{
	struct trustgate_grant *live = trustgate_grant_next(id);
	struct trustgate_grant *ended = filter->ending ?
					trustgate_ending_next(id) : NULL;

	return !live || (ended && ended->id < live->id) ? ended : live;
}

/*
 * Numbers only rise, so a dump that goes on at the next number neither
 * repeats nor skips a grant that lives through it, whatever else changes. The
 * generation tells the receiver that something did.
 *
 * cb->args[0] is the lowest id that is still to be dumped.
 */
int trustgate_nl_grant_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb)
{
	struct filter filter = filter_of(cb);
	struct trustgate_grant *grant;
	unsigned int looked_at = 0;
	void *header;

	mutex_lock(&trustgate_mutex);
	cb->seq = trustgate_grant_generation();
	while ((grant = next_of(&filter, cb->args[0]))) {
		if (passes(&filter, grant)) {
			header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					     cb->nlh->nlmsg_seq,
					     &trustgate_nl_family, NLM_F_MULTI,
					     TRUSTGATE_CMD_GRANT_GET);
			if (!header)
				break;
			genl_dump_check_consistent(cb, header);
			if (put_grant(skb, grant)) {
				genlmsg_cancel(skb, header);
				break;
			}
			genlmsg_end(skb, header);
		}
		cb->args[0] = grant->id + 1;
		if (++looked_at % DUMP_BATCH)
			continue;
		/* Who looks for few among a million is not to delay the agent. */
		mutex_unlock(&trustgate_mutex);
		cond_resched();
		mutex_lock(&trustgate_mutex);
		cb->seq = trustgate_grant_generation();
	}
	mutex_unlock(&trustgate_mutex);
	put_pid(filter.pid);
	return skb->len;
}
