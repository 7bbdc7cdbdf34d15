// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the keys of a volume that say who has to approve.
 *
 * Owns: tenants, approvals, pending and break-glass, and whether they can be
 * fulfilled.
 *
 * Must not own: the other keys (config.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_approvals.h"
#include "config_value.h"

int config_volume_tenants(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_volume *volume = into;

	return config_read_users(reader, node, &volume->tenants, &volume->tenants_count);
}

int config_volume_pending(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_duration(reader, node, &((struct config_volume *)into)->pending_ns);
}

static int glass_users(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_volume *volume = into;

	return config_read_users(reader, node, &volume->glass_users, &volume->glass_users_count);
}

static int glass_for(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_duration(reader, node, &((struct config_volume *)into)->glass_ns);
}

int config_volume_break_glass(struct config_reader *reader, yaml_node_t *node, void *into)
{
	static const struct config_key keys[] = {
		{ "users", true, glass_users },
		{ "for", true, glass_for },
		{ }
	};

	return config_read_mapping(reader, node, keys, into);
}

static int read_count(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	const char *text = config_scalar(reader, node, "a number of people");
	unsigned long number;
	char *end;

	if (!text)
		return -EINVAL;
	number = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || number > VOLUME_APPROVALS_MAX)
		return config_complain(reader, node, "\"%.64s\" is not a number from 0 to %d", text,
				       VOLUME_APPROVALS_MAX);
	*ret = number;
	return 0;
}

static int need_trustees(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return read_count(reader, node, &((struct config_volume *)into)->need_trustees);
}

static int need_tenants(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return read_count(reader, node, &((struct config_volume *)into)->need_tenants);
}

/* "2", which means trustees, or "{trustee: 1, tenant: 1}". */
int config_volume_approvals(struct config_reader *reader, yaml_node_t *node, void *into)
{
	static const struct config_key keys[] = {
		{ "trustee", false, need_trustees },
		{ "tenant", false, need_tenants },
		{ }
	};
	struct config_volume *volume = into;
	int r;

	if (node->type == YAML_SCALAR_NODE) {
		r = read_count(reader, node, &volume->need_trustees);
	} else {
		volume->need_trustees = 0;
		r = config_read_mapping(reader, node, keys, volume);
	}
	if (r == 0 && !volume->need_trustees && !volume->need_tenants)
		return config_complain(reader, node, "somebody has to approve: at least one trustee or tenant");
	return r;
}

int config_check_approvals(struct config_reader *reader, const struct config *config, size_t index,
			   yaml_node_t *item)
{
	const struct config_volume *volume = &config->volumes[index];

	for (size_t i = 0; i < volume->tenants_count; i++)
		if (config_is_trustee(config, volume->tenants[i].uid))
			return config_complain(reader, item,
					       "volumes[%zu].tenants: \"%.64s\" is a trustee, too, and would be both sides",
					       index, volume->tenants[i].name);
	if (volume->max_duration_ns && volume->glass_ns > volume->max_duration_ns)
		return config_complain(reader, item,
				       "volumes[%zu].break-glass.for is longer than max-duration",
				       index);
	if (volume->need_tenants > volume->tenants_count)
		return config_complain(reader, item,
				       "volumes[%zu].approvals: %u of the tenant's people have to approve, and tenants names %zu",
				       index, (unsigned int)volume->need_tenants,
				       volume->tenants_count);
	/* Without any trustees nobody decides about anything, which is said elsewhere. */
	if (volume->need_trustees > 1 && volume->need_trustees > config->trustees_count)
		return config_complain(reader, item,
				       "volumes[%zu].approvals: %u trustees have to approve, and trustees names %zu",
				       index, (unsigned int)volume->need_trustees,
				       config->trustees_count);
	return 0;
}
