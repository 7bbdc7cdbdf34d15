// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what the service manager keeps for the agent and hears from it.
 *
 * Owns: descriptors that outlive the agent, readiness, the status line.
 *
 * Must not own: the descriptors' meaning.
 *
 * The netlink socket in the store is what makes a restart, or SIGKILL, no loss
 * of the agent to the kernel: the socket is closed only when its last
 * descriptor is, and the service manager has one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "agent.h"
#include "journal.h"

uint64_t now_boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void store_take(int *ret_netlink_fd, int *ret_varlink_fd)
{
	char **names = NULL;
	int count;

	*ret_netlink_fd = *ret_varlink_fd = -1;
	count = sd_listen_fds_with_names(1, &names);
	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		int *to = !strcmp(names[i], STORE_NETLINK) ? ret_netlink_fd :
			  !strcmp(names[i], STORE_VARLINK) ? ret_varlink_fd : NULL;

		if (to && *to < 0) {
			*to = fd;
		} else {
			journal_note(LOG_NOTICE,
				     "closing descriptor \"%s\", which the service manager kept for nothing",
				     names[i]);
			close(fd);
		}
		free(names[i]);
	}
	free(names);
}

int store_keep(const char *name, int fd)
{
	char message[128];
	int r;

	/*
	 * FDPOLL=0: an overflow of the socket's buffer is an error to poll(2),
	 * for which the manager would throw the socket away, and us with it.
	 */
	snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	r = sd_pid_notify_with_fds(0, 0, message, &fd, 1);
	if (r < 0)
		journal_note(LOG_WARNING,
			     "the service manager does not keep descriptor \"%s\" over a restart: %s",
			     name, strerror(-r));
	return r;
}

void store_forget(const char *name)
{
	(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

static void format_status(const struct agent *agent, char *text, size_t size)
{
	size_t unprotected = volumes_unprotected(agent);
	const char *first = "";

	if (!unprotected) {
		snprintf(text, size, "%zu configured volume%s protected",
			 agent->wanted_count, agent->wanted_count == 1 ? "" : "s");
		return;
	}
	for (size_t i = 0; i < agent->wanted_count && !first[0]; i++)
		if (volumes_is_unprotected(&agent->wanted[i]))
			first = agent->wanted[i].name;
	snprintf(text, size, "degraded: %zu of %zu configured volumes not protected, first \"%s\"",
		 unprotected, agent->wanted_count, first);
}

void store_status(const struct agent *agent)
{
	char text[256];

	format_status(agent, text, sizeof(text));
	(void)sd_notifyf(0, "STATUS=%s", text);
}

void store_ready(const struct agent *agent)
{
	char text[256];

	format_status(agent, text, sizeof(text));
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", text);
}

void store_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reading the configuration",
			 (unsigned long long)now.tv_sec * USEC_PER_SEC +
			 now.tv_nsec / NSEC_PER_USEC);
}

void store_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
