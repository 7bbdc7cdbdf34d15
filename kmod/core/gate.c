// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - the gate as a whole; see gate.h.
 */

#define pr_fmt(fmt) "trustgate: " fmt

#include <linux/bits.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netlink.h>
#include <linux/panic.h>
#include <linux/reboot.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "../hooks.h"
#include "arm.h"
#include "ending.h"
#include "event.h"
#include "gate.h"
#include "grant.h"
#include "observe.h"
#include "request.h"
#include "taint.h"

#define HOOK_SET(name, set, ...) [TRUSTGATE_HOOK_##name] = TRUSTGATE_SET_##set,

static const u8 set_of[TRUSTGATE_HOOK_COUNT] = {
	TRUSTGATE_HOOKS(HOOK_SET, HOOK_SET, HOOK_SET)
};

static unsigned int proof_interval_s = 10;
module_param(proof_interval_s, uint, 0444);
MODULE_PARM_DESC(proof_interval_s, "Seconds between proofs that the hooks run, 0 for a proof only when a volume is added (default 10)");

static bool panic_on_broken;
module_param(panic_on_broken, bool, 0644);
MODULE_PARM_DESC(panic_on_broken, "Panic when a proof fails, as tenants' data may be open then (default off)");

/* All under trustgate_mutex; armed is read without it, too. */
static const struct trustgate_carrier *carrier;
static unsigned int armed;	/* sets attached; any holds the carrier's module */
static bool broken;
static u64 proofs;
static u64 proof_boottime_ns;

/* How long who released a volume waits for the consequences. */
#define SETTLE_JIFFIES	(10 * HZ)

/* How long a reboot waits for filesystems that are just being let go. */
#define REBOOT_JIFFIES	(5 * HZ)

static DECLARE_WAIT_QUEUE_HEAD(settling);

/*
 * Volumes that hooks no longer find and whose filesystem is still held, and
 * those of them that are still waited for. Who has waited in vain begins a new
 * round, and only volumes of the newest round are waited for. All are written
 * under leaving_lock and read without it, too.
 */
static DEFINE_SPINLOCK(leaving_lock);
static unsigned int nr_leaving;
static unsigned int nr_awaited;
static u32 round;

static void watchdog_work(struct work_struct *work);
static void disarm_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(watchdog, watchdog_work);
static DECLARE_WORK(disarmer, disarm_work);
static struct workqueue_struct *workqueue;

static u64 hooks_of(unsigned int sets)
{
	u64 hooks = 0;
	int i;

	for (i = 0; i < TRUSTGATE_HOOK_COUNT; i++) {
		if (set_of[i] & sets)
			hooks |= BIT_ULL(i);
	}
	return hooks;
}

/* Which sets of hooks the volumes call for. */
static unsigned int needed(void)
{
	return (trustgate_volume_count() ? TRUSTGATE_SET_VOLUME : 0) |
	       (trustgate_volume_any_hidden() ? TRUSTGATE_SET_METADATA : 0);
}

static int prove(unsigned int sets)
{
	int err;

	lockdep_assert_held(&trustgate_mutex);
	err = carrier ? carrier->prove() : -ENOTCONN;
	/* What is not attached is not proved. */
	if (!err && hooks_of(sets) & ~carrier->attached()) {
		pr_err("a hook is not attached\n");
		err = -EOPNOTSUPP;
	}
	if (!err) {
		proofs++;
		proof_boottime_ns = ktime_get_boottime_ns();
		if (broken) {
			broken = false;
			pr_notice("the proof succeeds again\n");
			trustgate_event_gate(TRUSTGATE_EVENT_TYPE_GATE_REPAIRED);
		}
	}
	return err;
}

static void watch(void)
{
	if (proof_interval_s)
		queue_delayed_work(workqueue, &watchdog,
				   (unsigned long)proof_interval_s * HZ);
}

int trustgate_carrier_register(const struct trustgate_carrier *offer)
{
	int err;

	guard(mutex)(&trustgate_mutex);
	if (carrier)
		return -EBUSY;
	err = offer->attach(TRUSTGATE_SETS_ALL);
	if (err)
		return err;
	carrier = offer;
	err = prove(TRUSTGATE_SETS_ALL);
	/*
	 * Volumes whose former carrier was unloaded by force wait for this. Who
	 * calls us is being loaded, so its module is there to be held.
	 */
	if (!err && trustgate_volume_count()) {
		__module_get(offer->owner);
		WRITE_ONCE(armed, TRUSTGATE_SETS_ALL);
		queue_work(workqueue, &disarmer);
		watch();
		return 0;
	}
	offer->detach(TRUSTGATE_SETS_ALL);
	if (err)
		carrier = NULL;
	return err;
}
EXPORT_SYMBOL_GPL(trustgate_carrier_register);

void trustgate_carrier_unregister(const struct trustgate_carrier *offer)
{
	mutex_lock(&trustgate_mutex);
	if (carrier == offer)
		carrier = NULL;
	WRITE_ONCE(armed, 0);
	/* Only rmmod -f comes here with volumes. */
	if (trustgate_volume_count() && !broken) {
		broken = true;
		trustgate_event_gate(TRUSTGATE_EVENT_TYPE_GATE_BROKEN);
		pr_crit("the hooks were unloaded by force: %u volumes are OPEN; reboot the host\n",
			trustgate_volume_count());
	}
	mutex_unlock(&trustgate_mutex);
	cancel_delayed_work_sync(&watchdog);
}
EXPORT_SYMBOL_GPL(trustgate_carrier_unregister);

static void watchdog_work(struct work_struct *work)
{
	int err;

	guard(mutex)(&trustgate_mutex);
	if (!trustgate_volume_count() || !carrier)
		return;
	err = prove(armed);
	/* Out of memory says nothing about the hooks; the next time it may. */
	if (err && err != -ENOMEM && !broken) {
		broken = true;
		trustgate_event_gate(TRUSTGATE_EVENT_TYPE_GATE_BROKEN);
		pr_crit("a hook does not run (%d): %u volumes may be OPEN; stop access to them and reboot\n",
			err, trustgate_volume_count());
		if (panic_on_broken)
			panic("trustgate: a hook does not run");
	}
	watch();
}

static int arm(unsigned int sets, struct netlink_ext_ack *extack)
{
	const unsigned int more = sets & ~armed;
	int err;

	if (!carrier) {
		NL_SET_ERR_MSG(extack, "no hooks are loaded: modprobe trustgate");
		return -ENOTCONN;
	}
	if (more) {
		if (!armed && !try_module_get(carrier->owner)) {
			NL_SET_ERR_MSG(extack, "the module trustgate is being unloaded");
			return -ENOTCONN;
		}
		err = carrier->attach(more);
		if (err) {
			NL_SET_ERR_MSG(extack, "hooks could not be attached; see the kernel log");
			if (!armed)
				module_put(carrier->owner);
			return err;
		}
		WRITE_ONCE(armed, armed | more);
	}
	err = prove(armed);
	if (err) {
		NL_SET_ERR_MSG(extack, "the proof that the hooks run failed; see the kernel log");
		queue_work(workqueue, &disarmer);
	}
	return err;
}

/* Detaching waits for every task of the host, so requests do not wait for it. */
static void disarm_work(struct work_struct *work)
{
	unsigned int idle;

	scoped_guard(mutex, &trustgate_mutex) {
		idle = armed & ~needed();
		if (!idle)
			break;
		carrier->detach(idle);
		if (idle & TRUSTGATE_SET_VOLUME)
			trustgate_taint_forget_all();
		WRITE_ONCE(armed, armed & ~idle);
		if (armed)
			break;
		module_put(carrier->owner);
		broken = false;
	}
	wake_up_all(&settling);
}

static void farewell_work(struct work_struct *work)
{
	struct trustgate_volume *volume =
		container_of(to_rcu_work(work), struct trustgate_volume,
			     farewell);
	const u32 since = volume->farewell_round;

	trustgate_volume_discard(volume);
	/* The device is closed late by a kernel thread: have it closed. */
	flush_delayed_fput();
	scoped_guard(spinlock, &leaving_lock) {
		WRITE_ONCE(nr_leaving, nr_leaving - 1);
		if (since == round)
			WRITE_ONCE(nr_awaited, nr_awaited - 1);
	}
	wake_up_all(&settling);
}

static unsigned int sets_for(const struct trustgate_settings *settings)
{
	return TRUSTGATE_SET_VOLUME |
	       (settings->metadata == TRUSTGATE_METADATA_HIDDEN ?
		TRUSTGATE_SET_METADATA : 0);
}

static void observe(struct trustgate_volume *volume, u64 until_ns)
{
	if (until_ns == volume->settings.observed_until_ns)
		return;
	if (until_ns)
		trustgate_observe_begin(volume, until_ns);
	else if (trustgate_observe_end(volume, TRUSTGATE_END_REVOKED))
		synchronize_rcu();
}

int trustgate_gate_configure(struct trustgate_volume *volume,
			     const struct trustgate_settings *settings,
			     struct netlink_ext_ack *extack)
{
	int err;

	lockdep_assert_held(&trustgate_mutex);
	if (settings->observed_until_ns) {
		err = trustgate_observe_reserve(volume->name, extack);
		if (err)
			return err;
	}
	if (sets_for(settings) & ~sets_for(&volume->settings)) {
		err = arm(sets_for(settings), extack);
		if (err)
			return err;
	}
	volume->settings.max_duration_ns = settings->max_duration_ns;
	volume->settings.on_agent_loss = settings->on_agent_loss;
	volume->settings.least_on_end = settings->least_on_end;
	WRITE_ONCE(volume->settings.audit, settings->audit);
	WRITE_ONCE(volume->settings.record, settings->record);
	WRITE_ONCE(volume->settings.metadata, settings->metadata);
	WRITE_ONCE(volume->settings.ask_ns, settings->ask_ns);
	if (!settings->ask_ns)
		trustgate_request_close_all(volume->id,
					    TRUSTGATE_REQUEST_END_VOLUME_CHANGED);
	trustgate_event_volume(TRUSTGATE_EVENT_TYPE_VOLUME_CHANGED, volume);
	observe(volume, settings->observed_until_ns);
	if (armed & ~needed())
		queue_work(workqueue, &disarmer);
	return 0;
}

struct trustgate_volume *
trustgate_gate_protect(const struct path *path, const char *name,
		       const struct trustgate_settings *settings,
		       struct netlink_ext_ack *extack)
{
	struct trustgate_settings at_first = *settings;
	struct trustgate_volume *volume;
	int err = 0;

	lockdep_assert_held(&trustgate_mutex);

	at_first.observed_until_ns = 0;
	volume = trustgate_volume_create(path, name, &at_first, extack);
	if (IS_ERR(volume))
		return volume;
	if (settings->observed_until_ns)
		err = trustgate_observe_reserve(name, extack);
	err = err ?: arm(sets_for(settings), extack);
	if (err) {
		/* The caller's path keeps the filesystem active. */
		trustgate_volume_discard(volume);
		return ERR_PTR(err);
	}
	trustgate_event_volume(TRUSTGATE_EVENT_TYPE_VOLUME_ADDED, volume);
	/* Nothing is denied in between. */
	observe(volume, settings->observed_until_ns);
	trustgate_volume_protect(volume);
	watch();
	return volume;
}

u64 trustgate_gate_release(struct trustgate_volume *volume)
{
	u64 ended;

	lockdep_assert_held(&trustgate_mutex);
	ended = trustgate_grant_end_volume(volume,
					   TRUSTGATE_END_VOLUME_REMOVED);
	trustgate_ending_drop(volume);
	trustgate_observe_end(volume, TRUSTGATE_END_VOLUME_REMOVED);
	trustgate_event_volume(TRUSTGATE_EVENT_TYPE_VOLUME_REMOVED, volume);
	trustgate_volume_remove(volume);
	/* Hooks that still see the volume raise no more. */
	WRITE_ONCE(volume->settings.ask_ns, 0);
	trustgate_request_close_all(volume->id,
				    TRUSTGATE_REQUEST_END_VOLUME_CHANGED);
	scoped_guard(spinlock, &leaving_lock) {
		WRITE_ONCE(nr_leaving, nr_leaving + 1);
		WRITE_ONCE(nr_awaited, nr_awaited + 1);
		volume->farewell_round = round;
	}
	INIT_RCU_WORK(&volume->farewell, farewell_work);
	queue_rcu_work(workqueue, &volume->farewell);
	if (armed & ~needed())
		queue_work(workqueue, &disarmer);
	return ended;
}

static bool is_settled(void)
{
	return !READ_ONCE(nr_awaited) &&
	       (!READ_ONCE(armed) || trustgate_volume_count());
}

/* One device that hangs is waited for once, not by everybody who comes later. */
void trustgate_gate_settle(void)
{
	const u32 since = READ_ONCE(round);

	might_sleep();
	if (wait_event_killable_timeout(settling, is_settled(),
					SETTLE_JIFFIES))
		return;
	scoped_guard(spinlock, &leaving_lock) {
		if (round != since)
			break;
		WRITE_ONCE(round, round + 1);
		WRITE_ONCE(nr_awaited, 0);
	}
	wake_up_all(&settling);
}

void trustgate_gate_bury(void)
{
	struct trustgate_volume *volume;
	u32 id = 0;

	lockdep_assert_held(&trustgate_mutex);
	while ((volume = trustgate_volume_next(id))) {
		id = volume->id + 1;
		if (READ_ONCE(volume->gone))
			trustgate_gate_release(volume);
	}
}

void trustgate_gate_report(struct trustgate_gate_report *report)
{
	lockdep_assert_held(&trustgate_mutex);
	report->state = broken ? TRUSTGATE_GATE_STATE_BROKEN :
			trustgate_volume_count() ? TRUSTGATE_GATE_STATE_ARMED :
			TRUSTGATE_GATE_STATE_IDLE;
	report->proofs = proofs;
	report->proof_boottime_ns = proof_boottime_ns;
	report->attached = carrier ? carrier->attached() : 0;
}

/* Without this, a filesystem unmounted for the reboot would stay dirty. */
static int rebooting(struct notifier_block *nb, unsigned long event, void *data)
{
	trustgate_volume_unpin_all();
	wait_event_timeout(settling, !READ_ONCE(nr_leaving), REBOOT_JIFFIES);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = {
	.notifier_call = rebooting,
};

int trustgate_gate_init(void)
{
	int err;

	workqueue = alloc_workqueue("trustgate_gate", WQ_UNBOUND, 0);
	if (!workqueue)
		return -ENOMEM;
	err = register_reboot_notifier(&reboot_notifier);
	if (err)
		destroy_workqueue(workqueue);
	return err;
}

void trustgate_gate_exit(void)
{
	struct trustgate_volume *volume;

	unregister_reboot_notifier(&reboot_notifier);
	cancel_delayed_work_sync(&watchdog);

	/* Only rmmod -f of the carrier leaves any. */
	mutex_lock(&trustgate_mutex);
	while ((volume = trustgate_volume_next(0)))
		trustgate_gate_release(volume);
	mutex_unlock(&trustgate_mutex);
	wait_event(settling, !READ_ONCE(nr_leaving));
	destroy_workqueue(workqueue);
}
