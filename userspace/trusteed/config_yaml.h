/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - reading YAML so that every complaint names file, line and key.
 *
 * Owns: the parsed document, where in it the reader is, the one error text.
 *
 * Must not own: what the keys mean (config.c, ../policy/policy_load.c).
 *
 * It sits on libyaml, whose nodes know their line. libcyaml, built on the same,
 * forgets the lines once it has loaded a value.
 */
#ifndef _TRUSTEED_CONFIG_YAML_H
#define _TRUSTEED_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include <yaml.h>

/**
 * struct config_reader - a document being read
 * @file: its name, for errors
 * @manual: the manual page that tells how to write it, for errors
 * @document: libyaml's nodes
 * @key: where the reader is, such as "volumes[0].self-grants[1].for"
 * @error: CONFIG_ERROR_SIZE bytes
 * @data: for the users of the reader
 */
struct config_reader {
	const char *file;
	const char *manual;
	yaml_document_t document;
	char key[256];
	char *error;
	void *data;
};

/**
 * struct config_key - a key that a mapping may have
 * @name: the key; NULL ends a table
 * @required: whether it must be there
 * @read: reads the value @node into @into. Returns 0 or, after filling the
 *	error, -errno.
 */
struct config_key {
	const char *name;
	bool required;
	int (*read)(struct config_reader *reader, yaml_node_t *node, void *into);
};

/* Open and parse. Returns 0 with *ret_root NULL for an empty file, or -errno. */
int config_reader_open(struct config_reader *reader, const char *file,
		       const char *manual, char *error, yaml_node_t **ret_root);
void config_reader_close(struct config_reader *reader);

/* Complain about @node (NULL: about the file). Always returns -EINVAL. */
int config_complain(struct config_reader *reader, const yaml_node_t *node,
		    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Read a mapping by a table of keys: unknown, doubled, missing keys are errors. */
int config_read_mapping(struct config_reader *reader, yaml_node_t *node,
			const struct config_key *keys, void *into);

/*
 * Read a list: *array grows by zeroed entries of @size bytes, each filled by
 * @read, and *count counts those that @read was called for, so that a clean-up
 * finds all of them. An empty list is an error.
 */
int config_read_list(struct config_reader *reader, yaml_node_t *node,
		     void **array, size_t *count, size_t size,
		     int (*read)(struct config_reader *reader,
				 yaml_node_t *node, void *entry));

/* Entry @index of a list that was read before. */
yaml_node_t *config_list_item(struct config_reader *reader, yaml_node_t *list,
			      size_t index);

/* The text of a scalar, or NULL after a complaint that @wanted was expected. */
const char *config_scalar(struct config_reader *reader, yaml_node_t *node,
			  const char *wanted);

#endif
