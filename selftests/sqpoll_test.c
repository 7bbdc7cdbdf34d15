// SPDX-License-Identifier: GPL-2.0-only
/*
 * sqpoll_test - an io_uring whose own thread submits for the process.
 *
 * Owns: that nothing this thread does is allowed by anybody's grant, for it acts
 * for whoever has the ring; that the process's own threads go on as before.
 *
 * Must not own: rings without such a thread (io_test.c, subject_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

/* Long enough that the thread does not go to sleep between two steps. */
#define IDLE_MS	2000

FIXTURE(sqpoll) {
	struct gate gate;
	struct volume volume;
	struct io_uring ring;
	int fd;
};

/* For actors, too: the ring, and where its owner has room for a byte. */
static struct io_uring *ring;
static char *byte;

/* Submit what is prepared, by the thread, and return the result or -errno. */
static int submit(void)
{
	struct io_uring_cqe *cqe;
	int result;

	result = io_uring_submit(ring);
	if (result < 0)
		return result;
	result = io_uring_wait_cqe(ring, &cqe);
	if (result < 0)
		return result;
	result = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return result;
}

/* @fd is the owner's, whoever asks for it. */
static int ring_read(const char *unused, long fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int result;

	if (!sqe)
		return EBUSY;
	*byte = 0;
	io_uring_prep_read(sqe, (int)fd, byte, 1, 0);
	result = submit();
	if (result == 1 && !*byte)
		return EBADMSG;
	return result == 1 ? 0 : result < 0 ? -result : ENODATA;
}

static int ring_write(const char *unused, long fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int result;

	if (!sqe)
		return EBUSY;
	*byte = 'x';
	io_uring_prep_write(sqe, (int)fd, byte, 1, 0);
	result = submit();
	return result == 1 ? 0 : result < 0 ? -result : ENODATA;
}

/* For the owner only: the descriptor is its own. */
static int ring_open(const char *path)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	int result;

	if (!sqe)
		return EBUSY;
	io_uring_prep_openat(sqe, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	result = submit();
	if (result < 0)
		return -result;
	close(result);
	return 0;
}

FIXTURE_SETUP(sqpoll)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SQPOLL,
		.sq_thread_idle = IDLE_MS,
	};

	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	byte = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, byte);
	ASSERT_EQ(0, io_uring_queue_init_params(4, &self->ring, &params));
	ring = &self->ring;
	self->fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	/* All of it works where no gate is. */
	ASSERT_EQ(0, ring_read(NULL, self->fd));
	ASSERT_EQ(0, ring_write(NULL, self->fd));
	ASSERT_EQ(0, ring_open("db/a"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(sqpoll)
{
	gate_clean();
}

/*
 * The next denial is one of this process, by a thread of its ring: the polling
 * one, or, for a write that may have to wait, a worker that it hands it to.
 */
#define EXPECT_DENIED_TO(thread_)					\
	do {								\
		struct trustgate_event event_;				\
									\
		ASSERT_EQ(0, gate_wait_event(&self->gate,		\
					     TRUSTGATE_EVENT_TYPE_DENIED, \
					     &event_));			\
		EXPECT_STREQ("file_permission", event_.hook);		\
		EXPECT_EQ(getpid(), event_.pid);			\
		EXPECT_NE(getpid(), event_.tid);			\
		EXPECT_EQ(0, strncmp(thread_, event_.comm,		\
				     strlen(thread_)));			\
	} while (0)

/* What it hands on to a worker, rather than do it itself. */
static int ring_read_by_worker(struct io_uring *by, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(by);
	struct io_uring_cqe *cqe;
	int result;

	if (!sqe)
		return EBUSY;
	*byte = 0;
	io_uring_prep_read(sqe, fd, byte, 1, 0);
	io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	result = io_uring_submit(by);
	if (result >= 0)
		result = io_uring_wait_cqe(by, &cqe);
	if (result < 0)
		return -result;
	result = cqe->res;
	io_uring_cqe_seen(by, cqe);
	return result == 1 ? 0 : result < 0 ? -result : ENODATA;
}

TEST_F(sqpoll, io_without_a_grant)
{
	EXPECT_EQ(EACCES, ring_read(NULL, self->fd));
	EXPECT_DENIED_TO("iou-sqp-");
	EXPECT_EQ(EACCES, ring_write(NULL, self->fd));
	EXPECT_DENIED_TO("iou-");
	EXPECT_EQ(2, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_POLLED));
}

/* Nobody can tell for whom the thread reads, so no grant is for it. */
TEST_F(sqpoll, io_under_a_grant)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ | GATE_WRITE);

	request.max_uses = 1;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(EACCES, ring_read(NULL, self->fd));
	EXPECT_DENIED_TO("iou-sqp-");
	EXPECT_EQ(EACCES, ring_write(NULL, self->fd));
	EXPECT_DENIED_TO("iou-");
	EXPECT_EQ(EACCES, ring_open("db/a"));
	EXPECT_EQ(3, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_POLLED));
	/* The process itself is not hindered, and has lost no use. */
	EXPECT_EQ(0, attempt_open("db/a", O_RDWR));
	EXPECT_EQ(1, pread(self->fd, byte, 1, 0));
	/* What it was just allowed is not remembered for the thread. */
	EXPECT_EQ(EACCES, ring_read(NULL, self->fd));
	EXPECT_EQ(EACCES, ring_read_by_worker(ring, self->fd));
}

/* Names and attributes, which are no bytes. */
TEST_F(sqpoll, names_under_a_grant)
{
	struct io_uring_sqe *sqe;

	ASSERT_NE(0, gate_grant_tree(&self->gate, &self->volume, getpid(), ".",
				     GATE_ALL));
	sqe = io_uring_get_sqe(ring);
	ASSERT_NE(NULL, sqe);
	io_uring_prep_unlinkat(sqe, AT_FDCWD, "db/b", 0);
	EXPECT_EQ(-EACCES, submit());
	sqe = io_uring_get_sqe(ring);
	ASSERT_NE(NULL, sqe);
	io_uring_prep_mkdirat(sqe, AT_FDCWD, "db/new", 0700);
	EXPECT_EQ(-EACCES, submit());
	EXPECT_EQ(0, unlink("db/b"));
}

/*
 * Workers cannot be told apart, so a ring without such a thread has none either
 * while there is one; what is done at once is done by the process.
 */
TEST_F(sqpoll, other_rings)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(10) * GATE_SECOND_NS;
	struct io_uring plain;
	struct io_uring *polling = ring;
	int result;

	ASSERT_EQ(0, io_uring_queue_init(4, &plain, 0));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	ring = &plain;
	EXPECT_EQ(0, ring_read(NULL, self->fd));
	EXPECT_EQ(EACCES, ring_read_by_worker(&plain, self->fd));
	EXPECT_DENIED_TO("iou-wrk-");
	io_uring_queue_exit(polling);
	/* The thread ends a little after its ring. */
	do {
		result = ring_read_by_worker(&plain, self->fd);
	} while (result == EACCES && gate_now_ns() < until_ns);
	EXPECT_EQ(0, result);
	EXPECT_EQ(0, ring_read(NULL, self->fd));
	io_uring_queue_exit(&plain);
}

/* This is what it is about: neither's grant opens what the other asks for. */
TEST_F(sqpoll, heir)
{
	struct actor heir;

	ASSERT_EQ(0, actor_start(&heir));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, heir.pid,
				     "db/a", GATE_READ));
	EXPECT_EQ(0, actor_do(&heir, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&heir, ring_read, NULL, self->fd));
	EXPECT_DENIED_TO("iou-sqp-");
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	ASSERT_EQ(0, attempt_read("db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&heir, attempt_read, "db/a", 0));
	EXPECT_EQ(EACCES, actor_do(&heir, ring_read, NULL, self->fd));
	actor_stop(&heir);
}

TEST_HARNESS_MAIN
