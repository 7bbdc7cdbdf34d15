/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the running agent: its parts and what they offer each other.
 *
 * One thread, one event loop. The way of things:
 *
 *	open waits     channel.c -> asked.c -> policy (../policy) -> gate, or
 *	               requests.c (people), docket.c (on disk)
 *	kernel event   gate.c -> report.c (journal), accounting.c, watch.c (watchers),
 *	               services.c, renewed.c, supervision.c and ledger.c (what they
 *	               know about grants), metrics.c
 *	supervisor     varlink.c -> watch.c, supervision.c -> gate
 *	request        varlink.c -> varlink_*.c -> authorise.c -> subject.c,
 *	               object.c -> grants.c or volumes.c -> gate (libtrustgate);
 *	               its answer lost: pending.c
 *	service start  units.c (systemd) -> services.c -> grants.c
 *	mount          volumes.c -> gate
 *
 * Nothing here may wait for anybody but the kernel: not for journald, not for
 * a client, not for systemd, not for a file on a tenant's volume.
 */
#ifndef _TRUSTEED_AGENT_H
#define _TRUSTEED_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-device.h>
#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include <trustgate.h>

#include "accounting.h"
#include "asked.h"
#include "config.h"
#include "docket.h"
#include "metrics.h"
#include "object.h"
#include "refusal.h"
#include "stopped.h"
#include "subject.h"
#include "supervision.h"
#include "tags.h"

#define NSEC_PER_USEC	UINT64_C(1000)
#define NSEC_PER_SEC	UINT64_C(1000000000)
#define USEC_PER_SEC	UINT64_C(1000000)

struct options {
	const char *config_path;
	const char *socket_path;
	const char *state_directory;	/* the secret; survives a reboot */
	const char *runtime_directory;	/* the ledger; as short-lived as grants */
	const char *journal_path;
	bool check;
};

/**
 * struct wanted_volume - a volume that the configuration wants protected
 * @name: as configured
 * @id: in the kernel; 0 while it is not protected
 * @told_id: the protection that was recorded last
 * @released: a trustee released it on purpose; not protected again until a
 *	reload or restart
 * @problem: why it is not protected; "" if it is, or not tried yet
 */
struct wanted_volume {
	char name[TRUSTGATE_NAME_MAX + 1];
	uint32_t id;
	uint32_t told_id;
	bool released;
	char problem[384];
};

struct agent {
	struct options options;
	sd_event *event;
	struct config *config;

	/* gate.c */
	struct trustgate_conn *gate;
	uint8_t secret[TRUSTGATE_SECRET_LEN];
	sd_event_source *gate_io;
	sd_event_source *gate_leftovers;
	sd_event_source *gate_check;
	uint64_t event_seq;

	/* channel.c */
	sd_event_source *channel_io;

	/* volumes.c */
	struct wanted_volume *wanted;
	size_t wanted_count;
	sd_event_source *mounts_io;
	sd_event_source *volumes_retry;
	/* lower.c */
	sd_device_monitor *devices;
	int mounts_fd;

	/* report.c */
	struct report *report;
	/* ledger.c */
	struct ledger *ledger;
	/* pending.c */
	struct pending *pending;
	/* watch.c */
	struct watch *watch;
	/* units.c */
	struct units *units;
	/* services.c */
	struct services *services;
	/* accounting.c */
	struct accounting *accounting;
	/* metrics.c */
	struct metrics *metrics;
	/* asked.c */
	struct policy *policy;
	void *asked;	/* a tree, see tsearch(3) */
	size_t asked_count;
	struct people *people;
	uint64_t untaken;	/* up to this number some may be on record, and not taken */
	struct allowing *allowing;
	struct allowing **allowing_end;
	unsigned int allowing_count;
	/* renewed.c */
	struct renewed *renewed;
	/* stopped.c */
	struct stopped *stopped;
	/* supervision.c */
	struct supervision *supervision;
	/* docket.c, requests.c */
	struct docket *docket;
	sd_event_source *requests_timer;
	/* varlink.c */
	sd_varlink_server *varlink;
};

uint64_t now_boottime_ns(void);

/* ---- secret.c ---- */

/**
 * secret_load() - the secret by which the kernel knows this agent again
 * @directory: where it is kept; made if it does not exist
 * @secret: filled
 *
 * Return: 0 or -errno, after a note in the journal.
 */
int secret_load(const char *directory, uint8_t secret[TRUSTGATE_SECRET_LEN]);

/* ---- store.c: the service manager's descriptor store and status ---- */

#define STORE_NETLINK	"netlink"
#define STORE_VARLINK	"varlink"

/* Take over what the service manager kept; -1 where there was nothing. */
void store_take(int *ret_netlink_fd, int *ret_varlink_fd);
/* Ask it to keep @fd under @name. Does nothing without a service manager. */
int store_keep(const char *name, int fd);
void store_forget(const char *name);
void store_ready(const struct agent *agent);
void store_reloading(void);
void store_stopping(void);
/* STATUS= for systemctl status, from the state of the volumes. */
void store_status(const struct agent *agent);

/* ---- gate.c ---- */

/**
 * gate_start() - become the agent
 * @stored_fd: socket of the former run, or -1; consumed
 *
 * Return: 0 or -errno, after a note in the journal.
 */
int gate_start(struct agent *agent, int stored_fd);
void gate_stop(struct agent *agent);

/**
 * gate_refused() - turn the library's last failure into a refusal
 * @r: negative errno value that the library returned
 *
 * Return: @r.
 */
int gate_refused(struct agent *agent, int r, struct refusal *refusal);

/* To be called after requests: events that arrived meanwhile wait in memory. */
void gate_poke(struct agent *agent);

/* ---- channel.c: how opens that wait come in ---- */

/* Open it if there is a volume, close it if there is none. */
void channel_update(struct agent *agent);
void channel_close(struct agent *agent);
bool channel_is_open(const struct agent *agent);

/* ---- mounts.c ---- */

/**
 * mounts_find() - where a filesystem is mounted as a whole
 * @device: "major:minor"
 * @ret_path: to be freed
 *
 * Return: 0, -ENOENT, or -errno.
 */
int mounts_find(const char *device, char **ret_path);

/**
 * mounts_open_root() - the root of the filesystem mounted at a path
 * @path: mount point
 * @ret_fd: O_PATH descriptor, to be closed soon: it keeps the mount busy
 * @device: filled with "major:minor"
 * @refusal: filled on failure
 *
 * Return: 0, -ENOENT if there is no such path, -ENXIO if nothing is mounted
 * there, -EINVAL if what is mounted is only a part of the filesystem.
 */
int mounts_open_root(const char *path, int *ret_fd, char device[32],
		     struct refusal *refusal);

/**
 * mounts_check_vital() - refuse a filesystem that the agent itself lives on
 * @device: "major:minor"
 * @path: for the refusal
 *
 * Return: 0 or -EINVAL.
 */
int mounts_check_vital(const struct agent *agent, const char *device,
		       const char *path, struct refusal *refusal);

/* ---- volumes.c ---- */

int volumes_start(struct agent *agent);
void volumes_stop(struct agent *agent);
/* After a reload: settings, new volumes; what is gone from it stays protected. */
void volumes_reconfigure(struct agent *agent);
void volumes_protect_wanted(struct agent *agent);
/* How many wanted volumes are not protected. */
size_t volumes_unprotected(const struct agent *agent);
/* Whether this wanted volume is one of them. */
bool volumes_is_unprotected(const struct wanted_volume *wanted);

int volumes_add(struct agent *agent, const char *name, const char *path,
		const struct trustgate_volume_settings *settings,
		struct refusal *refusal);
int volumes_get(struct agent *agent, const char *name,
		struct trustgate_volume *ret_volume, struct refusal *refusal);
int volumes_set(struct agent *agent, const char *name,
		const struct trustgate_volume_settings *settings,
		struct refusal *refusal);
int volumes_remove(struct agent *agent, const char *name, uint64_t *ret_ended,
		   struct refusal *refusal);
/* Where a volume is mounted, NULL if the agent sees no mount of it. To be freed. */
char *volumes_path(struct agent *agent, const struct trustgate_volume *volume);
/* Its root as an O_PATH descriptor, to be closed soon. */
int volumes_open_root(struct agent *agent, const struct trustgate_volume *volume,
		      int *ret_fd, struct refusal *refusal);

/* ---- lower.c: the block devices further below the volumes ---- */

/**
 * lower_start() - follow block devices as they come, go and change
 * @agent: with its event loop
 *
 * Return: 0 or -errno, after a note in the journal.
 */
int lower_start(struct agent *agent);
void lower_stop(struct agent *agent);

/**
 * lower_update() - have the kernel close what lies below the volumes now
 * @agent: bound
 *
 * What fails is said in the journal; the volume's own device and disk are
 * closed without this.
 */
void lower_update(struct agent *agent);

/* ---- grants.c ---- */

/**
 * struct grant_wish - a grant to be given, already authorised
 * @volume: on it
 * @subject: to whom
 * @object: on what; resolved by the agent
 * @access: mask
 * @delay_ns: from when
 * @duration_ns: for how long
 * @max_uses: 0 for any number
 * @flags: mask of enum trustgate_grant_flags
 * @on_end: enum trustgate_on_end; raised to the least of @volume
 * @reason: enum trustgate_reason
 * @ticket: text or NULL
 * @tag: TAG_...
 * @renews: id of a grant of the same subject whose descendants it takes over, or 0
 */
struct grant_wish {
	const struct trustgate_volume *volume;
	const struct subject *subject;
	const struct object *object;
	uint32_t access;
	uint64_t delay_ns;
	uint64_t duration_ns;
	uint32_t max_uses;
	uint32_t flags;
	uint32_t on_end;
	uint32_t reason;
	const char *ticket;
	uint64_t tag;
	uint64_t renews;
};

/**
 * grants_give() - give grants, all or none
 * @wishes: array of at most TRUSTGATE_BATCH_MAX
 * @ret_grants: array of @count, filled on success
 *
 * Return: 0, or -errno with @refusal filled.
 */
int grants_give(struct agent *agent, const struct grant_wish *wishes, size_t count,
		struct trustgate_grant *ret_grants, struct refusal *refusal);

int grants_revoke_ids(struct agent *agent, const uint64_t *ids, size_t count,
		      uint64_t *ret_ended, struct refusal *refusal);

/**
 * grants_revoke_where() - end all grants of a volume, of a process, or all
 * @volume_id: of this volume, or 0
 * @pid: of this process, or 0
 * @ret_ended: how many; too few if an answer was lost
 *
 * Return: 0, or -errno with @refusal filled.
 */
int grants_revoke_where(struct agent *agent, uint32_t volume_id, pid_t pid,
			uint64_t *ret_ended, struct refusal *refusal);

/* ---- pending.c: grants that the kernel may have given unknown to the agent ---- */

/* Revoke what a former run asked for without learning the outcome. */
int pending_start(struct agent *agent);
void pending_stop(struct agent *agent);

/**
 * pending_begin() - a request for grants is about to be sent
 *
 * To be followed by pending_end() or pending_unsure().
 *
 * Return: 0, or -EAGAIN with @refusal filled while an earlier request is not
 * cleared up.
 */
int pending_begin(struct agent *agent, struct refusal *refusal);
/* What it did is known, and known to the ledger. */
void pending_end(struct agent *agent);
/* What it did is not known: whatever it gave is revoked, now or later. */
void pending_unsure(struct agent *agent);
/* Try again to clear up. */
void pending_retry(struct agent *agent);

/* ---- ledger.c: what is known about a grant beyond what the kernel keeps ---- */

int ledger_open(struct agent *agent);
void ledger_close(struct agent *agent);
void ledger_add(struct agent *agent, uint64_t id, const char *path);
void ledger_drop(struct agent *agent, uint64_t id);
/* NULL if nothing is known. Valid until the next call. */
const char *ledger_path(struct agent *agent, uint64_t id);

/* ---- report.c: kernel events as journal records ---- */

int report_start(struct agent *agent);
void report_stop(struct agent *agent);
void report_event(struct agent *agent, const struct trustgate_event *event);
/* Records of what the agent did on request, with who asked for it. */
void report_grant(const struct agent *agent, const char *volume, const char *path,
		  const struct trustgate_grant *grant, uid_t asker, const char *comm);
void report_standing(const struct config_service *service,
		     const struct trustgate_grant *grant, const char *comm);
void report_refusal(const struct agent *agent, const char *method, uid_t asker,
		    pid_t pid, const struct refusal *refusal);
void report_revoke(const struct agent *agent, uid_t asker, pid_t pid, uint64_t ended);
void report_unprotected(const struct wanted_volume *volume);

/* ---- watch.c ---- */

int watch_start(struct agent *agent);
void watch_stop(struct agent *agent);
/* Returns 0 or -errno; -EBUSY if there are too many watchers. */
int watch_add(struct agent *agent, sd_varlink *link);
/* From now on he is shown nothing but what happens on this volume. */
void watch_only(struct agent *agent, const sd_varlink *link, uint32_t volume_id);
void watch_remove(struct agent *agent, sd_varlink *link);
void watch_event(struct agent *agent, const struct trustgate_event *event);
size_t watch_count(const struct agent *agent);
/* Whether a watcher has read all that was sent to him, and nothing waits. */
bool watch_caught_up(const struct agent *agent, sd_varlink *link);

/* ---- units.c: what systemd says about units ---- */

int units_start(struct agent *agent);
void units_stop(struct agent *agent);
/* Watch the units of the current configuration. */
void units_reconfigure(struct agent *agent);

/**
 * enum unit_role - what a process is to its unit
 * @UNIT_MEMBER: one of its processes
 * @UNIT_CONTROL: its control process: ExecStartPre=, ExecReload= and so on
 * @UNIT_MAIN: its main process
 */
enum unit_role {
	UNIT_MEMBER,
	UNIT_CONTROL,
	UNIT_MAIN,
};

/* Called once, from the event loop. If @r is negative, @unit is NULL. */
typedef void (*units_answer_t)(struct agent *agent, int r, const char *unit,
			       enum unit_role role, void *userdata);

/**
 * units_ask() - which unit a process belongs to, by systemd's word
 * @pid: process
 * @pidfd: the same; duplicated
 * @answer: called later if 0 was returned
 * @userdata: for @answer
 *
 * Return: 0, or -ENOTCONN while there is no connection to systemd.
 */
int units_ask(struct agent *agent, pid_t pid, int pidfd, units_answer_t answer,
	      void *userdata);

/* ---- services.c: standing grants ---- */

int services_start(struct agent *agent);
void services_stop(struct agent *agent);
void services_reconfigure(struct agent *agent);
/* Grants were revoked on somebody's request. */
void services_revoked(struct agent *agent);
/*
 * End the standing grants on a volume, or all if it is NULL, as by the agent's own
 * will: they are given again when that is possible. Returns how many grants that
 * ended.
 */
uint64_t services_end(struct agent *agent, const char *volume);
/* Something changed for the better: give what could not be given before. */
void services_retry(struct agent *agent);
/* The main process of a configured unit, verified; 0 and -1 if it has none. */
void services_main_process(struct agent *agent, const char *unit, pid_t pid, int pidfd);
/* How many standing grants could not be given to a running service. */
size_t services_failing(const struct agent *agent);
void services_event(struct agent *agent, const struct trustgate_event *event);
/**
 * services_give() - give a unit's standing grants to a process that asks
 * @unit: by systemd's word
 * @role: of the process in it
 * @subject: the process
 * @ret_grants: to be freed; what it now holds
 * @ret_count: how many
 *
 * Return: 0 or -errno with @refusal filled.
 */
int services_give(struct agent *agent, const char *unit, enum unit_role role,
		  const struct subject *subject, struct trustgate_grant **ret_grants,
		  size_t *ret_count, struct refusal *refusal);

/* ---- withheld.c ---- */

/* Remember that this main process does not get the standing grant again. */
void withheld_add(const struct agent *agent, uint64_t key, const struct subject *subject);
bool withheld_has(const struct agent *agent, uint64_t key, const struct subject *subject);

/* ---- descendants.c ---- */

/**
 * descendants_find() - the living descendants of a unit's main process
 * @subject: the main process
 * @ret_pids: to be freed
 * @ret_count: how many
 *
 * Looks at the members of the process's control group only.
 *
 * Return: 0 or -errno.
 */
int descendants_find(const struct subject *subject, pid_t **ret_pids, size_t *ret_count);

/* ---- varlink.c ---- */

int varlink_start(struct agent *agent, int stored_fd);
void varlink_stop(struct agent *agent);

#endif
