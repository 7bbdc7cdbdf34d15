/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - the kernel's own word, when the agent cannot be asked, or should not be.
 *
 * Owns: reading the gate, its volumes and what processes have of them, in the agent's
 * words.
 *
 * Must not own: changes: the agent alone may make them.
 */
#ifndef _TRUSTGATE_KERNEL_H
#define _TRUSTGATE_KERNEL_H

#include <systemd/sd-json.h>

/**
 * kernel_status() - the state of the gate
 * @ret: as the agent's Status has it, without what only the agent knows
 *
 * Return: 0 or an exit code, having complained.
 */
int kernel_status(sd_json_variant **ret);

/**
 * kernel_volumes() - the volumes
 * @ret: array, as the agent's ListVolumes has it, without their paths
 *
 * Return: 0 or an exit code, having complained.
 */
int kernel_volumes(sd_json_variant **ret);

/**
 * kernel_kept() - what processes have of the volumes
 * @ret: array with an object for each volume: volume, its name; processes, how many
 *	have something; files and mappings, what they have; filesDenied and
 *	mappingsDenied, what of it would be denied now
 *
 * The agent is not asked, so that nobody waits for it who waits for the agent.
 *
 * Return: 0 or an exit code, without a word: who may not ask the kernel does without.
 */
int kernel_kept(sd_json_variant **ret);

#endif /* _TRUSTGATE_KERNEL_H */
