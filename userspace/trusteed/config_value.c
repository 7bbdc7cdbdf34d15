// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - single values of the configuration.
 *
 * Owns: what a name, an access, a duration, a path, a user may look like.
 *
 * Must not own: which key has which kind of value (config.c).
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trustgate.h>

#include "config.h"
#include "config_value.h"
#include "config_yaml.h"

/* "Leave out nothing" for the lists of names. */
#define LEFT_OUT_NONE	UINT32_MAX

int config_out_of_memory(struct config_reader *reader, const yaml_node_t *node)
{
	config_complain(reader, node, "does not fit into memory");
	return -ENOMEM;
}

int config_read_text(struct config_reader *reader, yaml_node_t *node,
		     const char *wanted, char **ret_text)
{
	const char *text = config_scalar(reader, node, wanted);

	if (!text)
		return -EINVAL;
	*ret_text = strdup(text);
	return *ret_text ? 0 : config_out_of_memory(reader, node);
}

/* All names of a set, for the complaint about a word that is not one. */
static void list_names(enum trustgate_names set, uint32_t left_out, char *text,
		       size_t size)
{
	const char *name;
	size_t used = 0;
	uint32_t value;

	text[0] = '\0';
	for (size_t i = 0; (name = trustgate_name_at(set, i)) && used < size; i++) {
		if (trustgate_value(set, name, &value) < 0 || value == left_out)
			continue;
		used += snprintf(text + used, size - used, "%s%s",
				 used ? ", " : "", name);
	}
}

static int read_name(struct config_reader *reader, yaml_node_t *node,
		     enum trustgate_names set, uint32_t left_out,
		     uint32_t *ret_value)
{
	const char *name;
	char known[256];

	list_names(set, left_out, known, sizeof(known));
	name = config_scalar(reader, node, known);
	if (!name)
		return -EINVAL;
	if (trustgate_value(set, name, ret_value) < 0 || *ret_value == left_out)
		return config_complain(reader, node, "\"%.64s\" is not one of %s",
				       name, known);
	return 0;
}

/* Words of a list, gathered in a mask. */
struct word {
	uint32_t value;
};

static int read_words(struct config_reader *reader, yaml_node_t *node,
		      enum trustgate_names set,
		      int (*read)(struct config_reader *reader,
				  yaml_node_t *node, void *entry),
		      bool flags, uint32_t *ret_mask)
{
	struct word *words = NULL;
	size_t count = 0;
	uint32_t mask = 0;
	int r;

	r = config_read_list(reader, node, (void **)&words, &count,
			     sizeof(*words), read);
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint32_t bit = flags ? words[i].value : UINT32_C(1) << words[i].value;

		if (mask & bit)
			r = config_complain(reader, config_list_item(reader, node, i),
					    "\"%s\" is given twice",
					    trustgate_name(set, words[i].value));
		mask |= bit;
	}
	free(words);
	*ret_mask = mask;
	return r;
}

static int read_access_word(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return read_name(reader, node, TRUSTGATE_NAMES_ACCESS, LEFT_OUT_NONE,
			 &((struct word *)entry)->value);
}

static int read_record_word(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return read_name(reader, node, TRUSTGATE_NAMES_RECORD, LEFT_OUT_NONE,
			 &((struct word *)entry)->value);
}

static int read_reason_word(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	return read_name(reader, node, TRUSTGATE_NAMES_REASON,
			 TRUSTGATE_REASON_UNSPECIFIED,
			 &((struct word *)entry)->value);
}

int config_read_access(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	return read_words(reader, node, TRUSTGATE_NAMES_ACCESS, read_access_word,
			  true, ret);
}

int config_read_duration(struct config_reader *reader, yaml_node_t *node,
			 uint64_t *ret_ns)
{
	const char *text = config_scalar(reader, node,
					 "a duration such as 15m or 1h30m");
	char why[128];

	if (!text)
		return -EINVAL;
	if (trustgate_duration_parse(text, ret_ns, why, sizeof(why)) < 0)
		return config_complain(reader, node,
				       "\"%.64s\" is not a duration such as 15m or 1h30m: %s",
				       text, why);
	if (!*ret_ns)
		return config_complain(reader, node, "is zero");
	if (*ret_ns > INT64_MAX)
		return config_complain(reader, node, "is longer than 292 years");
	return 0;
}

int config_read_path(struct config_reader *reader, yaml_node_t *node, char **ret)
{
	const char *text, *wrong;

	text = config_scalar(reader, node, "a path relative to the volume's root");
	if (!text)
		return -EINVAL;
	wrong = config_path_check(text, ret, NULL);
	if (wrong)
		return config_complain(reader, node, "\"%.128s\" %s", text, wrong);
	return 0;
}

/* ---- users ---- */

static int look_up_user(struct config_reader *reader, yaml_node_t *node,
			struct config_user *user)
{
	struct passwd entry, *found = NULL;
	char *buffer;
	char *end;
	size_t size;
	int r;

	if (user->name[strspn(user->name, "0123456789")] == '\0') {
		unsigned long long number;

		errno = 0;
		number = strtoull(user->name, &end, 10);
		if (errno || number >= UINT32_MAX)
			return config_complain(reader, node, "%.32s is not a user id",
					       user->name);
		user->uid = number;
		return 0;
	}

	for (size = 4096; ; size *= 2) {
		buffer = malloc(size);
		if (!buffer)
			return config_out_of_memory(reader, node);
		r = getpwnam_r(user->name, &entry, buffer, size, &found);
		if (r != ERANGE || size >= 1024 * 1024)
			break;
		free(buffer);
	}
	if (found)
		user->uid = found->pw_uid;
	free(buffer);
	if (found)
		return 0;
	/* These are ways of saying "not found", see getpwnam(3). */
	if (r == 0 || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM)
		return config_complain(reader, node, "there is no user \"%.64s\"",
				       user->name);
	config_complain(reader, node, "cannot look up user \"%.64s\": %s",
			user->name, strerror(r));
	return -r;
}

static int read_user(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	struct config_user *user = entry;
	int r;

	r = config_read_text(reader, node, "a user's name or id", &user->name);
	return r < 0 ? r : look_up_user(reader, node, user);
}

static int read_login_user(struct config_reader *reader, yaml_node_t *node, void *entry)
{
	struct config_user *user = entry;
	int r;

	r = config_read_text(reader, node, "a user's name or id, or none", &user->name);
	if (r < 0)
		return r;
	if (strcmp(user->name, "none"))
		return look_up_user(reader, node, user);
	user->uid = CONFIG_NO_USER;
	return 0;
}

static int read_users(struct config_reader *reader, yaml_node_t *node,
		      struct config_user **users, size_t *count,
		      int (*read)(struct config_reader *reader,
				  yaml_node_t *node, void *entry))
{
	int r;

	r = config_read_list(reader, node, (void **)users, count,
			     sizeof(**users), read);
	if (r < 0)
		return r;
	for (size_t i = 0; i < *count; i++)
		for (size_t j = 0; j < i; j++)
			if ((*users)[i].uid == (*users)[j].uid)
				return config_complain(reader,
						       config_list_item(reader, node, i),
						       "user \"%s\" is given twice",
						       (*users)[i].name);
	return 0;
}

int config_read_users(struct config_reader *reader, yaml_node_t *node,
		      struct config_user **users, size_t *count)
{
	return read_users(reader, node, users, count, read_user);
}

int config_read_login_users(struct config_reader *reader, yaml_node_t *node,
			    struct config_user **users, size_t *count)
{
	return read_users(reader, node, users, count, read_login_user);
}

int config_read_reason(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	return read_name(reader, node, TRUSTGATE_NAMES_REASON,
			 TRUSTGATE_REASON_UNSPECIFIED, ret);
}

int config_read_reasons(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	return read_words(reader, node, TRUSTGATE_NAMES_REASON, read_reason_word,
			  false, ret);
}

int config_read_record(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	/* Leaving the key out means the default; nothing at all has to be said. */
	if (node->type == YAML_SEQUENCE_NODE &&
	    node->data.sequence.items.top == node->data.sequence.items.start) {
		*ret = 0;
		return 0;
	}
	return read_words(reader, node, TRUSTGATE_NAMES_RECORD, read_record_word,
			  true, ret);
}

/* One of two words. */
static int read_either(struct config_reader *reader, yaml_node_t *node, const char *yes,
		       const char *no, bool *ret)
{
	char expected[64];
	const char *text;

	snprintf(expected, sizeof(expected), "\"%s\" or \"%s\"", yes, no);
	text = config_scalar(reader, node, expected);
	if (!text)
		return -EINVAL;
	if (strcmp(text, yes) && strcmp(text, no))
		return config_complain(reader, node, "\"%.64s\" is neither \"%s\" nor \"%s\"",
				       text, yes, no);
	*ret = !strcmp(text, yes);
	return 0;
}

int config_read_open(struct config_reader *reader, yaml_node_t *node, bool *ret)
{
	return read_either(reader, node, "open", "closed", ret);
}

int config_read_strict(struct config_reader *reader, yaml_node_t *node, bool *ret)
{
	return read_either(reader, node, "strict", "normal", ret);
}

int config_read_required(struct config_reader *reader, yaml_node_t *node, bool *ret)
{
	return read_either(reader, node, "required", "optional", ret);
}

int config_read_bool(struct config_reader *reader, yaml_node_t *node, bool *ret)
{
	const char *text = config_scalar(reader, node, "true or false");

	if (!text)
		return -EINVAL;
	if (strcmp(text, "true") && strcmp(text, "false"))
		return config_complain(reader, node, "\"%.64s\" is neither true nor false",
				       text);
	*ret = !strcmp(text, "true");
	return 0;
}

int config_read_on_agent_loss(struct config_reader *reader, yaml_node_t *node,
			      uint32_t *ret)
{
	return read_name(reader, node, TRUSTGATE_NAMES_ON_AGENT_LOSS, LEFT_OUT_NONE, ret);
}

int config_read_on_end(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	return read_name(reader, node, TRUSTGATE_NAMES_ON_END, LEFT_OUT_NONE, ret);
}

int config_read_metadata(struct config_reader *reader, yaml_node_t *node, uint32_t *ret)
{
	return read_name(reader, node, TRUSTGATE_NAMES_METADATA, LEFT_OUT_NONE, ret);
}
