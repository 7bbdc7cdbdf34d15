/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - what the methods of the interface share.
 *
 * A method: read the parameters, authorise the peer, do it, reply. Every no
 * goes through varlink_refuse(), which replies and records it.
 */
#ifndef _TRUSTEED_VARLINK_H
#define _TRUSTEED_VARLINK_H

#include <systemd/sd-json.h>
#include <systemd/sd-varlink.h>

#include "agent.h"
#include "authorise.h"

/**
 * struct peer - who is at the other end
 * @uid: user when he connected
 * @pid: process that connected
 * @pidfd: the same; belongs to the connection
 */
struct peer {
	uid_t uid;
	pid_t pid;
	int pidfd;
};

/* The kernel's word about the peer. Returns 0 or -errno with @refusal filled. */
int varlink_peer(sd_varlink *link, struct peer *ret_peer, struct refusal *refusal);

/* Who he is and whether he may. Returns 0 or -errno with @refusal filled. */
int varlink_authorise(struct agent *agent, sd_varlink *link, enum ask ask,
		      struct peer *ret_peer, struct refusal *refusal);

/* Record and reply a refusal. Returns what a method has to return. */
int varlink_refuse(struct agent *agent, sd_varlink *link, const char *method,
		   const struct refusal *refusal);

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

/* varlink_volumes.c, varlink_grants.c, varlink_listing.c, varlink_service.c */
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
int method_list_grants(sd_varlink *link, sd_json_variant *parameters,
		       sd_varlink_method_flags_t flags, void *userdata);
int method_service(sd_varlink *link, sd_json_variant *parameters,
		   sd_varlink_method_flags_t flags, void *userdata);

/* varlink_listing.c: replies in several parts */
int listing_start(struct agent *agent);
void listing_stop(struct agent *agent);
void listing_remove(struct agent *agent, sd_varlink *link);

#endif
