// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_btrfs - rows: what only btrfs has.
 *
 * Owns: subvolumes and snapshots, in which inode numbers repeat, and commands
 * that reach files past their descriptors.
 *
 * Must not own: what it has in common with others, such as clones of files
 * (matrix_io.c).
 *
 * Beside the usual scene there are subvolumes, see matrix.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attempt.h"
#include "btrfs.h"
#include "matrix.h"

#define R	GATE_READ
#define W	GATE_WRITE

/* Files of other subvolumes with the same number. */

static int open_twin(void)
{
	return attempt_open("kept/one/f", O_RDONLY);
}

static int change_twin(void)
{
	return scene_result(chmod("kept/one/f", 0640));
}

static int prepare_twin(void)
{
	struct stat one, snap;

	if (stat("kept/one/f", &one) || stat("kept/snap/f", &snap))
		return errno;
	/* Or there is nothing to be mistaken. */
	if (one.st_ino != snap.st_ino)
		return EBADMSG;
	scene.fd = open("kept/one/f", O_RDWR | O_CLOEXEC);
	return scene_result(scene.fd);
}

static int read_twin(void)
{
	return attempt_read_fd(NULL, scene.fd);
}

static int map_twin(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, scene.fd, 0) ==
	       MAP_FAILED ? errno : 0;
}

static int list_twin(void)
{
	return attempt_list("kept/one", 0);
}

/*
 * Another mount of the filesystem, of a part of it: unlike others, btrfs opens
 * its device anew before it finds that it is mounted.
 */
static int open_by_mount(void)
{
	int err = scene_result(mount(scene.disk->device, SCENE_PLACE, "btrfs",
				     0, "subvol=kept/one"));

	if (err)
		return err;
	err = attempt_read(SCENE_PLACE "/f", 0);
	umount2(SCENE_PLACE, MNT_DETACH);
	return err;
}

/* Making and removing them. */

static int create(void)
{
	return btrfs_create_at(scene.fd, "new");
}

static int prepare_subvolume(void)
{
	int err = scene_directory();

	/* It may be there still, and not be empty. */
	if (!err && access("db/one", F_OK))
		err = btrfs_create_at(scene.fd, "one");
	unlink("db/one/f");
	return err;
}

static int prepare_full(void)
{
	return prepare_subvolume() ?: -disk_file("db/one/f", "f", 0644);
}

static int destroy(void)
{
	return btrfs_destroy_at(scene.fd, "one");
}

static uint64_t number;

/* With a gate nobody is told its number, and none is looked at. */
static int prepare_numbered(void)
{
	struct btrfs_ioctl_ino_lookup_args arguments = {
		.objectid = BTRFS_FIRST_FREE_OBJECTID,
	};
	int err = prepare_full();

	if (err)
		return err;
	scene.extra[0] = open("db/one", O_RDONLY | O_CLOEXEC);
	if (!ioctl(scene.extra[0], BTRFS_IOC_INO_LOOKUP, &arguments))
		number = arguments.treeid;
	return scene_result(scene.extra[0]);
}

static int destroy_by_number(void)
{
	struct btrfs_ioctl_vol_args_v2 arguments = {
		.flags = BTRFS_SUBVOL_SPEC_BY_ID, .subvolid = number,
	};

	return scene_result(ioctl(scene.fd, BTRFS_IOC_SNAP_DESTROY_V2,
				  &arguments));
}

static int remove_empty(void)
{
	return scene_result(rmdir("db/one"));
}

static int move(void)
{
	return scene_result(rename("db/one", "other/new"));
}

/* To what is a subvolume's own, which no grant is for. */

static int prepare_kept(void)
{
	scene.fd = open("kept/one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scene.other = open("kept/snap", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scene.extra[0] = open("elsewhere", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scene.fd < 0 || scene.other < 0 || scene.extra[0] < 0 ?
	       errno : 0;
}

static int snapshot(void)
{
	return btrfs_snapshot_at(scene.fd, scene.extra[0], "new");
}

static int set_flags(void)
{
	uint64_t flags[] = { BTRFS_SUBVOL_RDONLY, 0 };

	return scene_result(ioctl(scene.fd, BTRFS_IOC_SUBVOL_SETFLAGS,
				  &flags[0])) ?:
	       scene_result(ioctl(scene.fd, BTRFS_IOC_SUBVOL_SETFLAGS,
				  &flags[1]));
}

static int set_default(void)
{
	uint64_t top = BTRFS_FS_TREE_OBJECTID;

	return scene_result(ioctl(scene.fd, BTRFS_IOC_DEFAULT_SUBVOL, &top));
}

/* Reading past files. */

static int send_all(void)
{
	return btrfs_send(scene.other, SCENE_SECRET);
}

static int search(void)
{
	return btrfs_search(scene.fd, false, SCENE_SECRET);
}

static int search_newer(void)
{
	return btrfs_search(scene.fd, true, SCENE_SECRET);
}

static int look_up_number(void)
{
	struct btrfs_ioctl_ino_lookup_args arguments = {
		.objectid = BTRFS_FIRST_FREE_OBJECTID + 1,
	};

	return scene_result(ioctl(scene.fd, BTRFS_IOC_INO_LOOKUP,
				  &arguments)) ?:
	       (strncmp(arguments.name, "f", 1) ? EBADMSG : 0);
}

static char found[4096];

static int look_up_paths(void)
{
	struct btrfs_ioctl_ino_path_args arguments = {
		.inum = BTRFS_FIRST_FREE_OBJECTID + 1,
		.size = sizeof(found), .fspath = (uintptr_t)found,
	};

	return scene_result(ioctl(scene.fd, BTRFS_IOC_INO_PATHS, &arguments));
}

static uint64_t address;

/* Where its first extent lies, which is looked for among what is committed. */
static int prepare_address(void)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} first = { .map = { .fm_length = ~0ULL, .fm_extent_count = 1 } };
	int err = scene_files() ?: scene_result(syncfs(scene.fd)) ?:
		  scene_result(ioctl(scene.fd, FS_IOC_FIEMAP, &first));

	address = first.extent.fe_physical;
	return err;
}

static int look_up_address(void)
{
	struct btrfs_ioctl_logical_ino_args arguments = {
		.logical = address,
		.size = sizeof(found), .inodes = (uintptr_t)found,
	};

	return scene_result(ioctl(scene.fd, BTRFS_IOC_LOGICAL_INO_V2,
				  &arguments));
}

static char encoded[SCENE_BYTES];
static struct iovec encoded_vector = { encoded, sizeof(encoded) };
static struct btrfs_ioctl_encoded_io_args encoded_arguments = {
	.iov = &encoded_vector, .iovcnt = 1,
};

static int read_encoded(void)
{
	return scene_result(ioctl(scene.fd, BTRFS_IOC_ENCODED_READ,
				  &encoded_arguments));
}

/* It gives all of an extent, of which the file may have but a part. */
static void to_read_encoded(struct io_uring_sqe *sqe)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, scene.fd,
			 &encoded_arguments, 0, 0);
	sqe->cmd_op = BTRFS_IOC_ENCODED_READ;
}

/* Kernels before 6.13 do not know how. */
static int ring_read_encoded(void)
{
	int err = scene_ring(to_read_encoded);

	return err || encoded[0] == 'a' ? err : EBADMSG;
}

/* What is written is said to be compressed, which nothing looks at yet. */
static struct iovec written_vector = { encoded, SCENE_BYTES / 2 };
static struct btrfs_ioctl_encoded_io_args written_arguments = {
	.iov = &written_vector, .iovcnt = 1,
	.len = SCENE_BYTES, .unencoded_len = SCENE_BYTES,
	.compression = BTRFS_ENCODED_IO_COMPRESSION_ZLIB,
};

static int write_encoded(void)
{
	return scene_result(ioctl(scene.fd, BTRFS_IOC_ENCODED_WRITE,
				  &written_arguments));
}

static void to_write_encoded(struct io_uring_sqe *sqe)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, scene.fd,
			 &written_arguments, 0, 0);
	sqe->cmd_op = BTRFS_IOC_ENCODED_WRITE;
}

static int ring_write_encoded(void)
{
	return scene_ring(to_write_encoded);
}

/* Devices: there is none of that name, which is told after the check. */

static int add_device(void)
{
	return btrfs_add_device(scene.fd, "/dev/nothing");
}

static int replace(void)
{
	return btrfs_replace(scene.fd, "/dev/nothing");
}

#define NAMES_OF(directory)	MATRIX_FILE(directory, GATE_NAMES)
#define TWIN			"kept/one/f"

static const struct matrix_route routes[] = {
	{ .name = "open a file with the number of another", .hook = "file_open", .also = "btrfs_test",
	  .prepare = prepare_twin, .go = open_twin, .on = MATRIX_BTRFS,
	  .needs = { MATRIX_FILE(TWIN, R) } },
	{ .name = "read a file with the number of another", .hook = "file_permission", .also = "btrfs_test",
	  .prepare = prepare_twin, .go = read_twin, .on = MATRIX_BTRFS,
	  .needs = { MATRIX_FILE(TWIN, R) } },
	{ .name = "map a file with the number of another", .hook = "mmap_file", .also = "",
	  .prepare = prepare_twin, .go = map_twin, .on = MATRIX_BTRFS,
	  .needs = { MATRIX_FILE(TWIN, R) } },
	{ .name = "chmod of a file with the number of another", .hook = "inode_setattr", .also = "",
	  .prepare = prepare_twin, .go = change_twin, .on = MATRIX_BTRFS,
	  .needs = { MATRIX_FILE(TWIN, GATE_META) } },
	{ .name = "list a subvolume with the number of another", .hook = "file_open", .also = "btrfs_test",
	  .prepare = prepare_twin, .go = list_twin, .on = MATRIX_BTRFS,
	  .needs = { MATRIX_FILE("kept/one", R) } },
	{ .name = "mount of the same device, or of a subvolume", .hook = "block_device", .also = "btrfs_test",
	  .go = open_by_mount, .on = MATRIX_BTRFS, .denied = EPERM },
	{ .name = "create a subvolume", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = scene_directory, .go = create, .on = MATRIX_BTRFS,
	  .needs = { NAMES_OF("db") } },
	{ .name = "delete a subvolume", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_full, .go = destroy, .on = MATRIX_BTRFS,
	  .needs = { MATRIX_TREE("db", GATE_NAMES) } },
	{ .name = "delete a subvolume by its number", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_numbered, .go = destroy_by_number,
	  .on = MATRIX_BTRFS },
	{ .name = "rmdir of an empty subvolume", .hook = "inode_rmdir", .also = "",
	  .prepare = prepare_subvolume, .go = remove_empty, .on = MATRIX_BTRFS,
	  .needs = { NAMES_OF("db") } },
	{ .name = "move a subvolume", .hook = "inode_rename", .also = "",
	  .prepare = prepare_full, .go = move, .on = MATRIX_BTRFS,
	  .needs = { NAMES_OF("db"), NAMES_OF("other"),
		     MATRIX_TREE("db/one", R | W) } },
	{ .name = "snapshot", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = snapshot, .on = MATRIX_BTRFS },
	{ .name = "flags of a subvolume", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = set_flags, .on = MATRIX_BTRFS },
	{ .name = "default subvolume", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = set_default, .on = MATRIX_BTRFS },
	{ .name = "send", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = send_all, .on = MATRIX_BTRFS },
	{ .name = "TREE_SEARCH", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = search, .on = MATRIX_BTRFS },
	{ .name = "TREE_SEARCH_V2", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = search_newer, .on = MATRIX_BTRFS },
	{ .name = "INO_LOOKUP", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = look_up_number, .on = MATRIX_BTRFS },
	{ .name = "INO_PATHS", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = look_up_paths, .on = MATRIX_BTRFS },
	{ .name = "LOGICAL_INO_V2", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_address, .go = look_up_address,
	  .on = MATRIX_BTRFS },
	{ .name = "ENCODED_READ", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_address, .go = read_encoded, .on = MATRIX_BTRFS },
	{ .name = "ENCODED_READ by io_uring", .hook = "uring_cmd", .also = "",
	  .prepare = prepare_address, .go = ring_read_encoded,
	  .on = MATRIX_BTRFS },
	{ .name = "ENCODED_WRITE", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = scene_files, .go = write_encoded, .on = MATRIX_BTRFS },
	{ .name = "ENCODED_WRITE by io_uring", .hook = "uring_cmd", .also = "",
	  .prepare = scene_files, .go = ring_write_encoded,
	  .on = MATRIX_BTRFS },
	{ .name = "ADD_DEV", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = add_device, .on = MATRIX_BTRFS,
	  .done = ENOENT },
	{ .name = "DEV_REPLACE", .hook = "file_ioctl", .also = "btrfs_test",
	  .prepare = prepare_kept, .go = replace, .on = MATRIX_BTRFS,
	  .done = ENOENT },
};

const struct matrix_group matrix_btrfs = MATRIX_GROUP("Only on btrfs", routes);
