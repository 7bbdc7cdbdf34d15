/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - what an ioctl does to a file.
 *
 * Owns: the list of commands that a grant can allow. Many others reach bytes
 * past every other hook (donor files, file handles, whole filesystems), and new
 * ones come with each kernel, so what is not listed is forbidden.
 *
 * Must not own: the decision.
 */
#ifndef _TRUSTGATE_IOCTL_H
#define _TRUSTGATE_IOCTL_H

#include <linux/types.h>

/**
 * struct trustgate_ioctl - what a command stands for
 * @access: mask of enum trustgate_access, 0 if it tells and changes nothing
 * @whole: it is done to all below a name in the directory, too, so that only a
 *	grant on a subtree counts
 * @forbidden: no grant allows it
 */
struct trustgate_ioctl {
	u32 access;
	bool whole;
	bool forbidden;
};

/**
 * trustgate_ioctl() - what a command stands for
 * @cmd: native or compat
 *
 * Context: any.
 * Return: by value.
 */
struct trustgate_ioctl trustgate_ioctl(unsigned int cmd);

/**
 * trustgate_ioctl_is_swapext() - is it XFS_IOC_SWAPEXT?
 * @cmd: native or compat, which differ in size alone
 *
 * Context: any.
 * Return: whether it is.
 */
bool trustgate_ioctl_is_swapext(unsigned int cmd);

/**
 * trustgate_ioctl_hands_over() - does it give a device a file to work with?
 * @cmd: native or compat, which do not differ; on a block device
 *
 * From then on the kernel reads and writes the file for whoever uses the
 * device, and no hook sees it: loop devices, and a bitmap of an md device.
 *
 * Context: any.
 * Return: whether it does.
 */
bool trustgate_ioctl_hands_over(unsigned int cmd);

#endif /* _TRUSTGATE_IOCTL_H */
