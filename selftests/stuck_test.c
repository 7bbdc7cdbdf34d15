// SPDX-License-Identifier: GPL-2.0-only
/*
 * stuck_test - processes whose mappings cannot be looked at.
 *
 * Owns: what becomes of a process that hangs in a page fault, with grants that
 * live and grants that have ended.
 *
 * Must not own: what becomes of mappings otherwise (onend_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "gate.h"

#define RW	(GATE_READ | GATE_WRITE)
#define FOR_LONG	(30 * GATE_SECOND_NS)

/* More than the passes after which a process is killed; see mapping.c. */
#define PASSES	30

/* Seen by everybody: who hangs. */
struct stuck {
	volatile pid_t pid;
	volatile pid_t faulting;
	volatile pid_t unmapping;
};

static struct stuck *stuck;

/* On a filesystem that is frozen. */
static volatile char *cold;

/* Does the thread wait for what no signal ends, and not just for a moment? */
static bool is_stuck(pid_t pid, pid_t tid)
{
	char path[64], text[256];
	const char *state;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	for (unsigned int i = 0; i < 10; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			close(fd);
		if (length <= 0)
			return false;
		text[length] = 0;
		state = strrchr(text, ')');
		if (!state || strncmp(state, ") D", 3))
			return false;
		usleep(10000);
	}
	return true;
}

static void *fault(void *unused)
{
	stuck->faulting = gettid();
	cold[0] = 'x';
	return unused;
}

/* Has the lock, and waits for the fault. */
static void *unmap_meanwhile(void *unused)
{
	while (!stuck->faulting || !is_stuck(getpid(), stuck->faulting))
		usleep(10000);
	stuck->unmapping = gettid();
	munmap((void *)cold, 4096);
	return unused;
}

/* All that is needed is touched before the lock is taken for good. */
static int hang(void)
{
	pthread_t threads[2];

	stuck->pid = getpid();
	return pthread_create(&threads[0], NULL, fault, NULL) ?:
	       pthread_create(&threads[1], NULL, unmap_meanwhile, NULL);
}

static void *map(const char *path)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	void *memory = MAP_FAILED;

	if (fd < 0)
		return NULL;
	memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

/* Maps db/a, too. */
static int part_prepare(const char *path, long unused)
{
	const char *mapped = map("db/a");

	cold = map(path);
	return mapped && cold && mapped[0] && cold[0] ? 0 : errno;
}

static int part_hang(const char *unused, long in_child)
{
	pid_t child;

	if (!in_child)
		return hang();
	child = fork();
	if (child < 0)
		return errno;
	if (child)
		return 0;
	hang();
	for (;;)
		pause();
}

FIXTURE(stuck) {
	struct gate gate;
	struct volume volume;
	struct disk disk;
	char path[128];
	struct actor actor;
	struct actor other;
	struct stuck *stuck;
};

/* Without it nothing that has hung would ever end. */
static void thaw(const struct disk *disk)
{
	const int fd = open(disk->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	ioctl(fd, FITHAW, 0);
	close(fd);
}

static int freeze(const struct disk *disk)
{
	const int fd = open(disk->path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return errno;
	err = ioctl(fd, FIFREEZE, 0) ? errno : 0;
	close(fd);
	return err;
}

FIXTURE_SETUP(stuck)
{
	stuck = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)stuck);
	self->stuck = stuck;
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, disk_make(&self->disk, 1, "ext4"));
	snprintf(self->path, sizeof(self->path), "%s/cold", self->disk.path);
	ASSERT_EQ(0, disk_file(self->path, "cold", 0600));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	ASSERT_EQ(0, actor_start(&self->actor));
	ASSERT_EQ(0, actor_start(&self->other));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(stuck)
{
	thaw(&self->disk);
	gate_clean();
}

#define WAIT(type, event)						\
	gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_##type, event)

static uint64_t grant_flagged(struct gate *gate, const struct volume *volume,
			      const struct actor *actor, uint32_t flags,
			      uint64_t supervised_until_ns)
{
	struct trustgate_grant_request request = gate_request(volume, "db/a",
							      RW);

	request.pid = actor->pid;
	request.flags = flags;
	request.supervised_until_boottime_ns = supervised_until_ns;
	request.on_end = TRUSTGATE_ON_END_UNMAP;
	return gate_grant(gate, &request);
}

static uint64_t grant_to(struct gate *gate, const struct volume *volume,
			 const struct actor *actor)
{
	return grant_flagged(gate, volume, actor, 0, 0);
}

static uint64_t grant_supervised(struct gate *gate, const struct volume *volume,
				 const struct actor *actor, uint64_t for_ns)
{
	return grant_flagged(gate, volume, actor,
			     TRUSTGATE_GRANT_FLAGS_SUPERVISED,
			     for_ns ? gate_now_ns() + for_ns : 0);
}

static int supervise(struct gate *gate, uint64_t id, uint64_t for_ns)
{
	return trustgate_grant_supervise(gate->conn, &id, 1,
					 for_ns ? gate_now_ns() + for_ns : 0,
					 NULL);
}

/* Each has a pass begin. */
static void have_passes(struct gate *gate, const struct volume *volume,
			const struct actor *other)
{
	uint64_t id;

	for (unsigned int i = 0; i < PASSES; i++) {
		id = grant_to(gate, volume, other);
		gate_revoke(gate, id);
		usleep(120000);
	}
}

static uint64_t count_killed(struct gate *gate)
{
	struct trustgate_gate status = {};
	uint64_t killed;

	if (trustgate_gate_get(gate->conn, &status))
		return UINT64_MAX;
	killed = status.killed;
	trustgate_gate_clear(&status);
	return killed;
}

/* Of a grant that has ended: how many are said to have it mapped still. */
static int count_mapped(struct gate *gate, uint64_t id)
{
	const struct trustgate_grant_filter filter = { .ending = true };
	struct trustgate_grant *grants = NULL;
	size_t count = 0;
	int mapped = -1;

	if (trustgate_grant_list(gate->conn, &filter, &grants, &count, NULL))
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (grants[i].id == id && grants[i].end != TRUSTGATE_END_NONE)
			mapped = grants[i].mapped;
	}
	free(grants);
	return mapped;
}

static bool has_ended(pid_t pid)
{
	return kill(pid, 0) || waitpid(pid, NULL, WNOHANG) == pid;
}

/* While its grants live it is let alone, also if one was given in another's place. */
TEST_F(stuck, own)
{
	struct trustgate_event event;
	uint64_t first, second, killed;

	first = grant_to(&self->gate, &self->volume, &self->actor);
	second = grant_to(&self->gate, &self->volume, &self->actor);
	ASSERT_NE(0, first);
	ASSERT_NE(0, second);
	ASSERT_EQ(0, actor_do(&self->actor, part_prepare, self->path, 0));
	ASSERT_EQ(0, freeze(&self->disk));
	ASSERT_EQ(0, actor_do(&self->actor, part_hang, NULL, false));
	EVENTUALLY(stuck->unmapping && is_stuck(stuck->pid, stuck->unmapping));

	killed = count_killed(&self->gate);
	EXPECT_EQ(0, gate_revoke(&self->gate, first));
	have_passes(&self->gate, &self->volume, &self->other);
	EXPECT_EQ(killed, count_killed(&self->gate));
	/* Nobody else's grant waits for it. */
	EXPECT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(first, event.grant_id);

	EXPECT_EQ(0, gate_revoke(&self->gate, second));
	EVENTUALLY(count_mapped(&self->gate, second) == 1);
	EXPECT_EQ(0, WAIT(KILLED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
	/* It cannot die yet, and is not forgotten. */
	EXPECT_EQ(1, count_mapped(&self->gate, second));
	thaw(&self->disk);
	EVENTUALLY(has_ended(self->actor.pid));
	EVENTUALLY(count_mapped(&self->gate, second) == -1);
}

static int note_keeper(const struct trustgate_keeper *keeper, void *userdata)
{
	struct trustgate_keeper *wanted = userdata;

	if (keeper->pid == wanted->pid)
		*wanted = *keeper;
	return 0;
}

/* Who asks what processes have does not hang with them. */
TEST_F(stuck, looked_at)
{
	struct trustgate_keeper keeper = { .pid = self->actor.pid };

	ASSERT_NE(0, grant_to(&self->gate, &self->volume, &self->actor));
	ASSERT_EQ(0, actor_do(&self->actor, part_prepare, self->path, 0));
	ASSERT_EQ(0, freeze(&self->disk));
	ASSERT_EQ(0, actor_do(&self->actor, part_hang, NULL, false));
	EVENTUALLY(stuck->unmapping && is_stuck(stuck->pid, stuck->unmapping));
	ASSERT_EQ(0, trustgate_keeper_each(self->gate.conn, self->volume.id,
					   note_keeper, &keeper));
	EXPECT_TRUE(keeper.unknown);
	EXPECT_EQ(0, keeper.mappings);
	thaw(&self->disk);
	EVENTUALLY(!is_stuck(stuck->pid, stuck->unmapping));
	keeper = (struct trustgate_keeper){ .pid = self->actor.pid };
	ASSERT_EQ(0, trustgate_keeper_each(self->gate.conn, self->volume.id,
					   note_keeper, &keeper));
	EXPECT_FALSE(keeper.unknown);
	EXPECT_EQ(1, keeper.mappings);
}

/* It has the mapping by a grant that it never held. */
TEST_F(stuck, child)
{
	struct trustgate_event event;
	uint64_t id;

	id = grant_to(&self->gate, &self->volume, &self->actor);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, actor_do(&self->actor, part_prepare, self->path, 0));
	ASSERT_EQ(0, freeze(&self->disk));
	ASSERT_EQ(0, actor_do(&self->actor, part_hang, NULL, true));
	EVENTUALLY(stuck->unmapping && is_stuck(stuck->pid, stuck->unmapping));

	EXPECT_EQ(0, gate_revoke(&self->gate, id));
	EXPECT_EQ(0, WAIT(KILLED, &event));
	EXPECT_EQ(stuck->pid, event.pid);
	EXPECT_NE(self->actor.pid, event.pid);
	thaw(&self->disk);
	EXPECT_EQ(0, WAIT(GRANT_CLEARED, &event));
}

/*
 * A grant that is suspended has not ended, and its mappings are to end. One that
 * was resumed, or has let nobody in yet, is no reason to kill.
 */
TEST_F(stuck, suspended)
{
	struct trustgate_event event;
	uint64_t id, never, killed;

	id = grant_supervised(&self->gate, &self->volume, &self->actor,
			      FOR_LONG);
	never = grant_supervised(&self->gate, &self->volume, &self->actor, 0);
	ASSERT_NE(0, id);
	ASSERT_NE(0, never);
	ASSERT_EQ(0, actor_do(&self->actor, part_prepare, self->path, 0));
	EXPECT_EQ(0, supervise(&self->gate, id, 0));
	EXPECT_EQ(0, supervise(&self->gate, id, FOR_LONG));
	ASSERT_EQ(0, actor_do(&self->actor, part_prepare, self->path, 0));
	ASSERT_EQ(0, freeze(&self->disk));
	ASSERT_EQ(0, actor_do(&self->actor, part_hang, NULL, false));
	EVENTUALLY(stuck->unmapping && is_stuck(stuck->pid, stuck->unmapping));

	killed = count_killed(&self->gate);
	have_passes(&self->gate, &self->volume, &self->other);
	EXPECT_EQ(killed, count_killed(&self->gate));

	EXPECT_EQ(0, supervise(&self->gate, id, 0));
	EXPECT_EQ(0, WAIT(KILLED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
	thaw(&self->disk);
	EVENTUALLY(has_ended(self->actor.pid));
}

TEST_HARNESS_MAIN
