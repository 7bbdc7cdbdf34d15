// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the channel; see channel.h.
 *
 * A request and its answer cost two system calls of the agent by netlink, a
 * message each way, and one of each is half of one of these here: the call that
 * answers a request takes the next one.
 */

#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <net/netlink.h>
#include <uapi/linux/trustgate_channel.h>

#include "agent.h"
#include "channel.h"
#include "genl.h"
#include "grant.h"
#include "identity.h"
#include "request.h"
#include "terms.h"

static_assert(sizeof(struct trustgate_exchange_question) == 112);
static_assert(sizeof(struct trustgate_exchange) == 216);
static_assert(offsetof(struct trustgate_exchange, question) % sizeof(u64) == 0);
static_assert(sizeof_field(struct trustgate_exchange_question, comm) ==
	      TASK_COMM_LEN);

#define KNOWN_FLAGS	(TRUSTGATE_EXCHANGE_TAKE |			\
			 TRUSTGATE_EXCHANGE_WAIT |			\
			 TRUSTGATE_EXCHANGE_ON_END |			\
			 TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL)

/* What is read of the caller's structure; @attribute is not looked at. */
#define INPUT_SIZE	offsetof(struct trustgate_exchange, question)

/**
 * struct trustgate_channel - what a descriptor stands for
 * @taken: the highest number of a request that was taken, or looked for in vain;
 *	written under the lock of the table of requests, read with READ_ONCE
 */
struct trustgate_channel {
	u64 taken;
};

/*
 * The one that has not ended. Written under trustgate_mutex, read with READ_ONCE
 * and compared, not followed: a descriptor has its channel until it is closed.
 */
static struct trustgate_channel *open_channel;

/* Where the agent waits, whichever channel it has. */
static DECLARE_WAIT_QUEUE_HEAD(asked);

bool trustgate_channel_is_open(void)
{
	return READ_ONCE(open_channel);
}

static bool has_ended(const struct trustgate_channel *channel)
{
	return READ_ONCE(open_channel) != channel;
}

/* Is there something to be taken, or nothing any more? */
static bool is_due(const struct trustgate_channel *channel)
{
	return trustgate_request_newest() > READ_ONCE(channel->taken) ||
	       has_ended(channel);
}

/* Pairs with prepare_to_wait(): an agent that is not in line yet will look. */
void trustgate_channel_wake(void)
{
	if (wq_has_sleeper(&asked))
		wake_up_interruptible(&asked);
}

void trustgate_channel_end(void)
{
	lockdep_assert_held(&trustgate_mutex);
	WRITE_ONCE(open_channel, NULL);
	wake_up_interruptible_all(&asked);
}

/*
 * What a refusal points at. As by netlink, but there is no message: all that is
 * told of an attribute is its number.
 */
#define FIELD(name)							\
	[TRUSTGATE_A_GRANT_##name] = { .nla_type = TRUSTGATE_A_GRANT_##name }
#define AT(name)							\
	[TRUSTGATE_A_GRANT_##name] = &fields[TRUSTGATE_A_GRANT_##name]

static struct nlattr fields[TRUSTGATE_A_GRANT_MAX + 1] = {
	FIELD(FLAGS), FIELD(ACCESS), FIELD(NOT_BEFORE_BOOTTIME_NS),
	FIELD(EXPIRES_BOOTTIME_NS), FIELD(MAX_USES), FIELD(REASON),
	FIELD(TICKET), FIELD(ON_END), FIELD(REQUEST),
	FIELD(SUPERVISED_UNTIL_BOOTTIME_NS),
};

static struct nlattr * const all_terms[TRUSTGATE_A_GRANT_MAX + 1] = {
	AT(FLAGS), AT(ACCESS), AT(NOT_BEFORE_BOOTTIME_NS),
	AT(EXPIRES_BOOTTIME_NS), AT(MAX_USES), AT(REASON), AT(TICKET),
	AT(ON_END), AT(REQUEST), AT(SUPERVISED_UNTIL_BOOTTIME_NS),
};

/* Without what may be absent. */
static struct nlattr * const plain_terms[TRUSTGATE_A_GRANT_MAX + 1] = {
	AT(FLAGS), AT(ACCESS), AT(NOT_BEFORE_BOOTTIME_NS),
	AT(EXPIRES_BOOTTIME_NS), AT(MAX_USES), AT(REASON), AT(TICKET),
	AT(ON_END), AT(REQUEST),
};

/* As netlink's own check of attributes has it, by the same generated table. */
static __always_inline int check_range(u32 value, int field,
				       struct netlink_ext_ack *extack)
{
	const struct nla_policy *policy =
		&trustgate_grant_request_nl_policy[field];

	if (policy->validation_type == NLA_VALIDATE_MASK) {
		if (!(value & ~policy->mask))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, &fields[field], "reserved bit set");
		return -EINVAL;
	}
	if (value <= policy->max)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, &fields[field], "integer out of range");
	return -ERANGE;
}

/* Freed by the caller; NULL for none. */
static char *read_ticket(const struct trustgate_exchange *exchange,
			 struct netlink_ext_ack *extack)
{
	char *ticket;

	if (!exchange->ticket)
		return NULL;
	ticket = strndup_user(u64_to_user_ptr(exchange->ticket),
			      TRUSTGATE_TICKET_MAX + 1);
	if (ticket == ERR_PTR(-EINVAL)) {
		NL_SET_ERR_MSG_ATTR(extack, &fields[TRUSTGATE_A_GRANT_TICKET],
				    "the ticket is too long");
		return ERR_PTR(-ERANGE);
	}
	return ticket;
}

static int read_terms(const struct trustgate_exchange *exchange,
		      const struct trustgate_request *request,
		      struct trustgate_terms *terms,
		      struct netlink_ext_ack *extack)
{
	terms->kind = TRUSTGATE_OBJECT_KIND_FILE;
	terms->ino = request->key.ino;
	terms->subvolume = request->key.subvolume;
	terms->generation = request->key.generation;
	terms->access = exchange->access ?: request->key.access;
	terms->flags = exchange->grant_flags;
	terms->max_uses = exchange->max_uses;
	terms->reason = exchange->reason;
	terms->on_end = exchange->flags & TRUSTGATE_EXCHANGE_ON_END ?
			exchange->on_end : terms->volume->settings.least_on_end;
	terms->not_before_ns = exchange->not_before_boottime_ns;
	terms->expires_ns = exchange->expires_boottime_ns;
	terms->supervised_until_ns = exchange->supervised_until_boottime_ns;
	terms->tag = exchange->tag;
	return check_range(terms->access, TRUSTGATE_A_GRANT_ACCESS, extack) ?:
	       check_range(terms->flags, TRUSTGATE_A_GRANT_FLAGS, extack) ?:
	       check_range(terms->reason, TRUSTGATE_A_GRANT_REASON, extack) ?:
	       check_range(terms->on_end, TRUSTGATE_A_GRANT_ON_END, extack);
}

static struct trustgate_grant *
prepare(const struct trustgate_exchange *exchange,
	const struct trustgate_request *request, const char *ticket,
	u64 now_ns, struct netlink_ext_ack *extack)
{
	struct nlattr * const *attrs =
		exchange->flags & TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL ?
		all_terms : plain_terms;
	struct nlattr *whole = &fields[TRUSTGATE_A_GRANT_REQUEST];
	struct trustgate_terms terms = { .ticket = ticket };
	struct trustgate_grant *grant;
	int err;

	err = trustgate_terms_take_volume(&terms, request->key.volume_id, whole,
					  extack) ?:
	      read_terms(exchange, request, &terms, extack) ?:
	      trustgate_terms_check(&terms, now_ns, attrs, extack) ?:
	      trustgate_subject_asked(&terms, request, whole, extack);
	grant = err ? ERR_PTR(err) : trustgate_grant_prepare(&terms);
	if (grant == ERR_PTR(-ENOSPC))
		trustgate_terms_no_room(whole, extack);
	return grant;
}

static int not_open(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_ATTR(extack, &fields[TRUSTGATE_A_GRANT_REQUEST],
			    "no open request has this id; it is answered, timed out, or withdrawn");
	return -ENOENT;
}

static int give(const struct trustgate_exchange *exchange, const char *ticket,
		struct trustgate_request *request, u64 *grant_id,
		struct netlink_ext_ack *extack)
{
	const u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_grant *grant;
	int err;

	grant = prepare(exchange, request, ticket, now_ns, extack);
	if (IS_ERR(grant))
		return PTR_ERR(grant);
	err = trustgate_grant_insert(grant, now_ns);
	if (err) {
		trustgate_grant_discard(grant);
		return err;
	}
	trustgate_grant_enforce(grant);
	*grant_id = grant->id;
	/* Who waits finds it in force. */
	trustgate_request_answer(request, TRUSTGATE_REQUEST_END_GRANTED, grant);
	return 0;
}

static int answer(const struct trustgate_channel *channel,
		  const struct trustgate_exchange *exchange, u64 *grant_id,
		  struct netlink_ext_ack *extack)
{
	const char *ticket __free(kfree) = read_ticket(exchange, extack);
	struct trustgate_request *request;
	int err = 0;

	if (IS_ERR(ticket))
		return PTR_ERR(no_free_ptr(ticket));
	guard(mutex)(&trustgate_mutex);
	/* Who was the agent may have been unbound since. */
	if (has_ended(channel))
		return -ENOTCONN;
	request = trustgate_request_get(exchange->request);
	if (!request)
		return not_open(extack);
	if (exchange->verdict == TRUSTGATE_VERDICT_GRANT)
		err = give(exchange, ticket, request, grant_id, extack);
	else if (!trustgate_request_answer(request,
					   TRUSTGATE_REQUEST_END_REFUSED, NULL))
		err = not_open(extack);
	trustgate_request_put(request);
	return err;
}

/* The cause of a refusal; that the answer is refused counts, if this fails. */
static void tell_refusal(struct trustgate_exchange __user *user,
			 const struct trustgate_exchange *exchange,
			 const struct netlink_ext_ack *extack)
{
	char __user *to = u64_to_user_ptr(exchange->message);
	size_t size = exchange->message_size;
	const char *message = extack->_msg ?: "";
	size_t length = strlen(message);

	if (!to || !size)
		return;
	if (length >= size)
		length = size - 1;
	if (copy_to_user(to, message, length) || put_user('\0', to + length))
		return;
	put_user(extack->bad_attr ? extack->bad_attr->nla_type : 0,
		 &user->attribute);
}

/* Until there may be one; as wait_event_interruptible(), and in line once. */
static int wait_for_one(const struct trustgate_channel *channel)
{
	DEFINE_WAIT(wait);
	int err = 0;

	prepare_to_wait(&asked, &wait, TASK_INTERRUPTIBLE);
	if (!is_due(channel)) {
		if (signal_pending(current))
			err = -ERESTARTSYS;
		else
			schedule();
	}
	finish_wait(&asked, &wait);
	return err;
}

/* The next request; NULL if there is none, ERR_PTR if waiting for it failed. */
static struct trustgate_request *take(struct trustgate_channel *channel,
				      bool wait)
{
	struct trustgate_request *request;
	int err;

	while (!(request = trustgate_request_take(&channel->taken)) && wait) {
		err = wait_for_one(channel);
		if (has_ended(channel))
			err = -ENOTCONN;
		if (err)
			return ERR_PTR(err);
	}
	return request;
}

/*
 * Copied in words: it is a few, and an open waits for them. What
 * copy_to_user() would look at beyond the address, the objects that it copies
 * from, is known here.
 */
static __always_inline int copy_out(void __user *to, const void *from, size_t size)
{
	if (!user_access_begin(to, size))
		return -EFAULT;
	unsafe_copy_to_user(to, from, size, failed);
	user_access_end();
	return 0;

failed:
	user_access_end();
	return -EFAULT;
}

static int copy_in(struct trustgate_exchange *exchange,
		   const struct trustgate_exchange __user *user)
{
	const u64 __user *from = (const u64 __user *)user;
	u64 *to = (u64 *)exchange;

	static_assert(INPUT_SIZE == 13 * sizeof(*to));
	if (!user_access_begin(user, INPUT_SIZE))
		return -EFAULT;
	unsafe_get_user(to[0], &from[0], failed);
	unsafe_get_user(to[1], &from[1], failed);
	unsafe_get_user(to[2], &from[2], failed);
	unsafe_get_user(to[3], &from[3], failed);
	unsafe_get_user(to[4], &from[4], failed);
	unsafe_get_user(to[5], &from[5], failed);
	unsafe_get_user(to[6], &from[6], failed);
	unsafe_get_user(to[7], &from[7], failed);
	unsafe_get_user(to[8], &from[8], failed);
	unsafe_get_user(to[9], &from[9], failed);
	unsafe_get_user(to[10], &from[10], failed);
	unsafe_get_user(to[11], &from[11], failed);
	unsafe_get_user(to[12], &from[12], failed);
	user_access_end();
	return 0;

failed:
	user_access_end();
	return -EFAULT;
}

static int tell_path(const struct trustgate_request *request,
		     const struct trustgate_exchange *exchange, u32 *length)
{
	char __user *to = u64_to_user_ptr(exchange->path);

	if (!request->path)
		return 0;
	*length = request->path_length;
	if (!to || *length >= exchange->path_size)
		return 0;
	return copy_out(to, request->path, *length + 1);
}

/* Field by field, as an open waits for it; nothing may be called meanwhile. */
static int tell_question(const struct trustgate_request *request,
			 struct trustgate_exchange_question __user *to,
			 u32 path_length, u64 grant_id)
{
	const u64 ticks = div_u64(request->start_ns, NSEC_PER_SEC / USER_HZ);
	const s32 pid = pid_vnr(request->key.pid);
	const u64 *comm = (const u64 *)request->comm;
	u64 __user *to_comm = (u64 __user *)to->comm;

	if (!user_access_begin(to, sizeof(*to)))
		return -EFAULT;
	unsafe_put_user(grant_id, &to->grant, failed);
	unsafe_put_user(request->id, &to->request, failed);
	unsafe_put_user(request->key.ino, &to->ino, failed);
	unsafe_put_user(ticks, &to->start_ticks, failed);
	unsafe_put_user(request->key.exec_id, &to->exec_id, failed);
	unsafe_put_user(request->raised_ns, &to->raised_boottime_ns, failed);
	unsafe_put_user(request->deadline_ns, &to->deadline_boottime_ns,
			failed);
	unsafe_put_user(request->key.volume_id, &to->volume_id, failed);
	unsafe_put_user(request->key.generation, &to->inode_generation,
			failed);
	unsafe_put_user(request->key.access, &to->access, failed);
	unsafe_put_user(request->cause, &to->cause, failed);
	unsafe_put_user(pid, &to->pid, failed);
	unsafe_put_user(request->tid, &to->tid, failed);
	unsafe_put_user(request->uid, &to->uid, failed);
	unsafe_put_user(request->loginuid, &to->loginuid, failed);
	unsafe_put_user(READ_ONCE(request->waiting), &to->waiting, failed);
	unsafe_put_user(path_length, &to->path_length, failed);
	unsafe_put_user(comm[0], &to_comm[0], failed);
	unsafe_put_user(comm[1], &to_comm[1], failed);
	user_access_end();
	return 0;

failed:
	user_access_end();
	return -EFAULT;
}

/* Takes over the reference. */
static int tell(struct trustgate_request *request,
		struct trustgate_exchange __user *user,
		const struct trustgate_exchange *exchange, u64 grant_id)
{
	struct trustgate_exchange_question nothing = { .grant = grant_id };
	u32 path_length = 0;
	int err;

	if (!request)
		return copy_out(&user->question, &nothing, sizeof(nothing));
	err = tell_path(request, exchange, &path_length) ?:
	      tell_question(request, &user->question, path_length, grant_id);
	trustgate_request_put(request);
	return err;
}

/* Nothing may be said that has no meaning. */
static int check_exchange(const struct trustgate_exchange *exchange)
{
	const bool grants = exchange->verdict == TRUSTGATE_VERDICT_GRANT;
	u32 flags = exchange->flags;

	if (flags & ~KNOWN_FLAGS ||
	    exchange->verdict > TRUSTGATE_VERDICT_REFUSE ||
	    !exchange->request != !exchange->verdict)
		return -EINVAL;
	if (!(flags & TRUSTGATE_EXCHANGE_TAKE) &&
	    (flags & TRUSTGATE_EXCHANGE_WAIT || !exchange->verdict))
		return -EINVAL;
	if (!(flags & TRUSTGATE_EXCHANGE_ON_END) && exchange->on_end)
		return -EINVAL;
	if (!(flags & TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL) &&
	    exchange->supervised_until_boottime_ns)
		return -EINVAL;
	if (!grants &&
	    (flags & ~(TRUSTGATE_EXCHANGE_TAKE | TRUSTGATE_EXCHANGE_WAIT) ||
	     exchange->expires_boottime_ns ||
	     exchange->not_before_boottime_ns || exchange->tag ||
	     exchange->ticket || exchange->access || exchange->grant_flags ||
	     exchange->reason || exchange->max_uses))
		return -EINVAL;
	return 0;
}

/*
 * As authorise() in netlink.c, and the process is the agent. Credentials do not
 * change: with those that the channel was opened with, it has the capability.
 */
static int authorise(const struct file *file)
{
	const struct trustgate_channel *channel = file->private_data;

	if (!trustgate_agent_is(current))
		return has_ended(channel) ? -ENOTCONN : -EPERM;
	if (has_ended(channel))
		return -ENOTCONN;
	return file->f_cred == current_cred() || capable(CAP_MAC_ADMIN) ?
	       0 : -EPERM;
}

static long trustgate_channel_ioctl(struct file *file, unsigned int command,
				    unsigned long argument)
{
	struct trustgate_exchange __user *user = (void __user *)argument;
	struct trustgate_channel *channel = file->private_data;
	/* Set as far as they are looked at, for an open waits. */
	struct trustgate_exchange exchange __uninitialized;
	struct netlink_ext_ack extack __uninitialized;
	struct trustgate_request *request = NULL;
	u64 grant_id = 0;
	int err;

	if (command != TRUSTGATE_IOC_EXCHANGE)
		return -ENOTTY;
	err = authorise(file);
	if (err)
		return err;
	err = copy_in(&exchange, user) ?: check_exchange(&exchange);
	if (err)
		return err;
	if (exchange.verdict) {
		extack._msg = NULL;
		extack.bad_attr = NULL;
		err = answer(channel, &exchange, &grant_id, &extack);
		if (err) {
			tell_refusal(user, &exchange, &extack);
			return err;
		}
		/* Who was answered goes on, and may ask again, before we look. */
		cond_resched();
	}
	if (exchange.flags & TRUSTGATE_EXCHANGE_TAKE)
		request = take(channel,
			       exchange.flags & TRUSTGATE_EXCHANGE_WAIT);
	/* What was answered is not to be answered again. */
	if (IS_ERR(request) && exchange.verdict)
		request = NULL;
	if (IS_ERR(request))
		return PTR_ERR(request);
	return tell(request, user, &exchange, grant_id);
}

static __poll_t trustgate_channel_poll(struct file *file,
				       struct poll_table_struct *table)
{
	const struct trustgate_channel *channel = file->private_data;

	poll_wait(file, &asked, table);
	/* With trustgate_channel_wake(), where poll_wait() is none itself. */
	smp_mb();
	if (has_ended(channel))
		return EPOLLHUP;
	if (!trustgate_agent_is(current))
		return EPOLLERR;
	return is_due(channel) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int trustgate_channel_release(struct inode *inode, struct file *file)
{
	struct trustgate_channel *channel = file->private_data;

	scoped_guard(mutex, &trustgate_mutex) {
		if (!has_ended(channel))
			trustgate_channel_end();
	}
	kfree(channel);
	return 0;
}

static const struct file_operations channel_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = trustgate_channel_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = trustgate_channel_poll,
	.release = trustgate_channel_release,
};

struct file *trustgate_channel_make(void)
{
	struct trustgate_channel *channel;
	struct file *file;

	lockdep_assert_held(&trustgate_mutex);
	channel = kzalloc(sizeof(*channel), GFP_KERNEL_ACCOUNT);
	if (!channel)
		return ERR_PTR(-ENOMEM);
	channel->taken = trustgate_request_untaken();
	file = anon_inode_getfile("[trustgate]", &channel_fops, channel,
				  O_RDWR);
	if (IS_ERR(file)) {
		kfree(channel);
		return file;
	}
	trustgate_channel_end();
	WRITE_ONCE(open_channel, channel);
	return file;
}
