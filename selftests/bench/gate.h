/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Benchmark - bringing the gate into the state to be measured.
 *
 * Owns: the agent's connection, and the volume and grants of the benchmark.
 *
 * Must not own: the measuring. Each function ends the program if it fails.
 */
#ifndef _GATE_H
#define _GATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * gate_load() - load the modules; no volume is protected yet
 */
void gate_load(void);

/**
 * gate_protect() - become the agent and protect a filesystem
 * @path: its mount point
 */
void gate_protect(const char *path);

/**
 * gate_unprotect() - end that
 */
void gate_unprotect(void);

/**
 * gate_record() - switch the recording of allowed accesses
 * @allowed: to this
 */
void gate_record(bool allowed);

/**
 * gate_answer() - have opens ask, and a child of ours grant what they ask for
 *
 * The child is the agent until gate_answer_no_more().
 */
void gate_answer(void);

/**
 * gate_answer_no_more() - end the child, and asking
 */
void gate_answer_no_more(void);

/**
 * gate_grant_file() - grant a process everything on one file
 * @pid: subject
 * @path: relative to the volume
 * @max_uses: 0 for any number
 */
void gate_grant_file(pid_t pid, const char *path, uint32_t max_uses);

/**
 * gate_grant_subtree() - grant a process everything below a directory
 * @pid: subject
 * @path: relative to the volume
 * @descendants: also what it forks from now on
 */
void gate_grant_subtree(pid_t pid, const char *path, bool descendants);

/**
 * gate_revoke() - end all grants of a process
 * @pid: subject
 */
void gate_revoke(pid_t pid);

/**
 * gate_prepare_crowd() - open the files that the crowd's grants are for
 * @directory: an existing directory of the volume-to-be, as an absolute path
 *
 * Before gate_protect(), as it makes files.
 */
void gate_prepare_crowd(const char *directory);

/**
 * gate_add_crowd() - have a million grants of others live
 *
 * Return: how many grants are live then.
 */
uint64_t gate_add_crowd(void);

/**
 * gate_drain() - take the agent's events off its socket
 *
 * A full socket would make handing out an event something else.
 */
void gate_drain(void);

#endif /* _GATE_H */
