// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several people, played by one.
 *
 * Owns: who the peer is: whom the file beside the gate's says, "UID LOGINUID",
 * or if there is none, who runs the test.
 *
 * Must not own: what he may do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "varlink.h"

int varlink_peer(sd_varlink *link, struct peer *ret_peer, struct refusal *refusal)
{
	unsigned int uid, login;
	char path[4096];
	FILE *file;
	int r;

	r = sd_varlink_get_peer_uid(link, &ret_peer->uid);
	if (r >= 0)
		r = sd_varlink_get_peer_pid(link, &ret_peer->pid);
	if (r >= 0)
		r = ret_peer->pidfd = sd_varlink_get_peer_pidfd(link);
	if (r < 0)
		return refuse(refusal, -r, NULL, "who is asking: %s", strerror(-r));
	ret_peer->loginuid = (uid_t)-1;
	snprintf(path, sizeof(path), "%s.peer", getenv("TRUSTGATE_FAKE") ?: "");
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%u %u", &uid, &login) == 2) {
		ret_peer->uid = uid;
		ret_peer->loginuid = login;
	}
	fclose(file);
	return 0;
}
