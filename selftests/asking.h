/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * asking - a volume whose opens are put to the agent, and processes that open.
 *
 * Owns: what tests of requests begin with, and what an agent does about one.
 *
 * Must not own: what is tested.
 */
#ifndef ASKING_H
#define ASKING_H

#include "actor.h"
#include "gate.h"

/**
 * asking_volume() - make a volume and protect it, asking
 * @gate: open
 * @volume: filled
 * @fstype: as for volume_make()
 * @ask_ns: how long opens wait
 *
 * Return: 0 or -errno.
 */
int asking_volume(struct gate *gate, struct volume *volume, const char *fstype,
		  uint64_t ask_ns);

/**
 * asking_for() - change how long opens wait
 * @gate: open
 * @volume: protected
 * @ask_ns: 0 for not at all
 *
 * Return: 0 or -errno.
 */
int asking_for(struct gate *gate, const struct volume *volume, uint64_t ask_ns);

/**
 * asking_raised() - wait until somebody asks
 * @gate: open
 * @event: filled with what the agent is told; may be NULL
 *
 * Return: the request's id; 0 if nobody did in some seconds.
 */
uint64_t asking_raised(struct gate *gate, struct trustgate_event *event);

/**
 * asking_closed() - wait until a request is closed
 * @gate: open
 * @id: request; other events are dropped
 *
 * Return: enum trustgate_request_end; TRUSTGATE_REQUEST_END_OPEN if it was not in
 * some seconds.
 */
uint32_t asking_closed(struct gate *gate, uint64_t id);

/**
 * asking_grant() - give what is asked for, for an hour
 * @gate: open
 * @id: request
 *
 * Return: the grant's id, or 0 after saying what was wrong.
 */
uint64_t asking_grant(struct gate *gate, uint64_t id);

/**
 * asking_refuse() - refuse what is asked for
 * @gate: open
 * @id: request
 *
 * Return: 0, -ENOENT if it was not open, or another -errno.
 */
int asking_refuse(struct gate *gate, uint64_t id);

/**
 * asking_answer() - what to say by the channel to give what is asked for
 * @id: request
 *
 * Return: a grant for a minute.
 */
struct trustgate_answer asking_answer(uint64_t id);

/**
 * asking_refusal() - what to say by the channel to refuse it
 * @id: request
 *
 * Return: a refusal.
 */
struct trustgate_answer asking_refusal(uint64_t id);

/**
 * asking_exchange() - the system call by itself
 * @fd: channel
 * @raw: structure
 *
 * Return: 0 or -errno.
 */
int asking_exchange(int fd, struct trustgate_exchange *raw);

/**
 * asking_poll() - is there something to be taken?
 * @fd: channel
 *
 * Return: mask of POLLIN, POLLHUP and POLLERR; -1 if that failed.
 */
int asking_poll(int fd);

/**
 * asking_waiting() - how many threads wait for the answer?
 * @gate: open
 * @id: request
 *
 * Return: how many; -1 if it is not open.
 */
int asking_waiting(struct gate *gate, uint64_t id);

/**
 * asking_open() - how many requests are open?
 * @gate: open
 *
 * Return: how many, of all volumes.
 */
unsigned int asking_open(struct gate *gate);

#endif /* ASKING_H */
