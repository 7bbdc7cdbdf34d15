// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the keys of the configuration and what they must be.
 *
 * Owns: the tables of keys and the checks between values.
 *
 * Must not own: YAML (config_yaml.c), single values (config_value.c), the
 * running agent.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <trustgate.h>

#include "config.h"
#include "config_approvals.h"
#include "config_value.h"
#include "config_yaml.h"

/* ---- self-grants ---- */

static int rule_users(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_rule *rule = into;

	return config_read_users(reader, node, &rule->users, &rule->users_count);
}

static int rule_path(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_path(reader, node, &((struct config_rule *)into)->path);
}

static int rule_access(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_access(reader, node, &((struct config_rule *)into)->access);
}

static int rule_for(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_duration(reader, node, &((struct config_rule *)into)->duration_ns);
}

static int rule_reasons(struct config_reader *reader, yaml_node_t *node, void *into)
{
	uint32_t *reasons = &((struct config_rule *)into)->reasons;
	int r = config_read_reasons(reader, node, reasons);

	if (r == 0 && *reasons & UINT32_C(1) << TRUSTGATE_REASON_LEGAL_ORDER)
		return config_complain(reader, node,
				       "legal-order needs to be approved, with the reference of the order");
	return r;
}

static const struct config_key rule_keys[] = {
	{ "users", true, rule_users },
	{ "path", true, rule_path },
	{ "access", true, rule_access },
	{ "for", true, rule_for },
	{ "reasons", true, rule_reasons },
	{ }
};

static int read_rule(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return config_read_mapping(reader, node, rule_keys, entry);
}

/* ---- volumes ---- */

static int volume_name(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_volume *volume = into;
	const char *wrong;
	int r;

	r = config_read_text(reader, node, "a name", &volume->name);
	if (r < 0)
		return r;
	wrong = config_volume_name_check(volume->name);
	if (wrong)
		return config_complain(reader, node, "\"%.80s\" %s", volume->name, wrong);
	return 0;
}

static int volume_path(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_volume *volume = into;
	int r;

	r = config_read_text(reader, node, "an absolute path", &volume->path);
	if (r < 0)
		return r;
	if (volume->path[0] != '/')
		return config_complain(reader, node,
				       "\"%.128s\" is not an absolute path",
				       volume->path);
	if (strlen(volume->path) > TRUSTGATE_PATH_MAX)
		return config_complain(reader, node, "is longer than %d bytes",
				       TRUSTGATE_PATH_MAX);
	return 0;
}

static int volume_max_duration(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_duration(reader, node, &((struct config_volume *)into)->max_duration_ns);
}

static int volume_on_agent_loss(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_on_agent_loss(reader, node,
					 &((struct config_volume *)into)->on_agent_loss);
}

static int volume_record(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_record(reader, node, &((struct config_volume *)into)->record);
}

static int volume_metadata(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_metadata(reader, node, &((struct config_volume *)into)->metadata);
}

static int volume_least_on_end(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_on_end(reader, node, &((struct config_volume *)into)->least_on_end);
}

static int volume_ask(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_volume *volume = into;
	int r = config_read_duration(reader, node, &volume->ask_ns);

	if (r < 0)
		return r;
	if (volume->ask_ns > TRUSTGATE_ASK_MAX_NS)
		return config_complain(reader, node, "is longer than an open may wait, which is 1h");
	return 0;
}

static int volume_audit(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_strict(reader, node, &((struct config_volume *)into)->audit_strict);
}

static int volume_supervision(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_required(reader, node,
				    &((struct config_volume *)into)->supervision_required);
}

static int volume_lower_devices(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_open(reader, node, &((struct config_volume *)into)->lower_open);
}

static int volume_self_grants(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_volume *volume = into;

	return config_read_list(reader, node, (void **)&volume->rules,
				&volume->rules_count, sizeof(*volume->rules),
				read_rule);
}

static const struct config_key volume_keys[] = {
	{ "name", true, volume_name },
	{ "path", true, volume_path },
	{ "max-duration", false, volume_max_duration },
	{ "on-agent-loss", false, volume_on_agent_loss },
	{ "record", false, volume_record },
	{ "metadata", false, volume_metadata },
	{ "least-on-end", false, volume_least_on_end },
	{ "ask", false, volume_ask },
	{ "audit", false, volume_audit },
	{ "supervision", false, volume_supervision },
	{ "lower-devices", false, volume_lower_devices },
	{ "tenants", false, config_volume_tenants },
	{ "approvals", false, config_volume_approvals },
	{ "pending", false, config_volume_pending },
	{ "break-glass", false, config_volume_break_glass },
	{ "self-grants", false, volume_self_grants },
	{ }
};

static int read_volume(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	struct config_volume *volume = entry;
	int r;

	volume->on_agent_loss = TRUSTGATE_ON_AGENT_LOSS_HOLD;
	volume->record = VOLUME_RECORD_DEFAULT;
	volume->metadata = TRUSTGATE_METADATA_OPEN;
	volume->least_on_end = TRUSTGATE_ON_END_DENY_IO;
	volume->need_trustees = 1;
	volume->pending_ns = VOLUME_PENDING_DEFAULT_NS;
	r = config_read_mapping(reader, node, volume_keys, volume);
	if (r < 0)
		return r;
	if (volume->supervision_required && !(volume->record & TRUSTGATE_RECORD_ALLOWED))
		return config_complain(reader, node,
				       "supervision is required, but record lacks \"allowed\": nobody would see what is done");
	for (size_t i = 0; volume->max_duration_ns && i < volume->rules_count; i++)
		if (volume->rules[i].duration_ns > volume->max_duration_ns)
			return config_complain(reader, node,
					       "self-grants[%zu].for is longer than max-duration",
					       i);
	return 0;
}

/* ---- services ---- */

static int service_unit(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_service *service = into;
	int r;

	r = config_read_text(reader, node, "the name of a unit", &service->unit);
	if (r < 0)
		return r;
	if (!config_unit_name_valid(service->unit))
		return config_complain(reader, node,
				       "\"%.128s\" is not the full name of a service, such as postgresql.service",
				       service->unit);
	return 0;
}

static int service_volume(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_text(reader, node, "the name of a volume",
			 &((struct config_service *)into)->volume);
}

static int service_path(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_path(reader, node, &((struct config_service *)into)->path);
}

static int service_access(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_access(reader, node, &((struct config_service *)into)->access);
}

static int service_for(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_service *service = into;
	int r;

	r = config_read_duration(reader, node, &service->duration_ns);
	if (r < 0)
		return r;
	if (service->duration_ns < CONFIG_SERVICE_MIN_NS)
		return config_complain(reader, node,
				       "is too short to be renewed in time; at least 2s");
	return 0;
}

static int service_on_end(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config_service *service = into;

	service->on_end_given = true;
	return config_read_on_end(reader, node, &service->on_end);
}

static const struct config_key service_keys[] = {
	{ "unit", true, service_unit },
	{ "volume", true, service_volume },
	{ "path", true, service_path },
	{ "access", true, service_access },
	{ "for", true, service_for },
	{ "on-end", false, service_on_end },
	{ }
};

static int read_service(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	struct config_service *service = entry;
	int r;

	r = config_read_mapping(reader, node, service_keys, service);
	if (r == 0)
		service->key = config_service_key(service);
	return r;
}

/* ---- the file ---- */

static int file_trustees(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config *config = into;

	return config_read_users(reader, node, &config->trustees, &config->trustees_count);
}

static int file_policy(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config *config = into;
	int r = config_read_text(reader, node, "an absolute path", &config->policy);

	if (r < 0)
		return r;
	if (config->policy[0] != '/')
		return config_complain(reader, node, "\"%.128s\" is not an absolute path",
				       config->policy);
	return 0;
}

/* Where the lists are, for the comparisons that need the whole file. */
struct places {
	yaml_node_t *volumes;
	yaml_node_t *services;
};

static int file_volumes(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config *config = into;

	((struct places *)reader->data)->volumes = node;
	return config_read_list(reader, node, (void **)&config->volumes,
				&config->volumes_count, sizeof(*config->volumes),
				read_volume);
}

static int file_services(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct config *config = into;

	((struct places *)reader->data)->services = node;
	return config_read_list(reader, node, (void **)&config->services,
				&config->services_count,
				sizeof(*config->services), read_service);
}

static const struct config_key file_keys[] = {
	{ "trustees", false, file_trustees },
	{ "policy", false, file_policy },
	{ "volumes", false, file_volumes },
	{ "services", false, file_services },
	{ }
};

static int check_volumes(struct config_reader *reader, const struct config *config)
{
	const struct places *places = reader->data;

	for (size_t i = 0; i < config->volumes_count; i++) {
		const struct config_volume *volume = &config->volumes[i];
		yaml_node_t *item = config_list_item(reader, places->volumes, i);
		int r = config_check_approvals(reader, config, i, item);

		if (r < 0)
			return r;
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(volume->name, config->volumes[j].name))
				return config_complain(reader, item,
						       "volumes[%zu].name: \"%s\" is the name of volumes[%zu], too",
						       i, volume->name, j);
			if (!strcmp(volume->path, config->volumes[j].path))
				return config_complain(reader, item,
						       "volumes[%zu].path: \"%.256s\" is the path of volumes[%zu], too",
						       i, volume->path, j);
		}
	}
	return 0;
}

static int check_services(struct config_reader *reader, const struct config *config)
{
	const struct places *places = reader->data;

	for (size_t i = 0; i < config->services_count; i++) {
		const struct config_service *service = &config->services[i];
		yaml_node_t *item = config_list_item(reader, places->services, i);
		const struct config_volume *volume;

		volume = config_find_volume(config, service->volume);
		if (!volume)
			return config_complain(reader, item,
					       "services[%zu].volume: there is no volume \"%.64s\" in this file",
					       i, service->volume);
		if (volume->max_duration_ns &&
		    service->duration_ns > volume->max_duration_ns)
			return config_complain(reader, item,
					       "services[%zu].for: is longer than max-duration of volume \"%s\"",
					       i, volume->name);
		if (service->on_end_given && service->on_end < volume->least_on_end)
			return config_complain(reader, item,
					       "services[%zu].on-end: is less than least-on-end of volume \"%s\"",
					       i, volume->name);
		for (size_t j = 0; j < i; j++)
			if (config->services[j].key == service->key)
				return config_complain(reader, item,
						       "services[%zu]: is the same as services[%zu]",
						       i, j);
	}
	return 0;
}

int config_load(const char *path, struct config **ret_config,
		char error[CONFIG_ERROR_SIZE])
{
	struct config_reader reader;
	struct places places = { 0 };
	struct config *config;
	yaml_node_t *root = NULL;
	int r;

	error[0] = '\0';
	r = config_reader_open(&reader, path, "trusteed.yaml(5)", error, &root);
	if (r < 0)
		return r;

	reader.data = &places;
	config = calloc(1, sizeof(*config));
	if (!config) {
		r = config_out_of_memory(&reader, NULL);
		config_reader_close(&reader);
		return r;
	}
	if (root)
		r = config_read_mapping(&reader, root, file_keys, config);
	if (r == 0)
		r = check_volumes(&reader, config);
	if (r == 0)
		r = check_services(&reader, config);
	config_reader_close(&reader);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}
