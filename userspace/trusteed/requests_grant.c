// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the grant that a request was approved for.
 *
 * Owns: finding it, giving it, and what becomes of the request if that fails.
 *
 * Must not own: whether it is approved (requests.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "requests.h"

int requests_grant_get(struct agent *agent, const struct docket_request *request,
		       struct trustgate_grant *ret_grant)
{
	int r;

	if (!request->grant_id || strcmp(request->boot, docket_boot(agent)))
		return -ENOENT;
	r = trustgate_grant_get(agent->gate, request->grant_id, ret_grant);
	if (r == 0 && !tag_is_of_request(ret_grant->tag, request->id))
		r = -ENOENT;
	return r;
}

int requests_grant_revoke(struct agent *agent, const struct docket_request *request,
			  uint64_t *ret_ended, struct refusal *refusal)
{
	struct trustgate_grant grant;
	int r;

	*ret_ended = 0;
	r = requests_grant_get(agent, request, &grant);
	if (r == 0)
		r = grants_revoke_ids(agent, &grant.id, 1, ret_ended, refusal);
	else if (r != -ENOENT)
		r = gate_refused(agent, r, refusal);
	/* It may have ended just now, which its event tells. */
	return r == -ENOENT ? 0 : r;
}

/* Who asked, or of an open, whose approval was the last. */
static uid_t answerable(struct agent *agent, const struct docket_request *request)
{
	struct docket_approval *approvals;
	struct refusal ignored;
	uid_t uid = request->requester;
	size_t count;

	if (request->kind != DOCKET_OPEN ||
	    docket_approvals(agent, request->id, &approvals, &count, &ignored) < 0)
		return uid;
	for (size_t i = 0; i < count; i++)
		if (approvals[i].approves)
			uid = approvals[i].uid;
	docket_free_approvals(approvals, count);
	return uid;
}

static int answer_open(struct agent *agent, const struct docket_request *request,
		       const struct asked *asked, uint64_t tag,
		       struct trustgate_grant *ret_grant, struct refusal *refusal)
{
	const struct answer answer = {
		.access = request->grant_access, .duration_ns = request->duration_ns,
		.flags = request->flags, .reason = request->reason,
		.ticket = request->ticket, .tag = tag,
	};

	if (!asked)
		return refuse(refusal, ENOENT, "id", "nobody waits for request %llu any more",
			      (unsigned long long)request->id);
	return asked_grant(agent, asked, &answer, ret_grant, refusal);
}

/* ---- grants that no open waits for ---- */

struct gift {
	struct trustgate_volume volume;
	struct trustgate_grant old;
	struct subject subject;
	struct object object;
	int root_fd;
};

static int find_subject(const struct docket_request *request, struct gift *gift,
			struct refusal *refusal)
{
	int r = subject_open(request->pid, -1, &gift->subject, refusal);

	if (r == 0 && gift->subject.start_ticks != request->start_ticks)
		r = refuse(refusal, ESRCH, "pid", "process %llu of request %llu has ended",
			   (unsigned long long)request->pid, (unsigned long long)request->id);
	return r;
}

/* The grant that an extension continues. */
static int find_old(struct agent *agent, const struct docket_request *request,
		    struct gift *gift, struct refusal *refusal)
{
	struct docket_request parent;
	int r;

	if (request->kind != DOCKET_EXTENSION)
		return 0;
	r = docket_get(agent, request->parent, &parent, refusal);
	if (r < 0)
		return r;
	if (requests_grant_get(agent, &parent, &gift->old) < 0 ||
	    gift->old.end != TRUSTGATE_END_NONE)
		r = refuse(refusal, ESRCH, "id",
			   "the grant of request %llu has ended, so it cannot be extended",
			   (unsigned long long)parent.id);
	docket_free(&parent);
	return r;
}

static int find_object(struct agent *agent, const struct docket_request *request,
		       struct gift *gift, struct refusal *refusal)
{
	struct stat st;
	int r;

	r = volumes_get(agent, request->volume, &gift->volume, refusal);
	if (r == 0 && !request->path)
		r = refuse(refusal, ENOENT, "path", "the path is not known");
	if (r == 0)
		r = volumes_open_root(agent, &gift->volume, &gift->root_fd, refusal);
	if (r == 0)
		r = object_resolve(gift->root_fd, request->path,
				   request->subtree == DOCKET_SUBTREE ? OBJECT_SUBTREE :
				   request->subtree == DOCKET_AS_IT_IS ? OBJECT_AS_IT_IS :
				   OBJECT_ONE_INODE, &gift->object, refusal);
	/* What it is called now has to be what the old grant was for. */
	if (r == 0 && gift->old.id && gift->old.ino &&
	    (fstat(gift->object.fd, &st) < 0 || st.st_ino != gift->old.ino))
		r = refuse(refusal, ESTALE, "path", "\"%.256s\" is another file by now",
			   request->path);
	return r;
}

static int give_wish(struct agent *agent, const struct docket_request *request, uint64_t tag,
		     struct gift *gift, struct trustgate_grant *ret_grant,
		     struct refusal *refusal)
{
	uint64_t now_ns = now_boottime_ns();
	struct grant_wish wish = {
		.volume = &gift->volume, .subject = &gift->subject, .object = &gift->object,
		.access = request->grant_access, .duration_ns = request->duration_ns,
		.flags = request->flags, .reason = request->reason, .ticket = request->ticket,
		.tag = tag,
	};

	if (request->begin_boottime_ns > now_ns)
		wish.delay_ns = request->begin_boottime_ns - now_ns;
	if (gift->old.id) {
		wish.flags = (gift->old.flags & ~TRUSTGATE_GRANT_FLAGS_NEXT_EXEC) |
			     (request->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED);
		wish.on_end = gift->old.on_end;
		wish.delay_ns = 0;
		if (gift->old.expires_boottime_ns > now_ns)
			wish.duration_ns += gift->old.expires_boottime_ns - now_ns;
		if (wish.flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS)
			wish.renews = gift->old.id;
	}
	return grants_give(agent, &wish, 1, ret_grant, refusal);
}

static int give_to_process(struct agent *agent, const struct docket_request *request,
			   uint64_t tag, struct trustgate_grant *ret_grant,
			   struct refusal *refusal)
{
	struct gift gift = {
		.subject.pidfd = -1, .object.fd = -1, .object.parent_fd = -1, .root_fd = -1,
	};
	int r;

	r = find_subject(request, &gift, refusal);
	if (r == 0)
		r = find_old(agent, request, &gift, refusal);
	if (r == 0)
		r = find_object(agent, request, &gift, refusal);
	if (r == 0)
		r = give_wish(agent, request, tag, &gift, ret_grant, refusal);
	subject_close(&gift.subject);
	object_close(&gift.object);
	if (gift.root_fd >= 0)
		close(gift.root_fd);
	return r;
}

/* ---- and what becomes of the request ---- */

static void failed(struct agent *agent, struct docket_request *request, struct asked *asked,
		   int r, const struct refusal *refusal)
{
	struct refusal ignored;

	/* Nobody is left who could have it, or it is not to be had. */
	(void)docket_decide(agent, request, NULL, r == -ENOENT || r == -ESRCH ? DOCKET_EXPIRED :
			    DOCKET_REJECTED, DOCKET_NOBODY, refusal->message, &ignored);
	if (!asked)
		return;
	(void)asked_refuse(agent, asked->id, &ignored);
	asked_report_denied(asked, refusal->message);
	asked_drop(agent, asked);
}

static void mark_extended(struct agent *agent, const struct docket_request *request)
{
	struct docket_request parent;
	struct refusal ignored;
	char cause[64];

	if (request->kind != DOCKET_EXTENSION ||
	    docket_get(agent, request->parent, &parent, &ignored) < 0)
		return;
	snprintf(cause, sizeof(cause), "by request %llu", (unsigned long long)request->id);
	(void)docket_decide(agent, &parent, NULL, DOCKET_EXTENDED, DOCKET_NOBODY, cause, &ignored);
	docket_free(&parent);
}

int requests_give(struct agent *agent, struct docket_request *request,
		  struct trustgate_grant *ret_grant, struct refusal *refusal)
{
	uid_t uid = answerable(agent, request);
	uint64_t ended, tag = TAG_USER | TAG_OF_REQUEST(request->id) | uid;
	struct asked *asked = requests_asked(agent, request);
	struct refusal ignored;
	int r;

	if (request->kind == DOCKET_BREAK_GLASS)
		tag |= TAG_BREAK_GLASS;
	r = request->kind == DOCKET_OPEN ?
	    answer_open(agent, request, asked, tag, ret_grant, refusal) :
	    give_to_process(agent, request, tag, ret_grant, refusal);
	if (r < 0) {
		failed(agent, request, asked, r, refusal);
		return r;
	}
	request->grant_id = ret_grant->id;
	r = docket_decide(agent, request, NULL, 0, DOCKET_NOBODY, NULL, refusal);
	if (asked)
		asked_drop(agent, asked);
	/* A grant that cannot be followed is none. */
	if (r < 0) {
		(void)grants_revoke_ids(agent, &ret_grant->id, 1, &ended, &ignored);
		return r;
	}
	mark_extended(agent, request);
	report_grant(agent, request->volume, request->path ?: "?", ret_grant, uid,
		     request->comm ?: "?");
	return 0;
}
