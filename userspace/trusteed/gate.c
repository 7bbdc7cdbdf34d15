// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the connection to the kernel's gate.
 *
 * Owns: being the agent (taking over, binding, noticing the loss), and the flow
 * of events out of the kernel to the parts that want them.
 *
 * Must not own: what an event means.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "renewed.h"
#include "requests.h"

/* Then Varlink, signals and the watchdog get their turn. */
#define EVENTS_PER_TURN		64
#define CHECK_INTERVAL_USEC	(10 * USEC_PER_SEC)

int gate_refused(struct agent *agent, int r, struct refusal *refusal)
{
	const char *message = trustgate_error_message(agent->gate);
	const char *attribute = trustgate_error_attribute(agent->gate);

	/* The library's sentence already has the kernel's words in it. */
	return refuse(refusal, -r, attribute, "%s",
		      message ? message : trustgate_error_text(agent->gate));
}

static void dispatch(struct agent *agent, const struct trustgate_event *event)
{
	if (agent->event_seq && event->seq > agent->event_seq + 1) {
		journal_note(LOG_WARNING,
			     "%llu events before number %llu did not reach the agent",
			     (unsigned long long)(event->seq - agent->event_seq - 1),
			     (unsigned long long)event->seq);
		asked_resync(agent);
		supervision_resync(agent);
		services_revoked(agent);
		renewed_revoked(agent);
	}
	if (event->seq > agent->event_seq)
		agent->event_seq = event->seq;

	metrics_event(agent, event);
	report_event(agent, event);
	accounting_event(agent, event);
	/* Looks who has read what there was before this one is sent. */
	supervision_event(agent, event);
	watch_event(agent, event);
	services_event(agent, event);
	renewed_event(agent, event);
	asked_event(agent, event);
	requests_event(agent, event);
	if (event->type == TRUSTGATE_EVENT_TYPE_GRANT_ENDED)
		ledger_drop(agent, event->grant_id);
}

static int take_events(struct agent *agent)
{
	struct trustgate_event event;
	int r;

	for (int i = 0; i < EVENTS_PER_TURN; i++) {
		r = trustgate_event_next(agent->gate, &event);
		if (r == 0)
			break;
		if (r == -ENOBUFS)
			continue;	/* the gap in the numbers tells how many */
		if (r < 0) {
			journal_note(LOG_CRIT, "cannot receive from the gate: %s",
				     trustgate_error_text(agent->gate));
			return sd_event_exit(agent->event, EXIT_FAILURE);
		}
		dispatch(agent, &event);
	}
	asked_carry_out(agent);
	gate_poke(agent);
	return 0;
}

static int on_socket(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	return take_events(userdata);
}

static int on_leftovers(sd_event_source *source, void *userdata)
{
	(void)source;
	return take_events(userdata);
}

void gate_poke(struct agent *agent)
{
	if (agent->gate_leftovers && trustgate_events_pending(agent->gate))
		(void)sd_event_source_set_enabled(agent->gate_leftovers, SD_EVENT_ONESHOT);
}

static int bind_agent(struct agent *agent)
{
	uint64_t seq = 0;
	int r;

	r = trustgate_agent_bind(agent->gate, agent->secret, &seq);
	if (r == -EALREADY ||
	    (r < 0 && trustgate_error_unsure(agent->gate) &&
	     trustgate_agent_is_self(agent->gate) == 1))
		return 0;
	if (r == 0) {
		agent->event_seq = seq;
		return 0;
	}
	if (r == -EBUSY || r == -EADDRINUSE)
		journal_note(LOG_CRIT,
			     "another process is the agent already: %s; stop it first",
			     trustgate_error_text(agent->gate));
	else
		journal_note(LOG_CRIT, "cannot become the agent: %s",
			     trustgate_error_text(agent->gate));
	return r;
}

static int adopt(struct agent *agent, int fd)
{
	int r = trustgate_adopt(agent->gate, fd);

	if (r == 0)
		return 0;
	journal_note(LOG_WARNING,
		     "the socket kept over the restart cannot be used, opening a new one: %s",
		     trustgate_error_text(agent->gate));
	close(fd);
	store_forget(STORE_NETLINK);
	return r;
}

static int connect_gate(struct agent *agent, int stored_fd)
{
	int r;

	r = trustgate_new(&agent->gate);
	if (r < 0)
		return r;
	if (stored_fd >= 0 && adopt(agent, stored_fd) == 0)
		return 0;

	r = trustgate_connect(agent->gate);
	if (r == -EPROTONOSUPPORT) {
		journal_note(LOG_CRIT,
			     "the kernel has no gate: load the module with \"modprobe trustgate\"");
		return r;
	}
	if (r < 0) {
		journal_note(LOG_CRIT, "cannot reach the gate: %s",
			     trustgate_error_text(agent->gate));
		return r;
	}
	/* Before binding: a death in between must not look like the agent's. */
	store_keep(STORE_NETLINK, trustgate_fd(agent->gate));
	return 0;
}

static int add_sources(struct agent *agent)
{
	int r;

	r = sd_event_add_io(agent->event, &agent->gate_io, trustgate_fd(agent->gate),
			    EPOLLIN, on_socket, agent);
	if (r >= 0)
		r = sd_event_add_defer(agent->event, &agent->gate_leftovers,
				       on_leftovers, agent);
	return r < 0 ? r : 0;
}

/*
 * The module can be unloaded and loaded again behind our back while no volume
 * is protected. The library then has a new socket, and nobody is the agent.
 */
static int bind_again(struct agent *agent)
{
	int r;

	journal_note(LOG_CRIT, "the gate has lost this agent; binding again");
	store_forget(STORE_NETLINK);
	store_keep(STORE_NETLINK, trustgate_fd(agent->gate));
	agent->gate_io = sd_event_source_disable_unref(agent->gate_io);
	r = sd_event_add_io(agent->event, &agent->gate_io, trustgate_fd(agent->gate),
			    EPOLLIN, on_socket, agent);
	if (r < 0)
		return r;
	channel_close(agent);
	r = bind_agent(agent);
	if (r == 0) {
		channel_update(agent);
		volumes_reconfigure(agent);
		supervision_resync(agent);
	}
	return r;
}

static int on_check(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *agent = userdata;
	int r;

	(void)usec;
	r = trustgate_agent_is_self(agent->gate);
	if (r == 0 || r == -ESTALE) {
		r = bind_again(agent);
	} else if (r < 0) {
		journal_note(LOG_CRIT, "the gate does not answer: %s",
			     trustgate_error_text(agent->gate));
	}
	if (r < 0)
		return sd_event_exit(agent->event, EXIT_FAILURE);
	pending_retry(agent);
	requests_check(agent);
	gate_poke(agent);
	r = sd_event_source_set_time_relative(source, CHECK_INTERVAL_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int start_check(struct agent *agent)
{
	int r = sd_event_add_time_relative(agent->event, &agent->gate_check,
					   CLOCK_BOOTTIME, CHECK_INTERVAL_USEC, 0,
					   on_check, agent);

	return r < 0 ? r : 0;
}

/*
 * The socket is the agent. But it is a process that may look into volumes which
 * hide their metadata, and from here on that is this one.
 */
static void take_over_process(struct agent *agent)
{
	if (trustgate_agent_bind(agent->gate, agent->secret, NULL) < 0)
		journal_note(LOG_WARNING,
			     "cannot give grants on volumes that hide their metadata: %s",
			     trustgate_error_text(agent->gate));
}

int gate_start(struct agent *agent, int stored_fd)
{
	struct record record;
	int self, r;

	r = connect_gate(agent, stored_fd);
	if (r < 0)
		return r;
	self = trustgate_agent_is_self(agent->gate);
	if (self < 0) {
		journal_note(LOG_CRIT, "the gate does not answer: %s",
			     trustgate_error_text(agent->gate));
		return self;
	}
	if (self) {
		take_over_process(agent);
	} else {
		r = bind_agent(agent);
		if (r < 0)
			return r;
	}
	record_begin(&record, LOG_INFO, MESSAGE_ID_AGENT,
		     self ? "still the agent, with the socket of the former run" :
			    "bound as the agent");
	record_number(&record, "TRUSTGATE_PORT", trustgate_port_id(agent->gate));
	record_send(&record);
	r = add_sources(agent);
	return r < 0 ? r : start_check(agent);
}

void gate_stop(struct agent *agent)
{
	agent->gate_io = sd_event_source_disable_unref(agent->gate_io);
	agent->gate_leftovers = sd_event_source_disable_unref(agent->gate_leftovers);
	agent->gate_check = sd_event_source_disable_unref(agent->gate_check);
	channel_close(agent);
	trustgate_free(agent->gate);
	agent->gate = NULL;
	explicit_bzero(agent->secret, sizeof(agent->secret));
}
