// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the table of opens that wait for a trustee, see asked.h.
 *
 * Owns: finding one by its number in the kernel, and the one that is due first,
 * both in a time that hardly depends on how many there are.
 *
 * Must not own: what is done about them (asked.c, requests.c).
 */
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#define ROOM_MIN	64

/**
 * struct asked_table - opens that wait
 * @chains: by their numbers in the kernel, which follow each other; @room of them
 * @heap: all of them; each is due before the two at twice its place and one or two
 * @count: how many
 * @room: for how many, a power of two
 */
struct asked_table {
	struct asked **chains;
	struct asked **heap;
	size_t count;
	size_t room;
};

static struct asked **chain_of(const struct asked_table *table, uint64_t id)
{
	return &table->chains[id & (table->room - 1)];
}

static bool grow(struct asked_table *table)
{
	size_t room = table->room ? 2 * table->room : ROOM_MIN;
	struct asked **chains = calloc(room, sizeof(*chains));
	struct asked **heap = reallocarray(table->heap, room, sizeof(*heap));

	if (heap)
		table->heap = heap;
	if (!chains || !heap) {
		free(chains);
		return false;
	}
	free(table->chains);
	table->chains = chains;
	table->room = room;
	for (size_t i = 0; i < table->count; i++) {
		struct asked **chain = chain_of(table, heap[i]->id);

		heap[i]->next = *chain;
		*chain = heap[i];
	}
	return true;
}

bool asked_make_room(struct agent *agent)
{
	if (!agent->asked)
		agent->asked = calloc(1, sizeof(*agent->asked));
	return agent->asked &&
	       (agent->asked->count < agent->asked->room || grow(agent->asked));
}

/* ---- who is due ---- */

static void put(struct asked_table *table, size_t place, struct asked *asked)
{
	table->heap[place] = asked;
	asked->place = place;
}

static bool is_sooner(const struct asked *a, const struct asked *b)
{
	return a->deadline_boottime_ns < b->deadline_boottime_ns;
}

/* Find it its place, from one on that is free, upwards and downwards. */
static void settle(struct asked_table *table, size_t place, struct asked *asked)
{
	size_t next;

	while (place && is_sooner(asked, table->heap[(place - 1) / 2])) {
		put(table, place, table->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	while ((next = 2 * place + 1) < table->count) {
		if (next + 1 < table->count && is_sooner(table->heap[next + 1], table->heap[next]))
			next++;
		if (!is_sooner(table->heap[next], asked))
			break;
		put(table, place, table->heap[next]);
		place = next;
	}
	put(table, place, asked);
}

struct asked *asked_first_due(const struct agent *agent)
{
	return asked_at(agent, 0);
}

/* ---- all of them ---- */

size_t asked_count(const struct agent *agent)
{
	return agent->asked ? agent->asked->count : 0;
}

struct asked *asked_at(const struct agent *agent, size_t i)
{
	return i < asked_count(agent) ? agent->asked->heap[i] : NULL;
}

struct asked *asked_find(const struct agent *agent, uint64_t id)
{
	struct asked *asked = asked_count(agent) ? *chain_of(agent->asked, id) : NULL;

	while (asked && asked->id != id)
		asked = asked->next;
	return asked;
}

void asked_keep(struct agent *agent, struct asked *asked)
{
	struct asked_table *table = agent->asked;
	struct asked **chain = chain_of(table, asked->id);

	asked->next = *chain;
	*chain = asked;
	table->count++;
	settle(table, table->count - 1, asked);
}

void asked_remove(struct agent *agent, struct asked *asked)
{
	struct asked_table *table = agent->asked;
	struct asked **at = chain_of(table, asked->id);
	struct asked *last;

	while (*at != asked)
		at = &(*at)->next;
	*at = asked->next;
	last = table->heap[--table->count];
	if (last != asked)
		settle(table, asked->place, last);
}

struct asked *asked_remove_where(struct agent *agent, asked_which_fn which, const void *userdata)
{
	struct asked_table *table = agent->asked;
	size_t count = asked_count(agent);
	struct asked *removed = NULL;

	if (!count)
		return NULL;
	/* All others are kept anew, none of them behind the place where it was. */
	memset(table->chains, 0, table->room * sizeof(*table->chains));
	table->count = 0;
	for (size_t i = 0; i < count; i++) {
		struct asked *asked = table->heap[i];

		if (which(asked, userdata)) {
			asked->next = removed;
			removed = asked;
		} else {
			asked_keep(agent, asked);
		}
	}
	return removed;
}

void asked_free(struct asked *asked)
{
	free(asked->path);
	free(asked->rule);
	free(asked);
}

void asked_drop(struct agent *agent, struct asked *asked)
{
	asked_remove(agent, asked);
	asked_free(asked);
}

void asked_drop_all(struct agent *agent)
{
	while (asked_count(agent))
		asked_drop(agent, asked_at(agent, asked_count(agent) - 1));
	if (agent->asked) {
		free(agent->asked->chains);
		free(agent->asked->heap);
	}
	free(agent->asked);
	agent->asked = NULL;
}
