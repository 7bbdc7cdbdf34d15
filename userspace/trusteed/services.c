// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - standing grants: what configured services hold while they run.
 *
 * Owns: when a standing grant is given, renewed, withheld and ended.
 *
 * Must not own: who the main process is (units.c), how a grant is made
 * (grants.c).
 *
 * A standing grant is a chain of short ones. Each is given to the main process,
 * covering its descendants and surviving exec (systemd names the main process
 * before it has executed the service's program). At half time the next is
 * given, which renews the last: it covers the same descendants. Those that are
 * older than the whole chain, because the service ran before the agent did, get
 * grants of their own. So the agent's death costs a service its access after at
 * most one duration.
 *
 * When the main process is gone, its grants are; what its descendants hold is
 * revoked. When a person revokes a standing grant, it is not given again to the
 * same main process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "standing.h"

#define TRY_AGAIN_USEC	USEC_PER_SEC

/**
 * struct running - a configured unit that has a main process
 * @unit: its name
 * @subject: the main process, held
 * @exit: tells its end, without systemd
 * @timer: next renewal
 * @grants: one standing grant for each of the unit's services[]
 * @count: how many
 */
struct running {
	struct services *services;
	char *unit;
	struct subject subject;
	sd_event_source *exit;
	sd_event_source *timer;
	struct standing *grants;
	size_t count;
};

struct services {
	struct agent *agent;
	struct running **list;
	size_t count;
};

static struct running *find_running(struct services *services, const char *unit)
{
	for (size_t i = 0; i < services->count; i++)
		if (!strcmp(services->list[i]->unit, unit))
			return services->list[i];
	return NULL;
}

/* ---- renewal ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void set_timer(struct running *running)
{
	uint64_t now = now_boottime_ns(), next = UINT64_MAX;

	for (size_t i = 0; i < running->count; i++) {
		uint64_t due = standing_due(&running->grants[i], now,
					    TRY_AGAIN_USEC * NSEC_PER_USEC);

		if (due < next)
			next = due;
	}
	if (next == UINT64_MAX)
		(void)sd_event_source_set_enabled(running->timer, SD_EVENT_OFF);
	else if (sd_event_source_set_time(running->timer, next / NSEC_PER_USEC) >= 0)
		(void)sd_event_source_set_enabled(running->timer, SD_EVENT_ONESHOT);
}

/* Give or renew what is due. */
static void renew(struct running *running)
{
	struct agent *agent = running->services->agent;
	uint64_t now = now_boottime_ns();

	for (size_t i = 0; i < running->count; i++) {
		struct standing *standing = &running->grants[i];

		if (standing_due(standing, now, 0) <= now)
			standing_renew(agent, standing, &running->subject);
	}
	set_timer(running);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	renew(userdata);
	return 0;
}

/* ---- begin and end ---- */

static void free_running(struct running *running)
{
	sd_event_source_disable_unref(running->exit);
	sd_event_source_disable_unref(running->timer);
	for (size_t i = 0; i < running->count; i++)
		standing_clear(&running->grants[i]);
	free(running->grants);
	free(running->unit);
	subject_close(&running->subject);
	free(running);
}

static void remove_running(struct services *services, struct running *running)
{
	for (size_t i = 0; i < services->count; i++) {
		if (services->list[i] != running)
			continue;
		services->list[i] = services->list[--services->count];
		break;
	}
	free_running(running);
}

static void end_running(struct running *running)
{
	struct services *services = running->services;

	for (size_t i = 0; i < running->count; i++)
		standing_end(services->agent, &running->grants[i]);
	journal_note(LOG_INFO, "%s (pid %d) has ended, and its standing grants with it",
		     running->unit, (int)running->subject.pid);
	remove_running(services, running);
}

static int on_process_exit(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	end_running(userdata);
	return 0;
}

static int add_sources(struct running *running)
{
	sd_event *event = running->services->agent->event;
	int r;

	r = sd_event_add_io(event, &running->exit, running->subject.pidfd, EPOLLIN,
			    on_process_exit, running);
	if (r >= 0)
		r = sd_event_add_time(event, &running->timer, CLOCK_BOOTTIME, UINT64_MAX,
				      1, on_timer, running);
	return r < 0 ? r : 0;
}

static int add_standing(struct running *running)
{
	const struct config *config = running->services->agent->config;
	size_t count = 0;

	for (size_t i = 0; i < config->services_count; i++)
		count += !strcmp(config->services[i].unit, running->unit);
	running->grants = calloc(count + 1, sizeof(*running->grants));
	if (!running->grants)
		return -ENOMEM;
	for (size_t i = 0; i < config->services_count; i++)
		if (!strcmp(config->services[i].unit, running->unit))
			standing_init(&running->grants[running->count++],
				      config->services[i].key);
	return 0;
}

static struct running *begin_running(struct services *services, const char *unit,
				     pid_t pid, int pidfd)
{
	struct refusal refusal = { 0 };
	struct running **grown, *running;
	int r;

	running = calloc(1, sizeof(*running));
	if (!running)
		return NULL;
	running->services = services;
	running->subject.pidfd = -1;
	running->unit = strdup(unit);
	r = running->unit ? subject_open(pid, pidfd, &running->subject, &refusal) : -ENOMEM;
	if (r == 0)
		r = add_standing(running);
	if (r == 0)
		r = add_sources(running);
	grown = r < 0 ? NULL : realloc(services->list,
				       (services->count + 1) * sizeof(*grown));
	if (!grown) {
		if (refusal.kind != REFUSAL_NONE)
			journal_note(LOG_NOTICE, "%s: %s", unit, refusal.message);
		free_running(running);
		return NULL;
	}
	services->list = grown;
	services->list[services->count++] = running;
	return running;
}

void services_main_process(struct agent *agent, const char *unit, pid_t pid, int pidfd)
{
	struct services *services = agent->services;
	struct running *running = find_running(services, unit);
	struct subject now;
	struct refusal ignored;

	/* A pid alone could be a new process: its start time decides. */
	if (running && pid == running->subject.pid &&
	    subject_open(pid, pidfd, &now, &ignored) == 0) {
		bool same = now.start_ticks == running->subject.start_ticks;

		subject_close(&now);
		if (same)
			return;
	}
	if (running)
		end_running(running);
	if (!pid)
		return;
	running = begin_running(services, unit, pid, pidfd);
	if (!running)
		return;
	standing_resume(agent, running->grants, running->count, &running->subject);
	renew(running);
}

int services_give(struct agent *agent, const char *unit, enum unit_role role,
		  const struct subject *subject, struct trustgate_grant **ret_grants,
		  size_t *ret_count, struct refusal *refusal)
{
	struct running *running;
	int r = 0;

	if (role == UNIT_CONTROL)
		return standing_give_once(agent, unit, subject, ret_grants, ret_count,
					  refusal);

	/* systemd's signal may still be on its way: this is the same news. */
	services_main_process(agent, unit, subject->pid, subject->pidfd);
	running = find_running(agent->services, unit);
	if (!running)
		return refuse(refusal, ESRCH, NULL, "the main process of %s has exited", unit);
	renew(running);
	*ret_grants = calloc(running->count + 1, sizeof(**ret_grants));
	if (!*ret_grants)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	*ret_count = 0;
	for (size_t i = 0; r == 0 && i < running->count; i++) {
		r = standing_current(&running->grants[i], &(*ret_grants)[*ret_count], refusal);
		*ret_count += r == 0;
	}
	if (r < 0) {
		free(*ret_grants);
		*ret_grants = NULL;
		*ret_count = 0;
	}
	return r;
}

/* ---- events and changes ---- */

void services_event(struct agent *agent, const struct trustgate_event *event)
{
	struct services *services = agent->services;

	if (!services || event->type != TRUSTGATE_EVENT_TYPE_GRANT_ENDED ||
	    !tag_is_service(event->tag))
		return;
	for (size_t i = 0; i < services->count; i++) {
		struct running *running = services->list[i];

		for (size_t j = 0; j < running->count; j++)
			if (standing_event(agent, &running->grants[j], running->unit,
					   &running->subject, event))
				set_timer(running);
	}
}

/*
 * A revocation of very many grants makes more events than the kernel keeps, and
 * a standing grant whose end is among the lost ones would be renewed.
 */
void services_revoked(struct agent *agent)
{
	struct services *services = agent->services;

	for (size_t i = 0; services && i < services->count; i++) {
		struct running *running = services->list[i];

		for (size_t j = 0; j < running->count; j++)
			standing_revoked(agent, &running->grants[j], running->unit,
					 &running->subject);
		set_timer(running);
	}
}

uint64_t services_end(struct agent *agent, const char *volume)
{
	struct services *services = agent->services;
	uint64_t ended = 0;

	for (size_t i = 0; services && i < services->count; i++) {
		struct running *running = services->list[i];

		for (size_t j = 0; j < running->count; j++)
			if (standing_on(agent, &running->grants[j], volume))
				ended += standing_end(agent, &running->grants[j]);
	}
	return ended;
}

void services_retry(struct agent *agent)
{
	struct services *services = agent->services;

	for (size_t i = 0; services && i < services->count; i++)
		renew(services->list[i]);
}

size_t services_failing(const struct agent *agent)
{
	const struct services *services = agent->services;
	size_t failing = 0;

	for (size_t i = 0; services && i < services->count; i++)
		for (size_t j = 0; j < services->list[i]->count; j++)
			failing += services->list[i]->grants[j].problem[0] != '\0';
	return failing;
}

/*
 * What the new configuration has no more ends now; what it has in common with
 * the old one is found again by its tag in the kernel.
 */
void services_reconfigure(struct agent *agent)
{
	struct services *services = agent->services;

	for (size_t i = 0; i < services->count; i++) {
		struct running *running = services->list[i];

		for (size_t j = 0; j < running->count; j++) {
			if (!standing_configured(agent, &running->grants[j]))
				standing_end(agent, &running->grants[j]);
			standing_clear(&running->grants[j]);
		}
		free(running->grants);
		running->grants = NULL;
		running->count = 0;
		if (add_standing(running) < 0) {
			journal_note(LOG_CRIT, "no memory for the standing grants of %s",
				     running->unit);
			continue;
		}
		standing_resume(agent, running->grants, running->count,
				&running->subject);
		renew(running);
	}
}

int services_start(struct agent *agent)
{
	agent->services = calloc(1, sizeof(*agent->services));
	if (!agent->services)
		return -ENOMEM;
	agent->services->agent = agent;
	return 0;
}

/* The grants stay: the next run goes on with them. */
void services_stop(struct agent *agent)
{
	struct services *services = agent->services;

	if (!services)
		return;
	for (size_t i = 0; i < services->count; i++)
		free_running(services->list[i]);
	free(services->list);
	free(services);
	agent->services = NULL;
}
