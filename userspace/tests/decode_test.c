// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoding of whole, cut, and damaged messages.
 *
 * Owns: checks of libtrustgate's decode.c; run with sanitizers, so that a read
 * beyond the end of what is given is a failure.
 *
 * Must not own: sockets.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>

#include "check.h"
#include "decode.h"

#define DAMAGED_ROUNDS 40000

/* Attributes as the kernel would send them. */
struct attrs {
	struct nl_msg *msg;
};

static struct attrs attrs_new(void)
{
	return (struct attrs){ .msg = nlmsg_alloc_size(64 * 1024) };
}

/* A copy of exactly @length bytes, so that the sanitizer knows its end. */
static void *exact_copy(const struct attrs *attrs, size_t length)
{
	void *copy = malloc(length ? length : 1);

	if (!copy)
		abort();
	memcpy(copy, nlmsg_data(nlmsg_hdr(attrs->msg)), length);
	return copy;
}

static size_t attrs_length(const struct attrs *attrs)
{
	return nlmsg_datalen(nlmsg_hdr(attrs->msg));
}

static struct nl_msg *make_event(void)
{
	struct nl_msg *msg = attrs_new().msg;

	nla_put_u64(msg, TRUSTGATE_A_EVENT_SEQ, 17);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_TYPE, TRUSTGATE_EVENT_TYPE_DENIED);
	nla_put_u64(msg, TRUSTGATE_A_EVENT_TIME_BOOTTIME_NS, 1000000017);
	nla_put_u64(msg, TRUSTGATE_A_EVENT_DROPPED, 3);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_VOLUME_ID, 1);
	nla_put_string(msg, TRUSTGATE_A_EVENT_VOLUME_NAME, "acme");
	nla_put_u64(msg, TRUSTGATE_A_EVENT_GRANT_ID, UINT64_MAX);
	nla_put_u64(msg, TRUSTGATE_A_EVENT_TAG, 5);
	nla_put_string(msg, TRUSTGATE_A_EVENT_HOOK, "file_open");
	nla_put_u32(msg, TRUSTGATE_A_EVENT_ACCESS, TRUSTGATE_ACCESS_READ);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_CAUSE, TRUSTGATE_CAUSE_NO_GRANT);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_END, TRUSTGATE_END_NONE);
	nla_put_s32(msg, TRUSTGATE_A_EVENT_PID, 1234);
	nla_put_s32(msg, TRUSTGATE_A_EVENT_TID, 1235);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_UID, 0);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_LOGINUID, UINT32_MAX);
	nla_put_string(msg, TRUSTGATE_A_EVENT_COMM, "cat");
	nla_put_u64(msg, TRUSTGATE_A_EVENT_INO, 12);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_INODE_GENERATION, 2);
	nla_put_string(msg, TRUSTGATE_A_EVENT_PATH, "db/main.sqlite");
	nla_put_u64(msg, TRUSTGATE_A_EVENT_EXPIRES_BOOTTIME_NS, 9);
	nla_put_s32(msg, TRUSTGATE_A_EVENT_TARGET_PID, 4321);
	return msg;
}

static struct nl_msg *make_volume(unsigned int counters)
{
	struct nl_msg *msg = attrs_new().msg;

	nla_put_u32(msg, TRUSTGATE_A_VOLUME_ID, 1);
	nla_put_string(msg, TRUSTGATE_A_VOLUME_NAME, "acme");
	nla_put_string(msg, TRUSTGATE_A_VOLUME_FSTYPE, "ext4");
	nla_put(msg, TRUSTGATE_A_VOLUME_UUID, 16, "0123456789abcdef");
	nla_put_string(msg, TRUSTGATE_A_VOLUME_DEVICE, "254:16");
	nla_put_u64(msg, TRUSTGATE_A_VOLUME_MAX_DURATION_NS, 3600);
	nla_put_u32(msg, TRUSTGATE_A_VOLUME_ON_AGENT_LOSS, TRUSTGATE_ON_AGENT_LOSS_REVOKE);
	nla_put_u32(msg, TRUSTGATE_A_VOLUME_RECORD, TRUSTGATE_RECORD_ALLOWED);
	nla_put_u32(msg, TRUSTGATE_A_VOLUME_METADATA, TRUSTGATE_METADATA_HIDDEN);
	nla_put_u32(msg, TRUSTGATE_A_VOLUME_AUDIT, TRUSTGATE_AUDIT_STRICT);
	nla_put_u32(msg, TRUSTGATE_A_VOLUME_LEAST_ON_END, TRUSTGATE_ON_END_KILL);
	nla_put_u64(msg, TRUSTGATE_A_VOLUME_GRANTS, 3);
	nla_put_u64(msg, TRUSTGATE_A_VOLUME_ADDED_BOOTTIME_NS, 4);
	nla_put_u64(msg, TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS, 8);
	nla_put_u64(msg, TRUSTGATE_A_VOLUME_OBSERVED_SINCE_BOOTTIME_NS, 9);
	for (unsigned int i = 0; i < counters; i++) {
		struct nlattr *nest = nla_nest_start(msg, TRUSTGATE_A_VOLUME_COUNTER);

		nla_put_u32(msg, TRUSTGATE_A_COUNTER_CAUSE, i);
		nla_put_u64(msg, TRUSTGATE_A_COUNTER_COUNT, 100 + i);
		if (i)
			nla_put_u64(msg, TRUSTGATE_A_COUNTER_OBSERVED, 200 + i);
		nla_nest_end(msg, nest);
	}
	return msg;
}

/* One on devices that take so many bytes, said so many times. */
static struct nl_msg *make_volume_with(int attribute, int bytes, unsigned int times)
{
	uint32_t numbers[TRUSTGATE_LOWER_DEVICES_MAX + 1];
	struct nl_msg *msg = make_volume(0);

	for (unsigned int i = 0; i < TRUSTGATE_LOWER_DEVICES_MAX + 1; i++)
		numbers[i] = 256 + i;
	for (unsigned int i = 0; i < times; i++)
		nla_put(msg, attribute, bytes, numbers);
	return msg;
}

static struct nl_msg *make_volume_on(int bytes, unsigned int times)
{
	return make_volume_with(TRUSTGATE_A_VOLUME_LOWER_DEVICES, bytes, times);
}

static struct nl_msg *make_grant(void)
{
	struct nl_msg *msg = attrs_new().msg;

	nla_put_u64(msg, TRUSTGATE_A_GRANT_ID, 42);
	nla_put_u32(msg, TRUSTGATE_A_GRANT_VOLUME_ID, 1);
	nla_put_s32(msg, TRUSTGATE_A_GRANT_PID, 1234);
	nla_put_u64(msg, TRUSTGATE_A_GRANT_START_TICKS, 777);
	nla_put_u32(msg, TRUSTGATE_A_GRANT_FLAGS, TRUSTGATE_GRANT_FLAGS_KEEP_EXEC);
	nla_put_u32(msg, TRUSTGATE_A_GRANT_OBJECT_KIND, TRUSTGATE_OBJECT_KIND_SUBTREE);
	nla_put_u32(msg, TRUSTGATE_A_GRANT_ACCESS, TRUSTGATE_ACCESS_READ);
	nla_put_u64(msg, TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS, 900);
	nla_put_u32(msg, TRUSTGATE_A_GRANT_REASON, TRUSTGATE_REASON_INCIDENT);
	nla_put_string(msg, TRUSTGATE_A_GRANT_TICKET, "SR-4711");
	nla_put_u64(msg, TRUSTGATE_A_GRANT_SINCE_BOOTTIME_NS, 31);
	return msg;
}

static struct nl_msg *make_added(unsigned int count)
{
	struct nl_msg *msg = attrs_new().msg;

	for (unsigned int i = 0; i < count; i++) {
		struct nlattr *nest = nla_nest_start(msg, TRUSTGATE_A_BATCH_ADDED);

		nla_put_u64(msg, TRUSTGATE_A_GRANT_ID, 1 + i);
		nla_put_s32(msg, TRUSTGATE_A_GRANT_PID, 1000 + i);
		nla_nest_end(msg, nest);
	}
	return msg;
}

static struct nl_msg *make_gate(void)
{
	struct nl_msg *msg = attrs_new().msg;

	nla_put_u32(msg, TRUSTGATE_A_GATE_ABI_VERSION, 1);
	nla_put_u32(msg, TRUSTGATE_A_GATE_STATE, TRUSTGATE_GATE_STATE_ARMED);
	nla_put_u64(msg, TRUSTGATE_A_GATE_GRANTS_MAX, UINT64_MAX);
	nla_put_string(msg, TRUSTGATE_A_GATE_HOOK, "file_open");
	nla_put_string(msg, TRUSTGATE_A_GATE_HOOK, "mmap_file");
	return msg;
}

/* With so many volumes that are observed, or were. */
static struct nl_msg *make_gate_observing(unsigned int count, const char *name)
{
	struct nl_msg *msg = make_gate();

	for (unsigned int i = 0; i < count; i++) {
		struct nlattr *nest = nla_nest_start(msg, TRUSTGATE_A_GATE_OBSERVATION);

		nla_put_string(msg, TRUSTGATE_A_OBSERVATION_VOLUME_NAME, name);
		nla_put_u64(msg, TRUSTGATE_A_OBSERVATION_SINCE_BOOTTIME_NS, 5);
		nla_put_u64(msg, TRUSTGATE_A_OBSERVATION_UNTIL_BOOTTIME_NS, 6 + i);
		nla_put_u32(msg, TRUSTGATE_A_OBSERVATION_TIMES, 7);
		if (i)
			nla_put_flag(msg, TRUSTGATE_A_OBSERVATION_LIVE);
		nla_nest_end(msg, nest);
	}
	return msg;
}

static struct nl_msg *make_family(void)
{
	struct nl_msg *msg = attrs_new().msg;
	struct nlattr *groups, *group;

	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, 33);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "trustgate");
	nla_put_u32(msg, CTRL_ATTR_VERSION, 1);
	groups = nla_nest_start(msg, CTRL_ATTR_MCAST_GROUPS);
	group = nla_nest_start(msg, 1);
	nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, 9);
	nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, "other");
	nla_nest_end(msg, group);
	group = nla_nest_start(msg, 2);
	nla_put_u32(msg, CTRL_ATTR_MCAST_GRP_ID, 10);
	nla_put_string(msg, CTRL_ATTR_MCAST_GRP_NAME, "events");
	nla_nest_end(msg, group);
	nla_nest_end(msg, groups);
	return msg;
}

static struct nl_msg *make_ext_ack(void)
{
	struct nl_msg *msg = attrs_new().msg;

	nla_put_string(msg, NLMSGERR_ATTR_MSG, "the pid does not exist");
	nla_put_u32(msg, NLMSGERR_ATTR_OFFS, 28);
	nla_put_u32(msg, NLMSGERR_ATTR_MISS_TYPE, 2);
	nla_put_u32(msg, NLMSGERR_ATTR_MISS_NEST, 24);
	return msg;
}

static struct nl_msg *make_number(int type, uint64_t number)
{
	struct nl_msg *msg = attrs_new().msg;

	nla_put_u64(msg, type, number);
	return msg;
}

/* ---- every decoder in one shape ---- */

static int decode_family(const void *attrs, size_t length)
{
	struct family_info info;

	return trustgate_decode_family(attrs, length, &info);
}

static int decode_gate(const void *attrs, size_t length)
{
	struct trustgate_gate gate;
	int r = trustgate_decode_gate(attrs, length, &gate);

	if (!r)
		trustgate_gate_clear(&gate);
	return r;
}

static int decode_agent(const void *attrs, size_t length)
{
	uint64_t seq;

	return trustgate_decode_agent(attrs, length, &seq);
}

static int decode_volume(const void *attrs, size_t length)
{
	struct trustgate_volume volume;
	int r = trustgate_decode_volume(attrs, length, &volume);

	/* Terminated whatever came. */
	if (!r && (memchr(volume.name, 0, sizeof(volume.name)) == NULL ||
		   memchr(volume.fstype, 0, sizeof(volume.fstype)) == NULL))
		abort();
	return r;
}

static int decode_grant(const void *attrs, size_t length)
{
	struct trustgate_grant grant;
	int r = trustgate_decode_grant(attrs, length, &grant);

	if (!r && memchr(grant.ticket, 0, sizeof(grant.ticket)) == NULL)
		abort();
	return r;
}

static int decode_added(const void *attrs, size_t length)
{
	struct trustgate_grant_added added[3];

	return trustgate_decode_added(attrs, length, 3, added);
}

/* One of the numbers that the library decodes alike. */
static int trustgate_decode_ended(const void *attrs, size_t length, uint64_t *ret_ended)
{
	return trustgate_decode_total(attrs, length, TRUSTGATE_A_REVOCATION_ENDED, ret_ended);
}

static int decode_ended(const void *attrs, size_t length)
{
	uint64_t ended;

	return trustgate_decode_ended(attrs, length, &ended);
}

static int decode_event(const void *attrs, size_t length)
{
	struct trustgate_event event;
	int r = trustgate_decode_event(attrs, length, &event);

	if (!r && (memchr(event.path, 0, sizeof(event.path)) == NULL ||
		   memchr(event.comm, 0, sizeof(event.comm)) == NULL))
		abort();
	return r;
}

static int decode_ext_ack(const void *attrs, size_t length)
{
	struct ext_ack ack;
	int r = trustgate_decode_ext_ack(attrs, length, &ack);
	volatile char last;

	/* The message must lie within what was given. */
	if (!r && ack.message_length) {
		last = ack.message[ack.message_length - 1];
		(void)last;
	}
	return r;
}

struct decoder {
	const char *name;
	int (*decode)(const void *attrs, size_t length);
	struct nl_msg *msg;
};

/*
 * Every beginning of a good message. One that ends between two attributes may
 * be understood, any other must be refused.
 */
static void test_cut(const struct decoder *decoder)
{
	struct attrs attrs = { .msg = decoder->msg };
	size_t length = attrs_length(&attrs);
	const struct nlattr *attr = nlmsg_data(nlmsg_hdr(attrs.msg));
	unsigned int wrong = 0;
	bool *boundary;
	int rest = length;

	boundary = calloc(length + 1, sizeof(*boundary));
	if (!boundary)
		abort();
	boundary[0] = true;
	for (; nla_ok(attr, rest); attr = nla_next(attr, &rest)) {
		size_t at = (const char *)attr - (const char *)nlmsg_data(nlmsg_hdr(attrs.msg));

		/* Without the padding behind it, an attribute is whole, too. */
		for (size_t end = at + attr->nla_len; end <= at + NLA_ALIGN(attr->nla_len); end++)
			if (end <= length)
				boundary[end] = true;
	}
	for (size_t cut = 0; cut < length; cut++) {
		void *copy = exact_copy(&attrs, cut);
		int r = decoder->decode(copy, cut);

		wrong += !boundary[cut] && r != -EBADMSG;
		wrong += r && r != -EBADMSG;
		free(copy);
	}
	free(boundary);
	check_report(!wrong, __FILE__, __LINE__, "%s: %u wrong answers to cut messages",
		     decoder->name, wrong);
}

static void test_damaged(const struct decoder *decoder)
{
	struct attrs attrs = { .msg = decoder->msg };
	size_t length = attrs_length(&attrs);
	unsigned int wrong = 0;
	unsigned int refused = 0;

	srandom(1);
	for (unsigned int round = 0; round < DAMAGED_ROUNDS; round++) {
		size_t size = round % 3 ? length : (size_t)random() % (length + 1);
		unsigned char *copy = exact_copy(&attrs, size);
		int r;

		for (long i = random() % 5; size && i >= 0; i--)
			copy[random() % size] = round % 7 ? random() : 0xff;
		r = decoder->decode(copy, size);
		wrong += r && r != -EBADMSG;
		refused += r == -EBADMSG;
		free(copy);
	}
	check_report(!wrong && refused, __FILE__, __LINE__,
		     "%s: %u of %u damaged messages refused, %u wrong answers", decoder->name,
		     refused, DAMAGED_ROUNDS, wrong);
}

static void test_garbage(const struct decoder *decoder)
{
	unsigned int wrong = 0;

	srandom(2);
	for (unsigned int round = 0; round < DAMAGED_ROUNDS / 4; round++) {
		size_t size = random() % 200;
		unsigned char *bytes = calloc(1, size + 1);
		int r;

		if (!bytes)
			abort();

		for (size_t i = 0; i < size; i++)
			bytes[i] = random();
		/* A likely length and type, or nearly all end at the first. */
		if (size >= 4 && round % 2) {
			bytes[1] = 0;
			bytes[2] %= 24;
			bytes[3] = 0;
		}
		r = decoder->decode(bytes, size);
		wrong += r && r != -EBADMSG;
		free(bytes);
	}
	check_report(!wrong, __FILE__, __LINE__, "%s: %u wrong answers to garbage",
		     decoder->name, wrong);
}

/* ---- what a good message means ---- */

#define DECODE(kind, msg_, ret) ({ \
	struct attrs attrs_ = { .msg = (msg_) }; \
	size_t length_ = attrs_length(&attrs_); \
	void *copy_ = exact_copy(&attrs_, length_); \
	int r_ = trustgate_decode_##kind(copy_, length_, (ret)); \
	free(copy_); \
	nlmsg_free(attrs_.msg); \
	r_; \
})

static void test_event(void)
{
	struct trustgate_event event = { 0 };
	struct nl_msg *msg;
	char path[400];

	CHECK_EQUAL(DECODE(event, make_event(), &event), 0);
	CHECK_EQUAL(event.seq, 17);
	CHECK_EQUAL(event.type, TRUSTGATE_EVENT_TYPE_DENIED);
	CHECK_TEXT(event.volume_name, "acme");
	CHECK_EQUAL(event.grant_id, UINT64_MAX);
	CHECK_TEXT(event.hook, "file_open");
	CHECK_EQUAL(event.cause, TRUSTGATE_CAUSE_NO_GRANT);
	CHECK_EQUAL(event.pid, 1234);
	CHECK_EQUAL(event.tid, 1235);
	CHECK_EQUAL(event.loginuid, UINT32_MAX);
	CHECK_EQUAL(event.target_pid, 4321);
	CHECK_TEXT(event.comm, "cat");
	CHECK_TEXT(event.path, "db/main.sqlite");
	CHECK(!event.path_cut);
	CHECK(trustgate_event_has(&event, TRUSTGATE_A_EVENT_UID));
	CHECK(!trustgate_event_has(&event, TRUSTGATE_A_EVENT_PATH_CUT));

	/* Longer than the structure holds: the end is what matters. */
	memset(path, 'a', sizeof(path));
	memcpy(path + sizeof(path) - 5, "/end", 5);
	msg = attrs_new().msg;
	nla_put_u64(msg, TRUSTGATE_A_EVENT_SEQ, 1);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_TYPE, 0);
	nla_put_string(msg, TRUSTGATE_A_EVENT_PATH, path);
	CHECK_EQUAL(DECODE(event, msg, &event), 0);
	CHECK_EQUAL(strlen(event.path), sizeof(event.path) - 1);
	CHECK_TEXT(event.path + sizeof(event.path) - 5, "/end");
	CHECK(event.path_cut);

	/* No terminator, and unknown attributes of a newer kernel. */
	msg = attrs_new().msg;
	nla_put_u64(msg, TRUSTGATE_A_EVENT_SEQ, 1);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_TYPE, 0);
	nla_put(msg, TRUSTGATE_A_EVENT_COMM, 3, "cat");
	nla_put_flag(msg, TRUSTGATE_A_EVENT_PATH_CUT);
	nla_put_u64(msg, TRUSTGATE_A_EVENT_MAX + 1, 1);
	nla_put_u64(msg, 1000, 1);
	CHECK_EQUAL(DECODE(event, msg, &event), 0);
	CHECK_TEXT(event.comm, "cat");
	CHECK(event.path_cut);

	/* Without its number an event is none. */
	msg = attrs_new().msg;
	nla_put_u32(msg, TRUSTGATE_A_EVENT_TYPE, 0);
	CHECK_EQUAL(DECODE(event, msg, &event), -EBADMSG);

	/* Twice, of the wrong size, a name too long. */
	msg = make_event();
	nla_put_u64(msg, TRUSTGATE_A_EVENT_SEQ, 18);
	CHECK_EQUAL(DECODE(event, msg, &event), -EBADMSG);
	msg = attrs_new().msg;
	nla_put_u32(msg, TRUSTGATE_A_EVENT_SEQ, 18);
	CHECK_EQUAL(DECODE(event, msg, &event), -EBADMSG);
	msg = attrs_new().msg;
	nla_put_u64(msg, TRUSTGATE_A_EVENT_SEQ, 1);
	nla_put_u32(msg, TRUSTGATE_A_EVENT_TYPE, 0);
	nla_put_string(msg, TRUSTGATE_A_EVENT_COMM, path);
	CHECK_EQUAL(DECODE(event, msg, &event), -EBADMSG);
}

static void test_volume(void)
{
	struct trustgate_volume volume = { 0 };

	CHECK_EQUAL(DECODE(volume, make_volume(3), &volume), 0);
	CHECK_EQUAL(volume.id, 1);
	CHECK_TEXT(volume.device, "254:16");
	CHECK(!memcmp(volume.uuid, "0123456789abcdef", 16));
	CHECK_EQUAL(volume.on_agent_loss, TRUSTGATE_ON_AGENT_LOSS_REVOKE);
	CHECK_EQUAL(volume.metadata, TRUSTGATE_METADATA_HIDDEN);
	CHECK_EQUAL(volume.audit, TRUSTGATE_AUDIT_STRICT);
	CHECK_EQUAL(volume.least_on_end, TRUSTGATE_ON_END_KILL);
	CHECK_EQUAL(volume.counters_count, 3);
	CHECK_EQUAL(volume.counters[2].cause, 2);
	CHECK_EQUAL(volume.counters[2].count, 102);
	CHECK_EQUAL(volume.counters[2].observed, 202);
	CHECK_EQUAL(volume.counters[0].observed, 0);
	CHECK_EQUAL(volume.observed_until_boottime_ns, 8);
	CHECK_EQUAL(volume.observed_since_boottime_ns, 9);
	CHECK_EQUAL(DECODE(volume, make_volume(TRUSTGATE_COUNTERS_MAX), &volume), 0);
	CHECK_EQUAL(volume.counters_count, TRUSTGATE_COUNTERS_MAX);
	CHECK_EQUAL(DECODE(volume, make_volume(TRUSTGATE_COUNTERS_MAX + 1), &volume), -EBADMSG);
	CHECK_EQUAL(DECODE(volume, attrs_new().msg, &volume), -EBADMSG);
	CHECK_EQUAL(DECODE(volume, make_volume_on(TRUSTGATE_LOWER_DEVICES_MAX * 4, 1), &volume), 0);
	CHECK_EQUAL(volume.lower_count, TRUSTGATE_LOWER_DEVICES_MAX);
	CHECK_EQUAL(volume.lower[3], 259);
	CHECK_EQUAL(volume.own_count, 0);
	CHECK_EQUAL(DECODE(volume, make_volume_with(TRUSTGATE_A_VOLUME_OWN_DEVICES, 8, 1), &volume), 0);
	CHECK_EQUAL(volume.own_count, 2);
	CHECK_EQUAL(volume.own[1], 257);
	CHECK_EQUAL(volume.lower_count, 0);
	CHECK_EQUAL(DECODE(volume, make_volume_with(TRUSTGATE_A_VOLUME_OWN_DEVICES, 8, 2), &volume),
		    -EBADMSG);
	CHECK_EQUAL(DECODE(volume, make_volume_with(TRUSTGATE_A_VOLUME_LOWER_NODES, 12, 1), &volume), 0);
	CHECK_EQUAL(volume.nodes_count, 3);
	CHECK_EQUAL(volume.nodes[2], 258);
	CHECK_EQUAL(volume.lower_count, 0);
	CHECK_EQUAL(DECODE(volume, make_volume_on(0, 1), &volume), 0);
	CHECK_EQUAL(volume.lower_count, 0);
	CHECK_EQUAL(DECODE(volume, make_volume_on(7, 1), &volume), -EBADMSG);
	CHECK_EQUAL(DECODE(volume, make_volume_on(8, 2), &volume), -EBADMSG);
	CHECK_EQUAL(DECODE(volume, make_volume_on(TRUSTGATE_LOWER_DEVICES_MAX * 4 + 4, 1),
			   &volume), -EBADMSG);
}

static void test_grants(void)
{
	struct trustgate_grant_added added[3] = { 0 };
	struct trustgate_grant grant = { 0 };
	struct attrs attrs;

	CHECK_EQUAL(DECODE(grant, make_grant(), &grant), 0);
	CHECK_EQUAL(grant.id, 42);
	CHECK_EQUAL(grant.object_kind, TRUSTGATE_OBJECT_KIND_SUBTREE);
	CHECK_TEXT(grant.ticket, "SR-4711");
	CHECK_EQUAL(grant.since_boottime_ns, 31);
	CHECK_EQUAL(grant.max_uses, 0);
	CHECK(!(grant.present & UINT64_C(1) << TRUSTGATE_A_GRANT_MAX_USES));

	/* As long as can be, and one byte longer, with and without terminator. */
	for (size_t length = TRUSTGATE_TICKET_MAX; length <= TRUSTGATE_TICKET_MAX + 1; length++) {
		for (size_t terminator = 0; terminator < 2; terminator++) {
			char ticket[TRUSTGATE_TICKET_MAX + 2] = { 0 };
			struct nl_msg *msg = attrs_new().msg;

			memset(ticket, 't', length);
			nla_put_u64(msg, TRUSTGATE_A_GRANT_ID, 1);
			nla_put(msg, TRUSTGATE_A_GRANT_TICKET, length + terminator, ticket);
			CHECK_EQUAL(DECODE(grant, msg, &grant),
				    length > TRUSTGATE_TICKET_MAX ? -EBADMSG : 0);
		}
	}
	CHECK_EQUAL(strlen(grant.ticket), TRUSTGATE_TICKET_MAX);

	for (unsigned int count = 0; count < 5; count++) {
		attrs.msg = make_added(count);
		CHECK_EQUAL(trustgate_decode_added(nlmsg_data(nlmsg_hdr(attrs.msg)),
						   attrs_length(&attrs), 3, added),
			    count == 3 ? 0 : -EBADMSG);
		nlmsg_free(attrs.msg);
	}
	CHECK_EQUAL(added[2].id, 3);
	CHECK_EQUAL(added[2].pid, 1002);
}

static void test_others(void)
{
	struct family_info family = { 0 };
	struct trustgate_gate gate = { 0 };
	struct ext_ack ack = { 0 };
	struct attrs attrs;
	uint64_t number = 0;
	struct nl_msg *msg;
	void *copy;

	CHECK_EQUAL(DECODE(family, make_family(), &family), 0);
	CHECK_EQUAL(family.id, 33);
	CHECK_EQUAL(family.events_group, 10);
	msg = attrs_new().msg;
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, 3);
	CHECK_EQUAL(DECODE(family, msg, &family), -EBADMSG);

	CHECK_EQUAL(DECODE(gate, make_gate(), &gate), 0);
	CHECK_EQUAL(gate.hooks_count, 2);
	CHECK_TEXT(gate.hooks[1], "mmap_file");
	CHECK_EQUAL(gate.grants_max, UINT64_MAX);
	trustgate_gate_clear(&gate);
	CHECK_EQUAL(gate.hooks_count, 0);
	CHECK_EQUAL(DECODE(gate, make_gate_observing(TRUSTGATE_OBSERVATIONS_MAX, "acme"), &gate), 0);
	CHECK_EQUAL(gate.observations_count, TRUSTGATE_OBSERVATIONS_MAX);
	CHECK_TEXT(gate.observations[1].volume_name, "acme");
	CHECK_EQUAL(gate.observations[1].since_boottime_ns, 5);
	CHECK_EQUAL(gate.observations[1].until_boottime_ns, 7);
	CHECK_EQUAL(gate.observations[1].times, 7);
	CHECK(gate.observations[1].live && !gate.observations[0].live);
	trustgate_gate_clear(&gate);
	CHECK_EQUAL(DECODE(gate, make_gate_observing(TRUSTGATE_OBSERVATIONS_MAX + 1, "acme"), &gate),
		    -EBADMSG);
	CHECK_EQUAL(DECODE(gate, make_gate_observing(1, ""), &gate), -EBADMSG);

	CHECK_EQUAL(DECODE(agent, make_number(TRUSTGATE_A_AGENT_EVENT_SEQ, 5), &number), 0);
	CHECK_EQUAL(number, 5);
	CHECK_EQUAL(DECODE(ended, make_number(TRUSTGATE_A_REVOCATION_ENDED, 6), &number), 0);
	CHECK_EQUAL(number, 6);
	CHECK_EQUAL(DECODE(ended, attrs_new().msg, &number), -EBADMSG);

	attrs.msg = make_ext_ack();
	copy = exact_copy(&attrs, attrs_length(&attrs));
	CHECK_EQUAL(trustgate_decode_ext_ack(copy, attrs_length(&attrs), &ack), 0);
	CHECK_EQUAL(ack.message_length, strlen("the pid does not exist"));
	CHECK_EQUAL(ack.offset, 28);
	CHECK_EQUAL(ack.missing_type, 2);
	CHECK_EQUAL(ack.missing_nest, 24);
	free(copy);
	nlmsg_free(attrs.msg);
}

int main(void)
{
	const struct decoder decoders[] = {
		{ "family", decode_family, make_family() },
		{ "gate", decode_gate, make_gate() },
		{ "agent", decode_agent, make_number(TRUSTGATE_A_AGENT_EVENT_SEQ, 5) },
		{ "volume", decode_volume, make_volume(5) },
		{ "grant", decode_grant, make_grant() },
		{ "added", decode_added, make_added(3) },
		{ "ended", decode_ended, make_number(TRUSTGATE_A_REVOCATION_ENDED, 6) },
		{ "event", decode_event, make_event() },
		{ "ext_ack", decode_ext_ack, make_ext_ack() },
	};

	test_event();
	test_volume();
	test_grants();
	test_others();
	for (size_t i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++) {
		test_cut(&decoders[i]);
		test_damaged(&decoders[i]);
		test_garbage(&decoders[i]);
		nlmsg_free(decoders[i].msg);
	}
	return check_end();
}
