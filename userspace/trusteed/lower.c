// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the block devices further below the volumes.
 *
 * A volume's bytes are on the devices that its own is made of, too: those below
 * a logical volume, an encrypted or a RAID device, and the disks that these are
 * partitions of. A btrfs is on several, none of which is its own. sysfs knows
 * them; the kernel's gate is told and closes them.
 *
 * Owns: finding them, and following them as they change.
 *
 * Must not own: the volume's own devices and their disks, which the gate finds
 * itself and tells.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-device.h>

#include "agent.h"
#include "journal.h"
#include "nodes.h"

/* Not one that is lost: the whole is told to the kernel, or nothing. */
struct found {
	dev_t devices[TRUSTGATE_LOWER_DEVICES_MAX];
	size_t count;
};

static int collect(sd_device *device, struct found *found);

/* Returns 1 if it was not among them yet. */
static int note(sd_device *device, struct found *found)
{
	dev_t number;
	int r = sd_device_get_devnum(device, &number);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found->count; i++)
		if (found->devices[i] == number)
			return 0;
	if (found->count == TRUSTGATE_LOWER_DEVICES_MAX)
		return -E2BIG;
	found->devices[found->count++] = number;
	return 1;
}

static int take(sd_device *device, struct found *found)
{
	int r = note(device, found);

	return r > 0 ? collect(device, found) : r;
}

static bool is_type(sd_device *device, const char *type)
{
	const char *is;

	return sd_device_get_devtype(device, &is) >= 0 && !strcmp(is, type);
}

/* A disk that is used as a whole may have partitions all the same. */
static int note_partitions(sd_device *disk, struct found *found)
{
	const char *suffix;
	sd_device *child;
	int r = 0;

	if (!is_type(disk, "disk"))
		return 0;
	for (child = sd_device_get_child_first(disk, &suffix); child && r >= 0;
	     child = sd_device_get_child_next(disk, &suffix))
		if (is_type(child, "partition"))
			r = note(child, found);
	return r;
}

static int take_link(const char *directory, const char *name, struct found *found)
{
	sd_device *device = NULL;
	char *path;
	int r;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	r = sd_device_new_from_syspath(&device, path);
	free(path);
	if (r >= 0)
		r = take(device, found);
	if (r >= 0)
		r = note_partitions(device, found);
	sd_device_unref(device);
	/* Gone between the two looks: its removal is another event. */
	return r == -ENODEV ? 0 : r < 0 ? r : 0;
}

/* All devices that a directory has links to; 0 also if it is not there. */
static int collect_links(const char *path, struct found *found)
{
	struct dirent *entry;
	DIR *directory;
	int r = 0;

	directory = opendir(path);
	if (!directory)
		r = errno == ENOENT ? 0 : -errno;
	while (directory && r >= 0) {
		errno = 0;
		entry = readdir(directory);
		if (!entry) {
			r = -errno;
			break;
		}
		if (entry->d_name[0] != '.')
			r = take_link(path, entry->d_name, found);
	}
	if (directory)
		closedir(directory);
	return r;
}

static int collect_slaves(const char *syspath, struct found *found)
{
	char *path;
	int r;

	if (asprintf(&path, "%s/slaves", syspath) < 0)
		return -ENOMEM;
	r = collect_links(path, found);
	free(path);
	return r;
}

/* A btrfs lies on as many devices as it likes, and has the number of none. */
static int collect_members(const uint8_t u[16], struct found *found)
{
	char path[80];
	int r;

	snprintf(path, sizeof(path),
		 "/sys/fs/btrfs/%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x/devices",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		 u[13], u[14], u[15]);
	r = collect_links(path, found);
	/* It lies on some, so not to find any is not to know. */
	return r >= 0 && !found->count ? -ENODEV : r;
}

/* What @device is made of, and all below. */
static int collect(sd_device *device, struct found *found)
{
	const char *path;
	sd_device *disk;
	int r;

	if (is_type(device, "partition")) {
		r = sd_device_get_parent(device, &disk);
		if (r >= 0)
			r = take(disk, found);
		if (r < 0)
			return r;
	}
	r = sd_device_get_syspath(device, &path);
	return r < 0 ? r : collect_slaves(path, found);
}

static int find(const struct trustgate_volume *volume, struct found *found)
{
	int r = 0;

	found->count = 0;
	if (!strcmp(volume->fstype, "btrfs"))
		return collect_members(volume->uuid, found);
	for (size_t i = 0; i < volume->own_count && r >= 0; i++) {
		sd_device *device = NULL;

		r = sd_device_new_from_devnum(&device, 'b', volume->own[i]);
		if (r >= 0)
			r = collect(device, found);
		/* Of these, partitions that nothing holds may go. */
		else if (r == -ENODEV)
			r = 0;
		sd_device_unref(device);
	}
	return r;
}

static int compare(const void *a, const void *b)
{
	const dev_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool is_told(const struct trustgate_volume *volume, const struct found *found)
{
	return volume->lower_count == found->count &&
	       !memcmp(volume->lower, found->devices, found->count * sizeof(*found->devices));
}

static int set_nodes(struct agent *agent, const struct trustgate_volume *volume,
		     const struct nodes *nodes)
{
	int r = trustgate_volume_set_nodes(agent->gate, volume->id, nodes->devices, nodes->count);

	if (r < 0 && trustgate_error_unsure(agent->gate))
		r = trustgate_volume_set_nodes(agent->gate, volume->id, nodes->devices,
					       nodes->count);
	return r;
}

static void update_nodes(struct agent *agent, const struct trustgate_volume *volume,
			 const struct found *found, bool closed)
{
	struct nodes nodes = { .count = 0 };
	int r = closed ? nodes_find(volume, found->devices, found->count, &nodes) : 0;
	struct record record;

	if (r >= 0 && volume->nodes_count == nodes.count &&
	    !memcmp(volume->nodes, nodes.devices, nodes.count * sizeof(*nodes.devices)))
		return;
	if (r >= 0)
		r = set_nodes(agent, volume, &nodes);
	if (r < 0)
		record_begin(&record, LOG_ERR, MESSAGE_ID_VOLUME,
			     "volume \"%s\": devices that pass commands to its disks may be open: %s; see \"lower-devices\" in trusteed.yaml(5)",
			     volume->name, strerror(-r));
	else
		record_begin(&record, LOG_INFO, MESSAGE_ID_VOLUME,
			     "volume \"%s\": %zu devices that pass commands to its disks are closed",
			     volume->name, nodes.count);
	record_text(&record, "TRUSTGATE_VOLUME", volume->name);
	record_send(&record);
}

static void tell_of(const struct trustgate_volume *volume, const struct found *found, int error)
{
	struct record record;

	if (error < 0)
		record_begin(&record, LOG_ERR, MESSAGE_ID_VOLUME,
			     "volume \"%s\": the devices below its device may be open: %s; see \"lower-devices\" in trusteed.yaml(5)",
			     volume->name, strerror(-error));
	else
		record_begin(&record, LOG_INFO, MESSAGE_ID_VOLUME,
			     "volume \"%s\": %zu devices below its device are closed",
			     volume->name, found->count);
	record_text(&record, "TRUSTGATE_VOLUME", volume->name);
	record_send(&record);
}

static void update_one(struct agent *agent, const struct trustgate_volume *volume)
{
	const struct config_volume *config = config_find_volume(agent->config, volume->name);
	const bool closed = !config || !config->lower_open;
	struct found found = { .count = 0 };
	int r = 0;

	if (closed)
		r = find(volume, &found);
	/* Also of as many as were found. */
	update_nodes(agent, volume, &found, closed);
	/* In the order in which the kernel is told, so that the two compare. */
	qsort(found.devices, found.count, sizeof(*found.devices), compare);
	if (r >= 0 && is_told(volume, &found))
		return;
	if (r >= 0)
		r = trustgate_volume_set_lower(agent->gate, volume->id, found.devices,
					       found.count);
	/* Once more does no harm. */
	if (r < 0 && trustgate_error_unsure(agent->gate))
		r = trustgate_volume_set_lower(agent->gate, volume->id, found.devices,
					       found.count);
	tell_of(volume, &found, r);
}

void lower_update(struct agent *agent)
{
	struct trustgate_volume *volumes;
	struct trustgate_dump dump;
	size_t count;

	if (trustgate_volume_list(agent->gate, &volumes, &count, &dump) < 0) {
		journal_note(LOG_ERR, "cannot list the volumes to close the devices below them: %s",
			     trustgate_error_text(agent->gate));
		return;
	}
	for (size_t i = 0; i < count; i++)
		update_one(agent, &volumes[i]);
	free(volumes);
}

static int on_device(sd_device_monitor *monitor, sd_device *device, void *userdata)
{
	(void)monitor;
	(void)device;
	lower_update(userdata);
	return 0;
}

int lower_start(struct agent *agent)
{
	int r = sd_device_monitor_new(&agent->devices);

	if (r >= 0)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(agent->devices, "block",
									 NULL);
	for (size_t i = 0; nodes_subsystems[i] && r >= 0; i++)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(agent->devices,
									 nodes_subsystems[i], NULL);
	if (r >= 0)
		r = sd_device_monitor_attach_event(agent->devices, agent->event);
	if (r >= 0)
		r = sd_device_monitor_start(agent->devices, on_device, agent);
	if (r < 0)
		journal_note(LOG_CRIT, "cannot follow the block devices: %s", strerror(-r));
	return r < 0 ? r : 0;
}

void lower_stop(struct agent *agent)
{
	agent->devices = sd_device_monitor_unref(agent->devices);
}
