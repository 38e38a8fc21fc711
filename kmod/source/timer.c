// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer source: a hard hrtimer on its home CPU publishes one batch for each
 * period, a long one in parts. It never catches up: periods that passed are counted
 * as skipped, and the handler leaves the CPU at least as much time as it took.
 */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "../compat.h"
#include "source.h"

/**
 * struct evring_timer - a timer and the batch it is at
 * @timer: fires for each part of a batch
 * @device: where it publishes
 * @home_cpu: where it fires, or EVRING_HOME_CPU_ANY
 * @node: among those that follow their home CPU
 * @lock: starts and stops of @timer
 * @rate_hz: batches a second, 0 while stopped
 * @period_ns: from one batch to the next
 * @due: when the batch was due
 * @batch_count: events of each
 * @left_count: of this one, still to be published
 * @ticks_skipped: periods that passed without an event
 * @publish_ns: time spent in its handler, all together
 */
struct evring_timer {
	struct hrtimer timer;
	struct evring_device *device;
	u32 home_cpu;
	struct hlist_node node;
	struct mutex lock;	/* start and stop */
	u64 rate_hz;
	u64 period_ns;
	ktime_t due;
	u32 batch_count;
	u32 left_count;
	u64 ticks_skipped;
	u64 publish_ns;
};

/* By value: a word written to a slot may alias the original. */
static void fill(const struct evring_reservation part)
{
	u32 i, word, payload_bytes = min_t(u32, part.payload_bytes, EVRING_TICK_BYTES);

	for (i = 0; i < part.event_count; i++) {
		evring_reserved_type(&part, i, EVRING_EVENT_TICK, payload_bytes);
		for (word = 0; word < payload_bytes / 8; word++)
			evring_reserved_word(&part, i, word,
					     evring_pattern_word(part.sequence + i, word));
		evring_reserved_zero(&part, i, payload_bytes);
	}
}

static void publish_part(struct evring_timer *timer)
{
	struct evring_reservation part;

	if (evring_reserve(timer->device, timer->left_count, &part)) {
		fill(part);
		evring_commit(timer->device, &part);
		timer->left_count = part.left_count;
	} else {
		timer->left_count = 0;
	}
}

/*
 * Hard interrupt, on PREEMPT_RT as well; never beside itself. What one reservation
 * does not hold of a batch comes with the next interrupt, as soon as the CPU has had
 * as much time as this one took.
 */
static enum hrtimer_restart tick(struct hrtimer *hrtimer)
{
	struct evring_timer *timer = container_of(hrtimer, struct evring_timer, timer);
	ktime_t start = ktime_get();
	ktime_t took, next;
	u64 periods;

	if (!timer->left_count) {
		timer->left_count = timer->batch_count;
		timer->due = hrtimer_get_expires(hrtimer);
	}
	publish_part(timer);
	took = ktime_sub(ktime_get(), start);
	WRITE_ONCE(timer->publish_ns, timer->publish_ns + ktime_to_ns(took));
	next = ktime_add_ns(start, 2 * ktime_to_ns(took));
	if (timer->left_count) {
		hrtimer_set_expires(hrtimer, next);
		return HRTIMER_RESTART;
	}
	hrtimer_set_expires(hrtimer, timer->due);
	periods = hrtimer_forward(hrtimer, next, ns_to_ktime(timer->period_ns));
	WRITE_ONCE(timer->ticks_skipped, timer->ticks_skipped + periods - 1);
	return HRTIMER_RESTART;
}

/* On the home CPU, so that the timer is pinned there. */
static void start_here(void *argument)
{
	struct evring_timer *timer = argument;

	hrtimer_start(&timer->timer, ns_to_ktime(timer->period_ns), HRTIMER_MODE_REL_PINNED_HARD);
}

/* Under its lock. At home, or while that is offline where the caller runs. */
static void start_timer(struct evring_timer *timer)
{
	u32 cpu = timer->home_cpu;

	/* Whoever came home first has started it already: it is not queued while it runs. */
	hrtimer_cancel(&timer->timer);
	if (!timer->rate_hz)
		return;
	timer->period_ns = max_t(u64, NSEC_PER_SEC / timer->rate_hz, 1);
	if (cpu == EVRING_HOME_CPU_ANY || smp_call_function_single(cpu, start_here, timer, true))
		start_here(timer);
}

static enum cpuhp_state hotplug_state;

/*
 * A home CPU comes back, on that CPU. When it goes the kernel moves its timers to another
 * one, where they go on.
 */
static int come_home(unsigned int cpu, struct hlist_node *node)
{
	struct evring_timer *timer = hlist_entry(node, struct evring_timer, node);

	if (timer->home_cpu != cpu)
		return 0;
	mutex_lock(&timer->lock);
	start_timer(timer);
	mutex_unlock(&timer->lock);
	return 0;
}

int __init evring_timers_init(void)
{
	int state = cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, "evring/timer:online", come_home,
					    NULL);

	hotplug_state = state;
	return state < 0 ? state : 0;
}

void evring_timers_exit(void)
{
	cpuhp_remove_multi_state(hotplug_state);
}

static int timer_start(struct evring_device *device)
{
	struct evring_timer *timer = evring_data(device);
	int err;

	timer->device = device;
	err = cpuhp_state_add_instance_nocalls(hotplug_state, &timer->node);
	if (err)
		return err;
	mutex_lock(&timer->lock);
	start_timer(timer);
	mutex_unlock(&timer->lock);
	return 0;
}

static void timer_stop(struct evring_device *device)
{
	struct evring_timer *timer = evring_data(device);

	cpuhp_state_remove_instance_nocalls(hotplug_state, &timer->node);
	hrtimer_cancel(&timer->timer);
}

static int check_rate(u64 rate_hz, u32 batch_count)
{
	if (!batch_count)
		return -EINVAL;
	if (rate_hz > EVRING_RATE_HZ_MAX || batch_count > EVRING_BATCH_COUNT_MAX)
		return -ERANGE;
	return 0;
}

/* On return no handler runs at the old rate. */
static int timer_set_rate(struct evring_device *device, u64 rate_hz, u32 batch_count)
{
	struct evring_timer *timer = evring_data(device);
	int err = check_rate(rate_hz, batch_count);

	if (err)
		return err;
	mutex_lock(&timer->lock);
	hrtimer_cancel(&timer->timer);
	WRITE_ONCE(timer->rate_hz, rate_hz);
	WRITE_ONCE(timer->batch_count, batch_count);
	timer->left_count = 0;
	start_timer(timer);
	mutex_unlock(&timer->lock);
	return 0;
}

static void timer_state(struct evring_device *device, struct evring_driver_state *state)
{
	const struct evring_timer *timer = evring_data(device);

	state->rate_hz = READ_ONCE(timer->rate_hz);
	state->batch_count = READ_ONCE(timer->batch_count);
	state->ticks_skipped = READ_ONCE(timer->ticks_skipped);
	state->publish_ns = READ_ONCE(timer->publish_ns);
}

static void timer_release(void *data)
{
	kfree(data);
}

static const struct evring_driver_ops timer_ops = {
	.start = timer_start,
	.stop = timer_stop,
	.set_rate = timer_set_rate,
	.state = timer_state,
	.release = timer_release,
};

static int check_home_cpu(u32 home_cpu)
{
	if (home_cpu == EVRING_HOME_CPU_ANY)
		return 0;
	if (home_cpu >= nr_cpu_ids || !cpu_possible(home_cpu))
		return -EINVAL;
	return cpu_online(home_cpu) ? 0 : -ENXIO;
}

static int check_config(const struct evring_device_config *config)
{
	if (config->flags & ~EVRING_SOURCE_FLAGS)
		return -EINVAL;
	return check_rate(config->rate_hz, config->batch_count) ?: check_home_cpu(config->home_cpu);
}

/**
 * evring_timer_add() - make a timer device
 * @config: from EVRING_IOC_ADD
 *
 * Context: Process context.
 * Return: as evring_register(); -ERANGE for a rate above its bound, -ENXIO for a home
 *         CPU that is offline.
 */
struct evring_device *evring_timer_add(const struct evring_device_config *config)
{
	struct evring_driver_config driver = evring_source_config(config);
	int err = check_config(config);
	struct evring_timer *timer;

	if (err)
		return ERR_PTR(err);
	timer = kzalloc(sizeof(*timer), GFP_KERNEL_ACCOUNT);
	if (!timer)
		return ERR_PTR(-ENOMEM);
	mutex_init(&timer->lock);
	hrtimer_setup(&timer->timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->home_cpu = config->home_cpu;
	timer->rate_hz = config->rate_hz;
	timer->batch_count = config->batch_count;
	driver.flags |= EVRING_DRIVER_SINGLE_CONTEXT;
	if (config->home_cpu != EVRING_HOME_CPU_ANY)
		driver.flags |= EVRING_DRIVER_HOME_CPU;
	driver.home_cpu = config->home_cpu;
	driver.ops = &timer_ops;
	driver.data = timer;
	return evring_register(&driver);
}
