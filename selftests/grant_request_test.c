// SPDX-License-Identifier: GPL-2.0-only
/*
 * grant_request_test - what the agent may not ask for in a grant.
 *
 * Owns: for each way in which such a request can be wrong, the errno, the
 * message and the attribute at fault, and that nothing changed.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

#include "refusal.h"

FIXTURE(request) {
	struct stage stage;
};

/* A child that has exited and is not waited for: its pid is still taken. */
static pid_t zombie(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (!pid)
		_exit(0);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	return pid;
}

static pid_t dead(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

FIXTURE_SETUP(request)
{
	STAGE_OPEN(&self->stage);
}

FIXTURE_TEARDOWN_PARENT(request)
{
	gate_clean();
}

#define G(name)	TRUSTGATE_A_GRANT_##name

static const struct refusal grant_refusals[] = {
	{ "no volume", { { G(VOLUME_ID), LEAVE } }, -EINVAL,
	  "attribute 'volume-id' is missing", REFUSAL_NONE, G(VOLUME_ID) },
	{ "volume 0", { { G(VOLUME_ID), U32, 0 } }, -ERANGE, REFUSAL_RANGE,
	  G(VOLUME_ID) },
	{ "unknown volume", { { G(VOLUME_ID), U32, 4000000000 } }, -ENOENT,
	  "no volume has this id", G(VOLUME_ID) },
	{ "volume of one byte", { { G(VOLUME_ID), U8, 1 } }, -EINVAL, REFUSAL_LENGTH,
	  G(VOLUME_ID) },
	{ "volume of 8 bytes", { { G(VOLUME_ID), U64, 1 } }, -EINVAL, REFUSAL_LENGTH,
	  G(VOLUME_ID) },
	{ "volume twice", { { G(VOLUME_ID), TWICE } }, -EINVAL, REFUSAL_TWICE,
	  G(VOLUME_ID) },

	{ "no pid", { { G(PID), LEAVE } }, -EINVAL,
	  "attribute 'pid' is missing", REFUSAL_NONE, G(PID) },
	{ "pid 0", { { G(PID), U32, 0 } }, -ESRCH, "no such process", G(PID) },
	{ "pid -1", { { G(PID), U32, (uint32_t)-1 } }, -ERANGE, REFUSAL_RANGE, G(PID) },
	{ "largest pid", { { G(PID), U32, INT32_MAX } }, -ESRCH,
	  "no such process", G(PID) },
	{ "kernel thread", { { G(PID), U32, 2 } }, -EINVAL,
	  "a kernel thread cannot hold grants", G(PID) },
	{ "descendants of init",
	  { { G(PID), U32, 1 },
	    { G(FLAGS), U32, TRUSTGATE_GRANT_FLAGS_DESCENDANTS } }, -EINVAL,
	  "the descendants of an init process include strangers", G(PID) },
	{ "pid twice", { { G(PID), TWICE } }, -EINVAL, REFUSAL_TWICE, G(PID) },
	{ "unknown end", { { G(ON_END), U32, 3 } }, -ERANGE, REFUSAL_RANGE,
	  G(ON_END) },
	{ "end of 8 bytes", { { G(ON_END), U64, 1 } }, -EINVAL, REFUSAL_LENGTH,
	  G(ON_END) },
	{ "wrong start", { { G(START_TICKS), U64, 1 } }, -ESRCH,
	  "the pid was reused", G(START_TICKS) },
	{ "start of 4 bytes", { { G(START_TICKS), U32, 1 } }, -EINVAL, REFUSAL_LENGTH,
	  G(START_TICKS) },

	{ "unknown flag",
	  { { G(FLAGS), U32, TRUSTGATE_GRANT_FLAGS_SUPERVISED << 1 } }, -EINVAL,
	  REFUSAL_BITS, G(FLAGS) },
	{ "two flags that exclude each other",
	  { { G(FLAGS), U32, TRUSTGATE_GRANT_FLAGS_KEEP_EXEC |
			     TRUSTGATE_GRANT_FLAGS_NEXT_EXEC } }, -EINVAL,
	  "give either keep-exec or next-exec, not both", G(FLAGS) },
	{ "all flags", { { G(FLAGS), U32, UINT32_MAX } }, -EINVAL,
	  REFUSAL_BITS, G(FLAGS) },

	{ "no kind", { { G(OBJECT_KIND), LEAVE } }, -EINVAL,
	  "attribute 'object-kind' is missing", REFUSAL_NONE, G(OBJECT_KIND) },
	{ "unknown kind", { { G(OBJECT_KIND), U32, 2 } }, -ERANGE, REFUSAL_RANGE,
	  G(OBJECT_KIND) },

	{ "no object", { { G(PATH), LEAVE } }, -EINVAL,
	  "attribute 'path' is missing", REFUSAL_NONE, G(PATH) },
	{ "path and descriptor", { { G(FD), U32, 0 } }, -EINVAL,
	  "give either path or fd, not both", G(FD) },
	{ "empty path", { { G(PATH), TEXT, 0, "" } }, -EINVAL, "an empty path",
	  G(PATH) },
	{ "path without a NUL", { { G(PATH), BYTES, 4 } }, -EINVAL, REFUSAL_POLICY,
	  G(PATH) },
	{ "path too long", { { G(PATH), LONG, TRUSTGATE_PATH_MAX + 1 } },
	  -EINVAL, REFUSAL_POLICY, G(PATH) },
	{ "name too long", { { G(PATH), LONG, 256 } }, -ENAMETOOLONG,
	  "the path cannot be looked up", G(PATH) },
	{ "absent file", { { G(PATH), TEXT, 0, "db/none" } }, -ENOENT,
	  "no such file on the volume", G(PATH) },
	{ "absent directory", { { G(PATH), TEXT, 0, "none/a" } }, -ENOENT,
	  "no such directory on the volume", G(PATH) },
	{ "path through a file", { { G(PATH), TEXT, 0, "db/a/b" } }, -ENOTDIR,
	  "the path leads through a file", G(PATH) },
	{ "..", { { G(PATH), TEXT, 0, ".." } }, -EINVAL, "'..' is refused",
	  G(PATH) },
	{ ".. within the volume", { { G(PATH), TEXT, 0, "db/../db/a" } },
	  -EINVAL, "'..' is refused", G(PATH) },
	{ "path off the volume",
	  { { G(PATH), TEXT, 0, "../../../etc/passwd" } }, -EINVAL,
	  "'..' is refused", G(PATH) },
	{ "absolute path off the volume",
	  { { G(PATH), TEXT, 0, "/etc/passwd" } }, -ENOENT,
	  "no such directory on the volume", G(PATH) },
	{ "symbolic link", { { G(PATH), TEXT, 0, "link" } }, -ELOOP,
	  "a symbolic link", G(PATH) },
	{ "symbolic link out of the volume", { { G(PATH), TEXT, 0, "out" } },
	  -ELOOP, "a symbolic link", G(PATH) },
	{ "through a symbolic link", { { G(PATH), TEXT, 0, "out/passwd" } },
	  -ELOOP, "the path leads through a symbolic link", G(PATH) },
	{ "subtree of a file",
	  { { G(OBJECT_KIND), U32, TRUSTGATE_OBJECT_KIND_SUBTREE } }, -ENOTDIR,
	  "a subtree begins with a directory", G(PATH) },
	{ "descriptor not open",
	  { { G(PATH), LEAVE }, { G(FD), U32, 1000000 } }, -EBADF,
	  "not an open file", G(FD) },
	{ "negative descriptor",
	  { { G(PATH), LEAVE }, { G(FD), U32, (uint32_t)-100 } }, -ERANGE,
	  REFUSAL_RANGE, G(FD) },

	{ "no access", { { G(ACCESS), LEAVE } }, -EINVAL,
	  "attribute 'access' is missing", REFUSAL_NONE, G(ACCESS) },
	{ "empty access", { { G(ACCESS), U32, 0 } }, -EINVAL,
	  "a grant without any access", G(ACCESS) },
	{ "unknown access", { { G(ACCESS), U32, 0x21 } }, -EINVAL,
	  REFUSAL_BITS, G(ACCESS) },

	{ "no expiry", { { G(EXPIRES_BOOTTIME_NS), LEAVE } }, -EINVAL,
	  "attribute 'expires-boottime-ns' is missing", REFUSAL_NONE,
	  G(EXPIRES_BOOTTIME_NS) },
	{ "never expires", { { G(EXPIRES_BOOTTIME_NS), U64, 0 } }, -EINVAL,
	  "a grant must expire", G(EXPIRES_BOOTTIME_NS) },
	{ "expired at boot", { { G(EXPIRES_BOOTTIME_NS), U64, 1 } }, -EINVAL,
	  "the expiry is in the past", G(EXPIRES_BOOTTIME_NS) },
	{ "expires now", { { G(EXPIRES_BOOTTIME_NS), SOON, 0 } }, -EINVAL,
	  "the expiry is in the past", G(EXPIRES_BOOTTIME_NS) },
	{ "expires a second ago",
	  { { G(EXPIRES_BOOTTIME_NS), SOON, -RAW_SECOND_NS } }, -EINVAL,
	  "the expiry is in the past", G(EXPIRES_BOOTTIME_NS) },
	{ "expires after the maximum",
	  { { G(EXPIRES_BOOTTIME_NS), SOON, 481 * MINUTE_NS } }, -ERANGE,
	  "longer than the volume's maximum of 28800 s",
	  G(EXPIRES_BOOTTIME_NS) },
	{ "expires in 292 years",
	  { { G(EXPIRES_BOOTTIME_NS), U64, INT64_MAX } }, -ERANGE,
	  "longer than the volume's maximum", G(EXPIRES_BOOTTIME_NS) },
	{ "expires beyond the clock",
	  { { G(EXPIRES_BOOTTIME_NS), U64, INT64_MAX + 1ULL } }, -ERANGE,
	  "beyond what the clock can show", G(EXPIRES_BOOTTIME_NS) },
	{ "expires at the largest number",
	  { { G(EXPIRES_BOOTTIME_NS), U64, UINT64_MAX } }, -ERANGE,
	  "beyond what the clock can show", G(EXPIRES_BOOTTIME_NS) },
	{ "expiry of 4 bytes",
	  { { G(EXPIRES_BOOTTIME_NS), U32, UINT32_MAX } }, -EINVAL, REFUSAL_LENGTH,
	  G(EXPIRES_BOOTTIME_NS) },
	{ "begins at its expiry",
	  { { G(NOT_BEFORE_BOOTTIME_NS), SOON, 2 * MINUTE_NS },
	    { G(EXPIRES_BOOTTIME_NS), SOON, MINUTE_NS } }, -EINVAL,
	  "the grant begins when it has expired", G(NOT_BEFORE_BOOTTIME_NS) },
	{ "begins at the largest number",
	  { { G(NOT_BEFORE_BOOTTIME_NS), U64, UINT64_MAX } }, -EINVAL,
	  "the grant begins when it has expired", G(NOT_BEFORE_BOOTTIME_NS) },
	{ "begins long ago and lasts too long",
	  { { G(NOT_BEFORE_BOOTTIME_NS), U64, 1 },
	    { G(EXPIRES_BOOTTIME_NS), SOON, 481 * MINUTE_NS } }, -ERANGE,
	  "longer than the volume's maximum", G(EXPIRES_BOOTTIME_NS) },

	{ "uses overflow", { { G(MAX_USES), U32, INT32_MAX + 1ULL } }, -ERANGE,
	  "more uses than can be counted", G(MAX_USES) },
	{ "largest number of uses", { { G(MAX_USES), U32, UINT32_MAX } },
	  -ERANGE, "more uses than can be counted", G(MAX_USES) },

	{ "no reason", { { G(REASON), LEAVE } }, -EINVAL,
	  "attribute 'reason' is missing", REFUSAL_NONE, G(REASON) },
	{ "reason unspecified", { { G(REASON), U32, 0 } }, -EINVAL,
	  "a reason must be stated", G(REASON) },
	{ "unknown reason", { { G(REASON), U32, 9 } }, -ERANGE, REFUSAL_RANGE,
	  G(REASON) },

	{ "ticket too long", { { G(TICKET), LONG, TRUSTGATE_TICKET_MAX + 1 } },
	  -EINVAL, REFUSAL_POLICY, G(TICKET) },
	{ "ticket without a NUL", { { G(TICKET), BYTES, 8 } }, -EINVAL, REFUSAL_POLICY,
	  G(TICKET) },
	{ "tag of 4 bytes", { { G(TAG), U32, 1 } }, -EINVAL, REFUSAL_LENGTH, G(TAG) },

	{ "attribute of replies", { { G(ID), U64, 1 } }, -EINVAL,
	  REFUSAL_UNUSED, G(ID) },
	{ "another attribute of replies", { { G(EXEC_ID), U64, 1 } }, -EINVAL,
	  REFUSAL_UNUSED, G(EXEC_ID) },
	{ "padding", { { G(PAD), U32, 1 } }, -EINVAL, REFUSAL_UNUSED, G(PAD) },
	{ "unknown attribute", { { 200, U32, 1 } }, -EINVAL, REFUSAL_UNKNOWN, 200 },
	{ "attribute 0 with a value", { { 0x8000, U32, 1 } }, -EINVAL, "", 0 },
};

static void put_grant(struct raw_message *message, const struct stage *stage,
		      const struct change *changes)
{
	const struct change base[] = {
		{ G(VOLUME_ID), U32, stage->volume.id },
		{ G(PID), U32, (uint64_t)getpid() },
		{ G(OBJECT_KIND), U32, TRUSTGATE_OBJECT_KIND_FILE },
		{ G(PATH), TEXT, 0, "db/a" },
		{ G(ACCESS), U32, TRUSTGATE_ACCESS_READ },
		{ G(EXPIRES_BOOTTIME_NS), SOON, MINUTE_NS },
		{ G(REASON), U32, TRUSTGATE_REASON_INCIDENT },
	};
	size_t nest = raw_nest(message, TRUSTGATE_A_BATCH_GRANT);

	refusal_put(message, base, ARRAY_SIZE(base), changes);
	raw_nest_end(message, nest);
}

/* The symbolic links of the table, made while the volume is not protected. */
static int make_links(struct stage *stage)
{
	int id;

	if (raw_volume_del(&stage->agent, stage->volume.id) ||
	    symlink("db/a", "link") || symlink("/etc", "out"))
		return -1;
	id = raw_volume_add(&stage->agent, stage->volume.name,
			    stage->volume.disk.path,
			    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0);
	if (id < 0)
		return id;
	stage->volume.id = (uint32_t)id;
	return 0;
}

TEST_F(request, grant_refusals)
{
	const struct change none[2] = {};

	ASSERT_EQ(0, make_links(&self->stage));
	for (unsigned int i = 0; i < ARRAY_SIZE(grant_refusals); i++) {
		raw_begin(self->stage.message, &self->stage.agent,
			  TRUSTGATE_CMD_GRANT_ADD);
		put_grant(self->stage.message, &self->stage,
			  grant_refusals[i].changes);
		EXPECT_EQ(0, refusal_wrong(&self->stage, &grant_refusals[i]));
	}
	/* And what they all differ from is right. */
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, none);
	EXPECT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
}

static void *linger(void *tid)
{
	*(_Atomic pid_t *)tid = gettid();
	pause();
	return NULL;
}

/* Numbers of processes that only show while the test runs. */
TEST_F(request, processes_that_cannot_hold_grants)
{
	struct refusal refusal = {
		.changes = { { G(PID), U32 } },
		.error = -ESRCH,
		.bad = G(PID),
	};
	_Atomic pid_t tid = 0;
	pthread_t thread;

	refusal.what = "dead process";
	refusal.text = "no such process";
	refusal.changes[0].value = (uint64_t)dead();
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, refusal.changes);
	EXPECT_EQ(0, refusal_wrong(&self->stage, &refusal));

	refusal.what = "zombie";
	refusal.text = "the process is exiting";
	refusal.changes[0].value = (uint64_t)zombie();
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, refusal.changes);
	EXPECT_EQ(0, refusal_wrong(&self->stage, &refusal));

	ASSERT_EQ(0, pthread_create(&thread, NULL, linger, &tid));
	while (!tid)
		sched_yield();
	refusal.what = "thread";
	refusal.text = "it is a thread and not a process";
	refusal.changes[0].value = (uint64_t)tid;
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, refusal.changes);
	EXPECT_EQ(0, refusal_wrong(&self->stage, &refusal));
}

static uint64_t start_ticks(pid_t pid)
{
	unsigned long long ticks = 0;
	char path[64], line[1024] = "";
	char *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return 0;
	close(fd);
	at = strrchr(line, ')');
	if (at)
		sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		       &ticks);
	return ticks;
}

/* A process with a chosen pid, which opens a file when told to. */
static pid_t fork_as(pid_t pid, int go, int result)
{
	pid_t set_tid[] = { pid };
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = pid ? (uintptr_t)set_tid : 0,
		.set_tid_size = pid ? 1 : 0,
	};
	char byte;
	long child;

	child = syscall(SYS_clone3, &args, sizeof(args));
	if (child)
		return (pid_t)child;
	while (read(go, &byte, 1) == 1) {
		int fd = open("db/a", O_RDONLY);
		int err = fd < 0 ? errno : 0;

		if (fd >= 0)
			close(fd);
		if (write(result, &err, sizeof(err)) != sizeof(err))
			break;
	}
	_exit(0);
}

static int try_open(int go, int result)
{
	int err = -1;

	if (write(go, "g", 1) != 1 || read(result, &err, sizeof(err)) !=
				      sizeof(err))
		return -1;
	return err;
}

TEST_F(request, reused_pid)
{
	struct refusal refusal = {
		.what = "start of the process before",
		.changes = { { G(PID), U32 }, { G(START_TICKS), U64 } },
		.error = -ESRCH,
		.text = "the pid was reused",
		.bad = G(START_TICKS),
	};
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	int go[2], result[2];
	pid_t first, second;

	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pipe(result));
	first = fork_as(0, go[0], result[1]);
	ASSERT_LT(0, first);
	refusal.changes[0].value = (uint64_t)first;
	refusal.changes[1].value = start_ticks(first);
	ASSERT_NE(0, refusal.changes[1].value);

	/* Its own start is accepted. */
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, refusal.changes);
	ASSERT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
	wish.pid = first;
	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	EXPECT_EQ(0, try_open(go[1], result[0]));

	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	/* Ticks are of 10 ms. */
	usleep(50 * 1000);
	second = fork_as(first, go[0], result[1]);
	ASSERT_EQ(first, second);
	/* Long enough for the sweep, but right at once, too. */
	EXPECT_EQ(EACCES, try_open(go[1], result[0]));
	sleep(3);
	EXPECT_EQ(EACCES, try_open(go[1], result[0]));

	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, refusal.changes);
	EXPECT_EQ(0, refusal_wrong(&self->stage, &refusal));
	kill(second, SIGKILL);
}

/* Objects that only a descriptor can name. */
TEST_F(request, descriptors_off_the_volume)
{
	const struct refusal outside = {
		.what = "descriptor off the volume",
		.changes = { { G(PATH), LEAVE },
			     { G(FD), U32, (uint64_t)open("/tmp", O_PATH) } },
		.error = -EXDEV,
		.text = "not on this volume",
		.bad = G(FD),
	};
	struct refusal link = {
		.what = "descriptor of a symbolic link",
		.changes = { { G(PATH), LEAVE }, { G(FD), U32 } },
		.error = -ELOOP,
		.text = "a symbolic link",
		.bad = G(FD),
	};
	const struct change inside[2] = {
		{ G(PATH), LEAVE },
		{ G(FD), U32, (uint64_t)open("db/a", O_PATH) },
	};

	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, outside.changes);
	EXPECT_EQ(0, refusal_wrong(&self->stage, &outside));

	ASSERT_EQ(0, make_links(&self->stage));
	link.changes[1].value = (uint64_t)open("link", O_PATH | O_NOFOLLOW);
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, link.changes);
	EXPECT_EQ(0, refusal_wrong(&self->stage, &link));

	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, inside);
	EXPECT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
}

/* The longest of everything is not too long, and comes back as it was. */
TEST_F(request, limits_are_within)
{
	char ticket[TRUSTGATE_TICKET_MAX + 1];
	const struct change changes[2] = {
		{ G(MAX_USES), U32, INT32_MAX },
		{ G(TICKET), LONG, TRUSTGATE_TICKET_MAX },
	};
	const struct change longest[2] = {
		{ G(EXPIRES_BOOTTIME_NS), SOON, 479 * MINUTE_NS },
		{ G(NOT_BEFORE_BOOTTIME_NS), U64, 1 },
	};
	const struct change later[2] = {
		{ G(NOT_BEFORE_BOOTTIME_NS), SOON, 10000 * MINUTE_NS },
		{ G(EXPIRES_BOOTTIME_NS), SOON, 10480 * MINUTE_NS },
	};
	const struct nlattr *added;
	struct raw_grant grant;

	memset(ticket, 'x', sizeof(ticket));
	ticket[TRUSTGATE_TICKET_MAX] = '\0';
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, changes);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message,
			     self->stage.answer));
	ASSERT_EQ(0, self->stage.answer->error);
	added = raw_find(self->stage.answer->reply, self->stage.answer->length,
			 TRUSTGATE_A_BATCH_ADDED);
	ASSERT_NE(NULL, added);
	raw_grant_parse(added + 1, added->nla_len - NLA_HDRLEN, &grant);
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_GET);
	raw_put_u64(self->stage.message, G(ID), grant.id);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message,
			     self->stage.answer));
	raw_grant_parse(self->stage.answer->reply, self->stage.answer->length,
			&grant);
	EXPECT_STREQ(ticket, grant.ticket);
	EXPECT_EQ(INT32_MAX, grant.max_uses);
	EXPECT_EQ(start_ticks(getpid()), grant.start_ticks);
	EXPECT_EQ(getpid(), grant.pid);

	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, longest);
	EXPECT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	put_grant(self->stage.message, &self->stage, later);
	EXPECT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
}

TEST_HARNESS_MAIN
