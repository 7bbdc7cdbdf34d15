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

struct file;
struct trustgate_question;
struct trustgate_request;

/**
 * struct trustgate_opening - an open that can wait
 * @file: being opened
 * @request: NULL; what it waits for, set by trustgate_ask(), and cleared by who
 *	takes it over
 * @first: whether it has raised the request, set with it
 */
struct trustgate_opening {
	const struct file *file;
	struct trustgate_request *request;
	bool first;
};

/**
 * trustgate_ask() - have an open wait for the agent's answer, if it can
 * @question: about current, with the open, whose memory does not forbid it
 * @cause: why no grant allows it, enum trustgate_cause
 *
 * For TRUSTGATE_CAUSE_ASKED the caller goes on with trustgate_ask_wait() or
 * trustgate_ask_later(), outside of the RCU read side.
 *
 * Never waited for is an answer to: the agent itself, init, kernel threads, what
 * io_uring does, and opens that could not be done again.
 *
 * Context: RCU read side, process; does not sleep.
 * Return: TRUSTGATE_CAUSE_ASKED, or the cause of the denial.
 */
u32 trustgate_ask(const struct trustgate_question *question, u32 cause);

/**
 * trustgate_ask_wait() - wait for an answer here and now, but not for long
 * @opening: that asked; lets go of its request if true is returned
 *
 * What a rule decides comes so soon that it pays to keep what the path walk has
 * found. It is not waited for longer, because what opens the file may hold
 * locks, and programs that are detached have to wait for this one to return. An
 * open for writing keeps others from executing the file meanwhile (ETXTBSY), one
 * that truncates keeps the filesystem from being frozen, and the open of an ELF
 * interpreter holds the cred_guard_mutex of its process.
 *
 * Context: process, may sleep.
 * Return: whether there is an answer. If not, trustgate_ask_later() is next.
 */
bool trustgate_ask_wait(struct trustgate_opening *opening);

/**
 * trustgate_ask_later() - wait on the way back to the program
 * @opening: that asked; lets go of its request
 *
 * The hook has to return -ERESTARTNOINTR: the thread then waits where nothing
 * is locked, until the request is closed or a signal comes, and does the system
 * call again.
 *
 * Context: process, may sleep.
 * Return: false if the thread exits, and can wait no more, or there is no memory.
 */
bool trustgate_ask_later(struct trustgate_opening *opening);

/**
 * trustgate_ask_exit() - wait until nobody waits any more
 *
 * Context: process, may sleep; no hook can run any more, and no volume is
 * protected.
 */
void trustgate_ask_exit(void);

#endif /* _TRUSTGATE_ASK_H */
