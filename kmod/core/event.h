/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - events: what happened, in order, to agent, watchers and audit.
 *
 * Owns: sequence numbers, the bounded queue, the count of what did not fit,
 * and handing events on: from a worker, so that no hook waits for a receiver, but
 * for what a waiting open asks.
 *
 * Must not own: what is worth an event; the form of an audit record (audit.c).
 */
#ifndef _TRUSTGATE_EVENT_H
#define _TRUSTGATE_EVENT_H

#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/trustgate.h>

struct dentry;
struct trustgate_answer;
struct trustgate_grant;
struct trustgate_question;
struct trustgate_request;
struct trustgate_volume;

/**
 * struct trustgate_event - one event as queued
 *
 * @seq: given by the queue, from 1 on
 * @time_boottime_ns: when it happened
 * @dropped: events dropped before it
 * @grant_id: grant concerned, 0 for none
 * @tag: the agent's reference of that grant
 * @ino: object, 0 for none
 * @expires_boottime_ns: expiry of that grant, deadline of that request, or end
 *	of an observation, 0 for none
 * @request_id: request concerned, 0 for none
 * @hook: name of the hook, static string; NULL for what is no verdict
 * @type: enum trustgate_event_type
 * @volume_id: 0 for none
 * @access: mask of enum trustgate_access
 * @cause: enum trustgate_cause, of a verdict
 * @end: enum trustgate_end
 * @request_end: enum trustgate_request_end
 * @pid: thread group in the initial pid namespace, 0 for no process
 * @tid: thread in the initial pid namespace
 * @target_pid: thread group whose memory was concerned, in the initial pid
 *	namespace, 0 for none
 * @mappings: how many were ended by force, or led to the kill
 * @uid: real user, in the initial user namespace
 * @loginuid: login user, in the initial user namespace
 * @generation: of the object's inode
 * @path_cut: @path lost its beginning
 * @volume_name: empty for none; behind its end there may be anything
 * @comm: of the thread; likewise
 * @path: relative to the volume's root, empty if unknown
 *
 * What is absent is left out of messages. The texts have to be the last: no more
 * of them is written than there is, nor of @path copied.
 */
struct trustgate_event {
	u64 seq;
	u64 time_boottime_ns;
	u64 dropped;
	u64 grant_id;
	u64 tag;
	u64 ino;
	u64 expires_boottime_ns;
	u64 request_id;
	const char *hook;
	u32 type;
	u32 volume_id;
	u32 access;
	u32 cause;
	u32 end;
	u32 request_end;
	s32 pid;
	s32 tid;
	s32 target_pid;
	u32 mappings;
	u32 uid;
	u32 loginuid;
	u32 generation;
	bool path_cut;
	char volume_name[TRUSTGATE_NAME_MAX + 1];
	char comm[TASK_COMM_LEN];
	char path[TRUSTGATE_EVENT_PATH_MAX + 1];
};

/**
 * struct trustgate_event_totals - state of the queue
 * @seq: newest sequence number, 0 before the first
 * @dropped: events that nobody got
 * @agent_missed: events that the agent did not get
 * @length: of the queue
 */
struct trustgate_event_totals {
	u64 seq;
	u64 dropped;
	u64 agent_missed;
	u32 length;
};

/**
 * trustgate_event_init() - allocate the queue
 *
 * Return: 0 or -errno with nothing left behind.
 */
int trustgate_event_init(void);

/**
 * trustgate_event_stop() - hand nothing on any more
 *
 * Before the family goes to which events are sent. Events that come later are
 * kept, and freed by trustgate_event_exit().
 *
 * Context: process, may sleep.
 */
void trustgate_event_stop(void);

/**
 * trustgate_event_exit() - free the queue
 *
 * Context: process, may sleep; no hook can run any more.
 */
void trustgate_event_exit(void);

/**
 * trustgate_event_verdict() - queue an allowed or denied access
 * @question: what was asked
 * @answer: what was answered
 * @hook: name of the hook, static
 *
 * Context: any but NMI; RCU read side for @question.
 */
void trustgate_event_verdict(const struct trustgate_question *question,
			     const struct trustgate_answer *answer,
			     const char *hook);

/**
 * trustgate_event_insist() - queue an allowed access, or have it denied
 * @question: what was asked
 * @answer: what was answered
 * @hook: name of the hook, static
 *
 * Once queued it stays until the agent has taken it.
 *
 * Context: any but NMI; RCU read side for @question.
 * Return: whether it was queued. If not, nothing was.
 */
bool trustgate_event_insist(const struct trustgate_question *question,
			    const struct trustgate_answer *answer,
			    const char *hook);

/**
 * trustgate_event_observed() - queue an access that would have been denied
 * @question: what was asked
 * @answer: what was answered
 * @hook: name of the hook, static
 *
 * Context: any but NMI; RCU read side for @question.
 */
void trustgate_event_observed(const struct trustgate_question *question,
			      const struct trustgate_answer *answer,
			      const char *hook);

/**
 * trustgate_event_grant() - queue a grant's begin or end
 * @type: TRUSTGATE_EVENT_TYPE_GRANT_ADDED, _ENDED or _CLEARED
 * @grant: grant
 * @end: enum trustgate_end
 *
 * Context: any but NMI, trustgate_mutex held.
 */
void trustgate_event_grant(u32 type, const struct trustgate_grant *grant,
			   u32 end);

/**
 * trustgate_event_request() - queue what became of a request
 * @type: TRUSTGATE_EVENT_TYPE_REQUEST_RAISED or _CLOSED
 * @request: request
 * @volume: its volume, or NULL if that is to be looked for
 * @grant_id: the grant that is the answer, or 0
 * @now_ns: when, CLOCK_BOOTTIME
 * @hand_over: the caller calls trustgate_event_hand_over() next
 *
 * Context: any but NMI; the lock of the table of requests is held.
 */
void trustgate_event_request(u32 type, const struct trustgate_request *request,
			     const struct trustgate_volume *volume, u64 grant_id,
			     u64 now_ns, bool hand_over);

/**
 * trustgate_event_mappings() - queue what was done about mappings
 * @type: TRUSTGATE_EVENT_TYPE_UNMAPPED or _KILLED
 * @volume_id: of what was mapped, 0 if not known
 * @task: process; a reference is held
 * @mappings: how many
 *
 * Context: any but NMI.
 */
void trustgate_event_mappings(u32 type, u32 volume_id,
			      const struct task_struct *task, u32 mappings);

/**
 * trustgate_event_volume() - queue a change of a volume
 * @type: TRUSTGATE_EVENT_TYPE_VOLUME_*
 * @volume: volume
 *
 * Context: any but NMI.
 */
void trustgate_event_volume(u32 type, const struct trustgate_volume *volume);

/**
 * trustgate_event_observation() - queue the begin or end of an observation
 * @type: TRUSTGATE_EVENT_TYPE_OBSERVATION_*
 * @volume: volume
 * @until_ns: when it ends, CLOCK_BOOTTIME, or 0
 * @end: why it has ended, enum trustgate_end
 *
 * Context: any but NMI.
 */
void trustgate_event_observation(u32 type,
				 const struct trustgate_volume *volume,
				 u64 until_ns, u32 end);

/**
 * trustgate_event_gate() - queue a change of the gate or the agent
 * @type: TRUSTGATE_EVENT_TYPE_AGENT_* or _GATE_*
 *
 * Context: any but NMI.
 */
void trustgate_event_gate(u32 type);

/**
 * trustgate_event_hand_over() - tell the agent here and now
 *
 * Somebody waits for what it will say. A worker does what this cannot: if the
 * agent's socket is full, memory is short, or much is in line before.
 *
 * Context: process, no spinlock held; does not sleep.
 */
void trustgate_event_hand_over(void);

/**
 * trustgate_event_totals() - state of the queue
 * @totals: result
 *
 * Context: any but NMI.
 */
void trustgate_event_totals(struct trustgate_event_totals *totals);

/**
 * trustgate_event_settle() - give a new agent a moment before its first event
 *
 * Context: before the agent is known, trustgate_mutex held.
 */
void trustgate_event_settle(void);

/**
 * trustgate_event_kick() - try again to hand on what is queued
 *
 * Context: any.
 */
void trustgate_event_kick(void);

#endif /* _TRUSTGATE_EVENT_H */
