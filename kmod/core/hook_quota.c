// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - hook on disk quota.
 *
 * Owns: which of its commands only look.
 *
 * Must not own: the decision.
 *
 * quota_on is left out: the file that it is asked about is on the filesystem
 * that quotactl was asked about before.
 */

#include <linux/dcache.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>

#include "check.h"
#include "kfuncs.h"

/*
 * Who has how much tells no more than the owners and sizes of all files do.
 * Limits and accounting are a matter of the whole filesystem, as its options
 * are.
 */
static noinline int check_quota(int cmd, const struct super_block *sb)
{
	struct dentry *root = sb->s_root;

	switch (cmd) {
	case Q_SYNC:
	case Q_XQUOTASYNC:
		return 0;
	case Q_GETFMT:
	case Q_GETINFO:
	case Q_GETQUOTA:
	case Q_GETNEXTQUOTA:
	case Q_XGETQUOTA:
	case Q_XGETNEXTQUOTA:
	case Q_XGETQSTAT:
	case Q_XGETQSTATV:
		return trustgate_check_presence(TRUSTGATE_HOOK_quotactl,
						d_inode(root), root, false);
	default:
		return trustgate_check_whole(TRUSTGATE_HOOK_quotactl, root,
					     TRUSTGATE_ACCESS_META);
	}
}

__bpf_kfunc_start_defs();

/* @sb: NULL where all filesystems are to be written to their disks. */
__bpf_kfunc int bpf_trustgate_quotactl(int cmds, const struct super_block *sb)
{
	if (likely(!sb || !trustgate_volume_possible(sb)))
		return 0;
	return check_quota(cmds, sb);
}

__bpf_kfunc_end_defs();
