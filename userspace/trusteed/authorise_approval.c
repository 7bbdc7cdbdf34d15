// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - who may decide about a request, see authorise_approval.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <trustgate.h>

#include "authorise.h"
#include "authorise_approval.h"

/* ---- how many ---- */

struct approval_need approval_need(const struct config *config, const char *name)
{
	const struct config_volume *volume = config_find_volume(config, name);
	struct approval_need need = { .trustees = 1 };

	/* Protected by hand, or before it was taken out of the file. */
	if (volume && (volume->need_trustees || volume->need_tenants)) {
		need.trustees = volume->need_trustees;
		need.tenants = volume->need_tenants;
	}
	return need;
}

struct approval_need approval_need_of(const struct config *config,
				      const struct docket_request *request)
{
	struct approval_need need = approval_need(config, request->volume);

	if (need.trustees < request->need_trustees)
		need.trustees = request->need_trustees;
	if (need.tenants < request->need_tenants)
		need.tenants = request->need_tenants;
	return need;
}

static uint32_t role_of(const struct config *config, const char *volume, uid_t uid)
{
	if (config_is_trustee(config, uid))
		return DOCKET_TRUSTEE;
	return config_is_tenant(config, volume, uid) ? DOCKET_TENANT : 0;
}

struct approval_need approval_count(const struct config *config,
				    const struct docket_request *request,
				    const struct docket_approval *approvals, size_t count)
{
	struct approval_need have = { 0 };

	for (size_t i = 0; i < count; i++) {
		/* Who may approve no more has not, until it is decided. */
		if (!approvals[i].approves ||
		    (request->state == DOCKET_PENDING &&
		     role_of(config, request->volume, approvals[i].uid) != approvals[i].role))
			continue;
		have.trustees += approvals[i].role == DOCKET_TRUSTEE;
		have.tenants += approvals[i].role == DOCKET_TENANT;
	}
	return have;
}

bool approval_enough(struct approval_need need, struct approval_need have)
{
	return have.trustees >= need.trustees && have.tenants >= need.tenants;
}

struct docket_approval approval_least(const struct docket_approval *approvals, size_t count)
{
	struct docket_approval least = approvals[0];

	least.comment = NULL;
	for (size_t i = 1; i < count; i++) {
		const struct docket_approval *approval = &approvals[i];

		least.access &= approval->access;
		/* More is what all allow; to be watched, it is enough that one demands it. */
		least.flags = (least.flags & approval->flags) |
			      ((least.flags | approval->flags) &
			       TRUSTGATE_GRANT_FLAGS_SUPERVISED);
		if (approval->duration_ns < least.duration_ns)
			least.duration_ns = approval->duration_ns;
		if (approval->begin_boottime_ns > least.begin_boottime_ns)
			least.begin_boottime_ns = approval->begin_boottime_ns;
	}
	return least;
}

/* ---- who ---- */

__attribute__((format(printf, 5, 6)))
static int not_permitted(const struct config *config, uid_t uid, struct refusal *refusal,
			 const char *cure, const char *what, ...)
{
	va_list arguments;

	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(config, uid, refusal->who, sizeof(refusal->who));
	va_start(arguments, what);
	vsnprintf(refusal->message, sizeof(refusal->message), what, arguments);
	va_end(arguments);
	snprintf(refusal->cure, sizeof(refusal->cure), "%s", cure);
	return -EPERM;
}

/* 0 if he has none. */
int authorise_read_requests(const struct config *config, const char *volume, uid_t uid,
			    struct refusal *refusal)
{
	if (uid == 0 || config_is_trustee(config, uid) || config_is_tenant(config, volume, uid))
		return 0;
	return not_permitted(config, uid, refusal, "ask root, a trustee or one of the tenant's people",
			     "read requests");
}

/* One person, whichever of his names he goes by. */
static bool is_same(uid_t uid, uid_t loginuid, uid_t other, uid_t other_login)
{
	return uid == other || (loginuid != DOCKET_NOBODY && loginuid == other) ||
	       (other_login != DOCKET_NOBODY && (uid == other_login || loginuid == other_login));
}

static int check_other(const struct config *config, const struct docket_request *request,
		       const struct approver *who, struct refusal *refusal)
{
	if (!is_same(who->uid, who->loginuid, request->uid, request->loginuid) &&
	    !is_same(who->uid, who->loginuid, request->requester, request->requester_login))
		return 0;
	return not_permitted(config, who->uid, refusal, "ask another trustee",
			     "approve what he has asked for himself");
}

static int check_first_time(const struct config *config, const struct docket_request *request,
			    const struct docket_approval *approvals, size_t count,
			    const struct approver *who, struct refusal *refusal)
{
	char name[96];

	for (size_t i = 0; i < count; i++) {
		const struct docket_approval *approval = &approvals[i];

		if (!is_same(who->uid, who->loginuid, approval->uid, approval->loginuid))
			continue;
		authorise_name(config, approval->uid, name, sizeof(name));
		return not_permitted(config, who->uid, refusal,
				     "another person has to approve, too",
				     approval->uid == who->uid ?
				     "approve request %llu twice: he has approved it already" :
				     "approve request %llu twice: he has approved it already as %s",
				     (unsigned long long)request->id, name);
	}
	return 0;
}

static int check_missing(const struct config *config, const struct docket_request *request,
			 const struct docket_approval *approvals, size_t count,
			 const struct approver *who, uint32_t role, struct refusal *refusal)
{
	struct approval_need need = approval_need_of(config, request);
	struct approval_need have = approval_count(config, request, approvals, count);

	if (role == DOCKET_TRUSTEE ? have.trustees < need.trustees : have.tenants < need.tenants)
		return 0;
	return not_permitted(config, who->uid, refusal, role == DOCKET_TRUSTEE ?
			     "one of the tenant's people has to approve" : "a trustee has to approve",
			     "approve request %llu as a %s: no approval of a %s is missing",
			     (unsigned long long)request->id, docket_role_name(role),
			     docket_role_name(role));
}

int authorise_approve(const struct config *config, const struct docket_request *request,
		      const struct docket_approval *approvals, size_t count,
		      const struct approver *who, uint32_t *ret_role, struct refusal *refusal)
{
	uint32_t role = role_of(config, request->volume, who->uid);
	int r;

	if (!role)
		return not_permitted(config, who->uid, refusal,
				     "ask one of the trustees, or of the volume's tenants, in the agent's configuration",
				     "approve a request on volume \"%.64s\"", request->volume);
	r = check_other(config, request, who, refusal);
	if (r == 0)
		r = check_first_time(config, request, approvals, count, who, refusal);
	if (r == 0)
		r = check_missing(config, request, approvals, count, who, role, refusal);
	*ret_role = role;
	return r;
}

int authorise_deny(const struct config *config, const struct docket_request *request,
		   const struct approver *who, uint32_t *ret_role, struct refusal *refusal)
{
	*ret_role = role_of(config, request->volume, who->uid);
	if (*ret_role)
		return 0;
	*ret_role = who->uid == request->requester ? DOCKET_REQUESTER : DOCKET_ROOT;
	if (who->uid == request->requester || who->uid == 0)
		return 0;
	return not_permitted(config, who->uid, refusal,
			     "ask root, a trustee or one of the tenant's people",
			     "deny or end a request on volume \"%.64s\"", request->volume);
}

int authorise_acknowledge(const struct config *config, const struct docket_request *request,
			  const struct approver *who, struct refusal *refusal)
{
	if (!config_is_trustee(config, who->uid))
		return not_permitted(config, who->uid, refusal,
				     "ask one of the trustees in the agent's configuration",
				     "acknowledge that somebody broke the glass");
	return check_other(config, request, who, refusal);
}
