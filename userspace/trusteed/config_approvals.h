/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the keys of a volume that say who has to approve, for config.c.
 */
#ifndef _TRUSTEED_CONFIG_APPROVALS_H
#define _TRUSTEED_CONFIG_APPROVALS_H

#include "config.h"
#include "config_yaml.h"

/* Each reads a key into a struct config_volume, as struct config_key says. */
int config_volume_tenants(struct config_reader *reader, yaml_node_t *node, void *into);
int config_volume_approvals(struct config_reader *reader, yaml_node_t *node, void *into);
int config_volume_break_glass(struct config_reader *reader, yaml_node_t *node, void *into);
int config_volume_pending(struct config_reader *reader, yaml_node_t *node, void *into);

/* Whether volume @index, at @item, can have what it demands. Returns 0 or -EINVAL. */
int config_check_approvals(struct config_reader *reader, const struct config *config, size_t index,
			   yaml_node_t *item);

#endif
