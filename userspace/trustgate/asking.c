// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - a grant that people have to approve first, see asking.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "asking.h"
#include "cell.h"
#include "format.h"
#include "trustgate.h"

#define NSEC_PER_SEC	1000000000
#define LOOK_NS		(NSEC_PER_SEC / 2)
/* While the agent restarts, the request waits on. */
#define PATIENCE	60

bool asking_take(struct asking *asking, int id, const char *value, int *ret)
{
	*ret = 0;
	switch (id) {
	case OPTION_COMMENT:
		asking->comment = value;
		return true;
	case OPTION_LOCATION:
		asking->location = value;
		return true;
	case OPTION_RETENTION:
		*ret = parse_number("--retention", value, 1, 36500, &asking->retention_days);
		return true;
	case OPTION_LEGAL_REFERENCE:
		asking->legal_reference = value;
		return true;
	case OPTION_NOTIFY:
		if (strcmp(value, "notify") && strcmp(value, "delayed") &&
		    strcmp(value, "prohibited"))
			*ret = usage_error("--notify: \"%s\" is none of notify, delayed and prohibited",
					   value);
		asking->notify = value;
		return true;
	}
	return false;
}

bool asking_begun(const struct asking *asking)
{
	return asking->comment || asking->location || asking->retention_days ||
	       asking->legal_reference || asking->notify;
}

int asking_add(const struct asking *asking, sd_json_variant **parameters)
{
	int r = 0;

	if (asking->comment)
		r = sd_json_variant_set_field_string(parameters, "comment", asking->comment);
	if (r >= 0 && asking->location)
		r = sd_json_variant_set_field_string(parameters, "location", asking->location);
	if (r >= 0 && asking->retention_days)
		r = sd_json_variant_set_field_unsigned(parameters, "retentionDays",
						       asking->retention_days);
	if (r >= 0 && asking->legal_reference)
		r = sd_json_variant_set_field_string(parameters, "legalReference",
						     asking->legal_reference);
	if (r >= 0 && asking->notify)
		r = sd_json_variant_set_field_string(parameters, "notify", asking->notify);
	if (r >= 0 && asking->break_glass)
		r = sd_json_variant_set_field_boolean(parameters, "breakGlass", true);
	return r < 0 ? r : 0;
}

static int add(const struct asking *asking, sd_json_variant **parameters)
{
	if (asking_add(asking, parameters) == 0)
		return 0;
	complain("cannot make the request: out of memory, or a text is not UTF-8.");
	return EXIT_REFUSED;
}

/* ---- waiting ---- */

/**
 * struct wait - a request that is waited for
 * @id: its number
 * @said: what was said last, to be freed
 * @begin_boottime_ns: when the grant begins, once it is there
 */
struct wait {
	uint64_t id;
	char *said;
	uint64_t begin_boottime_ns;
};

/* On a terminal over what was there, else one line for each change. */
static void say(struct wait *wait, sd_json_variant *request)
{
	bool terminal = isatty(STDERR_FILENO);
	uint64_t trustees = 0, tenants = 0, need_trustees = 0, need_tenants = 0;
	char *left = cell_left(request, "deadlineBoottimeNSec"), *text;

	(void)field_number(request, "trustees", &trustees);
	(void)field_number(request, "tenants", &tenants);
	(void)field_number(request, "needTrustees", &need_trustees);
	(void)field_number(request, "needTenants", &need_tenants);
	if (asprintf(&text, "request %" PRIu64 " waits for approval: trustees %" PRIu64 " of %" PRIu64
		     ", tenants %" PRIu64 " of %" PRIu64, wait->id, trustees, need_trustees, tenants,
		     need_tenants) < 0)
		text = NULL;
	if (text && terminal)
		fprintf(stderr, "\r\033[K%s, %s left", text, left ?: "?");
	else if (text && (!wait->said || strcmp(wait->said, text)))
		fprintf(stderr, "%s\n", text);
	free(left);
	free(wait->said);
	wait->said = text;
}

static int over(const struct wait *wait, sd_json_variant *request, const char *state)
{
	const char *cause = field_string(request, "cause");

	complain("request %" PRIu64 " is %s%s%s; see \"trustgate show %" PRIu64 "\"", wait->id, state,
		 cause ? ": " : "", cause ?: "", wait->id);
	return EXIT_REFUSED;
}

/* Returns -1 to look again, else an exit code. */
static int look(struct wait *wait, sd_json_variant *request)
{
	const char *state = field_string(request, "state") ?: "unknown";
	uint64_t grant;

	if (!strcmp(state, "approved")) {
		if (!field_number(request, "grantId", &grant))
			return -1;
		if (!field_number(request, "beginBoottimeNSec", &wait->begin_boottime_ns))
			wait->begin_boottime_ns = 0;
		return 0;
	}
	if (strcmp(state, "pending"))
		return over(wait, request, state);
	say(wait, request);
	return -1;
}

static int ask_again(const struct cli *cli, struct wait *wait)
{
	sd_json_variant *parameters = NULL;
	sd_json_variant *reply = NULL;
	int r;

	if (sd_json_buildo(&parameters, SD_JSON_BUILD_PAIR_UNSIGNED("id", wait->id)) < 0) {
		complain("out of memory");
		return EXIT_REFUSED;
	}
	r = agent_call(cli, "ShowRequest", parameters, &reply);
	if (!r)
		r = look(wait, sd_json_variant_by_key(reply, "request"));
	sd_json_variant_unref(reply);
	return r;
}

static void pause_ns(uint64_t duration_ns)
{
	struct timespec time = { .tv_sec = duration_ns / NSEC_PER_SEC,
				 .tv_nsec = duration_ns % NSEC_PER_SEC };

	(void)nanosleep(&time, NULL);
}

static int wait_for(const struct cli *cli, struct wait *wait)
{
	int r, unreachable = 0;

	do {
		pause_ns(LOOK_NS);
		r = ask_again(cli, wait);
		unreachable = r == EXIT_UNREACHABLE ? unreachable + 1 : 0;
	} while (r < 0 || (r == EXIT_UNREACHABLE && unreachable < PATIENCE));
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	while (!r && wait->begin_boottime_ns > boottime_now_ns())
		pause_ns(wait->begin_boottime_ns - boottime_now_ns());
	return r;
}

int asking_wait(const struct cli *cli, sd_json_variant *parameters, const struct asking *asking)
{
	sd_json_variant *reply = NULL;
	sd_json_variant *request;
	struct wait wait = { 0 };
	int r;

	r = add(asking, &parameters);
	if (r) {
		sd_json_variant_unref(parameters);
		return r;
	}
	r = agent_call(cli, "Ask", parameters, &reply);
	if (r)
		return r;
	request = sd_json_variant_by_key(reply, "request");
	if (!field_number(request, "id", &wait.id)) {
		complain("the agent's answer makes no sense: it holds no request.");
		r = EXIT_REFUSED;
	} else if (asking->break_glass) {
		fprintf(stderr, "the glass is broken, as request %" PRIu64 "; a trustee has to acknowledge that\n",
			wait.id);
	} else {
		say(&wait, request);
		r = wait_for(cli, &wait);
	}
	free(wait.said);
	sd_json_variant_unref(reply);
	return r;
}
