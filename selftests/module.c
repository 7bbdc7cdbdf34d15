// SPDX-License-Identifier: GPL-2.0-only
/*
 * module - loading and unloading the modules; see module.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate.h"
#include "module.h"

/* Number of the newest record at the mark. */
static unsigned long long marked;

int module_run(const char *format, ...)
{
	char command[1024], silent[1100];
	va_list list;
	int status;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	snprintf(silent, sizeof(silent), "{ %s\n} >/dev/null 2>&1", command);
	status = system(silent);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool module_loaded(const char *name)
{
	char path[128];

	/* Built in, or loading: neither has this. */
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return !access(path, F_OK);
}

int module_unload(void)
{
	struct gate gate;
	int err;

	if (module_loaded("trustgate")) {
		err = gate_open_idle(&gate);
		if (err) {
			fprintf(stderr, "# module: the gate does not get idle: %s\n",
				err == -ECANCELED ? gate.why : strerror(-err));
			return err;
		}
		gate_close(&gate);
	}
	if ((module_loaded("trustgate") && module_run("rmmod trustgate")) ||
	    (module_loaded("trustgate_core") &&
	     module_run("rmmod trustgate_core"))) {
		fprintf(stderr, "# module: rmmod failed\n");
		return -EBUSY;
	}
	return 0;
}

int module_load(const char *parameters)
{
	if (module_run("modprobe trustgate_core %s", parameters) ||
	    module_run("modprobe trustgate")) {
		fprintf(stderr, "# module: modprobe failed (%s)\n", parameters);
		return -EINVAL;
	}
	return 0;
}

int module_reload(const char *parameters)
{
	int err = module_unload();

	return err ? err : module_load(parameters);
}

/* Is @text in a record after number @after? Tells the newest number. */
static bool scan(const char *text, unsigned long long after,
		 unsigned long long *newest)
{
	unsigned long long seq;
	char record[8192];
	bool found = false;
	ssize_t got;
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	for (;;) {
		got = read(fd, record, sizeof(record) - 1);
		/* Overwritten meanwhile: go on with the oldest that is left. */
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		record[got] = '\0';
		if (sscanf(record, "%*u,%llu,", &seq) != 1)
			continue;
		*newest = seq;
		if (seq > after && text && strstr(record, text))
			found = true;
	}
	close(fd);
	return found;
}

void module_log_mark(void)
{
	scan(NULL, 0, &marked);
}

bool module_logged(const char *text)
{
	unsigned long long newest;

	return scan(text, marked, &newest);
}
