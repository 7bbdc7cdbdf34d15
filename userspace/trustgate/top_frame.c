// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate top - what is known, as lines of text.
 *
 * Owns: which line is where, how wide a column is, what is cut.
 *
 * Must not own: the terminal (top_screen.c).
 *
 * Nothing is told by a colour alone.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "agent.h"
#include "cell.h"
#include "format.h"
#include "top.h"
#include "trustgate.h"

/* Grants and requests that end so soon are to be seen. */
#define SOON_NS		(10 * UINT64_C(1000000000))
/* Of a screen, the volumes get no more than a part. */
#define VOLUMES_PART	4
#define ROW_SIZE	1024

/* ---- lines ---- */

/* Like an ell of cloth: as many columns of @text as go into @width, padded. */
static void fit(FILE *stream, const char *text, int width)
{
	mbstate_t state = { 0 };
	int used = 0;

	while (*text && used < width) {
		wchar_t character;
		size_t bytes = mbrtowc(&character, text, strlen(text), &state);
		int columns;

		if (bytes == (size_t)-1 || bytes == (size_t)-2) {
			fputc('?', stream);
			memset(&state, 0, sizeof(state));
			text++;
			used++;
			continue;
		}
		columns = wcwidth(character);
		if (columns < 0 || used + columns > width)
			break;
		fwrite(text, 1, bytes, stream);
		text += bytes;
		used += columns;
	}
	fprintf(stream, "%*s", width - used, "");
}

static void add(struct top_frame *frame, enum top_style style, const char *text)
{
	char *fitted = NULL;
	size_t size = 0;
	FILE *stream;

	if (frame->count == frame->room) {
		size_t room = frame->room ? 2 * frame->room : 64;
		struct top_line *lines = reallocarray(frame->lines, room, sizeof(*lines));

		if (!lines) {
			frame->failed = true;
			return;
		}
		frame->lines = lines;
		frame->room = room;
	}
	stream = open_memstream(&fitted, &size);
	if (!stream) {
		frame->failed = true;
		return;
	}
	fit(stream, text, frame->width);
	if (fclose(stream)) {
		frame->failed = true;
		free(fitted);
		return;
	}
	frame->lines[frame->count++] = (struct top_line){ fitted, style };
}

__attribute__((format(printf, 3, 4)))
static void addf(struct top_frame *frame, enum top_style style, const char *format, ...)
{
	char text[ROW_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	add(frame, style, text);
}

void top_frame_release(struct top_frame *frame)
{
	for (size_t i = 0; i < frame->count; i++)
		free(frame->lines[i].text);
	free(frame->lines);
	memset(frame, 0, sizeof(*frame));
}

/* ---- cells ---- */

static int columns_of(const char *text)
{
	mbstate_t state = { 0 };
	int used = 0;

	while (*text) {
		wchar_t character;
		size_t bytes = mbrtowc(&character, text, strlen(text), &state);

		if (bytes == (size_t)-1 || bytes == (size_t)-2) {
			memset(&state, 0, sizeof(state));
			bytes = 1;
			used++;
		} else if (wcwidth(character) > 0) {
			used += wcwidth(character);
		}
		text += bytes;
	}
	return used;
}

/* The begin of a character behind @text. */
static const char *next_character(const char *text)
{
	mbstate_t state = { 0 };
	wchar_t character;
	size_t bytes = mbrtowc(&character, text, strlen(text), &state);

	return text + (bytes == (size_t)-1 || bytes == (size_t)-2 || !bytes ? 1 : bytes);
}

static void cell(FILE *stream, const char *text, int width)
{
	char *safe = escape_text(text ?: "");

	fit(stream, safe ?: "", width);
	fputc(' ', stream);
	free(safe);
}

/* To the right; what is too wide keeps its begin. */
static void number_cell(FILE *stream, const char *text, int width)
{
	fprintf(stream, "%*.*s ", width, width, text);
}

/* A path says most at its end. */
static void path_cell(FILE *stream, const char *text, int width)
{
	char *safe = escape_text(text ?: "");
	const char *rest = safe ?: "";

	if (columns_of(rest) > width && width > 3) {
		while (columns_of(rest) > width - 3)
			rest = next_character(rest);
		fputs("...", stream);
		fit(stream, rest, width - 3);
	} else {
		fit(stream, rest, width);
	}
	fputc(' ', stream);
	free(safe);
}

static uint64_t number(sd_json_variant *row, const char *field)
{
	uint64_t value = 0;

	field_number(row, field, &value);
	return value;
}

static void id_cell(FILE *stream, sd_json_variant *row, const char *field, int width)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number(row, field));
	number_cell(stream, text, width);
}

static void time_cell(FILE *stream, uint64_t duration_ns, int width)
{
	char buffer[FORMAT_TIME_SIZE];

	number_cell(stream, format_left(duration_ns, buffer), width);
}

static void access_cell(FILE *stream, sd_json_variant *row)
{
	sd_json_variant *access = sd_json_variant_by_key(row, "access");
	uint32_t mask = 0, bit;
	char letters[6];

	for (size_t i = 0; i < sd_json_variant_elements(access); i++) {
		sd_json_variant *word = sd_json_variant_by_index(access, i);

		if (sd_json_variant_is_string(word) &&
		    !trustgate_value(TRUSTGATE_NAMES_ACCESS, sd_json_variant_string(word), &bit))
			mask |= bit;
	}
	cell(stream, trustgate_access_letters(mask, letters), 5);
}

/* "acme:db/x" */
static void object_cell(FILE *stream, sd_json_variant *row, int width)
{
	const char *kind = field_string(row, "objectKind");
	const char *path = field_string(row, "path") ?: "?";
	char *text;

	if (asprintf(&text, "%s:%s%s", field_string(row, "volume") ?: "?", path,
		     kind && !strcmp(kind, "subtree") && strcmp(path, ".") ? "/" : "") < 0)
		return;
	path_cell(stream, text, width);
	free(text);
}

static uint64_t since(uint64_t boottime_ns)
{
	uint64_t now_ns = boottime_now_ns();

	return boottime_ns && now_ns > boottime_ns ? now_ns - boottime_ns : 0;
}

static uint64_t until(uint64_t boottime_ns)
{
	uint64_t now_ns = boottime_now_ns();

	return boottime_ns > now_ns ? boottime_ns - now_ns : 0;
}

/* ---- the head ---- */

static void add_head(struct top_frame *frame, const struct top *top)
{
	const char *state = field_string(top->status, "state") ?: "unknown";
	time_t now = time(NULL);
	char clock[32] = "";
	struct tm tm;
	char *safe = escape_text(state);

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S", &tm);
	addf(frame, TOP_STYLE_HEADER, "trustgate %s  gate %s, %llu grants, %llu waiting%s%s", clock,
	     safe ?: "?", (unsigned long long)number(top->status, "grants"),
	     (unsigned long long)number(top->status, "requests"),
	     top->filter[0] ? ", only " : "", top->filter);
	free(safe);
}

static void add_rates(struct top_frame *frame, const struct top *top)
{
	char causes[ROW_SIZE] = "";
	size_t used = 0;

	for (uint32_t cause = 0; cause < TOP_CAUSES && used < sizeof(causes) / 2; cause++)
		if (trustgate_cause_name(cause) && cause != TRUSTGATE_CAUSE_GRANTED &&
		    cause != TRUSTGATE_CAUSE_ASKED && top->rate.causes[cause] > 0)
			used += snprintf(causes + used, sizeof(causes) - used, "%s%s %.1f",
					 used ? ", " : " (", trustgate_cause_name(cause),
					 top->rate.causes[cause]);
	addf(frame, top->rate.denied > 0 ? TOP_STYLE_WARNING : TOP_STYLE_NORMAL,
	     "per second: allowed %.1f, asked %.1f, denied %.1f%s%s", top->rate.allowed,
	     top->rate.asked, top->rate.denied, causes, used ? ")" : "");
}

/* What is wrong with the whole, if anything is. */
static void add_trouble(struct top_frame *frame, const struct top *top)
{
	uint64_t lost = number(top->status, "eventsDropped") +
			number(top->status, "eventsAgentMissed");
	const char *problem = field_string(top->status, "accountProblem");

	if (problem) {
		char *safe = escape_text(problem);

		addf(frame, TOP_STYLE_BAD, "NOTHING IS RECORDED: %s", safe ?: "?");
		free(safe);
	}
	if (lost)
		addf(frame, TOP_STYLE_WARNING, "%llu events were lost", (unsigned long long)lost);
	if (top->event && top->reachable && !top->watching)
		add(frame, TOP_STYLE_WARNING, "events cannot be followed: who opens what is not known");
}

/* ---- sections ---- */

/* Text of one row; the stream is that of the row. */
typedef void (*row_fn)(FILE *stream, const struct top *top, size_t index, int width);

static void add_row(struct top_frame *frame, const struct top *top, enum top_style style,
		    row_fn row, size_t index, bool marked)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	if (!stream) {
		frame->failed = true;
		return;
	}
	fputc(marked ? '>' : ' ', stream);
	row(stream, top, index, frame->width - 1);
	if (fclose(stream))
		frame->failed = true;
	else
		add(frame, style, text);
	free(text);
}

/* What is observed is recorded, and done. */
static bool is_observed(const struct top_volume *volume)
{
	uint64_t until_ns = 0;

	return field_number(volume->row, "observedUntilBoottimeNSec", &until_ns) && until_ns;
}

static enum top_style volume_style(const struct top_volume *volume)
{
	if (!volume->row || is_observed(volume))
		return TOP_STYLE_BAD;
	return volume->rate.denied > 0 ? TOP_STYLE_WARNING : TOP_STYLE_NORMAL;
}

static void volume_row(FILE *stream, const struct top *top, size_t index, int width)
{
	const struct top_volume *volume = &top->shown_volumes[index];
	char text[FORMAT_TIME_SIZE];

	(void)width;
	cell(stream, volume->name, 20);
	if (!volume->row) {
		cell(stream, "NOT PROTECTED", 13);
		return;
	}
	cell(stream, is_observed(volume) ? "NOT DENIED" : "protected", 13);
	id_cell(stream, volume->row, "grants", 7);
	snprintf(text, sizeof(text), "%zu", volume->waiting);
	number_cell(stream, text, 7);
	snprintf(text, sizeof(text), "%.1f", volume->rate.allowed);
	number_cell(stream, text, 9);
	snprintf(text, sizeof(text), "%.1f", volume->rate.denied);
	number_cell(stream, text, 9);
	snprintf(text, sizeof(text), "%.1f", volume->rate.asked);
	number_cell(stream, text, 7);
}

static void add_volumes(struct top_frame *frame, const struct top *top, size_t most)
{
	size_t count = top->shown_volumes_count;

	addf(frame, TOP_STYLE_TITLE, " %-20s %-13s %7s %7s %9s %9s %7s", "VOLUME", "STATE", "GRANTS",
	     "WAITING", "ALLOWED/s", "DENIED/s", "ASKED/s");
	/* The last line is for how many there is no room for. */
	if (count > most)
		count = most - 1;
	for (size_t i = 0; i < count; i++)
		add_row(frame, top, volume_style(&top->shown_volumes[i]), volume_row, i, false);
	if (count < top->shown_volumes_count)
		addf(frame, TOP_STYLE_NORMAL, " ... and %zu more, see \"trustgate volume list\"",
		     top->shown_volumes_count - count);
	if (!top->shown_volumes_count)
		add(frame, TOP_STYLE_NORMAL, " none");
}

#define REQUEST_WIDTH	(6 + 1 + 7 + 1 + 7 + 1 + 7 + 1 + 18 + 1 + 5 + 1)
#define GRANT_WIDTH	(6 + 1 + 7 + 1 + 7 + 1 + 14 + 1 + 5 + 1)

static void request_row(FILE *stream, const struct top *top, size_t index, int width)
{
	sd_json_variant *row = top->shown[TOP_REQUESTS].rows[index];
	char *who = top_model_who(row);

	id_cell(stream, row, "id", 6);
	time_cell(stream, since(number(row, "raisedBoottimeNSec")), 7);
	time_cell(stream, until(number(row, "deadlineBoottimeNSec")), 7);
	id_cell(stream, row, "pid", 7);
	cell(stream, who, 18);
	access_cell(stream, row);
	object_cell(stream, row, width - REQUEST_WIDTH);
	free(who);
}

/* Half of what is left for the object, half for who opened what last. */
static int object_width(int width)
{
	return (width - GRANT_WIDTH) / 2;
}

static void grant_row(FILE *stream, const struct top *top, size_t index, int width)
{
	sd_json_variant *row = top->shown[TOP_GRANTS].rows[index];
	int object = object_width(width), last = width - GRANT_WIDTH - object - 1;
	const char *opened;
	uint64_t opened_ns = 0;

	id_cell(stream, row, "id", 6);
	if (field_string(row, "end"))
		number_cell(stream, number(row, "mapped") ? "mapped" : "ended", 7);
	else
		time_cell(stream, until(number(row, "expiresBoottimeNSec")), 7);
	id_cell(stream, row, "pid", 7);
	cell(stream, field_string(row, "comm") ?: "?", 14);
	access_cell(stream, row);
	object_cell(stream, row, object);
	opened = top_model_opened(top, number(row, "id"), &opened_ns);
	if (opened) {
		char age[FORMAT_TIME_SIZE];

		fprintf(stream, "%s ", format_left(since(opened_ns), age));
		path_cell(stream, opened, last - (int)strlen(age) - 1);
	} else {
		id_cell(stream, row, "uses", 1);
		fputs(number(row, "uses") == 1 ? "use" : "uses", stream);
	}
}

static enum top_style row_style(const struct top *top, enum top_section section, size_t index)
{
	sd_json_variant *row = top->shown[section].rows[index];

	if (section == TOP_REQUESTS)
		return until(number(row, "deadlineBoottimeNSec")) < SOON_NS ? TOP_STYLE_BAD :
									    TOP_STYLE_NORMAL;
	if (field_string(row, "end"))
		return TOP_STYLE_BAD;
	return until(number(row, "expiresBoottimeNSec")) < SOON_NS ? TOP_STYLE_WARNING :
								   TOP_STYLE_GOOD;
}

static void add_title(struct top_frame *frame, enum top_section section)
{
	if (section == TOP_REQUESTS)
		addf(frame, TOP_STYLE_TITLE, " %6s %7s %7s %7s %-18s %-5s %s", "ID", "WAITS", "LEFT",
		     "PID", "REQUESTED BY", "FOR", "OBJECT");
	else
		addf(frame, TOP_STYLE_TITLE, " %6s %7s %7s %-14s %-5s %-*s %s", "ID", "LEFT", "PID",
		     "GRANTED TO", "FOR", object_width(frame->width - 1), "OBJECT", "OPENED LAST");
}

static void add_section(struct top_frame *frame, struct top *top, enum top_section section,
			size_t room, bool selectable)
{
	static const row_fn rows[] = { [TOP_REQUESTS] = request_row, [TOP_GRANTS] = grant_row };
	struct top_rows *shown = &top->shown[section];
	size_t selected = SIZE_MAX;

	add_title(frame, section);
	for (size_t i = 0; selectable && top->section == section && i < shown->count; i++)
		if (number(shown->rows[i], "id") == top->selected)
			selected = i;
	if (shown->count <= room)
		shown->first = 0;
	else if (selected != SIZE_MAX && selected < shown->first)
		shown->first = selected;
	else if (selected != SIZE_MAX && selected >= shown->first + room)
		shown->first = selected - room + 1;
	if (shown->first + room > shown->count)
		shown->first = shown->count > room ? shown->count - room : 0;
	for (size_t i = shown->first; i < shown->count && i < shown->first + room; i++)
		add_row(frame, top, i == selected ? TOP_STYLE_SELECTED : row_style(top, section, i),
			rows[section], i, i == selected);
	if (!shown->count)
		add(frame, TOP_STYLE_NORMAL, section == TOP_REQUESTS ?
		    " nobody waits for an answer" : " nothing is granted");
}

/* ---- help ---- */

static void add_help(struct top_frame *frame)
{
	static const char *const help[] = {
		"Up, Down, k, j     select a request or a grant; Page up, Page down, Home, End",
		"Tab                the other list",
		"a, Enter           approve the selected request: why, with which ticket, how long",
		"d                  deny the selected request",
		"r                  revoke the selected grant",
		"v                  show one volume only, or all",
		"s                  sort by time left, number, object or program",
		"Space              look again at once",
		"Ctrl-L             draw the screen anew",
		"?, h               this help",
		"q                  quit",
		"",
		"Nothing is done before a question is answered; Escape leaves it.",
		"WAITS is since when, LEFT until an open is denied or a grant expires.",
		"FOR: r read, w write, x execute, n names, m metadata.",
		"OPENED LAST: how long ago, by which program, what; else how often.",
		"\"mapped\" is a grant that has ended while a process has mappings yet.",
	};

	add(frame, TOP_STYLE_TITLE, " Keys");
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		addf(frame, TOP_STYLE_NORMAL, " %s", help[i]);
}

/* ---- the whole ---- */

static void add_body(struct top_frame *frame, struct top *top, int height)
{
	size_t volumes = top->shown_volumes_count ?: 1;
	size_t wanted[_TOP_SECTIONS], room;

	if (!height) {
		add_volumes(frame, top, SIZE_MAX);
		add(frame, TOP_STYLE_NORMAL, "");
		add_section(frame, top, TOP_REQUESTS, SIZE_MAX / 2, false);
		add(frame, TOP_STYLE_NORMAL, "");
		add_section(frame, top, TOP_GRANTS, SIZE_MAX / 2, false);
		return;
	}
	if (volumes > (size_t)height / VOLUMES_PART)
		volumes = (size_t)height / VOLUMES_PART ?: 1;
	add_volumes(frame, top, volumes);
	/* Two titles, the message and the keys. */
	room = (size_t)height > frame->count + 4 ? (size_t)height - frame->count - 4 : 0;
	for (size_t i = 0; i < _TOP_SECTIONS; i++)
		wanted[i] = top->shown[i].count ?: 1;
	/* Each gets its half, and what the other leaves. */
	if (wanted[TOP_REQUESTS] > room / 2)
		wanted[TOP_REQUESTS] = wanted[TOP_GRANTS] < room - room / 2 ?
				       room - wanted[TOP_GRANTS] : room / 2;
	add_section(frame, top, TOP_REQUESTS, wanted[TOP_REQUESTS], true);
	add_section(frame, top, TOP_GRANTS, room > wanted[TOP_REQUESTS] ?
		    room - wanted[TOP_REQUESTS] : 0, true);
}

static void cut(struct top_frame *frame, int height)
{
	while (frame->count > (size_t)height)
		free(frame->lines[--frame->count].text);
	while (frame->count < (size_t)height && !frame->failed)
		add(frame, TOP_STYLE_NORMAL, "");
}

static void add_foot(struct top_frame *frame, const struct top *top)
{
	char *question = top_act_line(top);

	if (question) {
		addf(frame, TOP_STYLE_NORMAL, "%s", top_act_hint(top) ?: top->message);
		add(frame, TOP_STYLE_SELECTED, question);
	} else {
		addf(frame, top->message_bad ? TOP_STYLE_BAD : TOP_STYLE_NORMAL, "%s", top->message);
		addf(frame, TOP_STYLE_KEYS,
		     "a approve  d deny  r revoke  v volume  s sort: %s  ? help  q quit",
		     top_model_sort_name(top->sort));
	}
	free(question);
}

int top_frame_make(struct top *top, struct top_frame *frame, int width, int height)
{
	frame->width = width;
	add_head(frame, top);
	add_rates(frame, top);
	add_trouble(frame, top);
	if (top->help)
		add_help(frame);
	else
		add_body(frame, top, height);
	if (height) {
		cut(frame, height > 2 ? height - 2 : 0);
		add_foot(frame, top);
		cut(frame, height);
	}
	return frame->failed ? -ENOMEM : 0;
}
