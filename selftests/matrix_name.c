// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_name - rows: creating, linking, removing and renaming.
 *
 * Owns: changes of directories.
 *
 * Must not own: looking at names (matrix_left.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "matrix.h"

static int create(void)
{
	return scene_result(mknod("db/new", S_IFREG | 0600, 0));
}

static int make_fifo(void)
{
	return scene_result(mknod("db/new", S_IFIFO | 0600, 0));
}

static int make_device(void)
{
	return scene_result(mknod("db/new", S_IFCHR | 0600, makedev(1, 3)));
}

static int make_socket(void)
{
	const struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = "db/new",
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	return scene_result(bind(fd, (const struct sockaddr *)&address,
				 sizeof(address)));
}

static int make_directory(void)
{
	return scene_result(mkdir("db/new", 0700));
}

static int make_symlink(void)
{
	return scene_result(symlink("nowhere", "db/new"));
}

static int link_here(void)
{
	return scene_result(link("db/a", "db/new"));
}

static int link_elsewhere(void)
{
	return scene_result(link("db/a", "other/new"));
}

static int prepare_unnamed(void)
{
	scene.fd = open("db", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return scene_result(scene.fd);
}

static int link_unnamed(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", scene.fd);
	return scene_result(linkat(AT_FDCWD, name, AT_FDCWD, "db/new",
				   AT_SYMLINK_FOLLOW));
}

static int unlink_file(void)
{
	return scene_result(unlink("db/a"));
}

static int remove_directory(void)
{
	return scene_result(rmdir("db/empty"));
}

static int rename_here(void)
{
	return scene_result(rename("db/a", "db/new"));
}

static int rename_over(void)
{
	return scene_result(rename("db/a", "db/b"));
}

static int change(const char *from, const char *to, unsigned int flags)
{
	return scene_result(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
}

static int rename_elsewhere(void)
{
	return change("db/a", "other/new", RENAME_NOREPLACE);
}

static int rename_whiteout(void)
{
	return change("db/a", "other/new", RENAME_WHITEOUT);
}

static int exchange_here(void)
{
	return change("db/a", "db/b", RENAME_EXCHANGE);
}

static int exchange_elsewhere(void)
{
	return change("db/a", "other/x", RENAME_EXCHANGE);
}

static int move_directory(void)
{
	return scene_result(rename("db/sub", "other/new"));
}

#define NAMES_OF(directory)	MATRIX_FILE(directory, GATE_NAMES)
/* Who gives bytes a place under other grants must be entitled to them. */
#define BYTES_OF(file)		MATRIX_FILE(file, GATE_READ | GATE_WRITE)

static const struct matrix_route routes[] = {
	{ .name = "create a file", .hook = "inode_create", .also = "name_test",
	  .go = create, .needs = { NAMES_OF("db") } },
	{ .name = "create a fifo", .hook = "inode_mknod", .also = "name_test",
	  .go = make_fifo, .needs = { NAMES_OF("db") } },
	{ .name = "create a device node", .hook = "inode_mknod", .also = "name_test",
	  .go = make_device, .needs = { NAMES_OF("db") } },
	{ .name = "bind a socket", .hook = "inode_mknod", .also = "name_test",
	  .go = make_socket, .needs = { NAMES_OF("db") } },
	{ .name = "mkdir", .hook = "inode_mkdir", .also = "name_test",
	  .go = make_directory, .needs = { NAMES_OF("db") } },
	{ .name = "symlink", .hook = "inode_symlink", .also = "name_test",
	  .go = make_symlink, .needs = { NAMES_OF("db") } },
	{ .name = "link, in the same directory", .hook = "inode_link", .also = "name_test",
	  .go = link_here, .needs = { NAMES_OF("db") } },
	{ .name = "link, into another directory", .hook = "inode_link", .also = "name_test",
	  .go = link_elsewhere,
	  .needs = { NAMES_OF("db"), NAMES_OF("other"), BYTES_OF("db/a") } },
	{ .name = "linkat of an unnamed file", .hook = "inode_link", .also = "open_test",
	  .prepare = prepare_unnamed, .go = link_unnamed,
	  .needs = { NAMES_OF("db") } },
	{ .name = "unlink", .hook = "inode_unlink", .also = "name_test",
	  .go = unlink_file, .needs = { NAMES_OF("db") } },
	{ .name = "rmdir", .hook = "inode_rmdir", .also = "name_test",
	  .go = remove_directory, .needs = { NAMES_OF("db") } },
	{ .name = "rename", .hook = "inode_rename", .also = "name_test",
	  .go = rename_here, .needs = { NAMES_OF("db") } },
	{ .name = "rename over a file", .hook = "inode_rename", .also = "name_test",
	  .go = rename_over, .needs = { NAMES_OF("db") } },
	{ .name = "rename into another directory", .hook = "inode_rename", .also = "name_test",
	  .go = rename_elsewhere,
	  .needs = { NAMES_OF("db"), NAMES_OF("other"), BYTES_OF("db/a") } },
	{ .name = "rename, leaving a whiteout", .hook = "inode_rename", .also = "name_test",
	  .go = rename_whiteout,
	  .needs = { NAMES_OF("db"), NAMES_OF("other"), BYTES_OF("db/a") } },
	{ .name = "exchange", .hook = "inode_rename", .also = "name_test",
	  .go = exchange_here, .needs = { NAMES_OF("db") } },
	{ .name = "exchange with another directory", .hook = "inode_rename", .also = "name_test",
	  .go = exchange_elsewhere,
	  .needs = { NAMES_OF("db"), NAMES_OF("other"), BYTES_OF("db/a"),
		     BYTES_OF("other/x") } },
	{ .name = "move a directory", .hook = "inode_rename", .also = "name_test",
	  .go = move_directory,
	  .needs = { NAMES_OF("db"), NAMES_OF("other"),
		     MATRIX_TREE("db/sub", GATE_READ | GATE_WRITE) } },
};

const struct matrix_group matrix_names = MATRIX_GROUP("Names", routes);
