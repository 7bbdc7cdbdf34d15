// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_program - rows: executing files, and what processes hand each other.
 *
 * Owns: exec, ETXTBSY, set-id programs, descriptors that are passed on, core
 * dumps, tracing.
 *
 * Must not own: mapping files by hand (posix_map.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "posix.h"

static void copy_program(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat info = {};

	fstat(in, &info);
	note(to, sendfile(out, in, NULL, info.st_size) != info.st_size ||
	     fchmod(out, mode) ? -1 : 0);
	close(in);
	close(out);
}

static void script(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	note(path, write(fd, text, strlen(text)) < 0 ? -1 : 0);
	close(fd);
}

static const char *program;

/* Exits as the program does, or with the errno why it could not be started. */
static int execute(void)
{
	char *const argv[] = { "program", "-c", "exit 7", NULL };
	char *const envp[] = { NULL };

	execve(program, argv, envp);
	return errno;
}

static int execute_fd(void)
{
	char *const argv[] = { "program", NULL };
	char *const envp[] = { NULL };
	int fd = open(program, O_PATH);

	syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
	return errno;
}

static void try_program(const char *path)
{
	char what[64];

	program = path;
	snprintf(what, sizeof(what), "run %s", path);
	in_child(what, execute);
}

static void programs(int unused)
{
	int fd;

	copy_program("/bin/false", "false", 0755);
	copy_program("/bin/false", "not", 0644);
	copy_program("/bin/false", "mine", 0100);
	copy_program("/bin/dash", "sh", 0755);
	make("text");
	note("chmod", chmod("text", 0755));
	note("mkdir", mkdir("d", 0755));
	note("symlink", symlink("false", "to-false"));
	script("script", "#!./sh\nexit 3\n");
	script("twice", "#!./script\n");
	script("none", "#!./nowhere\n");
	try_program("./false");
	try_program("./not");
	try_program("./mine");
	try_program("./sh");
	try_program("./text");
	try_program("./d");
	try_program("./to-false");
	try_program("./script");
	try_program("./twice");
	try_program("./none");
	try_program("./nowhere");
	try_program("false/x");
	program = "false";
	in_child("by its descriptor", execute_fd);
	program = "not";
	in_child("the other by its descriptor", execute_fd);

	fd = note_fd("open to write", open("false", O_WRONLY | O_CLOEXEC));
	try_program("./false");
	close(fd);
	try_program("./false");
	note("unlink", unlink("false"));
	try_program("./false");
	note("set-id", chmod("sh", 06755));
	see("sh");
	try_program("./sh");
}

static int busy(void)
{
	char byte, *const argv[] = { "sh", "-c", "echo; read x", NULL };
	int out[2], in[2];
	pid_t pid;

	if (pipe(out) || pipe(in))
		return 99;
	pid = fork();
	if (!pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execv("./sh", argv);
		_exit(98);
	}
	if (read(out[0], &byte, 1) != 1)
		return 97;
	note_fd("write while it runs", open("sh", O_WRONLY));
	note_fd("truncate", open("sh", O_RDONLY | O_TRUNC));
	note("truncate by name", truncate("sh", 0));
	note_fd("read while it runs", open("sh", O_RDONLY));
	note("chmod", chmod("sh", 0700));
	note("rename", rename("sh", "other"));
	note("unlink", unlink("other"));
	close(in[1]);
	return waitpid(pid, NULL, 0) == pid ? 0 : 96;
}

static void text_busy(int unused)
{
	copy_program("/bin/dash", "sh", 0755);
	in_child("busy", busy);
}

static int send_fd(int through, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(through, &message, 0);
}

static int receive_fd(int through)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vector = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(through, &message, 0) < 0)
		return -1;
	note("flags", message.msg_flags);
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static int ends[2];

static int receiver(void)
{
	char text[16];
	int fd = receive_fd(ends[1]);

	note_text("read", text, pread(fd, text, sizeof(text), 0));
	note("write", pwrite(fd, "ABC", 3, 0));
	return 0;
}

static void pass(int unused)
{
	int fd;

	make("f");
	fd = note_fd("open", open("f", O_RDWR));
	note("socketpair", socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	note("send", send_fd(ends[0], fd));
	in_child("receive", receiver);
	note("send", send_fd(ends[0], open("f", O_PATH)));
	in_child("receive a path", receiver);
	note("send", send_fd(ends[0], open(".", O_RDONLY)));
	in_child("receive a directory", receiver);
	see("f");
}

static int inherited;

static int use_inherited(void)
{
	char text[4];

	note_text("read", text, read(inherited, text, sizeof(text)));
	note("write", write(inherited, "xy", 2));
	return 0;
}

static void inherit(int unused)
{
	char text[4];

	make("f");
	inherited = note_fd("open", open("f", O_RDWR));
	in_child("child", use_inherited);
	note("where", lseek(inherited, 0, SEEK_CUR));
	note_text("read", text, read(inherited, text, sizeof(text)));
	see("f");
}

/* A process that has read from the filesystem, and waits to be looked at. */
static pid_t reader(void)
{
	int pipes[2];
	pid_t pid;
	char byte;

	if (pipe(pipes))
		return -1;
	pid = fork();
	if (!pid) {
		int fd = open("f", O_RDONLY);

		if (read(fd, &byte, 1) == 1)
			write(pipes[1], "", 1);
		for (;;)
			pause();
	}
	read(pipes[0], &byte, 1);
	return pid;
}

static void look(int unused)
{
	char name[64], byte;
	struct iovec local = { &byte, 1 }, remote = { name, 1 };
	pid_t pid;
	int pidfd;

	make("f");
	name[0] = 'n';
	pid = reader();
	note("process_vm_readv", process_vm_readv(pid, &local, 1, &remote, 1, 0));
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	note_fd("mem", open(name, O_RDONLY));
	snprintf(name, sizeof(name), "/proc/%d/environ", pid);
	note_fd("environ", open(name, O_RDONLY));
	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	note_fd("stat", open(name, O_RDONLY));
	note_fd("maps of itself", open("/proc/self/maps", O_RDONLY));
	note_fd("mem of itself", open("/proc/self/mem", O_RDONLY));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	note_fd("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	note("signal", syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0));
	note("wait", waitpid(pid, NULL, 0) == pid ? 0 : -1);
	pid = reader();
	note("attach", ptrace(PTRACE_SEIZE, pid, 0, 0));
	note("kill", kill(pid, SIGKILL));
	note("wait", waitpid(pid, NULL, 0) == pid ? 0 : -1);
}

static int traced(void)
{
	return ptrace(PTRACE_TRACEME) || open("f", O_RDONLY) < 0 ? errno : 0;
}

static int dumping(void)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	int fd = open("f", O_RDONLY);
	char byte;

	if (read(fd, &byte, 1) != 1 || setrlimit(RLIMIT_CORE, &any))
		return errno;
	abort();
}

static void trace(int unused)
{
	make("f");
	in_child("traced", traced);
	in_child("dump", dumping);
}

static const struct posix_row rows[] = {
	{ "programs", programs, 0, 0 },
	{ "programs that run", text_busy, 0, 0 },
	{ "descriptors that are passed on", pass, 0, 0 },
	{ "descriptors that are inherited", inherit, 0, 0 },
	{ "looking into processes", look, 0, 0 },
	{ "traced and dumping processes", trace, 0, POSIX_ROOT },
};

const struct posix_group posix_program = POSIX_GROUP(rows);
