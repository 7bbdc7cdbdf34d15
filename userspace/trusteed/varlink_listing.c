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
#include "varlink_fields.h"

#define PART			64
/* One reply without "more" has to fit into a message. */
#define SINGLE_REPLY_MAX	16384
#define LISTINGS_MAX		16

/**
 * struct listing - a ListGrants call with "more"
 * @link: client, referenced
 * @conn: a connection of its own, busy until the cursor is closed
 * @cursor: where the kernel's dump stands; it waits for the client
 * @part: read, but not sent yet: the last part must say that it is
 * @part_count: how many
 * @names: of the volumes when the list was begun
 */
struct listing {
	struct listing *next;
	sd_varlink *link;
	struct trustgate_conn *conn;
	struct trustgate_grant_cursor *cursor;
	struct trustgate_grant part[PART];
	size_t part_count;
	struct volume_names names;
};

static struct {
	struct listing *first;
	size_t count;
	sd_event_source *after_each;
} listings;

static void free_listing(struct listing *listing)
{
	trustgate_grant_cursor_close(listing->cursor);
	trustgate_free(listing->conn);
	sd_varlink_unref(listing->link);
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

static int send_part(struct agent *agent, sd_varlink *link,
		     const struct trustgate_grant *grants, size_t count,
		     const struct volume_names *names, bool last)
{
	sd_json_variant *list;
	int r;

	r = varlink_grants(agent, grants, count, names, &list);
	if (r < 0)
		return r;
	if (last)
		r = sd_varlink_replybo(link, SD_JSON_BUILD_PAIR_VARIANT("grants", list));
	else
		r = sd_varlink_notifybo(link, SD_JSON_BUILD_PAIR_VARIANT("grants", list));
	sd_json_variant_unref(list);
	return r;
}

/*
 * Send what was read before and read on. What the kernel does not list any more
 * because of a change meanwhile is no error: a list is never newer than its
 * reader.
 */
static bool send_next(struct agent *agent, struct listing *listing)
{
	struct trustgate_grant next[PART];
	size_t count = 0;
	int r;

	r = trustgate_grant_cursor_next(listing->cursor, next, PART, &count);
	if (r < 0 && r != -EINTR) {
		journal_note(LOG_ERR, "a list of grants breaks off: %s",
			     trustgate_error_text(listing->conn));
		(void)sd_varlink_error_errno(listing->link, r);
		return true;
	}
	if (send_part(agent, listing->link, listing->part, listing->part_count,
		      &listing->names, r != 1) < 0)
		return true;
	memcpy(listing->part, next, count * sizeof(next[0]));
	listing->part_count = count;
	return r != 1;
}

/* Returns whether the listing is done, well or badly. */
static bool pump(struct agent *agent, struct listing *listing)
{
	int events;

	while ((events = sd_varlink_get_events(listing->link)) >= 0) {
		if (events & EPOLLOUT)
			return false;
		if (send_next(agent, listing))
			return true;
	}
	return true;
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

static int make_filter(struct agent *agent, const struct list_parameters *given,
		       struct trustgate_grant_filter *filter, struct refusal *refusal)
{
	struct trustgate_volume volume;
	int r;

	if (given->pid < 0)
		return refuse(refusal, EINVAL, "pid", "%d is not a process id",
			      (int)given->pid);
	filter->pid = given->pid;
	if (!given->volume)
		return 0;
	r = volumes_get(agent, given->volume, &volume, refusal);
	filter->volume_id = r < 0 ? 0 : volume.id;
	return r;
}

static int reply_at_once(struct agent *agent, sd_varlink *link,
			 const struct trustgate_grant_filter *filter,
			 struct refusal *refusal)
{
	struct trustgate_grant *grants = NULL;
	struct volume_names names = { 0 };
	size_t count = 0;
	int r;

	r = varlink_volume_names(agent, &names, refusal);
	if (r < 0)
		return r;
	r = trustgate_grant_list(agent->gate, filter, &grants, &count, NULL);
	if (r < 0) {
		gate_refused(agent, r, refusal);
	} else if (count > SINGLE_REPLY_MAX) {
		r = refuse(refusal, EMSGSIZE, NULL,
			   "%zu grants are too many for one reply; call with \"more\"", count);
	} else {
		r = send_part(agent, link, grants, count, &names, true);
		if (r < 0)
			refuse(refusal, -r, NULL, "the list cannot be sent: %s", strerror(-r));
	}
	free(grants);
	free(names.volumes);
	return r < 0 ? r : 0;
}

static int open_listing(struct agent *agent, sd_varlink *link,
			const struct trustgate_grant_filter *filter,
			struct listing *listing, struct refusal *refusal)
{
	int r;

	listing->link = sd_varlink_ref(link);
	r = varlink_volume_names(agent, &listing->names, refusal);
	if (r < 0)
		return r;
	r = trustgate_new(&listing->conn);
	if (r == 0)
		r = trustgate_connect(listing->conn);
	if (r == 0)
		r = trustgate_grant_cursor_open(listing->conn, filter, &listing->cursor);
	if (r == 0)
		r = trustgate_grant_cursor_next(listing->cursor, listing->part, PART,
						&listing->part_count);
	if (r < 0 && r != -EINTR)
		return refuse(refusal, -r, NULL, "%s", listing->conn ?
			      trustgate_error_text(listing->conn) :
			      "the agent has no memory left");
	if (r != 1)
		listing->part_count = 0;
	return 0;
}

static int begin_listing(struct agent *agent, sd_varlink *link,
			 const struct trustgate_grant_filter *filter,
			 struct refusal *refusal)
{
	struct listing *listing;
	int r;

	if (listings.count == LISTINGS_MAX)
		return refuse(refusal, EBUSY, NULL, "too many lists are on their way already");
	listing = calloc(1, sizeof(*listing));
	if (!listing)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	r = open_listing(agent, link, filter, listing, refusal);
	if (r < 0) {
		free_listing(listing);
		return r;
	}
	/* The first part leaves after this turn of the event loop. */
	listing->next = listings.first;
	listings.first = listing;
	listings.count++;
	return 0;
}

int method_list_grants(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct list_parameters
		LIST_GRANTS_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	struct trustgate_grant_filter filter = { .ending = true };
	struct list_parameters given = { 0 };
	struct agent *agent = userdata;
	struct refusal refusal = { 0 };
	int r;

	r = sd_varlink_dispatch(link, parameters, fields, &given);
	if (r != 0)
		return r;
	r = varlink_authorise(agent, link, ASK_READ, NULL, &refusal);
	if (r == 0)
		r = make_filter(agent, &given, &filter, &refusal);
	if (r == 0 && (flags & SD_VARLINK_METHOD_MORE))
		r = begin_listing(agent, link, &filter, &refusal);
	else if (r == 0)
		r = reply_at_once(agent, link, &filter, &refusal);
	gate_poke(agent);
	return r < 0 ? varlink_refuse(agent, link, "ListGrants", &refusal) : 0;
}
