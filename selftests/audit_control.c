// SPDX-License-Identifier: GPL-2.0-only
/*
 * audit_control - what is said to the kernel's audit; see audit_control.h.
 */

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit_control.h"

int audit_request(int fd, uint16_t type, const void *data, size_t length,
		  void *reply, size_t reply_length)
{
	struct {
		struct nlmsghdr header;
		unsigned char data[8192];
	} message = {
		.header = {
			.nlmsg_len = (uint32_t)NLMSG_LENGTH(length),
			.nlmsg_type = type,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
			.nlmsg_seq = 1,
		},
	};
	ssize_t got;

	if (length)
		memcpy(message.data, data, length);
	if (send(fd, &message, message.header.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		got = recv(fd, &message, sizeof(message), 0);
		if (got < (ssize_t)sizeof(message.header))
			return -EPIPE;
		if (message.header.nlmsg_type == type && reply)
			memcpy(reply, message.data, reply_length);
		if (message.header.nlmsg_type == NLMSG_ERROR) {
			int err;

			memcpy(&err, message.data, sizeof(err));
			if (err || !reply)
				return err;
			/* The answer comes after the ack. */
		}
		if (message.header.nlmsg_type == type)
			return 0;
	}
}

/* Bound, for what is sent to a group is not sent to a socket without a port. */
int audit_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

int audit_enable(int fd, unsigned int enabled)
{
	struct audit_status status = {
		.mask = AUDIT_STATUS_ENABLED,
		.enabled = enabled,
	};

	return audit_request(fd, AUDIT_SET, &status, sizeof(status), NULL, 0);
}
