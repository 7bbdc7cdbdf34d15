// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has files open or mapped, at a gate without a kernel.
 *
 * Owns: telling what the test has written beside the gate's state: in ".keepers" a
 * line for each process with the number of the volume, the process, how much later
 * it is said to have begun than it has, its open files and its mappings.
 *
 * Must not own: anything else of the gate (fake_gate.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_gate.h"

int trustgate_keeper_each(struct trustgate_conn *conn, uint32_t volume_id,
			  trustgate_keeper_visitor_t visitor, void *userdata)
{
	unsigned int volume, later, files, mappings;
	char path[512];
	FILE *file;
	int pid, r;

	if (!fake_volume(conn->state, volume_id, NULL))
		return fake_fail(conn, ENOENT, "volume-id", "no volume has this id");
	snprintf(path, sizeof(path), "%s.keepers", getenv("TRUSTGATE_FAKE"));
	file = fopen(path, "re");
	r = fake_answer(conn, "keeper-get");
	while (!r && file &&
	       fscanf(file, "%u %d %u %u %u", &volume, &pid, &later, &files, &mappings) == 5) {
		struct trustgate_keeper keeper = {
			.present = ~UINT64_C(0),
			.volume_id = volume,
			.pid = pid,
			.start_ticks = fake_start_ticks(pid) + later,
			.comm = "worker",
			.files = files,
			.mappings = mappings,
			.path = "db/main.db",
		};

		if (volume == volume_id)
			r = visitor(&keeper, userdata);
	}
	if (file)
		fclose(file);
	return r;
}
