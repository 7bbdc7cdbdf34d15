// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversations with the scripted kernel that several tests have, see
 * kernel_fake.h.
 */
#include <stdlib.h>

#include <linux/genetlink.h>

#include <netlink/attr.h>

#include "kernel_fake.h"

#define HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

struct trustgate_conn *fake_connect(void)
{
	struct trustgate_conn *conn = NULL;

	fake_reset();
	fake_family(FAKE_FAMILY_ID);
	if (trustgate_new(&conn) || trustgate_connect(conn))
		abort();
	trustgate_set_timeout(conn, 1);
	fake_reset();
	fake_after_request();
	return conn;
}

const struct nlattr *fake_sent_attr(int type)
{
	const struct nlmsghdr *nlh = fake_request(fake_requests() - 1);

	return nla_find((const struct nlattr *)((const char *)nlh + HEAD), nlh->nlmsg_len - HEAD,
			type);
}

uint8_t fake_sent_cmd(void)
{
	const struct nlmsghdr *nlh = fake_request(fake_requests() - 1);

	return ((const struct genlmsghdr *)NLMSG_DATA(nlh))->cmd;
}

void fake_reply_number(uint8_t cmd, int type, uint64_t number)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, type, number);
	fake_message(FAKE_FAMILY_ID, cmd, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
}

void fake_event(uint64_t seq)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, TRUSTGATE_A_EVENT_SEQ, seq);
	nla_put_u32(attrs, TRUSTGATE_A_EVENT_TYPE, TRUSTGATE_EVENT_TYPE_DENIED);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_EVENT, 0, 99, attrs);
}

void fake_grant(uint64_t id, uint16_t flags)
{
	struct nl_msg *attrs = fake_attrs();

	nla_put_u64(attrs, TRUSTGATE_A_GRANT_ID, id);
	fake_message(FAKE_FAMILY_ID, TRUSTGATE_CMD_GRANT_GET, NLM_F_MULTI | flags,
		     FAKE_SEQ_OF_REQUEST, attrs);
}

struct nl_msg *fake_ack(const char *message, uint32_t offset, uint32_t missing,
			       uint32_t nest)
{
	struct nl_msg *tlvs = fake_attrs();

	if (message)
		nla_put_string(tlvs, NLMSGERR_ATTR_MSG, message);
	if (offset)
		nla_put_u32(tlvs, NLMSGERR_ATTR_OFFS, offset);
	if (missing)
		nla_put_u32(tlvs, NLMSGERR_ATTR_MISS_TYPE, missing);
	if (nest)
		nla_put_u32(tlvs, NLMSGERR_ATTR_MISS_NEST, nest);
	return tlvs;
}

const struct trustgate_grant_request fake_grant_model = {
	.volume_id = 1, .pid = 1234, .start_ticks = 77, .flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC,
	.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE, .fd = -1, .path = "db/x",
	.access = TRUSTGATE_ACCESS_READ, .not_before_boottime_ns = 5,
	.expires_boottime_ns = 900, .max_uses = 3, .reason = TRUSTGATE_REASON_INCIDENT,
	.ticket = "SR-4711", .tag = 9,
	.renews = 11, .on_end = TRUSTGATE_ON_END_KILL,
};

void fake_grant_requests(struct trustgate_grant_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		requests[i] = fake_grant_model;
}
