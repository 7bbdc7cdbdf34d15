// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - requests that give grants and end them.
 *
 * Owns: their parsing, the all-or-nothing of a batch, and their answers.
 *
 * Must not own: the table of grants; who is a valid subject or object; what is
 * told of grants (netlink_listing.c).
 */

#include <linux/cleanup.h>
#include <linux/math64.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "agent.h"
#include "gate.h"
#include "grant.h"
#include "identity.h"
#include "netlink.h"
#include "request.h"
#include "terms.h"

/* In a reply to grant-add: 4 numbers of 64 bits, 3 of 32, and the nest. */
#define ADDED_SIZE	(4 * (NLA_HDRLEN + 12) + 3 * (NLA_HDRLEN + 4) +	\
			 NLA_HDRLEN)

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, TRUSTGATE_A_GRANT_PAD);
}

/* Attributes of one grant in a batch, and the request that it answers. */
struct grant_request {
	const struct genl_info *info;
	const struct nlattr *nest;
	struct nlattr *attrs[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS + 1];
	struct trustgate_request *answers;
};

static int missing(const struct grant_request *request, u32 type, const char *name)
{
	return trustgate_attr_missing(request->info, request->nest, type, name);
}

static int parse_numbers(const struct grant_request *request,
			 struct trustgate_terms *terms)
{
	struct nlattr * const *attrs = request->attrs;

	if (attrs[TRUSTGATE_A_GRANT_ACCESS])
		terms->access = nla_get_u32(attrs[TRUSTGATE_A_GRANT_ACCESS]);
	else if (request->answers)
		terms->access = request->answers->key.access;
	else
		return missing(request, TRUSTGATE_A_GRANT_ACCESS, "access");
	if (!attrs[TRUSTGATE_A_GRANT_REASON])
		return missing(request, TRUSTGATE_A_GRANT_REASON, "reason");
	terms->reason = nla_get_u32(attrs[TRUSTGATE_A_GRANT_REASON]);
	if (attrs[TRUSTGATE_A_GRANT_OBJECT_KIND])
		terms->kind = nla_get_u32(attrs[TRUSTGATE_A_GRANT_OBJECT_KIND]);
	else if (request->answers)
		terms->kind = TRUSTGATE_OBJECT_KIND_FILE;
	else
		return missing(request, TRUSTGATE_A_GRANT_OBJECT_KIND,
			       "object-kind");
	if (attrs[TRUSTGATE_A_GRANT_FLAGS])
		terms->flags = nla_get_u32(attrs[TRUSTGATE_A_GRANT_FLAGS]);
	if (attrs[TRUSTGATE_A_GRANT_MAX_USES])
		terms->max_uses = nla_get_u32(attrs[TRUSTGATE_A_GRANT_MAX_USES]);
	if (attrs[TRUSTGATE_A_GRANT_TAG])
		terms->tag = nla_get_u64(attrs[TRUSTGATE_A_GRANT_TAG]);
	if (attrs[TRUSTGATE_A_GRANT_TICKET])
		terms->ticket = nla_data(attrs[TRUSTGATE_A_GRANT_TICKET]);
	terms->on_end = attrs[TRUSTGATE_A_GRANT_ON_END] ?
			nla_get_u32(attrs[TRUSTGATE_A_GRANT_ON_END]) :
			terms->volume->settings.least_on_end;
	return 0;
}

static int parse_times(const struct grant_request *request,
		       struct trustgate_terms *terms)
{
	struct nlattr * const *attrs = request->attrs;

	if (!attrs[TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS])
		return missing(request, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS,
			       "expires-boottime-ns");
	terms->expires_ns =
		nla_get_u64(attrs[TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS]);
	if (attrs[TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS])
		terms->not_before_ns =
			nla_get_u64(attrs[TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS]);
	if (attrs[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS])
		terms->supervised_until_ns =
			nla_get_u64(attrs[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS]);
	return 0;
}

static int parse_answers(struct grant_request *request)
{
	struct nlattr *id = request->attrs[TRUSTGATE_A_GRANT_REQUEST];

	if (!id)
		return 0;
	request->answers = trustgate_request_get(nla_get_u64(id));
	if (!request->answers) {
		NL_SET_ERR_MSG_ATTR(request->info->extack, id,
				    "no open request has this id; it is answered, timed out, or withdrawn");
		return -ENOENT;
	}
	return 0;
}

static int parse_volume(const struct grant_request *request,
			struct trustgate_terms *terms)
{
	struct nlattr *id = request->attrs[TRUSTGATE_A_GRANT_VOLUME_ID];
	u32 volume_id;

	if (id) {
		volume_id = nla_get_u32(id);
	} else if (request->answers) {
		id = request->attrs[TRUSTGATE_A_GRANT_REQUEST];
		volume_id = request->answers->key.volume_id;
	} else {
		return missing(request, TRUSTGATE_A_GRANT_VOLUME_ID,
			       "volume-id");
	}
	return trustgate_terms_take_volume(terms, volume_id, id,
					   request->info->extack);
}

static int parse_object(const struct grant_request *request,
			struct trustgate_terms *terms)
{
	struct nlattr *path = request->attrs[TRUSTGATE_A_GRANT_PATH];
	struct nlattr *fd = request->attrs[TRUSTGATE_A_GRANT_FD];

	if (path && fd) {
		NL_SET_ERR_MSG_ATTR(request->info->extack, fd,
				    "give either path or fd, not both");
		return -EINVAL;
	}
	if (!path && !fd && request->answers &&
	    terms->kind == TRUSTGATE_OBJECT_KIND_FILE &&
	    terms->volume->id == request->answers->key.volume_id) {
		terms->ino = request->answers->key.ino;
		terms->subvolume = request->answers->key.subvolume;
		terms->generation = request->answers->key.generation;
		return 0;
	}
	if (!path && !fd)
		return missing(request, TRUSTGATE_A_GRANT_PATH, "path");
	return trustgate_object_resolve(terms, fd, path,
					request->info->extack);
}

static int parse_subject(const struct grant_request *request,
			 struct trustgate_terms *terms)
{
	struct nlattr *pid = request->attrs[TRUSTGATE_A_GRANT_PID];
	int err;

	if (!pid && request->answers) {
		err = trustgate_subject_asked(terms, request->answers,
					      request->attrs[TRUSTGATE_A_GRANT_REQUEST],
					      request->info->extack);
		/* It is put as one that was resolved. */
		get_pid(terms->pid);
		return err;
	}
	if (!pid)
		return missing(request, TRUSTGATE_A_GRANT_PID, "pid");
	return trustgate_subject_resolve(terms, pid,
					 request->attrs[TRUSTGATE_A_GRANT_START_TICKS],
					 request->info->extack);
}

/*
 * A grant is renewed by a new one. Without this, what the subject forked before
 * the renewal would lose its access with the old grant; and the agent, which has
 * looked at the subject before, could give the new one to another program.
 */
static int parse_renewal(const struct grant_request *request,
			 struct trustgate_terms *terms)
{
	struct nlattr *renews = request->attrs[TRUSTGATE_A_GRANT_RENEWS];
	struct netlink_ext_ack *extack = request->info->extack;
	const struct trustgate_grant *old;

	if (!renews)
		return 0;
	old = trustgate_grant_by_id(nla_get_u64(renews));
	if (!old) {
		NL_SET_ERR_MSG_ATTR(extack, renews,
				    "no live grant has this id");
		return -ENOENT;
	}
	if (old->subject->pid != terms->pid || old->volume != terms->volume) {
		NL_SET_ERR_MSG_ATTR(extack, renews,
				    "only a grant for the same subject on the same volume can be renewed");
		return -EINVAL;
	}
	/* Else this one would be for those that were forked before it. */
	if (terms->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS &&
	    !(old->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS)) {
		NL_SET_ERR_MSG_ATTR(extack, renews,
				    "that grant is not for descendants");
		return -EINVAL;
	}
	/* What was forked from the former program is not this one's. */
	if (old->exec_id != terms->exec_id &&
	    !(old->flags & terms->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC)) {
		NL_SET_ERR_MSG_ATTR(extack, renews,
				    "the subject has executed another program since that grant");
		return -EINVAL;
	}
	terms->since_ns = old->since_ns;
	return 0;
}

/*
 * From one nested attribute to a grant that nobody sees yet. @answers is set to
 * the number of the request that it answers, or 0.
 */
static struct trustgate_grant *prepare(const struct genl_info *info,
				       const struct nlattr *nest, u64 *answers)
{
	struct grant_request request = { .info = info, .nest = nest };
	struct trustgate_terms terms = {};
	struct trustgate_grant *grant;
	int err;

	err = nla_parse_nested(request.attrs,
			       TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS,
			       nest, trustgate_grant_request_nl_policy,
			       info->extack) ?:
	      trustgate_attr_once(nla_data(nest), nla_len(nest), 0,
				  info->extack) ?:
	      parse_answers(&request) ?:
	      parse_volume(&request, &terms) ?:
	      parse_numbers(&request, &terms) ?:
	      parse_times(&request, &terms) ?:
	      trustgate_terms_check(&terms, ktime_get_boottime_ns(),
				    request.attrs, info->extack) ?:
	      parse_object(&request, &terms) ?:
	      parse_subject(&request, &terms) ?:
	      parse_renewal(&request, &terms);
	grant = err ? ERR_PTR(err) : trustgate_grant_prepare(&terms);
	put_pid(terms.pid);
	*answers = 0;
	if (request.answers) {
		*answers = request.answers->id;
		trustgate_request_put(request.answers);
	}
	if (grant == ERR_PTR(-ENOSPC))
		trustgate_terms_no_room(nest, info->extack);
	return grant;
}

static int put_added(struct sk_buff *skb, const struct trustgate_grant *grant)
{
	struct nlattr *nest = nla_nest_start(skb, TRUSTGATE_A_BATCH_ADDED);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = put_u64(skb, TRUSTGATE_A_GRANT_ID, grant->id) ?:
	      nla_put_s32(skb, TRUSTGATE_A_GRANT_PID,
			  pid_vnr(grant->subject->pid)) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_START_TICKS,
		      div_u64(grant->start_ns, NSEC_PER_SEC / USER_HZ)) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_EXEC_ID, grant->exec_id) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_OBJECT_KIND,
			  grant->key.kind) ?:
	      put_u64(skb, TRUSTGATE_A_GRANT_INO, grant->key.ino) ?:
	      nla_put_u32(skb, TRUSTGATE_A_GRANT_INODE_GENERATION,
			  grant->key.generation);
	if (!err)
		nla_nest_end(skb, nest);
	return err;
}

/* A grant of a message, and the request that it answers, or 0. */
struct batch_entry {
	struct trustgate_grant *grant;
	u64 answers;
};

/* Grants of one message, in its order. */
struct batch {
	unsigned int count;
	unsigned int room;
	struct batch_entry entries[] __counted_by(room);
};

/* Made to measure: an answer to one request is kept waiting for nothing. */
static struct batch *make_batch(const struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int room = 0;
	struct batch *batch;
	int rem;

	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_BATCH_GRANT, info->nlhdr,
				 GENL_HDRLEN, rem) {
		if (room++ == TRUSTGATE_BATCH_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "too many grants in one request");
			return ERR_PTR(-E2BIG);
		}
	}
	if (!room)
		return ERR_PTR(trustgate_attr_missing(info, NULL,
						      TRUSTGATE_A_BATCH_GRANT,
						      "grant"));
	batch = kvzalloc(struct_size(batch, entries, room), GFP_KERNEL);
	if (!batch)
		return ERR_PTR(-ENOMEM);
	batch->room = room;
	return batch;
}

static int fill_batch(struct batch *batch, const struct genl_info *info)
{
	struct trustgate_grant *grant;
	struct batch_entry *entry;
	const struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_BATCH_GRANT, info->nlhdr,
				 GENL_HDRLEN, rem) {
		entry = &batch->entries[batch->count];
		grant = prepare(info, attr, &entry->answers);
		if (IS_ERR(grant))
			return PTR_ERR(grant);
		entry->grant = grant;
		batch->count++;
	}
	return 0;
}

/* All grants come into force, or none was ever in force. */
static int commit_batch(struct batch *batch, struct sk_buff *skb)
{
	const u64 now_ns = ktime_get_boottime_ns();
	unsigned int done, i;
	int err = 0;

	for (i = 0; i < batch->count && !err; i++)
		err = put_added(skb, batch->entries[i].grant);
	for (done = 0; done < batch->count && !err; done++)
		err = trustgate_grant_insert(batch->entries[done].grant,
					     now_ns);
	if (err) {
		/* The one that failed is still only prepared. */
		for (i = 0; i + 1 < done; i++)
			trustgate_grant_end(batch->entries[i].grant,
					    TRUSTGATE_END_NONE);
		for (i = done ? done - 1 : 0; i < batch->count; i++)
			trustgate_grant_discard(batch->entries[i].grant);
		batch->count = 0;
		return err;
	}
	for (i = 0; i < batch->count; i++)
		trustgate_grant_enforce(batch->entries[i].grant);
	/* Who waits finds them all in force. */
	for (i = 0; i < batch->count; i++) {
		if (batch->entries[i].answers)
			trustgate_request_answer_by_id(batch->entries[i].answers,
						       TRUSTGATE_REQUEST_END_GRANTED,
						       batch->entries[i].grant);
	}
	return 0;
}

int trustgate_nl_grant_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct batch *batch __free(kvfree) = make_batch(info);
	struct trustgate_reply reply = {};
	int err;

	if (IS_ERR(batch))
		return PTR_ERR(batch);
	scoped_guard(mutex, &trustgate_mutex) {
		/* Who was authorised may have been unbound since. */
		if (!trustgate_agent_sent(skb))
			return -EPERM;
		err = fill_batch(batch, info);
		if (!err)
			err = trustgate_reply_begin(&reply, info,
						    batch->count * ADDED_SIZE);
		if (!err) {
			err = commit_batch(batch, reply.skb);
		} else {
			while (batch->count--)
				trustgate_grant_discard(batch->entries[batch->count].grant);
		}
	}
	return reply.skb ? trustgate_reply_end(&reply, info, err) : err;
}

static int end_by_ids(const struct genl_info *info, u64 *ended)
{
	const struct nlattr *attr;
	unsigned int count = 0;
	int rem;

	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_REVOCATION_ID, info->nlhdr,
				 GENL_HDRLEN, rem) {
		if (++count > TRUSTGATE_BATCH_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "too many ids in one request");
			return -E2BIG;
		}
		if (!trustgate_grant_by_id(nla_get_u64(attr))) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "no live grant has this id");
			return -ENOENT;
		}
	}
	nlmsg_for_each_attr_type(attr, TRUSTGATE_A_REVOCATION_ID, info->nlhdr,
				 GENL_HDRLEN, rem) {
		struct trustgate_grant *grant =
			trustgate_grant_by_id(nla_get_u64(attr));

		/* The same id may be given twice. */
		if (!grant)
			continue;
		trustgate_grant_end(grant, TRUSTGATE_END_REVOKED);
		(*ended)++;
	}
	return 0;
}

static int end_selected(const struct genl_info *info, u64 *ended)
{
	struct nlattr *volume_id = info->attrs[TRUSTGATE_A_REVOCATION_VOLUME_ID];
	struct nlattr *pid_nr = info->attrs[TRUSTGATE_A_REVOCATION_PID];
	struct trustgate_volume *volume = NULL;
	struct pid *pid;

	if (info->attrs[TRUSTGATE_A_REVOCATION_ID])
		return end_by_ids(info, ended);
	if (pid_nr) {
		pid = find_get_pid(nla_get_s32(pid_nr));
		if (!pid) {
			NL_SET_ERR_MSG_ATTR(info->extack, pid_nr,
					    "no such process; its grants have ended");
			return -ESRCH;
		}
		*ended = trustgate_grant_end_subject(pid,
						     TRUSTGATE_END_REVOKED);
		put_pid(pid);
		return 0;
	}
	if (volume_id) {
		volume = trustgate_volume_by_id(nla_get_u32(volume_id));
		if (!volume) {
			NL_SET_ERR_MSG_ATTR(info->extack, volume_id,
					    "no volume has this id");
			return -ENOENT;
		}
	}
	*ended = trustgate_grant_end_volume(volume, TRUSTGATE_END_REVOKED);
	return 0;
}

int trustgate_nl_grant_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	unsigned int selectors = 0, type;
	struct trustgate_reply reply;
	u64 ended = 0;
	int err;

	for (type = TRUSTGATE_A_REVOCATION_ID;
	     type <= TRUSTGATE_A_REVOCATION_ALL; type++)
		selectors += !!info->attrs[type];
	if (selectors != 1) {
		NL_SET_ERR_MSG(info->extack,
			       "give exactly one of id, volume-id, pid and all");
		return -EINVAL;
	}
	err = trustgate_reply_begin(&reply, info, NLA_HDRLEN + 12);
	if (err)
		return err;
	scoped_guard(mutex, &trustgate_mutex) {
		/* Who was authorised may have been unbound since. */
		if (!trustgate_agent_sent(skb))
			err = -EPERM;
		else
			err = end_selected(info, &ended);
	}
	/* A check that began before may still be about to allow. */
	if (ended)
		synchronize_rcu();
	if (!err)
		err = nla_put_u64_64bit(reply.skb, TRUSTGATE_A_REVOCATION_ENDED,
					ended, TRUSTGATE_A_REVOCATION_PAD);
	return trustgate_reply_end(&reply, info, err);
}
