// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - what systemd says about units.
 *
 * Owns: the bus connection, the watch over the configured units' main
 * processes.
 *
 * Must not own: what follows from the answers (services.c).
 *
 * A process is believed to be a unit's only by the word of systemd, asked by
 * pidfd, and to be its main process only if systemd names its number as
 * MainPID. Membership in the unit's control group proves nothing: root can put
 * any process there. Who controls the unit's files or its binary controls what
 * its main process is, and no agent can see that: trusteed(8) says so.
 *
 * All calls are asynchronous: systemd itself may be waiting for something on a
 * protected volume. While the bus is away, services that run keep their grants
 * (services.c holds their pidfds); new ones wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "units.h"

#define UNIT_PATH		"/org/freedesktop/systemd1/unit"

#define RECONNECT_USEC		(2 * USEC_PER_SEC)
/* Signals are quicker; this is for one that got lost. */
#define LOOK_AGAIN_USEC		(30 * USEC_PER_SEC)

/**
 * struct unit - a watched unit
 * @name: as configured
 * @path: its object on the bus
 * @changed: slot of the signal
 * @getting: slot of the question for its main process
 * @verifying: slot of the question whether that is really its process
 * @pid: being verified
 * @pidfd: of @pid, or -1
 */
struct unit {
	struct units *units;
	char *name;
	char *path;
	sd_bus_slot *changed;
	sd_bus_slot *getting;
	sd_bus_slot *verifying;
	pid_t pid;
	int pidfd;
};

static int set_timer(struct units *units, uint64_t usec)
{
	int r = sd_event_source_set_time_relative(units->timer, usec);

	return r < 0 ? r : sd_event_source_set_enabled(units->timer, SD_EVENT_ONESHOT);
}

/* ---- the main process of a unit ---- */

static void forget_candidate(struct unit *unit)
{
	unit->verifying = sd_bus_slot_unref(unit->verifying);
	if (unit->pidfd >= 0)
		close(unit->pidfd);
	unit->pidfd = -1;
	unit->pid = 0;
}

static int on_verified(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct unit *unit = userdata;
	const char *path, *name;
	int r;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		/* It has gone already; the next signal tells the new one. */
		forget_candidate(unit);
		return 0;
	}
	r = sd_bus_message_read(reply, "os", &path, &name);
	if (r >= 0 && !strcmp(name, unit->name))
		services_main_process(unit->units->agent, unit->name, unit->pid,
				      unit->pidfd);
	else if (r >= 0)
		journal_note(LOG_ERR,
			     "systemd names pid %d as main process of %s, but says it belongs to %s; no standing grants (configure the primary name, not an alias)",
			     (int)unit->pid, unit->name, name);
	forget_candidate(unit);
	return 0;
}

static void consider(struct unit *unit, uint32_t pid)
{
	int r;

	if (unit->pid == (pid_t)pid && pid)
		return;
	forget_candidate(unit);
	if (!pid) {
		services_main_process(unit->units->agent, unit->name, 0, -1);
		return;
	}
	unit->pidfd = syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (unit->pidfd < 0)
		return;		/* exited already */
	unit->pid = pid;
	r = sd_bus_call_method_async(unit->units->bus, &unit->verifying, SYSTEMD,
				     MANAGER_PATH, MANAGER, "GetUnitByPIDFD",
				     on_verified, unit, "h", unit->pidfd);
	if (r < 0) {
		journal_note(LOG_ERR, "cannot ask systemd about pid %u: %s", pid,
			     strerror(-r));
		forget_candidate(unit);
	}
}

static int on_main_pid(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct unit *unit = userdata;
	uint32_t pid;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		journal_note(LOG_WARNING, "systemd does not tell the main process of %s: %s",
			     unit->name, sd_bus_message_get_error(reply)->message);
	} else if (sd_bus_message_read(reply, "v", "u", &pid) >= 0) {
		consider(unit, pid);
	}
	unit->getting = sd_bus_slot_unref(unit->getting);
	return 0;
}

static void get_main_pid(struct unit *unit)
{
	int r;

	if (unit->getting)
		unit->getting = sd_bus_slot_unref(unit->getting);
	r = sd_bus_call_method_async(unit->units->bus, &unit->getting, SYSTEMD,
				     unit->path, PROPERTIES, "Get", on_main_pid, unit,
				     "ss", SERVICE, "MainPID");
	if (r < 0)
		journal_note(LOG_ERR, "cannot ask systemd about %s: %s", unit->name,
			     strerror(-r));
}

/* "sa{sv}as": take MainPID out of it, at start every millisecond counts. */
static int on_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
	struct unit *unit = userdata;
	const char *interface, *name;
	uint32_t pid;
	int r;

	(void)error;
	r = sd_bus_message_read(signal, "s", &interface);
	if (r < 0 || strcmp(interface, SERVICE))
		return 0;
	r = sd_bus_message_enter_container(signal, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(signal, 'e', "sv")) > 0) {
		r = sd_bus_message_read(signal, "s", &name);
		if (r >= 0 && !strcmp(name, "MainPID")) {
			if (sd_bus_message_read(signal, "v", "u", &pid) >= 0)
				consider(unit, pid);
			return 0;
		}
		if (r >= 0)
			r = sd_bus_message_skip(signal, "v");
		if (r >= 0)
			r = sd_bus_message_exit_container(signal);
	}
	/* Not among the values, so perhaps among the names without one. */
	get_main_pid(unit);
	return 0;
}

static void watch_unit(struct unit *unit)
{
	int r;

	unit->changed = sd_bus_slot_unref(unit->changed);
	r = sd_bus_match_signal_async(unit->units->bus, &unit->changed, SYSTEMD,
				      unit->path, PROPERTIES, "PropertiesChanged",
				      on_changed, NULL, unit);
	if (r < 0)
		journal_note(LOG_ERR, "cannot watch %s: %s", unit->name, strerror(-r));
	get_main_pid(unit);
}

static void release_unit_slots(struct unit *unit)
{
	unit->changed = sd_bus_slot_unref(unit->changed);
	unit->getting = sd_bus_slot_unref(unit->getting);
	forget_candidate(unit);
}

static void free_unit(struct unit *unit)
{
	release_unit_slots(unit);
	free(unit->name);
	free(unit->path);
	free(unit);
}

/* ---- the connection ---- */

static void disconnect(struct units *units)
{
	for (size_t i = 0; i < units->count; i++)
		release_unit_slots(units->list[i]);
	units->disconnected = sd_bus_slot_unref(units->disconnected);
	units->subscribing = sd_bus_slot_unref(units->subscribing);
	units->bus = sd_bus_close_unref(units->bus);
}

static void complain(struct units *units, const char *what, int error)
{
	/* Once for each time it is away, not for each attempt. */
	if (!units->complained)
		journal_note(LOG_ERR,
			     "%s: %s; standing grants of running services continue, new ones wait",
			     what, strerror(error));
	units->complained = true;
}

static int on_disconnected(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;

	(void)signal;
	(void)error;
	complain(units, "the system bus is gone", ECONNRESET);
	/* The connection is in use by the caller: the timer takes it down. */
	(void)set_timer(units, RECONNECT_USEC);
	return 0;
}

static int on_subscribed(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct units *units = userdata;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		complain(units, "systemd does not send signals", EPROTO);
		return 0;
	}
	if (units->complained)
		journal_note(LOG_NOTICE, "systemd can be reached again");
	units->complained = false;
	return 0;
}

static int connect_bus(struct units *units)
{
	int r;

	r = sd_bus_open_system_with_description(&units->bus, "trusteed");
	if (r < 0)
		return r;
	r = sd_bus_attach_event(units->bus, units->agent->event, SD_EVENT_PRIORITY_NORMAL);
	if (r >= 0)
		r = sd_bus_match_signal(units->bus, &units->disconnected, NULL,
					"/org/freedesktop/DBus/Local",
					"org.freedesktop.DBus.Local", "Disconnected",
					on_disconnected, units);
	if (r >= 0)
		r = sd_bus_call_method_async(units->bus, &units->subscribing, SYSTEMD,
					     MANAGER_PATH, MANAGER, "Subscribe",
					     on_subscribed, units, NULL);
	if (r < 0) {
		disconnect(units);
		return r;
	}
	for (size_t i = 0; i < units->count; i++)
		watch_unit(units->list[i]);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct units *units = userdata;
	int r;

	(void)source;
	(void)usec;
	if (units->bus && sd_bus_is_open(units->bus) > 0) {
		for (size_t i = 0; i < units->count; i++)
			get_main_pid(units->list[i]);
		return set_timer(units, LOOK_AGAIN_USEC);
	}
	disconnect(units);
	/* Nobody to watch: no need for a bus. */
	if (!units->count)
		return 0;
	r = connect_bus(units);
	if (r < 0)
		complain(units, "cannot connect to the system bus", -r);
	return set_timer(units, RECONNECT_USEC);
}

/* ---- start, reload, stop ---- */

static bool is_watched(const struct units *units, const char *name)
{
	for (size_t i = 0; i < units->count; i++)
		if (!strcmp(units->list[i]->name, name))
			return true;
	return false;
}

static int add_unit(struct units *units, const char *name)
{
	struct unit *unit = calloc(1, sizeof(*unit));

	if (!unit)
		return -ENOMEM;
	unit->units = units;
	unit->pidfd = -1;
	unit->name = strdup(name);
	if (!unit->name || sd_bus_path_encode(UNIT_PATH, name, &unit->path) < 0) {
		free_unit(unit);
		return -ENOMEM;
	}
	units->list[units->count++] = unit;
	return 0;
}

void units_reconfigure(struct agent *agent)
{
	const struct config *config = agent->config;
	struct units *units = agent->units;
	struct unit **list;
	int r = 0;

	list = calloc(config->services_count + 1, sizeof(struct unit *));
	if (!list) {
		journal_note(LOG_CRIT, "no memory for the list of units; keeping the old one");
		return;
	}
	for (size_t i = 0; i < units->count; i++)
		free_unit(units->list[i]);
	free(units->list);
	units->list = list;
	units->count = 0;
	for (size_t i = 0; i < config->services_count && r == 0; i++)
		if (!is_watched(units, config->services[i].unit))
			r = add_unit(units, config->services[i].unit);
	if (r < 0)
		journal_note(LOG_CRIT, "no memory to watch all units of the configuration");

	if (units->bus && sd_bus_is_open(units->bus) > 0) {
		for (size_t i = 0; i < units->count; i++)
			watch_unit(units->list[i]);
	} else {
		(void)set_timer(units, 0);
	}
}

int units_start(struct agent *agent)
{
	struct units *units = calloc(1, sizeof(*units));
	int r;

	if (!units)
		return -ENOMEM;
	agent->units = units;
	units->agent = agent;
	r = sd_event_add_time_relative(agent->event, &units->timer, CLOCK_MONOTONIC, 0,
				       100000, on_timer, units);
	if (r < 0)
		return r;
	units_reconfigure(agent);
	return 0;
}

void units_stop(struct agent *agent)
{
	struct units *units = agent->units;

	if (!units)
		return;
	units_drop_questions(units);
	disconnect(units);
	for (size_t i = 0; i < units->count; i++)
		free_unit(units->list[i]);
	free(units->list);
	sd_event_source_disable_unref(units->timer);
	free(units);
	agent->units = NULL;
}
