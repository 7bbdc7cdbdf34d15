/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - by whose grants a process came to what is in its memory.
 *
 * Owns: sets of holders of grants.
 *
 * Must not own: which processes have such a set (taint.c).
 *
 * A holder is told by when it started, which nothing has to be kept for and
 * which does not come again.
 */
#ifndef _TRUSTGATE_HOLDERS_H
#define _TRUSTGATE_HOLDERS_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/types.h>

/*
 * A process has few: itself, those above it whose grants cover descendants, and
 * those whose memory it got a copy of.
 */
#define TRUSTGATE_HOLDERS_MAX	4

/**
 * struct trustgate_holders - a set of holders; all zero if empty
 * @start_ns: start_boottime of each, 0 for none yet; only ever filled up
 * @more: there were too many, so that anybody may be one
 */
struct trustgate_holders {
	u64 start_ns[TRUSTGATE_HOLDERS_MAX];
	bool more;
};

/**
 * trustgate_holders_have() - is it one of them?
 * @holders: set; somebody may be adding to it
 * @start_ns: start_boottime of the one in question
 *
 * Context: any.
 * Return: whether it is, or may be.
 */
static inline bool trustgate_holders_have(const struct trustgate_holders *holders,
					  u64 start_ns)
{
	unsigned int i;

	for (i = 0; i < TRUSTGATE_HOLDERS_MAX; i++) {
		if (READ_ONCE(holders->start_ns[i]) == start_ns)
			return true;
	}
	return READ_ONCE(holders->more);
}

/**
 * trustgate_holders_add() - have it be one of them
 * @holders: set; nobody else is adding to it
 * @start_ns: its start_boottime
 *
 * Context: any.
 */
static inline void trustgate_holders_add(struct trustgate_holders *holders,
					 u64 start_ns)
{
	unsigned int i;

	if (trustgate_holders_have(holders, start_ns))
		return;
	for (i = 0; i < TRUSTGATE_HOLDERS_MAX; i++) {
		if (!holders->start_ns[i]) {
			WRITE_ONCE(holders->start_ns[i], start_ns);
			return;
		}
	}
	WRITE_ONCE(holders->more, true);
}

/**
 * trustgate_holders_have_all() - are all of these among them?
 * @holders: set; somebody may be adding to it
 * @others: these
 *
 * Context: any.
 * Return: whether they are, or may be.
 */
static inline bool
trustgate_holders_have_all(const struct trustgate_holders *holders,
			   const struct trustgate_holders *others)
{
	unsigned int i;

	for (i = 0; i < TRUSTGATE_HOLDERS_MAX && others->start_ns[i]; i++) {
		if (!trustgate_holders_have(holders, others->start_ns[i]))
			return false;
	}
	return !others->more || READ_ONCE(holders->more);
}

/**
 * trustgate_holders_add_all() - have all of these be among them
 * @holders: set; nobody else is adding to it
 * @others: these; somebody may be adding to them
 *
 * Context: any.
 */
static inline void
trustgate_holders_add_all(struct trustgate_holders *holders,
			  const struct trustgate_holders *others)
{
	unsigned int i;
	u64 start_ns;

	for (i = 0; i < TRUSTGATE_HOLDERS_MAX; i++) {
		start_ns = READ_ONCE(others->start_ns[i]);
		if (start_ns)
			trustgate_holders_add(holders, start_ns);
	}
	if (READ_ONCE(others->more))
		WRITE_ONCE(holders->more, true);
}

#endif /* _TRUSTGATE_HOLDERS_H */
