/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - asking the agent about an open that no grant allows.
 *
 * Owns: which opens are put to the agent, and how a thread waits.
 *
 * Must not own: the table of requests (request.h), the decision.
 */
#ifndef _TRUSTGATE_ASK_H
#define _TRUSTGATE_ASK_H

#include <linux/types.h>

struct trustgate_question;

/**
 * trustgate_ask() - have an open wait for the agent's answer, if it can
 * @question: about current, with the file that is being opened
 * @cause: why no grant allows it, enum trustgate_cause
 *
 * The hook has to return -ERESTARTNOINTR for TRUSTGATE_CAUSE_ASKED: the thread
 * then waits on its way back to its program, until the request is closed or a
 * signal comes, and does the system call again.
 *
 * Never waited for is an answer to: the agent itself, init, kernel threads, what
 * io_uring does, and opens that could not be done again.
 *
 * Context: RCU read side, process; does not sleep.
 * Return: TRUSTGATE_CAUSE_ASKED, or the cause of the denial.
 */
u32 trustgate_ask(const struct trustgate_question *question, u32 cause);

/**
 * trustgate_ask_exit() - wait until nobody waits any more
 *
 * Context: process, may sleep; no hook can run any more, and no volume is
 * protected.
 */
void trustgate_ask_exit(void);

#endif /* _TRUSTGATE_ASK_H */
