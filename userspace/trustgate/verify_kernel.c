// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate verify - the kernel that the gate stands on.
 *
 * Owns: whether root can replace the kernel, reach around its hooks, or read
 * its memory; swap, hibernation and core dumps.
 *
 * Must not own: what concerns one volume only.
 */
#include <stdlib.h>
#include <string.h>

#include "verify.h"

#define LOCK_DOWN "boot with lockdown=confidentiality"

static void check_lsm(struct verify *verify)
{
	char *text = verify_read(verify, "/sys/kernel/security/lsm");

	if (!text)
		verify_say(verify, "lsm", VERIFY_UNKNOWN, "mount securityfs",
			   "/sys/kernel/security/lsm cannot be read");
	else if (strstr(text, "bpf"))
		verify_say(verify, "lsm", VERIFY_CLOSED, NULL, "bpf is among the security modules");
	else
		verify_say(verify, "lsm", VERIFY_OPEN, "add bpf to the boot parameter lsm=",
			   "without bpf among the security modules no hook runs");
	free(text);
}

static void check_lockdown(struct verify *verify)
{
	switch (verify_lockdown(verify)) {
	case 2:
		verify_say(verify, "lockdown", VERIFY_CLOSED, NULL,
			   "the kernel is locked down for confidentiality");
		break;
	case 1:
		verify_say(verify, "lockdown", VERIFY_OPEN, LOCK_DOWN,
			   "locked down for integrity only, so root can read the kernel's memory");
		break;
	default:
		verify_say(verify, "lockdown", VERIFY_OPEN, LOCK_DOWN,
			   "root can read and change the kernel's memory");
	}
}

static void check_modules(struct verify *verify)
{
	char *enforce = verify_read(verify, "/sys/module/module/parameters/sig_enforce");

	if (verify_number(verify, "/proc/sys/kernel/modules_disabled") == 1)
		verify_say(verify, "modules", VERIFY_CLOSED, NULL, "no more modules can be loaded");
	else if ((enforce && *enforce == 'Y') || verify_lockdown(verify))
		verify_say(verify, "modules", VERIFY_CLOSED, NULL,
			   "only signed modules can be loaded");
	else
		verify_say(verify, "modules", VERIFY_OPEN,
			   "boot with module.sig_enforce=1, or set kernel.modules_disabled=1",
			   "root can load any module");
	free(enforce);
}

static void check_kexec(struct verify *verify)
{
	long disabled = verify_number(verify, "/proc/sys/kernel/kexec_load_disabled");

	if (verify_number(verify, "/sys/kernel/kexec_crash_loaded") == 1)
		verify_say(verify, "kexec", VERIFY_OPEN, "kexec -p -u, and do without kdump",
			   "a crash kernel is loaded, which gets all memory");
	else if (disabled < 0)
		verify_say(verify, "kexec", VERIFY_CLOSED, NULL, "this kernel has no kexec");
	else if (disabled == 1 || verify_lockdown(verify))
		verify_say(verify, "kexec", VERIFY_CLOSED, NULL,
			   "no kernel can be loaded, or only a signed one");
	else
		verify_say(verify, "kexec", VERIFY_OPEN, "set kernel.kexec_load_disabled=1",
			   "root can start another kernel, without the gate, with all memory in place");
}

static void check_kernel_memory(struct verify *verify)
{
	int lockdown = verify_lockdown(verify);
	bool mem = verify_exists(verify, "/dev/mem") && !lockdown;
	bool kcore = verify_exists(verify, "/proc/kcore") && lockdown < 2;

	if (mem || kcore)
		verify_say(verify, "memory", VERIFY_OPEN, LOCK_DOWN,
			   "root can read memory by way of %s%s%s", mem ? "/dev/mem" : "",
			   mem && kcore ? " and " : "", kcore ? "/proc/kcore" : "");
	else
		verify_say(verify, "memory", VERIFY_CLOSED, NULL,
			   "neither /dev/mem nor /proc/kcore can be read");
}

static void check_tracing(struct verify *verify)
{
	bool probes = verify_exists(verify, "/sys/kernel/tracing/kprobe_events") ||
		      verify_exists(verify, "/sys/kernel/debug/tracing/kprobe_events") ||
		      verify_exists(verify, "/sys/kernel/debug/kprobes");

	if (verify_lockdown(verify) == 2)
		verify_say(verify, "kprobes", VERIFY_CLOSED, NULL,
			   "lockdown keeps root from probing the kernel");
	else if (probes)
		verify_say(verify, "kprobes", VERIFY_OPEN, LOCK_DOWN,
			   "tracefs or debugfs is mounted, and root can probe the kernel");
	else
		verify_say(verify, "kprobes", VERIFY_OPEN, LOCK_DOWN,
			   "root can mount tracefs and probe the kernel");
}

static void check_perf(struct verify *verify)
{
	long paranoid = verify_number(verify, "/proc/sys/kernel/perf_event_paranoid");

	if (verify_lockdown(verify) == 2)
		verify_say(verify, "perf", VERIFY_CLOSED, NULL,
			   "lockdown keeps perf from the kernel");
	else if (paranoid >= 2)
		verify_say(verify, "perf", VERIFY_CLOSED, NULL,
			   "perf_event_paranoid is %ld: only root samples the kernel; for root see lockdown",
			   paranoid);
	else
		verify_say(verify, "perf", VERIFY_OPEN, "set kernel.perf_event_paranoid=2 or more",
			   "perf_event_paranoid is %ld: every user may sample the kernel", paranoid);
}

void verify_kernel(struct verify *verify)
{
	check_lsm(verify);
	check_lockdown(verify);
	check_modules(verify);
	check_kexec(verify);
	check_kernel_memory(verify);
	check_tracing(verify);
	check_perf(verify);
}
