// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink_raw - see netlink_raw.h.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netlink_raw.h"

/* The kernel answers within this, or the test has found a hang. */
#define ANSWER_MS	60000

/* An event that came while something else was waited for, on socket @port. */
struct kept_event {
	struct kept_event *next;
	uint32_t port;
	struct raw_event event;
};

/*
 * Of all sockets, in order, and not in struct raw_socket: the harness has that
 * in memory which children share, and what a child had put there would lead its
 * parent into memory that is the child's.
 */
static struct kept_event *kept_events;
static pthread_mutex_t kept_events_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct nlmsghdr *header_of(struct raw_message *message)
{
	return (struct nlmsghdr *)message->bytes;
}

uint64_t raw_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * RAW_SECOND_NS + (uint64_t)now.tv_nsec;
}

void raw_begin(struct raw_message *message, const struct raw_socket *socket,
	       uint8_t command)
{
	struct nlmsghdr *header = header_of(message);
	struct genlmsghdr *genl = NLMSG_DATA(header);

	memset(header, 0, NLMSG_LENGTH(GENL_HDRLEN));
	header->nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	header->nlmsg_type = socket->family;
	header->nlmsg_flags = NLM_F_REQUEST;
	genl->cmd = command;
	genl->version = TRUSTGATE_FAMILY_VERSION;
}

void raw_put(struct raw_message *message, uint16_t type, const void *data,
	     size_t length)
{
	struct nlmsghdr *header = header_of(message);
	size_t at = NLMSG_ALIGN(header->nlmsg_len);
	struct nlattr attr = {
		.nla_len = (uint16_t)(NLA_HDRLEN + length),
		.nla_type = type,
	};

	if (at + NLA_HDRLEN + NLA_ALIGN(length) > RAW_MESSAGE_MAX ||
	    length > UINT16_MAX - NLA_HDRLEN) {
		fprintf(stderr, "# a message grew too long\n");
		abort();
	}
	memcpy(message->bytes + at, &attr, sizeof(attr));
	memset(message->bytes + at + NLA_HDRLEN, 0, NLA_ALIGN(length));
	if (length)
		memcpy(message->bytes + at + NLA_HDRLEN, data, length);
	header->nlmsg_len = (uint32_t)(at + NLA_HDRLEN + NLA_ALIGN(length));
}

void raw_put_u32(struct raw_message *message, uint16_t type, uint32_t value)
{
	raw_put(message, type, &value, sizeof(value));
}

void raw_put_u64(struct raw_message *message, uint16_t type, uint64_t value)
{
	raw_put(message, type, &value, sizeof(value));
}

void raw_put_string(struct raw_message *message, uint16_t type,
		    const char *text)
{
	raw_put(message, type, text, strlen(text) + 1);
}

void raw_put_flag(struct raw_message *message, uint16_t type)
{
	raw_put(message, type, NULL, 0);
}

size_t raw_nest(struct raw_message *message, uint16_t type)
{
	size_t at = header_of(message)->nlmsg_len;

	raw_put(message, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void raw_nest_end(struct raw_message *message, size_t nest)
{
	uint16_t length = (uint16_t)(header_of(message)->nlmsg_len - nest);

	memcpy(message->bytes + nest, &length, sizeof(length));
}

const struct nlattr *raw_find(const void *attrs, size_t length, uint16_t type)
{
	const unsigned char *at = attrs;
	const struct nlattr *attr;

	while (length >= NLA_HDRLEN) {
		attr = (const struct nlattr *)at;
		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > length)
			return NULL;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		if ((size_t)NLA_ALIGN(attr->nla_len) >= length)
			return NULL;
		at += NLA_ALIGN(attr->nla_len);
		length -= NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

uint32_t raw_u32(const struct nlattr *attr)
{
	uint32_t value = 0;

	if (attr)
		memcpy(&value, attr + 1, sizeof(value));
	return value;
}

uint64_t raw_u64(const struct nlattr *attr)
{
	uint64_t value = 0;

	if (attr)
		memcpy(&value, attr + 1, sizeof(value));
	return value;
}

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	to[0] = '\0';
	if (attr)
		snprintf(to, size, "%.*s", attr->nla_len - NLA_HDRLEN,
			 (const char *)(attr + 1));
}

/* Where the attribute at @offset of the request is in its nest. */
static int type_at(const struct raw_message *request, uint32_t offset)
{
	struct nlattr attr;

	if (offset + sizeof(attr) > RAW_MESSAGE_MAX)
		return -1;
	memcpy(&attr, request->bytes + offset, sizeof(attr));
	return attr.nla_type & NLA_TYPE_MASK;
}

static void parse_tlvs(const void *tlvs, size_t length,
		       const struct raw_message *request,
		       struct raw_answer *answer)
{
	const struct nlattr *attr, *policy;

	copy_text(answer->text, sizeof(answer->text),
		  raw_find(tlvs, length, NLMSGERR_ATTR_MSG));
	attr = raw_find(tlvs, length, NLMSGERR_ATTR_OFFS);
	if (attr) {
		answer->bad_offset = raw_u32(attr);
		answer->bad = type_at(request, answer->bad_offset);
	}
	attr = raw_find(tlvs, length, NLMSGERR_ATTR_MISS_TYPE);
	if (attr)
		answer->miss = (int)raw_u32(attr);
	attr = raw_find(tlvs, length, NLMSGERR_ATTR_MISS_NEST);
	if (attr)
		answer->in_nest = type_at(request, raw_u32(attr));
	attr = raw_find(tlvs, length, NLMSGERR_ATTR_POLICY);
	if (attr) {
		policy = raw_find(attr + 1, attr->nla_len - NLA_HDRLEN,
				  NL_POLICY_TYPE_ATTR_TYPE);
		answer->policy_type = raw_u32(policy);
	}
}

static void parse_error(const struct nlmsghdr *header,
			const struct raw_message *request,
			struct raw_answer *answer)
{
	const struct nlmsgerr *error = NLMSG_DATA(header);
	size_t skip = sizeof(*error);

	answer->error = error->error;
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - NLMSG_HDRLEN;
	parse_tlvs((const char *)error + skip,
		   header->nlmsg_len - NLMSG_HDRLEN - skip, request, answer);
}

static void parse_event(const void *attrs, size_t length,
			struct raw_event *event)
{
#define FIND(name)	raw_find(attrs, length, TRUSTGATE_A_EVENT_##name)
	memset(event, 0, sizeof(*event));
	for (uint16_t type = 1; type <= TRUSTGATE_A_EVENT_MAX; type++) {
		if (raw_find(attrs, length, type))
			event->has |= 1U << type;
	}
	event->seq = raw_u64(FIND(SEQ));
	event->type = raw_u32(FIND(TYPE));
	event->time_boottime_ns = raw_u64(FIND(TIME_BOOTTIME_NS));
	event->dropped = raw_u64(FIND(DROPPED));
	event->volume_id = raw_u32(FIND(VOLUME_ID));
	copy_text(event->volume_name, sizeof(event->volume_name),
		  FIND(VOLUME_NAME));
	event->grant_id = raw_u64(FIND(GRANT_ID));
	event->tag = raw_u64(FIND(TAG));
	copy_text(event->hook, sizeof(event->hook), FIND(HOOK));
	event->access = raw_u32(FIND(ACCESS));
	event->cause = raw_u32(FIND(CAUSE));
	event->end = raw_u32(FIND(END));
	event->pid = (int32_t)raw_u32(FIND(PID));
	event->tid = (int32_t)raw_u32(FIND(TID));
	event->uid = raw_u32(FIND(UID));
	event->loginuid = raw_u32(FIND(LOGINUID));
	copy_text(event->comm, sizeof(event->comm), FIND(COMM));
	event->ino = raw_u64(FIND(INO));
	event->generation = raw_u32(FIND(INODE_GENERATION));
	copy_text(event->path, sizeof(event->path), FIND(PATH));
	event->expires_boottime_ns = raw_u64(FIND(EXPIRES_BOOTTIME_NS));
#undef FIND
}

void raw_grant_parse(const void *attrs, size_t length, struct raw_grant *grant)
{
#define FIND(name)	raw_find(attrs, length, TRUSTGATE_A_GRANT_##name)
	grant->id = raw_u64(FIND(ID));
	grant->volume_id = raw_u32(FIND(VOLUME_ID));
	grant->pid = (int32_t)raw_u32(FIND(PID));
	grant->start_ticks = raw_u64(FIND(START_TICKS));
	grant->exec_id = raw_u64(FIND(EXEC_ID));
	grant->flags = raw_u32(FIND(FLAGS));
	grant->object_kind = raw_u32(FIND(OBJECT_KIND));
	grant->ino = raw_u64(FIND(INO));
	grant->generation = raw_u32(FIND(INODE_GENERATION));
	grant->access = raw_u32(FIND(ACCESS));
	grant->not_before_boottime_ns = raw_u64(FIND(NOT_BEFORE_BOOTTIME_NS));
	grant->expires_boottime_ns = raw_u64(FIND(EXPIRES_BOOTTIME_NS));
	grant->max_uses = raw_u32(FIND(MAX_USES));
	grant->uses = raw_u32(FIND(USES));
	grant->reason = raw_u32(FIND(REASON));
	copy_text(grant->ticket, sizeof(grant->ticket), FIND(TICKET));
	grant->tag = raw_u64(FIND(TAG));
	grant->created_boottime_ns = raw_u64(FIND(CREATED_BOOTTIME_NS));
#undef FIND
}

static int keep_event(const struct raw_socket *socket, const void *attrs,
		      size_t length)
{
	struct kept_event *entry = calloc(1, sizeof(*entry));
	struct kept_event **last = &kept_events;

	if (!entry)
		return -ENOMEM;
	entry->port = socket->port;
	parse_event(attrs, length, &entry->event);
	pthread_mutex_lock(&kept_events_mutex);
	while (*last)
		last = &(*last)->next;
	*last = entry;
	pthread_mutex_unlock(&kept_events_mutex);
	return 0;
}

/* Takes the oldest one; false if there is none. */
static bool take_kept(const struct raw_socket *socket, struct raw_event *event)
{
	struct kept_event **link = &kept_events, *entry;
	bool any;

	pthread_mutex_lock(&kept_events_mutex);
	while ((entry = *link) && entry->port != socket->port)
		link = &entry->next;
	any = entry;
	if (any) {
		*event = entry->event;
		*link = entry->next;
	}
	pthread_mutex_unlock(&kept_events_mutex);
	free(entry);
	return any;
}

static int receive(const struct raw_socket *socket, unsigned char *buffer,
		   size_t size, int timeout_ms, size_t *length)
{
	struct pollfd poll_fd = { .fd = socket->fd, .events = POLLIN };
	ssize_t got;
	int ready;

	ready = poll(&poll_fd, 1, timeout_ms);
	if (ready < 0)
		return -errno;
	if (!ready)
		return -ETIMEDOUT;
	/* Who shares the socket may have taken it. */
	got = recv(socket->fd, buffer, size, MSG_TRUNC | MSG_DONTWAIT);
	if (got < 0)
		return -errno;
	if ((size_t)got > size)
		return -EMSGSIZE;
	*length = (size_t)got;
	return 0;
}

static int send_request(struct raw_socket *socket, struct raw_message *message,
			uint16_t flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *header = header_of(message);
	ssize_t sent;

	header->nlmsg_seq = ++socket->seq;
	header->nlmsg_flags |= flags;
	sent = socket->plain ?
		write(socket->fd, message->bytes, header->nlmsg_len) :
		sendto(socket->fd, message->bytes, header->nlmsg_len, 0,
		       (struct sockaddr *)&kernel, sizeof(kernel));
	return sent < 0 ? -errno : 0;
}

static bool is_event(const struct raw_socket *socket,
		     const struct nlmsghdr *header)
{
	const struct genlmsghdr *genl = NLMSG_DATA(header);

	return header->nlmsg_type == socket->family &&
	       genl->cmd == TRUSTGATE_CMD_EVENT;
}

static void reset(struct raw_answer *answer)
{
	answer->error = 0;
	answer->text[0] = '\0';
	answer->bad = -1;
	answer->bad_offset = 0;
	answer->miss = -1;
	answer->in_nest = -1;
	answer->policy_type = 0;
	answer->command = 0;
	answer->length = 0;
}

/* What one exchange with the kernel is about. */
struct exchange {
	struct raw_socket *socket;
	const struct raw_message *request;
	struct raw_answer *answer;
	void (*each)(const void *attrs, size_t length, void *context);
	void *context;
	bool *interrupted;
};

/* Returns true when the message was the last of the exchange. */
static bool take(struct exchange *exchange, const struct nlmsghdr *header)
{
	struct raw_answer *answer = exchange->answer;
	const struct genlmsghdr *genl = NLMSG_DATA(header);
	const unsigned char *attrs = (const unsigned char *)genl + GENL_HDRLEN;
	size_t length;

	if (exchange->interrupted && header->nlmsg_flags & NLM_F_DUMP_INTR)
		*exchange->interrupted = true;
	switch (header->nlmsg_type) {
	case NLMSG_ERROR:
		parse_error(header, exchange->request, answer);
		return true;
	case NLMSG_DONE:
		memcpy(&answer->error, NLMSG_DATA(header), sizeof(int));
		return true;
	case NLMSG_NOOP:
		return false;
	}
	length = header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
	if (exchange->each) {
		exchange->each(attrs, length, exchange->context);
	} else {
		answer->command = genl->cmd;
		answer->length = length;
		memcpy(answer->reply, attrs, length);
	}
	return false;
}

static int converse(struct exchange *exchange)
{
	unsigned char *buffer = malloc(RAW_MESSAGE_MAX);
	struct raw_socket *socket = exchange->socket;
	struct nlmsghdr *header;
	uint64_t until_ns = raw_now_ns() + ANSWER_MS * 1000000ULL;
	bool done = false;
	size_t length;
	int err = 0;

	if (!buffer)
		return -ENOMEM;
	while (!done && !err) {
		err = receive(socket, buffer, RAW_MESSAGE_MAX, ANSWER_MS,
			      &length);
		/* Lost events are told on the agent's socket, too. */
		if ((err == -ENOBUFS && !socket->gives_up) || err == -EAGAIN)
			err = 0;
		else if (!err)
			for (header = (struct nlmsghdr *)buffer;
			     NLMSG_OK(header, length);
			     header = NLMSG_NEXT(header, length)) {
				if (is_event(socket, header))
					err = keep_event(socket,
							 (char *)NLMSG_DATA(header) +
							 GENL_HDRLEN,
							 header->nlmsg_len -
							 NLMSG_LENGTH(GENL_HDRLEN));
				else if (header->nlmsg_seq == socket->seq)
					done |= take(exchange, header);
			}
		/* Events are no answer, however many come. */
		if (!done && !err && raw_now_ns() > until_ns)
			err = -ETIMEDOUT;
	}
	free(buffer);
	return err;
}

int raw_ask(struct raw_socket *socket, struct raw_message *message,
	    struct raw_answer *answer)
{
	struct exchange exchange = {
		.socket = socket,
		.request = message,
		.answer = answer,
	};
	int err;

	reset(answer);
	err = send_request(socket, message, NLM_F_ACK);
	return err ? err : converse(&exchange);
}

int raw_do(struct raw_socket *socket, struct raw_message *message)
{
	struct raw_answer *answer = malloc(sizeof(*answer));
	int err;

	if (!answer)
		return -ENOMEM;
	err = raw_ask(socket, message, answer);
	if (!err)
		err = answer->error;
	free(answer);
	return err;
}

int raw_dump(struct raw_socket *socket, struct raw_message *message,
	     void (*each)(const void *attrs, size_t length, void *context),
	     void *context, bool *interrupted, struct raw_answer *answer)
{
	struct raw_answer *own = answer ? answer : malloc(sizeof(*own));
	struct exchange exchange = {
		.socket = socket,
		.request = message,
		.answer = own,
		.each = each,
		.context = context,
		.interrupted = interrupted,
	};
	int err;

	if (!own)
		return -ENOMEM;
	reset(own);
	err = send_request(socket, message, NLM_F_DUMP);
	if (!err)
		err = converse(&exchange);
	if (!err)
		err = own->error;
	if (own != answer)
		free(own);
	return err;
}

int raw_event_next(struct raw_socket *socket, struct raw_event *event,
		   int timeout_ms)
{
	unsigned char buffer[8192];
	struct nlmsghdr *header;
	size_t length;
	int err;

	if (take_kept(socket, event))
		return 0;
	while (1) {
		err = receive(socket, buffer, sizeof(buffer), timeout_ms,
			      &length);
		if (err)
			return err;
		header = (struct nlmsghdr *)buffer;
		if (!NLMSG_OK(header, length) || !is_event(socket, header))
			continue;
		parse_event((char *)NLMSG_DATA(header) + GENL_HDRLEN,
			    header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN),
			    event);
		return 0;
	}
}

int raw_event_find(struct raw_socket *socket, struct raw_event *event,
		   uint32_t type, int timeout_ms)
{
	int err;

	do {
		err = raw_event_next(socket, event, timeout_ms);
	} while (!err && event->type != type);
	return err;
}

static int find_family(struct raw_socket *socket)
{
	struct raw_message *message = malloc(sizeof(*message));
	struct raw_answer *answer = malloc(sizeof(*answer));
	const struct nlattr *groups, *group;
	int err = -ENOMEM;

	if (!message || !answer)
		goto out;
	socket->family = GENL_ID_CTRL;
	raw_begin(message, socket, CTRL_CMD_GETFAMILY);
	raw_put_string(message, CTRL_ATTR_FAMILY_NAME, TRUSTGATE_FAMILY_NAME);
	err = raw_ask(socket, message, answer);
	socket->family = 0;
	if (!err)
		err = answer->error;
	if (err)
		goto out;
	memcpy(&socket->family,
	       raw_find(answer->reply, answer->length, CTRL_ATTR_FAMILY_ID) + 1,
	       sizeof(socket->family));
	groups = raw_find(answer->reply, answer->length, CTRL_ATTR_MCAST_GROUPS);
	group = groups ? raw_find(groups + 1, groups->nla_len - NLA_HDRLEN, 1) :
			 NULL;
	if (group)
		socket->group = raw_u32(raw_find(group + 1,
						 group->nla_len - NLA_HDRLEN,
						 CTRL_ATTR_MCAST_GRP_ID));
out:
	free(message);
	free(answer);
	return err;
}

int raw_open(struct raw_socket *raw)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	socklen_t length = sizeof(address);
	int on = 1;
	int err;

	memset(raw, 0, sizeof(*raw));
	raw->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (raw->fd < 0)
		return -errno;
	if (bind(raw->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    getsockname(raw->fd, (struct sockaddr *)&address, &length) ||
	    setsockopt(raw->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(raw->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    setsockopt(raw->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
		       sizeof(on))) {
		err = -errno;
		close(raw->fd);
		return err;
	}
	raw->port = address.nl_pid;
	err = find_family(raw);
	if (err)
		close(raw->fd);
	return err;
}

void raw_close(struct raw_socket *socket)
{
	struct raw_event event;

	close(socket->fd);
	socket->fd = -1;
	while (take_kept(socket, &event))
		;
}
