/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - volumes that are observed: what would be denied is recorded, and
 * done.
 *
 * For who puts a volume that is in use under protection. It is a hole, and
 * meant to be one, so it ends by itself, inline and to the moment, whatever
 * becomes of the agent; and that there was one is remembered for as long as the
 * module is loaded.
 *
 * Owns: begin and end, the memory of it, and what becomes of an access that
 * passes by it.
 *
 * Must not own: which refusals it is about (check.c); the decision, which knows
 * nothing of it.
 */
#ifndef _TRUSTGATE_OBSERVE_H
#define _TRUSTGATE_OBSERVE_H

#include <linux/types.h>

#include "volume.h"

struct netlink_ext_ack;
struct trustgate_answer;
struct trustgate_question;

/**
 * struct trustgate_observation - that a volume is observed, or was
 * @volume_name: of the volume; told by its name, as it may be gone
 * @since_ns: when it was for the first time, CLOCK_BOOTTIME
 * @until_ns: when that ends, or ended last, CLOCK_BOOTTIME
 * @times: how often it was begun; 0 for a place that is only kept for it
 *
 * All under trustgate_mutex.
 */
struct trustgate_observation {
	char volume_name[TRUSTGATE_NAME_MAX + 1];
	u64 since_ns;
	u64 until_ns;
	u32 times;
};

/**
 * trustgate_observe_init() - get ready
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int trustgate_observe_init(void);

/**
 * trustgate_observe_exit() - forget everything
 *
 * Context: process, may sleep; no hook can run any more, no volume is protected.
 */
void trustgate_observe_exit(void);

/**
 * trustgate_observed() - is a volume observed?
 * @volume: volume
 * @now_ns: CLOCK_BOOTTIME
 *
 * Asked where an access is about to be denied, and nowhere else.
 *
 * Context: any.
 * Return: whether it is.
 */
static inline bool trustgate_observed(const struct trustgate_volume *volume,
				      u64 now_ns)
{
	return now_ns < READ_ONCE(volume->settings.observed_until_ns);
}

/**
 * trustgate_observe_access() - count and record an access that is not denied
 * @question: what was asked, of a volume
 * @answer: why it would have been denied
 * @hook: name of the hook, static
 *
 * What is done again and again, such as reading a file that is open, is counted
 * each time and recorded once for a process, an object, an access and a cause;
 * now and then more than once.
 *
 * Context: process, RCU read side.
 */
void trustgate_observe_access(const struct trustgate_question *question,
			      const struct trustgate_answer *answer,
			      const char *hook);

/**
 * trustgate_observe_reserve() - see to it that an observation is remembered
 * @volume_name: of the volume
 * @extack: gets the cause of a refusal
 *
 * To be called before trustgate_observe_begin(), which cannot fail.
 *
 * Context: trustgate_mutex held.
 * Return: 0; -ENOSPC if too many other volumes have been observed.
 */
int trustgate_observe_reserve(const char *volume_name,
			      struct netlink_ext_ack *extack);

/**
 * trustgate_observe_begin() - observe a volume, or until another time
 * @volume: volume, of which it is reserved
 * @until_ns: CLOCK_BOOTTIME, later than now; validated by the caller
 *
 * Opens that wait for an answer are done again.
 *
 * Context: process, may sleep, trustgate_mutex held.
 */
void trustgate_observe_begin(struct trustgate_volume *volume, u64 until_ns);

/**
 * trustgate_observe_end() - observe a volume no longer
 * @volume: volume
 * @end: why, enum trustgate_end
 *
 * A check that began before may still let something pass: who has to
 * acknowledge the end calls synchronize_rcu().
 *
 * Context: trustgate_mutex held.
 * Return: whether it was observed.
 */
bool trustgate_observe_end(struct trustgate_volume *volume, u32 end);

/**
 * trustgate_observation() - go through what is remembered
 * @index: from 0 on
 *
 * Context: trustgate_mutex held.
 * Return: one of them, valid until the mutex is released; NULL behind the last.
 */
const struct trustgate_observation *trustgate_observation(unsigned int index);

#endif /* _TRUSTGATE_OBSERVE_H */
