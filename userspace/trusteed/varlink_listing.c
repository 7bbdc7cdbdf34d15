// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the list of grants, in as many replies as it takes.
 *
 * Owns: the lists on their way to clients.
 *
 * Must not own: waiting for a client. The next part is sent when the last one
 * has left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "journal.h"
#include "varlink.h"
#include "varlink_json.h"

#define PART			64
/* One reply without "more" has to fit into a message. */
#define SINGLE_REPLY_MAX	16384
#define LISTINGS_MAX		8

/**
 * struct listing - a ListGrants call with "more"
 * @link: client, referenced
 * @grants: all that are to be sent
 * @count: how many
 * @sent: how many were
 * @names: of the volumes when the list was made
 */
struct listing {
	struct listing *next;
	sd_varlink *link;
	struct trustgate_grant *grants;
	size_t count;
	size_t sent;
	struct volume_names names;
};

static struct {
	struct listing *first;
	size_t count;
	sd_event_source *after_each;
} listings;

static void free_listing(struct listing *listing)
{
	sd_varlink_unref(listing->link);
	free(listing->grants);
	free(listing->names.volumes);
	free(listing);
}

static void unlink_listing(struct listing *listing)
{
	struct listing **at = &listings.first;

	while (*at != listing)
		at = &(*at)->next;
	*at = listing->next;
	listings.count--;
	free_listing(listing);
}

static int build_part(struct agent *agent, const struct trustgate_grant *grants,
		      size_t count, const struct volume_names *names,
		      sd_json_variant **ret)
{
	sd_json_variant *list = NULL, *json;
	int r;

	r = sd_json_build(&list, SD_JSON_BUILD_EMPTY_ARRAY);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		json = NULL;
		r = varlink_json_grant(&grants[i],
				       varlink_volume_name(names, grants[i].volume_id),
				       ledger_path(agent, grants[i].id), &json);
		if (r >= 0)
			r = sd_json_variant_append_array(&list, json);
		sd_json_variant_unref(json);
	}
	if (r < 0)
		list = sd_json_variant_unref(list);
	*ret = list;
	return r;
}

static int send_part(struct agent *agent, sd_varlink *link,
		     const struct trustgate_grant *grants, size_t count,
		     const struct volume_names *names, bool last)
{
	sd_json_variant *list;
	int r;

	r = build_part(agent, grants, count, names, &list);
	if (r < 0)
		return r;
	if (last)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("grants", list));
	else
		r = sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("grants", list));
	sd_json_variant_unref(list);
	return r;
}

/* Returns whether the listing is done, well or badly. */
static bool pump(struct agent *agent, struct listing *listing)
{
	int events = sd_varlink_get_events(listing->link);

	while (events >= 0 && !(events & EPOLLOUT)) {
		size_t left = listing->count - listing->sent;
		size_t some = left < PART ? left : PART;
		bool last = some == left;

		if (send_part(agent, listing->link, listing->grants + listing->sent, some,
			      &listing->names, last) < 0 || last)
			return true;
		listing->sent += some;
		events = sd_varlink_get_events(listing->link);
	}
	return events < 0;
}

static int on_after_each(sd_event_source *source, void *userdata)
{
	struct agent *agent = userdata;
	struct listing *next;

	(void)source;
	for (struct listing *listing = listings.first; listing; listing = next) {
		next = listing->next;
		if (pump(agent, listing))
			unlink_listing(listing);
	}
	return 0;
}

void listing_remove(struct agent *agent, sd_varlink *link)
{
	struct listing *next;

	(void)agent;
	for (struct listing *listing = listings.first; listing; listing = next) {
		next = listing->next;
		if (listing->link == link)
			unlink_listing(listing);
	}
}

int listing_start(struct agent *agent)
{
	int r = sd_event_add_post(agent->event, &listings.after_each, on_after_each, agent);

	return r < 0 ? r : 0;
}

void listing_stop(struct agent *agent)
{
	(void)agent;
	while (listings.first)
		unlink_listing(listings.first);
	listings.after_each = sd_event_source_disable_unref(listings.after_each);
}

/* ---- the method ---- */

struct list_parameters {
	const char *volume;
	pid_t pid;
};

static int read_grants(struct agent *agent, const struct list_parameters *given,
		       struct listing *listing, struct refusal *refusal)
{
	struct trustgate_grant_filter filter = { .pid = given->pid };
	struct trustgate_volume volume;
	int r;

	if (given->pid < 0)
		return refuse(refusal, EINVAL, "pid", "%d is not a process id",
			      (int)given->pid);
	if (given->volume) {
		r = volumes_get(agent, given->volume, &volume, refusal);
		if (r < 0)
			return r;
		filter.volume_id = volume.id;
	}
	r = varlink_volume_names(agent, &listing->names, refusal);
	if (r < 0)
		return r;
	r = trustgate_grant_list(agent->gate, &filter, &listing->grants, &listing->count,
				 NULL);
	return r < 0 ? gate_refused(agent, r, refusal) : 0;
}

static int begin(struct agent *agent, sd_varlink *link, struct listing *listing, bool more,
		 struct refusal *refusal)
{
	int r;

	if (!more && listing->count > SINGLE_REPLY_MAX)
		return refuse(refusal, EMSGSIZE, NULL,
			      "%zu grants are too many for one reply; call with \"more\"",
			      listing->count);
	if (more && listings.count == LISTINGS_MAX)
		return refuse(refusal, EBUSY, NULL, "too many lists are on their way already");
	if (!more) {
		r = send_part(agent, link, listing->grants, listing->count, &listing->names,
			      true);
		free_listing(listing);
		return r < 0 ? refuse(refusal, -r, NULL, "cannot send: %s", strerror(-r)) : 0;
	}
	listing->link = sd_varlink_ref(link);
	listing->next = listings.first;
	listings.first = listing;
	listings.count++;
	return 0;
}

int method_list_grants(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
		{ "volume", SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string,
		  offsetof(struct list_parameters, volume), SD_JSON_NULLABLE },
		{ "pid", _SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_int32,
		  offsetof(struct list_parameters, pid), SD_JSON_NULLABLE },
		{ 0 }
	};
	struct list_parameters given = { 0 };
	struct listing *listing = NULL;
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	int r;

	r = sd_varlink_dispatch(link, parameters, fields, &given);
	if (r != 0)
		return r;
	r = varlink_authorise(agent, link, ASK_READ, NULL, &refusal);
	if (r == 0) {
		listing = calloc(1, sizeof(*listing));
		r = listing ? read_grants(agent, &given, listing, &refusal) :
			      refuse(&refusal, ENOMEM, NULL, "the agent has no memory left");
	}
	gate_poke(agent);
	if (r == 0)
		r = begin(agent, link, listing, flags & SD_VARLINK_METHOD_MORE, &refusal);
	if (r < 0) {
		if (listing)
			free_listing(listing);
		return varlink_refuse(agent, link, "ListGrants", &refusal);
	}
	return 0;
}
