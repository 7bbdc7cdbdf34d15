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
	  unsigned, counter->count) \
	F(observed, INT, NULLABLE, \
	  "How many ended so and were not denied, as the volume was observed; absent if none", \
	  unsigned_if, counter->observed, counter->observed)

#define OBSERVATION_FIELDS(F) \
	F(volume, STRING, 0, "Name of the volume, which may not be protected any more", \
	  text, observation->volume_name) \
	F(live, BOOL, 0, "It is observed now: accesses are recorded and not denied", \
	  flag, observation->live) \
	F(sinceBoottimeNSec, INT, 0, "When it was for the first time", \
	  unsigned, observation->since_boottime_ns) \
	F(untilBoottimeNSec, INT, 0, "When that ends, or ended the last time", \
	  unsigned, observation->until_boottime_ns) \
	F(times, INT, 0, "How often it was begun", \
	  unsigned, observation->times)

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
	F(audit, STRING, 0, \
	  "What becomes of an access that is to be recorded and cannot be; normal: it is allowed; strict: denied", \
	  name, TRUSTGATE_NAMES_AUDIT, volume->audit) \
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
	F(observedUntilBoottimeNSec, INT, NULLABLE, \
	  "Until when accesses are recorded and not denied; absent if they are denied", \
	  unsigned_if, volume->observed_until_boottime_ns, volume->observed_until_boottime_ns) \
	F(observedSinceBoottimeNSec, INT, NULLABLE, "Since when", \
	  unsigned_if, volume->observed_until_boottime_ns, volume->observed_since_boottime_ns) \
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
	F(supervised, BOOL, 0, "Allows only while somebody supervises it", \
	  flag, grant->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED) \
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
	  unsigned_if, tag_is_user(grant->tag), \
	  grant->tag & UINT32_MAX) \
	F(breakGlass, BOOL, NULLABLE, "Taken without approval; absent for any other", \
	  flag_if, tag_is_break_glass(grant->tag), true) \
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
	F(state, STRING, 0, "active, not-yet, expired, used-up, suspended, ended", \
	  text, grant_state(grant))

#define EVENT_FIELDS(F) \
	F(seq, INT, 0, "Number; a gap means lost events", \
	  unsigned, event->seq) \
	F(type, STRING, 0, \
	  "denied, allowed, grant-added, grant-ended, volume-added, volume-changed, volume-removed, agent-bound, agent-lost, gate-broken, gate-repaired, unmapped, killed, grant-cleared, request-raised, request-closed, grant-suspended, grant-resumed, observed, observation-begun, observation-ended", \
	  name, TRUSTGATE_NAMES_EVENT_TYPE, event->type) \
	F(timeBoottimeNSec, INT, 0, "When", \
	  unsigned, event->time_boottime_ns) \
	F(dropped, INT, 0, \
	  "Events lost so far, in the kernel or because this watcher was slow", \
	  unsigned, event->dropped) \
	F(others, INT, NULLABLE, \
	  "Events of other volumes just before it, which this watcher may not see; absent for none", \
	  unsigned_if, false, 0) \
	F(volume, STRING, NULLABLE, "Name of the volume", \
	  text, HAS(VOLUME_NAME) ? event->volume_name : NULL) \
	F(grantId, INT, NULLABLE, "Number of the grant", \
	  unsigned_if, HAS(GRANT_ID), event->grant_id) \
	F(breakGlass, BOOL, NULLABLE, "The grant was taken without approval; absent for any other", \
	  flag_if, HAS(TAG) && tag_is_break_glass(event->tag), true) \
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
	F(expiresBoottimeNSec, INT, NULLABLE, "End of the grant, or of the observation", \
	  unsigned_if, HAS(EXPIRES_BOOTTIME_NS), event->expires_boottime_ns) \
	F(targetPid, INT, NULLABLE, "Process whose memory was concerned", \
	  signed_if, HAS(TARGET_PID), event->target_pid) \
	F(mappings, INT, NULLABLE, "How many were ended by force, or led to the kill", \
	  unsigned_if, HAS(MAPPINGS), event->mappings)

#define KEEPER_FIELDS(F) \
	F(volume, STRING, 0, "Name of the volume", \
	  text, volume) \
	F(pid, INT, 0, "Process, 0 if it has no number here", \
	  signed, keeper->pid) \
	F(startTicks, INT, 0, "Its start time, field 22 of /proc/PID/stat", \
	  unsigned, keeper->start_ticks) \
	F(uid, INT, 0, "Its user", \
	  unsigned, keeper->uid) \
	F(comm, STRING, 0, "Its name", \
	  text, keeper->comm) \
	F(exe, STRING, NULLABLE, "Its program, as far as it can be found out", \
	  text, facts->exe.known == POLICY_KNOWN ? facts->exe.text : NULL) \
	F(unit, STRING, NULLABLE, "Its systemd unit", \
	  text, facts->unit.known == POLICY_KNOWN ? facts->unit.text : NULL) \
	F(files, INT, 0, "Files of the volume that it has open; each use of them is checked", \
	  unsigned, keeper->files) \
	F(mappings, INT, 0, "Its mappings that show files of the volume, without any check", \
	  unsigned, keeper->mappings) \
	F(program, BOOL, 0, "Some of them are of a program that it executes", \
	  flag, keeper->program) \
	F(unknown, BOOL, 0, "Its memory was locked, so that there may be mappings", \
	  flag, keeper->unknown) \
	F(path, STRING, NULLABLE, \
	  "Of one of the files, a mapped one if there is any, relative to the root of the volume", \
	  text, keeper->present & (UINT64_C(1) << TRUSTGATE_A_KEEPER_PATH) ? keeper->path : NULL) \
	F(pathCut, BOOL, NULLABLE, "The path lost its beginning", \
	  flag_if, keeper->path_cut, true)

#define REQUEST_FIELDS(F) \
	F(id, INT, 0, "Number, never used twice", \
	  unsigned, request->id) \
	F(kind, STRING, 0, \
	  "open: an open waits in the kernel; person: asked for ahead of one; extension: more time for another request's grant; break-glass: taken without approval", \
	  text, docket_kind_name(request->kind)) \
	F(state, STRING, 0, \
	  "pending, approved, extended, rejected, expired, revoked, completed, failed-to-close", \
	  text, docket_state_name(request->state)) \
	F(cause, STRING, NULLABLE, "Why it is in that state, as far as somebody has said so", \
	  text, request->cause) \
	F(volume, STRING, 0, "Name of the volume", \
	  text, request->volume) \
	F(path, STRING, NULLABLE, "What is to be opened, relative to the root of the volume", \
	  text, request->path) \
	F(subtree, BOOL, 0, "With all beneath it, if it is a directory", \
	  flag, request->subtree != DOCKET_ONE_INODE) \
	F(descendants, BOOL, 0, "For processes forked from it later, too", \
	  flag, request->flags & TRUSTGATE_GRANT_FLAGS_DESCENDANTS) \
	F(keepExec, BOOL, 0, "Also after the execution of another program", \
	  flag, request->flags & TRUSTGATE_GRANT_FLAGS_KEEP_EXEC) \
	F(nextExec, BOOL, 0, "From the next execution of a program on", \
	  flag, request->flags & TRUSTGATE_GRANT_FLAGS_NEXT_EXEC) \
	F(supervised, BOOL, 0, "Only while somebody supervises it", \
	  flag, request->flags & TRUSTGATE_GRANT_FLAGS_SUPERVISED) \
	F(access, STRING, ARRAY, "read, write, exec, names, meta", \
	  names, TRUSTGATE_NAMES_ACCESS, request->access) \
	F(pid, INT, 0, "Process that waits", \
	  unsigned, request->pid) \
	F(uid, INT, 0, "Its user", \
	  unsigned, request->uid) \
	F(loginuid, INT, NULLABLE, "Who had logged in; absent for nobody", \
	  unsigned_if, request->loginuid != DOCKET_NOBODY, request->loginuid) \
	F(comm, STRING, NULLABLE, "Its name", \
	  text, request->comm) \
	F(exe, STRING, NULLABLE, "Its program", \
	  text, request->exe) \
	F(unit, STRING, NULLABLE, "Its systemd unit", \
	  text, request->unit) \
	F(rule, STRING, NULLABLE, "Rule of the policy that wants people to decide", \
	  text, request->rule) \
	F(requesterUid, INT, 0, "User who asks", \
	  unsigned, request->requester) \
	F(reason, STRING, NULLABLE, "Why; absent until somebody has said so", \
	  name_if, request->reason, TRUSTGATE_NAMES_REASON, request->reason) \
	F(ticket, STRING, NULLABLE, "Number of the ticket", \
	  text, request->ticket) \
	F(comment, STRING, NULLABLE, "Why, in the words of who asks", \
	  text, request->comment) \
	F(location, STRING, NULLABLE, "From where the access is", \
	  text, request->location) \
	F(retentionDays, INT, NULLABLE, "How long what is made of the access is kept", \
	  unsigned_if, request->retention_days, request->retention_days) \
	F(legalReference, STRING, NULLABLE, "Reference of a legal order", \
	  text, request->legal_reference) \
	F(notify, STRING, NULLABLE, "Whether a legal order lets the tenant be told: notify, delayed, prohibited", \
	  text, request->notify) \
	F(maxDurationNSec, INT, 0, "Longest time that can be approved", \
	  unsigned, request->max_duration_ns) \
	F(needTrustees, INT, 0, "How many trustees have to approve", \
	  unsigned, need.trustees) \
	F(needTenants, INT, 0, "And how many of the tenant's people", \
	  unsigned, need.tenants) \
	F(trustees, INT, 0, "How many have approved", \
	  unsigned, have.trustees) \
	F(tenants, INT, 0, "The same", \
	  unsigned, have.tenants) \
	F(raisedRealtimeNSec, INT, 0, "When it was raised, by the wall clock", \
	  unsigned, request->raised_realtime_ns) \
	F(changedRealtimeNSec, INT, 0, "When its state changed", \
	  unsigned, request->changed_realtime_ns) \
	F(raisedBoottimeNSec, INT, NULLABLE, "Since when it waits; absent for another boot", \
	  unsigned_if, live, request->raised_boottime_ns) \
	F(deadlineBoottimeNSec, INT, NULLABLE, "When it is denied for want of an answer; absent for another boot", \
	  unsigned_if, live, request->deadline_boottime_ns) \
	F(beginBoottimeNSec, INT, NULLABLE, "From when it is approved; absent for at once", \
	  unsigned_if, live && request->begin_boottime_ns, request->begin_boottime_ns) \
	F(durationNSec, INT, NULLABLE, "For how long it is asked for or approved", \
	  unsigned_if, request->duration_ns, request->duration_ns) \
	F(approvedAccess, STRING, NULLABLE | SD_VARLINK_ARRAY, "What is approved", \
	  names_if, request->grant_access, TRUSTGATE_NAMES_ACCESS, request->grant_access) \
	F(grantId, INT, NULLABLE, "Grant that was given", \
	  unsigned_if, request->grant_id, request->grant_id) \
	F(parent, INT, NULLABLE, "Request whose grant is to be extended", \
	  unsigned_if, request->parent, request->parent) \
	F(acknowledged, BOOL, NULLABLE, "Of one that broke the glass: a trustee has acknowledged that", \
	  flag_if, request->kind == DOCKET_BREAK_GLASS, have.trustees)

#define APPROVAL_FIELDS(F) \
	F(uid, INT, 0, "Who", \
	  unsigned, approval->uid) \
	F(loginuid, INT, NULLABLE, "Who had logged in as him; absent for nobody", \
	  unsigned_if, approval->loginuid != DOCKET_NOBODY, approval->loginuid) \
	F(role, STRING, 0, "trustee, tenant; who denies may also be requester or root", \
	  text, docket_role_name(approval->role)) \
	F(approves, BOOL, 0, "Or denies", \
	  flag, approval->approves) \
	F(realtimeNSec, INT, 0, "When", \
	  unsigned, approval->realtime_ns) \
	F(comment, STRING, NULLABLE, "Why, in his words", \
	  text, approval->comment) \
	F(access, STRING, NULLABLE | SD_VARLINK_ARRAY, "What he allows", \
	  names_if, approval->approves, TRUSTGATE_NAMES_ACCESS, approval->access) \
	F(durationNSec, INT, NULLABLE, "For how long", \
	  unsigned_if, approval->approves, approval->duration_ns)

#define TRANSITION_FIELDS(F) \
	F(state, STRING, 0, "As Request.state, and raised", \
	  text, docket_state_name(transition->state)) \
	F(realtimeNSec, INT, 0, "When", \
	  unsigned, transition->realtime_ns) \
	F(uid, INT, NULLABLE, "By whom; absent for nobody", \
	  unsigned_if, transition->uid != DOCKET_NOBODY, transition->uid) \
	F(cause, STRING, NULLABLE, "Why", \
	  text, transition->cause)

#define STATUS_FIELDS(F, T) \
	T(observations, Observation, ARRAY, \
	  "Volumes that are observed, or were since the module was loaded", \
	  observations, gate) \
	F(stopped, STRING, ARRAY, "Volumes on which nothing is given until they are started; * for all", \
	  stopped, agent) \
	F(accountProblem, STRING, NULLABLE, "Why nothing is recorded in the account; absent if it is", \
	  text, accounting_problem(agent)) \
	F(requestsProblem, STRING, NULLABLE, \
	  "Why requests cannot be kept, so that whatever needs approval is denied; absent if they can", \
	  text, docket_problem(agent)) \
	F(breakGlass, INT, 0, "Requests that broke the glass, and no trustee has acknowledged that", \
	  unsigned, break_glass) \
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
	  unsigned, watch_count(agent)) \
	F(supervisors, INT, 0, "Those of them that supervise", \
	  unsigned, supervision_count(agent))

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
	SETTINGS_PARAMETERS(F) \
	OBSERVING_PARAMETERS(F, observeNSec, NULLABLE)

/* The first one is named otherwise where others are about something else. */
#define OBSERVING_PARAMETERS(F, DURATION, NEED) \
	F(DURATION, TIME, NEED, \
	  "For how long accesses to it are recorded and not denied, at most 7 days", act.duration_ns) \
	F(reason, TEXT, NEED, "One of the reasons in Grant.reason", act.reason) \
	F(ticket, TEXT, NULLABLE, "Demanded by the reason customer-ticket", act.ticket) \
	F(comment, TEXT, NULLABLE, "Why, in words", act.comment)

#define OBSERVE_PARAMETERS(F) \
	F(volume, TEXT, MANDATORY, "Name of the volume", volume) \
	OBSERVING_PARAMETERS(F, durationNSec, MANDATORY)

#define UNOBSERVE_PARAMETERS(F) \
	F(volume, TEXT, MANDATORY, "Name of the volume", volume)

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
	F(supervised, FLAG, NULLABLE, "Have it allow only while somebody supervises it", supervised) \
	F(onEnd, TEXT, NULLABLE, \
	  "What becomes of mappings when it ends: deny-io, unmap or kill; if absent, the volume's least", on_end) \
	F(reason, TEXT, MANDATORY, "One of the reasons in Grant.reason", reason) \
	F(ticket, TEXT, NULLABLE, "Demanded by the reason customer-ticket", ticket)

#define WATCH_PARAMETERS(F) \
	F(superviseGrant, REQUEST, NULLABLE, \
	  "Supervise this grant for as long as the connection lasts; for trustees, and not for one's own", grant) \
	F(superviseVolume, TEXT, NULLABLE, \
	  "Likewise all on this volume that demand it, but those that are one's own", volume)

#define ASK_PARAMETERS(F) \
	F(volume, TEXT, MANDATORY, "Name of the volume", volume) \
	F(path, TEXT, MANDATORY, "As in Grant", path) \
	F(access, WORDS, MANDATORY, "read, write, exec, names, meta", access) \
	F(durationNSec, TIME, MANDATORY, "From begin to expiry", duration_ns) \
	F(subtree, FLAG, NULLABLE, "As in Grant", subtree) \
	F(descendants, FLAG, NULLABLE, "Cover processes forked from now on, too", descendants) \
	F(keepExec, FLAG, NULLABLE, "Survive the execution of another program", keep_exec) \
	F(nextExec, FLAG, NULLABLE, "Begin with the next execution of a program", next_exec) \
	F(supervised, FLAG, NULLABLE, "Have it allow only while somebody supervises it", supervised) \
	F(reason, TEXT, MANDATORY, "One of the reasons in Grant.reason", reason) \
	F(ticket, TEXT, NULLABLE, "Demanded by the reason customer-ticket", ticket) \
	F(comment, TEXT, NULLABLE, "Why, in words", comment) \
	F(location, TEXT, NULLABLE, "From where the access is", location) \
	F(retentionDays, NUMBER, NULLABLE, "How long what is made of the access is kept", \
	  retention_days) \
	F(legalReference, TEXT, NULLABLE, "Demanded by the reason legal-order", legal_reference) \
	F(notify, TEXT, NULLABLE, \
	  "Demanded by the reason legal-order: may the tenant be told? notify, delayed, prohibited", notify) \
	F(breakGlass, FLAG, NULLABLE, \
	  "Do not wait for approval: for who may, for the reason emergency, with a comment", break_glass)

#define LIST_REQUESTS_PARAMETERS(F) \
	F(volume, TEXT, NULLABLE, "Only those on this volume", volume) \
	F(history, FLAG, NULLABLE, "Also those that are decided or over; the newest first", history) \
	F(states, WORDS, NULLABLE, "Only those in one of these states", states) \
	F(sinceRealtimeNSec, TIME, NULLABLE, "Only those whose state has changed since", since_ns) \
	F(before, REQUEST, NULLABLE, "Only those with a lower number, to read the history on", before) \
	F(after, REQUEST, NULLABLE, "Only those with a higher number, to read others on", after) \
	F(max, NUMBER, NULLABLE, "At most so many; never more than 1000", max)

#define SHOW_REQUEST_PARAMETERS(F) \
	F(id, REQUEST, MANDATORY, "Which", id)

#define APPROVE_PARAMETERS(F) \
	F(id, REQUEST, MANDATORY, "Request that is approved", id) \
	F(access, GIVEN_WORDS, NULLABLE, "Less than what is asked for", access) \
	F(durationNSec, TIME, NULLABLE, "How long, at most what the rule allows, which it is if absent", \
	  duration_ns) \
	F(delayNSec, TIME, NULLABLE, "Begin, from now", delay_ns) \
	F(descendants, FLAG, NULLABLE, "Cover processes forked from now on, too", descendants) \
	F(supervised, FLAG, NULLABLE, "Have it allow only while somebody supervises it", supervised) \
	F(reason, TEXT, NULLABLE, \
	  "One of the reasons in Grant.reason; needed unless the request has one already", reason) \
	F(ticket, TEXT, NULLABLE, "Demanded by the reason customer-ticket", ticket) \
	F(location, TEXT, NULLABLE, "As in Ask, unless the request has one", location) \
	F(retentionDays, NUMBER, NULLABLE, "The same", retention_days) \
	F(legalReference, TEXT, NULLABLE, "The same; demanded by the reason legal-order", legal_reference) \
	F(notify, TEXT, NULLABLE, "The same; demanded by the reason legal-order", notify) \
	F(comment, TEXT, NULLABLE, "Why, in words", comment)

#define DECIDE_PARAMETERS(F) \
	F(id, REQUEST, MANDATORY, "Which", id) \
	F(comment, TEXT, NULLABLE, "Why, in words", comment)

#define EXTEND_REQUEST_PARAMETERS(F) \
	F(id, REQUEST, MANDATORY, "Request whose grant is to go on", id) \
	F(durationNSec, TIME, MANDATORY, "How much longer", duration_ns) \
	F(comment, TEXT, NULLABLE, "Why, in words", comment)

#define SERVICE_PARAMETERS(F) \
	F(unit, TEXT, NULLABLE, "Unit that the caller believes to be; checked", unit)

#define REVOKE_PARAMETERS(F) \
	F(ids, GIVEN_NUMBERS, NULLABLE, \
	  "Grants by their numbers; exactly one of these four is to be given", ids) \
	F(volume, TEXT, NULLABLE, "All on this volume", volume) \
	F(pid, PID, NULLABLE, "All of this process", pid) \
	F(all, FLAG, NULLABLE, "All there are", all)

#define STOP_PARAMETERS(F) \
	F(volume, TEXT, NULLABLE, "This volume; exactly one of these two is to be given", volume) \
	F(all, FLAG, NULLABLE, "Every volume, also those that come later", all)

#define LIST_KEEPERS_PARAMETERS(F) \
	F(volume, TEXT, NULLABLE, "Only those of this volume", volume)

#define LIST_GRANTS_PARAMETERS(F) \
	F(volume, TEXT, NULLABLE, "Only those on this volume", volume) \
	F(pid, PID, NULLABLE, "Only those of this process", pid)

#endif
