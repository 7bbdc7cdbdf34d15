// SPDX-License-Identifier: GPL-2.0-only
/*
 * posix_lock - rows: locks and leases, and what else fcntl(2) does.
 *
 * Owns: flock, POSIX and OFD locks, leases, flags of descriptors.
 *
 * Must not own: signals of directories (posix_command.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

static int by_flock(void)
{
	int fd = open("f", O_RDONLY);

	note("shared by another", flock(fd, LOCK_SH | LOCK_NB));
	note("exclusive by another", flock(fd, LOCK_EX | LOCK_NB));
	return 0;
}

static void flocks(int unused)
{
	static const int kinds[] = { LOCK_SH, LOCK_EX, LOCK_UN, 99 };
	unsigned int i;
	int fd, dir;

	make("f");
	fd = note_fd("open", open("f", O_WRONLY));
	for (i = 0; i < 4; i++) {
		note("flock", flock(fd, kinds[i] | LOCK_NB));
		in_child("another", by_flock);
	}
	dir = note_fd("directory", open(".", O_RDONLY));
	note("flock", flock(dir, LOCK_EX | LOCK_NB));
	note("of a path", flock(open("f", O_PATH), LOCK_SH));
}

static int lock(int fd, int command, int type, long start, long length)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET,
		.l_start = start, .l_len = length,
	};

	return fcntl(fd, command, &range) ?: range.l_type;
}

static int commands[2];

static int by_lock(void)
{
	int fd = open("f", O_RDWR);

	note("get", lock(fd, commands[0], F_WRLCK, 0, 0));
	note("get behind", lock(fd, commands[0], F_WRLCK, 100, 5));
	note("read", lock(fd, commands[1], F_RDLCK, 0, 4));
	note("write", lock(fd, commands[1], F_WRLCK, 0, 4));
	note("write behind", lock(fd, commands[1], F_WRLCK, 100, 5));
	return 0;
}

static void ranges(int owned_by_file)
{
	int fd, reads, dir;

	commands[0] = owned_by_file ? F_OFD_GETLK : F_GETLK;
	commands[1] = owned_by_file ? F_OFD_SETLK : F_SETLK;
	make("f");
	fd = note_fd("open", open("f", O_RDWR));
	reads = note_fd("open to read", open("f", O_RDONLY));
	dir = note_fd("directory", open(".", O_RDONLY));
	note("read lock", lock(fd, commands[1], F_RDLCK, 0, 10));
	in_child("another", by_lock);
	note("write lock", lock(fd, commands[1], F_WRLCK, 2, 3));
	in_child("another", by_lock);
	note("again", lock(open("f", O_RDWR), commands[1], F_WRLCK, 2, 3));
	note("unlock", lock(fd, commands[1], F_UNLCK, 0, 0));
	in_child("another", by_lock);
	note("write lock on what reads", lock(reads, commands[1], F_WRLCK, 0,
					      1));
	note("odd kind", lock(fd, commands[1], 99, 0, 1));
	note("odd range", lock(fd, commands[1], F_RDLCK, -5, 1));
	note("of a directory", lock(dir, commands[1], F_RDLCK, 0, 1));
	note("lockf", lockf(fd, F_TLOCK, 5));
	note("lockf, test", lockf(fd, F_TEST, 5));
}

static volatile int broken;

static void lease_broken(int unused)
{
	broken++;
}

static int breaker(void)
{
	note_fd("to read", open("f", O_RDONLY | O_NONBLOCK));
	note_fd("to write", open("f", O_RDWR | O_NONBLOCK));
	note("truncate", access("f", W_OK));
	return 0;
}

static void leases(int unused)
{
	int fd;

	make("f");
	signal(SIGIO, lease_broken);
	broken = 0;
	fd = note_fd("open", open("f", O_RDONLY));
	note("write lease of what reads", fcntl(fd, F_SETLEASE, F_WRLCK));
	note("read lease", fcntl(fd, F_SETLEASE, F_RDLCK));
	note("get", fcntl(fd, F_GETLEASE));
	in_child("break", breaker);
	note("broken", broken > 0);
	note("get", fcntl(fd, F_GETLEASE));
	note("give up", fcntl(fd, F_SETLEASE, F_UNLCK));
	close(fd);
	fd = note_fd("open", open("f", O_RDWR));
	note("write lease", fcntl(fd, F_SETLEASE, F_WRLCK));
	in_child("break", breaker);
	note("give up", fcntl(fd, F_SETLEASE, F_UNLCK));
	note("read lease of what writes", fcntl(fd, F_SETLEASE, F_RDLCK));
	close(fd);
	fd = note_fd("another's", open("../theirs/f", O_RDONLY));
	note("lease", fcntl(fd, F_SETLEASE, F_RDLCK));
	close(fd);
	fd = note_fd("directory", open(".", O_RDONLY));
	note("lease", fcntl(fd, F_SETLEASE, F_RDLCK));
	close(fd);
	signal(SIGIO, SIG_DFL);
}

static void flags(int unused)
{
	uint64_t hint = RWH_WRITE_LIFE_SHORT;
	int fd, twin;

	make("f");
	fd = note_fd("open", open("f", O_RDWR));
	note("getfd", fcntl(fd, F_GETFD));
	note("setfd", fcntl(fd, F_SETFD, FD_CLOEXEC));
	note("getfl", fcntl(fd, F_GETFL));
	note("setfl", fcntl(fd, F_SETFL, O_NONBLOCK | O_NOATIME));
	note("getfl", fcntl(fd, F_GETFL));
	note("direct", fcntl(fd, F_SETFL, O_DIRECT));
	note("async", fcntl(fd, F_SETFL, O_ASYNC));
	note("setown", fcntl(fd, F_SETOWN, getpid()));
	note("setsig", fcntl(fd, F_SETSIG, SIGUSR1));
	note("seals", fcntl(fd, F_GET_SEALS));
	note("pipe size", fcntl(fd, F_GETPIPE_SZ));
	note("hint", fcntl(fd, F_SET_RW_HINT, &hint));
	note("get hint", fcntl(fd, F_GET_RW_HINT, &hint));
	note("odd", fcntl(fd, 9999));
	twin = note_fd("dup", fcntl(fd, F_DUPFD_CLOEXEC, 100));
	note("setfl", fcntl(fd, F_SETFL, O_APPEND));
	note("getfl of the other", fcntl(twin, F_GETFL));
	note("write", write(twin, "ab", 2));
	see("f");
}

static const struct posix_row rows[] = {
	{ "flock", flocks, 0, 0 },
	{ "POSIX locks", ranges, 0, 0 },
	{ "OFD locks", ranges, 1, 0 },
	{ "leases", leases, 0, 0 },
	{ "fcntl", flags, 0, 0 },
};

const struct posix_group posix_lock = POSIX_GROUP(rows);
