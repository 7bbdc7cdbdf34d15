// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - opens that wait for an answer, see asked.h.
 *
 * Owns: the policy in force, what is asked of it, the list of what waits for a
 * trustee and when that is over.
 *
 * Must not own: messages to the kernel (asked_answer.c), records
 * (asked_report.c).
 *
 * That the facts are those of the process that asked: its number and start are
 * compared before and after they are read, and the grant is for the program
 * that has asked, which the kernel compares by its count of execs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "journal.h"
#include "policy.h"
#include "policy_facts.h"
#include "renewed.h"
#include "requests.h"

/* So many opens share one write to the account. */
#define ALLOWING_MAX 64

/* ---- one request ---- */

/* What is known of it without a look at the process. */
static struct asked *take(const struct trustgate_request *request,
			  const struct trustgate_volume *volume)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (!asked)
		return NULL;
	asked->id = request->id;
	asked->volume_id = request->volume_id;
	memcpy(asked->volume, volume->name, sizeof(asked->volume));
	asked->access = request->access;
	asked->pid = request->pid;
	asked->uid = request->uid;
	asked->loginuid = request->loginuid;
	memcpy(asked->comm, request->comm, sizeof(asked->comm));
	asked->raised_boottime_ns = request->raised_boottime_ns;
	asked->deadline_boottime_ns = request->deadline_boottime_ns;
	asked->max_duration_ns = volume->max_duration_ns;
	/* The kernel's begin with a slash; that of the root is nothing else. */
	if (request->path[0] == '/' &&
	    config_path_check(request->path[1] ? request->path + 1 : ".", &asked->path, NULL))
		asked->path = NULL;
	return asked;
}

static bool needs_digest(const struct policy *policy, const char *name)
{
	const struct policy_volume *volume = policy_find_volume(policy, name);

	for (size_t i = 0; volume && i < volume->rules_count; i++)
		if (volume->rules[i].given & 1U << POLICY_DIGEST)
			return true;
	return false;
}

int asked_facts(struct agent *agent, pid_t pid, uint64_t start_ticks, const char *volume,
		struct policy_facts *ret_facts)
{
	struct refusal ignored = { 0 };
	struct subject subject;
	int r;

	ret_facts->volume = volume;
	r = subject_open(pid, -1, &subject, &ignored);
	if (r < 0)
		return r;
	r = subject.start_ticks == start_ticks ? 0 : -ESRCH;
	if (r == 0)
		(void)policy_facts_read(pid, needs_digest(agent->policy, volume) ?
					POLICY_DIGESTS_SOON : POLICY_DIGESTS_NONE, ret_facts);
	if (r == 0 && subject_alive(&subject) != 1)
		r = -ESRCH;
	subject_close(&subject);
	return r;
}

/* As asked_facts(). */
static int gather(struct agent *agent, const struct asked *asked, uint64_t start_ticks,
		  struct policy_facts *facts)
{
	int r = asked_facts(agent, asked->pid, start_ticks, asked->volume, facts);

	/* As it was when it asked, by the kernel's word. */
	facts->access = asked->access;
	facts->path = (struct policy_text_fact){
		asked->path ? POLICY_KNOWN : POLICY_UNKNOWN, asked->path };
	facts->user = (struct policy_user_fact){ POLICY_KNOWN, asked->uid };
	facts->login_user = (struct policy_user_fact){
		asked->loginuid == (uid_t)-1 ? POLICY_NONE : POLICY_KNOWN, asked->loginuid };
	return r;
}

static int turn_down(struct agent *agent, const struct asked *asked)
{
	struct refusal refusal = { 0 };
	int r = asked_refuse(agent, asked->id, &refusal);

	if (r < 0 && r != -ENOENT)
		journal_note(LOG_ERR, "request %llu cannot be refused and runs into its time limit: %s",
			     (unsigned long long)asked->id, refusal.message);
	return r;
}

void asked_deny(struct agent *agent, const struct asked *asked, const char *why)
{
	if (turn_down(agent, asked) != -ENOENT)
		asked_report_denied(asked, why);
}

/* ---- what a rule allows ---- */

/* It would be denied if it ran into its limit; this says why, at once. */
static void cannot_carry_out(struct agent *agent, const struct asked *asked,
			     const struct refusal *refusal)
{
	char why[640];

	snprintf(why, sizeof(why), "rule \"%.64s\" cannot be carried out: %s",
		 asked->rule ?: "?", refusal->message);
	asked_deny(agent, asked, why);
}

static struct answer answer_by(const struct asked *asked, const struct policy_rule *rule)
{
	return (struct answer){
		.access = asked->access,
		.duration_ns = rule->duration_ns,
		.flags = rule->descendants ? TRUSTGATE_GRANT_FLAGS_DESCENDANTS : 0,
		.reason = rule->reason,
		.tag = TAG_RULE,
	};
}

/* Once in a process's life, and not with others: see below. */
static void allow_renewed(struct agent *agent, const struct asked *asked, uint64_t start_ticks,
			  const struct policy_verdict *verdict, const struct policy_facts *facts)
{
	struct object object = { .fd = -1, .parent_fd = -1 };
	struct answer answer = answer_by(asked, verdict->rule);
	struct refusal refusal = { 0 };
	struct asked given = *asked;
	struct trustgate_grant grant;
	bool ready;
	int r = 0;

	ready = renewed_prepare(agent, asked, start_ticks, verdict, facts, &answer, &object,
				&refusal) == 0;
	if (ready)
		r = asked_grant(agent, asked, &answer, &grant, &refusal);
	if (ready && r == 0) {
		given.access = answer.access;
		if (answer.object)
			given.path = object.path;
		asked_report_granted(&given, &grant);
		if (given.path)
			renewed_add(agent, asked, given.path, &grant);
	} else if (!ready || (r != -ENOENT && r != -ESRCH)) {
		cannot_carry_out(agent, asked, &refusal);
	}
	object_close(&object);
}

/*
 * A grant is on disk before it is given, and to have something on disk takes
 * longer than all the rest. What is decided about opens that have come together
 * is therefore written together, and then given.
 */
struct allowing {
	struct allowing *next;
	struct asked *asked;
	struct answer answer;
	uint64_t now_ns;
};

static bool is_known(const struct agent *agent, uint64_t id)
{
	const struct allowing *allowing = agent->allowing;

	while (allowing && allowing->asked->id != id)
		allowing = allowing->next;
	return allowing || asked_is_coming(agent, id) || asked_find(agent, id);
}

static void carry_out(struct agent *agent, const struct allowing *allowing)
{
	struct refusal refusal = { 0 };
	struct trustgate_grant grant;
	int r;

	r = asked_give(agent, allowing->asked, &allowing->answer, allowing->now_ns, &grant,
		       &refusal);
	if (r == 0)
		asked_report_granted(allowing->asked, &grant);
	else if (r != -ENOENT && r != -ESRCH)
		cannot_carry_out(agent, allowing->asked, &refusal);
}

void asked_carry_out(struct agent *agent)
{
	while (agent->allowing) {
		struct allowing *allowing = agent->allowing;

		carry_out(agent, allowing);
		agent->allowing = allowing->next;
		asked_free(allowing->asked);
		free(allowing);
	}
	agent->allowing_end = &agent->allowing;
	agent->allowing_count = 0;
	asked_put_on_docket(agent);
}

/* Takes @asked over; false without memory, and the open runs into its limit. */
static bool allow(struct agent *agent, struct asked *asked, const struct policy_rule *rule)
{
	struct allowing *allowing = malloc(sizeof(*allowing));

	if (!allowing)
		return false;
	*allowing = (struct allowing){
		.asked = asked,
		.answer = answer_by(asked, rule),
		.now_ns = now_boottime_ns(),
	};
	asked_intend(agent, asked, &allowing->answer, allowing->now_ns);
	*agent->allowing_end = allowing;
	agent->allowing_end = &allowing->next;
	agent->allowing_count++;
	return true;
}

/* ---- what the policy says ---- */

/* Returns whether it is kept, in one list or the other. */
static bool decide(struct agent *agent, struct asked *asked, uint64_t start_ticks)
{
	struct policy_facts facts = { 0 };
	struct policy_verdict verdict;
	uint64_t deadline_ns;
	char why[128];
	bool kept = false;
	int r;

	if (stopped_has(agent, asked->volume)) {
		asked_deny(agent, asked, "the volume is stopped");
		return false;
	}
	if (!agent->policy) {
		asked_deny(agent, asked, "there is no policy");
		return false;
	}
	r = gather(agent, asked, start_ticks, &facts);
	if (r < 0) {
		if (r == -EXDEV)
			asked_deny(agent, asked, ASKED_NOT_THE_KERNELS_WORD);
		policy_facts_clear(&facts);
		return false;
	}
	policy_decide(agent->policy, &facts, &verdict, NULL);
	if (verdict.rule) {
		snprintf(why, sizeof(why), "rule \"%.64s\"", verdict.rule->name);
		asked->rule = strdup(verdict.rule->name);
	}
	switch (verdict.outcome) {
	case POLICY_ALLOW:
		if (verdict.rule->renew)
			allow_renewed(agent, asked, start_ticks, &verdict, &facts);
		else
			kept = allow(agent, asked, verdict.rule);
		break;
	case POLICY_ASK:
		if (!asked->rule)
			break;
		deadline_ns = asked->raised_boottime_ns + verdict.rule->deadline_ns;
		if (deadline_ns < asked->deadline_boottime_ns)
			asked->deadline_boottime_ns = deadline_ns;
		if (verdict.rule->duration_ns < asked->max_duration_ns)
			asked->max_duration_ns = verdict.rule->duration_ns;
		kept = asked_ask_people(agent, asked, start_ticks,
					facts.exe.known == POLICY_KNOWN ? facts.exe.text : NULL,
					facts.unit.known == POLICY_KNOWN ? facts.unit.text : NULL);
		break;
	case POLICY_DENY:
		asked_deny(agent, asked, verdict.rule ? why : verdict.volume ? "no rule is for it" :
				   "the policy has no rules for the volume");
		break;
	}
	policy_facts_clear(&facts);
	return kept;
}

void asked_take(struct agent *agent, const struct trustgate_request *request)
{
	struct trustgate_volume volume;
	struct asked *asked;

	if (request->id >= agent->untaken)
		agent->untaken = 0;
	if (is_known(agent, request->id))
		return;
	/* What cannot be read runs into its time limit, which denies. */
	if (trustgate_volume_get(agent->gate, request->volume_id, NULL, &volume) == 0) {
		metrics_raised(agent, request->id, request->raised_boottime_ns);
		asked = take(request, &volume);
		if (asked && !decide(agent, asked, request->start_ticks))
			asked_free(asked);
	}
	/* Those who wait longest should not wait for all the others. */
	if (agent->allowing_count >= ALLOWING_MAX)
		asked_carry_out(agent);
}

/* The same of one that is known by its number. */
static void consider(struct agent *agent, uint64_t id)
{
	struct trustgate_request *request;

	if (is_known(agent, id))
		return;
	/* Too large for the stack of one who handles many of them. */
	request = malloc(sizeof(*request));
	if (request && trustgate_request_get(agent->gate, id, request) == 0)
		asked_take(agent, request);
	free(request);
}

struct asked *asked_fetch(struct agent *agent, uint64_t id)
{
	struct asked *asked = asked_find(agent, id);

	if (asked)
		return asked;
	consider(agent, id);
	asked_carry_out(agent);
	return asked_find(agent, id);
}

/* ---- many at a time: at once in the kernel, then, by and by, on the docket ---- */

/* A rule may be more impatient than the volume. */
int asked_on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct asked *asked = userdata;
	struct agent *agent = asked->agent;

	(void)source;
	(void)usec;
	asked_remove(agent, asked);
	(void)turn_down(agent, asked);
	asked_close(agent, asked, "nobody has decided in time");
	gate_poke(agent);
	return 0;
}

static bool is_on_volume(const struct asked *asked, const void *volume)
{
	return !volume || !strcmp(asked->volume, volume);
}

uint64_t asked_refuse_all(struct agent *agent, const char *volume, const char *why)
{
	struct asked *asked = asked_remove_where(agent, is_on_volume, volume), *next;
	uint64_t count = 0;

	for (; asked; asked = next) {
		next = asked->next;
		(void)turn_down(agent, asked);
		asked_close(agent, asked, why);
		count++;
	}
	return count;
}

/* ---- events ---- */

void asked_event(struct agent *agent, const struct trustgate_event *event)
{
	struct asked *asked;
	const char *cause;

	if (event->type == TRUSTGATE_EVENT_TYPE_REQUEST_RAISED) {
		/* By the channel it has come sooner, or is about to. */
		if (!channel_is_open(agent))
			consider(agent, event->request_id);
	} else if (event->type == TRUSTGATE_EVENT_TYPE_REQUEST_CLOSED) {
		if (asked_is_coming(agent, event->request_id))
			asked_put_on_docket(agent);
		asked = asked_find(agent, event->request_id);
		cause = trustgate_request_end_name(event->request_end) ?: "closed";
		if (asked) {
			asked_remove(agent, asked);
			asked_close(agent, asked, cause);
		} else if (event->request_id <= agent->untaken) {
			requests_untaken_closed(agent, event->request_id, cause);
		}
	}
}

static int begin_opens(void *userdata)
{
	((struct asked_opens *)userdata)->count = 0;
	return 0;
}

static int take_open(const struct trustgate_request *request, void *userdata)
{
	struct asked_opens *opens = userdata;

	if (opens->count == opens->room) {
		size_t room = opens->room ? 2 * opens->room : 64;
		struct asked_open *more = reallocarray(opens->opens, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		opens->opens = more;
		opens->room = room;
	}
	opens->opens[opens->count++] = (struct asked_open){
		request->id, request->raised_boottime_ns,
	};
	return 0;
}

static int compare_opens(const void *a, const void *b)
{
	const struct asked_open *first = a, *second = b;

	return (first->id > second->id) - (first->id < second->id);
}

const struct asked_open *asked_opens_find(const struct asked_opens *opens, uint64_t id)
{
	const struct asked_open key = { .id = id };

	return opens->count ? bsearch(&key, opens->opens, opens->count, sizeof(key),
				      compare_opens) : NULL;
}

static bool is_gone(const struct asked *asked, const void *opens)
{
	return !asked_opens_find(opens, asked->id);
}

static void resync(struct agent *agent, struct asked_opens *opens)
{
	struct asked *asked, *next;

	if (opens->count)
		qsort(opens->opens, opens->count, sizeof(*opens->opens), compare_opens);
	for (asked = asked_remove_where(agent, is_gone, opens); asked; asked = next) {
		next = asked->next;
		asked_free(asked);
	}
	for (size_t i = 0; i < opens->count; i++) {
		const struct asked_open *open = &opens->opens[i];

		if (is_known(agent, open->id))
			continue;
		metrics_raised(agent, open->id, open->raised_boottime_ns);
		/* They come by the channel, if there is one. */
		if (channel_is_open(agent))
			agent->untaken = open->id;
		else
			consider(agent, open->id);
	}
	asked_carry_out(agent);
	requests_reconcile(agent, opens);
}

void asked_resync(struct agent *agent)
{
	static const struct trustgate_request_visitor visitor = {
		.begin = begin_opens, .request = take_open,
	};
	struct asked_opens opens = { 0 };
	int r;

	/* Before it is started there is nothing that could be answered. */
	if (!agent->people)
		return;
	r = trustgate_request_each(agent->gate, 0, &visitor, &opens, NULL);
	if (r < 0)
		journal_note(LOG_ERR, "cannot see which opens wait for an answer: %s",
			     r == -ENOMEM ? strerror(ENOMEM) : trustgate_error_text(agent->gate));
	else
		resync(agent, &opens);
	free(opens.opens);
	gate_poke(agent);
}

/* ---- the policy ---- */

static int load(struct agent *agent, struct policy **ret_policy)
{
	char error[CONFIG_ERROR_SIZE];
	int r;

	*ret_policy = NULL;
	if (!agent->config->policy)
		return 0;
	r = policy_load(agent->config->policy, ret_policy, error);
	if (r < 0)
		journal_note(LOG_ERR, "%s: %s", agent->policy ?
			     "the old policy stays in force" :
			     "without a policy every open that waits is denied", error);
	return r;
}

void asked_reconfigure(struct agent *agent)
{
	struct policy *policy;

	if (load(agent, &policy) < 0)
		return;
	/* What waits for a trustee by an old rule goes on. */
	policy_free(agent->policy);
	agent->policy = policy;
	renewed_reconfigure(agent);
}

int asked_start(struct agent *agent)
{
	int r;

	(void)load(agent, &agent->policy);
	agent->allowing_end = &agent->allowing;
	r = asked_start_people(agent);
	if (r == 0)
		r = renewed_start(agent);
	if (r < 0)
		return r;
	channel_update(agent);
	asked_resync(agent);
	return 0;
}

void asked_stop(struct agent *agent)
{
	asked_drop_all(agent);
	asked_stop_people(agent);
	renewed_stop(agent);
	policy_free(agent->policy);
	agent->policy = NULL;
}
