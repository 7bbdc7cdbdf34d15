// SPDX-License-Identifier: GPL-2.0-only
/*
 * ask_test - opens that wait for the agent.
 *
 * Owns: which opens wait, for how long, what wakes them, and how each way of
 * closing a request ends them.
 *
 * Must not own: what the agent may say, and the limits (ask_answer_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "asking.h"
#include "attempt.h"

/* Longer than any test waits. */
#define LONG_NS		(600 * GATE_SECOND_NS)

#define THREADS		8

FIXTURE(ask) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

FIXTURE_SETUP(ask)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, asking_volume(&self->gate, &self->volume, "ext4",
				   LONG_NS));
	ASSERT_EQ(0, actor_start(&self->actor));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(ask)
{
	gate_clean();
}

#define BEGIN(part, text, number) actor_begin(&self->actor, part, text, number)
#define END() actor_end(&self->actor)
#define COUNT(cause) volume_count(&self->gate, &self->volume,		\
				  TRUSTGATE_CAUSE_##cause)

TEST_F(ask, granted)
{
	struct trustgate_event event;
	uint64_t id, grant;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, &event);
	ASSERT_NE(0, id);
	EXPECT_EQ(self->actor.pid, event.pid);
	EXPECT_EQ(self->volume.id, event.volume_id);
	EXPECT_EQ(GATE_READ, event.access);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	EXPECT_EQ(TRUSTGATE_REQUEST_END_OPEN, event.request_end);
	EXPECT_STREQ("file_open", event.hook);
	EXPECT_STREQ("/db/a", event.path);
	EXPECT_LE(gate_now_ns(), event.expires_boottime_ns);
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);

	grant = asking_grant(&self->gate, id);
	ASSERT_NE(0, grant);
	EXPECT_EQ(0, END());
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED,
				     &event));
	EXPECT_EQ(id, event.request_id);
	EXPECT_EQ(TRUSTGATE_REQUEST_END_GRANTED, event.request_end);
	EXPECT_EQ(grant, event.grant_id);
	EXPECT_EQ(1, COUNT(ASKED));
	EXPECT_EQ(1, COUNT(GRANTED));
	EXPECT_EQ(0, COUNT(NO_GRANT));
	EXPECT_EQ(0, asking_open(&self->gate));

	/* It is for that access and file only. */
	BEGIN(attempt_open, "db/a", O_WRONLY);
	id = asking_raised(&self->gate, &event);
	EXPECT_EQ(TRUSTGATE_CAUSE_WRONG_ACCESS, event.cause);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
	BEGIN(attempt_open, "db/b", O_RDONLY);
	id = asking_raised(&self->gate, &event);
	EXPECT_STREQ("/db/b", event.path);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
}

TEST_F(ask, refused)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, COUNT(REFUSED));
	EXPECT_EQ(TRUSTGATE_REQUEST_END_REFUSED,
		  asking_closed(&self->gate, id));

	/* That stands for a moment, in which nobody is asked. */
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_open, "db/a",
				   O_RDONLY));
	EXPECT_EQ(2, COUNT(REFUSED));
	EXPECT_EQ(1, COUNT(ASKED));
	sleep(6);
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
}

TEST_F(ask, unanswered)
{
	uint64_t began_ns, id;

	ASSERT_EQ(0, asking_for(&self->gate, &self->volume,
				2 * GATE_SECOND_NS));
	began_ns = gate_now_ns();
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	EXPECT_EQ(EACCES, END());
	EXPECT_LE(2 * GATE_SECOND_NS, gate_now_ns() - began_ns);
	EXPECT_EQ(1, COUNT(UNANSWERED));
	EXPECT_EQ(TRUSTGATE_REQUEST_END_UNANSWERED,
		  asking_closed(&self->gate, id));
	EXPECT_EQ(0, asking_open(&self->gate));
}

/* Nobody to ask, nobody asked: not while there is none, and not by the old. */
TEST_F(ask, agent_lost)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, trustgate_agent_unbind(self->gate.conn));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, COUNT(NO_GRANT));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_open, "db/a",
				   O_RDONLY));
	EXPECT_EQ(2, COUNT(NO_GRANT));
	EXPECT_EQ(1, COUNT(ASKED));

	/* That it was lost is no answer that stands. */
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	EXPECT_EQ(TRUSTGATE_REQUEST_END_AGENT_LOST,
		  asking_closed(&self->gate, id));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
}

TEST_F(ask, volume_asks_no_longer)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_EQ(0, asking_for(&self->gate, &self->volume, 0));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(1, COUNT(NO_GRANT));
	EXPECT_EQ(TRUSTGATE_REQUEST_END_VOLUME_CHANGED,
		  asking_closed(&self->gate, id));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_open, "db/a",
				   O_RDONLY));
	EXPECT_EQ(1, COUNT(ASKED));
	ASSERT_EQ(0, asking_for(&self->gate, &self->volume, LONG_NS));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
}

TEST_F(ask, volume_removed)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	EXPECT_EQ(0, END());
	EXPECT_EQ(TRUSTGATE_REQUEST_END_VOLUME_CHANGED,
		  asking_closed(&self->gate, id));
}

/* The volume's setting is for what is asked from then on. */
TEST_F(ask, shorter_wait_is_for_later)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_EQ(0, asking_for(&self->gate, &self->volume, GATE_SECOND_NS));
	sleep(3);
	EXPECT_EQ(1, asking_waiting(&self->gate, id));
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
}

TEST_F(ask, killed)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, kill(self->actor.pid, SIGKILL));
	EXPECT_EQ(self->actor.pid, waitpid(self->actor.pid, NULL, 0));
	EXPECT_EQ(-EPIPE, END());
	EXPECT_EQ(TRUSTGATE_REQUEST_END_WITHDRAWN,
		  asking_closed(&self->gate, id));
	EXPECT_EQ(-ENOENT, asking_refuse(&self->gate, id));
}

/* Signals. */

static int *handled;

static void note_signal(int number)
{
	__atomic_add_fetch(handled, 1, __ATOMIC_SEQ_CST);
}

/* Without SA_RESTART: that does not matter here. */
static int part_open_handling(const char *path, long flags)
{
	const struct sigaction action = { .sa_handler = note_signal };

	if (sigaction(SIGUSR1, &action, NULL))
		return errno;
	return attempt_open(path, flags);
}

TEST_F(ask, signal_is_handled_and_the_wait_goes_on)
{
	int i, count;
	uint64_t id;

	BEGIN(part_open_handling, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, id);
	for (i = 0; i < 20; i++) {
		count = __atomic_load_n(handled, __ATOMIC_SEQ_CST);
		ASSERT_EQ(0, kill(self->actor.pid, SIGUSR1));
		EVENTUALLY(__atomic_load_n(handled, __ATOMIC_SEQ_CST) > count);
	}
	/* The same request, and nobody counted twice. */
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
	EXPECT_EQ(1, asking_open(&self->gate));

	/* As with a debugger or a shell. */
	ASSERT_EQ(0, kill(self->actor.pid, SIGSTOP));
	EVENTUALLY(asking_waiting(&self->gate, id) <= 0);
	ASSERT_EQ(0, kill(self->actor.pid, SIGCONT));
	id = asking_raised(&self->gate, NULL) ?: id;
	EVENTUALLY(asking_waiting(&self->gate, id) == 1);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, asking_open(&self->gate));
}

/* Threads. */

static void *open_in_thread(void *path)
{
	return (void *)(long)attempt_open(path, O_RDONLY);
}

static int part_open_by_threads(const char *path, long count)
{
	pthread_t threads[THREADS];
	int worst = 0, i;
	void *result;

	for (i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, open_in_thread,
				   (void *)path))
			return EAGAIN;
	}
	for (i = 0; i < count; i++) {
		if (pthread_join(threads[i], &result))
			return EDEADLK;
		worst = (int)(long)result ?: worst;
	}
	return worst;
}

TEST_F(ask, threads_share_a_request)
{
	uint64_t id;

	BEGIN(part_open_by_threads, "db/a", THREADS);
	id = asking_raised(&self->gate, NULL);
	EVENTUALLY(asking_waiting(&self->gate, id) == THREADS);
	EXPECT_EQ(1, asking_open(&self->gate));
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());

	BEGIN(part_open_by_threads, "db/b", THREADS);
	id = asking_raised(&self->gate, NULL);
	EVENTUALLY(asking_waiting(&self->gate, id) == THREADS);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
	EXPECT_EQ(0, asking_open(&self->gate));
}

TEST_F(ask, processes_do_not)
{
	struct actor other;
	uint64_t id, second;

	ASSERT_EQ(0, actor_start(&other));
	BEGIN(attempt_open, "db/a", O_RDONLY);
	id = asking_raised(&self->gate, NULL);
	actor_begin(&other, attempt_open, "db/a", O_RDONLY);
	second = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, second);
	EXPECT_NE(id, second);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	EXPECT_EQ(1, asking_waiting(&self->gate, second));
	EXPECT_EQ(0, asking_refuse(&self->gate, second));
	EXPECT_EQ(EACCES, actor_end(&other));
}

/* Executing. */

static int part_exec(const char *path, long unused)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execl(path, path, NULL);
		_exit(errno);
	}
	if (waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int copy_program(struct gate *gate, struct volume *volume,
			const char *from, const char *to)
{
	const struct trustgate_grant_request all = {
		.volume_id = volume->id, .pid = getpid(), .fd = -1,
		.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE, .path = ".",
		.access = GATE_ALL, .reason = TRUSTGATE_REASON_INCIDENT,
		.expires_boottime_ns = gate_now_ns() + 60 * GATE_SECOND_NS,
	};
	uint64_t id = gate_grant(gate, &all);
	int err;

	if (!id)
		return -EACCES;
	err = attempt_copy(from, to);
	return err ? -err : gate_revoke(gate, id);
}

TEST_F(ask, exec)
{
	struct trustgate_event event;
	uint64_t id;

	ASSERT_EQ(0, copy_program(&self->gate, &self->volume, "/bin/true",
				  "db/true"));
	BEGIN(part_exec, "db/true", 0);
	id = asking_raised(&self->gate, &event);
	EXPECT_EQ(GATE_EXEC, event.access);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());

	BEGIN(part_exec, "db/true", 0);
	id = asking_raised(&self->gate, &event);
	EXPECT_EQ(0, asking_refuse(&self->gate, id));
	EXPECT_EQ(EACCES, END());
}

TEST_F(ask, interpreter)
{
	struct trustgate_event event;
	uint64_t id;
	char script[128];

	ASSERT_EQ(0, copy_program(&self->gate, &self->volume, "/bin/true",
				  "db/true"));
	snprintf(script, sizeof(script), "#!%s/db/true\n",
		 self->volume.disk.path);
	ASSERT_EQ(0, disk_file("/tmp/ask_test.sh", script, 0755));
	BEGIN(part_exec, "/tmp/ask_test.sh", 0);
	id = asking_raised(&self->gate, &event);
	EXPECT_EQ(GATE_EXEC, event.access);
	EXPECT_STREQ("/db/true", event.path);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	unlink("/tmp/ask_test.sh");
}

/* What does not wait is denied at once, as without asking. */

TEST_F(ask, agent_does_not_wait_for_itself)
{
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(1, COUNT(NO_GRANT));
	EXPECT_EQ(0, COUNT(ASKED));
}

/* Every other way than open(2) to open, by whoever does it. */
static int part_uring(const char *path, long flags)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int err;

	err = io_uring_queue_init(4, &ring, 0);
	if (err)
		return -err;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY, 0);
	io_uring_sqe_set_flags(sqe, flags);
	err = io_uring_submit_and_wait(&ring, 1);
	if (err == 1)
		err = io_uring_wait_cqe(&ring, &cqe) ?: cqe->res;
	io_uring_queue_exit(&ring);
	return err < 0 ? -err : 0;
}

TEST_F(ask, io_uring_does_not_wait)
{
	EXPECT_EQ(EACCES, actor_do(&self->actor, part_uring, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&self->actor, part_uring, "db/a",
				   IOSQE_ASYNC));
	EXPECT_EQ(2, COUNT(NO_GRANT));
	EXPECT_EQ(0, COUNT(ASKED));
}

/*
 * An open of io_uring's that runs as a work of the task, when that comes back
 * from an open of its own, is not taken for it.
 */
static int part_uring_behind_open(const char *path, long unused)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	int pipes[2], err;
	char byte = 'x';

	err = io_uring_queue_init(4, &ring, 0);
	if (err)
		return -err;
	/* The second begins when the first ends, in a work of ours. */
	if (pipe(pipes))
		return errno;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_poll_add(sqe, pipes[0], POLLIN);
	io_uring_sqe_set_flags(sqe, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY, 0);
	if (io_uring_submit(&ring) != 2)
		return EIO;
	if (!fork()) {
		usleep(200000);
		_exit(write(pipes[1], &byte, 1) != 1);
	}
	/* Until it has come, nothing but opening. */
	do {
		err = attempt_open("/dev/null", O_RDONLY);
	} while (!err && io_uring_peek_cqe(&ring, &cqe));
	if (!err)
		err = -cqe->res;
	wait(NULL);
	io_uring_queue_exit(&ring);
	return err;
}

TEST_F(ask, io_uring_behind_an_open_does_not_wait)
{
	EXPECT_EQ(EACCES, actor_do(&self->actor, part_uring_behind_open,
				   "db/a", 0));
	EXPECT_EQ(0, COUNT(ASKED));
}

/* What is created by the open would be another, or stand in the way. */

static int part_create(const char *path, long flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0444);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

TEST_F(ask, created_by_the_open)
{
	uint64_t id;

	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume,
				     self->actor.pid, "db", GATE_NAMES));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_open, "db/excl",
				   O_WRONLY | O_CREAT | O_EXCL));
	EXPECT_EQ(EACCES, actor_do(&self->actor, attempt_open, "db",
				   O_WRONLY | O_TMPFILE));
	EXPECT_EQ(EACCES, actor_do(&self->actor, part_create, "db/mode",
				   O_WRONLY | O_CREAT));
	EXPECT_EQ(0, COUNT(ASKED));

	/* Nothing is in the way of this one. */
	BEGIN(attempt_open, "db/new", O_WRONLY | O_CREAT);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	EXPECT_EQ(1, COUNT(ASKED));
}

TEST_F(ask, truncated_by_the_open)
{
	uint64_t id;

	BEGIN(attempt_open, "db/a", O_WRONLY | O_TRUNC);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	EXPECT_EQ(0, attempt_content("db/a", "contents of a\n"));
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, attempt_content("db/a", ""));
}

/* A traced process gets no access, so it need not wait for a grant. */
static int part_traced(const char *path, long flags)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (syscall(SYS_ptrace, 0, 0, 0, 0))
			_exit(100);
		_exit(attempt_open(path, flags));
	}
	if (waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

TEST_F(ask, traced_does_not_wait)
{
	EXPECT_EQ(EACCES, actor_do(&self->actor, part_traced, "db/a",
				   O_RDONLY));
	EXPECT_EQ(0, COUNT(ASKED));
}

#ifdef __x86_64__
static int part_compat(const char *path, long unused)
{
	/* Where a program of 32 bits can name it. */
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (low == MAP_FAILED)
		return errno;
	snprintf(low, 4096, "%s", path);
	/* open(2), whose answer is a descriptor */
	return attempt_compat(5, (long)low, O_RDONLY, NULL);
}

TEST_F(ask, program_of_32_bits)
{
	uint64_t id;

	BEGIN(part_compat, "db/a", 0);
	id = asking_raised(&self->gate, NULL);
	ASSERT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
}
#endif

/* By way of a stacked filesystem. */

#define UPPER	"/run/ask_test"

TEST_F(ask, through_overlay)
{
	struct trustgate_event event;
	char options[256];
	uint64_t id;

	mkdir(UPPER, 0755);
	ASSERT_EQ(0, mount("tmpfs", UPPER, "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir(UPPER "/upper", 0755));
	ASSERT_EQ(0, mkdir(UPPER "/work", 0755));
	ASSERT_EQ(0, mkdir(UPPER "/over", 0755));
	snprintf(options, sizeof(options), "lowerdir=%s/db,upperdir=%s,workdir=%s",
		 self->volume.disk.path, UPPER "/upper", UPPER "/work");
	ASSERT_EQ(0, mount("overlay", UPPER "/over", "overlay", 0, options));

	BEGIN(attempt_read, UPPER "/over/a", 0);
	id = asking_raised(&self->gate, &event);
	EXPECT_EQ(self->actor.pid, event.pid);
	EXPECT_STREQ("/db/a", event.path);
	EXPECT_NE(0, asking_grant(&self->gate, id));
	EXPECT_EQ(0, END());
	EXPECT_EQ(0, umount2(UPPER "/over", MNT_DETACH));
	EXPECT_EQ(0, umount2(UPPER, MNT_DETACH));
	rmdir(UPPER);
}

__attribute__((constructor))
static void share_counter(void)
{
	handled = mmap(NULL, sizeof(*handled), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

TEST_HARNESS_MAIN
