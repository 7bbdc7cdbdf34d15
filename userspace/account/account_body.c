// SPDX-License-Identifier: GPL-2.0-only
/*
 * The form of an entry's body.
 *
 * Owns: deciding whether a text is JSON in the one form that is allowed, so that
 * what is hashed and what a reader parses cannot differ.
 *
 * Must not own: what the fields mean.
 */
#include <errno.h>
#include <string.h>

#include "account.h"

#define DEPTH_MAX 16

struct scan {
	const uint8_t *at;
	const uint8_t *end;
	unsigned int depth;
};

static bool scan_value(struct scan *scan);

static int peek(const struct scan *scan)
{
	return scan->at < scan->end ? *scan->at : -1;
}

static bool take(struct scan *scan, int c)
{
	if (peek(scan) != c)
		return false;
	scan->at++;
	return true;
}

static bool take_word(struct scan *scan, const char *word)
{
	size_t size = strlen(word);

	if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size))
		return false;
	scan->at += size;
	return true;
}

/* One character of UTF-8: no surrogates, nothing longer than it needs to be. */
static bool scan_utf8(struct scan *scan)
{
	uint32_t code;
	int more;
	uint8_t first = *scan->at++;

	if (first < 0x80)
		return true;
	if (first >= 0xc2 && first <= 0xdf)
		more = 1, code = first & 0x1f;
	else if (first >= 0xe0 && first <= 0xef)
		more = 2, code = first & 0x0f;
	else if (first >= 0xf0 && first <= 0xf4)
		more = 3, code = first & 0x07;
	else
		return false;
	for (int i = 0; i < more; i++) {
		int c = peek(scan);

		if (c < 0x80 || c > 0xbf)
			return false;
		code = code << 6 | (c & 0x3f);
		scan->at++;
	}
	return code >= (more == 3 ? 0x10000u : more == 2 ? 0x800u : 0x80u) && code <= 0x10ffff &&
	       !(code >= 0xd800 && code <= 0xdfff);
}

/* Behind a backslash: \u only for a control character without a short form. */
static bool scan_escape(struct scan *scan)
{
	static const char hex[] = "0123456789abcdef";
	const char *digit;
	int high, c = peek(scan);

	if (c < 0)
		return false;
	scan->at++;
	if (strchr("\"\\bfnrt", c))
		return c != 0;
	if (c != 'u' || !take(scan, '0') || !take(scan, '0'))
		return false;
	high = peek(scan);
	if (high != '0' && high != '1')
		return false;
	scan->at++;
	c = peek(scan);
	digit = c > 0 ? strchr(hex, c) : NULL;
	if (!digit)
		return false;
	scan->at++;
	c = (high - '0') << 4 | (int)(digit - hex);
	return c != '\b' && c != '\f' && c != '\n' && c != '\r' && c != '\t';
}

static bool scan_string(struct scan *scan)
{
	if (!take(scan, '"'))
		return false;
	for (;;) {
		int c = peek(scan);

		if (c < 0x20)
			return false;
		if (c == '"') {
			scan->at++;
			return true;
		}
		if (c == '\\') {
			scan->at++;
			if (!scan_escape(scan))
				return false;
		} else if (!scan_utf8(scan)) {
			return false;
		}
	}
}

static bool scan_number(struct scan *scan)
{
	bool minus = take(scan, '-');
	uint64_t number = 0;

	if (peek(scan) == '0') {
		scan->at++;
		return !minus;
	}
	if (peek(scan) < '1' || peek(scan) > '9')
		return false;
	while (peek(scan) >= '0' && peek(scan) <= '9') {
		number = number * 10 + (*scan->at++ - '0');
		if (number > ACCOUNT_COUNT_MAX)
			return false;
	}
	return true;
}

static bool scan_array(struct scan *scan)
{
	scan->at++;
	if (take(scan, ']'))
		return true;
	do {
		if (!scan_value(scan))
			return false;
	} while (take(scan, ','));
	return take(scan, ']');
}

/*
 * Order of the keys as characters. Escaped characters are compared as they are
 * meant: what sorts a parsed object gives this order.
 */
static int key_char(const uint8_t **at, const uint8_t *end)
{
	static const char short_form[] = "bfnrt";
	static const char meant[] = "\b\f\n\r\t";
	const char *found;
	int c;

	if (*at == end)
		return -1;
	c = *(*at)++;
	if (c != '\\')
		return c;
	c = *(*at)++;
	found = strchr(short_form, c);
	if (found)
		return meant[found - short_form];
	if (c != 'u')
		return c;
	c = (*at)[2] == '1' ? 16 : 0;
	c += (*at)[3] <= '9' ? (*at)[3] - '0' : (*at)[3] - 'a' + 10;
	*at += 4;
	return c;
}

static bool key_before(const uint8_t *a, const uint8_t *a_end, const uint8_t *b,
		       const uint8_t *b_end)
{
	for (;;) {
		int ca = key_char(&a, a_end), cb = key_char(&b, b_end);

		if (ca != cb)
			return ca < cb;
		if (ca < 0)
			return false;
	}
}

static bool scan_object(struct scan *scan)
{
	const uint8_t *last = NULL, *last_end = NULL;

	if (!take(scan, '{'))
		return false;
	if (take(scan, '}'))
		return true;
	do {
		const uint8_t *key = scan->at + 1, *key_end;

		if (!scan_string(scan))
			return false;
		key_end = scan->at - 1;
		if (last && !key_before(last, last_end, key, key_end))
			return false;
		last = key;
		last_end = key_end;
		if (!take(scan, ':') || !scan_value(scan))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

static bool scan_value(struct scan *scan)
{
	bool good;

	switch (peek(scan)) {
	case '"':
		return scan_string(scan);
	case '{':
	case '[':
		if (scan->depth == DEPTH_MAX)
			return false;
		scan->depth++;
		good = peek(scan) == '{' ? scan_object(scan) : scan_array(scan);
		scan->depth--;
		return good;
	case 't':
		return take_word(scan, "true");
	case 'f':
		return take_word(scan, "false");
	case 'n':
		return take_word(scan, "null");
	default:
		return scan_number(scan);
	}
}

int account_body_check(const char *body, size_t size)
{
	struct scan scan = { .at = (const uint8_t *)body, .end = (const uint8_t *)body + size };

	if (size > ACCOUNT_BODY_MAX)
		return -E2BIG;
	return scan_object(&scan) && scan.at == scan.end ? 0 : -EINVAL;
}

int account_kind_check(const char *kind)
{
	size_t size = strlen(kind);

	return size && size <= ACCOUNT_KIND_MAX &&
	       strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789-") == size ? 0 : -EINVAL;
}
