/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * audit_control - a socket to the kernel's audit.
 *
 * Owns: requests to audit and their answers.
 *
 * Must not own: records.
 */
#ifndef AUDIT_CONTROL_H
#define AUDIT_CONTROL_H

#include <linux/audit.h>
#include <stddef.h>
#include <stdint.h>

/**
 * audit_open() - open a socket to the kernel's audit
 *
 * Return: descriptor, -1 if the kernel has no audit.
 */
int audit_open(void);

/**
 * audit_request() - ask for something and wait for the answer
 * @fd: of audit_open()
 * @type: AUDIT_*
 * @data: of the request
 * @length: of @data in bytes
 * @reply: filled, unless NULL
 * @reply_length: of @reply in bytes
 *
 * Return: 0 or -errno.
 */
int audit_request(int fd, uint16_t type, const void *data, size_t length,
		  void *reply, size_t reply_length);

/**
 * audit_enable() - switch audit on or off
 * @fd: of audit_open()
 * @enabled: 0 or 1
 *
 * Return: 0 or -errno.
 */
int audit_enable(int fd, unsigned int enabled);

#endif /* AUDIT_CONTROL_H */
