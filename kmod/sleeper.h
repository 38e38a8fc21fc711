/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sleeper: whoever waits for a sequence, and how it is woken. What it is, a
 * descriptor's poll or a command of io_uring, only its own wake() knows.
 *
 *        arm              a round of the doorbell, cancel, removal
 *   IDLE ----> ARMED ------------------------> FIRED ----> wake(), once
 *                (one claim, under the doorbell's raw lock)
 */
#ifndef _EVRING_SLEEPER_H
#define _EVRING_SLEEPER_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/timerqueue.h>
#include <linux/types.h>

enum evring_sleeper_state {
	EVRING_SLEEPER_IDLE,
	EVRING_SLEEPER_ARMED,
	EVRING_SLEEPER_FIRED,
};

/**
 * struct evring_sleeper - one that waits; a part of what it belongs to
 * @wake: told once for each arm that fired, with @result; in a thread, or in
 *        hard interrupt where the owner chose so; the caller's last look at it
 * @result: events, or a negative errno
 * @state: enum evring_sleeper_state; all but @wake changes under the doorbell's lock
 * @canceled: a cancel came before the arm
 * @begun: its first event is there; @by_deadline counts from that
 * @wake_events: doorbell when head - @cursor reaches this
 * @cursor: its next sequence
 * @wake_ns: doorbell this long after the first event
 * @latest_ns: it sleeps no longer than until then
 * @due: the head that concerns it next: the first event's, then the watermark's
 * @by_due: its place among the armed, by @due
 * @by_deadline: the same, by the time at which the timer looks at it
 * @node: among those that have begun, then among those that were fired
 */
struct evring_sleeper {
	void (*wake)(struct evring_sleeper *sleeper);
	int result;
	enum evring_sleeper_state state;
	bool canceled;
	bool begun;
	u32 wake_events;
	u64 cursor;
	u64 wake_ns;
	u64 latest_ns;
	u64 due;
	struct rb_node by_due;
	struct timerqueue_node by_deadline;
	struct list_head node;
};

static inline void evring_sleeper_init(struct evring_sleeper *sleeper,
				       void (*wake)(struct evring_sleeper *sleeper))
{
	sleeper->wake = wake;
	timerqueue_init(&sleeper->by_deadline);
	INIT_LIST_HEAD(&sleeper->node);
}

#endif /* _EVRING_SLEEPER_H */
