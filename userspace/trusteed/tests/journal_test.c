// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records on their way to a journald that is busy, gone, or back again.
 *
 * Owns: a socket in place of journald's.
 *
 * Must not own: what records say.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "check.h"
#include "journal.h"

static char directory[] = "/tmp/trusteed-journal-XXXXXX";
static char path[sizeof(directory) + 8];
static sd_event *event;

static int listen_here(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(path);
	memcpy(address.sun_path, path, sizeof(path));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		abort();
	return fd;
}

static void begin(void)
{
	if (journal_open(path) || sd_event_new(&event) < 0 || journal_attach(event))
		abort();
}

static void end(void)
{
	journal_detach();
	event = sd_event_unref(event);
	journal_close();
}

/* The number in the text of the next record; -1 if none comes, -2 for another. */
static long next_number(int fd)
{
	static const char begins[] = "MESSAGE\n";
	char bytes[16384];
	ssize_t length = -1;
	long number;

	for (int i = 0; i < 100 && length < 0; i++) {
		length = recv(fd, bytes, sizeof(bytes) - 1, 0);
		/* The agent's loop has its turn. */
		if (length < 0)
			sd_event_run(event, 20000);
	}
	if (length < 0)
		return -1;
	bytes[length] = '\0';
	if (strncmp(bytes, begins, sizeof(begins) - 1))
		return -2;
	/* Behind it the length, eight bytes. */
	return sscanf(bytes + sizeof(begins) - 1 + 8, "number %ld", &number) == 1 ? number : -2;
}

static void check_numbers(int fd, long first, long last)
{
	long wrong = 0;

	for (long i = first; i <= last; i++)
		wrong += next_number(fd) != i;
	CHECK_EQUAL(wrong, 0);
}

static void test_busy(void)
{
	int fd = listen_here();

	begin();
	/* Far more than a socket takes. */
	for (long i = 0; i < 1000; i++)
		journal_note(LOG_INFO, "number %ld", i);
	check_numbers(fd, 0, 999);
	journal_note(LOG_INFO, "number %d", 1000);
	check_numbers(fd, 1000, 1000);
	CHECK_EQUAL(next_number(fd), -1);
	end();
	close(fd);
}

static void test_restarted(void)
{
	int fd = listen_here();

	begin();
	journal_note(LOG_INFO, "number 0");
	check_numbers(fd, 0, 0);
	close(fd);
	journal_note(LOG_INFO, "number 1");
	unlink(path);
	journal_note(LOG_INFO, "number 2");
	fd = listen_here();
	check_numbers(fd, 1, 2);

	/* What waits when the agent ends is not lost either. */
	close(fd);
	journal_note(LOG_INFO, "number 3");
	fd = listen_here();
	end();
	CHECK_EQUAL(journal_open(path), 0);
	CHECK_EQUAL(sd_event_new(&event) < 0, 0);
	check_numbers(fd, 3, 3);
	event = sd_event_unref(event);
	journal_close();
	close(fd);
}

static void test_overflow(void)
{
	static char text[7000];
	struct record record;
	long taken = 0, number;
	int fd;

	memset(text, 'x', sizeof(text) - 1);
	unlink(path);
	begin();
	for (long i = 0; i < 6000; i++) {
		record_begin(&record, LOG_INFO, NULL, "number %ld", i);
		record_text(&record, "TEXT", text);
		record_send(&record);
	}
	fd = listen_here();
	while ((number = next_number(fd)) == taken)
		taken++;
	/* 32 MiB of records of some seven KiB each. */
	CHECK(taken > 4000 && taken < 6000);
	CHECK_EQUAL(number, -1);
	journal_note(LOG_INFO, "number 1");
	check_numbers(fd, 1, 1);
	/* How many were lost is told. */
	CHECK_EQUAL(next_number(fd), -2);
	end();
	close(fd);
}

int main(void)
{
	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/socket", directory);
	test_busy();
	test_restarted();
	test_overflow();
	unlink(path);
	rmdir(directory);
	return check_end();
}
