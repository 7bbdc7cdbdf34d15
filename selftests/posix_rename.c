// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_rename - rows: renames of everything over everything.
 *
 * Owns: rename(2), renameat2(2) with each flag.
 *
 * Must not own: other changes of names (posix_name.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "posix.h"

static int rename_with(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static const char *const kinds[] = { "f", "same", "d", "full", "to-f", "none" };

#define KINDS	(sizeof(kinds) / sizeof(*kinds))

static int make_kinds(const char *where)
{
	char cwd[] = "..";

	mkdir(where, 0755);
	if (chdir(where))
		return -1;
	make("f");
	if (link("f", "same") | mkdir("d", 0755) | mkdir("full", 0755) |
	    mkdir("full/x", 0755) | symlink("f", "to-f"))
		note("make", -1);
	return chdir(cwd);
}

/* What is there, in one number: types, links and whether it has entries. */
static long look_at(const char *where)
{
	struct stat info;
	char path[32];
	long sum = 0;
	unsigned int i;

	for (i = 0; i < KINDS; i++) {
		snprintf(path, sizeof(path), "%s/%s", where, kinds[i]);
		sum *= 64;
		if (!lstat(path, &info))
			sum += 8 * (info.st_mode >> 12) % 64 + info.st_nlink;
	}
	return sum;
}

/* Each kind of object onto each, by one set of flags. */
static void all_kinds_to(const char *there, int flags)
{
	char from[32], to[32], what[80];
	bool fresh = false;
	unsigned int i, j;

	for (i = 0; i < KINDS * KINDS; i++) {
		j = i % KINDS;
		if (!fresh) {
			note("here", make_kinds("here"));
			if (strcmp(there, "here"))
				note(there, make_kinds(there));
		}
		snprintf(from, sizeof(from), "here/%s", kinds[i / KINDS]);
		snprintf(to, sizeof(to), "%s/%s", there, kinds[j]);
		snprintf(what, sizeof(what), "%s %s", from, to);
		fresh = note(what, rename_with(from, to, flags));
		note("left here", look_at("here"));
		note("left there", look_at(there));
		if (!fresh)
			empty();
	}
}

static void all_kinds(int flags)
{
	all_kinds_to("here", flags);
	empty();
	/* The others make no difference here. */
	if (!flags || flags == RENAME_EXCHANGE)
		all_kinds_to("there", flags);
}

static void odd(int unused)
{
	static const unsigned int flags[] = {
		RENAME_NOREPLACE | RENAME_EXCHANGE,
		RENAME_EXCHANGE | RENAME_WHITEOUT,
		RENAME_NOREPLACE | RENAME_WHITEOUT, 1U << 20,
	};
	unsigned int i;
	char what[16];

	make("f");
	make("g");
	note("mkdir", mkdir("d", 0755) | mkdir("d/e", 0755));
	note("into itself", rename("d", "d/e/x"));
	note("over its parent", rename("d/e", "d"));
	note(".", rename("d/.", "x"));
	note("..", rename("d/..", "x"));
	note("onto .", rename("d", "."));
	note("file, slash", rename("f/", "x"));
	note("onto slash", rename("f", "x/"));
	note("directory, slash", rename("d/", "x/"));
	see("x");
	note("below a file", rename("g", "f/x"));
	note("below nothing", rename("g", "none/x"));
	note("no name", rename("g", ""));
	note("elsewhere", rename("g", "/dev/shm/posix-test"));
	note("from elsewhere", rename("/etc/hostname", "x"));
	note("root of all", rename("/", "x"));
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		snprintf(what, sizeof(what), "flags %x", flags[i]);
		note(what, rename_with("f", "y", flags[i]));
	}
	note("whiteout", rename_with("f", "moved", RENAME_WHITEOUT));
	see("f");
	see("moved");
	note("unlink it", unlink("f"));
}

static void of_others(int unused)
{
	make("f");
	note("away", rename("../theirs/f", "taken"));
	note("back", rename("taken", "../theirs/f"));
	note("in", rename("f", "../theirs/new"));
	note("remove it", unlink("../theirs/new"));
	note("sticky", rename("../theirs/sticky/f", "taken"));
	note("back", rename("taken", "../theirs/sticky/f"));
	make("g");
	note("over a sticky one", rename("g", "../theirs/sticky/f"));
	note("exchange", rename_with("g", "../theirs/sticky/f",
				     RENAME_EXCHANGE));
	note("again", rename_with("g", "../theirs/sticky/f", RENAME_EXCHANGE));
	note("directory", mkdir("d", 0555));
	note("closed directory", rename("d", "../theirs/sticky/d"));
	note("back", rename("../theirs/sticky/d", "d"));
}

/* What is open, and a working directory, go along. */
static void in_use(int unused)
{
	char text[16], path[4096];
	int fd;

	note("mkdir", mkdir("d", 0755) | mkdir("e", 0755));
	make("d/f");
	fd = note_fd("open", open("d/f", O_RDWR));
	note("chdir", chdir("d"));
	note("move d", rename("../d", "../e/moved"));
	note_text("read", text, pread(fd, text, sizeof(text), 0));
	note("write", pwrite(fd, "Z", 1, 0));
	see("f");
	see("../../e/moved/f");
	note_fd("below", open("../moved/f", O_RDWR));
	if (getcwd(path, sizeof(path)))
		note_text("where", strstr(path, "/e/") ?: "?", 8);
	make("g");
	note("replace what is open", rename("g", "f"));
	note_text("old", text, pread(fd, text, sizeof(text), 0));
	see("f");
	note("back up", chdir("../.."));
}

static const struct posix_row rows[] = {
	{ "rename", all_kinds, 0, POSIX_ROOT },
	{ "rename, no replacement", all_kinds, RENAME_NOREPLACE, POSIX_ROOT },
	{ "rename, exchange", all_kinds, RENAME_EXCHANGE, POSIX_ROOT },
	{ "rename, whiteout", all_kinds, RENAME_WHITEOUT, POSIX_ROOT },
	{ "odd renames", odd, 0, 0 },
	{ "renames of what is another's", of_others, 0, 0 },
	{ "renames of what is in use", in_use, 0, 0 },
};

const struct posix_group posix_rename = POSIX_GROUP(rows);
