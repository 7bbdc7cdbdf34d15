// SPDX-License-Identifier: GPL-2.0-only
/*
 * grant_test - what a grant covers, from when, until when, how often.
 *
 * Owns: times, uses, revocation, several grants at once, and the identity of
 * the object.
 *
 * Must not own: the subject (subject_test.c); refused requests.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"

FIXTURE(grant) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(grant)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, mkdir("db2", 0755));
	ASSERT_EQ(0, disk_file("db2/a", "another\n", 0644));
	ASSERT_EQ(0, link("other/x", "db/inside"));
	ASSERT_EQ(0, link("db/b", "other/outside"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
}

FIXTURE_TEARDOWN_PARENT(grant)
{
	gate_clean();
}

#define GRANT(path, access) ({						\
	uint64_t granted = gate_grant_file(&self->gate, &self->volume,	\
					   getpid(), path, access);	\
	ASSERT_NE(0, granted);						\
	granted;							\
})
#define GRANT_TREE(path, access) ({					\
	uint64_t granted = gate_grant_tree(&self->gate, &self->volume,	\
					   getpid(), path, access);	\
	ASSERT_NE(0, granted);						\
	granted;							\
})
#define COUNT(cause) volume_count(&self->gate, &self->volume,		\
				  TRUSTGATE_CAUSE_##cause)
#define RW	(GATE_READ | GATE_WRITE)

/* Times. */

TEST_F(grant, not_before)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);

	request.not_before_boottime_ns = gate_now_ns() + 2 * GATE_SECOND_NS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	EXPECT_EQ(1, COUNT(NOT_YET));
	gate_sleep_until(request.not_before_boottime_ns);
	EXPECT_EQ(0, attempt_read("db/a", 0));
}

/* From its begin, to the nanosecond. */
TEST_F(grant, longest)
{
	struct trustgate_grant_request request;
	struct trustgate_grant_added added;
	struct trustgate_volume volume;

	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &volume));
	request = gate_request(&self->volume, "db/a", GATE_READ);
	request.not_before_boottime_ns = gate_now_ns() + 60 * GATE_SECOND_NS;
	request.expires_boottime_ns = request.not_before_boottime_ns +
				      volume.max_duration_ns;
	EXPECT_EQ(0, trustgate_grant_add(self->gate.conn, &request, 1, &added));
	request.expires_boottime_ns++;
	EXPECT_EQ(-ERANGE, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
}

/*
 * Thousands of grants expire together. Whoever clears them away takes a while;
 * a check that begins after the expiry must not notice.
 */
TEST_F(grant, expiry_waits_for_nothing)
{
	enum { MANY = 4096, BATCH = TRUSTGATE_BATCH_MAX };
	static struct trustgate_grant_request requests[BATCH];
	static struct trustgate_grant_added added[BATCH];
	unsigned int i, allowed = 0, late = 0;
	uint64_t expires, before, spent;

	/* How long does a batch take here? */
	for (i = 0; i < BATCH; i++)
		requests[i] = gate_request(&self->volume,
					   i % 2 ? "db/a" : "db/b", GATE_READ);
	before = gate_now_ns();
	ASSERT_EQ(0, trustgate_grant_add(self->gate.conn, requests, BATCH,
					 added));
	spent = gate_now_ns() - before;
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));
	/* What else the machine does may begin only now. */
	expires = gate_now_ns() + 2 * GATE_SECOND_NS +
		  spent * 5 * (MANY / BATCH);
	for (i = 0; i < BATCH; i++)
		requests[i].expires_boottime_ns = expires;
	for (i = 0; i < MANY; i += BATCH)
		ASSERT_EQ(0, trustgate_grant_add(self->gate.conn, requests,
						 BATCH, added));
	ASSERT_GT(expires, gate_now_ns())
		TH_LOG("giving the grants took too long to test anything");
	gate_sleep_until(expires - GATE_SECOND_NS / 5);
	do {
		before = gate_now_ns();
		if (attempt_open("db/a", O_RDONLY))
			continue;
		allowed++;
		late += before >= expires;
	} while (before < expires + GATE_SECOND_NS / 5);
	EXPECT_LT(0, allowed);
	EXPECT_EQ(0, late);
	/* Some were denied by their time and not because they were gone. */
	EXPECT_LT(0, COUNT(EXPIRED));
}

TEST_F(grant, expiry_sends_event)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct trustgate_event event;
	uint64_t id;

	request.expires_boottime_ns = gate_now_ns() + GATE_SECOND_NS;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_GRANT_ENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_EXPIRED, event.end);
	EXPECT_LE(request.expires_boottime_ns, event.time_boottime_ns);
}

/* Several grants on one object. */

TEST_F(grant, accesses_add_up)
{
	uint64_t reading, writing;

	reading = GRANT("db/a", GATE_READ);
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDWR));
	writing = GRANT("db/a", GATE_WRITE);
	EXPECT_EQ(0, attempt_open("db/a", O_RDWR));
	ASSERT_EQ(0, gate_revoke(&self->gate, reading));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDWR));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(0, attempt_open("db/a", O_WRONLY));
	ASSERT_EQ(0, gate_revoke(&self->gate, writing));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_WRONLY));

	/* A file's and a subtree's, too. */
	GRANT("db/a", GATE_READ);
	GRANT_TREE(".", GATE_WRITE);
	EXPECT_EQ(0, attempt_open("db/a", O_RDWR));
}

TEST_F(grant, ends_leave_others)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	uint64_t ids[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		ids[i] = gate_grant(&self->gate, &request);
		ASSERT_NE(0, ids[i]);
	}
	for (i = 0; i < 8; i++) {
		EXPECT_EQ(0, attempt_read("db/a", 0));
		/* From the middle, the begin and the end of the list. */
		ASSERT_EQ(0, gate_revoke(&self->gate, ids[(i + 3) % 8]));
	}
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
}

TEST_F(grant, one_of_two_expires)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_WRITE);

	GRANT("db/a", GATE_READ);
	request.expires_boottime_ns = gate_now_ns() + 2 * GATE_SECOND_NS;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(0, attempt_open("db/a", O_RDWR));
	gate_sleep_until(request.expires_boottime_ns);
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDWR));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
}

/* Uses. */

static uint32_t uses_of(struct gate *gate, uint64_t id)
{
	struct trustgate_grant grant;

	return trustgate_grant_get(gate->conn, id, &grant) ? UINT32_MAX :
							     grant.uses;
}

static uint64_t grant_limited(struct gate *gate, const struct volume *volume,
			      const char *path, uint32_t access,
			      uint32_t max_uses)
{
	struct trustgate_grant_request request = gate_request(volume, path,
							      access);

	request.max_uses = max_uses;
	return gate_grant(gate, &request);
}

#define LIMITED(path, access, max) ({					\
	uint64_t granted = grant_limited(&self->gate, &self->volume,	\
					 path, access, max);		\
	ASSERT_NE(0, granted);						\
	granted;							\
})
#define USES(id)	uses_of(&self->gate, id)

TEST_F(grant, uses_are_opens)
{
	uint64_t id = LIMITED("db/a", RW, 2);
	int fd;

	fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, USES(id));
	/* I/O is part of the use, how ever much it is. */
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	EXPECT_EQ(0, attempt_write_fd("x", fd));
	EXPECT_EQ(1, USES(id));
	EXPECT_EQ(0, attempt_open("db/a", O_WRONLY | O_TRUNC));
	EXPECT_EQ(2, USES(id));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(1, COUNT(USED_UP));
	/* The file opened by the first use stays open. */
	EXPECT_EQ(0, attempt_write_fd("x", fd));
}

TEST_F(grant, each_change_is_a_use)
{
	uint64_t names = LIMITED("db", GATE_NAMES, 3);
	uint64_t meta = LIMITED("db/a", GATE_META, 1);

	EXPECT_EQ(0, mkdir("db/new", 0700));
	EXPECT_EQ(1, USES(names));
	EXPECT_EQ(0, rename("db/new", "db/renamed"));
	EXPECT_EQ(2, USES(names));
	EXPECT_EQ(0, rmdir("db/renamed"));
	EXPECT_EQ(3, USES(names));
	EXPECT_EQ(-1, mkdir("db/new", 0700));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, chmod("db/a", 0600));
	EXPECT_EQ(1, USES(meta));
	EXPECT_EQ(-1, chmod("db/a", 0644));
	EXPECT_EQ(EACCES, errno);
}

TEST_F(grant, denials_are_no_uses)
{
	uint64_t id = LIMITED("db/a", GATE_READ, 1);

	EXPECT_EQ(EACCES, attempt_open("db/a", O_WRONLY));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDWR));
	EXPECT_EQ(EACCES, actor_once(attempt_open, "db/a", O_RDONLY));
	EXPECT_EQ(0, USES(id));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(1, USES(id));
}

TEST_F(grant, unlimited_goes_first)
{
	uint64_t limited = LIMITED("db/a", GATE_READ, 1);
	uint64_t unlimited = GRANT("db/a", GATE_READ);

	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(0, USES(limited));
	ASSERT_EQ(0, gate_revoke(&self->gate, unlimited));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
}

TEST_F(grant, limited_ones_add_up)
{
	uint64_t reading = LIMITED("db/a", GATE_READ, 2);
	uint64_t writing = LIMITED("db/a", GATE_WRITE, 1);
	unsigned int i;

	EXPECT_EQ(0, attempt_open("db/a", O_RDWR));
	/* One has uses left, but it takes both: nothing is taken. */
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDWR));
	EXPECT_EQ(1, USES(reading));
	EXPECT_EQ(1, USES(writing));
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume));

	/* More grants of the same kind are more uses. */
	for (i = 0; i < 12; i++)
		LIMITED("db/b", GATE_READ, 1);
	for (i = 0; i < 12; i++)
		EXPECT_EQ(0, attempt_open("db/b", O_RDONLY));
	EXPECT_EQ(EACCES, attempt_open("db/b", O_RDONLY));
}

#define RACERS	8
#define TRIES	200

static atomic_uint won;

static void *race(void *unused)
{
	unsigned int i;

	for (i = 0; i < TRIES; i++)
		won += !attempt_open("db/a", O_RDONLY);
	return NULL;
}

TEST_F(grant, uses_are_exact)
{
	const unsigned int limit = RACERS * TRIES / 2;
	uint64_t first, second;
	pthread_t threads[RACERS];
	unsigned int i;

	first = LIMITED("db/a", GATE_READ, limit - 7);
	second = LIMITED("db/a", GATE_READ, 7);
	for (i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race, NULL));
	for (i = 0; i < RACERS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_EQ(limit, won);
	EXPECT_EQ(limit - 7, USES(first));
	EXPECT_EQ(7, USES(second));
	EXPECT_EQ(limit, COUNT(USED_UP));
}

/* Revocation. */

/* @phase is odd from an acknowledged revocation to the next grant. */
struct duel {
	atomic_uint phase;
	atomic_bool over;
	atomic_uint allowed;
	atomic_uint late;
	int fd;
};

static struct duel *duel;

/* Use the grant all the time; notice success after the acknowledgement. */
static int keep_using(const char *unused, long by_descriptor)
{
	unsigned int phase;
	int err;

	while (!duel->over) {
		phase = duel->phase;
		err = by_descriptor ? attempt_read_fd(NULL, duel->fd) :
				      attempt_open("db/a", O_RDONLY);
		if (err) {
			/* A denial is work for those who are to end it. */
			usleep(2000);
			continue;
		}
		duel->allowed++;
		duel->late += phase % 2 && phase == duel->phase;
	}
	return 0;
}

TEST_F_TIMEOUT(grant, revoked_is_revoked, 120)
{
	struct actor opener, reader;
	unsigned int round;
	uint64_t ids[2];

	duel = mmap(NULL, sizeof(*duel), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, duel);
	GRANT("db/a", GATE_READ);
	duel->fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, duel->fd);
	ASSERT_EQ(0, actor_start(&opener));
	ASSERT_EQ(0, actor_start(&reader));
	actor_begin(&opener, keep_using, NULL, 0);
	actor_begin(&reader, keep_using, NULL, 1);
	for (round = 0; round < 20; round++) {
		const unsigned int before = duel->allowed;
		unsigned int patience = 0;

		ids[0] = gate_grant_file(&self->gate, &self->volume, opener.pid,
					 "db/a", GATE_READ);
		ids[1] = gate_grant_tree(&self->gate, &self->volume, reader.pid,
					 "db", GATE_READ);
		while (duel->allowed < before + 3 && patience++ < 5000)
			usleep(1000);
		ASSERT_LE(before + 3, duel->allowed);
		ASSERT_EQ(0, trustgate_revoke_ids(self->gate.conn, ids, 2,
						  NULL));
		duel->phase++;
		usleep(20 * 1000);
		duel->phase++;
	}
	duel->over = true;
	EXPECT_EQ(0, actor_end(&opener));
	EXPECT_EQ(0, actor_end(&reader));
	EXPECT_EQ(0, duel->late);
	actor_stop(&opener);
	actor_stop(&reader);
}

/* Objects. */

TEST_F(grant, file_or_subtree)
{
	GRANT("db", GATE_READ);
	EXPECT_EQ(0, attempt_list("db", 0));
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	GRANT_TREE("db", GATE_READ);
	EXPECT_EQ(0, attempt_read("db/a", 0));
	EXPECT_EQ(0, attempt_read("db/sub/c", 0));
	EXPECT_EQ(EACCES, attempt_read("db2/a", 0));
	EXPECT_EQ(EACCES, attempt_read("other/x", 0));
	EXPECT_EQ(EACCES, attempt_list(".", 0));
}

TEST_F(grant, file_under_any_name)
{
	GRANT("db/b", GATE_READ);
	EXPECT_EQ(0, attempt_read("db/b", 0));
	EXPECT_EQ(0, attempt_read("other/outside", 0));
	GRANT("db", GATE_NAMES);
	EXPECT_EQ(0, rename("db/b", "db/renamed"));
	EXPECT_EQ(0, attempt_read("db/renamed", 0));
}

/* A subtree has the names below it, whatever other names a file has. */
TEST_F(grant, subtree_by_name)
{
	GRANT_TREE("db", GATE_READ);
	EXPECT_EQ(0, attempt_read("db/inside", 0));
	EXPECT_EQ(EACCES, attempt_read("other/x", 0));
	EXPECT_EQ(0, attempt_read("db/b", 0));
	EXPECT_EQ(EACCES, attempt_read("other/outside", 0));
}

TEST_F(grant, deleted_file)
{
	uint64_t file, tree;
	int fd;

	file = GRANT("db/a", RW);
	tree = GRANT_TREE("db", GATE_ALL);
	fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink("db/a"));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	ASSERT_EQ(0, gate_revoke(&self->gate, tree));
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
	ASSERT_EQ(0, gate_revoke(&self->gate, file));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	/* It still was in its directory's subtree. */
	GRANT_TREE("db", RW);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
}

/* The same inode number later is another file. */
TEST_F(grant, reused_inode)
{
	struct stat old, new;
	unsigned int tries;

	GRANT("db/a", GATE_ALL);
	GRANT("db", GATE_NAMES);
	ASSERT_EQ(0, attempt_read("db/a", 0));
	ASSERT_EQ(0, stat("db/a", &old));
	ASSERT_EQ(0, unlink("db/a"));
	for (tries = 0;; tries++) {
		ASSERT_GT(1000, tries)
			TH_LOG("the inode number was not used again");
		ASSERT_EQ(0, mknod("db/a", S_IFREG | 0644, 0));
		ASSERT_EQ(0, stat("db/a", &new));
		if (new.st_ino == old.st_ino)
			break;
		ASSERT_EQ(0, unlink("db/a"));
		sync();
	}
	EXPECT_EQ(EACCES, attempt_read("db/a", 0));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_WRONLY));
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, attempt_read("db/a", 0));
}

/* A new directory by the name of a granted one is not that one. */
TEST_F(grant, recreated_directory)
{
	GRANT(".", GATE_NAMES);
	GRANT_TREE("db2", GATE_ALL);
	ASSERT_EQ(0, attempt_read("db2/a", 0));
	ASSERT_EQ(0, unlink("db2/a"));
	ASSERT_EQ(0, rmdir("db2"));
	ASSERT_EQ(0, mkdir("db2", 0755));
	EXPECT_EQ(EACCES, attempt_list("db2", 0));
	EXPECT_EQ(EACCES, attempt_open("db2/a", O_WRONLY | O_CREAT));
}

TEST_HARNESS_MAIN
