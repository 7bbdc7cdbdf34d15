// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink_test - who may talk to the gate, and the numbers it talks in.
 *
 * Owns: capability, namespaces, the one bound agent, the group of events, and
 * the ABI. What a correct caller may ask for is in grant_request_test and
 * volume_request_test.
 */

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/capability.h>

#include "kselftest_harness.h"

#include "../kmod/hooks.h"
#include "stage.h"

/* As an agent in the field may rely on them for good. */
static_assert(TRUSTGATE_ABI_VERSION == 1);
static_assert(TRUSTGATE_FAMILY_VERSION == 1);
static_assert(TRUSTGATE_CMD_GATE_GET == 1 && TRUSTGATE_CMD_AGENT_BIND == 2 &&
	      TRUSTGATE_CMD_AGENT_UNBIND == 3 && TRUSTGATE_CMD_VOLUME_ADD == 4 &&
	      TRUSTGATE_CMD_VOLUME_SET == 5 && TRUSTGATE_CMD_VOLUME_DEL == 6 &&
	      TRUSTGATE_CMD_VOLUME_GET == 7 && TRUSTGATE_CMD_GRANT_ADD == 8 &&
	      TRUSTGATE_CMD_GRANT_DEL == 9 && TRUSTGATE_CMD_GRANT_GET == 10 &&
	      TRUSTGATE_CMD_EVENT == 11 && TRUSTGATE_CMD_REQUEST_GET == 12 &&
	      TRUSTGATE_CMD_REQUEST_REFUSE == 13 &&
	      TRUSTGATE_CMD_GRANT_SUPERVISE == 14 &&
	      TRUSTGATE_CMD_CHANNEL_OPEN == 15 &&
	      TRUSTGATE_CMD_KEEPER_GET == 16);
static_assert(TRUSTGATE_A_GATE_ABI_VERSION == 1 && TRUSTGATE_A_GATE_HOOK == 19 &&
	      TRUSTGATE_A_GATE_OBSERVATION == 27 &&
	      TRUSTGATE_A_AGENT_SECRET == 1 && TRUSTGATE_A_AGENT_EVENT_SEQ == 2);
static_assert(TRUSTGATE_A_VOLUME_ID == 1 && TRUSTGATE_A_VOLUME_NAME == 2 &&
	      TRUSTGATE_A_VOLUME_PATH == 3 && TRUSTGATE_A_VOLUME_FD == 4 &&
	      TRUSTGATE_A_VOLUME_MAX_DURATION_NS == 8 &&
	      TRUSTGATE_A_VOLUME_ON_AGENT_LOSS == 9 &&
	      TRUSTGATE_A_VOLUME_RECORD == 10 &&
	      TRUSTGATE_A_VOLUME_COUNTER == 13 &&
	      TRUSTGATE_A_VOLUME_METADATA == 15 &&
	      TRUSTGATE_A_VOLUME_LEAST_ON_END == 17 &&
	      TRUSTGATE_A_VOLUME_ASK_NS == 18);
static_assert(TRUSTGATE_A_GRANT_ID == 1 && TRUSTGATE_A_GRANT_VOLUME_ID == 2 &&
	      TRUSTGATE_A_GRANT_PID == 3 && TRUSTGATE_A_GRANT_FLAGS == 6 &&
	      TRUSTGATE_A_GRANT_OBJECT_KIND == 7 && TRUSTGATE_A_GRANT_FD == 8 &&
	      TRUSTGATE_A_GRANT_PATH == 9 && TRUSTGATE_A_GRANT_ACCESS == 12 &&
	      TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS == 14 &&
	      TRUSTGATE_A_GRANT_MAX_USES == 15 && TRUSTGATE_A_GRANT_REASON == 17 &&
	      TRUSTGATE_A_GRANT_TAG == 19);
static_assert(TRUSTGATE_A_EVENT_SEQ == 1 && TRUSTGATE_A_EVENT_CAUSE == 11 &&
	      TRUSTGATE_A_EVENT_PATH == 20 &&
	      TRUSTGATE_A_EVENT_EXPIRES_BOOTTIME_NS == 22 &&
	      TRUSTGATE_A_EVENT_TARGET_PID == 24);
static_assert(TRUSTGATE_ACCESS_READ == 1 && TRUSTGATE_ACCESS_META == 16);
static_assert(TRUSTGATE_CAUSE_GRANTED == 0 && TRUSTGATE_CAUSE_NO_GRANT == 1 &&
	      TRUSTGATE_CAUSE_SUSPENDED == 9 &&
	      TRUSTGATE_CAUSE_FORBIDDEN == 10 &&
	      TRUSTGATE_CAUSE_TRACED == 11 && TRUSTGATE_CAUSE_MEMORY == 12 &&
	      TRUSTGATE_CAUSE_ASKED == 13 && TRUSTGATE_CAUSE_CROWDED == 16 &&
	      TRUSTGATE_CAUSE_POLLED == 17 &&
	      TRUSTGATE_CAUSE_UNSUPERVISED == 18 &&
	      TRUSTGATE_CAUSE_UNRECORDED == 19);
static_assert(TRUSTGATE_END_VOLUME_REMOVED == 6 &&
	      TRUSTGATE_REASON_CUSTOMER_SELF == 8 &&
	      TRUSTGATE_EVENT_TYPE_GATE_REPAIRED == 10);

/* Those that every kernel has, and a volume needs that hides nothing. */
#define ONE_VOLUME + 1
#define ONE_METADATA
#define ONE(name, set, ...) ONE_##set
#define HOOKS	(0 TRUSTGATE_HOOKS(ONE, ONE, ONE))

/* What need not be told of the gate: padding; that something was observed. */
#define NOT_ALWAYS							\
	(1U << TRUSTGATE_A_GATE_PAD | 1U << TRUSTGATE_A_GATE_OBSERVATION)

static const char other_secret[TRUSTGATE_SECRET_LEN] = "not the secret";

/* Every request, with what it takes to be more than malformed. */
static void build(struct raw_message *message, const struct raw_socket *socket,
		  const struct stage *stage, uint8_t command)
{
	struct raw_wish wish = stage_wish(stage, "db/a",
					  TRUSTGATE_ACCESS_READ);

	raw_begin(message, socket, command);
	switch (command) {
	case TRUSTGATE_CMD_AGENT_BIND:
		raw_put(message, TRUSTGATE_A_AGENT_SECRET, gate_secret,
			TRUSTGATE_SECRET_LEN);
		break;
	case TRUSTGATE_CMD_VOLUME_ADD:
		raw_put_string(message, TRUSTGATE_A_VOLUME_NAME, "selftest-9");
		raw_put_string(message, TRUSTGATE_A_VOLUME_PATH,
			       stage->volume.disk.path);
		break;
	case TRUSTGATE_CMD_VOLUME_SET:
	case TRUSTGATE_CMD_VOLUME_DEL:
	case TRUSTGATE_CMD_VOLUME_GET:
		raw_put_u32(message, TRUSTGATE_A_VOLUME_ID, stage->volume.id);
		break;
	case TRUSTGATE_CMD_GRANT_ADD:
		raw_put_wish(message, &wish);
		break;
	case TRUSTGATE_CMD_GRANT_DEL:
		raw_put_flag(message, TRUSTGATE_A_REVOCATION_ALL);
		break;
	case TRUSTGATE_CMD_GRANT_GET:
		raw_put_u64(message, TRUSTGATE_A_GRANT_ID, 1);
		break;
	case TRUSTGATE_CMD_REQUEST_GET:
		raw_put_u64(message, TRUSTGATE_A_REQUEST_ID, 1);
		break;
	case TRUSTGATE_CMD_REQUEST_REFUSE:
		raw_put_u64(message, TRUSTGATE_A_REFUSAL_ID, 1);
		break;
	case TRUSTGATE_CMD_GRANT_SUPERVISE:
		raw_put_u64(message, TRUSTGATE_A_SUPERVISION_ID, 1);
		raw_put_u64(message, TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS,
			    0);
		break;
	}
}

static bool changes_something(uint8_t command)
{
	return command == TRUSTGATE_CMD_AGENT_UNBIND ||
	       command == TRUSTGATE_CMD_VOLUME_ADD ||
	       command == TRUSTGATE_CMD_VOLUME_SET ||
	       command == TRUSTGATE_CMD_VOLUME_DEL ||
	       command == TRUSTGATE_CMD_GRANT_ADD ||
	       command == TRUSTGATE_CMD_GRANT_DEL ||
	       command == TRUSTGATE_CMD_REQUEST_REFUSE ||
	       command == TRUSTGATE_CMD_GRANT_SUPERVISE;
}

/*
 * How many of all requests on this socket, dumps included, are not refused
 * with @error and a message that contains @text. Runs in processes that have
 * no test metadata.
 */
static int not_refused(struct raw_socket *socket, const struct stage *stage,
		       int error, const char *text)
{
	static struct raw_message message;
	static struct raw_answer answer;
	const uint8_t dumps[] = {
		TRUSTGATE_CMD_VOLUME_GET, TRUSTGATE_CMD_GRANT_GET,
		TRUSTGATE_CMD_REQUEST_GET, TRUSTGATE_CMD_KEEPER_GET,
	};
	int wrong = 0;

	for (uint8_t command = 1; command <= TRUSTGATE_CMD_MAX; command++) {
		/* The one is not sent to the kernel, the other is a dump only. */
		if (command == TRUSTGATE_CMD_EVENT ||
		    command == TRUSTGATE_CMD_KEEPER_GET)
			continue;
		build(&message, socket, stage, command);
		if (raw_ask(socket, &message, &answer) ||
		    answer.error != error || !strstr(answer.text, text)) {
			fprintf(stderr, "# command %u: %d '%s'\n", command,
				answer.error, answer.text);
			wrong++;
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(dumps); i++) {
		raw_begin(&message, socket, dumps[i]);
		if (raw_dump(socket, &message, NULL, NULL, NULL, &answer) !=
		    error || !strstr(answer.text, text)) {
			fprintf(stderr, "# dump %d: %d '%s'\n", i, answer.error,
				answer.text);
			wrong++;
		}
	}
	return wrong;
}

#define NEEDS_CAPABILITY "CAP_MAC_ADMIN in the initial user namespace is needed"

static int drop_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[capability / 32].effective &= ~(1U << capability % 32);
	data[capability / 32].permitted &= ~(1U << capability % 32);
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

FIXTURE(netlink) {
	struct stage stage;
	struct raw_gate before;
};

FIXTURE_SETUP(netlink)
{
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &self->before));
}

FIXTURE_TEARDOWN_PARENT(netlink)
{
	gate_clean();
}

/* Runs a part in a process of its own and returns its exit status. */
#define IN_CHILD(...)							\
	({								\
		pid_t child_ = fork();					\
		int status_ = -1;					\
									\
		if (!child_) {						\
			int result_ = -1;				\
									\
			__VA_ARGS__					\
			_exit(result_);					\
		}							\
		waitpid(child_, &status_, 0);				\
		WIFEXITED(status_) ? WEXITSTATUS(status_) : 128;	\
	})

/* A refusal that changed anything after all would show here. */
#define EXPECT_UNCHANGED()						\
	do {								\
		struct raw_gate now_;					\
									\
		EXPECT_EQ(0, raw_gate(&self->stage.agent, &now_));	\
		EXPECT_EQ(self->before.volumes, now_.volumes);		\
		EXPECT_EQ(self->before.grants, now_.grants);		\
		EXPECT_EQ(self->before.agent_portid, now_.agent_portid);\
		EXPECT_EQ(self->before.event_seq, now_.event_seq);	\
	} while (0)

static void count_one(const void *attrs, size_t length, void *context)
{
	(*(unsigned int *)context)++;
}

TEST_F(netlink, abi_version)
{
	unsigned int volumes = 0;
	struct raw_gate gate;

	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(1, gate.abi_version);
	EXPECT_EQ(TRUSTGATE_GATE_STATE_ARMED, gate.state);
	EXPECT_EQ(self->stage.agent.port, gate.agent_portid);
	EXPECT_EQ(getpid(), gate.agent_pid);
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_VOLUME_GET);
	ASSERT_EQ(0, raw_dump(&self->stage.agent, self->stage.message,
			      count_one, &volumes, NULL, NULL));
	EXPECT_LE(1, volumes);
	EXPECT_EQ(volumes, gate.volumes);
	/* And file_setattr(2) and stacked mmap, where the kernel has those. */
	EXPECT_LE(HOOKS, gate.hooks);
	EXPECT_GE(HOOKS + 2, gate.hooks);
	EXPECT_LT(0, gate.proofs);
	EXPECT_NE(0, gate.proof_boottime_ns);
	EXPECT_EQ(((2U << TRUSTGATE_A_GATE_MAX) - 2) & ~NOT_ALWAYS,
		  gate.has & ~NOT_ALWAYS);
}

TEST_F(netlink, unprivileged_caller)
{
	int wrong = IN_CHILD(
		struct raw_socket socket;

		if (setgid(65534) || setuid(65534) || raw_open(&socket))
			_exit(100);
		result_ = not_refused(&socket, &self->stage, -EPERM,
				      NEEDS_CAPABILITY);
	);

	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED();
}

/*
 * A privileged program that writes to what it was given, say as its standard
 * error, does not ask on behalf of who opened it.
 */
TEST_F(netlink, socket_opened_by_unprivileged)
{
	int wrong = IN_CHILD(
		struct raw_socket socket;

		if (seteuid(65534) || raw_open(&socket) || seteuid(0))
			_exit(100);
		socket.plain = true;
		result_ = not_refused(&socket, &self->stage, -EPERM,
				      NEEDS_CAPABILITY);
	);

	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED();
}

/* The agent's own socket does not lend its rights to who inherited it. */
TEST_F(netlink, agents_socket_in_unprivileged_hands)
{
	int wrong = IN_CHILD(
		if (setgid(65534) || setuid(65534))
			_exit(100);
		result_ = not_refused(&self->stage.agent, &self->stage, -EPERM,
				      NEEDS_CAPABILITY);
	);

	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED();
}

TEST_F(netlink, root_without_mac_admin)
{
	int wrong = IN_CHILD(
		struct raw_socket socket;

		if (drop_capability(CAP_MAC_ADMIN) || raw_open(&socket))
			_exit(100);
		result_ = not_refused(&socket, &self->stage, -EPERM,
				      NEEDS_CAPABILITY);
	);

	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED();
}

TEST_F(netlink, user_namespace_root)
{
	int wrong = IN_CHILD(
		struct raw_socket socket;

		if (unshare(CLONE_NEWUSER))
			_exit(101);
		if (raw_open(&socket))
			_exit(100);
		result_ = not_refused(&socket, &self->stage, -EPERM,
				      NEEDS_CAPABILITY);
	);

	EXPECT_EQ(0, wrong);
	EXPECT_UNCHANGED();
}

TEST_F(netlink, other_network_namespace)
{
	int result = IN_CHILD(
		struct raw_socket socket;

		if (unshare(CLONE_NEWNET))
			_exit(101);
		result_ = -raw_open(&socket);
	);

	EXPECT_EQ(ENOENT, result);

	/* Nor by a number that was learnt elsewhere. */
	result = IN_CHILD(
		static struct raw_message message;
		struct sockaddr_nl any = { .nl_family = AF_NETLINK };
		struct raw_socket there = self->stage.agent;

		if (unshare(CLONE_NEWNET))
			_exit(101);
		there.fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
		if (bind(there.fd, (struct sockaddr *)&any, sizeof(any)))
			_exit(102);
		build(&message, &there, &self->stage, TRUSTGATE_CMD_GATE_GET);
		result_ = -raw_do(&there, &message);
	);
	EXPECT_EQ(ENOENT, result);
	EXPECT_UNCHANGED();
}

TEST_F(netlink, second_agent)
{
	struct raw_answer *answer = self->stage.answer;
	struct raw_socket second;

	ASSERT_EQ(0, raw_open(&second));
	build(self->stage.message, &second, &self->stage,
	      TRUSTGATE_CMD_AGENT_BIND);
	ASSERT_EQ(0, raw_ask(&second, self->stage.message, answer));
	EXPECT_EQ(-EBUSY, answer->error);
	EXPECT_NE(NULL, strstr(answer->text, "an agent is bound already"));
	EXPECT_EQ(TRUSTGATE_A_AGENT_SECRET, answer->bad);
	raw_close(&second);
	EXPECT_UNCHANGED();
}

TEST_F(netlink, only_the_agent_changes_anything)
{
	struct raw_answer *answer = self->stage.answer;
	struct raw_socket second;

	ASSERT_EQ(0, raw_open(&second));
	for (uint8_t command = 1; command <= TRUSTGATE_CMD_MAX; command++) {
		if (!changes_something(command))
			continue;
		build(self->stage.message, &second, &self->stage, command);
		ASSERT_EQ(0, raw_ask(&second, self->stage.message, answer));
		EXPECT_EQ(-EPERM, answer->error)
			TH_LOG("command %u", command);
		EXPECT_NE(NULL, strstr(answer->text, "only the bound agent"));
	}
	EXPECT_UNCHANGED();

	/* With no agent at all the cure is another. */
	build(self->stage.message, &self->stage.agent, &self->stage,
	      TRUSTGATE_CMD_AGENT_UNBIND);
	ASSERT_EQ(0, raw_do(&self->stage.agent, self->stage.message));
	build(self->stage.message, &self->stage.agent, &self->stage,
	      TRUSTGATE_CMD_GRANT_ADD);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-EPERM, answer->error);
	EXPECT_NE(NULL, strstr(answer->text, "no agent is bound"));
	raw_close(&second);
}

TEST_F(netlink, wrong_secret)
{
	struct raw_answer *answer = self->stage.answer;
	struct raw_socket *agent = &self->stage.agent;

	/* Not even from the socket that is bound. */
	EXPECT_EQ(-EACCES, raw_bind(agent, other_secret));
	EXPECT_EQ(0, raw_bind(agent, (const char *)gate_secret));

	build(self->stage.message, agent, &self->stage,
	      TRUSTGATE_CMD_AGENT_UNBIND);
	ASSERT_EQ(0, raw_do(agent, self->stage.message));
	raw_begin(self->stage.message, agent, TRUSTGATE_CMD_AGENT_BIND);
	raw_put(self->stage.message, TRUSTGATE_A_AGENT_SECRET, other_secret,
		sizeof(other_secret));
	ASSERT_EQ(0, raw_ask(agent, self->stage.message, answer));
	EXPECT_EQ(-EACCES, answer->error);
	EXPECT_NE(NULL, strstr(answer->text, "another secret"));
	EXPECT_EQ(TRUSTGATE_A_AGENT_SECRET, answer->bad);
	EXPECT_EQ(0, raw_bind(agent, (const char *)gate_secret));
}

FIXTURE(netlink_idle) {
	struct stage stage;
};

FIXTURE_SETUP(netlink_idle)
{
	STAGE_BARE(&self->stage, true);
}

FIXTURE_TEARDOWN_PARENT(netlink_idle)
{
	gate_clean();
}

/* Without volumes there is nothing to take over. */
TEST_F(netlink_idle, any_secret_will_do)
{
	struct raw_socket *agent = &self->stage.agent;
	struct raw_gate gate;

	ASSERT_EQ(0, raw_gate(agent, &gate));
	EXPECT_EQ(TRUSTGATE_GATE_STATE_IDLE, gate.state);
	EXPECT_EQ(0, gate.volumes);
	EXPECT_EQ(0, gate.hooks);
	raw_begin(self->stage.message, agent, TRUSTGATE_CMD_AGENT_UNBIND);
	ASSERT_EQ(0, raw_do(agent, self->stage.message));
	EXPECT_EQ(0, raw_bind(agent, other_secret));
}

TEST_F(netlink, secret_of_wrong_length)
{
	struct raw_answer *answer = self->stage.answer;
	const size_t lengths[] = { 0, 1, 31, 33, 64 };
	char zeros[64] = "";

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		raw_begin(self->stage.message, &self->stage.agent,
			  TRUSTGATE_CMD_AGENT_BIND);
		raw_put(self->stage.message, TRUSTGATE_A_AGENT_SECRET, zeros,
			lengths[i]);
		ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message,
				     answer));
		EXPECT_EQ(-ERANGE, answer->error)
			TH_LOG("length %zu", lengths[i]);
		EXPECT_EQ(TRUSTGATE_A_AGENT_SECRET, answer->bad);
		EXPECT_STRNE("", answer->text);
	}
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_AGENT_BIND);
	ASSERT_EQ(0, raw_ask(&self->stage.agent, self->stage.message, answer));
	EXPECT_EQ(-EINVAL, answer->error);
	EXPECT_EQ(TRUSTGATE_A_AGENT_SECRET, answer->miss);
	EXPECT_STREQ("attribute 'secret' is missing", answer->text);
	EXPECT_UNCHANGED();
}

TEST_F(netlink, events_only_for_the_privileged)
{
	struct raw_socket watcher;
	struct raw_event event;
	int result;

	ASSERT_EQ(0, raw_open(&watcher));
	ASSERT_EQ(0, setsockopt(watcher.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
				&watcher.group, sizeof(watcher.group)));
	result = IN_CHILD(
		struct raw_socket socket;

		if (setgid(65534) || setuid(65534) || raw_open(&socket))
			_exit(100);
		result_ = setsockopt(socket.fd, SOL_NETLINK,
				     NETLINK_ADD_MEMBERSHIP, &socket.group,
				     sizeof(socket.group)) ? errno : 0;
	);
	EXPECT_EQ(EPERM, result);
	result = IN_CHILD(
		struct raw_socket socket;

		if (unshare(CLONE_NEWUSER) || raw_open(&socket))
			_exit(100);
		result_ = setsockopt(socket.fd, SOL_NETLINK,
				     NETLINK_ADD_MEMBERSHIP, &socket.group,
				     sizeof(socket.group)) ? errno : 0;
	);
	EXPECT_EQ(EPERM, result);

	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_EQ(0, raw_event_find(&watcher, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED, 10000));
	raw_close(&watcher);
}

/* What a client can learn of the policy without the specification. */
struct policy_seen {
	bool access_mask;
	bool ops;
	unsigned int entries;
};

static void see_policy(const void *attrs, size_t length, void *context)
{
	const struct nlattr *op = raw_find(attrs, length, CTRL_ATTR_OP_POLICY);
	const struct nlattr *policy = raw_find(attrs, length, CTRL_ATTR_POLICY);
	struct policy_seen *seen = context;
	const struct nlattr *entry, *mask;

	if (op)
		seen->ops = true;
	if (!policy)
		return;
	seen->entries++;
	/* CTRL_ATTR_POLICY nests the policy's number, that the attribute's. */
	entry = policy + 1;
	entry = entry + 1;
	if ((entry->nla_type & NLA_TYPE_MASK) != TRUSTGATE_A_GRANT_ACCESS)
		return;
	mask = raw_find(entry + 1, entry->nla_len - NLA_HDRLEN,
			NL_POLICY_TYPE_ATTR_MASK);
	if (mask && raw_u64(mask) == 0x1f)
		seen->access_mask = true;
}

TEST_F(netlink, policy_can_be_dumped)
{
	struct raw_socket controller = self->stage.agent;
	struct policy_seen seen = {};

	controller.family = GENL_ID_CTRL;
	raw_begin(self->stage.message, &controller, CTRL_CMD_GETPOLICY);
	raw_put_string(self->stage.message, CTRL_ATTR_FAMILY_NAME,
		       TRUSTGATE_FAMILY_NAME);
	ASSERT_EQ(0, raw_dump(&controller, self->stage.message, see_policy,
			      &seen, NULL, NULL));
	EXPECT_TRUE(seen.ops);
	EXPECT_TRUE(seen.access_mask);
	EXPECT_LT(30, seen.entries);
}

TEST_F(netlink, dump_of_volumes_takes_no_attributes)
{
	raw_begin(self->stage.message, &self->stage.agent,
		  TRUSTGATE_CMD_VOLUME_GET);
	raw_put_u32(self->stage.message, TRUSTGATE_A_VOLUME_ID,
		    self->stage.volume.id);
	EXPECT_EQ(-EINVAL, raw_dump(&self->stage.agent, self->stage.message,
				    NULL, NULL, NULL, self->stage.answer));
	EXPECT_STREQ("Unknown attribute type", self->stage.answer->text);
}

TEST_F(netlink, unknown_commands)
{
	const uint8_t commands[] = { 0, TRUSTGATE_CMD_EVENT,
				     TRUSTGATE_CMD_MAX + 1, 255 };

	for (unsigned int i = 0; i < ARRAY_SIZE(commands); i++) {
		raw_begin(self->stage.message, &self->stage.agent, commands[i]);
		EXPECT_EQ(-EOPNOTSUPP, raw_do(&self->stage.agent,
					      self->stage.message));
	}
	EXPECT_UNCHANGED();
}

TEST_HARNESS_MAIN
