// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bound of publishing: what an event costs a hard timer, by bare stores of its
 * bytes and by the ring. A measurement that runs as the module is loaded; its results
 * are parameters to read. Each interrupt stores @events events by bare stores and as
 * many through driver.h, and reads the clock around each of the two.
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "../compat.h"
#include "../driver.h"

#define SLOT_COUNT	4096
#define SLOT_WORDS	8
#define PAYLOAD_WORDS	5
#define ROUND_COUNT	501	/* interrupts */
#define PERIOD_NS	(200 * NSEC_PER_USEC)

static unsigned int events = 16;
module_param(events, uint, 0444);
MODULE_PARM_DESC(events, "events of each way in one interrupt, at most 256 (16)");

static unsigned int bare_ns;
module_param(bare_ns, uint, 0444);
MODULE_PARM_DESC(bare_ns, "result: of an interrupt's events by bare stores, median");

static unsigned int ring_ns;
module_param(ring_ns, uint, 0444);
MODULE_PARM_DESC(ring_ns, "result: of as many through the ring, median");

static unsigned int published;
module_param(published, uint, 0444);
MODULE_PARM_DESC(published, "result: events that the ring took");

/**
 * struct bare - slots that nobody reads, and the figures
 * @lock: in front, taken by nobody else
 * @head: next sequence
 * @slots: SLOT_COUNT of SLOT_WORDS
 * @timer: fires once for each round
 * @round: how many have passed
 * @done: all of them
 * @bare_ns: of each round
 * @ring_ns: of each round
 */
struct bare {
	raw_spinlock_t lock;
	u64 head;
	u64 *slots;
	struct hrtimer timer;
	unsigned int round;
	struct completion done;
	u32 bare_ns[ROUND_COUNT];
	u32 ring_ns[ROUND_COUNT];
};

static struct bare *bare;
static struct evring_device *device;

/* The bytes of an event in a slot of EVRING_SLOT_FULL, and the one fence of a device. */
static noinline void store_event(u32 type, const void *payload, u32 length_bytes)
{
	u64 *slot;

	raw_spin_lock(&bare->lock);
	slot = bare->slots + (bare->head % SLOT_COUNT) * SLOT_WORDS;
	WRITE_ONCE(slot[1], ktime_get_ns());
	WRITE_ONCE(slot[2], EVRING_TYPE_LENGTH(type, length_bytes));
	__evring_write_words(slot + 3, payload, length_bytes);
	WRITE_ONCE(slot[0], EVRING_STAMP_READY(bare->head));
	WRITE_ONCE(bare->head, bare->head + 1);
	/* (D2) For its price alone. Pairs with (D1), which nobody runs on these slots. */
	smp_mb();
	raw_spin_unlock(&bare->lock);
}

static u32 time_stores(u64 *payload)
{
	u64 start_ns = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < events; i++) {
		payload[0]++;
		store_event(1, payload, PAYLOAD_WORDS * 8);
	}
	return ktime_get_ns() - start_ns;
}

static u32 time_publishes(u64 *payload)
{
	u64 start_ns = ktime_get_ns();
	unsigned int i;

	for (i = 0; i < events; i++) {
		payload[0]++;
		published += evring_publish(device, 1, payload, PAYLOAD_WORDS * 8);
	}
	return ktime_get_ns() - start_ns;
}

/* Hard interrupt. The two ways take turns in being first. */
static enum hrtimer_restart tick(struct hrtimer *timer)
{
	u64 payload[PAYLOAD_WORDS] = {};
	unsigned int round = bare->round;

	if (round % 2)
		bare->ring_ns[round] = time_publishes(payload);
	bare->bare_ns[round] = time_stores(payload);
	if (!(round % 2))
		bare->ring_ns[round] = time_publishes(payload);
	if (++bare->round == ROUND_COUNT) {
		complete(&bare->done);
		return HRTIMER_NORESTART;
	}
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD_NS));
	return HRTIMER_RESTART;
}

static int compare_u32(const void *left, const void *right)
{
	u32 a = *(const u32 *)left, b = *(const u32 *)right;

	return a < b ? -1 : a > b;
}

static u32 median(u32 *values)
{
	sort(values, ROUND_COUNT, sizeof(*values), compare_u32, NULL);
	return values[ROUND_COUNT / 2];
}

static void measure(void)
{
	init_completion(&bare->done);
	hrtimer_setup(&bare->timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	hrtimer_start(&bare->timer, ns_to_ktime(PERIOD_NS), HRTIMER_MODE_REL_PINNED_HARD);
	wait_for_completion(&bare->done);
	hrtimer_cancel(&bare->timer);
	bare_ns = median(bare->bare_ns);
	ring_ns = median(bare->ring_ns);
}

static void free_bare(void)
{
	kvfree(bare->slots);
	kfree(bare);
}

static int __init bare_init(void)
{
	const struct evring_driver_config config = {
		.name = "bare",
		.mode = EVRING_MODE_OVERWRITE,
		.slot_count = SLOT_COUNT,
		.slot_bytes = SLOT_WORDS * 8,
		.slot_format = EVRING_SLOT_FULL,
	};
	int err;

	if (!events || events > 256)
		return -ERANGE;
	bare = kzalloc(sizeof(*bare), GFP_KERNEL);
	if (!bare)
		return -ENOMEM;
	raw_spin_lock_init(&bare->lock);
	bare->slots = kvcalloc(SLOT_COUNT * SLOT_WORDS, sizeof(u64), GFP_KERNEL);
	if (!bare->slots) {
		free_bare();
		return -ENOMEM;
	}
	device = evring_register(&config);
	if (IS_ERR(device)) {
		err = PTR_ERR(device);
		free_bare();
		return err;
	}
	measure();
	return 0;
}

static void __exit bare_exit(void)
{
	evring_unregister(device);
	evring_put(device);
	free_bare();
}

module_init(bare_init);
module_exit(bare_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What an event costs a hard timer: bare stores beside evring");
