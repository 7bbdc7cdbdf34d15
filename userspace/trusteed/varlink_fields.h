/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - the fields of the interface io.trustgate.Agent.
 *
 * Owns: for each field its name, type and description, which varlink_interface.c
 * declares, and beside them where its value comes from, which varlink_json.c
 * writes, or where it goes to, which the methods' tables of parameters read. So
 * a field is one entry here and nothing else.
 *
 * Must not own: code.
 */
#ifndef _TRUSTEED_VARLINK_FIELDS_H
#define _TRUSTEED_VARLINK_FIELDS_H

/*
 * What the agent tells: F(NAME, TYPE, FLAGS, DESCRIPTION, HOW, VALUE...), with
 * TYPE and FLAGS of sd-varlink-idl.h and HOW the name of a put_...() function of
 * varlink_json.c, which gets the VALUEs. T() is the same for a TYPE from here.
 */

#define COUNTER_FIELDS(F) \
	F(cause, STRING, 0, \
	  "Why checks ended so: granted, no-grant, wrong-access, not-yet, expired, used-up, ...", \
	  name, TRUSTGATE_NAMES_CAUSE, counter->cause) \
	F(count, INT, 0, "How many did since the volume is protected", \
	  unsigned, counter->count)

#define VOLUME_FIELDS(F, T) \
	F(id, INT, 0, "Number in the kernel", \
	  unsigned, volume->id) \
	F(name, STRING, 0, "Unique name", \
	  text, volume->name) \
	F(fstype, STRING, 0, "Type of the filesystem", \
	  text, volume->fstype) \
	F(uuid, STRING, NULLABLE, "UUID of the filesystem", \
	  uuid, volume->present & (UINT64_C(1) << TRUSTGATE_A_VOLUME_UUID), volume->uuid) \
	F(device, STRING, 0, "Device number, major:minor", \
	  text, volume->device) \
	F(lowerDevices, INT, 0, "How many devices further below its device are closed", \
	  unsigned, volume->lower_count) \
	F(path, STRING, NULLABLE, \
	  "Where it is mounted as a whole; absent if the agent sees no such mount", \
	  text, path) \
	F(maxDurationNSec, INT, 0, "Longest time from the begin of a grant to its expiry", \
	  unsigned, volume->max_duration_ns) \
	F(onAgentLoss, STRING, 0, \
	  "hold: grants run to their expiry without the agent; revoke: they end with it", \
	  name, TRUSTGATE_NAMES_ON_AGENT_LOSS, volume->on_agent_loss) \
	F(record, STRING, ARRAY, "What is recorded beyond denials: allowed", \
	  names, TRUSTGATE_NAMES_RECORD, volume->record) \
	F(metadata, STRING, 0, \
	  "open: whoever the filesystem lets may look at names and attributes; hidden: who holds a grant on the volume", \
	  name, TRUSTGATE_NAMES_METADATA, volume->metadata) \
	F(leastOnEnd, STRING, 0, \
	  "The least strict onEnd of new grants, and that of those asked for without one", \
	  name, TRUSTGATE_NAMES_ON_END, volume->least_on_end) \
	F(askNSec, INT, NULLABLE, \
	  "How long an open that no grant allows waits for an answer; absent if it is denied at once", \
	  unsigned_if, volume->ask_ns, volume->ask_ns) \
	F(grants, INT, 0, "Live grants", \
	  unsigned, volume->grants) \
	F(addedBoottimeNSec, INT, 0, "Since when it is protected", \
	  unsigned, volume->added_boottime_ns) \
	T(counters, Counter, ARRAY, "Verdicts by cause", \
	  counters, volume)

#define GRANT_FIELDS(F) \
	F(id, INT, 0, "Number in the kernel, never used twice", \
	  unsigned, grant->id) \
	F(volume, STRING, 0, "Name of the volume", \
	  text, volume) \
	F(pid, INT, 0, "Process that holds it, 0 once it has no number any more", \
	  signed, grant->pid) \
	F(startTicks, INT, 0, "Start of that process, field 22 of /proc/PID/stat", \
	  unsigned, grant->start_ticks) \
	F(execId, INT, 0, "Count of programs it has executed, by which the grant holds", \
	  unsigned, grant->exec_id) \
	F(descendants, BOOL, 0, "Covers processes forked from it, too", \
	  flag, grant->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS) \
	F(keepExec, BOOL, 0, "Survives the execution of another program", \
	  flag, grant->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC) \
	F(nextExec, BOOL, 0, \
	  "Begins with the next execution of a program and ends with the one after it", \
	  flag, grant->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC) \
	F(objectKind, STRING, 0, "file or subtree", \
	  name, TRUSTGATE_NAMES_OBJECT_KIND, grant->object_kind) \
	F(path, STRING, NULLABLE, \
	  "Path by which it was given, relative to the root of the volume", \
	  text, path) \
	F(ino, INT, 0, "Inode number of the file or top directory", \
	  unsigned, grant->ino) \
	F(inodeGeneration, INT, 0, "Generation of that inode", \
	  unsigned, grant->inode_generation) \
	F(access, STRING, ARRAY, "read, write, exec, names, meta", \
	  names, TRUSTGATE_NAMES_ACCESS, grant->access) \
	F(notBeforeBoottimeNSec, INT, 0, "Begin, 0 for at once", \
	  unsigned, grant->not_before_boottime_ns) \
	F(expiresBoottimeNSec, INT, 0, "End", \
	  unsigned, grant->expires_boottime_ns) \
	F(maxUses, INT, 0, "Most opens, execs, name and metadata changes, 0 for any number", \
	  unsigned, grant->max_uses) \
	F(uses, INT, 0, "How many there were", \
	  unsigned, grant->uses) \
	F(reason, STRING, 0, \
	  "customer-ticket, maintenance, incident, security-review, legal-order, emergency, automation, customer-self", \
	  name, TRUSTGATE_NAMES_REASON, grant->reason) \
	F(ticket, STRING, NULLABLE, "Number of the ticket", \
	  text, grant->ticket[0] ? grant->ticket : NULL) \
	F(requesterUid, INT, NULLABLE, "User who asked for it; absent for standing grants", \
	  unsigned_if, (grant->tag & (TAG_USER | TAG_SERVICE)) == TAG_USER, \
	  grant->tag & UINT32_MAX) \
	F(comm, STRING, NULLABLE, "Name of the process", \
	  text, comm[0] ? comm : NULL) \
	F(createdBoottimeNSec, INT, 0, "When it was given", \
	  unsigned, grant->created_boottime_ns) \
	F(onEnd, STRING, 0, \
	  "What becomes of mappings when it ends. deny-io: they stay; unmap: they are closed to every access; kill: who has one is killed", \
	  name, TRUSTGATE_NAMES_ON_END, grant->on_end) \
	F(end, STRING, NULLABLE, "How it ended; absent for a live one", \
	  name_if, grant->end != TRUSTGATE_END_NONE, TRUSTGATE_NAMES_END, grant->end) \
	F(mapped, INT, NULLABLE, \
	  "Of one that has ended: processes that were last found to have mappings on the volume that have to end", \
	  unsigned_if, grant->end != TRUSTGATE_END_NONE, grant->mapped) \
	F(state, STRING, 0, "active, not-yet, expired, used-up, ended", \
	  text, grant_state(grant))

#define EVENT_FIELDS(F) \
	F(seq, INT, 0, "Number; a gap means lost events", \
	  unsigned, event->seq) \
	F(type, STRING, 0, \
	  "denied, allowed, grant-added, grant-ended, volume-added, volume-changed, volume-removed, agent-bound, agent-lost, gate-broken, gate-repaired, unmapped, killed, grant-cleared, request-raised, request-closed", \
	  name, TRUSTGATE_NAMES_EVENT_TYPE, event->type) \
	F(timeBoottimeNSec, INT, 0, "When", \
	  unsigned, event->time_boottime_ns) \
	F(dropped, INT, 0, \
	  "Events lost so far, in the kernel or because this watcher was slow", \
	  unsigned, event->dropped) \
	F(volume, STRING, NULLABLE, "Name of the volume", \
	  text, HAS(VOLUME_NAME) ? event->volume_name : NULL) \
	F(grantId, INT, NULLABLE, "Number of the grant", \
	  unsigned_if, HAS(GRANT_ID), event->grant_id) \
	F(hook, STRING, NULLABLE, "Kernel hook that saw the access", \
	  text, HAS(HOOK) ? event->hook : NULL) \
	F(access, STRING, NULLABLE | SD_VARLINK_ARRAY, "read, write, exec, names, meta", \
	  names_if, HAS(ACCESS), TRUSTGATE_NAMES_ACCESS, event->access) \
	F(cause, STRING, NULLABLE, "Why the check ended as it did", \
	  name_if, HAS(CAUSE), TRUSTGATE_NAMES_CAUSE, event->cause) \
	F(end, STRING, NULLABLE, "How the grant ended", \
	  name_if, HAS(END), TRUSTGATE_NAMES_END, event->end) \
	F(pid, INT, NULLABLE, "Process", \
	  signed_if, HAS(PID), event->pid) \
	F(tid, INT, NULLABLE, "Its thread", \
	  signed_if, HAS(TID), event->tid) \
	F(uid, INT, NULLABLE, "Its user", \
	  unsigned_if, HAS(UID), event->uid) \
	F(loginuid, INT, NULLABLE, "Who had logged in, 4294967295 for nobody", \
	  unsigned_if, HAS(LOGINUID), event->loginuid) \
	F(comm, STRING, NULLABLE, "Its name", \
	  text, HAS(COMM) ? event->comm : NULL) \
	F(ino, INT, NULLABLE, "Inode number of the object", \
	  unsigned_if, HAS(INO), event->ino) \
	F(path, STRING, NULLABLE, "Path of the object, relative to the root of the volume", \
	  text, HAS(PATH) ? event->path : NULL) \
	F(pathCut, BOOL, NULLABLE, "The path lost its beginning", \
	  flag_if, HAS(PATH), event->path_cut) \
	F(expiresBoottimeNSec, INT, NULLABLE, "End of the grant", \
	  unsigned_if, HAS(EXPIRES_BOOTTIME_NS), event->expires_boottime_ns) \
	F(targetPid, INT, NULLABLE, "Process whose memory was concerned", \
	  signed_if, HAS(TARGET_PID), event->target_pid) \
	F(mappings, INT, NULLABLE, "How many were ended by force, or led to the kill", \
	  unsigned_if, HAS(MAPPINGS), event->mappings)

#define REQUEST_FIELDS(F) \
	F(id, INT, 0, "Number in the kernel, never used twice", \
	  unsigned, asked->id) \
	F(volume, STRING, 0, "Name of the volume", \
	  text, asked->volume) \
	F(path, STRING, NULLABLE, "What is to be opened, relative to the root of the volume", \
	  text, asked->path) \
	F(access, STRING, ARRAY, "read, write, exec", \
	  names, TRUSTGATE_NAMES_ACCESS, asked->access) \
	F(pid, INT, 0, "Process that waits", \
	  signed, asked->pid) \
	F(uid, INT, 0, "Its user", \
	  unsigned, asked->uid) \
	F(loginuid, INT, NULLABLE, "Who had logged in; absent for nobody", \
	  unsigned_if, asked->loginuid != (uid_t)-1, asked->loginuid) \
	F(comm, STRING, 0, "Its name", \
	  text, asked->comm) \
	F(rule, STRING, 0, "Rule of the policy that wants a trustee to decide", \
	  text, asked->rule) \
	F(maxDurationNSec, INT, 0, "Longest time that it allows", \
	  unsigned, asked->max_duration_ns) \
	F(raisedBoottimeNSec, INT, 0, "Since when it waits", \
	  unsigned, asked->raised_boottime_ns) \
	F(deadlineBoottimeNSec, INT, 0, "When it is denied for want of an answer", \
	  unsigned, asked->deadline_boottime_ns)

#define STATUS_FIELDS(F) \
	F(accountProblem, STRING, NULLABLE, "Why nothing is recorded in the account; absent if it is", \
	  text, problem) \
	F(version, STRING, 0, "Version of the agent", \
	  text, TRUSTGATE_VERSION) \
	F(abiVersion, INT, 0, "Version of the protocol with the kernel", \
	  unsigned, gate->abi_version) \
	F(state, STRING, 0, \
	  "idle: nothing protected; armed; broken: a hook does not run; degraded: a configured volume is not protected", \
	  text, state) \
	F(agentPid, INT, 0, \
	  "Process that bound the socket to the kernel; the former one after a restart", \
	  signed, gate->agent_pid) \
	F(volumes, INT, 0, "Volumes under protection", \
	  unsigned, gate->volumes) \
	F(volumesMax, INT, 0, "How many there can be", \
	  unsigned, gate->volumes_max) \
	F(grants, INT, 0, "Live grants", \
	  unsigned, gate->grants) \
	F(grantsMax, INT, 0, "How many there can be", \
	  unsigned, gate->grants_max) \
	F(grantsBytesMax, INT, 0, "Upper bound of the kernel memory for grantsMax grants", \
	  unsigned, gate->grants_bytes_max) \
	F(subjects, INT, 0, "Processes that hold grants", \
	  unsigned, gate->subjects) \
	F(nowBoottimeNSec, INT, 0, "The clock that all times refer to", \
	  unsigned, gate->now_boottime_ns) \
	F(eventSeq, INT, 0, "Number of the newest event", \
	  unsigned, gate->event_seq) \
	F(eventsDropped, INT, 0, "Events that nobody got", \
	  unsigned, gate->events_dropped) \
	F(eventsAgentMissed, INT, 0, "Events that the agent did not take in time", \
	  unsigned, gate->events_agent_missed) \
	F(auditSuppressed, INT, 0, "Denials without an audit record, by its rate limit", \
	  unsigned, gate->audit_suppressed) \
	F(ending, INT, 0, "Grants that have ended and whose mappings are still looked for", \
	  unsigned, gate->ending) \
	F(unmapped, INT, 0, "Mappings ended by force", \
	  unsigned, gate->unmapped) \
	F(killed, INT, 0, "Processes killed because of mappings", \
	  unsigned, gate->killed) \
	F(proofs, INT, 0, "Successful proofs that all hooks run", \
	  unsigned, gate->proofs) \
	F(proofBoottimeNSec, INT, 0, "When the last one ended", \
	  unsigned, gate->proof_boottime_ns) \
	F(hooks, STRING, ARRAY, "Hooks attached", \
	  hooks, gate) \
	F(requests, INT, 0, "Opens that wait for an answer, of the policy or of a trustee", \
	  unsigned, gate->requests) \
	F(requestsMax, INT, 0, "How many there can be", \
	  unsigned, gate->requests_max) \
	F(oldestRequestBoottimeNSec, INT, NULLABLE, \
	  "Since when the oldest of them waits; absent if there is none", \
	  unsigned_if, gate->oldest_request_boottime_ns, gate->oldest_request_boottime_ns) \
	F(watchers, INT, 0, "Connections in Watch", \
	  unsigned, watchers)

#define EVENT_COUNT_FIELDS(F) \
	F(type, STRING, 0, "One of the types in Event.type", \
	  text, type) \
	F(count, INT, 0, "How many there were", \
	  unsigned, count)

#define WAITED_FIELDS(F) \
	F(end, STRING, 0, \
	  "How they ended: granted, refused, unanswered, withdrawn, agent-lost, volume-changed", \
	  text, end) \
	F(count, INT, 0, "How many did", \
	  unsigned, waited->count) \
	F(sumNSec, INT, 0, "How long they have waited, all together", \
	  unsigned, waited->sum_ns) \
	F(upTo, INT, ARRAY, "How many waited no longer than the bound of the same place", \
	  numbers, waited->up_to, METRICS_BOUNDS)

#define METRICS_FIELDS(F, T) \
	F(startedBoottimeNSec, INT, 0, "When the agent began to count", \
	  unsigned, metrics->numbers->started_boottime_ns) \
	T(events, EventCount, ARRAY, "Events that have reached the agent, by their type", \
	  event_counts, metrics->numbers) \
	F(boundsNSec, INT, ARRAY, "Bounds for the time that opens wait", \
	  numbers, metrics_bounds_ns, METRICS_BOUNDS) \
	T(waited, Waited, ARRAY, "Opens that waited, from raise to close, by how that ended", \
	  waited, metrics->numbers) \
	F(waitingForTrustee, INT, 0, "Opens that wait for a trustee now", \
	  unsigned, metrics->waiting_for_trustee) \
	F(refusals, INT, 0, "Calls that were not permitted or not done", \
	  unsigned, metrics->numbers->refusals) \
	F(accountWaiting, INT, 0, "Entries of the account that are not on disk yet", \
	  unsigned, metrics->account.waiting) \
	F(accountOldestBoottimeNSec, INT, NULLABLE, \
	  "When the oldest of them happened; absent if there is none", \
	  unsigned_if, metrics->account.oldest_boottime_ns, metrics->account.oldest_boottime_ns) \
	F(accountWritten, INT, 0, "Entries written", \
	  unsigned, metrics->account.written) \
	F(accountLost, INT, 0, "Entries for which there was no room while none could be written", \
	  unsigned, metrics->account.lost) \
	F(accountFailures, INT, 0, "Attempts to write that have failed", \
	  unsigned, metrics->account.failures) \
	F(unprotected, STRING, ARRAY, "Configured volumes that are not protected", \
	  unprotected, metrics->agent) \
	F(failingServices, INT, 0, \
	  "Standing grants that could not be given to services which run", \
	  unsigned, services_failing(metrics->agent))

/*
 * What the agent is told: F(NAME, KIND, NEED, DESCRIPTION, MEMBER), with NEED
 * either MANDATORY or NULLABLE, and MEMBER of the method's structure. KIND:
 *
 *	TEXT	const char *
 *	WORDS	char **, to be freed
 *	FLAG	int; below 0 stays what it is if absent
 *	PID	pid_t
 *	NUMBER	uint32_t
 *	TIME	int64_t, nanoseconds
 *	REQUEST	uint64_t, number of a request
 *	GIVEN_TIME, GIVEN_WORDS, GIVEN_NUMBERS	sd_json_variant *, NULL if absent
 */

#define VOLUME_NAME_PARAMETERS(F, NEED) \
	F(name, TEXT, NEED, "Name of the volume", name)

#define SETTINGS_PARAMETERS(F) \
	F(maxDurationNSec, GIVEN_TIME, NULLABLE, \
	  "Longest time from the begin of a grant to its expiry", max_duration) \
	F(onAgentLoss, TEXT, NULLABLE, "hold or revoke", on_agent_loss) \
	F(record, GIVEN_WORDS, NULLABLE, \
	  "What is recorded beyond denials; a new volume records allowed if absent", record) \
	F(metadata, TEXT, NULLABLE, "open or hidden", metadata) \
	F(leastOnEnd, TEXT, NULLABLE, "deny-io, unmap or kill", least_on_end) \
	F(askNSec, GIVEN_TIME, NULLABLE, \
	  "How long an open that no grant allows waits for an answer, 0 if it is denied at once", ask)

#define ADD_VOLUME_PARAMETERS(F) \
	VOLUME_NAME_PARAMETERS(F, MANDATORY) \
	F(path, TEXT, MANDATORY, "Mount point of the filesystem", path) \
	SETTINGS_PARAMETERS(F)

#define SET_VOLUME_PARAMETERS(F) \
	VOLUME_NAME_PARAMETERS(F, MANDATORY) \
	SETTINGS_PARAMETERS(F)

#define GRANT_PARAMETERS(F) \
	F(volume, TEXT, MANDATORY, "Name of the volume", volume) \
	F(path, TEXT, MANDATORY, \
	  "Relative to the root of the volume; . is the whole volume, a trailing / demands a directory", \
	  path) \
	F(pid, PID, NULLABLE, "Process to get it; absent for the caller itself", pid) \
	F(access, WORDS, MANDATORY, "read, write, exec, names, meta", access) \
	F(durationNSec, TIME, MANDATORY, "From begin to expiry", duration_ns) \
	F(delayNSec, TIME, NULLABLE, "Begin, from now", delay_ns) \
	F(maxUses, NUMBER, NULLABLE, "Most opens, execs, name and metadata changes", max_uses) \
	F(subtree, FLAG, NULLABLE, \
	  "true: must be a directory, with all below; false: only the inode itself; absent: all below if it is a directory", \
	  subtree) \
	F(descendants, FLAG, NULLABLE, "Cover processes forked from now on, too", descendants) \
	F(keepExec, FLAG, NULLABLE, "Survive the execution of another program", keep_exec) \
	F(nextExec, FLAG, NULLABLE, \
	  "Begin with the next execution of a program and end with the one after it; not with keepExec", \
	  next_exec) \
	F(onEnd, TEXT, NULLABLE, \
	  "What becomes of mappings when it ends: deny-io, unmap or kill; if absent, the volume's least", on_end) \
	F(reason, TEXT, MANDATORY, "One of the reasons in Grant.reason", reason) \
	F(ticket, TEXT, NULLABLE, "Demanded by the reason customer-ticket", ticket)

#define LIST_REQUESTS_PARAMETERS(F) \
	F(volume, TEXT, NULLABLE, "Only those on this volume", volume)

#define APPROVE_PARAMETERS(F) \
	F(id, REQUEST, MANDATORY, "Request that is approved", id) \
	F(access, GIVEN_WORDS, NULLABLE, "Less than what is asked for", access) \
	F(durationNSec, TIME, NULLABLE, "How long, at most what the rule allows, which it is if absent", \
	  duration_ns) \
	F(descendants, FLAG, NULLABLE, "Cover processes forked from now on, too", descendants) \
	F(reason, TEXT, MANDATORY, "One of the reasons in Grant.reason", reason) \
	F(ticket, TEXT, NULLABLE, "Demanded by the reason customer-ticket", ticket)

#define DENY_PARAMETERS(F) \
	F(id, REQUEST, MANDATORY, "Request that is denied", id)

#define SERVICE_PARAMETERS(F) \
	F(unit, TEXT, NULLABLE, "Unit that the caller believes to be; checked", unit)

#define REVOKE_PARAMETERS(F) \
	F(ids, GIVEN_NUMBERS, NULLABLE, \
	  "Grants by their numbers; exactly one of these four is to be given", ids) \
	F(volume, TEXT, NULLABLE, "All on this volume", volume) \
	F(pid, PID, NULLABLE, "All of this process", pid) \
	F(all, FLAG, NULLABLE, "All there are", all)

#define LIST_GRANTS_PARAMETERS(F) \
	F(volume, TEXT, NULLABLE, "Only those on this volume", volume) \
	F(pid, PID, NULLABLE, "Only those of this process", pid)

#endif
