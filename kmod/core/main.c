// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the engine's module: what is brought up in which order.
 *
 * Owns: the ladder of init and its mirror.
 *
 * Must not own: anything else.
 */

#include <linux/init.h>
#include <linux/module.h>

#include "agent.h"
#include "ask.h"
#include "ending.h"
#include "event.h"
#include "gate.h"
#include "grant.h"
#include "kfuncs.h"
#include "netlink.h"
#include "observe.h"
#include "recent.h"
#include "request.h"
#include "sweep.h"

/*
 * Tables come first, then what works on them, then what lets requests in, and
 * last what lets hooks in: registered kfuncs cannot be withdrawn.
 */
static int __init trustgate_core_init(void)
{
	int err;

	err = trustgate_grant_init();
	if (err)
		return err;
	err = trustgate_recent_init();
	if (err)
		goto err_grant;
	err = trustgate_observe_init();
	if (err)
		goto err_recent;
	err = trustgate_event_init();
	if (err)
		goto err_observe;
	err = trustgate_request_init();
	if (err)
		goto err_event;
	err = trustgate_sweep_init();
	if (err)
		goto err_request;
	err = trustgate_ending_init();
	if (err)
		goto err_sweep;
	err = trustgate_gate_init();
	if (err)
		goto err_ending;
	err = trustgate_agent_init();
	if (err)
		goto err_gate;
	err = trustgate_netlink_init();
	if (err)
		goto err_agent;
	err = trustgate_kfuncs_register();
	if (err)
		goto err_netlink;
	return 0;

err_netlink:
	trustgate_event_stop();
	trustgate_netlink_exit();
err_agent:
	trustgate_agent_exit();
err_gate:
	trustgate_gate_exit();
err_ending:
	trustgate_ending_exit();
err_sweep:
	trustgate_sweep_exit();
err_request:
	trustgate_request_exit();
err_event:
	trustgate_event_exit();
err_observe:
	trustgate_observe_exit();
err_recent:
	trustgate_recent_exit();
err_grant:
	trustgate_grant_exit();
	return err;
}

static void __exit trustgate_core_exit(void)
{
	trustgate_event_stop();
	trustgate_netlink_exit();
	trustgate_agent_exit();
	trustgate_gate_exit();
	trustgate_ending_exit();
	trustgate_sweep_exit();
	trustgate_ask_exit();
	trustgate_request_exit();
	trustgate_event_exit();
	trustgate_observe_exit();
	trustgate_recent_exit();
	trustgate_grant_exit();
}

module_init(trustgate_core_init);
module_exit(trustgate_core_exit);

MODULE_DESCRIPTION("Trustgate access gate: decisions, grants, netlink");
MODULE_AUTHOR("Trustgate developers");
MODULE_LICENSE("GPL");
