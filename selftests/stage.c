// SPDX-License-Identifier: GPL-2.0-only
/*
 * stage - an agent and a volume for tests of the protocol; see stage.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "stage.h"

/* The agent, in the process that bound it. */
static struct raw_socket *bound;
static pid_t bound_by;

int stage_bare(struct stage *stage, bool idle)
{
	struct gate gate;
	int err;

	memset(stage, 0, sizeof(*stage));
	/* Loads the module, and clears away what other tests have left. */
	err = idle ? gate_open_idle(&gate) : gate_open(&gate);
	if (err) {
		memcpy(stage->why, gate.why, sizeof(stage->why));
		return err;
	}
	gate_close(&gate);

	stage->message = malloc(sizeof(*stage->message));
	stage->answer = malloc(sizeof(*stage->answer));
	if (!stage->message || !stage->answer)
		return -ENOMEM;
	err = raw_open(&stage->agent);
	if (err)
		return err;
	bound = &stage->agent;
	bound_by = getpid();
	return raw_bind(&stage->agent, (const char *)gate_secret);
}

void stage_unbind(void)
{
	struct raw_message *message;

	if (bound && bound_by == getpid() && bound->fd >= 0) {
		/* Others may have the socket open as well. */
		message = malloc(sizeof(*message));
		if (message) {
			raw_begin(message, bound, TRUSTGATE_CMD_AGENT_UNBIND);
			raw_do(bound, message);
		}
		free(message);
		raw_close(bound);
	}
	bound = NULL;
}

void stage_clean(void)
{
	stage_unbind();
	gate_clean();
}

int stage_volume(struct stage *stage, struct volume *volume, unsigned int slot,
		 uint32_t on_agent_loss, uint32_t record)
{
	int id;

	id = volume_make(volume, slot, "tmpfs");
	if (id)
		return id;
	id = raw_volume_add(&stage->agent, volume->name, volume->disk.path,
			    on_agent_loss, record);
	if (id < 0) {
		fprintf(stderr, "# stage: volume-add: %s\n", strerror(-id));
		return id;
	}
	volume->id = (uint32_t)id;
	return 0;
}

struct raw_wish stage_wish(const struct stage *stage, const char *path,
			   uint32_t access)
{
	return (struct raw_wish){
		.volume = stage->volume.id,
		.pid = getpid(),
		.kind = TRUSTGATE_OBJECT_KIND_FILE,
		.path = path,
		.access = access,
	};
}

static int expect(const char *when, int err, int expected)
{
	if (err == expected)
		return 0;
	fprintf(stderr, "# stage: an open %s a grant gives %d, not %d\n", when,
		err, expected);
	return -EBADMSG;
}

int stage_works(struct stage *stage)
{
	struct raw_wish wish = stage_wish(stage, "db/a", TRUSTGATE_ACCESS_READ);
	int err;

	err = expect("without", attempt_open("db/a", O_RDONLY), EACCES);
	if (err)
		return err;
	if (!raw_grant(&stage->agent, &wish))
		return -errno;
	err = expect("with", attempt_open("db/a", O_RDONLY), 0) ?:
	      raw_revoke(&stage->agent, 0);
	return err ?: expect("after", attempt_open("db/a", O_RDONLY), EACCES);
}
