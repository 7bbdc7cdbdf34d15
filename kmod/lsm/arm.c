// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - loading the programs and hanging them into the hooks; see arm.h.
 *
 * Programs and links are kept as files. A descriptor exists only for moments,
 * in the table of the worker, because bpf(2) speaks in descriptors. All state
 * but the mask is touched on the worker only, which runs one errand at a time.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bpf.h>
#include <linux/cgroup.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/rcupdate_trace.h>

#include "../compat.h"
#include "../core/arm.h"
#include "../hooks.h"
#include "arm.h"
#include "files.lskel.h"
#include "host.lskel.h"
#include "looks.lskel.h"
#include "worker.h"

/* How long to wait for others to give a link back. */
#define BORROWED_MS	1000
#define BORROWED_POLL_MS 10

/* The skeletons, one for each part of the list. */
enum part {
	PART_files,
	PART_host,
	PART_looks,
};

/**
 * struct placed - one hook
 * @name: as in the list, which is the kernel's name of the hook
 * @set: TRUSTGATE_SET_* that attaches it
 * @type: how it is attached
 * @part: skeleton that loads its program
 * @fd: where the skeleton has the descriptor of the program, in bytes
 * @prog: the loaded program, or NULL
 * @link: what keeps the program attached, or NULL
 * @counted: what @link is a file of; valid as long as @link is held
 */
struct placed {
	const char *name;
	unsigned int set;
	enum bpf_attach_type type;
	enum part part;
	size_t fd;
	struct file *prog;
	struct file *link;
	const struct bpf_link *counted;
};

#define PLACED(part_, name_, set_, type_)				\
	[TRUSTGATE_HOOK_##name_] = {					\
		.name = #name_,						\
		.set = TRUSTGATE_SET_##set_,				\
		.type = type_,						\
		.part = PART_##part_,					\
		.fd = offsetof(struct trustgate_##part_,		\
			       progs.name_.prog_fd),			\
	},
#define FILES_LSM(name, set, ...)	PLACED(files, name, set, BPF_LSM_MAC)
#define FILES_DEVICE(name, set)		PLACED(files, name, set, BPF_CGROUP_DEVICE)
#define HOST_LSM(name, set, ...)	PLACED(host, name, set, BPF_LSM_MAC)
#define HOST_DEVICE(name, set)		PLACED(host, name, set, BPF_CGROUP_DEVICE)
#define LOOKS_LSM(name, set, ...)	PLACED(looks, name, set, BPF_LSM_MAC)
#define LOOKS_DEVICE(name, set)		PLACED(looks, name, set, BPF_CGROUP_DEVICE)

static struct placed hooks[] = {
	TRUSTGATE_HOOKS_FILES(FILES_LSM, FILES_LSM, FILES_DEVICE)
	TRUSTGATE_HOOKS_HOST(HOST_LSM, HOST_LSM, HOST_DEVICE)
	TRUSTGATE_HOOKS_LOOKS(LOOKS_LSM, LOOKS_LSM, LOOKS_DEVICE)
};

#define ONE(...)	+ 1
/* What libbpf's loader has room for. */
static_assert((TRUSTGATE_HOOKS_FILES(ONE, ONE, ONE)) <= 32);
static_assert((TRUSTGATE_HOOKS_HOST(ONE, ONE, ONE)) <= 32);
static_assert((TRUSTGATE_HOOKS_LOOKS(ONE, ONE, ONE)) <= 32);

static_assert(ARRAY_SIZE(hooks) == TRUSTGATE_HOOK_COUNT);
static_assert(TRUSTGATE_HOOK_COUNT <= 64);

static atomic64_t attached = ATOMIC64_INIT(0);

/* What of the kernel's configuration the way in needs. */
static const struct {
	const char *option;
	bool on;
} needs[] = {
	{ "CONFIG_BPF_LSM", IS_ENABLED(CONFIG_BPF_LSM) },
	{ "CONFIG_CGROUP_BPF", IS_ENABLED(CONFIG_CGROUP_BPF) },
	{ "CONFIG_BPF_JIT", IS_ENABLED(CONFIG_BPF_JIT) },
	{ "CONFIG_DEBUG_INFO_BTF", IS_ENABLED(CONFIG_DEBUG_INFO_BTF) },
	{ "CONFIG_DEBUG_INFO_BTF_MODULES",
	  IS_ENABLED(CONFIG_DEBUG_INFO_BTF_MODULES) },
	{ "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
	  IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS) },
};

static int check_kernel(void)
{
	int err = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		if (needs[i].on)
			continue;
		pr_err("this kernel was built without %s\n", needs[i].option);
		err = -EOPNOTSUPP;
	}
	return err;
}

static void explain_load(int err)
{
	switch (err) {
	case -ESRCH:
	case -ENOENT:
		pr_err("cannot load the BPF programs: %pe; the kernel has no such hook, or trustgate_core has no BTF: see that /sys/kernel/btf/trustgate_core exists, which needs vmlinux and pahole where the modules are built\n",
		       ERR_PTR(err));
		break;
	case -ENOMEM:
		pr_err("cannot load the BPF programs: out of memory\n");
		break;
	case -ENOTSUPP:
		pr_err("cannot load the BPF programs: %pe; their compiler is off (`sysctl net.core.bpf_jit_enable=1` switches it on), or it lacked memory\n",
		       ERR_PTR(err));
		break;
	case -EPERM:
		pr_err("cannot load the BPF programs: %pe; another security module forbids the kernel to load them\n",
		       ERR_PTR(err));
		break;
	default:
		pr_err("cannot load the BPF programs: %pe; the modules do not fit this kernel or each other: build both from one tree for the running kernel, with a pahole no older than it\n",
		       ERR_PTR(err));
		break;
	}
}

/*
 * Bring a descriptor's file into our hands and close the descriptor. @fd is
 * not above 0 for a program that was not loaded.
 */
static struct file *take(int fd)
{
	struct file *file;

	if (fd <= 0)
		return NULL;
	file = fget(fd);
	close_fd(fd);
	return file;
}

static void drop_progs(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (hooks[i].prog)
			__fput_sync(hooks[i].prog);
		hooks[i].prog = NULL;
	}
}

/* Have the loaded programs of a skeleton as files. */
static int take_progs(void *skel, enum part part)
{
	int err = 0;
	int *fd;
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (hooks[i].part != part)
			continue;
		fd = skel + hooks[i].fd;
		hooks[i].prog = take(*fd);
		*fd = 0;
		if (!hooks[i].prog)
			err = -ENOENT;
	}
	return err;
}

#define LOAD(part)							\
static int load_##part(void)						\
{									\
	struct trustgate_##part *skel = trustgate_##part##__open();	\
	int err;							\
									\
	if (!skel)							\
		return -ENOMEM;						\
	err = trustgate_##part##__load(skel) ?:				\
	      take_progs(skel, PART_##part);				\
	trustgate_##part##__destroy(skel);				\
	return err;							\
}

LOAD(files)
LOAD(host)
LOAD(looks)

static int load(void *unused)
{
	int guard_fd;
	int err;

	/* A skeleton takes descriptor 0 for none, so keep 0 busy. */
	guard_fd = get_unused_fd_flags(O_CLOEXEC);
	if (guard_fd < 0)
		return guard_fd;

	trustgate_loader_begin();
	err = load_files() ?: load_host() ?: load_looks();
	trustgate_loader_end();
	if (err)
		drop_progs();
	/* A kernel thread closes late: see the loader's own programs gone. */
	flush_delayed_fput();
	put_unused_fd(guard_fd);
	if (err)
		explain_load(err);
	/* The compiler's own error, which no C library has words for. */
	return err == -ENOTSUPP ? -EOPNOTSUPP : err;
}

int trustgate_arm_load(void)
{
	return check_kernel() ?: trustgate_worker_run(load, NULL);
}

/*
 * A mount of the hierarchy in the first cgroup namespace sets its options, so
 * it has to be given those that it has.
 */
static void copy_cgroup_options(char *options, size_t size)
{
	static const struct {
		unsigned int flag;
		const char *option;
	} known[] = {
		{ CGRP_ROOT_NS_DELEGATE, "nsdelegate" },
		{ CGRP_ROOT_FAVOR_DYNMODS, "favordynmods" },
		{ CGRP_ROOT_MEMORY_LOCAL_EVENTS, "memory_localevents" },
		{ CGRP_ROOT_MEMORY_RECURSIVE_PROT, "memory_recursiveprot" },
		{ CGRP_ROOT_MEMORY_HUGETLB_ACCOUNTING,
		  "memory_hugetlb_accounting" },
		{ CGRP_ROOT_PIDS_LOCAL_EVENTS, "pids_localevents" },
	};
	size_t length = 0;
	int i;

	options[0] = '\0';
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (READ_ONCE(cgrp_dfl_root.flags) & known[i].flag)
			length += scnprintf(options + length, size - length,
					    "%s%s", length ? "," : "",
					    known[i].option);
	}
}

/* The root of the unified hierarchy, wherever it is mounted, or nowhere. */
static struct file *open_root_cgroup(void)
{
	struct file_system_type *type = get_fs_type("cgroup2");
	char options[128];
	struct path root;
	struct file *file;

	if (!type)
		return ERR_PTR(-ENODEV);
	copy_cgroup_options(options, sizeof(options));
	root.mnt = vfs_kern_mount(type, SB_KERNMOUNT, type->name, options);
	module_put(type->owner);
	if (IS_ERR(root.mnt))
		return ERR_CAST(root.mnt);
	root.dentry = root.mnt->mnt_root;
	file = dentry_open(&root, O_RDONLY | O_DIRECTORY, current_cred());
	/* The file keeps what it needs of it. */
	kern_unmount(root.mnt);
	return file;
}

/* What a program of this type is attached to; 0 for a hook it was loaded for. */
static int open_target(const struct placed *hook)
{
	struct file *file;
	int fd;

	if (hook->type != BPF_CGROUP_DEVICE)
		return 0;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = open_root_cgroup();
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/* Busy: our last link of the hook is still borrowed; see sole_holder(). */
static int create_link(struct placed *hook)
{
	struct bpf_link *counted;
	unsigned int waited_ms;
	int target_fd;
	int guard_fd;
	int prog_fd;
	int link_fd;

	guard_fd = get_unused_fd_flags(O_CLOEXEC);
	if (guard_fd < 0)
		return guard_fd;

	prog_fd = get_unused_fd_flags(O_CLOEXEC);
	if (prog_fd < 0) {
		put_unused_fd(guard_fd);
		return prog_fd;
	}
	fd_install(prog_fd, get_file(hook->prog));

	target_fd = open_target(hook);
	if (target_fd < 0) {
		close_fd(prog_fd);
		put_unused_fd(guard_fd);
		return target_fd;
	}

	for (waited_ms = 0; ; waited_ms += BORROWED_POLL_MS) {
		link_fd = skel_link_create(prog_fd, target_fd, hook->type);
		if (link_fd != -EBUSY || waited_ms >= BORROWED_MS)
			break;
		msleep(BORROWED_POLL_MS);
	}

	if (target_fd)
		close_fd(target_fd);
	close_fd(prog_fd);
	put_unused_fd(guard_fd);
	if (link_fd < 0)
		return link_fd;

	counted = bpf_link_get_from_fd(link_fd);
	if (IS_ERR(counted)) {
		close_fd(link_fd);
		return PTR_ERR(counted);
	}
	hook->counted = counted;
	hook->link = take(link_fd);
	bpf_link_put(counted);
	if (!hook->link)
		return -EBADF;
	atomic64_or(BIT_ULL(hook - hooks), &attached);
	return 0;
}

/*
 * Is nobody else holding the link? Who may list BPF links can turn the number
 * of one into a descriptor, as `bpftool link` does for each it shows.
 */
static bool sole_holder(const struct placed *hook)
{
	return file_count(hook->link) == 1 &&
	       atomic64_read(&hook->counted->refcnt) == 1;
}

static bool wait_sole_holder(const struct placed *hook)
{
	unsigned int waited_ms;

	for (waited_ms = 0; !sole_holder(hook); waited_ms += BORROWED_POLL_MS) {
		if (waited_ms >= BORROWED_MS)
			return false;
		msleep(BORROWED_POLL_MS);
	}
	return true;
}

/* The last reference detaches, here and now, which fput() would put off. */
static void drop_link(struct placed *hook)
{
	__fput_sync(hook->link);
	hook->link = NULL;
	hook->counted = NULL;
	atomic64_andnot(BIT_ULL(hook - hooks), &attached);
}

/*
 * A detached program is gone from the code path, but a task that entered the
 * path before may be about to call it: asleep in another program of the same
 * hook (Tasks Trace RCU), then anywhere on the way (Tasks RCU), where it can
 * be preempted but does not sleep. Programs on a cgroup run in plain RCU.
 */
static void wait_calls_over(void)
{
	synchronize_rcu();
	synchronize_rcu_tasks_trace();
	synchronize_rcu_tasks();
}

static int attach_sets(void *argument)
{
	unsigned int sets = *(unsigned int *)argument;
	u64 before = atomic64_read(&attached);
	int err;
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		if (!(hooks[i].set & sets) || hooks[i].link)
			continue;
		err = create_link(&hooks[i]);
		if (err)
			goto unwind;
	}
	return 0;

unwind:
	pr_err("cannot attach to hook %s: %pe\n", hooks[i].name, ERR_PTR(err));
	if (err == -EBUSY)
		pr_err("somebody else has attached this module's program: see `bpftool link`\n");
	while (i--) {
		if (hooks[i].link && !(before & BIT_ULL(i)))
			drop_link(&hooks[i]);
	}
	wait_calls_over();
	return err;
}

int trustgate_arm_attach(unsigned int sets)
{
	return trustgate_worker_run(attach_sets, &sets);
}

static int detach_sets(void *argument)
{
	unsigned int sets = *(unsigned int *)argument;
	int i;

	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--) {
		if (!(hooks[i].set & sets) || !hooks[i].link)
			continue;
		if (wait_sole_holder(&hooks[i]))
			drop_link(&hooks[i]);
		else
			pr_warn("hook %s stays attached: somebody holds BPF link %u\n",
				hooks[i].name, hooks[i].counted->id);
	}
	wait_calls_over();
	return 0;
}

void trustgate_arm_detach(unsigned int sets)
{
	trustgate_worker_run(detach_sets, &sets);
}

int trustgate_arm_again(enum trustgate_hook hook)
{
	if (hooks[hook].link)
		drop_link(&hooks[hook]);
	return create_link(&hooks[hook]);
}

void *trustgate_arm_target(enum trustgate_hook hook)
{
	const struct bpf_tracing_link *link =
		container_of(hooks[hook].counted, struct bpf_tracing_link,
			     link.link);

	return link->trampoline->func.addr;
}

u64 trustgate_arm_attached(void)
{
	return atomic64_read(&attached);
}

static int unload(void *unused)
{
	int i;

	/* Whoever still holds a link holds the program and the engine, too. */
	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--) {
		if (hooks[i].link)
			drop_link(&hooks[i]);
	}
	drop_progs();
	/*
	 * Until they are freed they hold the other module. Those that may sleep
	 * are freed later than the rest.
	 */
	rcu_barrier_tasks_trace();
	rcu_barrier();
	return 0;
}

void trustgate_arm_unload(void)
{
	trustgate_worker_run(unload, NULL);
}
