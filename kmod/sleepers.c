// SPDX-License-Identifier: GPL-2.0-only
#include "sleepers.h"

static bool due_before(struct rb_node *left, const struct rb_node *right)
{
	return !evring_reached(rb_entry(left, struct evring_sleeper, by_due)->due,
			       rb_entry(right, struct evring_sleeper, by_due)->due);
}

static void put_in_order(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			 u64 due, u64 deadline_ns)
{
	sleeper->due = due;
	sleeper->by_deadline.expires = ns_to_ktime(deadline_ns);
	rb_add_cached(&sleeper->by_due, &sleepers->by_due, due_before);
	timerqueue_add(&sleepers->by_deadline, &sleeper->by_deadline);
}

static void take_out(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper)
{
	rb_erase_cached(&sleeper->by_due, &sleepers->by_due);
	timerqueue_del(&sleepers->by_deadline, &sleeper->by_deadline);
}

void evring_sleepers_init(struct evring_sleepers *sleepers)
{
	sleepers->by_due = RB_ROOT_CACHED;
	timerqueue_init_head(&sleepers->by_deadline);
	INIT_LIST_HEAD(&sleepers->begun);
}

/**
 * evring_sleepers_add() - one more is armed
 * @sleepers: where
 * @sleeper: in none of the doorbell's lists
 * @due: the head that concerns it; less than half the numbers from everybody else's
 * @deadline_ns: KTIME_MAX for never
 */
void evring_sleepers_add(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			 u64 due, u64 deadline_ns)
{
	sleeper->begun = false;
	WRITE_ONCE(sleeper->state, EVRING_SLEEPER_ARMED);
	WRITE_ONCE(sleepers->armed_count, sleepers->armed_count + 1);
	put_in_order(sleepers, sleeper, due, deadline_ns);
}

/**
 * evring_sleepers_move() - something else concerns an armed one from now on
 * @sleepers: where it is armed
 * @sleeper: the one
 * @due: see evring_sleepers_add()
 * @deadline_ns: the same
 */
void evring_sleepers_move(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			  u64 due, u64 deadline_ns)
{
	take_out(sleepers, sleeper);
	put_in_order(sleepers, sleeper, due, deadline_ns);
}

/**
 * evring_sleepers_begin() - the first event of an armed one is there
 * @sleepers: where it is armed
 * @sleeper: one that has not begun
 * @due: its watermark
 * @deadline_ns: when its time is up
 */
void evring_sleepers_begin(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			   u64 due, u64 deadline_ns)
{
	sleeper->begun = true;
	list_add_tail(&sleeper->node, &sleepers->begun);
	WRITE_ONCE(sleepers->begun_count, sleepers->begun_count + 1);
	evring_sleepers_move(sleepers, sleeper, due, deadline_ns);
}

/**
 * evring_sleepers_leave() - an armed one is armed no more
 * @sleepers: where it is armed
 * @sleeper: the one; the caller says what its state is
 */
void evring_sleepers_leave(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper)
{
	take_out(sleepers, sleeper);
	list_del_init(&sleeper->node);
	if (sleeper->begun)
		WRITE_ONCE(sleepers->begun_count, sleepers->begun_count - 1);
	WRITE_ONCE(sleepers->armed_count, sleepers->armed_count - 1);
}
