/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - names of values, and values as text.
 *
 * A part of <trustgate.h>, which says what holds for all functions.
 */
#ifndef _TRUSTGATE_NAMES_H
#define _TRUSTGATE_NAMES_H

#ifndef _TRUSTGATE_H
#error "include <trustgate.h>"
#endif

/**
 * enum trustgate_names - the sets of names, one for each enum of the ABI
 */
enum trustgate_names {
	TRUSTGATE_NAMES_GATE_STATE,
	TRUSTGATE_NAMES_ACCESS,
	TRUSTGATE_NAMES_CAUSE,
	TRUSTGATE_NAMES_REASON,
	TRUSTGATE_NAMES_END,
	TRUSTGATE_NAMES_ON_AGENT_LOSS,
	TRUSTGATE_NAMES_RECORD,
	TRUSTGATE_NAMES_GRANT_FLAGS,
	TRUSTGATE_NAMES_OBJECT_KIND,
	TRUSTGATE_NAMES_EVENT_TYPE,
	TRUSTGATE_NAMES_METADATA,
	TRUSTGATE_NAMES_ON_END,
	TRUSTGATE_NAMES_REQUEST_END,
	TRUSTGATE_NAMES_AUDIT,
	_TRUSTGATE_NAMES_MAX
};

/**
 * trustgate_name() - the specification's name of a value
 * @set: which enum
 * @value: a value, for flags a single bit
 *
 * Return: a constant string such as "no-grant", NULL if the value is not known.
 */
const char *trustgate_name(enum trustgate_names set, uint32_t value);

/**
 * trustgate_value() - the value of a name
 * @set: which enum
 * @name: exactly as in the specification
 * @ret_value: the value, for flags the bit
 *
 * Return: 0 or -EINVAL if there is no such name.
 */
int trustgate_value(enum trustgate_names set, const char *name, uint32_t *ret_value);

/**
 * trustgate_name_at() - go through the names of a set
 * @set: which enum
 * @index: 0 and up
 *
 * Return: the name, NULL behind the last.
 */
const char *trustgate_name_at(enum trustgate_names set, size_t index);

/**
 * trustgate_mask_format() - the names of the bits of a mask
 * @set: a set of flags
 * @mask: bits; one without a name is written as a hexadecimal number
 * @separator: between names
 * @buffer: receives the text, always terminated; may be NULL if @size is 0
 * @size: of @buffer
 *
 * Return: length of the whole text as by snprintf(3), or -EINVAL.
 */
int trustgate_mask_format(enum trustgate_names set, uint32_t mask,
			  const char *separator, char *buffer, size_t size);

static inline const char *trustgate_cause_name(uint32_t cause)
{
	return trustgate_name(TRUSTGATE_NAMES_CAUSE, cause);
}

static inline const char *trustgate_reason_name(uint32_t reason)
{
	return trustgate_name(TRUSTGATE_NAMES_REASON, reason);
}

static inline const char *trustgate_end_name(uint32_t end)
{
	return trustgate_name(TRUSTGATE_NAMES_END, end);
}

static inline const char *trustgate_event_type_name(uint32_t type)
{
	return trustgate_name(TRUSTGATE_NAMES_EVENT_TYPE, type);
}

static inline const char *trustgate_request_end_name(uint32_t end)
{
	return trustgate_name(TRUSTGATE_NAMES_REQUEST_END, end);
}

/**
 * struct trustgate_access_spec - an access as it was written
 * @exact: what the text says, word by word
 * @on_directory: the same for a directory or subtree: there the letter w
 *	includes NAMES, as w on a directory does in file modes. The word "write"
 *	does not.
 *
 * Masks of enum trustgate_access.
 */
struct trustgate_access_spec {
	uint32_t exact;
	uint32_t on_directory;
};

/**
 * trustgate_access_parse() - read an access from text
 * @text: words read, write, exec, names, meta, and groups of the letters
 *	r w x n m, separated by commas: "rw", "read,write", "r,names"
 * @ret_spec: filled on success
 * @error: receives what is wrong; may be NULL if @error_size is 0
 * @error_size: of @error
 *
 * Return: 0 or -EINVAL.
 */
int trustgate_access_parse(const char *text, struct trustgate_access_spec *ret_spec,
			   char *error, size_t error_size);

/**
 * trustgate_access_letters() - the short form of an access
 * @access: mask of enum trustgate_access
 * @buffer: receives five letters out of "rwxnm", "-" where a bit is not set
 *
 * Return: @buffer.
 */
char *trustgate_access_letters(uint32_t access, char buffer[6]);

/**
 * trustgate_duration_parse() - read a duration from text
 * @text: numbers with units d, h, m, s, ms, us, ns, each at most once and the
 *	larger before the smaller: "15m", "1h30m", "20s"
 * @ret_duration_ns: nanoseconds, possibly 0
 * @error: receives what is wrong; may be NULL if @error_size is 0
 * @error_size: of @error
 *
 * Return: 0, -EINVAL, or -ERANGE if it is beyond 2^64 nanoseconds.
 */
int trustgate_duration_parse(const char *text, uint64_t *ret_duration_ns,
			     char *error, size_t error_size);

#define TRUSTGATE_DURATION_SIZE 48

/**
 * trustgate_duration_format() - write a duration so that it can be read again
 * @duration_ns: any
 * @buffer: receives text such as "1h30m"; "0s" for 0
 *
 * Return: @buffer.
 */
char *trustgate_duration_format(uint64_t duration_ns,
				char buffer[TRUSTGATE_DURATION_SIZE]);

#endif /* _TRUSTGATE_NAMES_H */
