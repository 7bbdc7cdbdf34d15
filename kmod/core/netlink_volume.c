// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - requests about volumes.
 *
 * Owns: their parsing and their answers.
 *
 * Must not own: the table of volumes; when hooks are attached.
 */

#include <linux/cleanup.h>
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/kdev_t.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/namei.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "agent.h"
#include "event.h"
#include "gate.h"
#include "netlink.h"
#include "observe.h"

#define MAX_DURATION_DEFAULT_NS	(8ULL * 3600 * NSEC_PER_SEC)

/*
 * A name, a type, a device, 16 bytes, three lists of devices, 12 numbers, and a
 * nest for each cause.
 */
#define VOLUME_SIZE	(7 * NLA_HDRLEN + 64 + 16 + 24 + 16 +		\
			 3 * TRUSTGATE_LOWER_DEVICES_MAX * 4 +		\
			 12 * (NLA_HDRLEN + 12) +			\
			 TRUSTGATE_CAUSE_COUNT * (NLA_HDRLEN + 8 + 2 * 16))

/* Names appear in paths, logs and commands, so they are kept simple. */
static int check_name(const struct genl_info *info, const struct nlattr *attr)
{
	const char *name = nla_data(attr);
	const char *c;

	for (c = name; *c; c++) {
		if (!isascii(*c) || !(isalnum(*c) || strchr("._-", *c)))
			break;
	}
	if (*c || !isalnum(name[0])) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "a name begins with a letter or digit and has only those, '.', '_' and '-'");
		return -EINVAL;
	}
	return 0;
}

static int parse_observed(const struct genl_info *info,
			  const struct nlattr *attr,
			  struct trustgate_settings *settings)
{
	const u64 now_ns = ktime_get_boottime_ns();
	const u64 until_ns = nla_get_u64(attr);

	if (until_ns && until_ns <= now_ns) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "the end of the observation is in the past; 0 ends it");
		return -EINVAL;
	}
	if (until_ns > now_ns + TRUSTGATE_OBSERVE_MAX_NS) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr,
					"observed for longer than %llu days from now; say it again later",
					div64_u64(TRUSTGATE_OBSERVE_MAX_NS,
						  24 * 3600ULL * NSEC_PER_SEC));
		return -ERANGE;
	}
	settings->observed_until_ns = until_ns;
	return 0;
}

static int parse_settings(const struct genl_info *info,
			  struct trustgate_settings *settings)
{
	struct nlattr *duration = info->attrs[TRUSTGATE_A_VOLUME_MAX_DURATION_NS];
	struct nlattr *loss = info->attrs[TRUSTGATE_A_VOLUME_ON_AGENT_LOSS];
	struct nlattr *record = info->attrs[TRUSTGATE_A_VOLUME_RECORD];
	struct nlattr *audit = info->attrs[TRUSTGATE_A_VOLUME_AUDIT];
	struct nlattr *metadata = info->attrs[TRUSTGATE_A_VOLUME_METADATA];
	struct nlattr *on_end = info->attrs[TRUSTGATE_A_VOLUME_LEAST_ON_END];
	struct nlattr *ask = info->attrs[TRUSTGATE_A_VOLUME_ASK_NS];
	struct nlattr *observed =
		info->attrs[TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS];

	if (duration) {
		u64 ns = nla_get_u64(duration);

		if (!ns || ns > S64_MAX / 2) {
			NL_SET_ERR_MSG_ATTR(info->extack, duration,
					    "the longest duration of a grant must be positive and below 146 years");
			return -ERANGE;
		}
		settings->max_duration_ns = ns;
	}
	if (loss)
		settings->on_agent_loss = nla_get_u32(loss);
	if (record)
		settings->record = nla_get_u32(record);
	if (audit)
		settings->audit = nla_get_u32(audit);
	if (metadata)
		settings->metadata = nla_get_u32(metadata);
	if (on_end)
		settings->least_on_end = nla_get_u32(on_end);
	if (ask && nla_get_u64(ask) > TRUSTGATE_ASK_MAX_NS) {
		NL_SET_ERR_MSG_ATTR(info->extack, ask,
				    "an open waits for an answer for at most an hour");
		return -ERANGE;
	}
	if (ask)
		settings->ask_ns = nla_get_u64(ask);
	return observed ? parse_observed(info, observed, settings) : 0;
}

/* The caller frees *devices; NULL for none. */
static int parse_devices(const struct genl_info *info, int attribute,
			 struct trustgate_devices **devices)
{
	struct nlattr *list = info->attrs[attribute];
	unsigned int count, i;
	const __u32 *number;

	*devices = NULL;
	if (!list || !nla_len(list))
		return 0;
	if (nla_len(list) % sizeof(*number)) {
		NL_SET_ERR_MSG_ATTR(info->extack, list,
				    "device numbers have four bytes each");
		return -EINVAL;
	}
	number = nla_data(list);
	count = nla_len(list) / sizeof(*number);
	if (count > TRUSTGATE_LOWER_DEVICES_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, list,
				    "too many devices below the volume");
		return -E2BIG;
	}
	*devices = kmalloc(struct_size(*devices, dev, count), GFP_KERNEL);
	if (!*devices)
		return -ENOMEM;
	(*devices)->count = count;
	for (i = 0; i < count; i++)
		(*devices)->dev[i] = new_decode_dev(number[i]);
	return 0;
}

static int resolve(const struct genl_info *info, struct path *path)
{
	struct nlattr *name = info->attrs[TRUSTGATE_A_VOLUME_PATH];
	struct nlattr *fd = info->attrs[TRUSTGATE_A_VOLUME_FD];
	struct file *file;
	int err;

	if (name && fd) {
		NL_SET_ERR_MSG_ATTR(info->extack, fd,
				    "give either path or fd, not both");
		return -EINVAL;
	}
	if (fd) {
		file = fget_raw(nla_get_s32(fd));
		if (!file) {
			NL_SET_ERR_MSG_ATTR(info->extack, fd, "not an open file");
			return -EBADF;
		}
		*path = file->f_path;
		path_get(path);
		fput(file);
		return 0;
	}
	if (!name)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_VOLUME_PATH, "path");
	err = kern_path(nla_data(name), LOOKUP_FOLLOW, path);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "the path cannot be resolved");
	return err;
}

int trustgate_nl_volume_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *name = info->attrs[TRUSTGATE_A_VOLUME_NAME];
	struct trustgate_settings settings = {
		.max_duration_ns = MAX_DURATION_DEFAULT_NS,
		.on_agent_loss = TRUSTGATE_ON_AGENT_LOSS_HOLD,
	};
	struct trustgate_volume *volume;
	struct trustgate_reply reply;
	struct path path;
	int err;

	if (!name)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_VOLUME_NAME, "name");
	err = check_name(info, name) ?: parse_settings(info, &settings) ?:
	      trustgate_reply_begin(&reply, info, NLA_HDRLEN + 4);
	if (err)
		return err;
	err = resolve(info, &path);
	if (err)
		return trustgate_reply_end(&reply, info, err);

	scoped_guard(mutex, &trustgate_mutex) {
		/* Who was authorised may have been unbound since. */
		if (!trustgate_agent_sent(skb)) {
			err = -EPERM;
			break;
		}
		volume = trustgate_gate_protect(&path, nla_data(name),
						&settings, info->extack);
		err = PTR_ERR_OR_ZERO(volume);
		if (!err)
			nla_put_u32(reply.skb, TRUSTGATE_A_VOLUME_ID,
				    volume->id);
	}
	path_put(&path);
	return trustgate_reply_end(&reply, info, err);
}

/* The volume that a request names by id, or NULL after setting *err. */
static struct trustgate_volume *named_by_id(const struct genl_info *info,
					    int *err)
{
	struct nlattr *id = info->attrs[TRUSTGATE_A_VOLUME_ID];
	struct trustgate_volume *volume;

	if (!id) {
		*err = trustgate_attr_missing(info, NULL, TRUSTGATE_A_VOLUME_ID,
					      "id");
		return NULL;
	}
	volume = trustgate_volume_by_id(nla_get_u32(id));
	if (!volume) {
		NL_SET_ERR_MSG_ATTR(info->extack, id, "no volume has this id");
		*err = -ENOENT;
	}
	return volume;
}

int trustgate_nl_volume_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct trustgate_devices *lower __free(kfree) = NULL;
	struct trustgate_devices *nodes __free(kfree) = NULL;
	struct trustgate_settings settings;
	struct trustgate_volume *volume;
	int err;

	err = parse_devices(info, TRUSTGATE_A_VOLUME_LOWER_DEVICES, &lower) ?:
	      parse_devices(info, TRUSTGATE_A_VOLUME_LOWER_NODES, &nodes);
	if (err)
		return err;

	guard(mutex)(&trustgate_mutex);
	if (!trustgate_agent_sent(skb))
		return -EPERM;
	volume = named_by_id(info, &err);
	if (!volume)
		return err;
	settings = volume->settings;
	err = parse_settings(info, &settings);
	if (err)
		return err;
	err = trustgate_gate_configure(volume, &settings, info->extack);
	if (!err && info->attrs[TRUSTGATE_A_VOLUME_LOWER_DEVICES])
		trustgate_volume_set_lower(volume, no_free_ptr(lower));
	if (!err && info->attrs[TRUSTGATE_A_VOLUME_LOWER_NODES])
		trustgate_volume_set_nodes(volume, no_free_ptr(nodes));
	return err;
}

int trustgate_nl_volume_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct trustgate_volume *volume;
	int err;

	scoped_guard(mutex, &trustgate_mutex) {
		if (!trustgate_agent_sent(skb))
			return -EPERM;
		volume = named_by_id(info, &err);
		if (!volume)
			return err;
		trustgate_gate_release(volume);
	}
	trustgate_gate_settle();
	return 0;
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, TRUSTGATE_A_VOLUME_PAD);
}

static int put_counter(struct sk_buff *skb, u32 cause, u64 count, u64 observed)
{
	struct nlattr *nest = nla_nest_start(skb, TRUSTGATE_A_VOLUME_COUNTER);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, TRUSTGATE_A_COUNTER_CAUSE, cause) ||
	    nla_put_u64_64bit(skb, TRUSTGATE_A_COUNTER_COUNT, count,
			      TRUSTGATE_A_COUNTER_PAD) ||
	    (observed &&
	     nla_put_u64_64bit(skb, TRUSTGATE_A_COUNTER_OBSERVED, observed,
			       TRUSTGATE_A_COUNTER_PAD))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counters(struct sk_buff *skb,
			const struct trustgate_volume *volume)
{
	int cpu, cause, err;

	for (cause = 0; cause < TRUSTGATE_CAUSE_COUNT; cause++) {
		u64 count = 0, observed = 0;

		for_each_possible_cpu(cpu) {
			const struct trustgate_counters *counters =
				per_cpu_ptr(volume->counters, cpu);

			count += READ_ONCE(counters->cause[cause]);
			observed += READ_ONCE(counters->observed[cause]);
		}
		if (!count && !observed)
			continue;
		err = put_counter(skb, cause, count, observed);
		if (err)
			return err;
	}
	return 0;
}

static int put_devices(struct sk_buff *skb, int attribute,
		       const struct trustgate_devices *devices)
{
	struct nlattr *attr;
	unsigned int i;
	__u32 *number;

	if (!devices)
		return 0;
	attr = nla_reserve(skb, attribute, devices->count * sizeof(*number));
	if (!attr)
		return -EMSGSIZE;
	number = nla_data(attr);
	for (i = 0; i < devices->count; i++)
		number[i] = new_encode_dev(devices->dev[i]);
	return 0;
}

static int put_observed(struct sk_buff *skb,
			const struct trustgate_volume *volume)
{
	if (!trustgate_observed(volume, ktime_get_boottime_ns()))
		return 0;
	return put_u64(skb, TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS,
		       volume->settings.observed_until_ns) ?:
	       put_u64(skb, TRUSTGATE_A_VOLUME_OBSERVED_SINCE_BOOTTIME_NS,
		       volume->observed_since_ns);
}

static int put_volume(struct sk_buff *skb,
		      const struct trustgate_volume *volume)
{
	return nla_put_u32(skb, TRUSTGATE_A_VOLUME_ID, volume->id) ?:
	       nla_put_string(skb, TRUSTGATE_A_VOLUME_NAME, volume->name) ?:
	       nla_put_string(skb, TRUSTGATE_A_VOLUME_FSTYPE,
			      volume->fstype) ?:
	       nla_put(skb, TRUSTGATE_A_VOLUME_UUID, sizeof(volume->uuid),
		       volume->uuid) ?:
	       nla_put_string(skb, TRUSTGATE_A_VOLUME_DEVICE,
			      volume->device) ?:
	       put_u64(skb, TRUSTGATE_A_VOLUME_MAX_DURATION_NS,
		       volume->settings.max_duration_ns) ?:
	       nla_put_u32(skb, TRUSTGATE_A_VOLUME_ON_AGENT_LOSS,
			   volume->settings.on_agent_loss) ?:
	       nla_put_u32(skb, TRUSTGATE_A_VOLUME_RECORD,
			   volume->settings.record) ?:
	       put_devices(skb, TRUSTGATE_A_VOLUME_OWN_DEVICES, volume->own) ?:
	       put_devices(skb, TRUSTGATE_A_VOLUME_LOWER_DEVICES,
			   trustgate_volume_lower(volume)) ?:
	       put_devices(skb, TRUSTGATE_A_VOLUME_LOWER_NODES,
			   trustgate_volume_nodes(volume)) ?:
	       put_u64(skb, TRUSTGATE_A_VOLUME_GRANTS, volume->nr_grants) ?:
	       put_u64(skb, TRUSTGATE_A_VOLUME_ADDED_BOOTTIME_NS,
		       volume->added_boottime_ns) ?:
	       nla_put_u32(skb, TRUSTGATE_A_VOLUME_METADATA,
			   volume->settings.metadata) ?:
	       nla_put_u32(skb, TRUSTGATE_A_VOLUME_AUDIT,
			   volume->settings.audit) ?:
	       nla_put_u32(skb, TRUSTGATE_A_VOLUME_LEAST_ON_END,
			   volume->settings.least_on_end) ?:
	       put_u64(skb, TRUSTGATE_A_VOLUME_ASK_NS,
		       volume->settings.ask_ns) ?:
	       put_observed(skb, volume) ?:
	       put_counters(skb, volume);
}

int trustgate_nl_volume_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *name = info->attrs[TRUSTGATE_A_VOLUME_NAME];
	struct trustgate_volume *volume;
	struct trustgate_reply reply;
	int err;

	err = trustgate_reply_begin(&reply, info, VOLUME_SIZE);
	if (err)
		return err;
	scoped_guard(mutex, &trustgate_mutex) {
		if (name && !info->attrs[TRUSTGATE_A_VOLUME_ID]) {
			volume = trustgate_volume_by_name(nla_data(name));
			if (!volume) {
				NL_SET_ERR_MSG_ATTR(info->extack, name,
						    "no volume has this name");
				err = -ENOENT;
			}
		} else if (name) {
			NL_SET_ERR_MSG_ATTR(info->extack, name,
					    "give either id or name, not both");
			err = -EINVAL;
		} else {
			volume = named_by_id(info, &err);
		}
		if (!err)
			err = put_volume(reply.skb, volume);
	}
	return trustgate_reply_end(&reply, info, err);
}

/* cb->args[0] is the lowest id that is still to be dumped. */
int trustgate_nl_volume_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	struct trustgate_volume *volume;
	void *header;

	guard(mutex)(&trustgate_mutex);
	cb->seq = trustgate_volume_generation();
	while ((volume = trustgate_volume_next(cb->args[0]))) {
		header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				     cb->nlh->nlmsg_seq, &trustgate_nl_family,
				     NLM_F_MULTI, TRUSTGATE_CMD_VOLUME_GET);
		if (!header)
			break;
		genl_dump_check_consistent(cb, header);
		if (put_volume(skb, volume)) {
			genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		cb->args[0] = volume->id + 1;
	}
	return skb->len;
}
