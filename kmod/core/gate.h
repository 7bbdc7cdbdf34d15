/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the gate as a whole: idle, armed or broken.
 *
 * Owns: when hooks are attached and detached, the repeated proof that they
 * run, and the steps by which a volume comes under protection and leaves it.
 *
 * Must not own: how hooks are placed (arm.h); the table of volumes.
 */
#ifndef _TRUSTGATE_GATE_H
#define _TRUSTGATE_GATE_H

#include <linux/types.h>

#include "volume.h"

/**
 * trustgate_gate_init() - watch for a reboot
 *
 * Return: 0 or -errno.
 */
int trustgate_gate_init(void);

/**
 * trustgate_gate_exit() - stop watching and proving, release what is left
 *
 * Waits until every filesystem is let go.
 *
 * Context: process, may sleep; no hook can run any more.
 */
void trustgate_gate_exit(void);

/**
 * trustgate_gate_protect() - bring a filesystem under protection
 * @path: root of the filesystem, as mounted
 * @name: of the new volume
 * @settings: validated by the caller
 * @extack: gets the cause of a refusal
 *
 * The first volume attaches the hooks, and the first that hides its metadata
 * those for that, after which a proof must succeed.
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: the volume, or ERR_PTR as trustgate_volume_create() or: -ENOTCONN no
 * carrier, -errno of the carrier.
 */
struct trustgate_volume *
trustgate_gate_protect(const struct path *path, const char *name,
		       const struct trustgate_settings *settings,
		       struct netlink_ext_ack *extack);

/**
 * trustgate_gate_configure() - change a volume's settings
 * @volume: volume
 * @settings: all of them; validated by the caller
 * @extack: gets the cause of a refusal
 *
 * The first volume that hides its metadata attaches the hooks for it, after
 * which a proof must succeed; until then nothing is changed.
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: 0; or as trustgate_gate_protect() with nothing changed.
 */
int trustgate_gate_configure(struct trustgate_volume *volume,
			     const struct trustgate_settings *settings,
			     struct netlink_ext_ack *extack);

/**
 * trustgate_gate_release() - end a volume's grants and its protection
 * @volume: volume; freed
 *
 * What takes long comes after the return: its filesystem is let go, and, if it
 * was the last volume, or the last to hide its metadata, hooks are detached. See
 * trustgate_gate_settle().
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: how many grants were ended.
 */
u64 trustgate_gate_release(struct trustgate_volume *volume);

/**
 * trustgate_gate_settle() - wait for what releasing volumes has set going
 *
 * So that who released the last volume may unload the module or use its device
 * next. Gives up after ten seconds, or when the caller is killed: a device
 * that hangs is no reason to keep others waiting.
 *
 * Context: process, may sleep, trustgate_mutex not held.
 */
void trustgate_gate_settle(void);

/**
 * trustgate_gate_bury() - release volumes whose filesystem is gone
 *
 * Context: process, may sleep, trustgate_mutex held.
 */
void trustgate_gate_bury(void);

/**
 * struct trustgate_gate_report - how the gate is
 * @state: enum trustgate_gate_state
 * @proofs: successful proofs so far
 * @proof_boottime_ns: end of the last successful one, 0 if there was none
 * @attached: mask of attached hooks
 */
struct trustgate_gate_report {
	u32 state;
	u64 proofs;
	u64 proof_boottime_ns;
	u64 attached;
};

/**
 * trustgate_gate_report() - how the gate is
 * @report: result
 *
 * Context: trustgate_mutex held.
 */
void trustgate_gate_report(struct trustgate_gate_report *report);

#endif /* _TRUSTGATE_GATE_H */
