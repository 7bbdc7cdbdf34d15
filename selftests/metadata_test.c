// SPDX-License-Identifier: GPL-2.0-only
/*
 * metadata_test - a volume that hides names and attributes.
 *
 * Owns: each way to look at what is on a volume, without opening it: that it
 * works on a volume that does not hide it, fails on one that does, and works
 * again for who has business there. And what stays in sight all the same.
 *
 * Must not own: bytes (open_test.c), changes (name_test.c, attr_test.c).
 *
 * The test's process is the agent, who may look; so it is others who look here.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/quota.h>
#include <linux/stat.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"
#include "module.h"

#ifndef SYS_file_getattr
#define SYS_file_getattr	468
#endif

#define ELSEWHERE	DISK_MOUNTS "/elsewhere"
#define FILE_ELSEWHERE	"/run/trustgate-selftest-file"
#define PIN		"/sys/fs/bpf/trustgate-veil"
#define XATTR		"security.trustgate"
#define ACL		"system.posix_acl_access"

/* Held since before the volume hid anything; inherited by every actor. */
enum { FILE_FD = 200, DIR_FD, LINK_FD, ROOT_FD };

static int result(long value)
{
	return value < 0 ? errno : 0;
}

static int look_stat(const char *path, long flags)
{
	struct stat st;

	return result(fstatat(AT_FDCWD, path, &st, flags));
}

static int look_fstat(const char *unused, long fd)
{
	struct stat st;

	return result(fstat(fd, &st));
}

static int look_statx(const char *unused, long fd)
{
	struct statx stx;

	return result(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_ALL,
			      &stx));
}

static int look_access(const char *path, long mode)
{
	return result(access(path, mode));
}

static int look_chdir(const char *path, long unused)
{
	return result(chdir(path));
}

static int look_fchdir(const char *unused, long fd)
{
	const int err = result(fchdir(fd));

	if (!err)
		fchdir(ROOT_FD);
	return err;
}

static int look_readlink(const char *path, long unused)
{
	char target[64];

	return result(readlink(path, target, sizeof(target)));
}

static int look_readlink_fd(const char *unused, long fd)
{
	char target[64];

	return result(readlinkat(fd, "", target, sizeof(target)));
}

static int look_listxattr(const char *path, long unused)
{
	return result(listxattr(path, NULL, 0));
}

static int look_getxattr(const char *path, long acl)
{
	return result(getxattr(path, acl ? ACL : XATTR, NULL, 0));
}

static int look_statfs(const char *path, long unused)
{
	struct statfs st;

	return result(statfs(path, &st));
}

static int look_fstatfs(const char *unused, long fd)
{
	struct statfs st;

	return result(fstatfs(fd, &st));
}

/* No quota is kept on the volume, which is told after the check. */
static int look_quota(const char *unused, long fd)
{
	__u32 format;
	int err = result(syscall(SYS_quotactl_fd, fd,
				 QCMD(Q_GETFMT, USRQUOTA), 0, &format));

	return err == ESRCH ? 0 : err;
}

/* Not on every kernel. */
static int look_file_getattr(const char *path, long unused)
{
	uint64_t attr[3];
	const int err = result(syscall(SYS_file_getattr, AT_FDCWD, path, attr,
				       sizeof(attr), 0));

	return err == ENOSYS ? 0 : err;
}

union handle {
	struct file_handle head;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
};

static int make_handle(union handle *handle, int fd, const char *path)
{
	int mount_id;

	handle->head.handle_bytes = MAX_HANDLE_SZ;
	return result(name_to_handle_at(fd, path, &handle->head, &mount_id,
					*path ? 0 : AT_EMPTY_PATH));
}

static int look_handle(const char *path, long fd)
{
	union handle handle;

	return make_handle(&handle, fd, path);
}

/* To a descriptor there leads no name that could be hidden, but: */
static int look_by_handle(const char *unused, long fd)
{
	union handle handle;
	int found, err;

	err = make_handle(&handle, fd, "");
	if (err)
		return err;
	found = open_by_handle_at(ROOT_FD, &handle.head, O_PATH);
	/* Who may not read its parent cannot have a directory found, either. */
	if (found < 0)
		return errno == ESTALE ? EACCES : errno;
	err = look_fstat(NULL, found);
	close(found);
	return err;
}

/* A mount of its own, to which leads a path that is nowhere on the volume. */
static int look_mounted(const char *path, long fd)
{
	int tree, err;

	tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE |
			 OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return -errno;
	err = result(move_mount(tree, "", AT_FDCWD,
				fd == DIR_FD ? ELSEWHERE : FILE_ELSEWHERE,
				MOVE_MOUNT_F_EMPTY_PATH));
	close(tree);
	if (err)
		return -err;
	/* A link is followed where it is mounted. */
	err = look_stat(path, 0);
	umount2(fd == DIR_FD ? ELSEWHERE : FILE_ELSEWHERE,
		MNT_DETACH | UMOUNT_NOFOLLOW);
	return err;
}

static int look_bind(const char *path, long unused)
{
	const int err = result(mount(path, ELSEWHERE, NULL, MS_BIND, NULL));

	if (!err)
		umount2(ELSEWHERE, MNT_DETACH);
	return err;
}

static int look_forked(const char *path, long unused)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(look_stat(path, 0));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Every look, and the hook that stops who has no business. */
static const struct look {
	const char *name;
	actor_part part;
	const char *text;
	long number;
	const char *hook;
} looks[] = {
	{ "stat", look_stat, "db/a", 0, "inode_permission" },
	{ "lstat a link", look_stat, "link", AT_SYMLINK_NOFOLLOW,
	  "inode_permission" },
	{ "stat by a link", look_stat, "link", 0, "inode_permission" },
	{ "access", look_access, "db/a", F_OK, "inode_permission" },
	{ "access to the root", look_access, ".", X_OK, "inode_permission" },
	{ "chdir to the root", look_chdir, ".", 0, "inode_permission" },
	{ "fchdir", look_fchdir, "", DIR_FD, "inode_permission" },
	{ "readlink", look_readlink, "link", 0, "inode_permission" },
	{ "listxattr", look_listxattr, "db/a", 0, "inode_permission" },
	{ "handle", look_handle, "db/a", AT_FDCWD, "inode_permission" },
	{ "bind mount", look_bind, "db", 0, "inode_permission" },
	{ "fstat", look_fstat, "", FILE_FD, "inode_getattr" },
	{ "fstat a directory", look_fstat, "", DIR_FD, "inode_getattr" },
	{ "fstat a link", look_fstat, "", LINK_FD, "inode_getattr" },
	{ "statx", look_statx, "", FILE_FD, "inode_getattr" },
	{ "stat in /proc", look_stat, "/proc/self/fd/200", 0, "inode_getattr" },
	{ "stat below what is in /proc", look_stat, "/proc/self/fd/201/a", 0,
	  "inode_permission" },
	{ "stat above what is in /proc", look_stat,
	  "/proc/self/fd/201/../other/x", 0, "inode_permission" },
	{ "readlinkat", look_readlink_fd, "", LINK_FD, "inode_readlink" },
	{ "listxattr in /proc", look_listxattr, "/proc/self/fd/200", 0,
	  "inode_listxattr" },
	{ "getxattr in /proc", look_getxattr, "/proc/self/fd/200", 0,
	  "inode_getxattr" },
	{ "ACL in /proc", look_getxattr, "/proc/self/fd/200", 1,
	  "inode_get_acl" },
	{ "statfs", look_statfs, DISK_MOUNTS "/0", 0, "sb_statfs" },
	{ "fstatfs", look_fstatfs, "", ROOT_FD, "sb_statfs" },
	{ "quota", look_quota, "", ROOT_FD, "quotactl" },
	{ "by handle", look_by_handle, "", FILE_FD, "inode_getattr" },
	{ "mounted directory", look_mounted, ELSEWHERE "/a", DIR_FD,
	  "inode_permission" },
	{ "mounted link", look_mounted, FILE_ELSEWHERE, LINK_FD,
	  "inode_follow_link" },
	{ "file_getattr in /proc", look_file_getattr, "/proc/self/fd/200", 0,
	  "inode_file_getattr" },
};

FIXTURE(metadata) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

static void hold(const char *path, int flags, int fd)
{
	int now = open(path, flags);

	if (now >= 0) {
		dup2(now, fd);
		close(now);
	}
}

FIXTURE_SETUP(metadata)
{
	/* An ACL that says more than a mode does: user 1 may read. */
	static const struct {
		uint32_t version;
		struct { uint16_t tag, perm; uint32_t id; } entry[5];
	} acl = { 2, { { 0x01, 6, -1 }, { 0x02, 4, 1 }, { 0x04, 4, -1 },
		       { 0x10, 4, -1 }, { 0x20, 4, -1 } } };

	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, symlink("/etc/passwd", "link"));
	ASSERT_EQ(0, setxattr("db/a", XATTR, "x", 1, 0));
	ASSERT_EQ(0, setxattr("db/a", ACL, &acl, sizeof(acl), 0));
	ASSERT_EQ(0, mkdir(ELSEWHERE, 0700));
	unlink(FILE_ELSEWHERE);
	ASSERT_EQ(0, mknod(FILE_ELSEWHERE, S_IFREG | 0600, 0));
	hold("db/a", O_PATH, FILE_FD);
	hold("db", O_PATH, DIR_FD);
	hold("link", O_PATH | O_NOFOLLOW, LINK_FD);
	/* One for O_PATH does not do for open_by_handle_at(2). */
	hold(".", O_RDONLY, ROOT_FD);
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(0, actor_start(&self->actor));
}

FIXTURE_TEARDOWN(metadata)
{
	actor_stop(&self->actor);
	unlink(FILE_ELSEWHERE);
}

static int set_metadata(struct gate *gate, const struct volume *volume,
			uint32_t metadata)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_METADATA,
		.metadata = metadata,
	};

	return trustgate_volume_set(gate->conn, volume->id, &settings);
}

static int hide(struct gate *gate, const struct volume *volume)
{
	return set_metadata(gate, volume, TRUSTGATE_METADATA_HIDDEN);
}

static int try_look(const struct actor *actor, const struct look *look)
{
	return actor_do(actor, look->part, look->text, look->number);
}

/* What is on the list for newer kernels is no route on this one. */
static bool is_there(const struct look *look)
{
	return look->part != look_file_getattr ||
	       syscall(SYS_file_getattr, -1, "", NULL, 0, 0) >= 0 ||
	       errno != ENOSYS;
}

static uint64_t grant_other(struct gate *gate, const struct volume *volume,
			    pid_t pid)
{
	/* Neither the access nor the object is what is looked at. */
	return gate_grant_file(gate, volume, pid, "other/x", GATE_EXEC);
}

TEST_F(metadata, each_look)
{
	const struct look *look;
	struct trustgate_event event;
	unsigned int i;

	for (i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		EXPECT_EQ(0, try_look(&self->actor, &looks[i]))
			TH_LOG("open: %s", looks[i].name);
	}
	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	for (i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		look = &looks[i];
		if (!is_there(look))
			continue;
		gate_forget_events(&self->gate);
		EXPECT_EQ(EACCES, try_look(&self->actor, look))
			TH_LOG("hidden: %s", look->name);
		ASSERT_EQ(0, gate_wait_event(&self->gate,
					     TRUSTGATE_EVENT_TYPE_DENIED,
					     &event))
			TH_LOG("hidden: %s", look->name);
		EXPECT_STREQ(look->hook, event.hook)
			TH_LOG("hidden: %s", look->name);
		EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
		EXPECT_EQ(0, event.access);
		EXPECT_EQ(self->actor.pid, event.pid);
	}
	ASSERT_NE(0, grant_other(&self->gate, &self->volume, self->actor.pid));
	for (i = 0; i < sizeof(looks) / sizeof(*looks); i++) {
		EXPECT_EQ(0, try_look(&self->actor, &looks[i]))
			TH_LOG("present: %s", looks[i].name);
	}
}

/* Whoever may look may not for that do more. */
TEST_F(metadata, contents_stay_closed)
{
	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_list, ".", 0));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	EXPECT_EQ(EACCES, attempt_list("db", 0));
	ASSERT_NE(0, grant_other(&self->gate, &self->volume, self->actor.pid));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_list, ".", 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume,
				     self->actor.pid, "db/a", GATE_READ));
	EXPECT_EQ(0, actor_do(&self->actor, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_read, "db/b", 0));
}

static int look_here(const struct actor *actor)
{
	const int by_name = actor_do(actor, look_stat, "db/a", 0);
	const int by_fd = actor_do(actor, look_fstat, "", FILE_FD);

	return by_name == by_fd ? by_name : -1;
}

TEST_F(metadata, wrong_grants)
{
	struct trustgate_grant_request request;
	struct volume another;
	struct actor other;
	uint64_t id;

	ASSERT_EQ(0, actor_start(&other));
	ASSERT_EQ(0, volume_make(&another, 1, "tmpfs"));
	ASSERT_EQ(0, volume_protect(&self->gate, &another));
	ASSERT_EQ(0, chdir(self->volume.disk.path));
	ASSERT_EQ(0, hide(&self->gate, &self->volume));

	/* Of another process, and on another volume. */
	ASSERT_NE(0, grant_other(&self->gate, &self->volume, other.pid));
	ASSERT_NE(0, grant_other(&self->gate, &another, self->actor.pid));
	EXPECT_EQ(0, look_here(&other));
	EXPECT_EQ(EACCES, look_here(&self->actor));

	/* Of another time. */
	request = gate_request(&self->volume, "db/a", GATE_ALL);
	request.pid = self->actor.pid;
	request.not_before_boottime_ns = gate_now_ns() + 60 * GATE_SECOND_NS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(EACCES, look_here(&self->actor));
	EXPECT_LT(0, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_NOT_YET));
	request.not_before_boottime_ns = 0;
	request.expires_boottime_ns = gate_now_ns() +
				      gate_patience(1) * GATE_SECOND_NS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(0, look_here(&self->actor));
	gate_sleep_until(request.expires_boottime_ns);
	EXPECT_EQ(EACCES, look_here(&self->actor));

	/* Taken back. */
	id = grant_other(&self->gate, &self->volume, self->actor.pid);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, look_here(&self->actor));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EXPECT_EQ(EACCES, look_here(&self->actor));

	/* One use is one open: what was opened may be looked at until the end. */
	request.expires_boottime_ns = gate_now_ns() + 3600 * GATE_SECOND_NS;
	request.access = GATE_READ;
	request.max_uses = 1;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(0, actor_do(&self->actor, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_read, "db/a", 0));
	EXPECT_EQ(0, look_here(&self->actor));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, look_here(&self->actor));
	EXPECT_EQ(EACCES, look_here(&other));
	actor_stop(&other);
}

TEST_F(metadata, descendants)
{
	struct trustgate_grant_request request;

	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	ASSERT_NE(0, grant_other(&self->gate, &self->volume, self->actor.pid));
	EXPECT_EQ(0, actor_do(&self->actor, look_stat, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&self->actor, look_forked, "db/a", 0));
	request = gate_request(&self->volume, "db/a", GATE_READ);
	request.pid = self->actor.pid;
	request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(0, actor_do(&self->actor, look_forked, "db/a", 0));
}

/* The agent has to find what it grants; nobody it forks, and not without being. */
TEST_F(metadata, agent)
{
	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	EXPECT_EQ(0, look_stat("db/a", 0));
	EXPECT_EQ(0, look_fstat(NULL, FILE_FD));
	EXPECT_EQ(EACCES, look_forked("db/a", 0));
	ASSERT_EQ(0, trustgate_agent_unbind(self->gate.conn));
	EXPECT_EQ(EACCES, look_stat("db/a", 0));
	EXPECT_EQ(EACCES, look_fstat(NULL, FILE_FD));
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	EXPECT_EQ(0, look_stat("db/a", 0));
}

/* Whoever looks at what is mounted where must not run into it. */
TEST_F(metadata, in_sight)
{
	const char *const path = self->volume.disk.path;

	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	EXPECT_EQ(0, actor_do(&self->actor, look_stat, path, 0));
	EXPECT_EQ(0, actor_do(&self->actor, look_stat, path,
			      AT_SYMLINK_NOFOLLOW));
	EXPECT_EQ(0, actor_do(&self->actor, look_access, path, F_OK));
	EXPECT_EQ(0, actor_do(&self->actor, look_bind, path, 0));
	EXPECT_EQ(0, actor_do(&self->actor, look_fstat, "", ROOT_FD));
	EXPECT_EQ(0, umount2(path, MNT_DETACH));
	ASSERT_EQ(0, disk_mount(&self->volume.disk));
	EXPECT_EQ(EACCES, actor_do(&self->actor, look_fstat, "", FILE_FD));

	/* A limit: a descriptor tells the number of what it was opened for. */
	EXPECT_EQ(0, actor_do(&self->actor, look_handle, "", FILE_FD));
}

/* One stat(2) is one denial, also where the kernel walks twice. */
TEST_F(metadata, counted)
{
	struct trustgate_event event;
	uint64_t before;

	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	before = volume_count(&self->gate, &self->volume,
			      TRUSTGATE_CAUSE_NO_GRANT);
	EXPECT_EQ(EACCES, actor_do(&self->actor, look_stat, "db/a", 0));
	EXPECT_EQ(before + 1, volume_count(&self->gate, &self->volume,
					   TRUSTGATE_CAUSE_NO_GRANT));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("/", event.path);
	gate_forget_events(&self->gate);
	EXPECT_EQ(EACCES, actor_do(&self->actor, look_fstat, "", FILE_FD));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("/db/a", event.path);
}

static bool is_attached(struct gate *gate, const char *hook)
{
	struct trustgate_gate now;
	bool found = false;
	size_t i;

	if (trustgate_gate_get(gate->conn, &now))
		return false;
	for (i = 0; i < now.hooks_count && !found; i++)
		found = !strcmp(now.hooks[i], hook);
	trustgate_gate_clear(&now);
	return found;
}

/* Detaching is left to a work. */
static bool is_detached(struct gate *gate, const char *hook)
{
	const uint64_t end_ns = gate_now_ns() +
				gate_patience(20) * GATE_SECOND_NS;

	while (is_attached(gate, hook)) {
		if (gate_now_ns() > end_ns)
			return false;
		usleep(20000);
	}
	return true;
}

/* Hooks on every path walk of the host are attached for nothing else. */
TEST_F(metadata, changed)
{
	struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_METADATA,
		.metadata = TRUSTGATE_METADATA_HIDDEN,
	};
	struct trustgate_volume now;
	struct volume another;

	EXPECT_TRUE(is_detached(&self->gate, "inode_permission"));
	ASSERT_EQ(0, volume_make(&another, 1, "tmpfs"));
	ASSERT_EQ(0, volume_protect_with(&self->gate, &another, &settings));
	EXPECT_TRUE(is_attached(&self->gate, "inode_permission"));
	EXPECT_TRUE(is_attached(&self->gate, "sb_statfs"));
	EXPECT_EQ(EACCES, actor_do(&self->actor, look_stat,
				   DISK_MOUNTS "/1/db/a", 0));
	EXPECT_EQ(0, look_here(&self->actor));

	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, look_here(&self->actor));
	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &now));
	EXPECT_EQ(TRUSTGATE_METADATA_HIDDEN, now.metadata);
	ASSERT_EQ(0, volume_unprotect(&self->gate, &another));
	EXPECT_EQ(EACCES, look_here(&self->actor));
	EXPECT_TRUE(is_attached(&self->gate, "inode_permission"));

	/* Other settings leave it as it is. */
	settings.fields = TRUSTGATE_VOLUME_FIELD_RECORD;
	ASSERT_EQ(0, trustgate_volume_set(self->gate.conn, self->volume.id,
					  &settings));
	EXPECT_EQ(EACCES, look_here(&self->actor));
	ASSERT_EQ(0, set_metadata(&self->gate, &self->volume,
				  TRUSTGATE_METADATA_OPEN));
	EXPECT_EQ(0, look_here(&self->actor));
	EXPECT_TRUE(is_detached(&self->gate, "inode_permission"));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_read, "db/a", 0));
	ASSERT_EQ(0, hide(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, look_here(&self->actor));
}

/* A hook that does not run hides nothing, and then nothing is said to be hidden. */
TEST_F(metadata, refused_unless_proved)
{
	struct trustgate_volume now;
	char here[256] = "";

	if (module_run("command -v bpftool"))
		SKIP(return, "bpftool is not installed");
	/* The program is beside the test, which has gone elsewhere. */
	ASSERT_LT(0, readlink("/proc/self/exe", here, sizeof(here) - 1));
	*strrchr(here, '/') = '\0';
	ASSERT_EQ(0, module_run("bpftool prog load %s/veil.bpf.o " PIN
				" autoattach", here));
	EXPECT_EQ(-EOPNOTSUPP, hide(&self->gate, &self->volume));
	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &now));
	EXPECT_EQ(TRUSTGATE_METADATA_OPEN, now.metadata);
	EXPECT_EQ(0, look_here(&self->actor));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_read, "db/a", 0));
	ASSERT_EQ(0, unlink(PIN));
	/* A program that is let go is detached a moment later. */
	for (unsigned int i = 0; i < 100 && hide(&self->gate, &self->volume); i++)
		usleep(100 * 1000);
	EXPECT_EQ(EACCES, look_here(&self->actor));
}

TEST_HARNESS_MAIN
