// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_attr - rows: attributes of all kinds.
 *
 * Owns: stat, access, mode, owner, times, extended attributes, ACLs, statfs.
 *
 * Must not own: ioctls (posix_command.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "posix.h"

static void looks(int unused)
{
	static const char *const names[] = {
		"f", "d", "to-f", "to-none", "none", "f/x", "d/", "f/", "",
		"../theirs/secret", "closed/x",
	};
	static const int flags[] = { 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH };
	struct statx extended;
	unsigned int i, j;
	struct stat info;
	char what[48];
	int mode, fd;

	make("f");
	note("mkdir", mkdir("d", 0755) | mkdir("closed", 0));
	note("symlink", symlink("f", "to-f") | symlink("gone", "to-none"));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (j = 0; j < 3; j++) {
			snprintf(what, sizeof(what), "fstatat %s %x", names[i],
				 flags[j]);
			note(what, fstatat(AT_FDCWD, names[i], &info,
					   flags[j]) ?: (long)info.st_mode);
			snprintf(what, sizeof(what), "statx %s %x", names[i],
				 flags[j]);
			note(what, statx(AT_FDCWD, names[i], flags[j],
					 STATX_ALL, &extended) ?:
			     (long)(extended.stx_mask & STATX_BASIC_STATS));
		}
		for (mode = 0; mode < 8; mode++) {
			snprintf(what, sizeof(what), "access %s %d", names[i],
				 mode);
			note(what, access(names[i], mode));
			note(what, syscall(SYS_faccessat2, AT_FDCWD, names[i],
					   mode, AT_EACCESS |
					   AT_SYMLINK_NOFOLLOW));
		}
	}
	fd = note_fd("open", open("f", O_WRONLY));
	note("fstat", fstat(fd, &info) ?: info.st_size);
	note("statx of it", statx(fd, "", AT_EMPTY_PATH, STATX_SIZE,
				  &extended) ?: (long)extended.stx_size);
	note("statx, odd", statx(AT_FDCWD, "f", 1 << 28, STATX_ALL, &extended));
	note("open closed", chmod("closed", 0755));
}

static void modes(int unused)
{
	static const mode_t some[] = {
		0, 0400, 0777, 01644, 02755, 04755, 07777, 0170644,
	};
	unsigned int i;
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("symlink", symlink("f", "to-f"));
	fd = note_fd("open", open("f", O_RDONLY));
	for (i = 0; i < sizeof(some) / sizeof(*some); i++) {
		note("chmod", chmod("f", some[i]));
		see("f");
		note("chmod d", chmod("d", some[i]));
		see("d");
		note("fchmod", fchmod(fd, some[i]));
	}
	note("chmod", chmod("d", 0755));
	note("of nothing", chmod("none", 0644));
	note("through a link", chmod("to-f", 0640));
	see("f");
	note("of a link", syscall(452, AT_FDCWD, "to-f", 0600,
				  AT_SYMLINK_NOFOLLOW));
	note("another's", chmod("../theirs/f", 0644));
	note("slash", chmod("f/", 0644));
}

static void owners(int unused)
{
	int fd;

	make("f");
	note("symlink", symlink("f", "to-f"));
	note("set-id", chmod("f", 06755));
	note("to itself", chown("f", geteuid(), getegid()));
	see("f");
	note("set-id", chmod("f", 06755));
	note("nothing", chown("f", -1, -1));
	see("f");
	note("to 1", chown("f", 1, -1));
	note("group", chown("f", -1, 1));
	see("f");
	note("link", lchown("to-f", 2, 2));
	see("to-f");
	note("through it", chown("to-f", 3, 3));
	see("f");
	fd = note_fd("open", open("f", O_RDONLY));
	note("fchown", fchown(fd, 4, 4));
	note("fchownat", fchownat(fd, "", 5, 5, AT_EMPTY_PATH));
	note("fchownat, flag", fchownat(fd, "", 5, 5, 1 << 28));
	note("of nothing", chown("none", 1, 1));
	note("another's", chown("../theirs/f", 0, 0));
	see("f");
}

static void times(int unused)
{
	static const struct timespec some[][2] = {
		{ { 1000, 0 }, { 2000, 0 } },
		{ { 1000, 5 }, { 0, UTIME_OMIT } },
		{ { 0, UTIME_OMIT }, { 2000, 6 } },
		{ { 0, UTIME_OMIT }, { 0, UTIME_OMIT } },
		{ { 0, UTIME_NOW }, { 2000, 0 } },
		{ { 0, UTIME_NOW }, { 0, UTIME_NOW } },
		{ { 0, 2000000000 }, { 0, 0 } },
		{ { -5, 0 }, { 2000, 0 } },
	};
	static const char *const names[] = {
		"f", "d", "to-f", "none", "../theirs/f", "../theirs/secret",
	};
	char what[48], byte;
	unsigned int i, j;
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("symlink", symlink("f", "to-f"));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (j = 0; j < sizeof(some) / sizeof(*some); j++) {
			snprintf(what, sizeof(what), "%s %u", names[i], j);
			note(what, utimensat(AT_FDCWD, names[i], some[j], 0));
			note(what, utimensat(AT_FDCWD, names[i], some[j],
					     AT_SYMLINK_NOFOLLOW));
			see(names[i]);
		}
		note("now", utimensat(AT_FDCWD, names[i], NULL, 0));
	}
	make("f");
	fd = note_fd("open", open("f", O_RDWR));
	note("futimens", futimens(fd, some[1]));
	make("f");
	note("write", pwrite(fd, "0", 1, 0));
	see("f");
	make("f");
	note("read", pread(fd, &byte, 1, 0));
	see("f");
	make("../theirs/f");
}

static void extended(int unused)
{
	static const char *const names[] = {
		"user.a", "user.", "user", "trusted.a", "security.a",
		"system.a", "odd.a", "", "system.posix_acl_access",
		"security.capability", "user.overlay.a",
	};
	static char large[70000];
	char list[256], value[16];
	unsigned int i;
	long length;
	int fd;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("symlink", symlink("f", "to-f"));
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		note(names[i], setxattr("f", names[i], "value", 5, 0));
		length = getxattr("f", names[i], value, sizeof(value));
		note_text("get", value, length);
		note("of a directory", setxattr("d", names[i], "v", 1, 0));
		note("of a link", lsetxattr("to-f", names[i], "v", 1, 0));
		note("get of a link", lgetxattr("to-f", names[i], value,
						sizeof(value)));
		note("remove", removexattr("f", names[i]));
		note("again", removexattr("f", names[i]));
		note("of a link", lremovexattr("to-f", names[i]));
	}
	note("replace", setxattr("f", "user.b", "x", 1, XATTR_REPLACE));
	note("create", setxattr("f", "user.b", "bytes", 5, XATTR_CREATE));
	note("create again", setxattr("f", "user.b", "x", 1, XATTR_CREATE));
	note("replace", setxattr("f", "user.b", "other", 5, XATTR_REPLACE));
	note("flag", setxattr("f", "user.b", "x", 1, 4));
	note("size", getxattr("f", "user.b", NULL, 0));
	note("no room", getxattr("f", "user.b", value, 2));
	note("empty", setxattr("f", "user.c", "", 0, 0));
	note("size", getxattr("f", "user.c", value, sizeof(value)));
	note("none", getxattr("f", "user.none", value, sizeof(value)));
	note("too large", setxattr("f", "user.d", large, sizeof(large), 0));
	note("large", setxattr("f", "user.d", large, 2000, 0));
	note("list size", listxattr("f", NULL, 0));
	note("list, no room", listxattr("f", list, 1));
	note("list", listxattr("f", list, sizeof(list)));
	note("list of a link", llistxattr("to-f", list, sizeof(list)));
	memset(large, 'n', 300);
	memcpy(large, "user.", 5);
	large[256] = '\0';
	note("long name", setxattr("f", large, "x", 1, 0));
	large[255] = '\0';
	note("longest name", setxattr("f", large, "x", 1, 0));
	fd = note_fd("open", open("f", O_RDONLY));
	note("fset", fsetxattr(fd, "user.e", "fd", 2, 0));
	note_text("fget", value, fgetxattr(fd, "user.e", value, sizeof(value)));
	note("flist", flistxattr(fd, list, sizeof(list)) > 0 ? 0 : -1);
	note("fremove", fremovexattr(fd, "user.e"));
	note("of nothing", getxattr("none", "user.b", value, sizeof(value)));
	note("another's", setxattr("../theirs/f", "user.x", "x", 1, 0));
	note("get", getxattr("../theirs/f", "user.x", value, sizeof(value)));
	note("remove", removexattr("../theirs/f", "user.x"));
	note("secret", getxattr("../theirs/secret", "user.x", value, 1));
	see("f");
}

static int set_acl(const char *path, const char *name, int user_bits)
{
	struct {
		struct posix_acl_xattr_header header;
		struct posix_acl_xattr_entry entries[5];
	} acl = {
		.header.a_version = POSIX_ACL_XATTR_VERSION,
		.entries = {
			{ ACL_USER_OBJ, 7, ACL_UNDEFINED_ID },
			{ ACL_USER, user_bits, 65534 },
			{ ACL_GROUP_OBJ, 5, ACL_UNDEFINED_ID },
			{ ACL_MASK, 7, ACL_UNDEFINED_ID },
			{ ACL_OTHER, 0, ACL_UNDEFINED_ID },
		},
	};

	return setxattr(path, name, &acl, sizeof(acl), 0);
}

static void lists(int unused)
{
	static const char access_acl[] = "system.posix_acl_access";
	static const char default_acl[] = "system.posix_acl_default";
	char value[128];
	long length;

	make("f");
	note("mkdir", mkdir("d", 0755));
	note("set", set_acl("f", access_acl, 6));
	see("f");
	length = getxattr("f", access_acl, value, sizeof(value));
	note_text("get", value, length);
	note("chmod", chmod("f", 0640));
	length = getxattr("f", access_acl, value, sizeof(value));
	note_text("get", value, length);
	note("default of a file", set_acl("f", default_acl, 7));
	note("default", set_acl("d", default_acl, 7));
	note("mkdir", mkdir("d/e", 0777));
	make("d/g");
	see("d/e");
	see("d/g");
	length = getxattr("d/e", default_acl, value, sizeof(value));
	note_text("inherited", value, length);
	length = getxattr("d/g", access_acl, value, sizeof(value));
	note_text("given", value, length);
	note("damaged", setxattr("f", access_acl, "damage", 6, 0));
	note("nobody", set_acl("f", access_acl, 0));
	note_fd("open", open("f", O_RDONLY));
	note("remove", removexattr("f", access_acl));
	note("again", removexattr("f", access_acl));
	note("remove default", removexattr("d", default_acl));
	note("another's", set_acl("../theirs/secret", access_acl, 4));
	note_fd("open secret", open("../theirs/secret", O_RDONLY));
	note("remove", removexattr("../theirs/secret", access_acl));
	note("chmod", chmod("../theirs/secret", 0600));
	see("f");
}

static void filesystem(int unused)
{
	struct statvfs statistics;
	struct statfs info;
	int fd;

	make("f");
	fd = note_fd("open", open("f", O_RDONLY));
	note("statfs", statfs("f", &info) ?: (long)info.f_type);
	note("fstatfs", fstatfs(fd, &info) ?: info.f_bsize);
	note("names", info.f_namelen);
	note("flags", statvfs(".", &statistics) ?: (long)statistics.f_flag);
	note("of nothing", statfs("none", &info));
	note("below a file", statfs("f/x", &info));
	note("pathconf", pathconf("f", _PC_LINK_MAX));
	note("chroot", chroot("f"));
}

static const struct posix_row rows[] = {
	{ "stat and access", looks, 0, 0 },
	{ "chmod", modes, 0, 0 },
	{ "chown", owners, 0, 0 },
	{ "times", times, 0, 0 },
	{ "extended attributes", extended, 0, 0 },
	{ "ACLs", lists, 0, 0 },
	{ "statfs", filesystem, 0, 0 },
};

const struct posix_group posix_attr = POSIX_GROUP(rows);
