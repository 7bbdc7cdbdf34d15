// SPDX-License-Identifier: GPL-2.0-only
/*
 * matrix_map - rows: mapping files and executing them.
 *
 * Owns: mmap(2), mprotect(2), execve(2).
 *
 * Must not own: pages that are mapped already (matrix_left.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "matrix.h"

#define R	GATE_READ
#define W	GATE_WRITE
#define X	GATE_EXEC

static int map(int prot, int flags)
{
	return mmap(NULL, 4096, prot, flags, scene.fd, 0) == MAP_FAILED ?
	       errno : 0;
}

static int map_private(void)
{
	return map(PROT_READ, MAP_PRIVATE);
}

static int map_shared(void)
{
	return map(PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* mprotect(2) could make it writable. */
static int map_shared_read(void)
{
	return map(PROT_READ, MAP_SHARED);
}

static int map_exec(void)
{
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE);
}

static int prepare_map(int flags)
{
	int err = scene_files();
	void *memory;

	if (err)
		return err;
	memory = mmap(NULL, SCENE_BYTES, PROT_READ, flags, scene.fd, 0);
	if (memory == MAP_FAILED)
		return errno;
	scene.map = memory;
	return 0;
}

static int prepare_private(void)
{
	return prepare_map(MAP_PRIVATE);
}

static int prepare_shared(void)
{
	return prepare_map(MAP_SHARED);
}

static int protect_read(void)
{
	return scene_result(mprotect(scene.map, SCENE_BYTES, PROT_READ));
}

static int protect_exec(void)
{
	return scene_result(mprotect(scene.map, SCENE_BYTES,
				     PROT_READ | PROT_EXEC));
}

static int protect_write(void)
{
	return scene_result(mprotect(scene.map, SCENE_BYTES,
				     PROT_READ | PROT_WRITE));
}

/* What is done to pages is done to the file. */
static int prepare_writable(void)
{
	int err = scene_files();
	void *memory;

	if (err)
		return err;
	memory = mmap(NULL, SCENE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		      scene.fd, 0);
	if (memory == MAP_FAILED)
		return errno;
	scene.map = memory;
	return 0;
}

static int punch_hole(void)
{
	return scene_result(madvise(scene.map, SCENE_BYTES, MADV_REMOVE));
}

/* Pages of the file in another order, by a system call of long ago. */
static int map_otherwise(void)
{
	return scene_result(syscall(SYS_remap_file_pages, scene.map, 4096, 0, 1,
				    0));
}

/* These return only if there is nothing to run; what is run exits with 0. */

static int run(void)
{
	execl("db/true", "true", NULL);
	return errno;
}

static int prepare_program(void)
{
	scene.fd = open("db/true", O_RDONLY | O_CLOEXEC);
	return scene_result(scene.fd);
}

static int run_descriptor(void)
{
	char *const arguments[] = { "true", NULL };
	char *const environment[] = { NULL };

	syscall(SYS_execveat, scene.fd, "", arguments, environment,
		AT_EMPTY_PATH);
	return errno;
}

#define SCRIPT	DISK_MOUNTS "/script"

static int prepare_script(void)
{
	char line[128];

	snprintf(line, sizeof(line), "#!%s/db/true\n", scene.disk->path);
	return -disk_file(SCRIPT, line, 0755);
}

static void undo_script(void)
{
	unlink(SCRIPT);
}

static int run_script(void)
{
	execl(SCRIPT, "script", NULL);
	return errno;
}

static const struct matrix_route routes[] = {
	{ .name = "mmap, private", .hook = "mmap_file", .also = "mmap_test",
	  .prepare = scene_files, .go = map_private,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "mmap, shared and writable", .hook = "mmap_file", .also = "mmap_test",
	  .prepare = scene_files, .go = map_shared,
	  .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "mmap, shared, of a writable descriptor", .hook = "mmap_file", .also = "mmap_test",
	  .prepare = scene_files, .go = map_shared_read,
	  .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "mmap, executable (a library)", .hook = "mmap_file", .also = "exec_test",
	  .prepare = scene_files, .go = map_exec,
	  .needs = { MATRIX_FILE("db/a", R | X) } },
	{ .name = "mprotect, readable", .hook = "file_mprotect", .also = "route_test",
	  .prepare = prepare_private, .go = protect_read,
	  .needs = { MATRIX_FILE("db/a", R) } },
	{ .name = "mprotect, executable", .hook = "file_mprotect", .also = "route_test",
	  .prepare = prepare_private, .go = protect_exec,
	  .needs = { MATRIX_FILE("db/a", R | X) } },
	{ .name = "mprotect, shared and writable", .hook = "file_mprotect", .also = "route_test",
	  .prepare = prepare_shared, .go = protect_write,
	  .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "remap_file_pages", .hook = "mmap_file", .also = "",
	  .prepare = prepare_writable, .go = map_otherwise, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", R | W) } },
	{ .name = "madvise, MADV_REMOVE", .hook = "file_permission", .also = "",
	  .prepare = prepare_writable, .go = punch_hole, .on = MATRIX_EXT4,
	  .needs = { MATRIX_FILE("db/a", W) } },
	{ .name = "execve", .hook = "file_open", .also = "exec_test",
	  .go = run, .needs = { MATRIX_FILE("db/true", X) } },
	{ .name = "execveat of a descriptor", .hook = "file_open", .also = "exec_test",
	  .prepare = prepare_program, .go = run_descriptor,
	  .needs = { MATRIX_FILE("db/true", X) } },
	{ .name = "execve, as an interpreter", .hook = "file_open", .also = "exec_test",
	  .prepare = prepare_script, .undo = undo_script, .go = run_script,
	  .needs = { MATRIX_FILE("db/true", X) } },
};

const struct matrix_group matrix_memory =
	MATRIX_GROUP("Mappings and programs", routes);
