// SPDX-License-Identifier: GPL-2.0-only
/*
 * fake_agent SOCKET SCRIPT LOG - an agent that answers as it is told.
 *
 * Owns: the server's side of io.trustgate.Agent, with the agent's own
 * declaration of the interface, so that a call that the real agent would refuse
 * as malformed is refused here, too.
 *
 * SCRIPT holds an object: for each method, an object with "replies" (an array)
 * or "error" and "parameters"; "disconnect" closes the connection afterwards.
 * It is read anew for each call. Each call is added to LOG as a line.
 *
 * Must not own: any opinion about the calls.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-event.h>
#include <systemd/sd-varlink.h>

#include "varlink_interface.h"

#define INTERFACE "io.trustgate.Agent."

static const char *script_path;
static const char *log_path;

static int write_log(const char *method, sd_json_variant *parameters,
		     sd_varlink_method_flags_t flags)
{
	sd_json_variant *entry = NULL;
	FILE *log;
	int r;

	r = sd_json_buildo(&entry, SD_JSON_BUILD_PAIR_STRING("method", method),
			   SD_JSON_BUILD_PAIR_VARIANT("parameters", parameters),
			   SD_JSON_BUILD_PAIR_BOOLEAN("more", !!(flags & SD_VARLINK_METHOD_MORE)));
	if (r < 0)
		return r;
	log = fopen(log_path, "ae");
	if (log) {
		sd_json_variant_dump(entry, SD_JSON_FORMAT_NEWLINE, log, NULL);
		fclose(log);
	}
	sd_json_variant_unref(entry);
	return log ? 0 : -EIO;
}

static int play(sd_varlink *link, sd_json_variant *answer)
{
	sd_json_variant *replies = sd_json_variant_by_key(answer, "replies");
	sd_json_variant *error = sd_json_variant_by_key(answer, "error");
	bool disconnect = sd_json_variant_by_key(answer, "disconnect") != NULL;
	size_t count = sd_json_variant_elements(replies);
	int r = 0;

	if (error)
		return sd_varlink_error(link, sd_json_variant_string(error),
					sd_json_variant_by_key(answer, "parameters"));
	for (size_t i = 0; r >= 0 && i < count; i++) {
		sd_json_variant *reply = sd_json_variant_by_index(replies, i);

		r = i + 1 < count || disconnect ? sd_varlink_notify(link, reply) :
						  sd_varlink_reply(link, reply);
	}
	if (r >= 0 && disconnect) {
		sd_varlink_flush(link);
		sd_varlink_close(link);
	}
	return r;
}

static int answer_call(const char *method, sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags)
{
	sd_json_variant *script = NULL;
	sd_json_variant *answer;
	int r;

	r = write_log(method, parameters, flags);
	if (r >= 0)
		r = sd_json_parse_file(NULL, script_path, 0, &script, NULL, NULL);
	if (r < 0)
		return r;
	answer = sd_json_variant_by_key(script, method);
	r = answer ? play(link, answer) : sd_varlink_error_errno(link, -ENOSYS);
	sd_json_variant_unref(script);
	return r;
}

#define METHOD(name) \
	static int method_##name(sd_varlink *link, sd_json_variant *parameters, \
				 sd_varlink_method_flags_t flags, void *userdata) \
	{ \
		(void)userdata; \
		return answer_call(#name, link, parameters, flags); \
	}

METHOD(Status)
METHOD(Metrics)
METHOD(ListVolumes)
METHOD(AddVolume)
METHOD(SetVolume)
METHOD(RemoveVolume)
METHOD(Grant)
METHOD(Service)
METHOD(Revoke)
METHOD(Stop)
METHOD(Start)
METHOD(Observe)
METHOD(Unobserve)
METHOD(ListGrants)
METHOD(ListKeepers)
METHOD(ListRequests)
METHOD(Approve)
METHOD(Deny)
METHOD(ShowRequest)
METHOD(RevokeRequest)
METHOD(ExtendRequest)
METHOD(Ask)
METHOD(Acknowledge)
METHOD(Watch)

#define BIND(name) INTERFACE #name, method_##name

int main(int argc, char *argv[])
{
	sd_varlink_server *server = NULL;
	sd_event *event = NULL;
	int r;

	if (argc != 4) {
		fprintf(stderr, "usage: fake_agent SOCKET SCRIPT LOG\n");
		return 2;
	}
	script_path = argv[2];
	log_path = argv[3];

	r = sd_varlink_server_new(&server, 0);
	if (r >= 0)
		r = sd_varlink_server_add_interface(server, &vl_interface_io_trustgate_Agent);
	if (r >= 0)
		r = sd_varlink_server_bind_method_many(server,
			BIND(Status), BIND(Metrics), BIND(ListVolumes), BIND(AddVolume), BIND(SetVolume),
			BIND(RemoveVolume), BIND(Grant), BIND(Service), BIND(Revoke),
			BIND(Stop), BIND(Start), BIND(Observe), BIND(Unobserve),
			BIND(ListGrants), BIND(ListKeepers), BIND(ListRequests), BIND(Approve), BIND(Deny), BIND(ShowRequest),
			BIND(RevokeRequest), BIND(ExtendRequest), BIND(Ask),
			BIND(Acknowledge), BIND(Watch));
	if (r >= 0)
		r = sd_varlink_server_listen_address(server, argv[1], 0600);
	if (r >= 0)
		r = sd_event_new(&event);
	if (r >= 0)
		r = sd_varlink_server_attach_event(server, event, 0);
	if (r >= 0)
		r = sd_event_loop(event);
	if (r < 0)
		fprintf(stderr, "fake_agent: %s\n", strerror(-r));
	sd_varlink_server_unref(server);
	sd_event_unref(event);
	return r < 0;
}
