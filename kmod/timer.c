// SPDX-License-Identifier: GPL-2.0-only
/*
 * The timer source: a hard hrtimer on its home CPU publishes one batch for each
 * period, a long one in parts. It never catches up: periods that passed are counted
 * as skipped, and the handler leaves the CPU at least as much time as it took.
 */
#include <linux/cpumask.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "compat.h"
#include "driver.h"
#include "source.h"

/**
 * struct evring_timer - a timer and the batch it is at
 * @timer: fires for each part of a batch
 * @device: where it publishes
 * @period_ns: from one batch to the next
 * @due: when the batch was due
 * @batch_count: events of each
 * @left_count: of this one, still to be published
 * @payload_bytes: of each event
 */
struct evring_timer {
	struct hrtimer timer;
	struct evring_device *device;
	u64 period_ns;
	ktime_t due;
	u32 batch_count;
	u32 left_count;
	u32 payload_bytes;
};

/* By value: a word written to a slot may alias the original. */
static void fill(const struct evring_reservation part, u32 payload_bytes)
{
	u32 i, word;

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
		fill(part, timer->payload_bytes);
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
	struct evring_device *device = timer->device;
	ktime_t start = ktime_get();
	ktime_t took, next;
	u64 periods;

	if (!timer->left_count) {
		timer->left_count = timer->batch_count;
		timer->due = hrtimer_get_expires(hrtimer);
	}
	publish_part(timer);
	took = ktime_sub(ktime_get(), start);
	WRITE_ONCE(device->publish_ns, device->publish_ns + ktime_to_ns(took));
	next = ktime_add_ns(start, 2 * ktime_to_ns(took));
	if (timer->left_count) {
		hrtimer_set_expires(hrtimer, next);
		return HRTIMER_RESTART;
	}
	hrtimer_set_expires(hrtimer, timer->due);
	periods = hrtimer_forward(hrtimer, next, ns_to_ktime(timer->period_ns));
	WRITE_ONCE(device->ticks_skipped, device->ticks_skipped + periods - 1);
	return HRTIMER_RESTART;
}

/* On the home CPU, so that the timer is pinned there. */
static void start_here(void *argument)
{
	struct evring_timer *timer = argument;

	hrtimer_start(&timer->timer, ns_to_ktime(timer->period_ns), HRTIMER_MODE_REL_PINNED_HARD);
}

static int start_timer(struct evring_device *device)
{
	struct evring_timer *timer = device->source_data;
	int cpu = device->home_cpu;

	if (!device->rate_hz)
		return 0;
	timer->period_ns = max_t(u64, NSEC_PER_SEC / device->rate_hz, 1);
	timer->batch_count = device->batch_count;
	timer->left_count = 0;
	if (cpu == EVRING_HOME_CPU_ANY)
		cpu = raw_smp_processor_id();
	return smp_call_function_single(cpu, start_here, timer, true);
}

static void timer_stop(struct evring_device *device)
{
	struct evring_timer *timer = device->source_data;

	hrtimer_cancel(&timer->timer);
}

/* On return no handler runs at the old rate. */
static int timer_set_rate(struct evring_device *device, u64 rate_hz, u32 batch_count)
{
	timer_stop(device);
	WRITE_ONCE(device->rate_hz, rate_hz);
	WRITE_ONCE(device->batch_count, batch_count);
	return start_timer(device);
}

static int timer_init(struct evring_device *device)
{
	struct evring_timer *timer = kzalloc(sizeof(*timer), GFP_KERNEL_ACCOUNT);

	if (!timer)
		return -ENOMEM;
	hrtimer_setup(&timer->timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->device = device;
	timer->payload_bytes = min_t(u32, device->ring.payload_bytes, EVRING_TICK_BYTES);
	device->source_data = timer;
	return 0;
}

static void timer_free(struct evring_device *device)
{
	kfree(device->source_data);
}

/**
 * evring_timer_check() - is this a rate that a timer may have
 * @rate_hz: interrupts a second, 0 for none
 * @batch_count: events for each
 *
 * Return: 0; -EINVAL for a batch of none; -ERANGE above a bound.
 */
int evring_timer_check(u64 rate_hz, u32 batch_count)
{
	if (!batch_count)
		return -EINVAL;
	if (rate_hz > EVRING_RATE_HZ_MAX || batch_count > EVRING_BATCH_COUNT_MAX)
		return -ERANGE;
	return 0;
}

const struct evring_source_ops evring_timer_ops = {
	.init = timer_init,
	.start = start_timer,
	.stop = timer_stop,
	.set_rate = timer_set_rate,
	.free = timer_free,
};
