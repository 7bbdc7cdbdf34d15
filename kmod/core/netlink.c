// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the netlink family; see netlink.h.
 */

#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <net/net_namespace.h>

#include "agent.h"
#include "event.h"
#include "netlink.h"
#include "volume.h"

/* More than any set of this family has. */
#define TYPES_MAX	64

/* An event's attributes but for strings: 8 of 64 bits, 13 of 32, and a flag. */
#define EVENT_NUMBERS_SIZE						\
	(8 * nla_total_size_64bit(sizeof(u64)) +			\
	 13 * nla_total_size(sizeof(u32)) + nla_total_size(0))

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

/*
 * Set before the first watcher is known, and for good: groups are not left as often
 * as they are joined, so that watchers cannot be counted.
 */
static bool ever_watched __read_mostly;

static int join_group(int group)
{
	WRITE_ONCE(ever_watched, true);
	return 0;
}

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
	case TRUSTGATE_CMD_GRANT_SUPERVISE:
		return TRUSTGATE_A_SUPERVISION_ID;
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

/*
 * An event has up to two dozen attributes, and somebody may wait for what the
 * agent will say to it. What each takes is known, so that room for all is made
 * once, and they are written one behind the other.
 */
struct writer {
	void *next;
};

static void *add(struct writer *writer, int type, size_t length)
{
	struct nlattr *attr = writer->next;

	writer->next += nla_total_size(length);
	attr->nla_type = type;
	attr->nla_len = nla_attr_size(length);
	return nla_data(attr);
}

static void add_u32(struct writer *writer, int type, u32 value)
{
	put_unaligned(value, (u32 *)add(writer, type, sizeof(value)));
}

static void add_u64(struct writer *writer, int type, u64 value)
{
	/* As nla_align_64bit() does. */
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	    IS_ALIGNED((unsigned long)writer->next, 8))
		add(writer, TRUSTGATE_A_EVENT_PAD, 0);
	put_unaligned(value, (u64 *)add(writer, type, sizeof(value)));
}

static void add_string(struct writer *writer, int type, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = add(writer, type, size);

	memcpy(copy, text, size);
	memset(copy + size, 0, nla_padlen(size));
}

static void add_process(struct writer *writer,
			const struct trustgate_event *event)
{
	if (!event->pid)
		return;
	add_u32(writer, TRUSTGATE_A_EVENT_PID, event->pid);
	add_u32(writer, TRUSTGATE_A_EVENT_TID, event->tid);
	add_u32(writer, TRUSTGATE_A_EVENT_UID, event->uid);
	add_u32(writer, TRUSTGATE_A_EVENT_LOGINUID, event->loginuid);
	add_string(writer, TRUSTGATE_A_EVENT_COMM, event->comm);
	if (event->target_pid)
		add_u32(writer, TRUSTGATE_A_EVENT_TARGET_PID,
			event->target_pid);
	if (event->mappings)
		add_u32(writer, TRUSTGATE_A_EVENT_MAPPINGS, event->mappings);
}

static void add_object(struct writer *writer,
		       const struct trustgate_event *event)
{
	if (event->volume_id) {
		add_u32(writer, TRUSTGATE_A_EVENT_VOLUME_ID, event->volume_id);
		add_string(writer, TRUSTGATE_A_EVENT_VOLUME_NAME,
			   event->volume_name);
	}
	if (event->ino) {
		add_u64(writer, TRUSTGATE_A_EVENT_INO, event->ino);
		add_u32(writer, TRUSTGATE_A_EVENT_INODE_GENERATION,
			event->generation);
	}
	if (event->path[0])
		add_string(writer, TRUSTGATE_A_EVENT_PATH, event->path);
	if (event->path_cut)
		add(writer, TRUSTGATE_A_EVENT_PATH_CUT, 0);
}

static void add_verdict(struct writer *writer,
			const struct trustgate_event *event)
{
	if (event->access)
		add_u32(writer, TRUSTGATE_A_EVENT_ACCESS, event->access);
	if (event->hook) {
		add_string(writer, TRUSTGATE_A_EVENT_HOOK, event->hook);
		add_u32(writer, TRUSTGATE_A_EVENT_CAUSE, event->cause);
	}
	if (event->grant_id) {
		add_u64(writer, TRUSTGATE_A_EVENT_GRANT_ID, event->grant_id);
		add_u64(writer, TRUSTGATE_A_EVENT_TAG, event->tag);
	}
	if (event->end != TRUSTGATE_END_NONE)
		add_u32(writer, TRUSTGATE_A_EVENT_END, event->end);
	if (event->expires_boottime_ns)
		add_u64(writer, TRUSTGATE_A_EVENT_EXPIRES_BOOTTIME_NS,
			event->expires_boottime_ns);
}

static void add_request(struct writer *writer,
			const struct trustgate_event *event)
{
	if (!event->request_id)
		return;
	add_u64(writer, TRUSTGATE_A_EVENT_REQUEST_ID, event->request_id);
	add_u32(writer, TRUSTGATE_A_EVENT_REQUEST_END, event->request_end);
}

/* Room for all of these attributes. */
static size_t event_size(const struct trustgate_event *event)
{
	return EVENT_NUMBERS_SIZE +
	       nla_total_size(strlen(event->volume_name) + 1) +
	       nla_total_size(strlen(event->comm) + 1) +
	       nla_total_size(strlen(event->path) + 1) +
	       nla_total_size(event->hook ? strlen(event->hook) + 1 : 0);
}

static struct sk_buff *event_message(const struct trustgate_event *event,
				     gfp_t gfp)
{
	const size_t size = event_size(event);
	struct writer writer;
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(size, gfp);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, 0, 0, &trustgate_nl_family, 0,
			     TRUSTGATE_CMD_EVENT);
	if (WARN_ON_ONCE(!header || skb_tailroom(skb) < size)) {
		nlmsg_free(skb);
		return NULL;
	}
	writer.next = skb_tail_pointer(skb);
	add_u64(&writer, TRUSTGATE_A_EVENT_SEQ, event->seq);
	add_u32(&writer, TRUSTGATE_A_EVENT_TYPE, event->type);
	add_u64(&writer, TRUSTGATE_A_EVENT_TIME_BOOTTIME_NS,
		event->time_boottime_ns);
	add_u64(&writer, TRUSTGATE_A_EVENT_DROPPED, event->dropped);
	add_verdict(&writer, event);
	add_object(&writer, event);
	add_process(&writer, event);
	add_request(&writer, event);
	skb_put(skb, writer.next - (void *)skb_tail_pointer(skb));
	genlmsg_end(skb, header);
	return skb;
}

bool trustgate_netlink_watched(void)
{
	return READ_ONCE(ever_watched) &&
	       genl_has_listeners(&trustgate_nl_family, &init_net,
				  TRUSTGATE_NLGRP_EVENTS);
}

void trustgate_netlink_publish(const struct trustgate_event *event)
{
	struct sk_buff *skb;

	if (!trustgate_netlink_watched())
		return;
	skb = event_message(event, GFP_KERNEL);
	if (skb)
		genlmsg_multicast(&trustgate_nl_family, skb, 0,
				  TRUSTGATE_NLGRP_EVENTS, GFP_KERNEL);
}

int trustgate_netlink_tell(u32 portid, const struct trustgate_event *event,
			   gfp_t gfp)
{
	struct sk_buff *skb = event_message(event, gfp);

	return skb ? genlmsg_unicast(&init_net, skb, portid) : -ENOMEM;
}

int trustgate_netlink_init(void)
{
	/* What the generator cannot say; the family becomes read-only later. */
	trustgate_nl_family.netnsok = false;
	trustgate_nl_family.mcgrps = groups;
	trustgate_nl_family.bind = join_group;
	static_assert(ARRAY_SIZE(groups) == TRUSTGATE_NLGRP_EVENTS + 1);
	return genl_register_family(&trustgate_nl_family);
}

void trustgate_netlink_exit(void)
{
	genl_unregister_family(&trustgate_nl_family);
}
