// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Volumes.
 *
 * Owns: the requests volume-add, -set, -del and -get.
 *
 * Must not own: which filesystems are to be protected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include <netlink/attr.h>

#include "conn.h"

/* Room for the settings, an id and a descriptor. */
#define SETTINGS_SIZE 96

static int put_settings(struct nl_msg *msg, const struct trustgate_volume_settings *settings)
{
	int r = 0;

	if (!settings)
		return 0;
	if (settings->fields & TRUSTGATE_VOLUME_FIELD_MAX_DURATION)
		r = nla_put_u64(msg, TRUSTGATE_A_VOLUME_MAX_DURATION_NS, settings->max_duration_ns);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_ON_AGENT_LOSS))
		r = nla_put_u32(msg, TRUSTGATE_A_VOLUME_ON_AGENT_LOSS, settings->on_agent_loss);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_RECORD))
		r = nla_put_u32(msg, TRUSTGATE_A_VOLUME_RECORD, settings->record);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_AUDIT))
		r = nla_put_u32(msg, TRUSTGATE_A_VOLUME_AUDIT, settings->audit);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_METADATA))
		r = nla_put_u32(msg, TRUSTGATE_A_VOLUME_METADATA, settings->metadata);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_LEAST_ON_END))
		r = nla_put_u32(msg, TRUSTGATE_A_VOLUME_LEAST_ON_END, settings->least_on_end);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_ASK))
		r = nla_put_u64(msg, TRUSTGATE_A_VOLUME_ASK_NS, settings->ask_ns);
	if (!r && (settings->fields & TRUSTGATE_VOLUME_FIELD_OBSERVED))
		r = nla_put_u64(msg, TRUSTGATE_A_VOLUME_OBSERVED_UNTIL_BOOTTIME_NS,
				settings->observed_until_boottime_ns);
	return r;
}

static int volume_reply(const void *attrs, size_t length, void *userdata)
{
	return trustgate_decode_volume(attrs, length, userdata);
}

static int id_reply(const void *attrs, size_t length, void *userdata)
{
	const struct nlattr *id = nla_find(attrs, length, TRUSTGATE_A_VOLUME_ID);

	if (!id || nla_len(id) != sizeof(uint32_t))
		return -EBADMSG;
	*(uint32_t *)userdata = nla_get_u32(id);
	return 0;
}

int trustgate_volume_add(struct trustgate_conn *conn, const char *name,
			 const char *path, int fd,
			 const struct trustgate_volume_settings *settings,
			 uint32_t *ret_id)
{
	uint32_t id = 0;
	struct request request = {
		.what = "add the volume",
		.set = &trustgate_attr_volume,
		.reply = id_reply,
		.userdata = &id,
	};
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!name || (fd >= 0) == !!path)
		return trustgate_fail(conn, -EINVAL, "cannot %s: a name and either a path or a descriptor are needed",
				      request.what);
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_VOLUME_ADD, 0,
				  SETTINGS_SIZE + nla_total_size(strlen(name) + 1) +
				  (path ? nla_total_size(strlen(path) + 1) : 0));
	if (r)
		return r;
	r = nla_put_string(request.msg, TRUSTGATE_A_VOLUME_NAME, name);
	if (!r && path)
		r = nla_put_string(request.msg, TRUSTGATE_A_VOLUME_PATH, path);
	if (!r && !path)
		r = nla_put_s32(request.msg, TRUSTGATE_A_VOLUME_FD, fd);
	if (!r)
		r = put_settings(request.msg, settings);
	r = trustgate_request_run(conn, &request, r);
	if (!r && !id) {
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
		conn->error.unsure = true;
	}
	if (!r && ret_id)
		*ret_id = id;
	return r;
}

static int run_with_id(struct trustgate_conn *conn, const char *what, uint8_t cmd,
		       uint32_t id, const struct trustgate_volume_settings *settings)
{
	struct request request = { .what = what, .set = &trustgate_attr_volume };
	int r;

	r = trustgate_request_new(conn, &request, cmd, 0, SETTINGS_SIZE);
	if (r)
		return r;
	r = nla_put_u32(request.msg, TRUSTGATE_A_VOLUME_ID, id);
	if (!r)
		r = put_settings(request.msg, settings);
	return trustgate_request_run(conn, &request, r);
}

int trustgate_volume_set(struct trustgate_conn *conn, uint32_t id,
			 const struct trustgate_volume_settings *settings)
{
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!settings || !settings->fields)
		return trustgate_fail(conn, -EINVAL, "cannot change the volume: no setting is given");
	return run_with_id(conn, "change the volume", TRUSTGATE_CMD_VOLUME_SET, id, settings);
}

static int set_devices(struct trustgate_conn *conn, uint32_t id, int attribute,
		       const dev_t *devices, size_t count)
{
	struct request request = { .what = "change the volume", .set = &trustgate_attr_volume };
	uint32_t numbers[TRUSTGATE_LOWER_DEVICES_MAX];
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (count > TRUSTGATE_LOWER_DEVICES_MAX)
		return trustgate_fail(conn, -EINVAL, "cannot %s: %zu devices below it are more than %d",
				      request.what, count, TRUSTGATE_LOWER_DEVICES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (devices[i] > UINT32_MAX)
			return trustgate_fail(conn, -EINVAL, "cannot %s: %u:%u is no number of a device",
					      request.what, major(devices[i]), minor(devices[i]));
		numbers[i] = (uint32_t)devices[i];
	}
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_VOLUME_SET, 0,
				  SETTINGS_SIZE + sizeof(numbers));
	if (r)
		return r;
	r = nla_put_u32(request.msg, TRUSTGATE_A_VOLUME_ID, id);
	if (!r)
		r = nla_put(request.msg, attribute, (int)(count * sizeof(*numbers)), numbers);
	return trustgate_request_run(conn, &request, r);
}

int trustgate_volume_set_lower(struct trustgate_conn *conn, uint32_t id,
			       const dev_t *devices, size_t count)
{
	return set_devices(conn, id, TRUSTGATE_A_VOLUME_LOWER_DEVICES, devices, count);
}

int trustgate_volume_set_nodes(struct trustgate_conn *conn, uint32_t id,
			       const dev_t *nodes, size_t count)
{
	return set_devices(conn, id, TRUSTGATE_A_VOLUME_LOWER_NODES, nodes, count);
}

int trustgate_volume_del(struct trustgate_conn *conn, uint32_t id)
{
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	return run_with_id(conn, "remove the volume", TRUSTGATE_CMD_VOLUME_DEL, id, NULL);
}

int trustgate_volume_get(struct trustgate_conn *conn, uint32_t id, const char *name,
			 struct trustgate_volume *ret_volume)
{
	struct trustgate_volume volume = { 0 };
	struct request request = {
		.what = "read the volume",
		.set = &trustgate_attr_volume,
		.reply = volume_reply,
		.userdata = &volume,
	};
	int r;

	r = trustgate_begin(conn);
	if (r)
		return r;
	if (!id == !name)
		return trustgate_fail(conn, -EINVAL, "cannot %s: either an id or a name is needed",
				      request.what);
	r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_VOLUME_GET, 0,
				  name ? nla_total_size(strlen(name) + 1) : SETTINGS_SIZE);
	if (r)
		return r;
	if (name)
		r = nla_put_string(request.msg, TRUSTGATE_A_VOLUME_NAME, name);
	else
		r = nla_put_u32(request.msg, TRUSTGATE_A_VOLUME_ID, id);
	r = trustgate_request_run(conn, &request, r);
	if (!r && !volume.id)
		r = trustgate_fail(conn, -EPROTO, "cannot %s: the answer is empty", request.what);
	if (!r)
		*ret_volume = volume;
	return r;
}

/* ---- all of them ---- */

struct volume_array {
	struct trustgate_volume *volumes;
	size_t count;
};

static int array_reply(const void *attrs, size_t length, void *userdata)
{
	struct volume_array *array = userdata;
	struct trustgate_volume *volumes;
	int r;

	volumes = reallocarray(array->volumes, array->count + 1, sizeof(*volumes));
	if (!volumes)
		return -ENOMEM;
	array->volumes = volumes;
	r = trustgate_decode_volume(attrs, length, &volumes[array->count]);
	if (!r)
		array->count++;
	return r;
}

int trustgate_volume_list(struct trustgate_conn *conn,
			  struct trustgate_volume **ret_volumes,
			  size_t *ret_count, struct trustgate_dump *ret_dump)
{
	struct trustgate_dump dump = { 0 };
	struct volume_array array = { 0 };
	int r;

	r = trustgate_begin(conn);
	while (!r && !dump.consistent && dump.attempts < DUMP_ATTEMPTS) {
		struct request request = {
			.what = "read the volumes",
			.set = &trustgate_attr_volume,
			.reply = array_reply,
			.userdata = &array,
		};

		array.count = 0;
		r = trustgate_request_new(conn, &request, TRUSTGATE_CMD_VOLUME_GET, NLM_F_DUMP, 0);
		if (!r)
			r = trustgate_request_run(conn, &request, 0);
		dump.attempts++;
		dump.consistent = !request.interrupted;
	}
	if (r || !array.count) {
		free(array.volumes);
		array = (struct volume_array){ 0 };
	}
	if (r)
		return r;
	*ret_volumes = array.volumes;
	*ret_count = array.count;
	if (ret_dump)
		*ret_dump = dump;
	return 0;
}
