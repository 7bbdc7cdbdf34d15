// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the channel by which opens that wait come in.
 *
 * Owns: having it open while there is a volume, and taking what waits.
 *
 * Must not own: what is answered (asked.c).
 *
 * An open channel keeps the kernel's module loaded, as volumes do; so there is
 * none without them, and the module can be unloaded then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent.h"
#include "journal.h"

/* Then Varlink, signals and the watchdog get their turn. */
#define TAKEN_PER_TURN		64

bool channel_is_open(const struct agent *agent)
{
	return agent->channel_io;
}

void channel_close(struct agent *agent)
{
	agent->channel_io = sd_event_source_disable_unref(agent->channel_io);
	if (agent->gate)
		trustgate_channel_close(agent->gate);
}

/* The event of a request that is not taken here is an event like any other. */
static void take(struct agent *agent)
{
	/* Too large for the stack of one who handles many of them. */
	struct trustgate_request *request = malloc(sizeof(*request));
	int r = 0;

	for (int i = 0; request && i < TAKEN_PER_TURN; i++) {
		r = trustgate_channel_exchange(agent->gate, NULL, false, request, NULL);
		if (r <= 0)
			break;
		asked_take(agent, request);
	}
	free(request);
	asked_carry_out(agent);
	if (r < 0) {
		journal_note(LOG_ERR, "cannot take opens that wait by the channel: %s",
			     trustgate_error_text(agent->gate));
		channel_close(agent);
		asked_resync(agent);
	}
	gate_poke(agent);
}

static int on_channel(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct agent *agent = userdata;

	(void)source;
	(void)fd;
	/* The agent has been lost, of which the gate's own check says more. */
	if (revents & (EPOLLHUP | EPOLLERR))
		channel_close(agent);
	else
		take(agent);
	return 0;
}

static void open_channel(struct agent *agent)
{
	int r = trustgate_channel_open(agent->gate);

	if (r < 0) {
		journal_note(LOG_ERR, "opens that wait come in by events, as there is no channel: %s",
			     trustgate_error_text(agent->gate));
		return;
	}
	r = sd_event_add_io(agent->event, &agent->channel_io, trustgate_channel_fd(agent->gate),
			    EPOLLIN, on_channel, agent);
	if (r < 0) {
		journal_note(LOG_ERR, "cannot watch the channel: %s", strerror(-r));
		channel_close(agent);
	}
}

void channel_update(struct agent *agent)
{
	struct trustgate_volume *volumes;
	size_t count;

	/* Before it is started there is nothing that could be answered. */
	if (!agent->people || trustgate_volume_list(agent->gate, &volumes, &count, NULL) < 0)
		return;
	free(volumes);
	if (count && !channel_is_open(agent))
		open_channel(agent);
	else if (!count && channel_is_open(agent))
		channel_close(agent);
}
