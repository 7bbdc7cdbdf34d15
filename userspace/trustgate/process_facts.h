/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - what a policy wants to know of a live process.
 *
 * Owns: reading /proc/PID and the program's file.
 *
 * Must not own: what the facts decide.
 */
#ifndef _TRUSTGATE_PROCESS_FACTS_H
#define _TRUSTGATE_PROCESS_FACTS_H

#include "policy.h"

/**
 * process_facts_read() - find out what can be found out
 * @pid: process or thread
 * @facts: gets its program, digests, users, unit and control group; what cannot
 *	be found out, or not by this user, is unknown. The texts are never freed:
 *	they are for a program that ends after this.
 *
 * What root could have made up in a mount namespace of his own, the program's
 * path, is taken as the kernel shows it here.
 *
 * Return: 0, or an exit code, having complained, if there is no such process.
 */
int process_facts_read(pid_t pid, struct policy_facts *facts);

#endif /* _TRUSTGATE_PROCESS_FACTS_H */
