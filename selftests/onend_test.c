// SPDX-License-Identifier: GPL-2.0-only
/*
 * onend_test - what becomes of mappings when the grant that allowed them ends.
 *
 * Owns: each kind of on-end, for each way in which a grant ends and each way in
 * which a process has a mapping.
 *
 * Must not own: which mappings may be made (mmap_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "attempt.h"
#include "gate.h"
#include "mapper.h"

#define R	GATE_READ
#define W	GATE_WRITE
#define X	GATE_EXEC

#define UNMAP	TRUSTGATE_ON_END_UNMAP
#define KILL	TRUSTGATE_ON_END_KILL

/* On the volume, and what it reads until it ends. */
#define PROGRAM	"db/cat"
#define FIFO	"/tmp/onend_test.fifo"

static int part_exec(const char *path, long unused)
{
	const int fd = open(FIFO, O_RDONLY);

	(void)unused;
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		return errno;
	execl(path, "cat", NULL);
	return errno;
}

static struct trustgate_grant_request request_for(const struct volume *volume,
						  const struct actor *actor,
						  uint32_t access, uint32_t on_end)
{
	struct trustgate_grant_request request = gate_request(volume, "db/a",
							      access);

	request.pid = actor->pid;
	request.on_end = on_end;
	return request;
}

FIXTURE(onend) {
	struct gate gate;
	struct volume volume;
	struct actor actor;
};

FIXTURE_SETUP(onend)
{
	const char *const argv[] = { "cp", "/bin/cat", PROGRAM, NULL };
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS,
		.on_agent_loss = TRUSTGATE_ON_AGENT_LOSS_REVOKE,
	};

	mapper_refused = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)mapper_refused);
	*mapper_refused = 0;
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, disk_command(argv));
	ASSERT_EQ(0, volume_protect_with(&self->gate, &self->volume,
					 &settings));
	ASSERT_EQ(0, actor_start(&self->actor));
	gate_forget_events(&self->gate);
}

FIXTURE_TEARDOWN_PARENT(onend)
{
	gate_clean();
}

#define REQUEST(rights, kind)						\
	request_for(&self->volume, &self->actor, rights, kind)

#define DO(part, number) actor_do(&self->actor, part, "db/a", number)

#define WAIT(type, event)						\
	gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_##type, event)

/* Gives the grant and has its subject map db/a; returns its id, 0 if that fails. */
static uint64_t map_by(struct gate *gate, const struct actor *actor,
		       const struct trustgate_grant_request *request, long how)
{
	const uint64_t id = gate_grant(gate, request);

	return id && !actor_do(actor, mapper_map, "db/a", how) ? id : 0;
}

#define MAP_BY(request, how)						\
	map_by(&self->gate, &self->actor, request, how)

/* Has the actor execute the program; returns what ends it when closed. */
static int execute(struct actor *actor)
{
	int fd;

	unlink(FIFO);
	if (mkfifo(FIFO, 0600))
		return -1;
	actor_begin(actor, part_exec, PROGRAM, 0);
	fd = open(FIFO, O_WRONLY | O_CLOEXEC);
	unlink(FIFO);
	/* Its end of the socket closes with the exec. */
	if (actor_end(actor) != -EPIPE)
		return -1;
	return fd;
}

/* How it died; 0 if it lives after all. */
static int death_of(struct actor *actor)
{
	unsigned int left = gate_patience(30) * 20;
	int status;

	while (left--) {
		if (waitpid(actor->pid, &status, WNOHANG) == actor->pid)
			return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
		usleep(50000);
	}
	return 0;
}

static size_t count_ending(struct gate *gate, const struct volume *volume,
			   struct trustgate_grant *last)
{
	const struct trustgate_grant_filter filter = {
		.volume_id = volume->id,
		.ending = true,
	};
	struct trustgate_grant *grants = NULL;
	size_t count = 0, ended = 0;

	if (trustgate_grant_list(gate->conn, &filter, &grants, &count, NULL))
		return SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		if (grants[i].end == TRUSTGATE_END_NONE)
			continue;
		*last = grants[i];
		ended++;
	}
	free(grants);
	return ended;
}

TEST_F(onend, revoked)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	struct trustgate_grant listed = {};
	struct trustgate_event event;
	uint64_t id;

	id = MAP_BY(&request, MAPPER_SHARED_RW);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
	EXPECT_EQ(1, event.mappings);
	EXPECT_EQ(self->volume.id, event.volume_id);
	EXPECT_EQ(EFAULT, DO(mapper_touch, false));
	EXPECT_EQ(EFAULT, DO(mapper_touch, true));
	EXPECT_EQ(0, DO(mapper_reopen, 0));
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(TRUSTGATE_END_REVOKED, event.end);
	EXPECT_EQ(0, count_ending(&self->gate, &self->volume, &listed));
	/* It can be given back, and mapped anew. */
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	EXPECT_EQ(EFAULT, DO(mapper_touch, false));
	EXPECT_EQ(0, DO(mapper_unmap, 0));
	EXPECT_EQ(0, DO(mapper_map, MAPPER_SHARED_RW));
}

/* Seen if the host does not stand still for a second just then. */
TEST_F(onend, listed)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	struct trustgate_grant listed = {};
	unsigned int tries = 20;
	size_t count = 0;
	uint64_t id = 0;

	while (!count && tries--) {
		id = MAP_BY(&request, MAPPER_SHARED_RW);
		ASSERT_NE(0, id);
		ASSERT_EQ(0, gate_revoke(&self->gate, id));
		count = count_ending(&self->gate, &self->volume, &listed);
	}
	ASSERT_LE(1, count);
	EXPECT_EQ(id, listed.id);
	EXPECT_EQ(UNMAP, listed.on_end);
	EXPECT_EQ(TRUSTGATE_END_REVOKED, listed.end);
	EXPECT_LT(0, listed.ended_boottime_ns);
	EXPECT_EQ(self->actor.pid, listed.pid);
	/* It is no live grant. */
	EXPECT_EQ(-ENOENT, trustgate_grant_get(self->gate.conn, id, &listed));
	EVENTUALLY(!count_ending(&self->gate, &self->volume, &listed));
	EXPECT_EQ(EFAULT, DO(mapper_touch, false));
}

TEST_F(onend, expired)
{
	struct trustgate_grant_request request = REQUEST(R, UNMAP);
	struct trustgate_event event;

	request.expires_boottime_ns = gate_now_ns() +
				      gate_patience(2) * GATE_SECOND_NS;
	ASSERT_NE(0, MAP_BY(&request, MAPPER_PRIVATE_READ));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(EFAULT, DO(mapper_touch, false));
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(TRUSTGATE_END_EXPIRED, event.end);
}

/* What the process wrote there for itself goes with it. */
TEST_F(onend, private_copy)
{
	struct trustgate_grant_request request = REQUEST(R, UNMAP);
	struct trustgate_event event;
	uint64_t id;

	id = MAP_BY(&request, MAPPER_PRIVATE_COPY);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(EFAULT, DO(mapper_touch, false));
	EXPECT_EQ(0, DO(mapper_reopen, 0));
}

TEST_F(onend, killed)
{
	struct trustgate_grant_request request = REQUEST(R | W, KILL);
	struct trustgate_event event;
	uint64_t id;

	id = MAP_BY(&request, MAPPER_SHARED_RW);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EXPECT_EQ(SIGKILL, death_of(&self->actor));
	ASSERT_EQ(0, WAIT(KILLED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
	EXPECT_EQ(1, event.mappings);
	EXPECT_EQ(0, WAIT(GRANT_CLEARED, &event));
}

/* What cannot be closed takes its process with it. */
TEST_F(onend, registered)
{
	struct trustgate_grant_request request = REQUEST(R, UNMAP);
	struct trustgate_event event;
	uint64_t id;

	id = MAP_BY(&request, MAPPER_PRIVATE_COPY);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, DO(mapper_register, 0));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EXPECT_EQ(SIGKILL, death_of(&self->actor));
	ASSERT_EQ(0, WAIT(KILLED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
}

/* Who maps nothing any more is let alone. */
TEST_F(onend, not_killed)
{
	struct trustgate_grant_request request = REQUEST(R | W, KILL);
	struct trustgate_event event;
	uint64_t id;

	id = MAP_BY(&request, MAPPER_SHARED_RW);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, DO(mapper_unmap, 0));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(EACCES, DO(mapper_map, MAPPER_SHARED_RW));
}

/* A copy in a child that never had a grant. */
TEST_F(onend, forked)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	uint64_t id;

	id = MAP_BY(&request, MAPPER_SHARED_RW);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, DO(mapper_fork, false));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EVENTUALLY(*mapper_refused == 1);
	EXPECT_EQ(0, DO(mapper_child_lives, 0));
	EVENTUALLY(DO(mapper_touch, false) == EFAULT);
	DO(mapper_reap, 0);
}

TEST_F(onend, descendant)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	struct trustgate_event event;
	uint64_t id;

	request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, DO(mapper_fork, true));
	EVENTUALLY(*mapper_refused == -1);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	EVENTUALLY(*mapper_refused == 1);
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_NE(self->actor.pid, event.pid);
	DO(mapper_reap, 0);
}

/* While one grant covers it, a mapping stays. */
TEST_F(onend, another_grant)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	struct trustgate_event event;
	uint64_t first, second;

	first = gate_grant(&self->gate, &request);
	second = gate_grant(&self->gate, &request);
	ASSERT_NE(0, first);
	ASSERT_NE(0, second);
	ASSERT_EQ(0, DO(mapper_map, MAPPER_SHARED_RW));
	ASSERT_EQ(0, gate_revoke(&self->gate, first));
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(first, event.grant_id);
	EXPECT_EQ(0, DO(mapper_touch, true));
	ASSERT_EQ(0, gate_revoke(&self->gate, second));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(EFAULT, DO(mapper_touch, true));
}

/* What another process does by such a grant is no matter. */
TEST_F(onend, deny_io)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	struct trustgate_event event;
	struct actor other;
	uint64_t ids[2];

	ASSERT_EQ(0, actor_start(&other));
	ids[0] = gate_grant(&self->gate, &request);
	request.pid = other.pid;
	request.on_end = TRUSTGATE_ON_END_DENY_IO;
	ids[1] = gate_grant(&self->gate, &request);
	ASSERT_EQ(0, DO(mapper_map, MAPPER_SHARED_RW));
	ASSERT_EQ(0, actor_do(&other, mapper_map, "db/a", MAPPER_SHARED_RW));
	ASSERT_EQ(0, gate_revoke(&self->gate, ids[1]));
	ASSERT_EQ(0, gate_revoke(&self->gate, ids[0]));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(0, actor_do(&other, mapper_touch, NULL, true));
	actor_stop(&other);
}

TEST_F(onend, agent_lost)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);

	ASSERT_NE(0, MAP_BY(&request, MAPPER_SHARED_RW));
	/* As a closed socket; the actor has this one, too. */
	ASSERT_EQ(0, trustgate_agent_unbind(self->gate.conn));
	EVENTUALLY(DO(mapper_touch, true) == EFAULT);
}

/* Everybody may map it anew by then. */
TEST_F(onend, volume_removed)
{
	struct trustgate_grant_request request = REQUEST(R | W, UNMAP);
	struct trustgate_event event;
	struct actor other;
	uint64_t id;

	ASSERT_EQ(0, actor_start(&other));
	ASSERT_NE(0, MAP_BY(&request, MAPPER_SHARED_RW));
	/* One that has ended already is let go with the volume. */
	request.pid = other.pid;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(0, DO(mapper_touch, true));
	actor_stop(&other);
}

/* The text of a program that was executed by the grant. */
TEST_F(onend, program)
{
	struct trustgate_grant_request request = REQUEST(R | X, UNMAP);
	struct trustgate_event event;
	uint64_t id;
	int fd;

	request.path = PROGRAM;
	request.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	fd = execute(&self->actor);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(self->actor.pid, event.pid);
	/* It notices when it wakes up. */
	close(fd);
	EXPECT_EQ(SIGSEGV, death_of(&self->actor));
}

/* It ended with the exec that it was for; what it executed goes on. */
TEST_F(onend, program_of_former_grant)
{
	struct trustgate_grant_request request = REQUEST(R | X, KILL);
	struct trustgate_event event;
	int fd;

	request.path = PROGRAM;
	ASSERT_NE(0, gate_grant(&self->gate, &request));
	fd = execute(&self->actor);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, WAIT(GRANT_CLEARED, &event));
	EXPECT_EQ(TRUSTGATE_END_SUBJECT_EXEC, event.end);
	EXPECT_EQ(0, waitpid(self->actor.pid, NULL, WNOHANG));
	close(fd);
	EXPECT_EQ(-1, death_of(&self->actor));
}

/* What the volume demands is what a grant gets, or it says so itself, or more. */
TEST_F(onend, least)
{
	struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_LEAST_ON_END,
		.least_on_end = UNMAP,
	};
	struct trustgate_grant_request request = REQUEST(R | W,
							 TRUSTGATE_ON_END_DENY_IO);
	struct trustgate_grant_added added;
	struct trustgate_grant grant = {};
	struct trustgate_volume volume = {};
	struct trustgate_event event;
	uint64_t earlier, id;

	earlier = gate_grant(&self->gate, &request);
	ASSERT_NE(0, earlier);
	ASSERT_EQ(0, trustgate_volume_set(self->gate.conn, self->volume.id,
					  &settings));
	ASSERT_EQ(0, trustgate_volume_get(self->gate.conn, self->volume.id,
					  NULL, &volume));
	EXPECT_EQ(UNMAP, volume.least_on_end);
	/* It was given on other terms. */
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, earlier, &grant));
	EXPECT_EQ(TRUSTGATE_ON_END_DENY_IO, grant.on_end);
	ASSERT_EQ(0, gate_revoke(&self->gate, earlier));

	/* The library leaves out what is 0. */
	id = gate_grant(&self->gate, &request);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, trustgate_grant_get(self->gate.conn, id, &grant));
	EXPECT_EQ(UNMAP, grant.on_end);
	ASSERT_EQ(0, DO(mapper_map, MAPPER_SHARED_RW));
	ASSERT_EQ(0, gate_revoke(&self->gate, id));
	ASSERT_EQ(0, WAIT(UNMAPPED, &event));
	EXPECT_EQ(EFAULT, DO(mapper_touch, true));

	settings.least_on_end = KILL;
	ASSERT_EQ(0, trustgate_volume_set(self->gate.conn, self->volume.id,
					  &settings));
	request.on_end = UNMAP;
	EXPECT_EQ(-ERANGE, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
	EXPECT_NE(NULL, strstr(trustgate_error_text(self->gate.conn),
			       "least-on-end, which is kill"));
	request.on_end = KILL;
	EXPECT_NE(0, gate_grant(&self->gate, &request));
}

TEST_F(onend, unknown_kind)
{
	struct trustgate_grant_request request = REQUEST(R, TRUSTGATE_ON_END_KILL + 1);
	struct trustgate_grant_added added;

	EXPECT_EQ(-ERANGE, trustgate_grant_add(self->gate.conn, &request, 1,
					       &added));
}

TEST_HARNESS_MAIN
