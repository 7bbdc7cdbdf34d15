/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - single values of the configuration.
 *
 * Each reads @node into what follows and returns 0, or -errno after a
 * complaint. Texts and lists belong to the caller, on failure, too.
 */
#ifndef _TRUSTEED_CONFIG_VALUE_H
#define _TRUSTEED_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "config_yaml.h"

/* The kernel's word for no login user, which is the id of no user. */
#define CONFIG_NO_USER	((uid_t)-1)

int config_out_of_memory(struct config_reader *reader, const yaml_node_t *node);
int config_read_text(struct config_reader *reader, yaml_node_t *node,
		     const char *wanted, char **ret_text);
int config_read_access(struct config_reader *reader, yaml_node_t *node, uint32_t *ret);
int config_read_reasons(struct config_reader *reader, yaml_node_t *node, uint32_t *ret);
int config_read_record(struct config_reader *reader, yaml_node_t *node, uint32_t *ret);
/* "open" or "closed" */
int config_read_open(struct config_reader *reader, yaml_node_t *node, bool *ret);
/* "strict" or "normal" */
int config_read_strict(struct config_reader *reader, yaml_node_t *node, bool *ret);
int config_read_required(struct config_reader *reader, yaml_node_t *node, bool *ret);
int config_read_on_agent_loss(struct config_reader *reader, yaml_node_t *node,
			      uint32_t *ret);
int config_read_on_end(struct config_reader *reader, yaml_node_t *node, uint32_t *ret);
int config_read_metadata(struct config_reader *reader, yaml_node_t *node, uint32_t *ret);
int config_read_reason(struct config_reader *reader, yaml_node_t *node, uint32_t *ret);
/* "true" or "false" */
int config_read_bool(struct config_reader *reader, yaml_node_t *node, bool *ret);
int config_read_duration(struct config_reader *reader, yaml_node_t *node,
			 uint64_t *ret_ns);
int config_read_path(struct config_reader *reader, yaml_node_t *node, char **ret);
int config_read_users(struct config_reader *reader, yaml_node_t *node,
		      struct config_user **users, size_t *count);
/* The same, and "none", which is CONFIG_NO_USER, for who has not logged in. */
int config_read_login_users(struct config_reader *reader, yaml_node_t *node,
			    struct config_user **users, size_t *count);

#endif
