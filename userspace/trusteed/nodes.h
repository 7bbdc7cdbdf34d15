/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - character devices that pass commands on to disks.
 *
 * Owns: finding those of a volume's disks in sysfs: SCSI's generic nodes and bsg,
 * NVMe's controllers and generic nodes.
 *
 * Must not own: which disks these are (lower.c).
 */
#ifndef NODES_H
#define NODES_H

#include <sys/types.h>

#include <trustgate.h>

/* Subsystems whose devices are to be followed, ended by NULL. */
extern const char *const nodes_subsystems[];

/**
 * struct nodes - those that were found
 * @devices: their numbers
 * @count: how many
 */
struct nodes {
	dev_t devices[TRUSTGATE_LOWER_DEVICES_MAX];
	size_t count;
};

/**
 * nodes_find() - find those of a volume
 * @volume: volume, on its own devices
 * @lower: devices further below
 * @count: how many
 * @nodes: filled, in rising order
 *
 * Return: 0 or -errno, -E2BIG if there are more than the kernel can be told.
 */
int nodes_find(const struct trustgate_volume *volume, const dev_t *lower, size_t count,
	       struct nodes *nodes);

#endif /* NODES_H */
