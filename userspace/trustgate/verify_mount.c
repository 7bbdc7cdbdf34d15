// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - where the volume is mounted, and what lies over it.
 *
 * Owns: mountinfo: mounts of the volume, over it, and stacked upon it.
 *
 * Must not own: the block devices (verify_device.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

/* A line of mountinfo; strings point into it. */
struct mount {
	int id;
	int parent;
	char device[32];
	char *root;
	char *path;
	char *type;
	const char *options;
};

/* mountinfo writes blanks and the like as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		unsigned int byte;

		if (text[0] == '\\' && sscanf(text + 1, "%3o", &byte) == 1) {
			*to++ = (char)byte;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static bool parse(char *line, struct mount *mount)
{
	char *tail = strstr(line, " - ");
	char *words[6];

	if (!tail)
		return false;
	*tail = '\0';
	tail += 3;
	for (size_t i = 0; i < 6; i++) {
		words[i] = strsep(&line, " ");
		if (!words[i])
			return false;
	}
	mount->id = atoi(words[0]);
	mount->parent = atoi(words[1]);
	snprintf(mount->device, sizeof(mount->device), "%s", words[2]);
	mount->root = words[3];
	mount->path = words[4];
	mount->type = strsep(&tail, " ");
	strsep(&tail, " ");
	mount->options = tail ?: "";
	unescape(mount->root);
	unescape(mount->path);
	return mount->type;
}

/* Calls @each for every mount. */
static bool for_each_mount(struct verify *verify,
			   void (*each)(struct verify *verify, const struct mount *mount,
					void *userdata),
			   void *userdata)
{
	char *text = verify_read(verify, "/proc/self/mountinfo");
	char *line, *rest = text;
	bool readable = text;
	struct mount mount;

	while ((line = strsep(&rest, "\n")))
		if (parse(line, &mount))
			each(verify, &mount, userdata);
	free(text);
	return readable;
}

static void find_volume(struct verify *verify, const struct mount *mount, void *userdata)
{
	unsigned int *whole = userdata;

	if (strcmp(mount->device, verify->device))
		return;
	if (verify->mounts_count < VERIFY_MOUNTS_MAX)
		verify->mounts[verify->mounts_count++] = mount->id;
	if (strcmp(mount->root, "/"))
		return;
	if (!(*whole)++)
		verify->path = strdup(mount->path);
}

static bool is_volume_mount(const struct verify *verify, int id)
{
	for (size_t i = 0; i < verify->mounts_count; i++)
		if (verify->mounts[i] == id)
			return true;
	return false;
}

/* Whether @path is the volume's or below. */
static bool is_below(const struct verify *verify, const char *path)
{
	size_t length = strlen(verify->path);

	return !strncmp(path, verify->path, length) && (!path[length] || path[length] == '/');
}

/* Whether one of an overlay's directories lies on the volume. */
static bool is_stacked(const struct verify *verify, const struct mount *mount)
{
	static const char *const names[] = { "lowerdir=", "upperdir=", "workdir=", "lowerdir+=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = mount->options;

		while ((at = strstr(at, names[i]))) {
			at += strlen(names[i]);
			for (;;) {
				if (is_below(verify, at) ||
				    (!strncmp(at, verify->path, strlen(verify->path)) &&
				     strchr(":,", at[strlen(verify->path)])))
					return true;
				at += strcspn(at, ":,");
				if (*at != ':')
					break;
				at++;
			}
		}
	}
	return false;
}

static void look_over(struct verify *verify, const struct mount *mount, void *userdata)
{
	unsigned int *found = userdata;

	if (!strcmp(mount->type, "overlay") && is_stacked(verify, mount)) {
		(*found)++;
		verify_say(verify, "stacked", VERIFY_OPEN, "unmount the overlay",
			   "an overlay on %s shows files of it, and keeps copies elsewhere",
			   mount->path);
	}
	if (!strcmp(mount->type, "ecryptfs") && is_below(verify, mount->options)) {
		(*found)++;
		verify_say(verify, "stacked", VERIFY_OPEN, "unmount it",
			   "eCryptfs on %s shares what it has read with others", mount->path);
	}
	if (strcmp(mount->device, verify->device) && is_volume_mount(verify, mount->parent)) {
		(*found)++;
		verify_say(verify, "mounted over", VERIFY_OPEN, "unmount it",
			   "programs see a %s instead of the volume's files in %s", mount->type,
			   mount->path);
	}
}

static void check_files(struct verify *verify)
{
	int r = verify->try_open(verify->path);

	if (r == -EACCES)
		verify_say(verify, "files", VERIFY_CLOSED, NULL,
			   "%s cannot be opened without a grant", verify->path);
	else if (!r)
		verify_say(verify, "files", VERIFY_OPEN, "trustgate status; does this process hold a grant?",
			   "%s can be opened by this process", verify->path);
	else
		verify_say(verify, "files", VERIFY_UNKNOWN, "look whether it is mounted there",
			   "%s: %s", verify->path, strerror(-r));
}

/* A step into the volume; its mount point belongs to what is around it. */
static void check_attributes(struct verify *verify)
{
	char inside[4096];
	int r;

	snprintf(inside, sizeof(inside), "%s/.", verify->path);
	r = verify->try_look(inside);
	if (r == -EACCES)
		verify_say(verify, "names", VERIFY_CLOSED, NULL,
			   "names and attributes are hidden");
	else if (!r)
		verify_say(verify, "names", VERIFY_OPEN, "trustgate volume set --metadata hidden; or encrypt names",
			   "attributes of files whose names are known can be looked at");
	else
		verify_say(verify, "names", VERIFY_UNKNOWN, "look whether it is mounted there",
			   "%s: %s", verify->path, strerror(-r));
}

void verify_mounts(struct verify *verify)
{
	unsigned int whole = 0, found = 0;

	if (!for_each_mount(verify, find_volume, &whole) || !verify->path) {
		verify_say(verify, "mounts", VERIFY_UNKNOWN, "mount it, or run this in its mount namespace",
			   "no mount of device %s is to be seen from here", verify->device);
		return;
	}
	check_files(verify);
	check_attributes(verify);
	for_each_mount(verify, look_over, &found);
	if (!found)
		verify_say(verify, "mounts", VERIFY_CLOSED, NULL,
			   "%zu mounts of the volume, none over it or stacked upon it",
			   verify->mounts_count);
}
