// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel made of a script, see kernel_fake.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <netlink/attr.h>

#include "kernel_fake.h"

#define DATAGRAMS_MAX 512
#define REQUESTS_MAX 64

struct datagram {
	unsigned char *bytes;
	size_t length;
	uint32_t port;
	bool cut;
	int error;
	bool number;		/* the request's goes into it */
	size_t requests;	/* how many must have been sent */
};

static struct datagram queue[DATAGRAMS_MAX];
static size_t queued, taken;
static struct nlmsghdr *requests[REQUESTS_MAX];
static size_t sent, awaited;

ssize_t __wrap_sendto(int fd, const void *bytes, size_t length, int flags,
		      const struct sockaddr *address, socklen_t address_length);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t length);

static void *allocate(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

void fake_reset(void)
{
	for (size_t i = 0; i < queued; i++)
		free(queue[i].bytes);
	for (size_t i = 0; i < sent; i++)
		free(requests[i]);
	memset(queue, 0, sizeof(queue));
	queued = taken = sent = awaited = 0;
}

static struct datagram *add(const void *bytes, size_t length)
{
	struct datagram *datagram = &queue[queued++];

	if (queued == DATAGRAMS_MAX)
		abort();
	datagram->bytes = allocate(length);
	memcpy(datagram->bytes, bytes, length);
	datagram->length = length;
	datagram->requests = awaited;
	return datagram;
}

struct nl_msg *fake_attrs(void)
{
	return nlmsg_alloc_size(60 * 1024);
}

static void add_message(uint16_t type, uint16_t flags, uint32_t seq, const void *fixed,
			size_t fixed_length, struct nl_msg *attrs)
{
	size_t attrs_length = attrs ? nlmsg_datalen(nlmsg_hdr(attrs)) : 0;
	size_t length = NLMSG_HDRLEN + NLMSG_ALIGN(fixed_length) + attrs_length;
	unsigned char *bytes = allocate(length);
	struct nlmsghdr *nlh = (struct nlmsghdr *)bytes;

	nlh->nlmsg_len = length;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	memcpy(bytes + NLMSG_HDRLEN, fixed, fixed_length);
	if (attrs)
		memcpy(bytes + NLMSG_HDRLEN + NLMSG_ALIGN(fixed_length),
		       nlmsg_data(nlmsg_hdr(attrs)), attrs_length);
	add(bytes, length)->number = seq == FAKE_SEQ_OF_REQUEST;
	free(bytes);
	nlmsg_free(attrs);
}

void fake_message(uint16_t type, uint8_t cmd, uint16_t flags, uint32_t seq,
		  struct nl_msg *attrs)
{
	struct genlmsghdr genl = { .cmd = cmd, .version = 1 };

	add_message(type, flags, seq, &genl, sizeof(genl), attrs);
}

void fake_error(int error, struct nl_msg *tlvs)
{
	struct nlmsgerr err = { .error = error, .msg.nlmsg_len = 200 };

	add_message(NLMSG_ERROR, NLM_F_CAPPED | (tlvs ? NLM_F_ACK_TLVS : 0),
		    FAKE_SEQ_OF_REQUEST, &err, sizeof(err), tlvs);
}

void fake_done(int error, uint16_t flags)
{
	add_message(NLMSG_DONE, NLM_F_MULTI | flags, FAKE_SEQ_OF_REQUEST, &error,
		    sizeof(error), NULL);
}

void fake_bytes(const void *bytes, size_t length)
{
	add(bytes, length);
}

void fake_from_process(uint32_t port)
{
	queue[queued - 1].port = port;
}

void fake_cut(void)
{
	queue[queued - 1].cut = true;
}

void fake_errno(int error)
{
	add("", 0)->error = error;
}

void fake_after_request(void)
{
	awaited++;
}

void fake_family(uint16_t id)
{
	struct nl_msg *attrs = fake_attrs();
	struct nlattr *groups, *group;

	nla_put_u16(attrs, CTRL_ATTR_FAMILY_ID, id);
	nla_put_u32(attrs, CTRL_ATTR_VERSION, 1);
	groups = nla_nest_start(attrs, CTRL_ATTR_MCAST_GROUPS);
	group = nla_nest_start(attrs, 1);
	nla_put_string(attrs, CTRL_ATTR_MCAST_GRP_NAME, "events");
	nla_put_u32(attrs, CTRL_ATTR_MCAST_GRP_ID, 10);
	nla_nest_end(attrs, group);
	nla_nest_end(attrs, groups);
	fake_after_request();
	fake_message(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, 0, FAKE_SEQ_OF_REQUEST, attrs);
	fake_error(0, NULL);
}

const struct nlmsghdr *fake_request(size_t index)
{
	return index < sent ? requests[index] : NULL;
}

size_t fake_requests(void)
{
	return sent;
}

size_t fake_left(void)
{
	return queued - taken;
}

/* ---- what the code under test calls ---- */

ssize_t __wrap_sendto(int fd, const void *bytes, size_t length, int flags,
		      const struct sockaddr *address, socklen_t address_length)
{
	(void)fd;
	(void)flags;
	if (address_length != sizeof(struct sockaddr_nl) ||
	    ((const struct sockaddr_nl *)address)->nl_pid || sent == REQUESTS_MAX)
		abort();
	requests[sent] = allocate(length);
	memcpy(requests[sent++], bytes, length);
	return length;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	struct sockaddr_nl *sender = header->msg_name;
	struct datagram *datagram = &queue[taken];
	size_t length;

	(void)fd;
	if (!(flags & MSG_DONTWAIT))
		abort();
	if (taken == queued || datagram->requests > sent) {
		errno = EAGAIN;
		return -1;
	}
	taken++;
	if (datagram->error) {
		errno = datagram->error;
		return -1;
	}
	if (datagram->number && datagram->length >= NLMSG_HDRLEN && sent)
		((struct nlmsghdr *)datagram->bytes)->nlmsg_seq = requests[sent - 1]->nlmsg_seq;
	length = datagram->length < header->msg_iov[0].iov_len ?
		 datagram->length : header->msg_iov[0].iov_len;
	memcpy(header->msg_iov[0].iov_base, datagram->bytes, length);
	header->msg_flags = datagram->cut ? MSG_TRUNC : 0;
	header->msg_namelen = sizeof(*sender);
	*sender = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = datagram->port };
	return length;
}

/* Nothing ever comes later: what is not there now is a timeout. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	(void)fds;
	(void)count;
	if (timeout > 1000)
		abort();
	return taken < queued && queue[taken].requests <= sent;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	(void)fd;
	(void)level;
	(void)option;
	(void)value;
	(void)length;
	return 0;
}
