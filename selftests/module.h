/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * module - loading and unloading the modules, and what they say about it.
 *
 * Owns: commands that change which modules are there, and the kernel's log.
 *
 * Must not own: the gate; see gate.h.
 */
#ifndef MODULE_H
#define MODULE_H

#include <stdbool.h>

/**
 * module_run() - run a shell command in silence
 * @format: of the command, as printf(3)
 *
 * Return: its exit status; 128 if it was killed.
 */
__attribute__((format(printf, 1, 2)))
int module_run(const char *format, ...);

/**
 * module_unload() - leave nothing protected and no module loaded
 *
 * Return: 0 or -errno after saying what failed.
 */
int module_unload(void);

/**
 * module_load() - load both
 * @parameters: of the engine, or ""
 *
 * Return: 0 or -errno after saying what failed.
 */
int module_load(const char *parameters);

/**
 * module_reload() - unload and load
 * @parameters: of the engine, or ""
 *
 * Return: 0 or -errno.
 */
int module_reload(const char *parameters);

/**
 * module_loaded() - is a module there?
 * @name: with underscores
 *
 * Return: whether it is.
 */
bool module_loaded(const char *name);

/**
 * module_log_mark() - from here on is the log looked at
 */
void module_log_mark(void);

/**
 * module_logged() - has the kernel said this since the mark?
 * @text: part of a line
 *
 * Return: whether it has.
 */
bool module_logged(const char *text);

#endif /* MODULE_H */
