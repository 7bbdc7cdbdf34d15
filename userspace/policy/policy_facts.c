// SPDX-License-Identifier: GPL-2.0-only
/*
 * trustgate - what a policy wants to know of a live process, see policy_facts.h.
 *
 * Owns: what is read of /proc/PID and the program's file.
 *
 * Must not own: what the facts decide.
 *
 * Each fact starts as unknown and stays so on any failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fsverity.h>
#include <openssl/evp.h>
#include <systemd/sd-login.h>

#include "policy_facts.h"
#include "process_entry.h"

static const char deleted[] = " (deleted)";

/* ---- the program's file ---- */

/* What a link of a process's own says, ended by NUL; false if it does not fit. */
static bool read_link(int proc, const char *name, char text[PATH_MAX])
{
	int link = process_entry_file(proc, name, O_PATH | O_NOFOLLOW);
	ssize_t length;

	if (link < 0)
		return false;
	length = readlinkat(link, "", text, PATH_MAX);
	close(link);
	if (length <= 0 || length == PATH_MAX)
		return false;
	text[length] = '\0';
	return true;
}

/* Without opening it, which could take long. */
static void read_exe(int proc, struct policy_facts *facts)
{
	char *target = malloc(PATH_MAX);

	/* A path that may be cut off, or no path any more, is none. */
	if (target && read_link(proc, "exe", target)) {
		size_t length = strlen(target), tail = strlen(deleted);

		if (length <= tail || strcmp(target + length - tail, deleted)) {
			facts->exe = (struct policy_text_fact){ POLICY_KNOWN, target };
			return;
		}
	}
	free(target);
}

static void read_sha256(int fd, struct policy_digest_fact *fact)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned int size = 0;
	char part[65536];
	ssize_t got = -1;

	if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
		do {
			got = read(fd, part, sizeof(part));
		} while ((got < 0 && errno == EINTR) ||
			 (got > 0 && EVP_DigestUpdate(context, part, (size_t)got)));
		if (!got && EVP_DigestFinal_ex(context, fact->bytes, &size) &&
		    size == sizeof(fact->bytes))
			fact->known = POLICY_KNOWN;
	}
	EVP_MD_CTX_free(context);
}

static void read_fsverity(int fd, struct policy_digest_fact *fact)
{
	struct {
		struct fsverity_digest head;
		uint8_t bytes[POLICY_DIGEST_SIZE];
	} digest = { .head.digest_size = POLICY_DIGEST_SIZE };

	if (!ioctl(fd, FS_IOC_MEASURE_VERITY, &digest)) {
		/* With another algorithm it has no digest of the kind that is meant. */
		fact->known = POLICY_NONE;
		if (digest.head.digest_algorithm == FS_VERITY_HASH_ALG_SHA256 &&
		    digest.head.digest_size == sizeof(fact->bytes)) {
			fact->known = POLICY_KNOWN;
			memcpy(fact->bytes, digest.bytes, sizeof(fact->bytes));
		}
	} else if (errno == ENODATA || errno == ENOTTY || errno == EOPNOTSUPP ||
		   errno == EOVERFLOW) {
		fact->known = POLICY_NONE;
	}
}

/*
 * Whether reading it does not wait for another machine or a program, and ends
 * soon. A filesystem on a block device has a major number; what is known of it
 * is asked for without a word to anybody else.
 */
static bool is_soon_read(int fd)
{
	struct statx st;

	return !statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &st) &&
	       S_ISREG(st.stx_mode) && st.stx_dev_major && st.stx_size <= POLICY_FACTS_BYTES_MAX;
}

/*
 * Is this the program? It was opened by a link that something may have been
 * mounted over for just that moment. Then it has another path than the link
 * itself says, which is read without regard to mounts; a program whose own path
 * is below /proc could have the same.
 */
static bool is_program(int proc, int fd)
{
	char *says = malloc(PATH_MAX), *is = malloc(PATH_MAX), name[32];
	int self = process_entry_open(getpid());
	bool same;

	snprintf(name, sizeof(name), "fd/%d", fd);
	same = says && is && self >= 0 && read_link(proc, "exe", says) &&
	       read_link(self, name, is) && !strcmp(says, is) &&
	       strncmp(is, "/proc/", strlen("/proc/"));
	if (self >= 0)
		close(self);
	free(says);
	free(is);
	return same;
}

static void read_digests(int proc, bool soon, struct policy_facts *facts)
{
	int path = openat(proc, "exe", O_PATH | O_CLOEXEC);
	int fd = -1;

	/* It is looked at before it is opened, as that alone may wait. */
	if (path >= 0 && (!soon || is_soon_read(path)))
		fd = openat(proc, "exe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (path >= 0)
		close(path);
	if (fd < 0)
		return;
	if (is_program(proc, fd) && (!soon || is_soon_read(fd))) {
		read_sha256(fd, &facts->sha256);
		read_fsverity(fd, &facts->fsverity);
	}
	close(fd);
}

/* ---- users ---- */

static void read_users(int proc, struct policy_facts *facts)
{
	FILE *login = process_entry_text(proc, "loginuid");
	FILE *status = process_entry_text(proc, "status");
	char line[256];
	unsigned int uid;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Uid: %u", &uid) == 1)
			facts->user = (struct policy_user_fact){ POLICY_KNOWN, uid };
	if (login && fscanf(login, "%u", &uid) == 1) {
		if (uid == UINT_MAX)
			facts->login_user.known = POLICY_NONE;
		else
			facts->login_user = (struct policy_user_fact){ POLICY_KNOWN, uid };
	}
	if (status)
		fclose(status);
	if (login)
		fclose(login);
}

/* ---- unit and control group ---- */

static void read_cgroup(int proc, struct policy_text_fact *fact)
{
	FILE *file = process_entry_text(proc, "cgroup");
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	/* That of the unified hierarchy; the line may hold anything but its end. */
	while (file && (length = getline(&line, &size, file)) > 0) {
		size_t tail = strlen(deleted);

		if (line[length - 1] == '\n')
			line[--length] = '\0';
		if (strncmp(line, "0::/", 4) ||
		    ((size_t)length > tail && !strcmp(line + length - tail, deleted)))
			continue;
		fact->text = strdup(line + 3);
		fact->known = fact->text ? POLICY_KNOWN : POLICY_UNKNOWN;
		break;
	}
	free(line);
	if (file)
		fclose(file);
}

static void read_unit(pid_t pid, struct policy_text_fact *fact)
{
	char *unit = NULL;
	int r = sd_pid_get_unit(pid, &unit);

	if (r >= 0)
		*fact = (struct policy_text_fact){ POLICY_KNOWN, unit };
	else if (r == -ENODATA || r == -ENXIO)
		fact->known = POLICY_NONE;
}

int policy_facts_read(pid_t pid, enum policy_digests digests, struct policy_facts *facts)
{
	int proc = process_entry_open(pid);
	struct stat st;

	if (proc < 0)
		return proc;
	read_exe(proc, facts);
	if (digests != POLICY_DIGESTS_NONE)
		read_digests(proc, digests == POLICY_DIGESTS_SOON, facts);
	read_users(proc, facts);
	read_unit(pid, &facts->unit);
	read_cgroup(proc, &facts->cgroup);
	/* It was made of the same file, which was the process's own a moment later. */
	if (facts->cgroup.known == POLICY_UNKNOWN) {
		free((char *)facts->unit.text);
		facts->unit = (struct policy_text_fact){ 0 };
	}
	/* While the process is there, its number means no other one. */
	if (fstatat(proc, "status", &st, 0)) {
		close(proc);
		return -ESRCH;
	}
	close(proc);
	return 0;
}

void policy_facts_clear(struct policy_facts *facts)
{
	free((char *)facts->exe.text);
	free((char *)facts->unit.text);
	free((char *)facts->cgroup.text);
	facts->exe = facts->unit = facts->cgroup = (struct policy_text_fact){ 0 };
}
