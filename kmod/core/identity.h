/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - naming the two ends of a grant: process and file.
 *
 * Owns: from a number, a descriptor or a path to an identity that cannot be
 * reused, and the refusal of what may not be a subject or an object.
 *
 * Must not own: grants.
 */
#ifndef _TRUSTGATE_IDENTITY_H
#define _TRUSTGATE_IDENTITY_H

#include "grant.h"

struct genl_info;
struct nlattr;
struct trustgate_request;

/**
 * trustgate_subject_resolve() - fill the subject of a grant
 * @terms: gets pid (a reference, the caller puts it, also after a failure),
 *	exec_id, start_ns; its flags are looked at
 * @attr: the attribute pid
 * @ticks: the attribute start-ticks, or NULL
 * @extack: gets the cause of a refusal
 *
 * Context: process; the pid is of the caller's namespace.
 * Return: 0; -ESRCH no such process, it is a mere thread, it is exiting, or
 * its start time differs; -EINVAL kernel thread, or descendants of an init.
 */
int trustgate_subject_resolve(struct trustgate_terms *terms,
			      const struct nlattr *attr,
			      const struct nlattr *ticks,
			      struct netlink_ext_ack *extack);

/**
 * trustgate_subject_asked() - fill the subject of a grant with who has asked
 * @terms: gets pid (the request's reference, also if it fails), exec_id,
 *	start_ns; its flags are looked at
 * @request: that is answered
 * @attr: the attribute that names it
 * @extack: gets the cause of a refusal
 *
 * Context: process.
 * Return: 0; -ESRCH it is exiting, or executes another program; -EINVAL the
 * descendants of an init.
 */
int trustgate_subject_asked(struct trustgate_terms *terms,
			    const struct trustgate_request *request,
			    const struct nlattr *attr,
			    struct netlink_ext_ack *extack);

/**
 * trustgate_object_resolve() - fill the object of a grant
 * @terms: gets ino, subvolume and generation; its volume and kind are looked at
 * @fd: the attribute fd, or NULL
 * @path: the attribute path, or NULL; one of the two is given
 * @extack: gets the cause of a refusal
 *
 * Context: process, may sleep, trustgate_mutex held.
 * Return: 0; -EBADF no such descriptor; -EXDEV not on the volume; -ELOOP a
 * symbolic link; -EINVAL ".." or a malformed path; -ENOTDIR a component, or
 * the root of a subtree, is no directory; -ENOENT; -EOPNOTSUPP its subvolume
 * is unknown; or an error of the filesystem.
 */
int trustgate_object_resolve(struct trustgate_terms *terms,
			     const struct nlattr *fd,
			     const struct nlattr *path,
			     struct netlink_ext_ack *extack);

#endif /* _TRUSTGATE_IDENTITY_H */
