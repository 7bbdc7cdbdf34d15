// SPDX-License-Identifier: GPL-2.0-only
/*
 * event_test - what agent and watchers are told.
 *
 * Owns: the fields of each type of event, their order, and that names in them
 * are what they are. What happens when events are lost is in overflow_test.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "audience.h"
#include "stage.h"

#define BIT(name)	(1U << TRUSTGATE_A_EVENT_##name)

/* What every event has, and what comes with each of its parts. */
#define ALWAYS		(BIT(SEQ) | BIT(TYPE) | BIT(TIME_BOOTTIME_NS) | \
			 BIT(DROPPED))
#define OF_VOLUME	(BIT(VOLUME_ID) | BIT(VOLUME_NAME))
#define OF_PROCESS	(BIT(PID) | BIT(TID) | BIT(UID) | BIT(LOGINUID) | \
			 BIT(COMM))
#define OF_OBJECT	(BIT(INO) | BIT(INODE_GENERATION))
#define OF_VERDICT	(BIT(HOOK) | BIT(ACCESS) | BIT(CAUSE))
#define OF_GRANT	(BIT(GRANT_ID) | BIT(TAG))

FIXTURE(event) {
	struct stage stage;
	struct raw_socket watcher;
	uint64_t began_ns;
};

FIXTURE_SETUP(event)
{
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, audience_join(&self->watcher, AUDIENCE_ROOM));
	audience_forget(&self->stage.agent);
	audience_forget(&self->watcher);
	self->began_ns = raw_now_ns();
}

FIXTURE_TEARDOWN_PARENT(event)
{
	gate_clean();
}

static uint32_t own_loginuid(void)
{
	char text[16] = "";
	int fd = open("/proc/self/loginuid", O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	close(fd);
	return (uint32_t)strtoul(text, NULL, 10);
}

static ino_t inode_of(const char *path)
{
	struct stat info;

	return stat(path, &info) ? 0 : info.st_ino;
}

/* What a process did, for comparison with what is told of it. */
struct deed {
	pid_t pid;
	pid_t tid;
	uint32_t loginuid;
	int result;
};

static void *open_in_thread(void *shared)
{
	struct deed *deed = shared;

	deed->tid = gettid();
	deed->result = open("db/a", O_RDONLY) < 0 ? errno : 0;
	return NULL;
}

TEST_F(event, denied)
{
	struct deed *deed = mmap(NULL, sizeof(*deed), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct raw_event event, watched;
	pid_t child;

	child = fork();
	if (!child) {
		pthread_t thread;
		int fd;

		/* Refused where a session has set it for good. */
		fd = open("/proc/self/loginuid", O_WRONLY);
		if (fd >= 0 && write(fd, "4711", 4) != 4)
			fprintf(stderr, "# loginuid stays as it is\n");
		deed->pid = getpid();
		deed->loginuid = own_loginuid();
		if (setgid(1001) || setuid(1000))
			_exit(1);
		if (!pthread_create(&thread, NULL, open_in_thread, deed))
			pthread_join(thread, NULL);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	ASSERT_EQ(EACCES, deed->result);

	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	EXPECT_EQ(ALWAYS | OF_VOLUME | OF_PROCESS | OF_OBJECT | OF_VERDICT |
		  BIT(PATH), event.has & ~BIT(PAD));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_DENIED, event.type);
	EXPECT_LE(self->began_ns, event.time_boottime_ns);
	EXPECT_GE(raw_now_ns(), event.time_boottime_ns);
	EXPECT_EQ(self->stage.volume.id, event.volume_id);
	EXPECT_STREQ(self->stage.volume.name, event.volume_name);
	EXPECT_STREQ("file_open", event.hook);
	EXPECT_EQ(TRUSTGATE_ACCESS_READ, event.access);
	EXPECT_EQ(TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	EXPECT_EQ(deed->pid, event.pid);
	EXPECT_EQ(deed->tid, event.tid);
	EXPECT_NE(event.pid, event.tid);
	EXPECT_EQ(1000, event.uid);
	EXPECT_EQ(deed->loginuid, event.loginuid);
	EXPECT_STREQ("event_test", event.comm);
	EXPECT_EQ(inode_of("db/a"), event.ino);
	EXPECT_STREQ("/db/a", event.path);

	/* The watchers are told the same. */
	ASSERT_EQ(0, raw_event_next(&self->watcher, &watched, AUDIENCE_MS));
	EXPECT_EQ(0, memcmp(&event, &watched, sizeof(event)));
	munmap(deed, sizeof(*deed));
}

TEST_F(event, denied_by_a_grant_that_falls_short)
{
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	struct raw_event event;
	uint64_t id;

	wish.tag = 99;
	id = raw_grant(&self->stage.agent, &wish);
	ASSERT_NE(0, id);
	EXPECT_EQ(-1, open("db/a", O_WRONLY));
	ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_CAUSE_WRONG_ACCESS, event.cause);
	EXPECT_EQ(TRUSTGATE_ACCESS_WRITE, event.access);
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(99, event.tag);
}

/* Only a volume that is set to record them; reads on the file are no uses. */
TEST_F(event, allowed)
{
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	struct raw_event event;
	struct volume quiet = self->stage.volume;
	struct volume second;
	char byte;
	uint64_t id;
	int fd;

	ASSERT_EQ(0, stage_volume(&self->stage, &second, 1,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD,
				  TRUSTGATE_RECORD_ALLOWED));
	wish.volume = quiet.id;
	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	wish.volume = second.id;
	wish.tag = 0x123456789abcdef0;
	id = raw_grant(&self->stage.agent, &wish);
	ASSERT_NE(0, id);
	audience_forget(&self->stage.agent);

	ASSERT_EQ(0, chdir(quiet.disk.path));
	fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, chdir(second.disk.path));
	fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, read(fd, &byte, 1));
	close(fd);

	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	EXPECT_EQ(ALWAYS | OF_VOLUME | OF_PROCESS | OF_OBJECT | OF_VERDICT |
		  OF_GRANT | BIT(PATH), event.has & ~BIT(PAD));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_ALLOWED, event.type);
	EXPECT_EQ(second.id, event.volume_id);
	EXPECT_EQ(TRUSTGATE_CAUSE_GRANTED, event.cause);
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(0x123456789abcdef0, event.tag);
	EXPECT_EQ(getpid(), event.pid);
	EXPECT_EQ(-ETIMEDOUT, raw_event_next(&self->stage.agent, &event, 500));
}

TEST_F(event, grant_added)
{
	struct raw_wish wish = stage_wish(&self->stage, "db",
					  TRUSTGATE_ACCESS_READ |
					  TRUSTGATE_ACCESS_NAMES);
	struct raw_event event;
	uint64_t before_ns;
	uint64_t id;

	wish.kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	wish.pid = getppid();
	wish.tag = 5;
	wish.for_ns = 100 * RAW_SECOND_NS;
	before_ns = raw_now_ns();
	id = raw_grant(&self->stage.agent, &wish);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	EXPECT_EQ(ALWAYS | OF_VOLUME | OF_PROCESS | OF_OBJECT | OF_GRANT |
		  BIT(ACCESS) | BIT(EXPIRES_BOOTTIME_NS), event.has & ~BIT(PAD));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_GRANT_ADDED, event.type);
	EXPECT_EQ(self->stage.volume.id, event.volume_id);
	EXPECT_EQ(id, event.grant_id);
	EXPECT_EQ(5, event.tag);
	EXPECT_EQ(getppid(), event.pid);
	EXPECT_EQ(inode_of("db"), event.ino);
	EXPECT_EQ(wish.access, event.access);
	EXPECT_LE(before_ns + wish.for_ns, event.expires_boottime_ns);
	EXPECT_GE(raw_now_ns() + wish.for_ns, event.expires_boottime_ns);
}

/*
 * Takes the next end of a grant on the volume, which must be that of one grant.
 * What has become of others may not have been told to the agent that was before.
 */
#define EXPECT_END(id_, end_)						\
	do {								\
		struct raw_event ev_;					\
									\
		do {							\
			ASSERT_EQ(0,					\
				  raw_event_find(&self->stage.agent, &ev_, \
						 TRUSTGATE_EVENT_TYPE_GRANT_ENDED, \
						 AUDIENCE_MS));		\
		} while (ev_.volume_id != self->stage.volume.id);	\
		EXPECT_EQ((id_), ev_.grant_id);				\
		EXPECT_EQ((end_), ev_.end);				\
		EXPECT_EQ(77, ev_.tag);					\
		EXPECT_NE(0, ev_.has & BIT(EXPIRES_BOOTTIME_NS));	\
	} while (0)

/* A child that execs when its pipe is closed. */
static pid_t child_to_exec(int *go)
{
	int ends[2];
	char byte;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		close(ends[1]);
		if (!read(ends[0], &byte, 1))
			execlp("sleep", "sleep", "60", NULL);
		_exit(1);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

TEST_F_TIMEOUT(event, grant_ended, 60)
{
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	uint64_t id, kept;
	pid_t child;
	int go;

	wish.tag = 77;
	id = raw_grant(&self->stage.agent, &wish);
	ASSERT_EQ(0, raw_revoke(&self->stage.agent, id));
	EXPECT_END(id, TRUSTGATE_END_REVOKED);

	wish.for_ns = RAW_SECOND_NS / 5;
	id = raw_grant(&self->stage.agent, &wish);
	EXPECT_END(id, TRUSTGATE_END_EXPIRED);

	wish.for_ns = 0;
	child = child_to_exec(&go);
	ASSERT_LT(0, child);
	wish.pid = child;
	id = raw_grant(&self->stage.agent, &wish);
	wish.flags = TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
	kept = raw_grant(&self->stage.agent, &wish);
	ASSERT_NE(0, id);
	ASSERT_NE(0, kept);
	close(go);
	EXPECT_END(id, TRUSTGATE_END_SUBJECT_EXEC);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	EXPECT_END(kept, TRUSTGATE_END_SUBJECT_EXIT);

	wish.flags = 0;
	wish.pid = getpid();
	id = raw_grant(&self->stage.agent, &wish);
	ASSERT_NE(0, id);
	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	EXPECT_END(id, TRUSTGATE_END_VOLUME_REMOVED);
}

TEST_F(event, life_of_a_volume)
{
	struct raw_socket *agent = &self->stage.agent;
	struct raw_event event;
	struct volume second;

	ASSERT_EQ(0, stage_volume(&self->stage, &second, 1,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	ASSERT_EQ(0, raw_event_next(agent, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_VOLUME_ADDED, event.type);
	EXPECT_EQ(ALWAYS | OF_VOLUME, event.has & ~BIT(PAD));
	EXPECT_EQ(second.id, event.volume_id);
	EXPECT_STREQ(second.name, event.volume_name);

	raw_begin(self->stage.message, agent, TRUSTGATE_CMD_VOLUME_SET);
	raw_put_u32(self->stage.message, TRUSTGATE_A_VOLUME_ID, second.id);
	raw_put_u32(self->stage.message, TRUSTGATE_A_VOLUME_RECORD, 1);
	ASSERT_EQ(0, raw_do(agent, self->stage.message));
	ASSERT_EQ(0, raw_event_next(agent, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_VOLUME_CHANGED, event.type);
	EXPECT_EQ(second.id, event.volume_id);

	ASSERT_EQ(0, raw_volume_del(agent, second.id));
	ASSERT_EQ(0, raw_event_next(agent, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_VOLUME_REMOVED, event.type);
	EXPECT_EQ(second.id, event.volume_id);
	EXPECT_STREQ(second.name, event.volume_name);
}

TEST_F(event, agent_bound_and_lost)
{
	struct raw_event event;

	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_AGENT_UNBIND);
	ASSERT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
	ASSERT_EQ(0, raw_event_next(&self->watcher, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_LOST, event.type);
	EXPECT_EQ(ALWAYS, event.has & ~BIT(PAD));
	/* Nothing is sent to who gave up being the agent. */
	EXPECT_EQ(-ETIMEDOUT, raw_event_next(&self->stage.agent, &event, 500));

	ASSERT_EQ(0, raw_bind(&self->stage.agent, (const char *)gate_secret));
	ASSERT_EQ(0, raw_event_next(&self->watcher, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_BOUND, event.type);
	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_LOST, event.type);
	ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event, AUDIENCE_MS));
	EXPECT_EQ(TRUSTGATE_EVENT_TYPE_AGENT_BOUND, event.type);
}

TEST_F_TIMEOUT(event, sequence_without_gap, 60)
{
	enum { PROCESSES = 4, OPENS = 100 };
	struct raw_wish wish = stage_wish(&self->stage, "db/b",
					  TRUSTGATE_ACCESS_READ);
	struct raw_event event, watched;
	struct raw_gate before, after;
	uint64_t seq, time_ns = 0;
	unsigned int i;

	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	for (i = 0; i < PROCESSES; i++) {
		if (fork())
			continue;
		for (unsigned int j = 0; j < OPENS; j++)
			open("db/a", O_RDONLY);
		_exit(0);
	}
	for (i = 0; i < 50; i++) {
		uint64_t id = raw_grant(&self->stage.agent, &wish);

		ASSERT_NE(0, id);
		ASSERT_EQ(0, raw_revoke(&self->stage.agent, id));
	}
	while (wait(NULL) > 0)
		;
	seq = before.event_seq;
	for (i = 0; i < PROCESSES * OPENS + 100; i++) {
		ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event,
					    AUDIENCE_MS));
		ASSERT_EQ(0, raw_event_next(&self->watcher, &watched,
					    AUDIENCE_MS));
		ASSERT_EQ(++seq, event.seq);
		ASSERT_EQ(seq, watched.seq);
		ASSERT_EQ(event.type, watched.type);
		time_ns = event.time_boottime_ns;
	}
	EXPECT_GE(raw_now_ns(), time_ns);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(seq, after.event_seq);
	EXPECT_EQ(before.events_dropped, after.events_dropped);
	EXPECT_EQ(before.events_agent_missed, after.events_agent_missed);
}

TEST_F(event, hostile_names)
{
	static const char *const names[] = {
		"new\nline", "quote\"", "back\\slash", "tab\tand space",
		"\001\033[31m\177", "\377\376not utf-8", "%s%n%x", " ",
		"'; rm -rf x", "a=b,c=d", "...",
	};
	struct raw_event event;
	char expected[128];

	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_EQ(0, disk_file(names[i], "x", 0644));
	ASSERT_LT(0, raw_volume_add(&self->stage.agent, "selftest-0",
				    self->stage.volume.disk.path,
				    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		prctl(PR_SET_NAME, names[i]);
		EXPECT_EQ(-1, open(names[i], O_RDONLY));
		ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
					    TRUSTGATE_EVENT_TYPE_DENIED,
					    AUDIENCE_MS));
		snprintf(expected, sizeof(expected), "/%s", names[i]);
		EXPECT_STREQ(expected, event.path);
		snprintf(expected, 16, "%s", names[i]);
		EXPECT_STREQ(expected, event.comm);
		EXPECT_EQ(inode_of(names[i]), event.ino);
	}
}

/* Paths that fit, one that is a byte too long, and longer ones. */
TEST_F(event, path_is_cut_at_its_beginning)
{
	char path[1024] = "", component[64];
	struct raw_event event;

	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	/* Each step is 48 bytes with its slash: 192 is one too many. */
	for (unsigned int i = 0; i < 8; i++) {
		snprintf(component, sizeof(component), "%s%u%046u",
			 i ? "/" : "", i, 0);
		strcat(path, component);
		ASSERT_EQ(0, mkdir(path, 0700));
	}
	ASSERT_LT(0, raw_volume_add(&self->stage.agent, "selftest-0",
				    self->stage.volume.disk.path,
				    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	for (unsigned int i = 1; i <= 8; i++) {
		char expected[1024];
		size_t whole = i * 48;

		path[whole - 1] = '\0';
		EXPECT_EQ(-1, open(path, O_RDONLY | O_DIRECTORY));
		ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
					    TRUSTGATE_EVENT_TYPE_DENIED,
					    AUDIENCE_MS));
		snprintf(expected, sizeof(expected), "/%s", path);
		if (i < 8)
			path[whole - 1] = '/';
		if (whole <= TRUSTGATE_EVENT_PATH_MAX) {
			EXPECT_STREQ(expected, event.path);
			EXPECT_EQ(0, event.has & BIT(PATH_CUT));
		} else {
			EXPECT_STREQ(expected + whole -
				     TRUSTGATE_EVENT_PATH_MAX, event.path);
			EXPECT_NE(0, event.has & BIT(PATH_CUT));
		}
	}
}

/* Root of the volume; a name that is not there any more. */
TEST_F(event, paths_at_the_edge)
{
	struct raw_wish wish = stage_wish(&self->stage, ".",
					  TRUSTGATE_ACCESS_READ |
					  TRUSTGATE_ACCESS_NAMES);
	struct raw_event event;
	char byte;
	int fd;

	EXPECT_EQ(-1, open(".", O_RDONLY));
	ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED, AUDIENCE_MS));
	EXPECT_STREQ("/", event.path);

	wish.kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink("db/a"));
	ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
	audience_forget(&self->stage.agent);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED, AUDIENCE_MS));
	EXPECT_STREQ("file_permission", event.hook);
	EXPECT_NE(0, event.ino);
}

TEST_HARNESS_MAIN
