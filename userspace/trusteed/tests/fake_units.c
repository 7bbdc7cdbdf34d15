// SPDX-License-Identifier: GPL-2.0-only
/*
 * The word of a systemd that there is not.
 *
 * Owns: whose process somebody is: the main process of the unit that
 * TRUSTGATE_FAKE_UNIT names, whoever asks. Without it systemd cannot be asked.
 *
 * Must not own: what the agent makes of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent.h"
#include "units.h"

struct unit_question {
	struct agent *agent;
	sd_event_source *source;
	units_answer_t answer;
	void *userdata;
};

static int on_asked(sd_event_source *source, void *userdata)
{
	struct unit_question *asked = userdata;

	asked->answer(asked->agent, 0, getenv("TRUSTGATE_FAKE_UNIT"), UNIT_MAIN,
		      asked->userdata);
	sd_event_source_disable_unref(source);
	free(asked);
	return 0;
}

int units_ask(struct agent *agent, pid_t pid, int pidfd, units_answer_t answer,
	      void *userdata)
{
	struct unit_question *asked;

	(void)pid;
	(void)pidfd;
	if (!getenv("TRUSTGATE_FAKE_UNIT"))
		return -ENOTCONN;
	asked = calloc(1, sizeof(*asked));
	if (!asked)
		abort();
	*asked = (struct unit_question){ .agent = agent, .answer = answer, .userdata = userdata };
	if (sd_event_add_defer(agent->event, &asked->source, on_asked, asked) < 0)
		abort();
	return 0;
}

void units_drop_questions(struct units *units)
{
	(void)units;
}
