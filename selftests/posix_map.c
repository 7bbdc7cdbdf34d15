// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_map - rows: files as memory.
 *
 * Owns: mmap(2), mprotect(2), mremap(2), msync(2), madvise(2), and faults.
 *
 * Must not own: execution of programs (posix_program.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

#define PAGE	4096

static void *map(const char *what, int prot, int flags, int fd)
{
	char *memory = mmap(NULL, 2 * PAGE, prot, flags, fd, 0);

	note(what, memory == MAP_FAILED ? -1 : 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static int touched_at;

static int touch(void)
{
	volatile char *memory = map("map", PROT_READ | PROT_WRITE, MAP_SHARED,
				    open("f", O_RDWR));

	if (!memory)
		return 99;
	if (touched_at < 0)
		memory[0] = 'x';
	else
		return memory[touched_at];
	return 0;
}

static void kinds(int unused)
{
	static const int opens[] = { O_RDONLY, O_WRONLY, O_RDWR, O_PATH };
	static const int types[] = {
		MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE,
		MAP_SHARED | MAP_POPULATE, MAP_PRIVATE | MAP_LOCKED,
		MAP_SHARED_VALIDATE | MAP_SYNC, MAP_SHARED | MAP_NORESERVE, 0,
	};
	unsigned int o, t;
	int prot, add, fd;
	char what[48];
	void *memory;

	make("f");
	for (o = 0; o < 4; o++) {
		fd = note_fd("open", open("f", opens[o]));
		for (t = 0; t < sizeof(types) / sizeof(*types); t++) {
			for (prot = 0; prot < 8; prot++) {
				snprintf(what, sizeof(what), "%d %x %x",
					 opens[o], types[t], prot);
				memory = map(what, prot, types[t], fd);
				if (!memory)
					continue;
				for (add = 1; add < 8; add++)
					note("mprotect",
					     mprotect(memory, PAGE, add));
				munmap(memory, 2 * PAGE);
			}
		}
		close(fd);
	}
}

static void use(int unused)
{
	unsigned char present[2] = {};
	char *shared, *private, text[16];
	struct stat info;
	int fd, status;

	make("f");
	note("size", truncate("f", 2 * PAGE));
	fd = note_fd("open", open("f", O_RDWR));
	shared = map("shared", PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	private = map("private", PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	if (!shared || !private)
		return;
	memcpy(shared, "SH", 2);
	memcpy(private + 2, "PR", 2);
	note_text("shared", shared, 10);
	note_text("private", private, 10);
	note_text("read", text, pread(fd, text, 10, 0));
	note("msync", msync(shared, PAGE, MS_SYNC));
	note("msync, both", msync(shared, PAGE, MS_SYNC | MS_ASYNC));
	note("msync, odd", msync(shared + 1, PAGE, MS_SYNC));
	see("f");
	note("write", pwrite(fd, "WR", 2, 4));
	note_text("shared", shared, 10);
	note("mincore", mincore(shared, PAGE, present));
	note("mlock", mlock(shared, PAGE));
	note("munlock", munlock(shared, PAGE));
	note("willneed", madvise(shared, PAGE, MADV_WILLNEED));
	note("dontneed", madvise(private, PAGE, MADV_DONTNEED));
	note_text("private", private, 10);
	note("remove", madvise(shared, PAGE, MADV_REMOVE));
	note_text("shared", shared, 4);
	note("populate", madvise(shared, PAGE, MADV_POPULATE_WRITE));
	note("advice, odd", madvise(shared, PAGE, 77));
	note("grow", mremap(shared, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) ==
	     MAP_FAILED ? -1 : 0);
	note("unlink", unlink("f"));
	private[0] = 'x';
	note_text("private", private, 4);
	note("links", fstat(fd, &info) ?: (long)info.st_nlink);
	close(fd);
	make("f");
	for (touched_at = -1; touched_at <= PAGE; touched_at += PAGE + 1)
		in_child("touch", touch);
	touched_at = PAGE;
	in_child("touch behind the end", touch);
	note("shorter", truncate("f", 0));
	touched_at = 0;
	in_child("touch nothing", touch);
	status = munmap(private, 2 * PAGE);
	note("munmap", status);
	note("munmap, odd", munmap(private + 1, PAGE));
	note("mprotect of nothing", mprotect(private, PAGE, PROT_READ));
}

static void others(int unused)
{
	int dir, fifo, fd;

	note("mkdir", mkdir("d", 0755));
	note("mkfifo", mkfifo("p", 0600));
	make("f");
	dir = note_fd("open d", open("d", O_RDONLY));
	fifo = note_fd("open p", open("p", O_RDWR));
	fd = note_fd("open f", open("f", O_RDWR));
	map("directory", PROT_READ, MAP_SHARED, dir);
	map("fifo", PROT_READ, MAP_SHARED, fifo);
	map("nothing", PROT_READ, MAP_SHARED, -1);
	note("odd offset", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1) ==
	     MAP_FAILED ? -1 : 0);
	note("no length", mmap(NULL, 0, PROT_READ, MAP_SHARED, fd, 0) ==
	     MAP_FAILED ? -1 : 0);
	note("far behind", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd,
				INT64_MAX - PAGE + 1) == MAP_FAILED ? -1 : 0);
}

static const struct posix_row rows[] = {
	{ "mmap and mprotect", kinds, 0, 0 },
	{ "use of mappings", use, 0, 0 },
	{ "mmap of others", others, 0, 0 },
};

const struct posix_group posix_map = POSIX_GROUP(rows);
