/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - what the methods of the interface share.
 *
 * Every no goes through varlink_refuse(), which replies and records it.
 */
#ifndef _TRUSTEED_VARLINK_H
#define _TRUSTEED_VARLINK_H

#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>

#include "agent.h"
#include "authorise.h"
#include "observing.h"

/**
 * struct peer - who is at the other end
 * @uid: user when he connected
 * @loginuid: who had logged in as him, 4294967295 for nobody
 * @pid: process that connected
 * @pidfd: the same; belongs to the connection
 */
struct peer {
	uid_t uid;
	uid_t loginuid;
	pid_t pid;
	int pidfd;
};

/*
 * The kernel's word about the peer, in varlink_peer.c. Returns 0 or -errno with
 * @refusal filled; then @ret_peer has what is known of him all the same.
 */
int varlink_peer(sd_varlink *link, struct peer *ret_peer, struct refusal *refusal);

/* Who he is and whether he may. Returns 0 or -errno with @refusal filled. */
int varlink_authorise(struct agent *agent, sd_varlink *link, enum ask ask,
		      struct peer *ret_peer, struct refusal *refusal);

/* Record and reply a refusal. Returns what a method has to return. */
int varlink_refuse(struct agent *agent, sd_varlink *link, const char *method,
		   const struct refusal *refusal);

/* ---- methods ---- */

/**
 * struct method - a method that is answered at once
 * @name: without the interface's
 * @fields: its parameters
 * @ask: what somebody has to be allowed to
 * @checks_itself: @run finds out who may; @ask is of no meaning
 * @run: does it; fills the reply's parameters or the refusal
 */
struct method {
	const char *name;
	const sd_json_dispatch_field *fields;
	enum ask ask;
	bool checks_itself;
	int (*run)(struct agent *agent, sd_varlink *link, void *given,
		   sd_json_variant **ret_reply, struct refusal *refusal);
};

/**
 * varlink_answer() - read the parameters, authorise the peer, do it, reply
 * @method: which
 * @link: caller
 * @parameters: of the call
 * @given: filled as the method's fields say, and handed to its run()
 *
 * Return: what a method has to return.
 */
int varlink_answer(struct agent *agent, const struct method *method, sd_varlink *link,
		   sd_json_variant *parameters, void *given);

/*
 * An entry of varlink_fields.h as an entry of a method's table; PARAMETERS is to
 * be the name of the structure that it is read into.
 */
#define PARAMETER(name, kind, need, comment, member) \
	{ #name, PARAMETER_##kind, offsetof(PARAMETERS, member), SD_JSON_##need },
#define PARAMETER_TEXT		SD_JSON_VARIANT_STRING, sd_json_dispatch_const_string
#define PARAMETER_WORDS		SD_JSON_VARIANT_ARRAY, sd_json_dispatch_strv
#define PARAMETER_FLAG		SD_JSON_VARIANT_BOOLEAN, sd_json_dispatch_tristate
#define PARAMETER_PID		_SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_int32
#define PARAMETER_NUMBER	_SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint32
#define PARAMETER_REQUEST	_SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_uint64
#define PARAMETER_TIME		_SD_JSON_VARIANT_TYPE_INVALID, sd_json_dispatch_int64
#define PARAMETER_GIVEN_TIME	_SD_JSON_VARIANT_TYPE_INVALID, varlink_dispatch_given
#define PARAMETER_GIVEN_WORDS	SD_JSON_VARIANT_ARRAY, varlink_dispatch_given
#define PARAMETER_GIVEN_NUMBERS	SD_JSON_VARIANT_ARRAY, varlink_dispatch_given

/* The variant itself; null is as good as absent. */
int varlink_dispatch_given(const char *name, sd_json_variant *variant,
			   sd_json_dispatch_flags_t flags, void *userdata);

/* A request as JSON, with what it has of the approvals it needs. */
int varlink_request(struct agent *agent, const struct docket_request *request,
		    sd_json_variant **ret, struct refusal *refusal);

/*
 * A request by its number, for who may see it: others are told that there is none.
 * To be freed with docket_free(). Returns 0, -ENOENT, -EPERM or another -errno.
 */
int varlink_find_request(struct agent *agent, uint64_t id, const struct peer *peer,
			 struct docket_request *ret_request, struct refusal *refusal);

/* Free the words of a parameter. */
void varlink_free_words(char **words);

/* The reply {"ended": number}. */
int varlink_ended(uint64_t ended, sd_json_variant **ret_reply);

/* Words of a parameter as a mask. Returns 0 or -EINVAL with @refusal filled. */
int varlink_read_names(char **words, enum trustgate_names set, const char *parameter,
		       uint32_t *ret_mask, struct refusal *refusal);

/* Names of all volumes, to be freed; for numbers that have to be shown by name. */
struct volume_names {
	struct trustgate_volume *volumes;
	size_t count;
};

int varlink_volume_names(struct agent *agent, struct volume_names *names,
			 struct refusal *refusal);
const char *varlink_volume_name(const struct volume_names *names, uint32_t id);

/* Grants as a list, with the names of their volumes and the ledger's paths. */
int varlink_grants(struct agent *agent, const struct trustgate_grant *grants, size_t count,
		   const struct volume_names *names, sd_json_variant **ret);

/* The reply {"volume": as the kernel has it now}, in varlink_volumes.c. */
int varlink_reply_volume(struct agent *agent, const char *name, sd_json_variant **ret_reply,
			 struct refusal *refusal);

/* What somebody says who has a volume observed. */
struct observe_parameters {
	int64_t duration_ns;
	const char *reason;
	const char *ticket;
	const char *comment;
};

/* Check it, and whether he may. Returns 0 or -errno with @refusal filled. */
int varlink_read_observing(struct agent *agent, sd_varlink *link,
			   const struct observe_parameters *given, const char *volume,
			   struct observing *observing, struct refusal *refusal);

/*
 * varlink_volumes.c, varlink_grants.c, varlink_listing.c, varlink_requests.c,
 * varlink_decide.c, varlink_ask.c, varlink_service.c, varlink_stop.c,
 * varlink_metrics.c, varlink_observe.c, varlink_keepers.c
 */
int method_list_volumes(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);
int method_add_volume(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata);
int method_set_volume(sd_varlink *link, sd_json_variant *parameters,
		      sd_varlink_method_flags_t flags, void *userdata);
int method_remove_volume(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata);
int method_grant(sd_varlink *link, sd_json_variant *parameters,
		 sd_varlink_method_flags_t flags, void *userdata);
int method_revoke(sd_varlink *link, sd_json_variant *parameters,
		  sd_varlink_method_flags_t flags, void *userdata);
int method_stop(sd_varlink *link, sd_json_variant *parameters,
		sd_varlink_method_flags_t flags, void *userdata);
int method_start(sd_varlink *link, sd_json_variant *parameters,
		 sd_varlink_method_flags_t flags, void *userdata);
int method_list_grants(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata);
int method_list_keepers(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);
int method_ask(sd_varlink *link, sd_json_variant *parameters,
	       sd_varlink_method_flags_t flags, void *userdata);
int method_acknowledge(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata);
int method_list_requests(sd_varlink *link, sd_json_variant *parameters,
			 sd_varlink_method_flags_t flags, void *userdata);
int method_approve(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata);
int method_deny(sd_varlink *link, sd_json_variant *parameters,
		sd_varlink_method_flags_t flags, void *userdata);
int method_show_request(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata);
int method_revoke_request(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata);
int method_extend_request(sd_varlink *link, sd_json_variant *parameters,
			  sd_varlink_method_flags_t flags, void *userdata);
int method_observe(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata);
int method_unobserve(sd_varlink *link, sd_json_variant *parameters,
		     sd_varlink_method_flags_t flags, void *userdata);
int method_metrics(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata);
int method_service(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata);

/* varlink_listing.c: replies in several parts */
int listing_start(struct agent *agent);
void listing_stop(struct agent *agent);
void listing_remove(struct agent *agent, sd_varlink *link);

#endif
