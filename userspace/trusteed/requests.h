/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the life of requests that people decide about.
 *
 * Owns: what follows from a decision or an event: the grant, the next state of
 * the request, and that both agree after a crash.
 *
 * Must not own: the database (docket.c), who may decide (authorise_approval.c),
 * the list of opens that wait (asked.c).
 */
#ifndef _TRUSTEED_REQUESTS_H
#define _TRUSTEED_REQUESTS_H

#include <trustgate.h>

#include "authorise_approval.h"
#include "docket.h"
#include "refusal.h"

struct agent;
struct asked;
struct asked_opens;

int requests_start(struct agent *agent);
void requests_stop(struct agent *agent);

/* ---- requests_open.c: opens ---- */

/**
 * requests_make_open() - what is to be put on the docket of an open
 * @asked: the open
 * @start_ticks: start of its process
 * @exe: its program, or NULL
 * @unit: its unit, or NULL
 * @ret_request: filled on success, to be freed with docket_free()
 *
 * Return: 0 or -ENOMEM.
 */
int requests_make_open(const struct agent *agent, const struct asked *asked, uint64_t start_ticks,
		       const char *exe, const char *unit, struct docket_request *ret_request);

/* The open that waits for a request that has no grant yet, or NULL. */
struct asked *requests_asked(struct agent *agent, const struct docket_request *request);

/*
 * They are over without a grant: nobody decided, or nobody waits any more; each has
 * its why. That is put on record of those about which nothing is yet.
 */
void requests_opens_closed(struct agent *agent, struct asked *const *asked, size_t count);

/* The same of one that has not been taken since the agent was started. */
void requests_untaken_closed(struct agent *agent, uint64_t kernel_id, const char *cause);

/* ---- requests.c: decisions ---- */

/**
 * requests_find() - a request that is still to be decided
 * @ret_request: to be freed with docket_free()
 *
 * Return: 0, -ENOENT if there is none of that number or it is decided, or
 * another -errno.
 */
int requests_find(struct agent *agent, uint64_t id, struct docket_request *ret_request,
		  struct refusal *refusal);

/**
 * requests_approve() - a person approves, and if that is enough, the grant
 * @request: pending
 * @approval: what he allows; authorised and checked
 * @ret_grant: filled if it was given
 * @ret_given: whether it was
 *
 * Return: 0 or -errno with @refusal filled.
 */
int requests_approve(struct agent *agent, struct docket_request *request,
		     const struct docket_approval *approval, struct trustgate_grant *ret_grant,
		     bool *ret_given, struct refusal *refusal);

/* A person denies. Never fails for want of a disk; then it is only denied. */
int requests_deny(struct agent *agent, struct docket_request *request,
		  const struct docket_approval *denial, struct refusal *refusal);

/**
 * requests_reject_all() - reject what waits for people or for its begin
 * @volume: on this volume, or NULL for all
 * @uid: who does
 * @why: for the record
 *
 * Opens are asked_refuse_all()'s.
 *
 * Return: how many.
 */
uint64_t requests_reject_all(struct agent *agent, const char *volume, uid_t uid,
			     const char *why);

/**
 * requests_revoke() - a person ends the grant of a request, or calls it off
 * @request: approved
 * @uid: who
 * @comment: why, or NULL
 * @ret_ended: how many grants
 *
 * Return: 0 or -errno with @refusal filled. That it cannot be written keeps no grant
 * from ending, but not from being told.
 */
int requests_revoke(struct agent *agent, struct docket_request *request, uid_t uid,
		    const char *comment, uint64_t *ret_ended, struct refusal *refusal);

/**
 * requests_ask() - a person asks for a grant ahead of any open
 * @request: what for; checked here, and put on record
 * @refusal: filled on failure
 *
 * Return: 0 or -errno.
 */
int requests_ask(struct agent *agent, struct docket_request *request,
		 struct refusal *refusal);

/* A record that it waits. */
void requests_report_asked(const struct agent *agent, const struct docket_request *request);

/* Whether its texts are good and enough for its reason. */
int requests_check_texts(const struct docket_request *request, struct refusal *refusal);

/**
 * requests_break_glass() - somebody takes a grant, without approval
 * @request: what for; checked here, and put on record before it is given
 * @ret_grant: filled on success
 * @refusal: filled on failure
 *
 * Return: 0 or -errno.
 */
int requests_break_glass(struct agent *agent, struct docket_request *request,
			 struct trustgate_grant *ret_grant, struct refusal *refusal);

/* A trustee has seen it. Returns 0 or -errno with @refusal filled. */
int requests_acknowledge(struct agent *agent, struct docket_request *request,
			 const struct docket_approval *acknowledgement,
			 struct refusal *refusal);

/**
 * requests_extend() - ask for more time for the grant of a request
 * @request: approved, with a live grant; then the new request
 * @duration_ns: how much more
 * @comment: why, or NULL
 * @uid: who asks
 * @loginuid: who had logged in as him
 *
 * Return: 0 or -errno with @refusal filled.
 */
int requests_extend(struct agent *agent, struct docket_request *request, int64_t duration_ns,
		    const char *comment, uid_t uid, uid_t loginuid, struct refusal *refusal);

/* ---- requests_grant.c ---- */

/**
 * requests_grant_get() - the grant that a request has
 * @request: given, or not
 * @ret_grant: filled on success
 *
 * The kernel counts grants anew when its module is loaded anew: what has the
 * number by then, and is of another, is not it.
 *
 * Return: 0; -ENOENT if it has none any more; or another -errno.
 */
int requests_grant_get(struct agent *agent, const struct docket_request *request,
		       struct trustgate_grant *ret_grant);

/**
 * requests_grant_revoke() - end the grant that a request has, if it has one
 * @ret_ended: how many grants: 0 or 1
 * @refusal: filled on failure
 *
 * Return: 0 or -errno.
 */
int requests_grant_revoke(struct agent *agent, const struct docket_request *request,
			  uint64_t *ret_ended, struct refusal *refusal);

/* Give what is approved. Returns 0 or -errno with @refusal filled. */
int requests_give(struct agent *agent, struct docket_request *request,
		  struct trustgate_grant *ret_grant, struct refusal *refusal);

/* ---- requests_follow.c: what the kernel does to them ---- */

/* A grant ended, or nothing of it is mapped any more; other events are none of ours. */
void requests_event(struct agent *agent, const struct trustgate_event *event);

/*
 * Compare what is on record with what the kernel has, after a start or lost events.
 * Part of asked_resync().
 */
void requests_reconcile(struct agent *agent, const struct asked_opens *opens);

/* From time to time: what is over, what failed to close, and a broken store. */
void requests_check(struct agent *agent);

/* Something about a request is due at this time, by CLOCK_BOOTTIME. */
void requests_due(struct agent *agent, uint64_t when_ns);

#endif
