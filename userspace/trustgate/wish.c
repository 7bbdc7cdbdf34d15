// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - the grant that grant and exec ask for.
 *
 * Owns: the options that describe a grant, and the request made of them.
 *
 * Must not own: who gets it, or what the agent says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "wish.h"

static int take_access(struct wish *wish, const char *value)
{
	char error[256];

	if (trustgate_access_parse(value, &wish->access, error, sizeof(error)))
		return usage_error("--access: %s", error);
	wish->access_given = true;
	return 0;
}

static int take_reason(struct wish *wish, const char *value)
{
	uint32_t reason;

	if (trustgate_value(TRUSTGATE_NAMES_REASON, value, &reason))
		return usage_error("--reason: there is no reason \"%s\"", value);
	if (reason == TRUSTGATE_REASON_UNSPECIFIED)
		return usage_error("--reason: \"%s\" is no reason", value);
	wish->reason = value;
	return 0;
}

int wish_take(struct wish *wish, int id, const char *value)
{
	switch (id) {
	case OPTION_VOLUME:
		wish->volume = value;
		return 0;
	case OPTION_PATH:
		if (!*value)
			return usage_error("--path is empty: say . for the whole volume");
		if (strlen(value) > TRUSTGATE_PATH_MAX)
			return usage_error("--path is longer than %d bytes", TRUSTGATE_PATH_MAX);
		wish->path = value;
		return 0;
	case OPTION_ACCESS:
		return take_access(wish, value);
	case OPTION_FOR:
		return parse_duration("--for", value, &wish->duration_ns);
	case OPTION_AFTER:
		return parse_duration("--after", value, &wish->delay_ns);
	case OPTION_USES:
		return parse_number("--uses", value, 1, INT32_MAX, &wish->max_uses);
	case OPTION_SUBTREE:
		wish->subtree = true;
		return 0;
	case OPTION_FILE:
		wish->file = true;
		return 0;
	case OPTION_DESCENDANTS:
		wish->descendants = true;
		return 0;
	case OPTION_KEEP_EXEC:
		wish->keep_exec = true;
		return 0;
	case OPTION_NEXT_EXEC:
		wish->next_exec = true;
		return 0;
	case OPTION_SUPERVISED:
		wish->supervised = true;
		return 0;
	case OPTION_ON_END:
		if (trustgate_value(TRUSTGATE_NAMES_ON_END, value, &(uint32_t){ 0 }))
			return usage_error("--on-end: \"%s\" is none of deny-io, unmap and kill", value);
		wish->on_end = value;
		return 0;
	case OPTION_REASON:
		return take_reason(wish, value);
	case OPTION_TICKET:
		if (strlen(value) > TRUSTGATE_TICKET_MAX)
			return usage_error("--ticket is longer than %d bytes", TRUSTGATE_TICKET_MAX);
		wish->ticket = value;
		return 0;
	}
	return usage_error("unexpected option");
}

/* A path that cannot mean anything but all beneath a directory. */
static bool says_subtree(const char *path)
{
	size_t length = strlen(path);

	return path[length - 1] == '/' || !strcmp(path, ".") ||
	       (length > 1 && !strcmp(path + length - 2, "/."));
}

int wish_check(const struct wish *wish)
{
	if (!wish->volume)
		return usage_error("--volume is missing; see \"trustgate volume list\"");
	if (!wish->path)
		return usage_error("--path is missing: a path inside the volume, . for all of it");
	if (wish->path[0] == '/')
		return usage_error("--path is relative to the volume's root: leave out the leading /");
	if (!wish->access_given)
		return usage_error("--access is missing, such as r or read,write");
	if (!wish->duration_ns)
		return usage_error("--for is missing, such as 15m");
	if (!wish->reason)
		return usage_error("--reason is missing, such as customer-ticket");
	if (wish->subtree && wish->file)
		return usage_error("--subtree and --file exclude each other");
	if (wish->keep_exec && wish->next_exec)
		return usage_error("--keep-exec and --next-exec exclude each other");
	if (wish->file && says_subtree(wish->path))
		return usage_error("--file contradicts the path \"%s\"", wish->path);
	return 0;
}

/*
 * Whether the path is a directory, by looking. Only the meaning of the letter w
 * depends on it; what the object is, the agent finds out itself.
 */
static int look(const struct cli *cli, const struct wish *wish, bool *ret_directory)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	const char *why = NULL;
	const char *root = NULL;
	char *error_id = NULL;
	struct stat st;
	int fd = -1;
	int r;

	r = sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_STRING("name", wish->volume));
	if (r < 0) {
		complain("cannot make the request: %s. The volume's name must be UTF-8.", strerror(-r));
		return EXIT_REFUSED;
	}
	r = agent_try(cli, "ListVolumes", parameters, &reply, &error_id);
	if (r)
		return r;
	if (!error_id)
		root = field_string(sd_json_variant_by_index(sd_json_variant_by_key(reply, "volumes"), 0),
				    "path");
	/* Who may only ask for himself may not list volumes. */
	if (error_id)
		why = "the agent does not show you the volume";
	else if (!root)
		why = "the volume has no path";
	else
		fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!why && (fd < 0 || fstatat(fd, wish->path, &st, AT_SYMLINK_NOFOLLOW)))
		why = strerror(errno);
	if (why)
		r = usage_error("cannot tell what \"%s\" is (%s), and the letter w means more on a directory: say --subtree or --file",
				wish->path, why);
	else
		*ret_directory = S_ISDIR(st.st_mode);
	if (fd >= 0)
		close(fd);
	free(error_id);
	sd_json_variant_unref(reply);
	return r;
}

static int build_access(sd_json_variant **ret, uint32_t access)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i); i++)
		if (access & UINT32_C(1) << i)
			r = sd_json_variant_append_arrayb(ret,
							  SD_JSON_BUILD_STRING(trustgate_name_at(TRUSTGATE_NAMES_ACCESS, i)));
	return r;
}

int wish_parameters(const struct cli *cli, const struct wish *wish, pid_t pid,
		    sd_json_variant **ret)
{
	bool subtree = wish->subtree || says_subtree(wish->path);
	sd_json_variant *access = NULL;
	bool directory = subtree;
	int r;

	if (!subtree && wish->access.exact != wish->access.on_directory) {
		r = 0;
		if (!wish->file)
			r = look(cli, wish, &directory);
		if (r)
			return r;
	}

	r = build_access(&access, directory ? wish->access.on_directory : wish->access.exact);
	if (r >= 0)
		r = sd_json_buildo(ret,
			SD_JSON_BUILD_PAIR_STRING("volume", wish->volume),
			SD_JSON_BUILD_PAIR_STRING("path", wish->path),
			SD_JSON_BUILD_PAIR_CONDITION(pid != 0, "pid", SD_JSON_BUILD_INTEGER(pid)),
			SD_JSON_BUILD_PAIR_VARIANT("access", access),
			SD_JSON_BUILD_PAIR_UNSIGNED("durationNSec", wish->duration_ns),
			SD_JSON_BUILD_PAIR_CONDITION(wish->delay_ns != 0, "delayNSec",
						     SD_JSON_BUILD_UNSIGNED(wish->delay_ns)),
			SD_JSON_BUILD_PAIR_CONDITION(wish->max_uses != 0, "maxUses",
						     SD_JSON_BUILD_UNSIGNED(wish->max_uses)),
			SD_JSON_BUILD_PAIR_CONDITION(subtree || wish->file, "subtree",
						     SD_JSON_BUILD_BOOLEAN(subtree)),
			SD_JSON_BUILD_PAIR_CONDITION(wish->descendants, "descendants",
						     SD_JSON_BUILD_BOOLEAN(true)),
			SD_JSON_BUILD_PAIR_CONDITION(wish->keep_exec, "keepExec",
						     SD_JSON_BUILD_BOOLEAN(true)),
			SD_JSON_BUILD_PAIR_CONDITION(wish->next_exec, "nextExec",
						     SD_JSON_BUILD_BOOLEAN(true)),
			SD_JSON_BUILD_PAIR_CONDITION(wish->supervised, "supervised",
						     SD_JSON_BUILD_BOOLEAN(true)),
			SD_JSON_BUILD_PAIR_CONDITION(wish->on_end != NULL, "onEnd",
						     SD_JSON_BUILD_STRING(wish->on_end)),
			SD_JSON_BUILD_PAIR_STRING("reason", wish->reason),
			SD_JSON_BUILD_PAIR_CONDITION(wish->ticket != NULL, "ticket",
						     SD_JSON_BUILD_STRING(wish->ticket)));
	sd_json_variant_unref(access);
	if (r < 0) {
		complain("cannot make the request: %s. Volume, path and ticket must be UTF-8.",
			 strerror(-r));
		return EXIT_REFUSED;
	}
	return 0;
}
