// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - writing to the docket, see docket.h.
 *
 * Owns: which rows a request, a decision and a change of state are, and that
 * each change is told to the account, too.
 *
 * Must not own: whether a change is right.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent.h"
#include "docket.h"
#include "docket_sql.h"

static uint64_t now_realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static int add_transition(struct agent *agent, const struct docket_request *request,
			  enum docket_state state, uint64_t when_ns, uid_t uid,
			  const char *cause, struct refusal *refusal)
{
	const struct docket_value values[] = {
		DOCKET_N(request->id), DOCKET_N(state), DOCKET_N(when_ns), DOCKET_N(uid),
		DOCKET_T(cause),
	};

	return docket_run(agent, "INSERT INTO transition (request, state, realtime_ns, uid, cause)"
			  " VALUES (?, ?, ?, ?, ?)", values, 5, refusal);
}

/* Evidence, beside the state. */
static void tell_account(struct agent *agent, const struct docket_request *request,
			 const char *what, const char *more, uid_t uid, const char *cause)
{
	sd_json_variant *body = NULL;
	char kind[48];

	snprintf(kind, sizeof(kind), "request-%s", what);
	(void)sd_json_buildo(&body,
		SD_JSON_BUILD_PAIR_UNSIGNED("request", request->id),
		SD_JSON_BUILD_PAIR_STRING("requestKind", docket_kind_name(request->kind)),
		SD_JSON_BUILD_PAIR_STRING("volume", request->volume),
		SD_JSON_BUILD_PAIR_UNSIGNED("pid", request->pid),
		SD_JSON_BUILD_PAIR_CONDITION(uid != DOCKET_NOBODY, "uid", SD_JSON_BUILD_UNSIGNED(uid)),
		SD_JSON_BUILD_PAIR_CONDITION(more != NULL, "role", SD_JSON_BUILD_STRING(more)),
		SD_JSON_BUILD_PAIR_CONDITION(request->grant_id != 0, "grantId",
					     SD_JSON_BUILD_UNSIGNED(request->grant_id)),
		SD_JSON_BUILD_PAIR_CONDITION(request->location != NULL, "location",
					     SD_JSON_BUILD_STRING(request->location)),
		SD_JSON_BUILD_PAIR_CONDITION(request->retention_days != 0, "retentionDays",
					     SD_JSON_BUILD_UNSIGNED(request->retention_days)),
		SD_JSON_BUILD_PAIR_CONDITION(request->legal_reference != NULL, "legalReference",
					     SD_JSON_BUILD_STRING(request->legal_reference)),
		SD_JSON_BUILD_PAIR_CONDITION(request->notify != NULL, "notify",
					     SD_JSON_BUILD_STRING(request->notify)),
		SD_JSON_BUILD_PAIR_CONDITION(cause != NULL, "cause", SD_JSON_BUILD_STRING(cause)));
	accounting_note(agent, kind, body);
}

/* ---- a new one ---- */

#define COMMA_NAME(name) #name ", "
#define MARK(name) "?, "

static int insert(struct agent *agent, struct docket_request *request, struct refusal *refusal)
{
	/* The last comma is of a column that is always as it begins. */
	static const char names[] = DOCKET_COLUMNS(COMMA_NAME, COMMA_NAME);
	static const char marks[] = DOCKET_COLUMNS(MARK, MARK);
	static char sql[sizeof(names) + sizeof(marks) + 64];
	struct docket_value values[DOCKET_VALUES_MAX] = { 0 };
	size_t count = 0;
	int r;

#define NUMBER_VALUE(name) values[count++] = (struct docket_value)DOCKET_N(request->name);
#define TEXT_VALUE(name) values[count++] = (struct docket_value)DOCKET_T(request->name);
	DOCKET_COLUMNS(NUMBER_VALUE, TEXT_VALUE)
#undef NUMBER_VALUE
#undef TEXT_VALUE
	/* These two are NULL where there is none: the next number, no parent. */
	values[0].is_number = false;
	values[4].is_number = request->parent != 0;
	if (!sql[0])
		snprintf(sql, sizeof(sql), "INSERT INTO request (%.*s) VALUES (%.*s)",
			 (int)sizeof(names) - 3, names, (int)sizeof(marks) - 3, marks);
	r = docket_run(agent, sql, values, count, refusal);
	if (r == 0)
		request->id = sqlite3_last_insert_rowid(docket_db(agent));
	return r;
}

/* Whether it is on record; then it is read. */
static int find_same(struct agent *agent, struct docket_request *request,
		     struct refusal *refusal)
{
	const struct docket_filter filter = {
		.boot = docket_boot(agent), .kernel_id = request->kernel_id,
	};
	struct docket_request *found = NULL;
	size_t count = 0;
	int r;

	if (!request->kernel_id)
		return 0;
	r = docket_list(agent, &filter, &found, &count, refusal);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (found[i].raised_boottime_ns != request->raised_boottime_ns)
			continue;
		docket_free(request);
		*request = found[i];
		memset(&found[i], 0, sizeof(found[i]));
		r = 1;
	}
	docket_free_requests(found, count);
	return r;
}

static int raise_one(struct agent *agent, struct docket_request *request, uint64_t now_ns,
		     struct refusal *refusal)
{
	int r;

	free(request->boot);
	request->boot = strdup(docket_boot(agent));
	if (!request->boot)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	request->raised_realtime_ns = request->changed_realtime_ns = now_ns;
	request->state = DOCKET_PENDING;
	r = insert(agent, request, refusal);
	if (r == 0)
		r = add_transition(agent, request, DOCKET_RAISED, now_ns, request->requester,
				   NULL, refusal);
	if (r == 0)
		r = add_transition(agent, request, DOCKET_PENDING, now_ns, DOCKET_NOBODY,
				   request->rule, refusal);
	return r;
}

int docket_raise(struct agent *agent, struct docket_request *requests, size_t count,
		 struct refusal *refusal)
{
	uint64_t now_ns = now_realtime_ns();
	size_t fresh = 0;
	bool durable = false;
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		r = find_same(agent, &requests[i], refusal);
		fresh += r == 0;
		/* Whoever waits for an open is gone after a power cut. */
		durable |= requests[i].kind != DOCKET_OPEN;
	}
	if (r < 0 || !fresh)
		return r < 0 ? r : 0;
	r = docket_begin(agent, durable, refusal);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++)
		if (!requests[i].id)
			r = raise_one(agent, &requests[i], now_ns, refusal);
	r = docket_end(agent, r, refusal);
	for (size_t i = 0; i < count && r == 0; i++)
		if (requests[i].raised_realtime_ns == now_ns)
			tell_account(agent, &requests[i], docket_state_name(DOCKET_RAISED), NULL,
				     requests[i].requester, requests[i].rule);
	return r;
}

/* ---- decisions and changes ---- */

static int add_approval(struct agent *agent, const struct docket_request *request,
			const struct docket_approval *approval, struct refusal *refusal)
{
	const struct docket_value values[] = {
		DOCKET_N(request->id), DOCKET_N(approval->uid), DOCKET_N(approval->loginuid),
		DOCKET_N(approval->role), DOCKET_N(approval->approves),
		DOCKET_N(now_realtime_ns()), DOCKET_T(approval->comment),
		DOCKET_N(approval->access), DOCKET_N(approval->duration_ns),
		DOCKET_N(approval->begin_boottime_ns), DOCKET_N(approval->flags),
	};

	return docket_run(agent, "INSERT INTO approval (request, uid, loginuid, role, approves,"
			  " realtime_ns, comment, access, duration_ns, begin_boottime_ns, flags)"
			  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values, 11, refusal);
}

static int update(struct agent *agent, const struct docket_request *request,
		  uint64_t state, const char *cause, uint64_t when_ns, struct refusal *refusal)
{
	const struct docket_value values[] = {
		DOCKET_N(state), DOCKET_T(cause), DOCKET_N(when_ns),
		DOCKET_N(request->reason), DOCKET_T(request->ticket),
		DOCKET_T(request->location), DOCKET_N(request->retention_days),
		DOCKET_T(request->legal_reference), DOCKET_T(request->notify),
		DOCKET_N(request->begin_boottime_ns), DOCKET_N(request->duration_ns),
		DOCKET_N(request->grant_access), DOCKET_N(request->flags),
		DOCKET_N(request->grant_id), DOCKET_N(request->ended_boottime_ns),
		DOCKET_N(request->grant_end), DOCKET_N(request->id),
	};

	return docket_run(agent, "UPDATE request SET state = ?, cause = ?, changed_realtime_ns = ?,"
			  " reason = ?, ticket = ?, location = ?, retention_days = ?,"
			  " legal_reference = ?, notify = ?, begin_boottime_ns = ?, duration_ns = ?,"
			  " grant_access = ?, flags = ?, grant_id = ?, ended_boottime_ns = ?,"
			  " grant_end = ? WHERE id = ?", values, 17, refusal);
}

int docket_decide(struct agent *agent, struct docket_request *request,
		  const struct docket_approval *approval, enum docket_state state,
		  uid_t uid, const char *cause, struct refusal *refusal)
{
	const char *told = state ? cause : request->cause;
	uint64_t now_ns = now_realtime_ns();
	char *copy = told ? strdup(told) : NULL;
	int r;

	if (told && !copy)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	/* What the kernel did, it has done whether that is on disk or not. */
	r = docket_begin(agent, approval || uid != DOCKET_NOBODY, refusal);
	if (r < 0) {
		free(copy);
		return r;
	}
	if (approval)
		r = add_approval(agent, request, approval, refusal);
	if (r == 0)
		r = update(agent, request, state ?: request->state, copy,
			   state ? now_ns : request->changed_realtime_ns, refusal);
	if (r == 0 && state)
		r = add_transition(agent, request, state, now_ns, uid, cause, refusal);
	r = docket_end(agent, r, refusal);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(request->cause);
	request->cause = copy;
	if (approval)
		tell_account(agent, request, approval->approves ? "approval" : "denial",
			     docket_role_name(approval->role), approval->uid, approval->comment);
	if (state) {
		request->state = state;
		request->changed_realtime_ns = now_ns;
		tell_account(agent, request, docket_state_name(state), NULL, uid, cause);
	}
	return 0;
}

int docket_expire(struct agent *agent, struct docket_request *requests,
		  const char *const *causes, size_t count, struct refusal *refusal)
{
	uint64_t now_ns = now_realtime_ns();
	int r = docket_begin(agent, false, refusal);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = update(agent, &requests[i], DOCKET_EXPIRED, causes[i], now_ns, refusal);
		if (r == 0)
			r = add_transition(agent, &requests[i], DOCKET_EXPIRED, now_ns,
					   DOCKET_NOBODY, causes[i], refusal);
	}
	r = docket_end(agent, r, refusal);
	for (size_t i = 0; i < count && r == 0; i++) {
		requests[i].state = DOCKET_EXPIRED;
		tell_account(agent, &requests[i], docket_state_name(DOCKET_EXPIRED), NULL,
			     DOCKET_NOBODY, causes[i]);
	}
	return r;
}
