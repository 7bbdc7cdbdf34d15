/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trustgate - the seam between the engine and whoever places the hooks.
 *
 * Owns: the contract by which a carrier of hooks (lsm/, or a built-in LSM)
 * offers to attach, detach and prove them, and by which it borrows the engine
 * for its proof.
 *
 * Must not own: how hooks get into the kernel; anything of BPF.
 */
#ifndef _TRUSTGATE_ARM_H
#define _TRUSTGATE_ARM_H

#include <linux/types.h>

struct bpf_prog;
struct module;
struct super_block;

/**
 * struct trustgate_carrier - offers to place hooks
 * @owner: module that carries the hooks; the engine holds a reference on it
 *	while any volume is protected, so it cannot be unloaded then
 * @attach: attach every hook of @sets (TRUSTGATE_SET_*) that is not attached.
 *	Returns 0 or -errno with nothing changed. May sleep.
 * @detach: detach every hook of @sets. Cannot fail. May sleep. When it
 *	returns, no new call of a detached hook begins.
 * @prove: run each attached hook once for real and see that the engine was
 *	asked and its denial enforced. Returns 0, or -errno after naming, with
 *	pr_err(), the hook that did not run and the cure. May sleep. Hooks that
 *	need an mm are left out in a kernel thread.
 * @attached: mask of attached hooks, bit numbers are enum trustgate_hook. Any
 *	context.
 *
 * The engine calls @attach, @detach and @prove one at a time, in process
 * context and without any lock that a hook could want.
 */
struct trustgate_carrier {
	struct module *owner;
	int (*attach)(unsigned int sets);
	void (*detach)(unsigned int sets);
	int (*prove)(void);
	u64 (*attached)(void);
};

/**
 * trustgate_carrier_register() - offer to place hooks
 * @carrier: the offer; must stay valid until unregistered
 *
 * The offer is tried at once: all hooks are attached, proved and detached
 * again. Who has registered need not prove anything before. Hooks stay attached
 * if volumes are protected whose former carrier was unloaded by force.
 *
 * Context: process context, may sleep.
 * Return: 0; -EBUSY if there is a carrier already; or the error of @attach or
 * @prove, with the offer not taken.
 */
int trustgate_carrier_register(const struct trustgate_carrier *carrier);

/**
 * trustgate_carrier_unregister() - withdraw the offer
 * @carrier: as registered
 *
 * Only from the carrier's module exit or its failing init, when no volume can
 * be protected; all its hooks must be detached before or during the call.
 */
void trustgate_carrier_unregister(const struct trustgate_carrier *carrier);

/**
 * trustgate_loader_begin() - allow this thread to load programs that call kfuncs
 *
 * The kfuncs are registered for LSM programs but refused to every program that
 * is not being loaded between begin and end by the very thread that called
 * begin, so that nobody else's program can call them.
 *
 * Context: process context; not nested; the caller serialises.
 */
void trustgate_loader_begin(void);

/**
 * trustgate_loader_end() - refuse the kfuncs to new programs again
 */
void trustgate_loader_end(void);

/**
 * trustgate_canary_set() - have one private filesystem denied and noted
 * @sb: a superblock that nothing but the carrier can reach, or NULL to end.
 *	The caller keeps it alive until it has ended the canary.
 *
 * Only from within @prove, under the lock that the engine holds then.
 *
 * While set, each check on @sb, and on the thread that has set it, is answered
 * with -EACCES, counted for nobody, and noted for trustgate_canary_seen().
 * Setting starts with none noted.
 *
 * Context: process context, may sleep (ending waits for an RCU grace period).
 */
void trustgate_canary_set(struct super_block *sb);

/**
 * trustgate_canary_focus() - have only some hooks deny and note the canary
 * @hooks: mask, bit numbers are enum trustgate_hook; setting the canary starts
 *	with all
 *
 * For an operation that passes several hooks, of which one is to be proved.
 *
 * Context: any; as trustgate_canary_set().
 */
void trustgate_canary_focus(u64 hooks);

/**
 * trustgate_canary_seen() - which hooks asked about the canary
 *
 * bprm_committed_creds is not about a superblock and never noted.
 *
 * Return: mask, bit numbers are enum trustgate_hook.
 */
u64 trustgate_canary_seen(void);

#endif /* _TRUSTGATE_ARM_H */
