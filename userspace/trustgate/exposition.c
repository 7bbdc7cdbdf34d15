// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - numbers in the text format of Prometheus, see exposition.h.
 *
 * Owns: the lines.
 *
 * Must not own: which numbers there are.
 */
#include <inttypes.h>
#include <string.h>

#include "exposition.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define SECONDS_SIZE 32

static void put_escaped(FILE *stream, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stream);
		else if (strchr(special, *text))
			fprintf(stream, "\\%c", *text);
		else
			fputc(*text, stream);
	}
}

void exposition_family(struct exposition *exposition, const char *name,
		       enum family_type type, const char *help)
{
	static const char *const types[] = {
		[FAMILY_COUNTER] = "counter",
		[FAMILY_GAUGE] = "gauge",
		[FAMILY_HISTOGRAM] = "histogram",
	};

	exposition->name = name;
	fprintf(exposition->stream, "# HELP " EXPOSITION_PREFIX "%s ", name);
	put_escaped(exposition->stream, help, "\\");
	fprintf(exposition->stream, "\n# TYPE " EXPOSITION_PREFIX "%s %s\n", name, types[type]);
}

/* The name with @suffix, and @labels with one more if that has a value. */
static void begin_sample(const struct exposition *exposition, const char *suffix,
			 const struct label *labels, const char *bound)
{
	const char *separator = "{";

	fprintf(exposition->stream, EXPOSITION_PREFIX "%s%s", exposition->name, suffix);
	for (; labels->name; labels++) {
		fprintf(exposition->stream, "%s%s=\"", separator, labels->name);
		put_escaped(exposition->stream, labels->value, "\\\"");
		fputc('"', exposition->stream);
		separator = ",";
	}
	if (bound) {
		fprintf(exposition->stream, "%sle=\"%s\"", separator, bound);
		separator = ",";
	}
	fputs(*separator == '{' ? " " : "} ", exposition->stream);
}

/* All the digits, but no zeros at the end. */
static const char *seconds(uint64_t duration_ns, char buffer[SECONDS_SIZE])
{
	int length = snprintf(buffer, SECONDS_SIZE, "%" PRIu64 ".%09" PRIu64,
			      duration_ns / NSEC_PER_SEC, duration_ns % NSEC_PER_SEC);

	while (buffer[length - 1] == '0')
		buffer[--length] = '\0';
	if (buffer[length - 1] == '.')
		buffer[--length] = '\0';
	return buffer;
}

void exposition_number(struct exposition *exposition, const struct label *labels,
		       uint64_t number)
{
	begin_sample(exposition, "", labels, NULL);
	fprintf(exposition->stream, "%" PRIu64 "\n", number);
}

void exposition_seconds(struct exposition *exposition, const struct label *labels,
			uint64_t duration_ns)
{
	char buffer[SECONDS_SIZE];

	begin_sample(exposition, "", labels, NULL);
	fprintf(exposition->stream, "%s\n", seconds(duration_ns, buffer));
}

void exposition_histogram(struct exposition *exposition, const struct label *labels,
			  const struct histogram *histogram)
{
	char buffer[SECONDS_SIZE];

	for (size_t i = 0; i < histogram->bounds; i++) {
		begin_sample(exposition, "_bucket", labels,
			     seconds(histogram->bounds_ns[i], buffer));
		fprintf(exposition->stream, "%" PRIu64 "\n", histogram->up_to[i]);
	}
	begin_sample(exposition, "_bucket", labels, "+Inf");
	fprintf(exposition->stream, "%" PRIu64 "\n", histogram->count);
	begin_sample(exposition, "_sum", labels, NULL);
	fprintf(exposition->stream, "%s\n", seconds(histogram->sum_ns, buffer));
	begin_sample(exposition, "_count", labels, NULL);
	fprintf(exposition->stream, "%" PRIu64 "\n", histogram->count);
}
