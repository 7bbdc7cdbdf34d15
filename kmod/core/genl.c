// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/trustgate.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "genl.h"

#include <uapi/linux/trustgate.h>

/* Common nested types */
const struct nla_policy trustgate_grant_request_nl_policy[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS + 1] = {
	[TRUSTGATE_A_GRANT_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TRUSTGATE_A_GRANT_PID] = NLA_POLICY_MIN(NLA_S32, 0),
	[TRUSTGATE_A_GRANT_START_TICKS] = { .type = NLA_U64, },
	[TRUSTGATE_A_GRANT_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0xf),
	[TRUSTGATE_A_GRANT_OBJECT_KIND] = NLA_POLICY_MAX(NLA_U32, 1),
	[TRUSTGATE_A_GRANT_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[TRUSTGATE_A_GRANT_PATH] = { .type = NLA_NUL_STRING, .len = TRUSTGATE_PATH_MAX, },
	[TRUSTGATE_A_GRANT_ACCESS] = NLA_POLICY_MASK(NLA_U32, 0x1f),
	[TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_GRANT_MAX_USES] = { .type = NLA_U32, },
	[TRUSTGATE_A_GRANT_REASON] = NLA_POLICY_MAX(NLA_U32, 8),
	[TRUSTGATE_A_GRANT_TICKET] = { .type = NLA_NUL_STRING, .len = TRUSTGATE_TICKET_MAX, },
	[TRUSTGATE_A_GRANT_TAG] = { .type = NLA_U64, },
	[TRUSTGATE_A_GRANT_RENEWS] = { .type = NLA_U64, },
	[TRUSTGATE_A_GRANT_ON_END] = NLA_POLICY_MAX(NLA_U32, 2),
	[TRUSTGATE_A_GRANT_REQUEST] = { .type = NLA_U64, },
	[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS] = { .type = NLA_U64, },
};

/* TRUSTGATE_CMD_AGENT_BIND - do */
static const struct nla_policy trustgate_agent_bind_nl_policy[TRUSTGATE_A_AGENT_SECRET + 1] = {
	[TRUSTGATE_A_AGENT_SECRET] = NLA_POLICY_EXACT_LEN(TRUSTGATE_SECRET_LEN),
};

/* TRUSTGATE_CMD_VOLUME_ADD - do */
static const struct nla_policy trustgate_volume_add_nl_policy[TRUSTGATE_A_VOLUME_AUDIT + 1] = {
	[TRUSTGATE_A_VOLUME_NAME] = { .type = NLA_NUL_STRING, .len = TRUSTGATE_NAME_MAX, },
	[TRUSTGATE_A_VOLUME_PATH] = { .type = NLA_NUL_STRING, .len = TRUSTGATE_PATH_MAX, },
	[TRUSTGATE_A_VOLUME_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[TRUSTGATE_A_VOLUME_MAX_DURATION_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_VOLUME_ON_AGENT_LOSS] = NLA_POLICY_MAX(NLA_U32, 1),
	[TRUSTGATE_A_VOLUME_RECORD] = NLA_POLICY_MASK(NLA_U32, 0x1),
	[TRUSTGATE_A_VOLUME_METADATA] = NLA_POLICY_MAX(NLA_U32, 1),
	[TRUSTGATE_A_VOLUME_LEAST_ON_END] = NLA_POLICY_MAX(NLA_U32, 2),
	[TRUSTGATE_A_VOLUME_ASK_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_VOLUME_AUDIT] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* TRUSTGATE_CMD_VOLUME_SET - do */
static const struct nla_policy trustgate_volume_set_nl_policy[TRUSTGATE_A_VOLUME_AUDIT + 1] = {
	[TRUSTGATE_A_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TRUSTGATE_A_VOLUME_MAX_DURATION_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_VOLUME_ON_AGENT_LOSS] = NLA_POLICY_MAX(NLA_U32, 1),
	[TRUSTGATE_A_VOLUME_RECORD] = NLA_POLICY_MASK(NLA_U32, 0x1),
	[TRUSTGATE_A_VOLUME_METADATA] = NLA_POLICY_MAX(NLA_U32, 1),
	[TRUSTGATE_A_VOLUME_LOWER_DEVICES] = { .type = NLA_BINARY, },
	[TRUSTGATE_A_VOLUME_LEAST_ON_END] = NLA_POLICY_MAX(NLA_U32, 2),
	[TRUSTGATE_A_VOLUME_ASK_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_VOLUME_LOWER_NODES] = { .type = NLA_BINARY, },
	[TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS] = { .type = NLA_U64, },
	[TRUSTGATE_A_VOLUME_AUDIT] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* TRUSTGATE_CMD_VOLUME_DEL - do */
static const struct nla_policy trustgate_volume_del_nl_policy[TRUSTGATE_A_VOLUME_ID + 1] = {
	[TRUSTGATE_A_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* TRUSTGATE_CMD_VOLUME_GET - do */
static const struct nla_policy trustgate_volume_get_nl_policy[TRUSTGATE_A_VOLUME_NAME + 1] = {
	[TRUSTGATE_A_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TRUSTGATE_A_VOLUME_NAME] = { .type = NLA_NUL_STRING, .len = TRUSTGATE_NAME_MAX, },
};

/* TRUSTGATE_CMD_GRANT_ADD - do */
static const struct nla_policy trustgate_grant_add_nl_policy[TRUSTGATE_A_BATCH_GRANT + 1] = {
	[TRUSTGATE_A_BATCH_GRANT] = NLA_POLICY_NESTED(trustgate_grant_request_nl_policy),
};

/* TRUSTGATE_CMD_GRANT_DEL - do */
static const struct nla_policy trustgate_grant_del_nl_policy[TRUSTGATE_A_REVOCATION_ALL + 1] = {
	[TRUSTGATE_A_REVOCATION_ID] = { .type = NLA_U64, },
	[TRUSTGATE_A_REVOCATION_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TRUSTGATE_A_REVOCATION_PID] = NLA_POLICY_MIN(NLA_S32, 1),
	[TRUSTGATE_A_REVOCATION_ALL] = { .type = NLA_FLAG, },
};

/* TRUSTGATE_CMD_GRANT_GET - do */
static const struct nla_policy trustgate_grant_get_do_nl_policy[TRUSTGATE_A_GRANT_ID + 1] = {
	[TRUSTGATE_A_GRANT_ID] = { .type = NLA_U64, },
};

/* TRUSTGATE_CMD_GRANT_GET - dump */
static const struct nla_policy trustgate_grant_get_dump_nl_policy[TRUSTGATE_A_GRANT_ENDING + 1] = {
	[TRUSTGATE_A_GRANT_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TRUSTGATE_A_GRANT_PID] = NLA_POLICY_MIN(NLA_S32, 0),
	[TRUSTGATE_A_GRANT_ENDING] = { .type = NLA_FLAG, },
};

/* TRUSTGATE_CMD_REQUEST_GET - do */
static const struct nla_policy trustgate_request_get_do_nl_policy[TRUSTGATE_A_REQUEST_ID + 1] = {
	[TRUSTGATE_A_REQUEST_ID] = { .type = NLA_U64, },
};

/* TRUSTGATE_CMD_REQUEST_GET - dump */
static const struct nla_policy trustgate_request_get_dump_nl_policy[TRUSTGATE_A_REQUEST_VOLUME_ID + 1] = {
	[TRUSTGATE_A_REQUEST_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* TRUSTGATE_CMD_REQUEST_REFUSE - do */
static const struct nla_policy trustgate_request_refuse_nl_policy[TRUSTGATE_A_REFUSAL_ID + 1] = {
	[TRUSTGATE_A_REFUSAL_ID] = { .type = NLA_U64, },
};

/* TRUSTGATE_CMD_GRANT_SUPERVISE - do */
static const struct nla_policy trustgate_grant_supervise_nl_policy[TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS + 1] = {
	[TRUSTGATE_A_SUPERVISION_ID] = { .type = NLA_U64, },
	[TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS] = { .type = NLA_U64, },
};

/* TRUSTGATE_CMD_KEEPER_GET - dump */
static const struct nla_policy trustgate_keeper_get_nl_policy[TRUSTGATE_A_KEEPER_VOLUME_ID + 1] = {
	[TRUSTGATE_A_KEEPER_VOLUME_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Ops table for trustgate */
static const struct genl_split_ops trustgate_nl_ops[] = {
	{
		.cmd		= TRUSTGATE_CMD_GATE_GET,
		.pre_doit	= trustgate_nl_pre_read,
		.doit		= trustgate_nl_gate_get_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_AGENT_BIND,
		.pre_doit	= trustgate_nl_pre_read,
		.doit		= trustgate_nl_agent_bind_doit,
		.policy		= trustgate_agent_bind_nl_policy,
		.maxattr	= TRUSTGATE_A_AGENT_SECRET,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_AGENT_UNBIND,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_agent_unbind_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_VOLUME_ADD,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_volume_add_doit,
		.policy		= trustgate_volume_add_nl_policy,
		.maxattr	= TRUSTGATE_A_VOLUME_AUDIT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_VOLUME_SET,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_volume_set_doit,
		.policy		= trustgate_volume_set_nl_policy,
		.maxattr	= TRUSTGATE_A_VOLUME_AUDIT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_VOLUME_DEL,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_volume_del_doit,
		.policy		= trustgate_volume_del_nl_policy,
		.maxattr	= TRUSTGATE_A_VOLUME_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_VOLUME_GET,
		.pre_doit	= trustgate_nl_pre_read,
		.doit		= trustgate_nl_volume_get_doit,
		.policy		= trustgate_volume_get_nl_policy,
		.maxattr	= TRUSTGATE_A_VOLUME_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= TRUSTGATE_CMD_VOLUME_GET,
		.start	= trustgate_nl_dump_start,
		.dumpit	= trustgate_nl_volume_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= TRUSTGATE_CMD_GRANT_ADD,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_grant_add_doit,
		.policy		= trustgate_grant_add_nl_policy,
		.maxattr	= TRUSTGATE_A_BATCH_GRANT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_GRANT_DEL,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_grant_del_doit,
		.policy		= trustgate_grant_del_nl_policy,
		.maxattr	= TRUSTGATE_A_REVOCATION_ALL,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_GRANT_GET,
		.pre_doit	= trustgate_nl_pre_read,
		.doit		= trustgate_nl_grant_get_doit,
		.policy		= trustgate_grant_get_do_nl_policy,
		.maxattr	= TRUSTGATE_A_GRANT_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_GRANT_GET,
		.start		= trustgate_nl_dump_start,
		.dumpit		= trustgate_nl_grant_get_dumpit,
		.policy		= trustgate_grant_get_dump_nl_policy,
		.maxattr	= TRUSTGATE_A_GRANT_ENDING,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= TRUSTGATE_CMD_REQUEST_GET,
		.pre_doit	= trustgate_nl_pre_read,
		.doit		= trustgate_nl_request_get_doit,
		.policy		= trustgate_request_get_do_nl_policy,
		.maxattr	= TRUSTGATE_A_REQUEST_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_REQUEST_GET,
		.start		= trustgate_nl_dump_start,
		.dumpit		= trustgate_nl_request_get_dumpit,
		.policy		= trustgate_request_get_dump_nl_policy,
		.maxattr	= TRUSTGATE_A_REQUEST_VOLUME_ID,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= TRUSTGATE_CMD_REQUEST_REFUSE,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_request_refuse_doit,
		.policy		= trustgate_request_refuse_nl_policy,
		.maxattr	= TRUSTGATE_A_REFUSAL_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_GRANT_SUPERVISE,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_grant_supervise_doit,
		.policy		= trustgate_grant_supervise_nl_policy,
		.maxattr	= TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_CHANNEL_OPEN,
		.pre_doit	= trustgate_nl_pre_agent,
		.doit		= trustgate_nl_channel_open_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= TRUSTGATE_CMD_KEEPER_GET,
		.start		= trustgate_nl_dump_start,
		.dumpit		= trustgate_nl_keeper_get_dumpit,
		.policy		= trustgate_keeper_get_nl_policy,
		.maxattr	= TRUSTGATE_A_KEEPER_VOLUME_ID,
		.flags		= GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group trustgate_nl_mcgrps[] = {
	[TRUSTGATE_NLGRP_EVENTS] = { "events", },
};

struct genl_family trustgate_nl_family __ro_after_init = {
	.name		= TRUSTGATE_FAMILY_NAME,
	.version	= TRUSTGATE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= trustgate_nl_ops,
	.n_split_ops	= ARRAY_SIZE(trustgate_nl_ops),
	.mcgrps		= trustgate_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(trustgate_nl_mcgrps),
};
