// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - one standing grant of one running service, see standing.h.
 *
 * Owns: giving, renewing and ending the chain of grants.
 *
 * Must not own: timers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "standing.h"

static const struct config_service *configuration(const struct agent *agent, uint64_t key)
{
	for (size_t i = 0; i < agent->config->services_count; i++)
		if (agent->config->services[i].key == key)
			return &agent->config->services[i];
	return NULL;
}

void standing_init(struct standing *standing, uint64_t key)
{
	memset(standing, 0, sizeof(*standing));
	standing->key = key;
}

void standing_clear(struct standing *standing)
{
	free(standing->links);
	standing->links = NULL;
	standing->links_count = 0;
}

bool standing_configured(const struct agent *agent, const struct standing *standing)
{
	return configuration(agent, standing->key);
}

bool standing_on(const struct agent *agent, const struct standing *standing, const char *volume)
{
	const struct config_service *service = configuration(agent, standing->key);

	return !volume || (service && !strcmp(service->volume, volume));
}

uint64_t standing_due(const struct standing *standing, uint64_t now, uint64_t retry_ns)
{
	const struct trustgate_grant *newest = &standing->newest;

	if (standing->withheld)
		return UINT64_MAX;
	if (standing->problem[0])
		return now + retry_ns;
	if (!newest->id)
		return now;
	return newest->created_boottime_ns +
	       (newest->expires_boottime_ns - newest->created_boottime_ns) / 2;
}

/* ---- the links of the chain ---- */

static int add_link(struct standing *standing, const struct trustgate_grant *grant)
{
	struct link *grown = realloc(standing->links,
				     (standing->links_count + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	standing->links = grown;
	grown[standing->links_count++] = (struct link){
		.id = grant->id,
		.expires_ns = grant->expires_boottime_ns,
		.start_ticks = grant->start_ticks,
		.pid = grant->pid,
	};
	return 0;
}

static bool drop_link(struct standing *standing, uint64_t id)
{
	for (size_t i = 0; i < standing->links_count; i++) {
		if (standing->links[i].id != id)
			continue;
		standing->links[i] = standing->links[--standing->links_count];
		return true;
	}
	return false;
}

/* For those whose end was lost among the events. */
static void drop_expired(struct standing *standing)
{
	uint64_t now = now_boottime_ns();

	for (size_t i = 0; i < standing->links_count; )
		if (standing->links[i].expires_ns <= now)
			standing->links[i] = standing->links[--standing->links_count];
		else
			i++;
}

/* ---- giving ---- */

/* What all grants of one round have in common. */
struct round {
	const struct config_service *service;
	struct trustgate_volume volume;
	struct object object;
};

static int open_round(struct agent *agent, const struct config_service *service,
		      struct round *round, struct refusal *refusal)
{
	int root_fd, r;

	memset(round, 0, sizeof(*round));
	round->service = service;
	round->object.fd = round->object.parent_fd = -1;
	r = volumes_get(agent, service->volume, &round->volume, refusal);
	if (r < 0)
		return r;
	r = volumes_open_root(agent, &round->volume, &root_fd, refusal);
	if (r < 0)
		return r;
	r = object_resolve(root_fd, service->path, OBJECT_AS_IT_IS, &round->object, refusal);
	close(root_fd);
	return r;
}

/* Field 22 of /proc/PID/stat counts in these. */
static uint64_t tick_ns(void)
{
	return NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
}

static struct grant_wish make_wish(const struct round *round, const struct subject *subject)
{
	return (struct grant_wish){
		.volume = &round->volume,
		.subject = subject,
		.object = &round->object,
		.access = round->service->access,
		.duration_ns = round->service->duration_ns,
		.flags = TRUSTGATE_GRANT_FLAGS_DESCENDANTS | TRUSTGATE_GRANT_FLAGS_KEEP_EXEC,
		.on_end = round->service->on_end,
		.reason = TRUSTGATE_REASON_AUTOMATION,
		.ticket = NULL,
		.tag = tag_of_service(round->service->key),
	};
}

/* One that exited between being found and being granted takes its batch along,
 * so a batch that fails is given one by one. */
static void give_batch(struct agent *agent, struct standing *standing,
		       const struct grant_wish *wishes, size_t count)
{
	struct trustgate_grant *given = calloc(count, sizeof(*given));
	struct refusal refusal;
	int r;

	if (!given) {
		journal_note(LOG_ERR, "no memory to renew the grants of descendants");
		return;
	}
	r = grants_give(agent, wishes, count, given, &refusal);
	for (size_t i = 0; r == 0 && i < count; i++)
		(void)add_link(standing, &given[i]);
	free(given);
	if (r < 0 && count > 1) {
		for (size_t i = 0; i < count; i++)
			give_batch(agent, standing, &wishes[i], 1);
	} else if (r < 0 && subject_alive(wishes[0].subject) == 1) {
		journal_note(LOG_ERR, "descendant %d of a service gets no grant: %s",
			     (int)wishes[0].subject->pid, refusal.message);
	}
}

static bool any_elder(const pid_t *pids, size_t count, uint64_t since_ticks)
{
	for (size_t i = 0; i < count; i++) {
		struct subject subject;
		struct refusal ignored;
		bool elder;

		if (subject_open(pids[i], -1, &subject, &ignored) < 0)
			continue;
		elder = subject.start_ticks <= since_ticks;
		subject_close(&subject);
		if (elder)
			return true;
	}
	return false;
}

static void give_each(struct agent *agent, struct standing *standing,
		      const struct round *round, const pid_t *pids, size_t count)
{
	struct subject *subjects = calloc(TRUSTGATE_BATCH_MAX, sizeof(*subjects));
	struct grant_wish *wishes = calloc(TRUSTGATE_BATCH_MAX, sizeof(*wishes));
	size_t at = 0;

	if (!subjects || !wishes)
		journal_note(LOG_ERR, "no memory to give grants to descendants");
	while (subjects && wishes && at < count) {
		size_t some = 0;
		struct refusal ignored;

		for (; at < count && some < TRUSTGATE_BATCH_MAX; at++)
			if (subject_open(pids[at], -1, &subjects[some], &ignored) == 0) {
				wishes[some] = make_wish(round, &subjects[some]);
				some++;
			}
		if (some)
			give_batch(agent, standing, wishes, some);
		while (some)
			subject_close(&subjects[--some]);
	}
	free(wishes);
	free(subjects);
}

/*
 * While a descendant lives that is older than the chain, each descendant gets a
 * grant of its own. Most do not need it, but which of them descend from the
 * elder is not looked into: what is too much ends with the chain.
 */
static void give_descendants(struct agent *agent, struct standing *standing,
			     const struct round *round, const struct subject *main_process)
{
	uint64_t since_ticks = standing->newest.since_boottime_ns / tick_ns();
	pid_t *pids = NULL;
	size_t count = 0;
	int r;

	r = descendants_find(main_process, &pids, &count);
	if (r < 0 && r != -ESRCH)
		journal_note(LOG_ERR,
			     "the processes that pid %d forked earlier cannot be found, they get no access: %s",
			     (int)main_process->pid, strerror(-r));
	if (r == 0) {
		standing->elders = any_elder(pids, count, since_ticks);
		if (standing->elders)
			give_each(agent, standing, round, pids, count);
	}
	free(pids);
}

static void set_problem(struct standing *standing, const struct config_service *service,
			const struct refusal *refusal)
{
	struct record record;
	char problem[sizeof(standing->problem)];

	if (refusal->kind == REFUSAL_NO_SUCH_VOLUME)
		snprintf(problem, sizeof(problem), "volume \"%.63s\" is not protected",
			 refusal->message);
	else
		snprintf(problem, sizeof(problem), "%.255s", refusal->message);
	if (!strcmp(problem, standing->problem))
		return;
	memcpy(standing->problem, problem, sizeof(problem));
	record_begin(&record, LOG_ERR, MESSAGE_ID_GRANT_REFUSED,
		     "%s does not get its standing grant on \"%s\" of volume \"%s\": %s; trying again",
		     service->unit, service->path, service->volume, problem);
	record_text(&record, "TRUSTGATE_UNIT", service->unit);
	record_text(&record, "TRUSTGATE_VOLUME", service->volume);
	record_send(&record);
}

/*
 * The next grant of the chain. If the last one is gone, as after a long absence
 * of the agent, the chain begins anew, and whoever lives already is an elder.
 */
static int give_next(struct agent *agent, struct standing *standing,
		     const struct round *round, const struct subject *subject,
		     struct refusal *refusal)
{
	struct grant_wish wish = make_wish(round, subject);
	struct trustgate_grant given;
	int r;

	wish.renews = standing->newest.id;
	r = grants_give(agent, &wish, 1, &given, refusal);
	if (r == 0 && wish.renews) {
		given.since_boottime_ns = standing->newest.since_boottime_ns;
	} else {
		if (r < 0 && wish.renews) {
			wish.renews = 0;
			r = grants_give(agent, &wish, 1, &given, refusal);
		}
		if (r < 0)
			return r;
		given.since_boottime_ns = now_boottime_ns();
		standing->elders = true;
	}
	standing->newest = given;
	(void)add_link(standing, &given);
	return 0;
}

void standing_renew(struct agent *agent, struct standing *standing,
		    const struct subject *subject)
{
	const struct config_service *service = configuration(agent, standing->key);
	bool first = !standing->newest.id;
	struct refusal refusal = { 0 };
	struct round round;
	int r;

	if (!service || standing->withheld)
		return;
	drop_expired(standing);
	r = open_round(agent, service, &round, &refusal);
	if (r == 0)
		r = give_next(agent, standing, &round, subject, &refusal);
	if (r < 0) {
		object_close(&round.object);
		set_problem(standing, service, &refusal);
		return;
	}
	standing->problem[0] = '\0';
	/* Only now: whoever is forked from here on is covered by the above. */
	if (standing->elders)
		give_descendants(agent, standing, &round, subject);
	if (first)
		report_standing(service, &standing->newest, subject->comm);
	object_close(&round.object);
}

/* ---- what is there already ---- */

struct search {
	struct standing *grants;
	size_t count;
	const struct subject *subject;
};

static int forget_found(void *userdata)
{
	struct search *search = userdata;

	for (size_t i = 0; i < search->count; i++) {
		standing_clear(&search->grants[i]);
		memset(&search->grants[i].newest, 0, sizeof(search->grants[i].newest));
	}
	return 0;
}

static int find_link(const struct trustgate_grant *grant, void *userdata)
{
	struct search *search = userdata;

	for (size_t i = 0; i < search->count; i++) {
		struct standing *standing = &search->grants[i];

		if (grant->tag != tag_of_service(standing->key))
			continue;
		if (add_link(standing, grant) < 0)
			return -ENOMEM;
		if (grant->pid == search->subject->pid &&
		    grant->start_ticks == search->subject->start_ticks &&
		    grant->expires_boottime_ns > standing->newest.expires_boottime_ns)
			standing->newest = *grant;
	}
	return 0;
}

void standing_resume(struct agent *agent, struct standing *grants, size_t count,
		     const struct subject *subject)
{
	static const struct trustgate_grant_visitor visitor = {
		.begin = forget_found,
		.grant = find_link,
	};
	struct search search = { grants, count, subject };
	uint64_t now = now_boottime_ns();
	int r;

	r = trustgate_grant_each(agent->gate, NULL, &visitor, &search, NULL);
	if (r < 0) {
		journal_note(LOG_ERR, "cannot read the grants that exist already: %s",
			     trustgate_error_text(agent->gate));
		forget_found(&search);
	}
	for (size_t i = 0; i < count; i++) {
		if (grants[i].newest.expires_boottime_ns <= now)
			memset(&grants[i].newest, 0, sizeof(grants[i].newest));
		/* Not known any more: the next round finds out. */
		grants[i].elders = true;
		grants[i].withheld = withheld_has(agent, grants[i].key, subject);
	}
	gate_poke(agent);
}

/* ---- the end ---- */

uint64_t standing_end(struct agent *agent, struct standing *standing)
{
	size_t count = standing->links_count;
	struct refusal ignored;
	uint64_t *ids, ended = 0;

	ids = calloc(count + 1, sizeof(*ids));
	if (!ids) {
		journal_note(LOG_ERR, "no memory to end a standing grant, it runs to its expiry");
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		ids[i] = standing->links[i].id;
	/* Forgotten first, so that their end does not look like somebody's act. */
	standing_clear(standing);
	memset(&standing->newest, 0, sizeof(standing->newest));
	if (count)
		(void)grants_revoke_ids(agent, ids, count, &ended, &ignored);
	free(ids);
	return ended;
}

/* Whoever revoked one grant of the chain is not left with the others. */
static void withhold(struct agent *agent, struct standing *standing, const char *unit,
		     const struct subject *subject)
{
	if (!standing->withheld) {
		standing->withheld = true;
		withheld_add(agent, standing->key, subject);
		journal_note(LOG_WARNING,
			     "a standing grant of %s was revoked; it is not given again until the service restarts",
			     unit);
	}
	standing_end(agent, standing);
}

static bool is_alive(const struct link *link)
{
	struct refusal ignored;
	struct subject subject;
	bool alive;

	if (subject_open(link->pid, -1, &subject, &ignored) < 0)
		return false;
	alive = subject.start_ticks == link->start_ticks;
	subject_close(&subject);
	return alive;
}

/* Gone, and neither by its time nor with its process. */
static bool was_revoked(struct agent *agent, const struct link *link)
{
	struct trustgate_grant grant;

	return trustgate_grant_get(agent->gate, link->id, &grant) == -ENOENT &&
	       link->expires_ns > now_boottime_ns() && is_alive(link);
}

void standing_revoked(struct agent *agent, struct standing *standing, const char *unit,
		      const struct subject *subject)
{
	for (size_t i = 0; i < standing->links_count; i++) {
		if (was_revoked(agent, &standing->links[i])) {
			withhold(agent, standing, unit, subject);
			return;
		}
	}
}

bool standing_event(struct agent *agent, struct standing *standing, const char *unit,
		    const struct subject *subject, const struct trustgate_event *event)
{
	if (event->tag != tag_of_service(standing->key) || !drop_link(standing, event->grant_id))
		return false;
	if (event->grant_id == standing->newest.id)
		memset(&standing->newest, 0, sizeof(standing->newest));
	if (event->end == TRUSTGATE_END_REVOKED)
		withhold(agent, standing, unit, subject);
	return true;
}

int standing_current(const struct standing *standing, struct trustgate_grant *ret_grant,
		     struct refusal *refusal)
{
	if (standing->withheld)
		return refuse(refusal, EACCES, NULL,
			      "the standing grant was revoked; it is not given again until the service restarts");
	if (!standing->newest.id)
		return refuse(refusal, EAGAIN, NULL, "%s", standing->problem[0] ?
			      standing->problem : "the standing grant is not there yet");
	*ret_grant = standing->newest;
	return 0;
}

int standing_give_once(struct agent *agent, const char *unit,
		       const struct subject *subject,
		       struct trustgate_grant **ret_grants, size_t *ret_count,
		       struct refusal *refusal)
{
	const struct config *config = agent->config;
	struct trustgate_grant *given = calloc(config->services_count + 1, sizeof(*given));
	size_t count = 0;
	int r = 0;

	if (!given)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	for (size_t i = 0; r == 0 && i < config->services_count; i++) {
		struct grant_wish wish;
		struct round round;

		if (strcmp(config->services[i].unit, unit))
			continue;
		r = open_round(agent, &config->services[i], &round, refusal);
		if (r == 0) {
			wish = make_wish(&round, subject);
			/* Not of the chain: a revocation of it withholds nothing. */
			wish.tag = 0;
			r = grants_give(agent, &wish, 1, &given[count], refusal);
		}
		if (r == 0)
			report_standing(&config->services[i], &given[count++],
					subject->comm);
		object_close(&round.object);
	}
	if (r < 0) {
		/* All or nothing, as with a batch. */
		uint64_t ended;
		struct refusal ignored;

		for (size_t i = 0; i < count; i++)
			(void)grants_revoke_ids(agent, &given[i].id, 1, &ended, &ignored);
		free(given);
		return r;
	}
	*ret_grants = given;
	*ret_count = count;
	return 0;
}
