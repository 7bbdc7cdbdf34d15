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
#include <string.h>
#include <unistd.h>

#include "process_entry.h"
#include "varlink.h"

/* Who becomes another user, with sudo(8) for example, keeps this one. */
static int read_loginuid(const struct peer *peer, uid_t *ret)
{
	struct pollfd gone = { .fd = peer->pidfd, .events = POLLIN };
	int entry = process_entry_open(peer->pid);
	/* A kernel without audit knows of no logins. */
	unsigned int login = (uid_t)-1;
	bool read = true;
	FILE *file;
	int error;

	if (entry < 0)
		return entry;
	file = process_entry_text(entry, "loginuid");
	error = file ? 0 : errno;
	close(entry);
	if (error && error != ENOENT)
		return -error;
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
	*ret = login;
	return 0;
}

int varlink_peer(sd_varlink *link, struct peer *ret_peer, struct refusal *refusal)
{
	struct peer peer = { .uid = (uid_t)-1, .pidfd = -1, .loginuid = (uid_t)-1 };
	int r;

	r = sd_varlink_get_peer_uid(link, &peer.uid);
	if (r >= 0)
		r = sd_varlink_get_peer_pid(link, &peer.pid);
	if (r >= 0)
		r = peer.pidfd = sd_varlink_get_peer_pidfd(link);
	if (r >= 0)
		r = read_loginuid(&peer, &peer.loginuid);
	*ret_peer = peer;
	if (r == -EXDEV)
		return refuse(refusal, EXDEV, NULL,
			      "what /proc tells of who is asking is not the kernel's word: something is mounted there (findmnt --submounts /proc)");
	if (r < 0)
		return refuse(refusal, -r, NULL, "the kernel does not tell who is asking: %s",
			      strerror(-r));
	return 0;
}
