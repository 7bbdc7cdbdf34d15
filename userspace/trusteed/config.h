/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - what /etc/trustgate/trusteed.yaml says.
 *
 * Owns: the configuration as data, checked in itself and against the list of
 * users, and the text of every complaint about the file.
 *
 * Must not own: anything of the running agent. A loaded configuration is never
 * changed; a reload replaces it as a whole.
 */
#ifndef _TRUSTEED_CONFIG_H
#define _TRUSTEED_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Shorter standing grants could not be renewed in time on a busy machine. */
#define CONFIG_SERVICE_MIN_NS	UINT64_C(2000000000)

/**
 * struct config_user - a user that the file names
 * @uid: the user
 * @name: as written
 */
struct config_user {
	uid_t uid;
	char *name;
};

/**
 * struct config_rule - who may ask for a grant to himself
 * @users: who
 * @users_count: how many
 * @path: relative to the volume's root, normalised; "." is the whole volume
 * @access: mask of enum trustgate_access that may be asked for
 * @duration_ns: longest duration that may be asked for
 * @reasons: bits 1 << enum trustgate_reason
 */
struct config_rule {
	struct config_user *users;
	size_t users_count;
	char *path;
	uint32_t access;
	uint64_t duration_ns;
	uint32_t reasons;
};

/* Every access is on record, unless somebody says otherwise. */
#define VOLUME_RECORD_DEFAULT	TRUSTGATE_RECORD_ALLOWED

#define VOLUME_PENDING_DEFAULT_NS	UINT64_C(3600000000000)
/* More people than that agree about nothing. */
#define VOLUME_APPROVALS_MAX		16

/**
 * struct config_volume - a volume to protect
 * @name: unique
 * @path: where it is mounted
 * @max_duration_ns: 0 for the kernel's default
 * @on_agent_loss: enum trustgate_on_agent_loss
 * @record: mask of enum trustgate_record
 * @metadata: enum trustgate_metadata
 * @least_on_end: enum trustgate_on_end, below which no grant is
 * @ask_ns: how long an open that no grant allows waits for an answer, 0 if it is
 *	denied at once
 * @audit_strict: no access that cannot be recorded in the account
 * @supervision_required: every grant given by a person has to be supervised
 * @lower_open: leave the devices below its device open
 * @tenants: the tenant's people; none of them is a trustee
 * @tenants_count: how many
 * @need_trustees: how many trustees have to approve a request
 * @need_tenants: and how many of @tenants
 * @pending_ns: how long a request that no open waits for waits for approval
 * @glass_users: who may break the glass
 * @glass_users_count: how many
 * @glass_ns: for how long
 * @rules: self-grants
 * @rules_count: how many
 */
struct config_volume {
	char *name;
	char *path;
	uint64_t max_duration_ns;
	uint32_t on_agent_loss;
	uint32_t record;
	uint32_t metadata;
	uint32_t least_on_end;
	uint64_t ask_ns;
	bool audit_strict;
	bool supervision_required;
	bool lower_open;
	struct config_user *tenants;
	size_t tenants_count;
	uint32_t need_trustees;
	uint32_t need_tenants;
	uint64_t pending_ns;
	struct config_user *glass_users;
	size_t glass_users_count;
	uint64_t glass_ns;
	struct config_rule *rules;
	size_t rules_count;
};

/**
 * struct config_service - a standing grant
 * @unit: systemd unit
 * @volume: name of a configured volume
 * @path: as in struct config_rule
 * @access: mask of enum trustgate_access
 * @duration_ns: length of each of the grants that make up the standing one
 * @on_end: enum trustgate_on_end
 * @on_end_given: it is in the file; else it is the least of the volume
 * @key: hash of @unit, @volume, @path and @access, the same in every run of the
 *	agent: by it a restarted agent knows its grants
 */
struct config_service {
	char *unit;
	char *volume;
	char *path;
	uint32_t access;
	uint64_t duration_ns;
	uint32_t on_end;
	bool on_end_given;
	uint64_t key;
};

/**
 * struct config - the file
 * @trustees: who may do everything
 * @trustees_count: how many
 * @policy: file with the rules by which opens that wait are answered, or NULL
 * @volumes: to protect
 * @volumes_count: how many
 * @services: standing grants
 * @services_count: how many
 */
struct config {
	struct config_user *trustees;
	size_t trustees_count;
	char *policy;
	struct config_volume *volumes;
	size_t volumes_count;
	struct config_service *services;
	size_t services_count;
};

#define CONFIG_ERROR_SIZE 1024

/* config.c */

/**
 * config_load() - read and check a configuration
 * @path: file
 * @ret_config: to be freed with config_free()
 * @error: on failure one line "FILE:LINE: KEY: what is wrong and the cure"
 *
 * Return: 0, -ENOMEM, -EINVAL for what the file says, or the error of reading
 * it; -EPERM if others than its owner may write it.
 */
int config_load(const char *path, struct config **ret_config,
		char error[CONFIG_ERROR_SIZE]);

/* config_query.c */

void config_free(struct config *config);

const struct config_volume *config_find_volume(const struct config *config,
					       const char *name);
bool config_is_trustee(const struct config *config, uid_t uid);
/* Of a volume; of any if @volume is NULL. */
bool config_is_tenant(const struct config *config, const char *volume, uid_t uid);

/**
 * config_user_name() - a name for a uid without asking the system
 * @config: current configuration
 * @uid: user
 *
 * Return: the name as the file has it, "root" for 0, else NULL. Asking NSS here
 * could block the agent on a directory service.
 */
const char *config_user_name(const struct config *config, uid_t uid);

bool config_users_have(const struct config_user *users, size_t count, uid_t uid);

/* Whether any rule of the volume names the user. */
bool config_may_self_grant(const struct config *config, const char *volume, uid_t uid);

/**
 * config_may_know() - whether a user may learn if there is such a path
 * @config: current configuration
 * @name: volume
 * @uid: who asks
 * @path: as he wrote it
 *
 * The agent sees files that he need not see.
 *
 * Return: true if one of his rules is for it.
 */
bool config_may_know(const struct config *config, const char *name, uid_t uid,
		     const char *path);

/**
 * config_service_key() - the identity of a standing grant
 * @service: with unit, volume, path and access set
 *
 * Return: what @key of struct config_service says.
 */
uint64_t config_service_key(const struct config_service *service);

/* config_path.c */

/**
 * config_volume_name_check() - check the name of a volume
 * @name: as written
 *
 * Return: NULL, or what is wrong with it.
 */
const char *config_volume_name_check(const char *name);

/**
 * config_path_check() - check and normalise a path inside a volume
 * @text: as written, such as "db/" or "."
 * @ret_path: without doubled and trailing slashes and "." components; "." for
 *	the volume's root. To be freed.
 * @ret_directory: the text demands a directory (trailing slash or "."); may be
 *	NULL
 *
 * Return: NULL, or what is wrong with it.
 */
const char *config_path_check(const char *text, char **ret_path,
			      bool *ret_directory);

/**
 * config_unit_name_valid() - whether a text can be the name of a service
 * @name: text
 *
 * Return: true for "NAME.service" with the characters systemd allows.
 */
bool config_unit_name_valid(const char *name);

#endif
