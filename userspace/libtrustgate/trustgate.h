/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtrustgate - the kernel's Trustgate access gate from C.
 *
 * Owns: the public interface of the library, in a header for each subject below,
 * and what all functions have in common. The numbers (enums, limits) come from
 * the kernel's <linux/trustgate.h>.
 *
 * Must not own: policy, or anything about how the messages look on the wire.
 *
 * Errors. Functions that return int return 0 (or a count) on success and a
 * negative errno value on failure. After a failure trustgate_error_text() is a
 * whole sentence that carries the kernel's own words and the attribute at
 * fault; nothing has been changed unless the function or
 * trustgate_error_unsure() says otherwise.
 * Every function on a connection may return
 *
 *	-ENOTCONN	trustgate_connect() or trustgate_adopt() has not succeeded
 *	-ENOMEM		no memory
 *	-ETIMEDOUT	no answer in time
 *	-ENOBUFS	the answer did not fit into the full socket
 *	-EPROTO		the answer makes no sense
 *	-EPROTONOSUPPORT the kernel has no such family: the module is not loaded
 *	-ESTALE		the module was reloaded since; connected again, but
 *			watching and being the agent are lost
 *	-EPERM		no CAP_MAC_ADMIN in the initial user namespace, or the
 *			request belongs to the agent and this socket is not it
 *	-EBUSY		called from inside a visitor of trustgate_grant_each(),
 *			trustgate_request_each() or trustgate_keeper_each(), or while a
 *			cursor is open on the connection
 *	-EINVAL		an argument makes no sense
 *
 * and what the kernel refuses with; the further ones are listed per function.
 *
 * Threads. A connection belongs to one thread at a time: no function on the
 * same connection may run twice at once. Different connections do not share
 * anything. Functions without a connection may be called from any thread.
 *
 * Memory. What a function stores through a pointer named ret_... belongs to
 * the caller. Strings inside requests are only read during the call.
 *
 * Times are nanoseconds of CLOCK_BOOTTIME, durations are nanoseconds.
 */
#ifndef _TRUSTGATE_H
#define _TRUSTGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/trustgate.h>
#include <linux/trustgate_channel.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "trustgate-connection.h"
#include "trustgate-gate.h"
#include "trustgate-volumes.h"
#include "trustgate-grants.h"
#include "trustgate-events.h"
#include "trustgate-requests.h"
#include "trustgate-channel.h"
#include "trustgate-keepers.h"
#include "trustgate-names.h"

/**
 * trustgate_version() - version of the library at run time
 *
 * Return: a constant string such as "0.2.0".
 */
const char *trustgate_version(void);

#ifdef __cplusplus
}
#endif

#endif /* _TRUSTGATE_H */
