// SPDX-License-Identifier: GPL-2.0-only
/*
 * audience - those who are told of events; see audience.h.
 */

#include <errno.h>
#include <sys/socket.h>

#include "audience.h"

/* Longer than a new agent is left alone. */
#define QUIET_MS	300

int audience_join(struct raw_socket *watcher, int bytes)
{
	int err = raw_open(watcher);

	if (err)
		return err;
	if (setsockopt(watcher->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		       &watcher->group, sizeof(watcher->group)) ||
	    setsockopt(watcher->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes))) {
		err = -errno;
		raw_close(watcher);
	}
	return err;
}

void audience_forget(struct raw_socket *socket)
{
	struct raw_event event;
	int err;

	/* That some were lost does not mean that there are no more. */
	do {
		err = raw_event_next(socket, &event, QUIET_MS);
	} while (!err || err == -ENOBUFS);
}
