// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_test - nothing else changes: the rows of posix.h have the same outcome
 * on a filesystem while nothing is protected, on one that is protected, under a
 * grant for all of it, and on one that is not while another is.
 *
 * Owns: running the rows in the three ways, as root and as a user; comparing;
 * the list of differences that are meant to be.
 *
 * Must not own: the rows.
 *
 * posix_test ROW runs one row and prints what it recorded.
 */

#include "kselftest.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"
#include "posix.h"

static const struct posix_group *const groups[] = {
	&posix_open, &posix_program, &posix_name, &posix_rename, &posix_io,
	&posix_map, &posix_attr, &posix_command, &posix_lock, &posix_mount,
};

#define GROUPS	(sizeof(groups) / sizeof(*groups))

/* More than there are. */
#define ROWS_MAX	128

static const char *const filesystems[] = { "ext4", "xfs", "tmpfs", "btrfs" };

#define FILESYSTEMS	(sizeof(filesystems) / sizeof(*filesystems))

enum way { ALONE, GRANTED, BESIDE, WAYS };

static const char *const way_names[WAYS] = {
	"with nothing protected", "protected, under a grant",
	"beside a protected one",
};

static const uid_t users[] = { 0, 65534 };

#define USERS	(sizeof(users) / sizeof(*users))

/*
 * What a grant does not allow, or the gate answers differently, and why. A row
 * is named by its begin.
 */
static const struct difference {
	const char *row, *what, *granted, *why;
} differences[] = {
	{ "ioctls on", "unknown", "EACCES", "it could be anything" },
	{ "ioctls on", "FITRIM", "EACCES", "it is about the device" },
	{ "ioctls on", "GETFSMAP", "EACCES", "it tells of all files" },
	{ "ioctls on", "GET_ENCRYPTION_POLICY", "EACCES", "not in the list" },
	{ "ioctls on", "GET_ENCRYPTION_PWSALT", "EACCES", "not in the list" },
	{ "ioctls on", "XFS_IOC_FSGEOMETRY", "EACCES", "not in the list" },
	{ "ioctls on", "XFS_IOC_DIOINFO", "EACCES", "not in the list" },
	{ "ioctls on", "EXT4_IOC_GETSTATE", "EACCES", "not in the list" },
	{ "ioctls on", "SETVERSION", "EACCES",
	  "a number and generation that are another file's" },
	{ "file handle of what is not cached", "open", "EACCES",
	  "it has no name yet, so that it is below no directory" },
	{ "looking into processes", "process_vm_readv", "EPERM",
	  "the memory holds bytes of the volume" },
	{ "looking into processes", "mem", "EACCES", "likewise" },
	{ "looking into processes", "environ", "EACCES", "likewise" },
	{ "looking into processes", "pidfd_getfd", "EPERM", "likewise" },
	{ "looking into processes", "attach", "EPERM", "likewise" },
	{ "traced and dumping processes", "traced", "exit 1", "likewise" },
	{ "traced and dumping processes", "dump", "signal 6", "likewise" },
};

#define DIFFERENCES	(sizeof(differences) / sizeof(*differences))

static bool seen[DIFFERENCES];

/**
 * struct run - the rows, gone through once
 * @reached: number of the row that is going on, or of all when they are over
 * @records: of each row
 */
struct run {
	unsigned int reached;
	struct posix_record records[ROWS_MAX];
};

static struct run *runs[FILESYSTEMS][WAYS][USERS];
static const struct posix_row *rows[ROWS_MAX];
static unsigned int count;
static const char *only;
static struct gate gate;
static struct volume volume, other;

static bool applies(const struct posix_row *row, const char *fstype, uid_t uid)
{
	if (only && strcmp(only, row->name))
		return false;
	if (row->where & POSIX_ROOT && uid)
		return false;
	/* What a user may is decided above the filesystem: two are enough. */
	return (!uid && !(row->where & POSIX_DISK)) || strcmp(fstype, "tmpfs");
}

static bool ours[256];

static void know_descriptors(void)
{
	int fd;

	for (fd = 0; fd < 256; fd++)
		ours[fd] = fcntl(fd, F_GETFD) >= 0;
}

static void close_others(void)
{
	int fd;

	for (fd = 0; fd < 256; fd++) {
		if (!ours[fd])
			close(fd);
	}
	close_range(256, ~0U, 0);
}

static void go_through(struct run *run, const char *fstype, uid_t uid)
{
	int arena = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned int i;

	know_descriptors();
	for (i = 0; i < count; i++) {
		if (!applies(rows[i], fstype, uid))
			continue;
		run->reached = i;
		posix_now = &run->records[i];
		alarm(gate_patience(20));
		umask(022);
		if (mkdir("w", 0755) || chdir("w"))
			_exit(1);
		rows[i]->go(rows[i]->argument);
		close_others();
		if (fchdir(arena) || chdir("w"))
			_exit(1);
		empty();
		if (fchdir(arena) || rmdir("w")) {
			perror("# posix_test: clearing away");
			_exit(1);
		}
	}
	run->reached = count;
	alarm(0);
	close(arena);
}

/* As a process that only now is let begin. */
static void play(int begin, struct run *run, const char *fstype, uid_t uid)
{
	int status;
	pid_t pid;
	char byte;

	if (read(begin, &byte, 1) != 1)
		_exit(1);
	posix_now = &run->records[0];
	umask(0);
	if (mkdir("arena", 0777) || chdir("arena"))
		_exit(1);
	posix_scene();
	posix_now->length = 0;
	if (!uid) {
		go_through(run, fstype, uid);
	} else {
		pid = fork();
		if (!pid) {
			if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
			    setresuid(uid, uid, uid) ||
			    prctl(PR_SET_DUMPABLE, 1))
				_exit(1);
			go_through(run, fstype, uid);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid)
			_exit(1);
	}
	empty();
	_exit(chdir("..") || rmdir("arena"));
}

/* Returns 0 or an errno value. */
static int go(enum way way, unsigned int user, unsigned int kind)
{
	struct trustgate_grant_request request;
	struct run *run = runs[kind][way][user];
	int begin[2], status = 0;
	pid_t pid;

	memset(run, 0, sizeof(*run));
	if (chdir(way == GRANTED ? volume.disk.path : other.disk.path) ||
	    pipe2(begin, O_CLOEXEC))
		return errno;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(begin[1]);
		play(begin[0], run, filesystems[kind], users[user]);
	}
	close(begin[0]);
	if (way == GRANTED) {
		request = gate_request(&volume, ".", GATE_ALL);
		request.pid = pid;
		request.object_kind = TRUSTGATE_OBJECT_KIND_SUBTREE;
		request.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS |
				TRUSTGATE_GRANT_FLAGS_KEEP_EXEC;
		if (!gate_grant(&gate, &request))
			status = EINVAL;
	}
	if (!status && write(begin[1], "", 1) != 1)
		status = errno;
	close(begin[1]);
	if (waitpid(pid, NULL, 0) != pid)
		return errno;
	return status;
}

static size_t line_length(const char *line)
{
	return strcspn(line, "\n");
}

static bool is_meant(const struct posix_row *row, const char *alone,
		     const char *granted)
{
	const struct difference *known;
	size_t i, length;

	for (i = 0; i < DIFFERENCES; i++) {
		known = &differences[i];
		length = strlen(known->what);
		if (strncmp(row->name, known->row, strlen(known->row)) ||
		    strncmp(alone, known->what, length) ||
		    strncmp(granted, known->what, length) ||
		    alone[length] != '=' || granted[length] != '=')
			continue;
		granted += length + 1;
		if (line_length(granted) != strlen(known->granted) ||
		    strncmp(granted, known->granted, strlen(known->granted)))
			return false;
		seen[i] = true;
		return true;
	}
	return false;
}

/* What was done is the same, if not what came of it. */
static bool same_what(const char *a, const char *b)
{
	size_t length = strcspn(a, "=\n");

	return a[length] == '=' && !strncmp(a, b, length + 1);
}

/* Returns whether the row went alike; says where not. */
static bool alike(const struct posix_row *row, const char *title,
		  const struct posix_record *first,
		  const struct posix_record *second, enum way way)
{
	const char *a = first->text, *b = second->text;
	unsigned int number = 1;
	bool good = true;
	size_t la, lb;

	for (; *a || *b; number++) {
		la = line_length(a);
		lb = line_length(b);
		if ((la != lb || strncmp(a, b, la)) &&
		    (way != GRANTED || !is_meant(row, a, b))) {
			printf("# %s, %s, line %u:\n# %s: %.*s\n# %s: %.*s\n",
			       title, row->name, number, way_names[ALONE],
			       (int)la, a, way_names[way], (int)lb, b);
			good = false;
			/* From here on each line would be another. */
			if (!same_what(a, b))
				break;
		}
		a += la;
		b += lb;
		a += *a == '\n';
		b += *b == '\n';
	}
	return good;
}

static void compare(unsigned int kind, unsigned int user)
{
	const struct run *alone = runs[kind][ALONE][user], *run;
	unsigned int i, way, good;
	char title[32];

	snprintf(title, sizeof(title), "%s, %s", filesystems[kind],
		 users[user] ? "a user" : "root");
	for (i = 0; i < count; i++) {
		if (!applies(rows[i], filesystems[kind], users[user]))
			continue;
		good = alone->reached > i && alone->records[i].length;
		if (!good)
			printf("# %s: ended by it %s\n", rows[i]->name,
			       way_names[ALONE]);
		for (way = GRANTED; good && way < WAYS; way++) {
			run = runs[kind][way][user];
			if (run->reached <= i) {
				printf("# ended by it or earlier %s\n",
				       way_names[way]);
				good = false;
				break;
			}
			good = alike(rows[i], title, &alone->records[i],
				     &run->records[i], way);
		}
		if (only)
			printf("%s", alone->records[i].text);
		ksft_test_result(good, "%s: %s\n", title, rows[i]->name);
	}
}

/* First on all without hooks: attaching them takes a while. */
static int try_alone(unsigned int kinds)
{
	unsigned int kind, user;
	int err;

	err = -gate_open_idle(&gate);
	if (err == ECANCELED)
		ksft_exit_skip("%s\n", gate.why);
	for (kind = 0; kind < kinds && !err; kind++) {
		err = -volume_make(&other, 1, filesystems[kind]);
		for (user = 0; user < USERS && !err; user++)
			err = go(ALONE, user, kind);
		disk_clean();
	}
	if (gate.conn)
		gate_close(&gate);
	return err;
}

static int try_protected(unsigned int kind)
{
	static const struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_RECORD,
	};
	unsigned int user;
	int err;

	err = -gate_open(&gate) ?: -volume_make(&other, 1, filesystems[kind]) ?:
	      -volume_make(&volume, 0, filesystems[kind]) ?:
	      -volume_protect_with(&gate, &volume, &settings);
	for (user = 0; user < USERS && !err; user++)
		err = go(GRANTED, user, kind) ?: go(BESIDE, user, kind);
	for (user = 0; user < USERS && !err; user++)
		compare(kind, user);
	if (gate.conn)
		gate_close(&gate);
	return err;
}

/* A difference that is gone is to be struck out. */
static void compare_differences(void)
{
	bool good = true;
	size_t i;

	for (i = 0; i < DIFFERENCES; i++) {
		if (seen[i])
			continue;
		printf("# %s: %s is no longer different\n", differences[i].row,
		       differences[i].what);
		good = false;
	}
	ksft_test_result(good, "all stated differences are there\n");
}

static void *shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	return memory;
}

int main(int argc, char *argv[])
{
	unsigned int g, i, plan = 0, kinds = FILESYSTEMS;
	int err;

	only = argc > 1 ? argv[1] : NULL;
	ksft_print_header();
	for (g = 0; g < GROUPS; g++) {
		for (i = 0; i < groups[g]->count && count < ROWS_MAX; i++)
			rows[count++] = &groups[g]->rows[i];
	}
	/* A kernel that checks all memory takes many times as long. */
	if (gate_patience(1) > 1)
		kinds = 1;
	for (i = 0; i < kinds * USERS * count; i++)
		plan += applies(rows[i % count],
				filesystems[i / count / USERS],
				users[i / count % USERS]);
	ksft_set_plan(plan + !only);
	for (i = 0; i < kinds * WAYS * USERS; i++)
		runs[i / USERS / WAYS][i / USERS % WAYS][i % USERS] =
			shared(sizeof(struct run));
	err = try_alone(kinds);
	if (err)
		ksft_exit_fail_msg("%s\n", strerror(err));
	for (i = 0; i < kinds; i++) {
		err = try_protected(i);
		if (err)
			ksft_exit_fail_msg("%s: %s\n", filesystems[i],
					   strerror(err));
	}
	if (!only)
		compare_differences();
	ksft_finished();
}
