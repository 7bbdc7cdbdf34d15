/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - one standing grant of one running service.
 *
 * Owns: the chain of kernel grants that it consists of.
 *
 * Must not own: timers, or who the main process is (services.c).
 */
#ifndef _TRUSTEED_STANDING_H
#define _TRUSTEED_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent.h"

/* A kernel grant of the chain, to the main process or a descendant. */
struct link {
	uint64_t id;
	uint64_t expires_ns;
	uint64_t start_ticks;
	pid_t pid;
};

/**
 * struct standing - a standing grant
 * @key: config_service.key; the configuration is looked up by it, as it may be
 *	replaced at any time
 * @newest: last grant to the main process; id 0 if there is none
 * @elders: descendants may live that are older than what @newest covers
 * @links: grants of the chain that may be alive, of descendants, too
 * @links_count: how many
 * @withheld: somebody revoked it; not given again to this main process
 * @problem: why it could not be given, "" if it could
 */
struct standing {
	uint64_t key;
	struct trustgate_grant newest;
	bool elders;
	struct link *links;
	size_t links_count;
	bool withheld;
	char problem[256];
};

void standing_init(struct standing *standing, uint64_t key);
void standing_clear(struct standing *standing);

/* Whether the current configuration has it. */
bool standing_configured(const struct agent *agent, const struct standing *standing);

/* Whether it is on a volume; on any, if that is NULL. */
bool standing_on(const struct agent *agent, const struct standing *standing, const char *volume);

/*
 * When the next grant of the chain is to be given: half-way through the newest,
 * now if there is none, @retry_ns after @now if the last attempt failed;
 * UINT64_MAX for never.
 */
uint64_t standing_due(const struct standing *standing, uint64_t now, uint64_t retry_ns);

/* Find what a former run, or the former configuration, gave to this process. */
void standing_resume(struct agent *agent, struct standing *grants, size_t count,
		     const struct subject *subject);

/* Give the next grant of the chain to the process and its descendants. */
void standing_renew(struct agent *agent, struct standing *standing,
		    const struct subject *subject);

/* Revoke all of the chain that is alive. Returns how many grants that ended. */
uint64_t standing_end(struct agent *agent, struct standing *standing);

/* Somebody revoked something: if a grant of the chain is gone by it, all of it is. */
void standing_revoked(struct agent *agent, struct standing *standing, const char *unit,
		      const struct subject *subject);

/* A grant with TAG_SERVICE ended. Returns whether it was one of this chain. */
bool standing_event(struct agent *agent, struct standing *standing, const char *unit,
		    const struct subject *subject, const struct trustgate_event *event);

/* The newest grant, or why there is none. */
int standing_current(const struct standing *standing, struct trustgate_grant *ret_grant,
		     struct refusal *refusal);

/* All standing grants of a unit, once, for a process that is not renewed. */
int standing_give_once(struct agent *agent, const char *unit,
		       const struct subject *subject,
		       struct trustgate_grant **ret_grants, size_t *ret_count,
		       struct refusal *refusal);

#endif
