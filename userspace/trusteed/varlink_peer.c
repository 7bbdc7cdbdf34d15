// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - who is at the other end of a connection.
 *
 * Owns: the kernel's word about that: the user, the process, and who had logged
 * in as him.
 *
 * Must not own: what he may do.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "varlink.h"

/* Who becomes another user, with sudo(8) for example, keeps this one. */
static int read_loginuid(const struct peer *peer, uid_t *ret)
{
	struct pollfd gone = { .fd = peer->pidfd, .events = POLLIN };
	unsigned int login;
	bool read = true, known;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)peer->pid);
	file = fopen(path, "re");
	known = file;
	if (!file && errno != ENOENT)
		return -errno;
	if (file) {
		read = fscanf(file, "%u", &login) == 1;
		fclose(file);
	}
	/* Then the number may be another process's. */
	if (poll(&gone, 1, 0) != 0)
		return -ESRCH;
	/* Nobody is taken for somebody without a login because it cannot be read. */
	if (!read)
		return -EIO;
	/* A kernel without audit knows of no logins. */
	*ret = known ? login : (uid_t)-1;
	return 0;
}

int varlink_peer(sd_varlink *link, struct peer *ret_peer, struct refusal *refusal)
{
	struct peer peer;
	int r;

	r = sd_varlink_get_peer_uid(link, &peer.uid);
	if (r >= 0)
		r = sd_varlink_get_peer_pid(link, &peer.pid);
	if (r >= 0)
		r = peer.pidfd = sd_varlink_get_peer_pidfd(link);
	if (r >= 0)
		r = read_loginuid(&peer, &peer.loginuid);
	if (r < 0)
		return refuse(refusal, -r, NULL, "the kernel does not tell who is asking: %s",
			      strerror(-r));
	*ret_peer = peer;
	return 0;
}
