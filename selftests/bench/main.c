// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - the program for the guest.
 *
 * Owns: which operation is measured where and in which setup. Prints a line
 * for each reading, fields separated by tabs:
 *
 *	reading SETUP PLACE OPERATION OWN MEDIAN SAME ALL
 *
 * instructions of the process itself (fewest, median, and how many samples in
 * a hundred took exactly the fewest), and the median with what others did on
 * its behalf, or "-" where nobody does.
 *
 * Must not own: how to measure; what the figures mean (./tabulate).
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gate.h"
#include "operation.h"
#include "rival.h"
#include "ruler.h"
#include "runner.h"

/* Boot-time work of RCU and others doubles the first figures. */
#define SETTLE_MS	20000

#define TMPFS		"/bench/tmpfs"
#define EXT4		"/bench/ext4"
#define VOLUME		"/bench/volume"
/* Of their own, as fanotify leaves something behind on a filesystem. */
#define RIVALS		"/bench/rivals"
#define LEVELS		9
#define LEVEL_1		"/1"
#define LEVEL_4		"/1/2/3/4"
#define LEVEL_8		"/1/2/3/4/5/6/7/8"
#define LEVEL_9		"/1/2/3/4/5/6/7/8/9"

static struct runner runner;

static void show(const char *setup, const char *place, const char *directory,
		 const struct operation *operation, struct runner *by,
		 bool by_child, bool all)
{
	struct ruler_reading own, with_others;

	own = runner_measure(by, directory, operation, RULER_OWN, by_child);
	printf("reading\t%s\t%s\t%s\t%lu\t%lu\t%u\t", setup, place,
	       operation->name, own.min, own.median, own.at_min);
	if (all) {
		gate_drain();
		with_others = runner_measure(by, directory, operation,
					     RULER_ALL, by_child);
		printf("%lu\n", with_others.median);
		gate_drain();
	} else {
		printf("-\n");
	}
	fflush(stdout);
}

static void measure(const char *setup, const char *place, const char *directory,
		    const struct operation *operation)
{
	show(setup, place, directory, operation, &runner, false, false);
}

/* Where events are made, so that workers have something to do, too. */
static void measure_all(const char *setup, const struct operation *operation)
{
	show(setup, "volume", VOLUME, operation, &runner, false, true);
}

static void make_file(const char *directory)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/f", directory);
	file = fopen(path, "w");
	if (!file || fputs("benchmark\n", file) < 0 || fclose(file))
		err(1, "make %s", path);
}

static void make_filesystem(const char *type, const char *source,
			    const char *path)
{
	char directory[64];
	int level, length;

	if (mkdir(path, 0755))
		err(1, "mkdir %s", path);
	if (mount(source, path, type, 0, NULL))
		err(1, "mount %s", path);
	make_file(path);
	length = snprintf(directory, sizeof(directory), "%s", path);
	for (level = 1; level <= LEVELS; level++) {
		length += sprintf(directory + length, "/%d", level);
		if (mkdir(directory, 0755))
			err(1, "mkdir %s", directory);
		make_file(directory);
	}
}

static void make_files(const char *directory)
{
	char path[128];
	FILE *file;
	int i;

	if (mkdir(directory, 0755))
		err(1, "mkdir %s", directory);
	for (i = 0; i < OPERATION_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d", directory, i);
		file = fopen(path, "w");
		if (!file || fclose(file))
			err(1, "make %s", path);
	}
}

static void make_places(void)
{
	const char *disk = getenv("TRUSTGATE_DISK");
	char command[256];

	if (!disk)
		errx(1, "TRUSTGATE_DISK does not name an empty disk");
	snprintf(command, sizeof(command), "mkfs.ext4 -q %s", disk);
	if (system(command))
		errx(1, "%s failed", command);
	if (mkdir("/bench", 0755))
		err(1, "mkdir /bench");
	make_filesystem("tmpfs", "bench", TMPFS);
	make_filesystem("ext4", disk, EXT4);
	make_filesystem("tmpfs", "bench", VOLUME);
	make_filesystem("tmpfs", "bench", RIVALS);
	if (mkdir(VOLUME "/crowd", 0755))
		err(1, "mkdir " VOLUME "/crowd");
	gate_prepare_crowd(VOLUME "/crowd");
	make_files(RIVALS "/crowd");
	sync();
}

static void measure_everywhere(const char *setup)
{
	const struct operation *const *operation;

	for (operation = operations_everywhere; *operation; operation++) {
		measure(setup, "tmpfs", TMPFS, *operation);
		measure(setup, "ext4", EXT4, *operation);
	}
}

/* The volume's own files while it is none: with what to compare. */
static void measure_future_volume(const char *setup)
{
	measure(setup, "volume", VOLUME, &operation_open);
	measure(setup, "volume", VOLUME, &operation_open_close);
	measure(setup, "volume", VOLUME, &operation_pread);
	measure(setup, "volume", VOLUME, &operation_pwrite);
	measure(setup, "volume", VOLUME, &operation_mmap);
	measure(setup, "volume 1", VOLUME LEVEL_1, &operation_open_close);
	measure(setup, "volume 4", VOLUME LEVEL_4, &operation_open_close);
	measure(setup, "volume 9", VOLUME LEVEL_9, &operation_open_close);
	measure(setup, "volume 1", VOLUME LEVEL_1, &operation_pread);
	measure(setup, "volume 4", VOLUME LEVEL_4, &operation_pread);
	measure(setup, "volume", VOLUME "/crowd", &operation_open_next);
}

static void enter_landlock(void)
{
	rival_landlock_enter(RIVALS);
}

static void measure_rivals(void)
{
	struct runner restricted;

	measure("none", "rivals", RIVALS, &operation_open_close);
	measure("none", "rivals", RIVALS "/crowd", &operation_open_next);
	measure("none", "rivals 1", RIVALS LEVEL_1, &operation_open_close);
	measure("none", "rivals 8", RIVALS LEVEL_8, &operation_open_close);

	/* The file itself is a level, too. */
	runner_start(&restricted, enter_landlock);
	show("Landlock, rule 2 levels above", "rivals 1", RIVALS LEVEL_1,
	     &operation_open_close, &restricted, false, false);
	show("Landlock, rule 9 levels above", "rivals 8", RIVALS LEVEL_8,
	     &operation_open_close, &restricted, false, false);
	runner_stop(&restricted);

	rival_fanotify_start(RIVALS);
	measure("fanotify, listener that allows", "rivals", RIVALS,
		&operation_open_close);
	measure("fanotify, listener that allows", "rivals", RIVALS "/crowd",
		&operation_open_next);
	rival_fanotify_stop();
}

static void measure_granted_file(const char *crowd)
{
	char setup[64];

	snprintf(setup, sizeof(setup), "file%s", crowd);
	gate_grant_file(runner.pid, "f", 0);
	measure(setup, "volume", VOLUME, &operation_open);
	measure(setup, "volume", VOLUME, &operation_open_close);
	measure(setup, "volume", VOLUME, &operation_pread);
	measure(setup, "volume", VOLUME, &operation_pwrite);
	measure(setup, "volume", VOLUME, &operation_mmap);

	snprintf(setup, sizeof(setup), "file, recorded%s", crowd);
	gate_record(true);
	measure_all(setup, &operation_open);
	measure_all(setup, &operation_open_close);
	gate_record(false);
	gate_revoke(runner.pid);

	snprintf(setup, sizeof(setup), "file, uses counted%s", crowd);
	gate_grant_file(runner.pid, "f", 1 << 20);
	measure(setup, "volume", VOLUME, &operation_open_close);
	gate_revoke(runner.pid);
}

static void measure_granted_subtree(const char *crowd)
{
	char setup[64];

	snprintf(setup, sizeof(setup), "subtree%s", crowd);
	gate_grant_subtree(runner.pid, "1", true);
	measure(setup, "volume 1", VOLUME LEVEL_1, &operation_open_close);
	measure(setup, "volume 4", VOLUME LEVEL_4, &operation_open_close);
	measure(setup, "volume 9", VOLUME LEVEL_9, &operation_open_close);
	measure(setup, "volume 4", VOLUME LEVEL_4, &operation_pread);

	snprintf(setup, sizeof(setup), "parent's subtree%s", crowd);
	show(setup, "volume 1", VOLUME LEVEL_1, &operation_open_close, &runner,
	     true, false);
	show(setup, "volume 1", VOLUME LEVEL_1, &operation_pread, &runner,
	     true, false);

	snprintf(setup, sizeof(setup), "subtree elsewhere%s", crowd);
	measure_all(setup, &operation_open_denied);
	gate_revoke(runner.pid);
}

static void measure_volume(const char *crowd)
{
	char setup[64];

	snprintf(setup, sizeof(setup), "no grant%s", crowd);
	measure_all(setup, &operation_open_denied);
	measure_granted_file(crowd);
	measure_granted_subtree(crowd);
}

static void measure_asked(void)
{
	gate_answer();
	measure("asked, agent that grants", "volume", VOLUME "/crowd",
		&operation_open_next);
	gate_answer_no_more();
	gate_revoke(runner.pid);
}

static void measure_audited(void)
{
	/* Else most denials would be without their audit record. */
	if (system("echo 1000000 >/sys/module/trustgate_core/parameters/audit_burst"))
		errx(1, "cannot lift the limit of audit records");
	if (system("auditctl -e 1 >/dev/null"))
		errx(1, "auditctl -e 1 failed");
	measure_all("no grant, audited", &operation_open_denied);
	if (system("auditctl -e 0 >/dev/null"))
		errx(1, "auditctl -e 0 failed");
}

static void show_machine(void)
{
	struct utsname machine;
	char name[64] = "";
	FILE *file;

	file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		     "r");
	if (!file || !fgets(name, sizeof(name), file))
		err(1, "read the clock source");
	fclose(file);
	printf("clocksource\t%s", name);
	uname(&machine);
	printf("release\t%s\n", machine.release);
}

int main(int argc, char **argv)
{
	/* The same addresses in each run. */
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE)) {
		personality(ADDR_NO_RANDOMIZE);
		execv("/proc/self/exe", argv);
		err(1, "execute this program again");
	}
	(void)argc;

	ruler_check();
	make_places();
	runner_start(&runner, NULL);
	ruler_rest(SETTLE_MS);
	show_machine();

	measure_everywhere("none");
	measure_future_volume("none");

	rival_bare_attach();
	ruler_rest(1000);
	measure_everywhere("bare");
	measure_future_volume("bare");
	rival_bare_detach();
	ruler_rest(1000);
	/* What differs from the first time is the ruler's own error. */
	measure_everywhere("none again");

	measure_rivals();

	gate_load();
	ruler_rest(1000);
	measure_everywhere("idle");
	/* What the gate costs is there each time. */
	measure_everywhere("idle again");

	gate_protect(VOLUME);
	ruler_rest(1000);
	measure_everywhere("armed");
	measure_volume("");
	measure_asked();
	measure_audited();
	printf("crowd\t%lu\n", gate_add_crowd());
	measure_volume(", a million others");

	gate_unprotect();
	ruler_rest(1000);
	measure_everywhere("disarmed");
	measure_everywhere("disarmed again");
	runner_stop(&runner);
	return 0;
}
