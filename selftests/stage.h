/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stage - what tests of the protocol begin with: a raw socket that is the
 * agent, and a protected volume.
 *
 * Owns: building that up by way of gate.h, and taking it down.
 *
 * Must not own: what is tested.
 */
#ifndef STAGE_H
#define STAGE_H

#include "gate.h"
#include "netlink_raw.h"

/**
 * struct stage - an agent, a volume, and room for a request and its answer
 * @agent: bound
 * @volume: protected, and the current directory; its files are in gate.h
 * @message: for a request
 * @answer: for what comes back
 * @why: why the tests cannot run here, if stage_open() said so
 */
struct stage {
	struct raw_socket agent;
	struct volume volume;
	struct raw_message *message;
	struct raw_answer *answer;
	char why[256];
};

/**
 * stage_bare() - load the module, bind a raw agent; no volume of ours yet
 * @stage: filled
 * @idle: leave no other protected volume either; see gate_go_idle()
 *
 * Return: 0; -ECANCELED if the tests cannot run here and @why says why; or
 * another -errno.
 */
int stage_bare(struct stage *stage, bool idle);

/**
 * stage_volume() - make a tmpfs and have the agent protect it
 * @stage: bound
 * @volume: filled
 * @slot: 0 and up
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 *
 * Return: 0 or -errno.
 */
int stage_volume(struct stage *stage, struct volume *volume, unsigned int slot,
		 uint32_t on_agent_loss, uint32_t record);

/**
 * stage_unbind() - stop being the agent, if this process still is
 *
 * For a test that gave up; see stage_clean().
 */
void stage_unbind(void);

/**
 * stage_clean() - as gate_clean(), for a FIXTURE_TEARDOWN_PARENT
 *
 * The harness tears down in the test itself when that has given up, where the
 * stage's agent is still bound.
 */
void stage_clean(void);

/* In a FIXTURE_SETUP: an agent without a volume. */
#define STAGE_BARE(stage, idle)						\
	do {								\
		int stage_err = stage_bare((stage), (idle));		\
									\
		if (stage_err == -ECANCELED)				\
			SKIP(return, "%s", (stage)->why);		\
		ASSERT_EQ(0, stage_err);				\
	} while (0)

/* In a FIXTURE_SETUP: an agent with a volume. */
#define STAGE_OPEN(stage)						\
	do {								\
		STAGE_BARE((stage), false);				\
		ASSERT_EQ(0, stage_volume((stage), &(stage)->volume, 0,	\
					  TRUSTGATE_ON_AGENT_LOSS_HOLD,	\
					  0));				\
	} while (0)

/**
 * stage_wish() - a grant on a file for this process, as a start
 * @stage: with a volume
 * @path: file
 * @access: mask of enum trustgate_access
 *
 * Return: the wish, to be changed at will.
 */
struct raw_wish stage_wish(const struct stage *stage, const char *path,
			   uint32_t access);

/**
 * stage_works() - does the gate deny, grant and revoke as always?
 * @stage: with a volume and without grants
 *
 * Return: 0, or -errno after saying what it does instead.
 */
int stage_works(struct stage *stage);

#endif /* STAGE_H */
