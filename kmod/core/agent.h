/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the bound agent.
 *
 * Owns: which netlink socket may change anything, and what its loss does.
 *
 * Must not own: what the agent asks for (netlink_*.c).
 */
#ifndef _TRUSTGATE_AGENT_H
#define _TRUSTGATE_AGENT_H

#include <linux/types.h>

struct netlink_ext_ack;
struct sk_buff;
struct task_struct;

/**
 * trustgate_agent_init() - watch for the agent's socket being closed
 *
 * Return: 0 or -errno.
 */
int trustgate_agent_init(void);

/**
 * trustgate_agent_exit() - stop watching, forget the agent
 *
 * Context: process, may sleep; no request is under way.
 */
void trustgate_agent_exit(void);

/**
 * trustgate_agent_bind() - make a socket the agent
 * @skb: request, from that socket
 * @secret: TRUSTGATE_SECRET_LEN bytes
 * @extack: gets the cause of a refusal
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: 0, also if it is the agent already and shows its secret again, as a
 * process does that was handed the socket;
 * -EBUSY another socket is bound; -EACCES volumes are protected and the secret
 * is not the one of the agent that protected them.
 */
int trustgate_agent_bind(const struct sk_buff *skb, const u8 *secret,
			 struct netlink_ext_ack *extack);

/**
 * trustgate_agent_unbind() - there is no agent any more
 *
 * Volumes set to "revoke" lose their grants at once.
 *
 * Context: process, may sleep, trustgate_mutex held, an agent is bound.
 */
void trustgate_agent_unbind(void);

/**
 * trustgate_agent_sent() - does a request come from the agent?
 * @skb: request
 *
 * A port number is free for others as soon as its socket is being closed,
 * which is before we are told; so it is the socket that is compared.
 *
 * Context: any; stable under trustgate_mutex.
 * Return: whether the request came from the agent's socket.
 */
bool trustgate_agent_sent(const struct sk_buff *skb);

/**
 * trustgate_agent_is() - is this the process that bound the agent's socket?
 * @task: task
 *
 * As with subjects, a process is its thread group and the program it executes:
 * neither what it forks nor what it becomes by exec is the agent.
 *
 * Context: RCU read side, any other context.
 * Return: whether it is; false if there is no agent.
 */
bool trustgate_agent_is(const struct task_struct *task);

/**
 * trustgate_agent_crowded() - is the agent's socket half full?
 *
 * What is sent to a full socket is lost, answers to its own requests too, so
 * events leave half of it to them.
 *
 * Context: any but interrupts.
 * Return: whether it is; false if there is no agent.
 */
bool trustgate_agent_crowded(void);

/**
 * trustgate_agent_portid() - the agent's port
 *
 * Context: any; stable under trustgate_mutex.
 * Return: the port or 0.
 */
u32 trustgate_agent_portid(void);

/**
 * trustgate_agent_pid() - process that bound the agent's socket
 *
 * Context: trustgate_mutex held, an agent is bound.
 * Return: thread-group id in the initial pid namespace.
 */
s32 trustgate_agent_pid(void);

#endif /* _TRUSTGATE_AGENT_H */
