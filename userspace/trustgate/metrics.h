/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - what is measured.
 *
 * Owns: the names, types and meanings of all metrics, and where each comes from.
 *
 * Must not own: asking (verb_metrics.c), the format (exposition.c).
 */
#ifndef _TRUSTGATE_METRICS_H
#define _TRUSTGATE_METRICS_H

#include <stdio.h>

#include <systemd/sd-json.h>

/**
 * struct measured - what was found out
 * @status: as Status replies, of the agent or of the kernel; NULL if neither
 *	could be asked, then the others are NULL, too
 * @volumes: as ListVolumes replies
 * @agent: as Metrics replies; NULL if the agent could not be asked
 * @kept: see kernel_kept(); NULL if the kernel could not be asked
 */
struct measured {
	sd_json_variant *status;
	sd_json_variant *volumes;
	sd_json_variant *agent;
	sd_json_variant *kept;
};

/**
 * metrics_write() - write all of it
 * @measured: a metric whose source is missing is left out
 * @stream: where to
 */
void metrics_write(const struct measured *measured, FILE *stream);

#endif /* _TRUSTGATE_METRICS_H */
