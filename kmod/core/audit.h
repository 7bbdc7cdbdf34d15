/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - denials in the kernel's audit trail.
 *
 * Owns: the form of a record and the rate at which records are written.
 *
 * Must not own: what is denied; netlink events, which have no rate limit.
 */
#ifndef _TRUSTGATE_AUDIT_H
#define _TRUSTGATE_AUDIT_H

#include <linux/types.h>

struct trustgate_event;

/**
 * trustgate_audit_denial() - write a denial to the audit trail
 * @event: event of type denied, or observed, which would have been one
 *
 * Records of type AUDIT_KERNEL_OTHER. More than the module parameter
 * audit_burst in one audit_interval_s are counted instead of written, and the
 * next record says how many, as suppressed=.
 *
 * Context: process; does not wait for auditd. One caller at a time.
 */
void trustgate_audit_denial(const struct trustgate_event *event);

/**
 * trustgate_audit_suppressed() - how many denials have no record
 *
 * Return: number since the module was loaded.
 */
u64 trustgate_audit_suppressed(void);

#endif /* _TRUSTGATE_AUDIT_H */
