// SPDX-License-Identifier: GPL-2.0-only
/*
 * volume_request_test - what may not be asked for of volumes, and revocations.
 *
 * Owns: for each way in which such a request can be wrong, the errno, the
 * message and the attribute at fault, and that nothing changed.
 */

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "refusal.h"

#define G(name)	TRUSTGATE_A_GRANT_##name

FIXTURE(request) {
	struct stage stage;
};

FIXTURE_SETUP(request)
{
	STAGE_OPEN(&self->stage);
}

FIXTURE_TEARDOWN_PARENT(request)
{
	gate_clean();
}

#define V(name)	TRUSTGATE_A_VOLUME_##name
#define NAME_TEXT "a name begins with a letter or digit"

static const struct refusal volume_refusals[] = {
	{ "no name", { { V(NAME), LEAVE } }, -EINVAL,
	  "attribute 'name' is missing", REFUSAL_NONE, V(NAME) },
	{ "empty name", { { V(NAME), TEXT, 0, "" } }, -EINVAL, NAME_TEXT,
	  V(NAME) },
	{ "name with a slash", { { V(NAME), TEXT, 0, "a/b" } }, -EINVAL,
	  NAME_TEXT, V(NAME) },
	{ "hidden name", { { V(NAME), TEXT, 0, ".a" } }, -EINVAL, NAME_TEXT,
	  V(NAME) },
	{ "name like an option", { { V(NAME), TEXT, 0, "-a" } }, -EINVAL,
	  NAME_TEXT, V(NAME) },
	{ "name with a space", { { V(NAME), TEXT, 0, "a b" } }, -EINVAL,
	  NAME_TEXT, V(NAME) },
	{ "name with a newline", { { V(NAME), TEXT, 0, "a\n" } }, -EINVAL,
	  NAME_TEXT, V(NAME) },
	{ "name that is not ASCII", { { V(NAME), TEXT, 0, "n\303\244" } },
	  -EINVAL, NAME_TEXT, V(NAME) },
	{ "name too long", { { V(NAME), LONG, TRUSTGATE_NAME_MAX + 1 } },
	  -EINVAL, REFUSAL_POLICY, V(NAME) },
	{ "name without a NUL", { { V(NAME), BYTES, 5 } }, -EINVAL, REFUSAL_POLICY,
	  V(NAME) },
	{ "name twice", { { V(NAME), TWICE } }, -EINVAL, REFUSAL_TWICE, V(NAME) },
	{ "name taken", { { V(NAME), TEXT, 0, "selftest-0" } }, -EEXIST,
	  "another volume has this name", REFUSAL_NONE },

	{ "no path", { { V(PATH), LEAVE } }, -EINVAL,
	  "attribute 'path' is missing", REFUSAL_NONE, V(PATH) },
	{ "path and descriptor", { { V(FD), U32, 0 } }, -EINVAL,
	  "give either path or fd, not both", V(FD) },
	{ "absent path", { { V(PATH), TEXT, 0, "/nonexistent/x" } }, -ENOENT,
	  "the path cannot be resolved", V(PATH) },
	{ "path too long", { { V(PATH), LONG, TRUSTGATE_PATH_MAX + 1 } },
	  -EINVAL, REFUSAL_POLICY, V(PATH) },
	{ "descriptor not open",
	  { { V(PATH), LEAVE }, { V(FD), U32, 1000000 } }, -EBADF,
	  "not an open file", V(FD) },
	{ "negative descriptor",
	  { { V(PATH), LEAVE }, { V(FD), U32, (uint32_t)-1 } }, -ERANGE, REFUSAL_RANGE,
	  V(FD) },
	{ "already protected",
	  { { V(PATH), TEXT, 0, DISK_MOUNTS "/0" } }, -EEXIST,
	  "it is volume 'selftest-0' already", REFUSAL_NONE },
	{ "not a root", { { V(PATH), TEXT, 0, DISK_MOUNTS "/1/db" } }, -EINVAL,
	  "not the root of a mounted filesystem", REFUSAL_NONE },
	{ "root filesystem", { { V(PATH), TEXT, 0, "/" } }, -EBUSY,
	  "this is the host's root filesystem", REFUSAL_NONE },
	{ "unsupported filesystem", { { V(PATH), TEXT, 0, "/proc" } },
	  -EOPNOTSUPP, "proc is not supported; protect ext4, xfs, btrfs or tmpfs",
	  REFUSAL_NONE },

	{ "no duration", { { V(MAX_DURATION_NS), U64, 0 } }, -ERANGE,
	  "must be positive", V(MAX_DURATION_NS) },
	{ "endless duration", { { V(MAX_DURATION_NS), U64, UINT64_MAX } },
	  -ERANGE, "below 146 years", V(MAX_DURATION_NS) },
	{ "duration just too long",
	  { { V(MAX_DURATION_NS), U64, INT64_MAX / 2 + 1 } }, -ERANGE,
	  "below 146 years", V(MAX_DURATION_NS) },
	{ "duration of 4 bytes", { { V(MAX_DURATION_NS), U32, 1 } }, -EINVAL,
	  REFUSAL_LENGTH, V(MAX_DURATION_NS) },
	{ "unknown way of losing the agent", { { V(ON_AGENT_LOSS), U32, 2 } },
	  -ERANGE, REFUSAL_RANGE, V(ON_AGENT_LOSS) },
	{ "unknown record", { { V(RECORD), U32, 2 } }, -EINVAL,
	  REFUSAL_BITS, V(RECORD) },
	{ "unknown way to show metadata", { { V(METADATA), U32, 2 } },
	  -ERANGE, REFUSAL_RANGE, V(METADATA) },
	{ "attribute of replies", { { V(ID), U32, 1 } }, -EINVAL,
	  REFUSAL_UNUSED, V(ID) },
	{ "number of replies", { { V(GRANTS), U64, 1 } }, -EINVAL,
	  REFUSAL_UNUSED, V(GRANTS) },
	{ "unknown end", { { V(LEAST_ON_END), U32, 3 } },
	  -ERANGE, REFUSAL_RANGE, V(LEAST_ON_END) },
	{ "attribute of changes", { { V(LOWER_DEVICES), TEXT, 0, "abc" } },
	  -EINVAL, REFUSAL_UNUSED, V(LOWER_DEVICES) },
	{ "endless wait", { { V(ASK_NS), U64, TRUSTGATE_ASK_MAX_NS + 1 } },
	  -ERANGE, "for at most an hour", V(ASK_NS) },
	{ "unknown attribute", { { V(MAX) + 1, U64, 1 } }, -EINVAL,
	  REFUSAL_UNKNOWN, V(MAX) + 1 },
};

TEST_F(request, volume_refusals)
{
	const struct change base[] = {
		{ V(NAME), TEXT, 0, "selftest-1" },
		{ V(PATH), TEXT, 0, DISK_MOUNTS "/1" },
	};
	struct disk disk;

	ASSERT_EQ(0, disk_make(&disk, 1, "tmpfs"));
	ASSERT_EQ(0, mkdir(DISK_MOUNTS "/1/db", 0700));
	for (unsigned int i = 0; i < ARRAY_SIZE(volume_refusals); i++) {
		raw_begin(self->stage.message, &self->stage.agent,
			  TRUSTGATE_CMD_VOLUME_ADD);
		refusal_put(self->stage.message, base, ARRAY_SIZE(base),
			    volume_refusals[i].changes);
		EXPECT_EQ(0, refusal_wrong(&self->stage, &volume_refusals[i]));
	}
	EXPECT_LT(0, raw_volume_add(&self->stage.agent, "selftest-1", disk.path,
				    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
}

struct command_refusal {
	uint8_t command;
	struct refusal refusal;
};

#define R(name)	TRUSTGATE_A_REVOCATION_##name
#define ONE_OF	"give exactly one of id, volume-id, pid and all"

/* Requests of few attributes; all that is given is in the changes. */
static const struct command_refusal command_refusals[] = {
	{ TRUSTGATE_CMD_VOLUME_SET,
	  { "set: no id", {}, -EINVAL, "attribute 'id' is missing", REFUSAL_NONE,
	    V(ID) } },
	{ TRUSTGATE_CMD_VOLUME_SET,
	  { "set: unknown id", { { V(ID), U32, 4000000000 } }, -ENOENT,
	    "no volume has this id", V(ID) } },
	{ TRUSTGATE_CMD_VOLUME_SET,
	  { "set: name", { { V(ID), U32, 1 }, { V(NAME), TEXT, 0, "x" } },
	    -EINVAL, REFUSAL_UNUSED, V(NAME) } },
	{ TRUSTGATE_CMD_VOLUME_DEL,
	  { "del: no id", {}, -EINVAL, "attribute 'id' is missing", REFUSAL_NONE,
	    V(ID) } },
	{ TRUSTGATE_CMD_VOLUME_DEL,
	  { "del: id 0", { { V(ID), U32, 0 } }, -ERANGE, REFUSAL_RANGE, V(ID) } },
	{ TRUSTGATE_CMD_VOLUME_DEL,
	  { "del: unknown id", { { V(ID), U32, 4000000000 } }, -ENOENT,
	    "no volume has this id", V(ID) } },
	{ TRUSTGATE_CMD_VOLUME_GET,
	  { "get: nothing", {}, -EINVAL, "attribute 'id' is missing", REFUSAL_NONE,
	    V(ID) } },
	{ TRUSTGATE_CMD_VOLUME_GET,
	  { "get: id and name",
	    { { V(ID), U32, 1 }, { V(NAME), TEXT, 0, "selftest-0" } }, -EINVAL,
	    "give either id or name, not both", V(NAME) } },
	{ TRUSTGATE_CMD_VOLUME_GET,
	  { "get: unknown name", { { V(NAME), TEXT, 0, "nobody" } }, -ENOENT,
	    "no volume has this name", V(NAME) } },
	{ TRUSTGATE_CMD_GRANT_GET,
	  { "get: no id", {}, -EINVAL, "attribute 'id' is missing", REFUSAL_NONE,
	    G(ID) } },
	{ TRUSTGATE_CMD_GRANT_GET,
	  { "get: unknown id", { { G(ID), U64, UINT64_MAX } }, -ENOENT,
	    "no live grant has this id", G(ID) } },
	{ TRUSTGATE_CMD_GRANT_ADD,
	  { "add: no grant", {}, -EINVAL, "attribute 'grant' is missing",
	    REFUSAL_NONE, TRUSTGATE_A_BATCH_GRANT } },
	{ TRUSTGATE_CMD_GRANT_ADD,
	  { "add: not nested", { { TRUSTGATE_A_BATCH_GRANT, U64, 0 } },
	    -EINVAL, "NLA_F_NESTED is missing", TRUSTGATE_A_BATCH_GRANT } },
	{ TRUSTGATE_CMD_GRANT_ADD,
	  { "add: reply", { { TRUSTGATE_A_BATCH_ADDED, U64, 0 } }, -EINVAL,
	    REFUSAL_UNKNOWN, TRUSTGATE_A_BATCH_ADDED } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: nothing", {}, -EINVAL, ONE_OF, REFUSAL_NONE } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: volume and pid",
	    { { R(VOLUME_ID), U32, 1 }, { R(PID), U32, 1 } }, -EINVAL, ONE_OF,
	    REFUSAL_NONE } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: id and all", { { R(ID), U64, 1 }, { R(ALL), BYTES, 0 } },
	    -EINVAL, ONE_OF, REFUSAL_NONE } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: all with a value", { { R(ALL), U32, 0 } }, -ERANGE, REFUSAL_POLICY,
	    R(ALL) } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: unknown id", { { R(ID), U64, UINT64_MAX } }, -ENOENT,
	    "no live grant has this id", R(ID) } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: id 0", { { R(ID), U64, 0 } }, -ENOENT,
	    "no live grant has this id", R(ID) } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: unknown volume", { { R(VOLUME_ID), U32, 4000000000 } },
	    -ENOENT, "no volume has this id", R(VOLUME_ID) } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: pid 0", { { R(PID), U32, 0 } }, -ERANGE, REFUSAL_RANGE, R(PID) } },
	{ TRUSTGATE_CMD_GRANT_DEL,
	  { "del: no such process", { { R(PID), U32, INT32_MAX } }, -ESRCH,
	    "no such process", R(PID) } },
	{ TRUSTGATE_CMD_GATE_GET,
	  { "gate: attribute", { { 1, U32, 0 } }, -EINVAL,
	    REFUSAL_UNKNOWN, 1 } },
	{ TRUSTGATE_CMD_AGENT_UNBIND,
	  { "unbind: attribute", { { 1, U32, 0 } }, -EINVAL,
	    REFUSAL_UNKNOWN, 1 } },
};

TEST_F(request, other_refusals)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(command_refusals); i++) {
		raw_begin(self->stage.message, &self->stage.agent,
			  command_refusals[i].command);
		refusal_put(self->stage.message, NULL, 0,
			    command_refusals[i].refusal.changes);
		EXPECT_EQ(0, refusal_wrong(&self->stage, &command_refusals[i].refusal));
	}
}

/* Numbers of four bytes, the last of which ends in the text's NUL. */
#define DEVICES_4	"aaaabbbbccccddd"
#define DEVICES_16	"aaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccddddaaaabbbbccccdddd"
#define DEVICES_68	DEVICES_16 DEVICES_16 DEVICES_16 DEVICES_16 DEVICES_4

TEST_F(request, volume_settings_out_of_range)
{
	static const struct refusal refusals[] = {
		{ "no duration", { { V(MAX_DURATION_NS), U64, 0 } }, -ERANGE,
		  "must be positive", V(MAX_DURATION_NS) },
		{ "endless duration",
		  { { V(MAX_DURATION_NS), U64, UINT64_MAX } }, -ERANGE,
		  "below 146 years", V(MAX_DURATION_NS) },
		{ "unknown way", { { V(ON_AGENT_LOSS), U32, 7 } }, -ERANGE,
		  REFUSAL_RANGE, V(ON_AGENT_LOSS) },
		{ "unknown record", { { V(RECORD), U32, 0x80000001 } },
		  -EINVAL, REFUSAL_BITS, V(RECORD) },
		{ "unknown way to show metadata", { { V(METADATA), U32, 9 } },
		  -ERANGE, REFUSAL_RANGE, V(METADATA) },
		{ "unknown end", { { V(LEAST_ON_END), U32, 9 } },
		  -ERANGE, REFUSAL_RANGE, V(LEAST_ON_END) },
		{ "half a device", { { V(LOWER_DEVICES), TEXT, 0, "a" } },
		  -EINVAL, "four bytes each", V(LOWER_DEVICES) },
		{ "too many devices",
		  { { V(LOWER_DEVICES), TEXT, 0, DEVICES_68 } }, -E2BIG,
		  "too many devices", V(LOWER_DEVICES) },
	};
	const struct change base = { V(ID), U32, self->stage.volume.id };

	for (unsigned int i = 0; i < ARRAY_SIZE(refusals); i++) {
		raw_begin(self->stage.message, &self->stage.agent,
			  TRUSTGATE_CMD_VOLUME_SET);
		refusal_put(self->stage.message, &base, 1, refusals[i].changes);
		EXPECT_EQ(0, refusal_wrong(&self->stage, &refusals[i]));
	}
}

TEST_HARNESS_MAIN
