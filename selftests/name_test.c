// SPDX-License-Identifier: GPL-2.0-only
/*
 * name_test - changes of names: create, link, remove, rename.
 *
 * Owns: which rights each of them needs: with one missing it is denied, with
 * exactly these it is done.
 *
 * Must not own: attributes (attr_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "attempt.h"
#include "gate.h"

static int result(int value)
{
	return value < 0 ? errno : 0;
}

static int create(void)
{
	return result(mknod("db/new", S_IFREG | 0600, 0));
}

static int make_fifo(void)
{
	return result(mknod("db/new", S_IFIFO | 0600, 0));
}

static int make_device(void)
{
	return result(mknod("db/new", S_IFCHR | 0600, makedev(1, 3)));
}

static int make_socket(void)
{
	const struct sockaddr_un address = {
		.sun_family = AF_UNIX,
		.sun_path = "db/new",
	};
	int err, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	err = result(bind(fd, (const struct sockaddr *)&address,
			  sizeof(address)));
	close(fd);
	return err;
}

static int make_directory(void)
{
	return result(mkdir("db/new", 0700));
}

static int make_symlink(void)
{
	return result(symlink("nowhere", "db/new"));
}

static int link_here(void)
{
	return result(link("db/a", "db/new"));
}

static int link_elsewhere(void)
{
	return result(link("db/a", "other/new"));
}

static int unlink_file(void)
{
	return result(unlink("db/a"));
}

static int remove_directory(void)
{
	return result(rmdir("db/empty"));
}

static int rename_here(void)
{
	return result(rename("db/a", "db/new"));
}

static int rename_over(void)
{
	return result(rename("db/a", "db/b"));
}

static int rename_elsewhere(void)
{
	return result(rename("db/a", "other/new"));
}

static int rename_over_elsewhere(void)
{
	return result(rename("db/a", "other/x"));
}

static int rename_noreplace(void)
{
	return result(renameat2(AT_FDCWD, "db/a", AT_FDCWD, "other/new",
				RENAME_NOREPLACE));
}

static int rename_whiteout(void)
{
	return result(renameat2(AT_FDCWD, "db/a", AT_FDCWD, "other/new",
				RENAME_WHITEOUT));
}

static int exchange_here(void)
{
	return result(renameat2(AT_FDCWD, "db/a", AT_FDCWD, "db/b",
				RENAME_EXCHANGE));
}

static int exchange_elsewhere(void)
{
	return result(renameat2(AT_FDCWD, "db/a", AT_FDCWD, "other/x",
				RENAME_EXCHANGE));
}

static int move_directory(void)
{
	return result(rename("db/sub", "other/new"));
}

static int move_directory_here(void)
{
	return result(rename("db/sub", "db/new"));
}

/* One right that an operation needs. */
struct need {
	const char *path;
	uint32_t access;
	uint32_t kind;
};

#define NEEDS_MAX	6

#define NAMES_OF(directory)						\
	{ directory, GATE_NAMES, TRUSTGATE_OBJECT_KIND_FILE }
#define BYTES_OF(file)							\
	{ file, GATE_READ, TRUSTGATE_OBJECT_KIND_FILE },		\
	{ file, GATE_WRITE, TRUSTGATE_OBJECT_KIND_FILE }
/* Of a directory that is moved: all that lies below. */
#define BYTES_BELOW(directory)						\
	{ directory, GATE_READ, TRUSTGATE_OBJECT_KIND_SUBTREE },	\
	{ directory, GATE_WRITE, TRUSTGATE_OBJECT_KIND_SUBTREE }

FIXTURE(name) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(name) {
	int (*change)(void);
	const char *hook;
	struct need needs[NEEDS_MAX];
};

#define NAME(operation, by, ...)					\
	FIXTURE_VARIANT_ADD(name, operation) {				\
		.change = operation, .hook = by, .needs = { __VA_ARGS__ }, \
	}

NAME(create, "inode_create", NAMES_OF("db"));
NAME(make_fifo, "inode_mknod", NAMES_OF("db"));
NAME(make_device, "inode_mknod", NAMES_OF("db"));
NAME(make_socket, "inode_mknod", NAMES_OF("db"));
NAME(make_directory, "inode_mkdir", NAMES_OF("db"));
NAME(make_symlink, "inode_symlink", NAMES_OF("db"));
NAME(link_here, "inode_link", NAMES_OF("db"));
NAME(link_elsewhere, "inode_link", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_OF("db/a"));
NAME(unlink_file, "inode_unlink", NAMES_OF("db"));
NAME(remove_directory, "inode_rmdir", NAMES_OF("db"));
NAME(rename_here, "inode_rename", NAMES_OF("db"));
NAME(rename_over, "inode_rename", NAMES_OF("db"));
NAME(rename_elsewhere, "inode_rename", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_OF("db/a"));
NAME(rename_over_elsewhere, "inode_rename", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_OF("db/a"));
NAME(rename_noreplace, "inode_rename", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_OF("db/a"));
NAME(rename_whiteout, "inode_rename", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_OF("db/a"));
NAME(exchange_here, "inode_rename", NAMES_OF("db"));
NAME(exchange_elsewhere, "inode_rename", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_OF("db/a"), BYTES_OF("other/x"));
NAME(move_directory, "inode_rename", NAMES_OF("db"), NAMES_OF("other"),
     BYTES_BELOW("db/sub"));
NAME(move_directory_here, "inode_rename", NAMES_OF("db"));

FIXTURE_SETUP(name)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, mkdir("db/empty", 0700));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(name)
{
	gate_clean();
}

/* All rights on the objects of @needs but the one numbered @without. */
static int grant_without(struct gate *gate, const struct volume *volume,
			 const struct need *needs, unsigned int without)
{
	struct trustgate_grant_request request;
	unsigned int i, j;
	uint32_t access;

	for (i = 0; i < NEEDS_MAX && needs[i].path; i++) {
		request = gate_request(volume, needs[i].path, 0);
		/* A directory's names need no right to what is in it. */
		request.object_kind = needs[i].kind;
		access = GATE_ALL;
		for (j = 0; j < NEEDS_MAX && needs[j].path; j++) {
			if (j == without &&
			    !strcmp(needs[j].path, needs[i].path))
				access &= ~needs[j].access;
		}
		request.access = access;
		if (!gate_grant(gate, &request))
			return -EINVAL;
	}
	return 0;
}

TEST_F(name, needs_each_right)
{
	struct trustgate_event event;
	unsigned int i;

	gate_forget_events(&self->gate);
	EXPECT_EQ(EACCES, variant->change());
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ(variant->hook, event.hook);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);

	for (i = 0; i < NEEDS_MAX && variant->needs[i].path; i++) {
		ASSERT_EQ(0, grant_without(&self->gate, &self->volume,
					   variant->needs, i));
		EXPECT_EQ(EACCES, variant->change())
			TH_LOG("done without access %#x to %s",
			       variant->needs[i].access,
			       variant->needs[i].path);
		ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	}

	/* Exactly the needed rights, each by a grant of its own. */
	for (i = 0; i < NEEDS_MAX && variant->needs[i].path; i++) {
		const struct need *need = &variant->needs[i];
		struct trustgate_grant_request request =
			gate_request(&self->volume, need->path, need->access);

		request.object_kind = need->kind;
		ASSERT_NE(0, gate_grant(&self->gate, &request));
	}
	EXPECT_EQ(0, variant->change());
}

/* Changes inside, into and out of a granted subtree. */

FIXTURE(subtree) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(subtree)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), "db",
				     GATE_ALL));
}

FIXTURE_TEARDOWN_PARENT(subtree)
{
	gate_clean();
}

TEST_F(subtree, inside)
{
	EXPECT_EQ(0, result(mkdir("db/sub/new", 0700)));
	EXPECT_EQ(0, result(rename("db/a", "db/sub/new/a")));
	EXPECT_EQ(0, result(link("db/sub/new/a", "db/a")));
	EXPECT_EQ(0, result(rename("db/sub/new", "db/new")));
	EXPECT_EQ(0, result(unlink("db/new/a")));
	EXPECT_EQ(0, result(rmdir("db/new")));
	EXPECT_EQ(0, attempt_read("db/a", 0));
}

TEST_F(subtree, into)
{
	EXPECT_EQ(EACCES, result(rename("other/x", "db/x")));
	EXPECT_EQ(EACCES, result(rename("other", "db/other")));
	EXPECT_EQ(EACCES, result(link("other/x", "db/x")));
	EXPECT_EQ(EACCES, result(renameat2(AT_FDCWD, "other/x", AT_FDCWD,
					   "db/a", RENAME_EXCHANGE)));
	/* NAMES alone must not bring bytes within reach. */
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_NAMES));
	EXPECT_EQ(EACCES, result(rename("other/x", "db/x")));
	EXPECT_EQ(EACCES, result(rename("other", "db/other")));
	EXPECT_EQ(EACCES, result(link("other/x", "db/x")));
	EXPECT_EQ(EACCES, attempt_read("other/x", 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "other/x", GATE_READ | GATE_WRITE));
	EXPECT_EQ(0, result(link("other/x", "db/y")));
	EXPECT_EQ(0, result(rename("other/x", "db/x")));
}

TEST_F(subtree, out_of)
{
	EXPECT_EQ(EACCES, result(rename("db/a", "other/a")));
	EXPECT_EQ(EACCES, result(rename("db/sub", "sub")));
	EXPECT_EQ(EACCES, result(link("db/a", "other/a")));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "other", GATE_NAMES));
	EXPECT_EQ(0, result(link("db/a", "other/link")));
	EXPECT_EQ(0, result(rename("db/a", "other/a")));
	/* It has left the subtree, and with it the grant. */
	EXPECT_EQ(EACCES, attempt_read("other/a", 0));
}

/* The subtree's own name belongs to the directory above it. */
TEST_F(subtree, itself)
{
	EXPECT_EQ(EACCES, result(rename("db", "renamed")));
	EXPECT_EQ(EACCES, result(rmdir("db")));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), ".",
				     GATE_NAMES));
	EXPECT_EQ(0, result(rename("db", "renamed")));
	/* The grant is on the directory, not on its name. */
	EXPECT_EQ(0, attempt_read("renamed/a", 0));
	EXPECT_EQ(0, result(rename("renamed", "db")));
}

/* A grant on a directory alone is none on what a move would take along. */
TEST_F(subtree, moving_needs_the_whole)
{
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), "db",
				     GATE_NAMES));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "other", GATE_ALL));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/sub", GATE_ALL));
	EXPECT_EQ(EACCES, result(rename("db/sub", "other/sub")));
	EXPECT_EQ(EACCES, attempt_read("db/sub/c", 0));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(),
				     "db/sub", GATE_READ | GATE_WRITE));
	EXPECT_EQ(0, result(rename("db/sub", "other/sub")));
}

TEST_HARNESS_MAIN
