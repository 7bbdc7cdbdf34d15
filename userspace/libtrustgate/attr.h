/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of the family by name.
 *
 * Owns: the way from a place in a message to the path of names that a person
 * understands.
 *
 * Must not own: the meaning of an attribute.
 */
#ifndef _TRUSTGATE_ATTR_H
#define _TRUSTGATE_ATTR_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct attr_set - the names of one attribute set
 * @set: its name in the specification
 * @names: by attribute type
 * @multi: by attribute type, whether it may occur more than once; may be NULL
 * @nested: by attribute type, the set inside; may be NULL
 * @max: highest attribute type
 */
struct attr_set {
	const char *set;
	const char *const *names;
	const bool *multi;
	const struct attr_set *const *nested;
	unsigned int max;
};

extern const struct attr_set trustgate_attr_gate;
extern const struct attr_set trustgate_attr_observation;
extern const struct attr_set trustgate_attr_agent;
extern const struct attr_set trustgate_attr_volume;
extern const struct attr_set trustgate_attr_counter;
extern const struct attr_set trustgate_attr_grant;
extern const struct attr_set trustgate_attr_batch;
extern const struct attr_set trustgate_attr_revocation;
extern const struct attr_set trustgate_attr_event;
extern const struct attr_set trustgate_attr_request;
extern const struct attr_set trustgate_attr_refusal;
extern const struct attr_set trustgate_attr_supervision;
extern const struct attr_set trustgate_attr_channel;
extern const struct attr_set trustgate_attr_keeper;

/**
 * trustgate_attr_path() - name the attribute at an offset
 * @set: of the attributes on the top level
 * @attrs: their beginning
 * @length: and length
 * @offset: of the attribute's header, counted from @attrs
 * @base: added to the index of attributes on the top level
 * @missing_type: attribute type that is missing inside the attribute at
 *	@offset, 0 if that one itself is meant
 * @buffer: receives the path, such as "grant[3].access"
 * @size: of @buffer
 * @ret_index: index on the top level including @base, -1 if not repeatable
 *
 * Any context; nothing is allocated.
 *
 * Return: 0 or -ENOENT if no known attribute begins at @offset.
 */
int trustgate_attr_path(const struct attr_set *set, const void *attrs, size_t length,
			size_t offset, size_t base, unsigned int missing_type,
			char *buffer, size_t size, ssize_t *ret_index);

/**
 * trustgate_attr_name() - name of an attribute on the top level
 * @set: which set
 * @type: attribute type
 *
 * Return: the name or NULL.
 */
const char *trustgate_attr_name(const struct attr_set *set, unsigned int type);

#endif /* _TRUSTGATE_ATTR_H */
