// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming, disarming, canceling, and the end of it all; states in sleeper.h.
 *
 *   sleeper (process context)               publisher (interrupts off)
 *   put itself among the armed, lower due   store head                   (P3)
 *   (D1) full barrier                       (D2) full barrier, look at due
 *   look at head again, sleep               reached: queue a round
 */
#include <linux/ktime.h>
#include <linux/timekeeping.h>

#include "arm.h"
#include "trace.h"

#define CLOSE_COUNT_MAX	64	/* of one hold of the lock, in process context */

/*
 * Under the lock. A cursor too far ahead to be ordered counts as the furthest;
 * what lies behind head is due now.
 */
static void link_armed(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
		       u64 deadline_ns)
{
	u64 head = READ_ONCE(doorbell->producer->head);
	s64 ahead = sleeper->cursor - head;

	/* A descriptor's may still lie among the fired: its waiters look for themselves. */
	list_del_init(&sleeper->node);
	evring_sleepers_add(&doorbell->sleepers, sleeper,
			    head + clamp_t(s64, ahead, -1, EVRING_FAR) + 1, deadline_ns);
	evring_doorbell_changed(doorbell, head);
	trace_evring_arm(doorbell->device_id, sleeper->cursor, sleeper->wake_events,
			 sleeper->wake_ns);
}

/*
 * What came while the arm was on its way. The sleeper itself is not touched: a
 * command that has fired may be completed and freed by now.
 */
static void look_again(struct evring_doorbell *doorbell)
{
	/*
	 * (D1) The arm before the second look at head, or an event between the
	 * two wakes nobody. Pairs with (D2) and (D3).
	 */
	evring_producer_barrier(doorbell->producer);
	if (evring_reached(READ_ONCE(doorbell->producer->head), READ_ONCE(doorbell->due)))
		irq_work_queue(&doorbell->round);
}

static int check_arm(const struct evring_doorbell *doorbell, const struct evring_sleeper *sleeper)
{
	if (doorbell->closed)
		return -ENODEV;
	return sleeper->canceled ? -ECANCELED : 0;
}

/* A full ring is the most that a sleeper waits for: a gated one never holds more. */
static u32 watermark_of(const struct evring_doorbell *doorbell, u32 wake_events)
{
	return clamp_t(u64, wake_events, 1, evring_slot_count(doorbell->producer->ring));
}

static void take_request(const struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
			 const struct evring_arm *request, u64 now_ns)
{
	u64 bound_ns = (u64)EVRING_IDLE_BOUND_MS * NSEC_PER_MSEC;

	sleeper->cursor = request->cursor;
	sleeper->wake_ns = min_t(u64, (u64)request->wake_us * NSEC_PER_USEC, bound_ns);
	sleeper->wake_events = sleeper->wake_ns ? watermark_of(doorbell, request->wake_events) : 1;
	sleeper->latest_ns = now_ns + bound_ns;
}

/**
 * evring_arm() - arm with moderation, in place of an arm that there is
 * @doorbell: of the device
 * @sleeper: initialized; of a command, not armed before
 * @request: see struct evring_arm; every value is fine
 *
 * On return a command may be completed already. All of a request is taken, or
 * all of another one that came at the same time.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENODEV after removal; -ECANCELED.
 */
int evring_arm(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
	       const struct evring_arm *request)
{
	u64 idle_ms = min_t(u64, request->max_idle_ms ?: EVRING_IDLE_BOUND_MS,
			    EVRING_IDLE_BOUND_MS);
	u64 now_ns = ktime_get_ns();
	int err;

	raw_spin_lock_irq(&doorbell->lock);
	err = check_arm(doorbell, sleeper);
	if (!err) {
		if (sleeper->state == EVRING_SLEEPER_ARMED)
			evring_sleepers_leave(&doorbell->sleepers, sleeper);
		take_request(doorbell, sleeper, request, now_ns);
		link_armed(doorbell, sleeper, now_ns + idle_ms * NSEC_PER_MSEC);
	}
	raw_spin_unlock_irq(&doorbell->lock);
	if (!err)
		look_again(doorbell);
	return err;
}

/**
 * evring_arm_simple() - arm for the first event at or past a sequence
 * @doorbell: of the device
 * @sleeper: of a descriptor; an arm that there is stays
 * @cursor: the sequence
 *
 * Context: Process context, may sleep.
 * Return: 0, also when it was armed; -ENODEV after removal.
 */
int evring_arm_simple(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper,
		      u64 cursor)
{
	int err;

	raw_spin_lock_irq(&doorbell->lock);
	err = check_arm(doorbell, sleeper);
	if (!err && sleeper->state != EVRING_SLEEPER_ARMED) {
		sleeper->cursor = cursor;
		sleeper->wake_events = 1;
		sleeper->wake_ns = 0;
		sleeper->latest_ns = KTIME_MAX;
		link_armed(doorbell, sleeper, KTIME_MAX);
	}
	raw_spin_unlock_irq(&doorbell->lock);
	if (!err)
		look_again(doorbell);
	return err;
}

/**
 * evring_disarm() - take an arm back without a wake-up
 * @doorbell: of the device
 * @sleeper: of a descriptor
 *
 * Context: Process context.
 */
void evring_disarm(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper)
{
	raw_spin_lock_irq(&doorbell->lock);
	if (sleeper->state == EVRING_SLEEPER_ARMED)
		evring_sleepers_leave(&doorbell->sleepers, sleeper);
	else
		list_del_init(&sleeper->node);
	WRITE_ONCE(sleeper->state, EVRING_SLEEPER_IDLE);
	evring_doorbell_changed(doorbell, READ_ONCE(doorbell->producer->head));
	raw_spin_unlock_irq(&doorbell->lock);
}

/**
 * evring_cancel() - end one command with -ECANCELED, unless it has fired
 * @doorbell: of the device
 * @sleeper: of a command
 *
 * Context: Process context.
 */
void evring_cancel(struct evring_doorbell *doorbell, struct evring_sleeper *sleeper)
{
	raw_spin_lock_irq(&doorbell->lock);
	sleeper->canceled = true;
	if (sleeper->state == EVRING_SLEEPER_ARMED)
		evring_doorbell_fire(doorbell, sleeper, -ECANCELED);
	evring_doorbell_changed(doorbell, READ_ONCE(doorbell->producer->head));
	raw_spin_unlock_irq(&doorbell->lock);
	irq_work_queue(&doorbell->round);
}

/* Tells some of the armed that the device is gone. Returns whether there are more. */
static bool close_some(struct evring_doorbell *doorbell)
{
	struct evring_sleeper *sleeper;
	unsigned int i;

	raw_spin_lock_irq(&doorbell->lock);
	WRITE_ONCE(doorbell->closed, true);
	for (i = 0; i < CLOSE_COUNT_MAX; i++) {
		sleeper = evring_sleepers_first_due(&doorbell->sleepers);
		if (!sleeper)
			break;
		evring_doorbell_fire(doorbell, sleeper, -ENODEV);
	}
	raw_spin_unlock_irq(&doorbell->lock);
	irq_work_queue(&doorbell->round);
	return sleeper;
}

/**
 * evring_doorbell_close() - wake everyone with -ENODEV; nobody arms after this
 * @doorbell: of a device that is being removed
 *
 * Context: Process context, may sleep.
 */
void evring_doorbell_close(struct evring_doorbell *doorbell)
{
	while (close_some(doorbell))
		cond_resched();
	hrtimer_cancel(&doorbell->timer);
}
