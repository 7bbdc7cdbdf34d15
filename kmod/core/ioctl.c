// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - what an ioctl does to a file; see ioctl.h.
 */

#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fsverity.h>
#include <linux/ioctl.h>
#include <linux/major.h>
#include <uapi/linux/loop.h>
#include <uapi/linux/raid/md_u.h>
#include <uapi/linux/trustgate.h>

#include "ioctl.h"

/* Not among what <linux/fs.h> knows. */
#define SWAPEXT_TYPE	'X'
#define SWAPEXT_NR	109

bool trustgate_ioctl_is_swapext(unsigned int cmd)
{
	return _IOC_TYPE(cmd) == SWAPEXT_TYPE && _IOC_NR(cmd) == SWAPEXT_NR;
}

bool trustgate_ioctl_hands_over(unsigned int cmd)
{
	switch (cmd) {
	case LOOP_SET_FD:
	case LOOP_CHANGE_FD:
	case LOOP_CONFIGURE:
	case SET_BITMAP_FILE:
		return true;
	default:
		return false;
	}
}

struct trustgate_ioctl trustgate_ioctl(unsigned int cmd)
{
	/*
	 * isatty(3) and the like ask every file whether it is a terminal, a block
	 * device or a tape, and files say no. Among them are those that the kernel
	 * itself answers for each descriptor: FIOCLEX, FIONCLEX, FIONBIO,
	 * FIOASYNC, FIOQSIZE, FIONREAD.
	 */
	if (_IOC_TYPE(cmd) == 'T' || _IOC_TYPE(cmd) == 0x12 ||
	    _IOC_TYPE(cmd) == 'm')
		return (struct trustgate_ioctl){};

	switch (cmd) {
	case FIGETBSZ:
	case FS_IOC_GETFLAGS:
	case FS_IOC32_GETFLAGS:
	case FS_IOC_FSGETXATTR:
	case FS_IOC_GETVERSION:
	case FS_IOC32_GETVERSION:
	case FS_IOC_GETFSLABEL:
	case FS_IOC_GETFSUUID:
	case FS_IOC_GETFSSYSFSPATH:
		return (struct trustgate_ioctl){};
	case FIBMAP:
	case FS_IOC_FIEMAP:
	/* The source; the destinations are checked as they are written. */
	case FIDEDUPERANGE:
	case FS_IOC_MEASURE_VERITY:
	case FS_IOC_READ_VERITY_METADATA:
		return (struct trustgate_ioctl){ TRUSTGATE_ACCESS_READ };
	/* The destination; the source is checked as it is read. */
	case FICLONE:
	case FICLONERANGE:
	/* fallocate(2) as it once was. */
	case FS_IOC_RESVSP:
	case FS_IOC_RESVSP64:
	case FS_IOC_UNRESVSP:
	case FS_IOC_UNRESVSP64:
	case FS_IOC_ZERO_RANGE:
#ifdef CONFIG_X86_64
	case FS_IOC_RESVSP_32:
	case FS_IOC_RESVSP64_32:
	case FS_IOC_UNRESVSP_32:
	case FS_IOC_UNRESVSP64_32:
	case FS_IOC_ZERO_RANGE_32:
#endif
		return (struct trustgate_ioctl){ TRUSTGATE_ACCESS_WRITE };
	case FS_IOC_SETFLAGS:
	case FS_IOC32_SETFLAGS:
	case FS_IOC_FSSETXATTR:
	case FS_IOC_ENABLE_VERITY:
		return (struct trustgate_ioctl){ TRUSTGATE_ACCESS_META };
	/*
	 * As mkdir(2), and as removing a directory with all that is in it. A
	 * snapshot names what it is of by a descriptor in memory that may change,
	 * and makes all of it reachable by the grants on where it is put.
	 */
	case BTRFS_IOC_SUBVOL_CREATE:
	case BTRFS_IOC_SUBVOL_CREATE_V2:
		return (struct trustgate_ioctl){ TRUSTGATE_ACCESS_NAMES };
	case BTRFS_IOC_SNAP_DESTROY:
		return (struct trustgate_ioctl){ TRUSTGATE_ACCESS_NAMES,
						 .whole = true };
	default:
		return (struct trustgate_ioctl){ .forbidden = true };
	}
}
