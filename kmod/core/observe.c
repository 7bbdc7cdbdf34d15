// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trustgate - volumes that are observed; see observe.h.
 */

#define pr_fmt(fmt) "trustgate: " fmt

#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "decision.h"
#include "event.h"
#include "observe.h"
#include "request.h"

#define TOLD_BITS	6

/**
 * struct told - a repeated access that was recorded
 * @since_ns: begin of the observation, which tells one from another; 0 for an
 *	empty place
 * @start_ns: start_boottime of the process, for a number may be used again
 * @exec_id: its self_exec_id
 * @ino: object
 * @subvolume: object
 * @generation: object
 * @volume_id: object
 * @tgid: process
 * @access: mask of enum trustgate_access
 * @cause: enum trustgate_cause
 * @hook: name of the hook
 */
struct told {
	u64 since_ns;
	u64 start_ns;
	u64 exec_id;
	u64 ino;
	u64 subvolume;
	u32 generation;
	u32 volume_id;
	s32 tgid;
	u32 access;
	u32 cause;
	const char *hook;
};

/* One for each CPU, used with preemption disabled. */
struct told_table {
	struct told places[1 << TOLD_BITS];
};

static struct told_table __percpu *told_tables;

/* Under trustgate_mutex. */
static struct trustgate_observation observations[TRUSTGATE_OBSERVATIONS_MAX];
static unsigned int nr_observations;

static void end_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(ender, end_work);
static struct workqueue_struct *workqueue;

static bool is_same(const struct told *a, const struct told *b)
{
	return a->since_ns == b->since_ns && a->start_ns == b->start_ns &&
	       a->exec_id == b->exec_id && a->ino == b->ino &&
	       a->subvolume == b->subvolume &&
	       a->generation == b->generation &&
	       a->volume_id == b->volume_id && a->tgid == b->tgid &&
	       a->access == b->access && a->cause == b->cause &&
	       a->hook == b->hook;
}

/* Was it recorded a moment ago? If not, it is going to be. */
static bool told_already(const struct trustgate_question *question,
			 const struct trustgate_answer *answer,
			 const char *hook)
{
	const struct task_struct *task = question->task;
	const struct told told = {
		.since_ns = READ_ONCE(question->volume->observed_since_ns),
		.start_ns = task->group_leader->start_boottime,
		.exec_id = task->self_exec_id,
		.ino = question->ino,
		.subvolume = question->subvolume,
		.generation = question->generation,
		.volume_id = question->volume->id,
		.tgid = task_tgid_nr((struct task_struct *)task),
		.access = question->access,
		.cause = answer->cause,
		.hook = hook,
	};
	struct told *place;
	bool same;

	preempt_disable();
	place = &this_cpu_ptr(told_tables)->places[hash_64(told.ino + told.tgid,
							  TOLD_BITS)];
	same = is_same(place, &told);
	if (!same)
		*place = told;
	preempt_enable();
	return same;
}

void trustgate_observe_access(const struct trustgate_question *question,
			      const struct trustgate_answer *answer,
			      const char *hook)
{
	this_cpu_inc(question->volume->counters->observed[answer->cause]);
	if (question->takes_use || !told_already(question, answer, hook))
		trustgate_event_observed(question, answer, hook);
}

static struct trustgate_observation *find(const char *volume_name)
{
	unsigned int i;

	lockdep_assert_held(&trustgate_mutex);
	for (i = 0; i < nr_observations; i++) {
		if (!strcmp(observations[i].volume_name, volume_name))
			return &observations[i];
	}
	return NULL;
}

int trustgate_observe_reserve(const char *volume_name,
			      struct netlink_ext_ack *extack)
{
	if (find(volume_name))
		return 0;
	if (nr_observations == ARRAY_SIZE(observations)) {
		NL_SET_ERR_MSG(extack,
			       "too many other volumes have been observed; reload the module to observe this one");
		return -ENOSPC;
	}
	strscpy(observations[nr_observations++].volume_name, volume_name,
		sizeof(observations[0].volume_name));
	return 0;
}

const struct trustgate_observation *trustgate_observation(unsigned int index)
{
	lockdep_assert_held(&trustgate_mutex);
	return index < nr_observations ? &observations[index] : NULL;
}

/*
 * Only tells of it: the end itself is compared in each check. As the timer does
 * not count in suspend, it looks at least once a minute.
 */
static void look_at(u64 until_ns)
{
	const u64 now_ns = ktime_get_boottime_ns();
	unsigned long delay = 0;

	if (until_ns > now_ns)
		delay = min_t(u64, nsecs_to_jiffies64(until_ns - now_ns) + 1,
			      60 * HZ);
	mod_delayed_work(workqueue, &ender, delay);
}

static void end_work(struct work_struct *work)
{
	const u64 now_ns = ktime_get_boottime_ns();
	struct trustgate_volume *volume;
	u64 next_ns = U64_MAX;
	u32 id = 0;

	guard(mutex)(&trustgate_mutex);
	while ((volume = trustgate_volume_next(id))) {
		const u64 until_ns = volume->settings.observed_until_ns;

		id = volume->id + 1;
		if (!until_ns)
			continue;
		if (until_ns <= now_ns)
			trustgate_observe_end(volume, TRUSTGATE_END_EXPIRED);
		else
			next_ns = min(next_ns, until_ns);
	}
	if (next_ns != U64_MAX)
		look_at(next_ns);
}

void trustgate_observe_begin(struct trustgate_volume *volume, u64 until_ns)
{
	struct trustgate_observation *observation = find(volume->name);
	const u64 now_ns = ktime_get_boottime_ns();

	if (WARN_ON_ONCE(!observation))
		return;
	/* One that the clock has ended is told of before the next. */
	if (!trustgate_observed(volume, now_ns))
		trustgate_observe_end(volume, TRUSTGATE_END_EXPIRED);
	if (!volume->settings.observed_until_ns) {
		WRITE_ONCE(volume->observed_since_ns, now_ns);
		if (!observation->times++)
			observation->since_ns = now_ns;
	}
	observation->until_ns = until_ns;
	trustgate_event_observation(TRUSTGATE_EVENT_TYPE_OBSERVATION_BEGUN,
				    volume, until_ns, TRUSTGATE_END_NONE);
	/* Attaching hooks may have taken until then. */
	pr_warn("volume '%s' is observed for %llu s: accesses are recorded and NOT denied\n",
		volume->name,
		div_u64(until_ns - min(until_ns, now_ns), NSEC_PER_SEC));
	WRITE_ONCE(volume->settings.observed_until_ns, until_ns);
	trustgate_request_close_all(volume->id,
				    TRUSTGATE_REQUEST_END_VOLUME_CHANGED);
	look_at(0);
}

bool trustgate_observe_end(struct trustgate_volume *volume, u32 end)
{
	const u64 until_ns = volume->settings.observed_until_ns;
	struct trustgate_observation *observation = find(volume->name);

	if (!until_ns)
		return false;
	WRITE_ONCE(volume->settings.observed_until_ns, 0);
	if (!WARN_ON_ONCE(!observation))
		observation->until_ns = min(until_ns, ktime_get_boottime_ns());
	trustgate_event_observation(TRUSTGATE_EVENT_TYPE_OBSERVATION_ENDED,
				    volume, 0, end);
	pr_notice("volume '%s' is observed no longer\n", volume->name);
	return true;
}

int trustgate_observe_init(void)
{
	told_tables = alloc_percpu(struct told_table);
	if (!told_tables)
		return -ENOMEM;
	workqueue = alloc_workqueue("trustgate_observe", WQ_UNBOUND, 0);
	if (!workqueue) {
		free_percpu(told_tables);
		return -ENOMEM;
	}
	return 0;
}

void trustgate_observe_exit(void)
{
	cancel_delayed_work_sync(&ender);
	destroy_workqueue(workqueue);
	free_percpu(told_tables);
}
