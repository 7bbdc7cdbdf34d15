// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - why a request was not done, see refusal.h.
 *
 * Owns: the translation of a refusal into the interface's errors.
 *
 * Must not own: the decision.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "refusal.h"

int refuse(struct refusal *refusal, int error, const char *attribute,
	   const char *format, ...)
{
	va_list arguments;

	refusal->kind = REFUSAL_REFUSED;
	refusal->error = error;
	snprintf(refusal->attribute, sizeof(refusal->attribute), "%s",
		 attribute ? attribute : "");
	va_start(arguments, format);
	vsnprintf(refusal->message, sizeof(refusal->message), format, arguments);
	va_end(arguments);
	return -error;
}

int refuse_no_volume(struct refusal *refusal, const char *name)
{
	refusal->kind = REFUSAL_NO_SUCH_VOLUME;
	refusal->error = ENOENT;
	snprintf(refusal->message, sizeof(refusal->message), "%s", name);
	return -ENOENT;
}

int refusal_reply(const struct refusal *refusal, sd_varlink *link)
{
	switch (refusal->kind) {
	case REFUSAL_NOT_PERMITTED:
		return sd_varlink_errorbo(link, "io.trustgate.Agent.NotPermitted",
					  SD_JSON_BUILD_PAIR_STRING("who", refusal->who),
					  SD_JSON_BUILD_PAIR_STRING("what", refusal->message),
					  SD_JSON_BUILD_PAIR_STRING("cure", refusal->cure));
	case REFUSAL_NO_SUCH_VOLUME:
		return sd_varlink_errorbo(link, "io.trustgate.Agent.NoSuchVolume",
					  SD_JSON_BUILD_PAIR_STRING("name", refusal->message));
	case REFUSAL_NO_SUCH_GRANT:
		return sd_varlink_errorbo(link, "io.trustgate.Agent.NoSuchGrant",
					  SD_JSON_BUILD_PAIR_UNSIGNED("id", refusal->id));
	case REFUSAL_REFUSED:
	case REFUSAL_NONE:
		break;
	}
	return sd_varlink_errorbo(link, "io.trustgate.Agent.Refused",
				  SD_JSON_BUILD_PAIR_INTEGER("errno", refusal->error),
				  SD_JSON_BUILD_PAIR_STRING("message", refusal->message),
				  SD_JSON_BUILD_PAIR_CONDITION(refusal->attribute[0] != '\0',
							       "attribute",
							       SD_JSON_BUILD_STRING(refusal->attribute)));
}
