// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - grants by rules with "renew: true", see renewed.h.
 *
 * Owns: the chains, their timer, looking at their processes anew.
 *
 * Must not own: how a grant is made (grants.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "policy.h"
#include "policy_facts.h"
#include "renewed.h"

#define TRY_AGAIN_NS	NSEC_PER_SEC

/**
 * struct renewal - a chain of grants
 * @volume: name
 * @path: object
 * @newest: its last grant
 * @former_id: the one before that, while it may be alive; or 0
 * @due_boottime_ns: when the next one is to be given
 * @complained: that this has failed
 */
struct renewal {
	struct renewal *next;
	char volume[TRUSTGATE_NAME_MAX + 1];
	char *path;
	struct trustgate_grant newest;
	uint64_t former_id;
	uint64_t due_boottime_ns;
	bool complained;
};

struct renewed {
	struct renewal *list;
	sd_event_source *timer;
};

/* The same in every run of the agent. Of the rule only what it gives counts. */
static uint64_t tag_of(const char *volume, const char *path, uint32_t access)
{
	const struct config_service given = {
		.unit = (char *)"", .volume = (char *)volume, .path = (char *)path,
		.access = access,
	};

	return tag_of_renewal(config_service_key(&given));
}

static struct subject subject_of(const struct renewal *renewal)
{
	return (struct subject){
		.pid = renewal->newest.pid, .pidfd = -1,
		.start_ticks = renewal->newest.start_ticks,
	};
}

/* ---- the list ---- */

static void set_timer(struct renewed *renewed)
{
	uint64_t first_ns = UINT64_MAX;

	for (const struct renewal *one = renewed->list; one; one = one->next)
		if (one->due_boottime_ns < first_ns)
			first_ns = one->due_boottime_ns;
	if (first_ns != UINT64_MAX &&
	    sd_event_source_set_time(renewed->timer, first_ns / NSEC_PER_USEC + 1) >= 0)
		(void)sd_event_source_set_enabled(renewed->timer, SD_EVENT_ONESHOT);
}

static void set_newest(struct renewal *renewal, const struct trustgate_grant *grant)
{
	renewal->newest = *grant;
	renewal->due_boottime_ns = grant->created_boottime_ns +
		(grant->expires_boottime_ns - grant->created_boottime_ns) / 2;
}

static struct renewal *find(const struct renewed *renewed, pid_t pid, uint64_t start_ticks,
			    uint64_t tag)
{
	struct renewal *one = renewed->list;

	while (one && (one->newest.pid != pid || one->newest.start_ticks != start_ticks ||
		       one->newest.tag != tag))
		one = one->next;
	return one;
}

static struct renewal *add(struct renewed *renewed, const char *volume, const char *path,
			   const struct trustgate_grant *grant)
{
	struct renewal *renewal = calloc(1, sizeof(*renewal));

	if (renewal)
		renewal->path = strdup(path);
	if (!renewal || !renewal->path) {
		free(renewal);
		journal_note(LOG_ERR, "no memory to renew grant %llu, it runs to its expiry",
			     (unsigned long long)grant->id);
		return NULL;
	}
	strncpy(renewal->volume, volume, sizeof(renewal->volume) - 1);
	set_newest(renewal, grant);
	renewal->next = renewed->list;
	renewed->list = renewal;
	return renewal;
}

static void drop(struct renewed *renewed, struct renewal *renewal)
{
	struct renewal **at = &renewed->list;

	while (*at && *at != renewal)
		at = &(*at)->next;
	if (*at)
		*at = renewal->next;
	free(renewal->path);
	free(renewal);
}

/* Forgotten first, so that its end does not look like somebody's act. */
static uint64_t end(struct agent *agent, struct renewal *renewal, const char *why)
{
	const uint64_t ids[] = { renewal->newest.id, renewal->former_id };
	struct refusal refusal = { 0 };
	uint64_t ended = 0;
	int r;

	if (why)
		journal_note(LOG_WARNING,
			     "the grant on \"%s\" of volume \"%s\" for pid %d is revoked: %s",
			     renewal->path, renewal->volume, (int)renewal->newest.pid, why);
	drop(agent->renewed, renewal);
	r = grants_revoke_ids(agent, ids, ids[1] ? 2 : 1, &ended, &refusal);
	if (r < 0 && r != -ENOENT)
		journal_note(LOG_ERR, "grant %llu cannot be revoked and runs to its expiry: %s",
			     (unsigned long long)ids[0], refusal.message);
	return ended;
}

/* ---- does the policy allow it still? ---- */

/* The rule that does. NULL with *why set, or *why NULL if the process is gone. */
static const struct policy_rule *ruling(struct agent *agent, const struct renewal *renewal,
					const char **why)
{
	const struct trustgate_grant *grant = &renewal->newest;
	struct policy_verdict verdict = { 0 };
	struct policy_facts facts = { 0 };
	uint32_t access = grant->access;
	const char *path;
	int r;

	*why = NULL;
	if (!agent->policy) {
		*why = "there is no policy";
		return NULL;
	}
	r = asked_facts(agent, grant->pid, grant->start_ticks, renewal->volume, &facts);
	if (r == 0) {
		facts.access = grant->access;
		facts.path = (struct policy_text_fact){ POLICY_KNOWN, renewal->path };
		facts.subtree = grant->object_kind == TRUSTGATE_OBJECT_KIND_SUBTREE;
		policy_decide(agent->policy, &facts, &verdict, NULL);
		if (verdict.outcome == POLICY_ALLOW && facts.subtree &&
		    (!policy_standing(&verdict, &facts, &path, &access) ||
		     grant->access & ~access))
			verdict.outcome = POLICY_DENY;
		if (verdict.outcome != POLICY_ALLOW)
			*why = "the policy does not allow it any more";
	}
	if (r == -EXDEV)
		*why = ASKED_NOT_THE_KERNELS_WORD;
	policy_facts_clear(&facts);
	return *why || r < 0 ? NULL : verdict.rule;
}

/* ---- the next grant ---- */

/* The object by its name, which must still be that of the same one. */
static int find_object(struct agent *agent, const struct trustgate_volume *volume,
		       const char *path, const struct trustgate_grant *same,
		       struct object *object, struct refusal *refusal)
{
	const bool one = same && same->object_kind == TRUSTGATE_OBJECT_KIND_FILE;
	struct stat info;
	int root_fd, r;

	object->fd = object->parent_fd = -1;
	r = volumes_open_root(agent, volume, &root_fd, refusal);
	if (r < 0)
		return r;
	r = object_resolve(root_fd, path, one ? OBJECT_ONE_INODE : OBJECT_AS_IT_IS, object,
			   refusal);
	close(root_fd);
	if (r == 0 && same && (object->kind != same->object_kind ||
			       fstat(object->fd, &info) < 0 || info.st_ino != same->ino))
		r = refuse(refusal, ESTALE, "path", "\"%s\" is another file now", path);
	return r;
}

static int give_next(struct agent *agent, struct renewal *renewal,
		     const struct policy_rule *rule, struct refusal *refusal)
{
	const struct trustgate_grant *last = &renewal->newest;
	const struct subject subject = subject_of(renewal);
	struct object object = { .fd = -1, .parent_fd = -1 };
	struct trustgate_volume volume;
	struct trustgate_grant given;
	int r;

	r = volumes_get(agent, renewal->volume, &volume, refusal);
	if (r == 0)
		r = find_object(agent, &volume, renewal->path, last, &object, refusal);
	if (r == 0) {
		const struct grant_wish wish = {
			.volume = &volume, .subject = &subject, .object = &object,
			.access = last->access, .duration_ns = rule->duration_ns,
			.flags = rule->descendants ?
				 last->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS : 0,
			.on_end = last->on_end, .reason = rule->reason, .tag = last->tag,
			/* And so only if it has executed no other program. */
			.renews = last->id,
		};

		r = grants_give(agent, &wish, 1, &given, refusal);
	}
	object_close(&object);
	if (r < 0)
		return r;
	renewal->former_id = last->id;
	renewal->complained = false;
	set_newest(renewal, &given);
	return 0;
}

static void renew(struct agent *agent, struct renewal *renewal)
{
	const struct policy_rule *rule;
	struct refusal refusal = { 0 };
	struct trustgate_grant grant;
	const char *why;
	uint64_t now_ns;
	bool over;
	int r;

	rule = ruling(agent, renewal, &why);
	if (!rule && why) {
		end(agent, renewal, why);
		return;
	}
	if (!rule || !rule->renew) {
		drop(agent->renewed, renewal);
		return;
	}
	r = give_next(agent, renewal, rule, &refusal);
	if (r == 0)
		return;
	now_ns = now_boottime_ns();
	/* With the process, or by an exec: the event is on its way, or was lost. */
	over = renewal->newest.expires_boottime_ns <= now_ns ||
	       trustgate_grant_get(agent->gate, renewal->newest.id, &grant) == -ENOENT;
	if (!over && !renewal->complained)
		journal_note(LOG_ERR,
			     "the grant on \"%s\" of volume \"%s\" for pid %d cannot be renewed: %s; trying again",
			     renewal->path, renewal->volume, (int)renewal->newest.pid,
			     refusal.kind == REFUSAL_NO_SUCH_VOLUME ? "there is no such volume" :
			     refusal.message);
	renewal->complained = true;
	renewal->due_boottime_ns = now_ns + TRY_AGAIN_NS;
	if (over)
		drop(agent->renewed, renewal);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *agent = userdata;
	uint64_t now_ns = now_boottime_ns();
	struct renewal *one, *next;

	(void)source;
	(void)usec;
	for (one = agent->renewed->list; one; one = next) {
		next = one->next;
		if (one->due_boottime_ns <= now_ns)
			renew(agent, one);
	}
	set_timer(agent->renewed);
	gate_poke(agent);
	return 0;
}

/* ---- the first grant ---- */

int renewed_prepare(struct agent *agent, const struct asked *asked, uint64_t start_ticks,
		    const struct policy_verdict *verdict, const struct policy_facts *facts,
		    struct answer *answer, struct object *object, struct refusal *refusal)
{
	const struct subject subject = { .pid = asked->pid, .pidfd = -1,
					 .start_ticks = start_ticks };
	const char *path = asked->path;
	uint32_t access = asked->access;
	struct trustgate_volume volume;
	bool standing;
	uint64_t tag;
	int r;

	standing = policy_standing(verdict, facts, &path, &access);
	/* What has no name cannot be found again. */
	if (!path)
		return 0;
	tag = tag_of(asked->volume, path, access);
	/* A thread was faster, or it is more than that one gives. */
	if (find(agent->renewed, asked->pid, start_ticks, tag))
		return 0;
	if (withheld_has(agent, tag, &subject))
		return refuse(refusal, EACCES, NULL,
			      "a grant by it was revoked; it is not given again to this process");
	answer->tag = tag;
	if (!standing)
		return 0;
	r = volumes_get(agent, asked->volume, &volume, refusal);
	if (r == 0)
		r = find_object(agent, &volume, path, NULL, object, refusal);
	if (r < 0)
		return r;
	answer->object = object;
	answer->access = access;
	return 0;
}

void renewed_add(struct agent *agent, const struct asked *asked, const char *path,
		 const struct trustgate_grant *grant)
{
	struct refusal refusal = { 0 };
	uint64_t ended;
	int r;

	if (!tag_is_renewal(grant->tag))
		return;
	if (!find(agent->renewed, grant->pid, grant->start_ticks, grant->tag)) {
		if (add(agent->renewed, asked->volume, path, grant))
			set_timer(agent->renewed);
		return;
	}
	/* Two opens were answered at once: the first has all that this one gives. */
	r = grants_revoke_ids(agent, &grant->id, 1, &ended, &refusal);
	if (r < 0 && r != -ENOENT)
		journal_note(LOG_ERR, "grant %llu is not needed and cannot be revoked: %s",
			     (unsigned long long)grant->id, refusal.message);
}

/* ---- events and changes ---- */

void renewed_event(struct agent *agent, const struct trustgate_event *event)
{
	struct renewal *renewal;
	struct subject subject;

	if (!agent->renewed || event->type != TRUSTGATE_EVENT_TYPE_GRANT_ENDED ||
	    !tag_is_renewal(event->tag))
		return;
	renewal = agent->renewed->list;
	while (renewal && renewal->newest.id != event->grant_id &&
	       renewal->former_id != event->grant_id)
		renewal = renewal->next;
	if (!renewal)
		return;
	if (event->end == TRUSTGATE_END_REVOKED) {
		subject = subject_of(renewal);
		withheld_add(agent, renewal->newest.tag, &subject);
		end(agent, renewal,
		    "part of it was; it is not given again to this process");
	} else if (renewal->newest.id == event->grant_id) {
		drop(agent->renewed, renewal);
	} else {
		renewal->former_id = 0;
	}
}

uint64_t renewed_end(struct agent *agent, const char *volume)
{
	struct renewal *one, *next;
	uint64_t ended = 0;

	for (one = agent->renewed ? agent->renewed->list : NULL; one; one = next) {
		next = one->next;
		if (!volume || !strcmp(one->volume, volume))
			ended += end(agent, one, NULL);
	}
	return ended;
}

static bool is_revoked(struct agent *agent, const struct renewal *renewal)
{
	struct trustgate_grant grant;
	int r = trustgate_grant_get(agent->gate, renewal->newest.id, &grant);

	if (r == 0)
		return grant.end == TRUSTGATE_END_REVOKED;
	return r == -ENOENT && now_boottime_ns() < renewal->newest.expires_boottime_ns;
}

void renewed_revoked(struct agent *agent)
{
	struct renewal *one, *next;
	struct subject subject;

	for (one = agent->renewed ? agent->renewed->list : NULL; one; one = next) {
		next = one->next;
		if (!is_revoked(agent, one))
			continue;
		subject = subject_of(one);
		withheld_add(agent, one->newest.tag, &subject);
		end(agent, one, "it was; it is not given again to this process");
	}
}

void renewed_reconfigure(struct agent *agent)
{
	struct renewal *one, *next;
	const char *why;

	for (one = agent->renewed->list; one; one = next) {
		next = one->next;
		if (!ruling(agent, one, &why) && why)
			end(agent, one, why);
	}
	gate_poke(agent);
}

/* ---- start and end ---- */

/* Grants of a dump. */
struct found {
	struct trustgate_grant *grants;
	size_t count;
	size_t room;
};

static int begin_found(void *userdata)
{
	((struct found *)userdata)->count = 0;
	return 0;
}

static int take_found(const struct trustgate_grant *grant, void *userdata)
{
	struct found *found = userdata;

	if (!tag_is_renewal(grant->tag))
		return 0;
	if (found->count == found->room) {
		size_t room = found->room ? 2 * found->room : 64;
		struct trustgate_grant *more = reallocarray(found->grants, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		found->grants = more;
		found->room = room;
	}
	found->grants[found->count++] = *grant;
	return 0;
}

static void resume_one(struct agent *agent, const struct trustgate_grant *grant)
{
	struct renewed *renewed = agent->renewed;
	const char *path = ledger_path(agent, grant->id);
	struct trustgate_volume volume;
	struct renewal *known;

	known = find(renewed, grant->pid, grant->start_ticks, grant->tag);
	if (known && known->newest.expires_boottime_ns < grant->expires_boottime_ns) {
		known->former_id = known->newest.id;
		set_newest(known, grant);
	} else if (known) {
		known->former_id = grant->id;
	} else if (path && trustgate_volume_get(agent->gate, grant->volume_id, NULL,
						&volume) == 0) {
		(void)add(renewed, volume.name, path, grant);
	} else {
		journal_note(LOG_WARNING, "what grant %llu is on is not known any more, it is not renewed",
			     (unsigned long long)grant->id);
	}
}

int renewed_start(struct agent *agent)
{
	static const struct trustgate_grant_visitor visitor = {
		.begin = begin_found, .grant = take_found,
	};
	struct found found = { 0 };
	int r;

	agent->renewed = calloc(1, sizeof(*agent->renewed));
	r = agent->renewed ? sd_event_add_time(agent->event, &agent->renewed->timer,
					       CLOCK_BOOTTIME, UINT64_MAX, 1, on_timer, agent) :
			     -ENOMEM;
	if (r < 0) {
		journal_note(LOG_CRIT, "cannot make a timer: %s", strerror(-r));
		return r;
	}
	r = trustgate_grant_each(agent->gate, NULL, &visitor, &found, NULL);
	if (r < 0)
		journal_note(LOG_ERR, "grants that rules gave before are not renewed: %s",
			     r == -ENOMEM ? strerror(ENOMEM) : trustgate_error_text(agent->gate));
	for (size_t i = 0; r == 0 && i < found.count; i++)
		resume_one(agent, &found.grants[i]);
	free(found.grants);
	renewed_reconfigure(agent);
	set_timer(agent->renewed);
	return 0;
}

void renewed_stop(struct agent *agent)
{
	struct renewed *renewed = agent->renewed;

	if (!renewed)
		return;
	while (renewed->list)
		drop(renewed, renewed->list);
	sd_event_source_disable_unref(renewed->timer);
	free(renewed);
	agent->renewed = NULL;
}
