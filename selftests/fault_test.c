// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault_test - memory runs out in operations on files, for events, and while
 * loading.
 *
 * Owns: that nothing is allowed or denied for it, that no event is lost to the
 * agent and each audit record to come is counted, that the modules load or do
 * not. What leaks shows in the scan for leaks, what is done wrong in the
 * kernel's log.
 *
 * Must not own: requests (fault_request_test.c, fault_volume_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "attempt.h"
#include "audit_control.h"
#include "fault.h"
#include "module.h"
#include "stage.h"

FIXTURE(fault) {
	struct stage stage;
	struct raw_socket other;
	struct raw_gate before;
};

/* In the parent, too, which puts it back. */
static struct audit_status audit_before;

FIXTURE_SETUP(fault)
{
	struct raw_event event;
	int audit;

	if (!fault_possible())
		SKIP(return, "this kernel does not inject faults");
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, raw_open(&self->other));
	audit = audit_open();
	ASSERT_LE(0, audit);
	ASSERT_EQ(0, audit_enable(audit, 1));
	close(audit);
	/* What the fixture did is told before. */
	while (!raw_event_next(&self->stage.agent, &event, 2000))
		;
	ASSERT_EQ(0, raw_gate(&self->other, &self->before));
}

FIXTURE_TEARDOWN_PARENT(fault)
{
	int audit = audit_open();

	fault_off();
	audit_enable(audit, audit_before.enabled);
	close(audit);
	stage_clean();
}

__attribute__((constructor))
static void remember(void)
{
	int audit = audit_open();

	audit_request(audit, AUDIT_GET, NULL, 0, &audit_before,
		      sizeof(audit_before));
	close(audit);
}

static int open_file(void)
{
	return -attempt_open("db/a", O_RDONLY);
}

#define OPERATION(name, call)						\
	static int name(void) { return (call) ? -errno : 0; }

OPERATION(create_file, mknod("db/new", S_IFREG | 0600, 0))
OPERATION(create_directory, mkdir("db/new", 0700))
OPERATION(create_symlink, symlink("a", "db/new"))
OPERATION(create_link, link("db/a", "db/new"))
OPERATION(remove_file, unlink("db/b"))
OPERATION(remove_directory, rmdir("db/sub"))
OPERATION(rename_file, rename("db/b", "db/new"))
OPERATION(change_mode, chmod("db/a", 0600))
OPERATION(change_size, truncate("db/a", 0))

static int (*const operations[])(void) = {
	open_file, create_file, create_directory, create_symlink, create_link,
	remove_file, remove_directory, rename_file, change_mode, change_size,
};

static int operate(void *operation)
{
	return (*(int (*const *)(void))operation)();
}

/* Whatever fails in an operation, nobody gets through for it. */
TEST_F_TIMEOUT(fault, denials, 240)
{
	int result;

	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++) {
		void *operation = (void *)&operations[i];
		struct fault fault = {}, of_gate = {};

		ASSERT_EQ(0, fault_only_modules(false));
		while (fault_next(&fault)) {
			result = fault_do(&fault, operate, operation);
			EXPECT_TRUE(result == -EACCES || fault_is_lack(result))
				TH_LOG("operation %u, allocation %u: %d", i,
				       fault.nth, result);
		}
		EXPECT_TRUE(fault_was_all(&fault, "denied operation"));

		/* Of those none is the gate's: a decision takes no memory. */
		ASSERT_EQ(0, fault_only_modules(true));
		ASSERT_TRUE(fault_next(&of_gate));
		EXPECT_EQ(-EACCES, fault_do(&of_gate, operate, operation));
		EXPECT_FALSE(of_gate.injected);
	}
	fault_off();
	EXPECT_EQ(0, stage_works(&self->stage));
}

/*
 * Nor does anybody lose what he was granted: an open that fails says what was
 * lacking, and the next one does not fail. One allocation is the gate's, the
 * note that the process's memory holds bytes of the volume from now on. It is
 * asked for by itself and first: a slab that is filled anew shifts the count of
 * all others from one open to the next, and it might be passed over.
 */
TEST_F_TIMEOUT(fault, allowed_open, 120)
{
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	void *operation = (void *)&operations[0];
	struct fault fault = {}, of_gate = {};
	struct raw_event event;
	int result;

	wish.for_ns = 3600 * RAW_SECOND_NS;
	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	ASSERT_EQ(0, fault_only_modules(true));
	ASSERT_TRUE(fault_next(&of_gate));
	EXPECT_EQ(-EACCES, fault_do(&of_gate, operate, operation));
	EXPECT_TRUE(of_gate.injected);
	ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED,
				    (int)gate_patience(10) * 1000));
	EXPECT_EQ(TRUSTGATE_CAUSE_SUSPENDED, event.cause);
	EXPECT_EQ(0, open_file());
	/* Once is enough for a process. */
	ASSERT_TRUE(fault_next(&of_gate));
	EXPECT_EQ(0, fault_do(&of_gate, operate, operation));
	EXPECT_FALSE(of_gate.injected);

	ASSERT_EQ(0, fault_only_modules(false));
	while (fault_next(&fault)) {
		result = fault_do(&fault, operate, operation);
		EXPECT_TRUE(!result || fault_is_lack(result))
			TH_LOG("allocation %u: %d", fault.nth, result);
		EXPECT_EQ(0, open_file());
	}
	EXPECT_TRUE(fault_was_all(&fault, "allowed open"));
	ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
	EXPECT_EQ(0, stage_works(&self->stage));
}

/* A denial, and its event at the agent. */
static int be_denied(void *stage)
{
	struct raw_event event;
	int err = attempt_open("db/a", O_RDONLY);

	if (err != EACCES)
		return -EBADMSG;
	return raw_event_next(&((struct stage *)stage)->agent, &event,
			      (int)gate_patience(10) * 1000);
}

/* Whichever allocation fails on the way to the agent and to audit. */
TEST_F_TIMEOUT(fault, event, 240)
{
	struct fault fault = { .of_workers = true };
	uint64_t suppressed = self->before.audit_suppressed;
	struct raw_gate gate;
	unsigned int round;

	ASSERT_EQ(0, fault_only_modules(true));
	for (round = 1; fault_next(&fault); round++) {
		EXPECT_EQ(0, fault_do(&fault, be_denied, &self->stage));
		ASSERT_EQ(0, raw_gate(&self->other, &gate));
		EXPECT_EQ(self->before.event_seq + round, gate.event_seq);
		/* Written, or counted. */
		EXPECT_TRUE(gate.audit_suppressed == suppressed ||
			    gate.audit_suppressed == suppressed + 1);
		suppressed = gate.audit_suppressed;
	}
	fault_off();
	EXPECT_TRUE(fault_was_all(&fault, "event"));
	EXPECT_LT(self->before.audit_suppressed, suppressed);
	EXPECT_EQ(self->before.events_agent_missed, gate.events_agent_missed);
	EXPECT_EQ(self->before.events_dropped, gate.events_dropped);
	EXPECT_EQ(0, stage_works(&self->stage));
}

/* Events wait until there is memory again; none is lost to the agent. */
TEST_F_TIMEOUT(fault, many_events, 120)
{
	const unsigned int many = 100;
	struct raw_event event;
	struct raw_gate gate;

	ASSERT_EQ(0, fault_always());
	for (unsigned int i = 0; i < many; i++)
		EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
	EXPECT_EQ(-ETIMEDOUT, raw_event_next(&self->stage.agent, &event, 1000));
	fault_off();
	for (unsigned int i = 1; i <= many; i++) {
		ASSERT_EQ(0, raw_event_next(&self->stage.agent, &event,
					    (int)gate_patience(10) * 1000));
		ASSERT_EQ(self->before.event_seq + i, event.seq);
		EXPECT_EQ(TRUSTGATE_EVENT_TYPE_DENIED, event.type);
	}
	ASSERT_EQ(0, raw_gate(&self->other, &gate));
	EXPECT_EQ(self->before.events_agent_missed, gate.events_agent_missed);
	EXPECT_EQ(self->before.events_dropped, gate.events_dropped);
	EXPECT_EQ(self->before.audit_suppressed + many, gate.audit_suppressed);
	EXPECT_EQ(0, stage_works(&self->stage));
}

FIXTURE(loading) {
	int core;
	int carrier;
};

static int open_module(const char *name)
{
	char command[64], path[256] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "modinfo -n %s", name);
	pipe = popen(command, "r");
	if (!pipe || !fgets(path, sizeof(path), pipe))
		return -1;
	pclose(pipe);
	path[strcspn(path, "\n")] = '\0';
	return open(path, O_RDONLY | O_CLOEXEC);
}

FIXTURE_SETUP(loading)
{
	if (!fault_possible())
		SKIP(return, "this kernel does not inject faults");
	ASSERT_EQ(0, module_unload());
	self->core = open_module("trustgate_core");
	self->carrier = open_module("trustgate");
	ASSERT_LE(0, self->core);
	ASSERT_LE(0, self->carrier);
	ASSERT_EQ(0, fault_only_modules(true));
}

FIXTURE_TEARDOWN_PARENT(loading)
{
	fault_off();
	if (module_reload(""))
		fprintf(stderr, "# the modules are not as they were\n");
	gate_clean();
}

static int load(void *fd)
{
	return syscall(SYS_finit_module, *(int *)fd, "", 0) ? -errno : 0;
}

/*
 * To a lack of memory the kernel's verifier says EINVAL in some places, its
 * compiler that it cannot compile the program.
 */
static bool is_lack(const struct fault *fault, int result)
{
	return fault_is_lack(result) ||
	       (fault->of_workers &&
		(result == -EINVAL || result == -EOPNOTSUPP));
}

/* Loads a module until it has lacked memory in each place, and unloads it. */
static void load_each(struct __test_metadata *_metadata, struct fault *fault,
		      int fd, const char *name)
{
	int result;

	while (fault_next(fault)) {
		result = fault_do(fault, load, &fd);
		EXPECT_TRUE(!result || is_lack(fault, result))
			TH_LOG("%s, allocation %u: %d", name, fault->nth,
			       result);
		EXPECT_EQ(!result, module_loaded(name));
		/* As good as one that was never short of memory. */
		if (!result)
			ASSERT_EQ(0, module_run("rmmod %s", name));
	}
}

/* What the engine's own init asks for. */
TEST_F_TIMEOUT(loading, engine, 600)
{
	struct fault fault = { .coarse = 8 };

	load_each(_metadata, &fault, self->core, "trustgate_core");
	fault_off();
	EXPECT_TRUE(fault_was_all(&fault, "loading the engine"));
	EXPECT_LT(10, fault.nth);
	EXPECT_EQ(0, load(&self->core));
}

/* What the carrier's init asks for, and what its thread does. */
TEST_F_TIMEOUT(loading, carrier, 900)
{
	struct fault init = {}, programs = { .of_workers = true, .coarse = 2 };

	ASSERT_EQ(0, module_run("modprobe trustgate_core"));
	load_each(_metadata, &init, self->carrier, "trustgate");
	EXPECT_TRUE(fault_was_all(&init, "loading the carrier"));
	load_each(_metadata, &programs, self->carrier, "trustgate");
	fault_off();
	EXPECT_TRUE(fault_was_all(&programs, "loading the programs"));
	EXPECT_LT(10, programs.nth);
	EXPECT_EQ(0, load(&self->carrier));
}

TEST_HARNESS_MAIN
