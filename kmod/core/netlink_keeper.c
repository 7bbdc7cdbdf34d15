// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the request that lists who has files of a volume open or mapped.
 *
 * Owns: its parsing, and that each process that lives through the dump is looked
 * at once.
 *
 * Must not own: what a process has (keeper.c).
 */

#include <linux/cleanup.h>
#include <linux/math64.h>
#include <linux/pid.h>

#include "keeper.h"
#include "netlink.h"
#include "volume.h"

/* How many processes are looked up at once. */
#define NUMBERS_MAX	64

/* Compared only: it may be gone as soon as the mutex is free. */
static const struct super_block *superblock_of(u32 volume_id)
{
	const struct trustgate_volume *volume;

	guard(mutex)(&trustgate_mutex);
	volume = trustgate_volume_by_id(volume_id);
	return volume ? volume->sb : NULL;
}

static int put_keeper(struct sk_buff *skb, u32 volume_id, struct pid *pid,
		      const struct trustgate_keeper *keeper)
{
	int err;

	err = nla_put_u32(skb, TRUSTGATE_A_KEEPER_VOLUME_ID, volume_id) ?:
	      nla_put_s32(skb, TRUSTGATE_A_KEEPER_PID, pid_vnr(pid)) ?:
	      nla_put_u64_64bit(skb, TRUSTGATE_A_KEEPER_START_TICKS,
				div_u64(keeper->start_ns,
					NSEC_PER_SEC / USER_HZ),
				TRUSTGATE_A_KEEPER_PAD) ?:
	      nla_put_u32(skb, TRUSTGATE_A_KEEPER_UID, keeper->uid) ?:
	      nla_put_string(skb, TRUSTGATE_A_KEEPER_COMM, keeper->comm) ?:
	      nla_put_u32(skb, TRUSTGATE_A_KEEPER_FILES, keeper->files) ?:
	      nla_put_u32(skb, TRUSTGATE_A_KEEPER_MAPPINGS, keeper->mappings) ?:
	      nla_put_u32(skb, TRUSTGATE_A_KEEPER_FILES_DENIED,
			  keeper->files_denied) ?:
	      nla_put_u32(skb, TRUSTGATE_A_KEEPER_MAPPINGS_DENIED,
			  keeper->mappings_denied);
	if (!err && keeper->program)
		err = nla_put_flag(skb, TRUSTGATE_A_KEEPER_PROGRAM);
	if (!err && keeper->unknown)
		err = nla_put_flag(skb, TRUSTGATE_A_KEEPER_UNKNOWN);
	if (!err && *keeper->path)
		err = nla_put_string(skb, TRUSTGATE_A_KEEPER_PATH,
				     *keeper->path == '/' && !keeper->path_cut ?
				     keeper->path + 1 : keeper->path);
	if (!err && keeper->path_cut)
		err = nla_put_flag(skb, TRUSTGATE_A_KEEPER_PATH_CUT);
	return err;
}

/* False if there is no room left in the message. */
static bool dump_keeper(struct sk_buff *skb, struct netlink_callback *cb,
			u32 volume_id, struct pid *pid,
			const struct trustgate_keeper *keeper)
{
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &trustgate_nl_family,
			     NLM_F_MULTI, TRUSTGATE_CMD_KEEPER_GET);
	if (!header)
		return false;
	if (put_keeper(skb, volume_id, pid, keeper)) {
		genlmsg_cancel(skb, header);
		return false;
	}
	genlmsg_end(skb, header);
	return true;
}

static bool dump_process(struct sk_buff *skb, struct netlink_callback *cb,
			 u32 volume_id, const struct super_block *sb,
			 pid_t number)
{
	struct trustgate_keeper keeper;
	struct task_struct *process;
	bool room = true;
	struct pid *pid;

	rcu_read_lock();
	pid = get_pid(find_pid_ns(number, &init_pid_ns));
	rcu_read_unlock();
	process = get_pid_task(pid, PIDTYPE_TGID);
	if (process && trustgate_keeper_look(process, sb, &keeper))
		room = dump_keeper(skb, cb, volume_id, pid, &keeper);
	if (process)
		put_task_struct(process);
	put_pid(pid);
	return room;
}

/* cb->args[0] is the number of the last process that was looked at. */
int trustgate_nl_keeper_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	const struct genl_info *info = &genl_dumpit_info(cb)->info;
	struct nlattr *id = info->attrs[TRUSTGATE_A_KEEPER_VOLUME_ID];
	pid_t numbers[NUMBERS_MAX];
	const struct super_block *sb;
	unsigned int count, i;

	if (!id)
		return trustgate_attr_missing(info, NULL,
					      TRUSTGATE_A_KEEPER_VOLUME_ID,
					      "volume-id");
	sb = superblock_of(nla_get_u32(id));
	if (!sb) {
		NL_SET_ERR_MSG_ATTR(info->extack, id, "no volume has this id");
		return -ENOENT;
	}
	while ((count = trustgate_keeper_numbers(cb->args[0], numbers,
						 ARRAY_SIZE(numbers)))) {
		for (i = 0; i < count; i++) {
			if (!dump_process(skb, cb, nla_get_u32(id), sb,
					  numbers[i]))
				return skb->len;
			cb->args[0] = numbers[i];
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
	}
	return skb->len;
}
