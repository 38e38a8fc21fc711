// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that is late: it publishes while its device is unregistered and after that,
 * by every function there is, from a hard timer and from here. Does not load when any of
 * it is published, or when anything before is not.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/module.h>

#include <evring/driver.h>

static struct evring_device *ring;
static struct hrtimer timer;
static u64 published;

static enum hrtimer_restart tick(struct hrtimer *hrtimer)
{
	published += evring_publish(ring, 1, &published, sizeof(published));
	hrtimer_forward_now(hrtimer, ns_to_ktime(20 * NSEC_PER_USEC));
	return HRTIMER_RESTART;
}

/* Of the kernels that the guests boot. */
static void start_timer(void)
{
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer.function = tick;
	hrtimer_start(&timer, ns_to_ktime(20 * NSEC_PER_USEC), HRTIMER_MODE_REL_HARD);
}

/* How many of three ways to publish were not refused. */
static u32 publish_all_ways(void)
{
	const struct evring_event event = { .type = 1, .length_bytes = 8, .payload = &published };
	struct evring_reservation reservation;
	u32 accepted = evring_publish(ring, 1, &published, sizeof(published));

	accepted += evring_publish_batch(ring, &event, 1);
	if (evring_reserve(ring, 1, &reservation)) {
		evring_reserved_event(&reservation, 0, 1, &published, sizeof(published));
		evring_commit(ring, &reservation);
		accepted++;
	}
	evring_flush_doorbell(ring);
	return accepted;
}

/* Whether a reservation of nothing says where it would have been. */
static bool nothing_is_told(u64 sequence)
{
	struct evring_reservation nothing;

	memset(&nothing, 0xff, sizeof(nothing));
	return !evring_reserve(ring, 0, &nothing) && nothing.sequence == sequence &&
	       nothing.payload_bytes == 40 && !nothing.event_count && !nothing.left_count;
}

static int be_late(void)
{
	bool told = nothing_is_told(0);
	u32 before = publish_all_ways(), after;
	u64 at_end;

	start_timer();
	msleep(20);
	evring_unregister(ring);
	at_end = READ_ONCE(published);
	msleep(20);
	hrtimer_cancel(&timer);
	after = publish_all_ways();
	told &= nothing_is_told(3 + published);
	pr_info("late_driver: %u of 3 before, %llu by timer, %llu and %u after the end\n", before,
		at_end, published - at_end, after);
	return told && before == 3 && at_end && published == at_end && !after ? 0 : -EIO;
}

static int __init late_init(void)
{
	const struct evring_driver_config config = {
		.name = "late",
		.slot_count = 64,
		.slot_bytes = EVRING_SLOT_BYTES_DEFAULT,
		.slot_format = EVRING_SLOT_FULL,
	};
	int err;

	ring = evring_register(&config);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	err = be_late();
	evring_put(ring);
	return err;
}

static void __exit late_exit(void)
{
}

module_init(late_init);
module_exit(late_exit);
MODULE_DESCRIPTION("Publishes after it has unregistered");
MODULE_LICENSE("GPL");
