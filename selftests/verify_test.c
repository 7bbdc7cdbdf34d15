// SPDX-License-Identifier: GPL-2.0-only
/*
 * verify_test - what "trustgate verify" says of a volume on this host.
 *
 * Owns: that it says closed where the gate denies, and open as soon as something
 * is loosened, and that it changes nothing.
 *
 * Must not own: how a host is judged (userspace/tests/verify_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "actor.h"
#include "gate.h"
#include "module.h"

#define PATTERN	"/proc/sys/kernel/core_pattern"
#define SAVED	"/run/trustgate-selftest-core-pattern"

FIXTURE(verify) {
	struct gate gate;
	struct volume volume;
	char said[65536];
	int status;
};

FIXTURE_SETUP(verify)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, module_run("cat " PATTERN " >" SAVED));
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
}

FIXTURE_TEARDOWN_PARENT(verify)
{
	module_run("cat " SAVED " >" PATTERN "; rm -f " SAVED);
	gate_clean();
}

static int run_verify(const char *volume, char *said, size_t size)
{
	char command[128];
	size_t got;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "trustgate verify %s --json=short 2>/dev/null", volume);
	pipe = popen(command, "re");
	if (!pipe)
		return -errno;
	got = fread(said, 1, size - 1, pipe);
	said[got] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

/* Is there a finding of this check in this state? */
static bool found(const char *said, const char *check, const char *state)
{
	char part[128];

	snprintf(part, sizeof(part), "{\"check\":\"%s\",\"state\":\"%s\"",
		 check, state);
	return strstr(said, part);
}

#define LOOK()								\
	do {								\
		self->status = run_verify(self->volume.name, self->said, \
					  sizeof(self->said));		\
		ASSERT_LE(0, self->status);				\
		ASSERT_GE(1, self->status) TH_LOG("%s", self->said);	\
	} while (0)

#define EXPECT_FOUND(check, state)					\
	EXPECT_TRUE(found(self->said, check, state))			\
		TH_LOG("not %s: %s in %s", state, check, self->said)
#define EXPECT_ONLY(check, state, not_state)				\
	do {								\
		EXPECT_FOUND(check, state);				\
		EXPECT_FALSE(found(self->said, check, not_state))	\
			TH_LOG("%s: %s in %s", not_state, check,	\
			       self->said);				\
	} while (0)
#define PROTECT()							\
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume))

TEST_F(verify, closed)
{
	static const char *const checks[] = {
		"gate", "hooks", "agent", "files", "mounts", "device", "loop",
		"tracers", "mappings", "descriptors", "lsm",
	};
	uint64_t forbidden;
	unsigned int i;

	PROTECT();
	forbidden = volume_count(&self->gate, &self->volume,
				 TRUSTGATE_CAUSE_FORBIDDEN);
	LOOK();
	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		EXPECT_ONLY(checks[i], "closed", "open");
	/* It has tried indeed: the root directory and the device. */
	EXPECT_EQ(1, volume_count(&self->gate, &self->volume,
				  TRUSTGATE_CAUSE_NO_GRANT));
	EXPECT_LT(forbidden, volume_count(&self->gate, &self->volume,
					  TRUSTGATE_CAUSE_FORBIDDEN));
	/* Nothing locks this kernel down. */
	EXPECT_EQ(1, self->status);
	EXPECT_FOUND("lockdown", "open");
}

TEST_F(verify, names)
{
	const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_METADATA,
		.metadata = TRUSTGATE_METADATA_HIDDEN,
	};

	PROTECT();
	LOOK();
	EXPECT_ONLY("names", "open", "closed");
	ASSERT_EQ(0, volume_unprotect(&self->gate, &self->volume));
	ASSERT_EQ(0, volume_protect_with(&self->gate, &self->volume, &settings));
	LOOK();
	EXPECT_ONLY("names", "closed", "open");
	EXPECT_ONLY("files", "closed", "open");
}

TEST_F(verify, observed)
{
	struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_OBSERVED,
		.observed_until_boottime_ns = gate_now_ns() +
					      600 * GATE_SECOND_NS,
	};

	/* The kernel remembers names, and others have had the usual one. */
	snprintf(self->volume.name, sizeof(self->volume.name), "selftest-%d",
		 getpid());
	PROTECT();
	LOOK();
	EXPECT_ONLY("observed", "closed", "open");
	ASSERT_EQ(0, trustgate_volume_set(self->gate.conn, self->volume.id,
					  &settings));
	LOOK();
	EXPECT_ONLY("observed", "open", "closed");
	EXPECT_ONLY("files", "open", "closed");
	EXPECT_NE(NULL, strstr(self->said, "trustgate observe selftest-"));
	settings.observed_until_boottime_ns = 0;
	/* What is no longer may have been read while it was. */
	ASSERT_EQ(0, trustgate_volume_set(self->gate.conn, self->volume.id,
					  &settings));
	LOOK();
	EXPECT_ONLY("observed", "unknown", "closed");
	EXPECT_ONLY("files", "closed", "open");
}

TEST_F(verify, no_such_volume)
{
	EXPECT_EQ(2, run_verify("selftest-none", self->said,
				sizeof(self->said)));
	EXPECT_STREQ("", self->said);
}

TEST_F(verify, mapped_before)
{
	int fd = open("db/a", O_RDONLY | O_CLOEXEC);
	struct actor actor;

	ASSERT_LE(0, fd);
	ASSERT_NE(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	close(fd);
	/* Has it by inheritance. */
	ASSERT_EQ(0, actor_start(&actor));
	PROTECT();
	LOOK();
	EXPECT_ONLY("mappings", "open", "closed");
	actor_stop(&actor);
}

TEST_F(verify, looped_before)
{
	char device[96];

	ASSERT_EQ(0, disk_load_loop());
	ASSERT_EQ(0, module_run("truncate -s 1M db/image && losetup -f db/image"));
	PROTECT();
	LOOK();
	EXPECT_ONLY("loop", "open", "closed");
	snprintf(device, sizeof(device), "%s/db/image", self->volume.disk.path);
	EXPECT_EQ(0, module_run("losetup -n -O NAME,BACK-FILE | awk '$2 == \"%s\" { print $1 }' | xargs losetup -d",
				device));
}

TEST_F(verify, mounted_over)
{
	PROTECT();
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(), "db",
				     GATE_NAMES));
	ASSERT_EQ(0, mount("tmpfs", "db", "tmpfs", 0, NULL));
	LOOK();
	EXPECT_FOUND("mounted over", "open");
	EXPECT_EQ(0, umount2("db", MNT_DETACH));
	LOOK();
	EXPECT_FALSE(found(self->said, "mounted over", "open"));
	EXPECT_FOUND("mounts", "closed");
}

TEST_F(verify, dumped_by_a_program)
{
	PROTECT();
	ASSERT_EQ(0, module_run("echo '|/bin/false' >" PATTERN));
	LOOK();
	EXPECT_ONLY("core dumps", "closed", "open");
	ASSERT_EQ(0, module_run("echo '|/bin/cat' >" PATTERN));
	LOOK();
	EXPECT_ONLY("core dumps", "open", "closed");
}

TEST_HARNESS_MAIN
