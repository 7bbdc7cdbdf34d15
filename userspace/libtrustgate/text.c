// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Accesses and durations as people write them.
 *
 * Owns: both grammars, and what is said about a mistake.
 *
 * Must not own: which durations or accesses are allowed.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trustgate.h"

static const char letters[] = "rwxnm";

static const uint32_t letter_access[] = {
	TRUSTGATE_ACCESS_READ,
	TRUSTGATE_ACCESS_WRITE,
	TRUSTGATE_ACCESS_EXEC,
	TRUSTGATE_ACCESS_NAMES,
	TRUSTGATE_ACCESS_META,
};

/* Smaller last, as they may follow each other in a text. */
static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "d", UINT64_C(86400000000000) },
	{ "h", UINT64_C(3600000000000) },
	{ "m", UINT64_C(60000000000) },
	{ "s", UINT64_C(1000000000) },
	{ "ms", UINT64_C(1000000) },
	{ "us", UINT64_C(1000) },
	{ "ns", UINT64_C(1) },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

__attribute__((format(printf, 4, 5)))
static int complain(char *error, size_t size, int err, const char *format, ...)
{
	va_list args;

	if (size) {
		va_start(args, format);
		vsnprintf(error, size, format, args);
		va_end(args);
	}
	return err;
}

/* A mistake is quoted, and what was typed may hold anything. */
static const char *quotable(const char *text, size_t length, char buffer[40])
{
	size_t used = 0;

	for (size_t i = 0; i < length && used < 36; i++)
		buffer[used++] = isprint((unsigned char)text[i]) ? text[i] : '?';
	if (length > 36)
		memcpy(buffer + 33, "...", 3);
	buffer[used] = '\0';
	return buffer;
}

static int parse_letters(const char *word, size_t length,
			 struct trustgate_access_spec *spec)
{
	uint32_t exact = 0;
	uint32_t extra = 0;

	for (size_t i = 0; i < length; i++) {
		const char *letter = memchr(letters, word[i], sizeof(letters) - 1);

		if (!letter)
			return -EINVAL;
		exact |= letter_access[letter - letters];
		if (*letter == 'w')
			extra |= TRUSTGATE_ACCESS_NAMES;
	}
	spec->exact |= exact;
	spec->on_directory |= exact | extra;
	return 0;
}

int trustgate_access_parse(const char *text, struct trustgate_access_spec *ret_spec,
			   char *error, size_t error_size)
{
	struct trustgate_access_spec spec = { 0 };
	const char *word = text;
	char quoted[40];

	for (;;) {
		size_t length = strcspn(word, ",");
		char name[16] = "";
		uint32_t bit;

		if (!length)
			return complain(error, error_size, -EINVAL, *text ?
					"access has an empty word: write it like \"rw\" or \"read,write\"" :
					"access is empty: say at least \"r\"");
		if (length < sizeof(name))
			memcpy(name, word, length);
		if (!trustgate_value(TRUSTGATE_NAMES_ACCESS, name, &bit)) {
			spec.exact |= bit;
			spec.on_directory |= bit;
		} else if (parse_letters(word, length, &spec)) {
			return complain(error, error_size, -EINVAL,
					"access \"%s\" is neither a word (read, write, exec, names, meta) nor made of the letters r, w, x, n, m",
					quotable(word, length, quoted));
		}
		if (!word[length])
			break;
		word += length + 1;
	}

	*ret_spec = spec;
	return 0;
}

char *trustgate_access_letters(uint32_t access, char buffer[6])
{
	for (size_t i = 0; letters[i]; i++)
		buffer[i] = access & letter_access[i] ? letters[i] : '-';
	buffer[sizeof(letters) - 1] = '\0';
	return buffer;
}

/* Index of the unit at @text, and its length; -1 if there is none. */
static int find_unit(const char *text, size_t *ret_length)
{
	size_t length = 0;

	while (isalpha((unsigned char)text[length]))
		length++;
	*ret_length = length;
	for (size_t i = 0; i < UNITS; i++)
		if (length == strlen(units[i].name) && !memcmp(text, units[i].name, length))
			return i;
	return -1;
}

int trustgate_duration_parse(const char *text, uint64_t *ret_duration_ns,
			     char *error, size_t error_size)
{
	const char *rest = text;
	uint64_t total = 0;
	int former = -1;
	char quoted[40];

	if (!*text)
		return complain(error, error_size, -EINVAL,
				"duration is empty: write it like 15m, 1h30m or 20s");

	while (*rest) {
		uint64_t number = 0;
		uint64_t part;
		size_t length;
		int unit;

		if (!isdigit((unsigned char)*rest))
			return complain(error, error_size, -EINVAL,
					"duration \"%s\" has no whole number at \"%s\": write it like 15m, 1h30m or 20s",
					quotable(text, strlen(text), (char [40]){ 0 }),
					quotable(rest, strlen(rest), quoted));
		for (; isdigit((unsigned char)*rest); rest++)
			if (__builtin_mul_overflow(number, 10, &number) ||
			    __builtin_add_overflow(number, (uint64_t)(*rest - '0'), &number))
				goto too_long;

		unit = find_unit(rest, &length);
		if (unit < 0 && !length)
			return complain(error, error_size, -EINVAL,
					"duration \"%s\" has a number without a unit (d, h, m, s, ms, us, ns)",
					quotable(text, strlen(text), quoted));
		if (unit < 0)
			return complain(error, error_size, -EINVAL,
					"\"%s\" is not a unit of time (d, h, m, s, ms, us, ns)",
					quotable(rest, length, quoted));
		if (unit <= former)
			return complain(error, error_size, -EINVAL,
					"duration \"%s\" has its units out of order or twice: larger ones come first",
					quotable(text, strlen(text), quoted));
		if (__builtin_mul_overflow(number, units[unit].ns, &part) ||
		    __builtin_add_overflow(total, part, &total))
			goto too_long;
		former = unit;
		rest += length;
	}

	*ret_duration_ns = total;
	return 0;

too_long:
	return complain(error, error_size, -ERANGE,
			"duration \"%s\" is too long: at most 213503d",
			quotable(text, strlen(text), quoted));
}

char *trustgate_duration_format(uint64_t duration_ns,
				char buffer[TRUSTGATE_DURATION_SIZE])
{
	size_t used = 0;

	for (size_t i = 0; i < UNITS; i++) {
		uint64_t number = duration_ns / units[i].ns;

		if (!number)
			continue;
		duration_ns -= number * units[i].ns;
		used += snprintf(buffer + used, TRUSTGATE_DURATION_SIZE - used,
				 "%llu%s", (unsigned long long)number, units[i].name);
	}
	if (!used)
		snprintf(buffer, TRUSTGATE_DURATION_SIZE, "0s");
	return buffer;
}

const char *trustgate_version(void)
{
	return TRUSTGATE_VERSION;
}
