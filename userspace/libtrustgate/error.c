// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What went wrong, in words.
 *
 * Owns: the sentence about the last failure and its parts.
 *
 * Must not own: the decision that something is a failure.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/genetlink.h>

#include "conn.h"

void trustgate_error_clear(struct trustgate_conn *conn)
{
	conn->error.text[0] = '\0';
	conn->error.message[0] = '\0';
	conn->error.attribute[0] = '\0';
	conn->error.index = -1;
	conn->error.unsure = false;
}

int trustgate_fail(struct trustgate_conn *conn, int err, const char *format, ...)
{
	char reason[896];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	snprintf(conn->error.text, sizeof(conn->error.text), "%s: %s", reason,
		 strerrordesc_np(-err) ?: "unknown error");
	return err;
}

static bool find_attribute(struct trustgate_conn *conn, const struct nlmsghdr *request,
			   const struct attr_set *set, const struct ext_ack *ack)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	uint32_t offset = ack->offset;
	uint32_t missing = 0;

	/* A missing attribute is named by where it should have been. */
	if (ack->missing_type) {
		offset = ack->missing_nest;
		missing = ack->missing_type;
	}
	if (missing && !offset) {
		const char *name = trustgate_attr_name(set, missing);

		if (!name)
			return false;
		snprintf(conn->error.attribute, sizeof(conn->error.attribute), "%s", name);
		return true;
	}
	if (offset < head || offset >= request->nlmsg_len)
		return false;
	return !trustgate_attr_path(set, (const char *)request + head,
				    request->nlmsg_len - head, offset - head,
				    conn->error_base, missing, conn->error.attribute,
				    sizeof(conn->error.attribute), &conn->error.index);
}

int trustgate_fail_kernel(struct trustgate_conn *conn, int err, const char *what,
			  const struct nlmsghdr *request, const struct attr_set *set,
			  const struct ext_ack *ack)
{
	bool named = set && find_attribute(conn, request, set, ack);
	const char *open = "";
	const char *about = "";
	const char *close = "";

	if (!named)
		conn->error.attribute[0] = '\0';
	if (ack->message) {
		size_t length = ack->message_length;

		if (length >= sizeof(conn->error.message))
			length = sizeof(conn->error.message) - 1;
		for (size_t i = 0; i < length; i++) {
			unsigned char c = ack->message[i];

			conn->error.message[i] = iscntrl(c) ? ' ' : c;
		}
		conn->error.message[length] = '\0';
	}
	if (named) {
		open = ack->missing_type ? " (missing attribute " : " (attribute ";
		about = conn->error.attribute;
		close = ")";
	}
	if (!conn->error.message[0] && err == -EPERM)
		return trustgate_fail(conn, err, "cannot %s: CAP_MAC_ADMIN in the initial user namespace is needed%s%s%s",
				      what, open, about, close);
	return trustgate_fail(conn, err, "cannot %s%s%s%s%s%s", what,
			      conn->error.message[0] ? ": " : "", conn->error.message,
			      open, about, close);
}

const char *trustgate_error_text(const struct trustgate_conn *conn)
{
	return conn->error.text;
}

const char *trustgate_error_message(const struct trustgate_conn *conn)
{
	return conn->error.message[0] ? conn->error.message : NULL;
}

const char *trustgate_error_attribute(const struct trustgate_conn *conn)
{
	return conn->error.attribute[0] ? conn->error.attribute : NULL;
}

ssize_t trustgate_error_index(const struct trustgate_conn *conn)
{
	return conn->error.index;
}

bool trustgate_error_unsure(const struct trustgate_conn *conn)
{
	return conn->error.unsure;
}
