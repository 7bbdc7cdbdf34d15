// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the carrier: brings the gate's hooks into a running kernel by
 * BPF LSM.
 *
 * Owns: the order in which the carrier comes up and goes down.
 *
 * Must not own: any step of it, or any decision.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/printk.h>

#include "../compat.h"
#include "../core/arm.h"
#include "../hooks.h"
#include "anchor.h"
#include "arm.h"
#include "canary.h"
#include "worker.h"

static const struct trustgate_carrier carrier = {
	.owner = THIS_MODULE,
	.attach = trustgate_arm_attach,
	.detach = trustgate_arm_detach,
	.prove = trustgate_canary_prove,
	.attached = trustgate_arm_attached,
};

/*
 * The anchor comes first: whatever happens after it cannot be undone behind
 * our back. Registering has the engine attach and prove all hooks once, so
 * that now, and not when the first tenant's volume arrives, it shows whether
 * they run on this host. The engine attaches them again when it needs them.
 */
static int __init trustgate_init(void)
{
	int err;

	err = trustgate_anchor_place();
	if (err)
		return err;

	err = trustgate_worker_start();
	if (err)
		goto remove_anchor;

	err = trustgate_arm_load();
	if (err)
		goto stop_worker;

	err = trustgate_carrier_register(&carrier);
	if (err == -EBUSY)
		pr_err("the engine has a carrier of hooks already\n");
	if (err)
		goto unload;
	return 0;

unload:
	trustgate_arm_unload();
stop_worker:
	trustgate_worker_stop();
remove_anchor:
	trustgate_anchor_remove();
	return err;
}

static void __exit trustgate_exit(void)
{
	trustgate_carrier_unregister(&carrier);
	trustgate_arm_detach(TRUSTGATE_SETS_ALL);
	trustgate_arm_unload();
	trustgate_worker_stop();
	trustgate_anchor_remove();
}

module_init(trustgate_init);
module_exit(trustgate_exit);

MODULE_DESCRIPTION("Trustgate: carries the gate's hooks by BPF LSM");
MODULE_LICENSE("GPL");
TRUSTGATE_IMPORT_NS(BPF_INTERNAL);
