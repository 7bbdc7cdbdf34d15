/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Trustgate - the channel: the short way between an open that waits and the agent.
 *
 * The command channel-open of the netlink family gives the agent a descriptor.
 * One ioctl(2) on it answers one request and takes the next; poll(2) tells
 * whether there is one to be taken. See Documentation/userspace-api/trustgate.rst.
 */
#ifndef _UAPI_LINUX_TRUSTGATE_CHANNEL_H
#define _UAPI_LINUX_TRUSTGATE_CHANNEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * enum trustgate_verdict - an answer to a request
 * @TRUSTGATE_VERDICT_NONE: No answer is given; a request is only taken.
 * @TRUSTGATE_VERDICT_GRANT: What is asked for is granted.
 * @TRUSTGATE_VERDICT_REFUSE: It is refused.
 */
enum trustgate_verdict {
	TRUSTGATE_VERDICT_NONE,
	TRUSTGATE_VERDICT_GRANT,
	TRUSTGATE_VERDICT_REFUSE,
};

/**
 * enum trustgate_exchange_flags
 * @TRUSTGATE_EXCHANGE_TAKE: Take a request, if one is there.
 * @TRUSTGATE_EXCHANGE_WAIT: Wait for one otherwise.
 * @TRUSTGATE_EXCHANGE_ON_END: on_end is given; otherwise it is the volume's
 *   least-on-end.
 * @TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL: supervised_until_boottime_ns is given.
 */
enum trustgate_exchange_flags {
	TRUSTGATE_EXCHANGE_TAKE = 1,
	TRUSTGATE_EXCHANGE_WAIT = 2,
	TRUSTGATE_EXCHANGE_ON_END = 4,
	TRUSTGATE_EXCHANGE_SUPERVISED_UNTIL = 8,
};

/**
 * struct trustgate_exchange_question - a request that was taken
 * @grant: of what was answered: the grant that was given, or 0
 * @request: number of the request; 0 if none was taken, and all that
 *   follows is 0, too
 * @ino: object
 * @start_ticks: start time of the subject, as in field 22 of /proc/PID/stat
 * @exec_id: how often it had executed a program when it asked
 * @raised_boottime_ns: since when it waits
 * @deadline_boottime_ns: when it is denied without an answer
 * @volume_id: where
 * @inode_generation: object
 * @access: mask of enum trustgate_access, all of which is needed
 * @cause: enum trustgate_cause, why no grant allows it
 * @pid: subject in the pid namespace of the caller, 0 if it has none there
 * @tid: the thread that asked first, in the initial pid namespace
 * @uid: its real user, in the initial user namespace
 * @loginuid: its login user, likewise
 * @waiting: threads that wait
 * @path_length: of the object's path relative to the volume's root, without the
 *   NUL; 0 if it is not known. Longer paths than there is room for are not
 *   written at all.
 * @comm: command name of the thread
 */
struct trustgate_exchange_question {
	__aligned_u64 grant;
	__aligned_u64 request;
	__aligned_u64 ino;
	__aligned_u64 start_ticks;
	__aligned_u64 exec_id;
	__aligned_u64 raised_boottime_ns;
	__aligned_u64 deadline_boottime_ns;
	__u32 volume_id;
	__u32 inode_generation;
	__u32 access;
	__u32 cause;
	__s32 pid;
	__s32 tid;
	__u32 uid;
	__u32 loginuid;
	__u32 waiting;
	__u32 path_length;
	char comm[16];
};

/**
 * struct trustgate_exchange - answer a request, take another
 * @flags: mask of enum trustgate_exchange_flags
 * @verdict: enum trustgate_verdict; if it is none, all up to @max_uses is 0
 * @request: number of the request that is answered
 * @expires_boottime_ns: of the grant; if it is refused, this and all up to
 *   @max_uses is 0
 * @not_before_boottime_ns: begin of the grant; 0 for now
 * @supervised_until_boottime_ns: see enum trustgate_exchange_flags
 * @tag: the agent's reference of the grant
 * @ticket: address of the grant's ticket, which ends in a NUL; or 0
 * @access: mask of enum trustgate_access; 0 for what was asked for
 * @grant_flags: mask of enum trustgate_grant_flags
 * @reason: enum trustgate_reason
 * @on_end: enum trustgate_on_end, see enum trustgate_exchange_flags
 * @max_uses: of the grant; 0 for any number
 * @path_size: room at @path
 * @path: address of room for the path of the request that is taken, or 0
 * @message: address of room for the cause of a refusal, or 0
 * @message_size: room at @message
 * @attribute: result: if the answer is refused, TRUSTGATE_A_GRANT_... of what
 *   is at fault, or 0. Written with @message if the room is not 0.
 * @question: result; written if the call succeeds
 */
struct trustgate_exchange {
	__u32 flags;
	__u32 verdict;
	__aligned_u64 request;
	__aligned_u64 expires_boottime_ns;
	__aligned_u64 not_before_boottime_ns;
	__aligned_u64 supervised_until_boottime_ns;
	__aligned_u64 tag;
	__aligned_u64 ticket;
	__u32 access;
	__u32 grant_flags;
	__u32 reason;
	__u32 on_end;
	__u32 max_uses;
	__u32 path_size;
	__aligned_u64 path;
	__aligned_u64 message;
	__u32 message_size;
	__u32 attribute;
	struct trustgate_exchange_question question;
};

#define TRUSTGATE_IOC_EXCHANGE	_IOWR(0xD6, 1, struct trustgate_exchange)

#endif /* _UAPI_LINUX_TRUSTGATE_CHANNEL_H */
