// SPDX-License-Identifier: GPL-2.0-only
/*
 * foreign_bpf_test - what root can do to the gate by bpf(2).
 *
 * Owns: that links of the gate are neither detached nor changed by who holds
 * one, and that programs of others cannot ask the gate.
 *
 * Must not own: bpf(2) on anything that is not the gate's.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

/* All that any kernel has. */
#define TRUSTGATE_HAVE_INODE_FILE_SETATTR
#define TRUSTGATE_HAVE_INODE_FILE_GETATTR
#define TRUSTGATE_HAVE_MMAP_BACKING_FILE
#include "../kmod/hooks.h"
#include "module.h"
#include "stage.h"

#define PIN		"/sys/fs/bpf/trustgate-selftest"
#define LINKS_MAX	64

/* The gate's programs are named after its hooks; systemd's LSM one is not. */
#define NAME(name, ...) #name,

static const char *const hooks[] = {
	TRUSTGATE_HOOKS(NAME, NAME, NAME)
};

FIXTURE(foreign_bpf) {
	struct stage stage;
	unsigned int count;
	int links[LINKS_MAX];
	char here[256];
};

static int bpf(int command, union bpf_attr *attr)
{
	long got = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return got < 0 ? -errno : (int)got;
}

static int info_of(int fd, void *info, uint32_t length)
{
	union bpf_attr attr = {};

	memset(info, 0, length);
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = length;
	attr.info.info = (uintptr_t)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static int program_of(int link)
{
	struct bpf_link_info info;
	union bpf_attr attr = {};
	int err;

	err = info_of(link, &info, sizeof(info));
	if (err)
		return err;
	attr.prog_id = info.prog_id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

/* Whose link this is. */
static bool is_of_gate(int link)
{
	struct bpf_link_info info;
	struct bpf_prog_info program;
	bool known = false;
	int fd;

	if (info_of(link, &info, sizeof(info)) ||
	    info.type != BPF_LINK_TYPE_TRACING ||
	    info.tracing.attach_type != BPF_LSM_MAC)
		return false;
	fd = program_of(link);
	if (fd < 0)
		return false;
	if (!info_of(fd, &program, sizeof(program)))
		for (unsigned int i = 0; i < ARRAY_SIZE(hooks); i++)
			/* The kernel cuts long names. */
			known |= !strncmp(hooks[i], program.name,
					  sizeof(program.name) - 1);
	close(fd);
	return known;
}

/* Descriptors of all links of the gate. */
static unsigned int open_links(int links[LINKS_MAX])
{
	unsigned int count = 0;
	union bpf_attr attr;
	uint32_t id = 0;
	int fd;

	for (;;) {
		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (bpf(BPF_LINK_GET_NEXT_ID, &attr))
			return count;
		id = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.link_id = id;
		fd = bpf(BPF_LINK_GET_FD_BY_ID, &attr);
		if (fd < 0)
			continue;
		if (count < LINKS_MAX && is_of_gate(fd))
			links[count++] = fd;
		else
			close(fd);
	}
}

static void close_links(const int links[LINKS_MAX], unsigned int count)
{
	while (count)
		close(links[--count]);
}

FIXTURE_SETUP(foreign_bpf)
{
	struct raw_gate gate;

	/* The programs are beside the test, which may have gone elsewhere. */
	ASSERT_LT(0, readlink("/proc/self/exe", self->here,
			      sizeof(self->here) - 1));
	*strrchr(self->here, '/') = '\0';
	STAGE_OPEN(&self->stage);
	ASSERT_EQ(0, raw_gate(&self->stage.agent, &gate));
	self->count = open_links(self->links);
	/* Else the tests below are about nothing. */
	ASSERT_LT(0, self->count);
	/* All but that of block devices, which is on a cgroup (device_test.c). */
	ASSERT_EQ(gate.hooks - 1, self->count);
}

FIXTURE_TEARDOWN_PARENT(foreign_bpf)
{
	unlink(PIN);
	stage_clean();
}

#define EXPECT_SHUT()							\
	do {								\
		EXPECT_EQ(-1, open("db/a", O_RDONLY));			\
		EXPECT_EQ(EACCES, errno);				\
		EXPECT_EQ(-1, mkdir("db/new", 0700));			\
		EXPECT_EQ(EACCES, errno);				\
	} while (0)

TEST_F(foreign_bpf, links_are_not_detached)
{
	union bpf_attr attr;

	for (unsigned int i = 0; i < self->count; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.link_detach.link_fd = (uint32_t)self->links[i];
		EXPECT_EQ(-EOPNOTSUPP, bpf(BPF_LINK_DETACH, &attr));
	}
	EXPECT_SHUT();
	close_links(self->links, self->count);
	EXPECT_SHUT();
}

/* Not even by another program of the gate's own, which would load. */
TEST_F(foreign_bpf, links_get_no_other_program)
{
	union bpf_attr attr;
	int program;

	program = program_of(self->links[0]);
	ASSERT_LE(0, program);
	for (unsigned int i = 0; i < self->count; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.link_update.link_fd = (uint32_t)self->links[i];
		attr.link_update.new_prog_fd = (uint32_t)program;
		EXPECT_EQ(-EINVAL, bpf(BPF_LINK_UPDATE, &attr));
	}
	close(program);
	EXPECT_SHUT();
}

/* Who holds a link and lets it go takes nothing away. */
TEST_F(foreign_bpf, links_survive_their_pins)
{
	union bpf_attr attr;

	for (unsigned int i = 0; i < self->count; i++) {
		memset(&attr, 0, sizeof(attr));
		attr.pathname = (uintptr_t)PIN;
		attr.bpf_fd = (uint32_t)self->links[i];
		ASSERT_EQ(0, bpf(BPF_OBJ_PIN, &attr));
		ASSERT_EQ(0, unlink(PIN));
	}
	EXPECT_SHUT();
	close_links(self->links, self->count);
	EXPECT_SHUT();
}

/* A pin keeps one hook, but neither the gate's answers nor its modules. */
TEST_F_TIMEOUT(foreign_bpf, pin_outlives_the_gate, 200)
{
	union bpf_attr attr = {};
	int links[LINKS_MAX];

	attr.pathname = (uintptr_t)PIN;
	attr.bpf_fd = (uint32_t)self->links[0];
	ASSERT_EQ(0, bpf(BPF_OBJ_PIN, &attr));
	close_links(self->links, self->count);
	ASSERT_EQ(0, raw_volume_del(&self->stage.agent,
				    self->stage.volume.id));
	raw_close(&self->stage.agent);
	ASSERT_EQ(0, chdir("/"));
	module_unload();
	EXPECT_FALSE(module_loaded("trustgate"));
	/* The program calls into the engine, so that stays. */
	EXPECT_TRUE(module_loaded("trustgate_core"));
	ASSERT_EQ(0, unlink(PIN));
	for (unsigned int i = 0; i < 100 && open_links(links); i++)
		usleep(50 * 1000);
	EXPECT_EQ(0, open_links(links));
	EXPECT_EQ(0, module_run("modprobe trustgate"));
	STAGE_OPEN(&self->stage);
	EXPECT_SHUT();
}

static bool loads(const char *directory, const char *program)
{
	int status = module_run("bpftool prog load %s/%s " PIN, directory,
				program);

	unlink(PIN);
	return !status;
}

/* A program of root's may sit in the same hook, but not ask the engine. */
TEST_F(foreign_bpf, kfuncs_are_not_for_others)
{
	if (module_run("command -v bpftool"))
		SKIP(return, "bpftool is not installed");
	EXPECT_TRUE(loads(self->here, "kfunc_free.bpf.o"));
	EXPECT_FALSE(loads(self->here, "kfunc_thief.bpf.o"));
	/* For this reason and no other. */
	EXPECT_EQ(0, module_run("bpftool prog load %s/kfunc_thief.bpf.o " PIN " 2>&1 | grep -q 'calling kernel function bpf_trustgate_file_open is not allowed'",
				self->here));
	EXPECT_NE(0, access(PIN, F_OK));
}

TEST_HARNESS_MAIN
