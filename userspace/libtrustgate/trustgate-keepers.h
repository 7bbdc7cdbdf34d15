/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - processes that have files of a volume open or mapped.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_KEEPERS_H
#define _TRUSTGATE_KEEPERS_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

/**
 * struct trustgate_keeper - what a process has of a volume
 * @present: bits 1 << TRUSTGATE_A_KEEPER_... of what the kernel sent
 * @volume_id: the volume
 * @pid: in the pid namespace of the caller, 0 if it has none there
 * @start_ticks: start time of the process as in field 22 of /proc/PID/stat
 * @uid: its real user
 * @comm: its command name; any bytes
 * @files: files that it has open, each use of which is a check of its own
 * @mappings: that show a file, or its private copy of one
 * @files_denied: those of @files that would be denied every use now; none while the
 *	volume is observed
 * @mappings_denied: those of @mappings that could not be made now; likewise
 * @program: some of them are of a program that it executes
 * @unknown: its memory was locked for long, so that @mappings is not known
 * @path: see @present; of one of the files, a mapped one if there is any; relative
 *	to the volume's root; any bytes
 * @path_cut: @path lost its beginning
 */
struct trustgate_keeper {
	uint64_t present;
	uint32_t volume_id;
	pid_t pid;
	uint64_t start_ticks;
	uid_t uid;
	char comm[TRUSTGATE_COMM_SIZE];
	uint32_t files;
	uint32_t mappings;
	uint32_t files_denied;
	uint32_t mappings_denied;
	bool program;
	bool unknown;
	char path[TRUSTGATE_EVENT_PATH_MAX + 1];
	bool path_cut;
};

/*
 * Called for each such process. A value other than 0 ends the dump and becomes its
 * result. It may not use the connection, it gets -EBUSY.
 */
typedef int (*trustgate_keeper_visitor_t)(const struct trustgate_keeper *keeper,
					  void *userdata);

/**
 * trustgate_keeper_each() - who has files of a volume open or mapped
 * @conn: connected
 * @volume_id: which volume
 * @visitor: called for each of them, with a grant or without
 * @userdata: handed to @visitor
 *
 * A process that lives all the while is looked at once. What it has may have
 * changed since. Descriptors on their way in a socket, or that only an io_uring
 * has, are nobody's and not told.
 *
 * Return: 0; -ENOENT if no volume has this id; or what the visitor returned.
 */
int trustgate_keeper_each(struct trustgate_conn *conn, uint32_t volume_id,
			  trustgate_keeper_visitor_t visitor, void *userdata);

#endif /* _TRUSTGATE_KEEPERS_H */
