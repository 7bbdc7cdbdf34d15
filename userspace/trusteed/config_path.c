// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - texts that name something: paths inside a volume, units.
 *
 * Owns: what they may look like, for the configuration and for requests alike.
 *
 * Must not own: whether what they name exists.
 */
#include <stdlib.h>
#include <string.h>

#include <trustgate.h>

#include "config.h"

const char *config_path_check(const char *text, char **ret_path,
			      bool *ret_directory)
{
	size_t length = strlen(text);
	const char *at = text;
	bool directory;
	char *path, *to;

	if (!length)
		return "is empty; \".\" is the whole volume";
	if (text[0] == '/')
		return "begins with \"/\"; it is relative to the volume's root";
	if (length > TRUSTGATE_PATH_MAX)
		return "is longer than 4095 bytes";

	path = malloc(length + 2);
	if (!path)
		return "does not fit into memory";

	to = path;
	directory = text[length - 1] == '/';
	while (*at) {
		size_t part = strcspn(at, "/");

		if (part == 2 && at[0] == '.' && at[1] == '.') {
			free(path);
			return "contains \"..\"";
		}
		if (part > 255) {
			free(path);
			return "has a component of more than 255 bytes";
		}
		directory = at[part] == '/' || (part == 1 && at[0] == '.');
		if (part && !(part == 1 && at[0] == '.')) {
			if (to != path)
				*to++ = '/';
			memcpy(to, at, part);
			to += part;
		}
		at += part;
		at += strspn(at, "/");
	}
	if (to == path) {
		*to++ = '.';
		directory = true;
	}
	*to = '\0';

	*ret_path = path;
	if (ret_directory)
		*ret_directory = directory;
	return NULL;
}

const char *config_volume_name_check(const char *name)
{
	if (!name[0])
		return "is empty";
	if (strlen(name) > TRUSTGATE_NAME_MAX)
		return "is longer than 63 bytes";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f || *at == '/')
			return "may have printable ASCII characters except space and \"/\" only";
	return NULL;
}

bool config_unit_name_valid(const char *name)
{
	static const char valid[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		":-_.\\@";
	static const char suffix[] = ".service";
	size_t length = strlen(name);

	return length > strlen(suffix) && length <= 255 && name[0] != '@' &&
	       strspn(name, valid) == length &&
	       !strcmp(name + length - strlen(suffix), suffix);
}
