// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - grants that allow only while somebody supervises them; see
 * supervision.h.
 *
 * Owns: the table of these grants with whose they are, and that of the
 * connections that supervise.
 *
 * Must not own: whether a grant demands it, beyond what the configuration says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "journal.h"
#include "policy_facts.h"
#include "supervision.h"
#include "varlink.h"

/* Between two times that the kernel is told. */
#define ROUND_USEC	(2 * USEC_PER_SEC)

#define NOBODY		((uid_t)-1)

/**
 * struct supervised - a grant that demands a supervisor
 * @id: in the kernel
 * @volume_id: likewise
 * @known: it is known whose it is; else nobody can supervise it
 * @uid: real user of its subject when it was given
 * @loginuid: who had logged in, NOBODY for none
 * @live: as the kernel was told last
 */
struct supervised {
	uint64_t id;
	uint32_t volume_id;
	bool known;
	uid_t uid;
	uid_t loginuid;
	bool live;
};

/**
 * struct supervisor - a connection that supervises
 * @link: of watch.c, which tells of its end
 * @uid: who he is
 * @loginuid: as whom he has logged in, NOBODY for none
 * @pid: process
 * @grant_id: what he supervises; 0 for all on @volume
 * @volume: where
 * @volume_id: of @volume when he came
 * @caught_up_ns: when he had read all there was, CLOCK_BOOTTIME
 * @absent: that is too long ago
 * @blind: the volume does not record what is allowed, so that there is nothing to see
 */
struct supervisor {
	sd_varlink *link;
	uid_t uid;
	uid_t loginuid;
	pid_t pid;
	uint64_t grant_id;
	char volume[TRUSTGATE_NAME_MAX + 1];
	uint32_t volume_id;
	uint64_t caught_up_ns;
	bool absent;
	bool blind;
};

struct supervision {
	struct supervised *grants;
	size_t grants_count;
	size_t grants_max;
	struct supervisor *supervisors;
	size_t supervisors_count;
	sd_event_source *round;
};

/* ---- whose a grant is ---- */

/* Users of a process. False if they cannot be found out. */
static bool read_users(pid_t pid, uid_t *ret_uid, uid_t *ret_loginuid)
{
	struct policy_facts facts = { 0 };
	bool known = policy_facts_read(pid, POLICY_DIGESTS_NONE, &facts) == 0 &&
		     facts.user.known == POLICY_KNOWN &&
		     facts.login_user.known != POLICY_UNKNOWN;

	*ret_uid = facts.user.uid;
	*ret_loginuid = facts.login_user.known == POLICY_KNOWN ? facts.login_user.uid : NOBODY;
	policy_facts_clear(&facts);
	return known;
}

static struct supervised describe(uint64_t id, uint32_t volume_id, pid_t pid)
{
	struct supervised grant = { .id = id, .volume_id = volume_id };

	grant.known = pid > 0 && read_users(pid, &grant.uid, &grant.loginuid);
	return grant;
}

/* Nobody supervises himself, whoever he has become since he logged in. */
static bool is_other(const struct supervisor *supervisor, const struct supervised *grant)
{
	if (!grant->known || supervisor->uid == grant->uid || supervisor->uid == grant->loginuid)
		return false;
	return supervisor->loginuid == NOBODY || (supervisor->loginuid != grant->uid &&
						  supervisor->loginuid != grant->loginuid);
}

static bool supervises(const struct agent *agent, const struct supervisor *supervisor,
		       const struct supervised *grant)
{
	struct refusal ignored;

	if (supervisor->absent || supervisor->blind || supervisor->volume_id != grant->volume_id ||
	    (supervisor->grant_id && supervisor->grant_id != grant->id) ||
	    authorise_supervise(agent->config, supervisor->volume, supervisor->uid, &ignored) < 0)
		return false;
	return is_other(supervisor, grant);
}

static bool is_supervised(const struct agent *agent, const struct supervised *grant)
{
	const struct supervision *supervision = agent->supervision;

	for (size_t i = 0; i < supervision->supervisors_count; i++)
		if (supervises(agent, &supervision->supervisors[i], grant))
			return true;
	return false;
}

/* ---- telling the kernel ---- */

static void tell(struct agent *agent, const uint64_t *ids, size_t count, bool live)
{
	uint64_t until_ns = live ? now_boottime_ns() + SUPERVISION_LEASE_NS : 0;
	int r;

	if (!count)
		return;
	r = trustgate_grant_supervise(agent->gate, ids, count, until_ns, NULL);
	/* To say it again changes nothing. */
	if (r < 0 && trustgate_error_unsure(agent->gate))
		r = trustgate_grant_supervise(agent->gate, ids, count, until_ns, NULL);
	/* Then they are suspended when what was said last is over. */
	if (r < 0)
		journal_note(LOG_ERR, "cannot say who supervises %zu grants: %s", count,
			     trustgate_error_text(agent->gate));
}

/*
 * Tell of those that are supervised, and of those that are so no more. Without
 * @again only of what has changed.
 */
static void tell_all(struct agent *agent, bool again)
{
	struct supervision *supervision = agent->supervision;
	uint64_t ids[2][TRUSTGATE_BATCH_MAX];
	size_t counts[2] = { 0, 0 };

	for (size_t i = 0; i < supervision->grants_count; i++) {
		struct supervised *grant = &supervision->grants[i];
		bool live = is_supervised(agent, grant);

		if (live == grant->live && !(live && again))
			continue;
		grant->live = live;
		ids[live][counts[live]++] = grant->id;
		if (counts[live] == TRUSTGATE_BATCH_MAX) {
			tell(agent, ids[live], counts[live], live);
			counts[live] = 0;
		}
	}
	tell(agent, ids[false], counts[false], false);
	tell(agent, ids[true], counts[true], true);
	gate_poke(agent);
}

static void see_who_has_read(struct agent *agent, uint64_t now)
{
	struct supervision *supervision = agent->supervision;

	for (size_t i = 0; i < supervision->supervisors_count; i++)
		if (watch_caught_up(agent, supervision->supervisors[i].link))
			supervision->supervisors[i].caught_up_ns = now;
}

static void look_after(struct supervisor *supervisor, uint64_t now)
{
	bool absent = now - supervisor->caught_up_ns > SUPERVISION_LEASE_NS;

	if (absent && !supervisor->absent)
		journal_note(LOG_WARNING,
			     "a supervisor of uid %u (pid %d) does not read what happens; what he supervises alone is suspended",
			     (unsigned int)supervisor->uid, (int)supervisor->pid);
	supervisor->absent = absent;
}

static int on_round(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *agent = userdata;
	struct supervision *supervision = agent->supervision;
	uint64_t now = now_boottime_ns();
	int r;

	(void)usec;
	see_who_has_read(agent, now);
	for (size_t i = 0; i < supervision->supervisors_count; i++)
		look_after(&supervision->supervisors[i], now);
	tell_all(agent, true);
	if (!supervision->supervisors_count)
		return 0;
	r = sd_event_source_set_time_relative(source, ROUND_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* ---- the table of grants ---- */

static struct supervised *find(const struct supervision *supervision, uint64_t id)
{
	for (size_t i = 0; i < supervision->grants_count; i++)
		if (supervision->grants[i].id == id)
			return &supervision->grants[i];
	return NULL;
}

/* One that does not fit is not told of, and so is suspended. */
static struct supervised *put(struct supervision *supervision, const struct supervised *grant)
{
	if (supervision->grants_count == supervision->grants_max) {
		size_t max = supervision->grants_max ? 2 * supervision->grants_max : 64;
		struct supervised *grants = reallocarray(supervision->grants, max,
							 sizeof(*grants));

		if (!grants) {
			journal_note(LOG_ERR, "no memory for grant %llu: nobody can supervise it",
				     (unsigned long long)grant->id);
			return NULL;
		}
		supervision->grants = grants;
		supervision->grants_max = max;
	}
	supervision->grants[supervision->grants_count] = *grant;
	return &supervision->grants[supervision->grants_count++];
}

struct stocktaking {
	struct supervision *former;
	struct supervision *now;
};

static int begin_stock(void *userdata)
{
	struct stocktaking *stock = userdata;

	stock->now->grants_count = 0;
	return 0;
}

/* What is known of a grant stays known: its subject may have changed since. */
static int take_stock(const struct trustgate_grant *grant, void *userdata)
{
	struct stocktaking *stock = userdata;
	const struct supervised *known;
	struct supervised found;

	if (!(grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED))
		return 0;
	known = find(stock->former, grant->id);
	found = known ? *known : describe(grant->id, grant->volume_id, grant->pid);
	if (!known)
		found.live = grant->supervised_until_boottime_ns > now_boottime_ns();
	return put(stock->now, &found) ? 0 : -ENOMEM;
}

static int take_stock_of_all(struct agent *agent)
{
	static const struct trustgate_grant_visitor visitor = {
		.begin = begin_stock, .grant = take_stock,
	};
	struct supervision now = { 0 };
	struct stocktaking stock = { .former = agent->supervision, .now = &now };
	int r = trustgate_grant_each(agent->gate, NULL, &visitor, &stock, NULL);

	if (r < 0) {
		free(now.grants);
		journal_note(LOG_ERR, "cannot read the grants that are to be supervised: %s",
			     trustgate_error_text(agent->gate));
		return r;
	}
	free(agent->supervision->grants);
	agent->supervision->grants = now.grants;
	agent->supervision->grants_count = now.grants_count;
	agent->supervision->grants_max = now.grants_max;
	return 0;
}

/* A volume was set, or is gone; 0 if it may be any. */
static void see_what_is_recorded(struct agent *agent, uint32_t volume_id)
{
	struct supervision *supervision = agent->supervision;

	for (size_t i = 0; i < supervision->supervisors_count; i++) {
		struct supervisor *supervisor = &supervision->supervisors[i];
		struct trustgate_volume volume;
		bool blind;

		if (volume_id && volume_id != supervisor->volume_id)
			continue;
		/* Of what is not known nobody can say that he sees it. */
		blind = trustgate_volume_get(agent->gate, supervisor->volume_id, NULL,
					     &volume) < 0 ||
			!(volume.record & TRUSTGATE_RECORD_ALLOWED);
		if (blind && !supervisor->blind)
			journal_note(LOG_WARNING,
				     "volume \"%s\" does not record accesses that are allowed: nobody supervises it by uid %u (pid %d)",
				     supervisor->volume, (unsigned int)supervisor->uid,
				     (int)supervisor->pid);
		supervisor->blind = blind;
	}
}

void supervision_resync(struct agent *agent)
{
	if (!agent->supervision || take_stock_of_all(agent) < 0)
		return;
	see_what_is_recorded(agent, 0);
	tell_all(agent, true);
}

void supervision_event(struct agent *agent, const struct trustgate_event *event)
{
	struct supervision *supervision = agent->supervision;
	struct supervised *grant;

	if (!supervision)
		return;
	/*
	 * Right after an event there is always one to be read, and a round comes
	 * with an event more often than not: both wake the agent.
	 */
	see_who_has_read(agent, now_boottime_ns());
	if (event->type == TRUSTGATE_EVENT_TYPE_VOLUME_CHANGED && supervision->supervisors_count) {
		see_what_is_recorded(agent, event->volume_id);
		tell_all(agent, false);
	}
	if (event->type != TRUSTGATE_EVENT_TYPE_GRANT_ENDED)
		return;
	grant = find(supervision, event->grant_id);
	if (grant)
		*grant = supervision->grants[--supervision->grants_count];
}

void supervision_prepare(struct agent *agent, const char *volume, pid_t pid,
			 struct trustgate_grant_request *request)
{
	const struct config_volume *config = config_find_volume(agent->config, volume);
	struct supervised grant;

	if (tag_is_user(request->tag) && config && config->supervision_required)
		request->flags |= TRUSTGATE_GRANT_FLAGS_SUPERVISED;
	if (!(request->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED))
		return;
	grant = describe(0, request->volume_id, pid);
	if (is_supervised(agent, &grant))
		request->supervised_until_boottime_ns = now_boottime_ns() + SUPERVISION_LEASE_NS;
}

void supervision_given(struct agent *agent, const struct trustgate_grant_request *request,
		       const struct trustgate_grant_added *added)
{
	struct supervised grant;

	if (!(request->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED))
		return;
	grant = describe(added->id, request->volume_id, added->pid);
	grant.live = request->supervised_until_boottime_ns;
	put(agent->supervision, &grant);
}

/* ---- supervisors ---- */

static void note(struct agent *agent, const struct supervisor *supervisor, const char *kind,
		 const char *text)
{
	sd_json_variant *body = NULL;

	if (supervisor->grant_id)
		journal_note(LOG_NOTICE, "uid %u (pid %d) %s grant %llu",
			     (unsigned int)supervisor->uid, (int)supervisor->pid, text,
			     (unsigned long long)supervisor->grant_id);
	else
		journal_note(LOG_NOTICE, "uid %u (pid %d) %s volume \"%s\"",
			     (unsigned int)supervisor->uid, (int)supervisor->pid, text,
			     supervisor->volume);
	(void)sd_json_buildo(&body, SD_JSON_BUILD_PAIR_UNSIGNED("uid", supervisor->uid),
			     SD_JSON_BUILD_PAIR_UNSIGNED("pid", supervisor->pid),
			     SD_JSON_BUILD_PAIR_CONDITION(supervisor->grant_id, "grant",
				SD_JSON_BUILD_UNSIGNED(supervisor->grant_id)),
			     SD_JSON_BUILD_PAIR_CONDITION(!supervisor->grant_id, "volume",
				SD_JSON_BUILD_STRING(supervisor->volume)));
	accounting_note(agent, kind, body);
}

static int not_his(struct agent *agent, uid_t uid, struct refusal *refusal)
{
	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(agent->config, uid, refusal->who, sizeof(refusal->who));
	snprintf(refusal->message, sizeof(refusal->message), "supervise his own access");
	snprintf(refusal->cure, sizeof(refusal->cure), "ask another person");
	return -EPERM;
}

static int no_such_grant(uint64_t id, struct refusal *refusal)
{
	refusal->kind = REFUSAL_NO_SUCH_GRANT;
	refusal->error = ENOENT;
	refusal->id = id;
	return -ENOENT;
}

/* Where it is, whether or not it can be supervised. */
static int find_volume(struct agent *agent, struct supervisor *supervisor, const char *volume,
		       struct refusal *refusal)
{
	struct trustgate_volume found;
	struct trustgate_grant grant;
	int r;

	if (volume) {
		r = volumes_get(agent, volume, &found, refusal);
	} else {
		r = trustgate_grant_get(agent->gate, supervisor->grant_id, &grant);
		if (r == 0)
			r = trustgate_volume_get(agent->gate, grant.volume_id, NULL, &found);
		if (r == -ENOENT)
			return no_such_grant(supervisor->grant_id, refusal);
		if (r < 0)
			return gate_refused(agent, r, refusal);
	}
	if (r < 0)
		return r;
	supervisor->volume_id = found.id;
	supervisor->blind = !(found.record & TRUSTGATE_RECORD_ALLOWED);
	memcpy(supervisor->volume, found.name, sizeof(supervisor->volume));
	return 0;
}

static int check_grant(struct agent *agent, const struct supervisor *supervisor,
		       struct refusal *refusal)
{
	const struct supervised *grant = find(agent->supervision, supervisor->grant_id);

	if (!grant)
		return refuse(refusal, EINVAL, "superviseGrant",
			      "grant %llu demands no supervisor; watch it without supervising",
			      (unsigned long long)supervisor->grant_id);
	return is_other(supervisor, grant) ? 0 : not_his(agent, supervisor->uid, refusal);
}

/* Somebody to whom a volume is none of his business does not learn what there is. */
static int check_what(struct agent *agent, struct supervisor *supervisor, const char *volume,
		      struct refusal *refusal)
{
	struct refusal failure = { 0 };
	int r;

	if (!volume == !supervisor->grant_id)
		return refuse(refusal, EINVAL, "superviseGrant",
			      "supervise either a grant or a volume, not both");
	r = find_volume(agent, supervisor, volume, &failure);
	if (authorise_supervise(agent->config, supervisor->volume, supervisor->uid, refusal) < 0)
		return -EPERM;
	if (r < 0) {
		*refusal = failure;
		return r;
	}
	if (supervisor->blind)
		return refuse(refusal, EINVAL, supervisor->grant_id ? "superviseGrant" :
			      "superviseVolume",
			      "volume \"%s\" does not record accesses that are allowed, so that nobody sees what is done; set its record to [allowed] first",
			      supervisor->volume);
	return supervisor->grant_id ? check_grant(agent, supervisor, refusal) : 0;
}

int supervision_add(struct agent *agent, sd_varlink *link, const struct peer *peer,
		    uint64_t grant_id, const char *volume, struct refusal *refusal)
{
	struct supervision *supervision = agent->supervision;
	struct supervisor *supervisors;
	struct supervisor supervisor = {
		.link = link, .pid = peer->pid, .grant_id = grant_id,
		.caught_up_ns = now_boottime_ns(),
	};
	bool known;
	int r;

	/* Who he is now counts for nothing if he cannot be told from the subject. */
	known = read_users(peer->pid, &supervisor.uid, &supervisor.loginuid);
	supervisor.uid = peer->uid;
	r = check_what(agent, &supervisor, volume, refusal);
	if (r == 0 && !known)
		r = refuse(refusal, EIO, NULL, "it cannot be found out as whom you have logged in");
	if (r < 0)
		return r;
	supervisors = reallocarray(supervision->supervisors, supervision->supervisors_count + 1,
				   sizeof(*supervisors));
	if (!supervisors)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	supervision->supervisors = supervisors;
	supervisors[supervision->supervisors_count++] = supervisor;
	/* A tenant sees what is his. */
	if (!config_is_trustee(agent->config, supervisor.uid))
		watch_only(agent, link, supervisor.volume_id);
	note(agent, &supervisor, "supervision-began", "supervises");
	tell_all(agent, false);
	r = sd_event_source_set_time_relative(supervision->round, ROUND_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(supervision->round, SD_EVENT_ONESHOT);
	/* Without it, all are suspended when what was said is over. */
	if (r < 0)
		journal_note(LOG_ERR, "cannot set a timer for supervisors: %s", strerror(-r));
	return 0;
}

void supervision_remove(struct agent *agent, const sd_varlink *link)
{
	struct supervision *supervision = agent->supervision;
	struct supervisor gone;

	for (size_t i = 0; supervision && i < supervision->supervisors_count; i++) {
		if (supervision->supervisors[i].link != link)
			continue;
		gone = supervision->supervisors[i];
		supervision->supervisors[i] =
			supervision->supervisors[--supervision->supervisors_count];
		tell_all(agent, false);
		note(agent, &gone, "supervision-ended", "no longer supervises");
		return;
	}
}

size_t supervision_count(const struct agent *agent)
{
	return agent->supervision->supervisors_count;
}

/* ---- start and end ---- */

int supervision_start(struct agent *agent)
{
	int r;

	agent->supervision = calloc(1, sizeof(*agent->supervision));
	if (!agent->supervision)
		return -ENOMEM;
	r = sd_event_add_time_relative(agent->event, &agent->supervision->round, CLOCK_BOOTTIME,
				       ROUND_USEC, 0, on_round, agent);
	if (r < 0)
		return r;
	r = take_stock_of_all(agent);
	if (r < 0)
		return r;
	/* Those who supervised were the former run's. */
	tell_all(agent, false);
	return 0;
}

void supervision_stop(struct agent *agent)
{
	struct supervision *supervision = agent->supervision;

	if (!supervision)
		return;
	sd_event_source_disable_unref(supervision->round);
	free(supervision->grants);
	free(supervision->supervisors);
	free(supervision);
	agent->supervision = NULL;
}
