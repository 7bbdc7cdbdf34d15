// SPDX-License-Identifier: GPL-2.0-only
/*
 * Benchmark - the operations that are measured; see operation.h.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "operation.h"

#define PAGE 4096

/* No libc on the way: its part would differ from version to version. */
static __attribute__((always_inline)) inline long
call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long result;

	asm volatile("syscall"
		     : "=a"(result)
		     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
		       "r"(r9)
		     : "rcx", "r11", "memory");
	return result;
}

static const char file_name[] = "f";
static const char new_name[] = "n";
static const char other_name[] = "o";
static char byte;
static int fd;

static long sys_open(const char *name, int flags)
{
	return call(SYS_open, (long)name, flags, 0600, 0, 0, 0);
}

static long sys_close(long file)
{
	return call(SYS_close, file, 0, 0, 0, 0, 0);
}

static long sys_unlink(const char *name)
{
	return call(SYS_unlink, (long)name, 0, 0, 0, 0, 0);
}

static void close_result(long result)
{
	if (result >= 0)
		sys_close(result);
}

static void unlink_new(long result)
{
	(void)result;
	if (sys_unlink(new_name))
		errx(1, "cannot remove what was made");
}

static void prepare_fd(void)
{
	fd = open(file_name, O_RDWR);
	if (fd < 0)
		err(1, "open %s", file_name);
}

static void finish_fd(void)
{
	close(fd);
}

static long run_open(void)
{
	return sys_open(file_name, O_RDONLY);
}

const struct operation operation_open = {
	.name = "open",
	.run = run_open,
	.after = close_result,
};

const struct operation operation_open_denied = {
	.name = "open, denied",
	.run = run_open,
	.after = close_result,
	.denied = true,
};

static char next_name[8] = "0";

static long run_open_next(void)
{
	return sys_open(next_name, O_RDONLY);
}

static void go_to_next(long result)
{
	static unsigned int next;

	close_result(result);
	next = (next + 1) % OPERATION_FILES;
	snprintf(next_name, sizeof(next_name), "%u", next);
}

const struct operation operation_open_next = {
	.name = "open of another file",
	.run = run_open_next,
	.after = go_to_next,
};

static long run_open_close(void)
{
	long result = sys_open(file_name, O_RDONLY);

	return result < 0 ? result : sys_close(result);
}

const struct operation operation_open_close = {
	.name = "open+close",
	.run = run_open_close,
};

static long run_pread(void)
{
	return call(SYS_pread64, fd, (long)&byte, 1, 0, 0, 0);
}

const struct operation operation_pread = {
	.name = "pread",
	.prepare = prepare_fd,
	.run = run_pread,
	.finish = finish_fd,
};

static long run_pwrite(void)
{
	return call(SYS_pwrite64, fd, (long)&byte, 1, 0, 0, 0);
}

const struct operation operation_pwrite = {
	.name = "pwrite",
	.prepare = prepare_fd,
	.run = run_pwrite,
	.finish = finish_fd,
};

static void unmap(long result)
{
	if (result > 0)
		call(SYS_munmap, result, PAGE, 0, 0, 0, 0);
}

static long run_mmap(void)
{
	return call(SYS_mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
}

const struct operation operation_mmap = {
	.name = "mmap of a file",
	.prepare = prepare_fd,
	.run = run_mmap,
	.after = unmap,
	.finish = finish_fd,
};

static long run_mmap_anonymous(void)
{
	return call(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static const struct operation operation_mmap_anonymous = {
	.name = "mmap of memory",
	.run = run_mmap_anonymous,
	.after = unmap,
};

static void close_and_unlink_new(long result)
{
	close_result(result);
	unlink_new(result);
}

static long run_create(void)
{
	return sys_open(new_name, O_RDWR | O_CREAT | O_EXCL);
}

static const struct operation operation_create = {
	.name = "create",
	.run = run_create,
	.after = close_and_unlink_new,
};

static void create_new(void)
{
	close_result(run_create());
}

static void create_new_again(long result)
{
	(void)result;
	create_new();
}

static void remove_new(void)
{
	unlink_new(0);
}

static long run_unlink(void)
{
	return sys_unlink(new_name);
}

static const struct operation operation_unlink = {
	.name = "unlink",
	.prepare = create_new,
	.run = run_unlink,
	.after = create_new_again,
	.finish = remove_new,
};

static long run_link(void)
{
	return call(SYS_link, (long)file_name, (long)new_name, 0, 0, 0, 0);
}

static const struct operation operation_link = {
	.name = "link",
	.run = run_link,
	.after = unlink_new,
};

static long run_symlink(void)
{
	return call(SYS_symlink, (long)file_name, (long)new_name, 0, 0, 0, 0);
}

static const struct operation operation_symlink = {
	.name = "symlink",
	.run = run_symlink,
	.after = unlink_new,
};

static long run_mknod(void)
{
	return call(SYS_mknod, (long)new_name, S_IFIFO | 0600, 0, 0, 0, 0);
}

static const struct operation operation_mknod = {
	.name = "mknod",
	.run = run_mknod,
	.after = unlink_new,
};

static long run_rename(void)
{
	return call(SYS_rename, (long)new_name, (long)other_name, 0, 0, 0, 0);
}

static void rename_back(long result)
{
	(void)result;
	if (call(SYS_rename, (long)other_name, (long)new_name, 0, 0, 0, 0))
		errx(1, "cannot rename back");
}

static const struct operation operation_rename = {
	.name = "rename",
	.prepare = create_new,
	.run = run_rename,
	.after = rename_back,
	.finish = remove_new,
};

static long run_mkdir(void)
{
	return call(SYS_mkdir, (long)new_name, 0700, 0, 0, 0, 0);
}

static long run_rmdir(void)
{
	return call(SYS_rmdir, (long)new_name, 0, 0, 0, 0, 0);
}

static void rmdir_new(long result)
{
	(void)result;
	if (run_rmdir())
		errx(1, "cannot remove what was made");
}

static const struct operation operation_mkdir = {
	.name = "mkdir",
	.run = run_mkdir,
	.after = rmdir_new,
};

static void prepare_rmdir(void)
{
	run_mkdir();
}

static void mkdir_again(long result)
{
	(void)result;
	run_mkdir();
}

static void finish_rmdir(void)
{
	rmdir_new(0);
}

static const struct operation operation_rmdir = {
	.name = "rmdir",
	.prepare = prepare_rmdir,
	.run = run_rmdir,
	.after = mkdir_again,
	.finish = finish_rmdir,
};

static long run_chmod(void)
{
	return call(SYS_chmod, (long)file_name, 0644, 0, 0, 0, 0);
}

static const struct operation operation_chmod = {
	.name = "chmod",
	.run = run_chmod,
};

const struct operation *const operations_everywhere[] = {
	&operation_open_close,
	&operation_pread,
	&operation_pwrite,
	&operation_mmap,
	&operation_mmap_anonymous,
	&operation_create,
	&operation_unlink,
	&operation_link,
	&operation_symlink,
	&operation_mknod,
	&operation_rename,
	&operation_mkdir,
	&operation_rmdir,
	&operation_chmod,
	NULL
};
