// SPDX-License-Identifier: GPL-2.0-only
/*
 * no_bpf_test - a kernel without bpf among its security modules is refused.
 *
 * Owns: what becomes of the modules there. BPF LSM programs load and attach
 * without an error on such a kernel, and nothing calls them: the modules have
 * to notice, say what to do, and leave nothing that could pass for protection.
 *
 * Must not own: the other ways in which loading fails (module_test.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "kselftest_harness.h"

#include "module.h"
#include "stage.h"

#define ACTIVE	"/sys/kernel/security/lsm"

static bool has_bpf(void)
{
	return !module_run("tr , '\\n' <" ACTIVE " | grep -qx bpf");
}

FIXTURE(no_bpf) {
	struct raw_message *message;
	struct raw_answer *answer;
	struct raw_socket agent;
	struct disk disk;
};

FIXTURE_SETUP(no_bpf)
{
	ASSERT_EQ(0, access(ACTIVE, R_OK));
	if (has_bpf())
		SKIP(return, "this kernel has bpf in lsm=");
	module_run("rmmod trustgate_core");
	ASSERT_FALSE(module_loaded("trustgate_core"));
	module_log_mark();
}

FIXTURE_TEARDOWN_PARENT(no_bpf)
{
	module_run("rmmod trustgate_core");
	disk_clean();
}

TEST_F(no_bpf, hooks_are_refused)
{
	/* Once more, in case the first attempt has left something. */
	for (unsigned int i = 0; i < 2; i++) {
		module_log_mark();
		EXPECT_NE(0, module_run("modprobe trustgate"));
		EXPECT_FALSE(module_loaded("trustgate"));
		EXPECT_TRUE(module_logged("add `bpf` to the list in the boot parameter lsm="));
	}
	EXPECT_FALSE(module_logged("WARNING"));
	/* Nothing holds what modprobe has loaded on the way. */
	EXPECT_EQ(0, module_run("rmmod trustgate_core"));
	EXPECT_FALSE(module_loaded("trustgate_core"));
}

/* Neither a program nor what keeps one attached. */
TEST_F(no_bpf, no_program_is_left)
{
	if (module_run("command -v bpftool"))
		SKIP(return, "bpftool is not installed");
	EXPECT_NE(0, module_run("modprobe trustgate"));
	EXPECT_EQ(0, module_run("bpftool prog show >/tmp/trustgate-progs"));
	EXPECT_NE(0, module_run("grep -qw lsm /tmp/trustgate-progs"));
	EXPECT_EQ(0, module_run("bpftool link show >/tmp/trustgate-links"));
	EXPECT_NE(0, module_run("grep -q . /tmp/trustgate-links"));
	unlink("/tmp/trustgate-progs");
	unlink("/tmp/trustgate-links");
}

/* The engine alone answers, and says that it cannot protect. */
TEST_F_TIMEOUT(no_bpf, no_volume_is_protected, 120)
{
	struct raw_gate gate;
	int fd;

	EXPECT_NE(0, module_run("modprobe trustgate"));
	ASSERT_EQ(0, module_run("modprobe trustgate_core"));
	self->message = malloc(sizeof(*self->message));
	self->answer = malloc(sizeof(*self->answer));
	ASSERT_EQ(0, raw_open(&self->agent));
	ASSERT_EQ(0, raw_bind(&self->agent, (const char *)gate_secret));
	ASSERT_EQ(0, disk_make(&self->disk, 0, "tmpfs"));
	raw_begin(self->message, &self->agent, TRUSTGATE_CMD_VOLUME_ADD);
	raw_put_string(self->message, TRUSTGATE_A_VOLUME_NAME, "selftest-0");
	raw_put_string(self->message, TRUSTGATE_A_VOLUME_PATH, self->disk.path);
	ASSERT_EQ(0, raw_ask(&self->agent, self->message, self->answer));
	EXPECT_EQ(-ENOTCONN, self->answer->error);
	EXPECT_STREQ("no hooks are loaded: modprobe trustgate",
		     self->answer->text);
	ASSERT_EQ(0, raw_gate(&self->agent, &gate));
	EXPECT_EQ(TRUSTGATE_GATE_STATE_IDLE, gate.state);
	EXPECT_EQ(0, gate.volumes);
	EXPECT_EQ(0, gate.hooks);
	EXPECT_EQ(0, gate.proofs);
	/* As open as it was, and free to be unmounted. */
	ASSERT_EQ(0, chdir(self->disk.path));
	fd = open("x", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	EXPECT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(0, disk_unmount(&self->disk));
	raw_close(&self->agent);
	EXPECT_EQ(0, module_run("rmmod trustgate_core"));
}

TEST_HARNESS_MAIN
