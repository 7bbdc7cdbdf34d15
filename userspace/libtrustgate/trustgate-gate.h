/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - the state of the gate, and being its agent.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_GATE_H
#define _TRUSTGATE_GATE_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

#define TRUSTGATE_HOOK_NAME_SIZE	48

/**
 * struct trustgate_observation - a volume is observed, or was
 * @volume_name: its name; it may not be protected any more
 * @since_boottime_ns: when it was for the first time
 * @until_boottime_ns: when that ends, or ended the last time
 * @times: how often it was begun
 * @live: it is observed now
 */
struct trustgate_observation {
	char volume_name[TRUSTGATE_NAME_MAX + 1];
	uint64_t since_boottime_ns;
	uint64_t until_boottime_ns;
	uint32_t times;
	bool live;
};

/**
 * struct trustgate_gate - state of the gate
 * @present: bits 1 << TRUSTGATE_A_GATE_... of what the kernel sent
 * @abi_version: TRUSTGATE_ABI_VERSION of the kernel
 * @state: enum trustgate_gate_state
 * @agent_port_id: see @present; valid while an agent is bound
 * @agent_pid: see @present; the process that bound it
 * @volumes: volumes under protection
 * @volumes_max: how many there can be
 * @grants: live grants
 * @grants_max: how many there can be
 * @grants_bytes_max: kernel memory that @grants_max grants take at most
 * @subjects: processes that hold grants
 * @now_boottime_ns: the kernel's clock at the time of the answer
 * @event_seq: newest event's number, 0 before the first
 * @events_dropped: events that no receiver got
 * @events_agent_missed: events that the agent did not take in time
 * @events_max: length of the kernel's queue of events
 * @audit_suppressed: denials without an audit record, by the rate limit
 * @proofs: successful proofs that all attached hooks run
 * @proof_boottime_ns: when the last one ended
 * @hooks: names of the attached hooks
 * @hooks_count: how many
 * @ending: grants that have ended and whose mappings are still looked for
 * @unmapped: mappings ended by force
 * @killed: processes killed because of mappings
 * @requests: opens that wait for an answer, as requests
 * @requests_max: how many there can be
 * @oldest_request_boottime_ns: when the oldest was raised, 0 if there is none
 * @observations: volumes that are observed, or were since the module was loaded,
 *	so that accesses to them were not denied
 * @observations_count: how many
 */
struct trustgate_gate {
	uint64_t present;
	uint32_t abi_version;
	uint32_t state;
	uint32_t agent_port_id;
	pid_t agent_pid;
	uint32_t volumes;
	uint32_t volumes_max;
	uint64_t grants;
	uint64_t grants_max;
	uint64_t grants_bytes_max;
	uint64_t subjects;
	uint64_t now_boottime_ns;
	uint64_t event_seq;
	uint64_t events_dropped;
	uint64_t events_agent_missed;
	uint32_t events_max;
	uint64_t audit_suppressed;
	uint64_t proofs;
	uint64_t proof_boottime_ns;
	char (*hooks)[TRUSTGATE_HOOK_NAME_SIZE];
	size_t hooks_count;
	uint64_t ending;
	uint64_t unmapped;
	uint64_t killed;
	uint32_t requests;
	uint32_t requests_max;
	uint64_t oldest_request_boottime_ns;
	struct trustgate_observation observations[TRUSTGATE_OBSERVATIONS_MAX];
	size_t observations_count;
};

/**
 * trustgate_gate_get() - read the state of the gate
 * @conn: connected
 * @ret_gate: filled on success; release with trustgate_gate_clear()
 *
 * Return: 0 or the errors of every function.
 */
int trustgate_gate_get(struct trustgate_conn *conn, struct trustgate_gate *ret_gate);

/**
 * trustgate_gate_clear() - release what trustgate_gate_get() allocated
 * @gate: the structure itself stays with the caller; all zero is allowed
 */
void trustgate_gate_clear(struct trustgate_gate *gate);

/**
 * trustgate_agent_bind() - make this socket the agent
 * @conn: connected
 * @secret: shown again by whoever takes over protected volumes later
 * @ret_event_seq: newest event's number at that time; may be NULL
 *
 * From here on events arrive on this socket, see trustgate_event_next().
 *
 * Return: 0, also if this socket is the agent already, -EBUSY if another one
 * is, -EACCES if volumes are protected and @secret is not theirs.
 */
int trustgate_agent_bind(struct trustgate_conn *conn,
			 const uint8_t secret[TRUSTGATE_SECRET_LEN],
			 uint64_t *ret_event_seq);

/**
 * trustgate_agent_unbind() - give up being the agent
 * @conn: connected and the agent
 *
 * Same effect on the volumes as closing the socket.
 *
 * Return: 0 or -EPERM if this socket is not the agent.
 */
int trustgate_agent_unbind(struct trustgate_conn *conn);

/**
 * trustgate_agent_is_self() - whether this socket is the agent
 * @conn: connected
 *
 * Return: 1, 0, or a negative errno value.
 */
int trustgate_agent_is_self(struct trustgate_conn *conn);

#endif /* _TRUSTGATE_GATE_H */
