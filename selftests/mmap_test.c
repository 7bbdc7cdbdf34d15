// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap_test - which mappings of files the gate lets be made.
 *
 * Owns: mmap(2) by protection, sharing and mode of the descriptor.
 *
 * Must not own: execve(2) (exec_test.c).
 */

#include "kselftest_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "attempt.h"
#include "gate.h"

FIXTURE(map) {
	struct gate gate;
	struct volume volume;
};

FIXTURE_VARIANT(map) {
	int open_flags;
	int prot;
	int flags;
	uint32_t granted;
	uint32_t asked;
};

/* @ask is what the denial's event names, 0 if the mapping is allowed. */
#define MAP(name, opened, protection, sharing, grant, ask)		\
	FIXTURE_VARIANT_ADD(map, name) {				\
		.open_flags = opened, .prot = protection,		\
		.flags = sharing, .granted = grant, .asked = ask,	\
	}

#define R	GATE_READ
#define W	GATE_WRITE
#define X	GATE_EXEC

MAP(nothing_private, O_RDONLY, PROT_READ, MAP_PRIVATE, 0, R);
MAP(nothing_none, O_RDONLY, PROT_NONE, MAP_PRIVATE, 0, R);
MAP(nothing_shared, O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, 0, R | W);
MAP(nothing_exec, O_RDONLY, PROT_EXEC, MAP_PRIVATE, 0, R | X);
MAP(read_private, O_RDONLY, PROT_READ, MAP_PRIVATE, R, 0);
/* What is written stays in the process. */
MAP(read_private_write, O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE, R, 0);
MAP(read_private_rw, O_RDWR, PROT_READ, MAP_PRIVATE, R, 0);
MAP(read_shared, O_RDONLY, PROT_READ, MAP_SHARED, R, 0);
/* mprotect(2) could make it writable. */
MAP(read_shared_rw, O_RDWR, PROT_READ, MAP_SHARED, R, R | W);
MAP(read_shared_validate, O_RDWR, PROT_READ, MAP_SHARED_VALIDATE, R, R | W);
MAP(read_exec, O_RDONLY, PROT_READ | PROT_EXEC, MAP_PRIVATE, R, R | X);
MAP(read_shared_exec, O_RDONLY, PROT_EXEC, MAP_SHARED, R, R | X);
MAP(write_shared, O_RDWR, PROT_WRITE, MAP_SHARED, W, R | W);
MAP(exec_exec, O_RDONLY, PROT_READ | PROT_EXEC, MAP_PRIVATE, X, R | X);
MAP(rw_shared, O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, R | W, 0);
MAP(rx_exec, O_RDONLY, PROT_READ | PROT_EXEC, MAP_PRIVATE, R | X, 0);
MAP(rwx_all, O_RDWR, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED,
    R | W | X, 0);

FIXTURE_SETUP(map)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
}

FIXTURE_TEARDOWN_PARENT(map)
{
	gate_clean();
}

static int attempt_map(int fd, int prot, int flags)
{
	void *memory = mmap(NULL, 4096, prot, flags, fd, 0);

	if (memory == MAP_FAILED)
		return errno;
	munmap(memory, 4096);
	return 0;
}

TEST_F(map, map)
{
	struct trustgate_event event;
	int fd;

	/* Opened before, so that only the mapping is judged. */
	fd = open("db/a", variant->open_flags | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, attempt_map(fd, variant->prot, variant->flags));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	if (variant->granted)
		ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume,
					     getpid(), "db/a",
					     variant->granted));
	EXPECT_EQ(variant->asked ? EACCES : 0,
		  attempt_map(fd, variant->prot, variant->flags));
	if (!variant->asked)
		return;
	ASSERT_EQ(0, gate_wait_event(&self->gate, TRUSTGATE_EVENT_TYPE_DENIED,
				     &event));
	EXPECT_STREQ("mmap_file", event.hook);
	EXPECT_EQ(variant->asked, event.access);
	EXPECT_EQ(variant->granted ? TRUSTGATE_CAUSE_WRONG_ACCESS :
				     TRUSTGATE_CAUSE_NO_GRANT, event.cause);
	ASSERT_NE(0, gate_grant_file(&self->gate, &self->volume, getpid(),
				     "db/a", variant->asked));
	EXPECT_EQ(0, attempt_map(fd, variant->prot, variant->flags));
}

/* Mappings and the end of grants. */

FIXTURE(end) {
	struct gate gate;
	struct volume volume;
	int fd;
	uint64_t id;
};

FIXTURE_SETUP(end)
{
	GATE_OPEN(&self->gate);
	ASSERT_EQ(0, volume_make(&self->volume, 0, "ext4"));
	ASSERT_EQ(0, volume_protect(&self->gate, &self->volume));
	self->id = gate_grant_file(&self->gate, &self->volume, getpid(),
				   "db/a", R | W);
	ASSERT_NE(0, self->id);
	self->fd = open("db/a", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN_PARENT(end)
{
	gate_clean();
}

TEST_F(end, no_new_mapping)
{
	ASSERT_EQ(0, attempt_map(self->fd, PROT_READ, MAP_SHARED));
	ASSERT_EQ(0, gate_revoke(&self->gate, self->id));
	EXPECT_EQ(EACCES, attempt_map(self->fd, PROT_READ, MAP_SHARED));
	EXPECT_EQ(EACCES, attempt_map(self->fd, PROT_READ, MAP_PRIVATE));
}

/* Memory without a file is nobody's business. */
TEST_F(end, anonymous_memory)
{
	void *memory;

	ASSERT_EQ(0, gate_revoke(&self->gate, self->id));
	memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ(0, munmap(memory, 8192));
	memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ(0, munmap(memory, 8192));
}

/*
 * No hook sees a page fault, so what was mapped stays mapped. A limit that is
 * documented: if this fails, the documentation has become wrong.
 */
TEST_F(end, mapping_outlives_grant)
{
	const char *memory;

	memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, gate_revoke(&self->gate, self->id));
	EXPECT_EQ('c', *(const volatile char *)memory);
	EXPECT_EQ(EACCES, attempt_read_fd(NULL, self->fd));
}

TEST_HARNESS_MAIN
