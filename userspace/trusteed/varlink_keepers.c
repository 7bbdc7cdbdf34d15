// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the method that lists who has files of volumes open or mapped.
 *
 * Owns: putting those first who can still see something, and where the list ends.
 *
 * Must not own: looking at processes, which the kernel does.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_facts.h"
#include "subject.h"
#include "varlink.h"
#include "varlink_fields.h"
#include "varlink_json.h"

/* One reply has to fit into a message, and be read by somebody. */
#define KEEPERS_MAX	256

struct keepers {
	struct trustgate_keeper *list;
	size_t count;
	size_t max;
};

static int take(const struct trustgate_keeper *keeper, void *userdata)
{
	struct keepers *keepers = userdata;

	if (keepers->count == keepers->max) {
		size_t max = keepers->max ? 2 * keepers->max : 16;
		struct trustgate_keeper *list = reallocarray(keepers->list, max, sizeof(*list));

		if (!list)
			return -ENOMEM;
		keepers->list = list;
		keepers->max = max;
	}
	keepers->list[keepers->count++] = *keeper;
	return 0;
}

/* What is mapped can be seen; each use of a descriptor is checked. */
static bool may_see(const struct trustgate_keeper *keeper)
{
	return keeper->mappings || keeper->unknown;
}

static int compare(const void *a, const void *b)
{
	const struct trustgate_keeper *one = a, *other = b;

	if (may_see(one) != may_see(other))
		return may_see(one) ? -1 : 1;
	if (one->volume_id != other->volume_id)
		return one->volume_id < other->volume_id ? -1 : 1;
	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

static int collect(struct agent *agent, const struct volume_names *names, uint32_t volume_id,
		   struct keepers *keepers, struct refusal *refusal)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < names->count; i++) {
		if (volume_id && names->volumes[i].id != volume_id)
			continue;
		r = trustgate_keeper_each(agent->gate, names->volumes[i].id, take, keepers);
		/* Nobody has anything of a volume that is gone meanwhile. */
		if (r == -ENOENT)
			r = 0;
	}
	return r < 0 ? gate_refused(agent, r, refusal) : 0;
}

/* Who is gone by now, or cannot be looked at, has no program and no unit here. */
static void find_out(const struct trustgate_keeper *keeper, struct policy_facts *facts)
{
	struct refusal ignored = { 0 };
	struct subject subject;

	if (keeper->pid <= 0 || subject_open(keeper->pid, -1, &subject, &ignored) < 0)
		return;
	if (subject.start_ticks != keeper->start_ticks ||
	    policy_facts_read(keeper->pid, POLICY_DIGESTS_NONE, facts) < 0 ||
	    subject_alive(&subject) != 1) {
		policy_facts_clear(facts);
		*facts = (struct policy_facts){ 0 };
	}
	subject_close(&subject);
}

static int describe(const struct trustgate_keeper *keeper, const struct volume_names *names,
		    sd_json_variant **list)
{
	struct policy_facts facts = { 0 };
	sd_json_variant *json = NULL;
	int r;

	find_out(keeper, &facts);
	r = varlink_json_keeper(keeper, varlink_volume_name(names, keeper->volume_id), &facts,
				&json);
	if (r >= 0)
		r = sd_json_variant_append_array(list, json);
	sd_json_variant_unref(json);
	policy_facts_clear(&facts);
	return r;
}

static int reply(const struct keepers *keepers, const struct volume_names *names,
		 sd_json_variant **ret_reply)
{
	size_t shown = keepers->count > KEEPERS_MAX ? KEEPERS_MAX : keepers->count;
	sd_json_variant *list = NULL;
	int r = sd_json_variant_new_array(&list, NULL, 0);

	for (size_t i = 0; r >= 0 && i < shown; i++)
		r = describe(&keepers->list[i], names, &list);
	if (r >= 0)
		r = sd_json_buildo(ret_reply, SD_JSON_BUILD_PAIR_VARIANT("keepers", list),
				   SD_JSON_BUILD_PAIR_UNSIGNED("more", keepers->count - shown));
	sd_json_variant_unref(list);
	return r;
}

struct list_parameters {
	const char *volume;
};

static int run_list(struct agent *agent, sd_varlink *link, void *userdata,
		    sd_json_variant **ret_reply, struct refusal *refusal)
{
	const struct list_parameters *given = userdata;
	struct volume_names names = { 0 };
	struct trustgate_volume volume;
	struct keepers keepers = { 0 };
	int r = 0;

	(void)link;
	volume.id = 0;
	if (given->volume)
		r = volumes_get(agent, given->volume, &volume, refusal);
	if (r == 0)
		r = varlink_volume_names(agent, &names, refusal);
	if (r == 0)
		r = collect(agent, &names, volume.id, &keepers, refusal);
	if (r == 0) {
		if (keepers.count)
			qsort(keepers.list, keepers.count, sizeof(*keepers.list), compare);
		r = reply(&keepers, &names, ret_reply);
	}
	free(keepers.list);
	free(names.volumes);
	return r;
}

int method_list_keepers(sd_varlink *link, sd_json_variant *parameters,
			sd_varlink_method_flags_t flags, void *userdata)
{
	static const sd_json_dispatch_field fields[] = {
#define PARAMETERS struct list_parameters
		LIST_KEEPERS_PARAMETERS(PARAMETER)
#undef PARAMETERS
		{ 0 }
	};
	static const struct method method = { "ListKeepers", fields, ASK_READ, .run = run_list };
	struct list_parameters given = { 0 };

	(void)flags;
	return varlink_answer(userdata, &method, link, parameters, &given);
}
