// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - looking things up in a loaded configuration.
 *
 * Owns: lookups, the identity of a standing grant, release of the memory.
 *
 * Must not own: reading the file.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"

static void free_users(struct config_user *users, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(users[i].name);
	free(users);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	free_users(config->trustees, config->trustees_count);
	free(config->policy);
	for (size_t i = 0; i < config->volumes_count; i++) {
		struct config_volume *volume = &config->volumes[i];

		for (size_t j = 0; j < volume->rules_count; j++) {
			free_users(volume->rules[j].users, volume->rules[j].users_count);
			free(volume->rules[j].path);
		}
		free(volume->rules);
		free_users(volume->tenants, volume->tenants_count);
		free_users(volume->glass_users, volume->glass_users_count);
		free(volume->name);
		free(volume->path);
	}
	free(config->volumes);
	for (size_t i = 0; i < config->services_count; i++) {
		free(config->services[i].unit);
		free(config->services[i].volume);
		free(config->services[i].path);
	}
	free(config->services);
	free(config);
}

const struct config_volume *config_find_volume(const struct config *config,
					       const char *name)
{
	for (size_t i = 0; i < config->volumes_count; i++)
		if (!strcmp(config->volumes[i].name, name))
			return &config->volumes[i];
	return NULL;
}

bool config_users_have(const struct config_user *users, size_t count, uid_t uid)
{
	for (size_t i = 0; i < count; i++)
		if (users[i].uid == uid)
			return true;
	return false;
}

bool config_is_trustee(const struct config *config, uid_t uid)
{
	return config_users_have(config->trustees, config->trustees_count, uid);
}

bool config_is_tenant(const struct config *config, const char *name, uid_t uid)
{
	for (size_t i = 0; i < config->volumes_count; i++) {
		const struct config_volume *volume = &config->volumes[i];

		if ((!name || !strcmp(volume->name, name)) &&
		    config_users_have(volume->tenants, volume->tenants_count, uid))
			return true;
	}
	return false;
}

bool config_may_self_grant(const struct config *config, const char *name, uid_t uid)
{
	const struct config_volume *volume = config_find_volume(config, name);

	for (size_t i = 0; volume && i < volume->rules_count; i++)
		if (config_users_have(volume->rules[i].users,
				      volume->rules[i].users_count, uid))
			return true;
	return false;
}

/* Whether @path is @above or reads as something beneath it; both normalised. */
static bool reads_beneath(const char *path, const char *above)
{
	size_t length = strlen(above);

	return !strcmp(above, ".") ||
	       (!strncmp(path, above, length) && (path[length] == '/' || !path[length]));
}

bool config_may_know(const struct config *config, const char *name, uid_t uid,
		     const char *path)
{
	const struct config_volume *volume = config_find_volume(config, name);
	bool may = false;
	char *normal;

	/* What is no path at all tells nothing about files. */
	if (config_path_check(path, &normal, NULL))
		return true;
	for (size_t i = 0; volume && i < volume->rules_count; i++) {
		const struct config_rule *rule = &volume->rules[i];

		may = may || (config_users_have(rule->users, rule->users_count, uid) &&
			      reads_beneath(normal, rule->path));
	}
	free(normal);
	return may;
}

static const char *name_among(const struct config_user *users, size_t count, uid_t uid)
{
	for (size_t i = 0; i < count; i++)
		if (users[i].uid == uid)
			return users[i].name;
	return NULL;
}

const char *config_user_name(const struct config *config, uid_t uid)
{
	const char *name;

	name = name_among(config->trustees, config->trustees_count, uid);
	for (size_t i = 0; !name && i < config->volumes_count; i++) {
		const struct config_volume *volume = &config->volumes[i];

		name = name_among(volume->tenants, volume->tenants_count, uid);
		if (!name)
			name = name_among(volume->glass_users, volume->glass_users_count, uid);
		for (size_t j = 0; !name && j < volume->rules_count; j++)
			name = name_among(volume->rules[j].users,
					  volume->rules[j].users_count, uid);
	}
	if (!name && uid == 0)
		name = "root";
	return name;
}

/* FNV-1a: stable over versions and cheap; collisions only within one file. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	do {
		hash ^= (unsigned char)*text;
		hash *= UINT64_C(0x100000001b3);
	} while (*text++);
	return hash;
}

uint64_t config_service_key(const struct config_service *service)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = hash_text(hash, service->unit);
	hash = hash_text(hash, service->volume);
	hash = hash_text(hash, service->path);
	hash ^= service->access;
	hash *= UINT64_C(0x100000001b3);
	return hash;
}
