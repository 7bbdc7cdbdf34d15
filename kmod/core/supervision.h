/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - grants that allow only while somebody supervises them.
 *
 * The agent says so for a short time ahead, and again before that is over. So a
 * grant is suspended by the clock, inline as with its expiry, if the agent
 * hangs, or dies and leaves its socket to another process.
 *
 * Owns: until when each of them is supervised; telling of suspended and resumed
 * ones.
 *
 * Must not own: who supervises (the agent); whether a grant allows
 * (decision.c); what becomes of mappings (ending.c).
 */
#ifndef _TRUSTGATE_SUPERVISION_H
#define _TRUSTGATE_SUPERVISION_H

#include <linux/types.h>

struct trustgate_grant;

/**
 * trustgate_supervision_begin() - a grant comes into force
 * @grant: inserted; nothing is done if it demands no supervision
 *
 * Context: trustgate_mutex held.
 */
void trustgate_supervision_begin(struct trustgate_grant *grant);

/**
 * trustgate_supervision_end() - a grant leaves the tables
 * @grant: begun or not
 *
 * Context: trustgate_mutex held.
 */
void trustgate_supervision_end(struct trustgate_grant *grant);

/**
 * trustgate_supervision_set() - say until when a grant is supervised
 * @grant: in force, with TRUSTGATE_GRANT_FLAGS_SUPERVISED
 * @until_ns: CLOCK_BOOTTIME; 0 suspends it
 *
 * A check that began before may still allow by what was true then: who has to
 * acknowledge a suspension calls synchronize_rcu() first.
 *
 * Context: process, trustgate_mutex held.
 * Return: whether it allows for less long than before.
 */
bool trustgate_supervision_set(struct trustgate_grant *grant, u64 until_ns);

/**
 * trustgate_supervision_lost() - suspend all grants that can be
 *
 * As trustgate_supervision_set().
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: how many were not suspended before.
 */
u64 trustgate_supervision_lost(void);

/**
 * trustgate_supervision_patrol() - tell of those that the clock has suspended
 *
 * Context: process, may sleep, trustgate_mutex not held.
 */
void trustgate_supervision_patrol(void);

#endif /* _TRUSTGATE_SUPERVISION_H */
