// SPDX-License-Identifier: GPL-2.0-only
/*
 * supervise_test - grants that allow only while somebody supervises them.
 *
 * Owns: suspending and resuming, by the agent, by the clock and by the agent's
 * loss, for whatever a grant allows.
 *
 * Must not own: who supervises, which is the agent's to know.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"
#include "mapper.h"

#define SUPERVISED	TRUSTGATE_GRANT_FLAGS_SUPERVISED
#define FOR_LONG	(30 * GATE_SECOND_NS)

/* Often enough to be answered from memory. */
#define TIMES		3

FIXTURE(supervise) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_SETUP(supervise)
{
	mapper_refused = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)mapper_refused);
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(supervise)
{
	gate_clean();
}

static int supervise(struct gate *gate, uint64_t id, uint64_t for_ns)
{
	return trustgate_grant_supervise(gate->conn, &id, 1,
					 for_ns ? gate_now_ns() + for_ns : 0,
					 NULL);
}

/* A grant for @pid to read, and more if @access says so, db/a. */
static uint64_t give(struct gate *gate, const struct volume *volume, pid_t pid,
		     uint32_t access, uint64_t for_ns)
{
	struct trustgate_grant_request request = gate_request(volume, "db/a",
							      access);

	request.pid = pid;
	request.flags = SUPERVISED;
	if (for_ns)
		request.supervised_until_boottime_ns = gate_now_ns() + for_ns;
	return gate_grant(gate, &request);
}

#define GIVE(for_ns) ({							\
	uint64_t given = give(&self->gate, &self->volume, getpid(),	\
			      GATE_READ, for_ns);			\
	ASSERT_NE(0, given);						\
	given;								\
})
#define SUPERVISE(id)	ASSERT_EQ(0, supervise(&self->gate, id, FOR_LONG))
#define SUSPEND(id)	ASSERT_EQ(0, supervise(&self->gate, id, 0))
#define COUNT(cause)	volume_count(&self->gate, &self->volume,	\
				     TRUSTGATE_CAUSE_##cause)
#define WAIT(type, event)						\
	gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_##type, event)

static int open_kept(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int read_often(const char *unused, long fd)
{
	int result = 0;
	unsigned int i;

	for (i = 0; !result && i < TIMES; i++)
		result = attempt_read_fd(NULL, fd);
	return result;
}

TEST_F(supervise, begins_suspended)
{
	struct trustgate_event event;
	struct trustgate_grant grant;
	uint64_t id;

	id = GIVE(0);
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(1, COUNT(UNSUPERVISED));
	ASSERT_EQ(0, WAIT(DENIED, &event));
	EXPECT_EQ(TRUSTGATE_CAUSE_UNSUPERVISED, event.cause);
	EXPECT_EQ(id, event.grant_id);
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, id, &grant));
	EXPECT_EQ(SUPERVISED, grant.flags);
	EXPECT_EQ(0, grant.supervised_until_boottime_ns);

	SUPERVISE(id);
	ASSERT_EQ(0, WAIT(GRANT_RESUMED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(self->volume.id, event.volume_id);
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, id, &grant));
	EXPECT_LT(gate_now_ns(), grant.supervised_until_boottime_ns);
	EXPECT_GE(gate_now_ns() + FOR_LONG, grant.supervised_until_boottime_ns);
}

TEST_F(supervise, begins_supervised)
{
	GIVE(FOR_LONG);
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(0, COUNT(UNSUPERVISED));
}

/* What is open is read no further, however often that was allowed before. */
TEST_F(supervise, open_file)
{
	struct trustgate_event event;
	unsigned int i;
	uint64_t id;
	int fd;

	id = GIVE(FOR_LONG);
	fd = open_kept("db/a");
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, read_often(NULL, fd));
		SUSPEND(id);
		EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
		EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
		ASSERT_EQ(0, WAIT(GRANT_SUSPENDED, &event));
		EXPECT_EQ(id, event.grant_id);
		SUPERVISE(id);
	}
	EXPECT_EQ(0, read_often(NULL, fd));
	EXPECT_EQ(6, COUNT(UNSUPERVISED));
}

/* Said again in time, nothing is denied in between. */
TEST_F(supervise, renewed)
{
	const uint64_t id = GIVE(2 * GATE_SECOND_NS);
	const uint64_t end = gate_now_ns() + 6 * GATE_SECOND_NS;
	uint64_t next = 0;
	int fd;

	fd = open_kept("db/a");
	ASSERT_LE(0, fd);
	while (gate_now_ns() < end) {
		if (gate_now_ns() >= next) {
			SUPERVISE(id);
			next = gate_now_ns() + GATE_SECOND_NS / 5;
		}
		ASSERT_EQ(0, attempt_read_fd(NULL, fd));
	}
	EXPECT_EQ(0, COUNT(UNSUPERVISED));
}

/*
 * Nobody says so: as with an agent that is stopped. To the moment, for the open
 * file and for opening it.
 */
TEST_F(supervise, ends_by_the_clock)
{
	unsigned int allowed = 0, late = 0;
	struct trustgate_grant grant;
	struct trustgate_event event;
	uint64_t id, until, before;
	int fd;

	id = GIVE(3 * GATE_SECOND_NS);
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, id, &grant));
	until = grant.supervised_until_boottime_ns;
	fd = open_kept("db/a");
	ASSERT_LE(0, fd);
	do {
		before = gate_now_ns();
		if (!attempt_read_fd(NULL, fd)) {
			allowed++;
			late += before >= until;
		}
		before = gate_now_ns();
		if (!attempt_open("db/a", O_RDONLY)) {
			allowed++;
			late += before >= until;
		}
	} while (before < until + GATE_SECOND_NS / 4);
	EXPECT_LT(0, allowed);
	EXPECT_EQ(0, late);
	EXPECT_LT(0, COUNT(UNSUPERVISED));
	/* And it is on record. */
	ASSERT_EQ(0, WAIT(GRANT_SUSPENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	SUPERVISE(id);
	EXPECT_EQ(0, attempt_read_fd(NULL, fd));
}

/* The next event that one of the two has; 0 if neither comes. */
static uint32_t next_change(struct gate *gate, uint64_t id)
{
	const uint64_t until_ns = gate_now_ns() +
				  gate_patience(10) * GATE_SECOND_NS;
	struct trustgate_event event;

	while (gate_now_ns() < until_ns) {
		if (trustgate_event_next(gate->conn, &event) != 1)
			usleep(10000);
		else if (event.grant_id == id &&
			 (event.type == TRUSTGATE_EVENT_TYPE_GRANT_SUSPENDED ||
			  event.type == TRUSTGATE_EVENT_TYPE_GRANT_RESUMED))
			return event.type;
	}
	return 0;
}

/* One that nobody has supervised yet is not suspended, however long that is. */
TEST_F(supervise, told_when_it_begins)
{
	const uint64_t id = GIVE(0);

	/* Longer than between two looks at the clock. */
	sleep(3);
	SUPERVISE(id);
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_GRANT_RESUMED,
		  next_change(&self->gate, id));
}

/* Whoever says it first when the time was over, the lapse is on record. */
TEST_F(supervise, told_of_each_lapse)
{
	const uint64_t id = GIVE(0);
	unsigned int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, supervise(&self->gate, id, GATE_SECOND_NS / 2));
		EXPECT_EQ(TRUSTGATE_EVENT_TYPE_GRANT_RESUMED,
			  next_change(&self->gate, id));
		/* Now before the kernel has looked at the clock, now after. */
		usleep(600000 + i * 100000);
		ASSERT_EQ(0, supervise(&self->gate, id, GATE_SECOND_NS / 2));
		ASSERT_EQ(TRUSTGATE_EVENT_TYPE_GRANT_SUSPENDED,
			  next_change(&self->gate, id));
		EXPECT_EQ(TRUSTGATE_EVENT_TYPE_GRANT_RESUMED,
			  next_change(&self->gate, id));
		SUSPEND(id);
		ASSERT_EQ(TRUSTGATE_EVENT_TYPE_GRANT_SUSPENDED,
			  next_change(&self->gate, id));
	}
}

/* The kernel notices by itself, and whoever comes next has to say it anew. */
TEST_F(supervise, agent_lost)
{
	struct trustgate_grant_request other =
		gate_request(&self->volume, "db/b", GATE_READ);
	const uint64_t id = GIVE(FOR_LONG);
	int fd;

	other.flags = SUPERVISED;
	other.supervised_until_boottime_ns = gate_now_ns() + FOR_LONG;
	ASSERT_NE(0, gate_grant(&self->gate, &other));
	fd = open_kept("db/a");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, read_often(NULL, fd));
	ASSERT_EQ(0, attempt_open("db/b", O_RDONLY));
	gate_close(&self->gate);
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(EACCES, attempt_open("db/b", O_RDONLY));
	/* gate_open() would begin by unprotecting everything. */
	ASSERT_EQ(0, trustgate_new(&self->gate.conn));
	ASSERT_EQ(0, trustgate_connect(self->gate.conn));
	ASSERT_EQ(0, trustgate_agent_bind(self->gate.conn, gate_secret, NULL));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
	EXPECT_LE(3, COUNT(UNSUPERVISED));
	SUPERVISE(id);
	EXPECT_EQ(0, read_often(NULL, fd));
}

/* Grants that demand nothing go on, as they would. */
TEST_F(supervise, agent_lost_others_go_on)
{
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", GATE_READ));
	GIVE(FOR_LONG);
	gate_close(&self->gate);
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
}

TEST_F(supervise, expires_while_suspended)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct trustgate_event event;
	uint64_t id, changed = 9;

	request.flags = SUPERVISED;
	request.expires_boottime_ns = gate_now_ns() + 2 * GATE_SECOND_NS;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, WAIT(GRANT_ENDED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_EXPIRED, event.end);
	/* Nothing brings it back. */
	EXPECT_EQ(0, trustgate_grant_supervise(self->gate.conn, &id, 1,
					       gate_now_ns() + FOR_LONG,
					       &changed));
	EXPECT_EQ(0, changed);
	EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(1, COUNT(NO_GRANT));
}

/* Supervision never makes a grant last longer. */
TEST_F(supervise, expires_while_supervised)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	uint64_t before, late = 0;
	int fd;

	request.flags = SUPERVISED;
	request.expires_boottime_ns = gate_now_ns() + 3 * GATE_SECOND_NS;
	request.supervised_until_boottime_ns = gate_now_ns() + FOR_LONG;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	fd = open_kept("db/a");
	ASSERT_LE(0, fd);
	do {
		before = gate_now_ns();
		late += !attempt_read_fd(NULL, fd) &&
			before >= request.expires_boottime_ns;
	} while (before < request.expires_boottime_ns + GATE_SECOND_NS / 4);
	EXPECT_EQ(0, late);
}

static int read_db_a(const char *path, long unused)
{
	return attempt_read(path, unused);
}

/* What holds for the subject holds for its descendants. */
TEST_F(supervise, descendants)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct actor actor;
	uint64_t id;

	request.flags = SUPERVISED | TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	request.supervised_until_boottime_ns = gate_now_ns() + FOR_LONG;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, actor_start(&actor));
	EXPECT_EQ(0, actor_do(&actor, read_db_a, "db/a", 0));
	SUSPEND(id);
	EXPECT_EQ(EACCES, actor_do(&actor, read_db_a, "db/a", 0));
	SUPERVISE(id);
	EXPECT_EQ(0, actor_do(&actor, read_db_a, "db/a", 0));
	actor_stop(&actor);
}

/* Another grant that covers the access goes on covering it. */
TEST_F(supervise, another_grant)
{
	const uint64_t id = GIVE(FOR_LONG);
	uint64_t other;
	int fd;

	fd = open_kept("db/a");
	ASSERT_LE(0, fd);
	other = gate_grant_tree(&self->gate, &self->volume, getpid(), "db",
				GATE_READ);
	ASSERT_NE(0, other);
	SUSPEND(id);
	EXPECT_EQ(0, read_often(NULL, fd));
	ASSERT_EQ(0, gate_revoke(&self->gate, other));
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, fd));
}

/* Mappings end with the supervision, or stay, as they do at the grant's end. */
TEST_F(supervise, mappings)
{
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_READ);
	struct actor actors[2];
	struct trustgate_event event;
	uint64_t ids[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, actor_start(&actors[i]));
		request.pid = actors[i].pid;
		request.flags = SUPERVISED;
		request.on_end = i ? TRUSTGATE_ON_END_UNMAP :
				     TRUSTGATE_ON_END_DENY_IO;
		request.supervised_until_boottime_ns = gate_now_ns() + FOR_LONG;
		ids[i] = gate_grant(&self->gate, &request);
		ASSERT_NE(0, ids[i]);
		ASSERT_EQ(0, actor_do(&actors[i], mapper_map, "db/a",
				      MAPPER_PRIVATE_READ));
	}
	ASSERT_EQ(0, trustgate_grant_supervise(self->gate.conn, ids, 2, 0,
					       NULL));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(actors[1].pid, event.pid);
	EXPECT_EQ(0, actor_do(&actors[0], mapper_touch, "db/a", false));
	EXPECT_EQ(EFAULT, actor_do(&actors[1], mapper_touch, "db/a", false));
	/* The grant lives on and lets it be mapped again. */
	SUPERVISE(ids[1]);
	EXPECT_EQ(0, actor_do(&actors[1], mapper_unmap, "db/a", 0));
	EXPECT_EQ(0, actor_do(&actors[1], mapper_map, "db/a",
			      MAPPER_PRIVATE_READ));
	for (i = 0; i < 2; i++)
		actor_stop(&actors[i]);
}

/* What is refused changes nothing. */
TEST_F(supervise, refusals)
{
	struct trustgate_conn *conn = self->gate.conn;
	const uint64_t id = GIVE(FOR_LONG);
	uint64_t plain, ids[2], changed = 0;
	struct trustgate_grant_request request =
		gate_request(&self->volume, "db/a", GATE_WRITE);
	struct trustgate_grant_added added;

	plain = gate_grant_file(&self->gate, &self->volume, getpid(), "db/b",
				GATE_READ);
	ASSERT_NE(0, plain);
	ids[0] = id;
	ids[1] = plain;
	EXPECT_EQ(-EINVAL, trustgate_grant_supervise(conn, ids, 2, 0, NULL));
	EXPECT_STREQ("id[1]", trustgate_error_attribute(conn));
	EXPECT_EQ(-EINVAL, trustgate_grant_supervise(conn, &id, 1, 1, NULL));
	EXPECT_EQ(-ERANGE,
		  trustgate_grant_supervise(conn, &id, 1, gate_now_ns() +
					    TRUSTGATE_SUPERVISION_MAX_NS +
					    60 * GATE_SECOND_NS, NULL));
	EXPECT_EQ(0, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(0, COUNT(UNSUPERVISED));

	/* The same goes for what a grant begins with. */
	request.supervised_until_boottime_ns = gate_now_ns() + FOR_LONG;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(conn, &request, 1, &added));
	request.flags = SUPERVISED;
	request.supervised_until_boottime_ns = 1;
	EXPECT_EQ(-EINVAL, trustgate_grant_add(conn, &request, 1, &added));
	request.supervised_until_boottime_ns = gate_now_ns() +
		TRUSTGATE_SUPERVISION_MAX_NS + 60 * GATE_SECOND_NS;
	EXPECT_EQ(-ERANGE, trustgate_grant_add(conn, &request, 1, &added));
	EXPECT_EQ(EACCES, attempt_open("db/a", O_WRONLY));

	/* One that has ended is passed over. */
	ids[1] = plain + 1000;
	EXPECT_EQ(0, trustgate_grant_supervise(conn, ids, 2, 0, &changed));
	EXPECT_EQ(1, changed);
}

/* @phase is odd from an acknowledged suspension to what resumes the grants. */
struct duel {
	atomic_uint phase;
	atomic_bool over;
	atomic_uint allowed;
	atomic_uint late;
};

static struct duel *duel;

/* Use the grant all the time; notice success after the acknowledgement. */
static int keep_using(const char *path, long by_descriptor)
{
	const int fd = by_descriptor ? open_kept(path) : -1;
	unsigned int phase;
	int err;

	while (!duel->over) {
		phase = duel->phase;
		err = by_descriptor ? attempt_read_fd(NULL, fd) :
				      attempt_open(path, O_RDONLY);
		if (err) {
			/* A denial is work for those who are to suspend it. */
			usleep(2000);
			continue;
		}
		duel->allowed++;
		duel->late += phase % 2 && phase == duel->phase;
	}
	return 0;
}

TEST_F_TIMEOUT(supervise, suspended_is_suspended, 120)
{
	struct actor users[2];
	unsigned int round, i;
	uint64_t ids[2];

	duel = mmap(NULL, sizeof(*duel), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, duel);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, actor_start(&users[i]));
		ids[i] = give(&self->gate, &self->volume, users[i].pid,
			      GATE_READ, FOR_LONG);
		ASSERT_NE(0, ids[i]);
		actor_begin(&users[i], keep_using, "db/a", i);
	}
	for (round = 0; round < 20; round++) {
		const unsigned int before = duel->allowed;
		unsigned int patience = 0;

		ASSERT_EQ(0, trustgate_grant_supervise(self->gate.conn, ids, 2,
						       gate_now_ns() + FOR_LONG,
						       NULL));
		while (duel->allowed < before + 3 && patience++ < 5000)
			usleep(1000);
		ASSERT_LE(before + 3, duel->allowed);
		ASSERT_EQ(0, trustgate_grant_supervise(self->gate.conn, ids, 2,
						       0, NULL));
		duel->phase++;
		usleep(20 * 1000);
		duel->phase++;
	}
	duel->over = true;
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, actor_end(&users[i]));
		actor_stop(&users[i]);
	}
	EXPECT_EQ(0, duel->late);
}

TEST_HARNESS_MAIN
