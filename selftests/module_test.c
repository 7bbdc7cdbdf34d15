// SPDX-License-Identifier: GPL-2.0-only
/*
 * module_test - loading, unloading, and not being unloaded.
 *
 * Owns: the order of the two modules, what refuses to be taken away while a
 * volume is protected, that nothing is left behind, parameters that are wrong
 * or small, and what the modules need of the kernel. A kernel without bpf in
 * lsm= is in no_bpf_test; what root can do by bpf(2) is in foreign_bpf_test.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>

#include "kselftest_harness.h"

#include "module.h"
#include "stage.h"

#define FTRACE		"/proc/sys/kernel/ftrace_enabled"
#define CYCLES		2

FIXTURE(module) {
	struct stage stage;
};

FIXTURE_SETUP(module)
{
	if (geteuid())
		SKIP(return, "the tests must be run as root");
	/* The hooks may be gone after a test that failed. */
	if (!module_loaded("trustgate"))
		module_run("rmmod trustgate_core");
	ASSERT_EQ(0, module_unload());
	module_log_mark();
}

FIXTURE_TEARDOWN_PARENT(module)
{
	module_run("echo 1 >" FTRACE);
	stage_unbind();
	if (module_unload())
		fprintf(stderr, "# a module is left\n");
}

/* The engine comes first and goes last; alone it protects nothing. */
TEST_F_TIMEOUT(module, order, 200)
{
	struct raw_answer *answer;
	struct raw_socket agent;
	struct raw_gate gate;
	struct disk disk;
	int id;

	/* The carrier by itself has nothing to call. */
	EXPECT_NE(0, module_run("insmod $(modinfo -n trustgate)"));
	EXPECT_FALSE(module_loaded("trustgate"));

	answer = malloc(sizeof(*answer));
	self->stage.message = malloc(sizeof(*self->stage.message));
	ASSERT_EQ(0, module_run("modprobe trustgate_core"));
	ASSERT_EQ(0, raw_open(&agent));
	ASSERT_EQ(0, raw_bind(&agent, (const char *)gate_secret));
	ASSERT_EQ(0, disk_make(&disk, 0, "tmpfs"));
	raw_begin(self->stage.message, &agent, TRUSTGATE_CMD_VOLUME_ADD);
	raw_put_string(self->stage.message, TRUSTGATE_A_VOLUME_NAME,
		       "selftest-0");
	raw_put_string(self->stage.message, TRUSTGATE_A_VOLUME_PATH, disk.path);
	ASSERT_EQ(0, raw_ask(&agent, self->stage.message, answer));
	EXPECT_EQ(-ENOTCONN, answer->error);
	EXPECT_STREQ("no hooks are loaded: modprobe trustgate", answer->text);
	ASSERT_EQ(0, raw_gate(&agent, &gate));
	EXPECT_EQ(0, gate.volumes);

	/* The hooks come, and it can. */
	ASSERT_EQ(0, module_run("modprobe trustgate"));
	EXPECT_NE(0, module_run("rmmod trustgate_core"));
	EXPECT_TRUE(module_loaded("trustgate_core"));
	id = raw_volume_add(&agent, "selftest-0", disk.path,
			    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0);
	EXPECT_LT(0, id);
	EXPECT_EQ(0, raw_volume_del(&agent, (uint32_t)id));
	raw_close(&agent);
	EXPECT_EQ(0, module_run("rmmod trustgate"));
	EXPECT_EQ(0, module_run("rmmod trustgate_core"));
}

static bool can_be_taken_away(void)
{
	return !module_run("rmmod trustgate") ||
	       !module_run("modprobe -r trustgate") ||
	       !module_run("rmmod trustgate_core");
}

/* A killed agent takes neither the modules nor the protection with it. */
TEST_F_TIMEOUT(module, stays_while_a_volume_is_protected, 200)
{
	const char *file = DISK_MOUNTS "/0/db/a";
	struct raw_socket agent;
	pid_t child;
	int ends[2];
	uint32_t id;

	/* modprobe knows what it needs. */
	ASSERT_EQ(0, module_run("modprobe trustgate"));
	EXPECT_TRUE(module_loaded("trustgate_core"));
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		if (stage_bare(&self->stage, true) ||
		    stage_volume(&self->stage, &self->stage.volume, 0, 0, 0) ||
		    write(ends[1], &self->stage.volume.id, sizeof(id)) < 0)
			_exit(1);
		pause();
	}
	close(ends[1]);
	ASSERT_EQ(sizeof(id), read(ends[0], &id, sizeof(id)));
	close(ends[0]);
	EXPECT_FALSE(can_be_taken_away());
	EXPECT_EQ(-1, open(file, O_RDONLY));
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
	EXPECT_FALSE(can_be_taken_away());
	EXPECT_EQ(-1, open(file, O_RDONLY));
	EXPECT_EQ(EACCES, errno);

	ASSERT_EQ(0, raw_open(&agent));
	EXPECT_EQ(-EACCES, raw_bind(&agent, "the secret of somebody else ...."));
	ASSERT_EQ(0, raw_bind(&agent, (const char *)gate_secret));
	ASSERT_EQ(0, raw_volume_del(&agent, id));
	raw_close(&agent);
	EXPECT_EQ(0, module_run("rmmod trustgate"));
}

/*
 * Nothing is left behind by a life of the module, whatever was in it: once the
 * volume goes before it and the agent stays bound, once both are left to it.
 */
TEST_F_TIMEOUT(module, again_and_again, 400)
{
	struct raw_socket stale;
	struct raw_wish wish;
	int fd;

	for (unsigned int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, module_load(""));
		STAGE_BARE(&self->stage, true);
		if (i) {
			/* A socket outlives the family; the next knows it not. */
			stale.family = self->stage.agent.family;
			EXPECT_EQ(-EPERM, raw_revoke(&stale, 0));
			raw_close(&stale);
		}
		ASSERT_EQ(0, stage_volume(&self->stage, &self->stage.volume, 0,
					  0, 0));
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
		wish = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
		ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
		fd = open("db/a", O_RDONLY);
		EXPECT_LE(0, fd);
		close(fd);
		if (i) {
			raw_close(&self->stage.agent);
			ASSERT_EQ(0, module_unload());
			continue;
		}
		stale = self->stage.agent;
		ASSERT_EQ(0, raw_volume_del(&stale, self->stage.volume.id));
		ASSERT_EQ(0, module_run("rmmod trustgate"));
		ASSERT_EQ(0, module_run("rmmod trustgate_core"));
		EXPECT_EQ(-ENOENT, raw_bind(&stale, (const char *)gate_secret));
	}
	EXPECT_FALSE(module_logged("Objects remaining"));
}

static pid_t fork_loop(const char *command)
{
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		nice(19);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

/*
 * Programs and kfuncs go away under what is just about to call them. The load
 * makes way for the unloading, which waits for every task of the host dozens of
 * times.
 */
TEST_F_TIMEOUT(module, unloaded_under_load, 300)
{
	struct raw_socket reader;
	struct raw_gate gate;
	pid_t files, asker;

	files = fork_loop("cd /tmp; while :; do mkdir tg-x; cat /etc/passwd; mv tg-x tg-y; ls -lR /lib/modprobe.d; rmdir tg-y; done >/dev/null 2>&1");
	asker = fork();
	if (!asker) {
		nice(19);
		for (;;) {
			if (raw_open(&reader)) {
				usleep(1000);
				continue;
			}
			for (int i = 0; i < 100; i++)
				raw_gate(&reader, &gate);
			raw_close(&reader);
		}
	}
	for (unsigned int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, module_load(""));
		STAGE_OPEN(&self->stage);
		raw_close(&self->stage.agent);
		ASSERT_EQ(0, module_unload());
	}
	kill(asker, SIGKILL);
	kill(-files, SIGKILL);
	while (wait(NULL) > 0)
		;
	module_run("rm -rf /tmp/tg-x /tmp/tg-y");
}

/* Whether one is out of range is ours to say, the rest is the kernel's. */
TEST_F_TIMEOUT(module, bad_parameters, 200)
{
	static const struct {
		const char *parameter;
		const char *logged;
	} bad[] = {
		{ "max_events=17", "max_events=17 is not a power of two from 16 to 1048576" },
		{ "max_events=8", "max_events=8 is not a power of two from 16 to 1048576" },
		{ "max_events=0", "max_events=0 is not a power of two from 16 to 1048576" },
		{ "max_events=2097152", "max_events=2097152 is not a power of two from 16 to 1048576" },
		{ "max_events=-16", "`-16' invalid for parameter `max_events'" },
		{ "max_events=many", "`many' invalid for parameter `max_events'" },
		{ "max_events=4294967296", "`4294967296' invalid for parameter `max_events'" },
		{ "max_grants=2147483648", "max_grants=2147483648 is more than 2147483647" },
		{ "max_grants=18446744073709551615", "max_grants=18446744073709551615 is more than 2147483647" },
		{ "max_grants=18446744073709551616", "`18446744073709551616' invalid for parameter `max_grants'" },
		{ "max_grants=-1", "`-1' invalid for parameter `max_grants'" },
		{ "max_grants=x", "`x' invalid for parameter `max_grants'" },
		{ "max_grants=", "`' invalid for parameter `max_grants'" },
		{ "max_volumes=1x", "`1x' invalid for parameter `max_volumes'" },
		{ "max_volumes=-1", "`-1' invalid for parameter `max_volumes'" },
		{ "max_volumes=4294967296", "`4294967296' invalid for parameter `max_volumes'" },
		{ "audit_burst=-5", "`-5' invalid for parameter `audit_burst'" },
		{ "audit_interval_s=1s", "`1s' invalid for parameter `audit_interval_s'" },
		{ "proof_interval_s=often", "`often' invalid for parameter `proof_interval_s'" },
		{ "panic_on_broken=maybe", "`maybe' invalid for parameter `panic_on_broken'" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		module_log_mark();
		EXPECT_NE(0, module_run("modprobe trustgate_core %s",
					bad[i].parameter)) {
			TH_LOG("%s", bad[i].parameter);
		}
		EXPECT_FALSE(module_loaded("trustgate_core"));
		EXPECT_TRUE(module_logged(bad[i].logged)) {
			TH_LOG("%s: no '%s'", bad[i].parameter, bad[i].logged);
		}
		module_run("rmmod trustgate_core");
	}
}

/* The largest that are taken, and nothing overflows by them. */
TEST_F_TIMEOUT(module, large_parameters, 200)
{
	struct raw_gate gate;
	struct raw_wish wish;

	ASSERT_EQ(0, module_load("max_grants=2147483647 max_volumes=4294967295 max_events=1048576 proof_interval_s=4294967295 audit_burst=4294967295 audit_interval_s=4294967295"));
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(2147483647, gate.grants_max);
	EXPECT_EQ(4294967295, gate.volumes_max);
	EXPECT_EQ(1048576, gate.events_max);
	EXPECT_LT(100ULL * 2147483647, gate.grants_bytes_max);
	EXPECT_GT(10000ULL * 2147483647, gate.grants_bytes_max);
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_EQ(EACCES, errno);
	wish = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
	EXPECT_NE(0, raw_grant(&self->stage.agent, &wish));
	raw_close(&self->stage.agent);
}

/* How many more proofs there are four seconds after a volume was added. */
static int64_t proofs_later(struct stage *stage)
{
	struct raw_gate before, after;

	if (raw_gate(&stage->agent, &before))
		return -1;
	sleep(4);
	if (raw_gate(&stage->agent, &after))
		return -1;
	return (int64_t)(after.proofs - before.proofs);
}

/* None at all is a limit like any other. */
TEST_F_TIMEOUT(module, tables_without_a_place, 200)
{
	struct raw_answer *answer;
	struct raw_wish wish;
	struct raw_gate gate;
	struct disk disk;

	ASSERT_EQ(0, module_load("max_grants=0 proof_interval_s=0"));
	STAGE_BARE(&self->stage, true);
	answer = self->stage.answer;
	ASSERT_EQ(0, stage_volume(&self->stage, &self->stage.volume, 0, 0, 0));
	wish = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	raw_put_wish(self->stage.message, &wish);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-ENOSPC, answer->error);
	EXPECT_STREQ("table of grants is full; raise the module parameter max_grants",
		     answer->text);
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_EQ(EACCES, errno);
	/* Nor are there proofs, after the one that it takes to be protected. */
	EXPECT_EQ(0, proofs_later(&self->stage));
	raw_close(&self->stage.agent);

	/* By hand: the tests' own volume finds no place either. */
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load("max_volumes=0"));
	ASSERT_EQ(0, disk_make(&disk, 0, "tmpfs"));
	ASSERT_EQ(0, raw_open(&self->stage.agent));
	ASSERT_EQ(0, raw_bind(&self->stage.agent, (const char *)gate_secret));
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_VOLUME_ADD);
	raw_put_string(self->stage.message, TRUSTGATE_A_VOLUME_NAME,
		       "selftest-0");
	raw_put_string(self->stage.message, TRUSTGATE_A_VOLUME_PATH,
		       disk.path);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-ENOSPC, answer->error);
	EXPECT_STREQ("table of volumes is full (0); raise the module parameter max_volumes",
		     answer->text);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(TRUSTGATE_GATE_STATE_IDLE, gate.state);
	raw_close(&self->stage.agent);
	ASSERT_EQ(0, module_run("rmmod trustgate"));
	ASSERT_EQ(0, module_run("rmmod trustgate_core"));
}

TEST_F_TIMEOUT(module, full_tables, 200)
{
	struct raw_answer *answer;
	struct volume second;
	struct raw_wish wish;
	struct raw_gate gate;
	struct disk third;
	unsigned int i;

	ASSERT_EQ(0, module_load("max_volumes=2 max_grants=10 proof_interval_s=1"));
	STAGE_BARE(&self->stage, true);
	answer = self->stage.answer;
	ASSERT_EQ(0, stage_volume(&self->stage, &self->stage.volume, 0, 0, 0));
	ASSERT_EQ(0, stage_volume(&self->stage, &second, 1, 0, 0));
	ASSERT_EQ(0, disk_make(&third, 2, "tmpfs"));
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_VOLUME_ADD);
	raw_put_string(self->stage.message, TRUSTGATE_A_VOLUME_NAME,
		       "selftest-2");
	raw_put_string(self->stage.message, TRUSTGATE_A_VOLUME_PATH,
		       third.path);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-ENOSPC, answer->error);
	EXPECT_STREQ("table of volumes is full (2); raise the module parameter max_volumes",
		     answer->text);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(2, gate.volumes);
	EXPECT_EQ(2, gate.volumes_max);
	/* Its filesystem is as free as before. */
	EXPECT_EQ(0, disk_unmount(&third));

	/* A place that is given back can be taken. */
	ASSERT_EQ(0, raw_volume_del(&self->stage.agent, second.id));
	EXPECT_LT(0, raw_volume_add(&self->stage.agent, "selftest-1",
				    second.disk.path, 0, 0));

	wish = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
	for (i = 0; i < 8; i++)
		ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	/* Three do not fit, so none is given. */
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_GRANT_ADD);
	for (i = 0; i < 3; i++)
		raw_put_wish(self->stage.message, &wish);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-ENOSPC, answer->error);
	EXPECT_EQ(TRUSTGATE_A_BATCH_GRANT, answer->bad);
	EXPECT_STREQ("table of grants is full; raise the module parameter max_grants",
		     answer->text);
	EXPECT_EQ(8, raw_count_grants(&self->stage.agent));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(8, gate.grants);
	EXPECT_EQ(10, gate.grants_max);

	/* Two do; and what ends makes room. */
	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	EXPECT_EQ(0, raw_grant(&self->stage.agent, &wish));
	EXPECT_EQ(ENOSPC, errno);
	ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
	EXPECT_NE(0, raw_grant(&self->stage.agent, &wish));

	EXPECT_LT(0, proofs_later(&self->stage));
	raw_close(&self->stage.agent);
}

TEST_F_TIMEOUT(module, ftrace_stays_switched_on, 200)
{
	/* Kernels from 7.x on refuse it themselves. */
	const int refused_without_us = module_run("echo 0 >" FTRACE);

	if (refused_without_us) {
		EXPECT_EQ(0, module_run("test $(cat " FTRACE ") = 1"));
	} else {
		EXPECT_NE(0, module_run("modprobe trustgate"));
		EXPECT_FALSE(module_loaded("trustgate"));
		EXPECT_TRUE(module_logged("ftrace is switched off"));
		EXPECT_TRUE(module_logged("sysctl kernel.ftrace_enabled=1"));
		ASSERT_EQ(0, module_run("echo 1 >" FTRACE));
	}

	ASSERT_EQ(0, module_run("modprobe trustgate"));
	STAGE_OPEN(&self->stage);
	EXPECT_NE(0, module_run("echo 0 >" FTRACE));
	EXPECT_EQ(0, module_run("test $(cat " FTRACE ") = 1"));
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_EQ(EACCES, errno);
	raw_close(&self->stage.agent);
	ASSERT_EQ(0, module_unload());
	/* Only while it is needed. */
	EXPECT_EQ(refused_without_us, module_run("echo 0 >" FTRACE));
	EXPECT_EQ(0, module_run("echo 1 >" FTRACE));
}

/* As many grants ended as began, as the tracepoints have it. */
TEST_F_TIMEOUT(module, created_is_destroyed, 200)
{
	const char *tracing = "/sys/kernel/tracing";
	struct raw_wish wish;
	pid_t child;

	if (access("/sys/kernel/tracing/events", F_OK))
		SKIP(return, "tracefs is not mounted");
	ASSERT_EQ(0, module_load(""));
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, module_run("cd %s && echo 20000 >buffer_size_kb; echo >trace; echo 1 >events/trustgate/enable",
				tracing));
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	wish = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
	for (unsigned int i = 0; i < 200; i++) {
		wish.pid = i % 2 ? getpid() : child;
		wish.kind = i % 3 ? TRUSTGATE_OBJECT_KIND_FILE :
				    TRUSTGATE_OBJECT_KIND_SUBTREE;
		wish.path = i % 3 ? "db/a" : "db";
		wish.flags = i % 4;
		wish.ticket = i % 5 ? NULL : "T";
		wish.for_ns = i % 7 ? 0 : RAW_SECOND_NS / 4;
		ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
		open("db/a", O_RDONLY | O_CLOEXEC);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	sleep(3);
	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	EXPECT_EQ(0, module_run("cd %s && test $(grep -c trustgate_grant_added: trace) = 200",
				tracing));
	EXPECT_EQ(0, module_run("cd %s && test $(grep -c trustgate_grant_ended: trace) = 200",
				tracing));
	EXPECT_EQ(0, module_run("cd %s && grep trustgate_verdict: trace | grep hook=file_open | grep access=read | grep -q cause=granted",
				tracing));
	EXPECT_EQ(0, module_run("cd %s && echo 0 >events/trustgate/enable && echo >trace",
				tracing));
	raw_close(&self->stage.agent);
}

TEST_HARNESS_MAIN
