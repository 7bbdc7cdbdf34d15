// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - reading the docket, see docket.h.
 *
 * Owns: the way from rows to structures, the names of states, kinds and roles.
 *
 * Must not own: changes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "docket.h"
#include "docket_sql.h"

static const char *const state_names[] = {
	[DOCKET_RAISED] = "raised",
	[DOCKET_PENDING] = "pending",
	[DOCKET_APPROVED] = "approved",
	[DOCKET_EXTENDED] = "extended",
	[DOCKET_REJECTED] = "rejected",
	[DOCKET_EXPIRED] = "expired",
	[DOCKET_REVOKED] = "revoked",
	[DOCKET_COMPLETED] = "completed",
	[DOCKET_FAILED_TO_CLOSE] = "failed-to-close",
};

#define STATES (sizeof(state_names) / sizeof(state_names[0]))

const char *docket_state_name(uint64_t state)
{
	return state && state < STATES ? state_names[state] : "unknown";
}

enum docket_state docket_state_by_name(const char *name)
{
	for (size_t i = 1; i < STATES; i++)
		if (!strcmp(state_names[i], name))
			return i;
	return 0;
}

const char *docket_kind_name(uint64_t kind)
{
	switch (kind) {
	case DOCKET_OPEN:
		return "open";
	case DOCKET_PERSON:
		return "person";
	case DOCKET_EXTENSION:
		return "extension";
	case DOCKET_BREAK_GLASS:
		return "break-glass";
	}
	return "unknown";
}

const char *docket_role_name(uint32_t role)
{
	switch (role) {
	case DOCKET_TRUSTEE:
		return "trustee";
	case DOCKET_TENANT:
		return "tenant";
	case DOCKET_REQUESTER:
		return "requester";
	case DOCKET_ROOT:
		return "root";
	}
	return "unknown";
}

/* ---- freeing ---- */

void docket_free(struct docket_request *request)
{
#define KEEP(name)
#define FREE(name) free(request->name);
	DOCKET_COLUMNS(KEEP, FREE)
#undef KEEP
#undef FREE
	memset(request, 0, sizeof(*request));
}

void docket_free_requests(struct docket_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		docket_free(&requests[i]);
	free(requests);
}

void docket_free_approvals(struct docket_approval *approvals, size_t count)
{
	for (size_t i = 0; approvals && i < count; i++)
		free(approvals[i].comment);
	free(approvals);
}

void docket_free_transitions(struct docket_transition *transitions, size_t count)
{
	for (size_t i = 0; transitions && i < count; i++)
		free(transitions[i].cause);
	free(transitions);
}

/* ---- rows ---- */

static uint64_t column_number(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

static char *column_text(sqlite3_stmt *row, int column, int *error)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		*error = -ENOMEM;
	return copy;
}

static int read_request(sqlite3_stmt *row, void *into)
{
	struct docket_request *request = into;
	int column = 0, error = 0;

#define NUMBER(name) request->name = column_number(row, column++);
#define TEXT(name) request->name = column_text(row, column++, &error);
	DOCKET_COLUMNS(NUMBER, TEXT)
#undef NUMBER
#undef TEXT
	return error;
}

static int read_approval(sqlite3_stmt *row, void *into)
{
	struct docket_approval *approval = into;
	int error = 0;

	*approval = (struct docket_approval){
		.uid = column_number(row, 0), .loginuid = column_number(row, 1),
		.role = column_number(row, 2), .approves = column_number(row, 3),
		.realtime_ns = column_number(row, 4), .comment = column_text(row, 5, &error),
		.access = column_number(row, 6), .duration_ns = column_number(row, 7),
		.begin_boottime_ns = column_number(row, 8), .flags = column_number(row, 9),
	};
	return error;
}

static int read_transition(sqlite3_stmt *row, void *into)
{
	struct docket_transition *transition = into;
	int error = 0;

	*transition = (struct docket_transition){
		.state = column_number(row, 0), .realtime_ns = column_number(row, 1),
		.uid = column_number(row, 2), .cause = column_text(row, 3, &error),
	};
	return error;
}

/* All rows of a statement, which is used up, as an array of @size each. */
static int read_rows(struct agent *agent, sqlite3_stmt *rows, size_t size,
		     int (*read)(sqlite3_stmt *row, void *into), void **ret, size_t *ret_count,
		     struct refusal *refusal)
{
	size_t room = 0;
	int step, r = 0;

	while (r == 0 && (step = sqlite3_step(rows)) != SQLITE_DONE) {
		if (step != SQLITE_ROW) {
			r = docket_failed(agent, refusal);
			break;
		}
		if (*ret_count == room) {
			void *more = reallocarray(*ret, room ? 2 * room : 16, size);

			if (!more) {
				r = refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
				break;
			}
			*ret = more;
			room = room ? 2 * room : 16;
		}
		if (read(rows, (char *)*ret + (*ret_count)++ * size) < 0)
			r = refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	}
	(void)sqlite3_finalize(rows);
	return r;
}

/* ---- queries ---- */

#define COMMA_NAME(name) #name ", "

/* "2, 3" */
static void state_list(uint32_t states, char text[4 * STATES + 1])
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 1; i < STATES; i++)
		if (states & UINT32_C(1) << i)
			used += sprintf(text + used, "%s%zu", used ? ", " : "", i);
}

/* "volume IN ('a', 'b')"; to be freed with sqlite3_free(), NULL without memory. */
static char *volume_list(const char *const *volumes)
{
	char *text = sqlite3_mprintf(volumes ? "volume IN (" : "1");

	for (size_t i = 0; text && volumes && volumes[i]; i++)
		text = sqlite3_mprintf("%z%s%Q", text, i ? ", " : "", volumes[i]);
	return text && volumes ? sqlite3_mprintf("%z)", text) : text;
}

int docket_list(struct agent *agent, const struct docket_filter *filter,
		struct docket_request **ret_requests, size_t *ret_count,
		struct refusal *refusal)
{
	static const char columns[] = DOCKET_COLUMNS(COMMA_NAME, COMMA_NAME);
	const struct docket_value values[] = {
		DOCKET_T(filter->volume), DOCKET_T(filter->boot),
		DOCKET_N(filter->kinds), DOCKET_N(filter->grant_id), DOCKET_N(filter->kernel_id),
		DOCKET_N(filter->since_realtime_ns), DOCKET_N(filter->before_id),
		DOCKET_N(filter->max ?: INT32_MAX), DOCKET_N(filter->after_id),
	};
	char *volumes = volume_list(filter->volumes), *sql = NULL;
	char states[4 * STATES + 1];
	sqlite3_stmt *rows;
	void *array = NULL;
	int r;

	*ret_requests = NULL;
	*ret_count = 0;
	state_list(filter->states, states);
	/* What is to be found by an index is only there if it is asked for. */
	if (!volumes ||
	    asprintf(&sql, "SELECT %.*s FROM request WHERE (?1 IS NULL OR volume = ?1)"
		     " AND %s AND %s %s%s%s AND (?3 = 0 OR (?3 >> kind) & 1) AND %s AND %s"
		     " AND %s AND %s AND changed_realtime_ns >= ?6 AND (?7 = 0 OR id < ?7)"
		     " AND id > ?9 ORDER BY id %s LIMIT ?8",
		     (int)sizeof(columns) - 3, columns, volumes,
		     filter->boot ? "boot = ?2" : "?2 IS NULL",
		     states[0] ? "AND state IN (" : "", states, states[0] ? ")" : "",
		     filter->grant_id ? "grant_id = ?4 AND grant_id != 0" : "?4 = 0",
		     filter->kernel_id ? "kernel_id = ?5 AND kernel_id != 0" : "?5 = 0",
		     filter->ungranted ? "grant_id = 0" : "1",
		     filter->closing ? "ended_boottime_ns != 0" : "1",
		     filter->newest_first ? "DESC" : "ASC") < 0)
		sql = NULL;
	sqlite3_free(volumes);
	if (!sql)
		return refuse(refusal, ENOMEM, NULL, "the agent has no memory left");
	r = docket_prepare(agent, sql, values, 9, &rows, refusal);
	free(sql);
	if (r < 0)
		return r;
	r = read_rows(agent, rows, sizeof(struct docket_request), read_request, &array, ret_count,
		      refusal);
	if (r < 0) {
		docket_free_requests(array, *ret_count);
		*ret_count = 0;
		return r;
	}
	*ret_requests = array;
	return 0;
}

int docket_get(struct agent *agent, uint64_t id, struct docket_request *ret_request,
	       struct refusal *refusal)
{
	const struct docket_filter filter = { .before_id = id + 1, .newest_first = true, .max = 1 };
	struct docket_request *found = NULL;
	size_t count = 0;
	int r;

	if (!id || id >= INT64_MAX)
		return refuse(refusal, ENOENT, "id", "there is no request %llu",
			      (unsigned long long)id);
	r = docket_list(agent, &filter, &found, &count, refusal);
	if (r < 0)
		return r;
	if (count && found->id == id) {
		*ret_request = *found;
		free(found);
		return 0;
	}
	docket_free_requests(found, count);
	return refuse(refusal, ENOENT, "id", "there is no request %llu", (unsigned long long)id);
}

int docket_approvals(struct agent *agent, uint64_t id, struct docket_approval **ret_approvals,
		     size_t *ret_count, struct refusal *refusal)
{
	const struct docket_value values[] = { DOCKET_N(id) };
	sqlite3_stmt *rows;
	void *array = NULL;
	int r;

	*ret_approvals = NULL;
	*ret_count = 0;
	r = docket_prepare(agent, "SELECT uid, loginuid, role, approves, realtime_ns, comment,"
			   " access, duration_ns, begin_boottime_ns, flags FROM approval"
			   " WHERE request = ? ORDER BY rowid", values, 1, &rows, refusal);
	if (r == 0)
		r = read_rows(agent, rows, sizeof(struct docket_approval), read_approval, &array,
			      ret_count, refusal);
	if (r < 0) {
		docket_free_approvals(array, *ret_count);
		*ret_count = 0;
		return r;
	}
	*ret_approvals = array;
	return 0;
}

int docket_transitions(struct agent *agent, uint64_t id,
		       struct docket_transition **ret_transitions, size_t *ret_count,
		       struct refusal *refusal)
{
	const struct docket_value values[] = { DOCKET_N(id) };
	sqlite3_stmt *rows;
	void *array = NULL;
	int r;

	*ret_transitions = NULL;
	*ret_count = 0;
	r = docket_prepare(agent, "SELECT state, realtime_ns, uid, cause FROM transition"
			   " WHERE request = ? ORDER BY id", values, 1, &rows, refusal);
	if (r == 0)
		r = read_rows(agent, rows, sizeof(struct docket_transition), read_transition,
			      &array, ret_count, refusal);
	if (r < 0) {
		docket_free_transitions(array, *ret_count);
		*ret_count = 0;
		return r;
	}
	*ret_transitions = array;
	return 0;
}

int docket_unacknowledged(struct agent *agent, uint64_t *ret_count, struct refusal *refusal)
{
	sqlite3_stmt *rows;
	int r;

	*ret_count = 0;
	/* The kind is DOCKET_BREAK_GLASS, in digits for the sake of the index. */
	r = docket_prepare(agent, "SELECT count(*) FROM request WHERE kind = 4 AND grant_id != 0"
			   " AND NOT EXISTS (SELECT 1 FROM approval WHERE approves"
			   " AND approval.request = request.id)", NULL, 0, &rows, refusal);
	if (r < 0)
		return r;
	if (sqlite3_step(rows) == SQLITE_ROW)
		*ret_count = column_number(rows, 0);
	else
		r = docket_failed(agent, refusal);
	(void)sqlite3_finalize(rows);
	return r;
}
