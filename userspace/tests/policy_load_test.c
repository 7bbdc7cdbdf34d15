// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy file: a good one and what becomes of it, bad ones and the exact
 * complaint.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trustgate.h>

#include "check.h"
#include "config_value.h"
#include "policy.h"

static char directory[] = "/tmp/trustgate-policy-XXXXXX";
static char path[64];

static void write_file(const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file)
		abort();
	fputs(text, file);
	fclose(file);
	chmod(path, 0600);
}

#define RULES "volumes:\n  - name: a\n    rules:\n"
#define RULE RULES "      - name: r\n"
#define HEX "00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100"
#define VOLUME_KEYS "expected a mapping with the keys name, rules"
#define KEYS "name, exe, digest, users, login-users, units, cgroups, access, paths, allow, ask, deny"
#define R ": volumes[0].rules[0]"

/* @expected: behind the file's name. */
static const struct {
	const char *text;
	const char *expected;
} bad[] = {
	/* the shape of the file */
	{ "volumes: [\n", ":2: is not YAML: did not find expected node content while parsing a flow node" },
	{ "- a\n", ":1: is a list; expected a mapping with the keys volumes" },
	{ "rules: []\n", ":1: unknown key \"rules\"; known are volumes" },
	{ "volumes: []\n", ":1: volumes: is an empty list; leave the key out instead" },
	{ "volumes: [a]\n", ":1: volumes[0]: is a single value; " VOLUME_KEYS },
	{ "volumes:\n  - name: a\n", ":2: volumes[0]: key \"rules\" is missing" },
	{ "volumes:\n  - rules: [{name: r, deny: true}]\n", ":2: volumes[0]: key \"name\" is missing" },
	{ "volumes:\n  - name: a/b\n", ":2: volumes[0].name: \"a/b\" may have printable ASCII characters except space and \"/\" only" },
	{ "volumes:\n  - name: a\n    rules: []\n", ":3: volumes[0].rules: is an empty list; leave the key out instead" },
	{ "volumes:\n  - name: a\n    rules: {}\n", ":3: volumes[0].rules: is a mapping; expected a list" },
	{ RULE "        deny: true\n  - name: a\n    rules: [{name: r, deny: true}]\n",
	  ":6: volumes: \"a\" is the name of volumes[0], too" },
	{ "volumes: []\n---\nvolumes: []\n", ":3: a second document begins here; only one is allowed" },
	/* names of rules, keys */
	{ RULES "      - deny: true\n", ":4" R ": key \"name\" is missing" },
	{ RULES "      - name: r s\n", ":4" R ".name: \"r s\" may have printable ASCII characters except space and \"/\" only" },
	{ RULE "        program: /x\n", ":5" R ": unknown key \"program\"; known are " KEYS },
	{ RULE "        deny: true\n        deny: true\n", ":6" R ".deny: is given twice" },
	{ RULE "        users: [root]\n        deny: true\n      - name: r\n        deny: true\n",
	  ":7: volumes[0].rules: \"r\" is the name of the rule in line 4, too" },
	{ RULE "        deny: true\n      - name: s\n        users: [root]\n        deny: true\n",
	  ":6: volumes[0].rules: \"s\" is never reached: \"r\" in line 4 has no conditions" },
	/* outcomes */
	{ RULE "        users: [root]\n", ":4" R ": one of allow, ask, deny is missing" },
	{ RULE "        deny: true\n        ask: {for: 1m, deadline: 1h}\n", ":6" R ".ask: a rule has one outcome, and this one has \"deny\" already" },
	{ RULE "        ask: {for: 1m, deadline: 1h}\n        allow: {for: 1m, reason: incident}\n", ":6" R ".allow: a rule has one outcome, and this one has \"ask\" already" },
	{ RULE "        allow: {for: 1m, reason: incident}\n        deny: false\n", ":6" R ".deny: a rule has one outcome, and this one has \"allow\" already" },
	{ RULE "        deny: false\n", ":5" R ".deny: is false, which says nothing; give allow or ask instead" },
	{ RULE "        deny: yes\n", ":5" R ".deny: \"yes\" is neither true nor false" },
	{ RULE "        deny: {}\n", ":5" R ".deny: is a mapping; expected true or false" },
	{ RULE "        allow: true\n", ":5" R ".allow: is a single value; expected a mapping with the keys for, reason, renew, descendants" },
	{ RULE "        allow: {reason: incident}\n", ":5" R ".allow: key \"for\" is missing" },
	{ RULE "        allow: {for: 1m}\n", ":5" R ".allow: key \"reason\" is missing" },
	{ RULE "        allow: {for: 1m, deadline: 1m}\n", ":5" R ".allow: unknown key \"deadline\"; known are for, reason, renew, descendants" },
	{ RULE "        allow:\n          for: 0s\n", ":6" R ".allow.for: is zero" },
	{ RULE "        allow:\n          for: 8x\n", ":6" R ".allow.for: \"8x\" is not a duration such as 15m or 1h30m: " },
	{ RULE "        allow:\n          reason: fun\n", ":6" R ".allow.reason: \"fun\" is not one of customer-ticket, maintenance, incident, security-review, legal-order, emergency, automation, customer-self" },
	{ RULE "        allow:\n          reason: unspecified\n", ":6" R ".allow.reason: \"unspecified\" is not one of customer-ticket, maintenance, incident, security-review, legal-order, emergency, automation, customer-self" },
	{ RULE "        allow:\n          reason: customer-ticket\n", ":6" R ".allow.reason: customer-ticket needs a ticket, which a rule does not have; let it ask" },
	{ RULE "        allow:\n          reason: legal-order\n", ":6" R ".allow.reason: legal-order needs the reference of the order, which a rule does not have; let it ask" },
	{ RULE "        allow:\n          renew: often\n", ":6" R ".allow.renew: \"often\" is neither true nor false" },
	{ RULE "        allow:\n          descendants: [true]\n", ":6" R ".allow.descendants: is a list; expected true or false" },
	{ RULE "        allow: {for: 1s, reason: automation, renew: true}\n", ":5" R ".allow: \"for\" is too short to be renewed in time; at least 2s" },
	{ RULE "        ask: {for: 1m}\n", ":5" R ".ask: key \"deadline\" is missing" },
	{ RULE "        ask: {deadline: 1m}\n", ":5" R ".ask: key \"for\" is missing" },
	{ RULE "        ask: {for: 1m, deadline: 1m, renew: true}\n", ":5" R ".ask: unknown key \"renew\"; known are for, deadline" },
	/* programs */
	{ RULE "        exe: bin/x\n", ":5" R ".exe: \"bin/x\" is not an absolute path" },
	{ RULE "        exe: [/bin/x, y]\n", ":5" R ".exe[1]: \"y\" is not an absolute path" },
	{ RULE "        exe:\n          - /bin/x\n          - /bin/x\n", ":7" R ".exe: the same is given twice" },
	{ RULE "        exe: /bin/../x\n", ":5" R ".exe: \"/bin/../x\" has an empty component, \".\" or \"..\", which no program's path has" },
	{ RULE "        exe: /bin/\n", ":5" R ".exe: \"/bin/\" has an empty component, \".\" or \"..\", which no program's path has" },
	{ RULE "        exe: /bin/[ab/c]\n", ":5" R ".exe: \"/bin/[ab/c]\" has a \"[\" without a \"]\" in the same component" },
	{ RULE "        exe: {a: b}\n", ":5" R ".exe: is a mapping; expected a list" },
	{ RULE "        exe: []\n", ":5" R ".exe: is an empty list; leave the key out instead" },
	{ RULE "        exe:\n", ":5" R ".exe: has no value; expected a program's absolute path" },
	{ RULE "        digest: md5:00\n", ":5" R ".digest: \"md5:00\" begins neither with \"sha256:\" nor with \"fsverity-sha256:\"" },
	{ RULE "        digest: sha256:00\n", ":5" R ".digest: \"sha256:00\" does not have 64 hexadecimal digits" },
	{ RULE "        digest: sha256:g0112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100\n", ":5" R ".digest: \"sha256:g0112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100\" has something else than hexadecimal digits" },
	{ RULE "        digest: [sha256:" HEX ", fsverity-sha256:" HEX ", sha256:" HEX "]\n", ":5" R ".digest: the same is given twice" },
	/* who */
	{ RULE "        users: root\n", ":5" R ".users: is a single value; expected a list" },
	{ RULE "        users: [nosuchuser0]\n", ":5" R ".users[0]: there is no user \"nosuchuser0\"" },
	{ RULE "        users: [none]\n", ":5" R ".users[0]: there is no user \"none\"" },
	{ RULE "        users: [root, 0]\n", ":5" R ".users: user \"0\" is given twice" },
	{ RULE "        users: [4294967295]\n", ":5" R ".users[0]: 4294967295 is not a user id" },
	{ RULE "        login-users: [none, none]\n", ":5" R ".login-users: user \"none\" is given twice" },
	{ RULE "        login-users: [nosuchuser0]\n", ":5" R ".login-users[0]: there is no user \"nosuchuser0\"" },
	{ RULE "        units: [pg]\n", ":5" R ".units[0]: \"pg\" is not the full name of a service or scope, such as postgresql@*.service" },
	{ RULE "        units: [pg.socket]\n", ":5" R ".units[0]: \"pg.socket\" is not the full name of a service or scope, such as postgresql@*.service" },
	{ RULE "        units: [a/b.service]\n", ":5" R ".units[0]: \"a/b.service\" is not the full name of a service or scope, such as postgresql@*.service" },
	{ RULE "        units: ['a[b.service']\n", ":5" R ".units[0]: \"a[b.service\" has a \"[\" without a \"]\"" },
	{ RULE "        units: pg.service\n", ":5" R ".units: is a single value; expected a list" },
	{ RULE "        cgroups: [system.slice]\n", ":5" R ".cgroups[0]: \"system.slice\" does not begin with \"/\"" },
	{ RULE "        cgroups: [/a/]\n", ":5" R ".cgroups[0]: \"/a/\" ends in \"/\" or has an empty component, \".\" or \"..\"" },
	{ RULE "        cgroups: [/a/..]\n", ":5" R ".cgroups[0]: \"/a/..\" ends in \"/\" or has an empty component, \".\" or \"..\"" },
	{ RULE "        cgroups: [/a, /b, /a]\n", ":5" R ".cgroups: the same is given twice" },
	/* what */
	{ RULE "        access: [rw]\n", ":5" R ".access[0]: \"rw\" is not one of read, write, exec, names, meta" },
	{ RULE "        access: [read, read]\n", ":5" R ".access: \"read\" is given twice" },
	{ RULE "        paths: [/db]\n", ":5" R ".paths[0]: \"/db\" begins with \"/\"; it is relative to the volume's root" },
	{ RULE "        paths: [a, ../b]\n", ":5" R ".paths[1]: \"../b\" contains \"..\"" },
	{ RULE "        paths: [db, ./db/]\n", ":5" R ".paths: the same is given twice" },
	{ RULE "        paths: db\n", ":5" R ".paths: is a single value; expected a list" },
};

static void test_bad(void)
{
	char error[CONFIG_ERROR_SIZE], expected[CONFIG_ERROR_SIZE + sizeof(path)];
	struct policy *policy;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t length = strlen(bad[i].expected);

		write_file(bad[i].text);
		policy = NULL;
		CHECK_EQUAL(policy_load(path, &policy, error), -EINVAL);
		CHECK(!policy);
		snprintf(expected, sizeof(expected), "%s%s", path, bad[i].expected);
		/* What follows a colon and a space at the end is the library's. */
		if (!strcmp(bad[i].expected + length - 2, ": "))
			CHECK_HOLDS(error, expected);
		else
			CHECK_TEXT(error, expected);
	}
}

static void test_bad_files(void)
{
	char error[CONFIG_ERROR_SIZE];
	struct policy *policy = NULL;

	write_file("");
	chmod(path, 0620);
	CHECK_EQUAL(policy_load(path, &policy, error), -EPERM);
	CHECK_HOLDS(error, ": may be written by others than its owner (mode 0620); chmod go-w it");
	unlink(path);
	CHECK_EQUAL(policy_load(path, &policy, error), -ENOENT);
	CHECK_HOLDS(error, ": does not exist; write it, trustgate-policy.yaml(5) has an example");
	CHECK(!policy);
}

static const char good[] =
	"volumes:\n"
	"  - name: acme\n"
	"    rules:\n"
	"      - name: postgres\n"
	"        exe: /usr/lib/postgresql/*/bin/postgres\n"
	"        digest: [sha256:" HEX ", fsverity-sha256:AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00112233445566778899]\n"
	"        users: [root, 4711]\n"
	"        login-users: [none, 0]\n"
	"        units: [postgresql@*.service, 'session-*', \"dev-x\\\\x2dy.service\"]\n"
	"        cgroups: [/, /system.slice/pg.service]\n"
	"        access: [read, write, names]\n"
	"        paths: [./pgdata//, .]\n"
	"        allow: {for: 10m, renew: true, descendants: true, reason: automation}\n"
	"      - name: staff\n"
	"        exe: [/usr/bin/psql, '/usr/bin/[a-c]?']\n"
	"        ask:\n"
	"          for: 20m\n"
	"          deadline: 4h\n"
	"      - {name: rest, deny: true}\n"
	"  - name: beta\n"
	"    rules:\n"
	"      - name: postgres\n"
	"        users: [root]\n"
	"        allow: {for: 1s, renew: false, reason: incident}\n";

static void test_good(void)
{
	char error[CONFIG_ERROR_SIZE];
	struct policy *policy = NULL;
	const struct policy_volume *volume;
	const struct policy_rule *rule;

	write_file(good);
	CHECK_EQUAL(policy_load(path, &policy, error), 0);
	CHECK_TEXT(error, "");
	if (!policy)
		return;
	CHECK_EQUAL(policy->volumes_count, 2);
	CHECK(!policy_find_volume(policy, "gamma"));
	volume = policy_find_volume(policy, "acme");
	CHECK_EQUAL(volume->rules_count, 3);

	rule = &volume->rules[0];
	CHECK_TEXT(rule->name, "postgres");
	CHECK_EQUAL(rule->line, 4);
	CHECK_EQUAL(rule->given, (1 << POLICY_CONDITIONS) - 1);
	CHECK_EQUAL(rule->exe.count, 1);
	CHECK_TEXT(rule->exe.items[0], "/usr/lib/postgresql/*/bin/postgres");
	CHECK_EQUAL(rule->digests_count, 2);
	CHECK(!rule->digests[0].fsverity);
	CHECK_EQUAL(rule->digests[0].bytes[1], 0x11);
	CHECK_EQUAL(rule->digests[0].bytes[16], 0xff);
	CHECK(rule->digests[1].fsverity);
	CHECK_EQUAL(rule->digests[1].bytes[0], 0xaa);
	CHECK_EQUAL(rule->users_count, 2);
	CHECK_EQUAL(rule->users[1].uid, 4711);
	CHECK_EQUAL(rule->login_users_count, 2);
	CHECK_EQUAL(rule->login_users[0].uid, CONFIG_NO_USER);
	CHECK_EQUAL(rule->login_users[1].uid, 0);
	CHECK_EQUAL(rule->units.count, 3);
	CHECK_TEXT(rule->units.items[2], "dev-x\\x2dy.service");
	CHECK_TEXT(rule->cgroups.items[0], "/");
	CHECK_EQUAL(rule->access, TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE |
				  TRUSTGATE_ACCESS_NAMES);
	CHECK_TEXT(rule->paths.items[0], "pgdata");
	CHECK_TEXT(rule->paths.items[1], ".");
	CHECK_EQUAL(rule->outcome, POLICY_ALLOW);
	CHECK_EQUAL(rule->duration_ns, UINT64_C(600000000000));
	CHECK(rule->renew && rule->descendants);
	CHECK_EQUAL(rule->reason, TRUSTGATE_REASON_AUTOMATION);

	rule = &volume->rules[1];
	CHECK_EQUAL(rule->given, 1 << POLICY_EXE);
	CHECK_EQUAL(rule->exe.count, 2);
	CHECK_EQUAL(rule->outcome, POLICY_ASK);
	CHECK_EQUAL(rule->duration_ns, UINT64_C(1200000000000));
	CHECK_EQUAL(rule->deadline_ns, UINT64_C(14400000000000));
	CHECK(!rule->renew && !rule->descendants);
	rule = &volume->rules[2];
	CHECK_EQUAL(rule->given, 0);
	CHECK_EQUAL(rule->outcome, POLICY_DENY);
	CHECK_EQUAL(rule->line, 19);
	CHECK_EQUAL(policy_find_volume(policy, "beta")->rules_count, 1);
	policy_free(policy);

	write_file("# nothing is allowed\n");
	CHECK_EQUAL(policy_load(path, &policy, error), 0);
	CHECK_EQUAL(policy->volumes_count, 0);
	policy_free(policy);
}

static void test_warnings(void)
{
	static const struct {
		uint32_t given;
		enum policy_outcome outcome;
		const char *holds;
	} cases[] = {
		{ 1 << POLICY_EXE, POLICY_ALLOW, "by its path alone" },
		{ 1 << POLICY_EXE | 1 << POLICY_USERS, POLICY_ASK, "by its path alone" },
		{ 1 << POLICY_EXE | 1 << POLICY_DIGEST, POLICY_ALLOW, NULL },
		{ 1 << POLICY_EXE | 1 << POLICY_UNITS, POLICY_ALLOW, NULL },
		{ 1 << POLICY_EXE, POLICY_DENY, NULL },
		{ 0, POLICY_DENY, NULL },
		{ 0, POLICY_ASK, "for every process" },
		{ 1 << POLICY_ACCESS | 1 << POLICY_PATHS, POLICY_ALLOW, "for every process" },
		{ 1 << POLICY_CGROUPS, POLICY_ALLOW, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct policy_rule rule = {
			.given = cases[i].given, .outcome = cases[i].outcome,
		};
		const char *warning = policy_rule_warning(&rule);

		if (cases[i].holds)
			CHECK_HOLDS(warning, cases[i].holds);
		else
			CHECK(!warning);
	}
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/policy.yaml", directory);
	test_bad();
	test_bad_files();
	test_good();
	test_warnings();
	unlink(path);
	rmdir(directory);
	return check_end();
}
