// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - those who watch events.
 *
 * Owns: a bounded queue for each watcher, what happens to slow ones.
 *
 * Must not own: waiting for anybody. A watcher that does not read loses events,
 * is told how many in the field "dropped" of the next one he gets, and after a
 * while without reading at all is let go.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "agent.h"
#include "journal.h"
#include "varlink_json.h"

#define WATCHERS_MAX	64
#define QUEUE_MAX	4096
/* With a full queue and no progress for so long, nobody is reading. */
#define PATIENCE_NS	(60 * NSEC_PER_SEC)

/**
 * struct watcher - one Watch() call
 * @link: connection, referenced
 * @queue: ring of events as JSON, referenced; shared between watchers
 * @first: oldest in @queue
 * @count: how many
 * @volume_id: he is shown events of this volume alone, 0 for all
 * @others: events of others since the last that he was sent
 * @lost: events that did not fit
 * @full_since_ns: when the queue became full, 0 while it is not
 */
struct watcher {
	sd_varlink *link;
	struct queued {
		sd_json_variant *event;
		uint64_t dropped;
		uint64_t others;
	} queue[QUEUE_MAX];
	uint32_t volume_id;
	uint64_t others;
	size_t first;
	size_t count;
	uint64_t lost;
	uint64_t full_since_ns;
};

struct watch {
	struct agent *agent;
	struct watcher *watchers[WATCHERS_MAX];
	size_t count;
	sd_event_source *after_each;
};

/* Whether what was sent before has left; then sending cannot pile up. */
static bool writable(sd_varlink *link)
{
	int events = sd_varlink_get_events(link);

	return events >= 0 && !(events & EPOLLOUT);
}

/* Queued events are shared, so what this watcher lost is added to a copy. */
static int send_one(struct watcher *watcher, struct queued *queued)
{
	sd_json_variant *event = sd_json_variant_ref(queued->event);
	int r = 0;

	if (watcher->lost)
		r = sd_json_variant_set_field_unsigned(&event, "dropped",
						       queued->dropped + watcher->lost);
	if (r >= 0 && queued->others)
		r = sd_json_variant_set_field_unsigned(&event, "others", queued->others);
	if (r >= 0)
		r = sd_varlink_notifybo(watcher->link,
					SD_JSON_BUILD_PAIR_VARIANT("event", event));
	sd_json_variant_unref(event);
	return r;
}

static void pump(struct watcher *watcher)
{
	while (watcher->count && writable(watcher->link)) {
		struct queued *queued = &watcher->queue[watcher->first];

		/* An error means a dead connection; its end is reported anyway. */
		if (send_one(watcher, queued) < 0)
			return;
		sd_json_variant_unref(queued->event);
		watcher->first = (watcher->first + 1) % QUEUE_MAX;
		watcher->count--;
		watcher->full_since_ns = 0;
	}
}

static void free_watcher(struct watcher *watcher)
{
	while (watcher->count) {
		sd_json_variant_unref(watcher->queue[watcher->first].event);
		watcher->first = (watcher->first + 1) % QUEUE_MAX;
		watcher->count--;
	}
	sd_varlink_unref(watcher->link);
	free(watcher);
}

static void enqueue(struct watcher *watcher, sd_json_variant *event, uint64_t dropped)
{
	struct queued *queued;

	if (watcher->count == QUEUE_MAX) {
		watcher->lost++;
		if (!watcher->full_since_ns)
			watcher->full_since_ns = now_boottime_ns();
		return;
	}
	queued = &watcher->queue[(watcher->first + watcher->count) % QUEUE_MAX];
	queued->event = sd_json_variant_ref(event);
	queued->dropped = dropped;
	queued->others = watcher->others;
	watcher->others = 0;
	watcher->count++;
}

static int on_after_each(sd_event_source *source, void *userdata)
{
	struct watch *watch = userdata;
	uint64_t now = 0;

	(void)source;
	for (size_t i = 0; i < watch->count; i++) {
		struct watcher *watcher = watch->watchers[i];

		pump(watcher);
		if (!watcher->full_since_ns)
			continue;
		if (!now)
			now = now_boottime_ns();
		if (now - watcher->full_since_ns > PATIENCE_NS) {
			uid_t uid = (uid_t)-1;

			(void)sd_varlink_get_peer_uid(watcher->link, &uid);
			journal_note(LOG_WARNING,
				     "letting a watcher of uid %u go that does not read: %llu events lost",
				     (unsigned int)uid, (unsigned long long)watcher->lost);
			/* Closing comes back through watch_remove(): start anew. */
			sd_varlink_close(watcher->link);
			break;
		}
	}
	return 0;
}

int watch_start(struct agent *agent)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	agent->watch = watch;
	watch->agent = agent;
	r = sd_event_add_post(agent->event, &watch->after_each, on_after_each, watch);
	return r < 0 ? r : 0;
}

void watch_stop(struct agent *agent)
{
	struct watch *watch = agent->watch;

	if (!watch)
		return;
	for (size_t i = 0; i < watch->count; i++)
		free_watcher(watch->watchers[i]);
	sd_event_source_disable_unref(watch->after_each);
	free(watch);
	agent->watch = NULL;
}

int watch_add(struct agent *agent, sd_varlink *link)
{
	struct watch *watch = agent->watch;
	struct watcher *watcher;

	if (watch->count == WATCHERS_MAX)
		return -EBUSY;
	watcher = calloc(1, sizeof(*watcher));
	if (!watcher)
		return -ENOMEM;
	watcher->link = sd_varlink_ref(link);
	watch->watchers[watch->count++] = watcher;
	return 0;
}

void watch_remove(struct agent *agent, sd_varlink *link)
{
	struct watch *watch = agent->watch;

	for (size_t i = 0; watch && i < watch->count; i++) {
		if (watch->watchers[i]->link != link)
			continue;
		free_watcher(watch->watchers[i]);
		watch->watchers[i] = watch->watchers[--watch->count];
		return;
	}
}

void watch_event(struct agent *agent, const struct trustgate_event *event)
{
	struct watch *watch = agent->watch;
	sd_json_variant *json = NULL;
	uint32_t volume_id = trustgate_event_has(event, TRUSTGATE_A_EVENT_VOLUME_ID) ?
			     event->volume_id : 0;

	if (!watch->count)
		return;
	if (varlink_json_event(event, &json) < 0) {
		for (size_t i = 0; i < watch->count; i++)
			watch->watchers[i]->lost++;
		return;
	}
	for (size_t i = 0; i < watch->count; i++) {
		struct watcher *watcher = watch->watchers[i];

		if (watcher->volume_id && watcher->volume_id != volume_id)
			watcher->others++;
		else
			enqueue(watcher, json, event->dropped);
		pump(watcher);
	}
	sd_json_variant_unref(json);
}

void watch_only(struct agent *agent, const sd_varlink *link, uint32_t volume_id)
{
	struct watch *watch = agent->watch;

	for (size_t i = 0; i < watch->count; i++)
		if (watch->watchers[i]->link == link)
			watch->watchers[i]->volume_id = volume_id;
}

bool watch_caught_up(const struct agent *agent, sd_varlink *link)
{
	const struct watch *watch = agent->watch;
	int fd = sd_varlink_get_fd(link);
	int unread = 0;

	/* What the peer of a Unix socket has not read is still on its way out. */
	if (fd < 0 || !writable(link) || ioctl(fd, SIOCOUTQ, &unread) < 0 || unread)
		return false;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->watchers[i]->link == link)
			return !watch->watchers[i]->count;
	return false;
}

size_t watch_count(const struct agent *agent)
{
	return agent->watch->count;
}
