/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the connection to systemd, shared by units.c, which watches, and
 * units_ask.c, which asks.
 */
#ifndef _TRUSTEED_UNITS_H
#define _TRUSTEED_UNITS_H

#include "agent.h"

#define SYSTEMD			"org.freedesktop.systemd1"
#define MANAGER_PATH		"/org/freedesktop/systemd1"
#define MANAGER			SYSTEMD ".Manager"
#define SERVICE			SYSTEMD ".Service"
#define PROPERTIES		"org.freedesktop.DBus.Properties"

struct unit;

/* A question of units_ask() on its way. */
struct question {
	struct question *next;
	struct units *units;
	sd_bus_slot *slot;
	pid_t pid;
	int pidfd;
	char *unit;
	char *path;
	units_answer_t answer;
	void *userdata;
};

struct units {
	struct agent *agent;
	sd_bus *bus;
	sd_bus_slot *disconnected;
	sd_bus_slot *subscribing;
	sd_event_source *timer;
	struct unit **list;
	size_t count;
	struct question *questions;
	bool complained;
};

/* Answer every open question with -ECANCELED. */
void units_drop_questions(struct units *units);

#endif
