// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the bound agent; see agent.h.
 *
 * The secret keeps another process from taking over the volumes of an agent
 * that died. It is no defence against who can read the agent's files.
 */

#include <crypto/utils.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "agent.h"
#include "channel.h"
#include "event.h"
#include "grant.h"
#include "observe.h"
#include "request.h"
#include "supervision.h"

/*
 * The socket is followed only under this lock, which nests inside
 * trustgate_mutex: the socket is freed only after we were told of its closing
 * and have forgotten it.
 */
static DEFINE_SPINLOCK(socket_lock);
static const struct sock *agent_socket;

/* Written under trustgate_mutex. */
static u32 agent_portid;
static s32 agent_pid;
static u8 agent_secret[TRUSTGATE_SECRET_LEN];

/* Compared by hooks, never followed by them; with a reference. */
static struct pid *agent_process;
static u64 agent_exec_id;

u32 trustgate_agent_portid(void)
{
	return READ_ONCE(agent_portid);
}

static void remember(const struct sock *sk, u32 portid)
{
	spin_lock(&socket_lock);
	WRITE_ONCE(agent_socket, sk);
	spin_unlock(&socket_lock);
	WRITE_ONCE(agent_portid, portid);
}

/*
 * A pid that is let go can be met again only by who was forked after that, and
 * so sees that it is not the agent's any more.
 */
static void forget_process(void)
{
	struct pid *process = agent_process;

	WRITE_ONCE(agent_process, NULL);
	put_pid(process);
	agent_pid = 0;
}

bool trustgate_agent_is(const struct task_struct *task)
{
	/* Pairs with remember_process(). */
	const struct pid *process = smp_load_acquire(&agent_process);

	return process == task_tgid((struct task_struct *)task) &&
	       READ_ONCE(agent_exec_id) == task->self_exec_id;
}

/* A channel is for the process that has opened it. */
static void remember_process(void)
{
	if (!trustgate_agent_is(current))
		trustgate_channel_end();
	forget_process();
	WRITE_ONCE(agent_exec_id, current->self_exec_id);
	/* Who sees the process sees the program that goes with it. */
	smp_store_release(&agent_process, get_pid(task_tgid(current)));
	agent_pid = task_tgid_nr(current);
}

bool trustgate_agent_sent(const struct sk_buff *skb)
{
	return NETLINK_CB(skb).sk == READ_ONCE(agent_socket);
}

bool trustgate_agent_crowded(void)
{
	const struct sock *sk;
	bool crowded;

	spin_lock(&socket_lock);
	sk = agent_socket;
	crowded = sk && atomic_read(&sk->sk_rmem_alloc) >
			READ_ONCE(sk->sk_rcvbuf) / 2;
	spin_unlock(&socket_lock);
	return crowded;
}

s32 trustgate_agent_pid(void)
{
	lockdep_assert_held(&trustgate_mutex);
	return agent_pid;
}

int trustgate_agent_bind(const struct sk_buff *skb, const u8 *secret,
			 struct netlink_ext_ack *extack)
{
	bool same = !crypto_memneq(secret, agent_secret, sizeof(agent_secret));

	lockdep_assert_held(&trustgate_mutex);

	if (agent_portid && !trustgate_agent_sent(skb)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "an agent is bound already (port %u, pid %d); stop it first",
				   agent_portid, agent_pid);
		return -EBUSY;
	}
	if (!same && (agent_portid || trustgate_volume_count())) {
		NL_SET_ERR_MSG(extack,
			       "volumes are protected by an agent with another secret; start that agent again with its state directory");
		return -EACCES;
	}
	remember_process();
	if (agent_portid)
		return 0;

	memcpy(agent_secret, secret, sizeof(agent_secret));
	trustgate_event_settle();
	remember(NETLINK_CB(skb).sk, NETLINK_CB(skb).portid);
	return 0;
}

void trustgate_agent_unbind(void)
{
	struct trustgate_volume *volume;
	u64 ended = 0, suspended;
	bool unobserved = false;
	u32 id = 0;

	lockdep_assert_held(&trustgate_mutex);
	remember(NULL, 0);
	forget_process();
	trustgate_channel_end();
	trustgate_event_gate(TRUSTGATE_EVENT_TYPE_AGENT_LOST);
	trustgate_request_close_all(0, TRUSTGATE_REQUEST_END_AGENT_LOST);

	while ((volume = trustgate_volume_next(id))) {
		id = volume->id + 1;
		if (volume->settings.on_agent_loss !=
		    TRUSTGATE_ON_AGENT_LOSS_REVOKE)
			continue;
		ended += trustgate_grant_end_volume(volume,
						    TRUSTGATE_END_AGENT_LOST);
		unobserved |= trustgate_observe_end(volume,
						    TRUSTGATE_END_AGENT_LOST);
	}
	suspended = trustgate_supervision_lost();
	if (ended || suspended || unobserved)
		synchronize_rcu();
	if (trustgate_volume_count())
		pr_warn("trustgate: the agent is gone; nothing new is granted until it is back (%llu grants ended, %llu suspended)\n",
			ended, suspended);
}

static int socket_closed(struct notifier_block *nb, unsigned long state,
			 void *data)
{
	const struct netlink_notify *notify = data;

	if (state != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC ||
	    !net_eq(notify->net, &init_net) || !notify->portid ||
	    notify->portid != trustgate_agent_portid())
		return NOTIFY_DONE;

	mutex_lock(&trustgate_mutex);
	if (notify->portid == agent_portid)
		trustgate_agent_unbind();
	mutex_unlock(&trustgate_mutex);
	return NOTIFY_OK;
}

static struct notifier_block notifier = {
	.notifier_call = socket_closed,
};

int trustgate_agent_init(void)
{
	return netlink_register_notifier(&notifier);
}

void trustgate_agent_exit(void)
{
	netlink_unregister_notifier(&notifier);
	/* Nobody tells us of its closing any more. */
	remember(NULL, 0);
	forget_process();
}
