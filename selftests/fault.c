// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault - make the kernel's allocations fail; see fault.h.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define DEBUGFS	"/sys/kernel/debug/"

/* More rounds than that are a loop. */
#define NTH_MAX	100000

/* There are some ten workers in a machine of two CPUs. */
#define WORKERS_MAX	128

/* Rounds without any allocation before it is believed that there is none. */
#define IDLE_MAX	4

static const char *const kinds[] = { "failslab", "fail_page_alloc" };

static unsigned long kernel_end;

static int set(const char *kind, const char *knob, const char *value)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", kind, knob);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int set_all(const char *knob, const char *value)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < 2; i++)
		err = set(kinds[i], knob, value);
	return err;
}

static int set_address(const char *knob, unsigned long address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%lx", address);
	return set_all(knob, text);
}

/* Where a symbol of the kernel begins, and where the next one does. */
static int find_symbol(const char *symbol, unsigned long *from,
		       unsigned long *to)
{
	unsigned long address, next = ~0UL;
	char line[256], name[128], type;
	FILE *file;

	*from = 0;
	file = fopen("/proc/kallsyms", "r");
	if (!file)
		return -errno;
	while (!*from && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %c %127s", &address, &type, name) == 3 &&
		    !strcmp(name, symbol))
			*from = address;
	}
	rewind(file);
	while (*from && fgets(line, sizeof(line), file)) {
		address = strtoul(line, NULL, 16);
		if (address > *from && address < next)
			next = address;
	}
	fclose(file);
	*to = next;
	return *from ? 0 : -ENOENT;
}

/*
 * kmemleak's own records are not to fail, or they would be half of all places,
 * and it switches itself off when it runs out of spare ones.
 */
static int spare_kmemleak(void)
{
	unsigned long from, to;
	int err;

	if (find_symbol("__alloc_object", &from, &to))
		return 0;
	err = set_address("reject-start", from);
	return err ? err : set_address("reject-end", to);
}

static void keep_memory(void)
{
	const size_t much = 1 << 22;
	void *memory;

	mallopt(M_MMAP_THRESHOLD, 1 << 25);
	mallopt(M_TRIM_THRESHOLD, 1 << 26);
	memory = malloc(much);
	if (memory)
		explicit_bzero(memory, much);
	free(memory);
}

bool fault_possible(void)
{
	unsigned long next;

	if (access("/proc/thread-self/fail-nth", W_OK) ||
	    set_all("ignore-gfp-wait", "N") ||
	    set("fail_page_alloc", "ignore-gfp-highmem", "N") ||
	    set("fail_page_alloc", "min-order", "0") ||
	    set_all("task-filter", "N") || set_all("interval", "1") ||
	    set_all("verbose", "0") || set_all("stacktrace-depth", "32") ||
	    find_symbol("_end", &kernel_end, &next) || spare_kmemleak())
		return false;
	/* The count would include copies to and from userspace: look nowhere. */
	set("fail_usercopy", "require-start", "1");
	set("fail_usercopy", "stacktrace-depth", "0");
	set("fail_usercopy", "verbose", "0");
	keep_memory();
	fault_off();
	return true;
}

int fault_only_modules(bool only)
{
	/* All code that is loaded lies behind the kernel's own. */
	return set_address("require-start", only ? kernel_end : 0);
}

bool fault_next(struct fault *fault)
{
	if (fault->idle)
		return fault->idle < IDLE_MAX;
	if (fault->nth && !fault->injected)
		return false;
	fault->nth += 1;
	if (fault->coarse)
		fault->nth += fault->nth / fault->coarse;
	return fault->nth < NTH_MAX;
}

static bool arm(int fd, unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	return pwrite(fd, text, strlen(text), 0) > 0;
}

/* How many allocations are left until one fails; 0 if that has been. */
static unsigned int left(int fd, unsigned int if_gone)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return if_gone;
	return (unsigned int)strtoul(text, NULL, 10);
}

static int do_here(struct fault *fault, int (*part)(void *context),
		   void *context)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	int result;

	if (fd < 0 || !arm(fd, fault->nth)) {
		perror("# fault: fail-nth");
		abort();
	}
	result = part(context);
	fault->injected = !left(fd, 0);
	/* If the first try is what failed, the second does not. */
	if (!arm(fd, 0) && !arm(fd, 0))
		abort();
	close(fd);
	return result;
}

static unsigned int find_workers(int fds[])
{
	unsigned int count = 0;
	struct dirent *entry;
	char path[64], name[32];
	long pid;
	ssize_t length;
	DIR *proc;
	int fd;

	proc = opendir("/proc");
	while (proc && count < WORKERS_MAX && (entry = readdir(proc))) {
		pid = strtol(entry->d_name, NULL, 10);
		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		length = fd < 0 ? 0 : read(fd, name, sizeof(name));
		close(fd);
		if (length < 8 || memcmp(name, "kworker/", 8))
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/task/%ld/fail-nth", pid,
			 pid);
		fds[count] = open(path, O_RDWR | O_CLOEXEC);
		count += fds[count] >= 0;
	}
	if (proc)
		closedir(proc);
	return count;
}

static int do_in_workers(struct fault *fault, int (*part)(void *context),
			 void *context)
{
	int fds[WORKERS_MAX];
	unsigned int count = find_workers(fds);
	unsigned int least = fault->nth;
	unsigned int i, now;
	int result;

	for (i = 0; i < count; i++)
		arm(fds[i], fault->nth);
	result = part(context);
	for (i = 0; i < count; i++) {
		now = left(fds[i], fault->nth);
		if (now < least)
			least = now;
		arm(fds[i], 0);
		close(fds[i]);
	}
	fault->injected = !least;
	fault->idle = least < fault->nth ? 0 : fault->idle + 1;
	return result;
}

int fault_do(struct fault *fault, int (*part)(void *context), void *context)
{
	return fault->of_workers ? do_in_workers(fault, part, context) :
				   do_here(fault, part, context);
}

bool fault_was_all(const struct fault *fault, const char *what)
{
	fprintf(stderr, "# fault: %s: %u allocations\n", what,
		fault->nth - 1);
	return fault->nth > 1 && !fault->injected && !fault->idle;
}

bool fault_is_lack(int err)
{
	/* The second is how a socket puts it. */
	return err == -ENOMEM || err == -ENOBUFS;
}

int fault_always(void)
{
	int err = fault_only_modules(true);

	err = err ? err : set_all("times", "-1");
	return err ? err : set_all("probability", "100");
}

void fault_off(void)
{
	set_all("probability", "0");
	fault_only_modules(false);
}
