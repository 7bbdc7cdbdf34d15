// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - try what is closed on this host and what is open.
 *
 * Owns: asking the kernel about the gate, running the checks, showing what they
 * have found.
 *
 * Must not own: a check on the host (verify_*.c).
 *
 * The kernel is asked itself: an agent that is not there is a finding.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "table.h"
#include "trustgate.h"
#include "verify.h"

/* Exit code when nothing can be said; 0 is all closed, 1 something open. */
#define CANNOT_TELL 2

/* A proof is made every ten seconds by default. */
#define PROOF_OLD_NS UINT64_C(300000000000)

/* ---- table ---- */

#define TEXT(name, field) \
	static char *text_##name(const struct cli *cli, sd_json_variant *row) \
	{ \
		(void)cli; \
		return cell_string(row, field); \
	}

TEXT(check, "check")
TEXT(state, "state")
TEXT(why, "why")
TEXT(advice, "advice")

static enum colour colour_state(sd_json_variant *row)
{
	const char *state = field_string(row, "state");

	if (state && !strcmp(state, "closed"))
		return COLOUR_GOOD;
	return state && !strcmp(state, "open") ? COLOUR_BAD : COLOUR_WARNING;
}

static const struct column columns[] = {
	{ .name = "CHECK", .help = "what was looked at", .shown = true, .text = text_check },
	{ .name = "STATE", .help = "closed, open, or unknown", .shown = true, .text = text_state,
	  .colour = colour_state },
	{ .name = "WHY", .help = "what was found", .shown = true, .text = text_why },
	{ .name = "ADVICE", .help = "what to do about it", .shown = true, .text = text_advice },
	{ 0 }
};

static int show(const struct cli *cli, const struct verify *verify)
{
	size_t count = sd_json_variant_elements(verify->findings);
	sd_json_variant **rows;
	int r;

	if (cli->json)
		return print_json(cli, verify->findings);
	rows = calloc(count, sizeof(*rows));
	if (!rows) {
		complain("out of memory");
		return CANNOT_TELL;
	}
	for (size_t i = 0; i < count; i++)
		rows[i] = sd_json_variant_by_index(verify->findings, i);
	r = table_print(cli, columns, rows, count);
	free(rows);
	return r;
}

/* ---- the gate itself ---- */

static bool has_hook(const struct trustgate_gate *gate, const char *name)
{
	for (size_t i = 0; i < gate->hooks_count; i++)
		if (!strcmp(gate->hooks[i], name))
			return true;
	return false;
}

static void check_gate(struct verify *verify, const struct trustgate_gate *gate)
{
	static const char *const needed[] = {
		"file_open", "file_permission", "mmap_file", "file_ioctl", "inode_rename",
		"block_device",
	};
	uint64_t age_ns = gate->now_boottime_ns - gate->proof_boottime_ns;
	const char *missing = NULL;

	if (gate->state != TRUSTGATE_GATE_STATE_ARMED)
		verify_say(verify, "gate", VERIFY_OPEN, "see the kernel's log, which names the cure",
			   "the gate is %s: hooks may not run",
			   trustgate_name(TRUSTGATE_NAMES_GATE_STATE, gate->state) ?: "unknown");
	else if (age_ns > PROOF_OLD_NS)
		verify_say(verify, "gate", VERIFY_UNKNOWN, "see proof_interval_s of trustgate_core",
			   "that the hooks run was last proved %llu s ago",
			   (unsigned long long)(age_ns / 1000000000));
	else
		verify_say(verify, "gate", VERIFY_CLOSED, NULL,
			   "armed; that the hooks run was proved %llu s ago",
			   (unsigned long long)(age_ns / 1000000000));

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!has_hook(gate, needed[i]))
			missing = needed[i];
	if (missing)
		verify_say(verify, "hooks", VERIFY_OPEN, "update the kernel modules",
			   "%zu are attached, but not %s", gate->hooks_count, missing);
	else
		verify_say(verify, "hooks", VERIFY_CLOSED, NULL, "%zu are attached", gate->hooks_count);

	if (gate->present & (UINT64_C(1) << TRUSTGATE_A_GATE_AGENT_PID))
		verify_say(verify, "agent", VERIFY_CLOSED, NULL, "process %d is bound",
			   gate->agent_pid);
	else
		verify_say(verify, "agent", VERIFY_UNKNOWN, "systemctl start trusteed",
			   "none is bound: nothing new is granted, and nobody revokes");
	verify->ptrace_hooked = has_hook(gate, "ptrace_access_check");
}

/* That it denies is not all: it must not have let pass what it would deny. */
static void check_observation(struct verify *verify, const char *name,
			      const struct trustgate_gate *gate, enum time_mode mode)
{
	char until[FORMAT_TIME_SIZE], advice[128];
	const struct trustgate_observation *observation = NULL;

	for (size_t i = 0; i < gate->observations_count; i++)
		if (!strcmp(gate->observations[i].volume_name, name))
			observation = &gate->observations[i];
	if (!observation) {
		verify_say(verify, "observed", VERIFY_CLOSED, NULL,
			   "not since the module was loaded: what is not granted is denied");
		return;
	}
	format_time_now(observation->until_boottime_ns, mode, until);
	if (observation->live) {
		snprintf(advice, sizeof(advice), "trustgate observe %s --end", name);
		verify_say(verify, "observed", VERIFY_OPEN, advice,
			   "until %s what would be denied is recorded, and done", until);
	} else {
		verify_say(verify, "observed", VERIFY_UNKNOWN,
			   "see what was recorded: trustgate journal export",
			   "until %s what would be denied was done: it may have been read", until);
	}
}

/* ---- the run ---- */

static int try_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int try_look(const char *path)
{
	struct stat info;

	return lstat(path, &info) ? -errno : 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

/* Each only once. */
static size_t sort_out(pid_t *pids, size_t count)
{
	size_t used = 0;

	qsort(pids, count, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < count; i++)
		if (!i || pids[i] != pids[i - 1])
			pids[used++] = pids[i];
	return used;
}

/* Processes with grants on a volume. */
struct holders {
	pid_t *all;
	pid_t *families;
};

static int list_holders(struct trustgate_conn *conn, uint32_t volume, struct verify *verify,
			struct holders *holders)
{
	const struct trustgate_grant_filter filter = { .volume_id = volume };
	struct trustgate_grant *grants = NULL;
	size_t count = 0, families = 0;
	int r;

	r = trustgate_grant_list(conn, &filter, &grants, &count, NULL);
	if (r)
		return r;
	holders->all = calloc(count + 1, sizeof(pid_t));
	holders->families = calloc(count + 1, sizeof(pid_t));
	if (!holders->all || !holders->families)
		r = -ENOMEM;
	for (size_t i = 0; !r && i < count; i++) {
		holders->all[i] = grants[i].pid;
		if (grants[i].flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS)
			holders->families[families++] = grants[i].pid;
	}
	free(grants);
	if (r)
		return r;
	verify->holders_count = sort_out(holders->all, count);
	verify->holders = holders->all;
	verify->families_count = sort_out(holders->families, families);
	verify->families = holders->families;
	return 0;
}

/* Where the kernel lists the devices that a btrfs lies on. */
static void name_members(const struct trustgate_volume *volume, char members[80])
{
	const uint8_t *u = volume->uuid;

	if (strcmp(volume->fstype, "btrfs"))
		return;
	snprintf(members, 80,
		 "/sys/fs/btrfs/%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x/devices",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		 u[13], u[14], u[15]);
}

static int ask_kernel(struct trustgate_conn *conn, const char *name, enum time_mode mode,
		      struct verify *verify, struct holders *holders)
{
	struct trustgate_volume volume;
	struct trustgate_gate gate = { 0 };
	int r;

	r = trustgate_connect(conn);
	if (!r)
		r = trustgate_volume_get(conn, 0, name, &volume);
	if (!r)
		r = trustgate_gate_get(conn, &gate);
	if (!r)
		r = list_holders(conn, volume.id, verify, holders);
	if (!r) {
		snprintf(verify->device, sizeof(verify->device), "%s", volume.device);
		memcpy(verify->own, volume.own, sizeof(verify->own));
		verify->own_count = volume.own_count;
		name_members(&volume, verify->members);
		check_gate(verify, &gate);
		check_observation(verify, name, &gate, mode);
	}
	trustgate_gate_clear(&gate);
	return r;
}

static int run(const struct cli *cli, int argc, char *argv[])
{
	struct verify verify = { .root = "", .try_open = try_open, .try_look = try_look };
	struct trustgate_conn *conn = NULL;
	struct holders holders = { 0 };
	int r;

	(void)argc;
	if (table_check(cli, columns))
		return CANNOT_TELL;
	r = trustgate_new(&conn);
	if (!r)
		r = ask_kernel(conn, argv[0], cli->time, &verify, &holders);
	if (r) {
		complain("cannot ask the kernel about volume \"%s\": %s", argv[0],
			 conn ? trustgate_error_text(conn) : strerror(-r));
		r = CANNOT_TELL;
	} else {
		verify_mounts(&verify);
		verify_devices(&verify);
		verify_processes(&verify);
		verify_memory(&verify);
		verify_kernel(&verify);
		if (verify.failed)
			complain("out of memory");
		r = verify.failed || show(cli, &verify) ? CANNOT_TELL : verify.open ? 1 : 0;
	}
	verify_release(&verify);
	trustgate_free(conn);
	free(holders.all);
	free(holders.families);
	return r;
}

const struct verb verb_verify = {
	.name = "verify",
	.arguments = "NAME",
	.summary = "try what is closed on this host and what is open",
	.details = "Only reads, as a process without a grant; what is refused is recorded as ever.\n"
		   "Needs root. Exits with 0 if nothing is open, 1 if something is, 2 if it cannot tell.",
	.shared = SHARED_TABLE | SHARED_JSON,
	.columns = columns,
	.min = 1,
	.max = 1,
	.run = run,
};
