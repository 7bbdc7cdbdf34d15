// SPDX-License-Identifier: GPL-2.0-only
/*
 * disk - filesystems that the tests may do anything to; see disk.h.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/loop.h>

#include "disk.h"

#define IMAGES		"/var/tmp/trustgate-selftest"
#define IMAGE_BYTES	(1024L * 1024 * 1024)

/* More than a test makes. */
#define MOUNTS_MAX	16

static int complain(const char *what, const char *which, int err)
{
	fprintf(stderr, "# disk: %s %s: %s\n", what, which, strerror(-err));
	return err;
}

int disk_command(const char *const argv[])
{
	char output[4096] = "";
	ssize_t length = 0, got;
	int pipes[2], status;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(pipes[0]);
		close(pipes[1]);
		return -errno;
	}
	if (!pid) {
		dup2(pipes[1], STDOUT_FILENO);
		dup2(pipes[1], STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], output + length,
			   sizeof(output) - 1 - length)) > 0)
		length += got;
	close(pipes[0]);
	output[length] = '\0';
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	if (status)
		fprintf(stderr, "# disk: %s: status %d %s\n", argv[0], status,
			output);
	return status;
}

int disk_file(const char *path, const char *text, mode_t mode)
{
	size_t length = strlen(text);
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return complain("create", path, -errno);
	if (write(fd, text, length) != (ssize_t)length || fchmod(fd, mode))
		err = complain("write", path, -errno);
	close(fd);
	return err;
}

int disk_load_loop(void)
{
	static const char *const modprobe[] = { "modprobe", "loop", NULL };

	/* Where no device manager has made its node, nothing loads it. */
	if (access("/dev/loop-control", F_OK) && disk_command(modprobe))
		return -ENODEV;
	return 0;
}

/* A file to be used by way of a loop device. */
static int make_image(const char *path)
{
	int fd, err;

	err = disk_load_loop();
	if (err)
		return err;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return complain("create", path, -errno);
	if (ftruncate(fd, IMAGE_BYTES))
		err = complain("extend", path, -errno);
	close(fd);
	return err;
}

static int make_filesystem(const char *fstype, const char *target)
{
	/* Both smaller than one should have, but made in no time. */
	const char *const ext4[] = { "mkfs.ext4", "-q", "-F", "-E",
		"nodiscard,lazy_itable_init=1,lazy_journal_init=1",
		"-b", "4096", "-N", "2048", "-J", "size=4", target, "128M",
		NULL };
	const char *const xfs[] = { "mkfs.xfs", "-q", "-f", "-K",
		"--unsupported", "-d", "size=96m,agcount=1", "-l", "size=16m",
		target, NULL };
	const char *const btrfs[] = { "mkfs.btrfs", "-q", "-f", target, NULL };
	const char *const *argv = btrfs;

	if (!strcmp(fstype, "ext4"))
		argv = ext4;
	else if (!strcmp(fstype, "xfs"))
		argv = xfs;
	return disk_command(argv) ? -EIO : 0;
}

/* The device below a mount point, as loop devices are found by mount(8). */
static int find_device(struct disk *disk)
{
	struct mntent *entry;
	FILE *mounts;
	int err = -ENOENT;

	mounts = setmntent("/proc/self/mounts", "r");
	if (!mounts)
		return -errno;
	while ((entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_dir, disk->path))
			continue;
		snprintf(disk->device, sizeof(disk->device), "%s",
			 entry->mnt_fsname);
		err = 0;
	}
	endmntent(mounts);
	return err;
}

static bool needs_device(const char *fstype)
{
	return !strcmp(fstype, "ext4") || !strcmp(fstype, "xfs") ||
	       !strcmp(fstype, "btrfs");
}

/* What to make the filesystem on: a device, or a file to be looped. */
static void name_target(const struct disk *disk, char target[64], bool *image)
{
	static const char *const variables[] = { "TRUSTGATE_DISK",
						 "TRUSTGATE_DISK2" };
	const char *device = NULL;

	if (disk->slot < 2)
		device = getenv(variables[disk->slot]);
	*image = !device || !*device;
	if (*image)
		snprintf(target, 64, IMAGES ".%u", disk->slot);
	else
		snprintf(target, 64, "%s", device);
}

/* Is the loop device of the last mount still that of this file? */
static bool still_looped(const struct disk *disk, const char *image)
{
	const char *name = strrchr(disk->device, '/');
	char path[128], file[256] = "";
	bool same = false;
	FILE *backing;

	if (!name)
		return false;
	snprintf(path, sizeof(path), "/sys/block%s/loop/backing_file", name);
	backing = fopen(path, "re");
	if (!backing)
		return false;
	if (fgets(file, sizeof(file), backing))
		same = !strcmp(strtok(file, "\n"), image);
	fclose(backing);
	return same;
}

int disk_mount(struct disk *disk)
{
	char target[64];
	bool image;

	if (!needs_device(disk->fstype)) {
		if (mount(disk->fstype, disk->path, disk->fstype, 0, NULL))
			return complain("mount", disk->fstype, -errno);
		return 0;
	}
	name_target(disk, target, &image);
	if (image) {
		const char *const argv[] = { "mount", "-o", "loop", target,
					     disk->path, NULL };

		/* mount(8) would open it, which is not allowed on a volume. */
		if (still_looped(disk, target)) {
			if (mount(disk->device, disk->path, disk->fstype, 0,
				  NULL))
				return complain("mount", disk->device, -errno);
			return 0;
		}
		if (disk_command(argv))
			return -EIO;
		return find_device(disk);
	}
	snprintf(disk->device, sizeof(disk->device), "%s", target);
	if (mount(target, disk->path, disk->fstype, 0, NULL))
		return complain("mount", target, -errno);
	return 0;
}

/*
 * Is an ext4 mounted here, once, and as disk_mount() does it? Tests mount it
 * anew with other options, or something else over it.
 */
static bool as_made(const char *path)
{
	unsigned int mounts_here = 0;
	struct mntent *entry;
	bool usual = false;
	FILE *mounts;

	mounts = setmntent("/proc/self/mounts", "r");
	if (!mounts)
		return false;
	while ((entry = getmntent(mounts))) {
		if (strcmp(entry->mnt_dir, path))
			continue;
		mounts_here++;
		usual = !strcmp(entry->mnt_type, "ext4") &&
			!strcmp(entry->mnt_opts, "rw,relatime");
	}
	endmntent(mounts);
	return mounts_here == 1 && usual;
}

static int remove_entry(const char *path, const struct stat *info, int type,
			struct FTW *walk)
{
	return walk->level ? remove(path) : 0;
}

/* Is it as it was made, but for its files? Then it is once they are gone. */
static bool use_again(struct disk *disk)
{
	const struct timespec times[] = { { .tv_nsec = UTIME_NOW },
					  { .tv_nsec = UTIME_NOW } };

	return !strcmp(disk->fstype, "ext4") && as_made(disk->path) &&
	       !find_device(disk) &&
	       !nftw(disk->path, remove_entry, 16,
		     FTW_DEPTH | FTW_PHYS | FTW_MOUNT) &&
	       !chown(disk->path, 0, 0) && !chmod(disk->path, 0755) &&
	       !utimensat(AT_FDCWD, disk->path, times, 0);
}

int disk_make(struct disk *disk, unsigned int slot, const char *fstype)
{
	char target[64];
	int err = 0;
	bool image;

	memset(disk, 0, sizeof(*disk));
	disk->slot = slot;
	snprintf(disk->fstype, sizeof(disk->fstype), "%s", fstype);
	snprintf(disk->path, sizeof(disk->path), DISK_MOUNTS "/%u", slot);
	if ((mkdir(DISK_MOUNTS, 0700) && errno != EEXIST) ||
	    (mkdir(disk->path, 0700) && errno != EEXIST))
		return complain("create", disk->path, -errno);
	if (use_again(disk))
		return 0;
	/* Or one of another type is left there. */
	if (!find_device(disk) &&
	    (disk_unmount(disk) || disk_wait_released(disk)))
		return -EBUSY;
	if (needs_device(fstype)) {
		name_target(disk, target, &image);
		if (image)
			err = make_image(target);
		if (!err)
			err = make_filesystem(fstype, target);
	}
	return err ? err : disk_mount(disk);
}

int disk_unmount(const struct disk *disk)
{
	if (umount2(disk->path, MNT_DETACH))
		return complain("unmount", disk->path, -errno);
	return 0;
}

int disk_free_loop(void)
{
	static const char *const modprobe[] = { "modprobe", "loop", NULL };
	int control, number, fd;
	char path[32];

	if (access("/dev/loop-control", F_OK))
		disk_command(modprobe);
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return -errno;
	number = ioctl(control, LOOP_CTL_GET_FREE);
	if (number < 0)
		number = -errno;
	close(control);
	if (number < 0)
		return number;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	fd = open(path, O_RDWR | O_CLOEXEC | O_DIRECT);
	return fd < 0 ? -errno : fd;
}

int disk_claimed(const struct disk *disk)
{
	int fd = open(disk->device, O_RDONLY | O_EXCL | O_CLOEXEC);

	/* The gate does not let even this be asked. */
	if (fd < 0)
		return errno == EBUSY || errno == EPERM ? 1 : -errno;
	close(fd);
	return 0;
}

int disk_wait_released(const struct disk *disk)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	unsigned int i;

	for (i = 0; i < 500; i++) {
		if (disk_claimed(disk) <= 0)
			return 0;
		nanosleep(&pause, NULL);
	}
	return complain("still in use", disk->device, -EBUSY);
}

/* The last mount below our directory, so that inner mounts go first. */
static bool last_mount(struct disk *found, const char *const keep[])
{
	struct mntent *entry;
	unsigned int i;
	bool any = false;
	FILE *mounts;

	mounts = setmntent("/proc/self/mounts", "r");
	if (!mounts)
		return false;
	while ((entry = getmntent(mounts))) {
		if (strncmp(entry->mnt_dir, DISK_MOUNTS "/",
			    strlen(DISK_MOUNTS "/")))
			continue;
		for (i = 0; keep[i] && strcmp(entry->mnt_dir, keep[i]); i++)
			;
		if (keep[i])
			continue;
		snprintf(found->path, sizeof(found->path), "%s",
			 entry->mnt_dir);
		snprintf(found->device, sizeof(found->device), "%s",
			 entry->mnt_fsname);
		any = true;
	}
	endmntent(mounts);
	return any;
}

static void unmount_all(const char *const keep[])
{
	struct disk disk = {}, disks[MOUNTS_MAX];
	unsigned int i, count = 0;

	/* A test may have had it as its current directory. */
	if (chdir("/"))
		complain("change to", "/", -errno);
	while (last_mount(&disk, keep) && !disk_unmount(&disk)) {
		if (disk.device[0] == '/' && count < MOUNTS_MAX)
			disks[count++] = disk;
	}
	/* A loop device is gone for good as soon as it is free. */
	for (i = 0; i < count; i++)
		disk_wait_released(&disks[i]);
}

/* Those that nothing is mounted on, nor below. */
static void remove_directories(void)
{
	struct dirent *entry;
	DIR *dir;

	dir = opendir(DISK_MOUNTS);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
	rmdir(DISK_MOUNTS);
}

void disk_clean(void)
{
	const char *const none[] = { NULL };
	char path[64];
	unsigned int i;

	unmount_all(none);
	remove_directories();
	for (i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), IMAGES ".%u", i);
		unlink(path);
	}
}

void disk_tidy(const char *keep)
{
	const char *const usual = DISK_MOUNTS "/0";
	const char *const left[] = { usual, keep, NULL };

	unmount_all(as_made(usual) ? left : left + 1);
	remove_directories();
}
