/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/trustgate.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_TRUSTGATE_GEN_H
#define _LINUX_TRUSTGATE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/trustgate.h>

/* Common nested types */
extern const struct nla_policy trustgate_grant_request_nl_policy[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS + 1];

int trustgate_nl_pre_read(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_pre_agent(const struct genl_split_ops *ops,
			   struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_dump_start(struct netlink_callback *cb);

int trustgate_nl_gate_get_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_agent_bind_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_agent_unbind_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_volume_add_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_volume_set_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_volume_del_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_volume_get_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_volume_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb);
int trustgate_nl_grant_add_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_grant_del_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_grant_get_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_grant_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int trustgate_nl_request_get_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_request_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb);
int trustgate_nl_request_refuse_doit(struct sk_buff *skb,
				     struct genl_info *info);
int trustgate_nl_grant_supervise_doit(struct sk_buff *skb,
				      struct genl_info *info);
int trustgate_nl_channel_open_doit(struct sk_buff *skb, struct genl_info *info);
int trustgate_nl_keeper_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb);

enum {
	TRUSTGATE_NLGRP_EVENTS,
};

extern struct genl_family trustgate_nl_family;

#endif /* _LINUX_TRUSTGATE_GEN_H */
