// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - the keys of a policy and what they must be, see policy.h.
 *
 * Owns: the tables of keys and the checks between rules.
 *
 * Must not own: YAML and values that trusteed.yaml has, too
 * (../trusteed/config_yaml.c, config_value.c), single texts (policy_text.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <trustgate.h>

#include "config_value.h"
#include "config_yaml.h"
#include "policy.h"

/* ---- conditions ---- */

/* A condition with a name in the singular is one value, or a list of them. */
static int read_some(struct config_reader *reader, yaml_node_t *node,
		     void **array, size_t *count, size_t size,
		     int (*read)(struct config_reader *reader,
				 yaml_node_t *node, void *entry))
{
	if (node->type != YAML_SCALAR_NODE)
		return config_read_list(reader, node, array, count, size, read);
	*array = calloc(1, size);
	if (!*array)
		return config_out_of_memory(reader, node);
	*count = 1;
	return read(reader, node, *array);
}

static int complain_twice(struct config_reader *reader, yaml_node_t *list, size_t index)
{
	return config_complain(reader, config_list_item(reader, list, index),
			       "the same is given twice");
}

static int check_texts(struct config_reader *reader, yaml_node_t *list,
		       const struct policy_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(texts->items[i], texts->items[j]))
				return complain_twice(reader, list, i);
	return 0;
}

static int read_checked(struct config_reader *reader, yaml_node_t *node, void *entry,
			const char *wanted, const char *(*check)(const char *text))
{
	char **text = entry;
	const char *wrong;
	int r;

	r = config_read_text(reader, node, wanted, text);
	if (r < 0)
		return r;
	wrong = check(*text);
	if (wrong)
		return config_complain(reader, node, "\"%.128s\" %s", *text, wrong);
	return 0;
}

static int read_exe(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return read_checked(reader, node, entry, "a program's absolute path",
			    policy_exe_check);
}

static int read_unit(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return read_checked(reader, node, entry, "the name of a unit", policy_unit_check);
}

static int read_cgroup(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return read_checked(reader, node, entry, "a control group", policy_cgroup_check);
}

static int read_path(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return config_read_path(reader, node, entry);
}

static int read_digest(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	const char *text = config_scalar(reader, node, "a digest such as sha256:HEX");
	const char *wrong;

	if (!text)
		return -EINVAL;
	wrong = policy_digest_parse(text, entry);
	if (wrong)
		return config_complain(reader, node, "\"%.96s\" %s", text, wrong);
	return 0;
}

static int rule_exe(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_texts *texts = &((struct policy_rule *)into)->exe;
	int r;

	((struct policy_rule *)into)->given |= 1U << POLICY_EXE;
	r = read_some(reader, node, (void **)&texts->items, &texts->count,
		      sizeof(*texts->items), read_exe);
	return r < 0 ? r : check_texts(reader, node, texts);
}

static int rule_digest(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;
	int r;

	rule->given |= 1U << POLICY_DIGEST;
	r = read_some(reader, node, (void **)&rule->digests, &rule->digests_count,
		      sizeof(*rule->digests), read_digest);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rule->digests_count; i++)
		for (size_t j = 0; j < i; j++)
			if (rule->digests[i].fsverity == rule->digests[j].fsverity &&
			    !memcmp(rule->digests[i].bytes, rule->digests[j].bytes,
				    POLICY_DIGEST_SIZE))
				return complain_twice(reader, node, i);
	return 0;
}

static int rule_users(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;

	rule->given |= 1U << POLICY_USERS;
	return config_read_users(reader, node, &rule->users, &rule->users_count);
}

static int rule_login_users(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;

	rule->given |= 1U << POLICY_LOGIN_USERS;
	return config_read_login_users(reader, node, &rule->login_users,
				       &rule->login_users_count);
}

static int read_texts(struct config_reader *reader, yaml_node_t *node,
		      struct policy_texts *texts,
		      int (*read)(struct config_reader *reader,
				  yaml_node_t *node, void *entry))
{
	int r;

	r = config_read_list(reader, node, (void **)&texts->items, &texts->count,
			     sizeof(*texts->items), read);
	return r < 0 ? r : check_texts(reader, node, texts);
}

static int rule_units(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;

	rule->given |= 1U << POLICY_UNITS;
	return read_texts(reader, node, &rule->units, read_unit);
}

static int rule_cgroups(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;

	rule->given |= 1U << POLICY_CGROUPS;
	return read_texts(reader, node, &rule->cgroups, read_cgroup);
}

static int rule_access(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;

	rule->given |= 1U << POLICY_ACCESS;
	return config_read_access(reader, node, &rule->access);
}

static int rule_paths(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;

	rule->given |= 1U << POLICY_PATHS;
	return read_texts(reader, node, &rule->paths, read_path);
}

/* ---- outcomes ---- */

static int outcome_for(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_duration(reader, node,
				    &((struct policy_rule *)into)->duration_ns);
}

static int outcome_deadline(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_duration(reader, node,
				    &((struct policy_rule *)into)->deadline_ns);
}

static int outcome_renew(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_bool(reader, node, &((struct policy_rule *)into)->renew);
}

static int outcome_descendants(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return config_read_bool(reader, node, &((struct policy_rule *)into)->descendants);
}

static int outcome_reason(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;
	int r;

	r = config_read_reason(reader, node, &rule->reason);
	if (r == 0 && rule->reason == TRUSTGATE_REASON_CUSTOMER_TICKET)
		return config_complain(reader, node,
				       "customer-ticket needs a ticket, which a rule does not have; let it ask");
	if (r == 0 && rule->reason == TRUSTGATE_REASON_LEGAL_ORDER)
		return config_complain(reader, node,
				       "legal-order needs the reference of the order, which a rule does not have; let it ask");
	return r;
}

static const struct config_key allow_keys[] = {
	{ "for", true, outcome_for },
	{ "reason", true, outcome_reason },
	{ "renew", false, outcome_renew },
	{ "descendants", false, outcome_descendants },
	{ }
};

static const struct config_key ask_keys[] = {
	{ "for", true, outcome_for },
	{ "deadline", true, outcome_deadline },
	{ }
};

/* The reader's data says whether the rule that is being read has one. */
static int one_outcome(struct config_reader *reader, yaml_node_t *node, void *into,
		       enum policy_outcome outcome)
{
	struct policy_rule *rule = into;
	bool *given = reader->data;

	if (*given)
		return config_complain(reader, node,
				       "a rule has one outcome, and this one has \"%s\" already",
				       policy_outcome_name(rule->outcome));
	*given = true;
	rule->outcome = outcome;
	return 0;
}

static int rule_allow(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_rule *rule = into;
	int r;

	r = one_outcome(reader, node, into, POLICY_ALLOW);
	if (r == 0)
		r = config_read_mapping(reader, node, allow_keys, into);
	if (r == 0 && rule->renew && rule->duration_ns < CONFIG_SERVICE_MIN_NS)
		r = config_complain(reader, node,
				    "\"for\" is too short to be renewed in time; at least 2s");
	return r;
}

static int rule_ask(struct config_reader *reader, yaml_node_t *node, void *into)
{
	int r;

	r = one_outcome(reader, node, into, POLICY_ASK);
	return r < 0 ? r : config_read_mapping(reader, node, ask_keys, into);
}

static int rule_deny(struct config_reader *reader, yaml_node_t *node, void *into)
{
	bool deny = false;
	int r;

	r = one_outcome(reader, node, into, POLICY_DENY);
	if (r == 0)
		r = config_read_bool(reader, node, &deny);
	if (r == 0 && !deny)
		r = config_complain(reader, node,
				    "is false, which says nothing; give allow or ask instead");
	return r;
}

/* ---- rules ---- */

/* Rules and volumes have names of the same kind. */
static int read_name(struct config_reader *reader, yaml_node_t *node, char **ret)
{
	const char *wrong;
	int r;

	r = config_read_text(reader, node, "a name", ret);
	if (r < 0)
		return r;
	wrong = config_volume_name_check(*ret);
	if (wrong)
		return config_complain(reader, node, "\"%.80s\" %s", *ret, wrong);
	return 0;
}

static int rule_name(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return read_name(reader, node, &((struct policy_rule *)into)->name);
}

static const struct config_key rule_keys[] = {
	{ "name", true, rule_name },
	{ "exe", false, rule_exe },
	{ "digest", false, rule_digest },
	{ "users", false, rule_users },
	{ "login-users", false, rule_login_users },
	{ "units", false, rule_units },
	{ "cgroups", false, rule_cgroups },
	{ "access", false, rule_access },
	{ "paths", false, rule_paths },
	{ "allow", false, rule_allow },
	{ "ask", false, rule_ask },
	{ "deny", false, rule_deny },
	{ }
};

static int read_rule(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	struct policy_rule *rule = entry;
	bool outcome_given = false;
	int r;

	rule->line = node->start_mark.line + 1;
	reader->data = &outcome_given;
	r = config_read_mapping(reader, node, rule_keys, rule);
	reader->data = NULL;
	if (r == 0 && !outcome_given)
		r = config_complain(reader, node, "one of allow, ask, deny is missing");
	return r;
}

/* What no request can reach is a mistake, be it a rule or its name. */
static int check_rules(struct config_reader *reader, yaml_node_t *list,
		       const struct policy_volume *volume)
{
	for (size_t i = 0; i < volume->rules_count; i++) {
		const struct policy_rule *rule = &volume->rules[i];
		yaml_node_t *item = config_list_item(reader, list, i);

		for (size_t j = 0; j < i; j++) {
			const struct policy_rule *former = &volume->rules[j];

			if (!strcmp(rule->name, former->name))
				return config_complain(reader, item,
						       "\"%s\" is the name of the rule in line %zu, too",
						       rule->name, former->line);
			if (!former->given)
				return config_complain(reader, item,
						       "\"%s\" is never reached: \"%s\" in line %zu has no conditions",
						       rule->name, former->name,
						       former->line);
		}
	}
	return 0;
}

/* ---- volumes ---- */

static int volume_name(struct config_reader *reader, yaml_node_t *node, void *into)
{
	return read_name(reader, node, &((struct policy_volume *)into)->name);
}

static int volume_rules(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy_volume *volume = into;
	int r;

	r = config_read_list(reader, node, (void **)&volume->rules,
			     &volume->rules_count, sizeof(*volume->rules), read_rule);
	return r < 0 ? r : check_rules(reader, node, volume);
}

static const struct config_key volume_keys[] = {
	{ "name", true, volume_name },
	{ "rules", true, volume_rules },
	{ }
};

static int read_volume(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return config_read_mapping(reader, node, volume_keys, entry);
}

static int file_volumes(struct config_reader *reader, yaml_node_t *node, void *into)
{
	struct policy *policy = into;
	int r;

	r = config_read_list(reader, node, (void **)&policy->volumes,
			     &policy->volumes_count, sizeof(*policy->volumes), read_volume);
	for (size_t i = 0; r == 0 && i < policy->volumes_count; i++)
		for (size_t j = 0; r == 0 && j < i; j++)
			if (!strcmp(policy->volumes[i].name, policy->volumes[j].name))
				r = config_complain(reader, config_list_item(reader, node, i),
						    "\"%s\" is the name of volumes[%zu], too",
						    policy->volumes[i].name, j);
	return r;
}

static const struct config_key file_keys[] = {
	{ "volumes", false, file_volumes },
	{ }
};

int policy_load(const char *path, struct policy **ret_policy,
		char error[CONFIG_ERROR_SIZE])
{
	struct config_reader reader;
	struct policy *policy;
	yaml_node_t *root = NULL;
	int r;

	error[0] = '\0';
	r = config_reader_open(&reader, path, "trustgate-policy.yaml(5)", error, &root);
	if (r < 0)
		return r;
	policy = calloc(1, sizeof(*policy));
	if (!policy)
		r = config_out_of_memory(&reader, NULL);
	else if (root)
		r = config_read_mapping(&reader, root, file_keys, policy);
	config_reader_close(&reader);
	if (r < 0) {
		policy_free(policy);
		return r;
	}
	*ret_policy = policy;
	return 0;
}
