// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the netlink family; see netlink.h.
 */

#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <net/net_namespace.h>

#include "agent.h"
#include "event.h"
#include "netlink.h"
#include "volume.h"

/* More than any set of this family has. */
#define TYPES_MAX	64

/*
 * An event's attributes together: 9 numbers of 64 bits, 14 of 32, a flag,
 * strings of at most 64 (volume), 16 (comm), 32 (hook) and 192 bytes (path).
 */
#define EVENT_SIZE	(9 * (NLA_HDRLEN + 12) + 14 * (NLA_HDRLEN + 4) +	\
			 NLA_HDRLEN + 4 * (NLA_HDRLEN + 4) +			\
			 64 + 16 + 32 + 192)

/*
 * Room for one of whatever is dumped, else a dump would end there. A request
 * with the longest path is the largest; netlink begins with less than a page.
 */
#define DUMP_ALLOC	(2 * (TRUSTGATE_PATH_MAX + 1))

/*
 * The generator knows no flags for groups. Whom events go to is a matter of
 * capability: they name tenants' files.
 */
static const struct genl_multicast_group groups[] = {
	[TRUSTGATE_NLGRP_EVENTS] = {
		.name = "events",
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

static_assert(TRUSTGATE_A_VOLUME_MAX < TYPES_MAX);
static_assert(TRUSTGATE_A_GRANT_MAX < TYPES_MAX);

int trustgate_attr_once(const struct nlattr *head, int length, int multi,
			struct netlink_ext_ack *extack)
{
	DECLARE_BITMAP(seen, TYPES_MAX) = {};
	const struct nlattr *attr;
	int rem;

	nla_for_each_attr(attr, head, length, rem) {
		/* An unknown attribute was refused by the policy. */
		if (nla_type(attr) >= TYPES_MAX || nla_type(attr) == multi)
			continue;
		if (test_and_set_bit(nla_type(attr), seen)) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "attribute given twice");
			return -EINVAL;
		}
	}
	return 0;
}

int trustgate_attr_missing(const struct genl_info *info,
			   const struct nlattr *nest, u32 type,
			   const char *name)
{
	NL_SET_ERR_ATTR_MISS(info->extack, nest, type);
	NL_SET_ERR_MSG_FMT(info->extack, "attribute '%s' is missing", name);
	return -EINVAL;
}

static int authorise(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_MAC_ADMIN))
		return 0;
	NL_SET_ERR_MSG(extack,
		       "CAP_MAC_ADMIN in the initial user namespace is needed");
	return -EPERM;
}

static int multi_attribute(const struct genl_split_ops *ops)
{
	switch (ops->cmd) {
	case TRUSTGATE_CMD_GRANT_ADD:
		return TRUSTGATE_A_BATCH_GRANT;
	case TRUSTGATE_CMD_GRANT_DEL:
		return TRUSTGATE_A_REVOCATION_ID;
	case TRUSTGATE_CMD_REQUEST_REFUSE:
		return TRUSTGATE_A_REFUSAL_ID;
	default:
		return 0;
	}
}

/*
 * What the kernel's own check of attributes leaves to us: repeated ones, and
 * any at all in a request without a policy, which it does not look at.
 */
static int check_attributes(const struct genlmsghdr *header,
			    const struct nla_policy *policy, int multi,
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *first = genlmsg_data(header);
	int length = genlmsg_len(header);

	if (!policy && length) {
		NL_SET_ERR_MSG_ATTR(extack, first,
				    "Unknown attribute type");
		return -EINVAL;
	}
	return trustgate_attr_once(first, length, multi, extack);
}

int trustgate_nl_pre_read(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info)
{
	int err;

	err = authorise(skb, info->extack);
	if (err)
		return err;
	return check_attributes(info->genlhdr, ops->policy,
				multi_attribute(ops), info->extack);
}

int trustgate_nl_pre_agent(const struct genl_split_ops *ops,
			   struct sk_buff *skb, struct genl_info *info)
{
	int err;

	err = trustgate_nl_pre_read(ops, skb, info);
	if (err)
		return err;
	if (!trustgate_agent_sent(skb)) {
		NL_SET_ERR_MSG_FMT(info->extack, "%s",
				   trustgate_agent_portid() ?
				   "only the bound agent may do this; ask it" :
				   "no agent is bound; start trusteed");
		return -EPERM;
	}
	return 0;
}

int trustgate_nl_dump_start(struct netlink_callback *cb)
{
	int err;

	err = authorise(cb->skb, cb->extack);
	if (err)
		return err;
	cb->min_dump_alloc = DUMP_ALLOC;
	return check_attributes(nlmsg_data(cb->nlh),
				genl_dumpit_info(cb)->op.policy, 0, cb->extack);
}

int trustgate_reply_begin(struct trustgate_reply *reply,
			  const struct genl_info *info, size_t size)
{
	reply->skb = genlmsg_new(size, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->header = genlmsg_put(reply->skb, info->snd_portid,
				    info->snd_seq, &trustgate_nl_family, 0,
				    info->genlhdr->cmd);
	if (!reply->header) {
		nlmsg_free(reply->skb);
		return -ENOMEM;
	}
	return 0;
}

int trustgate_reply_end(struct trustgate_reply *reply, struct genl_info *info,
			int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->header);
	return genlmsg_reply(reply->skb, info);
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, TRUSTGATE_A_EVENT_PAD);
}

static int put_process(struct sk_buff *skb, const struct trustgate_event *event)
{
	if (!event->pid)
		return 0;
	return nla_put_s32(skb, TRUSTGATE_A_EVENT_PID, event->pid) ?:
	       nla_put_s32(skb, TRUSTGATE_A_EVENT_TID, event->tid) ?:
	       nla_put_u32(skb, TRUSTGATE_A_EVENT_UID, event->uid) ?:
	       nla_put_u32(skb, TRUSTGATE_A_EVENT_LOGINUID, event->loginuid) ?:
	       nla_put_string(skb, TRUSTGATE_A_EVENT_COMM, event->comm) ?:
	       (event->target_pid ?
		nla_put_s32(skb, TRUSTGATE_A_EVENT_TARGET_PID,
			    event->target_pid) : 0) ?:
	       (event->mappings ?
		nla_put_u32(skb, TRUSTGATE_A_EVENT_MAPPINGS,
			    event->mappings) : 0);
}

static int put_object(struct sk_buff *skb, const struct trustgate_event *event)
{
	int err = 0;

	if (event->volume_id)
		err = nla_put_u32(skb, TRUSTGATE_A_EVENT_VOLUME_ID,
				  event->volume_id) ?:
		      nla_put_string(skb, TRUSTGATE_A_EVENT_VOLUME_NAME,
				     event->volume_name);
	if (!err && event->ino)
		err = put_u64(skb, TRUSTGATE_A_EVENT_INO, event->ino) ?:
		      nla_put_u32(skb, TRUSTGATE_A_EVENT_INODE_GENERATION,
				  event->generation);
	if (!err && event->path[0])
		err = nla_put_string(skb, TRUSTGATE_A_EVENT_PATH, event->path);
	if (!err && event->path_cut)
		err = nla_put_flag(skb, TRUSTGATE_A_EVENT_PATH_CUT);
	return err;
}

static int put_verdict(struct sk_buff *skb, const struct trustgate_event *event)
{
	int err = 0;

	if (event->access)
		err = nla_put_u32(skb, TRUSTGATE_A_EVENT_ACCESS, event->access);
	if (!err && event->hook)
		err = nla_put_string(skb, TRUSTGATE_A_EVENT_HOOK,
				     event->hook) ?:
		      nla_put_u32(skb, TRUSTGATE_A_EVENT_CAUSE, event->cause);
	if (!err && event->grant_id)
		err = put_u64(skb, TRUSTGATE_A_EVENT_GRANT_ID,
			      event->grant_id) ?:
		      put_u64(skb, TRUSTGATE_A_EVENT_TAG, event->tag);
	if (!err && event->end != TRUSTGATE_END_NONE)
		err = nla_put_u32(skb, TRUSTGATE_A_EVENT_END, event->end);
	if (!err && event->expires_boottime_ns)
		err = put_u64(skb, TRUSTGATE_A_EVENT_EXPIRES_BOOTTIME_NS,
			      event->expires_boottime_ns);
	return err;
}

static int put_request(struct sk_buff *skb, const struct trustgate_event *event)
{
	if (!event->request_id)
		return 0;
	return put_u64(skb, TRUSTGATE_A_EVENT_REQUEST_ID, event->request_id) ?:
	       nla_put_u32(skb, TRUSTGATE_A_EVENT_REQUEST_END,
			   event->request_end);
}

static struct sk_buff *event_message(const struct trustgate_event *event)
{
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(EVENT_SIZE, GFP_KERNEL);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, 0, 0, &trustgate_nl_family, 0,
			     TRUSTGATE_CMD_EVENT);
	if (!header ||
	    put_u64(skb, TRUSTGATE_A_EVENT_SEQ, event->seq) ||
	    nla_put_u32(skb, TRUSTGATE_A_EVENT_TYPE, event->type) ||
	    put_u64(skb, TRUSTGATE_A_EVENT_TIME_BOOTTIME_NS,
		    event->time_boottime_ns) ||
	    put_u64(skb, TRUSTGATE_A_EVENT_DROPPED, event->dropped) ||
	    put_verdict(skb, event) || put_object(skb, event) ||
	    put_process(skb, event) || put_request(skb, event)) {
		WARN_ON_ONCE(1);
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, header);
	return skb;
}

void trustgate_netlink_publish(const struct trustgate_event *event)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&trustgate_nl_family, &init_net,
				TRUSTGATE_NLGRP_EVENTS))
		return;
	skb = event_message(event);
	if (skb)
		genlmsg_multicast(&trustgate_nl_family, skb, 0,
				  TRUSTGATE_NLGRP_EVENTS, GFP_KERNEL);
}

int trustgate_netlink_tell(u32 portid, const struct trustgate_event *event)
{
	struct sk_buff *skb = event_message(event);

	return skb ? genlmsg_unicast(&init_net, skb, portid) : -ENOMEM;
}

int trustgate_netlink_init(void)
{
	/* What the generator cannot say; the family becomes read-only later. */
	trustgate_nl_family.netnsok = false;
	trustgate_nl_family.mcgrps = groups;
	static_assert(ARRAY_SIZE(groups) == TRUSTGATE_NLGRP_EVENTS + 1);
	return genl_register_family(&trustgate_nl_family);
}

void trustgate_netlink_exit(void)
{
	genl_unregister_family(&trustgate_nl_family);
}
