// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may ask for what, as a table.
 */
#include <errno.h>
#include <stdlib.h>

#include <trustgate.h>

#include "authorise.h"
#include "authorise_approval.h"
#include "check.h"

#define ROOT	0
#define ALICE	1000
#define DBA	1001
#define EVE	1002

#define MINUTE	UINT64_C(60000000000)
#define BIT(reason) (UINT32_C(1) << (reason))

static struct config_user trustees[] = { { ALICE, (char *)"alice" } };
static struct config_user dbas[] = { { DBA, (char *)"dba" } };

static struct config_rule rules[] = {
	{ dbas, 1, (char *)"db", TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE,
	  15 * MINUTE,
	  BIT(TRUSTGATE_REASON_CUSTOMER_TICKET) | BIT(TRUSTGATE_REASON_INCIDENT) },
	{ dbas, 1, (char *)"log", TRUSTGATE_ACCESS_READ, 60 * MINUTE,
	  BIT(TRUSTGATE_REASON_MAINTENANCE) },
};

static struct config_volume volumes[] = {
	{ .name = (char *)"acme", .path = (char *)"/srv/acme", .rules = rules, .rules_count = 2 },
	{ .name = (char *)"beta", .path = (char *)"/srv/beta" },
};

static const struct config config = {
	.trustees = trustees, .trustees_count = 1,
	.volumes = volumes, .volumes_count = 2,
};

static void test_asks(void)
{
	static const struct {
		uid_t uid;
		bool read, revoke, volumes, grant;
	} table[] = {
		{ ALICE, true, true, true, true },
		{ ROOT, true, true, false, false },
		{ DBA, false, false, false, false },
		{ EVE, false, false, false, false },
	};
	struct refusal refusal;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uid_t uid = table[i].uid;

		CHECK_EQUAL(authorise(&config, uid, ASK_READ, &refusal),
			    table[i].read ? 0 : -EPERM);
		CHECK_EQUAL(authorise(&config, uid, ASK_REVOKE, &refusal),
			    table[i].revoke ? 0 : -EPERM);
		CHECK_EQUAL(authorise(&config, uid, ASK_VOLUMES, &refusal),
			    table[i].volumes ? 0 : -EPERM);
		CHECK_EQUAL(authorise(&config, uid, ASK_GRANT, &refusal),
			    table[i].grant ? 0 : -EPERM);
		CHECK_EQUAL(authorise(&config, uid, ASK_OBSERVE, &refusal),
			    uid == ALICE ? 0 : -EPERM);
	}
	memset(&refusal, 0, sizeof(refusal));
	CHECK_EQUAL(authorise(&config, ROOT, ASK_GRANT, &refusal), -EPERM);
	CHECK_EQUAL(refusal.kind, REFUSAL_NOT_PERMITTED);
	CHECK_TEXT(refusal.who, "uid 0 (root)");
	CHECK_TEXT(refusal.message, "give a grant to another process");
	CHECK_TEXT(refusal.cure, "ask one of the trustees in the agent's configuration");
	CHECK_EQUAL(authorise(&config, EVE, ASK_READ, &refusal), -EPERM);
	CHECK_TEXT(refusal.who, "uid 1002");
}

static int beneath(const char *path, void *userdata)
{
	const char *object = userdata;

	if (!strcmp(object, "error"))
		return -EIO;
	return !strncmp(object, path, strlen(path));
}

static void test_self_grants(void)
{
	static const struct {
		uid_t uid;
		const char *volume, *object;
		uint32_t access;
		uint64_t duration_ns, delay_ns;
		uint32_t reason;
		/* what the refusal says; NULL if it is allowed */
		const char *what, *cure;
	} table[] = {
		{ DBA, "acme", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT, NULL, NULL },
		{ DBA, "acme", "db", TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE,
		  15 * MINUTE, 0, TRUSTGATE_REASON_CUSTOMER_TICKET, NULL, NULL },
		{ DBA, "acme", "log/y", TRUSTGATE_ACCESS_READ, 60 * MINUTE, 0,
		  TRUSTGATE_REASON_MAINTENANCE, NULL, NULL },
		/* one thing wrong at a time */
		{ EVE, "acme", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT, "grant himself anything on volume \"acme\"",
		  "ask a trustee for the grant, or for a rule in self-grants" },
		{ ROOT, "acme", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT, "grant himself anything on volume \"acme\"",
		  "ask a trustee for the grant, or for a rule in self-grants" },
		{ DBA, "beta", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT, "grant himself anything on volume \"beta\"",
		  "ask a trustee for the grant, or for a rule in self-grants" },
		{ DBA, "gone", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT, "grant himself anything on volume \"gone\"",
		  "ask a trustee for the grant, or for a rule in self-grants" },
		{ DBA, "acme", "mail", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT,
		  "grant himself access outside of \"db\" on volume \"acme\"",
		  "ask for something beneath that path" },
		{ DBA, "acme", "error", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT,
		  "grant himself access outside of \"db\" on volume \"acme\"",
		  "ask for something beneath that path" },
		{ DBA, "acme", "db/x", TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_NAMES, MINUTE, 0,
		  TRUSTGATE_REASON_INCIDENT, "grant himself names on \"db\" of volume \"acme\"",
		  "ask for no more than read,write" },
		{ DBA, "acme", "log/y", TRUSTGATE_ACCESS_WRITE, MINUTE, 0,
		  TRUSTGATE_REASON_MAINTENANCE, "grant himself write on \"log\" of volume \"acme\"",
		  "ask for no more than read" },
		{ DBA, "acme", "db/x", TRUSTGATE_ACCESS_READ, 15 * MINUTE + 1, 0,
		  TRUSTGATE_REASON_INCIDENT,
		  "grant himself more than 15m on \"db\" of volume \"acme\"",
		  "ask for at most 15m" },
		{ DBA, "acme", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 0,
		  TRUSTGATE_REASON_MAINTENANCE,
		  "grant himself \"db\" of volume \"acme\" for the reason maintenance",
		  "reasons that count here: customer-ticket incident" },
		{ DBA, "acme", "db/x", TRUSTGATE_ACCESS_READ, MINUTE, 1,
		  TRUSTGATE_REASON_INCIDENT, "grant himself something for later",
		  "ask when it is needed, or ask a trustee" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct refusal refusal = { 0 };
		struct self_grant wish = {
			.uid = table[i].uid,
			.volume = table[i].volume,
			.access = table[i].access,
			.duration_ns = table[i].duration_ns,
			.delay_ns = table[i].delay_ns,
			.reason = table[i].reason,
			.beneath = beneath,
			.userdata = (void *)table[i].object,
		};

		CHECK_EQUAL(authorise_self_grant(&config, &wish, &refusal),
			    table[i].what ? -EPERM : 0);
		CHECK_EQUAL(refusal.kind, table[i].what ? REFUSAL_NOT_PERMITTED : REFUSAL_NONE);
		if (table[i].what) {
			CHECK_TEXT(refusal.message, table[i].what);
			CHECK_TEXT(refusal.cure, table[i].cure);
		}
	}
}

static void test_reasons(void)
{
	char ticket[TRUSTGATE_TICKET_MAX + 2];
	struct refusal refusal = { 0 };

	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_INCIDENT, NULL, &refusal), 0);
	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_CUSTOMER_TICKET, "SR-1", &refusal), 0);
	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_CUSTOMER_TICKET, NULL, &refusal), -EINVAL);
	CHECK_TEXT(refusal.attribute, "ticket");
	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_CUSTOMER_TICKET, "", &refusal), -EINVAL);
	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_UNSPECIFIED, "SR-1", &refusal), -EINVAL);
	CHECK_TEXT(refusal.attribute, "reason");
	memset(ticket, 'x', sizeof(ticket));
	ticket[TRUSTGATE_TICKET_MAX + 1] = '\0';
	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_INCIDENT, ticket, &refusal), -EINVAL);
	ticket[TRUSTGATE_TICKET_MAX] = '\0';
	CHECK_EQUAL(authorise_reason(TRUSTGATE_REASON_INCIDENT, ticket, &refusal), 0);
}

/* There is no database here, which names come with. */
const char *docket_role_name(uint32_t role)
{
	return role == DOCKET_TENANT ? "tenant" : "trustee";
}

/* Who may approve no more does not count while it is pending. */
static void test_approvals_count(void)
{
	const struct docket_approval approvals[] = {
		{ .uid = ALICE, .role = DOCKET_TRUSTEE, .approves = true,
		  .flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS },
		{ .uid = EVE, .role = DOCKET_TRUSTEE, .approves = true,
		  .flags = TRUSTGATE_GRANT_FLAGS_SUPERVISED },
		{ .uid = ALICE, .role = DOCKET_TENANT, .approves = true },
		{ .uid = ALICE, .role = DOCKET_TRUSTEE, .approves = false },
	};
	struct docket_request request = { .volume = (char *)"acme", .state = DOCKET_PENDING };
	struct approval_need have = approval_count(&config, &request, approvals, 4);

	CHECK(have.trustees == 1);
	CHECK(have.tenants == 0);
	/* What was decided then stays as it was. */
	request.state = DOCKET_COMPLETED;
	have = approval_count(&config, &request, approvals, 4);
	CHECK(have.trustees == 2);
	CHECK(have.tenants == 1);
	/* More takes all of them; to be watched, one of them. */
	CHECK(approval_least(approvals, 2).flags == TRUSTGATE_GRANT_FLAGS_SUPERVISED);
}

int main(void)
{
	test_asks();
	test_self_grants();
	test_reasons();
	test_approvals_count();
	return check_end();
}
