/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the specification's names of enum values, for people to read.
 *
 * Owns: the tables of names. The build breaks when the enums outgrow them.
 *
 * Must not own: anything that decides.
 */
#ifndef _TRUSTGATE_NAMES_H
#define _TRUSTGATE_NAMES_H

#include <linux/types.h>

/**
 * trustgate_cause_name() - name of a cause
 * @cause: enum trustgate_cause
 *
 * Return: static string, as in the netlink specification.
 */
const char *trustgate_cause_name(u32 cause);

/**
 * struct trustgate_access_text - names of an access mask
 * @text: joined by commas, "none" for an empty mask
 */
struct trustgate_access_text {
	char text[32];
};

/**
 * trustgate_access_names() - names of an access mask
 * @access: mask of enum trustgate_access
 *
 * Return: the names, by value.
 */
struct trustgate_access_text trustgate_access_names(u32 access);

#endif /* _TRUSTGATE_NAMES_H */
