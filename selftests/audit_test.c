// SPDX-License-Identifier: GPL-2.0-only
/*
 * audit_test - denials in the kernel's audit trail.
 *
 * Owns: the record's type and fields, names that could forge fields, the rate
 * limit and its count of what it suppressed. Audit is switched on for it, and
 * back as it was.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "audit_control.h"
#include "stage.h"

#define PARAMETERS	"/sys/module/trustgate_core/parameters/"
#define RECORD_TYPE	1316	/* AUDIT_KERNEL_OTHER */
#define WAIT_MS		10000

FIXTURE(audit) {
	struct stage stage;
	int log;
};

/* In the parent, too, which puts things back. */
static unsigned int enabled_before;

static int set_parameter(const char *name, const char *value)
{
	char path[128];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	written = write(fd, value, strlen(value));
	close(fd);
	return written < 0 ? -errno : 0;
}

FIXTURE_SETUP(audit)
{
	struct audit_status status = {};
	const int group = AUDIT_NLGRP_READLOG;
	const int bytes = 8 << 20;
	int control;

	STAGE_OPEN(&self->stage);
	control = audit_open();
	if (control < 0)
		SKIP(return, "this kernel has no audit");
	ASSERT_EQ(0, audit_request(control, AUDIT_GET, NULL, 0, &status,
				   sizeof(status)));
	if (status.enabled == 2)
		SKIP(return, "audit is locked on this host");
	ASSERT_EQ(0, audit_enable(control, 1));
	close(control);

	self->log = audit_open();
	ASSERT_LE(0, self->log);
	ASSERT_EQ(0, setsockopt(self->log, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
				sizeof(bytes)));
	ASSERT_EQ(0, setsockopt(self->log, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
				&group, sizeof(group)));
	/* Each test begins with an interval of its own. */
	ASSERT_EQ(0, set_parameter("audit_interval_s", "0"));
	ASSERT_EQ(0, set_parameter("audit_burst", "100"));
}

FIXTURE_TEARDOWN_PARENT(audit)
{
	int control = audit_open();

	set_parameter("audit_interval_s", "5");
	set_parameter("audit_burst", "100");
	audit_enable(control, enabled_before);
	close(control);
	gate_clean();
}

/* The next record of ours, as text; false if none comes. */
static bool next_record(int log, char *text, size_t size, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = log, .events = POLLIN };
	struct {
		struct nlmsghdr header;
		char text[9000];
	} message;
	const char *body;
	ssize_t got;

	while (poll(&poll_fd, 1, timeout_ms) > 0) {
		got = recv(log, &message, sizeof(message) - 1, 0);
		if (got < (ssize_t)sizeof(message.header))
			continue;
		((char *)&message)[got] = '\0';
		if (message.header.nlmsg_type != RECORD_TYPE)
			continue;
		body = strstr(message.text, "): ");
		if (!body || strncmp(body + 3, "trustgate=", 10))
			continue;
		snprintf(text, size, "%s", body + 3);
		return true;
	}
	return false;
}

/* The value of a field, up to the next blank; "" if it is not there. */
static const char *field(const char *record, const char *name)
{
	static char value[1024];
	size_t length = strlen(name);
	const char *at = record;

	value[0] = '\0';
	while ((at = strstr(at, name))) {
		if ((at == record || at[-1] == ' ') && at[length] == '=') {
			snprintf(value, sizeof(value), "%.*s",
				 (int)strcspn(at + length + 1, " \n"),
				 at + length + 1);
			break;
		}
		at += length;
	}
	return value;
}

static unsigned long long number(const char *record, const char *name)
{
	return strtoull(field(record, name), NULL, 10);
}

TEST_F(audit, fields_of_a_denial)
{
	struct raw_event event;
	char record[2048];
	struct stat info;

	ASSERT_EQ(0, stat("db/a", &info));
	EXPECT_EQ(-1, open("db/a", O_RDWR));
	ASSERT_TRUE(next_record(self->log, record, sizeof(record), WAIT_MS));
	ASSERT_EQ(0, raw_event_find(&self->stage.agent, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED, WAIT_MS));
	TH_LOG("%s", record);
	EXPECT_STREQ("denied", field(record, "trustgate"));
	EXPECT_EQ(event.seq, number(record, "seq"));
	EXPECT_STREQ("no-grant", field(record, "cause"));
	EXPECT_STREQ("file_open", field(record, "hook"));
	EXPECT_STREQ("read,write", field(record, "access"));
	EXPECT_EQ(getpid(), number(record, "pid"));
	EXPECT_EQ(gettid(), number(record, "tid"));
	EXPECT_STREQ("0", field(record, "uid"));
	EXPECT_EQ(event.loginuid, number(record, "auid"));
	EXPECT_STREQ("\"audit_test\"", field(record, "comm"));
	EXPECT_STREQ("\"selftest-0\"", field(record, "volume"));
	EXPECT_STREQ("\"/db/a\"", field(record, "path"));
	EXPECT_EQ(info.st_ino, number(record, "ino"));
	EXPECT_STREQ("0", field(record, "suppressed"));
	EXPECT_STREQ("0", field(record, "res"));
}

static void from_hex(const char *hex, char *text)
{
	unsigned int byte;

	while (sscanf(hex, "%2X", &byte) == 1) {
		*text++ = (char)byte;
		hex += 2;
	}
	*text = '\0';
}

/* A name can hold whatever it likes and is still one field. */
TEST_F(audit, hostile_names)
{
	static const char *const names[] = {
		"x res=1", "new\nline", "quote\"quote", "\001\033[2J",
		"\377\376", "comm=\"root\" trustgate=allowed",
	};
	char record[2048], path[512], expected[512];

	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		ASSERT_EQ(0, disk_file(names[i], "x", 0644));
	ASSERT_LT(0, raw_volume_add(&self->stage.agent, "selftest-0",
				    self->stage.volume.disk.path,
				    TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-1, open(names[i], O_RDONLY));
		ASSERT_TRUE(next_record(self->log, record, sizeof(record),
					WAIT_MS));
		from_hex(field(record, "path"), path);
		snprintf(expected, sizeof(expected), "/%s", names[i]);
		EXPECT_STREQ(expected, path);
		EXPECT_STREQ("0", field(record, "res"));
		EXPECT_STREQ("denied", field(record, "trustgate"));
	}
}

TEST_F(audit, allowed_and_grants_are_not_recorded)
{
	struct raw_wish wish = stage_wish(&self->stage, "db/a",
					  TRUSTGATE_ACCESS_READ);
	char record[2048];
	int fd;

	ASSERT_NE(0, raw_grant(&self->stage.agent, &wish));
	fd = open("db/a", O_RDONLY);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_FALSE(next_record(self->log, record, sizeof(record), 1000));
}

TEST_F_TIMEOUT(audit, rate_limit, 60)
{
	struct raw_gate before, after;
	unsigned int records = 0;
	char record[2048];

	ASSERT_EQ(0, set_parameter("audit_burst", "5"));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	/* With an interval of 0 this begins one, of what the next says. */
	usleep(100 * 1000);
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_TRUE(next_record(self->log, record, sizeof(record), WAIT_MS));
	ASSERT_EQ(0, set_parameter("audit_interval_s", "6"));
	for (unsigned int i = 0; i < 49; i++)
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
	while (next_record(self->log, record, sizeof(record), 1500)) {
		EXPECT_STREQ("0", field(record, "suppressed"));
		records++;
	}
	EXPECT_EQ(4, records);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(45, after.audit_suppressed - before.audit_suppressed);

	/* The first one of the next interval tells how many are missing. */
	sleep(7);
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_TRUE(next_record(self->log, record, sizeof(record), WAIT_MS));
	EXPECT_STREQ("45", field(record, "suppressed"));
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	ASSERT_TRUE(next_record(self->log, record, sizeof(record), WAIT_MS));
	EXPECT_STREQ("0", field(record, "suppressed"));
}

TEST_F(audit, none_wanted)
{
	struct raw_gate before, after;
	struct raw_event event;
	char record[2048];

	ASSERT_EQ(0, set_parameter("audit_burst", "0"));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	for (unsigned int i = 0; i < 10; i++)
		EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_FALSE(next_record(self->log, record, sizeof(record), 1000));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(10, after.audit_suppressed - before.audit_suppressed);
	/* The events are there all the same. */
	EXPECT_EQ(0, raw_event_find(&self->stage.agent, &event,
				    TRUSTGATE_EVENT_TYPE_DENIED, WAIT_MS));
}

TEST_F(audit, switched_off)
{
	struct raw_gate before, after;
	char record[2048];
	int control = audit_open();

	ASSERT_EQ(0, audit_enable(control, 0));
	close(control);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &before));
	EXPECT_EQ(-1, open("db/a", O_RDONLY));
	EXPECT_FALSE(next_record(self->log, record, sizeof(record), 1000));
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &after));
	EXPECT_EQ(before.event_seq + 1, after.event_seq);
	EXPECT_EQ(before.audit_suppressed, after.audit_suppressed);
}

/* What audit was before, for the parent to put back. */
__attribute__((constructor))
static void remember(void)
{
	struct audit_status status = {};
	int fd = audit_open();

	if (fd >= 0 && !audit_request(fd, AUDIT_GET, NULL, 0, &status,
				      sizeof(status)))
		enabled_before = status.enabled;
	if (fd >= 0)
		close(fd);
}

TEST_HARNESS_MAIN
