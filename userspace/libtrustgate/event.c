// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events.
 *
 * Owns: the queue of events that arrived, and joining the group of watchers.
 *
 * Must not own: what is done about an event.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "conn.h"

/**
 * struct kept_event - an event that was not asked for yet
 * @next: newer one
 * @lost_before: events were lost between the older one and this
 * @event: the event
 */
struct kept_event {
	struct kept_event *next;
	bool lost_before;
	struct trustgate_event event;
};

void trustgate_event_keep(struct trustgate_conn *conn, const void *attrs, size_t length)
{
	struct kept_event *kept;

	if (conn->kept >= EVENTS_KEPT_MAX) {
		conn->events_lost = true;
		return;
	}
	kept = malloc(sizeof(*kept));
	if (!kept || trustgate_decode_event(attrs, length, &kept->event)) {
		free(kept);
		conn->events_lost = true;
		return;
	}
	kept->next = NULL;
	kept->lost_before = conn->events_lost;
	conn->events_lost = false;
	if (conn->last)
		conn->last->next = kept;
	else
		conn->first = kept;
	conn->last = kept;
	conn->kept++;
}

static void remove_first(struct trustgate_conn *conn)
{
	struct kept_event *kept = conn->first;

	conn->first = kept->next;
	if (!conn->first)
		conn->last = NULL;
	conn->kept--;
	free(kept);
}

void trustgate_events_forget(struct trustgate_conn *conn)
{
	while (conn->first)
		remove_first(conn);
	conn->events_lost = false;
}

static int lost(struct trustgate_conn *conn)
{
	return trustgate_fail(conn, -ENOBUFS,
			      "events were lost because they were not taken in time");
}

int trustgate_event_next(struct trustgate_conn *conn, struct trustgate_event *ret_event)
{
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!conn->first) {
		r = trustgate_drain(conn, false);
		if (r)
			return trustgate_fail(conn, r, "cannot receive events");
	}
	if (conn->first && conn->first->lost_before) {
		conn->first->lost_before = false;
		return lost(conn);
	}
	if (conn->first) {
		*ret_event = conn->first->event;
		remove_first(conn);
		return 1;
	}
	if (conn->events_lost) {
		conn->events_lost = false;
		return lost(conn);
	}
	return 0;
}

size_t trustgate_events_pending(const struct trustgate_conn *conn)
{
	return conn->kept;
}

static int set_membership(struct trustgate_conn *conn, int option, const char *what)
{
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!conn->family.events_group)
		return trustgate_fail(conn, -EPROTO, "cannot %s: the family has no group "
				      TRUSTGATE_MCGRP_EVENTS, what);
	if (setsockopt(nl_socket_get_fd(conn->sock), SOL_NETLINK, option,
		       &conn->family.events_group, sizeof(conn->family.events_group)))
		return trustgate_fail(conn, -errno, "cannot %s", what);
	return 0;
}

int trustgate_watch(struct trustgate_conn *conn)
{
	return set_membership(conn, NETLINK_ADD_MEMBERSHIP, "watch events");
}

int trustgate_unwatch(struct trustgate_conn *conn)
{
	return set_membership(conn, NETLINK_DROP_MEMBERSHIP, "stop watching events");
}
