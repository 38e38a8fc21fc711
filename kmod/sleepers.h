/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The armed sleepers of a device, in the order of what concerns them next and in
 * the order of their deadlines: the first of either is at hand, adding and leaving
 * cost the logarithm of their number. Under the doorbell's lock throughout.
 */
#ifndef _EVRING_SLEEPERS_H
#define _EVRING_SLEEPERS_H

#include "sleeper.h"

/**
 * struct evring_sleepers - see above
 * @by_due: all, by &evring_sleeper.due
 * @by_deadline: all, by the time at which the timer looks at them
 * @begun: those that wait past their first event, in the order of these
 * @begun_count: how many; read without the lock
 * @armed_count: of all; read without the lock
 */
struct evring_sleepers {
	struct rb_root_cached by_due;
	struct timerqueue_head by_deadline;
	struct list_head begun;
	unsigned int begun_count;
	unsigned int armed_count;
};

void evring_sleepers_init(struct evring_sleepers *sleepers);
void evring_sleepers_add(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			 u64 due, u64 deadline_ns);
void evring_sleepers_begin(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			   u64 due, u64 deadline_ns);
void evring_sleepers_move(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper,
			  u64 due, u64 deadline_ns);
void evring_sleepers_leave(struct evring_sleepers *sleepers, struct evring_sleeper *sleeper);

static inline struct evring_sleeper *evring_sleepers_first_due(struct evring_sleepers *sleepers)
{
	return rb_entry_safe(rb_first_cached(&sleepers->by_due), struct evring_sleeper, by_due);
}

static inline struct evring_sleeper *
evring_sleepers_first_deadline(struct evring_sleepers *sleepers)
{
	struct timerqueue_node *node = timerqueue_getnext(&sleepers->by_deadline);

	return node ? container_of(node, struct evring_sleeper, by_deadline) : NULL;
}

static inline struct evring_sleeper *evring_sleepers_first_begun(struct evring_sleepers *sleepers)
{
	return list_first_entry_or_null(&sleepers->begun, struct evring_sleeper, node);
}

static inline u64 evring_sleeper_deadline_ns(const struct evring_sleeper *sleeper)
{
	return ktime_to_ns(sleeper->by_deadline.expires);
}

/* Has @head come to @due? By the sign of the distance, across every wrap. */
static inline bool evring_reached(u64 head, u64 due)
{
	return (s64)(head - due) >= 0;
}

#endif /* _EVRING_SLEEPERS_H */
