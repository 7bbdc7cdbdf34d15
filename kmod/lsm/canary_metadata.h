/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the proof of the hooks by which a volume hides its metadata.
 *
 * Owns: the look at the canary that makes each of them run.
 *
 * Must not own: the canary; what the result of a look means (canary.c).
 */
#ifndef _TRUSTGATE_CANARY_METADATA_H
#define _TRUSTGATE_CANARY_METADATA_H

#include "../hooks.h"

struct file;

/* A symbolic link in the root directory of the canary, to a file there. */
#define TRUSTGATE_CANARY_LINK	"link"

/**
 * trustgate_prove_metadata() - look at the canary
 * @hook: one of the set METADATA
 * @file: open on the canary
 * @called: set if the hook was called, because no look reaches it
 *
 * Context: the worker, may sleep.
 * Return: what the look gave: 0 or more, or -errno.
 */
int trustgate_prove_metadata(enum trustgate_hook hook, const struct file *file,
			     bool *called);

#endif /* _TRUSTGATE_CANARY_METADATA_H */
