/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - a request on its own.
 *
 * Owns: its memory, and what it is filled with when it is made.
 *
 * Must not own: the table that it is put into, and what becomes of it there
 * (request.c).
 */
#ifndef _TRUSTGATE_REQUEST_MAKE_H
#define _TRUSTGATE_REQUEST_MAKE_H

#include "request.h"

/**
 * trustgate_request_make() - a request that is in no table yet
 * @key: who wants what
 * @question: about current
 * @cause: why no grant allows it
 *
 * Set by who puts it into the table: its number, its deadline.
 *
 * Context: RCU read side, process; does not sleep.
 * Return: the request, a reference, to be put by trustgate_request_put(); NULL
 * without memory.
 */
struct trustgate_request *
trustgate_request_make(const struct trustgate_request_key *key,
		       const struct trustgate_question *question, u32 cause);

/**
 * trustgate_request_make_init() - get ready to make requests
 *
 * Return: 0 or -ENOMEM.
 */
int trustgate_request_make_init(void);

/**
 * trustgate_request_make_exit() - let go of their memory
 *
 * Context: process, may sleep; every request has been put, and none is made.
 */
void trustgate_request_make_exit(void);

#endif /* _TRUSTGATE_REQUEST_MAKE_H */
