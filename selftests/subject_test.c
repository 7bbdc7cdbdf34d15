// SPDX-License-Identifier: GPL-2.0-only
/*
 * subject_test - whom a grant covers.
 *
 * Owns: threads, children, orphans, reused pids, io_uring: who counts as the
 * subject and who does not.
 *
 * Must not own: what an exec ends (exec_test.c). Kernel threads open no files
 * on a volume unless root sets one of them to it; unit tests have that cause.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

FIXTURE(subject) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(subject)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, attempt_read("db/a", 0));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(subject)
{
	gate_clean();
}

#define GRANT(pid)							\
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, pid,	\
				     "db/a", GATE_READ))

static uint64_t grant_family(struct gate *gate, const struct volume *volume,
			     pid_t pid)
{
	struct trustgate_grant_request request = gate_request(volume, "db/a",
							      GATE_READ);

	request.pid = pid;
	request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	return gate_grant(gate, &request);
}

#define GRANT_FAMILY(pid)						\
	ASSERT_NE(0, grant_family(&self->gate, &self->volume, pid))

/* Processes. */

TEST_F(subject, neighbour)
{
	struct actor granted, neighbour;

	ASSERT_EQ(0, actor_start(&granted));
	ASSERT_EQ(0, actor_start(&neighbour));
	GRANT(granted.pid);
	EXPECT_EQ(0, actor_do(&granted, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&neighbour, attempt_read, "db/a", 0));
	/* Not even the agent, which is the parent. */
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	GRANT(neighbour.pid);
	EXPECT_EQ(0, actor_do(&neighbour, attempt_read, "db/a", 0));
	actor_stop(&granted);
	EXPECT_EQ(0, actor_do(&neighbour, attempt_read, "db/a", 0));
	actor_stop(&neighbour);
}

static void *thread_read(void *result)
{
	*(int *)result = attempt_read("db/a", 0);
	return NULL;
}

static int read_in_thread(void)
{
	pthread_t thread;
	int result = -1;

	if (pthread_create(&thread, NULL, thread_read, &result) ||
	    pthread_join(thread, NULL))
		return EAGAIN;
	return result;
}

TEST_F(subject, threads)
{
	EXPECT_EQ(EACCES, read_in_thread());
	GRANT(getpid());
	EXPECT_EQ(0, attempt_read("db/a", 0));
	EXPECT_EQ(0, read_in_thread());
}

struct pause {
	pthread_mutex_t mutex;
	pid_t tid;
};

static void *thread_wait(void *arg)
{
	struct pause *pause = arg;

	__atomic_store_n(&pause->tid, gettid(), __ATOMIC_RELEASE);
	pthread_mutex_lock(&pause->mutex);
	return NULL;
}

/* A thread is no process; one must not get a grant that the others lack. */
TEST_F(subject, thread_is_no_subject)
{
	struct pause pause = { .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct trustgate_grant_added added;
	pthread_t thread;

	pthread_mutex_lock(&pause.mutex);
	ASSERT_EQ(0, pthread_create(&thread, NULL, thread_wait, &pause));
	while (!__atomic_load_n(&pause.tid, __ATOMIC_ACQUIRE))
		usleep(1000);
	request.pid = pause.tid;
	EXPECT_EQ(-ESRCH, trustgate_grant_add(self->gate.conn, &request, 1,
					      &added));
	pthread_mutex_unlock(&pause.mutex);
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

/*
 * Answer questions on a socket until it is closed, holding on to nothing else
 * of the test, so that it sees the end of it and does not stay the agent.
 */
static void answer(int socket)
{
	char byte;
	int result;

	if (socket > 3)
		close_range(3, socket - 1, 0);
	close_range(socket + 1, ~0U, 0);
	while (read(socket, &byte, 1) == 1) {
		result = attempt_read("db/a", 0);
		if (write(socket, &result, sizeof(result)) < 0)
			break;
	}
	_exit(0);
}

static void *thread_answer(void *socket)
{
	answer((intptr_t)socket);
	return NULL;
}

static int ask(int fd)
{
	int result = -1;

	if (write(fd, "?", 1) != 1 ||
	    read(fd, &result, sizeof(result)) != sizeof(result))
		return -EPIPE;
	return result;
}

static void exit_thread(int unused)
{
	/* Unlike exit_group(2). */
	syscall(SYS_exit, 0);
}

static int state_of(pid_t pid)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strstr(text, ") ") ? strstr(text, ") ")[2] : 0;
}

/* The first thread ends, the process goes on. */
TEST_F(subject, leader_exits)
{
	pthread_t thread;
	int sockets[2];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		signal(SIGUSR1, exit_thread);
		if (pthread_create(&thread, NULL, thread_answer,
				   (void *)(intptr_t)sockets[1]))
			_exit(1);
		pause();
	}
	close(sockets[1]);
	EXPECT_EQ(EACCES, ask(sockets[0]));
	GRANT(pid);
	EXPECT_EQ(0, ask(sockets[0]));
	/* To the first thread, which takes only itself away. */
	ASSERT_EQ(0, syscall(SYS_tgkill, pid, pid, SIGUSR1));
	while (state_of(pid) != 'Z')
		usleep(1000);
	EXPECT_EQ(0, ask(sockets[0]));
	/* Longer than it takes to notice that a subject has exited. */
	sleep(3);
	EXPECT_EQ(0, ask(sockets[0]));
	/* And the process is one that grants can be given to. */
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, ask(sockets[0]));
	GRANT(pid);
	EXPECT_EQ(0, ask(sockets[0]));
	close(sockets[0]);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Descendants. */

TEST_F(subject, child)
{
	struct actor child;

	GRANT(getpid());
	ASSERT_EQ(0, attempt_read("db/a", 0));
	ASSERT_EQ(0, actor_start(&child));
	EXPECT_EQ(EACCES, actor_do(&child, attempt_read, "db/a", 0));
	actor_stop(&child);

	GRANT_FAMILY(getpid());
	ASSERT_EQ(0, actor_start(&child));
	EXPECT_EQ(0, actor_do(&child, attempt_read, "db/a", 0));
	actor_stop(&child);
}

/* An actor's part: what does a child of yours get? */
static int in_child(const char *path, long depth)
{
	struct actor child;
	int result;

	if (depth <= 0)
		return attempt_read(path, 0);
	result = actor_start(&child);
	if (result)
		return -result;
	result = actor_do(&child, in_child, path, depth - 1);
	actor_stop(&child);
	return result;
}

TEST_F(subject, grandchildren)
{
	EXPECT_EQ(EACCES, in_child("db/a", 3));
	GRANT_FAMILY(getpid());
	EXPECT_EQ(0, in_child("db/a", 1));
	EXPECT_EQ(0, in_child("db/a", 2));
	EXPECT_EQ(0, in_child("db/a", 8));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, in_child("db/a", 1));
	EXPECT_EQ(EACCES, in_child("db/a", 8));
}

TEST_F(subject, forked_before)
{
	struct actor before, after;

	ASSERT_EQ(0, actor_start(&before));
	GRANT_FAMILY(getpid());
	ASSERT_EQ(0, actor_start(&after));
	EXPECT_EQ(EACCES, actor_do(&before, attempt_read, "db/a", 0));
	EXPECT_EQ(0, actor_do(&after, attempt_read, "db/a", 0));
	/* A child that it forks later descends from it, so neither. */
	EXPECT_EQ(EACCES, actor_do(&before, in_child, "db/a", 1));
	EXPECT_EQ(0, actor_do(&after, in_child, "db/a", 1));
	actor_stop(&before);
	actor_stop(&after);
}

/* An actor's part: have a sibling made that is our parent's child. */
static int in_sibling(const char *path, long unused)
{
	struct actor sibling;
	int result;

	result = actor_start_flags(&sibling, CLONE_PARENT);
	if (result)
		return -result;
	result = actor_do(&sibling, attempt_read, path, 0);
	close(sibling.fd);
	kill(sibling.pid, SIGKILL);
	return result;
}

TEST_F(subject, sibling)
{
	struct actor child;

	ASSERT_EQ(0, actor_start(&child));
	GRANT_FAMILY(child.pid);
	EXPECT_EQ(0, actor_do(&child, in_child, "db/a", 1));
	EXPECT_EQ(EACCES, actor_do(&child, in_sibling, "db/a", 0));
	/* As our child it is covered by what is granted to us. */
	GRANT_FAMILY(getpid());
	EXPECT_EQ(0, actor_do(&child, in_sibling, "db/a", 0));
	actor_stop(&child);
}

/* Fork a child that outlives us and answers questions on a socket. */
static int leave_orphan(const char *unused, long socket)
{
	pid_t pid = fork();

	if (!pid)
		answer(socket);
	return pid < 0 ? errno : 0;
}

TEST_F(subject, orphan)
{
	struct actor child, middle;
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sockets));
	ASSERT_EQ(0, actor_start(&child));
	GRANT_FAMILY(child.pid);
	ASSERT_EQ(0, actor_do(&child, leave_orphan, NULL, sockets[1]));
	close(sockets[1]);
	EXPECT_EQ(0, ask(sockets[0]));
	/* Now it is the child of an init, like any stranger. */
	actor_stop(&child);
	EXPECT_EQ(EACCES, ask(sockets[0]));

	/* Nor does the parent's grant reach over a gap in the middle. */
	close(sockets[0]);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				sockets));
	GRANT_FAMILY(getpid());
	ASSERT_EQ(0, actor_start(&middle));
	ASSERT_EQ(0, actor_do(&middle, leave_orphan, NULL, sockets[1]));
	close(sockets[1]);
	EXPECT_EQ(0, ask(sockets[0]));
	actor_stop(&middle);
	EXPECT_EQ(EACCES, ask(sockets[0]));
}

/* Strangers can leave it a child, and that must not descend from us. */
TEST_F(subject, init_of_a_namespace)
{
	struct actor init;

	GRANT_FAMILY(getpid());
	ASSERT_EQ(0, actor_start_flags(&init, CLONE_NEWPID));
	EXPECT_EQ(0, actor_do(&init, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&init, in_child, "db/a", 1));
	actor_stop(&init);
}

/* Shares our memory, but is a process of its own. */
TEST_F(subject, vfork)
{
	volatile int result = -1;
	pid_t pid;

	GRANT(getpid());
	pid = vfork();
	ASSERT_LE(0, pid);
	if (!pid) {
		int fd = open("db/a", O_RDONLY | O_CLOEXEC);

		result = fd < 0 ? errno : 0;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(EACCES, result);
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
}

/* Identity over time. */

TEST_F(subject, exit_ends_grant)
{
	struct trustgate_event event;
	struct actor child;
	uint64_t id;

	ASSERT_EQ(0, actor_start(&child));
	id = gate_grant_file(&self->gate, &self->volume, child.pid, "db/a",
			     GATE_READ);
	ASSERT_NE(0, id);
	actor_stop(&child);
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_GRANT_ENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_SUBJECT_EXIT, event.end);
}

/* Fork with a pid of our choice; the child tells what its read came to. */
static int read_with_pid(pid_t pid)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};
	int status;
	pid_t child;

	child = syscall(SYS_clone3, &args, sizeof(args));
	if (!child)
		_exit(attempt_read("db/a", 0));
	if (child < 0)
		return -errno;
	if (child != pid || waitpid(child, &status, 0) != child)
		return -ECHILD;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

TEST_F(subject, reused_pid)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct actor child;
	pid_t pid;

	ASSERT_EQ(0, actor_start(&child));
	pid = child.pid;
	GRANT(pid);
	request.pid = pid;
	request.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	ASSERT_EQ(0, actor_do(&child, attempt_read, "db/a", 0));
	actor_stop(&child);
	/* At once, so that nobody has cleared away the old one's grants. */
	EXPECT_EQ(EACCES, read_with_pid(pid));
	/* The fork is not what failed: as a descendant it may read. */
	GRANT_FAMILY(getpid());
	EXPECT_EQ(0, read_with_pid(pid));
}

static void *thread_exec(void *unused)
{
	execl("/bin/cat", "cat", "db/a", NULL);
	return NULL;
}

/* The other threads die, and the one that calls takes the leader's place. */
static int exec_in_thread(const char *unused, long none)
{
	int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pthread_t thread;

	dup2(sink, STDOUT_FILENO);
	if (pthread_create(&thread, NULL, thread_exec, NULL))
		return EAGAIN;
	pthread_join(thread, NULL);
	return ENOEXEC;
}

TEST_F(subject, exec_by_thread)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct actor child;
	unsigned int keep;
	int status;

	for (keep = 0; keep < 2; keep++) {
		ASSERT_EQ(0, actor_start(&child));
		request.pid = child.pid;
		request.flags = keep ? TRUSTGATE_GRANT_FLAGS_KEEP_EXEC : 0;
		ASSERT_NE(0, gate_grant(&self->gate, &request));
		ASSERT_EQ(0, actor_do(&child, attempt_read, "db/a", 0));
		actor_begin(&child, exec_in_thread, NULL, 0);
		ASSERT_EQ(-EPIPE, actor_end(&child));
		ASSERT_EQ(child.pid, waitpid(child.pid, &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		EXPECT_EQ(!keep, WEXITSTATUS(status));
	}
}

/*
 * io_uring: worker threads are the process, a ring is not. One with a thread of
 * its own is in sqpoll_test.c.
 */

static int uring_open(struct io_uring *ring, unsigned int flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int result;

	if (!sqe)
		return EBUSY;
	io_uring_prep_openat(sqe, AT_FDCWD, "db/a", O_RDONLY | O_CLOEXEC, 0);
	io_uring_sqe_set_flags(sqe, flags);
	result = io_uring_submit(ring);
	if (result < 0)
		return -result;
	result = io_uring_wait_cqe(ring, &cqe);
	if (result < 0)
		return -result;
	result = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	if (result < 0)
		return -result;
	close(result);
	return 0;
}

FIXTURE(uring) {
	struct gate gate;
	struct volume volume;
	struct io_uring ring;
};

FIXTURE_VARIANT(uring) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(uring, inline) {};
FIXTURE_VARIANT_ADD(uring, worker) { .flags = IOSQE_ASYNC };

FIXTURE_SETUP(uring)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, io_uring_queue_init(4, &self->ring, 0));
	ASSERT_EQ(0, uring_open(&self->ring, variant->flags));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(uring)
{
	gate_clean();
}

TEST_F(uring, acts_for_owner)
{
	EXPECT_EQ(EACCES, uring_open(&self->ring, variant->flags));
	GRANT(getpid());
	EXPECT_EQ(0, uring_open(&self->ring, variant->flags));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	EXPECT_EQ(EACCES, uring_open(&self->ring, variant->flags));
}

/* For actors; a fork has its own copy of the structure of the same ring. */
static struct io_uring *inherited;

static int use_inherited(const char *unused, long flags)
{
	return uring_open(inherited, flags);
}

TEST_F(uring, inherited_ring)
{
	struct actor child;

	inherited = &self->ring;
	ASSERT_EQ(0, actor_start(&child));
	GRANT(getpid());
	EXPECT_EQ(EACCES, actor_do(&child, use_inherited, NULL,
				   variant->flags));
	GRANT(child.pid);
	EXPECT_EQ(0, actor_do(&child, use_inherited, NULL, variant->flags));
	actor_stop(&child);
}

TEST_HARNESS_MAIN
