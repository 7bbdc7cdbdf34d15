// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration: good files and what becomes of them, bad files and the
 * exact complaint.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <trustgate.h>

#include "check.h"
#include "config.h"

static char directory[] = "/tmp/trusteed-config-XXXXXX";
static char path[64];

static void write_file(const char *text, size_t length, mode_t mode)
{
	FILE *file = fopen(path, "we");

	if (!file)
		abort();
	fwrite(text, 1, length, file);
	fclose(file);
	chmod(path, mode);
}

#define VOLUME "volumes:\n  - name: a\n    path: /srv/a\n"
#define RULE VOLUME \
	"    self-grants:\n" \
	"      - users: [root]\n" \
	"        path: db\n" \
	"        access: [read]\n"

/* @expected: behind the file's name. */
static const struct {
	const char *text;
	const char *expected;
} bad[] = {
	/* YAML and its shape */
	{ "trustees: [root\n", ":2: is not YAML: did not find expected ',' or ']' while parsing a flow sequence" },
	{ "\tx: 1\n", ":1: is not YAML: found character that cannot start any token while scanning for the next token" },
	{ "- a\n", ":1: is a list; expected a mapping with the keys trustees, policy, volumes, services" },
	{ "just text\n", ":1: is a single value; expected a mapping with the keys trustees, policy, volumes, services" },
	{ "trustees: [root]\n---\ntrustees: [root]\n", ":3: a second document begins here; only one is allowed" },
	{ "trustees: [root]\n[a]: 1\n", ":2: a key must be a word, this is a list" },
	/* unknown, doubled, missing keys */
	{ "trustees: [root]\ntrustee: [root]\n", ":2: unknown key \"trustee\"; known are trustees, policy, volumes, services" },
	{ "trustees: [root]\nvolumes:\n  - name: a\n    path: /a\n    size: 3\n", ":5: volumes[0]: unknown key \"size\"; known are name, path, max-duration, on-agent-loss, record, metadata, least-on-end, ask, audit, supervision, lower-devices, tenants, approvals, pending, break-glass, self-grants" },
	{ "trustees: [root]\n\ntrustees: [root]\n", ":3: trustees: is given twice" },
	{ "volumes:\n  - name: a\n    path: /a\n    name: b\n", ":4: volumes[0].name: is given twice" },
	{ "volumes:\n  - path: /a\n", ":2: volumes[0]: key \"name\" is missing" },
	{ "volumes:\n  - name: a\n", ":2: volumes[0]: key \"path\" is missing" },
	{ RULE "        for: 1m\n", ":5: volumes[0].self-grants[0]: key \"reasons\" is missing" },
	/* wrong types */
	{ "trustees: root\n", ":1: trustees: is a single value; expected a list" },
	{ "trustees: []\n", ":1: trustees: is an empty list; leave the key out instead" },
	{ "trustees:\n", ":1: trustees: is a single value; expected a list" },
	{ "trustees: [[root]]\n", ":1: trustees[0]: is a list; expected a user's name or id" },
	{ "trustees: ['']\n", ":1: trustees[0]: has no value; expected a user's name or id" },
	{ "trustees: [~]\n", ":1: trustees[0]: has no value; expected a user's name or id" },
	{ "volumes: {name: a}\n", ":1: volumes: is a mapping; expected a list" },
	{ "volumes: [a]\n", ":1: volumes[0]: is a single value; expected a mapping with the keys name, path, max-duration, on-agent-loss, record, metadata, least-on-end, ask, audit, supervision, lower-devices, tenants, approvals, pending, break-glass, self-grants" },
	{ "volumes:\n  - name: [a]\n    path: /a\n", ":2: volumes[0].name: is a list; expected a name" },
	{ VOLUME "    record: allowed\n", ":4: volumes[0].record: is a single value; expected a list" },
	{ VOLUME "    on-agent-loss: [hold]\n", ":4: volumes[0].on-agent-loss: is a list; expected hold, revoke" },
	/* users */
	{ "trustees: [root, nosuchuser0]\n", ":1: trustees[1]: there is no user \"nosuchuser0\"" },
	{ "trustees:\n  - root\n  - 0\n", ":3: trustees: user \"0\" is given twice" },
	{ "trustees: [4294967295]\n", ":1: trustees[0]: 4294967295 is not a user id" },
	{ "trustees: [99999999999999999999]\n", ":1: trustees[0]: 99999999999999999999 is not a user id" },
	{ RULE "        for: 1m\n        reasons: [incident]\n      - users: [ghost]\n", ":10: volumes[0].self-grants[1].users[0]: there is no user \"ghost\"" },
	/* names and paths */
	{ "volumes:\n  - name: a b\n    path: /a\n", ":2: volumes[0].name: \"a b\" may have printable ASCII characters except space and \"/\" only" },
	{ "volumes:\n  - name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n    path: /a\n", ":2: volumes[0].name: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is longer than 63 bytes" },
	{ "volumes:\n  - name: a\n    path: srv\n", ":3: volumes[0].path: \"srv\" is not an absolute path" },
	{ VOLUME "  - name: a\n    path: /srv/b\n", ":4: volumes[1].name: \"a\" is the name of volumes[0], too" },
	{ VOLUME "  - name: b\n    path: /srv/a\n", ":4: volumes[1].path: \"/srv/a\" is the path of volumes[0], too" },
	{ VOLUME "    self-grants:\n      - users: [root]\n        path: /db\n", ":6: volumes[0].self-grants[0].path: \"/db\" begins with \"/\"; it is relative to the volume's root" },
	{ VOLUME "    self-grants:\n      - users: [root]\n        path: a/../b\n", ":6: volumes[0].self-grants[0].path: \"a/../b\" contains \"..\"" },
	/* durations */
	{ VOLUME "    max-duration: 8x\n", ":4: volumes[0].max-duration: \"8x\" is not a duration such as 15m or 1h30m: " },
	{ VOLUME "    max-duration: 8\n", ":4: volumes[0].max-duration: \"8\" is not a duration such as 15m or 1h30m: " },
	{ VOLUME "    max-duration: -8h\n", ":4: volumes[0].max-duration: \"-8h\" is not a duration such as 15m or 1h30m: " },
	{ VOLUME "    max-duration: 0s\n", ":4: volumes[0].max-duration: is zero" },
	{ VOLUME "    max-duration: 200000d\n", ":4: volumes[0].max-duration: is longer than 292 years" },
	{ VOLUME "    max-duration: 999999999d\n", ":4: volumes[0].max-duration: \"999999999d\" is not a duration such as 15m or 1h30m: " },
	{ VOLUME "    max-duration: 5m\n    self-grants:\n      - users: [root]\n        path: db\n        access: [read]\n        for: 6m\n        reasons: [incident]\n", ":2: volumes[0]: self-grants[0].for is longer than max-duration" },
	/* words */
	{ VOLUME "    supervision: required\n    record: []\n", ":2: volumes[0]: supervision is required, but record lacks \"allowed\": nobody would see what is done" },
	{ VOLUME "    supervision: yes\n", ":4: volumes[0].supervision: \"yes\" is neither \"required\" nor \"optional\"" },
	{ VOLUME "    audit: yes\n", ":4: volumes[0].audit: \"yes\" is neither \"strict\" nor \"normal\"" },
	{ VOLUME "    lower-devices: yes\n", ":4: volumes[0].lower-devices: \"yes\" is neither \"open\" nor \"closed\"" },
	{ VOLUME "    on-agent-loss: keep\n", ":4: volumes[0].on-agent-loss: \"keep\" is not one of hold, revoke" },
	{ VOLUME "    metadata: [hidden]\n", ":4: volumes[0].metadata: is a list; expected open, hidden" },
	{ VOLUME "    ask: 61m\n", ":4: volumes[0].ask: is longer than an open may wait, which is 1h" },
	{ VOLUME "    ask: 0s\n", ":4: volumes[0].ask: is zero" },
	{ "policy: policy.yaml\n", ":1: policy: \"policy.yaml\" is not an absolute path" },
	{ VOLUME "    least-on-end: stay\n", ":4: volumes[0].least-on-end: \"stay\" is not one of deny-io, unmap, kill" },
	{ VOLUME "    metadata: closed\n", ":4: volumes[0].metadata: \"closed\" is not one of open, hidden" },
	{ VOLUME "    record: [denied]\n", ":4: volumes[0].record[0]: \"denied\" is not one of allowed" },
	{ VOLUME "    record:\n      - allowed\n      - allowed\n", ":6: volumes[0].record: \"allowed\" is given twice" },
	{ VOLUME "    self-grants:\n      - users: [root]\n        path: .\n        access: [read, rw]\n", ":7: volumes[0].self-grants[0].access[1]: \"rw\" is not one of read, write, exec, names, meta" },
	{ VOLUME "    self-grants:\n      - users: [root]\n        path: .\n        access: [read, read]\n", ":7: volumes[0].self-grants[0].access: \"read\" is given twice" },
	{ RULE "        for: 1m\n        reasons: [unspecified]\n", ":9: volumes[0].self-grants[0].reasons[0]: \"unspecified\" is not one of customer-ticket, maintenance, incident, security-review, legal-order, emergency, automation, customer-self" },
	{ RULE "        for: 1m\n        reasons: [legal-order]\n", ":9: volumes[0].self-grants[0].reasons: legal-order needs to be approved, with the reference of the order" },
	/* who has to approve */
	{ VOLUME "    approvals: many\n", ":4: volumes[0].approvals: \"many\" is not a number from 0 to 16" },
	{ VOLUME "    approvals: 17\n", ":4: volumes[0].approvals: \"17\" is not a number from 0 to 16" },
	{ VOLUME "    approvals: 0\n", ":4: volumes[0].approvals: somebody has to approve: at least one trustee or tenant" },
	{ VOLUME "    approvals: {trustee: 0}\n", ":4: volumes[0].approvals: somebody has to approve: at least one trustee or tenant" },
	{ VOLUME "    approvals: {owner: 1}\n", ":4: volumes[0].approvals: unknown key \"owner\"; known are trustee, tenant" },
	{ VOLUME "    approvals: {tenant: -1}\n", ":4: volumes[0].approvals.tenant: \"-1\" is not a number from 0 to 16" },
	{ VOLUME "    approvals: {trustee: 1, tenant: 1}\n", ":2: volumes[0].approvals: 1 of the tenant's people have to approve, and tenants names 0" },
	{ "trustees: [root]\n" VOLUME "    approvals: 2\n", ":3: volumes[0].approvals: 2 trustees have to approve, and trustees names 1" },
	{ "trustees: [root]\n" VOLUME "    tenants: [0]\n", ":3: volumes[0].tenants: \"0\" is a trustee, too, and would be both sides" },
	{ VOLUME "    pending: 0s\n", ":4: volumes[0].pending: is zero" },
	{ VOLUME "    break-glass: {users: [root]}\n", ":4: volumes[0].break-glass: key \"for\" is missing" },
	{ VOLUME "    break-glass: {for: 10m}\n", ":4: volumes[0].break-glass: key \"users\" is missing" },
	{ VOLUME "    max-duration: 5m\n    break-glass: {users: [root], for: 10m}\n", ":2: volumes[0].break-glass.for is longer than max-duration" },
	/* services */
#define SERVICE(unit, volume, time) \
	"services:\n  - unit: " unit "\n    volume: " volume "\n    path: db\n" \
	"    access: [read]\n    for: " time "\n"
	{ SERVICE("pg", "a", "1m") VOLUME, ":2: services[0].unit: \"pg\" is not the full name of a service, such as postgresql.service" },
	{ SERVICE("pg.socket", "a", "1m") VOLUME, ":2: services[0].unit: \"pg.socket\" is not the full name of a service, such as postgresql.service" },
	{ SERVICE("p/g.service", "a", "1m") VOLUME, ":2: services[0].unit: \"p/g.service\" is not the full name of a service, such as postgresql.service" },
	{ SERVICE("pg.service", "b", "1m") VOLUME, ":2: services[0].volume: there is no volume \"b\" in this file" },
	{ SERVICE("pg.service", "a", "1m") "    on-end: stay\n" VOLUME, ":7: services[0].on-end: \"stay\" is not one of deny-io, unmap, kill" },
	{ SERVICE("pg.service", "a", "1m") "    on-end: unmap\n" VOLUME "    least-on-end: kill\n", ":2: services[0].on-end: is less than least-on-end of volume \"a\"" },
	{ SERVICE("pg.service", "a", "1s") VOLUME, ":6: services[0].for: is too short to be renewed in time; at least 2s" },
	{ SERVICE("pg.service", "a", "9h") VOLUME "    max-duration: 8h\n", ":2: services[0].for: is longer than max-duration of volume \"a\"" },
	{ SERVICE("pg.service", "a", "1m") "  - unit: pg.service\n    volume: a\n    path: db/\n    access: [read]\n    for: 2m\n" VOLUME, ":7: services[1]: is the same as services[0]" },
};

static void test_bad(void)
{
	char error[CONFIG_ERROR_SIZE], expected[CONFIG_ERROR_SIZE + sizeof(path)];
	struct config *config;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t length = strlen(bad[i].expected);

		write_file(bad[i].text, strlen(bad[i].text), 0600);
		config = NULL;
		CHECK_EQUAL(config_load(path, &config, error), -EINVAL);
		CHECK(!config);
		snprintf(expected, sizeof(expected), "%s%s", path, bad[i].expected);
		/* What follows a colon and a space at the end is the library's. */
		if (length > 2 && !strcmp(bad[i].expected + length - 2, ": "))
			CHECK(!strncmp(error, expected, strlen(expected)) &&
			      strlen(error) > strlen(expected));
		else
			CHECK_TEXT(error, expected);
	}
}

static void test_bad_files(void)
{
	char error[CONFIG_ERROR_SIZE], big[] = "# 0123456789\n";
	struct config *config = NULL;
	FILE *file;

	write_file("trustees: [root]\n", 17, 0620);
	CHECK_EQUAL(config_load(path, &config, error), -EPERM);
	CHECK_HOLDS(error, ": may be written by others than its owner (mode 0620); chmod go-w it");
	write_file("trustees: [\"a\\0b\"]\n", 19, 0600);
	CHECK_EQUAL(config_load(path, &config, error), -EINVAL);
	CHECK_HOLDS(error, ":1: trustees[0]: contains a NUL byte");
	write_file("trustees: [\xff\xfe]\n", 15, 0600);
	CHECK_EQUAL(config_load(path, &config, error), -EINVAL);
	CHECK_HOLDS(error, ": is not text: ");

	file = fopen(path, "we");
	if (!file)
		abort();
	for (int i = 0; i < 100000; i++)
		fputs(big, file);
	fclose(file);
	CHECK_EQUAL(config_load(path, &config, error), -EINVAL);
	CHECK_HOLDS(error, ": is larger than 1 MiB");

	unlink(path);
	CHECK_EQUAL(config_load(path, &config, error), -ENOENT);
	CHECK_HOLDS(error, ": does not exist; write it, trusteed.yaml(5) has an example");
	mkfifo(path, 0600);
	CHECK_EQUAL(config_load(path, &config, error), -EINVAL);
	CHECK_HOLDS(error, ": is not a regular file");
	unlink(path);
	CHECK_EQUAL(config_load(directory, &config, error), -EINVAL);
	CHECK_HOLDS(error, ": is not a regular file");
	CHECK(!config);
}

static const char good[] =
	"# everything at once\n"
	"trustees: [root, 4711]\n"
	"services:\n"
	"  - unit: postgresql@17-main.service\n"
	"    volume: acme\n"
	"    path: ./pgdata//main/\n"
	"    access: [read, write, exec, names, meta]\n"
	"    for: 10m\n"
	"    on-end: unmap\n"
	"volumes:\n"
	"  - name: acme\n"
	"    path: /srv/acme\n"
	"    max-duration: 8h\n"
	"    on-agent-loss: revoke\n"
	"    record: [allowed]\n"
	"    metadata: hidden\n"
	"    least-on-end: unmap\n"
	"    ask: 5m\n"
	"    supervision: required\n"
	"    self-grants:\n"
	"      - users: [1001]\n"
	"        path: db\n"
	"        access: [read, write, names]\n"
	"        for: 1h30m\n"
	"        reasons: [customer-ticket, incident]\n"
	"  - {name: beta, path: /srv/beta}\n"
	"  - {name: delta, path: /srv/delta, record: []}\n";

static void test_good(void)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = NULL;
	const struct config_volume *volume;
	const struct config_rule *rule;
	struct config_service other;

	write_file(good, strlen(good), 0644);
	CHECK_EQUAL(config_load(path, &config, error), 0);
	CHECK_TEXT(error, "");
	if (!config)
		return;
	CHECK_EQUAL(config->trustees_count, 2);
	CHECK(config_is_trustee(config, 0));
	CHECK(config_is_trustee(config, 4711));
	CHECK(!config_is_trustee(config, 1001));
	CHECK_EQUAL(config->volumes_count, 3);

	volume = config_find_volume(config, "acme");
	CHECK_TEXT(volume->path, "/srv/acme");
	CHECK_EQUAL(volume->max_duration_ns, UINT64_C(28800000000000));
	CHECK_EQUAL(volume->on_agent_loss, TRUSTGATE_ON_AGENT_LOSS_REVOKE);
	CHECK_EQUAL(volume->record, TRUSTGATE_RECORD_ALLOWED);
	CHECK_EQUAL(volume->metadata, TRUSTGATE_METADATA_HIDDEN);
	CHECK_EQUAL(volume->least_on_end, TRUSTGATE_ON_END_UNMAP);
	CHECK_EQUAL(volume->ask_ns, UINT64_C(300000000000));
	CHECK(volume->supervision_required);
	CHECK_EQUAL(volume->rules_count, 1);
	rule = &volume->rules[0];
	CHECK_EQUAL(rule->users[0].uid, 1001);
	CHECK_TEXT(rule->path, "db");
	CHECK_EQUAL(rule->access, TRUSTGATE_ACCESS_READ | TRUSTGATE_ACCESS_WRITE |
				  TRUSTGATE_ACCESS_NAMES);
	CHECK_EQUAL(rule->duration_ns, UINT64_C(5400000000000));
	CHECK_EQUAL(rule->reasons, 1 << TRUSTGATE_REASON_CUSTOMER_TICKET |
				   1 << TRUSTGATE_REASON_INCIDENT);
	CHECK(config_may_self_grant(config, "acme", 1001));
	CHECK(!config_may_self_grant(config, "acme", 0));
	CHECK(!config_may_self_grant(config, "beta", 1001));

	volume = config_find_volume(config, "beta");
	CHECK_EQUAL(volume->max_duration_ns, 0);
	CHECK_EQUAL(volume->on_agent_loss, TRUSTGATE_ON_AGENT_LOSS_HOLD);
	CHECK_EQUAL(volume->record, TRUSTGATE_RECORD_ALLOWED);
	CHECK_EQUAL(volume->metadata, TRUSTGATE_METADATA_OPEN);
	CHECK_EQUAL(volume->least_on_end, TRUSTGATE_ON_END_DENY_IO);
	CHECK_EQUAL(volume->ask_ns, 0);
	CHECK(!volume->supervision_required);
	volume = config_find_volume(config, "delta");
	CHECK_EQUAL(volume->record, 0);
	CHECK(!config_find_volume(config, "gamma"));

	CHECK_EQUAL(config->services_count, 1);
	CHECK_TEXT(config->services[0].path, "pgdata/main");
	CHECK_EQUAL(config->services[0].access, 31);
	CHECK_EQUAL(config->services[0].on_end, TRUSTGATE_ON_END_UNMAP);
	/* The key is how a restarted agent knows its grants: it must not drift. */
	CHECK_EQUAL(config->services[0].key, UINT64_C(0x46e79ce200707514));
	other = config->services[0];
	other.access = 1;
	CHECK(config_service_key(&other) != config->services[0].key);
	config_free(config);

	write_file("", 0, 0600);
	CHECK_EQUAL(config_load(path, &config, error), 0);
	CHECK_EQUAL(config->trustees_count + config->volumes_count + config->services_count, 0);
	config_free(config);
	write_file("# nothing\n", 10, 0600);
	CHECK_EQUAL(config_load(path, &config, error), 0);
	config_free(config);
}

static void test_paths(void)
{
	static const struct {
		const char *text, *path;
		bool is_directory;
	} fine[] = {
		{ ".", ".", true }, { "./", ".", true }, { "db", "db", false },
		{ "db/", "db", true }, { "db//x///", "db/x", true },
		{ "./db/./x", "db/x", false }, { "db/.", "db", true },
		{ "..x", "..x", false }, { "x..", "x..", false }, { ".x", ".x", false },
	};
	static const char *const wrong[] = { "", "/", "/db", "..", "db/..", "../db", "a/../b" };
	char long_name[258], *result;
	bool is_directory;

	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		result = NULL;
		CHECK(!config_path_check(fine[i].text, &result, &is_directory));
		CHECK_TEXT(result, fine[i].path);
		CHECK_EQUAL(is_directory, fine[i].is_directory);
		free(result);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(config_path_check(wrong[i], &result, NULL));
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	CHECK(config_path_check(long_name, &result, NULL));
}

/* Who has to approve on the only volume of a file that is good. */
static void check_approvals(const char *text, uint32_t trustees, uint32_t tenants)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = NULL;

	write_file(text, strlen(text), 0600);
	CHECK_EQUAL(config_load(path, &config, error), 0);
	CHECK_TEXT(error, "");
	if (!config)
		return;
	CHECK_EQUAL(config->volumes[0].need_trustees, trustees);
	CHECK_EQUAL(config->volumes[0].need_tenants, tenants);
	CHECK(!config_is_tenant(config, "b", 1001));
	CHECK_EQUAL(config_is_tenant(config, NULL, 1001), config->volumes[0].tenants_count);
	config_free(config);
}

static void test_approvals(void)
{
	check_approvals("trustees: [1, 2]\n" VOLUME, 1, 0);
	check_approvals("trustees: [1, 2]\n" VOLUME "    approvals: 2\n", 2, 0);
	check_approvals("trustees: [1, 2]\n" VOLUME "    tenants: [1001]\n    pending: 5m\n"
			"    approvals: {trustee: 2, tenant: 1}\n", 2, 1);
	check_approvals("trustees: [1, 2]\n" VOLUME "    tenants: [1001]\n"
			"    approvals: {tenant: 1}\n", 0, 1);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/trusteed.yaml", directory);
	test_bad();
	test_bad_files();
	test_good();
	test_approvals();
	test_paths();
	unlink(path);
	rmdir(directory);
	return check_end();
}
