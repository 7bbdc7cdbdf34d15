// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - the texts in a policy's conditions, see policy.h.
 *
 * Owns: what a program's path, a unit, a control group, a digest may look like.
 *
 * Must not own: YAML, or how they are compared with facts.
 *
 * A text that can never match is refused: in a rule that denies it would deny
 * nothing, and nobody would notice.
 */
#include <string.h>

#include "policy.h"

bool policy_path_plain(const char *path)
{
	for (;;) {
		size_t part = strcspn(path, "/");

		if (!part || (part == 1 && path[0] == '.') ||
		    (part == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[part])
			return true;
		path += part + 1;
	}
}

/*
 * Whether each "[" of a glob has its "]" in the same component. Otherwise
 * fnmatch(3) takes it for an ordinary character.
 */
static bool brackets_closed(const char *glob)
{
	while ((glob = strchr(glob, '['))) {
		size_t length;

		glob++;
		if (*glob == '!' || *glob == '^')
			glob++;
		/* Right behind the opening one it is a member. */
		if (*glob == ']')
			glob++;
		length = strcspn(glob, "]/");
		if (glob[length] != ']')
			return false;
		glob += length;
	}
	return true;
}

const char *policy_exe_check(const char *text)
{
	if (text[0] != '/')
		return "is not an absolute path";
	if (!policy_path_plain(text + 1))
		return "has an empty component, \".\" or \"..\", which no program's path has";
	if (!brackets_closed(text))
		return "has a \"[\" without a \"]\" in the same component";
	return NULL;
}

const char *policy_unit_check(const char *text)
{
	static const char *const endings[] = { ".service", ".scope", "*" };
	size_t length = strlen(text);
	bool ends = false;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t ending = strlen(endings[i]);

		ends |= length >= ending && !strcmp(text + length - ending, endings[i]);
	}
	if (!ends || strchr(text, '/'))
		return "is not the full name of a service or scope, such as postgresql@*.service";
	if (!brackets_closed(text))
		return "has a \"[\" without a \"]\"";
	return NULL;
}

const char *policy_cgroup_check(const char *text)
{
	if (text[0] != '/')
		return "does not begin with \"/\"";
	if (text[1] && !policy_path_plain(text + 1))
		return "ends in \"/\" or has an empty component, \".\" or \"..\"";
	return NULL;
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit ? strchr(digits, digit) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

const char *policy_digest_parse(const char *text, struct policy_digest *ret_digest)
{
	static const char plain[] = "sha256:", fsverity[] = "fsverity-sha256:";
	struct policy_digest digest = { 0 };

	if (!strncmp(text, plain, strlen(plain))) {
		text += strlen(plain);
	} else if (!strncmp(text, fsverity, strlen(fsverity))) {
		text += strlen(fsverity);
		digest.fsverity = true;
	} else {
		return "begins neither with \"sha256:\" nor with \"fsverity-sha256:\"";
	}
	if (strlen(text) != 2 * POLICY_DIGEST_SIZE)
		return "does not have 64 hexadecimal digits";
	for (size_t i = 0; i < POLICY_DIGEST_SIZE; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return "has something else than hexadecimal digits";
		digest.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_digest = digest;
	return NULL;
}
