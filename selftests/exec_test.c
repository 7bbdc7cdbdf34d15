// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec_test - executing programs of a volume, and grants over an exec.
 *
 * Owns: execve(2), interpreters, libraries, and what becomes of a grant when
 * its subject executes something.
 *
 * Must not own: who else a grant covers (subject_test.c).
 */

#include "kselftest_harness.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

FIXTURE(exec) {
	struct gate gate;
	struct volume volume;
};

/* Returns the exit status, or errno of the exec. */
static int run(const char *program)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		execl(program, program, NULL);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

FIXTURE_SETUP(exec)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, attempt_copy("/bin/true", "db/true"));
	ASSERT_EQ(0, disk_file("db/script", "#!/bin/true\n", 0755));
	ASSERT_EQ(0, disk_file("db/cat", "#!/bin/cat\n", 0755));
}

FIXTURE_TEARDOWN_PARENT(exec)
{
	gate_clean();
}

/* Give this process and its children something. */
static uint64_t grant_family(struct gate *gate, const struct volume *volume,
			     const char *path, uint32_t access, uint32_t flags)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);

	request.flags = flags | TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	return gate_grant(gate, &request);
}

#define PROTECT()							\
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume))
#define FAMILY(path, access)						\
	ASSERT_NE(0, grant_family(&self->gate, &self->volume, path, access, 0))
#define FAMILY_KEEP(path, access)					\
	ASSERT_NE(0, grant_family(&self->gate, &self->volume, path, access, \
				  TRUSTGATE_GRANT_FLAGS_KEEP_EXEC))

TEST_F(exec, needs_exec)
{
	struct trustgate_event event;

	ASSERT_EQ(0, run("db/true"));
	PROTECT();
	EXPECT_EQ(EACCES, run("db/true"));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("file_open", event.hook);
	EXPECT_EQ(GATE_EXEC, event.access);
	FAMILY("db/true", GATE_ALL & ~GATE_EXEC);
	EXPECT_EQ(EACCES, run("db/true"));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));

	/* EXEC is all it takes, and gives no other access. */
	FAMILY("db/true", GATE_EXEC);
	EXPECT_EQ(0, run("db/true"));
	EXPECT_EQ(EACCES, attempt_read("db/true", 0));
	EXPECT_EQ(EACCES, run("db/script"));
}

static int run_descriptor(int fd)
{
	char *const arguments[] = { "true", NULL }, *const environment[] = { NULL };
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		syscall(SYS_execveat, fd, "", arguments, environment,
			AT_EMPTY_PATH);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

TEST_F(exec, by_descriptor)
{
	int fd, path;

	fd = open("db/true", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	path = open("db/true", O_PATH | O_CLOEXEC);
	ASSERT_LE(0, path);
	ASSERT_EQ(0, run_descriptor(fd));
	PROTECT();
	EXPECT_EQ(EACCES, run_descriptor(fd));
	EXPECT_EQ(EACCES, run_descriptor(path));
	FAMILY("db/true", GATE_EXEC);
	EXPECT_EQ(0, run_descriptor(fd));
	EXPECT_EQ(0, run_descriptor(path));
}

/* The kernel reads the first line, the interpreter reads the script. */
TEST_F(exec, script)
{
	ASSERT_EQ(0, run("db/cat"));
	PROTECT();
	EXPECT_EQ(EACCES, run("db/cat"));
	FAMILY("db/cat", GATE_EXEC);
	EXPECT_EQ(1, run("db/cat"));
	FAMILY("db/cat", GATE_READ);
	/* Which the exec has ended before the interpreter could use it. */
	EXPECT_EQ(1, run("db/cat"));
	FAMILY_KEEP("db/cat", GATE_READ);
	EXPECT_EQ(0, run("db/cat"));
}

TEST_F(exec, script_interpreter)
{
	const char *const script = DISK_MOUNTS "/script";
	char line[128];

	snprintf(line, sizeof(line), "#!%s/db/true\n", self->volume.disk.path);
	ASSERT_EQ(0, disk_file(script, line, 0755));
	ASSERT_EQ(0, run(script));
	PROTECT();
	EXPECT_EQ(EACCES, run(script));
	FAMILY("db/true", GATE_EXEC);
	EXPECT_EQ(0, run(script));
	ASSERT_EQ(0, unlink(script));
}

/* Make a program whose ELF interpreter is a file of the volume. */
static int copy_with_loader(const char *to, const char *loader)
{
	static char image[1 << 20];
	char *name, *end;
	ssize_t size;
	int fd, err;

	fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, image, sizeof(image));
	close(fd);
	if (size <= 0 || size == sizeof(image))
		return EFBIG;
	name = memmem(image, size, "/lib", 4);
	end = name ? memchr(name, '\0', image + size - name) : NULL;
	if (!end || !strstr(name, "/ld-") ||
	    (size_t)(end - name) < strlen(loader))
		return ENOEXEC;
	err = attempt_copy(name, "db/loader");
	if (err)
		return err;
	memcpy(name, loader, strlen(loader) + 1);
	fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0)
		return errno;
	err = write(fd, image, size) == size ? 0 : EIO;
	close(fd);
	return err;
}

TEST_F(exec, elf_interpreter)
{
	const char *const program = DISK_MOUNTS "/program";
	const char *const loader = "/run/tg-loader";
	char target[128];

	snprintf(target, sizeof(target), "%s/db/loader",
		 self->volume.disk.path);
	unlink(loader);
	ASSERT_EQ(0, symlink(target, loader));
	ASSERT_EQ(0, copy_with_loader(program, loader));
	ASSERT_EQ(0, run(program));
	PROTECT();
	EXPECT_EQ(EACCES, run(program));
	FAMILY("db/loader", GATE_ALL & ~GATE_EXEC);
	EXPECT_EQ(EACCES, run(program));
	FAMILY("db/loader", GATE_EXEC);
	EXPECT_EQ(0, run(program));
	ASSERT_EQ(0, unlink(loader));
	ASSERT_EQ(0, unlink(program));
}

/* By another name and another filesystem, it is the volume's program. */
TEST_F(exec, through_overlay)
{
	const char *const merged = DISK_MOUNTS "/merged";
	const char *const program = DISK_MOUNTS "/merged/true";
	struct trustgate_event event;
	char options[256];

	ASSERT_EQ(0, mkdir(merged, 0700));
	snprintf(options, sizeof(options), "lowerdir=%s/db:%s/other",
		 self->volume.disk.path, self->volume.disk.path);
	if (mount("overlay", merged, "overlay", 0, options))
		SKIP(return, "no overlay filesystem: %s", strerror(errno));
	ASSERT_EQ(0, run(program));
	PROTECT();
	EXPECT_EQ(EACCES, run(program));
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_EQ(GATE_EXEC, event.access);
	FAMILY("db/true", GATE_ALL & ~GATE_EXEC);
	EXPECT_EQ(EACCES, run(program));
	EXPECT_EQ(EACCES, run(DISK_MOUNTS "/merged/script"));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));

	FAMILY("db/true", GATE_EXEC);
	EXPECT_EQ(0, run(program));
	EXPECT_EQ(EACCES, attempt_read(program, 0));
	EXPECT_EQ(EACCES, run(DISK_MOUNTS "/merged/script"));
}

static int attempt_library(const char *path, long unused)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return EACCES;
	dlclose(library);
	return 0;
}

TEST_F(exec, library)
{
	struct link_map *map;
	void *library;

	/* Some library that is on every host and not loaded yet. */
	library = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL);
	ASSERT_NE(NULL, library);
	ASSERT_EQ(0, dlinfo(library, RTLD_DI_LINKMAP, &map));
	ASSERT_EQ(0, attempt_copy(map->l_name, "db/library.so"));
	ASSERT_EQ(0, actor_once(attempt_library, "./db/library.so", 0));
	PROTECT();
	EXPECT_EQ(EACCES, attempt_library("./db/library.so", 0));
	FAMILY("db/library.so", GATE_READ);
	EXPECT_EQ(EACCES, attempt_library("./db/library.so", 0));
	FAMILY("db/library.so", GATE_EXEC);
	EXPECT_EQ(0, attempt_library("./db/library.so", 0));
}

/* Open a file, and become a program that reads it as its standard input. */
static int become_reader(const char *path, long unused)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || sink < 0)
		return errno;
	dup2(fd, STDIN_FILENO);
	dup2(sink, STDOUT_FILENO);
	execl("/bin/cat", "cat", NULL);
	return errno;
}

/* Become a program of the volume that reads the file itself. */
static int become_reader_on_volume(const char *path, long unused)
{
	int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (sink < 0)
		return errno;
	dup2(sink, STDOUT_FILENO);
	execl("db/reader", "reader", path, NULL);
	return errno;
}

/* The exit status of an actor that became a program. */
static int wait_actor(const struct actor *actor)
{
	int status;

	if (actor_end(actor) != -EPIPE)
		return 256;
	if (waitpid(actor->pid, &status, 0) != actor->pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

TEST_F(exec, ends_grant)
{
	struct trustgate_event event;
	struct actor actor;
	uint64_t id;

	PROTECT();
	ASSERT_EQ(0, actor_start(&actor));
	id = gate_grant_file(&self->gate, &self->volume, actor.pid, "db/a",
			     GATE_READ);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, actor_do(&actor, attempt_read, "db/a", 0));
	actor_begin(&actor, become_reader, "db/a", 0);
	EXPECT_EQ(1, wait_actor(&actor));
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_GRANT_ENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_SUBJECT_EXEC, event.end);
}

TEST_F(exec, keeps_grant)
{
	struct trustgate_grant_request request;
	struct trustgate_event event;
	struct actor actor;
	uint64_t id;

	PROTECT();
	ASSERT_EQ(0, actor_start(&actor));
	request = gate_request(&self->volume, "db/a", GATE_READ);
	request.pid = actor.pid;
	request.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	actor_begin(&actor, become_reader, "db/a", 0);
	EXPECT_EQ(0, wait_actor(&actor));
	/* It ended with its process only. */
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_GRANT_ENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_SUBJECT_EXIT, event.end);
}

/* A grant for children does not outlive their exec either. */
TEST_F(exec, ends_grant_of_ancestor)
{
	struct actor actor;

	PROTECT();
	FAMILY("db/a", GATE_READ);
	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_EQ(0, actor_do(&actor, attempt_read, "db/a", 0));
	actor_begin(&actor, become_reader, "db/a", 0);
	EXPECT_EQ(1, wait_actor(&actor));
	EXPECT_EQ(0, attempt_read("db/a", 0));

	FAMILY_KEEP("db/a", GATE_READ);
	ASSERT_EQ(0, actor_start(&actor));
	actor_begin(&actor, become_reader, "db/a", 0);
	EXPECT_EQ(0, wait_actor(&actor));
}

/* Become a shell that runs a script in the volume's root. */
static int become_shell(const char *script, long unused)
{
	execl("/bin/sh", "sh", "-c", script, NULL);
	return errno;
}

static uint64_t grant_next_exec(struct gate *gate, const struct volume *volume,
				pid_t pid, const char *path, uint32_t kind,
				uint32_t access)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);

	request.pid = pid;
	request.object_kind = kind;
	request.flags = TRUSTGATE_GRANT_FLAGS_NEXT_EXEC;
	return gate_grant(gate, &request);
}

/* It begins with one exec and ends with the one after it. */
TEST_F(exec, next_exec)
{
	struct trustgate_event event;
	struct actor actor;
	uint64_t id;

	PROTECT();
	ASSERT_EQ(0, actor_start(&actor));
	id = grant_next_exec(&self->gate, &self->volume, actor.pid, "db/a",
			     TRUSTGATE_OBJECT_KIND_FILE, GATE_READ);
	ASSERT_NE(0, id);
	EXPECT_EQ(EACCES, actor_do(&actor, attempt_read, "db/a", 0));
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_NOT_YET));
	/* Looking for what has ended by itself does not take it for that. */
	usleep(1200 * 1000);
	actor_begin(&actor, become_shell,
		    "read -r line <db/a || exit 3; exec cat db/a >/dev/null",
		    0);
	EXPECT_EQ(1, wait_actor(&actor));
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_GRANT_ENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_SUBJECT_EXEC, event.end);
}

/* A program on the volume can be what begins it. */
TEST_F(exec, next_exec_of_volume)
{
	struct actor actor;

	ASSERT_EQ(0, attempt_copy("/bin/cat", "db/reader"));
	PROTECT();
	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_NE(0, grant_next_exec(&self->gate, &self->volume, actor.pid,
				     "db", TRUSTGATE_OBJECT_KIND_SUBTREE,
				     GATE_READ | GATE_EXEC));
	EXPECT_EQ(EACCES, actor_do(&actor, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&actor, attempt_read, "db/reader", 0));
	/* The shell is the next program, and what it becomes the one after. */
	actor_begin(&actor, become_shell, "exec db/reader db/a >/dev/null", 0);
	EXPECT_EQ(1, wait_actor(&actor));

	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_NE(0, grant_next_exec(&self->gate, &self->volume, actor.pid,
				     "db", TRUSTGATE_OBJECT_KIND_SUBTREE,
				     GATE_READ | GATE_EXEC));
	actor_begin(&actor, become_reader_on_volume, "db/a", 0);
	EXPECT_EQ(0, wait_actor(&actor));
}

TEST_F(exec, next_exec_or_keep_exec)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;

	PROTECT();
	request = gate_request(&self->volume, "db/a", GATE_READ);
	request.flags = TRUSTGATE_GRANT_FLAGS_NEXT_EXEC |
			TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
	EXPECT_NE(NULL, strstr(trustgate_error_text(self->gate.conn),
			       "either keep-exec or next-exec"));
}

/* Wait until the actor has become another program. */
static bool became(const struct actor *actor, const char *name)
{
	char path[64], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", actor->pid);
	for (int i = 0; i < 10000; i++) {
		file = fopen(path, "re");
		if (file && fgets(comm, sizeof(comm), file))
			comm[strcspn(comm, "\n")] = 0;
		if (file)
			fclose(file);
		if (!strcmp(comm, name))
			return true;
		usleep(10 * 1000);
	}
	return false;
}

/*
 * Who renews has looked at the program before, and another one must not get what
 * was meant for that.
 */
TEST_F(exec, renewal)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;
	struct actor actor;
	uint64_t id;

	PROTECT();
	ASSERT_EQ(0, actor_start(&actor));
	request = gate_request(&self->volume, "db/a", GATE_READ);
	request.pid = actor.pid;
	request.renews = gate_grant(&self->gate, &request);
	ASSERT_NE(0, request.renews);
	/* Neither needs to be for descendants, but no more come to it. */
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
	EXPECT_NE(NULL, strstr(trustgate_error_text(self->gate.conn),
			       "not for descendants"));
	request.flags = TRUSTGATE_GRANT_FLAGS_NEXT_EXEC;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
	request.flags = 0;
	request.pid = getpid();
	EXPECT_EQ(-EINVAL, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
	EXPECT_NE(NULL, strstr(trustgate_error_text(self->gate.conn),
			       "the same subject"));

	request.pid = actor.pid;
	request.renews = 0;
	request.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	actor_begin(&actor, become_shell, "exec sleep 1000", 0);
	ASSERT_TRUE(became(&actor, "sleep"));
	request.renews = id;
	EXPECT_EQ(0, trustgate_grant_add(self->gate.conn, &request, 1, &added));
	request.flags = 0;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
	EXPECT_NE(NULL, strstr(trustgate_error_text(self->gate.conn),
			       "executed another program"));
	kill(actor.pid, SIGKILL);
	wait_actor(&actor);
}

static int fail_to_exec(const char *path, long unused)
{
	execl(path, path, NULL);
	return errno;
}

TEST_F(exec, failed_exec_ends_nothing)
{
	struct actor actor;

	ASSERT_EQ(0, disk_file("db/garbage", "\177ELF garbage", 0755));
	PROTECT();
	ASSERT_EQ(0, actor_start(&actor));
	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, actor.pid,
				     "db", GATE_READ | GATE_EXEC));
	EXPECT_EQ(ENOENT, actor_do(&actor, fail_to_exec, "db/nothing", 0));
	EXPECT_EQ(ENOEXEC, actor_do(&actor, fail_to_exec, "db/garbage", 0));
	EXPECT_EQ(EACCES, actor_do(&actor, fail_to_exec, "db/a", 0));
	EXPECT_EQ(0, actor_do(&actor, attempt_read, "db/a", 0));
	actor_stop(&actor);
}

TEST_HARNESS_MAIN
