// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - reading YAML, see config_yaml.h.
 *
 * Owns: the calls of libyaml, the form of a complaint.
 *
 * Must not own: the keys of the configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config_yaml.h"

/* A configuration of this size is a mistake, or somebody else's file. */
#define FILE_SIZE_MAX	(1024 * 1024)

int config_complain(struct config_reader *reader, const yaml_node_t *node,
		    const char *format, ...)
{
	char text[CONFIG_ERROR_SIZE / 2];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);

	if (node && reader->key[0])
		snprintf(reader->error, CONFIG_ERROR_SIZE, "%s:%zu: %s: %s",
			 reader->file, node->start_mark.line + 1, reader->key, text);
	else if (node)
		snprintf(reader->error, CONFIG_ERROR_SIZE, "%s:%zu: %s",
			 reader->file, node->start_mark.line + 1, text);
	else
		snprintf(reader->error, CONFIG_ERROR_SIZE, "%s: %s",
			 reader->file, text);
	return -EINVAL;
}

static const char *kind_name(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SCALAR_NODE:
		return "a single value";
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a mapping";
	default:
		return "nothing";
	}
}

/*
 * Open without waiting for a FIFO's other end, and refuse what others could
 * have written: whoever writes this file names the trustees.
 */
static int open_file(struct config_reader *reader, FILE **ret_stream)
{
	struct stat st;
	int fd, r;

	fd = open(reader->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		r = -errno;
		if (r == -ENOENT)
			config_complain(reader, NULL,
					"does not exist; write it, %s has an example",
					reader->manual);
		else if (r == -EACCES)
			config_complain(reader, NULL,
					"cannot be read by user %u; chmod a+r it and let all search its directory",
					(unsigned int)geteuid());
		else
			config_complain(reader, NULL, "cannot be opened: %s", strerror(-r));
		return r;
	}
	if (fstat(fd, &st) < 0) {
		r = -errno;
		config_complain(reader, NULL, "cannot be examined: %s", strerror(-r));
	} else if (!S_ISREG(st.st_mode)) {
		r = config_complain(reader, NULL, "is not a regular file");
	} else if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		config_complain(reader, NULL,
				"may be written by others than its owner (mode %04o); chmod go-w it",
				(unsigned int)(st.st_mode & 07777));
		r = -EPERM;
	} else if (st.st_uid != 0 && st.st_uid != geteuid()) {
		config_complain(reader, NULL,
				"belongs to user %u; it must belong to root or to the agent's user",
				(unsigned int)st.st_uid);
		r = -EPERM;
	} else if (st.st_size > FILE_SIZE_MAX) {
		r = config_complain(reader, NULL, "is larger than 1 MiB");
	} else {
		*ret_stream = fdopen(fd, "re");
		if (*ret_stream)
			return 0;
		r = -ENOMEM;
		config_complain(reader, NULL, "does not fit into memory");
	}
	close(fd);
	return r;
}

static int parse_failure(struct config_reader *reader, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR) {
		config_complain(reader, NULL, "does not fit into memory");
		return -ENOMEM;
	}
	/* A reader error counts bytes, the others know their line. */
	if (parser->error == YAML_READER_ERROR)
		snprintf(reader->error, CONFIG_ERROR_SIZE,
			 "%s: is not text: %s at byte %zu", reader->file,
			 parser->problem ? parser->problem : "damaged",
			 parser->problem_offset);
	else
		snprintf(reader->error, CONFIG_ERROR_SIZE,
			 "%s:%zu: is not YAML: %s%s%s", reader->file,
			 parser->problem_mark.line + 1,
			 parser->problem ? parser->problem : "damaged",
			 parser->context ? " " : "",
			 parser->context ? parser->context : "");
	return -EINVAL;
}

int config_reader_open(struct config_reader *reader, const char *file,
		       const char *manual, char *error, yaml_node_t **ret_root)
{
	yaml_document_t second;
	yaml_parser_t parser;
	yaml_node_t *extra;
	FILE *stream = NULL;
	int r;

	memset(reader, 0, sizeof(*reader));
	reader->file = file;
	reader->manual = manual;
	reader->error = error;

	r = open_file(reader, &stream);
	if (r < 0 || !stream)
		return r < 0 ? r : -EIO;
	if (!yaml_parser_initialize(&parser)) {
		fclose(stream);
		config_complain(reader, NULL, "does not fit into memory");
		return -ENOMEM;
	}
	yaml_parser_set_input_file(&parser, stream);
	if (!yaml_parser_load(&parser, &reader->document)) {
		r = parse_failure(reader, &parser);
		goto out;
	}
	*ret_root = yaml_document_get_root_node(&reader->document);
	if (!*ret_root)
		goto out;

	if (!yaml_parser_load(&parser, &second)) {
		r = parse_failure(reader, &parser);
		yaml_document_delete(&reader->document);
		goto out;
	}
	extra = yaml_document_get_root_node(&second);
	if (extra) {
		r = config_complain(reader, extra,
				    "a second document begins here; only one is allowed");
		yaml_document_delete(&reader->document);
	}
	yaml_document_delete(&second);
out:
	yaml_parser_delete(&parser);
	fclose(stream);
	return r;
}

void config_reader_close(struct config_reader *reader)
{
	yaml_document_delete(&reader->document);
}

/* Append to the place; what does not fit is cut, it is only for the reader. */
static size_t enter(struct config_reader *reader, const char *format, ...)
{
	size_t length = strlen(reader->key);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reader->key + length, sizeof(reader->key) - length, format, arguments);
	va_end(arguments);
	return length;
}

static void leave(struct config_reader *reader, size_t length)
{
	reader->key[length] = '\0';
}

static const char *key_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/* All keys of a table as one text, for the complaint about an unknown one. */
static void list_keys(const struct config_key *keys, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (; keys->name && used < size; keys++)
		used += snprintf(text + used, size - used, "%s%s",
				 used ? ", " : "", keys->name);
}

static int read_pair(struct config_reader *reader, const yaml_node_pair_t *pair,
		     const struct config_key *keys, uint64_t *seen, void *into)
{
	yaml_node_t *key = yaml_document_get_node(&reader->document, pair->key);
	yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
	char known[256];
	size_t i, length;
	int r;

	if (key->type != YAML_SCALAR_NODE)
		return config_complain(reader, key, "a key must be a word, this is %s",
				       kind_name(key));
	if (strlen(key_text(key)) != key->data.scalar.length)
		return config_complain(reader, key, "a key contains a NUL byte");

	for (i = 0; keys[i].name; i++)
		if (!strcmp(keys[i].name, key_text(key)))
			break;
	if (!keys[i].name) {
		list_keys(keys, known, sizeof(known));
		return config_complain(reader, key, "unknown key \"%.64s\"; known are %s",
				       key_text(key), known);
	}
	length = enter(reader, "%s%s", reader->key[0] ? "." : "", keys[i].name);
	if (*seen & (UINT64_C(1) << i))
		return config_complain(reader, key, "is given twice");
	*seen |= UINT64_C(1) << i;

	r = keys[i].read(reader, value, into);
	if (r == 0)
		leave(reader, length);
	return r;
}

int config_read_mapping(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *keys, void *into)
{
	const yaml_node_pair_t *pair;
	uint64_t seen = 0;
	size_t i;
	int r;

	if (node->type != YAML_MAPPING_NODE) {
		char known[256];

		list_keys(keys, known, sizeof(known));
		return config_complain(reader, node,
				       "is %s; expected a mapping with the keys %s",
				       kind_name(node), known);
	}
	for (pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		r = read_pair(reader, pair, keys, &seen, into);
		if (r < 0)
			return r;
	}
	for (i = 0; keys[i].name; i++)
		if (keys[i].required && !(seen & (UINT64_C(1) << i)))
			return config_complain(reader, node, "key \"%s\" is missing",
					       keys[i].name);
	return 0;
}

int config_read_list(struct config_reader *reader, yaml_node_t *node,
		     void **array, size_t *count, size_t size,
		     int (*read)(struct config_reader *reader,
				 yaml_node_t *node, void *entry))
{
	size_t i, length, items;
	int r;

	if (node->type != YAML_SEQUENCE_NODE)
		return config_complain(reader, node, "is %s; expected a list",
				       kind_name(node));
	items = node->data.sequence.items.top - node->data.sequence.items.start;
	if (!items)
		return config_complain(reader, node,
				       "is an empty list; leave the key out instead");

	*array = calloc(items, size);
	if (!*array) {
		config_complain(reader, node, "does not fit into memory");
		return -ENOMEM;
	}
	for (i = 0; i < items; i++) {
		yaml_node_t *item = yaml_document_get_node(&reader->document,
							   node->data.sequence.items.start[i]);

		length = enter(reader, "[%zu]", i);
		*count = i + 1;
		r = read(reader, item, (char *)*array + i * size);
		if (r < 0)
			return r;
		leave(reader, length);
	}
	return 0;
}

yaml_node_t *config_list_item(struct config_reader *reader, yaml_node_t *list,
			      size_t index)
{
	return yaml_document_get_node(&reader->document,
				      list->data.sequence.items.start[index]);
}

const char *config_scalar(struct config_reader *reader, yaml_node_t *node,
			  const char *wanted)
{
	const char *text;

	if (node->type != YAML_SCALAR_NODE) {
		config_complain(reader, node, "is %s; expected %s",
				kind_name(node), wanted);
		return NULL;
	}
	text = (const char *)node->data.scalar.value;
	if (strlen(text) != node->data.scalar.length) {
		config_complain(reader, node, "contains a NUL byte");
		return NULL;
	}
	if (!text[0] || (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			 (!strcmp(text, "~") || !strcmp(text, "null")))) {
		config_complain(reader, node, "has no value; expected %s", wanted);
		return NULL;
	}
	return text;
}
