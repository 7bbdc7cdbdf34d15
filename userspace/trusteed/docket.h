/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the docket: requests that people decide about, on disk.
 *
 * Owns: the database requests.db in the state directory: requests, what each
 * person has said about them, and each change of state.
 *
 * Must not own: what a change of state means for the kernel (requests.c), who
 * may decide (authorise_approval.c), evidence: that is the account.
 *
 * What cannot be written is not done: every function that writes fails with the
 * cause, and its callers deny. Decisions are on disk when a function returns;
 * that a request was raised may be lost by a power cut, and with it is who
 * waited.
 */
#ifndef _TRUSTEED_DOCKET_H
#define _TRUSTEED_DOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "refusal.h"

struct agent;
struct docket;

/**
 * enum docket_kind - what a request is for
 * @DOCKET_OPEN: an open that waits in the kernel
 * @DOCKET_PERSON: a grant that a person asks for ahead of any open
 * @DOCKET_EXTENSION: more time for the grant of an earlier request
 * @DOCKET_BREAK_GLASS: a grant that is taken at once, and acknowledged later
 */
enum docket_kind {
	DOCKET_OPEN = 1,
	DOCKET_PERSON,
	DOCKET_EXTENSION,
	DOCKET_BREAK_GLASS,
};

/**
 * enum docket_state - how far a request is
 * @DOCKET_RAISED: it is on record
 * @DOCKET_PENDING: it waits for people
 * @DOCKET_APPROVED: enough of them agreed; the grant is given, now or later
 * @DOCKET_EXTENDED: a later request has continued its grant
 * @DOCKET_REJECTED: somebody denied it
 * @DOCKET_EXPIRED: nobody waits for the answer any more
 * @DOCKET_REVOKED: its grant was ended
 * @DOCKET_COMPLETED: its grant ended by itself
 * @DOCKET_FAILED_TO_CLOSE: its grant ended and is still mapped
 */
enum docket_state {
	DOCKET_RAISED = 1,
	DOCKET_PENDING,
	DOCKET_APPROVED,
	DOCKET_EXTENDED,
	DOCKET_REJECTED,
	DOCKET_EXPIRED,
	DOCKET_REVOKED,
	DOCKET_COMPLETED,
	DOCKET_FAILED_TO_CLOSE,
};

/**
 * enum docket_subtree - how much of an object is meant
 * @DOCKET_ONE_INODE: only itself
 * @DOCKET_SUBTREE: it has to be a directory, with all beneath it
 * @DOCKET_AS_IT_IS: a directory with all beneath it, or a file
 */
enum docket_subtree {
	DOCKET_ONE_INODE,
	DOCKET_SUBTREE,
	DOCKET_AS_IT_IS,
};

/* Numbers and texts of a request, in the order of the table's columns. */
#define DOCKET_COLUMNS(NUMBER, TEXT) \
	NUMBER(id) \
	TEXT(boot) \
	NUMBER(kernel_id) \
	NUMBER(kind) \
	NUMBER(parent) \
	TEXT(volume) \
	TEXT(path) \
	NUMBER(subtree) \
	NUMBER(access) \
	NUMBER(flags) \
	NUMBER(pid) \
	NUMBER(start_ticks) \
	NUMBER(uid) \
	NUMBER(loginuid) \
	TEXT(comm) \
	TEXT(exe) \
	TEXT(unit) \
	TEXT(rule) \
	NUMBER(requester) \
	NUMBER(requester_login) \
	NUMBER(reason) \
	TEXT(ticket) \
	TEXT(comment) \
	TEXT(location) \
	NUMBER(retention_days) \
	TEXT(legal_reference) \
	TEXT(notify) \
	NUMBER(max_duration_ns) \
	NUMBER(need_trustees) \
	NUMBER(need_tenants) \
	NUMBER(raised_realtime_ns) \
	NUMBER(raised_boottime_ns) \
	NUMBER(deadline_boottime_ns) \
	NUMBER(state) \
	TEXT(cause) \
	NUMBER(changed_realtime_ns) \
	NUMBER(begin_boottime_ns) \
	NUMBER(duration_ns) \
	NUMBER(grant_access) \
	NUMBER(grant_id) \
	NUMBER(ended_boottime_ns) \
	NUMBER(grant_end)

/**
 * struct docket_request - a request
 * @id: its number, never used twice
 * @boot: the host's boot in which it was raised
 * @kernel_id: of an open, its number in the kernel, else 0
 * @kind: enum docket_kind
 * @parent: of an extension, the request whose grant is to go on, else 0
 * @volume: name
 * @path: object, relative to the volume's root; NULL if it is not known
 * @subtree: enum docket_subtree
 * @access: mask of enum trustgate_access that is asked for
 * @flags: mask of enum trustgate_grant_flags that is asked for
 * @pid: process that is to get the grant
 * @start_ticks: its start
 * @uid: its user
 * @loginuid: who had logged in, 4294967295 for nobody
 * @comm: its name; any bytes
 * @exe: its program, or NULL
 * @unit: its unit, or NULL
 * @rule: of the policy, that wants people to decide, or NULL
 * @requester: user who asks
 * @requester_login: who had logged in as him, 4294967295 for nobody
 * @reason: enum trustgate_reason; unspecified until somebody gives one
 * @ticket: or NULL
 * @comment: why in the requester's words, or NULL
 * @location: from where the access is, or NULL
 * @retention_days: how long what is made of the access is kept, 0 if not stated
 * @legal_reference: of a legal order, or NULL
 * @notify: of a legal order: "notify", "delayed" or "prohibited"; else NULL
 * @max_duration_ns: longest time that may be approved
 * @need_trustees: how many have to approve
 * @need_tenants: and how many of the tenant's people
 * @raised_realtime_ns: when
 * @raised_boottime_ns: the same
 * @deadline_boottime_ns: when it expires undecided
 * @state: enum docket_state
 * @cause: of its last change, or NULL
 * @changed_realtime_ns: when that was
 * @begin_boottime_ns: from when it is approved, 0 for at once
 * @duration_ns: for how long
 * @grant_access: to what
 * @grant_id: grant, 0 while there is none
 * @ended_boottime_ns: when that ended, while its mappings are looked for, else 0
 * @grant_end: enum trustgate_end, how it ended
 */
struct docket_request {
#define DOCKET_NUMBER(name) uint64_t name;
#define DOCKET_TEXT(name) char *name;
	DOCKET_COLUMNS(DOCKET_NUMBER, DOCKET_TEXT)
#undef DOCKET_NUMBER
#undef DOCKET_TEXT
};

/**
 * enum docket_role - on whose behalf somebody decides
 * @DOCKET_TRUSTEE: the trustee's
 * @DOCKET_TENANT: the tenant's
 * @DOCKET_REQUESTER: who has asked takes it back
 * @DOCKET_ROOT: the host's; he may only deny
 */
enum docket_role {
	DOCKET_TRUSTEE = 1,
	DOCKET_TENANT,
	DOCKET_REQUESTER,
	DOCKET_ROOT,
};

/**
 * struct docket_approval - what a person has said about a request
 * @uid: who
 * @loginuid: who had logged in as him, 4294967295 for nobody
 * @role: enum docket_role
 * @approves: or denies
 * @realtime_ns: when
 * @comment: or NULL
 * @access: what he allows
 * @duration_ns: for how long
 * @begin_boottime_ns: from when, 0 for at once
 * @flags: mask of enum trustgate_grant_flags
 */
struct docket_approval {
	uid_t uid;
	uid_t loginuid;
	uint32_t role;
	bool approves;
	uint64_t realtime_ns;
	char *comment;
	uint32_t access;
	uint64_t duration_ns;
	uint64_t begin_boottime_ns;
	uint32_t flags;
};

/**
 * struct docket_transition - a change of state
 * @state: enum docket_state
 * @realtime_ns: when
 * @uid: by whom, 4294967295 for nobody
 * @cause: or NULL
 */
struct docket_transition {
	uint32_t state;
	uint64_t realtime_ns;
	uid_t uid;
	char *cause;
};

#define DOCKET_NOBODY	((uid_t)-1)

/* ---- docket.c: the file ---- */

/**
 * docket_start() - open the database
 * @agent: with its event loop
 *
 * If that is not possible it is complained about and tried again; meanwhile
 * whatever needs people is denied.
 *
 * Return: 0 or -ENOMEM.
 */
int docket_start(struct agent *agent);
void docket_stop(struct agent *agent);

/* Why nothing can be written at the moment; NULL if it can. */
const char *docket_problem(const struct agent *agent);

/* Try again, if there is a problem. Returns 0 or -errno. */
int docket_retry(struct agent *agent);

/* Whether changes were lost and could be written now; told once. */
bool docket_missed(struct agent *agent);

/* The boot's id as text. */
const char *docket_boot(const struct agent *agent);

/* ---- docket_write.c: each of these is on disk as a whole or not at all ---- */

/**
 * docket_raise() - put requests on record, pending
 * @requests: all but @id, @boot, @state and what follows from decisions
 * @count: how many; all of them or none
 *
 * An open that is on record already, as the agent was restarted, is the same
 * request: it then becomes what is on record.
 *
 * Return: 0 or -errno with @refusal filled.
 */
int docket_raise(struct agent *agent, struct docket_request *requests, size_t count,
		 struct refusal *refusal);

/**
 * docket_decide() - put on record what a person says, and what follows
 * @request: with its new state, and the fields that follow from decisions
 * @approval: what he says, or NULL for a change of state without that
 * @state: new one, 0 if nothing follows
 * @uid: who did it, DOCKET_NOBODY if nobody did
 * @cause: why, or NULL
 *
 * Return: 0 or -errno with @refusal filled; then @request is as before.
 */
int docket_decide(struct agent *agent, struct docket_request *request,
		  const struct docket_approval *approval, enum docket_state state,
		  uid_t uid, const char *cause, struct refusal *refusal);

/**
 * docket_expire() - put on record that nobody waits for requests any more
 * @requests: undecided, or without a grant
 * @causes: of each; or NULL
 * @count: how many; all of them or none
 *
 * Return: 0 or -errno with @refusal filled.
 */
int docket_expire(struct agent *agent, struct docket_request *requests,
		  const char *const *causes, size_t count, struct refusal *refusal);

/* ---- docket_read.c ---- */

/* Which requests; what is 0 or NULL is of no matter. */
struct docket_filter {
	const char *volume;
	const char *const *volumes;	/* one of these, NULL at the end */
	const char *boot;
	uint32_t states;	/* bits 1 << enum docket_state */
	uint32_t kinds;		/* bits 1 << enum docket_kind */
	uint64_t grant_id;
	uint64_t kernel_id;
	uint64_t since_realtime_ns;
	uint64_t before_id;
	uint64_t after_id;
	bool ungranted;		/* undecided, or decided and not given yet */
	bool closing;		/* ended, and mappings are looked for */
	bool newest_first;
	size_t max;
};

/* To be freed with docket_free_requests(). Returns 0 or -errno with @refusal filled. */
int docket_list(struct agent *agent, const struct docket_filter *filter,
		struct docket_request **ret_requests, size_t *ret_count,
		struct refusal *refusal);
/* The same for one, -ENOENT if there is none; to be freed with docket_free(). */
int docket_get(struct agent *agent, uint64_t id, struct docket_request *ret_request,
	       struct refusal *refusal);
/* In the order in which they were given. To be freed with docket_free_approvals(). */
int docket_approvals(struct agent *agent, uint64_t id, struct docket_approval **ret_approvals,
		     size_t *ret_count, struct refusal *refusal);
int docket_transitions(struct agent *agent, uint64_t id,
		       struct docket_transition **ret_transitions, size_t *ret_count,
		       struct refusal *refusal);

/* How many have broken the glass, and no trustee has acknowledged that. */
int docket_unacknowledged(struct agent *agent, uint64_t *ret_count, struct refusal *refusal);

void docket_free(struct docket_request *request);
void docket_free_requests(struct docket_request *requests, size_t count);
void docket_free_approvals(struct docket_approval *approvals, size_t count);
void docket_free_transitions(struct docket_transition *transitions, size_t count);

/* "pending"; "unknown" for what is none. */
const char *docket_state_name(uint64_t state);
/* Returns 0 if there is no such state. */
enum docket_state docket_state_by_name(const char *name);
const char *docket_kind_name(uint64_t kind);
const char *docket_role_name(uint32_t role);

#endif
