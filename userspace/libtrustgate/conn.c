// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Connections.
 *
 * Owns: the life of the socket: opened here or adopted from a former owner.
 *
 * Must not own: what is sent and received over it (request.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"

/* Room for about ten thousand events between two looks at the socket. */
#define RECEIVE_QUEUE_SIZE (4 * 1024 * 1024)

int trustgate_new(struct trustgate_conn **ret_conn)
{
	struct trustgate_conn *conn;

	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return -ENOMEM;
	conn->buffer = malloc(RECEIVE_SIZE);
	if (!conn->buffer) {
		free(conn);
		return -ENOMEM;
	}
	conn->timeout_ms = 10000;
	conn->channel = -1;
	trustgate_error_clear(conn);
	*ret_conn = conn;
	return 0;
}

void trustgate_free(struct trustgate_conn *conn)
{
	if (!conn)
		return;
	trustgate_events_forget(conn);
	trustgate_channel_close(conn);
	nl_socket_free(conn->sock);
	free(conn->buffer);
	free(conn);
}

/* Options without which the library can work, so failures are no errors. */
static void tune(int fd)
{
	int size = RECEIVE_QUEUE_SIZE;
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* A batch with long paths is one datagram. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	/* Words and attribute of a refusal; the request need not come back. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
}

/* Let go of a socket that turned out to be of no use. */
static void detach(struct trustgate_conn *conn)
{
	nl_socket_free(conn->sock);
	conn->sock = NULL;
	trustgate_events_forget(conn);
}

/* Take @fd over, also on failure. Port id and protocol come from the socket. */
static int attach(struct trustgate_conn *conn, int fd)
{
	int r;

	conn->sock = nl_socket_alloc();
	if (!conn->sock || nl_socket_set_fd(conn->sock, NETLINK_GENERIC, fd) < 0) {
		r = trustgate_fail(conn, conn->sock ? -EPROTOTYPE : -ENOMEM,
				   "cannot use descriptor %d", fd);
		detach(conn);
		close(fd);
		return r;
	}
	tune(fd);

	if (getrandom(&conn->seq, sizeof(conn->seq), GRND_NONBLOCK) != sizeof(conn->seq))
		conn->seq = (uint32_t)getpid() << 16;

	/*
	 * The former owner may have died in the middle of a dump. The kernel
	 * allows the next one only when that one has been read to its end.
	 */
	r = trustgate_drain(conn, true);
	if (r)
		trustgate_fail(conn, r, "cannot read the socket");
	else
		r = trustgate_resolve(conn);
	if (r)
		detach(conn);
	return r;
}

int trustgate_connect(struct trustgate_conn *conn)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd, r;

	trustgate_error_clear(conn);
	if (conn->sock)
		return trustgate_fail(conn, -EISCONN, "cannot connect");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
	if (fd < 0)
		return trustgate_fail(conn, -errno, "cannot open a generic netlink socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		r = trustgate_fail(conn, -errno, "cannot bind a generic netlink socket");
		close(fd);
		return r;
	}
	return attach(conn, fd);
}

int trustgate_adopt(struct trustgate_conn *conn, int fd)
{
	struct sockaddr_nl address = { 0 };
	socklen_t length = sizeof(address);
	int protocol, flags, copy, r;

	trustgate_error_clear(conn);
	if (conn->sock)
		return trustgate_fail(conn, -EISCONN, "cannot adopt descriptor %d", fd);
	if (getsockname(fd, (struct sockaddr *)&address, &length))
		return trustgate_fail(conn, -errno, "cannot adopt descriptor %d", fd);
	if (length != sizeof(address) || address.nl_family != AF_NETLINK)
		return trustgate_fail(conn, -EPROTOTYPE,
				      "cannot adopt descriptor %d: it is not a netlink socket", fd);
	length = sizeof(protocol);
	if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length))
		return trustgate_fail(conn, -errno, "cannot adopt descriptor %d", fd);
	if (protocol != NETLINK_GENERIC)
		return trustgate_fail(conn, -EPROTOTYPE,
				      "cannot adopt descriptor %d: it is not generic netlink", fd);
	if (!address.nl_pid)
		return trustgate_fail(conn, -EADDRNOTAVAIL,
				      "cannot adopt descriptor %d: it has no port", fd);

	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return trustgate_fail(conn, -errno, "cannot adopt descriptor %d", fd);

	/* A duplicate is the same socket; the caller's stays until all is well. */
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return trustgate_fail(conn, -errno, "cannot adopt descriptor %d", fd);
	r = attach(conn, copy);
	if (!r)
		close(fd);
	return r;
}

int trustgate_fd(const struct trustgate_conn *conn)
{
	return conn->sock ? nl_socket_get_fd(conn->sock) : -ENOTCONN;
}

uint32_t trustgate_port_id(const struct trustgate_conn *conn)
{
	return conn->sock ? nl_socket_get_local_port(conn->sock) : 0;
}

void trustgate_set_timeout(struct trustgate_conn *conn, unsigned int timeout_ms)
{
	conn->timeout_ms = timeout_ms;
}
