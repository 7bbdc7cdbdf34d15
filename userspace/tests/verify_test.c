// SPDX-License-Identifier: GPL-2.0-only
/*
 * What "trustgate verify" makes of a host.
 *
 * Owns: the checks against a tree that looks like /proc and /sys, once of a
 * host where all is closed, and once for each thing that is loosened there.
 *
 * Must not own: the gate's own state, which the kernel is asked for.
 */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "check.h"
#include "verify.h"

#define MOUNTED \
	"20 1 254:0 / / rw - ext4 /dev/vda rw\n" \
	"40 20 254:17 / /srv/acme rw - ext4 /dev/vdb1 rw\n"

static char root[64];
static const pid_t holders[] = { 100 };

static size_t families_count;

/* What can be opened, by a blank on either side. */
static const char *can_open;

static int try_open(const char *path)
{
	char word[512];

	snprintf(word, sizeof(word), " %s ", path);
	if (strstr(can_open, word))
		return 0;
	return strncmp(path, "/dev/", 5) ? -EACCES : -EPERM;
}

static bool can_look;

static int try_look(const char *path)
{
	CHECK_TEXT(path, "/srv/acme/.");
	return can_look ? 0 : -EACCES;
}

static void put(const char *path, const char *text)
{
	char whole[512], *slash;
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "we");
	if (!CHECK(file))
		return;
	fputs(text, file);
	fclose(file);
}

static void join(const char *target, const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	CHECK(!symlink(target, whole));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	(void)info;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* A partition of a disk; everything is closed. */
static void make_host(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	mkdir(root, 0755);
	can_open = "";
	can_look = false;
	put("/proc/self/mountinfo", MOUNTED);
	put("/proc/swaps", "Filename Type Size Used Priority\n");
	put("/proc/sys/kernel/core_pattern", "core\n");
	put("/proc/sys/kernel/kexec_load_disabled", "1\n");
	put("/proc/sys/kernel/modules_disabled", "1\n");
	put("/proc/sys/kernel/perf_event_paranoid", "3\n");
	put("/proc/sys/kernel/yama/ptrace_scope", "3\n");
	put("/proc/100/status", "Name:\tpostgres\nTracerPid:\t0\n");
	put("/proc/100/limits", "Limit  Soft Limit  Hard Limit  Units\n"
	    "Max core file size        0                    unlimited            bytes\n");
	put("/proc/100/maps", "55-56 r--p 0 fe:11 12 /srv/acme/db\n");
	put("/proc/200/maps", "55-56 r--p 0 fe:00 12 /usr/bin/cat\n");
	put("/proc/200/fdinfo/0", "pos:\t0\nmnt_id:\t20\n");
	put("/sys/kernel/security/lsm", "lockdown,capability,bpf");
	put("/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	put("/sys/power/state", "freeze mem disk\n");
	put("/sys/devices/vdb/dev", "254:16\n");
	put("/sys/devices/vdb/uevent", "MAJOR=254\nDEVNAME=vdb\n");
	put("/sys/devices/vdb/vdb1/dev", "254:17\n");
	put("/sys/devices/vdb/vdb1/partition", "1\n");
	put("/sys/devices/vdb/vdb1/uevent", "MAJOR=254\nDEVNAME=vdb1\n");
	put("/sys/block/.keep", "");
	put("/sys/dev/block/.keep", "");
	join("../../devices/vdb", "/sys/dev/block/254:16");
	join("../../devices/vdb/vdb1", "/sys/dev/block/254:17");
}

/* Why the first finding of a check in a state; NULL if there is none. */
static const char *found(const struct verify *verify, const char *check, const char *state)
{
	for (size_t i = 0; i < sd_json_variant_elements(verify->findings); i++) {
		sd_json_variant *row = sd_json_variant_by_index(verify->findings, i);

		if (!strcmp(sd_json_variant_string(sd_json_variant_by_key(row, "check")), check) &&
		    !strcmp(sd_json_variant_string(sd_json_variant_by_key(row, "state")), state))
			return sd_json_variant_string(sd_json_variant_by_key(row, "why"));
	}
	return NULL;
}

static const char *members = "";
static dev_t own[2];
static size_t own_count;

static void look(struct verify *verify)
{
	*verify = (struct verify){
		.root = root, .try_open = try_open, .try_look = try_look, .device = "254:17",
		.holders = holders, .holders_count = 1,
		.families = holders, .families_count = families_count,
	};
	snprintf(verify->members, sizeof(verify->members), "%s", members);
	memcpy(verify->own, own, sizeof(own));
	verify->own_count = own_count;
	verify_mounts(verify);
	verify_devices(verify);
	verify_processes(verify);
	verify_memory(verify);
	verify_kernel(verify);
	CHECK(!verify->failed);
}

/* Look again; @check is open, for a reason that holds @part, and nothing else is. */
#define CHECK_LOOSE(check, part) ({ \
	struct verify loose_; \
	look(&loose_); \
	CHECK_HOLDS(found(&loose_, check, "open"), part); \
	CHECK_EQUAL(loose_.open, 1); \
	verify_release(&loose_); \
	make_host(); \
})

static void test_closed(void)
{
	static const char *const checks[] = {
		"files", "names", "mounts", "device", "loop", "tracers", "ptrace", "mappings",
		"descriptors", "swap", "hibernation", "core dumps", "lsm", "lockdown",
		"modules", "kexec", "memory", "kprobes", "perf",
	};
	struct verify verify;

	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		CHECK_HOLDS(found(&verify, checks[i], "closed"), "");
	/* What is closed needs no advice. */
	CHECK(!sd_json_variant_by_key(sd_json_variant_by_index(verify.findings, 0), "advice"));
	verify_release(&verify);
}

static void test_mounts(void)
{
	struct verify verify;

	can_open = " /srv/acme ";
	CHECK_LOOSE("files", "/srv/acme can be opened");
	can_look = true;
	CHECK_LOOSE("names", "looked at");
	put("/proc/self/mountinfo", MOUNTED "41 40 0:50 / /srv/acme/db rw - tmpfs tmpfs rw\n");
	CHECK_LOOSE("mounted over", "/srv/acme/db");
	put("/proc/self/mountinfo", MOUNTED
	    "41 20 0:50 / /mnt/a\\040b rw - overlay o rw,lowerdir=/usr:/srv/acme/db,upperdir=/u\n");
	CHECK_LOOSE("stacked", "/mnt/a b");
	put("/proc/self/mountinfo", MOUNTED
	    "41 20 0:50 / /mnt rw - overlay o rw,lowerdir=/srv/acme2:/srv,upperdir=/u\n");
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	verify_release(&verify);
	put("/proc/self/mountinfo", "20 1 254:0 / / rw - ext4 /dev/vda rw\n");
	look(&verify);
	CHECK_HOLDS(found(&verify, "mounts", "unknown"), "254:17");
	verify_release(&verify);
	make_host();
}

static void test_devices(void)
{
	struct verify verify;

	can_open = " /dev/vdb1 ";
	CHECK_LOOSE("device", "/dev/vdb1 (device of the volume)");
	/* As a btrfs has it, which is on several. */
	put("/sys/fs/btrfs/x/devices/vdb1/dev", "254:17\n");
	members = "/sys/fs/btrfs/x/devices";
	can_open = " /dev/vdb1 ";
	CHECK_LOOSE("device", "/dev/vdb1 (device of the volume)");
	members = "";
	can_open = " /dev/vdb ";
	CHECK_LOOSE("device", "/dev/vdb (whole disk)");

	/* As an external journal is; the whole disk is no other one. */
	put("/sys/devices/vdj/dev", "254:48\n");
	put("/sys/devices/vdj/uevent", "DEVNAME=vdj\n");
	join("../../devices/vdj", "/sys/dev/block/254:48");
	can_open = " /dev/vdj ";
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	verify_release(&verify);
	own[0] = makedev(254, 17);
	own[1] = makedev(254, 48);
	own_count = 2;
	CHECK_LOOSE("device", "/dev/vdj (journal");
	own_count = 0;

	/* As a device mapper has it, with a disk below. */
	put("/sys/devices/vdc/dev", "254:32\n");
	put("/sys/devices/vdc/uevent", "DEVNAME=vdc\n");
	put("/sys/devices/vdb/vdb1/slaves/vdc/dev", "254:32\n");
	join("../../devices/vdc", "/sys/dev/block/254:32");
	can_open = " /dev/vdc ";
	look(&verify);
	CHECK_HOLDS(found(&verify, "device", "open"), "/dev/vdc (below it)");
	verify_release(&verify);
	put("/sys/devices/vdb/vdb1/dm/uuid", "CRYPT-LUKS2-0123\n");
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	CHECK_HOLDS(found(&verify, "device", "closed"), "");
	verify_release(&verify);
	make_host();

	put("/sys/devices/vdb/vdb1/device/scsi_generic/sg0/dev", "21:0\n");
	can_open = " /dev/sg0 ";
	CHECK_LOOSE("device", "/dev/sg0 (passes commands");
	put("/sys/devices/vdb/uevent", "DEVNAME=nvme0n1\n");
	put("/sys/devices/vdb/device/dev", "238:0\n");
	put("/dev/nvme0", "");
	can_open = " /dev/nvme0 ";
	CHECK_LOOSE("device", "/dev/nvme0 (passes commands");
	/* With several controllers, which have numbers of their own. */
	put("/sys/devices/vdb/uevent", "DEVNAME=nvme0n1\n");
	put("/sys/devices/vdb/device/nvme7/dev", "238:7\n");
	put("/dev/nvme0", "");
	put("/dev/nvme7", "");
	can_open = " /dev/nvme0 /dev/nvme7 ";
	CHECK_LOOSE("device", "/dev/nvme7 (passes commands");
	put("/sys/devices/vdb/uevent", "DEVNAME=nvme0n1\n");
	put("/dev/ng0n1", "");
	can_open = " /dev/ng0n1 ";
	CHECK_LOOSE("device", "/dev/ng0n1 (passes commands");
	put("/sys/devices/vdb/vdb1/loop/backing_file", "/var/image\n");
	can_open = " /var/image ";
	CHECK_LOOSE("device", "/var/image (file of a loop device)");
	put("/sys/block/loop0/loop/backing_file", "/srv/acme/image\n");
	CHECK_LOOSE("loop", "/srv/acme/image");
	put("/sys/block/loop0/loop/backing_file", "/srv/acme2/image\n");
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	verify_release(&verify);
	make_host();
}

static void test_processes(void)
{
	struct verify verify;

	put("/proc/100/status", "Name:\tpostgres\nTracerPid:\t77\n");
	CHECK_LOOSE("tracers", "process 100, which holds a grant, is traced by process 77");
	put("/proc/sys/kernel/yama/ptrace_scope", "1\n");
	CHECK_LOOSE("ptrace", "root may read");
	put("/proc/200/maps", "55-56 r--p 0 fe:11 12 /srv/acme/db\n");
	CHECK_LOOSE("mappings", "process 200");
	/* A child of who shares its grant needs none of its own. */
	put("/proc/200/status", "Name:\tsh\nPPid:\t150\n");
	put("/proc/150/status", "Name:\tsh\nPPid:\t100\n");
	put("/proc/200/maps", "55-56 r--p 0 fe:11 12 /srv/acme/db\n");
	CHECK_LOOSE("mappings", "process 200");
	put("/proc/200/status", "Name:\tsh\nPPid:\t150\n");
	put("/proc/150/status", "Name:\tsh\nPPid:\t100\n");
	put("/proc/200/maps", "55-56 r--p 0 fe:11 12 /srv/acme/db\n");
	families_count = 1;
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	verify_release(&verify);
	families_count = 0;
	make_host();
	put("/proc/200/fdinfo/3", "pos:\t0\nmnt_id:\t40\n");
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	CHECK_HOLDS(found(&verify, "descriptors", "closed"), "1 are held");
	verify_release(&verify);
	make_host();
}

static void test_memory(void)
{
	put("/proc/swaps", "Filename Type Size Used Priority\n/dev/vdd partition 1 0 -2\n");
	CHECK_LOOSE("swap", "/dev/vdd");
	put("/proc/swaps", "Filename Type Size Used Priority\n/dev/dm-1 partition 1 0 -2\n");
	CHECK_LOOSE("swap", "/dev/dm-1");
	put("/proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P\n");
	CHECK_LOOSE("core dumps", "systemd-coredump");
	put("/proc/100/limits", "Max core file size        unlimited            unlimited            bytes\n");
	CHECK_LOOSE("core dumps", "process 100");
}

static void test_encrypted_swap(void)
{
	struct verify verify;

	put("/proc/swaps", "Filename Type Size Used Priority\n/dev/dm-1 partition 1 0 -2\n"
	    "/dev/zram0 partition 1 0 -2\n");
	put("/sys/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap\n");
	look(&verify);
	CHECK_EQUAL(verify.open, 0);
	verify_release(&verify);
	make_host();
}

static void test_kernel(void)
{
	struct verify verify;

	put("/sys/kernel/security/lsm", "lockdown,capability,apparmor");
	CHECK_LOOSE("lsm", "without bpf");
	put("/proc/sys/kernel/modules_disabled", "0\n");
	look(&verify);
	/* Lockdown lets only signed ones in. */
	CHECK_EQUAL(verify.open, 0);
	verify_release(&verify);
	put("/sys/kernel/kexec_crash_loaded", "1\n");
	CHECK_LOOSE("kexec", "crash kernel");

	put("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put("/proc/sys/kernel/modules_disabled", "0\n");
	put("/proc/sys/kernel/kexec_load_disabled", "0\n");
	put("/proc/sys/kernel/perf_event_paranoid", "-1\n");
	put("/proc/swaps", "Filename Type Size Used Priority\n/dev/vdd partition 1 0 -2\n");
	put("/proc/kcore", "");
	put("/dev/mem", "");
	look(&verify);
	CHECK_HOLDS(found(&verify, "lockdown", "open"), "change");
	CHECK_HOLDS(found(&verify, "modules", "open"), "any module");
	CHECK_HOLDS(found(&verify, "kexec", "open"), "another kernel");
	CHECK_HOLDS(found(&verify, "memory", "open"), "/dev/mem and /proc/kcore");
	CHECK_HOLDS(found(&verify, "kprobes", "open"), "tracefs");
	CHECK_HOLDS(found(&verify, "perf", "open"), "every user");
	CHECK_HOLDS(found(&verify, "hibernation", "open"), "all memory");
	verify_release(&verify);
	put("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	look(&verify);
	CHECK_HOLDS(found(&verify, "lockdown", "open"), "integrity only");
	CHECK_HOLDS(found(&verify, "memory", "open"), "/proc/kcore");
	CHECK_HOLDS(found(&verify, "hibernation", "closed"), "");
	verify_release(&verify);
	make_host();
}

int main(void)
{
	snprintf(root, sizeof(root), "/tmp/trustgate-verify-XXXXXX");
	if (!mkdtemp(root))
		return 1;
	make_host();
	test_closed();
	test_mounts();
	test_devices();
	test_processes();
	test_memory();
	test_encrypted_swap();
	test_kernel();
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return check_end();
}
