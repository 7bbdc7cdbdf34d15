/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trustgate verify - what is closed and what is open on this host.
 *
 * Owns: what a finding is, and what all checks have at hand.
 *
 * Must not own: a check (verify_*.c), or how findings are shown
 * (verb_verify.c).
 *
 * Checks only read. What they open they open for reading, and close at once.
 */
#ifndef _TRUSTGATE_VERIFY_H
#define _TRUSTGATE_VERIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include <systemd/sd-json.h>
#include <trustgate.h>

enum verify_state {
	VERIFY_CLOSED,
	VERIFY_OPEN,
	VERIFY_UNKNOWN,
};

#define VERIFY_MOUNTS_MAX 64
#define VERIFY_DEVICES_MAX 256

/**
 * struct verify - one run
 * @root: what comes before every path: "" but in unit tests
 * @try_open: opens a file for reading and closes it; 0 or -errno
 * @try_look: asks for a file's attributes; 0 or -errno
 * @device: of the volume, "major:minor"
 * @own: its devices as the kernel's gate has found them: that one, and others
 * @own_count: how many
 * @seen: devices that were tried
 * @seen_count: how many; of more than fit, some may be tried again
 * @members: directory of sysfs that lists the devices, where the filesystem has a
 *	list of its own, else ""
 * @holders: processes that hold grants on it
 * @families: those whose grants are for descendants, too
 * @holders_count: how many holders
 * @families_count: how many families
 * @ptrace_hooked: the gate looks at tracing
 * @path: where it is mounted, to be freed; NULL until verify_mounts()
 * @mounts: ids of its mounts
 * @mounts_count: how many
 * @findings: array of objects
 * @open: how many of them are open
 * @failed: memory ran out
 */
struct verify {
	const char *root;
	int (*try_open)(const char *path);
	int (*try_look)(const char *path);
	char device[32];
	dev_t own[TRUSTGATE_LOWER_DEVICES_MAX];
	size_t own_count;
	dev_t seen[VERIFY_DEVICES_MAX];
	size_t seen_count;
	char members[80];
	const pid_t *holders;
	const pid_t *families;
	size_t holders_count;
	size_t families_count;
	bool ptrace_hooked;
	char *path;
	int mounts[VERIFY_MOUNTS_MAX];
	size_t mounts_count;
	sd_json_variant *findings;
	unsigned int open;
	bool failed;
};

/**
 * verify_say() - add a finding
 * @verify: run
 * @check: what was looked at; one word or two
 * @state: of it
 * @advice: what to do if it is not closed; may be NULL
 * @format: why; one line
 */
void verify_say(struct verify *verify, const char *check, enum verify_state state,
		const char *advice, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* A whole file below the root, to be freed; NULL if it cannot be read. */
char *verify_read(const struct verify *verify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Its first line as a number, or -1. */
long verify_number(const struct verify *verify, const char *path);

/* Whether something is there. */
bool verify_exists(const struct verify *verify, const char *path);

/* How much lockdown the kernel is under: 0 none, 1 integrity, 2 confidentiality. */
int verify_lockdown(const struct verify *verify);

/* Whether it holds a grant, or an ancestor does that shares it. */
bool verify_is_holder(const struct verify *verify, pid_t pid);

/**
 * verify_release() - free what a run has made
 * @verify: run
 */
void verify_release(struct verify *verify);

/* The checks, by subject. Mounts come first: they find where the volume is. */
void verify_mounts(struct verify *verify);
void verify_devices(struct verify *verify);
void verify_processes(struct verify *verify);
void verify_kernel(struct verify *verify);
void verify_memory(struct verify *verify);

#endif /* _TRUSTGATE_VERIFY_H */
