// SPDX-License-Identifier: GPL-2.0-only
/*
 * recent_test - what was allowed a moment ago is not allowed for that.
 *
 * The gate remembers on each CPU what it allowed. Owns: having it remember
 * something, then changing one of all the things that the answer depended on,
 * and asking again on the same CPU.
 *
 * Must not own: what is allowed in the first place.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

/* The file is read so often: the second time is answered from memory. */
#define TIMES	3

FIXTURE(recent) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(recent)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(first), &first));
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(recent)
{
	gate_clean();
}

static uint64_t grant(struct gate *gate, const struct volume *volume, pid_t pid,
		      const char *path, uint32_t access, uint32_t flags)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);
	struct stat status;

	request.pid = pid;
	request.flags = flags;
	/* Looking at it is free. */
	if (!stat(path, &status) && S_ISDIR(status.st_mode))
		request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	return gate_grant(gate, &request);
}

#define GRANT(pid, path, access)					\
	ASSERT_NE(0, grant(&self->gate, &self->volume, pid, path, access, 0))

#define GRANT_FAMILY(pid, path, access)					\
	ASSERT_NE(0, grant(&self->gate, &self->volume, pid, path, access, \
			   TRUSTGATE_GRANT_FLAGS_DESCENDANTS))

/* An actor's part; the last result is returned, the others are to be 0. */
static int read_often(const char *unused, long fd)
{
	int result = 0;
	unsigned int i;

	for (i = 0; !result && i < TIMES; i++)
		result = attempt_read_fd(NULL, fd);
	return result;
}

/* An actor's part: a descriptor of its own, kept open. */
static int open_for(const char *path, long flags)
{
	return open(path, flags) < 0 ? errno : 0;
}

/* Each read is counted, remembered or not. */
TEST_F(recent, counted)
{
	uint64_t before, after;
	unsigned int i;
	int fd;

	GRANT(getpid(), "db/a", GATE_READ);
	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	before = volume_count(&self->gate, &self->volume,
			      TRUSTGATE_CAUSE_GRANTED);
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, attempt_read_fd(NULL, fd));
	after = volume_count(&self->gate, &self->volume,
			     TRUSTGATE_CAUSE_GRANTED);
	EXPECT_EQ(before + 100, after);
}

TEST_F(recent, revoked)
{
	uint64_t id;
	int fd;

	id = grant(&self->gate, &self->volume, getpid(), "db/a", GATE_READ, 0);
	ASSERT_NE(0, id);
	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, read_often(NULL, fd));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	GRANT(getpid(), "db/a", GATE_READ);
	EXPECT_EQ(0, read_often(NULL, fd));
}

/* To the moment, although the grant is remembered until shortly before. */
TEST_F(recent, expired)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	uint64_t before_ns;
	int fd, result;

	request.expires_boottime_ns = gate_now_ns() + 3 * GATE_SECOND_NS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	do {
		before_ns = gate_now_ns();
		result = attempt_read_fd(NULL, fd);
		if (!result)
			ASSERT_LT(before_ns, request.expires_boottime_ns);
	} while (!result);
	EXPECT_EQ(EACCES, result);
	EXPECT_LE(request.expires_boottime_ns, gate_now_ns());
}

/* Other access than the remembered one, and as much of it as is left. */
TEST_F(recent, other_access)
{
	uint64_t id;
	int fd;

	GRANT(getpid(), "db/a", GATE_READ);
	id = grant(&self->gate, &self->volume, getpid(), "db/a", GATE_WRITE, 0);
	ASSERT_NE(0, id);
	fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, read_often(NULL, fd));
	EXPECT_EQ(EACCES, attempt_write_fd("x", fd));
	EXPECT_EQ(0, read_often(NULL, fd));
}

/* The descriptor is the same, the process is not. */
TEST_F(recent, other_process)
{
	struct actor child;
	unsigned int i;
	int fd;

	GRANT(getpid(), "db/a", GATE_READ);
	fd = open("db/a", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, read_often(NULL, fd));
	ASSERT_EQ(0, actor_start(&child));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, read_often(NULL, fd));
		EXPECT_EQ(EACCES, actor_do(&child, attempt_read_fd, NULL, fd));
	}
	actor_stop(&child);
}

/*
 * A file that is open where another one was in memory. Who shares our
 * descriptors opens and closes; each has grants of its own.
 */
TEST_F(recent, other_file)
{
	struct actor other;
	unsigned int i;
	int a, b;

	ASSERT_EQ(0, actor_start_flags(&other, CLONE_FILES));
	GRANT(getpid(), "db/a", GATE_READ);
	GRANT(other.pid, "db/b", GATE_READ);
	for (i = 0; i < 100; i++) {
		a = open("db/a", O_RDONLY);
		ASSERT_LE(0, a);
		ASSERT_EQ(0, read_often(NULL, a));
		close(a);
		ASSERT_EQ(0, actor_do(&other, open_for, "db/b", O_RDONLY));
		b = a;
		ASSERT_EQ(EACCES, attempt_read_fd(NULL, b));
		ASSERT_EQ(0, actor_do(&other, attempt_read_fd, NULL, b));
		close(b);
	}
	actor_stop(&other);
}

static int move(const char *names, long unused)
{
	char from[64], to[64];

	if (sscanf(names, "%63s %63s", from, to) != 2)
		return EINVAL;
	return rename(from, to) ? errno : 0;
}

/* A file, or a directory above it, is moved out of the granted subtree. */
TEST_F(recent, renamed)
{
	static const char *const moves[][3] = {
		{ "db/a", "db/a other/a", "other/a db/a" },
		{ "db/sub/c", "db/sub other/sub", "other/sub db/sub" },
	};
	struct actor mover;
	unsigned int i;
	int fd;

	ASSERT_EQ(0, actor_start(&mover));
	GRANT(mover.pid, ".", GATE_ALL);
	GRANT(getpid(), "db", GATE_READ);
	for (i = 0; i < 2; i++) {
		fd = open(moves[i][0], O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, read_often(NULL, fd));
		ASSERT_EQ(0, actor_do(&mover, move, moves[i][1], 0));
		EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
		ASSERT_EQ(0, actor_do(&mover, move, moves[i][2], 0));
		EXPECT_EQ(0, read_often(NULL, fd));
		close(fd);
	}
	actor_stop(&mover);
}

/* By the parent's grant, as long as it is the parent and has not changed. */

static int answer_reads(int socket, int fd)
{
	char order;
	int result;

	/* It has the other end, too, and would wait for itself. */
	while (read(socket, &order, 1) == 1 && order == 'r') {
		result = attempt_read_fd(NULL, fd);
		if (write(socket, &result, sizeof(result)) != sizeof(result))
			_exit(1);
	}
	_exit(0);
}

static int ask_read(int socket)
{
	int result;

	if (write(socket, "r", 1) != 1 ||
	    read(socket, &result, sizeof(result)) != sizeof(result))
		return -EPIPE;
	return result;
}

static void end_answers(int socket)
{
	if (write(socket, "e", 1) == 1)
		close(socket);
}

static int ask_often(int socket)
{
	int result = 0;
	unsigned int i;

	for (i = 0; !result && i < TIMES; i++)
		result = ask_read(socket);
	return result;
}

/* An actor's part: open the file and leave it to a child on a socket. */
static int have_child(const char *path, long socket)
{
	int fd = open(path, O_RDONLY);
	pid_t pid;

	if (fd < 0)
		return errno;
	pid = fork();
	if (!pid)
		answer_reads(socket, fd);
	close(fd);
	return pid < 0 ? errno : 0;
}

#define SOCKETS(sockets)						\
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))

static int execute_sleep(const char *unused, long none)
{
	execl("/bin/sleep", "sleep", "100", NULL);
	return errno;
}

TEST_F(recent, orphaned)
{
	struct actor parent;
	int sockets[2];

	SOCKETS(sockets);
	ASSERT_EQ(0, actor_start(&parent));
	GRANT_FAMILY(parent.pid, "db", GATE_READ);
	ASSERT_EQ(0, actor_do(&parent, have_child, "db/a", sockets[1]));
	ASSERT_EQ(0, ask_often(sockets[0]));
	actor_stop(&parent);
	EXPECT_EQ(EACCES, ask_read(sockets[0]));
	end_answers(sockets[0]);
}

static int is_sleep(pid_t pid)
{
	char path[64], name[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, name, sizeof(name) - 1) < 0)
		name[0] = '\0';
	close(fd);
	return !strcmp(name, "sleep\n");
}

TEST_F(recent, parent_executes)
{
	struct actor parent;
	int sockets[2];

	SOCKETS(sockets);
	ASSERT_EQ(0, actor_start(&parent));
	GRANT_FAMILY(parent.pid, "db", GATE_READ);
	ASSERT_EQ(0, actor_do(&parent, have_child, "db/a", sockets[1]));
	ASSERT_EQ(0, ask_often(sockets[0]));
	actor_begin(&parent, execute_sleep, NULL, 0);
	while (is_sleep(parent.pid) == 0)
		usleep(10 * 1000);
	EXPECT_EQ(EACCES, ask_read(sockets[0]));
	kill(parent.pid, SIGKILL);
	actor_stop(&parent);
	end_answers(sockets[0]);
}

/* The program that is executed reads from a descriptor that it was left. */
static _Noreturn void execute_reader(int go)
{
	char script[64];
	int fd;

	if (read(go, script, 1) != 1)
		_exit(100);
	fd = open("db/a", O_RDONLY);
	if (fd < 0 || read_often(NULL, fd))
		_exit(101);
	snprintf(script, sizeof(script), "read line <&%d", fd);
	execl("/bin/sh", "sh", "-c", script, NULL);
	_exit(102);
}

TEST_F(recent, executes)
{
	static const struct {
		uint32_t flags;
		int expected;
	} grants[] = {
		{ 0, 1 },
		{ TRUSTGATE_GRANT_FLAGS_KEEP_EXEC, 0 },
	};
	unsigned int i;
	int go[2], status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pipe(go));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			execute_reader(go[0]);
		ASSERT_NE(0, grant(&self->gate, &self->volume, pid, "db/a",
				   GATE_READ, grants[i].flags));
		ASSERT_EQ(1, write(go[1], "g", 1));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		EXPECT_EQ(grants[i].expected, WEXITSTATUS(status));
		close(go[0]);
		close(go[1]);
	}
}

TEST_HARNESS_MAIN
