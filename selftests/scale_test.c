// SPDX-License-Identifier: GPL-2.0-only
/*
 * scale_test - a million live grants.
 *
 * Owns: that as many can be given as the limit says and no more, that each is
 * there and means what it should among the others, each way in which they end,
 * and that their memory is given back. What a check costs then is a matter of
 * the benchmark.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "actor.h"
#include "attempt.h"
#include "module.h"
#include "stage.h"

/* Where every allocation is followed, a million takes too long. */
#define COUNT		(1U << 20)
#define COUNT_DEBUG	(1U << 15)

#define ACTORS		64
#define FILES		256
#define MIB		(1ULL << 20)

FIXTURE(scale) {
	struct stage stage;
	struct volume lasting;
	struct actor actors[ACTORS];
	uint64_t free_bytes;
	unsigned int count;
};

static bool is_debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

/* Kernel memory that is in use; the page cache is not. */
static uint64_t used_bytes(void)
{
	static const char *const kinds[] = { "Slab", "VmallocUsed", "Percpu" };
	uint64_t sum = 0, kib;
	char line[128], name[64];
	FILE *file;

	/* What can be given back at once is not in use. */
	module_run("sync; echo 3 >/proc/sys/vm/drop_caches");
	file = fopen("/proc/meminfo", "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63[^:]: %lu kB", name, &kib) != 2)
			continue;
		for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
			sum += !strcmp(kinds[i], name) ? kib * 1024 : 0;
	}
	if (file)
		fclose(file);
	return sum;
}

static unsigned int seconds_since(uint64_t since_ns)
{
	return (unsigned int)((raw_now_ns() - since_ns) / RAW_SECOND_NS);
}

/* The agent takes its events, which would fill the test's memory. */
static void forget(struct raw_socket *socket)
{
	struct raw_event event;

	while (!raw_event_next(socket, &event, 0))
		;
}

/* Files for grants to be about, made under a grant that ends again. */
static int make_files(struct stage *stage, const struct volume *volume)
{
	struct raw_wish wish = {
		.volume = volume->id,
		.pid = getpid(),
		.kind = TRUSTGATE_OBJECT_KIND_SUBTREE,
		.access = TRUSTGATE_ACCESS_NAMES | TRUSTGATE_ACCESS_WRITE |
			  TRUSTGATE_ACCESS_META,
	};
	char path[256];
	uint64_t id;
	int err = 0;

	id = raw_grant(&stage->agent, &wish);
	for (unsigned int i = 0; i < FILES && id && !err; i++) {
		snprintf(path, sizeof(path), "%s/db/f%u", volume->disk.path, i);
		err = disk_file(path, "x", 0600);
	}
	return id ? err ?: raw_revoke(&stage->agent, id) : -errno;
}

FIXTURE_SETUP(scale)
{
	struct gate gate;
	char parameters[64];

	GATE_OPEN(&gate);
	gate_close(&gate);
	self->count = is_debug_kernel() ? COUNT_DEBUG : COUNT;
	/* Grants are what is told of; most of it would only be dropped. */
	snprintf(parameters, sizeof(parameters), "max_grants=%u max_events=16",
		 self->count);
	ASSERT_EQ(0, module_reload(parameters));
	module_log_mark();
	/* Before anything is open that they should not hold on to. */
	for (unsigned int i = 0; i < ACTORS; i++)
		ASSERT_EQ(0, actor_start(&self->actors[i]));
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, stage_volume(&self->stage, &self->lasting, 1,
				  TRUSTGATE_ON_AGENT_LOSS_HOLD, 0));
	ASSERT_EQ(0, make_files(&self->stage, &self->stage.volume));
	ASSERT_EQ(0, make_files(&self->stage, &self->lasting));
	self->free_bytes = used_bytes();
}

FIXTURE_TEARDOWN_PARENT(scale)
{
	/* A test that gave up is still the agent. */
	stage_clean();
	if (module_reload(""))
		fprintf(stderr, "# the module keeps its limits\n");
	gate_clean();
}

/*
 * Give grants numbered from @first on, in full requests: each actor gets READ
 * on each file, and on every eighth turn META on all below db. Tickets are as
 * long as they may be, so that it costs the most.
 */
static int fill(struct stage *stage, const struct volume *volume,
		const struct actor *actors, unsigned int first,
		unsigned int count, uint64_t until_ns)
{
	char ticket[TRUSTGATE_TICKET_MAX + 1], path[32];
	unsigned int given, i, number;
	struct raw_wish wish;
	int err = 0;

	memset(ticket, 'x', sizeof(ticket) - 1);
	ticket[sizeof(ticket) - 1] = '\0';
	for (given = 0; given < count && !err; given += i) {
		raw_begin(stage->message, &stage->agent,
			  TRUSTGATE_CMD_GRANT_ADD);
		for (i = 0; i < TRUSTGATE_BATCH_MAX && given + i < count; i++) {
			bool tree;

			number = first + given + i;
			tree = number / (ACTORS * FILES) % 8 == 7;
			snprintf(path, sizeof(path), "db/f%u",
				 number / ACTORS % FILES);
			wish = (struct raw_wish){
				.volume = volume->id,
				.pid = actors[number % ACTORS].pid,
				.kind = tree ? TRUSTGATE_OBJECT_KIND_SUBTREE :
					       TRUSTGATE_OBJECT_KIND_FILE,
				.path = tree ? "db" : path,
				.access = tree ? TRUSTGATE_ACCESS_META :
						 TRUSTGATE_ACCESS_READ,
				.ticket = ticket,
				.tag = number + 1,
				.for_ns = until_ns - raw_now_ns(),
			};
			raw_put_wish(stage->message, &wish);
		}
		err = raw_ask(&stage->agent, stage->message, stage->answer) ?:
		      stage->answer->error;
		forget(&stage->agent);
	}
	if (err)
		fprintf(stderr, "# grants from %u on: %s (%s)\n", first + given,
			stage->answer->text, strerror(-err));
	return err;
}

/* What a dump has shown, of those that have a number. */
struct seen {
	uint64_t last_id;
	uint64_t count;
	uint64_t tags;
	uint64_t disordered;
};

static void see(const void *attrs, size_t length, void *context)
{
	const struct nlattr *tag = raw_find(attrs, length,
					    TRUSTGATE_A_GRANT_TAG);
	uint64_t id = raw_u64(raw_find(attrs, length, TRUSTGATE_A_GRANT_ID));
	struct seen *seen = context;

	seen->disordered += id <= seen->last_id;
	seen->last_id = id;
	if (!tag || !raw_u64(tag))
		return;
	seen->count++;
	seen->tags += raw_u64(tag);
}

/* What another process saw while grants came and went. */
struct watched {
	struct seen seen;
	bool interrupted;
	bool over;
	int err;
};

static void list_all(struct watched *watched)
{
	struct raw_message *message = malloc(sizeof(*message));
	struct raw_socket reader;

	watched->err = raw_open(&reader);
	if (!watched->err) {
		raw_begin(message, &reader, TRUSTGATE_CMD_GRANT_GET);
		watched->err = raw_dump(&reader, message, see, &watched->seen,
					&watched->interrupted, NULL);
	}
	__atomic_store_n(&watched->over, true, __ATOMIC_RELEASE);
	_exit(0);
}

/* Send the request to end some; how many ended, or -errno. */
static int64_t end_them(struct stage *stage)
{
	if (raw_ask(&stage->agent, stage->message, stage->answer))
		return -EIO;
	if (stage->answer->error)
		return stage->answer->error;
	return (int64_t)raw_u64(raw_find(stage->answer->reply,
					 stage->answer->length,
					 TRUSTGATE_A_REVOCATION_ENDED));
}

/* What one attribute selects. */
static int64_t end_selected(struct stage *stage, uint16_t type, uint32_t value)
{
	raw_begin(stage->message, &stage->agent, TRUSTGATE_CMD_GRANT_DEL);
	raw_put_u32(stage->message, type, value);
	return end_them(stage);
}

static int64_t end_ids(struct stage *stage, uint64_t first, unsigned int count)
{
	raw_begin(stage->message, &stage->agent, TRUSTGATE_CMD_GRANT_DEL);
	for (unsigned int i = 0; i < count; i++)
		raw_put_u64(stage->message, TRUSTGATE_A_REVOCATION_ID,
			    first + i);
	return end_them(stage);
}

TEST_F_TIMEOUT(scale, a_million_grants, 1400)
{
	struct stage *stage = &self->stage;
	struct raw_socket *agent = &stage->agent;
	struct actor *holder = &self->actors[1];
	const unsigned int count = self->count, half = count / 2;
	uint64_t began_ns, until_ns, spent_ns, longest_ns = 0, asked_ns;
	uint64_t first_id, taken_bytes, live;
	struct watched *watched;
	struct actor stranger;
	struct raw_wish wish;
	struct raw_gate gate;
	char brief[256], lasting[256];
	pid_t lister;
	int64_t ended;

	snprintf(brief, sizeof(brief), "%s/db/f0", stage->volume.disk.path);
	snprintf(lasting, sizeof(lasting), "%s/db/f0", self->lasting.disk.path);
	watched = mmap(NULL, sizeof(*watched), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, watched);
	ASSERT_EQ(0, actor_start(&stranger));

	/* Numbers are given in order. */
	wish = stage_wish(stage, "db/f1", TRUSTGATE_ACCESS_READ);
	first_id = raw_grant(agent, &wish) + 1;
	ASSERT_LT(1, first_id);
	ASSERT_EQ(0, raw_revoke(agent, 0));

	/* Half of them are for hours; the others all expire at one moment. */
	began_ns = raw_now_ns();
	ASSERT_EQ(0, fill(stage, &self->lasting, self->actors, 0, half,
			  began_ns + 7 * 3600 * RAW_SECOND_NS));
	spent_ns = raw_now_ns() - began_ns;
	until_ns = raw_now_ns() + 4 * spent_ns + 40 * RAW_SECOND_NS;
	ASSERT_EQ(0, fill(stage, &stage->volume, self->actors, half, half,
			  until_ns));
	TH_LOG("%u grants given in %u s", count, seconds_since(began_ns));

	ASSERT_EQ(0, raw_gate(agent, &gate));
	EXPECT_EQ(count, gate.grants);
	EXPECT_EQ(count, gate.grants_max);
	EXPECT_EQ(ACTORS, gate.subjects);
	taken_bytes = used_bytes() - self->free_bytes;
	TH_LOG("%lu MiB of at most %lu MiB taken",
	       (unsigned long)(taken_bytes / MIB),
	       (unsigned long)(gate.grants_bytes_max / MIB));
	if (!is_debug_kernel()) {
		EXPECT_LT(count * 200ULL, taken_bytes);
		EXPECT_GE(gate.grants_bytes_max, taken_bytes);
	}

	/* Full is full, says so, and nothing of a request is done. */
	raw_begin(stage->message, agent, TRUSTGATE_CMD_GRANT_ADD);
	raw_put_wish(stage->message, &wish);
	ASSERT_EQ(0, raw_ask(agent, stage->message, stage->answer));
	EXPECT_EQ(-ENOSPC, stage->answer->error);
	EXPECT_STREQ("table of grants is full; raise the module parameter max_grants",
		     stage->answer->text);
	EXPECT_EQ(EACCES, attempt_read(brief, 0));

	/* Among all of them each finds its own, and no other's. */
	EXPECT_EQ(0, actor_do(holder, attempt_read, brief, 0));
	EXPECT_EQ(0, actor_do(holder, attempt_read, lasting, 0));
	EXPECT_EQ(EACCES, actor_do(holder, attempt_open, lasting, O_WRONLY));
	EXPECT_EQ(EACCES, actor_do(&stranger, attempt_read, brief, 0));
	EXPECT_EQ(EACCES, actor_do(&stranger, attempt_read, lasting, 0));

	/* By numbers: the first request's. They make room for what follows. */
	ended = end_ids(stage, first_id, TRUSTGATE_BATCH_MAX);
	ASSERT_EQ(TRUSTGATE_BATCH_MAX, ended);
	live = count - TRUSTGATE_BATCH_MAX;

	/* Listed while others come and go: all that stay, each once. */
	lister = fork();
	ASSERT_LE(0, lister);
	if (!lister)
		list_all(watched);
	began_ns = raw_now_ns();
	while (!__atomic_load_n(&watched->over, __ATOMIC_ACQUIRE)) {
		uint64_t id = raw_grant(agent, &wish);

		ASSERT_NE(0, id);
		ASSERT_EQ(0, raw_revoke(agent, id));
		forget(agent);
	}
	ASSERT_EQ(lister, waitpid(lister, NULL, 0));
	TH_LOG("listed in %u s", seconds_since(began_ns));
	EXPECT_EQ(0, watched->err);
	EXPECT_TRUE(watched->interrupted);
	EXPECT_EQ(0, watched->seen.disordered);
	EXPECT_EQ(live, watched->seen.count);
	EXPECT_EQ(((uint64_t)count * (count + 1) -
		   TRUSTGATE_BATCH_MAX * (TRUSTGATE_BATCH_MAX + 1)) / 2,
		  watched->seen.tags);

	/* One process's, which are on both volumes. */
	began_ns = raw_now_ns();
	ended = end_selected(stage, TRUSTGATE_A_REVOCATION_PID,
			     (uint32_t)self->actors[2].pid);
	EXPECT_EQ((count - TRUSTGATE_BATCH_MAX) / ACTORS, ended);
	live -= (uint64_t)ended;
	EXPECT_EQ(EACCES, actor_do(&self->actors[2], attempt_read, brief, 0));
	EXPECT_EQ(0, actor_do(holder, attempt_read, brief, 0));
	TH_LOG("one process's ended in %u s", seconds_since(began_ns));

	/* One volume's. */
	began_ns = raw_now_ns();
	ended = end_selected(stage, TRUSTGATE_A_REVOCATION_VOLUME_ID,
			     self->lasting.id);
	EXPECT_EQ(live - (half - half / ACTORS), ended);
	live -= (uint64_t)ended;
	EXPECT_EQ(EACCES, actor_do(holder, attempt_read, lasting, 0));
	EXPECT_EQ(0, actor_do(holder, attempt_read, brief, 0));
	TH_LOG("%ld of one volume ended in %u s", (long)ended,
	       seconds_since(began_ns));
	ASSERT_EQ(0, raw_gate(agent, &gate));
	EXPECT_EQ(live, gate.grants);

	/* All of the rest at the same moment, and the gate answers meanwhile. */
	ASSERT_GT(until_ns, raw_now_ns()) {
		TH_LOG("too slow to tell");
	}
	gate_sleep_until(until_ns);
	EXPECT_EQ(EACCES, actor_do(holder, attempt_read, brief, 0));
	do {
		asked_ns = raw_now_ns();
		ASSERT_EQ(0, raw_gate(agent, &gate));
		if (raw_now_ns() - asked_ns > longest_ns)
			longest_ns = raw_now_ns() - asked_ns;
		forget(agent);
	} while (gate.grants && seconds_since(until_ns) < 200);
	TH_LOG("%lu expired, gone %u s later; an answer took at most %lu ms",
	       (unsigned long)live, seconds_since(until_ns),
	       (unsigned long)(longest_ns / 1000000));
	EXPECT_EQ(0, gate.grants);
	EXPECT_EQ(0, gate.subjects);
	EXPECT_GT(20 * RAW_SECOND_NS, longest_ns);

	/*
	 * The table serves on, and its memory is free; or, with KASAN, which
	 * keeps it for a while, known to kmemleak, which is asked for leaks.
	 */
	EXPECT_NE(0, raw_grant(agent, &wish));
	ASSERT_EQ(0, raw_revoke(agent, 0));
	for (unsigned int i = 0; i < 30 && !is_debug_kernel(); i++) {
		if (used_bytes() < self->free_bytes + taken_bytes / 20)
			break;
		sleep(1);
	}
	if (!is_debug_kernel())
		EXPECT_GT(self->free_bytes + taken_bytes / 20, used_bytes());
	EXPECT_FALSE(module_logged("soft lockup"));
	EXPECT_FALSE(module_logged("self-detected stall"));
	EXPECT_FALSE(module_logged("detected stalls"));
	EXPECT_FALSE(module_logged("blocked for more than"));
	raw_close(agent);
}

TEST_HARNESS_MAIN
