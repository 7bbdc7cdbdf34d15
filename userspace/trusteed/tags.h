/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - whose a grant is: what its tag says.
 *
 * Owns: the bits of a tag, which the kernel keeps for the agent, so that a
 * restarted agent knows without a file of its own.
 *
 * Must not own: what becomes of such grants.
 */
#ifndef _TRUSTEED_TAGS_H
#define _TRUSTEED_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#define TAG_SERVICE	(UINT64_C(1) << 63)	/* the rest: config_service.key */
#define TAG_USER	(UINT64_C(1) << 62)	/* low 32 bits: who asked, or approved */
#define TAG_RULE	(UINT64_C(1) << 61)	/* by a rule of the policy; renewed if there is more */
#define TAG_BREAK_GLASS	(UINT64_C(1) << 60)	/* taken by who asked, see requests_glass.c */

/*
 * Which request a grant came from: the low bits of the number. Who asked, or
 * approved, has to fit, too.
 */
#define TAG_REQUEST_BITS	28
#define TAG_OF_REQUEST(id) \
	(((uint64_t)(id) & ((UINT64_C(1) << TAG_REQUEST_BITS) - 1)) << 32)
#define TAG_REQUEST_MASK	TAG_OF_REQUEST(UINT64_MAX)

/* Of a standing grant. A key has all its bits, and must not pass for who gave it. */
static inline uint64_t tag_of_service(uint64_t key)
{
	return TAG_SERVICE | (key & (TAG_BREAK_GLASS - 1));
}

/* Of a grant that a rule renews, likewise. */
static inline uint64_t tag_of_renewal(uint64_t key)
{
	return TAG_RULE | (key & (TAG_BREAK_GLASS - 1));
}

static inline bool tag_is_service(uint64_t tag)
{
	return tag & TAG_SERVICE;
}

static inline bool tag_is_user(uint64_t tag)
{
	return (tag & (TAG_SERVICE | TAG_USER)) == TAG_USER;
}

static inline bool tag_is_break_glass(uint64_t tag)
{
	return tag_is_user(tag) && tag & TAG_BREAK_GLASS;
}

static inline bool tag_is_renewal(uint64_t tag)
{
	return (tag & (TAG_SERVICE | TAG_USER | TAG_RULE)) == TAG_RULE && tag != TAG_RULE;
}

static inline bool tag_is_of_request(uint64_t tag, uint64_t id)
{
	return tag_is_user(tag) && (tag & TAG_REQUEST_MASK) == TAG_OF_REQUEST(id);
}

#endif
