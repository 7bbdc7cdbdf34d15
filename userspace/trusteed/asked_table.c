// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the table of opens that wait for a trustee, see asked.h.
 *
 * Owns: finding one by its number in the kernel, and that each is heard of when it
 * is due. The tree is libc's and the queue by time sd-event's; neither takes much
 * longer for ten thousand of them than for one.
 *
 * Must not own: what is done about them (asked.c, requests.c).
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <time.h>

#include "agent.h"

static int compare_ids(const void *a, const void *b)
{
	const struct asked *first = a, *second = b;

	return (first->id > second->id) - (first->id < second->id);
}

size_t asked_count(const struct agent *agent)
{
	return agent->asked_count;
}

struct asked *asked_find(const struct agent *agent, uint64_t id)
{
	const struct asked key = { .id = id };
	struct asked *const *found = tfind(&key, &agent->asked, compare_ids);

	return found ? *found : NULL;
}

int asked_keep(struct agent *agent, struct asked *asked, sd_event_time_handler_t on_due)
{
	int r;

	asked->agent = agent;
	r = sd_event_add_time(agent->event, &asked->due, CLOCK_BOOTTIME,
			      asked->deadline_boottime_ns / NSEC_PER_USEC + 1, 0, on_due, asked);
	if (r < 0)
		return r;
	if (!tsearch(asked, &agent->asked, compare_ids)) {
		asked->due = sd_event_source_disable_unref(asked->due);
		return -ENOMEM;
	}
	agent->asked_count++;
	return 0;
}

void asked_remove(struct agent *agent, struct asked *asked)
{
	tdelete(asked, &agent->asked, compare_ids);
	agent->asked_count--;
	asked->due = sd_event_source_disable_unref(asked->due);
}

/**
 * struct choice - a choice among those that wait
 * @which: says which
 * @userdata: for it
 * @first: those chosen, in the order of their numbers
 * @end: where the next one goes
 */
struct choice {
	asked_which_fn which;
	const void *userdata;
	struct asked *first;
	struct asked **end;
};

static void choose(const void *node, VISIT visit, void *closure)
{
	struct asked *asked = *(struct asked *const *)node;
	struct choice *choice = closure;

	/* Each is visited once so, between those before and those after it. */
	if (visit != postorder && visit != leaf)
		return;
	if (!choice->which(asked, choice->userdata))
		return;
	asked->next = NULL;
	*choice->end = asked;
	choice->end = &asked->next;
}

struct asked *asked_remove_where(struct agent *agent, asked_which_fn which, const void *userdata)
{
	struct choice choice = { .which = which, .userdata = userdata };

	choice.end = &choice.first;
	twalk_r(agent->asked, choose, &choice);
	for (struct asked *asked = choice.first; asked; asked = asked->next)
		asked_remove(agent, asked);
	return choice.first;
}

void asked_free(struct asked *asked)
{
	sd_event_source_disable_unref(asked->due);
	free(asked->path);
	free(asked->rule);
	free(asked);
}

void asked_drop(struct agent *agent, struct asked *asked)
{
	asked_remove(agent, asked);
	asked_free(asked);
}

static void free_node(void *asked)
{
	asked_free(asked);
}

void asked_drop_all(struct agent *agent)
{
	tdestroy(agent->asked, free_node);
	agent->asked = NULL;
	agent->asked_count = 0;
}
