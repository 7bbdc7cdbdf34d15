// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - the agent over Varlink.
 *
 * Owns: the socket, calls and replies, and the translation of the interface's
 * errors into words and exit codes.
 *
 * Must not own: what is asked or how the answer is shown.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "table.h"

int agent_connect(const struct cli *cli, sd_varlink **ret)
{
	int r;

	r = sd_varlink_connect_address(ret, cli->agent);
	if (r >= 0)
		return 0;
	if (r == -EACCES || r == -EPERM)
		complain("cannot reach the agent at %s: %s. Run this as root or as a user whom trusteed.yaml(5) names.",
			 cli->agent, strerror(-r));
	else
		complain("cannot reach the agent at %s: %s. Is it running? See \"systemctl status trusteed\".",
			 cli->agent, strerror(-r));
	return EXIT_UNREACHABLE;
}

/* ---- errors ---- */

static int complain_refused(sd_json_variant *parameters)
{
	const char *message = field_string(parameters, "message");
	const char *attribute = field_string(parameters, "attribute");
	uint64_t number = 0;

	field_number(parameters, "errno", &number);
	complain("refused: %s%s%s%s%s%s%s", message ?: "no reason given",
		 attribute ? " (attribute " : "", attribute ?: "", attribute ? ")" : "",
		 number && number < 4096 ? " [" : "",
		 number && number < 4096 ? strerrorname_np(number) ?: "?" : "",
		 number && number < 4096 ? "]" : "");
	return EXIT_REFUSED;
}

static int complain_not_permitted(sd_json_variant *parameters)
{
	const char *who = field_string(parameters, "who");
	const char *what = field_string(parameters, "what");
	const char *cure = field_string(parameters, "cure");

	complain("not permitted: %s may not %s%s%s", who ?: "you", what ?: "do this",
		 cure && *cure ? "; " : "", cure ?: "");
	return EXIT_REFUSED;
}

static int complain_standard(const char *error_id, sd_json_variant *parameters)
{
	uint64_t number = 0;

	if (!strcmp(error_id, SD_VARLINK_ERROR_DISCONNECTED)) {
		complain("the agent closed the connection. See \"systemctl status trusteed\".");
		return EXIT_UNREACHABLE;
	}
	if (!strcmp(error_id, SD_VARLINK_ERROR_TIMEOUT)) {
		complain("the agent did not answer in time. See \"systemctl status trusteed\".");
		return EXIT_UNREACHABLE;
	}
	if (!strcmp(error_id, SD_VARLINK_ERROR_INTERFACE_NOT_FOUND) ||
	    !strcmp(error_id, SD_VARLINK_ERROR_METHOD_NOT_FOUND) ||
	    !strcmp(error_id, SD_VARLINK_ERROR_METHOD_NOT_IMPLEMENTED)) {
		complain("the agent does not know this request (%s): it is of another version than trustgate %s.",
			 error_id, TRUSTGATE_VERSION);
		return EXIT_REFUSED;
	}
	if (!strcmp(error_id, SD_VARLINK_ERROR_INVALID_PARAMETER)) {
		const char *name = field_string(parameters, "parameter");

		complain("the agent does not understand the value of \"%s\".", name ?: "a parameter");
		return EXIT_REFUSED;
	}
	if (!strcmp(error_id, SD_VARLINK_ERROR_SYSTEM) &&
	    field_number(parameters, "errno", &number) && number < 4096) {
		complain("the agent failed: %s. See \"journalctl -u trusteed\".", strerror(number));
		return EXIT_REFUSED;
	}
	complain("the agent answered with the error %s.", error_id);
	return EXIT_REFUSED;
}

int agent_complain(const char *error_id, sd_json_variant *parameters)
{
	uint64_t id = 0;

	if (!strcmp(error_id, AGENT_INTERFACE ".Refused"))
		return complain_refused(parameters);
	if (!strcmp(error_id, AGENT_INTERFACE ".NotPermitted"))
		return complain_not_permitted(parameters);
	if (!strcmp(error_id, AGENT_INTERFACE ".NoSuchVolume")) {
		complain("there is no volume \"%s\". See \"trustgate volume list\".",
			 field_string(parameters, "name") ?: "?");
		return EXIT_REFUSED;
	}
	if (!strcmp(error_id, AGENT_INTERFACE ".NoSuchGrant")) {
		field_number(parameters, "id", &id);
		complain("there is no grant %llu; it may have ended. See \"trustgate grants\".",
			 (unsigned long long)id);
		return EXIT_REFUSED;
	}
	return complain_standard(error_id, parameters);
}

/* A failure on this side of the connection. */
static int complain_local(int r)
{
	if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
		return agent_complain(SD_VARLINK_ERROR_DISCONNECTED, NULL);
	if (r == -ETIME || r == -ETIMEDOUT)
		return agent_complain(SD_VARLINK_ERROR_TIMEOUT, NULL);
	complain("talking to the agent failed: %s.", strerror(-r));
	return EXIT_UNREACHABLE;
}

/* ---- calls ---- */

int agent_try(const struct cli *cli, const char *method, sd_json_variant *parameters,
	      sd_json_variant **ret_reply, char **ret_error_id)
{
	sd_json_variant *reply = NULL;
	const char *error_id = NULL;
	sd_varlink *link = NULL;
	char name[128];
	int r;

	*ret_error_id = NULL;
	snprintf(name, sizeof(name), AGENT_INTERFACE ".%s", method);
	r = agent_connect(cli, &link);
	if (!r) {
		r = sd_varlink_call(link, name, parameters, &reply, &error_id);
		r = r < 0 ? complain_local(r) : 0;
	}
	if (!r && error_id) {
		*ret_error_id = strdup(error_id);
		if (!*ret_error_id) {
			complain("out of memory");
			r = EXIT_REFUSED;
		}
	}
	/* The reply belongs to the link. */
	if (!r)
		*ret_reply = sd_json_variant_ref(reply);
	sd_varlink_unref(link);
	sd_json_variant_unref(parameters);
	return r;
}

int agent_call(const struct cli *cli, const char *method, sd_json_variant *parameters,
	       sd_json_variant **ret_reply)
{
	sd_json_variant *reply = NULL;
	char *error_id;
	int r;

	r = agent_try(cli, method, parameters, &reply, &error_id);
	if (!r && error_id) {
		r = agent_complain(error_id, reply);
		reply = sd_json_variant_unref(reply);
	}
	if (!r)
		*ret_reply = reply;
	free(error_id);
	return r;
}

struct stream {
	agent_reply_fn reply;
	void *userdata;
	bool done;
	int result;
};

static int stream_reply(sd_varlink *link, sd_json_variant *parameters, const char *error_id,
			sd_varlink_reply_flags_t flags, void *userdata)
{
	struct stream *stream = userdata;

	(void)link;
	if (stream->done)
		return 0;
	if (error_id) {
		stream->result = agent_complain(error_id, parameters);
		stream->done = true;
		return 0;
	}
	stream->result = stream->reply(parameters, stream->userdata);
	stream->done = stream->result || !(flags & SD_VARLINK_REPLY_CONTINUES);
	return 0;
}

int agent_stream(const struct cli *cli, const char *method, sd_json_variant *parameters,
		 bool endless, agent_reply_fn reply, void *userdata)
{
	struct stream stream = { .reply = reply, .userdata = userdata };
	sd_varlink *link = NULL;
	char name[128];
	int r;

	snprintf(name, sizeof(name), AGENT_INTERFACE ".%s", method);
	r = agent_connect(cli, &link);
	if (r) {
		sd_json_variant_unref(parameters);
		return r;
	}
	sd_varlink_set_userdata(link, &stream);
	r = sd_varlink_bind_reply(link, stream_reply);
	if (r >= 0 && endless)
		r = sd_varlink_set_relative_timeout(link, UINT64_MAX);
	if (r >= 0)
		r = sd_varlink_observe(link, name, parameters);
	while (r >= 0 && !stream.done) {
		r = sd_varlink_process(link);
		if (r == 0)
			r = sd_varlink_wait(link, UINT64_MAX);
	}
	if (stream.done)
		r = stream.result;
	else
		r = complain_local(r);
	if (!r && endless)
		r = agent_complain(SD_VARLINK_ERROR_DISCONNECTED, NULL);
	sd_varlink_close_unref(link);
	sd_json_variant_unref(parameters);
	return r;
}

/* ---- replies ---- */

const char *field_string(sd_json_variant *object, const char *name)
{
	sd_json_variant *value = sd_json_variant_by_key(object, name);

	return sd_json_variant_is_string(value) ? sd_json_variant_string(value) : NULL;
}

bool field_number(sd_json_variant *object, const char *name, uint64_t *ret)
{
	sd_json_variant *value = sd_json_variant_by_key(object, name);

	if (!sd_json_variant_is_unsigned(value))
		return false;
	*ret = sd_json_variant_unsigned(value);
	return true;
}

bool field_true(sd_json_variant *object, const char *name)
{
	sd_json_variant *value = sd_json_variant_by_key(object, name);

	return sd_json_variant_is_boolean(value) && sd_json_variant_boolean(value);
}

char *field_joined(sd_json_variant *object, const char *name, const char *separator)
{
	sd_json_variant *value = sd_json_variant_by_key(object, name);
	char *joined = NULL;
	size_t size = 0;
	FILE *stream;

	if (!sd_json_variant_is_array(value))
		return NULL;
	stream = open_memstream(&joined, &size);
	if (!stream)
		return NULL;
	for (size_t i = 0; i < sd_json_variant_elements(value); i++) {
		sd_json_variant *element = sd_json_variant_by_index(value, i);

		fprintf(stream, "%s%s", i ? separator : "",
			sd_json_variant_is_string(element) ? sd_json_variant_string(element) : "?");
	}
	if (fclose(stream)) {
		free(joined);
		return NULL;
	}
	return joined;
}

int print_json(const struct cli *cli, sd_json_variant *value)
{
	sd_json_format_flags_t flags = SD_JSON_FORMAT_NEWLINE | SD_JSON_FORMAT_FLUSH;
	int r;

	if (colours_wanted())
		flags |= SD_JSON_FORMAT_COLOR;

	if (cli->json == JSON_AUTO)
		flags |= SD_JSON_FORMAT_PRETTY_AUTO;
	else if (cli->json == JSON_PRETTY)
		flags |= SD_JSON_FORMAT_PRETTY;
	r = sd_json_variant_dump(value, flags, stdout, NULL);
	if (r < 0) {
		complain("cannot write the output: %s.", strerror(-r));
		return EXIT_REFUSED;
	}
	return 0;
}
