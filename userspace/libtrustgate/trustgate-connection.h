/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - connections to the gate, what went wrong on them, and how a
 * dump on them went.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_CONNECTION_H
#define _TRUSTGATE_CONNECTION_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

/**
 * struct trustgate_conn - a connection to the gate
 *
 * A generic netlink socket with what is needed to use it. Opaque.
 */
struct trustgate_conn;

/**
 * trustgate_new() - make a connection object that is not connected yet
 * @ret_conn: the object, to be freed with trustgate_free()
 *
 * Return: 0 or -ENOMEM.
 */
int trustgate_new(struct trustgate_conn **ret_conn);

/**
 * trustgate_free() - close the socket and free the connection
 * @conn: may be NULL
 *
 * If the socket is the agent and no duplicate of its descriptor is open
 * elsewhere (as in the service manager's descriptor store), the kernel treats
 * it as the loss of the agent.
 */
void trustgate_free(struct trustgate_conn *conn);

/**
 * trustgate_connect() - open a socket of its own
 * @conn: not connected
 *
 * Return: 0, -EISCONN, -EPROTONOSUPPORT while the module is not loaded, or an
 * error of socket(2) and bind(2).
 */
int trustgate_connect(struct trustgate_conn *conn);

/**
 * trustgate_adopt() - go on with a socket that was opened earlier
 * @conn: not connected
 * @fd: a bound generic netlink socket, such as trustgate_fd() of a former
 *	connection, kept by the service manager over a restart
 *
 * The port id is taken from the socket. On success @fd belongs to @conn (and
 * trustgate_fd() is a duplicate of it under another number); on failure it
 * stays with the caller. Answers to requests of the former owner
 * that are still in the socket are ignored, events in it are kept.
 *
 * Return: 0, -EISCONN, -EBADF, -ENOTSOCK, -EPROTOTYPE if it is not a generic
 * netlink socket, -EADDRNOTAVAIL if it is not bound, -EPROTONOSUPPORT.
 */
int trustgate_adopt(struct trustgate_conn *conn, int fd);

/**
 * trustgate_fd() - the socket, for poll(2) and for keeping it over a restart
 * @conn: connected
 *
 * Readable means that trustgate_event_next() should be called. The descriptor
 * stays with @conn.
 *
 * Return: the descriptor or -ENOTCONN.
 */
int trustgate_fd(const struct trustgate_conn *conn);

/**
 * trustgate_port_id() - the netlink port of the socket
 * @conn: any
 *
 * Equal to struct trustgate_gate.agent_port_id if this socket is the agent.
 *
 * Return: the port, 0 while not connected.
 */
uint32_t trustgate_port_id(const struct trustgate_conn *conn);

/**
 * trustgate_set_timeout() - how long a request waits for its answer
 * @conn: any
 * @timeout_ms: milliseconds; the default is 10000
 */
void trustgate_set_timeout(struct trustgate_conn *conn, unsigned int timeout_ms);

/**
 * trustgate_error_text() - the last failure on this connection as a sentence
 * @conn: any
 *
 * Return: text without a line end, "" if the last call succeeded. Valid until
 * the next call on @conn.
 */
const char *trustgate_error_text(const struct trustgate_conn *conn);

/**
 * trustgate_error_message() - the kernel's own words about the last failure
 * @conn: any
 *
 * Return: text, or NULL if the kernel said nothing.
 */
const char *trustgate_error_message(const struct trustgate_conn *conn);

/**
 * trustgate_error_attribute() - the attribute at fault in the last failure
 * @conn: any
 *
 * Return: its path by the names of the specification, such as
 * "grant[3].expires-boottime-ns", or NULL if the kernel named none.
 */
const char *trustgate_error_attribute(const struct trustgate_conn *conn);

/**
 * trustgate_error_index() - which grant of a batch was at fault
 * @conn: any
 *
 * Return: the index in the array that was given, or -1 if it is not known.
 */
ssize_t trustgate_error_index(const struct trustgate_conn *conn);

/**
 * trustgate_error_unsure() - whether the failed request may have been done
 * @conn: any
 *
 * Its answer was lost, late or made no sense, so the kernel's state has to be
 * read to know. The kernel is done with the request in any case: what it has
 * not done by now it will not do.
 *
 * Return: true if the last call failed so, false if it succeeded, was refused
 * by the kernel, or was not sent at all.
 */
bool trustgate_error_unsure(const struct trustgate_conn *conn);

/**
 * struct trustgate_dump - how a dump went
 * @attempts: how often it was read, at least 1
 * @consistent: false if the set changed during each attempt. What was
 *	delivered then has each entry that existed from the begin to the end of
 *	the last attempt exactly once, and may or may not have those that came
 *	or went meanwhile.
 */
struct trustgate_dump {
	unsigned int attempts;
	bool consistent;
};

#endif /* _TRUSTGATE_CONNECTION_H */
