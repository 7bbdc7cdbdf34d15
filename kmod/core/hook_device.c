// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - opening block devices, also by the kernel itself.
 *
 * Owns: which opens concern the gate.
 *
 * Must not own: which devices lie below a volume (volume.c).
 *
 * What a filesystem is mounted from was opened before it was protected. Who else
 * had it open is asked in hook_file.c.
 */

#include <linux/types.h>
#include <linux/kdev_t.h>
#include <uapi/linux/bpf.h>

#include "check.h"
#include "kfuncs.h"

static u32 access_of(u32 kind)
{
	u32 access = 0;

	if (kind >> 16 & BPF_DEVCG_ACC_READ)
		access |= TRUSTGATE_ACCESS_READ;
	if (kind >> 16 & BPF_DEVCG_ACC_WRITE)
		access |= TRUSTGATE_ACCESS_WRITE;
	return access;
}

__bpf_kfunc_start_defs();

/* @kind: BPF_DEVCG_DEV_*, and in the upper half a mask of BPF_DEVCG_ACC_*. */
__bpf_kfunc int bpf_trustgate_block_device(u32 kind, u32 major, u32 minor)
{
	if ((kind & 0xffff) != BPF_DEVCG_DEV_BLOCK)
		return 0;
	/* A node alone opens nothing. */
	if (kind >> 16 == BPF_DEVCG_ACC_MKNOD)
		return 0;
	return trustgate_check_device(TRUSTGATE_HOOK_block_device,
				      MKDEV(major, minor), access_of(kind));
}

__bpf_kfunc_end_defs();
