// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - which unit a process belongs to, and as what, by systemd's word.
 *
 * Owns: the chain of calls: unit by pidfd, its MainPID, its ControlPID.
 *
 * Must not own: the connection (units.c), what follows (varlink_service.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "units.h"

static void answer(struct question *question, int r, const char *unit, enum unit_role role)
{
	struct question **at = &question->units->questions;

	while (*at && *at != question)
		at = &(*at)->next;
	if (*at)
		*at = question->next;
	question->answer(question->units->agent, r, unit, role, question->userdata);
	sd_bus_slot_unref(question->slot);
	close(question->pidfd);
	free(question->unit);
	free(question->path);
	free(question);
}

static int reply_error(sd_bus_message *reply)
{
	int r = sd_bus_error_get_errno(sd_bus_message_get_error(reply));

	return r > 0 ? -r : -EIO;
}

static int on_control_pid(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct question *question = userdata;
	uint32_t pid = 0;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "v", "u", &pid) < 0)
		pid = 0;
	answer(question, 0, question->unit,
	       (pid_t)pid == question->pid ? UNIT_CONTROL : UNIT_MEMBER);
	return 0;
}

static int ask_pid(struct question *question, const char *property,
		   sd_bus_message_handler_t handler)
{
	question->slot = sd_bus_slot_unref(question->slot);
	return sd_bus_call_method_async(question->units->bus, &question->slot, SYSTEMD,
					question->path, PROPERTIES, "Get", handler,
					question, "ss", SERVICE, property);
}

static int on_question_main_pid(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct question *question = userdata;
	uint32_t pid = 0;
	int r;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		answer(question, reply_error(reply), NULL, UNIT_MEMBER);
		return 0;
	}
	r = sd_bus_message_read(reply, "v", "u", &pid);
	if (r >= 0 && (pid_t)pid == question->pid) {
		answer(question, 0, question->unit, UNIT_MAIN);
		return 0;
	}
	if (r >= 0)
		r = ask_pid(question, "ControlPID", on_control_pid);
	if (r < 0)
		answer(question, r, NULL, UNIT_MEMBER);
	return 0;
}

static int on_unit(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct question *question = userdata;
	const char *path, *name;
	int r;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		answer(question, reply_error(reply), NULL, UNIT_MEMBER);
		return 0;
	}
	r = sd_bus_message_read(reply, "os", &path, &name);
	if (r >= 0) {
		question->unit = strdup(name);
		question->path = strdup(path);
		r = question->unit && question->path ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = ask_pid(question, "MainPID", on_question_main_pid);
	if (r < 0)
		answer(question, r, NULL, UNIT_MEMBER);
	return 0;
}

int units_ask(struct agent *agent, pid_t pid, int pidfd, units_answer_t callback,
	      void *userdata)
{
	struct units *units = agent->units;
	struct question *question;
	int r;

	if (!units->bus)
		return -ENOTCONN;
	question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;
	question->units = units;
	question->pid = pid;
	question->answer = callback;
	question->userdata = userdata;
	question->pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
	r = question->pidfd < 0 ? -errno : 0;
	if (r == 0)
		r = sd_bus_call_method_async(units->bus, &question->slot, SYSTEMD,
					     MANAGER_PATH, MANAGER, "GetUnitByPIDFD",
					     on_unit, question, "h", question->pidfd);
	if (r < 0) {
		if (question->pidfd >= 0)
			close(question->pidfd);
		free(question);
		return r;
	}
	question->next = units->questions;
	units->questions = question;
	return 0;
}

void units_drop_questions(struct units *units)
{
	while (units->questions)
		answer(units->questions, -ECANCELED, NULL, UNIT_MEMBER);
}
