// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the docket's file, see docket.h.
 *
 * Owns: opening it, its schema and version, what becomes of a failure.
 *
 * Must not own: what is in it (docket_write.c, docket_read.c).
 *
 * A write-ahead log, so that whoever looks with sqlite3(1) does not keep the
 * agent from writing. The agent waits for a lock only shortly, as processes
 * wait for the agent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <systemd/sd-id128.h>

#include "agent.h"
#include "docket.h"
#include "docket_sql.h"
#include "journal.h"

#define FILE_NAME	"requests.db"
/* "TGrq", in the header of the file. */
#define APPLICATION	0x54477271
#define VERSION		1
#define LOCK_WAIT_MS	500
/* Statements that change it are kept for the next time: there are few. */
#define STATEMENTS	8
/* While it is broken not everybody who asks tries anew. */
#define RETRY_NS	(2 * NSEC_PER_SEC)

/**
 * struct docket - the database as the agent has it
 * @db: NULL while it is not open
 * @statements: of docket_run(), by the address of their text
 * @boot: id of the boot
 * @problem: why nothing can be written; "" if it can
 * @retry_ns: when it is tried again
 * @missed: something may not have been written
 */
struct docket {
	sqlite3 *db;
	struct {
		const char *sql;
		sqlite3_stmt *statement;
	} statements[STATEMENTS];
	char boot[SD_ID128_UUID_STRING_MAX];
	char problem[256];
	uint64_t retry_ns;
	bool missed;
};

static const char schema[] =
	"CREATE TABLE request (id INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL,"
	" kernel_id INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" parent INTEGER REFERENCES request (id), volume TEXT NOT NULL, path TEXT,"
	" subtree INTEGER NOT NULL, access INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, uid INTEGER NOT NULL,"
	" loginuid INTEGER NOT NULL, comm TEXT, exe TEXT, unit TEXT, rule TEXT,"
	" requester INTEGER NOT NULL, requester_login INTEGER NOT NULL,"
	" reason INTEGER NOT NULL, ticket TEXT, comment TEXT, location TEXT,"
	" retention_days INTEGER NOT NULL, legal_reference TEXT, notify TEXT,"
	" max_duration_ns INTEGER NOT NULL, need_trustees INTEGER NOT NULL,"
	" need_tenants INTEGER NOT NULL, raised_realtime_ns INTEGER NOT NULL,"
	" raised_boottime_ns INTEGER NOT NULL, deadline_boottime_ns INTEGER NOT NULL,"
	" state INTEGER NOT NULL, cause TEXT, changed_realtime_ns INTEGER NOT NULL,"
	" begin_boottime_ns INTEGER NOT NULL, duration_ns INTEGER NOT NULL,"
	" grant_access INTEGER NOT NULL, grant_id INTEGER NOT NULL,"
	" ended_boottime_ns INTEGER NOT NULL, grant_end INTEGER NOT NULL) STRICT;"
	/* The module counts anew when it is loaded again. */
	"CREATE UNIQUE INDEX request_kernel ON request (boot, kernel_id, raised_boottime_ns)"
	" WHERE kernel_id != 0;"
	"CREATE INDEX request_grant ON request (grant_id, boot) WHERE grant_id != 0;"
	"CREATE INDEX request_state ON request (state);"
	"CREATE INDEX request_closing ON request (id) WHERE ended_boottime_ns != 0;"
	"CREATE INDEX request_glass ON request (id) WHERE kind = 4;"
	"CREATE TABLE approval (request INTEGER NOT NULL REFERENCES request (id),"
	" uid INTEGER NOT NULL, loginuid INTEGER NOT NULL, role INTEGER NOT NULL,"
	" approves INTEGER NOT NULL, realtime_ns INTEGER NOT NULL, comment TEXT,"
	" access INTEGER NOT NULL, duration_ns INTEGER NOT NULL,"
	" begin_boottime_ns INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" UNIQUE (request, uid, approves)) STRICT;"
	"CREATE TABLE transition (id INTEGER PRIMARY KEY,"
	" request INTEGER NOT NULL REFERENCES request (id), state INTEGER NOT NULL,"
	" realtime_ns INTEGER NOT NULL, uid INTEGER NOT NULL, cause TEXT) STRICT;"
	"CREATE INDEX transition_request ON transition (request);";

const char *docket_problem(const struct agent *agent)
{
	return agent->docket && agent->docket->problem[0] ? agent->docket->problem : NULL;
}

bool docket_missed(struct agent *agent)
{
	bool missed = agent->docket->missed && !agent->docket->problem[0];

	if (missed)
		agent->docket->missed = false;
	return missed;
}

const char *docket_boot(const struct agent *agent)
{
	return agent->docket->boot;
}

sqlite3 *docket_db(struct agent *agent)
{
	return agent->docket->db;
}

/* ---- failures ---- */

static int problem(struct agent *agent, int error, const char *text, struct refusal *refusal)
{
	struct docket *docket = agent->docket;

	if (!docket->problem[0])
		journal_note(LOG_CRIT,
			     "requests cannot be kept, whatever needs approval is denied: %s; trying again",
			     text);
	snprintf(docket->problem, sizeof(docket->problem), "%s", text);
	docket->retry_ns = now_boottime_ns() + RETRY_NS;
	docket->missed = true;
	return refuse(refusal, error, NULL, "requests cannot be kept: %s", docket->problem);
}

static void close_file(struct docket *docket)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		(void)sqlite3_finalize(docket->statements[i].statement);
		docket->statements[i].statement = NULL;
	}
	(void)sqlite3_close_v2(docket->db);
	docket->db = NULL;
}

int docket_failed(struct agent *agent, struct refusal *refusal)
{
	struct docket *docket = agent->docket;
	int code = sqlite3_errcode(docket->db) & 0xff;
	char text[256];

	snprintf(text, sizeof(text), "%s/" FILE_NAME ": %s", agent->options.state_directory,
		 code == SQLITE_FULL ? "the disk is full" : sqlite3_errmsg(docket->db));
	if (!sqlite3_get_autocommit(docket->db))
		(void)sqlite3_exec(docket->db, "ROLLBACK", NULL, NULL, NULL);
	/* What is damaged or gone may be another file by the next time. */
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_CANTOPEN ||
	    code == SQLITE_IOERR || code == SQLITE_READONLY)
		close_file(docket);
	return problem(agent, code == SQLITE_FULL ? ENOSPC : EIO, text, refusal);
}

static void recovered(struct docket *docket)
{
	if (!docket->problem[0])
		return;
	docket->problem[0] = '\0';
	journal_note(LOG_NOTICE, "requests are kept again");
}

/* ---- the file ---- */

static int number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int value = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	return value;
}

static int check_version(struct agent *agent, struct refusal *refusal)
{
	sqlite3 *db = agent->docket->db;
	int version = number(db, "PRAGMA user_version");
	int application = number(db, "PRAGMA application_id");
	char text[256];

	if (version < 0 || application < 0)
		return docket_failed(agent, refusal);
	if (version == VERSION && application == APPLICATION)
		return 0;
	if (version == 0 && application == 0 &&
	    number(db, "SELECT count(*) FROM sqlite_schema") == 0) {
		snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
			 APPLICATION, VERSION);
		if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
		    sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
		    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK ||
		    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
			return docket_failed(agent, refusal);
		return 0;
	}
	snprintf(text, sizeof(text),
		 "%.128s/" FILE_NAME " is %s; move it away, or start the agent that made it",
		 agent->options.state_directory,
		 application == APPLICATION ? "of a newer version" : "not the agent's");
	close_file(agent->docket);
	return problem(agent, EINVAL, text, refusal);
}

/* Of the agent's own, and nobody else may write it. */
static int check_file(struct agent *agent, const char *path, struct refusal *refusal)
{
	char text[256];
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0) {
		snprintf(text, sizeof(text), "%.200s: %s", path, strerror(errno));
		return problem(agent, errno, text, refusal);
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH))) {
		close(fd);
		return 0;
	}
	close(fd);
	snprintf(text, sizeof(text), "%.160s must be a file of user %u that nobody else may write",
		 path, (unsigned int)geteuid());
	return problem(agent, EPERM, text, refusal);
}

static int open_file(struct agent *agent, struct refusal *refusal)
{
	struct docket *docket = agent->docket;
	char path[4096];
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s/" FILE_NAME,
			     agent->options.state_directory) >= sizeof(path))
		return problem(agent, ENAMETOOLONG, "the name is too long", refusal);
	r = check_file(agent, path, refusal);
	if (r < 0)
		return r;
	if (sqlite3_open_v2(path, &docket->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
			    SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		if (docket->db)
			return docket_failed(agent, refusal);
		return problem(agent, ENOMEM, "out of memory", refusal);
	}
	sqlite3_extended_result_codes(docket->db, 1);
	sqlite3_busy_timeout(docket->db, LOCK_WAIT_MS);
	sqlite3_db_config(docket->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(docket->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* There is no place for temporary files, such as long lists are sorted in. */
	if (sqlite3_exec(docket->db, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;"
			 "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;", NULL, NULL, NULL) != SQLITE_OK)
		return docket_failed(agent, refusal);
	return check_version(agent, refusal);
}

int docket_ready(struct agent *agent, struct refusal *refusal)
{
	struct docket *docket = agent->docket;

	if (docket->problem[0] && now_boottime_ns() < docket->retry_ns)
		return refuse(refusal, EIO, NULL, "requests cannot be kept: %s",
			      docket->problem);
	return docket->db ? 0 : open_file(agent, refusal);
}

/* ---- statements ---- */

static int bind(sqlite3_stmt *statement, const struct docket_value *values, size_t count)
{
	int done = SQLITE_OK;

	for (size_t i = 0; i < count && done == SQLITE_OK; i++) {
		const struct docket_value *value = &values[i];

		done = value->is_number ?
		       sqlite3_bind_int64(statement, i + 1, (sqlite3_int64)value->number) :
		       sqlite3_bind_text(statement, i + 1, value->text, -1, SQLITE_TRANSIENT);
	}
	return done;
}

int docket_prepare(struct agent *agent, const char *sql, const struct docket_value *values,
		   size_t count, sqlite3_stmt **ret, struct refusal *refusal)
{
	sqlite3_stmt *statement = NULL;
	int r = docket_ready(agent, refusal);

	if (r < 0)
		return r;
	if (sqlite3_prepare_v2(docket_db(agent), sql, -1, &statement, NULL) != SQLITE_OK)
		return docket_failed(agent, refusal);
	if (bind(statement, values, count) != SQLITE_OK) {
		(void)sqlite3_finalize(statement);
		return docket_failed(agent, refusal);
	}
	*ret = statement;
	return 0;
}

/* NULL if it cannot be prepared. */
static sqlite3_stmt *kept(struct docket *docket, const char *sql)
{
	size_t i = 0;

	while (i < STATEMENTS && docket->statements[i].statement &&
	       docket->statements[i].sql != sql)
		i++;
	if (i == STATEMENTS) {
		/* One more than there should be: the last one gives way. */
		i--;
		(void)sqlite3_finalize(docket->statements[i].statement);
		docket->statements[i].statement = NULL;
	}
	docket->statements[i].sql = sql;
	if (!docket->statements[i].statement)
		(void)sqlite3_prepare_v3(docket->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					 &docket->statements[i].statement, NULL);
	return docket->statements[i].statement;
}

int docket_run(struct agent *agent, const char *sql, const struct docket_value *values,
	       size_t count, struct refusal *refusal)
{
	int r = docket_ready(agent, refusal), done;
	sqlite3_stmt *statement;

	if (r < 0)
		return r;
	statement = kept(agent->docket, sql);
	if (!statement)
		return docket_failed(agent, refusal);
	done = bind(statement, values, count);
	if (done == SQLITE_OK)
		done = sqlite3_step(statement);
	if (done == SQLITE_DONE)
		done = SQLITE_OK;
	/* It may go with the file when that has failed. */
	(void)sqlite3_reset(statement);
	return done == SQLITE_OK ? 0 : docket_failed(agent, refusal);
}

int docket_begin(struct agent *agent, bool durable, struct refusal *refusal)
{
	int r = docket_ready(agent, refusal);

	if (r == 0 &&
	    (sqlite3_exec(docket_db(agent), durable ? "PRAGMA synchronous = FULL" :
			  "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) != SQLITE_OK ||
	     sqlite3_exec(docket_db(agent), "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK))
		r = docket_failed(agent, refusal);
	return r;
}

int docket_end(struct agent *agent, int r, struct refusal *refusal)
{
	if (r == 0 && sqlite3_exec(docket_db(agent), "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		r = docket_failed(agent, refusal);
	/* A failure has rolled back; one that is none of SQLite's has not. */
	else if (r < 0 && docket_db(agent) && !sqlite3_get_autocommit(docket_db(agent)))
		(void)sqlite3_exec(docket_db(agent), "ROLLBACK", NULL, NULL, NULL);
	if (r == 0)
		recovered(agent->docket);
	return r;
}

int docket_retry(struct agent *agent)
{
	struct refusal refusal = { 0 };
	int r;

	if (!agent->docket->problem[0])
		return 0;
	/* Whether it can be written shows only by writing. */
	r = docket_begin(agent, true, &refusal);
	if (r == 0 && sqlite3_exec(docket_db(agent), "CREATE TABLE probe (one INTEGER);"
				   "DROP TABLE probe", NULL, NULL, NULL) != SQLITE_OK)
		r = docket_failed(agent, &refusal);
	return docket_end(agent, r, &refusal);
}

/* ---- start and end ---- */

int docket_start(struct agent *agent)
{
	struct refusal ignored;
	sd_id128_t boot;

	agent->docket = calloc(1, sizeof(*agent->docket));
	if (!agent->docket || sd_id128_get_boot(&boot) < 0)
		return -ENOMEM;
	(void)sd_id128_to_uuid_string(boot, agent->docket->boot);
	(void)docket_ready(agent, &ignored);
	return 0;
}

void docket_stop(struct agent *agent)
{
	if (!agent->docket)
		return;
	close_file(agent->docket);
	free(agent->docket);
	agent->docket = NULL;
}
