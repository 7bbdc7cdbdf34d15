// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the volumes that the configuration wants protected.
 *
 * Owns: the list of what is wanted, taking over what the former run protected,
 * trying again as soon as something is mounted, and saying loudly what is not
 * protected.
 *
 * Must not own: the truth about what is protected, which is the kernel's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"
#include "process_entry.h"

/* Mounting tells us itself; this is for every other reason to fail. */
#define RETRY_INTERVAL_USEC	(10 * USEC_PER_SEC)

static struct trustgate_volume_settings wanted_settings(const struct config_volume *config)
{
	struct trustgate_volume_settings settings = {
		.fields = TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS |
			  TRUSTGATE_VOLUME_FIELD_RECORD |
			  TRUSTGATE_VOLUME_FIELD_AUDIT |
			  TRUSTGATE_VOLUME_FIELD_METADATA |
			  TRUSTGATE_VOLUME_FIELD_LEAST_ON_END |
			  TRUSTGATE_VOLUME_FIELD_ASK,
		.on_agent_loss = config->on_agent_loss,
		.record = config->record,
		.audit = config->audit_strict ? TRUSTGATE_AUDIT_STRICT :
						TRUSTGATE_AUDIT_NORMAL,
		.metadata = config->metadata,
		.least_on_end = config->least_on_end,
		.ask_ns = config->ask_ns,
	};

	if (config->max_duration_ns) {
		settings.fields |= TRUSTGATE_VOLUME_FIELD_MAX_DURATION;
		settings.max_duration_ns = config->max_duration_ns;
	}
	return settings;
}

/* Loud once for each new reason, not at every attempt. */
static void set_problem(struct wanted_volume *wanted, const struct refusal *refusal)
{
	wanted->id = wanted->told_id = 0;
	if (!strcmp(wanted->problem, refusal->message))
		return;
	snprintf(wanted->problem, sizeof(wanted->problem), "%.383s", refusal->message);
	report_unprotected(wanted);
}

static void warn_unrecorded(const char *name, uint32_t what)
{
	struct record record;

	if (what & TRUSTGATE_RECORD_ALLOWED)
		return;
	record_begin(&record, LOG_WARNING, MESSAGE_ID_VOLUME,
		     "volume \"%s\" does not record accesses that are allowed, as its setting \"record\" lacks \"allowed\"",
		     name);
	record_text(&record, "TRUSTGATE_VOLUME", name);
	record_send(&record);
}

static void set_protected(struct wanted_volume *wanted, uint32_t id, uint32_t what,
			  bool taken_over)
{
	struct record record;

	warn_unrecorded(wanted->name, what);
	wanted->id = id;
	wanted->problem[0] = '\0';
	if (wanted->told_id == id)
		return;
	wanted->told_id = id;
	record_begin(&record, LOG_INFO, MESSAGE_ID_VOLUME, "volume \"%s\" is protected%s",
		     wanted->name, taken_over ? ", as it was before" : "");
	record_text(&record, "TRUSTGATE_VOLUME", wanted->name);
	record_send(&record);
}

/* A name that stands for another filesystem now is not what was configured. */
static int check_same(const struct config_volume *config,
		      const struct trustgate_volume *volume, struct refusal *refusal)
{
	char device[32];
	struct refusal ignored;
	int fd;

	/* Not mounted here: what is protected stays so. */
	if (mounts_open_root(config->path, &fd, device, &ignored) < 0)
		return 0;
	close(fd);
	if (!strcmp(device, volume->device))
		return 0;
	return refuse(refusal, EEXIST, "path",
		      "the name stands for the filesystem on device %s, but %s is mounted at %s; remove the volume, or mount the right one",
		      volume->device, device, config->path);
}

/* ---- requests, and what became of those whose answer was lost ---- */

static int add(struct agent *agent, const char *name, int fd,
	       const struct trustgate_volume_settings *settings, uint32_t *ret_id)
{
	uint64_t since_ns = now_boottime_ns();
	struct trustgate_volume volume;
	int r;

	r = trustgate_volume_add(agent->gate, name, NULL, fd, settings, ret_id);
	if (r == 0)
		channel_update(agent);
	if (r == 0 || !trustgate_error_unsure(agent->gate))
		return r;
	/* Only the agent adds: a newer one of this name is the one asked for. */
	if (trustgate_volume_get(agent->gate, 0, name, &volume) == 0 &&
	    volume.added_boottime_ns >= since_ns) {
		*ret_id = volume.id;
		channel_update(agent);
		return 0;
	}
	r = trustgate_volume_add(agent->gate, name, NULL, fd, settings, ret_id);
	if (r == 0)
		channel_update(agent);
	return r;
}

/* Once more does no harm. */
static int set(struct agent *agent, uint32_t id,
	       const struct trustgate_volume_settings *settings)
{
	int r = trustgate_volume_set(agent->gate, id, settings);

	if (r < 0 && trustgate_error_unsure(agent->gate))
		r = trustgate_volume_set(agent->gate, id, settings);
	return r;
}

static int del(struct agent *agent, uint32_t id)
{
	int r = trustgate_volume_del(agent->gate, id);

	if (r < 0 && trustgate_error_unsure(agent->gate)) {
		r = trustgate_volume_del(agent->gate, id);
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0)
		channel_update(agent);
	return r;
}

static int take_over(struct agent *agent, const struct config_volume *config,
		     const struct trustgate_volume *volume, struct refusal *refusal)
{
	struct trustgate_volume_settings settings = wanted_settings(config);
	int r;

	r = check_same(config, volume, refusal);
	if (r < 0)
		return r;
	if (volume->on_agent_loss == settings.on_agent_loss &&
	    volume->record == settings.record &&
	    volume->audit == settings.audit &&
	    volume->metadata == settings.metadata &&
	    volume->least_on_end == settings.least_on_end &&
	    volume->ask_ns == settings.ask_ns &&
	    (!config->max_duration_ns || volume->max_duration_ns == config->max_duration_ns))
		return 0;
	r = set(agent, volume->id, &settings);
	return r < 0 ? gate_refused(agent, r, refusal) : 0;
}

static int protect(struct agent *agent, const char *name, const char *path,
		   const struct trustgate_volume_settings *settings,
		   uint32_t *ret_id, struct refusal *refusal)
{
	char device[32];
	int fd, r;

	r = mounts_open_root(path, &fd, device, refusal);
	if (r < 0)
		return r;
	r = mounts_check_vital(agent, device, path, refusal);
	if (r == 0) {
		r = add(agent, name, fd, settings, ret_id);
		if (r < 0)
			gate_refused(agent, r, refusal);
	}
	close(fd);
	return r;
}

static void protect_one(struct agent *agent, struct wanted_volume *wanted)
{
	const struct config_volume *config = config_find_volume(agent->config, wanted->name);
	struct trustgate_volume_settings settings = wanted_settings(config);
	struct refusal refusal = { 0 };
	struct trustgate_volume volume;
	uint32_t id = 0;
	int r;

	r = trustgate_volume_get(agent->gate, 0, wanted->name, &volume);
	if (r == 0) {
		r = take_over(agent, config, &volume, &refusal);
		if (r == 0)
			set_protected(wanted, volume.id, config->record, true);
	} else if (r == -ENOENT) {
		r = protect(agent, wanted->name, config->path, &settings, &id, &refusal);
		if (r == 0)
			set_protected(wanted, id, config->record, false);
	} else {
		gate_refused(agent, r, &refusal);
	}
	if (r < 0)
		set_problem(wanted, &refusal);
}

void volumes_protect_wanted(struct agent *agent)
{
	for (size_t i = 0; i < agent->wanted_count; i++)
		if (!agent->wanted[i].id && !agent->wanted[i].released)
			protect_one(agent, &agent->wanted[i]);
	lower_update(agent);
	store_status(agent);
	gate_poke(agent);
	/* A standing grant may have waited for its volume. */
	services_retry(agent);
}

bool volumes_is_unprotected(const struct wanted_volume *wanted)
{
	return !wanted->id && !wanted->released;
}

size_t volumes_unprotected(const struct agent *agent)
{
	size_t count = 0;

	for (size_t i = 0; i < agent->wanted_count; i++)
		if (volumes_is_unprotected(&agent->wanted[i]))
			count++;
	return count;
}

/* ---- when to try again ---- */

static int on_mounts(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct agent *agent = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	if (volumes_unprotected(agent))
		volumes_protect_wanted(agent);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *agent = userdata;
	int r;

	(void)usec;
	if (volumes_unprotected(agent))
		volumes_protect_wanted(agent);
	r = sd_event_source_set_time_relative(source, RETRY_INTERVAL_USEC);
	return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static struct wanted_volume *find_wanted(struct agent *agent, const char *name)
{
	for (size_t i = 0; i < agent->wanted_count; i++)
		if (!strcmp(agent->wanted[i].name, name))
			return &agent->wanted[i];
	return NULL;
}

static int make_list(struct agent *agent)
{
	const struct config *config = agent->config;
	struct wanted_volume *wanted = NULL;

	if (config->volumes_count) {
		wanted = calloc(config->volumes_count, sizeof(*wanted));
		if (!wanted)
			return -ENOMEM;
	}
	for (size_t i = 0; i < config->volumes_count; i++) {
		const struct wanted_volume *old = find_wanted(agent, config->volumes[i].name);

		snprintf(wanted[i].name, sizeof(wanted[i].name), "%s",
			 config->volumes[i].name);
		wanted[i].told_id = old ? old->told_id : 0;
	}
	free(agent->wanted);
	agent->wanted = wanted;
	agent->wanted_count = config->volumes_count;
	return 0;
}

static void note_unconfigured(struct agent *agent)
{
	struct trustgate_volume *volumes = NULL;
	size_t count = 0;

	if (trustgate_volume_list(agent->gate, &volumes, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (!config_find_volume(agent->config, volumes[i].name))
			journal_note(LOG_NOTICE,
				     "volume \"%s\" is protected, although it is not configured; it stays so until a trustee releases it",
				     volumes[i].name);
	free(volumes);
}

void volumes_reconfigure(struct agent *agent)
{
	if (make_list(agent) < 0)
		journal_note(LOG_CRIT, "no memory for the list of volumes; keeping the old one");
	volumes_protect_wanted(agent);
	note_unconfigured(agent);
}

int volumes_start(struct agent *agent)
{
	int entry, r;

	/* Opened before the first look, so that no mount falls in between. */
	entry = process_entry_open(getpid());
	if (entry < 0)
		return entry;
	agent->mounts_fd = process_entry_file(entry, "mountinfo", O_RDONLY);
	close(entry);
	if (agent->mounts_fd < 0)
		return agent->mounts_fd;
	r = sd_event_add_io(agent->event, &agent->mounts_io, agent->mounts_fd,
			    EPOLLPRI, on_mounts, agent);
	if (r >= 0)
		r = sd_event_add_time_relative(agent->event, &agent->volumes_retry,
					       CLOCK_BOOTTIME, RETRY_INTERVAL_USEC, 0,
					       on_retry, agent);
	if (r >= 0)
		r = make_list(agent);
	if (r < 0)
		return r;
	volumes_protect_wanted(agent);
	note_unconfigured(agent);
	return 0;
}

void volumes_stop(struct agent *agent)
{
	agent->mounts_io = sd_event_source_disable_unref(agent->mounts_io);
	agent->volumes_retry = sd_event_source_disable_unref(agent->volumes_retry);
	if (agent->mounts_fd >= 0)
		close(agent->mounts_fd);
	agent->mounts_fd = -1;
	free(agent->wanted);
	agent->wanted = NULL;
	agent->wanted_count = 0;
}

/* ---- on request ---- */

int volumes_get(struct agent *agent, const char *name,
		struct trustgate_volume *ret_volume, struct refusal *refusal)
{
	int r;

	if (config_volume_name_check(name))
		return refuse_no_volume(refusal, name);
	r = trustgate_volume_get(agent->gate, 0, name, ret_volume);
	if (r == -ENOENT)
		return refuse_no_volume(refusal, name);
	return r < 0 ? gate_refused(agent, r, refusal) : 0;
}

int volumes_add(struct agent *agent, const char *name, const char *path,
		const struct trustgate_volume_settings *settings,
		struct refusal *refusal)
{
	struct trustgate_volume_settings complete = *settings;
	struct wanted_volume *wanted;
	const char *wrong;
	uint32_t id = 0;
	int r;

	if (!(complete.fields & TRUSTGATE_VOLUME_FIELD_RECORD)) {
		complete.fields |= TRUSTGATE_VOLUME_FIELD_RECORD;
		complete.record = VOLUME_RECORD_DEFAULT;
	}
	wrong = config_volume_name_check(name);
	if (wrong)
		return refuse(refusal, EINVAL, "name", "\"%.80s\" %s", name, wrong);
	if (path[0] != '/')
		return refuse(refusal, EINVAL, "path", "\"%.256s\" is not an absolute path",
			      path);
	r = protect(agent, name, path, &complete, &id, refusal);
	if (r < 0)
		return r;
	wanted = find_wanted(agent, name);
	if (wanted) {
		wanted->released = false;
		set_protected(wanted, id, complete.record, false);
	} else {
		warn_unrecorded(name, complete.record);
	}
	lower_update(agent);
	store_status(agent);
	return 0;
}

int volumes_set(struct agent *agent, const char *name,
		const struct trustgate_volume_settings *settings,
		struct refusal *refusal)
{
	struct trustgate_volume volume;
	int r;

	if (!settings->fields)
		return refuse(refusal, EINVAL, NULL, "nothing to set");
	r = volumes_get(agent, name, &volume, refusal);
	if (r < 0)
		return r;
	r = set(agent, volume.id, settings);
	if (r < 0)
		return gate_refused(agent, r, refusal);
	if (settings->fields & TRUSTGATE_VOLUME_FIELD_RECORD)
		warn_unrecorded(name, settings->record);
	return 0;
}

int volumes_remove(struct agent *agent, const char *name, uint64_t *ret_ended,
		   struct refusal *refusal)
{
	struct wanted_volume *wanted = find_wanted(agent, name);
	struct trustgate_volume volume;
	int r;

	r = volumes_get(agent, name, &volume, refusal);
	if (r < 0)
		return r;
	/* Revoking first gives the exact number, and only the agent grants. */
	r = grants_revoke_where(agent, volume.id, 0, ret_ended, refusal);
	if (r < 0)
		return r;
	r = del(agent, volume.id);
	if (r < 0)
		return gate_refused(agent, r, refusal);
	if (wanted) {
		wanted->id = wanted->told_id = 0;
		wanted->released = true;
		wanted->problem[0] = '\0';
		journal_note(LOG_NOTICE,
			     "volume \"%s\" was released; it is protected again after a reload or restart",
			     name);
	}
	store_status(agent);
	return 0;
}

static int open_at(const char *path, const struct trustgate_volume *volume, int *ret_fd)
{
	struct refusal ignored;
	char device[32];
	int fd, r;

	r = mounts_open_root(path, &fd, device, &ignored);
	if (r < 0)
		return r;
	if (strcmp(device, volume->device)) {
		close(fd);
		return -ENXIO;
	}
	*ret_fd = fd;
	return 0;
}

char *volumes_path(struct agent *agent, const struct trustgate_volume *volume)
{
	const struct config_volume *config = config_find_volume(agent->config, volume->name);
	char *path = NULL;
	int fd;

	if (config && open_at(config->path, volume, &fd) == 0) {
		close(fd);
		return strdup(config->path);
	}
	return mounts_find(volume->device, &path) == 0 ? path : NULL;
}

int volumes_open_root(struct agent *agent, const struct trustgate_volume *volume,
		      int *ret_fd, struct refusal *refusal)
{
	char *path = volumes_path(agent, volume);
	int r;

	r = path ? open_at(path, volume, ret_fd) : -ENXIO;
	free(path);
	if (r < 0)
		return refuse(refusal, -r, "volume",
			      "volume \"%s\" is not mounted where the agent can see it",
			      volume->name);
	return 0;
}
