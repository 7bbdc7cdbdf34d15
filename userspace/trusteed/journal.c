// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - records for the system journal, see journal.h.
 *
 * Owns: the socket, the native protocol, the queue of what journald has not
 * taken yet, the count of lost records.
 *
 * Must not own: waiting of any kind.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"

/* A busy journald takes a burst up in less than a second, a new one in a few. */
#define QUEUE_BYTES_MAX		(32 * 1024 * 1024)
#define RETRY_MIN_USEC		5000
#define RETRY_MAX_USEC		200000
/* At the end: then the rest is lost. */
#define LAST_ATTEMPTS		200

struct queued {
	struct queued *next;
	size_t length;
	char bytes[];
};

static struct {
	int fd;
	struct sockaddr_un address;
	socklen_t address_length;
	struct queued *first;
	struct queued *last;
	size_t queue_bytes;
	sd_event_source *retry;
	uint64_t retry_usec;
	uint64_t lost;
	uint64_t lost_told;
} journal = { .fd = -1 };

int journal_open(const char *socket_path)
{
	size_t length = strlen(socket_path);
	int size = 8 * 1024 * 1024;

	if (length >= sizeof(journal.address.sun_path))
		return -ENAMETOOLONG;
	journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal.fd < 0)
		return -errno;
	/* More room for a storm; the kernel caps it at wmem_max, which is fine. */
	(void)setsockopt(journal.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

	journal.address.sun_family = AF_UNIX;
	memcpy(journal.address.sun_path, socket_path, length + 1);
	journal.address_length = offsetof(struct sockaddr_un, sun_path) + length + 1;
	return 0;
}

/*
 * NAME LF, length as a little-endian 64-bit number, value, LF: the form that
 * takes any bytes, as command names and paths may have any.
 */
static size_t add_field(struct record *record, const char *field,
			const char *value, size_t length)
{
	size_t name = strlen(field);
	uint64_t wire_length = htole64(length);
	size_t room = sizeof(record->buffer) - record->used;
	char *at = record->buffer + record->used;
	size_t start;

	if (!record->cut)
		room = room > RECORD_RESERVE ? room - RECORD_RESERVE : 0;
	if (name + 1 + sizeof(wire_length) + length + 1 > room) {
		record->cut = true;
		return 0;
	}
	at = mempcpy(at, field, name);
	*at++ = '\n';
	at = mempcpy(at, &wire_length, sizeof(wire_length));
	start = at - record->buffer;
	at = mempcpy(at, value, length);
	*at++ = '\n';
	record->used = at - record->buffer;
	return start;
}

/* What came from outside must not forge lines or move a terminal's cursor. */
static void neutralise(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void begin(struct record *record, int priority, const char *message_id,
		  const char *format, va_list arguments)
{
	char message[2048], digit[2] = { (char)('0' + priority), '\0' };

	record->used = 0;
	record->cut = false;
	record->priority = priority;

	vsnprintf(message, sizeof(message), format, arguments);
	neutralise(message);
	record->message_length = strlen(message);
	record->message = add_field(record, "MESSAGE", message, record->message_length);
	add_field(record, "PRIORITY", digit, 1);
	add_field(record, "SYSLOG_IDENTIFIER", "trusteed", strlen("trusteed"));
	if (message_id)
		add_field(record, "MESSAGE_ID", message_id, strlen(message_id));
}

void record_begin(struct record *record, int priority, const char *message_id,
		  const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	begin(record, priority, message_id, format, arguments);
	va_end(arguments);
}

void record_text(struct record *record, const char *field, const char *text)
{
	add_field(record, field, text, strlen(text));
}

void record_number(struct record *record, const char *field, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	add_field(record, field, text, strlen(text));
}

static bool send_to_journal(const char *bytes, size_t length)
{
	ssize_t n;

	do
		n = sendto(journal.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL,
			   (const struct sockaddr *)&journal.address,
			   journal.address_length);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

/* Send what waits, in its order, as far as journald takes it. */
static void flush_queue(void)
{
	struct queued *queued;

	while ((queued = journal.first) && send_to_journal(queued->bytes, queued->length)) {
		journal.first = queued->next;
		if (!journal.first)
			journal.last = NULL;
		journal.queue_bytes -= queued->length;
		free(queued);
	}
}

static int set_retry(void)
{
	int r = sd_event_source_set_time_relative(journal.retry, journal.retry_usec);

	return r < 0 ? r : sd_event_source_set_enabled(journal.retry, SD_EVENT_ONESHOT);
}

static bool enqueue(const struct record *record)
{
	struct queued *queued;

	if (journal.queue_bytes + record->used > QUEUE_BYTES_MAX)
		return false;
	queued = malloc(sizeof(*queued) + record->used);
	if (!queued)
		return false;
	queued->next = NULL;
	queued->length = record->used;
	memcpy(queued->bytes, record->buffer, record->used);
	if (journal.last)
		journal.last->next = queued;
	else
		journal.first = queued;
	journal.last = queued;
	journal.queue_bytes += record->used;
	if (journal.retry && journal.first == queued) {
		journal.retry_usec = RETRY_MIN_USEC;
		(void)set_retry();
	}
	return true;
}

/* Full, or being restarted: both pass. */
static bool hand_to_journal(const struct record *record)
{
	flush_queue();
	if (!journal.first && send_to_journal(record->buffer, record->used))
		return true;
	return enqueue(record);
}

/* A terminal or a file; a pipe that nobody reads counts as lost. */
static bool send_to_stderr(const struct record *record)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	char line[2176];
	int length;

	if (poll(&ready, 1, 0) <= 0 || !(ready.revents & POLLOUT))
		return false;
	length = snprintf(line, sizeof(line), "<%d>trusteed: %.*s\n", record->priority,
			  (int)record->message_length, record->buffer + record->message);
	return write(STDERR_FILENO, line, length) == length;
}

static bool deliver(const struct record *record)
{
	return journal.fd >= 0 ? hand_to_journal(record) : send_to_stderr(record);
}

void record_send(struct record *record)
{
	struct record about;
	uint64_t untold;

	if (record->cut)
		add_field(record, "TRUSTGATE_CUT", "1", strlen("1"));
	if (!deliver(record)) {
		journal.lost++;
		return;
	}
	untold = journal.lost - journal.lost_told;
	if (!untold)
		return;
	record_begin(&about, LOG_WARNING, MESSAGE_ID_LOST,
		     "%llu records before the last one were lost, because the journal did not take them",
		     (unsigned long long)untold);
	record_number(&about, "TRUSTGATE_LOST", untold);
	if (deliver(&about))
		journal.lost_told = journal.lost;
}

void journal_note(int priority, const char *format, ...)
{
	struct record record;
	va_list arguments;

	va_start(arguments, format);
	begin(&record, priority, NULL, format, arguments);
	va_end(arguments);
	record_send(&record);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	const struct queued *former = journal.first;

	(void)source;
	(void)usec;
	(void)userdata;
	flush_queue();
	if (!journal.first)
		return 0;
	/* Quick while it is taken, seldom while nobody takes it. */
	if (journal.first != former)
		journal.retry_usec = RETRY_MIN_USEC;
	else if (journal.retry_usec < RETRY_MAX_USEC)
		journal.retry_usec *= 2;
	return set_retry();
}

int journal_attach(sd_event *event)
{
	int r;

	r = sd_event_add_time_relative(event, &journal.retry, CLOCK_MONOTONIC, 0, 1,
				       on_retry, NULL);
	return r < 0 ? r : 0;
}

void journal_detach(void)
{
	journal.retry = sd_event_source_disable_unref(journal.retry);
}

void journal_close(void)
{
	const struct timespec pause = { .tv_nsec = RETRY_MIN_USEC * 1000 };
	struct queued *queued;

	flush_queue();
	/* Nobody depends on this process any more, so it may wait a little. */
	for (int i = 0; journal.first && i < LAST_ATTEMPTS; i++) {
		nanosleep(&pause, NULL);
		flush_queue();
	}
	while ((queued = journal.first)) {
		journal.first = queued->next;
		free(queued);
	}
	journal.last = NULL;
	journal.queue_bytes = 0;
	if (journal.fd >= 0)
		close(journal.fd);
	journal.fd = -1;
}
