// SPDX-License-Identifier: GPL-2.0-only
/*
 * keeper_test - who has files of a volume open or mapped.
 *
 * Owns: that each such process is told of, what it has, and no other.
 *
 * Must not own: what becomes of mappings (onend_test.c); processes whose memory is
 * locked (stuck_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "gate.h"
#include "mapper.h"

#define RW	(GATE_READ | GATE_WRITE)

/* More than are looked up at once, and than a message has room for. */
#define MANY	300

/**
 * struct found - what the kernel tells
 * @pid: of this process alone, 0 for all
 * @count: how many
 * @last: number of the last; they rise
 * @disorder: they do not
 * @keeper: the one that was asked for
 */
struct found {
	pid_t pid;
	unsigned int count;
	pid_t last;
	bool disorder;
	struct trustgate_keeper keeper;
};

static int take(const struct trustgate_keeper *keeper, void *userdata)
{
	struct found *found = userdata;

	found->disorder |= keeper->pid <= found->last;
	found->last = keeper->pid;
	if (found->pid && found->pid != keeper->pid)
		return 0;
	found->count++;
	found->keeper = *keeper;
	return 0;
}

static struct found find(struct gate *gate, uint32_t volume_id, pid_t pid)
{
	struct found found = { .pid = pid };
	int r = trustgate_keeper_each(gate->conn, volume_id, take, &found);

	if (r) {
		fprintf(stderr, "# keepers: %s\n",
			trustgate_error_text(gate->conn));
		found.count = UINT32_MAX;
	}
	return found;
}

#define FIND(pid) find(&self->gate, self->volume.id, pid)

static int kept;

static int part_open(const char *path, long flags)
{
	kept = open(path, (int)flags | O_CLOEXEC);
	return kept < 0 ? errno : 0;
}

static int part_close(const char *unused, long unused_too)
{
	return close(kept) ? errno : 0;
}


static void *thread_of_its_own(void *userdata)
{
	sem_t *steps = userdata;

	if (!unshare(CLONE_FILES))
		kept = open("db/b", O_RDONLY | O_CLOEXEC);
	sem_post(&steps[0]);
	sem_wait(&steps[1]);
	return NULL;
}

static sem_t steps[2];

/* A thread has a file open that the first one has not. */
static int part_thread(const char *unused, long unused_too)
{
	pthread_t thread;

	sem_init(&steps[0], 0, 0);
	sem_init(&steps[1], 0, 0);
	if (pthread_create(&thread, NULL, thread_of_its_own, steps))
		return EAGAIN;
	sem_wait(&steps[0]);
	return kept < 0 ? EACCES : 0;
}

/* Has a mount of the volume that nobody else has. */
static int part_mount(const char *path, long unused)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(path, "/mnt", NULL, MS_BIND, NULL))
		return errno;
	kept = open("/mnt/db/a", O_RDONLY | O_CLOEXEC);
	if (kept < 0 || umount2("/mnt", MNT_DETACH))
		return errno;
	return 0;
}

static int part_exec(const char *path, long unused)
{
	execl(path, "sleep", "60", NULL);
	return errno;
}

FIXTURE(keeper) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

FIXTURE_SETUP(keeper)
{
	const char *const argv[] = { "cp", "/bin/sleep", "db/sleep", NULL };

	mapper_refused = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)mapper_refused);
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, disk_command(argv));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(0, actor_start(&self->actor));
}

FIXTURE_TEARDOWN_PARENT(keeper)
{
	gate_clean();
}

#define GRANT(path, access)						\
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume,	\
				     self->actor.pid, path, access))
#define REVOKE()							\
	ASSERT_EQ(0, gate_revoke_all(&self->gate, &self->volume))

TEST_F(keeper, open_file)
{
	struct found found;

	EXPECT_EQ(0, FIND(self->actor.pid).count);
	GRANT("db/a", GATE_READ);
	ASSERT_EQ(0, actor_do(&self->actor, part_open, "db/a", O_RDONLY));
	EXPECT_EQ(0, FIND(self->actor.pid).keeper.files_denied);
	REVOKE();
	found = FIND(self->actor.pid);
	ASSERT_EQ(1, found.count);
	EXPECT_EQ(1, found.keeper.files);
	EXPECT_EQ(1, found.keeper.files_denied);
	EXPECT_EQ(0, found.keeper.mappings);
	EXPECT_FALSE(found.keeper.program);
	EXPECT_FALSE(found.keeper.unknown);
	EXPECT_EQ(self->volume.id, found.keeper.volume_id);
	EXPECT_EQ(getuid(), found.keeper.uid);
	EXPECT_STREQ("db/a", found.keeper.path);
	EXPECT_STREQ("keeper_test", found.keeper.comm);
	EXPECT_NE(0, found.keeper.start_ticks);
	ASSERT_EQ(0, actor_do(&self->actor, part_close, NULL, 0));
	EXPECT_EQ(0, FIND(self->actor.pid).count);
}

/* By a descriptor that gives nothing, and one of another filesystem. */
TEST_F(keeper, path_only)
{
	ASSERT_EQ(0, actor_do(&self->actor, part_open, "db/a", O_PATH));
	EXPECT_EQ(1, FIND(self->actor.pid).keeper.files);
	EXPECT_EQ(0, FIND(self->actor.pid).keeper.files_denied);
	ASSERT_EQ(0, actor_do(&self->actor, part_close, NULL, 0));
	ASSERT_EQ(0, actor_do(&self->actor, part_open, "/etc/passwd",
			      O_RDONLY));
	EXPECT_EQ(0, FIND(self->actor.pid).count);
}

TEST_F(keeper, mapping)
{
	struct found found;

	GRANT("db/a", RW);
	ASSERT_EQ(0, actor_do(&self->actor, mapper_map, "db/a",
			      MAPPER_SHARED_RW));
	EXPECT_EQ(0, FIND(self->actor.pid).keeper.mappings_denied);
	REVOKE();
	/* What is open for both is of use as long as one is allowed. */
	GRANT("db/a", GATE_READ);
	EXPECT_EQ(0, FIND(self->actor.pid).keeper.files_denied);
	EXPECT_EQ(1, FIND(self->actor.pid).keeper.mappings_denied);
	REVOKE();
	found = FIND(self->actor.pid);
	ASSERT_EQ(1, found.count);
	EXPECT_EQ(1, found.keeper.mappings);
	EXPECT_EQ(1, found.keeper.mappings_denied);
	EXPECT_EQ(1, found.keeper.files);
	EXPECT_STREQ("db/a", found.keeper.path);
	ASSERT_EQ(0, actor_do(&self->actor, mapper_unmap, NULL, 0));
	found = FIND(self->actor.pid);
	EXPECT_EQ(0, found.keeper.mappings);
	EXPECT_EQ(1, found.keeper.files);
}

/* What was ended shows nothing any more. */
TEST_F(keeper, ended_mapping)
{
	struct trustgate_grant_request request;
	struct trustgate_event event;

	request = gate_request(&self->volume, "db/a", RW);
	request.pid = self->actor.pid;
	request.on_end = TRUSTGATE_ON_END_UNMAP;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	ASSERT_EQ(0, actor_do(&self->actor, mapper_map, "db/a",
			      MAPPER_SHARED_RW));
	EXPECT_EQ(1, FIND(self->actor.pid).keeper.mappings);
	gate_forget_events(&self->gate);
	REVOKE();
	ASSERT_EQ(0, gate_wait_event(&self->gate,
				     TRUSTGATE_EVENT_TYPE_GRANT_CLEARED,
				     &event));
	EXPECT_EQ(0, FIND(self->actor.pid).keeper.mappings);
	EXPECT_EQ(1, FIND(self->actor.pid).keeper.files);
}

TEST_F(keeper, thread)
{
	GRANT("db/b", GATE_READ);
	ASSERT_EQ(0, actor_do(&self->actor, part_thread, NULL, 0));
	REVOKE();
	EXPECT_EQ(1, FIND(self->actor.pid).count);
	EXPECT_EQ(1, FIND(self->actor.pid).keeper.files);
	EXPECT_STREQ("db/b", FIND(self->actor.pid).keeper.path);
}

TEST_F(keeper, other_namespace)
{
	GRANT("db/a", GATE_READ);
	ASSERT_EQ(0, actor_do(&self->actor, part_mount,
			      self->volume.disk.path, 0));
	REVOKE();
	EXPECT_EQ(1, FIND(self->actor.pid).keeper.files);
}

TEST_F(keeper, program)
{
	struct trustgate_grant_request request;

	request = gate_request(&self->volume, "db/sleep",
			       GATE_READ | GATE_EXEC);
	request.pid = self->actor.pid;
	request.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	ASSERT_EQ(-EPIPE, actor_do(&self->actor, part_exec, "db/sleep", 0));
	REVOKE();
	EXPECT_TRUE(FIND(self->actor.pid).keeper.program);
	EXPECT_LT(0, FIND(self->actor.pid).keeper.mappings);
	EXPECT_EQ(0, FIND(self->actor.pid).keeper.files);
	EXPECT_STREQ("db/sleep", FIND(self->actor.pid).keeper.path);
	kill(self->actor.pid, SIGKILL);
	waitpid(self->actor.pid, NULL, 0);
	EXPECT_EQ(0, FIND(self->actor.pid).count);
}

/* Each once, however many messages that takes. */
TEST_F(keeper, many)
{
	static pid_t children[MANY];
	struct found found;
	const int fd = open("db/a", O_PATH | O_CLOEXEC);
	unsigned int before;

	before = FIND(0).count;
	ASSERT_LE(1, before);
	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < MANY; i++) {
		children[i] = fork();
		ASSERT_LE(0, children[i]);
		if (!children[i]) {
			pause();
			_exit(0);
		}
	}
	found = FIND(0);
	EXPECT_EQ(before + MANY, found.count);
	EXPECT_FALSE(found.disorder);
	for (unsigned int i = 0; i < MANY; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

static int stop_at_once(const struct trustgate_keeper *keeper, void *userdata)
{
	struct gate *gate = userdata;

	if (trustgate_keeper_each(gate->conn, keeper->volume_id, stop_at_once,
				  gate) != -EBUSY)
		return -EINVAL;
	return -ECANCELED;
}

TEST_F(keeper, no_such_volume)
{
	const int fd = open("db/a", O_PATH | O_CLOEXEC);

	EXPECT_EQ(-ENOENT, trustgate_keeper_each(self->gate.conn, 4711,
						 stop_at_once, &self->gate));
	EXPECT_STREQ("volume-id", trustgate_error_attribute(self->gate.conn));
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ECANCELED, trustgate_keeper_each(self->gate.conn,
						    self->volume.id,
						    stop_at_once, &self->gate));
}

TEST_HARNESS_MAIN
