// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - who may ask for what, see authorise.h.
 *
 * Owns: the rules and the words in which a user hears no.
 *
 * Must not own: state, system calls.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <trustgate.h>

#include "authorise.h"

void authorise_name(const struct config *config, uid_t uid, char *text, size_t size)
{
	const char *name = config_user_name(config, uid);

	if (name && strcmp(name, "0"))
		snprintf(text, size, "uid %u (%s)", (unsigned int)uid, name);
	else
		snprintf(text, size, "uid %u", (unsigned int)uid);
}

static int not_permitted(const struct config *config, uid_t uid,
			 struct refusal *refusal, const char *what, const char *cure)
{
	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(config, uid, refusal->who, sizeof(refusal->who));
	snprintf(refusal->message, sizeof(refusal->message), "%s", what);
	snprintf(refusal->cure, sizeof(refusal->cure), "%s", cure);
	return -EPERM;
}

int authorise(const struct config *config, uid_t uid, enum ask ask,
	      struct refusal *refusal)
{
	/* Root is the one to be kept out: he is a trustee only if listed. */
	if (config_is_trustee(config, uid))
		return 0;

	switch (ask) {
	case ASK_READ:
		if (uid == 0)
			return 0;
		return not_permitted(config, uid, refusal,
				     "read the gate's state, volumes, grants or events",
				     "ask root or a trustee");
	case ASK_REVOKE:
		if (uid == 0)
			return 0;
		return not_permitted(config, uid, refusal, "revoke grants",
				     "ask root or a trustee");
	case ASK_VOLUMES:
		return not_permitted(config, uid, refusal,
				     "protect, change or release a volume",
				     "ask one of the trustees in the agent's configuration");
	case ASK_OBSERVE:
		return not_permitted(config, uid, refusal,
				     "have a volume observed, on which nothing is denied then",
				     "ask one of the trustees in the agent's configuration");
	case ASK_GRANT:
		break;
	}
	return not_permitted(config, uid, refusal, "give a grant to another process",
			     "ask one of the trustees in the agent's configuration");
}

int authorise_supervise(const struct config *config, const char *volume, uid_t uid,
			struct refusal *refusal)
{
	if (config_is_trustee(config, uid) || config_is_tenant(config, volume, uid))
		return 0;
	return not_permitted(config, uid, refusal, "supervise grants",
			     "ask one of the trustees in the agent's configuration, or of the tenant's people");
}

int authorise_reason(uint32_t reason, const char *ticket, struct refusal *refusal)
{
	if (reason == TRUSTGATE_REASON_UNSPECIFIED)
		return refuse(refusal, EINVAL, "reason", "a grant needs a reason");
	if (reason == TRUSTGATE_REASON_CUSTOMER_TICKET && (!ticket || !ticket[0]))
		return refuse(refusal, EINVAL, "ticket",
			      "the reason customer-ticket needs the ticket's number");
	if (ticket && strlen(ticket) > TRUSTGATE_TICKET_MAX)
		return refuse(refusal, EINVAL, "ticket",
			      "a ticket has at most %d bytes", TRUSTGATE_TICKET_MAX);
	return 0;
}

int authorise_reason_alone(uint32_t reason, const char *ticket, struct refusal *refusal)
{
	if (reason == TRUSTGATE_REASON_LEGAL_ORDER)
		return refuse(refusal, EINVAL, "reason",
			      "the reason legal-order needs the reference of the order, which goes with a request for approval: use trustgate exec --ask");
	return authorise_reason(reason, ticket, refusal);
}

/*
 * How far a wish got through a rule. The refusal is worded by the rule that
 * came furthest, which is most likely the one the asker has in mind.
 */
enum stage {
	STAGE_NO_RULE,
	STAGE_USER,
	STAGE_PATH,
	STAGE_ACCESS,
	STAGE_DURATION,
	STAGE_REASON,
	STAGE_ALLOWED,
};

static enum stage try_rule(const struct config_rule *rule,
			   const struct self_grant *wish)
{
	if (!config_users_have(rule->users, rule->users_count, wish->uid))
		return STAGE_USER;
	/* An error of the comparison is not a yes. */
	if (wish->beneath(rule->path, wish->userdata) != 1)
		return STAGE_PATH;
	if (wish->access & ~rule->access)
		return STAGE_ACCESS;
	if (wish->duration_ns > rule->duration_ns)
		return STAGE_DURATION;
	if (!(rule->reasons & (UINT32_C(1) << wish->reason)))
		return STAGE_REASON;
	return STAGE_ALLOWED;
}

static void word_refusal(const struct config_rule *rule, enum stage stage,
			 const struct self_grant *wish, struct refusal *refusal)
{
	char *what = refusal->message, *cure = refusal->cure;
	const size_t what_size = sizeof(refusal->message);
	const size_t cure_size = sizeof(refusal->cure);
	char names[128], time[TRUSTGATE_DURATION_SIZE];
	size_t used = 0;

	switch (stage) {
	case STAGE_PATH:
		snprintf(what, what_size,
			 "grant himself access outside of \"%s\" on volume \"%s\"",
			 rule->path, wish->volume);
		snprintf(cure, cure_size, "ask for something beneath that path");
		break;
	case STAGE_ACCESS:
		trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, wish->access & ~rule->access,
				      ",", names, sizeof(names));
		snprintf(what, what_size, "grant himself %s on \"%s\" of volume \"%s\"",
			 names, rule->path, wish->volume);
		trustgate_mask_format(TRUSTGATE_NAMES_ACCESS, rule->access, ",",
				      names, sizeof(names));
		snprintf(cure, cure_size, "ask for no more than %s", names);
		break;
	case STAGE_DURATION:
		trustgate_duration_format(rule->duration_ns, time);
		snprintf(what, what_size,
			 "grant himself more than %s on \"%s\" of volume \"%s\"",
			 time, rule->path, wish->volume);
		snprintf(cure, cure_size, "ask for at most %s", time);
		break;
	case STAGE_REASON:
		snprintf(what, what_size,
			 "grant himself \"%s\" of volume \"%s\" for the reason %s",
			 rule->path, wish->volume,
			 trustgate_reason_name(wish->reason) ?: "unknown");
		used = snprintf(cure, cure_size, "reasons that count here:");
		for (uint32_t i = 0; i < 32 && used < cure_size; i++)
			if ((rule->reasons & (UINT32_C(1) << i)) && trustgate_reason_name(i))
				used += snprintf(cure + used, cure_size - used, " %s",
						 trustgate_reason_name(i));
		break;
	case STAGE_NO_RULE:
	case STAGE_USER:
	case STAGE_ALLOWED:
		snprintf(what, what_size, "grant himself anything on volume \"%s\"",
			 wish->volume);
		snprintf(cure, cure_size,
			 "ask a trustee for the grant, or for a rule in self-grants");
		break;
	}
}

int authorise_self_grant(const struct config *config,
			 const struct self_grant *wish, struct refusal *refusal)
{
	const struct config_volume *volume = config_find_volume(config, wish->volume);
	const struct config_rule *closest = NULL;
	enum stage furthest = STAGE_NO_RULE;

	/* A delayed grant would outlive the occasion it was asked for. */
	if (wish->delay_ns)
		return not_permitted(config, wish->uid, refusal,
				     "grant himself something for later",
				     "ask when it is needed, or ask a trustee");

	for (size_t i = 0; volume && i < volume->rules_count; i++) {
		enum stage stage = try_rule(&volume->rules[i], wish);

		if (stage == STAGE_ALLOWED)
			return 0;
		if (stage > furthest) {
			furthest = stage;
			closest = &volume->rules[i];
		}
	}
	refusal->kind = REFUSAL_NOT_PERMITTED;
	refusal->error = EPERM;
	authorise_name(config, wish->uid, refusal->who, sizeof(refusal->who));
	word_refusal(closest, furthest, wish, refusal);
	return -EPERM;
}
