/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trusteed - records for the system journal.
 *
 * Owns: the way to journald, the count of what it did not take.
 *
 * Must not own: what is worth recording (report.c and whoever acts).
 *
 * sd_journal_send(3) waits while journald's queue is full. The agent must not:
 * journald itself may hang on a protected volume, and only the agent could
 * release it. So this speaks the journal's native protocol on a socket that
 * never blocks, keeps what journald does not take at once, and counts what is
 * lost.
 */
#ifndef _TRUSTEED_JOURNAL_H
#define _TRUSTEED_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

#include <systemd/sd-event.h>

/* MESSAGE_ID= of what an operator may want to select, listed in trusteed(8). */
#define MESSAGE_ID_DENIED		"710b354031744d1e8e5a2924afeef303"
#define MESSAGE_ID_ALLOWED		"7989efb4b10a424cae2401a1ba3e362c"
#define MESSAGE_ID_SUPPRESSED		"9816d0816058498fb40e1a6fc0a92f77"
#define MESSAGE_ID_GRANT_ADDED		"8a74beb38bd1415eaa129480322ea378"
#define MESSAGE_ID_GRANT_ENDED		"8f6a899d2917464cb1a20deac788e76d"
#define MESSAGE_ID_MAPPINGS		"5d2e0b7f41ce4c1b9f0a7c3e6b8d92a4"
#define MESSAGE_ID_SUPERVISION		"c023f58c67c340649a1f1bc00d5ab6d2"
#define MESSAGE_ID_GRANT_REFUSED	"25dda400142a4359ba72a3b47cd11776"
#define MESSAGE_ID_REQUEST		"3c1f4d2a90b7436e8a5dc8f02be7714d"
#define MESSAGE_ID_BREAK_GLASS		"e5b0d3c1a7f24c0d9b1e64f2c8a39d75"
#define MESSAGE_ID_OBSERVED		"6d1f0c83b5e94a7aa2f4d7e09c315b68"
#define MESSAGE_ID_VOLUME		"0a2cda2dc6d14a82b926c5f6468916b0"
#define MESSAGE_ID_VOLUME_UNPROTECTED	"381820500c51475bbbb57afc721aaeb2"
#define MESSAGE_ID_AGENT		"a84e7c386f094e179964e3283f7a76fa"
#define MESSAGE_ID_LOST			"5388bbc75d424d89ab9c113b53615f44"
#define MESSAGE_ID_GATE			"0da5dfa91fa24da9806833fb0ace0016"

#define RECORD_SIZE	8192
/* Kept free for the field that says that others did not fit. */
#define RECORD_RESERVE	64

/**
 * struct record - a journal record being put together
 * @buffer: fields in the journal's native form
 * @used: bytes of it
 * @message: where in @buffer the text of MESSAGE= is
 * @message_length: its length
 * @priority: LOG_...
 *
 * A field that does not fit is left out and TRUSTGATE_CUT=1 says so.
 */
struct record {
	size_t used;
	size_t message;
	size_t message_length;
	int priority;
	bool cut;
	char buffer[RECORD_SIZE];
};

/* Returns 0 or -errno; without a journal everything goes to standard error. */
int journal_open(const char *socket_path);
/* Delivers what it can of the rest within a second. */
void journal_close(void);

/* From here on what journald does not take at once is sent later. */
int journal_attach(sd_event *event);
/* Before the event loop is let go. */
void journal_detach(void);

void record_begin(struct record *record, int priority, const char *message_id,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
void record_text(struct record *record, const char *field, const char *text);
void record_number(struct record *record, const char *field, uint64_t number);
void record_send(struct record *record);

/* A record with a text only. */
void journal_note(int priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
