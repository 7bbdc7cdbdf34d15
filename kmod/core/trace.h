/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - tracepoints: every verdict, and the life of grants.
 *
 * Owns: their form. They cost nothing while nobody traces.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM trustgate

#if !defined(_TRUSTGATE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRUSTGATE_TRACE_H

#include <linux/tracepoint.h>

#include "decision.h"
#include "grant.h"
#include "names.h"

#define show_trustgate_access(access)					\
	__print_flags(access, "|",					\
		      { TRUSTGATE_ACCESS_READ, "read" },		\
		      { TRUSTGATE_ACCESS_WRITE, "write" },		\
		      { TRUSTGATE_ACCESS_EXEC, "exec" },		\
		      { TRUSTGATE_ACCESS_NAMES, "names" },		\
		      { TRUSTGATE_ACCESS_META, "meta" })

TRACE_EVENT(trustgate_verdict,
	TP_PROTO(const char *hook, const struct trustgate_question *question,
		 const struct trustgate_answer *answer),
	TP_ARGS(hook, question, answer),
	TP_STRUCT__entry(
		__string(hook, hook)
		__string(cause, trustgate_cause_name(answer->cause))
		__field(u32, volume)
		__field(u64, ino)
		__field(u32, generation)
		__field(u32, access)
		__field(u64, grant)
	),
	TP_fast_assign(
		__assign_str(hook);
		__assign_str(cause);
		__entry->volume = question->volume ? question->volume->id : 0;
		__entry->ino = question->ino;
		__entry->generation = question->generation;
		__entry->access = question->access;
		__entry->grant = answer->grant_id;
	),
	TP_printk("hook=%s volume=%u ino=%llu generation=%u access=%s cause=%s grant=%llu",
		  __get_str(hook), __entry->volume, __entry->ino,
		  __entry->generation, show_trustgate_access(__entry->access),
		  __get_str(cause), __entry->grant)
);

DECLARE_EVENT_CLASS(trustgate_grant,
	TP_PROTO(const struct trustgate_grant *grant, u32 end),
	TP_ARGS(grant, end),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, volume)
		__field(s32, pid)
		__field(u64, ino)
		__field(u32, access)
		__field(u64, expires_ns)
		__field(u32, end)
	),
	TP_fast_assign(
		__entry->id = grant->id;
		__entry->volume = grant->volume->id;
		__entry->pid = pid_nr((struct pid *)grant->key.pid);
		__entry->ino = grant->key.ino;
		__entry->access = grant->access;
		__entry->expires_ns = grant->expiry.expires;
		__entry->end = end;
	),
	TP_printk("grant=%llu volume=%u pid=%d ino=%llu access=%s expires_boottime_ns=%llu end=%u",
		  __entry->id, __entry->volume, __entry->pid, __entry->ino,
		  show_trustgate_access(__entry->access),
		  __entry->expires_ns, __entry->end)
);

DEFINE_EVENT(trustgate_grant, trustgate_grant_added,
	TP_PROTO(const struct trustgate_grant *grant, u32 end),
	TP_ARGS(grant, end)
);

DEFINE_EVENT(trustgate_grant, trustgate_grant_ended,
	TP_PROTO(const struct trustgate_grant *grant, u32 end),
	TP_ARGS(grant, end)
);

#endif /* _TRUSTGATE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
