/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault_ask - a request that is made while an allocation fails.
 *
 * Owns: making it, and telling a refusal from a lost answer.
 *
 * Must not own: what should come of it.
 */
#ifndef FAULT_ASK_H
#define FAULT_ASK_H

#include "fault.h"
#include "stage.h"

/**
 * struct fault_ask - a request, to be made again and again
 * @stage: its message is what is asked, its answer what comes back
 * @socket: by which it is asked
 * @dump: whether all of something is asked for
 */
struct fault_ask {
	struct stage *stage;
	struct raw_socket *socket;
	bool dump;
};

/**
 * fault_ask() - make a request; for fault_do()
 * @request: struct fault_ask
 *
 * Return: 0; or -errno of the answer, the socket, or the lack of an answer.
 */
int fault_ask(void *request);

/**
 * fault_refused() - was it refused, or is only the answer missing?
 * @request: made
 * @result: of fault_ask()
 *
 * Return: whether the kernel has refused it.
 */
bool fault_refused(const struct fault_ask *request, int result);

#endif /* FAULT_ASK_H */
