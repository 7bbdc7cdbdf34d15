// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - what remains of grants that have ended; see remains.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "remains.h"

/* Mappings mostly end within a second or two. */
#define PAUSE_FIRST_NS	UINT64_C(100000000)
#define PAUSE_MOST_NS	UINT64_C(1000000000)

static int no_memory(void)
{
	complain("out of memory");
	return EXIT_REFUSED;
}

int wanted_add(struct wanted *wanted, uint64_t id)
{
	uint64_t *ids = reallocarray(wanted->ids, wanted->count + 1, sizeof(*ids));

	if (!ids)
		return no_memory();
	ids[wanted->count++] = id;
	wanted->ids = ids;
	return 0;
}

/* ---- lists ---- */

static int list(const struct cli *cli, const char *volume, uint64_t pid, agent_reply_fn reply,
		void *userdata)
{
	sd_json_variant *parameters = NULL;

	if (sd_json_buildo(&parameters,
			   SD_JSON_BUILD_PAIR_CONDITION(volume != NULL, "volume",
							SD_JSON_BUILD_STRING(volume)),
			   SD_JSON_BUILD_PAIR_CONDITION(pid != 0, "pid",
							SD_JSON_BUILD_UNSIGNED(pid))) < 0) {
		complain("cannot make the request: the volume's name must be UTF-8.");
		return EXIT_REFUSED;
	}
	return agent_stream(cli, "ListGrants", parameters, false, reply, userdata);
}

static int add_numbers(sd_json_variant *reply, void *userdata)
{
	sd_json_variant *grants = sd_json_variant_by_key(reply, "grants");
	uint64_t id = 0;
	int r = 0;

	for (size_t i = 0; !r && i < sd_json_variant_elements(grants); i++)
		if (field_number(sd_json_variant_by_index(grants, i), "id", &id))
			r = wanted_add(userdata, id);
	return r;
}

int wanted_add_process(const struct cli *cli, struct wanted *wanted)
{
	return list(cli, NULL, wanted->pid, add_numbers, wanted);
}

static bool is_wanted(const struct wanted *wanted, sd_json_variant *grant)
{
	const char *volume = field_string(grant, "volume");
	uint64_t id = 0, pid = 0;

	field_number(grant, "id", &id);
	field_number(grant, "pid", &pid);
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->ids[i] == id)
			return true;
	return wanted->all || (wanted->pid && wanted->pid == pid) ||
	       (wanted->volume && volume && !strcmp(wanted->volume, volume));
}

/* A list on its way. */
struct finding {
	const struct wanted *wanted;
	sd_json_variant *found;
};

static int find(sd_json_variant *reply, void *userdata)
{
	sd_json_variant *grants = sd_json_variant_by_key(reply, "grants");
	struct finding *finding = userdata;

	if (!sd_json_variant_is_array(grants)) {
		complain("the agent's answer makes no sense: it holds no grants.");
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < sd_json_variant_elements(grants); i++) {
		sd_json_variant *grant = sd_json_variant_by_index(grants, i);

		if (field_string(grant, "end") && is_wanted(finding->wanted, grant) &&
		    sd_json_variant_append_array(&finding->found, grant) < 0)
			return no_memory();
	}
	return 0;
}

/* There may be a million live grants to be listed with the few that have ended. */
static int any_remains(const struct cli *cli, bool *ret)
{
	sd_json_variant *status = NULL;
	uint64_t ending = 0;
	int r;

	r = agent_call(cli, "Status", NULL, &status);
	if (!r && !field_number(status, "ending", &ending)) {
		complain("the agent's answer makes no sense: it does not say how many grants are ending.");
		r = EXIT_REFUSED;
	}
	sd_json_variant_unref(status);
	*ret = ending;
	return r;
}

int remains_find(const struct cli *cli, const struct wanted *wanted, sd_json_variant **ret)
{
	struct finding finding = { .wanted = wanted };
	bool any = false;
	int r;

	if (sd_json_variant_new_array(&finding.found, NULL, 0) < 0)
		return no_memory();
	r = any_remains(cli, &any);
	if (!r && any)
		r = list(cli, wanted->volume, 0, find, &finding);
	if (r)
		sd_json_variant_unref(finding.found);
	else
		*ret = finding.found;
	return r;
}

/* ---- waiting ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

static void pause_for(uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = ns / UINT64_C(1000000000),
		.tv_nsec = ns % UINT64_C(1000000000),
	};

	nanosleep(&time, NULL);
}

/* Who waits is told for what, and for how long at most, on a terminal. */
static void show_wait(size_t count, uint64_t left_ns, bool endless)
{
	char left[FORMAT_TIME_SIZE];

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[Kwaiting for the mappings of %zu %s to end", count,
		count == 1 ? "grant" : "grants");
	if (!endless)
		fprintf(stderr, ", %s left", format_left(left_ns, left));
}

static void clear_wait(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

int remains_wait(const struct cli *cli, const struct wanted *wanted, uint64_t timeout_ns,
		 sd_json_variant **ret)
{
	uint64_t begin = now_ns(), pause = PAUSE_FIRST_NS;

	for (;;) {
		uint64_t passed;
		size_t count;
		int r;

		r = remains_find(cli, wanted, ret);
		count = r ? 0 : sd_json_variant_elements(*ret);
		if (!count)
			return r;
		passed = now_ns() - begin;
		if (passed >= timeout_ns)
			return 0;
		*ret = sd_json_variant_unref(*ret);
		if (pause > timeout_ns - passed)
			pause = timeout_ns - passed;
		show_wait(count, timeout_ns - passed, timeout_ns == UINT64_MAX);
		pause_for(pause);
		clear_wait();
		pause = pause * 2 > PAUSE_MOST_NS ? PAUSE_MOST_NS : pause * 2;
	}
}
