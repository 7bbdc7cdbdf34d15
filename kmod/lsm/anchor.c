// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - what keeps the tracing machinery switched on; see anchor.h.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/printk.h>

#include "anchor.h"

static atomic_t pulls = ATOMIC_INIT(0);

/* The one function that is traced, so that nothing else gets slower. */
static noinline void chain(void)
{
	barrier();
}

static void pulled(unsigned long ip, unsigned long parent_ip,
		   struct ftrace_ops *ops, struct ftrace_regs *regs)
{
	atomic_inc(&pulls);
}

static struct ftrace_ops anchor = {
	.func = pulled,
	.flags = FTRACE_OPS_FL_PERMANENT,
};

bool trustgate_anchor_holds(void)
{
	int before = atomic_read(&pulls);

	chain();
	return atomic_read(&pulls) != before;
}

int trustgate_anchor_place(void)
{
	int err;

	err = ftrace_set_filter_ip(&anchor, (unsigned long)chain, 0, 1);
	if (err) {
		pr_err("cannot trace a function of this module: %pe; the kernel needs CONFIG_DYNAMIC_FTRACE, and the module must be built by the kernel's own build\n",
		       ERR_PTR(err));
		return err;
	}

	err = register_ftrace_function(&anchor);
	if (err == -EBUSY)
		pr_err("ftrace is switched off, which keeps every BPF LSM program from running; switch it on with `sysctl kernel.ftrace_enabled=1` and load this module again\n");
	else if (err)
		pr_err("cannot register with ftrace: %pe; ftrace has shut itself down after an error, which only a reboot mends\n",
		       ERR_PTR(err));
	if (err)
		goto free_filter;

	if (!trustgate_anchor_holds()) {
		pr_err("ftrace accepts functions but does not trace them; switch it on with `sysctl kernel.ftrace_enabled=1` and load this module again\n");
		trustgate_anchor_remove();
		return -EBUSY;
	}
	return 0;

free_filter:
	ftrace_free_filter(&anchor);
	return err;
}

void trustgate_anchor_remove(void)
{
	unregister_ftrace_function(&anchor);
	ftrace_free_filter(&anchor);
}
