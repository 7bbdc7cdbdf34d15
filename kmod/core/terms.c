// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - on which terms a grant can be given; see terms.h.
 */

#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <net/netlink.h>

#include "grant.h"
#include "terms.h"
#include "volume.h"

int trustgate_terms_take_volume(struct trustgate_terms *terms, u32 id,
				const struct nlattr *attr,
				struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&trustgate_mutex);
	terms->volume = trustgate_volume_by_id(id);
	if (!terms->volume) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no volume has this id");
		return -ENOENT;
	}
	if (!terms->volume->pinned) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "the host is going down");
		return -ESHUTDOWN;
	}
	return 0;
}

static int check_numbers(const struct trustgate_terms *terms,
			 struct nlattr * const *attrs,
			 struct netlink_ext_ack *extack)
{
	if (!terms->access) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[TRUSTGATE_A_GRANT_ACCESS],
				    "a grant without any access");
		return -EINVAL;
	}
	if (terms->reason == TRUSTGATE_REASON_UNSPECIFIED) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[TRUSTGATE_A_GRANT_REASON],
				    "a reason must be stated");
		return -EINVAL;
	}
	if (terms->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC &&
	    terms->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[TRUSTGATE_A_GRANT_FLAGS],
				    "give either keep-exec or next-exec, not both");
		return -EINVAL;
	}
	if (terms->max_uses > S32_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attrs[TRUSTGATE_A_GRANT_MAX_USES],
				    "more uses than can be counted; 0 is any number");
		return -ERANGE;
	}
	return 0;
}

static int check_on_end(const struct trustgate_terms *terms,
			struct nlattr * const *attrs,
			struct netlink_ext_ack *extack)
{
	static const char * const names[] = {
		[TRUSTGATE_ON_END_DENY_IO] = "deny-io",
		[TRUSTGATE_ON_END_UNMAP] = "unmap",
		[TRUSTGATE_ON_END_KILL] = "kill",
	};
	const u32 least = terms->volume->settings.least_on_end;

	if (terms->on_end < least) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attrs[TRUSTGATE_A_GRANT_ON_END],
					"less than the volume's least-on-end, which is %s",
					names[least]);
		return -ERANGE;
	}
	return 0;
}

static int check_times(const struct trustgate_terms *terms, u64 now_ns,
		       struct nlattr * const *attrs,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *expiry =
		attrs[TRUSTGATE_A_GRANT_EXPIRES_BOOTTIME_NS];
	const u64 max_ns = terms->volume->settings.max_duration_ns;

	if (terms->expires_ns <= now_ns) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, expiry, "%s",
					terms->expires_ns ?
					"the expiry is in the past" :
					"a grant must expire");
		return -EINVAL;
	}
	if (terms->expires_ns > S64_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, expiry,
				    "the expiry is beyond what the clock can show");
		return -ERANGE;
	}
	if (terms->not_before_ns >= terms->expires_ns) {
		NL_SET_ERR_MSG_ATTR(extack,
				    attrs[TRUSTGATE_A_GRANT_NOT_BEFORE_BOOTTIME_NS],
				    "the grant begins when it has expired");
		return -EINVAL;
	}
	if (terms->expires_ns - max(now_ns, terms->not_before_ns) > max_ns) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, expiry,
					"longer than the volume's maximum of %llu s",
					div_u64(max_ns, NSEC_PER_SEC));
		return -ERANGE;
	}
	return 0;
}

int trustgate_terms_supervised(u64 until_ns, const struct nlattr *attr,
			       struct netlink_ext_ack *extack)
{
	const u64 now_ns = ktime_get_boottime_ns();

	if (until_ns && until_ns <= now_ns) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the end of the supervision is in the past; 0 suspends");
		return -EINVAL;
	}
	if (until_ns > now_ns + TRUSTGATE_SUPERVISION_MAX_NS) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr,
					"supervised for longer than %llu s from now; say it again meanwhile",
					div_u64(TRUSTGATE_SUPERVISION_MAX_NS,
						NSEC_PER_SEC));
		return -ERANGE;
	}
	return 0;
}

static int check_supervision(const struct trustgate_terms *terms,
			     struct nlattr * const *attrs,
			     struct netlink_ext_ack *extack)
{
	const struct nlattr *until =
		attrs[TRUSTGATE_A_GRANT_SUPERVISED_UNTIL_BOOTTIME_NS];

	if (!until)
		return 0;
	if (!(terms->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED)) {
		NL_SET_ERR_MSG_ATTR(extack, until,
				    "the grant has not the flag supervised");
		return -EINVAL;
	}
	return trustgate_terms_supervised(terms->supervised_until_ns, until,
					  extack);
}

int trustgate_terms_check(const struct trustgate_terms *terms, u64 now_ns,
			  struct nlattr * const *attrs,
			  struct netlink_ext_ack *extack)
{
	lockdep_assert_held(&trustgate_mutex);
	return check_numbers(terms, attrs, extack) ?:
	       check_on_end(terms, attrs, extack) ?:
	       check_times(terms, now_ns, attrs, extack) ?:
	       check_supervision(terms, attrs, extack);
}

void trustgate_terms_no_room(const struct nlattr *attr,
			     struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "table of grants is full; raise the module parameter max_grants");
}
