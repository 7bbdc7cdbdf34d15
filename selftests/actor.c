// SPDX-License-Identifier: GPL-2.0-only
/*
 * actor - a process that does what a test wants done; see actor.h.
 */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"

/* A fork has the same program at the same addresses. */
struct order {
	actor_part part;
	long number;
	char text[256];
};

static void play(int fd)
{
	struct order order;
	int result;

	while (recv(fd, &order, sizeof(order), 0) == sizeof(order)) {
		result = order.part(order.text, order.number);
		if (send(fd, &result, sizeof(result), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

int actor_start_flags(struct actor *actor, unsigned long flags)
{
	/* As the actor sees it: ours, with CLONE_PARENT; none from outside. */
	const pid_t parent = flags & CLONE_PARENT ? getppid() :
			     flags & CLONE_NEWPID ? 0 : getpid();
	const bool shares = flags & CLONE_FILES;
	int fds[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	/* By the plain system call, so that libc needs no stack for it. */
	pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0) {
		err = -errno;
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		if (!shares)
			close(fds[0]);
		play(fds[1]);
	}
	if (!shares)
		close(fds[1]);
	/* Only here: a test's fixture is memory that both of us share. */
	actor->fd = fds[0];
	actor->pid = pid;
	return 0;
}

int actor_start(struct actor *actor)
{
	return actor_start_flags(actor, 0);
}

void actor_begin(const struct actor *actor, actor_part part, const char *text,
		 long number)
{
	struct order order = { .part = part, .number = number };

	snprintf(order.text, sizeof(order.text), "%s", text ? text : "");
	/* If it is dead, actor_end() will find out. */
	if (send(actor->fd, &order, sizeof(order), MSG_NOSIGNAL) < 0)
		perror("# actor: send");
}

int actor_end(const struct actor *actor)
{
	int result;

	if (recv(actor->fd, &result, sizeof(result), 0) != sizeof(result))
		return -EPIPE;
	return result;
}

int actor_do(const struct actor *actor, actor_part part, const char *text,
	     long number)
{
	actor_begin(actor, part, text, number);
	return actor_end(actor);
}

void actor_stop(struct actor *actor)
{
	close(actor->fd);
	kill(actor->pid, SIGKILL);
	waitpid(actor->pid, NULL, 0);
	actor->fd = -1;
	actor->pid = 0;
}

int actor_once(actor_part part, const char *text, long number)
{
	struct actor actor;
	int result;

	result = actor_start(&actor);
	if (result)
		return result;
	result = actor_do(&actor, part, text, number);
	actor_stop(&actor);
	return result;
}
