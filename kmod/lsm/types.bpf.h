/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The integer types that libbpf's headers take for granted.
 *
 * Owns: these names, for every program of the tree. The kernel's own would come
 * with a vmlinux.h, which is a different one for each kernel; uapi's need the
 * headers of the machine that compiles.
 *
 * Must not own: types of the kernel. Each program declares what it looks into.
 */
#ifndef TRUSTGATE_TYPES_BPF_H
#define TRUSTGATE_TYPES_BPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed int __s32;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#endif /* TRUSTGATE_TYPES_BPF_H */
