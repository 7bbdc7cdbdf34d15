// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decisions of a policy: conditions one by one, what doubt means, the order of
 * rules. Rules are written as a policy has them, facts are laid out here.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trustgate.h>

#include "check.h"
#include "policy.h"

#define R TRUSTGATE_ACCESS_READ
#define W TRUSTGATE_ACCESS_WRITE
#define X TRUSTGATE_ACCESS_EXEC

#define HEX "00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100"

static char directory[] = "/tmp/trustgate-policy-XXXXXX";
static char path[64];

/* What the C library cannot match it says so, on some systems. */
int __real_fnmatch(const char *glob, const char *text, int flags);
int __wrap_fnmatch(const char *glob, const char *text, int flags);

static bool fnmatch_fails;

int __wrap_fnmatch(const char *glob, const char *text, int flags)
{
	return fnmatch_fails ? -1 : __real_fnmatch(glob, text, flags);
}

static struct policy *load(const char *rules)
{
	char error[CONFIG_ERROR_SIZE];
	struct policy *policy = NULL;
	FILE *file = fopen(path, "we");

	if (!file)
		abort();
	fprintf(file, "volumes:\n  - name: a\n    rules:\n%s", rules);
	fclose(file);
	chmod(path, 0600);
	if (policy_load(path, &policy, error) < 0) {
		printf("Bail out! %s\n", error);
		exit(1);
	}
	return policy;
}

/* A service's process that reads a file, all of it known. */
static struct policy_facts known(void)
{
	struct policy_facts facts = {
		.volume = "a",
		.access = R,
		.path = { POLICY_KNOWN, "db/shop" },
		.exe = { POLICY_KNOWN, "/usr/bin/pg" },
		.sha256 = { .known = POLICY_KNOWN, .bytes = { 1 } },
		.fsverity = { .known = POLICY_NONE },
		.user = { POLICY_KNOWN, 70 },
		.login_user = { .known = POLICY_NONE },
		.unit = { POLICY_KNOWN, "pg@17.service" },
		.cgroup = { POLICY_KNOWN, "/system.slice/pg@17.service" },
	};
	struct policy_digest digest;

	if (policy_digest_parse("sha256:" HEX, &digest))
		abort();
	memcpy(facts.sha256.bytes, digest.bytes, sizeof(digest.bytes));
	return facts;
}

/*
 * What a condition makes of the facts: "yes", "no", or "?" for doubt. It is
 * looked at in a rule that allows, one that asks and one that denies, and what
 * they decide must be what the answer means for them.
 */
static const char *answer(const char *condition, const struct policy_facts *facts)
{
	static const char *const outcomes[] = {
		"allow: {for: 1m, reason: incident}", "ask: {for: 1m, deadline: 1m}", "deny: true",
	};
	static const enum policy_outcome expected[] = { POLICY_ALLOW, POLICY_ASK, POLICY_DENY };
	const char *answers[3];

	for (int i = 0; i < 3; i++) {
		struct policy_verdict verdict;
		struct policy_tried tried[2];
		struct policy *policy;
		char rules[512];
		bool denies = i == 2;

		snprintf(rules, sizeof(rules),
			 "      - {name: one, %s, %s}\n"
			 "      - {name: rest, ask: {for: 5m, deadline: 5m}}\n",
			 condition, outcomes[i]);
		policy = load(rules);
		policy_decide(policy, facts, &verdict, tried);
		answers[i] = tried[0].failed ? "no" : tried[0].unknown ? "?" : "yes";
		if (tried[0].failed || (tried[0].unknown && !denies)) {
			CHECK(!tried[0].matched && verdict.tried == 2);
			CHECK_TEXT(verdict.rule->name, "rest");
		} else {
			CHECK(tried[0].matched && verdict.tried == 1);
			CHECK_TEXT(verdict.rule->name, "one");
			CHECK_EQUAL(verdict.outcome, expected[i]);
		}
		policy_free(policy);
	}
	CHECK_TEXT(answers[1], answers[0]);
	/* Only access and subtrees are looked at in another way to deny. */
	if (strcmp(answers[2], answers[0]))
		return !strcmp(answers[2], "yes") ? "only to deny" : "only to allow";
	return answers[0];
}

static void test_exe(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(answer("exe: /usr/bin/pg", &facts), "yes");
	CHECK_TEXT(answer("exe: /usr/bin/p", &facts), "no");
	CHECK_TEXT(answer("exe: /usr/bin/pgx", &facts), "no");
	CHECK_TEXT(answer("exe: [/bin/sh, /usr/bin/pg]", &facts), "yes");
	CHECK_TEXT(answer("exe: /usr/*/pg", &facts), "yes");
	CHECK_TEXT(answer("exe: /usr/bin/p?", &facts), "yes");
	CHECK_TEXT(answer("exe: '/usr/bin/[op]g'", &facts), "yes");
	CHECK_TEXT(answer("exe: '/usr/bin/[!p]g'", &facts), "no");
	/* No glob reaches over a slash. */
	CHECK_TEXT(answer("exe: /usr/*", &facts), "no");
	CHECK_TEXT(answer("exe: /*pg", &facts), "no");
	CHECK_TEXT(answer("exe: /usr?bin/pg", &facts), "no");
	facts.exe.text = "/usr/bin/p*";
	CHECK_TEXT(answer("exe: '/usr/bin/p*'", &facts), "yes");
	CHECK_TEXT(answer("exe: '/usr/bin/p[*]'", &facts), "yes");
	facts.exe.text = "/usr/bin/p\\g";
	CHECK_TEXT(answer("exe: '/usr/bin/p\\g'", &facts), "yes");
	fnmatch_fails = true;
	CHECK_TEXT(answer("exe: /usr/bin/*", &facts), "?");
	CHECK_TEXT(answer("exe: [/usr/bin/*, '/usr/bin/p\\g']", &facts), "yes");
	fnmatch_fails = false;
	/* What is no path of a program is in doubt. */
	facts.exe.text = "/usr/../pg";
	CHECK_TEXT(answer("exe: /usr/*/pg", &facts), "?");
	facts.exe.text = "usr/bin/pg";
	CHECK_TEXT(answer("exe: /usr/bin/pg", &facts), "?");
	facts.exe.text = "";
	CHECK_TEXT(answer("exe: /usr/bin/pg", &facts), "?");
	facts.exe = (struct policy_text_fact){ POLICY_UNKNOWN, NULL };
	CHECK_TEXT(answer("exe: /usr/bin/pg", &facts), "?");
	facts.exe.known = POLICY_NONE;
	CHECK_TEXT(answer("exe: /usr/bin/pg", &facts), "no");
}

#define OTHER "ff112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100"

static void test_digest(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(answer("digest: sha256:" HEX, &facts), "yes");
	CHECK_TEXT(answer("digest: sha256:" OTHER, &facts), "no");
	CHECK_TEXT(answer("digest: [sha256:" OTHER ", sha256:" HEX "]", &facts), "yes");
	/* A file without fs-verity is not one whose fs-verity nobody knows. */
	CHECK_TEXT(answer("digest: fsverity-sha256:" HEX, &facts), "no");
	facts.fsverity.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("digest: fsverity-sha256:" HEX, &facts), "?");
	CHECK_TEXT(answer("digest: [fsverity-sha256:" HEX ", sha256:" OTHER "]", &facts), "?");
	CHECK_TEXT(answer("digest: [fsverity-sha256:" HEX ", sha256:" HEX "]", &facts), "yes");
	facts.fsverity = facts.sha256;
	facts.sha256.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("digest: fsverity-sha256:" HEX, &facts), "yes");
	CHECK_TEXT(answer("digest: sha256:" HEX, &facts), "?");
	facts.fsverity.bytes[31] ^= 1;
	CHECK_TEXT(answer("digest: fsverity-sha256:" HEX, &facts), "no");
}

static void test_users(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(answer("users: [70]", &facts), "yes");
	CHECK_TEXT(answer("users: [root, 70]", &facts), "yes");
	CHECK_TEXT(answer("users: [root]", &facts), "no");
	facts.user.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("users: [70]", &facts), "?");

	CHECK_TEXT(answer("login-users: [none]", &facts), "yes");
	CHECK_TEXT(answer("login-users: [70]", &facts), "no");
	facts.login_user = (struct policy_user_fact){ POLICY_KNOWN, 70 };
	CHECK_TEXT(answer("login-users: [70]", &facts), "yes");
	CHECK_TEXT(answer("login-users: [none]", &facts), "no");
	/* The user of the process is another thing. */
	CHECK_TEXT(answer("login-users: [root]", &facts), "no");
	facts.login_user.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("login-users: [none]", &facts), "?");
	CHECK_TEXT(answer("login-users: [70]", &facts), "?");
}

static void test_units(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(answer("units: [pg@17.service]", &facts), "yes");
	CHECK_TEXT(answer("units: [pg@*.service]", &facts), "yes");
	CHECK_TEXT(answer("units: [pg@1.service, 'pg*']", &facts), "yes");
	CHECK_TEXT(answer("units: [pg.service]", &facts), "no");
	facts.unit.text = "a\\x2db.service";
	CHECK_TEXT(answer("units: ['a\\x2db.service']", &facts), "yes");
	CHECK_TEXT(answer("units: ['a\\x2d*.service']", &facts), "yes");
	facts.unit.known = POLICY_NONE;
	CHECK_TEXT(answer("units: ['*']", &facts), "no");
	facts.unit.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("units: ['*']", &facts), "?");

	CHECK_TEXT(answer("cgroups: [/system.slice]", &facts), "yes");
	CHECK_TEXT(answer("cgroups: [/system.slice/pg@17.service]", &facts), "yes");
	CHECK_TEXT(answer("cgroups: [/]", &facts), "yes");
	CHECK_TEXT(answer("cgroups: [/system]", &facts), "no");
	CHECK_TEXT(answer("cgroups: [/system.slice/pg@17.service/x]", &facts), "no");
	facts.cgroup.text = "/";
	CHECK_TEXT(answer("cgroups: [/]", &facts), "yes");
	CHECK_TEXT(answer("cgroups: [/a]", &facts), "no");
	facts.cgroup.text = "/system.slice/../user.slice";
	CHECK_TEXT(answer("cgroups: [/system.slice]", &facts), "?");
	facts.cgroup.text = "/../x";
	CHECK_TEXT(answer("cgroups: [/]", &facts), "?");
	facts.cgroup.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("cgroups: [/]", &facts), "?");
	facts.cgroup.known = POLICY_NONE;
	CHECK_TEXT(answer("cgroups: [/]", &facts), "no");
}

static void test_access(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(answer("access: [read]", &facts), "yes");
	CHECK_TEXT(answer("access: [read, write]", &facts), "yes");
	CHECK_TEXT(answer("access: [write]", &facts), "no");
	/* Part of what is wanted is not enough to allow, and is to deny. */
	facts.access = R | W;
	CHECK_TEXT(answer("access: [read, write, exec]", &facts), "yes");
	CHECK_TEXT(answer("access: [write]", &facts), "only to deny");
	CHECK_TEXT(answer("access: [read]", &facts), "only to deny");
	CHECK_TEXT(answer("access: [exec, meta]", &facts), "no");
	/* Nothing, or what nobody has heard of, is in doubt. */
	facts.access = 0;
	CHECK_TEXT(answer("access: [read]", &facts), "?");
	facts.access = R | 1U << 31;
	CHECK_TEXT(answer("access: [read]", &facts), "?");
}

static void test_paths(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(answer("paths: [db]", &facts), "yes");
	CHECK_TEXT(answer("paths: [db/shop]", &facts), "yes");
	CHECK_TEXT(answer("paths: [mail, db/]", &facts), "yes");
	CHECK_TEXT(answer("paths: [.]", &facts), "yes");
	CHECK_TEXT(answer("paths: [d]", &facts), "no");
	CHECK_TEXT(answer("paths: [db/shop/x]", &facts), "no");
	CHECK_TEXT(answer("paths: [db2]", &facts), "no");
	facts.path.text = "db2/shop";
	CHECK_TEXT(answer("paths: [db]", &facts), "no");
	CHECK_TEXT(answer("paths: ['d*']", &facts), "no");

	/* To want a directory with all in it is to want what is denied in it. */
	facts.path.text = "db";
	CHECK_TEXT(answer("paths: [db/secret]", &facts), "no");
	facts.subtree = true;
	CHECK_TEXT(answer("paths: [db/secret]", &facts), "only to deny");
	CHECK_TEXT(answer("paths: [db]", &facts), "yes");
	CHECK_TEXT(answer("paths: [db2/secret]", &facts), "no");
	facts.path.text = ".";
	CHECK_TEXT(answer("paths: [db]", &facts), "only to deny");
	CHECK_TEXT(answer("paths: [.]", &facts), "yes");
	facts.subtree = false;
	CHECK_TEXT(answer("paths: [db]", &facts), "no");

	facts.path.text = "db/../mail";
	CHECK_TEXT(answer("paths: [db]", &facts), "?");
	facts.path.text = "/db";
	CHECK_TEXT(answer("paths: [.]", &facts), "?");
	facts.path.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("paths: [.]", &facts), "?");
	facts.path.known = POLICY_NONE;
	CHECK_TEXT(answer("paths: [.]", &facts), "?");
}

/* All conditions must hold, and it is told of each that does not. */
static void test_several(void)
{
	struct policy_facts facts = known();
	struct policy_verdict verdict;
	struct policy_tried tried[1];
	struct policy *policy;

	CHECK_TEXT(answer("users: [70], units: [pg@17.service], access: [read], paths: [db]", &facts), "yes");
	CHECK_TEXT(answer("users: [71], units: [pg@17.service], access: [read], paths: [db]", &facts), "no");
	facts.user.known = POLICY_UNKNOWN;
	CHECK_TEXT(answer("users: [70], paths: [db]", &facts), "?");
	/* What does not hold settles it, whatever is in doubt. */
	CHECK_TEXT(answer("users: [70], paths: [mail]", &facts), "no");

	policy = load("      - {name: one, users: [70], exe: /x, paths: [mail, db], units: [b.service], "
		      "allow: {for: 1m, reason: incident}}\n");
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_EQUAL(verdict.outcome, POLICY_DENY);
	CHECK(!verdict.rule && verdict.volume && verdict.tried == 1);
	CHECK_EQUAL(tried[0].failed, 1 << POLICY_EXE | 1 << POLICY_UNITS);
	CHECK_EQUAL(tried[0].unknown, 1 << POLICY_USERS);
	policy_free(policy);
}

static void test_order(void)
{
	struct policy_facts facts = known();
	struct policy_verdict verdict;
	struct policy_tried tried[4];
	struct policy *policy;

	policy = load("      - {name: secret, paths: [db/secret], deny: true}\n"
		      "      - {name: write, access: [write], ask: {for: 1m, deadline: 1h}}\n"
		      "      - {name: pg, units: [pg@17.service], allow: {for: 1m, reason: automation}}\n"
		      "      - {name: all, allow: {for: 2m, reason: incident}}\n");
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_EQUAL(verdict.outcome, POLICY_ALLOW);
	CHECK_TEXT(verdict.rule->name, "pg");
	CHECK_EQUAL(verdict.tried, 3);
	CHECK(!tried[0].matched && !tried[1].matched && tried[2].matched);
	policy_decide(policy, &facts, &verdict, NULL);
	CHECK_TEXT(verdict.rule->name, "pg");

	facts.access = W;
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_TEXT(verdict.rule->name, "write");
	CHECK_EQUAL(verdict.outcome, POLICY_ASK);
	facts.path.text = "db/secret/key";
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_TEXT(verdict.rule->name, "secret");
	CHECK_EQUAL(verdict.outcome, POLICY_DENY);
	/* A path that nobody knows may be the secret one. */
	facts.path.known = POLICY_UNKNOWN;
	facts.access = R;
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_TEXT(verdict.rule->name, "secret");
	CHECK_EQUAL(tried[0].unknown, 1 << POLICY_PATHS);

	facts.volume = "b";
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_EQUAL(verdict.outcome, POLICY_DENY);
	CHECK(!verdict.volume && !verdict.rule && !verdict.tried);
	policy_free(policy);

	/* Nothing is known, and still a rule without conditions is for it. */
	policy = load("      - {name: all, ask: {for: 2m, deadline: 1m}}\n");
	facts = (struct policy_facts){ .volume = "a" };
	policy_decide(policy, &facts, &verdict, tried);
	CHECK_TEXT(verdict.rule->name, "all");
	policy_free(policy);
}

/* What a rule gives at once: "PATH ACCESS", or "-" if another is in the way. */
static const char *standing(const char *rules, const struct policy_facts *facts)
{
	static char text[128];
	struct policy *policy = load(rules);
	struct policy_verdict verdict;
	const char *top;
	uint32_t access;

	policy_decide(policy, facts, &verdict, NULL);
	if (verdict.outcome != POLICY_ALLOW)
		strcpy(text, "not allowed");
	else if (policy_standing(&verdict, facts, &top, &access))
		snprintf(text, sizeof(text), "%s %#x", top, access);
	else
		strcpy(text, "-");
	policy_free(policy);
	return text;
}

#define ALLOW "allow: {for: 1m, reason: automation}}\n"
#define ASK "ask: {for: 1m, deadline: 1h}}\n"
#define DENY "deny: true}\n"

static void test_standing(void)
{
	struct policy_facts facts = known();

	CHECK_TEXT(standing("      - {name: r, " ALLOW, &facts), ". 0x1f");
	CHECK_TEXT(standing("      - {name: r, paths: [x, db], access: [read, write], " ALLOW,
			    &facts), "db 0x3");
	/* Not past a rule before it that wants to know, or not to. */
	CHECK_TEXT(standing("      - {name: s, paths: [db/secret], " DENY
			    "      - {name: r, paths: [db], " ALLOW, &facts), "-");
	CHECK_TEXT(standing("      - {name: s, paths: [db/secret], " ASK
			    "      - {name: r, paths: [db], " ALLOW, &facts), "-");
	CHECK_TEXT(standing("      - {name: s, access: [write], " ASK
			    "      - {name: r, paths: [db], " ALLOW, &facts), "-");
	CHECK_TEXT(standing("      - {name: s, paths: [db/secret], " ASK
			    "      - {name: r, " ALLOW, &facts), "-");
	/* One that is for another path, access or process is not in the way. */
	CHECK_TEXT(standing("      - {name: s, paths: [keys], " DENY
			    "      - {name: t, paths: [db], access: [write], " ASK
			    "      - {name: u, users: [4], " DENY
			    "      - {name: v, paths: [db/secret], " ALLOW
			    "      - {name: r, paths: [db], access: [read], " ALLOW
			    "      - {name: w, paths: [db/secret], " DENY, &facts), "db 0x1");
	/* Who may be meant is. */
	facts.user.known = POLICY_UNKNOWN;
	CHECK_TEXT(standing("      - {name: u, users: [4], paths: [db/secret], " ASK
			    "      - {name: r, paths: [db], " ALLOW, &facts), "-");
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/policy.yaml", directory);
	test_exe();
	test_digest();
	test_users();
	test_units();
	test_access();
	test_paths();
	test_several();
	test_order();
	test_standing();
	unlink(path);
	rmdir(directory);
	return check_end();
}
