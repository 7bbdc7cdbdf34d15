// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - grants that the kernel may have given without the agent's knowing.
 *
 * Owns: the note that a request for grants is under way, in memory and in a
 * file of the runtime directory, and revoking what such a request has left
 * behind when its answer was lost or the agent was killed before it came.
 *
 * Must not own: what is done about the request itself.
 *
 * Only the agent gives grants, one request at a time. So every grant that was
 * created since a request began is of that request. While it is not cleared up
 * nothing more is given, as the two could not be told apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"

#define FILE_NAME	"pending"

/**
 * struct pending - a request for grants
 * @fd: the file, holding @since_ns; -1 if there is none
 * @since_ns: when the request began, 0 while there is none
 * @unsettled: it is over, and what it did is not known
 */
struct pending {
	int fd;
	uint64_t since_ns;
	bool unsettled;
};

static void note(struct pending *pending, uint64_t since_ns)
{
	pending->since_ns = since_ns;
	/* Without the note only a kill in the next moment leaves something. */
	if (pending->fd >= 0 &&
	    pwrite(pending->fd, &since_ns, sizeof(since_ns), 0) != sizeof(since_ns)) {
		journal_note(LOG_WARNING, "the note of a request under way cannot be written: %s",
			     strerror(errno));
		close(pending->fd);
		pending->fd = -1;
	}
}

/* ---- what it has left behind ---- */

struct search {
	uint64_t since_ns;
	uint64_t *ids;
	size_t count;
	size_t room;
};

static int begin(void *userdata)
{
	struct search *search = userdata;

	search->count = 0;
	return 0;
}

static int find(const struct trustgate_grant *grant, void *userdata)
{
	struct search *search = userdata;

	if (grant->created_boottime_ns < search->since_ns)
		return 0;
	if (search->count == search->room) {
		size_t room = search->room ? 2 * search->room : 64;
		uint64_t *ids = reallocarray(search->ids, room, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		search->ids = ids;
		search->room = room;
	}
	search->ids[search->count++] = grant->id;
	return 0;
}

static int revoke_since(struct agent *agent, uint64_t since_ns, uint64_t *ret_ended,
			struct refusal *refusal)
{
	static const struct trustgate_grant_visitor visitor = { .begin = begin, .grant = find };
	struct search search = { .since_ns = since_ns };
	int r;

	*ret_ended = 0;
	r = trustgate_grant_each(agent->gate, NULL, &visitor, &search, NULL);
	if (r < 0)
		gate_refused(agent, r, refusal);
	if (r == 0 && search.count)
		r = grants_revoke_ids(agent, search.ids, search.count, ret_ended, refusal);
	free(search.ids);
	/* What has ended meanwhile is as good as revoked. */
	return r == -ENOENT ? 0 : r;
}

static void settle(struct agent *agent)
{
	struct pending *pending = agent->pending;
	struct refusal refusal = { 0 };
	uint64_t ended;
	int r;

	r = revoke_since(agent, pending->since_ns, &ended, &refusal);
	if (r < 0) {
		if (!pending->unsettled)
			journal_note(LOG_CRIT,
				     "what a request without an answer has given is not known and cannot be revoked yet, nothing is given until then: %s",
				     refusal.message);
		pending->unsettled = true;
		return;
	}
	if (ended || pending->unsettled)
		journal_note(LOG_WARNING, "%llu grants of a request without an answer were revoked",
			     (unsigned long long)ended);
	pending->unsettled = false;
	note(pending, 0);
}

/* ---- the request ---- */

int pending_begin(struct agent *agent, struct refusal *refusal)
{
	if (agent->pending->unsettled)
		return refuse(refusal, EAGAIN, NULL,
			      "the kernel did not answer an earlier request, and what that gave is not revoked yet; try again in ten seconds");
	note(agent->pending, now_boottime_ns());
	return 0;
}

void pending_end(struct agent *agent)
{
	note(agent->pending, 0);
}

void pending_unsure(struct agent *agent)
{
	settle(agent);
}

void pending_retry(struct agent *agent)
{
	if (agent->pending->unsettled)
		settle(agent);
}

/* ---- start and end ---- */

int pending_start(struct agent *agent)
{
	struct pending *pending = calloc(1, sizeof(*pending));
	uint64_t since_ns = 0;
	int directory;

	if (!pending)
		return -ENOMEM;
	agent->pending = pending;
	directory = open(agent->options.runtime_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pending->fd = directory < 0 ? -1 :
		      openat(directory, FILE_NAME,
			     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (pending->fd < 0)
		journal_note(LOG_WARNING,
			     "if the agent is killed while it gives a grant, the next one will not know: %s/" FILE_NAME ": %s",
			     agent->options.runtime_directory, strerror(errno));
	if (directory >= 0)
		close(directory);
	if (pending->fd < 0 ||
	    pread(pending->fd, &since_ns, sizeof(since_ns), 0) != sizeof(since_ns) ||
	    !since_ns)
		return 0;
	pending->since_ns = since_ns;
	settle(agent);
	return 0;
}

void pending_stop(struct agent *agent)
{
	if (!agent->pending)
		return;
	if (agent->pending->fd >= 0)
		close(agent->pending->fd);
	free(agent->pending);
	agent->pending = NULL;
}
