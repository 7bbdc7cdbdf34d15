/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate - cells of tables from fields of replies.
 *
 * Owns: text for one field of a reply.
 *
 * Must not own: which field goes into which column.
 */
#ifndef _TRUSTGATE_CELL_H
#define _TRUSTGATE_CELL_H

#include <systemd/sd-json.h>

#include "cli.h"

/*
 * Each returns text to be freed, NULL if the field is missing or there is no
 * memory. Nothing is escaped yet.
 */
char *cell_string(sd_json_variant *row, const char *field);
char *cell_number(sd_json_variant *row, const char *field);
char *cell_time(const struct cli *cli, sd_json_variant *row, const char *field);
/* The same for a time of the wall clock. */
char *cell_realtime(const struct cli *cli, sd_json_variant *row, const char *field);
char *cell_duration(sd_json_variant *row, const char *field);
/* Time from now until the field's, "0s" if it is over. */
char *cell_left(sd_json_variant *row, const char *field);
char *cell_names(sd_json_variant *row, const char *field);
/* What a grant is beyond its access, such as "descendants,keep-exec". */
char *cell_flags(sd_json_variant *row);
/* Checks that were granted, or those that were denied, whatever the cause. */
char *cell_counter(sd_json_variant *row, bool granted);
/* Checks that denied nothing, as the volume was observed. */
char *cell_observed(sd_json_variant *row);

#endif /* _TRUSTGATE_CELL_H */
