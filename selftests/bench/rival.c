// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - what the gate is compared with; see rival.h.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare.skel.h"
#include "rival.h"

static struct bare *programs;
static pid_t listener;

void rival_bare_attach(void)
{
	programs = bare__open_and_load();
	if (!programs)
		err(1, "cannot load the bare programs");
	if (bare__attach(programs))
		err(1, "cannot attach the bare programs");
}

void rival_bare_detach(void)
{
	bare__destroy(programs);
	programs = NULL;
}

void rival_landlock_enter(const char *path)
{
	struct landlock_ruleset_attr ruleset = {
		.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE |
				     LANDLOCK_ACCESS_FS_WRITE_FILE,
	};
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = ruleset.handled_access_fs,
	};
	int fd;

	fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset,
			  sizeof(ruleset), 0);
	if (fd < 0)
		err(1, "landlock_create_ruleset");
	beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (beneath.parent_fd < 0)
		err(1, "open %s", path);
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
		    &beneath, 0))
		err(1, "landlock_add_rule");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err(1, "prctl");
	if (syscall(SYS_landlock_restrict_self, fd, 0))
		err(1, "landlock_restrict_self");
	close(beneath.parent_fd);
	close(fd);
}

static void allow_all(int fd)
{
	struct fanotify_event_metadata events[32], *event;
	struct fanotify_response response = { .response = FAN_ALLOW };
	ssize_t size;

	while ((size = read(fd, events, sizeof(events))) > 0) {
		for (event = events; FAN_EVENT_OK(event, size);
		     event = FAN_EVENT_NEXT(event, size)) {
			response.fd = event->fd;
			if (write(fd, &response, sizeof(response)) < 0)
				err(1, "answer fanotify");
			close(event->fd);
		}
	}
	err(1, "read from fanotify");
}

void rival_fanotify_start(const char *path)
{
	int fd;

	fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);
	if (fd < 0)
		err(1, "fanotify_init");
	listener = fork();
	if (listener < 0)
		err(1, "fork");
	if (!listener)
		allow_all(fd);
	if (fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			  FAN_OPEN_PERM, AT_FDCWD, path))
		err(1, "fanotify_mark");
	/* The group, and with it the mark, now ends with the listener. */
	close(fd);
}

void rival_fanotify_stop(void)
{
	kill(listener, SIGKILL);
	if (waitpid(listener, NULL, 0) != listener)
		err(1, "waitpid");
}
