// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects and subjects: what a path inside a volume stands for, whether it lies
 * beneath a rule's, and what process a pid stands for.
 *
 *	root/
 *	├── db/
 *	│   ├── main.db
 *	│   ├── deep/a/b
 *	│   ├── out -> ../mail		(symbolic link within)
 *	│   └── hard			(second name of mail/letter)
 *	├── mail/
 *	│   └── letter
 *	├── escape -> /etc		(symbolic link out)
 *	└── pipe
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <trustgate.h>

#include "check.h"
#include "object.h"
#include "subject.h"

static char root[] = "/tmp/trusteed-object-XXXXXX";

static void make_file(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int make_tree(void)
{
	if (!mkdtemp(root) || chdir(root) < 0)
		return -1;
	mkdir("db", 0700);
	mkdir("db/deep", 0700);
	mkdir("db/deep/a", 0700);
	mkdir("mail", 0700);
	make_file("db/main.db");
	make_file("db/deep/a/b");
	make_file("mail/letter");
	if (link("mail/letter", "db/hard") < 0 || symlink("../mail", "db/out") < 0 ||
	    symlink("/etc", "escape") < 0 || mkfifo("pipe", 0600) < 0)
		return -1;
	return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

#define FILE_KIND	TRUSTGATE_OBJECT_KIND_FILE
#define TREE_KIND	TRUSTGATE_OBJECT_KIND_SUBTREE

static void test_resolve(int root_fd)
{
	static const struct {
		const char *path;
		enum object_wish wish;
		int error;
		uint32_t kind;
		const char *message;
	} table[] = {
		{ ".", OBJECT_AS_IT_IS, 0, TREE_KIND, NULL },
		{ "db", OBJECT_AS_IT_IS, 0, TREE_KIND, NULL },
		{ "db/", OBJECT_AS_IT_IS, 0, TREE_KIND, NULL },
		{ "db", OBJECT_SUBTREE, 0, TREE_KIND, NULL },
		{ "db", OBJECT_ONE_INODE, 0, FILE_KIND, NULL },
		{ "db/main.db", OBJECT_AS_IT_IS, 0, FILE_KIND, NULL },
		{ "db//./main.db", OBJECT_AS_IT_IS, 0, FILE_KIND, NULL },
		{ "db/deep/a/b", OBJECT_AS_IT_IS, 0, FILE_KIND, NULL },
		/* O_PATH does not wait for the other end. */
		{ "pipe", OBJECT_AS_IT_IS, 0, FILE_KIND, NULL },
		{ "db/main.db", OBJECT_SUBTREE, ENOTDIR, 0, "\"db/main.db\" is not a directory" },
		{ "db/main.db/", OBJECT_AS_IT_IS, ENOTDIR, 0, "\"db/main.db\" is not a directory" },
		{ "db/main.db/x", OBJECT_AS_IT_IS, ENOTDIR, 0,
		  "\"db/main.db/x\" leads through something that is not a directory" },
		{ "nothing", OBJECT_AS_IT_IS, ENOENT, 0, "\"nothing\" does not exist on the volume" },
		{ "db/x/y", OBJECT_AS_IT_IS, ENOENT, 0, "\"db/x/y\" does not exist on the volume" },
		{ "escape", OBJECT_AS_IT_IS, ELOOP, 0,
		  "\"escape\" leads through a symbolic link; name what it points to" },
		{ "escape/passwd", OBJECT_AS_IT_IS, ELOOP, 0,
		  "\"escape/passwd\" leads through a symbolic link; name what it points to" },
		{ "db/out/letter", OBJECT_AS_IT_IS, ELOOP, 0,
		  "\"db/out/letter\" leads through a symbolic link; name what it points to" },
		{ "../x", OBJECT_AS_IT_IS, EINVAL, 0, "\"../x\" contains \"..\"" },
		{ "/etc/passwd", OBJECT_AS_IT_IS, EINVAL, 0,
		  "\"/etc/passwd\" begins with \"/\"; it is relative to the volume's root" },
		{ "", OBJECT_AS_IT_IS, EINVAL, 0, "\"\" is empty; \".\" is the whole volume" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct object object = { .fd = -1, .parent_fd = -1 };
		struct refusal refusal = { 0 };

		CHECK_EQUAL(object_resolve(root_fd, table[i].path, table[i].wish, &object,
					   &refusal), -table[i].error);
		if (table[i].error) {
			CHECK_TEXT(refusal.message, table[i].message);
			CHECK_TEXT(refusal.attribute, "path");
			CHECK_EQUAL(object.fd, -1);
		} else {
			CHECK_EQUAL(object.kind, table[i].kind);
			CHECK(fcntl(object.fd, F_GETFL) & O_PATH);
			CHECK(fcntl(object.parent_fd, F_GETFL) & O_PATH);
		}
		object_close(&object);
	}
}

static void test_mount_point(void)
{
	struct object object;
	struct refusal refusal = { 0 };
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* /proc is a filesystem of its own wherever this runs. */
	CHECK_EQUAL(object_resolve(fd, "proc/self", OBJECT_AS_IT_IS, &object, &refusal), -EXDEV);
	CHECK_TEXT(refusal.message, "\"proc/self\" leads out of the volume");
	close(fd);
}

static void test_beneath(int root_fd)
{
	static const struct {
		const char *object, *rule;
		int beneath;
	} table[] = {
		{ "db", "db", 1 },
		{ "db/main.db", "db", 1 },
		{ "db/deep/a/b", "db", 1 },
		{ "db/deep/a", "db/deep", 1 },
		{ "db/main.db", "db/main.db", 1 },
		{ "mail/letter", ".", 1 },
		{ ".", ".", 1 },
		{ ".", "db", 0 },
		{ "mail", "db", 0 },
		{ "mail/letter", "db", 0 },
		{ "db", "db/deep", 0 },
		{ "db/main.db", "db/deep", 0 },
		{ "db/main.db", "nothing", 0 },
		{ "db/main.db", "db/main.db/x", 0 },
		/* A rule's path that became a symbolic link covers nothing. */
		{ "mail/letter", "db/out", 0 },
		{ "db/main.db", "escape", 0 },
		/* Two names of one inode: by one of them it lies beneath. */
		{ "db/hard", "db", 1 },
		{ "db/hard", "mail/letter", 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct object object = { .fd = -1, .parent_fd = -1 };
		struct refusal refusal = { 0 };

		CHECK_EQUAL(object_resolve(root_fd, table[i].object, OBJECT_AS_IT_IS, &object,
					   &refusal), 0);
		CHECK_EQUAL(object_beneath(root_fd, &object, table[i].rule), table[i].beneath);
		object_close(&object);
	}
}

/* Replaced by another directory of the same name, the rule means the new one. */
static void test_beneath_follows_inodes(int root_fd)
{
	struct object object;
	struct refusal refusal = { 0 };

	CHECK_EQUAL(object_resolve(root_fd, "db/main.db", OBJECT_AS_IT_IS, &object, &refusal), 0);
	CHECK_EQUAL(rename("db", "moved"), 0);
	CHECK_EQUAL(mkdir("db", 0700), 0);
	CHECK_EQUAL(object_beneath(root_fd, &object, "db"), 0);
	CHECK_EQUAL(object_beneath(root_fd, &object, "moved"), 1);
	rmdir("db");
	CHECK_EQUAL(rename("moved", "db"), 0);
	CHECK_EQUAL(object_beneath(root_fd, &object, "db"), 1);
	object_close(&object);
}

static void test_subjects(void)
{
	struct refusal refusal = { 0 };
	struct subject subject;
	pid_t child;
	int pidfd;

	CHECK_EQUAL(subject_open(getpid(), -1, &subject, &refusal), 0);
	CHECK_EQUAL(subject.pid, getpid());
	CHECK_EQUAL(subject.parent, getppid());
	CHECK(subject.start_ticks > 0);
	CHECK_EQUAL(subject_alive(&subject), 1);
	subject_close(&subject);

	CHECK_EQUAL(subject_open(0, -1, &subject, &refusal), -EINVAL);
	CHECK_EQUAL(subject_open(-5, -1, &subject, &refusal), -EINVAL);
	CHECK_EQUAL(subject_open(0x3fffffff, -1, &subject, &refusal), -ESRCH);
	CHECK_TEXT(refusal.attribute, "pid");

	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	pidfd = syscall(SYS_pidfd_open, child, 0);
	CHECK_EQUAL(subject_open(child, pidfd, &subject, &refusal), 0);
	CHECK_EQUAL(subject.parent, getpid());
	CHECK_EQUAL(subject_parent(child), getpid());
	kill(child, SIGKILL);
	/* Not reaped: the number still exists, the process has exited. */
	siginfo_t info;
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	CHECK_EQUAL(subject_alive(&subject), 0);
	subject_close(&subject);
	CHECK_EQUAL(subject_open(child, pidfd, &subject, &refusal), -ESRCH);
	waitpid(child, NULL, 0);
	/* The pidfd of one, the number of another: the start time cannot be its. */
	CHECK_EQUAL(subject_open(getpid(), pidfd, &subject, &refusal), -ESRCH);
	close(pidfd);
}

int main(void)
{
	int root_fd = make_tree();
	char command[64];

	if (root_fd < 0)
		return 1;
	test_resolve(root_fd);
	test_mount_point();
	test_beneath(root_fd);
	test_beneath_follows_inodes(root_fd);
	test_subjects();
	close(root_fd);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command) ? 1 : check_end();
}
