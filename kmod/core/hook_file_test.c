// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - unit tests: a command on a file that is on no volume.
 *
 * Owns: that it is looked at even if the filter takes the file's filesystem for
 * a volume, of which nobody outside of the kernel can be sure.
 *
 * Must not own: what a command does to a volume's files (selftests/route_test.c).
 */

#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "kfuncs.h"
#include "kunit_world.h"
#include "volume.h"

/* As XFS_IOC_SWAPEXT but for its size. */
#define EXCHANGE	_IOWR('X', 109, int)

/* Superblocks of one class are so far apart, see trustgate_volume_class(). */
#define CLASS_BYTES	(TRUSTGATE_VOLUME_CLASSES << 11)

static int command(struct file *file, unsigned int cmd)
{
	int result;

	rcu_read_lock();
	result = bpf_trustgate_file_ioctl(file, cmd);
	rcu_read_unlock();
	return result;
}

static void exchange_elsewhere(struct kunit *test)
{
	static struct file_system_type xfs = { .name = "xfs" };
	static struct file_system_type other = { .name = "ext4" };
	struct world *world = test->priv;
	struct trustgate_volume *volume = &world->volume;
	struct super_block *sb, *like, *unlike;
	struct file *file;
	void *memory;

	memory = kunit_kzalloc(test, CLASS_BYTES + 3 * SZ_4K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, memory);
	file = kunit_kzalloc(test, sizeof(*file), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, file);
	volume->counters = alloc_percpu(struct trustgate_counters);
	KUNIT_ASSERT_NOT_NULL(test, volume->counters);
	sb = memory;
	like = memory + CLASS_BYTES;
	unlike = memory + CLASS_BYTES + SZ_4K;
	/* Block devices are in the filter as soon as there is a volume. */
	if (trustgate_volume_class(unlike) ==
	    trustgate_volume_class(blockdev_superblock))
		unlike = memory + CLASS_BYTES + 2 * SZ_4K;
	sb->s_type = &xfs;
	like->s_type = &xfs;
	unlike->s_type = &xfs;
	volume->sb = sb;
	strscpy(volume->fstype, "xfs");
	file->f_inode = world->inodes[FILE];
	file->f_inode->i_mode = S_IFREG | 0600;

	mutex_lock(&trustgate_mutex);
	trustgate_volume_protect(volume);
	KUNIT_ASSERT_TRUE(test, trustgate_volume_possible(like));
	KUNIT_ASSERT_FALSE(test, trustgate_volume_possible(unlike));

	file->f_inode->i_sb = unlike;
	KUNIT_EXPECT_EQ(test, -EACCES, command(file, EXCHANGE));
	file->f_inode->i_sb = like;
	KUNIT_EXPECT_EQ(test, -EACCES, command(file, EXCHANGE));
	KUNIT_EXPECT_EQ(test, 0, command(file, FS_IOC_FSGETXATTR));
	like->s_type = &other;
	KUNIT_EXPECT_EQ(test, 0, command(file, EXCHANGE));

	trustgate_volume_remove(volume);
	like->s_type = &xfs;
	KUNIT_EXPECT_EQ(test, 0, command(file, EXCHANGE));
	mutex_unlock(&trustgate_mutex);
	synchronize_rcu();
	free_percpu(volume->counters);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(exchange_elsewhere),
	{}
};

static struct kunit_suite suite = {
	.name = "trustgate_file",
	.init = world_init,
	.exit = world_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);
