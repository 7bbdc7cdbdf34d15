// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault_volume_test - memory runs out while volumes come and go.
 *
 * Owns: that a volume is protected wholly or not at all, however far protecting
 * it came; that the proof of the hooks tells a lack of memory from a hook that
 * does not run; that all works afterwards.
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>

#include "attempt.h"
#include "fault_ask.h"
#include "module.h"
#include "stage.h"

/* The agent, another socket, and what that has seen at first. */
struct scene {
	struct stage stage;
	struct raw_socket other;
	struct raw_gate before;
};

FIXTURE(volume) {
	struct scene scene;
};

FIXTURE_SETUP(volume)
{
	if (!fault_possible())
		SKIP(return, "this kernel does not inject faults");
	STAGE_OPEN(&self->scene.stage);
	ASSERT_EQ(0, raw_open(&self->scene.other));
	ASSERT_EQ(0, raw_gate(&self->scene.other, &self->scene.before));
}

FIXTURE_TEARDOWN_PARENT(volume)
{
	fault_off();
	stage_clean();
}

/* What is added and removed again. */
#define ADDED_NAME	"selftest-1"
#define ADDED_FILE	DISK_MOUNTS "/1/file"

static int make_disk(struct disk *disk)
{
	return disk_make(disk, 1, "tmpfs") ?: disk_file(ADDED_FILE, "x", 0644);
}

/* Its number, 0 if it is not protected. */
static uint32_t added_volume(struct stage *stage)
{
	struct raw_answer *answer = stage->answer;

	raw_begin(stage->message, &stage->agent, TRUSTGATE_CMD_VOLUME_GET);
	raw_put_string(stage->message, TRUSTGATE_A_VOLUME_NAME, ADDED_NAME);
	if (raw_ask(&stage->agent, stage->message, answer) || answer->error)
		return 0;
	return raw_u32(raw_find(answer->reply, answer->length,
				TRUSTGATE_A_VOLUME_ID));
}

/* What one try to protect a volume came to. */
struct outcome {
	int result;
	bool refused;
	uint32_t id;
	int open_error;
	struct raw_gate gate;
};

static int try_to_protect(struct scene *scene, const struct disk *disk,
			  struct fault *fault, struct outcome *outcome)
{
	struct stage *stage = &scene->stage;
	struct fault_ask request = { stage, &stage->agent, false };

	raw_begin(stage->message, &stage->agent, TRUSTGATE_CMD_VOLUME_ADD);
	raw_put_string(stage->message, TRUSTGATE_A_VOLUME_NAME, ADDED_NAME);
	raw_put_string(stage->message, TRUSTGATE_A_VOLUME_PATH, disk->path);
	outcome->result = fault_do(fault, fault_ask, &request);
	outcome->refused = fault_refused(&request, outcome->result);
	if (outcome->refused && !fault_is_lack(outcome->result))
		fprintf(stderr, "# allocation %u: %s\n", fault->nth,
			stage->answer->text);
	outcome->id = added_volume(stage);
	outcome->open_error = attempt_open(ADDED_FILE, O_RDONLY);
	return raw_gate(&scene->other, &outcome->gate);
}

/*
 * Hooks that were attached before stay so, and others are not left behind.
 * They are detached by a work, which no fault is to hit: the kernel warns when
 * it has no memory to detach a BPF program.
 */
static int settle(struct scene *scene)
{
	const uint64_t until_ns = raw_now_ns() +
				  gate_patience(30) * RAW_SECOND_NS;
	struct raw_gate gate;
	int err;

	do {
		err = raw_gate(&scene->other, &gate);
		if (err || (gate.hooks == scene->before.hooks &&
			    gate.state == scene->before.state &&
			    gate.volumes == scene->before.volumes))
			return err;
		usleep(50 * 1000);
	} while (raw_now_ns() < until_ns);
	fprintf(stderr, "# %u volumes, %u hooks are left\n", gate.volumes,
		gate.hooks);
	return -ETIMEDOUT;
}

/* Protects and unprotects again and again, for each place. */
static void protect_each(struct __test_metadata *_metadata, struct scene *scene,
			 struct fault *fault, const struct disk *disk)
{
	const struct raw_gate *before = &scene->before;
	struct outcome now;

	while (fault_next(fault)) {
		ASSERT_EQ(0, try_to_protect(scene, disk, fault, &now));
		EXPECT_TRUE(!now.result || fault_is_lack(now.result))
			TH_LOG("allocation %u: %d", fault->nth, now.result);
		if (!now.result)
			EXPECT_NE(0, now.id);
		if (now.refused)
			EXPECT_EQ(0, now.id);
		EXPECT_EQ(now.id ? EACCES : 0, now.open_error);
		EXPECT_EQ(before->volumes + !!now.id, now.gate.volumes);
		if (now.id) {
			EXPECT_EQ(TRUSTGATE_GATE_STATE_ARMED, now.gate.state);
			ASSERT_EQ(0, raw_volume_del(&scene->stage.agent,
						    now.id));
		}
		ASSERT_EQ(0, settle(scene));
	}
}

/* What the request itself allocates. */
TEST_F_TIMEOUT(volume, protecting, 240)
{
	struct fault fault = {};
	struct disk disk;

	ASSERT_EQ(0, make_disk(&disk));
	protect_each(_metadata, &self->scene, &fault, &disk);
	EXPECT_TRUE(fault_was_all(&fault, "volume-add"));
	EXPECT_EQ(0, stage_works(&self->scene.stage));
}

/*
 * The proof is run by a thread of the carrier's own. That it lacked memory says
 * nothing about the hooks, and must not be taken for a hook that does not run:
 * then the watchdog would call the gate broken.
 */
TEST_F_TIMEOUT(volume, proving, 480)
{
	struct fault fault = { .of_workers = true };
	struct disk disk;

	ASSERT_EQ(0, make_disk(&disk));
	ASSERT_EQ(0, fault_only_modules(true));
	protect_each(_metadata, &self->scene, &fault, &disk);
	fault_off();
	EXPECT_TRUE(fault_was_all(&fault, "proof"));
	EXPECT_LT(10, fault.nth);
	EXPECT_EQ(0, stage_works(&self->scene.stage));
}

/* What was refused is protected still, and what was not is let go. */
TEST_F_TIMEOUT(volume, unprotecting, 240)
{
	struct stage *stage = &self->scene.stage;
	struct fault_ask request = { stage, &stage->agent, false };
	struct fault fault = {};
	struct disk disk;
	int result, id;
	bool refused;

	ASSERT_EQ(0, make_disk(&disk));
	while (fault_next(&fault)) {
		id = raw_volume_add(&stage->agent, ADDED_NAME, disk.path,
				    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0);
		ASSERT_LT(0, id);
		raw_begin(stage->message, &stage->agent,
			  TRUSTGATE_CMD_VOLUME_DEL);
		raw_put_u32(stage->message, TRUSTGATE_A_VOLUME_ID,
			    (uint32_t)id);
		result = fault_do(&fault, fault_ask, &request);
		refused = fault_refused(&request, result);
		EXPECT_TRUE(!result || fault_is_lack(result))
			TH_LOG("allocation %u: %d", fault.nth, result);
		id = (int)added_volume(stage);
		if (!result)
			EXPECT_EQ(0, id);
		if (refused)
			EXPECT_NE(0, id);
		EXPECT_EQ(id ? EACCES : 0, attempt_open(ADDED_FILE, O_RDONLY));
		if (id)
			ASSERT_EQ(0, raw_volume_del(&stage->agent,
						    (uint32_t)id));
	}
	EXPECT_TRUE(fault_was_all(&fault, "volume-del"));
	EXPECT_EQ(0, stage_works(stage));
}

/* The watchdog finds no memory for its proof, and later does. */
TEST_F_TIMEOUT(volume, watchdog, 120)
{
	const uint64_t until_ns = raw_now_ns() +
				  gate_patience(60) * RAW_SECOND_NS;
	struct raw_socket *other = &self->scene.other;
	struct raw_gate failed, gate;

	module_log_mark();
	ASSERT_EQ(0, fault_always());
	while (!module_logged("cannot prove the hooks") &&
	       raw_now_ns() < until_ns) {
		EXPECT_EQ(EACCES, attempt_open("db/a", O_RDONLY));
		usleep(200 * 1000);
	}
	EXPECT_TRUE(module_logged("cannot prove the hooks"));
	fault_off();
	ASSERT_EQ(0, raw_gate(other, &failed));
	EXPECT_EQ(TRUSTGATE_GATE_STATE_ARMED, failed.state);
	do {
		usleep(200 * 1000);
		ASSERT_EQ(0, raw_gate(other, &gate));
	} while (gate.proofs == failed.proofs && raw_now_ns() < until_ns);
	EXPECT_LT(failed.proofs, gate.proofs);
	EXPECT_EQ(TRUSTGATE_GATE_STATE_ARMED, gate.state);
	EXPECT_EQ(0, stage_works(&self->scene.stage));
}

/* Nothing is protected yet: the hooks are attached for the first volume. */
FIXTURE(first_volume) {
	struct scene scene;
};

FIXTURE_SETUP(first_volume)
{
	if (!fault_possible())
		SKIP(return, "this kernel does not inject faults");
	STAGE_BARE(&self->scene.stage, true);
	ASSERT_EQ(0, raw_open(&self->scene.other));
	ASSERT_EQ(0, raw_gate(&self->scene.other, &self->scene.before));
	ASSERT_EQ(TRUSTGATE_GATE_STATE_IDLE, self->scene.before.state);
}

FIXTURE_TEARDOWN_PARENT(first_volume)
{
	fault_off();
	stage_clean();
}

/*
 * Attaching is the same some twenty times over, and takes seconds: not every
 * one of its places is tried, but such of every hook.
 */
TEST_F_TIMEOUT(first_volume, attaching, 600)
{
	struct fault fault = { .of_workers = true, .coarse = 4 };
	struct stage *stage = &self->scene.stage;
	struct disk disk;

	ASSERT_EQ(0, make_disk(&disk));
	ASSERT_EQ(0, fault_only_modules(true));
	protect_each(_metadata, &self->scene, &fault, &disk);
	fault_off();
	EXPECT_TRUE(fault_was_all(&fault, "first volume-add"));
	ASSERT_EQ(0, stage_volume(stage, &stage->volume, 0,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	EXPECT_EQ(0, stage_works(stage));
}

TEST_HARNESS_MAIN
