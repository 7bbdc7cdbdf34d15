// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the interface's types as JSON, see varlink_json.h.
 *
 * Owns: how each field is written.
 *
 * Must not own: the declaration of the types (varlink_interface.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "varlink_json.h"

/* Paths and command names may be any bytes; JSON is UTF-8. */
static char *as_utf8(const char *text)
{
	size_t length = strlen(text), used = 0;
	char *out = malloc(length * 4 + 1);

	if (!out)
		return NULL;
	while (*text) {
		const unsigned char *at = (const unsigned char *)text;
		size_t more = at[0] < 0x80 ? 0 : at[0] >= 0xc2 && at[0] < 0xe0 ? 1 :
			      at[0] >= 0xe0 && at[0] < 0xf0 ? 2 :
			      at[0] >= 0xf0 && at[0] < 0xf5 ? 3 : SIZE_MAX;
		size_t i;

		for (i = 1; more != SIZE_MAX && i <= more; i++)
			if ((at[i] & 0xc0) != 0x80)
				more = SIZE_MAX;
		/* Overlong forms, surrogates, beyond the last code point. */
		if ((more == 2 && ((at[0] == 0xe0 && at[1] < 0xa0) ||
				   (at[0] == 0xed && at[1] > 0x9f))) ||
		    (more == 3 && ((at[0] == 0xf0 && at[1] < 0x90) ||
				   (at[0] == 0xf4 && at[1] > 0x8f))))
			more = SIZE_MAX;
		if (more == SIZE_MAX) {
			used += snprintf(out + used, 5, "\\x%02x", at[0]);
			text++;
		} else {
			memcpy(out + used, text, more + 1);
			used += more + 1;
			text += more + 1;
		}
	}
	out[used] = '\0';
	return out;
}

static int set_text(sd_json_variant **object, const char *field, const char *text)
{
	char *clean = as_utf8(text);
	int r;

	if (!clean)
		return -ENOMEM;
	r = sd_json_variant_set_field_string(object, field, clean);
	free(clean);
	return r;
}

/* The names of a mask's bits as a list of strings. */
static int set_names(sd_json_variant **object, const char *field,
		     enum trustgate_names set, uint32_t mask)
{
	char *names[33];
	size_t count = 0;

	for (int bit = 0; bit < 32; bit++) {
		const char *name = (mask >> bit) & 1 ?
				   trustgate_name(set, UINT32_C(1) << bit) : NULL;

		if (name)
			names[count++] = (char *)name;
	}
	names[count] = NULL;
	return sd_json_variant_set_field_strv(object, field, names);
}

static const char *name_or_unknown(enum trustgate_names set, uint32_t value)
{
	return trustgate_name(set, value) ?: "unknown";
}

static int counters(const struct trustgate_volume *volume, sd_json_variant **ret)
{
	sd_json_variant *list = NULL;
	int r = sd_json_build(&list, SD_JSON_BUILD_EMPTY_ARRAY);

	for (size_t i = 0; r >= 0 && i < volume->counters_count; i++)
		r = sd_json_variant_append_arraybo(&list,
			SD_JSON_BUILD_PAIR_STRING("cause",
				name_or_unknown(TRUSTGATE_NAMES_CAUSE,
						volume->counters[i].cause)),
			SD_JSON_BUILD_PAIR_UNSIGNED("count", volume->counters[i].count));
	*ret = list;
	return r;
}

int varlink_json_volume(const struct trustgate_volume *volume, const char *path,
			sd_json_variant **ret)
{
	sd_json_variant *object = NULL, *list = NULL;
	sd_id128_t uuid;
	int r;

	r = counters(volume, &list);
	if (r >= 0)
		r = sd_json_buildo(&object,
			SD_JSON_BUILD_PAIR_UNSIGNED("id", volume->id),
			SD_JSON_BUILD_PAIR_STRING("name", volume->name),
			SD_JSON_BUILD_PAIR_STRING("fstype", volume->fstype),
			SD_JSON_BUILD_PAIR_STRING("device", volume->device),
			SD_JSON_BUILD_PAIR_UNSIGNED("maxDurationNSec", volume->max_duration_ns),
			SD_JSON_BUILD_PAIR_STRING("onAgentLoss",
				name_or_unknown(TRUSTGATE_NAMES_ON_AGENT_LOSS,
						volume->on_agent_loss)),
			SD_JSON_BUILD_PAIR_UNSIGNED("grants", volume->grants),
			SD_JSON_BUILD_PAIR_UNSIGNED("addedBoottimeNSec",
						    volume->added_boottime_ns),
			SD_JSON_BUILD_PAIR_VARIANT("counters", list));
	if (r >= 0 && (volume->present & (UINT64_C(1) << TRUSTGATE_A_VOLUME_UUID))) {
		memcpy(uuid.bytes, volume->uuid, sizeof(uuid.bytes));
		r = sd_json_variant_set_field_uuid(&object, "uuid", uuid);
	}
	if (r >= 0)
		r = set_names(&object, "record", TRUSTGATE_NAMES_RECORD, volume->record);
	if (r >= 0 && path)
		r = set_text(&object, "path", path);
	sd_json_variant_unref(list);
	if (r < 0) {
		sd_json_variant_unref(object);
		return r;
	}
	*ret = object;
	return 0;
}

static const char *grant_state(const struct trustgate_grant *grant)
{
	uint64_t now = now_boottime_ns();

	if (now >= grant->expires_boottime_ns)
		return "expired";
	if (grant->max_uses && grant->uses >= grant->max_uses)
		return "used-up";
	if (now < grant->not_before_boottime_ns)
		return "not-yet";
	return "active";
}

int varlink_json_grant(const struct trustgate_grant *grant, const char *volume,
		       const char *path, sd_json_variant **ret)
{
	sd_json_variant *object = NULL;
	char comm[17];
	int r;

	subject_comm(grant->pid, comm);
	r = sd_json_buildo(&object,
		SD_JSON_BUILD_PAIR_UNSIGNED("id", grant->id),
		SD_JSON_BUILD_PAIR_STRING("volume", volume),
		SD_JSON_BUILD_PAIR_INTEGER("pid", grant->pid),
		SD_JSON_BUILD_PAIR_UNSIGNED("startTicks", grant->start_ticks),
		SD_JSON_BUILD_PAIR_UNSIGNED("execId", grant->exec_id),
		SD_JSON_BUILD_PAIR_BOOLEAN("descendants",
			grant->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS),
		SD_JSON_BUILD_PAIR_BOOLEAN("keepExec",
			grant->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC),
		SD_JSON_BUILD_PAIR_BOOLEAN("nextExec",
			grant->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC),
		SD_JSON_BUILD_PAIR_STRING("objectKind",
			name_or_unknown(TRUSTGATE_NAMES_OBJECT_KIND, grant->object_kind)),
		SD_JSON_BUILD_PAIR_UNSIGNED("ino", grant->ino),
		SD_JSON_BUILD_PAIR_UNSIGNED("inodeGeneration", grant->inode_generation),
		SD_JSON_BUILD_PAIR_UNSIGNED("notBeforeBoottimeNSec",
					    grant->not_before_boottime_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("expiresBoottimeNSec", grant->expires_boottime_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("maxUses", grant->max_uses),
		SD_JSON_BUILD_PAIR_UNSIGNED("uses", grant->uses),
		SD_JSON_BUILD_PAIR_STRING("reason",
			name_or_unknown(TRUSTGATE_NAMES_REASON, grant->reason)),
		SD_JSON_BUILD_PAIR_UNSIGNED("createdBoottimeNSec", grant->created_boottime_ns),
		SD_JSON_BUILD_PAIR_STRING("state", grant_state(grant)));
	if (r >= 0)
		r = set_names(&object, "access", TRUSTGATE_NAMES_ACCESS, grant->access);
	if (r >= 0 && path)
		r = set_text(&object, "path", path);
	if (r >= 0 && grant->ticket[0])
		r = set_text(&object, "ticket", grant->ticket);
	if (r >= 0 && comm[0])
		r = set_text(&object, "comm", comm);
	if (r >= 0 && (grant->tag & TAG_USER) && !(grant->tag & TAG_SERVICE))
		r = sd_json_variant_set_field_unsigned(&object, "requesterUid",
						       grant->tag & UINT32_MAX);
	if (r < 0) {
		sd_json_variant_unref(object);
		return r;
	}
	*ret = object;
	return 0;
}

int varlink_json_event(const struct trustgate_event *event, sd_json_variant **ret)
{
	sd_json_variant *object = NULL;
	int r;

#define HAS(attribute) trustgate_event_has(event, TRUSTGATE_A_EVENT_##attribute)
#define NUMBER(attribute, field, value) \
	SD_JSON_BUILD_PAIR_CONDITION(HAS(attribute), field, SD_JSON_BUILD_UNSIGNED(value))
#define SIGNED(attribute, field, value) \
	SD_JSON_BUILD_PAIR_CONDITION(HAS(attribute), field, SD_JSON_BUILD_INTEGER(value))
#define NAME(attribute, field, set, value) \
	SD_JSON_BUILD_PAIR_CONDITION(HAS(attribute), field, \
				     SD_JSON_BUILD_STRING(name_or_unknown(set, value)))
	r = sd_json_buildo(&object,
		SD_JSON_BUILD_PAIR_UNSIGNED("seq", event->seq),
		SD_JSON_BUILD_PAIR_STRING("type",
			name_or_unknown(TRUSTGATE_NAMES_EVENT_TYPE, event->type)),
		SD_JSON_BUILD_PAIR_UNSIGNED("timeBoottimeNSec", event->time_boottime_ns),
		SD_JSON_BUILD_PAIR_UNSIGNED("dropped", event->dropped),
		SD_JSON_BUILD_PAIR_CONDITION(HAS(VOLUME_NAME), "volume",
					     SD_JSON_BUILD_STRING(event->volume_name)),
		NUMBER(GRANT_ID, "grantId", event->grant_id),
		SD_JSON_BUILD_PAIR_CONDITION(HAS(HOOK), "hook",
					     SD_JSON_BUILD_STRING(event->hook)),
		NAME(CAUSE, "cause", TRUSTGATE_NAMES_CAUSE, event->cause),
		NAME(END, "end", TRUSTGATE_NAMES_END, event->end),
		SIGNED(PID, "pid", event->pid),
		SIGNED(TID, "tid", event->tid),
		NUMBER(UID, "uid", event->uid),
		NUMBER(LOGINUID, "loginuid", event->loginuid),
		NUMBER(INO, "ino", event->ino),
		NUMBER(EXPIRES_BOOTTIME_NS, "expiresBoottimeNSec", event->expires_boottime_ns));
	if (r >= 0 && HAS(ACCESS))
		r = set_names(&object, "access", TRUSTGATE_NAMES_ACCESS, event->access);
	if (r >= 0 && HAS(COMM))
		r = set_text(&object, "comm", event->comm);
	if (r >= 0 && HAS(PATH))
		r = set_text(&object, "path", event->path);
	if (r >= 0 && HAS(PATH))
		r = sd_json_variant_set_field_boolean(&object, "pathCut", event->path_cut);
#undef HAS
#undef NUMBER
#undef SIGNED
#undef NAME
	if (r < 0) {
		sd_json_variant_unref(object);
		return r;
	}
	*ret = object;
	return 0;
}
