// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_test - thousands of broken requests, from the agent and from others.
 *
 * Owns: making them from correct ones by chance, and that the gate stays
 * whole: it answers, its numbers agree with its lists, and the volume stays
 * closed. That no request harms the kernel shows in its log.
 *
 * The chance is repeatable: TRUSTGATE_SEED names the seed, which is printed.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "stage.h"

#define MESSAGES	10000
#define CHECK_EVERY	50

static uint64_t state;

/* xorshift64*, good enough and the same everywhere. */
static uint32_t chance(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 2685821657736338717ULL) >> 32) % below;
}

static void seed(void)
{
	const char *text = getenv("TRUSTGATE_SEED");

	state = text ? strtoull(text, NULL, 0) : 20261123;
	printf("# TRUSTGATE_SEED=%llu\n", (unsigned long long)state);
}

FIXTURE(fuzz) {
	struct stage stage;
};

FIXTURE_SETUP(fuzz)
{
	STAGE_OPEN(&self->stage);
	/*
	 * A path that chance makes out of another leads nowhere but here: no
	 * filesystem of the host can come under protection by accident.
	 */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_FALSE(mkdir("/run/trustgate-fuzz", 0700) && errno != EEXIST);
	ASSERT_EQ(0, mount("tmpfs", "/run/trustgate-fuzz", "tmpfs", 0, NULL));
	ASSERT_EQ(0, mkdir("/run/trustgate-fuzz/dir", 0700));
	ASSERT_EQ(0, mkdir("/run/trustgate-fuzz/dir/v", 0700));
	ASSERT_EQ(0, mount("tmpfs", "/run/trustgate-fuzz/dir/v", "tmpfs", 0,
			   NULL));
	ASSERT_EQ(0, chroot("/run/trustgate-fuzz"));
	ASSERT_EQ(0, chdir("/dir"));
	seed();
}

FIXTURE_TEARDOWN_PARENT(fuzz)
{
	gate_clean();
	rmdir("/run/trustgate-fuzz");
}

/* A request that is correct, or would be at another moment. */
static void put_correct(struct raw_message *message, const struct stage *stage)
{
	struct raw_wish wish = stage_wish(stage, "db/a", 1 + chance(31));
	uint8_t command = (uint8_t)(1 + chance(TRUSTGATE_CMD_MAX));
	struct nlmsghdr *header = (struct nlmsghdr *)message->bytes;
	unsigned int i;

	/* Without an agent most others would not get far. */
	if (command == TRUSTGATE_CMD_AGENT_UNBIND)
		command = TRUSTGATE_CMD_GRANT_ADD;
	/* Each makes a descriptor; spoil() tries it often enough. */
	if (command == TRUSTGATE_CMD_CHANNEL_OPEN)
		command = TRUSTGATE_CMD_KEEPER_GET;
	/* The volume has to outlive the test. */
	if (command == TRUSTGATE_CMD_VOLUME_DEL && chance(2))
		command = TRUSTGATE_CMD_VOLUME_SET;

	raw_begin(message, &stage->agent, command);
	switch (command) {
	case TRUSTGATE_CMD_AGENT_BIND:
		raw_put(message, TRUSTGATE_A_AGENT_SECRET, gate_secret,
			TRUSTGATE_SECRET_LEN);
		break;
	case TRUSTGATE_CMD_VOLUME_ADD:
		raw_put_string(message, TRUSTGATE_A_VOLUME_NAME,
			       "selftest-fuzz");
		raw_put_string(message, TRUSTGATE_A_VOLUME_PATH, "v");
		raw_put_u64(message, TRUSTGATE_A_VOLUME_MAX_DURATION_NS,
			    3600 * RAW_SECOND_NS);
		raw_put_u32(message, TRUSTGATE_A_VOLUME_RECORD, chance(2));
		break;
	case TRUSTGATE_CMD_VOLUME_SET:
		raw_put_u32(message, TRUSTGATE_A_VOLUME_ID,
			    stage->volume.id + chance(3));
		raw_put_u32(message, TRUSTGATE_A_VOLUME_AUDIT, chance(3));
		raw_put_u64(message, TRUSTGATE_A_VOLUME_ASK_NS,
			    chance(3) * RAW_SECOND_NS);
		break;
	case TRUSTGATE_CMD_VOLUME_DEL:
		raw_put_u32(message, TRUSTGATE_A_VOLUME_ID,
			    stage->volume.id + 1 + chance(3));
		break;
	case TRUSTGATE_CMD_VOLUME_GET:
		raw_put_string(message, TRUSTGATE_A_VOLUME_NAME,
			       stage->volume.name);
		break;
	case TRUSTGATE_CMD_GRANT_ADD:
		for (i = 1 + chance(4); i; i--) {
			wish.kind = chance(2);
			wish.flags = chance(4);
			wish.max_uses = chance(3);
			wish.tag = chance(3);
			wish.ticket = chance(2) ? "T-1" : NULL;
			raw_put_wish(message, &wish);
		}
		break;
	case TRUSTGATE_CMD_GRANT_DEL:
		raw_put_u64(message, TRUSTGATE_A_REVOCATION_ID, chance(100));
		break;
	case TRUSTGATE_CMD_GRANT_GET:
		raw_put_u64(message, TRUSTGATE_A_GRANT_ID, chance(100));
		break;
	case TRUSTGATE_CMD_REQUEST_GET:
		raw_put_u64(message, TRUSTGATE_A_REQUEST_ID, chance(100));
		break;
	case TRUSTGATE_CMD_REQUEST_REFUSE:
		for (i = 1 + chance(4); i; i--)
			raw_put_u64(message, TRUSTGATE_A_REFUSAL_ID,
				    chance(100));
		break;
	case TRUSTGATE_CMD_GRANT_SUPERVISE:
		raw_put_u64(message, TRUSTGATE_A_SUPERVISION_ID, chance(100));
		raw_put_u64(message,
			    TRUSTGATE_A_SUPERVISION_UNTIL_BOOTTIME_NS,
			    chance(2) * (gate_now_ns() + RAW_SECOND_NS));
		break;
	case TRUSTGATE_CMD_KEEPER_GET:
		header->nlmsg_flags |= NLM_F_DUMP;
		raw_put_u32(message, TRUSTGATE_A_KEEPER_VOLUME_ID,
			    stage->volume.id + chance(2));
		break;
	}
}

/* Offset of some attribute of the first level, or 0. */
static size_t some_attribute(struct raw_message *message, size_t length)
{
	size_t at = NLMSG_LENGTH(GENL_HDRLEN), found = 0;
	struct nlattr attr;

	while (at + NLA_HDRLEN <= length) {
		memcpy(&attr, message->bytes + at, sizeof(attr));
		if (!found || !chance(3))
			found = at;
		if (attr.nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(attr.nla_len);
	}
	return found;
}

/* Breaks a message in one way; @length is what will be sent. */
static void spoil(struct raw_message *message, size_t *length)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message->bytes;
	const size_t head = NLMSG_LENGTH(GENL_HDRLEN);
	size_t at = some_attribute(message, *length);
	uint16_t value = (uint16_t)chance(65536);
	unsigned int i;

	/* Cut so short already that nothing is left to spoil. */
	if (*length <= head)
		return;
	switch (chance(11)) {
	case 0:		/* some bytes */
		for (i = 1 + chance(6); i; i--)
			message->bytes[head + chance((uint32_t)(*length - head))] =
				(uint8_t)chance(256);
		break;
	case 1:		/* cut, and the header knows it */
		*length = head + chance((uint32_t)(*length - head + 1));
		header->nlmsg_len = (uint32_t)*length;
		break;
	case 2:		/* cut, and the header does not know it */
		*length = NLMSG_HDRLEN +
			  chance((uint32_t)(*length - NLMSG_HDRLEN));
		break;
	case 3:		/* an attribute's length */
		if (at)
			memcpy(message->bytes + at,
			       &(uint16_t){ (uint16_t)chance(80) }, 2);
		break;
	case 4:		/* any length */
		if (at)
			memcpy(message->bytes + at, &value, 2);
		break;
	case 5:		/* an attribute's type */
		if (at)
			memcpy(message->bytes + at + 2,
			       &(uint16_t){ (uint16_t)chance(24) }, 2);
		break;
	case 6:		/* any type */
		if (at)
			memcpy(message->bytes + at + 2, &value, 2);
		break;
	case 7:		/* garbage behind */
		for (i = 4 * chance(50); i; i--)
			message->bytes[(*length)++] = (uint8_t)chance(256);
		header->nlmsg_len = (uint32_t)*length;
		break;
	case 8:		/* nests in nests */
		for (i = chance(200); i; i--) {
			const struct nlattr nest = {
				.nla_len = (uint16_t)(4 * i),
				.nla_type = NLA_F_NESTED |
					    (uint16_t)(1 + chance(4)),
			};

			memcpy(message->bytes + *length, &nest, sizeof(nest));
			*length += sizeof(nest);
		}
		header->nlmsg_len = (uint32_t)*length;
		break;
	case 9:		/* the header's flags, genl's command and version */
		header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST |
						 (chance(16) << 8) |
						 chance(8));
		message->bytes[NLMSG_HDRLEN + chance(4)] =
			(uint8_t)chance(TRUSTGATE_CMD_MAX + 2);
		break;
	case 10:	/* extreme numbers */
		if (at) {
			static const uint64_t extremes[] = {
				0, 1, INT32_MAX, UINT32_MAX, INT64_MAX,
				UINT64_MAX, 1ULL << 63,
			};

			memcpy(message->bytes + at + NLA_HDRLEN,
			       &extremes[chance(ARRAY_SIZE(extremes))], 8);
		}
		break;
	}
}

static int send_bytes(int fd, const struct raw_message *message, size_t length)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(fd, message->bytes, length, MSG_DONTWAIT,
		      (struct sockaddr *)&kernel, sizeof(kernel)) < 0 ?
	       -errno : 0;
}

static void drain(struct raw_socket *socket)
{
	static char buffer[1 << 17];

	while (recv(socket->fd, buffer, sizeof(buffer), MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS)
		;
}

static void break_and_send(struct stage *stage, struct raw_socket *socket)
{
	struct nlmsghdr *header = (struct nlmsghdr *)stage->message->bytes;
	size_t length;
	unsigned int i;

	put_correct(stage->message, stage);
	header->nlmsg_flags |= NLM_F_ACK;
	header->nlmsg_seq = 0x40000000;
	length = header->nlmsg_len;
	for (i = chance(4); i; i--)
		spoil(stage->message, &length);
	/* Another family's business is not ours. */
	header->nlmsg_type = stage->agent.family;
	send_bytes(socket->fd, stage->message, length);
}

/*
 * Are as many grants listed as there are said to be? Some were given for a short
 * time, by chance, and may end between the questions; none is given meanwhile.
 */
static bool counts_agree(struct raw_socket *agent, struct raw_gate *gate)
{
	for (unsigned int tries = 0; tries < 100; tries++) {
		struct raw_gate before;
		int64_t listed;

		if (raw_gate(agent, &before))
			return false;
		listed = raw_count_grants(agent);
		if (raw_gate(agent, gate))
			return false;
		if (before.grants != gate->grants)
			continue;
		if (listed != (int64_t)gate->grants)
			fprintf(stderr, "# %lld listed of %llu\n",
				(long long)listed,
				(unsigned long long)gate->grants);
		return listed == (int64_t)gate->grants;
	}
	return false;
}

TEST_F_TIMEOUT(fuzz, agent, 400)
{
	struct raw_gate gate;

	for (unsigned int i = 0; i < MESSAGES; i++) {
		break_and_send(&self->stage, &self->stage.agent);
		drain(&self->stage.agent);
		if (i % CHECK_EVERY)
			continue;
		/* By chance it may have unbound itself. */
		ASSERT_EQ(0, raw_bind(&self->stage.agent,
				      (const char *)gate_secret))
			TH_LOG("after message %u", i);
		ASSERT_TRUE(counts_agree(&self->stage.agent, &gate))
			TH_LOG("after message %u", i);
		ASSERT_EQ(TRUSTGATE_GATE_STATE_ARMED, gate.state);
	}
	ASSERT_EQ(0, raw_revoke(&self->stage.agent, 0));
	EXPECT_EQ(0, raw_count_grants(&self->stage.agent));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(0, gate.grants);
	EXPECT_EQ(0, gate.subjects);
}

/* Whoever is not the agent changes nothing, however hard he tries. */
TEST_F_TIMEOUT(fuzz, stranger, 100)
{
	struct raw_gate before, after;
	struct raw_socket stranger;

	ASSERT_EQ(0, raw_open(&stranger));
	ASSERT_EQ(0, raw_gate(&stranger, &before));
	for (unsigned int i = 0; i < MESSAGES / 4; i++) {
		break_and_send(&self->stage, &stranger);
		drain(&stranger);
	}
	ASSERT_EQ(0, raw_gate(&stranger, &after));
	EXPECT_EQ(before.volumes, after.volumes);
	EXPECT_EQ(before.grants, after.grants);
	EXPECT_EQ(before.agent_portid, after.agent_portid);
	EXPECT_EQ(before.event_seq, after.event_seq);
	raw_close(&stranger);
}

/* Nothing but bytes. */
TEST_F_TIMEOUT(fuzz, garbage, 100)
{
	struct nlmsghdr *header = (struct nlmsghdr *)self->stage.message->bytes;
	struct raw_gate gate;

	for (unsigned int i = 0; i < MESSAGES / 4; i++) {
		size_t length = chance(600);

		for (size_t j = 0; j < length; j++)
			self->stage.message->bytes[j] = (uint8_t)chance(256);
		header->nlmsg_type = self->stage.agent.family;
		if (chance(2))
			header->nlmsg_len = (uint32_t)length;
		send_bytes(self->stage.agent.fd, self->stage.message, length);
		drain(&self->stage.agent);
	}
	ASSERT_EQ(0, raw_bind(&self->stage.agent, (const char *)gate_secret));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	EXPECT_EQ(0, gate.grants);
	EXPECT_EQ(TRUSTGATE_GATE_STATE_ARMED, gate.state);
}

TEST_HARNESS_MAIN
