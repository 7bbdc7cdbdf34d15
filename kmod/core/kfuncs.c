// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - what BPF programs may call; see kfuncs.h.
 */

#include <linux/bpf.h>
#include <linux/btf_ids.h>
#include <linux/export.h>
#include <linux/sched.h>

#include "arm.h"
#include "../compat.h"
#include "kfuncs.h"

/* The thread that may load programs calling kfuncs; NULL most of the time. */
static struct task_struct *loader;

#define KFUNC_FLAGS(name)						\
	TRUSTGATE_IF_SLEEPS(name, KF_TRUSTED_ARGS | KF_SLEEPABLE, KF_TRUSTED_ARGS)

#define KFUNC_ID(name, ...)						\
	BTF_ID_FLAGS(func, bpf_trustgate_##name, KFUNC_FLAGS(name))

BTF_KFUNCS_START(kfunc_ids)
TRUSTGATE_HOOKS(KFUNC_ID, KFUNC_ID, KFUNC_ID)
BTF_KFUNCS_END(kfunc_ids)

/*
 * LSM, tracing and tracepoint programs share one set of kfuncs. Ours ask about
 * whoever is current, use up grants, and rely on the RCU read side that most of
 * ours run in: they are for our own programs only.
 *
 * The kernel asks this about kfuncs of this module only, whose set is its own.
 * Which one it is must not matter: where the module's BTF was moved on loading,
 * @kfunc_id is another number than kfunc_ids has.
 */
static int only_for_loader(const struct bpf_prog *prog, u32 kfunc_id)
{
	return READ_ONCE(loader) == current ? 0 : -EACCES;
}

static const struct btf_kfunc_id_set kfunc_set = {
	.owner = THIS_MODULE,
	.set = &kfunc_ids,
	.filter = only_for_loader,
};

void trustgate_loader_begin(void)
{
	WRITE_ONCE(loader, current);
}
EXPORT_SYMBOL_GPL(trustgate_loader_begin);

void trustgate_loader_end(void)
{
	WRITE_ONCE(loader, NULL);
}
EXPORT_SYMBOL_GPL(trustgate_loader_end);

int trustgate_kfuncs_register(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_LSM, &kfunc_set) ?:
	       register_btf_kfunc_id_set(BPF_PROG_TYPE_CGROUP_DEVICE,
					 &kfunc_set);
}
