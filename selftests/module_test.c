// SPDX-License-Identifier: GPL-2.0-only
/*
 * module_test - loading, unloading, and not being unloaded.
 *
 * Owns: the order of the two modules, what refuses to be taken away while a
 * volume is protected, and that nothing is left behind.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>

#include "kselftest_harness.h"

#include "module.h"
#include "stage.h"

#define FTRACE		"/proc/sys/kernel/ftrace_enabled"
#define CYCLES		4

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
	if (module_reload(""))
		fprintf(stderr, "# the module is not as it was\n");
	stage_clean();
}

TEST_F_TIMEOUT(module, engine_alone_protects_nothing, 200)
{
	struct raw_answer *answer;
	struct raw_socket agent;
	struct raw_gate gate;
	struct disk disk;
	int id;

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
	id = raw_volume_add(&agent, "selftest-0", disk.path,
			    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0);
	EXPECT_LT(0, id);
	EXPECT_EQ(0, raw_volume_del(&agent, (uint32_t)id));
	raw_close(&agent);
}

TEST_F_TIMEOUT(module, order, 200)
{
	/* The carrier by itself has nothing to call. */
	EXPECT_NE(0, module_run("insmod $(modinfo -n trustgate)"));
	EXPECT_FALSE(module_loaded("trustgate"));
	/* modprobe knows what it needs. */
	ASSERT_EQ(0, module_run("modprobe trustgate"));
	EXPECT_TRUE(module_loaded("trustgate_core"));
	EXPECT_NE(0, module_run("rmmod trustgate_core"));
	EXPECT_TRUE(module_loaded("trustgate_core"));
	EXPECT_EQ(0, module_run("rmmod trustgate"));
	EXPECT_EQ(0, module_run("rmmod trustgate_core"));
}

TEST_F_TIMEOUT(module, stays_while_a_volume_is_protected, 200)
{
	STAGE_BARE(&self->stage, true);
	ASSERT_EQ(0, stage_volume(&self->stage, &self->stage.volume, 0, 0, 0));
	EXPECT_NE(0, module_run("rmmod trustgate"));
	EXPECT_NE(0, module_run("modprobe -r trustgate"));
	EXPECT_NE(0, module_run("rmmod trustgate_core"));
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_EQ(EACCES, errno);

	/* Also when the agent is gone. */
	raw_close(&self->stage.agent);
	EXPECT_NE(0, module_run("rmmod trustgate"));
	EXPECT_EQ(-1, open("db/a", O_RDONLY));

	ASSERT_EQ(0, raw_open(&self->stage.agent));
	ASSERT_EQ(0, raw_bind(&self->stage.agent, (const char *)gate_secret));
	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	EXPECT_EQ(0, module_run("rmmod trustgate"));
}

/* Nothing is left behind by a life of the module, whatever was in it. */
TEST_F_TIMEOUT(module, again_and_again, 400)
{
	struct raw_wish wish;
	struct gate gate;
	int fd;

	for (unsigned int i = 0; i < CYCLES; i++) {
		ASSERT_EQ(0, module_load(""));
		STAGE_BARE(&self->stage, true);
		ASSERT_EQ(0, stage_volume(&self->stage, &self->stage.volume, 0,
					  0, 0));
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
		wish = stage_wish(&self->stage, "db/a", TRUSTGATE_ACCESS_READ);
		ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
		fd = open("db/a", O_RDONLY);
		EXPECT_LE(0, fd);
		close(fd);
		/* Half the time volume and grants outlive the agent. */
		if (i % 2)
			ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
						    self->stage.volume.id));
		raw_close(&self->stage.agent);
		ASSERT_EQ(0, module_unload());
	}
	EXPECT_FALSE(module_logged("Objects remaining"));
	ASSERT_EQ(0, module_load(""));
	GATE_OPEN(&gate);
	gate_close(&gate);
}

static pid_t fork_loop(const char *command)
{
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

/* Programs and kfuncs go away under what is just about to call them. */
TEST_F_TIMEOUT(module, unloaded_under_load, 300)
{
	struct raw_socket reader;
	struct raw_gate gate;
	pid_t loops[3];
	pid_t asker;

	loops[0] = fork_loop("while :; do cat /etc/passwd; done >/dev/null");
	loops[1] = fork_loop("cd /tmp; while :; do mkdir tg-x; mv tg-x tg-y; rmdir tg-y; done 2>/dev/null");
	loops[2] = fork_loop("while :; do ls -lR /lib/modprobe.d; done >/dev/null 2>&1");
	asker = fork();
	if (!asker) {
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
	for (unsigned int i = 0; i < CYCLES / 2; i++) {
		ASSERT_EQ(0, module_load(""));
		STAGE_OPEN(&self->stage);
		raw_close(&self->stage.agent);
		ASSERT_EQ(0, module_unload());
	}
	kill(asker, SIGKILL);
	for (unsigned int i = 0; i < ARRAY_SIZE(loops); i++)
		kill(-loops[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	module_run("rm -rf /tmp/tg-x /tmp/tg-y");
	ASSERT_EQ(0, module_load(""));
}

TEST_F_TIMEOUT(module, ftrace_stays_switched_on, 200)
{
	int refused_without_us;

	/* Kernels from 7.x on refuse it themselves while BPF needs ftrace. */
	ASSERT_EQ(0, module_unload());
	refused_without_us = module_run("echo 0 >" FTRACE);
	ASSERT_EQ(0, module_run("echo 1 >" FTRACE));

	ASSERT_EQ(0, module_load(""));
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
