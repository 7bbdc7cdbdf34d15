/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - who may decide about a request, and what follows from decisions.
 *
 * Owns: the rules, as functions of the configuration, the request and what has
 * been said about it.
 *
 * Must not own: state, system calls.
 */
#ifndef _TRUSTEED_AUTHORISE_APPROVAL_H
#define _TRUSTEED_AUTHORISE_APPROVAL_H

#include "config.h"
#include "docket.h"
#include "refusal.h"

/**
 * struct approver - somebody who wants to decide
 * @uid: who
 * @loginuid: who had logged in as him, DOCKET_NOBODY if nobody did
 */
struct approver {
	uid_t uid;
	uid_t loginuid;
};

/**
 * struct approval_need - how many people have to approve
 */
struct approval_need {
	uint32_t trustees;
	uint32_t tenants;
};

/*
 * How many, for a new request on a volume. What the file says no more holds for
 * requests that are older: they need the most of both.
 */
struct approval_need approval_need(const struct config *config, const char *volume);
struct approval_need approval_need_of(const struct config *config,
				      const struct docket_request *request);

/* How many have approved so far, and may still do so while it is pending. */
struct approval_need approval_count(const struct config *config,
				    const struct docket_request *request,
				    const struct docket_approval *approvals, size_t count);

/* Whether that is enough. */
bool approval_enough(struct approval_need need, struct approval_need have);

/**
 * authorise_read_requests() - whether somebody may see the requests of a volume
 * @volume: name, or NULL: of any
 *
 * Return: 0 or -EPERM with @refusal filled.
 */
int authorise_read_requests(const struct config *config, const char *volume, uid_t uid,
			    struct refusal *refusal);

/**
 * authorise_approve() - whether somebody may approve a request
 * @request: it is pending
 * @approvals: what has been said
 * @count: how many
 * @who: wants to
 * @ret_role: on whose behalf
 * @refusal: filled if not
 *
 * Return: 0 or -errno.
 */
int authorise_approve(const struct config *config, const struct docket_request *request,
		      const struct docket_approval *approvals, size_t count,
		      const struct approver *who, uint32_t *ret_role, struct refusal *refusal);

/* The same for denying it, or ending its grant, which only ever take away. */
int authorise_deny(const struct config *config, const struct docket_request *request,
		   const struct approver *who, uint32_t *ret_role, struct refusal *refusal);

/* Whether somebody may acknowledge that the glass was broken. Returns 0 or -EPERM. */
int authorise_acknowledge(const struct config *config, const struct docket_request *request,
			  const struct approver *who, struct refusal *refusal);

/**
 * approval_least() - what all approvers agree about
 * @approvals: at least one
 * @count: how many
 *
 * Return: the common part of what they allow; access may be 0.
 */
struct docket_approval approval_least(const struct docket_approval *approvals, size_t count);

#endif
