// SPDX-License-Identifier: GPL-2.0-only
/*
 * trusteed - the secret by which the kernel knows this agent again.
 *
 * Owns: the file "secret" in the state directory.
 *
 * Must not own: showing it to anybody but the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "journal.h"

#define FILE_NAME	"secret"
#define NEW_NAME	"secret.new"

static int read_secret(int directory, const char *where, uint8_t *secret)
{
	uint8_t buffer[TRUSTGATE_SECRET_LEN + 1];
	struct stat st;
	ssize_t n;
	int fd, r = 0;

	fd = openat(directory, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		r = -errno;
	} else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		   (st.st_mode & (S_IRWXG | S_IRWXO))) {
		journal_note(LOG_CRIT,
			     "%s/" FILE_NAME " could have been read by others: it must be a file of user %u with mode 0600",
			     where, (unsigned int)geteuid());
		r = -EPERM;
	} else {
		n = read(fd, buffer, sizeof(buffer));
		if (n < 0) {
			r = -errno;
		} else if (n != TRUSTGATE_SECRET_LEN) {
			journal_note(LOG_CRIT,
				     "%s/" FILE_NAME " is damaged: it has not exactly %d bytes",
				     where, TRUSTGATE_SECRET_LEN);
			r = -EBADMSG;
		} else {
			memcpy(secret, buffer, TRUSTGATE_SECRET_LEN);
		}
	}
	explicit_bzero(buffer, sizeof(buffer));
	close(fd);
	return r;
}

/* Complete on disk under its name, or not there at all, whenever power fails. */
static int make_secret(int directory, uint8_t *secret)
{
	int fd, r = 0;

	if (getrandom(secret, TRUSTGATE_SECRET_LEN, 0) != TRUSTGATE_SECRET_LEN)
		return errno ? -errno : -EIO;
	fd = openat(directory, NEW_NAME,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) < 0)
		r = -errno;
	else if (write(fd, secret, TRUSTGATE_SECRET_LEN) != TRUSTGATE_SECRET_LEN)
		r = -EIO;
	else if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && renameat(directory, NEW_NAME, directory, FILE_NAME) < 0)
		r = -errno;
	if (r == 0 && fsync(directory) < 0)
		r = -errno;
	return r;
}

int secret_load(const char *directory, uint8_t secret[TRUSTGATE_SECRET_LEN])
{
	int fd, r;

	if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		journal_note(LOG_CRIT, "cannot make %s: %s", directory, strerror(-r));
		return r;
	}
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		journal_note(LOG_CRIT, "cannot open %s: %s", directory, strerror(-r));
		return r;
	}
	r = read_secret(fd, directory, secret);
	if (r == -ENOENT)
		r = make_secret(fd, secret);
	if (r < 0)
		journal_note(LOG_CRIT, "no secret in %s: %s", directory, strerror(-r));
	close(fd);
	return r;
}
