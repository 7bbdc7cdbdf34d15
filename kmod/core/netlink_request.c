// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - messages about opens that wait for an answer.
 *
 * Owns: what is told of a request, refusing it, and opening the channel. A grant
 * that is the answer comes in by netlink_grant.c.
 *
 * Must not own: the table of requests.
 */

#include <linux/cleanup.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/math64.h>
#include <linux/pid.h>

#include "agent.h"
#include "channel.h"
#include "netlink.h"
#include "request.h"
#include "volume.h"

/* 7 numbers of 64 bits, 10 of 32, a command's name, and a path. */
#define REQUEST_SIZE	(7 * (NLA_HDRLEN + 12) + 10 * (NLA_HDRLEN + 4) +	\
			 2 * NLA_HDRLEN + TASK_COMM_LEN +			\
			 TRUSTGATE_PATH_MAX + 1 + 4)

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, TRUSTGATE_A_REQUEST_PAD);
}

static int put_process(struct sk_buff *skb,
		       const struct trustgate_request *request)
{
	return nla_put_s32(skb, TRUSTGATE_A_REQUEST_PID,
			   pid_vnr(request->key.pid)) ?:
	       nla_put_s32(skb, TRUSTGATE_A_REQUEST_TID, request->tid) ?:
	       put_u64(skb, TRUSTGATE_A_REQUEST_START_TICKS,
		       div_u64(request->start_ns, NSEC_PER_SEC / USER_HZ)) ?:
	       put_u64(skb, TRUSTGATE_A_REQUEST_EXEC_ID,
		       request->key.exec_id) ?:
	       nla_put_u32(skb, TRUSTGATE_A_REQUEST_UID, request->uid) ?:
	       nla_put_u32(skb, TRUSTGATE_A_REQUEST_LOGINUID,
			   request->loginuid) ?:
	       nla_put_string(skb, TRUSTGATE_A_REQUEST_COMM, request->comm);
}

static int put_request(struct sk_buff *skb,
		       const struct trustgate_request *request)
{
	int err;

	err = put_u64(skb, TRUSTGATE_A_REQUEST_ID, request->id) ?:
	      nla_put_u32(skb, TRUSTGATE_A_REQUEST_VOLUME_ID,
			  request->key.volume_id) ?:
	      put_process(skb, request) ?:
	      nla_put_u32(skb, TRUSTGATE_A_REQUEST_ACCESS,
			  request->key.access) ?:
	      nla_put_u32(skb, TRUSTGATE_A_REQUEST_CAUSE, request->cause) ?:
	      put_u64(skb, TRUSTGATE_A_REQUEST_INO, request->key.ino) ?:
	      nla_put_u32(skb, TRUSTGATE_A_REQUEST_INODE_GENERATION,
			  request->key.generation) ?:
	      put_u64(skb, TRUSTGATE_A_REQUEST_RAISED_BOOTTIME_NS,
		      request->raised_ns) ?:
	      put_u64(skb, TRUSTGATE_A_REQUEST_DEADLINE_BOOTTIME_NS,
		      request->deadline_ns) ?:
	      nla_put_u32(skb, TRUSTGATE_A_REQUEST_WAITING,
			  READ_ONCE(request->waiting));
	if (!err && request->path)
		err = nla_put_string(skb, TRUSTGATE_A_REQUEST_PATH,
				     request->path);
	return err;
}

int trustgate_nl_request_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *id = info->attrs[TRUSTGATE_A_REQUEST_ID];
	struct trustgate_request *request;
	struct trustgate_reply reply;
	int err;

	if (!id)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_REQUEST_ID, "id");
	err = trustgate_reply_begin(&reply, info, REQUEST_SIZE);
	if (err)
		return err;
	request = trustgate_request_get(nla_get_u64(id));
	if (request) {
		err = put_request(reply.skb, request);
		trustgate_request_put(request);
	} else {
		NL_SET_ERR_MSG_ATTR(info->extack, id,
				    "no open request has this id");
		err = -ENOENT;
	}
	return trustgate_reply_end(&reply, info, err);
}

/* False if there is no room left in the message. */
static bool dump_request(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct trustgate_request *request)
{
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &trustgate_nl_family,
			     NLM_F_MULTI, TRUSTGATE_CMD_REQUEST_GET);
	if (!header)
		return false;
	genl_dump_check_consistent(cb, header);
	if (put_request(skb, request)) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

/*
 * As with grants, numbers only rise. cb->args[0] is the lowest id that is still
 * to be dumped.
 */
int trustgate_nl_request_get_dumpit(struct sk_buff *skb,
				    struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_dumpit_info(cb)->info.attrs;
	struct nlattr *volume_id = attrs[TRUSTGATE_A_REQUEST_VOLUME_ID];
	struct trustgate_request *request;
	bool room = true;

	cb->seq = trustgate_request_generation();
	while (room && (request = trustgate_request_next(cb->args[0]))) {
		if (!volume_id ||
		    nla_get_u32(volume_id) == request->key.volume_id)
			room = dump_request(skb, cb, request);
		if (room)
			cb->args[0] = request->id + 1;
		trustgate_request_put(request);
		cb->seq = trustgate_request_generation();
		cond_resched();
	}
	return skb->len;
}

int trustgate_nl_request_refuse_doit(struct sk_buff *skb,
				     struct genl_info *info)
{
	struct trustgate_reply reply;
	const struct nlattr *attr;
	unsigned int count = 0;
	u64 refused = 0;
	int rem, err;

	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_REFUSAL_ID, info->nlhdr,
				 GENL_HDRLEN, rem) {
		if (++count > TRUSTGATE_BATCH_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "too many ids in one request");
			return -E2BIG;
		}
	}
	if (!count)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_REFUSAL_ID, "id");
	err = trustgate_reply_begin(&reply, info, NLA_HDRLEN + 12);
	if (err)
		return err;
	scoped_guard(mutex, &trustgate_mutex) {
		/* Who was authorised may have been unbound since. */
		if (!trustgate_agent_sent(skb)) {
			err = -EPERM;
			break;
		}
		nlmsg_for_each_attr_type(attr, TRUSTGATE_A_REFUSAL_ID,
					 info->nlhdr, GENL_HDRLEN, rem)
			refused += trustgate_request_answer_by_id(nla_get_u64(attr),
					TRUSTGATE_REQUEST_END_REFUSED, NULL);
	}
	if (!err)
		err = nla_put_u64_64bit(reply.skb, TRUSTGATE_A_REFUSAL_REFUSED,
					refused, TRUSTGATE_A_REFUSAL_PAD);
	return trustgate_reply_end(&reply, info, err);
}

static struct file *make_channel(const struct sk_buff *skb,
				 struct netlink_ext_ack *extack)
{
	guard(mutex)(&trustgate_mutex);
	/* Who was authorised may have been unbound since. */
	if (!trustgate_agent_sent(skb))
		return ERR_PTR(-EPERM);
	if (!trustgate_agent_is(current)) {
		NL_SET_ERR_MSG(extack,
			       "only the process that bound the socket can open a channel; bind it in this one");
		return ERR_PTR(-EPERM);
	}
	return trustgate_channel_make();
}

int trustgate_nl_channel_open_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct trustgate_reply reply;
	struct file *file = NULL;
	int fd, err;

	err = trustgate_reply_begin(&reply, info, nla_total_size(sizeof(s32)));
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd < 0 ? fd : nla_put_s32(reply.skb, TRUSTGATE_A_CHANNEL_FD, fd);
	if (!err) {
		file = make_channel(skb, info->extack);
		err = PTR_ERR_OR_ZERO(file);
	}
	err = trustgate_reply_end(&reply, info, err);
	/* Nobody has the number before this returns who could not wait for it. */
	if (!err) {
		fd_install(fd, file);
		return 0;
	}
	if (!IS_ERR_OR_NULL(file))
		fput(file);
	if (fd >= 0)
		put_unused_fd(fd);
	return err;
}
