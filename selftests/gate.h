/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate - the fixture of the tests: an agent, protected volumes, grants.
 *
 * Owns: what a test does as the agent, by way of libtrustgate, and cleaning up
 * after a test, also one that died. The process that calls gate_open() is the
 * agent; being the agent gives no access, so it serves as a subject, too.
 *
 * Must not own: what is tested.
 *
 * A test's fixture:
 *
 *	FIXTURE(open) {
 *		struct gate gate;
 *		struct volume volume;
 *	};
 *	FIXTURE_SETUP(open)
 *	{
 *		GATE_OPEN(&self->gate);
 *		ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
 *	}
 *	FIXTURE_TEARDOWN_PARENT(open)
 *	{
 *		gate_clean();
 *	}
 *
 * What fails unexpectedly says so on standard error, so that a test need only
 * ASSERT_EQ(0, ...). After volume_make() the volume's root is the current
 * directory: relative names serve open(2) and grants alike.
 */
#ifndef _GATE_H
#define _GATE_H

#include <libtrustgate/trustgate.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "disk.h"

#define GATE_READ	TRUSTGATE_ACCESS_READ
#define GATE_WRITE	TRUSTGATE_ACCESS_WRITE
#define GATE_EXEC	TRUSTGATE_ACCESS_EXEC
#define GATE_NAMES	TRUSTGATE_ACCESS_NAMES
#define GATE_META	TRUSTGATE_ACCESS_META
#define GATE_ALL	(GATE_READ | GATE_WRITE | GATE_EXEC | GATE_NAMES | \
			 GATE_META)

#define GATE_SECOND_NS	UINT64_C(1000000000)

/**
 * gate_patience() - how long may something take here?
 * @seconds: how long it may take on a stock kernel, be the machine emulated
 *
 * What is slower by design, such as a kernel that checks all memory, comes with
 * a factor in TRUSTGATE_PATIENCE; see run.
 *
 * Return: seconds.
 */
unsigned int gate_patience(unsigned int seconds);

/*
 * Time limits of tests are such, too, and 30 s are short on an emulated
 * machine. For who includes the harness before this.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT gate_patience(60)
#undef TEST_F_TIMEOUT
#define TEST_F_TIMEOUT(fixture_name, test_name, seconds)		\
	__TEST_F_IMPL(fixture_name, test_name, -1, gate_patience(seconds))

/* The secret by which the tests, and only they, bind. */
extern const uint8_t gate_secret[TRUSTGATE_SECRET_LEN];

/**
 * struct gate - the agent
 * @conn: bound; for requests that are expected to fail, among others
 * @events_from_boottime_ns: gate_wait_event() passes over what happened
 *	earlier; a new agent is told what an earlier test's was not
 * @why: why the tests cannot run here, if gate_open() said so
 */
struct gate {
	struct trustgate_conn *conn;
	uint64_t events_from_boottime_ns;
	char why[256];
};

/**
 * struct volume - a filesystem of the tests' own, protected or not
 * @disk: the filesystem; its root has the directories
 *	db (files a, b; directory sub with file c) and other (file x)
 * @name: as a volume; begins with "selftest-"
 * @id: as a volume, 0 while it is not protected
 */
struct volume {
	struct disk disk;
	char name[32];
	uint32_t id;
};

/**
 * gate_open() - become the agent, loading the module if need be
 * @gate: filled
 *
 * Return: 0; -ECANCELED if the tests cannot run on this host as it is, and
 * @why says why; another -errno after saying what failed.
 */
int gate_open(struct gate *gate);

/**
 * gate_open_idle() - become the agent and leave nothing protected
 * @gate: filled
 *
 * As gate_open() and then gate_go_idle(), without attaching hooks in between.
 *
 * Return: as gate_open().
 */
int gate_open_idle(struct gate *gate);

/* In a FIXTURE_SETUP or a test: go on as the agent, or skip, or fail. */
#define GATE_OPEN(gate)							\
	do {								\
		int gate_err = gate_open(gate);				\
									\
		if (gate_err == -ECANCELED)				\
			SKIP(return, "%s", (gate)->why);		\
		ASSERT_EQ(0, gate_err);					\
	} while (0)

/* In a test: wait for @condition as long as anything may take. */
#define EVENTUALLY(condition)						\
	do {								\
		unsigned int _left = gate_patience(30) * 20;		\
									\
		while (!(condition) && _left--)				\
			usleep(50000);					\
		EXPECT_TRUE(condition);					\
	} while (0)

/**
 * gate_close() - stop being the agent
 * @gate: open
 */
void gate_close(struct gate *gate);

/**
 * gate_clean() - unprotect and remove whatever tests have left
 */
void gate_clean(void);

/**
 * gate_go_idle() - leave nothing protected
 * @gate: open
 *
 * Attaching and detaching all hooks takes seconds on a slow machine, so a
 * small volume of the fixture's own stays protected from test to test. This is
 * for tests that it would disturb.
 *
 * Return: 0 or -errno.
 */
int gate_go_idle(struct gate *gate);

/**
 * gate_now_ns() - the clock of grants
 *
 * Return: CLOCK_BOOTTIME.
 */
uint64_t gate_now_ns(void);

/**
 * gate_sleep_until() - sleep until CLOCK_BOOTTIME has come
 * @boottime_ns: when
 */
void gate_sleep_until(uint64_t boottime_ns);

/**
 * volume_make() - make a filesystem with some files; change into it
 * @volume: filled
 * @slot: 0 and up
 * @fstype: "ext4", "xfs" or "tmpfs"
 *
 * Return: 0 or -errno.
 */
int volume_make(struct volume *volume, unsigned int slot, const char *fstype);

/**
 * volume_protect() - bring it under protection
 * @gate: open
 * @volume: made, not protected
 *
 * Return: 0 or -errno.
 */
int volume_protect(struct gate *gate, struct volume *volume);

/**
 * volume_protect_with() - bring it under protection with settings
 * @gate: open
 * @volume: made, not protected
 * @settings: NULL for the kernel's defaults
 *
 * Return: 0 or -errno.
 */
int volume_protect_with(struct gate *gate, struct volume *volume,
			const struct trustgate_volume_settings *settings);

/**
 * volume_unprotect() - end its grants and its protection
 * @gate: open
 * @volume: protected
 *
 * Return: 0 or -errno.
 */
int volume_unprotect(struct gate *gate, struct volume *volume);

/**
 * volume_count() - how often checks on a volume have ended so
 * @gate: open
 * @volume: protected
 * @cause: enum trustgate_cause
 *
 * Return: count since it was protected.
 */
uint64_t volume_count(struct gate *gate, const struct volume *volume,
		      uint32_t cause);

/**
 * gate_request() - a grant for this process on a file, as a start
 * @volume: protected
 * @path: file, relative to the volume's root
 * @access: mask of GATE_*
 *
 * Return: a request for an hour, to be changed at will.
 */
struct trustgate_grant_request gate_request(const struct volume *volume,
					    const char *path, uint32_t access);

/**
 * gate_grant() - give a grant
 * @gate: open
 * @request: what
 *
 * Return: its id, or 0 after saying what was wrong.
 */
uint64_t gate_grant(struct gate *gate,
		    const struct trustgate_grant_request *request);

/**
 * gate_grant_file() - give an hour's grant on one file
 * @gate: open
 * @volume: protected
 * @pid: subject
 * @path: file
 * @access: mask of GATE_*
 *
 * Return: its id, or 0.
 */
uint64_t gate_grant_file(struct gate *gate, const struct volume *volume,
			 pid_t pid, const char *path, uint32_t access);

/**
 * gate_grant_tree() - give an hour's grant on a directory and all below
 * @gate: open
 * @volume: protected
 * @pid: subject
 * @path: directory
 * @access: mask of GATE_*
 *
 * Return: its id, or 0.
 */
uint64_t gate_grant_tree(struct gate *gate, const struct volume *volume,
			 pid_t pid, const char *path, uint32_t access);

/**
 * gate_revoke() - end a grant
 * @gate: open
 * @id: of gate_grant()
 *
 * Return: 0 or -errno.
 */
int gate_revoke(struct gate *gate, uint64_t id);

/**
 * gate_revoke_all() - end all grants on a volume
 * @gate: open
 * @volume: protected
 *
 * Return: 0 or -errno.
 */
int gate_revoke_all(struct gate *gate, const struct volume *volume);

/**
 * gate_forget_events() - have gate_wait_event() pass over what happened before
 * @gate: open
 */
void gate_forget_events(struct gate *gate);

/**
 * gate_wait_event() - take the agent's next event of a type, dropping others
 * @gate: open
 * @type: enum trustgate_event_type
 * @event: filled if there was one
 *
 * Return: 0, or -ETIMEDOUT after some seconds.
 */
int gate_wait_event(struct gate *gate, uint32_t type,
		    struct trustgate_event *event);

#endif /* _GATE_H */
