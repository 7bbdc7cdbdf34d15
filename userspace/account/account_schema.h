/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What reader and writer of the account's file share.
 *
 * Owns: names in the file, errors of SQLite as errnos.
 *
 * Must not own: anything that the callers of account.h need.
 */
#ifndef _TRUSTGATE_ACCOUNT_SCHEMA_H
#define _TRUSTGATE_ACCOUNT_SCHEMA_H

#include <errno.h>
#include <stdio.h>

#include <sqlite3.h>

#include "account.h"

/* "TGac", in the header of the file. */
#define ACCOUNT_APPLICATION 0x54476163

#define ACCOUNT_ENTRY_COLUMNS \
	"seq, boot, realtime, boottime, kind, kernel_seq, kernel_missed, body, previous, hash"

/* Write the sentence, give the code. */
#define account_fail(error, code, ...) ({ \
	int code_ = (code); \
	snprintf(error, ACCOUNT_ERROR_SIZE, __VA_ARGS__); \
	code_; \
})

/**
 * account_sql_errno() - SQLite's last error as an errno
 * @db: the connection
 *
 * Return: a negative errno.
 */
static inline int account_sql_errno(sqlite3 *db)
{
	int system = sqlite3_system_errno(db);

	switch (sqlite3_errcode(db) & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return system > 0 ? -system : -EIO;
	default:
		/* Damage, or a statement that fits only what we have made. */
		return -EBADMSG;
	}
}

#endif /* _TRUSTGATE_ACCOUNT_SCHEMA_H */
